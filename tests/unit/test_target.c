#include "run/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONGEST A63 "." A63 "." A63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_good(void **state)
{
	static const struct {
		const char *text;
		enum target_kind kind;
		const char *domain;
		uint16_t port;
	} rows[] = {
	    {"example.com", TARGET_DOMAIN, "example.com", 25},
	    {"EXAMPLE.Com", TARGET_DOMAIN, "example.com", 25},
	    {"example.com.", TARGET_DOMAIN, "example.com", 25},
	    {"example.com:2525", TARGET_DOMAIN, "example.com", 2525},
	    {"example.com.:2525", TARGET_DOMAIN, "example.com", 2525},
	    {"example.com:1", TARGET_DOMAIN, "example.com", 1},
	    {"example.com:65535", TARGET_DOMAIN, "example.com", 65535},
	    {"example.com:00025", TARGET_DOMAIN, "example.com", 25},
	    {"com", TARGET_DOMAIN, "com", 25},
	    {"_mx.example.com", TARGET_DOMAIN, "_mx.example.com", 25},
	    {"1.example", TARGET_DOMAIN, "1.example", 25},
	    {"user@example.com", TARGET_DOMAIN, "example.com", 25},
	    {"user@example.com:26", TARGET_DOMAIN, "example.com", 26},
	    {"\"a@b\"@example.com", TARGET_DOMAIN, "example.com", 25},
	    {"\"a b\"@example.com", TARGET_DOMAIN, "example.com", 25},
	    {"@example.com", TARGET_DOMAIN, "example.com", 25},
	    {"user@[192.0.2.1]", TARGET_LITERAL, "192.0.2.1", 25},
	    {"[mx.example.com]", TARGET_HOST, "mx.example.com", 25},
	    {"[MX.example.com.]:587", TARGET_HOST, "mx.example.com", 587},
	    {"[192.0.2.1]", TARGET_LITERAL, "192.0.2.1", 25},
	    {"[192.0.2.1]:26", TARGET_LITERAL, "192.0.2.1", 26},
	    {"192.0.2.1", TARGET_LITERAL, "192.0.2.1", 25},
	    {"192.0.2.1:26", TARGET_LITERAL, "192.0.2.1", 26},
	    {"2001:DB8::1", TARGET_LITERAL, "2001:db8::1", 25},
	    {"[2001:db8::1]", TARGET_LITERAL, "2001:db8::1", 25},
	    {"[2001:db8::1]:26", TARGET_LITERAL, "2001:db8::1", 26},
	    {"[IPv6:2001:db8::1]", TARGET_LITERAL, "2001:db8::1", 25},
	    {"[ipv6:2001:db8::1]:26", TARGET_LITERAL, "2001:db8::1", 26},
	    {"m\xc3\xbcnchen.example", TARGET_DOMAIN, "xn--mnchen-3ya.example", 25},
	    {"M\xc3\x9cNCHEN.example", TARGET_DOMAIN, "xn--mnchen-3ya.example", 25},
	    {"stra\xc3\x9f"
	     "e.example",
	     TARGET_DOMAIN, "xn--strae-oqa.example", 25},
	    {"[m\xc3\xbcnchen.example]", TARGET_HOST, "xn--mnchen-3ya.example", 25},
	    {A63 ".example", TARGET_DOMAIN, A63 ".example", 25},
	    {LONGEST, TARGET_DOMAIN, LONGEST, 25},
	    {LONGEST ".", TARGET_DOMAIN, LONGEST, 25},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct target t;
		char *error = target_parse(&t, rows[i].text, strlen(rows[i].text), 25);

		if (error)
			fail_msg("%s", error);
		assert_int_equal(t.kind, rows[i].kind);
		assert_string_equal(t.domain, rows[i].domain);
		assert_int_equal(t.port, rows[i].port);
		if (t.kind == TARGET_LITERAL)
			assert_int_equal(t.addr.port, rows[i].port);
		target_fini(&t);
		assert_null(t.domain);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
	    {"", "'' is empty"},
	    {"user@", "'user@' has no domain after its '@'"},
	    {"a b", "'a b' has a blank or control character in it"},
	    {"a\tb", "'a\\x09b' has a blank or control character in it"},
	    {"example.com:", "'example.com:' has no port after its colon"},
	    {"example.com:x", "'example.com:x' has a port that is no number"},
	    {"example.com:-1", "'example.com:-1' has a port that is no number"},
	    {"example.com:0", "'example.com:0' has port 0"},
	    {"example.com:65536", "'example.com:65536' has a port above 65535"},
	    {"example.com:99999999999999999999999",
	     "'example.com:99999999999999999999999' has a port above 65535"},
	    {"[::1", "'[::1' has a '[' without ']'"},
	    {"[::1]x", "'[::1]x' has something other than a port after ']'"},
	    {"[::1]:", "'[::1]:' has no port after its colon"},
	    {"[]", "'[]' has no domain"},
	    {"[IPv6:192.0.2.1]", "'[IPv6:192.0.2.1]' is no IPv6 address"},
	    {"[IPv6:]", "'[IPv6:]' is no IPv6 address"},
	    {"1:2:3", "'1:2:3' is no IPv6 address"},
	    {".", "'.' has an empty label"},
	    {"a..b", "'a..b' has an empty label"},
	    {".a", "'.a' has an empty label"},
	    {"a..", "'a..' is no domain name: labels are letters, digits and inner hyphens"},
	    {"-a.example", "'-a.example' is no domain name: labels are letters, digits and inner "
			   "hyphens"},
	    {"a-.example", "'a-.example' is no domain name: labels are letters, digits and inner "
			   "hyphens"},
	    {"a*b", "'a*b' is no domain name: labels are letters, digits and inner hyphens"},
	    {"192.0.2", "'192.0.2' is neither a domain name nor an IP address"},
	    {"192.0.2.256", "'192.0.2.256' is neither a domain name nor an IP address"},
	    {"25", "'25' is neither a domain name nor an IP address"},
	    {"a" A63 ".example", "'a" A63 ".example' has a label longer than 63 octets"},
	    {"\xff\xfe.example", "'\\xFF\\xFE.example' is not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct target t;
		char *error = target_parse(&t, rows[i].text, strlen(rows[i].text), 25);

		if (!error)
			fail_msg("'%s' was taken as %s", rows[i].text, t.domain);
		assert_string_equal(error, rows[i].error);
		assert_null(t.domain);
		free(error);
	}
}

static void test_too_long(void **state)
{
	struct target t;
	char text[3000], *error;

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t i = 10; i < sizeof text; i += 10)
		text[i] = '.';
	error = target_parse(&t, text, 259, 25);
	assert_non_null(strstr(error, "is longer than the 253 octets"));
	free(error);
	error = target_parse(&t, text, sizeof text, 25);
	assert_non_null(strstr(error, "...' is too long"));
	assert_true(strlen(error) < 300);
	free(error);
	error = target_parse(&t, "a\0b", 3, 25);
	assert_string_equal(error, "'a\\x00b' has a NUL in it");
	free(error);
}

static void test_text_is_cut_at_characters(void **state)
{
	char text[4 * 2000];

	(void)state;
	assert_int_equal(target_text_length("", 0), 0);
	assert_int_equal(target_text_length("abc", 3), 3);
	memset(text, 'x', sizeof text);
	assert_int_equal(target_text_length(text, 1024), 1024);
	assert_int_equal(target_text_length(text, 1025), 1024);
	for (size_t i = 0; i < sizeof text; i += 4)
		memcpy(text + i, "\xf0\x9f\x93\xa7", 4);
	assert_int_equal(target_text_length(text, sizeof text), 4096);
	memset(text, 0xff, sizeof text);
	assert_int_equal(target_text_length(text, sizeof text), 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_text_is_cut_at_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text, *back; /* NULL: no address */
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1"},
	    {"0.0.0.0", "0.0.0.0"},
	    {"255.255.255.255", "255.255.255.255"},
	    {"256.0.0.1", NULL},
	    {"1.2.3", NULL},
	    {"1.2.3.4.5", NULL},
	    {"1.2.3.4 ", NULL},
	    {" 1.2.3.4", NULL},
	    {"0x7f.1.1.1", NULL},
	    {"127.1", NULL},
	    {"::", "::"},
	    {"::1", "::1"},
	    {"2001:DB8:0:0::1", "2001:db8::1"},
	    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"},
	    {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
	    {"2001:db8:1:2:3:4:192.0.2.33", "2001:db8:1:2:3:4:c000:221"},
	    {"fe80::1%1", NULL}, /* zones are names of interfaces; see below */
	    {"fe80::1%", NULL},
	    {"192.0.2.1%lo", NULL},
	    {"1:2:3:4:5:6:7:8:9", NULL},
	    {"2001:db8:::1", NULL},
	    {"g::1", NULL},
	    {"[::1]", NULL},
	    {"", NULL},
	    {"example.com", NULL},
	    {"2001:0db8:0001:0002:0003:0004:0005:0006:0007:0008:0009:000a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a;
		char text[ADDR_STRLEN];

		if (!rows[i].back) {
			if (addr_parse(&a, rows[i].text, 25))
				fail_msg("'%s' was taken", rows[i].text);
			continue;
		}
		if (!addr_parse(&a, rows[i].text, 25))
			fail_msg("'%s' was not taken", rows[i].text);
		assert_string_equal(addr_format(&a, text), rows[i].back);
		assert_int_equal(a.port, 25);
	}
}

static void test_zone(void **state)
{
	struct addr a, b;
	char text[ADDR_STRLEN];
	struct sockaddr_storage sa;

	(void)state;
	assert_true(addr_parse(&a, "fe80::1%lo", 25));
	assert_int_not_equal(a.scope, 0);
	addr_format(&a, text);
	assert_memory_equal(text, "fe80::1%", 8);
	assert_false(addr_parse(&b, "fe80::1%no-such-interface", 25));
	assert_int_equal(addr_to_sockaddr(&a, &sa), sizeof(struct sockaddr_in6));
	assert_true(addr_from_sockaddr(&b, (struct sockaddr *)&sa));
	assert_true(addr_equal(&a, &b));
}

static void test_parse_port(void **state)
{
	static const struct {
		const char *text, *address; /* NULL: no address */
		uint16_t port;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1", 53},
	    {"192.0.2.1:5353", "192.0.2.1", 5353},
	    {"192.0.2.1:1", "192.0.2.1", 1},
	    {"192.0.2.1:65535", "192.0.2.1", 65535},
	    {"192.0.2.1:65536", NULL, 0},
	    {"192.0.2.1:0", NULL, 0},
	    {"192.0.2.1:", NULL, 0},
	    {"192.0.2.1:x", NULL, 0},
	    {"192.0.2.1:+1", NULL, 0},
	    {"192.0.2.1:000053", NULL, 0},
	    {"[192.0.2.1]", "192.0.2.1", 53},
	    {"[192.0.2.1]:25", "192.0.2.1", 25},
	    {"2001:db8::1", "2001:db8::1", 53},
	    {"[2001:db8::1]", "2001:db8::1", 53},
	    {"[2001:db8::1]:853", "2001:db8::1", 853},
	    {"[2001:db8::1]x", NULL, 0},
	    {"[2001:db8::1]:", NULL, 0},
	    {"[2001:db8::1", NULL, 0},
	    {"2001:db8::1]:53", NULL, 0},
	    {"[]:53", NULL, 0},
	    {":53", NULL, 0},
	    {"", NULL, 0},
	    {"example.com:53", NULL, 0},
	    {"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]", NULL,
	     0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a;
		char text[ADDR_STRLEN];

		if (!rows[i].address) {
			if (addr_parse_port(&a, rows[i].text, 53))
				fail_msg("'%s' was taken", rows[i].text);
			continue;
		}
		if (!addr_parse_port(&a, rows[i].text, 53))
			fail_msg("'%s' was not taken", rows[i].text);
		assert_string_equal(addr_format(&a, text), rows[i].address);
		assert_int_equal(a.port, rows[i].port);
	}
}

static void test_sockaddr_and_back(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};
	struct sockaddr_storage sa;
	struct sockaddr unix_sa = {.sa_family = AF_UNIX};
	struct addr a, b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_true(addr_parse(&a, texts[i], 2525));
		assert_int_not_equal(addr_to_sockaddr(&a, &sa), 0);
		assert_true(addr_from_sockaddr(&b, (struct sockaddr *)&sa));
		assert_true(addr_equal(&a, &b));
		b.port = 25;
		assert_false(addr_equal(&a, &b));
	}
	assert_false(addr_from_sockaddr(&b, &unix_sa));
	assert_int_equal(b.family, 0);
}

static void test_no_address(void **state)
{
	struct addr a = {0};
	char text[ADDR_STRLEN];

	(void)state;
	assert_string_equal(addr_format(&a, text), "");
	assert_null(addr_family_name(&a));
	assert_false(addr_is_public(&a));
	assert_false(addr_is_loopback(&a));
	a.family = AF_INET;
	assert_string_equal(addr_family_name(&a), "inet");
	a.family = AF_INET6;
	assert_string_equal(addr_family_name(&a), "inet6");
}

/* Each block with its first and last address, and the neighbours outside. */
static void test_public(void **state)
{
	static const struct {
		const char *text;
		bool public;
	} rows[] = {
	    {"0.0.0.0", false},
	    {"0.255.255.255", false},
	    {"1.0.0.0", true},
	    {"9.255.255.255", true},
	    {"10.0.0.0", false},
	    {"10.255.255.255", false},
	    {"11.0.0.0", true},
	    {"100.63.255.255", true},
	    {"100.64.0.0", false},
	    {"100.127.255.255", false},
	    {"100.128.0.0", true},
	    {"126.255.255.255", true},
	    {"127.0.0.1", false},
	    {"127.255.255.255", false},
	    {"128.0.0.0", true},
	    {"169.253.255.255", true},
	    {"169.254.0.1", false},
	    {"169.255.0.0", true},
	    {"172.15.255.255", true},
	    {"172.16.0.0", false},
	    {"172.31.255.255", false},
	    {"172.32.0.0", true},
	    {"192.0.0.1", false},
	    {"192.0.1.0", true},
	    {"192.0.2.255", false},
	    {"192.0.3.0", true},
	    {"192.88.98.255", true},
	    {"192.88.99.1", false},
	    {"192.88.100.0", true},
	    {"192.167.255.255", true},
	    {"192.168.0.0", false},
	    {"192.169.0.0", true},
	    {"198.17.255.255", true},
	    {"198.18.0.0", false},
	    {"198.19.255.255", false},
	    {"198.20.0.0", true},
	    {"198.51.99.255", true},
	    {"198.51.100.7", false},
	    {"198.51.101.0", true},
	    {"203.0.112.255", true},
	    {"203.0.113.9", false},
	    {"203.0.114.0", true},
	    {"223.255.255.255", true},
	    {"224.0.0.1", false},
	    {"240.0.0.1", false},
	    {"255.255.255.255", false},
	    {"::", false},
	    {"::1", false},
	    {"1fff:ffff::", false},
	    {"2001::1", false},
	    {"2001:1ff::1", false},
	    {"2001:200::1", true},
	    {"2001:db7:ffff::", true},
	    {"2001:db8::1", false},
	    {"2001:db8:ffff::1", false},
	    {"2001:db9::", true},
	    {"2a00:1450:400c:c00::1b", true},
	    {"3fff:0fff::1", false},
	    {"3fff:1000::1", true},
	    {"3fff:ffff::", true},
	    {"4000::1", false},
	    {"5f00::1", false},
	    {"64:ff9b:1::1", false},
	    {"100::1", false},
	    {"fc00::1", false},
	    {"fd12::1", false},
	    {"fe80::1", false},
	    {"fec0::1", false},
	    {"ff02::1", false},
	    /* what leads to an IPv4 host is as public as that */
	    {"::ffff:8.8.8.8", true},
	    {"::ffff:10.1.2.3", false},
	    {"::ffff:127.0.0.1", false},
	    {"::8.8.8.8", false},
	    {"64:ff9b::8.8.8.8", true},
	    {"64:ff9b::192.168.1.1", false},
	    {"2002:808:808::1", true},
	    {"2002:a01:203::1", false},
	    {"2002:7f00:1::1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a;

		assert_true(addr_parse(&a, rows[i].text, 25));
		if (addr_is_public(&a) != rows[i].public)
			fail_msg("%s is taken for %s", rows[i].text,
				 rows[i].public ? "special" : "public");
	}
}

static void test_loopback(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
	} rows[] = {
	    {"127.0.0.1", true},
	    {"127.255.255.254", true},
	    {"126.255.255.255", false},
	    {"128.0.0.1", false},
	    {"::1", true},
	    {"::2", false},
	    {"::ffff:127.0.0.53", true},
	    {"::ffff:8.8.8.8", false},
	    {"0.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a;

		assert_true(addr_parse(&a, rows[i].text, 53));
		if (addr_is_loopback(&a) != rows[i].loopback)
			fail_msg("%s", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),      cmocka_unit_test(test_zone),
	    cmocka_unit_test(test_parse_port), cmocka_unit_test(test_sockaddr_and_back),
	    cmocka_unit_test(test_no_address), cmocka_unit_test(test_public),
	    cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

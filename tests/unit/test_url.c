/* URLs of webhooks, and the sums that sign what goes there. */
#include "net/digest.h"
#include "net/url.h"

#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DOTS "\xE2\x80\xA6"

static const struct {
	const char *url, *shown, *problem; /* problem NULL: it is good; else a part of the words */
} rows[] = {
    {"https://hooks.example.com/services/T0/B0/abc", "https://hooks.example.com/" DOTS, NULL},
    {"https://example.com", "https://example.com", NULL},
    {"https://example.com/", "https://example.com/", NULL},
    {"HTTP://EXAMPLE.com:8065/x", "HTTP://EXAMPLE.com:8065/" DOTS, NULL},
    {"https://me:secret@example.com/x", "https://example.com/" DOTS, NULL},
    {"https://a@b:c@example.com/", "https://example.com/", NULL},
    {"https://example.com?token=1", "https://example.com/" DOTS, NULL},
    {"https://example.com#x", "https://example.com/" DOTS, NULL},
    {"http://[2001:db8::1]:80/a", "http://[2001:db8::1]:80/" DOTS, NULL},
    {"http://192.0.2.1/@channel", "http://192.0.2.1/" DOTS, NULL},
    {"https://my_host.internal:65535/", "https://my_host.internal:65535/", NULL},
    {"", DOTS, "does not begin"},
    {"hooks.example.com/services/T0", "hooks.example.com/" DOTS, "does not begin"},
    {"me:secret@example.com/x", DOTS, "does not begin"},
    {"ftp://example.com/x", "ftp://example.com/" DOTS, "does not begin"},
    {"file:///etc/passwd", "file://" DOTS, "does not begin"},
    {"https://", "https://" DOTS, "names no host"},
    {"https:///x", "https://" DOTS, "names no host"},
    {"https://:443/", "https://" DOTS, "names no host"},
    {"https://me:pw@/", "https://" DOTS, "names no host"},
    /* A slash in a password ends what could be a host. */
    {"https://me:se/cret@example.com/", "https://" DOTS, "no port"},
    {"https://example.com:0/", "https://" DOTS, "no port"},
    {"https://example.com:65536/", "https://" DOTS, "no port"},
    {"https://example.com:/", "https://" DOTS, "no port"},
    {"https://example.com:443x/", "https://" DOTS, "no port"},
    {"https://exa%6Dple.com/", "https://" DOTS, "no host name"},
    {"https://[::1/", "https://" DOTS, "brackets"},
    {"https://[192.0.2.1]/", "https://" DOTS, "brackets"},
    {"https://[]/", "https://" DOTS, "brackets"},
    {"https://[::1]x/", "https://" DOTS, "no port"},
    {"https://example.com/a b", "https://example.com/" DOTS, "a blank"},
    {"https://example.com/\n", "https://example.com/" DOTS, "a control"},
    {"https://b\xC3\xBC"
     "cher.example/",
     "https://" DOTS, "non-ASCII"},
};

/* Every octet is an asterisk or its old self, and of those only what is shown is left, and what is
 * between that and the rest. */
static void assert_hidden(const char *url, const char *shown, const char *hidden)
{
	char left[200], *end = left;
	size_t n = strcspn(shown, "\xE2");

	assert_int_equal(strlen(url), strlen(hidden));
	for (size_t i = 0; url[i]; i++) {
		assert_true(hidden[i] == '*' || hidden[i] == url[i]);
		if (hidden[i] != '*')
			*end++ = hidden[i];
	}
	*end = '\0';
	while (n && shown[n - 1] == '/' && strlen(left) < n)
		n--;
	if (n && shown[n - 1] == '/' && left[n - 1] != '/')
		n--;
	assert_memory_equal(left, shown, n);
	if (strlen(left) > n + 1)
		fail_msg("%s: \"%s\" is left", url, left);
}

static void urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *problem = url_problem(rows[i].url);
		char *shown = url_shown(rows[i].url), *hidden = xstrdup(rows[i].url);

		if (!problem != !rows[i].problem || (problem && !strstr(problem, rows[i].problem)))
			fail_msg("%s: %s", rows[i].url, problem ? problem : "good");
		assert_string_equal(shown, rows[i].shown);
		url_hide(hidden);
		assert_hidden(rows[i].url, rows[i].shown, hidden);
		free(shown);
		free(hidden);
	}
	char *big = xmalloc(5000);

	memset(big, 'a', 4999);
	memcpy(big, "https://example.org/", 20);
	big[4999] = '\0';
	assert_string_equal(url_problem(big), "is too long for a URL");
	free(big);
}

static void logins(void **state)
{
	static const char *const pairs[][2] = {
	    {"https://me:pw@example.org/x?y@z", "https://example.org/x?y@z"},
	    {"https://example.org/x", "https://example.org/x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char *without = url_without_login(pairs[i][0]);

		assert_string_equal(without, pairs[i][1]);
		free(without);
	}
}

/* FIPS 180-2 B.1, RFC 4231 4.2 to 4.4 and 4.7. */
static void sums(void **state)
{
	char sum[DIGEST_STRLEN], key[131];

	(void)state;
	digest_sha256(sum, "abc", 3);
	assert_string_equal(sum,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	memset(key, 0x0B, 20);
	digest_hmac(sum, key, 20, "Hi There", 8);
	assert_string_equal(sum,
			    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac(sum, "Jefe", 4, "what do ya want for nothing?", 28);
	assert_string_equal(sum,
			    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xAA, sizeof key);
	digest_hmac(sum, key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
		    54);
	assert_string_equal(sum,
			    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void randoms(void **state)
{
	char a[33], b[33];

	(void)state;
	digest_random(a, 16);
	digest_random(b, 16);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls),
	    cmocka_unit_test(logins),
	    cmocka_unit_test(sums),
	    cmocka_unit_test(randoms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

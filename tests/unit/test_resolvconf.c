#include "dns/resolvconf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct resolvconf parse(const char *text)
{
	struct resolvconf rc;

	resolvconf_parse(&rc, text, strlen(text));
	return rc;
}

static void server(const struct resolvconf *rc, size_t i, const char *address)
{
	char text[ADDR_STRLEN];

	assert_true(i < rc->n_servers);
	assert_string_equal(addr_format(&rc->servers[i], text), address);
	assert_int_equal(rc->servers[i].port, 53);
}

static void test_usual(void **state)
{
	struct resolvconf rc =
	    parse("# made by hand\n"
		  "; and this, too\n"
		  "search example.org\n"
		  "nameserver 192.0.2.53\n"
		  "  nameserver\t2001:db8::53   trailing\r\n"
		  "options timeout:3 attempts:2 rotate trust-ad edns0 ndots:1\n");

	(void)state;
	assert_int_equal(rc.n_servers, 2);
	server(&rc, 0, "192.0.2.53");
	server(&rc, 1, "2001:db8::53");
	assert_int_equal(rc.timeout, 3);
	assert_int_equal(rc.attempts, 2);
	assert_true(rc.rotate);
	assert_true(rc.trust_ad);
}

static void test_what_cannot_be_read_is_passed_over(void **state)
{
	struct resolvconf rc = parse("nameserver\n"
				     "nameserver example.org\n"
				     "nameserver 192.0.2.1#53\n"
				     "nameservers 192.0.2.2\n"
				     "NAMESERVER 192.0.2.3\n"
				     "options timeout:0 attempts:x timeout trust-add rotated\n"
				     "\n\n\0\n"
				     "options\n"
				     "nameserver 192.0.2.4");

	(void)state;
	assert_int_equal(rc.n_servers, 0); /* the text ends at its NUL here */
	assert_int_equal(rc.timeout, 0);
	assert_int_equal(rc.attempts, 0);
	assert_false(rc.rotate);
	assert_false(rc.trust_ad);
	rc = parse("");
	assert_int_equal(rc.n_servers, 0);
	rc = parse("nameserver 192.0.2.4"); /* no line end */
	server(&rc, 0, "192.0.2.4");
	resolvconf_parse(&rc, "name\0x\nnameserver 192.0.2.5\n", 28);
	server(&rc, 0, "192.0.2.5");
}

static void test_bounds(void **state)
{
	struct resolvconf rc = parse("options timeout:99999999999999999999 attempts:77\n"
				     "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
				     "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
				     "nameserver 192.0.2.5\nnameserver 192.0.2.6\n"
				     "nameserver 192.0.2.7\nnameserver 192.0.2.8\n"
				     "nameserver 192.0.2.9\n");

	(void)state;
	assert_int_equal(rc.timeout, 30);
	assert_int_equal(rc.attempts, 5);
	assert_int_equal(rc.n_servers, RESOLVERS_MAX);
	server(&rc, 7, "192.0.2.8");
}

static void test_later_options_win(void **state)
{
	struct resolvconf rc = parse("options timeout:3\noptions attempts:4 timeout:5\n");

	(void)state;
	assert_int_equal(rc.timeout, 5);
	assert_int_equal(rc.attempts, 4);
}

static void test_file(void **state)
{
	char path[] = "/tmp/mxprobe-resolvconf-XXXXXX";
	int fd = mkstemp(path);
	static const char text[] = "nameserver 192.0.2.53\n";
	struct resolvconf rc;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
	close(fd);
	assert_int_equal(resolvconf_read(&rc, path), 0);
	assert_int_equal(rc.n_servers, 1);
	server(&rc, 0, "192.0.2.53");
	unlink(path);
	assert_int_equal(resolvconf_read(&rc, path), 0); /* it is gone */
	assert_int_equal(rc.n_servers, 1);
	server(&rc, 0, "127.0.0.1");
	assert_int_equal(resolvconf_read(&rc, "/dev/null"), 0);
	server(&rc, 0, "127.0.0.1");
	/* One that is there and cannot be read is another matter: whom to ask is not known. */
	assert_int_equal(resolvconf_read(&rc, "/"), EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_usual),
	    cmocka_unit_test(test_what_cannot_be_read_is_passed_over),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_later_options_win),
	    cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

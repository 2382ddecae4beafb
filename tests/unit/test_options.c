#include "cli/options.h"

#include "cli/identity.h"
#include "dns/mx.h"
#include "judge/sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEC USEC_PER_SEC

/* Reads a command line given as words with blanks between them, "''" being an empty one. */
static bool parse(struct options *o, const char *line, char **error)
{
	static char words[4096];
	static char *argv[64];
	int argc = 0;
	char *state = NULL;

	assert_true(strlen(line) < sizeof words);
	strcpy(words, line);
	for (char *w = strtok_r(words, " ", &state); w; w = strtok_r(NULL, " ", &state))
		argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
	argv[argc] = NULL;
	*error = NULL;
	return options_parse(o, argc, argv, error);
}

static struct options good(const char *line)
{
	struct options o;
	char *error;

	if (!parse(&o, line, &error))
		fail_msg("%s: %s", line, error);
	return o;
}

static void test_defaults(void **state)
{
	struct options o = good("mxprobe example.org");

	(void)state;
	assert_int_equal(o.mode, MODE_PROBE);
	assert_int_equal(o.format, FORMAT_TABLE);
	assert_int_equal(o.n_targets, 1);
	assert_string_equal(o.targets[0], "example.org");
	assert_int_equal(o.port, 25);
	assert_string_equal(o.from, "<>");
	assert_null(o.helo);
	assert_int_equal(o.timeout, 30 * SEC);
	assert_int_equal(o.connect_timeout, 10 * SEC);
	assert_int_equal(o.interval, SEC);
	assert_int_equal(o.deadline, USEC_NEVER);
	assert_int_equal(o.tls, TLS_AUTO);
	assert_int_equal(o.repeat, 1);
	assert_int_equal(o.jobs, 256);
	assert_int_equal(o.per_address, 1);
	assert_true(o.rate == 0);
	assert_int_equal(o.jitter, 0);
	assert_int_equal(o.families, MX_IPV4 | MX_IPV6);
	assert_int_equal(o.senders, (1u << SENDERS) - 1);
	options_fini(&o);
	o = good("mxprobe --nagios example.org");
	assert_int_equal(o.timeout, 10 * SEC);
	assert_int_equal(o.deadline, 55 * SEC);
	options_fini(&o);
	o = good("mxprobe --nagios -t 20 --deadline 5 example.org");
	assert_int_equal(o.timeout, 20 * SEC);
	assert_int_equal(o.deadline, 5 * SEC);
	options_fini(&o);
}

static void test_values(void **state)
{
	struct options o =
	    good("mxprobe -H a -i - -4 -p 2525 -f a@b.c -F me.example -t 2.5 --connect-timeout .5 "
		 "--deadline 60 --tls off -n 3 --interval 0 -j 7 --per-address 2 --rate 0.5 "
		 "--jitter 0 --sender exim --resolver 192.0.2.53 --resolver [2001:db8::53]:5353 "
		 "--trust-ad -b 192.0.2.9 -b 2001:db8::9 --public-only --json -o out --explain "
		 "--color never -vv -q b");

	(void)state;
	assert_int_equal(o.n_targets, 2);
	assert_string_equal(o.targets[0], "a");
	assert_string_equal(o.targets[1], "b");
	assert_string_equal(o.input, "-");
	assert_int_equal(o.families, MX_IPV4);
	assert_int_equal(o.port, 2525);
	assert_string_equal(o.from, "<a@b.c>");
	assert_string_equal(o.helo, "me.example");
	assert_int_equal(o.timeout, 2500000);
	assert_int_equal(o.connect_timeout, 500000);
	assert_int_equal(o.deadline, 60 * SEC);
	assert_int_equal(o.tls, TLS_OFF);
	assert_int_equal(o.repeat, 3);
	assert_int_equal(o.interval, 0);
	assert_int_equal(o.jobs, 7);
	assert_int_equal(o.per_address, 2);
	assert_true(o.rate == 0.5);
	assert_int_equal(o.senders, 1u << SENDER_EXIM);
	assert_int_equal(o.n_resolvers, 2);
	assert_int_equal(o.resolvers[0].port, 53);
	assert_int_equal(o.resolvers[1].port, 5353);
	assert_true(o.trust_ad && o.public_only && o.explain && o.quiet);
	assert_int_equal(o.bind4.family, AF_INET);
	assert_int_equal(o.bind6.family, AF_INET6);
	assert_int_equal(o.format, FORMAT_JSON);
	assert_string_equal(o.output, "out");
	assert_int_equal(o.color, COLOR_NEVER);
	assert_int_equal(o.verbose, 2);
	options_fini(&o);
	assert_null(o.targets);
}

static void test_other_forms(void **state)
{
	struct options o = good("mxprobe -46 --fqdn me.example --tls=require -f '' x");

	(void)state;
	assert_int_equal(o.families, MX_IPV4 | MX_IPV6);
	assert_string_equal(o.helo, "me.example");
	assert_string_equal(o.from, "<>");
	assert_int_equal(o.tls, TLS_REQUIRE);
	options_fini(&o);
	o = good("mxprobe -S -f <> -- -x");
	assert_int_equal(o.tls, TLS_REQUIRE);
	assert_string_equal(o.targets[0], "-x");
	options_fini(&o);
	o = good("/usr/lib/nagios/plugins/check_mxprobe -w 1 -c 50% --warning-time 5 x");
	assert_int_equal(o.format, FORMAT_PLUGIN);
	assert_true(o.has_warning && o.has_critical && o.has_warning_time);
	assert_false(o.has_critical_time);
	options_fini(&o);
	o = good("mxprobe -f <a@b> -t 0.0000001 x");
	assert_string_equal(o.from, "<a@b>");
	assert_int_equal(o.timeout, 1);
	options_fini(&o);
	o = good("mxprobe --prometheus=addresses x");
	assert_int_equal(o.format, FORMAT_PROMETHEUS);
	assert_true(o.addresses);
	options_fini(&o);
	o = good("mxprobe --help --json");
	assert_int_equal(o.mode, MODE_HELP);
	options_fini(&o);
	o = good("mxprobe -V");
	assert_int_equal(o.mode, MODE_VERSION);
	options_fini(&o);
	o = good("mxprobe --classify --json");
	assert_int_equal(o.mode, MODE_CLASSIFY);
	options_fini(&o);
	o = good("mxprobe -i file");
	assert_int_equal(o.n_targets, 0);
	options_fini(&o);
}

/* Where nothing is near, nothing is guessed. */
static void test_no_guess(void **state)
{
	static const char *const lines[] = {
	    "mxprobe --zebra x",     "mxprobe --x y",  "mxprobe -Z x",   "mxprobe --= x",
	    "mxprobe --tls maybe x", "mxprobe -p 0 x", "mxprobe -\xff x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct options o;
		char *error;

		assert_false(parse(&o, lines[i], &error));
		if (strchr(error, '?'))
			fail_msg("%s: %s", lines[i], error);
		free(error);
		options_fini(&o);
	}
}

/* Bad usage is one line that names the option and the value. */
static void test_bad(void **state)
{
	static const struct {
		const char *line, *option, *value;
	} rows[] = {
	    {"mxprobe", "no TARGET", ""},
	    {"mxprobe --json", "no TARGET", ""},
	    {"mxprobe --nope x", "--nope", ""},
	    {"mxprobe -Z x", "-Z: no such option", ""},
	    {"mxprobe -N 3 x", "-N", "; did you mean -n?"},
	    {"mxprobe --hisory f x", "--hisory: no such option; did you mean --history?", ""},
	    {"mxprobe --hisory=f x", "--hisory: no such option; did you mean --history?", ""},
	    {"mxprobe --tmeout 5 x", "--tmeout", "; did you mean --timeout?"},
	    {"mxprobe --colour=never x", "--colour", "; did you mean --color?"},
	    {"mxprobe --con 5 x", "--con: ", "; is it --control, --connect-timeout or --confirm?"},
	    {"mxprobe --jit", "--jit: a value is missing", ""},
	    {"mxprobe -tls verify x", "-tls: no such option; did you mean --tls?", ""},
	    {"mxprobe x -tls=verify", "-tls: no such option; did you mean --tls?", ""},
	    {"mxprobe x -json", "-json: no such option; did you mean --json?", ""},
	    {"mxprobe -version", "-version: no such option; did you mean --version?", ""},
	    {"mxprobe --tls verfy x", "--tls: 'verfy' is none of off, auto,",
	     "; did you mean verify?"},
	    {"mxprobe --webhook-on problms x", "--webhook-on: 'problms' is none of",
	     "; did you mean problem?"},
	    {"mxprobe --color alwys x", "--color: 'alwys' is none of", "; did you mean always?"},
	    {"mxprobe --sender postfx x", "--sender: 'postfx' is none of", "did you mean postfix?"},
	    {"mxprobe -vZ x", "-Z", ""},
	    {"mxprobe x -p", "-p", "missing"},
	    {"mxprobe x --port", "--port", "missing"},
	    {"mxprobe --json=1 x", "--json", "takes no value"},
	    {"mxprobe -p 0 x", "--port", "'0'"},
	    {"mxprobe -p 65536 x", "--port", "'65536'"},
	    {"mxprobe -p 25x x", "--port", "'25x'"},
	    {"mxprobe -p '' x", "--port", "''"},
	    {"mxprobe -p -1 x", "--port", "'-1'"},
	    {"mxprobe -t 0 x", "--timeout", "'0'"},
	    {"mxprobe -t -1 x", "--timeout", "'-1'"},
	    {"mxprobe -t 1,5 x", "--timeout", "'1,5'"},
	    {"mxprobe -t nan x", "--timeout", "'nan'"},
	    {"mxprobe -t inf x", "--timeout", "'inf'"},
	    {"mxprobe -t 1e99 x", "--timeout", "'1e99'"},
	    {"mxprobe -t 2000000000 x", "--timeout", "'2000000000'"},
	    {"mxprobe --connect-timeout 0 x", "--connect-timeout", "'0'"},
	    {"mxprobe --deadline 0 x", "--deadline", "'0'"},
	    {"mxprobe --interval -1 x", "--interval", "'-1'"},
	    {"mxprobe -n 0 x", "--repeat", "'0'"},
	    {"mxprobe -n 1.5 x", "--repeat", "'1.5'"},
	    {"mxprobe -n 99999999999999999999 x", "--repeat", "'99999999999999999999'"},
	    {"mxprobe -j 0 x", "--jobs", "'0'"},
	    {"mxprobe --per-address 0 x", "--per-address", "'0'"},
	    {"mxprobe --rate 0 x", "--rate", "'0'"},
	    {"mxprobe --rate fast x", "--rate", "'fast'"},
	    {"mxprobe -f a x", "--from", "'a'"},
	    {"mxprobe -f @b x", "--from", "'@b'"},
	    {"mxprobe -f a@ x", "--from", "'a@'"},
	    {"mxprobe -f <a@b x", "--from", "'<a@b'"},
	    {"mxprobe -f a@b>\r\nRCPT x", "--from", "\\x0D\\x0A"},
	    {"mxprobe -f \xc3\xa9@b x", "--from", "non-ASCII"},
	    {"mxprobe -F '' x", "--helo", "''"},
	    {"mxprobe -F a\rb x", "--helo", "\\x0D"},
	    {"mxprobe --tls maybe x", "--tls", "'maybe'"},
	    {"mxprobe --sender sendmail x", "--sender", "'sendmail'"},
	    {"mxprobe --color red x", "--color", "'red'"},
	    {"mxprobe --resolver dns.example x", "--resolver", "'dns.example'"},
	    {"mxprobe --resolver 192.0.2.1:0 x", "--resolver", "'192.0.2.1:0'"},
	    {"mxprobe -b eth0 x", "--bind", "'eth0'"},
	    {"mxprobe -b 192.0.2.1 -b 192.0.2.2 x", "--bind", "'192.0.2.2'"},
	    {"mxprobe -i '' x", "--input", "''"},
	    {"mxprobe -i a -i b", "--input", "'b'"},
	    {"mxprobe -o a -o b x", "--output", "'b'"},
	    {"mxprobe --json --prometheus x", "--prometheus", "another output format"},
	    {"mxprobe --json --nagios x", "--json", "another output format"},
	    {"mxprobe --prometheus=all x", "--prometheus", "'all'"},
	    {"mxprobe --nagios -w 5:1 x", "--warning", "'5:1'"},
	    {"mxprobe --nagios --critical-time 5% x", "--critical-time", "'5%'"},
	    {"mxprobe -w 5 x", "-w", "--nagios"},
	    {"mxprobe --classify x", "--classify", "'x'"},
	    {"mxprobe --classify --nagios", "--classify", "--json"},
	    {"mxprobe --watch=0.9 x", "--watch", "'0.9' is less than a second"},
	    {"mxprobe --watch=-1 x", "--watch", "'-1'"},
	    {"mxprobe --watch= x", "--watch", "''"},
	    {"mxprobe --watch=86401 x", "--watch", "'86401' is more than a day"},
	    {"mxprobe --watch=often x", "--watch", "'often'"},
	    {"mxprobe --watch --nagios x", "--watch", "plugin"},
	    {"mxprobe --watch --classify", "--watch", "--classify"},
	    {"mxprobe --watch --history h --report x", "--watch", "--report"},
	    {"mxprobe --watch --prometheus x", "--watch", "-o FILE"},
	    {"mxprobe --watch -i -", "--watch", "--input '-'"},
	    {"mxprobe --webhook-on problem x", "--webhook-on", "belongs to --webhook"},
	    {"mxprobe --webhook-secret f x", "--webhook-secret", "belongs to --webhook"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct options o;
		char *error;

		if (parse(&o, rows[i].line, &error))
			fail_msg("'%s' was taken", rows[i].line);
		assert_non_null(error);
		if (strncmp(error, rows[i].option, strlen(rows[i].option)) != 0 ||
		    !strstr(error, rows[i].value) || strchr(error, '\n'))
			fail_msg("%s: %s", rows[i].line, error);
		free(error);
		options_fini(&o);
	}
}

static void test_too_many_resolvers(void **state)
{
	char line[400] = "mxprobe", *error;
	struct options o;

	(void)state;
	for (int i = 0; i <= RESOLVERS_MAX; i++)
		strcat(line, " --resolver 192.0.2.53");
	strcat(line, " x");
	assert_false(parse(&o, line, &error));
	assert_non_null(strstr(error, "--resolver: '192.0.2.53' is one more than"));
	free(error);
	options_fini(&o);
}

static void test_longest_names(void **state)
{
	struct options o;
	char line[1200], *error;

	(void)state;
	for (int over = 0; over <= 1; over++) {
		strcpy(line, "mxprobe -F ");
		memset(line + 11, 'h', DIALOGUE_NAME_MAX + (size_t)over);
		strcpy(line + 11 + DIALOGUE_NAME_MAX + over, " x");
		assert_int_equal(parse(&o, line, &error), !over);
		free(error);
		options_fini(&o);
		strcpy(line, "mxprobe -f a@");
		memset(line + 13, 'b', DIALOGUE_FROM_MAX - 4 + (size_t)over);
		strcpy(line + 13 + DIALOGUE_FROM_MAX - 4 + over, " x");
		assert_int_equal(parse(&o, line, &error), !over);
		if (!over)
			assert_int_equal(strlen(o.from), DIALOGUE_FROM_MAX);
		free(error);
		options_fini(&o);
	}
}

/* Also a usage error of a plugin is known as a plugin's. */
static void test_plugin_is_known_before_anything_else(void **state)
{
	static const char *const lines[] = {"mxprobe --nope --nagios", "mxprobe -p x --nagios",
					    "check_mxprobe --nope", "./check_mxprobe"};
	struct options o;
	char *error;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_false(parse(&o, lines[i], &error));
		assert_int_equal(o.format, FORMAT_PLUGIN);
		free(error);
		options_fini(&o);
	}
	assert_false(parse(&o, "mxprobe -- --nagios -", &error) && o.format == FORMAT_PLUGIN);
	free(error);
	options_fini(&o);
}

static void test_every_option_has_one_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_option_rows; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(option_rows[i].name, option_rows[k].name);
			if (option_rows[i].code == option_rows[k].code)
				assert_true(!option_rows[i].help || !option_rows[k].help);
		}
	}
}

static void test_full_names(void **state)
{
	static const struct {
		const char *name;
		bool full;
	} rows[] = {
	    {"mx.example.org", true},
	    {"a.b", true},
	    {"localhost", false},
	    {"mx.example.org.", false},
	    {"", false},
	    {".", false},
	    {"192.0.2.1", false},
	    {"[192.0.2.1]", true},
	    {"[2001:db8::1]", false},
	    {"[IPv6:2001:db8::1]", true},
	    {"[ipv6:::1]", true},
	    {"[IPv6:192.0.2.1]", false},
	    {"[]", false},
	    {"[x]", false},
	    {"[", false},
	    {"[IPv6:]", false},
	    {"[192.0.2.1", false},
	    {"mx_1.example", true},
	    {"-a.example", false},
	    {"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]",
	     false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (identity_is_full(rows[i].name) != rows[i].full)
			fail_msg("'%s'", rows[i].name);
}

/* Whatever this machine is called: servers take it. */
static void test_own_name(void **state)
{
	struct addr source = addr_from_ipv4((const uint8_t[]){127, 0, 0, 9}, 0), v6, nowhere;
	char *name;

	(void)state;
	assert_true(addr_parse(&v6, "::1", 53));
	assert_true(addr_parse(&nowhere, "240.0.0.1", 53));
	name = identity_name(&source, &v6);
	assert_true(identity_is_full(name));
	free(name);
	name = identity_name(NULL, &v6);
	assert_true(identity_is_full(name));
	free(name);
	name = identity_name(NULL, &nowhere);
	assert_true(identity_is_full(name));
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_other_forms),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_no_guess),
	    cmocka_unit_test(test_too_many_resolvers),
	    cmocka_unit_test(test_longest_names),
	    cmocka_unit_test(test_plugin_is_known_before_anything_else),
	    cmocka_unit_test(test_every_option_has_one_row),
	    cmocka_unit_test(test_full_names),
	    cmocka_unit_test(test_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The command line as people and scripts meet it. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned lines_of(const char *text)
{
	unsigned n = 0;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void help_and_version(void **state)
{
	(void)state;
	static const char *const options[] = {"-h", "--help", "-V", "--version"};
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct probe *probe = PROBE(NULL, options[i]);
		probe_assert_exit(probe, 0);
		assert_true(probe->out_len > 0);
		assert_string_equal(probe->err, "");
		assert_non_null(strstr(probe->out, "mxprobe"));
		probe_free(probe);
	}
}

/* One line that names option and value, one that says where help is, exit 3. */
static void bad_usage(void **state)
{
	(void)state;
	static const struct {
		const char *args[4], *names;
	} cases[] = {
	    {{"--no-such-option"}, "no-such-option"},
	    {{"-Z"}, "Z"},
	    {{"-p"}, "p"},
	    {{"-p", "0", "example.org"}, "0"},
	    {{"-p", "65536", "example.org"}, "65536"},
	    {{"-p", "smtp25", "example.org"}, "smtp25"},
	    {{"-t", "0", "example.org"}, "0"},
	    {{"-t", "-1", "example.org"}, "-1"},
	    {{"-t", "soon", "example.org"}, "soon"},
	    {{"-t", "nan", "example.org"}, "nan"},
	    {{"-t", "1x", "example.org"}, "1x"},
	    {{"--connect-timeout", "0", "example.org"}, "connect-timeout"},
	    {{"--deadline", "never", "example.org"}, "never"},
	    {{"-n", "0", "example.org"}, "0"},
	    {{"-n", "1.5", "example.org"}, "1.5"},
	    {{"-j", "0", "example.org"}, "0"},
	    {{"--per-address", "0", "example.org"}, "per-address"},
	    {{"--rate", "0", "example.org"}, "rate"},
	    {{"--interval", "-1", "example.org"}, "-1"},
	    {{"--tls", "maybe", "example.org"}, "maybe"},
	    {{"--sender", "qmail", "example.org"}, "qmail"},
	    {{"--resolver", "ns.example.org", "example.org"}, "ns.example.org"},
	    {{"--resolver", "127.0.0.1:99999", "example.org"}, "99999"},
	    {{"--bind", "here", "example.org"}, "here"},
	    {{"--color", "red", "example.org"}, "red"},
	    {{"-f", "no\nway@example.org", "example.org"}, "from"},
	    {{"-F", "two words", "example.org"}, "two words"},
	    {{"-F", "evil\r\nRCPT", "example.org"}, "helo"},
	    {{"example..org"}, "example..org"},
	    {{"[192.0.2.300]"}, "192.0.2.300"},
	    {{"[IPv6:2001:db8::g]"}, "2001:db8::g"},
	    {{"example.org:70000"}, "70000"},
	    {{"example.org:"}, "example.org:"},
	    {{"user@"}, "user@"},
	    {{""}, ""},
	    {{"exa mple.org"}, "exa mple.org"},
	};
	bool good = true;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct probe *probe = probe_run(NULL, NULL, cases[i].args);
		if (probe->status != 3 || probe->out_len != 0 || lines_of(probe->err) != 2 ||
		    !strstr(probe->err, cases[i].names) ||
		    !strstr(probe->err, "Try 'mxprobe --help'.")) {
			print_error("%s %s: exit %d: %s%s\n", cases[i].args[0],
				    cases[i].args[1] ? cases[i].args[1] : "", probe->status,
				    probe->out, probe->err);
			good = false;
		}
		probe_free(probe);
	}
	/* Who gives nothing at all is shown how it is used, in less than a screen. */
	struct probe *probe = probe_run(NULL, NULL, (const char *const[]){NULL});
	probe_assert_exit(probe, 3);
	assert_string_equal(probe->out, "");
	assert_in_range(lines_of(probe->err), 3, 10);
	assert_non_null(strstr(probe->err, "\nUsage: mxprobe [OPTION]... TARGET...\n"));
	assert_non_null(strstr(probe->err, "\n  mxprobe example.org  "));
	probe_free(probe);
	assert_true(good);
}

static void exit_codes(void **state)
{
	(void)state;
	static const struct {
		const char *args[5];
		int status;
	} cases[] = {
	    {{"good.example"}, 0},
	    {{"half.example"}, 1},
	    {{"full.example"}, 2},
	    {{"null.example"}, 2},
	    {{"gone.example"}, 2},
	    {{"broken.example"}, 3},
	    {{"good.example", "full.example"}, 2},
	    {{"half.example", "broken.example"}, 1},
	    {{"good.example", "broken.example"}, 3},
	    {{"broken.example", "half.example", "full.example"}, 2},
	    {{"-H", "good.example"}, 0},
	    {{"--hostname=good.example", "half.example"}, 1},
	};
	struct lab *lab = lab_start("healthy");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct probe *probe = probe_run(lab, NULL, cases[i].args);
		probe_assert_exit(probe, cases[i].status);
		probe_free(probe);
	}
	lab_assert_polite(lab);
	lab_free(lab);
}

static void literals(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe =
	    PROBE(lab, "--json", "[127.13.0.1]", "127.13.0.2", "[mx.good.example]",
		  "[mx.good.example]:@PORT@", "good.example:@PORT@", "[IPv6:::1]:1");
	assert_int_equal(probe->n_results, 6);
	for (size_t i = 0; i < probe->n_results; i++)
		assert_schema(probe->results[i]);
	const json_t *result = result_of(probe, "[127.13.0.1]");
	assert_string_equal(text_at(result, "dns.source"), "literal");
	assert_string_equal(text_at(result, "verdict"), "healthy");
	assert_true(json_is_null(at(result, "endpoints.0.preference")));
	assert_true(json_is_null(at(result, "dns.mx.0.ttl")));
	assert_string_equal(text_at(result, "endpoints.0.host"), "127.13.0.1");
	assert_string_equal(text_at(result_of(probe, "127.13.0.2"), "verdict"), "failing");
	result = result_of(probe, "[mx.good.example]");
	assert_string_equal(text_at(result, "dns.source"), "host");
	assert_true(json_is_null(at(result, "endpoints.0.preference")));
	assert_string_equal(text_at(result, "endpoints.0.host"), "mx.good.example");
	assert_string_equal(text_at(result_of(probe, "[IPv6:::1]:1"), "endpoints.0.address"),
			    "::1");
	lab_assert_polite(lab);
	/* No MX question for hosts. */
	assert_int_equal(lab_sum(lab, "questions mx.good.example MX udp"), 0);
	probe_free(probe);
	lab_free(lab);
}

/* Every line gives one result, bad ones too; blank lines and comments give none. */
static void input_file(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe_conf conf = {.input = "\xef\xbb\xbfgood.example\n"
					   "# a comment\n"
					   "\n"
					   "  \t half.example \t\r\n"
					   "not a domain\n"
					   "user@full.example\n"
					   "example..org\n"
					   "good.example\n"
					   "\xff\xfe.example\n"
					   "null.example"};
	struct probe *probe = PROBE_CONF(lab, &conf, "--json", "-i", "-");
	assert_int_equal(probe->n_results, 8);
	static const struct {
		long index;
		const char *verdict;
	} expected[] = {{0, "healthy"}, {1, "degraded"}, {2, "unknown"}, {3, "failing"},
			{4, "unknown"}, {5, "healthy"},  {6, "unknown"}, {7, "undeliverable"}};
	for (size_t i = 0; i < probe->n_results; i++) {
		const json_t *result = probe->results[i];
		long index = number_at(result, "index");
		assert_in_range(index, 0, 7);
		assert_string_equal(text_at(result, "verdict"), expected[index].verdict);
		assert_schema(result);
		if (strcmp(expected[index].verdict, "unknown") == 0) {
			assert_true(json_is_null(at(result, "domain")));
			assert_true(json_is_null(at(result, "dns")));
			assert_string_equal(text_at(result, "error.code"), "invalid-target");
		}
	}
	probe_assert_exit(probe, 2);
	probe_free(probe);

	/* From a file, beside one on the command line. */
	char *path = test_path(".targets");
	write_whole(path, "half.example\n");
	probe = PROBE(lab, "--json", "-i", path, "good.example");
	assert_int_equal(probe->n_results, 2);
	probe_assert_exit(probe, 1);
	probe_free(probe);
	(void)unlink(path);

	probe = PROBE(lab, "-i", path);
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->err, path));
	probe_free(probe);
	free(path);

	conf.input = "\n# nothing\n\n";
	probe = PROBE_CONF(lab, &conf, "--json", "-i", "-");
	probe_assert_exit(probe, 0);
	assert_string_equal(probe->out, "");
	probe_free(probe);
	lab_free(lab);
}

/* A line far beyond any domain: told of with at most 1,024 characters of it. */
static void long_lines(void **state)
{
	(void)state;
	char *text = xmalloc(200001);
	for (size_t i = 0; i < 200000; i++)
		text[i] = (char)('a' + (int)(i % 26));
	text[200000] = '\0';
	struct probe_conf conf = {.input = text};
	struct probe *probe = PROBE_CONF(NULL, &conf, "--json", "-i", "-");
	assert_int_equal(probe->n_results, 1);
	assert_int_equal(strlen(text_at(probe->results[0], "target")), 1024);
	probe_assert_exit(probe, 3);
	probe_free(probe);
	free(text);
}

/* Nothing that a server says reaches the output as it came. */
static void control_characters(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	static const char *const modes[] = {"--color=never", "-v", "-vv", "--json"};
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		struct probe *probe = PROBE(lab, modes[m], "rude.example");
		probe_assert_exit(probe, 2);
		const char *texts[] = {probe->out, probe->err};
		size_t lens[] = {probe->out_len, probe->err_len};
		for (size_t t = 0; t < 2; t++)
			for (size_t i = 0; i < lens[t]; i++) {
				unsigned char c = (unsigned char)texts[t][i];
				if ((c < ' ' && c != '\n') || c == 0x7f)
					fail_msg("octet %02x in the output of %s", c, modes[m]);
				/* C1 controls as UTF-8. */
				if (c == 0xc2 && (unsigned char)texts[t][i + 1] < 0xa0)
					fail_msg("a C1 control in the output of %s", modes[m]);
			}
		if (strcmp(modes[m], "--json") == 0) {
			assert_schema(probe->results[0]);
			assert_endpoint(probe->results[0], "127.13.0.3", "exhausted/memory",
					"mail");
		} else {
			assert_non_null(strstr(probe->out, "\\x1B"));
			assert_null(strstr(probe->out, "\xe2\x80\xae"));
		}
		probe_free(probe);
	}
	lab_free(lab);
}

static void table(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "half.example");
	probe_assert_exit(probe, 1);
	static const char *const parts[] = {"half.example",
					    "DEGRADED",
					    "PREF",
					    "HOST",
					    "ADDRESS",
					    "RESULT",
					    "REPLY",
					    "mx.good.example",
					    "127.13.0.1",
					    "healthy",
					    "127.13.0.2",
					    "exhausted/memory",
					    "452 4.3.1 Out of memory"};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!strstr(probe->out, parts[i]))
			fail_msg("no \"%s\" in\n%s", parts[i], probe->out);
	assert_null(strchr(probe->out, '\x1b'));
	assert_true(strstr(probe->out, "127.13.0.1") < strstr(probe->out, "127.13.0.2"));
	probe_free(probe);
	lab_free(lab);
}

static void colour(void **state)
{
	(void)state;
	static const char *const no_color[] = {"NO_COLOR=1", NULL};
	struct lab *lab = lab_start("healthy");
	struct probe_conf conf = {.env = no_color};
	struct probe *probe = PROBE(lab, "--color", "always", "half.example");
	assert_non_null(strchr(probe->out, '\x1b'));
	probe_free(probe);
	probe = PROBE(lab, "--color=never", "half.example");
	assert_null(strchr(probe->out, '\x1b'));
	probe_free(probe);
	probe = PROBE_CONF(lab, &conf, "--color", "auto", "half.example");
	assert_null(strchr(probe->out, '\x1b'));
	probe_free(probe);
	lab_free(lab);
}

static void quiet(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "-q", "half.example");
	probe_assert_exit(probe, 1);
	assert_string_equal(probe->out, "");
	assert_string_equal(probe->err, "");
	probe_free(probe);
	lab_free(lab);
}

static void output_file(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	char *path = test_path(".json");
	struct probe *probe = PROBE(lab, "--json", "-o", path, "half.example");
	probe_assert_exit(probe, 1);
	assert_string_equal(probe->out, "");
	char *text = read_whole(path, NULL);
	assert_non_null(text);
	json_t *result = json_loads(text, 0, NULL);
	assert_non_null(result);
	assert_schema(result);
	json_decref(result);
	free(text);
	probe_free(probe);
	(void)unlink(path);
	free(path);

	/* Nothing that cannot be written goes unsaid. */
	probe = PROBE(lab, "--json", "-o", "/nonexistent/file", "good.example");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->err, "/nonexistent"));
	probe_free(probe);
	if (access("/dev/full", W_OK) == 0) {
		probe = PROBE(lab, "--json", "-o", "/dev/full", "good.example");
		probe_assert_exit(probe, 3);
		assert_true(probe->err_len > 0);
		probe_free(probe);
		struct stat st;
		assert_int_equal(stat("/dev/full", &st), 0);
		assert_true(S_ISCHR(st.st_mode));
	}
	lab_free(lab);
}

/* The dialogue with times on standard error, each line with host and address. */
static void verbose(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "-v", "full.example");
	probe_assert_exit(probe, 2);
	static const char *const parts[] = {
	    "EHLO probe.example.org",  "MAIL FROM:<>",    "QUIT",
	    "452 4.3.1 Out of memory", "mx.full.example", "127.13.0.2"};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!strstr(probe->err, parts[i]))
			fail_msg("no \"%s\" in\n%s", parts[i], probe->err);
	assert_null(strstr(probe->err, " MX "));
	probe_free(probe);
	probe = PROBE(lab, "-vv", "full.example");
	assert_non_null(strstr(probe->err, "full.example"));
	assert_non_null(strstr(probe->err, "MX"));
	assert_non_null(strstr(probe->err, "MAIL FROM:<>"));
	probe_free(probe);
	lab_free(lab);
}

/* The first run where there is no network, or no resolver: it is said who does not answer. */
static void no_resolver(void **state)
{
	(void)state;
	struct probe *probe = PROBE(NULL, "--json", "--resolver", "127.0.0.1:1", "--helo",
				    "[192.0.2.1]", "example.org");
	probe_assert_exit(probe, 3);
	assert_warning(probe->results[0], "resolver-silent", true);
	probe_free(probe);
	probe = PROBE(NULL, "--resolver", "127.0.0.1:1", "--helo", "[192.0.2.1]", "example.org");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->out, "127.0.0.1 (Connection refused)"));
	assert_non_null(strstr(probe->out, "--resolver"));
	probe_free(probe);
	probe = PROBE(NULL, "--nagios", "--resolver", "127.0.0.1:1", "--helo", "[192.0.2.1]",
		      "example.org");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->out, "127.0.0.1 (Connection refused)"));
	probe_free(probe);
}

static void poor_helo(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe_conf conf = {.bare = true};
	struct probe *probe = PROBE_CONF(lab, &conf, "--resolver", "@DNS@", "-p", "@PORT@",
					 "--helo", "short", "good.example");
	probe_assert_exit(probe, 0);
	assert_non_null(strstr(probe->err, "short"));
	probe_free(probe);
	probe = PROBE_CONF(lab, &conf, "--json", "--resolver", "@DNS@", "-p", "@PORT@", "--fqdn",
			   "[192.0.2.7]", "good.example");
	probe_assert_exit(probe, 0);
	assert_string_equal(probe->err, "");
	assert_string_equal(text_at(probe->results[0], "helo"), "[192.0.2.7]");
	probe_free(probe);
	lab_free(lab);
}

/* Only sessions to public addresses, when asked so. */
static void public_only(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "--json", "--public-only", "good.example");
	assert_endpoint(probe->results[0], "127.13.0.1", "skipped/not-public", NULL);
	assert_string_equal(text_at(probe->results[0], "verdict"), "unknown");
	probe_assert_exit(probe, 3);
	lab_stop(lab);
	assert_int_equal(lab_sum(lab, "connections"), 0);
	probe_free(probe);
	lab_free(lab);
}

static void source_address(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "--json", "-b", "127.0.0.77", "good.example");
	probe_assert_exit(probe, 0);
	probe_free(probe);
	/* An address that is not ours is no fault of the server. */
	probe = PROBE(lab, "--json", "-b", "192.0.2.250", "good.example");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->err, "192.0.2.250"));
	probe_free(probe);
	lab_free(lab);
}

static void explained(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "--json", "--explain", "half.example");
	const json_t *result = probe->results[0];
	assert_true(json_is_string(at(endpoint_of(result, "127.13.0.2"), "advice")));
	assert_false(json_is_string(at(endpoint_of(result, "127.13.0.1"), "advice")));
	probe_free(probe);
	probe = PROBE(lab, "half.example");
	struct probe *explained = PROBE(lab, "--explain", "half.example");
	assert_true(explained->out_len > probe->out_len);
	probe_free(probe);
	probe_free(explained);
	lab_free(lab);
}

static void senders(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "--json", "half.example");
	const json_t *result = probe->results[0];
	assert_true(json_is_number(at(result, "delivery.senders.postfix.accepted")));
	assert_true(json_is_number(at(result, "delivery.senders.exim.seconds")));
	assert_int_equal(number_at(result, "delivery.first_try"), 1);
	probe_free(probe);
	probe = PROBE(lab, "--json", "--sender", "exim", "half.example");
	assert_null(at(probe->results[0], "delivery.senders.postfix"));
	assert_non_null(at(probe->results[0], "delivery.senders.exim"));
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(help_and_version),
	    cmocka_unit_test(bad_usage),
	    cmocka_unit_test(exit_codes),
	    cmocka_unit_test(literals),
	    cmocka_unit_test(input_file),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(control_characters),
	    cmocka_unit_test(table),
	    cmocka_unit_test(colour),
	    cmocka_unit_test(quiet),
	    cmocka_unit_test(output_file),
	    cmocka_unit_test(verbose),
	    cmocka_unit_test(poor_helo),
	    cmocka_unit_test(no_resolver),
	    cmocka_unit_test(public_only),
	    cmocka_unit_test(source_address),
	    cmocka_unit_test(explained),
	    cmocka_unit_test(senders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

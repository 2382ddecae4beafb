/* Many endpoints, few descriptors, and the limits of what one target may have contacted. */
#include "support/lab.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static void two_thousand(const char *scenario, const char *jobs, unsigned files)
{
	struct buf input = {0};
	for (int i = 1; i <= 20; i++)
		buf_printf(&input, "d%d.scale.example\n", i);
	struct lab *lab = lab_start(scenario);
	struct probe_conf conf = {.input = buf_str(&input), .files = files};
	struct probe *probe = PROBE_CONF(lab, &conf, "--json", "-j", jobs, "-i", "-");
	assert_int_equal(probe->n_results, 20);
	for (size_t i = 0; i < probe->n_results; i++) {
		assert_int_equal(number_at(probe->results[i], "summary.endpoints"), 100);
		if (number_at(probe->results[i], "summary.healthy") != 100) {
			char *text = json_dumps(at(probe->results[i], "summary"), JSON_COMPACT);
			fail_msg("%s: %s; %s", text_at(probe->results[i], "target"), text,
				 probe->err);
		}
	}
	probe_assert_exit(probe, 0);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 2000);
	probe_free(probe);
	lab_free(lab);
	buf_fini(&input);
}

static void many_at_once(void **state)
{
	(void)state;
	two_thousand("scale-2000", "1000", 4096);
}

static void few_descriptors(void **state)
{
	(void)state;
	two_thousand("scale-2000", "1000", 256);
}

static void very_few_descriptors(void **state)
{
	(void)state;
	two_thousand("scale-2000", "1000", 64);
}

/* More questions than are in flight at once, and ten seconds would not do for all of them in turn.
 */
static void slow_resolver(void **state)
{
	(void)state;
	two_thousand("slow-dns", "1000", 4096);
}

/* Far more lines than are under way at once: each has its result. */
static void many_lines(void **state)
{
	enum { LINES = 3000 };
	struct buf input = {0};
	struct lab *lab = lab_start("healthy");
	bool seen[LINES] = {false};

	(void)state;
	for (int i = 0; i < LINES; i++)
		buf_printf(&input, "%s\n", i % 3 ? "127.1.0.1" : "no host");
	struct probe_conf conf = {.input = buf_str(&input)};
	struct probe *probe = PROBE_CONF(lab, &conf, "--json", "-i", "-");
	assert_int_equal(probe->n_results, LINES);
	for (size_t i = 0; i < probe->n_results; i++) {
		int index = (int)number_at(probe->results[i], "index");
		assert_in_range(index, 0, LINES - 1);
		assert_false(seen[index]);
		seen[index] = true;
	}
	probe_free(probe);
	lab_free(lab);
	buf_fini(&input);
}

/* Into a pipe each line goes out when it is done: here the second target is only given once the
 * result of the first has been read. */
static void a_line_at_a_time(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	const char *dir = getenv("TEST_DIR");
	char *command = xasprintf(
	    "mkfifo '%s/gate' && { echo 127.1.0.1; read -r go <'%s/gate'; echo 127.1.0.2; } | "
	    "timeout 120 \"$MXPROBE\" --resolver %s -p %s -F p.example.org --json -i - | "
	    "{ read -r line; case $line in *127.1.0.1*) ;; *) exit 7 ;; esac; "
	    "echo go >'%s/gate'; read -r line; case $line in *127.1.0.2*) exit 9 ;; esac; exit 8; "
	    "}",
	    dir, dir, lab->dns, lab->port, dir);
	int status = system(command);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 9);
	free(command);
	lab_assert_polite(lab);
	lab_free(lab);
}

static unsigned count(const json_t *result, const char *class, const char *reason)
{
	unsigned n = 0;
	size_t i;
	json_t *endpoint;
	json_array_foreach(at(result, "endpoints"), i, endpoint) n +=
	    strcmp(text_at(endpoint, "class"), class) == 0 &&
	    strcmp(text_at(endpoint, "reason"), reason) == 0;
	return n;
}

static void too_many_hosts(void **state)
{
	(void)state;
	struct lab *lab = lab_start("limits");
	struct probe *probe = PROBE(lab, "--json", "hosts.limits.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	assert_int_equal(json_array_size(at(result, "endpoints")), 150);
	assert_int_equal(count(result, "healthy", "ok"), 100);
	assert_int_equal(count(result, "skipped", "limit"), 50);
	/* The best hundred, by preference. */
	assert_endpoint(result, "127.8.1.100", "healthy/ok", NULL);
	assert_null(endpoint_of(result, "127.8.1.101"));
	assert_string_equal(text_at(result, "verdict"), "healthy");
	assert_true(json_array_size(at(result, "warnings")) > 0);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 100);
	assert_int_equal(lab_sum(lab, "questions mx101.limits.example A udp"), 0);
	probe_free(probe);
	lab_free(lab);
}

static void too_many_addresses(void **state)
{
	(void)state;
	struct lab *lab = lab_start("limits");
	struct probe *probe = PROBE(lab, "--json", "addresses.limits.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	assert_int_equal(json_array_size(at(result, "endpoints")), 150);
	assert_int_equal(count(result, "healthy", "ok"), 100);
	assert_int_equal(count(result, "skipped", "limit"), 50);
	assert_endpoint(result, "127.8.1.101", "skipped/limit", NULL);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 100);
	probe_free(probe);
	lab_free(lab);
}

static void too_many_endpoints(void **state)
{
	(void)state;
	struct lab *lab = lab_start("limits");
	struct probe *probe = PROBE(lab, "--json", "endpoints.limits.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	assert_int_equal(json_array_size(at(result, "endpoints")), 1500);
	assert_int_equal(count(result, "healthy", "ok"), 1000);
	assert_int_equal(count(result, "skipped", "limit"), 500);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 1000);
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many_at_once),         cmocka_unit_test(few_descriptors),
	    cmocka_unit_test(very_few_descriptors), cmocka_unit_test(too_many_hosts),
	    cmocka_unit_test(too_many_addresses),   cmocka_unit_test(slow_resolver),
	    cmocka_unit_test(many_lines),           cmocka_unit_test(a_line_at_a_time),
	    cmocka_unit_test(too_many_endpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One address is contacted once a run, and as often as --repeat says. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void shared(void **state)
{
	(void)state;
	expect_scenario("dedupe");
}

static void once_for_all(void **state)
{
	(void)state;
	struct lab *lab = lab_start("dedupe");
	struct probe *probe = PROBE(lab, "--json", "one.dedupe.example", "two.dedupe.example",
				    "three.dedupe.example", "127.9.0.1", "[a.dedupe.example]");
	assert_int_equal(probe->n_results, 5);
	/* a: one address; b: two. */
	assert_int_equal(json_array_size(at(result_of(probe, "one.dedupe.example"), "endpoints")),
			 3);
	assert_int_equal(json_array_size(at(result_of(probe, "two.dedupe.example"), "endpoints")),
			 3);
	for (size_t i = 0; i < probe->n_results; i++)
		assert_schema(probe->results[i]);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.9.0.1"), 1);
	assert_int_equal(lab_sum(lab, "connections 127.9.0.2"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* Another port is another server. */
static void ports_apart(void **state)
{
	(void)state;
	struct lab *lab = lab_start("dedupe");
	struct probe *probe = PROBE(lab, "--json", "-p", "@PORT@", "127.9.0.1",
				    "[127.9.0.1]:@PORT@", "[127.9.0.1]:1");
	assert_int_equal(probe->n_results, 3);
	assert_int_equal(number_at(result_of(probe, "127.9.0.1"), "exit"), 0);
	lab_stop(lab);
	assert_int_equal(lab_sum(lab, "connections 127.9.0.1"), 1);
	probe_free(probe);
	lab_free(lab);
}

static void every_backend(void **state)
{
	(void)state;
	struct lab *lab = lab_start("backends");
	struct probe *probe =
	    PROBE(lab, "--json", "-n", "8", "--interval", "0", "pool.backends.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	probe_assert_exit(probe, 1);
	assert_endpoint(result, "127.10.0.1", "exhausted/memory", "mail");
	assert_int_equal(number_at(result, "endpoints.0.sessions"), 8);
	assert_int_equal(number_at(result, "endpoints.0.healthy_sessions"), 6);
	assert_int_equal(number_at(result, "endpoints.0.reply.code"), 452);
	assert_int_equal(json_array_size(at(result, "endpoints.0.backends")), 4);
	assert_string_equal(text_at(result, "verdict"), "degraded");
	assert_true(json_is_true(at(result, "delivery.possible")));
	assert_true(json_real_value(at(result, "delivery.first_try")) > 0.749 &&
		    json_real_value(at(result, "delivery.first_try")) < 0.751);
	size_t i;
	json_t *backend;
	json_array_foreach(at(result, "endpoints.0.backends"), i, backend)
	{
		bool bad = strcmp(text_at(backend, "name"), "bay2.backends.example") == 0;
		assert_int_equal(number_at(backend, "sessions"), 2);
		assert_int_equal(number_at(backend, "healthy"), bad ? 0 : 2);
	}
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.10.0.1"), 8);
	assert_int_equal(lab_sum(lab, "open-max 127.10.0.1"), 1);
	probe_free(probe);
	lab_free(lab);
}

static void most_frequent(void **state)
{
	(void)state;
	struct lab *lab = lab_start("backends");
	struct probe *probe =
	    PROBE(lab, "--json", "-n", "4", "--interval", "0", "flaky.backends.example",
		  "heals.backends.example", "worst.backends.example");
	const json_t *result = result_of(probe, "flaky.backends.example");
	assert_endpoint(result, "127.10.0.2", "exhausted/disk", "mail");
	assert_int_equal(number_at(result, "endpoints.0.healthy_sessions"), 1);
	result = result_of(probe, "heals.backends.example");
	assert_endpoint(result, "127.10.0.3", "deferred/internal", "mail");
	assert_int_equal(number_at(result, "endpoints.0.healthy_sessions"), 3);
	assert_string_equal(text_at(result, "verdict"), "degraded");
	result = result_of(probe, "worst.backends.example");
	assert_string_equal(text_at(result, "verdict"), "failing");
	assert_true(json_is_false(at(result, "delivery.possible")));
	lab_assert_polite(lab);
	probe_free(probe);
	lab_free(lab);
}

static const char *warning_of(const json_t *result, const char *code)
{
	size_t i;
	json_t *warning;

	json_array_foreach(at(result, "warnings"), i,
			   warning) if (!strcmp(text_at(warning, "code"),
						code)) return text_at(warning, "message");
	return NULL;
}

/* After 421 no session is held that was still to come. */
static void no_more(void **state)
{
	(void)state;
	struct lab *lab = lab_start("backends");
	struct probe *probe =
	    PROBE(lab, "--json", "-n", "20", "--interval", "0", "tired.backends.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	probe_assert_exit(probe, 1);
	assert_endpoint(result, "127.10.0.5", "exhausted/connections", "banner");
	assert_int_equal(number_at(result, "endpoints.0.sessions"), 3);
	assert_int_equal(number_at(result, "endpoints.0.healthy_sessions"), 2);
	assert_string_equal(warning_of(result, "no-more-sessions"),
			    "tired.backends.example[127.10.0.5] has refused further connections: "
			    "17 of 20 sessions were not held");
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.10.0.5"), 3);
	probe_free(probe);
	lab_free(lab);
}

/* Several at once: those under way go on, no other begins. */
static void no_more_at_once(void **state)
{
	(void)state;
	struct lab *lab = lab_start("backends");
	struct probe *probe = PROBE(lab, "--json", "-n", "50", "--interval", "0", "--per-address",
				    "4", "tired.backends.example");
	const json_t *result = probe->results[0];
	unsigned sessions = (unsigned)number_at(result, "endpoints.0.sessions");
	assert_schema(result);
	assert_in_range(sessions, 3, 2 + 4 + 4);
	assert_int_equal(number_at(result, "endpoints.0.healthy_sessions"), 2);
	assert_non_null(warning_of(result, "no-more-sessions"));
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.10.0.5"), sessions);
	probe_free(probe);
	lab_free(lab);
}

/* Where the TLS name matters, one address may be two contacts: what it says to one holds for the
 * other. */
static void no_more_under_another_name(void **state)
{
	(void)state;
	struct lab *lab = lab_start("backends");
	struct probe *probe = PROBE(lab, "--json", "--tls", "verify", "names.backends.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	probe_assert_exit(probe, 2);
	assert_int_equal(number_at(result, "summary.exhausted"), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *e = json_array_get(at(result, "endpoints"), i);

		assert_string_equal(text_at(e, "reason"), "connections");
		assert_int_equal(number_at(e, "reply.code"), 450);
		assert_int_equal(number_at(e, "sessions"), i == 0);
		if (i)
			assert_string_equal(text_at(e, "error"),
					    "not contacted: another session here was told 450");
	}
	assert_null(warning_of(result, "no-more-sessions"));
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.10.0.6"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* Of another port nothing is known, and its machine is left alone. */
static void no_more_at_another_port(void **state)
{
	(void)state;
	struct lab *lab = lab_start("backends");
	struct probe *probe = PROBE(lab, "--json", "127.10.0.6", "[127.10.0.6]:1", "127.10.0.6");
	const json_t *result = result_of(probe, "[127.10.0.6]:1");
	assert_int_equal(probe->n_results, 3);
	assert_schema(result);
	assert_endpoint(result, "127.10.0.6", "skipped/limit", "connect");
	assert_non_null(strstr(text_at(result, "endpoints.0.error"), "here has said 450"));
	assert_string_equal(text_at(result, "verdict"), "unknown");
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.10.0.6"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* The lab's clock, in milliseconds, at the n-th connection to an address. */
static double connected_at(const struct lab *lab, const char *address, unsigned n)
{
	char prefix[128];
	(void)snprintf(prefix, sizeof prefix, "connect %s %u at=", address, n);
	const char *line = lab_line(lab, prefix);
	assert_non_null(line);
	return strtod(line, NULL);
}

static void interval(void **state)
{
	(void)state;
	struct lab *lab = lab_start("backends");
	struct probe *probe = PROBE(lab, "-n", "3", "--interval", "0.4", "worst.backends.example");
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.10.0.4"), 3);
	/* A pause between the sessions: never less, whatever the machine does. */
	for (unsigned n = 2; n <= 3; n++)
		assert_true(connected_at(lab, "127.10.0.4", n) -
				connected_at(lab, "127.10.0.4", n - 1) >=
			    399);
	probe_free(probe);
	lab_free(lab);
}

static void jobs(void **state)
{
	(void)state;
	struct lab *lab = lab_start("jobs");
	struct probe *probe = PROBE(lab, "-j", "4", "jobs.example");
	probe_assert_exit(probe, 0);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 40);
	/* A session's last octets may still be on their way when the next one begins. */
	assert_in_range(lab_sum(lab, "open-max"), 2, 6);
	probe_free(probe);
	lab_free(lab);
}

static void per_address(void **state)
{
	(void)state;
	struct lab *lab = lab_start("jobs");
	struct probe *probe =
	    PROBE(lab, "-n", "6", "--interval", "0", "--per-address", "3", "[127.12.0.1]");
	probe_assert_exit(probe, 0);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 6);
	assert_in_range(lab_sum(lab, "open-max"), 2, 4);
	probe_free(probe);
	lab_free(lab);
}

static void rate(void **state)
{
	(void)state;
	struct lab *lab = lab_start("jobs");
	struct probe *probe = PROBE(lab, "--rate", "50", "jobs.example");
	probe_assert_exit(probe, 0);
	/* Forty sessions at fifty a second; a small burst at the start is allowed. */
	assert_true(probe->seconds >= 0.5);
	lab_assert_polite(lab);
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shared),
	    cmocka_unit_test(once_for_all),
	    cmocka_unit_test(ports_apart),
	    cmocka_unit_test(every_backend),
	    cmocka_unit_test(most_frequent),
	    cmocka_unit_test(interval),
	    cmocka_unit_test(jobs),
	    cmocka_unit_test(per_address),
	    cmocka_unit_test(rate),
	    cmocka_unit_test(no_more),
	    cmocka_unit_test(no_more_at_once),
	    cmocka_unit_test(no_more_under_another_name),
	    cmocka_unit_test(no_more_at_another_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What this machine lacks: descriptors, down to where none is left for a socket. It is told as
 * such, and of no server. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char world[] = "rr good.example MX 10 mx.good.example\n"
			    "rr mx.good.example A 127.0.83.1\n"
			    "smtp 127.0.83.1\n";

/* The loader of programs needs one beside the three standard ones. */
enum { FEWEST = 4, MOST = 12, LIMITS = MOST - FEWEST + 1 };

/* True: it was contacted, and is healthy. */
static bool judge_address(const struct probe *probe)
{
	const json_t *result = result_of(probe, "[127.0.83.1]");
	bool healthy = strcmp(text_at(result, "verdict"), "healthy") == 0;

	if (healthy)
		assert_endpoint(result, "127.0.83.1", "healthy/ok", "mail");
	else
		assert_endpoint(result, "127.0.83.1", "skipped/local-error", "connect");
	if (!healthy)
		assert_string_equal(text_at(result, "endpoints.0.error"), "Too many open files");
	assert_int_equal(number_at(result, "exit"), healthy ? 0 : 3);
	return healthy;
}

/* The same of a domain, for which the DNS has to be asked first. */
static bool judge_domain(const struct probe *probe)
{
	const json_t *result = result_of(probe, "good.example");
	bool healthy = strcmp(text_at(result, "verdict"), "healthy") == 0;

	if (healthy)
		return true;
	assert_string_equal(text_at(result, "verdict"), "unknown");
	assert_int_equal(number_at(result, "exit"), 3);
	if (json_array_size(at(result, "endpoints"))) {
		assert_string_equal(text_at(result, "endpoints.0.class"), "skipped");
		assert_string_equal(text_at(result, "endpoints.0.reason"), "local-error");
		assert_string_equal(text_at(result, "endpoints.0.error"), "Too many open files");
	} else {
		assert_string_equal(text_at(result, "dns.status"), "local-error");
		assert_string_equal(text_at(result, "error.code"), "local-error");
		assert_string_equal(text_at(result, "error.message"),
				    "this machine could not ask the DNS: Too many open files");
	}
	return false;
}

/* Whatever the limit: a run ends, and is right about all that it speaks of. */
static void descriptors(void **state)
{
	struct lab *lab = lab_start_text(world);
	struct probe *probes[LIMITS];
	unsigned none = 0, some = 0, all = 0;

	(void)state;
	for (int i = 0; i < LIMITS; i++) {
		struct probe_conf conf = {.files = (unsigned)(FEWEST + i)};

		probes[i] = probe_start(
		    lab, &conf,
		    (const char *const[]){"--json", "[127.0.83.1]", "good.example", NULL});
	}
	for (int i = 0; i < LIMITS; i++) {
		struct probe *probe = probes[i];
		bool address, domain;

		probe_wait(probe);
		if (probe->n_results) {
			assert_int_equal(probe->n_results, 2);
			address = judge_address(probe);
			domain = judge_domain(probe);
			probe_assert_exit(probe, address && domain ? 0 : 3);
			none += !address && !domain;
			some += address != domain;
			all += address && domain;
		} else {
			/* There was not even enough to begin; valgrind has words of its own. */
			assert_int_not_equal(probe->status, 0);
			if (!getenv("WRAP")) {
				probe_assert_exit(probe, 3);
				assert_non_null(strstr(probe->err, "Too many open files"));
			}
		}
		probe_free(probe);
	}
	if (!getenv("WRAP"))
		assert_true(none && all && none + some + all < LIMITS);
	lab_free(lab);
}

/* How a person sees it. */
static void words(void **state)
{
	struct lab *lab = lab_start_text(world);
	bool seen = false;

	(void)state;
	for (unsigned files = FEWEST; files <= MOST && !seen; files++) {
		struct probe_conf conf = {.files = files};
		struct probe *probe = PROBE_CONF(lab, &conf, "good.example");

		seen =
		    strstr(probe->out, "this machine could not ask the DNS: Too many open files");
		if (seen) {
			probe_assert_exit(probe, 3);
			assert_non_null(strstr(probe->out, "UNKNOWN"));
			assert_null(strstr(probe->out, "resolver"));
		}
		probe_free(probe);
	}
	assert_true(seen || getenv("WRAP"));
	lab_free(lab);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(descriptors),
	    cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

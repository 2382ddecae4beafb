/* The recipe for GNU parallel: two jobs merged are the same as one process's results. */
#include "support/lab.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DOMAINS = 20 };

static void two_jobs(void **state)
{
	const char *const env[] = {"LINES_A_JOB=10", "PARALLEL=--jobs 2", NULL};
	struct buf input = {0};
	struct probe *one, *two;
	struct lab *lab;

	(void)state;
	if (system("parallel --version 2>/dev/null | grep -q '^GNU parallel'") != 0) {
		puts("report: GNU parallel is not here: its recipe is not tested");
		return;
	}
	for (int i = 1; i <= DOMAINS; i++)
		buf_printf(&input, "d%d.scale.example\n", i);
	lab = lab_start("scale-2000");
	one =
	    PROBE_CONF(lab, (&(struct probe_conf){.input = buf_str(&input)}), "--json", "-i", "-");
	two = PROBE_CONF(lab,
			 (&(struct probe_conf){.input = buf_str(&input),
					       .env = env,
					       .program = "contrib/parallel/mxprobe-parallel"}),
			 "-q");
	probe_assert_exit(one, 0);
	probe_assert_exit(two, 0);
	assert_int_equal(one->n_results, DOMAINS);
	assert_int_equal(two->n_results, DOMAINS);
	for (size_t i = 0; i < DOMAINS; i++) {
		const json_t *a = one->results[i];
		const json_t *b = result_of(two, text_at(a, "target"));

		assert_true(json_equal(at(a, "summary.healthy"), at(b, "summary.healthy")));
		assert_true(json_equal(at(a, "verdict"), at(b, "verdict")));
		assert_true(json_equal(at(a, "dns.mx"), at(b, "dns.mx")));
		assert_int_equal(json_array_size(at(a, "endpoints")),
				 json_array_size(at(b, "endpoints")));
	}
	lab_assert_polite(lab);
	probe_free(one);
	probe_free(two);
	lab_free(lab);
	buf_fini(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(two_jobs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

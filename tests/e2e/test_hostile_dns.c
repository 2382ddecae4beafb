/* Resolvers and zones that mean harm: tests/lab/scenarios/hostile-dns.lab. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void every_packet(void **state)
{
	(void)state;
	expect_scenario("hostile-dns");
}

/* Of 10,000 endpoints the limit's thousand are contacted, each address once; the rest is told of.
 */
static void hundred_by_hundred(void **state)
{
	struct lab *lab = lab_start("hostile-dns");
	struct probe *probe = PROBE(lab, "--json", "many.hostile");
	const json_t *result = result_of(probe, "many.hostile");

	(void)state;
	assert_int_equal(json_array_size(at(result, "endpoints")), 10000);
	assert_int_equal(number_at(result, "summary.healthy"), 1000);
	assert_int_equal(number_at(result, "summary.skipped"), 9000);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 100);
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(every_packet),
						  cmocka_unit_test(hundred_by_hundred)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

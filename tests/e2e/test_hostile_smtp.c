/* Servers that misbehave in plaintext, at every phase: tests/lab/scenarios/hostile-smtp.lab. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void every_phase(void **state)
{
	(void)state;
	expect_scenario("hostile-smtp");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(every_phase)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Servers that misbehave from STARTTLS on: tests/lab/scenarios/hostile-tls.lab. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void no_way_back(void **state)
{
	(void)state;
	expect_scenario("hostile-tls-require");
}

static void back_to_plaintext(void **state)
{
	(void)state;
	expect_scenario("hostile-tls-auto");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(no_way_back),
						  cmocka_unit_test(back_to_plaintext)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

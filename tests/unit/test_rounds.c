/* When rounds begin, on a clock of the test's own. */
#include "cli/rounds.h"
#include "fake/loop.h"
#include "support/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SEC USEC_PER_SEC

static void test_next(void **state)
{
	static const struct {
		usec_t began, ended, every, next;
	} rows[] = {
	    {0, SEC, 30 * SEC, 30 * SEC},            /* from start to start */
	    {5 * SEC, 34 * SEC, 30 * SEC, 35 * SEC}, /* a second is left */
	    {5 * SEC, 34 * SEC + 1, 30 * SEC, 35 * SEC + 1},
	    {0, 30 * SEC, 30 * SEC, 31 * SEC},   /* none is: a pause all the same */
	    {0, 100 * SEC, 30 * SEC, 101 * SEC}, /* nothing is made up for */
	    {0, 10, SEC, SEC + 10},
	    {0, 10, 4, 14}, /* no longer than what was asked for */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(rounds_next(rows[i].began, rows[i].ended, rows[i].every),
				 rows[i].next);
}

static void never(void *arg)
{
	(void)arg;
	fail();
}

/* A day of rounds that take longer and longer: none overlaps the next. */
static void test_waiting(void **state)
{
	struct loop *loop = loop_new();
	const struct rounds_conf conf = {
	    .every = 30 * SEC, .screen = -1, .keyboard = -1, .quit = never};
	const struct report_conf report = {.width = 0};
	struct rounds *r = rounds_new(loop, &conf, &report);
	struct buf out = {0};

	(void)state;
	for (usec_t took = 0; took < 60 * SEC; took += SEC / 4) {
		usec_t began = loop_now(loop), pause;
		struct result *result = fake_msn();

		rounds_begin(r);
		fake_pass(loop, took);
		rounds_planned(r, result);
		buf_clear(&out);
		rounds_finished(r, result, &out);
		assert_non_null(strstr(buf_str(&out), "Z msn.com degraded: 14 of 16 healthy, "));
		rounds_idle(r);
		rounds_end(r, true);
		rounds_wait(r);
		loop_run(loop);
		pause = loop_now(loop) - began - took;
		assert_int_equal(pause, took < 29 * SEC ? 30 * SEC - took : SEC);
		fake_free(result);
	}
	/* Ended: there is nothing to wait for. */
	{
		usec_t now = loop_now(loop);

		rounds_begin(r);
		rounds_stop(r);
		rounds_end(r, false);
		rounds_wait(r);
		loop_run(loop);
		assert_int_equal(loop_now(loop), now);
	}
	assert_int_equal(rounds_free(r), 0);
	assert_int_equal(rounds_free(NULL), 0);
	assert_int_equal(fake_timers(loop), 0);
	loop_free(loop);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_next),
	    cmocka_unit_test(test_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

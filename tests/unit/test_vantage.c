/* Is it them or us: what a whole run says of the place it is run from. */
#include "run/vantage.h"
#include "support/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum how { ANSWERS, REFUSES, SILENT, SILENT_LATER, SKIPPED };

/* A target with an endpoint at each address, NULL ends them, all of which end the same way. */
static enum vantage_view look(struct vantage *v, enum how how, const char *const *addresses)
{
	struct result *r = fake_target("example.org", SOURCE_MX);
	enum vantage_view view;

	for (; *addresses; addresses++) {
		struct contact *c = fake_endpoint(r, 10, "mx.example.org", *addresses);

		if (how == REFUSES)
			fake_end(c, CLASS_DOWN, REASON_REFUSED, PHASE_CONNECT, END_REFUSED, 1000);
		if (how == SILENT)
			fake_end(c, CLASS_TIMEOUT, REASON_CONNECT, PHASE_CONNECT, END_TIMEOUT,
				 1000);
		if (how == SILENT_LATER)
			fake_end(c, CLASS_TIMEOUT, REASON_SILENT, PHASE_BANNER, END_TIMEOUT, 1000);
		if (how == SKIPPED) {
			fake_end(c, CLASS_SKIPPED, REASON_NO_ROUTE, PHASE_CONNECT, END_NO_ROUTE,
				 USEC_NONE);
			fake_sessions(c, 0, 0);
		}
	}
	fake_finish(r);
	view = vantage_take(v, r);
	fake_free(r);
	return view;
}
#define LOOK(v, how, ...) look((v), (how), (const char *const[]){__VA_ARGS__, NULL})
#define TAKE(v, how, ...) (LOOK(v, how, __VA_ARGS__) == VANTAGE_BLOCKED)

static void silence_far_apart(void **state)
{
	struct vantage v = {0};

	(void)state;
	assert_true(TAKE(&v, SILENT, "192.0.2.1", "198.51.100.1"));
	vantage_fini(&v);

	/* Of two targets, the second tells. */
	v = (struct vantage){0};
	assert_false(TAKE(&v, SILENT, "192.0.2.1"));
	assert_true(TAKE(&v, SILENT, "198.51.100.1"));
	assert_true(TAKE(&v, SILENT, "192.0.2.7"));
	vantage_fini(&v);

	v = (struct vantage){0};
	assert_true(TAKE(&v, SILENT, "2001:db8::1", "2001:db9::1"));
	vantage_fini(&v);
	v = (struct vantage){0};
	assert_true(TAKE(&v, SILENT, "2001:db8::1", "192.0.2.1"));
	vantage_fini(&v);
}

/* One receiver may be dead with all it has. */
static void silence_of_neighbours(void **state)
{
	struct vantage v = {0};

	(void)state;
	assert_false(TAKE(&v, SILENT, "192.0.2.1", "192.0.2.2", "192.0.200.3"));
	assert_false(TAKE(&v, SILENT, "192.0.7.1"));
	vantage_fini(&v);
	v = (struct vantage){0};
	assert_false(TAKE(&v, SILENT, "2001:db8:1::1", "2001:db8:2::1"));
	vantage_fini(&v);
}

static void anybody_who_answers(void **state)
{
	static const enum how answers[] = {ANSWERS, REFUSES, SILENT_LATER};

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct vantage v = {0};

		assert_false(TAKE(&v, answers[i], "203.0.113.1"));
		assert_false(TAKE(&v, SILENT, "192.0.2.1", "198.51.100.1"));
		vantage_fini(&v);
	}
}

/* What was not contacted says nothing, neither way. */
static void skipped_ones(void **state)
{
	struct vantage v = {0};

	(void)state;
	assert_false(TAKE(&v, SKIPPED, "2001:db8::1", "192.0.2.1", "198.51.100.1"));
	assert_int_equal(look(&v, ANSWERS, (const char *const[]){NULL}), VANTAGE_OPEN);
	assert_true(TAKE(&v, SILENT, "192.0.2.1", "198.51.100.1"));
	vantage_fini(&v);
}

/* Nobody has answered, but few were asked: it is open who is to blame, until somebody does. */
static void doubtful(void **state)
{
	struct vantage v = {0};

	(void)state;
	assert_int_equal(LOOK(&v, SKIPPED, "192.0.2.1"), VANTAGE_OPEN);
	assert_int_equal(LOOK(&v, SILENT, "192.0.2.1", "192.0.2.2"), VANTAGE_DOUBTFUL);
	assert_int_equal(LOOK(&v, SILENT, "198.51.100.1"), VANTAGE_BLOCKED);
	assert_int_equal(LOOK(&v, REFUSES, "203.0.113.1"), VANTAGE_OPEN);
	assert_int_equal(LOOK(&v, SILENT, "192.0.2.3"), VANTAGE_OPEN);
	vantage_fini(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(doubtful),
	    cmocka_unit_test(silence_far_apart),
	    cmocka_unit_test(silence_of_neighbours),
	    cmocka_unit_test(anybody_who_answers),
	    cmocka_unit_test(skipped_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

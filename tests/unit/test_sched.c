#include "run/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 12 };

struct fixture {
	struct sched s;
	struct sched_item items[ITEMS];
	usec_t now, wake;
};

static struct addr at(unsigned char last, uint16_t port)
{
	return addr_from_ipv4((const uint8_t[]){192, 0, 2, last}, port);
}

static void add_at(struct fixture *f, int i, const char *text)
{
	struct addr a;

	assert_true(addr_parse(&a, text, 25));
	sched_add(&f->s, &f->items[i], &a);
}

static void add(struct fixture *f, int i, unsigned char last, uint16_t port)
{
	struct addr a = at(last, port);

	sched_add(&f->s, &f->items[i], &a);
}

/* The item that starts next, by its number; -1: none. */
static int next(struct fixture *f)
{
	struct sched_item *item = sched_next(&f->s, f->now, &f->wake);

	return item ? (int)(item - f->items) : -1;
}

static void begin(struct fixture *f, unsigned jobs, unsigned per_address, double rate)
{
	memset(f, 0, sizeof *f);
	f->now = 1000 * USEC_PER_SEC;
	sched_init(&f->s, jobs, per_address, rate);
}

static void test_in_the_order_they_came(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1, 0);
	assert_int_equal(next(&f), -1);
	assert_int_equal(f.wake, USEC_NEVER);
	for (int i = 0; i < 5; i++)
		add(&f, i, (unsigned char)i, 25);
	for (int i = 0; i < 5; i++)
		assert_int_equal(next(&f), i);
	assert_int_equal(next(&f), -1);
	add(&f, 5, 5, 25);
	assert_int_equal(next(&f), 5);
	sched_fini(&f.s);
}

static void test_jobs(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 2, 1, 0);
	for (int i = 0; i < 4; i++)
		add(&f, i, (unsigned char)i, 25);
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), 1);
	assert_int_equal(next(&f), -1);
	assert_int_equal(f.wake, USEC_NEVER);
	sched_ended(&f.s, &f.items[1], false);
	assert_int_equal(next(&f), 2);
	assert_int_equal(next(&f), -1);
	sched_fini(&f.s);
}

/* One address is one address, whatever the port; who waits for it holds up nobody else. */
static void test_per_address(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 2, 0);
	for (int i = 0; i < 5; i++)
		add(&f, i, 7, (uint16_t)(25 + i));
	add(&f, 5, 8, 25);
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), 1);
	assert_int_equal(next(&f), 5);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[0], false);
	add(&f, 6, 9, 25);
	/* Who waited for the address goes before who has come since. */
	assert_int_equal(next(&f), 2);
	assert_int_equal(next(&f), 6);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[1], false);
	sched_ended(&f.s, &f.items[2], false);
	assert_int_equal(next(&f), 4);
	assert_int_equal(next(&f), 3);
	assert_int_equal(next(&f), -1);
	sched_fini(&f.s);
}

static void test_started_again(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1, 0);
	for (int round = 0; round < 3; round++) {
		add(&f, 0, 1, 25);
		assert_int_equal(next(&f), 0);
		sched_ended(&f.s, &f.items[0], false);
	}
	/* Twice at once: the second waits for the address. */
	sched_fini(&f.s);
	begin(&f, 100, 1, 0);
	add(&f, 0, 1, 25);
	assert_int_equal(next(&f), 0);
	add(&f, 0, 1, 25);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[0], false);
	assert_int_equal(next(&f), 0);
	sched_fini(&f.s);
}

static void test_rate(void **state)
{
	struct fixture f;
	usec_t begun;

	(void)state;
	begin(&f, 100, 1, 4);
	begun = f.now;
	for (int i = 0; i < 8; i++)
		add(&f, i, (unsigned char)i, 25);
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), -1);
	assert_int_equal(f.wake, begun + 250000);
	f.now = f.wake - 1;
	assert_int_equal(next(&f), -1);
	f.now = f.wake;
	assert_int_equal(next(&f), 1);
	/* A little late: the next one is in time all the same. */
	f.now = begun + 2 * 250000 + 100;
	assert_int_equal(next(&f), 2);
	assert_int_equal(next(&f), -1);
	assert_int_equal(f.wake, begun + 3 * 250000);
	/* Long nothing earns no burst. */
	f.now = begun + 10 * USEC_PER_SEC;
	assert_int_equal(next(&f), 3);
	assert_int_equal(next(&f), -1);
	assert_int_equal(f.wake, f.now + 250000);
	sched_fini(&f.s);
}

/* The rate counts starts, not those that have to wait for their address. */
static void test_rate_beside_waiting(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1, 4);
	add(&f, 0, 1, 25);
	add(&f, 1, 1, 26);
	add(&f, 2, 2, 25);
	assert_int_equal(next(&f), 0);
	f.now += 250000;
	assert_int_equal(next(&f), 2);
	sched_ended(&f.s, &f.items[0], false);
	assert_int_equal(next(&f), -1);
	assert_int_equal(f.wake, f.now + 250000);
	sched_fini(&f.s);
}

static void test_put_back(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1, 0);
	for (int i = 0; i < 5; i++)
		add(&f, i, (unsigned char)i, 25);
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), 1);
	assert_int_equal(next(&f), 2);
	/* No room for the third: it waits in front, and two at once is the most from here on. */
	sched_put_back(&f.s, &f.items[2]);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[0], false);
	assert_int_equal(next(&f), 2);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[1], false);
	sched_ended(&f.s, &f.items[2], false);
	assert_int_equal(next(&f), 3);
	assert_int_equal(next(&f), 4);
	/* Not even one: it is tried with one. */
	sched_fini(&f.s);
	begin(&f, 100, 1, 0);
	add(&f, 0, 0, 25);
	assert_int_equal(next(&f), 0);
	sched_put_back(&f.s, &f.items[0]);
	add(&f, 1, 1, 25);
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[0], false);
	assert_int_equal(next(&f), 1);
	sched_fini(&f.s);
}

/* Networks take turns; inside each it is in the order they came. */
static void test_networks_take_turns(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1, 0);
	add_at(&f, 0, "192.0.2.1");
	add_at(&f, 1, "192.0.2.2");
	add_at(&f, 2, "192.0.2.3");
	add_at(&f, 3, "192.0.3.1");
	add_at(&f, 4, "192.0.3.2");
	add_at(&f, 5, "2001:db8:1::1");
	add_at(&f, 6, "2001:db8:1:2::1");
	add_at(&f, 7, "2001:db8:2::1");
	add_at(&f, 8, "198.51.100.1");
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), 3);
	assert_int_equal(next(&f), 5);
	assert_int_equal(next(&f), 7);
	assert_int_equal(next(&f), 8);
	assert_int_equal(next(&f), 1);
	assert_int_equal(next(&f), 4);
	/* One that comes now waits for one turn of each of the others, not for all they have. */
	add_at(&f, 9, "203.0.113.1");
	assert_int_equal(next(&f), 6);
	assert_int_equal(next(&f), 2);
	assert_int_equal(next(&f), 9);
	assert_int_equal(next(&f), -1);
	sched_fini(&f.s);
}

/* With all jobs taken by one network, the next that is free goes to another. */
static void test_big_network_holds_up_nobody(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 2, 1, 0);
	for (int i = 0; i < 8; i++)
		add(&f, i, (unsigned char)i, 25);
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), 1);
	add_at(&f, 8, "203.0.113.1");
	add_at(&f, 9, "203.0.113.2");
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[0], true);
	assert_int_equal(next(&f), 2);
	sched_ended(&f.s, &f.items[1], false);
	assert_int_equal(next(&f), 8);
	sched_ended(&f.s, &f.items[2], false);
	assert_int_equal(next(&f), 3);
	sched_ended(&f.s, &f.items[3], false);
	assert_int_equal(next(&f), 9);
	sched_fini(&f.s);
}

/* A network whose addresses are all busy passes its turn on, and gets one when one is free. */
static void test_busy_network(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1, 0);
	add(&f, 0, 1, 25);
	add(&f, 1, 1, 26);
	add(&f, 2, 1, 27);
	add_at(&f, 3, "203.0.113.1");
	add_at(&f, 4, "203.0.113.2");
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), 3);
	assert_int_equal(next(&f), 4);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[0], false);
	assert_int_equal(next(&f), 1);
	assert_int_equal(next(&f), -1);
	sched_ended(&f.s, &f.items[1], false);
	assert_int_equal(next(&f), 2);
	sched_fini(&f.s);
}

/* However many sessions one address may have, few have heard nothing yet. */
static void test_accept_queue(void **state)
{
	enum { MANY = SCHED_UNHEARD_MAX + 3 };
	static struct sched_item items[MANY];
	const struct addr a = at(1, 25);
	struct sched s;
	usec_t wake;

	(void)state;
	sched_init(&s, 1000, 1000, 0);
	for (int i = 0; i < MANY; i++)
		sched_add(&s, &items[i], &a);
	for (int i = 0; i < SCHED_UNHEARD_MAX; i++)
		assert_ptr_equal(sched_next(&s, 0, &wake), &items[i]);
	assert_null(sched_next(&s, 0, &wake));
	sched_heard(&s, &items[5]);
	assert_ptr_equal(sched_next(&s, 0, &wake), &items[SCHED_UNHEARD_MAX]);
	assert_null(sched_next(&s, 0, &wake));
	/* Who has been heard makes no more room by ending. */
	sched_ended(&s, &items[5], true);
	assert_null(sched_next(&s, 0, &wake));
	sched_ended(&s, &items[6], false);
	assert_ptr_equal(sched_next(&s, 0, &wake), &items[SCHED_UNHEARD_MAX + 1]);
	assert_null(sched_next(&s, 0, &wake));
	sched_fini(&s);
}

static int next_closed(struct fixture *f)
{
	struct sched_item *item = sched_next_closed(&f->s);

	return item ? (int)(item - f->items) : -1;
}

/* What waits for an address that is closed comes out without a start, as does what comes later. */
static void test_closed(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 2, 1, 0);
	add(&f, 0, 1, 25);
	add(&f, 1, 1, 26);
	add(&f, 2, 2, 25);
	add(&f, 3, 1, 27);
	add(&f, 4, 3, 25);
	assert_int_equal(next(&f), 0);
	assert_int_equal(next(&f), 2); /* 1 waits at the address, 3 in the queue */
	assert_int_equal(next_closed(&f), -1);
	assert_null(sched_closer(&f.items[0]));
	sched_close(&f.s, &f.items[0]);
	assert_ptr_equal(sched_closer(&f.items[3]), &f.items[0]);
	assert_null(sched_closer(&f.items[2]));
	assert_int_equal(next_closed(&f), 1);
	assert_int_equal(next_closed(&f), -1);
	sched_ended(&f.s, &f.items[0], true);
	assert_int_equal(next(&f), 4);
	assert_int_equal(next_closed(&f), 3);
	add(&f, 0, 1, 25);
	add(&f, 5, 1, 28);
	assert_int_equal(next(&f), -1);
	assert_int_equal(next_closed(&f), 0);
	assert_int_equal(next_closed(&f), 5);
	assert_int_equal(next_closed(&f), -1);
	sched_fini(&f.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_in_the_order_they_came),
	    cmocka_unit_test(test_jobs),
	    cmocka_unit_test(test_per_address),
	    cmocka_unit_test(test_started_again),
	    cmocka_unit_test(test_rate),
	    cmocka_unit_test(test_rate_beside_waiting),
	    cmocka_unit_test(test_put_back),
	    cmocka_unit_test(test_networks_take_turns),
	    cmocka_unit_test(test_big_network_holds_up_nobody),
	    cmocka_unit_test(test_busy_network),
	    cmocka_unit_test(test_accept_queue),
	    cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who may begin a handshake: so many in a turn, so many in all, in the order of their coming. */
#include "net/gate.h"

#include "fake/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PEOPLE = GATE_MOST + 100 };

struct person {
	struct gate_ticket ticket;
	unsigned order; /* of entering; 0: has not */
};

static struct person people[PEOPLE];
static unsigned entered;

static void enter(void *arg)
{
	struct person *p = arg;

	assert_int_equal(p->order, 0);
	p->order = ++entered;
}

static void come(struct gate *g, struct person *p)
{
	*p = (struct person){0};
	if (gate_enter(g, &p->ticket, enter, p))
		enter(p);
}

static void few_begin_at_once(void **state)
{
	struct loop *loop = loop_new();
	struct gate *g = gate_new(loop);

	(void)state;
	entered = 0;
	for (int i = 0; i < GATE_A_TURN; i++) {
		come(g, &people[i]);
		assert_int_equal(entered, i + 1);
	}
	come(g, &people[GATE_A_TURN]);
	assert_int_equal(people[GATE_A_TURN].ticket.state, GATE_WAITING);
	loop_run(loop);
	assert_int_equal(people[GATE_A_TURN].order, GATE_A_TURN + 1);
	gate_free(g);
	loop_free(loop);
}

static void in_order_and_not_too_many(void **state)
{
	struct loop *loop = loop_new();
	struct gate *g = gate_new(loop);

	(void)state;
	entered = 0;
	for (int i = 0; i < PEOPLE; i++)
		come(g, &people[i]);
	loop_run(loop);
	assert_int_equal(entered, GATE_MOST);
	for (unsigned i = 0; i < PEOPLE; i++)
		assert_int_equal(people[i].order, i < GATE_MOST ? i + 1 : 0);
	/* Who leaves makes room for the next; one who waits may go away. */
	gate_leave(&people[GATE_MOST].ticket);
	gate_leave(&people[PEOPLE - 1].ticket);
	gate_leave(&people[3].ticket);
	gate_leave(&people[3].ticket);
	loop_run(loop);
	assert_int_equal(entered, GATE_MOST + 1);
	assert_int_equal(people[GATE_MOST].order, 0);
	assert_int_equal(people[GATE_MOST + 1].order, GATE_MOST + 1);
	for (unsigned i = 0; i < GATE_MOST; i++)
		gate_leave(&people[i].ticket);
	loop_run(loop);
	assert_int_equal(entered, PEOPLE - 2);
	/* The line is in order again after its last one went away. */
	for (int i = 0; i < PEOPLE; i++)
		gate_leave(&people[i].ticket);
	come(g, &people[0]);
	assert_int_equal(people[0].ticket.state, GATE_INSIDE);
	gate_leave(&people[0].ticket);
	gate_free(g);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(few_begin_at_once),
	    cmocka_unit_test(in_order_and_not_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The real loop: order, edges, and that anything may be freed from any call-back. No test waits for
 * more than a few milliseconds of real time, and none minds when it takes longer. */
#include "net/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { TIMERS = 200 };

struct fixture {
	struct loop *loop;
	struct timer timers[TIMERS];
	int fired[TIMERS], n_fired;
	usec_t last;
	int fds[2];
	struct watch *watch, *other;
	unsigned ready, calls;
	struct loop_signal *signal;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f->fds) != 0)
		return -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	watch_free(f->watch);
	watch_free(f->other);
	loop_signal_free(f->signal);
	loop_free(f->loop);
	close(f->fds[0]);
	close(f->fds[1]);
	free(f);
	return 0;
}

static struct fixture *current; /* a timer's argument is the timer */

static void on_timer(void *arg)
{
	struct timer *t = arg;
	struct fixture *f = current;
	usec_t now = loop_now(f->loop);

	assert_true(now >= t->when);
	assert_true(now >= f->last);
	f->last = now;
	f->fired[f->n_fired++] = (int)(t - f->timers);
}

static void prepare(struct fixture *f)
{
	current = f;
	for (int i = 0; i < TIMERS; i++)
		timer_init(&f->timers[i], f->loop, on_timer, &f->timers[i]);
}

static void test_nothing_to_wait_for(void **state)
{
	struct fixture *f = *state;

	loop_run(f->loop);
	prepare(f);
	timer_at(&f->timers[0], loop_now(f->loop));
	timer_at(&f->timers[0], USEC_NEVER);
	timer_fini(&f->timers[1]);
	loop_run(f->loop);
	assert_int_equal(f->n_fired, 0);
	loop_free(NULL);
	watch_free(NULL);
	loop_signal_free(NULL);
}

/* In the order of their times, whatever the order in which they were set, moved and taken away. */
static void test_timers_in_order(void **state)
{
	struct fixture *f = *state;
	usec_t base = loop_now(f->loop);
	unsigned random = 7;

	prepare(f);
	for (int i = 0; i < TIMERS; i++) {
		random = random * 1103515245u + 12345u;
		timer_at(&f->timers[i], base + (usec_t)(random >> 8) % 5000);
	}
	for (int i = 0; i < TIMERS; i += 3) { /* forward, back */
		random = random * 1103515245u + 12345u;
		timer_at(&f->timers[i], base + (usec_t)(random >> 8) % 5000);
	}
	for (int i = 0; i < TIMERS; i += 10)
		timer_fini(&f->timers[i]);
	loop_run(f->loop);
	assert_int_equal(f->n_fired, TIMERS - TIMERS / 10);
	for (int i = 1; i < f->n_fired; i++)
		assert_true(f->timers[f->fired[i - 1]].when <= f->timers[f->fired[i]].when);
	assert_true(loop_now(f->loop) >= base);
}

static void test_pushed_back_again_and_again(void **state)
{
	struct fixture *f = *state;
	usec_t now = loop_now(f->loop);

	prepare(f);
	timer_at(&f->timers[1], now + 4000);
	for (int i = 1; i <= 5; i++)
		timer_at(&f->timers[0], now + i * 1000);
	timer_at(&f->timers[2], now - 1000); /* the past: at once */
	loop_run(f->loop);
	assert_int_equal(f->n_fired, 3);
	assert_int_equal(f->fired[0], 2);
	assert_int_equal(f->fired[1], 1);
	assert_int_equal(f->fired[2], 0);
}

static void free_others(void *arg)
{
	struct timer *t = arg;
	struct fixture *f = current;

	on_timer(arg);
	for (int i = 0; i < TIMERS; i++)
		if (&f->timers[i] != t)
			timer_fini(&f->timers[i]);
}

static void test_timers_freed_in_a_call_back(void **state)
{
	struct fixture *f = *state;
	usec_t now = loop_now(f->loop);

	prepare(f);
	for (int i = 0; i < TIMERS; i++) {
		f->timers[i].fire = free_others;
		timer_at(&f->timers[i], now - i);
	}
	loop_run(f->loop);
	assert_int_equal(f->n_fired, 1);
	assert_int_equal(f->fired[0], TIMERS - 1);
}

static void set_again(void *arg)
{
	struct timer *t = arg;
	struct fixture *f = current;

	on_timer(arg);
	if (f->n_fired < 5)
		timer_at(t, loop_now(f->loop));
}

static void test_set_in_its_own_call_back(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	f->timers[0].fire = set_again;
	timer_at(&f->timers[0], loop_now(f->loop));
	loop_run(f->loop);
	assert_int_equal(f->n_fired, 5);
}

static void stop_loop(void *arg)
{
	on_timer(arg);
	loop_stop(current->loop);
}

static void test_stopped_and_run_again(void **state)
{
	struct fixture *f = *state;
	usec_t now = loop_now(f->loop);

	prepare(f);
	f->timers[0].fire = stop_loop;
	timer_at(&f->timers[0], now - 2);
	timer_at(&f->timers[1], now - 1);
	loop_run(f->loop);
	assert_int_equal(f->n_fired, 1);
	loop_run(f->loop);
	assert_int_equal(f->n_fired, 2);
}

/* Those that are soon: in the order in which they were set, once each, and before what waits. */
static void test_soon(void **state)
{
	static const int order[] = {7, 3, 5, 1, 0};
	struct fixture *f = *state;

	prepare(f);
	timer_at(&f->timers[0], loop_now(f->loop) - USEC_PER_SEC);
	timer_at(&f->timers[5], USEC_NEVER - 1);
	timer_soon(&f->timers[7]);
	timer_soon(&f->timers[2]);
	timer_soon(&f->timers[3]);
	timer_soon(&f->timers[5]); /* comes forward */
	timer_soon(&f->timers[7]); /* keeps its place */
	timer_soon(&f->timers[4]);
	timer_soon(&f->timers[1]);
	timer_soon(&f->timers[6]);
	timer_fini(&f->timers[2]);
	timer_at(&f->timers[4], USEC_NEVER);
	timer_fini(&f->timers[6]);
	timer_aside(&f->timers[8]);
	loop_run(f->loop);
	assert_int_equal(f->n_fired, ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		assert_int_equal(f->fired[i], order[i]);
	assert_false(timer_is_set(&f->timers[8]));
	timer_soon(&f->timers[8]); /* nobody waits for it */
	assert_true(timer_is_set(&f->timers[8]));
	loop_run(f->loop);
	assert_int_equal(f->n_fired, ARRAY_LEN(order));
	loop_run_aside(f->loop);
	assert_int_equal(f->n_fired, ARRAY_LEN(order) + 1);
}

static void soon_again(void *arg)
{
	on_timer(arg);
	timer_soon(arg);
	timer_fini(&current->timers[1]);
}

static void end_all(void *arg, unsigned ready)
{
	(void)ready;
	timer_fini(arg);
}

/* What sets itself again lets sockets have their turn, and timers theirs. */
static void test_soon_again_and_again(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	f->timers[0].fire = soon_again;
	timer_soon(&f->timers[0]);
	timer_soon(&f->timers[1]); /* freed by the first */
	f->timers[2].fire = stop_loop;
	timer_at(&f->timers[2], loop_now(f->loop));
	loop_run(f->loop);
	assert_true(f->n_fired >= 2);
	for (int i = 0; i < f->n_fired; i++)
		assert_int_not_equal(f->fired[i], 1);
	f->n_fired = 0;
	f->watch = watch_new(f->loop, f->fds[0], end_all, &f->timers[0]);
	watch_aside(f->watch);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	loop_run(f->loop);
	assert_true(f->n_fired <= 1);
}

/* Descriptors */

static void on_ready(void *arg, unsigned ready)
{
	struct fixture *f = arg;
	char chunk[64];

	f->calls++;
	f->ready |= ready;
	if (!(ready & READY_READ))
		return;
	while (read(f->fds[0], chunk, sizeof chunk) > 0)
		;
	if (f->ready & READY_READ) {
		watch_free(f->watch); /* its own, from its own call-back */
		f->watch = NULL;
	}
}

static void test_ready(void **state)
{
	struct fixture *f = *state;

	f->watch = watch_new(f->loop, f->fds[0], on_ready, f);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	loop_run(f->loop);
	assert_true(f->ready & READY_READ);
	assert_null(f->watch);
}

static void test_end(void **state)
{
	struct fixture *f = *state;

	f->watch = watch_new(f->loop, f->fds[0], on_ready, f);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	assert_int_equal(shutdown(f->fds[1], SHUT_WR), 0);
	loop_run(f->loop);
	if (!loop_must_drain(f->loop))
		assert_true(f->ready & READY_EOF);
}

/* What is in a socket is read before a timer that is due fires, however late the loop is. */
static void cancel_timer(void *arg, unsigned ready)
{
	struct fixture *f = arg;

	on_ready(arg, ready);
	if (ready & READY_READ)
		timer_fini(&f->timers[0]);
}

static void test_sockets_before_timers(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	f->watch = watch_new(f->loop, f->fds[0], cancel_timer, f);
	timer_at(&f->timers[0], loop_now(f->loop) - USEC_PER_SEC);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	loop_run(f->loop);
	assert_int_equal(f->n_fired, 0);
}

static void free_both(void *arg, unsigned ready)
{
	struct fixture *f = arg;

	(void)ready;
	f->calls++;
	watch_free(f->watch);
	watch_free(f->other);
	f->watch = f->other = NULL;
}

static void test_watches_freed_in_a_call_back(void **state)
{
	struct fixture *f = *state;

	f->watch = watch_new(f->loop, f->fds[0], free_both, f);
	f->other = watch_new(f->loop, f->fds[1], free_both, f);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
}

static void read_one(void *arg, unsigned ready)
{
	struct fixture *f = arg;
	char octet;

	assert_true(ready & READY_READ);
	f->calls++;
	if (f->calls > 3)
		watch_want(f->watch, 0);
	assert_int_equal(read(f->fds[0], &octet, 1), 1);
}

/* Level-triggered: what was not read is told again, and nothing is told that is not wanted. */
static void test_level(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	f->watch = watch_new_level(f->loop, f->fds[0], read_one, f);
	assert_int_equal(write(f->fds[1], "abcde", 5), 5);
	f->timers[0].fire = stop_loop;
	timer_at(&f->timers[0], loop_now(f->loop) + 2000);
	loop_run(f->loop); /* no interest yet */
	assert_int_equal(f->calls, 0);
	watch_want(f->watch, READY_READ);
	while (f->calls < 4 || f->n_fired < 3) { /* once more, and nothing more comes */
		timer_at(&f->timers[0], loop_now(f->loop) + 2000);
		loop_run(f->loop);
	}
	assert_int_equal(f->calls, 4);
}

static void on_signal(void *arg)
{
	struct fixture *f = arg;

	f->calls++;
	timer_fini(&f->timers[0]);
}

static void test_signal(void **state)
{
	struct fixture *f = *state;

	prepare(f);
	f->signal = loop_signal_new(f->loop, SIGUSR1, on_signal, f);
	loop_run(f->loop); /* a signal alone is nothing to wait for */
	timer_at(&f->timers[0], loop_now(f->loop) + 60 * USEC_PER_SEC);
	assert_int_equal(raise(SIGUSR1), 0);
	loop_run(f->loop);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->n_fired, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing_to_wait_for),
	    TEST(test_timers_in_order),
	    TEST(test_pushed_back_again_and_again),
	    TEST(test_timers_freed_in_a_call_back),
	    TEST(test_set_in_its_own_call_back),
	    TEST(test_stopped_and_run_again),
	    TEST(test_ready),
	    TEST(test_end),
	    TEST(test_soon),
	    TEST(test_soon_again_and_again),
	    TEST(test_sockets_before_timers),
	    TEST(test_watches_freed_in_a_call_back),
	    TEST(test_level),
	    TEST(test_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Whole runs on a clock of the test's own: that every target has its result, and that a run is over
 * when its last one is. */
#include "run/run.h"

#include "fake/dns.h"
#include "fake/loop.h"
#include "fake/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define SEC USEC_PER_SEC
#define MS USEC_PER_MS

struct fixture {
	struct loop *loop;
	struct run_conf conf;
	struct run *run;
	struct server *smtp;
	struct dns_server *dns;
	struct timer timer;
	enum end why; /* of run_stop, when the timer fires */
	usec_t begun;
	unsigned results, planned;
	struct {
		enum class class;
		enum reason reason;
		enum verdict verdict;
		size_t endpoints;
		unsigned sessions, left;
		bool contacted;
		char error[32];
		int64_t index;
		usec_t at;
	} result[400];
};

static const char *const healthy[] = {
    "+100", "S:220 mx\r\n", "C:", "+100",          "S:250 mx\r\n", "C:",
    "+100", "S:250 ok\r\n", "C:", "S:221 bye\r\n", "EOF",          NULL};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);
	static const char *const *const scripts[] = {healthy};

	f->loop = loop_new();
	f->begun = loop_now(f->loop);
	f->smtp = server_new(f->loop, scripts, 1);
	f->conf = (struct run_conf){.session = {.dialogue = {.helo = "probe.example.net",
							     .from = "<>",
							     .connect_timeout = 10 * SEC},
						.timeout = 30 * SEC},
				    .contacts = {.repeat = 1, .jobs = 256, .per_address = 1},
				    .resolver = resolver_conf_default,
				    .families = MX_IPV4,
				    .port = 25,
				    .deadline = USEC_NEVER};
	f->conf.resolver.n_servers = 1;
	f->conf.resolver.servers[0] = nobody();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	run_free(f->run);
	server_free(f->smtp);
	dns_server_free(f->dns);
	timer_fini(&f->timer);
	assert_int_equal(fake_watches(f->loop), 0);
	assert_int_equal(fake_timers(f->loop), 0);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void on_planned(void *arg, const struct result *r)
{
	struct fixture *f = arg;

	(void)r;
	f->planned++;
}

static void on_finished(void *arg, struct result *r)
{
	struct fixture *f = arg;
	unsigned i = f->results++;

	assert_true(i < ARRAY_LEN(f->result));
	f->result[i].verdict = r->verdict;
	f->result[i].endpoints = r->n_endpoints;
	f->result[i].index = r->index;
	f->result[i].at = loop_now(f->loop) - f->begun;
	snprintf(f->result[i].error, sizeof f->result[i].error, "%s",
		 r->error_code ? r->error_code : "");
	if (r->n_endpoints) {
		f->result[i].class = r->endpoints[0].contact->class;
		f->result[i].reason = r->endpoints[0].contact->reason;
		f->result[i].sessions = r->endpoints[0].contact->sessions;
		f->result[i].left = r->endpoints[0].contact->left;
		f->result[i].contacted = !r->endpoints[0].contact->seen.error;
	}
}

static void begin(struct fixture *f)
{
	const struct run_events events = {.planned = on_planned, .finished = on_finished, .arg = f};

	f->run = run_new(f->loop, &f->conf, &events);
}

static void add(struct fixture *f, const char *text)
{
	unsigned before = f->results;

	run_add(f->run, text, strlen(text));
	assert_int_equal(f->results, before); /* never from inside */
}

static void add_literal(struct fixture *f)
{
	char text[64];

	snprintf(text, sizeof text, "127.0.0.1:%u", server_addr(f->smtp).port);
	add(f, text);
}

/* To the end: nothing may be left to wait for, and no time may have passed since. */
static void to_the_end(struct fixture *f, usec_t after)
{
	run_close(f->run);
	loop_run(f->loop);
	assert_int_equal(fake_timers(f->loop), 0);
	assert_int_equal(loop_now(f->loop) - f->begun, after);
}

static void test_literal(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add_literal(f);
	to_the_end(f, 300 * MS);
	assert_int_equal(f->results, 1);
	assert_int_equal(f->planned, 1);
	assert_int_equal(f->result[0].verdict, VERDICT_HEALTHY);
	assert_int_equal(f->result[0].sessions, 1);
}

/* A deadline that is far holds nobody up. */
static void test_over_before_the_deadline(void **state)
{
	struct fixture *f = *state;

	f->conf.deadline = 55 * SEC;
	begin(f);
	add_literal(f);
	to_the_end(f, 300 * MS);
	assert_int_equal(f->result[0].verdict, VERDICT_HEALTHY);
}

static void test_nothing_to_do(void **state)
{
	struct fixture *f = *state;

	f->conf.deadline = 55 * SEC;
	begin(f);
	to_the_end(f, 0);
	assert_int_equal(f->results, 0);
}

static void test_one_address_is_contacted_once(void **state)
{
	struct fixture *f = *state;

	begin(f);
	for (int i = 0; i < 5; i++)
		add_literal(f);
	to_the_end(f, 300 * MS);
	assert_int_equal(f->results, 5);
	assert_int_equal(server_connections(f->smtp), 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(f->result[i].verdict, VERDICT_HEALTHY);
}

static void test_every_line_has_one_result(void **state)
{
	static const char *const lines[] = {"",        "a b",      "[::1",           "exa..mple",
					    "x:99999", "\xff\xfe", "host.example:0", "192.0.2.999"};
	struct fixture *f = *state;

	begin(f);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		add(f, lines[i]);
	run_add(f->run, "nul\0nul", 7);
	to_the_end(f, 0);
	assert_int_equal(f->results, ARRAY_LEN(lines) + 1);
	for (size_t i = 0; i < f->results; i++) {
		assert_string_equal(f->result[i].error, "invalid-target");
		assert_int_equal(f->result[i].verdict, VERDICT_UNKNOWN);
		assert_int_equal(f->result[i].index, i);
	}
}

static void test_repeat(void **state)
{
	struct fixture *f = *state;

	f->conf.contacts.repeat = 3;
	f->conf.contacts.interval = 2 * SEC;
	begin(f);
	add_literal(f);
	to_the_end(f, 3 * 300 * MS + 2 * 2 * SEC);
	assert_int_equal(f->result[0].sessions, 3);
	assert_int_equal(server_connections(f->smtp), 3);
}

/* Several at once to one address: the pause is between their starts. */
static void test_repeat_at_once(void **state)
{
	struct fixture *f = *state;

	f->conf.contacts.repeat = 3;
	f->conf.contacts.per_address = 3;
	f->conf.contacts.interval = 100 * MS;
	begin(f);
	add_literal(f);
	to_the_end(f, 500 * MS);
	assert_int_equal(f->result[0].sessions, 3);
}

static const char *const closing[] = {"+100", "S:421 4.3.2 no more of you\r\n", "EOF", NULL};

/* Two sessions are told to go in the same instant, while the third waits for one of them to end: it
 * is not what the address came to. */
static void test_closed_to_all_at_once(void **state)
{
	static const char *const *const scripts[] = {closing};
	struct fixture *f = *state;

	server_free(f->smtp);
	f->smtp = server_new(f->loop, scripts, 1);
	f->conf.contacts.repeat = 3;
	f->conf.contacts.per_address = 2;
	begin(f);
	add_literal(f);
	to_the_end(f, 100 * MS);
	assert_int_equal(server_connections(f->smtp), 2);
	assert_int_equal(f->result[0].sessions, 2);
	assert_int_equal(f->result[0].class, CLASS_DEFERRED);
	assert_int_equal(f->result[0].left, 1);
	assert_true(f->result[0].contacted);
}

static void test_jobs_and_rate(void **state)
{
	struct fixture *f = *state;
	char text[64];

	f->conf.contacts.jobs = 1;
	begin(f);
	for (int i = 1; i <= 4; i++) {
		snprintf(text, sizeof text, "127.0.0.%d:%u", i, nobody().port);
		add(f, text);
	}
	to_the_end(f, 0); /* refused, one after the other */
	assert_int_equal(f->results, 4);
	run_free(f->run);
	f->conf.contacts.rate = 2;
	f->results = 0;
	begin(f);
	for (int i = 1; i <= 4; i++) {
		snprintf(text, sizeof text, "127.0.0.%d:%u", i, nobody().port);
		add(f, text);
	}
	to_the_end(f, 1500 * MS);
	assert_int_equal(f->results, 4);
}

static void test_dns_in_vain(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add(f, "example.org");
	to_the_end(f, 0); /* refused by the port, three times */
	assert_int_equal(f->results, 1);
	assert_int_equal(f->result[0].verdict, VERDICT_UNKNOWN);
	assert_int_equal(f->result[0].endpoints, 0);
}

static void silent_dns(struct fixture *f)
{
	static const enum behaviour silent[] = {DNS_SILENT, DNS_END};

	f->dns = dns_server_new(f->loop, silent, 0);
	f->conf.resolver.servers[0] = dns_server_addr(f->dns);
}

/* The target's time for DNS is over before the resolver has given up. */
static void test_limit_of_a_targets_dns(void **state)
{
	struct fixture *f = *state;

	silent_dns(f);
	f->conf.resolver.timeout = 30 * SEC;
	f->conf.resolver.tries = 15;
	begin(f);
	add(f, "example.org");
	to_the_end(f, 10 * SEC);
	assert_int_equal(f->result[0].verdict, VERDICT_UNKNOWN);
}

static void stop_run(void *arg)
{
	struct fixture *f = arg;

	run_stop(f->run, f->why);
	run_stop(f->run, END_DEADLINE); /* the first word counts */
	add_literal(f);
	add(f, "late.example.org");
}

static void stop_at(struct fixture *f, usec_t at)
{
	f->why = END_INTERRUPTED;
	timer_init(&f->timer, f->loop, stop_run, f);
	timer_at(&f->timer, f->begun + at);
}

static void test_stopped_before_anything(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add_literal(f);
	add(f, "example.org");
	run_stop(f->run, END_INTERRUPTED);
	assert_int_equal(f->results, 0);
	assert_int_equal(run_stopped(f->run), END_INTERRUPTED);
	add(f, "[::1");
	to_the_end(f, 0);
	assert_int_equal(f->results, 3);
	assert_int_equal(server_connections(f->smtp), 0);
}

static void test_stopped_in_a_session(void **state)
{
	struct fixture *f = *state;

	begin(f);
	add_literal(f);
	stop_at(f, 150 * MS);
	loop_run(f->loop);
	to_the_end(f, 200 * MS); /* the server's own pause, not ours */
	assert_int_equal(f->results, 3);
	assert_int_equal(f->result[0].at, 150 * MS);
	assert_int_equal(f->result[0].class, CLASS_SKIPPED);
	assert_int_equal(f->result[0].reason, REASON_INTERRUPTED);
	assert_int_equal(f->result[0].verdict, VERDICT_UNKNOWN);
}

static void test_stopped_between_sessions(void **state)
{
	struct fixture *f = *state;

	f->conf.contacts.repeat = 5;
	f->conf.contacts.interval = 10 * SEC;
	begin(f);
	add_literal(f);
	stop_at(f, 5 * SEC);
	loop_run(f->loop);
	to_the_end(f, 5 * SEC);
	/* What is known is told. */
	assert_int_equal(f->result[0].class, CLASS_HEALTHY);
	assert_int_equal(f->result[0].sessions, 1);
}

static void test_stopped_in_the_dns(void **state)
{
	struct fixture *f = *state;

	silent_dns(f);
	begin(f);
	for (int i = 0; i < 100; i++) { /* more than are looked up at once */
		char text[32];

		snprintf(text, sizeof text, "d%d.example.org", i);
		add(f, text);
	}
	stop_at(f, SEC);
	loop_run(f->loop);
	to_the_end(f, SEC); /* at once, not when the last question has timed out */
	assert_int_equal(f->results, 102);
	assert_string_equal(f->result[0].error, "interrupted");
}

static void test_deadline(void **state)
{
	struct fixture *f = *state;

	silent_dns(f);
	f->conf.deadline = 200 * MS;
	begin(f);
	add(f, "example.org");
	add_literal(f);
	to_the_end(f, 200 * MS);
	assert_int_equal(f->results, 2);
	assert_int_equal(run_stopped(f->run), END_DEADLINE);
	for (int i = 0; i < 2; i++) {
		if (f->result[i].endpoints)
			assert_int_equal(f->result[i].reason, REASON_DEADLINE);
		else
			assert_string_equal(f->result[i].error, "deadline");
	}
}

static void test_freed_in_the_middle(void **state)
{
	struct fixture *f = *state;

	silent_dns(f);
	begin(f);
	add(f, "example.org");
	add_literal(f);
	stop_at(f, 150 * MS);
	f->timer.fire = (void (*)(void *))loop_stop;
	f->timer.arg = f->loop;
	loop_run(f->loop);
	run_free(f->run);
	f->run = NULL;
	loop_run(f->loop);
	assert_int_equal(f->results, 0);
}

static void on_hungry(void *arg)
{
	struct fixture *f = arg;

	while (f->planned < 350 && !run_is_full(f->run)) {
		f->planned++;
		add(f, "not a target");
	}
	if (f->planned == 350)
		run_close(f->run);
}

static void test_hungry(void **state)
{
	struct fixture *f = *state;
	const struct run_events events = {.finished = on_finished, .hungry = on_hungry, .arg = f};

	f->run = run_new(f->loop, &f->conf, &events);
	on_hungry(f);
	assert_true(run_is_full(f->run));
	loop_run(f->loop);
	assert_int_equal(f->results, 350);
}

static struct rlimit had;

static void restore_limit(void *arg)
{
	(void)arg;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &had), 0);
}

/* The system has fewer descriptors than were promised, or none at all for a while: no endpoint is
 * lost to it. */
static void test_out_of_descriptors(void **state)
{
	struct fixture *f = *state;
	struct rlimit few;
	char text[64];

	for (int left = 0; left <= 2; left++) {
		uint16_t port = nobody().port;
		int lowest = dup(0);

		assert_true(lowest >= 0);
		close(lowest);
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &had), 0);
		few = had;
		few.rlim_cur = (rlim_t)(lowest + left);
		f->results = 0;
		f->begun = loop_now(f->loop);
		timer_init(&f->timer, f->loop, restore_limit, NULL);
		timer_at(&f->timer, f->begun + USEC_PER_SEC);
		begin(f);
		for (int i = 1; i <= 10; i++) {
			snprintf(text, sizeof text, "127.0.0.%d:%u", i, port);
			add(f, text);
		}
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		to_the_end(f, USEC_PER_SEC); /* with the timer that gives them back */
		assert_int_equal(f->results, 10);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(f->result[i].class, CLASS_DOWN);
			assert_int_equal(f->result[i].reason, REASON_REFUSED);
			if (left)
				assert_int_equal(f->result[i].at, 0);
		}
		run_free(f->run);
		f->run = NULL;
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_literal),
	    TEST(test_over_before_the_deadline),
	    TEST(test_nothing_to_do),
	    TEST(test_one_address_is_contacted_once),
	    TEST(test_every_line_has_one_result),
	    TEST(test_repeat),
	    TEST(test_repeat_at_once),
	    TEST(test_closed_to_all_at_once),
	    TEST(test_jobs_and_rate),
	    TEST(test_dns_in_vain),
	    TEST(test_limit_of_a_targets_dns),
	    TEST(test_stopped_before_anything),
	    TEST(test_stopped_in_a_session),
	    TEST(test_stopped_between_sessions),
	    TEST(test_stopped_in_the_dns),
	    TEST(test_deadline),
	    TEST(test_freed_in_the_middle),
	    TEST(test_hungry),
	    TEST(test_out_of_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

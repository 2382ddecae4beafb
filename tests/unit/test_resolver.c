/* The stub resolver against servers that do what servers do, on a clock of the test's own. */
#include "dns/resolver.h"

#include "fake/dns.h"
#include "fake/loop.h"
#include "fake/server.h"

#include <errno.h>
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
#define NAME "mx.example.org"
#define LABEL_OF_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

enum { SERVERS = 3 };

struct asker {
	struct fixture *f;
	struct query *query; /* NULL once answered */
	unsigned answers;
	enum dns_status status;
	bool had_message, authenticated;
	size_t n_answers;
	usec_t at;
	void (*then)(struct asker *);
	struct asker *other;
};

struct fixture {
	struct loop *loop;
	struct resolver_conf conf;
	struct resolver *resolver;
	struct dns_server *servers[SERVERS];
	struct asker askers[8];
	usec_t begun;
	struct buf trace;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	f->conf = resolver_conf_default;
	f->begun = loop_now(f->loop);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	for (int i = 0; i < SERVERS; i++)
		dns_server_free(f->servers[i]);
	assert_int_equal(fake_watches(f->loop), 0);
	assert_int_equal(fake_timers(f->loop), 0);
	loop_free(f->loop);
	buf_fini(&f->trace);
	free(f);
	return 0;
}

static void serve(struct fixture *f, const enum behaviour *list, uint32_t ttl)
{
	struct dns_server *s = dns_server_new(f->loop, list, ttl);

	f->servers[f->conf.n_servers] = s;
	f->conf.servers[f->conf.n_servers++] = dns_server_addr(s);
}

static void begin(struct fixture *f)
{
	f->resolver = resolver_new(f->loop, &f->conf);
}

static void on_answer(void *arg, const struct dns_answer *answer)
{
	struct asker *a = arg;

	a->query = NULL;
	a->answers++;
	a->status = answer->status;
	a->had_message = answer->message != NULL;
	if (answer->message) {
		a->n_answers = answer->message->n_answers;
		a->authenticated = answer->message->authenticated;
	}
	a->at = loop_now(a->f->loop);
	if (a->then)
		a->then(a);
}

static struct asker *ask(struct fixture *f, int i, const char *name, enum dns_type type)
{
	struct asker *a = &f->askers[i];

	a->f = f;
	a->query = resolver_ask(f->resolver, name, type, NULL, on_answer, a);
	assert_non_null(a->query);
	return a;
}

/* Asks one question, waits, and holds what came against what should. */
static struct asker *check(struct fixture *f, enum dns_status status, usec_t after)
{
	struct asker *a;

	if (!f->resolver)
		begin(f);
	f->askers[0] = (struct asker){0};
	f->begun = loop_now(f->loop);
	a = ask(f, 0, NAME, TYPE_A);
	assert_int_equal(a->answers, 0); /* never from inside the start */
	loop_run(f->loop);
	assert_int_equal(a->answers, 1);
	assert_int_equal(a->status, status);
	assert_int_equal(a->had_message, status == DNS_OK || status == DNS_NXDOMAIN);
	assert_int_equal(a->at - f->begun, after);
	return a;
}

#define SERVE(ttl, ...) serve(f, (const enum behaviour[]){__VA_ARGS__, DNS_END}, ttl)

static void test_answer(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_ANSWER);
	assert_int_equal(check(f, DNS_OK, 0)->n_answers, 1);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
	assert_int_equal(dns_server_asked_edns(f->servers[0]), 1);
}

static void test_what_is_no_answer_is_passed_over(void **state)
{
	static const enum behaviour list[][2] = {
	    {DNS_WRONG_ID}, {DNS_WRONG_NAME}, {DNS_WRONG_TYPE},     {DNS_QUERY_BACK},
	    {DNS_SHORT},    {DNS_SILENT},     {DNS_TRUNCATED_OTHER}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		serve(f, list[i], 300);
		(void)check(f, DNS_TIMEOUT, 6 * SEC);
		assert_int_equal(dns_server_asked(f->servers[0]), 3);
		assert_int_equal(dns_server_asked_tcp(f->servers[0]), 0);
		resolver_free(f->resolver);
		dns_server_free(f->servers[0]);
		f->resolver = NULL;
		f->servers[0] = NULL;
		f->conf.n_servers = 0;
	}
}

static void test_true_answer_behind_a_false_one(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_WRONG_ID_FIRST);
	(void)check(f, DNS_OK, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
}

static void test_late_double(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_TWICE);
	(void)check(f, DNS_OK, 0);
}

static void test_case_of_the_question_does_not_matter(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_UPPER);
	(void)check(f, DNS_OK, 0);
}

static void test_failures_of_a_server(void **state)
{
	static const enum behaviour list[][2] = {{DNS_GARBAGE}, {DNS_SERVFAIL_}, {DNS_REFUSED_},
						 {DNS_NOTIMP_}, {DNS_RCODE_11},  {DNS_FLOOD},
						 {DNS_BADVERS_}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		serve(f, list[i], 300);
		(void)check(f, DNS_SERVFAIL, 0);
		assert_int_equal(dns_server_asked(f->servers[0]), 3);
		resolver_free(f->resolver);
		dns_server_free(f->servers[0]);
		f->resolver = NULL;
		f->servers[0] = NULL;
		f->conf.n_servers = 0;
	}
}

static void test_next_server(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_SERVFAIL_);
	SERVE(300, DNS_SILENT);
	SERVE(300, DNS_ANSWER);
	(void)check(f, DNS_OK, 2 * SEC);
	for (int i = 0; i < SERVERS; i++)
		assert_int_equal(dns_server_asked(f->servers[i]), 1);
}

static void test_servers_in_turn(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_SILENT);
	SERVE(300, DNS_SILENT);
	(void)check(f, DNS_TIMEOUT, 6 * SEC);
	assert_int_equal(dns_server_asked(f->servers[0]), 2);
	assert_int_equal(dns_server_asked(f->servers[1]), 1);
}

/* One server that has failed to tell is a word; silence alone is none. */
static void test_silence_and_failure_is_a_failure(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_SERVFAIL_);
	SERVE(300, DNS_SILENT);
	(void)check(f, DNS_SERVFAIL, 2 * SEC);
}

static void test_answer_to_the_last_try(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_SILENT, DNS_SERVFAIL_, DNS_ANSWER);
	(void)check(f, DNS_OK, 2 * SEC);
}

static void test_refusing_port(void **state)
{
	struct fixture *f = *state;

	f->conf.servers[f->conf.n_servers++] = nobody();
	(void)check(f, DNS_TIMEOUT, 0);
}

/* No socket is to be had: that is no word of the server's. */
static void test_no_descriptor(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, few;
	int fd = dup(STDERR_FILENO);

	SERVE(300, DNS_ANSWER);
	begin(f);
	assert_int_equal(resolver_local_error(f->resolver), 0);
	assert_true(fd >= 0);
	(void)close(fd); /* the next that would be had */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){.rlim_cur = (rlim_t)fd, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	(void)check(f, DNS_LOCAL_ERROR, 6 * SEC);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(resolver_local_error(f->resolver), EMFILE);
	assert_int_equal(dns_server_asked(f->servers[0]), 0);
}

static void test_refusing_port_then_another(void **state)
{
	struct fixture *f = *state;

	f->conf.servers[0] = nobody();
	f->conf.n_servers = 1;
	SERVE(300, DNS_ANSWER);
	(void)check(f, DNS_OK, 0);
}

static void test_nxdomain(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_NXDOMAIN_);
	(void)check(f, DNS_NXDOMAIN, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
}

static void test_no_data(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_NODATA);
	assert_int_equal(check(f, DNS_OK, 0)->n_answers, 0);
}

/* RFC 6891 7; and what was learned of a server is kept. */
static void test_server_that_knows_no_edns(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_FORMERR_IF_EDNS);
	(void)check(f, DNS_OK, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 2);
	assert_int_equal(dns_server_asked_edns(f->servers[0]), 1);
	(void)ask(f, 1, "other.example.org", TYPE_A);
	loop_run(f->loop);
	assert_int_equal(f->askers[1].status, DNS_OK);
	assert_int_equal(dns_server_asked(f->servers[0]), 3);
	assert_int_equal(dns_server_asked_edns(f->servers[0]), 1);
}

static void test_formerr_for_good(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_FORMERR_BARE, DNS_FORMERR);
	(void)check(f, DNS_SERVFAIL, 0);
	/* Once more without EDNS is no try of its own. */
	assert_int_equal(dns_server_asked(f->servers[0]), 4);
	assert_int_equal(dns_server_asked_edns(f->servers[0]), 1);
}

static void test_truncated(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_TRUNCATED);
	assert_int_equal(check(f, DNS_OK, 0)->n_answers, 1);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
	assert_int_equal(dns_server_asked_tcp(f->servers[0]), 1);
}

static void test_tcp_in_pieces(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_TCP_PIECES);
	(void)check(f, DNS_OK, 0);
}

static void test_tcp_that_fails(void **state)
{
	static const enum behaviour list[][2] = {
	    {DNS_TCP_CLOSED}, {DNS_TCP_REFUSED}, {DNS_TCP_WRONG_ID}, {DNS_TCP_WRONG_NAME}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		serve(f, list[i], 300);
		(void)check(f, DNS_SERVFAIL, 0);
		assert_int_equal(dns_server_asked(f->servers[0]), 3);
		resolver_free(f->resolver);
		dns_server_free(f->servers[0]);
		f->resolver = NULL;
		f->servers[0] = NULL;
		f->conf.n_servers = 0;
	}
}

static void test_tcp_silent(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_TCP_SILENT);
	(void)check(f, DNS_TIMEOUT, 6 * SEC);
	assert_int_equal(dns_server_asked_tcp(f->servers[0]), 3);
}

/* The cache */

static void test_kept_for_its_ttl(void **state)
{
	struct fixture *f = *state;

	SERVE(60, DNS_ANSWER);
	(void)check(f, DNS_OK, 0);
	fake_pass(f->loop, 60 * SEC - 1);
	(void)check(f, DNS_OK, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
	fake_pass(f->loop, 1);
	(void)check(f, DNS_OK, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 2);
}

static void test_ttl_zero_is_not_kept(void **state)
{
	struct fixture *f = *state;

	SERVE(0, DNS_ANSWER);
	(void)check(f, DNS_OK, 0);
	(void)check(f, DNS_OK, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 2);
}

static void test_long_ttl_is_kept_a_day(void **state)
{
	struct fixture *f = *state;

	SERVE(0x7fffffff, DNS_ANSWER);
	(void)check(f, DNS_OK, 0);
	fake_pass(f->loop, 86400 * SEC - 1);
	(void)check(f, DNS_OK, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
	fake_pass(f->loop, 1);
	(void)check(f, DNS_OK, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 2);
}

/* RFC 2308 5 */
static void test_absence_is_kept_for_the_soa(void **state)
{
	static const enum behaviour list[][2] = {{DNS_NXDOMAIN_SOA}, {DNS_NODATA}};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		enum dns_status status = i ? DNS_OK : DNS_NXDOMAIN;

		serve(f, list[i], 45);
		(void)check(f, status, 0);
		fake_pass(f->loop, 45 * SEC - 1);
		(void)check(f, status, 0);
		assert_int_equal(dns_server_asked(f->servers[0]), 1);
		fake_pass(f->loop, 1);
		(void)check(f, status, 0);
		assert_int_equal(dns_server_asked(f->servers[0]), 2);
		resolver_free(f->resolver);
		dns_server_free(f->servers[0]);
		f->resolver = NULL;
		f->servers[0] = NULL;
		f->conf.n_servers = 0;
	}
}

static void test_failure_is_forgotten_soon(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_SERVFAIL_, DNS_SERVFAIL_, DNS_SERVFAIL_, DNS_ANSWER);
	(void)check(f, DNS_SERVFAIL, 0);
	fake_pass(f->loop, 29 * SEC);
	(void)check(f, DNS_SERVFAIL, 0);
	assert_int_equal(dns_server_asked(f->servers[0]), 3);
	fake_pass(f->loop, 2 * SEC);
	(void)check(f, DNS_OK, 0);
}

static void test_same_question_is_asked_once(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_ANSWER);
	begin(f);
	(void)ask(f, 0, NAME, TYPE_A);
	(void)ask(f, 1, "MX.Example.ORG", TYPE_A);
	(void)ask(f, 2, NAME ".", TYPE_A);
	loop_run(f->loop);
	for (int i = 0; i < 3; i++)
		assert_int_equal(f->askers[i].answers, 1);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
}

static void test_other_type_is_another_question(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_NODATA);
	begin(f);
	(void)ask(f, 0, NAME, TYPE_A);
	(void)ask(f, 1, NAME, TYPE_AAAA);
	(void)ask(f, 2, NAME, TYPE_MX);
	loop_run(f->loop);
	for (int i = 0; i < 3; i++)
		assert_int_equal(f->askers[i].status, DNS_OK);
	assert_int_equal(dns_server_asked(f->servers[0]), 3);
}

/* Call-backs that do things */

static void ask_again(struct asker *a)
{
	a->then = NULL;
	a->query = resolver_ask(a->f->resolver, NAME, TYPE_A, NULL, on_answer, a);
}

static void test_asking_again_in_a_call_back(void **state)
{
	static const uint32_t ttls[] = {300, 0};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(ttls); i++) {
		SERVE(ttls[i], DNS_ANSWER);
		begin(f);
		f->askers[0].then = ask_again;
		(void)ask(f, 0, NAME, TYPE_A);
		(void)ask(f, 1, NAME, TYPE_A);
		loop_run(f->loop);
		assert_int_equal(f->askers[0].answers, 2);
		assert_int_equal(f->askers[1].answers, 1);
		resolver_free(f->resolver);
		dns_server_free(f->servers[0]);
		f->resolver = NULL;
		f->servers[0] = NULL;
		f->conf.n_servers = 0;
		memset(f->askers, 0, sizeof f->askers);
	}
}

static void cancel_other(struct asker *a)
{
	resolver_cancel(a->other->query);
	a->other->query = NULL;
}

static void test_cancelling_another_in_a_call_back(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_ANSWER);
	begin(f);
	f->askers[0].then = cancel_other;
	f->askers[0].other = &f->askers[1];
	(void)ask(f, 0, NAME, TYPE_A);
	(void)ask(f, 1, NAME, TYPE_A);
	(void)ask(f, 2, NAME, TYPE_A);
	loop_run(f->loop);
	assert_int_equal(f->askers[0].answers, 1);
	assert_int_equal(f->askers[1].answers, 0);
	assert_int_equal(f->askers[2].answers, 1);
}

static void test_cancelling_another_question_in_a_call_back(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_ANSWER, DNS_SILENT);
	begin(f);
	f->askers[0].then = cancel_other;
	f->askers[0].other = &f->askers[1];
	(void)ask(f, 0, NAME, TYPE_A);
	(void)ask(f, 1, "other.example.org", TYPE_A);
	loop_run(f->loop);
	assert_int_equal(f->askers[0].answers, 1);
	assert_int_equal(f->askers[1].answers, 0);
}

/* What nobody wants to know any more holds nobody up. */
static void test_cancelled_question_ends_at_once(void **state)
{
	struct fixture *f = *state;
	struct asker *a;

	SERVE(300, DNS_SILENT, DNS_SILENT, DNS_ANSWER);
	begin(f);
	a = ask(f, 0, NAME, TYPE_A);
	(void)ask(f, 1, NAME, TYPE_AAAA);
	a->then = NULL;
	f->askers[1].then = NULL;
	/* Until both are on their way. */
	for (int i = 0; i < 2; i++)
		resolver_cancel(ask(f, 2 + i, "never.example.org", TYPE_A)->query);
	fake_pass(f->loop, 1);
	resolver_cancel(a->query);
	resolver_cancel(f->askers[1].query);
	loop_run(f->loop);
	assert_int_equal(loop_now(f->loop) - f->begun, 1);
	assert_int_equal(a->answers, 0);
}

static void cancel_first(struct asker *a)
{
	resolver_cancel(a->f->askers[0].query);
	a->f->askers[0].query = NULL;
}

static void test_cancelled_in_flight_ends_at_once(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_SILENT, DNS_ANSWER, DNS_ANSWER);
	f->conf.in_flight = 2;
	begin(f);
	(void)ask(f, 0, NAME, TYPE_A); /* flies, without an answer */
	f->askers[1].then = cancel_first;
	(void)ask(f, 1, "other.example.org", TYPE_A);
	(void)ask(f, 2, "third.example.org", TYPE_A);
	loop_run(f->loop);
	assert_int_equal(f->askers[0].answers, 0);
	assert_int_equal(f->askers[1].answers, 1);
	assert_int_equal(f->askers[2].answers, 1);
	assert_int_equal(loop_now(f->loop), f->begun);
	/* Asked anew it is a new question. */
	(void)check(f, DNS_OK, 0);
}

static void test_bound_on_questions_in_flight(void **state)
{
	struct fixture *f = *state;
	char name[32];

	SERVE(300, DNS_SILENT);
	f->conf.in_flight = 2;
	f->conf.tries = 1;
	begin(f);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "n%d.example.org", i);
		(void)ask(f, i, name, TYPE_A);
	}
	loop_run(f->loop);
	/* Two at once, in the order in which they came. */
	for (int i = 0; i < 6; i++)
		assert_int_equal(f->askers[i].at - f->begun, (1 + i / 2) * 2 * SEC);
}

static void ask_eight(struct fixture *f, int round)
{
	char name[32];

	memset(f->askers, 0, sizeof f->askers);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "n%d.r%d.example.org", i, round);
		(void)ask(f, i, name, TYPE_A);
	}
	loop_run(f->loop);
}

/* Few questions have a port each, but not without end: sockets cost more than the questions. */
static void test_ports_of_their_own(void **state)
{
	enum { ROUNDS = 20 };
	struct fixture *f = *state;
	unsigned moves;

	SERVE(300, DNS_ANSWER);
	begin(f);
	for (int round = 0; round < ROUNDS; round++)
		ask_eight(f, round);
	assert_int_equal(dns_server_asked(f->servers[0]), ROUNDS * 8);
	/* Two may by chance have had the same. What comes later shares one, round after round. */
	moves = dns_server_moves(f->servers[0]);
	assert_in_range(moves, 60, 64 + 1);
	fake_pass(f->loop, SEC);
	ask_eight(f, ROUNDS);
	assert_in_range(dns_server_moves(f->servers[0]) - moves, 6, 8);
}

static void test_names_that_are_none(void **state)
{
	static const char *const names[] = {"a..b", ".a", LABEL_OF_64 ".example"};
	struct fixture *f = *state;
	char longest[300];

	SERVE(300, DNS_ANSWER);
	begin(f);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)ask(f, (int)i, names[i], TYPE_A);
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = i % 10 == 9 ? '.' : 'a';
	longest[254] = '\0';
	(void)ask(f, 3, longest, TYPE_A);
	longest[253] = '\0'; /* the longest that is one; with its dot or without */
	longest[252] = 'a';
	(void)ask(f, 4, longest, TYPE_A);
	longest[254] = 'x';
	longest[253] = 'x';
	longest[299] = '\0';
	(void)ask(f, 5, longest, TYPE_A);
	(void)ask(f, 6, longest, TYPE_A);
	loop_run(f->loop);
	for (int i = 0; i < 3; i++)
		assert_int_equal(f->askers[i].status, DNS_INVALID);
	assert_int_equal(f->askers[3].status, DNS_INVALID);
	assert_int_equal(f->askers[4].status, DNS_OK);
	assert_int_equal(f->askers[5].status, DNS_INVALID);
	assert_int_equal(f->askers[6].status, DNS_INVALID);
	assert_int_equal(dns_server_asked(f->servers[0]), 1);
}

/* The AD bit counts from loopback, or where the user says so. */
static void test_authenticated(void **state)
{
	struct fixture *f = *state;

	SERVE(0, DNS_ANSWER_AD, DNS_ANSWER);
	assert_true(check(f, DNS_OK, 0)->authenticated);
	assert_false(check(f, DNS_OK, 0)->authenticated);
}

static void test_rotate(void **state)
{
	struct fixture *f = *state;
	char name[32];

	SERVE(300, DNS_ANSWER);
	SERVE(300, DNS_ANSWER);
	SERVE(300, DNS_ANSWER);
	f->conf.rotate = true;
	begin(f);
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof name, "n%d.example.org", i);
		(void)ask(f, i, name, TYPE_A);
	}
	loop_run(f->loop);
	for (int i = 0; i < SERVERS; i++)
		assert_int_equal(dns_server_asked(f->servers[i]), 2);
}

static void on_trace(void *arg, const char *line)
{
	struct fixture *f = arg;

	/* The server's port is any. */
	buf_printf(&f->trace, "%.*s|", (int)strcspn(line, "("), line);
}

static void test_trace(void **state)
{
	struct fixture *f = *state;

	f->conf.trace = on_trace;
	f->conf.trace_arg = f;
	SERVE(300, DNS_SERVFAIL_, DNS_SILENT, DNS_ANSWER);
	(void)check(f, DNS_OK, 2 * SEC);
	assert_string_equal(buf_str(&f->trace),
			    NAME " A: SERVFAIL |" NAME " A: no answer |" NAME " A: answered |");
}

static void test_freed_in_the_middle(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_ANSWER);
	begin(f);
	(void)ask(f, 0, NAME, TYPE_A);
	(void)ask(f, 1, NAME, TYPE_MX);
	resolver_free(f->resolver);
	f->resolver = NULL;
	loop_run(f->loop);
	assert_int_equal(f->askers[0].answers, 0);
	resolver_free(NULL);
	resolver_cancel(NULL);
}

static void assert_silent(const struct fixture *f, bool silent, const char *said)
{
	struct buf b = {0};

	assert_int_equal(resolver_is_silent(f->resolver, &b), silent);
	if (!strstr(buf_str(&b), said) || (!silent && b.len))
		fail_msg("no '%s' in '%s'", said, buf_str(&b));
	buf_fini(&b);
}

static void test_silence_is_told(void **state)
{
	struct fixture *f = *state;

	SERVE(0, DNS_SILENT, DNS_ANSWER);
	f->conf.tries = 1;
	begin(f);
	assert_silent(f, false, ""); /* nothing was asked */
	(void)check(f, DNS_TIMEOUT, 2 * SEC);
	assert_silent(f, true, " (no answer)");
	f->askers[0] = (struct asker){0};
	(void)ask(f, 0, "other.example", TYPE_A);
	loop_run(f->loop);
	assert_int_equal(f->askers[0].status, DNS_OK);
	assert_silent(f, false, "");
}

/* What each did, in its first try. */
static void test_silence_of_two(void **state)
{
	struct fixture *f = *state;
	struct addr nobody;

	assert_true(addr_parse_port(&nobody, "127.0.0.1:1", 53));
	SERVE(300, DNS_SILENT);
	f->conf.servers[f->conf.n_servers++] = nobody;
	f->conf.tries = 4;
	(void)check(f, DNS_TIMEOUT, 4 * SEC);
	assert_silent(f, true, " (no answer), 127.0.0.1 (Connection refused)");
}

/* A refusal is an answer: whoever gives it is there. */
static void test_refusal_is_no_silence(void **state)
{
	struct fixture *f = *state;

	SERVE(300, DNS_REFUSED_);
	(void)check(f, DNS_SERVFAIL, 0);
	assert_silent(f, false, "");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_answer),
	    TEST(test_what_is_no_answer_is_passed_over),
	    TEST(test_true_answer_behind_a_false_one),
	    TEST(test_late_double),
	    TEST(test_case_of_the_question_does_not_matter),
	    TEST(test_failures_of_a_server),
	    TEST(test_next_server),
	    TEST(test_servers_in_turn),
	    TEST(test_silence_and_failure_is_a_failure),
	    TEST(test_answer_to_the_last_try),
	    TEST(test_no_descriptor),
	    TEST(test_refusing_port),
	    TEST(test_refusing_port_then_another),
	    TEST(test_nxdomain),
	    TEST(test_no_data),
	    TEST(test_server_that_knows_no_edns),
	    TEST(test_formerr_for_good),
	    TEST(test_truncated),
	    TEST(test_tcp_in_pieces),
	    TEST(test_tcp_that_fails),
	    TEST(test_tcp_silent),
	    TEST(test_kept_for_its_ttl),
	    TEST(test_ttl_zero_is_not_kept),
	    TEST(test_long_ttl_is_kept_a_day),
	    TEST(test_absence_is_kept_for_the_soa),
	    TEST(test_failure_is_forgotten_soon),
	    TEST(test_same_question_is_asked_once),
	    TEST(test_other_type_is_another_question),
	    TEST(test_asking_again_in_a_call_back),
	    TEST(test_cancelling_another_in_a_call_back),
	    TEST(test_cancelling_another_question_in_a_call_back),
	    TEST(test_cancelled_question_ends_at_once),
	    TEST(test_cancelled_in_flight_ends_at_once),
	    TEST(test_bound_on_questions_in_flight),
	    TEST(test_ports_of_their_own),
	    TEST(test_names_that_are_none),
	    TEST(test_authenticated),
	    TEST(test_rotate),
	    TEST(test_trace),
	    TEST(test_freed_in_the_middle),
	    TEST(test_silence_is_told),
	    TEST(test_silence_of_two),
	    TEST(test_refusal_is_no_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

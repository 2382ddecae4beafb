/* Sessions over real sockets on a clock of the test's own: what the system does to a stream, and
 * every limit of time to the microsecond. */
#include "smtp/session.h"

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
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SEC USEC_PER_SEC
#define MS USEC_PER_MS
#define HELLO "EHLO probe.example.net\r\n"
#define MAIL "MAIL FROM:<>\r\n"
#define QUIT "QUIT\r\n"

struct fixture {
	struct loop *loop;
	struct session_conf conf;
	struct peer peer;
	struct server *server;
	struct session *session;
	struct observation seen;
	unsigned done;
	usec_t begun, ended;
	struct buf trace;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	f->conf = (struct session_conf){
	    .dialogue = {.helo = "probe.example.net", .from = "<>", .connect_timeout = 10 * SEC},
	    .timeout = 30 * SEC,
	    .tls = tls_context_new()};
	f->peer.tls = TLS_AUTO;
	observation_init(&f->seen);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	session_cancel(f->session);
	server_free(f->server);
	assert_int_equal(fake_watches(f->loop), 0);
	assert_int_equal(fake_timers(f->loop), 0);
	observation_fini(&f->seen);
	tls_context_free(f->conf.tls);
	loop_free(f->loop);
	buf_fini(&f->trace);
	free(f);
	return 0;
}

static void on_done(void *arg, struct observation *seen)
{
	struct fixture *f = arg;

	f->done++;
	f->session = NULL;
	f->ended = loop_now(f->loop);
	f->seen = *seen;
	observation_init(seen);
	loop_stop(f->loop);
}

static void start(struct fixture *f)
{
	int err = 0;

	f->begun = loop_now(f->loop);
	f->session = session_start(f->loop, &f->conf, &f->peer, on_done, f, &err);
	assert_non_null(f->session);
	assert_int_equal(f->done, 0);
}

static void serve(struct fixture *f, const char *const *const *scripts, size_t n)
{
	f->server = server_new(f->loop, scripts, n);
	f->peer.addr = server_addr(f->server);
}

/* To the end of the session, and on until nothing happens any more. */
static void run(struct fixture *f)
{
	loop_run(f->loop);
	assert_int_equal(f->done, 1);
	loop_run(f->loop);
	assert_int_equal(f->done, 1);
}

static void against(struct fixture *f, const char *const *script)
{
	serve(f, &script, 1);
	start(f);
	run(f);
}

static void ends(const struct fixture *f, enum phase phase, enum end end, int code)
{
	if (f->seen.phase != phase || f->seen.end != end || f->seen.reply.code != code)
		fail_msg("%s, end %d, code %d: %s", phase_name(f->seen.phase), (int)f->seen.end,
			 f->seen.reply.code, f->seen.error ? f->seen.error : "");
}

static void test_healthy(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"+100", "S:220 mx\r\n", "C:", "+200", "S:250 mx\r\n",
					 "C:", "+300", "S:250 ok\r\n", "C:", "S:221 bye\r\n", "ALL",
					 "EOF", NULL});
	ends(f, PHASE_MAIL, END_REPLY, 250);
	assert_string_equal(server_heard(f->server), HELLO MAIL QUIT);
	assert_int_equal(f->seen.took[PHASE_CONNECT], 0);
	assert_int_equal(f->seen.took[PHASE_BANNER], 100 * MS);
	assert_int_equal(f->seen.first_byte, 100 * MS);
	assert_int_equal(f->seen.took[PHASE_EHLO], 200 * MS);
	assert_int_equal(f->seen.took[PHASE_MAIL], 300 * MS);
	assert_int_equal(observation_total(&f->seen), f->ended - f->begun);
	assert_int_not_equal(f->seen.rtt, USEC_NONE);
}

static void test_octet_by_octet(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:2",    "+1", "S:20 m", "+1", "S:x\r",         "+1",
					 "S:\n",   "C:", "S:2",    "+1", "S:50-a\r\n250", "+1",
					 "S: b\r", "+1", "S:\n",   "C:", "S:250 ",        "+1",
					 "S:ok\n", "C:", "EOF",    NULL});
	ends(f, PHASE_MAIL, END_REPLY, 250);
	assert_string_equal(buf_str(&f->seen.extensions), "b");
}

static void test_quit_is_waited_for_a_while(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:220 mx\r\n", "C:", "S:250 mx\r\n",
					 "C:", "S:452 4.3.1 no\r\n", "C:", NULL});
	ends(f, PHASE_MAIL, END_REPLY, 452);
	assert_int_equal(f->ended - f->begun, DIALOGUE_QUIT_WAIT);
	assert_int_equal(observation_total(&f->seen), 0);
}

/* A server that says more than it was asked for is told QUIT all the same. */
static void test_quit_is_said_to_one_who_has_said_bye(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:220 mx\r\n", "C:", "S:250 mx\r\n",
					 "C:", "S:250 ok\r\n221 bye\r\n", "ALL", "EOF", NULL});
	ends(f, PHASE_MAIL, END_REPLY, 250);
	assert_string_equal(server_heard(f->server), HELLO MAIL QUIT);
}

static void test_everything_at_once_and_the_end(void **state)
{
	struct fixture *f = *state;

	against(f,
		(const char *const[]){"S:220 mx\r\n250 mx\r\n250 ok\r\n221 bye\r\n", "EOF", NULL});
	ends(f, PHASE_MAIL, END_REPLY, 250);
	assert_true(f->seen.notes & NOTE_EARLY);
}

/* The greeting and the end in one packet, before we have looked. */
static void test_data_and_fin(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:220 mx\r\n", "FIN", "ALL", "EOF", NULL});
	ends(f, PHASE_EHLO, END_CLOSED, 220);
	assert_int_equal(f->seen.err, 0);
	assert_int_equal(f->ended, f->begun); /* noticed at once, not at some limit */
}

static void test_refusal_and_fin(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:421 4.3.1 out of memory\r\n", "EOF", NULL});
	ends(f, PHASE_BANNER, END_REPLY, 421);
	assert_int_equal(f->ended, f->begun);
}

static void test_partial_line_and_fin(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:220 m", "EOF", NULL});
	ends(f, PHASE_BANNER, END_CLOSED, 0);
	assert_int_equal(f->ended, f->begun);
}

static void test_fin_after_partial_line(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:220 m", "+5000", "EOF", NULL});
	ends(f, PHASE_BANNER, END_CLOSED, 0);
	assert_int_equal(f->ended - f->begun, 5 * SEC);
}

static void test_fin_later(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:220 mx\r\n", "C:", "+7000", "EOF", NULL});
	ends(f, PHASE_EHLO, END_CLOSED, 220);
	assert_int_equal(f->ended - f->begun, 7 * SEC);
}

static void test_reset(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){"S:220 mx\r\n", "C:", "RST", NULL});
	ends(f, PHASE_EHLO, END_CLOSED, 220);
	assert_int_equal(f->seen.err, ECONNRESET);
	assert_string_equal(f->seen.error, strerror(ECONNRESET));
}

static void test_refusal_and_reset_before_we_looked(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_storage sa;
	socklen_t len;
	struct linger none = {.l_onoff = 1};
	static const char text[] = "421 4.3.1 out of memory\r\n";
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	/* A server faster than our loop: it has accepted, refused and reset already. */
	f->peer.addr = addr_from_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
	len = addr_to_sockaddr(&f->peer.addr, &sa);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
	assert_true(addr_from_sockaddr(&f->peer.addr, (struct sockaddr *)&sa));
	start(f);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(send(fd, text, sizeof text - 1, 0), sizeof text - 1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
	close(fd);
	close(listener);
	run(f);
	/* Whether the text survives the reset is the system's choice; that it was no refusal to
	 * connect is sure. */
	if (f->seen.end == END_REPLY)
		ends(f, PHASE_BANNER, END_REPLY, 421);
	else
		ends(f, PHASE_BANNER, END_CLOSED, 0);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;

	f->peer.addr = nobody();
	start(f);
	run(f);
	ends(f, PHASE_CONNECT, END_REFUSED, 0);
	assert_int_equal(f->seen.err, ECONNREFUSED);
	assert_int_equal(f->seen.rtt, USEC_NONE);
}

static void test_no_route(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, err = 0;

	/* Only where the system has none: most test machines know no IPv6 beyond loopback. */
	assert_true(addr_parse(&f->peer.addr, "2001:db8::25", 25));
	len = addr_to_sockaddr(&f->peer.addr, &sa);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, len) != 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	if (err != ENETUNREACH && err != EADDRNOTAVAIL && err != EAFNOSUPPORT)
		skip();
	start(f);
	run(f);
	ends(f, PHASE_CONNECT, END_NO_ROUTE, 0);
}

static void test_source_address(void **state)
{
	struct fixture *f = *state;
	struct addr source = addr_from_ipv4((const uint8_t[]){127, 0, 0, 9}, 4711);
	static const char *const script[] = {
	    "S:220 mx\r\n", "C:", "S:250 mx\r\n", "C:", "S:250 ok\r\n", "C:", "EOF", NULL};

	f->conf.bind4 = &source;
	against(f, script);
	ends(f, PHASE_MAIL, END_REPLY, 250);
}

static void test_source_address_that_is_not_ours(void **state)
{
	struct fixture *f = *state;
	struct addr source = addr_from_ipv4((const uint8_t[]){192, 0, 2, 1}, 0);

	f->peer.addr = nobody();
	f->conf.bind4 = &source;
	start(f);
	run(f);
	ends(f, PHASE_CONNECT, END_LOCAL_ERROR, 0);
	assert_int_equal(f->seen.err, EADDRNOTAVAIL);
}

static void test_silent_banner(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){NULL});
	ends(f, PHASE_BANNER, END_TIMEOUT, 0);
	assert_int_equal(f->seen.took[PHASE_BANNER], 30 * SEC);
	assert_int_equal(f->ended - f->begun, 30 * SEC);
}

/* The limit is one for the whole session, however alive the server seems. */
static void test_dripping_server(void **state)
{
	struct fixture *f = *state;

	against(f,
		(const char *const[]){"S:220-a\r\n", "+9000", "S:220-b\r\n", "+9000", "S:220-c\r\n",
				      "+9000", "S:220-d\r\n", "+9000", "S:220 e\r\n", NULL});
	ends(f, PHASE_BANNER, END_TIMEOUT, 0);
	assert_true(f->seen.notes & NOTE_PARTIAL);
	assert_int_equal(f->ended - f->begun, 30 * SEC);
}

static void test_answer_at_the_last_moment(void **state)
{
	struct fixture *f = *state;

	f->conf.timeout = 5 * SEC;
	against(f, (const char *const[]){"+4999", "S:220 mx\r\n", "C:", "S:250 mx\r\n",
					 "C:", "S:250 ok\r\n", "C:", "EOF", NULL});
	ends(f, PHASE_MAIL, END_REPLY, 250);
}

/* An answer that waits in the socket counts although the limit has passed by now: the loop was held
 * up, the server was not late. */
static void test_held_up_loop(void **state)
{
	struct fixture *f = *state;

	f->conf.timeout = 5 * SEC;
	serve(f, &(const char *const *){(const char *const[]){"S:421 busy\r\n", "EOF", NULL}}, 1);
	start(f);
	fake_pass(f->loop, 6 * SEC);
	run(f);
	ends(f, PHASE_BANNER, END_REPLY, 421);
}

static void test_connect_timeout(void **state)
{
	struct fixture *f = *state;
	struct addr a = {0};
	struct sockaddr_storage sa;
	socklen_t len;
	int fds[8], listener = socket(AF_INET, SOCK_STREAM, 0);
	struct session *filling;
	int err;

	/* A listener that is full does not answer SYNs any more. */
	a = addr_from_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
	len = addr_to_sockaddr(&a, &sa);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(fds[i] >= 0);
		(void)connect(fds[i], (struct sockaddr *)&sa, len);
	}
	assert_true(addr_from_sockaddr(&f->peer.addr, (struct sockaddr *)&sa));
	start(f);
	run(f);
	ends(f, PHASE_CONNECT, END_TIMEOUT, 0);
	assert_int_equal(f->ended - f->begun, 10 * SEC);
	assert_int_equal(f->seen.took[PHASE_CONNECT], 10 * SEC);
	/* The session's own limit may be the shorter one. */
	f->done = 0;
	observation_fini(&f->seen);
	f->conf.timeout = 3 * SEC;
	f->begun = loop_now(f->loop);
	filling = session_start(f->loop, &f->conf, &f->peer, on_done, f, &err);
	assert_non_null(filling);
	run(f);
	ends(f, PHASE_CONNECT, END_TIMEOUT, 0);
	assert_int_equal(f->ended - f->begun, 3 * SEC);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	close(listener);
}

static void test_endless_garbage(void **state)
{
	struct fixture *f = *state;
	char *much = xmalloc(3 + 200000);
	const char *const script[] = {much, "ALL", "EOF", NULL};

	memcpy(much, "S:", 2);
	memset(much + 2, 'x', 200000);
	much[2 + 200000] = '\0';
	serve(f, &(const char *const *){script}, 1);
	start(f);
	run(f);
	ends(f, PHASE_BANNER, END_NOT_SMTP, 0);
	assert_int_equal(f->ended, f->begun);
	memcpy(much, "S:220 ", 6);
	server_free(f->server);
	f->done = 0;
	observation_fini(&f->seen);
	serve(f, &(const char *const *){script}, 1);
	start(f);
	run(f);
	ends(f, PHASE_BANNER, END_BAD_REPLY, 0);
	free(much);
}

/* TLS */

#define OFFER "S:220 mx\r\n", "C:", "S:250-mx\r\n250 STARTTLS\r\n", "C:"
#define PLAIN                                                                       \
	"S:220 mx\r\n", "C:", "S:250-mx\r\n250 STARTTLS\r\n", "C:", "S:250 ok\r\n", \
	    "C:", "S:221 bye\r\n", "EOF", NULL

static void fall_back(struct fixture *f, const char *const *first)
{
	static const char *const plain[] = {PLAIN};
	const char *const *scripts[] = {first, plain};

	serve(f, scripts, 2);
	start(f);
	run(f);
	ends(f, PHASE_MAIL, END_REPLY, 250);
	assert_int_equal(server_connections(f->server), 2);
	assert_true(f->seen.notes & NOTE_TLS_FALLBACK);
	assert_non_null(f->seen.tls);
	assert_non_null(f->seen.tls->error);
	assert_null(f->seen.tls->version);
	assert_int_equal(f->seen.took[PHASE_STARTTLS], USEC_NONE);
	assert_int_equal(f->seen.took[PHASE_TLS], USEC_NONE);
}

static void test_handshake_answered_with_garbage(void **state)
{
	/* A line to wait for is somewhere in the ClientHello only by chance: "+1" lets it come. */
	fall_back(*state, (const char *const[]){OFFER, "S:220 go\r\n", "+1", "S:what is this?\r\n",
						"ALL", "EOF", NULL});
}

static void test_handshake_closed(void **state)
{
	fall_back(*state, (const char *const[]){OFFER, "S:220 go\r\n", "+1", "EOF", NULL});
}

static void test_handshake_reset(void **state)
{
	fall_back(*state, (const char *const[]){OFFER, "S:220 go\r\n", "+1", "RST", NULL});
}

/* The second connection has what the first one left of the limit. */
static void test_fall_back_within_one_limit(void **state)
{
	struct fixture *f = *state;
	static const char *const first[] = {OFFER, "S:220 go\r\n", "+20000", "EOF", NULL};
	static const char *const second[] = {NULL};
	const char *const *scripts[] = {first, second};

	serve(f, scripts, 2);
	start(f);
	run(f);
	ends(f, PHASE_BANNER, END_TIMEOUT, 0);
	assert_int_equal(f->ended - f->begun, 30 * SEC);
	assert_int_equal(f->seen.took[PHASE_BANNER], 10 * SEC);
	assert_true(f->seen.notes & NOTE_TLS_FALLBACK);
}

static void test_handshake_silent_is_no_fall_back(void **state)
{
	struct fixture *f = *state;

	against(f, (const char *const[]){OFFER, "S:220 go\r\n", NULL});
	ends(f, PHASE_TLS, END_TIMEOUT, 220);
	assert_int_equal(server_connections(f->server), 1);
}

static void test_handshake_failed_where_tls_is_a_must(void **state)
{
	struct fixture *f = *state;

	f->peer.tls = TLS_REQUIRE;
	against(f, (const char *const[]){OFFER, "S:220 go\r\n", "+1", "S:what is this?\r\n", "ALL",
					 "EOF", NULL});
	ends(f, PHASE_TLS, END_TLS, 220);
	assert_int_equal(server_connections(f->server), 1);
	assert_non_null(f->seen.error);
}

/* A gate at which others stand until a moment. */
struct queue {
	struct gate *gate;
	struct gate_ticket others[GATE_MOST];
	struct timer leave;
};

static void go_on(void *arg)
{
	(void)arg; /* nobody asks who is inside */
}

static void leave_all(void *arg)
{
	struct queue *q = arg;

	for (size_t i = 0; i < ARRAY_LEN(q->others); i++)
		gate_leave(&q->others[i]);
}

static struct queue *crowd(struct fixture *f, usec_t until)
{
	struct queue *q = xcalloc(1, sizeof *q);

	f->conf.gate = q->gate = gate_new(f->loop);
	for (size_t i = 0; i < ARRAY_LEN(q->others); i++)
		if (!gate_enter(q->gate, &q->others[i], go_on, NULL))
			loop_run(f->loop);
	timer_init(&q->leave, f->loop, leave_all, q);
	timer_at(&q->leave, loop_now(f->loop) + until);
	return q;
}

static void queue_free(struct queue *q)
{
	timer_fini(&q->leave);
	leave_all(q);
	gate_free(q->gate);
	free(q);
}

/* The time for which this machine had no room for a handshake is not the server's. */
static void test_held_at_the_gate(void **state)
{
	struct fixture *f = *state;
	struct queue *q = crowd(f, 50 * SEC);

	against(f, (const char *const[]){OFFER, "S:220 go\r\n", "+60000", NULL});
	ends(f, PHASE_TLS, END_TIMEOUT, 220);
	assert_int_equal(f->seen.took[PHASE_TLS], 30 * SEC);
	assert_int_equal(observation_total(&f->seen), 30 * SEC);
	assert_int_equal(f->ended - f->begun, 80 * SEC);
	queue_free(q);
}

/* Nor is it taken from the connection that follows a failed one. */
static void test_fall_back_after_the_gate(void **state)
{
	struct fixture *f = *state;
	struct queue *q = crowd(f, 50 * SEC);
	static const char *const first[] = {OFFER, "S:220 go\r\n", "+55000", "EOF", NULL};
	static const char *const second[] = {NULL};
	const char *const *scripts[] = {first, second};

	serve(f, scripts, 2);
	start(f);
	run(f);
	ends(f, PHASE_BANNER, END_TIMEOUT, 0);
	assert_true(f->seen.notes & NOTE_TLS_FALLBACK);
	assert_int_equal(f->ended - f->begun, 80 * SEC);
	assert_int_equal(f->seen.took[PHASE_BANNER], 25 * SEC);
	queue_free(q);
}

/* What comes before our handshake has begun is injected, whoever held that up. */
static void test_injection_at_the_gate(void **state)
{
	struct fixture *f = *state;
	struct queue *q = crowd(f, 50 * SEC);

	against(f, (const char *const[]){OFFER, "S:220 go\r\n", "+1000", "S:250 injected\r\n",
					 "ALL", "EOF", NULL});
	ends(f, PHASE_TLS, END_TLS, 220);
	assert_int_equal(server_connections(f->server), 1);
	assert_non_null(strstr(f->seen.error, "plaintext"));
	queue_free(q);
}

static void test_injection_with_the_reply(void **state)
{
	struct fixture *f = *state;

	against(f,
		(const char *const[]){OFFER, "S:220 go\r\n250 injected\r\n", "ALL", "EOF", NULL});
	ends(f, PHASE_TLS, END_TLS, 220);
	assert_int_equal(server_connections(f->server), 1);
	assert_int_equal(f->ended, f->begun);
	assert_non_null(strstr(f->seen.error, "plaintext"));
}

/* The injected octets wait in the socket, behind a chunk that the reply filled to its end. */
static void test_injection_behind_the_reply(void **state)
{
	enum { CHUNK = 16384 };
	struct fixture *f = *state;
	struct buf step = {0};
	const char *script[] = {OFFER, NULL, "ALL", "EOF", NULL};

	buf_addstr(&step, "S:");
	while (step.len - 2 < CHUNK) {
		size_t left = CHUNK - (step.len - 2), line = left > 2000 ? 1000 : left;

		buf_addstr(&step, line == left ? "220 " : "220-");
		while (line-- > 6)
			buf_addc(&step, 'x');
		buf_addstr(&step, "\r\n");
	}
	buf_addstr(&step, "250 injected\r\n");
	script[4] = buf_str(&step);
	against(f, script);
	ends(f, PHASE_TLS, END_TLS, 220);
	assert_int_equal(server_connections(f->server), 1);
	assert_non_null(strstr(f->seen.error, "plaintext"));
	buf_fini(&step);
}

/* Trace and cancelling */

static void on_trace(void *arg, const struct session_trace *t)
{
	struct fixture *f = arg;

	buf_printf(&f->trace, "%c %.*s\n", t->mark, (int)t->n, t->text);
}

static void test_trace(void **state)
{
	struct fixture *f = *state;

	f->conf.trace = on_trace;
	f->conf.trace_arg = f;
	against(f, (const char *const[]){"S:220-a\r\n22", "S:0 b\r\n", "C:", "S:250 mx\r\n",
					 "C:", "S:550 no\r\n", "C:", "S:221 bye", "EOF", NULL});
	assert_string_equal(buf_str(&f->trace), "* connecting\n"
						"* connected\n"
						"< 220-a\n"
						"< 220 b\n"
						"> EHLO probe.example.net\n"
						"< 250 mx\n"
						"> MAIL FROM:<>\n"
						"< 550 no\n"
						"> QUIT\n"
						"< 221 bye\n"
						"* closed\n");
}

static void on_stop(void *arg)
{
	loop_stop(arg);
}

/* At any moment, and nothing is left behind: the tear-down looks. */
static void test_cancel_at_any_time(void **state)
{
	struct fixture *f = *state;
	static const char *const script[] = {
	    "+100", "S:220 mx\r\n", "C:",           "+100", "S:250 mx\r\n",
	    "C:",   "+100",         "S:250 ok\r\n", "C:",   NULL};
	static const enum phase phases[] = {PHASE_BANNER, PHASE_EHLO, PHASE_MAIL, PHASE_MAIL};
	struct timer timer;

	serve(f, &(const char *const *){script}, 1);
	timer_init(&timer, f->loop, on_stop, f->loop);
	start(f);
	session_cancel(f->session); /* before anything has happened */
	for (size_t i = 0; i < ARRAY_LEN(phases); i++) {
		start(f);
		timer_at(&timer, loop_now(f->loop) + (usec_t)i * 100 * MS + 50 * MS);
		loop_run(f->loop);
		assert_int_equal(session_phase(f->session), phases[i]);
		session_cancel(f->session);
		f->session = NULL;
	}
	loop_run(f->loop);
	assert_int_equal(f->done, 0);
	session_cancel(NULL);
}

static void test_no_descriptor_left(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, none;
	struct session *s;
	int err = 0, probe = dup(0);

	assert_true(probe >= 0);
	close(probe);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)probe; /* the lowest that is free is one too many */
	f->peer.addr = addr_from_ipv4((const uint8_t[]){127, 0, 0, 1}, 25);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	s = session_start(f->loop, &f->conf, &f->peer, on_done, f, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_null(s);
	assert_int_equal(err, EMFILE);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_healthy),
	    TEST(test_octet_by_octet),
	    TEST(test_quit_is_waited_for_a_while),
	    TEST(test_quit_is_said_to_one_who_has_said_bye),
	    TEST(test_everything_at_once_and_the_end),
	    TEST(test_data_and_fin),
	    TEST(test_refusal_and_fin),
	    TEST(test_partial_line_and_fin),
	    TEST(test_fin_after_partial_line),
	    TEST(test_fin_later),
	    TEST(test_reset),
	    TEST(test_refusal_and_reset_before_we_looked),
	    TEST(test_refused),
	    TEST(test_no_route),
	    TEST(test_source_address),
	    TEST(test_source_address_that_is_not_ours),
	    TEST(test_silent_banner),
	    TEST(test_dripping_server),
	    TEST(test_answer_at_the_last_moment),
	    TEST(test_held_up_loop),
	    TEST(test_connect_timeout),
	    TEST(test_endless_garbage),
	    TEST(test_handshake_answered_with_garbage),
	    TEST(test_handshake_closed),
	    TEST(test_handshake_reset),
	    TEST(test_fall_back_within_one_limit),
	    TEST(test_handshake_silent_is_no_fall_back),
	    TEST(test_handshake_failed_where_tls_is_a_must),
	    TEST(test_held_at_the_gate),
	    TEST(test_fall_back_after_the_gate),
	    TEST(test_injection_at_the_gate),
	    TEST(test_injection_with_the_reply),
	    TEST(test_injection_behind_the_reply),
	    TEST(test_trace),
	    TEST(test_cancel_at_any_time),
	    TEST(test_no_descriptor_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "smtp/session.h"

#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct session {
	struct loop *loop;
	const struct session_conf *conf;
	const struct peer *peer;
	struct dialogue_conf dialogue_conf;
	void (*done)(void *arg, struct observation *);
	void *arg;
	usec_t started, deadline;
	struct stream *stream;
	struct timer timer;
	struct gate_ticket gate;
	usec_t held_since; /* at the gate */
	struct dialogue dialogue;
	struct observation seen;
	struct buf line; /* of the server, for the trace */
	bool heard;
};

static const struct stream_events events;

static void trace(struct session *s, char mark, const char *text, size_t n)
{
	struct session_trace t = {.addr = &s->peer->addr,
				  .host = s->peer->host,
				  .at = loop_now(s->loop) - s->started,
				  .mark = mark,
				  .text = text,
				  .n = n};

	s->conf->trace(s->conf->trace_arg, &t);
}

static void trace_str(struct session *s, char mark, const char *text)
{
	if (s->conf->trace)
		trace(s, mark, text, strlen(text));
}

/* Shows what the server said line by line, however it came. */
static void trace_heard(struct session *s, const char *bytes, size_t n)
{
	if (!s->conf->trace)
		return;
	while (n) {
		const char *lf = memchr(bytes, '\n', n);
		size_t len = lf ? (size_t)(lf - bytes) : n;

		if (s->line.len + len <= REPLY_LINE_MAX)
			buf_add(&s->line, bytes, len);
		if (!lf)
			return;
		if (s->line.len && s->line.data[s->line.len - 1] == '\r')
			s->line.len--;
		trace(s, '<', s->line.data, s->line.len);
		buf_clear(&s->line);
		bytes += len + 1;
		n -= len + 1;
	}
}

static void drop_stream(struct session *s)
{
	if (s->stream && s->seen.rtt == USEC_NONE)
		s->seen.rtt = stream_rtt(s->stream);
	stream_free(s->stream);
	s->stream = NULL;
}

static void destroy(struct session *s)
{
	gate_leave(&s->gate);
	drop_stream(s);
	timer_fini(&s->timer);
	dialogue_fini(&s->dialogue);
	observation_fini(&s->seen);
	buf_fini(&s->line);
	free(s);
}

static void finish(struct session *s)
{
	if (s->conf->trace && s->line.len)
		trace(s, '<', s->line.data, s->line.len);
	if (s->stream)
		stream_shut(s->stream);
	drop_stream(s);
	trace_str(s, '*', s->seen.error ? s->seen.error : "closed");
	timer_at(&s->timer, USEC_NEVER);
	s->done(s->arg, &s->seen);
	destroy(s);
}

/* Says what the dialogue has to say, and sets the time for what is awaited. */
static void speak(struct session *s)
{
	char command[DIALOGUE_COMMAND_MAX];

	if (dialogue_need(&s->dialogue) == NEED_SEND) {
		size_t n = dialogue_take(&s->dialogue, command, sizeof command);

		stream_write(s->stream, command, n);
		if (s->conf->trace)
			trace(s, '>', command, n - 2);
	}
	timer_at(&s->timer, dialogue_deadline(&s->dialogue));
}

/* The same; finishes (and frees) the session when that was all. */
static void step(struct session *s)
{
	speak(s);
	if (dialogue_need(&s->dialogue) == NEED_NOTHING)
		finish(s);
}

/* The network's answer. EACCES, too, is a router's (ICMPv6: administratively prohibited). */
static enum end end_of_connect_error(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ECONNRESET: /* refused by a middlebox, or a listener that went away */
		return END_REFUSED;
	case ETIMEDOUT:
		return END_TIMEOUT;
	default:
		return END_UNREACHABLE;
	}
}

/* What connect() said at once is this machine's word, not the network's. */
static enum end end_of_open_error(int err, bool bound)
{
	switch (err) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EAFNOSUPPORT:
	case EPFNOSUPPORT:
	case EPROTONOSUPPORT:
		return END_NO_ROUTE;
	case EADDRNOTAVAIL: /* no source address of that family; with --bind it is the one named */
	case EINVAL:        /* a link-local address that does not say which link */
		return bound ? END_LOCAL_ERROR : END_NO_ROUTE;
	case ECONNREFUSED:
	case ETIMEDOUT:
		return end_of_connect_error(err);
	default:
		return END_LOCAL_ERROR;
	}
}

static const struct addr *source(const struct session *s)
{
	return s->peer->addr.family == AF_INET ? s->conf->bind4 : s->conf->bind6;
}

static bool want_later(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM || err == EAGAIN;
}

static void open_stream(struct session *s, bool plain, int *err)
{
	*err = 0;
	dialogue_init(&s->dialogue, &s->dialogue_conf, &s->seen, loop_now(s->loop), s->deadline,
		      plain);
	s->stream = stream_open(s->loop, &s->peer->addr, source(s), &events, s, err);
	timer_at(&s->timer, dialogue_deadline(&s->dialogue));
	trace_str(s, '*', plain ? "connecting again, without TLS" : "connecting");
}

/* The system refused: told by the timer, since a start must not call back. */
static void refused_at_once(struct session *s, int err)
{
	dialogue_fail(&s->dialogue, end_of_open_error(err, source(s) != NULL), err,
		      loop_now(s->loop));
	timer_soon(&s->timer);
}

/* In mode auto senders go on without TLS, so a failed handshake gets a second connection. */
static bool fall_back(struct session *s)
{
	struct tls_facts *facts;
	unsigned notes = NOTE_TLS_FALLBACK;
	int err;

	if (s->dialogue_conf.tls != TLS_AUTO || s->dialogue.plain || s->seen.end != END_TLS)
		return false;
	facts = tls_facts_new();
	facts->error = s->seen.error ? s->seen.error : xstrdup("TLS handshake failed");
	s->seen.error = NULL;
	trace_str(s, '*', facts->error);
	stream_free(s->stream);
	s->stream = NULL;
	dialogue_fini(&s->dialogue);
	observation_fini(&s->seen);
	s->seen.notes = notes;
	s->seen.tls = facts;
	open_stream(s, true, &err);
	if (!s->stream)
		refused_at_once(s, err);
	return true;
}

static void start_tls(struct session *s)
{
	static const enum tls_check checks[] = {[TLS_OFF] = TLS_CHECK_NONE,
						[TLS_AUTO] = TLS_CHECK_NONE,
						[TLS_REQUIRE] = TLS_CHECK_NONE,
						[TLS_VERIFY] = TLS_CHECK_WEBPKI,
						[TLS_DANE] = TLS_CHECK_DANE};
	const struct peer *peer = s->peer;
	char address[ADDR_STRLEN];
	struct tls_want want = {.server_name = peer->tls_name ? peer->tls_name : peer->host,
				.also = peer->also,
				.check = peer->check ? peer->check : checks[peer->tls],
				.lenient = peer->tls < TLS_VERIFY,
				.tlsa = peer->tlsa,
				.n_tlsa = peer->n_tlsa,
				.chain = s->conf->trace != NULL};

	if (!want.server_name && want.check != TLS_CHECK_NONE)
		want.server_name = addr_format(&peer->addr, address);
	stream_start_tls(s->stream, tls_new(s->conf->tls, &want));
}

/* The time spent in our own queue is not the server's. */
static void forget_held(struct session *s)
{
	usec_t held = loop_now(s->loop) - s->held_since;

	s->deadline += held;
	dialogue_held(&s->dialogue, held);
}

static void on_gate(void *arg)
{
	struct session *s = arg;

	forget_held(s);
	timer_at(&s->timer, dialogue_deadline(&s->dialogue));
	start_tls(s);
}

static void want_tls(struct session *s)
{
	s->held_since = loop_now(s->loop);
	if (s->conf->gate && !gate_enter(s->conf->gate, &s->gate, on_gate, s)) {
		timer_at(&s->timer, USEC_NEVER);
		stream_hold(s->stream);
		return;
	}
	timer_at(&s->timer, dialogue_deadline(&s->dialogue));
	start_tls(s);
}

static void on_connected(void *arg)
{
	struct session *s = arg;

	dialogue_connected(&s->dialogue, loop_now(s->loop));
	trace_str(s, '*', "connected");
	step(s);
}

static void on_failed(void *arg, enum stream_fault fault, int err, struct tls_facts *facts);

static void on_data(void *arg, const char *bytes, size_t n)
{
	struct session *s = arg;
	usec_t now = loop_now(s->loop);
	bool partly = false;

	if (!s->heard && s->conf->heard)
		s->conf->heard(s->arg);
	s->heard = true;
	/* Before our handshake has begun nothing is to come. */
	if (s->gate.state == GATE_WAITING) {
		on_failed(s, STREAM_INJECTED, 0, NULL);
		return;
	}
	while (n && dialogue_need(&s->dialogue) != NEED_NOTHING) {
		size_t used = dialogue_feed(&s->dialogue, bytes, n, now);

		trace_heard(s, bytes, used);
		bytes += used;
		n -= used;
		if (dialogue_need(&s->dialogue) == NEED_TLS) {
			want_tls(s);
			return;
		}
		if (dialogue_need(&s->dialogue) == NEED_NOTHING)
			break;
		partly = dialogue_need(&s->dialogue) == NEED_READ;
		speak(s);
	}
	if (dialogue_need(&s->dialogue) == NEED_NOTHING)
		finish(s);
	else if (partly)
		stream_acknowledge(s->stream);
}

static void on_secured(void *arg, struct tls_facts *facts)
{
	struct session *s = arg;

	gate_leave(&s->gate);
	if (s->conf->trace) {
		char *text = xasprintf("%s, %s", facts->version, facts->cipher);

		trace_str(s, '*', text);
		free(text);
		for (size_t i = 0; i < facts->n_chain; i++)
			trace_str(s, '*', facts->chain[i]);
	}
	dialogue_secured(&s->dialogue, facts, loop_now(s->loop));
	step(s);
}

static void on_failed(void *arg, enum stream_fault fault, int err, struct tls_facts *facts)
{
	struct session *s = arg;
	usec_t now = loop_now(s->loop);
	char *words = NULL;

	if (s->gate.state == GATE_WAITING)
		forget_held(s);
	gate_leave(&s->gate);
	switch (fault) {
	case STREAM_CONNECT:
		dialogue_fail(&s->dialogue, end_of_connect_error(err), err, now);
		break;
	case STREAM_EOF:
	case STREAM_RESET:
		dialogue_fail(&s->dialogue, END_CLOSED, err, now);
		break;
	case STREAM_LOCAL:
		dialogue_fail(&s->dialogue, END_LOCAL_ERROR, err, now);
		break;
	case STREAM_TLS:
		words = facts && facts->error ? xstrdup(facts->error) : NULL;
		dialogue_fail(&s->dialogue, END_TLS, 0, now);
		break;
	case STREAM_INJECTED:
		words = xstrdup("plaintext follows the reply to STARTTLS");
		dialogue_fail(&s->dialogue, END_TLS, 0, now);
		break;
	}
	if (words && s->seen.end == END_TLS) {
		free(s->seen.error);
		s->seen.error = words;
		words = NULL;
	}
	free(words);
	tls_facts_free(facts);
	if (fault == STREAM_INJECTED || !fall_back(s))
		finish(s);
}

static const struct stream_events events = {
    .connected = on_connected,
    .data = on_data,
    .secured = on_secured,
    .failed = on_failed,
};

static void on_timer(void *arg)
{
	struct session *s = arg;

	if (s->stream && stream_is_shaking(s->stream))
		dialogue_heard(&s->dialogue);
	if (dialogue_need(&s->dialogue) != NEED_NOTHING)
		dialogue_fail(&s->dialogue, END_TIMEOUT, 0, loop_now(s->loop));
	finish(s);
}

struct session *session_start(struct loop *loop, const struct session_conf *conf,
			      const struct peer *peer,
			      void (*done)(void *arg, struct observation *), void *arg, int *err)
{
	struct session *s = xcalloc(1, sizeof *s);

	s->loop = loop;
	s->conf = conf;
	s->peer = peer;
	s->dialogue_conf = conf->dialogue;
	s->dialogue_conf.tls = peer->tls;
	s->done = done;
	s->arg = arg;
	s->started = loop_now(loop);
	s->deadline = s->started + conf->timeout;
	observation_init(&s->seen);
	timer_init(&s->timer, loop, on_timer, s);
	open_stream(s, false, err);
	if (!s->stream && want_later(*err)) {
		destroy(s);
		return NULL;
	}
	if (!s->stream)
		refused_at_once(s, *err);
	return s;
}

void session_cancel(struct session *s)
{
	if (s)
		destroy(s);
}

enum phase session_phase(const struct session *s)
{
	return dialogue_phase(&s->dialogue);
}

#include "dns/resolver.h"

#include "base/arena.h"
#include "base/map.h"
#include "dns/ports.h"
#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	KEY_MAX = DNS_NAME_MAX + 3,
	FAILURE_TTL = 30, /* seconds a failure is remembered; RFC 2308 7.1 allows 300 */
	TTL_MAX = 86400,
	FEW = 8,          /* as many questions at once get a port of their own each */
	FEW_A_SECOND = 64 /* but no more in a second */
};

struct query {
	struct question *question; /* NULL once its call-back runs */
	struct query *next;
	void (*done)(void *arg, const struct dns_answer *);
	void *arg;
};

/* One question on its way to one server. */
struct attempt {
	struct question *question;
	struct ticket udp;
	struct stream *tcp;
	uint16_t tcp_id;
	bool local;    /* this machine let it not be made */
	struct buf in; /* TCP octets */
	struct timer timer;
};

/* One question, from its first asker until its answer has grown old. A long list has hundreds of
 * thousands: they are small. */
struct question {
	struct resolver *resolver;
	struct query *askers;
	struct question *next; /* in the queue, or in the list of what is to be told */
	struct attempt *now;   /* NULL: none is under way, as for most of a question's life */
	struct dns_message *message;
	usec_t expires;
	enum dns_type type;
	enum dns_status status; /* when known */
	uint16_t tries;         /* used up */
	uint8_t server;         /* to ask now */
	bool queued : 1, flying : 1, known : 1, telling : 1;
	bool busy : 1;   /* its askers are being told: the answer must stay */
	bool failed : 1; /* some server has said that it will not tell: servfail, not timeout */
	bool asked : 1;  /* some try was not kept from being made by this machine */
	bool plain : 1;  /* without EDNS */
	char key[];      /* two octets of type, then the name in lower case */
};
static_assert(RESOLVERS_MAX <= UINT8_MAX, "a server's index fits");

struct resolver {
	struct loop *loop;
	struct resolver_conf conf;
	bool no_edns[RESOLVERS_MAX];  /* servers that answered FORMERR to an OPT record */
	char *trouble[RESOLVERS_MAX]; /* what their first try came to, while nobody has answered */
	bool answered;
	int local_error; /* why this machine let something not be asked, the last time; 0 */
	struct map questions;
	struct arena memory; /* of the questions */
	struct question *queue, **queue_end;
	unsigned flying;
	size_t first;      /* server of the next question, with rotate */
	struct timer tell; /* hands known answers on, in a turn of its own */
	struct question *to_tell, **to_tell_end;
	struct ports *ports;
	usec_t second; /* in which `alone` questions got a port of their own */
	unsigned alone;
};

const struct resolver_conf resolver_conf_default = {
    .timeout = 2 * USEC_PER_SEC, .tries = 3, .in_flight = 256};

static void start_try(struct question *q);
static void pump(struct resolver *r);

static const char *name_of(const struct question *q)
{
	return q->key + 2;
}

static const char *type_name(enum dns_type type)
{
	switch (type) {
	case TYPE_A:
		return "A";
	case TYPE_AAAA:
		return "AAAA";
	case TYPE_MX:
		return "MX";
	case TYPE_TXT:
		return "TXT";
	case TYPE_TLSA:
		return "TLSA";
	default:
		return "?";
	}
}

static void trace(struct question *q, const char *what)
{
	struct resolver *r = q->resolver;
	char server[ADDR_STRLEN];
	char *line;

	if (!r->conf.trace)
		return;
	line = xasprintf("%s %s: %s (%s)", name_of(q), type_name(q->type), what,
			 addr_format(&r->conf.servers[q->server], server));
	r->conf.trace(r->conf.trace_arg, line);
	free(line);
}

static void on_tell(void *arg);
static bool on_datagram(struct ticket *ticket, const uint8_t *wire, size_t n);
static void on_port_failed(struct ticket *ticket, const char *why, enum port_fault fault);

/* All that is not done where it comes up waits for the resolver's own turn. */
static void turn_soon(void *arg)
{
	struct resolver *r = arg;

	timer_soon(&r->tell);
}

struct resolver *resolver_new(struct loop *loop, const struct resolver_conf *conf)
{
	struct resolver *r = xcalloc(1, sizeof *r);

	r->loop = loop;
	r->conf = *conf;
	r->questions.borrows = true;
	r->queue_end = &r->queue;
	r->to_tell_end = &r->to_tell;
	timer_init(&r->tell, loop, on_tell, r);
	r->ports = ports_new(
	    loop, r->conf.servers, r->conf.n_servers,
	    &(struct ports_events){
		.datagram = on_datagram, .failed = on_port_failed, .work = turn_soon, .arg = r});
	return r;
}

static void on_timeout(void *arg);

static void open_try(struct question *q)
{
	struct resolver *r = q->resolver;

	q->now = xcalloc(1, sizeof *q->now);
	q->now->question = q;
	timer_init(&q->now->timer, r->loop, on_timeout, q);
	timer_at(&q->now->timer, loop_now(r->loop) + r->conf.timeout);
}

static void close_try(struct question *q)
{
	struct attempt *now = q->now;

	q->now = NULL;
	if (!now)
		return;
	ports_leave(&now->udp);
	stream_free(now->tcp);
	buf_fini(&now->in);
	timer_fini(&now->timer);
	free(now);
}

static void question_fini(struct question *q)
{
	close_try(q);
	while (q->askers) {
		struct query *asker = q->askers;

		q->askers = asker->next;
		free(asker);
	}
	dns_message_free(q->message);
}

void resolver_free(struct resolver *r)
{
	struct question *q;
	size_t at = 0;

	if (!r)
		return;
	while ((q = map_next(&r->questions, &at)) != NULL)
		question_fini(q);
	map_fini(&r->questions);
	arena_fini(&r->memory);
	for (size_t i = 0; i < RESOLVERS_MAX; i++)
		free(r->trouble[i]);
	ports_free(r->ports);
	timer_fini(&r->tell);
	free(r);
}

void resolver_close(struct resolver *r)
{
	ports_free(r->ports);
	r->ports = NULL;
}

/* Telling: detached from every list first, called back last. */

static void tell_later(struct question *q)
{
	struct resolver *r = q->resolver;

	if (q->telling)
		return;
	q->telling = true;
	q->next = NULL;
	*r->to_tell_end = q;
	r->to_tell_end = &q->next;
	turn_soon(r);
}

static void on_tell(void *arg)
{
	struct resolver *r = arg;
	struct question *q;

	while ((q = r->to_tell) != NULL) {
		struct dns_answer answer = {.status = q->status, .message = q->message};

		r->to_tell = q->next;
		if (!r->to_tell)
			r->to_tell_end = &r->to_tell;
		q->telling = false;
		/* An asker may ask the same again from its call-back, or cancel another: what is
		 * then in the list counts. */
		q->busy = true;
		while (q->askers && !q->telling) {
			struct query *asker = q->askers;

			q->askers = asker->next;
			asker->question = NULL;
			asker->done(asker->arg, &answer);
			free(asker);
		}
		q->busy = false;
	}
	pump(r);
	ports_flush(r->ports);
	ports_sweep(r->ports);
	/* Nothing that came up by now needs another turn. */
	if (!r->to_tell && (!r->queue || r->flying >= r->conf.in_flight))
		timer_at(&r->tell, USEC_NEVER);
}

static uint32_t ttl_of(const struct question *q)
{
	uint32_t ttl = TTL_MAX;

	if (!q->message)
		return FAILURE_TTL;
	if (!q->message->n_answers || q->status != DNS_OK)
		return q->message->soa && q->message->negative_ttl < TTL_MAX
			   ? q->message->negative_ttl
			   : FAILURE_TTL;
	for (size_t i = 0; i < q->message->n_answers; i++)
		if (q->message->answers[i].ttl < ttl)
			ttl = q->message->answers[i].ttl;
	return ttl;
}

/* The question is answered, one way or other. */
static void settle(struct question *q, enum dns_status status, struct dns_message *message)
{
	struct resolver *r = q->resolver;

	close_try(q);
	if (q->flying)
		r->flying--;
	q->flying = false;
	q->known = true;
	q->status = status;
	q->message = message;
	q->expires = loop_recent(r->loop) + (usec_t)ttl_of(q) * USEC_PER_SEC;
	tell_later(q);
}

/* The first word is the one that tells: behind "Network is unreachable" comes "no answer". */
static void note_trouble(struct question *q, const char *why)
{
	char **place = &q->resolver->trouble[q->server];

	if (!*place && !q->resolver->answered)
		*place = xstrdup(why);
}

/* The try came to nothing. */
static void next_try(struct question *q, const char *why)
{
	struct resolver *r = q->resolver;

	trace(q, why);
	note_trouble(q, why);
	close_try(q);
	q->tries++;
	if (q->tries >= r->conf.tries) {
		settle(q,
		       q->failed  ? DNS_SERVFAIL
		       : q->asked ? DNS_TIMEOUT
				  : DNS_LOCAL_ERROR,
		       NULL);
		return;
	}
	q->server = (uint8_t)((q->server + 1u) % r->conf.n_servers);
	q->plain = r->no_edns[q->server];
	start_try(q);
}

static void server_failed(struct question *q, const char *why)
{
	q->asked = q->failed = true;
	next_try(q, why);
}

/* Tells nothing of the server. */
static void local_failed(struct question *q, int err)
{
	q->resolver->local_error = err;
	next_try(q, strerror(err));
}

static bool same_name(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

/* A whole message with our id has come from the server asked. False: it is not an answer to our
 * question, and the true one may still come. */
static bool take_message(struct question *q, const uint8_t *wire, size_t n,
			 const struct dns_header *h, bool tcp)
{
	struct resolver *r = q->resolver;
	struct dns_message *m;
	bool ours;

	m = dns_message_read(wire, n);
	if (!m) {
		server_failed(q, "an answer that cannot be read");
		return true;
	}
	ours = m->qname && m->qtype == q->type && same_name(m->qname, name_of(q));
	/* A server that cannot read our query may leave the question out of its complaint. */
	if (!ours &&
	    !(h->questions == 0 && (h->rcode == RCODE_FORMERR || h->rcode == RCODE_NOTIMP ||
				    h->rcode == RCODE_SERVFAIL || h->rcode == RCODE_REFUSED))) {
		dns_message_free(m);
		if (tcp)
			server_failed(q, "an answer to another question");
		return tcp;
	}
	r->answered = true;
	m->authenticated =
	    m->authentic && (r->conf.trust_ad || addr_is_loopback(&r->conf.servers[q->server]));
	switch (m->rcode) {
	case RCODE_NOERROR:
		trace(q, m->n_answers ? "answered" : "answered: no such record");
		settle(q, DNS_OK, m);
		return true;
	case RCODE_NXDOMAIN:
		trace(q, "NXDOMAIN");
		settle(q, DNS_NXDOMAIN, m);
		return true;
	case RCODE_FORMERR:
		dns_message_free(m);
		if (!q->plain) { /* RFC 6891 7: it may know nothing of EDNS */
			r->no_edns[q->server] = true;
			q->plain = true;
			trace(q, "FORMERR, again without EDNS");
			close_try(q);
			start_try(q);
		} else {
			server_failed(q, "FORMERR");
		}
		return true;
	default:
		server_failed(q, m->rcode == RCODE_SERVFAIL  ? "SERVFAIL"
				 : m->rcode == RCODE_REFUSED ? "REFUSED"
				 : m->rcode == RCODE_NOTIMP  ? "NOTIMP"
							     : "an error");
		dns_message_free(m);
		return true;
	}
}

/* TCP, after truncation (RFC 7766) */

static void on_tcp_connected(void *arg)
{
	struct question *q = arg;
	uint8_t query[2 + DNS_QUERY_MAX];
	size_t n = dns_query(query + 2, name_of(q), q->type, q->now->tcp_id, !q->plain);

	query[0] = (uint8_t)(n >> 8);
	query[1] = (uint8_t)n;
	if (n)
		stream_write(q->now->tcp, query, 2 + n);
}

static void on_tcp_data(void *arg, const char *bytes, size_t n)
{
	struct question *q = arg;
	struct dns_header h;
	const uint8_t *in;
	size_t length;

	buf_add(&q->now->in, bytes, n);
	in = (const uint8_t *)q->now->in.data;
	if (q->now->in.len < 2)
		return;
	length = (size_t)(in[0] << 8 | in[1]);
	if (q->now->in.len - 2 < length)
		return;
	/* The copy outlives the try, which ends while it is read. */
	uint8_t *wire = xmalloc(length);

	memcpy(wire, in + 2, length);
	if (!dns_header_read(&h, wire, length) || h.id != q->now->tcp_id || !h.response)
		server_failed(q, "no answer to our question over TCP");
	else
		(void)take_message(q, wire, length, &h, true); /* over TCP it is always taken */
	free(wire);
}

static void on_tcp_secured(void *arg, struct tls_facts *facts)
{
	(void)arg;
	tls_facts_free(facts); /* no TLS here */
}

static void on_tcp_failed(void *arg, enum stream_fault fault, int err, struct tls_facts *facts)
{
	struct question *q = arg;

	tls_facts_free(facts);
	if (fault == STREAM_LOCAL)
		local_failed(q, err);
	else
		server_failed(q, "truncated, and TCP failed");
}

static const struct stream_events tcp_events = {
    .connected = on_tcp_connected,
    .data = on_tcp_data,
    .secured = on_tcp_secured,
    .failed = on_tcp_failed,
};

static void start_tcp(struct question *q)
{
	struct resolver *r = q->resolver;
	int err;

	trace(q, "truncated, again over TCP");
	close_try(q);
	open_try(q);
	q->now->tcp_id = ports_random(r->ports);
	q->now->tcp = stream_open(r->loop, &r->conf.servers[q->server], NULL, &tcp_events, q, &err);
	if (q->now->tcp)
		return;
	if (port_error_is_local(err))
		local_failed(q, err);
	else
		server_failed(q, "truncated, and TCP failed");
}

/* UDP */

static struct question *question_of(struct ticket *ticket)
{
	return ((struct attempt *)((char *)ticket - offsetof(struct attempt, udp)))->question;
}

static bool on_datagram(struct ticket *ticket, const uint8_t *wire, size_t n)
{
	struct question *q = question_of(ticket);
	struct dns_header h;

	if (!dns_header_read(&h, wire, n) || dns_asked(wire, n, name_of(q), q->type) == ASKED_OTHER)
		return false;
	if (h.truncated) {
		q->resolver->answered = true;
		start_tcp(q);
		return true;
	}
	return take_message(q, wire, n, &h, false);
}

static void on_port_failed(struct ticket *ticket, const char *why, enum port_fault fault)
{
	struct question *q = question_of(ticket);

	q->asked |= fault != PORT_LOCAL;
	if (fault == PORT_SERVER)
		server_failed(q, why);
	else
		next_try(q, why);
}

static void on_timeout(void *arg)
{
	struct question *q = arg;

	q->asked |= !q->now->local;
	next_try(q, q->now->local ? "not asked" : q->now->tcp ? "no answer over TCP" : "no answer");
}

/* Is this one of few questions? */
static bool is_alone(struct resolver *r)
{
	usec_t second = loop_recent(r->loop) / USEC_PER_SEC;

	if (second != r->second)
		r->alone = 0;
	r->second = second;
	return r->flying <= FEW && r->alone++ < FEW_A_SECOND;
}

/* A fresh id for each attempt, and while there are few a fresh port, too (RFC 5452). */
static void start_try(struct question *q)
{
	struct resolver *r = q->resolver;
	uint8_t query[DNS_QUERY_MAX];
	size_t n;

	open_try(q);
	if (!ports_join(r->ports, &q->now->udp, q->server, is_alone(r))) {
		/* Without a descriptor or a route there is nothing but to wait for the try's end.
		 */
		int err = errno;

		trace(q, strerror(err));
		note_trouble(q, strerror(err));
		q->now->local = port_error_is_local(err);
		if (q->now->local)
			r->local_error = err;
		return;
	}
	n = dns_query(query, name_of(q), q->type, q->now->udp.id, !q->plain);
	if (n)
		ports_send(&q->now->udp, query, n);
	else
		settle(q, DNS_INVALID, NULL);
}

/* Starts what waits, as far as the bound allows: more answers than a socket buffer or the
 * descriptors hold would only be lost. */
static void pump(struct resolver *r)
{
	while (r->queue && r->flying < r->conf.in_flight) {
		struct question *q = r->queue;

		r->queue = q->next;
		if (!r->queue)
			r->queue_end = &r->queue;
		q->next = NULL;
		q->queued = false;
		if (!q->askers)
			continue; /* nobody wants to know any more; asked again, it is queued again
				   */
		q->flying = true;
		r->flying++;
		start_try(q);
	}
}

static size_t make_key(char key[KEY_MAX], const char *qname, enum dns_type type)
{
	size_t n = strlen(qname);

	if (n > 1 && qname[n - 1] == '.')
		n--;
	if (n > DNS_NAME_MAX)
		n = 0; /* too long to be a name: all of those are one, which is none either */
	key[0] = (char)(type >> 8);
	key[1] = (char)type;
	for (size_t i = 0; i < n; i++) {
		char c = qname[i];

		key[2 + i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c); /* RFC 4343 */
	}
	key[2 + n] = '\0';
	return 2 + n;
}

static void ask_network(struct question *q)
{
	struct resolver *r = q->resolver;

	q->known = q->failed = q->asked = false;
	q->tries = 0;
	q->server = r->conf.rotate ? (uint8_t)(r->first++ % r->conf.n_servers) : 0;
	q->plain = r->no_edns[q->server];
	dns_message_free(q->message);
	q->message = NULL;
	q->queued = true;
	q->next = NULL;
	*r->queue_end = q;
	r->queue_end = &q->next;
	turn_soon(r); /* which pumps: starting never calls back */
}

/* Its answer holds still, or is being told at this moment. */
static bool is_fresh(const struct question *q)
{
	return q->known && (q->telling || q->busy || loop_recent(q->resolver->loop) < q->expires);
}

struct query *resolver_ask(struct resolver *r, const char *qname, enum dns_type type,
			   struct dns_answer *known,
			   void (*done)(void *arg, const struct dns_answer *), void *arg)
{
	struct query *asker, **end;
	char key[KEY_MAX];
	size_t len = make_key(key, qname, type);
	struct map_entry *place = map_place(&r->questions, key, len);
	struct question *q = place->value;

	if (!q) {
		place->value = q = arena_add(&r->memory, sizeof *q + len + 1);
		q->resolver = r;
		memcpy(q->key, key, len + 1);
		q->type = type;
		place->key = q->key;
	}
	if (len == 2) {
		q->known = true;
		q->status = DNS_INVALID;
		q->expires = USEC_NEVER;
	}
	if (known && is_fresh(q)) {
		*known = (struct dns_answer){.status = q->status, .message = q->message};
		return NULL;
	}
	asker = xcalloc(1, sizeof *asker);
	*asker = (struct query){.question = q, .done = done, .arg = arg};
	for (end = &q->askers; *end; end = &(*end)->next)
		;
	*end = asker;
	if (is_fresh(q))
		tell_later(q);
	else if (!q->queued && !q->flying)
		ask_network(q);
	return asker;
}

/* Nobody wants to know any more: a try without an answer must not hold up the end of the run. */
static void abandon(struct question *q)
{
	struct resolver *r = q->resolver;

	close_try(q);
	q->flying = false;
	r->flying--;
	if (r->queue)
		turn_soon(r); /* which pumps */
}

void resolver_cancel(struct query *asker)
{
	struct query **place;
	struct question *q;

	if (!asker || !asker->question)
		return;
	q = asker->question;
	for (place = &q->askers; *place != asker; place = &(*place)->next)
		;
	*place = asker->next;
	free(asker);
	if (!q->askers && q->flying)
		abandon(q);
}

bool resolver_is_waiting(const struct query *asker)
{
	return asker->question && asker->question->queued;
}

int resolver_local_error(const struct resolver *r)
{
	return r->local_error;
}

bool resolver_is_silent(const struct resolver *r, struct buf *troubles)
{
	char server[ADDR_STRLEN];
	const char *separator = "";

	if (r->answered)
		return false;
	for (size_t i = 0; i < r->conf.n_servers; i++) {
		if (!r->trouble[i])
			continue;
		buf_printf(troubles, "%s%s (%s)", separator,
			   addr_format(&r->conf.servers[i], server), r->trouble[i]);
		separator = ", ";
	}
	return *separator != '\0';
}

#include "fake/dns.h"

#include "base/buf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 12, TCP_MAX = 16 };

struct tcp {
	struct dns_server *server;
	int fd; /* -1: over */
	struct watch *watch;
	struct buf in;
};

struct dns_server {
	struct loop *loop;
	const enum behaviour *list;
	uint32_t ttl;
	int udp, listener; /* listener -1: nobody listens */
	struct watch *udp_watch, *listener_watch;
	struct tcp tcp[TCP_MAX];
	unsigned n_tcp, asked, asked_tcp, asked_edns, moves;
	uint16_t port;      /* where the last question came from */
	enum behaviour now; /* of the question over UDP last asked */
};

static void put16(struct buf *b, unsigned n)
{
	buf_addc(b, (char)(n >> 8));
	buf_addc(b, (char)n);
}

static void put32(struct buf *b, uint32_t n)
{
	put16(b, n >> 16);
	put16(b, n & 0xffff);
}

/* Where the question of a query ends. */
static size_t question_end(const uint8_t *q, size_t n)
{
	size_t at = HEADER;

	while (at < n && q[at])
		at += q[at] + 1u;
	return at + 5;
}

/* Header and question of the answer to q. */
static void begin(struct buf *b, const uint8_t *q, size_t n, unsigned rcode, bool with_question)
{
	buf_add(b, q, 2);
	buf_addc(b, (char)0x81);
	buf_addc(b, (char)(0x80 | rcode));
	put16(b, with_question);
	put16(b, 0);
	put32(b, 0);
	if (with_question)
		buf_add(b, q + HEADER, question_end(q, n) - HEADER);
}

static void put_record(struct dns_server *s, struct buf *b)
{
	static const uint8_t ip[] = {192, 0, 2, 7};

	b->data[7]++; /* of answers */
	put16(b, 0xc00c);
	put16(b, 1);
	put16(b, 1);
	put32(b, s->ttl);
	put16(b, sizeof ip);
	buf_add(b, ip, sizeof ip);
}

static void put_soa(struct dns_server *s, struct buf *b)
{
	b->data[9]++; /* of the authority section */
	put16(b, 0xc00c);
	put16(b, 6);
	put16(b, 1);
	put32(b, 86400);
	put16(b, 2 + 20);
	buf_add(b, "\0\0", 2); /* both names are the root */
	for (int i = 0; i < 4; i++)
		put32(b, 1);
	put32(b, s->ttl);
}

static uint16_t port_of(const struct sockaddr_storage *from)
{
	struct addr a;

	return addr_from_sockaddr(&a, (const struct sockaddr *)from) ? a.port : 0;
}

static bool has_edns(const uint8_t *q)
{
	return q[11] != 0;
}

/* The answer to q as this behaviour has it; empty: none. */
static void make(struct dns_server *s, enum behaviour how, const uint8_t *q, size_t n, bool tcp,
		 struct buf *b)
{
	switch (how) {
	case DNS_SILENT:
		return;
	case DNS_SHORT:
		buf_add(b, q, 5);
		return;
	case DNS_QUERY_BACK:
		buf_add(b, q, n);
		return;
	case DNS_FORMERR:
		begin(b, q, n, 1, true);
		return;
	case DNS_FORMERR_BARE:
		begin(b, q, n, 1, false);
		return;
	case DNS_SERVFAIL_:
		begin(b, q, n, 2, true);
		return;
	case DNS_NOTIMP_:
		begin(b, q, n, 4, true);
		return;
	case DNS_REFUSED_:
		begin(b, q, n, 5, true);
		return;
	case DNS_RCODE_11:
		begin(b, q, n, 11, true);
		return;
	case DNS_BADVERS_:
		begin(b, q, n, 0, true);
		b->data[11] = 1;
		buf_add(b, "\0\0\x29\x04\xd0\x01\0\0\0\0\0", 11);
		return;
	case DNS_NXDOMAIN_:
		begin(b, q, n, 3, true);
		return;
	case DNS_NXDOMAIN_SOA:
		begin(b, q, n, 3, true);
		put_soa(s, b);
		return;
	case DNS_NODATA:
		begin(b, q, n, 0, true);
		put_soa(s, b);
		return;
	case DNS_FORMERR_IF_EDNS:
		begin(b, q, n, has_edns(q) ? 1 : 0, true);
		if (!has_edns(q))
			put_record(s, b);
		return;
	case DNS_GARBAGE:
		begin(b, q, n, 0, true);
		b->data[7] = 3;
		buf_addstr(b, "\xff\xff what is this");
		return;
	case DNS_WRONG_TYPE:
		begin(b, q, n, 0, true);
		b->data[b->len - 3] = 16;
		return;
	default:
		break;
	}
	begin(b, q, n, 0, true);
	if (!tcp && (how == DNS_TRUNCATED || how == DNS_TRUNCATED_OTHER || how >= DNS_TCP_SILENT)) {
		b->data[2] |= 2;
		b->data[HEADER + 1] ^= how == DNS_TRUNCATED_OTHER;
		return;
	}
	put_record(s, b);
	if (how == DNS_WRONG_ID || how == DNS_FLOOD || how == DNS_TCP_WRONG_ID)
		b->data[1] ^= 1;
	if (how == DNS_WRONG_NAME || how == DNS_TCP_WRONG_NAME)
		b->data[HEADER + 1] ^= 1;
	if (how == DNS_ANSWER_AD)
		b->data[3] |= 0x20;
	for (size_t i = HEADER; how == DNS_UPPER && i < question_end(q, n) - 4; i++)
		b->data[i] = (char)toupper((unsigned char)b->data[i]);
}

static void on_udp(void *arg, unsigned ready)
{
	struct dns_server *s = arg;
	uint8_t q[4096];
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	ssize_t n;

	(void)ready;
	while ((n = recvfrom(s->udp, q, sizeof q, 0, (struct sockaddr *)&from, &len)) >= HEADER) {
		struct buf b = {0};
		unsigned times;

		s->now = s->list[0];
		for (unsigned i = 0; i < s->asked && s->list[i + 1]; i++)
			s->now = s->list[i + 1];
		s->asked++;
		s->moves += port_of(&from) != s->port;
		s->port = port_of(&from);
		s->asked_edns += has_edns(q);
		make(s, s->now, q, (size_t)n, false, &b);
		times = s->now == DNS_FLOOD ? 150 : s->now == DNS_TWICE ? 2 : 1;
		if (s->now == DNS_WRONG_ID_FIRST) {
			b.data[0] ^= 1;
			(void)sendto(s->udp, b.data, b.len, 0, (struct sockaddr *)&from, len);
			b.data[0] ^= 1;
		}
		/* A socket that is closed already refuses: its owner has what it wanted. */
		for (unsigned i = 0; b.len && i < times; i++)
			(void)sendto(s->udp, b.data, b.len, 0, (struct sockaddr *)&from, len);
		buf_fini(&b);
		len = sizeof from;
	}
}

static void hang_up(struct tcp *t)
{
	watch_free(t->watch);
	t->watch = NULL;
	if (t->fd >= 0)
		(void)close(t->fd); /* what is lost is meant to be lost */
	t->fd = -1;
	buf_fini(&t->in);
}

static void answer_tcp(struct tcp *t)
{
	struct dns_server *s = t->server;
	const uint8_t *q = (const uint8_t *)t->in.data + 2;
	struct buf b = {0}, framed = {0};

	s->asked_tcp++;
	s->asked_edns += has_edns(q);
	make(s, s->now, q, t->in.len - 2, true, &b);
	put16(&framed, b.len);
	buf_add(&framed, b.data, b.len);
	if (s->now == DNS_TCP_PIECES)
		for (uint32_t at = 0; at < framed.len; at++)
			(void)send(t->fd, framed.data + at, 1, MSG_NOSIGNAL);
	else if (s->now != DNS_TCP_SILENT && s->now != DNS_TCP_CLOSED)
		(void)send(t->fd, framed.data, framed.len, MSG_NOSIGNAL);
	buf_fini(&b);
	buf_fini(&framed);
	if (s->now != DNS_TCP_SILENT)
		hang_up(t);
}

static void on_tcp(void *arg, unsigned ready)
{
	struct tcp *t = arg;
	char chunk[1024];
	ssize_t n;

	(void)ready;
	while (t->fd >= 0 && (n = recv(t->fd, chunk, sizeof chunk, 0)) != -1) {
		const uint8_t *in;

		if (n == 0) {
			hang_up(t);
			return;
		}
		buf_add(&t->in, chunk, (size_t)n);
		in = (const uint8_t *)t->in.data;
		if (t->in.len > 2 && t->in.len >= 2u + (unsigned)(in[0] << 8 | in[1]))
			answer_tcp(t);
	}
}

static void non_blocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		abort();
}

static void on_connection(void *arg, unsigned ready)
{
	struct dns_server *s = arg;
	int fd;

	(void)ready;
	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		struct tcp *t = &s->tcp[s->n_tcp++];

		if (s->n_tcp > TCP_MAX)
			abort();
		non_blocking(fd);
		*t = (struct tcp){.server = s, .fd = fd};
		t->watch = watch_new(s->loop, fd, on_tcp, t);
	}
}

/* A port that is free for UDP and for TCP. */
static void open_both(struct dns_server *s)
{
	struct sockaddr_storage sa;
	struct addr a = addr_from_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
	socklen_t len = addr_to_sockaddr(&a, &sa);

	for (;;) {
		s->udp = socket(AF_INET, SOCK_DGRAM, 0);
		s->listener = socket(AF_INET, SOCK_STREAM, 0);
		(void)addr_to_sockaddr(&a, &sa);
		if (bind(s->udp, (struct sockaddr *)&sa, len) != 0 ||
		    getsockname(s->udp, (struct sockaddr *)&sa, &len) != 0)
			abort();
		if (bind(s->listener, (struct sockaddr *)&sa, len) == 0)
			return;
		(void)close(s->udp);      /* nothing was written to it */
		(void)close(s->listener); /* nor to this */
	}
}

struct dns_server *dns_server_new(struct loop *loop, const enum behaviour *list, uint32_t ttl)
{
	struct dns_server *s = xcalloc(1, sizeof *s);

	s->loop = loop;
	s->list = list;
	s->ttl = ttl;
	open_both(s);
	non_blocking(s->udp);
	s->udp_watch = watch_new(loop, s->udp, on_udp, s);
	if (list[0] == DNS_TCP_REFUSED) {
		(void)close(s->listener); /* bound, so that nobody else got the port */
		s->listener = -1;
		return s;
	}
	if (listen(s->listener, 16) != 0)
		abort();
	non_blocking(s->listener);
	s->listener_watch = watch_new(loop, s->listener, on_connection, s);
	return s;
}

void dns_server_free(struct dns_server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->n_tcp; i++)
		hang_up(&s->tcp[i]);
	watch_free(s->udp_watch);
	watch_free(s->listener_watch);
	(void)close(s->udp); /* nothing was written to it that matters */
	if (s->listener >= 0)
		(void)close(s->listener); /* nothing was written to it */
	free(s);
}

struct addr dns_server_addr(const struct dns_server *s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	struct addr a;

	if (getsockname(s->udp, (struct sockaddr *)&sa, &len) != 0 ||
	    !addr_from_sockaddr(&a, (struct sockaddr *)&sa))
		abort();
	return a;
}

unsigned dns_server_moves(const struct dns_server *s)
{
	return s->moves;
}

unsigned dns_server_asked(const struct dns_server *s)
{
	return s->asked;
}

unsigned dns_server_asked_tcp(const struct dns_server *s)
{
	return s->asked_tcp;
}

unsigned dns_server_asked_edns(const struct dns_server *s)
{
	return s->asked_edns;
}

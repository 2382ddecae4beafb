#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* there SO_NOSIGPIPE or the ignored SIGPIPE does it */
#endif

enum {
	CHUNK = 16384,
	TLS_IDLE_MAX =
	    256 * 1024 /* octets of TLS in a row without one of plaintext: a handshake with the
			   longest chain that the library takes is far below it */
};

struct stream {
	struct loop *loop;
	const struct stream_events *events;
	void *arg;
	int fd;
	struct watch *watch;
	struct timer soon; /* for what is found out inside a call of the owner */
	struct tls *tls;
	struct buf out;
	size_t idle; /* octets of TLS since the last one of plaintext */
	usec_t rtt;
	int ours;  /* errno of sending, when it is this machine's fault; 0: it is not */
	int reset; /* errno of a reset met before it could be told; 0: none */
	bool connected, secured, wrote, failed;
	bool empty;             /* nothing was left in the socket at the last read */
	bool injected, turning; /* turning: inside on_ready, which flushes at its end */
	bool *gone;             /* set when the owner frees the stream in a call-back */
};

/* Calls back and says whether the stream still is. */
#define CALL(stream, call)                                    \
	({                                                    \
		bool gone_ = false, *outer_ = (stream)->gone; \
		(stream)->gone = &gone_;                      \
		(stream)->events->call;                       \
		if (gone_) {                                  \
			if (outer_)                           \
				*outer_ = true;               \
		} else {                                      \
			(stream)->gone = outer_;              \
		}                                             \
		!gone_;                                       \
	})

static void fail(struct stream *s, enum stream_fault fault, int err, struct tls_facts *facts)
{
	if (s->failed) {
		tls_facts_free(facts);
		return;
	}
	s->failed = true;
	watch_free(s->watch);
	s->watch = NULL;
	timer_at(&s->soon, USEC_NEVER);
	(void)CALL(s, failed(s->arg, fault, err, facts)); /* nothing is touched after it */
}

/* No memory, or a packet filter of this machine: says nothing of the server. */
static bool is_ours(int err)
{
	return err == ENOMEM || err == ENOBUFS || err == EPERM;
}

/* Sends what can be sent. An error is not told here: the read side meets it, now or soon. */
static void flush(struct stream *s)
{
	while (s->out.len && s->connected && !s->failed) {
		ssize_t n = send(s->fd, s->out.data, s->out.len, MSG_NOSIGNAL);

		if (n > 0) {
			buf_consume(&s->out, (size_t)n);
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)) {
			watch_want(s->watch, READY_READ | READY_WRITE);
			return;
		} else {
			/* What the server said before it closed may still wait in the socket. */
			if (n < 0 && is_ours(errno))
				s->ours = errno;
			buf_clear(&s->out);
			timer_soon(&s->soon);
			return;
		}
	}
	if (s->watch)
		watch_want(s->watch, READY_READ);
}

/* Hands plaintext on; false when the stream is gone or done. */
static bool deliver(struct stream *s, const char *bytes, size_t n)
{
	return !n || (CALL(s, data(s->arg, bytes, n)) && !s->failed);
}

/* Ciphertext came (or, with n 0, the handshake begins). */
static bool deliver_tls(struct stream *s, const char *bytes, size_t n)
{
	struct buf plain = {0};
	enum tls_state state = tls_feed(s->tls, bytes, n, &plain, &s->out);
	bool there = true;

	s->idle = plain.len ? 0 : s->idle + n;
	if (s->out.len)
		s->wrote = true;
	if ((state == TLS_READY || state == TLS_CLOSED) && !s->secured) {
		s->secured = true;
		there = CALL(s, secured(s->arg, tls_get_facts(s->tls))) && !s->failed;
	}
	if (there)
		there = deliver(s, plain.data, plain.len);
	buf_fini(&plain);
	/* Tickets and key updates without end: they would keep us here for as long as the server
	 * likes, whatever the limits of time say. */
	if (there && s->idle > TLS_IDLE_MAX) {
		struct tls_facts *facts = tls_get_facts(s->tls);

		free(facts->error);
		facts->error = xstrdup("TLS records without end and without a reply in them");
		fail(s, STREAM_TLS, 0, facts);
		return false;
	}
	if (there && state == TLS_FAILED) {
		flush(s); /* the alert, as far as it goes */
		fail(s, STREAM_TLS, 0, tls_get_facts(s->tls));
		return false;
	}
	if (there && state == TLS_CLOSED) {
		fail(s, STREAM_EOF, 0, NULL);
		return false;
	}
	return there;
}

/* The state of the connection and its round-trip time, in one call; false: it does not stand, or
 * the system does not tell. */
static bool is_established(const struct stream *s, usec_t *rtt)
{
#if defined(TCP_INFO) && defined(__linux__)
	struct tcp_info info;
	socklen_t len = sizeof info;

	if (getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
		*rtt = info.tcpi_rtt ? (usec_t)info.tcpi_rtt : USEC_NONE;
		return info.tcpi_state == TCP_ESTABLISHED;
	}
#else
	(void)s;
#endif
	*rtt = USEC_NONE;
	return false;
}

/* What became of connect(). Where no connection stands (any more), SO_ERROR knows why: also of ICMP
 * errors, which recv() does not tell. A refusal is ECONNREFUSED. A reset came after the connection:
 * it was there, and what the server said before may wait to be read. False when the stream is gone
 * or done. */
static bool finish_connect(struct stream *s)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (!is_established(s, &s->rtt) &&
	    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0) {
		fail(s, STREAM_LOCAL, errno, NULL);
		return false;
	}
	if (err == ECONNRESET || err == EPIPE) {
		s->reset = err;
		err = 0;
	}
	if (err) {
		fail(s, STREAM_CONNECT, err, NULL);
		return false;
	}
	s->connected = true;
	watch_want(s->watch, READY_READ);
	return CALL(s, connected(s->arg)) && !s->failed;
}

/* Reads until nothing is left that could hide an end; false when the stream is gone or done. */
static bool read_all(struct stream *s, bool drain)
{
	char chunk[CHUNK];

	/* What was injected before TLS is found out, and never read. */
	while (!s->injected) {
		ssize_t n = recv(s->fd, chunk, sizeof chunk, 0);
		int err = n < 0 ? errno : 0;

		if (err == EINTR)
			continue;
		if (err == EWOULDBLOCK)
			err = EAGAIN;
		if (err == EAGAIN)
			return true;
		if (err) {
			fail(s, is_ours(err) ? STREAM_LOCAL : STREAM_RESET, err, NULL);
			return false;
		}
		if (n == 0) {
			fail(s, s->reset ? STREAM_RESET : STREAM_EOF, s->reset, NULL);
			return false;
		}
		s->empty = (size_t)n < sizeof chunk;
		s->wrote = false;
		if (!(s->tls ? deliver_tls(s, chunk, (size_t)n) : deliver(s, chunk, (size_t)n)))
			return false;
		/* A short read has emptied the socket. But an end may have come with it, whose edge
		 * has passed (a reset is not told apart from data); when we answer, the answer
		 * meets it, else one more read does. */
		if (s->empty && s->wrote && !drain)
			return true;
	}
	return true;
}

static void on_ready(void *arg, unsigned ready)
{
	struct stream *s = arg;
	bool gone = false, there = true;

	s->gone = &gone;
	s->turning = true;
	/* The edge that says "connected" may bring the first octets along. */
	if (!s->connected)
		there = finish_connect(s);
	if (there && ((ready & READY_READ) || s->reset))
		there = read_all(s, (ready & READY_EOF) || s->reset || loop_must_drain(s->loop));
	if (gone)
		return;
	s->turning = false;
	if (there)
		flush(s);
	s->gone = NULL;
}

static void on_soon(void *arg)
{
	struct stream *s = arg;

	if (s->injected)
		fail(s, STREAM_INJECTED, 0, NULL);
	else if (s->reset)
		fail(s, STREAM_RESET, s->reset, NULL);
	else if (s->ours)
		fail(s, STREAM_LOCAL, s->ours, NULL);
	else if (read_all(s, true))
		fail(s, STREAM_RESET, EPIPE,
		     NULL); /* sending failed, and nothing is left to be read */
}

static int open_socket(int family)
{
#ifdef SOCK_NONBLOCK
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd >= 0 &&
	    (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)) {
		(void)close(fd); /* nothing was written to it */
		return -1;
	}
	return fd;
#endif
}

struct stream *stream_open(struct loop *loop, const struct addr *to, const struct addr *from,
			   const struct stream_events *events, void *arg, int *err)
{
	struct sockaddr_storage sa;
	socklen_t len;
	struct stream *s;
	int fd = open_socket(to->family);

	if (fd < 0) {
		*err = errno;
		return NULL;
	}
	if (from) {
		struct addr source = *from;

		source.port = 0;
		len = addr_to_sockaddr(&source, &sa);
		if (bind(fd, (struct sockaddr *)&sa, len) != 0)
			goto refused;
	}
	/* No TCP_NODELAY: the dialogue is lock-step, and each turn goes out in one write, which
	 * Nagle's rule never holds back. */
	len = addr_to_sockaddr(to, &sa);
	if (connect(fd, (struct sockaddr *)&sa, len) != 0 && errno != EINPROGRESS && errno != EINTR)
		goto refused;
	s = xcalloc(1, sizeof *s);
	s->loop = loop;
	s->events = events;
	s->arg = arg;
	s->fd = fd;
	s->rtt = USEC_NONE;
	timer_init(&s->soon, loop, on_soon, s);
	s->watch = watch_new(loop, fd, on_ready, s);
	return s;

refused:
	*err = errno;
	(void)close(fd); /* nothing was written to it */
	return NULL;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	if (s->gone)
		*s->gone = true;
	watch_free(s->watch);
	timer_fini(&s->soon);
	tls_free(s->tls);
	buf_fini(&s->out);
	(void)close(s->fd); /* what was not delivered is of no interest any more */
	free(s);
}

void stream_write(struct stream *s, const void *bytes, size_t n)
{
	if (s->failed)
		return;
	s->wrote = true;
	if (s->tls)
		tls_write(s->tls, bytes, n, &s->out);
	else
		buf_add(&s->out, bytes, n);
	if (!s->turning)
		flush(s);
}

void stream_hold(struct stream *s)
{
	s->wrote = true; /* stream_start_tls will look */
}

/* What stands in the socket before the handshake, or became of it meanwhile, is told later. */
static bool is_clear(struct stream *s)
{
	char octet;
	ssize_t n = recv(s->fd, &octet, 1, MSG_PEEK);

	if (n > 0)
		s->injected = true;
	else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		s->reset = errno;
	return !s->injected && !s->reset;
}

void stream_start_tls(struct stream *s, struct tls *tls)
{
	tls_free(s->tls);
	s->tls = tls;
	if (s->failed)
		return;
	s->wrote = true;
	/* The read that brought the reply may have just looked. */
	if (!(s->turning && s->empty) && !is_clear(s)) {
		timer_soon(&s->soon);
		return;
	}
	(void)tls_feed(s->tls, "", 0, &(struct buf){0}, &s->out); /* the ClientHello */
	if (!s->turning)
		flush(s);
}

bool stream_is_shaking(const struct stream *s)
{
	return s->tls && !s->secured && s->idle > 0;
}

void stream_shut(struct stream *s)
{
	if (s->failed)
		return;
	if (s->tls)
		tls_close(s->tls, &s->out);
	flush(s);
}

usec_t stream_rtt(const struct stream *s)
{
	usec_t rtt = s->rtt;

	/* A SYN that was sent twice has measured nothing. */
	if (rtt == USEC_NONE && s->connected)
		(void)is_established(s, &rtt); /* only the time is asked for */
	return rtt;
}

void stream_acknowledge(struct stream *s)
{
#ifdef TCP_QUICKACK
	int on = 1;

	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on); /* a courtesy */
#else
	(void)s;
#endif
}

/* A non-blocking TCP connection, with TLS inside from stream_start_tls on.
 *
 * Call-backs come from the loop only. After `failed` nothing more comes; the owner then frees the
 * stream, which it may do in any call-back. */
#ifndef MXPROBE_STREAM_H
#define MXPROBE_STREAM_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/util.h"
#include "net/loop.h"
#include "net/tls.h"

enum stream_fault {
	STREAM_CONNECT, /* the connection could not be made: err */
	STREAM_EOF,     /* the peer ended it (in TLS: with close_notify or without) */
	STREAM_RESET,   /* err: ECONNRESET, EPIPE, ETIMEDOUT, ... */
	STREAM_TLS,     /* handshake or record failure; the facts say why */
	STREAM_LOCAL,   /* this machine's fault, not the peer's: err: ENOMEM, ENOBUFS, EPERM */
	STREAM_INJECTED /* plaintext stood behind the reply to STARTTLS (CVE-2011-0411) */
};

struct stream_events {
	void (*connected)(void *arg);
	void (*data)(void *arg, const char *bytes, size_t n);
	/* The handshake is done. The facts are handed over. */
	void (*secured)(void *arg, struct tls_facts *facts);
	/* `facts` is not NULL for STREAM_TLS, handed over. */
	void (*failed)(void *arg, enum stream_fault fault, int err, struct tls_facts *facts);
};

struct stream;

/* Begins to connect to `to`, from `from` if not NULL (its port is not used). Returns NULL and sets
 * *err when the system refuses at once: no descriptor, no route, no such source address. */
struct stream *stream_open(struct loop *, const struct addr *to, const struct addr *from,
			   const struct stream_events *, void *arg, int *err) MUSTCHECK;
void stream_free(struct stream *); /* closes; NULL is taken */

void stream_write(struct stream *, const void *bytes, size_t n);
/* To be called in `data` in place of an answer, when stream_start_tls comes from another call-back:
 * what else has come is met there. */
void stream_hold(struct stream *);
/* Starts TLS as client, with a connection that becomes the stream's. Any octet that already waits
 * in the socket is STREAM_INJECTED. */
void stream_start_tls(struct stream *, struct tls *);
/* Octets of a TLS handshake that is not done have come. */
bool stream_is_shaking(const struct stream *);
/* Sends what was written, and close_notify inside TLS; the connection stays until stream_free. */
void stream_shut(struct stream *);

/* What came is a part of what is awaited. A server that writes its lines one by one waits (Nagle's
 * rule) for our acknowledgement of each; delaying that would cost 40 ms that are ours. */
void stream_acknowledge(struct stream *);

/* The kernel's smoothed round-trip time of the connection; USEC_NONE where it does not tell. */
usec_t stream_rtt(const struct stream *);

#endif

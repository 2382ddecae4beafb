/* The SMTP client as a state machine (RFC 5321 3.1, 3.2, 4.1; RFC 3207): banner, EHLO or HELO,
 * perhaps STARTTLS, MAIL FROM, QUIT. Octets and the time come in, octets and a need go out: no
 * descriptor, no timer, no call-back. It is lock-step: a command goes out only after the final line
 * of the reply before it. Neither RCPT nor DATA is in it. */
#ifndef MXPROBE_DIALOGUE_H
#define MXPROBE_DIALOGUE_H

#include "smtp/observation.h"
#include "smtp/reply.h"

#include <stdbool.h>
#include <stddef.h>

/* From here on TLS is a must: TLS_REQUIRE. Then also its certificate. */
enum tls_mode { TLS_OFF, TLS_AUTO, TLS_REQUIRE, TLS_VERIFY, TLS_DANE };

enum {
	DIALOGUE_COMMAND_MAX = 1024, /* octets of any command with its CRLF */
	DIALOGUE_NAME_MAX = 255,     /* of the EHLO name */
	DIALOGUE_FROM_MAX = 512      /* of the MAIL FROM address with its angle brackets */
};

/* How long the answer to QUIT is waited for (RFC 5321 4.1.1.10 wants it waited for). */
#define DIALOGUE_QUIT_WAIT (2 * USEC_PER_SEC)

struct dialogue_conf {
	const char *helo; /* EHLO name, at most DIALOGUE_NAME_MAX octets */
	const char *from; /* with angle brackets, at most DIALOGUE_FROM_MAX octets */
	enum tls_mode tls;
	usec_t connect_timeout; /* of the connection alone */
};

enum need {
	NEED_READ,   /* octets from the server */
	NEED_SEND,   /* dialogue_take has something to send */
	NEED_TLS,    /* a TLS handshake; dialogue_secured or dialogue_fail ends it */
	NEED_NOTHING /* it is over; the observation is complete */
};

/* What is awaited. */
enum awaited {
	AWAIT_CONNECT,
	AWAIT_BANNER,
	AWAIT_EHLO,
	AWAIT_HELO,
	AWAIT_STARTTLS,
	AWAIT_TLS,
	AWAIT_MAIL,
	AWAIT_QUIT,
	AWAIT_NOTHING
};

struct dialogue {
	const struct dialogue_conf *conf;
	struct observation *seen;
	struct reply_reader reader;
	enum awaited awaited;
	bool plain;      /* no (further) STARTTLS in this session */
	bool secure;     /* inside TLS */
	bool to_send;    /* the command of `awaited` has not been taken yet */
	bool heard;      /* an octet of what is awaited has come */
	usec_t since;    /* start of the phase */
	usec_t deadline; /* of the session: connect to the reply to MAIL FROM */
	usec_t limit;    /* of what is awaited now */
};

/* Begins with the connection. `seen` is initialised, stays the caller's, and is filled. `deadline`
 * is absolute. `plain`: go without STARTTLS whatever conf says. */
void dialogue_init(struct dialogue *, const struct dialogue_conf *, struct observation *seen,
		   usec_t now, usec_t deadline, bool plain);
void dialogue_fini(struct dialogue *); /* frees the reader's octets, not the observation */

enum need dialogue_need(const struct dialogue *);

void dialogue_connected(struct dialogue *, usec_t now);
/* Takes octets of the server, at most to the end of one reply; returns how many. What is left is
 * given again after the command that follows was taken. */
size_t dialogue_feed(struct dialogue *, const char *bytes, size_t n, usec_t now);
/* Writes the command to be sent; returns its length, never 0 while NEED_SEND. cap is at least
 * DIALOGUE_COMMAND_MAX. */
size_t dialogue_take(struct dialogue *, char *out, size_t cap);
/* The handshake is done; the facts are handed over. */
void dialogue_secured(struct dialogue *, struct tls_facts *, usec_t now);
/* Some octets of the handshake have come. */
void dialogue_heard(struct dialogue *);
/* Before the handshake: it could not begin for so long because of this machine, which is nobody's
 * time. */
void dialogue_held(struct dialogue *, usec_t span);
/* It ended otherwise. END_CLOSED for EOF and reset, END_TIMEOUT when the deadline passed, ...; the
 * end may be judged differently by state: nothing that comes after the reply to MAIL FROM changes
 * it. */
void dialogue_fail(struct dialogue *, enum end, int err, usec_t now);

/* When dialogue_fail(END_TIMEOUT) is to be called, unless something else happens. */
usec_t dialogue_deadline(const struct dialogue *);
enum phase dialogue_phase(const struct dialogue *);

#endif

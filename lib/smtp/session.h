/* One dialogue over one connection, with its deadlines; in TLS mode auto a second connection in
 * plaintext when the handshake failed on the first. */
#ifndef MXPROBE_SESSION_H
#define MXPROBE_SESSION_H

#include "base/addr.h"
#include "net/gate.h"
#include "net/loop.h"
#include "net/tls.h"
#include "smtp/dialogue.h"
#include "smtp/observation.h"

struct session;

/* What a session says while it runs, for -v. `at` is the time since it began. */
struct session_trace {
	const struct addr *addr;
	const char *host; /* the MX host; NULL: none */
	usec_t at;
	char mark;        /* '>' we said, '<' the server said, '*' what happened */
	const char *text; /* one line, any octets */
	size_t n;
};

/* Shared by all sessions of a run; stays the caller's. */
struct session_conf {
	struct dialogue_conf dialogue; /* its `tls` is the peer's */
	usec_t timeout;                /* from connect to the reply to MAIL FROM */
	struct tls_context *tls;
	struct gate *gate;        /* for handshakes; NULL: each begins at once */
	void (*heard)(void *arg); /* the first octets have come; with the arg of session_start,
				     at most once; NULL: not wanted */
	const struct addr *bind4, *bind6; /* source addresses; NULL: the system chooses */
	void (*trace)(void *arg, const struct session_trace *); /* NULL: nobody listens */
	void *trace_arg;
};

/* Who is talked to, and what of TLS is asked of it. Stays the caller's while the session runs. */
struct peer {
	struct addr addr;
	const char *host; /* the MX host, for SNI and trace; NULL: only its address is known */
	enum tls_mode tls;
	enum tls_check check;    /* with TLS_AUTO: what to find out, whatever comes of it */
	const char *tls_name;    /* to be found in the certificate; NULL: `host` */
	const char *also;        /* another name that will do; NULL: none */
	const struct tlsa *tlsa; /* with TLS_DANE */
	size_t n_tlsa;
};

/* Begins. `done` comes once, from the loop, and may take the observation's contents over
 * (what it leaves is freed); the session is freed after it. NULL: the machine has no descriptor or
 * memory for a socket just now (*err); that says nothing about the server, and it is to be tried
 * again later. */
struct session *session_start(struct loop *, const struct session_conf *, const struct peer *,
			      void (*done)(void *arg, struct observation *), void *arg,
			      int *err) MUSTCHECK;

/* Ends it at once without a call-back: QUIT is not waited for. */
void session_cancel(struct session *);

enum phase session_phase(const struct session *);

#endif

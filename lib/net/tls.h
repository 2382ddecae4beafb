/* TLS client on memory BIOs: bytes in, bytes out, no descriptor. The only room that knows OpenSSL.
 */
#ifndef MXPROBE_TLS_H
#define MXPROBE_TLS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct tls_context; /* what all connections of a run share */
struct tls;         /* one connection */

/* What is known of a TLS session once its handshake ended, or of why it failed. */
struct tls_facts {
	char *version; /* "TLSv1.3"; NULL: no handshake was finished */
	char *cipher;  /* OpenSSL's (IANA's for 1.3) name of the suite */
	char *subject; /* RFC 2253 text, of the leaf certificate; NULL without one */
	char *issuer;
	time_t not_after; /* 0: no certificate */
	char **names;     /* DNS names of subjectAltName, else the common name */
	size_t n_names;
	bool verified; /* chain and name held against the trust store; false when not asked */
	int dane;      /* 1 matched a TLSA record, 0 did not, -1 no TLSA in play */
	char *error;   /* the library's words; NULL: none */
};

struct tls_facts *tls_facts_new(void);
void tls_facts_free(struct tls_facts *);

/* A context for opportunistic TLS as senders use it: TLS 1.0 and up, anonymous suites, security
 * level 0, nothing verified. Never NULL. */
struct tls_context *tls_context_new(void);
void tls_context_free(struct tls_context *);

/* A client connection; server_name goes out as SNI (RFC 6066 3) unless NULL. */
struct tls *tls_new(struct tls_context *, const char *server_name);
void tls_free(struct tls *);

enum tls_state { TLS_MORE, TLS_READY, TLS_CLOSED, TLS_FAILED };

/* Takes what came from the network, appends to `out` what must go there. TLS_READY once the
 * handshake is done; decrypted octets are appended to `plain`. TLS_CLOSED after the peer's
 * close_notify. TLS_FAILED: tls_facts(...)->error says why; `out` may hold an alert to send. */
enum tls_state tls_feed(struct tls *, const char *in, size_t n, struct buf *plain, struct buf *out);
/* Encrypts; appends to `out`. Only in TLS_READY. */
void tls_write(struct tls *, const char *plain, size_t n, struct buf *out);
/* Appends a close_notify to `out`. */
void tls_close(struct tls *, struct buf *out);
/* New facts, the caller frees: of the finished handshake, or with `error` of the failed one. */
struct tls_facts *tls_get_facts(struct tls *);

#endif

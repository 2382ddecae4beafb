/* TLS client on memory BIOs: bytes in, bytes out, no descriptor. The only room that knows OpenSSL.
 */
#ifndef MXPROBE_TLS_H
#define MXPROBE_TLS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct tls_context; /* what all connections of a run share */
struct tls;         /* one connection */

/* What is wrong with a certificate, when it was checked. */
enum tls_fault {
	TLS_FAULT_NONE,
	TLS_UNTRUSTED,
	TLS_EXPIRED,
	TLS_NOT_YET_VALID,
	TLS_WRONG_NAME,
	TLS_TLSA_MISMATCH,
	TLS_FAULTS
};
/* One word or two for a table: "untrusted", "expired", ...; NULL for TLS_FAULT_NONE. */
const char *tls_fault_name(enum tls_fault);

/* What is known of a TLS session once its handshake ended, or of why it failed. */
struct tls_facts {
	char *version; /* "TLSv1.3"; NULL: no handshake was finished */
	char *cipher;  /* OpenSSL's (IANA's for 1.3) name of the suite */
	char *subject; /* RFC 2253 text, of the leaf certificate; NULL without one */
	char *issuer;
	time_t not_after; /* 0: no certificate */
	char **names;     /* DNS names of subjectAltName, else the common name */
	size_t n_names;
	char **chain; /* when wanted: a line a certificate that the server sent, leaf first */
	size_t n_chain;
	bool verified; /* chain and name held against the trust store; false when not asked */
	int dane;      /* 1 matched a TLSA record, 0 did not, -1 no TLSA in play */
	enum tls_fault fault; /* of the check that was asked for */
	char *error;          /* the library's words; NULL: none */
};

/* One TLSA record (RFC 6698 2.1). */
struct tlsa {
	uint8_t usage, selector, matching;
	uint16_t size;
	uint8_t *data;
};

enum tls_check {
	TLS_CHECK_NONE,   /* opportunistic */
	TLS_CHECK_WEBPKI, /* chain against the trust store, name by RFC 6125 */
	TLS_CHECK_DANE    /* RFC 7672 3 */
};

/* What a connection is to be. All pointers are the caller's, needed during tls_new only. */
struct tls_want {
	const char
	    *server_name;     /* SNI (RFC 6066 3) and the name to be found in the certificate; an IP
				 address as text is looked for as such, without SNI; NULL: no name */
	const char *also;     /* another name that will do (RFC 7672 3.2.2); NULL: none */
	enum tls_check check; /* its outcome is a fact; the handshake goes on in any case */
	bool lenient;         /* offer what opportunistic senders offer though there is a check */
	const struct tlsa *tlsa; /* for TLS_CHECK_DANE: usable ones, at least one */
	size_t n_tlsa;
	bool chain; /* the facts' chain is wanted */
};

struct tls_facts *tls_facts_new(void);
void tls_facts_free(struct tls_facts *);

/* Has the library take its memory from ours, where being out of it ends the program: what it makes
 * of that by itself often looks like a fault of the server's. To be called before anything else
 * uses it, the libraries that sit on it included; contexts do it themselves. */
void tls_begin(void);

/* The library refuses what it always can: nothing can be said about any server. One line on
 * standard error with its last words, and exit 3. */
_Noreturn void tls_broken(void);

/* Two kinds of connection: unchecked ones offer what opportunistic senders offer (TLS 1.0 and up,
 * anonymous suites, security level 0), checked ones the library's defaults. The trust store is
 * OpenSSL's default or what SSL_CERT_FILE and SSL_CERT_DIR name; it is read when first needed.
 * Never NULL. */
struct tls_context *tls_context_new(void);
void tls_context_free(struct tls_context *);

/* Where the trust store is: a file, and folders with colons in between. They live as long as the
 * program, and the environment stays as it is. */
const char *tls_trust_file(void);
const char *tls_trust_folders(void);

struct tls *tls_new(struct tls_context *, const struct tls_want *);
void tls_free(struct tls *);

/* RFC 7672 3.1: usages DANE-TA(2) and DANE-EE(3), with selectors and matching types that are known
 * and data that fits them. */
bool tlsa_is_usable(const struct tlsa *);

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

/* The TLSA records of an MX host (RFC 7672 2.2): a pure plan that says what to ask and is fed with
 * the answers. */
#ifndef MXPROBE_DANE_H
#define MXPROBE_DANE_H

#include "dns/message.h"
#include "dns/status.h"
#include "net/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dane_outcome {
	DANE_PENDING,
	DANE_NONE,     /* no TLSA records, or none that are authenticated: opportunistic TLS */
	DANE_UNUSABLE, /* TLSA records, none of which can be used: TLS is a must, its certificate is
			  not */
	DANE_USABLE,   /* the certificate must match */
	DANE_FAILED    /* the answer cannot be had: the host must not be used */
};

struct dane_plan {
	char *names[2]; /* TLSA base domains to try, in this order; NULL: no more */
	unsigned at;
	bool probing; /* whether the host's own CNAME is secure, though its addresses are not */
	uint16_t port;
	char qname[DNS_NAME_MAX + 16]; /* of the question under way */
	enum dane_outcome outcome;
	enum dns_status failure; /* with DANE_FAILED */
	const char *base;        /* TLSA base domain of the records; NULL: none */
	struct tlsa *records;    /* the usable ones */
	size_t n_records;
};

/* canonical: where the host's CNAMEs lead (RFC 7672 2.2.2: tried first, if the whole way there is
 * secure); NULL: it is no alias. secure: its addresses were authenticated by DNSSEC. */
void dane_init(struct dane_plan *, const char *host, const char *canonical, bool secure,
	       uint16_t port);
void dane_fini(struct dane_plan *);

/* The question to ask now; NULL: the outcome is known. Alive until the answer. */
const char *dane_question(struct dane_plan *, enum dns_type *);
void dane_answer(struct dane_plan *, enum dns_status, const struct dns_message *);

/* Whatever is pending has failed with `status`. */
void dane_give_up(struct dane_plan *, enum dns_status);

#endif

/* Gets a domain's MTA-STS policy (RFC 8461 3): its TXT record, the addresses of mta-sts.DOMAIN, and
 * the policy over HTTPS. */
#ifndef MXPROBE_STS_FETCH_H
#define MXPROBE_STS_FETCH_H

#include "dns/resolver.h"
#include "dns/sts.h"
#include "net/http.h"

struct sts_fetch;

/* What all fetches of a run share. */
struct sts_fetch_conf {
	struct resolver *resolver;
	struct http *http;
	uint16_t port;    /* 443 */
	bool public_only; /* private, loopback and other special addresses are not contacted */
};

/* Begins; `done` comes once, from the loop, when it is known whether there is a policy and what it
 * says. */
struct sts_fetch *sts_fetch_new(const struct sts_fetch_conf *, const char *domain,
				void (*done)(void *arg), void *arg);
void sts_fetch_free(struct sts_fetch *); /* at any time; NULL is taken */

/* The time for DNS is over: a fetch that has not got beyond it ends now, with its call-back from
 * here. */
void sts_fetch_dns_timeout(struct sts_fetch *);

const char *sts_fetch_id(const struct sts_fetch *);                  /* NULL: none is announced */
const struct sts_policy *sts_fetch_policy(const struct sts_fetch *); /* NULL: none could be had */
const char *sts_fetch_error(const struct sts_fetch *);               /* why not; NULL: no fault */

#endif

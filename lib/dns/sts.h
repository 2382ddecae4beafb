/* MTA-STS (RFC 8461): the TXT record that announces a policy, the policy's text, its patterns.
 * Pure. */
#ifndef MXPROBE_STS_H
#define MXPROBE_STS_H

#include "dns/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STS_ID_MAX = 32,            /* of the record's id (RFC 8461 3.1) */
	STS_POLICY_MAX = 64 * 1024, /* octets of a policy that are taken (3.3) */
	STS_MAX_AGE_MOST = 31557600 /* seconds (3.2) */
};

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE, STS_MODES };
const char *sts_mode_name(enum sts_mode); /* "none", ... */

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age; /* seconds */
	char **mx;        /* patterns, lower case */
	size_t n_mx;
};

/* Is a policy announced at qname? Its id is copied. No record, more than one, and a malformed one
 * announce none (3.1); *why says so of the latter two (a constant, else NULL). */
bool sts_announced(const struct dns_message *, const char *qname, char id[STS_ID_MAX + 1],
		   const char **why) MUSTCHECK;

/* Reads a policy (3.2). NULL, or what is wrong with it: words, a constant; the policy is empty
 * then. */
const char *sts_policy_read(struct sts_policy *, const char *text, size_t n) MUSTCHECK;
void sts_policy_fini(struct sts_policy *);

/* Does the policy allow this MX host? (4.1) */
bool sts_allows(const struct sts_policy *, const char *host);

#endif

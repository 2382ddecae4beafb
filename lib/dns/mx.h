/* From a domain to its MX hosts and their addresses (RFC 5321 5.1, RFC 7505): a pure plan that says
 * what to ask and is fed with the answers. */
#ifndef MXPROBE_MX_H
#define MXPROBE_MX_H

#include "base/addr.h"
#include "base/arena.h"
#include "dns/message.h"
#include "dns/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MX_HOSTS_MAX = 100,    /* of a domain that are looked up; the rest keep their names only */
	MX_ADDRESSES_MAX = 100 /* of a host that are to be contacted */
};

struct mx_plan_host {
	uint16_t preference;
	char *name;
	int64_t ttl;            /* of the MX record, seconds; -1: there is none */
	enum dns_status status; /* DNS_OK: it has addresses, or is beyond the limit */
	struct addr *addrs;     /* in the order of the answers, A before AAAA; no doubles */
	size_t n_addrs;
	bool beyond_limit; /* not looked up: more than MX_HOSTS_MAX before it */
	bool is_cname;     /* RFC 2181 10.3 forbids it */
	bool is_address;   /* its name is an IP address */
	bool insecure;   /* some answer that led to its addresses was not authenticated by DNSSEC */
	char *canonical; /* where its CNAMEs lead; NULL: it is none */
};

struct mx_question {
	const char *qname; /* the domain, a host's name, or where a chain goes on */
	enum dns_type type;
	size_t host;    /* index; SIZE_MAX: the MX question */
	unsigned links; /* CNAMEs followed on the way here */
	bool answered;
	enum dns_status status;
};

struct mx_plan {
	struct arena *memory; /* of all that it points to */
	char *domain;
	uint16_t port;
	bool ipv4, ipv6;
	enum dns_source source;
	enum dns_status status; /* of the domain's MX question, or of the one host without MX */
	bool authenticated;     /* all answers were */
	bool mx_secure;         /* the answer that named the hosts was authenticated by DNSSEC */
	bool null_mx_mixed;     /* "." stood beside real hosts */
	struct mx_plan_host *hosts; /* by preference, then in the order of the answer */
	size_t n_hosts;
	struct mx_question *questions;
	size_t n_questions, n_asked, n_open;
};

enum { MX_IPV4 = 1, MX_IPV6 = 2 };

/* Plans for a domain (MX look-up) or, with `host_only`, for the addresses of a host; `families`:
 * MX_IPV4, MX_IPV6 or both. The plan lives as long as the arena. */
void mx_init(struct mx_plan *, struct arena *, const char *domain, uint16_t port, bool host_only,
	     unsigned families);

/* The next question to ask, as its index in the plan's `questions`; false: there is none until one
 * that was asked is answered. A question's name stays the plan's, until its answer. */
bool mx_next(struct mx_plan *, size_t *question) MUSTCHECK;
/* The answer to a question that mx_next gave; a second one is passed over. `message` is NULL unless
 * status is DNS_OK or DNS_NXDOMAIN. New questions may follow. */
void mx_answer(struct mx_plan *, size_t question, enum dns_status,
	       const struct dns_message *message);
/* All that is still open, asked or not, ends with `status`. */
void mx_give_up(struct mx_plan *, enum dns_status);
bool mx_done(const struct mx_plan *);

/* A host name as mail systems take it: letters, digits, hyphens and underscores in labels of 1 to
 * 63 octets (RFC 1123 2.1; underscores are seen in the wild), at most 253 in all, not an address.
 */
bool is_host_name(const char *name);

#endif

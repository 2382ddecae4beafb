/* DNS messages (RFC 1035, RFC 6891): wire to records and back. */
#ifndef MXPROBE_MESSAGE_H
#define MXPROBE_MESSAGE_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dns_type {
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_TLSA = 52
};

enum { RCODE_NOERROR, RCODE_FORMERR, RCODE_SERVFAIL, RCODE_NXDOMAIN, RCODE_NOTIMP, RCODE_REFUSED };

enum {
	DNS_NAME_MAX = 253,  /* octets of a name as text, without the dot at its end */
	DNS_UDP_SIZE = 1232, /* what EDNS says we take: no fragments on any sane path */
	DNS_MESSAGE_MAX = 65535
};

/* Names are lower case, in presentation form (odd octets as \DDD), without the dot at their end;
 * the root is ".". */
struct dns_record {
	char *owner;   /* may be the message's qname */
	char *name;    /* CNAME, MX: the target */
	uint8_t *data; /* A, AAAA, TXT, TLSA: the rdata */
	uint32_t ttl;
	enum dns_type type;
	uint16_t preference; /* MX */
	uint16_t size;       /* of the rdata */
};

struct dns_message {
	char *qname; /* NULL: no question (or not just one) in it */
	struct dns_record *answers;
	size_t n_answers;
	enum dns_type qtype;
	int rcode;             /* with the upper bits of an OPT record (RFC 6891 6.1.3) */
	uint32_t negative_ttl; /* of the SOA (RFC 2308 5) */
	bool soa; /* the authority section has one: what is not there is known not to be there */
	bool authentic; /* the AD bit */
	bool
	    authenticated; /* and the resolver that set it is trusted: the resolver fills this in */
};

/* The first twelve octets. */
struct dns_header {
	uint16_t id;
	bool response, truncated;
	int rcode; /* its lower four bits */
	unsigned questions;
};

/* A query with RD and AD set, with an OPT record if edns; its size. 0: qname is no domain name. */
enum { DNS_QUERY_MAX = 282 };
size_t dns_query(uint8_t out[DNS_QUERY_MAX], const char *qname, enum dns_type, uint16_t id,
		 bool edns) MUSTCHECK;

/* False: shorter than a header. */
bool dns_header_read(struct dns_header *, const uint8_t *wire, size_t n) MUSTCHECK;

/* What a message was asked: nothing (or it is cut off), this question alone, or something else. Of
 * a message that is truncated no more than that can be relied on. */
enum dns_asked { ASKED_NOTHING, ASKED_THIS, ASKED_OTHER };
enum dns_asked dns_asked(const uint8_t *wire, size_t n, const char *qname, enum dns_type);

/* Follows CNAMEs inside an answer (RFC 1034 3.6.2) from qname: *end is the name under which records
 * of other types are to be found, alive as long as the two others; *links counts on. False: a loop,
 * or more than CNAMES_MAX in a row. */
enum { CNAMES_MAX = 16 };
bool dns_follow(const struct dns_message *, const char *qname, unsigned *links,
		const char **end) MUSTCHECK;

/* NULL: it cannot be read as a DNS message. It is in one piece with all that it points to. */
struct dns_message *dns_message_read(const uint8_t *wire, size_t n);
void dns_message_free(struct dns_message *); /* NULL is taken */

#endif

/* DNS servers on loopback, UDP and TCP on one port, that answer as they are told, on the loop of
 * the test itself. */
#ifndef MXPROBE_FAKE_DNS_H
#define MXPROBE_FAKE_DNS_H

#include "base/addr.h"
#include "net/loop.h"

enum behaviour {
	DNS_END, /* of a list; the behaviour before it stays for all further questions */
	DNS_ANSWER,
	DNS_ANSWER_AD,
	DNS_SILENT,
	DNS_WRONG_ID,       /* and nothing else */
	DNS_WRONG_ID_FIRST, /* then the answer */
	DNS_WRONG_NAME,
	DNS_WRONG_TYPE,
	DNS_QUERY_BACK, /* our own query, without QR */
	DNS_SHORT,      /* fewer octets than a header has */
	DNS_GARBAGE,    /* a good header and question, then octets that are no record */
	DNS_FORMERR,
	DNS_FORMERR_BARE,    /* without the question */
	DNS_FORMERR_IF_EDNS, /* FORMERR to an OPT record, else the answer */
	DNS_SERVFAIL_,
	DNS_REFUSED_,
	DNS_NOTIMP_,
	DNS_RCODE_11,
	DNS_BADVERS_, /* 16: its upper bits stand in the OPT record */
	DNS_NXDOMAIN_,
	DNS_NXDOMAIN_SOA, /* with a SOA whose minimum is the ttl */
	DNS_NODATA,
	DNS_TRUNCATED,       /* over UDP; over TCP the answer */
	DNS_TRUNCATED_OTHER, /* the same, but to another question */
	DNS_FLOOD,           /* 150 wrong answers */
	DNS_TWICE,           /* the answer, and the answer again */
	DNS_UPPER,           /* the question comes back in capitals */
	DNS_TCP_SILENT,      /* truncated over UDP, and then: */
	DNS_TCP_CLOSED,
	DNS_TCP_WRONG_ID,
	DNS_TCP_WRONG_NAME,
	DNS_TCP_PIECES,
	DNS_TCP_REFUSED /* truncated, and nobody listens */
};

struct dns_server;

/* Answers A questions with 192.0.2.7 and that ttl. */
struct dns_server *dns_server_new(struct loop *, const enum behaviour *, uint32_t ttl);
void dns_server_free(struct dns_server *);
struct addr dns_server_addr(const struct dns_server *);
unsigned dns_server_asked(const struct dns_server *);      /* questions over UDP */
unsigned dns_server_moves(const struct dns_server *);      /* of those, from another port */
unsigned dns_server_asked_tcp(const struct dns_server *);  /* and over TCP */
unsigned dns_server_asked_edns(const struct dns_server *); /* of all, those with an OPT record */

#endif

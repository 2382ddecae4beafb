/* How questions to the DNS end, and where endpoints come from: words of the JSON. */
#ifndef MXPROBE_STATUS_H
#define MXPROBE_STATUS_H

enum dns_status {
	DNS_OK,
	DNS_NXDOMAIN,
	DNS_NO_ADDRESS,
	DNS_SERVFAIL, /* also REFUSED, NOTIMP, FORMERR, and answers that cannot be read */
	DNS_TIMEOUT,
	DNS_INVALID,     /* a name that is no host name, a loop of CNAMEs */
	DNS_LOCAL_ERROR, /* this machine could not ask: no descriptor, no memory */
	DNS_STATUSES
};

enum dns_source {
	SOURCE_NONE, /* the MX question failed */
	SOURCE_MX,
	SOURCE_IMPLICIT, /* no MX: the domain's own addresses (RFC 5321 5.1) */
	SOURCE_NULL_MX,  /* RFC 7505 */
	SOURCE_HOST,     /* [host] */
	SOURCE_LITERAL,
	SOURCES
};

#endif

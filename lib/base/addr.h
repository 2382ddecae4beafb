/* A socket address as a value: parse, format, compare, and what kind of network it is in. */
#ifndef MXPROBE_ADDR_H
#define MXPROBE_ADDR_H

#include "base/util.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDR_STRLEN = 64 }; /* room for any formatted address with a zone and terminator */

/* Fully initialised (no padding), so that two of them may be compared and hashed as bytes. */
struct addr {
	uint8_t ip[16];  /* network order; IPv4 in the first four, the rest zero */
	uint32_t scope;  /* IPv6 zone index, else 0 */
	uint16_t port;   /* host order */
	uint16_t family; /* AF_INET, AF_INET6; 0: no address */
};

/* Textual IPv4 (four decimal parts) or IPv6 (RFC 4291 2.2, with %zone); the whole string. */
bool addr_parse(struct addr *, const char *text, uint16_t port) MUSTCHECK;
/* "ADDR", "ADDR:PORT", "[ADDR]", "[ADDR]:PORT"; a bare IPv6 address takes no port. */
bool addr_parse_port(struct addr *, const char *text, uint16_t default_port) MUSTCHECK;
struct addr addr_from_ipv4(const uint8_t ip[4], uint16_t port);
struct addr addr_from_ipv6(const uint8_t ip[16], uint16_t port);
bool addr_from_sockaddr(struct addr *, const struct sockaddr *) MUSTCHECK;
socklen_t addr_to_sockaddr(const struct addr *, struct sockaddr_storage *);
const char *addr_format(const struct addr *, char out[ADDR_STRLEN]); /* the address alone */
const char *addr_family_name(const struct addr *); /* "inet", "inet6", NULL without an address */
bool addr_equal(const struct addr *, const struct addr *); /* port included */

/* False for what cannot be a mail server of the public internet: the special-purpose registries of
 * RFC 6890 (private, loopback, link-local, documentation, multicast, ...), also inside IPv4-mapped,
 * 6to4 and NAT64 addresses. */
bool addr_is_public(const struct addr *);
bool addr_is_loopback(const struct addr *);

#endif

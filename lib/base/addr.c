#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool addr_parse(struct addr *a, const char *text, uint16_t port)
{
	char host[INET6_ADDRSTRLEN + 1];
	const char *zone = strchr(text, '%');
	size_t len = zone ? (size_t)(zone - text) : strlen(text);

	*a = (struct addr){.port = port};
	/* Most are host names, and that is soon seen. */
	if (!memchr(text, ':', len) && (!len || text[len - 1] < '0' || text[len - 1] > '9'))
		return false;
	if (!zone && inet_pton(AF_INET, text, a->ip) == 1) {
		a->family = AF_INET;
		return true;
	}
	if (len >= sizeof host)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET6, host, a->ip) != 1)
		return false;
	if (zone) {
		a->scope = if_nametoindex(zone + 1);
		if (!a->scope)
			return false;
	}
	a->family = AF_INET6;
	return true;
}

static bool parse_port(const char *s, uint16_t *port)
{
	unsigned long n = 0;

	if (!*s || strlen(s) > 5)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = n * 10 + (unsigned long)(*s - '0');
	}
	if (n < 1 || n > 65535)
		return false;
	*port = (uint16_t)n;
	return true;
}

bool addr_parse_port(struct addr *a, const char *text, uint16_t default_port)
{
	char host[ADDR_STRLEN];
	const char *colon, *end;
	uint16_t port = default_port;

	if (addr_parse(a, text, default_port))
		return true;
	if (*text == '[') {
		end = strchr(++text, ']');
		if (!end || (end[1] && (end[1] != ':' || !parse_port(end + 2, &port))))
			return false;
	} else {
		colon = strchr(text, ':');
		if (!colon || strchr(colon + 1, ':') || !parse_port(colon + 1, &port))
			return false;
		end = colon;
	}
	if ((size_t)(end - text) >= sizeof host)
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	return addr_parse(a, host, port);
}

struct addr addr_from_ipv4(const uint8_t ip[4], uint16_t port)
{
	struct addr a = {.port = port, .family = AF_INET};

	memcpy(a.ip, ip, 4);
	return a;
}

struct addr addr_from_ipv6(const uint8_t ip[16], uint16_t port)
{
	struct addr a = {.port = port, .family = AF_INET6};

	memcpy(a.ip, ip, 16);
	return a;
}

bool addr_from_sockaddr(struct addr *a, const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof in);
		*a = addr_from_ipv4((const uint8_t *)&in.sin_addr, ntohs(in.sin_port));
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof in6);
		*a = addr_from_ipv6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port));
		a->scope = in6.sin6_scope_id;
		return true;
	}
	*a = (struct addr){0};
	return false;
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (a->family == AF_INET) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};

		memcpy(&in.sin_addr, a->ip, 4);
		memcpy(out, &in, sizeof in);
		return sizeof in;
	}
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope};

	memcpy(in6.sin6_addr.s6_addr, a->ip, 16);
	memcpy(out, &in6, sizeof in6);
	return sizeof in6;
}

/* What inet_ntop() does through sprintf(), at ten times the cost. */
static const char *format_inet(const uint8_t ip[4], char *out)
{
	char *at = out;

	for (int i = 0; i < 4; i++) {
		unsigned octet = ip[i];

		if (octet >= 100)
			*at++ = (char)('0' + octet / 100);
		if (octet >= 10)
			*at++ = (char)('0' + octet / 10 % 10);
		*at++ = (char)('0' + octet % 10);
		*at++ = i < 3 ? '.' : '\0';
	}
	return out;
}

const char *addr_format(const struct addr *a, char out[ADDR_STRLEN])
{
	size_t len;

	out[0] = '\0';
	if (!a->family)
		return out;
	if (a->family == AF_INET)
		return format_inet(a->ip, out);
	(void)inet_ntop(a->family, a->ip, out,
			ADDR_STRLEN); /* the family is known, the room ample */
	len = strlen(out);
	if (a->scope)
		(void)snprintf(out + len, ADDR_STRLEN - len, "%%%u", a->scope); /* room is ample */
	return out;
}

const char *addr_family_name(const struct addr *a)
{
	return a->family == AF_INET ? "inet" : a->family == AF_INET6 ? "inet6" : NULL;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

struct prefix {
	uint8_t ip[16];
	uint8_t bits;
};

static bool in_prefix(const uint8_t *ip, const struct prefix *p)
{
	unsigned bytes = p->bits / 8, rest = p->bits % 8;

	if (memcmp(ip, p->ip, bytes) != 0)
		return false;
	return !rest || ((ip[bytes] ^ p->ip[bytes]) >> (8 - rest)) == 0;
}

/* IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and what updated it), plus
 * multicast and what is reserved. */
static const struct prefix special4[] = {
    {{0}, 8},             /* "this network", RFC 791 */
    {{10}, 8},            /* RFC 1918 */
    {{100, 64}, 10},      /* carrier NAT, RFC 6598 */
    {{127}, 8},           /* loopback, RFC 1122 */
    {{169, 254}, 16},     /* link-local, RFC 3927 */
    {{172, 16}, 12},      /* RFC 1918 */
    {{192, 0, 0}, 24},    /* protocol assignments, RFC 6890 */
    {{192, 0, 2}, 24},    /* documentation, RFC 5737 */
    {{192, 88, 99}, 24},  /* 6to4 relays, RFC 7526 */
    {{192, 168}, 16},     /* RFC 1918 */
    {{198, 18}, 15},      /* benchmarking, RFC 2544 */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 3},           /* multicast, reserved, broadcast */
};

static const struct prefix public6 = {{0x20}, 3}; /* 2000::/3 is all that was ever given out */
static const struct prefix special6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocol assignments, Teredo, RFC 2928 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation, RFC 3849 */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation, RFC 9637 */
};
static const struct prefix v4mapped = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
static const struct prefix nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
static const struct prefix sixtofour = {{0x20, 0x02}, 16};

static bool public4(const uint8_t *ip)
{
	for (size_t i = 0; i < ARRAY_LEN(special4); i++)
		if (in_prefix(ip, &special4[i]))
			return false;
	return true;
}

bool addr_is_public(const struct addr *a)
{
	if (a->family == AF_INET)
		return public4(a->ip);
	if (a->family != AF_INET6)
		return false;
	/* An address that leads to an IPv4 host is as public as that host. */
	if (in_prefix(a->ip, &v4mapped) || in_prefix(a->ip, &nat64))
		return public4(a->ip + 12);
	if (in_prefix(a->ip, &sixtofour))
		return public4(a->ip + 2);
	if (!in_prefix(a->ip, &public6))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(special6); i++)
		if (in_prefix(a->ip, &special6[i]))
			return false;
	return true;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == AF_INET)
		return a->ip[0] == 127;
	if (a->family != AF_INET6)
		return false;
	if (in_prefix(a->ip, &v4mapped))
		return a->ip[12] == 127;
	return memcmp(a->ip, one, 16) == 0;
}

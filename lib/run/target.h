/* What the user asks about, in the next-hop form mail administrators know: domain, domain:port,
 * [host], [host]:port, [192.0.2.1], [IPv6:2001:db8::1]:25, a bare address, user@domain. */
#ifndef MXPROBE_TARGET_H
#define MXPROBE_TARGET_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum target_kind {
	TARGET_DOMAIN, /* MX look-up */
	TARGET_HOST,   /* address look-up only */
	TARGET_LITERAL /* no look-up */
};

enum { TARGET_TEXT_MAX = 1024 /* characters of the text as given that are kept */ };

struct target {
	enum target_kind kind;
	char *domain; /* A-labels (RFC 5890), lower case; the address as text for a literal */
	uint16_t port;
	struct addr addr; /* of a literal, with port */
};

/* Reads n octets, without blanks around them. Returns NULL, or what is wrong with them as a
 * sentence for people (the caller frees it; foreign octets in it are safe); the target is empty
 * then. */
char *target_parse(struct target *, const char *text, size_t n, uint16_t default_port) MUSTCHECK;
void target_fini(struct target *);

/* The text cut to TARGET_TEXT_MAX characters: its octets. */
size_t target_text_length(const char *text, size_t n);

#endif

/* /etc/resolv.conf (resolv.conf(5)), with its options line. */
#ifndef MXPROBE_RESOLVCONF_H
#define MXPROBE_RESOLVCONF_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>

enum { RESOLVERS_MAX = 8 };

struct resolvconf {
	struct addr servers[RESOLVERS_MAX];
	size_t n_servers;
	unsigned timeout;  /* seconds a try; 0: not said */
	unsigned attempts; /* rounds over all servers; 0: not said */
	bool trust_ad, rotate;
};

/* Reads the text; what it does not know or cannot read is passed over, as resolvers do. */
void resolvconf_parse(struct resolvconf *, const char *text, size_t n);

/* Reads a file; without one, or without a nameserver in it, the server is 127.0.0.1. Returns 0, or
 * the errno for which a file that is there could not be read. */
int resolvconf_read(struct resolvconf *, const char *path) MUSTCHECK;

#endif

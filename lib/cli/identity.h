/* The name this machine goes by in EHLO (RFC 5321 4.1.1.1, 4.1.3). */
#ifndef MXPROBE_IDENTITY_H
#define MXPROBE_IDENTITY_H

#include "base/addr.h"

#include <stdbool.h>

/* This host's full name; without one its address literal: of `source` if not NULL, else of the
 * address from which `towards` would be reached. The caller frees it. No packet is sent for it. */
char *identity_name(const struct addr *source, const struct addr *towards);

/* A full host name or an address literal: what servers expect in EHLO. */
bool identity_is_full(const char *name);

#endif

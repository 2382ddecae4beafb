/* Sockets of the lab: one port for all addresses, chosen so that two labs never meet. */
#ifndef LAB_PORTS_H
#define LAB_PORTS_H

#include "base/addr.h"
#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Non-blocking, not inherited by other programs; -1 and errno. */
int ports_socket(int family, int type);
void ports_prepare(int fd);

/* Binds a socket of `type` for each address to one port that is free on all of them; -1 in fds[i]
 * where this machine has no such address (IPv6 switched off). Returns the port; 0 and errno. An
 * address with a port of its own sets the port for all. */
uint16_t ports_bind(const struct addr *addrs, int *fds, size_t n, int type) MUSTCHECK;

/* Raises the limit of open files as far as allowed. */
void ports_raise_limit(void);

#endif

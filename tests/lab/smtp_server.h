/* The lab's SMTP servers: each address behaves as the scenario says, and every client is watched
 * for what a polite one never does. */
#ifndef LAB_SMTP_SERVER_H
#define LAB_SMTP_SERVER_H

#include "lab/ca.h"
#include "lab/log.h"
#include "lab/scenario.h"
#include "net/loop.h"

struct smtp_server;

/* Listens on every address of the scenario; NULL and errno when that cannot be had. */
struct smtp_server *smtp_server_new(struct loop *, const struct scenario *, struct ca *,
				    struct log *, unsigned seed) MUSTCHECK;
void smtp_server_free(struct smtp_server *);
uint16_t smtp_server_port(const struct smtp_server *);
size_t smtp_server_open(const struct smtp_server *); /* connections */

/* The host name that an address says by itself; caller frees. */
char *smtp_server_name(const struct face *, const struct addr *);

#endif

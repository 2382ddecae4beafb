/* The lab's resolvers: UDP and TCP, answering from the zone or misbehaving by rule. */
#ifndef LAB_DNS_SERVER_H
#define LAB_DNS_SERVER_H

#include "lab/log.h"
#include "lab/scenario.h"
#include "net/loop.h"

struct dns_server;

/* Listens on every resolver of the scenario; NULL and errno when that cannot be had. */
struct dns_server *dns_server_new(struct loop *, const struct scenario *, struct log *) MUSTCHECK;
void dns_server_free(struct dns_server *);
uint16_t dns_server_port(const struct dns_server *);

#endif

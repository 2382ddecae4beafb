/* UDP sockets to the servers of a resolver. A question that has few others beside it gets a socket,
 * hence a source port, of its own, so that a forger must guess port and id (RFC 5452). Under load
 * that would be four system calls a question and most of its cost; then up to PORT_IN_FLIGHT
 * questions share a socket, which is left for a fresh one after PORT_QUESTIONS. Ids are random all
 * the same, the socket takes octets from its server only, and an answer must repeat the question:
 * what a forger gains is a factor of PORT_IN_FLIGHT for the time of a few answers. The bound also
 * keeps all answers inside the socket's receive buffer.
 *
 * Call-backs come from the loop only. In a call-back tickets may join, send and leave; sockets are
 * closed by ports_sweep alone, which must not be called from one. */
#ifndef MXPROBE_PORTS_H
#define MXPROBE_PORTS_H

#include "base/addr.h"
#include "base/util.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose word it was. */
enum port_fault {
	PORT_SERVER, /* the server's, by what it did */
	PORT_SYSTEM, /* the system's, of the way there: nobody listens */
	PORT_LOCAL   /* the system's, of itself: no memory */
};

/* No descriptor, no memory, a packet filter of this machine: says nothing of the server. */
bool port_error_is_local(int err);

enum { PORT_IN_FLIGHT = 32, PORT_QUESTIONS = 256 };

struct ports;
struct port;

/* Embedded in what asks; all zero: it uses no port. */
struct ticket {
	struct port *port;
	struct ticket *next, **place;
	uint16_t id; /* random, and no other's on this port */
};

struct ports_events {
	/* A datagram with this id in it, of at least a DNS header. False: it is no answer to the
	 * question, and the true one may still come. */
	bool (*datagram)(struct ticket *, const uint8_t *wire, size_t n);
	/* The port is of no more use. The ticket has left it. */
	void (*failed)(struct ticket *, const char *why, enum port_fault);
	/* There are ports to sweep, or octets to flush. */
	void (*work)(void *arg);
	void *arg;
};

/* The servers stay the caller's. */
struct ports *ports_new(struct loop *, const struct addr *servers, size_t n,
			const struct ports_events *);
void ports_free(struct ports *); /* no ticket is in use any more */

/* Takes a place at a port to that server, `alone` or with others. False and errno: there is no
 * socket to be had. */
bool ports_join(struct ports *, struct ticket *, size_t server, bool alone) MUSTCHECK;
/* A question for the wire. Of those that share a port it goes out with the next ports_flush, many
 * at once. */
void ports_send(struct ticket *, const uint8_t *wire, size_t n);
void ports_leave(struct ticket *); /* one that uses none is taken, too */

void ports_flush(struct ports *); /* what cannot be sent counts as lost on the way */
void ports_sweep(struct ports *); /* closes what nobody uses */

uint16_t ports_random(struct ports *);

#endif

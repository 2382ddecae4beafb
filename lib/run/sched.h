/* Who may start now: sessions at once in all and to one address, new sessions a second. Networks
 * take turns, so that one with many addresses does not hold up the rest. Pure: time comes in as a
 * parameter. */
#ifndef MXPROBE_SCHED_H
#define MXPROBE_SCHED_H

#include "base/addr.h"
#include "base/map.h"
#include "base/util.h"

/* Sessions to one address that have heard nothing yet: each may stand in the server's accept queue,
 * and many a queue holds 128 of them all. */
enum { SCHED_UNHEARD_MAX = 64 };

struct sched_slot;
struct sched_network;

/* Embedded in what is to be started. */
struct sched_item {
	struct sched_slot *slot; /* its address's */
	struct sched_item *next;
};

struct sched_queue {
	struct sched_item *first, **end;
};

struct sched {
	unsigned jobs, per_address;
	usec_t pause;    /* between two starts; 0: none */
	usec_t start_at; /* the next start, at the earliest */
	unsigned open;
	struct map slots, networks;
	struct sched_network *turns,
	    **turns_end;           /* those with items that wait, the next one first */
	struct sched_queue closed; /* items of closed addresses */
};

/* rate: new sessions a second; 0: no limit. */
void sched_init(struct sched *, unsigned jobs, unsigned per_address, double rate);
void sched_fini(struct sched *);

/* Puts an item, which is not in the queue, at the end of its network's. One item may be put again
 * after it was started, to be started once more. */
void sched_add(struct sched *, struct sched_item *, const struct addr *);

/* The next item to start, which then counts as open; NULL: none may. *wake is when to ask again,
 * USEC_NEVER: after something has been heard, has ended or was added. */
struct sched_item *sched_next(struct sched *, usec_t now, usec_t *wake);

/* A session of an item has heard from the server; told once, before its end or not at all. */
void sched_heard(struct sched *, struct sched_item *);

/* One session of an item has ended. */
void sched_ended(struct sched *, struct sched_item *, bool heard);

/* An item could not be started, since this machine has no room for one more: it waits in front, and
 * no more sessions than are open now are tried from here on. */
void sched_put_back(struct sched *, struct sched_item *);

/* The address of an item is not to be contacted any more: whatever of it waits, or is added later,
 * comes from sched_next_closed alone. The first item for which this was said is remembered. */
void sched_close(struct sched *, struct sched_item *);
struct sched_item *sched_closer(const struct sched_item *); /* NULL: its address is open */
struct sched_item *sched_next_closed(struct sched *);       /* NULL: there is none */

#endif

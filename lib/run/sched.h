/* Who may start now: sessions at once in all and to one address, new sessions a second. Pure: time
 * comes in as a parameter. */
#ifndef MXPROBE_SCHED_H
#define MXPROBE_SCHED_H

#include "base/addr.h"
#include "base/map.h"
#include "base/util.h"

struct sched_slot;

/* Embedded in what is to be started. */
struct sched_item {
	struct sched_slot *slot; /* its address's */
	struct sched_item *next;
};

struct sched {
	unsigned jobs, per_address;
	usec_t pause;    /* between two starts; 0: none */
	usec_t start_at; /* the next start, at the earliest */
	unsigned open;
	struct map slots;
	struct sched_item *ready, **ready_end;
};

/* rate: new sessions a second; 0: no limit. */
void sched_init(struct sched *, unsigned jobs, unsigned per_address, double rate);
void sched_fini(struct sched *);

/* Puts an item, which is not in the queue, at its end. One item may be put again after it was
 * started, to be started once more. */
void sched_add(struct sched *, struct sched_item *, const struct addr *);

/* The next item to start, which then counts as open; NULL: none may. *wake is when to ask again,
 * USEC_NEVER: after something has ended or was added. */
struct sched_item *sched_next(struct sched *, usec_t now, usec_t *wake);

/* One session of an item has ended. */
void sched_ended(struct sched *, struct sched_item *);

/* An item could not be started, since this machine has no room for one more: it waits in front, and
 * no more sessions than are open now are tried from here on. */
void sched_put_back(struct sched *, struct sched_item *);

#endif

#include "run/sched.h"

#include <stdlib.h>
#include <string.h>

/* One receiver's neighbourhood: a /24 of IPv4, a /48 of IPv6. */
struct sched_network {
	struct sched_network *next; /* in the order of turns */
	struct sched_queue ready;   /* not empty: it is in that order */
};

/* One IP address, whatever the port. */
struct sched_slot {
	struct sched_network *network;
	unsigned open, unheard;
	struct sched_queue waiting;
	struct sched_item *closer;
};

static void queue_init(struct sched_queue *q)
{
	q->first = NULL;
	q->end = &q->first;
}

static void push(struct sched_queue *q, struct sched_item *item)
{
	item->next = NULL;
	*q->end = item;
	q->end = &item->next;
}

static void push_front(struct sched_queue *q, struct sched_item *item)
{
	item->next = q->first;
	q->first = item;
	if (!item->next)
		q->end = &item->next;
}

/* Of a queue that is not empty. */
static struct sched_item *pop(struct sched_queue *q)
{
	struct sched_item *item = q->first;

	q->first = item->next;
	if (!q->first)
		q->end = &q->first;
	item->next = NULL;
	return item;
}

void sched_init(struct sched *s, unsigned jobs, unsigned per_address, double rate)
{
	*s = (struct sched){.jobs = jobs, .per_address = per_address};
	s->pause = rate > 0 ? (usec_t)((double)USEC_PER_SEC / rate) : 0;
	s->turns_end = &s->turns;
	queue_init(&s->closed);
}

void sched_fini(struct sched *s)
{
	struct sched_slot *slot;
	struct sched_network *network;
	size_t at = 0;

	while ((slot = map_next(&s->slots, &at)) != NULL)
		free(slot);
	at = 0;
	while ((network = map_next(&s->networks, &at)) != NULL)
		free(network);
	map_fini(&s->slots);
	map_fini(&s->networks);
}

static struct sched_network *network_of(struct sched *s, const struct addr *addr)
{
	struct sched_network *network;
	uint8_t key[7] = {(uint8_t)addr->family};
	struct map_entry *place;

	memcpy(key + 1, addr->ip, addr->family == AF_INET6 ? 6 : 3);
	place = map_place(&s->networks, key, sizeof key);
	if (!place->value) {
		place->value = network = xcalloc(1, sizeof *network);
		queue_init(&network->ready);
	}
	return place->value;
}

static struct sched_slot *slot_of(struct sched *s, const struct addr *addr)
{
	struct addr key = *addr;
	struct sched_slot *slot;
	struct map_entry *place;

	key.port = 0;
	place = map_place(&s->slots, &key, sizeof key);
	if (!place->value) {
		place->value = slot = xcalloc(1, sizeof *slot);
		slot->network = network_of(s, addr);
		queue_init(&slot->waiting);
	}
	return place->value;
}

/* A network that had nothing to start gets a turn after all that wait for theirs. */
static void want_turn(struct sched *s, struct sched_network *network)
{
	if (network->ready.first)
		return;
	network->next = NULL;
	*s->turns_end = network;
	s->turns_end = &network->next;
}

static void end_turn(struct sched *s)
{
	struct sched_network *network = s->turns;

	s->turns = network->next;
	if (!s->turns)
		s->turns_end = &s->turns;
	if (!network->ready.first)
		return;
	network->next = NULL;
	*s->turns_end = network;
	s->turns_end = &network->next;
}

void sched_add(struct sched *s, struct sched_item *item, const struct addr *addr)
{
	if (!item->slot)
		item->slot = slot_of(s, addr);
	if (item->slot->closer) {
		push(&s->closed, item);
		return;
	}
	want_turn(s, item->slot->network);
	push(&item->slot->network->ready, item);
}

static bool is_full(const struct sched *s, const struct sched_slot *slot)
{
	return slot->open >= s->per_address || slot->unheard >= SCHED_UNHEARD_MAX;
}

struct sched_item *sched_next(struct sched *s, usec_t now, usec_t *wake)
{
	*wake = USEC_NEVER;
	while (s->turns && s->open < s->jobs) {
		struct sched_queue *ready = &s->turns->ready;
		struct sched_item *item = ready->first;
		struct sched_slot *slot = item->slot;

		if (slot->closer || is_full(s, slot)) {
			push(slot->closer ? &s->closed : &slot->waiting, pop(ready));
			/* Its network has another, or has lost its turn for want of one. */
			if (!ready->first)
				end_turn(s);
			continue;
		}
		if (now < s->start_at) {
			*wake = s->start_at;
			return NULL;
		}
		(void)pop(ready); /* it is `item` */
		end_turn(s);
		slot->open++;
		slot->unheard++;
		s->open++;
		/* A late start does not earn a burst. */
		s->start_at = (s->start_at + s->pause > now ? s->start_at : now) + s->pause;
		return item;
	}
	return NULL;
}

/* There is room at an address. Who waited for it has waited longest of its network. */
static void release(struct sched *s, struct sched_slot *slot)
{
	if (!slot->waiting.first || is_full(s, slot))
		return;
	want_turn(s, slot->network);
	push_front(&slot->network->ready, pop(&slot->waiting));
}

void sched_heard(struct sched *s, struct sched_item *item)
{
	item->slot->unheard--;
	release(s, item->slot);
}

void sched_ended(struct sched *s, struct sched_item *item, bool heard)
{
	item->slot->unheard -= !heard;
	item->slot->open--;
	s->open--;
	release(s, item->slot);
}

void sched_put_back(struct sched *s, struct sched_item *item)
{
	struct sched_slot *slot = item->slot;
	struct sched_network *network = slot->network;

	slot->unheard--;
	slot->open--;
	s->open--;
	s->jobs = s->open ? s->open : 1;
	want_turn(s, network);
	push_front(&network->ready, item);
}

void sched_close(struct sched *s, struct sched_item *item)
{
	struct sched_slot *slot = item->slot;

	if (slot->closer)
		return;
	slot->closer = item;
	while (slot->waiting.first)
		push(&s->closed, pop(&slot->waiting));
}

struct sched_item *sched_closer(const struct sched_item *item)
{
	return item->slot ? item->slot->closer : NULL;
}

struct sched_item *sched_next_closed(struct sched *s)
{
	return s->closed.first ? pop(&s->closed) : NULL;
}

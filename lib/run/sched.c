#include "run/sched.h"

#include <stdlib.h>
#include <string.h>

/* One IP address, whatever the port. */
struct sched_slot {
	unsigned open;
	struct sched_item *waiting, **waiting_end;
};

void sched_init(struct sched *s, unsigned jobs, unsigned per_address, double rate)
{
	*s = (struct sched){.jobs = jobs, .per_address = per_address};
	s->pause = rate > 0 ? (usec_t)((double)USEC_PER_SEC / rate) : 0;
	s->ready_end = &s->ready;
}

void sched_fini(struct sched *s)
{
	struct sched_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&s->slots, &at)) != NULL)
		free(slot);
	map_fini(&s->slots);
}

static void push(struct sched_item ***end, struct sched_item *item)
{
	item->next = NULL;
	**end = item;
	*end = &item->next;
}

static struct sched_item *pop(struct sched_item **first, struct sched_item ***end)
{
	struct sched_item *item = *first;

	*first = item->next;
	if (!*first)
		*end = first;
	item->next = NULL;
	return item;
}

static void push_front(struct sched *s, struct sched_item *item)
{
	item->next = s->ready;
	s->ready = item;
	if (!item->next)
		s->ready_end = &item->next;
}

void sched_add(struct sched *s, struct sched_item *item, const struct addr *addr)
{
	if (!item->slot) {
		struct addr key = *addr;

		key.port = 0;
		item->slot = map_get(&s->slots, &key, sizeof key);
		if (!item->slot) {
			item->slot = xcalloc(1, sizeof *item->slot);
			item->slot->waiting_end = &item->slot->waiting;
			(void)map_put(&s->slots, &key, sizeof key,
				      item->slot); /* it was not there */
		}
	}
	push(&s->ready_end, item);
}

struct sched_item *sched_next(struct sched *s, usec_t now, usec_t *wake)
{
	*wake = USEC_NEVER;
	while (s->ready && s->open < s->jobs) {
		struct sched_item *item = s->ready;

		if (item->slot->open >= s->per_address) {
			item = pop(&s->ready, &s->ready_end);
			push(&item->slot->waiting_end, item);
			continue;
		}
		if (now < s->start_at) {
			*wake = s->start_at;
			return NULL;
		}
		(void)pop(&s->ready, &s->ready_end); /* it is `item` */
		item->slot->open++;
		s->open++;
		/* A late start does not earn a burst. */
		s->start_at = (s->start_at + s->pause > now ? s->start_at : now) + s->pause;
		return item;
	}
	return NULL;
}

void sched_ended(struct sched *s, struct sched_item *item)
{
	struct sched_slot *slot = item->slot;

	slot->open--;
	s->open--;
	/* Who waited for the address has waited longest. */
	if (slot->waiting)
		push_front(s, pop(&slot->waiting, &slot->waiting_end));
}

void sched_put_back(struct sched *s, struct sched_item *item)
{
	item->slot->open--;
	s->open--;
	s->jobs = s->open ? s->open : 1;
	push_front(s, item);
}

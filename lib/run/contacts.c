#include "run/contacts.h"

#include "base/map.h"
#include "judge/classify.h"
#include "run/probe.h"
#include "run/sched.h"

#include <stdlib.h>
#include <string.h>

/* When the machine is out of descriptors and no session of ours is open that would give one back.
 */
#define RETRY_PAUSE (50 * USEC_PER_MS)

struct waiter {
	void (*done)(void *arg);
	void *arg;
};

struct running {
	struct item *item;
	struct session *session;
	struct running *next, **place;
	bool heard; /* from the server */
};

struct item {
	struct sched_item sched; /* first: the scheduler hands this back */
	struct contacts *all;
	struct probe probe;
	struct peer peer;
	unsigned left, open; /* sessions to start, sessions under way */
	struct timer again;  /* the pause before the next one */
	struct observation
	    *last_word; /* by which the server closed its address; NULL: it has not */
	struct running *running;
	struct waiter *waiters;
	size_t n_waiters;
};

struct contacts {
	struct loop *loop;
	struct contacts_conf conf;
	struct session_conf session; /* with our `heard` */
	struct sched sched;
	struct map items;
	usec_t starving;   /* no session is open, and none could be, since then; USEC_NONE: no */
	struct timer pump; /* starts what may start, never from inside a caller */
	enum end stopped;  /* END_NONE: it is not */
};

static void pump(void *arg);
static void on_heard(void *arg);

struct contacts *contacts_new(struct loop *loop, const struct contacts_conf *conf)
{
	struct contacts *c = xcalloc(1, sizeof *c);

	c->loop = loop;
	c->conf = *conf;
	c->session = *conf->session;
	c->session.heard = on_heard;
	sched_init(&c->sched, conf->jobs, conf->per_address, conf->rate);
	c->starving = USEC_NONE;
	timer_init(&c->pump, loop, pump, c);
	return c;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static void peer_copy(struct peer *to, const struct peer *from)
{
	struct tlsa *records = xcalloc(from->n_tlsa, sizeof *records);

	*to = *from;
	to->host = copy(from->host);
	to->tls_name = copy(from->tls_name);
	to->also = copy(from->also);
	for (size_t i = 0; i < from->n_tlsa; i++) {
		records[i] = from->tlsa[i];
		records[i].data = xmalloc(records[i].size);
		memcpy(records[i].data, from->tlsa[i].data, records[i].size);
	}
	to->tlsa = records;
}

/* Everything behind these pointers is a copy of ours. */
static void peer_fini(struct peer *peer)
{
	for (size_t i = 0; i < peer->n_tlsa; i++)
		free(peer->tlsa[i].data);
	free((void *)(uintptr_t)peer->tlsa);
	free((char *)(uintptr_t)peer->host);
	free((char *)(uintptr_t)peer->tls_name);
	free((char *)(uintptr_t)peer->also);
}

static void drop_sessions(struct item *item)
{
	while (item->running) {
		struct running *r = item->running;

		item->running = r->next;
		session_cancel(r->session);
		sched_ended(&item->all->sched, &item->sched, r->heard);
		free(r);
		item->open--;
	}
}

static void item_free(struct item *item)
{
	drop_sessions(item);
	timer_fini(&item->again);
	probe_fini(&item->probe);
	peer_fini(&item->peer);
	if (item->last_word)
		observation_fini(item->last_word);
	free(item->last_word);
	free(item->waiters);
	free(item);
}

void contacts_free(struct contacts *c)
{
	struct item *item;
	size_t at = 0;

	if (!c)
		return;
	while ((item = map_next(&c->items, &at)) != NULL)
		item_free(item);
	map_fini(&c->items);
	sched_fini(&c->sched);
	timer_fini(&c->pump);
	free(c);
}

static void pump_soon(struct contacts *c)
{
	timer_soon(&c->pump);
}

/* No session of it is left to come. Detached first, told last. */
static void settle(struct item *item, enum end otherwise, enum phase phase)
{
	struct waiter *waiters = item->waiters;
	size_t n = item->n_waiters;

	timer_at(&item->again, USEC_NEVER);
	item->left = 0;
	probe_end(&item->probe, otherwise, phase);
	item->waiters = NULL;
	item->n_waiters = 0;
	for (size_t i = 0; i < n; i++)
		waiters[i].done(waiters[i].arg);
	free(waiters);
}

/* What is left to do at a closed address is left undone; item->open may still be under way. */
static void give_up(struct item *item)
{
	item->probe.contact.left += item->left;
	item->left = 0;
	timer_at(&item->again, USEC_NEVER);
}

/* An address that is closed before this item has had a session there. What the server has said
 * holds for its port, whatever the TLS name; of another port nothing is known. */
static void settle_unheard(struct item *item)
{
	const struct item *closer = (const struct item *)sched_closer(&item->sched);
	struct observation *seen = &item->probe.contact.seen;
	const unsigned port = closer->peer.addr.port;
	const int code = closer->last_word->reply.code;

	if (item->peer.addr.port == port) {
		observation_quote(seen, closer->last_word);
		seen->error = xasprintf("not contacted: another session here was told %d", code);
		settle(item, seen->end, seen->phase);
	} else {
		seen->error = xasprintf("not contacted: port %u here has said %d", port, code);
		settle(item, END_LIMIT, PHASE_CONNECT);
	}
}

/* Comes from the scheduler, where an item may have stood until after its last session: all of those
 * open were told to go while it waited for the next. */
static void end_closed(struct item *item)
{
	if (item->probe.contact.state == CONTACT_DONE)
		return;
	give_up(item);
	if (item->open)
		return;
	if (item->probe.last)
		settle(item, END_NONE, PHASE_CONNECT);
	else
		settle_unheard(item);
}

static void queue(struct item *item)
{
	sched_add(&item->all->sched, &item->sched, &item->probe.contact.addr);
	pump_soon(item->all);
}

static void on_again(void *arg)
{
	queue(arg);
}

static void on_heard(void *arg)
{
	struct running *r = arg;

	r->heard = true;
	sched_heard(&r->item->all->sched, &r->item->sched);
	if (r->item->all->conf.per_address > SCHED_UNHEARD_MAX)
		pump_soon(r->item->all); /* else nobody has waited for it */
}

/* RFC 5321 3.8: 421 is said of the whole service. */
static void take_last_word(struct item *item, const struct observation *seen)
{
	if (!wants_no_more(seen))
		return;
	if (!sched_closer(&item->sched)) {
		item->last_word = xmalloc(sizeof *item->last_word);
		observation_quote(item->last_word, seen);
		sched_close(&item->all->sched, &item->sched);
	}
}

static void on_done(void *arg, struct observation *seen)
{
	struct running *r = arg;
	struct item *item = r->item;
	struct contacts *c = item->all;

	*r->place = r->next;
	if (r->next)
		r->next->place = r->place;
	item->open--;
	sched_ended(&c->sched, &item->sched, r->heard);
	free(r);
	pump_soon(c);
	take_last_word(item, seen);
	probe_take(&item->probe, seen);
	if (sched_closer(&item->sched))
		give_up(item);
	if (item->left) {
		if (c->conf.per_address == 1)
			timer_at(&item->again, loop_now(c->loop) + c->conf.interval);
	} else if (!item->open) {
		settle(item, END_NONE, PHASE_CONNECT);
	}
}

/* False: the machine has no room for a session just now, for the reason in *err. */
static bool start(struct item *item, int *err)
{
	struct contacts *c = item->all;
	struct running *r = xcalloc(1, sizeof *r);

	r->item = item;
	r->session = session_start(c->loop, &c->session, &item->peer, on_done, r, err);
	if (!r->session) {
		free(r);
		return false;
	}
	r->place = &item->running;
	r->next = item->running;
	if (r->next)
		r->next->place = &r->next;
	item->running = r;
	if (item->probe.contact.state == CONTACT_WAITING)
		item->probe.contact.live_phase = PHASE_CONNECT;
	item->probe.contact.state = CONTACT_RUNNING;
	item->probe.contact.live_since = loop_now(c->loop);
	item->open++;
	item->left--;
	/* Several at once to one address: the pause is between their starts. */
	if (item->left && c->conf.per_address > 1)
		timer_at(&item->again, loop_now(c->loop) + c->conf.interval);
	return true;
}

/* There was no room for it in all that time. */
static void starve(struct item *item, int err)
{
	struct observation seen;

	observation_init(&seen);
	seen.end = END_LOCAL_ERROR;
	seen.phase = PHASE_CONNECT;
	seen.err = err;
	seen.error = xstrdup(strerror(err));
	item->left = 0;
	sched_ended(&item->all->sched, &item->sched, false);
	probe_take(&item->probe, &seen);
	observation_fini(&seen);
	settle(item, END_NONE, PHASE_CONNECT);
}

static void pump(void *arg)
{
	struct contacts *c = arg;
	struct sched_item *next;
	usec_t wake, now;
	int err;

	while ((next = sched_next(&c->sched, now = loop_now(c->loop), &wake)) != NULL) {
		if (start((struct item *)next, &err)) {
			c->starving = USEC_NONE;
			continue;
		}
		if (c->sched.open > 1) { /* this one is counted: others end, and make room */
			c->starving = USEC_NONE;
		} else if (c->starving == USEC_NONE) {
			c->starving = now;
		} else if (now - c->starving >= c->session.timeout) {
			starve((struct item *)next, err);
			continue;
		}
		sched_put_back(&c->sched, next);
		wake = c->sched.open ? USEC_NEVER : now + RETRY_PAUSE;
		break;
	}
	timer_at(&c->pump, wake);
	while ((next = sched_next_closed(&c->sched)) != NULL)
		end_closed((struct item *)next);
}

/* What makes two wishes one contact. The name counts where TLS looks at it; one that is no host
 * name, which has no addresses, does not come here. */
struct key {
	struct addr addr;
	char modes[2];
	char host[DNS_NAME_MAX + 1];
};

static size_t make_key(struct key *key, const struct contacts *c, const struct peer *peer)
{
	size_t n = c->conf.by_name && peer->host ? strlen(peer->host) : 0;

	if (n > sizeof key->host)
		n = sizeof key->host;
	key->addr = peer->addr;
	key->modes[0] = (char)peer->tls;
	key->modes[1] = (char)peer->check;
	if (n)
		memcpy(key->host, peer->host, n);
	return offsetof(struct key, host) + n;
}

const struct contact *contacts_want(struct contacts *c, const struct peer *peer,
				    void (*done)(void *arg), void *arg)
{
	struct key key;
	size_t len = make_key(&key, c, peer);
	struct map_entry *place = map_place(&c->items, &key, len);
	struct item *item = place->value;
	struct waiter *waiter;

	if (!item) {
		place->value = item = xcalloc(1, sizeof *item);
		item->all = c;
		peer_copy(&item->peer, peer);
		item->left = c->conf.repeat;
		timer_init(&item->again, c->loop, on_again, item);
		probe_init(&item->probe, &peer->addr);
		if (c->stopped)
			settle(item, c->stopped, PHASE_CONNECT);
		else
			queue(item);
	} else if (!item->probe.contact.text) {
		item->probe.contact.text = xcalloc(1, sizeof *item->probe.contact.text);
	}
	if (item->probe.contact.state != CONTACT_DONE) {
		waiter = ARRAY_ADD(item->waiters, item->n_waiters);
		*waiter = (struct waiter){done, arg};
	}
	return &item->probe.contact;
}

void contacts_stop(struct contacts *c, enum end why)
{
	struct item *item;
	size_t at = 0;

	c->stopped = why;
	/* Nothing may start any more, whatever ends now. */
	timer_at(&c->pump, USEC_NEVER);
	while ((item = map_next(&c->items, &at)) != NULL) {
		if (item->probe.contact.state == CONTACT_DONE)
			continue;
		drop_sessions(item);
		settle(item, why, PHASE_CONNECT);
	}
	timer_at(&c->pump, USEC_NEVER);
}

void contacts_refresh(struct contacts *c)
{
	struct item *item;
	size_t at = 0;

	while ((item = map_next(&c->items, &at)) != NULL)
		if (item->running)
			item->probe.contact.live_phase = session_phase(item->running->session);
}

#include "run/probe.h"

#include "dns/mx.h"
#include "judge/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void timing_none(struct timing *t)
{
	*t = (struct timing){USEC_NONE, USEC_NONE, USEC_NONE, USEC_NONE,
			     USEC_NONE, USEC_NONE, USEC_NONE, USEC_NONE};
}

void probe_init(struct probe *p, const struct addr *addr)
{
	*p = (struct probe){.contact.addr = *addr};
	observation_init(&p->contact.seen);
	timing_none(&p->contact.timing);
	p->contact.rtt = USEC_NONE;
	p->contact.phase = addr->family ? PHASE_CONNECT : PHASE_DNS;
}

static void free_last(struct probe *p)
{
	for (int i = 0; p->last && i < CLASSES; i++) {
		if (p->last[i])
			observation_fini(p->last[i]);
		free(p->last[i]);
	}
	free(p->last);
	p->last = NULL;
}

void probe_fini(struct probe *p)
{
	free_last(p);
	free(p->timings);
	free(p->rtts);
	free(p->contact.draws);
	for (size_t i = 0; i < p->contact.n_backends; i++)
		free(p->contact.backends[i].name);
	free(p->contact.backends);
	observation_fini(&p->contact.seen);
	if (p->contact.text)
		buf_fini(&p->contact.text->json);
	free(p->contact.text);
}

/* The first word of the banner names the machine behind the address (RFC 5321 4.2). A refusal need
 * not begin so ("421 4.7.0 mx.example.org Error: ...", "554 Go away"): there it must look like a
 * name. */
static void count_backend(struct contact *c, const struct observation *seen, bool healthy)
{
	const struct buf *banner = &seen->banner;
	const char *word = banner->data;
	size_t n = 0, skip = 0;
	struct backend *b;
	char *name;

	if (!banner->len)
		return;
	if (seen->phase == PHASE_BANNER)
		skip = enhanced_length(banner->data, banner->len);
	word += skip;
	while (n < banner->len - skip && !strchr(" \t\n\r", word[n]))
		n++;
	if (!n)
		return;
	name = xstrndup(word, n);
	if (seen->phase == PHASE_BANNER && !(strchr(name, '.') && is_host_name(name))) {
		free(name);
		return;
	}
	for (size_t i = 0; i < c->n_backends; i++) {
		b = &c->backends[i];
		if (strcmp(b->name, name) == 0) {
			b->sessions++;
			b->healthy += healthy;
			free(name);
			return;
		}
	}
	b = ARRAY_ADD(c->backends, c->n_backends);
	*b = (struct backend){name, 1, healthy};
}

static struct timing timing_of(const struct observation *o)
{
	return (struct timing){.connect = o->took[PHASE_CONNECT],
			       .first_byte = o->first_byte,
			       .banner = o->took[PHASE_BANNER],
			       .ehlo = o->took[PHASE_EHLO],
			       .starttls = o->took[PHASE_STARTTLS],
			       .tls = o->took[PHASE_TLS],
			       .mail = o->took[PHASE_MAIL],
			       .total = observation_total(o)};
}

void probe_take(struct probe *p, struct observation *seen)
{
	struct contact *c = &p->contact;
	const struct rule *rule = classify(seen);
	bool healthy = rule->class == CLASS_HEALTHY;

	/* What did not leave this machine was no session. */
	if (rule->class != CLASS_SKIPPED) {
		size_t n = c->sessions, n_timings = n, n_rtts = n;
		struct draw *draw = ARRAY_ADD(c->draws, n);
		struct timing *timing = ARRAY_ADD(p->timings, n_timings);
		usec_t *rtt = ARRAY_ADD(p->rtts, n_rtts);

		*timing = timing_of(seen);
		*rtt = seen->rtt;
		*draw = (struct draw){rule->class, seen->phase, rule->reason, timing->total};
		c->sessions++;
		c->healthy_sessions += healthy;
		count_backend(c, seen, healthy);
	}
	p->count[rule->class]++;
	if (!p->last)
		p->last = xcalloc(CLASSES, sizeof(struct observation *));
	if (p->last[rule->class])
		observation_fini(p->last[rule->class]);
	else
		p->last[rule->class] = xmalloc(sizeof *seen);
	*p->last[rule->class] = *seen;
	observation_init(seen);
}

static int by_size(const void *a, const void *b)
{
	usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;

	return (x > y) - (x < y);
}

/* The median of those that were measured; of an even number the mean of the middle two. */
static usec_t median(usec_t *values, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (values[i] != USEC_NONE)
			values[used++] = values[i];
	if (!used)
		return USEC_NONE;
	qsort(values, used, sizeof *values, by_size);
	return used % 2 ? values[used / 2] : (values[used / 2 - 1] + values[used / 2]) / 2;
}

static void medians(struct probe *p)
{
	struct contact *c = &p->contact;
	usec_t *to = (usec_t *)&c->timing, *values;
	const size_t fields = sizeof c->timing / sizeof *to;

	if (c->sessions == 1) {
		c->timing = p->timings[0];
		c->rtt = p->rtts[0];
		return;
	}
	values = xcalloc(c->sessions, sizeof *values);
	for (size_t f = 0; f < fields; f++) {
		for (size_t i = 0; i < c->sessions; i++)
			values[i] = ((const usec_t *)&p->timings[i])[f];
		to[f] = median(values, c->sessions);
	}
	free(values);
	c->rtt = median(p->rtts, c->sessions);
}

static_assert(CLASS_SKIPPED == CLASSES - 1, "overall() leaves the last one out");

/* Healthy only if all are; else the most frequent other class, of equals the first in the order of
 * the classes. What never left this machine says nothing beside a session that did. */
static int overall(const struct probe *p)
{
	const int classes = p->contact.sessions ? CLASS_SKIPPED : CLASSES;
	int best = CLASS_HEALTHY;

	for (int i = CLASS_HEALTHY + 1; i < classes; i++)
		if (p->count[i] && (best == CLASS_HEALTHY || p->count[i] > p->count[best]))
			best = i;
	return best;
}

void probe_end(struct probe *p, enum end otherwise, enum phase phase)
{
	struct contact *c = &p->contact;

	if (c->state == CONTACT_DONE)
		return;
	c->state = CONTACT_DONE;
	if (p->last) {
		const int class = overall(p);

		c->seen = *p->last[class];
		observation_init(p->last[class]);
		if (c->sessions)
			medians(p);
	} else {
		c->seen.end = otherwise;
		c->seen.phase = phase;
	}
	c->rule = classify(&c->seen);
	c->class = c->rule->class;
	c->reason = c->rule->reason;
	c->phase = c->seen.phase;
	free_last(p);
	free(p->timings);
	free(p->rtts);
	p->timings = NULL;
	p->rtts = NULL;
}

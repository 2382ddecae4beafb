#include "history/gather.h"

#include "base/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPANS = 8 }; /* in struct timing */

struct samples {
	uint32_t *value; /* microseconds; what is longer than 71 minutes is cut there */
	size_t n, cap;
};

/* Medians of the slice that is being filled. */
struct series {
	struct timing *medians; /* one a slice; NULL: not asked */
	size_t slice;
	struct samples span[SPANS];
};

/* What is followed through the runs: an endpoint or a host. */
struct line {
	int64_t id;
	struct trend_row row;
	struct samples totals;
	struct series series;
	size_t run;        /* the last one that listed it, from 1; 0: none yet */
	size_t place;      /* in that run */
	int64_t bad_since; /* -1: it is not */
	size_t host;       /* of an endpoint: its line */
	bool healthy, bad; /* of a host: in the run under way */
};

struct reply_key {
	int64_t reply;
	uint32_t class, reason;
};

struct gather {
	struct trend *trend;
	bool phases;
	struct line *endpoints, *hosts; /* endpoints by id */
	size_t n_endpoints, n_hosts;
	struct map host_of_name;
	int64_t *started; /* of each run */
	size_t n_runs, cap_runs;
	size_t slice, place;
	size_t next;     /* endpoint that is likely to come next: they come in the same order */
	size_t *touched; /* hosts of the run under way */
	size_t n_touched, cap_touched;
	double first_try;
	size_t n_first_try;
	int64_t *reply_ids;
	size_t n_reply_ids;
	struct map reply_of_key; /* index + 1 as a pointer */
};

static void add_sample(struct samples *s, usec_t span)
{
	if (span == USEC_NONE)
		return;
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->value = xreallocarray(s->value, s->cap, sizeof *s->value);
	}
	s->value[s->n++] = span < UINT32_MAX ? (uint32_t)span : UINT32_MAX;
}

static void add_samples(struct samples *to, const struct samples *from)
{
	if (!from->n)
		return;
	to->cap = to->n + from->n;
	to->value = xreallocarray(to->value, to->cap, sizeof *to->value);
	memcpy(to->value + to->n, from->value, from->n * sizeof *to->value);
	to->n = to->cap;
}

/* Puts the k-th smallest at its place, smaller ones before it (Hoare's partition). */
static uint32_t select_kth(uint32_t *v, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		uint32_t pivot = v[low + (high - low) / 2], t;
		size_t i = low, j = high;

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			t = v[i];
			v[i++] = v[j];
			v[j--] = t;
		}
		/* Up to j nothing is above the pivot, behind it nothing below. Both halves are
		 * smaller than the whole: the pivot is not the last value of two or more. */
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return v[k];
}

static usec_t median(struct samples *s)
{
	uint32_t upper, lower = 0;

	if (!s->n)
		return USEC_NONE;
	upper = select_kth(s->value, s->n, s->n / 2);
	if (s->n % 2)
		return upper;
	for (size_t i = 0; i < s->n / 2; i++)
		lower = s->value[i] > lower ? s->value[i] : lower;
	return ((usec_t)lower + upper) / 2;
}

/* The smallest value that 95 of 100 do not exceed. */
static usec_t percentile_95(struct samples *s)
{
	return s->n ? select_kth(s->value, s->n, (s->n * 95 + 99) / 100 - 1) : USEC_NONE;
}

static void end_slice(struct series *s)
{
	usec_t m[SPANS];

	for (int i = 0; i < SPANS; i++) {
		m[i] = median(&s->span[i]);
		s->span[i].n = 0;
	}
	s->medians[s->slice] = (struct timing){m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]};
}

static void add_timing(struct series *s, size_t slice, const struct timing *t)
{
	const usec_t spans[SPANS] = {t->connect,  t->first_byte, t->banner, t->ehlo,
				     t->starttls, t->tls,        t->mail,   t->total};

	if (!s->medians)
		return;
	if (slice != s->slice)
		end_slice(s);
	s->slice = slice;
	for (int i = 0; i < SPANS; i++)
		add_sample(&s->span[i], spans[i]);
}

static void series_init(struct series *s, bool phases, size_t slices)
{
	static const struct timing none = {USEC_NONE, USEC_NONE, USEC_NONE, USEC_NONE,
					   USEC_NONE, USEC_NONE, USEC_NONE, USEC_NONE};

	if (!phases)
		return;
	s->medians = xreallocarray(NULL, slices, sizeof *s->medians);
	for (size_t i = 0; i < slices; i++)
		s->medians[i] = none;
}

static struct timing *series_end(struct series *s)
{
	if (s->medians)
		end_slice(s);
	for (int i = 0; i < SPANS; i++)
		free(s->span[i].value);
	return s->medians;
}

static struct trend_cell *new_cells(size_t n)
{
	struct trend_cell *cells = xcalloc(n, sizeof *cells);

	for (size_t i = 0; i < n; i++)
		cells[i].worst = -1;
	return cells;
}

struct gather *gather_new(int64_t from_ms, int64_t to_ms, size_t slices, bool phases)
{
	struct gather *g = xcalloc(1, sizeof *g);
	struct trend *t = xcalloc(1, sizeof *t);

	*t = (struct trend){.from_ms = from_ms,
			    .to_ms = to_ms > from_ms ? to_ms : from_ms + 1,
			    .last_ms = -1,
			    .since_ms = -1,
			    .first_try_mean = -1,
			    .slices = slices,
			    .cells = new_cells(slices)};
	g->trend = t;
	g->phases = phases;
	return g;
}

static void line_init(struct line *l, const char *host, const char *address, uint16_t port)
{
	*l = (struct line){
	    .row = {.host = xstrdup(host),
		    .address = address ? xstrdup(address) : NULL,
		    .port = port,
		    .healthy_share = -1,
		    .median = USEC_NONE,
		    .p95 = USEC_NONE,
		    .last = {.at_ms = -1},
		    .last_unhealthy = {.at_ms = -1},
		    .outage_ms = -1},
	    .bad_since = -1,
	};
}

void gather_endpoint(struct gather *g, int64_t id, const char *host, const char *address,
		     uint16_t port)
{
	size_t n = strlen(host);
	uintptr_t found = (uintptr_t)map_get(&g->host_of_name, host, n);
	struct line *l = ARRAY_ADD(g->endpoints, g->n_endpoints);

	line_init(l, host, address, port);
	l->id = id;
	l->row.members = 1;
	if (!found) {
		line_init(ARRAY_ADD(g->hosts, g->n_hosts), host, NULL, port);
		found = g->n_hosts;
		(void)map_put(&g->host_of_name, host, n, (void *)found); /* it was not there */
	}
	l->host = found - 1;
}

/* Arrays of its own only for what really comes: a domain may have had many addresses. */
static void begin_line(struct gather *g, struct line *l)
{
	if (l->row.cells)
		return;
	l->row.cells = new_cells(g->trend->slices);
	if (l->row.members) /* an endpoint: those of a host are counted at the end */
		series_init(&l->series, g->phases, g->trend->slices);
}

static void mark(struct trend_cell *cell, int what, bool healthy, int severity, int severity_there)
{
	bool was_healthy = cell->worst == 0 || cell->partly, was_bad = cell->worst > 0;

	if (cell->worst < 0 || severity > severity_there)
		cell->worst = (signed char)what;
	cell->partly = (was_healthy || healthy) && (was_bad || !healthy);
}

static void mark_class(struct trend_cell *cell, enum class class)
{
	if (class == CLASS_HEALTHY && cell->worst == CLASS_HEALTHY)
		return;
	/* What was not contacted is shown where nothing else is known. */
	if (class == CLASS_SKIPPED && cell->worst >= 0)
		return;
	if (class != CLASS_SKIPPED && cell->worst == CLASS_SKIPPED)
		cell->worst = -1;
	mark(cell, (int)class, class == CLASS_HEALTHY, class_severity(class),
	     cell->worst < 0 ? -1 : class_severity((enum class)cell->worst));
}

/* When what was last seen in its last run is known to have gone on no longer: at the next run,
 * whether or not that lists it. */
static int64_t known_until(const struct gather *g, const struct line *l)
{
	return l->run < g->n_runs ? g->started[l->run] : g->trend->to_ms;
}

static void end_outage(struct line *l, int64_t at)
{
	if (l->bad_since >= 0 && at - l->bad_since > l->row.outage_ms)
		l->row.outage_ms = at - l->bad_since;
	l->bad_since = -1;
}

/* `l` is listed in the run under way. */
static void list(struct gather *g, struct line *l)
{
	if (l->run && l->run + 1 < g->n_runs)
		end_outage(l, known_until(g, l));
	l->run = g->n_runs;
	l->row.runs++;
}

static void follow(struct gather *g, struct line *l, bool healthy)
{
	int64_t now = g->started[g->n_runs - 1];

	if (healthy)
		end_outage(l, now);
	else if (l->bad_since < 0)
		l->bad_since = now;
}

static void end_run(struct gather *g)
{
	for (size_t i = 0; i < g->n_touched; i++) {
		struct line *host = &g->hosts[g->touched[i]];

		if (host->healthy || host->bad)
			follow(g, host, host->healthy);
		host->healthy = host->bad = false;
	}
	g->n_touched = 0;
}

void gather_run(struct gather *g, int64_t started_ms, enum verdict verdict, double first_try)
{
	struct trend *t = g->trend;
	double at;

	end_run(g);
	if (g->n_runs == g->cap_runs) {
		g->cap_runs = g->cap_runs ? 2 * g->cap_runs : 256;
		g->started = xreallocarray(g->started, g->cap_runs, sizeof *g->started);
	}
	g->started[g->n_runs++] = started_ms;
	g->place = g->next = 0;
	at =
	    (double)(started_ms - t->from_ms) / (double)(t->to_ms - t->from_ms) * (double)t->slices;
	g->slice = at <= 0 ? 0 : at >= (double)t->slices ? t->slices - 1 : (size_t)at;
	t->runs++;
	t->verdicts[verdict]++;
	t->verdict = verdict;
	t->last_ms = started_ms;
	if (first_try >= 0) {
		g->first_try += first_try;
		g->n_first_try++;
	}
	mark(&t->cells[g->slice], (int)verdict, verdict == VERDICT_HEALTHY,
	     verdict_severity(verdict),
	     t->cells[g->slice].worst < 0
		 ? -1
		 : verdict_severity((enum verdict)t->cells[g->slice].worst));
}

static struct line *find_endpoint(struct gather *g, int64_t id)
{
	size_t low = 0, high = g->n_endpoints;

	if (g->next < g->n_endpoints && g->endpoints[g->next].id == id)
		return &g->endpoints[g->next++];
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (g->endpoints[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	g->next = low + 1;
	return low < g->n_endpoints && g->endpoints[low].id == id ? &g->endpoints[low] : NULL;
}

static void add_reply(struct gather *g, enum class class, enum reason reason, int64_t reply)
{
	struct reply_key key = {reply, (uint32_t) class, (uint32_t)reason};
	uintptr_t found = (uintptr_t)map_get(&g->reply_of_key, &key, sizeof key);
	int64_t now = g->started[g->n_runs - 1];
	struct trend_reply *r;
	int64_t *id;

	if (!found) {
		r = ARRAY_ADD(g->trend->replies, g->trend->n_replies);
		*r = (struct trend_reply){.class = class, .reason = reason, .first_ms = now};
		id = ARRAY_ADD(g->reply_ids, g->n_reply_ids);
		*id = reply;
		found = g->trend->n_replies;
		(void)map_put(&g->reply_of_key, &key, sizeof key, (void *)found); /* as above */
	}
	r = &g->trend->replies[found - 1];
	r->count++;
	r->last_ms = now;
}

static void count(struct gather *g, struct line *l, enum class class, enum reason reason)
{
	struct trend_event now = {g->started[g->n_runs - 1], class, reason};

	begin_line(g, l);
	l->row.classes[class]++;
	l->row.last = now;
	mark_class(&l->row.cells[g->slice], class);
	if (class == CLASS_SKIPPED)
		return;
	if (class != CLASS_HEALTHY)
		l->row.last_unhealthy = now;
}

void gather_outcome(struct gather *g, int64_t endpoint, enum class class, enum reason reason,
		    int64_t reply, const struct timing *t)
{
	struct line *l = find_endpoint(g, endpoint), *host;

	if (!l || !g->n_runs)
		return;
	host = &g->hosts[l->host];
	if (host->run != g->n_runs) {
		list(g, host);
		host->place = g->place;
		if (g->n_touched == g->cap_touched) {
			g->cap_touched = g->cap_touched ? 2 * g->cap_touched : 16;
			g->touched = xreallocarray(g->touched, g->cap_touched, sizeof *g->touched);
		}
		g->touched[g->n_touched++] = l->host;
	}
	if (l->run != g->n_runs)
		list(g, l);
	l->place = g->place++;
	count(g, l, class, reason);
	count(g, host, class, reason);
	if (class == CLASS_SKIPPED)
		return;
	add_sample(&l->totals, t->total);
	follow(g, l, class == CLASS_HEALTHY);
	host->healthy |= class == CLASS_HEALTHY;
	host->bad |= class != CLASS_HEALTHY;
	if (class == CLASS_HEALTHY) {
		add_timing(&l->series, g->slice, t);
	} else {
		add_reply(g, class, reason, reply);
	}
}

int64_t gather_reply(const struct gather *g, size_t i)
{
	return i < g->n_reply_ids ? g->reply_ids[i] : -1;
}

void gather_reply_text(struct gather *g, size_t i, int code, const char *enhanced, const char *text)
{
	struct trend_reply *r = &g->trend->replies[i];

	r->code = code;
	free(r->enhanced);
	free(r->text);
	r->enhanced = *enhanced ? xstrdup(enhanced) : NULL;
	r->text = *text ? xstrdup(text) : NULL;
}

static int by_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->run != y->run)
		return x->run > y->run ? -1 : 1;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int rarest_first(const void *a, const void *b)
{
	const struct trend_reply *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	if (x->last_ms != y->last_ms)
		return x->last_ms > y->last_ms ? -1 : 1;
	return x->first_ms < y->first_ms ? -1 : x->first_ms > y->first_ms;
}

static void end_line(struct gather *g, struct line *l, struct trend_row *out)
{
	unsigned contacted = 0;

	for (int i = 0; i < CLASSES; i++)
		if (i != CLASS_SKIPPED)
			contacted += l->row.classes[i];
	if (contacted)
		l->row.healthy_share = (double)l->row.classes[CLASS_HEALTHY] / contacted;
	l->row.median = median(&l->totals);
	l->row.p95 = percentile_95(&l->totals);
	l->row.phases = series_end(&l->series);
	l->row.listed = l->run && l->run == g->n_runs;
	end_outage(l, known_until(g, l));
	free(l->totals.value);
	*out = l->row;
}

/* Moves those that came at all, in the order of the last run, those that it does not list behind.
 */
static struct trend_row *end_lines(struct gather *g, struct line *lines, size_t n, size_t *n_out)
{
	struct trend_row *rows = xcalloc(n ? n : 1, sizeof *rows);

	*n_out = 0;
	if (n)
		qsort(lines, n, sizeof *lines, by_place);
	for (size_t i = 0; i < n; i++) {
		if (lines[i].run) {
			end_line(g, &lines[i], &rows[(*n_out)++]);
		} else {
			free(lines[i].row.host);
			free(lines[i].row.address);
		}
	}
	return rows;
}

/* Medians over the endpoints of their own medians: each counts as much as any other. */
static struct timing *all_medians(const struct trend *t)
{
	struct series all = {0};

	series_init(&all, true, t->slices);
	for (size_t i = 0; i < t->slices; i++)
		for (size_t k = 0; k < t->n_endpoints; k++)
			if (t->endpoints[k].phases[i].total != USEC_NONE)
				add_timing(&all, i, &t->endpoints[k].phases[i]);
	return series_end(&all);
}

struct trend *gather_end(struct gather *g)
{
	struct trend *t = g->trend;

	end_run(g);
	for (size_t i = 0; i < g->n_endpoints; i++) {
		const struct line *l = &g->endpoints[i];

		if (!l->run)
			continue;
		g->hosts[l->host].row.members++;
		add_samples(&g->hosts[l->host].totals, &l->totals);
	}
	t->endpoints = end_lines(g, g->endpoints, g->n_endpoints, &t->n_endpoints);
	t->hosts = end_lines(g, g->hosts, g->n_hosts, &t->n_hosts);
	if (g->n_first_try)
		t->first_try_mean = g->first_try / (double)g->n_first_try;
	if (g->phases)
		t->phases = all_medians(t);
	if (t->n_replies)
		qsort(t->replies, t->n_replies, sizeof *t->replies, rarest_first);
	map_fini(&g->host_of_name);
	map_fini(&g->reply_of_key);
	free(g->endpoints);
	free(g->hosts);
	free(g->started);
	free(g->touched);
	free(g->reply_ids);
	free(g);
	return t;
}

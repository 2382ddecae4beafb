#include "report/board.h"

#include "base/text.h"
#include "judge/advice.h"
#include "report/block.h"
#include "report/grid.h"
#include "report/looks.h"
#include "report/table.h"
#include "report/trend_words.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	NARROW = 30, /* columns that have no place for a strip */
	STRIP_LEAST = 3,
	STRIP_USUAL = 8, /* where the width is not known */
	STRIP_MOST = 30,
	LEAST_ROWS =
	    4 /* lines that a block with rows takes: heading, names, one row, what is left */
};
/* A session that takes less is not shown while it runs: the last state stays in its place. */
#define QUICK USEC_PER_SEC

/* One endpoint, as long as DNS lists it and a while longer. */
struct entry {
	int preference;
	char *host;
	struct addr addr;
	unsigned listed;                 /* the last round that had it */
	size_t place;                    /* in that round's plan */
	const struct endpoint *endpoint; /* while its target is under way */
	bool known;                      /* it was contacted once: */
	enum class class;
	struct grid_row last, live;
	unsigned round;                         /* of the newest state */
	struct trend_cell states[BOARD_STATES]; /* oldest first */
};

/* What a block looks like. */
enum level {
	LEVEL_ROWS,  /* heading, rows, one line */
	LEVEL_SUMS,  /* and blank lines */
	LEVEL_WHOLE, /* and all there is to say */
	LEVELS
};

struct place {
	char *target; /* as given; NULL: nothing is known of this place of the list */
	unsigned seen, rounds;
	const struct result *running;
	bool known;
	enum verdict verdict;
	int before; /* enum verdict; -1: not known */
	int64_t since_ms, last_ms;
	bool new; /* the verdict is of the last round only */
	struct buf name, facts, sums, odds, reason, warnings, advice;
	struct entry *entries; /* those listed last come first, in their order */
	size_t n_entries, n_listed;
};

struct board {
	bool rows;
	unsigned round;
	struct place *places; /* by index of the result, the control target first */
	size_t n_places;
};

struct board *board_new(bool rows)
{
	struct board *b = xcalloc(1, sizeof *b);

	b->rows = rows;
	return b;
}

static void entry_fini(struct entry *e)
{
	free(e->host);
	grid_row_fini(&e->last);
	grid_row_fini(&e->live);
}

static void place_fini(struct place *p)
{
	for (size_t i = 0; i < p->n_entries; i++)
		entry_fini(&p->entries[i]);
	free(p->entries);
	free(p->target);
	buf_fini(&p->name);
	buf_fini(&p->facts);
	buf_fini(&p->sums);
	buf_fini(&p->odds);
	buf_fini(&p->reason);
	buf_fini(&p->warnings);
	buf_fini(&p->advice);
	*p = (struct place){0};
}

void board_free(struct board *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_places; i++)
		place_fini(&b->places[i]);
	free(b->places);
	free(b);
}

void board_begin(struct board *b)
{
	b->round++;
}

/* The place of a result; one whose target has changed (a list may be another by now) is emptied. */
static struct place *place_of(struct board *b, const struct result *r)
{
	size_t at = (size_t)(r->index + 1);
	const char *target = r->target ? r->target : "";
	struct place *p;

	while (b->n_places <= at)
		(void)ARRAY_ADD(b->places, b->n_places);
	p = &b->places[at];
	if (p->target && strcmp(p->target, target) != 0)
		place_fini(p);
	if (!p->target)
		p->target = xstrdup(target);
	p->seen = b->round;
	return p;
}

static bool same_endpoint(const struct entry *e, const struct endpoint *endpoint)
{
	return e->preference == endpoint->preference &&
	       addr_equal(&e->addr, &endpoint->contact->addr) &&
	       strcmp(e->host, endpoint->host ? endpoint->host : "") == 0;
}

/* The entry of an endpoint that this round has not met yet; `guess` is where it was last time, when
 * DNS says what it said then. */
static struct entry *entry_of(struct place *p, const struct endpoint *endpoint, unsigned round,
			      size_t guess)
{
	struct entry *e;

	for (size_t i = 0; i < p->n_entries; i++) {
		e = &p->entries[(guess + i) % p->n_entries];
		if (e->listed != round && same_endpoint(e, endpoint))
			return e;
	}
	e = ARRAY_ADD(p->entries, p->n_entries);
	*e = (struct entry){.preference = endpoint->preference,
			    .host = xstrdup(endpoint->host ? endpoint->host : ""),
			    .addr = endpoint->contact->addr};
	for (size_t i = 0; i < BOARD_STATES; i++)
		e->states[i].worst = -1;
	return e;
}

static int earlier(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->listed != y->listed)
		return x->listed > y->listed ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Those of this plan come first; those that were not listed for long are forgotten. */
static void list_entries(struct board *b, struct place *p, const struct result *r)
{
	for (size_t i = 0; i < r->n_endpoints; i++) {
		struct entry *e = entry_of(p, &r->endpoints[i], b->round, i);

		e->listed = b->round;
		e->place = i;
		e->endpoint = &r->endpoints[i];
	}
	if (p->n_entries)
		qsort(p->entries, p->n_entries, sizeof *p->entries, earlier);
	p->n_listed = r->n_endpoints;
	while (p->n_entries && b->round - p->entries[p->n_entries - 1].listed >= BOARD_STATES)
		entry_fini(&p->entries[--p->n_entries]);
}

void board_planned(struct board *b, const struct result *r)
{
	struct place *p = place_of(b, r);

	if (!b->rows)
		return;
	p->running = r;
	buf_clear(&p->name);
	buf_clear(&p->facts);
	block_name(&p->name, r);
	block_facts(&p->facts, r);
	list_entries(b, p, r);
}

/* Rounds without a state (it was not listed, or the round was not complete) stay empty. */
static void add_state(struct entry *e, unsigned round)
{
	const struct contact *c = e->endpoint->contact;
	size_t shift = e->round ? round - e->round : 1;

	if (shift > BOARD_STATES)
		shift = BOARD_STATES;
	memmove(e->states, e->states + shift, (BOARD_STATES - shift) * sizeof *e->states);
	for (size_t i = BOARD_STATES - shift; i < BOARD_STATES; i++)
		e->states[i] = (struct trend_cell){.worst = -1};
	e->states[BOARD_STATES - 1] = (struct trend_cell){
	    .worst = (signed char)c->class,
	    .partly = c->healthy_sessions && c->healthy_sessions < c->sessions,
	};
	e->round = round;
}

static void judge_change(struct place *p, const struct result *r)
{
	p->last_ms = r->started_ms;
	p->rounds++;
	p->new = false;
	if (!p->known) {
		const struct past *past = r->past;
		bool held = past && past->previous_verdict == (int)r->verdict;

		p->known = true;
		p->since_ms = held && past->since_ms >= 0 ? past->since_ms : r->started_ms;
		p->before = past && !held ? past->previous_verdict : -1;
		p->new = p->before >= 0;
	} else if (p->verdict != r->verdict) {
		p->before = (int)p->verdict;
		p->since_ms = r->started_ms;
		p->new = true;
	}
	p->verdict = r->verdict;
}

/* Worst first would say it twice: the advice follows the rows. */
static void add_advice(struct buf *out, const struct result *r)
{
	bool seen[CLASSES][REASONS] = {{false}};

	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct contact *c = r->endpoints[i].contact;

		if (c->class == CLASS_HEALTHY || seen[c->class][c->reason])
			continue;
		seen[c->class][c->reason] = true;
		buf_printf(out, "%s/%s: %s\n", class_name(c->class), reason_name(c->reason),
			   advice_text(c->class, c->reason));
	}
}

static void keep_sentences(struct place *p, const struct result *r)
{
	buf_clear(&p->sums);
	buf_clear(&p->odds);
	buf_clear(&p->reason);
	buf_clear(&p->warnings);
	buf_clear(&p->advice);
	if (r->n_endpoints) {
		block_sums(&p->sums, &r->summary);
		block_delivery(&p->odds, &r->delivery);
	}
	block_reason(&p->reason, r);
	for (size_t i = 0; i < r->n_warnings; i++) {
		const char *message = r->warnings[i].message;

		message = message ? message : r->warnings[i].code;
		text_safe(&p->warnings, message, strlen(message));
		buf_addc(&p->warnings, '\n');
	}
	add_advice(&p->advice, r);
}

void board_finished(struct board *b, const struct result *r)
{
	struct place *p = place_of(b, r);

	judge_change(p, r);
	if (!b->rows)
		return;
	if (p->running != r)
		board_planned(b, r);
	p->running = NULL;
	keep_sentences(p, r);
	for (size_t i = 0; i < p->n_listed; i++) {
		struct entry *e = &p->entries[i];

		grid_fill(&e->last, r, e->endpoint, USEC_NONE);
		e->class = e->endpoint->contact->class;
		e->known = true;
		add_state(e, b->round);
		e->endpoint = NULL;
	}
}

void board_end(struct board *b, bool complete)
{
	for (size_t i = 0; i < b->n_places; i++) {
		struct place *p = &b->places[i];

		p->running = NULL;
		for (size_t k = 0; k < p->n_entries; k++)
			p->entries[k].endpoint = NULL;
		if (complete && p->target && p->seen != b->round)
			place_fini(p);
	}
	while (b->n_places && !b->places[b->n_places - 1].target)
		b->n_places--;
}

void board_count(const struct board *b, size_t *done, size_t *all)
{
	*done = *all = 0;
	for (size_t i = 0; i < b->n_places; i++) {
		const struct place *p = &b->places[i];

		if (p->seen != b->round)
			continue;
		for (size_t k = 0; k < p->n_listed; k++) {
			const struct endpoint *e = p->entries[k].endpoint;

			*done += !e || e->contact->state == CONTACT_DONE;
		}
		*all += p->n_listed;
	}
}

/* Drawing */

/* The smaller, the more a row is worth a line. */
enum rank { RANK_TROUBLE, RANK_RUNNING, RANK_WAITING, RANK_HEALTHY, RANKS };

/* What is to be seen of an endpoint now; *rank says what that is. */
static const struct grid_row *row_of(struct entry *e, const struct place *p, usec_t now,
				     enum rank *rank)
{
	const struct contact *c = e->endpoint ? e->endpoint->contact : NULL;
	bool running =
	    c && c->state == CONTACT_RUNNING && (!e->known || now - c->live_since > QUICK);

	/* Without an endpoint it is one that was known. */
	if (!c || (e->known && !running && c->state != CONTACT_DONE)) {
		*rank = e->class == CLASS_HEALTHY ? RANK_HEALTHY : RANK_TROUBLE;
		return &e->last;
	}
	grid_fill(&e->live, p->running, e->endpoint, now);
	*rank = running                       ? RANK_RUNNING
		: c->state == CONTACT_WAITING ? RANK_WAITING
		: c->class == CLASS_HEALTHY   ? RANK_HEALTHY
					      : RANK_TROUBLE;
	return &e->live;
}

static void print_left(struct buf *out, const size_t left[RANKS], unsigned columns)
{
	static const char *const words[RANKS] = {"in trouble", "running", "waiting", "healthy"};
	struct buf line = {0};
	size_t all = 0;
	const char *separator = ": ";

	for (int i = 0; i < RANKS; i++)
		all += left[i];
	add_spaces(&line, GRID_INDENT);
	buf_printf(&line, "+%zu more", all);
	for (int i = 0; i < RANKS; i++) {
		if (!left[i])
			continue;
		buf_printf(&line, "%s%zu %s", separator, left[i], words[i]);
		separator = ", ";
	}
	block_line(out, &line, columns);
	buf_fini(&line);
}

/* As many rows as there is place for, in their order. Trouble goes before health. */
static void choose_rows(struct grid *t, struct place *p, usec_t now, size_t room,
			size_t left[RANKS])
{
	const struct grid_row **rows = xcalloc(p->n_listed, sizeof *rows);
	enum rank *ranks = xcalloc(p->n_listed, sizeof *ranks);
	size_t quota[RANKS];

	for (size_t i = 0; i < p->n_listed; i++) {
		struct entry *e = &p->entries[i];
		struct grid_row *row;

		rows[i] = row_of(e, p, now, &ranks[i]);
		row = rows[i] == &e->last ? &e->last : &e->live;
		row->strip = e->states + BOARD_STATES - t->strip;
		left[ranks[i]]++;
	}
	for (int rank = 0; rank < RANKS; rank++) {
		quota[rank] = left[rank] < room ? left[rank] : room;
		room -= quota[rank];
		left[rank] -= quota[rank];
	}
	for (size_t i = 0; i < p->n_listed; i++) {
		if (!quota[ranks[i]])
			continue;
		quota[ranks[i]]--;
		grid_add(t, rows[i]);
	}
	free(rows);
	free(ranks);
}

/* " since 00:52:12 UTC"; the day is told where it was another. */
static void add_since(struct buf *out, const struct place *p)
{
	time_t since = (time_t)(p->since_ms / 1000);
	struct tm tm;

	buf_addstr(out, " since ");
	if (p->last_ms - p->since_ms >= 86400000 || !gmtime_r(&since, &tm))
		trend_moment(out, p->since_ms);
	else
		buf_printf(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	buf_addstr(out, " UTC");
}

/* "DEGRADED since 00:52:12 UTC" at the right edge, as far as there is place; before the first
 * result, how much is done. */
static void print_heading(struct buf *out, const struct place *p, const struct grid *t, size_t edge)
{
	struct buf right = {0};
	struct block_heading heading = {.name = &p->name, .facts = &p->facts, .color = DIM};
	size_t done = 0, least = text_columns(p->name.data, p->name.len) + 2;

	if (p->known) {
		uint32_t verdict;

		block_verdict(&right, p->verdict);
		verdict = right.len;
		add_since(&right, p);
		if (t->columns && least + right.len > t->columns)
			right.len = verdict;
		heading.color = verdict_color(p->verdict);
		heading.bold = true;
	} else {
		for (size_t i = 0; i < p->n_listed; i++)
			done += p->entries[i].endpoint &&
				p->entries[i].endpoint->contact->state == CONTACT_DONE;
		buf_printf(&right, "%zu of %zu done", done, p->n_listed);
	}
	heading.right = buf_str(&right);
	block_heading(out, &heading, t->color, t->columns, edge);
	buf_fini(&right);
}

static void print_each(struct buf *out, const struct buf *lines, const struct grid *t,
		       bool warnings)
{
	const char *at = lines->len ? lines->data : "", *end = at + lines->len;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		char *line = xstrndup(at, (size_t)(lf - at));

		if (warnings)
			block_warning(out, line, t->color, t->columns);
		else
			block_prose(out, line, t->columns, 2);
		free(line);
		at = lf + 1;
	}
}

/* "14 of 16 healthy, 1 exhausted, 1 timeout. Healthy before." */
static void add_sums(struct buf *out, const struct place *p)
{
	const struct buf *what = p->sums.len ? &p->sums : &p->reason;
	const char *before;

	buf_add(out, what->data, what->len);
	if (p->before < 0)
		return;
	before = verdict_name((enum verdict)p->before);
	buf_printf(out, "%s %c%s before.", what == &p->sums ? "." : "", (char)(*before - 'a' + 'A'),
		   before + 1);
}

static void print_sentences(struct buf *out, struct place *p, const struct grid *t,
			    enum level level)
{
	struct buf line = {0};

	if (level == LEVEL_ROWS)
		add_spaces(&line, GRID_INDENT);
	add_sums(&line, p);
	if (level == LEVEL_ROWS)
		block_line(out, &line, t->columns);
	else
		block_prose(out, buf_str(&line), t->columns, 2);
	buf_clear(&line);
	if (level == LEVEL_WHOLE) {
		block_sentences(out, buf_str(&p->odds), t->columns);
		if (p->sums.len && p->reason.len)
			block_prose(out, buf_str(&p->reason), t->columns, 0);
		print_each(out, &p->warnings, t, true);
	}
	buf_fini(&line);
}

static size_t strip_columns(unsigned columns)
{
	size_t n = columns ? columns / 10 : STRIP_USUAL;

	if (columns && columns < NARROW)
		return 0;
	return n < STRIP_LEAST ? STRIP_LEAST : n > STRIP_MOST ? STRIP_MOST : n;
}

/* The block of one target; `lines` SIZE_MAX: all rows, and sentences as the level says. */
static void print_block(struct buf *out, struct place *p, const struct report_conf *conf,
			usec_t now, enum level level, size_t lines)
{
	size_t left[RANKS] = {0}, room = SIZE_MAX;
	struct grid t;

	grid_init(&t, conf, p->n_listed);
	t.live = true;
	t.strip = strip_columns(t.columns);
	if (lines < SIZE_MAX)
		room = lines >= p->n_listed + 2 ? SIZE_MAX : lines >= LEAST_ROWS ? lines - 3 : 0;
	if (!p->n_listed || !room) {
		print_heading(out, p, &t, BLOCK_EDGE);
	} else {
		choose_rows(&t, p, now, room, left);
		grid_fit(&t);
		print_heading(out, p, &t, grid_edge(&t));
		if (level > LEVEL_ROWS)
			buf_addc(out, '\n');
		grid_print(out, &t, NULL);
		for (size_t i = 0; i < t.n_rows; i++)
			grid_print(out, &t, t.rows[i]);
		if (room < SIZE_MAX)
			print_left(out, left, t.columns);
	}
	if (lines == SIZE_MAX && p->known) {
		if (level > LEVEL_ROWS && p->n_listed)
			buf_addc(out, '\n');
		print_sentences(out, p, &t, level);
		if (level == LEVEL_WHOLE && conf->explain && p->advice.len) {
			buf_addc(out, '\n');
			print_each(out, &p->advice, &t, false);
		}
	}
	grid_fini(&t);
}

static size_t count_lines(const struct buf *b, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

static bool is_shown(const struct place *p)
{
	return p->target && (p->known || p->running);
}

static bool in_trouble(const struct place *p)
{
	return p->known && p->verdict != VERDICT_HEALTHY;
}

static void print_all(struct buf *out, struct board *b, const struct report_conf *conf, usec_t now,
		      enum level level)
{
	unsigned verdicts[VERDICTS] = {0};
	struct buf sums = {0};
	bool any = false;

	for (size_t i = 0; i < b->n_places; i++) {
		struct place *p = &b->places[i];

		if (!is_shown(p))
			continue;
		if (any)
			buf_addc(out, '\n');
		any = true;
		print_block(out, p, conf, now, level, SIZE_MAX);
		if (i && p->known)
			verdicts[p->verdict]++;
	}
	table_summary(&sums, verdicts);
	if (level > LEVEL_ROWS && sums.len) {
		buf_addc(out, '\n');
		sums.len--; /* without its line feeds */
		buf_consume(&sums, 1);
		block_line(out, &sums, conf->width);
	}
	buf_fini(&sums);
}

/* Headings of as many targets as there is place for, and rows of those that need them most. */
static void print_some(struct buf *out, struct board *b, const struct report_conf *conf, usec_t now,
		       size_t lines)
{
	size_t quota[2] = {0}, left[2], spare;

	for (size_t i = 0; i < b->n_places; i++)
		if (is_shown(&b->places[i]))
			quota[!in_trouble(&b->places[i])]++;
	spare = quota[0] + quota[1] > lines ? lines - 1 : lines;
	for (int calm = 0; calm < 2; calm++) {
		size_t all = quota[calm];

		quota[calm] = all < spare ? all : spare;
		spare -= quota[calm];
		left[calm] = all - quota[calm];
	}
	/* Rows go to those in trouble, then to the others. */
	for (size_t i = 0; i < b->n_places; i++) {
		struct place *p = &b->places[i];
		bool calm = !in_trouble(p), want;
		size_t before = out->len, used;

		if (!is_shown(p) || !quota[calm])
			continue;
		quota[calm]--;
		want = !calm || !quota[0];
		print_block(out, p, conf, now, LEVEL_ROWS, want ? 1 + spare : 1);
		used = count_lines(out, before);
		spare -= used - 1;
	}
	if (left[0] + left[1]) {
		struct buf line = {0};

		buf_printf(&line, "+%zu more target%s", left[0] + left[1],
			   left[0] + left[1] == 1 ? "" : "s");
		if (left[0])
			buf_printf(&line, ", %zu of them in trouble", left[0]);
		block_line(out, &line, conf->width);
		buf_fini(&line);
	}
}

size_t board_draw(struct buf *out, struct board *b, const struct report_conf *conf, usec_t now,
		  size_t lines)
{
	size_t start = out->len;

	for (int level = LEVELS - 1; level >= 0; level--) {
		/* Many targets are not tried in vain, ten times a second. */
		if (b->n_places > lines && b->n_places - 1 > lines)
			break;
		print_all(out, b, conf, now, (enum level)level);
		if (count_lines(out, start) <= lines)
			return count_lines(out, start);
		out->len = (uint32_t)start;
	}
	print_some(out, b, conf, now, lines);
	return count_lines(out, start);
}

void board_line(struct buf *out, const struct board *b, const struct result *r)
{
	const struct place *p = &b->places[r->index + 1];
	time_t started = (time_t)(r->started_ms / 1000);
	struct tm tm = {0};

	(void)gmtime_r(&started, &tm); /* our own clock's time */
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	text_safe(out, p->target, strlen(p->target));
	buf_printf(out, " %s: ", verdict_name(r->verdict));
	if (r->n_endpoints)
		block_sums(out, &r->summary);
	else
		block_reason(out, r);
	if (p->new && out->data[out->len - 1] == '.')
		out->len--;
	if (p->new)
		buf_printf(out, "; %s before", verdict_name((enum verdict)p->before));
	buf_addc(out, '\n');
}

#include "report/table.h"

#include "base/text.h"
#include "judge/advice.h"
#include "report/block.h"
#include "report/grid.h"
#include "report/looks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	INDENT = 2,
	BACKENDS_MAX = 12, /* rows of backends under one endpoint */
	LIVE_FIXED = 3 /* lines of a live block besides its rows: heading, blank, column names */
};

static bool is_running(const struct contact *c, usec_t now)
{
	return now != USEC_NONE && c->state == CONTACT_RUNNING;
}

static bool is_waiting(const struct contact *c, usec_t now)
{
	return now != USEC_NONE && c->state == CONTACT_WAITING;
}

/* The verdict at the right edge; while it runs, how much is done. */
static void print_heading(struct buf *out, const struct result *r, const struct grid *t, usec_t now,
			  size_t edge)
{
	struct buf name = {0}, facts = {0}, right = {0};
	struct block_heading heading = {.name = &name, .facts = &facts};
	size_t done = 0;

	block_name(&name, r);
	block_facts(&facts, r);
	if (now == USEC_NONE) {
		block_verdict(&right, r->verdict);
		heading.color = verdict_color(r->verdict);
		heading.bold = true;
	} else {
		for (size_t i = 0; i < r->n_endpoints; i++)
			done += r->endpoints[i].contact->state == CONTACT_DONE;
		buf_printf(&right, "%zu of %zu done", done, r->n_endpoints);
		heading.color = DIM;
	}
	heading.right = buf_str(&right);
	block_heading(out, &heading, t->color, t->columns, edge);
	buf_fini(&name);
	buf_fini(&facts);
	buf_fini(&right);
}

static int worse_backend(const void *a, const void *b)
{
	const struct backend *x = *(const struct backend *const *)a;
	const struct backend *y = *(const struct backend *const *)b;
	unsigned bad_x = x->sessions - x->healthy, bad_y = y->sessions - y->healthy;

	if (bad_x != bad_y)
		return bad_x > bad_y ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* What stands behind one address, worst first: the one thing that a single session cannot show. */
static void print_backends(struct buf *out, const struct grid *t, const struct contact *c)
{
	const struct backend **sorted = xcalloc(c->n_backends, sizeof *sorted);
	size_t shown = c->n_backends > BACKENDS_MAX ? BACKENDS_MAX : c->n_backends, widest = 0;
	size_t indent = t->indent + (t->width[COL_PREF] ? t->width[COL_PREF] + t->gap : 0) + 2;
	struct buf line = {0}, name = {0};
	unsigned power = 10;
	int digits = 1;

	for (size_t i = 0; i < c->n_backends; i++)
		sorted[i] = &c->backends[i];
	qsort(sorted, c->n_backends, sizeof *sorted, worse_backend);
	for (size_t i = 0; i < shown; i++) {
		buf_clear(&name);
		text_safe(&name, sorted[i]->name, strlen(sorted[i]->name));
		widest = text_columns(name.data, name.len) > widest
			     ? text_columns(name.data, name.len)
			     : widest;
		while (digits < 9 && sorted[i]->healthy >= power) {
			digits++;
			power *= 10;
		}
	}
	/* Names may be long; the numbers are what counts. */
	if (t->columns && widest + indent + 18 > t->columns)
		widest = t->columns > indent + 26 ? t->columns - indent - 18 : 8;
	for (size_t i = 0; i < shown; i++) {
		size_t start;

		buf_clear(&name);
		buf_clear(&line);
		text_safe(&name, sorted[i]->name, strlen(sorted[i]->name));
		add_spaces(&line, indent);
		start = line.len;
		text_fit(&line, name.data, name.len, widest);
		add_spaces(&line, widest + 2 - text_columns(line.data + start, line.len - start));
		buf_printf(&line, "%*u/%u healthy", digits, sorted[i]->healthy,
			   sorted[i]->sessions);
		block_line(out, &line, t->columns);
	}
	if (shown < c->n_backends) {
		buf_clear(&line);
		add_spaces(&line, indent);
		buf_printf(&line, "\xE2\x80\xA6 and %zu more", c->n_backends - shown);
		block_line(out, &line, t->columns);
	}
	buf_fini(&name);
	buf_fini(&line);
	free(sorted);
}

/* Worst first: what no retry heals, then what nobody answers, then what passes. */
static const enum class worst_first[] = {
    CLASS_REJECTED,   CLASS_BROKEN,    CLASS_DOWN,     CLASS_TIMEOUT,
    CLASS_UNRESOLVED, CLASS_EXHAUSTED, CLASS_DEFERRED, CLASS_SKIPPED,
};
static_assert(ARRAY_LEN(worst_first) == CLASSES - 1, "each class but the healthy has its place");

static void print_advice(struct buf *out, const struct result *r, unsigned columns)
{
	bool seen[CLASSES][REASONS] = {{false}};
	bool any = false;

	for (size_t i = 0; i < r->n_endpoints; i++)
		seen[r->endpoints[i].contact->class][r->endpoints[i].contact->reason] = true;
	for (size_t i = 0; i < ARRAY_LEN(worst_first); i++) {
		enum class class = worst_first[i];

		for (int reason = 0; reason < REASONS; reason++) {
			struct buf line = {0};

			if (!seen[class][reason])
				continue;
			if (!any)
				buf_addc(out, '\n');
			any = true;
			buf_printf(&line, "%s/%s: %s", class_name(class),
				   reason_name((enum reason)reason),
				   advice_text(class, (enum reason)reason));
			block_prose(out, buf_str(&line), columns, 2);
			buf_fini(&line);
		}
	}
}

static void print_sentences(struct buf *out, const struct result *r, const struct grid *t)
{
	struct buf text = {0};

	if (r->n_endpoints) {
		block_sums(&text, &r->summary);
		block_prose(out, buf_str(&text), t->columns, 2);
		buf_clear(&text);
		block_delivery(&text, &r->delivery);
		block_sentences(out, buf_str(&text), t->columns);
		buf_clear(&text);
	}
	block_reason(&text, r);
	if (text.len)
		block_prose(out, buf_str(&text), t->columns, 0);
	for (size_t i = 0; i < r->n_warnings; i++)
		block_warning(out,
			      r->warnings[i].message ? r->warnings[i].message : r->warnings[i].code,
			      t->color, t->columns);
	buf_fini(&text);
}

static void print_rows(struct buf *out, const struct result *r, struct grid *t)
{
	struct grid_row *rows = xcalloc(r->n_endpoints, sizeof *rows);

	for (size_t i = 0; i < r->n_endpoints; i++) {
		grid_fill(&rows[i], r, &r->endpoints[i], USEC_NONE);
		grid_add(t, &rows[i]);
	}
	grid_fit(t);
	print_heading(out, r, t, USEC_NONE, grid_edge(t));
	buf_addc(out, '\n');
	grid_print(out, t, NULL);
	for (size_t i = 0; i < r->n_endpoints; i++) {
		grid_print(out, t, &rows[i]);
		if (rows[i].backends)
			print_backends(out, t, r->endpoints[i].contact);
		grid_row_fini(&rows[i]);
	}
	buf_addc(out, '\n');
	free(rows);
}

static void print_finished(struct buf *out, const struct result *r, const struct report_conf *conf)
{
	struct grid t;

	grid_init(&t, conf, r->n_endpoints);
	if (r->n_endpoints)
		print_rows(out, r, &t);
	else
		print_heading(out, r, &t, USEC_NONE, BLOCK_EDGE);
	print_sentences(out, r, &t);
	if (conf->explain)
		print_advice(out, r, t.columns);
	grid_fini(&t);
}

size_t table_live_lines(const struct result *r)
{
	return r->n_endpoints + LIVE_FIXED;
}

/* The smaller, the more it is worth a line of the screen. */
static unsigned live_rank(const struct contact *c, usec_t now)
{
	if (is_waiting(c, now))
		return 2;
	if (is_running(c, now))
		return 1;
	return c->class == CLASS_HEALTHY ? 3 : 0;
}

static void print_left_out(struct buf *out, const struct grid *t, size_t all, const size_t left[4])
{
	static const char *const words[4] = {"in trouble", "running", "waiting", "healthy"};
	struct buf line = {0};
	const char *separator = ": ";

	add_spaces(&line, INDENT);
	buf_printf(&line, "\xE2\x80\xA6 and %zu more", all);
	for (int i = 0; i < 4; i++) {
		if (!left[i])
			continue;
		buf_printf(&line, "%s%zu %s", separator, left[i], words[i]);
		separator = ", ";
	}
	block_line(out, &line, t->columns);
	buf_fini(&line);
}

size_t table_live(struct buf *out, const struct result *r, const struct report_conf *conf,
		  usec_t now, size_t lines)
{
	bool whole = lines >= table_live_lines(r);
	size_t room, left[4] = {0}, quota[4], taken = 0;
	struct grid_row *rows = xcalloc(r->n_endpoints, sizeof *rows);
	struct grid t;

	grid_init(&t, conf, r->n_endpoints);
	t.live = true;
	/* Heading, names of columns, one row and what was left out: less is no table. */
	if (!r->n_endpoints || (!whole && lines < 4)) {
		print_heading(out, r, &t, now, BLOCK_EDGE);
		grid_fini(&t);
		free(rows);
		return 1;
	}
	room = whole ? r->n_endpoints : lines - 3;
	for (size_t i = 0; i < r->n_endpoints; i++)
		left[live_rank(r->endpoints[i].contact, now)]++;
	for (int rank = 0; rank < 4; rank++) {
		quota[rank] = left[rank] < room - taken ? left[rank] : room - taken;
		taken += quota[rank];
		left[rank] -= quota[rank];
	}
	/* Those that are shown stay in their order. */
	for (size_t i = 0; i < r->n_endpoints; i++) {
		unsigned rank = live_rank(r->endpoints[i].contact, now);

		if (!quota[rank])
			continue;
		quota[rank]--;
		grid_fill(&rows[i], r, &r->endpoints[i], now);
		grid_add(&t, &rows[i]);
	}
	grid_fit(&t);
	print_heading(out, r, &t, now, grid_edge(&t));
	if (whole)
		buf_addc(out, '\n');
	grid_print(out, &t, NULL);
	for (size_t i = 0; i < t.n_rows; i++)
		grid_print(out, &t, t.rows[i]);
	if (!whole)
		print_left_out(out, &t, r->n_endpoints - taken, left);
	for (size_t i = 0; i < r->n_endpoints; i++)
		grid_row_fini(&rows[i]);
	grid_fini(&t);
	free(rows);
	return whole ? table_live_lines(r) : taken + 3;
}

void table_target(struct buf *out, const struct result *r, const struct report_conf *conf,
		  usec_t now)
{
	if (now == USEC_NONE)
		print_finished(out, r, conf);
	else
		(void)table_live(out, r, conf, now, SIZE_MAX); /* all of it */
}

void table_summary(struct buf *out, const unsigned verdicts[VERDICTS])
{
	const char *separator = ": ";
	unsigned all = 0;

	for (int i = 0; i < VERDICTS; i++)
		all += verdicts[i];
	if (all < 2)
		return;
	buf_printf(out, "\n%u targets", all);
	for (int i = 0; i < VERDICTS; i++) {
		if (!verdicts[i])
			continue;
		buf_printf(out, "%s%u %s", separator, verdicts[i], verdict_name((enum verdict)i));
		separator = ", ";
	}
	buf_addc(out, '\n');
}

static void report_table_begin(struct report *r)
{
	r->state = xcalloc(VERDICTS, sizeof(unsigned));
}

static void report_table_target(struct report *r, const struct result *result)
{
	unsigned *verdicts = r->state;

	if (r->targets)
		buf_addc(&r->out, '\n');
	table_target(&r->out, result, &r->conf, USEC_NONE);
	if (result->index >= 0)
		verdicts[result->verdict]++;
}

static void report_table_end(struct report *r)
{
	table_summary(&r->out, r->state);
	free(r->state);
	r->state = NULL;
}

const struct report_kind report_table = {
    .name = "table",
    .begin = report_table_begin,
    .target = report_table_target,
    .end = report_table_end,
};

/* History as text: a table of the endpoints, and under each a strip of the span. */
#include "base/text.h"
#include "report/looks.h"
#include "report/trend.h"
#include "report/trend_words.h"
#include "report/words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum column {
	COL_LABEL,
	COL_RUNS,
	COL_HEALTHY,
	COL_MEDIAN,
	COL_P95,
	COL_OUTAGE,
	COL_LAST,
	COLUMNS
};

static const char *const headings[COLUMNS] = {"ENDPOINT", "RUNS",   "HEALTHY",     "MEDIAN",
					      "95 %",     "OUTAGE", "LAST TROUBLE"};

enum {
	INDENT = 2,
	DEEPER = 4, /* addresses below their host, and strips */
	GAP = 2,
	WIDTH_USUAL = 80,
	WIDTH_MIN = 20,
	SLICES_MIN = 12,
	SLICES_MAX = 240,
	LAST_LEAST = 24,   /* moment and class */
	HOST_ROWS_MAX = 32 /* of one host; the addresses of some change all the time */
};

struct line {
	struct buf cell[COLUMNS];
	const char *color; /* of the healthy share */
	const struct trend_row *row;
	bool strip;
};

struct page {
	struct buf *out;
	const struct trend *trend;
	bool color;
	size_t width; /* 0: no limit */
	struct line *lines;
	size_t n_lines;
	size_t widths[COLUMNS]; /* 0: not shown */
};

size_t trend_text_slices(unsigned width)
{
	size_t n = (width ? width : WIDTH_USUAL) - 1;

	n = n > DEEPER ? n - DEEPER : 0;
	return n < SLICES_MIN ? SLICES_MIN : n > SLICES_MAX ? SLICES_MAX : n;
}

static void paint(struct page *p, const char *how, const char *s, size_t n)
{
	add_colored(p->out, p->color, how, s, n);
}

/* Appends safe text, cut to what is left of the screen behind `used` columns, and ends the line. */
static void end_line(struct page *p, const struct buf *text, size_t used)
{
	if (!p->width)
		buf_add(p->out, text->data, text->len);
	else if (p->width > used)
		text_fit(p->out, text->data, text->len, p->width - used);
	buf_addc(p->out, '\n');
}

static void print_strip(struct page *p, const struct trend_cell *cells, bool verdicts)
{
	add_spaces(p->out, DEEPER);
	add_strip(p->out, cells, p->trend->slices, verdicts, p->color);
	buf_addc(p->out, '\n');
}

/* The year is told where it is not plain. */
static void add_moment(struct buf *out, int64_t ms, bool year)
{
	struct buf moment = {0};

	trend_moment(&moment, ms);
	if (!year && moment.len > 5)
		buf_consume(&moment, 5);
	buf_add(out, moment.data, moment.len);
	buf_fini(&moment);
}

static void fill(struct line *l, const struct trend_row *row, bool host, size_t indent, bool year)
{
	struct buf *label = &l->cell[COL_LABEL];
	const char *name = host || !row->address ? row->host : row->address;
	double share = row->healthy_share;

	l->row = row;
	add_spaces(label, indent);
	text_safe(label, name, strlen(name));
	buf_printf(&l->cell[COL_RUNS], "%u", row->runs);
	if (share >= 0)
		words_percent(&l->cell[COL_HEALTHY], share);
	else
		buf_addc(&l->cell[COL_HEALTHY], '-');
	l->color = share < 0 ? DIM : share >= 1 ? GREEN : share >= 0.5 ? YELLOW : RED;
	if (row->median != USEC_NONE)
		words_span(&l->cell[COL_MEDIAN], row->median);
	if (row->p95 != USEC_NONE)
		words_span(&l->cell[COL_P95], row->p95);
	if (row->outage_ms >= 0)
		trend_duration(&l->cell[COL_OUTAGE], row->outage_ms);
	if (row->last_unhealthy.at_ms >= 0) {
		add_moment(&l->cell[COL_LAST], row->last_unhealthy.at_ms, year);
		buf_printf(&l->cell[COL_LAST], " %s/%s", class_name(row->last_unhealthy.class),
			   reason_name(row->last_unhealthy.reason));
	}
	if (!row->listed)
		buf_printf(&l->cell[COL_LAST], "%sno longer listed",
			   l->cell[COL_LAST].len ? ", " : "");
}

static struct line *add_line(struct page *p)
{
	return ARRAY_ADD(p->lines, p->n_lines);
}

/* The host, then its addresses. */
static void fill_host(struct page *p, const struct trend_row *host)
{
	const struct trend *t = p->trend;
	bool year = t->to_ms - t->from_ms > 360 * 86400000LL;
	size_t shown = 0, all = 0;

	if (host->members > 1)
		fill(add_line(p), host, true, 0, year);
	for (size_t i = 0; i < t->n_endpoints; i++) {
		const struct trend_row *row = &t->endpoints[i];
		struct line *l;

		if (strcmp(row->host, host->host) != 0)
			continue;
		all++;
		if (shown == HOST_ROWS_MAX)
			continue;
		shown++;
		l = add_line(p);
		fill(l, row, false, host->members > 1 ? DEEPER - INDENT : 0, year);
		l->strip = true;
		if (host->members == 1 && row->address) {
			buf_clear(&l->cell[COL_LABEL]);
			text_safe(&l->cell[COL_LABEL], row->host, strlen(row->host));
			if (strcmp(row->host, row->address) != 0) {
				buf_addstr(&l->cell[COL_LABEL], " [");
				text_safe(&l->cell[COL_LABEL], row->address, strlen(row->address));
				buf_addc(&l->cell[COL_LABEL], ']');
			}
		}
	}
	if (all > shown)
		buf_printf(&add_line(p)->cell[COL_LABEL], ELLIPSIS " and %zu more", all - shown);
}

static size_t columns_of(const struct buf *b)
{
	return text_columns(b->data, b->len);
}

static size_t total(const struct page *p)
{
	size_t n = INDENT;

	for (int col = 0; col < COLUMNS; col++)
		if (p->widths[col])
			n += p->widths[col] + (col ? GAP : 0);
	return n;
}

/* Columns go where the screen is narrow, but for the address and its share. */
static void fit(struct page *p)
{
	static const enum column order[] = {COL_RUNS, COL_P95, COL_OUTAGE, COL_MEDIAN};
	size_t last, least;

	for (int col = 0; col < COLUMNS; col++) {
		p->widths[col] = strlen(headings[col]);
		for (size_t i = 0; i < p->n_lines; i++) {
			size_t n = columns_of(&p->lines[i].cell[col]);

			p->widths[col] = n > p->widths[col] ? n : p->widths[col];
		}
	}
	if (!p->width)
		return;
	last = p->widths[COL_LAST];
	least = last < LAST_LEAST ? last : LAST_LEAST;
	if (total(p) > p->width)
		p->widths[COL_LAST] = least;
	for (size_t i = 0; i < ARRAY_LEN(order) && total(p) > p->width; i++)
		p->widths[order[i]] = 0;
	if (total(p) > p->width)
		p->widths[COL_LAST] = 0;
	if (total(p) > p->width) {
		size_t over = total(p) - p->width;

		p->widths[COL_LABEL] =
		    p->widths[COL_LABEL] > over + 8 ? p->widths[COL_LABEL] - over : 8;
	}
	if (p->widths[COL_LAST] && total(p) < p->width) {
		size_t room = p->width - total(p) + p->widths[COL_LAST];

		p->widths[COL_LAST] = last < room ? last : room;
	}
}

static void print_line(struct page *p, const struct line *l)
{
	size_t start = p->out->len;

	add_spaces(p->out, INDENT);
	for (int col = 0; col < COLUMNS; col++) {
		struct buf cell = {0};
		const char *color = !l ? DIM : col == COL_HEALTHY ? l->color : NULL;
		bool left = col == COL_LABEL || col == COL_LAST;
		size_t pad;

		if (!p->widths[col])
			continue;
		if (l)
			text_fit(&cell, l->cell[col].data, l->cell[col].len, p->widths[col]);
		else
			text_fit(&cell, headings[col], strlen(headings[col]), p->widths[col]);
		pad = p->widths[col] - columns_of(&cell);
		add_spaces(p->out, (col ? GAP : 0) + (left ? 0 : pad));
		if (cell.len)
			paint(p, color, cell.data, cell.len);
		if (left)
			add_spaces(p->out, pad);
		buf_fini(&cell);
	}
	trim_blanks(p->out, start);
	buf_addc(p->out, '\n');
}

static void print_heading(struct page *p)
{
	const struct trend *t = p->trend;
	struct buf text = {0}, name = {0};
	size_t used;

	text_safe(&name, t->target, strlen(t->target));
	used = columns_of(&name);
	if (p->width && used > p->width) {
		text_fit(&text, name.data, name.len, p->width);
		buf_fini(&name);
		name = text;
		text = (struct buf){0};
		used = p->width;
	}
	paint(p, BOLD, name.data, name.len);
	buf_addstr(&text, "   ");
	trend_moment(&text, t->from_ms);
	buf_addstr(&text, " to ");
	trend_moment(&text, t->to_ms);
	buf_printf(&text, " UTC, %u run%s", t->runs, t->runs == 1 ? "" : "s");
	end_line(p, &text, used);
	buf_fini(&name);
	buf_fini(&text);
}

/* Our own words, broken at blanks. */
static void print_sentence(struct page *p, struct buf *sentence)
{
	const char *s = buf_str(sentence);
	size_t at = INDENT;

	add_spaces(p->out, INDENT);
	while (*s) {
		size_t n = strcspn(s, " "), columns = text_columns(s, n);

		if (at > INDENT && p->width && at + 1 + columns > p->width) {
			buf_addc(p->out, '\n');
			add_spaces(p->out, at = DEEPER);
		} else if (at > INDENT) {
			buf_addc(p->out, ' ');
			at++;
		}
		buf_add(p->out, s, n);
		at += columns;
		s += n;
		s += strspn(s, " ");
	}
	buf_addc(p->out, '\n');
	buf_clear(sentence);
}

static void print_summary(struct page *p)
{
	const struct trend *t = p->trend;
	struct buf line = {0};

	trend_state(&line, t);
	print_sentence(p, &line);
	buf_addstr(&line, "Of the runs: ");
	trend_verdicts(&line, t);
	buf_addc(&line, '.');
	print_sentence(p, &line);
	if (t->first_try_mean >= 0) {
		buf_addstr(&line, "First contact accepted: ");
		words_percent(&line, t->first_try_mean);
		buf_addstr(&line, " on average.");
		print_sentence(p, &line);
	}
	buf_fini(&line);
}

/* What the letters of these strips mean, and how much one is. */
static void print_legend(struct page *p)
{
	const struct trend *t = p->trend;
	bool classes[CLASSES] = {false}, verdicts[VERDICTS] = {false}, partly = false;
	struct buf line = {0};

	for (size_t i = 0; i < t->slices; i++) {
		if (t->cells[i].worst >= 0)
			verdicts[t->cells[i].worst] = true;
		partly |= t->cells[i].partly;
	}
	for (size_t k = 0; k < p->n_lines; k++) {
		for (size_t i = 0; p->lines[k].strip && i < t->slices; i++) {
			const struct trend_cell *cell = &p->lines[k].row->cells[i];

			if (cell->worst >= 0)
				classes[cell->worst] = true;
			partly |= cell->partly;
		}
	}
	assert(t->slices > 0); /* nobody can ask for less */
	buf_addstr(&line, "One character is ");
	trend_duration(&line, (t->to_ms - t->from_ms) / (int64_t)t->slices);
	buf_addstr(&line, ": " STRIP_HEALTHY " healthy");
	for (int i = 0; i < CLASSES; i++)
		if (classes[i] && class_letter((enum class)i))
			buf_printf(&line, ", %c %s", class_letter((enum class)i),
				   class_name((enum class)i));
	buf_addstr(&line, ", " STRIP_NOTHING " no run.");
	print_sentence(p, &line);
	for (int i = 1; i < VERDICTS; i++)
		if (verdicts[i])
			buf_printf(&line, "%s%c %s", line.len ? ", " : "First line: ",
				   verdict_letter((enum verdict)i), verdict_name((enum verdict)i));
	if (line.len)
		buf_addstr(&line, ". ");
	if (partly)
		buf_addstr(&line, "A small letter: only some of its runs.");
	if (line.len)
		print_sentence(p, &line);
	buf_fini(&line);
}

static void print_replies(struct page *p)
{
	const struct trend *t = p->trend;
	struct buf line = {0}, text = {0};

	if (!t->n_replies)
		return;
	buf_addc(p->out, '\n');
	add_spaces(&line, INDENT);
	buf_addstr(&line, " TIMES  FIRST             LAST              WHAT");
	if (p->width) {
		text_fit(&text, line.data, line.len, p->width);
		paint(p, DIM, text.data, text.len);
	} else {
		paint(p, DIM, line.data, line.len);
	}
	buf_addc(p->out, '\n');
	for (size_t i = 0; i < t->n_replies; i++) {
		const struct trend_reply *r = &t->replies[i];

		buf_clear(&line);
		add_spaces(&line, INDENT);
		buf_printf(&line, "%6u  ", r->count);
		trend_moment(&line, r->first_ms);
		add_spaces(&line, GAP);
		trend_moment(&line, r->last_ms);
		buf_printf(&line, "  %s/%s", class_name(r->class), reason_name(r->reason));
		end_line(p, &line, 0);
		buf_clear(&line);
		trend_reply_words(&line, r);
		if (!line.len)
			continue;
		add_spaces(p->out, INDENT + 8);
		end_line(p, &line, INDENT + 8);
	}
	buf_fini(&text);
	buf_fini(&line);
}

void trend_text(struct buf *out, const struct trend *t, const struct report_conf *conf)
{
	struct page p = {
	    .out = out,
	    .trend = t,
	    .color = conf->color,
	    .width = conf->width && conf->width < WIDTH_MIN ? WIDTH_MIN : conf->width,
	};

	print_heading(&p);
	if (!t->runs) {
		struct buf line = {0};

		buf_addstr(&line, "No run in this time.");
		print_sentence(&p, &line);
		buf_fini(&line);
		return;
	}
	print_summary(&p);
	print_strip(&p, t->cells, true);
	for (size_t i = 0; i < t->n_hosts; i++)
		fill_host(&p, &t->hosts[i]);
	if (p.n_lines) {
		fit(&p);
		buf_addc(out, '\n');
		print_line(&p, NULL);
	}
	for (size_t i = 0; i < p.n_lines; i++) {
		print_line(&p, &p.lines[i]);
		if (p.lines[i].strip)
			print_strip(&p, p.lines[i].row->cells, false);
	}
	buf_addc(out, '\n');
	print_legend(&p);
	print_replies(&p);
	for (size_t i = 0; i < p.n_lines; i++)
		for (int col = 0; col < COLUMNS; col++)
			buf_fini(&p.lines[i].cell[col]);
	free(p.lines);
}

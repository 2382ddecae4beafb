/* What stands in the cells, and how they fit a screen. */
#include "report/grid.h"

#include "base/text.h"
#include "report/looks.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

static const char *const headings[COLUMNS] = {"PREF", "HOST", "ADDRESS", "RESULT",
					      "TIME", "TLS",  "REPLY"};
#define STRIP_HEADING "LAST"

enum {
	GAP = 2,
	EDGE = 74,       /* where a heading ends, unless the table is wider */
	WIDTH_MIN = 20,  /* on a narrower screen, so be it */
	LIVE_REPLY = 25, /* while a target runs, columns keep room for what may come */
	LIVE_RESULT = 16,
	LIVE_TIME = 6
};

static void add_safe(struct buf *out, const char *s)
{
	text_safe(out, s, strlen(s));
}

static bool is_running(const struct contact *c, usec_t now)
{
	return now != USEC_NONE && c->state == CONTACT_RUNNING;
}

static bool is_waiting(const struct contact *c, usec_t now)
{
	return now != USEC_NONE && c->state == CONTACT_WAITING;
}

/* A healthy session that is worth a word all the same. */
static void add_remark(struct buf *out, const struct contact *c)
{
	if (!(c->seen.notes & NOTE_TLS_FALLBACK))
		return;
	if (out->len)
		buf_addstr(out, "; ");
	buf_addstr(out, c->seen.tls ? "TLS handshake failed, went on without TLS"
				    : "STARTTLS refused, went on without TLS");
}

static void fill_outcome(struct grid_row *row, const struct contact *c)
{
	struct buf *result = &row->cell[COL_RESULT], *reply = &row->cell[COL_REPLY];

	row->color = class_color(c->class);
	buf_addstr(result, class_name(c->class));
	if (c->class != CLASS_HEALTHY)
		buf_printf(result, "/%s", reason_name(c->reason));
	if (c->sessions && c->timing.total != USEC_NONE)
		words_span(&row->cell[COL_TIME], c->timing.total);

	if (c->sessions > 1) {
		bool partly = c->healthy_sessions && c->healthy_sessions < c->sessions;

		buf_printf(reply, "%u/%u healthy", c->healthy_sessions, c->sessions);
		row->backends = partly && c->n_backends > 1;
		if (!partly && c->n_backends > 1)
			buf_printf(reply, ", %zu backends", c->n_backends);
		if (c->class != CLASS_HEALTHY)
			buf_addstr(reply, "; ");
	}
	if (c->class == CLASS_HEALTHY)
		add_remark(reply, c);
	else if (words_ending(reply, c))
		buf_printf(&row->phase, "(%s)", words_phase(&c->seen, c->phase));
}

/* "1.3" of "TLSv1.3", "1.0" of "TLSv1"; and what is wrong with the certificate, whether or not the
 * mode asks for it: "1.2!expired". */
static void fill_tls(struct buf *cell, const struct contact *c, int64_t started_ms)
{
	const char *version = c->seen.tls ? c->seen.tls->version : NULL, *fault;

	if (!version)
		return;
	if (!strncmp(version, "TLSv", 4))
		version += 4;
	add_safe(cell, version);
	if (!strcmp(version, "1"))
		buf_addstr(cell, ".0");
	fault = tls_fault_name(c->seen.tls->fault);
	if (!fault && c->seen.tls->not_after && c->seen.tls->not_after < started_ms / 1000)
		fault = tls_fault_name(TLS_EXPIRED);
	if (fault)
		buf_printf(cell, "!%s", fault);
}

void grid_fill(struct grid_row *row, const struct result *r, const struct endpoint *e, usec_t now)
{
	const struct contact *c = e->contact;
	char address[ADDR_STRLEN];

	for (int col = 0; col < COLUMNS; col++)
		buf_clear(&row->cell[col]);
	buf_clear(&row->phase);
	row->color = NULL;
	row->backends = false;
	if (e->preference >= 0)
		buf_printf(&row->cell[COL_PREF], "%d", e->preference);
	if (e->host && r->source != SOURCE_LITERAL)
		add_safe(&row->cell[COL_HOST], e->host);
	/* A zone is a name of this machine's, but any octets may be in it. */
	add_safe(&row->cell[COL_ADDRESS], addr_format(&c->addr, address));
	if (is_waiting(c, now)) {
		buf_addstr(&row->cell[COL_RESULT], "waiting");
		row->color = DIM;
	} else if (is_running(c, now)) {
		usec_t tenths = now > c->live_since ? (now - c->live_since) / 100000 : 0;

		buf_printf(&row->cell[COL_RESULT], "%s %d.%d s", phase_name(c->live_phase),
			   (int)(tenths / 10), (int)(tenths % 10));
	} else {
		fill_outcome(row, c);
		fill_tls(&row->cell[COL_TLS], c, r->started_ms);
	}
}

static size_t reply_columns(const struct grid_row *row)
{
	size_t n = text_columns(row->cell[COL_REPLY].data, row->cell[COL_REPLY].len);

	return row->phase.len ? n + 2 + row->phase.len : n;
}

/* A time and a reply both begin with digits: they never stand closer. */
static size_t gap_before(const struct grid *t, int col)
{
	return col == COL_REPLY ? GAP : t->gap;
}

static size_t total_width(const struct grid *t)
{
	size_t total = t->indent;
	bool any = false;

	for (int i = 0; i < COLUMNS; i++) {
		if (!t->width[i])
			continue;
		total += t->width[i] + (any ? gap_before(t, i) : 0);
		any = true;
	}
	return t->strip ? total + GAP + t->strip : total;
}

/* Widths that the cells ask for. */
static void natural_widths(struct grid *t)
{
	for (int col = 0; col < COLUMNS; col++) {
		size_t most = 0;

		for (size_t i = 0; i < t->n_rows; i++) {
			const struct buf *cell = &t->rows[i]->cell[col];
			size_t n = col == COL_REPLY ? reply_columns(t->rows[i])
						    : text_columns(cell->data, cell->len);

			most = n > most ? n : most;
		}
		if (t->live) {
			size_t keep = col == COL_REPLY    ? LIVE_REPLY
				      : col == COL_RESULT ? LIVE_RESULT
				      : col == COL_TIME   ? LIVE_TIME
							  : 0;

			most = most > keep ? most : keep;
		}
		if (!most && (col == COL_PREF || col == COL_HOST || col == COL_TLS))
			continue;
		t->width[col] = most > strlen(headings[col]) ? most : strlen(headings[col]);
	}
}

static size_t missing(const struct grid *t)
{
	size_t total = total_width(t);

	return total > t->columns ? total - t->columns : 0;
}

static void grow(struct grid *t, enum grid_column col, size_t to)
{
	size_t total = total_width(t), room = total < t->columns ? t->columns - total : 0;

	if (!t->width[col] || t->width[col] >= to)
		return;
	t->width[col] = to - t->width[col] < room ? to : t->width[col] + room;
}

/* Makes the table as narrow as the screen. What goes first is what can be guessed from the rest:
 * the tail of a reply, the tail of a host's name, blanks, then whole columns. Addresses and results
 * go last. */
static void narrow(struct grid *t)
{
	enum { TIGHT = COLUMNS };
	static const struct {
		int column;
		size_t least; /* 0: the column goes */
	} steps[] = {
	    {COL_REPLY, 40}, {COL_HOST, 20},  {COL_REPLY, 25},  {TIGHT, 0},
	    {COL_HOST, 10},  {COL_REPLY, 20}, {COL_TLS, 0},     {COL_PREF, 0},
	    {COL_REPLY, 14}, {COL_HOST, 8},   {COL_REPLY, 10},  {COL_TIME, 0},
	    {COL_REPLY, 0},  {COL_HOST, 0},   {COL_ADDRESS, 8}, {COL_RESULT, 8},
	};
	size_t natural[COLUMNS];

	memcpy(natural, t->width, sizeof natural);
	if (!t->columns || !missing(t))
		return;
	for (size_t i = 0; i < ARRAY_LEN(steps) && missing(t); i++) {
		size_t *width, least = steps[i].least;

		if (steps[i].column == TIGHT) {
			t->gap = 1;
			t->indent = 0;
			continue;
		}
		width = &t->width[steps[i].column];
		if (!least)
			*width = 0;
		else if (*width > least)
			*width = *width - least > missing(t) ? *width - missing(t) : least;
	}
	/* The last step may have made more room than was missing. */
	if (!t->width[COL_TIME] && total_width(t) + t->gap + natural[COL_TIME] <= t->columns)
		t->width[COL_TIME] = natural[COL_TIME];
	grow(t, COL_HOST, natural[COL_HOST] < 16 ? natural[COL_HOST] : 16);
	grow(t, COL_REPLY, natural[COL_REPLY] < 32 ? natural[COL_REPLY] : 32);
	grow(t, COL_HOST, natural[COL_HOST]);
	grow(t, COL_REPLY, natural[COL_REPLY]);
}

void grid_row_fini(struct grid_row *row)
{
	for (int col = 0; col < COLUMNS; col++)
		buf_fini(&row->cell[col]);
	buf_fini(&row->phase);
}

void grid_init(struct grid *t, const struct report_conf *conf, size_t most)
{
	*t = (struct grid){
	    .rows = xcalloc(most, sizeof *t->rows),
	    .gap = GAP,
	    .indent = GRID_INDENT,
	    .color = conf->color,
	    .columns = conf->width && conf->width < WIDTH_MIN ? WIDTH_MIN : conf->width,
	};
}

void grid_fini(struct grid *t)
{
	free(t->rows);
}

void grid_add(struct grid *t, const struct grid_row *row)
{
	t->rows[t->n_rows++] = row;
}

/* The reply, and behind it the phase in which it came; where both do not fit and the reply is still
 * to be recognized, it is the reply that is cut. */
static void fit_reply(struct buf *out, const struct grid_row *row, size_t width)
{
	const struct buf *reply = &row->cell[COL_REPLY];
	size_t phase = row->phase.len ? row->phase.len + 2 : 0;

	if (reply_columns(row) > width && width < phase + 24)
		phase = 0;
	text_fit(out, reply->data, reply->len, width - phase);
	if (phase) {
		add_spaces(out, 2);
		buf_add(out, row->phase.data, row->phase.len);
	}
}

static void print_strip(struct buf *out, const struct grid *t, const struct grid_row *row)
{
	struct buf name = {0};

	add_spaces(out, GAP);
	if (!row) {
		text_fit(&name, STRIP_HEADING, strlen(STRIP_HEADING), t->strip);
		add_colored(out, t->color, DIM, name.data, name.len);
	} else if (row->strip) {
		add_strip(out, row->strip, t->strip, false, t->color);
	}
	buf_fini(&name);
}

void grid_print(struct buf *out, const struct grid *t, const struct grid_row *row)
{
	struct buf cell = {0};
	size_t start = out->len;
	bool first = true;

	for (int col = 0; col < COLUMNS; col++) {
		size_t width = t->width[col], pad;
		const char *color = !row ? DIM : col == COL_RESULT ? row->color : NULL;

		if (!width)
			continue;
		buf_clear(&cell);
		if (!row)
			text_fit(&cell, headings[col], strlen(headings[col]), width);
		else if (col == COL_REPLY)
			fit_reply(&cell, row, width);
		else
			text_fit(&cell, row->cell[col].data, row->cell[col].len, width);
		pad = width - text_columns(cell.data, cell.len);
		add_spaces(out, first ? t->indent : gap_before(t, col));
		first = false;
		if (col == COL_PREF || col == COL_TIME)
			add_spaces(out, pad);
		if (cell.len)
			add_colored(out, t->color, color, cell.data, cell.len);
		if (col != COL_PREF && col != COL_TIME)
			add_spaces(out, pad);
	}
	if (t->strip)
		print_strip(out, t, row);
	trim_blanks(out, start);
	buf_addc(out, '\n');
	buf_fini(&cell);
}

void grid_fit(struct grid *t)
{
	natural_widths(t);
	narrow(t);
}

size_t grid_edge(const struct grid *t)
{
	size_t edge = total_width(t);

	if (t->width[COL_REPLY] && !t->strip)
		edge = edge - t->width[COL_REPLY] + strlen(headings[COL_REPLY]);
	return edge > EDGE ? edge : EDGE;
}

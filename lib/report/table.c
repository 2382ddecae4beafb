#include "report/table.h"

#include "base/text.h"
#include "judge/advice.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

enum column {
	COL_PREF,
	COL_HOST,
	COL_ADDRESS,
	COL_RESULT,
	COL_TIME,
	COL_TLS,
	COL_REPLY, /* the last: it has no padding */
	COLUMNS
};

static const char *const headings[COLUMNS] = {"PREF", "HOST", "ADDRESS", "RESULT",
					      "TIME", "TLS",  "REPLY"};

enum {
	WIDTH_MIN = 20, /* on a narrower screen, so be it */
	INDENT = 2,
	GAP = 2,
	EDGE = 74,         /* where the verdict ends, unless the table is wider */
	PROSE_WIDTH = 110, /* lines of sentences are not longer, however wide the terminal */
	BACKENDS_MAX = 12, /* rows of backends under one endpoint */
	LIVE_REPLY = 25,   /* while a target runs, columns keep room for what may come */
	LIVE_RESULT = 16,
	LIVE_TIME = 6,
	LIVE_FIXED = 3 /* lines of a live block besides its rows: heading, blank, column names */
};

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define MAGENTA "\033[35m"
#define PLAIN "\033[0m"

static const char *const class_colors[CLASSES] = {
    [CLASS_HEALTHY] = GREEN, [CLASS_EXHAUSTED] = YELLOW, [CLASS_DEFERRED] = YELLOW,
    [CLASS_REJECTED] = RED,  [CLASS_TIMEOUT] = RED,      [CLASS_DOWN] = RED,
    [CLASS_BROKEN] = RED,    [CLASS_UNRESOLVED] = RED,   [CLASS_SKIPPED] = DIM,
};

static const char *const verdict_colors[VERDICTS] = {
    [VERDICT_HEALTHY] = BOLD GREEN,   [VERDICT_DEGRADED] = BOLD YELLOW,
    [VERDICT_FAILING] = BOLD RED,     [VERDICT_UNDELIVERABLE] = BOLD RED,
    [VERDICT_UNKNOWN] = BOLD MAGENTA,
};

/* One endpoint, as safe text. */
struct row {
	struct buf cell[COLUMNS];
	struct buf phase;  /* follows the reply: "(MAIL FROM)" */
	const char *color; /* of the result */
	const struct contact *contact;
	bool backends; /* they are listed beneath */
};

struct table {
	struct row *rows;
	size_t n_rows;
	size_t width[COLUMNS]; /* 0: not shown */
	size_t gap, indent;
	bool color;
	unsigned columns; /* of the screen; 0: no limit */
	bool live;
};

static void spaces(struct buf *out, size_t n)
{
	while (n--)
		buf_addc(out, ' ');
}

static void colored(struct buf *out, bool color, const char *how, const char *s, size_t n)
{
	if (color && how)
		buf_addstr(out, how);
	buf_add(out, s, n);
	if (color && how)
		buf_addstr(out, PLAIN);
}

/* Not toupper(): it asks the locale. */
static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Appends `line`, which has no colour, cut to the screen. */
static void add_line(struct buf *out, const struct buf *line, unsigned columns)
{
	if (columns)
		text_fit(out, line->data, line->len, columns);
	else
		buf_add(out, line->data, line->len);
	buf_addc(out, '\n');
}

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

static void fill_outcome(struct row *row, const struct contact *c)
{
	struct buf *result = &row->cell[COL_RESULT], *reply = &row->cell[COL_REPLY];

	row->color = class_colors[c->class];
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

static void fill_row(struct row *row, const struct result *r, const struct endpoint *e, usec_t now)
{
	const struct contact *c = e->contact;
	char address[ADDR_STRLEN];

	row->contact = c;
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

static size_t reply_columns(const struct row *row)
{
	size_t n = text_columns(row->cell[COL_REPLY].data, row->cell[COL_REPLY].len);

	return row->phase.len ? n + 2 + row->phase.len : n;
}

/* A time and a reply both begin with digits: they never stand closer. */
static size_t gap_before(const struct table *t, int col)
{
	return col == COL_REPLY ? GAP : t->gap;
}

static size_t total_width(const struct table *t)
{
	size_t total = t->indent;
	bool any = false;

	for (int i = 0; i < COLUMNS; i++) {
		if (!t->width[i])
			continue;
		total += t->width[i] + (any ? gap_before(t, i) : 0);
		any = true;
	}
	return total;
}

/* Widths that the cells ask for. */
static void natural_widths(struct table *t)
{
	for (int col = 0; col < COLUMNS; col++) {
		size_t most = 0;

		for (size_t i = 0; i < t->n_rows; i++) {
			const struct buf *cell = &t->rows[i].cell[col];
			size_t n = col == COL_REPLY ? reply_columns(&t->rows[i])
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

static size_t missing(const struct table *t)
{
	size_t total = total_width(t);

	return total > t->columns ? total - t->columns : 0;
}

static void grow(struct table *t, enum column col, size_t to)
{
	size_t total = total_width(t), room = total < t->columns ? t->columns - total : 0;

	if (!t->width[col] || t->width[col] >= to)
		return;
	t->width[col] = to - t->width[col] < room ? to : t->width[col] + room;
}

/* Makes the table as narrow as the screen. What goes first is what can be guessed from the rest:
 * the tail of a reply, the tail of a host's name, blanks, then whole columns. Addresses and results
 * go last. */
static void fit(struct table *t)
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

static void table_init(struct table *t, const struct report_conf *conf, bool live, size_t n_rows)
{
	*t = (struct table){
	    .rows = xcalloc(n_rows, sizeof *t->rows),
	    .gap = GAP,
	    .indent = INDENT,
	    .color = conf->color,
	    .columns = conf->width && conf->width < WIDTH_MIN ? WIDTH_MIN : conf->width,
	    .live = live,
	};
}

static void table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		for (int col = 0; col < COLUMNS; col++)
			buf_fini(&t->rows[i].cell[col]);
		buf_fini(&t->rows[i].phase);
	}
	free(t->rows);
}

/* The reply, and behind it the phase in which it came; where both do not fit and the reply is still
 * to be recognized, it is the reply that is cut. */
static void fit_reply(struct buf *out, const struct row *row, size_t width)
{
	const struct buf *reply = &row->cell[COL_REPLY];
	size_t phase = row->phase.len ? row->phase.len + 2 : 0;

	if (reply_columns(row) > width && width < phase + 24)
		phase = 0;
	text_fit(out, reply->data, reply->len, width - phase);
	if (phase) {
		spaces(out, 2);
		buf_add(out, row->phase.data, row->phase.len);
	}
}

static void trim(struct buf *out, size_t from)
{
	while (out->len > from && out->data[out->len - 1] == ' ')
		out->len--;
}

/* One line of cells; row NULL: the names of the columns. */
static void print_row(struct buf *out, const struct table *t, const struct row *row)
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
		spaces(out, first ? t->indent : gap_before(t, col));
		first = false;
		if (col == COL_PREF || col == COL_TIME)
			spaces(out, pad);
		if (cell.len)
			colored(out, t->color, color, cell.data, cell.len);
		if (col != COL_PREF && col != COL_TIME)
			spaces(out, pad);
	}
	trim(out, start);
	buf_addc(out, '\n');
	buf_fini(&cell);
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
static void print_backends(struct buf *out, const struct table *t, const struct contact *c)
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
		add_safe(&name, sorted[i]->name);
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
		add_safe(&name, sorted[i]->name);
		spaces(&line, indent);
		start = line.len;
		text_fit(&line, name.data, name.len, widest);
		spaces(&line, widest + 2 - text_columns(line.data + start, line.len - start));
		buf_printf(&line, "%*u/%u healthy", digits, sorted[i]->healthy,
			   sorted[i]->sessions);
		add_line(out, &line, t->columns);
	}
	if (shown < c->n_backends) {
		buf_clear(&line);
		spaces(&line, indent);
		buf_printf(&line, "\xE2\x80\xA6 and %zu more", c->n_backends - shown);
		add_line(out, &line, t->columns);
	}
	buf_fini(&name);
	buf_fini(&line);
	free(sorted);
}

static void count_of(struct buf *out, size_t n, const char *one, const char *many)
{
	buf_printf(out, "%s%zu %s", out->len ? ", " : "", n, n == 1 ? one : many);
}

/* "4 MX, 16 endpoints": what DNS made of the target. */
static void add_facts(struct buf *out, const struct result *r)
{
	if (r->index < 0)
		buf_addstr(out, "control target");
	if ((r->error_code && !r->n_endpoints) || !r->has_dns)
		return;
	switch (r->source) {
	case SOURCE_MX:
		count_of(out, r->n_hosts, "MX", "MX");
		break;
	case SOURCE_IMPLICIT:
		buf_printf(out, "%sno MX, own address%s", out->len ? ", " : "",
			   r->n_endpoints == 1 ? "" : "es");
		break;
	case SOURCE_NULL_MX:
		buf_printf(out, "%snull MX", out->len ? ", " : "");
		break;
	default:
		break;
	}
	if (r->n_endpoints)
		count_of(out, r->n_endpoints, "endpoint", "endpoints");
}

static bool contains(const char *s, const char *part)
{
	size_t n = strlen(part);

	for (; *s; s++)
		if (!strncasecmp(s, part, n))
			return true;
	return n == 0;
}

/* The heading: what was asked, what DNS made of it, and at the right edge the verdict (while it
 * runs: how much is done). */
static void print_heading(struct buf *out, const struct result *r, const struct table *t,
			  usec_t now, size_t edge)
{
	struct buf name = {0}, facts = {0}, right = {0};
	size_t left, room, n_name, n_facts, done = 0;
	const char *color = NULL;

	add_safe(&name, r->target ? r->target : "");
	if (r->domain && !contains(r->target ? r->target : "", r->domain) &&
	    r->source != SOURCE_LITERAL) {
		buf_addstr(&name, " (");
		add_safe(&name, r->domain);
		buf_addc(&name, ')');
	}
	add_facts(&facts, r);
	if (now == USEC_NONE) {
		for (const char *p = verdict_name(r->verdict); *p; p++)
			buf_addc(&right, upper(*p));
		color = verdict_colors[r->verdict];
	} else {
		for (size_t i = 0; i < r->n_endpoints; i++)
			done += r->endpoints[i].contact->state == CONTACT_DONE;
		buf_printf(&right, "%zu of %zu done", done, r->n_endpoints);
		color = DIM;
	}

	n_name = text_columns(name.data, name.len);
	n_facts = text_columns(facts.data, facts.len);
	left = n_name + (n_facts ? 3 + n_facts : 0);
	if (left + 2 + right.len > edge)
		edge = left + 2 + right.len;
	if (t->columns && edge > t->columns)
		edge = t->columns;
	/* On a narrow screen the facts give way, then the name; the verdict stays. */
	room = edge > right.len + 2 ? edge - right.len - 2 : 0;
	if (left > room) {
		struct buf cut = {0};

		n_facts = n_facts && room >= n_name + 3 + 8 ? room - n_name - 3 : 0;
		text_fit(&cut, facts.data, facts.len, n_facts);
		buf_fini(&facts);
		facts = cut;
		n_facts = text_columns(facts.data, facts.len);
		cut = (struct buf){0};
		text_fit(&cut, name.data, name.len, room);
		buf_fini(&name);
		name = cut;
		n_name = text_columns(name.data, name.len);
		left = n_name + (n_facts ? 3 + n_facts : 0);
	}
	colored(out, t->color, BOLD, name.data, name.len);
	if (n_facts) {
		spaces(out, 3);
		buf_add(out, facts.data, facts.len);
	}
	if (edge > left + right.len)
		spaces(out, edge - left - right.len);
	if (t->columns && right.len > t->columns)
		text_fit(out, right.data, right.len, t->columns);
	else
		colored(out, t->color, color, right.data, right.len);
	buf_addc(out, '\n');
	buf_fini(&name);
	buf_fini(&facts);
	buf_fini(&right);
}

/* The right edge of the heading: the end of the word REPLY, since replies are of any length, and
 * the same for all small tables, so that verdicts stand in a column. */
static size_t table_edge(const struct table *t)
{
	size_t edge = total_width(t);

	if (t->width[COL_REPLY])
		edge = edge - t->width[COL_REPLY] + strlen(headings[COL_REPLY]);
	return edge > EDGE ? edge : EDGE;
}

/* Appends s, indented, broken at blanks into lines of `columns` (0: never), those after the first
 * with a deeper indent by `hang`. */
static void add_prose(struct buf *out, const char *s, unsigned columns, size_t hang)
{
	size_t at = INDENT, blanks = 0;

	spaces(out, INDENT);
	while (*s) {
		size_t n = strcspn(s, " "), width = text_columns(s, n);

		if (blanks && columns && at + blanks + width > columns) {
			buf_addc(out, '\n');
			at = INDENT + hang;
			spaces(out, at);
		} else {
			spaces(out, blanks);
			at += blanks;
		}
		/* A word longer than the line is cut; there is nowhere else to go. */
		if (columns && at + width > columns)
			text_fit(out, s, n, columns > at ? columns - at : 0);
		else
			buf_add(out, s, n);
		at += width;
		s += n;
		blanks = strspn(s, " ");
		s += blanks;
	}
	buf_addc(out, '\n');
}

/* What there is to say where there is no endpoint. */
static const char *without_endpoints(const struct result *r)
{
	if (r->source == SOURCE_NULL_MX)
		return "The domain accepts no mail, and says so (null MX, RFC 7505).";
	switch (r->status) {
	case DNS_NXDOMAIN:
		return "The domain does not exist (NXDOMAIN).";
	case DNS_NO_ADDRESS:
		return "The domain has neither MX nor address records: mail cannot be sent to it.";
	case DNS_SERVFAIL:
		return "DNS gave no usable answer (SERVFAIL): nothing is known of the domain's "
		       "mail servers.";
	case DNS_TIMEOUT:
		return "DNS gave no answer in time: nothing is known of the domain's mail servers.";
	case DNS_INVALID:
		return "DNS leads nowhere from this name: it is no host name, or its CNAME records "
		       "form a loop.";
	default:
		return "No mail server was found.";
	}
}

static void print_sums(struct buf *out, const struct result *r, unsigned columns)
{
	const struct summary *s = &r->summary;
	struct buf line = {0};

	buf_printf(&line, "%u of %u healthy", s->count[CLASS_HEALTHY], s->endpoints);
	for (int i = CLASS_HEALTHY + 1; i < CLASSES; i++)
		if (s->count[i])
			buf_printf(&line, ", %u %s", s->count[i], class_name((enum class)i));
	add_prose(out, buf_str(&line), columns, 2);
	buf_fini(&line);
}

static void add_seconds(struct buf *out, double seconds)
{
	words_span_short(out, seconds > 0 ? (usec_t)(seconds * 1e6 + 0.5) : 0);
}

/* Sentences, as many on a line as fit. */
static void print_delivery(struct buf *out, const struct delivery *d, unsigned columns)
{
	unsigned width = columns && columns < PROSE_WIDTH ? columns : PROSE_WIDTH;
	struct buf line = {0}, next = {0};

	if (!d->contacted)
		return;
	buf_addstr(&line, "First contact accepted: ");
	words_percent(&line, d->first_try);
	buf_addc(&line, '.');
	for (size_t i = 0; i < d->n_senders; i++) {
		const struct sender_delivery *sender = &d->senders[i];

		buf_clear(&next);
		buf_printf(&next, "One %c%s delivery attempt: accepted with ",
			   upper(sender->name[0]), sender->name + 1);
		words_percent(&next, sender->accepted);
		buf_addstr(&next, ", ");
		add_seconds(&next, sender->seconds);
		buf_addstr(&next, " on average.");
		if (INDENT + line.len + 2 + next.len <= width) {
			spaces(&line, 2);
		} else {
			add_prose(out, buf_str(&line), columns, 2);
			buf_clear(&line);
		}
		buf_add(&line, next.data, next.len);
	}
	add_prose(out, buf_str(&line), columns, 2);
	buf_fini(&next);
	buf_fini(&line);
}

static void print_warnings(struct buf *out, const struct result *r, const struct table *t)
{
	struct buf line = {0}, word = {0};

	for (size_t i = 0; i < r->n_warnings; i++) {
		const struct warning *w = &r->warnings[i];

		buf_clear(&line);
		buf_clear(&word);
		spaces(out, INDENT);
		colored(out, t->color, YELLOW, "warning:", 8);
		buf_addc(&word, ' ');
		add_safe(&word, w->message ? w->message : w->code);
		if (t->columns)
			text_fit(&line, word.data, word.len,
				 t->columns > INDENT + 8 ? t->columns - INDENT - 8 : 0);
		else
			buf_add(&line, word.data, word.len);
		buf_add(out, line.data, line.len);
		buf_addc(out, '\n');
	}
	buf_fini(&word);
	buf_fini(&line);
}

/* Worst first: what no retry heals, then what nobody answers, then what passes. */
static const enum class worst_first[] = {
    CLASS_REJECTED,   CLASS_BROKEN,    CLASS_DOWN,     CLASS_TIMEOUT,
    CLASS_UNRESOLVED, CLASS_EXHAUSTED, CLASS_DEFERRED, CLASS_SKIPPED,
};

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
			add_prose(out, buf_str(&line), columns, 2);
			buf_fini(&line);
		}
	}
}

static void print_without_endpoints(struct buf *out, const struct result *r, const struct table *t)
{
	struct buf line = {0};

	print_heading(out, r, t, USEC_NONE, EDGE);
	if (r->error_code)
		add_safe(&line, r->error_message ? r->error_message : r->error_code);
	else
		buf_addstr(&line, without_endpoints(r));
	add_prose(out, buf_str(&line), t->columns, 0);
	print_warnings(out, r, t);
	buf_fini(&line);
}

/* Why the verdict is not what the rows say. */
static void print_error(struct buf *out, const struct result *r, unsigned columns)
{
	struct buf line = {0};

	if (!r->error_code)
		return;
	add_safe(&line, r->error_message ? r->error_message : r->error_code);
	add_prose(out, buf_str(&line), columns, 0);
	buf_fini(&line);
}

static void print_finished(struct buf *out, const struct result *r, const struct report_conf *conf)
{
	struct table t;

	table_init(&t, conf, false, r->n_endpoints);
	if (!r->n_endpoints) {
		print_without_endpoints(out, r, &t);
		table_fini(&t);
		return;
	}
	for (; t.n_rows < r->n_endpoints; t.n_rows++)
		fill_row(&t.rows[t.n_rows], r, &r->endpoints[t.n_rows], USEC_NONE);
	natural_widths(&t);
	fit(&t);
	print_heading(out, r, &t, USEC_NONE, table_edge(&t));
	buf_addc(out, '\n');
	print_row(out, &t, NULL);
	for (size_t i = 0; i < t.n_rows; i++) {
		print_row(out, &t, &t.rows[i]);
		if (t.rows[i].backends)
			print_backends(out, &t, t.rows[i].contact);
	}
	buf_addc(out, '\n');
	print_sums(out, r, t.columns);
	print_delivery(out, &r->delivery, t.columns);
	print_error(out, r, t.columns);
	print_warnings(out, r, &t);
	if (conf->explain)
		print_advice(out, r, t.columns);
	table_fini(&t);
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

static void print_left_out(struct buf *out, const struct table *t, size_t all, const size_t left[4])
{
	static const char *const words[4] = {"in trouble", "running", "waiting", "healthy"};
	struct buf line = {0};
	const char *separator = ": ";

	spaces(&line, INDENT);
	buf_printf(&line, "\xE2\x80\xA6 and %zu more", all);
	for (int i = 0; i < 4; i++) {
		if (!left[i])
			continue;
		buf_printf(&line, "%s%zu %s", separator, left[i], words[i]);
		separator = ", ";
	}
	add_line(out, &line, t->columns);
	buf_fini(&line);
}

size_t table_live(struct buf *out, const struct result *r, const struct report_conf *conf,
		  usec_t now, size_t lines)
{
	bool whole = lines >= table_live_lines(r);
	size_t room, left[4] = {0}, quota[4], taken = 0;
	struct table t;

	table_init(&t, conf, true, r->n_endpoints);
	/* Heading, names of columns, one row and what was left out: less is no table. */
	if (!r->n_endpoints || (!whole && lines < 4)) {
		print_heading(out, r, &t, now, EDGE);
		table_fini(&t);
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
		fill_row(&t.rows[t.n_rows++], r, &r->endpoints[i], now);
	}
	natural_widths(&t);
	fit(&t);
	print_heading(out, r, &t, now, table_edge(&t));
	if (whole)
		buf_addc(out, '\n');
	print_row(out, &t, NULL);
	for (size_t i = 0; i < t.n_rows; i++)
		print_row(out, &t, &t.rows[i]);
	if (!whole)
		print_left_out(out, &t, r->n_endpoints - taken, left);
	table_fini(&t);
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

/* History as one HTML page: no script, nothing from elsewhere, and a policy that forbids both. Text
 * stands outside the drawings, which are stretched to whatever width there is. */
#include "base/text.h"
#include "report/trend.h"
#include "report/trend_words.h"
#include "report/words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	STRIP_HEIGHT = 20, /* of the drawing's own units; a healthy slice is low, trouble is tall */
	STRIP_LOW = 8,
	STRIP_PARTLY = 14,
	CHART_HEIGHT = 1000,
	CHARTS_MAX = 64, /* endpoints with a chart of their own */
	HOST_ROWS_MAX = 64,
	TICKS = 5
};

/* Light and dark, screen and paper. Each colour is told apart by a word or a height, too. */
static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1c2126;--dim:#5d6772;--line:#d8dde3;"
    "--card:#f5f7f9;--none:#e9edf1;--ok:#2e9e5b;--exhausted:#e08a00;--deferred:#d4b106;"
    "--rejected:#b3123b;--timeout:#e2492f;--down:#7c3aed;--broken:#c026a3;--unresolved:#8a5a2b;"
    "--skipped:#9aa4af;--degraded:#e08a00;--failing:#d9302c;--undeliverable:#b3123b;"
    "--unknown:#7c3aed;--p0:#4e79a7;--p1:#76b7b2;--p2:#59a14f;--p3:#edc948;--p4:#f28e2b;"
    "--p5:#b07aa1}"
    "@media(prefers-color-scheme:dark){:root{--bg:#14181d;--fg:#e4e9ee;--dim:#98a4b1;"
    "--line:#323b45;--card:#1c2229;--none:#262e37;--ok:#3fb871;--exhausted:#f0a030;"
    "--deferred:#e3c82e;--rejected:#f0476f;--timeout:#ff6b4f;--down:#a378ff;--broken:#e55ccb;"
    "--unresolved:#c08a52;--skipped:#6d7883;--degraded:#f0a030;--failing:#ff5c57;"
    "--undeliverable:#f0476f;--unknown:#a378ff}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:76rem;background:var(--bg);"
    "color:var(--fg);font:15px/1.45 system-ui,-apple-system,\"Segoe UI\",Roboto,\"DejaVu "
    "Sans\",sans-serif}"
    "h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}"
    "h2{font-size:1.05rem;margin:2rem 0 .6rem}"
    "section+section{margin-top:3.5rem;border-top:1px solid var(--line);padding-top:2rem}"
    ".head{display:flex;flex-wrap:wrap;gap:.3rem .9rem;align-items:baseline}"
    ".badge{padding:.1rem .65rem;border-radius:1rem;border:2px solid;font-weight:600}"
    ".dim,.head p{color:var(--dim);margin:0}"
    ".cards{display:flex;flex-wrap:wrap;gap:.7rem;margin:1rem 0}"
    ".card{background:var(--card);border-radius:.5rem;padding:.5rem .9rem}"
    ".card b{display:block;font-size:1.2rem}"
    "svg{display:block;width:100%}"
    ".strip{height:1.25rem;background:var(--none);border-radius:2px}"
    ".all .strip{height:2rem}"
    ".axis{display:flex;justify-content:space-between;color:var(--dim);font-size:.75rem;"
    "font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".top .axis span:not(:first-child):not(:last-child){display:none}"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.6rem 0 0;padding:0;"
    "list-style:none;color:var(--dim);font-size:.85rem}"
    ".legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.35rem;"
    "border-radius:2px;vertical-align:-.08rem}"
    ".rows{border-top:1px solid var(--line)}"
    ".row{display:grid;grid-template-columns:minmax(9rem,13rem) minmax(10rem,1fr) 4.2rem 4.6rem "
    "4.6rem 4.4rem 12rem;gap:.7rem;align-items:center;padding:.3rem 0;"
    "border-bottom:1px solid var(--line);break-inside:avoid}"
    ".row>*{min-width:0;overflow-wrap:anywhere}"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".top{color:var(--dim);font-size:.8rem}"
    ".host{font-weight:600}.host .strip{opacity:.65}"
    ".of .name{padding-left:1rem}.name .dim{display:inline-block}.last{font-weight:400}"
    ".gone .name{color:var(--dim)}"
    ".small{font-size:.85rem}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem}"
    "figure{margin:0;break-inside:avoid}"
    "figcaption{display:flex;justify-content:space-between;gap:.5rem;font-size:.85rem;"
    "overflow-wrap:anywhere}"
    ".plot{height:6rem;background:var(--card);border-bottom:1px solid var(--line)}"
    ".wide .plot{height:11rem}"
    "table{border-collapse:collapse;width:100%}"
    "th{text-align:left;font-weight:400;color:var(--dim);font-size:.8rem}"
    "th,td{padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}"
    "td.reply{overflow-wrap:anywhere;font-family:ui-monospace,\"DejaVu Sans "
    "Mono\",Menlo,monospace;font-size:.85rem}"
    "td.when,td.what{white-space:nowrap}"
    "@media(max-width:60rem){.row{grid-template-columns:1fr 1fr 1fr 1fr;gap:.1rem .7rem;"
    "padding:.55rem 0}.row .name,.row .line,.row .last{grid-column:1/-1}.top{display:none}"
    ".n{text-align:left;font-size:.85rem}.n::before{content:attr(data-k) \" \";"
    "color:var(--dim);font-size:.75rem;display:block}}"
    "@media(max-width:40rem){thead{display:none}tr{display:grid;grid-template-columns:1fr auto;"
    "padding:.5rem 0;border-bottom:1px solid var(--line)}td{grid-column:1/-1;border:0;padding:0}"
    "td.what{grid-area:1/1}td.times{grid-area:1/2}"
    "td.when{font-size:.85rem;color:var(--dim)}td.when::before{content:attr(data-k) \" \"}"
    ".axis span:nth-child(even){display:none}.charts{grid-template-columns:1fr "
    "1fr}.plot{height:4rem}}"
    "@media "
    "print{:root{font-size:10px;--bg:#fff;--fg:#000;--dim:#444;--card:#f5f7f9;--none:#eee;--line:#"
    "bbb}"
    "body{max-width:none;padding:0;font-size:10px;print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}section+section{break-before:page}"
    ".row{grid-template-columns:14rem 1fr 4.6rem 5rem 5rem 4.6rem 15rem;gap:.6rem}"
    ".axis span:nth-child(even){display:none}"
    ".row .name,.row .line,.row .last{grid-column:auto}.top{display:grid}"
    ".n{text-align:right}.n::before{content:none}"
    ".charts{grid-template-columns:repeat(3,1fr)}}";

static const char *const phase_names[] = {"connect",  "banner", "EHLO",
					  "STARTTLS", "TLS",    "MAIL FROM"};
enum { PHASES_SHOWN = ARRAY_LEN(phase_names) };

static usec_t phase_of(const struct timing *t, int phase)
{
	const usec_t spans[] = {t->connect, t->banner, t->ehlo, t->starttls, t->tls, t->mail};

	static_assert(ARRAY_LEN(spans) == PHASES_SHOWN, "each phase is drawn");
	return spans[phase] == USEC_NONE ? 0 : spans[phase];
}

/* Foreign text: made safe as for a terminal, then for markup, in elements and in attributes. */
static void add_text(struct buf *out, const char *s)
{
	struct buf safe = {0};

	text_safe(&safe, s, strlen(s));
	for (size_t i = 0; i < safe.len; i++) {
		switch (safe.data[i]) {
		case '&':
			buf_addstr(out, "&amp;");
			break;
		case '<':
			buf_addstr(out, "&lt;");
			break;
		case '>':
			buf_addstr(out, "&gt;");
			break;
		case '"':
			buf_addstr(out, "&quot;");
			break;
		case '\'':
			buf_addstr(out, "&#39;");
			break;
		default:
			buf_addc(out, safe.data[i]);
		}
	}
	buf_fini(&safe);
}

/* Words of our own that may hold a '<': "< 0.01 %". */
static void add_words(struct buf *out, struct buf *words)
{
	add_text(out, buf_str(words));
	buf_fini(words);
}

static void add_moment(struct buf *out, int64_t ms)
{
	trend_moment(out, ms);
}

static void add_share(struct buf *out, double share)
{
	struct buf words = {0};

	if (share < 0)
		buf_addstr(&words, "\xE2\x80\x93"); /* U+2013 */
	else
		words_percent(&words, share);
	add_words(out, &words);
}

static void add_span(struct buf *out, usec_t span)
{
	if (span != USEC_NONE)
		words_span(out, span);
}

/* ---- strips ---- */

static const char *name_of(int what, bool verdicts)
{
	if (what < 0)
		return "no run";
	return verdicts ? verdict_name((enum verdict)what) : class_name((enum class)what);
}

/* The custom property that holds its colour. */
static const char *color_of(int what, bool verdicts)
{
	return what == 0 ? "ok" : name_of(what, verdicts);
}

static int64_t slice_start(const struct trend *t, size_t i)
{
	return t->from_ms +
	       (int64_t)((double)(t->to_ms - t->from_ms) * (double)i / (double)t->slices);
}

/* Neighbours that look the same are one rectangle, with its words for the pointer. */
static void add_strip(struct buf *out, const struct trend *t, const struct trend_cell *cells,
		      bool verdicts, double share)
{
	buf_printf(out,
		   "<svg class=strip viewBox=\"0 0 %zu %d\" preserveAspectRatio=none role=img "
		   "aria-label=\"",
		   t->slices, STRIP_HEIGHT);
	add_share(out, share);
	buf_addstr(out, " healthy\">");
	for (size_t i = 0, n; i < t->slices; i += n) {
		int worst = cells[i].worst;
		bool partly = cells[i].partly;
		int height = worst == 0 ? STRIP_LOW : partly ? STRIP_PARTLY : STRIP_HEIGHT;

		for (n = 1; i + n < t->slices && cells[i + n].worst == worst &&
			    cells[i + n].partly == partly;
		     n++)
			;
		if (worst < 0)
			continue;
		buf_printf(out,
			   "<rect x=%zu y=%d width=%zu height=%d "
			   "style=\"fill:var(--%s)\"><title>",
			   i, STRIP_HEIGHT - height, n, height, color_of(worst, verdicts));
		add_moment(out, slice_start(t, i));
		buf_addstr(out, " to ");
		add_moment(out, slice_start(t, i + n));
		buf_printf(out, ": %s%s</title></rect>", name_of(worst, verdicts),
			   partly ? " in some runs" : "");
	}
	buf_addstr(out, "</svg>");
}

static void add_axis(struct buf *out, const struct trend *t)
{
	bool days = t->to_ms - t->from_ms >= 4 * 86400000LL;

	buf_addstr(out, "<div class=axis>");
	for (int i = 0; i < TICKS; i++) {
		struct buf moment = {0};

		trend_moment(&moment, t->from_ms + (t->to_ms - t->from_ms) * i / (TICKS - 1));
		buf_addstr(out, "<span>");
		if (days) /* the date, else day and time */
			buf_add(out, moment.data, moment.len > 10 ? 10 : moment.len);
		else
			buf_addstr(out, moment.len > 5 ? buf_str(&moment) + 5 : "");
		buf_addstr(out, "</span>");
		buf_fini(&moment);
	}
	buf_addstr(out, "</div>");
}

static void add_swatch(struct buf *out, const char *color, const char *name)
{
	buf_printf(out, "<li><i style=\"background:var(--%s)\"></i>%s</li>", color, name);
}

static void mark_seen(bool *seen, const struct trend_cell *cells, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cells[i].worst >= 0)
			seen[cells[i].worst] = true;
}

static void add_legend(struct buf *out, const struct trend *t)
{
	bool classes[CLASSES] = {false};

	for (size_t i = 0; i < t->n_endpoints; i++)
		mark_seen(classes, t->endpoints[i].cells, t->slices);
	buf_addstr(out, "<ul class=legend>");
	for (int i = 0; i < CLASSES; i++)
		if (classes[i])
			add_swatch(out, color_of(i, false), name_of(i, false));
	add_swatch(out, "none", "no run");
	buf_addstr(out, "<li>Each slice shows its worst; tall: in all runs, half tall: in "
			"some.</li></ul>\n");
}

/* ---- endpoints ---- */

static void add_cell(struct buf *out, const char *key, const char *class)
{
	buf_printf(out, "<div class=\"%s\" data-k=\"%s\">", class, key);
}

/* A host of several addresses, one of those, or a host with its only one. */
enum row_kind { ROW_HOST, ROW_ADDRESS, ROW_BOTH };

static void add_row(struct buf *out, const struct trend *t, const struct trend_row *row,
		    enum row_kind kind)
{
	static const char *const classes[] = {
	    [ROW_HOST] = "host", [ROW_ADDRESS] = "of", [ROW_BOTH] = ""};

	buf_printf(out, "<div class=\"row %s%s\"><div class=name>", classes[kind],
		   row->listed ? "" : " gone");
	add_text(out, kind == ROW_ADDRESS && row->address ? row->address : row->host);
	if (kind == ROW_HOST) {
		buf_printf(out, " <span class=\"dim small\">%zu addresses</span>", row->members);
	} else if (kind == ROW_BOTH && row->address && strcmp(row->host, row->address) != 0) {
		buf_addstr(out, " <span class=\"dim small\">");
		add_text(out, row->address);
		buf_addstr(out, "</span>");
	}
	if (!row->listed)
		buf_addstr(out, " <span class=\"dim small\">no longer listed</span>");
	buf_addstr(out, "</div><div class=line>");
	add_strip(out, t, row->cells, false, row->healthy_share);
	buf_addstr(out, "</div>");
	add_cell(out, "healthy", "n");
	add_share(out, row->healthy_share);
	buf_addstr(out, "</div>");
	add_cell(out, "median", "n");
	add_span(out, row->median);
	buf_addstr(out, "</div>");
	add_cell(out, "95 %", "n");
	add_span(out, row->p95);
	buf_addstr(out, "</div>");
	add_cell(out, "outage", "n");
	if (row->outage_ms >= 0)
		trend_duration(out, row->outage_ms);
	else
		buf_addstr(out, "<span class=dim>none</span>");
	buf_addstr(out, "</div><div class=\"last small\">");
	if (row->last_unhealthy.at_ms >= 0) {
		add_moment(out, row->last_unhealthy.at_ms);
		buf_printf(out, " %s/%s", class_name(row->last_unhealthy.class),
			   reason_name(row->last_unhealthy.reason));
	}
	buf_addstr(out, "</div></div>\n");
}

static void add_host(struct buf *out, const struct trend *t, const struct trend_row *host)
{
	bool group = host->members > 1;
	size_t shown = 0, all = 0;

	if (group)
		add_row(out, t, host, ROW_HOST);
	for (size_t i = 0; i < t->n_endpoints; i++) {
		const struct trend_row *row = &t->endpoints[i];

		if (strcmp(row->host, host->host) != 0)
			continue;
		all++;
		if (shown == HOST_ROWS_MAX)
			continue;
		shown++;
		add_row(out, t, row, group ? ROW_ADDRESS : ROW_BOTH);
	}
	if (all > shown)
		buf_printf(out, "<div class=\"row dim\">and %zu more</div>\n", all - shown);
}

static void add_endpoints(struct buf *out, const struct trend *t)
{
	if (!t->n_hosts)
		return;
	buf_addstr(out, "<h2>Endpoints</h2>\n<div class=rows><div class=\"row top\">"
			"<div class=name>MX host and address</div><div class=line>");
	add_axis(out, t);
	buf_addstr(out, "</div><div class=n>healthy</div><div class=n>median</div>"
			"<div class=n>95 %</div><div class=n>outage</div>"
			"<div class=last>last trouble</div></div>\n");
	for (size_t i = 0; i < t->n_hosts; i++)
		add_host(out, t, &t->hosts[i]);
	buf_addstr(out, "</div>");
	add_legend(out, t);
}

/* ---- phases ---- */

static usec_t height_of(const struct timing *t)
{
	usec_t sum = 0;

	for (int i = 0; i < PHASES_SHOWN; i++)
		sum += phase_of(t, i);
	return sum;
}

static usec_t highest(const struct timing *phases, size_t n)
{
	usec_t most = 0;

	for (size_t i = 0; phases && i < n; i++)
		if (height_of(&phases[i]) > most)
			most = height_of(&phases[i]);
	return most;
}

/* The next of 1, 2, 5, 10, ... */
static usec_t round_up(usec_t span)
{
	static const int factors[] = {2, 5, 10};
	usec_t unit = 1000;

	if (span <= unit)
		return unit;
	for (;; unit *= 10)
		for (size_t i = 0; i < ARRAY_LEN(factors); i++)
			if (span <= unit * factors[i])
				return unit * factors[i];
}

/* Up to the top of `phase`, from below. */
static int level(const struct timing *t, int phase, usec_t full)
{
	usec_t sum = 0;

	for (int i = 0; i <= phase; i++)
		sum += phase_of(t, i);
	return CHART_HEIGHT - (int)((double)sum / (double)full * CHART_HEIGHT);
}

/* Medians one above the other, in steps; slices without a healthy session are gaps. */
static void add_plot(struct buf *out, const struct timing *phases, size_t slices, usec_t full)
{
	buf_printf(out,
		   "<svg class=plot viewBox=\"0 0 %zu %d\" preserveAspectRatio=none role=img "
		   "aria-label=\"medians of the phases of a session\">",
		   slices, CHART_HEIGHT);
	for (int phase = 0; phase < PHASES_SHOWN; phase++) {
		bool begun = false;

		for (size_t i = 0, end; i < slices; i = end) {
			size_t at;
			bool any = false;

			end = i + 1;
			if (phases[i].total == USEC_NONE)
				continue;
			while (end < slices && phases[end].total != USEC_NONE)
				end++;
			for (at = i; at < end; at++)
				any |= phase_of(&phases[at], phase) != 0;
			if (!any)
				continue;
			buf_addstr(out, begun ? "" : "<path d=\"");
			begun = true;
			buf_printf(out, "M%zu %d", i, level(&phases[i], phase, full));
			for (at = i; at < end; at++)
				buf_printf(out, "V%dH%zu", level(&phases[at], phase, full), at + 1);
			for (at = end; at-- > i;)
				buf_printf(out, "V%dH%zu", level(&phases[at], phase - 1, full), at);
			buf_addc(out, 'Z');
		}
		if (begun)
			buf_printf(out, "\" style=\"fill:var(--p%d)\"><title>%s</title></path>",
				   phase, phase_names[phase]);
	}
	buf_addstr(out, "</svg>");
}

static void add_chart(struct buf *out, const struct trend *t, const char *name,
		      const struct timing *phases, bool wide, usec_t full)
{
	buf_printf(out, "<figure%s><figcaption><span>", wide ? " class=wide" : "");
	add_text(out, name);
	buf_addstr(out, "</span><span class=dim>");
	words_span_short(out, full);
	buf_addstr(out, "</span></figcaption>");
	add_plot(out, phases, t->slices, full);
	if (wide)
		add_axis(out, t);
	buf_addstr(out, "</figure>\n");
}

static void add_phases(struct buf *out, const struct trend *t)
{
	usec_t full = highest(t->phases, t->slices), each = 0;
	size_t charts = 0;

	if (!full)
		return;
	buf_addstr(out, "<h2>Where the time goes</h2>\n<p class=\"dim small\">Medians of the "
			"healthy sessions in each slice, one above the other; the number is the "
			"height of the frame.</p>");
	add_chart(out, t, "All endpoints", t->phases, true, round_up(full));
	buf_addstr(out, "<ul class=legend>");
	for (int i = 0; i < PHASES_SHOWN; i++) {
		char color[] = {'p', (char)('0' + i), '\0'};

		add_swatch(out, color, phase_names[i]);
	}
	buf_addstr(out, "</ul>\n");
	if (t->n_endpoints < 2)
		return;
	for (size_t i = 0; i < t->n_endpoints && i < CHARTS_MAX; i++) {
		usec_t most = highest(t->endpoints[i].phases, t->slices);

		each = most > each ? most : each;
	}
	buf_addstr(out, "<h2>The same for each endpoint</h2>\n<div class=charts>");
	for (size_t i = 0; i < t->n_endpoints && charts < CHARTS_MAX; i++) {
		const struct trend_row *row = &t->endpoints[i];

		if (!highest(row->phases, t->slices))
			continue;
		charts++;
		add_chart(out, t, row->address ? row->address : row->host, row->phases, false,
			  round_up(each));
	}
	buf_addstr(out, "</div>\n");
}

/* ---- replies ---- */

static void add_replies(struct buf *out, const struct trend *t)
{
	if (!t->n_replies)
		return;
	buf_addstr(out, "<h2>What was not healthy, the rarest first</h2>\n<table><thead><tr>"
			"<th>times</th><th>class and reason</th><th>reply</th><th>first</th>"
			"<th>last</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < t->n_replies; i++) {
		const struct trend_reply *r = &t->replies[i];
		struct buf words = {0};

		buf_printf(out, "<tr><td class=times>%u</td><td class=what>%s/%s</td>", r->count,
			   class_name(r->class), reason_name(r->reason));
		buf_addstr(out, "<td class=reply>");
		trend_reply_words(&words, r);
		add_words(out, &words);
		buf_addstr(out, "</td><td class=when data-k=first>");
		add_moment(out, r->first_ms);
		buf_addstr(out, "</td><td class=when data-k=last>");
		add_moment(out, r->last_ms);
		buf_addstr(out, "</td></tr>\n");
	}
	buf_addstr(out, "</tbody></table>\n");
}

/* ---- the page ---- */

void trend_html_begin(struct buf *out, const char *title)
{
	buf_addstr(out, "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
			"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
			"style-src 'unsafe-inline'\">\n"
			"<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
			"<meta name=generator content=\"mxprobe " MXPROBE_VERSION "\">\n<title>");
	add_text(out, title);
	buf_addstr(out, " \xE2\x80\x93 mxprobe</title>\n<style>\n"); /* U+2013 */
	buf_addstr(out, style);
	buf_addstr(out, "\n</style>\n</head>\n<body>\n");
}

static void add_heading(struct buf *out, const struct trend *t)
{
	struct buf words = {0};

	buf_addstr(out, "<section>\n<div class=head><h1>");
	add_text(out, t->target);
	buf_addstr(out, "</h1>");
	if (t->runs) {
		buf_printf(out, "<span class=badge style=\"color:var(--%s)\">%s</span>",
			   color_of((int)t->verdict, true), verdict_name(t->verdict));
		if (t->since_ms >= 0) {
			buf_addstr(out, "<p>since ");
			add_moment(out, t->since_ms);
			buf_addstr(out, "</p>");
		}
	}
	buf_addstr(out, "</div>\n<p class=dim>");
	add_moment(out, t->from_ms);
	buf_addstr(out, " to ");
	add_moment(out, t->to_ms);
	buf_printf(out, " UTC, %u run%s</p>\n", t->runs, t->runs == 1 ? "" : "s");
	if (!t->runs)
		return;
	buf_addstr(out, "<div class=cards>");
	for (int i = 0; i < VERDICTS; i++) {
		if (!t->verdicts[i])
			continue;
		buf_addstr(out, "<div class=card><b>");
		words_percent(&words, (double)t->verdicts[i] / t->runs);
		add_words(out, &words);
		buf_printf(out, "</b>%s</div>", verdict_name((enum verdict)i));
	}
	if (t->first_try_mean >= 0) {
		buf_addstr(out, "<div class=card><b>");
		words_percent(&words, t->first_try_mean);
		add_words(out, &words);
		buf_addstr(out, "</b>first contact accepted</div>");
	}
	buf_addstr(out, "</div>\n");
}

void trend_html(struct buf *out, const struct trend *t)
{
	add_heading(out, t);
	if (t->runs) {
		bool seen[VERDICTS] = {false};

		buf_addstr(out, "<div class=all>");
		add_strip(out, t, t->cells, true, (double)t->verdicts[VERDICT_HEALTHY] / t->runs);
		add_axis(out, t);
		mark_seen(seen, t->cells, t->slices);
		buf_addstr(out, "<ul class=legend>");
		for (int i = 0; i < VERDICTS; i++)
			if (seen[i])
				add_swatch(out, color_of(i, true), name_of(i, true));
		buf_addstr(out, "</ul></div>\n");
		add_endpoints(out, t);
		add_phases(out, t);
		add_replies(out, t);
	}
	buf_addstr(out, "</section>\n");
}

void trend_html_end(struct buf *out)
{
	buf_addstr(out, "</body>\n</html>\n");
}

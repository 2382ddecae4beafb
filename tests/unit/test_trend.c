/* From rows of history to numbers, and from numbers to text, JSON and HTML. */
#include "history/gather.h"
#include "report/trend.h"
#include "report/trend_words.h"
#include "support/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE = 60000 };
static const int64_t start = 1795219200000; /* 2026-11-21 00:00 UTC */

static struct timing timing_of(usec_t total)
{
	return (struct timing){.connect = total / 4,
			       .first_byte = total / 8,
			       .banner = total / 4,
			       .ehlo = total / 4,
			       .starttls = USEC_NONE,
			       .tls = USEC_NONE,
			       .mail = total - total / 4 * 3,
			       .total = total};
}

/* One endpoint's letters, one a run every ten minutes: h healthy, e exhausted, r rejected, s
 * skipped, '-' not listed. */
static struct trend *gathered(const char *runs, size_t slices)
{
	size_t n = strlen(runs);
	struct gather *g = gather_new(start, start + (int64_t)n * 10 * MINUTE, slices, true);

	gather_endpoint(g, 7, "mx.example.org", "192.0.2.1", 25);
	for (size_t i = 0; i < n; i++) {
		struct timing t = timing_of((usec_t)(i + 1) * 100000);
		bool healthy = runs[i] == 'h';

		gather_run(g, start + (int64_t)i * 10 * MINUTE,
			   healthy ? VERDICT_HEALTHY : VERDICT_FAILING, healthy ? 1 : 0);
		if (runs[i] == '-')
			continue;
		gather_outcome(g, 7,
			       healthy          ? CLASS_HEALTHY
			       : runs[i] == 's' ? CLASS_SKIPPED
			       : runs[i] == 'r' ? CLASS_REJECTED
						: CLASS_EXHAUSTED,
			       healthy          ? REASON_OK
			       : runs[i] == 's' ? REASON_NO_ROUTE
			       : runs[i] == 'r' ? REASON_POLICY
						: REASON_MEMORY,
			       runs[i] == 'e', &t);
	}
	for (size_t i = 0; gather_reply(g, i) >= 0; i++)
		if (gather_reply(g, i) == 1)
			gather_reply_text(g, i, 452, "4.3.1", "Out of memory");
	return gather_end(g);
}

static void outages(void **state)
{
	static const struct {
		const char *runs;
		int minutes; /* the longest; -1: none */
		int share;   /* in percent; -1: none */
	} wanted[] = {
	    {"hhhh", -1, 100},  {"heh", 10, 66},
	    {"heeheh", 20, 50}, {"hese", 30, 33}, /* goes on: until now; skipped is no statement */
	    {"heseh", 30, 50},  {"e--e", 10, 0},  /* what is not listed is not out */
	    {"ee-h", 20, 33},   {"ssss", -1, -1},
	    {"----", -1, -1},   {"eeee", 40, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		struct trend *t = gathered(wanted[i].runs, 4);
		bool any = strspn(wanted[i].runs, "-") < strlen(wanted[i].runs);

		assert_int_equal(t->runs, strlen(wanted[i].runs));
		assert_int_equal(t->n_endpoints, any);
		assert_int_equal(t->n_hosts, any);
		for (size_t k = 0; any && k < 2; k++) {
			const struct trend_row *row = k ? &t->hosts[0] : &t->endpoints[0];
			int64_t ms =
			    wanted[i].minutes < 0 ? -1 : (int64_t)wanted[i].minutes * MINUTE;
			int share = row->healthy_share < 0 ? -1 : (int)(row->healthy_share * 100);

			if (row->outage_ms != ms)
				fail_msg("%s: %lld ms", wanted[i].runs, (long long)row->outage_ms);
			if (share != wanted[i].share)
				fail_msg("%s: %d %%", wanted[i].runs, share);
		}
		trend_free(t);
	}
}

static void cells(void **state)
{
	struct trend *t = gathered("hhherheeshs-", 6);
	const struct trend_cell *c = t->endpoints[0].cells;
	static const struct trend_cell wanted[] = {
	    {CLASS_HEALTHY, false},   {CLASS_EXHAUSTED, true}, {CLASS_REJECTED, true},
	    {CLASS_EXHAUSTED, false}, {CLASS_HEALTHY, false},  {CLASS_SKIPPED, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		assert_int_equal(c[i].worst, wanted[i].worst);
		assert_int_equal(c[i].partly, wanted[i].partly);
	}
	assert_int_equal(t->cells[0].worst, VERDICT_HEALTHY);
	assert_int_equal(t->cells[1].worst, VERDICT_FAILING);
	assert_true(t->cells[1].partly);
	assert_false(t->endpoints[0].listed);
	trend_free(t);
}

/* Against sorting, on every small length. */
static int ascending(const void *a, const void *b)
{
	usec_t x = *(const usec_t *)a, y = *(const usec_t *)b;

	return x < y ? -1 : x > y;
}

static void medians(void **state)
{
	uint64_t random = 88172645463325252;

	(void)state;
	for (size_t n = 1; n < 120; n++) {
		struct gather *g = gather_new(start, start + 1000 * MINUTE, 3, true);
		usec_t values[120];
		struct trend *t;

		gather_endpoint(g, 1, "h", NULL, 25);
		for (size_t i = 0; i < n; i++) {
			struct timing timing;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			values[i] = (usec_t)(random >> 30) % (n % 3 ? 1000 : 5) + 4;
			timing = timing_of(values[i]);
			gather_run(g, start, VERDICT_HEALTHY, 1);
			gather_outcome(g, 1, CLASS_HEALTHY, REASON_OK, 0, &timing);
		}
		t = gather_end(g);
		qsort(values, n, sizeof *values, ascending);
		assert_int_equal(t->endpoints[0].median, (values[n / 2] + values[(n - 1) / 2]) / 2);
		assert_int_equal(t->endpoints[0].p95, values[(n * 95 + 99) / 100 - 1]);
		assert_int_equal(t->hosts[0].median, t->endpoints[0].median);
		assert_int_equal(t->phases[0].total, t->endpoints[0].median);
		assert_int_equal(t->phases[1].total, USEC_NONE);
		trend_free(t);
	}
}

/* ---- text ---- */

static char *text_of(const struct trend *t, unsigned width, bool color)
{
	const struct report_conf conf = {.width = width, .color = color};
	struct buf out = {0};

	trend_text(&out, t, &conf);
	return buf_steal(&out);
}

static struct trend *named(const char *runs, size_t slices)
{
	struct trend *t = gathered(runs, slices);

	t->target = xstrdup("example.org");
	t->since_ms = start;
	return t;
}

static void text(void **state)
{
	struct trend *t = named("hhhhhhehee--", 12);
	char *s = text_of(t, 80, false);

	(void)state;
	assert_string_equal(
	    s, "example.org   2026-11-21 00:00 to 2026-11-21 02:00 UTC, 12 runs\n"
	       "  Failing since 2026-11-21 00:00.\n"
	       "  Of the runs: 58 % healthy, 42 % failing.\n"
	       "  First contact accepted: 58 % on average.\n"
	       "    \u2582\u2582\u2582\u2582\u2582\u2582F\u2582FFFF\n"
	       "\n"
	       "  ENDPOINT                    HEALTHY  MEDIAN  OUTAGE  LAST TROUBLE\n"
	       "  mx.example.org [192.0.2.1]     70 %  550 ms  20 min  11-21 01:30 "
	       "exhausted/me\u2026\n"
	       "    \u2582\u2582\u2582\u2582\u2582\u2582E\u2582EE\u00B7\u00B7\n"
	       "\n"
	       "  One character is 10 min: \u2582 healthy, E exhausted, \u00B7 no run.\n"
	       "  First line: F failing.\n"
	       "\n"
	       "   TIMES  FIRST             LAST              WHAT\n"
	       "       3  2026-11-21 01:00  2026-11-21 01:30  exhausted/memory\n"
	       "          452 4.3.1 Out of memory\n");
	free(s);
	trend_free(t);

	t = named("", 12);
	s = text_of(t, 80, false);
	assert_non_null(strstr(s, "No run in this time.\n"));
	free(s);
	trend_free(t);
}

static unsigned columns_at(const char *line, size_t n)
{
	unsigned columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)line[i] & 0xC0) != 0x80;
	return columns;
}

/* Whatever the width: no line is wider, and a strip is as long as the span. */
static void widths(void **state)
{
	(void)state;
	for (unsigned width = 20; width < 200; width++) {
		/* The second has nothing to show. */
		struct trend *t = named(width % 2 ? "hhhrhhehee-h" : "", trend_text_slices(width));
		char *s = text_of(t, width, false);

		assert_true(trend_text_slices(width) + 4 <= width);
		for (const char *line = s; *line; line += strcspn(line, "\n") + 1)
			if (columns_at(line, strcspn(line, "\n")) > width)
				fail_msg("%u: %.*s", width, (int)strcspn(line, "\n"), line);
		free(s);
		trend_free(t);
	}
	assert_int_equal(trend_text_slices(0), 75);
	assert_int_equal(trend_text_slices(1000), 240);
}

static void colors(void **state)
{
	struct trend *t = named("heh", 3);
	char *plain = text_of(t, 80, false), *s = text_of(t, 80, true), *to = s;

	(void)state;
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(s, "\033[33mE\033[0m"));
	/* Without them it is the same text. */
	for (const char *p = s; *p; p++) {
		if (*p == '\033')
			p += strcspn(p, "m");
		else
			*to++ = *p;
	}
	*to = '\0';
	assert_string_equal(s, plain);
	free(plain);
	free(s);
	trend_free(t);
}

static void durations(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} wanted[] = {
	    {0, "0 s"},           {999, "0 s"},           {45000, "45 s"},     {150000, "2.5 min"},
	    {300000, "5 min"},    {5400000, "90 min"},    {11520000, "3.2 h"}, {86400000, "24 h"},
	    {302400000, "3.5 d"}, {31536000000, "365 d"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		struct buf b = {0};

		trend_duration(&b, wanted[i].ms);
		assert_string_equal(buf_str(&b), wanted[i].text);
		buf_fini(&b);
	}
}

/* ---- what servers say ---- */

static const char hostile[] = "<script>alert(\"1\")</script> & '\033[2J\r\n\xFF\xE2\x80\xAE";

static struct trend *said(void)
{
	struct gather *g = gather_new(start, start + 10 * MINUTE, 10, true);
	struct timing none = timing_of(1000);
	struct trend *t;

	gather_endpoint(g, 1, hostile, hostile, 25);
	gather_endpoint(g, 2, hostile, NULL, 25);
	gather_run(g, start, VERDICT_FAILING, -1);
	gather_outcome(g, 1, CLASS_REJECTED, REASON_POLICY, 1, &none);
	gather_outcome(g, 2, CLASS_HEALTHY, REASON_OK, 0, &none);
	gather_reply_text(g, 0, 550, "5.7.1", hostile);
	t = gather_end(g);
	t->target = xstrdup(hostile);
	return t;
}

/* A small reader of HTML: every tag is one of ours with its end, and every attribute is quoted or
 * has nothing foreign. */
static void assert_markup(const char *s)
{
	static const char *const known[] = {
	    "!DOCTYPE", "html",  "head", "meta", "title", "style",  "body",
	    "section",  "div",   "h1",   "h2",   "p",     "span",   "b",
	    "i",        "ul",    "li",   "svg",  "rect",  "path",   "table",
	    "thead",    "tbody", "tr",   "th",   "td",    "figure", "figcaption"};
	char open[64][16];
	size_t depth = 0;

	while ((s = strchr(s, '<'))) {
		bool end = s[1] == '/';
		const char *name = s + 1 + end;
		size_t n = strcspn(name, " >"), i = 0;

		while (i < ARRAY_LEN(known) &&
		       (strlen(known[i]) != n || strncmp(known[i], name, n) != 0))
			i++;
		if (i == ARRAY_LEN(known))
			fail_msg("unknown tag: %.40s", s);
		if (end) {
			assert_true(depth > 0);
			depth--;
			if (strlen(open[depth]) != n || strncmp(open[depth], name, n) != 0)
				fail_msg("<%s> is closed by %.20s", open[depth], s);
		} else if (strcmp(known[i], "meta") != 0 && strcmp(known[i], "!DOCTYPE") != 0) {
			assert_true(depth < ARRAY_LEN(open) && n < sizeof open[0]);
			memcpy(open[depth], name, n);
			open[depth++][n] = '\0';
		}
		if (!end && strncmp(name, "style", n) == 0)
			s = strstr(s, "</style>");
		else
			s = strchr(s, '>');
		assert_non_null(s);
	}
	assert_int_equal(depth, 0);
}

static void html(void **state)
{
	struct trend *ts[] = {said(), named("hhhhhhehees-", TREND_HTML_SLICES), named("", 5)};
	struct buf out = {0};
	const char *s;

	(void)state;
	trend_html_begin(&out, hostile);
	for (size_t i = 0; i < ARRAY_LEN(ts); i++) {
		trend_html(&out, ts[i]);
		trend_free(ts[i]);
	}
	trend_html_end(&out);
	s = buf_str(&out);
	assert_markup(s);
	assert_null(strstr(s, "<script"));
	assert_non_null(strstr(s, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;"
				  "\\x1B[2J\\x0D"));
	for (const char *p = s; *p; p++)
		assert_false((unsigned char)*p < ' ' && *p != '\n' && *p != '\t');
	/* Nothing from elsewhere. */
	assert_null(strstr(s, "http:"));
	assert_null(strstr(s, "https:"));
	assert_null(strstr(s, "url("));
	assert_null(strstr(s, "@import"));
	assert_non_null(strstr(s, "default-src 'none'"));
	assert_non_null(strstr(s, "452 4.3.1 Out of memory"));
	assert_non_null(strstr(s, "prefers-color-scheme:dark"));
	assert_non_null(strstr(s, "@media print"));
	buf_fini(&out);
}

/* A host with one address, which stands beside it. */
static struct trend *said_of_one(void)
{
	struct gather *g = gather_new(start, start + 10 * MINUTE, 10, true);
	struct timing none = timing_of(1000);
	struct trend *t;

	gather_endpoint(g, 1, "mx.example.org", hostile, 25);
	gather_run(g, start, VERDICT_FAILING, -1);
	gather_outcome(g, 1, CLASS_REJECTED, REASON_POLICY, 0, &none);
	t = gather_end(g);
	t->target = xstrdup(hostile);
	return t;
}

static void hostile_text(void **state)
{
	struct trend *ts[] = {said(), said_of_one()};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ts); i++) {
		char *s = text_of(ts[i], 0, false);

		for (const char *p = s; *p; p++)
			assert_false((unsigned char)*p < ' ' && *p != '\n');
		assert_null(strstr(s, "\xE2\x80\xAE"));
		free(s);
		trend_free(ts[i]);
	}
}

static void json(void **state)
{
	struct trend *ts[] = {said(), named("hhhhhhehees-", 5), named("", 5), named("ssss", 3)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ts); i++) {
		struct buf out = {0};
		json_t *o;

		trend_json(&out, ts[i]);
		assert_true(strcspn(buf_str(&out), "\n") == out.len - 1);
		o = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(o);
		assert_fits_schema(o);
		assert_int_equal(json_integer_value(json_object_get(o, "runs")), ts[i]->runs);
		json_decref(o);
		buf_fini(&out);
		trend_free(ts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(outages),   cmocka_unit_test(cells),  cmocka_unit_test(medians),
	    cmocka_unit_test(text),      cmocka_unit_test(widths), cmocka_unit_test(colors),
	    cmocka_unit_test(durations), cmocka_unit_test(html),   cmocka_unit_test(hostile_text),
	    cmocka_unit_test(json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "report/plugin.h"
#include "support/results.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text of a report on these targets, which are freed; *state is the plugin's. */
static char *report_on(struct result *const results[], size_t n, const struct plugin_conf *limits,
		       unsigned verbose, int *state)
{
	const struct report_conf conf = {.plugin = limits, .verbose = verbose};
	struct report report;
	char *text;

	report_begin(&report, &report_plugin, &conf);
	for (size_t i = 0; i < n; i++) {
		report_target(&report, results[i]);
		assert_int_equal(report.out.len, 0);
		fake_free(results[i]);
	}
	report_end(&report);
	text = xstrndup(buf_str(&report.out), report.out.len);
	assert_int_equal(strlen(text), report.out.len);
	*state = plugin_exit(&report);
	report_fini(&report);
	return text;
}

/* What every output must be: under 8 KiB, whole lines of safe UTF-8, one bar on the first line and
 * none after it, perfdata that the guidelines' grammar takes. */
static void check_form(const char *text, int state)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	size_t n = strlen(text), bars = 0;
	char *start = xasprintf("MXPROBE %s - ", words[state]);
	const char *first_end = strchr(text, '\n'), *p;

	assert_int_equal(strncmp(text, start, strlen(start)), 0);
	free(start);
	assert_true(n < 8192);
	assert_non_null(first_end);
	assert_int_equal(text[n - 1], '\n');
	for (const char *s = text; *s;) {
		struct buf safe = {0};
		uint32_t cp;
		size_t len = utf8_decode(s, strlen(s), &cp);

		assert_true(len > 0);
		text_safe(&safe, s, len);
		assert_true(safe.len == len || *s == '\n');
		buf_fini(&safe);
		assert_null(strchr("<>&\"'`$\\", *s));
		bars += *s == '|';
		s += len;
	}
	assert_int_equal(bars, 1);
	p = strchr(text, '|');
	assert_true(p < first_end);
	for (p++; p < first_end;) {
		assert_int_equal(*p++, ' ');
		assert_true(*p >= 'a' && *p <= 'z');
		p += strspn(p, "abcdefghijklmnopqrstuvwxyz_");
		assert_int_equal(*p++, '=');
		assert_true(p[0] == 'U' || strspn(p, "-0123456789.") > 0);
		p += strcspn(p, " \n");
	}
}

static void expect(struct result *const results[], size_t n, const struct plugin_conf *limits,
		   int state, const char *whole)
{
	int got;
	char *text = report_on(results, n, limits, 0, &got);

	assert_string_equal(text, whole);
	assert_int_equal(got, state);
	check_form(text, got);
	free(text);
}

/* The state, and that the text has (or with '!' has not) each of the pieces. */
static void expect_pieces(struct result *const results[], size_t n,
			  const struct plugin_conf *limits, unsigned verbose, int state,
			  const char *const pieces[])
{
	int got;
	char *text = report_on(results, n, limits, verbose, &got);

	check_form(text, got);
	for (; *pieces; pieces++) {
		if (**pieces == '!' ? strstr(text, *pieces + 1) != NULL : !strstr(text, *pieces))
			fail_msg("%s: %s", *pieces, text);
	}
	if (got != state)
		fail_msg("state %d: %s", got, text);
	free(text);
}

static struct range range(const char *text)
{
	struct range r = {0};

	assert_null(range_parse(&r, text, true));
	return r;
}

/* One target with so many healthy endpoints and so many that refuse. */
static struct result *target(int64_t index, const char *name, unsigned healthy, unsigned refusing)
{
	struct result *r = fake_target(name, SOURCE_MX);

	r->index = index;
	for (unsigned i = 0; i < healthy + refusing; i++) {
		char *address = xasprintf("192.0.2.%u", i + 1);
		char *host = xasprintf("mx%u.%s", i + 1, name);
		struct contact *c = fake_endpoint(r, 10, host, address);

		if (i >= healthy)
			fake_end(c, CLASS_DOWN, REASON_REFUSED, PHASE_CONNECT, END_REFUSED, 1000);
		free(address);
		free(host);
	}
	fake_finish(r);
	return r;
}

static void test_msn(void **state)
{
	struct result *r = fake_msn();

	(void)state;
	expect(&r, 1, NULL, 1,
	       "MXPROBE WARNING - msn.com: 14 of 16 endpoints healthy; "
	       "mx4.hotmail.com[65.54.245.104] exhausted/memory 452 4.3.1 Out of memory; "
	       "mx4.hotmail.com[65.54.190.179] timeout/connect | "
	       "healthy=14;;;0;16 exhausted=1;;;0;16 deferred=0;;;0;16 rejected=0;;;0;16 "
	       "timeout=1;;;0;16 down=0;;;0;16 broken=0;;;0;16 unresolved=0;;;0;16 "
	       "first_try=0.875;;;0;1 slowest=0.18s;;;0\n");
}

static void test_limits_in_perfdata(void **state)
{
	const struct range w = range("1"), c = range("25%"), wt = range("0.1"), ct = range("5:");
	const struct plugin_conf limits = {&w, &c, &wt, &ct, NULL, NULL};
	struct result *r = fake_msn();

	(void)state;
	expect(&r, 1, &limits, 2,
	       "MXPROBE CRITICAL - msn.com: 14 of 16 endpoints healthy; "
	       "slowest healthy session 180 ms; "
	       "mx4.hotmail.com[65.54.245.104] exhausted/memory 452 4.3.1 Out of memory; "
	       "mx4.hotmail.com[65.54.190.179] timeout/connect | "
	       "healthy=14;15:16;12:16;0;16 exhausted=1;;;0;16 deferred=0;;;0;16 "
	       "rejected=0;;;0;16 timeout=1;;;0;16 down=0;;;0;16 broken=0;;;0;16 "
	       "unresolved=0;;;0;16 first_try=0.875;;;0;1 slowest=0.18s;0.1;5:;0\n");
}

static void test_verdict_is_the_state(void **state)
{
	static const struct {
		unsigned healthy, refusing;
		int state;
	} rows[] = {{2, 0, 0}, {1, 1, 1}, {0, 2, 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result *r = target(0, "example.net", rows[i].healthy, rows[i].refusing);

		expect_pieces(&r, 1, NULL, 0, rows[i].state,
			      (const char *const[]){"example.net: ", NULL});
	}
}

static void test_ranges_are_the_state(void **state)
{
	static const struct {
		const char *warning, *critical;
		unsigned healthy, refusing;
		int state;
	} rows[] = {
	    {"1", NULL, 3, 1, 0},    {"0", NULL, 3, 1, 1},    {NULL, "0", 3, 1, 2},
	    {"0", "0", 3, 1, 2},     {"0", "1", 3, 1, 1},     {"10%", "50%", 3, 1, 1},
	    {"25%", "50%", 3, 1, 0}, {"10%", "50%", 1, 3, 2}, {"4", NULL, 0, 4, 0},
	    {NULL, "@4:", 0, 4, 2},  {"1:", NULL, 4, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result *r = target(0, "example.net", rows[i].healthy, rows[i].refusing);
		struct range w = range(rows[i].warning ? rows[i].warning : "0");
		struct range c = range(rows[i].critical ? rows[i].critical : "0");
		const struct plugin_conf limits = {.warning = rows[i].warning ? &w : NULL,
						   .critical = rows[i].critical ? &c : NULL};

		expect_pieces(&r, 1, &limits, 0, rows[i].state, (const char *const[]){NULL});
	}
}

/* Where no endpoint was contacted, ranges have nothing to say. */
static void test_ranges_leave_what_was_not_contacted(void **state)
{
	const struct range all = range("~:");
	const struct range none = range("@~:");
	const struct plugin_conf lenient = {.warning = &all, .critical = &all};
	const struct plugin_conf strict = {.critical = &none};
	struct result *r;

	(void)state;
	r = fake_target("example.net", SOURCE_NULL_MX);
	fake_finish(r);
	expect_pieces(&r, 1, &lenient, 0, 2,
		      (const char *const[]){"example.net: the domain accepts no mail (null MX) | ",
					    "healthy=0;;;0;0", "first_try=U", "slowest=U", NULL});
	r = fake_target("example.net", SOURCE_NONE);
	r->status = DNS_TIMEOUT;
	fake_finish(r);
	expect_pieces(&r, 1, &strict, 0, 3,
		      (const char *const[]){"DNS gave no answer in time", "!incomplete", NULL});
	r = fake_target("example.net", SOURCE_NONE);
	r->status = DNS_NXDOMAIN;
	fake_finish(r);
	expect_pieces(&r, 1, &lenient, 0, 2, (const char *const[]){"NXDOMAIN", NULL});
}

static void test_skipped(void **state)
{
	struct result *r = target(0, "example.net", 1, 2);
	const struct range w = range("50%");
	const struct plugin_conf limits = {.warning = &w};

	(void)state;
	fake_end((struct contact *)(uintptr_t)r->endpoints[2].contact, CLASS_SKIPPED,
		 REASON_NO_ROUTE, PHASE_CONNECT, END_NO_ROUTE, USEC_NONE);
	fake_finish(r);
	expect_pieces(&r, 1, &limits, 0, 0,
		      (const char *const[]){"1 of 2 endpoints healthy, 1 skipped; mx2.example.net",
					    "!mx3", "healthy=1;1:2;;0;2", NULL});

	r = target(0, "example.net", 0, 1);
	fake_end((struct contact *)(uintptr_t)r->endpoints[0].contact, CLASS_SKIPPED,
		 REASON_NO_ROUTE, PHASE_CONNECT, END_NO_ROUTE, USEC_NONE);
	fake_finish(r);
	expect_pieces(&r, 1, NULL, 0, 3,
		      (const char *const[]){"none of 1 endpoint contacted: no route from here",
					    "!+", "!incomplete", NULL});
}

static void test_incomplete(void **state)
{
	struct result *r = target(0, "example.net", 2, 1);

	(void)state;
	fake_end((struct contact *)(uintptr_t)r->endpoints[2].contact, CLASS_SKIPPED,
		 REASON_DEADLINE, PHASE_CONNECT, END_DEADLINE, USEC_NONE);
	fake_finish(r);
	assert_int_equal(r->verdict, VERDICT_HEALTHY);
	expect_pieces(&r, 1, NULL, 0, 3, (const char *const[]){"; incomplete", NULL});

	/* What is known to be worse stays so. */
	r = target(0, "example.net", 1, 2);
	fake_end((struct contact *)(uintptr_t)r->endpoints[2].contact, CLASS_SKIPPED,
		 REASON_INTERRUPTED, PHASE_CONNECT, END_INTERRUPTED, USEC_NONE);
	fake_finish(r);
	expect_pieces(&r, 1, NULL, 0, 1, (const char *const[]){"; incomplete", NULL});

	r = fake_target("example.net", SOURCE_NONE);
	r->status = DNS_TIMEOUT;
	r->error_code = "deadline";
	r->error_message = "the deadline of the run passed first";
	fake_finish(r);
	expect_pieces(&r, 1, NULL, 0, 3,
		      (const char *const[]){"passed first; incomplete | ", NULL});
}

static void test_time_ranges(void **state)
{
	const struct range w = range("0.1"), c = range("0.2");
	const struct plugin_conf limits = {.warning_time = &w, .critical_time = &c};
	struct result *r = target(0, "example.net", 2, 0);

	(void)state;
	expect_pieces(&r, 1, &limits, 0, 1,
		      (const char *const[]){"; slowest healthy session 180 ms",
					    "slowest=0.18s;0.1;0.2;0", NULL});
	/* Each session counts, also of an endpoint that is not healthy. */
	r = target(0, "example.net", 1, 1);
	fake_sessions((struct contact *)(uintptr_t)r->endpoints[1].contact, 2, 1);
	r->endpoints[1].contact->draws[0].total = 250000;
	fake_finish(r);
	expect_pieces(&r, 1, &limits, 0, 2,
		      (const char *const[]){"slowest=0.25s", "(1 of 2 sessions healthy)", NULL});
	/* Without a healthy session they say nothing. */
	r = target(0, "example.net", 0, 2);
	expect_pieces(&r, 1, &limits, 0, 2, (const char *const[]){"slowest=U\n", NULL});
}

static void test_certificate_days(void **state)
{
	static const struct {
		int64_t seconds; /* from the start of the run to the end of the certificate */
		int state;
		const char *text, *perfdata;
	} rows[] = {
	    {15 * 86400, 0, "!certificate", "cert_days=15;14:;7:\n"},
	    {14 * 86400, 0, "!certificate", "cert_days=14;14:;7:\n"},
	    {14 * 86400 - 1, 1, "mx2.example.net[192.0.2.2] is good for 13 days", "cert_days=13;"},
	    {7 * 86400, 1, "for 7 days", "cert_days=7;"},
	    {7 * 86400 - 1, 2, "for 6 days", "cert_days=6;"},
	    {86400, 2, "for 1 day |", "cert_days=1;"},
	    {0, 2, "for 0 days", "cert_days=0;"},
	    {-1, 2, "has expired", "cert_days=-1;"},
	    {-86401, 2, "has expired", "cert_days=-2;"},
	};
	const int warning = 14, critical = 7;
	const struct range lenient = range("~:");
	const struct plugin_conf limits = {
	    .warning = &lenient, .warning_days = &warning, .critical_days = &critical};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result *r = target(0, "example.net", 3, 0);

		r->started_ms = 1795278717000;
		for (size_t k = 0; k < 3; k++)
			fake_tls((struct contact *)(uintptr_t)r->endpoints[k].contact, "TLSv1.3")
			    ->not_after =
			    (time_t)(1795278717 + rows[i].seconds + (k == 1 ? 0 : 864000));
		expect_pieces(&r, 1, &limits, 0, rows[i].state,
			      (const char *const[]){rows[i].text, rows[i].perfdata, NULL});
	}
	struct result *r = target(0, "example.net", 1, 0);
	expect_pieces(&r, 1, &limits, 0, 0, (const char *const[]){"cert_days=U\n", NULL});
	r = target(0, "example.net", 1, 0);
	expect_pieces(&r, 1, NULL, 0, 0, (const char *const[]){"!cert_days", NULL});
}

static void test_several_targets(void **state)
{
	const struct range w = range("1"), c = range("3");
	const struct plugin_conf limits = {.warning = &w, .critical = &c};
	struct result *r[4];

	(void)state;
	r[0] = target(2, "good.example", 2, 0);
	r[1] = target(1, "half.example", 1, 1);
	r[2] = target(0, "bad.example", 0, 1);
	expect(r, 3, NULL, 2,
	       "MXPROBE CRITICAL - 3 targets: 1 failing, 1 degraded, 1 healthy; "
	       "3 of 5 endpoints healthy; "
	       "bad.example: mx1.bad.example[192.0.2.1] down/refused; "
	       "half.example: mx2.half.example[192.0.2.2] down/refused | "
	       "healthy=3;;;0;5 exhausted=0;;;0;5 deferred=0;;;0;5 rejected=0;;;0;5 "
	       "timeout=0;;;0;5 down=2;;;0;5 broken=0;;;0;5 unresolved=0;;;0;5 "
	       "first_try=0.5;;;0;1 slowest=0.18s;;;0\n");

	/* Ranges apply to the sums ... */
	r[0] = target(0, "good.example", 2, 0);
	r[1] = target(1, "half.example", 1, 1);
	r[2] = target(2, "bad.example", 0, 1);
	expect_pieces(r, 3, &limits, 0, 1, (const char *const[]){"healthy=3;4:5;2:5;0;5", NULL});

	/* ... and a target that they do not apply to keeps its state beside them. */
	r[0] = target(0, "good.example", 2, 0);
	r[1] = fake_target("gone.example", SOURCE_NONE);
	r[1]->index = 1;
	r[1]->status = DNS_NXDOMAIN;
	fake_finish(r[1]);
	r[2] = fake_target("mute.example", SOURCE_NONE);
	r[2]->index = 2;
	r[2]->status = DNS_SERVFAIL;
	fake_finish(r[2]);
	r[3] = target(3, "half.example", 1, 1);
	expect_pieces(
	    r, 4, &limits, 0, 2,
	    (const char *const[]){
		"4 targets: 1 undeliverable, 1 degraded, 1 unknown, 1 healthy; 3 of 4 endpoints "
		"healthy; gone.example: the domain does not exist (NXDOMAIN); "
		"half.example: mx2.half.example[192.0.2.2] down/refused; "
		"mute.example: DNS gave no usable answer (SERVFAIL) | ",
		NULL});
}

static void test_no_targets(void **state)
{
	(void)state;
	expect_pieces(NULL, 0, NULL, 0, 0,
		      (const char *const[]){"MXPROBE OK - no targets | ", "first_try=U", NULL});
}

static void test_bad_line(void **state)
{
	struct result *r = fake_target("a b|c\n<i>", SOURCE_NONE);

	(void)state;
	r->has_dns = false;
	free((char *)(uintptr_t)r->domain);
	r->domain = NULL;
	r->error_code = "invalid-target";
	r->error_message = "'a b|c' is no domain";
	fake_finish(r);
	expect_pieces(&r, 1, NULL, 0, 3,
		      (const char *const[]){"MXPROBE UNKNOWN - a b/c?(i): ", "a b/c",
					    "is no domain", "!incomplete", NULL});
}

static void test_control(void **state)
{
	struct result *r[2];

	(void)state;
	r[0] = target(-1, "control.example", 0, 1);
	r[1] = target(0, "example.net", 0, 2);
	r[1]->verdict = VERDICT_UNKNOWN;
	expect_pieces(
	    r, 2, NULL, 0, 3,
	    (const char *const[]){"MXPROBE UNKNOWN - control target control.example is "
				  "failing, the fault is likely here; example.net: 0 of 2",
				  "down=2;", NULL});
	/* A control target that is well goes without a word, and never into the sums. */
	r[0] = target(-1, "control.example", 5, 0);
	r[1] = target(0, "example.net", 2, 0);
	expect_pieces(r, 2, NULL, 0, 0,
		      (const char *const[]){"!control", "OK - example.net: 2 of 2 endpoints",
					    "healthy=2;", NULL});
}

static void test_port_25_blocked(void **state)
{
	struct result *r = target(0, "example.net", 0, 2);

	(void)state;
	fake_warning(r, "port-25-blocked", "outgoing port 25 is likely blocked here");
	expect_pieces(
	    &r, 1, NULL, 0, 2,
	    (const char *const[]){"; outgoing port 25 is likely blocked here; mx1", NULL});
}

static void test_verbose(void **state)
{
	struct result *r = fake_msn();

	(void)state;
	expect_pieces(
	    &r, 1, NULL, 1, 1,
	    (const char *const[]){
		"\nmx4.hotmail.com[65.54.245.104] port 25 exhausted/memory in phase mail: "
		"452 4.3.1 Out of memory\n",
		"\nmx4.hotmail.com[65.54.190.179] port 25 timeout/connect in phase "
		"connect: no connection within 10 s\n",
		NULL});
}

static void test_literals_and_hosts_without_address(void **state)
{
	struct result *r = fake_target("[192.0.2.1]", SOURCE_LITERAL);

	(void)state;
	fake_end(fake_endpoint(r, -1, "192.0.2.1", "192.0.2.1"), CLASS_DOWN, REASON_REFUSED,
		 PHASE_CONNECT, END_REFUSED, 1000);
	fake_finish(r);
	expect_pieces(&r, 1, NULL, 0, 2,
		      (const char *const[]){"endpoint healthy; 192.0.2.1 down/refused | ", NULL});
	r = fake_target("example.net", SOURCE_MX);
	fake_end(fake_endpoint(r, 10, "gone.example", NULL), CLASS_UNRESOLVED, REASON_NXDOMAIN,
		 PHASE_DNS, END_DNS_NXDOMAIN, USEC_NONE);
	fake_finish(r);
	expect_pieces(&r, 1, NULL, 1, 2,
		      (const char *const[]){"gone.example unresolved/nxdomain | ",
					    "\ngone.example unresolved/nxdomain: the host does not",
					    "unresolved=1;", NULL});
}

/* The worst come first, however many there are and in whatever order they came. */
static void test_many(void **state)
{
	enum { TARGETS = 400 };
	struct result *r[TARGETS];
	char *text;
	int got;

	(void)state;
	for (int verbose = 0; verbose < 2; verbose++) {
		unsigned shown = 0, more = 0;

		for (int i = 0; i < TARGETS; i++) {
			char *name = xasprintf("t%03d.example", (i * 7) % TARGETS);

			r[i] = target((i * 7) % TARGETS, name, i == 399, 2 - (i == 399));
			free(name);
		}
		fake_reply((struct contact *)(uintptr_t)r[200]->endpoints[1].contact, 452,
			   "4.3.1 Out of memory");
		fake_end((struct contact *)(uintptr_t)r[200]->endpoints[1].contact, CLASS_EXHAUSTED,
			 REASON_MEMORY, PHASE_MAIL, END_REPLY, 292000);
		fake_finish(r[200]);
		text = report_on(r, TARGETS, NULL, (unsigned)verbose, &got);
		check_form(text, got);
		assert_int_equal(got, 2);
		/* 200 * 7 % 400 = 200 */
		assert_non_null(strstr(text, "endpoints healthy; t200.example: mx2.t200.example"
					     "[192.0.2.2] exhausted/memory 452"));
		assert_non_null(strstr(text,
				       "; t000.example: mx1.t000.example[192.0.2.1] down/refused"
				       "; t000.example: mx2.t000.example[192.0.2.2] down/refused"
				       "; t001.example: mx1.t001"));
		for (const char *p = text; (p = strstr(p, " down/refused")); p++)
			shown++;
		for (const char *p = text; (p = strstr(p, "+")); p++) {
			more = (unsigned)strtoul(p + 1, NULL, 10);
			if (!verbose)
				assert_int_equal(more + shown + 1, 2 * TARGETS - 1);
		}
		assert_true(more > 0);
		assert_int_equal(strlen(text) > 4096, verbose);
		free(text);
	}
}

static void test_hostile_texts(void **state)
{
	static const char *const texts[] = {
	    "4.3.1 | healthy=16;;;0;16",
	    "a\rb\nc\n\nMXPROBE OK - all is well | healthy=99",
	    "\x1B[2J\x1B]0;owned\a\x07\x9B"
	    "31m",
	    "<script>alert('x')</script><b>\"&lt;`id`$(reboot)\\n\\x0a",
	    "\xE2\x80\xAE"
	    "evil \xE2\x80\xA8 line \xC2\x85 next \xEF\xBB\xBF\xC0\xAF\xFF\xED\xA0\x80",
	    "; mx1.example.net[192.0.2.1] healthy/ok 250",
	    "' healthy=5 '",
	    "$HOSTNAME$ %n%n%s \\u003c",
	    "",
	    " ",
	};
	char *long_text = xmalloc(10241), *combining = xmalloc(10241);

	(void)state;
	memset(long_text, 'A', 10240);
	for (size_t i = 0; i < 10240; i += 2)
		memcpy(combining + i, "\xCC\x81", 2);
	long_text[10240] = combining[10240] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(texts) + 2; i++) {
		const char *hostile = i < ARRAY_LEN(texts)    ? texts[i]
				      : i == ARRAY_LEN(texts) ? long_text
							      : combining;

		for (unsigned verbose = 0; verbose < 2; verbose++) {
			struct result *r = fake_target(hostile, SOURCE_MX);
			struct contact *c;
			char *text;
			int got;

			for (int k = 0; k < 40; k++) {
				c = fake_endpoint(r, 10, hostile, "192.0.2.1");
				fake_end(c, CLASS_DEFERRED, REASON_OTHER, PHASE_MAIL, END_REPLY,
					 1000);
				fake_reply(c, 451, hostile);
			}
			c = fake_endpoint(r, 10, hostile, "192.0.2.2");
			fake_end(c, CLASS_BROKEN, REASON_TLS, PHASE_TLS, END_TLS, 1000);
			fake_error(c, 0, hostile);
			fake_tls(c, "TLSv1.3")->not_after = 1;
			fake_warning(r, "port-25-blocked", hostile);
			fake_finish(r);
			if (i % 2) {
				r->error_code = "other";
				r->error_message = hostile;
				r->verdict = VERDICT_UNKNOWN;
			}
			text = report_on(&r, 1, NULL, verbose, &got);
			check_form(text, got);
			assert_non_null(strstr(text, " | healthy=0;;;0;41 exhausted=0;"));
			assert_int_equal(strchr(text, '|') - strstr(text, " | healthy=0;"), 1);
			free(text);
		}
	}
	free(long_text);
	free(combining);
}

/* A report that is dropped before its end gives back what it held. */
static void test_dropped(void **state)
{
	const struct report_conf conf = {0};
	struct report report;
	struct result *r = fake_msn();

	(void)state;
	report_begin(&report, &report_plugin, &conf);
	report_target(&report, r);
	report_fini(&report);
	fake_free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_msn),
	    cmocka_unit_test(test_limits_in_perfdata),
	    cmocka_unit_test(test_verdict_is_the_state),
	    cmocka_unit_test(test_ranges_are_the_state),
	    cmocka_unit_test(test_ranges_leave_what_was_not_contacted),
	    cmocka_unit_test(test_skipped),
	    cmocka_unit_test(test_incomplete),
	    cmocka_unit_test(test_time_ranges),
	    cmocka_unit_test(test_certificate_days),
	    cmocka_unit_test(test_several_targets),
	    cmocka_unit_test(test_no_targets),
	    cmocka_unit_test(test_bad_line),
	    cmocka_unit_test(test_control),
	    cmocka_unit_test(test_port_25_blocked),
	    cmocka_unit_test(test_verbose),
	    cmocka_unit_test(test_literals_and_hosts_without_address),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_hostile_texts),
	    cmocka_unit_test(test_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

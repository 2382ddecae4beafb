#include "base/text.h"
#include "judge/advice.h"
#include "report/table.h"
#include "support/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *table_of(const struct result *r, unsigned width)
{
	struct report_conf conf = {.width = width};
	struct buf b = {0};

	table_target(&b, r, &conf, USEC_NONE);
	return buf_steal(&b);
}

static void assert_has(const struct result *r, unsigned width, const char *text)
{
	char *table = table_of(r, width);

	if (!strstr(table, text))
		fail_msg("no \"%s\" in:\n%s", text, table);
	free(table);
}

/* All kinds of rows at once, with long names and long replies. */
static struct result *motley(void)
{
	static const char *const hosts[] = {"a.example", "long-name-dc-42.mail.eu.example.com"};
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c;

	for (int i = 0; i < 2; i++) {
		c = fake_endpoint(r, i * 1000, hosts[i], "192.0.2.1");
		fake_tls(c, "TLSv1.3");
		c = fake_endpoint(r, i * 1000, hosts[i], "2001:db8:1234:5678:9abc:def0:1234:5678");
		fake_end(c, CLASS_DEFERRED, REASON_MAINTENANCE, PHASE_BANNER, END_REPLY, 400);
		fake_reply(c, 421,
			   "4.3.2 The system is not accepting network messages at this time\n"
			   "4.3.2 Please see https://mail.example.com/why?code=4711-0815-x\033[2J");
		c = fake_endpoint(r, i * 1000, hosts[i], "192.0.2.3");
		fake_end(c, CLASS_EXHAUSTED, REASON_CONNECTIONS, PHASE_BANNER, END_REPLY, 400000);
		fake_reply(c, 421,
			   "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E too many \xF0\x9F\x92\xA3 conns");
		fake_sessions(c, 20, 18);
		fake_backend(c, "a-very-long-backend-name-0815.eu-west-1.mail.example.com", 10, 10);
		fake_backend(c, "b\xFF", 10, 8);
	}
	c = fake_endpoint(r, 2000, "gone.example", NULL);
	c->class = CLASS_UNRESOLVED;
	c->reason = REASON_NO_ADDRESS;
	fake_warning(r, "mx-is-cname",
		     "long-name-dc-42.mail.eu.example.com is an alias, and an MX host must not be");
	fake_finish(r);
	return r;
}

static void example(void **state)
{
	static const char wanted[] =
	    "msn.com   4 MX, 16 endpoints                                      DEGRADED\n"
	    "\n"
	    "  PREF  HOST             ADDRESS        RESULT              TIME  REPLY\n"
	    "     5  mx1.hotmail.com  65.54.244.8    healthy           180 ms\n";
	static const char end[] =
	    "     5  mx4.hotmail.com  65.54.244.232  healthy           180 ms\n"
	    "     5  mx4.hotmail.com  65.54.190.179  timeout/connect   10.0 s  no connection "
	    "within 10 s\n"
	    "     5  mx4.hotmail.com  65.54.245.104  exhausted/memory  412 ms  452 4.3.1 Out of "
	    "memory  (MAIL FROM)\n"
	    "\n"
	    "  14 of 16 healthy, 1 exhausted, 1 timeout\n"
	    "  First contact accepted: 88 %.  One Postfix delivery attempt: accepted with "
	    "99.2 %, 4.1 s on average.\n"
	    "  One Exim delivery attempt: accepted with 100 %, 11 s on average.\n";
	struct result *r = fake_msn();
	char *table;

	(void)state;
	r->delivery.senders[0].accepted = 0.992;
	r->delivery.senders[0].seconds = 4.07;
	r->delivery.senders[1].accepted = 1;
	r->delivery.senders[1].seconds = 10.99;
	table = table_of(r, 0);
	assert_memory_equal(table, wanted, sizeof wanted - 1);
	assert_true(strlen(table) > sizeof end);
	assert_string_equal(table + strlen(table) - (sizeof end - 1), end);
	free(table);
	fake_free(r);
}

static void eighty_columns(void **state)
{
	struct result *r = fake_msn();

	(void)state;
	assert_has(r, 80, "\nPREF HOST       ADDRESS       RESULT             TIME  REPLY\n");
	assert_has(r, 80,
		   "\n   5 mx4.hotma\xE2\x80\xA6 65.54.190.179 timeout/connect  10.0 s  "
		   "no connection within 10 s\n"
		   "   5 mx4.hotma\xE2\x80\xA6 65.54.245.104 exhausted/memory 412 ms  "
		   "452 4.3.1 Out of memory\n");
	assert_has(r, 120, "452 4.3.1 Out of memory  (MAIL FROM)\n");
	fake_free(r);
}

/* A cut reply keeps its phase where there is room for both. */
static void cut_reply(void **state)
{
	struct result *r = motley();

	(void)state;
	assert_has(r, 200, "\xE2\x80\xA6  (banner)\n");
	fake_free(r);
}

/* At every width no line is longer, no octet raw, every endpoint one row, and verdict and results
 * are there. */
static void every_width(void **state)
{
	struct result *results[] = {fake_msn(), motley(),
				    fake_target("nosuch.example", SOURCE_NONE)};

	(void)state;
	results[2]->status = DNS_NXDOMAIN;
	fake_finish(results[2]);
	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		for (unsigned width = 20; width <= 300; width++) {
			struct report_conf conf = {.width = width, .explain = true};
			struct buf b = {0};
			char *table, *line, *next;

			table_target(&b, results[i], &conf, USEC_NONE);
			table = buf_steal(&b);
			for (line = table; *line; line = next) {
				size_t n = strcspn(line, "\n");

				next = line + n + 1;
				if (text_columns(line, n) > width)
					fail_msg("%u columns: %s", width, line);
				if (n)
					assert_true(line[n - 1] != ' ');
				for (size_t at = 0; at < n;) {
					uint32_t cp;
					size_t len = utf8_decode(line + at, n - at, &cp);

					assert_true(len > 0 && cp >= 0x20);
					at += len;
				}
			}
			if (width >= 40)
				assert_non_null(
				    strstr(table, verdict_name(results[i]->verdict)[0] == 'd'
						      ? "DEGRADED"
						      : "UNDELIVERABLE"));
			if (width >= 50 && i == 0)
				assert_non_null(strstr(table, "65.54.245.104 "));
			if (width >= 50 && i == 0)
				assert_non_null(strstr(table, "exhausted/memory"));
			free(table);
		}
		fake_free(results[i]);
	}
}

/* Colour says nothing that the words do not say. */
static void color(void **state)
{
	struct result *r = motley();
	unsigned widths[] = {0, 60, 80, 120};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		struct report_conf conf = {.width = widths[i], .color = true, .explain = true};
		struct buf colored = {0}, stripped = {0}, plain = {0};

		table_target(&colored, r, &conf, USEC_NONE);
		conf.color = false;
		table_target(&plain, r, &conf, USEC_NONE);
		assert_true(colored.len > plain.len);
		for (char *p = buf_str(&colored); *p; p++) {
			if (*p == '\033')
				p += strcspn(p, "m");
			else
				buf_addc(&stripped, *p);
		}
		assert_string_equal(buf_str(&stripped), buf_str(&plain));
		buf_fini(&colored);
		buf_fini(&stripped);
		buf_fini(&plain);
	}
	fake_free(r);
}

static void sessions_and_backends(void **state)
{
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 5, "mx.example.com", "192.0.2.1");

	(void)state;
	fake_end(c, CLASS_EXHAUSTED, REASON_LOAD, PHASE_MAIL, END_REPLY, 60000);
	fake_reply(c, 451, "4.3.2 Load too high");
	fake_sessions(c, 20, 18);
	fake_backend(c, "good.example.com", 10, 10);
	fake_backend(c, "bad", 10, 8);
	c = fake_endpoint(r, 5, "mx.example.com", "192.0.2.2");
	fake_sessions(c, 20, 20);
	fake_backend(c, "one", 10, 10);
	fake_backend(c, "two", 10, 10);
	c = fake_endpoint(r, 5, "mx.example.com", "192.0.2.3");
	fake_end(c, CLASS_DOWN, REASON_REFUSED, PHASE_CONNECT, END_REFUSED, 60000);
	fake_sessions(c, 20, 0);
	fake_finish(r);
	assert_has(r, 0,
		   "  18/20 healthy; 451 4.3.2 Load too high  (MAIL FROM)\n"
		   "          bad                8/10 healthy\n"
		   "          good.example.com  10/10 healthy\n");
	assert_has(r, 0, "  20/20 healthy, 2 backends\n");
	assert_has(r, 0, "  0/20 healthy; connection refused\n");
	fake_free(r);
}

static void many_backends(void **state)
{
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 5, "mx.example.com", "192.0.2.1");

	(void)state;
	fake_end(c, CLASS_EXHAUSTED, REASON_LOAD, PHASE_MAIL, END_REPLY, 60000);
	fake_sessions(c, 100, 99);
	for (int i = 0; i < 100; i++) {
		char *name = xasprintf("backend%d", i);

		fake_backend(c, name, 1, i != 77);
		free(name);
	}
	fake_finish(r);
	assert_has(r, 0, "          backend77  0/1 healthy\n          backend0   1/1 healthy\n");
	assert_has(r, 0, "          \xE2\x80\xA6 and 88 more\n");
	fake_free(r);
}

static void tls_column(void **state)
{
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 5, "mx.example.com", "192.0.2.1");

	(void)state;
	fake_endpoint(r, 5, "mx.example.com", "192.0.2.2");
	fake_finish(r);
	assert_has(r, 0, "  TIME  REPLY\n");
	fake_tls(c, "TLSv1.3");
	assert_has(r, 0, "  TIME  TLS  REPLY\n");
	assert_has(r, 0, "180 ms  1.3\n");
	assert_has(r, 0, "180 ms\n");
	fake_tls(c, "TLSv1");
	assert_has(r, 0, "180 ms  1.0\n");
	fake_tls(c, NULL)->error = xstrdup("no shared cipher");
	c->seen.notes = NOTE_TLS_FALLBACK;
	assert_has(r, 0, "180 ms  TLS handshake failed, went on without TLS\n");
	tls_facts_free(c->seen.tls);
	c->seen.tls = NULL;
	assert_has(r, 0, "180 ms  STARTTLS refused, went on without TLS\n");
	fake_free(r);
}

static void headings(void **state)
{
	struct result *r;

	(void)state;
	r = fake_target("example.com", SOURCE_IMPLICIT);
	fake_endpoint(r, 0, "example.com", "192.0.2.1");
	fake_finish(r);
	assert_has(r, 0, "example.com   no MX, own address, 1 endpoint  ");
	fake_free(r);

	r = fake_target("[mx.example.com]:587", SOURCE_HOST);
	fake_endpoint(r, -1, "mx.example.com", "192.0.2.1");
	fake_endpoint(r, -1, "mx.example.com", "2001:db8::1");
	fake_finish(r);
	assert_has(r, 0, "[mx.example.com]:587   2 endpoints  ");
	assert_has(r, 0, "\n  HOST            ADDRESS      RESULT     TIME  REPLY\n");
	fake_free(r);

	r = fake_target("192.0.2.1", SOURCE_LITERAL);
	fake_endpoint(r, -1, "192.0.2.1", "192.0.2.1");
	fake_finish(r);
	r->index = -1;
	assert_has(r, 0, "192.0.2.1   control target, 1 endpoint  ");
	assert_has(r, 0, "\n  ADDRESS    RESULT     TIME  REPLY\n");
	fake_free(r);

	r = fake_target("b\xC3\xBC"
			"cher.example",
			SOURCE_NULL_MX);
	free((char *)(uintptr_t)r->domain);
	r->domain = xstrdup("xn--bcher-kva.example");
	fake_finish(r);
	assert_has(r, 0,
		   "b\xC3\xBC"
		   "cher.example (xn--bcher-kva.example)   null MX  ");
	assert_has(r, 0,
		   " UNDELIVERABLE\n  The domain accepts no mail, and says so (null MX, "
		   "RFC 7505).\n");
	fake_free(r);
}

static void sentences(void **state)
{
	static const struct {
		enum dns_status status;
		const char *text;
	} rows[] = {
	    {DNS_NXDOMAIN,
	     "UNDELIVERABLE\n  No such domain: DNS says that it does not exist (NXDOMAIN)."},
	    {DNS_NO_ADDRESS, "UNDELIVERABLE\n  The domain has neither MX nor address records"},
	    {DNS_SERVFAIL, "UNKNOWN\n  DNS gave no usable answer (SERVFAIL)"},
	    {DNS_TIMEOUT, "UNKNOWN\n  DNS gave no answer in time"},
	    {DNS_INVALID, "UNDELIVERABLE\n  DNS leads nowhere from this name"},
	};
	struct result *r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		r = fake_target("example.com", SOURCE_NONE);
		r->status = rows[i].status;
		fake_finish(r);
		assert_has(r, 0, rows[i].text);
		fake_free(r);
	}
	r = fake_target("bad\a..line", SOURCE_NONE);
	r->has_dns = false;
	r->error_code = "invalid-target";
	r->error_message = "empty label in \"bad\a..line\"";
	fake_finish(r);
	assert_has(r, 0, "bad\\x07..line  ");
	assert_has(r, 0, "UNKNOWN\n  empty label in \"bad\\x07..line\"\n");
	fake_free(r);
}

static void nothing_contacted(void **state)
{
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 5, "mx.example.com", "2001:db8::1");
	char *table;

	(void)state;
	fake_end(c, CLASS_SKIPPED, REASON_NO_ROUTE, PHASE_CONNECT, END_NO_ROUTE, USEC_NONE);
	c->sessions = 0;
	fake_finish(r);
	table = table_of(r, 0);
	assert_non_null(strstr(table, "  0 of 1 healthy, 1 skipped\n"));
	assert_non_null(strstr(table, "no IPv6 route from here\n"));
	assert_null(strstr(table, "First contact"));
	free(table);
	fake_free(r);
}

static void warnings_and_advice(void **state)
{
	struct result *r = fake_msn();
	struct report_conf conf = {.explain = true};
	struct buf b = {0}, wanted = {0};

	(void)state;
	fake_warning(r, "mx-is-cname", "mx1.hotmail.com is an\033 alias");
	buf_printf(&wanted,
		   "\n  warning: mx1.hotmail.com is an\\x1B alias\n\n"
		   "  timeout/connect: %s\n  exhausted/memory: %s\n",
		   advice_text(CLASS_TIMEOUT, REASON_CONNECT),
		   advice_text(CLASS_EXHAUSTED, REASON_MEMORY));
	table_target(&b, r, &conf, USEC_NONE);
	assert_non_null(strstr(buf_str(&b), buf_str(&wanted)));
	buf_fini(&b);
	buf_fini(&wanted);
	fake_free(r);
}

/* What matters most stands at a warning's end: it is broken into lines, never cut. */
static void long_warning(void **state)
{
	struct report_conf conf = {.width = 44, .color = true};
	struct result *r = fake_target("example.com", SOURCE_NULL_MX);
	struct buf b = {0};

	(void)state;
	fake_warning(r, "port-25-blocked", "nobody at all answers, so it may be the firewall here");
	fake_finish(r);
	assert_has(r, 44,
		   "  warning: nobody at all answers, so it may\n"
		   "    be the firewall here\n");
	assert_has(r, 0, "  warning: nobody at all answers, so it may be the firewall here\n");
	table_target(&b, r, &conf, USEC_NONE);
	assert_non_null(strstr(buf_str(&b), "  \033[33mwarning:\033[0m nobody at all answers, so "
					    "it may\n    be the firewall here\n"));
	/* Where there is not even room for the word, nothing is lost that could be shown. */
	for (conf.width = 1; conf.width < 12; conf.width++) {
		buf_clear(&b);
		table_target(&b, r, &conf, USEC_NONE);
	}
	buf_fini(&b);
	fake_free(r);
}

/* Eight wait, one runs, one waits, four are healthy, two in trouble. */
static struct result *running(void)
{
	struct result *r = fake_msn();
	struct contact *c;

	for (size_t i = 0; i < r->n_endpoints; i++) {
		c = (struct contact *)(uintptr_t)r->endpoints[i].contact;
		c->state = i < 10 ? CONTACT_WAITING : CONTACT_DONE;
	}
	c = (struct contact *)(uintptr_t)r->endpoints[8].contact;
	c->state = CONTACT_RUNNING;
	c->live_phase = PHASE_BANNER;
	c->live_since = 7000000;
	return r;
}

static void live(void **state)
{
	struct result *r = running();
	struct report_conf conf = {.width = 0};
	struct buf b = {0};

	(void)state;
	table_target(&b, r, &conf, 10250000);
	assert_non_null(strstr(buf_str(&b), " 6 of 16 done\n"));
	assert_non_null(strstr(buf_str(&b), "  65.54.244.8    waiting\n"));
	assert_non_null(strstr(buf_str(&b), "  65.54.244.72   banner 3.2 s\n"));
	assert_non_null(strstr(buf_str(&b), "exhausted/memory  412 ms  452 4.3.1"));
	assert_null(strstr(buf_str(&b), "of 16 healthy"));
	assert_null(strstr(buf_str(&b), "DEGRADED"));
	buf_fini(&b);
	fake_free(r);
}

static size_t count_lines(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

static void live_in_few_lines(void **state)
{
	struct result *r = running();
	struct report_conf conf = {.width = 100};

	(void)state;
	assert_int_equal(table_live_lines(r), 19);
	for (size_t lines = 1; lines <= 20; lines++) {
		struct buf b = {0};
		size_t got = table_live(&b, r, &conf, 10250000, lines);

		assert_true(got <= lines);
		assert_int_equal(count_lines(buf_str(&b)), got);
		if (lines >= 6) {
			assert_non_null(strstr(buf_str(&b), "exhausted/memory"));
			assert_non_null(strstr(buf_str(&b), "timeout/connect"));
			assert_non_null(strstr(buf_str(&b), "banner 3.2 s"));
		}
		if (lines == 7)
			assert_non_null(strstr(buf_str(&b),
					       "  \xE2\x80\xA6 and 12 more: 8 waiting, "
					       "4 healthy\n"));
		if (lines >= 19)
			assert_null(strstr(buf_str(&b), "more"));
		buf_fini(&b);
	}
	fake_free(r);
}

static void report_of_several(void **state)
{
	struct report_conf conf = {.width = 0};
	struct result *r[] = {fake_msn(), fake_target("a.example", SOURCE_NULL_MX),
			      fake_target("control", SOURCE_NULL_MX)};
	struct report report;

	(void)state;
	r[2]->index = -1;
	fake_finish(r[1]);
	fake_finish(r[2]);
	report_begin(&report, &report_table, &conf);
	report_target(&report, r[2]);
	report_target(&report, r[0]);
	assert_int_equal(report.targets, 2);
	buf_clear(&report.out);
	report_target(&report, r[1]);
	assert_memory_equal(report.out.data, "\na.example ", 11);
	buf_clear(&report.out);
	report_end(&report);
	assert_string_equal(buf_str(&report.out), "\n2 targets: 1 degraded, 1 undeliverable\n");
	report_fini(&report);

	/* One target needs no sums, and an abandoned report leaves nothing behind. */
	report_begin(&report, &report_table, &conf);
	report_target(&report, r[0]);
	buf_clear(&report.out);
	report_end(&report);
	assert_int_equal(report.out.len, 0);
	report_fini(&report);
	report_begin(&report, &report_table, &conf);
	report_target(&report, r[0]);
	report_fini(&report);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		fake_free(r[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(example),
	    cmocka_unit_test(eighty_columns),
	    cmocka_unit_test(cut_reply),
	    cmocka_unit_test(every_width),
	    cmocka_unit_test(color),
	    cmocka_unit_test(sessions_and_backends),
	    cmocka_unit_test(many_backends),
	    cmocka_unit_test(tls_column),
	    cmocka_unit_test(headings),
	    cmocka_unit_test(sentences),
	    cmocka_unit_test(nothing_contacted),
	    cmocka_unit_test(warnings_and_advice),
	    cmocka_unit_test(long_warning),
	    cmocka_unit_test(live),
	    cmocka_unit_test(live_in_few_lines),
	    cmocka_unit_test(report_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "report/words.h"
#include "support/results.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void spans(void **state)
{
	static const struct {
		usec_t span;
		const char *column, *sentence;
	} rows[] = {
	    {0, "0.0 ms", "0.0 ms"},
	    {449, "0.4 ms", "0.4 ms"},
	    {9949, "9.9 ms", "9.9 ms"},
	    {9950, "10 ms", "10 ms"},
	    {182400, "182 ms", "182 ms"},
	    {999499, "999 ms", "999 ms"},
	    {999500, "1.0 s", "1 s"},
	    {10012400, "10.0 s", "10 s"},
	    {3450000, "3.5 s", "3.5 s"},
	    {99949999, "99.9 s", "99.9 s"},
	    {99950000, "100 s", "100 s"},
	    {130499999, "130 s", "130 s"},
	    {86400000000, "86400 s", "86400 s"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		words_span(&b, rows[i].span);
		assert_string_equal(buf_str(&b), rows[i].column);
		buf_clear(&b);
		words_span_short(&b, rows[i].span);
		assert_string_equal(buf_str(&b), rows[i].sentence);
		buf_fini(&b);
	}
}

static void percents(void **state)
{
	static const struct {
		double share;
		const char *text;
	} rows[] = {
	    {0, "0 %"},
	    {1, "100 %"},
	    {0.875, "88 %"},
	    {0.125, "13 %"},
	    {0.5, "50 %"},
	    {0.992, "99.2 %"},
	    {0.95, "95 %"},
	    {0.9994, "99.9 %"},
	    {0.9996, "99.96 %"},
	    {0.99991, "99.99 %"},
	    {0.99996, "> 99.99 %"},
	    {1 - 1e-9, "> 99.99 %"},
	    {0.1 + 0.2 + 0.7, "100 %"},
	    {1 - 1e-15, "100 %"},
	    {1e-15, "0 %"},
	    {0.0001, "0.01 %"},
	    {0.00004, "< 0.01 %"},
	    {1e-9, "< 0.01 %"},
	    {0.0004, "0.04 %"},
	    {0.0006, "0.1 %"},
	    {0.012, "1.2 %"},
	    {0.0996, "10 %"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		words_percent(&b, rows[i].share);
		assert_string_equal(buf_str(&b), rows[i].text);
		buf_fini(&b);
	}
}

static void replies(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
	    {"4.3.1 Out of memory", "450 4.3.1 Out of memory"},
	    {"4.7.1 Try\n4.7.1 later", "450 4.7.1 Try later"},
	    {"4.7.1 Try\n4.7.2 later", "450 4.7.1 Try 4.7.2 later"},
	    {"one\n\ntwo\n", "450 one two"},
	    {"", "450"},
	    {"a\033[31mb\xFF", "450 a\\x1B[31mb\\xFF"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct contact c = {.addr = {.family = 0}};
		struct buf b = {0};

		fake_reply(&c, 450, rows[i].text);
		words_reply(&b, &c.seen.reply);
		assert_string_equal(buf_str(&b), rows[i].line);
		buf_fini(&b);
		reply_fini(&c.seen.reply);
	}
}

static void endless_reply_ends(void **state)
{
	struct contact c = {.addr = {.family = 0}};
	struct buf b = {0}, text = {0};

	(void)state;
	for (int i = 0; i < 60000; i++)
		buf_addc(&text, 'x');
	fake_reply(&c, 450, buf_str(&text));
	words_reply(&b, &c.seen.reply);
	assert_true(b.len < 1100);
	buf_fini(&b);
	buf_fini(&text);
	reply_fini(&c.seen.reply);
}

static void endings(void **state)
{
	static const struct {
		enum class class;
		enum reason reason;
		enum phase phase;
		enum end end;
		usec_t took;
		int err;
		const char *error; /* NULL: none */
		const char *text;
	} rows[] = {
	    {CLASS_TIMEOUT, REASON_CONNECT, PHASE_CONNECT, END_TIMEOUT, 10003000, 0, NULL,
	     "no connection within 10 s"},
	    {CLASS_TIMEOUT, REASON_CONNECT, PHASE_CONNECT, END_TIMEOUT, USEC_NONE, 0, NULL,
	     "no connection in time"},
	    {CLASS_TIMEOUT, REASON_SILENT, PHASE_BANNER, END_TIMEOUT, 29960000, 0, NULL,
	     "connected, no banner within 30 s"},
	    {CLASS_TIMEOUT, REASON_SILENT, PHASE_MAIL, END_TIMEOUT, 29740000, 0, NULL,
	     "no reply to MAIL FROM within 29.7 s"},
	    {CLASS_TIMEOUT, REASON_SLOW, PHASE_BANNER, END_TIMEOUT, 30000000, 0, NULL,
	     "only part of the banner within 30 s"},
	    {CLASS_TIMEOUT, REASON_SLOW, PHASE_EHLO, END_TIMEOUT, 30000000, 0, NULL,
	     "only part of the reply to EHLO within 30 s"},
	    {CLASS_TIMEOUT, REASON_SILENT, PHASE_TLS, END_TIMEOUT, 30000000, 0, NULL,
	     "TLS handshake not finished within 30 s"},
	    {CLASS_DOWN, REASON_REFUSED, PHASE_CONNECT, END_REFUSED, 100, ECONNREFUSED,
	     "Connection refused", "connection refused"},
	    {CLASS_DOWN, REASON_UNREACHABLE, PHASE_CONNECT, END_UNREACHABLE, 100, EHOSTUNREACH,
	     "No route to host", "unreachable: No route to host"},
	    {CLASS_DOWN, REASON_CLOSED, PHASE_BANNER, END_CLOSED, 100, 0, NULL,
	     "closed by the server while waiting for the banner"},
	    {CLASS_DOWN, REASON_CLOSED, PHASE_MAIL, END_CLOSED, 100, ECONNRESET, NULL,
	     "reset by the server while waiting for the reply to MAIL FROM"},
	    {CLASS_DOWN, REASON_CLOSED, PHASE_TLS, END_CLOSED, 100, 0, NULL,
	     "closed by the server during the TLS handshake"},
	    {CLASS_BROKEN, REASON_NOT_SMTP, PHASE_BANNER, END_NOT_SMTP, 100, 0, NULL,
	     "no SMTP banner"},
	    {CLASS_BROKEN, REASON_NOT_SMTP, PHASE_BANNER, END_NOT_SMTP, 100, 0,
	     "not an SMTP reply: \"SSH-2.0\"", "not an SMTP reply: \"SSH-2.0\"  (banner)"},
	    {CLASS_BROKEN, REASON_BAD_REPLY, PHASE_EHLO, END_BAD_REPLY, 100, 0, NULL,
	     "malformed reply to EHLO"},
	    {CLASS_BROKEN, REASON_TLS, PHASE_TLS, END_TLS, 100, 0, "wrong version number",
	     "TLS handshake failed: wrong version number"},
	    {CLASS_BROKEN, REASON_CERTIFICATE, PHASE_TLS, END_CERTIFICATE, 100, 0, "expired\a",
	     "certificate not accepted: expired\\x07"},
	    {CLASS_BROKEN, REASON_NO_TLS, PHASE_STARTTLS, END_NO_TLS, 100, 0, NULL,
	     "STARTTLS is not offered"},
	    {CLASS_UNRESOLVED, REASON_NXDOMAIN, PHASE_DNS, END_DNS_NXDOMAIN, 0, 0, NULL,
	     "the host does not exist (NXDOMAIN)"},
	    {CLASS_SKIPPED, REASON_NO_ROUTE, PHASE_CONNECT, END_NO_ROUTE, 0, 0, NULL,
	     "no IPv6 route from here"},
	    {CLASS_SKIPPED, REASON_DEADLINE, PHASE_CONNECT, END_DEADLINE, 0, 0, NULL,
	     "not finished before the deadline"},
	    {CLASS_SKIPPED, REASON_LOCAL_ERROR, PHASE_CONNECT, END_LOCAL_ERROR, 0, EMFILE,
	     "Too many open files", "a fault of this machine: Too many open files"},
	    {CLASS_HEALTHY, REASON_OK, PHASE_MAIL, END_REPLY, 100, 0, NULL, ""},
	    {CLASS_REJECTED, REASON_POLICY, PHASE_BANNER, END_REPLY, 100, 0, NULL,
	     "250 2.1.0 Sender OK  (banner)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result *r = fake_target("example.com", SOURCE_MX);
		struct contact *c = fake_endpoint(r, 0, "mx.example.com", "2001:db8::1");
		struct buf b = {0};

		fake_end(c, rows[i].class, rows[i].reason, rows[i].phase, rows[i].end,
			 rows[i].took);
		c->seen.err = rows[i].err;
		if (rows[i].error)
			fake_error(c, rows[i].err, rows[i].error);
		if (words_ending(&b, c))
			buf_printf(&b, "  (%s)", words_phase(&c->seen, c->phase));
		assert_string_equal(buf_str(&b), rows[i].text);
		buf_fini(&b);
		fake_free(r);
	}
}

/* What TLS has to say, when the session has no words of its own; and a class without a reply. */
static void words_of_others(void **state)
{
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 0, "mx.example.com", "192.0.2.1");
	struct buf b = {0};

	(void)state;
	fake_end(c, CLASS_BROKEN, REASON_CERTIFICATE, PHASE_TLS, END_CERTIFICATE, 100);
	tls_facts_free(c->seen.tls);
	c->seen.tls = tls_facts_new();
	c->seen.tls->error = xstrdup("the server has no certificate");
	(void)words_ending(&b, c);
	assert_string_equal(buf_str(&b), "certificate not accepted: the server has no certificate");
	buf_clear(&b);
	fake_end(c, CLASS_REJECTED, REASON_OTHER, PHASE_MAIL, END_REPLY, 100);
	c->seen.reply.code = 0;
	assert_false(words_ending(&b, c));
	assert_string_equal(buf_str(&b), "");
	buf_fini(&b);
	fake_free(r);
}

static void refused_starttls_is_its_reply(void **state)
{
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 0, "mx.example.com", "192.0.2.1");
	struct buf b = {0};

	(void)state;
	fake_end(c, CLASS_BROKEN, REASON_NO_TLS, PHASE_STARTTLS, END_NO_TLS, 100);
	fake_reply(c, 502, "5.5.1 Not now");
	c->seen.notes = NOTE_STARTTLS;
	assert_true(words_ending(&b, c));
	assert_string_equal(buf_str(&b), "502 5.5.1 Not now");
	buf_fini(&b);
	fake_free(r);
}

/* For every pair of class and reason that there may be, something is said. */
static void never_silent(void **state)
{
	(void)state;
	for (int i = CLASS_EXHAUSTED; i < CLASSES; i++) {
		for (int reason = 0; reason < REASONS; reason++) {
			struct result *r = fake_target("example.com", SOURCE_MX);
			struct contact *c = fake_endpoint(r, 0, "mx.example.com", "192.0.2.1");
			struct buf b = {0};

			fake_end(c, (enum class)i, (enum reason)reason, PHASE_MAIL, END_REPLY, 100);
			(void)words_ending(&b, c);
			assert_true(b.len > 0);
			buf_fini(&b);
			fake_free(r);
		}
	}
}

static void helo_is_told(void **state)
{
	struct observation seen;

	(void)state;
	observation_init(&seen);
	assert_string_equal(words_phase(&seen, PHASE_EHLO), "EHLO");
	seen.notes = NOTE_HELO;
	assert_string_equal(words_phase(&seen, PHASE_EHLO), "HELO");
	assert_string_equal(words_phase(&seen, PHASE_MAIL), "MAIL FROM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spans),           cmocka_unit_test(percents),
	    cmocka_unit_test(replies),         cmocka_unit_test(endless_reply_ends),
	    cmocka_unit_test(endings),         cmocka_unit_test(refused_starttls_is_its_reply),
	    cmocka_unit_test(words_of_others), cmocka_unit_test(never_silent),
	    cmocka_unit_test(helo_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "judge/advice.h"
#include "report/report.h"
#include "support/results.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The line of one result; the caller frees. */
static char *line_of(const struct result *r, bool explain)
{
	struct report_conf conf = {.explain = explain};
	struct report report;
	char *line;

	report_begin(&report, &report_json, &conf);
	report_target(&report, r);
	report_end(&report);
	line = buf_steal(&report.out);
	report_fini(&report);
	return line;
}

static json_t *object_of(const struct result *r, bool explain)
{
	char *line = line_of(r, explain);
	json_error_t error;
	json_t *o = json_loads(line, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);

	assert_non_null(o);
	assert_int_equal(strcspn(line, "\n"), strlen(line) - 1);
	free(line);
	return o;
}

static void assert_text(json_t *o, const char *key, const char *text)
{
	json_t *value = json_object_get(o, key);

	assert_non_null(value);
	if (!text) {
		assert_true(json_is_null(value));
		return;
	}
	assert_true(json_is_string(value));
	assert_string_equal(json_string_value(value), text);
}

static json_t *endpoint(json_t *o, size_t i)
{
	return json_array_get(json_object_get(o, "endpoints"), i);
}

/* The example of the documentation, to the letter. */
static void example(void **state)
{
	static const char wanted[] =
	    "{\"schema\":\"mxprobe/1\",\"version\":\"" MXPROBE_VERSION
	    "\",\"index\":0,\"target\":\"msn.com\",\"domain\":\"msn.com\","
	    "\"started\":\"2026-11-21T16:31:57.181Z\",\"elapsed_ms\":10012.4,"
	    "\"helo\":\"probe.example.net\",\"from\":\"<>\",\"verdict\":\"failing\",\"exit\":2,"
	    "\"error\":null,\"warnings\":[{\"code\":\"mx-is-cname\",\"message\":\"an alias\"}],"
	    "\"dns\":{\"source\":\"mx\",\"status\":\"ok\",\"authenticated\":false,"
	    "\"elapsed_ms\":3.1,\"mx\":[{\"preference\":5,\"host\":\"mx4.hotmail.com\","
	    "\"status\":\"ok\",\"ttl\":300,\"addresses\":[\"65.54.245.104\","
	    "\"65.54.190.179\"]}]},\"summary\":{\"endpoints\":2,\"healthy\":0,\"exhausted\":1,"
	    "\"deferred\":0,\"rejected\":0,\"timeout\":1,\"down\":0,\"broken\":0,\"unresolved\":0,"
	    "\"skipped\":0,\"slowest_ms\":null},\"delivery\":{\"first_try\":0.0,"
	    "\"possible\":false,\"senders\":{\"postfix\":{\"accepted\":0.0,\"seconds\":30.475},"
	    "\"exim\":{\"accepted\":0.0,\"seconds\":130.475}}},\"mta_sts\":null,\"endpoints\":["
	    "{\"preference\":5,\"host\":\"mx4.hotmail.com\",\"address\":\"65.54.245.104\","
	    "\"family\":\"inet\",\"port\":25,\"class\":\"exhausted\",\"reason\":\"memory\","
	    "\"phase\":\"mail\",\"sessions\":1,\"healthy_sessions\":0,\"backends\":"
	    "[{\"name\":\"bay0.hotmail.com\",\"sessions\":1,\"healthy\":0}],\"reply\":"
	    "{\"code\":452,\"enhanced\":\"4.3.1\",\"lines\":[\"Out of memory\"]},"
	    "\"banner\":\"bay0.hotmail.com ESMTP\",\"extensions\":[\"SIZE 29696000\","
	    "\"PIPELINING\"],\"tls\":null,\"timing\":{\"connect_ms\":81.2,"
	    "\"first_byte_ms\":101.9,\"banner_ms\":102.5,\"ehlo_ms\":80.9,\"starttls_ms\":null,"
	    "\"tls_ms\":null,\"mail_ms\":210.0,\"total_ms\":474.6},\"rtt_ms\":80.7,"
	    "\"error\":null},"
	    "{\"preference\":5,\"host\":\"mx4.hotmail.com\",\"address\":\"65.54.190.179\","
	    "\"family\":\"inet\",\"port\":25,\"class\":\"timeout\",\"reason\":\"connect\","
	    "\"phase\":\"connect\",\"sessions\":1,\"healthy_sessions\":0,\"backends\":[],"
	    "\"reply\":null,\"banner\":null,\"extensions\":null,\"tls\":null,\"timing\":"
	    "{\"connect_ms\":10000.123,\"first_byte_ms\":null,\"banner_ms\":null,\"ehlo_ms\":null,"
	    "\"starttls_ms\":null,\"tls_ms\":null,\"mail_ms\":null,\"total_ms\":10000.123},"
	    "\"rtt_ms\":null,\"error\":\"Connection timed out\"}]}\n";
	struct result *r = fake_target("msn.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 5, "mx4.hotmail.com", "65.54.245.104");
	char *line;

	(void)state;
	fake_end(c, CLASS_EXHAUSTED, REASON_MEMORY, PHASE_MAIL, END_REPLY, 210000);
	fake_reply(c, 452, "4.3.1 Out of memory");
	fake_backend(c, "bay0.hotmail.com", 1, 0);
	buf_addstr(&c->seen.banner, "bay0.hotmail.com ESMTP");
	buf_addstr(&c->seen.extensions, "SIZE 29696000\nPIPELINING");
	c->timing =
	    (struct timing){81200, 101900, 102500, 80900, USEC_NONE, USEC_NONE, 210000, 474600};
	c->rtt = 80700;
	c = fake_endpoint(r, 5, "mx4.hotmail.com", "65.54.190.179");
	fake_end(c, CLASS_TIMEOUT, REASON_CONNECT, PHASE_CONNECT, END_TIMEOUT, 10000123);
	fake_error(c, 110, "Connection timed out");
	fake_finish(r);
	fake_warning(r, "mx-is-cname", "an alias");
	r->delivery.senders[0].seconds = 30.475;
	r->delivery.senders[1].seconds = 130.475;
	line = line_of(r, false);
	assert_string_equal(line, wanted);
	free(line);
	fake_free(r);
}

/* A line of the input that is no target, as the control. */
static void no_target(void **state)
{
	struct result *r = fake_target("bad..line", SOURCE_NONE);
	json_t *o;

	(void)state;
	free((char *)(uintptr_t)r->domain);
	r->domain = NULL;
	r->has_dns = false;
	r->index = -1;
	r->helo = r->from = NULL;
	r->error_code = "invalid-target";
	r->error_message = "empty label";
	r->elapsed = USEC_NONE;
	fake_finish(r);
	o = object_of(r, true);
	assert_text(o, "target", "bad..line");
	assert_text(o, "domain", NULL);
	assert_text(o, "helo", NULL);
	assert_text(o, "from", NULL);
	assert_text(o, "index", NULL);
	assert_text(o, "elapsed_ms", NULL);
	assert_text(o, "dns", NULL);
	assert_text(o, "verdict", "unknown");
	assert_int_equal(json_integer_value(json_object_get(o, "exit")), 3);
	assert_text(json_object_get(o, "error"), "code", "invalid-target");
	assert_text(json_object_get(o, "error"), "message", "empty label");
	assert_text(json_object_get(o, "delivery"), "first_try", NULL);
	assert_true(json_is_false(json_object_get(json_object_get(o, "delivery"), "possible")));
	assert_int_equal(json_array_size(json_object_get(o, "endpoints")), 0);
	json_decref(o);
	fake_free(r);
}

/* No address: one endpoint, of which nothing can be said but why. */
static void unresolved(void **state)
{
	static const char *const null[] = {"address",    "family", "reply",  "banner",
					   "extensions", "tls",    "rtt_ms", "error"};
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 10, "gone.example.com", NULL);
	const char *key;
	json_t *o, *e, *timing, *value;

	(void)state;
	c->class = CLASS_UNRESOLVED;
	c->reason = REASON_NXDOMAIN;
	c->seen.end = END_DNS_NXDOMAIN;
	r->hosts[0].status = DNS_NXDOMAIN;
	r->port = 2525;
	fake_finish(r);
	o = object_of(r, false);
	e = endpoint(o, 0);
	for (size_t i = 0; i < ARRAY_LEN(null); i++)
		assert_text(e, null[i], NULL);
	assert_text(e, "class", "unresolved");
	assert_text(e, "reason", "nxdomain");
	assert_text(e, "phase", "dns");
	assert_int_equal(json_integer_value(json_object_get(e, "port")), 2525);
	assert_int_equal(json_integer_value(json_object_get(e, "sessions")), 0);
	timing = json_object_get(e, "timing");
	assert_int_equal(json_object_size(timing), 8);
	json_object_foreach(timing, key, value) assert_true(json_is_null(value));
	assert_text(json_array_get(json_object_get(json_object_get(o, "dns"), "mx"), 0), "status",
		    "nxdomain");
	json_decref(o);
	fake_free(r);
}

static void literal_has_no_preference(void **state)
{
	struct result *r = fake_target("[IPv6:2001:db8::1]", SOURCE_LITERAL);
	json_t *o, *mx;

	(void)state;
	fake_endpoint(r, -1, "2001:db8::1", "2001:db8::1");
	fake_finish(r);
	o = object_of(r, false);
	mx = json_array_get(json_object_get(json_object_get(o, "dns"), "mx"), 0);
	assert_text(mx, "preference", NULL);
	assert_text(mx, "ttl", NULL);
	assert_text(endpoint(o, 0), "preference", NULL);
	assert_text(endpoint(o, 0), "family", "inet6");
	assert_text(endpoint(o, 0), "address", "2001:db8::1");
	json_decref(o);
	fake_free(r);
}

static void replies(void **state)
{
	static const struct {
		const char *text, *enhanced, *lines[3];
	} rows[] = {
	    {"4.7.1 Try\n4.7.1 later", "4.7.1", {"Try", "later", NULL}},
	    {"4.7.1 Try\n4.7.2 later", NULL, {"4.7.1 Try", "4.7.2 later", NULL}},
	    {"Try\n4.7.1 later", NULL, {"Try", "4.7.1 later", NULL}},
	    {"", NULL, {"", NULL, NULL}},
	    {"one\n\n", NULL, {"one", "", ""}},
	    {"4.7.1", "4.7.1", {"", NULL, NULL}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result *r = fake_target("example.com", SOURCE_MX);
		struct contact *c = fake_endpoint(r, 10, "mx.example.com", "192.0.2.1");
		json_t *o, *reply, *lines;
		size_t n = 0;

		fake_end(c, CLASS_DEFERRED, REASON_OTHER, PHASE_MAIL, END_REPLY, 1000);
		fake_reply(c, 450, rows[i].text);
		fake_finish(r);
		o = object_of(r, false);
		reply = json_object_get(endpoint(o, 0), "reply");
		lines = json_object_get(reply, "lines");
		assert_text(reply, "enhanced", rows[i].enhanced);
		while (n < 3 && rows[i].lines[n]) {
			const char *got = json_string_value(json_array_get(lines, n));

			assert_non_null(got);
			assert_string_equal(got, rows[i].lines[n++]);
		}
		assert_int_equal(json_array_size(lines), n);
		json_decref(o);
		fake_free(r);
	}
}

/* Whatever strangers say, it is one line of valid JSON in UTF-8, harmless on a terminal. */
static void foreign_octets(void **state)
{
	static const char nasty[] = "a\xFF\xC0\x80\0\x1B[31m\r\n\x7F\xC2\x9B\"\\\xE2\x80\xA8"
				    "\xE2\x80\xAE\xED\xA0\x80\xF4\x90\x80\x80\xC3\xBC\xE2\x82";
	struct result *r = fake_target("bad \xFF target", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 10, "mx\x1B.example.com", "192.0.2.1");
	struct tls_facts *facts = fake_tls(c, "TLSv1.3");
	struct buf octets = {0};
	char *line;
	json_t *o;

	(void)state;
	for (int i = 0; i < 512; i++)
		buf_addc(&octets, (char)(i & 0xFF));
	buf_add(&octets, nasty, sizeof nasty - 1);
	buf_add(&c->seen.banner, octets.data, octets.len);
	buf_add(&c->seen.extensions, octets.data, octets.len);
	fake_reply(c, 250, "");
	buf_add(&c->seen.reply.text, nasty, sizeof nasty - 1);
	fake_backend(c,
		     "back\x80"
		     "end\x01",
		     1, 1);
	fake_error(c, 0, "er\xF0\x9F\x98ror");
	facts->subject = xstrdup("CN=\xFC");
	facts->issuer = xstrdup("CN=\x1B]0;title\x07");
	facts->cipher = xstrdup("\xE2\x80\xAE");
	facts->error = xstrdup("\x9F");
	fake_warning(r, "mx-is-cname", "\xC3\x28");
	fake_finish(r);
	line = line_of(r, false);
	for (const char *p = line; p[1]; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
	assert_null(strstr(line, "\xC2\x9B"));
	assert_null(strstr(line, "\xE2\x80\xA8"));
	assert_non_null(strstr(line, "\"bad \xEF\xBF\xBD target\""));
	assert_non_null(strstr(line, "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\u0000\\u001b[31m\\r"));
	assert_non_null(strstr(line, "\\u007f\\u009b\\\"\\\\\\u2028\\u202e"));
	o = json_loads(line, JSON_ALLOW_NUL, NULL);
	assert_non_null(o);
	json_decref(o);
	free(line);
	buf_fini(&octets);
	fake_free(r);
}

static void tls(void **state)
{
	static const char *const keys[] = {"cipher",    "verified",  "dane",  "subject", "issuer",
					   "not_after", "days_left", "names", "version"};
	struct result *r = fake_target("example.com", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 10, "mx.example.com", "192.0.2.1");
	struct tls_facts *facts = fake_tls(c, "TLSv1.3");
	json_t *o, *t;

	(void)state;
	facts->cipher = xstrdup("TLS_AES_256_GCM_SHA384");
	facts->subject = xstrdup("CN=mx.example.com");
	facts->issuer = xstrdup("CN=CA");
	facts->not_after = 1795278717 + 10 * 86400; /* 181 ms less than ten days */
	facts->names = xcalloc(1, sizeof *facts->names);
	facts->names[facts->n_names++] = xstrdup("mx.example.com");
	facts->verified = true;

	c = fake_endpoint(r, 20, "mx2.example.com", "192.0.2.2");
	fake_end(c, CLASS_BROKEN, REASON_TLS, PHASE_TLS, END_TLS, 1000);
	fake_tls(c, NULL)->error = xstrdup("wrong version number");

	c = fake_endpoint(r, 30, "mx3.example.com", "192.0.2.3");
	facts = fake_tls(c, NULL); /* went on in plaintext, and all was well */
	facts->error = xstrdup("no shared cipher");

	c = fake_endpoint(r, 40, "mx4.example.com", "192.0.2.4");
	facts = fake_tls(c, "TLSv1.2");
	facts->not_after = 1795278717 - 60;
	facts->dane = 0;
	fake_finish(r);

	o = object_of(r, false);
	t = json_object_get(endpoint(o, 0), "tls");
	assert_text(t, "version", "TLSv1.3");
	assert_text(t, "cipher", "TLS_AES_256_GCM_SHA384");
	assert_true(json_is_true(json_object_get(t, "verified")));
	assert_text(t, "dane", NULL);
	assert_text(t, "subject", "CN=mx.example.com");
	assert_text(t, "issuer", "CN=CA");
	assert_text(t, "not_after", "2026-12-01T16:31:57.000Z");
	assert_int_equal(json_integer_value(json_object_get(t, "days_left")), 9);
	assert_int_equal(json_array_size(json_object_get(t, "names")), 1);
	assert_text(t, "error", NULL);

	t = json_object_get(endpoint(o, 1), "tls");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_text(t, keys[i], NULL);
	assert_text(t, "error", "wrong version number");
	assert_text(endpoint(o, 1), "error", "wrong version number");

	assert_text(json_object_get(endpoint(o, 2), "tls"), "error", "no shared cipher");
	assert_text(endpoint(o, 2), "error", NULL);

	t = json_object_get(endpoint(o, 3), "tls");
	assert_int_equal(json_integer_value(json_object_get(t, "days_left")), -1);
	assert_true(json_is_false(json_object_get(t, "dane")));
	json_decref(o);
	fake_free(r);
}

static void advice_where_it_is_asked_for(void **state)
{
	struct result *r = fake_msn();
	json_t *o = object_of(r, true);

	(void)state;
	assert_null(json_object_get(endpoint(o, 0), "advice"));
	assert_text(endpoint(o, 14), "advice", advice_text(CLASS_TIMEOUT, REASON_CONNECT));
	assert_text(endpoint(o, 15), "advice", advice_text(CLASS_EXHAUSTED, REASON_MEMORY));
	json_decref(o);
	o = object_of(r, false);
	assert_null(json_object_get(endpoint(o, 14), "advice"));
	json_decref(o);
	fake_free(r);
}

/* What is nearly certain is not shown as certain, and no number is outside JSON. */
static void numbers(void **state)
{
	struct result *r = fake_msn();
	json_t *delivery, *o;
	char *line;

	(void)state;
	r->delivery.first_try = 1 - 1e-9;
	r->delivery.senders[0].accepted = 1e-9;
	r->delivery.senders[0].seconds = 1.23456;
	r->delivery.senders[1].accepted = 2.0 / 3;
	r->delivery.senders[1].seconds = NAN;
	r->elapsed = 3600000000LL * 1000 + 1;
	line = line_of(r, false);
	assert_non_null(strstr(line, "\"accepted\":0.666667,\"seconds\":null"));
	assert_non_null(strstr(line, "\"seconds\":1.235}"));
	assert_non_null(strstr(line, "\"elapsed_ms\":3600000000.001,"));
	free(line);
	o = object_of(r, false);
	delivery = json_object_get(o, "delivery");
	assert_true(json_real_value(json_object_get(delivery, "first_try")) < 1);
	assert_true(
	    json_real_value(json_object_get(
		json_object_get(json_object_get(delivery, "senders"), "postfix"), "accepted")) > 0);
	json_decref(o);
	fake_free(r);
}

/* What the history says stands there with --history only, whether or not it knows anything. */
static void past_where_it_is_kept(void **state)
{
	static const struct past_class classes[] = {{CLASS_TIMEOUT, 1795278717181}, {-1, -1}};
	struct past past = {VERDICT_FAILING, true, 1795278717181, classes};
	struct result *r = fake_target("example.org", SOURCE_MX);
	json_t *o;

	(void)state;
	(void)fake_endpoint(r, 10, "mx.example.org", "192.0.2.1");
	(void)fake_endpoint(r, 10, "mx.example.org", "192.0.2.2");
	fake_finish(r);
	o = object_of(r, false);
	assert_null(json_object_get(o, "changed"));
	assert_null(json_object_get(endpoint(o, 0), "previous_class"));
	json_decref(o);

	r->past = &past;
	o = object_of(r, false);
	assert_text(o, "previous_verdict", "failing");
	assert_true(json_is_true(json_object_get(o, "changed")));
	assert_text(o, "since", "2026-11-21T16:31:57.181Z");
	assert_text(endpoint(o, 0), "previous_class", "timeout");
	assert_text(endpoint(o, 0), "since", "2026-11-21T16:31:57.181Z");
	assert_text(endpoint(o, 1), "previous_class", NULL);
	assert_text(endpoint(o, 1), "since", NULL);
	json_decref(o);

	past = (struct past){.previous_verdict = -1, .since_ms = -1};
	o = object_of(r, false);
	assert_text(o, "previous_verdict", NULL);
	assert_true(json_is_false(json_object_get(o, "changed")));
	assert_text(o, "since", NULL);
	assert_text(endpoint(o, 0), "previous_class", NULL);
	json_decref(o);
	fake_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(example),    cmocka_unit_test(no_target),
	    cmocka_unit_test(unresolved), cmocka_unit_test(literal_has_no_preference),
	    cmocka_unit_test(replies),    cmocka_unit_test(foreign_octets),
	    cmocka_unit_test(tls),        cmocka_unit_test(advice_where_it_is_asked_for),
	    cmocka_unit_test(numbers),    cmocka_unit_test(past_where_it_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "report/prometheus.h"
#include "support/results.h"

#include "base/map.h"
#include "base/text.h"
#include "judge/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *report_on(struct result *const results[], size_t n, bool addresses)
{
	const struct report_conf conf = {.addresses = addresses};
	struct report report;
	char *text;

	report_begin(&report, &report_prometheus, &conf);
	for (size_t i = 0; i < n; i++) {
		report_target(&report, results[i]);
		fake_free(results[i]);
	}
	report_end(&report);
	text = xstrndup(buf_str(&report.out), report.out.len);
	assert_int_equal(strlen(text), report.out.len);
	report_fini(&report);
	return text;
}

static const char *name_end(const char *s)
{
	assert_true((*s >= 'a' && *s <= 'z') || *s == '_');
	return s + strspn(s, "abcdefghijklmnopqrstuvwxyz_");
}

/* A checker of the exposition format, as strict as its description: families whole and once, HELP
 * and TYPE before their samples, label values escaped, numbers without exponent, no series twice.
 * Returns the number of samples. */
static size_t check_form(const char *text)
{
	struct map series = {0}, families = {0};
	char *family = NULL;
	size_t samples = 0;

	while (*text) {
		const char *end = strchr(text, '\n'), *p;

		assert_non_null(end);
		if (strncmp(text, "# HELP ", 7) == 0) {
			p = name_end(text + 7);
			free(family);
			family = xstrndup(text + 7, (size_t)(p - text - 7));
			assert_int_equal(*p, ' ');
			assert_true(p + 1 < end);
			assert_null(memchr(p, '\\', (size_t)(end - p)));
			assert_null(map_put(&families, family, strlen(family), &families));
			text = end + 1;
			end = strchr(text, '\n');
			assert_non_null(end);
			assert_int_equal(strncmp(text, "# TYPE ", 7), 0);
			p = name_end(text + 7);
			assert_int_equal((size_t)(p - text - 7), strlen(family));
			assert_int_equal(strncmp(text + 7, family, strlen(family)), 0);
			assert_int_equal(strncmp(p, " gauge\n", 7), 0);
			text = end + 1;
			end = strchr(text, '\n'); /* at least one sample */
			assert_non_null(end);
		}
		p = name_end(text);
		assert_non_null(family);
		assert_int_equal((size_t)(p - text), strlen(family));
		assert_int_equal(strncmp(text, family, strlen(family)), 0);
		if (*p == '{') {
			do {
				p = name_end(p + 1);
				assert_int_equal(p[0], '=');
				assert_int_equal(p[1], '"');
				for (p += 2; *p != '"';) {
					uint32_t cp;
					size_t len = utf8_decode(p, (size_t)(end - p), &cp);

					assert_true(len > 0 && cp >= 0x20);
					if (*p == '\\') {
						assert_true(p[1] == '\\' || p[1] == '"');
						len = 2;
					}
					p += len;
				}
				p++;
			} while (*p == ',');
			assert_int_equal(*p++, '}');
		}
		assert_null(map_put(&series, text, (size_t)(p - text), &series));
		assert_int_equal(*p++, ' ');
		p += *p == '-';
		assert_true(strspn(p, "0123456789.") == (size_t)(end - p) && p < end);
		samples++;
		text = end + 1;
	}
	free(family);
	map_fini(&series);
	map_fini(&families);
	return samples;
}

static void has(const char *text, const char *line)
{
	char *whole = xasprintf("\n%s\n", line);

	if (!strstr(text, whole))
		fail_msg("no line %s in\n%s", line, text);
	free(whole);
}

static void has_not(const char *text, const char *piece)
{
	assert_null(strstr(text, piece));
}

static void test_msn(void **state)
{
	struct result *r = fake_msn();
	char *text;

	(void)state;
	text = report_on(&r, 1, false);
	/* up, verdicts, four hosts of 43 outcomes each, first try, four healthy phases of each
	 * host, DNS, and three of the run */
	assert_int_equal(check_form(text), 1 + 5 + 4 * 43 + 1 + 4 * 4 + 1 + 3);
	has(text, "mxprobe_up{domain=\"msn.com\"} 1");
	has(text, "mxprobe_verdict{domain=\"msn.com\",verdict=\"degraded\"} 1");
	has(text, "mxprobe_verdict{domain=\"msn.com\",verdict=\"healthy\"} 0");
	has(text, "mxprobe_endpoints{domain=\"msn.com\",mx=\"mx1.hotmail.com\",family=\"inet\","
		  "class=\"healthy\",reason=\"ok\"} 4");
	has(text, "mxprobe_endpoints{domain=\"msn.com\",mx=\"mx4.hotmail.com\",family=\"inet\","
		  "class=\"healthy\",reason=\"ok\"} 2");
	has(text, "mxprobe_endpoints{domain=\"msn.com\",mx=\"mx4.hotmail.com\",family=\"inet\","
		  "class=\"exhausted\",reason=\"memory\"} 1");
	has(text, "mxprobe_endpoints{domain=\"msn.com\",mx=\"mx4.hotmail.com\",family=\"inet\","
		  "class=\"timeout\",reason=\"connect\"} 1");
	has(text, "mxprobe_endpoints{domain=\"msn.com\",mx=\"mx4.hotmail.com\",family=\"inet\","
		  "class=\"exhausted\",reason=\"disk\"} 0");
	has(text, "mxprobe_first_try_ratio{domain=\"msn.com\"} 0.875");
	has(text, "mxprobe_phase_duration_seconds{domain=\"msn.com\",mx=\"mx1.hotmail.com\","
		  "family=\"inet\",phase=\"mail\"} 0.06");
	has(text, "mxprobe_dns_duration_seconds{domain=\"msn.com\"} 0.0031");
	has(text, "mxprobe_last_run_timestamp_seconds 1795278727.193");
	has(text, "mxprobe_run_duration_seconds 10.012");
	has_not(text, "65.54");
	has_not(text, "certificate_expiry");
	free(text);
}

static void test_addresses(void **state)
{
	struct result *r = fake_msn();
	char *text;

	(void)state;
	text = report_on(&r, 1, true);
	assert_int_equal(check_form(text), 1 + 5 + 16 * 43 + 1 + 14 * 4 + 1 + 3);
	has(text, "mxprobe_endpoints{domain=\"msn.com\",mx=\"mx4.hotmail.com\",family=\"inet\","
		  "address=\"65.54.245.104\",port=\"25\",class=\"exhausted\",reason=\"memory\"} 1");
	has(text, "mxprobe_endpoints{domain=\"msn.com\",mx=\"mx4.hotmail.com\",family=\"inet\","
		  "address=\"65.54.245.104\",port=\"25\",class=\"healthy\",reason=\"ok\"} 0");
	free(text);
}

/* The same host twice, both families, one without an address: still no series twice. */
static void test_series(void **state)
{
	struct result *r;
	struct contact *c;
	char *text;

	(void)state;
	for (int addresses = 0; addresses < 2; addresses++) {
		r = fake_target("example.net", SOURCE_MX);
		r->port = 2525;
		c = fake_endpoint(r, 10, "mx.example.net", "192.0.2.1");
		c->timing.connect = 70000;
		fake_endpoint(r, 10, "mx.example.net", "2001:db8::1");
		fake_end(fake_endpoint(r, 10, "gone.example.net", NULL), CLASS_UNRESOLVED,
			 REASON_SERVFAIL, PHASE_DNS, END_DNS_SERVFAIL, USEC_NONE);
		fake_endpoint(r, 20, "mx.example.net", "192.0.2.1");
		/* A phase of an unhealthy one does not count. */
		c = fake_endpoint(r, 20, "mx.example.net", "192.0.2.2");
		fake_end(c, CLASS_DOWN, REASON_CLOSED, PHASE_BANNER, END_CLOSED, 5000000);
		fake_finish(r);
		text = report_on(&r, 1, addresses);
		check_form(text);
		has(text, "mxprobe_up{domain=\"example.net:2525\"} 1");
		has(text,
		    "mxprobe_endpoints{domain=\"example.net:2525\",mx=\"gone.example.net\",family="
		    "\"none\",class=\"unresolved\",reason=\"servfail\"} 1");
		if (addresses) {
			has(text, "mxprobe_endpoints{domain=\"example.net:2525\","
				  "mx=\"mx.example.net\",family=\"inet6\",address=\"2001:db8::1\","
				  "port=\"2525\",class=\"healthy\",reason=\"ok\"} 1");
		} else {
			has(text, "mxprobe_endpoints{domain=\"example.net:2525\","
				  "mx=\"mx.example.net\",family=\"inet\",class=\"healthy\","
				  "reason=\"ok\"} 2");
			has(text, "mxprobe_phase_duration_seconds{domain=\"example.net:2525\","
				  "mx=\"mx.example.net\",family=\"inet\",phase=\"connect\"} 0.07");
			has(text, "mxprobe_phase_duration_seconds{domain=\"example.net:2525\","
				  "mx=\"mx.example.net\",family=\"inet\",phase=\"banner\"} 0.05");
		}
		free(text);
	}
}

static void test_certificate(void **state)
{
	struct result *r = fake_target("example.net", SOURCE_MX);
	char *text;

	(void)state;
	fake_tls(fake_endpoint(r, 10, "mx.example.net", "192.0.2.1"), "TLSv1.3")->not_after =
	    1800000000;
	fake_tls(fake_endpoint(r, 10, "mx.example.net", "192.0.2.2"), "TLSv1.3")->not_after =
	    1790000000;
	fake_tls(fake_endpoint(r, 10, "mx.example.net", "192.0.2.3"), NULL)->not_after = 0;
	fake_finish(r);
	text = report_on(&r, 1, false);
	check_form(text);
	has(text, "mxprobe_certificate_expiry_timestamp_seconds{domain=\"example.net\","
		  "mx=\"mx.example.net\",family=\"inet\"} 1790000000");
	free(text);
}

static void test_several_targets(void **state)
{
	struct result *r[6];
	char *text;

	(void)state;
	r[0] = fake_msn();
	r[0]->index = -1; /* the control target */
	r[1] = fake_msn();
	r[2] = fake_msn(); /* asked for again */
	r[3] = fake_target("null.example", SOURCE_NULL_MX);
	fake_finish(r[3]);
	r[4] = fake_target("mute.example", SOURCE_NONE);
	r[4]->status = DNS_TIMEOUT;
	r[4]->started_ms += 5000;
	r[4]->elapsed = 8000000;
	fake_finish(r[4]);
	r[5] = fake_target("mail.example", SOURCE_HOST);
	fake_endpoint(r[5], -1, "mail.example", "192.0.2.1");
	fake_finish(r[5]);
	text = report_on(r, 6, false);
	check_form(text);
	has(text, "mxprobe_up{domain=\"null.example\"} 0");
	has(text, "mxprobe_verdict{domain=\"null.example\",verdict=\"undeliverable\"} 1");
	has(text, "mxprobe_verdict{domain=\"mute.example\",verdict=\"unknown\"} 1");
	has(text, "mxprobe_up{domain=\"[mail.example]\"} 1");
	has(text, "mxprobe_run_duration_seconds 13");
	has_not(text, "mxprobe_first_try_ratio{domain=\"null.example\"}");
	free(text);
}

static void test_hostile_names(void **state)
{
	static const char *const names[] = {
	    "a\"b", "a\\b", "a\nmxprobe_up{domain=\"x\"} 1", "\xFF\xFE", "\x1B[2J", "a{b}", "",
	};
	struct result *r[ARRAY_LEN(names)];
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		r[i] = fake_target(names[i], SOURCE_MX);
		if (i % 2) {
			free((char *)(uintptr_t)r[i]->domain);
			r[i]->domain = NULL;
		}
		fake_endpoint(r[i], 10, names[i], "192.0.2.1");
		fake_finish(r[i]);
	}
	text = report_on(r, ARRAY_LEN(names), true);
	check_form(text);
	has(text, "mxprobe_up{domain=\"a\\\"b\"} 1");
	has(text, "mxprobe_up{domain=\"a\\\\b\"} 1");
	has(text, "mxprobe_up{domain=\"a\\\\x0Amxprobe_up{domain=\\\"x\\\"} 1\"} 1");
	free(text);
}

/* No outcome that the classifier can give is missing from the state sets. */
static void test_state_sets_are_whole(void **state)
{
	struct result *r = fake_target("example.net", SOURCE_MX);
	unsigned long sum = 0;
	char *text;

	(void)state;
	for (size_t i = 0; i < n_rules; i++) {
		struct contact *c = fake_endpoint(r, 10, "mx.example.net", "192.0.2.1");

		c->class = rules[i].class;
		c->reason = rules[i].reason;
	}
	fake_finish(r);
	text = report_on(&r, 1, false);
	check_form(text);
	for (const char *p = text; (p = strstr(p, "\nmxprobe_endpoints{"));) {
		p = strstr(p, "} ") + 2;
		sum += strtoul(p, NULL, 10);
	}
	assert_int_equal(sum, n_rules);
	free(text);
}

static void test_no_targets(void **state)
{
	char *text;

	(void)state;
	text = report_on(NULL, 0, false);
	assert_int_equal(check_form(text), 1);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_msn),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_series),
	    cmocka_unit_test(test_certificate),
	    cmocka_unit_test(test_several_targets),
	    cmocka_unit_test(test_hostile_names),
	    cmocka_unit_test(test_state_sets_are_whole),
	    cmocka_unit_test(test_no_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

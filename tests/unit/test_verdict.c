#include "judge/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 8 };

/* A target with its endpoints, in one piece. */
struct fixture {
	struct result r;
	struct endpoint endpoints[MOST];
	struct contact contacts[MOST];
};

/* One letter an endpoint: Healthy, Exhausted, Part of the sessions healthy, Broken without a
 * session, Skipped, Nxdomain, no Address, Invalid, servFail, Timeout of DNS, seCure TLSA failed. */
static void fill(struct fixture *f, const char *letters)
{
	static const struct {
		char letter;
		enum class class;
		enum reason reason;
		unsigned sessions, healthy;
		uint16_t family;
	} kinds[] = {
	    {'H', CLASS_HEALTHY, REASON_OK, 2, 2, AF_INET},
	    {'E', CLASS_EXHAUSTED, REASON_MEMORY, 1, 0, AF_INET},
	    {'P', CLASS_DEFERRED, REASON_OTHER, 3, 1, AF_INET6},
	    {'B', CLASS_BROKEN, REASON_CERTIFICATE, 0, 0, AF_INET},
	    {'S', CLASS_SKIPPED, REASON_LIMIT, 0, 0, AF_INET},
	    {'N', CLASS_UNRESOLVED, REASON_NXDOMAIN, 0, 0, 0},
	    {'A', CLASS_UNRESOLVED, REASON_NO_ADDRESS, 0, 0, 0},
	    {'I', CLASS_UNRESOLVED, REASON_INVALID, 0, 0, 0},
	    {'F', CLASS_UNRESOLVED, REASON_SERVFAIL, 0, 0, 0},
	    {'T', CLASS_UNRESOLVED, REASON_TIMEOUT, 0, 0, 0},
	    {'C', CLASS_UNRESOLVED, REASON_INVALID, 0, 0, AF_INET},
	};

	*f = (struct fixture){
	    .r = {
		.has_dns = true, .source = SOURCE_MX, .status = DNS_OK, .endpoints = f->endpoints}};
	for (; *letters; letters++) {
		struct contact *c = &f->contacts[f->r.n_endpoints];
		size_t k = 0;

		while (kinds[k].letter != *letters)
			assert_true(++k < ARRAY_LEN(kinds));
		*c = (struct contact){.state = CONTACT_DONE,
				      .class = kinds[k].class,
				      .reason = kinds[k].reason,
				      .sessions = kinds[k].sessions,
				      .healthy_sessions = kinds[k].healthy,
				      .addr.family = kinds[k].family,
				      .timing.total = USEC_NONE};
		assert_true(f->r.n_endpoints < MOST);
		f->endpoints[f->r.n_endpoints++] = (struct endpoint){.contact = c};
	}
	summarize(&f->r);
}

static void test_endpoints(void **state)
{
	static const struct {
		const char *letters;
		enum verdict verdict;
	} rows[] = {
	    {"H", VERDICT_HEALTHY},         {"HH", VERDICT_HEALTHY},
	    {"HS", VERDICT_HEALTHY},        {"SH", VERDICT_HEALTHY},
	    {"HE", VERDICT_DEGRADED},       {"EH", VERDICT_DEGRADED},
	    {"HP", VERDICT_DEGRADED},       {"P", VERDICT_DEGRADED},
	    {"PP", VERDICT_DEGRADED},       {"PE", VERDICT_DEGRADED},
	    {"PS", VERDICT_DEGRADED},       {"PN", VERDICT_DEGRADED},
	    {"HN", VERDICT_DEGRADED},       {"HA", VERDICT_DEGRADED},
	    {"HF", VERDICT_DEGRADED},       {"HFS", VERDICT_DEGRADED},
	    {"HB", VERDICT_DEGRADED},       {"HES", VERDICT_DEGRADED},
	    {"E", VERDICT_FAILING},         {"EE", VERDICT_FAILING},
	    {"ES", VERDICT_FAILING},        {"EN", VERDICT_FAILING},
	    {"EF", VERDICT_FAILING},        {"B", VERDICT_FAILING},
	    {"BB", VERDICT_FAILING},        {"BS", VERDICT_FAILING},
	    {"BF", VERDICT_FAILING},        {"N", VERDICT_UNDELIVERABLE},
	    {"A", VERDICT_UNDELIVERABLE},   {"I", VERDICT_UNDELIVERABLE},
	    {"NAI", VERDICT_UNDELIVERABLE}, {"F", VERDICT_UNKNOWN},
	    {"T", VERDICT_UNKNOWN},         {"NF", VERDICT_UNKNOWN},
	    {"AIT", VERDICT_UNKNOWN},       {"C", VERDICT_UNKNOWN},
	    {"NC", VERDICT_UNKNOWN},        {"S", VERDICT_UNKNOWN},
	    {"SS", VERDICT_UNKNOWN},        {"SN", VERDICT_UNKNOWN},
	    {"NS", VERDICT_UNKNOWN},        {"FS", VERDICT_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f;

		fill(&f, rows[i].letters);
		if (verdict_of(&f.r) != rows[i].verdict)
			fail_msg("%s: %s", rows[i].letters, verdict_name(verdict_of(&f.r)));
	}
}

static void test_no_endpoints(void **state)
{
	static const struct {
		enum dns_source source;
		enum dns_status status;
		enum verdict verdict;
	} rows[] = {
	    {SOURCE_NULL_MX, DNS_OK, VERDICT_UNDELIVERABLE},
	    {SOURCE_NONE, DNS_NXDOMAIN, VERDICT_UNDELIVERABLE},
	    {SOURCE_NONE, DNS_INVALID, VERDICT_UNDELIVERABLE},
	    {SOURCE_IMPLICIT, DNS_NO_ADDRESS, VERDICT_UNDELIVERABLE},
	    {SOURCE_NONE, DNS_SERVFAIL, VERDICT_UNKNOWN},
	    {SOURCE_NONE, DNS_TIMEOUT, VERDICT_UNKNOWN},
	    {SOURCE_NONE, DNS_OK, VERDICT_UNKNOWN}, /* ended before DNS did */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture f;

		fill(&f, "");
		f.r.source = rows[i].source;
		f.r.status = rows[i].status;
		assert_int_equal(verdict_of(&f.r), rows[i].verdict);
	}
}

static void test_error_is_unknown(void **state)
{
	struct fixture f;

	(void)state;
	fill(&f, "H");
	f.r.error_code = "control-failed";
	assert_int_equal(verdict_of(&f.r), VERDICT_UNKNOWN);
	fill(&f, "");
	f.r.has_dns = false;
	f.r.error_code = "invalid-target";
	assert_int_equal(verdict_of(&f.r), VERDICT_UNKNOWN);
}

static void test_summary(void **state)
{
	struct fixture f;

	(void)state;
	fill(&f, "HEHPSNF");
	assert_int_equal(f.r.summary.endpoints, 7);
	assert_int_equal(f.r.summary.count[CLASS_HEALTHY], 2);
	assert_int_equal(f.r.summary.count[CLASS_EXHAUSTED], 1);
	assert_int_equal(f.r.summary.count[CLASS_DEFERRED], 1);
	assert_int_equal(f.r.summary.count[CLASS_SKIPPED], 1);
	assert_int_equal(f.r.summary.count[CLASS_UNRESOLVED], 2);
	assert_int_equal(f.r.summary.count[CLASS_DOWN], 0);
	assert_true(f.r.summary.slowest == USEC_NONE);

	f.contacts[0].timing.total = 2000;
	f.contacts[1].timing.total =
	    9000; /* exhausted: says nothing of how slow healthy ones are */
	f.contacts[2].timing.total = 5000;
	summarize(&f.r);
	assert_true(f.r.summary.slowest == 5000);
}

static void test_exit_worst(void **state)
{
	static const int order[] = {0, 3, 1, 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (size_t j = 0; j < ARRAY_LEN(order); j++)
			assert_int_equal(exit_worst(order[i], order[j]), order[i > j ? i : j]);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_UNDELIVERABLE), "undeliverable");
	assert_int_equal(verdict_exit(VERDICT_HEALTHY), 0);
	assert_int_equal(verdict_exit(VERDICT_DEGRADED), 1);
	assert_int_equal(verdict_exit(VERDICT_FAILING), 2);
	assert_int_equal(verdict_exit(VERDICT_UNDELIVERABLE), 2);
	assert_int_equal(verdict_exit(VERDICT_UNKNOWN), 3);
	assert_null(dns_source_name(SOURCE_NONE));
	assert_string_equal(dns_source_name(SOURCE_NULL_MX), "null-mx");
	assert_string_equal(dns_source_name(SOURCE_LITERAL), "literal");
	assert_string_equal(dns_status_name(DNS_NO_ADDRESS), "no-address");
	for (int v = 0; v < VERDICTS; v++)
		assert_non_null(verdict_name((enum verdict)v));
	for (int s = 0; s < DNS_STATUSES; s++)
		assert_non_null(dns_status_name((enum dns_status)s));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_endpoints),        cmocka_unit_test(test_no_endpoints),
	    cmocka_unit_test(test_error_is_unknown), cmocka_unit_test(test_summary),
	    cmocka_unit_test(test_exit_worst),       cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

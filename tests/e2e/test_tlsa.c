/* --tls dane (RFC 7672). */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_case(void **state)
{
	(void)state;
	expect_scenario("tlsa");
}

static void says_what_matched(void **state)
{
	struct lab *lab = lab_start("tlsa");
	struct probe *probe =
	    PROBE(lab, "--json", "--tls", "dane", "n5.secure.example", "n14.secure.example",
		  "n18.secure.example", "n20.secure.example", "n28.secure.example");
	const json_t *tls;

	(void)state;
	tls = at(result_of(probe, "n5.secure.example"), "endpoints.0.tls");
	assert_true(json_is_true(at(tls, "dane")));
	assert_true(json_is_false(at(tls, "verified")));
	assert_true(json_is_null(at(tls, "error")));
	tls = at(result_of(probe, "n14.secure.example"), "endpoints.0.tls");
	assert_true(json_is_false(at(tls, "dane")));
	assert_non_null(strstr(text_at(tls, "error"), "DANE"));
	assert_string_equal(text_at(result_of(probe, "n14.secure.example"), "endpoints.0.error"),
			    text_at(tls, "error"));
	/* No record in play: neither true nor false. */
	assert_true(json_is_null(at(result_of(probe, "n18.secure.example"), "endpoints.0.tls")));
	tls = at(result_of(probe, "n20.secure.example"), "endpoints.0.tls");
	assert_true(json_is_null(at(tls, "dane")));
	tls = at(result_of(probe, "n28.secure.example"), "endpoints.0.tls");
	assert_true(json_is_false(at(tls, "dane")));
	assert_non_null(strstr(text_at(tls, "error"), "expired"));
	lab_assert_polite(lab);
	probe_free(probe);
	lab_free(lab);
}

/* Records that cannot be had: the host is not contacted, but its address is known. */
static void records_that_cannot_be_had(void **state)
{
	struct lab *lab = lab_start("tlsa");
	struct probe *probe = PROBE(lab, "--json", "--tls", "dane", "n16.secure.example");
	const json_t *result = result_of(probe, "n16.secure.example");
	const json_t *endpoint = at(result, "endpoints.0");

	(void)state;
	probe_assert_exit(probe, 3);
	assert_schema(result);
	assert_string_equal(text_at(endpoint, "class"), "unresolved");
	assert_string_equal(text_at(endpoint, "reason"), "servfail");
	assert_string_equal(text_at(endpoint, "phase"), "dns");
	assert_string_equal(text_at(endpoint, "address"), "127.11.0.16");
	assert_int_equal(number_at(endpoint, "sessions"), 0);
	assert_true(json_is_null(at(endpoint, "timing.connect_ms")));
	assert_string_equal(text_at(result, "dns.mx.0.status"), "ok");
	assert_string_equal(text_at(result, "dns.mx.0.addresses.0"), "127.11.0.16");
	lab_stop(lab);
	assert_int_equal(lab_sum(lab, "connections"), 0);
	probe_free(probe);
	lab_free(lab);
}

static long tlsa_questions(const struct lab *lab, const char *host)
{
	char name[256];

	(void)snprintf(name, sizeof name, "questions _%s._tcp.%s TLSA udp", lab->port, host);
	return lab_sum(lab, name);
}

/* Who is asked about, and who is not. */
static void questions(void **state)
{
	struct lab *lab = lab_start("tlsa");
	struct probe *probe = PROBE(
	    lab, "--json", "--tls", "dane", "n5.secure.example", "n23.secure.example",
	    "n24.secure.example", "n25.secure.example", "n26.plain.example", "n41.secure.example");

	(void)state;
	lab_assert_polite(lab);
	assert_int_equal(tlsa_questions(lab, "mx.n5.secure.example"), 1);
	/* The end of a secure alias first, and no further once there are records. */
	assert_int_equal(tlsa_questions(lab, "end.n23.secure.example"), 1);
	assert_int_equal(tlsa_questions(lab, "mx.n23.secure.example"), 0);
	assert_int_equal(tlsa_questions(lab, "end.n24.secure.example"), 1);
	assert_int_equal(tlsa_questions(lab, "mx.n24.secure.example"), 1);
	/* An alias that leads out of its zone. */
	assert_int_equal(lab_sum(lab, "questions mx.n25.secure.example CNAME udp"), 1);
	assert_int_equal(tlsa_questions(lab, "mx.n25.secure.example"), 1);
	assert_int_equal(tlsa_questions(lab, "end.n25.plain.example"), 0);
	assert_int_equal(lab_sum(lab, "questions mx.n26.plain.example CNAME udp"), 1);
	assert_int_equal(tlsa_questions(lab, "mx.n26.plain.example"), 0);
	assert_int_equal(tlsa_questions(lab, "end.n26.secure.example"), 0);
	/* An insecure host is never asked about. */
	assert_int_equal(tlsa_questions(lab, "mx.n41.secure.example"), 0);
	assert_int_equal(lab_sum(lab, "questions mx.n41.secure.example CNAME udp"), 0);
	probe_free(probe);
	lab_free(lab);

	/* Nobody is, in other modes. */
	lab = lab_start("tlsa");
	probe = PROBE(lab, "--json", "--tls", "verify", "n5.secure.example");
	lab_assert_polite(lab);
	assert_int_equal(tlsa_questions(lab, "mx.n5.secure.example"), 0);
	probe_free(probe);
	lab_free(lab);
}

/* RFC 7672 8.1: SNI is the name whose records count. */
static void server_name(void **state)
{
	struct lab *lab = lab_start("tlsa");
	struct probe *probe =
	    PROBE(lab, "--json", "--tls", "dane", "n5.secure.example", "n23.secure.example");

	(void)state;
	lab_assert_polite(lab);
	lab_assert_secured(lab, "127.11.0.5", "mx.n5.secure.example");
	lab_assert_secured(lab, "127.11.0.23", "end.n23.secure.example");
	probe_free(probe);
	lab_free(lab);
}

/* dns.authenticated: all of the answers were. */
static void authenticated(void **state)
{
	static const struct {
		const char *target;
		bool authenticated;
	} rows[] = {
	    {"n5.secure.example", true},   {"n23.secure.example", true},
	    {"n25.secure.example", false}, {"n26.plain.example", false},
	    {"n33.secure.example", false}, {"n40.secure.example", false},
	    {"n41.secure.example", false}, {"[mx.n5.secure.example]", true},
	};
	static const char *const modes[] = {"auto", "dane"};

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		struct lab *lab = lab_start("tlsa");

		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct probe *probe =
			    PROBE(lab, "--json", "--tls", modes[m], rows[i].target);

			if (json_is_true(at(probe->results[0], "dns.authenticated")) !=
			    rows[i].authenticated)
				fail_msg("%s in mode %s", rows[i].target, modes[m]);
			probe_free(probe);
		}
		lab_assert_polite(lab);
		lab_free(lab);
	}
}

/* The AD bit of a resolver that is not on loopback counts with --trust-ad only. The lab's is on
 * loopback, so here it can only be shown to do no harm; the checks against real servers show both.
 */
static void trust_ad(void **state)
{
	struct lab *lab = lab_start("tlsa");
	struct probe *probe =
	    PROBE(lab, "--json", "--tls", "dane", "--trust-ad", "n14.secure.example");

	(void)state;
	assert_endpoint(probe->results[0], "127.11.0.14", "broken/certificate", "tls");
	assert_true(json_is_true(at(probe->results[0], "dns.authenticated")));
	probe_free(probe);
	lab_assert_polite(lab);
	lab_free(lab);
}

/* One address under two hosts, of which one has records: each is judged by its own. */
static void one_address_two_hosts(void **state)
{
	struct lab *lab = lab_start_text("rr two.example MX 10 a.two.example\n"
					 "rr two.example MX 20 b.two.example\n"
					 "rr a.two.example A 127.0.63.1\n"
					 "rr b.two.example A 127.0.63.1\n"
					 "smtp 127.0.63.1\n"
					 "    certificate good\n"
					 "tlsa a.two.example 127.0.63.1 3 1 1 wrong\n"
					 "tlsa b.two.example 127.0.63.1 3 1 1\n"
					 "dns * * ad\n");
	struct probe *probe = PROBE(lab, "--json", "--tls", "dane", "two.example");
	const json_t *result = probe->results[0];

	(void)state;
	assert_string_equal(text_at(result, "endpoints.0.host"), "a.two.example");
	assert_string_equal(text_at(result, "endpoints.0.reason"), "certificate");
	assert_string_equal(text_at(result, "endpoints.1.class"), "healthy");
	assert_string_equal(text_at(result, "verdict"), "degraded");
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.0.63.1"), 2);
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_case),  cmocka_unit_test(says_what_matched),
	    cmocka_unit_test(questions),   cmocka_unit_test(records_that_cannot_be_had),
	    cmocka_unit_test(server_name), cmocka_unit_test(authenticated),
	    cmocka_unit_test(trust_ad),    cmocka_unit_test(one_address_two_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From a domain to its hosts, with resolvers that help and resolvers that do not. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void faults(void **state)
{
	(void)state;
	expect_scenario("dns-faults");
}

static void aliases(void **state)
{
	(void)state;
	expect_scenario("cname");
}

static void odd_exchanges(void **state)
{
	(void)state;
	expect_scenario("nullmx");
}

static void names_beyond_ascii(void **state)
{
	(void)state;
	expect_scenario("idn");
}

static void alias_details(void **state)
{
	(void)state;
	struct lab *lab = lab_start("cname");
	struct probe *probe = PROBE(lab, "--json", "mxalias.cname.example", "real.cname.example",
				    "mxloop.cname.example", "implicit.cname.example");
	const json_t *result = result_of(probe, "mxalias.cname.example");
	assert_warning(result, "mx-is-cname", true);
	assert_string_equal(text_at(result, "endpoints.0.host"), "www.cname.example");
	assert_warning(result_of(probe, "real.cname.example"), "mx-is-cname", false);
	result = result_of(probe, "mxloop.cname.example");
	assert_string_equal(text_at(result, "endpoints.0.class"), "unresolved");
	assert_string_equal(text_at(result, "endpoints.0.reason"), "invalid");
	assert_string_equal(text_at(result, "endpoints.0.phase"), "dns");
	assert_true(json_is_null(at(result, "endpoints.0.address")));
	assert_int_equal(number_at(result, "endpoints.0.sessions"), 0);
	assert_string_equal(text_at(result_of(probe, "implicit.cname.example"), "dns.source"),
			    "implicit");
	probe_free(probe);
	lab_free(lab);
}

static void exchange_details(void **state)
{
	(void)state;
	struct lab *lab = lab_start("nullmx");
	struct probe *probe = PROBE(lab, "--json", "null.nullmx.example", "mixed.nullmx.example",
				    "literal.nullmx.example", "implicit.nullmx.example",
				    "nothing.nullmx.example", "twice.nullmx.example");
	const json_t *result = result_of(probe, "null.nullmx.example");
	assert_string_equal(text_at(result, "dns.source"), "null-mx");
	assert_int_equal(json_array_size(at(result, "endpoints")), 0);
	assert_true(json_is_null(at(result, "delivery.first_try")));
	result = result_of(probe, "mixed.nullmx.example");
	assert_warning(result, "null-mx-mixed", true);
	assert_int_equal(json_array_size(at(result, "endpoints")), 1);
	result = result_of(probe, "literal.nullmx.example");
	assert_warning(result, "mx-is-address", true);
	assert_string_equal(text_at(result, "endpoints.0.class"), "unresolved");
	assert_string_equal(text_at(result, "endpoints.0.reason"), "invalid");
	result = result_of(probe, "implicit.nullmx.example");
	assert_string_equal(text_at(result, "dns.source"), "implicit");
	assert_int_equal(number_at(result, "endpoints.0.preference"), 0);
	assert_string_equal(text_at(result, "endpoints.0.host"), "implicit.nullmx.example");
	lab_assert_polite(lab);
	/* The address in an MX is never contacted, nor that of a domain with a null MX. */
	assert_int_equal(lab_sum(lab, "connections 127.7.0.2"), 0);
	assert_int_equal(lab_sum(lab, "questions null.nullmx.example A udp"), 0);
	assert_int_equal(lab_sum(lab, "connections 127.7.0.1"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* The same question for many askers is one question. */
static void asked_once(void **state)
{
	(void)state;
	struct lab *lab = lab_start("dedupe");
	struct probe *probe = PROBE(lab, "--json", "one.dedupe.example", "two.dedupe.example",
				    "three.dedupe.example", "one.dedupe.example");
	assert_int_equal(probe->n_results, 4);
	lab_stop(lab);
	assert_int_equal(lab_sum(lab, "questions a.dedupe.example A udp"), 1);
	assert_int_equal(lab_sum(lab, "questions b.dedupe.example A udp"), 1);
	assert_int_equal(lab_sum(lab, "questions b.dedupe.example AAAA udp"), 1);
	assert_int_equal(lab_sum(lab, "questions one.dedupe.example MX udp"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* Only the wanted family is asked for. */
static void families(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "-4", "good.example");
	probe_assert_exit(probe, 0);
	lab_stop(lab);
	assert_int_equal(lab_sum(lab, "questions mx.good.example A udp"), 1);
	assert_int_equal(lab_sum(lab, "questions mx.good.example AAAA udp"), 0);
	probe_free(probe);
	lab_free(lab);

	lab = lab_start("healthy");
	probe = PROBE(lab, "--json", "-6", "good.example");
	probe_assert_exit(probe, 2);
	assert_string_equal(text_at(probe->results[0], "verdict"), "undeliverable");
	assert_string_equal(text_at(probe->results[0], "endpoints.0.reason"), "no-address");
	lab_stop(lab);
	assert_int_equal(lab_sum(lab, "questions mx.good.example A udp"), 0);
	assert_int_equal(lab_sum(lab, "connections"), 0);
	probe_free(probe);
	lab_free(lab);
}

static void over_tcp(void **state)
{
	(void)state;
	struct lab *lab = lab_start("dns-faults");
	struct probe *probe = PROBE(lab, "--json", "big.faults", "tc.faults");
	probe_assert_exit(probe, 0);
	assert_int_equal(json_array_size(at(result_of(probe, "big.faults"), "dns.mx")), 60);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "questions big.faults MX udp"), 1);
	assert_int_equal(lab_sum(lab, "questions big.faults MX tcp"), 1);
	assert_int_equal(lab_sum(lab, "questions tc.faults MX tcp"), 1);
	/* Sixty hosts on one address: one session. */
	assert_int_equal(lab_sum(lab, "connections 127.5.0.1"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* Asked with EDNS, after FORMERR without. */
static void without_edns(void **state)
{
	(void)state;
	struct lab *lab = lab_start("dns-faults");
	struct probe *probe = PROBE(lab, "edns.faults");
	probe_assert_exit(probe, 0);
	lab_stop(lab);
	assert_int_equal(lab_lines(lab, "question edns.faults MX udp 127.0.0.1 edns=1"), 1);
	assert_int_equal(lab_lines(lab, "question edns.faults MX udp 127.0.0.1 edns=0"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* The next resolver is asked when one is silent, fails, or is not there. */
static void next_resolver(void **state)
{
	(void)state;
	static const char *const bad[] = {"127.0.0.2:@DNSPORT@", "127.0.0.3:@DNSPORT@",
					  "127.0.0.4:@DNSPORT@", "127.0.0.5:@DNSPORT@"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct lab *lab = lab_start("resolvers");
		struct probe_conf conf = {.bare = true};
		struct probe *probe =
		    PROBE_CONF(lab, &conf, "--json", "-p", "@PORT@", "-F", "probe.example.org",
			       "--resolver", bad[i], "--resolver", "@DNS@", "good.resolvers");
		probe_assert_exit(probe, 0);
		lab_assert_polite(lab);
		probe_free(probe);
		lab_free(lab);
	}
}

/* TCP is refused where UDP was truncated: the other resolver has the answer. */
static void refused_tcp(void **state)
{
	(void)state;
	struct lab *lab = lab_start("resolvers");
	struct probe_conf conf = {.bare = true};
	struct probe *probe =
	    PROBE_CONF(lab, &conf, "--json", "-p", "@PORT@", "-F", "probe.example.org",
		       "--resolver", "127.0.0.6:@DNSPORT@", "--resolver", "@DNS@", "big.resolvers");
	probe_assert_exit(probe, 0);
	lab_assert_polite(lab);
	probe_free(probe);
	lab_free(lab);
}

/* The AD bit of a loopback resolver is believed. */
static void authenticated(void **state)
{
	(void)state;
	struct lab *lab = lab_start("resolvers");
	struct probe_conf conf = {.bare = true};
	struct probe *probe = PROBE_CONF(lab, &conf, "--json", "-p", "@PORT@", "--resolver",
					 "127.0.0.7:@DNSPORT@", "good.resolvers");
	assert_true(json_is_true(at(probe->results[0], "dns.authenticated")));
	probe_free(probe);
	probe = PROBE(lab, "--json", "good.resolvers");
	assert_true(json_is_false(at(probe->results[0], "dns.authenticated")));
	probe_free(probe);
	lab_free(lab);
}

static void both_families(void **state)
{
	(void)state;
	struct lab *lab = lab_start("ipv6");
	struct probe *probe = PROBE(lab, "--json", "both.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	assert_endpoint(result, "127.14.0.1", "healthy/ok", "mail");
	assert_string_equal(text_at(endpoint_of(result, "127.14.0.1"), "family"), "inet");
	const json_t *six = endpoint_of(result, "::1");
	assert_non_null(six);
	assert_string_equal(text_at(six, "family"), "inet6");
	/* A machine without IPv6 has no statement to make about that address. */
	if (strcmp(text_at(six, "class"), "skipped") == 0)
		assert_string_equal(text_at(six, "reason"), "no-route");
	else
		assert_endpoint(result, "::1", "healthy/ok", "mail");
	probe_assert_exit(probe, 0);
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults),        cmocka_unit_test(aliases),
	    cmocka_unit_test(odd_exchanges), cmocka_unit_test(names_beyond_ascii),
	    cmocka_unit_test(alias_details), cmocka_unit_test(exchange_details),
	    cmocka_unit_test(asked_once),    cmocka_unit_test(families),
	    cmocka_unit_test(over_tcp),      cmocka_unit_test(without_edns),
	    cmocka_unit_test(next_resolver), cmocka_unit_test(refused_tcp),
	    cmocka_unit_test(authenticated), cmocka_unit_test(both_families),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

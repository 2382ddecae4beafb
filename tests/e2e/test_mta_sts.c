/* --mta-sts, as far as a lab goes: policies themselves are on port 443, and so with the checks
 * against real servers. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char world[] = "rr mx.sts.example A 127.0.66.1\n"
			    "smtp 127.0.66.1\n"
			    "    certificate self-signed\n"
			    "rr none.sts.example MX 10 mx.sts.example\n"
			    "rr other.sts.example MX 10 mx.sts.example\n"
			    "rr _mta-sts.other.sts.example TXT \"v=spf1 -all\"\n"
			    "rr broken.sts.example MX 10 mx.sts.example\n"
			    "rr _mta-sts.broken.sts.example TXT \"v=STSv1; id=a-b;\"\n"
			    "rr two.sts.example MX 10 mx.sts.example\n"
			    "rr _mta-sts.two.sts.example TXT \"v=STSv1; id=1;\"\n"
			    "rr _mta-sts.two.sts.example TXT \"v=STSv1; id=2;\"\n"
			    "rr failed.sts.example MX 10 mx.sts.example\n"
			    "dns _mta-sts.failed.sts.example TXT servfail\n"
			    "rr lost.sts.example MX 10 mx.sts.example\n"
			    "rr _mta-sts.lost.sts.example TXT \"v=STSv1; id=1;\"\n"
			    "dns mta-sts.lost.sts.example * nxdomain\n"
			    "rr near.sts.example MX 10 mx.sts.example\n"
			    "rr _mta-sts.near.sts.example TXT \"v=STSv1; id=1;\"\n"
			    "rr mta-sts.near.sts.example A 127.0.66.2\n";

static bool has_curl(const struct lab *lab)
{
	struct probe *probe = PROBE(lab, "--mta-sts", "--version");
	bool there = probe->status == 0;

	probe_free(probe);
	return there;
}

/* Built without libcurl the option says so; else it is taken. */
static void library(void **state)
{
	struct lab *lab = lab_start_text(world);
	struct probe *probe = PROBE(lab, "--mta-sts", "none.sts.example");

	(void)state;
	if (!has_curl(lab)) {
		probe_assert_exit(probe, 3);
		assert_non_null(strstr(probe->err, "--mta-sts: needs libcurl"));
	} else {
		probe_assert_exit(probe, 0);
	}
	probe_free(probe);
	lab_free(lab);
}

/* A policy that cannot be had is warned about, and mail goes as ever: the certificate does not
 * matter. */
static void no_policy(void **state)
{
	static const struct {
		const char *target, *id, *words; /* words NULL: nothing is wrong */
		bool public_only;
	} rows[] = {
	    {"none.sts.example", NULL, NULL, false},
	    {"other.sts.example", NULL, NULL, false},
	    {"broken.sts.example", NULL, "malformed", false},
	    {"two.sts.example", NULL, "several records", false},
	    {"failed.sts.example", NULL, "cannot be found out", false},
	    {"lost.sts.example", "1", "mta-sts.lost.sts.example has no address", false},
	    {"near.sts.example", "1", "mta-sts.near.sts.example has no public address", true},
	};
	struct lab *lab = lab_start_text(world);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) && has_curl(lab); i++) {
		struct probe *probe =
		    rows[i].public_only
			? PROBE(lab, "--json", "--mta-sts", "--public-only", rows[i].target)
			: PROBE(lab, "--json", "--mta-sts", rows[i].target);
		const json_t *result = result_of(probe, rows[i].target);
		const char *error = json_string_value(at(result, "mta_sts.error")),
			   *id = json_string_value(at(result, "mta_sts.id"));

		assert_schema(result);
		if ((error != NULL) != (rows[i].words != NULL) ||
		    (error && !strstr(error, rows[i].words)))
			fail_msg("%s: %s", rows[i].target, error ? error : "no error");
		assert_int_equal(id != NULL, rows[i].id != NULL);
		if (id)
			assert_string_equal(id, rows[i].id);
		assert_true(json_is_null(at(result, "mta_sts.mode")));
		assert_warning(result, "mta-sts", rows[i].words != NULL);
		assert_string_equal(text_at(result, "verdict"),
				    rows[i].public_only ? "unknown" : "healthy");
		probe_free(probe);
	}
	lab_assert_polite(lab);
	lab_free(lab);
}

/* Nothing is asked without the option, nor about a host or an address: only domains have policies.
 */
static void who_is_asked(void **state)
{
	struct lab *lab = lab_start_text(world);
	struct probe *probe = PROBE(lab, "--json", "two.sts.example");

	(void)state;
	assert_true(json_is_null(at(probe->results[0], "mta_sts")));
	probe_free(probe);
	if (has_curl(lab)) {
		probe = PROBE(lab, "--json", "--mta-sts", "[mx.sts.example]", "127.0.66.1");
		probe_assert_exit(probe, 0);
		assert_true(json_is_null(at(probe->results[0], "mta_sts")));
		assert_true(json_is_null(at(probe->results[1], "mta_sts")));
		probe_free(probe);
	}
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "questions _mta-sts.two.sts.example TXT udp"), 0);
	assert_int_equal(lab_sum(lab, "questions _mta-sts.mx.sts.example TXT udp"), 0);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(library),
	    cmocka_unit_test(no_policy),
	    cmocka_unit_test(who_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How long certificates are still good for, and how they are shown. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORLD                                                   \
	"rr days.example MX 10 mx30.days.example\n"             \
	"rr days.example MX 20 mx10.days.example\n"             \
	"rr mx30.days.example A 127.0.64.30\n"                  \
	"rr mx10.days.example A 127.0.64.10\n"                  \
	"rr mx3.days.example A 127.0.64.3\n"                    \
	"rr old.days.example A 127.0.64.1\n"                    \
	"rr none.days.example A 127.0.64.2\n"                   \
	"smtp 127.0.64.30\n    certificate good\n    days 30\n" \
	"smtp 127.0.64.10\n    certificate good\n    days 10\n" \
	"smtp 127.0.64.3\n    certificate good\n    days 3\n"   \
	"smtp 127.0.64.1\n    certificate expired\n"            \
	"smtp 127.0.64.2\n"

/* The message of the first warning with that code, or NULL. */
static const char *warning_of(const json_t *result, const char *code)
{
	size_t i;
	json_t *warning;

	json_array_foreach(json_object_get(result, "warnings"), i, warning)
	{
		if (strcmp(text_at(warning, "code"), code) == 0)
			return text_at(warning, "message");
	}
	return NULL;
}

/* Within 14 days, or those of -D; in every mode in which TLS happened; never the verdict's matter.
 */
static void expiring_warning(void **state)
{
	static const struct {
		const char *days;           /* NULL: no -D */
		const char *target, *words; /* NULL: no warning */
	} rows[] = {
	    {NULL, "days.example",
	     "mx10.days.example[127.0.64.10]: the certificate expires in 10 days"},
	    {NULL, "[mx30.days.example]", NULL},
	    {"31", "[mx30.days.example]", "expires in 30 days"},
	    {"30", "[mx30.days.example]", NULL},
	    {"10", "[mx10.days.example]", NULL},
	    {"11,5", "[mx10.days.example]", "expires in 10 days"},
	    {"1", "[old.days.example]", "has expired"},
	    {"100", "[none.days.example]", NULL},
	};
	static const char *const modes[] = {"auto", "require", "verify", "dane"};
	struct lab *lab = lab_start_text(WORLD);

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(modes); m++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct probe *probe =
			    rows[i].days ? PROBE(lab, "--json", "--tls", modes[m], "-D",
						 rows[i].days, rows[i].target)
					 : PROBE(lab, "--json", "--tls", modes[m], rows[i].target);
			const char *words = warning_of(probe->results[0], "certificate-expiring");

			if ((words != NULL) != (rows[i].words != NULL) ||
			    (words && !strstr(words, rows[i].words)))
				fail_msg("%s, %s with %s: %s", modes[m], rows[i].target,
					 rows[i].days ? rows[i].days : "no limit",
					 words ? words : "no warning");
			if (m == 0)
				probe_assert_exit(probe, 0);
			probe_free(probe);
		}
	lab_assert_polite(lab);
	lab_free(lab);
}

/* Without TLS there is nothing to say. */
static void nothing_without_tls(void **state)
{
	struct lab *lab = lab_start_text(WORLD);
	struct probe *probe =
	    PROBE(lab, "--json", "--tls", "off", "-D", "100", "[old.days.example]");

	(void)state;
	probe_assert_exit(probe, 0);
	assert_warning(probe->results[0], "certificate-expiring", false);
	probe_free(probe);
	probe = PROBE(lab, "--nagios", "--tls", "off", "-D", "100,50", "[old.days.example]");
	probe_assert_exit(probe, 0);
	assert_non_null(strstr(probe->out, " cert_days=U"));
	probe_free(probe);
	lab_assert_polite(lab);
	lab_free(lab);
}

/* Plugin mode: the certificate that ends first counts; the worst of verdict and limits wins. */
static void plugin_limits(void **state)
{
	static const struct {
		const char *days, *target, *heading,
		    *text; /* text NULL: the certificate is no matter */
		int exit;
	} rows[] = {
	    {"20,5", "days.example", "MXPROBE WARNING", "mx10.days.example", 1},
	    {"20,11", "days.example", "MXPROBE CRITICAL", "is good for 10 days", 2},
	    {"10,5", "days.example", "MXPROBE OK", NULL, 0},
	    {"11", "days.example", "MXPROBE WARNING", "is good for 10 days", 1},
	    {"4", "[mx3.days.example]", "MXPROBE WARNING", "is good for 3 days", 1},
	    {"3", "[mx3.days.example]", "MXPROBE OK", NULL, 0},
	    {"1,0", "[old.days.example]", "MXPROBE CRITICAL", "has expired", 2},
	};
	struct lab *lab = lab_start_text(WORLD);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct probe *probe = PROBE(lab, "--nagios", "-D", rows[i].days, rows[i].target);

		if (strncmp(probe->out, rows[i].heading, strlen(rows[i].heading)) != 0 ||
		    (rows[i].text && !strstr(probe->out, rows[i].text)) ||
		    (strstr(probe->out, "certificate of") != NULL) != (rows[i].text != NULL))
			fail_msg("-D %s %s: %s", rows[i].days, rows[i].target, probe->out);
		probe_assert_exit(probe, rows[i].exit);
		assert_non_null(strstr(probe->out, " cert_days="));
		probe_free(probe);
	}
	lab_assert_polite(lab);
	lab_free(lab);
}

static void plugin_perfdata(void **state)
{
	struct lab *lab = lab_start_text(WORLD);
	struct probe *probe = PROBE(lab, "--nagios", "-D", "20,5", "days.example");

	(void)state;
	assert_non_null(strstr(probe->out, " cert_days=10;20:;5:"));
	probe_free(probe);
	/* Without -D the certificate is neither judged nor counted. */
	probe = PROBE(lab, "--nagios", "[old.days.example]");
	probe_assert_exit(probe, 0);
	assert_null(strstr(probe->out, "cert_days"));
	probe_free(probe);
	lab_assert_polite(lab);
	lab_free(lab);
}

/* The words behind `address` in the table's line of it. */
static const char *row_of(const struct probe *probe, const char *address)
{
	static char row[512];
	const char *at = strstr(probe->out, address);

	if (!at)
		fail_msg("no %s in %s", address, probe->out);
	(void)snprintf(row, sizeof row, "%.*s", (int)strcspn(at, "\n"), at);
	return row;
}

/* The TLS column is there when TLS happened, and says what is wrong with a certificate whether or
 * not the mode minds. */
static void table_column(void **state)
{
	static const char *const wide[] = {"COLUMNS=200", NULL};
	struct probe_conf conf = {.env = wide};
	static const struct {
		const char *address, *verify, *automatic;
	} rows[] = {
	    {"127.9.0.1 ", " 1.3 ", " 1.3 "},
	    {"127.9.0.2 ", " 1.3!expired ", " 1.3!expired "},
	    {"127.9.0.3 ", " 1.3!not yet valid ", " 1.3 "},
	    {"127.9.0.4 ", " 1.3!wrong name ", " 1.3 "},
	    {"127.9.0.5 ", " 1.3!untrusted ", " 1.3 "},
	    {"127.9.0.6 ", " 1.3!untrusted ", " 1.3 "},
	    {"127.9.0.15 ", NULL, " 1.0 "},
	};
	struct lab *lab = lab_start("faults");
	struct probe *verify = PROBE_CONF(lab, &conf, "--tls", "verify", "faults.example");
	struct probe *automatic = PROBE_CONF(lab, &conf, "faults.example");
	struct probe *off = PROBE_CONF(lab, &conf, "--tls", "off", "faults.example");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char padded[600];

		/* The row's end counts as a blank. */
		(void)snprintf(padded, sizeof padded, "%s ", row_of(automatic, rows[i].address));
		if (!strstr(padded, rows[i].automatic))
			fail_msg("auto: %s", padded);
		(void)snprintf(padded, sizeof padded, "%s ", row_of(verify, rows[i].address));
		if (rows[i].verify && !strstr(padded, rows[i].verify))
			fail_msg("verify: %s", padded);
	}
	assert_non_null(strstr(verify->out, " TLS "));
	assert_null(strstr(off->out, "TLS"));
	probe_free(off);
	probe_free(automatic);
	probe_free(verify);
	lab_assert_polite(lab);
	lab_free(lab);

	lab = lab_start("tlsa");
	verify = PROBE_CONF(lab, &conf, "--tls", "dane", "n14.secure.example", "n5.secure.example");
	assert_non_null(strstr(row_of(verify, "127.11.0.14 "), " 1.3!TLSA mismatch "));
	assert_null(strstr(row_of(verify, "127.11.0.5 "), "1.3!"));
	probe_free(verify);
	lab_assert_polite(lab);
	lab_free(lab);
}

/* -v: the chain as the server sent it, leaf first. */
static void chain(void **state)
{
	struct lab *lab = lab_start("faults");
	struct probe *probe = PROBE(lab, "-v", "[mx1.faults.example]");
	const char *leaf, *issuer;

	(void)state;
	leaf =
	    strstr(probe->err, "certificate 0: CN=mx1.faults.example, issued by CN=mxprobe lab CA, "
			       "good until 2");
	issuer =
	    strstr(probe->err,
		   "certificate 1: CN=mxprobe lab CA, issued by CN=mxprobe lab CA, good until ");
	if (!leaf || !issuer || leaf > issuer)
		fail_msg("%s", probe->err);
	assert_non_null(strstr(probe->err, "* TLSv1.3, TLS_"));
	probe_free(probe);
	probe = PROBE(lab, "[mx1.faults.example]");
	assert_null(strstr(probe->err, "certificate 0"));
	probe_free(probe);
	lab_assert_polite(lab);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(expiring_warning), cmocka_unit_test(nothing_without_tls),
	    cmocka_unit_test(plugin_limits),    cmocka_unit_test(plugin_perfdata),
	    cmocka_unit_test(table_column),     cmocka_unit_test(chain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

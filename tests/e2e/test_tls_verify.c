/* --tls verify; each fault of STARTTLS and of certificates in the modes auto, require and verify.
 */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void faults_in_auto(void **state)
{
	(void)state;
	expect_scenario("faults-auto");
}

static void faults_in_require(void **state)
{
	(void)state;
	expect_scenario("faults-require");
}

static void faults_in_verify(void **state)
{
	(void)state;
	expect_scenario("faults-verify");
}

/* What the endpoint, or else its TLS, says of the fault; "" for none. */
static const char *words_of(const json_t *endpoint)
{
	const char *words = json_string_value(at(endpoint, "error"));

	if (!words)
		words = json_string_value(at(endpoint, "tls.error"));
	if (!words)
		words = json_string_value(at(endpoint, "reply.lines.0"));
	return words ? words : "";
}

static void assert_words(const json_t *result, int host, const char *words)
{
	char address[32];

	(void)snprintf(address, sizeof address, "127.9.0.%d", host);
	if (!strstr(words_of(endpoint_of(result, address)), words))
		fail_msg("%s says \"%s\", not \"%s\"", address,
			 words_of(endpoint_of(result, address)), words);
}

/* No two faults look the same, in any mode. */
static void faults_are_told_apart(void **state)
{
	static const struct {
		const char *words;
		int host;
		bool only_verify; /* a fault only for who verifies */
	} rows[] = {
	    {"certificate has expired", 2, true},
	    {"certificate is not yet valid", 3, true},
	    {"hostname mismatch", 4, true},
	    {"self-signed certificate", 5, true},
	    {"in certificate chain", 6, true},
	    {"not TLS", 10, false},
	    {"TLS alert: handshake failure", 11, false},
	    {"TLS alert: protocol version", 12, false},
	    {"closed in the TLS handshake", 13, false},
	    {"plaintext follows the reply to STARTTLS", 14, false},
	};
	static const char *const modes[] = {"auto", "require", "verify"};

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		struct lab *lab = lab_start("faults");
		struct probe *probe = PROBE(lab, "--json", "--tls", modes[m], "faults.example");
		const json_t *result = result_of(probe, "faults.example");
		bool verify = strcmp(modes[m], "verify") == 0;

		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (verify || !rows[i].only_verify)
				assert_words(result, rows[i].host, rows[i].words);
		if (strcmp(modes[m], "auto") != 0) {
			assert_words(result, 7, "not offered");
			assert_words(result, 8, "TLS not available");
			assert_words(result, 9, "STARTTLS was refused");
		}
		assert_warning(result, "tls-fallback", strcmp(modes[m], "auto") == 0);
		lab_assert_polite(lab);
		probe_free(probe);
		lab_free(lab);
	}
}

/* The tls object: verified only when it was asked for; names and dates in every mode. */
static void tls_object(void **state)
{
	static const char *const modes[] = {"auto", "require", "verify", "dane"};

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		struct lab *lab = lab_start("faults");
		struct probe *probe = PROBE(lab, "--json", "--tls", modes[m], "faults.example");
		const json_t *result = result_of(probe, "faults.example");
		bool verify = strcmp(modes[m], "verify") == 0;

		for (int host = 1; host <= 6; host++) {
			char address[32], name[64];
			const json_t *tls;

			(void)snprintf(address, sizeof address, "127.9.0.%d", host);
			(void)snprintf(name, sizeof name, "mx%d.faults.example", host);
			tls = at(endpoint_of(result, address), "tls");
			assert_string_equal(text_at(tls, "version"), "TLSv1.3");
			assert_true(json_is_string(at(tls, "cipher")));
			assert_true(json_is_null(at(tls, "dane")));
			assert_string_equal(text_at(tls, "names.0"),
					    host == 4 ? "somebody.else.example" : name);
			assert_non_null(strstr(text_at(tls, "subject"), "CN="));
			if (host == 2)
				assert_true(number_at(tls, "days_left") < 0);
			else
				assert_int_equal(number_at(tls, "days_left"), 90);
			assert_int_equal(strlen(text_at(tls, "not_after")),
					 strlen("2026-11-21T16:31:57.181Z"));
			assert_int_equal(json_is_true(at(tls, "verified")), verify && host == 1);
			assert_int_equal(json_is_string(at(tls, "error")), verify && host != 1);
		}
		assert_string_equal(text_at(endpoint_of(result, "127.9.0.18"), "tls.names.1"),
				    "mx18.faults.example");
		assert_warning(result, "certificate-expiring", true);
		lab_assert_polite(lab);
		probe_free(probe);
		lab_free(lab);
	}
}

/* The trust store is what SSL_CERT_FILE and SSL_CERT_DIR name; without the lab's CA nothing is
 * trusted. */
static void trust_store(void **state)
{
	static const char *const nothing[] = {"SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/nowhere",
					      NULL};
	struct probe_conf conf = {.env = nothing};
	struct lab *lab = lab_start("faults");
	struct probe *probe =
	    PROBE_CONF(lab, &conf, "--json", "--tls", "verify", "[mx1.faults.example]");

	(void)state;
	probe_assert_exit(probe, 2);
	assert_endpoint(probe->results[0], "127.9.0.1", "broken/certificate", "tls");
	assert_true(json_is_false(at(probe->results[0], "endpoints.0.tls.verified")));
	probe_free(probe);
	probe = PROBE(lab, "--json", "--tls", "verify", "[mx1.faults.example]");
	probe_assert_exit(probe, 0);
	assert_true(json_is_true(at(probe->results[0], "endpoints.0.tls.verified")));
	probe_free(probe);
	lab_assert_polite(lab);
	lab_free(lab);
}

/* A store that is there and cannot be read is no fault of a server's. */
static void unreadable_trust_store(void **state)
{
	char *path = test_path(".pem"), *env = xasprintf("SSL_CERT_FILE=%s", path);
	const struct probe_conf conf = {.env = (const char *const[]){env, NULL},
					.uid = lesser_user()};
	char *said = xasprintf("mxprobe: %s: Permission denied\n", path);
	struct lab *lab = lab_start("faults");
	struct probe *probe;

	(void)state;
	write_whole(path, "");
	assert_int_equal(chmod(path, 0), 0);
	probe = PROBE_CONF(lab, &conf, "--json", "--tls", "verify", "[mx1.faults.example]");
	probe_assert_exit(probe, 3);
	/* Where coverage is counted, that cannot write either, and says so behind it. */
	assert_int_equal(strncmp(probe->err, said, strlen(said)), 0);
	assert_int_equal(probe->out_len, 0);
	probe_free(probe);
	lab_free(lab);
	(void)unlink(path);
	free(path);
	free(env);
	free(said);
}

/* A literal is looked for in the certificate as an address; a name in it does not help. */
static void literals(void **state)
{
	struct lab *lab = lab_start_text("smtp 127.0.61.1\n"
					 "    certificate good IP:127.0.61.1\n"
					 "smtp 127.0.61.2\n"
					 "    certificate good IP:127.0.61.1\n"
					 "smtp 127.0.61.3\n"
					 "    certificate good mx.example,IP:127.0.61.3\n"
					 "smtp 127.0.61.4\n"
					 "    certificate good 127.0.61.4\n");
	struct probe *probe = PROBE(lab, "--json", "--tls", "verify", "127.0.61.1", "[127.0.61.2]",
				    "[127.0.61.3]", "127.0.61.4");

	(void)state;
	assert_endpoint(result_of(probe, "127.0.61.1"), "127.0.61.1", "healthy/ok", "mail");
	assert_endpoint(result_of(probe, "[127.0.61.2]"), "127.0.61.2", "broken/certificate",
			"tls");
	assert_non_null(
	    strstr(text_at(result_of(probe, "[127.0.61.2]"), "endpoints.0.error"), "IP address"));
	assert_endpoint(result_of(probe, "[127.0.61.3]"), "127.0.61.3", "healthy/ok", "mail");
	assert_endpoint(result_of(probe, "127.0.61.4"), "127.0.61.4", "broken/certificate", "tls");
	lab_assert_polite(lab);
	probe_free(probe);
	lab_free(lab);
}

/* One address under two names is two contacts where names matter, else one. */
static void one_address_two_names(void **state)
{
	static const char world[] = "rr two.example MX 10 a.two.example\n"
				    "rr two.example MX 20 b.two.example\n"
				    "rr again.example MX 10 a.two.example\n"
				    "rr a.two.example A 127.0.62.1\n"
				    "rr b.two.example A 127.0.62.1\n"
				    "smtp 127.0.62.1\n"
				    "    certificate good a.two.example\n";
	static const struct {
		const char *mode, *second;
		long connections;
	} rows[] = {
	    {"off", "healthy/ok", 1},
	    {"auto", "healthy/ok", 1},
	    {"require", "healthy/ok", 1},
	    {"dane", "healthy/ok", 2},
	    {"verify", "broken/certificate", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lab *lab = lab_start_text(world);
		struct probe *probe = PROBE(lab, "--json", "--tls", rows[i].mode, "two.example",
					    "again.example", "-n", "1");
		const json_t *result = result_of(probe, "two.example");

		assert_string_equal(text_at(result, "endpoints.0.class"), "healthy");
		assert_string_equal(text_at(result, "endpoints.1.host"), "b.two.example");
		assert_int_equal(strncmp(rows[i].second, text_at(result, "endpoints.1.class"),
					 strcspn(rows[i].second, "/")),
				 0);
		assert_string_equal(text_at(result_of(probe, "again.example"), "verdict"),
				    "healthy");
		lab_assert_polite(lab);
		assert_int_equal(lab_sum(lab, "connections 127.0.62.1"), rows[i].connections);
		probe_free(probe);
		lab_free(lab);
	}
}

/* After a certificate that will not do the session still ends as it should: QUIT, close_notify; the
 * polite lab says so. Nothing is asked of such a server. */
static void ends_politely(void **state)
{
	struct lab *lab = lab_start("faults");
	struct probe *probe = PROBE(lab, "--json", "--tls", "verify", "[mx2.faults.example]");

	(void)state;
	assert_endpoint(probe->results[0], "127.9.0.2", "broken/certificate", "tls");
	lab_assert_polite(lab);
	assert_int_equal(lab_lines(lab, "secured 127.9.0.2 1 "), 1);
	assert_int_equal(lab_lines(lab, "command 127.9.0.2 1 EHLO"), 1);
	assert_int_equal(lab_lines(lab, "command 127.9.0.2 1 MAIL"), 0);
	assert_int_equal(lab_lines(lab, "command 127.9.0.2 1 QUIT"), 1);
	probe_free(probe);
	lab_free(lab);
}

/* An injection is never taken for a reply, whatever the mode, and gets no second connection. */
static void injection(void **state)
{
	static const char *const modes[] = {"auto", "require", "verify", "dane"};

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
		struct lab *lab = lab_start("faults");
		struct probe *probe =
		    PROBE(lab, "--json", "--tls", modes[m], "[mx14.faults.example]");
		const json_t *endpoint = endpoint_of(probe->results[0], "127.9.0.14");

		assert_endpoint(probe->results[0], "127.9.0.14", "broken/tls", "tls");
		assert_int_equal(number_at(endpoint, "reply.code"), 220);
		assert_string_equal(text_at(endpoint, "reply.lines.0"), "Go ahead");
		lab_stop(lab);
		assert_int_equal(lab_sum(lab, "connections"), 1);
		assert_int_equal(lab_lines(lab, "secured "), 0);
		probe_free(probe);
		lab_free(lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults_in_auto),
	    cmocka_unit_test(faults_in_require),
	    cmocka_unit_test(faults_in_verify),
	    cmocka_unit_test(faults_are_told_apart),
	    cmocka_unit_test(tls_object),
	    cmocka_unit_test(trust_store),
	    cmocka_unit_test(literals),
	    cmocka_unit_test(one_address_two_names),
	    cmocka_unit_test(ends_politely),
	    cmocka_unit_test(injection),
	    cmocka_unit_test(unreadable_trust_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

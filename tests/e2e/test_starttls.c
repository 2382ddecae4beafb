/* STARTTLS in the modes off, auto and require. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void mode_auto(void **state)
{
	(void)state;
	expect_scenario("tls-auto");
}

static void mode_off(void **state)
{
	(void)state;
	expect_scenario("tls-off");
}

static void mode_require(void **state)
{
	(void)state;
	expect_scenario("tls-require");
}

static void mode_verify(void **state)
{
	(void)state;
	expect_scenario("tls-verify");
}

static void mode_dane(void **state)
{
	(void)state;
	expect_scenario("dane");
}

static void says_what_it_saw(void **state)
{
	(void)state;
	struct lab *lab = lab_start("tls");
	struct probe *probe = PROBE(lab, "--json", "-t", "6", "tls.example");
	const json_t *result = probe->results[0];

	const json_t *good = endpoint_of(result, "127.4.0.2");
	assert_string_equal(text_at(good, "tls.version"), "TLSv1.3");
	assert_true(json_is_string(at(good, "tls.cipher")));
	assert_true(json_is_null(at(good, "tls.error")));
	assert_int_equal(number_at(good, "tls.days_left"), 90);
	assert_string_equal(text_at(good, "tls.names.0"), "mx-127-4-0-2.lab.example");
	assert_non_null(strstr(text_at(good, "tls.issuer"), "mxprobe lab CA"));
	assert_true(json_is_number(at(good, "timing.starttls_ms")));
	assert_true(json_is_number(at(good, "timing.tls_ms")));

	assert_string_equal(text_at(endpoint_of(result, "127.4.0.8"), "tls.version"), "TLSv1.2");
	assert_string_equal(text_at(endpoint_of(result, "127.4.0.10"), "tls.version"), "TLSv1");
	assert_true(number_at(endpoint_of(result, "127.4.0.3"), "tls.days_left") < 0);
	assert_true(json_is_null(at(endpoint_of(result, "127.4.0.11"), "tls.subject")));

	/* Refused: in plaintext, tls is null. Failed: tls holds only the error. Both warn. */
	assert_true(json_is_null(at(endpoint_of(result, "127.4.0.14"), "tls")));
	const json_t *failed = endpoint_of(result, "127.4.0.19");
	assert_true(json_is_string(at(failed, "tls.error")));
	assert_true(json_is_null(at(failed, "tls.version")));
	assert_int_equal(number_at(failed, "sessions"), 1);
	assert_warning(result, "tls-fallback", true);
	assert_true(json_is_null(at(endpoint_of(result, "127.4.0.1"), "tls")));

	lab_assert_polite(lab);
	/* One connection more after a failed handshake, none after an injection. */
	assert_int_equal(lab_sum(lab, "connections 127.4.0.19"), 2);
	assert_int_equal(lab_sum(lab, "connections 127.4.0.14"), 1);
	assert_int_equal(lab_sum(lab, "connections 127.4.0.26"), 1);
	assert_int_equal(lab_lines(lab, "secured 127.4.0.2 "), 1);
	/* The second one does not try TLS again. */
	assert_int_equal(lab_lines(lab, "command 127.4.0.19 2 STARTTLS"), 0);
	assert_int_equal(lab_lines(lab, "command 127.4.0.19 2 MAIL"), 1);
	probe_free(probe);
	lab_free(lab);
}

static void nothing_without_tls(void **state)
{
	(void)state;
	struct lab *lab = lab_start("tls");
	struct probe *probe = PROBE(lab, "--json", "--tls", "off", "-t", "6", "tls.example");
	assert_warning(probe->results[0], "tls-fallback", false);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections 127.4.0.19"), 1);
	assert_int_equal(lab_lines(lab, "secured "), 0);
	for (int i = 2; i < 39; i++) {
		char command[64];
		(void)snprintf(command, sizeof command, "command 127.4.0.%d 1 STARTTLS", i);
		assert_int_equal(lab_lines(lab, command), 0);
	}
	probe_free(probe);
	lab_free(lab);
}

/* The server's name goes out as SNI (RFC 6066 3), an address never. */
static void server_name(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text("rr sni.example MX 10 mx.sni.example\n"
					 "rr mx.sni.example A 127.0.51.1\n"
					 "smtp 127.0.51.1\n"
					 "    certificate good\n"
					 "smtp 127.0.51.2\n"
					 "    certificate good\n");
	struct probe *probe = PROBE(lab, "--json", "-S", "sni.example", "127.0.51.2");
	probe_assert_exit(probe, 0);
	lab_assert_polite(lab);
	lab_assert_secured(lab, "127.0.51.1", "mx.sni.example");
	lab_assert_secured(lab, "127.0.51.2", "-");
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mode_auto),           cmocka_unit_test(mode_off),
	    cmocka_unit_test(mode_require),        cmocka_unit_test(mode_verify),
	    cmocka_unit_test(mode_dane),           cmocka_unit_test(says_what_it_saw),
	    cmocka_unit_test(nothing_without_tls), cmocka_unit_test(server_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What an SMTP server can do in a session: each has its one class, reason and phase. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ends(void **state)
{
	(void)state;
	expect_scenario("smtp-ends");
}

static void replies(void **state)
{
	(void)state;
	expect_scenario("replies");
}

static void timeouts(void **state)
{
	(void)state;
	expect_scenario("timeouts");
}

static void msn(void **state)
{
	(void)state;
	expect_scenario("msn");
}

/* RFC 5321 4.1.1.1 and the house rule: EHLO with the given name, MAIL FROM, QUIT, nothing else. */
static void dialogue(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe *probe = PROBE(lab, "-f", "probe@example.org", "good.example");
	probe_assert_exit(probe, 0);
	lab_assert_polite(lab);
	assert_int_equal(lab_sum(lab, "connections"), 1);
	assert_int_equal(lab_lines(lab, "command "), 3);
	assert_string_equal(lab_line(lab, "command 127.13.0.1 1 EHLO "), "probe.example.org");
	const char *mail = lab_line(lab, "command 127.13.0.1 1 MAIL FROM:");
	assert_non_null(mail);
	assert_int_equal(strncmp(mail, "<probe@example.org>", 19), 0);
	assert_int_equal(lab_lines(lab, "command 127.13.0.1 1 QUIT"), 1);
	probe_free(probe);
	lab_free(lab);
}

static void null_sender(void **state)
{
	(void)state;
	static const char *const froms[] = {"<>", ""};
	for (size_t i = 0; i < ARRAY_LEN(froms); i++) {
		struct lab *lab = lab_start("healthy");
		struct probe *probe = PROBE(lab, "--json", "-f", froms[i], "good.example");
		probe_assert_exit(probe, 0);
		assert_string_equal(text_at(probe->results[0], "from"), "<>");
		lab_assert_polite(lab);
		const char *mail = lab_line(lab, "command 127.13.0.1 1 MAIL FROM:");
		assert_non_null(mail);
		assert_int_equal(strncmp(mail, "<>", 2), 0);
		probe_free(probe);
		lab_free(lab);
	}
}

/* Without -F the name is one that no server can object to. */
static void own_name(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	struct probe_conf conf = {.bare = true};
	struct probe *probe =
	    PROBE_CONF(lab, &conf, "--json", "--resolver", "@DNS@", "-p", "@PORT@", "good.example");
	probe_assert_exit(probe, 0);
	lab_assert_polite(lab);
	probe_free(probe);
	lab_free(lab);
}

/* A slow phase shows in its own duration: at least what the server waited, less what it did not. */
static void timings(void **state)
{
	(void)state;
	struct lab *lab =
	    lab_start_text("rr slow.example A 127.0.50.1\n"
			   "smtp 127.0.50.1\n"
			   "    banner wait 200ms raw \"220 mx\" wait 100ms raw \"\\r\\n\"\n"
			   "    ehlo wait 150ms\n"
			   "    mail wait 250ms\n"
			   "    quit wait 400ms\n");
	struct probe *probe = PROBE(lab, "--json", "slow.example");
	probe_assert_exit(probe, 0);
	const json_t *timing = at(probe->results[0], "endpoints.0.timing");
	/* The server may begin to wait before the client sees that it is connected. */
	long connect = number_at(timing, "connect_ms");
	assert_true(connect + number_at(timing, "first_byte_ms") >= 198);
	assert_true(connect + number_at(timing, "banner_ms") >= 298);
	assert_true(number_at(timing, "ehlo_ms") >= 149);
	assert_true(number_at(timing, "mail_ms") >= 249);
	assert_true(number_at(timing, "total_ms") >= 690);
	assert_true(json_is_null(at(timing, "tls_ms")));
	assert_true(json_is_null(at(timing, "starttls_ms")));
	assert_true(json_is_number(at(probe->results[0], "endpoints.0.rtt_ms")));
	assert_schema(probe->results[0]);
	lab_assert_polite(lab);
	probe_free(probe);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ends),     cmocka_unit_test(replies),  cmocka_unit_test(timeouts),
	    cmocka_unit_test(msn),      cmocka_unit_test(dialogue), cmocka_unit_test(null_sender),
	    cmocka_unit_test(own_name), cmocka_unit_test(timings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

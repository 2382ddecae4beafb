/* What the scripts of tests/dialogues do not say: limits of time, bounds of commands, and calls
 * that come when nobody waits for them. */
#include "smtp/dialogue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEC USEC_PER_SEC

struct fixture {
	struct dialogue_conf conf;
	struct dialogue d;
	struct observation seen;
	usec_t now;
	char command[DIALOGUE_COMMAND_MAX];
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->conf = (struct dialogue_conf){.helo = "probe.example.net",
					 .from = "<>",
					 .tls = TLS_AUTO,
					 .connect_timeout = 10 * SEC};
	f->now = 100 * SEC;
	observation_init(&f->seen);
	dialogue_init(&f->d, &f->conf, &f->seen, f->now, f->now + 30 * SEC, false);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	dialogue_fini(&f->d);
	observation_fini(&f->seen);
	free(f);
	return 0;
}

static void hear(struct fixture *f, const char *text)
{
	assert_int_equal(dialogue_feed(&f->d, text, strlen(text), f->now), strlen(text));
}

static void said(struct fixture *f, const char *text)
{
	size_t n;

	assert_int_equal(dialogue_need(&f->d), NEED_SEND);
	n = dialogue_take(&f->d, f->command, sizeof f->command);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(f->command, text, n);
	assert_int_equal(dialogue_need(&f->d), NEED_READ);
}

static void test_deadlines(void **state)
{
	struct fixture *f = *state;
	usec_t begun = f->now;

	assert_int_equal(dialogue_need(&f->d), NEED_READ);
	assert_int_equal(dialogue_deadline(&f->d), begun + 10 * SEC);
	f->now += 2 * SEC;
	dialogue_connected(&f->d, f->now);
	/* From here on it is what is left of the session, whatever the phase. */
	assert_int_equal(dialogue_deadline(&f->d), begun + 30 * SEC);
	assert_int_equal(dialogue_phase(&f->d), PHASE_BANNER);
	hear(f, "220 mx\r\n");
	assert_int_equal(dialogue_deadline(&f->d), begun + 30 * SEC);
	said(f, "EHLO probe.example.net\r\n");
	assert_int_equal(dialogue_phase(&f->d), PHASE_EHLO);
	hear(f, "250 mx\r\n");
	said(f, "MAIL FROM:<>\r\n");
	f->now += 27 * SEC;
	assert_int_equal(dialogue_deadline(&f->d), begun + 30 * SEC);
	hear(f, "250 ok\r\n");
	/* The wait for the answer to QUIT is bounded by itself. */
	assert_int_equal(dialogue_deadline(&f->d), f->now + DIALOGUE_QUIT_WAIT);
	said(f, "QUIT\r\n");
	f->now += SEC;
	hear(f, "221 bye\r\n");
	assert_int_equal(dialogue_need(&f->d), NEED_NOTHING);
	assert_int_equal(dialogue_deadline(&f->d), USEC_NEVER);
	assert_int_equal(f->seen.took[PHASE_MAIL], 27 * SEC);
	assert_int_equal(observation_total(&f->seen), 29 * SEC);
}

static void test_session_shorter_than_connecting(void **state)
{
	struct fixture *f = *state;

	dialogue_init(&f->d, &f->conf, &f->seen, f->now, f->now + 3 * SEC, false);
	assert_int_equal(dialogue_deadline(&f->d), f->now + 3 * SEC);
}

static void test_longest_command(void **state)
{
	struct fixture *f = *state;
	char helo[DIALOGUE_NAME_MAX + 1], from[DIALOGUE_FROM_MAX + 1];
	size_t n;

	memset(helo, 'h', sizeof helo - 1);
	helo[sizeof helo - 1] = '\0';
	memset(from, 'f', sizeof from - 1);
	from[0] = '<';
	from[sizeof from - 2] = '>';
	from[sizeof from - 1] = '\0';
	f->conf.helo = helo;
	f->conf.from = from;
	dialogue_connected(&f->d, f->now);
	hear(f, "220 mx\r\n");
	n = dialogue_take(&f->d, f->command, sizeof f->command);
	assert_int_equal(n, 5 + DIALOGUE_NAME_MAX + 2);
	hear(f, "250 mx\r\n");
	n = dialogue_take(&f->d, f->command, sizeof f->command);
	assert_int_equal(n, 10 + DIALOGUE_FROM_MAX + 2);
	assert_memory_equal(f->command + n - 3, ">\r\n", 3);
}

static void test_no_further_than_one_reply(void **state)
{
	struct fixture *f = *state;
	static const char both[] = "220 mx\r\n250 mx\r\n";

	dialogue_connected(&f->d, f->now);
	assert_int_equal(dialogue_feed(&f->d, both, sizeof both - 1, f->now), 8);
	said(f, "EHLO probe.example.net\r\n");
	assert_int_equal(dialogue_feed(&f->d, both + 8, sizeof both - 1 - 8, f->now), 8);
	said(f, "MAIL FROM:<>\r\n");
	assert_true(f->seen.notes & NOTE_EARLY);
}

static void test_octets_before_the_command_went_out_are_noted(void **state)
{
	struct fixture *f = *state;

	dialogue_connected(&f->d, f->now);
	hear(f, "220 mx\r\n");
	assert_false(f->seen.notes & NOTE_EARLY);
	hear(f, "25"); /* EHLO has not been taken */
	assert_true(f->seen.notes & NOTE_EARLY);
}

static void test_calls_nobody_waits_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(dialogue_take(&f->d, f->command, sizeof f->command), 0);
	hear(f, "220 before the connection stands\r\n");
	dialogue_secured(&f->d, tls_facts_new(), f->now);
	assert_int_equal(dialogue_need(&f->d), NEED_READ);
	assert_int_equal(f->seen.reply.code, 0);
	dialogue_connected(&f->d, f->now);
	f->now += SEC;
	dialogue_connected(&f->d, f->now); /* once is enough */
	assert_int_equal(f->seen.took[PHASE_BANNER], USEC_NONE);
	assert_int_equal(dialogue_feed(&f->d, "", 0, f->now), 0);
	assert_int_equal(f->seen.first_byte, USEC_NONE);
	dialogue_fail(&f->d, END_CLOSED, ECONNRESET, f->now);
	assert_int_equal(dialogue_need(&f->d), NEED_NOTHING);
	/* It is over: the first end stays. */
	hear(f, "220 mx\r\n");
	dialogue_fail(&f->d, END_TIMEOUT, 0, f->now + SEC);
	dialogue_connected(&f->d, f->now);
	dialogue_secured(&f->d, tls_facts_new(), f->now);
	assert_int_equal(dialogue_take(&f->d, f->command, sizeof f->command), 0);
	assert_int_equal(f->seen.end, END_CLOSED);
	assert_int_equal(f->seen.err, ECONNRESET);
	assert_int_equal(f->seen.took[PHASE_BANNER], SEC);
	assert_int_equal(f->seen.reply.code, 0);
}

static void test_octets_in_the_handshake_are_not_read(void **state)
{
	struct fixture *f = *state;

	dialogue_connected(&f->d, f->now);
	hear(f, "220 mx\r\n");
	said(f, "EHLO probe.example.net\r\n");
	hear(f, "250-mx\r\n250 STARTTLS\r\n");
	said(f, "STARTTLS\r\n");
	hear(f, "220 go\r\n");
	assert_int_equal(dialogue_need(&f->d), NEED_TLS);
	hear(f, "250 SIZE\r\n");
	assert_int_equal(dialogue_need(&f->d), NEED_TLS);
	dialogue_secured(&f->d, tls_facts_new(), f->now);
	assert_int_equal(f->seen.extensions.len, 0);
	assert_non_null(f->seen.tls);
	said(f, "EHLO probe.example.net\r\n");
}

/* A second session in the same observation begins with what the first one left out. */
static void test_observation(void **state)
{
	struct fixture *f = *state;
	struct observation o;

	observation_init(&o);
	assert_int_equal(observation_total(&o), USEC_NONE);
	o.took[PHASE_CONNECT] = 5;
	assert_int_equal(observation_total(&o), 5);
	o.took[PHASE_MAIL] = 7;
	assert_int_equal(observation_total(&o), 12);
	o.took[PHASE_DNS] = 100; /* the DNS is no part of the session */
	assert_int_equal(observation_total(&o), 12);
	o.error = xstrdup("words");
	o.tls = tls_facts_new();
	buf_addstr(&o.banner, "x");
	observation_fini(&o);
	assert_int_equal(observation_total(&o), USEC_NONE);
	assert_null(o.error);
	observation_fini(&o);
	assert_string_equal(phase_name(PHASE_DNS), "dns");
	assert_string_equal(phase_name(PHASE_MAIL), "mail");
	assert_int_equal(f->seen.first_byte, USEC_NONE);
	assert_int_equal(f->seen.rtt, USEC_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_deadlines, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_session_shorter_than_connecting, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(test_longest_command, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_no_further_than_one_reply, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_octets_before_the_command_went_out_are_noted,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_calls_nobody_waits_for, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_octets_in_the_handshake_are_not_read, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(test_observation, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

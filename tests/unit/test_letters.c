/* Letters in the history: what is news to whom, and that none gets lost on its way. */
#include "history/letters.h"
#include "support/results.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef HAVE_SQLITE

static void not_built(void **state)
{
	(void)state;
	assert_false(history_available());
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(not_built)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include "kept/kept.h"

/* The body says all that its writer was told. */
static char *write_body(void *arg, const struct result *r, enum event event, int told,
			const char *id)
{
	const char *name = event_name(event);

	(void)arg;
	assert_non_null(r->past);
	assert_non_null(r->past->endpoints);
	assert_int_equal(strlen(id), 32);
	return xasprintf("%s %s %s %d", name ? name : "-", verdict_name(r->verdict),
			 told < 0 ? "-" : verdict_name((enum verdict)told), r->past->changed);
}

static void tell(struct history *h, const char *destination, enum event_when when)
{
	const struct letters_conf conf = {
	    .destination = destination, .when = when, .write = write_body};

	history_tell(h, &conf);
}

static void assert_event_of(struct history *h, struct result *r, unsigned confirm,
			    const char *wanted)
{
	bool kept;
	enum event event;
	char text[40];

	(void)history_add(h, r, confirm);
	event = history_event(h, &kept);
	(void)snprintf(text, sizeof text, "%s%s",
		       event_name(event)       ? event_name(event)
		       : event == EVENT_RESULT ? "result"
					       : "none",
		       kept ? "+" : "");
	if (strcmp(text, wanted) != 0)
		fail_msg("%s at %lld: %s, not %s", verdict_name(r->verdict),
			 (long long)r->started_ms, text, wanted);
	fake_free(r);
}

/* One run; what the event was, and whether it is kept ('+'). */
static void assert_event(struct history *h, const char *how, int minutes, unsigned confirm,
			 const char *wanted)
{
	assert_event_of(h, kept_result(how, minutes), confirm, wanted);
}

/* The next letter has that body; it is delivered if so wanted. NULL: there is none. */
static void assert_letter(struct history *h, const char *body, bool delivered)
{
	struct letter letter;

	if (!history_letter(h, &letter)) {
		if (body)
			fail_msg("no letter, not \"%s\"", body);
		return;
	}
	if (!body)
		fail_msg("a letter: \"%s\"", letter.body);
	assert_string_equal(letter.body, body);
	assert_string_equal(letter.target, "example.org");
	if (delivered)
		history_delivered(h, letter.n);
	free(letter.body);
	free(letter.target);
}

/* ---- what is news ---- */

static void events(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);

	tell(h, "a", EVENTS_CHANGE);
	assert_letter(h, NULL, false);
	assert_event(h, "hh", 0, 1, "none");
	assert_event(h, "he", 1, 1, "problem+");
	assert_event(h, "he", 2, 1, "none");
	assert_event(h, "tt", 3, 1, "change+");
	assert_event(h, "hh", 4, 1, "recovery+");
	assert_letter(h, "problem degraded healthy 1", true);
	assert_letter(h, "change failing degraded 1", true);
	assert_letter(h, "recovery healthy failing 1", true);
	assert_letter(h, NULL, false);
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM letters", "0");
}

/* A single bad run is nothing; two that agree are one letter. */
static void confirmed(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);

	tell(h, "a", EVENTS_CHANGE);
	assert_event(h, "hh", 0, 2, "none");
	assert_event(h, "tt", 1, 2, "none");
	assert_event(h, "hh", 2, 2, "none");
	assert_event(h, "tt", 3, 2, "none");
	assert_event(h, "tt", 4, 2, "problem+");
	assert_event(h, "hh", 5, 2, "none");
	assert_event(h, "hh", 6, 2, "recovery+");
	kept_close(h);
}

/* What one was told is nothing to another. */
static void destinations(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);

	tell(h, "a", EVENTS_CHANGE);
	assert_event(h, "hh", 0, 1, "none");
	assert_event(h, "tt", 1, 1, "problem+");
	kept_close(h);
	/* It counts from what was before. */
	h = kept_open(path);
	tell(h, "b", EVENTS_PROBLEM);
	assert_letter(h, NULL, false);
	assert_event(h, "tt", 2, 1, "problem");
	assert_event(h, "he", 3, 1, "problem+");
	assert_event(h, "he", 4, 1, "problem");
	assert_event(h, "hh", 5, 1, "recovery+");
	assert_event(h, "hh", 6, 1, "none");
	kept_close(h);
	h = kept_open(path);
	tell(h, "c", EVENTS_ALWAYS);
	assert_event(h, "hh", 7, 1, "result");
	assert_event(h, "he", 8, 1, "problem+");
	kept_close(h);
	/* Nobody is told, but what changes is told by the next run that tells. */
	h = kept_open(path);
	assert_event(h, "tt", 9, 1, "none");
	kept_close(h);
	h = kept_open(path);
	tell(h, "c", EVENTS_CHANGE);
	assert_event(h, "tt", 10, 1, "change+");
	kept_close(h);
	assert_kept(path,
		    "SELECT group_concat(key || ':' || body, ', ') FROM letters l"
		    " JOIN destinations d ON d.id = l.destination",
		    "a:problem failing healthy 1, b:problem degraded failing 1, "
		    "b:recovery healthy degraded 1, c:problem degraded healthy 1, "
		    "c:change failing degraded 0");
}

/* A verdict that is not about the target is no news, and neither is the way back from it. */
static void not_about_the_target(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);

	tell(h, "a", EVENTS_CHANGE);
	for (int i = 0; i < 4; i++) {
		struct result *r = kept_result("tt", i);

		if (i == 1) {
			fake_free(r);
			assert_event(h, "hh", i, 1, "none");
			continue;
		}
		r->verdict = VERDICT_UNKNOWN;
		r->error_code = "control-failed";
		assert_event_of(h, r, 1, "none");
	}
	assert_event(h, "hh", 4, 1, "none");
	assert_event(h, "he", 5, 1, "problem+");
	kept_close(h);
}

/* A run that began earlier and ends later is no news. */
static void late(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	const int back = -60 * 24 * 3650; /* the clock of this machine is later than that */
	sqlite3 *db;

	tell(h, "a", EVENTS_CHANGE);
	assert_event(h, "hh", back, 1, "none");
	assert_event(h, "he", back + 5, 1, "problem+");
	assert_event(h, "hh", back + 3, 1, "none");
	kept_close(h);
	/* Nor to whom each bad run is told. */
	h = kept_open(path);
	tell(h, "b", EVENTS_PROBLEM);
	assert_event(h, "he", back + 4, 1, "none");
	assert_event(h, "he", back + 6, 1, "problem");
	/* Nor while another process writes. */
	db = kept_raw(path);
	kept_execute(db, "BEGIN IMMEDIATE");
	assert_event(h, "he", back + 5, 1, "none");
	assert_event(h, "he", back + 7, 1, "problem");
	kept_execute(db, "COMMIT");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kept_close(h);
}

/* A history that fails does not hide a problem. */
static void failed(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	char *error = NULL;
	sqlite3 *db;

	tell(h, "a", EVENTS_PROBLEM);
	db = kept_raw(path);
	kept_execute(db, "DROP TABLE results");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_event(h, "hh", 0, 1, "none");
	assert_event(h, "he", 1, 1, "problem");
	assert_letter(h, NULL, false);
	assert_false(history_flush(h, 0, &error));
	assert_non_null(error);
	free(error);
	error = NULL;
	assert_false(history_close(h, 0, &error));
	free(error);
}

/* ---- that none gets lost ---- */

/* What was not delivered is the next run's, the same; what was is gone. */
static void inherited(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path), *other;
	char *id;

	tell(h, "a", EVENTS_CHANGE);
	assert_event(h, "hh", 0, 1, "none");
	assert_event(h, "he", 1, 1, "problem+");
	assert_letter(h, "problem degraded healthy 1", false);
	/* It is handed out once a run, and to nobody else while we live. */
	assert_letter(h, NULL, false);
	other = kept_open(path);
	tell(other, "a", EVENTS_CHANGE);
	assert_letter(other, NULL, false);
	kept_close(other);
	history_letters_again(h);
	assert_letter(h, "problem degraded healthy 1", false);
	id = kept_ask(path, "SELECT id FROM letters");
	kept_close(h);

	h = kept_open(path);
	tell(h, "b", EVENTS_CHANGE);
	assert_letter(h, NULL, false);
	kept_close(h);
	h = kept_open(path);
	tell(h, "a", EVENTS_CHANGE);
	assert_kept(path, "SELECT id FROM letters", id);
	free(id);
	assert_letter(h, "problem degraded healthy 1", true);
	kept_close(h);
	h = kept_open(path);
	tell(h, "a", EVENTS_CHANGE);
	assert_letter(h, NULL, false);
	kept_close(h);
}

/* Killed: its letters are the next one's, and nothing stays beside the file. */
static void killed(void **state)
{
	const char *path = *state;
	struct history *h;
	char *command;
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		h = kept_open(path);
		tell(h, "a", EVENTS_CHANGE);
		assert_event(h, "hh", 0, 1, "none");
		assert_event(h, "he", 1, 1, "problem+");
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	h = kept_open(path);
	tell(h, "a", EVENTS_CHANGE);
	assert_letter(h, "problem degraded healthy 1", true);
	assert_event(h, "he", 2, 1, "none");
	kept_close(h);
	command =
	    xasprintf("! ls -a \"$(dirname '%s')\" | grep -qF \".$(basename '%s')-\"", path, path);
	assert_int_equal(system(command), 0);
	free(command);
}

/* While another process writes, the letter waits with its result. */
static void waits(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	sqlite3 *db = kept_raw(path);

	tell(h, "a", EVENTS_CHANGE);
	assert_event(h, "hh", 0, 1, "none");
	kept_execute(db, "BEGIN IMMEDIATE");
	assert_event(h, "he", 1, 1, "problem+");
	assert_letter(h, NULL, false);
	kept_execute(db, "COMMIT");
	assert_event(h, "he", 2, 1, "none");
	/* Striking off waits for nobody, and is made up for. */
	kept_execute(db, "BEGIN IMMEDIATE");
	assert_letter(h, "problem degraded healthy 1", true);
	assert_kept(path, "SELECT count(*) FROM letters", "1");
	kept_execute(db, "COMMIT");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM letters", "0");
}

/* There is an end to age and number. */
static void dropped(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	sqlite3 *db;

	tell(h, "a", EVENTS_CHANGE);
	assert_event(h, "hh", 0, 1, "none");
	assert_event(h, "he", 1, 1, "problem+");
	kept_close(h);
	db = kept_raw(path);
	kept_execute(db, "UPDATE letters SET written = written - 31 * 86400000");
	kept_execute(
	    db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005)"
		" INSERT INTO letters(id, destination, owner, written, target, body)"
		" SELECT 'x', 1, '', 4102444800000, 'example.org', 'n' || i FROM n");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	h = kept_open(path);
	tell(h, "a", EVENTS_CHANGE);
	assert_int_equal(history_letters_dropped(h), 6);
	assert_int_equal(history_letters_dropped(h), 0);
	assert_letter(h, "n6", true);
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM letters", "9999");
}

/* A file of the first version is read as it is, and brought up to date by the next run. */
static void migrated(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	char *error = NULL, **names;
	sqlite3 *db;
	size_t n;

	assert_event(h, "hh", 0, 1, "none");
	kept_close(h);
	db = kept_raw(path);
	kept_execute(db, "DROP TABLE letters; DROP TABLE told; DROP TABLE destinations;"
			 "PRAGMA user_version = 1");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	h = history_open_read(path, &error);
	if (!h)
		fail_msg("%s", error);
	names = history_targets(h, &n, &error);
	assert_int_equal(n, 1);
	free(names[0]);
	free(names);
	kept_close(h);
	assert_kept(path, "PRAGMA user_version", "1");
	h = kept_open(path);
	tell(h, "a", EVENTS_CHANGE);
	assert_event(h, "he", 1, 1, "problem+");
	assert_letter(h, "problem degraded healthy 1", true);
	kept_close(h);
	assert_kept(path, "PRAGMA user_version", "2");
	assert_kept(path, "SELECT count(*) FROM results", "2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kept_setup, kept_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(events), TEST(confirmed), TEST(destinations), TEST(not_about_the_target),
	    TEST(late),   TEST(failed),    TEST(inherited),    TEST(killed),
	    TEST(waits),  TEST(dropped),   TEST(migrated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

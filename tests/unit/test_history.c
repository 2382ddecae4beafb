/* The history file: what it keeps, what it says of changes, and what it does with files that are
 * not its own. */
#include "history/history.h"
#include "support/lab.h"
#include "support/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef HAVE_SQLITE

static void not_built(void **state)
{
	char *error = NULL;

	(void)state;
	assert_false(history_available());
	assert_null(history_open("/nonexistent/history", &error));
	assert_non_null(error);
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(not_built)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include "kept/kept.h"

static const struct past *add(struct history *h, const char *how, int minutes, unsigned confirm)
{
	struct result *r = kept_result(how, minutes);
	const struct past *past = history_add(h, r, confirm);

	fake_free(r);
	return past;
}

/* ---- changes ---- */

static void first_run(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	const struct past *past = add(h, "he", 0, 1);

	assert_int_equal(past->previous_verdict, -1);
	assert_false(past->changed);
	assert_int_equal(past->since_ms, KEPT_MS(0));
	assert_non_null(past->endpoints);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(past->endpoints[i].previous, -1);
		assert_int_equal(past->endpoints[i].since_ms, KEPT_MS(0));
	}
	kept_close(h);
	/* Nothing lies beside it. */
	char *wal = xasprintf("%s-wal", path);
	assert_int_equal(access(wal, F_OK), -1);
	free(wal);
	assert_kept(path, "PRAGMA user_version", "2");
	assert_kept(path, "PRAGMA journal_mode", "wal");
	assert_kept(path, "SELECT group_concat(class || '/' || reason, ' ') FROM history",
		    "healthy/ok exhausted/memory");
	assert_kept(path, "SELECT code || ' ' || enhanced || ' ' || text FROM replies",
		    "452 4.3.1 Out of memory\ntry <later>");
}

/* One letter a run: h healthy, d degraded, f failing. Then, for each run, the confirmed verdict
 * before it ('.': none), whether it changed, and in which run the present one began. */
static const struct {
	unsigned confirm;
	const char *runs, *before, *changed, *since;
} stories[] = {
    {1, "hhddfh", ".hhddf", "001011", "002245"},
    {1, "fffff", ".ffff", "00000", "00000"},
    {2, "hdhdhd", ".hhhhh", "000000", "000000"},
    {2, "hddhhd", ".hhddh", "001010", "001133"},
    {2, "hfdd", ".hhh", "0001", "0002"},
    {3, "hdddhhhdd",
     ".hhhddd"
     "hh",
     "000100100", "000111444"},
    {3, "dhdhhdhhh",
     ".ddddd"
     "ddd",
     "000000001", "000000006"},
};

static void confirmed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		void *own;
		const char *path;
		struct history *h;

		assert_int_equal(kept_setup(&own), 0);
		path = own;
		h = kept_open(path);
		for (size_t k = 0; stories[i].runs[k]; k++) {
			char run = stories[i].runs[k], before = stories[i].before[k];
			const struct past *past = add(h,
						      run == 'h'   ? "hh"
						      : run == 'd' ? "he"
								   : "te",
						      (int)k, stories[i].confirm);

			assert_int_equal(past->previous_verdict, before == '.'   ? -1
								 : before == 'h' ? VERDICT_HEALTHY
								 : before == 'd' ? VERDICT_DEGRADED
										 : VERDICT_FAILING);
			assert_int_equal(past->changed, stories[i].changed[k] == '1');
			assert_int_equal(past->since_ms, KEPT_MS(stories[i].since[k] - '0'));
			/* Nothing depends on the process. */
			kept_close(h);
			h = kept_open(path);
		}
		kept_close(h);
		assert_int_equal(kept_teardown(&own), 0);
	}
}

/* A run that began earlier and ends later is kept, but it is no news. */
static void late(void **state)
{
	const char *path = *state;
	int now = (int)((time(NULL) - KEPT_START) / 60);
	struct history *h = kept_open(path);
	const struct past *past;

	(void)add(h, "hh", now - 10, 1);
	past = add(h, "he", now - 5, 1);
	assert_true(past->changed);
	past = add(h, "tt", now - 8, 1);
	assert_int_equal(past->previous_verdict, VERDICT_DEGRADED);
	assert_false(past->changed);
	assert_int_equal(past->since_ms, KEPT_MS(now - 5));
	assert_int_equal(past->endpoints[1].previous, CLASS_EXHAUSTED);
	assert_int_equal(past->endpoints[1].since_ms, KEPT_MS(now - 5));
	past = add(h, "he", now - 2, 1);
	assert_int_equal(past->previous_verdict, VERDICT_DEGRADED);
	assert_false(past->changed);
	assert_int_equal(past->endpoints[0].previous, CLASS_HEALTHY);
	assert_int_equal(past->endpoints[0].since_ms, KEPT_MS(now - 10));
	/* A clock that was wrong for a while holds up nothing. */
	past = add(h, "he", now + 10000, 1);
	past = add(h, "hh", now - 1, 1);
	assert_true(past->changed);
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM results", "6");
}

/* What DNS does not list is kept, and its absence is no change. */
static void absent(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	const struct past *past;

	(void)add(h, "he", 0, 1);
	past = add(h, "h-", 1, 1);
	assert_int_equal(past->endpoints[0].previous, CLASS_HEALTHY);
	assert_int_equal(past->endpoints[0].since_ms, KEPT_MS(0));
	past = add(h, "he", 2, 1);
	assert_int_equal(past->endpoints[1].previous, CLASS_EXHAUSTED);
	assert_int_equal(past->endpoints[1].since_ms, KEPT_MS(0));
	past = add(h, "ht", 3, 1);
	assert_int_equal(past->endpoints[1].previous, CLASS_EXHAUSTED);
	assert_int_equal(past->endpoints[1].since_ms, KEPT_MS(3));
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM endpoints", "2");
	assert_kept(path, "SELECT count(*) FROM outcomes", "7");
}

/* However a target is written, it is one; another port is another. */
static void names(void **state)
{
	static const struct {
		const char *text;
		uint16_t port;
		const char *name; /* NULL: it is none */
	} wanted[] = {
	    {"example.org", 25, "example.org"},
	    {"EXAMPLE.org.", 25, "example.org"},
	    {"postmaster@example.org", 25, "example.org"},
	    {"example.org:25", 587, "example.org"},
	    {"example.org", 587, "example.org:587"},
	    {"b\xC3\xBC"
	     "cher.example",
	     25, "xn--bcher-kva.example"},
	    {"[mx.example.org]", 25, "[mx.example.org]"},
	    {"[mx.example.org]:26", 25, "[mx.example.org]:26"},
	    {"192.0.2.1", 25, "[192.0.2.1]"},
	    {"[IPv6:2001:db8::1]:26", 25, "[IPv6:2001:db8::1]:26"},
	    {"2001:DB8::1", 25, "[IPv6:2001:db8::1]"},
	    {"no target at all", 25, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		char *name = history_name(wanted[i].text, strlen(wanted[i].text), wanted[i].port);
		char *again;

		if (!wanted[i].name) {
			assert_null(name);
			continue;
		}
		assert_non_null(name);
		assert_string_equal(name, wanted[i].name);
		/* A name is a target, and its own name. */
		again = history_name(name, strlen(name), 25);
		assert_string_equal(again, name);
		free(again);
		free(name);
	}
}

/* A bad line of an input is a result like any other. */
static void bad_line(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	struct result r = {.target = "no \xFF target",
			   .error_code = "invalid-target",
			   .started_ms = KEPT_MS(0),
			   .verdict = VERDICT_UNKNOWN};

	assert_int_equal(history_add(h, &r, 1)->previous_verdict, -1);
	assert_int_equal(history_add(h, &r, 1)->previous_verdict, VERDICT_UNKNOWN);
	kept_close(h);
	assert_kept(path, "SELECT name FROM targets", "no \xEF\xBF\xBD target");
}

/* Each session of --repeat is there. */
static void repeated(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	struct result *r = kept_result("e", 0);

	fake_sessions((struct contact *)(uintptr_t)r->endpoints[0].contact, 5, 2);
	fake_finish(r);
	(void)history_add(h, r, 1);
	fake_free(r);
	kept_close(h);
	assert_kept(path,
		    "SELECT group_concat(w.word, ' ') FROM sessions s JOIN words w"
		    " ON w.id = s.class",
		    "healthy healthy exhausted exhausted exhausted");
	assert_kept(path, "SELECT sessions || ' ' || healthy FROM outcomes", "5 2");
}

/* ---- keeping ---- */

static void keep(void **state)
{
	const char *path = *state;
	int64_t now = (int64_t)time(NULL) * 1000;
	char *error = NULL;
	struct history *h = kept_open(path);

	for (int i = 0; i < 500; i++) {
		struct result *r = kept_result(i < 450 ? "he" : "ht", 0);

		/* The last fifty are from today. */
		r->started_ms = i < 450 ? now - (30LL * 86400 - i) * 1000 : now - i * 1000;
		(void)history_add(h, r, 1);
		fake_free(r);
	}
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM results", "500");
	h = kept_open(path);
	assert_true(history_close(h, 86400000, &error));
	assert_kept(path, "SELECT count(*) FROM results", "50");
	assert_kept(path, "SELECT count(*) FROM outcomes", "100");
	assert_kept(path, "SELECT count(*) FROM replies", "0");
	assert_kept(path, "PRAGMA freelist_count", "0");
	/* Since when things are as they are is not forgotten. */
	h = kept_open(path);
	assert_int_equal(add(h, "ht", 1000000, 1)->since_ms, now - 30LL * 86400 * 1000);
	kept_close(h);
	assert_kept(path, "PRAGMA integrity_check", "ok");
}

/* ---- others ---- */

/* A process that holds the file holds up nobody for long, and no row is lost to it. */
static void locked(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	const struct past *past;
	sqlite3 *db;

	(void)add(h, "hh", 0, 1);
	db = kept_raw(path);
	kept_execute(db, "BEGIN IMMEDIATE");
	past = add(h, "he", 1, 1);
	assert_int_equal(past->previous_verdict, VERDICT_HEALTHY);
	assert_true(past->changed);
	assert_int_equal(past->since_ms, KEPT_MS(1));
	assert_int_equal(past->endpoints[1].previous, CLASS_HEALTHY);
	(void)add(h, "he", 2, 1);
	kept_execute(db, "COMMIT");
	past = add(h, "te", 3, 1);
	assert_int_equal(past->previous_verdict, VERDICT_DEGRADED);
	assert_true(past->changed);
	kept_execute(db, "BEGIN IMMEDIATE");
	(void)add(h, "te", 4, 1);
	kept_execute(db, "COMMIT");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM results", "5");
	assert_kept(path, "SELECT count(*) FROM outcomes", "10");
	assert_kept(path, "SELECT count(*) FROM runs", "1");
}

static void assert_refused(const char *path, const char *why)
{
	char *error = NULL;
	struct history *h = history_open(path, &error);

	assert_null(h);
	assert_non_null(error);
	if (!strstr(error, why) || !strstr(error, path))
		fail_msg("\"%s\" does not say \"%s\"", error, why);
	free(error);
	error = NULL;
	assert_null(history_open_read(path, &error));
	assert_non_null(error);
	free(error);
}

static void untouched(const char *path, const char *why)
{
	size_t n, m;
	char *before = read_whole(path, &n), *after;

	assert_refused(path, why);
	after = read_whole(path, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

static void foreign(void **state)
{
	const char *path = *state;
	FILE *text = fopen(path, "we");
	sqlite3 *db;

	assert_non_null(text);
	assert_true(fputs("a text of somebody else, longer than the head of an SQLite file: it is "
			  "a hundred octets or more, so that all of them can be read\n",
			  text) > 0);
	assert_int_equal(fclose(text), 0);
	untouched(path, "is not a history of mxprobe");
	assert_int_equal(truncate(path, 12), 0);
	untouched(path, "is not a history of mxprobe");
	assert_int_equal(unlink(path), 0);

	db = kept_raw(path);
	kept_execute(db, "CREATE TABLE theirs(a); PRAGMA user_version = 1");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	untouched(path, "is not a history of mxprobe");

	/* Another's WAL is not even played back. */
	db = kept_raw(path);
	kept_execute(db, "PRAGMA journal_mode = WAL; INSERT INTO theirs VALUES(1)");
	untouched(path, "is not a history of mxprobe");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_kept(path, "SELECT count(*) FROM theirs", "1");
}

static void newer(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	sqlite3 *db;

	kept_close(h);
	db = kept_raw(path);
	kept_execute(db, "PRAGMA user_version = 77");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_refused(path, "newer mxprobe");
	assert_kept(path, "PRAGMA user_version", "77");
}

/* A process killed right after it made the file leaves one without a schema. */
static void begun(void **state)
{
	const char *path = *state;
	FILE *empty = fopen(path, "we");
	struct history *h;
	sqlite3 *db;

	assert_non_null(empty);
	assert_int_equal(fclose(empty), 0);
	h = kept_open(path);
	(void)add(h, "hh", 0, 1);
	kept_close(h);
	assert_int_equal(unlink(path), 0);

	db = kept_raw(path);
	kept_execute(db, "PRAGMA application_id = 1297633346");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	h = kept_open(path);
	(void)add(h, "hh", 0, 1);
	kept_close(h);
	assert_kept(path, "SELECT count(*) FROM results", "1");
}

static void elsewhere(void **state)
{
	const char *path = *state;
	char *below = xasprintf("%s/none/history", path);

	assert_refused(below, "No such file or directory");
	free(below);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(path, "no regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, "no regular file"); /* and does not wait for its reader */
	assert_int_equal(unlink(path), 0);
	if (geteuid() != 0) {
		struct history *h = kept_open(path);
		char *error = NULL;

		kept_close(h);
		assert_int_equal(chmod(path, 0400), 0);
		assert_null(history_open(path, &error));
		assert_non_null(strstr(error, "Permission denied"));
		free(error);
	}
}

/* A file that breaks under way: told at the end, and the answers know nothing from then on. */
static void broken(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	const struct past *past;
	char *error = NULL;
	sqlite3 *db;

	(void)add(h, "hh", 0, 1);
	db = kept_raw(path);
	kept_execute(db, "DROP TABLE outcomes");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	past = add(h, "he", 1, 1);
	assert_int_equal(past->previous_verdict, -1);
	assert_false(past->changed);
	assert_int_equal(past->since_ms, -1);
	assert_null(past->endpoints);
	(void)add(h, "he", 2, 1);
	assert_false(history_close(h, 86400000, &error));
	assert_non_null(strstr(error, "no such table"));
	free(error);
	assert_kept(path, "SELECT count(*) FROM results", "1");
}

/* ---- questions ---- */

static struct trend *trend_of(const char *path, const char *name, int from, int to, size_t slices)
{
	const struct trend_query q = {.name = name,
				      .from_ms = KEPT_MS(from),
				      .to_ms = KEPT_MS(to),
				      .slices = slices,
				      .phases = true};
	char *error = NULL;
	struct history *h = history_open_read(path, &error);
	struct trend *t;

	assert_non_null(h);
	t = history_trend(h, &q, &error);
	assert_non_null(t);
	kept_close(h);
	return t;
}

static void questions(void **state)
{
	static const char *const runs[] = {"hh", "he", "te", "tt", "h-", "hs", "hh", "ht"};
	const char *path = *state;
	struct history *h = kept_open(path);
	const struct trend_row *row;
	struct trend *t;
	char **names, *error = NULL;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(runs); i++)
		(void)add(h, runs[i], (int)i * 10, 1);
	kept_close(h);

	t = trend_of(path, "example.org", 0, 80, 8);
	assert_int_equal(t->runs, 8);
	assert_int_equal(t->verdicts[VERDICT_HEALTHY], 4);
	assert_int_equal(t->verdicts[VERDICT_DEGRADED], 2);
	assert_int_equal(t->verdicts[VERDICT_FAILING], 2);
	assert_int_equal(t->verdict, VERDICT_DEGRADED);
	assert_int_equal(t->since_ms, KEPT_MS(70));
	assert_int_equal(t->last_ms, KEPT_MS(70));
	assert_int_equal(t->n_endpoints, 2);
	assert_int_equal(t->n_hosts, 2);
	row = &t->endpoints[0];
	assert_string_equal(row->host, "mx1.example.org");
	assert_string_equal(row->address, "192.0.2.1");
	assert_int_equal(row->runs, 8);
	assert_int_equal(row->outage_ms, 20 * 60000);
	assert_int_equal(row->median, 180000);
	assert_int_equal(row->p95, 10000000);
	assert_int_equal(row->last_unhealthy.at_ms, KEPT_MS(30));
	assert_int_equal(row->phases[0].connect, 40000);
	assert_int_equal(row->phases[2].connect, USEC_NONE);
	row = &t->endpoints[1];
	assert_string_equal(row->address, "2001:db8::2");
	assert_int_equal(row->runs, 7);
	assert_true(row->listed);
	assert_int_equal(row->classes[CLASS_SKIPPED], 1);
	assert_true(row->healthy_share > 0.333 && row->healthy_share < 0.334);
	/* Out from the second run; the fifth does not list it, and nothing is known of it there. */
	assert_int_equal(row->outage_ms, 30 * 60000);
	assert_int_equal(row->last.class, CLASS_TIMEOUT);
	assert_int_equal(row->cells[0].worst, CLASS_HEALTHY);
	assert_int_equal(row->cells[4].worst, -1);
	assert_int_equal(row->cells[5].worst, CLASS_SKIPPED);
	assert_int_equal(t->n_replies, 2);
	assert_int_equal(t->replies[0].count, 2);
	assert_int_equal(t->replies[0].code, 452);
	assert_string_equal(t->replies[0].enhanced, "4.3.1");
	assert_string_equal(t->replies[0].text, "Out of memory\ntry <later>");
	assert_int_equal(t->replies[0].first_ms, KEPT_MS(10));
	assert_int_equal(t->replies[0].last_ms, KEPT_MS(20));
	assert_int_equal(t->replies[1].count, 4);
	assert_int_equal(t->replies[1].code, 0);
	assert_null(t->replies[1].text);
	trend_free(t);
	trend_free(NULL);

	/* A part of it; the verdict's age is that of the whole. */
	t = trend_of(path, "example.org", 35, 65, 1);
	assert_int_equal(t->runs, 3);
	assert_int_equal(t->n_replies, 0);
	assert_int_equal(t->cells[0].worst, VERDICT_HEALTHY);
	trend_free(t);
	t = trend_of(path, "unknown.example", 0, 80, 8);
	assert_int_equal(t->runs, 0);
	assert_int_equal(t->since_ms, -1);
	trend_free(t);

	h = history_open_read(path, &error);
	names = history_targets(h, &n, &error);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "example.org");
	free(names[0]);
	free(names);
	kept_close(h);
}

/* Whoever may only read may have a report, and leaves nothing behind. */
static void reader(void **state)
{
	const char *path = *state;
	char *folder = xasprintf("%s?#%%", path), *file = xasprintf("%s/h", folder);
	struct history *h;
	int status;
	pid_t child;

	assert_int_equal(mkdir(folder, 0755), 0);
	h = kept_open(file);
	(void)add(h, "he", 0, 1);
	kept_close(h);
	assert_int_equal(chmod(file, 0444), 0);
	assert_int_equal(chmod(folder, 0555), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct trend_query q = {"example.org", KEPT_MS(0), KEPT_MS(9), 1, false};
		char *error = NULL;
		struct trend *t;

		/* Root may do everything, so it becomes somebody else. */
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		h = history_open_read(file, &error);
		if (!h && strstr(error, "Permission denied"))
			_exit(0); /* not even the folder above is open to others */
		t = h ? history_trend(h, &q, &error) : NULL;
		status = t && t->runs == 1 ? 0 : 1;
		trend_free(t);
		if (!history_close(h, 0, &error))
			status = 3;
		free(file);
		free(folder);
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
	free(file);
	free(folder);
}

/* Words that a later version knows: passed over, and nothing else. */
static void unknown_words(void **state)
{
	const char *path = *state;
	struct history *h = kept_open(path);
	struct trend *t;
	sqlite3 *db;

	(void)add(h, "he", 0, 1);
	(void)add(h, "hh", 1, 1);
	kept_close(h);
	db = kept_raw(path);
	kept_execute(db, "UPDATE words SET word = 'weary' WHERE word = 'exhausted'");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	t = trend_of(path, "example.org", 0, 2, 2);
	assert_int_equal(t->runs, 2);
	assert_int_equal(t->n_replies, 0);
	assert_int_equal(t->endpoints[1].runs, 1);
	trend_free(t);
	/* And ours gets a number again. */
	h = kept_open(path);
	(void)add(h, "he", 2, 1);
	kept_close(h);
	assert_kept(path, "SELECT class FROM history ORDER BY started DESC, host DESC LIMIT 1",
		    "exhausted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kept_setup, kept_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(first_run),
	    cmocka_unit_test(confirmed),
	    TEST(late),
	    TEST(absent),
	    cmocka_unit_test(names),
	    TEST(bad_line),
	    TEST(repeated),
	    TEST(keep),
	    TEST(locked),
	    TEST(foreign),
	    TEST(newer),
	    TEST(begun),
	    TEST(elsewhere),
	    TEST(broken),
	    TEST(questions),
	    TEST(unknown_words),
	    TEST(reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

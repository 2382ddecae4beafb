/* The history file: what it keeps, what it says of changes, and what it does with files that are
 * not its own. */
#include "history/history.h"
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

#include <sqlite3.h>

enum { START = 1795278717 }; /* s */
#define MS(minutes) (((int64_t)START + 60 * (int64_t)(minutes)) * 1000)

struct fixture {
	char *path;
};

static int setup(void **state)
{
	static unsigned count;
	const char *dir = getenv("TEST_DIR");
	struct fixture *f = xcalloc(1, sizeof *f);

	f->path =
	    xasprintf("%s/history-%ld-%u.db", dir && *dir ? dir : "/tmp", (long)getpid(), ++count);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *path = xasprintf("%s%s", f->path, suffixes[i]);

		(void)unlink(path); /* most are not there */
		free(path);
	}
	free(f->path);
	free(f);
	return 0;
}

/* ---- the file from outside ---- */

static sqlite3 *raw(const char *path)
{
	sqlite3 *db;

	assert_int_equal(
	    sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
	    SQLITE_OK);
	return db;
}

static void execute(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* The first column of the only row, as text; the caller frees. */
static char *ask(const char *path, const char *sql)
{
	sqlite3 *db = raw(path);
	sqlite3_stmt *st;
	char *text;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	text =
	    xstrdup(sqlite3_column_text(st, 0) ? (const char *)sqlite3_column_text(st, 0) : "null");
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return text;
}

static void assert_answer(const char *path, const char *sql, const char *answer)
{
	char *text = ask(path, sql);

	assert_string_equal(text, answer);
	free(text);
}

static char *bytes_of(const char *path, size_t *n)
{
	FILE *f = fopen(path, "re");
	char *bytes = xmalloc(1 << 20);

	assert_non_null(f);
	*n = fread(bytes, 1, 1 << 20, f);
	assert_int_equal(fclose(f), 0);
	return bytes;
}

/* ---- results to be kept ---- */

static struct history *open_history(const char *path)
{
	char *error = NULL;
	struct history *h = history_open(path, &error);

	if (!h)
		fail_msg("%s", error);
	return h;
}

static void close_history(struct history *h)
{
	char *error = NULL;

	if (!history_close(h, 0, &error))
		fail_msg("%s", error);
}

/* Two hosts with an address each: 'h' healthy, 'e' exhausted, 't' timed out, 's' skipped, '-' not
 * listed. */
static struct result *result_of(const char *how, int minutes)
{
	static const char *const hosts[] = {"mx1.example.org", "mx2.example.org"};
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::2"};
	struct result *r = fake_target("example.org", SOURCE_MX);

	r->started_ms = MS(minutes);
	for (int i = 0; i < 2 && how[i]; i++) {
		struct contact *c;

		if (how[i] == '-')
			continue;
		c = fake_endpoint(r, 10, hosts[i], addresses[i]);
		if (how[i] == 'e') {
			fake_end(c, CLASS_EXHAUSTED, REASON_MEMORY, PHASE_MAIL, END_REPLY, 60000);
			fake_reply(c, 452, "4.3.1 Out of memory\n4.3.1 try <later>");
		} else if (how[i] == 't') {
			fake_end(c, CLASS_TIMEOUT, REASON_CONNECT, PHASE_CONNECT, END_TIMEOUT,
				 10000000);
		} else if (how[i] == 's') {
			fake_end(c, CLASS_SKIPPED, REASON_NO_ROUTE, PHASE_CONNECT, END_NO_ROUTE,
				 USEC_NONE);
		}
	}
	fake_finish(r);
	return r;
}

static const struct past *add(struct history *h, const char *how, int minutes, unsigned confirm)
{
	struct result *r = result_of(how, minutes);
	const struct past *past = history_add(h, r, confirm);

	fake_free(r);
	return past;
}

/* ---- changes ---- */

static void first_run(void **state)
{
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	const struct past *past = add(h, "he", 0, 1);

	assert_int_equal(past->previous_verdict, -1);
	assert_false(past->changed);
	assert_int_equal(past->since_ms, MS(0));
	assert_non_null(past->endpoints);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(past->endpoints[i].previous, -1);
		assert_int_equal(past->endpoints[i].since_ms, MS(0));
	}
	close_history(h);
	/* Nothing lies beside it. */
	char *wal = xasprintf("%s-wal", f->path);
	assert_int_equal(access(wal, F_OK), -1);
	free(wal);
	assert_answer(f->path, "PRAGMA user_version", "2");
	assert_answer(f->path, "PRAGMA journal_mode", "wal");
	assert_answer(f->path, "SELECT group_concat(class || '/' || reason, ' ') FROM history",
		      "healthy/ok exhausted/memory");
	assert_answer(f->path, "SELECT code || ' ' || enhanced || ' ' || text FROM replies",
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
		struct fixture *f;
		struct history *h;

		assert_int_equal(setup(&own), 0);
		f = own;
		h = open_history(f->path);
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
			assert_int_equal(past->since_ms, MS(stories[i].since[k] - '0'));
			/* Nothing depends on the process. */
			close_history(h);
			h = open_history(f->path);
		}
		close_history(h);
		assert_int_equal(teardown(&own), 0);
	}
}

/* A run that began earlier and ends later is kept, but it is no news. */
static void late(void **state)
{
	struct fixture *f = *state;
	int now = (int)((time(NULL) - START) / 60);
	struct history *h = open_history(f->path);
	const struct past *past;

	(void)add(h, "hh", now - 10, 1);
	past = add(h, "he", now - 5, 1);
	assert_true(past->changed);
	past = add(h, "tt", now - 8, 1);
	assert_int_equal(past->previous_verdict, VERDICT_DEGRADED);
	assert_false(past->changed);
	assert_int_equal(past->since_ms, MS(now - 5));
	assert_int_equal(past->endpoints[1].previous, CLASS_EXHAUSTED);
	assert_int_equal(past->endpoints[1].since_ms, MS(now - 5));
	past = add(h, "he", now - 2, 1);
	assert_int_equal(past->previous_verdict, VERDICT_DEGRADED);
	assert_false(past->changed);
	assert_int_equal(past->endpoints[0].previous, CLASS_HEALTHY);
	assert_int_equal(past->endpoints[0].since_ms, MS(now - 10));
	/* A clock that was wrong for a while holds up nothing. */
	past = add(h, "he", now + 10000, 1);
	past = add(h, "hh", now - 1, 1);
	assert_true(past->changed);
	close_history(h);
	assert_answer(f->path, "SELECT count(*) FROM results", "6");
}

/* What DNS does not list is kept, and its absence is no change. */
static void absent(void **state)
{
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	const struct past *past;

	(void)add(h, "he", 0, 1);
	past = add(h, "h-", 1, 1);
	assert_int_equal(past->endpoints[0].previous, CLASS_HEALTHY);
	assert_int_equal(past->endpoints[0].since_ms, MS(0));
	past = add(h, "he", 2, 1);
	assert_int_equal(past->endpoints[1].previous, CLASS_EXHAUSTED);
	assert_int_equal(past->endpoints[1].since_ms, MS(0));
	past = add(h, "ht", 3, 1);
	assert_int_equal(past->endpoints[1].previous, CLASS_EXHAUSTED);
	assert_int_equal(past->endpoints[1].since_ms, MS(3));
	close_history(h);
	assert_answer(f->path, "SELECT count(*) FROM endpoints", "2");
	assert_answer(f->path, "SELECT count(*) FROM outcomes", "7");
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
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	struct result r = {.target = "no \xFF target",
			   .error_code = "invalid-target",
			   .started_ms = MS(0),
			   .verdict = VERDICT_UNKNOWN};

	assert_int_equal(history_add(h, &r, 1)->previous_verdict, -1);
	assert_int_equal(history_add(h, &r, 1)->previous_verdict, VERDICT_UNKNOWN);
	close_history(h);
	assert_answer(f->path, "SELECT name FROM targets", "no \xEF\xBF\xBD target");
}

/* Each session of --repeat is there. */
static void repeated(void **state)
{
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	struct result *r = result_of("e", 0);

	fake_sessions((struct contact *)(uintptr_t)r->endpoints[0].contact, 5, 2);
	fake_finish(r);
	(void)history_add(h, r, 1);
	fake_free(r);
	close_history(h);
	assert_answer(f->path,
		      "SELECT group_concat(w.word, ' ') FROM sessions s JOIN words w"
		      " ON w.id = s.class",
		      "healthy healthy exhausted exhausted exhausted");
	assert_answer(f->path, "SELECT sessions || ' ' || healthy FROM outcomes", "5 2");
}

/* ---- keeping ---- */

static void keep(void **state)
{
	struct fixture *f = *state;
	int64_t now = (int64_t)time(NULL) * 1000;
	char *error = NULL;
	struct history *h = open_history(f->path);

	for (int i = 0; i < 500; i++) {
		struct result *r = result_of(i < 450 ? "he" : "ht", 0);

		/* The last fifty are from today. */
		r->started_ms = i < 450 ? now - (30LL * 86400 - i) * 1000 : now - i * 1000;
		(void)history_add(h, r, 1);
		fake_free(r);
	}
	close_history(h);
	assert_answer(f->path, "SELECT count(*) FROM results", "500");
	h = open_history(f->path);
	assert_true(history_close(h, 86400000, &error));
	assert_answer(f->path, "SELECT count(*) FROM results", "50");
	assert_answer(f->path, "SELECT count(*) FROM outcomes", "100");
	assert_answer(f->path, "SELECT count(*) FROM replies", "0");
	assert_answer(f->path, "PRAGMA freelist_count", "0");
	/* Since when things are as they are is not forgotten. */
	h = open_history(f->path);
	assert_int_equal(add(h, "ht", 1000000, 1)->since_ms, now - 30LL * 86400 * 1000);
	close_history(h);
	assert_answer(f->path, "PRAGMA integrity_check", "ok");
}

/* ---- others ---- */

/* A process that holds the file holds up nobody for long, and no row is lost to it. */
static void locked(void **state)
{
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	const struct past *past;
	sqlite3 *db;

	(void)add(h, "hh", 0, 1);
	db = raw(f->path);
	execute(db, "BEGIN IMMEDIATE");
	past = add(h, "he", 1, 1);
	assert_int_equal(past->previous_verdict, VERDICT_HEALTHY);
	assert_true(past->changed);
	assert_int_equal(past->since_ms, MS(1));
	assert_int_equal(past->endpoints[1].previous, CLASS_HEALTHY);
	(void)add(h, "he", 2, 1);
	execute(db, "COMMIT");
	past = add(h, "te", 3, 1);
	assert_int_equal(past->previous_verdict, VERDICT_DEGRADED);
	assert_true(past->changed);
	execute(db, "BEGIN IMMEDIATE");
	(void)add(h, "te", 4, 1);
	execute(db, "COMMIT");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	close_history(h);
	assert_answer(f->path, "SELECT count(*) FROM results", "5");
	assert_answer(f->path, "SELECT count(*) FROM outcomes", "10");
	assert_answer(f->path, "SELECT count(*) FROM runs", "1");
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
	char *before = bytes_of(path, &n), *after;

	assert_refused(path, why);
	after = bytes_of(path, &m);
	assert_int_equal(n, m);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

static void foreign(void **state)
{
	struct fixture *f = *state;
	FILE *text = fopen(f->path, "we");
	sqlite3 *db;

	assert_non_null(text);
	assert_true(fputs("a text of somebody else, longer than the head of an SQLite file: it is "
			  "a hundred octets or more, so that all of them can be read\n",
			  text) > 0);
	assert_int_equal(fclose(text), 0);
	untouched(f->path, "is not a history of mxprobe");
	assert_int_equal(truncate(f->path, 12), 0);
	untouched(f->path, "is not a history of mxprobe");
	assert_int_equal(unlink(f->path), 0);

	db = raw(f->path);
	execute(db, "CREATE TABLE theirs(a); PRAGMA user_version = 1");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	untouched(f->path, "is not a history of mxprobe");

	/* Another's WAL is not even played back. */
	db = raw(f->path);
	execute(db, "PRAGMA journal_mode = WAL; INSERT INTO theirs VALUES(1)");
	untouched(f->path, "is not a history of mxprobe");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_answer(f->path, "SELECT count(*) FROM theirs", "1");
}

static void newer(void **state)
{
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	sqlite3 *db;

	close_history(h);
	db = raw(f->path);
	execute(db, "PRAGMA user_version = 77");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_refused(f->path, "newer mxprobe");
	assert_answer(f->path, "PRAGMA user_version", "77");
}

/* A process killed right after it made the file leaves one without a schema. */
static void begun(void **state)
{
	struct fixture *f = *state;
	FILE *empty = fopen(f->path, "we");
	struct history *h;
	sqlite3 *db;

	assert_non_null(empty);
	assert_int_equal(fclose(empty), 0);
	h = open_history(f->path);
	(void)add(h, "hh", 0, 1);
	close_history(h);
	assert_int_equal(unlink(f->path), 0);

	db = raw(f->path);
	execute(db, "PRAGMA application_id = 1297633346");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	h = open_history(f->path);
	(void)add(h, "hh", 0, 1);
	close_history(h);
	assert_answer(f->path, "SELECT count(*) FROM results", "1");
}

static void elsewhere(void **state)
{
	struct fixture *f = *state;
	char *path = xasprintf("%s/none/history", f->path);

	assert_refused(path, "No such file or directory");
	free(path);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_refused(f->path, "no regular file");
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_refused(f->path, "no regular file"); /* and does not wait for its reader */
	assert_int_equal(unlink(f->path), 0);
	if (geteuid() != 0) {
		struct history *h = open_history(f->path);
		char *error = NULL;

		close_history(h);
		assert_int_equal(chmod(f->path, 0400), 0);
		assert_null(history_open(f->path, &error));
		assert_non_null(strstr(error, "Permission denied"));
		free(error);
	}
}

/* A file that breaks under way: told at the end, and the answers know nothing from then on. */
static void broken(void **state)
{
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	const struct past *past;
	char *error = NULL;
	sqlite3 *db;

	(void)add(h, "hh", 0, 1);
	db = raw(f->path);
	execute(db, "DROP TABLE outcomes");
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
	assert_answer(f->path, "SELECT count(*) FROM results", "1");
}

/* ---- questions ---- */

static struct trend *trend_of(const char *path, const char *name, int from, int to, size_t slices)
{
	const struct trend_query q = {
	    .name = name, .from_ms = MS(from), .to_ms = MS(to), .slices = slices, .phases = true};
	char *error = NULL;
	struct history *h = history_open_read(path, &error);
	struct trend *t;

	assert_non_null(h);
	t = history_trend(h, &q, &error);
	assert_non_null(t);
	close_history(h);
	return t;
}

static void questions(void **state)
{
	static const char *const runs[] = {"hh", "he", "te", "tt", "h-", "hs", "hh", "ht"};
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	const struct trend_row *row;
	struct trend *t;
	char **names, *error = NULL;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(runs); i++)
		(void)add(h, runs[i], (int)i * 10, 1);
	close_history(h);

	t = trend_of(f->path, "example.org", 0, 80, 8);
	assert_int_equal(t->runs, 8);
	assert_int_equal(t->verdicts[VERDICT_HEALTHY], 4);
	assert_int_equal(t->verdicts[VERDICT_DEGRADED], 2);
	assert_int_equal(t->verdicts[VERDICT_FAILING], 2);
	assert_int_equal(t->verdict, VERDICT_DEGRADED);
	assert_int_equal(t->since_ms, MS(70));
	assert_int_equal(t->last_ms, MS(70));
	assert_int_equal(t->n_endpoints, 2);
	assert_int_equal(t->n_hosts, 2);
	row = &t->endpoints[0];
	assert_string_equal(row->host, "mx1.example.org");
	assert_string_equal(row->address, "192.0.2.1");
	assert_int_equal(row->runs, 8);
	assert_int_equal(row->outage_ms, 20 * 60000);
	assert_int_equal(row->median, 180000);
	assert_int_equal(row->p95, 10000000);
	assert_int_equal(row->last_unhealthy.at_ms, MS(30));
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
	assert_int_equal(t->replies[0].first_ms, MS(10));
	assert_int_equal(t->replies[0].last_ms, MS(20));
	assert_int_equal(t->replies[1].count, 4);
	assert_int_equal(t->replies[1].code, 0);
	assert_null(t->replies[1].text);
	trend_free(t);
	trend_free(NULL);

	/* A part of it; the verdict's age is that of the whole. */
	t = trend_of(f->path, "example.org", 35, 65, 1);
	assert_int_equal(t->runs, 3);
	assert_int_equal(t->n_replies, 0);
	assert_int_equal(t->cells[0].worst, VERDICT_HEALTHY);
	trend_free(t);
	t = trend_of(f->path, "unknown.example", 0, 80, 8);
	assert_int_equal(t->runs, 0);
	assert_int_equal(t->since_ms, -1);
	trend_free(t);

	h = history_open_read(f->path, &error);
	names = history_targets(h, &n, &error);
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "example.org");
	free(names[0]);
	free(names);
	close_history(h);
}

/* Whoever may only read may have a report, and leaves nothing behind. */
static void reader(void **state)
{
	struct fixture *f = *state;
	char *folder = xasprintf("%s?#%%", f->path), *path = xasprintf("%s/h", folder);
	struct history *h;
	int status;
	pid_t child;

	assert_int_equal(mkdir(folder, 0755), 0);
	h = open_history(path);
	(void)add(h, "he", 0, 1);
	close_history(h);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(chmod(folder, 0555), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct trend_query q = {"example.org", MS(0), MS(9), 1, false};
		char *error = NULL;
		struct trend *t;

		/* Root may do everything, so it becomes somebody else. */
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		h = history_open_read(path, &error);
		if (!h && strstr(error, "Permission denied"))
			_exit(0); /* not even the folder above is open to others */
		t = h ? history_trend(h, &q, &error) : NULL;
		status = t && t->runs == 1 ? 0 : 1;
		trend_free(t);
		if (!history_close(h, 0, &error))
			status = 3;
		free(path);
		free(folder);
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	free(path);
	free(folder);
}

/* Words that a later version knows: passed over, and nothing else. */
static void unknown_words(void **state)
{
	struct fixture *f = *state;
	struct history *h = open_history(f->path);
	struct trend *t;
	sqlite3 *db;

	(void)add(h, "he", 0, 1);
	(void)add(h, "hh", 1, 1);
	close_history(h);
	db = raw(f->path);
	execute(db, "UPDATE words SET word = 'weary' WHERE word = 'exhausted'");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	t = trend_of(f->path, "example.org", 0, 2, 2);
	assert_int_equal(t->runs, 2);
	assert_int_equal(t->n_replies, 0);
	assert_int_equal(t->endpoints[1].runs, 1);
	trend_free(t);
	/* And ours gets a number again. */
	h = open_history(f->path);
	(void)add(h, "he", 2, 1);
	close_history(h);
	assert_answer(f->path, "SELECT class FROM history ORDER BY started DESC, host DESC LIMIT 1",
		      "exhausted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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

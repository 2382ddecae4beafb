#include "kept/kept.h"

#include "support/lab.h"
#include "support/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

int kept_setup(void **state)
{
	*state = test_path(".history");
	return 0;
}

int kept_teardown(void **state)
{
	remove_history(*state);
	return 0;
}

struct history *kept_open(const char *path)
{
	char *error = NULL;
	struct history *h = history_open(path, &error);

	if (!h)
		fail_msg("%s", error);
	return h;
}

void kept_close(struct history *h)
{
	char *error = NULL;

	if (!history_close(h, 0, &error))
		fail_msg("%s", error);
}

/* ---- the file from outside ---- */

sqlite3 *kept_raw(const char *path)
{
	sqlite3 *db;

	assert_int_equal(
	    sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
	    SQLITE_OK);
	return db;
}

void kept_execute(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

char *kept_ask(const char *path, const char *sql)
{
	sqlite3 *db = kept_raw(path);
	sqlite3_stmt *st;
	const char *answer;
	char *text;

	assert_int_equal(sqlite3_busy_timeout(db, 60000), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	answer = (const char *)sqlite3_column_text(st, 0);
	text = xstrdup(answer ? answer : "null");
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return text;
}

void assert_kept(const char *path, const char *sql, const char *answer)
{
	char *text = kept_ask(path, sql);

	assert_string_equal(text, answer);
	free(text);
}

/* ---- results to be kept ---- */

struct result *kept_result(const char *how, int minutes)
{
	static const char *const hosts[] = {"mx1.example.org", "mx2.example.org"};
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::2"};
	struct result *r = fake_target("example.org", SOURCE_MX);

	r->started_ms = KEPT_MS(minutes);
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

#include "history/inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	APPLICATION_ID = 0x4D585042, /* "MXPB" */
	PATIENCE_ADD_MS = 250,       /* sessions are under way meanwhile */
	PATIENCE_MS = 60000,
	DROP_BATCH = 200 /* results that are dropped in one transaction */
};

/* Each step leads from one user_version to the next. What was released is never changed: a new
 * version appends a step.
 *
 * Numbers of classes and the like are those of the table `words`, so that the file explains itself
 * and outlives any order of ours. Times are milliseconds since 1970, spans microseconds. Outcomes
 * of one result lie together: that is how they are always read. */
static const char *const steps[] = {
    "CREATE TABLE words(id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);"
    "CREATE TABLE runs(id INTEGER PRIMARY KEY, started INTEGER NOT NULL, version TEXT NOT NULL,"
    " helo TEXT);"
    /* verdict, since: the last confirmed one; latest_...: what the last runs in a row agree on,
     * since when, how many, and when the last of them began */
    "CREATE TABLE targets(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, verdict INTEGER,"
    " since INTEGER, latest INTEGER, latest_since INTEGER, latest_runs INTEGER,"
    " latest_at INTEGER);"
    "CREATE TABLE hosts(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE addresses(id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE);"
    /* address 0: an MX host without one */
    "CREATE TABLE endpoints(id INTEGER PRIMARY KEY, target INTEGER NOT NULL, host INTEGER NOT NULL,"
    " address INTEGER NOT NULL, port INTEGER NOT NULL, class INTEGER NOT NULL,"
    " since INTEGER NOT NULL, UNIQUE(target, host, address, port));"
    /* code 0: no reply; the text is then the words of the system or of the TLS library */
    "CREATE TABLE replies(id INTEGER PRIMARY KEY, code INTEGER NOT NULL, enhanced TEXT NOT NULL,"
    " text TEXT NOT NULL, UNIQUE(code, enhanced, text));"
    "CREATE TABLE results(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, target INTEGER NOT NULL,"
    " started INTEGER NOT NULL, elapsed INTEGER NOT NULL, verdict INTEGER NOT NULL,"
    " first_try REAL);"
    "CREATE INDEX results_of_target ON results(target, started);"
    "CREATE INDEX results_by_time ON results(started);"
    "CREATE TABLE outcomes(id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL,"
    " class INTEGER NOT NULL, reason INTEGER NOT NULL, phase INTEGER NOT NULL,"
    " sessions INTEGER NOT NULL, healthy INTEGER NOT NULL, reply INTEGER, total INTEGER,"
    " connect INTEGER, first_byte INTEGER, banner INTEGER, ehlo INTEGER, starttls INTEGER,"
    " tls INTEGER, mail INTEGER, rtt INTEGER);"
    "CREATE INDEX outcomes_with_reply ON outcomes(reply) WHERE reply IS NOT NULL;"
    /* the single sessions of an outcome that had several */
    "CREATE TABLE sessions(outcome INTEGER NOT NULL, n INTEGER NOT NULL, class INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, phase INTEGER NOT NULL, total INTEGER,"
    " PRIMARY KEY(outcome, n)) WITHOUT ROWID;"
    /* for people with an SQL prompt */
    "CREATE VIEW history AS SELECT datetime(r.started / 1000, 'unixepoch') AS started,"
    " t.name AS target, v.word AS verdict, h.name AS host, a.address, e.port, c.word AS class,"
    " s.word AS reason, p.word AS phase, o.sessions, o.healthy, o.total / 1000.0 AS total_ms,"
    " y.code, y.enhanced, y.text FROM results r JOIN targets t ON t.id = r.target"
    " JOIN words v ON v.id = r.verdict"
    " LEFT JOIN outcomes o ON o.id >= r.id << 20 AND o.id < (r.id + 1) << 20"
    " LEFT JOIN endpoints e ON e.id = o.endpoint LEFT JOIN hosts h ON h.id = e.host"
    " LEFT JOIN addresses a ON a.id = e.address LEFT JOIN words c ON c.id = o.class"
    " LEFT JOIN words s ON s.id = o.reason LEFT JOIN words p ON p.id = o.phase"
    " LEFT JOIN replies y ON y.id = o.reply;",

    /* key: a digest, since the URL itself may be a secret */
    "CREATE TABLE destinations(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);"
    /* the verdict that a destination knows of a target */
    "CREATE TABLE told(target INTEGER NOT NULL, destination INTEGER NOT NULL,"
    " verdict INTEGER NOT NULL, PRIMARY KEY(target, destination)) WITHOUT ROWID;"
    /* what is not delivered yet, the oldest first; owner: of the process that does it; '': none */
    "CREATE TABLE letters(n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL,"
    " destination INTEGER NOT NULL, owner TEXT NOT NULL, written INTEGER NOT NULL,"
    " target TEXT NOT NULL, body TEXT NOT NULL);",
};
enum { VERSION = ARRAY_LEN(steps) };

static const char *const statements[] = {
    [ST_ADD_RUN] = "INSERT INTO runs(started, version, helo) VALUES(?, ?, ?)",
    [ST_FIND_TARGET] = "SELECT id, verdict, since, latest, latest_since, latest_runs, latest_at"
		       " FROM targets WHERE name = ?",
    [ST_ADD_TARGET] = "INSERT INTO targets(name) VALUES(?)",
    [ST_SET_TARGET] = "UPDATE targets SET verdict = ?2, since = ?3, latest = ?4, latest_since = ?5,"
		      " latest_runs = ?6, latest_at = ?7 WHERE id = ?1",
    [ST_FIND_HOST] = "SELECT id FROM hosts WHERE name = ?",
    [ST_ADD_HOST] = "INSERT INTO hosts(name) VALUES(?)",
    [ST_FIND_ADDRESS] = "SELECT id FROM addresses WHERE address = ?",
    [ST_ADD_ADDRESS] = "INSERT INTO addresses(address) VALUES(?)",
    [ST_FIND_ENDPOINT] = "SELECT id, class, since FROM endpoints WHERE target = ? AND host = ?"
			 " AND address = ? AND port = ?",
    [ST_ADD_ENDPOINT] = "INSERT INTO endpoints(target, host, address, port, class, since)"
			" VALUES(?, ?, ?, ?, ?, ?)",
    [ST_SET_ENDPOINT] = "UPDATE endpoints SET class = ?2, since = ?3 WHERE id = ?1",
    [ST_FIND_REPLY] = "SELECT id FROM replies WHERE code = ? AND enhanced = ? AND text = ?",
    [ST_ADD_REPLY] = "INSERT INTO replies(code, enhanced, text) VALUES(?, ?, ?)",
    [ST_ADD_RESULT] = "INSERT INTO results(run, target, started, elapsed, verdict, first_try)"
		      " VALUES(?, ?, ?, ?, ?, ?)",
    [ST_ADD_OUTCOME] =
	"INSERT INTO outcomes(id, endpoint, class, reason, phase, sessions, healthy, reply, total,"
	" connect, first_byte, banner, ehlo, starttls, tls, mail, rtt)"
	" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ST_ADD_SESSION] = "INSERT INTO sessions(outcome, n, class, reason, phase, total)"
		       " VALUES(?, ?, ?, ?, ?, ?)",
    [ST_FIND_DESTINATION] = "SELECT id FROM destinations WHERE key = ?",
    [ST_ADD_DESTINATION] = "INSERT INTO destinations(key) VALUES(?)",
    [ST_FIND_TOLD] = "SELECT verdict FROM told WHERE target = ? AND destination = ?",
    [ST_SET_TOLD] = "INSERT OR REPLACE INTO told(target, destination, verdict) VALUES(?, ?, ?)",
    [ST_ADD_LETTER] = "INSERT INTO letters(id, destination, owner, written, target, body)"
		      " VALUES(?, ?, ?, ?, ?, ?)",
    [ST_NEXT_LETTER] = "SELECT n, target, body FROM letters WHERE n > ? AND owner = ?"
		       " ORDER BY n LIMIT 1",
    [ST_DROP_LETTER] = "DELETE FROM letters WHERE n = ?",
};
static_assert(ARRAY_LEN(statements) == STATEMENTS, "each statement has its text");

int64_t history_clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail for this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct statement *history_statement(struct history *h, enum which which)
{
	if (!h->statement[which])
		h->statement[which] = database_prepare(h->db, statements[which]);
	return h->statement[which];
}

/* USEC_NONE is NULL. */
static void bind_span(struct statement *st, int at, usec_t span)
{
	if (span == USEC_NONE)
		bind_null(st, at);
	else
		bind_int(st, at, span);
}

int64_t column_or(struct statement *st, int at, int64_t otherwise)
{
	int64_t value = column_int(st, at); /* of NULL: 0 */

	return !value && column_is_null(st, at) ? otherwise : value;
}

/* Opening */

bool history_available(void)
{
	return database_available();
}

static void history_free(struct history *h)
{
	for (int i = 0; i < STATEMENTS; i++)
		statement_free(h->statement[i]);
	database_close(h->db);
	for (size_t i = 0; i < h->n_waiting; i++)
		entry_fini(&h->waiting[i]);
	free(h->waiting);
	free(h->classes);
	free(h->helo);
	free(h->delivered);
	free(h->path);
	if (h->claimed)
		(void)claim_close(&h->claim); /* nothing was written to it */
	free(h);
}

/* Brings the schema up to date. */
static void migrate(struct history *h)
{
	int64_t version;

	if (database_ask(h->db, "PRAGMA user_version") == VERSION || database_error(h->db))
		return;
	/* All in one transaction: a file that holds anything has our id in its head. That of the
	 * vacuum must come before the first page is made, and waits for others. */
	database_execute(h->db, "BEGIN");
	database_execute(h->db, "PRAGMA auto_vacuum = INCREMENTAL");
	/* Another process may have been faster. */
	version = database_ask(h->db, "PRAGMA user_version");
	if (version > VERSION)
		database_fail(h->db, "was written by a newer mxprobe");
	if (version == 0 && database_ask(h->db, "SELECT count(*) FROM sqlite_master"))
		database_fail(h->db, "is not a history of mxprobe");
	if (version < VERSION) {
		char *numbers = xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
					  (int)APPLICATION_ID, (int)VERSION);

		for (int64_t i = version; i < VERSION; i++)
			database_execute(h->db, steps[i]);
		database_execute(h->db, numbers);
		free(numbers);
	}
	(void)database_commit(h->db); /* its failure is kept */
}

/* Frees it again when opening has failed after all. */
static struct history *opened(struct history *h, char **error)
{
	if (!database_error(h->db))
		return h;
	*error = xstrdup(database_error(h->db));
	history_free(h);
	return NULL;
}

/* What is sorted or undone is not written to a folder for temporary files, which the sandbox does
 * not open up, either. */
static void keep_to_folder(struct database *db)
{
	database_execute(db, "PRAGMA temp_store = MEMORY");
}

struct history *history_open(const char *path, char **error)
{
	struct database *db = database_open(path, APPLICATION_ID, true, error);
	struct history *h;

	if (!db)
		return NULL;
	h = xcalloc(1, sizeof *h);
	h->db = db;
	migrate(h);
	/* A commit is safe from the death of this process without a sync, and the file stays whole
	 * through a loss of power. */
	database_execute(db, "PRAGMA journal_mode = WAL");
	database_execute(db, "PRAGMA synchronous = NORMAL");
	keep_to_folder(db);
	words_complete(&h->words, db);
	h->run_started_ms = history_clock_ms();
	h->path = realpath(path, NULL);
	if (!h->path)
		h->path = xstrdup(path);
	return opened(h, error);
}

struct history *history_open_read(const char *path, char **error)
{
	struct database *db = database_open(path, APPLICATION_ID, false, error);
	struct history *h;
	int64_t version;

	if (!db)
		return NULL;
	h = xcalloc(1, sizeof *h);
	h->db = db;
	version = database_ask(db, "PRAGMA user_version");
	/* What later steps brought is of no use to a report. */
	if (version < 1 || version > VERSION)
		database_fail(db, version > VERSION
				      ? "was written by a newer mxprobe"
				      : "holds nothing this mxprobe knows how to read yet");
	database_execute(db, "PRAGMA query_only = ON");
	database_execute(db, "PRAGMA mmap_size = 1073741824"); /* a year is read in one go */
	keep_to_folder(db);
	words_load(&h->words, db);
	return opened(h, error);
}

/* Changes */

struct state history_state(struct history *h, const char *name)
{
	struct statement *st = history_statement(h, ST_FIND_TARGET);
	struct state s = {.verdict = -1, .since = -1, .latest = -1};

	bind_text(st, 1, name);
	if (statement_step(st)) {
		s.id = column_int(st, 0);
		s.verdict = words_known(h->words.verdict_of, column_or(st, 1, -1));
		s.since = column_or(st, 2, -1);
		s.latest = words_known(h->words.verdict_of, column_or(st, 3, -1));
		s.latest_since = column_int(st, 4);
		s.latest_runs = column_int(st, 5);
		s.latest_at = column_int(st, 6);
	}
	statement_reset(st);
	return s;
}

/* Another run that began later was faster: what is older is kept, but it is no news. A moment that
 * has not come yet is the trace of a wrong clock, and holds up nothing. */
static bool is_late(const struct state *s, const struct entry *e)
{
	return s->latest >= 0 && e->started_ms < s->latest_at && s->latest_at <= history_clock_ms();
}

/* What this result makes of it. The first verdict of all needs nobody to agree. */
static void advance(struct state *s, const struct entry *e, struct past *past)
{
	if (is_late(s, e)) {
		*past = (struct past){.previous_verdict = s->verdict, .since_ms = s->since};
		return;
	}
	s->latest_at = e->started_ms;
	if (s->latest == (int)e->verdict) {
		s->latest_runs++;
	} else {
		s->latest = (int)e->verdict;
		s->latest_since = e->started_ms;
		s->latest_runs = 1;
	}
	past->previous_verdict = s->verdict;
	past->changed = s->verdict >= 0 && s->verdict != s->latest && s->latest_runs >= e->confirm;
	if (past->changed || s->verdict < 0) {
		s->verdict = s->latest;
		s->since = s->latest_since;
	}
	past->since_ms = s->since;
}

int64_t history_find(struct history *h, enum which which, const char *text)
{
	struct statement *st = history_statement(h, which);
	int64_t id;

	bind_text(st, 1, text);
	id = statement_step(st) ? column_int(st, 0) : 0;
	statement_reset(st);
	return id;
}

int64_t history_find_or_add(struct history *h, enum which find, enum which add, const char *text)
{
	int64_t id = history_find(h, find, text);
	struct statement *st;

	if (id || database_error(h->db))
		return id;
	st = history_statement(h, add);
	bind_text(st, 1, text);
	statement_run(st);
	return database_error(h->db) ? 0 : database_last_id(h->db);
}

struct known_endpoint {
	int64_t id; /* 0: it is not there */
	int class;
	int64_t since;
};

static struct known_endpoint find_endpoint(struct history *h, int64_t target, int64_t host,
					   int64_t address, uint16_t port)
{
	struct statement *st = history_statement(h, ST_FIND_ENDPOINT);
	struct known_endpoint k = {0, -1, -1};

	bind_int(st, 1, target);
	bind_int(st, 2, host);
	bind_int(st, 3, address);
	bind_int(st, 4, port);
	if (statement_step(st)) {
		k.id = column_int(st, 0);
		k.class = words_known(h->words.class_of, column_int(st, 1));
		k.since = column_int(st, 2);
	}
	statement_reset(st);
	return k;
}

static void compare(const struct known_endpoint *k, const struct entry *e, const struct outcome *o,
		    struct past_class *past)
{
	past->previous = k->class;
	past->since_ms = k->class == (int)o->class ? k->since : e->started_ms;
}

/* The answer without writing: what others have committed so far. */
static void foresee(struct history *h, struct entry *e)
{
	struct state s = history_state(h, e->name);

	for (size_t i = 0; i < e->n_outcomes; i++) {
		const struct outcome *o = &e->outcomes[i];
		int64_t host = history_find(h, ST_FIND_HOST, o->host);
		int64_t address = o->address ? history_find(h, ST_FIND_ADDRESS, o->address) : 0;
		struct known_endpoint k = find_endpoint(h, s.id, host, address, o->port);

		compare(&k, e, o, &h->classes[i]);
	}
	e->speaks &= !is_late(&s, e);
	advance(&s, e, &h->past);
	h->past.endpoints = h->classes;
	letter_decide(h, e, &s, &h->past);
}

static int64_t write_endpoint(struct history *h, int64_t target, bool late, const struct entry *e,
			      const struct outcome *o, struct past_class *past)
{
	int64_t host = history_find_or_add(h, ST_FIND_HOST, ST_ADD_HOST, o->host);
	int64_t address =
	    o->address ? history_find_or_add(h, ST_FIND_ADDRESS, ST_ADD_ADDRESS, o->address) : 0;
	struct known_endpoint k = find_endpoint(h, target, host, address, o->port);
	struct statement *st;

	compare(&k, e, o, past);
	if (k.id && late)
		past->since_ms = k.since;
	if (k.id && (late || k.class == (int)o->class))
		return k.id;
	st = history_statement(h, k.id ? ST_SET_ENDPOINT : ST_ADD_ENDPOINT);
	if (k.id) {
		bind_int(st, 1, k.id);
		bind_int(st, 2, h->words.class_id[o->class]);
		bind_int(st, 3, past->since_ms);
	} else {
		bind_int(st, 1, target);
		bind_int(st, 2, host);
		bind_int(st, 3, address);
		bind_int(st, 4, o->port);
		bind_int(st, 5, h->words.class_id[o->class]);
		bind_int(st, 6, past->since_ms);
	}
	statement_run(st);
	return k.id ? k.id : database_last_id(h->db);
}

static void bind_reply(struct statement *st, const struct outcome *o)
{
	bind_int(st, 1, o->code);
	bind_text(st, 2, o->enhanced);
	bind_text(st, 3, o->text);
}

static int64_t write_reply(struct history *h, const struct outcome *o)
{
	struct statement *st;
	int64_t id;

	if (!o->text)
		return 0;
	st = history_statement(h, ST_FIND_REPLY);
	bind_reply(st, o);
	id = statement_step(st) ? column_int(st, 0) : 0;
	statement_reset(st);
	if (id || database_error(h->db))
		return id;
	st = history_statement(h, ST_ADD_REPLY);
	bind_reply(st, o);
	statement_run(st);
	return database_last_id(h->db);
}

static void write_outcome(struct history *h, int64_t id, int64_t endpoint, const struct outcome *o)
{
	const struct timing *t = &o->timing;
	const usec_t spans[] = {t->total,    t->connect, t->first_byte, t->banner, t->ehlo,
				t->starttls, t->tls,     t->mail,       o->rtt};
	int64_t reply = write_reply(h, o);
	struct statement *st = history_statement(h, ST_ADD_OUTCOME);

	bind_int(st, 1, id);
	bind_int(st, 2, endpoint);
	bind_int(st, 3, h->words.class_id[o->class]);
	bind_int(st, 4, h->words.reason_id[o->reason]);
	bind_int(st, 5, h->words.phase_id[o->phase]);
	bind_int(st, 6, o->sessions);
	bind_int(st, 7, o->healthy);
	bind_span(st, 8, reply ? reply : USEC_NONE);
	for (size_t i = 0; i < ARRAY_LEN(spans); i++)
		bind_span(st, 9 + (int)i, spans[i]);
	statement_run(st);
	for (unsigned i = 0; o->draws && i < o->sessions; i++) {
		st = history_statement(h, ST_ADD_SESSION);
		bind_int(st, 1, id);
		bind_int(st, 2, i);
		bind_int(st, 3, h->words.class_id[o->draws[i].class]);
		bind_int(st, 4, h->words.reason_id[o->draws[i].reason]);
		bind_int(st, 5, h->words.phase_id[o->draws[i].phase]);
		bind_span(st, 6, o->draws[i].total);
		statement_run(st);
	}
}

/* One row a process, made together with its first result. */
static void write_run(struct history *h)
{
	struct statement *st;

	if (h->run)
		return;
	st = history_statement(h, ST_ADD_RUN);
	bind_int(st, 1, h->run_started_ms);
	bind_text(st, 2, MXPROBE_VERSION);
	bind_text(st, 3, h->helo);
	statement_run(st);
	h->run = database_last_id(h->db);
}

static void write_entry(struct history *h, struct entry *e, struct past *past,
			struct past_class *classes)
{
	struct state s = history_state(h, e->name);
	bool late = is_late(&s, e);
	struct statement *st;
	int64_t id;

	write_run(h);
	if (!s.id)
		s.id = history_find_or_add(h, ST_FIND_TARGET, ST_ADD_TARGET, e->name);
	advance(&s, e, past);
	st = history_statement(h, ST_SET_TARGET);
	bind_int(st, 1, s.id);
	bind_int(st, 2, h->words.verdict_id[s.verdict]);
	bind_int(st, 3, s.since);
	bind_int(st, 4, h->words.verdict_id[s.latest]);
	bind_int(st, 5, s.latest_since);
	bind_int(st, 6, s.latest_runs);
	bind_int(st, 7, s.latest_at);
	statement_run(st);
	st = history_statement(h, ST_ADD_RESULT);
	bind_int(st, 1, h->run);
	bind_int(st, 2, s.id);
	bind_int(st, 3, e->started_ms);
	bind_int(st, 4, e->elapsed);
	bind_int(st, 5, h->words.verdict_id[e->verdict]);
	if (e->first_try >= 0)
		bind_real(st, 6, e->first_try);
	else
		bind_null(st, 6);
	statement_run(st);
	id = database_last_id(h->db);
	for (size_t i = 0; i < e->n_outcomes && !database_error(h->db); i++) {
		int64_t endpoint = write_endpoint(h, s.id, late, e, &e->outcomes[i], &classes[i]);

		write_outcome(h, id << OUTCOME_BITS | (int64_t)i, endpoint, &e->outcomes[i]);
	}
	e->speaks &= !late;
	past->endpoints = classes;
	letter_decide(h, e, &s, past);
	letter_keep(h, e, s.id);
}

/* What the last entry is to whom is told. */
static void take_event(struct history *h)
{
	const struct entry *e = &h->waiting[h->n_waiting - 1];

	h->event = e->event;
	h->event_kept = e->news;
}

/* All that waits, in one transaction; the answer is that of the last one. False: it still waits. */
static bool write_waiting(struct history *h)
{
	int64_t run_before = h->run;

	if (database_error(h->db) || !h->n_waiting || !database_begin(h->db))
		return false;
	for (size_t i = 0; i < h->n_waiting; i++) {
		struct entry *e = &h->waiting[i];
		bool last = i == h->n_waiting - 1;
		struct past past;
		struct past_class *classes =
		    last ? h->classes : xcalloc(e->n_outcomes + 1, sizeof *classes);

		write_entry(h, e, last ? &h->past : &past, classes);
		if (!last)
			free(classes);
	}
	if (!database_commit(h->db)) {
		h->run = run_before;
		return false;
	}
	take_event(h);
	for (size_t i = 0; i < h->n_waiting; i++)
		entry_fini(&h->waiting[i]);
	free(h->waiting);
	h->waiting = NULL;
	h->n_waiting = 0;
	return true;
}

/* The same where nothing is known of the target. */
static void event_alone(struct history *h, const struct result *r)
{
	const struct event_facts facts = {.when = h->letters.when,
					  .verdict = r->verdict,
					  .speaks = event_speaks(r),
					  .confirmed = -1,
					  .told = -1};

	h->event = h->tells ? event_of(&facts, &h->event_kept) : EVENT_NONE;
	h->event_kept = false;
}

const struct past *history_add(struct history *h, const struct result *r, unsigned confirm)
{
	struct entry *e;

	h->past = (struct past){.previous_verdict = -1, .since_ms = -1};
	event_alone(h, r);
	if (database_error(h->db))
		return &h->past;
	if (!h->helo && r->helo)
		h->helo = entry_text(r->helo, strlen(r->helo));
	e = ARRAY_ADD(h->waiting, h->n_waiting);
	entry_init(e, r, confirm);
	h->classes = xreallocarray(h->classes, r->n_endpoints + 1, sizeof *h->classes);
	for (size_t i = 0; i < r->n_endpoints; i++)
		h->classes[i] = (struct past_class){-1, -1};
	database_wait(h->db, PATIENCE_ADD_MS);
	h->adding = r;
	if (!write_waiting(h) && !database_error(h->db)) {
		foresee(h, &h->waiting[h->n_waiting - 1]);
		take_event(h);
	}
	h->adding = NULL;
	if (database_error(h->db)) {
		h->past = (struct past){.previous_verdict = -1, .since_ms = -1};
		event_alone(h, r);
	} else {
		h->past.endpoints = h->classes;
	}
	return &h->past;
}

/* Dropping */

/* One batch of what began before `until`; false: there is none left, or it failed. */
static bool drop_some(struct history *h, int64_t until)
{
	int64_t ids[DROP_BATCH];
	int n = 0;
	struct statement *find =
	    database_prepare(h->db, "SELECT id FROM results WHERE started < ? LIMIT 200");
	struct statement *drop[3] = {
	    database_prepare(h->db, "DELETE FROM sessions WHERE outcome >= ?1 AND outcome < ?2"),
	    database_prepare(h->db, "DELETE FROM outcomes WHERE id >= ?1 AND id < ?2"),
	    database_prepare(h->db, "DELETE FROM results WHERE id = ?1 >> 20"),
	};
	bool begun = database_begin(h->db);

	bind_int(find, 1, until);
	while (begun && n < DROP_BATCH && statement_step(find))
		ids[n++] = column_int(find, 0);
	statement_reset(find);
	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(drop); k++) {
			bind_int(drop[k], 1, ids[i] << OUTCOME_BITS);
			if (k < 2)
				bind_int(drop[k], 2, (ids[i] + 1) << OUTCOME_BITS);
			statement_run(drop[k]);
		}
	}
	for (size_t k = 0; k < ARRAY_LEN(drop); k++)
		statement_free(drop[k]);
	statement_free(find);
	return begun && database_commit(h->db) && n > 0;
}

/* Results with their outcomes, then what nothing refers to any more. Targets and endpoints stay:
 * since when they are as they are does not depend on what is kept. */
static void drop_before(struct history *h, int64_t until)
{
	bool any = false;
	char *runs;

	while (!database_error(h->db) && drop_some(h, until))
		any = true;
	if (!any)
		return;
	/* A run of many targets may have begun long before its last result. */
	runs = xasprintf("DELETE FROM runs WHERE started < %lld AND id <"
			 " (SELECT run FROM results ORDER BY id LIMIT 1)",
			 (long long)(until - 86400000));
	database_execute(h->db, runs);
	free(runs);
	database_execute(h->db, "DELETE FROM replies WHERE NOT EXISTS"
				" (SELECT 1 FROM outcomes WHERE reply = replies.id)");
	/* Pages of a few runs are used again by the next ones; only much is given back. */
	if (database_ask(h->db, "PRAGMA freelist_count") * 5 >
	    database_ask(h->db, "PRAGMA page_count"))
		database_execute(h->db, "PRAGMA incremental_vacuum");
}

void history_begin_run(struct history *h)
{
	h->run = 0;
	h->run_started_ms = history_clock_ms();
}

bool history_flush(struct history *h, int64_t keep_ms, char **error)
{
	if (!h)
		return true;
	database_wait(h->db, PATIENCE_MS);
	if (!database_error(h->db) && h->n_waiting && !write_waiting(h))
		database_fail_busy(h->db);
	if (keep_ms && !database_error(h->db))
		drop_before(h, history_clock_ms() - keep_ms);
	if (!database_error(h->db))
		return true;
	*error = xstrdup(database_error(h->db));
	return false;
}

bool history_close(struct history *h, int64_t keep_ms, char **error)
{
	bool good = history_flush(h, keep_ms, error);

	if (!h)
		return true;
	letters_end(h);
	if (good && database_error(h->db)) {
		*error = xstrdup(database_error(h->db));
		good = false;
	}
	history_free(h);
	return good;
}

#include "history/history.h"

#ifndef HAVE_SQLITE

bool history_available(void)
{
	return false;
}

struct history *history_open(const char *path, char **error)
{
	(void)path;
	*error = xstrdup("history: this mxprobe was built without SQLite");
	return NULL;
}

struct history *history_open_read(const char *path, char **error)
{
	return history_open(path, error);
}

const struct past *history_add(struct history *h, const struct result *r, unsigned confirm)
{
	static const struct past nothing = {.previous_verdict = -1, .since_ms = -1};

	(void)h, (void)r, (void)confirm;
	return &nothing;
}

bool history_close(struct history *h, int64_t keep_ms, char **error)
{
	(void)h, (void)keep_ms, (void)error;
	return true;
}

char *history_name(const char *text, size_t n, uint16_t default_port)
{
	(void)text, (void)n, (void)default_port;
	return NULL;
}

char **history_targets(struct history *h, size_t *n, char **error)
{
	(void)h, (void)error;
	*n = 0;
	return NULL;
}

struct trend *history_trend(struct history *h, const struct trend_query *q, char **error)
{
	(void)h, (void)q, (void)error;
	return NULL;
}

#else

#include "base/text.h"
#include "history/gather.h"
#include "run/target.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#define LIBSQLITE "libsqlite3.0.dylib"
#else
#define LIBSQLITE "libsqlite3.so.0"
#endif

/* Linking it makes every start of the program a tenth slower, whether it keeps a history or not. */
#define FUNCTIONS(f)                                                                         \
	f(open_v2) f(close) f(exec) f(prepare_v2) f(step) f(reset) f(finalize) f(bind_int64) \
	    f(bind_double) f(bind_text) f(bind_null) f(column_int64) f(column_double)        \
		f(column_text) f(column_type) f(errmsg) f(errstr) f(extended_errcode)        \
		    f(busy_handler) f(db_readonly) f(last_insert_rowid) f(get_autocommit)

static struct {
#define DECLARE(name) __typeof__(sqlite3_##name) *name;
	FUNCTIONS(DECLARE)
} sql;

bool history_available(void)
{
	static void *library;

	if (library)
		return true;
	library = dlopen(LIBSQLITE, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return false;
		/* A function of the interface that is missing makes the library none. */
#define FIND(name)                                                      \
	*(void **)(void *)&sql.name = dlsym(library, "sqlite3_" #name); \
	if (!sql.name) {                                                \
		(void)dlclose(library);                                 \
		library = NULL;                                         \
		return false;                                           \
	}
	FUNCTIONS(FIND)
	return true;
}

enum {
	APPLICATION_ID = 0x4D585042, /* "MXPB" */
	OUTCOME_BITS = 20,           /* an outcome's id is its result's, and its place there */
	TEXT_MAX = 2000,             /* octets of a reply that are kept */
	PATIENCE_ADD_MS = 250,       /* sessions are under way meanwhile */
	PATIENCE_MS = 60000,
	SLEEP_MAX_MS = 10,
	DROP_BATCH = 200, /* results that are dropped in one transaction */
	WORD_IDS = 256
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
};
enum { VERSION = ARRAY_LEN(steps) };

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_ADD_RUN,
	ST_FIND_TARGET,
	ST_ADD_TARGET,
	ST_SET_TARGET,
	ST_FIND_HOST,
	ST_ADD_HOST,
	ST_FIND_ADDRESS,
	ST_ADD_ADDRESS,
	ST_FIND_ENDPOINT,
	ST_ADD_ENDPOINT,
	ST_SET_ENDPOINT,
	ST_FIND_REPLY,
	ST_ADD_REPLY,
	ST_ADD_RESULT,
	ST_ADD_OUTCOME,
	ST_ADD_SESSION,
	STATEMENTS
};

static const char *const statements[] = {
    [ST_BEGIN] = "BEGIN IMMEDIATE",
    [ST_COMMIT] = "COMMIT",
    [ST_ROLLBACK] = "ROLLBACK",
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
};
static_assert(ARRAY_LEN(statements) == STATEMENTS, "each statement has its text");

/* What is written of one endpoint, on its own feet. */
struct outcome {
	char *host, *address; /* address NULL: none */
	uint16_t port;
	enum class class;
	enum reason reason;
	enum phase phase;
	unsigned sessions, healthy;
	int code;
	char *enhanced, *text; /* text NULL: neither reply nor words */
	struct timing timing;
	usec_t rtt;
	struct draw *draws; /* NULL: one session, that says it all */
};

/* What is written of one result. The result itself is gone when it has to wait. */
struct entry {
	char *name;
	int64_t started_ms;
	usec_t elapsed;
	enum verdict verdict;
	double first_try; /* -1: null */
	unsigned confirm;
	struct outcome *outcomes;
	size_t n_outcomes;
};

struct history {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statement[STATEMENTS];
	int64_t patience; /* until when others are waited for, on the monotonic clock, ms */
	char *error;      /* the first failure, sticky */
	int64_t run;      /* id; 0: nothing was written yet */
	int64_t run_started_ms;
	char *helo;
	struct entry *waiting;
	size_t n_waiting;
	struct past past;
	struct past_class *classes;
	/* ids in `words` */
	int class_word[CLASSES], reason_word[REASONS], phase_word[PHASES], verdict_word[VERDICTS];
	short word_class[WORD_IDS], word_reason[WORD_IDS], word_verdict[WORD_IDS]; /* -1: none */
};

static int64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail for these clocks */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void be_patient(struct history *h, int ms)
{
	h->patience = clock_ms(CLOCK_MONOTONIC) + ms;
}

static bool pause_for(struct history *h, int count)
{
	long ms = count < SLEEP_MAX_MS ? count + 1 : SLEEP_MAX_MS;
	struct timespec ts = {.tv_nsec = ms * 1000000};

	if (clock_ms(CLOCK_MONOTONIC) >= h->patience)
		return false;
	(void)nanosleep(&ts, NULL); /* shorter is fine */
	return true;
}

static int on_busy(void *arg, int count)
{
	return pause_for(arg, count);
}

static bool is_busy(int rc)
{
	return (rc & 0xFF) == SQLITE_BUSY || (rc & 0xFF) == SQLITE_PROTOCOL;
}

/* Keeps the first failure, in SQLite's words. */
static void fail(struct history *h, int rc)
{
	const char *words = h->db ? sql.errmsg(h->db) : sql.errstr(rc);

	if (h->error)
		return;
	if (is_busy(rc))
		words = "another process does not let go of it";
	h->error = xasprintf("history '%s': %s", h->path, words);
}

/* Statements. All return false (or NULL) once anything has failed, so that only the end of a
 * sequence needs to be looked at. */

static bool execute(struct history *h, const char *text)
{
	int rc = SQLITE_OK;

	if (h->error)
		return false;
	for (int i = 0;; i++) {
		rc = sql.exec(h->db, text, NULL, NULL, NULL);
		/* The switch to WAL, and a look into a file that is just being closed, do not ask
		 * the busy handler. */
		if (!is_busy(rc) || !pause_for(h, i))
			break;
	}
	if (rc != SQLITE_OK)
		fail(h, rc);
	return rc == SQLITE_OK;
}

static sqlite3_stmt *prepare(struct history *h, const char *text)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_OK;

	if (h->error)
		return NULL;
	for (int i = 0;; i++) {
		rc = sql.prepare_v2(h->db, text, -1, &st, NULL);
		if (!is_busy(rc) || !pause_for(h, i))
			break;
	}
	if (rc != SQLITE_OK)
		fail(h, rc);
	return st;
}

static sqlite3_stmt *get(struct history *h, enum statement which)
{
	if (!h->statement[which])
		h->statement[which] = prepare(h, statements[which]);
	return h->statement[which];
}

/* True: a row is there. */
static bool step(struct history *h, sqlite3_stmt *st)
{
	int rc;

	if (!st || h->error)
		return false;
	rc = sql.step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(h, rc);
	return rc == SQLITE_ROW;
}

/* Runs a statement that gives no rows, and makes it ready for the next time. */
static void run(struct history *h, sqlite3_stmt *st)
{
	(void)step(h, st); /* its failure is kept */
	if (st)
		(void)sql.reset(st); /* tells of the same failure again */
}

static void bind_int(sqlite3_stmt *st, int at, int64_t value)
{
	if (st)
		(void)sql.bind_int64(st, at, value); /* places exist: they are in our own text */
}

/* USEC_NONE is NULL. */
static void bind_span(sqlite3_stmt *st, int at, usec_t span)
{
	if (!st)
		return;
	if (span == USEC_NONE)
		(void)sql.bind_null(st, at); /* as above */
	else
		(void)sql.bind_int64(st, at, span);
}

/* The text stays where it is until the statement has run. */
static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
	if (st)
		(void)sql.bind_text(st, at, text, -1, SQLITE_STATIC); /* as above */
}

static char *column_text(sqlite3_stmt *st, int at)
{
	const unsigned char *text = sql.column_text(st, at);

	return xstrdup(text ? (const char *)text : "");
}

static int64_t column_or(sqlite3_stmt *st, int at, int64_t otherwise)
{
	int64_t value = sql.column_int64(st, at); /* of NULL: 0 */

	return !value && sql.column_type(st, at) == SQLITE_NULL ? otherwise : value;
}

/* The single number that a question has for an answer. */
static int64_t ask(struct history *h, const char *text)
{
	sqlite3_stmt *st = prepare(h, text);
	int64_t value = step(h, st) ? sql.column_int64(st, 0) : 0;

	if (st)
		(void)sql.finalize(st); /* tells of the same failure again */
	return value;
}

/* Transactions */

/* False without an error: the others did not let go. */
static bool begin(struct history *h)
{
	sqlite3_stmt *st = get(h, ST_BEGIN);
	int rc;

	if (!st)
		return false;
	for (int i = 0;; i++) {
		rc = sql.step(st);
		(void)sql.reset(st); /* as above */
		if (!is_busy(rc) || !pause_for(h, i))
			break;
	}
	if (rc != SQLITE_DONE && !is_busy(rc))
		fail(h, rc);
	return rc == SQLITE_DONE;
}

static bool end_transaction(struct history *h)
{
	sqlite3_stmt *st = get(h, ST_COMMIT);
	int rc;

	for (int i = 0; st && !h->error; i++) {
		rc = sql.step(st);
		(void)sql.reset(st); /* as above */
		if (rc == SQLITE_DONE)
			return true;
		if (!is_busy(rc) || !pause_for(h, i))
			fail(h, rc);
	}
	if (!sql.get_autocommit(h->db))
		(void)sql.exec(h->db, "ROLLBACK", NULL, NULL, NULL); /* the first failure counts */
	return false;
}

/* Opening */

static char *problem(const char *path, const char *words)
{
	return xasprintf("history '%s': %s", path, words);
}

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Looks at the file without SQLite, which might write to it (take up a journal that lies beside
 * it) before it could be asked. The application id stands in the file itself from its first
 * transaction on: that one is made before the file is switched to WAL. With `create`, it must be
 * writable, and is made when it is not there. NULL: ours, or empty; else what is wrong (caller
 * frees). */
static char *examine(const char *path, bool create)
{
	unsigned char head[100];
	struct stat st;
	ssize_t n;
	int fd;

	/* Opening something else may wait for ever. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return problem(path, "is no regular file");
	fd = create ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666)
		    : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return problem(path, strerror(errno));
	n = read(fd, head, sizeof head);
	(void)close(fd); /* was only read */
	if (n < 0)
		return problem(path, strerror(errno));
	if (n == 0)
		return create ? NULL : problem(path, "is empty");
	if (n < (ssize_t)sizeof head || memcmp(head, "SQLite format 3", 16) != 0 ||
	    big_endian(head + 68) != APPLICATION_ID)
		return problem(path, "is not a history of mxprobe, and was not touched");
	return NULL;
}

static void free_outcome(struct outcome *o)
{
	free(o->host);
	free(o->address);
	free(o->enhanced);
	free(o->text);
	free(o->draws);
}

static void entry_fini(struct entry *e)
{
	for (size_t i = 0; i < e->n_outcomes; i++)
		free_outcome(&e->outcomes[i]);
	free(e->outcomes);
	free(e->name);
}

static void history_free(struct history *h)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (h->statement[i])
			(void)sql.finalize(h->statement[i]); /* its failure was told */
	if (h->db)
		(void)sql.close(h->db); /* all statements are finalized: it cannot refuse */
	for (size_t i = 0; i < h->n_waiting; i++)
		entry_fini(&h->waiting[i]);
	free(h->waiting);
	free(h->classes);
	free(h->helo);
	free(h->path);
	free(h->error);
	free(h);
}

/* Brings the schema up to date. */
static void migrate(struct history *h)
{
	int64_t version;

	if (ask(h, "PRAGMA user_version") == VERSION || h->error)
		return;
	/* All in one transaction: a file that holds anything has our id in its head. That of the
	 * vacuum must come before the first page is made, and waits for others. */
	execute(h, "BEGIN");
	execute(h, "PRAGMA auto_vacuum = INCREMENTAL");
	version = ask(h, "PRAGMA user_version"); /* another process may have been faster */
	if (version > VERSION && !h->error)
		h->error = problem(h->path, "was written by a newer mxprobe");
	if (version == 0 && ask(h, "SELECT count(*) FROM sqlite_master") && !h->error)
		h->error = problem(h->path, "is not a history of mxprobe");
	if (version < VERSION) {
		char *numbers = xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
					  (int)APPLICATION_ID, (int)VERSION);

		for (int64_t i = version; i < VERSION; i++)
			execute(h, steps[i]);
		execute(h, numbers);
		free(numbers);
	}
	(void)end_transaction(h); /* its failure is kept */
}

/* Words and numbers */

typedef const char *name_of(int);

static const char *name_of_class(int i)
{
	return class_name((enum class)i);
}
static const char *name_of_reason(int i)
{
	return reason_name((enum reason)i);
}
static const char *name_of_phase(int i)
{
	return phase_name((enum phase)i);
}
static const char *name_of_verdict(int i)
{
	return verdict_name((enum verdict)i);
}

static int find_name(name_of *name, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name(i), word) == 0)
			return i;
	return -1;
}

static void learn(int *words, int number, int64_t id)
{
	if (number >= 0)
		words[number] = (int)id;
}

static void load_words(struct history *h)
{
	sqlite3_stmt *st = prepare(h, "SELECT id, word FROM words");

	memset(h->word_class, -1, sizeof h->word_class);
	memset(h->word_reason, -1, sizeof h->word_reason);
	memset(h->word_verdict, -1, sizeof h->word_verdict);
	while (step(h, st)) {
		int64_t id = sql.column_int64(st, 0);
		const char *word = (const char *)sql.column_text(st, 1);

		if (id < 0 || id >= WORD_IDS || !word)
			continue;
		h->word_class[id] = (short)find_name(name_of_class, CLASSES, word);
		h->word_reason[id] = (short)find_name(name_of_reason, REASONS, word);
		h->word_verdict[id] = (short)find_name(name_of_verdict, VERDICTS, word);
		learn(h->class_word, h->word_class[id], id);
		learn(h->reason_word, h->word_reason[id], id);
		learn(h->verdict_word, h->word_verdict[id], id);
		learn(h->phase_word, find_name(name_of_phase, PHASES, word), id);
	}
	if (st)
		(void)sql.finalize(st); /* as above */
}

static void add_words(struct history *h, name_of *name, int n, const int *ids)
{
	sqlite3_stmt *st = NULL;

	for (int i = 0; i < n; i++) {
		if (ids[i])
			continue;
		if (!st)
			st = prepare(h, "INSERT OR IGNORE INTO words(word) VALUES(?)");
		bind_text(st, 1, name(i));
		run(h, st);
	}
	if (st)
		(void)sql.finalize(st); /* as above */
}

static bool words_missing(const int *ids, int n)
{
	for (int i = 0; i < n; i++)
		if (!ids[i])
			return true;
	return false;
}

/* Gives every name of ours its number in the file. */
static void know_words(struct history *h)
{
	load_words(h);
	if (!words_missing(h->class_word, CLASSES) && !words_missing(h->reason_word, REASONS) &&
	    !words_missing(h->phase_word, PHASES) && !words_missing(h->verdict_word, VERDICTS))
		return;
	if (!begin(h)) {
		fail(h, SQLITE_BUSY);
		return;
	}
	add_words(h, name_of_class, CLASSES, h->class_word);
	add_words(h, name_of_reason, REASONS, h->reason_word);
	add_words(h, name_of_phase, PHASES, h->phase_word);
	add_words(h, name_of_verdict, VERDICTS, h->verdict_word);
	if (end_transaction(h))
		load_words(h);
}

static struct history *opened(struct history *h, char **error)
{
	if (!h->error)
		return h;
	*error = h->error;
	h->error = NULL;
	history_free(h);
	return NULL;
}

static struct history *open_file(const char *path, bool create, int flags, char **error)
{
	struct history *h;
	int rc;

	if (!history_available()) {
		*error = problem(path, "SQLite's library cannot be loaded");
		return NULL;
	}
	*error = examine(path, create);
	if (*error)
		return NULL;
	h = xcalloc(1, sizeof *h);
	/* SQLite takes a colon in front for a name of its own. */
	h->path = *path == ':' ? xasprintf("./%s", path) : xstrdup(path);
	rc = sql.open_v2(h->path, &h->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		fail(h, rc);
	else
		(void)sql.busy_handler(h->db, on_busy, h); /* cannot fail */
	be_patient(h, PATIENCE_MS);
	return h;
}

struct history *history_open(const char *path, char **error)
{
	struct history *h =
	    open_file(path, true, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);

	if (!h)
		return NULL;
	/* SQLite falls back to reading by itself. */
	if (!h->error && sql.db_readonly(h->db, "main") > 0)
		h->error = problem(path, "cannot be written");
	migrate(h);
	/* A commit is safe from the death of this process without a sync, and the file stays whole
	 * through a loss of power. */
	execute(h, "PRAGMA journal_mode = WAL");
	execute(h, "PRAGMA synchronous = NORMAL");
	know_words(h);
	h->run_started_ms = clock_ms(CLOCK_REALTIME);
	return opened(h, error);
}

struct history *history_open_read(const char *path, char **error)
{
	/* One that may write puts its side files away at the end. */
	int flags = access(path, W_OK) == 0 ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	struct history *h = open_file(path, false, flags, error);
	int64_t version;

	if (!h)
		return NULL;
	version = ask(h, "PRAGMA user_version");
	if (version != VERSION && !h->error)
		h->error = problem(path, version > VERSION
					     ? "was written by a newer mxprobe"
					     : "holds nothing this mxprobe knows how to read yet");
	execute(h, "PRAGMA query_only = ON");
	execute(h, "PRAGMA mmap_size = 1073741824"); /* a year is read in one go */
	load_words(h);
	return opened(h, error);
}

/* From result to entry */

static char *target_name(const struct target *t)
{
	bool plain = t->port == 25;
	const char *six = t->kind == TARGET_LITERAL && t->addr.family == AF_INET6 ? "IPv6:" : "";

	if (t->kind == TARGET_DOMAIN)
		return plain ? xstrdup(t->domain) : xasprintf("%s:%u", t->domain, t->port);
	return plain ? xasprintf("[%s%s]", six, t->domain)
		     : xasprintf("[%s%s]:%u", six, t->domain, t->port);
}

char *history_name(const char *text, size_t n, uint16_t default_port)
{
	struct target t;
	char *error = target_parse(&t, text, n, default_port), *name;

	if (error) {
		free(error);
		return NULL;
	}
	name = target_name(&t);
	target_fini(&t);
	return name;
}

static char *valid_text(const char *s, size_t n)
{
	struct buf safe = {0};

	text_utf8(&safe, s, n, 0);
	return buf_steal(&safe);
}

static void take_reply(struct outcome *o, const struct observation *seen)
{
	char enhanced[ENHANCED_STRLEN] = "";
	const struct reply *reply = &seen->reply;
	bool has_enhanced;
	struct buf text = {0};
	const char *line;
	size_t n;

	if (!reply->code || reply->code / 100 == 2) {
		const char *words = seen->error ? seen->error : seen->tls ? seen->tls->error : NULL;

		if (words)
			o->text = valid_text(words, strnlen(words, TEXT_MAX));
		o->enhanced = xstrdup("");
		return;
	}
	has_enhanced = reply_enhanced(reply, enhanced);
	for (unsigned i = 0; reply_line(reply, i, &line, &n) && text.len < TEXT_MAX; i++) {
		size_t skip = has_enhanced ? enhanced_length(line, n) : 0;

		if (i)
			buf_addc(&text, '\n');
		buf_add(&text, line + skip, n - skip);
	}
	o->code = reply->code;
	o->enhanced = xstrdup(enhanced);
	o->text = valid_text(text.data ? text.data : "", text.len < TEXT_MAX ? text.len : TEXT_MAX);
	buf_fini(&text);
}

static void make_outcome(struct outcome *o, const struct result *r, const struct endpoint *end)
{
	const struct contact *c = end->contact;
	char address[ADDR_STRLEN];

	*o = (struct outcome){
	    .host = valid_text(end->host ? end->host : "", end->host ? strlen(end->host) : 0),
	    .address = c->addr.family ? xstrdup(addr_format(&c->addr, address)) : NULL,
	    .port = c->addr.family ? c->addr.port : r->port,
	    .class = c->class,
	    .reason = c->reason,
	    .phase = c->phase,
	    .sessions = c->sessions,
	    .healthy = c->healthy_sessions,
	    .timing = c->timing,
	    .rtt = c->rtt,
	};
	/* Replies of the healthy hold ids of their sessions, a new one each time. */
	if (c->class != CLASS_HEALTHY)
		take_reply(o, &c->seen);
	if (c->sessions > 1 && c->draws) {
		o->draws = xreallocarray(NULL, c->sessions, sizeof *o->draws);
		memcpy(o->draws, c->draws, c->sessions * sizeof *o->draws);
	}
}

static void make_entry(struct entry *e, const struct result *r, unsigned confirm)
{
	size_t n = strlen(r->target);

	*e = (struct entry){
	    .name = history_name(r->target, n, r->port ? r->port : 25),
	    .started_ms = r->started_ms,
	    .elapsed = r->elapsed,
	    .verdict = r->verdict,
	    .first_try = r->delivery.contacted ? r->delivery.first_try : -1,
	    .confirm = confirm,
	    .outcomes = xcalloc(r->n_endpoints ? r->n_endpoints : 1, sizeof *e->outcomes),
	    .n_outcomes = r->n_endpoints,
	};
	if (!e->name) /* a bad line of the input is known by itself */
		e->name = valid_text(r->target, n);
	if (e->n_outcomes >= 1u << OUTCOME_BITS)
		e->n_outcomes = (1u << OUTCOME_BITS) - 1;
	for (size_t i = 0; i < e->n_outcomes; i++)
		make_outcome(&e->outcomes[i], r, &r->endpoints[i]);
}

/* What the file knows of a target: a row of `targets`, its numbers being ours. */
struct state {
	int64_t id;  /* 0: it is not there */
	int verdict; /* -1: none */
	int64_t since;
	int latest;
	int64_t latest_since, latest_runs, latest_at;
};

static int known(const short *map, int64_t word)
{
	return word >= 0 && word < WORD_IDS ? map[word] : -1;
}

static struct state find_state(struct history *h, const char *name)
{
	sqlite3_stmt *st = get(h, ST_FIND_TARGET);
	struct state s = {.verdict = -1, .since = -1, .latest = -1};

	bind_text(st, 1, name);
	if (step(h, st)) {
		s.id = sql.column_int64(st, 0);
		s.verdict = known(h->word_verdict, column_or(st, 1, -1));
		s.since = column_or(st, 2, -1);
		s.latest = known(h->word_verdict, column_or(st, 3, -1));
		s.latest_since = sql.column_int64(st, 4);
		s.latest_runs = sql.column_int64(st, 5);
		s.latest_at = sql.column_int64(st, 6);
	}
	if (st)
		(void)sql.reset(st); /* as above */
	return s;
}

/* Another run that began later was faster: what is older is kept, but it is no news. A moment that
 * has not come yet is the trace of a wrong clock, and holds up nothing. */
static bool is_late(const struct state *s, const struct entry *e)
{
	return s->latest >= 0 && e->started_ms < s->latest_at &&
	       s->latest_at <= clock_ms(CLOCK_REALTIME);
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

/* The id of a row found by one text; 0: there is none. */
static int64_t find_text(struct history *h, enum statement which, const char *text)
{
	sqlite3_stmt *st = get(h, which);
	int64_t id;

	bind_text(st, 1, text);
	id = step(h, st) ? sql.column_int64(st, 0) : 0;
	if (st)
		(void)sql.reset(st); /* as above */
	return id;
}

static int64_t find_or_add(struct history *h, enum statement find, enum statement add,
			   const char *text)
{
	int64_t id = find_text(h, find, text);
	sqlite3_stmt *st;

	if (id || h->error)
		return id;
	st = get(h, add);
	bind_text(st, 1, text);
	run(h, st);
	return h->error ? 0 : sql.last_insert_rowid(h->db);
}

struct known_endpoint {
	int64_t id; /* 0: it is not there */
	int class;
	int64_t since;
};

static struct known_endpoint find_endpoint(struct history *h, int64_t target, int64_t host,
					   int64_t address, uint16_t port)
{
	sqlite3_stmt *st = get(h, ST_FIND_ENDPOINT);
	struct known_endpoint k = {0, -1, -1};

	bind_int(st, 1, target);
	bind_int(st, 2, host);
	bind_int(st, 3, address);
	bind_int(st, 4, port);
	if (step(h, st)) {
		k.id = sql.column_int64(st, 0);
		k.class = known(h->word_class, sql.column_int64(st, 1));
		k.since = sql.column_int64(st, 2);
	}
	if (st)
		(void)sql.reset(st); /* as above */
	return k;
}

static void compare(const struct known_endpoint *k, const struct entry *e, const struct outcome *o,
		    struct past_class *past)
{
	past->previous = k->class;
	past->since_ms = k->class == (int)o->class ? k->since : e->started_ms;
}

/* The answer without writing: what others have committed so far. */
static void foresee(struct history *h, const struct entry *e)
{
	struct state s = find_state(h, e->name);

	for (size_t i = 0; i < e->n_outcomes; i++) {
		const struct outcome *o = &e->outcomes[i];
		int64_t host = find_text(h, ST_FIND_HOST, o->host);
		int64_t address = o->address ? find_text(h, ST_FIND_ADDRESS, o->address) : 0;
		struct known_endpoint k = find_endpoint(h, s.id, host, address, o->port);

		compare(&k, e, o, &h->classes[i]);
	}
	advance(&s, e, &h->past);
}

static int64_t write_endpoint(struct history *h, int64_t target, bool late, const struct entry *e,
			      const struct outcome *o, struct past_class *past)
{
	int64_t host = find_or_add(h, ST_FIND_HOST, ST_ADD_HOST, o->host);
	int64_t address =
	    o->address ? find_or_add(h, ST_FIND_ADDRESS, ST_ADD_ADDRESS, o->address) : 0;
	struct known_endpoint k = find_endpoint(h, target, host, address, o->port);
	sqlite3_stmt *st;

	compare(&k, e, o, past);
	if (k.id && late)
		past->since_ms = k.since;
	if (k.id && (late || k.class == (int)o->class))
		return k.id;
	st = get(h, k.id ? ST_SET_ENDPOINT : ST_ADD_ENDPOINT);
	if (k.id) {
		bind_int(st, 1, k.id);
		bind_int(st, 2, h->class_word[o->class]);
		bind_int(st, 3, past->since_ms);
	} else {
		bind_int(st, 1, target);
		bind_int(st, 2, host);
		bind_int(st, 3, address);
		bind_int(st, 4, o->port);
		bind_int(st, 5, h->class_word[o->class]);
		bind_int(st, 6, past->since_ms);
	}
	run(h, st);
	return k.id ? k.id : sql.last_insert_rowid(h->db);
}

static void bind_reply(sqlite3_stmt *st, const struct outcome *o)
{
	bind_int(st, 1, o->code);
	bind_text(st, 2, o->enhanced);
	bind_text(st, 3, o->text);
}

static int64_t write_reply(struct history *h, const struct outcome *o)
{
	sqlite3_stmt *st;
	int64_t id;

	if (!o->text)
		return 0;
	st = get(h, ST_FIND_REPLY);
	bind_reply(st, o);
	id = step(h, st) ? sql.column_int64(st, 0) : 0;
	if (st)
		(void)sql.reset(st); /* as above */
	if (id || h->error)
		return id;
	st = get(h, ST_ADD_REPLY);
	bind_reply(st, o);
	run(h, st);
	return sql.last_insert_rowid(h->db);
}

static void write_outcome(struct history *h, int64_t id, int64_t endpoint, const struct outcome *o)
{
	const struct timing *t = &o->timing;
	const usec_t spans[] = {t->total,    t->connect, t->first_byte, t->banner, t->ehlo,
				t->starttls, t->tls,     t->mail,       o->rtt};
	int64_t reply = write_reply(h, o);
	sqlite3_stmt *st = get(h, ST_ADD_OUTCOME);

	bind_int(st, 1, id);
	bind_int(st, 2, endpoint);
	bind_int(st, 3, h->class_word[o->class]);
	bind_int(st, 4, h->reason_word[o->reason]);
	bind_int(st, 5, h->phase_word[o->phase]);
	bind_int(st, 6, o->sessions);
	bind_int(st, 7, o->healthy);
	bind_span(st, 8, reply ? reply : USEC_NONE);
	for (size_t i = 0; i < ARRAY_LEN(spans); i++)
		bind_span(st, 9 + (int)i, spans[i]);
	run(h, st);
	for (unsigned i = 0; o->draws && i < o->sessions; i++) {
		st = get(h, ST_ADD_SESSION);
		bind_int(st, 1, id);
		bind_int(st, 2, i);
		bind_int(st, 3, h->class_word[o->draws[i].class]);
		bind_int(st, 4, h->reason_word[o->draws[i].reason]);
		bind_int(st, 5, h->phase_word[o->draws[i].phase]);
		bind_span(st, 6, o->draws[i].total);
		run(h, st);
	}
}

/* One row a process, made together with its first result. */
static void write_run(struct history *h)
{
	sqlite3_stmt *st;

	if (h->run)
		return;
	st = get(h, ST_ADD_RUN);
	bind_int(st, 1, h->run_started_ms);
	bind_text(st, 2, MXPROBE_VERSION);
	bind_text(st, 3, h->helo);
	run(h, st);
	h->run = sql.last_insert_rowid(h->db);
}

static void write_entry(struct history *h, const struct entry *e, struct past *past,
			struct past_class *classes)
{
	struct state s = find_state(h, e->name);
	bool late = is_late(&s, e);
	sqlite3_stmt *st;
	int64_t id;

	write_run(h);
	if (!s.id)
		s.id = find_or_add(h, ST_FIND_TARGET, ST_ADD_TARGET, e->name);
	advance(&s, e, past);
	st = get(h, ST_SET_TARGET);
	bind_int(st, 1, s.id);
	bind_int(st, 2, h->verdict_word[s.verdict]);
	bind_int(st, 3, s.since);
	bind_int(st, 4, h->verdict_word[s.latest]);
	bind_int(st, 5, s.latest_since);
	bind_int(st, 6, s.latest_runs);
	bind_int(st, 7, s.latest_at);
	run(h, st);
	st = get(h, ST_ADD_RESULT);
	bind_int(st, 1, h->run);
	bind_int(st, 2, s.id);
	bind_int(st, 3, e->started_ms);
	bind_int(st, 4, e->elapsed);
	bind_int(st, 5, h->verdict_word[e->verdict]);
	if (st && e->first_try >= 0)
		(void)sql.bind_double(st, 6, e->first_try); /* as above */
	else if (st)
		(void)sql.bind_null(st, 6);
	run(h, st);
	id = sql.last_insert_rowid(h->db);
	for (size_t i = 0; i < e->n_outcomes && !h->error; i++) {
		int64_t endpoint = write_endpoint(h, s.id, late, e, &e->outcomes[i], &classes[i]);

		write_outcome(h, id << OUTCOME_BITS | (int64_t)i, endpoint, &e->outcomes[i]);
	}
}

/* All that waits, in one transaction; the answer is that of the last one. False: it still waits. */
static bool write_waiting(struct history *h)
{
	int64_t run_before = h->run;

	if (h->error || !h->n_waiting || !begin(h))
		return false;
	for (size_t i = 0; i < h->n_waiting; i++) {
		const struct entry *e = &h->waiting[i];
		bool last = i == h->n_waiting - 1;
		struct past past;
		struct past_class *classes =
		    last ? h->classes : xcalloc(e->n_outcomes + 1, sizeof *classes);

		write_entry(h, e, last ? &h->past : &past, classes);
		if (!last)
			free(classes);
	}
	if (!end_transaction(h)) {
		h->run = run_before;
		return false;
	}
	for (size_t i = 0; i < h->n_waiting; i++)
		entry_fini(&h->waiting[i]);
	free(h->waiting);
	h->waiting = NULL;
	h->n_waiting = 0;
	return true;
}

const struct past *history_add(struct history *h, const struct result *r, unsigned confirm)
{
	struct entry *e;

	h->past = (struct past){.previous_verdict = -1, .since_ms = -1};
	if (h->error)
		return &h->past;
	if (!h->helo && r->helo)
		h->helo = valid_text(r->helo, strlen(r->helo));
	e = ARRAY_ADD(h->waiting, h->n_waiting);
	make_entry(e, r, confirm);
	h->classes = xreallocarray(h->classes, r->n_endpoints + 1, sizeof *h->classes);
	for (size_t i = 0; i < r->n_endpoints; i++)
		h->classes[i] = (struct past_class){-1, -1};
	be_patient(h, PATIENCE_ADD_MS);
	if (!write_waiting(h) && !h->error)
		foresee(h, &h->waiting[h->n_waiting - 1]);
	if (h->error)
		h->past = (struct past){.previous_verdict = -1, .since_ms = -1};
	else
		h->past.endpoints = h->classes;
	return &h->past;
}

/* Dropping */

/* One batch of what began before `until`; false: there is none left, or it failed. */
static bool drop_some(struct history *h, int64_t until)
{
	int64_t ids[DROP_BATCH];
	int n = 0;
	sqlite3_stmt *find = prepare(h, "SELECT id FROM results WHERE started < ? LIMIT 200");
	sqlite3_stmt *drop[3] = {
	    prepare(h, "DELETE FROM sessions WHERE outcome >= ?1 AND outcome < ?2"),
	    prepare(h, "DELETE FROM outcomes WHERE id >= ?1 AND id < ?2"),
	    prepare(h, "DELETE FROM results WHERE id = ?1 >> 20"),
	};
	bool begun = begin(h);

	bind_int(find, 1, until);
	while (begun && n < DROP_BATCH && step(h, find))
		ids[n++] = sql.column_int64(find, 0);
	if (find)
		(void)sql.reset(find); /* as above */
	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(drop); k++) {
			bind_int(drop[k], 1, ids[i] << OUTCOME_BITS);
			if (k < 2)
				bind_int(drop[k], 2, (ids[i] + 1) << OUTCOME_BITS);
			run(h, drop[k]);
		}
	}
	for (size_t k = 0; k < ARRAY_LEN(drop); k++)
		if (drop[k])
			(void)sql.finalize(drop[k]); /* as above */
	if (find)
		(void)sql.finalize(find); /* as above */
	return begun && end_transaction(h) && n > 0;
}

/* Results with their outcomes, then what nothing refers to any more. Targets and endpoints stay:
 * since when they are as they are does not depend on what is kept. */
static void drop_before(struct history *h, int64_t until)
{
	bool any = false;
	char *runs;

	while (!h->error && drop_some(h, until))
		any = true;
	if (!any)
		return;
	/* A run of many targets may have begun long before its last result. */
	runs = xasprintf("DELETE FROM runs WHERE started < %lld AND id <"
			 " (SELECT run FROM results ORDER BY id LIMIT 1)",
			 (long long)(until - 86400000));
	execute(h, runs);
	free(runs);
	execute(h, "DELETE FROM replies WHERE NOT EXISTS"
		   " (SELECT 1 FROM outcomes WHERE reply = replies.id)");
	/* Pages of a few runs are used again by the next ones; only much is given back. */
	if (ask(h, "PRAGMA freelist_count") * 5 > ask(h, "PRAGMA page_count"))
		execute(h, "PRAGMA incremental_vacuum");
}

bool history_close(struct history *h, int64_t keep_ms, char **error)
{
	bool good;

	if (!h)
		return true;
	be_patient(h, PATIENCE_MS);
	if (!h->error && h->n_waiting && !write_waiting(h))
		fail(h, SQLITE_BUSY);
	if (keep_ms && !h->error)
		drop_before(h, clock_ms(CLOCK_REALTIME) - keep_ms);
	good = !h->error;
	if (!good) {
		*error = h->error;
		h->error = NULL;
	}
	history_free(h);
	return good;
}

/* Questions */

char **history_targets(struct history *h, size_t *n, char **error)
{
	sqlite3_stmt *st = prepare(h, "SELECT name FROM targets ORDER BY name");
	char **names = NULL;

	*n = 0;
	while (step(h, st)) {
		char **place = ARRAY_ADD(names, *n);

		*place = column_text(st, 0);
	}
	if (st)
		(void)sql.finalize(st); /* as above */
	if (h->error) {
		*error = xstrdup(h->error);
		while (*n)
			free(names[--*n]);
		free(names);
		names = NULL;
	}
	return names;
}

static void ask_endpoints(struct history *h, struct gather *g, int64_t target)
{
	sqlite3_stmt *st =
	    prepare(h, "SELECT e.id, h.name, a.address, e.port FROM endpoints e"
		       " JOIN hosts h ON h.id = e.host LEFT JOIN addresses a ON a.id = e.address"
		       " WHERE e.target = ? ORDER BY e.id");

	bind_int(st, 1, target);
	while (step(h, st)) {
		char *host = column_text(st, 1);
		char *address = sql.column_type(st, 2) == SQLITE_NULL ? NULL : column_text(st, 2);

		gather_endpoint(g, sql.column_int64(st, 0), host, address,
				(uint16_t)sql.column_int64(st, 3));
		free(host);
		free(address);
	}
	if (st)
		(void)sql.finalize(st); /* as above */
}

/* One run of a target. */
struct listed {
	int64_t id, started_ms;
	int verdict; /* -1: a word that this version does not know */
	double first_try;
};

static struct listed *ask_results(struct history *h, int64_t target, const struct trend_query *q,
				  size_t *n)
{
	sqlite3_stmt *st = prepare(h, "SELECT id, started, verdict, first_try FROM results"
				      " WHERE target = ? AND started >= ? AND started <= ?"
				      " ORDER BY started, id");
	struct listed *list = NULL, *l;

	*n = 0;
	bind_int(st, 1, target);
	bind_int(st, 2, q->from_ms);
	bind_int(st, 3, q->to_ms);
	while (step(h, st)) {
		l = ARRAY_ADD(list, *n);
		l->id = sql.column_int64(st, 0);
		l->started_ms = sql.column_int64(st, 1);
		l->verdict = known(h->word_verdict, sql.column_int64(st, 2));
		l->first_try =
		    sql.column_type(st, 3) == SQLITE_NULL ? -1 : sql.column_double(st, 3);
	}
	if (st)
		(void)sql.finalize(st); /* as above */
	return list;
}

static void take_outcome(struct history *h, struct gather *g, sqlite3_stmt *st, bool phases)
{
	int class = known(h->word_class, sql.column_int64(st, 2));
	int reason = known(h->word_reason, sql.column_int64(st, 3));
	struct timing t = {.first_byte = USEC_NONE, .total = column_or(st, 5, USEC_NONE)};

	if (class < 0 || reason < 0)
		return;
	if (phases) {
		t.connect = column_or(st, 6, USEC_NONE);
		t.banner = column_or(st, 7, USEC_NONE);
		t.ehlo = column_or(st, 8, USEC_NONE);
		t.starttls = column_or(st, 9, USEC_NONE);
		t.tls = column_or(st, 10, USEC_NONE);
		t.mail = column_or(st, 11, USEC_NONE);
	}
	gather_outcome(g, sql.column_int64(st, 1), (enum class) class, (enum reason)reason,
		       sql.column_int64(st, 4), &t);
}

#define OUTCOMES_FROM                                                                       \
	" FROM results r JOIN outcomes o ON o.id >= r.id << 20 AND o.id < (r.id + 1) << 20" \
	" WHERE r.target = ? AND r.started >= ? AND r.started <= ? ORDER BY r.started, r.id, o.id"

/* All that was seen, run by run: the runs first, since a column of theirs would be read again for
 * each of their outcomes. What this version has no name for is passed over. */
static void ask_outcomes(struct history *h, struct gather *g, int64_t target,
			 const struct trend_query *q)
{
	size_t n, at = 0;
	struct listed *list = ask_results(h, target, q, &n);
	sqlite3_stmt *st = prepare(
	    h, q->phases
		   ? "SELECT o.id, o.endpoint, o.class, o.reason, o.reply, o.total, o.connect,"
		     " o.banner, o.ehlo, o.starttls, o.tls, o.mail" OUTCOMES_FROM
		   : "SELECT o.id, o.endpoint, o.class, o.reason, o.reply,"
		     " o.total" OUTCOMES_FROM);
	bool more;

	bind_int(st, 1, target);
	bind_int(st, 2, q->from_ms);
	bind_int(st, 3, q->to_ms);
	more = step(h, st);
	for (; at < n; at++) {
		const struct listed *l = &list[at];

		if (l->verdict >= 0)
			gather_run(g, l->started_ms, (enum verdict)l->verdict, l->first_try);
		for (; more && sql.column_int64(st, 0) >> OUTCOME_BITS == l->id; more = step(h, st))
			if (l->verdict >= 0)
				take_outcome(h, g, st, q->phases);
	}
	free(list);
	if (st)
		(void)sql.finalize(st); /* as above */
}

static void ask_replies(struct history *h, struct gather *g)
{
	sqlite3_stmt *st = prepare(h, "SELECT code, enhanced, text FROM replies WHERE id = ?");
	int64_t id;

	for (size_t i = 0; (id = gather_reply(g, i)) >= 0; i++) {
		if (!id)
			continue;
		bind_int(st, 1, id);
		if (step(h, st)) {
			char *enhanced = column_text(st, 1), *text = column_text(st, 2);

			gather_reply_text(g, i, (int)sql.column_int64(st, 0), enhanced, text);
			free(enhanced);
			free(text);
		}
		if (st)
			(void)sql.reset(st); /* as above */
	}
	if (st)
		(void)sql.finalize(st); /* as above */
}

struct trend *history_trend(struct history *h, const struct trend_query *q, char **error)
{
	struct gather *g = gather_new(q->from_ms, q->to_ms, q->slices, q->phases);
	struct trend *t;
	struct state s;

	/* One look at the file for all questions, whatever others write meanwhile. */
	execute(h, "BEGIN");
	s = find_state(h, q->name);
	if (s.id) {
		ask_endpoints(h, g, s.id);
		ask_outcomes(h, g, s.id, q);
		ask_replies(h, g);
	}
	execute(h, "COMMIT");
	t = gather_end(g);
	t->target = xstrdup(q->name);
	t->since_ms = s.since;
	if (h->error) {
		*error = xstrdup(h->error);
		trend_free(t);
		return NULL;
	}
	return t;
}

#endif

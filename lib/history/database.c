#include "history/database.h"

#ifndef HAVE_SQLITE

#include <stddef.h>

bool database_available(void)
{
	return false;
}

struct database *database_open(const char *path, uint32_t id, bool write, char **error)
{
	(void)id, (void)write;
	*error = xasprintf("history '%s': this mxprobe was built without SQLite", path);
	return NULL;
}

/* There is never a database for the rest of them. */

void database_close(struct database *db)
{
	(void)db;
}

const char *database_error(const struct database *db)
{
	(void)db;
	return NULL;
}

void database_fail(struct database *db, const char *words)
{
	(void)db, (void)words;
}

void database_wait(struct database *db, int ms)
{
	(void)db, (void)ms;
}

bool database_execute(struct database *db, const char *text)
{
	(void)db, (void)text;
	return false;
}

int64_t database_ask(struct database *db, const char *text)
{
	(void)db, (void)text;
	return 0;
}

int64_t database_last_id(const struct database *db)
{
	(void)db;
	return 0;
}

bool database_begin(struct database *db)
{
	(void)db;
	return false;
}

bool database_commit(struct database *db)
{
	(void)db;
	return false;
}

void database_fail_busy(struct database *db)
{
	(void)db;
}

struct statement *database_prepare(struct database *db, const char *text)
{
	(void)db, (void)text;
	return NULL;
}

void statement_free(struct statement *st)
{
	(void)st;
}

bool statement_step(struct statement *st)
{
	(void)st;
	return false;
}

void statement_reset(struct statement *st)
{
	(void)st;
}

void statement_run(struct statement *st)
{
	(void)st;
}

void bind_int(struct statement *st, int at, int64_t value)
{
	(void)st, (void)at, (void)value;
}

void bind_real(struct statement *st, int at, double value)
{
	(void)st, (void)at, (void)value;
}

void bind_text(struct statement *st, int at, const char *text)
{
	(void)st, (void)at, (void)text;
}

void bind_null(struct statement *st, int at)
{
	(void)st, (void)at;
}

bool column_is_null(struct statement *st, int at)
{
	(void)st, (void)at;
	return true;
}

int64_t column_int(struct statement *st, int at)
{
	(void)st, (void)at;
	return 0;
}

double column_real(struct statement *st, int at)
{
	(void)st, (void)at;
	return 0;
}

const char *column_text(struct statement *st, int at)
{
	(void)st, (void)at;
	return "";
}

#else

#include "base/buf.h"

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
#define FUNCTIONS(f)                                                                             \
	f(open_v2) f(close) f(exec) f(prepare_v2) f(step) f(reset) f(finalize) f(bind_int64)     \
	    f(bind_double) f(bind_text) f(bind_null) f(column_int64) f(column_double)            \
		f(column_text) f(column_type) f(errmsg) f(errstr) f(busy_handler) f(db_readonly) \
		    f(last_insert_rowid) f(get_autocommit)

static struct {
#define DECLARE(name) __typeof__(sqlite3_##name) *name;
	FUNCTIONS(DECLARE)
} sql;

enum { PATIENCE_MS = 60000, SLEEP_MAX_MS = 10 };

struct database {
	sqlite3 *db;
	char *path;
	int64_t patience; /* until when others are waited for, on the monotonic clock, ms */
	char *error;      /* the first failure */
};

struct statement {
	struct database *db;
	sqlite3_stmt *st;
};

bool database_available(void)
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

/* ---- failures, and others ---- */

static char *problem(const char *path, const char *words)
{
	return xasprintf("history '%s': %s", path, words);
}

const char *database_error(const struct database *db)
{
	return db->error;
}

void database_fail(struct database *db, const char *words)
{
	if (!db->error)
		db->error = problem(db->path, words);
}

static bool is_busy(int rc)
{
	return (rc & 0xFF) == SQLITE_BUSY || (rc & 0xFF) == SQLITE_PROTOCOL;
}

static void fail(struct database *db, int rc)
{
	database_fail(db, is_busy(rc) ? "another process does not let go of it"
			  : db->db    ? sql.errmsg(db->db)
				      : sql.errstr(rc));
}

void database_fail_busy(struct database *db)
{
	fail(db, SQLITE_BUSY);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void database_wait(struct database *db, int ms)
{
	db->patience = now_ms() + ms;
}

/* The pauses grow a little: who holds the file does so for less than a millisecond, mostly. */
static bool pause_for(struct database *db, int count)
{
	long ms = count < SLEEP_MAX_MS ? count + 1 : SLEEP_MAX_MS;
	struct timespec ts = {.tv_nsec = ms * 1000000};

	if (now_ms() >= db->patience)
		return false;
	(void)nanosleep(&ts, NULL); /* shorter is fine */
	return true;
}

static int on_busy(void *arg, int count)
{
	return pause_for(arg, count);
}

/* ---- opening ---- */

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Looks at the file without SQLite, which might write to it (take up a journal that lies beside
 * it) before it could be asked. The application id stands in the file itself as long as it was set
 * before the file was switched to WAL. NULL: ours, or empty; else what is wrong (caller frees). */
static char *examine(const char *path, uint32_t id, bool write)
{
	unsigned char head[100];
	struct stat st;
	ssize_t n;
	int fd;

	/* Opening something else may wait for ever. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return problem(path, "is no regular file");
	fd = write ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666)
		   : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return problem(path, strerror(errno));
	n = read(fd, head, sizeof head);
	(void)close(fd); /* was only read */
	if (n < 0)
		return problem(path, strerror(errno));
	if (n == 0)
		return write ? NULL : problem(path, "is empty");
	if (n < (ssize_t)sizeof head || memcmp(head, "SQLite format 3", 16) != 0 ||
	    big_endian(head + 68) != id)
		return problem(path, "is not a history of mxprobe, and was not touched");
	return NULL;
}

/* A reader that may not write beside the file cannot make there what readers and writers agree by.
 * While there is no writer, it needs none of that: the name by which SQLite takes a file for one
 * that nobody changes (caller frees). NULL: there is one, or all may be done. */
static char *name_unchanging(const char *path)
{
	char *log = xasprintf("%s-wal", path);
	bool quiet = access(path, W_OK) != 0 && access(log, F_OK) != 0;
	struct buf name = {0};

	free(log);
	if (!quiet)
		return NULL;
	buf_addstr(&name, "file:");
	for (const char *p = path; *p; p++) {
		if (strchr("?#%", *p))
			buf_printf(&name, "%%%02X", (unsigned char)*p);
		else
			buf_addc(&name, *p);
	}
	buf_addstr(&name, "?immutable=1");
	return buf_steal(&name);
}

struct database *database_open(const char *path, uint32_t id, bool write, char **error)
{
	struct database *db;
	char *unchanging = NULL;
	int rc, flags = SQLITE_OPEN_NOMUTEX;

	if (!database_available()) {
		*error = problem(path, "SQLite's library cannot be loaded");
		return NULL;
	}
	*error = examine(path, id, write);
	if (*error)
		return NULL;
	/* A reader that may write puts the side files away at the end. */
	flags |= write || access(path, W_OK) == 0 ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	if (write)
		flags |= SQLITE_OPEN_CREATE;
	else
		unchanging = name_unchanging(path);
	if (unchanging)
		flags |= SQLITE_OPEN_URI;
	db = xcalloc(1, sizeof *db);
	/* SQLite takes a colon in front for a name of its own. */
	db->path = *path == ':' ? xasprintf("./%s", path) : xstrdup(path);
	database_wait(db, PATIENCE_MS);
	rc = sql.open_v2(unchanging ? unchanging : db->path, &db->db, flags, NULL);
	free(unchanging);
	if (rc != SQLITE_OK)
		fail(db, rc);
	else
		(void)sql.busy_handler(db->db, on_busy, db); /* cannot fail */
	/* SQLite falls back to reading by itself. */
	if (write && !db->error && sql.db_readonly(db->db, "main") > 0)
		database_fail(db, "cannot be written");
	if (!db->error)
		return db;
	*error = xstrdup(db->error);
	database_close(db);
	return NULL;
}

void database_close(struct database *db)
{
	if (!db)
		return;
	(void)sql.close(db->db); /* all statements are freed: it cannot refuse; takes NULL */
	free(db->path);
	free(db->error);
	free(db);
}

/* ---- statements ---- */

bool database_execute(struct database *db, const char *text)
{
	int rc = SQLITE_OK;

	if (db->error)
		return false;
	for (int i = 0;; i++) {
		rc = sql.exec(db->db, text, NULL, NULL, NULL);
		/* The switch to WAL, and a look into a file that is just being closed, do not ask
		 * the busy handler. */
		if (!is_busy(rc) || !pause_for(db, i))
			break;
	}
	if (rc != SQLITE_OK)
		fail(db, rc);
	return rc == SQLITE_OK;
}

struct statement *database_prepare(struct database *db, const char *text)
{
	struct statement *st;
	sqlite3_stmt *prepared = NULL;
	int rc = SQLITE_OK;

	if (db->error)
		return NULL;
	for (int i = 0;; i++) {
		rc = sql.prepare_v2(db->db, text, -1, &prepared, NULL);
		if (!is_busy(rc) || !pause_for(db, i))
			break;
	}
	if (rc != SQLITE_OK) {
		fail(db, rc);
		return NULL;
	}
	st = xcalloc(1, sizeof *st);
	*st = (struct statement){db, prepared};
	return st;
}

void statement_free(struct statement *st)
{
	if (!st)
		return;
	(void)sql.finalize(st->st); /* tells of a failure that is kept already */
	free(st);
}

bool statement_step(struct statement *st)
{
	int rc;

	if (!st || st->db->error)
		return false;
	rc = sql.step(st->st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(st->db, rc);
	return rc == SQLITE_ROW;
}

void statement_reset(struct statement *st)
{
	if (st)
		(void)sql.reset(st->st); /* as in statement_free */
}

void statement_run(struct statement *st)
{
	(void)statement_step(st); /* its failure is kept */
	statement_reset(st);
}

/* The places are those of our own texts, so that binding cannot fail. */

void bind_int(struct statement *st, int at, int64_t value)
{
	if (st)
		(void)sql.bind_int64(st->st, at, value);
}

void bind_real(struct statement *st, int at, double value)
{
	if (st)
		(void)sql.bind_double(st->st, at, value);
}

void bind_text(struct statement *st, int at, const char *text)
{
	if (st)
		(void)sql.bind_text(st->st, at, text, -1, SQLITE_STATIC);
}

void bind_null(struct statement *st, int at)
{
	if (st)
		(void)sql.bind_null(st->st, at);
}

bool column_is_null(struct statement *st, int at)
{
	return sql.column_type(st->st, at) == SQLITE_NULL;
}

int64_t column_int(struct statement *st, int at)
{
	return sql.column_int64(st->st, at);
}

double column_real(struct statement *st, int at)
{
	return sql.column_double(st->st, at);
}

const char *column_text(struct statement *st, int at)
{
	const unsigned char *text = sql.column_text(st->st, at);

	return text ? (const char *)text : "";
}

int64_t database_ask(struct database *db, const char *text)
{
	struct statement *st = database_prepare(db, text);
	int64_t value = statement_step(st) ? column_int(st, 0) : 0;

	statement_free(st);
	return value;
}

int64_t database_last_id(const struct database *db)
{
	return sql.last_insert_rowid(db->db);
}

/* ---- transactions ---- */

bool database_begin(struct database *db)
{
	int rc;

	if (db->error)
		return false;
	for (int i = 0;; i++) {
		rc = sql.exec(db->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		if (!is_busy(rc) || !pause_for(db, i))
			break;
	}
	if (rc != SQLITE_OK && !is_busy(rc))
		fail(db, rc);
	return rc == SQLITE_OK;
}

bool database_commit(struct database *db)
{
	if (database_execute(db, "COMMIT"))
		return true;
	if (!sql.get_autocommit(db->db))
		(void)sql.exec(db->db, "ROLLBACK", NULL, NULL, NULL); /* the first failure counts */
	return false;
}

#endif

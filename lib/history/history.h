/* The memory of --history: one SQLite file, to which every result is appended and against which
 * changes are found. Several processes may use it at once, and any of them may be killed: what was
 * committed stays. The only file that knows SQLite, which is loaded when it is first needed. */
#ifndef MXPROBE_HISTORY_H
#define MXPROBE_HISTORY_H

#include "judge/result.h"
#include "judge/trend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history;

/* Built with SQLite, and its library is there. */
bool history_available(void);

/* Opens the file for appending; makes it when it does not exist or is empty. NULL and *error
 * (caller frees) when it cannot be written, or is not ours: then it is not touched. */
struct history *history_open(const char *path, char **error) MUSTCHECK;

/* Opens it for questions only; it must exist. */
struct history *history_open_read(const char *path, char **error) MUSTCHECK;

/* Appends a finished result and says what it changes. A verdict counts as changed when `confirm`
 * runs in a row agree on it. When another process holds the file for long, the result is kept in
 * memory and written later, at the latest by history_close. The answer is valid until the next
 * call; never NULL. A failure is told by history_close; the answer then knows nothing. */
const struct past *history_add(struct history *, const struct result *, unsigned confirm);

/* What is added from now on belongs to another run. */
void history_begin_run(struct history *);

/* Writes what waits, and drops what began more than keep_ms ago (0: nothing). False and *error
 * (caller frees) when something was not recorded: then all that is left to do is to close it. */
bool history_flush(struct history *, int64_t keep_ms, char **error) MUSTCHECK;

/* Writes what waits, drops what began more than keep_ms ago (0: nothing), and closes; takes NULL.
 * False and *error (caller frees) when something was not recorded. */
bool history_close(struct history *, int64_t keep_ms, char **error) MUSTCHECK;

/* By what name the history knows a target, whatever it was written like ("Example.ORG" and
 * "user@example.org" are "example.org"; a port other than 25 is part of it). The caller frees;
 * NULL: it is none. */
char *history_name(const char *text, size_t n, uint16_t default_port);

/* The names of all targets, sorted; the caller frees each and the array. NULL and *error on
 * failure, with *n 0; NULL alone when there are none. */
char **history_targets(struct history *, size_t *n, char **error);

struct trend_query {
	const char *name; /* as history_name gives it */
	int64_t from_ms, to_ms;
	size_t slices; /* to cut the span into, 1 at least */
	bool phases;   /* medians of the phases in each slice, too */
};

/* What is known of a target over a span; an unknown one has no runs. NULL and *error (caller
 * frees) when the file cannot be read. trend_free frees it. */
struct trend *history_trend(struct history *, const struct trend_query *, char **error) MUSTCHECK;

#endif

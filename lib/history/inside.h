/* What the files of this folder know of an open history; nobody else includes this. */
#ifndef MXPROBE_HISTORY_INSIDE_H
#define MXPROBE_HISTORY_INSIDE_H

#include "history/database.h"
#include "history/entry.h"
#include "history/history.h"
#include "history/words.h"

enum { OUTCOME_BITS = 20 }; /* an outcome's id is its result's, and its place there */

/* Statements that are run more than once. */
enum which {
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

struct history {
	struct database *db;
	struct words words;
	struct statement *statement[STATEMENTS]; /* prepared when first needed */
	int64_t run;                             /* id; 0: nothing was written yet */
	int64_t run_started_ms;
	char *helo;
	struct entry *waiting;
	size_t n_waiting;
	struct past past;
	struct past_class *classes;
};

/* What the file knows of a target: a row of `targets`, its numbers being ours. */
struct state {
	int64_t id;  /* 0: it is not there */
	int verdict; /* -1: none */
	int64_t since;
	int latest;
	int64_t latest_since, latest_runs, latest_at;
};
struct state history_state(struct history *, const char *name);

/* NULL reads as `otherwise`. */
int64_t column_or(struct statement *, int at, int64_t otherwise);

#endif

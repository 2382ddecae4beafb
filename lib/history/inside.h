/* What the files of this folder know of an open history; nobody else includes this. */
#ifndef MXPROBE_HISTORY_INSIDE_H
#define MXPROBE_HISTORY_INSIDE_H

#include "history/database.h"
#include "history/entry.h"
#include "history/history.h"
#include "history/letters.h"
#include "history/words.h"

#include "base/claim.h"

enum {
	OUTCOME_BITS = 20, /* an outcome's id is its result's, and its place there */
	OWNER_OCTETS = 8,  /* of a process's name, half as many as its digits */
};

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
	ST_FIND_DESTINATION,
	ST_ADD_DESTINATION,
	ST_FIND_TOLD,
	ST_SET_TOLD,
	ST_ADD_LETTER,
	ST_NEXT_LETTER,
	ST_DROP_LETTER,
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

	char *path; /* by no other name: what lies beside the file is found by it */
	bool tells; /* letters are written */
	struct letters_conf letters;
	const struct result *adding; /* while history_add has it */
	enum event event;
	bool event_kept;
	char owner[2 * OWNER_OCTETS + 1]; /* of this process's letters; "": it has none yet */
	struct claim claim;
	bool claimed;
	int64_t handed; /* the letter handed out last */
	int64_t *delivered;
	size_t n_delivered; /* still to be struck off */
	size_t written, dropped;
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

int64_t history_clock_ms(void);
struct statement *history_statement(struct history *, enum which);
/* The id of a row found by one text; 0: there is none. */
int64_t history_find(struct history *, enum which, const char *text);
int64_t history_find_or_add(struct history *, enum which find, enum which add, const char *text);

/* What the entry is to whom is told, in view of the target's state; and its letter, if it is news.
 */
void letter_decide(struct history *, struct entry *, const struct state *, const struct past *);
/* In the transaction that keeps the entry. */
void letter_keep(struct history *, const struct entry *, int64_t target);
/* What was delivered is struck off, what was not is left to the next process. */
void letters_end(struct history *);

/* NULL reads as `otherwise`. */
int64_t column_or(struct statement *, int at, int64_t otherwise);

#endif

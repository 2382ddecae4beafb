/* SQLite, as far as the history needs it: one file, its statements, its one failure. The only file
 * that knows SQLite, whose library is loaded when it is first needed.
 *
 * The first failure stays and is told in words by database_error; from then on nothing is done any
 * more, and every function says so in its way (false, NULL, 0). So only the end of a sequence needs
 * to be looked at. Functions of statements take NULL for one that could not be prepared. */
#ifndef MXPROBE_DATABASE_H
#define MXPROBE_DATABASE_H

#include "base/util.h"

#include <stdbool.h>
#include <stdint.h>

struct database;
struct statement;

/* Built with SQLite, and its library is there. */
bool database_available(void);

/* Opens a file whose application id is `id`. With `write`, one that is not there is made, an empty
 * one is as good, and both get the id with the first transaction, which is the caller's. NULL and
 * *error (caller frees) when that cannot be, or the file is another's: then it is not touched. */
struct database *database_open(const char *path, uint32_t id, bool write, char **error) MUSTCHECK;
void database_close(struct database *); /* its statements are freed before; takes NULL */

const char *database_error(const struct database *); /* in words, with the path; NULL: none */
void database_fail(struct database *, const char *words);

/* How long others are waited for from now on; 60 s at first. */
void database_wait(struct database *, int ms);

bool database_execute(struct database *, const char *text);
int64_t database_ask(struct database *, const char *text); /* the single number of the answer */
int64_t database_last_id(const struct database *);         /* of the row inserted last */

/* A transaction that writes. False without an error: others did not let go in time. */
bool database_begin(struct database *);
/* Ends it, or undoes it after a failure: false. */
bool database_commit(struct database *);
/* What is not had in time is a failure now. */
void database_fail_busy(struct database *);

struct statement *database_prepare(struct database *, const char *text);
void statement_free(struct statement *);
bool statement_step(struct statement *);  /* true: a row is there */
void statement_reset(struct statement *); /* ready for the next time */
void statement_run(struct statement *);   /* one that gives no rows, and resets it */

/* Places are counted from 1. A text stays the caller's, and where it is, until the reset. */
void bind_int(struct statement *, int at, int64_t);
void bind_real(struct statement *, int at, double);
void bind_text(struct statement *, int at, const char *);
void bind_null(struct statement *, int at);

/* Of the row at hand; columns are counted from 0. NULL reads as 0 and as "". */
bool column_is_null(struct statement *, int at);
int64_t column_int(struct statement *, int at);
double column_real(struct statement *, int at);
const char *column_text(struct statement *, int at); /* until the next step */

#endif

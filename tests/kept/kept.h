/* A history in a file of a test's own, and what stands in that file, read with the tests' own eyes.
 * What goes wrong fails the test. */
#ifndef KEPT_H
#define KEPT_H

#include "history/history.h"

#include <sqlite3.h>
#include <stdint.h>

/* For a test that has it as its fixture: *state is the path. Nothing of the file is left. */
int kept_setup(void **state);
int kept_teardown(void **state);

struct history *kept_open(const char *path);
void kept_close(struct history *);

sqlite3 *kept_raw(const char *path); /* made where it is not there; to be closed */
void kept_execute(sqlite3 *, const char *sql);
/* The first column of the first row, as text ("null" for NULL); caller frees. */
char *kept_ask(const char *path, const char *sql);
void assert_kept(const char *path, const char *sql, const char *answer);

/* When a run began, in milliseconds of the calendar. */
enum { KEPT_START = 1795278717 }; /* s */
#define KEPT_MS(minutes) (((int64_t)KEPT_START + 60 * (int64_t)(minutes)) * 1000)

/* A run of example.org, with up to two hosts with an address each: 'h' healthy, 'e' exhausted, 't'
 * timed out, 's' skipped, '-' not listed. To be freed by fake_free. */
struct result *kept_result(const char *how, int minutes);

#endif

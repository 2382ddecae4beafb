/* Where reports go: standard output, or a file that appears whole or not at all.
 *
 * One run at a time writes a file: a second one is refused at once, so that a run of cron that is
 * late is not overtaken by the next (see base/claim.h). What is written directly is not claimed.
 *
 * The program ignores SIGPIPE: a reader that went away is then an error like a full disk. */
#ifndef MXPROBE_OUTPUT_H
#define MXPROBE_OUTPUT_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>

struct output;

/* `path` NULL: standard output. A path that is a regular file or does not exist: a temporary file
 * in the same folder, .NAME.mxprobe, that output_close syncs and renames over it; an existing
 * file's mode is kept and a symbolic link stays, its target is replaced. Anything else (a device, a
 * pipe, a descriptor by the name of /dev/stdout or /dev/fd/N) is opened and written directly;
 * opening a FIFO waits for its reader. NULL and *error (caller frees) when it cannot be opened. */
struct output *output_open(const char *path, char **error) MUSTCHECK;

/* The folder in which output_close still renames or removes, and which it syncs; NULL: none. */
const char *output_folder(const struct output *);

/* Writes all, at once; waits where the other end is slow. After a failure nothing more is written;
 * output_close tells of it. */
void output_write(struct output *, const void *bytes, size_t n);

/* True after a failure: going on to write is of no use. */
bool output_failed(const struct output *);

/* Is it a file that appears as a whole? */
bool output_is_file(const struct output *);

/* For a file: what was written so far appears, and what follows will at the next call, or at
 * output_close. False and *error (caller frees) when it did not appear, or the next cannot be
 * begun; each call tries anew. What is written directly just goes on, or has failed for good. */
bool output_renew(struct output *, char **error) MUSTCHECK;

/* Ends it: with `keep`, syncs and renames; else the temporary file is removed (what was written
 * directly stays written, and its failure counts). False and *error (caller frees) when anything
 * was not really written; frees the output in any case. */
bool output_close(struct output *, bool keep, char **error) MUSTCHECK;

/* Writes all of it to a descriptor, also when that is not blocking or a signal comes in between.
 * Returns 0, or the errno of the failure. */
int output_all(int fd, const void *bytes, size_t n) MUSTCHECK;

#endif

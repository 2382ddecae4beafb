/* Where reports go: standard output, or a file that appears whole or not at all. */
#ifndef MXPROBE_OUTPUT_H
#define MXPROBE_OUTPUT_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>

struct output;

/* `path` NULL: standard output. A path that is a regular file or does not exist: a temporary file
 * in the same folder that output_close syncs and renames over it. Anything else (a device, a pipe)
 * is opened and written directly. NULL and *error (caller frees) when it cannot be opened. */
struct output *output_open(const char *path, char **error) MUSTCHECK;

/* Writes all; a failure is kept and told by output_close. flush: hand it on now. */
void output_write(struct output *, const void *bytes, size_t n);

/* Ends it: with `keep`, syncs and renames; else the temporary file is removed. False and *error
 * (caller frees) when anything was not really written; frees the output in any case. */
bool output_close(struct output *, bool keep, char **error) MUSTCHECK;

#endif

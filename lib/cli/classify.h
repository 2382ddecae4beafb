/* --classify: no probing, but reading replies and log lines and saying what they mean. */
#ifndef MXPROBE_CLI_CLASSIFY_H
#define MXPROBE_CLI_CLASSIFY_H

#include "report/output.h"

#include <stdbool.h>

enum {
	CLASSIFY_LINE_MAX = 64 * 1024
}; /* octets of a line that are read; the rest is passed over */

/* Reads lines from fd to its end and answers each with one line, in order: "class/reason", a tab
 * and the line made safe ("-" for both where it holds neither reply nor end), or one JSON object.
 * Memory does not grow with the input; what was read is answered before more is waited for. False
 * and *error (caller frees) when fd could not be read to its end. The caller opens and closes both.
 */
bool classify_lines(int fd, bool json, struct output *out, char **error) MUSTCHECK;

#endif

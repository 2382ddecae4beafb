/* What the program does, as commands: options in, reports out, exit code. */
#ifndef MXPROBE_COMMAND_H
#define MXPROBE_COMMAND_H

#include "cli/options.h"
#include "report/report.h"

/* Runs to the end; returns the exit code. */
int command_probe(const struct options *);

/* --classify: reads lines, answers each; returns the exit code. */
int command_classify(const struct options *);

/* Colour and width for reports on standard output. */
void command_screen(const struct options *, struct report_conf *);

/* One line on standard error, after the program's name. */
void command_complain(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The same for what ends the program before it could begin; in plugin mode also as a line on
 * standard output, where the state is read from. */
void command_fail(enum format, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif

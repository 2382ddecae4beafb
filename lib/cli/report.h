/* --report: no probing, but what the history says about targets. */
#ifndef MXPROBE_CLI_REPORT_H
#define MXPROBE_CLI_REPORT_H

#include "cli/options.h"

/* Reports on the targets given, or on all that the history knows; returns the exit code. */
int command_report(const struct options *);

#endif

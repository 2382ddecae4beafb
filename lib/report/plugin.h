/* Plugin mode: what Nagios, Icinga and their like read. One line for all targets together, made
 * at the end of the report: `MXPROBE STATE - text | perfdata`; when verbose, then one line an
 * unhealthy endpoint. Less than 8 KiB in all, whatever the servers say. */
#ifndef MXPROBE_PLUGIN_H
#define MXPROBE_PLUGIN_H

#include "report/range.h"
#include "report/report.h"

/* The limits; NULL: not set. They are the caller's. */
struct plugin_conf {
	const struct range *warning, *critical;           /* on the number of unhealthy endpoints */
	const struct range *warning_time, *critical_time; /* on the slowest healthy session, s */
	const int *warning_days, *critical_days; /* fewer days of a certificate than that */
};

/* The state that an ended report_plugin has come to, for the exit code: 0 OK, 1 WARNING,
 * 2 CRITICAL, 3 UNKNOWN. */
int plugin_exit(const struct report *);

/* Appends the line of a check that could not even begin. */
void plugin_unknown(struct buf *, const char *why);

#endif

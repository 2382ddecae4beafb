/* The table for people: one block a target. */
#ifndef MXPROBE_TABLE_H
#define MXPROBE_TABLE_H

#include "report/report.h"

/* Appends the block of one target: heading with verdict, a row an endpoint, the sums, what a sender
 * meets, warnings. `now` USEC_NONE: the target is finished. Else a moment of the loop's clock, and
 * the target is still running: rows of running endpoints show their phase and the seconds so far,
 * waiting ones that they wait, and neither verdict nor sums are shown. */
void table_target(struct buf *out, const struct result *, const struct report_conf *, usec_t now);

#endif

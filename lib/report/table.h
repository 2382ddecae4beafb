/* The table for people: one block a target. */
#ifndef MXPROBE_TABLE_H
#define MXPROBE_TABLE_H

#include "report/report.h"

/* Appends the block of one target: heading with verdict, a row an endpoint, the sums, what a sender
 * meets, warnings. `now` USEC_NONE: the target is finished. Else a moment of the loop's clock, and
 * the target is still running: rows of running endpoints show their phase and the seconds so far,
 * waiting ones that they wait, and neither verdict nor sums are shown. */
void table_target(struct buf *out, const struct result *, const struct report_conf *, usec_t now);

/* The block of a running target in at most `lines` lines (one at least), for a screen of that
 * height: where rows have to be left out, those in trouble and those running are shown first, and
 * the last line says how many more there are. Returns how many lines it took. */
size_t table_live(struct buf *out, const struct result *, const struct report_conf *, usec_t now,
		  size_t lines);

/* How many lines table_live takes when nothing is left out. */
size_t table_live_lines(const struct result *);

/* The last line of a report on several targets; nothing for fewer than two. */
void table_summary(struct buf *out, const unsigned verdicts[VERDICTS]);

#endif

/* Ranges of the Monitoring Plugins development guidelines: [@][START:]END alerts when a value is
 * outside START to END, both included; with '@' when it is inside. START is 0 where it is not
 * given, '~' is no lower limit; no END is no upper one. One thing is ours: a number followed by '%'
 * is that share of a total. */
#ifndef MXPROBE_RANGE_H
#define MXPROBE_RANGE_H

#include "base/buf.h"

#include <stdbool.h>

struct range_end {
	double value;
	bool share; /* value is percent of the total */
	bool open;  /* no limit on this side */
};

struct range {
	struct range_end start, end;
	bool inside; /* '@' */
};

/* NULL, or why the text is no range: words for a message, a constant. With `shares` false a '%' is
 * an error. */
const char *range_parse(struct range *, const char *text, bool shares) MUSTCHECK;

/* Does the value call for an alert? `total` is what shares are of. */
bool range_alerts(const struct range *, double value, double total);

/* The same range said of `whole - value` in place of value, shares of `total` resolved: it alerts
 * for the one exactly when the other does for the other. */
struct range range_mirror(const struct range *, double whole, double total);

/* Appends the range as range_parse reads it, in the form that the guidelines use. */
void range_format(struct buf *, const struct range *);

#endif

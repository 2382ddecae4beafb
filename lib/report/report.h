/* The interface of all reports: one finished target at a time, so that a hundred thousand of them
 * never stand in memory together. */
#ifndef MXPROBE_REPORT_H
#define MXPROBE_REPORT_H

#include "base/buf.h"
#include "judge/result.h"

#include <stdbool.h>

struct plugin_conf; /* report/plugin.h */

struct report_conf {
	bool color;     /* ANSI colour; never the only carrier of meaning */
	unsigned width; /* columns to fit the table into; 0: no limit is known, use 0 = as wide as
			   needed */
	bool explain;   /* the table's advice, JSON's field `advice` */
	unsigned verbose;
	const struct plugin_conf *plugin; /* limits of plugin mode; NULL: none. The caller's, alive
					     until the report has ended */
	bool addresses;                   /* Prometheus: address and port as labels */
};

struct report {
	const struct report_kind *kind;
	struct report_conf conf;
	struct buf out;     /* each call appends; the caller writes and clears it */
	unsigned targets;   /* reported so far */
	void *state;        /* the kind's own */
	const char *failed; /* the run failed here, whatever is reported: why; set before the end */
	int exit;           /* plugin mode: the state, once the report has ended */
};

struct report_kind {
	const char *name;
	void (*begin)(struct report *);
	void (*target)(struct report *, const struct result *);
	void (*end)(struct report *); /* frees the kind's own state, too */
};

extern const struct report_kind report_table, report_json, report_plugin, report_prometheus;

void report_begin(struct report *, const struct report_kind *, const struct report_conf *);
void report_target(struct report *, const struct result *);
void report_end(struct report *); /* the text of the end is then in `out` */
void report_fini(struct report *);

#endif

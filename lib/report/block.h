/* The lines of a target around its rows: the heading, sums, sentences, warnings. All text that goes
 * in is safe, all that comes out of a result is made so here. */
#ifndef MXPROBE_BLOCK_H
#define MXPROBE_BLOCK_H

#include "report/report.h"

enum { BLOCK_EDGE = 74 /* where the verdict ends, unless the table is wider */ };

/* What was asked, and what DNS made of it: "4 MX, 16 endpoints". */
void block_name(struct buf *, const struct result *);
void block_facts(struct buf *, const struct result *);

struct block_heading {
	const struct buf *name, *facts;
	const char *right; /* at the right edge: the verdict, or how much is done */
	const char *color; /* of it */
	bool bold;
};

/* One line. On a narrow screen the facts give way, then the name; what is right stays. `columns` 0:
 * no limit; `edge`: where it ends if it can. */
void block_heading(struct buf *, const struct block_heading *, bool color, unsigned columns,
		   size_t edge);

/* "DEGRADED". */
void block_verdict(struct buf *, enum verdict);

/* Appends `line`, which has no colour, cut to the screen. */
void block_line(struct buf *, const struct buf *line, unsigned columns);

/* Appends s, indented, broken at blanks into lines of `columns` (0: never), those after the first
 * with a deeper indent by `hang`. */
void block_prose(struct buf *, const char *s, unsigned columns, size_t hang);

/* Appends sentences that are separated by '\n', as many on a line as fit. */
void block_sentences(struct buf *, const char *s, unsigned columns);

/* "14 of 16 healthy, 1 exhausted, 1 timeout". */
void block_sums(struct buf *, const struct summary *);

/* The odds, as sentences separated by '\n'; nothing where nothing was contacted. */
void block_delivery(struct buf *, const struct delivery *);

/* What there is to say where there is no endpoint, and why the verdict is not what the rows say;
 * nothing if it is. */
void block_reason(struct buf *, const struct result *);

void block_warning(struct buf *, const char *message, bool color, unsigned columns);

#endif

/* The rows of endpoints on a terminal: cells of safe text, and columns that fit its width. */
#ifndef MXPROBE_GRID_H
#define MXPROBE_GRID_H

#include "judge/trend.h"
#include "report/report.h"

enum grid_column {
	COL_PREF,
	COL_HOST,
	COL_ADDRESS,
	COL_RESULT,
	COL_TIME,
	COL_TLS,
	COL_REPLY, /* the last but for the strip: it has no padding without one */
	COLUMNS
};

enum { GRID_INDENT = 2 };

/* One endpoint, as safe text. */
struct grid_row {
	struct buf cell[COLUMNS];
	struct buf phase;  /* follows the reply: "(MAIL FROM)" */
	const char *color; /* of the result; a constant */
	bool backends;     /* several, not all of them healthy: worth to be listed beneath */
	const struct trend_cell *strip; /* grid.strip of them; NULL: blank */
};

struct grid {
	const struct grid_row **rows; /* the caller's */
	size_t n_rows;
	size_t width[COLUMNS]; /* 0: not shown */
	size_t gap, indent;
	size_t strip; /* columns of the strip at the end; 0: none */
	bool color;
	unsigned columns; /* of the screen; 0: no limit */
	bool live;        /* columns keep room for what may come */
};

/* Fills a row anew, but for its strip. `now` USEC_NONE: the contact is done; else a moment of the
 * loop's clock, for what is running. */
void grid_fill(struct grid_row *, const struct result *, const struct endpoint *, usec_t now);
void grid_row_fini(struct grid_row *);

/* Room for `most` rows. */
void grid_init(struct grid *, const struct report_conf *, size_t most);
void grid_fini(struct grid *);
void grid_add(struct grid *, const struct grid_row *);

/* Makes it as narrow as the screen, once all rows are there. */
void grid_fit(struct grid *);

/* Appends one line of cells; row NULL: the names of the columns. */
void grid_print(struct buf *, const struct grid *, const struct grid_row *);

/* Where a heading above ends: at the end of the word REPLY, since replies are of any length, and
 * at the same column for all small tables. */
size_t grid_edge(const struct grid *);

#endif

/* What rounds of probing have shown (--watch): of each target the last result, as a block whose
 * rows end in a strip of the last states, and since when its verdict holds. Values only: neither a
 * terminal nor a clock. Memory depends on the targets and their endpoints, not on how many rounds
 * there were. */
#ifndef MXPROBE_BOARD_H
#define MXPROBE_BOARD_H

#include "report/report.h"

enum {
	BOARD_STATES = 60 /* rounds that a strip can show, and after which an endpoint that DNS no
			     longer lists is forgotten */
};

struct board;

/* `rows`: for board_draw; else only verdicts are kept, for board_line. */
struct board *board_new(bool rows);
void board_free(struct board *); /* takes NULL */

/* A round begins. Each target is then planned (or not) and finished; a planned result stays valid
 * until it is finished or the round is over. */
void board_begin(struct board *);
void board_planned(struct board *, const struct result *);
void board_finished(struct board *, const struct result *);
/* The round is over: what was planned and not finished shows its last result again; targets that a
 * complete round did not have are forgotten. */
void board_end(struct board *, bool complete);

/* Endpoints of this round, and how many of them are done. */
void board_count(const struct board *, size_t *done, size_t *all);

/* Appends all blocks in at most `lines` lines (one at least), and returns how many they took. Where
 * place is short, the sentences go first, then rows: endpoints in trouble keep theirs before
 * healthy ones, targets in trouble before healthy ones, and a line says how many more there are.
 * `now` is on the loop's clock, for what is running. */
size_t board_draw(struct buf *, struct board *, const struct report_conf *, usec_t now,
		  size_t lines);

/* One line on a result that was finished last, where there is no terminal: "2026-11-22T00:46:47Z
 * msn.com degraded: 14 of 16 healthy, 1 exhausted, 1 timeout; healthy before". */
void board_line(struct buf *, const struct board *, const struct result *);

#endif

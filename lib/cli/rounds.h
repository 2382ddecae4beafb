/* --watch: when rounds begin, and what they look like: on a terminal the board, redrawn in place,
 * with a line that says what goes on; elsewhere a line for each result. Who runs the rounds is
 * somebody else: this neither probes nor writes to anything but its terminal. */
#ifndef MXPROBE_ROUNDS_H
#define MXPROBE_ROUNDS_H

#include "net/loop.h"
#include "report/report.h"

struct rounds;

struct rounds_conf {
	usec_t every;            /* from the start of a round to that of the next */
	int screen, keyboard;    /* terminals; -1: none */
	void (*quit)(void *arg); /* `q`, or the terminal is gone */
	void *arg;
};

/* Ctrl-Z, and a terminal that changes its size, are looked after while it lives. */
struct rounds *rounds_new(struct loop *, const struct rounds_conf *, const struct report_conf *);
/* Leaves the last table on the terminal, whole; takes NULL. 0, or the errno with which writing to
 * it failed. */
int rounds_free(struct rounds *);

void rounds_begin(struct rounds *);
void rounds_planned(struct rounds *, const struct result *);
/* Without a screen, appends a line on it to `out`. */
void rounds_finished(struct rounds *, const struct result *, struct buf *out);
/* All targets of the round are finished; sessions may still be saying goodbye. */
void rounds_idle(struct rounds *);
/* The round is over; `complete`: it was not cut short. */
void rounds_end(struct rounds *, bool complete);

/* Lets loop_run go on until the next round is to begin: `every` after the last began, but not
 * without a pause of a second (of `every`, if that is less). */
void rounds_wait(struct rounds *);
/* No further round: what rounds_wait waits for is over. */
void rounds_stop(struct rounds *);

/* Clears the screen's live part, so that somebody else may write; the next drawing brings it back.
 */
void rounds_clear(struct rounds *);

/* When a round begins that comes after one from `began` to `ended`. */
usec_t rounds_next(usec_t began, usec_t ended, usec_t every);

#endif

/* The live table on a terminal: redrawn in place while sessions run. */
#ifndef MXPROBE_PROGRESS_H
#define MXPROBE_PROGRESS_H

#include "net/loop.h"
#include "report/report.h"

struct progress;

/* Draws on `fd`, a terminal, ten times a second while there is something to draw. Colour and
 * explain are taken from `conf`, the size from the terminal (TIOCGWINSZ, again after each SIGWINCH
 * is not needed: it is asked at every drawing). */
struct progress *progress_new(struct loop *, int fd, const struct report_conf *conf);

/* DNS has answered for a target: it is drawn from now on. The result stays valid until
 * progress_finished for it. */
void progress_planned(struct progress *, const struct result *);

/* The target is done: its final block is written for good, above those still running. */
void progress_finished(struct progress *, const struct result *);

/* Clears the live part, so that somebody else may write to the terminal (errors, -v); the next
 * drawing brings it back. */
void progress_clear(struct progress *);
void progress_free(struct progress *); /* the live part is cleared */

#endif

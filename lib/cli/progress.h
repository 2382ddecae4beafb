/* The live table on a terminal: redrawn in place while sessions run. */
#ifndef MXPROBE_PROGRESS_H
#define MXPROBE_PROGRESS_H

#include "net/loop.h"
#include "report/report.h"

#include <stdbool.h>

struct progress;

/* Draws on `fd`, which can have a canvas, ten times a second while there is something to draw.
 * Colour and explain are taken from `conf`, the size from the terminal, anew at every drawing. The
 * terminal's modes and its cursor stay as they are: a program that is killed leaves nothing to be
 * put right. */
struct progress *progress_new(struct loop *, int fd, const struct report_conf *conf);

/* DNS has answered for a target: it is drawn from now on. The result stays valid until
 * progress_finished for it. */
void progress_planned(struct progress *, const struct result *);

/* The target is done (it need not have been planned): its final block is written for good, above
 * those still running. */
void progress_finished(struct progress *, const struct result *);

/* Draws now: what is finished, and the live part in place of the last one. Nothing while the
 * terminal takes no output (Ctrl-S): it never holds the loop up. */
void progress_draw(struct progress *);

/* Clears the live part, so that somebody else may write to the terminal (errors, -v); the next
 * drawing brings it back. What is finished is on the screen then. */
void progress_clear(struct progress *);
/* The live part is cleared, and the sums over several targets are written; takes NULL. 0, or the
 * errno with which writing to the terminal failed. */
int progress_free(struct progress *);

#endif

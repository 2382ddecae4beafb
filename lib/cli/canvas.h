/* The last lines of a terminal, redrawn in place. Its modes and its cursor stay as they are: a
 * program that is killed leaves nothing to be put right. */
#ifndef MXPROBE_CANVAS_H
#define MXPROBE_CANVAS_H

#include "base/buf.h"

#include <stdbool.h>

struct canvas;

struct canvas_size {
	unsigned lines, columns;
};

/* Can `fd` have one: a terminal that moves its cursor? */
bool canvas_possible(int fd);

struct canvas *canvas_new(int fd);
void canvas_free(struct canvas *); /* what is on the screen stays; takes NULL */

/* Of the terminal now; 24 and 80 where it does not say. */
struct canvas_size canvas_size(const struct canvas *);

/* Would the terminal take output now? Not after Ctrl-S, and not when it is gone. */
bool canvas_ready(const struct canvas *);
/* 0: it is not; else the errno with which writing to it failed. */
int canvas_gone(const struct canvas *);

/* Puts `live` in place of the last one, and above it what is to stay for good; each line ends with
 * '\n', none is wider than the screen, and the live ones are fewer than it has. NULL: nothing. */
void canvas_draw(struct canvas *, const struct buf *lasting, const struct buf *live);

/* Something live is on the screen. */
bool canvas_drawn(const struct canvas *);

/* Another program has written over the screen since: the next drawing begins below. */
void canvas_forget(struct canvas *);

#endif

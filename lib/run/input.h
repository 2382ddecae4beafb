/* Targets out of a file or a pipe, a line each, read on the loop as fast as they are wanted. Blank
 * lines and comments (# at the start, or after a blank) are passed over, so are blanks around a
 * line and a BOM. */
#ifndef MXPROBE_INPUT_H
#define MXPROBE_INPUT_H

#include "net/loop.h"

#include <stddef.h>
#include <stdint.h>

struct input;

struct input_events {
	void (*line)(void *arg, const char *text, size_t n); /* any octets but LF; n > 0 */
	void (*ended)(
	    void *arg,
	    int err); /* err: errno of the failed read, 0 at the end. Nothing comes after */
	void *arg;
};

/* Reads fd, which stays the caller's. Call-backs come from the loop. */
struct input *input_new(struct loop *, int fd, const struct input_events *);
void input_free(struct input *);

uint64_t input_taken(const struct input *); /* octets of the lines that were handed on so far */

void input_pause(struct input *); /* may be called from `line` */
void input_resume(struct input *);

/* What can be read without waiting is read and handed on, then it ends. Calls back at once. */
void input_drain(struct input *);

#endif

/* Keys of a terminal, one by one and not shown, while signals go on to be sent by Ctrl-C and
 * Ctrl-Z.
 *
 * The terminal's modes are put back by keyboard_close, at exit, by cannot_go_on, and when a signal
 * that nobody handles ends the program. In the background nothing is changed and nothing read. */
#ifndef MXPROBE_KEYBOARD_H
#define MXPROBE_KEYBOARD_H

#include "net/loop.h"

#include <stdbool.h>

struct keyboard;

/* NULL: `fd` is no terminal. One at a time. It does not keep loop_run from returning. */
struct keyboard *keyboard_open(struct loop *, int fd, void (*key)(void *arg, char key), void *arg);
void keyboard_close(struct keyboard *); /* takes NULL */

/* Are we in the foreground? If so, the modes are ours again (somebody may have changed them while
 * we were stopped, or have brought us back). True where there is no such thing as a foreground, and
 * of NULL. */
bool keyboard_resume(struct keyboard *);

/* Is `fd` a terminal that may be written to: are we in its foreground? */
bool keyboard_foreground(int fd);

/* We were stopped: the modes may have been changed since, and keyboard_resume sets ours anew. */
void keyboard_forget(void);

/* Puts the terminal's modes back as they were, until keyboard_resume. Safe in signal handlers; does
 * nothing when none is open. */
void keyboard_restore(void);

#endif

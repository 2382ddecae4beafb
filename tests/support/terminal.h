/* A terminal that the program runs on, as a person sits before it: what is on the screen, and keys.
 */
#ifndef MXPROBE_TESTS_TERMINAL_H
#define MXPROBE_TESTS_TERMINAL_H

#include <stdbool.h>

struct terminal;

struct terminal *terminal_new(unsigned lines, unsigned columns);
void terminal_free(struct terminal *);
/* For probe_conf.tty. */
const char *terminal_path(const struct terminal *);

void terminal_type(struct terminal *, const char *keys);
void terminal_resize(struct terminal *, unsigned lines, unsigned columns);

/* Waits until the screen shows it, or no longer does; fails the test when that takes too long. */
void terminal_wait(struct terminal *, const char *text, bool there);
/* Reads on until nobody has the terminal open any more. */
void terminal_wait_end(struct terminal *);

/* What is visible; what is in the scrollback, too. The caller frees. */
char *terminal_visible(struct terminal *);
char *terminal_text(struct terminal *);

/* Does it hand on whole lines and show what is typed, as a shell leaves it? */
bool terminal_is_cooked(const struct terminal *);

#endif

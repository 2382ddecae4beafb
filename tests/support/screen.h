/* A terminal of our own: what a program's output looks like on a screen, and what it left in the
 * scrollback. Knows carriage return, line feed, CSI A, CSI K, CSI J and colours; anything else that
 * steers a terminal is a failure. Long lines wrap as they do on a VT100: at the next character. */
#ifndef MXPROBE_TESTS_SCREEN_H
#define MXPROBE_TESTS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen;

struct screen *screen_new(unsigned lines, unsigned columns);
void screen_free(struct screen *);
void screen_feed(struct screen *, const char *bytes, size_t n);
/* As most terminals do it: lines that are too long are folded. */
void screen_resize(struct screen *, unsigned lines, unsigned columns);
bool screen_bad(const struct screen *); /* an unknown sequence came */

/* All lines, the scrollback's first, ended by '\n', blanks at the end of lines and lines without
 * text at the end left out; the caller frees. */
char *screen_text(const struct screen *);
/* The same of what is visible. */
char *screen_visible(const struct screen *);
/* Line and column of the cursor on the screen, from 0. */
void screen_cursor(const struct screen *, unsigned *line, unsigned *column);

#endif

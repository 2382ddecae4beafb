/* How things look on a terminal: colours, letters, strips. Colour never says anything alone. */
#ifndef MXPROBE_LOOKS_H
#define MXPROBE_LOOKS_H

#include "base/buf.h"
#include "judge/trend.h"

#include <stdbool.h>
#include <stddef.h>

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define MAGENTA "\033[35m"
#define PLAIN "\033[0m"

#define ELLIPSIS "\xE2\x80\xA6" /* U+2026 */

#define STRIP_HEALTHY "\xE2\x96\x82" /* U+2582 LOWER ONE QUARTER BLOCK */
#define STRIP_NOTHING "\xC2\xB7"     /* U+00B7 MIDDLE DOT */

const char *class_color(enum class);
const char *verdict_color(enum verdict);
char verdict_letter(enum verdict); /* D, F, N, ?; '\0' for healthy */

void add_spaces(struct buf *, size_t n);
/* `how` is colours of the above; NULL: none. */
void add_colored(struct buf *, bool color, const char *how, const char *s, size_t n);
/* Cuts blanks off the end, back to length `from`. */
void trim_blanks(struct buf *, size_t from);

/* One column a cell: a block for healthy, a letter for anything else (a small one where some of the
 * cell's runs were healthy), a dot where nothing is known. */
void add_strip(struct buf *, const struct trend_cell *, size_t n, bool verdicts, bool color);

#endif

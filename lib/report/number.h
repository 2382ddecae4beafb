/* Numbers for machines: a decimal point in any locale, never an exponent. */
#ifndef MXPROBE_NUMBER_H
#define MXPROBE_NUMBER_H

#include "base/buf.h"

#include <stdbool.h>

/* Appends a finite value rounded to at most 6 `decimals`, zeros at the end left out: "0.875", "-2".
 * What is beyond 1e12 is cut there. */
void number_add(struct buf *, double value, unsigned decimals);

/* Reads digits with an optional sign '-' and an optional fraction ("10", "-2.5", ".5"), up to the
 * first other character, which *end then points to. False when there is no digit or no such number.
 */
bool number_read(const char *text, const char **end, double *value) MUSTCHECK;

#endif

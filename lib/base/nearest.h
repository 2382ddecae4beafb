/* The name that somebody who wrote another one most likely meant. */
#ifndef MXPROBE_NEAREST_H
#define MXPROBE_NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX = 64 }; /* octets; what is longer is near to nothing */

/* Letters left out, added, changed for others or swapped with their neighbours, until a is b: the
 * fewest that do it. NEAREST_MAX + 1 when one of them is longer than NEAREST_MAX. */
unsigned nearest_distance(const char *a, size_t a_len, const char *b, size_t b_len);

/* The one of the names that the first n octets of `word` come nearest to, the first of several;
 * NULL when not even half of the letters are right, and so nothing would be but a guess. */
const char *nearest(const char *word, size_t n, const char *const *names, size_t n_names);

#endif

#include "base/nearest.h"

#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The restricted Damerau-Levenshtein distance: what was swapped is not touched again. Three rows of
 * the table are enough, as a swap looks back over two. */
unsigned nearest_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NEAREST_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	if (a_len > NEAREST_MAX || b_len > NEAREST_MAX)
		return NEAREST_MAX + 1;
	for (size_t k = 0; k <= b_len; k++)
		last[k] = (unsigned)k;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t k = 1; k <= b_len; k++) {
			unsigned best = least(last[k], now[k - 1]) + 1;

			best = least(best, last[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				best = least(best, before[k - 2] + 1);
			now[k] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

const char *nearest(const char *word, size_t n, const char *const *names, size_t n_names)
{
	const char *found = NULL;
	size_t best = 0;

	for (size_t i = 0; i < n_names; i++) {
		size_t len = strlen(names[i]);
		size_t distance = nearest_distance(word, n, names[i], len);

		/* Of two letters one is half, and no hint. */
		if (distance * 2 >= (n > len ? n : len))
			continue;
		if (!found || distance < best) {
			found = names[i];
			best = distance;
		}
	}
	return found;
}

/* Hash table from byte strings to pointers. Keys are copied; values are the caller's. */
#ifndef MXPROBE_MAP_H
#define MXPROBE_MAP_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	const void *key;
	uint32_t len, hash;
	void *value; /* NULL: the slot is free */
};

/* All zero is an empty map. */
struct map {
	struct map_entry *slots;
	size_t count, cap;
	struct arena keys;
	bool borrows; /* keys are not copied: see map_place */
	uint64_t
	    seed; /* drawn at random at the first entry, so that nobody can aim collisions at it */
};

void map_fini(struct map *); /* frees keys and table, not the values */
void *map_get(const struct map *, const void *key, size_t len); /* NULL when not there */
/* Sets key to value (not NULL); returns the value that was there before, or NULL. */
void *map_put(struct map *, const void *key, size_t len, void *value);
/* The entry of a key, until the next change. Its value is NULL when the key is new: then one has to
 * be put there; and where the map borrows, a place of the key that lasts as long as the entry does,
 * as mostly the value has. */
struct map_entry *map_place(struct map *, const void *key, size_t len);
/* Walks all entries in no order: start with *at = 0; NULL at the end. No change while walking. */
void *map_next(const struct map *, size_t *at);

#endif

/* Pieces of memory that live equally long and are given back all at once. */
#ifndef MXPROBE_ARENA_H
#define MXPROBE_ARENA_H

#include "base/util.h"

#include <stddef.h>

struct arena_block;

/* Blocks that arenas have given back, for the next one. All zero is an empty pool. */
struct arena_pool {
	struct arena_block *spare;
};
void arena_pool_fini(struct arena_pool *); /* no arena of it is in use any more */

/* All zero is an empty arena without a pool. */
struct arena {
	struct arena_pool *pool;
	struct arena_block *blocks;
	char *at, *end; /* what is free in the block under way */
};
void arena_fini(struct arena *); /* all pieces are gone; it is empty then, and usable */

/* Zeroed, and aligned for whatever stands in a struct of ours: pointers, 64 bits, doubles. Never
 * NULL, see xmalloc. */
void *arena_add(struct arena *, size_t size);
void *arena_array(struct arena *, size_t n, size_t size);
void *arena_copy(struct arena *, const void *bytes, size_t n);
char *arena_strdup(struct arena *, const char *s);

/* ARRAY_ADD for an array of the arena; what it leaves behind as it grows is gone with the rest. */
#define ARENA_ADD(arena, array, count) \
	((array) = arena_grow((arena), (array), (count), sizeof *(array)), &(array)[(count)++])
void *arena_grow(struct arena *, void *array, size_t count, size_t size);

#endif

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

/* What is larger than `large` gets a block of its own. With AddressSanitizer each piece does, so
 * that it sees who reaches beyond. */
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { BLOCK = 4096, LARGE = 0 };
#else
enum { BLOCK = 4096, LARGE = 1024 };
#endif
enum { ALIGN = 8, FIRST = 4 };

struct arena_block {
	struct arena_block *next;
	size_t size; /* with this head */
};

static void block_list_free(struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
}

void arena_pool_fini(struct arena_pool *pool)
{
	block_list_free(pool->spare);
	pool->spare = NULL;
}

void arena_fini(struct arena *a)
{
	while (a->pool && a->blocks) {
		struct arena_block *block = a->blocks;

		a->blocks = block->next;
		if (block->size == BLOCK) {
			block->next = a->pool->spare;
			a->pool->spare = block;
		} else {
			free(block);
		}
	}
	block_list_free(a->blocks);
	*a = (struct arena){.pool = a->pool};
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
	struct arena_block *block;

	if (size == BLOCK && a->pool && a->pool->spare) {
		block = a->pool->spare;
		a->pool->spare = block->next;
	} else {
		block = xmalloc(size);
		block->size = size;
	}
	block->next = a->blocks;
	a->blocks = block;
	return block;
}

void *arena_add(struct arena *a, size_t size)
{
	struct arena_block *block;
	void *piece;

	if (size > SIZE_MAX / 2)
		cannot_go_on("out of memory", NULL);
	size = ((size ? size : 1) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > (size_t)(a->end - a->at)) {
		if (size > LARGE) {
			block = add_block(a, sizeof *block + size);
			return memset(block + 1, 0, size);
		}
		block = add_block(a, BLOCK);
		a->at = (char *)(block + 1);
		a->end = (char *)block + BLOCK;
	}
	piece = a->at;
	a->at += size;
	return memset(piece, 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		cannot_go_on("out of memory", NULL);
	return arena_add(a, bytes);
}

void *arena_copy(struct arena *a, const void *bytes, size_t n)
{
	void *piece = arena_add(a, n);

	if (n)
		memcpy(piece, bytes, n);
	return piece;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_copy(a, s, strlen(s) + 1);
}

/* As array_grow does it: full when the count is 0 or, from FIRST on, a power of two. */
void *arena_grow(struct arena *a, void *array, size_t count, size_t size)
{
	void *larger;

	if (count && (count < FIRST || (count & (count - 1)) != 0))
		return array;
	larger = arena_array(a, count ? count * 2 : FIRST, size);
	if (count)
		memcpy(larger, array, count * size);
	return larger;
}

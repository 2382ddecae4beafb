#include "base/map.h"
#include "base/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* A keyed multiply-rotate hash over 8 octets at a time: the names come from strangers, hence the
 * seed. */
static uint32_t hash_of(const struct map *m, const void *key, size_t len)
{
	const unsigned char *p = key;
	uint64_t h = m->seed ^ len, w;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 29;
	}
	w = 0;
	if (len)
		memcpy(&w, p, len);
	h = (h ^ w ^ (m->seed >> 7)) * UINT64_C(0xD6E8FEB86659FD93);
	h ^= h >> 32;
	return (uint32_t)h;
}

static struct map_entry *find(const struct map *m, const void *key, size_t len, uint32_t hash)
{
	size_t i = hash & (m->cap - 1);

	for (;; i = (i + 1) & (m->cap - 1)) {
		struct map_entry *e = &m->slots[i];

		if (!e->value ||
		    (e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0))
			return e;
	}
}

static void grow(struct map *m)
{
	struct map_entry *old = m->slots;
	size_t cap = m->cap;

	if (!m->seed) {
		m->seed = (uint64_t)(uintptr_t)m * UINT64_C(0x9E3779B97F4A7C15) + 1;
		(void)!getrandom(&m->seed, sizeof m->seed, GRND_NONBLOCK); /* else it stays so */
	}
	m->cap = cap ? cap * 2 : 16;
	m->slots = xcalloc(m->cap, sizeof *m->slots);
	for (size_t i = 0; i < cap; i++) {
		if (old[i].value)
			*find(m, old[i].key, old[i].len, old[i].hash) = old[i];
	}
	free(old);
}

void map_fini(struct map *m)
{
	free(m->slots);
	arena_fini(&m->keys);
	*m = (struct map){0};
}

void *map_get(const struct map *m, const void *key, size_t len)
{
	return m->count ? find(m, key, len, hash_of(m, key, len))->value : NULL;
}

struct map_entry *map_place(struct map *m, const void *key, size_t len)
{
	struct map_entry *e;
	uint32_t hash;

	if (m->count * 4 >= m->cap * 3)
		grow(m);
	hash = hash_of(m, key, len);
	e = find(m, key, len, hash);
	if (!e->value) {
		e->key = m->borrows ? key : arena_copy(&m->keys, key, len);
		e->len = (uint32_t)len;
		e->hash = hash;
		m->count++;
	}
	return e;
}

void *map_put(struct map *m, const void *key, size_t len, void *value)
{
	struct map_entry *e = map_place(m, key, len);
	void *old = e->value;

	e->value = value;
	return old;
}

void *map_next(const struct map *m, size_t *at)
{
	while (*at < m->cap) {
		void *value = m->slots[(*at)++].value;

		if (value)
			return value;
	}
	return NULL;
}

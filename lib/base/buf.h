/* Bounded bytes: a buffer that grows up to a limit and remembers when it was not enough. */
#ifndef MXPROBE_BUF_H
#define MXPROBE_BUF_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* All zero is an empty buffer without a limit. `data` is not terminated unless buf_str was called.
 */
struct buf {
	char *data;
	uint32_t len, cap; /* cap: with a terminator; 0, or more than len */
	uint32_t max;      /* most bytes it may hold; 0: 2 GiB */
	bool overflow;     /* sticky: something did not fit and was left out whole */
};

void buf_init(struct buf *, uint32_t max);
void buf_fini(struct buf *);  /* frees the bytes; the buffer is then empty and usable */
void buf_clear(struct buf *); /* empty again, memory and limit kept */

/* Room for n more bytes and a terminator behind `len`; false, and `overflow` set, when the limit
 * forbids it. */
bool buf_grow(struct buf *, size_t n);

/* Reports are made of very many very short pieces: mostly there is room. */
static inline bool buf_reserve(struct buf *b, size_t n)
{
	return n < b->cap - b->len || buf_grow(b, n);
}

/* Appends; what does not fit whole is left out and `overflow` set. */
static inline void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (!n || !buf_reserve(b, n))
		return;
	memcpy(b->data + b->len, bytes, n);
	b->len += (uint32_t)n;
}

static inline void buf_addstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void buf_addc(struct buf *b, char c)
{
	if (buf_reserve(b, 1))
		b->data[b->len++] = c;
}

void buf_printf(struct buf *, const char *fmt, ...) PRINTF_LIKE(2, 3);

void buf_consume(struct buf *, size_t n); /* drops n bytes from the front; n <= len */
char *buf_str(struct buf *);              /* terminated view, valid until the next change */
char *buf_steal(struct buf *);            /* terminated, caller frees; the buffer is empty then */

#endif

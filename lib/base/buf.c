#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_MOST ((uint32_t)1 << 31)

void buf_init(struct buf *b, uint32_t max)
{
	*b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

bool buf_grow(struct buf *b, size_t n)
{
	size_t most = b->max && b->max < BUF_MOST ? b->max : BUF_MOST;
	size_t want = (size_t)b->len + n + 1, cap = b->cap > 32 ? b->cap : 32;

	if (n > most - b->len) {
		b->overflow = true;
		return false;
	}
	while (cap < want)
		cap *= 2;
	/* Never more than it may hold: who looks for room need not look for the limit. */
	if (cap > most + 1)
		cap = most + 1;
	b->data = xreallocarray(b->data, cap, 1);
	b->cap = (uint32_t)cap;
	return true;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	/* Mostly it fits into what is there. */
	va_start(ap, fmt);
	n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room) {
		b->len += (uint32_t)n;
		return;
	}
	if (n < 0 || !buf_reserve(b, (size_t)n)) {
		b->overflow = true;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap); /* room was just made */
	va_end(ap);
	b->len += (uint32_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= (uint32_t)n;
	if (b->len)
		memmove(b->data, b->data + n, b->len);
}

char *buf_str(struct buf *b)
{
	if (!b->data) {
		b->cap = 1;
		b->data = xmalloc(b->cap);
	}
	b->data[b->len] = '\0'; /* whoever made room made it for this, too */
	return b->data;
}

char *buf_steal(struct buf *b)
{
	char *s = buf_str(b);

	*b = (struct buf){.max = b->max};
	return s;
}

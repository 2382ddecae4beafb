/* Bounded bytes: a buffer that grows up to a limit and remembers when it was not enough. */
#ifndef MXPROBE_BUF_H
#define MXPROBE_BUF_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty buffer without a limit. `data` is not terminated unless buf_str was called.
 */
struct buf {
	char *data;
	uint32_t len, cap;
	uint32_t max;  /* most bytes it may hold; 0: 2 GiB */
	bool overflow; /* sticky: something did not fit and was left out whole */
};

void buf_init(struct buf *, uint32_t max);
void buf_fini(struct buf *);  /* frees the bytes; the buffer is then empty and usable */
void buf_clear(struct buf *); /* empty again, memory and limit kept */

/* Appends; what does not fit whole is left out and `overflow` set. */
void buf_add(struct buf *, const void *bytes, size_t n);
void buf_addstr(struct buf *, const char *s);
void buf_addc(struct buf *, char c);
void buf_printf(struct buf *, const char *fmt, ...) PRINTF_LIKE(2, 3);

void buf_consume(struct buf *, size_t n); /* drops n bytes from the front; n <= len */
char *buf_str(struct buf *);              /* terminated view, valid until the next change */
char *buf_steal(struct buf *);            /* terminated, caller frees; the buffer is empty then */

#endif

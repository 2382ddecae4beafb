/* JSON text as it goes: no tree in between, which for a probe's result costs more than the probe.
 * Strings may be any octets; what comes out is always valid (RFC 8259), and nothing in it is a
 * control character or turns the direction of writing. */
#ifndef MXPROBE_WRITER_H
#define MXPROBE_WRITER_H

#include "base/buf.h"
#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	struct buf *out;
	bool comma; /* something stands before at this level */
};

/* `key` NULL: an element of an array, or the outermost value. Keys are constants of ours. */
void write_open(struct writer *, const char *key, char bracket); /* '{' or '[' */
void write_close(struct writer *, char bracket);                 /* '}' or ']' */
void write_null(struct writer *, const char *key);
void write_bool(struct writer *, const char *key, bool);
void write_int(struct writer *, const char *key, int64_t);
/* Rounded to at most six decimals, one at least; not a number and infinity are null. */
void write_real(struct writer *, const char *key, double, unsigned decimals);
void write_ms(struct writer *, const char *key, usec_t); /* in milliseconds; USEC_NONE is null */
/* A probability, to a millionth; one that is neither 0 nor 1 is never shown as either. */
void write_share(struct writer *, const char *key, double);
/* A moment, milliseconds since 1970, as RFC 3339 has it. */
void write_time(struct writer *, const char *key, int64_t unix_ms);
void write_text(struct writer *, const char *key, const char *s); /* NULL is null */
void write_textn(struct writer *, const char *key, const char *s, size_t n);

#endif

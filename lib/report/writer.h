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
#include <string.h>

struct writer {
	struct buf *out;
	bool comma; /* something stands before at this level */
};

/* What stands before a value. There are a hundred of them in a line: the length of a constant key
 * is known when it is compiled. */
static inline void write_key(struct writer *w, const char *key)
{
	size_t n = key ? strlen(key) : 0;
	char *at;

	if (!buf_reserve(w->out, n + 4))
		return;
	at = w->out->data + w->out->len;
	if (w->comma)
		*at++ = ',';
	w->comma = true;
	if (key) {
		*at++ = '"';
		memcpy(at, key, n);
		at += n;
		*at++ = '"';
		*at++ = ':';
	}
	w->out->len = (uint32_t)(at - w->out->data);
}

/* A value without its key. */
void value_int(struct buf *, int64_t);
void value_real(struct buf *, double, unsigned decimals);
void value_ms(struct buf *, usec_t);
void value_share(struct buf *, double);
void value_time(struct buf *, int64_t unix_ms);
void value_text(struct buf *, const char *s, size_t n);
void value_word(struct buf *, const char *s, size_t n); /* plain ASCII without '"' and '\\' */

/* `key` NULL: an element of an array, or the outermost value. Keys are constants of ours. */
static inline void write_open(struct writer *w, const char *key, char bracket) /* '{' or '[' */
{
	write_key(w, key);
	buf_addc(w->out, bracket);
	w->comma = false;
}

static inline void write_close(struct writer *w, char bracket) /* '}' or ']' */
{
	buf_addc(w->out, bracket);
	w->comma = true;
}

static inline void write_null(struct writer *w, const char *key)
{
	write_key(w, key);
	buf_add(w->out, "null", 4);
}

static inline void write_bool(struct writer *w, const char *key, bool value)
{
	write_key(w, key);
	buf_addstr(w->out, value ? "true" : "false");
}

static inline void write_int(struct writer *w, const char *key, int64_t value)
{
	write_key(w, key);
	value_int(w->out, value);
}

/* Rounded to at most six decimals, one at least; not a number and infinity are null. */
static inline void write_real(struct writer *w, const char *key, double value, unsigned decimals)
{
	write_key(w, key);
	value_real(w->out, value, decimals);
}

/* A span in milliseconds; USEC_NONE is null. */
static inline void write_ms(struct writer *w, const char *key, usec_t span)
{
	write_key(w, key);
	value_ms(w->out, span);
}

/* A probability, to a millionth; one that is neither 0 nor 1 is never shown as either. */
static inline void write_share(struct writer *w, const char *key, double p)
{
	write_key(w, key);
	value_share(w->out, p);
}

/* A moment, milliseconds since 1970, as RFC 3339 has it. */
static inline void write_time(struct writer *w, const char *key, int64_t unix_ms)
{
	write_key(w, key);
	value_time(w->out, unix_ms);
}

static inline void write_textn(struct writer *w, const char *key, const char *s, size_t n)
{
	write_key(w, key);
	value_text(w->out, s, n);
}

static inline void write_text(struct writer *w, const char *key, const char *s) /* NULL is null */
{
	write_key(w, key);
	if (s)
		value_text(w->out, s, strlen(s));
	else
		buf_add(w->out, "null", 4);
}

/* A constant of ours, which needs no second look; NULL is null. */
static inline void write_word(struct writer *w, const char *key, const char *word)
{
	write_key(w, key);
	if (word)
		value_word(w->out, word, strlen(word));
	else
		buf_add(w->out, "null", 4);
}

#endif

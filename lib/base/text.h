/* Foreign text made safe. Nothing that a server or a resolver said reaches an output but through
 * here: as terminal text (control characters and bytes that are not UTF-8 as \xHH) or as UTF-8 with
 * U+FFFD in place of what is not. */
#ifndef MXPROBE_TEXT_H
#define MXPROBE_TEXT_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Length in octets of the well-formed UTF-8 sequence (RFC 3629) at s, its code point in *cp; 0 when
 * there is none within n octets. */
size_t utf8_decode(const char *s, size_t n, uint32_t *cp);

/* Columns that a code point takes on a terminal: 0 (combining), 1, or 2 (wide). Independent of the
 * locale. */
unsigned utf8_columns(uint32_t cp);

/* Appends s for a terminal or a log: control characters (C0, DEL, C1, bidirectional and line
 * separators among the format characters) and stray octets as \xHH of each octet; a backslash
 * stays. */
void text_safe(struct buf *out, const char *s, size_t n);

/* Appends s as valid UTF-8; each octet that is not UTF-8 becomes U+FFFD. Controls stay: for JSON,
 * whose writer escapes them. NUL becomes U+FFFD too where keep_nul is false. */
void text_utf8(struct buf *out, const char *s, size_t n, int keep_nul);

/* Columns of s, which is safe text. */
size_t text_columns(const char *s, size_t n);

/* Appends safe text s cut to at most `columns`, the last one then being "…" (U+2026). */
void text_fit(struct buf *out, const char *s, size_t n, size_t columns);

#endif

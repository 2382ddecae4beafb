/* Values made from the octets of a fuzzer, for targets whose input is no text: each octet decides
 * something, and when there are none left everything is zero. */
#ifndef MXPROBE_FUZZ_MADE_H
#define MXPROBE_FUZZ_MADE_H

#include "judge/result.h"

#include <stddef.h>
#include <stdint.h>

struct octets {
	const uint8_t *at;
	size_t n;
};

unsigned made_number(struct octets *, unsigned limit); /* below the limit, which is not 0 */
uint32_t made_word(struct octets *);                   /* any */
/* Any octets but NUL; now and then many. The caller frees. */
char *made_text(struct octets *);

/* A finished result with up to a dozen endpoints; made_free() frees it. */
struct result *made_result(struct octets *);
void made_free(struct result *);

/* Ends the program unless this is text for people: whole UTF-8, and nothing in it that steers a
 * terminal; '\n' is one of its characters only when `lines` is set. */
void must_be_safe(const char *s, size_t n, int lines);

#endif

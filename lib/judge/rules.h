/* The rule table: what each way to end, and each reply, means. First match wins. */
#ifndef MXPROBE_RULES_H
#define MXPROBE_RULES_H

#include "judge/classify.h"

#include <stddef.h>

struct rule {
	unsigned phases; /* bit set of 1u << enum phase; 0: any */
	enum end end;
	short from, to;       /* reply code range, both included; 0: any. END_REPLY only */
	unsigned notes;       /* NOTE_... that must be set */
	const char *enhanced; /* patterns of enhanced codes, see rules.c; NULL: any */
	const char *words;    /* text patterns, see rules.c; NULL: any */
	const char *unless;   /* text patterns that forbid the row; NULL: none */
	enum class class;
	enum reason reason;
	const char
	    *example; /* a reply or end that this row, and none above it, matches (for the test) */
};

extern const struct rule rules[];
extern const size_t n_rules;

#endif

/* The rule table: what each way to end, and each reply, means. First match wins. */
#ifndef MXPROBE_RULES_H
#define MXPROBE_RULES_H

#include "judge/classify.h"
#include "judge/lexicon.h"

#include <stddef.h>
#include <stdint.h>

/* What is zero or NULL does not matter to a row; all that is given must hold. */
struct rule {
	enum end end;
	unsigned phases; /* bit set of 1u << enum phase */
	unsigned notes;  /* NOTE_... that must be set */
	short from, to;  /* reply code range, both included */
	/* Enhanced codes without their class, which must be the basic code's (RFC 2034): "3.1",
	 * "2.*" (any detail), "7.65*" (any further digits); several separated by blanks. */
	const char *enhanced;
	uint64_t all;  /* the text must have all of these meanings, SAYS(x) | SAYS(y) */
	uint64_t any;  /* and one of these */
	uint64_t none; /* and none of these */
	enum class class;
	enum reason reason;
	const char *example; /* a reply that this row, and none above it, matches; NULL where the
				end says it all */
};

extern const struct rule rules[];
extern const size_t n_rules;

#endif

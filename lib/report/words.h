/* Short words for people, all of them safe for a terminal: spans, shares, what a contact ended
 * with. In English and with a decimal point in any locale. */
#ifndef MXPROBE_WORDS_H
#define MXPROBE_WORDS_H

#include "base/buf.h"
#include "judge/result.h"

/* A span with its unit: "0.4 ms", "182 ms", "10.0 s", "130 s". */
void words_span(struct buf *, usec_t);

/* The same within a sentence: "10 s". */
void words_span_short(struct buf *, usec_t);

/* A share with as many digits as it takes not to say 100 % or 0 % of what is not: "88 %",
 * "99.2 %", "99.97 %", "> 99.99 %". */
void words_percent(struct buf *, double share);

/* A reply on one line: code and text, the lines joined by a space, an enhanced code that all lines
 * have said once. */
void words_reply(struct buf *, const struct reply *);

/* Why a contact is not healthy: its reply when that says it, else a short sentence; nothing for a
 * healthy one. True when the phase is still to be told (words_phase of contact.phase). */
bool words_ending(struct buf *, const struct contact *);

/* What a phase of this session is to a mail administrator: "banner", "EHLO", "MAIL FROM". */
const char *words_phase(const struct observation *, enum phase);

#endif

/* Short words about history, the same in text and HTML. All of them safe. */
#ifndef MXPROBE_TREND_WORDS_H
#define MXPROBE_TREND_WORDS_H

#include "base/buf.h"
#include "judge/trend.h"

#include <stdint.h>

/* "2026-11-21 16:31", in UTC. */
void trend_moment(struct buf *, int64_t unix_ms);

/* "45 s", "25 min", "3.2 h", "2.1 d". */
void trend_duration(struct buf *, int64_t ms);

/* Code, enhanced code and text of a reply on one line, safe for a terminal; nothing without. */
void trend_reply_words(struct buf *, const struct trend_reply *);

/* "Degraded since 2026-11-20 03:10." */
void trend_state(struct buf *, const struct trend *);

/* "97.1 % healthy, 2.9 % degraded": the shares of the runs. */
void trend_verdicts(struct buf *, const struct trend *);

#endif

/* From rows of history to a trend. Pure: rows come in order of time, values go out. */
#ifndef MXPROBE_GATHER_H
#define MXPROBE_GATHER_H

#include "judge/trend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gather;

/* `slices` of the span from from_ms to to_ms, 1 at least; `phases`: their medians, too. */
struct gather *gather_new(int64_t from_ms, int64_t to_ms, size_t slices, bool phases);

/* All endpoints that may come, with growing ids, before the first run. */
void gather_endpoint(struct gather *, int64_t id, const char *host, const char *address,
		     uint16_t port);

/* One run, and after it its outcomes in their order; first_try -1: null. Of the timing only what
 * was asked for needs to be there, and the total. `reply` names a text, 0: none. */
void gather_run(struct gather *, int64_t started_ms, enum verdict, double first_try);
void gather_outcome(struct gather *, int64_t endpoint, enum class, enum reason, int64_t reply,
		    const struct timing *);

/* The ways to fail that have come, to be given their texts: the i-th one's reply; -1 behind the
 * last. `enhanced` and `text` empty: there is none. */
int64_t gather_reply(const struct gather *, size_t i);
void gather_reply_text(struct gather *, size_t i, int code, const char *enhanced, const char *text);

/* All of it; frees the gatherer. */
struct trend *gather_end(struct gather *);

#endif

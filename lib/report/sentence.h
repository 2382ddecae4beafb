/* One sentence about a result, for chat rooms and telephones. What a server or the DNS said is in
 * it only as letters, digits and harmless punctuation: nothing of it can be a mention, a link or
 * markup to Slack, Mattermost and their like, nor steer anything. */
#ifndef MXPROBE_SENTENCE_H
#define MXPROBE_SENTENCE_H

#include "base/buf.h"
#include "judge/event.h"
#include "judge/result.h"

/* `told`: the verdict that the reader knows of; -1: none. */
void sentence_of(struct buf *out, const struct result *, enum event, int told);

#endif

/* What a run as a whole says of the place it is run from: is it them, or are we cut off? */
#ifndef MXPROBE_VANTAGE_H
#define MXPROBE_VANTAGE_H

#include "base/map.h"
#include "judge/result.h"

#include <stdbool.h>

/* All zero: nothing was seen yet. */
struct vantage {
	struct map silent; /* networks whose endpoints all timed out at connect */
	bool connected;    /* somebody has answered, be it with a refusal */
};

void vantage_fini(struct vantage *);

/* Takes a target whose sessions are over. True when all of its endpoints that were contacted timed
 * out at connect, as has everything before it, in networks that have nothing to do with each other:
 * then the likely cause is here, a provider or a firewall that lets no SMTP out. */
bool vantage_take(struct vantage *, const struct result *) MUSTCHECK;

#endif

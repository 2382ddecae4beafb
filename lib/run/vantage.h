/* What a run as a whole says of the place it is run from: is it them, or are we cut off? */
#ifndef MXPROBE_VANTAGE_H
#define MXPROBE_VANTAGE_H

#include "base/map.h"
#include "judge/result.h"

#include <stdbool.h>

enum vantage_view {
	VANTAGE_OPEN,     /* somebody answers, or nothing was asked */
	VANTAGE_DOUBTFUL, /* nobody has answered yet, but then few were asked */
	VANTAGE_BLOCKED   /* it is likely that a provider or a firewall lets no SMTP out of here */
};

/* All zero: nothing was seen yet. */
struct vantage {
	struct map silent; /* networks whose endpoints all timed out at connect */
	bool connected;    /* somebody has answered, be it with a refusal */
};

void vantage_fini(struct vantage *);

/* Takes a target whose sessions are over. When all of its endpoints that were contacted timed out
 * at connect, as has everything before it, the view is doubtful; in networks that have nothing to
 * do with each other the likely cause is here, and the view blocked. */
enum vantage_view vantage_take(struct vantage *, const struct result *) MUSTCHECK;

#endif

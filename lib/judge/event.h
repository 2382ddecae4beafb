/* Which results others are to be told of, and as what. */
#ifndef MXPROBE_EVENT_H
#define MXPROBE_EVENT_H

#include "judge/result.h"

#include <stdbool.h>

enum event_when { EVENTS_CHANGE, EVENTS_PROBLEM, EVENTS_ALWAYS };

enum event {
	EVENT_NONE,   /* nobody is told */
	EVENT_RESULT, /* nothing has happened, but every result was asked for */
	EVENT_PROBLEM,
	EVENT_RECOVERY,
	EVENT_CHANGE,
	EVENTS
};
const char *event_name(enum event); /* "problem", ...; NULL for EVENT_NONE and EVENT_RESULT */

struct event_facts {
	enum event_when when;
	enum verdict verdict; /* of this result */
	bool speaks;          /* see event_speaks */
	int confirmed;        /* the verdict that the history holds now; -1: none is kept */
	int told;             /* the one that was told last, or where counting began; -1: none */
};

/* False: what a result says is not about its target: the control target failed, too, or the run
 * was interrupted, or its deadline came before anything could be found out. */
bool event_speaks(const struct result *);

/* *news: it is a change against what was told last, so that it must not get lost. */
enum event event_of(const struct event_facts *, bool *news);

#endif

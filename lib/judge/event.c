#include "judge/event.h"

#include <assert.h>
#include <string.h>

static const char *const names[] = {
    [EVENT_NONE] = NULL,           [EVENT_RESULT] = NULL,     [EVENT_PROBLEM] = "problem",
    [EVENT_RECOVERY] = "recovery", [EVENT_CHANGE] = "change",
};
static_assert(ARRAY_LEN(names) == EVENTS, "each event has a name, or none");

const char *event_name(enum event event)
{
	return names[event];
}

bool event_speaks(const struct result *r)
{
	static const char *const ours[] = {"control-failed", "interrupted", "deadline"};

	for (size_t i = 0; r->error_code && i < ARRAY_LEN(ours); i++)
		if (strcmp(r->error_code, ours[i]) == 0)
			return false;
	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct contact *c = r->endpoints[i].contact;

		if (c->class != CLASS_SKIPPED)
			continue;
		if (c->reason == REASON_INTERRUPTED ||
		    (c->reason == REASON_DEADLINE && r->verdict == VERDICT_UNKNOWN))
			return false;
	}
	return true;
}

enum event event_of(const struct event_facts *f, bool *news)
{
	const bool bad = f->verdict != VERDICT_HEALTHY;
	/* One run that the history does not believe yet is neither a problem nor a recovery. */
	const bool sure = f->confirmed < 0 || f->confirmed == (int)f->verdict;

	*news = f->speaks && sure && f->told >= 0 && f->told != (int)f->verdict;
	if (*news && !bad)
		return EVENT_RECOVERY;
	if (*news && f->when != EVENTS_PROBLEM && f->told != VERDICT_HEALTHY)
		return EVENT_CHANGE;
	if (*news)
		return EVENT_PROBLEM;
	if (f->when != EVENTS_CHANGE && f->speaks && bad && f->confirmed != VERDICT_HEALTHY)
		return EVENT_PROBLEM;
	return f->when == EVENTS_ALWAYS ? EVENT_RESULT : EVENT_NONE;
}

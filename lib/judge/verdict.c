#include "judge/verdict.h"

#include <assert.h>

void summarize(struct result *r)
{
	struct summary sum = {.endpoints = (unsigned)r->n_endpoints, .slowest = USEC_NONE};

	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct contact *c = r->endpoints[i].contact;

		sum.count[c->class]++;
		if (c->class == CLASS_HEALTHY && c->timing.total > sum.slowest)
			sum.slowest = c->timing.total;
	}
	r->summary = sum;
}

/* No endpoint was contacted: can the domain have no mail for sure, or is it only not known? */
static enum verdict verdict_uncontacted(const struct result *r)
{
	if (r->summary.count[CLASS_SKIPPED])
		return VERDICT_UNKNOWN;
	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct contact *c = r->endpoints[i].contact;

		/* A host that has an address and is unresolved all the same lacks only a secure
		 * answer about its TLSA records: that it has no address is then not so. */
		if (c->reason == REASON_SERVFAIL || c->reason == REASON_TIMEOUT || c->addr.family)
			return VERDICT_UNKNOWN;
	}
	return VERDICT_UNDELIVERABLE;
}

enum verdict verdict_of(const struct result *r)
{
	const unsigned *count = r->summary.count;
	unsigned contacted = r->summary.endpoints - count[CLASS_SKIPPED] - count[CLASS_UNRESOLVED];

	if (r->error_code)
		return VERDICT_UNKNOWN;
	if (r->source == SOURCE_NULL_MX)
		return VERDICT_UNDELIVERABLE;
	if (!r->n_endpoints) {
		switch (r->status) {
		case DNS_NXDOMAIN:
		case DNS_NO_ADDRESS:
		case DNS_INVALID:
			return VERDICT_UNDELIVERABLE;
		default:
			return VERDICT_UNKNOWN;
		}
	}
	if (!contacted)
		return verdict_uncontacted(r);
	if (count[CLASS_HEALTHY] == contacted && !count[CLASS_UNRESOLVED])
		return VERDICT_HEALTHY;
	if (count[CLASS_HEALTHY])
		return VERDICT_DEGRADED;
	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct contact *c = r->endpoints[i].contact;

		if (c->class != CLASS_SKIPPED && c->healthy_sessions)
			return VERDICT_DEGRADED;
	}
	return VERDICT_FAILING;
}

int exit_worst(int so_far, int exit)
{
	/* Found trouble outranks ignorance: 3 stands between 0 and 1. */
	static const int rank[] = {[0] = 0, [3] = 1, [1] = 2, [2] = 3};

	assert(so_far >= 0 && so_far <= 3 && exit >= 0 && exit <= 3);
	return rank[exit] > rank[so_far] ? exit : so_far;
}

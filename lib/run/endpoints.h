/* From the finished plan of a domain to its endpoints: which are contacted, which are not and why,
 * in what order they stand. Pure. */
#ifndef MXPROBE_ENDPOINTS_H
#define MXPROBE_ENDPOINTS_H

#include "dns/mx.h"
#include "smtp/observation.h"

enum { ENDPOINTS_MAX = 1000 /* of a target that are contacted */ };

struct endpoint_plan {
	const struct mx_plan_host *host; /* of the plan */
	struct addr addr;                /* family 0: the host has none */
	enum end end;                    /* END_NONE: contact it; else why not */
};

/* By preference, host name, address; *out is in the plan's memory. */
size_t endpoints_of(const struct mx_plan *, bool public_only, struct endpoint_plan **out);

#endif

/* DNS data of the lab: records by name, and what a resolver would answer from them. */
#ifndef LAB_ZONE_H
#define LAB_ZONE_H

#include "base/util.h"

#include <ldns/ldns.h>
#include <stdbool.h>

struct zone;

struct zone *zone_new(void);
void zone_free(struct zone *);

/* Adds one record in master file form; false and nothing added when ldns cannot read it. */
bool zone_add(struct zone *, const char *text) MUSTCHECK;

/* Appends to `answer` (which owns them) the records for the question, CNAMEs followed. An owner
 * "*.x" stands for every name below x that has no records of its own. Returns the rcode. */
ldns_pkt_rcode zone_answer(const struct zone *, const ldns_rdf *name, ldns_rr_type,
			   ldns_rr_list *answer);

/* Lower case presentation form without the final dot; "." for the root. Caller frees. */
char *zone_name(const ldns_rdf *);

#endif

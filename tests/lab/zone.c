#include "lab/zone.h"

#include "base/map.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_MAX = 20 }; /* a loop of CNAMEs is answered with this many links */

struct zone {
	struct map names; /* lower case text -> ldns_rr_list, empty for a name that only has
			     something below it */
};

struct zone *zone_new(void)
{
	return xcalloc(1, sizeof(struct zone));
}

void zone_free(struct zone *zone)
{
	if (!zone)
		return;
	size_t at = 0;
	for (ldns_rr_list *list; (list = map_next(&zone->names, &at));)
		ldns_rr_list_deep_free(list);
	map_fini(&zone->names);
	free(zone);
}

char *zone_name(const ldns_rdf *name)
{
	char *text = ldns_rdf2str(name);
	char *copy = xstrdup(text ? text : "?");
	free(text);
	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	size_t n = strlen(copy);
	if (n > 1 && copy[n - 1] == '.' && copy[n - 2] != '\\')
		copy[n - 1] = '\0';
	return copy;
}

/* The name one label up; NULL above a top level. Dots in labels are written "\.". */
static const char *parent(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '.' && p[1])
			return p + 1;
	}
	return NULL;
}

static ldns_rr_list *records(struct zone *zone, const char *name)
{
	ldns_rr_list *list = map_get(&zone->names, name, strlen(name));
	if (!list) {
		list = ldns_rr_list_new();
		map_put(&zone->names, name, strlen(name), list);
	}
	return list;
}

bool zone_add(struct zone *zone, const char *text)
{
	ldns_rr *rr = NULL;
	if (ldns_rr_new_frm_str(&rr, text, 300, NULL, NULL) != LDNS_STATUS_OK)
		return false;
	char *name = zone_name(ldns_rr_owner(rr));
	ldns_rr_list_push_rr(records(zone, name), rr);
	/* Empty non-terminals exist: NODATA, not NXDOMAIN (RFC 8020). */
	for (const char *up = parent(name); up; up = parent(up))
		records(zone, up);
	free(name);
	return true;
}

/* The records of a name, or those of the wildcard that covers it; NULL: there is no such name. */
static const ldns_rr_list *find(const struct zone *zone, const char *name)
{
	const ldns_rr_list *list = map_get(&zone->names, name, strlen(name));
	for (const char *up = parent(name); !list && up; up = parent(up)) {
		char *star = xasprintf("*.%s", up);
		list = map_get(&zone->names, star, strlen(star));
		free(star);
		/* RFC 4592: the closest name that exists ends the search. */
		if (map_get(&zone->names, up, strlen(up)))
			break;
	}
	return list;
}

ldns_pkt_rcode zone_answer(const struct zone *zone, const ldns_rdf *question, ldns_rr_type type,
			   ldns_rr_list *answer)
{
	ldns_rdf *name = ldns_rdf_clone(question);
	ldns_pkt_rcode rcode = LDNS_RCODE_NOERROR;
	for (int link = 0; link < CHAIN_MAX; link++) {
		char *text = zone_name(name);
		const ldns_rr_list *list = find(zone, text);
		free(text);
		if (!list) {
			rcode = LDNS_RCODE_NXDOMAIN;
			break;
		}
		ldns_rdf *next = NULL;
		for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
			const ldns_rr *rr = ldns_rr_list_rr(list, i);
			bool alias = ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME &&
				     type != LDNS_RR_TYPE_CNAME;
			if (!alias && ldns_rr_get_type(rr) != type)
				continue;
			ldns_rr *copy = ldns_rr_clone(rr);
			ldns_rdf_deep_free(ldns_rr_owner(copy));
			ldns_rr_set_owner(copy, ldns_rdf_clone(name));
			ldns_rr_list_push_rr(answer, copy);
			if (alias && !next)
				next = ldns_rdf_clone(ldns_rr_rdf(rr, 0));
		}
		if (!next)
			break;
		ldns_rdf_deep_free(name);
		name = next;
	}
	ldns_rdf_deep_free(name);
	return rcode;
}

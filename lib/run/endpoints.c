#include "run/endpoints.h"

#include <stdlib.h>
#include <string.h>

static enum end end_of(enum dns_status status)
{
	static const enum end ends[DNS_STATUSES] = {
	    [DNS_OK] = END_LIMIT,
	    [DNS_NXDOMAIN] = END_DNS_NXDOMAIN,
	    [DNS_NO_ADDRESS] = END_DNS_NO_ADDRESS,
	    [DNS_SERVFAIL] = END_DNS_SERVFAIL,
	    [DNS_TIMEOUT] = END_DNS_TIMEOUT,
	    [DNS_INVALID] = END_DNS_INVALID,
	    [DNS_LOCAL_ERROR] = END_LOCAL_ERROR,
	};

	return ends[status];
}

static int by_rank(const void *a, const void *b)
{
	const struct endpoint_plan *x = a, *y = b;
	int names;

	if (x->host->preference != y->host->preference)
		return x->host->preference < y->host->preference ? -1 : 1;
	names = strcmp(x->host->name, y->host->name);
	if (names)
		return names;
	if (x->addr.family != y->addr.family)
		return x->addr.family == AF_INET ? -1 : 1;
	return memcmp(x->addr.ip, y->addr.ip, sizeof x->addr.ip);
}

static bool in_order(const struct endpoint_plan *list, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (by_rank(&list[i - 1], &list[i]) > 0)
			return false;
	return true;
}

size_t endpoints_of(const struct mx_plan *p, bool public_only, struct endpoint_plan **out)
{
	struct endpoint_plan *list;
	size_t most = 0, n = 0, contacted = 0;

	for (size_t i = 0; i < p->n_hosts; i++)
		most += p->hosts[i].n_addrs ? p->hosts[i].n_addrs : 1;
	list = *out = arena_array(p->memory, most, sizeof *list);
	for (size_t i = 0; i < p->n_hosts; i++) {
		const struct mx_plan_host *h = &p->hosts[i];

		if (!h->n_addrs)
			list[n++] = (struct endpoint_plan){
			    .host = h, .end = h->beyond_limit ? END_LIMIT : end_of(h->status)};
		for (size_t j = 0; j < h->n_addrs; j++) {
			enum end end = END_NONE;

			if (j >= MX_ADDRESSES_MAX || contacted >= ENDPOINTS_MAX)
				end = END_LIMIT;
			else if (public_only && !addr_is_public(&h->addrs[j]))
				end = END_NOT_PUBLIC;
			else
				contacted++;
			list[n++] =
			    (struct endpoint_plan){.host = h, .addr = h->addrs[j], .end = end};
		}
	}
	if (!in_order(list, n))
		qsort(list, n, sizeof *list, by_rank);
	return n;
}

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
	};

	return ends[status];
}

struct sortable {
	const struct mx_plan_host *host;
	struct endpoint_plan plan;
};

static int by_rank(const void *a, const void *b)
{
	const struct sortable *x = a, *y = b;
	int names;

	if (x->host->preference != y->host->preference)
		return x->host->preference < y->host->preference ? -1 : 1;
	names = strcmp(x->host->name, y->host->name);
	if (names)
		return names;
	if (x->plan.addr.family != y->plan.addr.family)
		return x->plan.addr.family == AF_INET ? -1 : 1;
	return memcmp(x->plan.addr.ip, y->plan.addr.ip, sizeof x->plan.addr.ip);
}

static void add(struct sortable **list, size_t *n, const struct mx_plan *p, size_t host,
		const struct addr *addr, enum end end)
{
	struct sortable *s = ARRAY_ADD(*list, *n);

	s->host = &p->hosts[host];
	s->plan.host = host;
	s->plan.end = end;
	if (addr)
		s->plan.addr = *addr;
}

size_t endpoints_of(const struct mx_plan *p, bool public_only, struct endpoint_plan **out)
{
	struct sortable *list = NULL;
	size_t n = 0, contacted = 0;

	for (size_t i = 0; i < p->n_hosts; i++) {
		const struct mx_plan_host *h = &p->hosts[i];

		if (!h->n_addrs)
			add(&list, &n, p, i, NULL, h->beyond_limit ? END_LIMIT : end_of(h->status));
		for (size_t j = 0; j < h->n_addrs; j++) {
			enum end end = END_NONE;

			if (j >= MX_ADDRESSES_MAX || contacted >= ENDPOINTS_MAX)
				end = END_LIMIT;
			else if (public_only && !addr_is_public(&h->addrs[j]))
				end = END_NOT_PUBLIC;
			else
				contacted++;
			add(&list, &n, p, i, &h->addrs[j], end);
		}
	}
	if (n)
		qsort(list, n, sizeof *list, by_rank);
	*out = xcalloc(n, sizeof **out);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = list[i].plan;
	free(list);
	return n;
}

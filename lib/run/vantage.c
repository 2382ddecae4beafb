#include "run/vantage.h"

#include <string.h>

/* Two networks far apart do not fail at once by chance, whatever is wrong with one receiver. */
enum { NETWORKS_APART = 2, BITS_IPV4 = 16, BITS_IPV6 = 32 };

void vantage_fini(struct vantage *v)
{
	map_fini(&v->silent);
}

static size_t network_of(const struct addr *a, uint8_t key[1 + BITS_IPV6 / 8])
{
	size_t n = (a->family == AF_INET ? BITS_IPV4 : BITS_IPV6) / 8;

	key[0] = (uint8_t)a->family;
	memcpy(key + 1, a->ip, n);
	return n + 1;
}

enum vantage_view vantage_take(struct vantage *v, const struct result *res)
{
	bool all_silent = true, any = false;

	for (size_t i = 0; i < res->n_endpoints; i++) {
		const struct contact *c = res->endpoints[i].contact;
		uint8_t key[1 + BITS_IPV6 / 8];

		if (!c->sessions)
			continue;
		any = true;
		if (c->class != CLASS_TIMEOUT || c->reason != REASON_CONNECT ||
		    c->healthy_sessions) {
			v->connected = true;
			all_silent = false;
			continue;
		}
		(void)map_put(&v->silent, key, network_of(&c->addr, key),
			      v); /* any value: it is a set */
	}
	if (!any || !all_silent || v->connected)
		return VANTAGE_OPEN;
	return v->silent.count >= NETWORKS_APART ? VANTAGE_BLOCKED : VANTAGE_DOUBTFUL;
}

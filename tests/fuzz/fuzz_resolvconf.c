/* resolv.conf: whatever stands in it, what is taken is within its bounds. */
#include "fuzz.h"

#include "dns/resolvconf.h"

const char fuzz_name[] = "resolvconf";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct resolvconf rc;

	resolvconf_parse(&rc, (const char *)data, n);
	MUST(rc.n_servers <= RESOLVERS_MAX);
	MUST(rc.timeout <= 30 && rc.attempts <= 5);
	for (size_t i = 0; i < rc.n_servers; i++)
		MUST(rc.servers[i].family && rc.servers[i].port == 53);
	return 0;
}

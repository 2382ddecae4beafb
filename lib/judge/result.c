#include "judge/result.h"

#include <assert.h>

static const char *const dns_statuses[] = {
    [DNS_OK] = "ok",
    [DNS_NXDOMAIN] = "nxdomain",
    [DNS_NO_ADDRESS] = "no-address",
    [DNS_SERVFAIL] = "servfail",
    [DNS_TIMEOUT] = "timeout",
    [DNS_LOCAL_ERROR] = "local-error",
    [DNS_INVALID] = "invalid",
};
static_assert(ARRAY_LEN(dns_statuses) == DNS_STATUSES, "every status has a name");

static const char *const dns_sources[] = {
    [SOURCE_NONE] = NULL,         [SOURCE_MX] = "mx",     [SOURCE_IMPLICIT] = "implicit",
    [SOURCE_NULL_MX] = "null-mx", [SOURCE_HOST] = "host", [SOURCE_LITERAL] = "literal",
};
static_assert(ARRAY_LEN(dns_sources) == SOURCES, "every source has a name");

static const struct {
	const char *name;
	int exit;
} verdicts[] = {
    [VERDICT_HEALTHY] = {"healthy", 0}, [VERDICT_DEGRADED] = {"degraded", 1},
    [VERDICT_FAILING] = {"failing", 2}, [VERDICT_UNDELIVERABLE] = {"undeliverable", 2},
    [VERDICT_UNKNOWN] = {"unknown", 3},
};
static_assert(ARRAY_LEN(verdicts) == VERDICTS, "every verdict has a name");

const char *dns_status_name(enum dns_status status)
{
	return dns_statuses[status];
}

const char *dns_source_name(enum dns_source source)
{
	return dns_sources[source];
}

const char *verdict_name(enum verdict verdict)
{
	return verdicts[verdict].name;
}

int verdict_exit(enum verdict verdict)
{
	return verdicts[verdict].exit;
}

#include "run/warnings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void warn_text(struct result *res, const char *code, const char *text)
{
	struct warning *w = ARENA_ADD(res->memory, res->warnings, res->n_warnings);

	*w = (struct warning){code, arena_strdup(res->memory, text)};
}

static PRINTF_LIKE(3, 4) void warn(struct result *res, const char *code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap); /* a longer message is cut */
	va_end(ap);
	warn_text(res, code, text);
}

static char *put(char *at, const char *text)
{
	size_t n = strlen(text);

	memcpy(at, text, n + 1);
	return at + n;
}

static char *put_count(char *at, size_t count)
{
	char digits[24], *first = digits + sizeof digits;

	*--first = '\0';
	do
		*--first = (char)('0' + count % 10);
	while (count /= 10);
	return put(at, first);
}

/* By hand: of a list of names inside a company each has it. */
static void warn_of_special(struct result *res, size_t count, const struct addr *first)
{
	char text[128 + ADDR_STRLEN], address[ADDR_STRLEN], *at = put_count(text, count);

	at = put(at, count == 1 ? " address is" : " addresses are");
	at = put(at, " private, loopback or otherwise special: ");
	at = put(at, addr_format(first, address));
	(void)put(at, count > 1 ? ", ..." : ""); /* there is room */
	warn_text(res, "private-address", text);
}

void warn_of_hosts(struct result *res, const struct mx_plan *plan)
{
	size_t special = 0;
	const struct addr *first = NULL;

	for (size_t i = 0; i < plan->n_hosts; i++) {
		const struct mx_plan_host *h = &plan->hosts[i];

		if (h->is_address)
			warn(res, "mx-is-address",
			     "the MX record names the address %s instead of a host", h->name);
		if (h->is_cname && plan->source == SOURCE_MX)
			warn(res, "mx-is-cname", "the MX host %s is an alias (CNAME)", h->name);
		for (size_t k = 0; k < h->n_addrs; k++) {
			if (addr_is_public(&h->addrs[k]))
				continue;
			if (!special++)
				first = &h->addrs[k];
		}
	}
	if (plan->null_mx_mixed)
		warn(res, "null-mx-mixed", "a null MX stands beside other MX records");
	/* Who writes [host] or an address means it; a domain that leads there may not. */
	if (special && (plan->source == SOURCE_MX || plan->source == SOURCE_IMPLICIT))
		warn_of_special(res, special, first);
}

/* Whole days from the run to the certificate's end, rounded down. */
static int64_t days_left(const struct result *res, const struct tls_facts *facts)
{
	int64_t seconds = (int64_t)facts->not_after - res->started_ms / 1000;

	return seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400);
}

static void warn_of_expiry(struct result *res, const struct endpoint *e, const char *address,
			   int days)
{
	const struct tls_facts *facts = e->contact->seen.tls;
	int64_t left;

	if (!facts || !facts->not_after)
		return;
	left = days_left(res, facts);
	if (left < 0)
		warn(res, "certificate-expiring", "%s[%s]: the certificate has expired", e->host,
		     address);
	else if (left < days)
		warn(res, "certificate-expiring", "%s[%s]: the certificate expires in %lld day%s",
		     e->host, address, (long long)left, left == 1 ? "" : "s");
}

void warn_of_refusals(struct result *res)
{
	char address[ADDR_STRLEN];

	for (size_t i = 0; i < res->n_endpoints; i++) {
		const struct endpoint *e = &res->endpoints[i];
		const struct contact *c = e->contact;

		if (c->left && c->sessions)
			warn(res, "no-more-sessions",
			     "%s[%s] has refused further connections: %u of %u sessions were not "
			     "held",
			     e->host, addr_format(&c->addr, address), c->left,
			     c->left + c->sessions);
	}
}

void warn_of_tls(struct result *res, int days)
{
	char address[ADDR_STRLEN];

	for (size_t i = 0; i < res->n_endpoints; i++) {
		const struct endpoint *e = &res->endpoints[i];
		const struct contact *c = e->contact;

		(void)addr_format(&c->addr, address); /* it is in `address`, too */
		if (c->seen.notes & NOTE_TLS_FALLBACK)
			warn(res, "tls-fallback", "%s[%s]: %s; the session went on in plaintext",
			     e->host, address,
			     c->seen.tls && c->seen.tls->error ? c->seen.tls->error
							       : "STARTTLS was refused");
		warn_of_expiry(res, e, address, days);
	}
}

/* What an enforced policy would have refused is said while it is under test; and why there is none
 * to apply though one is announced. */
void warn_of_sts(struct result *res)
{
	const struct sts_finding *sts = &res->sts;
	char address[ADDR_STRLEN];

	if (sts->error)
		warn(res, "mta-sts", "MTA-STS: %s", sts->error);
	if (!sts->policy || sts->policy->mode != STS_TESTING)
		return;
	for (size_t i = 0; i < res->n_hosts; i++)
		if (!sts_allows(sts->policy, res->hosts[i].name))
			warn(res, "mta-sts-testing",
			     "the MTA-STS policy under test does not list %s", res->hosts[i].name);
	for (size_t i = 0; i < res->n_endpoints; i++) {
		const struct endpoint *e = &res->endpoints[i];
		const struct tls_facts *facts = e->contact->seen.tls;

		/* Only who got as far as EHLO has shown what it offers. */
		if (!e->contact->addr.family || e->contact->phase < PHASE_STARTTLS ||
		    (facts && facts->verified))
			continue;
		warn(res, "mta-sts-testing", "%s[%s] would fail the MTA-STS policy under test: %s",
		     e->host, addr_format(&e->contact->addr, address),
		     facts && facts->error ? facts->error : "no TLS");
	}
}

void warn_of_vantage(struct result *res, enum vantage_view view)
{
	if (view == VANTAGE_BLOCKED)
		warn(res, "port-25-blocked",
		     "no address in any network answers on port %u: it is likely that this "
		     "machine's "
		     "provider or firewall lets no connection to that port out. Then this says "
		     "nothing about those servers: run mxprobe where the mail leaves from",
		     res->port);
	else if (view == VANTAGE_DOUBTFUL)
		warn(res, "nothing-answered",
		     "nothing has answered on port %u: either the servers are down, or connections "
		     "to that port are not let out of here. A domain that works, given to "
		     "--control, tells which",
		     res->port);
}

void warn_of_resolver(struct result *res, const char *troubles)
{
	warn(res, "resolver-silent",
	     "no resolver has answered: %s. Is this machine on a network? Resolvers stand in "
	     "/etc/resolv.conf or are named by --resolver",
	     troubles);
}

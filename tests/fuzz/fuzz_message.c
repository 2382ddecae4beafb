/* A DNS message, and the plan that it is an answer to: whatever is in it, the plan ends, within its
 * limits. The input: two octets that choose what was asked, then the message; it answers all
 * further questions, too. */
#include "fuzz.h"

#include "dns/mx.h"
#include "run/endpoints.h"

#include <string.h>

const char fuzz_name[] = "message";

static void check(const struct dns_message *m)
{
	for (size_t i = 0; i < m->n_answers; i++) {
		const struct dns_record *r = &m->answers[i];

		MUST(r->owner && (r->name || r->data));
		MUST(r->type != TYPE_A || r->size == 4);
		MUST(r->type != TYPE_AAAA || r->size == 16);
		MUST(r->type != TYPE_MX || r->name);
		/* Names are presentation form: no octet that a terminal would take for its own. */
		for (const char *c = r->owner; *c; c++)
			MUST(*c >= ' ' && *c < 0x7f);
		for (const char *c = r->name ? r->name : ""; *c; c++)
			MUST(*c >= ' ' && *c < 0x7f);
	}
	for (const char *c = m->qname ? m->qname : ""; *c; c++)
		MUST(*c >= ' ' && *c < 0x7f);
}

static void plan(const struct dns_message *m, unsigned how)
{
	struct arena memory = {0};
	struct mx_plan p;
	struct endpoint_plan *endpoints;
	unsigned asked = 0;
	size_t n, question, contacted = 0;

	mx_init(&p, &memory, m->qname ? m->qname : "example.org", 25, how & 1, 1 + how / 2 % 3);
	while (mx_next(&p, &question)) {
		enum dns_status status = m->rcode == RCODE_NXDOMAIN ? DNS_NXDOMAIN : DNS_OK;

		MUST(++asked < 5000);
		mx_answer(&p, question, status, m);
	}
	MUST(mx_done(&p));
	n = endpoints_of(&p, how & 8, &endpoints);
	for (size_t i = 0; i < n; i++) {
		MUST(endpoints[i].host < p.hosts + p.n_hosts);
		contacted += endpoints[i].end == END_NONE;
	}
	MUST(contacted <= ENDPOINTS_MAX);
	for (size_t i = 0; i < p.n_hosts; i++) {
		MUST((p.hosts[i].status == DNS_OK) ==
		     (p.hosts[i].n_addrs > 0 || p.hosts[i].beyond_limit));
		MUST(i == 0 || p.hosts[i - 1].preference <= p.hosts[i].preference);
	}
	arena_fini(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct dns_header h;
	struct dns_message *m;

	if (n < 2)
		return 0;
	MUST(dns_header_read(&h, data + 2, n - 2) == (n - 2 >= 12));
	m = dns_message_read(data + 2, n - 2);
	if (!m)
		return 0;
	check(m);
	plan(m, data[0]);
	dns_message_free(m);
	return 0;
}

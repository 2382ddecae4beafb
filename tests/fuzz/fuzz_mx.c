/* From a domain to its hosts: whatever is answered, to which question first, and when it is given
 * up, the plan ends within its limits, and what it holds fits together. The input: three octets of
 * configuration, then answers: an octet that says which open question is answered and how, then the
 * records. */
#include "fuzz.h"

#include "dns/mx.h"
#include "made.h"
#include "run/endpoints.h"

#include <string.h>

const char fuzz_name[] = "mx";

enum { OPEN_MAX = 4096 };

struct asked {
	size_t question;
	const char *qname;
	enum dns_type type;
};

/* The next question of a plan; false: there is none. */
static bool next(struct mx_plan *p, struct asked *asked)
{
	if (!mx_next(p, &asked->question))
		return false;
	asked->qname = p->questions[asked->question].qname;
	asked->type = p->questions[asked->question].type;
	return true;
}

static char *made_name(struct octets *o, const char *qname)
{
	static const char *const names[] = {
	    ".",
	    "example.org",
	    "a.example.org",
	    "b.example.org",
	    "c.example.org",
	    "_odd.example.org",
	    "-bad.example.org",
	    "192.0.2.1",
	    "a\\032b.example.org",
	    "xn--bcher-kva.example",
	    "a..example.org",
	    "sixty-three-octets-are-the-most-that-a-label-of-a-name-may-have.example.org",
	};
	unsigned which = made_number(o, 256);

	if (which >= 128)
		return xstrdup(qname);
	if (which < 64) /* as many names as anybody can think of */
		return xasprintf("mx%u.example.org", which << 8 | made_number(o, 256));
	return xstrdup(names[which % ARRAY_LEN(names)]);
}

static void add_record(struct dns_message *m, struct octets *o, const struct asked *asked)
{
	static const enum dns_type types[] = {TYPE_A,   TYPE_AAAA, TYPE_MX, TYPE_CNAME,
					      TYPE_TXT, TYPE_TLSA, TYPE_MX};
	unsigned which = made_number(o, 256);
	struct dns_record *r = ARRAY_ADD(m->answers, m->n_answers);

	*r = (struct dns_record){
	    .type = which < 128 ? asked->type : types[which % ARRAY_LEN(types)],
	    .owner = made_name(o, asked->qname),
	    .ttl = made_number(o, 256),
	};
	switch (r->type) {
	case TYPE_MX:
		r->preference = (uint16_t)made_number(o, 256);
		r->name = made_name(o, asked->qname);
		return;
	case TYPE_CNAME:
		r->name = made_name(o, asked->qname);
		return;
	case TYPE_A:
		r->size = 4;
		break;
	case TYPE_AAAA:
		r->size = 16;
		break;
	default:
		r->size = (uint16_t)made_number(o, 16);
		break;
	}
	r->data = xcalloc(1, r->size + 1U);
	for (unsigned i = 0; i < r->size && i < 4; i++)
		r->data[r->size - 1 - i] = (uint8_t)made_number(o, 256);
}

static struct dns_message *made_answer(struct octets *o, const struct asked *asked)
{
	struct dns_message *m = xcalloc(1, sizeof *m);
	unsigned shape = made_number(o, 256), n = made_number(o, 256);

	/* Many records from few octets: what follows is read again. */
	unsigned times = n >= 240 ? 1U << (n - 240) / 3 : 1;
	struct octets from = *o;

	m->qname = xstrdup(asked->qname);
	m->qtype = asked->type;
	m->authenticated = shape & 1;
	m->soa = shape & 2;
	n = n >= 240 ? 16 : n % 32;
	for (unsigned round = 0; round < times; round++) {
		*o = from;
		for (unsigned i = 0; i < n; i++)
			add_record(m, o, asked);
		/* The same with other names and addresses. */
		for (size_t i = m->n_answers - n; round && i < m->n_answers; i++) {
			struct dns_record *r = &m->answers[i];

			if (r->type == TYPE_MX) {
				free(r->name);
				r->name = xasprintf("mx%u-%zu.example.org", round, i);
			} else if (r->size >= 4) {
				r->data[0] = (uint8_t)round;
			}
		}
	}
	return m;
}

/* This one is in many pieces. */
static void free_answer(struct dns_message *m)
{
	for (size_t i = 0; m && i < m->n_answers; i++) {
		free(m->answers[i].owner);
		free(m->answers[i].name);
		free(m->answers[i].data);
	}
	if (m) {
		free(m->answers);
		free(m->qname);
	}
	free(m);
}

static void answer(struct mx_plan *p, struct octets *o, const struct asked *asked)
{
	static const enum dns_status statuses[] = {
	    DNS_OK, DNS_OK, DNS_OK, DNS_NXDOMAIN, DNS_TIMEOUT, DNS_SERVFAIL, DNS_INVALID};
	enum dns_status status = statuses[made_number(o, ARRAY_LEN(statuses))];
	struct dns_message *m = NULL;

	if (status == DNS_OK || status == DNS_NXDOMAIN)
		m = made_answer(o, asked);
	mx_answer(p, asked->question, status, m);
	free_answer(m);
}

static void check_host(const struct mx_plan *p, size_t i)
{
	const struct mx_plan_host *h = &p->hosts[i];

	MUST(h->name && *h->name);
	MUST((h->status == DNS_OK) == (h->n_addrs > 0 || h->beyond_limit));
	MUST(!h->beyond_limit || i >= MX_HOSTS_MAX);
	MUST(!h->beyond_limit || !h->n_addrs);
	MUST(!h->n_addrs || is_host_name(h->name) || p->source != SOURCE_MX);
	MUST(i == 0 || p->hosts[i - 1].preference <= h->preference);
	for (size_t a = 0; a < h->n_addrs && a < 64; a++) {
		MUST(h->addrs[a].port == p->port);
		MUST(h->addrs[a].family == AF_INET ? p->ipv4 : p->ipv6);
		MUST(a == 0 || h->addrs[a - 1].family == h->addrs[a].family ||
		     h->addrs[a].family == AF_INET6);
		for (size_t b = 0; b < a; b++)
			MUST(!addr_equal(&h->addrs[a], &h->addrs[b]));
	}
}

static void check(const struct mx_plan *p, bool public_only)
{
	struct endpoint_plan *endpoints;
	size_t n = endpoints_of(p, public_only, &endpoints), contacted = 0, of_host = 0;

	MUST(mx_done(p));
	MUST(p->status < DNS_STATUSES);
	for (size_t i = 0; i < p->n_hosts; i++)
		check_host(p, i);
	for (size_t i = 0; i < n; i++) {
		of_host = i && endpoints[i - 1].host == endpoints[i].host ? of_host : 0;
		MUST(endpoints[i].host < p->hosts + p->n_hosts);
		MUST(endpoints[i].end != END_NONE || endpoints[i].addr.family);
		contacted += endpoints[i].end == END_NONE;
		of_host += endpoints[i].end == END_NONE;
		MUST(of_host <= MX_ADDRESSES_MAX);
	}
	MUST(contacted <= ENDPOINTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct asked open[OPEN_MAX];
	struct octets o = {data, n};
	unsigned how = made_number(&o, 256), patience = made_number(&o, 256);
	size_t n_open = 0, asked = 0;
	struct arena memory = {0};
	struct mx_plan p;

	mx_init(&p, &memory, "example.org", 25, how & 1, 1 + how / 2 % 3);
	while (!mx_done(&p) && (patience == 0 || asked < 4 * (size_t)patience)) {
		size_t which;

		while (n_open < OPEN_MAX && next(&p, &open[n_open])) {
			n_open++;
			/* One for the domain, two for each host, and some that chains lead to. */
			MUST(++asked <= 1 + MX_HOSTS_MAX * 2 * 10);
		}
		MUST(n_open);
		which = made_number(&o, 256) % n_open;
		answer(&p, &o, &open[which]);
		open[which] = open[--n_open];
	}
	mx_give_up(&p, how & 16 ? DNS_TIMEOUT : DNS_SERVFAIL);
	check(&p, how & 8);
	arena_fini(&memory);
	return 0;
}

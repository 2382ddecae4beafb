#include "dns/mx.h"

#include <string.h>

enum { FOLLOW_MAX = 8 }; /* questions for the end of a chain that an answer left open */
#define NO_HOST SIZE_MAX

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

bool is_host_name(const char *name)
{
	const char *label = name, *at = name;
	struct addr a;

	for (;; at++) {
		if (is_letter_or_digit(*at) || *at == '_')
			continue;
		if (*at == '-' && at > label)
			continue;
		/* What ends here is to be a label. */
		if (at == label || at[-1] == '-' || at - label > 63)
			return false;
		if (*at != '.')
			break;
		label = at + 1;
	}
	if (*at || at - name > DNS_NAME_MAX)
		return false;
	/* Of addresses only those of IPv4 look so, which end with a digit. */
	return at[-1] > '9' || !addr_parse(&a, name, 0);
}

/* The name lives as long as the plan. */
static void add_question(struct mx_plan *p, const char *qname, enum dns_type type, size_t host)
{
	struct mx_question *q = ARENA_ADD(p->memory, p->questions, p->n_questions);

	*q = (struct mx_question){.qname = qname, .type = type, .host = host};
	p->n_open++;
}

static void ask_addresses(struct mx_plan *p, size_t host)
{
	if (p->ipv4)
		add_question(p, p->hosts[host].name, TYPE_A, host);
	if (p->ipv6)
		add_question(p, p->hosts[host].name, TYPE_AAAA, host);
}

static struct mx_plan_host *add_host(struct mx_plan *p, const char *name, uint16_t preference,
				     int64_t ttl)
{
	struct mx_plan_host *h = ARENA_ADD(p->memory, p->hosts, p->n_hosts);

	*h = (struct mx_plan_host){.preference = preference,
				   .name = arena_strdup(p->memory, name),
				   .ttl = ttl,
				   .status = DNS_NO_ADDRESS};
	return h;
}

/* The domain is its own and only host. */
static void plan_itself(struct mx_plan *p, enum dns_source source)
{
	p->source = source;
	(void)add_host(p, p->domain, 0, -1);
	ask_addresses(p, 0);
}

void mx_init(struct mx_plan *p, struct arena *memory, const char *domain, uint16_t port,
	     bool host_only, unsigned families)
{
	*p = (struct mx_plan){.memory = memory,
			      .domain = arena_strdup(memory, domain),
			      .port = port,
			      .ipv4 = families & MX_IPV4,
			      .ipv6 = families & MX_IPV6,
			      .status = DNS_OK,
			      .authenticated = true};
	if (host_only)
		plan_itself(p, SOURCE_HOST);
	else
		add_question(p, p->domain, TYPE_MX, NO_HOST);
}

bool mx_next(struct mx_plan *p, size_t *question)
{
	*question = p->n_asked;
	if (p->n_asked == p->n_questions)
		return false;
	p->n_asked++;
	return true;
}

bool mx_done(const struct mx_plan *p)
{
	return p->n_open == 0;
}

static bool has_records(const struct dns_message *m, const char *owner, enum dns_type type)
{
	for (size_t i = 0; i < m->n_answers; i++)
		if (m->answers[i].type == type && strcmp(m->answers[i].owner, owner) == 0)
			return true;
	return false;
}

static void add_mx(struct mx_plan *p, const struct dns_record *r)
{
	for (size_t i = 0; i < p->n_hosts; i++) {
		struct mx_plan_host *h = &p->hosts[i];

		if (strcmp(h->name, r->name) != 0)
			continue;
		/* Listed twice: the best preference is the one that counts. */
		if (r->preference < h->preference) {
			h->preference = r->preference;
			h->ttl = r->ttl;
		}
		return;
	}
	(void)add_host(p, r->name, r->preference, r->ttl);
}

/* By preference; equal ones keep the order of the answer. Merge sort: the answer may have
 * thousands, and halves go no deeper than their number has bits. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void sort_hosts(struct mx_plan_host *h, struct mx_plan_host *spare, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2)
		return;
	sort_hosts(h, spare, half);
	sort_hosts(h + half, spare, n - half);
	while (i < half && j < n)
		spare[k++] = h[j].preference < h[i].preference ? h[j++] : h[i++];
	while (i < half)
		spare[k++] = h[i++];
	memcpy(h, spare, k * sizeof *h);
}

static bool in_order(const struct mx_plan *p)
{
	for (size_t i = 1; i < p->n_hosts; i++)
		if (p->hosts[i].preference < p->hosts[i - 1].preference)
			return false;
	return true;
}

static void take_hosts(struct mx_plan *p, const struct dns_message *m, const char *owner)
{
	struct mx_plan_host *spare;
	struct addr a;
	bool null_mx = false;

	p->source = SOURCE_MX;
	for (size_t i = 0; i < m->n_answers; i++) {
		const struct dns_record *r = &m->answers[i];

		if (r->type != TYPE_MX || strcmp(r->owner, owner) != 0)
			continue;
		if (strcmp(r->name, ".") == 0)
			null_mx = true;
		else
			add_mx(p, r);
	}
	if (!p->n_hosts) {
		p->source = SOURCE_NULL_MX;
		return;
	}
	p->null_mx_mixed = null_mx;
	if (!in_order(p)) {
		spare = arena_array(p->memory, p->n_hosts, sizeof *spare);
		sort_hosts(p->hosts, spare, p->n_hosts);
	}
	for (size_t i = 0; i < p->n_hosts; i++) {
		struct mx_plan_host *h = &p->hosts[i];

		h->is_address = addr_parse(&a, h->name, 0);
		if (i >= MX_HOSTS_MAX) {
			h->beyond_limit = true;
			h->status = DNS_OK;
		} else if (!is_host_name(h->name)) {
			h->status = DNS_INVALID;
		} else {
			ask_addresses(p, i);
		}
	}
}

static bool has_addr(const struct mx_plan_host *h, const struct addr *a)
{
	for (size_t i = 0; i < h->n_addrs; i++)
		if (addr_equal(&h->addrs[i], a))
			return true;
	return false;
}

static void take_addresses(struct mx_plan *p, struct mx_plan_host *h, enum dns_type type,
			   const struct dns_message *m, const char *owner)
{
	enum {
		MOST = 4096
	}; /* a message of 64 KiB holds no more; doubles are looked for one by one */

	for (size_t i = 0; i < m->n_answers && h->n_addrs < MOST; i++) {
		const struct dns_record *r = &m->answers[i];
		struct addr a, *place;

		if (r->type != type || strcmp(r->owner, owner) != 0)
			continue;
		a = type == TYPE_A ? addr_from_ipv4(r->data, p->port)
				   : addr_from_ipv6(r->data, p->port);
		if (has_addr(h, &a))
			continue;
		place = ARENA_ADD(p->memory, h->addrs, h->n_addrs);
		*place = a;
	}
}

/* A before AAAA, whichever was answered first. */
static void order_addresses(struct mx_plan_host *h, struct arena *memory)
{
	struct addr *ordered;
	size_t n = 0, at = 1;

	while (at < h->n_addrs &&
	       !(h->addrs[at].family == AF_INET && h->addrs[at - 1].family != AF_INET))
		at++;
	if (at >= h->n_addrs)
		return; /* as they mostly are */
	ordered = arena_array(memory, h->n_addrs, sizeof *ordered);
	for (size_t i = 0; i < h->n_addrs; i++)
		if (h->addrs[i].family == AF_INET)
			ordered[n++] = h->addrs[i];
	for (size_t i = 0; i < h->n_addrs; i++)
		if (h->addrs[i].family != AF_INET)
			ordered[n++] = h->addrs[i];
	h->addrs = ordered;
}

/* How sure a failure is: a name that does not exist has no addresses of any family; a failed
 * question leaves open what an empty answer denies. */
static int weight(enum dns_status status)
{
	static const int weights[DNS_STATUSES] = {
	    [DNS_OK] = 0,       [DNS_NO_ADDRESS] = 1, [DNS_LOCAL_ERROR] = 2, [DNS_TIMEOUT] = 3,
	    [DNS_SERVFAIL] = 4, [DNS_INVALID] = 5,    [DNS_NXDOMAIN] = 6,
	};

	return weights[status];
}

/* Once all questions of a host are answered, what became of it. */
static void settle_host(struct mx_plan *p, size_t host)
{
	struct mx_plan_host *h = &p->hosts[host];
	enum dns_status worst = DNS_NO_ADDRESS;

	for (size_t i = 0; i < p->n_questions; i++) {
		const struct mx_question *q = &p->questions[i];

		if (q->host != host)
			continue;
		if (!q->answered)
			return;
		if (weight(q->status) > weight(worst))
			worst = q->status;
	}
	/* A failed AAAA does not matter when A gave addresses. */
	h->status = h->n_addrs ? DNS_OK : worst;
	if (h->n_addrs)
		order_addresses(h, p->memory);
	if (p->source != SOURCE_MX)
		p->status = h->status;
}

/* Where the chain of an answer ended without records, and nothing says that there are none. */
static bool ask_on(struct mx_plan *p, const struct mx_question *q, const struct dns_message *m,
		   unsigned links, const char *end)
{
	unsigned asked = 0;

	if (links == q->links || m->soa || strcmp(end, q->qname) == 0)
		return false;
	for (size_t i = 0; i < p->n_questions; i++)
		asked += p->questions[i].host == q->host && p->questions[i].links > 0;
	if (asked >= FOLLOW_MAX)
		return false;
	add_question(p, arena_strdup(p->memory, end), q->type, q->host);
	p->questions[p->n_questions - 1].links = links;
	return true;
}

/* What DANE wants to know of a host: was every answer that led to its addresses secure, and what is
 * its name at the chain's end. Who keeps an answer about the other family from us (which does not
 * matter for delivery) must not switch DANE off by it. */
static void note_chain(struct mx_plan *p, const struct dns_message *m, const struct mx_question *q,
		       unsigned links, const char *end)
{
	struct mx_plan_host *h = &p->hosts[q->host];

	if (!m->authenticated && (links > q->links || has_records(m, end, q->type)))
		h->insecure = true;
	if (!links)
		return;
	h->is_cname = true;
	h->canonical = arena_strdup(p->memory, end);
}

static enum dns_status take_answer(struct mx_plan *p, size_t at, enum dns_status status,
				   const struct dns_message *m)
{
	const struct mx_question *q = &p->questions[at];
	unsigned links = q->links;
	const char *end;
	bool is_mx = q->host == NO_HOST;

	if (!m || !m->authenticated)
		p->authenticated = false;
	if (!m)
		return status;
	if (!dns_follow(m, q->qname, &links, &end))
		return DNS_INVALID;
	if (!is_mx)
		note_chain(p, m, q, links, end);
	if (status != DNS_OK)
		return status;
	if (has_records(m, end, q->type)) {
		if (is_mx) {
			p->mx_secure = m->authenticated;
			take_hosts(p, m, end);
		} else {
			take_addresses(p, &p->hosts[q->host], q->type, m, end);
		}
		return DNS_OK;
	}
	if (ask_on(p, q, m, links, end))
		return DNS_OK;
	if (is_mx)
		plan_itself(p, SOURCE_IMPLICIT);
	return DNS_NO_ADDRESS;
}

void mx_answer(struct mx_plan *p, size_t question, enum dns_status status,
	       const struct dns_message *message)
{
	size_t host = p->questions[question].host;
	enum dns_status became;

	if (p->questions[question].answered)
		return;
	p->questions[question].answered = true;
	p->n_open--;
	became = take_answer(p, question, status, message);
	p->questions[question].status = became;
	if (host != NO_HOST)
		settle_host(p, host);
	else if (became != DNS_OK && became != DNS_NO_ADDRESS)
		p->status = became;
}

void mx_give_up(struct mx_plan *p, enum dns_status status)
{
	p->n_asked = p->n_questions;
	for (size_t i = 0; i < p->n_questions; i++) {
		struct mx_question *q = &p->questions[i];

		if (q->answered)
			continue;
		q->answered = true;
		q->status = status;
		p->n_open--;
		p->authenticated = false;
		if (q->host != NO_HOST)
			settle_host(p, q->host);
		else
			p->status = status;
	}
}

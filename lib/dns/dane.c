#include "dns/dane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dane_init(struct dane_plan *p, const char *host, const char *canonical, bool secure,
	       uint16_t port)
{
	unsigned n = 0;

	*p = (struct dane_plan){.port = port};
	if (canonical && secure)
		p->names[n++] = xstrdup(canonical);
	p->names[n] = xstrdup(host);
	if (secure)
		return;
	/* RFC 7672 2.2.2: the host's zone may be signed though its alias leads out of it. */
	p->probing = canonical != NULL;
	if (!p->probing)
		p->outcome = DANE_NONE;
}

void dane_fini(struct dane_plan *p)
{
	free(p->names[0]);
	free(p->names[1]);
	for (size_t i = 0; i < p->n_records; i++)
		free(p->records[i].data);
	free(p->records);
	*p = (struct dane_plan){0};
}

const char *dane_question(struct dane_plan *p, enum dns_type *type)
{
	if (p->outcome != DANE_PENDING)
		return NULL;
	*type = p->probing ? TYPE_CNAME : TYPE_TLSA;
	if (p->probing)
		return p->names[0];
	/* RFC 6698 3. A name too long to be asked about has no records. */
	if ((size_t)snprintf(p->qname, sizeof p->qname, "_%u._tcp.%s", p->port, p->names[p->at]) >
	    DNS_NAME_MAX) {
		p->outcome = DANE_NONE;
		return NULL;
	}
	return p->qname;
}

static void take_record(struct dane_plan *p, const struct dns_record *r)
{
	struct tlsa tlsa, *place;

	if (r->size < 3)
		return;
	tlsa = (struct tlsa){.usage = r->data[0],
			     .selector = r->data[1],
			     .matching = r->data[2],
			     .size = (uint16_t)(r->size - 3),
			     .data = r->data + 3};
	if (!tlsa_is_usable(&tlsa))
		return;
	tlsa.data = xmalloc(tlsa.size);
	memcpy(tlsa.data, r->data + 3, tlsa.size);
	place = ARRAY_ADD(p->records, p->n_records);
	*place = tlsa;
}

/* No records at this name: the next one, if there is one. */
static void next_name(struct dane_plan *p)
{
	if (p->at == 0 && p->names[1])
		p->at = 1;
	else
		p->outcome = DANE_NONE;
}

static bool is_secure_alias(const struct dns_message *m, const char *host)
{
	for (size_t i = 0; m->authenticated && i < m->n_answers; i++)
		if (m->answers[i].type == TYPE_CNAME && strcmp(m->answers[i].owner, host) == 0)
			return true;
	return false;
}

void dane_answer(struct dane_plan *p, enum dns_status status, const struct dns_message *m)
{
	unsigned links = 0;
	const char *end;
	bool found = false;

	if (p->outcome != DANE_PENDING)
		return;
	if (!m) {
		dane_give_up(p, status);
		return;
	}
	if (p->probing) {
		p->probing = false;
		if (!is_secure_alias(m, p->names[0]))
			p->outcome = DANE_NONE;
		return;
	}
	if (!dns_follow(m, p->qname, &links, &end)) {
		dane_give_up(p, DNS_INVALID);
		return;
	}
	/* What is not authenticated is as if it were not there (RFC 7672 2.2). */
	for (size_t i = 0; m->authenticated && i < m->n_answers; i++) {
		if (m->answers[i].type != TYPE_TLSA || strcmp(m->answers[i].owner, end) != 0)
			continue;
		found = true;
		take_record(p, &m->answers[i]);
	}
	if (!found) {
		next_name(p);
	} else {
		p->base = p->names[p->at];
		p->outcome = p->n_records ? DANE_USABLE : DANE_UNUSABLE;
	}
}

void dane_give_up(struct dane_plan *p, enum dns_status status)
{
	if (p->outcome != DANE_PENDING)
		return;
	p->outcome = DANE_FAILED;
	p->failure = status;
}

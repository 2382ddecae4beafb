#include "dns/message.h"

#include <ldns/ldns.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 63, NAME_WIRE_MAX = 255 };

bool dns_header_read(struct dns_header *h, const uint8_t *wire, size_t n)
{
	if (n < LDNS_HEADER_SIZE)
		return false;
	h->id = (uint16_t)(wire[0] << 8 | wire[1]);
	h->response = wire[2] & 0x80;
	h->truncated = wire[2] & 0x02;
	h->rcode = wire[3] & 0x0F;
	h->questions = (unsigned)(wire[4] << 8 | wire[5]);
	return true;
}

/* One octet of a label as text, which may be escaped (RFC 1035 5.1); -1: it is none. */
static int take_octet(const char **at)
{
	const unsigned char *s = (const unsigned char *)*at;
	unsigned value;

	if (*s != '\\') {
		(*at)++;
		return *s;
	}
	if (!isdigit(s[1])) {
		*at += 2;
		return s[1] ? s[1] : -1;
	}
	if (!isdigit(s[2]) || !isdigit(s[3]))
		return -1;
	value = (s[1] - '0') * 100u + (s[2] - '0') * 10u + (s[3] - '0');
	*at += 4;
	return value <= 255 ? (int)value : -1;
}

/* A name as it stands in a message; 0: the text is no domain name. */
static size_t name_to_wire(uint8_t wire[NAME_WIRE_MAX], const char *name)
{
	size_t n = 0;

	if (strcmp(name, ".") == 0)
		name++;
	else if (!*name)
		return 0;
	while (*name) {
		size_t length = n++; /* where the label's length goes */

		while (*name && *name != '.') {
			int octet = take_octet(&name);

			/* The octet behind the last label must have room, too. */
			if (octet < 0 || n - length > LABEL_MAX || n + 1 >= NAME_WIRE_MAX)
				return 0;
			wire[n++] = (uint8_t)octet;
		}
		if (n == length + 1)
			return 0;
		wire[length] = (uint8_t)(n - length - 1);
		if (*name == '.')
			name++;
	}
	wire[n++] = 0;
	return n;
}

/* Made by hand: ldns takes 20,000 instructions for it, which is more than the rest of the question
 * costs. AD in a query asks to be told (RFC 6840 5.7) without the signatures that DO would bring.
 */
bool dns_query(struct buf *out, const char *qname, enum dns_type type, uint16_t id, bool edns)
{
	const uint8_t head[12] = {
	    (uint8_t)(id >> 8), (uint8_t)id, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, edns};
	const uint8_t kind[4] = {(uint8_t)(type >> 8), (uint8_t)type, 0, LDNS_RR_CLASS_IN};
	const uint8_t opt[11] = {0, 0, LDNS_RR_TYPE_OPT, DNS_UDP_SIZE >> 8, DNS_UDP_SIZE & 0xFF};
	uint8_t name[NAME_WIRE_MAX];
	size_t n = name_to_wire(name, qname);

	if (!n)
		return false;
	buf_add(out, head, sizeof head);
	buf_add(out, name, n);
	buf_add(out, kind, sizeof kind);
	if (edns)
		buf_add(out, opt, sizeof opt);
	return true;
}

/* The text of a domain name; NULL when it has none. ldns would print it through printf, octet by
 * octet, at ten times the cost. */
static char *name_text(const ldns_rdf *name)
{
	const uint8_t *at, *end;
	struct buf text = {0};

	if (!name || ldns_rdf_get_type(name) != LDNS_RDF_TYPE_DNAME)
		return NULL;
	at = ldns_rdf_data(name);
	end = at + ldns_rdf_size(name);
	while (at < end && *at) {
		const uint8_t *label_end = at + 1 + *at;

		if (label_end > end) {
			buf_fini(&text);
			return NULL;
		}
		if (text.len)
			buf_addc(&text, '.');
		for (at++; at < label_end; at++) {
			/* RFC 1035 5.1 */
			if (*at == '.' || *at == '\\')
				buf_printf(&text, "\\%c", *at);
			else if (*at <= ' ' || *at >= 0x7F)
				buf_printf(&text, "\\%03u", *at);
			else
				buf_addc(&text, (char)tolower(*at));
		}
	}
	if (!text.len)
		buf_addc(&text, '.');
	return buf_steal(&text);
}

static bool take_data(struct dns_record *r, const ldns_rr *rr)
{
	struct buf data = {0};

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		buf_add(&data, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	}
	if (data.len > UINT16_MAX || (r->type == TYPE_A && data.len != 4) ||
	    (r->type == TYPE_AAAA && data.len != 16)) {
		buf_fini(&data);
		return false;
	}
	r->size = (uint16_t)data.len;
	r->data = (uint8_t *)buf_steal(&data);
	return true;
}

static bool same_rdf(const ldns_rdf *a, const ldns_rdf *b)
{
	return a && b && ldns_rdf_size(a) == ldns_rdf_size(b) &&
	       memcmp(ldns_rdf_data(a), ldns_rdf_data(b), ldns_rdf_size(a)) == 0;
}

/* False: a record of no interest, or one that is not what its type says. Most are owned by the name
 * that was asked for: they share its text. */
static bool take_record(struct dns_record *r, const ldns_rr *rr, char *qname, const ldns_rdf *asked)
{
	*r = (struct dns_record){.type = (enum dns_type)ldns_rr_get_type(rr),
				 .ttl = ldns_rr_ttl(rr)};
	if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		return false;
	switch (r->type) {
	case TYPE_MX:
		if (ldns_rr_rd_count(rr) != 2 || ldns_rdf_size(ldns_rr_rdf(rr, 0)) != 2)
			return false;
		r->preference = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
		r->name = name_text(ldns_rr_rdf(rr, 1));
		break;
	case TYPE_CNAME:
		r->name = name_text(ldns_rr_rdf(rr, 0));
		break;
	case TYPE_A:
	case TYPE_AAAA:
	case TYPE_TXT:
	case TYPE_TLSA:
		if (!take_data(r, rr))
			return false;
		break;
	default:
		return false;
	}
	r->owner = same_rdf(ldns_rr_owner(rr), asked) ? qname : name_text(ldns_rr_owner(rr));
	if (r->owner && (r->name || r->data))
		return true;
	if (r->owner != qname)
		free(r->owner);
	free(r->name);
	free(r->data);
	return false;
}

/* RFC 2308 5: the lesser of the SOA's own TTL and its last field. */
static void take_soa(struct dns_message *m, const ldns_rr_list *authority)
{
	for (size_t i = 0; authority && i < ldns_rr_list_rr_count(authority); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(authority, i);

		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA && ldns_rr_rd_count(rr) == 7) {
			uint32_t minimum = ldns_rdf2native_int32(ldns_rr_rdf(rr, 6));

			m->soa = true;
			m->negative_ttl = ldns_rr_ttl(rr) < minimum ? ldns_rr_ttl(rr) : minimum;
		}
	}
}

struct dns_message *dns_message_read(const uint8_t *wire, size_t n)
{
	ldns_pkt *packet = NULL;
	struct dns_message *m;
	const ldns_rr_list *list;
	const ldns_rdf *asked = NULL;

	if (ldns_wire2pkt(&packet, wire, n) != LDNS_STATUS_OK)
		return NULL;
	m = xcalloc(1, sizeof *m);
	m->rcode = (int)ldns_pkt_get_rcode(packet);
	m->authentic = ldns_pkt_ad(packet);
	list = ldns_pkt_question(packet);
	if (list && ldns_rr_list_rr_count(list) == 1 &&
	    ldns_rr_get_class(ldns_rr_list_rr(list, 0)) == LDNS_RR_CLASS_IN) {
		asked = ldns_rr_owner(ldns_rr_list_rr(list, 0));
		m->qname = name_text(asked);
		m->qtype = (enum dns_type)ldns_rr_get_type(ldns_rr_list_rr(list, 0));
	}
	list = ldns_pkt_answer(packet);
	for (size_t i = 0; list && i < ldns_rr_list_rr_count(list); i++) {
		struct dns_record r, *place;

		if (!take_record(&r, ldns_rr_list_rr(list, i), m->qname, asked))
			continue;
		place = ARRAY_ADD(m->answers, m->n_answers);
		*place = r;
	}
	take_soa(m, ldns_pkt_authority(packet));
	ldns_pkt_free(packet);
	return m;
}

void dns_message_free(struct dns_message *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_answers; i++) {
		if (m->answers[i].owner != m->qname)
			free(m->answers[i].owner);
		free(m->answers[i].name);
		free(m->answers[i].data);
	}
	free(m->answers);
	free(m->qname);
	free(m);
}

bool dns_follow(const struct dns_message *m, const char *qname, unsigned *links, const char **end)
{
	bool moved = true;

	*end = qname;
	while (moved) {
		moved = false;
		for (size_t i = 0; i < m->n_answers && !moved; i++) {
			const struct dns_record *r = &m->answers[i];

			if (r->type != TYPE_CNAME || strcmp(r->owner, *end) != 0)
				continue;
			if (++*links > CNAMES_MAX)
				return false;
			*end = r->name;
			moved = true;
		}
	}
	return true;
}

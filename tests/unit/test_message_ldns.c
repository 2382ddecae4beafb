/* The reader of DNS messages beside ldns, which has read them for twenty years: of messages that
 * ldns makes, and of the same with octets changed, both make the same. */
#include "dns/message.h"

#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

enum { MESSAGES = 3000, CHANGES = 20 };

static uint32_t seed = 20060125;

static unsigned below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

/* Names that share their ends, so that there is something to compress; some odd. */
static const char *a_name(void)
{
	static const char *const labels[] = {"mx", "MX1", "a\\.b",    "\\000",   "_25",  "mail-2",
					     "*",  "x",   "\\255\\@", "hotmail", "bay0", "a\\\\b"};
	static const char *const ends[] = {"example.org.", "EXAMPLE.org.", "msn.com.", "com.", "."};
	static char name[256];
	size_t n = 0;

	for (unsigned i = below(4); i; i--)
		n += (size_t)snprintf(name + n, sizeof name - n, "%s.",
				      labels[below(ARRAY_LEN(labels))]);
	(void)snprintf(name + n, sizeof name - n, "%s", ends[below(ARRAY_LEN(ends))]);
	n = strlen(name);
	if (n > 2 && name[n - 1] == '.' && name[n - 2] == '.' && name[n - 3] != '\\')
		name[n - 1] = '\0'; /* "mx." and the root */
	return name;
}

static ldns_rr *a_record(bool soa)
{
	char text[1024], name[256], target[256];
	unsigned ttl = below(2) ? below(100000) : UINT32_MAX / (1 + below(9));
	ldns_rr *rr = NULL;

	(void)snprintf(name, sizeof name, "%s", a_name());
	(void)snprintf(target, sizeof target, "%s", a_name());
	switch (soa ? 8 : below(8)) {
	case 0:
		(void)snprintf(text, sizeof text, "%s %u IN A 192.0.2.%u", name, ttl, below(256));
		break;
	case 1:
		(void)snprintf(text, sizeof text, "%s %u IN AAAA 2001:db8::%x", name, ttl,
			       below(65536));
		break;
	case 2:
		(void)snprintf(text, sizeof text, "%s %u IN CNAME %s", name, ttl, target);
		break;
	case 3:
		(void)snprintf(text, sizeof text, "%s %u IN TXT \"v=STSv1; id=%u;\" \"\" \"x\"",
			       name, ttl, below(1000));
		break;
	case 4:
		(void)snprintf(text, sizeof text, "%s %u IN TLSA 3 1 1 %08x%08x", name, ttl,
			       below(65536), below(65536));
		break;
	case 5:
		(void)snprintf(text, sizeof text, "%s %u IN NS %s", name, ttl, target);
		break;
	case 6:
		(void)snprintf(text, sizeof text, "%s %u %s MX %u %s", name, ttl,
			       below(9) ? "IN" : "CH", below(65536), target);
		break;
	case 7:
		(void)snprintf(text, sizeof text, "%s %u IN MX %u %s", name, ttl, below(65536),
			       target);
		break;
	default:
		(void)snprintf(text, sizeof text, "%s %u IN SOA %s %s 1 2 3 4 %u", name, ttl,
			       target, target, below(100000));
	}
	if (ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) != LDNS_STATUS_OK)
		fail_msg("ldns does not take \"%s\"", text);
	return rr;
}

static size_t a_message(uint8_t **wire)
{
	ldns_pkt *p = ldns_pkt_new();
	size_t n = 0;

	assert_non_null(p);
	ldns_pkt_set_id(p, (uint16_t)below(65536));
	ldns_pkt_set_qr(p, true);
	ldns_pkt_set_ad(p, below(2));
	ldns_pkt_set_rcode(p, (uint8_t)below(6));
	for (unsigned i = below(10) ? 1 : below(3); i; i--) {
		ldns_rr *question = a_record(false);

		ldns_rr_set_question(question, true);
		assert_true(ldns_pkt_push_rr(p, LDNS_SECTION_QUESTION, question));
	}
	for (unsigned i = below(8); i; i--)
		assert_true(ldns_pkt_push_rr(p, LDNS_SECTION_ANSWER, a_record(false)));
	for (unsigned i = below(3); i; i--)
		assert_true(ldns_pkt_push_rr(p, LDNS_SECTION_AUTHORITY, a_record(below(2))));
	for (unsigned i = below(3); i; i--)
		assert_true(ldns_pkt_push_rr(p, LDNS_SECTION_ADDITIONAL, a_record(false)));
	if (below(2)) {
		ldns_pkt_set_edns_udp_size(p, 1232);
		ldns_pkt_set_edns_do(p, below(2));
	}
	assert_int_equal(ldns_pkt2wire(wire, p, &n), LDNS_STATUS_OK);
	ldns_pkt_free(p);
	return n;
}

/* A name of ldns, in the form that ours have. */
static void same_name(const char *ours, const ldns_rdf *theirs)
{
	const uint8_t *at = ldns_rdf_data(theirs);
	char text[1100];
	size_t n = 0;

	while (*at) {
		if (n)
			text[n++] = '.';
		for (unsigned i = *at++; i; i--, at++) {
			if (*at == '.' || *at == '\\')
				n += (size_t)sprintf(text + n, "\\%c", *at);
			else if (*at <= ' ' || *at >= 0x7f)
				n += (size_t)sprintf(text + n, "\\%03u", *at);
			else
				text[n++] = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
		}
	}
	if (!n)
		text[n++] = '.';
	text[n] = '\0';
	assert_string_equal(ours, text);
}

static void same_data(const struct dns_record *ours, const ldns_rr *theirs)
{
	size_t at = 0;

	for (size_t i = 0; i < ldns_rr_rd_count(theirs); i++) {
		const ldns_rdf *f = ldns_rr_rdf(theirs, i);

		assert_true(at + ldns_rdf_size(f) <= ours->size);
		assert_memory_equal(ours->data + at, ldns_rdf_data(f), ldns_rdf_size(f));
		at += ldns_rdf_size(f);
	}
	assert_int_equal(at, ours->size);
}

static bool of_interest(const ldns_rr *rr)
{
	switch ((int)ldns_rr_get_type(rr)) {
	case TYPE_A:
	case TYPE_AAAA:
	case TYPE_CNAME:
	case TYPE_MX:
	case TYPE_TXT:
	case TYPE_TLSA:
		return ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN;
	default:
		return false;
	}
}

static void same_answers(const struct dns_message *ours, const ldns_pkt *theirs)
{
	const ldns_rr_list *list = ldns_pkt_answer(theirs);
	size_t n = 0;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		const struct dns_record *r = &ours->answers[n];

		if (!of_interest(rr))
			continue;
		assert_true(n++ < ours->n_answers);
		assert_int_equal(r->type, ldns_rr_get_type(rr));
		assert_int_equal(r->ttl, ldns_rr_ttl(rr));
		same_name(r->owner, ldns_rr_owner(rr));
		if (r->type == TYPE_MX)
			assert_int_equal(r->preference, ldns_rdf2native_int16(ldns_rr_rdf(rr, 0)));
		if (r->type == TYPE_MX || r->type == TYPE_CNAME)
			same_name(r->name, ldns_rr_rdf(rr, r->type == TYPE_MX));
		else
			same_data(r, rr);
	}
	assert_int_equal(n, ours->n_answers);
}

/* Of types that have several fields ldns goes by the fields it finds and not by RDLENGTH: what
 * comes after one that is shorter is another record to it, and no example for us. */
static bool is_exact(const ldns_pkt *theirs)
{
	const ldns_rr_list *list = ldns_pkt_answer(theirs);

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		if (!of_interest(ldns_rr_list_rr(list, i)))
			return false;
	return true;
}

/* True: both read it, and made the same of it. */
static bool compare(const uint8_t *wire, size_t n, bool must_read)
{
	struct dns_message *ours = dns_message_read(wire, n);
	ldns_pkt *theirs = NULL;
	bool both;

	if (ldns_wire2pkt(&theirs, wire, n) != LDNS_STATUS_OK)
		theirs = NULL;
	both = ours && theirs;
	if (must_read)
		assert_true(both);
	if (both) {
		const ldns_rr_list *question = ldns_pkt_question(theirs);

		assert_int_equal(ours->rcode, (int)ldns_pkt_get_rcode(theirs) |
						  ldns_pkt_edns_extended_rcode(theirs) << 4);
		assert_int_equal(ours->authentic, ldns_pkt_ad(theirs));
		if (ldns_rr_list_rr_count(question) == 1 &&
		    ldns_rr_get_class(ldns_rr_list_rr(question, 0)) == LDNS_RR_CLASS_IN) {
			same_name(ours->qname, ldns_rr_owner(ldns_rr_list_rr(question, 0)));
			assert_int_equal(ours->qtype,
					 ldns_rr_get_type(ldns_rr_list_rr(question, 0)));
		} else {
			assert_null(ours->qname);
		}
		if (must_read || is_exact(theirs))
			same_answers(ours, theirs);
	}
	dns_message_free(ours);
	ldns_pkt_free(theirs);
	return both;
}

static void what_ldns_makes_is_read_as_ldns_reads_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MESSAGES; i++) {
		uint8_t *wire;
		size_t n = a_message(&wire);

		(void)compare(wire, n, true);
		free(wire);
	}
}

static void what_both_read_they_read_alike(void **state)
{
	unsigned both = 0;

	(void)state;
	for (unsigned i = 0; i < MESSAGES; i++) {
		uint8_t *wire, *changed;
		size_t n = a_message(&wire);

		changed = xmalloc(n);
		for (unsigned k = 0; k < CHANGES; k++) {
			memcpy(changed, wire, n);
			for (unsigned c = 1 + below(3); c; c--)
				changed[below((unsigned)n)] = below(3) ? (uint8_t)below(256) : 0xc0;
			both += compare(changed, n, false);
		}
		free(changed);
		free(wire);
	}
	assert_true(both > MESSAGES); /* else nothing was compared */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_ldns_makes_is_read_as_ldns_reads_it),
	    cmocka_unit_test(what_both_read_they_read_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "dns/dane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An answer; its records are the caller's. */
static struct dns_message answer_of(struct dns_record *records, size_t n, bool authenticated)
{
	return (struct dns_message){
	    .authenticated = authenticated, .answers = records, .n_answers = n};
}

static struct dns_record tlsa(const char *owner, uint8_t *data, size_t size)
{
	return (struct dns_record){
	    .owner = (char *)owner, .type = TYPE_TLSA, .data = data, .size = (uint16_t)size};
}

static struct dns_record alias(const char *owner, const char *name)
{
	return (struct dns_record){
	    .owner = (char *)owner, .type = TYPE_CNAME, .name = (char *)name};
}

static void assert_question(struct dane_plan *p, const char *name, enum dns_type type)
{
	enum dns_type asked = TYPE_A;
	const char *qname = dane_question(p, &asked);

	assert_non_null(qname);
	assert_string_equal(qname, name);
	assert_int_equal(asked, type);
}

static void assert_outcome(struct dane_plan *p, enum dane_outcome outcome)
{
	enum dns_type type;

	assert_null(dane_question(p, &type));
	assert_int_equal(p->outcome, outcome);
}

static void give(struct dane_plan *p, struct dns_record *records, size_t n, bool authenticated)
{
	struct dns_message m = answer_of(records, n, authenticated);

	dane_answer(p, DNS_OK, &m);
}

static void test_records(void **state)
{
	uint8_t data[3 + 32] = {3, 1, 1, 0xaa};
	struct dns_record r = tlsa("_25._tcp.mx.example", data, sizeof data);
	struct dane_plan p;

	(void)state;
	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, &r, 1, true);
	assert_outcome(&p, DANE_USABLE);
	assert_string_equal(p.base, "mx.example");
	assert_int_equal(p.n_records, 1);
	assert_int_equal(p.records[0].usage, 3);
	assert_int_equal(p.records[0].selector, 1);
	assert_int_equal(p.records[0].matching, 1);
	assert_int_equal(p.records[0].size, 32);
	assert_memory_equal(p.records[0].data, data + 3, 32);
	dane_fini(&p);

	dane_init(&p, "mx.example", NULL, true, 2525);
	assert_question(&p, "_2525._tcp.mx.example", TYPE_TLSA);
	dane_fini(&p);
}

/* RFC 7672 2.2: what is not authenticated is as if it were not there; so is no record at all. */
static void test_none(void **state)
{
	uint8_t data[3 + 32] = {3, 1, 1};
	struct dns_record r = tlsa("_25._tcp.mx.example", data, sizeof data);
	struct dns_record other = tlsa("_25._tcp.other.example", data, sizeof data);
	struct dns_message none = answer_of(NULL, 0, true);
	struct dane_plan p;

	(void)state;
	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, &r, 1, false);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);

	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, NULL, 0, true);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);

	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	dane_answer(&p, DNS_NXDOMAIN, &none);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);

	/* Somebody else's records. */
	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, &other, 1, true);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);

	/* Nothing is asked about a host that is not secure. */
	dane_init(&p, "mx.example", NULL, false, 25);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);
}

/* RFC 7672 3.1: which records can be used. */
static void test_usable(void **state)
{
	static const struct {
		uint8_t usage, selector, matching;
		uint16_t size; /* of the data */
		bool usable;
	} rows[] = {
	    {3, 0, 1, 32, true},   {3, 1, 1, 32, true},
	    {3, 0, 2, 64, true},   {3, 1, 2, 64, true},
	    {2, 0, 1, 32, true},   {2, 1, 1, 32, true},
	    {2, 0, 2, 64, true},   {2, 1, 2, 64, true},
	    {0, 0, 1, 32, false},  {1, 1, 1, 32, false},
	    {4, 0, 1, 32, false},  {255, 0, 1, 32, false},
	    {3, 2, 1, 32, false},  {3, 0, 3, 32, false},
	    {3, 1, 1, 31, false},  {3, 1, 1, 33, false},
	    {3, 1, 2, 32, false},  {3, 1, 1, 0, false},
	    {3, 1, 0, 0, false},   {2, 0, 0, 100, false},
	    {3, 1, 0, 100, false}, /* neither a certificate nor a key */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t data[128] = {rows[i].usage, rows[i].selector, rows[i].matching};
		struct dns_record r = tlsa("_25._tcp.mx.example", data, 3u + rows[i].size);
		struct dane_plan p;

		dane_init(&p, "mx.example", NULL, true, 25);
		assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
		give(&p, &r, 1, true);
		if (rows[i].usable != (p.outcome == DANE_USABLE))
			fail_msg("row %zu", i);
		assert_outcome(&p, rows[i].usable ? DANE_USABLE : DANE_UNUSABLE);
		dane_fini(&p);
	}
	/* Shorter than its three octets. */
	for (uint16_t size = 0; size < 3; size++) {
		uint8_t data[3] = {3, 1, 1};
		struct dns_record r = tlsa("_25._tcp.mx.example", data, size);
		struct dane_plan p;

		dane_init(&p, "mx.example", NULL, true, 25);
		assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
		give(&p, &r, 1, true);
		assert_outcome(&p, DANE_UNUSABLE);
		dane_fini(&p);
	}
}

/* Those that can be used are; the others do not matter. */
static void test_some_usable(void **state)
{
	uint8_t pkix[3 + 32] = {1, 0, 1}, good[3 + 64] = {2, 0, 2}, cut[3 + 20] = {3, 1, 1};
	struct dns_record rows[] = {tlsa("_25._tcp.mx.example", pkix, sizeof pkix),
				    tlsa("_25._tcp.mx.example", good, sizeof good),
				    tlsa("_25._tcp.mx.example", cut, sizeof cut)};
	struct dane_plan p;

	(void)state;
	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, rows, 3, true);
	assert_outcome(&p, DANE_USABLE);
	assert_int_equal(p.n_records, 1);
	assert_int_equal(p.records[0].usage, 2);
	dane_fini(&p);
}

/* RFC 7672 2.2.2: of a secure alias its end is tried first, then itself. */
static void test_secure_alias(void **state)
{
	uint8_t data[3 + 32] = {3, 1, 1};
	struct dns_record at_end = tlsa("_25._tcp.end.example", data, sizeof data);
	struct dns_record at_host = tlsa("_25._tcp.mx.example", data, sizeof data);
	struct dane_plan p;

	(void)state;
	dane_init(&p, "mx.example", "end.example", true, 25);
	assert_question(&p, "_25._tcp.end.example", TYPE_TLSA);
	give(&p, &at_end, 1, true);
	assert_outcome(&p, DANE_USABLE);
	assert_string_equal(p.base, "end.example");
	dane_fini(&p);

	dane_init(&p, "mx.example", "end.example", true, 25);
	assert_question(&p, "_25._tcp.end.example", TYPE_TLSA);
	give(&p, NULL, 0, true);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, &at_host, 1, true);
	assert_outcome(&p, DANE_USABLE);
	assert_string_equal(p.base, "mx.example");
	dane_fini(&p);

	dane_init(&p, "mx.example", "end.example", true, 25);
	assert_question(&p, "_25._tcp.end.example", TYPE_TLSA);
	give(&p, NULL, 0, true);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, NULL, 0, true);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);

	/* A lookup that fails is no answer, and does not lead on. */
	dane_init(&p, "mx.example", "end.example", true, 25);
	assert_question(&p, "_25._tcp.end.example", TYPE_TLSA);
	dane_answer(&p, DNS_SERVFAIL, NULL);
	assert_outcome(&p, DANE_FAILED);
	assert_int_equal(p.failure, DNS_SERVFAIL);
	dane_fini(&p);
}

/* An alias that leads out of its signed zone is asked about under its own name. */
static void test_insecure_alias(void **state)
{
	uint8_t data[3 + 32] = {3, 1, 1};
	struct dns_record at_host = tlsa("_25._tcp.mx.example", data, sizeof data);
	struct dns_record cname = alias("mx.example", "end.example");
	struct dane_plan p;

	(void)state;
	dane_init(&p, "mx.example", "end.example", false, 25);
	assert_question(&p, "mx.example", TYPE_CNAME);
	give(&p, &cname, 1, true);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, &at_host, 1, true);
	assert_outcome(&p, DANE_USABLE);
	assert_string_equal(p.base, "mx.example");
	dane_fini(&p);

	dane_init(&p, "mx.example", "end.example", false, 25);
	assert_question(&p, "mx.example", TYPE_CNAME);
	give(&p, &cname, 1, false);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);

	/* An alias no longer. */
	dane_init(&p, "mx.example", "end.example", false, 25);
	assert_question(&p, "mx.example", TYPE_CNAME);
	give(&p, NULL, 0, true);
	assert_outcome(&p, DANE_NONE);
	dane_fini(&p);

	dane_init(&p, "mx.example", "end.example", false, 25);
	assert_question(&p, "mx.example", TYPE_CNAME);
	dane_answer(&p, DNS_TIMEOUT, NULL);
	assert_outcome(&p, DANE_FAILED);
	assert_int_equal(p.failure, DNS_TIMEOUT);
	dane_fini(&p);
}

/* TLSA records are often aliases themselves, to one set for many hosts (RFC 7671 10.2). */
static void test_alias_of_records(void **state)
{
	uint8_t data[3 + 32] = {3, 1, 1};
	struct dns_record rows[] = {alias("_25._tcp.mx.example", "_dane.example"),
				    tlsa("_dane.example", data, sizeof data)};
	struct dns_record loop[] = {alias("_25._tcp.mx.example", "_dane.example"),
				    alias("_dane.example", "_25._tcp.mx.example")};
	struct dane_plan p;

	(void)state;
	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, rows, 2, true);
	assert_outcome(&p, DANE_USABLE);
	assert_string_equal(p.base, "mx.example");
	dane_fini(&p);

	dane_init(&p, "mx.example", NULL, true, 25);
	assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
	give(&p, loop, 2, true);
	assert_outcome(&p, DANE_FAILED);
	assert_int_equal(p.failure, DNS_INVALID);
	dane_fini(&p);
}

static void test_failures(void **state)
{
	static const enum dns_status rows[] = {DNS_SERVFAIL, DNS_TIMEOUT, DNS_INVALID};
	struct dane_plan p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		dane_init(&p, "mx.example", NULL, true, 25);
		assert_question(&p, "_25._tcp.mx.example", TYPE_TLSA);
		dane_answer(&p, rows[i], NULL);
		assert_outcome(&p, DANE_FAILED);
		assert_int_equal(p.failure, rows[i]);
		/* What is known stays so. */
		give(&p, NULL, 0, true);
		dane_give_up(&p, DNS_TIMEOUT);
		assert_outcome(&p, DANE_FAILED);
		assert_int_equal(p.failure, rows[i]);
		dane_fini(&p);
	}
	dane_init(&p, "mx.example", NULL, true, 25);
	dane_give_up(&p, DNS_TIMEOUT);
	assert_outcome(&p, DANE_FAILED);
	assert_int_equal(p.failure, DNS_TIMEOUT);
	dane_fini(&p);
}

/* A name that cannot be asked about, with its two labels in front, has no records. */
static void test_long_name(void **state)
{
	char name[DNS_NAME_MAX + 1];
	struct dane_plan p;

	(void)state;
	for (size_t room = 0; room < 12; room++) {
		size_t n = DNS_NAME_MAX - room;
		enum dns_type type;

		for (size_t i = 0; i < n; i++)
			name[i] = i % 50 == 49 ? '.' : 'a';
		name[n] = '\0';
		dane_init(&p, name, NULL, true, 25);
		if (room >= strlen("_25._tcp.")) {
			assert_non_null(dane_question(&p, &type));
			assert_int_equal(strlen(p.qname), n + strlen("_25._tcp."));
		} else {
			assert_outcome(&p, DANE_NONE);
		}
		dane_fini(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_records),          cmocka_unit_test(test_none),
	    cmocka_unit_test(test_usable),           cmocka_unit_test(test_some_usable),
	    cmocka_unit_test(test_secure_alias),     cmocka_unit_test(test_insecure_alias),
	    cmocka_unit_test(test_alias_of_records), cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

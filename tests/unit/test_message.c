/* DNS messages from the wire and onto it. */
#include "dns/message.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put16(struct buf *b, unsigned n)
{
	buf_addc(b, (char)(n >> 8));
	buf_addc(b, (char)n);
}

static void put32(struct buf *b, uint32_t n)
{
	put16(b, n >> 16);
	put16(b, n & 0xffff);
}

/* A name as labels: "mx.example" */
static void put_name(struct buf *b, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		buf_addc(b, (char)n);
		buf_add(b, name, n);
		name += n + (name[n] == '.');
	}
	buf_addc(b, '\0');
}

/* Header, and the question "example.org" of that type: its name stands at 12. */
static void begin(struct buf *b, unsigned flags, unsigned type, unsigned answers,
		  unsigned authority)
{
	buf_clear(b);
	put16(b, 0x1234);
	put16(b, flags);
	put16(b, 1);
	put16(b, answers);
	put16(b, authority);
	put16(b, 0);
	put_name(b, "example.org");
	put16(b, type);
	put16(b, 1);
}

static void put_record(struct buf *b, unsigned type, unsigned class, uint32_t ttl, const void *data,
		       unsigned n)
{
	put16(b, 0xc00c);
	put16(b, type);
	put16(b, class);
	put32(b, ttl);
	put16(b, n);
	buf_add(b, data, n);
}

static struct dns_message *parse(const struct buf *b)
{
	return dns_message_read((const uint8_t *)b->data, b->len);
}

/* A query, in place of what is in the buffer. */
static bool query(struct buf *b, const char *qname, enum dns_type type, uint16_t id, bool edns)
{
	uint8_t wire[DNS_QUERY_MAX];
	size_t n = dns_query(wire, qname, type, id, edns);

	buf_clear(b);
	buf_add(b, wire, n);
	return n != 0;
}

/* Any number of records, of any size: all of them are there, and in their order. */
static void test_sizes(void **state)
{
	static const unsigned counts[] = {1, 2, 15, 16, 17, 18, 100, 400};
	static const unsigned sizes[] = {1, 50, 63, 64, 65, 100, 900, 1100};
	struct buf b = {0};
	char data[1100];

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
		for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
			struct dns_message *m;

			begin(&b, 0x8180, TYPE_TXT, counts[c], 0);
			for (unsigned i = 0; i < counts[c]; i++) {
				memset(data, (int)i, sizes[s]);
				put_record(&b, TYPE_TXT, 1, i, data, sizes[s]);
			}
			m = parse(&b);
			assert_non_null(m);
			assert_string_equal(m->qname, "example.org");
			assert_int_equal(m->n_answers, counts[c]);
			for (unsigned i = 0; i < counts[c]; i++) {
				assert_ptr_equal(m->answers[i].owner, m->qname);
				assert_null(m->answers[i].name);
				assert_int_equal(m->answers[i].ttl, i);
				assert_int_equal(m->answers[i].size, sizes[s]);
				memset(data, (int)i, sizes[s]);
				assert_memory_equal(m->answers[i].data, data, sizes[s]);
			}
			dns_message_free(m);
		}
	}
	buf_fini(&b);
}

static void test_query(void **state)
{
	struct buf b = {0};
	struct dns_header h;
	struct dns_message *m;

	(void)state;
	assert_true(query(&b, "Example.ORG", TYPE_MX, 0xbeef, false));
	assert_true(dns_header_read(&h, (const uint8_t *)b.data, b.len));
	assert_int_equal(h.id, 0xbeef);
	assert_false(h.response);
	assert_false(h.truncated);
	assert_int_equal(h.questions, 1);
	assert_int_equal(h.rcode, RCODE_NOERROR);
	assert_int_equal((unsigned char)b.data[2], 0x01); /* RD */
	assert_int_equal((unsigned char)b.data[3], 0x20); /* AD */
	assert_int_equal(b.data[11], 0);
	m = parse(&b);
	assert_string_equal(m->qname, "example.org");
	assert_int_equal(m->qtype, TYPE_MX);
	dns_message_free(m);
	assert_true(query(&b, "example.org", TYPE_A, 1, true));
	assert_int_equal(b.data[11], 1);
	/* The OPT record: root, type 41, our size. */
	assert_memory_equal(b.data + b.len - 11, "\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
	/* Octets that are escaped (RFC 1035 5.1), and the root. */
	assert_true(query(&b, "a\\.b\\065.org.", TYPE_A, 1, false));
	assert_memory_equal(b.data + 12, "\4a.bA\3org\0\0\1\0\1", 14);
	assert_true(query(&b, ".", TYPE_A, 1, false));
	assert_memory_equal(b.data + 12, "\0\0\1\0\1", 5);
	assert_false(query(&b, "", TYPE_A, 1, false));
	assert_false(query(&b, "a\\", TYPE_A, 1, false));
	assert_false(query(&b, "a\\25", TYPE_A, 1, false));
	assert_false(query(&b, "a\\2x5", TYPE_A, 1, false));
	assert_false(query(&b, "a\\256", TYPE_A, 1, false));
	assert_false(query(&b, "a..b", TYPE_A, 1, true));
	assert_false(query(&b, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
			   TYPE_A, 1, true));
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void test_header(void **state)
{
	static const uint8_t wire[] = {0x12, 0x34, 0x82, 0x85, 0, 2, 0, 0, 0, 0, 0, 0};
	struct dns_header h;

	(void)state;
	for (size_t n = 0; n < sizeof wire; n++)
		assert_false(dns_header_read(&h, wire, n));
	assert_true(dns_header_read(&h, wire, sizeof wire));
	assert_int_equal(h.id, 0x1234);
	assert_true(h.response);
	assert_true(h.truncated);
	assert_int_equal(h.rcode, RCODE_REFUSED);
	assert_int_equal(h.questions, 2);
}

static void test_answer(void **state)
{
	struct buf b = {0}, mx = {0};
	struct dns_message *m;

	(void)state;
	begin(&b, 0x81a0, TYPE_MX, 3, 0);
	put16(&mx, 10);
	put_name(&mx, "MX.Example.NET");
	put_record(&b, TYPE_MX, 1, 300, mx.data, mx.len);
	put_record(&b, TYPE_A, 1, 60, "\xc0\0\2\1", 4);
	put_record(&b, TYPE_TXT, 1, 5, "\3abc", 4);
	m = parse(&b);
	assert_non_null(m);
	assert_true(m->authentic);
	assert_string_equal(m->qname, "example.org");
	assert_int_equal(m->n_answers, 3);
	assert_int_equal(m->answers[0].type, TYPE_MX);
	assert_int_equal(m->answers[0].preference, 10);
	assert_int_equal(m->answers[0].ttl, 300);
	assert_string_equal(m->answers[0].owner, "example.org");
	assert_string_equal(m->answers[0].name, "mx.example.net");
	assert_int_equal(m->answers[1].type, TYPE_A);
	assert_memory_equal(m->answers[1].data, "\xc0\0\2\1", 4);
	assert_int_equal(m->answers[2].size, 4);
	dns_message_free(m);
	buf_fini(&mx);
	buf_fini(&b);
}

static void test_names_are_made_safe(void **state)
{
	struct buf b = {0};
	struct dns_message *m;

	(void)state;
	begin(&b, 0x8180, TYPE_CNAME, 2, 0);
	put_record(&b, TYPE_CNAME, 1, 1, "\5a b.\x1b\2ok\0", 10);
	put_record(&b, TYPE_CNAME, 1, 1, "\0", 1);
	m = parse(&b);
	assert_non_null(m);
	assert_string_equal(m->answers[0].name, "a\\032b\\.\\027.ok");
	assert_string_equal(m->answers[1].name, ".");
	dns_message_free(m);
	buf_fini(&b);
}

static void test_records_of_no_interest(void **state)
{
	struct buf b = {0};
	struct dns_message *m;

	(void)state;
	begin(&b, 0x8180, TYPE_A, 4, 0);
	put_record(&b, TYPE_A, 3, 60, "\xc0\0\2\1", 4); /* another class */
	put_record(&b, 2, 1, 60, "\2ns\0", 4);          /* NS */
	put_record(&b, 46, 1, 60, "\0\1\5\2\0\0\0\1\0\0\0\1\0\0\0\1\0\1\0sig", 22); /* RRSIG */
	put_record(&b, TYPE_A, 1, 60, "\xc0\0\2\1", 4);
	m = parse(&b);
	if (m) {
		assert_int_equal(m->n_answers, 1);
		dns_message_free(m);
	}
	buf_fini(&b);
}

static void test_soa(void **state)
{
	static const char soa[] = "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c";
	struct buf b = {0};
	struct dns_message *m;

	(void)state;
	begin(&b, 0x8183, TYPE_A, 0, 1);
	put_record(&b, TYPE_SOA, 1, 3600, soa, sizeof soa - 1);
	m = parse(&b);
	assert_int_equal(m->rcode, RCODE_NXDOMAIN);
	assert_true(m->soa);
	assert_int_equal(m->negative_ttl, 60); /* its last field */
	dns_message_free(m);
	begin(&b, 0x8183, TYPE_A, 0, 1);
	put_record(&b, TYPE_SOA, 1, 30, soa, sizeof soa - 1);
	m = parse(&b);
	assert_int_equal(m->negative_ttl, 30); /* its own TTL */
	dns_message_free(m);
	buf_fini(&b);
}

static void test_cut_at_every_octet(void **state)
{
	struct buf b = {0};

	(void)state;
	begin(&b, 0x8180, TYPE_A, 1, 0);
	put_record(&b, TYPE_A, 1, 60, "\xc0\0\2\1", 4);
	for (uint32_t n = 0; n < b.len; n++) {
		/* At its very end: one octet too far is one outside. */
		uint8_t *wire = xmalloc(n);

		if (n)
			memcpy(wire, b.data, n);
		assert_null(dns_message_read(wire, n));
		free(wire);
	}
	buf_fini(&b);
}

static void test_hostile(void **state)
{
	struct buf b = {0};

	(void)state;
	begin(&b, 0x8180, TYPE_A, 5, 0); /* five announced, one there */
	put_record(&b, TYPE_A, 1, 60, "\xc0\0\2\1", 4);
	assert_null(parse(&b));
	begin(&b, 0x8180, TYPE_A, 1, 0); /* a name that points at itself */
	put16(&b, 0xc000 | b.len);
	put16(&b, TYPE_A);
	put16(&b, 1);
	put32(&b, 60);
	put16(&b, 4);
	buf_addstr(&b, "abcd");
	assert_null(parse(&b));
	begin(&b, 0x8180, TYPE_A, 1, 0); /* an address of three octets */
	put_record(&b, TYPE_A, 1, 60, "abc", 3);
	assert_null(parse(&b));
	begin(&b, 0x8180, TYPE_A, 1, 0); /* and of none */
	put_record(&b, TYPE_A, 1, 60, "", 0);
	assert_null(parse(&b));
	begin(&b, 0x8180, TYPE_MX, 1, 0); /* an MX without a name */
	put_record(&b, TYPE_MX, 1, 60, "\0\1", 2);
	assert_null(parse(&b));
	/* What a record holds ends where it says, no octet before or behind. */
	for (unsigned n = 0; n <= 8; n++) {
		begin(&b, 0x8180, TYPE_MX, 1, 0);
		put_record(&b, TYPE_MX, 1, 60, "\0\1\2mx\0\0\0", n);
		if (n == 6)
			dns_message_free(parse(&b));
		else
			assert_null(parse(&b));
		begin(&b, 0x8180, TYPE_A, 1, 0);
		put_record(&b, TYPE_CNAME, 1, 60, "\2mx\xc0\x0c\0\0\0", n);
		if (n == 5)
			dns_message_free(parse(&b));
		else
			assert_null(parse(&b));
	}
	dns_message_free(NULL);
	buf_fini(&b);
}

/* Pointers (RFC 1035 4.1.4) lead back only, so that there is an end; over several, and into the
 * middle of a name. */
static void test_pointers(void **state)
{
	struct buf b = {0}, name = {0};
	struct dns_message *m;
	unsigned first;

	(void)state;
	begin(&b, 0x8180, TYPE_CNAME, 2, 0);
	first = b.len + 12; /* the data of the first record */
	put_record(&b, TYPE_CNAME, 1, 1, "\1a\xc0\x0c", 4);
	put16(&name, 0xc000 | first);
	put_record(&b, TYPE_CNAME, 1, 1, name.data, name.len);
	m = parse(&b);
	assert_non_null(m);
	assert_string_equal(m->answers[0].name, "a.example.org");
	assert_string_equal(m->answers[1].name, "a.example.org");
	dns_message_free(m);
	/* Forward, to itself, and past the end. */
	for (unsigned to = first; to < first + 40; to += 1) {
		begin(&b, 0x8180, TYPE_CNAME, 1, 0);
		buf_clear(&name);
		put16(&name, 0xc000 | to);
		put_record(&b, TYPE_CNAME, 1, 1, name.data, name.len);
		assert_null(parse(&b));
	}
	buf_fini(&name);
	buf_fini(&b);
}

/* A record whose name is written out, and one of another name. */
static void test_owners(void **state)
{
	struct buf b = {0};
	struct dns_message *m;

	(void)state;
	begin(&b, 0x8180, TYPE_A, 2, 0);
	put_name(&b, "EXAMPLE.org");
	put16(&b, TYPE_A);
	put16(&b, 1);
	put32(&b, 60);
	put16(&b, 4);
	buf_add(&b, "\xc0\0\2\1", 4);
	put_name(&b, "other.example");
	put16(&b, TYPE_AAAA);
	put16(&b, 1);
	put32(&b, 60);
	put16(&b, 16);
	buf_add(&b, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	m = parse(&b);
	assert_non_null(m);
	assert_string_equal(m->answers[0].owner, "example.org");
	assert_string_equal(m->answers[1].owner, "other.example");
	assert_int_equal(m->answers[1].size, 16);
	dns_message_free(m);
	buf_fini(&b);
}

/* Data that are not what their type says make the message none, wherever they stand. */
static void test_data_that_do_not_fit(void **state)
{
	static const struct {
		unsigned type;
		const char *data;
		size_t n;
	} rows[] = {
	    {TYPE_A, "abc", 3},        {TYPE_A, "abcde", 5},
	    {TYPE_A, "", 0},           {TYPE_AAAA, "abcdabcdabcdabc", 15},
	    {TYPE_MX, "\0", 1},        {TYPE_MX, "\0\1", 2},
	    {TYPE_MX, "\0\1\2ab", 5}, /* its name has no end */
	    {TYPE_MX, "\0\1\0x", 4},  /* something behind it */
	    {TYPE_CNAME, "", 0},       {TYPE_CNAME, "\0x", 2},
	    {TYPE_CNAME, "\x40\0", 2}, /* a label of a kind that there is not */
	};
	struct buf b = {0}, name = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(&b, 0x8180, rows[i].type, 1, 0);
		put_record(&b, rows[i].type, 1, 60, rows[i].data, rows[i].n);
		assert_null(parse(&b));
	}
	begin(&b, 0x8183, TYPE_A, 0, 1); /* a SOA with a number too few */
	put_record(&b, TYPE_SOA, 1, 60, "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4", 18);
	assert_null(parse(&b));
	/* 255 octets are a name; one more is none. */
	for (unsigned last = 61; last <= 62; last++) {
		struct dns_message *m;

		buf_clear(&name);
		for (unsigned i = 0; i < 4; i++) {
			unsigned n = i < 3 ? 63 : last;

			buf_addc(&name, (char)n);
			for (unsigned k = 0; k < n; k++)
				buf_addc(&name, 'x');
		}
		buf_addc(&name, '\0');
		begin(&b, 0x8180, TYPE_CNAME, 1, 0);
		put_record(&b, TYPE_CNAME, 1, 60, name.data, name.len);
		m = parse(&b);
		assert_int_equal(m != NULL, last == 61);
		dns_message_free(m);
	}
	buf_fini(&name);
	buf_fini(&b);
}

static void test_questions(void **state)
{
	struct buf b = {0};
	struct dns_message *m;

	(void)state;
	begin(&b, 0x8182, TYPE_A, 0, 0);
	b.data[5] = 2;
	put16(&b, 0xc00c);
	put16(&b, TYPE_MX);
	put16(&b, 1);
	m = parse(&b);
	assert_non_null(m);
	assert_null(m->qname); /* two are as good as none */
	dns_message_free(m);
	begin(&b, 0x8182, TYPE_A, 0, 0);
	b.data[b.len - 1] = 3; /* class CH */
	m = parse(&b);
	assert_null(m->qname);
	dns_message_free(m);
	buf_clear(&b);
	buf_add(&b, "\x12\x34\x81\x82\0\0\0\0\0\0\0\0", 12);
	m = parse(&b);
	assert_null(m->qname);
	assert_int_equal(m->rcode, RCODE_SERVFAIL);
	dns_message_free(m);
	buf_fini(&b);
}

/* The upper bits of the code stand in the OPT record (RFC 6891 6.1.3). */
static void test_extended_rcode(void **state)
{
	struct buf b = {0};
	struct dns_message *m;

	(void)state;
	begin(&b, 0x8181, TYPE_A, 0, 0);
	b.data[11] = 1;
	buf_add(&b, "\0\0\x29\x04\xd0\x01\0\0\0\0\0", 11);
	m = parse(&b);
	assert_int_equal(m->rcode, 17);
	dns_message_free(m);
	buf_fini(&b);
}

/* RFC 6891 6.1.1 */
static void test_two_where_one_may_be(void **state)
{
	struct buf b = {0};

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		struct dns_message *m;

		begin(&b, 0x8180, TYPE_A, 0, 0);
		b.data[11] = (char)n;
		for (unsigned k = 0; k < n; k++)
			buf_add(&b, "\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
		m = parse(&b);
		assert_int_equal(m != NULL, n == 1);
		dns_message_free(m);
	}
	buf_fini(&b);
}

/* What was asked stands at the beginning, whatever becomes of the rest. */
static void test_asked(void **state)
{
	struct buf b = {0};
	const uint8_t *wire;

	(void)state;
	begin(&b, 0x8380, TYPE_A, 7, 0);
	wire = (const uint8_t *)b.data;
	assert_int_equal(dns_asked(wire, b.len, "example.org", TYPE_A), ASKED_THIS);
	assert_int_equal(dns_asked(wire, b.len, "Example.ORG", TYPE_A), ASKED_THIS);
	assert_int_equal(dns_asked(wire, b.len, "example.org", TYPE_AAAA), ASKED_OTHER);
	assert_int_equal(dns_asked(wire, b.len, "example.net", TYPE_A), ASKED_OTHER);
	assert_int_equal(dns_asked(wire, b.len, "example", TYPE_A), ASKED_OTHER);
	assert_int_equal(dns_asked(wire, b.len, "www.example.org", TYPE_A), ASKED_OTHER);
	assert_int_equal(dns_asked(wire, b.len, "", TYPE_A), ASKED_OTHER);
	for (uint32_t n = 0; n < b.len; n++) {
		uint8_t *cut = xmalloc(n);

		if (n)
			memcpy(cut, wire, n);
		assert_int_equal(dns_asked(cut, n, "example.org", TYPE_A), ASKED_NOTHING);
		free(cut);
	}
	b.data[b.len - 1] = 3; /* class CH */
	assert_int_equal(dns_asked(wire, b.len, "example.org", TYPE_A), ASKED_OTHER);
	b.data[5] = 0;
	assert_int_equal(dns_asked(wire, b.len, "example.org", TYPE_A), ASKED_NOTHING);
	b.data[5] = 2;
	assert_int_equal(dns_asked(wire, b.len, "example.org", TYPE_A), ASKED_OTHER);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_query),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_answer),
	    cmocka_unit_test(test_names_are_made_safe),
	    cmocka_unit_test(test_records_of_no_interest),
	    cmocka_unit_test(test_soa),
	    cmocka_unit_test(test_cut_at_every_octet),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_pointers),
	    cmocka_unit_test(test_owners),
	    cmocka_unit_test(test_data_that_do_not_fit),
	    cmocka_unit_test(test_questions),
	    cmocka_unit_test(test_extended_rcode),
	    cmocka_unit_test(test_two_where_one_may_be),
	    cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

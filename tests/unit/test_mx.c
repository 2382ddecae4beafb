/* The plan from a domain to its addresses, fed with answers made by hand. */
#include "dns/mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena memory; /* of the plan under test */

static struct dns_message *message(void)
{
	struct dns_message *m = xcalloc(1, sizeof *m);

	m->authenticated = true;
	return m;
}

static struct dns_record *record(struct dns_message *m, const char *owner, enum dns_type type)
{
	struct dns_record *r = ARRAY_ADD(m->answers, m->n_answers);

	r->owner = xstrdup(owner);
	r->type = type;
	r->ttl = 300;
	return r;
}

static void add_mx(struct dns_message *m, const char *owner, uint16_t preference, const char *name)
{
	struct dns_record *r = record(m, owner, TYPE_MX);

	r->preference = preference;
	r->name = xstrdup(name);
}

static void add_cname(struct dns_message *m, const char *owner, const char *name)
{
	record(m, owner, TYPE_CNAME)->name = xstrdup(name);
}

static void add_address(struct dns_message *m, const char *owner, const char *text)
{
	struct addr a;
	struct dns_record *r;

	assert_true(addr_parse(&a, text, 0));
	r = record(m, owner, a.family == AF_INET ? TYPE_A : TYPE_AAAA);
	r->size = a.family == AF_INET ? 4 : 16;
	r->data = xmalloc(r->size);
	memcpy(r->data, a.ip, r->size);
}

/* Made here piece by piece, not read from the wire. */
static void message_free(struct dns_message *m)
{
	for (size_t i = 0; m && i < m->n_answers; i++) {
		free(m->answers[i].owner);
		free(m->answers[i].name);
		free(m->answers[i].data);
	}
	if (m)
		free(m->answers);
	free(m);
}

/* The next question must be this one. */
static void asks(struct mx_plan *p, const char *name, enum dns_type type)
{
	size_t at;

	if (!mx_next(p, &at))
		fail_msg("%s is not asked about", name);
	assert_string_equal(p->questions[at].qname, name);
	assert_int_equal(p->questions[at].type, type);
}

static void asks_no_more(struct mx_plan *p)
{
	size_t at;

	if (mx_next(p, &at))
		fail_msg("%s is asked about", p->questions[at].qname);
}

/* Hands the answer to the first open question of that name and type over, with the message or
 * without; when there is none, to one that was answered. */
static void answer(struct mx_plan *p, const char *name, enum dns_type type, enum dns_status status,
		   struct dns_message *m)
{
	size_t found = SIZE_MAX;

	for (size_t i = p->n_questions; i-- > 0;) {
		const struct mx_question *q = &p->questions[i];

		if (q->type == type && strcmp(q->qname, name) == 0 &&
		    (found == SIZE_MAX || !q->answered || p->questions[found].answered))
			found = i;
	}
	assert_true(found != SIZE_MAX);
	mx_answer(p, found, status, m);
	message_free(m);
}

static void answer_addresses(struct mx_plan *p, const char *name, const char *v4, const char *v6)
{
	struct dns_message *m = message();

	if (v4)
		add_address(m, name, v4);
	answer(p, name, TYPE_A, DNS_OK, m);
	m = message();
	if (v6)
		add_address(m, name, v6);
	answer(p, name, TYPE_AAAA, DNS_OK, m);
}

static void begin(struct mx_plan *p)
{
	mx_init(p, &memory, "example.org", 25, false, MX_IPV4 | MX_IPV6);
	asks(p, "example.org", TYPE_MX);
	asks_no_more(p);
	assert_false(mx_done(p));
}

static void host(const struct mx_plan *p, size_t i, unsigned preference, const char *name,
		 enum dns_status status, size_t n_addrs)
{
	assert_true(i < p->n_hosts);
	assert_string_equal(p->hosts[i].name, name);
	assert_int_equal(p->hosts[i].preference, preference);
	assert_int_equal(p->hosts[i].status, status);
	assert_int_equal(p->hosts[i].n_addrs, n_addrs);
}

static void test_usual(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();
	char text[ADDR_STRLEN];

	(void)state;
	begin(&p);
	add_mx(m, "example.org", 20, "b.example.org");
	add_mx(m, "example.org", 10, "z.example.org");
	add_mx(m, "example.org", 10, "a.example.org");
	m->answers[1].ttl = 60;
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	assert_int_equal(p.source, SOURCE_MX);
	/* Ties stay in the order of the answer. */
	asks(&p, "z.example.org", TYPE_A);
	asks(&p, "z.example.org", TYPE_AAAA);
	asks(&p, "a.example.org", TYPE_A);
	asks(&p, "a.example.org", TYPE_AAAA);
	asks(&p, "b.example.org", TYPE_A);
	asks(&p, "b.example.org", TYPE_AAAA);
	asks_no_more(&p);
	answer_addresses(&p, "b.example.org", "192.0.2.3", NULL);
	answer_addresses(&p, "a.example.org", "192.0.2.2", "2001:db8::2");
	assert_false(mx_done(&p));
	answer_addresses(&p, "z.example.org", NULL, "2001:db8::1");
	assert_true(mx_done(&p));
	assert_int_equal(p.status, DNS_OK);
	assert_true(p.authenticated);
	host(&p, 0, 10, "z.example.org", DNS_OK, 1);
	host(&p, 1, 10, "a.example.org", DNS_OK, 2);
	host(&p, 2, 20, "b.example.org", DNS_OK, 1);
	assert_int_equal(p.hosts[0].ttl, 60);
	assert_int_equal(p.hosts[1].ttl, 300);
	assert_string_equal(addr_format(&p.hosts[1].addrs[0], text), "192.0.2.2");
	assert_int_equal(p.hosts[1].addrs[0].port, 25);
	arena_fini(&memory);
}

static void test_one_family(void **state)
{
	struct mx_plan p;

	(void)state;
	mx_init(&p, &memory, "mx.example.org", 26, true, MX_IPV6);
	asks(&p, "mx.example.org", TYPE_AAAA);
	asks_no_more(&p);
	assert_int_equal(p.source, SOURCE_HOST);
	arena_fini(&memory);
	mx_init(&p, &memory, "mx.example.org", 26, true, MX_IPV4);
	asks(&p, "mx.example.org", TYPE_A);
	asks_no_more(&p);
	answer(&p, "mx.example.org", TYPE_A, DNS_SERVFAIL, NULL);
	assert_true(mx_done(&p));
	assert_int_equal(p.status, DNS_SERVFAIL);
	arena_fini(&memory);
}

/* RFC 5321 5.1: only where there is no MX for sure. */
static void test_implicit(void **state)
{
	struct mx_plan p;

	(void)state;
	begin(&p);
	answer(&p, "example.org", TYPE_MX, DNS_OK, message());
	assert_int_equal(p.source, SOURCE_IMPLICIT);
	asks(&p, "example.org", TYPE_A);
	asks(&p, "example.org", TYPE_AAAA);
	answer_addresses(&p, "example.org", "192.0.2.1", NULL);
	assert_true(mx_done(&p));
	host(&p, 0, 0, "example.org", DNS_OK, 1);
	assert_int_equal(p.hosts[0].ttl, -1);
	arena_fini(&memory);
}

static void test_failed_mx_question(void **state)
{
	static const enum dns_status rows[] = {DNS_NXDOMAIN, DNS_SERVFAIL, DNS_TIMEOUT,
					       DNS_INVALID};
	struct mx_plan p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begin(&p);
		answer(&p, "example.org", TYPE_MX, rows[i],
		       rows[i] == DNS_NXDOMAIN ? message() : NULL);
		assert_true(mx_done(&p));
		asks_no_more(&p);
		assert_int_equal(p.source, SOURCE_NONE);
		assert_int_equal(p.status, rows[i]);
		assert_int_equal(p.n_hosts, 0);
		arena_fini(&memory);
	}
}

/* RFC 7505 */
static void test_null_mx(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	begin(&p);
	add_mx(m, "example.org", 0, ".");
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	assert_true(mx_done(&p));
	assert_int_equal(p.source, SOURCE_NULL_MX);
	assert_int_equal(p.n_hosts, 0);
	assert_false(p.null_mx_mixed);
	arena_fini(&memory);
	m = message();
	begin(&p);
	add_mx(m, "example.org", 0, ".");
	add_mx(m, "example.org", 5, "mx.example.org");
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	assert_int_equal(p.source, SOURCE_MX);
	assert_true(p.null_mx_mixed);
	assert_int_equal(p.n_hosts, 1);
	arena_fini(&memory);
}

static void test_names_that_are_no_hosts(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	begin(&p);
	add_mx(m, "example.org", 1, "192.0.2.1");
	add_mx(m, "example.org", 2, "2001:db8::1");
	add_mx(m, "example.org", 3, "mx\\032.example.org");
	add_mx(m, "example.org", 4, "good_one.example.org");
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	asks(&p, "good_one.example.org", TYPE_A);
	asks(&p, "good_one.example.org", TYPE_AAAA);
	asks_no_more(&p);
	host(&p, 0, 1, "192.0.2.1", DNS_INVALID, 0);
	host(&p, 1, 2, "2001:db8::1", DNS_INVALID, 0);
	host(&p, 2, 3, "mx\\032.example.org", DNS_INVALID, 0);
	assert_true(p.hosts[0].is_address);
	assert_true(p.hosts[1].is_address);
	assert_false(p.hosts[2].is_address);
	arena_fini(&memory);
}

static void test_doubles(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	begin(&p);
	add_mx(m, "example.org", 20, "mx.example.org");
	add_mx(m, "example.org", 10, "mx.example.org");
	add_mx(m, "example.org", 30, "mx.example.org");
	m->answers[1].ttl = 77;
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	assert_int_equal(p.n_hosts, 1);
	assert_int_equal(p.hosts[0].preference, 10);
	assert_int_equal(p.hosts[0].ttl, 77);
	m = message();
	add_address(m, "mx.example.org", "192.0.2.1");
	add_address(m, "mx.example.org", "192.0.2.2");
	add_address(m, "mx.example.org", "192.0.2.1");
	add_address(m, "other.example.org", "192.0.2.3"); /* nobody asked about it */
	asks(&p, "mx.example.org", TYPE_A);
	answer(&p, "mx.example.org", TYPE_A, DNS_OK, m);
	assert_int_equal(p.hosts[0].n_addrs, 2);
	arena_fini(&memory);
}

/* Whichever answer comes first. */
static void test_a_before_aaaa(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	mx_init(&p, &memory, "mx.example.org", 25, true, MX_IPV4 | MX_IPV6);
	asks(&p, "mx.example.org", TYPE_A);
	asks(&p, "mx.example.org", TYPE_AAAA);
	add_address(m, "mx.example.org", "2001:db8::1");
	answer(&p, "mx.example.org", TYPE_AAAA, DNS_OK, m);
	m = message();
	add_address(m, "mx.example.org", "192.0.2.1");
	answer(&p, "mx.example.org", TYPE_A, DNS_OK, m);
	assert_int_equal(p.hosts[0].addrs[0].family, AF_INET);
	assert_int_equal(p.hosts[0].addrs[1].family, AF_INET6);
	arena_fini(&memory);
}

/* What two answers of a host without addresses come to. */
static void test_worst_of_two(void **state)
{
	static const struct {
		enum dns_status a, aaaa, host;
	} rows[] = {
	    {DNS_OK, DNS_OK, DNS_NO_ADDRESS},
	    {DNS_NXDOMAIN, DNS_NXDOMAIN, DNS_NXDOMAIN},
	    {DNS_OK, DNS_SERVFAIL, DNS_SERVFAIL},
	    {DNS_TIMEOUT, DNS_OK, DNS_TIMEOUT},
	    {DNS_TIMEOUT, DNS_SERVFAIL, DNS_SERVFAIL},
	    {DNS_NXDOMAIN, DNS_TIMEOUT, DNS_NXDOMAIN},
	    {DNS_INVALID, DNS_OK, DNS_INVALID},
	    {DNS_LOCAL_ERROR, DNS_OK, DNS_LOCAL_ERROR},
	    {DNS_LOCAL_ERROR, DNS_TIMEOUT, DNS_TIMEOUT},
	};
	struct mx_plan p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool a = rows[i].a == DNS_OK || rows[i].a == DNS_NXDOMAIN;
		bool aaaa = rows[i].aaaa == DNS_OK || rows[i].aaaa == DNS_NXDOMAIN;

		mx_init(&p, &memory, "mx.example.org", 25, true, MX_IPV4 | MX_IPV6);
		asks(&p, "mx.example.org", TYPE_A);
		asks(&p, "mx.example.org", TYPE_AAAA);
		answer(&p, "mx.example.org", TYPE_A, rows[i].a, a ? message() : NULL);
		assert_false(mx_done(&p));
		answer(&p, "mx.example.org", TYPE_AAAA, rows[i].aaaa, aaaa ? message() : NULL);
		assert_true(mx_done(&p));
		assert_int_equal(p.hosts[0].status, rows[i].host);
		assert_int_equal(p.status, rows[i].host);
		arena_fini(&memory);
	}
	/* A failed AAAA does not matter when A gave addresses. */
	mx_init(&p, &memory, "mx.example.org", 25, true, MX_IPV4 | MX_IPV6);
	asks(&p, "mx.example.org", TYPE_A);
	asks(&p, "mx.example.org", TYPE_AAAA);
	answer(&p, "mx.example.org", TYPE_AAAA, DNS_SERVFAIL, NULL);
	answer_addresses(&p, "mx.example.org", "192.0.2.1", NULL);
	assert_int_equal(p.status, DNS_OK);
	assert_false(p.authenticated);
	arena_fini(&memory);
}

static void test_cname_inside_the_answer(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	begin(&p);
	add_mx(m, "example.org", 10, "mx.example.org");
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	asks(&p, "mx.example.org", TYPE_A);
	asks(&p, "mx.example.org", TYPE_AAAA);
	m = message();
	add_address(m, "c.example.net", "192.0.2.1"); /* in any order */
	add_cname(m, "b.example.net", "c.example.net");
	add_cname(m, "mx.example.org", "b.example.net");
	answer(&p, "mx.example.org", TYPE_A, DNS_OK, m);
	m = message();
	answer(&p, "mx.example.org", TYPE_AAAA, DNS_OK, m);
	assert_true(mx_done(&p));
	assert_true(p.hosts[0].is_cname);
	host(&p, 0, 10, "mx.example.org", DNS_OK, 1);
	arena_fini(&memory);
}

/* A CNAME of the domain itself leads to the MX of another. */
static void test_cname_of_the_domain(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	begin(&p);
	add_cname(m, "example.org", "example.net");
	add_mx(m, "example.net", 10, "mx.example.net");
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	asks(&p, "mx.example.net", TYPE_A);
	assert_int_equal(p.source, SOURCE_MX);
	arena_fini(&memory);
}

/* An answer that stops at the CNAME: the rest is asked for. */
static void test_cname_left_open(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	mx_init(&p, &memory, "mx.example.org", 25, true, MX_IPV4);
	asks(&p, "mx.example.org", TYPE_A);
	add_cname(m, "mx.example.org", "b.example.net");
	answer(&p, "mx.example.org", TYPE_A, DNS_OK, m);
	assert_false(mx_done(&p));
	asks(&p, "b.example.net", TYPE_A);
	m = message();
	add_address(m, "b.example.net", "192.0.2.1");
	answer(&p, "b.example.net", TYPE_A, DNS_OK, m);
	assert_true(mx_done(&p));
	host(&p, 0, 0, "mx.example.org", DNS_OK, 1);
	arena_fini(&memory);
	/* Where a SOA says that nothing is there, nothing is asked. */
	mx_init(&p, &memory, "mx.example.org", 25, true, MX_IPV4);
	asks(&p, "mx.example.org", TYPE_A);
	m = message();
	m->soa = true;
	add_cname(m, "mx.example.org", "b.example.net");
	answer(&p, "mx.example.org", TYPE_A, DNS_OK, m);
	assert_true(mx_done(&p));
	host(&p, 0, 0, "mx.example.org", DNS_NO_ADDRESS, 0);
	arena_fini(&memory);
}

static void test_cname_loops(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();
	char from[32], to[32];

	(void)state;
	mx_init(&p, &memory, "mx.example.org", 25, true, MX_IPV4);
	asks(&p, "mx.example.org", TYPE_A);
	add_cname(m, "mx.example.org", "b.example.net");
	add_cname(m, "b.example.net", "mx.example.org");
	answer(&p, "mx.example.org", TYPE_A, DNS_OK, m);
	assert_true(mx_done(&p));
	host(&p, 0, 0, "mx.example.org", DNS_INVALID, 0);
	arena_fini(&memory);
	/* 16 in a row are followed, 17 are not. */
	for (int links = CNAMES_MAX; links <= CNAMES_MAX + 1; links++) {
		m = message();
		mx_init(&p, &memory, "c0.example.org", 25, true, MX_IPV4);
		asks(&p, "c0.example.org", TYPE_A);
		for (int i = 0; i < links; i++) {
			snprintf(from, sizeof from, "c%d.example.org", i);
			snprintf(to, sizeof to, "c%d.example.org", i + 1);
			add_cname(m, from, to);
		}
		add_address(m, to, "192.0.2.1");
		answer(&p, "c0.example.org", TYPE_A, DNS_OK, m);
		assert_int_equal(p.hosts[0].status, links == CNAMES_MAX ? DNS_OK : DNS_INVALID);
		arena_fini(&memory);
	}
}

/* A server that leads on and on, one answer at a time, is left. */
static void test_chain_without_end(void **state)
{
	struct mx_plan p;
	size_t question;
	int asked = 0;
	char to[32];

	(void)state;
	mx_init(&p, &memory, "c.example.org", 25, true, MX_IPV4);
	while (mx_next(&p, &question)) {
		const struct mx_question *q = &p.questions[question];
		struct dns_message *m = message();

		assert_true(asked < 100);
		snprintf(to, sizeof to, "c%d.example.org", asked++);
		add_cname(m, q->qname, to);
		answer(&p, q->qname, q->type, DNS_OK, m);
	}
	assert_true(mx_done(&p));
	assert_int_equal(p.hosts[0].n_addrs, 0);
	assert_true(asked < 20);
	arena_fini(&memory);
}

static void test_limit_on_hosts(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();
	char name[32];
	size_t question;
	unsigned asked = 0;

	(void)state;
	begin(&p);
	for (int i = 0; i < MX_HOSTS_MAX + 20; i++) {
		snprintf(name, sizeof name, "mx%d.example.org", i);
		add_mx(m, "example.org", (uint16_t)(1000 - i), name);
	}
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	assert_int_equal(p.n_hosts, MX_HOSTS_MAX + 20);
	while (mx_next(&p, &question))
		asked++;
	assert_int_equal(asked, 2 * MX_HOSTS_MAX);
	/* The worst preferences are those left out. */
	assert_string_equal(p.hosts[0].name, "mx119.example.org");
	assert_false(p.hosts[MX_HOSTS_MAX - 1].beyond_limit);
	assert_true(p.hosts[MX_HOSTS_MAX].beyond_limit);
	assert_int_equal(p.hosts[MX_HOSTS_MAX].status, DNS_OK);
	assert_string_equal(p.hosts[MX_HOSTS_MAX + 19].name, "mx0.example.org");
	arena_fini(&memory);
}

static void test_give_up(void **state)
{
	struct mx_plan p;
	struct dns_message *m = message();

	(void)state;
	begin(&p);
	mx_give_up(&p, DNS_TIMEOUT);
	assert_true(mx_done(&p));
	assert_int_equal(p.status, DNS_TIMEOUT);
	arena_fini(&memory);
	begin(&p);
	add_mx(m, "example.org", 10, "a.example.org");
	add_mx(m, "example.org", 20, "b.example.org");
	answer(&p, "example.org", TYPE_MX, DNS_OK, m);
	asks(&p, "a.example.org", TYPE_A);
	m = message();
	add_address(m, "a.example.org", "192.0.2.1");
	answer(&p, "a.example.org", TYPE_A, DNS_OK, m);
	mx_give_up(&p, DNS_TIMEOUT);
	assert_true(mx_done(&p));
	asks_no_more(&p);
	/* What is known is used. */
	host(&p, 0, 10, "a.example.org", DNS_OK, 1);
	host(&p, 1, 20, "b.example.org", DNS_TIMEOUT, 0);
	assert_int_equal(p.status, DNS_OK);
	mx_give_up(&p, DNS_SERVFAIL);
	host(&p, 1, 20, "b.example.org", DNS_TIMEOUT, 0);
	/* An answer that comes too late changes nothing. */
	answer(&p, "b.example.org", TYPE_A, DNS_OK, message());
	host(&p, 1, 20, "b.example.org", DNS_TIMEOUT, 0);
	arena_fini(&memory);
}

static void test_is_host_name(void **state)
{
	static const char *const good[] = {
	    "a", "example.com", "a-b.c", "_dmarc.x", "1.2.3.example", "x--y.z", "A.B"};
	static const char *const bad[] = {"",     ".",         "a.",    ".a",   "a..b", "-a.b",
					  "a-.b", "a b",       "a*b",   "a\\b", "a/b",  "192.0.2.1",
					  "::1",  "a\xc3\xbc", "a,b.c", "a@b"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!is_host_name(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (is_host_name(bad[i]))
			fail_msg("%s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_usual),
	    cmocka_unit_test(test_one_family),
	    cmocka_unit_test(test_implicit),
	    cmocka_unit_test(test_failed_mx_question),
	    cmocka_unit_test(test_null_mx),
	    cmocka_unit_test(test_names_that_are_no_hosts),
	    cmocka_unit_test(test_doubles),
	    cmocka_unit_test(test_a_before_aaaa),
	    cmocka_unit_test(test_worst_of_two),
	    cmocka_unit_test(test_cname_inside_the_answer),
	    cmocka_unit_test(test_cname_of_the_domain),
	    cmocka_unit_test(test_cname_left_open),
	    cmocka_unit_test(test_cname_loops),
	    cmocka_unit_test(test_chain_without_end),
	    cmocka_unit_test(test_limit_on_hosts),
	    cmocka_unit_test(test_give_up),
	    cmocka_unit_test(test_is_host_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From sessions to a contact, and from a plan to endpoints. */
#include "judge/rules.h"
#include "run/endpoints.h"
#include "run/probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct probe probe;

static int set_up(void **state)
{
	struct addr a = addr_from_ipv4((const uint8_t[]){192, 0, 2, 1}, 25);

	(void)state;
	probe_init(&probe, &a);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	probe_fini(&probe);
	return 0;
}

/* One session that ended by this reply to MAIL FROM after so many ms there. */
static void session(int code, const char *text, const char *banner, usec_t ms)
{
	struct observation o;

	observation_init(&o);
	o.phase = PHASE_MAIL;
	o.end = END_REPLY;
	o.reply.code = code;
	o.reply.lines = 1;
	buf_addstr(&o.reply.text, text);
	buf_addstr(&o.banner, banner);
	o.took[PHASE_CONNECT] = 10 * USEC_PER_MS;
	o.took[PHASE_MAIL] = ms * USEC_PER_MS;
	o.rtt = ms * 10;
	probe_take(&probe, &o);
	assert_int_equal(o.end, END_NONE); /* its contents were taken */
	observation_fini(&o);
}

static void ended(enum end end, enum phase phase)
{
	struct observation o;

	observation_init(&o);
	o.end = end;
	o.phase = phase;
	o.took[phase] = USEC_PER_SEC;
	probe_take(&probe, &o);
	observation_fini(&o);
}

static void is(enum class class, enum reason reason, unsigned sessions, unsigned healthy)
{
	probe_end(&probe, END_DEADLINE, PHASE_CONNECT);
	assert_int_equal(probe.contact.state, CONTACT_DONE);
	assert_string_equal(class_name(probe.contact.class), class_name(class));
	assert_string_equal(reason_name(probe.contact.reason), reason_name(reason));
	assert_int_equal(probe.contact.sessions, sessions);
	assert_int_equal(probe.contact.healthy_sessions, healthy);
	assert_ptr_equal(probe.contact.rule, classify(&probe.contact.seen));
}

static void test_no_session(void **state)
{
	(void)state;
	is(CLASS_SKIPPED, REASON_DEADLINE, 0, 0);
	assert_int_equal(probe.contact.timing.total, USEC_NONE);
	assert_int_equal(probe.contact.timing.connect, USEC_NONE);
	assert_int_equal(probe.contact.rtt, USEC_NONE);
	assert_int_equal(probe.contact.phase, PHASE_CONNECT);
	probe_end(&probe, END_INTERRUPTED, PHASE_DNS); /* once is enough */
	assert_int_equal(probe.contact.reason, REASON_DEADLINE);
}

static void test_one_session(void **state)
{
	(void)state;
	session(452, "4.3.1 Out of memory", "bay0 ESMTP", 30);
	is(CLASS_EXHAUSTED, REASON_MEMORY, 1, 0);
	assert_int_equal(probe.contact.timing.connect, 10 * USEC_PER_MS);
	assert_int_equal(probe.contact.timing.mail, 30 * USEC_PER_MS);
	assert_int_equal(probe.contact.timing.total, 40 * USEC_PER_MS);
	assert_int_equal(probe.contact.timing.banner, USEC_NONE);
	assert_int_equal(probe.contact.rtt, 300);
	assert_int_equal(probe.contact.seen.reply.code, 452);
	assert_int_equal(probe.contact.phase, PHASE_MAIL);
	assert_int_equal(probe.contact.draws[0].total, 40 * USEC_PER_MS);
}

static void test_all_healthy(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		session(250, "ok", "mx", 10);
	is(CLASS_HEALTHY, REASON_OK, 3, 3);
}

/* The most frequent other class, with the last session of that class. */
static void test_most_frequent(void **state)
{
	(void)state;
	session(250, "ok", "mx", 10);
	session(250, "ok", "mx", 10);
	session(250, "ok", "mx", 10);
	session(550, "5.7.1 no", "mx", 10);
	session(452, "4.3.1 Out of memory", "mx", 10);
	session(452, "4.3.1 Insufficient disk space", "mx", 10);
	session(250, "ok", "mx", 10);
	is(CLASS_EXHAUSTED, REASON_DISK, 7, 4);
	assert_string_equal(buf_str(&probe.contact.seen.reply.text),
			    "4.3.1 Insufficient disk space");
}

static void test_equally_frequent(void **state)
{
	(void)state;
	session(550, "5.7.1 no", "mx", 10);
	session(452, "4.3.1 Out of memory", "mx", 10);
	is(CLASS_EXHAUSTED, REASON_MEMORY, 2, 0);
}

/* What never left this machine is no session and says nothing about the server. */
static void test_skipped_beside_sessions(void **state)
{
	(void)state;
	session(250, "ok", "mx", 10);
	ended(END_LOCAL_ERROR, PHASE_CONNECT);
	ended(END_LOCAL_ERROR, PHASE_CONNECT);
	is(CLASS_HEALTHY, REASON_OK, 1, 1);
}

static void test_skipped_beside_failures(void **state)
{
	(void)state;
	ended(END_NO_ROUTE, PHASE_CONNECT);
	ended(END_NO_ROUTE, PHASE_CONNECT);
	ended(END_REFUSED, PHASE_CONNECT);
	is(CLASS_DOWN, REASON_REFUSED, 1, 0);
}

static void test_only_skipped(void **state)
{
	(void)state;
	ended(END_NO_ROUTE, PHASE_CONNECT);
	ended(END_NO_ROUTE, PHASE_CONNECT);
	is(CLASS_SKIPPED, REASON_NO_ROUTE, 0, 0);
	assert_int_equal(probe.contact.timing.total, USEC_NONE);
}

static void test_medians(void **state)
{
	static const usec_t odd[] = {50, 10, 90}, even[] = {40, 10, 90, 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		session(250, "ok", "mx", odd[i]);
	is(CLASS_HEALTHY, REASON_OK, 3, 3);
	assert_int_equal(probe.contact.timing.mail, 50 * USEC_PER_MS);
	assert_int_equal(probe.contact.timing.total, 60 * USEC_PER_MS);
	assert_int_equal(probe.contact.rtt, 500);
	(void)tear_down(state);
	(void)set_up(state);
	for (size_t i = 0; i < ARRAY_LEN(even); i++)
		session(250, "ok", "mx", even[i]);
	ended(END_REFUSED, PHASE_CONNECT); /* has no such phase: the median is of those that have */
	is(CLASS_DOWN, REASON_REFUSED, 5, 4);
	assert_int_equal(probe.contact.timing.mail, 30 * USEC_PER_MS);
	assert_int_equal(probe.contact.timing.ehlo, USEC_NONE);
}

static void test_backends(void **state)
{
	(void)state;
	session(250, "ok", "bay0 ESMTP", 10);
	session(452, "4.3.1 Out of memory", "bay1 ESMTP", 10);
	session(250, "ok", "bay0\nESMTP", 10);
	session(250, "ok", "", 10);
	session(250, "ok", " leading blank", 10);
	is(CLASS_EXHAUSTED, REASON_MEMORY, 5, 4);
	assert_int_equal(probe.contact.n_backends, 2);
	assert_string_equal(probe.contact.backends[0].name, "bay0");
	assert_int_equal(probe.contact.backends[0].sessions, 2);
	assert_int_equal(probe.contact.backends[0].healthy, 2);
	assert_string_equal(probe.contact.backends[1].name, "bay1");
	assert_int_equal(probe.contact.backends[1].healthy, 0);
}

/* Endpoints */

static struct arena memory; /* of the plan under test */

static struct mx_plan_host *add_host(struct mx_plan *p, unsigned preference, const char *name,
				     enum dns_status status)
{
	struct mx_plan_host *h = ARENA_ADD(&memory, p->hosts, p->n_hosts);

	h->preference = (uint16_t)preference;
	h->name = arena_strdup(&memory, name);
	h->status = status;
	return h;
}

static void add_address(struct mx_plan_host *h, const char *text)
{
	struct addr *a = ARENA_ADD(&memory, h->addrs, h->n_addrs);

	assert_true(addr_parse(a, text, 25));
}

static void test_order(void **state)
{
	static const struct {
		size_t host;
		const char *address;
		enum end end;
	} want[] = {
	    {2, "192.0.2.9", END_NONE},  {2, "192.0.2.10", END_NONE}, {2, "2001:db8::1", END_NONE},
	    {1, "", END_DNS_SERVFAIL},   {0, "192.0.2.1", END_NONE},  {3, "", END_DNS_NXDOMAIN},
	    {4, "", END_DNS_NO_ADDRESS}, {5, "", END_DNS_TIMEOUT},    {6, "", END_DNS_INVALID},
	    {7, "", END_LIMIT},
	};
	struct mx_plan p = {.memory = &memory};
	struct mx_plan_host *h;
	struct endpoint_plan *out;
	size_t n;

	(void)state;
	h = add_host(&p, 10, "z.example", DNS_OK);
	add_address(h, "192.0.2.1");
	(void)add_host(&p, 10, "b.example", DNS_SERVFAIL);
	h = add_host(&p, 5, "a.example", DNS_OK);
	add_address(h, "2001:db8::1");
	add_address(h, "192.0.2.10");
	add_address(h, "192.0.2.9");
	(void)add_host(&p, 20, "a.example", DNS_NXDOMAIN);
	(void)add_host(&p, 20, "b.example", DNS_NO_ADDRESS);
	(void)add_host(&p, 20, "c.example", DNS_TIMEOUT);
	(void)add_host(&p, 20, "d.example", DNS_INVALID);
	add_host(&p, 20, "e.example", DNS_OK)->beyond_limit = true;
	n = endpoints_of(&p, false, &out);
	assert_int_equal(n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_STRLEN];

		assert_int_equal(out[i].host - p.hosts, want[i].host);
		assert_string_equal(addr_format(&out[i].addr, text), want[i].address);
		assert_int_equal(out[i].end, want[i].end);
	}
	n = endpoints_of(&p, true, &out);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(out[i].end, END_NOT_PUBLIC);
	p.n_hosts = 0;
	assert_int_equal(endpoints_of(&p, false, &out), 0);
	arena_fini(&memory);
}

static size_t count(const struct endpoint_plan *out, size_t n, enum end end)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += out[i].end == end;
	return found;
}

static void test_limits(void **state)
{
	struct mx_plan p = {.memory = &memory};
	struct endpoint_plan *out;
	char text[64];
	size_t n;

	(void)state;
	/* 101 addresses: one is too many for a host. */
	for (unsigned i = 0; i < 11; i++) {
		struct mx_plan_host *h;

		snprintf(text, sizeof text, "mx%02u.example", i);
		h = add_host(&p, i, text, DNS_OK);
		for (unsigned k = 0; k < 101; k++) {
			snprintf(text, sizeof text, "10.1.%u.%u", i, 200 - k);
			add_address(h, text);
		}
	}
	p.n_hosts = 1;
	n = endpoints_of(&p, false, &out);
	assert_int_equal(n, 101);
	assert_int_equal(count(out, n, END_LIMIT), 1);
	/* It is the last of the answer, which here stands first in order. */
	assert_int_equal(out[0].end, END_LIMIT);
	p.n_hosts = 11;
	n = endpoints_of(&p, false, &out);
	assert_int_equal(n, 11 * 101);
	assert_int_equal(count(out, n, END_NONE), ENDPOINTS_MAX);
	for (size_t i = 10 * 101; i < n; i++)
		assert_int_equal(out[i].end, END_LIMIT); /* the worst preference */
	/* What is not contacted anyway uses nothing up. */
	n = endpoints_of(&p, true, &out);
	assert_int_equal(count(out, n, END_NOT_PUBLIC), 11 * 100);
	arena_fini(&memory);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_no_session),
	    TEST(test_one_session),
	    TEST(test_all_healthy),
	    TEST(test_most_frequent),
	    TEST(test_equally_frequent),
	    TEST(test_skipped_beside_sessions),
	    TEST(test_skipped_beside_failures),
	    TEST(test_only_skipped),
	    TEST(test_medians),
	    TEST(test_backends),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "dns/sts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the record ---- */

#define QNAME "_mta-sts.example"

enum { TEXTS = 4 };

/* An answer of TXT records. A vertical bar ends a character-string and begins the next. */
struct answer {
	struct dns_message message;
	struct dns_record records[TEXTS];
	uint8_t data[TEXTS][1024];
};

static void add_text(struct answer *a, const char *owner, const char *text)
{
	struct dns_record *r = &a->records[a->message.n_answers];
	uint8_t *out = a->data[a->message.n_answers++];

	*r = (struct dns_record){.owner = (char *)owner, .type = TYPE_TXT, .data = out};
	a->message.answers = a->records;
	for (;;) {
		size_t n = strcspn(text, "|");

		assert_true(n < 256);
		out[r->size++] = (uint8_t)n;
		memcpy(out + r->size, text, n);
		r->size = (uint16_t)(r->size + n);
		if (!text[n])
			return;
		text += n + 1;
	}
}

#define ID32 "0123456789abcdefghijklmnopqrstuv"

static void test_record(void **state)
{
	static const struct {
		const char *text, *id; /* NULL: it announces nothing */
		bool wrong;            /* and says so */
	} rows[] = {
	    {"v=STSv1; id=20160831085700Z;", "20160831085700Z", false},
	    {"v=STSv1; id=20160831085700Z", "20160831085700Z", false},
	    {"v=STSv1;id=1", "1", false},
	    {"v=STSv1 ;\tid = 1 ; ", "1", false},
	    {"v=STSv1; id=" ID32 ";", ID32, false},
	    {"v=STSv1; colour=blue; id=1; size=7;", "1", false},
	    {"v=STSv1; id=1; id=2;", "1", false}, /* the first counts */
	    {"v=ST|Sv1; i|d=12|34", "1234", false},
	    {"v=STSv1; |id=1", "1", false},
	    /* malformed */
	    {"v=STSv1; id=" ID32 "w;", NULL, true},
	    {"v=STSv1; id=;", NULL, true},
	    {"v=STSv1; id=a-b;", NULL, true},
	    {"v=STSv1; id=a b;", NULL, true},
	    {"v=STSv1;", NULL, true},
	    {"v=STSv1; ID=1;", NULL, true},
	    {"v=STSv1; id", NULL, true},
	    {"v=STSv1; id=1; nonsense;", NULL, true},
	    {"v=STSv1;; id=1;", NULL, true},
	    /* other records, that only happen to stand there */
	    {"", NULL, false},
	    {"v=spf1 -all", NULL, false},
	    {"v=STSv1", NULL, false},
	    {"v=STSv10; id=1;", NULL, false},
	    {"v=STSv2; id=1;", NULL, false},
	    {"v=stsv1; id=1;", NULL, false},
	    {" v=STSv1; id=1;", NULL, false},
	    {"id=1; v=STSv1;", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer a = {0};
		char id[STS_ID_MAX + 1] = "before";
		const char *why;
		bool announced;

		add_text(&a, QNAME, rows[i].text);
		announced = sts_announced(&a.message, QNAME, id, &why);
		if (announced != (rows[i].id != NULL) || (why != NULL) != rows[i].wrong)
			fail_msg("'%s': %s, %s", rows[i].text, id, why ? why : "-");
		assert_string_equal(id, rows[i].id ? rows[i].id : "");
	}
}

/* RFC 8461 3.1: what does not begin with the version is discarded; then there must be one. */
static void test_several_records(void **state)
{
	struct answer a = {0}, b = {0}, none = {0};
	char id[STS_ID_MAX + 1];
	const char *why;

	(void)state;
	add_text(&a, QNAME, "v=spf1 -all");
	add_text(&a, QNAME, "v=STSv10; id=9;");
	add_text(&a, QNAME, "v=STSv1; id=1;");
	assert_true(sts_announced(&a.message, QNAME, id, &why));
	assert_string_equal(id, "1");
	assert_null(why);

	add_text(&b, QNAME, "v=STSv1; id=1;");
	add_text(&b, QNAME, "v=STSv1; id=1;");
	assert_false(sts_announced(&b.message, QNAME, id, &why));
	assert_non_null(why);
	assert_string_equal(id, "");

	assert_false(sts_announced(&none.message, QNAME, id, &why));
	assert_null(why);
}

/* Whoever hosts the policy gets the record by an alias. */
static void test_alias(void **state)
{
	struct answer a = {0};
	char id[STS_ID_MAX + 1];
	const char *why;

	(void)state;
	a.records[0] = (struct dns_record){
	    .owner = (char *)QNAME, .type = TYPE_CNAME, .name = (char *)"sts.host.example"};
	a.message.answers = a.records;
	a.message.n_answers = 1;
	add_text(&a, "sts.host.example", "v=STSv1; id=1;");
	add_text(&a, "elsewhere.example", "v=STSv1; id=2;");
	assert_true(sts_announced(&a.message, QNAME, id, &why));
	assert_string_equal(id, "1");
}

/* A character-string whose length lies is taken as far as it goes. */
static void test_cut_string(void **state)
{
	struct answer a = {0};
	char id[STS_ID_MAX + 1];
	const char *why;

	(void)state;
	add_text(&a, QNAME, "v=STSv1; id=1");
	a.data[0][0] = 255;
	assert_true(sts_announced(&a.message, QNAME, id, &why));
	assert_string_equal(id, "1");
}

/* ---- the policy ---- */

#define POLICY "version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n"

static void test_policy(void **state)
{
	struct sts_policy p;
	static const char text[] = "version: STSv1\r\n"
				   "mode: testing\r\n"
				   "mx: MAIL.example.com\r\n"
				   "mx: *.example.net\r\n"
				   "mx:backupmx.example.com  \r\n"
				   "max_age: 604800\r\n";

	(void)state;
	assert_null(sts_policy_read(&p, text, sizeof text - 1));
	assert_int_equal(p.mode, STS_TESTING);
	assert_int_equal(p.max_age, 604800);
	assert_int_equal(p.n_mx, 3);
	assert_string_equal(p.mx[0], "mail.example.com");
	assert_string_equal(p.mx[1], "*.example.net");
	assert_string_equal(p.mx[2], "backupmx.example.com");
	sts_policy_fini(&p);
	assert_int_equal(p.n_mx, 0);
}

static void test_policy_grammar(void **state)
{
	static const struct {
		const char *text, *wrong; /* part of the words; NULL: it is good */
	} rows[] = {
	    {POLICY, NULL},
	    {"mx: mx.example\nmax_age: 86400\nmode: enforce\nversion: STSv1", NULL},
	    {"version:STSv1\nmode:\tenforce\nmx :mx.example\nmax_age:1\n\n", NULL},
	    {POLICY "mode: none\nmax_age: x\nversion: STSv9\n", NULL}, /* the first counts */
	    {POLICY "colour: blue\nsize: a:b:c\n", NULL},
	    {"version: STSv1\nmode: none\nmax_age: 86400\n", NULL},
	    {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 0\n", NULL},
	    {"", "version"},
	    {"mode: enforce\nmx: mx.example\nmax_age: 86400\n", "version"},
	    {"version: STSv2\nmode: enforce\nmx: mx.example\nmax_age: 86400\n", "version"},
	    {"version: stsv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n", "version"},
	    {"Version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 86400\n", "version"},
	    {"version: STSv1\nmx: mx.example\nmax_age: 86400\n", "mode"},
	    {"version: STSv1\nmode: strict\nmx: mx.example\nmax_age: 86400\n", "mode"},
	    {"version: STSv1\nmode: Enforce\nmx: mx.example\nmax_age: 86400\n", "mode"},
	    {"version: STSv1\nmode: enforce\nmax_age: 86400\n", "mx"},
	    {"version: STSv1\nmode: enforce\nmx:\nmax_age: 86400\n", "mx"},
	    {"version: STSv1\nmode: testing\nmax_age: 86400\n", "mx"},
	    {"version: STSv1\nmode: enforce\nmx: mx.example\n", "max_age"},
	    {"version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: \n", "max_age"},
	    {"version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: -1\n", "max_age"},
	    {"version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 1 day\n", "max_age"},
	    {"version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 12345678901\n", "max_age"},
	    {POLICY "<html>\n", "colon"},
	    {"<!DOCTYPE html><title>Welcome</title>", "colon"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sts_policy p;
		const char *why = sts_policy_read(&p, rows[i].text, strlen(rows[i].text));

		if ((why != NULL) != (rows[i].wrong != NULL) ||
		    (why && !strstr(why, rows[i].wrong)))
			fail_msg("%zu: %s", i, why ? why : "no fault found");
		if (why)
			assert_null(p.mx);
		sts_policy_fini(&p);
	}
}

/* 3.2: at most 31557600 s; more is as much. */
static void test_max_age(void **state)
{
	static const char text[] = "version: STSv1\nmode: none\nmax_age: 9999999999\n";
	struct sts_policy p;

	(void)state;
	assert_null(sts_policy_read(&p, text, sizeof text - 1));
	assert_int_equal(p.max_age, STS_MAX_AGE_MOST);
	sts_policy_fini(&p);
}

/* At every cut it is read, or refused, without a look beyond its end. */
static void test_cuts(void **state)
{
	(void)state;
	for (size_t n = 0; n <= strlen(POLICY); n++) {
		char *text = malloc(n ? n : 1);
		struct sts_policy p;

		assert_non_null(text);
		memcpy(text, POLICY, n);
		if (!sts_policy_read(&p, text, n))
			assert_true(n > strlen(POLICY) - 6); /* "max_age: 8" is a number */
		sts_policy_fini(&p);
		free(text);
	}
}

/* Someone's endless list does not fill the memory. */
static void test_many_mx(void **state)
{
	static const char head[] = "version: STSv1\nmode: enforce\nmax_age: 1\n", row[] = "mx:a\n";
	const size_t rows = (STS_POLICY_MAX - sizeof head) / (sizeof row - 1);
	char *text = malloc(STS_POLICY_MAX);
	size_t n = sizeof head - 1;
	struct sts_policy p;

	(void)state;
	assert_non_null(text);
	memcpy(text, head, n);
	for (size_t i = 0; i < rows; i++, n += sizeof row - 1)
		memcpy(text + n, row, sizeof row - 1);
	assert_null(sts_policy_read(&p, text, n));
	assert_true(p.n_mx >= 100 && p.n_mx < rows);
	sts_policy_fini(&p);
	free(text);
}

/* 4.1: a wildcard stands for one whole label, the leftmost. */
static void test_allows(void **state)
{
	static const struct {
		const char *pattern, *host;
		bool allowed;
	} rows[] = {
	    {"mx.example", "mx.example", true},
	    {"mx.example", "MX.Example", true},
	    {"mx.example", "mx2.example", false},
	    {"mx.example", "a.mx.example", false},
	    {"mx.example", "mx.example.net", false},
	    {"*.example", "mx.example", true},
	    {"*.Example", "MX.EXAMPLE", true},
	    {"*.example", "a.mx.example", false},
	    {"*.example", "example", false},
	    {"*.example", ".example", false},
	    {"*.mx.example", "a.mx.example", true},
	    {"*", "mx", false},
	    {"*.", "mx.", true},
	    {"*example", "mxexample", false},
	    {"m*.example", "mx.example", false},
	    {"mx.*", "mx.example", false},
	    {"*.*.example", "a.b.example", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *mx = (char *)rows[i].pattern;
		struct sts_policy p = {.mode = STS_ENFORCE, .mx = &mx, .n_mx = 1};

		if (sts_allows(&p, rows[i].host) != rows[i].allowed)
			fail_msg("%s and %s", rows[i].pattern, rows[i].host);
	}
}

static void test_mode_names(void **state)
{
	(void)state;
	assert_string_equal(sts_mode_name(STS_NONE), "none");
	assert_string_equal(sts_mode_name(STS_TESTING), "testing");
	assert_string_equal(sts_mode_name(STS_ENFORCE), "enforce");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_record),     cmocka_unit_test(test_several_records),
	    cmocka_unit_test(test_alias),      cmocka_unit_test(test_cut_string),
	    cmocka_unit_test(test_policy),     cmocka_unit_test(test_policy_grammar),
	    cmocka_unit_test(test_max_age),    cmocka_unit_test(test_cuts),
	    cmocka_unit_test(test_many_mx),    cmocka_unit_test(test_allows),
	    cmocka_unit_test(test_mode_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

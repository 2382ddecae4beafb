/* Which results are events, and the sentence that tells of them. */
#include "judge/event.h"
#include "report/sentence.h"
#include "support/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H VERDICT_HEALTHY
#define D VERDICT_DEGRADED
#define F VERDICT_FAILING
#define U VERDICT_UNKNOWN

static void rules(void **state)
{
	static const struct {
		enum event_when when;
		enum verdict verdict;
		bool speaks;
		int confirmed, told;
		enum event event;
		bool news;
	} rows[] = {
	    /* without a history */
	    {EVENTS_PROBLEM, H, true, -1, -1, EVENT_NONE, false},
	    {EVENTS_PROBLEM, D, true, -1, -1, EVENT_PROBLEM, false},
	    {EVENTS_PROBLEM, U, true, -1, -1, EVENT_PROBLEM, false},
	    {EVENTS_PROBLEM, U, false, -1, -1, EVENT_NONE, false},
	    {EVENTS_ALWAYS, H, true, -1, -1, EVENT_RESULT, false},
	    {EVENTS_ALWAYS, F, true, -1, -1, EVENT_PROBLEM, false},
	    {EVENTS_ALWAYS, U, false, -1, -1, EVENT_RESULT, false},
	    /* changes */
	    {EVENTS_CHANGE, H, true, H, H, EVENT_NONE, false},
	    {EVENTS_CHANGE, F, true, F, -1, EVENT_NONE, false},
	    {EVENTS_CHANGE, F, true, F, F, EVENT_NONE, false},
	    {EVENTS_CHANGE, F, true, F, H, EVENT_PROBLEM, true},
	    {EVENTS_CHANGE, D, true, D, F, EVENT_CHANGE, true},
	    {EVENTS_CHANGE, H, true, H, F, EVENT_RECOVERY, true},
	    /* not believed yet, and not about the target */
	    {EVENTS_CHANGE, F, true, H, H, EVENT_NONE, false},
	    {EVENTS_CHANGE, U, false, U, H, EVENT_NONE, false},
	    /* problems again and again, and their end */
	    {EVENTS_PROBLEM, F, true, F, F, EVENT_PROBLEM, false},
	    {EVENTS_PROBLEM, F, true, F, H, EVENT_PROBLEM, true},
	    {EVENTS_PROBLEM, D, true, D, F, EVENT_PROBLEM, true},
	    {EVENTS_PROBLEM, F, true, H, H, EVENT_NONE, false},
	    {EVENTS_PROBLEM, H, true, F, F, EVENT_NONE, false},
	    {EVENTS_PROBLEM, H, true, H, F, EVENT_RECOVERY, true},
	    {EVENTS_PROBLEM, H, true, H, H, EVENT_NONE, false},
	    {EVENTS_ALWAYS, D, true, D, F, EVENT_CHANGE, true},
	    {EVENTS_ALWAYS, H, true, H, F, EVENT_RECOVERY, true},
	    {EVENTS_ALWAYS, F, true, H, H, EVENT_RESULT, false},
	    {EVENTS_ALWAYS, U, false, U, H, EVENT_RESULT, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct event_facts facts = {.when = rows[i].when,
						  .verdict = rows[i].verdict,
						  .speaks = rows[i].speaks,
						  .confirmed = rows[i].confirmed,
						  .told = rows[i].told};
		bool news;
		enum event event = event_of(&facts, &news);

		if (event != rows[i].event || news != rows[i].news)
			fail_msg("row %zu: event %d, news %d", i, (int)event, news);
	}
}

static void names(void **state)
{
	(void)state;
	assert_null(event_name(EVENT_NONE));
	assert_null(event_name(EVENT_RESULT));
	assert_string_equal(event_name(EVENT_PROBLEM), "problem");
	assert_string_equal(event_name(EVENT_RECOVERY), "recovery");
	assert_string_equal(event_name(EVENT_CHANGE), "change");
}

/* A run that was cut short says nothing of a target, unless something was found out in time. */
static void speaking(void **state)
{
	static const struct {
		const char *error;
		enum reason skipped; /* REASON_OK: nothing is */
		bool speaks;
	} rows[] = {
	    {NULL, REASON_OK, true},
	    {"invalid-target", REASON_OK, true},
	    {"control-failed", REASON_OK, false},
	    {"interrupted", REASON_OK, false},
	    {"deadline", REASON_OK, false},
	    {NULL, REASON_NO_ROUTE, true},
	    {NULL, REASON_DEADLINE, true},
	    {NULL, REASON_INTERRUPTED, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result *r = fake_target("example.org", SOURCE_MX);
		struct contact *c;

		(void)fake_endpoint(r, 10, "mx1.example.org", "192.0.2.1");
		c = fake_endpoint(r, 10, "mx2.example.org", "192.0.2.2");
		if (rows[i].skipped != REASON_OK)
			fake_end(c, CLASS_SKIPPED, rows[i].skipped, PHASE_CONNECT, END_DEADLINE,
				 USEC_NONE);
		fake_finish(r);
		r->error_code = rows[i].error;
		if (event_speaks(r) != rows[i].speaks)
			fail_msg("row %zu", i);
		fake_free(r);
	}
	/* Nothing was contacted in time. */
	struct result *r = fake_target("example.org", SOURCE_MX);

	fake_end(fake_endpoint(r, 10, "mx1.example.org", "192.0.2.1"), CLASS_SKIPPED,
		 REASON_DEADLINE, PHASE_CONNECT, END_DEADLINE, USEC_NONE);
	fake_finish(r);
	assert_int_equal(r->verdict, VERDICT_UNKNOWN);
	assert_false(event_speaks(r));
	fake_free(r);
}

/* ---- sentences ---- */

static void assert_sentence(const struct result *r, enum event event, int told, const char *wanted)
{
	struct buf b = {0};

	sentence_of(&b, r, event, told);
	assert_string_equal(buf_str(&b), wanted);
	buf_fini(&b);
}

static void sentences(void **state)
{
	struct result *r = fake_msn();

	(void)state;
	assert_sentence(r, EVENT_PROBLEM, -1,
			"msn.com is degraded: 14 of 16 endpoints accept mail; for instance "
			"mx4.hotmail.com at 65.54.190.179 is timeout/connect "
			"(2026-11-21 16:31 UTC).");
	assert_sentence(r, EVENT_CHANGE, VERDICT_FAILING,
			"msn.com is degraded now, and was failing: 14 of 16 endpoints accept mail; "
			"for instance mx4.hotmail.com at 65.54.190.179 is timeout/connect "
			"(2026-11-21 16:31 UTC).");
	fake_free(r);

	r = fake_target("example.org", SOURCE_MX);
	(void)fake_endpoint(r, 10, "mx1.example.org", "192.0.2.1");
	(void)fake_endpoint(r, 10, "mx2.example.org", "2001:db8::1");
	fake_finish(r);
	assert_sentence(r, EVENT_RECOVERY, VERDICT_DEGRADED,
			"example.org is healthy again, and was degraded: all 2 endpoints accept "
			"mail (2026-11-21 16:31 UTC).");
	r->index = -1;
	assert_sentence(r, EVENT_RESULT, -1,
			"The control target example.org is healthy: all 2 endpoints accept mail "
			"(2026-11-21 16:31 UTC).");
	fake_free(r);

	r = fake_target("example.org", SOURCE_NULL_MX);
	fake_finish(r);
	assert_sentence(r, EVENT_PROBLEM, -1,
			"example.org is undeliverable: it has a null MX, and accepts no mail "
			"(2026-11-21 16:31 UTC).");
	fake_free(r);

	r = fake_target("example.org", SOURCE_NONE);
	r->status = DNS_NXDOMAIN;
	fake_finish(r);
	assert_sentence(r, EVENT_PROBLEM, -1,
			"example.org is undeliverable: the domain does not exist "
			"(2026-11-21 16:31 UTC).");
	r->status = DNS_SERVFAIL;
	fake_finish(r);
	assert_sentence(r, EVENT_PROBLEM, -1,
			"example.org is unknown: the DNS says servfail (2026-11-21 16:31 UTC).");
	fake_free(r);
}

/* What chat services take for a mention, a link or markup, out of every place that strangers write
 * to. */
static void hostile(void **state)
{
	static const char *const tricks[] = {
	    "<!channel> <!here> <@U012AB3CD> <#C123|general>",
	    "@channel @all @here @everyone",
	    "<http://evil.example/|your bank>",
	    "[bank](https://evil.example/)",
	    "https://evil.example www.evil.example evil.example",
	    "*bold* _it_ ~strike~ `code` ```block``` > quote # head | table |",
	    ":rotating_light: !pager &lt;!channel&gt;",
	    "a\nb\r\nc\td\x1B[31m \x7F \xC2\x9B \xE2\x80\xAE txet \xFF",
	    "\\n\\u0040channel \"},{\"text\":\"x",
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		struct result *r = fake_target("example.org", SOURCE_MX);
		struct contact *c = fake_endpoint(r, 10, tricks[i], "192.0.2.1");

		fake_end(c, CLASS_EXHAUSTED, REASON_MEMORY, PHASE_MAIL, END_REPLY, 60000);
		fake_reply(c, 452, tricks[i]);
		fake_finish(r);
		const char *target = r->target, *domain = r->domain;

		r->domain = tricks[i];
		buf_clear(&b);
		sentence_of(&b, r, EVENT_PROBLEM, -1);
		const char *text = buf_str(&b);

		for (const char *p = text; *p; p++)
			if (*p < ' ' || *p >= 0x7F || strchr("<>@#&*~`[]|\\\"!:", *p))
				/* Ours are " is degraded: " and "(2026-11-21 16:31 UTC)". */
				if (*p != ':' || (p[1] != ' ' && p[1] != '3'))
					fail_msg("trick %zu: '%c' in \"%s\"", i, *p, text);
		/* Words of a server never hold a name to click on. */
		const char *reply = strstr(text, "(452");

		assert_non_null(reply);
		assert_null(strstr(reply, "evil.example"));
		assert_null(strstr(reply, "www."));
		r->domain = NULL;
		r->target = tricks[i];
		r->error_code = "invalid-target";
		buf_clear(&b);
		sentence_of(&b, r, EVENT_PROBLEM, -1);
		assert_null(strpbrk(buf_str(&b), "<>@#&*~`[]|\\\"!"));
		r->target = target;
		r->domain = domain;
		fake_free(r);
	}
	buf_fini(&b);
}

/* A reply of 64 KiB is no sentence; what is left of it is good to read. */
static void words(void **state)
{
	static const struct {
		const char *reply, *shown;
	} rows[] = {
	    {"4.3.1 Out of memory", "(452 4.3.1 Out of memory)"},
	    {"4.3.1 Out of memory.", "(452 4.3.1 Out of memory.)"},
	    {"host 192.0.2.1, try later (in 5 min)", "(452 host 192.0.2.1, try later (in 5 min))"},
	    {"...see https://x.example/y", "(452 see https x example y)"},
	    {"", "(452)"},
	    {"\xE5\x86\x85\xE5\xAD\x98", "(452)"},
	    {"50% of  the\tdisk", "(452 50% of the disk)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct result *r = fake_target("example.org", SOURCE_MX);
		struct contact *c = fake_endpoint(r, 10, "mx.example.org", "192.0.2.1");
		struct buf b = {0};

		fake_end(c, CLASS_EXHAUSTED, REASON_MEMORY, PHASE_MAIL, END_REPLY, 60000);
		fake_reply(c, 452, rows[i].reply);
		fake_finish(r);
		sentence_of(&b, r, EVENT_PROBLEM, -1);
		if (!strstr(buf_str(&b), rows[i].shown))
			fail_msg("\"%s\" lacks \"%s\"", buf_str(&b), rows[i].shown);
		buf_fini(&b);
		fake_free(r);
	}
	char *much = xmalloc(60001);

	memset(much, 'x', 60000);
	much[60000] = '\0';
	struct result *r = fake_target("example.org", SOURCE_MX);
	struct contact *c = fake_endpoint(r, 10, "mx.example.org", "192.0.2.1");
	struct buf b = {0};

	fake_end(c, CLASS_EXHAUSTED, REASON_MEMORY, PHASE_MAIL, END_REPLY, 60000);
	fake_reply(c, 452, much);
	fake_finish(r);
	sentence_of(&b, r, EVENT_PROBLEM, -1);
	assert_true(b.len < 400);
	buf_fini(&b);
	fake_free(r);
	free(much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules),     cmocka_unit_test(names),   cmocka_unit_test(speaking),
	    cmocka_unit_test(sentences), cmocka_unit_test(hostile), cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

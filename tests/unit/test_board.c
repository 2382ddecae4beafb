#include "report/board.h"

#include "base/text.h"
#include "support/results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#if __GLIBC_PREREQ(2, 33)
#define COUNTS_MEMORY
#endif
#endif

#include <cmocka.h>

#define BLOCK "\xE2\x96\x82"
#define DOT "\xC2\xB7"

static char *drawn(struct board *b, unsigned columns, size_t lines)
{
	struct report_conf conf = {.width = columns};
	struct buf out = {0};
	size_t said = board_draw(&out, b, &conf, 0, lines), counted = 0;

	for (size_t i = 0; i < out.len; i++)
		counted += out.data[i] == '\n';
	assert_int_equal(said, counted);
	return buf_steal(&out);
}

static void assert_drawn(struct board *b, const char *wanted, bool there)
{
	char *text = drawn(b, 0, SIZE_MAX);

	if (!strstr(text, wanted) == there)
		fail_msg("%s \"%s\" in:\n%s", there ? "no" : "a", wanted, text);
	free(text);
}

/* A round that finds one target, with an endpoint for each address; `class` is that of the first.
 */
static struct result *one(const char *const *addresses, size_t n, enum class class, int minute)
{
	struct result *r = fake_target("example.org", SOURCE_MX);

	for (size_t i = 0; i < n; i++) {
		struct contact *c = fake_endpoint(r, 10, "mx.example.org", addresses[i]);

		if (i == 0 && class == CLASS_EXHAUSTED) {
			fake_end(c, class, REASON_MEMORY, PHASE_MAIL, END_REPLY, 1000);
			fake_reply(c, 452, "4.3.1 Out of memory");
		} else if (i == 0 && class == CLASS_TIMEOUT) {
			fake_end(c, class, REASON_CONNECT, PHASE_CONNECT, END_TIMEOUT, 1000000);
		}
	}
	r->started_ms += minute * 60000LL;
	fake_finish(r);
	return r;
}

static void add_round(struct board *b, struct result *r)
{
	board_begin(b);
	board_planned(b, r);
	board_finished(b, r);
	board_end(b, true);
	fake_free(r);
}

static const char *const two[] = {"192.0.2.1", "192.0.2.2"};

static void test_strips(void **state)
{
	struct board *b = board_new(true);

	(void)state;
	add_round(b, one(two, 2, CLASS_HEALTHY, 0));
	assert_drawn(b, "HEALTHY since 16:31:57 UTC\n", true);
	assert_drawn(b, "  " DOT DOT DOT DOT DOT DOT DOT BLOCK "\n", true);
	add_round(b, one(two, 2, CLASS_EXHAUSTED, 1));
	assert_drawn(b, "DEGRADED since 16:32:57 UTC\n", true);
	assert_drawn(b, "1 of 2 healthy, 1 exhausted. Healthy before.\n", true);
	add_round(b, one(two, 2, CLASS_TIMEOUT, 2));
	add_round(b, one(two, 2, CLASS_HEALTHY, 3));
	add_round(b, one(two, 2, CLASS_EXHAUSTED, 4));
	assert_drawn(b,
		     "192.0.2.1  exhausted/memory  121 ms  452 4.3.1 Out of memory  (MAIL FROM)"
		     "  " DOT DOT DOT BLOCK "ET" BLOCK "E\n",
		     true);
	assert_drawn(b, "DEGRADED since 16:35:57 UTC\n", true);
	for (int i = 5; i < 12; i++)
		add_round(b, one(two, 2, CLASS_EXHAUSTED, i));
	assert_drawn(b, "EEEEEEEE\n", true);
	assert_drawn(b, DOT, false);
	/* A day later the hour alone says nothing. */
	add_round(b, one(two, 2, CLASS_EXHAUSTED, 2 * 1440));
	assert_drawn(b, "DEGRADED since 2026-11-21 16:35 UTC\n", true);
	board_free(b);
}

/* What the history knows goes before what the first round has seen. */
static void test_past(void **state)
{
	struct board *b = board_new(true);
	struct result *r = one(two, 2, CLASS_EXHAUSTED, 0);
	struct past past = {.previous_verdict = VERDICT_DEGRADED, .since_ms = 1795000000000};

	(void)state;
	r->past = &past;
	add_round(b, r);
	assert_drawn(b, "DEGRADED since 2026-11-18 11:06 UTC\n", true);
	assert_drawn(b, " before", false);
	board_free(b);

	b = board_new(true);
	r = one(two, 2, CLASS_EXHAUSTED, 0);
	past = (struct past){.previous_verdict = VERDICT_FAILING, .changed = true, .since_ms = 1};
	r->past = &past;
	add_round(b, r);
	assert_drawn(b, "DEGRADED since 16:31:57 UTC\n", true);
	assert_drawn(b, ". Failing before.\n", true);
	board_free(b);
}

/* DNS may list other addresses the next time: those that are gone have no row, those that come back
 * have their past. */
static void test_gone(void **state)
{
	static const char *const others[] = {"192.0.2.2", "192.0.2.3"};
	struct board *b = board_new(true);

	(void)state;
	add_round(b, one(two, 2, CLASS_EXHAUSTED, 0));
	add_round(b, one(others, 2, CLASS_HEALTHY, 1));
	add_round(b, one(others, 2, CLASS_HEALTHY, 2));
	assert_drawn(b, "192.0.2.1 ", false);
	assert_drawn(b, "example.org   1 MX, 2 endpoints", true);
	assert_drawn(b, DOT DOT BLOCK BLOCK BLOCK "\n", true); /* .2 */
	assert_drawn(b, DOT DOT DOT BLOCK BLOCK "\n", true);   /* .3 */
	add_round(b, one(two, 2, CLASS_HEALTHY, 3));
	assert_drawn(b, DOT DOT DOT DOT "E" DOT DOT BLOCK "\n", true); /* .1 */
	assert_drawn(b, "192.0.2.3 ", false);
	for (int i = 0; i < BOARD_STATES; i++)
		add_round(b, one(others, 2, CLASS_HEALTHY, 4 + i));
	add_round(b, one(two, 2, CLASS_HEALTHY, 90));
	assert_drawn(b, DOT DOT DOT DOT DOT DOT DOT BLOCK "\n", true); /* forgotten, and new */
	board_free(b);
}

static struct contact *contact(struct result *r, size_t i)
{
	return (struct contact *)(uintptr_t)r->endpoints[i].contact;
}

/* While a round runs a row keeps its last result, unless its session takes long. */
static void test_running(void **state)
{
	struct board *b = board_new(true);
	struct result *r = one(two, 2, CLASS_HEALTHY, 0);
	struct report_conf conf = {.width = 0};
	size_t done, all;

	(void)state;
	board_begin(b);
	for (size_t i = 0; i < 2; i++)
		contact(r, i)->state = CONTACT_WAITING;
	board_planned(b, r);
	assert_drawn(b, "0 of 2 done\n", true);
	assert_drawn(b, "192.0.2.1  waiting", true);
	contact(r, 0)->state = CONTACT_DONE;
	assert_drawn(b, "1 of 2 done\n", true);
	assert_drawn(b, "192.0.2.1  healthy", true);
	board_count(b, &done, &all);
	assert_int_equal(done, 1);
	assert_int_equal(all, 2);
	contact(r, 1)->state = CONTACT_DONE;
	board_finished(b, r);
	board_end(b, true);
	fake_free(r);

	r = one(two, 2, CLASS_HEALTHY, 1);
	board_begin(b);
	for (size_t i = 0; i < 2; i++) {
		contact(r, i)->state = CONTACT_RUNNING;
		contact(r, i)->live_phase = PHASE_EHLO;
		contact(r, i)->live_since = (i == 0 ? 5 : 2) * USEC_PER_SEC;
	}
	board_planned(b, r);
	for (usec_t now = 5; now < 8; now++) {
		struct buf out = {0};
		bool first, second;

		(void)board_draw(&out, b, &conf, now * USEC_PER_SEC + 500000, SIZE_MAX);
		first = strstr(buf_str(&out), "192.0.2.1  ehlo ") != NULL;
		second = strstr(buf_str(&out), "192.0.2.2  ehlo ") != NULL;
		assert_int_equal(first, now >= 6);
		assert_true(second);
		assert_non_null(strstr(buf_str(&out), "HEALTHY since 16:31:57 UTC\n"));
		buf_fini(&out);
	}
	/* It is cut short: what was shown before is there again. */
	board_end(b, false);
	fake_free(r);
	assert_drawn(b, "ehlo", false);
	assert_drawn(b, "192.0.2.1  healthy", true);
	board_free(b);
}

/* Nothing is wider or higher than the screen, and trouble is what is seen. */
static void test_all_sizes(void **state)
{
	struct board *b = board_new(true);
	struct result *list[3];

	(void)state;
	for (int round = 0; round < 2; round++) {
		board_begin(b);
		list[0] = one(two, 2, CLASS_HEALTHY, round);
		list[1] = fake_msn();
		list[2] = fake_target("null.example", SOURCE_NULL_MX);
		fake_finish(list[2]);
		for (int i = 0; i < 3; i++) {
			list[i]->index = i;
			board_finished(b, list[i]);
			fake_free(list[i]);
		}
		board_end(b, true);
	}
	for (unsigned columns = 20; columns <= 200; columns += columns < 80 ? 1 : 7) {
		for (size_t lines = 1; lines <= 60; lines++) {
			char *text = drawn(b, columns, lines);
			size_t n = 0;

			for (const char *p = text; *p; n++) {
				size_t len = strcspn(p, "\n");

				if (text_columns(p, len) > columns)
					fail_msg("more than %u columns:\n%s", columns, text);
				p += len + 1;
			}
			if (n > lines)
				fail_msg("more than %zu lines:\n%s", lines, text);
			if (lines >= 10 && columns >= 60 && !strstr(text, "timeout/connect"))
				fail_msg("no trouble in %zu lines:\n%s", lines, text);
			if (lines == 10 && columns == 60 &&
			    !strstr(text, "\n  +11 more: 11 healthy\n"))
				fail_msg("what is left out is not told of:\n%s", text);
			if (lines == 2 && columns > 40 &&
			    !strstr(text, "+2 more targets, 1 of them in trouble\n"))
				fail_msg("what is left out is not told of:\n%s", text);
			free(text);
		}
	}
	assert_drawn(b, "\n3 targets: 1 healthy, 1 degraded, 1 undeliverable\n", true);
	board_free(b);
}

/* The list may be another the next time. */
static void test_other_targets(void **state)
{
	struct board *b = board_new(true);
	struct result *r;

	(void)state;
	board_begin(b);
	for (int i = 0; i < 3; i++) {
		r = fake_target(i == 1 ? "b.example" : i ? "c.example" : "a.example", SOURCE_MX);
		fake_endpoint(r, 10, "mx.example", "192.0.2.9");
		r->index = i;
		fake_finish(r);
		board_finished(b, r);
		fake_free(r);
	}
	board_end(b, true);
	r = fake_target("c.example", SOURCE_MX);
	fake_endpoint(r, 10, "mx.example", "192.0.2.9");
	r->index = 1;
	fake_finish(r);
	board_begin(b);
	board_finished(b, r);
	board_end(b, true);
	fake_free(r);
	assert_drawn(b, "a.example", false);
	assert_drawn(b, "b.example", false);
	assert_drawn(b, "c.example   1 MX, 1 endpoint ", true);
	assert_drawn(b, "targets", false);
	board_free(b);
}

static void line_is(struct board *b, struct result *r, const char *wanted)
{
	struct buf line = {0};

	board_begin(b);
	board_finished(b, r);
	board_line(&line, b, r);
	board_end(b, true);
	assert_string_equal(buf_str(&line), wanted);
	buf_fini(&line);
	fake_free(r);
}

static void test_lines(void **state)
{
	struct board *b = board_new(false);
	struct result *r;

	(void)state;
	line_is(b, one(two, 2, CLASS_HEALTHY, 0),
		"2026-11-21T16:31:57Z example.org healthy: 2 of 2 healthy\n");
	line_is(b, one(two, 2, CLASS_TIMEOUT, 1),
		"2026-11-21T16:32:57Z example.org degraded: 1 of 2 healthy, 1 timeout; healthy "
		"before\n");
	line_is(b, one(two, 2, CLASS_TIMEOUT, 2),
		"2026-11-21T16:33:57Z example.org degraded: 1 of 2 healthy, 1 timeout\n");
	r = fake_target("example.org", SOURCE_NULL_MX);
	fake_finish(r);
	line_is(b, r,
		"2026-11-21T16:31:57Z example.org undeliverable: The domain accepts no mail, and "
		"says so (null MX, RFC 7505); degraded before\n");
	board_free(b);
}

#ifdef COUNTS_MEMORY
/* Five thousand rounds, with an address that is new each time: no more memory than two hundred. */
static void test_flat(void **state)
{
	struct board *b = board_new(true);
	size_t early = 0, late;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char *address = xasprintf("10.%d.%d.1", i / 256, i % 256);
		const char *list[] = {address, "192.0.2.2", "192.0.2.3"};

		add_round(b, one(list, 3, i % 3 ? CLASS_HEALTHY : CLASS_EXHAUSTED, i));
		if (i % 16 == 0)
			free(drawn(b, 80, 24));
		free(address);
		if (i == 200)
			early = mallinfo2().uordblks;
	}
	late = mallinfo2().uordblks;
	if (late > early + 16384)
		fail_msg("%zu bytes after 200 rounds, %zu after 5,000", early, late);
	board_free(b);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_strips),    cmocka_unit_test(test_past),
	    cmocka_unit_test(test_gone),      cmocka_unit_test(test_running),
	    cmocka_unit_test(test_all_sizes), cmocka_unit_test(test_other_targets),
	    cmocka_unit_test(test_lines),
#ifdef COUNTS_MEMORY
	    cmocka_unit_test(test_flat),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

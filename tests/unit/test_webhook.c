/* Deliveries: tries, order, ends, against a receiver that misbehaves. */
#include "run/webhook.h"

#include "base/buf.h"
#include "net/http.h"
#include "support/receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
	struct receiver *receiver;
	struct loop *loop;
	struct webhook *hook;
	unsigned delivered, failed;
	char *failure; /* the last */
	struct buf order, tried;
	unsigned kept;       /* that `next` still has */
	unsigned kept_first; /* so many when the first of all was delivered */
	bool one_subject;    /* of all that `next` has */
};

static void on_ended(void *arg, const struct post *post, const char *failure)
{
	struct world *w = arg;

	buf_printf(&w->order, "%s%c ", post->subject, failure ? '-' : '+');
	if (failure) {
		w->failed++;
		free(w->failure);
		w->failure = xstrdup(failure);
	} else if (!w->delivered++) {
		w->kept_first = w->kept;
	}
}

static void on_tried(void *arg, const struct post *post, unsigned n, const char *outcome)
{
	struct world *w = arg;

	(void)post;
	buf_printf(&w->tried, "%u %s; ", n, outcome);
}

static bool on_next(void *arg, struct post *post)
{
	struct world *w = arg;

	if (!w->kept)
		return false;
	w->kept--;
	*post = (struct post){.subject =
				  w->one_subject ? xstrdup("kept") : xasprintf("kept%u", w->kept),
			      .body = xstrdup("{}"),
			      .tag = w->kept + 1};
	return true;
}

/* Long limits where an answer comes, short pauses everywhere. */
static struct webhook_conf patient(void)
{
	struct webhook_conf conf = webhook_conf_default;

	conf.timeout = 60 * USEC_PER_SEC;
	conf.pauses[0] = conf.pauses[1] = USEC_PER_MS;
	return conf;
}

/* With a receiver that answers so. */
static void begin(struct world *w, const struct webhook_conf *conf, const char *const *answers)
{
	const struct webhook_events events = {
	    .next = on_next, .ended = on_ended, .tried = on_tried, .arg = w};
	struct webhook_conf mine = *conf;

	if (!http_available())
		skip();
	*w = (struct world){.receiver = receiver_start(answers), .loop = loop_new()};
	mine.url = w->receiver->url;
	w->hook = webhook_new(w->loop, &mine, &events);
	assert_non_null(w->hook);
}

static void end(struct world *w)
{
	webhook_free(w->hook);
	loop_free(w->loop);
	receiver_free(w->receiver);
	free(w->failure);
	buf_fini(&w->order);
	buf_fini(&w->tried);
}

static void send_to(struct world *w, const char *subject, const char *body)
{
	const struct post post = {.subject = xstrdup(subject), .body = xstrdup(body)};

	webhook_send(w->hook, &post);
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(webhook_conf_default.timeout, 5 * USEC_PER_SEC);
	assert_true(webhook_conf_default.pauses[0] < webhook_conf_default.pauses[1]);
}

/* Each answer: how many tries it gets, and what becomes of it. */
static void answers(void **state)
{
	static const struct {
		const char *answers[4];
		unsigned tries;
		const char *failure; /* a part of the words; NULL: delivered */
		long timeout_ms;     /* 0: long */
	} rows[] = {
	    {{"200"}, 1, NULL, 0},
	    {{"204"}, 1, NULL, 0},
	    {{"202"}, 1, NULL, 0},
	    {{"500", "200"}, 2, NULL, 0},
	    {{"503", "close", "200"}, 3, NULL, 0},
	    {{"500"}, 3, "answered 500 (try 3)", 0},
	    {{"close"}, 3, "(try 3)", 0},
	    {{"half"}, 3, "(try 3)", 0},
	    {{"nonsense"}, 3, "(try 3)", 0},
	    {{"continue"}, 3, "(try 3)", 0},
	    {{"hang"}, 3, "timed out", 300},
	    {{"400"}, 1, "answered 400", 0},
	    {{"404"}, 1, "answered 404", 0},
	    {{"429"}, 1, "answered 429", 0},
	    {{"500", "410"}, 2, "answered 410", 0},
	    {{"301"}, 1, "answered 301, a redirect, which is not followed", 0},
	    {{"307"}, 1, "answered 307, a redirect, which is not followed", 0},
	    /* A head that is whole says it all. */
	    {{"cut"}, 1, NULL, 0},
	    {{"endless"}, 1, NULL, 0},
	    {{"stall"}, 1, NULL, 1000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct webhook_conf conf = patient();
		struct world w;
		struct request first, q;

		if (rows[i].timeout_ms)
			conf.timeout = rows[i].timeout_ms * USEC_PER_MS;
		begin(&w, &conf, rows[i].answers);
		send_to(&w, "example.org", "{\"a\":1}");
		assert_int_equal(w.delivered + w.failed, 0);
		webhook_drain(w.hook, USEC_NEVER);
		if (w.delivered != !rows[i].failure || w.failed != (rows[i].failure != NULL) ||
		    (rows[i].failure && !strstr(w.failure, rows[i].failure)))
			fail_msg("%s: %s", rows[i].answers[0], w.failure ? w.failure : "delivered");
		if (receiver_count(w.receiver) != rows[i].tries)
			fail_msg("%s: %u tries: %s", rows[i].answers[0], receiver_count(w.receiver),
				 buf_str(&w.tried));
		first = receiver_request(w.receiver, 0);
		assert_int_equal(strncmp(first.head, "POST /hook HTTP/1.1\r\n", 21), 0);
		assert_string_equal(request_header(&first, "Content-Type"), "application/json");
		assert_int_equal(strncmp(request_header(&first, "User-Agent"), "mxprobe/", 8), 0);
		assert_null(request_header(&first, "Expect"));
		assert_null(request_header(&first, "X-Mxprobe-Signature"));
		assert_string_equal(first.body, "{\"a\":1}");
		for (unsigned k = 1; k < rows[i].tries; k++) {
			q = receiver_request(w.receiver, k);
			assert_string_equal(q.head, first.head);
			assert_string_equal(q.body, first.body);
			request_fini(&q);
		}
		request_fini(&first);
		end(&w);
	}
}

static void nobody_listens(void **state)
{
	static const char *const ok[] = {"200", NULL};
	struct webhook_conf conf = patient();
	struct world w;

	(void)state;
	begin(&w, &conf, ok);
	receiver_stop(w.receiver);
	send_to(&w, "example.org", "{}");
	webhook_drain(w.hook, USEC_NEVER);
	assert_int_equal(w.failed, 1);
	assert_non_null(strstr(buf_str(&w.tried), "3 "));
	assert_null(strstr(w.failure, "hook"));
	end(&w);
}

static void signature(void **state)
{
	static const char *const ok[] = {"200", NULL};
	static const char secret[] = "s3cr\0et\xFF",
			  body[] = "{\"text\":\"\xC3\xBC \xE2\x80\xA6\"}";
	struct webhook_conf conf = patient();
	struct world w;
	struct request q;

	(void)state;
	conf.secret = secret;
	conf.secret_len = sizeof secret - 1;
	begin(&w, &conf, ok);
	send_to(&w, "example.org", body);
	webhook_drain(w.hook, USEC_NEVER);
	q = receiver_request(w.receiver, 0);
	assert_signed(&q, secret, sizeof secret - 1);
	request_fini(&q);
	end(&w);
}

/* Of one subject only one is under way, in order; others go on beside it. */
static void order(void **state)
{
	static const char *const script[] = {"500", "200", NULL};
	struct webhook_conf conf = patient();
	struct world w;

	(void)state;
	begin(&w, &conf, script);
	send_to(&w, "a", "{\"n\":1}");
	send_to(&w, "a", "{\"n\":2}");
	send_to(&w, "a", "{\"n\":3}");
	webhook_drain(w.hook, USEC_NEVER);
	assert_string_equal(buf_str(&w.order), "a+ a+ a+ ");
	for (unsigned i = 0; i < 4; i++) {
		struct request q = receiver_request(w.receiver, i);
		char body[16];

		(void)snprintf(body, sizeof body, "{\"n\":%u}", i ? i : 1);
		assert_string_equal(q.body, body);
		request_fini(&q);
	}
	assert_int_equal(receiver_count(w.receiver), 4);
	end(&w);
}

/* No more than four at once, and nothing waits for what does not answer. */
static void down(void **state)
{
	static const char *const hang[] = {"hang", NULL};
	struct webhook_conf conf = patient();
	struct world w;

	(void)state;
	conf.timeout = 300 * USEC_PER_MS;
	begin(&w, &conf, hang);
	for (int i = 0; i < 1000; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "t%d", i);
		send_to(&w, name, "{}");
	}
	w.kept = 1000;
	webhook_drain(w.hook, USEC_NEVER);
	/* The four that were under way had their three tries; two more may have begun in between.
	 */
	assert_int_equal(w.failed, 1000);
	assert_int_equal(w.kept, 1000);
	assert_true(receiver_count(w.receiver) <= 3 * 8);
	/* One that is new finds out whether it is still so. */
	w.kept = 3;
	webhook_poke(w.hook);
	webhook_drain(w.hook, USEC_NEVER);
	assert_int_equal(w.kept, 2);
	assert_int_equal(w.failed, 1001);
	end(&w);
}

/* What is kept elsewhere follows by itself, all of it. */
static void kept(void **state)
{
	static const char *const ok[] = {"200", NULL};
	struct webhook_conf conf = patient();
	struct world w;

	(void)state;
	begin(&w, &conf, ok);
	assert_true(webhook_idle(w.hook));
	w.kept = 50;
	webhook_poke(w.hook);
	assert_false(webhook_idle(w.hook));
	webhook_drain(w.hook, USEC_NEVER);
	assert_int_equal(w.delivered, 50);
	assert_int_equal(receiver_count(w.receiver), 50);
	assert_true(webhook_idle(w.hook));
	end(&w);
}

/* While one of a subject is under way the others are left where they are but for a few. */
static void bounded(void **state)
{
	static const char *const ok[] = {"200", NULL};
	struct webhook_conf conf = patient();
	struct world w;

	(void)state;
	conf.most = 10;
	begin(&w, &conf, ok);
	w.one_subject = true;
	w.kept = 40;
	webhook_poke(w.hook);
	webhook_drain(w.hook, USEC_NEVER);
	assert_int_equal(w.delivered, 40);
	assert_in_range(w.kept_first, 30, 39);
	end(&w);
}

/* What would not fit into memory has failed, and is told so. */
static void too_many(void **state)
{
	static const char *const gate[] = {"gate", NULL};
	struct webhook_conf conf = patient();
	struct world w;

	(void)state;
	conf.most = 10;
	begin(&w, &conf, gate);
	for (int i = 0; i < 6; i++)
		send_to(&w, "a", "{}");
	assert_int_equal(w.failed, 0); /* from the loop only */
	receiver_open(w.receiver);
	webhook_drain(w.hook, USEC_NEVER);
	assert_int_equal(w.failed, 1);
	assert_string_equal(w.failure, "too many wait for it");
	assert_int_equal(w.delivered, 5);
	end(&w);
}

/* The loop of a run does not wait for it; a drain does, and no longer than it is told to. */
static void background(void **state)
{
	static const char *const hang[] = {"hang", NULL};
	struct webhook_conf conf = patient();
	struct world w;

	(void)state;
	begin(&w, &conf, hang);
	send_to(&w, "a", "{}");
	send_to(&w, "a", "{}");
	loop_run(w.loop);
	assert_int_equal(w.failed, 0);
	assert_false(webhook_idle(w.hook));
	webhook_drain(w.hook, loop_now(w.loop) + 200 * USEC_PER_MS);
	assert_int_equal(w.failed, 2);
	assert_string_equal(w.failure, "there was no time left");
	assert_true(webhook_idle(w.hook));
	/* Nothing comes of what is dropped. */
	send_to(&w, "a", "{}");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),       cmocka_unit_test(answers),
	    cmocka_unit_test(nobody_listens), cmocka_unit_test(signature),
	    cmocka_unit_test(order),          cmocka_unit_test(down),
	    cmocka_unit_test(kept),           cmocka_unit_test(too_many),
	    cmocka_unit_test(bounded),        cmocka_unit_test(background),
	};

	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

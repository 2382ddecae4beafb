#include "run/webhook.h"

#include "base/buf.h"
#include "base/text.h"
#include "net/digest.h"
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

enum {
	AT_ONCE = 4,
	TRIES = 3,
	/* So many in a row that failed, and it is down: what waits is not worth its tries. */
	FAILURES_MAX = AT_ONCE,
};

const struct webhook_conf webhook_conf_default = {
    .timeout = 5 * USEC_PER_SEC,
    .pauses = {USEC_PER_SEC, 3 * USEC_PER_SEC},
    .most = 64 << 20,
};

struct slot {
	struct webhook *hook;
	struct post post; /* subject NULL: it is free */
	unsigned tries;
	struct http_request *request; /* NULL: waiting for the next try */
	char *signature;
	struct timer pause;
};

struct queued {
	struct queued *next;
	struct post post;
};

struct webhook {
	struct loop *loop;
	struct webhook_conf conf;
	struct webhook_events events;
	struct http *http;
	struct slot slots[AT_ONCE];
	struct queued *queue, **queue_end;
	struct queued *lost; /* for which there is no room; the last one first */
	size_t waiting;      /* octets of bodies in it */
	unsigned failures;
	struct timer turn, limit;
	bool draining, poked;
};

static void post_fini(struct post *p)
{
	free(p->subject);
	free(p->body);
	*p = (struct post){0};
}

static void on_turn(void *arg);
static void on_limit(void *arg);
static void on_pause(void *arg);

struct webhook *webhook_new(struct loop *loop, const struct webhook_conf *conf,
			    const struct webhook_events *events)
{
	struct http *http = http_new(loop);
	struct webhook *w;

	if (!http)
		return NULL;
	http_aside(http);
	w = xcalloc(1, sizeof *w);
	w->loop = loop;
	w->conf = *conf;
	w->events = *events;
	w->http = http;
	w->queue_end = &w->queue;
	for (int i = 0; i < AT_ONCE; i++) {
		w->slots[i].hook = w;
		timer_init(&w->slots[i].pause, loop, on_pause, &w->slots[i]);
		timer_aside(&w->slots[i].pause);
	}
	timer_init(&w->turn, loop, on_turn, w);
	timer_aside(&w->turn);
	timer_init(&w->limit, loop, on_limit, w);
	timer_aside(&w->limit);
	return w;
}

static bool is_free(const struct slot *s)
{
	return !s->post.subject;
}

static void clear(struct slot *s)
{
	post_fini(&s->post);
	free(s->signature);
	s->signature = NULL;
	s->request = NULL;
	timer_at(&s->pause, USEC_NEVER);
}

static struct post unqueue(struct webhook *w, struct queued **place)
{
	struct queued *q = *place;
	struct post post = q->post;

	*place = q->next;
	if (!*place)
		w->queue_end = place;
	w->waiting -= strlen(post.body);
	free(q);
	return post;
}

void webhook_free(struct webhook *w)
{
	if (!w)
		return;
	http_free(w->http); /* its requests, too */
	for (int i = 0; i < AT_ONCE; i++)
		clear(&w->slots[i]);
	while (w->queue) {
		struct post post = unqueue(w, &w->queue);

		post_fini(&post);
	}
	while (w->lost) {
		struct queued *q = w->lost;

		w->lost = q->next;
		post_fini(&q->post);
		free(q);
	}
	timer_fini(&w->turn);
	timer_fini(&w->limit);
	free(w);
}

bool webhook_idle(const struct webhook *w)
{
	for (int i = 0; i < AT_ONCE; i++)
		if (!is_free(&w->slots[i]))
			return false;
	return !w->queue && !timer_is_set(&w->turn);
}

static void turn_soon(struct webhook *w)
{
	timer_soon(&w->turn);
}

/* ---- tries ---- */

static void end(struct webhook *w, struct post *post, const char *failure)
{
	if (w->events.ended)
		w->events.ended(w->events.arg, post, failure);
	post_fini(post);
}

static void fail_queue(struct webhook *w, const char *failure)
{
	while (w->queue) {
		struct post post = unqueue(w, &w->queue);

		end(w, &post, failure);
	}
}

static void fail_lost(struct webhook *w)
{
	while (w->lost) {
		struct queued *q = w->lost;

		w->lost = q->next;
		end(w, &q->post, "too many wait for it");
		free(q);
	}
}

static void end_slot(struct slot *s, const char *failure)
{
	struct webhook *w = s->hook;
	struct post post = s->post;

	s->post = (struct post){0};
	clear(s);
	w->failures = failure ? w->failures + 1 : 0;
	end(w, &post, failure);
	if (w->failures >= FAILURES_MAX)
		fail_queue(w, failure);
	turn_soon(w);
}

/* Another try may help. */
static bool is_passing(const struct http_response *response)
{
	return response->error || response->status / 100 == 5;
}

static void on_done(void *arg, const struct http_response *response)
{
	struct slot *s = arg;
	struct webhook *w = s->hook;
	struct buf words = {0};
	bool good = !response->error && response->status / 100 == 2;

	s->request = NULL;
	if (response->error)
		text_safe(&words, response->error, strlen(response->error));
	else if (response->status / 100 == 3)
		buf_printf(&words, "answered %ld, a redirect, which is not followed",
			   response->status);
	else
		buf_printf(&words, "answered %ld", response->status);
	if (w->events.tried)
		w->events.tried(w->events.arg, &s->post, s->tries, buf_str(&words));
	if (!good && is_passing(response) && s->tries < TRIES) {
		timer_at(&s->pause, loop_now(w->loop) + w->conf.pauses[s->tries - 1]);
	} else {
		if (s->tries > 1)
			buf_printf(&words, " (try %u)", s->tries);
		end_slot(s, good ? NULL : buf_str(&words));
	}
	buf_fini(&words);
}

static void try(struct slot *s)
{
	const char *const headers[] = {"Content-Type: application/json", s->signature, NULL};
	const struct http_post post = {.url = s->hook->conf.url,
				       .headers = headers,
				       .body = s->post.body,
				       .n = strlen(s->post.body),
				       .timeout = s->hook->conf.timeout};

	s->tries++;
	s->request = http_post(s->hook->http, &post, on_done, s);
}

static void on_pause(void *arg)
{
	try(arg);
}

static void begin(struct slot *s, const struct post *post)
{
	const struct webhook_conf *conf = &s->hook->conf;
	char digest[DIGEST_STRLEN];

	s->post = *post;
	s->tries = 0;
	if (conf->secret) {
		digest_hmac(digest, conf->secret, conf->secret_len, post->body, strlen(post->body));
		s->signature = xasprintf("X-Mxprobe-Signature: sha256=%s", digest);
	}
	try(s);
}

/* ---- order ---- */

static bool is_under_way(const struct webhook *w, const char *subject)
{
	for (int i = 0; i < AT_ONCE; i++)
		if (!is_free(&w->slots[i]) && strcmp(w->slots[i].post.subject, subject) == 0)
			return true;
	return false;
}

static void enqueue(struct webhook *w, const struct post *post)
{
	struct queued *q = xcalloc(1, sizeof *q);

	q->post = *post;
	w->waiting += strlen(post->body);
	*w->queue_end = q;
	w->queue_end = &q->next;
}

/* The first that may go: whose subject has none under way, which holds for those behind, too. */
static struct queued **ready(struct webhook *w)
{
	struct queued **place = &w->queue;

	while (*place && is_under_way(w, (*place)->post.subject))
		place = &(*place)->next;
	return *place ? place : NULL;
}

/* Takes one that is kept elsewhere. While the receiver is down those can stay there: one for each
 * that is new finds out whether it still is. */
static bool pull(struct webhook *w)
{
	struct post post;

	if (!w->events.next || w->waiting > w->conf.most ||
	    (w->failures >= FAILURES_MAX && !w->poked))
		return false;
	w->poked = false;
	if (!w->events.next(w->events.arg, &post))
		return false;
	enqueue(w, &post);
	return true;
}

static void on_turn(void *arg)
{
	struct webhook *w = arg;

	fail_lost(w);
	for (int i = 0; i < AT_ONCE; i++) {
		struct queued **place;
		struct post post;

		if (!is_free(&w->slots[i]))
			continue;
		while (!(place = ready(w)) && pull(w))
			;
		if (!place)
			break;
		post = unqueue(w, place);
		begin(&w->slots[i], &post);
	}
	if (w->draining && webhook_idle(w))
		loop_stop(w->loop);
}

void webhook_send(struct webhook *w, const struct post *post)
{
	struct queued *q;

	turn_soon(w);
	if (w->waiting + strlen(post->body) <= w->conf.most) {
		enqueue(w, post);
		return;
	}
	q = xcalloc(1, sizeof *q);
	q->post = *post;
	q->next = w->lost;
	w->lost = q;
	free(q->post.body);
	q->post.body = NULL;
}

void webhook_poke(struct webhook *w)
{
	w->poked = true;
	turn_soon(w);
}

/* ---- the end ---- */

void webhook_give_up(struct webhook *w, const char *why)
{
	for (int i = 0; i < AT_ONCE; i++) {
		struct slot *s = &w->slots[i];

		if (is_free(s))
			continue;
		http_cancel(s->request);
		s->request = NULL;
		end_slot(s, why);
	}
	fail_queue(w, why);
	fail_lost(w);
	timer_at(&w->turn, USEC_NEVER);
	timer_at(&w->limit, USEC_NEVER);
	if (w->draining)
		loop_stop(w->loop);
}

static void on_limit(void *arg)
{
	webhook_give_up(arg, "there was no time left");
}

void webhook_drain(struct webhook *w, usec_t until)
{
	turn_soon(w);
	timer_at(&w->limit, until);
	w->draining = true;
	loop_run_aside(w->loop);
	w->draining = false;
	timer_at(&w->limit, USEC_NEVER);
}

#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Timers are a heap of our own: libevent reads its clock in steps of milliseconds, and a deadline
 * that is pushed back (a session's, at each step) would cost it a removal and an insertion. Here a
 * timer that moves back stays where it is in the heap until its old time comes. */
struct loop {
	struct event_base *base;
	struct event *tick; /* the one libevent timer: the top of the heap */
	usec_t tick_at;     /* what it is set to; USEC_NEVER: not set */
	usec_t recent;
	bool stale; /* `recent` is of before the last wait */
	struct timer **heap;
	size_t n_timers, cap_timers;
	struct timer *soon, **soon_end;
	size_t n_soon;
	size_t n_watches;
	size_t n_aside; /* of the timers that are set: those that nobody waits for */
	short flags;    /* of every watch's event */
	bool edge, stopped;
	unsigned calls; /* call-backs of watches so far: has a turn done anything? */
	unsigned pause; /* what `calls` is when work that was put off has its turn */
	bool draining;  /* there is none before all sockets were read */
};

struct watch {
	struct loop *loop;
	struct event *event;
	void (*ready)(void *arg, unsigned ready);
	void *arg;
	unsigned want;
	int fd;
	bool level;
	bool aside; /* is not in loop.n_watches */
};

struct loop_signal {
	struct event *event;
	void (*got)(void *arg);
	void *arg;
};

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd, (void)what;
	loop->tick_at = USEC_NEVER;
}

/* It has words of its own for what we tell in ours. */
static void on_words(int severity, const char *words)
{
	(void)severity, (void)words;
}

static _Noreturn void cannot_wait(void)
{
	cannot_go_on("cannot wait for anything to happen", strerror(errno));
}

/* It would end the program without a word, with exit 1. */
static void on_fatal(int err)
{
	(void)err; /* an exit status */
	cannot_wait();
}

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof *loop);
	struct event_config *config;
	int features;

	event_set_mem_functions(xmalloc, xrealloc, free);
	event_set_log_callback(on_words);
	event_set_fatal_callback(on_fatal);
	config = event_config_new(); /* fails only without memory, as do events */
	(void)event_config_set_flag(config,
				    EVENT_BASE_FLAG_NOLOCK); /* a hint; there are no threads */
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!loop->base)
		cannot_wait();
	features = event_base_get_features(loop->base);
	loop->edge = features & EV_FEATURE_ET;
	loop->flags = EV_PERSIST | (loop->edge ? EV_ET : 0);
	if (features & EV_FEATURE_EARLY_CLOSE)
		loop->flags |= EV_CLOSED;
	loop->tick = evtimer_new(loop->base, on_tick, loop);
	loop->tick_at = USEC_NEVER;
	loop->recent = loop_now(loop);
	loop->soon_end = &loop->soon;
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (size_t i = 0; i < loop->n_timers; i++)
		loop->heap[i]->at = 0;
	for (struct timer *t = loop->soon; t; t = t->next)
		t->place = NULL;
	event_free(loop->tick);
	event_base_free(loop->base);
	free(loop->heap);
	free(loop);
}

usec_t loop_now(struct loop *loop)
{
	struct timespec ts;

	(void)loop;                                /* a loop of tests may have a clock of its own */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (usec_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

usec_t loop_recent(struct loop *loop)
{
	if (loop->stale)
		loop->recent = loop_now(loop);
	loop->stale = false;
	return loop->recent;
}

bool loop_must_drain(const struct loop *loop)
{
	return loop->edge && !(loop->flags & EV_CLOSED);
}

/* Descriptors */

/* Thousands may be ready at once. Those that are left have their turn in the next one. */
static void pause_at_times(struct loop *loop)
{
	loop->calls++;
	if (loop->calls >= loop->pause && loop->n_soon && !loop->draining)
		(void)event_base_loopbreak(loop->base); /* fails only without a base */
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	unsigned ready = 0;

	(void)fd;
	if (what & EV_READ)
		ready |= READY_READ;
	if (what & EV_WRITE)
		ready |= READY_WRITE;
	if (what & EV_CLOSED)
		ready |= READY_READ | READY_EOF;
	pause_at_times(w->loop);
	w->ready(w->arg, ready);
}

static void set_event(struct watch *w)
{
	short interest =
	    (short)((w->want & READY_READ ? EV_READ : 0) | (w->want & READY_WRITE ? EV_WRITE : 0));
	short flags = w->level ? EV_PERSIST : w->loop->flags;

	if (!interest)
		return;
	w->event = event_new(w->loop->base, w->fd, (short)(flags | interest), on_ready, w);
	if (event_add(w->event, NULL) != 0)
		cannot_wait(); /* no more can be waited for than the system allows */
}

static struct watch *add_watch(struct loop *loop, int fd, void (*ready)(void *arg, unsigned ready),
			       void *arg, unsigned want, bool level)
{
	struct watch *w = xcalloc(1, sizeof *w);

	*w = (struct watch){
	    .loop = loop, .ready = ready, .arg = arg, .want = want, .fd = fd, .level = level};
	set_event(w);
	loop->n_watches++;
	return w;
}

struct watch *watch_new(struct loop *loop, int fd, void (*ready)(void *arg, unsigned ready),
			void *arg)
{
	return add_watch(loop, fd, ready, arg, READY_READ | READY_WRITE, !loop->edge);
}

struct watch *watch_new_level(struct loop *loop, int fd, void (*ready)(void *arg, unsigned ready),
			      void *arg)
{
	return add_watch(loop, fd, ready, arg, 0, true);
}

void watch_want(struct watch *w, unsigned want)
{
	/* Edges tell of changes only: there, interest in everything costs nothing. */
	if (!w->level || want == w->want)
		return;
	w->want = want;
	if (w->event)
		event_free(w->event);
	w->event = NULL;
	set_event(w);
}

void watch_aside(struct watch *w)
{
	if (!w->aside)
		w->loop->n_watches--;
	w->aside = true;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	if (w->event)
		event_free(w->event);
	if (!w->aside)
		w->loop->n_watches--;
	free(w);
}

/* Timers: a binary heap by `queued`. */

static void heap_set(struct loop *loop, size_t i, struct timer *t)
{
	loop->heap[i] = t;
	t->at = i + 1;
}

static void sift_up(struct loop *loop, size_t i, struct timer *t)
{
	while (i) {
		size_t parent = (i - 1) / 2;

		if (loop->heap[parent]->queued <= t->queued)
			break;
		heap_set(loop, i, loop->heap[parent]);
		i = parent;
	}
	heap_set(loop, i, t);
}

static void sift_down(struct loop *loop, size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= loop->n_timers)
			break;
		if (child + 1 < loop->n_timers &&
		    loop->heap[child + 1]->queued < loop->heap[child]->queued)
			child++;
		if (t->queued <= loop->heap[child]->queued)
			break;
		heap_set(loop, i, loop->heap[child]);
		i = child;
	}
	heap_set(loop, i, t);
}

static void heap_remove(struct timer *t)
{
	struct loop *loop = t->loop;
	size_t i = t->at - 1;
	struct timer *last = loop->heap[--loop->n_timers];

	t->at = 0;
	loop->n_aside -= t->aside;
	if (last == t)
		return;
	last->at = 0;
	if (i && loop->heap[(i - 1) / 2]->queued > last->queued)
		sift_up(loop, i, last);
	else
		sift_down(loop, i, last);
}

static void soon_remove(struct timer *t)
{
	struct loop *loop = t->loop;

	if (!t->place)
		return;
	*t->place = t->next;
	if (t->next)
		t->next->place = t->place;
	else
		loop->soon_end = t->place;
	t->place = NULL;
	loop->n_soon--;
	loop->n_aside -= t->aside;
}

void timer_init(struct timer *t, struct loop *loop, void (*fire)(void *arg), void *arg)
{
	*t = (struct timer){.loop = loop, .fire = fire, .arg = arg, .when = USEC_NEVER};
}

void timer_at(struct timer *t, usec_t when)
{
	struct loop *loop = t->loop;

	t->when = when;
	soon_remove(t);
	if (when == USEC_NEVER) {
		if (t->at)
			heap_remove(t);
		return;
	}
	if (t->at) {
		if (when < t->queued) {
			t->queued = when;
			sift_up(loop, t->at - 1, t);
		}
		return; /* later than queued: it moves when its old time comes */
	}
	if (loop->n_timers == loop->cap_timers) {
		loop->cap_timers = loop->cap_timers ? loop->cap_timers * 2 : 64;
		loop->heap = xreallocarray(loop->heap, loop->cap_timers, sizeof *loop->heap);
	}
	t->queued = when;
	loop->n_aside += t->aside;
	sift_up(loop, loop->n_timers++, t);
}

void timer_soon(struct timer *t)
{
	struct loop *loop = t->loop;

	if (t->place)
		return;
	if (t->at)
		heap_remove(t);
	t->when = 0;
	t->next = NULL;
	t->place = loop->soon_end;
	*loop->soon_end = t;
	loop->soon_end = &t->next;
	loop->n_soon++;
	loop->n_aside += t->aside;
}

void timer_fini(struct timer *t)
{
	if (t->at)
		heap_remove(t);
	soon_remove(t);
}

void timer_aside(struct timer *t)
{
	t->aside = true;
}

/* The next timer to fire that was due at `now`, taken off the heap; NULL when there is none. */
static struct timer *next_due(struct loop *loop, usec_t now)
{
	while (loop->n_timers && loop->heap[0]->queued <= now) {
		struct timer *t = loop->heap[0];

		if (t->queued == t->when) {
			heap_remove(t);
			return t;
		}
		t->queued = t->when;
		sift_down(loop, 0, t);
	}
	return NULL;
}

/* Signals */

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)fd, (void)what;
	s->got(s->arg);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signum, void (*got)(void *arg),
				    void *arg)
{
	struct loop_signal *s = xcalloc(1, sizeof *s);

	s->got = got;
	s->arg = arg;
	s->event = evsignal_new(loop->base, signum, on_signal, s);
	if (event_add(s->event, NULL) != 0)
		cannot_wait();
	return s;
}

void loop_signal_free(struct loop_signal *s)
{
	if (!s)
		return;
	event_free(s->event);
	free(s);
}

/* Turning */

/* Sets libevent's timer to the top of the heap, when that has changed. */
static void set_tick(struct loop *loop, usec_t now)
{
	usec_t top = loop->n_timers ? loop->heap[0]->queued : USEC_NEVER, left;
	struct timeval tv;

	if (top == loop->tick_at)
		return;
	if (top == USEC_NEVER) {
		(void)evtimer_del(loop->tick); /* deleting cannot fail */
	} else {
		left = top > now ? top - now : 0;
		tv.tv_sec = (time_t)(left / USEC_PER_SEC);
		tv.tv_usec = (suseconds_t)(left % USEC_PER_SEC);
		(void)evtimer_add(loop->tick, &tv); /* fails only without memory */
	}
	loop->tick_at = top;
}

static bool is_due(const struct loop *loop, usec_t now)
{
	return loop->n_timers && loop->heap[0]->queued <= now;
}

/* Those that are there now: what comes up meanwhile has its turn when sockets had theirs. */
static void fire_soon(struct loop *loop)
{
	for (size_t n = loop->n_soon; n && loop->soon && !loop->stopped; n--) {
		struct timer *t = loop->soon;

		soon_remove(t);
		t->fire(t->arg);
	}
}

static size_t n_wanted(const struct loop *loop, bool all)
{
	return loop->n_watches + loop->n_timers + loop->n_soon - (all ? 0 : loop->n_aside);
}

static void run(struct loop *loop, bool all)
{
	enum { PASSES = 64, BATCH = 1000 };

	loop->stopped = false;
	while (!loop->stopped && n_wanted(loop, all)) {
		usec_t now = loop_now(loop);
		bool looked = loop->n_soon || is_due(loop, now); /* without waiting */
		unsigned calls = loop->calls;
		struct timer *t;

		if (!looked)
			set_tick(loop, now);
		loop->stale = true;
		loop->pause = loop->calls + BATCH;
		if (event_base_loop(loop->base, looked ? EVLOOP_NONBLOCK : EVLOOP_ONCE) < 0)
			break;
		loop->stale = true;
		fire_soon(loop);
		now = loop_recent(loop);
		if (loop->stopped || !is_due(loop, now))
			continue;
		/* Something is due. What was answered by now must be read first. */
		loop->draining = true;
		for (int i = 0; i < PASSES && !loop->stopped && (!looked || calls != loop->calls);
		     i++) {
			calls = loop->calls;
			looked = true;
			if (event_base_loop(loop->base, EVLOOP_NONBLOCK) < 0)
				break;
		}
		loop->draining = false;
		while (!loop->stopped && (t = next_due(loop, now)) != NULL)
			t->fire(t->arg);
	}
}

void loop_run(struct loop *loop)
{
	run(loop, false);
}

void loop_run_aside(struct loop *loop)
{
	run(loop, true);
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	(void)event_base_loopbreak(loop->base); /* fails only without a base */
}

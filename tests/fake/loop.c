/* The loop of net/loop.h on a clock of its own. Descriptors are real; when none of them is ready
 * and no timer is due, time jumps to the next timer: a limit of 30 s takes none. A program that has
 * this object gets it instead of the one in the library.
 *
 * Edge-triggered like the real one where that is, since edges are where streams go wrong. */
#include "fake/loop.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <unistd.h>
#endif

/* Real time that loopback may take from one socket to the other on a machine that is busy, before
 * the clock jumps over it. */
enum { IN_FLIGHT_MS = 50 };

struct watch {
	struct loop *loop;
	struct watch *next, **place;
	int fd;
	unsigned want;
	bool level, called; /* called: in this turn */
	bool aside;
	void (*ready)(void *arg, unsigned ready);
	void *arg;
};

struct loop {
	usec_t now;
	struct watch *watches;
	struct timer **timers; /* in the order in which they were set */
	size_t n_timers;
	int epoll;
	bool stopped;
};

struct loop_signal {
	int signum;
};

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof *loop);

	loop->now = 1000 * USEC_PER_SEC;
#ifdef __linux__
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		abort();
#endif
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->watches)
		abort(); /* somebody has forgotten a descriptor */
#ifdef __linux__
	(void)close(loop->epoll); /* nothing was written to it */
#endif
	for (size_t i = 0; i < loop->n_timers; i++)
		loop->timers[i]->at = 0;
	free(loop->timers);
	free(loop);
}

usec_t loop_now(struct loop *loop)
{
	return loop->now;
}

usec_t loop_recent(struct loop *loop)
{
	return loop->now;
}

void fake_pass(struct loop *loop, usec_t span)
{
	loop->now += span;
}

size_t fake_watches(const struct loop *loop)
{
	size_t n = 0;

	for (const struct watch *w = loop->watches; w; w = w->next)
		n++;
	return n;
}

size_t fake_timers(const struct loop *loop)
{
	return loop->n_timers;
}

bool loop_must_drain(const struct loop *loop)
{
	(void)loop;
	return false;
}

/* Descriptors */

#ifdef __linux__
static void set(struct watch *w, int operation)
{
	struct epoll_event e = {.data.ptr = w, .events = EPOLLRDHUP};

	e.events |= w->want & READY_READ ? EPOLLIN : 0;
	e.events |= w->want & READY_WRITE ? EPOLLOUT : 0;
	e.events |= w->level ? 0 : EPOLLET;
	if (epoll_ctl(w->loop->epoll, operation, w->fd, &e) != 0)
		abort(); /* a descriptor that is not open: a fault of its owner */
}
#else
enum { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL };
static void set(struct watch *w, int operation)
{
	(void)w, (void)operation;
}
#endif

static struct watch *add(struct loop *loop, int fd, void (*ready)(void *arg, unsigned ready),
			 void *arg, unsigned want, bool level)
{
	struct watch *w = xcalloc(1, sizeof *w);

	*w = (struct watch){
	    .loop = loop, .fd = fd, .want = want, .level = level, .ready = ready, .arg = arg};
	w->place = &loop->watches;
	w->next = loop->watches;
	if (w->next)
		w->next->place = &w->next;
	loop->watches = w;
	set(w, EPOLL_CTL_ADD);
	return w;
}

struct watch *watch_new(struct loop *loop, int fd, void (*ready)(void *arg, unsigned ready),
			void *arg)
{
	return add(loop, fd, ready, arg, READY_READ | READY_WRITE, false);
}

struct watch *watch_new_level(struct loop *loop, int fd, void (*ready)(void *arg, unsigned ready),
			      void *arg)
{
	return add(loop, fd, ready, arg, 0, true);
}

void watch_want(struct watch *w, unsigned want)
{
	if (!w->level) /* edges tell of everything */
		return;
	w->want = want;
	set(w, EPOLL_CTL_MOD);
}

void watch_aside(struct watch *w)
{
	w->aside = true;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	set(w, EPOLL_CTL_DEL);
	*w->place = w->next;
	if (w->next)
		w->next->place = w->place;
	free(w);
}

/* Calls one that is ready; false: none is. One at a time, since any call may free any other. */
#ifdef __linux__
static bool turn(struct loop *loop, int wait_ms)
{
	struct epoll_event e;
	struct watch *w;
	unsigned ready = 0;

	if (!loop->watches || epoll_wait(loop->epoll, &e, 1, wait_ms) < 1)
		return false;
	w = e.data.ptr;
	ready |= e.events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? READY_READ : 0;
	ready |= e.events & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? READY_WRITE : 0;
	ready |= e.events & EPOLLRDHUP ? READY_READ | READY_EOF : 0;
	w->ready(w->arg, ready);
	return true;
}
#else
static bool turn(struct loop *loop, int wait_ms)
{
	for (struct watch *w = loop->watches; w; w = w->next) {
		struct pollfd p = {.fd = w->fd};
		unsigned ready = 0;

		p.events |= w->want & READY_READ ? POLLIN : 0;
		p.events |= w->want & READY_WRITE ? POLLOUT : 0;
		if (poll(&p, 1, w->next ? 0 : wait_ms) < 1)
			continue;
		ready |= p.revents & (POLLIN | POLLERR | POLLHUP) ? READY_READ : 0;
		ready |= p.revents & (POLLOUT | POLLERR | POLLHUP) ? READY_WRITE : 0;
		w->ready(w->arg, ready);
		return true;
	}
	return false;
}
#endif

/* Timers */

void timer_init(struct timer *t, struct loop *loop, void (*fire)(void *arg), void *arg)
{
	*t = (struct timer){.loop = loop, .fire = fire, .arg = arg, .when = USEC_NEVER};
}

void timer_fini(struct timer *t)
{
	struct loop *loop = t->loop;

	if (!t->at)
		return;
	memmove(&loop->timers[t->at - 1], &loop->timers[t->at],
		(loop->n_timers - t->at) * sizeof(struct timer *));
	loop->n_timers--;
	for (size_t i = t->at - 1; i < loop->n_timers; i++)
		loop->timers[i]->at = i + 1;
	t->at = 0;
}

void timer_aside(struct timer *t)
{
	t->aside = true;
}

void timer_at(struct timer *t, usec_t when)
{
	struct timer **place;

	timer_fini(t);
	t->when = when;
	if (when == USEC_NEVER)
		return;
	place = ARRAY_ADD(t->loop->timers, t->loop->n_timers);
	*place = t;
	t->at = t->loop->n_timers;
}

void timer_soon(struct timer *t)
{
	timer_at(t, t->loop->now);
}

static struct timer *first_timer(const struct loop *loop)
{
	struct timer *first = NULL;

	for (size_t i = 0; i < loop->n_timers; i++)
		if (!first || loop->timers[i]->when < first->when)
			first = loop->timers[i];
	return first;
}

/* Signals do not come by themselves here. */
struct loop_signal *loop_signal_new(struct loop *loop, int signum, void (*got)(void *arg),
				    void *arg)
{
	struct loop_signal *s = xcalloc(1, sizeof *s);

	(void)loop, (void)got, (void)arg;
	s->signum = signum;
	return s;
}

void loop_signal_free(struct loop_signal *s)
{
	free(s);
}

static bool is_wanted(const struct loop *loop, bool all)
{
	for (const struct watch *w = loop->watches; w; w = w->next)
		if (!w->aside)
			return true;
	for (size_t i = 0; i < loop->n_timers; i++)
		if (all || !loop->timers[i]->aside)
			return true;
	return false;
}

static void run(struct loop *loop, bool all)
{
	loop->stopped = false;
	while (!loop->stopped && is_wanted(loop, all)) {
		struct timer *t = first_timer(loop);
		bool due = t && t->when <= loop->now;

		if (turn(loop, due ? 0 : IN_FLIGHT_MS))
			continue;
		if (!t)
			return; /* nothing will ever happen again */
		if (t->when > loop->now)
			loop->now = t->when;
		timer_fini(t);
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
}

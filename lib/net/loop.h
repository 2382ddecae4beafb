/* The event loop: descriptors, timers, signals, the clock. The only room that knows libevent.
 *
 * Call-backs come only from loop_run, never from inside another function of this header. Any object
 * may be freed from any call-back, its own included; a freed one is never called again. */
#ifndef MXPROBE_LOOP_H
#define MXPROBE_LOOP_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>

struct loop;
struct watch;
struct loop_signal;

struct loop *loop_new(void);
void loop_free(
    struct loop *); /* every watch and signal has been freed; timers are just forgotten */

/* Runs until loop_stop, or until there is nothing left to wait for (signals and what stands aside
 * do not count). Reads
 * sockets before it fires timers, so that a loop that was held up does not call an answer late that
 * has long been in its socket. */
void loop_run(struct loop *);
void loop_run_aside(struct loop *); /* the same, and waits for timers that stand aside, too */
void loop_stop(struct loop *);

/* CLOCK_MONOTONIC, in microseconds, read now. */
usec_t loop_now(struct loop *);
/* The same as it was read in this turn: nearly now, and nearly for nothing. */
usec_t loop_recent(struct loop *);

/* What a watch is ready for. */
enum {
	READY_READ = 1,
	READY_WRITE = 2,
	READY_EOF = 4, /* the peer has ended its side: read until read() says 0 or fails */
};

/* Watches a descriptor, which stays the caller's and is closed after watch_free. Edge-triggered
 * where the system can: at a call-back read until a short read (until EAGAIN when
 * loop_must_drain), and write until EAGAIN. Interest begins as READY_READ | READY_WRITE. */
struct watch *watch_new(struct loop *, int fd, void (*ready)(void *arg, unsigned ready), void *arg);
/* The same, level-triggered everywhere, for libraries that want it so. Interest begins as none. */
struct watch *watch_new_level(struct loop *, int fd, void (*ready)(void *arg, unsigned ready),
			      void *arg);
void watch_want(struct watch *, unsigned want); /* needed by level-triggered systems, else free */
/* It does not count: when it is all that is left to wait for, loop_run returns, as with signals. */
void watch_aside(struct watch *);
void watch_free(struct watch *);
bool loop_must_drain(const struct loop *);

/* A timer is embedded in its owner: timer_init, then timer_at any number of times. USEC_NEVER
 * disarms. It fires once for each arming, at or after `when` on loop_now's clock. */
struct timer {
	struct loop *loop;
	void (*fire)(void *arg);
	void *arg;
	usec_t when;                 /* what the owner asked for */
	usec_t queued;               /* its key in the heap: when, or earlier */
	size_t at;                   /* index in the heap + 1; 0: not there */
	struct timer *next, **place; /* among those that are soon; place NULL: it is not */
	bool aside;
};

void timer_init(struct timer *, struct loop *, void (*fire)(void *arg), void *arg);
void timer_at(struct timer *, usec_t when);
/* In the turn that follows, before timers that wait for their time, and though there may be more to
 * read: for work that was put off only because it must not be done inside a caller. */
void timer_soon(struct timer *);
static inline bool timer_is_set(const struct timer *t)
{
	return t->at || t->place;
}
void timer_fini(struct timer *);
void timer_aside(struct timer *); /* after timer_init: loop_run does not wait for it */

struct loop_signal *loop_signal_new(struct loop *, int signum, void (*got)(void *arg), void *arg);
void loop_signal_free(struct loop_signal *);

#endif

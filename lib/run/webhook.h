/* POSTs to one URL: a few at once, each tried three times, in the background of the loop. What it
 * is given it takes in order, and no two for one subject are under way at the same time. */
#ifndef MXPROBE_WEBHOOK_H
#define MXPROBE_WEBHOOK_H

#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct webhook;

/* What is to be sent. Both texts are allocated, and the webhook's once it has them. */
struct post {
	char *subject; /* a target: for the order, and for whoever is told of the outcome */
	char *body;    /* JSON */
	int64_t tag;   /* the caller's */
};

struct webhook_conf {
	const char *url;    /* the caller's while the webhook lives */
	const char *secret; /* to sign with, likewise; NULL: no signature */
	size_t secret_len;
	usec_t timeout;   /* of each try */
	usec_t pauses[2]; /* before the second and the third */
	size_t most;      /* octets of bodies that may wait; what is more has failed */
};
extern const struct webhook_conf webhook_conf_default; /* without URL and secret */

struct webhook_events {
	/* Asked whenever there is room: one that is kept elsewhere; false: there is none. NULL:
	 * none ever. */
	bool (*next)(void *arg, struct post *);
	/* How a post ended; `failure` in words, safe to show, NULL: it was delivered. Valid during
	 * the call. */
	void (*ended)(void *arg, const struct post *, const char *failure);
	/* After each try, for a log; NULL: not wanted. */
	void (*tried)(void *arg, const struct post *, unsigned n, const char *outcome);
	void *arg;
};

/* NULL: there is no libcurl. */
struct webhook *webhook_new(struct loop *, const struct webhook_conf *,
			    const struct webhook_events *);
void webhook_free(struct webhook *); /* what is still open is dropped without a word */

void webhook_send(struct webhook *, const struct post *);
void webhook_poke(struct webhook *); /* `next` has one */
bool webhook_idle(const struct webhook *);

/* Runs the loop until all has ended, or `until` comes: what is then open has failed. */
void webhook_drain(struct webhook *, usec_t until);
/* The same at once, from a call-back. */
void webhook_give_up(struct webhook *, const char *why);

#endif

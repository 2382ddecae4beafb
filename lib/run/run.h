/* A run: targets in, finished results out. Expands each target through the DNS, has its endpoints
 * contacted, judges. The data goes one way; a finished target is handed on and forgotten. */
#ifndef MXPROBE_RUN_H
#define MXPROBE_RUN_H

#include "dns/mx.h"
#include "dns/resolver.h"
#include "judge/result.h"
#include "net/loop.h"
#include "run/contacts.h"

struct run;

struct run_conf {
	struct session_conf session;   /* helo and from are shown in the results, too; its `gate`
					  is set by run_new */
	struct contacts_conf contacts; /* its `session` is set by run_new */
	struct resolver_conf resolver;
	unsigned families; /* MX_IPV4, MX_IPV6 */
	uint16_t port;     /* where a target names none */
	bool public_only;
	bool mta_sts;        /* fetch and apply the domains' policies */
	uint16_t https_port; /* where they are fetched: 443 */
	int expiry_days;     /* warn of certificates that are good for fewer days */
	unsigned senders;    /* 1u << enum sender */
	usec_t deadline;     /* span from run_new; USEC_NEVER: none */
	bool live;           /* keep live_phase of the contacts up to date */
};

struct run_events {
	/* DNS has answered: hosts and endpoints are there, nothing is judged. The result stays
	 * until it is finished. NULL: not wanted. */
	void (*planned)(void *arg, const struct result *);
	/* Finished: valid during the call only. Whose it is may add what the history says. */
	void (*finished)(void *arg, struct result *);
	/* There is room for more targets, after run_is_full was true. */
	void (*hungry)(void *arg);
	void *arg;
};

struct run *run_new(struct loop *, const struct run_conf *, const struct run_events *);
void run_free(struct run *);
/* In place of run_free, at the end of the program, for a run that came to its own end: closes its
 * descriptors and leaves its memory to the system. */
void run_leave(struct run *);

/* Adds one target as given by the user, without blanks around it; any octets. One that cannot be
 * read comes back as a result with an error. Results come from the loop, never from inside this
 * function. */
void run_add(struct run *, const char *text, size_t n);

/* The same for the control target, before any other: a target known to work. Its result comes
 * first, with index -1. When it is failing, undeliverable or unknown, each target that is not
 * healthy is unknown, too: the fault is here. */
void run_add_control(struct run *, const char *text, size_t n);

/* No more targets come: the loop runs out of work when the last one is finished. */
void run_close(struct run *);

/* Enough is under way: more is better added when some of it has ended. */
bool run_is_full(const struct run *);

/* Finishes all at once with what is known: why is END_INTERRUPTED or END_DEADLINE. Targets added
 * later end so, too. */
void run_stop(struct run *, enum end why);
enum end run_stopped(const struct run *); /* END_NONE: it is not */

#endif

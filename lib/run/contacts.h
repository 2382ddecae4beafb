/* All addresses of a run, each contacted once however many targets lead to it: starts the sessions,
 * as many at once as the schedule allows, and keeps what they came to. */
#ifndef MXPROBE_CONTACTS_H
#define MXPROBE_CONTACTS_H

#include "judge/result.h"
#include "net/loop.h"
#include "smtp/session.h"

struct contacts;

struct contacts_conf {
	const struct session_conf *session;
	unsigned repeat;      /* sessions to each */
	usec_t interval;      /* pause between two of them */
	unsigned jobs;        /* sessions open at once */
	unsigned per_address; /* of them to one address */
	double rate;          /* new ones a second; 0: no limit */
	bool by_name; /* the TLS name matters: one address under two names is two contacts */
};

struct contacts *contacts_new(struct loop *, const struct contacts_conf *);
void contacts_free(struct contacts *); /* with all contacts; sessions are dropped */

/* A server that says 421, or that there are too many connections, is not contacted again in the
 * run: sessions left to it are not held, and other contacts at its address get no session. At the
 * same port what it has said is theirs, too; at another they end as END_LIMIT. */

/* The contact of a peer, made and queued if it is new; what the peer points to is copied. Lives
 * until contacts_free. While its state is not CONTACT_DONE, `done` will come once, from the loop or
 * from contacts_stop; else it never comes. */
const struct contact *contacts_want(struct contacts *, const struct peer *, void (*done)(void *arg),
				    void *arg);

/* Ends everything that is not done as `why` (END_DEADLINE, END_INTERRUPTED), and what is wanted
 * from now on. */
void contacts_stop(struct contacts *, enum end why);

/* Brings live_phase of the running ones up to date. */
void contacts_refresh(struct contacts *);

#endif

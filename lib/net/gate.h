/* Who may begin something now that takes much processor time: TLS handshakes. Ten thousand begun at
 * once would take seconds of it, and each would look as slow as all of them together. Here they
 * begin in the order of their coming, so many in a turn of the loop: what the servers of those
 * before them have answered is read first. And no more are under way than one that is slow by
 * itself can take. */
#ifndef MXPROBE_GATE_H
#define MXPROBE_GATE_H

#include "net/loop.h"

#include <stdbool.h>

enum { GATE_MOST = 512, GATE_A_TURN = 16 };

struct gate;

enum gate_state { GATE_OUTSIDE, GATE_WAITING, GATE_INSIDE };

/* Embedded in its owner; all zero: outside. */
struct gate_ticket {
	struct gate *gate;
	enum gate_state state;
	struct gate_ticket *next, **place;
	void (*enter)(void *arg);
	void *arg;
};

struct gate *gate_new(struct loop *);
void gate_free(struct gate *); /* everybody has left */

/* True: go on at once. Else `enter` comes once, from the loop, unless it leaves before. */
bool gate_enter(struct gate *, struct gate_ticket *, void (*enter)(void *arg), void *arg) MUSTCHECK;
void gate_leave(struct gate_ticket *); /* done, or no longer wanted; outside is taken, too */

#endif

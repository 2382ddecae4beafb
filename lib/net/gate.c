#include "net/gate.h"

#include <stdlib.h>

struct gate {
	struct loop *loop;
	struct timer turn; /* armed while somebody waits, and in the turn after a beginning */
	struct gate_ticket *waiting, **waiting_end;
	unsigned inside;
	unsigned begun; /* since the turn's timer was last served */
};

static void on_turn(void *arg);

struct gate *gate_new(struct loop *loop)
{
	struct gate *g = xcalloc(1, sizeof *g);

	g->loop = loop;
	g->waiting_end = &g->waiting;
	timer_init(&g->turn, loop, on_turn, g);
	return g;
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	timer_fini(&g->turn);
	free(g);
}

static bool has_room(const struct gate *g)
{
	return g->inside < GATE_MOST && g->begun < GATE_A_TURN;
}

static void go_in(struct gate *g, struct gate_ticket *t)
{
	t->state = GATE_INSIDE;
	g->inside++;
	/* Timers fire after the sockets were read: then others may begin. */
	if (!g->begun++)
		timer_soon(&g->turn);
}

static void unlink_ticket(struct gate *g, struct gate_ticket *t)
{
	*t->place = t->next;
	if (t->next)
		t->next->place = t->place;
	else
		g->waiting_end = t->place;
}

static void on_turn(void *arg)
{
	struct gate *g = arg;
	struct gate_ticket *t;

	g->begun = 0;
	while ((t = g->waiting) != NULL && has_room(g)) {
		unlink_ticket(g, t);
		go_in(g, t);
		t->enter(t->arg);
	}
}

bool gate_enter(struct gate *g, struct gate_ticket *t, void (*enter)(void *arg), void *arg)
{
	*t = (struct gate_ticket){.gate = g, .enter = enter, .arg = arg};
	if (!g->waiting && has_room(g)) {
		go_in(g, t);
		return true;
	}
	t->state = GATE_WAITING;
	t->place = g->waiting_end;
	*g->waiting_end = t;
	g->waiting_end = &t->next;
	return false;
}

void gate_leave(struct gate_ticket *t)
{
	struct gate *g = t->gate;

	if (t->state == GATE_WAITING)
		unlink_ticket(g, t);
	if (t->state == GATE_INSIDE) {
		g->inside--;
		if (g->waiting)
			timer_soon(&g->turn);
	}
	t->state = GATE_OUTSIDE;
}

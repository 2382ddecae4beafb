/* A week of msn.com as it was in January 2006, as a history for the pictures in README.md: every
 * five minutes sixteen endpoints, of which one is dead from the third day on, and one is out of
 * memory now and then, more often from day to day.
 *
 *   story FILE
 */
#include "history/history.h"
#include "support/results.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STEP_S = 300, DAYS = 7, RUNS = DAYS * 86400 / STEP_S, DEAD = 14, FULL = 15 };

/* The same story every time (xorshift). */
static unsigned draw(unsigned below)
{
	static uint64_t random = 88172645463325252;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return (unsigned)((random >> 20) % below);
}

static struct contact *contact(struct result *r, int i)
{
	return (struct contact *)(uintptr_t)r->endpoints[i].contact; /* it is ours */
}

/* Near what fake_msn says, slower in the afternoon, and now and then much slower. */
static void vary(struct contact *c, int hour)
{
	usec_t *const spans[] = {&c->timing.connect, &c->timing.banner, &c->timing.ehlo,
				 &c->timing.mail};
	unsigned load = hour >= 12 && hour < 20 ? 140 : 100;

	if (c->class == CLASS_TIMEOUT)
		return;
	c->timing.total = 0;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		if (*spans[i] == USEC_NONE)
			continue;
		*spans[i] = *spans[i] * (int)(load - 20 + draw(60)) / 100;
		if (!draw(80))
			*spans[i] *= 2 + (int)draw(5);
		c->timing.total += *spans[i];
	}
	c->timing.first_byte = c->timing.banner - 900;
}

static void heal(struct contact *c)
{
	fake_end(c, CLASS_HEALTHY, REASON_OK, PHASE_MAIL, END_REPLY, 60000);
	fake_sessions(c, 1, 1);
	fake_reply(c, 250, "2.1.0 Sender OK");
}

static void add_run(struct history *h, int64_t at, int run)
{
	struct result *r = fake_msn();
	int day = run / (RUNS / DAYS), hour = (int)(at / 3600 % 24);
	static int until = -1;

	r->started_ms = at * 1000;
	if (run < 2 * RUNS / DAYS + 70)
		heal(contact(r, DEAD));
	/* It comes in the busy hours, lasts for a while, and hits two sessions of three. */
	if (run > until && hour >= 10 && hour < 21 && day && !draw((unsigned)(60 / day)))
		until = run + 2 + (int)draw((unsigned)(4 * day));
	if (run < RUNS - 2 && (run > until || !draw(3)))
		heal(contact(r, FULL));
	/* A short evening of another kind. */
	if (day == 4 && hour == 19 && draw(2)) {
		struct contact *c = contact(r, 6);

		fake_end(c, CLASS_DEFERRED, REASON_THROTTLE, PHASE_MAIL, END_REPLY, 90000);
		fake_reply(c, 451, "4.7.1 Too many messages from your address, slow down");
	}
	for (int i = 0; i < (int)r->n_endpoints; i++)
		vary(contact(r, i), hour);
	fake_finish(r);
	(void)history_add(h, r, 1); /* what it changes is of no interest here */
	fake_free(r);
}

int main(int argc, char **argv)
{
	int64_t now = (int64_t)time(NULL);
	char *error = NULL;
	struct history *h;

	if (argc != 2 || access(argv[1], F_OK) == 0) {
		fprintf(stderr, "usage: story FILE, which is not there yet\n");
		return 1;
	}
	h = history_open(argv[1], &error);
	for (int i = 0; h && i < RUNS; i++)
		add_run(h, now - (int64_t)(RUNS - 1 - i) * STEP_S, i);
	if (!h || !history_close(h, 0, &error)) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	return 0;
}

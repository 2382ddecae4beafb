#include "history/letters.h"

#include "history/inside.h"
#include "net/digest.h"

#include <stdlib.h>
#include <string.h>

enum {
	PATIENCE_START_MS = 5000, /* no session is under way yet */
	LETTERS_MAX = 10000,
	TRIM_EVERY = 1000, /* letters written between two looks at how many there are */
};
#define LETTER_AGE_MS (INT64_C(30) * 86400 * 1000)

/* The claim of a process that lives, or the trace of one that was killed. */
static bool claim_of(struct history *h, const char *owner, struct claim *claim, bool *held)
{
	char *name = xasprintf("%s-%s", h->path, owner), *why = NULL;
	enum claim_outcome outcome = claim_take(claim, name, 0600, &why);

	*held = outcome == CLAIM_HELD;
	free(why);
	free(name);
	return outcome == CLAIM_TAKEN;
}

/* Before the first letter is this process's. Where no file can be made, others take it for dead,
 * and a letter may come twice. */
static void claim_own(struct history *h)
{
	bool held;

	if (h->owner[0])
		return;
	digest_random(h->owner, OWNER_OCTETS);
	h->claimed = claim_of(h, h->owner, &h->claim, &held);
}

/* Letters of `owner`, who has ended, are ours now. */
static void inherit(struct history *h, int64_t destination, const char *owner)
{
	struct statement *st = database_prepare(
	    h->db, "UPDATE letters SET owner = ?1 WHERE destination = ?2 AND owner = ?3");

	bind_text(st, 1, h->owner);
	bind_int(st, 2, destination);
	bind_text(st, 3, owner);
	statement_run(st);
	statement_free(st);
}

static char **owners_of(struct history *h, int64_t destination, size_t *n)
{
	struct statement *st =
	    database_prepare(h->db, "SELECT DISTINCT owner FROM letters WHERE destination = ?");
	char **owners = NULL;

	*n = 0;
	bind_int(st, 1, destination);
	while (statement_step(st)) {
		char **place = ARRAY_ADD(owners, *n);

		*place = xstrdup(column_text(st, 0));
	}
	statement_free(st);
	return owners;
}

static void trim(struct history *h)
{
	char *rows = xasprintf("FROM letters WHERE written < %lld OR n <= (SELECT n FROM letters"
			       " ORDER BY n DESC LIMIT 1 OFFSET %d)",
			       (long long)(history_clock_ms() - LETTER_AGE_MS), (int)LETTERS_MAX);
	char *count = xasprintf("SELECT count(*) %s", rows);
	char *drop = xasprintf("DELETE %s", rows);
	int64_t n = database_ask(h->db, count);

	if (n && database_execute(h->db, drop))
		h->dropped += (size_t)n;
	free(drop);
	free(count);
	free(rows);
	h->written = 0;
}

static void take_over(struct history *h)
{
	int64_t destination;
	struct claim *claims;
	bool *ours;
	char **owners;
	size_t n;

	if (!database_ask(h->db, "SELECT EXISTS (SELECT 1 FROM letters)") || !database_begin(h->db))
		return;
	trim(h);
	destination = history_find(h, ST_FIND_DESTINATION, h->letters.destination);
	owners = owners_of(h, destination, &n);
	claims = xcalloc(n + 1, sizeof *claims);
	ours = xcalloc(n + 1, sizeof *ours);
	for (size_t i = 0; i < n; i++) {
		bool held = false;

		if (*owners[i])
			ours[i] = claim_of(h, owners[i], &claims[i], &held);
		if (held)
			continue;
		inherit(h, destination, owners[i]);
	}
	(void)database_commit(h->db); /* its failure is kept */
	for (size_t i = 0; i < n; i++) {
		if (ours[i])
			(void)claim_close(&claims[i]); /* nothing was written to it */
		free(owners[i]);
	}
	free(owners);
	free(claims);
	free(ours);
}

void history_tell(struct history *h, const struct letters_conf *conf)
{
	h->letters = *conf;
	h->tells = true;
	claim_own(h);
	database_wait(h->db, PATIENCE_START_MS);
	take_over(h);
}

void history_letters_again(struct history *h)
{
	h->handed = 0;
}

/* ---- writing ---- */

static int told_last(struct history *h, int64_t target)
{
	int64_t destination = history_find(h, ST_FIND_DESTINATION, h->letters.destination);
	struct statement *st = history_statement(h, ST_FIND_TOLD);
	int told;

	bind_int(st, 1, target);
	bind_int(st, 2, destination);
	told = statement_step(st) ? words_known(h->words.verdict_of, column_int(st, 0)) : -1;
	statement_reset(st);
	return told;
}

void letter_decide(struct history *h, struct entry *e, const struct state *s,
		   const struct past *past)
{
	struct event_facts facts = {.when = h->letters.when,
				    .verdict = e->verdict,
				    .speaks = e->speaks,
				    .confirmed = s->verdict,
				    .told = -1};
	int known;

	if (!h->tells || e->decided)
		return;
	known = s->id ? told_last(h, s->id) : -1;
	facts.told = known;
	/* A destination that is new to the target counts from where that was before this run. */
	if (known < 0 && past->previous_verdict != VERDICT_UNKNOWN)
		facts.told = past->previous_verdict;
	e->decided = true;
	e->event = event_of(&facts, &e->news);
	if (e->news)
		e->told = (int)e->verdict;
	else if (known < 0 && e->speaks)
		e->told = facts.told >= 0 ? facts.told : s->verdict;
	if (e->news && h->adding) {
		struct result r = *h->adding;

		r.past = past;
		digest_random(e->id, sizeof e->id / 2);
		e->body = h->letters.write(h->letters.arg, &r, e->event, facts.told, e->id);
	}
}

void letter_keep(struct history *h, const struct entry *e, int64_t target)
{
	int64_t destination;
	struct statement *st;

	if (!e->decided || e->told < 0)
		return;
	destination =
	    history_find_or_add(h, ST_FIND_DESTINATION, ST_ADD_DESTINATION, h->letters.destination);
	st = history_statement(h, ST_SET_TOLD);
	bind_int(st, 1, target);
	bind_int(st, 2, destination);
	bind_int(st, 3, h->words.verdict_id[e->told]);
	statement_run(st);
	if (!e->body)
		return;
	st = history_statement(h, ST_ADD_LETTER);
	bind_text(st, 1, e->id);
	bind_int(st, 2, destination);
	bind_text(st, 3, h->owner);
	bind_int(st, 4, history_clock_ms());
	bind_text(st, 5, e->name);
	bind_text(st, 6, e->body);
	statement_run(st);
	if (++h->written >= TRIM_EVERY)
		trim(h);
}

enum event history_event(const struct history *h, bool *kept)
{
	*kept = h->event_kept;
	return h->event;
}

/* ---- handing out ---- */

bool history_letter(struct history *h, struct letter *letter)
{
	struct statement *st;
	bool there;

	if (!h->tells || database_error(h->db))
		return false;
	st = history_statement(h, ST_NEXT_LETTER);
	bind_int(st, 1, h->handed);
	bind_text(st, 2, h->owner);
	there = statement_step(st);
	if (there)
		*letter = (struct letter){.n = column_int(st, 0),
					  .target = xstrdup(column_text(st, 1)),
					  .body = xstrdup(column_text(st, 2))};
	statement_reset(st);
	if (there)
		h->handed = letter->n;
	return there;
}

static void strike_off(struct history *h)
{
	struct statement *st;

	if (!h->n_delivered || !database_begin(h->db))
		return;
	st = history_statement(h, ST_DROP_LETTER);
	for (size_t i = 0; i < h->n_delivered; i++) {
		bind_int(st, 1, h->delivered[i]);
		statement_run(st);
	}
	if (database_commit(h->db))
		h->n_delivered = 0;
}

void history_delivered(struct history *h, int64_t n)
{
	int64_t *place = ARRAY_ADD(h->delivered, h->n_delivered);

	*place = n;
	/* Whoever else is writing is not waited for: sessions may be under way. */
	database_wait(h->db, 0);
	strike_off(h);
}

size_t history_letters_dropped(struct history *h)
{
	size_t n = h->dropped;

	h->dropped = 0;
	return n;
}

void letters_end(struct history *h)
{
	strike_off(h);
	if (h->owner[0] && !database_error(h->db) && database_begin(h->db)) {
		struct statement *st =
		    database_prepare(h->db, "UPDATE letters SET owner = '' WHERE owner = ?");

		bind_text(st, 1, h->owner);
		statement_run(st);
		statement_free(st);
		trim(h);
		(void)database_commit(h->db); /* its failure is kept */
	}
	/* Should that have failed, the claim that ends here sets them free. */
}

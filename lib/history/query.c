#include "history/gather.h"
#include "history/inside.h"

#include <stdlib.h>

char **history_targets(struct history *h, size_t *n, char **error)
{
	struct statement *st = database_prepare(h->db, "SELECT name FROM targets ORDER BY name");
	char **names = NULL;

	*n = 0;
	while (statement_step(st)) {
		char **place = ARRAY_ADD(names, *n);

		*place = xstrdup(column_text(st, 0));
	}
	statement_free(st);
	if (database_error(h->db)) {
		*error = xstrdup(database_error(h->db));
		while (*n)
			free(names[--*n]);
		free(names);
		names = NULL;
	}
	return names;
}

static void ask_endpoints(struct history *h, struct gather *g, int64_t target)
{
	struct statement *st = database_prepare(
	    h->db, "SELECT e.id, h.name, a.address, e.port FROM endpoints e"
		   " JOIN hosts h ON h.id = e.host LEFT JOIN addresses a ON a.id = e.address"
		   " WHERE e.target = ? ORDER BY e.id");

	bind_int(st, 1, target);
	while (statement_step(st)) {
		const char *address = column_is_null(st, 2) ? NULL : column_text(st, 2);

		gather_endpoint(g, column_int(st, 0), column_text(st, 1), address,
				(uint16_t)column_int(st, 3));
	}
	statement_free(st);
}

/* One run of a target. */
struct listed {
	int64_t id, started_ms;
	int verdict; /* -1: a word that this version does not know */
	double first_try;
};

static struct listed *ask_results(struct history *h, int64_t target, const struct trend_query *q,
				  size_t *n)
{
	struct statement *st =
	    database_prepare(h->db, "SELECT id, started, verdict, first_try FROM results"
				    " WHERE target = ? AND started >= ? AND started <= ?"
				    " ORDER BY started, id");
	struct listed *list = NULL, *l;

	*n = 0;
	bind_int(st, 1, target);
	bind_int(st, 2, q->from_ms);
	bind_int(st, 3, q->to_ms);
	while (statement_step(st)) {
		l = ARRAY_ADD(list, *n);
		l->id = column_int(st, 0);
		l->started_ms = column_int(st, 1);
		l->verdict = words_known(h->words.verdict_of, column_int(st, 2));
		l->first_try = column_is_null(st, 3) ? -1 : column_real(st, 3);
	}
	statement_free(st);
	return list;
}

static void take_outcome(struct history *h, struct gather *g, struct statement *st, bool phases)
{
	int class = words_known(h->words.class_of, column_int(st, 2));
	int reason = words_known(h->words.reason_of, column_int(st, 3));
	struct timing t = {.first_byte = USEC_NONE, .total = column_or(st, 5, USEC_NONE)};

	if (class < 0 || reason < 0)
		return;
	if (phases) {
		t.connect = column_or(st, 6, USEC_NONE);
		t.banner = column_or(st, 7, USEC_NONE);
		t.ehlo = column_or(st, 8, USEC_NONE);
		t.starttls = column_or(st, 9, USEC_NONE);
		t.tls = column_or(st, 10, USEC_NONE);
		t.mail = column_or(st, 11, USEC_NONE);
	}
	gather_outcome(g, column_int(st, 1), (enum class) class, (enum reason)reason,
		       column_int(st, 4), &t);
}

#define OUTCOMES_FROM                                                                       \
	" FROM results r JOIN outcomes o ON o.id >= r.id << 20 AND o.id < (r.id + 1) << 20" \
	" WHERE r.target = ? AND r.started >= ? AND r.started <= ? ORDER BY r.started, r.id, o.id"

/* All that was seen, run by run: the runs first, since a column of theirs would be read again for
 * each of their outcomes. What this version has no name for is passed over. */
static void ask_outcomes(struct history *h, struct gather *g, int64_t target,
			 const struct trend_query *q)
{
	size_t n, at = 0;
	struct listed *list = ask_results(h, target, q, &n);
	struct statement *st = database_prepare(
	    h->db, q->phases
		       ? "SELECT o.id, o.endpoint, o.class, o.reason, o.reply, o.total, o.connect,"
			 " o.banner, o.ehlo, o.starttls, o.tls, o.mail" OUTCOMES_FROM
		       : "SELECT o.id, o.endpoint, o.class, o.reason, o.reply,"
			 " o.total" OUTCOMES_FROM);
	bool more;

	bind_int(st, 1, target);
	bind_int(st, 2, q->from_ms);
	bind_int(st, 3, q->to_ms);
	more = statement_step(st);
	for (; at < n; at++) {
		const struct listed *l = &list[at];

		if (l->verdict >= 0)
			gather_run(g, l->started_ms, (enum verdict)l->verdict, l->first_try);
		for (; more && column_int(st, 0) >> OUTCOME_BITS == l->id;
		     more = statement_step(st))
			if (l->verdict >= 0)
				take_outcome(h, g, st, q->phases);
	}
	free(list);
	statement_free(st);
}

static void ask_replies(struct history *h, struct gather *g)
{
	struct statement *st =
	    database_prepare(h->db, "SELECT code, enhanced, text FROM replies WHERE id = ?");
	int64_t id;

	for (size_t i = 0; (id = gather_reply(g, i)) >= 0; i++) {
		if (!id)
			continue;
		bind_int(st, 1, id);
		if (statement_step(st))
			gather_reply_text(g, i, (int)column_int(st, 0), column_text(st, 1),
					  column_text(st, 2));
		statement_reset(st);
	}
	statement_free(st);
}

struct trend *history_trend(struct history *h, const struct trend_query *q, char **error)
{
	struct gather *g = gather_new(q->from_ms, q->to_ms, q->slices, q->phases);
	struct trend *t;
	struct state s;

	/* One look at the file for all questions, whatever others write meanwhile. */
	database_execute(h->db, "BEGIN");
	s = history_state(h, q->name);
	if (s.id) {
		ask_endpoints(h, g, s.id);
		ask_outcomes(h, g, s.id, q);
		ask_replies(h, g);
	}
	database_execute(h->db, "COMMIT");
	t = gather_end(g);
	t->target = xstrdup(q->name);
	t->since_ms = s.since;
	if (database_error(h->db)) {
		*error = xstrdup(database_error(h->db));
		trend_free(t);
		return NULL;
	}
	return t;
}

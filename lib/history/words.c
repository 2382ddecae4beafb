#include "history/words.h"

#include <string.h>

typedef const char *name_of(int);

static const char *name_of_class(int i)
{
	return class_name((enum class)i);
}
static const char *name_of_reason(int i)
{
	return reason_name((enum reason)i);
}
static const char *name_of_phase(int i)
{
	return phase_name((enum phase)i);
}
static const char *name_of_verdict(int i)
{
	return verdict_name((enum verdict)i);
}

static int find_name(name_of *name, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name(i), word) == 0)
			return i;
	return -1;
}

static void learn(int *words, int number, int64_t id)
{
	if (number >= 0)
		words[number] = (int)id;
}

void words_load(struct words *w, struct database *db)
{
	struct statement *st = database_prepare(db, "SELECT id, word FROM words");

	memset(w->class_of, -1, sizeof w->class_of);
	memset(w->reason_of, -1, sizeof w->reason_of);
	memset(w->verdict_of, -1, sizeof w->verdict_of);
	while (statement_step(st)) {
		int64_t id = column_int(st, 0);
		const char *word = column_text(st, 1);

		if (id < 0 || id >= WORD_IDS)
			continue;
		w->class_of[id] = (short)find_name(name_of_class, CLASSES, word);
		w->reason_of[id] = (short)find_name(name_of_reason, REASONS, word);
		w->verdict_of[id] = (short)find_name(name_of_verdict, VERDICTS, word);
		learn(w->class_id, w->class_of[id], id);
		learn(w->reason_id, w->reason_of[id], id);
		learn(w->verdict_id, w->verdict_of[id], id);
		learn(w->phase_id, find_name(name_of_phase, PHASES, word), id);
	}
	statement_free(st);
}

static void add_words(struct database *db, name_of *name, int n, const int *ids)
{
	struct statement *st = NULL;

	for (int i = 0; i < n; i++) {
		if (ids[i])
			continue;
		if (!st)
			st = database_prepare(db, "INSERT OR IGNORE INTO words(word) VALUES(?)");
		bind_text(st, 1, name(i));
		statement_run(st);
	}
	statement_free(st);
}

static bool words_missing(const int *ids, int n)
{
	for (int i = 0; i < n; i++)
		if (!ids[i])
			return true;
	return false;
}

void words_complete(struct words *w, struct database *db)
{
	words_load(w, db);
	if (!words_missing(w->class_id, CLASSES) && !words_missing(w->reason_id, REASONS) &&
	    !words_missing(w->phase_id, PHASES) && !words_missing(w->verdict_id, VERDICTS))
		return;
	if (!database_begin(db)) {
		database_fail_busy(db);
		return;
	}
	add_words(db, name_of_class, CLASSES, w->class_id);
	add_words(db, name_of_reason, REASONS, w->reason_id);
	add_words(db, name_of_phase, PHASES, w->phase_id);
	add_words(db, name_of_verdict, VERDICTS, w->verdict_id);
	if (database_commit(db))
		words_load(w, db);
}

int words_known(const short map[WORD_IDS], int64_t id)
{
	return id >= 0 && id < WORD_IDS ? map[id] : -1;
}

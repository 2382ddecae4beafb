/* Names of classes, reasons, phases and verdicts, and their numbers in a file: its own table of
 * them makes it explain itself, and lets it outlive any order of ours. */
#ifndef MXPROBE_HISTORY_WORDS_H
#define MXPROBE_HISTORY_WORDS_H

#include "history/database.h"
#include "judge/result.h"

enum { WORD_IDS = 256 };

struct words {
	int class_id[CLASSES], reason_id[REASONS], phase_id[PHASES], verdict_id[VERDICTS];
	short class_of[WORD_IDS], reason_of[WORD_IDS], verdict_of[WORD_IDS]; /* -1: none */
};

void words_load(struct words *, struct database *);

/* The same, and gives a number to each name that has none yet. */
void words_complete(struct words *, struct database *);

/* What a number means, by one of the maps; -1: nothing this version knows. */
int words_known(const short map[WORD_IDS], int64_t id);

#endif

/* What others are to be told of changes, kept in the history until they have it: at least once,
 * whatever becomes of a process in between. A letter belongs to one destination, and to the process
 * that wrote it until that has ended; then to the next one that tells the same destination. */
#ifndef MXPROBE_LETTERS_H
#define MXPROBE_LETTERS_H

#include "history/history.h"
#include "judge/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct letters_conf {
	/* Whom: any text, which is written to the file. What one destination was told is nothing to
	 * another. */
	const char *destination;
	enum event_when when;
	/* The text of a letter: of a result with its `past`, against the verdict told last (-1:
	 * none). Allocated, freed by the history. */
	char *(*write)(void *arg, const struct result *, enum event, int told, const char *id);
	void *arg;
};

/* From now on a letter is written with each result that is news to the destination, in the
 * transaction that keeps the result. Takes over what processes that have ended did not deliver.
 * Before the process gives up its rights: claims are files. The configuration is copied, its
 * destination is the caller's while the history is open. */
void history_tell(struct history *, const struct letters_conf *);

/* Of the result added last: what it is to the destination. *kept: its letter is in the file, or
 * will be there with the result, and comes from history_letter; else it is the caller's to tell or
 * to forget. When the history has failed it is judged as if there was none. */
enum event history_event(const struct history *, bool *kept);

struct letter {
	int64_t n; /* its number in the file */
	char *target, *body;
};

/* The oldest letter that was not handed out yet, by this process; its texts are the caller's. */
bool history_letter(struct history *, struct letter *);

/* It was delivered, and is struck off; where it was not, nothing needs to be said. */
void history_delivered(struct history *, int64_t n);

/* All of ours that is still there may be handed out once more. Only while none is on its way. */
void history_letters_again(struct history *);

/* How many letters were dropped since the last question: older than 30 days, or more than 10,000.
 */
size_t history_letters_dropped(struct history *);

#endif

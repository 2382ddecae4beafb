/* --webhook: which results are told, and their way out, beside the run and after it. One object
 * serves any number of runs on one loop, one after the other. */
#ifndef MXPROBE_NOTIFY_H
#define MXPROBE_NOTIFY_H

#include "cli/options.h"
#include "history/history.h"
#include "judge/result.h"
#include "net/loop.h"

#include <stdbool.h>

struct notify;

/* Reads the secret. False, and why was said: the run must not begin. *out is NULL without
 * --webhook; all other functions take that, and do nothing. */
bool notify_new(const struct options *, struct notify **out) MUSTCHECK;
void notify_free(struct notify *); /* before its loop and its history; what is open is dropped */

/* From now on on this loop; `trace` gets a line a try for -v, or is NULL. */
void notify_begin(struct notify *, struct loop *, void (*trace)(void *arg, const char *line),
		  void *arg);

/* The history that the results to come are added to, until the next call or notify_free; NULL:
 * there is none, or it could not be opened. What is left in it from earlier runs is sent, too. Once
 * before each run, and with NULL before a history is closed. */
void notify_history(struct notify *, struct history *);

/* A finished result, after history_add. */
void notify_result(struct notify *, const struct result *);

/* Nothing is on its way or waiting. */
bool notify_idle(const struct notify *);

/* Waits for what is on its way, until `until` on the loop's clock at most, and says what was not
 * delivered. */
void notify_drain(struct notify *, usec_t until);

/* Something was not delivered, which is to be said: by notify_drain, or by notify_say before. */
bool notify_failed(const struct notify *);
void notify_say(struct notify *);

/* Ends the waiting. */
void notify_give_up(struct notify *);

#endif

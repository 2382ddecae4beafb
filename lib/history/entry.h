/* What is written of one result, on its own feet: the result itself is gone when it has to wait. */
#ifndef MXPROBE_ENTRY_H
#define MXPROBE_ENTRY_H

#include "judge/event.h"
#include "judge/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One endpoint. */
struct outcome {
	char *host, *address; /* address NULL: none */
	uint16_t port;
	enum class class;
	enum reason reason;
	enum phase phase;
	unsigned sessions, healthy;
	int code;
	char *enhanced, *text; /* text NULL: neither reply nor words */
	struct timing timing;
	usec_t rtt;
	struct draw *draws; /* NULL: one session, that says it all */
};

struct entry {
	char *name;
	int64_t started_ms;
	usec_t elapsed;
	enum verdict verdict;
	double first_try; /* -1: null */
	unsigned confirm;
	struct outcome *outcomes;
	size_t n_outcomes;

	/* What it is to whom is told, as soon as that was found out. */
	bool speaks, decided, news;
	enum event event;
	int told; /* the verdict that is known there from now on; -1: as before */
	char id[33];
	char *body; /* of its letter; NULL: there is none */
};

void entry_init(struct entry *, const struct result *, unsigned confirm);
void entry_fini(struct entry *);

/* Foreign octets as what a column of text may hold; caller frees. */
char *entry_text(const char *s, size_t n);

#endif

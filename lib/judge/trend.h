/* How a target fared over a span of time: what history/ hands on and report/ shows. Plain values;
 * all strings may hold anything but NUL and are to be made safe by whoever shows them. */
#ifndef MXPROBE_TREND_H
#define MXPROBE_TREND_H

#include "judge/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One slice of the span. */
struct trend_cell {
	int8_t worst; /* enum class, or enum verdict in a strip of verdicts; -1: nothing known */
	bool partly;  /* some runs of the slice were healthy, some not */
};

/* One moment. */
struct trend_event {
	int64_t at_ms; /* -1: there was none */
	enum class class;
	enum reason reason;
};

/* One endpoint, or one MX host: all of its endpoints taken together. */
struct trend_row {
	char *host;
	char *address; /* NULL: an MX host, or an endpoint without address */
	uint16_t port;
	size_t members;            /* of a host: how many endpoints; 1 for an endpoint */
	unsigned runs;             /* in which it was listed */
	unsigned classes[CLASSES]; /* what its contacts ended in */
	double healthy_share;      /* of the contacts that were not skipped; -1: none */
	usec_t median, p95;        /* time of a session; USEC_NONE */
	struct trend_event last, last_unhealthy; /* skipped counts for the first alone */
	int64_t outage_ms;        /* longest time without a healthy session; -1: none */
	bool listed;              /* in the last run of the span */
	struct trend_cell *cells; /* trend.slices of them */
	struct timing *phases;    /* medians of the healthy sessions in each slice, without
				      first_byte; NULL: a host, or not asked */
};

/* A way to fail that was seen. */
struct trend_reply {
	enum class class;
	enum reason reason;
	int code;       /* 0: no reply */
	char *enhanced; /* NULL: none */
	char *text;     /* NULL: none; lines joined by '\n' */
	unsigned count;
	int64_t first_ms, last_ms;
};

struct trend {
	char *target;
	int64_t from_ms, to_ms;
	unsigned runs;
	unsigned verdicts[VERDICTS];
	enum verdict verdict;  /* of the last run; meaningless without one */
	int64_t last_ms;       /* when that began; -1 without one */
	int64_t since_ms;      /* since when the last verdict holds, also before the span; -1 */
	double first_try_mean; /* -1: null */
	size_t slices;
	struct trend_cell *cells; /* worst verdict of each slice */
	struct timing *phases;    /* medians of those of the endpoints; NULL: not asked */
	struct trend_row *endpoints, *hosts;
	size_t n_endpoints, n_hosts;
	struct trend_reply *replies; /* rarest first */
	size_t n_replies;
};

void trend_free(struct trend *); /* takes NULL */

/* How bad a class or a verdict is, to choose what a slice shows: the greater, the worse. */
int class_severity(enum class);
int verdict_severity(enum verdict);

/* The letter that stands for a class in a strip: E, D, R, T, X, B, U, S; '\0' for healthy. */
char class_letter(enum class);

#endif

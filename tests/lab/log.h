/* What happened in the lab: events as lines, written at once, and sums at the end.
 *
 *   connect ADDR N at=MS open=K          the N-th connection to ADDR
 *   command ADDR N TEXT                  a line that the client sent
 *   secured ADDR N VERSION CIPHER SNI    a TLS handshake that was finished
 *   end ADDR N client|server             who ended it
 *   violation ADDR N KIND TEXT           what no polite client does
 *   question NAME TYPE udp|tcp SERVER at=MS
 *   sum ...                              see log_sums */
#ifndef LAB_LOG_H
#define LAB_LOG_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>

struct log;

/* `path` NULL: only the sums are kept. NULL and errno set when it cannot be opened. */
struct log *log_new(const char *path) MUSTCHECK;
void log_free(struct log *);

/* One line; the newline is added. */
void log_line(struct log *, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What a client sent, made safe for a line; static storage until the next call. */
const char *log_safe(const char *bytes, size_t n);

/* Adds to the sum of that name; returns the new sum. */
long log_count(struct log *, long by, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Raises the sum of that name to `to`. */
void log_peak(struct log *, long to, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Writes "sum NAME N" for every sum: connections ADDR, open-max ADDR, open-max all, violations,
 * questions NAME TYPE TRANSPORT, questions. */
void log_sums(struct log *);

#endif

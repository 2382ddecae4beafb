/* Results that no server ever gave, for tests of what is made of results. */
#ifndef MXPROBE_TESTS_RESULTS_H
#define MXPROBE_TESTS_RESULTS_H

#include "judge/result.h"

/* A target without endpoints, asked for at 2026-11-21T16:31:57.181Z. */
struct result *fake_target(const char *target, enum dns_source);

/* One more endpoint (preference -1: none; address NULL: none), healthy in 180 ms until told
 * otherwise; its host is added when it is new. Sort order is the caller's business. */
struct contact *fake_endpoint(struct result *, int preference, const char *host,
			      const char *address);

void fake_reply(struct contact *, int code, const char *text);
/* Ends in `phase` of the dialogue after `took` there. */
void fake_end(struct contact *, enum class, enum reason, enum phase, enum end, usec_t took);
void fake_error(struct contact *, int err, const char *words);
void fake_sessions(struct contact *, unsigned sessions, unsigned healthy);
void fake_backend(struct contact *, const char *name, unsigned sessions, unsigned healthy);
struct tls_facts *fake_tls(struct contact *, const char *version);
void fake_warning(struct result *, const char *code, const char *message);

/* Sums, delivery and verdict, as a run makes them at its end. */
void fake_finish(struct result *);
void fake_free(struct result *);

/* msn.com in January 2006: 4 hosts of 4 addresses, one dead, one short of memory. Finished. */
struct result *fake_msn(void);

#endif

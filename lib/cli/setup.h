/* From options to the configuration of a run, and whether this machine can do what they ask. */
#ifndef MXPROBE_SETUP_H
#define MXPROBE_SETUP_H

#include "cli/options.h"
#include "run/run.h"

/* Who listens with -v and -vv; NULL: nobody. */
struct setup_trace {
	void (*session)(void *arg, const struct session_trace *);
	void (*dns)(void *arg, const char *line);
	void *arg;
};

/* Are the targets of the command line targets, and the source addresses ours? What is not is said.
 */
bool setup_check(const struct options *) MUSTCHECK;

/* What this machine says in EHLO; the caller frees it. */
char *setup_helo(const struct options *);

void setup_resolver(struct resolver_conf *, const struct options *);

/* Which resolvers to ask may have changed since. Where that cannot be read now, nothing has. */
void setup_resolver_anew(struct resolver_conf *, const struct options *);

/* Fills it; `helo` and the options stay the caller's while it is used, and its session.tls is the
 * caller's to free. The limit on descriptors is raised, and the number of sessions lowered to it.
 */
void setup_run(struct run_conf *, const struct options *, const char *helo,
	       const struct setup_trace *);

#endif

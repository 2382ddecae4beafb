/* What a command still needs of its machine once its options are read and its files are open. */
#ifndef MXPROBE_CONFINE_H
#define MXPROBE_CONFINE_H

#include "base/sandbox.h"
#include "cli/options.h"
#include "report/output.h"

/* Fills it; sandbox_fini frees it. A history is open already, so that its side files are there. */
void confine_needs(struct sandbox *, const struct options *, const struct output *);

/* Gives up all else, for good, unless --no-sandbox. `say` (NULL: nobody listens) is told in one
 * line what is in force. */
void confine(const struct options *, const struct output *, void (*say)(void *arg, const char *),
	     void *arg);

#endif

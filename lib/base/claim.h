/* A claim on a file: one run at a time may be going to write it.
 *
 * It is a locked file of the same folder, .NAME.mxprobe. The lock dies with the process, however
 * that dies; the file that a killed one leaves behind is taken away by the next claim. So nothing
 * ever has to be cleared up by hand, and nothing stays behind a run that ended by itself. */
#ifndef MXPROBE_CLAIM_H
#define MXPROBE_CLAIM_H

#include "base/util.h"

#include <stdbool.h>
#include <sys/types.h>

struct claim {
	int fd;     /* of the claim's own file, open for writing: what is written there can then be
		       renamed to the name claimed */
	char *path; /* of that file */
};

enum claim_outcome {
	CLAIM_TAKEN,
	CLAIM_HELD, /* by another process */
	CLAIM_FAILED
};

/* Claims `path`, which need not exist; symbolic links to it have been followed already. `mode` is
 * that of the claim's file, the umask applies. Unless taken, *why has the words for a message,
 * which the caller frees. */
enum claim_outcome claim_take(struct claim *, const char *path, mode_t mode, char **why) MUSTCHECK;

/* The claim's file gets the name claimed, in one step; false and errno when it does not. Then comes
 * claim_close. */
bool claim_rename(struct claim *, const char *path) MUSTCHECK;

/* Ends the claim, and removes its file if that was not renamed. Returns what close() does. */
int claim_close(struct claim *);

#endif

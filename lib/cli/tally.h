/* One line on a terminal while a long list is probed: how many targets are done, how many are under
 * way, how fast it goes, how long it will still take. */
#ifndef MXPROBE_TALLY_H
#define MXPROBE_TALLY_H

#include "base/util.h"

#include <stdint.h>

struct tally;

/* Writes to `fd`. What `input` reads, where that is a regular file, says how much is still to come;
 * -1: nothing is known. */
struct tally *tally_new(int fd, int input, usec_t now);
void tally_free(struct tally *); /* the line is cleared; NULL is taken, here and below */

void tally_begun(struct tally *); /* one more target is under way */
/* One of them is done: draws, at most 5 times a second. `taken`: octets of the input that were
 * handed on as targets. */
void tally_done(struct tally *, usec_t now, uint64_t taken);
void tally_clear(struct tally *); /* so that somebody else may write; the next one done draws */

#endif

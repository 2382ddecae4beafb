/* What tests may do with a loop whose clock is theirs. */
#ifndef MXPROBE_FAKE_LOOP_H
#define MXPROBE_FAKE_LOOP_H

#include "net/loop.h"

void fake_pass(struct loop *, usec_t span); /* time goes on, and nothing happens */
size_t fake_watches(const struct loop *);   /* descriptors watched */
size_t fake_timers(const struct loop *);    /* timers set */

#endif

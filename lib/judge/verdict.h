/* From the classes of the endpoints to the verdict on the target. Pure. */
#ifndef MXPROBE_VERDICT_H
#define MXPROBE_VERDICT_H

#include "judge/result.h"

/* Fills `summary` from the endpoints. */
void summarize(struct result *);

/* The verdict on a summarized result. */
enum verdict verdict_of(const struct result *);

/* Folds one more verdict into an exit code: 2 beats 1 beats 3 beats 0. */
int exit_worst(int so_far, int exit);

#endif

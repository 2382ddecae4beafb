/* What a class and reason mean for a sender, and what to do. */
#ifndef MXPROBE_ADVICE_H
#define MXPROBE_ADVICE_H

#include "judge/classify.h"

/* At most three sentences of plain ASCII on one line: what it means, whose move it is, what a
 * sender's queue does about it, what to do now; with the RFC or the vendor's document it rests on.
 * A constant. Never NULL, nor empty, for a pair that classify can give; for any other pair what is
 * said of the class alone. */
const char *advice_text(enum class, enum reason);

#endif

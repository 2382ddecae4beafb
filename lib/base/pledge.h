/* OpenBSD: files by unveil, system calls by pledge. */
#ifndef MXPROBE_PLEDGE_H
#define MXPROBE_PLEDGE_H

#include "base/sandbox.h"

/* True: in force, for the whole process and for good. */
bool pledge_enter(const struct sandbox *);

#endif

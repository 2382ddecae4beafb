/* Linux: which files may be opened, by Landlock. */
#ifndef MXPROBE_LANDLOCK_H
#define MXPROBE_LANDLOCK_H

#include "base/sandbox.h"

/* The newest version that is made use of. */
enum { LANDLOCK_NEWEST = 7 };

/* Confines the calling thread, for good, to the paths given; TCP sockets bind only if s->bind, and
 * signals and abstract sockets reach nobody outside, where the kernel is new enough. Returns the
 * version of Landlock in force, `newest` at most; 0: nothing is confined, since the kernel has
 * none, or not all of it could be arranged. */
int landlock_enter(const struct sandbox *, int newest);

#endif

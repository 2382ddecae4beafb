/* Linux: which system calls may be made, by a seccomp filter. */
#ifndef MXPROBE_SECCOMP_H
#define MXPROBE_SECCOMP_H

#include <stdbool.h>

/* Denies, with EPERM and for good, what a prober never does; all else stays allowed, so that a new
 * libc is not in need of a new filter. False: there is none for this kernel or processor, or it was
 * not taken. */
bool seccomp_enter(void);

#endif

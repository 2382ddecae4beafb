/* What POSIX.1-2024 has that a C library may hide when asked for POSIX.1-2008: see portable.sh. */
#ifndef TESTS_POSIX2024_H
#define TESTS_POSIX2024_H

#include <stddef.h>
#include <time.h>

void *memmem(const void *, size_t, const void *, size_t);
time_t timegm(struct tm *);

#define DT_UNKNOWN 0
#define DT_LNK 10

#endif

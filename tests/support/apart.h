/* What a test tries in a process of its own, since there is no way back from it. */
#ifndef SUPPORT_APART_H
#define SUPPORT_APART_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* In there, assertions of cmocka would go on in the copy of the parent. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			(void)dprintf(STDERR_FILENO, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, \
				      #what, errno);                                               \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

enum { APART_SKIPPED = 77 }; /* _exit() with it skips the test */

/* Fails the test unless the process ends well. */
void apart(void (*try)(void *), void *arg);

#endif

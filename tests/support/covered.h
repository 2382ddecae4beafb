/* Included in front of everything in a build that counts what its tests run (make coverage): also
 * what ends by _exit() has its counts written down. */
#ifndef SUPPORT_COVERED_H
#define SUPPORT_COVERED_H

#include <unistd.h>

void __gcov_dump(void);

static inline _Noreturn void covered_exit(int status)
{
	__gcov_dump();
	_exit(status);
}
#define _exit(status) covered_exit(status)

#define COVERED_TEXT(folder) #folder
#define COVERED_STRING(folder) COVERED_TEXT(folder)
#define COVERED_FOLDER COVERED_STRING(COVERED)

#endif

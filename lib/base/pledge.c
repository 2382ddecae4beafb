#include "base/pledge.h"

/* The Makefile knows the systems that have them. */
#ifndef HAVE_PLEDGE

bool pledge_enter(const struct sandbox *s)
{
	(void)s;
	return false;
}

#else

#include <string.h>
#include <unistd.h>

/* Files that are unveiled, locks and modes for SQLite, sockets, the size of the terminal. */
static const char promises[] = "stdio rpath wpath cpath fattr flock inet tty";
static const char and_dns[] = "stdio rpath wpath cpath fattr flock inet tty dns";

bool pledge_enter(const struct sandbox *s)
{
	for (size_t i = 0; i < s->n; i++) {
		char may[4] = "r";

		if (s->paths[i].may & SANDBOX_NAMES)
			(void)strcpy(may, "rwc"); /* to rename a file is to write it, here */
		else if (s->paths[i].may & SANDBOX_WRITE)
			(void)strcpy(may, "rw");
		(void)unveil(s->paths[i].path, may); /* what is not there need not be seen */
	}
	return unveil(NULL, NULL) == 0 && pledge(s->dns ? and_dns : promises, NULL) == 0;
}

#endif

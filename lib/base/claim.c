#include "base/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Others take and leave a claim while we try, each of them once: this many in a row is no chance.
 */
enum { TRIES = 100 };

static char *claim_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;

	return xasprintf("%.*s.%s.mxprobe", folder, path, path + folder);
}

/* Is the file behind the descriptor the one that the path leads to? */
static bool is_there(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

static int lock(int fd)
{
	int failed;

	do {
		failed = flock(fd, LOCK_EX | LOCK_NB);
	} while (failed && errno == EINTR);
	return failed;
}

enum claim_outcome claim_take(struct claim *c, const char *path, mode_t mode, char **why)
{
	enum claim_outcome outcome = CLAIM_FAILED;

	*why = NULL;
	c->path = claim_path(path);
	for (int tries = 0; tries < TRIES && !*why; tries++) {
		bool fresh = true;

		c->fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (c->fd < 0 && errno == EEXIST) {
			/* Somebody's. It is only looked at: neither a link nor a FIFO that was put
			 * there is followed or waited for, and not a byte is written. */
			fresh = false;
			c->fd = open(c->path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
			if (c->fd < 0 && errno == ENOENT)
				continue;
		}
		if (c->fd < 0) {
			*why = fresh ? xstrdup(strerror(errno))
				     : xasprintf("%s is in the way: %s", c->path, strerror(errno));
			break;
		}
		if (lock(c->fd) < 0) {
			bool held = errno == EWOULDBLOCK;

			outcome = held ? CLAIM_HELD : CLAIM_FAILED;
			*why = held ? xstrdup("another run of mxprobe holds it")
				    : xasprintf("cannot lock %s: %s", c->path, strerror(errno));
		} else if (is_there(c->fd, c->path)) {
			if (fresh)
				return CLAIM_TAKEN;
			/* Locked by nobody: left behind. Whoever else finds it has to get this lock
			 * first, so what is removed is never a file in use. */
			if (unlink(c->path) < 0)
				*why = xasprintf("%s is in the way: %s", c->path, strerror(errno));
		}
		/* Else its owner has renamed or removed it between our open() and flock(). */
		(void)close(c->fd); /* nothing was written */
	}
	if (!*why) {
		outcome = CLAIM_HELD;
		*why = xstrdup("other runs of mxprobe hold it, in turn");
	}
	free(c->path);
	*c = (struct claim){.fd = -1};
	return outcome;
}

bool claim_rename(struct claim *c, const char *path)
{
	if (rename(c->path, path) < 0)
		return false;
	free(c->path);
	c->path = NULL;
	return true;
}

int claim_close(struct claim *c)
{
	int closed;

	/* Locked until it is gone, else it could be taken for one that was left behind. */
	if (c->path)
		(void)unlink(c->path); /* if not, the next claim does it */
	free(c->path);
	closed = close(c->fd);
	*c = (struct claim){.fd = -1};
	return closed;
}

#include "report/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as many as Linux follows */

struct output {
	int fd;
	int err;      /* the first failure, sticky */
	char *name;   /* for messages, as the user gave it */
	char *path;   /* to be replaced; NULL: fd is written directly */
	char *temp;   /* the file behind fd until then */
	char *folder; /* of both */
};

int output_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t done = write(fd, p, n);

		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			/* Somebody else made the descriptor non-blocking: it is shared with the
			 * shell, so it is not ours to change. */
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			if (poll(&wait, 1, -1) < 0 && errno != EINTR)
				return errno;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

/* The folder that a path's last part is in. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* The number of our own descriptor that a path names, or -1. Opening such a path is not the same as
 * using the descriptor: a regular file would be opened anew, at its start, and a socket not at all.
 */
static int own_descriptor(const char *path)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};

	if (!strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		size_t n = strlen(folders[i]);
		char *end;
		long fd;

		if (strncmp(path, folders[i], n) != 0 || path[n] < '0' || path[n] > '9')
			continue;
		fd = strtol(path + n, &end, 10);
		if (!*end && fd <= INT_MAX)
			return (int)fd;
	}
	return -1;
}

/* Follows one symbolic link: its target as a path from here; NULL and errno when it cannot be read.
 */
static char *follow(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof target - 1);
	char *folder, *whole;

	if (n < 0)
		return NULL;
	target[n] = '\0';
	if (target[0] == '/')
		return xstrdup(target);
	folder = folder_of(path);
	whole = xasprintf("%s/%s", folder, target);
	free(folder);
	return whole;
}

/* Creates the temporary file; a new report gets the mode that any new file would get, one that
 * replaces another is closed to others until it gets the old one's mode. */
static int open_temp(struct output *o, const struct stat *old)
{
	for (int tries = 0; tries < 16; tries++) {
		uint64_t random;
		int fd;

		if (getentropy(&random, sizeof random) < 0)
			return -1;
		free(o->temp);
		o->temp =
		    xasprintf("%s/.mxprobe-%016llx.tmp", o->folder, (unsigned long long)random);
		fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old ? 0600 : 0666);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0 || !old)
			return fd;
		/* Root replaces another's file: it stays theirs. Anybody else cannot give files
		 * away, and need not. */
		if ((old->st_uid != geteuid() || old->st_gid != getegid()) &&
		    fchown(fd, old->st_uid, old->st_gid) < 0 && errno != EPERM) {
			int err = errno;

			(void)close(fd); /* nothing was written */
			(void)unlink(o->temp);
			errno = err;
			return -1;
		}
		if (fchmod(fd, old->st_mode & 0777) < 0) {
			int err = errno;

			(void)close(fd); /* as above */
			(void)unlink(o->temp);
			errno = err;
			return -1;
		}
		return fd;
	}
	errno = EEXIST;
	return -1;
}

static void output_free(struct output *o)
{
	free(o->name);
	free(o->path);
	free(o->temp);
	free(o->folder);
	free(o);
}

/* Opens o->path for writing, the way its kind asks for; false and errno. */
static bool open_path(struct output *o)
{
	struct stat st;
	int own;

	for (int links = 0;; links++) {
		char *next;

		own = own_descriptor(o->path);
		if (own >= 0) {
			o->fd = fcntl(own, F_DUPFD_CLOEXEC, 3);
			break;
		}
		if (lstat(o->path, &st) < 0) {
			if (errno != ENOENT)
				return false;
			o->folder = folder_of(o->path);
			o->fd = open_temp(o, NULL);
			return o->fd >= 0;
		}
		if (!S_ISLNK(st.st_mode)) {
			if (S_ISREG(st.st_mode)) {
				/* rename() does not ask for the file's own permission. */
				if (access(o->path, W_OK) < 0)
					return false;
				o->folder = folder_of(o->path);
				o->fd = open_temp(o, &st);
				return o->fd >= 0;
			}
			do {
				o->fd = open(o->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
			} while (o->fd < 0 && errno == EINTR);
			break;
		}
		if (links == LINKS_MAX) {
			errno = ELOOP;
			return false;
		}
		next = follow(o->path);
		if (!next)
			return false;
		free(o->path);
		o->path = next;
	}
	free(o->path);
	o->path = NULL;
	return o->fd >= 0;
}

struct output *output_open(const char *path, char **error)
{
	struct output *o = xcalloc(1, sizeof *o);

	o->fd = STDOUT_FILENO;
	if (!path) {
		o->name = xstrdup("standard output");
		return o;
	}
	o->name = xstrdup(path);
	o->path = xstrdup(path);
	if (!*path) {
		errno = ENOENT;
	} else if (path[strlen(path) - 1] == '/') {
		errno = EISDIR;
	} else if (open_path(o)) {
		return o;
	}
	*error = xasprintf("cannot write %s: %s", o->name, strerror(errno));
	output_free(o);
	return NULL;
}

void output_write(struct output *o, const void *bytes, size_t n)
{
	if (!o->err)
		o->err = output_all(o->fd, bytes, n);
}

bool output_failed(const struct output *o)
{
	return o->err != 0;
}

static void keep_error(struct output *o, int failed)
{
	if (failed < 0 && !o->err)
		o->err = errno;
}

/* Makes the rename last through a crash. Some file systems cannot sync a folder, and one may be
 * writable but not readable: the file itself is safe all the same. */
static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed;

	if (fd < 0)
		return errno == EACCES ? 0 : -1;
	failed = fsync(fd);
	if (failed && (errno == EINVAL || errno == ENOTSUP || errno == EROFS))
		failed = 0;
	(void)close(fd); /* was only read */
	return failed;
}

bool output_close(struct output *o, bool keep, char **error)
{
	bool good;

	if (o->path) {
		if (keep && !o->err)
			keep_error(o, fsync(o->fd));
		keep_error(o, close(o->fd));
		if (keep && !o->err) {
			keep_error(o, rename(o->temp, o->path));
			if (o->err)
				(void)unlink(o->temp); /* the failure is told anyway */
			else
				keep_error(o, sync_folder(o->folder));
		} else {
			(void)unlink(o->temp); /* as above */
		}
		if (!keep)
			o->err = 0; /* nobody wanted it */
	} else {
		/* A network file system tells only at close() that it did not keep the bytes;
		 * standard output itself stays open. */
		int fd = o->fd == STDOUT_FILENO ? dup(o->fd) : o->fd;

		/* Closed from the start, and nothing written: nothing is lost. */
		if (fd >= 0)
			keep_error(o, close(fd));
	}
	good = o->err == 0;
	if (!good)
		*error = xasprintf("cannot write %s: %s", o->name, strerror(o->err));
	output_free(o);
	return good;
}

#include "report/output.h"

#include "base/buf.h"
#include "base/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINKS_MAX = 40, /* as many as Linux follows */
	BLOCK = 65536   /* octets written at once to a file of our own */
};

struct output {
	int fd;
	int err;            /* the first failure, sticky */
	char *name;         /* for messages, as the user gave it */
	char *path;         /* to be replaced; NULL: fd is written directly */
	char *folder;       /* that it is in */
	struct buf waiting; /* for a file that nobody sees before it is whole */
	struct claim claim; /* on path; its file is the one behind fd, until it is renamed */
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

/* A new report gets the mode that any new file would get, one that replaces another is closed to
 * others until it gets the old one's mode. */
static bool open_claimed(struct output *o, const struct stat *old, char **why)
{
	if (claim_take(&o->claim, o->path, old ? 0600 : 0666, why) != CLAIM_TAKEN)
		return false;
	o->fd = o->claim.fd;
	if (!old)
		return true;
	/* Root replaces another's file: it stays theirs. Anybody else cannot give files away, and
	 * need not. */
	if (((old->st_uid != geteuid() || old->st_gid != getegid()) &&
	     fchown(o->fd, old->st_uid, old->st_gid) < 0 && errno != EPERM) ||
	    fchmod(o->fd, old->st_mode & 0777) < 0) {
		*why = xstrdup(strerror(errno));
		(void)claim_close(&o->claim); /* nothing was written */
		return false;
	}
	return true;
}

static void output_free(struct output *o)
{
	free(o->name);
	free(o->path);
	free(o->folder);
	buf_fini(&o->waiting);
	free(o);
}

/* Opens o->path for writing, the way its kind asks for. False: *why tells, or errno if it does not.
 */
static bool open_path(struct output *o, char **why)
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
			return open_claimed(o, NULL, why);
		}
		if (!S_ISLNK(st.st_mode)) {
			if (S_ISREG(st.st_mode)) {
				/* rename() does not ask for the file's own permission. */
				if (access(o->path, W_OK) < 0)
					return false;
				o->folder = folder_of(o->path);
				return open_claimed(o, &st, why);
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
	char *why = NULL;

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
	} else if (open_path(o, &why)) {
		return o;
	}
	*error = xasprintf("cannot write %s: %s", o->name, why ? why : strerror(errno));
	free(why);
	output_free(o);
	return NULL;
}

const char *output_folder(const struct output *o)
{
	return o->path ? o->folder : NULL;
}

static void write_waiting(struct output *o)
{
	if (!o->err && o->waiting.len)
		o->err = output_all(o->fd, o->waiting.data, o->waiting.len);
	buf_clear(&o->waiting);
}

void output_write(struct output *o, const void *bytes, size_t n)
{
	if (o->err)
		return;
	if (!o->path) {
		o->err = output_all(o->fd, bytes, n);
		return;
	}
	buf_add(&o->waiting, bytes, n);
	if (o->waiting.len >= BLOCK)
		write_waiting(o);
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

/* The file of our own gets its name. */
static void publish(struct output *o)
{
	write_waiting(o);
	/* Also a network file system has told by then whether it kept the bytes. */
	if (!o->err)
		keep_error(o, fsync(o->fd));
	if (!o->err)
		keep_error(o, claim_rename(&o->claim, o->path) ? 0 : -1);
}

bool output_is_file(const struct output *o)
{
	return o->path != NULL;
}

/* The claim on the next file is taken before anything else is done that takes time: whoever tries
 * in between, as another run with the same file would, gets it. */
static bool next_file(struct output *o, char **why)
{
	struct claim published = o->claim;
	struct stat st;
	bool good;

	if (o->err) {
		(void)claim_close(&published); /* that it failed is known */
		published.fd = -1;
	}
	good = open_claimed(o, lstat(o->path, &st) < 0 ? NULL : &st, why);
	if (published.fd >= 0) {
		if (!o->err)
			keep_error(o, sync_folder(o->folder));
		keep_error(o, claim_close(&published));
	}
	if (!good)
		o->fd = -1;
	return good;
}

bool output_renew(struct output *o, char **error)
{
	char *why = NULL;
	int err = o->err;
	bool good = true;

	if (o->path) {
		if (o->fd >= 0)
			publish(o);
		else
			o->err = 0; /* what there was could not be kept, as has been told */
		good = next_file(o, &why);
		err = o->err;
		o->err = good ? 0 : EIO;
		buf_clear(&o->waiting);
	}
	if (err || why)
		*error = xasprintf("cannot write %s: %s", o->name, err ? strerror(err) : why);
	free(why);
	return !err && good;
}

/* Ends the file of our own: it appears, or, not kept, it is gone. */
static void end_file(struct output *o, bool keep)
{
	if (keep)
		publish(o);
	if (keep && !o->err)
		keep_error(o, sync_folder(o->folder));
	keep_error(o, claim_close(&o->claim));
	o->fd = -1;
	if (!keep)
		o->err = 0; /* nobody wanted it */
}

bool output_close(struct output *o, bool keep, char **error)
{
	bool good;

	if (o->path) {
		if (o->fd >= 0)
			end_file(o, keep);
		else if (!keep)
			o->err = 0; /* output_renew has told of it */
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

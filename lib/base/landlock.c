#include "base/landlock.h"

#ifndef __linux__

int landlock_enter(const struct sandbox *s, int newest)
{
	(void)s, (void)newest;
	return 0;
}

#else

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface as linux/landlock.h of a new kernel has it; that of the machine on which
 * this is built may be older, or missing, and says nothing about the one on which it runs. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_VERSION = 1 };                   /* flag: asks for the version only */
enum { RULE_BENEATH = 1, RULE_PORT };          /* kinds of rules */
enum { BIND_TCP = 1 };                         /* since version 4 */
enum { SCOPE_ABSTRACT = 1, SCOPE_SIGNAL = 2 }; /* since version 6 */
enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_FILE = 1 << 5,
	MAKE_REG = 1 << 8,
	FIRST_ALL = (1 << 13) - 1, /* of version 1 */
	REFER = 1 << 13,           /* 2: between folders */
	TRUNCATE = 1 << 14,        /* 3 */
	IOCTL_DEV = 1 << 15,       /* 5 */
	OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
};

struct ruleset {
	uint64_t files, net, scoped;
};

struct beneath {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct port {
	uint64_t access, port;
};

/* All that a version can forbid: what no rule allows is then forbidden. An older kernel takes the
 * whole struct as long as what it does not know is 0. */
static struct ruleset all_of(int version)
{
	struct ruleset r = {.files = FIRST_ALL};

	if (version >= 2)
		r.files |= REFER;
	if (version >= 3)
		r.files |= TRUNCATE;
	if (version >= 4)
		r.net = BIND_TCP;
	if (version >= 5)
		r.files |= IOCTL_DEV;
	if (version >= 6)
		r.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return r;
}

static uint64_t access_of(unsigned may)
{
	uint64_t access = 0;

	if (may & SANDBOX_READ)
		access |= READ_FILE | READ_DIR;
	if (may & SANDBOX_WRITE)
		access |= READ_FILE | WRITE_FILE | TRUNCATE;
	if (may & SANDBOX_NAMES)
		access |= READ_DIR | MAKE_REG | REMOVE_FILE;
	return access;
}

/* False: a path that is there could not be allowed, and what needs it would fail. */
static bool allow_path(int ruleset, const struct sandbox_path *p, uint64_t handled)
{
	struct beneath rule = {.access = access_of(p->may) & handled};
	struct stat st;
	bool done;

	rule.fd = open(p->path, O_PATH | O_CLOEXEC);
	if (rule.fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP;
	done = fstat(rule.fd, &st) == 0;
	if (done && !S_ISDIR(st.st_mode))
		rule.access &= OF_FILES;
	done = done && syscall(ADD_RULE, ruleset, RULE_BENEATH, &rule, 0) == 0;
	(void)close(rule.fd); /* it was a name only */
	return done;
}

/* A socket is bound to an address, never to a port of its choice. */
static bool allow_bind(int ruleset)
{
	const struct port rule = {.access = BIND_TCP, .port = 0};

	return syscall(ADD_RULE, ruleset, RULE_PORT, &rule, 0) == 0;
}

int landlock_enter(const struct sandbox *s, int newest)
{
	long version = syscall(CREATE_RULESET, NULL, 0, CREATE_VERSION);
	struct ruleset all;
	bool done;
	int fd;

	if (version < 1)
		return 0;
	if (version > newest)
		version = newest;
	all = all_of((int)version);
	fd = (int)syscall(CREATE_RULESET, &all, sizeof all, 0);
	if (fd < 0)
		return 0;
	done = !(s->bind && all.net) || allow_bind(fd);
	for (size_t i = 0; i < s->n && done; i++)
		done = allow_path(fd, &s->paths[i], all.files);
	done = done && syscall(RESTRICT_SELF, fd, 0) == 0;
	(void)close(fd); /* its rules hold without it */
	return done ? (int)version : 0;
}

#endif

/* A library to be loaded before all others (LD_PRELOAD): it stands between a program with its
 * libraries and libc, and lets one call fail. Calls are told apart by where they are made: the
 * function and the whole way to it, as places in the files of program and libraries.
 *
 *   FAULT_LOG=PATH       what was seen is appended there, a line each:
 *                          call SITE FUNCTION TIMES   each site, at the end, without FAULT_AT only
 *                          hit N FUNCTION             a call was made to fail, for the N-th time
 *                          at PLACE FILE OFFSET       and where, innermost first
 *                          open FD WHERE              a descriptor that is open at the end
 *                          end                        of the list: the program has ended in order
 *   FAULT_DEPTH=N        only the last N steps of the way count; 0: all
 *   FAULT_AT=SITE        what is to fail; with the three below
 *   FAULT_FROM=N         from its N-th call on, counted from 1
 *   FAULT_TIMES=N        so many calls; 0: all
 *   FAULT_ERROR=N        the errno; -1: it does only a part
 *
 * What libc calls by itself, past its own table of functions, cannot be met here: the system calls
 * inside fopen(), getaddrinfo() or dlopen(). Those functions fail as a whole instead. Let be are
 * those that cannot fail as they are called (getpid(), sigaction(), clock_gettime()), and what libc
 * and its loader do before main(). */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

enum { FRAMES = 64, SITES = 1 << 16, PLACES = 1 << 16, DESCRIPTORS = 4096 };
enum { DESCRIPTORS_OURS = 900 };
enum { FEW = 6 };
enum { PART = -1 }; /* as an error: only a part is done */

/* glibc's own names for what stands behind malloc() and the others: asking dlsym() for them would
 * allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static struct {
	uint64_t site;
	uint64_t step, steps; /* the last of the way, and the last few, to look at first */
	const char *name;
	unsigned times;
} sites[SITES];

/* Addresses as places in files, which stay what they are when those are loaded elsewhere. */
static struct {
	void *address;
	uint64_t place;
} places[PLACES];

static struct epoll_event watched[DESCRIPTORS];
static int watched_by[DESCRIPTORS]; /* epoll descriptor + 1 */

static bool ready, listing, aiming;
/* What we do ourselves is let be. Each thread's: libcurl looks names up in one of its own. */
static __thread bool inside __attribute__((tls_model("initial-exec")));
static bool taken; /* a lock for all that the threads share */
static uint64_t target, target_step, target_steps;
static unsigned long target_from, target_times, target_calls, hits;
static int target_error, depth;
static int log_fd = -1; /* from the start: later the program may have no right to open files */
static pid_t owner;

/* The function of that name that would have been called without us. */
static void *real_of(void **cache, const char *name)
{
	if (!*cache) {
		bool was = inside;

		inside = true;
		*cache = dlsym(RTLD_NEXT, name);
		inside = was;
	}
	return *cache;
}

#define REAL(name)                                                     \
	({                                                             \
		static void *cache_;                                   \
		(__typeof__(&name))(uintptr_t)real_of(&cache_, #name); \
	})

#define RAW(...) REAL(syscall)(__VA_ARGS__)

static uint64_t mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9E3779B97F4A7C15u + (h << 6) + (h >> 2);
	return h * 0xFF51AFD7ED558CCDu;
}

static uint64_t place_of(void *address)
{
	size_t i = (size_t)mix(1, (uintptr_t)address) % PLACES;
	Dl_info info;
	uint64_t h = 7;

	while (places[i].address && places[i].address != address)
		i = (i + 1) % PLACES;
	if (places[i].address)
		return places[i].place;
	if (!dladdr(address, &info) || !info.dli_fname)
		return 0;
	for (const char *s = info.dli_fname; *s; s++)
		h = *s == '/' ? 7 : mix(h, (unsigned char)*s);
	places[i].place = mix(h, (uint64_t)((char *)address - (char *)info.dli_fbase));
	places[i].address = address;
	return places[i].place;
}

/* The log is written past every library, and past ourselves. */
static void put(const char *text, size_t n)
{
	(void)!RAW(SYS_write, log_fd, text, n);
}

static void put_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void put_line(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	put(line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

static void put_hit(const char *name, void **frames, int n)
{
	char text[8192];
	int used = snprintf(text, sizeof text, "hit %lu %s\n", hits, name);
	Dl_info info;

	for (int i = 0; i < n && used < (int)sizeof text - 600; i++)
		if (dladdr(frames[i], &info) && info.dli_fname)
			used += snprintf(text + used, 512, "at %d %s %#tx\n", i, info.dli_fname,
					 (char *)frames[i] - (char *)info.dli_fbase);
	put(text, (size_t)used);
}

static void note(uint64_t site, uint64_t step, uint64_t steps, const char *name)
{
	size_t i = (size_t)site % SITES;

	while (sites[i].times && sites[i].site != site)
		i = (i + 1) % SITES;
	sites[i].site = site;
	sites[i].step = step;
	sites[i].steps = steps;
	sites[i].name = name;
	sites[i].times++;
}

static uint64_t hash_of(const char *name)
{
	uint64_t h = 11;

	for (const char *s = name; *s; s++)
		h = mix(h, (unsigned char)*s);
	return h;
}

static uint64_t way(void **frames, int n, uint64_t step)
{
	for (int i = 3; i < n && i < depth; i++) /* 0 and 1 are ours, 2 is the caller */
		step = mix(step, place_of(frames[i]));
	return step;
}

/* 0: let it be. Else the error with which this call is to fail. */
__attribute__((noinline)) static int fault(const char *name, void *caller)
{
	void *frames[FRAMES];
	int n, err = 0;
	uint64_t site, step, steps;

	if (!ready || inside || getpid() != owner)
		return 0;
	inside = true;
	while (__atomic_test_and_set(&taken, __ATOMIC_ACQUIRE))
		(void)RAW(SYS_sched_yield);
	/* More of the way is only looked at where the last of it fits: that is what costs time. */
	step = mix(hash_of(name), place_of(caller));
	if (aiming && step != target_step)
		goto out;
	steps = way(frames, backtrace(frames, FEW), step);
	if (aiming && steps != target_steps)
		goto out;
	n = backtrace(frames, depth < FRAMES ? depth : FRAMES);
	site = way(frames, n, step);
	if (listing)
		note(site, step, steps, name);
	if (aiming && site == target && ++target_calls >= target_from &&
	    (!target_times || target_calls < target_from + target_times)) {
		err = target_error;
		if (hits++ == 0)
			put_hit(name, frames + 2, n - 2);
	}
out:
	__atomic_clear(&taken, __ATOMIC_RELEASE);
	inside = false;
	return err;
}

static unsigned long number(const char *name, int base)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, base) : 0;
}

__attribute__((constructor)) static void begin(void)
{
	void *frames[4];
	const char *at = getenv("FAULT_AT"), *path = getenv("FAULT_LOG");

	(void)backtrace(frames, 4); /* it loads what it needs the first time */
	if (path) {
		int fd = (int)RAW(SYS_openat, AT_FDCWD, path,
				  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

		/* Out of the way: what the program opens gets the numbers it would get without us.
		 */
		log_fd = (int)RAW(SYS_fcntl, fd, F_DUPFD_CLOEXEC, DESCRIPTORS_OURS);
		(void)RAW(SYS_close, fd);
	}
	aiming = at != NULL;
	listing = !aiming;
	if (aiming) {
		char *end;

		target = strtoull(at, &end, 16);
		target_step = *end == ':' ? strtoull(end + 1, &end, 16) : 0;
		target_steps = *end == ':' ? strtoull(end + 1, &end, 16) : 0;
	}
	depth = (int)number("FAULT_DEPTH", 10) + 2;
	if (depth == 2)
		depth = FRAMES;
	target_from = number("FAULT_FROM", 10);
	target_times = number("FAULT_TIMES", 10);
	target_error = getenv("FAULT_ERROR") ? atoi(getenv("FAULT_ERROR")) : ENOMEM;
	owner = getpid();
	ready = log_fd >= 0;
}

/* By number: the sandbox lets no folder be opened, but a link be read. */
static void put_open(void)
{
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++) {
		char link[64], path[512];
		long n;

		if (fd == log_fd || RAW(SYS_fcntl, fd, F_GETFD) < 0)
			continue;
		(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		n = RAW(SYS_readlinkat, AT_FDCWD, link, path, sizeof path);
		put_line("open %d %.*s\n", fd, n > 0 ? (int)n : 0, path);
	}
}

static void finish(void)
{
	if (!ready || getpid() != owner)
		return;
	inside = true;
	for (size_t i = 0; listing && i < SITES; i++)
		if (sites[i].times)
			put_line("call %016llx:%016llx:%016llx %s %u\n",
				 (unsigned long long)sites[i].site,
				 (unsigned long long)sites[i].step,
				 (unsigned long long)sites[i].steps, sites[i].name, sites[i].times);
	put_open();
	put_line("end\n");
	ready = false;
}

/* After all others: what they leave open is left open. */
__attribute__((destructor)) static void end(void)
{
	finish();
}

void _exit(int status)
{
	if (ready && getpid() == owner && listing)
		finish();
	(void)RAW(SYS_exit_group, status);
	__builtin_unreachable();
}

/* ---- allocation ---- */

#define HERE __builtin_return_address(0)

void *malloc(size_t size)
{
	if (fault("malloc", HERE)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	if (fault("calloc", HERE)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	if (size && fault("realloc", HERE)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || fault("reallocarray", HERE)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, bytes);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	if (fault("posix_memalign", HERE))
		return ENOMEM;
	*p = __libc_memalign(alignment, size);
	return *p ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (fault("aligned_alloc", HERE)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
	return aligned_alloc(alignment, size);
}

void free(void *p)
{
	__libc_free(p);
}

/* ---- everything else ---- */

/* The plain ones: errno and -1 (or what is given). */
#define FAIL_OR(name, failure)           \
	int fault_ = fault(#name, HERE); \
	if (fault_ > 0) {                \
		errno = fault_;          \
		return failure;          \
	}

#define CALL(type, name, params, args)  \
	type name params                \
	{                               \
		FAIL_OR(name, (type)-1) \
		return REAL(name) args; \
	}

CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds))
CALL(int, bind, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len))
CALL(int, listen, (int fd, int backlog), (fd, backlog))
CALL(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len))
CALL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len))
CALL(int, getsockname, (int fd, struct sockaddr *name, socklen_t *len), (fd, name, len))
CALL(int, getpeername, (int fd, struct sockaddr *name, socklen_t *len), (fd, name, len))
CALL(int, shutdown, (int fd, int how), (fd, how))
CALL(int, pipe, (int fds[2]), (fds))
CALL(int, pipe2, (int fds[2], int flags), (fds, flags))
CALL(int, dup, (int fd), (fd))
CALL(int, dup2, (int fd, int to), (fd, to))
CALL(int, eventfd, (unsigned initial, int flags), (initial, flags))
CALL(int, epoll_create, (int size), (size))
CALL(int, epoll_create1, (int flags), (flags))
CALL(int, epoll_wait, (int epfd, struct epoll_event *events, int most, int timeout),
     (epfd, events, most, timeout))
CALL(int, timerfd_create, (int clock, int flags), (clock, flags))
CALL(int, timerfd_settime,
     (int fd, int flags, const struct itimerspec *value, struct itimerspec *old),
     (fd, flags, value, old))
CALL(int, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
CALL(int, fsync, (int fd), (fd))
CALL(int, fdatasync, (int fd), (fd))
CALL(int, ftruncate, (int fd, off_t size), (fd, size))
CALL(int, ftruncate64, (int fd, off64_t size), (fd, size))
CALL(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence))
CALL(off64_t, lseek64, (int fd, off64_t offset, int whence), (fd, offset, whence))
CALL(int, flock, (int fd, int operation), (fd, operation))
CALL(int, rename, (const char *from, const char *to), (from, to))
CALL(int, unlink, (const char *path), (path))
CALL(int, access, (const char *path, int mode), (path, mode))
CALL(int, stat, (const char *path, struct stat *st), (path, st))
CALL(int, lstat, (const char *path, struct stat *st), (path, st))
CALL(int, fstat, (int fd, struct stat *st), (fd, st))
CALL(int, stat64, (const char *path, struct stat64 *st), (path, st))
CALL(int, lstat64, (const char *path, struct stat64 *st), (path, st))
CALL(int, fstat64, (int fd, struct stat64 *st), (fd, st))
CALL(ssize_t, readlink, (const char *path, char *text, size_t size), (path, text, size))
CALL(int, chmod, (const char *path, mode_t mode), (path, mode))
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode))
CALL(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode))
CALL(int, gethostname, (char *name, size_t size), (name, size))
CALL(int, getrlimit, (__rlimit_resource_t what, struct rlimit *limit), (what, limit))
CALL(int, setrlimit, (__rlimit_resource_t what, const struct rlimit *limit), (what, limit))
CALL(ssize_t, readlinkat, (int at, const char *path, char *text, size_t size),
     (at, path, text, size))
CALL(int, munmap, (void *at, size_t n), (at, n))
CALL(int, tcgetattr, (int fd, struct termios *modes), (fd, modes))
CALL(int, tcsetattr, (int fd, int when, const struct termios *modes), (fd, when, modes))
CALL(pid_t, tcgetpgrp, (int fd), (fd))
CALL(int, nanosleep, (const struct timespec *span, struct timespec *left), (span, left))

/* Interrupted, these go on by themselves, or are done: the caller is only told later. */
int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int err = fault("connect", HERE);

	if (err == EINTR)
		(void)REAL(connect)(fd, to, len);
	if (err > 0) {
		errno = err;
		return -1;
	}
	return REAL(connect)(fd, to, len);
}

int close(int fd)
{
	int err = fault("close", HERE);
	int closed = REAL(close)(fd);

	if (err > 0) {
		errno = err;
		return -1;
	}
	return closed;
}

DIR *opendir(const char *path)
{
	FAIL_OR(opendir, NULL)
	return REAL(opendir)(path);
}

int closedir(DIR *dir)
{
	int err = fault("closedir", HERE);
	int closed = REAL(closedir)(dir);

	if (err > 0) {
		errno = err;
		return -1;
	}
	return closed;
}

struct dirent *readdir(DIR *dir)
{
	FAIL_OR(readdir, NULL)
	return REAL(readdir)(dir);
}

char *getcwd(char *to, size_t size)
{
	FAIL_OR(getcwd, NULL)
	return REAL(getcwd)(to, size);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *arg)
{
	int err = fault("pthread_create", HERE);

	return err > 0 ? err : REAL(pthread_create)(thread, how, run, arg);
}

char *realpath(const char *path, char *to)
{
	FAIL_OR(realpath, NULL)
	return REAL(realpath)(path, to);
}

int prctl(int what, ...)
{
	unsigned long a[4];
	va_list ap;

	FAIL_OR(prctl, -1)
	va_start(ap, what);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return REAL(prctl)(what, a[0], a[1], a[2], a[3]);
}

/* Of the sandbox, and of what a library knows better than libc. */
long syscall(long what, ...)
{
	long a[6];
	va_list ap;

	FAIL_OR(syscall, -1)
	va_start(ap, what);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return RAW(what, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int isatty(int fd)
{
	FAIL_OR(isatty, 0)
	return REAL(isatty)(fd);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	FAIL_OR(mmap, MAP_FAILED)
	return (void *)RAW(SYS_mmap, at, n, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t offset)
{
	FAIL_OR(mmap64, MAP_FAILED)
	return (void *)RAW(SYS_mmap, at, n, protection, flags, fd, offset);
}

/* Edge-triggered: a real EAGAIN is followed by an edge. A made-up one needs one made for it. */
int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	int done;

	FAIL_OR(epoll_ctl, -1)
	done = REAL(epoll_ctl)(epfd, op, fd, event);
	if (done == 0 && fd >= 0 && fd < DESCRIPTORS) {
		watched_by[fd] = op == EPOLL_CTL_DEL ? 0 : epfd + 1;
		if (event && op != EPOLL_CTL_DEL)
			watched[fd] = *event;
	}
	return done;
}

static void edge(int fd, int err)
{
	if ((err == EAGAIN || err == ENOBUFS) && fd >= 0 && fd < DESCRIPTORS && watched_by[fd])
		(void)REAL(epoll_ctl)(watched_by[fd] - 1, EPOLL_CTL_MOD, fd, &watched[fd]);
	errno = err;
}

/* Reading and writing: a failure, or one octet of what was asked for. */
#define MOVE(name, params, fd, n, args)        \
	ssize_t name params                    \
	{                                      \
		int err_ = fault(#name, HERE); \
		if (err_ > 0) {                \
			edge(fd, err_);        \
			return -1;             \
		}                              \
		if (err_ == PART && n > 1)     \
			n = 1;                 \
		return REAL(name) args;        \
	}

ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags);

MOVE(read, (int fd, void *to, size_t n), fd, n, (fd, to, n))
MOVE(__read_chk, (int fd, void *to, size_t n, size_t room), fd, n, (fd, to, n, room))
MOVE(write, (int fd, const void *from, size_t n), fd, n, (fd, from, n))
MOVE(pread, (int fd, void *to, size_t n, off_t at), fd, n, (fd, to, n, at))
MOVE(pread64, (int fd, void *to, size_t n, off64_t at), fd, n, (fd, to, n, at))
MOVE(pwrite, (int fd, const void *from, size_t n, off_t at), fd, n, (fd, from, n, at))
MOVE(pwrite64, (int fd, const void *from, size_t n, off64_t at), fd, n, (fd, from, n, at))
MOVE(recv, (int fd, void *to, size_t n, int flags), fd, n, (fd, to, n, flags))
MOVE(__recv_chk, (int fd, void *to, size_t n, size_t room, int flags), fd, n,
     (fd, to, n, room, flags))
MOVE(send, (int fd, const void *from, size_t n, int flags), fd, n, (fd, from, n, flags))
MOVE(sendto,
     (int fd, const void *from, size_t n, int flags, const struct sockaddr *to, socklen_t len), fd,
     n, (fd, from, n, flags, to, len))
MOVE(recvfrom, (int fd, void *to, size_t n, int flags, struct sockaddr *from, socklen_t *len), fd,
     n, (fd, to, n, flags, from, len))
MOVE(readv, (int fd, const struct iovec *v, int n), fd, n, (fd, v, n))
MOVE(writev, (int fd, const struct iovec *v, int n), fd, n, (fd, v, n))

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	int err = fault("recvmsg", HERE);

	if (err > 0) {
		edge(fd, err);
		return -1;
	}
	return REAL(recvmsg)(fd, m, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	int err = fault("sendmsg", HERE);

	if (err > 0) {
		edge(fd, err);
		return -1;
	}
	return REAL(sendmsg)(fd, m, flags);
}

int recvmmsg(int fd, struct mmsghdr *v, unsigned n, int flags, struct timespec *limit)
{
	int err = fault("recvmmsg", HERE);

	if (err > 0) {
		edge(fd, err);
		return -1;
	}
	return REAL(recvmmsg)(fd, v, err == PART ? 1 : n, flags, limit);
}

int sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
	int err = fault("sendmmsg", HERE);

	if (err > 0) {
		edge(fd, err);
		return -1;
	}
	return REAL(sendmmsg)(fd, v, err == PART ? 1 : n, flags);
}

ssize_t getrandom(void *to, size_t n, unsigned flags)
{
	int err = fault("getrandom", HERE);

	if (err > 0) {
		errno = err;
		return -1;
	}
	return RAW(SYS_getrandom, to, err == PART && n > 1 ? 1 : n, flags);
}

int getentropy(void *to, size_t n)
{
	FAIL_OR(getentropy, -1)
	return REAL(getentropy)(to, n);
}

/* Those with an argument more, or without it. */
#define OPEN(name)                                                         \
	int name(const char *path, int flags, ...)                         \
	{                                                                  \
		va_list ap_;                                               \
		mode_t mode_ = 0;                                          \
		FAIL_OR(name, -1)                                          \
		if (flags & (O_CREAT | __O_TMPFILE)) {                     \
			va_start(ap_, flags);                              \
			mode_ = va_arg(ap_, mode_t);                       \
			va_end(ap_);                                       \
		}                                                          \
		return (int)RAW(SYS_openat, AT_FDCWD, path, flags, mode_); \
	}
OPEN(open)
OPEN(open64)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
CALL(int, __open_2, (const char *path, int flags), (path, flags))
CALL(int, __open64_2, (const char *path, int flags), (path, flags))

#define CONTROL(name, type)                        \
	int name(int fd, type what, ...)           \
	{                                          \
		va_list ap_;                       \
		void *arg_;                        \
		FAIL_OR(name, -1)                  \
		va_start(ap_, what);               \
		arg_ = va_arg(ap_, void *);        \
		va_end(ap_);                       \
		return REAL(name)(fd, what, arg_); \
	}
CONTROL(fcntl, int)
CONTROL(fcntl64, int)
CONTROL(ioctl, unsigned long)

/* Functions of libc that make system calls by themselves. */
enum { ERROR_SEEN = 0x20 }; /* glibc's _IO_ERR_SEEN: what ferror() looks at */

FILE *fopen(const char *path, const char *mode)
{
	FAIL_OR(fopen, NULL)
	return REAL(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
	FAIL_OR(fopen64, NULL)
	return REAL(fopen64)(path, mode);
}

int fflush(FILE *file)
{
	FAIL_OR(fflush, EOF)
	return REAL(fflush)(file);
}

int fclose(FILE *file)
{
	int err = fault("fclose", HERE);
	int closed = REAL(fclose)(file);

	if (err > 0) {
		errno = err;
		return EOF;
	}
	return closed;
}

char *fgets(char *to, int n, FILE *file)
{
	int err = fault("fgets", HERE);

	if (err > 0) {
		file->_flags |= ERROR_SEEN;
		errno = err;
		return NULL;
	}
	return REAL(fgets)(to, n, file);
}

size_t fread(void *to, size_t size, size_t n, FILE *file)
{
	int err = fault("fread", HERE);

	if (err > 0) {
		file->_flags |= ERROR_SEEN;
		errno = err;
		return 0;
	}
	return REAL(fread)(to, size, n, file);
}

/* Writing, where the buffer is full or there is none. */
#define PUT(type, name, params, file, failure, args)  \
	type name params                              \
	{                                             \
		int err_ = fault(#name, HERE);        \
		if (err_ > 0) {                       \
			(file)->_flags |= ERROR_SEEN; \
			errno = err_;                 \
			return failure;               \
		}                                     \
		return REAL(name) args;               \
	}

int __vfprintf_chk(FILE *file, int flag, const char *fmt, va_list ap);
int __fprintf_chk(FILE *file, int flag, const char *fmt, ...);

PUT(size_t, fwrite, (const void *from, size_t size, size_t n, FILE *file), file, 0,
    (from, size, n, file))
PUT(int, fputc, (int c, FILE *file), file, EOF, (c, file))
PUT(int, fputs, (const char *text, FILE *file), file, EOF, (text, file))
PUT(int, puts, (const char *text), stdout, EOF, (text))
PUT(int, __vfprintf_chk, (FILE * file, int flag, const char *fmt, va_list ap), file, -1,
    (file, flag, fmt, ap))

int __fprintf_chk(FILE *file, int flag, const char *fmt, ...)
{
	int err = fault("__fprintf_chk", HERE), n;
	va_list ap;

	if (err > 0) {
		file->_flags |= ERROR_SEEN;
		errno = err;
		return -1;
	}
	va_start(ap, fmt);
	n = REAL(__vfprintf_chk)(file, flag, fmt, ap);
	va_end(ap);
	return n;
}

ssize_t __getdelim(char **line, size_t *n, int end, FILE *file);
ssize_t __getdelim(char **line, size_t *n, int end, FILE *file)
{
	int err = fault("__getdelim", HERE);

	if (err > 0) {
		file->_flags |= ERROR_SEEN;
		errno = err;
		return -1;
	}
	return REAL(__getdelim)(line, n, end, file);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	int err = fault("getaddrinfo", HERE);

	if (err > 0) {
		errno = err;
		return err == ENOMEM ? EAI_MEMORY : err == EAGAIN ? EAI_AGAIN : EAI_SYSTEM;
	}
	return REAL(getaddrinfo)(node, service, hints, result);
}

void *dlopen(const char *file, int flags)
{
	if (fault("dlopen", HERE)) {
		/* Leaves words for dlerror() as a real failure does. */
		return REAL(dlopen)("libno-such-library.so", flags);
	}
	return REAL(dlopen)(file, flags);
}

void *mremap(void *at, size_t n, size_t wanted, int flags, ...)
{
	va_list ap;
	void *to;

	FAIL_OR(mremap, MAP_FAILED)
	va_start(ap, flags);
	to = va_arg(ap, void *);
	va_end(ap);
	return REAL(mremap)(at, n, wanted, flags, to);
}

unsigned if_nametoindex(const char *name);
unsigned if_nametoindex(const char *name)
{
	FAIL_OR(if_nametoindex, 0)
	return REAL(if_nametoindex)(name);
}

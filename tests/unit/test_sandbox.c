/* What the sandbox denies and what it leaves, tried from inside: each test forks, enters, and
 * tries. Where the kernel lacks a piece, its test is skipped. */
#include "base/sandbox.h"

#include "base/landlock.h"
#include "base/seccomp.h"
#include "support/apart.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void words(void **state)
{
	static const struct {
		struct sandbox_state state;
		const char *words;
	} rows[] = {
	    {{true, 7, true, false},
	     "no new privileges, files by Landlock 7, system calls by seccomp"},
	    {{true, 0, true, false},
	     "no new privileges, files not confined (no Landlock), system calls by seccomp"},
	    {{false, 0, false, false},
	     "new privileges not ruled out, files not confined (no Landlock), system calls not "
	     "confined (no seccomp)"},
	    {{false, 0, false, true}, "pledge and unveil"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = sandbox_words(&rows[i].state);

		assert_string_equal(text, rows[i].words);
		free(text);
	}
}

#ifdef __linux__

#include <linux/sched.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define DENIED(call, err) (errno = 0, (call) == -1 && errno == (err))

/* ---- files ---- */

static char folder[64];

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void make(const char *name)
{
	char *path = in_folder(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(close(fd), 0);
	free(path);
}

static int set_up(void **state)
{
	static const char *const folders[] = {"read", "names", "other"};

	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/mxprobe-sandbox-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char *path = in_folder(folders[i]);

		assert_int_equal(mkdir(path, 0700), 0);
		free(path);
	}
	make("read/file");
	make("names/old");
	make("other/file");
	make("written");
	return 0;
}

static void empty(const char *path)
{
	DIR *dir = opendir(path);

	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlinkat(dirfd(dir), e->d_name, 0) < 0) {
			char *sub = xasprintf("%s/%s", path, e->d_name);

			empty(sub);
			(void)rmdir(sub);
			free(sub);
		}
	}
	if (dir)
		(void)closedir(dir);
}

static int tear_down(void **state)
{
	(void)state;
	empty(folder);
	return rmdir(folder);
}

/* Opened and closed again; -1: it cannot be. */
static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static int binds(uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), bound;

	MUST(fd >= 0);
	bound = bind(fd, (struct sockaddr *)&sa, sizeof sa);
	(void)close(fd);
	return bound;
}

struct landlock_case {
	int newest;
	bool bind;
	int got; /* shared with the child */
};

static void try_files(void *arg)
{
	const struct landlock_case *c = arg;
	struct sandbox s = {.bind = c->bind};
	int before, version;

	MUST(chdir(folder) == 0);
	before = open("other/before", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	MUST(before >= 0);
	sandbox_allow(&s, "read", SANDBOX_READ);
	sandbox_allow(&s, "written", SANDBOX_WRITE);
	sandbox_allow(&s, "names", SANDBOX_NAMES);
	sandbox_allow(&s, "missing", SANDBOX_READ);
	sandbox_allow(&s, "read/file/not-a-folder", SANDBOX_WRITE);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	version = landlock_enter(&s, c->newest);
	if (!version)
		_exit(APART_SKIPPED);
	MUST(version <= c->newest);

	/* What is allowed. */
	MUST(opens("read/file", O_RDONLY) == 0);
	MUST(opens("read", O_RDONLY | O_DIRECTORY) == 0);
	MUST(opens("written", O_RDWR | O_TRUNC) == 0);
	MUST(truncate("written", 1) == 0);
	MUST(opens("names", O_RDONLY | O_DIRECTORY) == 0);
	MUST(rename("names/old", "names/new") == 0);
	MUST(unlink("names/new") == 0);
	MUST(write(before, "x", 1) == 1);

	/* What is not. */
	MUST(DENIED(opens("read/file", O_WRONLY), EACCES));
	MUST(DENIED(opens("read/made", O_WRONLY | O_CREAT), EACCES));
	MUST(DENIED(unlink("read/file"), EACCES));
	MUST(DENIED(unlink("written"), EACCES));
	MUST(DENIED(opens("names/made", O_WRONLY | O_CREAT), EACCES)); /* made, but not opened */
	MUST(unlink("names/made") == 0);
	MUST(DENIED(mkdir("names/made", 0700), EACCES));
	MUST(DENIED(symlink("/etc", "names/made"), EACCES));
	MUST(DENIED(mkfifo("names/made", 0600), EACCES));
	MUST(DENIED(opens("other/file", O_RDONLY), EACCES));
	MUST(DENIED(opens("other/file", O_WRONLY), EACCES));
	MUST(DENIED(opens("other", O_RDONLY | O_DIRECTORY), EACCES));
	MUST(DENIED(opens("other/made", O_WRONLY | O_CREAT), EACCES));
	MUST(DENIED(unlink("other/file"), EACCES));
	MUST(DENIED(opens("/etc/passwd", O_RDONLY), EACCES));
	MUST(DENIED(opens("/proc/self/mem", O_RDWR), EACCES));
	MUST(DENIED(opens("/tmp", O_RDONLY | O_DIRECTORY), EACCES));
	MUST(DENIED(opens("/tmp", O_RDWR | O_TMPFILE), EACCES));
	MUST(DENIED(link("read/file", "names/link"), EXDEV) || errno == EACCES);
	MUST(DENIED(rename("other/file", "names/moved"), EXDEV) || errno == EACCES);
	MUST(DENIED(execl("/bin/true", "true", (char *)NULL), EACCES));
	if (version >= 3)
		MUST(DENIED(truncate("other/file", 0), EACCES));
	if (version >= 4) {
		MUST(DENIED(binds(2525), EACCES));
		MUST(c->bind ? binds(0) == 0 : DENIED(binds(0), EACCES));
	}
	if (version >= 6)
		MUST(DENIED(kill(getppid(), 0), EPERM));
}

/* As kernels of any age would have it. */
static void files(void **state)
{
	struct landlock_case c = {.bind = false};

	(void)state;
	for (c.newest = 1; c.newest <= LANDLOCK_NEWEST; c.newest++) {
		c.bind = !c.bind;
		apart(try_files, &c);
		make("names/old");
		make("other/file");
		make("read/file");
	}
}

/* A rule that cannot be made for want of descriptors leaves the files as they were: what is needed
 * must not fail. */
static void try_without_descriptors(void *arg)
{
	struct sandbox s = {0};
	int last = -1;

	(void)arg;
	sandbox_allow(&s, folder, SANDBOX_READ);
	for (int fd; (fd = dup(STDERR_FILENO)) >= 0;)
		last = fd;
	MUST(errno == EMFILE && last >= 0);
	(void)close(last); /* this one is for the rules, none is left for the paths */
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(landlock_enter(&s, LANDLOCK_NEWEST) == 0);
	MUST(opens("/etc/passwd", O_RDONLY) == 0);
}

static void all_or_nothing(void **state)
{
	(void)state;
	apart(try_without_descriptors, NULL);
}

/* ---- system calls ---- */

static void *in_thread(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static void enter_filter(void)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (!seccomp_enter())
		_exit(APART_SKIPPED);
	MUST(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
}

/* What a probe, and the libraries it uses, go on doing. */
static void try_allowed(void *arg)
{
	static const int families[] = {AF_INET, AF_INET6};
	int pair[2], ran = 0;
	pthread_t thread;

	(void)arg;
	enter_filter();
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		static const struct {
			int type, protocol;
		} rows[] = {{SOCK_STREAM, 0},
			    {SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP},
			    {SOCK_DGRAM | SOCK_CLOEXEC, 0},
			    {SOCK_DGRAM, IPPROTO_UDP}};

		for (size_t j = 0; j < ARRAY_LEN(rows); j++)
			MUST(socket(families[i], rows[j].type, rows[j].protocol) >= 0 ||
			     errno == EAFNOSUPPORT);
	}
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	MUST(pipe(pair) == 0);
	MUST(pthread_create(&thread, NULL, in_thread, &ran) == 0);
	MUST(pthread_join(thread, NULL) == 0 && ran);
	MUST(kill(getpid(), 0) == 0);
	MUST(signal(SIGUSR1, SIG_IGN) != SIG_ERR && raise(SIGUSR1) == 0);
	MUST(opens("/etc/passwd", O_RDONLY) == 0); /* files are Landlock's */
	MUST(fchmod(open("/dev/null", O_RDONLY), 0666) == 0 || errno == EPERM || errno == EROFS);
	MUST(ioctl(pair[0], FIONREAD, &ran) == 0);
}

static void allowed(void **state)
{
	(void)state;
	apart(try_allowed, NULL);
}

static void try_denied(void *arg)
{
	static const int sockets[][3] = {
	    {AF_INET, SOCK_RAW, IPPROTO_TCP},
	    {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
	    {AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
	    {AF_INET, SOCK_STREAM, 262 /* MPTCP */},
	    {AF_INET, SOCK_SEQPACKET, 132 /* SCTP */},
	    {AF_PACKET, SOCK_RAW, 0},
	    {AF_PACKET, SOCK_DGRAM, 0},
	    {AF_NETLINK, SOCK_RAW, 0},
	    {AF_NETLINK, SOCK_DGRAM, 12 /* netfilter */},
	    {AF_UNIX, SOCK_STREAM, 0},
	    {38 /* AF_ALG */, SOCK_SEQPACKET, 0},
	    {40 /* AF_VSOCK */, SOCK_STREAM, 0},
	    {44 /* AF_XDP */, SOCK_RAW, 0},
	};
	char *const none[] = {NULL};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	int fd;

	(void)arg;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	enter_filter();
	MUST(DENIED(execve("/bin/true", none, none), EPERM));
	MUST(DENIED(syscall(SYS_execveat, AT_FDCWD, "/bin/true", none, none, 0), EPERM));
#ifndef SANDBOX_SANITIZED
	MUST(DENIED(fork(), EPERM));
	MUST(DENIED(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM));
#endif
	MUST(DENIED(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM));
	MUST(DENIED(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0), EPERM));
	MUST(DENIED(syscall(435 /* clone3 */, NULL, 0), ENOSYS));
	MUST(DENIED(unshare(CLONE_NEWUSER), EPERM));
	MUST(DENIED(setns(fd, 0), EPERM));
	MUST(DENIED(process_vm_readv(getpid(), &iov, 1, &iov, 1, 0), EPERM));
	MUST(DENIED(process_vm_writev(getpid(), &iov, 1, &iov, 1, 0), EPERM));
	MUST(DENIED(kill(getppid(), 0), EPERM));
	MUST(DENIED(kill(0, 0), EPERM));
	MUST(DENIED(kill(-1, 0), EPERM));
	MUST(DENIED(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM));
	MUST(DENIED(syscall(434 /* pidfd_open */, getppid(), 0), EPERM));
	for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
		MUST(DENIED(socket(sockets[i][0], sockets[i][1], sockets[i][2]), EPERM));
	MUST(DENIED(listen(fd, 1), EPERM));
	MUST(DENIED(accept(fd, NULL, NULL), EPERM));
	MUST(DENIED(setuid(getuid()), EPERM));
	MUST(DENIED(setgid(getgid()), EPERM));
	MUST(DENIED(chroot("/"), EPERM));
	MUST(DENIED(syscall(SYS_mount, NULL, "/", NULL, 0, NULL), EPERM));
	MUST(DENIED(syscall(430 /* fsopen */, "tmpfs", 0), EPERM));
	MUST(DENIED(chmod(folder, 0755), EPERM));
	MUST(DENIED(chown(folder, getuid(), getgid()), EPERM));
	MUST(DENIED(mkdir("/tmp/x", 0700), EPERM));
	MUST(DENIED(symlink("/etc", "/tmp/x"), EPERM));
	MUST(DENIED(link(folder, "/tmp/x"), EPERM));
	MUST(DENIED(syscall(SYS_init_module, NULL, 0, ""), EPERM));
	MUST(DENIED(syscall(SYS_kexec_load, 0, 0, NULL, 0), EPERM));
	MUST(DENIED(syscall(SYS_bpf, 0, NULL, 0), EPERM));
	MUST(DENIED(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0), EPERM));
	MUST(DENIED(syscall(SYS_userfaultfd, 0), EPERM));
	MUST(DENIED(syscall(SYS_keyctl, 0, 0), EPERM));
	MUST(DENIED(syscall(425 /* io_uring_setup */, 1, NULL), EPERM));
	MUST(DENIED(ioctl(STDIN_FILENO, TIOCSTI, &byte), EPERM));
	MUST(DENIED(syscall(SYS_ioctl, STDIN_FILENO, TIOCSTI | 1UL << 32, &byte), EPERM));
#if defined __x86_64__ && !defined __ILP32__
	MUST(DENIED(syscall(__X32_SYSCALL_BIT | SYS_getpid), EPERM)); /* ENOSYS without */
#endif
}

static void denied(void **state)
{
	(void)state;
	apart(try_denied, NULL);
}

#if defined __x86_64__ && !defined __ILP32__
static void skip_it(int number)
{
	(void)number;
	_exit(APART_SKIPPED);
}

/* 32-bit calls have other numbers: 11 is execve there, 20 is getpid. */
static void try_32_bit(void *arg)
{
	long answer;

	(void)arg;
	enter_filter();
	(void)signal(SIGSEGV, skip_it); /* a kernel without such calls */
	__asm__ volatile("int $0x80" : "=a"(answer) : "0"(20L) : "memory");
	MUST((int)answer == -EPERM);
}

static void numbers_of_32_bit(void **state)
{
	(void)state;
	apart(try_32_bit, NULL);
}
#endif

/* ---- all of it ---- */

static void try_all(void *arg)
{
	struct sandbox s = {0};
	struct sandbox_state got, again;

	(void)arg;
	got = sandbox_enter(&s);
	MUST(got.privileges && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(!got.pledge);
	MUST(got.calls == (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2));
	MUST((got.landlock != 0) == DENIED(opens("/etc/passwd", O_RDONLY), EACCES));
	/* Once more does no harm, nor does it open anything. */
	sandbox_allow(&s, "/etc", SANDBOX_READ);
	again = sandbox_enter(&s);
	MUST(again.privileges && again.calls == got.calls);
	MUST(!got.landlock || DENIED(opens("/etc/passwd", O_RDONLY), EACCES));
}

static void all(void **state)
{
	(void)state;
	apart(try_all, NULL);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
#ifdef __linux__
		cmocka_unit_test_setup_teardown(files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_or_nothing, set_up, tear_down),
		cmocka_unit_test(allowed),
		cmocka_unit_test(denied),
#if defined __x86_64__ && !defined __ILP32__
		cmocka_unit_test(numbers_of_32_bit),
#endif
		cmocka_unit_test(all),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Torture: every call for memory and every system call that mxprobe or one of its libraries makes
 * is made to fail, one a run (see fault.c), and what the run then says is compared with what an
 * undisturbed one does. It may
 *
 *   - say the same (the failure did not matter, or was mended),
 *   - leave something out and say so (skipped, an error, a line on standard error), or
 *   - end with exit 3 and a line on standard error,
 *
 * but never crash, hang, leave a descriptor open, give a class that the server did not earn, or
 * leave a half-written file.
 *
 * With TORTURE=1 each place, known by the whole way to it, is tried with each error that fits, at
 * its first, middle and last call, and for good; a place where memory is asked for, at its first
 * and last call, in the first scene that comes by. Without it a place is known by its last two
 * steps, and is tried once. ONLY_SCENE: only that one, ONLY_CALL: only those with that in their
 * name. */
#include "base/buf.h"
#include "base/map.h"
#include "cli/options.h"
#include "history/history.h"
#include "net/http.h"
#include "support/lab.h"
#include "support/receiver.h"
#include "support/screen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PART = -1 }; /* as in fault.c */
enum { WORDS_MAX = 64, SHOWN_MAX = 12, LISTINGS = 3, AGAIN = 2 };
enum { LINES = 60, COLUMNS = 160 };        /* of a terminal */
enum { EARLIER = 2, EARLIER_TARGETS = 2 }; /* runs in a history, and targets of each */
/* Far above what any run takes on a busy machine, and a few times the minute for which others are
 * waited for that hold a history. */
#define HANGS (300 * USEC_PER_SEC)

/* ---- what is run ---- */

struct scene {
	const char *name;
	const char *lab; /* of tests/lab/scenarios; NULL: the world below */
	const char *args;
	bool bare;     /* without --resolver and -F */
	bool history;  /* there is one, from earlier runs */
	bool terminal; /* standard output is one */
	bool watch;    /* so is standard input, and somebody types `q` in the second round */
	bool hook;     /* "@HOOK@" among the words is a URL where somebody takes webhooks */
	bool waits;    /* each run of it does little else for a second or more */
};

static const char world[] = "rr good.example 300 MX 10 mx1.good.example\n"
			    "rr good.example 300 MX 20 mx2.good.example\n"
			    "rr mx1.good.example A 127.0.77.1\n"
			    "rr mx2.good.example A 127.0.77.2\n"
			    "smtp 127.0.77.1\n"
			    "    certificate good mx1.good.example\n"
			    "tlsa mx1.good.example 127.0.77.1 3 1 1\n"
			    "smtp 127.0.77.2\n"
			    "    certificate expired mx2.good.example\n"
			    "rr sick.example MX 10 mx1.sick.example\n"
			    "rr sick.example MX 10 mx2.sick.example\n"
			    "rr sick.example MX 10 mx3.sick.example\n"
			    "rr mx1.sick.example A 127.0.77.3\n"
			    "rr mx2.sick.example A 127.0.77.4\n"
			    "smtp 127.0.77.3\n"
			    "    mail say \"452 4.3.1 Out of memory\"\n"
			    "smtp 127.0.77.4 refuse\n"
			    /* An answer of several hundred octets, too long for UDP. */
			    "rr long.example MX 10 mx1.good.example\n"
			    "dns long.example MX udp truncate\n"
			    "rr alias.example CNAME good.example\n"
			    "rr null.example MX 0 .\n"
			    "rr xn--mnchen-3ya.example A 127.0.77.5\n"
			    "smtp 127.0.77.5\n"
			    "rr _mta-sts.sts.example TXT \"v=STSv1; id=1;\"\n"
			    "rr mta-sts.sts.example A 127.0.77.6\n"
			    "rr sts.example MX 10 mx1.good.example\n"
			    /* A server whose handshake fails: senders go on without TLS. */
			    "rr fallback.example A 127.0.77.7\n"
			    "smtp 127.0.77.7\n"
			    "    certificate none\n"
			    "dns * * ad\n";

static const char targets[] = "# of a queue\n"
			      "good.example\n"
			      "sick.example\n"
			      "long.example\n"
			      "alias.example\n"
			      "null.example\n"
			      "nowhere.example\n"
			      "m\xC3\xBCnchen.example\n"
			      "someone@sts.example\n"
			      "[127.0.77.1]\n"
			      "not a target\n";

static const char replies[] =
    "452 4.3.1 Insufficient system resources\n"
    "550-5.7.1 no\\n550 5.7.1 never\n"
    "Nov 22 postfix/smtp[1]: 3F: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, dsn=4.2.2, "
    "status=deferred (host mx.b.example[192.0.2.1] said: 452 4.2.2 full (in reply to MAIL FROM "
    "command))\n"
    "nothing of the kind\n";

static const struct scene scenes[] = {
    {.name = "demo", .lab = "msn", .args = "--connect-timeout 1 msn.com", .waits = true},
    {.name = "json",
     .args =
	 "--tls dane --mta-sts --history history --confirm 2 --keep 30d --json -o out --explain "
	 "-n 2 --interval 0 -i targets --control [mx1.good.example] -D 14,7 -v -v --jitter 0.01 "
	 "--rate 500 --per-address 2 -j 20 --deadline 60 --bind 127.0.0.1",
     .history = true},
    {.name = "verify", .args = "--tls verify --prometheus -o out -i targets"},
    {.name = "plugin",
     .args = "--nagios -v -D 14,7 -w 5 -c 90% --warning-time 9 --tls auto -H good.example -H "
	     "sick.example -H fallback.example"},
    {.name = "table",
     .args = "--explain -v --tls auto --color always --sender postfix --webhook @HOOK@ "
	     "--webhook-on always fallback.example sick.example good.example",
     .hook = true},
    {.name = "terminal",
     .args = "--tls auto --explain fallback.example sick.example",
     .terminal = true},
    {.name = "watch",
     .args = "--watch=1 --history history --webhook @HOOK@ --webhook-on always "
	     "--webhook-secret secret good.example sick.example",
     .history = true,
     .terminal = true,
     .watch = true,
     .hook = true,
     .waits = true},
    {.name = "changes",
     .args = "--json -o out --history history --webhook @HOOK@ --webhook-on problem "
	     "--webhook-secret secret good.example sick.example",
     .history = true,
     .hook = true},
    {.name = "own name", .args = "--tls off [127.0.77.1] [127.0.77.4]", .bare = true},
    {.name = "own rights",
     .args = "--json -q -S -4 --trust-ad --no-sandbox -f me@example.org -t 20 -i -"},
    {.name = "nobody",
     .args = "--nagios -6 --public-only --critical-time 9 good.example [IPv6:::1]"},
    {.name = "classify", .args = "--classify -i replies -o out"},
    {.name = "classify --json", .args = "--classify --json -i replies"},
    {.name = "report", .args = "--history history --report=30d good.example", .history = true},
    {.name = "report --json", .args = "--history history --report --json", .history = true},
    {.name = "report --html",
     .args = "--history history --report --html -o out good.example sick.example",
     .history = true},
    {.name = "help", .args = "--help"},
    {.name = "version", .args = "--version"},
};

/* ---- what can fail, and how ---- */

struct kind {
	const char *function;
	int errors[8]; /* ends with 0 */
	int lasting;   /* one that may be there for good; 0: none */
};

/* Those of the network itself (ECONNRESET, EPIPE, ECONNREFUSED): what the server is then said to be
 * is right. */
static const struct kind kinds[] = {
    {"malloc", {ENOMEM}, 0},
    {"calloc", {ENOMEM}, 0},
    {"realloc", {ENOMEM}, 0},
    {"reallocarray", {ENOMEM}, 0},
    {"posix_memalign", {ENOMEM}, 0},
    {"aligned_alloc", {ENOMEM}, 0},
    {"mmap", {ENOMEM}, ENOMEM},
    {"mmap64", {ENOMEM}, ENOMEM},
    {"socket", {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES}, EMFILE},
    {"socketpair", {EMFILE, ENFILE, ENOBUFS}, EMFILE},
    {"pipe", {EMFILE, ENFILE}, EMFILE},
    {"pipe2", {EMFILE, ENFILE}, EMFILE},
    {"eventfd", {EMFILE, ENFILE, ENOMEM}, EMFILE},
    {"dup", {EMFILE, EBADF}, EMFILE},
    {"dup2", {EMFILE, EINTR}, EMFILE},
    {"bind", {EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM}, EADDRNOTAVAIL},
    {"connect", {EINTR, EAGAIN, ENOBUFS, ENOMEM, EADDRNOTAVAIL, ENETUNREACH, EPERM}, EPERM},
    {"getsockopt", {ENOBUFS, ENOMEM}, ENOBUFS},
    {"setsockopt", {ENOBUFS, ENOMEM}, ENOMEM},
    {"getsockname", {ENOBUFS}, ENOBUFS},
    {"getpeername", {ENOBUFS}, ENOBUFS},
    {"send", {EINTR, EAGAIN, ENOBUFS, ENOMEM, ECONNRESET, EPIPE, PART}, 0},
    {"sendto", {EINTR, EAGAIN, ENOBUFS, ECONNRESET, EPIPE, PART}, 0},
    {"sendmsg", {EINTR, EAGAIN, ENOBUFS, ECONNRESET, EPIPE}, 0},
    {"sendmmsg", {EINTR, EAGAIN, ENOBUFS, ENOMEM, ECONNREFUSED, PART}, ENOBUFS},
    {"recv", {EINTR, EAGAIN, ENOBUFS, ENOMEM, ECONNRESET, PART}, 0},
    {"__recv_chk", {EINTR, EAGAIN, ENOBUFS, ENOMEM, ECONNRESET, PART}, 0},
    {"recvfrom", {EINTR, EAGAIN, ENOMEM, ECONNRESET, PART}, 0},
    {"recvmsg", {EINTR, EAGAIN, ENOMEM, ECONNRESET}, 0},
    {"recvmmsg", {EINTR, EAGAIN, ENOMEM, ECONNREFUSED, PART}, 0},
    {"read", {EINTR, EIO, PART}, EIO},
    {"__read_chk", {EINTR, EIO, PART}, EIO},
    {"readv", {EINTR, EIO}, EIO},
    {"pread", {EINTR, EIO, PART}, EIO},
    {"pread64", {EINTR, EIO, PART}, EIO},
    {"write", {EINTR, ENOSPC, EPIPE, EIO, PART}, ENOSPC},
    {"writev", {EINTR, ENOSPC, EPIPE, EIO}, ENOSPC},
    {"pwrite", {EINTR, ENOSPC, EIO, PART}, ENOSPC},
    {"pwrite64", {EINTR, ENOSPC, EIO, PART}, ENOSPC},
    {"open", {EINTR, EMFILE, ENFILE, ENOMEM, EACCES, EIO, ENOSPC}, EMFILE},
    {"open64", {EINTR, EMFILE, ENFILE, ENOMEM, EACCES, EIO, ENOSPC}, EMFILE},
    {"__open_2", {EINTR, EMFILE, ENFILE, ENOMEM, EACCES, EIO}, EMFILE},
    {"__open64_2", {EINTR, EMFILE, ENFILE, ENOMEM, EACCES, EIO}, EMFILE},
    {"fopen", {EMFILE, ENFILE, ENOMEM, EACCES, EIO}, EMFILE},
    {"fopen64", {EMFILE, ENFILE, ENOMEM, EACCES, EIO}, EMFILE},
    {"fflush", {EIO, ENOSPC, EPIPE}, EIO},
    {"fclose", {EIO}, EIO},
    {"fgets", {EIO, ENOMEM}, EIO},
    {"fread", {EIO}, EIO},
    {"__getdelim", {EIO, ENOMEM}, EIO},
    {"close", {EINTR, EIO, ENOSPC}, EIO},
    {"fsync", {EINTR, EIO, ENOSPC}, EIO},
    {"fdatasync", {EINTR, EIO, ENOSPC}, EIO},
    {"ftruncate", {EINTR, EIO, ENOSPC}, EIO},
    {"ftruncate64", {EINTR, EIO, ENOSPC}, EIO},
    {"lseek", {EINVAL}, EINVAL},
    {"lseek64", {EINVAL}, EINVAL},
    {"flock", {EINTR, ENOLCK, EWOULDBLOCK}, ENOLCK},
    {"rename", {EIO, ENOSPC, EACCES}, EIO},
    {"unlink", {EIO, EACCES}, EIO},
    {"access", {EIO, ENOMEM}, EIO},
    {"stat", {EIO, ENOMEM}, EIO},
    {"lstat", {EIO, ENOMEM}, EIO},
    {"fstat", {EIO, ENOMEM}, EIO},
    {"stat64", {EIO, ENOMEM}, EIO},
    {"lstat64", {EIO, ENOMEM}, EIO},
    {"fstat64", {EIO, ENOMEM}, EIO},
    {"readlink", {EIO, ENOMEM}, EIO},
    {"chmod", {EPERM, EIO}, EIO},
    {"fchmod", {EPERM, EIO}, EIO},
    {"fchown", {EPERM, EIO}, EIO},
    {"mkdir", {EACCES, ENOSPC}, EACCES},
    {"fcntl", {EINTR, ENOLCK, EMFILE}, ENOLCK},
    {"fcntl64", {EINTR, EIO, ENOLCK}, ENOLCK},
    {"ioctl", {ENOTTY}, ENOTTY},
    {"isatty", {ENOTTY}, ENOTTY},
    {"poll", {EINTR, ENOMEM}, 0},
    {"epoll_create", {EMFILE, ENFILE, ENOMEM}, EMFILE},
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}, EMFILE},
    {"epoll_ctl", {ENOMEM, ENOSPC}, ENOSPC},
    {"epoll_wait", {EINTR}, 0},
    {"timerfd_create", {EMFILE, ENFILE, ENOMEM}, EMFILE},
    {"timerfd_settime", {EINVAL}, EINVAL},
    {"getrandom", {EINTR, ENOSYS, PART}, ENOSYS},
    {"getentropy", {EIO}, EIO},
    {"getrlimit", {EPERM}, EPERM},
    {"setrlimit", {EPERM}, EPERM},
    {"gethostname", {ENAMETOOLONG}, ENAMETOOLONG},
    {"getaddrinfo", {ENOMEM, EAGAIN, EIO}, EAGAIN},
    {"if_nametoindex", {ENODEV}, ENODEV},
    {"dlopen", {ENOMEM}, ENOMEM},
    {"shutdown", {ENOBUFS}, ENOBUFS},
    {"listen", {EADDRINUSE}, EADDRINUSE},
    {"munmap", {EINVAL}, EINVAL},
    {"opendir", {EMFILE, ENOMEM, EACCES}, EMFILE},
    {"closedir", {EIO}, EIO},
    {"readlinkat", {EIO, ENOMEM}, EIO},
    {"realpath", {EACCES, ENOMEM, EIO}, EACCES},
    {"prctl", {EINVAL, EPERM}, EPERM},
    {"syscall", {ENOSYS, EPERM, ENOMEM}, ENOSYS},
    {"tcgetattr", {EIO}, EIO},
    {"tcsetattr", {EINTR, EIO}, EIO},
    {"tcgetpgrp", {ENOTTY}, ENOTTY},
    {"nanosleep", {EINTR}, 0},
    {"readdir", {EIO}, EIO},
    {"getcwd", {EACCES, ENOENT}, EACCES},
    {"pthread_create", {EAGAIN}, EAGAIN},
    {"mremap", {ENOMEM}, ENOMEM},
    {"fwrite", {EIO, ENOSPC}, EIO},
    {"fputc", {EIO, ENOSPC}, EIO},
    {"fputs", {EIO, ENOSPC}, EIO},
    {"puts", {EIO, ENOSPC}, EIO},
    {"__vfprintf_chk", {EIO, ENOSPC}, EIO},
    {"__fprintf_chk", {EIO, ENOSPC}, EIO},
};

static const struct kind *kind_of(const char *function)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].function, function) == 0)
			return &kinds[i];
	return NULL;
}

static bool is_memory(const char *function)
{
	return strstr(function, "alloc") || strcmp(function, "posix_memalign") == 0;
}

static bool is_network(int error)
{
	return error == ECONNRESET || error == EPIPE || error == ECONNREFUSED;
}

struct place {
	char *site, *function;
	unsigned times;
};

/* What a run has said, as lines that can be compared: numbers and times left out, JSON reduced to
 * its facts. Sorted. */
struct said {
	char **lines;
	size_t n;
	unsigned results; /* of JSON: how many, and how many endpoints */
	unsigned endpoints;
};

struct
try {
	const struct place *place; /* NULL: undisturbed */
	unsigned from, times, again;
	int error;
	unsigned number;
	pid_t pid;
	int master; /* of the terminal; -1: none */
	struct screen *screen;
	unsigned asked; /* to end */
	usec_t began;
	char *dir;
};

struct torture {
	const struct scene *scene;
	struct lab *lab;
	struct receiver *hook;
	char *dir;
	struct place *places;
	size_t n_places;
	/* of the undisturbed runs */
	int exit;
	struct said out;
	char *err;
	unsigned open;  /* descriptors at the end */
	unsigned posts; /* that the webhook got */
	char *history;  /* its bytes */
	size_t history_len;
	struct try *doubtful;
	size_t n_doubtful;
	/* sums */
	unsigned tries, memory_tries, missed, findings;
};

/* Places that have been tried, in whatever scene. */
static struct map known;

/* Of all scenes. */
static struct {
	unsigned tries, memory_tries, places, memory_places;
} sums;

static usec_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (usec_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

static bool full(void)
{
	return getenv("TORTURE") != NULL;
}

/* ---- one run ---- */

static char *path_in(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void write_bytes(const char *dir, const char *name, const char *bytes, size_t n)
{
	char *path = path_in(dir, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
	free(path);
}

static char *read_in(const char *dir, const char *name, size_t *n)
{
	char *path = path_in(dir, name);
	char *text = read_whole(path, n);

	free(path);
	return text;
}

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags, 0600);

	if (fd < 0 || dup2(fd, to) < 0)
		_exit(126);
	if (fd != to)
		(void)close(fd);
}

static void set(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void set(const char *name, const char *fmt, ...)
{
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	(void)setenv(name, value, 1);
}

static _Noreturn void become(const struct torture *t, const struct try *try, char **argv,
			     const char *terminal)
{
	const struct rlimit no_core = {0};
	const bool whole = full();
	const char *fault = getenv("FAULT");
	char *ca = xstrdup(t->lab->ca);

	if (chdir(try->dir) < 0)
		_exit(125);
	if (t->scene->watch)
		(void)setsid(); /* the next terminal to be opened is ours */
	redirect(t->scene->watch && terminal ? terminal : "targets", O_RDWR, STDIN_FILENO);
	redirect("stderr", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
	redirect(terminal ? terminal : "stdout", O_WRONLY | O_CREAT | O_NOCTTY, STDOUT_FILENO);
	/* As a shell would start it, also when the tests run under nohup(1). */
	(void)signal(SIGHUP, SIG_DFL);
	closefrom(STDERR_FILENO + 1);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	fault = xstrdup(fault);
	(void)clearenv();
	set("PATH", "/usr/bin:/bin");
	set("TERM", "xterm");
	set("COLUMNS", "100");
	set("SSL_CERT_FILE", "%s", ca);
	/* What is freed and used all the same shows. */
	set("MALLOC_PERTURB_", "165");
	set("FAULT_LOG", "%s/faults", try->dir);
	if (!whole)
		set("FAULT_DEPTH", "2");
	if (try->place) {
		set("FAULT_AT", "%s", try->place->site);
		set("FAULT_FROM", "%u", try->from);
		set("FAULT_TIMES", "%u", try->times);
		set("FAULT_ERROR", "%d", try->error);
	}
	set("LD_PRELOAD", "%s", fault);
	(void)execv(argv[0], argv);
	_exit(127);
}

static size_t split(char **argv, size_t n, const char *text)
{
	while (*(text += strspn(text, " ")) && n < WORDS_MAX - 1) {
		size_t len = strcspn(text, " ");

		argv[n++] = xstrndup(text, len);
		text += len;
	}
	return n;
}

/* By name, so that it has to be looked up. */
static char *hook_of(const struct torture *t, const struct try *try)
{
	return xasprintf("http://localhost:%u/%06u", t->hook->port, try->number);
}

static void open_terminal(struct try *try)
{
	const struct winsize size = {.ws_row = LINES, .ws_col = COLUMNS};

	try->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	assert_true(try->master >= 0);
	assert_int_equal(grantpt(try->master), 0);
	assert_int_equal(unlockpt(try->master), 0);
	assert_int_equal(ioctl(try->master, TIOCSWINSZ, &size), 0);
	try->screen = screen_new(LINES, COLUMNS);
}

/* `args` NULL: those of the scene. */
static void begin(struct torture *t, struct try *try, const char *args)
{
	static unsigned count;
	char *argv[WORDS_MAX] = {0}, *terminal = NULL;
	size_t n = 0;

	try->number = ++count;
	try->dir = xasprintf("%s/%06u", t->dir, count);
	assert_int_equal(mkdir(try->dir, 0700), 0);
	write_bytes(try->dir, "targets", targets, sizeof targets - 1);
	write_bytes(try->dir, "replies", replies, sizeof replies - 1);
	write_bytes(try->dir, "secret", "s3cret\n", 7);
	write_bytes(try->dir, "out", "old\n", 4);
	if (t->history)
		write_bytes(try->dir, "history", t->history, t->history_len);
	argv[n++] = xstrdup(getenv("MXPROBE"));
	if (!args && !strstr(t->scene->args, "--classify") && !strstr(t->scene->args, "--report")) {
		argv[n++] = xstrdup("-p");
		argv[n++] = xstrdup(t->lab->port);
		if (!t->scene->bare) {
			argv[n++] = xstrdup("--resolver");
			argv[n++] = xstrdup(t->lab->dns);
			argv[n++] = xstrdup("-F");
			argv[n++] = xstrdup("probe.example.org");
		}
	}
	n = split(argv, n, args ? args : t->scene->args);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(argv[i], "@HOOK@") == 0) {
			free(argv[i]);
			argv[i] = hook_of(t, try);
		}
	}
	try->master = -1;
	if (t->scene->terminal && !args) {
		open_terminal(try);
		terminal = xstrdup(ptsname(try->master));
	}
	try->began = now();
	(void)fflush(NULL);
	try->pid = fork();
	assert_true(try->pid >= 0);
	if (try->pid == 0)
		become(t, try, argv, terminal);
	free(terminal);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
}

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

/* Somebody sits before it: once a second round has begun, it is asked to end; with a signal, where
 * it does not listen to keys. */
static void look_at_rounds(struct try *try)
{
	char *shown = screen_visible(try->screen);
	bool rounds = strstr(shown, "Round 2 at ") || strstr(shown, "Round 3 at ");
	/* Without a screen there is a line for each result. */
	bool lines = count(shown, "Z sick.example failing") > 1;

	if (try->asked == 0 && rounds && strstr(shown, "  q ends.")) {
		(void)!write(try->master, "q", 1); /* fails only when it has just ended */
		try->asked = 1;
	} else if ((try->asked == 0 && (rounds || lines)) ||
		   (try->asked == 1 && strstr(shown, "Round 4 at "))) {
		(void)kill(try->pid, SIGTERM);
		try->asked = 2;
	}
	free(shown);
}

static void drain(const struct torture *t, struct try *try)
{
	char chunk[4096];
	bool news = false;
	ssize_t n;

	while (try->master >= 0 && (n = read(try->master, chunk, sizeof chunk)) > 0) {
		screen_feed(try->screen, chunk, (size_t)n);
		news = true;
	}
	if (news && t->scene->watch)
		look_at_rounds(try);
}

/* -1: not yet. Else the status; *hung: it had to be killed. */
static int ended(const struct torture *t, struct try *try, bool *hung)
{
	int status;
	bool gone;

	*hung = false;
	gone = waitpid(try->pid, &status, WNOHANG) == try->pid;
	drain(t, try);
	if (gone)
		return status;
	if (now() - try->began < HANGS)
		return -1;
	*hung = true;
	(void)kill(try->pid, SIGKILL);
	(void)waitpid(try->pid, &status, 0);
	return status;
}

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);

	for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
		char *path = path_in(dir, e->d_name);

		if (e->d_name[0] != '.' || e->d_name[1])
			(void)unlink(path); /* "..": it is a folder */
		free(path);
	}
	if (d)
		(void)closedir(d);
	(void)rmdir(dir);
}

static void try_fini(struct try *try)
{
	if (try->master >= 0) {
		(void)close(try->master);
		screen_free(try->screen);
	}
	remove_dir(try->dir);
	free(try->dir);
}

/* ---- what it said ---- */

static void add_line(struct said *s, char *line)
{
	*ARRAY_ADD(s->lines, s->n) = line;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Numbers are "#", blanks one blank; but addresses stay, and so does all that speaks of what was
 * left out: how much that was tells the runs apart. */
static char *without_numbers(const char *text, size_t n)
{
	const char *strip = memmem(text, n, "\xC2\xB7", 2);
	struct buf b = {0};

	/* The strip at the end of a row of --watch tells how many rounds there were. */
	if (strip)
		n = (size_t)(strip - text);
	if ((memmem(text, n, "skipped", 7) || memmem(text, n, "\"unknown\"", 9)) &&
	    memmem(text, n, "{", 1))
		return xstrndup(text, n);
	for (size_t i = 0; i < n; i++) {
		if (n - i > 4 && strncmp(text + i, "127.", 4) == 0) {
			for (; i < n && strchr("0123456789.", text[i]); i++)
				buf_addc(&b, text[i]);
			i--;
		} else if (text[i] >= '0' && text[i] <= '9') {
			while (i + 1 < n && strchr("0123456789.:-TZ", text[i + 1]))
				i++;
			buf_addc(&b, '#');
			/* "998 ms" and "1.2 s" are both a time. */
			if (n - i > 3 && strncmp(text + i + 1, " ms", 3) == 0)
				i += 3;
			else if (n - i > 2 && strncmp(text + i + 1, " s", 2) == 0 &&
				 (n - i == 3 || strchr(" ,.;)", text[i + 3])))
				i += 2;
		} else if (text[i] == ' ') {
			while (i + 1 < n && text[i + 1] == ' ')
				i++;
			buf_addc(&b, ' ');
		} else {
			buf_addc(&b, text[i]);
		}
	}
	return buf_steal(&b);
}

static const char *word_at(const json_t *of, const char *path)
{
	const json_t *value = at(of, path);

	return json_is_string(value) ? json_string_value(value) : "-";
}

static void add_result(struct said *s, const json_t *result)
{
	const json_t *e;
	const char *target = word_at(result, "target");
	size_t i;

	s->results++;
	add_line(s, xasprintf("%s: %s, DNS %s %s, error %s", target, word_at(result, "verdict"),
			      word_at(result, "dns.source"), word_at(result, "dns.status"),
			      word_at(result, "error.code")));
	json_array_foreach(at(result, "warnings"), i, e)
	    add_line(s, xasprintf("%s: warning %s", target, word_at(e, "code")));
	json_array_foreach(at(result, "endpoints"), i, e)
	{
		s->endpoints++;
		add_line(s, xasprintf("%s: %s %s %s/%s", target, word_at(e, "host"),
				      word_at(e, "address"), word_at(e, "class"),
				      word_at(e, "reason")));
	}
}

/* False: there is a line of JSON that is none, or one without its end. */
static bool add_text(struct said *s, const char *text, size_t n)
{
	for (const char *line = text; line < text + n;) {
		size_t len = strcspn(line, "\n");
		json_t *json;

		if (line[0] != '{') {
			add_line(s, without_numbers(line, len));
		} else if (!line[len] || !(json = json_loadb(line, len, 0, NULL))) {
			return false;
		} else {
			if (at(json, "endpoints") && at(json, "verdict"))
				add_result(s, json);
			else
				add_line(s, without_numbers(line, len));
			json_decref(json);
		}
		line += len + (line[len] == '\n');
	}
	return true;
}

static void said_fini(struct said *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->lines[i]);
	free(s->lines);
	*s = (struct said){0};
}

static bool has_line(const struct said *s, const char *line)
{
	return s->n && bsearch(&line, s->lines, s->n, sizeof *s->lines, by_text) != NULL;
}

/* The part of a line that names what it speaks of: a target, or a target and an endpoint. */
static bool same_subject(const char *a, const char *b)
{
	size_t n = strcspn(a, ":");

	return strncmp(a, b, n + 1) == 0;
}

/* ---- judging ---- */

struct outcome {
	int status;
	bool certain; /* no limit of time can have brought what was found */
	bool hung, uncooked, unreadable;
	unsigned posts, bad_posts;
	char *err, *out, *file, *log;
	size_t err_len, out_len, file_len;
};

static const char *excuses[] = {"skipped", "local-error", "unknown", "UNKNOWN", "incomplete"};
static const char *network_excuses[] = {"down/closed",  "closed",      "unresolved", "timeout",
					"tls-fallback", "unreachable", "refused",    "broken/tls"};

static bool has_any(const char *line, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

/* A line of mxprobe's own on standard error that the undisturbed run does not say. */
static bool complained(const struct torture *t, const struct outcome *o)
{
	for (const char *line = o->err; line && *line;) {
		size_t len = strcspn(line, "\n");

		if (len > 9 && strncmp(line, "mxprobe: ", 9) == 0) {
			char *one = xstrndup(line, len);
			bool old = strstr(t->err, one) != NULL;

			free(one);
			if (!old)
				return true;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

static bool is_old(const struct outcome *o)
{
	return o->file && strcmp(o->file, "old\n") == 0;
}

/* What nothing excuses. */
static char *judge_end(const struct torture *t, const struct try *try, const struct outcome *o)
{
	const bool makes_file = strstr(t->scene->args, "-o out");
	const int exit = WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;
	unsigned open = 0;

	if (exit < 0)
		return xasprintf("ended by signal %d", WTERMSIG(o->status));
	if (exit > 3)
		return xasprintf("exit %d", exit);
	if (strstr(o->err, "Sanitizer"))
		return xstrdup("a sanitizer has found something");
	for (const char *line = o->log; (line = strstr(line, "\nopen ")) != NULL; line++)
		open++;
	if (open > t->open)
		return xasprintf("%u descriptors left open", open - t->open);
	if (!o->file)
		return xstrdup("the output file is gone");
	if (makes_file && is_old(o) && exit != 3)
		return xasprintf("no output, but exit %d", exit);
	if (!makes_file && !is_old(o))
		return xstrdup("a file was written that nobody asked for");
	if (o->unreadable)
		return xstrdup("the terminal gets what is no text");
	/* Where the terminal does not let itself be put back, nothing helps. */
	if (o->uncooked && !(strcmp(try->place->function, "tcsetattr") == 0 && try->error == EIO))
		return xstrdup("the terminal is not left as it was");
	if (o->bad_posts)
		return xasprintf("%u bad posts", o->bad_posts);
	return NULL;
}

static char *judge(const struct torture *t, const struct try *try, struct outcome *o)
{
	const bool network = is_network(try->error), makes_file = strstr(t->scene->args, "-o out");
	const bool said = complained(t, o);
	const int exit = WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -1;
	struct said now_said = {0};
	bool whole, excused = false, unasked = false;
	/* A terminal that is none, or of an unknown size, is written to in another way. */
	const bool other_looks =
	    t->scene->terminal && (strcmp(try->place->function, "isatty") == 0 ||
				   strcmp(try->place->function, "ioctl") == 0);
	char *finding;

	if (o->hung)
		return xstrdup("it hung");
	finding = judge_end(t, try, o);
	if (finding) {
		o->certain = true;
		return finding;
	}
	whole = add_text(&now_said, o->out, o->out_len) &&
		(is_old(o) || add_text(&now_said, o->file, o->file_len));
	qsort(now_said.lines, now_said.n, sizeof *now_said.lines, by_text);
	/* A domain for which the DNS could not be asked has no endpoints. */
	for (size_t i = 0; i < now_said.n; i++)
		unasked |= strstr(now_said.lines[i], ", error local-error") != NULL;
	for (size_t i = 0; i < now_said.n; i++)
		excused |= has_any(now_said.lines[i], excuses, ARRAY_LEN(excuses)) &&
			   !has_line(&t->out, now_said.lines[i]);
	if (!whole && !said) {
		finding = xstrdup("output cut off");
	} else if (exit == 3 && t->exit != 3 && !said && !excused) {
		finding = xstrdup("exit 3 without a word");
	} else if (o->posts < t->posts && !said && !excused) {
		finding = xasprintf("%u posts instead of %u", o->posts, t->posts);
	} else if (exit != t->exit && exit != 3 && !excused && !network) {
		finding =
		    xasprintf("exit %d instead of %d, and nothing that tells why", exit, t->exit);
	} else if (!is_old(o) && makes_file && !(exit == 3 && said) &&
		   (now_said.results != t->out.results ||
		    (now_said.endpoints < t->out.endpoints && !unasked) ||
		    (!t->out.results && now_said.n < t->out.n && !said && !excused && !network))) {
		finding = xasprintf("half a file: %u results, %u endpoints, %zu lines",
				    now_said.results, now_said.endpoints, now_said.n);
	} else if (!(exit == 3 && said) && now_said.n < t->out.n && !excused && !network &&
		   !other_looks) {
		finding = xasprintf("%zu lines instead of %zu", now_said.n, t->out.n);
	}
	/* On a terminal the last picture of what was going on stays; words of --help may be missing
	 * in the middle. */
	if (other_looks ||
	    ((t->scene->terminal || strcmp(t->scene->name, "help") == 0) && exit == 3 && said))
		whole = false;
	for (size_t i = 0; !finding && whole && i < now_said.n; i++) {
		const char *line = now_said.lines[i];
		bool fine = has_line(&t->out, line) || has_any(line, excuses, ARRAY_LEN(excuses)) ||
			    (network && has_any(line, network_excuses, ARRAY_LEN(network_excuses)));

		/* What is left out or lost changes what is said of its target. */
		for (size_t k = 0; !fine && k < now_said.n; k++)
			fine = (!t->out.results || (same_subject(line, now_said.lines[k]) &&
						    strstr(line, ": ") && !strchr(line, '/'))) &&
			       !has_line(&t->out, now_said.lines[k]) &&
			       (has_any(now_said.lines[k], excuses, ARRAY_LEN(excuses)) ||
				(network && has_any(now_said.lines[k], network_excuses,
						    ARRAY_LEN(network_excuses))));
		if (!fine)
			finding = xasprintf("it says: %.300s", line);
	}
	said_fini(&now_said);
	return finding;
}

/* What the webhook got of this run: each a file of the receiver's, looked at once. */
static void take_posts(const struct torture *t, struct outcome *o, const struct try *try)
{
	const char *slash = strrchr(t->hook->path, '/'), *name = slash + 1;
	char *folder = xstrndup(t->hook->path, (size_t)(slash - t->hook->path));
	char *wanted = xasprintf("POST /%06u ", try->number);
	DIR *d = opendir(folder);

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char *text;
		json_t *body;

		if (strncmp(e->d_name, name, strlen(name)) != 0 || strstr(e->d_name, ".part"))
			continue;
		text = read_in(folder, e->d_name, NULL);
		if (text && strncmp(text, wanted, strlen(wanted)) == 0) {
			char *path = path_in(folder, e->d_name), *end = strstr(text, "\r\n\r\n");

			body = end ? json_loads(end, 0, NULL) : NULL;
			o->posts++;
			o->bad_posts += !json_is_string(at(body, "target")) ||
					(strstr(t->scene->args, "--webhook-secret") &&
					 !strcasestr(text, "\r\nX-Mxprobe-Signature: sha256="));
			json_decref(body);
			(void)unlink(path);
			free(path);
		}
		free(text);
	}
	(void)closedir(d);
	free(wanted);
	free(folder);
}

static void look_at_terminal(struct outcome *o, const struct try *try)
{
	struct termios modes;

	o->out = screen_text(try->screen);
	o->out_len = strlen(o->out);
	o->unreadable = screen_bad(try->screen);
	/* Its modes are the same from both of its sides. */
	assert_int_equal(tcgetattr(try->master, &modes), 0);
	o->uncooked = !(modes.c_lflag & ICANON) || !(modes.c_lflag & ECHO);
}

static void outcome_read(const struct torture *t, struct outcome *o, const struct try *try)
{
	o->err = read_in(try->dir, "stderr", &o->err_len);
	if (try->screen)
		look_at_terminal(o, try);
	else
		o->out = read_in(try->dir, "stdout", &o->out_len);
	if (t->hook)
		take_posts(t, o, try);
	o->file = read_in(try->dir, "out", &o->file_len);
	o->log = read_in(try->dir, "faults", NULL);
	if (!o->err)
		o->err = xstrdup("");
	if (!o->out)
		o->out = xstrdup("");
	if (!o->log)
		o->log = xstrdup("");
}

static void outcome_fini(struct outcome *o)
{
	free(o->err);
	free(o->out);
	free(o->file);
	free(o->log);
	*o = (struct outcome){0};
}

/* Where it was, in words, where there is an addr2line to tell. */
static void show_way(const char *log)
{
	unsigned shown = 0;

	for (const char *line = strstr(log, "at "); line && shown < 14;
	     line = strstr(line, "\nat ")) {
		char file[512], offset[32], words[512] = "";
		char *command;
		FILE *tool;

		line += *line == '\n';
		if (sscanf(line, "at %*d %511s %31s", file, offset) != 2)
			continue;
		command = xasprintf("addr2line -psf -e %s %s 2>/dev/null", file, offset);
		tool = popen(command, "r");
		if (tool && fgets(words, sizeof words, tool))
			words[strcspn(words, "\n")] = '\0';
		if (tool)
			(void)pclose(tool);
		free(command);
		print_error("    %s+%s  %s\n", file, offset, words);
		shown++;
	}
}

static void report(struct torture *t, const struct try *try, const struct outcome *o,
		   const char *finding)
{
	if (t->findings++ >= SHOWN_MAX && !getenv("ONLY_SCENE"))
		return;
	print_error("%s: %s #%u%s, %s: %s (exit %d)\n", t->scene->name, try->place->function,
		    try->from, try->times ? "" : " and on",
		    try->error == PART ? "a part only" : strerror(try->error), finding,
		    WIFEXITED(o->status) ? WEXITSTATUS(o->status) : -WTERMSIG(o->status));
	print_error("  at %s; standard error: %.600s\n", try->place->site,
		    o->err_len > 600 ? o->err + o->err_len - 600 : o->err);
	show_way(o->log);
}

/* ---- the undisturbed runs ---- */

static void run_one(struct torture *t, struct try *try, struct outcome *o, const char *args)
{
	begin(t, try, args);
	while ((o->status = ended(t, try, &o->hung)) == -1)
		(void)poll(NULL, 0, 2);
	outcome_read(t, o, try);
}

static void add_place(struct torture *t, const char *site, const char *function, unsigned times)
{
	struct place *p;

	for (size_t i = 0; i < t->n_places; i++) {
		if (strcmp(t->places[i].site, site) == 0) {
			if (times > t->places[i].times)
				t->places[i].times = times;
			return;
		}
	}
	p = ARRAY_ADD(t->places, t->n_places);
	*p = (struct place){xstrdup(site), xstrdup(function), times};
}

static void take_places(struct torture *t, const char *log)
{
	char site[64], function[64];
	unsigned times;

	t->open = 0;
	for (const char *line = log; line && *line;) {
		if (sscanf(line, "call %63s %63s %u", site, function, &times) == 3)
			add_place(t, site, function, times);
		t->open += strncmp(line, "open ", 5) == 0;
		line = strchr(line, '\n');
		line += line != NULL;
	}
}

static void look(struct torture *t)
{
	for (int i = 0; i < LISTINGS; i++) {
		struct try try = {0};
		struct outcome o = {0};

		run_one(t, &try, &o, NULL);
		if (o.hung || !WIFEXITED(o.status) || !strstr(o.log, "\nend\n"))
			fail_msg("%s, undisturbed: status %#x: %s", t->scene->name,
				 (unsigned)o.status, o.err);
		take_places(t, o.log);
		said_fini(&t->out);
		assert_true(add_text(&t->out, o.out, o.out_len));
		assert_true(is_old(&o) || add_text(&t->out, o.file, o.file_len));
		qsort(t->out.lines, t->out.n, sizeof *t->out.lines, by_text);
		t->exit = WEXITSTATUS(o.status);
		if (i == 0 || o.posts < t->posts)
			t->posts = o.posts;
		free(t->err);
		t->err = xstrdup(o.err);
		outcome_fini(&o);
		try_fini(&try);
	}
	assert_true(t->out.n > 0);
	assert_true(t->posts > 0 || !t->hook);
}

/* What earlier runs have left. */
static void make_history(struct torture *t)
{
	struct try try = {0};
	struct outcome o = {0};
	char *args = xasprintf("--resolver %s -p %s -F probe.example.org --history history "
			       "good.example sick.example",
			       t->lab->dns, t->lab->port);

	for (int i = 0; i < EARLIER; i++) {
		run_one(t, &try, &o, args);
		assert_int_equal(o.status, 2 << 8); /* one of the two is failing */
		free(t->history);
		t->history = read_in(try.dir, "history", &t->history_len);
		assert_non_null(t->history);
		outcome_fini(&o);
		try_fini(&try);
	}
	free(args);
}

/* ---- the tries ---- */

/* What earlier runs have left is there, whatever happened to this one. */
static bool history_good(const struct try *try)
{
	char *path = path_in(try->dir, "history"), *error = NULL, **names;
	struct history *h = history_open_read(path, &error);
	size_t n = 0, good = 0;

	names = h ? history_targets(h, &n, &error) : NULL;
	for (size_t i = 0; i < n; i++) {
		struct trend_query query = {.name = names[i], .to_ms = INT64_MAX, .slices = 1};
		struct trend *trend = history_trend(h, &query, &error);

		good += trend && trend->runs >= EARLIER;
		trend_free(trend);
		free(names[i]);
	}
	free(names);
	if (!history_close(h, 0, &error))
		good = 0;
	free(error);
	free(path);
	return good >= EARLIER_TARGETS;
}

static bool is_known(const struct place *p)
{
	return map_get(&known, p->site, strlen(p->site)) != NULL;
}

static void know(const struct place *p)
{
	if (is_known(p))
		return;
	(void)map_put(&known, p->site, strlen(p->site), &known);
	sums.places++;
	sums.memory_places += is_memory(p->function);
}

/* One try has ended. Where many run side by side on a busy machine, one may come too late for some
 * limit of time: what was found is only believed when it is found each time that the same try is
 * alone. */
static void close_try(struct torture *t, struct try *try, struct outcome *o)
{
	char *finding;

	outcome_read(t, o, try);
	finding = judge(t, try, o);
	if (!finding && t->scene->history && !is_memory(try->place->function) && !history_good(try))
		finding = xstrdup("the history cannot be read any more");
	if (finding && !o->certain && try->again < AGAIN) {
		struct try *later = ARRAY_ADD(t->doubtful, t->n_doubtful);

		*later = (struct try){.place = try->place,
				      .from = try->from,
				      .times = try->times,
				      .error = try->error,
				      .again = try->again + 1};
	} else {
		bool met = strstr(o->log, "hit ") != NULL;

		t->missed += !met;
		t->tries += met;
		t->memory_tries += met && is_memory(try->place->function);
		if (met)
			know(try->place);
		if (finding)
			report(t, try, o, finding);
	}
	free(finding);
	outcome_fini(o);
	try_fini(try);
}

/* How many at once: they mostly wait. */
static unsigned at_once(const struct torture *t)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return (processors > 0 ? (unsigned)processors : 2) * (t->scene->waits ? 24 : 6);
}

static void turn(struct torture *t, struct try *tries, size_t *n, size_t most)
{
	while (*n > most) {
		bool any = false;

		for (size_t i = 0; i < *n; i++) {
			struct outcome o = {0};

			o.status = ended(t, &tries[i], &o.hung);
			if (o.status == -1)
				continue;
			any = true;
			close_try(t, &tries[i], &o);
			tries[i--] = tries[--*n];
		}
		if (!any)
			(void)poll(NULL, 0, 2);
	}
}

static void torture_all(struct torture *t, const struct try *list, size_t n)
{
	const unsigned most = at_once(t);
	struct try *tries = xcalloc(most, sizeof *tries);
	size_t running = 0;

	for (size_t i = 0; i < n; i++) {
		turn(t, tries, &running, most - 1);
		tries[running] = list[i];
		begin(t, &tries[running++], NULL);
	}
	turn(t, tries, &running, 0);
	while (t->n_doubtful) {
		tries[0] = t->doubtful[--t->n_doubtful];
		running = 1;
		begin(t, &tries[0], NULL);
		turn(t, tries, &running, 0);
	}
	free(tries);
}

static void add_try(struct try **list, size_t *n, const struct place *p, unsigned from,
		    unsigned times, int error)
{
	struct try *try = ARRAY_ADD(*list, *n);

	*try = (struct try){.place = p, .from = from, .times = times, .error = error};
}

static size_t plan(const struct torture *t, struct try **list)
{
	const char *only = getenv("ONLY_CALL");
	size_t n = 0;

	for (size_t i = 0; i < t->n_places; i++) {
		const struct place *p = &t->places[i];
		const struct kind *kind = kind_of(p->function);

		if (only && !strstr(p->function, only) && !strstr(p->site, only))
			continue;
		if (!only && is_known(p) && (!full() || is_memory(p->function)))
			continue;
		if (!kind)
			fail_msg("nothing is known of how %s() fails", p->function);
		for (const int *error = kind->errors; *error; error++) {
			size_t errors = 0;

			/* One of them each, in turn. */
			while (kind->errors[errors])
				errors++;
			/* A lock that cannot be had is waited for, a minute in each round. */
			if (t->scene->watch && strcmp(p->function, "fcntl64") == 0)
				errors = 1;
			if (!full() && !only && error != &kind->errors[i % errors])
				continue;
			add_try(list, &n, p, 1, 1, *error);
			if (full() && p->times > 2 && !is_memory(p->function))
				add_try(list, &n, p, p->times / 2 + 1, 1, *error);
			if (full() && p->times > 1)
				add_try(list, &n, p, p->times, 1, *error);
		}
		if (full() && kind->lasting)
			add_try(list, &n, p, 1, 0, kind->lasting);
	}
	return n;
}

static void torture(void **state)
{
	struct torture t = {.scene = *state};
	struct try *list = NULL;
	const char *only = getenv("ONLY_SCENE");
	unsigned memory = 0, calls = 0;
	usec_t began = now();
	size_t n;

	if (only && strcmp(t.scene->name, only) != 0)
		skip();
	if ((t.scene->history && !history_available()) || (t.scene->hook && !http_available()))
		skip();
	t.lab = t.scene->lab ? lab_start(t.scene->lab) : lab_start_text(world);
	t.dir = test_path(".torture");
	assert_int_equal(mkdir(t.dir, 0700), 0);
	if (t.scene->history)
		make_history(&t);
	if (t.scene->hook)
		t.hook = receiver_start((const char *const[]){"200", NULL});
	look(&t);
	for (size_t i = 0; i < t.n_places; i++) {
		memory += is_memory(t.places[i].function);
		calls += !is_memory(t.places[i].function);
	}
	n = plan(&t, &list);
	torture_all(&t, list, n);
	print_message("report: torture of %s: %u places that ask for memory, refused %u times; %u "
		      "that call the system, failed %u times; %u not reached; %.0f s\n",
		      t.scene->name, memory, t.memory_tries, calls, t.tries - t.memory_tries,
		      t.missed, (double)(now() - began) / USEC_PER_SEC);
	sums.tries += t.tries;
	sums.memory_tries += t.memory_tries;
	if (t.findings)
		fail_msg("%s: %u findings", t.scene->name, t.findings);
	/* A way that chance takes (a packet in two parts, who is first) may not be gone again; most
	 * must. */
	assert_true(t.missed * (full() ? 2 : 10) <= t.tries + t.n_places);
	remove_dir(t.dir);
	free(t.dir);
	free(list);
	for (size_t i = 0; i < t.n_places; i++) {
		free(t.places[i].site);
		free(t.places[i].function);
	}
	free(t.places);
	free(t.doubtful);
	said_fini(&t.out);
	free(t.err);
	free(t.history);
	if (t.hook)
		receiver_free(t.hook);
	lab_free(t.lab);
}

/* Each option stands in a scene, so that whatever it calls has failed. */
static void options(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];
		char letter = option_letter(row), *name = xasprintf("--%s", row->name);
		bool there = false;

		for (size_t k = 0; !there && k < ARRAY_LEN(scenes); k++) {
			char *words[WORDS_MAX] = {0};
			size_t n = split(words, 0, scenes[k].args);

			for (size_t w = 0; w < n; w++) {
				there |= strncmp(words[w], name, strlen(name)) == 0 &&
					 strchr("=", words[w][strlen(name)]);
				there |= letter && words[w][0] == '-' && words[w][1] == letter;
				free(words[w]);
			}
		}
		/* Each run has those, but for the last. */
		there |= strchr("pF", letter) != NULL || strcmp(row->name, "resolver") == 0;
		if (!there)
			fail_msg("no scene has %s", name);
		free(name);
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(scenes) + 1];
	int failed;

	for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
		tests[i] = (struct CMUnitTest){.name = scenes[i].name,
					       .test_func = torture,
					       .initial_state = (void *)(uintptr_t)&scenes[i]};
	tests[ARRAY_LEN(scenes)] = (struct CMUnitTest)cmocka_unit_test(options);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	print_message("report: torture in all: %u places that ask for memory, refused %u times; %u "
		      "that call the system, failed %u times\n",
		      sums.memory_places, sums.memory_tries, sums.places - sums.memory_places,
		      sums.tries - sums.memory_tries);
	map_fini(&known);
	return failed;
}

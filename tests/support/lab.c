#include "support/lab.h"

#include "base/buf.h"
#include "support/json_schema.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Far beyond what anything takes, even under valgrind on a busy machine: it only keeps a run that
 * hangs from hanging for ever. */
enum { WATCHDOG_S = 240, ARGS_MAX = 256 };

static usec_t now(void)
{
	struct timespec ts;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (usec_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	if (!value || !*value)
		fail_msg("%s is not set: run this by make check", name);
	return value;
}

/* ---- files ---- */

char *test_path(const char *suffix)
{
	static unsigned count;
	const char *dir = getenv("TEST_DIR");
	return xasprintf("%s/%ld-%u%s", dir && *dir ? dir : "/tmp", (long)getpid(), ++count,
			 suffix);
}

char *read_whole(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	struct buf text = {0};
	char chunk[8192];
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
		buf_add(&text, chunk, n);
	(void)fclose(file); /* only read from */
	if (len)
		*len = text.len;
	return buf_steal(&text);
}

void write_whole(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

void remove_history(char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *file = xasprintf("%s%s", path, suffixes[i]);
		(void)unlink(file); /* most are not there */
		free(file);
	}
	free(path);
}

/* ---- the lab ---- */

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

static void nap(void)
{
	(void)poll(NULL, 0, 5);
}

/* Waits for the end of a process; false when the watchdog had to end it. */
static bool wait_process(pid_t pid, int *status)
{
	usec_t until = now() + WATCHDOG_S * USEC_PER_SEC;
	while (waitpid(pid, status, WNOHANG) == 0) {
		if (now() > until) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, status, 0);
			return false;
		}
		nap();
	}
	return true;
}

static void start(struct lab *lab, const char *path)
{
	int in[2], out[2];
	const char *program = environment("LAB");
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	/* mxprobe must not hold the lab's input open. */
	(void)fcntl(in[1], F_SETFD, FD_CLOEXEC);
	(void)fcntl(out[0], F_SETFD, FD_CLOEXEC);
	(void)fflush(NULL);
	lab->pid = fork();
	assert_true(lab->pid >= 0);
	if (lab->pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		close_fd(in[0]);
		close_fd(out[1]);
		/* Whatever becomes of it, its folder goes with the tests' own. */
		if (getenv("TEST_DIR"))
			(void)setenv("TMPDIR", getenv("TEST_DIR"), 1);
		(void)execl(program, program, "--log", lab->log_path, path, (char *)NULL);
		_exit(127);
	}
	close_fd(in[0]);
	close_fd(out[1]);
	lab->input = in[1];
	char line[512];
	FILE *said = fdopen(out[0], "r");
	assert_non_null(said);
	bool good = fgets(line, sizeof line, said) != NULL;
	(void)fclose(said); /* only read from */
	unsigned dns_port = 0, port = 0;
	if (!good ||
	    sscanf(line, "dns=127.0.0.1:%u port=%u ca=%255[^\n]", &dns_port, &port, lab->ca) != 3)
		fail_msg("the lab did not start with %s", path);
	(void)snprintf(lab->dns, sizeof lab->dns, "127.0.0.1:%u", dns_port);
	(void)snprintf(lab->dns_port, sizeof lab->dns_port, "%u", dns_port & 0xffff);
	(void)snprintf(lab->port, sizeof lab->port, "%u", port & 0xffff);
}

struct lab *lab_start(const char *name)
{
	struct lab *lab = xcalloc(1, sizeof *lab);
	char *path = xasprintf("tests/lab/scenarios/%s.lab", name);
	lab->log_path = test_path(".log");
	start(lab, path);
	free(path);
	return lab;
}

struct lab *lab_start_text(const char *text)
{
	struct lab *lab = xcalloc(1, sizeof *lab);
	char *path = test_path(".lab");
	write_whole(path, text);
	lab->log_path = test_path(".log");
	start(lab, path);
	(void)unlink(path);
	free(path);
	return lab;
}

void lab_stop(struct lab *lab)
{
	int status;
	if (!lab->pid)
		return;
	close_fd(lab->input);
	bool in_time = wait_process(lab->pid, &status);
	lab->pid = 0;
	lab->log = read_whole(lab->log_path, NULL);
	(void)unlink(lab->log_path);
	if (!in_time)
		fail_msg("the lab did not end");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the lab failed: %d", status);
	assert_non_null(lab->log);
}

void lab_free(struct lab *lab)
{
	if (!lab)
		return;
	lab_stop(lab);
	free(lab->log);
	free(lab->log_path);
	free(lab);
}

/* The next line of a log that begins so, behind its prefix; *from goes on behind it. */
static const char *next_line(const char **from, const char *prefix)
{
	size_t n = strlen(prefix);
	for (const char *line = *from; line && *line;) {
		const char *end = strchr(line, '\n');
		*from = end ? end + 1 : NULL;
		if (strncmp(line, prefix, n) == 0)
			return line + n;
		line = *from;
	}
	return NULL;
}

static unsigned count_lines(const char *log, const char *prefix)
{
	unsigned count = 0;
	while (log && next_line(&log, prefix))
		count++;
	return count;
}

void lab_wait(const struct lab *lab, const char *prefix, unsigned n)
{
	usec_t until = now() + WATCHDOG_S * USEC_PER_SEC;
	for (;;) {
		char *log = read_whole(lab->log_path, NULL);
		unsigned count = count_lines(log, prefix);
		free(log);
		if (count >= n)
			return;
		if (now() > until)
			fail_msg("the lab has not seen \"%s\" %u times", prefix, n);
		nap();
	}
}

unsigned lab_lines(const struct lab *lab, const char *prefix)
{
	assert_non_null(lab->log);
	return count_lines(lab->log, prefix);
}

const char *lab_line(const struct lab *lab, const char *prefix)
{
	static char line[1024];
	const char *from = lab->log;
	assert_non_null(from);
	const char *found = next_line(&from, prefix);
	if (!found)
		return NULL;
	(void)snprintf(line, sizeof line, "%.*s", (int)strcspn(found, "\n"), found);
	return line;
}

void lab_assert_secured(const struct lab *lab, const char *address, const char *name)
{
	char *prefix = xasprintf("secured %s 1 ", address), *wanted = xasprintf(" %s", name);
	const char *line = lab_line(lab, prefix), *at = line ? strstr(line, wanted) : NULL;
	if (!at || (at[strlen(wanted)] && at[strlen(wanted)] != ' '))
		fail_msg("%s was secured as '%s', not for %s", address, line ? line : "", name);
	free(prefix);
	free(wanted);
}

long lab_sum(const struct lab *lab, const char *name)
{
	char *prefix = xasprintf("sum %s ", name);
	/* "connections" must not find "connections 127.0.0.1". */
	const char *from = lab->log, *found;
	long value = 0;
	assert_non_null(from);
	while ((found = next_line(&from, prefix))) {
		char *end;
		long number = strtol(found, &end, 10);
		if (*end == '\n' || *end == '\0')
			value = number;
	}
	free(prefix);
	return value;
}

void lab_assert_polite(struct lab *lab)
{
	lab_stop(lab);
	const char *from = lab->log, *found;
	while ((found = next_line(&from, "violation ")))
		print_error("impolite: %.*s\n", (int)strcspn(found, "\n"), found);
	assert_int_equal(lab_sum(lab, "violations"), 0);
}

/* ---- mxprobe ---- */

static char *fill_in(const struct lab *lab, const char *word)
{
	const struct {
		const char *mark, *text;
	} marks[] = {{"@DNS@", lab ? lab->dns : ""},
		     {"@DNSPORT@", lab ? lab->dns_port : ""},
		     {"@PORT@", lab ? lab->port : ""},
		     {"@CA@", lab ? lab->ca : ""}};
	struct buf out = {0};
	while (*word) {
		size_t i = 0;
		while (i < ARRAY_LEN(marks) &&
		       strncmp(word, marks[i].mark, strlen(marks[i].mark)) != 0)
			i++;
		if (i < ARRAY_LEN(marks)) {
			buf_addstr(&out, marks[i].text);
			word += strlen(marks[i].mark);
		} else {
			buf_addc(&out, *word++);
		}
	}
	return buf_steal(&out);
}

/* Appends the blank-separated words of a text. */
static size_t add_words(char **argv, size_t n, const char *text)
{
	while (text && *(text += strspn(text, " ")) && n < ARGS_MAX - 1) {
		size_t len = strcspn(text, " ");
		argv[n++] = xstrndup(text, len);
		text += len;
	}
	return n;
}

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags, 0600);
	if (fd < 0 || dup2(fd, to) < 0)
		_exit(126);
	close_fd(fd);
}

static void become(const struct probe *probe, const struct lab *lab, const struct probe_conf *conf,
		   int input, char **argv)
{
	if (dup2(input, STDIN_FILENO) < 0)
		_exit(126);
	if (conf->no_input)
		close_fd(STDIN_FILENO);
	redirect(probe->out_path, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
	redirect(probe->err_path, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
	/* As a shell would start it, also when the tests run under nohup(1). */
	(void)signal(SIGHUP, SIG_DFL);
	if (conf->tty) {
		(void)setsid();
		redirect(conf->tty, O_RDWR, STDIN_FILENO);
		redirect(conf->tty, O_RDWR, STDOUT_FILENO);
	}
	if (lab)
		(void)setenv("SSL_CERT_FILE", lab->ca, true);
	if (conf->no_env)
		(void)clearenv();
	for (const char *const *e = conf->env; e && *e; e++) {
		if (strchr(*e, '='))
			(void)putenv(xstrdup(*e));
		else
			(void)unsetenv(*e);
	}
	if (conf->files) {
		struct rlimit limit = {.rlim_cur = conf->files, .rlim_max = conf->files};
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (conf->uid && (setgroups(0, NULL) < 0 || setgid(conf->uid) < 0 || setuid(conf->uid) < 0))
		_exit(125);
	(void)execvp(argv[0], argv);
	_exit(127);
}

struct probe *probe_start(const struct lab *lab, const struct probe_conf *conf,
			  const char *const *args)
{
	static const struct probe_conf plain;
	struct probe *probe = xcalloc(1, sizeof *probe);
	char *argv[ARGS_MAX + 8] = {0};
	size_t n = add_words(argv, 0, getenv("WRAP"));
	int input;
	if (!conf)
		conf = &plain;
	argv[n++] = xstrdup(conf->program ? conf->program : environment("MXPROBE"));
	if (lab && !conf->bare) {
		argv[n++] = xstrdup("--resolver");
		argv[n++] = xstrdup(lab->dns);
		argv[n++] = xstrdup("-p");
		argv[n++] = xstrdup(lab->port);
		argv[n++] = xstrdup("-F");
		argv[n++] = xstrdup("probe.example.org");
	}
	for (; *args && n < ARGS_MAX; args++)
		argv[n++] = fill_in(lab, *args);
	probe->out_path = test_path(".out");
	probe->err_path = test_path(".err");
	if (conf->input) {
		char *path = test_path(".in");
		write_whole(path, conf->input);
		input = open(path, O_RDONLY | O_CLOEXEC);
		(void)unlink(path);
		free(path);
	} else {
		input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	assert_true(input >= 0);
	(void)fflush(NULL);
	probe->began = now();
	probe->pid = fork();
	assert_true(probe->pid >= 0);
	if (probe->pid == 0)
		become(probe, lab, conf, input, argv);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	close_fd(input);
	return probe;
}

static void parse_results(struct probe *probe)
{
	if (probe->out_len == 0 || probe->out[0] != '{')
		return;
	for (const char *line = probe->out; *line;) {
		size_t n = strcspn(line, "\n");
		json_error_t error;
		json_t *result =
		    json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
		if (!result)
			fail_msg("not JSON: %s: %.*s", error.text, (int)n, line);
		assert_fits_schema(result);
		*ARRAY_ADD(probe->results, probe->n_results) = result;
		line += n + (line[n] == '\n');
	}
}

/* Valgrind says "--PID-- ..." about system calls that are newer than it is, asked to be quiet or
 * not. What it finds in the program begins otherwise, and has an exit status. */
static void drop_notes(struct probe *probe, pid_t pid)
{
	char *mark = xasprintf("--%ld-- ", (long)pid), *to = probe->err;
	bool found = false;

	for (const char *line = probe->err; *line;) {
		size_t n = strcspn(line, "\n");
		bool note = strncmp(line, mark, strlen(mark)) == 0;

		found |= note;
		n += line[n] == '\n';
		if (!note)
			memmove(to, line, n);
		to += note ? 0 : n;
		line += n;
	}
	if (found) {
		*to = '\0';
		probe->err_len = (size_t)(to - probe->err);
	}
	free(mark);
}

void probe_wait(struct probe *probe)
{
	const pid_t pid = probe->pid;
	int status = 0;
	bool in_time = wait_process(probe->pid, &status);
	probe->seconds = (double)(now() - probe->began) / 1e6;
	probe->pid = 0;
	probe->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	probe->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	probe->out = read_whole(probe->out_path, &probe->out_len);
	probe->err = read_whole(probe->err_path, &probe->err_len);
	(void)unlink(probe->out_path);
	(void)unlink(probe->err_path);
	assert_non_null(probe->out);
	assert_non_null(probe->err);
	drop_notes(probe, pid);
	if (!in_time)
		fail_msg("mxprobe did not end; it said: %s%s", probe->out, probe->err);
	if (strstr(probe->err, "Sanitizer"))
		fail_msg("%s", probe->err);
	parse_results(probe);
}

struct probe *probe_run(const struct lab *lab, const struct probe_conf *conf,
			const char *const *args)
{
	struct probe *probe = probe_start(lab, conf, args);
	probe_wait(probe);
	return probe;
}

void probe_free(struct probe *probe)
{
	if (!probe)
		return;
	if (probe->pid) {
		(void)kill(probe->pid, SIGKILL);
		(void)waitpid(probe->pid, NULL, 0);
		(void)unlink(probe->out_path);
		(void)unlink(probe->err_path);
	}
	for (size_t i = 0; i < probe->n_results; i++)
		json_decref(probe->results[i]);
	free(probe->results);
	free(probe->out);
	free(probe->err);
	free(probe->out_path);
	free(probe->err_path);
	free(probe);
}

uid_t lesser_user(void)
{
	enum { NOBODY = 65534 };
	if (geteuid() != 0)
		return 0;
	assert_int_equal(seteuid(NOBODY), 0);
	bool reachable = access("/", X_OK) == 0 && euidaccess(getenv("MXPROBE"), X_OK) == 0;
	assert_int_equal(seteuid(0), 0);
	if (!reachable)
		skip();
	return NOBODY;
}

void probe_assert_exit(const struct probe *probe, int status)
{
	if (probe->status != status)
		fail_msg("exit %d (signal %d) instead of %d; it said:\n%s%s", probe->status,
			 probe->signal, status, probe->out, probe->err);
}

/* --watch: rounds on a terminal, with somebody before it, and where there is none. */
#include "support/lab.h"
#include "support/terminal.h"

#include "base/buf.h"
#include "base/sandbox.h"
#include "cli/command.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BLOCK "\xE2\x96\x82"
#define DOT "\xC2\xB7"

/* Of six servers one is out of memory with its first connection, and one always. */
static const char pool[] = "each i 1 6 rr pool.example A 127.0.75.%i\n"
			   "smtp 127.0.75.1\n"
			   "    first 1\n"
			   "    mail say \"452 4.3.1 Out of memory\"\n"
			   "    then\n"
			   "smtp 127.0.75.2-127.0.75.5\n"
			   "smtp 127.0.75.6\n"
			   "    mail say \"452 4.3.1 Out of memory\"\n";

/* One that is out of memory with its first connection, and never again. */
static const char heals[] = "rr heals.example A 127.0.76.1\n"
			    "smtp 127.0.76.1\n"
			    "    first 1\n"
			    "    mail say \"452 4.3.1 Out of memory\"\n"
			    "    then\n";

static const char *const colorless[] = {"TERM=xterm", "NO_COLOR=1", NULL};

static struct probe *watch(const struct lab *lab, const struct terminal *t, const char *const *args)
{
	struct probe_conf conf = {.tty = terminal_path(t), .env = colorless};

	return probe_start(lab, &conf, args);
}
#define WATCH(lab, t, ...) watch(lab, t, (const char *const[]){__VA_ARGS__, NULL})

static void assert_shows(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
}

/* ---- on a terminal ---- */

/* However it is ended: the last table stays, and the terminal is as it was. */
static void ended_by(const char *keys, int signum, int status)
{
	struct lab *lab = lab_start_text(pool);
	struct terminal *t = terminal_new(24, 100);
	struct probe *probe = WATCH(lab, t, "--watch=1", "pool.example");
	char *text;

	terminal_wait(t, "Round 2 at ", true);
	terminal_wait(t, "  q ends.\n", true);
	terminal_wait(t, DOT BLOCK BLOCK "\n", true);
	assert_false(terminal_is_cooked(t));
	if (keys)
		terminal_type(t, keys);
	else
		assert_int_equal(kill(probe->pid, signum), 0);
	terminal_wait_end(t);
	probe_wait(probe);
	if (status >= 0)
		probe_assert_exit(probe, status);
	else
		assert_int_equal(probe->signal, signum);
	assert_true(terminal_is_cooked(t));
	text = terminal_text(t);
	assert_shows(text, "pool.example   no MX, own addresses, 6 endpoints");
	if (status >= 0) {
		assert_null(strstr(text, "q ends"));
		assert_shows(text, "127.0.75.1  healthy");
		assert_shows(text, "E" BLOCK);
		assert_shows(text, "EE\n");
		assert_shows(text, "\n  5 of 6 healthy, 1 exhausted\n");
		assert_shows(text, "First contact accepted: 83 %.");
		assert_null(strstr(strstr(text, "DEGRADED") + 1, "DEGRADED"));
	}
	assert_string_equal(probe->err, "");
	free(text);
	probe_free(probe);
	terminal_free(t);
	lab_assert_polite(lab);
	lab_free(lab);
}

static void quit(void **state)
{
	(void)state;
	ended_by("q", 0, 1);
}

static void control_c(void **state)
{
	(void)state;
	ended_by("\003", 0, 1);
}

static void terminated(void **state)
{
	(void)state;
	ended_by(NULL, SIGTERM, 1);
}

static void hung_up(void **state)
{
	(void)state;
	if (!getenv("WRAP"))
		ended_by(NULL, SIGHUP, -1);
}

/* The first round has told nothing yet: what is known is told, as without --watch. */
static void quit_in_the_first_round(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text("each i 1 2 rr stuck.example A 127.0.77.%i\n"
					 "smtp 127.0.77.1\n"
					 "smtp 127.0.77.2\n"
					 "    mail silence\n");
	struct terminal *t = terminal_new(24, 120);
	struct probe *probe = WATCH(lab, t, "--watch", "-t", "200", "stuck.example");
	char *text;

	lab_wait(lab, "end 127.0.77.1 1 ", 1);
	lab_wait(lab, "command 127.0.77.2 1 MAIL", 1);
	terminal_wait(t, "127.0.77.1  healthy", true);
	terminal_wait(t, "127.0.77.2  mail ", true);
	terminal_wait(t, ": 1 of 2 done, ", true);
	terminal_type(t, "q");
	terminal_wait_end(t);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	text = terminal_text(t);
	assert_shows(text, "127.0.77.1  healthy");
	assert_shows(text, "127.0.77.2  skipped/interrupted");
	free(text);
	probe_free(probe);
	terminal_free(t);
	lab_free(lab);
}

/* A later round that is cut short counts for nothing. */
static void quit_in_a_later_round(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text("rr slow.example A 127.0.78.1\n"
					 "smtp 127.0.78.1\n"
					 "    first 1\n"
					 "    then\n"
					 "    mail silence\n");
	struct terminal *t = terminal_new(24, 100);
	struct probe *probe = WATCH(lab, t, "--watch=1", "-t", "200", "slow.example");
	char *text;

	lab_wait(lab, "command 127.0.78.1 2 MAIL", 1);
	terminal_wait(t, "127.0.78.1  mail ", true); /* it takes long */
	terminal_wait(t, "HEALTHY since ", true);
	terminal_type(t, "q");
	terminal_wait_end(t);
	probe_wait(probe);
	probe_assert_exit(probe, 0);
	text = terminal_text(t);
	assert_shows(text, "127.0.78.1  healthy");
	assert_shows(text, DOT BLOCK "\n");
	free(text);
	probe_free(probe);
	terminal_free(t);
	lab_free(lab);
}

static void resized(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(pool);
	struct terminal *t = terminal_new(24, 100);
	/* Nothing would be drawn by itself for minutes. */
	struct probe *probe = WATCH(lab, t, "--watch=600", "pool.example", "[127.0.75.2]:@PORT@");
	char *text;

	terminal_wait(t, "Next in ", true);
	terminal_resize(t, 40, 120);
	terminal_wait(t, "One Exim delivery attempt", true);
	terminal_resize(t, 10, 60);
	terminal_wait(t, "\n  +3 more: 3 healthy\n", true);
	terminal_wait(t, "127.0.75.6 ", true);
	terminal_wait(t, "One Exim delivery attempt", false);
	terminal_resize(t, 40, 100);
	terminal_wait(t, "+3 more", false);
	terminal_wait(t, "One Exim delivery attempt", true);
	terminal_type(t, "Q");
	terminal_wait_end(t);
	probe_wait(probe);
	probe_assert_exit(probe, 1);
	text = terminal_visible(t);
	assert_shows(text, "\n2 targets: 1 healthy, 1 degraded\n");
	assert_null(strstr(text, "Next in"));
	free(text);
	probe_free(probe);
	terminal_free(t);
	lab_free(lab);
}

/* Ctrl-Z gives the terminal to the shell as it was; fg draws again. */
static void stopped(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(pool);
	struct terminal *t = terminal_new(50, 80);
	struct probe_conf conf = {
	    .tty = terminal_path(t), .env = colorless, .bare = true, .program = "/bin/sh"};
	struct probe *probe;

	if (getenv("WRAP")) {
		terminal_free(t);
		lab_free(lab);
		return;
	}
	probe = probe_start(
	    lab, &conf,
	    (const char *const[]){
		"-m", "-c",
		"\"$MXPROBE\" --resolver @DNS@ -p @PORT@ -F probe.example.org --watch=1 "
		"pool.example\n"
		"echo stopped by $?; stty -a | tr ' ;' '\\n\\n' | grep -x -e -icanon -e icanon\n"
		"read line; echo bye $line; fg >/dev/null; echo ended by $?",
		NULL});
	terminal_wait(t, "Next in ", true);
	terminal_type(t, "\032");
	terminal_wait(t, "\nicanon\n", true);
	assert_true(terminal_is_cooked(t));
	terminal_type(t, "abc\n");
	terminal_wait(t, "\nbye abc\n", true);
	terminal_wait(t, "\nbye abc\npool.example ", true);
	terminal_wait(t, "Next in ", true);
	assert_false(terminal_is_cooked(t));
	terminal_type(t, "q");
	terminal_wait(t, "\nended by 1\n", true);
	terminal_wait_end(t);
	probe_wait(probe);
	probe_free(probe);
	terminal_free(t);
	lab_free(lab);
}

/* ---- where there is no terminal ---- */

/* Waits until a file has that text, and returns all of it. */
static char *wait_text(const char *path, const char *wanted)
{
	char *text = NULL;

	for (int i = 0; i < 6000; i++) {
		free(text);
		text = read_whole(path, NULL);
		if (text && strstr(text, wanted))
			return text;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("no \"%s\" in %s:\n%s", wanted, path, text ? text : "");
	return NULL;
}

/* Waits until what it has written so far has so many lines: each is there at once. */
static char *wait_lines(const char *path, unsigned lines)
{
	char *text = NULL;

	for (int i = 0; i < 6000; i++) {
		unsigned n = 0;

		free(text);
		text = read_whole(path, NULL);
		for (const char *p = text; p && *p; p++)
			n += *p == '\n';
		if (n >= lines)
			return text;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("no %u lines in %s:\n%s", lines, path, text ? text : "");
	return NULL;
}

static void one_line_a_round(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(heals);
	struct probe *probe =
	    probe_start(lab, NULL, (const char *const[]){"--watch=1", "heals.example", NULL});
	char *text = wait_lines(probe->out_path, 3);
	const char *rest[] = {"Z heals.example failing: 0 of 1 healthy, 1 exhausted\n",
			      "Z heals.example healthy: 1 of 1 healthy; failing before\n",
			      "Z heals.example healthy: 1 of 1 healthy\n"};
	const char *at = text;

	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		assert_int_equal(at[4], '-');
		assert_int_equal(at[10], 'T');
		if (strncmp(at + 19, rest[i], strlen(rest[i])) != 0)
			fail_msg("no \"%s\" in:\n%s", rest[i], text);
		at += 19 + strlen(rest[i]);
	}
	free(text);
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 0);
	assert_string_equal(probe->err, "");
	probe_free(probe);
	lab_stop(lab);
	/* DNS is asked again in each round. */
	assert_true(lab_lines(lab, "question heals.example MX ") >= 3);
	lab_assert_polite(lab);
	lab_free(lab);
}

static void json(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(heals);
	struct probe *probe = probe_start(
	    lab, NULL,
	    (const char *const[]){"--watch=1", "--json", "heals.example", "[127.0.76.1]", NULL});
	unsigned each[2] = {0};

	free(wait_lines(probe->out_path, 5));
	assert_int_equal(kill(probe->pid, SIGINT), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 0);
	for (size_t i = 0; i < probe->n_results; i++) {
		assert_schema(probe->results[i]);
		each[number_at(probe->results[i], "index")]++;
		assert_int_equal(number_at(probe->results[i], "summary.skipped"), 0);
	}
	assert_true(each[0] >= 2 && each[1] >= 2);
	probe_free(probe);
	lab_free(lab);
}

/* The file of the last whole round stands, and nobody else writes it in the meantime. */
static void renewed_file(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(heals);
	char *path = test_path(".json");
	const char *const args[] = {"--watch=1", "--json", "-o", path, "heals.example", NULL};
	struct probe *probe = probe_start(lab, NULL, args), *other;
	char *text = wait_text(path, "\"verdict\":\"healthy\""), *claimed;

	assert_ptr_equal(strchr(text, '\n') + 1, text + strlen(text));
	free(text);
	other = probe_run(lab, NULL, args);
	probe_assert_exit(other, 3);
	assert_non_null(strstr(other->err, "another run of mxprobe holds it"));
	probe_free(other);
	assert_int_equal(kill(probe->pid, SIGINT), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 0);
	assert_string_equal(probe->out, "");
	text = wait_lines(path, 1);
	assert_shows(text, "\"verdict\":\"healthy\"");
	free(text);
	claimed = xasprintf("%.*s/.%s.mxprobe", (int)(strrchr(path, '/') - path), path,
			    strrchr(path, '/') + 1);
	assert_int_not_equal(access(claimed, F_OK), 0);
	free(claimed);
	(void)unlink(path);
	free(path);
	probe_free(probe);
	lab_free(lab);
}

static void prometheus(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(heals);
	char *path = test_path(".prom");
	struct probe *probe = probe_start(
	    lab, NULL,
	    (const char *const[]){"--watch=1", "--prometheus", "-o", path, "heals.example", NULL});
	char *text = wait_text(path, "\",verdict=\"healthy\"} 1\n");

	assert_null(strstr(strstr(text, "# HELP mxprobe_up ") + 1, "# HELP mxprobe_up "));
	free(text);
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 0);
	(void)unlink(path);
	free(path);
	probe_free(probe);
	lab_free(lab);
}

/* Nobody takes what is written: there is no point in going on. */
static void nowhere(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(heals);
	struct probe *probe = PROBE(lab, "--watch=1", "--json", "-o", "/dev/full", "heals.example");

	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->err, "cannot write /dev/full: "));
	probe_free(probe);
	lab_free(lab);
}

/* The list is read anew in each round; one that has gone is told of, and the rounds go on. */
static void input(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text("rr *.list.example A 127.0.79.1\nsmtp 127.0.79.1\n");
	char *path = test_path(".list");
	struct probe *probe;

	write_whole(path, "a.list.example\n");
	probe = probe_start(lab, NULL,
			    (const char *const[]){"--watch=1", "-i", path, "z.list.example", NULL});
	free(wait_lines(probe->out_path, 2));
	write_whole(path, "b.list.example\n");
	lab_wait(lab, "question b.list.example MX ", 1);
	(void)unlink(path);
	free(wait_text(probe->err_path, "--input: '"));
	lab_wait(lab, "question z.list.example MX ", 5);
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->out, "Z a.list.example healthy: 1 of 1 healthy\n"));
	assert_non_null(strstr(probe->out, "Z b.list.example healthy: 1 of 1 healthy\n"));
	free(path);
	probe_free(probe);
	lab_free(lab);
}

#ifdef HAVE_SQLITE
/* Each round is a run. */
static void history(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(heals);
	char *path = test_path(".history"), *side;
	struct probe *probe = probe_start(
	    lab, NULL,
	    (const char *const[]){"--watch=1", "--json", "--history", path, "heals.example", NULL});
	struct probe *report;
	size_t rounds;

	free(wait_lines(probe->out_path, 3));
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 0);
	rounds = probe->n_results;
	assert_true(json_is_true(at(probe->results[1], "changed")));
	assert_string_equal(text_at(probe->results[1], "previous_verdict"), "failing");
	report = PROBE(NULL, "-p", lab->port, "--history", path, "--report", "heals.example");
	side = xasprintf(" UTC, %zu runs\n", rounds);
	if (!strstr(report->out, side))
		fail_msg("no \"%s\" in:\n%s", side, report->out);
	free(side);
	probe_free(report);
	probe_free(probe);
	remove_history(path);
	lab_free(lab);
}
#endif

#if defined __linux__ && !defined SANDBOX_SANITIZED
/* ---- for days ---- */

static long resident_kib(pid_t pid)
{
	char *path = xasprintf("/proc/%ld/statm", (long)pid), *text = read_whole(path, NULL);
	long pages = 0;

	assert_non_null(text);
	assert_int_equal(sscanf(text, "%*d %ld", &pages), 1);
	free(text);
	free(path);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The command as it is, but for a pause that no option can make so short. */
static void run_rounds(const struct lab *lab, const char *history, const char *out)
{
	const char *const words[] = {"mxprobe",      "--watch",   "--resolver", lab->dns,
				     "-p",           lab->port,   "-F",         "probe.example.org",
				     "pool.example", "--history", history};
	const int n = history ? ARRAY_LEN(words) : ARRAY_LEN(words) - 2;
	struct options options;
	char *error = NULL, *argv[ARRAY_LEN(words) + 1] = {0};

	for (int i = 0; i < n; i++)
		argv[i] = xstrdup(words[i]);
	if (!freopen(out, "w", stdout) || !options_parse(&options, n, argv, &error))
		_exit(99);
	options.watch = 1;
	_exit(command_probe(&options));
}

/* A thousand rounds take no more memory than two hundred. */
static void flat(const char *history)
{
	struct lab *lab = lab_start_text(pool);
	char *out = test_path(".out");
	long early = 0, late = 0;
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_rounds(lab, history, out);
	free(wait_lines(out, 200));
	early = resident_kib(pid);
	free(wait_lines(out, 1000));
	late = resident_kib(pid);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	if (late > early + 512)
		fail_msg("%ld KiB after 200 rounds, %ld after 1,000", early, late);
	(void)unlink(out);
	free(out);
	lab_free(lab);
}

static void flat_memory(void **state)
{
	(void)state;
	flat(NULL);
}

#ifdef HAVE_SQLITE
static void flat_memory_with_history(void **state)
{
	char *path = test_path(".history");

	(void)state;
	flat(path);
	remove_history(path);
}
#endif
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quit),
		cmocka_unit_test(control_c),
		cmocka_unit_test(terminated),
		cmocka_unit_test(hung_up),
		cmocka_unit_test(quit_in_the_first_round),
		cmocka_unit_test(quit_in_a_later_round),
		cmocka_unit_test(resized),
		cmocka_unit_test(stopped),
		cmocka_unit_test(one_line_a_round),
		cmocka_unit_test(json),
		cmocka_unit_test(renewed_file),
		cmocka_unit_test(prometheus),
		cmocka_unit_test(nowhere),
		cmocka_unit_test(input),
#ifdef HAVE_SQLITE
		cmocka_unit_test(history),
#endif
#if defined __linux__ && !defined SANDBOX_SANITIZED
		cmocka_unit_test(flat_memory),
#ifdef HAVE_SQLITE
		cmocka_unit_test(flat_memory_with_history),
#endif
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

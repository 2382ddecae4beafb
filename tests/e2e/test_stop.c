/* Runs that end before all is known: signals and the deadline. What is known is told, the rest is
 * skipped, the exit code says so. */
#include "support/lab.h"

#include "base/buf.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Five that answer, three that never do. */
static const char stuck[] = "each i 1 8 rr stuck.example A 127.0.60.%i\n"
			    "smtp 127.0.60.1-127.0.60.5\n"
			    "smtp 127.0.60.6-127.0.60.8\n"
			    "    mail silence\n";

static void interrupted_by(int signum)
{
	struct lab *lab = lab_start_text(stuck);
	struct probe *probe = probe_start(
	    lab, NULL, (const char *const[]){"--json", "-t", "200", "stuck.example", NULL});
	for (int i = 1; i <= 5; i++) {
		char line[64];
		(void)snprintf(line, sizeof line, "end 127.0.60.%d 1 ", i);
		lab_wait(lab, line, 1);
	}
	for (int i = 6; i <= 8; i++) {
		char line[64];
		(void)snprintf(line, sizeof line, "command 127.0.60.%d 1 MAIL", i);
		lab_wait(lab, line, 1);
	}
	assert_int_equal(kill(probe->pid, signum), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	assert_int_equal(probe->n_results, 1);
	const json_t *result = probe->results[0];
	assert_schema(result);
	assert_int_equal(number_at(result, "summary.healthy"), 5);
	assert_int_equal(number_at(result, "summary.skipped"), 3);
	assert_endpoint(result, "127.0.60.7", "skipped/interrupted", NULL);
	probe_free(probe);
	lab_free(lab);
}

static void interrupt(void **state)
{
	(void)state;
	interrupted_by(SIGINT);
}

static void terminate(void **state)
{
	(void)state;
	interrupted_by(SIGTERM);
}

/* Targets that were never begun are told of, too. */
static void interrupted_input(void **state)
{
	(void)state;
	struct buf input = {0};
	for (int i = 0; i < 3000; i++)
		buf_printf(&input, "t%d.many.example\n", i);
	struct lab *lab = lab_start_text("rr *.many.example A 127.0.61.1\n"
					 "smtp 127.0.61.1\n"
					 "    banner silence\n");
	struct probe_conf conf = {.input = buf_str(&input)};
	struct probe *probe =
	    probe_start(lab, &conf, (const char *const[]){"--json", "-t", "200", "-i", "-", NULL});
	lab_wait(lab, "connect 127.0.61.1 ", 1);
	assert_int_equal(kill(probe->pid, SIGINT), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	assert_int_equal(probe->n_results, 3000);
	for (size_t i = 0; i < probe->n_results; i++)
		assert_string_equal(text_at(probe->results[i], "verdict"), "unknown");
	probe_free(probe);
	lab_free(lab);
	buf_fini(&input);
}

/* In the middle of DNS. */
static void interrupted_dns(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text("dns * * delay 100s\nsmtp 127.0.62.1\n");
	struct probe *probe =
	    probe_start(lab, NULL, (const char *const[]){"--json", "dns.example", NULL});
	lab_wait(lab, "question dns.example MX", 1);
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	assert_int_equal(probe->n_results, 1);
	assert_string_equal(text_at(probe->results[0], "verdict"), "unknown");
	assert_schema(probe->results[0]);
	probe_free(probe);
	lab_free(lab);
}

/* Once the program handles SIGTERM, which it does before it waits. */
static void wait_for_handler(pid_t pid)
{
	char *path = xasprintf("/proc/%d/status", (int)pid), line[256];
	unsigned long long caught = 0;

	for (int i = 0; i < 60000 && !(caught >> (SIGTERM - 1) & 1); i++) {
		FILE *f = fopen(path, "re");

		while (f && fgets(line, sizeof line, f))
			if (sscanf(line, "SigCgt: %llx", &caught) == 1)
				break;
		if (f)
			(void)fclose(f);
		(void)poll(NULL, 0, 1);
	}
	free(path);
}

/* Before anything was begun. */
static void interrupted_jitter(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text("smtp 127.0.62.1\n");
	struct probe *probe = probe_start(
	    lab, NULL, (const char *const[]){"--json", "--jitter", "100000", "dns.example", NULL});
	wait_for_handler(probe->pid);
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	assert_int_equal(probe->n_results, 1);
	assert_string_equal(text_at(probe->results[0], "verdict"), "unknown");
	assert_schema(probe->results[0]);
	probe_free(probe);
	lab_free(lab);
}

static void deadline(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(stuck);
	struct probe *probe = PROBE(lab, "--json", "-t", "200", "--deadline", "3", "stuck.example");
	const json_t *result = probe->results[0];
	assert_schema(result);
	assert_int_equal(number_at(result, "summary.healthy"), 5);
	assert_endpoint(result, "127.0.60.6", "skipped/deadline", NULL);
	assert_endpoint(result, "127.0.60.8", "skipped/deadline", NULL);
	/* What is skipped is judged as if the rest were all. */
	assert_string_equal(text_at(result, "verdict"), "healthy");
	probe_assert_exit(probe, 0);
	assert_true(probe->seconds >= 2.9);
	probe_free(probe);
	lab_free(lab);
}

/* The file of -o appears whole or not at all, also then. */
static void interrupted_output(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(stuck);
	char *path = test_path(".json");
	struct probe *probe = probe_start(
	    lab, NULL,
	    (const char *const[]){"--json", "-t", "200", "-o", path, "stuck.example", NULL});
	lab_wait(lab, "command 127.0.60.6 1 MAIL", 1);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(kill(probe->pid, SIGINT), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	char *text = read_whole(path, NULL);
	assert_non_null(text);
	json_t *result = json_loads(text, 0, NULL);
	assert_non_null(result);
	assert_schema(result);
	json_decref(result);
	free(text);
	(void)unlink(path);
	free(path);
	probe_free(probe);
	lab_free(lab);
}

/* A reader that goes away ends the run quietly enough: no crash, and an exit code that is not 0. */
static void broken_pipe(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	char *command =
	    xasprintf("{ \"$MXPROBE\" --resolver %s -p %s -F p.example.org --json good.example "
		      "half.example; echo $? >&3; } 3>'%s/pipe.status' 2>/dev/null | true",
		      lab->dns, lab->port, getenv("TEST_DIR"));
	int unused = system(command); /* its own status says nothing */
	(void)unused;
	free(command);
	char *path = xasprintf("%s/pipe.status", getenv("TEST_DIR"));
	char *text = read_whole(path, NULL);
	assert_non_null(text);
	int status = atoi(text);
	assert_true(status == 3 || status == 1);
	(void)unlink(path);
	free(path);
	free(text);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(interrupt),         cmocka_unit_test(terminate),
	    cmocka_unit_test(interrupted_input), cmocka_unit_test(interrupted_dns),
	    cmocka_unit_test(deadline),          cmocka_unit_test(interrupted_output),
	    cmocka_unit_test(broken_pipe),       cmocka_unit_test(interrupted_jitter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The history through the program: changes between runs, reports, and a file that outlives what is
 * done to its writers. TORTURE=1 (make torture-history) takes a minute and a hundred kills. */
#include "support/json_schema.h"
#include "support/lab.h"

#include "base/buf.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef HAVE_SQLITE

static void refused(void **state)
{
	(void)state;
	struct probe *probe = PROBE(NULL, "--history", "/nonexistent/file", "example.org");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->err, "--history: needs SQLite"));
	probe_free(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include "kept/kept.h"

/* One of two servers that heals with its third connection. */
static const char healing[] = "rr heals.example MX 10 mx.heals.example\n"
			      "rr mx.heals.example A 127.0.70.1\n"
			      "rr mx.heals.example A 127.0.70.2\n"
			      "smtp 127.0.70.1\n"
			      "smtp 127.0.70.2\n"
			      "    first 2\n"
			      "    mail say \"452 4.3.1 Out of memory\"\n"
			      "    then\n";

static bool torture(void)
{
	return getenv("TORTURE") != NULL;
}

static long count(const char *path, const char *question)
{
	char *text = kept_ask(path, question);
	long n = strtol(text, NULL, 10);
	free(text);
	return n;
}

static void assert_past(const json_t *result, const char *verdict, const char *previous,
			bool changed)
{
	assert_string_equal(text_at(result, "verdict"), verdict);
	if (previous)
		assert_string_equal(text_at(result, "previous_verdict"), previous);
	else
		assert_true(json_is_null(at(result, "previous_verdict")));
	assert_int_equal(json_is_true(at(result, "changed")), changed);
}

/* ---- changes ---- */

static void changes(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(healing);
	char *path = test_path(".history");
	char *began = NULL, *healed = NULL;
	for (int i = 0; i < 4; i++) {
		struct probe *probe = PROBE(lab, "--json", "--history", path, "heals.example");
		const json_t *result = probe->results[0];
		assert_schema(result);
		assert_fits_schema(result);
		const char *since = text_at(result, "since");
		const char *started = text_at(result, "started");
		switch (i) {
		case 0:
			assert_past(result, "degraded", NULL, false);
			assert_string_equal(since, started);
			assert_true(json_is_null(at(result, "endpoints.1.previous_class")));
			assert_string_equal(text_at(result, "endpoints.1.since"), started);
			began = xstrdup(started);
			break;
		case 1:
			assert_past(result, "degraded", "degraded", false);
			assert_string_equal(since, began);
			assert_string_equal(text_at(result, "endpoints.1.previous_class"),
					    "exhausted");
			break;
		case 2:
			assert_past(result, "healthy", "degraded", true);
			assert_string_equal(since, started);
			assert_string_equal(text_at(result, "endpoints.0.previous_class"),
					    "healthy");
			assert_string_equal(text_at(result, "endpoints.0.since"), began);
			assert_string_equal(text_at(result, "endpoints.1.previous_class"),
					    "exhausted");
			assert_string_equal(text_at(result, "endpoints.1.since"), started);
			healed = xstrdup(started);
			break;
		default:
			assert_past(result, "healthy", "healthy", false);
			assert_string_equal(since, healed);
		}
		probe_free(probe);
	}
	/* Without the option there is none of it. */
	struct probe *probe = PROBE(lab, "--json", "heals.example");
	assert_null(at(probe->results[0], "changed"));
	assert_null(at(probe->results[0], "endpoints.0.since"));
	probe_free(probe);
	assert_int_equal(count(path, "SELECT count(*) FROM results"), 4);
	assert_int_equal(count(path, "SELECT count(*) FROM outcomes"), 8);
	free(began);
	free(healed);
	remove_history(path);
	lab_free(lab);
}

static void confirm(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(healing);
	char *path = test_path(".history");
	for (int i = 0; i < 5; i++) {
		struct probe *probe =
		    PROBE(lab, "--json", "--history", path, "--confirm", "3", "heals.example");
		assert_past(probe->results[0], i < 2 ? "degraded" : "healthy",
			    i ? "degraded" : NULL, i == 4);
		probe_free(probe);
	}
	remove_history(path);
	lab_free(lab);
}

static void keep(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	char *path = test_path(".history");
	for (int i = 0; i < 3; i++) {
		struct probe *probe =
		    PROBE(lab, "-q", "--history", path, "--keep", "1d", "good.example");
		probe_assert_exit(probe, 0);
		probe_free(probe);
	}
	assert_int_equal(count(path, "SELECT count(*) FROM results"), 3);
	/* Two days later. */
	sqlite3 *db;
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "UPDATE results SET started = started - 172800000", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	struct probe *probe = PROBE(lab, "-q", "--history", path, "--keep", "1d", "good.example");
	probe_free(probe);
	assert_int_equal(count(path, "SELECT count(*) FROM results"), 1);
	assert_kept(path, "PRAGMA integrity_check", "ok");
	remove_history(path);
	lab_free(lab);
}

/* Every target of a run, the control target and bad lines, too. */
static void many_targets(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	char *path = test_path(".history");
	struct probe_conf conf = {.input = "good.example\nhalf.example\nno target\n"};
	struct probe *probe = PROBE_CONF(lab, &conf, "--json", "--history", path, "--control",
					 "good.example", "-i", "-");
	assert_int_equal(probe->n_results, 4);
	for (size_t i = 0; i < probe->n_results; i++)
		assert_fits_schema(probe->results[i]);
	assert_int_equal(count(path, "SELECT count(*) FROM results"), 4);
	assert_int_equal(count(path, "SELECT count(*) FROM targets"), 3);
	assert_int_equal(count(path, "SELECT count(*) FROM runs"), 1);
	probe_free(probe);
	remove_history(path);
	lab_free(lab);
}

/* ---- trouble with the file ---- */

static void assert_told(struct lab *lab, const char *path, const char *why)
{
	struct probe *probe = PROBE(lab, "--json", "--history", path, "good.example");
	probe_assert_exit(probe, 3);
	if (!strstr(probe->err, why) || !strstr(probe->err, path))
		fail_msg("\"%s\" does not say \"%s\"", probe->err, why);
	/* The probe's output comes all the same, with all of its fields. */
	assert_int_equal(probe->n_results, 1);
	assert_fits_schema(probe->results[0]);
	assert_past(probe->results[0], "healthy", NULL, false);
	assert_true(json_is_null(at(probe->results[0], "since")));
	assert_true(json_is_null(at(probe->results[0], "endpoints.0.since")));
	probe_free(probe);
	probe = PROBE(lab, "--nagios", "--history", path, "good.example");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->out, "MXPROBE UNKNOWN - the history could not be kept"));
	probe_free(probe);
}

static void trouble(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	char *path = test_path(".history");
	write_whole(path, "somebody's text\n");
	assert_told(lab, path, "is not a history of mxprobe");
	char *text = read_whole(path, NULL);
	assert_string_equal(text, "somebody's text\n");
	free(text);
	(void)unlink(path);
	assert_told(lab, "/nonexistent/history", "No such file or directory");
	assert_told(lab, "/dev/full", "no regular file");
	remove_history(path);
	lab_free(lab);
}

/* A file that may not grow is a disk that is full, as far as a program can tell. */
static void full(void **state)
{
	(void)state;
	struct lab *lab = lab_start("healthy");
	char *path = test_path(".history"), *small = xasprintf("%s-size", path);
	char *command = xasprintf(
	    "ulimit -f 16; trap '' XFSZ; \"$MXPROBE\" --resolver %s -p %s -F p.example.org --json "
	    "--history '%s' good.example 2>&1 | grep -c 'healthy' >'%s'",
	    lab->dns, lab->port, path, small);
	int unused = system(command); /* what it said is what counts */
	(void)unused;
	char *said = read_whole(small, NULL);
	assert_non_null(said);
	assert_int_equal(atoi(said), 1);
	free(said);
	(void)unlink(small);
	free(small);
	free(command);
	/* And there is room again. */
	struct probe *probe = PROBE(lab, "--json", "--history", path, "good.example");
	probe_assert_exit(probe, 0);
	probe_free(probe);
	assert_kept(path, "PRAGMA integrity_check", "ok");
	remove_history(path);
	lab_free(lab);
}

/* ---- reports ---- */

static void reports(void **state)
{
	(void)state;
	struct lab *lab = lab_start_text(healing);
	char *path = test_path(".history");
	for (int i = 0; i < 3; i++)
		probe_free(PROBE(lab, "-q", "--history", path, "heals.example"));
	struct probe *probe = PROBE(lab, "--history", path, "--report", "--json", "Heals.Example");
	probe_assert_exit(probe, 0);
	assert_int_equal(probe->n_results, 1);
	const json_t *r = probe->results[0];
	assert_fits_schema(r);
	assert_string_equal(text_at(r, "schema"), "mxprobe-report/1");
	assert_string_equal(text_at(r, "target"), "Heals.Example");
	assert_int_equal(number_at(r, "runs"), 3);
	assert_int_equal(number_at(r, "verdicts.degraded"), 2);
	assert_int_equal(number_at(r, "verdicts.healthy"), 1);
	assert_int_equal(json_array_size(at(r, "endpoints")), 2);
	assert_string_equal(text_at(r, "endpoints.1.address"), "127.0.70.2");
	assert_int_equal(number_at(r, "endpoints.1.classes.exhausted"), 2);
	assert_string_equal(text_at(r, "endpoints.1.last.class"), "healthy");
	assert_string_equal(text_at(r, "endpoints.1.last_unhealthy.reason"), "memory");
	assert_true(json_is_null(at(r, "endpoints.0.last_unhealthy")));
	assert_int_equal(number_at(r, "hosts.0.endpoints"), 2);
	assert_int_equal(number_at(r, "hosts.0.runs"), 3);
	assert_int_equal(number_at(r, "replies.0.count"), 2);
	assert_string_equal(text_at(r, "replies.0.text"), "Out of memory");
	probe_free(probe);

	/* Without a target: all of them. An unknown one is no error, and nothing was contacted. */
	probe = PROBE(lab, "--history", path, "--report=24h");
	probe_assert_exit(probe, 0);
	assert_non_null(strstr(probe->out, "heals.example:"));
	assert_non_null(strstr(probe->out, "452 4.3.1 Out of memory"));
	assert_non_null(strstr(probe->out, "\xE2\x96\x82"));
	probe_free(probe);
	probe = PROBE(lab, "--history", path, "--report", "--json", "other.example");
	probe_assert_exit(probe, 0);
	assert_fits_schema(probe->results[0]);
	assert_int_equal(number_at(probe->results[0], "runs"), 0);
	probe_free(probe);
	struct probe_conf conf = {.input = "# those\n\nheals.example\n  other.example \r\n"};
	probe = PROBE_CONF(lab, &conf, "--history", path, "--report", "--json", "-i", "-");
	assert_int_equal(probe->n_results, 2);
	assert_string_equal(text_at(probe->results[1], "target"), "other.example");
	probe_free(probe);

	char *page = test_path(".html");
	probe = PROBE(lab, "--history", path, "--report", "--html", "-o", page, "heals.example");
	probe_assert_exit(probe, 0);
	assert_int_equal(probe->out_len, 0);
	char *html = read_whole(page, NULL);
	assert_int_equal(strncmp(html, "<!DOCTYPE html>", 15), 0);
	assert_non_null(strstr(html, "127.0.70.2"));
	assert_non_null(strstr(html, "</html>"));
	free(html);
	(void)unlink(page);
	free(page);
	probe_free(probe);

	probe = PROBE(lab, "--history", "/nonexistent/history", "--report", "heals.example");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->err, "No such file"));
	probe_free(probe);
	lab_stop(lab);
	assert_int_equal(lab_sum(lab, "connections"), 6);
	remove_history(path);
	lab_free(lab);
}

static void usage(void **state)
{
	static const char *const wrong[][4] = {
	    {"--report", "example.org"},
	    {"--html", "example.org"},
	    {"--keep", "1d", "example.org"},
	    {"--confirm", "2", "example.org"},
	    {"--history", "x", "--keep", "9"},
	    {"--history", "x", "--keep", "0d"},
	    {"--history", "x", "--report=yesterday"},
	    {"--history", "x", "--report", "--prometheus"},
	    {"--history", "x", "--report", "--nagios"},
	    {"--history", "x", "--html", "example.org"},
	    {"--history", "", "example.org"},
	    {"--history", "x", "--confirm", "0"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const char *args[5] = {wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], NULL};
		struct probe *probe = probe_run(NULL, NULL, args);
		probe_assert_exit(probe, 3);
		assert_non_null(strstr(probe->err, "Try 'mxprobe --help'."));
		assert_int_equal(access("x", F_OK), -1);
		probe_free(probe);
	}
}

/* ---- many at once, and deaths ---- */

/* Every run of twenty processes at once is there, whole. */
static void at_once(void **state)
{
	enum { PROCESSES = 20 };
	(void)state;
	struct lab *lab = lab_start_text("each i 1 4 rr many.example A 127.0.71.%i\n"
					 "smtp 127.0.71.1-127.0.71.4\n");
	char *path = test_path(".history");
	time_t until = time(NULL) + (torture() ? 60 : 0);
	long runs = 0;
	do {
		struct probe *probes[PROCESSES];
		for (int i = 0; i < PROCESSES; i++) {
			/* Twenty jobs, not one that is overtaken: each has a command line of its
			 * own. */
			char seconds[8];
			(void)snprintf(seconds, sizeof seconds, "%d", 200 + i);
			const char *const args[] = {"--json", "--history", path, "many.example",
						    "-t",     seconds,     NULL};
			probes[i] = probe_start(lab, NULL, args);
		}
		for (int i = 0; i < PROCESSES; i++) {
			probe_wait(probes[i]);
			probe_assert_exit(probes[i], 0);
			assert_int_equal(probes[i]->err_len, 0);
			assert_int_equal(probes[i]->n_results, 1);
			probe_free(probes[i]);
			runs++;
		}
	} while (runs < 3L * PROCESSES || time(NULL) < until);
	assert_kept(path, "PRAGMA integrity_check", "ok");
	assert_int_equal(count(path, "SELECT count(*) FROM runs"), runs);
	assert_int_equal(count(path, "SELECT count(*) FROM results"), runs);
	assert_int_equal(count(path, "SELECT count(*) FROM outcomes"), 4 * runs);
	/* One of them was the first, and all saw the same beginning. */
	assert_int_equal(count(path, "SELECT count(DISTINCT since) FROM endpoints"), 1);
	print_message("report: history: %ld runs of %d processes at once, all there\n", runs,
		      PROCESSES);
	remove_history(path);
	lab_free(lab);
}

/* Ends a probe at once; true: it was still there. Adds the lines that it had told. */
static bool end_at_once(struct probe *probe, long *told)
{
	int status;
	size_t n;
	(void)kill(probe->pid, SIGKILL);
	assert_int_equal(waitpid(probe->pid, &status, 0), probe->pid);
	probe->pid = 0;
	/* It may be dead before it could open its own output. */
	char *out = read_whole(probe->out_path, &n);
	for (size_t i = 0; out && i < n; i++)
		*told += out[i] == '\n';
	free(out);
	(void)unlink(probe->out_path);
	(void)unlink(probe->err_path);
	probe_free(probe);
	return WIFSIGNALED(status);
}

/* Killed at any moment: what was told is there, what is there is whole. */
static void killed(void **state)
{
	enum { TARGETS = 5000, PORTS = 1000 };
	(void)state;
	struct buf input = {0};
	char *path = test_path(".history");
	int kills = torture() ? 100 : 15, hits = 0;
	unsigned random = (unsigned)getpid() * 2654435761U;
	long told = 0;
	/* Nobody listens there: a result each, as fast as can be. */
	for (int i = 0; i < TARGETS; i++)
		buf_printf(&input, "[127.0.72.%d]:%d\n", i / PORTS + 1, i % PORTS + 1);
	struct probe_conf conf = {.input = buf_str(&input)};
	for (int i = 0; i < kills; i++) {
		const char *const args[] = {
		    "--json", "-F", "p.example.org", "--history", path, "-i", "-", NULL};
		struct probe *probe = probe_start(NULL, &conf, args);
		random = random * 1664525U + 1013904223U;
		struct timespec pause = {.tv_nsec = (long)((random >> 16) % 400) * 1000000};
		(void)nanosleep(&pause, NULL);
		hits += end_at_once(probe, &told);
	}
	buf_fini(&input);
	struct probe *probe =
	    PROBE(NULL, "--json", "--history", path, "-F", "p.example.org", "[127.0.72.1]:1");
	told += (long)probe->n_results;
	assert_int_equal(probe->n_results, 1);
	assert_false(json_is_null(at(probe->results[0], "since")));
	probe_free(probe);
	assert_kept(path, "PRAGMA integrity_check", "ok");
	long results = count(path, "SELECT count(*) FROM results");
	if (results < told)
		fail_msg("%ld results were told, %ld are there", told, results);
	assert_int_equal(count(path, "SELECT count(*) FROM outcomes"), results);
	assert_int_equal(count(path, "SELECT count(*) FROM results r WHERE NOT EXISTS"
				     " (SELECT 1 FROM outcomes WHERE id = r.id << 20)"),
			 0);
	assert_int_equal(count(path, "SELECT count(*) FROM results WHERE run NOT IN"
				     " (SELECT id FROM runs)"),
			 0);
	print_message("report: history: %d of %d processes killed in time, %ld results told, "
		      "none lost\n",
		      hits, kills, told);
	remove_history(path);
}

/* Killed while it makes the file: the next one makes it good. */
static void killed_at_birth(void **state)
{
	(void)state;
	int kills = torture() ? 100 : 10;
	long told = 0;
	for (int i = 0; i < kills; i++) {
		char *path = test_path(".history");
		const char *const args[] = {
		    "-q", "-F", "p.example.org", "--history", path, "[127.0.73.1]:1", NULL};
		struct probe *probe = probe_start(NULL, NULL, args);
		struct timespec pause = {.tv_nsec = i % 10 * 200000};
		siginfo_t info = {0};
		while (access(path, F_OK) != 0 &&
		       waitid(P_PID, (id_t)probe->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		       !info.si_pid)
			;
		(void)nanosleep(&pause, NULL);
		(void)end_at_once(probe, &told);
		probe = PROBE(NULL, "--json", "-F", "p.example.org", "--history", path,
			      "[127.0.73.1]:1");
		probe_assert_exit(probe, 2);
		assert_int_equal(probe->err_len, 0);
		probe_free(probe);
		assert_kept(path, "PRAGMA integrity_check", "ok");
		assert_in_range(count(path, "SELECT count(*) FROM results"), 1, 2);
		remove_history(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes),
	    cmocka_unit_test(confirm),
	    cmocka_unit_test(keep),
	    cmocka_unit_test(many_targets),
	    cmocka_unit_test(trouble),
	    cmocka_unit_test(full),
	    cmocka_unit_test(reports),
	    cmocka_unit_test(usage),
	    cmocka_unit_test(at_once),
	    cmocka_unit_test(killed),
	    cmocka_unit_test(killed_at_birth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

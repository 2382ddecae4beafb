/* The program as it runs: it is confined before anybody is asked, and does all it has to do. */
#include "support/lab.h"

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

static const char world[] = "rr good.example MX 10 mx.good.example\n"
			    "rr mx.good.example A 127.97.0.1\n"
			    "smtp 127.97.0.1\n"
			    "    certificate good mx.good.example\n"
			    "rr slow.example MX 10 mx.slow.example\n"
			    "rr mx.slow.example A 127.97.0.2\n"
			    "smtp 127.97.0.2\n"
			    "    banner silence\n";

#ifdef __linux__

/* A line of /proc/PID/status as a number; -1: this kernel has none such. */
static long status_of(pid_t pid, const char *name)
{
	char *path = xasprintf("/proc/%ld/status", (long)pid), *text = read_whole(path, NULL);
	char *mark = xasprintf("\n%s:", name), *found;
	long value;

	assert_non_null(text);
	found = strstr(text, mark);
	value = found ? strtol(found + strlen(mark), NULL, 10) : -1;
	free(mark);
	free(text);
	free(path);
	return value;
}

/* Its state in the middle of a session. */
static void in_session(struct lab *lab, unsigned nth, const char *option, long *privileges,
		       long *seccomp)
{
	struct probe *probe =
	    probe_start(lab, NULL, (const char *const[]){"--json", "slow.example", option, NULL});

	lab_wait(lab, "connect 127.97.0.2", nth);
	*privileges = status_of(probe->pid, "NoNewPrivs");
	*seccomp = status_of(probe->pid, "Seccomp");
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	probe_free(probe);
}

static void is_in_force(void **state)
{
	struct lab *lab = lab_start_text(world);
	long privileges, seccomp;

	(void)state;
	in_session(lab, 1, NULL, &privileges, &seccomp);
	assert_int_equal(privileges, status_of(getpid(), "NoNewPrivs") < 0 ? -1 : 1);
#if defined __x86_64__ || defined __aarch64__
	assert_int_equal(seccomp, status_of(getpid(), "Seccomp") < 0 ? -1 : 2);
#endif
	in_session(lab, 2, "--no-sandbox", &privileges, &seccomp);
	assert_int_equal(privileges, status_of(getpid(), "NoNewPrivs"));
	assert_int_equal(seccomp, status_of(getpid(), "Seccomp"));
	lab_assert_polite(lab);
	lab_free(lab);
}

#endif

/* One line with -vv, before the first question; none otherwise. */
static void is_told(void **state)
{
	static const struct {
		const char *option, *also, *line;
	} rows[] = {{"-vv", "--json", "sandbox "},
		    {"-vv", "--no-sandbox", "sandbox none: --no-sandbox\n"},
		    {"-v", "--no-sandbox", NULL},
		    {"-vv", "--nagios", NULL}};
	struct lab *lab = lab_start_text(world);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct probe *probe = PROBE(lab, rows[i].option, rows[i].also, "good.example");

		probe_assert_exit(probe, 0);
		if (!rows[i].line)
			assert_null(strstr(probe->err, "sandbox"));
		else
			assert_int_equal(strncmp(probe->err, rows[i].line, strlen(rows[i].line)),
					 0);
		probe_free(probe);
	}
	lab_free(lab);
}

/* Everything that is written or read late, by relative paths, with and without it. */
static void all_works(void **state)
{
	struct lab *lab = lab_start_text(world);
	char *folder = test_path(".d"), *back = getcwd(NULL, 0);

	(void)state;
	assert_non_null(back);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(chdir(folder), 0);
	for (int i = 0; i < 2; i++) {
		const char *none = i ? "--no-sandbox" : NULL;
		struct probe *probe =
		    PROBE(lab, "--tls", "verify", "--json", "-b", "127.0.0.1", "--history", "h.db",
			  "--keep", "1y", "-o", "o.json", "good.example", none);
		char *text;

		if (strstr(probe->err, "--history: needs SQLite")) {
			probe_free(probe);
			break;
		}
		probe_assert_exit(probe, 0);
		assert_string_equal(probe->err, "");
		probe_free(probe);
		text = read_whole("o.json", NULL);
		assert_non_null(text);
		assert_non_null(strstr(text, "\"verified\":true"));
		free(text);
		assert_int_equal(unlink("o.json"), 0);
		assert_int_equal(access("h.db-wal", F_OK), -1);
		probe = PROBE(lab, "--history", "h.db", "--report", "--html", "-o", "page.html",
			      "good.example", none);
		probe_assert_exit(probe, 0);
		assert_string_equal(probe->err, "");
		probe_free(probe);
		assert_int_equal(unlink("page.html"), 0);
		write_whole("lines", "452 4.3.1 Out of memory\n");
		probe = PROBE(lab, "--classify", "-i", "lines", "-o", "classes", none);
		probe_assert_exit(probe, 0);
		probe_free(probe);
		assert_int_equal(unlink("classes"), 0);
		assert_int_equal(unlink("lines"), 0);
	}
	(void)unlink("h.db"); /* not there without SQLite */
	assert_int_equal(chdir(back), 0);
	assert_int_equal(rmdir(folder), 0);
	free(back);
	free(folder);
	lab_free(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __linux__
	    cmocka_unit_test(is_in_force),
#endif
	    cmocka_unit_test(is_told),
	    cmocka_unit_test(all_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

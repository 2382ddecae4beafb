/* As cron runs it: quiet, spread by chance, never two runs at one file. */
#include "support/lab.h"

#include <dirent.h>
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
			    "rr mx.good.example A 127.78.0.1\n"
			    "smtp 127.78.0.1\n"
			    "rr slow.example MX 10 mx.slow.example\n"
			    "rr mx.slow.example A 127.78.0.2\n"
			    "smtp 127.78.0.2\n"
			    "    banner silence\n";

static unsigned entries(const char *folder)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(dir);
	return n;
}

static struct probe *start_slow(struct lab *lab, const char *path, unsigned nth)
{
	struct probe *probe = probe_start(
	    lab, NULL, (const char *const[]){"--prometheus", "-o", path, "slow.example", NULL});

	lab_wait(lab, "connect 127.78.0.2", nth);
	return probe;
}

static void slow_run_is_not_overtaken(void **state)
{
	struct lab *lab = lab_start_text(world);
	char *folder = test_path(".d"), *path = xasprintf("%s/mxprobe.prom", folder), *text;
	struct probe *slow, *next;

	(void)state;
	assert_int_equal(mkdir(folder, 0700), 0);
	slow = start_slow(lab, path, 1);

	next = PROBE(lab, "--prometheus", "-o", path, "good.example");
	probe_assert_exit(next, 3);
	text = xasprintf("mxprobe: cannot write %s: another run of mxprobe holds it\n", path);
	assert_string_equal(next->err, text);
	assert_int_equal(next->out_len, 0);
	free(text);
	probe_free(next);
	next = PROBE(lab, "--nagios", "-o", path, "good.example");
	probe_assert_exit(next, 3);
	assert_non_null(strstr(next->out, "MXPROBE UNKNOWN - cannot write "));
	probe_free(next);
	/* Another file of that folder, or none, is another matter. */
	text = xasprintf("%s/other.prom", folder);
	next = PROBE(lab, "--prometheus", "-o", text, "good.example");
	probe_assert_exit(next, 0);
	assert_int_equal(unlink(text), 0);
	free(text);
	probe_free(next);
	next = PROBE(lab, "-q", "-o", "/dev/null", "good.example");
	probe_assert_exit(next, 0);
	probe_free(next);

	/* It ends, and what it had is there; nothing else is. */
	assert_int_equal(kill(slow->pid, SIGTERM), 0);
	probe_wait(slow);
	probe_assert_exit(slow, 3);
	probe_free(slow);
	text = read_whole(path, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "domain=\"slow.example:"));
	free(text);
	assert_int_equal(entries(folder), 1);

	/* Killed, it holds nothing up: the next run takes over, and clears up. */
	slow = start_slow(lab, path, 2);
	assert_int_equal(kill(slow->pid, SIGKILL), 0);
	probe_wait(slow);
	assert_int_equal(slow->signal, SIGKILL);
	probe_free(slow);
	next = PROBE(lab, "--prometheus", "-o", path, "good.example");
	probe_assert_exit(next, 0);
	assert_string_equal(next->err, "");
	probe_free(next);
	text = read_whole(path, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "mxprobe_up{domain=\"good.example:"));
	assert_null(strstr(text, "slow.example"));
	free(text);
	assert_int_equal(entries(folder), 1);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	free(path);
	free(folder);
	lab_free(lab);
}

/* A history is shared by whoever likes; the same command waits for no one and overtakes no one. */
static void slow_run_of_a_history(void **state)
{
	struct lab *lab = lab_start_text(world);
	char *folder = test_path(".d"), *path = xasprintf("%s/h.db", folder), *text;
	struct probe *slow, *next;

	(void)state;
	assert_int_equal(mkdir(folder, 0700), 0);
	slow = probe_start(lab, NULL,
			   (const char *const[]){"-q", "--history", path, "slow.example", NULL});
	lab_wait(lab, "connect 127.78.0.2", 1);
	next = PROBE(lab, "-q", "--history", path, "slow.example");
	if (strstr(next->err, "SQLite"))
		skip(); /* built without */
	probe_assert_exit(next, 3);
	text = xasprintf(
	    "mxprobe: --history: '%s': another run of this command is still going on\n", path);
	assert_string_equal(next->err, text);
	free(text);
	probe_free(next);
	next = PROBE(lab, "-q", "--history", path, "good.example");
	probe_assert_exit(next, 0);
	assert_string_equal(next->err, "");
	probe_free(next);
	assert_int_equal(kill(slow->pid, SIGKILL), 0);
	probe_wait(slow);
	probe_free(slow);
	slow = probe_start(lab, NULL,
			   (const char *const[]){"-q", "--history", path, "slow.example", NULL});
	lab_wait(lab, "connect 127.78.0.2", 2);
	assert_int_equal(kill(slow->pid, SIGTERM), 0);
	probe_wait(slow);
	assert_string_equal(slow->err, "");
	probe_free(slow);
	assert_int_equal(entries(folder), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	free(path);
	free(folder);
	lab_free(lab);
}

static void quiet_run(void **state)
{
	struct lab *lab = lab_start_text(world);
	struct probe *probe = PROBE(lab, "-q", "--jitter", "0.1", "good.example");

	(void)state;
	probe_assert_exit(probe, 0);
	assert_string_equal(probe->out, "");
	assert_string_equal(probe->err, "");
	probe_free(probe);
	lab_assert_polite(lab);
	lab_free(lab);
}

#if defined HAVE_SQLITE && defined HAVE_CURL
/* Commands of cron jobs and units in contrib/ are ones that the program takes. */
static void examples(void **state)
{
	static const char script[] =
	    "sed -n -e 's/^ExecStart=[^ ][^ ]* //p' -e 's/^[*0-9].* mxprobe -q /-q /p'"
	    " contrib/cron/* contrib/systemd/*.service contrib/systemd/*/*.conf |"
	    " sed -e 's/%[tS]/\\/tmp/g' -e 's/[$]{MXPROBE_WEBHOOK}/https:\\/\\/example.org/' |"
	    " while read -r words; do \"$MXPROBE\" $words --version || exit; done | wc -l";
	FILE *f = popen(script, "re");
	int taken = 0;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &taken), 1);
	assert_int_equal(pclose(f), 0);
	assert_int_equal(taken, 4);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_run_is_not_overtaken),
		cmocka_unit_test(slow_run_of_a_history),
		cmocka_unit_test(quiet_run),
#if defined HAVE_SQLITE && defined HAVE_CURL
		cmocka_unit_test(examples),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

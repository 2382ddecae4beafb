/* Every command that the documents show is run, and prints what they show: tests/docs/shown.sh. */
#include "support/lab.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* How many commands were run; -1: it failed, and `said` tells why. */
static int shown(const char *document, struct buf *said)
{
	struct buf command = {0};
	char part[4096];
	int commands = -1, status;
	const char *sum, *report;
	size_t n;
	FILE *f;

	buf_addstr(&command, "WITHOUT='");
#ifndef HAVE_SQLITE
	buf_addstr(&command, "--history ");
#endif
#ifndef HAVE_CURL
	buf_addstr(&command, "--mta-sts --webhook ");
#endif
	buf_addstr(&command, "' ");
	buf_printf(&command, "sh tests/docs/shown.sh '%s' 2>&1", document);
	f = popen(buf_str(&command), "re");
	assert_non_null(f);
	buf_clear(said);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(said, part, n);
	status = pclose(f);
	buf_fini(&command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -1;
	for (report = buf_str(said); (report = strstr(report, "report: ")); report += 8)
		printf("%.*s\n", (int)strcspn(report, "\n"), report);
	sum = strrchr(buf_str(said), '\n');
	assert_non_null(sum);
	while (sum > said->data && sum[-1] != '\n')
		sum--;
	assert_int_equal(sscanf(sum, "%d commands", &commands), 1);
	return commands;
}

static int must_be_true(const char *document)
{
	struct buf said = {0};
	int n = shown(document, &said);

	if (n < 0)
		fail_msg("%s", buf_str(&said));
	buf_fini(&said);
	return n;
}

static void readme(void **state)
{
	(void)state;
	assert_true(must_be_true("README.md") >= 15);
}

static void manual(void **state)
{
	(void)state;
	assert_true(must_be_true("man/mxprobe.1") >= 5); /* without jq, some are passed over */
}

static void contributing(void **state)
{
	(void)state;
	assert_true(must_be_true("CONTRIBUTING.md") >= 5);
	assert_true(must_be_true("SECURITY.md") >= 5);
	assert_true(must_be_true("bench/README.md") >= 2);
	assert_int_equal(must_be_true("tests/soak/README.md"), 1);
	assert_true(must_be_true("tests/fuzz/README.md") >= 1);
	(void)must_be_true("docs/architecture.md"); /* whatever it shows */
}

static void picture(void **state)
{
	(void)state;
	assert_int_equal(must_be_true("docs/mxprobe.svg"), 1);
#ifdef HAVE_SQLITE
	assert_int_equal(must_be_true("docs/history.svg"), 1);
#endif
}

/* The test itself: a document that does not tell the truth. */
static void lies(void **state)
{
	static const struct {
		const char *text, *complaint;
	} documents[] = {
	    {"```console\n$ mxprobe -q example.org; echo $?\n0\n```\n", "it prints something else"},
	    {"```console\n$ mxprobe -q example.org; echo $?\n1\n2\n```\n", "something else"},
	    {"```console\n$ echo one; echo two\none\n```\n", "it prints something else"},
	    {"```console\n$ echo one; echo two; echo three\none\n...\ntwo\n```\n",
	     "something else"},
	    {"```console\n$ mxprobe --no-such-option example.org\n```\n", "exit 3"},
	    {"```console\n$ no-such-program\n```\n", "exit 127"},
	    {"```console\nnothing but output\n```\n", "begins without a command"},
	    {"```\n$ mxprobe example.org\n```\n", "a block that is no console"},
	    {"```sh\nmxprobe example.org\n```\n", "a block that is no console"},
	    {"Text:\n\n    mxprobe example.org\n", "an indented block"},
	    {"```nagios\ncommand_line $USER1$/check_smtp\n```\n", "not in contrib/nagios"},
	    {"```console\n$ mxprobe --watch=10 example.edu\nno such line\n...\n```\n",
	     "something else"},
	    {"```console\n$ make deps demo\n$ true\n```\n", "of which some are run elsewhere"},
	    {"```console\n$ make no-such-goal\n```\n", "exit 9"},
	    {"```console\n$ make check ONLY=test_nobody_knows\n```\n", "exit 9"},
	};
	struct buf said = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		char *path = test_path(".md");

		write_whole(path, documents[i].text);
		if (shown(path, &said) >= 0)
			fail_msg("nobody complains about '%s'", documents[i].text);
		if (!strstr(buf_str(&said), documents[i].complaint))
			fail_msg("'%s' instead of '%s'", buf_str(&said), documents[i].complaint);
		free(path);
	}
	buf_fini(&said);
}

static void truths(void **state)
{
	static const char text[] =
	    "```console\n$ echo one; \\\n    echo two |\n    cat\none\n...\ntwo\n"
	    "$ false\n$ echo $?\n1\n```\n\n"
	    "```console\n$ mxprobe -q example.org; echo $?\n1\n```\n";
	struct buf said = {0};
	char *path = test_path(".md");

	(void)state;
	write_whole(path, text);
	if (shown(path, &said) != 4)
		fail_msg("%s", buf_str(&said));
	buf_fini(&said);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(readme),  cmocka_unit_test(manual), cmocka_unit_test(contributing),
	    cmocka_unit_test(picture), cmocka_unit_test(truths), cmocka_unit_test(lies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a command may still do once it is confined: the command line is read, its files are opened,
 * and a process of its own enters and tries. */
#include "cli/confine.h"

#include "history/history.h"
#include "support/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORDS_MAX = 16 };

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/mxprobe-confine-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char *command = xasprintf("rm -rf '%s'", folder);
	int status = chdir("/") == 0 ? system(command) : -1;

	(void)state;
	free(command);
	return status;
}

static void make(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool reads(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && close(fd) == 0;
}

static bool writes(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd >= 0 && close(fd) == 0;
}

struct inside {
	struct options options;
	struct output *output;
	struct history *history;
	char said[256];
};

static void hear(void *arg, const char *line)
{
	struct inside *in = arg;

	(void)snprintf(in->said, sizeof in->said, "%s", line);
}

/* Skips what follows where files cannot be confined. */
static void enter(struct inside *in)
{
	confine(&in->options, in->output, hear, in);
	if (!strstr(in->said, "Landlock ") || strstr(in->said, "no Landlock"))
		_exit(APART_SKIPPED);
	MUST(!reads("/etc/passwd"));
	MUST(!reads("/etc/resolv.conf"));
#ifndef SANDBOX_SANITIZED
	MUST(!reads("/proc/self/environ"));
#endif
	MUST(access("/etc/passwd", F_OK) == 0);
}

struct command {
	void (*try)(struct inside *);
	const char *const *words;
};

static void confined(void *arg)
{
	const struct command *command = arg;
	char *argv[WORDS_MAX + 1] = {NULL}, *error = NULL;
	struct inside in = {.output = NULL};
	int argc = 0;

	for (; command->words[argc] && argc < WORDS_MAX; argc++)
		argv[argc] = xstrdup(command->words[argc]);
	MUST(options_parse(&in.options, argc, argv, &error));
	in.output = output_open(in.options.output, &error);
	MUST(in.output);
	if (in.options.history) {
		in.history = history_open(in.options.history, &error);
		MUST(in.history);
	}
	command->try(&in);
}

/* The command line, in a process of its own, up to the last moment before it is confined. */
static void inside(void (*try)(struct inside *), const char *const *words)
{
	struct command command = {try, words};

	apart(confined, &command);
}

#define INSIDE(try, ...) inside((try), (const char *const[]){"mxprobe", __VA_ARGS__, NULL})

/* ---- nothing asked for ---- */

static void try_nothing(struct inside *in)
{
	enter(in);
	MUST(strncmp(in->said, "sandbox no new privileges, files by Landlock ", 45) == 0);
	MUST(reads("/dev/urandom") && !writes("/dev/urandom"));
	MUST(!reads("."));
	MUST(!reads("file"));
	MUST(!reads("/etc/ssl/certs"));
	MUST(open("made", O_WRONLY | O_CREAT, 0600) < 0 && access("made", F_OK) < 0);
}

static void nothing(void **state)
{
	(void)state;
	make("file", "");
	INSIDE(try_nothing, "example.org");
	INSIDE(try_nothing, "--classify", "-i", "file");
}

static void try_unconfined(struct inside *in)
{
	confine(&in->options, in->output, hear, in);
	MUST(strcmp(in->said, "sandbox none: --no-sandbox") == 0);
	MUST(reads("/etc/passwd"));
	confine(&in->options, in->output, NULL, NULL);
}

static void unconfined(void **state)
{
	(void)state;
	INSIDE(try_unconfined, "--no-sandbox", "example.org");
}

/* ---- output ---- */

static void try_output(struct inside *in)
{
	char *error = NULL;

	enter(in);
	MUST(!reads("file") && !writes("file"));
	MUST(!reads("out/file") && !writes("out/file") && !writes("out/report"));
	output_write(in->output, "new", 3);
	MUST(output_close(in->output, true, &error));
}

static void try_output_dropped(struct inside *in)
{
	char *error = NULL;

	enter(in);
	MUST(output_close(in->output, false, &error));
}

static void assert_text(const char *path, const char *text)
{
	char got[16] = "";
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_non_null(fgets(got, sizeof got, f));
	(void)fclose(f); /* was only read */
	assert_string_equal(got, text);
}

static void output(void **state)
{
	(void)state;
	make("file", "old");
	assert_int_equal(mkdir("out", 0700), 0);
	make("out/file", "old");
	make("out/report", "old");
	INSIDE(try_output, "-o", "out/report", "example.org");
	assert_text("out/report", "new");
	INSIDE(try_output_dropped, "-o", "out/none", "example.org");
	assert_int_equal(access("out/none", F_OK), -1);
	assert_int_equal(access("out/.none.mxprobe", F_OK), -1);
	INSIDE(try_output, "-o", "out/fresh", "example.org");
	assert_text("out/fresh", "new");
	/* Through a link, and in this folder itself. */
	assert_int_equal(symlink("out/linked", "link"), 0);
	INSIDE(try_output, "-o", "link", "example.org");
	assert_text("out/linked", "new");
	assert_text("file", "old");
	assert_text("out/file", "old");
}

/* ---- history ---- */

static void try_history(struct inside *in)
{
	char *error = NULL;

	enter(in);
	MUST(writes("db/h"));
	MUST(!reads("db/file") && !writes("db/file") && !writes("file"));
	MUST(history_close(in->history, 1, &error));
	MUST(access("db/h-wal", F_OK) < 0 && access("db/h-shm", F_OK) < 0);
}

static void history(void **state)
{
	(void)state;
	if (!history_available())
		skip();
	make("file", "old");
	assert_int_equal(mkdir("db", 0700), 0);
	make("db/file", "old");
	INSIDE(try_history, "--history", "db/h", "example.org"); /* made */
	INSIDE(try_history, "--history", "db/h", "example.org");
	assert_int_equal(symlink("db/h", "link"), 0);
	INSIDE(try_history, "--history", "link", "example.org");
}

/* ---- trust ---- */

static void try_trust(struct inside *in)
{
	enter(in);
	MUST(reads("trust.pem"));
	MUST(reads("trust/01234567.0") && reads("trust/89abcdef.0"));
	MUST(!reads("elsewhere/key"));
	MUST(!writes("trust.pem") && !writes("trust/01234567.0"));
	/* Keys lie beside the system's own trust store. */
	MUST(access("/etc/ssl/certs", F_OK) < 0 || reads("/etc/ssl/certs"));
	MUST(!reads("/etc/ssl") && !reads("/etc/ssl/private"));
}

static void trust(void **state)
{
	(void)state;
	make("trust.pem", "");
	assert_int_equal(mkdir("trust", 0700), 0);
	assert_int_equal(mkdir("elsewhere", 0700), 0);
	make("elsewhere/ca", "");
	make("elsewhere/key", "");
	make("trust/01234567.0", "");
	assert_int_equal(symlink("../elsewhere/ca", "trust/corporate.pem"), 0);
	assert_int_equal(symlink("corporate.pem", "trust/89abcdef.0"), 0);
	assert_int_equal(symlink("/nowhere/at/all", "trust/dangling.pem"), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", "trust.pem", true), 0);
	assert_int_equal(setenv("SSL_CERT_DIR", "missing::trust", true), 0);
	INSIDE(try_trust, "--tls", "verify", "example.org");
	INSIDE(try_trust, "--tls", "dane", "example.org");
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
}

static void needs_of_bind(void **state)
{
	static const struct {
		const char *option, *value;
		bool bind;
	} rows[] = {{"-b", "127.0.0.1", true}, {"-b", "::1", true}, {"-p", "26", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *argv[] = {xstrdup("mxprobe"), xstrdup(rows[i].option), xstrdup(rows[i].value),
				xstrdup("example.org"), NULL};
		char *error = NULL;
		struct options options;
		struct output *out;
		struct sandbox s;

		assert_true(options_parse(&options, 4, argv, &error));
		out = output_open(NULL, &error);
		confine_needs(&s, &options, out);
		assert_int_equal(s.bind, rows[i].bind);
		sandbox_fini(&s);
		assert_true(output_close(out, false, &error));
		options_fini(&options);
		for (size_t j = 0; argv[j]; j++)
			free(argv[j]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(nothing), TEST(unconfined), TEST(output),
	    TEST(history), TEST(trust),      cmocka_unit_test(needs_of_bind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

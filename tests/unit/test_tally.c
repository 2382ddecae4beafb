/* The line that says how far a long list is. */
#include "cli/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char shown[4096];

/* What was written since the last time. */
static const char *look(const int *pipe)
{
	ssize_t n = read(pipe[0], shown, sizeof shown - 1);

	assert_true(n >= 0);
	shown[n] = '\0';
	return shown;
}

static void in_a_file(void **state)
{
	FILE *file = tmpfile();
	struct tally *t;
	int fds[2];

	(void)state;
	assert_non_null(file);
	assert_int_equal(pipe(fds), 0);
	for (int i = 0; i < 100; i++)
		fputs("example.org\n", file);
	rewind(file);
	t = tally_new(fds[1], fileno(file), 0);
	for (int i = 0; i < 50; i++)
		tally_begun(t);
	/* Half is taken, half of that is done: a quarter in ten seconds. */
	for (int i = 0; i < 24; i++)
		tally_done(t, 0, 600);
	tally_done(t, 10 * USEC_PER_SEC, 600);
	assert_string_equal(look(fds),
			    "\r25 done, 25 under way, 2.5 a second, about 30 s left\033[K");
	/* Not more often than five times a second. */
	tally_done(t, 10 * USEC_PER_SEC + 100 * USEC_PER_MS, 600);
	tally_done(t, 40 * USEC_PER_SEC, 600);
	assert_string_equal(look(fds),
			    "\r27 done, 23 under way, 0.7 a second, about 2 min left\033[K");
	tally_clear(t);
	assert_string_equal(look(fds), "\r\033[K");
	/* It is clear: there is nothing to write. */
	tally_clear(t);
	tally_free(t);
	close(fds[1]);
	assert_string_equal(look(fds), "");
	close(fds[0]);
	(void)fclose(file);
}

static void in_a_pipe(void **state)
{
	struct tally *t;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	t = tally_new(fds[1], fds[0], 0);
	tally_begun(t);
	tally_done(t, USEC_PER_SEC, 12);
	assert_string_equal(look(fds), "\r1 done, 0 under way, 1.0 a second\033[K");
	tally_free(t);
	assert_string_equal(look(fds), "\r\033[K");
	close(fds[0]);
	close(fds[1]);
	tally_begun(NULL);
	tally_done(NULL, 0, 0);
	tally_clear(NULL);
	tally_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_a_file),
	    cmocka_unit_test(in_a_pipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

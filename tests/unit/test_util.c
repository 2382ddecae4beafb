/* What this machine refuses: one line, exit 3, and nothing after it. */
#include "base/util.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include <cmocka.h>

#if defined __SANITIZE_ADDRESS__
#define SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { MUCH = 1 << 20 };

static void *volatile kept; /* what is not looked at need not be allocated */

static void too_many(void)
{
	kept = xreallocarray(NULL, SIZE_MAX / 2, 4);
}

static void too_many_zeros(void)
{
	kept = xcalloc(SIZE_MAX / 2, 4);
}

/* More than any address space has; written so that the compiler does not know. */
static size_t too_much(void)
{
	volatile size_t half = SIZE_MAX / 4;

	return half;
}

static void no_malloc(void)
{
	kept = xmalloc(too_much());
}

static void no_calloc(void)
{
	kept = xcalloc(too_much(), 1);
}

static void no_realloc(void)
{
	kept = xrealloc(xmalloc(1), too_much());
}

/* No character has that number: the text cannot be made. */
static void no_text(void)
{
	kept = xasprintf("%ls", L"\x7fffffff");
}

static void too_many_pieces(void)
{
	struct arena a = {0};

	kept = arena_array(&a, SIZE_MAX / 2, 4);
}

static void too_large_a_piece(void)
{
	struct arena a = {0};

	kept = arena_add(&a, SIZE_MAX - 2);
}

static void no_way(void)
{
	cannot_go_on("the way", "it is closed");
}

static void put_back(void)
{
	(void)!write(STDERR_FILENO, "put back, ", 10); /* what is missing shows */
}

static void no_way_out(void)
{
	before_giving_up(put_back);
	no_way();
}

/* Runs it in a process of its own: it must end that with exit 3 and say what. */
static void ends(void (*what)(void), const char *words)
{
	char said[256] = "";
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		what();
		_exit(0);
	}
	(void)close(fds[1]);
	for (size_t got = 0; (n = read(fds[0], said + got, sizeof said - 1 - got)) > 0;)
		got += (size_t)n;
	(void)close(fds[0]);
	assert_int_equal(n, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_string_equal(said, words);
}

static void refusals(void **state)
{
	static const char memory[] = "mxprobe: out of memory\n";

	(void)state;
	ends(too_many, memory);
	ends(too_many_zeros, memory);
	ends(too_many_pieces, memory);
	ends(too_large_a_piece, memory);
	ends(no_text, memory);
	ends(no_way, "mxprobe: the way: it is closed\n");
	ends(no_way_out, "put back, mxprobe: the way: it is closed\n");
	/* AddressSanitizer ends the program by itself. */
	if (SANITIZED)
		return;
	ends(no_malloc, memory);
	ends(no_calloc, memory);
	ends(no_realloc, memory);
}

static void sizes(void **state)
{
	char *p = xmalloc(0);

	(void)state;
	assert_non_null(p);
	p = xrealloc(p, MUCH);
	memset(p, 'x', MUCH);
	assert_null(xrealloc(p, 0));
	p = xcalloc(0, 0);
	assert_non_null(p);
	p = xreallocarray(p, 0, 8);
	assert_non_null(p);
	free(p);
	p = xstrndup("abc", 2);
	assert_string_equal(p, "ab");
	free(p);
	p = xstrndup("abc", 9);
	assert_string_equal(p, "abc");
	free(p);
	p = xasprintf("%d-%s", 42, "x");
	assert_string_equal(p, "42-x");
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

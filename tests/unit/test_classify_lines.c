/* --classify: one line in, one line out, whatever the octets. */
#include "cli/classify.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <jansson.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What comes out for `in`. */
static struct buf classified(const char *in, size_t n, bool json)
{
	char from[] = "/tmp/mxprobe-in-XXXXXX", to[] = "/tmp/mxprobe-out-XXXXXX";
	int in_fd = mkstemp(from), out_fd = mkstemp(to);
	struct buf out = {0};
	char *error = NULL, chunk[4096];
	struct output *output;
	ssize_t got;

	assert_true(in_fd >= 0 && out_fd >= 0);
	assert_int_equal(write(in_fd, in, n), n);
	assert_int_equal(lseek(in_fd, 0, SEEK_SET), 0);
	output = output_open(to, &error);
	assert_non_null(output);
	assert_true(classify_lines(in_fd, json, output, &error));
	assert_null(error);
	assert_true(output_close(output, true, &error));
	close(in_fd);
	close(out_fd);
	out_fd = open(to, O_RDONLY);
	assert_true(out_fd >= 0);
	while ((got = read(out_fd, chunk, sizeof chunk)) > 0)
		buf_add(&out, chunk, (size_t)got);
	close(out_fd);
	unlink(from);
	unlink(to);
	return out;
}

static void check(const char *in, size_t n, bool json, const char *want)
{
	struct buf out = classified(in, n, json);

	assert_string_equal(buf_str(&out), want);
	buf_fini(&out);
}

static void each_line_has_its_answer(void **state)
{
	static const char in[] = "452 4.3.1 Out of memory\n\nhello\r\n250 ok";

	(void)state;
	check(in, sizeof in - 1, false,
	      "exhausted/memory\t452 4.3.1 Out of memory\n-\t\n-\thello\nhealthy/ok\t250 ok\n");
	check("", 0, false, "");
	check("\n", 1, false, "-\t\n");
}

static void octets_are_made_safe(void **state)
{
	static const char in[] = "452 a\0b\x1b[31m\xff\t\n\"\\\x7f\n";

	(void)state;
	check(in, sizeof in - 1, false,
	      "deferred/other\t452 a\\x00b\\x1B[31m\\xFF\\x09\n-\t\"\\\\x7F\n");
	check(
	    in, sizeof in - 1, true,
	    "{\"schema\":\"mxprobe-classify/1\",\"line\":\"452 a\\u0000b\\u001b[31m\xef\xbf\xbd"
	    "\\u0009\",\"class\":\"deferred\",\"reason\":\"other\",\"code\":452,\"enhanced\":null,"
	    "\"phase\":null,\"host\":null,\"address\":null}\n"
	    "{\"schema\":\"mxprobe-classify/1\",\"line\":\"\\\"\\\\\\u007f\",\"class\":null,"
	    "\"reason\":null,\"code\":null,\"enhanced\":null,\"phase\":null,\"host\":null,"
	    "\"address\":null}\n");
}

/* The two lines of January 2006. */
static void json_tells_host_address_and_phase(void **state)
{
	static const char in[] =
	    "connect to mx4.hotmail.com[65.54.190.179]: Operation timed out\n"
	    "host mx4.hotmail.com[65.54.245.104] said: 452 4.3.1 Out of memory (in reply to MAIL "
	    "FROM command)\n";

	(void)state;
	check(in, sizeof in - 1, true,
	      "{\"schema\":\"mxprobe-classify/1\",\"line\":\"connect to "
	      "mx4.hotmail.com[65.54.190.179]: Operation timed "
	      "out\",\"class\":\"timeout\",\"reason\":\"connect\",\"code\":null,\"enhanced\":null,"
	      "\"phase\":\"connect\",\"host\":\"mx4.hotmail.com\",\"address\":\"65.54.190.179\"}\n"
	      "{\"schema\":\"mxprobe-classify/1\",\"line\":\"host mx4.hotmail.com[65.54.245.104] "
	      "said: 452 4.3.1 Out of memory (in reply to MAIL FROM "
	      "command)\",\"class\":\"exhausted\",\"reason\":\"memory\",\"code\":452,\"enhanced\":"
	      "\"4.3.1\",\"phase\":\"mail\",\"host\":\"mx4.hotmail.com\",\"address\":"
	      "\"65.54.245.104\"}\n");
}

/* However long lines are and wherever the blocks of reading end, the number of lines stays. */
static void lines_of_any_length(void **state)
{
	static const size_t lengths[] = {0,
					 1,
					 100,
					 CLASSIFY_LINE_MAX - 1,
					 CLASSIFY_LINE_MAX,
					 CLASSIFY_LINE_MAX + 1,
					 5 * CLASSIFY_LINE_MAX + 3,
					 7};
	struct buf in = {0}, out;
	const char *p, *lf;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		buf_addstr(&in, "452 ");
		for (j = 0; j < lengths[i]; j++)
			buf_addc(&in, 'x');
		buf_addc(&in, '\n');
	}
	out = classified(in.data, in.len, false);
	p = out.data;
	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		size_t want = lengths[i] + 4;

		if (want > CLASSIFY_LINE_MAX)
			want = CLASSIFY_LINE_MAX;
		lf = memchr(p, '\n', out.len - (size_t)(p - out.data));
		assert_non_null(lf);
		assert_int_equal(strncmp(p, "deferred/other\t452 ", 19), 0);
		/* The blank at the end of the code alone is part of the line, too. */
		assert_int_equal((size_t)(lf - p), strlen("deferred/other\t") + want);
		p = lf + 1;
	}
	assert_ptr_equal(p, out.data + out.len);
	buf_fini(&in);
	buf_fini(&out);
}

static void json_is_valid_for_any_octets(void **state)
{
	uint64_t random = 88172645463325252u;
	struct buf in = {0}, out;
	const char *p, *lf;
	size_t lines = 0, got = 0, i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		char c;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		c = (char)random;
		if (i % 97 == 0)
			buf_addstr(&in, "452-4.3.1 ");
		buf_addc(&in, c);
		lines += c == '\n';
	}
	buf_addc(&in, '\n');
	lines++;
	out = classified(in.data, in.len, true);
	for (p = out.data; p < out.data + out.len; p = lf + 1) {
		json_error_t error;
		json_t *object;

		lf = memchr(p, '\n', out.len - (size_t)(p - out.data));
		assert_non_null(lf);
		object = json_loadb(p, (size_t)(lf - p), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
				    &error);
		assert_non_null(object);
		assert_int_equal(json_object_size(object), 9);
		json_decref(object);
		got++;
	}
	assert_int_equal(got, lines);
	buf_fini(&in);
	buf_fini(&out);
}

/* A reader that waits for the answer to its line before it writes the next must get it. */
static void answers_come_before_more_is_read(void **state)
{
	int in[2], out[2];
	char answer[128];
	pid_t child;
	int i;

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		char *error = NULL, path[32];
		struct output *output;
		bool ok;

		close(in[1]);
		close(out[0]);
		snprintf(path, sizeof path, "/dev/fd/%d", out[1]);
		output = output_open(path, &error);
		ok = output && classify_lines(in[0], false, output, &error) &&
		     output_close(output, true, &error);
		_exit(ok ? 0 : 1);
	}
	close(in[0]);
	close(out[1]);
	for (i = 0; i < 3; i++) {
		ssize_t got;

		assert_int_equal(write(in[1], "250 ok\n", 7), 7);
		got = read(out[0], answer, sizeof answer);
		assert_int_equal(got, strlen("healthy/ok\t250 ok\n"));
	}
	close(in[1]);
	assert_int_equal(read(out[0], answer, sizeof answer), 0);
	close(out[0]);
	assert_int_equal(waitpid(child, &i, 0), child);
	assert_true(WIFEXITED(i) && WEXITSTATUS(i) == 0);
}

static void an_input_that_cannot_be_read_is_told(void **state)
{
	char *error = NULL;
	struct output *output = output_open("/dev/null", &error);

	(void)state;
	assert_non_null(output);
	assert_false(classify_lines(-1, false, output, &error));
	assert_non_null(error);
	free(error);
	error = NULL;
	assert_true(output_close(output, true, &error));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_line_has_its_answer),
	    cmocka_unit_test(octets_are_made_safe),
	    cmocka_unit_test(json_tells_host_address_and_phase),
	    cmocka_unit_test(lines_of_any_length),
	    cmocka_unit_test(json_is_valid_for_any_octets),
	    cmocka_unit_test(answers_come_before_more_is_read),
	    cmocka_unit_test(an_input_that_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Lines out of files, pipes and sockets, on the real loop. */
#include "run/input.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

#include <cmocka.h>

struct fixture {
	struct loop *loop;
	struct input *input;
	struct buf lines; /* each with a "|" behind it */
	unsigned count, ended, pause_after;
	int err;
	bool stop_at_pause;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->loop = loop_new();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	input_free(f->input);
	loop_free(f->loop);
	buf_fini(&f->lines);
	free(f);
	return 0;
}

static void on_line(void *arg, const char *text, size_t n)
{
	struct fixture *f = arg;

	assert_true(n > 0);
	assert_int_equal(f->ended, 0);
	f->count++;
	buf_add(&f->lines, text, n);
	buf_addc(&f->lines, '|');
	if (f->count == f->pause_after) {
		input_pause(f->input);
		if (f->stop_at_pause)
			loop_stop(f->loop);
	}
}

static void on_end(void *arg, int err)
{
	struct fixture *f = arg;

	f->ended++;
	f->err = err;
}

static void begin(struct fixture *f, int fd)
{
	const struct input_events events = {.line = on_line, .ended = on_end, .arg = f};

	f->input = input_new(f->loop, fd, &events);
}

/* A file with these octets, without a name. */
static int file_of(const char *bytes, size_t n)
{
	char path[] = "/tmp/mxprobe-input-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int pipe_of(const char *bytes, size_t n, bool close_it, int *writer)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, n), n);
	*writer = fds[1];
	if (close_it)
		close(fds[1]);
	return fds[0];
}

static void check(struct fixture *f, const char *in, size_t n, const char *out)
{
	int fd, writer;

	for (int kind = 0; kind < 2; kind++) {
		fd = kind ? pipe_of(in, n, true, &writer) : file_of(in, n);
		f->count = f->ended = 0;
		buf_clear(&f->lines);
		begin(f, fd);
		assert_int_equal(f->count, 0); /* from the loop only */
		loop_run(f->loop);
		assert_int_equal(f->ended, 1);
		assert_int_equal(f->err, 0);
		assert_string_equal(buf_str(&f->lines), out);
		input_free(f->input);
		f->input = NULL;
		close(fd);
	}
}

#define CHECK(in, out) check(*state, in, sizeof(in) - 1, out)

static void test_lines(void **state)
{
	CHECK("", "");
	CHECK("\n\n \n\t\r\n", "");
	CHECK("a\nb\nc\n", "a|b|c|");
	CHECK("a\r\nb", "a|b|");
	CHECK("  a \t\n\v\fb\f\n", "a|b|");
	CHECK("# comment\na # comment\nb#c\n#\n a\t#x\n", "a|b#c|a|");
	CHECK("a b\n", "a b|");
	CHECK("\xEF\xBB\xBF"
	      "a\nb\n",
	      "a|b|");
	CHECK("\xEF\xBB\xBF# comment\na\n", "a|");
	CHECK("\xEF\xBB\xBF", "");
	CHECK("a\n\xEF\xBB\xBF"
	      "b\n",
	      "a|\xEF\xBB\xBF"
	      "b|"); /* it is one in front only */
	CHECK("\xEF\xBB", "\xEF\xBB|");
}

static void test_nul_is_an_octet_as_any(void **state)
{
	struct fixture *f = *state;
	int fd = file_of("a\0b\n", 4);

	begin(f, fd);
	loop_run(f->loop);
	assert_int_equal(f->lines.len, 4);
	assert_memory_equal(f->lines.data, "a\0b|", 4);
	close(fd);
}

static void test_long_line(void **state)
{
	struct fixture *f = *state;
	char *text = xmalloc(100004);
	int fd;

	memset(text, 'x', 100000);
	memcpy(text + 100000, "\nok\n", 4);
	fd = file_of(text, 100004);
	begin(f, fd);
	loop_run(f->loop);
	assert_int_equal(f->count, 2);
	assert_true(f->lines.len >= 1024 + 4 && f->lines.len < 20000);
	assert_memory_equal(f->lines.data + f->lines.len - 4, "|ok|", 4);
	free(text);
	close(fd);
}

static char *many(unsigned n, size_t *len)
{
	struct buf b = {0};

	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "d%u.example.org\n", i);
	*len = b.len;
	return buf_steal(&b);
}

static void test_paused_and_resumed(void **state)
{
	struct fixture *f = *state;
	size_t n;
	char *text = many(5000, &n);
	int fd = file_of(text, n);

	begin(f, fd);
	for (unsigned at = 1; at <= 5000; at += 700) {
		f->pause_after = at;
		input_resume(f->input);
		loop_run(f->loop); /* paused, there is nothing to wait for */
		assert_int_equal(f->count, at);
		assert_int_equal(f->ended, 0);
	}
	f->pause_after = 0;
	input_resume(f->input);
	loop_run(f->loop);
	assert_int_equal(f->count, 5000);
	assert_int_equal(f->ended, 1);
	free(text);
	close(fd);
}

static void test_paused_pipe(void **state)
{
	struct fixture *f = *state;
	size_t n;
	char *text = many(1000, &n);
	int writer, fd = pipe_of(text, n, true, &writer);

	f->pause_after = 10;
	f->stop_at_pause = true;
	begin(f, fd);
	loop_run(f->loop);
	assert_int_equal(f->count, 10);
	input_resume(f->input);
	loop_run(f->loop);
	assert_int_equal(f->count, 1000);
	assert_int_equal(f->ended, 1);
	free(text);
	close(fd);
}

/* Every line that is there comes, though its taker says that it has enough. */
static void test_drained(void **state)
{
	struct fixture *f = *state;
	size_t n;
	char *text = many(3000, &n);
	int fd = file_of(text, n);

	f->pause_after = 5;
	begin(f, fd);
	loop_run(f->loop);
	assert_int_equal(f->count, 5);
	f->pause_after = 300;
	input_drain(f->input);
	assert_int_equal(f->count, 3000);
	assert_int_equal(f->ended, 1);
	input_drain(f->input); /* once is enough */
	assert_int_equal(f->ended, 1);
	loop_run(f->loop);
	assert_int_equal(f->ended, 1);
	free(text);
	close(fd);
}

/* What a pipe holds comes; for what it may still get nobody waits. */
static void test_drained_pipe_that_stays_open(void **state)
{
	struct fixture *f = *state;
	int writer, fd = pipe_of("a\nb\nc", 5, false, &writer);

	begin(f, fd);
	input_drain(f->input);
	assert_string_equal(buf_str(&f->lines), "a|b|c|");
	assert_int_equal(f->ended, 1);
	close(writer);
	close(fd);
}

static void test_piece_by_piece(void **state)
{
	struct fixture *f = *state;
	int writer, fd = pipe_of("exam", 4, false, &writer);

	f->pause_after = 1;
	f->stop_at_pause = true;
	begin(f, fd);
	assert_int_equal(write(writer, "ple.org\nexample", 15), 15);
	loop_run(f->loop);
	assert_string_equal(buf_str(&f->lines), "example.org|");
	assert_int_equal(write(writer, ".net", 4), 4);
	close(writer);
	input_resume(f->input);
	loop_run(f->loop);
	assert_string_equal(buf_str(&f->lines), "example.org|example.net|");
	assert_int_equal(f->ended, 1);
	close(fd);
}

static void test_socket(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], "a\n", 2), 2);
	close(fds[1]);
	begin(f, fds[0]);
	loop_run(f->loop);
	assert_string_equal(buf_str(&f->lines), "a|");
	assert_int_equal(f->ended, 1);
	close(fds[0]);
}

static void test_read_that_fails(void **state)
{
	struct fixture *f = *state;
	int fd = open("/", O_RDONLY);

	assert_true(fd >= 0);
	begin(f, fd);
	loop_run(f->loop);
	assert_int_equal(f->ended, 1);
	assert_int_equal(f->err, EISDIR);
	close(fd);
}

static void test_device(void **state)
{
	struct fixture *f = *state;
	int fd = open("/dev/null", O_RDONLY);

	assert_true(fd >= 0);
	begin(f, fd);
	loop_run(f->loop);
	assert_int_equal(f->count, 0);
	assert_int_equal(f->ended, 1);
	assert_int_equal(f->err, 0);
	close(fd);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lines),
	    TEST(test_nul_is_an_octet_as_any),
	    TEST(test_long_line),
	    TEST(test_paused_and_resumed),
	    TEST(test_paused_pipe),
	    TEST(test_drained),
	    TEST(test_drained_pipe_that_stays_open),
	    TEST(test_piece_by_piece),
	    TEST(test_socket),
	    TEST(test_read_that_fails),
	    TEST(test_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

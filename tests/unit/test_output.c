#include "report/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/mxprobe-output-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static unsigned entries(void)
{
	DIR *dir = opendir(folder);
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static int tear_down(void **state)
{
	DIR *dir = opendir(folder);

	(void)state;
	for (struct dirent *e; dir && (e = readdir(dir));)
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	return rmdir(folder);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void assert_file(const char *path, const char *text)
{
	char got[256] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	got[fread(got, 1, sizeof got - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(got, text);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void write_whole(const char *path, const char *text, bool keep)
{
	char *error = NULL;
	struct output *o = output_open(path, &error);

	assert_null(error);
	assert_non_null(o);
	output_write(o, text, strlen(text));
	assert_false(output_failed(o));
	assert_true(output_close(o, keep, &error));
	assert_null(error);
}

static void new_file_respects_umask(void **state)
{
	char *path = in_folder("new");
	mode_t old = umask(027);

	(void)state;
	write_whole(path, "one\n", true);
	umask(old);
	assert_file(path, "one\n");
	assert_int_equal(mode_of(path), 0640);
	assert_int_equal(entries(), 1);
	free(path);
}

static void replaced_file_keeps_its_mode(void **state)
{
	char *path = in_folder("old");

	(void)state;
	put_file(path, "a much longer text than the new one\n", 0604);
	write_whole(path, "short\n", true);
	assert_file(path, "short\n");
	assert_int_equal(mode_of(path), 0604);
	assert_int_equal(entries(), 1);
	free(path);
}

static void old_file_stays_until_the_end(void **state)
{
	char *path = in_folder("old"), *error = NULL;
	struct output *o;

	(void)state;
	put_file(path, "old\n", 0644);
	o = output_open(path, &error);
	assert_non_null(o);
	output_write(o, "new\n", 4);
	assert_file(path, "old\n");
	assert_int_equal(entries(), 2);
	assert_true(output_close(o, true, &error));
	assert_file(path, "new\n");
	assert_int_equal(entries(), 1);
	free(path);
}

static void one_run_at_a_time(void **state)
{
	char *path = in_folder("x.prom"), *link = in_folder("link"), *error = NULL;
	struct output *first, *second;

	(void)state;
	assert_int_equal(symlink("x.prom", link), 0);
	first = output_open(path, &error);
	assert_non_null(first);
	assert_null(output_open(link, &error)); /* the same file by another name */
	assert_non_null(strstr(error, link));
	assert_non_null(strstr(error, ": another run of mxprobe holds it"));
	free(error);
	error = NULL;
	assert_true(output_close(first, true, &error));
	second = output_open(link, &error);
	assert_non_null(second);
	assert_true(output_close(second, false, &error));
	assert_int_equal(entries(), 2);
	free(path);
	free(link);
}

/* A file that is written again and again stays ours from one to the next. When it is lost all the
 * same, each time says why, and with the holder gone it is ours again. */
static void renewed(void **state)
{
	(void)state;
	char *path = in_folder("report"), *claim = in_folder(".report.mxprobe"), *error = NULL;
	struct output *o = output_open(path, &error);

	assert_non_null(o);
	output_write(o, "one\n", 4);
	assert_true(output_renew(o, &error));
	assert_file(path, "one\n");
	assert_null(output_open(path, &error));
	assert_non_null(strstr(error, "another run of mxprobe holds it"));
	free(error);

	assert_int_equal(unlink(claim), 0);
	assert_int_equal(mkdir(claim, 0700), 0);
	output_write(o, "two\n", 4);
	for (int i = 0; i < 2; i++) {
		assert_false(output_renew(o, &error));
		assert_non_null(strstr(error, i ? " is in the way: " : "cannot write "));
		free(error);
		output_write(o, "three\n", 6);
	}
	assert_int_equal(rmdir(claim), 0);
	assert_true(output_renew(o, &error));
	output_write(o, "four\n", 5);
	assert_true(output_close(o, true, &error));
	assert_file(path, "four\n");
	assert_int_equal(entries(), 1);
	free(claim);
	free(path);
}

static void devices_are_not_held(void **state)
{
	char *error = NULL;
	struct output *first = output_open("/dev/null", &error),
		      *second = output_open("/dev/null", &error);

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	assert_true(output_close(first, true, &error));
	assert_true(output_close(second, true, &error));
}

static void dropped_leaves_nothing(void **state)
{
	char *path = in_folder("old"), *fresh = in_folder("fresh");

	(void)state;
	put_file(path, "old\n", 0644);
	write_whole(path, "new\n", false);
	write_whole(fresh, "new\n", false);
	assert_file(path, "old\n");
	assert_int_equal(entries(), 1);
	free(path);
	free(fresh);
}

static void link_stays_and_its_target_is_replaced(void **state)
{
	char *target = in_folder("target"), *first = in_folder("first"),
	     *second = in_folder("second");
	char text[16];

	(void)state;
	put_file(target, "old\n", 0600);
	assert_int_equal(symlink("target", first), 0);
	assert_int_equal(symlink(first, second), 0);
	write_whole(second, "new\n", true);
	assert_file(target, "new\n");
	assert_int_equal(mode_of(target), 0600);
	assert_int_equal(readlink(first, text, sizeof text), 6);
	assert_true(readlink(second, text, sizeof text) > 0);

	/* One that leads nowhere makes its target, as a shell's redirection does. */
	assert_int_equal(unlink(target), 0);
	write_whole(second, "again\n", true);
	assert_file(target, "again\n");
	assert_int_equal(entries(), 3);
	free(target);
	free(first);
	free(second);
}

static void circle_of_links(void **state)
{
	char *path = in_folder("circle"), *error = NULL;

	(void)state;
	assert_int_equal(symlink("circle", path), 0);
	assert_null(output_open(path, &error));
	assert_non_null(strstr(error, strerror(ELOOP)));
	free(error);
	free(path);
}

static void cannot_open(void **state)
{
	char *missing = in_folder("no/such/file"), *slash = in_folder("folder/");
	const char *paths[] = {missing, slash, folder, ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char *error = NULL;

		assert_null(output_open(paths[i], &error));
		assert_non_null(strstr(error, paths[i]));
		free(error);
	}
	assert_int_equal(entries(), 0);
	free(missing);
	free(slash);
}

/* rename() would replace a file that may not be written. Root may write all. */
static void write_protected_file_stays(void **state)
{
	char *path, *error = NULL;

	(void)state;
	if (geteuid() == 0)
		skip();
	path = in_folder("protected");
	put_file(path, "old\n", 0444);
	assert_null(output_open(path, &error));
	assert_non_null(strstr(error, strerror(EACCES)));
	assert_file(path, "old\n");
	free(error);
	free(path);
}

static void device_is_written_directly(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(stat("/dev/null", &before), 0);
	write_whole("/dev/null", "text", true);
	assert_int_equal(stat("/dev/null", &after), 0);
	assert_true(S_ISCHR(after.st_mode));
	assert_int_equal(before.st_ino, after.st_ino);
}

static void full_device_is_told(void **state)
{
	char *error = NULL;
	struct output *o;

	(void)state;
	if (access("/dev/full", W_OK) < 0)
		skip();
	o = output_open("/dev/full", &error);
	assert_non_null(o);
	output_write(o, "text", 4);
	output_write(o, "more", 4);
	assert_true(output_failed(o));
	assert_false(output_close(o, true, &error));
	assert_string_equal(error, "cannot write /dev/full: No space left on device");
	free(error);
}

static void *read_fifo(void *path)
{
	static char got[64];
	int fd = open(path, O_RDONLY);
	size_t n = 0;

	for (ssize_t more; (more = read(fd, got + n, sizeof got - 1 - n)) > 0;)
		n += (size_t)more;
	close(fd);
	got[n] = '\0';
	return got;
}

static void fifo_is_written_directly(void **state)
{
	char *path = in_folder("fifo");
	struct stat st;
	pthread_t reader;
	void *got;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pthread_create(&reader, NULL, read_fifo, path), 0);
	write_whole(path, "through the pipe\n", true);
	pthread_join(reader, &got);
	assert_string_equal(got, "through the pipe\n");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	free(path);
}

static void socket_is_not_replaced(void **state)
{
	char *path = in_folder("socket"), *error = NULL;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct stat st;

	(void)state;
	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	assert_null(output_open(path, &error));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	close(fd);
	free(error);
	free(path);
}

/* Runs with another standard output. */
static int swap_stdout(int fd)
{
	int kept = dup(STDOUT_FILENO);

	fflush(stdout);
	assert_true(kept >= 0);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	return kept;
}

static void restore_stdout(int kept)
{
	dup2(kept, STDOUT_FILENO);
	close(kept);
}

static void descriptors_by_name(void **state)
{
	static const char *const names[] = {NULL, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
	char *path = in_folder("file"), *link = in_folder("link");
	char *error = NULL;

	(void)state;
	assert_int_equal(symlink("/dev/stdout", link), 0);
	for (size_t i = 0; i <= ARRAY_LEN(names); i++) {
		const char *name = i < ARRAY_LEN(names) ? names[i] : link;
		int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), kept;
		struct output *o;
		bool good;

		/* As under `{ echo first; mxprobe -o /dev/stdout; } >file`. */
		assert_int_equal(write(fd, "first\n", 6), 6);
		kept = swap_stdout(fd);
		o = output_open(name, &error);
		if (o)
			output_write(o, "second\n", 7);
		good = o && output_close(o, true, &error);
		restore_stdout(kept);
		close(fd);
		assert_true(good);
		assert_file(path, "first\nsecond\n");
	}
	assert_int_equal(entries(), 2);
	free(path);
	free(link);
}

static void reader_gone(void **state)
{
	int pipefd[2], kept;
	char *error = NULL;
	struct output *o;
	bool good;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(pipefd), 0);
	close(pipefd[0]);
	kept = swap_stdout(pipefd[1]);
	close(pipefd[1]);
	o = output_open(NULL, &error);
	output_write(o, "text", 4);
	good = output_close(o, true, &error);
	restore_stdout(kept);
	assert_false(good);
	assert_string_equal(error, "cannot write standard output: Broken pipe");
	free(error);
}

static void closed_stdout(void **state)
{
	char *error = NULL;
	struct output *o;
	bool quiet, good;
	int kept;

	(void)state;
	fflush(stdout);
	kept = dup(STDOUT_FILENO);
	close(STDOUT_FILENO);
	o = output_open(NULL, &error);
	quiet = output_close(o, true, &error);
	o = output_open(NULL, &error);
	output_write(o, "text", 4);
	good = output_close(o, true, &error);
	restore_stdout(kept);
	assert_true(quiet);
	assert_false(good);
	assert_string_equal(error, "cannot write standard output: Bad file descriptor");
	free(error);
}

enum { MUCH = 1 << 20 };

static void *drain(void *arg)
{
	static char bytes[4096];
	size_t sum = 0;
	int fd = *(int *)arg;

	for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
		sum += (size_t)n;
	return (void *)(uintptr_t)sum;
}

static void nonblocking_descriptor(void **state)
{
	char *bytes = xcalloc(1, MUCH);
	int pipefd[2];
	pthread_t reader;
	void *sum;

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	assert_int_equal(fcntl(pipefd[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&reader, NULL, drain, &pipefd[0]), 0);
	assert_int_equal(output_all(pipefd[1], bytes, MUCH), 0);
	close(pipefd[1]);
	pthread_join(reader, &sum);
	close(pipefd[0]);
	assert_true((uintptr_t)sum == MUCH);
	free(bytes);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(new_file_respects_umask),
	    TEST(replaced_file_keeps_its_mode),
	    TEST(old_file_stays_until_the_end),
	    TEST(one_run_at_a_time),
	    TEST(renewed),
	    TEST(devices_are_not_held),
	    TEST(dropped_leaves_nothing),
	    TEST(link_stays_and_its_target_is_replaced),
	    TEST(circle_of_links),
	    TEST(cannot_open),
	    TEST(write_protected_file_stays),
	    TEST(device_is_written_directly),
	    TEST(full_device_is_told),
	    TEST(fifo_is_written_directly),
	    TEST(socket_is_not_replaced),
	    TEST(descriptors_by_name),
	    TEST(reader_gone),
	    TEST(closed_stdout),
	    TEST(nonblocking_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

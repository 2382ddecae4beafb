#include "base/claim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], target[128], beside[128];

/* Stand before libc: what others do between two of our calls, and what a file system refuses. */
static unsigned lstat_fails, unlink_fails;
static bool vanishes;

int lstat(const char *path, struct stat *st)
{
	if (lstat_fails) {
		lstat_fails--;
		errno = EIO;
		return -1;
	}
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

int unlink(const char *path)
{
	if (unlink_fails) {
		unlink_fails--;
		errno = EROFS;
		return -1;
	}
	return unlinkat(AT_FDCWD, path, 0);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	} else if (vanishes) {
		vanishes = false;
		(void)unlinkat(AT_FDCWD, path, 0);
	}
	return openat(AT_FDCWD, path, flags, mode);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/mxprobe-claim-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(target, sizeof target, "%s/x.prom", folder);
	(void)snprintf(beside, sizeof beside, "%s/.x.prom.mxprobe", folder);
	return 0;
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

static void take(struct claim *c)
{
	char *why = NULL;

	if (claim_take(c, target, 0666, &why) != CLAIM_TAKEN)
		fail_msg("%s", why);
	assert_null(why);
}

static void refused(enum claim_outcome outcome, const char *words)
{
	struct claim c;
	char *why = NULL;

	assert_int_equal(claim_take(&c, target, 0666, &why), outcome);
	assert_non_null(why);
	if (!strstr(why, words))
		fail_msg("\"%s\" is not in \"%s\"", words, why);
	free(why);
}

static void one_at_a_time(void **state)
{
	struct claim c;

	(void)state;
	take(&c);
	refused(CLAIM_HELD, "another run of mxprobe holds it");
	refused(CLAIM_HELD,
		"another run of mxprobe holds it"); /* being refused takes nothing away */
	assert_int_equal(claim_close(&c), 0);
	assert_int_equal(entries(), 0);
	take(&c);
	assert_int_equal(claim_close(&c), 0);
	assert_int_equal(entries(), 0);
}

static void renamed(void **state)
{
	struct claim c, next;
	struct stat st;

	(void)state;
	take(&c);
	assert_int_equal(write(c.fd, "text", 4), 4);
	assert_true(claim_rename(&c, target));
	take(&next); /* who has renamed is done */
	assert_int_equal(claim_close(&c), 0);
	assert_int_equal(claim_close(&next), 0);
	assert_int_equal(entries(), 1);
	assert_int_equal(stat(target, &st), 0);
	assert_int_equal(st.st_size, 4);
}

/* Who holds it lets go between our finding it and our looking at it. */
static void gone_at_a_second_look(void **state)
{
	struct claim first, c;

	(void)state;
	take(&first);
	vanishes = true;
	take(&c);
	assert_false(vanishes);
	assert_int_equal(claim_close(&c), 0);
	(void)claim_close(&first); /* its file is gone */
	assert_int_equal(entries(), 0);
}

/* The file behind the descriptor is never the one at the path: there is an end to trying. */
static void others_in_turn(void **state)
{
	(void)state;
	lstat_fails = 1000;
	refused(CLAIM_HELD, "other runs of mxprobe hold it, in turn");
	assert_int_equal(lstat_fails, 900);
	lstat_fails = 0;
}

static void what_cannot_be_removed(void **state)
{
	(void)state;
	close(openat(AT_FDCWD, beside, O_WRONLY | O_CREAT, 0600)); /* left behind */
	unlink_fails = 1;
	refused(CLAIM_FAILED, "is in the way: Read-only file system");
	assert_int_equal(unlink_fails, 0);
	assert_int_equal(entries(), 1);
}

static void what_cannot_be_renamed(void **state)
{
	struct claim c;

	(void)state;
	assert_int_equal(mkdir(target, 0700), 0);
	take(&c);
	assert_false(claim_rename(&c, target));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(claim_close(&c), 0);
	assert_int_equal(rmdir(target), 0);
	assert_int_equal(entries(), 0);
}

/* Takes a claim in a process that is killed while it has it. */
static void killed_holder(void)
{
	int ready[2], status;
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct claim c;
		char *why;
		bool good = claim_take(&c, target, 0600, &why) == CLAIM_TAKEN;

		(void)!write(ready[1], good ? "1" : "0", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, '1');
	refused(CLAIM_HELD, "another run of mxprobe holds it");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

static void what_a_killed_one_left(void **state)
{
	struct claim c;
	struct stat st;
	mode_t old = umask(022);

	(void)state;
	killed_holder();
	assert_int_equal(entries(), 1);
	take(&c);
	/* Made anew: neither mode nor content is the dead one's. */
	assert_int_equal(fstat(c.fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(claim_close(&c), 0);
	assert_int_equal(entries(), 0);
	umask(old);
}

static void strange_things_in_the_way(void **state)
{
	char precious[128];
	struct stat st;
	FILE *f;

	(void)state;
	(void)snprintf(precious, sizeof precious, "%s/precious", folder);
	f = fopen(precious, "w");
	assert_non_null(f);
	fputs("precious", f);
	fclose(f);

	assert_int_equal(symlink("precious", beside), 0);
	refused(CLAIM_FAILED, beside);
	assert_int_equal(unlink(beside), 0);
	assert_int_equal(mkdir(beside, 0700), 0);
	refused(CLAIM_FAILED, beside);
	assert_int_equal(rmdir(beside), 0);
	assert_int_equal(mkfifo(beside, 0600), 0);
	refused(CLAIM_FAILED, beside);
	assert_int_equal(unlink(beside), 0);
	/* A second name of another file: only the name goes. */
	assert_int_equal(link(precious, beside), 0);
	struct claim c;
	take(&c);
	assert_int_equal(claim_close(&c), 0);
	assert_int_equal(stat(precious, &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void no_folder(void **state)
{
	struct claim c;
	char *why = NULL;

	(void)state;
	assert_int_equal(claim_take(&c, "/no/such/folder/x", 0666, &why), CLAIM_FAILED);
	assert_string_equal(why, strerror(ENOENT));
	free(why);
}

static void in_the_current_folder(void **state)
{
	char old[4096], *why = NULL;
	struct claim c;

	(void)state;
	assert_non_null(getcwd(old, sizeof old));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(claim_take(&c, "x", 0666, &why), CLAIM_TAKEN);
	assert_string_equal(c.path, ".x.mxprobe");
	assert_int_equal(claim_close(&c), 0);
	assert_int_equal(chdir(old), 0);
}

enum { RUNNERS = 8, ROUNDS = 200 };

/* Many at once, each taking it as often as it can: never two of them inside. */
static void crowd(void **state)
{
	char inside[128];
	int status;
	bool good = true;

	(void)state;
	(void)snprintf(inside, sizeof inside, "%s/inside", folder);
	for (int i = 0; i < RUNNERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			struct claim c;
			char *why = NULL;
			int fd;

			if (claim_take(&c, target, 0666, &why) != CLAIM_TAKEN) {
				free(why);
				continue;
			}
			fd = open(inside, O_WRONLY | O_CREAT | O_EXCL, 0600);
			if (fd < 0)
				_exit(1);
			close(fd);
			(void)unlink(inside);
			if (round % 3 == 0 && !claim_rename(&c, target))
				_exit(2);
			(void)claim_close(&c);
		}
		_exit(0);
	}
	for (int i = 0; i < RUNNERS; i++) {
		assert_true(wait(&status) > 0);
		good = good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	}
	assert_true(good);
	assert_true(access(beside, F_OK) < 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(one_at_a_time),
	    TEST(renamed),
	    TEST(gone_at_a_second_look),
	    TEST(others_in_turn),
	    TEST(what_cannot_be_removed),
	    TEST(what_cannot_be_renamed),
	    TEST(what_a_killed_one_left),
	    TEST(strange_things_in_the_way),
	    TEST(no_folder),
	    TEST(in_the_current_folder),
	    TEST(crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

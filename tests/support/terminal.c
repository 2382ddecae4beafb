#include "support/terminal.h"

#include "base/util.h"
#include "support/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { WATCHDOG_S = 60 };

struct terminal {
	int master;
	char *path;
	struct screen *screen;
};

static void set_size(struct terminal *t, unsigned lines, unsigned columns)
{
	struct winsize ws = {.ws_row = (unsigned short)lines, .ws_col = (unsigned short)columns};

	assert_int_equal(ioctl(t->master, TIOCSWINSZ, &ws), 0);
}

struct terminal *terminal_new(unsigned lines, unsigned columns)
{
	struct terminal *t = xcalloc(1, sizeof *t);

	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->master >= 0);
	assert_int_equal(grantpt(t->master), 0);
	assert_int_equal(unlockpt(t->master), 0);
	t->path = xstrdup(ptsname(t->master));
	t->screen = screen_new(lines, columns);
	set_size(t, lines, columns);
	return t;
}

void terminal_free(struct terminal *t)
{
	(void)close(t->master); /* a terminal loses nothing */
	screen_free(t->screen);
	free(t->path);
	free(t);
}

const char *terminal_path(const struct terminal *t)
{
	return t->path;
}

void terminal_type(struct terminal *t, const char *keys)
{
	assert_int_equal(write(t->master, keys, strlen(keys)), (ssize_t)strlen(keys));
}

void terminal_resize(struct terminal *t, unsigned lines, unsigned columns)
{
	screen_resize(t->screen, lines, columns);
	set_size(t, lines, columns);
}

/* Takes what is there, or waits a moment for something; false: the other side is closed. */
static bool take(struct terminal *t)
{
	struct pollfd p = {.fd = t->master, .events = POLLIN};
	char bytes[4096];
	ssize_t n;

	if (poll(&p, 1, 20) < 1)
		return true;
	n = read(t->master, bytes, sizeof bytes);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	screen_feed(t->screen, bytes, (size_t)n);
	assert_false(screen_bad(t->screen));
	return true;
}

static time_t seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return now.tv_sec;
}

void terminal_wait(struct terminal *t, const char *text, bool there)
{
	time_t until = seconds() + WATCHDOG_S;

	for (;;) {
		char *visible = screen_visible(t->screen);
		bool is = strstr(visible, text) != NULL;

		if (is != there && (seconds() > until || !take(t)))
			fail_msg("%s \"%s\" on the screen:\n%s", there ? "no" : "a", text, visible);
		free(visible);
		if (is == there)
			return;
	}
}

void terminal_wait_end(struct terminal *t)
{
	time_t until = seconds() + WATCHDOG_S;

	while (take(t)) {
		char *visible;

		if (seconds() <= until)
			continue;
		visible = screen_visible(t->screen);
		fail_msg("it goes on:\n%s", visible);
	}
}

char *terminal_visible(struct terminal *t)
{
	return screen_visible(t->screen);
}

char *terminal_text(struct terminal *t)
{
	return screen_text(t->screen);
}

bool terminal_is_cooked(const struct terminal *t)
{
	struct termios modes;

	/* The terminal's modes are the same from both of its sides. */
	assert_int_equal(tcgetattr(t->master, &modes), 0);
	return (modes.c_lflag & ICANON) && (modes.c_lflag & ECHO);
}

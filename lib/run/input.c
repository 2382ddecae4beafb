#include "run/input.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 16384,
	PIECES = 64, /* read in one turn */
	LINE_KEEP =
	    8192 /* octets of a line that are kept: more than any target; the rest is passed over */
};

struct input {
	struct loop *loop;
	struct input_events events;
	int fd;
	struct watch *watch; /* NULL: a regular file, which is always ready */
	struct timer timer;
	struct buf line;
	char chunk[CHUNK]; /* read, not yet split */
	size_t at, n;
	uint64_t taken; /* of all chunks */
	bool first, paused, ended;
	bool draining; /* lines come whether they are wanted or not */
};

static void work(void *arg);

static void on_ready(void *arg, unsigned ready)
{
	(void)ready;
	work(arg);
}

struct input *input_new(struct loop *loop, int fd, const struct input_events *events)
{
	struct input *in = xcalloc(1, sizeof *in);
	struct stat st;

	in->loop = loop;
	in->events = *events;
	in->fd = fd;
	in->first = true;
	timer_init(&in->timer, loop, work, in);
	/* epoll refuses what is always ready. The descriptor's flags are shared with others and
	 * stay as they are: a read follows only what poll() has announced. */
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd))) {
		in->watch = watch_new(loop, fd, on_ready, in);
		watch_want(in->watch, READY_READ);
	}
	timer_soon(&in->timer);
	return in;
}

void input_free(struct input *in)
{
	if (!in)
		return;
	watch_free(in->watch);
	timer_fini(&in->timer);
	buf_fini(&in->line);
	free(in);
}

void input_pause(struct input *in)
{
	in->paused = !in->draining;
}

void input_resume(struct input *in)
{
	in->paused = false;
	timer_soon(&in->timer);
}

uint64_t input_taken(const struct input *in)
{
	return in->taken;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void end_line(struct input *in)
{
	const char *s = in->line.data;
	size_t n = in->line.len;

	if (in->first && n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0) {
		s += 3;
		n -= 3;
	}
	in->first = false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '#' && (i == 0 || blank(s[i - 1]))) {
			n = i;
			break;
		}
	}
	while (n && blank(s[n - 1]))
		n--;
	while (n && blank(*s)) {
		s++;
		n--;
	}
	if (n)
		in->events.line(in->events.arg, s, n);
	buf_clear(&in->line);
}

/* Splits what was read, as long as lines are wanted. */
static void split(struct input *in)
{
	while (in->at < in->n && !in->paused) {
		const char *s = in->chunk + in->at, *lf = memchr(s, '\n', in->n - in->at);
		size_t len = lf ? (size_t)(lf - s) : in->n - in->at;
		size_t room = LINE_KEEP - in->line.len;

		buf_add(&in->line, s, len < room ? len : room);
		in->at += len + (lf != NULL);
		in->taken += len + (lf != NULL);
		if (lf)
			end_line(in);
	}
}

static void finish(struct input *in, int err)
{
	in->ended = true;
	watch_free(in->watch);
	in->watch = NULL;
	timer_at(&in->timer, USEC_NEVER);
	if (in->line.len)
		end_line(in);
	in->events.ended(in->events.arg, err);
}

static bool ready_now(const struct input *in)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};

	return !in->watch || (poll(&p, 1, 0) == 1 && p.revents);
}

/* Reads a piece; false: a pipe has nothing in it, or the input has ended. */
static bool read_piece(struct input *in)
{
	ssize_t n;

	if (!ready_now(in))
		return false;
	do
		n = read(in->fd, in->chunk, sizeof in->chunk);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0) {
		finish(in, n < 0 ? errno : 0);
		return false;
	}
	in->at = 0;
	in->n = (size_t)n;
	return true;
}

/* One turn: so much, then others get their turn. */
static void work(void *arg)
{
	struct input *in = arg;

	for (int i = 0; i < PIECES && !in->ended; i++) {
		split(in);
		if (in->paused || !read_piece(in))
			return;
	}
	if (!in->ended)
		timer_soon(&in->timer);
}

void input_drain(struct input *in)
{
	in->paused = false;
	in->draining = true;
	while (!in->ended) {
		split(in);
		if (!read_piece(in) && !in->ended)
			finish(in, 0);
	}
}

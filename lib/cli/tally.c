#include "cli/tally.h"

#include "base/buf.h"
#include "report/output.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE (200 * USEC_PER_MS)

struct tally {
	int fd;
	uint64_t size; /* of the input, as far as it is still to be read; 0: not known */
	usec_t started, last;
	unsigned long begun, done;
	bool shown, gone; /* gone: nobody takes what is written */
};

struct tally *tally_new(int fd, int input, usec_t now)
{
	struct tally *t = xcalloc(1, sizeof *t);
	struct stat st;

	t->fd = fd;
	t->started = t->last = now;
	if (input >= 0 && fstat(input, &st) == 0 && S_ISREG(st.st_mode)) {
		off_t at = lseek(input, 0, SEEK_CUR);

		t->size = at >= 0 && at < st.st_size ? (uint64_t)(st.st_size - at) : 0;
	}
	return t;
}

void tally_begun(struct tally *t)
{
	if (t)
		t->begun++;
}

/* Of the whole list; 0: not known. What is under way counts as little as what was not read yet. */
static double share_done(const struct tally *t, uint64_t taken)
{
	if (!t->size || !t->begun)
		return 0;
	return (double)(taken < t->size ? taken : t->size) / (double)t->size * (double)t->done /
	       (double)t->begun;
}

static void add_span(struct buf *b, double seconds)
{
	if (seconds < 100)
		buf_printf(b, "%.0f s", seconds);
	else if (seconds < 100 * 60)
		buf_printf(b, "%.0f min", seconds / 60);
	else
		buf_printf(b, "%.1f h", seconds / 3600);
}

static void write_out(struct tally *t, const struct buf *b)
{
	struct pollfd out = {.fd = t->fd, .events = POLLOUT};

	/* A terminal that takes nothing (Ctrl-S) holds nobody up. */
	if (!t->gone && poll(&out, 1, 0) == 1 && output_all(t->fd, b->data, b->len) != 0)
		t->gone = true;
}

void tally_done(struct tally *t, usec_t now, uint64_t taken)
{
	struct buf line = {0};
	double span, share;

	if (!t)
		return;
	t->done++;
	if (now - t->last < PAUSE)
		return;
	t->last = now;
	t->shown = true;
	span = (double)(now - t->started) / (double)USEC_PER_SEC;
	share = share_done(t, taken);
	buf_printf(&line, "\r%lu done, %lu under way, %.1f a second", t->done, t->begun - t->done,
		   (double)t->done / span);
	if (share > 0) {
		buf_addstr(&line, ", about ");
		add_span(&line, span * (1 - share) / share);
		buf_addstr(&line, " left");
	}
	buf_addstr(&line, "\033[K");
	write_out(t, &line);
	buf_fini(&line);
}

void tally_clear(struct tally *t)
{
	static const char clear[] = "\r\033[K";
	struct buf line = {0};

	if (!t || !t->shown)
		return;
	t->shown = false;
	buf_addstr(&line, clear);
	write_out(t, &line);
	buf_fini(&line);
}

void tally_free(struct tally *t)
{
	tally_clear(t);
	free(t);
}

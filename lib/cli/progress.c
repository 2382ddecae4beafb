#include "cli/progress.h"

#include "base/text.h"
#include "report/output.h"
#include "report/table.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { FRAME_USEC = 100000, DEFAULT_LINES = 24, DEFAULT_COLUMNS = 80 };

/* The cursor always rests at the start of the line below the live part; a frame goes up to the top
 * of it and writes over it, in one write(). No line is cleared before its new text stands in the
 * same frame, so nothing flickers. */
struct progress {
	struct loop *loop;
	struct timer tick;
	int fd;
	bool gone; /* the terminal is: nothing more is written */
	struct report_conf conf;
	const struct result **running; /* in the order in which they were planned */
	size_t n_running, cap_running;
	struct buf done;   /* final blocks that are not on the screen yet */
	unsigned finished; /* blocks made so far */
	unsigned verdicts[VERDICTS];
	struct buf live;  /* the live part being made */
	struct buf frame; /* the bytes of one write */
	unsigned *drawn;  /* columns of each line of the live part on the screen */
	size_t n_drawn, cap_drawn;
	usec_t last; /* drawing */
};

struct size {
	unsigned lines, columns;
};

static struct size size_of(int fd)
{
	struct size size = {DEFAULT_LINES, DEFAULT_COLUMNS};
	struct winsize ws;

	if (ioctl(fd, TIOCGWINSZ, &ws) == 0) {
		if (ws.ws_row)
			size.lines = ws.ws_row;
		if (ws.ws_col)
			size.columns = ws.ws_col;
	}
	return size;
}

unsigned progress_columns(int fd)
{
	struct winsize ws;

	return ioctl(fd, TIOCGWINSZ, &ws) == 0 ? ws.ws_col : 0;
}

bool progress_possible(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

/* Columns of a line without its colours. */
static unsigned columns_of(const char *s, size_t n)
{
	size_t columns = 0;

	while (n) {
		const char *escape = memchr(s, '\033', n);
		size_t text = escape ? (size_t)(escape - s) : n;

		columns += text_columns(s, text);
		s += text;
		n -= text;
		while (n) { /* to the letter that ends it */
			char c = *s;

			s++;
			n--;
			if (c >= 'a' && c <= 'z')
				break;
		}
	}
	return (unsigned)columns;
}

/* To the top of the live part that is on the screen. A terminal that has become narrower has
 * folded its lines. */
static void go_up(struct progress *p, struct size size)
{
	size_t lines = 0;

	for (size_t i = 0; i < p->n_drawn; i++)
		lines += p->drawn[i] > size.columns
			     ? (p->drawn[i] + size.columns - 1) / size.columns
			     : 1;
	buf_addc(&p->frame, '\r');
	if (lines)
		buf_printf(&p->frame, "\033[%zuA", lines);
	p->n_drawn = 0;
}

/* Lines into the frame, each with the rest of the old line behind it erased; but not behind a line
 * that fills the screen's width, where the cursor still stands on its last character. */
static void add_lines(struct progress *p, const struct buf *text, struct size size, bool live)
{
	const char *at = text->data, *end = at + text->len;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((lf ? lf : end) - at);
		unsigned columns = columns_of(at, n);

		buf_add(&p->frame, at, n);
		if (columns < size.columns)
			buf_addstr(&p->frame, "\033[K");
		buf_addstr(&p->frame, "\r\n");
		if (live) {
			if (p->n_drawn == p->cap_drawn) {
				p->cap_drawn = p->cap_drawn ? 2 * p->cap_drawn : 32;
				p->drawn = xreallocarray(p->drawn, p->cap_drawn, sizeof *p->drawn);
			}
			p->drawn[p->n_drawn++] = columns;
		}
		at += n + 1;
	}
}

/* All running targets in at most `room` lines: whole blocks if they fit; else a heading for each
 * that has place, and the rows of the first ones in what is left. */
static void make_live(struct progress *p, const struct report_conf *conf, usec_t now, size_t room)
{
	size_t lead = p->finished ? 1 : 0, whole = lead, shown, spare;

	buf_clear(&p->live);
	if (!p->n_running)
		return;
	for (size_t i = 0; i < p->n_running && whole <= room; i++)
		whole += table_live_lines(p->running[i]) + (i ? 1 : 0);
	if (whole <= room) {
		for (size_t i = 0; i < p->n_running; i++) {
			if (i || lead)
				buf_addc(&p->live, '\n');
			(void)table_live(&p->live, p->running[i], conf, now, SIZE_MAX); /* all */
		}
		return;
	}
	shown = p->n_running <= room ? p->n_running : room - 1;
	spare = room - shown - (shown < p->n_running);
	for (size_t i = 0; i < shown; i++)
		spare -= table_live(&p->live, p->running[i], conf, now, 1 + spare) - 1;
	if (shown < p->n_running) {
		struct buf line = {0};

		buf_printf(&line, "\xE2\x80\xA6 and %zu more targets", p->n_running - shown);
		text_fit(&p->live, line.data, line.len, conf->width);
		buf_addc(&p->live, '\n');
		buf_fini(&line);
	}
}

static void write_frame(struct progress *p)
{
	if (!p->gone && output_all(p->fd, p->frame.data, p->frame.len) != 0)
		p->gone = true;
}

static void draw(struct progress *p, bool with_live)
{
	struct size size = size_of(p->fd);
	struct report_conf conf = p->conf;

	conf.width = size.columns;
	p->last = loop_now(p->loop);
	buf_clear(&p->frame);
	go_up(p, size);
	add_lines(p, &p->done, size, false);
	buf_clear(&p->done);
	buf_clear(&p->live);
	if (with_live)
		make_live(p, &conf, p->last, size.lines > 1 ? size.lines - 1 : 1);
	add_lines(p, &p->live, size, true);
	buf_addstr(&p->frame, "\033[J");
	write_frame(p);
}

void progress_draw(struct progress *p)
{
	struct pollfd out = {.fd = p->fd, .events = POLLOUT};

	if (p->gone)
		return;
	if (poll(&out, 1, 0) == 1)
		draw(p, true);
	else
		p->last = loop_now(p->loop);
	if (p->n_running || p->done.len)
		timer_at(&p->tick, p->last + FRAME_USEC);
}

static void on_tick(void *arg)
{
	progress_draw(arg);
}

/* Soon, but not more than ten times a second, however many targets end at once. */
static void draw_soon(struct progress *p)
{
	usec_t now = loop_now(p->loop), next = p->last + FRAME_USEC;

	timer_at(&p->tick, p->last == USEC_NONE || next < now ? now : next);
}

struct progress *progress_new(struct loop *loop, int fd, const struct report_conf *conf)
{
	struct progress *p = xcalloc(1, sizeof *p);

	p->loop = loop;
	p->fd = fd;
	p->conf = *conf;
	p->last = USEC_NONE;
	timer_init(&p->tick, loop, on_tick, p);
	return p;
}

void progress_planned(struct progress *p, const struct result *result)
{
	if (p->n_running == p->cap_running) {
		p->cap_running = p->cap_running ? 2 * p->cap_running : 16;
		p->running = xreallocarray(p->running, p->cap_running, sizeof(void *));
	}
	p->running[p->n_running++] = result;
	draw_soon(p);
}

void progress_finished(struct progress *p, const struct result *result)
{
	struct report_conf conf = p->conf;
	size_t i = 0;

	while (i < p->n_running && p->running[i] != result)
		i++;
	if (i < p->n_running) {
		p->n_running--;
		memmove(p->running + i, p->running + i + 1, (p->n_running - i) * sizeof(void *));
	}
	if (p->finished++)
		buf_addc(&p->done, '\n');
	conf.width = size_of(p->fd).columns;
	table_target(&p->done, result, &conf, USEC_NONE);
	if (result->index >= 0)
		p->verdicts[result->verdict]++;
	draw_soon(p);
}

void progress_clear(struct progress *p)
{
	if (p->n_drawn || p->done.len)
		draw(p, false);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	table_summary(&p->done, p->verdicts);
	progress_clear(p);
	timer_fini(&p->tick);
	buf_fini(&p->done);
	buf_fini(&p->live);
	buf_fini(&p->frame);
	free(p->running);
	free(p->drawn);
	free(p);
}

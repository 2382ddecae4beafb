#include "cli/canvas.h"

#include "base/text.h"
#include "report/output.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_LINES = 24, DEFAULT_COLUMNS = 80 };

/* The cursor always rests at the start of the line below the live part; a frame goes up to the top
 * of it and writes over it, in one write(). No line is cleared before its new text stands in the
 * same frame, so nothing flickers. */
struct canvas {
	int fd;
	int gone;         /* the terminal is, errno: nothing more is written */
	struct buf frame; /* the bytes of one write */
	unsigned *drawn;  /* columns of each line of the live part on the screen */
	size_t n_drawn, cap_drawn;
};

bool canvas_possible(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

struct canvas *canvas_new(int fd)
{
	struct canvas *c = xcalloc(1, sizeof *c);

	c->fd = fd;
	return c;
}

void canvas_free(struct canvas *c)
{
	if (!c)
		return;
	buf_fini(&c->frame);
	free(c->drawn);
	free(c);
}

struct canvas_size canvas_size(const struct canvas *c)
{
	struct canvas_size size = {DEFAULT_LINES, DEFAULT_COLUMNS};
	struct winsize ws;

	if (ioctl(c->fd, TIOCGWINSZ, &ws) == 0) {
		if (ws.ws_row)
			size.lines = ws.ws_row;
		if (ws.ws_col)
			size.columns = ws.ws_col;
	}
	return size;
}

int canvas_gone(const struct canvas *c)
{
	return c->gone;
}

bool canvas_ready(const struct canvas *c)
{
	struct pollfd out = {.fd = c->fd, .events = POLLOUT};

	return !c->gone && poll(&out, 1, 0) == 1;
}

bool canvas_drawn(const struct canvas *c)
{
	return c->n_drawn > 0;
}

void canvas_forget(struct canvas *c)
{
	c->n_drawn = 0;
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
static void go_up(struct canvas *c, struct canvas_size size)
{
	size_t lines = 0;

	for (size_t i = 0; i < c->n_drawn; i++)
		lines += c->drawn[i] > size.columns
			     ? (c->drawn[i] + size.columns - 1) / size.columns
			     : 1;
	buf_addc(&c->frame, '\r');
	if (lines)
		buf_printf(&c->frame, "\033[%zuA", lines);
	c->n_drawn = 0;
}

/* Lines into the frame, each with the rest of the old line behind it erased; but not behind a line
 * that fills the screen's width, where the cursor still stands on its last character. */
static void add_lines(struct canvas *c, const struct buf *text, struct canvas_size size, bool live)
{
	const char *at = text->len ? text->data : "", *end = at + text->len;

	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((lf ? lf : end) - at);
		unsigned columns = columns_of(at, n);

		buf_add(&c->frame, at, n);
		if (columns < size.columns)
			buf_addstr(&c->frame, "\033[K");
		buf_addstr(&c->frame, "\r\n");
		if (live) {
			if (c->n_drawn == c->cap_drawn) {
				c->cap_drawn = c->cap_drawn ? 2 * c->cap_drawn : 32;
				c->drawn = xreallocarray(c->drawn, c->cap_drawn, sizeof *c->drawn);
			}
			c->drawn[c->n_drawn++] = columns;
		}
		at += n + 1;
	}
}

void canvas_draw(struct canvas *c, const struct buf *lasting, const struct buf *live)
{
	struct canvas_size size = canvas_size(c);

	if (c->gone)
		return;
	buf_clear(&c->frame);
	go_up(c, size);
	if (lasting)
		add_lines(c, lasting, size, false);
	if (live)
		add_lines(c, live, size, true);
	buf_addstr(&c->frame, "\033[J");
	c->gone = output_all(c->fd, c->frame.data, c->frame.len);
}

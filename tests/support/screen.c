#include "support/screen.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct row {
	uint32_t *cells; /* code points; 0: nothing was written there */
	size_t n;
};

struct screen {
	unsigned lines, columns;
	struct row *rows; /* scrollback and screen */
	size_t n_rows, y;
	size_t x; /* == columns: the last column is written, the next character wraps */
	struct buf pending;
	bool bad;
};

static size_t top_of(const struct screen *s)
{
	return s->n_rows > s->lines ? s->n_rows - s->lines : 0;
}

static struct row *row_at(struct screen *s, size_t y)
{
	while (s->n_rows <= y)
		(void)ARRAY_ADD(s->rows, s->n_rows);
	return &s->rows[y];
}

static void erase_from(struct screen *s, size_t y, size_t x)
{
	struct row *row = row_at(s, y);

	if (row->n > x)
		row->n = x;
}

static void put(struct screen *s, uint32_t cp)
{
	unsigned width = utf8_columns(cp);
	struct row *row;

	if (!width)
		return; /* combines: no cell of its own */
	if (s->x + width > s->columns) {
		s->x = 0;
		s->y++;
	}
	row = row_at(s, s->y);
	while (row->n < s->x + width) {
		uint32_t *cell = ARRAY_ADD(row->cells, row->n);

		*cell = ' ';
	}
	row->cells[s->x] = cp;
	if (width == 2)
		row->cells[s->x + 1] = 0;
	s->x += width;
}

/* One control sequence whose end has come. */
static void control(struct screen *s, const char *args, size_t n, char final)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		if (final == 'm')
			continue;
		if (args[i] < '0' || args[i] > '9')
			s->bad = true;
		else
			count = count * 10 + (unsigned)(args[i] - '0');
	}
	switch (final) {
	case 'A':
		count = count ? count : 1;
		s->y = s->y > top_of(s) + count ? s->y - count : top_of(s);
		break;
	case 'K':
		/* Where the next character would wrap, the cursor is on the last one. */
		erase_from(s, s->y, s->x < s->columns ? s->x : s->columns - 1);
		break;
	case 'J':
		erase_from(s, s->y, s->x < s->columns ? s->x : s->columns - 1);
		for (size_t y = s->y + 1; y < s->n_rows; y++)
			s->rows[y].n = 0;
		break;
	case 'm':
		break;
	default:
		s->bad = true;
	}
}

struct screen *screen_new(unsigned lines, unsigned columns)
{
	struct screen *s = xcalloc(1, sizeof *s);

	s->lines = lines;
	s->columns = columns;
	(void)row_at(s, 0);
	return s;
}

static void rows_free(struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(rows[i].cells);
	free(rows);
}

void screen_free(struct screen *s)
{
	rows_free(s->rows, s->n_rows);
	buf_fini(&s->pending);
	free(s);
}

void screen_feed(struct screen *s, const char *bytes, size_t n)
{
	size_t at = 0;

	buf_add(&s->pending, bytes, n);
	bytes = buf_str(&s->pending);
	n = s->pending.len;
	while (at < n) {
		unsigned char c = (unsigned char)bytes[at];
		uint32_t cp;
		size_t len;

		if (c == '\033') {
			size_t end = at + 2;

			while (end < n && bytes[end] < '@')
				end++;
			if (end >= n)
				break; /* the rest is to come */
			if (bytes[at + 1] != '[')
				s->bad = true;
			control(s, bytes + at + 2, end - at - 2, bytes[end]);
			at = end + 1;
		} else if (c == '\r') {
			s->x = 0;
			at++;
		} else if (c == '\n') {
			s->y++;
			(void)row_at(s, s->y);
			at++;
		} else {
			len = utf8_decode(bytes + at, n - at, &cp);
			if (!len && n - at < 4)
				break;
			if (!len || cp < 0x20 || cp == 0x7F)
				s->bad = true;
			else
				put(s, cp);
			at += len ? len : 1;
		}
	}
	buf_consume(&s->pending, at);
}

void screen_resize(struct screen *s, unsigned lines, unsigned columns)
{
	struct row *old = s->rows;
	size_t n_old, y_old = s->y;

	/* Empty lines below the cursor are the first to go. */
	while (s->n_rows > s->y + 1 && !s->rows[s->n_rows - 1].n)
		free(s->rows[--s->n_rows].cells);
	n_old = s->n_rows;
	s->lines = lines;
	s->columns = columns;
	s->rows = NULL;
	s->n_rows = 0;
	for (size_t i = 0; i < n_old; i++) {
		struct row *row = NULL;

		for (size_t x = 0; !row || x < old[i].n; x++) {
			if (!row || x % columns == 0)
				row = ARRAY_ADD(s->rows, s->n_rows);
			if (x < old[i].n) {
				uint32_t *cell = ARRAY_ADD(row->cells, row->n);

				*cell = old[i].cells[x];
			}
		}
		if (i == y_old)
			s->y = s->n_rows - 1;
	}
	if (s->x >= columns)
		s->x = columns;
	rows_free(old, n_old);
}

bool screen_bad(const struct screen *s)
{
	return s->bad;
}

static void add_code_point(struct buf *out, uint32_t cp)
{
	if (cp < 0x80) {
		buf_addc(out, (char)cp);
	} else if (cp < 0x800) {
		buf_addc(out, (char)(0xC0 | cp >> 6));
		buf_addc(out, (char)(0x80 | (cp & 0x3F)));
	} else if (cp < 0x10000) {
		buf_addc(out, (char)(0xE0 | cp >> 12));
		buf_addc(out, (char)(0x80 | (cp >> 6 & 0x3F)));
		buf_addc(out, (char)(0x80 | (cp & 0x3F)));
	} else {
		buf_addc(out, (char)(0xF0 | cp >> 18));
		buf_addc(out, (char)(0x80 | (cp >> 12 & 0x3F)));
		buf_addc(out, (char)(0x80 | (cp >> 6 & 0x3F)));
		buf_addc(out, (char)(0x80 | (cp & 0x3F)));
	}
}

static char *text_from(const struct screen *s, size_t first)
{
	struct buf out = {0};

	for (size_t y = first; y < s->n_rows; y++) {
		size_t text = out.len;

		for (size_t x = 0; x < s->rows[y].n; x++) {
			if (s->rows[y].cells[x])
				add_code_point(&out, s->rows[y].cells[x]);
			if (s->rows[y].cells[x] != ' ')
				text = out.len;
		}
		out.len = (uint32_t)text;
		buf_addc(&out, '\n');
	}
	/* Up to the last line that has text. */
	while (out.len > 1 && out.data[out.len - 1] == '\n' && out.data[out.len - 2] == '\n')
		out.len--;
	if (out.len == 1 && out.data[0] == '\n')
		out.len = 0;
	return buf_steal(&out);
}

char *screen_text(const struct screen *s)
{
	return text_from(s, 0);
}

char *screen_visible(const struct screen *s)
{
	return text_from(s, top_of(s));
}

void screen_cursor(const struct screen *s, unsigned *line, unsigned *column)
{
	*line = (unsigned)(s->y - top_of(s));
	*column = (unsigned)s->x;
}

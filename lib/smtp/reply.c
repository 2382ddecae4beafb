#include "smtp/reply.h"

#include <string.h>

void reply_fini(struct reply *r)
{
	buf_fini(&r->text);
	*r = (struct reply){0};
}

void reply_copy(struct reply *to, const struct reply *from)
{
	buf_clear(&to->text);
	buf_add(&to->text, from->text.data, from->text.len);
	to->code = from->code;
	to->lines = from->lines;
}

bool reply_line(const struct reply *r, unsigned i, const char **line, size_t *n)
{
	const char *p = r->text.data, *end, *lf;

	if (i >= r->lines)
		return false;
	if (!r->text.len) { /* lines without text: nothing but their ends, or not even those */
		*line = "";
		*n = 0;
		return true;
	}
	end = p + r->text.len;
	while (i--) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf)
			return false;
		p = lf + 1;
	}
	lf = memchr(p, '\n', (size_t)(end - p));
	*line = p;
	*n = (size_t)((lf ? lf : end) - p);
	return true;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "." and one to three digits at s: how many octets; 0: not there. */
static size_t dotted(const char *s, size_t n)
{
	size_t len = 1;

	if (n < 2 || s[0] != '.')
		return 0;
	while (len < n && len <= 3 && digit(s[len]))
		len++;
	return len > 1 ? len : 0;
}

/* Length of the enhanced code alone. */
static size_t code_length(const char *s, size_t n)
{
	size_t subject, detail, len;

	if (!n || (s[0] != '2' && s[0] != '4' && s[0] != '5'))
		return 0;
	subject = dotted(s + 1, n - 1);
	if (!subject)
		return 0;
	detail = dotted(s + 1 + subject, n - 1 - subject);
	len = 1 + subject + detail;
	if (!detail || (len < n && s[len] != ' ' && s[len] != '\t'))
		return 0;
	return len;
}

size_t enhanced_length(const char *line, size_t n)
{
	size_t len = code_length(line, n);

	while (len && len < n && (line[len] == ' ' || line[len] == '\t'))
		len++;
	return len;
}

bool reply_enhanced(const struct reply *r, char out[ENHANCED_STRLEN])
{
	const char *line;
	size_t n, len, first = 0;

	out[0] = '\0';
	for (unsigned i = 0; reply_line(r, i, &line, &n); i++) {
		len = code_length(line, n);
		if (!len || (i && (len != first || memcmp(out, line, len) != 0))) {
			out[0] = '\0';
			return false;
		}
		memcpy(out, line, len);
		out[len] = '\0';
		first = len;
	}
	return first != 0;
}

void reply_init(struct reply_reader *r)
{
	*r = (struct reply_reader){0};
}

void reply_reader_fini(struct reply_reader *r)
{
	reply_fini(&r->reply);
	reply_init(r);
}

/* A line has ended. True: so has the reply. */
static bool end_line(struct reply_reader *r)
{
	int code = (r->code[0] - '0') * 100 + (r->code[1] - '0') * 10 + (r->code[2] - '0');

	if (r->reply.lines && code != r->reply.code)
		r->mixed = true;
	r->reply.code = code;
	r->reply.lines++;
	r->line = 0;
	r->cr = false;
	if (!r->last)
		return false;
	/* postscreen says "220-" and then "521 " in one reply: the refusal is what it means. A
	 * change to anything else has no meaning. */
	if (r->mixed && code < 400)
		r->fault = REPLY_BAD_CODE;
	return true;
}

/* The octet at place 0 to 3 of a line: code and separator (RFC 5321 4.2.1). False: not a reply. */
static bool take_head(struct reply_reader *r, char c)
{
	if (r->line < 3) {
		if (!digit(c) || (r->line == 0 && (c < '2' || c > '5')))
			return false;
		r->code[r->line] = c;
		return true;
	}
	r->last = c != '-';
	r->cr = c == '\r';
	return c == ' ' || c == '-' || c == '\r';
}

/* Text up to the end of the line, or of what is there; the CR that may end the line is held back.
 */
static void take_text(struct reply_reader *r, const char *s, size_t n)
{
	if (r->cr)
		buf_addc(&r->reply.text, '\r');
	r->cr = s[n - 1] == '\r';
	buf_add(&r->reply.text, s, n - r->cr);
}

/* Counts what comes against the limits; false when one is passed. */
static bool count(struct reply_reader *r, size_t n, bool line_end)
{
	r->octets += (unsigned)n + line_end;
	r->line += (unsigned)n;
	/* The CR of the line's end is no part of the line. */
	return r->octets <= REPLY_OCTETS_MAX && r->line - r->cr <= REPLY_LINE_MAX;
}

static int fail(struct reply_reader *r, enum reply_fault fault)
{
	r->fault = fault;
	return -1;
}

int reply_feed(struct reply_reader *r, const char *bytes, size_t n, size_t *used)
{
	size_t at = 0;

	*used = 0;
	if (r->fault)
		return -1;
	if (r->last && !r->line) { /* the reply before was whole */
		reply_reader_fini(r);
	}
	while (at < n) {
		enum reply_fault bad = r->reply.lines ? REPLY_BAD_CODE : REPLY_NO_CODE;

		if (r->line == 0) {
			if (r->reply.lines == REPLY_LINES_MAX)
				return fail(r, REPLY_TOO_LONG);
			if (r->reply.lines)
				buf_addc(&r->reply.text, '\n');
		}
		if (r->line < 4) {
			bool end = bytes[at] == '\n' && r->line == 3;

			if (end)
				r->last = true;
			else if (!take_head(r, bytes[at]))
				return fail(r, bad);
			at++;
			if (!count(r, !end, end))
				return fail(r, REPLY_TOO_LONG);
			if (!end)
				continue;
		} else {
			const char *s = bytes + at, *lf = memchr(s, '\n', n - at);
			size_t len = lf ? (size_t)(lf - s) : n - at;

			if (r->line == 4 && r->cr && lf != s)
				return fail(r, bad); /* "220", CR, and then no LF */
			if (len > REPLY_OCTETS_MAX)
				return fail(r, REPLY_TOO_LONG);
			if (len)
				take_text(r, s, len);
			if (!count(r, len, lf != NULL))
				return fail(r, REPLY_TOO_LONG);
			at += len + (lf != NULL);
			if (!lf)
				break;
		}
		if (end_line(r)) {
			*used = at;
			r->octets = 0;
			return r->fault ? -1 : 1;
		}
	}
	*used = at;
	return 0;
}

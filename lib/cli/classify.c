#include "cli/classify.h"

#include "base/buf.h"
#include "base/text.h"
#include "judge/classify.h"
#include "judge/logline.h"
#include "judge/rules.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

struct work {
	bool json;
	struct logline line;
	struct buf out;
	struct buf text; /* one string on its way into JSON */
};

/* Octets at the start of s that stand for themselves in both outputs: printable ASCII. */
static size_t plain_length(const char *s, size_t n, bool json)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c >= 0x7f || (json && (c == '"' || c == '\\')))
			break;
	}
	return i;
}

static void add_safe(struct work *w, const char *s, size_t n)
{
	if (plain_length(s, n, false) == n)
		buf_add(&w->out, s, n);
	else
		text_safe(&w->out, s, n);
}

/* A JSON string (RFC 8259 7). What is not UTF-8 becomes U+FFFD. */
static void add_string(struct work *w, const char *s, size_t n)
{
	size_t i = plain_length(s, n, true);

	buf_addc(&w->out, '"');
	buf_add(&w->out, s, i);
	if (i < n) {
		buf_clear(&w->text);
		text_utf8(&w->text, s + i, n - i, 1);
		s = w->text.data;
		n = w->text.len;
		for (i = 0; i < n;) {
			size_t len = 0;

			while (i + len < n && (unsigned char)s[i + len] >= 0x20 &&
			       s[i + len] != '"' && s[i + len] != '\\' && s[i + len] != 0x7f)
				len++;
			buf_add(&w->out, s + i, len);
			i += len;
			if (i == n)
				break;
			if (s[i] == '"' || s[i] == '\\')
				buf_printf(&w->out, "\\%c", s[i]);
			else
				buf_printf(&w->out, "\\u%04x", (unsigned char)s[i]);
			i++;
		}
	}
	buf_addc(&w->out, '"');
}

static void add_field(struct work *w, const char *name, const char *s, size_t n)
{
	buf_addstr(&w->out, ",\"");
	buf_addstr(&w->out, name);
	buf_addstr(&w->out, "\":");
	if (s)
		add_string(w, s, n);
	else
		buf_addstr(&w->out, "null");
}

static void add_name(struct work *w, const char *name, const char *value)
{
	add_field(w, name, value, value ? strlen(value) : 0);
}

static void answer(struct work *w, const char *line, size_t n)
{
	struct logline *l = &w->line;
	const struct rule *rule = NULL;
	char enhanced[ENHANCED_STRLEN];

	if (n && line[n - 1] == '\r')
		n--;
	if (logline_read(l, line, n))
		rule = classify(&l->seen);
	if (!w->json) {
		if (rule) {
			buf_addstr(&w->out, class_name(rule->class));
			buf_addc(&w->out, '/');
			buf_addstr(&w->out, reason_name(rule->reason));
		} else {
			buf_addc(&w->out, '-');
		}
		buf_addc(&w->out, '\t');
		add_safe(w, line, n);
		buf_addc(&w->out, '\n');
		return;
	}
	buf_addstr(&w->out, "{\"schema\":\"mxprobe-classify/1\"");
	add_field(w, "line", line, n);
	add_name(w, "class", rule ? class_name(rule->class) : NULL);
	add_name(w, "reason", rule ? reason_name(rule->reason) : NULL);
	if (rule && l->has_code)
		buf_printf(&w->out, ",\"code\":%d", l->seen.reply.code);
	else
		buf_addstr(&w->out, ",\"code\":null");
	add_name(w, "enhanced",
		 rule && l->seen.end == END_REPLY && reply_enhanced(&l->seen.reply, enhanced)
		     ? enhanced
		     : NULL);
	add_name(w, "phase", rule && l->has_phase ? phase_name(l->seen.phase) : NULL);
	add_field(w, "host", rule ? l->host : NULL, l->host_length);
	add_field(w, "address", rule ? l->address : NULL, l->address_length);
	buf_addstr(&w->out, "}\n");
}

static void hand_on(struct work *w, struct output *out)
{
	if (w->out.len)
		output_write(out, w->out.data, w->out.len);
	buf_clear(&w->out);
}

/* How much was read; 0 at the end, -1 with errno. */
static ssize_t read_some(int fd, char *to, size_t n)
{
	for (;;) {
		ssize_t got = read(fd, to, n);
		struct pollfd wait = {.fd = fd, .events = POLLIN};

		if (got >= 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
			return got;
		/* Somebody else made the descriptor non-blocking. */
		if (errno != EINTR)
			(void)poll(&wait, 1, -1);
	}
}

bool classify_lines(int fd, bool json, struct output *out, char **error)
{
	struct work w = {.json = json};
	char *bytes = xmalloc(CLASSIFY_LINE_MAX + READ_SIZE);
	size_t held = 0; /* octets in front, of a line whose end has not come */
	ssize_t got;

	*error = NULL;
	logline_init(&w.line);
	while ((got = read_some(fd, bytes + held, READ_SIZE)) > 0) {
		size_t n = held + (size_t)got, from = 0, look = held;
		const char *lf;

		while ((lf = memchr(bytes + look, '\n', n - look)) != NULL) {
			size_t end = (size_t)(lf - bytes), length = end - from;

			answer(&w, bytes + from,
			       length < CLASSIFY_LINE_MAX ? length : CLASSIFY_LINE_MAX);
			from = look = end + 1;
			if (w.out.len > READ_SIZE)
				hand_on(&w, out);
		}
		held = n - from;
		if (held > CLASSIFY_LINE_MAX) /* and what comes after it is cut off above */
			held = CLASSIFY_LINE_MAX;
		memmove(bytes, bytes + from, held);
		hand_on(&w, out);
	}
	if (got < 0)
		*error = xasprintf("cannot read the input: %s", strerror(errno));
	if (held)
		answer(&w, bytes, held);
	hand_on(&w, out);
	logline_fini(&w.line);
	buf_fini(&w.out);
	buf_fini(&w.text);
	free(bytes);
	return got == 0;
}

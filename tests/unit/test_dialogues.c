/* Plays the scripts in tests/dialogues: what a server says and when, what must be said to it, and
 * what must have been seen in the end. Each is played with the server's octets given as they stand,
 * line by line, octet by octet, and cut once at every place: all must come to the same.
 *
 *   # text            a comment; the first one says what the script claims
 *   tls: MODE         off, auto (the default), require, verify, dane
 *   plain             the second connection of a session, after a failed handshake
 *   +MS               so many milliseconds pass
 *   CONNECT           the connection stands
 *   S: TEXT           the server says TEXT and CR LF. Escapes: \r \n \0 \\ \xHH, \(N:text) for
 *                     text N times, and \c at the end: no CR LF. Lines in a row come at once.
 *   C: TEXT           that has been said to it
 *   TLS ok|fail       the handshake ends; TLS verified, TLS matched: the certificate holds, too
 *   EOF RESET REFUSED UNREACHABLE TIMEOUT   the connection ends; TIMEOUT when the limit says so
 *
 * and behind them, each once: phase, end, code, class are a must; notes (none if left out; "early"
 * depends on how octets come together and is checked as they stand only), took, first-byte, text,
 * banner, extensions (lines joined by |), error (its beginning). */
#include "judge/classify.h"
#include "judge/rules.h"
#include "smtp/dialogue.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "tests/dialogues"
#define HELO "probe.example.net"

enum { COMMANDS_MAX = 16, LINES_MAX = 400 };

struct script {
	const char *name;
	char *text; /* the file, cut into lines in place */
	char *lines[LINES_MAX];
	int n;
	size_t octets; /* of the server, in all; set by the first play */
};

enum how { WHOLE, BY_LINE, BY_OCTET, CUT };

struct play {
	const struct script *script;
	enum how how;
	size_t cut, given; /* CUT: where; octets given so far */
	int line;
	usec_t now;
	struct dialogue_conf conf;
	struct dialogue dialogue;
	struct observation seen;
	char *said[COMMANDS_MAX]; /* commands that went out */
	int n_said, n_heard;      /* of them the script knows */
	struct buf block;         /* octets that come at once */
};

static _Noreturn PRINTF_LIKE(2, 3) void bad(const struct play *p, const char *fmt, ...)
{
	static const char *const hows[] = {"whole", "by line", "by octet", "cut"};
	char text[2000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	fail_msg("%s:%d (%s at %zu): %s", p->script->name, p->line + 1, hows[p->how], p->cut, text);
	abort();
}

/* The value of "KEY: VALUE", NULL when the line is another. */
static const char *value_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(line, key, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1;
	return line + (*line == ' ');
}

static void unescape(const struct play *p, const char *s, struct buf *out)
{
	bool closed = true;

	for (; *s; s++) {
		unsigned octet;
		int count, at;

		if (*s != '\\') {
			buf_addc(out, *s);
			continue;
		}
		switch (*++s) {
		case 'r':
			buf_addc(out, '\r');
			break;
		case 'n':
			buf_addc(out, '\n');
			break;
		case '0':
			buf_addc(out, '\0');
			break;
		case '\\':
			buf_addc(out, '\\');
			break;
		case 'x':
			if (sscanf(s + 1, "%2x", &octet) != 1)
				bad(p, "\\x without two hexadecimal digits");
			buf_addc(out, (char)octet);
			s += 2;
			break;
		case 'c':
			closed = false;
			break;
		case '(': {
			const char *end = strchr(s, ')');
			struct buf inner = {0};
			char *text;

			if (!end || sscanf(s + 1, "%d:%n", &count, &at) != 1)
				bad(p, "\\( without count, colon and )");
			text = xasprintf("%.*s\\c", (int)(end - s - 1 - at), s + 1 + at);
			unescape(p, text, &inner);
			while (count--)
				buf_add(out, inner.data, inner.len);
			buf_fini(&inner);
			free(text);
			s = end;
			break;
		}
		default:
			bad(p, "an escape that is none");
		}
	}
	if (closed)
		buf_addstr(out, "\r\n");
}

static void say(struct play *p)
{
	char command[DIALOGUE_COMMAND_MAX];

	while (dialogue_need(&p->dialogue) == NEED_SEND) {
		size_t n = dialogue_take(&p->dialogue, command, sizeof command);

		if (n < 2 || memcmp(command + n - 2, "\r\n", 2) != 0 ||
		    memchr(command, '\n', n - 1))
			bad(p, "a command of no single line");
		if (p->n_said == COMMANDS_MAX)
			bad(p, "commands without end");
		p->said[p->n_said++] = xstrndup(command, n - 2);
	}
}

/* As a stream and a session would: to the dialogue, as far as it wants them. */
static void piece(struct play *p, const char *bytes, size_t n)
{
	while (n) {
		size_t used;

		/* Plaintext at the border of TLS: the stream finds it. */
		if (dialogue_need(&p->dialogue) == NEED_TLS) {
			dialogue_fail(&p->dialogue, END_TLS, 0, p->now);
			return;
		}
		if (dialogue_need(&p->dialogue) == NEED_NOTHING)
			return;
		used = dialogue_feed(&p->dialogue, bytes, n, p->now);
		if (!used || used > n)
			bad(p, "%zu octets used of %zu", used, n);
		bytes += used;
		n -= used;
		say(p);
	}
}

static void give(struct play *p, const char *bytes, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t len = n - at;
		const char *lf = memchr(bytes + at, '\n', len);

		if (p->how == BY_OCTET)
			len = 1;
		else if (p->how == BY_LINE && lf)
			len = (size_t)(lf - bytes) + 1 - at;
		else if (p->how == CUT && p->given < p->cut && p->cut < p->given + len)
			len = p->cut - p->given;
		piece(p, bytes + at, len);
		p->given += len;
		at += len;
	}
}

static void flush_block(struct play *p)
{
	if (p->block.len)
		give(p, p->block.data, p->block.len);
	buf_clear(&p->block);
}

static void expect_command(struct play *p, const char *text)
{
	if (p->n_heard == p->n_said)
		bad(p, "'%s' was not said", text);
	if (strcmp(p->said[p->n_heard], text) != 0)
		bad(p, "'%s' was said instead", p->said[p->n_heard]);
	p->n_heard++;
}

static void end_by(struct play *p, const char *word)
{
	static const struct {
		const char *word;
		enum end end;
		int err;
	} rows[] = {
	    {"EOF", END_CLOSED, 0},
	    {"RESET", END_CLOSED, ECONNRESET},
	    {"REFUSED", END_REFUSED, ECONNREFUSED},
	    {"UNREACHABLE", END_UNREACHABLE, EHOSTUNREACH},
	    {"TIMEOUT", END_TIMEOUT, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(word, rows[i].word) != 0)
			continue;
		if (rows[i].end == END_TIMEOUT && dialogue_deadline(&p->dialogue) != USEC_NEVER &&
		    dialogue_deadline(&p->dialogue) > p->now)
			p->now = dialogue_deadline(&p->dialogue);
		dialogue_fail(&p->dialogue, rows[i].end, rows[i].err, p->now);
		return;
	}
	bad(p, "'%s' is no line of a script", word);
}

static void set_up(struct play *p, bool plain)
{
	const usec_t timeout = 30 * USEC_PER_SEC;

	observation_init(&p->seen);
	dialogue_init(&p->dialogue, &p->conf, &p->seen, p->now, p->now + timeout, plain);
}

static void end_handshake(struct play *p, const char *how)
{
	struct tls_facts *facts;

	if (dialogue_need(&p->dialogue) != NEED_TLS)
		bad(p, "no handshake is wanted");
	if (strcmp(how, "fail") == 0) {
		dialogue_fail(&p->dialogue, END_TLS, 0, p->now);
		return;
	}
	facts = tls_facts_new();
	facts->verified = strcmp(how, "verified") == 0;
	facts->dane = strcmp(how, "matched") == 0;
	dialogue_secured(&p->dialogue, facts, p->now);
}

/* Plays up to the first line of what is expected; returns its index. */
static int act(struct play *p)
{
	bool plain = false, begun = false;

	for (; p->line < p->script->n; p->line++) {
		const char *line = p->script->lines[p->line], *value;

		if (!*line || *line == '#')
			continue;
		if ((value = value_of(line, "tls")) != NULL) {
			p->conf.tls = strcmp(value, "off") == 0       ? TLS_OFF
				      : strcmp(value, "auto") == 0    ? TLS_AUTO
				      : strcmp(value, "require") == 0 ? TLS_REQUIRE
				      : strcmp(value, "verify") == 0  ? TLS_VERIFY
								      : TLS_DANE;
			continue;
		}
		if (strcmp(line, "plain") == 0) {
			plain = true;
			continue;
		}
		if (value_of(line, "phase"))
			break;
		if (!begun) {
			set_up(p, plain);
			begun = true;
		}
		if ((value = value_of(line, "S")) != NULL) {
			unescape(p, value, &p->block);
			continue;
		}
		flush_block(p);
		if ((value = value_of(line, "C")) != NULL) {
			expect_command(p, value);
		} else if (*line == '+') {
			p->now += (usec_t)(strtod(line + 1, NULL) * (double)USEC_PER_MS);
		} else if (strcmp(line, "CONNECT") == 0) {
			dialogue_connected(&p->dialogue, p->now);
		} else if (strncmp(line, "TLS ", 4) == 0) {
			end_handshake(p, line + 4);
		} else {
			end_by(p, line);
		}
		say(p);
	}
	flush_block(p);
	return p->line;
}

static const char *const end_names[] = {
    [END_NONE] = "none",
    [END_REPLY] = "reply",
    [END_TIMEOUT] = "timeout",
    [END_REFUSED] = "refused",
    [END_UNREACHABLE] = "unreachable",
    [END_CLOSED] = "closed",
    [END_NOT_SMTP] = "not-smtp",
    [END_BAD_REPLY] = "bad-reply",
    [END_TLS] = "tls",
    [END_CERTIFICATE] = "certificate",
    [END_NO_TLS] = "no-tls",
};

static void expect_text(const struct play *p, const char *what, const char *want, const char *got)
{
	if (strcmp(want, got) != 0)
		bad(p, "%s is '%s'", what, got);
}

static void expect_buf(const struct play *p, const char *what, const char *want, struct buf *got)
{
	char *text = xstrdup(buf_str(got));

	for (char *c = text; *c; c++)
		*c = *c == '\n' ? '|' : *c;
	expect_text(p, what, want, text);
	free(text);
}

static void expect_notes(const struct play *p, const char *want)
{
	static const struct {
		const char *name;
		unsigned note;
	} rows[] = {
	    {"partial", NOTE_PARTIAL},       {"early", NOTE_EARLY}, {"helo", NOTE_HELO},
	    {"fallback", NOTE_TLS_FALLBACK}, {"tls", NOTE_TLS},     {"starttls", NOTE_STARTTLS},
	};
	unsigned notes = 0, seen = p->seen.notes;
	char *words = xstrdup(want), *state = NULL;

	for (char *w = strtok_r(words, " ", &state); w; w = strtok_r(NULL, " ", &state)) {
		size_t i = 0;

		while (i < ARRAY_LEN(rows) && strcmp(rows[i].name, w) != 0)
			i++;
		if (i == ARRAY_LEN(rows))
			bad(p, "'%s' is no note", w);
		notes |= rows[i].note;
	}
	free(words);
	/* That a reply came before its command went out shows only when both came together. */
	if (p->how != WHOLE) {
		notes &= ~(unsigned)NOTE_EARLY;
		seen &= ~(unsigned)NOTE_EARLY;
	}
	if (notes != seen)
		bad(p, "notes are 0x%x, not 0x%x", seen, notes);
}

/* "connect 80 banner 22": these phases were entered, and no other. */
static void expect_took(const struct play *p, const char *want)
{
	struct buf got = {0};

	for (int i = PHASE_CONNECT; i < PHASES; i++)
		if (p->seen.took[i] != USEC_NONE)
			buf_printf(&got, "%s%s %g", got.len ? " " : "", phase_name((enum phase)i),
				   (double)p->seen.took[i] / (double)USEC_PER_MS);
	expect_text(p, "took", want, buf_str(&got));
	buf_fini(&got);
}

static void expect_class(struct play *p, const char *want)
{
	const struct rule *rule = classify(&p->seen);
	char *got = xasprintf("%s/%s", class_name(rule->class), reason_name(rule->reason));

	expect_text(p, "class", want, got);
	free(got);
}

static void check(struct play *p)
{
	static const char *const musts[] = {"phase", "end", "code", "class"};
	unsigned had = 0;
	const char *notes = "";
	char number[32];

	for (; p->line < p->script->n; p->line++) {
		const char *line = p->script->lines[p->line], *value;

		if (!*line || *line == '#')
			continue;
		for (size_t i = 0; i < ARRAY_LEN(musts); i++)
			had |= value_of(line, musts[i]) ? 1u << i : 0;
		if ((value = value_of(line, "phase")) != NULL) {
			expect_text(p, "phase", value, phase_name(p->seen.phase));
		} else if ((value = value_of(line, "end")) != NULL) {
			if (p->seen.end >= ARRAY_LEN(end_names) || !end_names[p->seen.end])
				bad(p, "end is %d", (int)p->seen.end);
			expect_text(p, "end", value, end_names[p->seen.end]);
		} else if ((value = value_of(line, "code")) != NULL) {
			(void)snprintf(number, sizeof number, "%d", p->seen.reply.code);
			expect_text(p, "code", value, number);
		} else if ((value = value_of(line, "class")) != NULL) {
			expect_class(p, value);
		} else if ((value = value_of(line, "notes")) != NULL) {
			notes = value;
		} else if ((value = value_of(line, "took")) != NULL) {
			expect_took(p, value);
		} else if ((value = value_of(line, "first-byte")) != NULL) {
			(void)snprintf(number, sizeof number, "%g",
				       p->seen.first_byte == USEC_NONE
					   ? -1
					   : (double)p->seen.first_byte / (double)USEC_PER_MS);
			expect_text(p, "first-byte", value, number);
		} else if ((value = value_of(line, "text")) != NULL) {
			expect_buf(p, "text", value, &p->seen.reply.text);
		} else if ((value = value_of(line, "banner")) != NULL) {
			expect_buf(p, "banner", value, &p->seen.banner);
		} else if ((value = value_of(line, "extensions")) != NULL) {
			expect_buf(p, "extensions", value, &p->seen.extensions);
		} else if ((value = value_of(line, "error")) != NULL) {
			if (!p->seen.error || strncmp(p->seen.error, value, strlen(value)) != 0)
				bad(p, "error is '%s'", p->seen.error ? p->seen.error : "none");
		} else {
			bad(p, "'%s' is nothing that can be expected", line);
		}
	}
	expect_notes(p, notes);
	if (had != (1u << ARRAY_LEN(musts)) - 1)
		bad(p, "phase, end, code and class are a must");
	if (p->n_heard != p->n_said)
		bad(p, "'%s' was said besides", p->said[p->n_heard]);
	/* The sum of the phases is the whole, and no phase is less than nothing. */
	for (int i = 0; i < PHASES; i++)
		if (p->seen.took[i] < 0 && p->seen.took[i] != USEC_NONE)
			bad(p, "%s took less than nothing", phase_name((enum phase)i));
	if (p->seen.took[p->seen.phase] == USEC_NONE)
		bad(p, "the phase it ended in was not measured");
}

static size_t play(const struct script *script, enum how how, size_t cut)
{
	struct play p = {
	    .script = script,
	    .how = how,
	    .cut = cut,
	    .now = 1000 * USEC_PER_SEC,
	    .conf = {
		.helo = HELO, .from = "<>", .tls = TLS_AUTO, .connect_timeout = 10 * USEC_PER_SEC}};

	(void)act(&p);
	check(&p);
	for (int i = 0; i < p.n_said; i++)
		free(p.said[i]);
	buf_fini(&p.block);
	dialogue_fini(&p.dialogue);
	observation_fini(&p.seen);
	return p.given;
}

static void load(struct script *s, const char *name)
{
	enum { MOST = 65536 };
	char *path = xasprintf(FOLDER "/%s", name);
	FILE *f = fopen(path, "r");

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	*s = (struct script){.name = name, .text = xcalloc(1, MOST)};
	assert_in_range(fread(s->text, 1, MOST - 1, f), 1, MOST - 2);
	(void)fclose(f); /* it was only read */
	free(path);
	for (char *line, *rest = s->text; (line = strsep(&rest, "\n")) != NULL;) {
		assert_in_range(s->n, 0, LINES_MAX - 1);
		s->lines[s->n++] = line;
	}
	if (s->lines[0][0] != '#')
		fail_msg("%s does not say what it claims", name);
}

static int is_script(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0;
}

static void test_every_script(void **state)
{
	enum { CUTS_MOST = 500 }; /* of one long script: then only so many places, evenly */
	struct dirent **names;
	int n = scandir(FOLDER, &names, is_script, alphasort);
	unsigned long plays = 0;

	(void)state;
	if (n <= 0)
		fail_msg("no scripts in " FOLDER);
	for (int i = 0; i < n; i++) {
		struct script s;
		size_t octets, step;

		load(&s, names[i]->d_name);
		octets = play(&s, WHOLE, 0);
		(void)play(&s, BY_LINE, 0);
		(void)play(&s, BY_OCTET, 0);
		step = octets / CUTS_MOST + 1;
		for (size_t cut = 1; cut < octets; cut += step, plays++)
			(void)play(&s, CUT, cut);
		plays += 3;
		free(s.text);
		free(names[i]);
	}
	free(names);
	printf("report: %d dialogues, played %lu times\n", n, plays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_script),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

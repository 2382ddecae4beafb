#include "smtp/dialogue.h"

#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is awaited in which phase, and the command that asks for it. */
static const struct {
	enum phase phase;
	const char *verb; /* NULL: nothing is said */
} steps[] = {
    [AWAIT_CONNECT] = {PHASE_CONNECT, NULL},
    [AWAIT_BANNER] = {PHASE_BANNER, NULL},
    [AWAIT_EHLO] = {PHASE_EHLO, "EHLO"},
    [AWAIT_HELO] = {PHASE_EHLO, "HELO"},
    [AWAIT_STARTTLS] = {PHASE_STARTTLS, "STARTTLS"},
    [AWAIT_TLS] = {PHASE_TLS, NULL},
    [AWAIT_MAIL] = {PHASE_MAIL, "MAIL"},
    [AWAIT_QUIT] = {PHASE_MAIL, "QUIT"},
    [AWAIT_NOTHING] = {PHASE_MAIL, NULL},
};
static_assert(ARRAY_LEN(steps) == AWAIT_NOTHING + 1, "each step has its phase");

/* The one place where the state changes. The time of the phase that is left is added up here. */
static void await(struct dialogue *d, enum awaited next, usec_t now)
{
	usec_t *took = &d->seen->took[d->seen->phase];

	if (d->awaited < AWAIT_QUIT) {
		if (*took == USEC_NONE)
			*took = 0;
		*took += now - d->since;
		d->since = now;
	}
	d->awaited = next;
	d->to_send = steps[next].verb != NULL;
	d->heard = false;
	d->limit = d->deadline;
	if (next < AWAIT_QUIT)
		d->seen->phase = steps[next].phase;
	else if (next == AWAIT_QUIT)
		d->limit = now + DIALOGUE_QUIT_WAIT;
	else
		d->limit = USEC_NEVER;
}

/* The session's result stands. Where the dialogue is still in step the server is told so (QUIT);
 * where it is not, there is nobody who would understand. */
static void finish(struct dialogue *d, enum end end, bool in_step, usec_t now)
{
	d->seen->end = end;
	if (d->secure)
		d->seen->notes |= NOTE_TLS;
	await(d, in_step ? AWAIT_QUIT : AWAIT_NOTHING, now);
}

static void finish_words(struct dialogue *d, enum end end, bool in_step, usec_t now, char *words)
{
	free(d->seen->error);
	d->seen->error = words;
	finish(d, end, in_step, now);
}

void dialogue_init(struct dialogue *d, const struct dialogue_conf *conf, struct observation *seen,
		   usec_t now, usec_t deadline, bool plain)
{
	*d = (struct dialogue){.conf = conf,
			       .seen = seen,
			       .plain = plain || conf->tls == TLS_OFF,
			       .since = now,
			       .deadline = deadline};
	reply_init(&d->reader);
	d->limit = now + conf->connect_timeout < deadline ? now + conf->connect_timeout : deadline;
	seen->phase = PHASE_CONNECT;
}

void dialogue_fini(struct dialogue *d)
{
	reply_reader_fini(&d->reader);
}

enum need dialogue_need(const struct dialogue *d)
{
	if (d->awaited == AWAIT_NOTHING)
		return NEED_NOTHING;
	if (d->awaited == AWAIT_TLS)
		return NEED_TLS;
	return d->to_send ? NEED_SEND : NEED_READ;
}

void dialogue_heard(struct dialogue *d)
{
	d->heard = true;
}

void dialogue_held(struct dialogue *d, usec_t span)
{
	d->since += span;
	d->deadline += span;
	d->limit += span;
}

usec_t dialogue_deadline(const struct dialogue *d)
{
	return d->limit;
}

enum phase dialogue_phase(const struct dialogue *d)
{
	return d->seen->phase;
}

void dialogue_connected(struct dialogue *d, usec_t now)
{
	if (d->awaited == AWAIT_CONNECT)
		await(d, AWAIT_BANNER, now);
}

size_t dialogue_take(struct dialogue *d, char *out, size_t cap)
{
	int n = 0;

	if (!d->to_send)
		return 0;
	d->to_send = false;
	switch (d->awaited) {
	case AWAIT_EHLO:
	case AWAIT_HELO:
		n = snprintf(out, cap, "%s %s\r\n", steps[d->awaited].verb, d->conf->helo);
		break;
	case AWAIT_MAIL:
		n = snprintf(out, cap, "MAIL FROM:%s\r\n", d->conf->from);
		break;
	default:
		n = snprintf(out, cap, "%s\r\n", steps[d->awaited].verb);
		break;
	}
	assert(n > 0 && (size_t)n < cap); /* names are bounded when options are read */
	return (size_t)n;
}

/* Is the line this EHLO keyword? Old servers wrote "AUTH=..."; so any end of the word counts. */
static bool is_keyword(const char *line, size_t n, const char *keyword)
{
	size_t len = strlen(keyword);

	return n >= len && strncasecmp(line, keyword, len) == 0 &&
	       (n == len || line[len] == ' ' || line[len] == '=' || line[len] == '\t');
}

/* RFC 5321 4.1.1.1: the first line greets, each further one is a keyword with its parameters. */
static void take_extensions(struct observation *seen)
{
	const char *line;
	size_t n;

	buf_clear(&seen->extensions);
	seen->notes &= ~(unsigned)NOTE_STARTTLS;
	for (unsigned i = 1; reply_line(&seen->reply, i, &line, &n); i++) {
		if (i > 1)
			buf_addc(&seen->extensions, '\n');
		buf_add(&seen->extensions, line, n);
		if (is_keyword(line, n, "STARTTLS"))
			seen->notes |= NOTE_STARTTLS;
	}
}

static void after_ehlo(struct dialogue *d, usec_t now)
{
	const bool offered = d->seen->notes & NOTE_STARTTLS;

	if (d->plain || d->secure || (!offered && d->conf->tls == TLS_AUTO)) {
		await(d, AWAIT_MAIL, now);
		return;
	}
	await(d, AWAIT_STARTTLS, now);
	/* The session ends where STARTTLS would have been said. */
	if (!offered)
		finish_words(d, END_NO_TLS, true, now, xstrdup("STARTTLS is not offered"));
}

static bool is_positive(int code)
{
	return code >= 200 && code < 300;
}

/* A code that answers nothing here. */
static void bad_code(struct dialogue *d, usec_t now)
{
	finish_words(d, END_BAD_REPLY, true, now,
		     xasprintf("%d is no answer to %s", d->seen->reply.code,
			       steps[d->awaited].verb ? steps[d->awaited].verb : "a connection"));
}

static void on_banner(struct dialogue *d, usec_t now)
{
	const struct reply *r = &d->seen->reply;

	buf_clear(&d->seen->banner);
	buf_add(&d->seen->banner, r->text.data, r->text.len);
	if (r->code == 220)
		await(d, AWAIT_EHLO, now);
	else if (r->code >= 400)
		finish(d, END_REPLY, true, now);
	else
		bad_code(d, now);
}

static void on_hello(struct dialogue *d, usec_t now)
{
	int code = d->seen->reply.code;

	if (is_positive(code)) {
		if (d->awaited == AWAIT_EHLO)
			take_extensions(d->seen);
		after_ehlo(d, now);
	} else if (code >= 500 && d->awaited == AWAIT_EHLO) {
		d->seen->notes |= NOTE_HELO;
		await(d, AWAIT_HELO, now);
	} else if (code >= 400) {
		finish(d, END_REPLY, true, now);
	} else {
		bad_code(d, now);
	}
}

static void on_starttls(struct dialogue *d, size_t left, usec_t now)
{
	int code = d->seen->reply.code;

	if (is_positive(code)) {
		if (left) {
			/* What stands behind the 220 in plaintext would be taken for the answer to
			 * the first command inside TLS (CVE-2011-0411). */
			await(d, AWAIT_TLS, now);
			finish_words(d, END_TLS, false, now,
				     xstrdup("plaintext follows the reply to STARTTLS"));
		} else {
			await(d, AWAIT_TLS, now);
		}
	} else if (code == 421 || (code >= 400 && code < 500 && d->conf->tls != TLS_AUTO)) {
		finish(d, END_REPLY, true, now);
	} else if (code >= 400 && d->conf->tls == TLS_AUTO) {
		d->seen->notes |= NOTE_TLS_FALLBACK;
		await(d, AWAIT_MAIL, now);
	} else if (code >= 500) {
		finish_words(d, END_NO_TLS, true, now, xstrdup("STARTTLS was refused"));
	} else {
		bad_code(d, now);
	}
}

static void on_mail(struct dialogue *d, usec_t now)
{
	int code = d->seen->reply.code;

	if (is_positive(code) || code >= 400)
		finish(d, END_REPLY, true, now);
	else
		bad_code(d, now);
}

/* What came instead of a reply, for people: its first octets, made safe. */
static char *quote(const char *why, const char *bytes, size_t n)
{
	struct buf b = {0};

	buf_addstr(&b, why);
	if (n) {
		size_t len = 0;

		while (len < n && len < 60 && bytes[len] != '\r' && bytes[len] != '\n')
			len++;
		buf_addstr(&b, ": \"");
		text_safe(&b, bytes, len);
		buf_addc(&b, '"');
	}
	return buf_steal(&b);
}

static void malformed(struct dialogue *d, const char *bytes, size_t n, usec_t now)
{
	static const char *const words[] = {
	    [REPLY_GOOD] = "",
	    [REPLY_NO_CODE] = "not an SMTP reply",
	    [REPLY_BAD_CODE] = "not a reply of one code",
	    [REPLY_TOO_LONG] = "a reply without end",
	};
	enum reply_fault fault = d->reader.fault;
	enum end end = END_BAD_REPLY;

	if (d->awaited == AWAIT_BANNER && fault == REPLY_NO_CODE)
		end = END_NOT_SMTP;
	finish_words(d, end, false, now,
		     quote(words[fault], bytes, fault == REPLY_TOO_LONG ? 0 : n));
}

size_t dialogue_feed(struct dialogue *d, const char *bytes, size_t n, usec_t now)
{
	size_t used = 0;
	int got;

	if (!n || d->awaited == AWAIT_NOTHING || d->awaited == AWAIT_CONNECT ||
	    d->awaited == AWAIT_TLS)
		return n; /* nobody waits for it */
	if (d->awaited == AWAIT_QUIT) {
		/* RFC 5321 4.1.1.10: the answer is waited for, its content does not matter. */
		got = reply_feed(&d->reader, bytes, n, &used);
		if (got != 0)
			await(d, AWAIT_NOTHING, now);
		return n;
	}
	if (!d->heard) {
		d->heard = true;
		if (d->awaited == AWAIT_BANNER)
			d->seen->first_byte = now - d->since;
	}
	if (d->to_send)
		d->seen->notes |= NOTE_EARLY;
	got = reply_feed(&d->reader, bytes, n, &used);
	if (got < 0) {
		malformed(d, bytes, n, now);
		return n;
	}
	if (got == 0)
		return used;

	/* The reader's reply becomes the last one seen. */
	struct reply previous = d->seen->reply;

	d->seen->reply = d->reader.reply;
	d->reader.reply = (struct reply){0};
	reply_fini(&previous);
	reply_init(&d->reader);
	switch (d->awaited) {
	case AWAIT_BANNER:
		on_banner(d, now);
		break;
	case AWAIT_EHLO:
	case AWAIT_HELO:
		on_hello(d, now);
		break;
	case AWAIT_STARTTLS:
		on_starttls(d, n - used, now);
		break;
	default:
		on_mail(d, now);
		break;
	}
	if (used < n && d->awaited < AWAIT_QUIT)
		d->seen->notes |= NOTE_EARLY;
	return used;
}

void dialogue_secured(struct dialogue *d, struct tls_facts *facts, usec_t now)
{
	if (d->awaited != AWAIT_TLS) {
		tls_facts_free(facts);
		return;
	}
	tls_facts_free(d->seen->tls);
	d->seen->tls = facts;
	d->secure = true;
	/* RFC 3207 4.2: what was learned before TLS is forgotten, and EHLO is said again. */
	buf_clear(&d->seen->extensions);
	d->seen->notes &= ~(unsigned)(NOTE_STARTTLS | NOTE_HELO);
	reply_reader_fini(&d->reader);
	if ((d->conf->tls == TLS_VERIFY && !facts->verified) ||
	    (d->conf->tls == TLS_DANE && facts->dane != 1))
		finish_words(
		    d, END_CERTIFICATE, true, now,
		    xstrdup(facts->error ? facts->error : "the certificate was not verified"));
	else
		await(d, AWAIT_EHLO, now);
}

void dialogue_fail(struct dialogue *d, enum end end, int err, usec_t now)
{
	if (d->awaited == AWAIT_NOTHING)
		return;
	if (d->awaited == AWAIT_QUIT) {
		await(d, AWAIT_NOTHING, now); /* the result stood before QUIT */
		return;
	}
	/* A server that closes on HELO has said what it means in its reply to EHLO. */
	if (d->awaited == AWAIT_HELO && end == END_CLOSED && d->seen->reply.code >= 500) {
		finish(d, END_REPLY, true, now);
		await(d, AWAIT_NOTHING, now);
		return;
	}
	if (end == END_TIMEOUT && d->heard)
		d->seen->notes |= NOTE_PARTIAL;
	if (d->awaited == AWAIT_TLS && end == END_CLOSED)
		end = END_TLS;
	d->seen->err = err;
	if (err)
		finish_words(d, end, false, now, xstrdup(strerror(err)));
	else if (end == END_TLS)
		finish_words(d, end, false, now,
			     xstrdup("the connection was closed in the TLS handshake"));
	else
		finish(d, end, false, now);
	await(d, AWAIT_NOTHING, now);
}

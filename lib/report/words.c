#include "report/words.h"

#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* A reply may be 64 KiB of anything; nobody reads on that far in a line. */
enum { REPLY_COLUMNS_MAX = 1000 };

void words_span(struct buf *out, usec_t span)
{
	if (span < 9950) {
		usec_t tenths = (span + 50) / 100;

		buf_printf(out, "%d.%d ms", (int)(tenths / 10), (int)(tenths % 10));
	} else if (span < 999500) {
		buf_printf(out, "%d ms", (int)((span + 500) / 1000));
	} else if (span < 99950000) {
		usec_t tenths = (span + 50000) / 100000;

		buf_printf(out, "%d.%d s", (int)(tenths / 10), (int)(tenths % 10));
	} else {
		buf_printf(out, "%lld s", (long long)(span + 500000) / 1000000);
	}
}

void words_span_short(struct buf *out, usec_t span)
{
	usec_t tenths = (span + 50000) / 100000;

	if (span >= 999500 && span < 99950000 && tenths % 10 == 0)
		buf_printf(out, "%d s", (int)(tenths / 10));
	else
		words_span(out, span);
}

void words_percent(struct buf *out, double share)
{
	/* In hundredths of a percent, and never rounded over an edge. Below 1e-12 is but the noise
	 * of the sums. */
	double exact = share * 1e4;
	long hundredths = (long)floor(exact + 0.5), tenths = (long)floor(exact / 10 + 0.5);

	if (share < 1e-12) {
		buf_addstr(out, "0 %");
	} else if (share > 1 - 1e-12) {
		buf_addstr(out, "100 %");
	} else if (hundredths == 0) {
		buf_addstr(out, "< 0.01 %");
	} else if (hundredths == 10000) {
		buf_addstr(out, "> 99.99 %");
	} else if (exact >= 1000 && exact < 9000) {
		buf_printf(out, "%ld %%", (long)floor(exact / 100 + 0.5));
	} else if (tenths == 0 || tenths == 1000) {
		buf_printf(out, "%ld.%02ld %%", hundredths / 100, hundredths % 100);
	} else if (tenths % 10 == 0) {
		buf_printf(out, "%ld %%", tenths / 10);
	} else {
		buf_printf(out, "%ld.%ld %%", tenths / 10, tenths % 10);
	}
}

void words_reply(struct buf *out, const struct reply *reply)
{
	char enhanced[ENHANCED_STRLEN];
	bool same = reply_enhanced(reply, enhanced);
	struct buf whole = {0}, safe = {0};
	const char *line;
	size_t n;

	buf_printf(&whole, "%d", reply->code);
	for (unsigned i = 0; reply_line(reply, i, &line, &n); i++) {
		size_t skip = i && same ? enhanced_length(line, n) : 0;

		if (n == skip)
			continue;
		buf_addc(&whole, ' ');
		buf_add(&whole, line + skip, n - skip);
	}
	text_safe(&safe, whole.data, whole.len);
	text_fit(out, safe.data, safe.len, REPLY_COLUMNS_MAX);
	buf_fini(&safe);
	buf_fini(&whole);
}

const char *words_phase(const struct observation *seen, enum phase phase)
{
	static const char *const words[] = {
	    [PHASE_DNS] = "DNS",        [PHASE_CONNECT] = "connect",   [PHASE_BANNER] = "banner",
	    [PHASE_EHLO] = "EHLO",      [PHASE_STARTTLS] = "STARTTLS", [PHASE_TLS] = "TLS",
	    [PHASE_MAIL] = "MAIL FROM",
	};
	static_assert(ARRAY_LEN(words) == PHASES, "each phase has its word");

	return phase == PHASE_EHLO && seen->notes & NOTE_HELO ? "HELO" : words[phase];
}

/* "banner", "reply to EHLO": what was awaited from the server. */
static void add_awaited(struct buf *out, const struct observation *seen, enum phase phase)
{
	if (phase != PHASE_BANNER)
		buf_addstr(out, "reply to ");
	buf_addstr(out, words_phase(seen, phase));
}

static void add_limit(struct buf *out, const struct observation *seen, enum phase phase)
{
	if (seen->took[phase] == USEC_NONE) {
		buf_addstr(out, " in time");
	} else {
		buf_addstr(out, " within ");
		words_span_short(out, seen->took[phase]);
	}
}

/* ": " and the words of the system or of the TLS library, when there are any. */
static void add_error(struct buf *out, const struct observation *seen)
{
	const char *error = seen->error;

	if (!error && seen->tls)
		error = seen->tls->error;
	if (!error || !*error)
		return;
	if (out->len)
		buf_addstr(out, ": ");
	text_safe(out, error, strlen(error));
}

static void timed_out(struct buf *out, const struct contact *c)
{
	const struct observation *seen = &c->seen;

	if (c->reason == REASON_CONNECT || c->phase <= PHASE_CONNECT) {
		buf_addstr(out, "no connection");
	} else if (c->phase == PHASE_TLS) {
		buf_addstr(out, "TLS handshake not finished");
	} else {
		if (c->reason == REASON_SLOW)
			buf_addstr(out, "only part of the ");
		else
			buf_addstr(out, c->phase == PHASE_BANNER ? "connected, no " : "no ");
		add_awaited(out, seen, c->phase);
	}
	add_limit(out, seen, c->phase);
}

static void was_down(struct buf *out, const struct contact *c)
{
	const struct observation *seen = &c->seen;

	if (c->reason == REASON_REFUSED) {
		buf_addstr(out, "connection refused");
	} else if (c->reason == REASON_UNREACHABLE) {
		buf_addstr(out, "unreachable");
		add_error(out, seen);
	} else {
		buf_addstr(out, seen->err ? "reset by the server" : "closed by the server");
		if (c->phase == PHASE_TLS) {
			buf_addstr(out, " during the TLS handshake");
		} else if (c->phase >= PHASE_BANNER) {
			buf_addstr(out, " while waiting for the ");
			add_awaited(out, seen, c->phase);
		}
	}
}

/* True: the phase is still to be told. */
static bool was_broken(struct buf *out, const struct contact *c)
{
	const struct observation *seen = &c->seen;

	switch (c->reason) {
	case REASON_NO_TLS:
		/* Refused by a reply, or not even in the list of extensions? */
		if (seen->notes & NOTE_STARTTLS && seen->reply.code >= 400) {
			words_reply(out, &seen->reply);
			return true;
		}
		buf_addstr(out, "STARTTLS is not offered");
		return false;
	case REASON_NOT_SMTP:
	case REASON_BAD_REPLY:
		if (seen->error) {
			add_error(out, seen);
			return true;
		}
		buf_addstr(out, c->reason == REASON_NOT_SMTP ? "no SMTP " : "malformed ");
		add_awaited(out, seen, c->phase);
		return false;
	default:
		buf_addstr(out, c->reason == REASON_CERTIFICATE ? "certificate not accepted"
								: "TLS handshake failed");
		add_error(out, seen);
		return false;
	}
}

/* Of what has no more to say than its reason; NULL: the others. */
static const char *const plain[REASONS] = {
    [REASON_NXDOMAIN] = "the host does not exist (NXDOMAIN)",
    [REASON_NO_ADDRESS] = "the host has no address record",
    [REASON_SERVFAIL] = "DNS gave no usable answer (SERVFAIL)",
    [REASON_TIMEOUT] = "DNS gave no answer in time",
    [REASON_INVALID] = "not a host name that mail can go to",
    [REASON_NOT_PUBLIC] = "not a public address, not contacted",
    [REASON_LIMIT] = "too many addresses, not contacted",
    [REASON_DEADLINE] = "not finished before the deadline",
    [REASON_INTERRUPTED] = "interrupted",
};

bool words_ending(struct buf *out, const struct contact *c)
{
	const struct observation *seen = &c->seen;

	switch (c->class) {
	case CLASS_HEALTHY:
		return false;
	case CLASS_TIMEOUT:
		timed_out(out, c);
		return false;
	case CLASS_DOWN:
		was_down(out, c);
		return false;
	case CLASS_BROKEN:
		return was_broken(out, c);
	case CLASS_UNRESOLVED:
	case CLASS_SKIPPED:
		if (plain[c->reason]) {
			buf_addstr(out, plain[c->reason]);
		} else if (c->reason == REASON_NO_ROUTE) {
			buf_addstr(out, c->addr.family == AF_INET6 ? "no IPv6 route from here"
								   : "no route from here");
		} else {
			buf_addstr(out, "a fault of this machine");
			add_error(out, seen);
		}
		return false;
	default:
		break;
	}
	if (!seen->reply.code)
		return false;
	words_reply(out, &seen->reply);
	return true;
}

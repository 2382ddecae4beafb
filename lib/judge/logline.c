#include "judge/logline.h"

#include <string.h>

/* A piece of the line. All reading goes through these few functions. */
struct span {
	const char *p;
	size_t n;
};

static struct span skip(struct span s, size_t n)
{
	return (struct span){s.p + n, s.n - n};
}

static bool starts(struct span s, const char *with)
{
	size_t len = strlen(with);

	return s.n >= len && !memcmp(s.p, with, len);
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where `what` begins in s; s.n: nowhere. */
static size_t find(struct span s, const char *what)
{
	size_t len = strlen(what), i = 0;

	while (s.n - i >= len) {
		const char *hit = memchr(s.p + i, what[0], s.n - i - len + 1);

		if (!hit)
			break;
		i = (size_t)(hit - s.p);
		if (!memcmp(hit, what, len))
			return i;
		i++;
	}
	return s.n;
}

static bool has(struct span s, const char *what)
{
	return find(s, what) < s.n;
}

static struct span trim(struct span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s = skip(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* The reply code at s, followed by a space, a hyphen or the end; 0: there is none. */
static int code_at(struct span s)
{
	if (s.n < 3 || s.p[0] < '2' || s.p[0] > '5' || !digit(s.p[1]) || !digit(s.p[2]))
		return 0;
	if (s.n > 3 && s.p[3] != ' ' && s.p[3] != '-')
		return 0;
	return (s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + s.p[2] - '0';
}

/* Where the line of a reply that begins at s ends, and how many octets its end takes. Exim and a
 * bare reply join lines by the two characters \n, Postfix by a blank: there, the next line is known
 * by the same code again, and only looked for where a hyphen says that there is one. */
static size_t reply_line_end(struct span s, int code, bool more, size_t *end)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == 'n') {
			*end = 2;
			return i;
		}
		if (more && s.p[i] == ' ' && code_at(skip(s, i + 1)) == code && s.n - i > 4) {
			*end = 1;
			return i;
		}
	}
	*end = 0;
	return s.n;
}

/* Takes a reply that begins at s. As the reader of the wire does, it lets the last code count when
 * codes differ. */
static bool take_reply(struct logline *to, struct span s)
{
	struct reply *reply = &to->seen.reply;
	int code;

	s = trim(s);
	code = code_at(s);
	if (!code)
		return false;
	buf_clear(&reply->text);
	reply->lines = 0;
	do {
		int here = code_at(s);
		bool more = false;
		size_t n, end;

		if (here) {
			code = here;
			more = s.n > 3 && s.p[3] == '-';
			s = skip(s, s.n > 3 ? 4 : 3);
		}
		n = reply_line_end(s, code, more, &end);
		if (reply->lines == REPLY_LINES_MAX || reply->text.len + n > REPLY_OCTETS_MAX)
			break;
		if (reply->lines++)
			buf_addc(&reply->text, '\n');
		buf_add(&reply->text, s.p, n);
		s = skip(s, n + end);
		if (!end)
			break;
	} while (s.n);
	reply->code = code;
	to->seen.end = END_REPLY;
	to->has_code = true;
	return true;
}

static void set_phase(struct logline *to, enum phase phase)
{
	to->seen.phase = phase;
	to->has_phase = true;
}

/* The phase that a command, or what an MTA calls it, belongs to. What comes after MAIL has none. */
static void phase_of(struct logline *to, struct span s)
{
	static const struct {
		const char *words;
		enum phase phase;
	} names[] = {
	    {"MAIL FROM", PHASE_MAIL},
	    {"pipelined MAIL FROM", PHASE_MAIL},
	    {"MAIL command", PHASE_MAIL},
	    {"EHLO", PHASE_EHLO},
	    {"HELO", PHASE_EHLO},
	    {"pipelined EHLO", PHASE_EHLO},
	    {"LHLO", PHASE_EHLO},
	    {"STARTTLS", PHASE_STARTTLS},
	    {"initial connection", PHASE_BANNER},
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (starts(s, names[i].words))
			set_phase(to, names[i].phase);
}

static void take_host(struct logline *to, struct span s)
{
	while (s.n && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n && s.n < 256) {
		to->host = s.p;
		to->host_length = s.n;
	}
}

static void take_address(struct logline *to, struct span s)
{
	size_t i, separators = 0;

	if (s.n > 1 && *s.p == '[' && s.p[s.n - 1] == ']')
		s = (struct span){s.p + 1, s.n - 2};
	if (starts(s, "IPv6:"))
		s = skip(s, 5);
	for (i = 0; i < s.n && s.p[i] != '%'; i++) {
		char c = s.p[i];

		if (c == '.' || c == ':')
			separators++;
		else if (!digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
			return;
	}
	if (separators < 2 || s.n > 60)
		return;
	to->address = s.p;
	to->address_length = s.n;
}

/* Takes "HOST[ADDRESS]" or "HOST [ADDRESS]" at s; what follows. */
static struct span take_server(struct logline *to, struct span s)
{
	size_t n = 0, close;

	while (n < s.n && s.p[n] != '[' && s.p[n] != ' ' && s.p[n] != ',' && s.p[n] != ':')
		n++;
	take_host(to, (struct span){s.p, n});
	s = skip(s, n);
	if (s.n > 1 && s.p[0] == ' ' && s.p[1] == '[')
		s = skip(s, 1);
	if (!s.n || *s.p != '[')
		return s;
	close = find(s, "]");
	if (close == s.n)
		return s;
	take_address(to, (struct span){s.p + 1, close - 1});
	return skip(s, close + 1);
}

/* The system's words on why there is no connection. */
static bool take_error(struct logline *to, struct span s)
{
	static const struct {
		const char *words;
		enum end end;
	} errors[] = {
	    {"timed out", END_TIMEOUT},
	    {"onnection timeout", END_TIMEOUT},
	    {"onnection refused", END_REFUSED},
	    {"No route to host", END_UNREACHABLE},
	    {"etwork is unreachable", END_UNREACHABLE},
	    {"etwork unreachable", END_UNREACHABLE},
	    {"ost is unreachable", END_UNREACHABLE},
	    {"ost unreachable", END_UNREACHABLE},
	    {"ost is down", END_UNREACHABLE},
	    {"etwork is down", END_UNREACHABLE},
	    {"onnection reset", END_CLOSED},
	    {"onnection closed", END_CLOSED},
	    {"roken pipe", END_CLOSED},
	    {"oftware caused connection abort", END_CLOSED},
	    {"ddress family not supported", END_NO_ROUTE},
	    {"annot assign requested address", END_NO_ROUTE},
	    {"oo many open files", END_LOCAL_ERROR},
	    {"peration not permitted", END_LOCAL_ERROR},
	    {"ermission denied", END_LOCAL_ERROR},
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(errors); i++)
		if (has(s, errors[i].words)) {
			to->seen.end = errors[i].end;
			return true;
		}
	return false;
}

/* What begins at a word of the line. The first place of each is kept. */
enum mark {
	AT_HOST,
	AT_SAID,
	AT_REFUSED,
	AT_CONNECT,
	AT_LOST,
	AT_CONVERSATION,
	AT_NAME_SERVICE,
	AT_TLS_REQUIRED,
	AT_CANNOT_TLS,
	AT_CERTIFICATE,
	AT_STATUS,
	AT_STAT,
	AT_REPLY,
	AT_RELAY,
	AT_DSN,
	AT_RESULT,
	AT_REASON,
	AT_ADDRESS,
	AT_SMTP_ERROR,
	AT_SMTP_TIMEOUT,
	AT_REMOTE,
	AT_MALFORMED,
	AT_EXIM_HOST,
	AT_EXIM_OK,
	AT_EXIM_TLS,
	AT_ERROR, /* words of the system, as Exim writes them without a key */
	AT_SESSION,
	MARKS
};

#define MARK(words)                     \
	{                               \
		words, sizeof words - 1 \
	}
static const struct {
	const char *words;
	size_t n;
} marks[MARKS] = {
    [AT_HOST] = MARK("host "),
    [AT_SAID] = MARK("said: "),
    [AT_REFUSED] = MARK("refused to talk to me: "),
    [AT_CONNECT] = MARK("connect to "),
    [AT_LOST] = MARK("lost connection with "),
    [AT_CONVERSATION] = MARK("conversation with "),
    [AT_NAME_SERVICE] = MARK("Name service error for name="),
    [AT_TLS_REQUIRED] = MARK("TLS is required, but "),
    [AT_CANNOT_TLS] = MARK("Cannot start TLS: "),
    [AT_CERTIFICATE] = MARK("Server certificate not "),
    [AT_STATUS] = MARK("status="),
    [AT_STAT] = MARK("stat="),
    [AT_REPLY] = MARK("reply="),
    [AT_RELAY] = MARK("relay="),
    [AT_DSN] = MARK("dsn="),
    [AT_RESULT] = MARK("result="),
    [AT_REASON] = MARK("reason="),
    [AT_ADDRESS] = MARK("address="),
    [AT_SMTP_ERROR] = MARK("SMTP error from remote mail server after "),
    [AT_SMTP_TIMEOUT] = MARK("SMTP timeout "),
    [AT_REMOTE] = MARK("Remote host "),
    [AT_MALFORMED] = MARK("Malformed SMTP reply "),
    [AT_EXIM_HOST] = MARK("H="),
    [AT_EXIM_OK] = MARK("C=\""),
    [AT_EXIM_TLS] = MARK("a TLS session is required"),
    [AT_ERROR] = MARK("Connection "),
    [AT_SESSION] = MARK("Error on session "),
};

struct scan {
	struct span line;
	size_t at[MARKS]; /* one more than its place; 0: not there */
};

/* A reply that was found is the end of the search: what a server says is no key of ours. */
static bool tells_all(size_t mark)
{
	return mark == AT_SAID || mark == AT_REFUSED || mark == AT_SMTP_ERROR;
}

static void scan(struct scan *to, struct span line)
{
	static const bool before[256] = {[' '] = 1, ['('] = 1, [','] = 1, ['\t'] = 1};
	static const bool first[256] = {
	    ['h'] = 1, ['s'] = 1, ['r'] = 1, ['c'] = 1, ['l'] = 1, ['N'] = 1, ['T'] = 1, ['C'] = 1,
	    ['S'] = 1, ['d'] = 1, ['a'] = 1, ['R'] = 1, ['M'] = 1, ['H'] = 1, ['E'] = 1};
	size_t i, mark;

	*to = (struct scan){.line = line};
	for (i = 0; i + 2 < line.n; i++) {
		const char *here = line.p + i;

		if (!first[(unsigned char)*here] || (i && !before[(unsigned char)here[-1]]))
			continue;
		for (mark = 0; mark < MARKS; mark++) {
			const char *words = marks[mark].words;

			if (words[0] != here[0] || words[1] != here[1] ||
			    line.n - i < marks[mark].n || memcmp(here, words, marks[mark].n) != 0)
				continue;
			/* "host " is wanted right before what the host did. */
			if (!to->at[mark] || mark == AT_HOST)
				to->at[mark] = i + 1;
			if (tells_all(mark))
				return;
		}
	}
}

/* What follows a mark. */
static struct span after(const struct scan *s, enum mark mark)
{
	return skip(s->line, s->at[mark] - 1 + marks[mark].n);
}

/* Postfix: `host H[A] said: REPLY (in reply to COMMAND command)`, maybe in parentheses. */
static bool postfix_reply(struct logline *to, const struct scan *s, enum mark mark)
{
	struct span text = after(s, mark);
	size_t i, in = text.n;

	if (s->at[AT_HOST] && s->at[AT_HOST] < s->at[mark])
		(void)take_server(to, after(s, AT_HOST));
	if (mark == AT_REFUSED)
		set_phase(to, PHASE_BANNER);
	for (i = 0; (i = find(skip(text, i), "(in reply to ") + i) < text.n; i++)
		in = i;
	if (in < text.n) {
		phase_of(to, skip(text, in + strlen("(in reply to ")));
		text.n = in;
	} else if (text.n && text.p[text.n - 1] == ')' && s->at[AT_STATUS]) {
		text.n--;
	}
	return take_reply(to, text);
}

static bool postfix_connect(struct logline *to, const struct scan *s)
{
	struct span rest = take_server(to, after(s, AT_CONNECT));
	size_t colon = find(rest, ": ");

	set_phase(to, PHASE_CONNECT);
	return to->host && colon < rest.n && take_error(to, skip(rest, colon));
}

/* What Postfix was doing when the connection was lost, or had waited for too long. */
static bool postfix_while(struct logline *to, const struct scan *s, enum mark mark)
{
	static const struct {
		const char *words;
		enum phase phase;
	} doing[] = {
	    {"receiving the initial", PHASE_BANNER},     {"performing the EHLO", PHASE_EHLO},
	    {"performing the HELO", PHASE_EHLO},         {"performing the LHLO", PHASE_EHLO},
	    {"performing the initial", PHASE_EHLO},      {"sending MAIL FROM", PHASE_MAIL},
	    {"performing the STARTTLS", PHASE_STARTTLS},
	};
	struct span rest = take_server(to, after(s, mark));
	size_t while_at = find(rest, " while "), i;

	if (!to->host || while_at == rest.n)
		return false;
	rest = skip(rest, while_at + strlen(" while "));
	for (i = 0; i < ARRAY_LEN(doing); i++)
		if (starts(rest, doing[i].words))
			set_phase(to, doing[i].phase);
	to->seen.end = mark == AT_LOST ? END_CLOSED : END_TIMEOUT;
	return true;
}

static bool name_service(struct logline *to, const struct scan *s)
{
	struct span rest = after(s, AT_NAME_SERVICE);
	size_t n = find(rest, " ");

	take_host(to, (struct span){rest.p, n});
	set_phase(to, PHASE_DNS);
	if (has(rest, "try again"))
		to->seen.end = END_DNS_SERVFAIL;
	else if (has(rest, "no data") || has(rest, "alformed"))
		to->seen.end = has(rest, "no data") ? END_DNS_NO_ADDRESS : END_DNS_INVALID;
	else
		to->seen.end = END_DNS_NXDOMAIN;
	return true;
}

static bool postfix_tls(struct logline *to, const struct scan *s, enum mark mark)
{
	struct span rest = after(s, mark);
	size_t host = find(rest, "host ");

	if (s->at[AT_RELAY])
		(void)take_server(to, after(s, AT_RELAY));
	if (host < rest.n)
		(void)take_server(to, skip(rest, host + 5));
	if (mark == AT_TLS_REQUIRED) {
		to->seen.end = END_NO_TLS;
		set_phase(to, PHASE_STARTTLS);
	} else {
		to->seen.end = mark == AT_CERTIFICATE ? END_CERTIFICATE : END_TLS;
		set_phase(to, PHASE_TLS);
	}
	return true;
}

/* Exim: `H=HOST [ADDRESS]` somewhere, or "host HOST [ADDRESS]: " before the reply (before 4.83). */
static void exim_host(struct logline *to, const struct scan *s)
{
	if (s->at[AT_EXIM_HOST])
		(void)take_server(to, after(s, AT_EXIM_HOST));
}

/* Past the <address> of a command, which may hold anything, ": 250 " too, in quotes. */
static struct span skip_path(struct span s)
{
	size_t open = find(s, "<"), i;
	bool quoted = false;

	if (open > find(s, ": "))
		return s;
	for (i = open; i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '\\' && quoted)
			i++;
		else if (s.p[i] == '>' && !quoted)
			return skip(s, i + 1);
	}
	return s;
}

static bool exim_error(struct logline *to, const struct scan *s)
{
	struct span rest = after(s, AT_SMTP_ERROR);
	size_t at;

	exim_host(to, s);
	phase_of(to, rest);
	rest = skip_path(rest);
	at = find(rest, ": ");
	while (at < rest.n) {
		struct span text = skip(rest, at + 2);

		if (starts(text, "host ")) {
			text = take_server(to, skip(text, 5));
			if (starts(text, ": "))
				text = skip(text, 2);
		}
		if (code_at(text) && take_reply(to, text))
			return true;
		rest = skip(rest, at + 2);
		at = find(rest, ": ");
	}
	return false;
}

/* `SMTP timeout after COMMAND`, `SMTP timeout while connected to HOST [ADDRESS] after COMMAND`,
 * `Remote host [HOST [ADDRESS]] closed connection in response to COMMAND`, `Malformed SMTP reply
 * from HOST [ADDRESS] in response to COMMAND: ...` */
static bool exim_ended(struct logline *to, const struct scan *s, enum mark mark, enum end end)
{
	struct span rest = after(s, mark);
	size_t at;

	exim_host(to, s);
	if (mark == AT_REMOTE && !has(rest, "closed connection"))
		return false;
	at = find(rest, "connected to ");
	if (mark == AT_SMTP_TIMEOUT && at < rest.n)
		(void)take_server(to, skip(rest, at + strlen("connected to ")));
	else if (mark == AT_MALFORMED && starts(rest, "from "))
		(void)take_server(to, skip(rest, 5));
	else if (mark == AT_REMOTE && !starts(rest, "closed"))
		(void)take_server(to, rest);
	at = find(rest, "in response to ");
	if (at < rest.n) {
		phase_of(to, skip(rest, at + strlen("in response to ")));
	} else {
		at = find(rest, "after ");
		if (at < rest.n)
			phase_of(to, skip(rest, at + strlen("after ")));
	}
	to->seen.end = end;
	return true;
}

/* The octets up to the end of a value: a quote where one began it, else `until`. */
static struct span value(struct span s, const char *until)
{
	if (s.n && *s.p == '"') {
		s = skip(s, 1);
		s.n = find(s, "\"");
	} else {
		s.n = find(s, until);
	}
	return s;
}

/* Sendmail: `relay=HOST. [ADDRESS], dsn=4.3.1, stat=Deferred: 452 4.3.1 ...`; what the server said
 * may stand in reply= too. OpenSMTPD: `relay="ADDRESS (HOST)" result="TempFail" stat="452 ..."`. */
static void relay(struct logline *to, const struct scan *s)
{
	struct span rest;

	if (!s->at[AT_RELAY])
		return;
	rest = after(s, AT_RELAY);
	if (rest.n && (*rest.p == '"' || s->at[AT_RESULT])) {
		struct span first = value(rest, ", "), second;
		size_t blank = find(first, " (");

		second = skip(first, blank);
		first.n = blank;
		if (starts(second, " (")) {
			second = skip(second, 2);
			second.n = find(second, ")");
		}
		take_address(to, first);
		if (to->address)
			take_host(to, second);
		else
			take_host(to, first);
		if (!to->address)
			take_address(to, second);
		return;
	}
	(void)take_server(to, rest);
}

/* No code in the words: the enhanced one says at least of which kind they are. */
static bool conclude(struct logline *to, const struct scan *s, struct span words)
{
	struct span dsn;

	if (!s->at[AT_DSN])
		return false;
	dsn = value(after(s, AT_DSN), ",");
	if (dsn.n < 5 || dsn.n > ENHANCED_STRLEN || dsn.p[1] != '.')
		return false;
	buf_clear(&to->seen.reply.text);
	buf_add(&to->seen.reply.text, dsn.p, dsn.n);
	buf_addc(&to->seen.reply.text, ' ');
	buf_add(&to->seen.reply.text, words.p, words.n < REPLY_LINE_MAX ? words.n : REPLY_LINE_MAX);
	to->seen.reply.lines = 1;
	switch (*dsn.p) {
	case '2':
		to->seen.reply.code = 250;
		break;
	case '4':
		to->seen.reply.code = 451;
		break;
	case '5':
		to->seen.reply.code = 550;
		break;
	default:
		return false;
	}
	to->seen.end = END_REPLY;
	return true;
}

static bool sendmail_stat(struct logline *to, const struct scan *s)
{
	struct span stat = after(s, AT_STAT), rest;
	size_t at;

	relay(to, s);
	if (stat.n && *stat.p == '"') /* OpenSMTPD */
		return take_reply(to, value(stat, "\""));
	if (s->at[AT_REPLY] && take_reply(to, after(s, AT_REPLY)))
		return true;
	if (starts(stat, "Sent")) {
		size_t open = find(stat, "("), close;

		if (open < stat.n) {
			rest = skip(stat, open + 1);
			close = find(rest, ")");
			rest.n = close;
			if (take_reply(to, rest))
				return true;
		}
		to->seen.end = END_REPLY;
		to->seen.reply.code = 250;
		buf_clear(&to->seen.reply.text);
		to->seen.reply.lines = 1;
		return true;
	}
	at = find(stat, ": ");
	rest = at < stat.n ? skip(stat, at + 2) : stat;
	if (take_reply(to, rest) || take_reply(to, stat))
		return true;
	if (starts(rest, "Name server: ")) {
		to->seen.end = END_DNS_SERVFAIL;
		set_phase(to, PHASE_DNS);
		return true;
	}
	if (take_error(to, rest)) {
		size_t host = find(rest, " with ");

		if (host == rest.n)
			host = find(rest, " by ");
		if (host < rest.n && !to->host) {
			rest = skip(rest, host + (rest.p[host + 1] == 'b' ? 4 : 6));
			rest.n = find(rest, " ");
			take_host(to, rest);
		}
		/* What Sendmail calls a time-out of the connection is one of the connect, the words
		 * for later ones being others. */
		if (to->seen.end != END_CLOSED)
			set_phase(to, PHASE_CONNECT);
		return true;
	}
	return conclude(to, s, stat);
}

/* OpenSMTPD: `mta ... error reason="Connection timeout"`. */
static bool opensmtpd_reason(struct logline *to, const struct scan *s)
{
	struct span reason = after(s, AT_REASON);

	if (reason.n && *reason.p == '"')
		reason = value(reason, "\"");
	relay(to, s);
	if (s->at[AT_ADDRESS]) {
		struct span address = value(after(s, AT_ADDRESS), " ");

		if (starts(address, "smtp://"))
			address = skip(address, 7);
		if (address.n && *address.p == '[') {
			address = skip(address, 1);
			address.n = find(address, "]");
		} else if (has(address, ".")) {
			address.n = find(address, ":");
		}
		take_address(to, address);
	}
	if (take_reply(to, reason))
		return true;
	if (!take_error(to, reason))
		return false;
	if (to->seen.end != END_CLOSED)
		set_phase(to, PHASE_CONNECT);
	return true;
}

/* Postfix: `status=sent (250 2.0.0 Ok: queued as ...)` */
static bool postfix_status(struct logline *to, const struct scan *s)
{
	struct span rest = after(s, AT_STATUS);
	size_t open = find(rest, "(");

	if (s->at[AT_RELAY])
		(void)take_server(to, after(s, AT_RELAY));
	if (open == rest.n)
		return false;
	rest = skip(rest, open + 1);
	if (rest.n && rest.p[rest.n - 1] == ')')
		rest.n--;
	return take_reply(to, rest);
}

/* Exim: "Connection refused" with H=HOST [ADDRESS] anywhere, or, before 4.8, right behind
 * "HOST [ADDRESS]" or "HOST [ADDRESS]:". */
static bool exim_system_error(struct logline *to, const struct scan *s)
{
	struct span words = skip(s->line, s->at[AT_ERROR] - 1), before = s->line;
	size_t i;

	if (s->at[AT_EXIM_HOST]) {
		exim_host(to, s);
	} else {
		before.n = s->at[AT_ERROR] - 1;
		while (before.n && (before.p[before.n - 1] == ' ' || before.p[before.n - 1] == ':'))
			before.n--;
		if (!before.n || before.p[before.n - 1] != ']')
			return false;
		for (i = before.n; i && before.p[i - 1] != '['; i--)
			;
		while (i > 1 && (before.p[i - 1] == '[' || before.p[i - 1] == ' '))
			i--;
		while (i && before.p[i - 1] != ' ')
			i--;
		(void)take_server(to, skip(before, i));
	}
	if (!to->host || !take_error(to, words))
		return false;
	if (to->seen.end != END_CLOSED)
		set_phase(to, PHASE_CONNECT);
	return true;
}

/* OpenSMTPD: `smtp-out: Error on session ID: Connection timeout`. */
static bool opensmtpd_session(struct logline *to, const struct scan *s)
{
	struct span rest = after(s, AT_SESSION);
	size_t colon = find(rest, ": ");

	if (colon == rest.n)
		return false;
	rest = skip(rest, colon + 2);
	if (take_reply(to, rest))
		return true;
	if (!take_error(to, rest))
		return false;
	if (to->seen.end != END_CLOSED)
		set_phase(to, PHASE_CONNECT);
	return true;
}

/* Exim's `H=HOST [ADDRESS]` with an error that does not begin with "Connection". */
static bool exim_other_error(struct logline *to, const struct scan *s)
{
	struct span rest;

	exim_host(to, s);
	rest = after(s, AT_EXIM_HOST);
	if (!to->host || !(has(rest, "No route to host") || has(rest, "etwork is unreachable") ||
			   has(rest, "ost is unreachable")))
		return false;
	set_phase(to, PHASE_CONNECT);
	return take_error(to, rest);
}

static bool read_log(struct logline *to, const struct scan *s)
{
	if (s->at[AT_SAID])
		return postfix_reply(to, s, AT_SAID);
	if (s->at[AT_REFUSED])
		return postfix_reply(to, s, AT_REFUSED);
	if (s->at[AT_CONNECT] && postfix_connect(to, s))
		return true;
	if (s->at[AT_LOST])
		return postfix_while(to, s, AT_LOST);
	if (s->at[AT_CONVERSATION])
		return postfix_while(to, s, AT_CONVERSATION);
	if (s->at[AT_NAME_SERVICE])
		return name_service(to, s);
	if (s->at[AT_TLS_REQUIRED])
		return postfix_tls(to, s, AT_TLS_REQUIRED);
	if (s->at[AT_CANNOT_TLS])
		return postfix_tls(to, s, AT_CANNOT_TLS);
	if (s->at[AT_CERTIFICATE])
		return postfix_tls(to, s, AT_CERTIFICATE);
	if (s->at[AT_SMTP_ERROR])
		return exim_error(to, s);
	if (s->at[AT_SMTP_TIMEOUT])
		return exim_ended(to, s, AT_SMTP_TIMEOUT, END_TIMEOUT);
	if (s->at[AT_MALFORMED])
		return exim_ended(to, s, AT_MALFORMED, END_BAD_REPLY);
	if (s->at[AT_REMOTE] && exim_ended(to, s, AT_REMOTE, END_CLOSED))
		return true;
	if (s->at[AT_EXIM_TLS]) {
		exim_host(to, s);
		set_phase(to, PHASE_STARTTLS);
		to->seen.end = END_NO_TLS;
		return true;
	}
	if (s->at[AT_STAT])
		return sendmail_stat(to, s);
	if (s->at[AT_REASON])
		return opensmtpd_reason(to, s);
	if (s->at[AT_STATUS])
		return postfix_status(to, s);
	if (s->at[AT_EXIM_OK]) {
		exim_host(to, s);
		return take_reply(to, value(after(s, AT_EXIM_OK), "\""));
	}
	if (s->at[AT_SESSION])
		return opensmtpd_session(to, s);
	if (s->at[AT_ERROR] && exim_system_error(to, s))
		return true;
	return s->at[AT_EXIM_HOST] && exim_other_error(to, s);
}

void logline_init(struct logline *to)
{
	*to = (struct logline){0};
	observation_init(&to->seen);
}

void logline_fini(struct logline *to)
{
	observation_fini(&to->seen);
}

bool logline_read(struct logline *to, const char *line, size_t n)
{
	struct scan s;

	to->seen.phase = PHASE_MAIL;
	to->seen.end = END_NONE;
	to->seen.reply.code = 0;
	to->seen.reply.lines = 0;
	to->has_phase = to->has_code = false;
	to->host = to->address = NULL;
	to->host_length = to->address_length = 0;
	if (take_reply(to, (struct span){line, n}))
		return true;
	scan(&s, (struct span){line, n});
	return read_log(to, &s);
}

#include "lab/scenario.h"

#include "base/buf.h"
#include "base/map.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/tls1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 512, DEPTH_MAX = 8, EXPANSION_MAX = 1000000 };

static const char *const phase_names[] = {
    [LAB_BANNER] = "banner",     [LAB_EHLO] = "ehlo", [LAB_HELO] = "helo",
    [LAB_STARTTLS] = "starttls", [LAB_TLS] = "tls",   [LAB_EHLO_TLS] = "ehlo-tls",
    [LAB_MAIL] = "mail",         [LAB_QUIT] = "quit", [LAB_OTHER] = "other",
};
_Static_assert(ARRAY_LEN(phase_names) == LAB_PHASES, "each phase has a name");

static const char *const cert_names[] = {
    [CERT_NONE] = "none",
    [CERT_GOOD] = "good",
    [CERT_EXPIRED] = "expired",
    [CERT_FUTURE] = "future",
    [CERT_SELF_SIGNED] = "self-signed",
    [CERT_UNTRUSTED] = "untrusted",
    [CERT_WRONG_NAME] = "wrong-name",
    [CERT_SHA1] = "sha1",
    [CERT_ANONYMOUS] = "anonymous",
};
_Static_assert(ARRAY_LEN(cert_names) == CERT_KINDS, "each kind of certificate has a name");

const char *lab_phase_name(enum lab_phase phase)
{
	return phase_names[phase];
}

struct word {
	char *text; /* terminated; may hold NUL when it was quoted */
	size_t n;
	bool quoted;
};

/* One file being read. */
struct parser {
	struct scenario *out;
	const char *name;
	unsigned line, depth;
	char *error;            /* NULL: none so far; the first one counts */
	struct map *styles;     /* name -> struct face */
	struct smtp_host *host; /* the one that indented lines speak of, or */
	struct face *style;     /* the style, or neither */
	struct face *face;      /* where indented lines go */
	size_t first_place;     /* the host's addresses: places[first_place .. ] */

	struct word words[WORDS_MAX];
	size_t n, at; /* words of the line, the next one */
};

static void parse_file(struct parser *, const char *path);
static void parse_line(struct parser *, const char *line);

static void fail(struct parser *p, const char *what, const char *which)
{
	if (!p->error)
		p->error = xasprintf("%s:%u: %s%s%s", p->name, p->line, what, which ? ": " : "",
				     which ? which : "");
}

static void *own(struct scenario *s, void *memory)
{
	*ARRAY_ADD(s->owned, s->n_owned) = memory;
	return memory;
}

static char *own_text(struct parser *p, const char *text)
{
	return own(p->out, xstrdup(text));
}

/* ---- words ---- */

static void free_words(struct parser *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->words[i].text);
	p->n = p->at = 0;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Reads a quoted word whose opening quote has been passed; returns what follows it, NULL when it
 * has no end. */
static const char *unquote(const char *s, struct buf *out)
{
	for (; *s && *s != '"'; s++) {
		if (*s != '\\') {
			buf_addc(out, *s);
			continue;
		}
		s++;
		int high, low;
		switch (*s) {
		case 'n':
			buf_addc(out, '\n');
			break;
		case 'r':
			buf_addc(out, '\r');
			break;
		case 't':
			buf_addc(out, '\t');
			break;
		case '0':
			buf_addc(out, '\0');
			break;
		case 'x':
			high = hex_digit(s[1]);
			low = high < 0 ? -1 : hex_digit(s[2]);
			if (low < 0)
				return NULL;
			buf_addc(out, (char)(high * 16 + low));
			s += 2;
			break;
		case '\\':
		case '"':
			buf_addc(out, *s);
			break;
		default:
			return NULL;
		}
	}
	return *s ? s + 1 : NULL;
}

static void split(struct parser *p, const char *s)
{
	free_words(p);
	for (;;) {
		while (*s == ' ' || *s == '\t')
			s++;
		if (!*s || *s == '#')
			return;
		if (p->n == WORDS_MAX) {
			fail(p, "too many words", NULL);
			return;
		}
		struct buf text = {0};
		struct word *word = &p->words[p->n++];
		word->quoted = *s == '"';
		if (word->quoted) {
			s = unquote(s + 1, &text);
		} else {
			size_t n = strcspn(s, " \t");
			buf_add(&text, s, n);
			s += n;
		}
		word->n = text.len;
		word->text = buf_steal(&text);
		if (!s) {
			fail(p, "a quoted word has no end, or an escape that is not known",
			     word->text);
			return;
		}
	}
}

/* A ';' stands where an indented line could begin. */
static bool at_break(const struct parser *p)
{
	return p->at < p->n && !p->words[p->at].quoted && strcmp(p->words[p->at].text, ";") == 0;
}

static bool more(const struct parser *p)
{
	return p->at < p->n && !at_break(p);
}

/* The next word; an empty one and a complaint when there is none. */
static const char *next(struct parser *p, const char *what)
{
	if (more(p))
		return p->words[p->at++].text;
	fail(p, "missing", what);
	return "";
}

/* Takes the next word if it is this one. */
static bool take(struct parser *p, const char *text)
{
	if (!more(p) || p->words[p->at].quoted || strcmp(p->words[p->at].text, text) != 0)
		return false;
	p->at++;
	return true;
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 10;
}

static unsigned number(struct parser *p, const char *what)
{
	const char *text = next(p, what);
	if (!is_number(text)) {
		fail(p, "not a number", text);
		return 0;
	}
	return (unsigned)strtoul(text, NULL, 10);
}

/* Takes a number if the next word is one. */
static unsigned number_or(struct parser *p, unsigned otherwise)
{
	if (!more(p) || p->words[p->at].quoted || !is_number(p->words[p->at].text))
		return otherwise;
	return number(p, "number");
}

static bool span_of(const char *text, size_t n, usec_t *out)
{
	char *end;
	char copy[32];
	if (n == 0 || n >= sizeof copy)
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	double value = strtod(copy, &end);
	if (end == copy || !(value >= 0) || value > 1e9)
		return false;
	if (strcmp(end, "s") == 0)
		value *= 1e6;
	else if (strcmp(end, "ms") == 0)
		value *= 1e3;
	else if (strcmp(end, "us") != 0)
		return false;
	*out = (usec_t)value;
	return true;
}

/* "80ms", "1.5s", or "80ms-120ms" for a random one between. */
static void span(struct parser *p, usec_t *from, usec_t *to)
{
	const char *text = next(p, "a span of time");
	const char *dash = strchr(text, '-');
	bool good = span_of(text, dash ? (size_t)(dash - text) : strlen(text), from);
	*to = *from;
	if (good && dash)
		good = span_of(dash + 1, strlen(dash + 1), to) && *to >= *from;
	if (!good)
		fail(p, "not a span of time", text);
}

static void step_address(struct addr *addr, uint64_t by)
{
	size_t size = addr->family == AF_INET ? 4 : 16;
	for (size_t i = size; i-- > 0 && by > 0;) {
		by += addr->ip[i];
		addr->ip[i] = (uint8_t)by;
		by >>= 8;
	}
}

/* "ADDRESS" or "ADDRESS+N". */
static bool address_of(const char *text, size_t n, struct addr *out)
{
	char copy[ADDR_STRLEN + 16];
	if (n >= sizeof copy)
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	char *plus = strchr(copy, '+');
	if (plus)
		*plus++ = '\0';
	if (!addr_parse(out, copy, 0) || (plus && !is_number(plus)))
		return false;
	if (plus)
		step_address(out, strtoul(plus, NULL, 10));
	return true;
}

static struct addr address(struct parser *p)
{
	struct addr addr = {0};
	const char *text = next(p, "an address");
	if (!p->error && !address_of(text, strlen(text), &addr))
		fail(p, "not an address", text);
	return addr;
}

/* Hexadecimal digits as octets. */
static const char *octets(struct parser *p, size_t *n)
{
	struct buf out = {0};
	const char *text = next(p, "hexadecimal octets");
	for (; *text && !p->error; text += 2) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			fail(p, "not hexadecimal", text);
		else
			buf_addc(&out, (char)(high * 16 + low));
		if (!text[1])
			break;
	}
	*n = out.len;
	return own(p->out, buf_steal(&out));
}

/* The words that are left, with one blank between. */
static const char *rest(struct parser *p)
{
	struct buf out = {0};
	while (more(p)) {
		if (out.len)
			buf_addc(&out, ' ');
		buf_addstr(&out, next(p, ""));
	}
	return own(p->out, buf_steal(&out));
}

static const char *lower(struct parser *p, const char *text)
{
	char *copy = own_text(p, text);
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	size_t n = strlen(copy);
	if (n > 1 && copy[n - 1] == '.')
		copy[n - 1] = '\0';
	return copy;
}

/* ---- faces ---- */

static void append_action(struct parser *p, struct script *script, struct action action)
{
	/* Scripts are copied from base to face and from style to host by their pointer, so the
	 * array is never grown in place. */
	struct action *grown = own(p->out, xcalloc(script->n + 1, sizeof *grown));
	if (script->n)
		memcpy(grown, script->actions, script->n * sizeof *grown);
	grown[script->n] = action;
	script->actions = grown;
	script->n++;
}

/* The octets of a word; `reply`: as lines of a reply, each ended by CR LF. */
static void take_bytes(struct parser *p, bool reply, struct action *action)
{
	if (!more(p)) {
		fail(p, "missing", "text");
		return;
	}
	const struct word *word = &p->words[p->at++];
	struct buf out = {0};
	for (size_t i = 0; i < word->n; i++) {
		if (reply && word->text[i] == '\n')
			buf_addc(&out, '\r');
		buf_addc(&out, word->text[i]);
	}
	if (reply)
		buf_addstr(&out, "\r\n");
	action->n = out.len;
	action->bytes = own(p->out, buf_steal(&out));
	action->times = 1;
	if (take(p, "times"))
		action->times = number(p, "how often");
	else if (take(p, "forever"))
		action->times = 0;
}

static void parse_actions(struct parser *p, struct script *script)
{
	if (!more(p))
		fail(p, "missing", "an action");
	while (more(p) && !p->error) {
		struct action action = {.times = 1};
		if (take(p, "ok")) {
			action.kind = ACT_OK;
		} else if (take(p, "wait")) {
			action.kind = ACT_WAIT;
			span(p, &action.from, &action.to);
		} else if (take(p, "say")) {
			action.kind = ACT_SEND;
			take_bytes(p, true, &action);
		} else if (take(p, "raw")) {
			action.kind = ACT_SEND;
			take_bytes(p, false, &action);
		} else if (take(p, "drip")) {
			action.kind = ACT_DRIP;
			span(p, &action.from, &action.to);
			action.times = number_or(p, 1);
		} else if (take(p, "close")) {
			action.kind = ACT_CLOSE;
		} else if (take(p, "reset")) {
			action.kind = ACT_RESET;
		} else if (take(p, "half")) {
			action.kind = ACT_HALF;
		} else if (take(p, "silence")) {
			action.kind = ACT_SILENCE;
		} else if (take(p, "cut")) {
			action.kind = ACT_CUT;
			action.times = number(p, "how many octets");
			action.reset = take(p, "reset");
		} else if (take(p, "slow")) {
			action.kind = ACT_SLOW;
			span(p, &action.from, &action.to);
			action.times = number_or(p, 1);
		} else if (take(p, "wire")) {
			action.kind = ACT_WIRE;
			take_bytes(p, false, &action);
		} else if (take(p, "notify")) {
			action.kind = ACT_NOTIFY;
		} else if (take(p, "renegotiate")) {
			action.kind = ACT_RENEGOTIATE;
		} else {
			fail(p, "no such action", p->words[p->at].text);
			return;
		}
		append_action(p, script, action);
	}
}

static void parse_certificate(struct parser *p, struct face *face)
{
	const char *kind = next(p, "kind of certificate");
	size_t i = 0;
	while (i < CERT_KINDS && strcmp(kind, cert_names[i]) != 0)
		i++;
	if (i == CERT_KINDS) {
		fail(p, "no such certificate", kind);
		return;
	}
	face->cert = (enum cert_kind)i;
	if (more(p))
		face->cert_names = own_text(p, next(p, "names"));
}

static int tls_version(struct parser *p, const char *text, size_t n)
{
	static const struct {
		const char *text;
		int version;
	} versions[] = {{"1.0", TLS1_VERSION},
			{"1.1", TLS1_1_VERSION},
			{"1.2", TLS1_2_VERSION},
			{"1.3", TLS1_3_VERSION}};
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (strlen(versions[i].text) == n && strncmp(text, versions[i].text, n) == 0)
			return versions[i].version;
	fail(p, "no such version of TLS", text);
	return 0;
}

static void parse_protocol(struct parser *p, struct face *face)
{
	const char *text = next(p, "version of TLS");
	const char *dash = strchr(text, '-');
	face->tls_min = tls_version(p, text, dash ? (size_t)(dash - text) : strlen(text));
	face->tls_max = dash ? tls_version(p, dash + 1, strlen(dash + 1)) : face->tls_min;
}

static void copy_style(struct parser *p, struct face *face)
{
	const char *name = next(p, "name of a style");
	const struct face *style = map_get(p->styles, name, strlen(name));
	if (!style) {
		fail(p, "no such style", name);
		return;
	}
	struct face old = *face;
	*face = *style;
	face->first = old.first;
	face->weight = old.weight;
	if (old.name)
		face->name = old.name;
}

static struct face *add_face(struct parser *p)
{
	if (!p->host) {
		fail(p, "only for an smtp address", NULL);
		return p->face;
	}
	struct face *face = ARRAY_ADD(p->host->faces, p->host->n_faces);
	*face = p->host->base;
	face->first = 0;
	face->weight = 1;
	return p->face = face;
}

static void parse_expect(struct parser *p, const char *where)
{
	struct expectation *e = ARRAY_ADD(p->out->expectations, p->out->n_expectations);
	e->where = where;
	char *class = own_text(p, next(p, "class/reason"));
	char *slash = strchr(class, '/');
	if (!slash) {
		fail(p, "not CLASS/REASON", class);
		return;
	}
	*slash = '\0';
	e->class = class;
	e->reason = slash + 1;
	if (more(p))
		e->phase = own_text(p, next(p, "phase"));
}

/* A line that belongs to the smtp or style line above it. */
static void parse_face_line(struct parser *p)
{
	if (!p->face) {
		fail(p, "an indented line belongs below an smtp or a style line", NULL);
		return;
	}
	struct face *face = p->face;
	for (int i = 0; i < LAB_PHASES; i++)
		if (take(p, phase_names[i])) {
			parse_actions(p, &face->script[i]);
			return;
		}
	if (take(p, "name")) {
		face->name = own_text(p, next(p, "name"));
	} else if (take(p, "extensions")) {
		face->extensions = rest(p);
	} else if (take(p, "tls-extensions")) {
		face->tls_extensions = rest(p);
	} else if (take(p, "certificate")) {
		parse_certificate(p, face);
	} else if (take(p, "days")) {
		face->cert_days = (int)number(p, "days");
	} else if (take(p, "names")) {
		face->more_names = number(p, "how many");
	} else if (take(p, "chain")) {
		face->more_chain = number(p, "how many");
	} else if (take(p, "protocol")) {
		parse_protocol(p, face);
	} else if (take(p, "ciphers")) {
		face->ciphers = own_text(p, next(p, "ciphers"));
	} else if (take(p, "like")) {
		copy_style(p, face);
	} else if (take(p, "backend")) {
		face = add_face(p);
		face->name = own_text(p, next(p, "name"));
		if (take(p, "weight"))
			face->weight = number(p, "weight");
	} else if (take(p, "first")) {
		add_face(p)->first = number(p, "how many connections");
	} else if (take(p, "then")) {
		(void)add_face(p);
	} else if (take(p, "expect")) {
		if (!p->host || p->out->n_places != p->first_place + 1) {
			fail(p, "expect needs exactly one address", NULL);
			return;
		}
		char text[ADDR_STRLEN];
		parse_expect(p,
			     own_text(p, addr_format(&p->out->places[p->first_place].addr, text)));
	} else {
		fail(p, "no such setting", p->words[p->at].text);
	}
}

/* ---- top level ---- */

/* Settings on the line itself, a ';' before each. */
static void parse_rest_of_line(struct parser *p)
{
	while (at_break(p) && !p->error) {
		p->at++;
		if (!more(p))
			fail(p, "missing", "a setting");
		else
			parse_face_line(p);
		if (more(p))
			fail(p, "unexpected", p->words[p->at].text);
	}
}

static void parse_smtp(struct parser *p)
{
	const char *text = next(p, "an address");
	const char *dash = strchr(text, '-');
	struct addr from = {0}, to = {0};
	size_t n = dash ? (size_t)(dash - text) : strlen(text);
	if (!address_of(text, n, &from) || (dash && !address_of(dash + 1, strlen(dash + 1), &to))) {
		fail(p, "not an address, nor FROM-TO", text);
		return;
	}
	if (!dash)
		to = from;
	p->host = own(p->out, xcalloc(1, sizeof *p->host));
	p->host->base.weight = 1;
	p->face = &p->host->base;
	p->style = NULL;
	p->first_place = p->out->n_places;
	for (struct addr at = from;; step_address(&at, 1)) {
		if (p->out->n_places - p->first_place > 100000) {
			fail(p, "too many addresses", text);
			return;
		}
		struct smtp_place *place = ARRAY_ADD(p->out->places, p->out->n_places);
		place->addr = at;
		place->host = p->host;
		if (addr_equal(&at, &to))
			break;
	}
	while (more(p) && !p->error) {
		if (take(p, "refuse"))
			p->host->kind = SMTP_REFUSE;
		else if (take(p, "blackhole"))
			p->host->kind = SMTP_BLACKHOLE;
		else if (take(p, "shuffle"))
			p->host->shuffle = true;
		else if (take(p, "like"))
			copy_style(p, p->face);
		else
			fail(p, "unexpected", p->words[p->at].text);
	}
	parse_rest_of_line(p);
}

static void parse_style(struct parser *p)
{
	const char *name = next(p, "name of the style");
	p->host = NULL;
	p->style = p->face = own(p->out, xcalloc(1, sizeof *p->style));
	p->style->weight = 1;
	if (map_put(p->styles, name, strlen(name), p->style))
		fail(p, "a style of that name stands above", name);
	if (take(p, "like"))
		copy_style(p, p->face);
	parse_rest_of_line(p);
}

/* `line` is what follows "rr": it goes to ldns as it is, since only ldns knows how TXT is quoted.
 */
static void parse_rr(struct parser *p, const char *line)
{
	const char *name = next(p, "name");
	unsigned ttl = number_or(p, 300);
	const char *type = next(p, "type");
	struct buf text = {0};
	buf_printf(&text, "%s %u IN %s ", name, ttl, type);
	struct addr addr;
	if ((strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0) && more(p) &&
	    address_of(p->words[p->at].text, p->words[p->at].n, &addr)) {
		char out[ADDR_STRLEN];
		buf_addstr(&text, addr_format(&addr, out));
	} else {
		/* Behind the words that were taken, each of which stands once in the line. */
		for (size_t i = 0; i < p->at; i++) {
			line += strspn(line, " \t");
			line += strcspn(line, " \t");
		}
		buf_addstr(&text, line);
	}
	if (!p->error && !zone_add(p->out->zone, buf_str(&text)))
		fail(p, "not a record", buf_str(&text));
	p->at = p->n;
	buf_fini(&text);
}

static bool parse_rcode(struct parser *p, struct dns_reply *reply)
{
	static const struct {
		const char *name;
		int rcode;
	} codes[] = {{"noerror", 0},  {"formerr", 1}, {"servfail", 2},
		     {"nxdomain", 3}, {"notimp", 4},  {"refused", 5}};
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (take(p, codes[i].name)) {
			reply->rcode = codes[i].rcode;
			reply->empty = true;
			return true;
		}
	return false;
}

static struct dns_reply *add_reply(struct dns_rule *rule)
{
	struct dns_reply *reply = ARRAY_ADD(rule->replies, rule->n_replies);
	reply->rcode = reply->cut = reply->length = -1;
	for (size_t i = 0; i < ARRAY_LEN(reply->count); i++)
		reply->count[i] = -1;
	return reply;
}

static void parse_faults(struct parser *p, struct dns_rule *rule)
{
	static const char *const sections[] = {"qdcount", "ancount", "nscount", "arcount"};
	struct dns_reply *reply = add_reply(rule);
	while (more(p) && !p->error) {
		usec_t unused;
		size_t section = 0;
		if (parse_rcode(p, reply))
			continue;
		if (take(p, "then")) {
			reply = add_reply(rule);
		} else if (take(p, "answer")) {
			/* what the zone says: only to be read better */
		} else if (take(p, "udp")) {
			rule->transport = DNS_UDP;
		} else if (take(p, "tcp")) {
			rule->transport = DNS_TCP;
		} else if (take(p, "edns")) {
			rule->edns = 1;
		} else if (take(p, "plain")) {
			rule->edns = 0;
		} else if (take(p, "first")) {
			rule->first = number(p, "how many questions");
		} else if (take(p, "silent")) {
			reply->silent = true;
		} else if (take(p, "close")) {
			reply->silent = reply->close = true;
		} else if (take(p, "delay")) {
			span(p, &reply->delay, &unused);
		} else if (take(p, "truncate")) {
			reply->tc = reply->empty = true;
		} else if (take(p, "tc")) {
			reply->tc = true;
		} else if (take(p, "ad")) {
			reply->ad = true;
		} else if (take(p, "empty")) {
			reply->empty = true;
		} else if (take(p, "no-edns")) {
			reply->no_edns = true;
		} else if (take(p, "wrong-id")) {
			reply->wrong_id = true;
		} else if (take(p, "wrong-question")) {
			reply->wrong_question = true;
		} else if (take(p, "no-question")) {
			reply->no_question = true;
		} else if (take(p, "wrong-port")) {
			reply->wrong_port = true;
		} else if (take(p, "wrong-address")) {
			reply->wrong_address = true;
		} else if (take(p, "not-response")) {
			reply->not_response = true;
		} else if (take(p, "rcode")) {
			reply->rcode = (int)number(p, "rcode");
			reply->empty = true;
		} else if (take(p, "cut")) {
			reply->cut = (int)number(p, "how many octets");
		} else if (take(p, "length")) {
			reply->length = (int)number(p, "how many octets");
		} else if (take(p, "drip")) {
			span(p, &reply->drip, &unused);
		} else if (take(p, "hang-up")) {
			reply->hang_up = true;
		} else if (take(p, "poke")) {
			reply->poke_at = (int)number(p, "where");
			reply->poke = octets(p, &reply->poke_len);
		} else if (take(p, "poke-end")) {
			reply->poke_at = -(int)number(p, "where");
			reply->poke = octets(p, &reply->poke_len);
		} else if (take(p, "raw")) {
			reply->raw = octets(p, &reply->raw_len);
		} else if (take(p, "append")) {
			reply->append = octets(p, &reply->append_len);
		} else {
			while (section < ARRAY_LEN(sections) && !take(p, sections[section]))
				section++;
			if (section < ARRAY_LEN(sections))
				reply->count[section] = (int)number(p, "count");
			else
				fail(p, "no such fault", p->words[p->at].text);
		}
	}
}

static struct dns_rule *add_rule(struct parser *p)
{
	struct dns_rule *rule = ARRAY_ADD(p->out->rules, p->out->n_rules);
	rule->name = "*";
	rule->type = rule->edns = -1;
	return rule;
}

static void parse_dns(struct parser *p)
{
	struct dns_rule *rule = add_rule(p);
	rule->name = lower(p, next(p, "name"));
	const char *type = next(p, "type");
	if (strcmp(type, "*") != 0) {
		rule->type = (int)ldns_get_rr_type_by_name(type);
		if (rule->type == 0)
			fail(p, "no such type", type);
	}
	if (take(p, "at"))
		rule->server = address(p);
	if (!more(p))
		fail(p, "missing", "a fault");
	parse_faults(p, rule);
}

static void parse_resolver(struct parser *p)
{
	struct addr addr = address(p);
	struct dns_place *place = NULL;
	for (size_t i = 0; i < p->out->n_resolvers; i++)
		if (addr_equal(&p->out->resolvers[i].addr, &addr))
			place = &p->out->resolvers[i];
	if (!place)
		place = ARRAY_ADD(p->out->resolvers, p->out->n_resolvers);
	place->addr = addr;
	if (take(p, "no-tcp"))
		place->no_tcp = true;
	else if (take(p, "no-udp"))
		place->no_udp = true;
	if (more(p)) {
		struct dns_rule *rule = add_rule(p);
		rule->server = addr;
		parse_faults(p, rule);
	}
}

/* "each i 1 100 LINE": the line with every "%i" replaced, once for each number. `line` is what
 * follows "each". */
static void parse_each(struct parser *p, const char *line)
{
	const char *letter = next(p, "a letter");
	unsigned from = number(p, "first number"), to = number(p, "last number");
	if (strlen(letter) != 1)
		fail(p, "not one letter", letter);
	if (!p->error && to >= from && to - from >= EXPANSION_MAX)
		fail(p, "too many", NULL);
	if (p->error)
		return;
	char mark[] = {'%', letter[0], '\0'};
	for (int i = 0; i < 3; i++) {
		line += strspn(line, " \t");
		line += strcspn(line, " \t");
	}
	line += strspn(line, " \t");
	for (unsigned i = from; i <= to && !p->error; i++) {
		struct buf text = {0};
		const char *s = line;
		for (const char *hit; (hit = strstr(s, mark)); s = hit + 2) {
			buf_add(&text, s, (size_t)(hit - s));
			buf_printf(&text, "%u", i);
		}
		buf_addstr(&text, s);
		parse_line(p, buf_str(&text));
		buf_fini(&text);
	}
}

static void parse_include(struct parser *p)
{
	const char *file = next(p, "file");
	const char *slash = strrchr(p->name, '/');
	char *path =
	    slash ? xasprintf("%.*s/%s", (int)(slash - p->name), p->name, file) : xstrdup(file);
	if (p->depth >= DEPTH_MAX)
		fail(p, "includes too deep", file);
	else
		parse_file(p, path);
	free(path);
}

static void parse_target(struct parser *p)
{
	struct expectation *e = ARRAY_ADD(p->out->expectations, p->out->n_expectations);
	e->where = own_text(p, next(p, "target"));
	e->verdict = own_text(p, next(p, "verdict"));
	if (more(p))
		e->status = own_text(p, next(p, "status"));
}

static void parse_tlsa(struct parser *p)
{
	struct tlsa_wish *wish = ARRAY_ADD(p->out->tlsas, p->out->n_tlsas);
	wish->host = own_text(p, next(p, "host"));
	wish->addr = address(p);
	wish->usage = (int)number(p, "usage");
	wish->selector = (int)number(p, "selector");
	wish->matching = (int)number(p, "matching type");
	wish->wrong = take(p, "wrong");
}

static void parse_line(struct parser *p, const char *line)
{
	bool indented = *line == ' ' || *line == '\t';
	split(p, line);
	if (p->n == 0 || p->error)
		return;
	const char *behind = line + strspn(line, " \t");
	behind += strcspn(behind, " \t");
	if (indented) {
		parse_face_line(p);
	} else {
		/* Only the word itself is needed from here on, as `at` counts from behind it. */
		char *word = p->words[0].text;
		memmove(&p->words[0], &p->words[1], (--p->n) * sizeof p->words[0]);
		if (strcmp(word, "each") != 0) {
			p->host = NULL;
			p->face = p->style = NULL;
		}
		if (strcmp(word, "rr") == 0)
			parse_rr(p, behind);
		else if (strcmp(word, "dns") == 0)
			parse_dns(p);
		else if (strcmp(word, "resolver") == 0)
			parse_resolver(p);
		else if (strcmp(word, "smtp") == 0)
			parse_smtp(p);
		else if (strcmp(word, "style") == 0)
			parse_style(p);
		else if (strcmp(word, "each") == 0)
			parse_each(p, behind);
		else if (strcmp(word, "include") == 0)
			parse_include(p);
		else if (strcmp(word, "args") == 0)
			p->out->args = rest(p);
		else if (strcmp(word, "expect") == 0)
			parse_expect(p, own_text(p, next(p, "address")));
		else if (strcmp(word, "target") == 0)
			parse_target(p);
		else if (strcmp(word, "tlsa") == 0)
			parse_tlsa(p);
		else
			fail(p, "no such thing", word);
		free(word);
	}
	if (p->at < p->n)
		fail(p, "unexpected", p->words[p->at].text);
}

static void parse_text(struct parser *p, const char *text, size_t n)
{
	p->line = 0;
	for (size_t at = 0; at < n && !p->error;) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t length = end ? (size_t)(end - (text + at)) : n - at;
		p->line++;
		if (memchr(text + at, '\0', length)) {
			fail(p, "a NUL stands in the line", NULL);
			return;
		}
		char *line = xstrndup(text + at, length);
		parse_line(p, line);
		free(line);
		at += length + 1;
	}
}

static void parse_file(struct parser *p, const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		fail(p, strerror(errno), path);
		return;
	}
	struct buf text = {0};
	char chunk[4096];
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
		buf_add(&text, chunk, n);
	if (ferror(file))
		fail(p, "cannot be read", path);
	(void)fclose(file); /* only read from */
	const char *outer = p->name;
	unsigned line = p->line;
	p->name = path;
	p->depth++;
	free_words(p);
	if (!p->error && text.len)
		parse_text(p, text.data, text.len);
	free_words(p);
	p->depth--;
	p->name = outer;
	p->line = line;
	buf_fini(&text);
}

/* ---- the whole ---- */

static struct scenario *parse(const char *path, const char *name, const char *text, size_t n,
			      char **error)
{
	struct map styles = {0};
	struct parser *p = xcalloc(1, sizeof *p);
	struct addr main_resolver;
	p->out = xcalloc(1, sizeof *p->out);
	p->out->zone = zone_new();
	p->styles = &styles;
	p->name = name;
	if (addr_parse(&main_resolver, "127.0.0.1", 0))
		ARRAY_ADD(p->out->resolvers, p->out->n_resolvers)->addr = main_resolver;
	if (path)
		parse_file(p, path);
	else
		parse_text(p, text, n);
	free_words(p);
	map_fini(&styles);
	struct scenario *out = p->out;
	*error = p->error;
	free(p);
	if (*error) {
		scenario_free(out);
		return NULL;
	}
	return out;
}

struct scenario *scenario_read(const char *path, char **error)
{
	return parse(path, path, NULL, 0, error);
}

struct scenario *scenario_parse(const char *name, const char *text, size_t n, char **error)
{
	return parse(NULL, name, text, n, error);
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_places; i++)
		if (i + 1 == s->n_places || s->places[i + 1].host != s->places[i].host)
			free(s->places[i].host->faces);
	for (size_t i = 0; i < s->n_rules; i++)
		free(s->rules[i].replies);
	for (size_t i = 0; i < s->n_owned; i++)
		free(s->owned[i]);
	free(s->owned);
	free(s->rules);
	free(s->resolvers);
	free(s->places);
	free(s->tlsas);
	free(s->expectations);
	zone_free(s->zone);
	free(s);
}

#include "judge/classify.h"

#include "judge/lexicon.h"
#include "judge/rules.h"

#include <assert.h>
#include <string.h>

static const char *const class_names[] = {
    [CLASS_HEALTHY] = "healthy",   [CLASS_EXHAUSTED] = "exhausted",   [CLASS_DEFERRED] = "deferred",
    [CLASS_REJECTED] = "rejected", [CLASS_TIMEOUT] = "timeout",       [CLASS_DOWN] = "down",
    [CLASS_BROKEN] = "broken",     [CLASS_UNRESOLVED] = "unresolved", [CLASS_SKIPPED] = "skipped",
};
static_assert(sizeof class_names / sizeof class_names[0] == CLASSES, "a class without a name");

static const char *const reason_names[] = {
    [REASON_OK] = "ok",
    [REASON_MEMORY] = "memory",
    [REASON_DISK] = "disk",
    [REASON_LOAD] = "load",
    [REASON_CONNECTIONS] = "connections",
    [REASON_UNSPECIFIED] = "unspecified",
    [REASON_THROTTLE] = "throttle",
    [REASON_GREYLIST] = "greylist",
    [REASON_POLICY] = "policy",
    [REASON_MAILBOX] = "mailbox",
    [REASON_MAINTENANCE] = "maintenance",
    [REASON_DNS] = "dns",
    [REASON_TLS] = "tls",
    [REASON_INTERNAL] = "internal",
    [REASON_OTHER] = "other",
    [REASON_AUTH] = "auth",
    [REASON_SYNTAX] = "syntax",
    [REASON_NO_SERVICE] = "no-service",
    [REASON_SIZE] = "size",
    [REASON_CONNECT] = "connect",
    [REASON_SILENT] = "silent",
    [REASON_SLOW] = "slow",
    [REASON_REFUSED] = "refused",
    [REASON_UNREACHABLE] = "unreachable",
    [REASON_CLOSED] = "closed",
    [REASON_NOT_SMTP] = "not-smtp",
    [REASON_BAD_REPLY] = "bad-reply",
    [REASON_CERTIFICATE] = "certificate",
    [REASON_NO_TLS] = "no-tls",
    [REASON_NXDOMAIN] = "nxdomain",
    [REASON_NO_ADDRESS] = "no-address",
    [REASON_SERVFAIL] = "servfail",
    [REASON_TIMEOUT] = "timeout",
    [REASON_INVALID] = "invalid",
    [REASON_NO_ROUTE] = "no-route",
    [REASON_NOT_PUBLIC] = "not-public",
    [REASON_LIMIT] = "limit",
    [REASON_DEADLINE] = "deadline",
    [REASON_INTERRUPTED] = "interrupted",
    [REASON_LOCAL_ERROR] = "local-error",
};
static_assert(sizeof reason_names / sizeof reason_names[0] == REASONS, "a reason without a name");

const char *class_name(enum class class)
{
	return class_names[class];
}

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

/* What is read of a reply, once for all rows. */
struct reading {
	int code;
	const char *enhanced; /* without class and dot; "": none, or one that contradicts */
	uint64_t means;
};

/* Whether one of the blank-separated patterns fits. */
static bool code_fits(const char *patterns, const char *code)
{
	const char *p = patterns, *c;

	if (!*code)
		return false;
	while (*p) {
		for (c = code; *c && *p == *c; p++)
			c++;
		if (*p == '*' || (!*c && (*p == ' ' || !*p)))
			return true;
		while (*p && *p != ' ')
			p++;
		while (*p == ' ')
			p++;
	}
	return false;
}

static bool row_fits(const struct rule *r, const struct observation *o, const struct reading *seen)
{
	if (r->end != o->end)
		return false;
	if (r->from && (seen->code < r->from || seen->code > r->to))
		return false;
	if ((seen->means & r->all) != r->all || (seen->means & r->none) ||
	    (r->any && !(seen->means & r->any)))
		return false;
	if (r->phases && !(r->phases & 1u << o->phase))
		return false;
	if ((o->notes & r->notes) != r->notes)
		return false;
	return !r->enhanced || code_fits(r->enhanced, seen->enhanced);
}

/* The meanings of the text, read line by line so that the enhanced code in front of each is no part
 * of it. */
static uint64_t read_text(const struct reply *reply)
{
	const char *p = reply->text.data, *end;
	char text[4096 + 2];
	size_t n = 0;

	if (!reply->text.len)
		return 0;
	end = p + reply->text.len;
	/* What is too long is read as it stands: the codes in it do little harm. */
	if (reply->text.len > sizeof text - 2)
		return lexicon_read(p, reply->text.len);
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;

		p += enhanced_length(p, (size_t)(stop - p));
		memcpy(text + n, p, (size_t)(stop - p));
		n += (size_t)(stop - p);
		text[n++] = '\n';
		p = lf ? lf + 1 : end;
	}
	return lexicon_read(text, n);
}

const struct rule *classify(const struct observation *o)
{
	struct reading seen = {0, "", 0};
	char enhanced[ENHANCED_STRLEN];
	size_t i;

	if (o->end == END_REPLY) {
		seen.code = o->reply.code;
		/* RFC 2034: the class must be that of the basic code; one that differs is worth
		 * nothing. */
		if (reply_enhanced(&o->reply, enhanced) && enhanced[0] == '0' + seen.code / 100)
			seen.enhanced = enhanced + 2;
		if (seen.code >= 400 && seen.code <= 599)
			seen.means = read_text(&o->reply);
	}
	for (i = 0; i < n_rules - 1; i++)
		if (row_fits(&rules[i], o, &seen))
			break;
	return &rules[i];
}

bool wants_no_more(const struct observation *o)
{
	uint64_t means;

	if (o->end != END_REPLY || o->reply.code < 400)
		return false;
	if (o->reply.code == 421)
		return true;
	means = read_text(&o->reply);
	return (means & SAYS(CONN)) && (means & (SAYS(MANY) | SAYS(CONCURRENT)));
}

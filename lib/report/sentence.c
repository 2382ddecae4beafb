#include "report/sentence.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NAME_MAX_OCTETS = 255, WORDS_MAX_OCTETS = 120 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A name out of the DNS or the input; of an address, colons are part. */
static void add_name(struct buf *out, const char *name)
{
	size_t n = strnlen(name, NAME_MAX_OCTETS);
	struct addr addr;

	if (addr_parse(&addr, name, 0)) {
		buf_addstr(out, name);
		return;
	}

	for (size_t i = 0; i < n; i++)
		buf_addc(out, is_alnum(name[i]) || strchr(".-_", name[i]) ? name[i] : '?');
}

static void add_address(struct buf *out, const struct addr *a)
{
	char text[ADDR_STRLEN];

	buf_addstr(out, addr_format(a, text));
}

/* A server's words. A dot stays between digits and at the end of a word only, so that none of them
 * is a domain to click on. Everything else becomes a blank, and blanks become one. */
static void add_words(struct buf *out, const char *s, size_t n)
{
	bool blank = false, any = false;

	if (n > WORDS_MAX_OCTETS)
		n = WORDS_MAX_OCTETS;
	for (size_t i = 0; i < n; i++) {
		char before = i ? s[i - 1] : ' ', after = i + 1 < n ? s[i + 1] : ' ';
		bool keep = is_alnum(s[i]);

		if (s[i] == '.')
			keep = any && !blank &&
			       (!is_alnum(after) || (is_digit(before) && is_digit(after)));
		else if (s[i] && strchr(",()-%'", s[i]))
			keep = any;
		if (!keep) {
			blank = any;
			continue;
		}
		if (blank)
			buf_addc(out, ' ');
		buf_addc(out, s[i]);
		blank = false;
		any = true;
	}
}

/* " (452 4.3.1 Out of memory)" */
static void add_reply(struct buf *out, const struct reply *reply)
{
	char enhanced[ENHANCED_STRLEN];
	bool has_enhanced;
	const char *line;
	size_t n, skip;

	if (!reply->code)
		return;
	has_enhanced = reply_enhanced(reply, enhanced);
	buf_printf(out, " (%d", reply->code);
	if (has_enhanced)
		buf_printf(out, " %s", enhanced);
	if (reply_line(reply, 0, &line, &n)) {
		skip = has_enhanced ? enhanced_length(line, n) : 0;
		buf_addc(out, ' ');
		add_words(out, line + skip, n - skip);
		if (out->data[out->len - 1] == ' ')
			out->len--;
	}
	buf_addc(out, ')');
}

/* The first endpoint of the class that most of the bad ones are in; NULL: none is bad. */
static const struct endpoint *example(const struct result *r)
{
	const struct endpoint *best = NULL;

	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct endpoint *e = &r->endpoints[i];
		enum class class = e->contact->class;

		if (class == CLASS_HEALTHY || class == CLASS_SKIPPED)
			continue;
		if (!best || r->summary.count[class] > r->summary.count[best->contact->class])
			best = e;
	}
	return best;
}

static void add_example(struct buf *out, const struct result *r)
{
	const struct endpoint *e = example(r);
	const struct contact *c;

	if (!e)
		return;
	c = e->contact;
	buf_addstr(out, r->n_endpoints > 1 ? "; for instance " : "; ");
	add_name(out, e->host);
	if (c->addr.family && r->source != SOURCE_LITERAL) {
		buf_addstr(out, " at ");
		add_address(out, &c->addr);
	}
	buf_printf(out, " is %s/%s", class_name(c->class), reason_name(c->reason));
	add_reply(out, &c->seen.reply);
}

static void add_count(struct buf *out, const struct result *r)
{
	unsigned all = r->summary.endpoints, healthy = r->summary.count[CLASS_HEALTHY],
		 skipped = r->summary.count[CLASS_SKIPPED];

	if (skipped == all)
		buf_printf(out, "none of %u endpoints could be contacted", all);
	else if (all == 1)
		buf_printf(out, "its endpoint %s mail", healthy ? "accepts" : "does not accept");
	else if (healthy == all)
		buf_printf(out, "all %u endpoints accept mail", all);
	else if (!healthy)
		buf_printf(out, "none of %u endpoints accepts mail", all);
	else
		buf_printf(out, "%u of %u endpoints accept mail", healthy, all);
	if (skipped && skipped < all)
		buf_printf(out, ", %u not contacted", skipped);
}

static void add_reason(struct buf *out, const struct result *r)
{
	if (r->error_code && strcmp(r->error_code, "invalid-target") == 0) {
		buf_addstr(out, "this is no target");
	} else if (r->error_code && strcmp(r->error_code, "control-failed") == 0) {
		buf_addstr(out, "the control target failed, too, and the fault is likely here");
	} else if (r->status == DNS_LOCAL_ERROR && !r->n_endpoints) {
		buf_addstr(out, "this machine could not ask the DNS");
	} else if (r->error_code && !r->n_endpoints) {
		buf_addstr(out, "the run ended before it was looked at");
	} else if (r->source == SOURCE_NULL_MX) {
		buf_addstr(out, "it has a null MX, and accepts no mail");
	} else if (r->n_endpoints) {
		add_count(out, r);
		add_example(out, r);
	} else if (r->status == DNS_NXDOMAIN) {
		buf_addstr(out, "the domain does not exist");
	} else {
		buf_printf(out, "the DNS says %s", dns_status_name(r->status));
	}
}

static void add_time(struct buf *out, int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;
	char text[32];

	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm))
		buf_printf(out, " (%s UTC)", text);
}

void sentence_of(struct buf *out, const struct result *r, enum event event, int told)
{
	const char *verdict = verdict_name(r->verdict);

	if (r->index < 0)
		buf_addstr(out, "The control target ");
	add_name(out, r->domain ? r->domain : r->target);
	if (r->domain && r->port != 25)
		buf_printf(out, " port %u", r->port);
	if (event == EVENT_RECOVERY && told >= 0)
		buf_printf(out, " is %s again, and was %s: ", verdict,
			   verdict_name((enum verdict)told));
	else if (event == EVENT_CHANGE && told >= 0)
		buf_printf(out, " is %s now, and was %s: ", verdict,
			   verdict_name((enum verdict)told));
	else
		buf_printf(out, " is %s: ", verdict);
	add_reason(out, r);
	add_time(out, r->started_ms);
	buf_addc(out, '.');
}

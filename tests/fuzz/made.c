#include "made.h"

#include "base/text.h"
#include "fuzz.h"
#include "judge/classify.h"
#include "judge/rules.h"
#include "support/results.h"

#include <errno.h>
#include <string.h>

unsigned made_number(struct octets *o, unsigned limit)
{
	if (!o->n)
		return 0;
	o->n--;
	return *o->at++ % limit;
}

uint32_t made_word(struct octets *o)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word = word << 8 | made_number(o, 256);
	return word;
}

char *made_text(struct octets *o)
{
	unsigned n = made_number(o, 256), times = 1;
	char *text, *to;

	if (n >= 250) { /* one piece, again and again: longer than anything has room for */
		times = 16U << (n - 250);
		n = made_number(o, 16);
	}
	n = n < o->n ? n : (unsigned)o->n;
	to = text = xmalloc((size_t)n * times + 1);
	for (; times; times--)
		for (unsigned i = 0; i < n; i++)
			*to++ = (char)(o->at[i] ? o->at[i] : 1);
	*to = '\0';
	o->at += n;
	o->n -= n;
	return text;
}

static usec_t made_span(struct octets *o)
{
	unsigned shift = made_number(o, 40);

	return shift == 39 ? USEC_NONE : (usec_t)(made_word(o) & 0xffff) << (shift & 31);
}

static void replace(const char **place, char *text)
{
	free((char *)(uintptr_t)*place);
	*place = text;
}

static void make_tls(struct contact *c, struct octets *o)
{
	static const char *const versions[] = {NULL, "TLSv1", "TLSv1.2", "TLSv1.3"};
	struct tls_facts *facts = fake_tls(c, versions[made_number(o, 4)]);

	facts->dane = (int)made_number(o, 3) - 1;
	facts->fault = (enum tls_fault)made_number(o, TLS_FAULTS);
	facts->verified = facts->fault == TLS_FAULT_NONE;
	if (made_number(o, 2))
		facts->error = made_text(o);
	if (!facts->version)
		return;
	facts->cipher = made_text(o);
	if (!made_number(o, 2))
		return;
	facts->subject = made_text(o);
	facts->issuer = made_text(o);
	facts->not_after = (time_t)made_word(o);
	for (unsigned n = made_number(o, 4); n; n--) {
		char **name = ARRAY_ADD(facts->names, facts->n_names);

		*name = made_text(o);
	}
}

/* How a session may end: what the rules make of it comes with it. */
static void make_end(struct contact *c, struct octets *o)
{
	char *text = made_text(o);
	enum end end = (enum end)(END_REPLY + made_number(o, ENDS - END_REPLY));
	enum phase phase = (enum phase)(PHASE_CONNECT + made_number(o, PHASES - PHASE_CONNECT));
	unsigned code = made_number(o, 256);
	const struct rule *rule;

	c->seen.notes = made_number(o, 64);
	fake_end(c, c->class, c->reason, phase, end, made_span(o));
	if (end == END_REPLY || code & 1)
		fake_reply(c, 200 + (int)(code * 400 / 256), text);
	free(text);
	rule = classify(&c->seen);
	c->class = rule->class;
	c->reason = rule->reason;
	c->rule = rule;
	if (made_number(o, 2)) {
		text = made_text(o);
		fake_error(c, (int)made_number(o, 140), text);
		free(text);
	}
}

static void make_contact(struct contact *c, struct octets *o)
{
	unsigned shape = made_number(o, 256);
	unsigned sessions = shape & 1 ? 1 + made_number(o, 20) : 1;
	char *text;

	make_end(c, o);
	fake_sessions(c, sessions, c->class == CLASS_HEALTHY ? sessions : made_number(o, sessions));
	if (shape & 2) {
		text = made_text(o);
		buf_addstr(&c->seen.banner, text);
		free(text);
	}
	if (shape & 4) {
		text = made_text(o);
		buf_addstr(&c->seen.extensions, text);
		free(text);
	}
	for (unsigned n = shape & 8 ? made_number(o, 20) : 0; n; n--) {
		text = made_text(o);
		fake_backend(c, text, 1 + n, n / 2);
		free(text);
	}
	if (shape & 16)
		make_tls(c, o);
	if (shape & 32)
		c->text = xcalloc(1, sizeof *c->text);
}

static void make_hostless(struct contact *c, struct octets *o)
{
	static const enum reason reasons[] = {REASON_NXDOMAIN, REASON_NO_ADDRESS, REASON_SERVFAIL,
					      REASON_TIMEOUT, REASON_INVALID};
	unsigned which = made_number(o, ARRAY_LEN(reasons));

	c->class = CLASS_UNRESOLVED;
	c->reason = reasons[which];
	c->seen.phase = c->phase = PHASE_DNS;
	c->seen.end = (enum end)(END_DNS_NXDOMAIN + which);
}

static void make_endpoints(struct result *r, struct octets *o)
{
	static const char *const addresses[] = {
	    "192.0.2.1", "192.0.2.255", "2001:db8::1", "2001:db8:1234:5678:9abc:def0:1234:5678",
	    "127.0.0.1", NULL};
	int preference = r->source == SOURCE_MX ? (int)made_number(o, 256) : -1;
	char *host = made_text(o);

	for (unsigned n = made_number(o, 13); n; n--) {
		unsigned what = made_number(o, 256);
		const char *address = addresses[what % ARRAY_LEN(addresses)];
		struct contact *c = fake_endpoint(r, preference, host, address);

		if (address)
			make_contact(c, o);
		else
			make_hostless(c, o);
		if (what >= 200) {
			free(host);
			host = made_text(o);
			preference += preference >= 0 ? (int)made_number(o, 256) * 100 : 0;
		}
	}
	free(host);
}

struct result *made_result(struct octets *o)
{
	static const char *const domains[] = {"example.org", "mail.example.net",
					      "xn--bcher-kva.example", "192.0.2.1", NULL};
	static const char *const warnings[] = {"mx-is-cname", "private-address",
					       "certificate-expiring", "null-mx-mixed"};
	unsigned shape = made_number(o, 256);
	struct result *r = fake_target("", (enum dns_source)made_number(o, SOURCE_LITERAL + 1));
	const char *domain = domains[made_number(o, ARRAY_LEN(domains))];

	replace(&r->target, made_text(o));
	replace(&r->domain, domain ? xstrdup(domain) : NULL);
	r->index = shape & 1 ? -1 : (int64_t)made_number(o, 100);
	r->port = (uint16_t)(shape & 2 ? made_word(o) | 1 : 25);
	r->elapsed = made_span(o);
	r->dns_elapsed = made_span(o);
	r->status = (enum dns_status)made_number(o, DNS_STATUSES);
	r->has_dns = domain != NULL;
	if (r->elapsed == USEC_NONE)
		r->elapsed = 0;
	if (r->dns_elapsed == USEC_NONE)
		r->dns_elapsed = 0;
	if (!domain || shape & 4) {
		r->error_code = domain ? "internal" : "invalid-target";
		r->error_message = made_text(o);
	}
	if (domain)
		make_endpoints(r, o);
	for (unsigned n = shape & 8 ? made_number(o, 4) : 0; n; n--) {
		char *text = made_text(o);

		fake_warning(r, warnings[n], text);
		free(text);
	}
	fake_finish(r);
	return r;
}

void made_free(struct result *r)
{
	for (size_t i = 0; i < r->n_endpoints; i++) {
		struct shared_text *text = r->endpoints[i].contact->text;

		if (text)
			buf_fini(&text->json);
		free(text);
	}
	free((char *)(uintptr_t)r->error_message);
	fake_free(r);
}

void must_be_safe(const char *s, size_t n, int lines)
{
	struct buf safe = {0};

	while (n) {
		uint32_t cp;
		size_t len;

		if (*s >= ' ' && *s <= '~') {
			s++;
			n--;
			continue;
		}
		len = utf8_decode(s, n, &cp);
		MUST(len);
		buf_clear(&safe);
		text_safe(&safe, s, len);
		MUST(safe.len == len || (lines && *s == '\n'));
		s += len;
		n -= len;
	}
	buf_fini(&safe);
}

/* One JSON object a target, one line each (schema mxprobe/1). The only file that knows jansson. */
#include "base/text.h"
#include "judge/advice.h"
#include "report/report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put(json_t *object, const char *key, json_t *value)
{
	/* Cannot fail: the keys are constants, and out of memory ends the program. */
	(void)json_object_set_new_nocheck(object, key, value ? value : json_null());
}

static void append(json_t *array, json_t *value)
{
	(void)json_array_append_new(array, value); /* as above */
}

/* Foreign octets as a string. */
static json_t *textn(const char *s, size_t n)
{
	struct buf safe = {0};
	json_t *string;

	text_utf8(&safe, s, n, 1);
	string = json_stringn_nocheck(buf_str(&safe), safe.len);
	buf_fini(&safe);
	return string;
}

static json_t *text(const char *s)
{
	return s ? textn(s, strlen(s)) : json_null();
}

/* A number that JSON has: no infinity, no NaN. */
static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *ms(usec_t span)
{
	return span == USEC_NONE ? json_null() : json_real((double)span / 1000.0);
}

/* A probability, to a millionth; one that is neither 0 nor 1 is never shown as either, unless it is
 * only the noise of the sums that it was made from. */
static json_t *share(double p)
{
	double rounded = round(p * 1e6) / 1e6;

	return real(fabs(p - rounded) > 1e-12 && (rounded == 0 || rounded == 1) ? p : rounded);
}

static json_t *time_text(int64_t unix_ms)
{
	int64_t part = unix_ms % 1000;
	time_t seconds;
	struct tm tm;
	char s[64];

	if (part < 0)
		part += 1000;
	seconds = (time_t)((unix_ms - part) / 1000);
	if (!gmtime_r(&seconds, &tm))
		return json_null();
	(void)snprintf(s, sizeof s, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		       (int)part); /* it fits, whatever the year */
	return json_string_nocheck(s);
}

static json_t *address(const struct addr *a)
{
	char s[ADDR_STRLEN];

	return a->family ? json_string_nocheck(addr_format(a, s)) : json_null();
}

static json_t *preference(int n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *code_and_message(const char *code, const char *message)
{
	json_t *o;

	if (!code)
		return json_null();
	o = json_object();
	put(o, "code", text(code));
	put(o, "message", text(message));
	return o;
}

/* Lines joined by '\n', as an array. */
static json_t *lines(const struct buf *b)
{
	json_t *array = json_array();
	size_t at = 0;

	while (at < b->len) {
		const char *line = b->data + at;
		const char *end = memchr(line, '\n', b->len - at);
		size_t n = end ? (size_t)(end - line) : b->len - at;

		append(array, textn(line, n));
		at += n + 1;
	}
	return array;
}

static json_t *reply_object(const struct reply *reply)
{
	char enhanced[ENHANCED_STRLEN];
	bool has_enhanced;
	json_t *o, *array;
	const char *line;
	size_t n;

	if (!reply->code)
		return json_null();
	has_enhanced = reply_enhanced(reply, enhanced);
	o = json_object();
	put(o, "code", json_integer(reply->code));
	put(o, "enhanced", has_enhanced ? text(enhanced) : json_null());
	array = json_array();
	for (unsigned i = 0; reply_line(reply, i, &line, &n); i++) {
		size_t skip = has_enhanced ? enhanced_length(line, n) : 0;

		append(array, textn(line + skip, n - skip));
	}
	put(o, "lines", array);
	return o;
}

/* Whole days from the start of the run; an expired certificate has fewer than none. */
static json_t *days_left(time_t not_after, int64_t started_ms)
{
	return json_integer(
	    (json_int_t)floor(difftime(not_after, 0) / 86400.0 - (double)started_ms / 86400e3));
}

static json_t *tls_object(const struct tls_facts *facts, int64_t started_ms)
{
	bool done, certificate;
	json_t *o, *names = NULL;

	if (!facts)
		return json_null();
	done = facts->version != NULL;
	certificate = done && facts->not_after;
	if (done) {
		names = json_array();
		for (size_t i = 0; i < facts->n_names; i++)
			append(names, text(facts->names[i]));
	}
	o = json_object();
	put(o, "version", text(facts->version));
	put(o, "cipher", done ? text(facts->cipher) : NULL);
	put(o, "verified", done ? json_boolean(facts->verified) : NULL);
	put(o, "dane", done && facts->dane >= 0 ? json_boolean(facts->dane) : NULL);
	put(o, "subject", done ? text(facts->subject) : NULL);
	put(o, "issuer", done ? text(facts->issuer) : NULL);
	put(o, "not_after", certificate ? time_text((int64_t)facts->not_after * 1000) : NULL);
	put(o, "days_left", certificate ? days_left(facts->not_after, started_ms) : NULL);
	put(o, "names", names);
	put(o, "error", text(facts->error));
	return o;
}

static json_t *timing_object(const struct timing *t)
{
	json_t *o = json_object();

	put(o, "connect_ms", ms(t->connect));
	put(o, "first_byte_ms", ms(t->first_byte));
	put(o, "banner_ms", ms(t->banner));
	put(o, "ehlo_ms", ms(t->ehlo));
	put(o, "starttls_ms", ms(t->starttls));
	put(o, "tls_ms", ms(t->tls));
	put(o, "mail_ms", ms(t->mail));
	put(o, "total_ms", ms(t->total));
	return o;
}

static json_t *backends_array(const struct contact *c)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->n_backends; i++) {
		json_t *o = json_object();

		put(o, "name", text(c->backends[i].name));
		put(o, "sessions", json_integer(c->backends[i].sessions));
		put(o, "healthy", json_integer(c->backends[i].healthy));
		append(array, o);
	}
	return array;
}

/* How the session ended, in the words of the system or of the TLS library. A handshake that failed
 * before the session went on in plaintext is not how it ended. */
static json_t *endpoint_error(const struct observation *seen)
{
	if (seen->error)
		return text(seen->error);
	if (seen->tls && (seen->end == END_TLS || seen->end == END_CERTIFICATE))
		return text(seen->tls->error);
	return json_null();
}

/* What all endpoints that lead to one contact have in common; of the target it needs no more than
 * the port (for a host without address) and the start. */
static void put_contact(json_t *o, const struct contact *c, uint16_t port, int64_t started_ms)
{
	const struct observation *seen = &c->seen;

	put(o, "address", address(&c->addr));
	put(o, "family", text(addr_family_name(&c->addr)));
	put(o, "port", json_integer(c->addr.family ? c->addr.port : port));
	put(o, "class", text(class_name(c->class)));
	put(o, "reason", text(reason_name(c->reason)));
	put(o, "phase", text(phase_name(c->phase)));
	put(o, "sessions", json_integer(c->sessions));
	put(o, "healthy_sessions", json_integer(c->healthy_sessions));
	put(o, "backends", backends_array(c));
	put(o, "reply", reply_object(&seen->reply));
	/* An empty greeting is not the same as none. */
	put(o, "banner",
	    seen->banner.len || seen->phase > PHASE_BANNER
		? textn(seen->banner.data ? seen->banner.data : "", seen->banner.len)
		: NULL);
	put(o, "extensions",
	    seen->extensions.len || seen->phase > PHASE_EHLO ? lines(&seen->extensions) : NULL);
	put(o, "tls", tls_object(seen->tls, started_ms));
	put(o, "timing", timing_object(&c->timing));
	put(o, "rtt_ms", ms(c->rtt));
	put(o, "error", endpoint_error(seen));
}

static json_t *endpoints_array(const struct result *r, bool explain)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct endpoint *e = &r->endpoints[i];
		const struct contact *c = e->contact;
		json_t *o = json_object();

		put(o, "preference", preference(e->preference));
		put(o, "host", text(e->host));
		put_contact(o, c, r->port, r->started_ms);
		if (explain && c->class != CLASS_HEALTHY)
			put(o, "advice", text(advice_text(c->class, c->reason)));
		append(array, o);
	}
	return array;
}

static json_t *dns_object(const struct result *r)
{
	json_t *o, *mx;

	if (!r->has_dns)
		return json_null();
	mx = json_array();
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct mx_host *host = &r->hosts[i];
		json_t *entry = json_object(), *addresses = json_array();

		for (size_t j = 0; j < host->n_addrs; j++)
			append(addresses, address(&host->addrs[j]));
		put(entry, "preference", preference(host->preference));
		put(entry, "host", text(host->name));
		put(entry, "status", text(dns_status_name(host->status)));
		put(entry, "ttl", host->ttl < 0 ? NULL : json_integer(host->ttl));
		put(entry, "addresses", addresses);
		append(mx, entry);
	}
	o = json_object();
	put(o, "source", text(dns_source_name(r->source)));
	put(o, "status", text(dns_status_name(r->status)));
	put(o, "authenticated", json_boolean(r->authenticated));
	put(o, "elapsed_ms", ms(r->dns_elapsed));
	put(o, "mx", mx);
	return o;
}

static json_t *summary_object(const struct summary *s)
{
	json_t *o = json_object();

	put(o, "endpoints", json_integer(s->endpoints));
	for (int i = 0; i < CLASSES; i++)
		put(o, class_name((enum class)i), json_integer(s->count[i]));
	put(o, "slowest_ms", ms(s->slowest));
	return o;
}

static json_t *delivery_object(const struct delivery *d)
{
	json_t *o = json_object(), *senders = json_object();

	for (size_t i = 0; i < d->n_senders; i++) {
		const struct sender_delivery *sender = &d->senders[i];
		json_t *entry = json_object();

		put(entry, "accepted", d->contacted ? share(sender->accepted) : NULL);
		put(entry, "seconds",
		    d->contacted ? real(round(sender->seconds * 1e3) / 1e3) : NULL);
		put(senders, sender->name, entry);
	}
	put(o, "first_try", d->contacted ? share(d->first_try) : NULL);
	put(o, "possible", json_boolean(d->possible));
	put(o, "senders", senders);
	return o;
}

/* RFC 8461: the record's id, the policy that it announced, or why there is none. */
static json_t *sts_object(const struct sts_finding *sts)
{
	const struct sts_policy *policy = sts->policy;
	json_t *o = json_object(), *mx = NULL;

	if (policy) {
		mx = json_array();
		for (size_t i = 0; i < policy->n_mx; i++)
			append(mx, text(policy->mx[i]));
	}
	put(o, "id", text(sts->id));
	put(o, "mode", policy ? text(sts_mode_name(policy->mode)) : NULL);
	put(o, "max_age", policy ? json_integer(policy->max_age) : NULL);
	put(o, "mx", mx);
	put(o, "error", text(sts->error));
	return o;
}

static json_t *target_object(const struct result *r, bool explain)
{
	json_t *o = json_object(), *warnings = json_array();

	for (size_t i = 0; i < r->n_warnings; i++)
		append(warnings, code_and_message(r->warnings[i].code, r->warnings[i].message));
	put(o, "schema", text("mxprobe/1"));
	put(o, "version", text(MXPROBE_VERSION));
	put(o, "index", r->index < 0 ? NULL : json_integer(r->index));
	put(o, "target", text(r->target));
	put(o, "domain", text(r->domain));
	put(o, "started", time_text(r->started_ms));
	put(o, "elapsed_ms", ms(r->elapsed));
	put(o, "helo", text(r->helo));
	put(o, "from", text(r->from));
	put(o, "verdict", text(verdict_name(r->verdict)));
	put(o, "exit", json_integer(verdict_exit(r->verdict)));
	put(o, "error", code_and_message(r->error_code, r->error_message));
	put(o, "warnings", warnings);
	put(o, "dns", dns_object(r));
	put(o, "summary", summary_object(&r->summary));
	put(o, "delivery", delivery_object(&r->delivery));
	put(o, "mta_sts", r->has_sts ? sts_object(&r->sts) : NULL);
	put(o, "endpoints", endpoints_array(r, explain));
	return o;
}

/* What a terminal or a reader by lines may act upon though JSON lets it stand as it is: DEL, the
 * C1 controls, line separators, marks that turn the direction of writing. */
static bool must_escape(uint32_t cp)
{
	return (cp >= 0x7F && cp < 0xA0) || cp == 0x061C || cp == 0x200E || cp == 0x200F ||
	       (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xFEFF;
}

/* Appends JSON text; all that is not ASCII, and DEL, can only stand inside its strings. */
static void add_escaped(struct buf *out, const char *s)
{
	size_t n = strlen(s), start = 0, at = 0;

	while (at < n) {
		uint32_t cp = 0;
		size_t len = utf8_decode(s + at, n - at, &cp);

		if (len && !must_escape(cp)) {
			at += len;
			continue;
		}
		buf_add(out, s + start, at - start);
		buf_printf(out, "\\u%04x", len ? (unsigned)cp : 0xFFFDU);
		at += len ? len : 1;
		start = at;
	}
	buf_add(out, s + start, n - start);
}

static void json_begin(struct report *r)
{
	(void)r;
	json_set_alloc_funcs(xmalloc, free); /* out of memory ends the program here, too */
}

static void json_target(struct report *r, const struct result *result)
{
	json_t *o = target_object(result, r->conf.explain);
	/* Real numbers with 15 digits: 81.2 stays 81.2, and no span is that long. */
	char *s = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(15));

	/* Cannot fail: the tree is made of valid strings and finite numbers. */
	if (s)
		add_escaped(&r->out, s);
	buf_addc(&r->out, '\n');
	free(s);
	json_decref(o);
}

const struct report_kind report_json = {
    .name = "json",
    .begin = json_begin,
    .target = json_target,
};

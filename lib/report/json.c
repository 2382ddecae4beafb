/* One JSON object a target, one line each (schema mxprobe/1). */
#include "report/json.h"

#include "judge/advice.h"
#include "report/report.h"
#include "report/writer.h"

#include <math.h>
#include <string.h>

static void write_address(struct writer *w, const char *key, const struct addr *a)
{
	char s[ADDR_STRLEN];

	write_word(w, key, a->family ? addr_format(a, s) : NULL);
}

/* A number that is not there is negative. */
static void write_natural(struct writer *w, const char *key, int64_t n)
{
	if (n < 0)
		write_null(w, key);
	else
		write_int(w, key, n);
}

static void write_code_and_message(struct writer *w, const char *key, const char *code,
				   const char *message)
{
	write_open(w, key, '{');
	write_word(w, "code", code);
	write_text(w, "message", message);
	write_close(w, '}');
}

/* Lines joined by '\n', as an array. */
static void write_lines(struct writer *w, const char *key, const struct buf *b)
{
	size_t at = 0;

	write_open(w, key, '[');
	while (at < b->len) {
		const char *line = b->data + at;
		const char *end = memchr(line, '\n', b->len - at);
		size_t n = end ? (size_t)(end - line) : b->len - at;

		write_textn(w, NULL, line, n);
		at += n + 1;
	}
	write_close(w, ']');
}

static void write_reply(struct writer *w, const char *key, const struct reply *reply)
{
	char enhanced[ENHANCED_STRLEN];
	bool has_enhanced;
	const char *line;
	size_t n;

	if (!reply->code) {
		write_null(w, key);
		return;
	}
	has_enhanced = reply_enhanced(reply, enhanced);
	write_open(w, key, '{');
	write_int(w, "code", reply->code);
	write_text(w, "enhanced", has_enhanced ? enhanced : NULL);
	write_open(w, "lines", '[');
	for (unsigned i = 0; reply_line(reply, i, &line, &n); i++) {
		size_t skip = has_enhanced ? enhanced_length(line, n) : 0;

		write_textn(w, NULL, line + skip, n - skip);
	}
	write_close(w, ']');
	write_close(w, '}');
}

/* Whole days from the start of the run; an expired certificate has fewer than none. */
static int64_t days_left(time_t not_after, int64_t started_ms)
{
	return (int64_t)floor(difftime(not_after, 0) / 86400.0 - (double)started_ms / 86400e3);
}

static void write_tls(struct writer *w, const char *key, const struct tls_facts *facts,
		      int64_t started_ms)
{
	bool done;

	if (!facts) {
		write_null(w, key);
		return;
	}
	done = facts->version != NULL;
	write_open(w, key, '{');
	write_text(w, "version", facts->version);
	write_text(w, "cipher", done ? facts->cipher : NULL);
	if (done)
		write_bool(w, "verified", facts->verified);
	else
		write_null(w, "verified");
	if (done && facts->dane >= 0)
		write_bool(w, "dane", facts->dane);
	else
		write_null(w, "dane");
	write_text(w, "subject", done ? facts->subject : NULL);
	write_text(w, "issuer", done ? facts->issuer : NULL);
	if (done && facts->not_after) {
		write_time(w, "not_after", (int64_t)facts->not_after * 1000);
		write_int(w, "days_left", days_left(facts->not_after, started_ms));
	} else {
		write_null(w, "not_after");
		write_null(w, "days_left");
	}
	if (done) {
		write_open(w, "names", '[');
		for (size_t i = 0; i < facts->n_names; i++)
			write_text(w, NULL, facts->names[i]);
		write_close(w, ']');
	} else {
		write_null(w, "names");
	}
	write_text(w, "error", facts->error);
	write_close(w, '}');
}

static void write_timing(struct writer *w, const char *key, const struct timing *t)
{
	write_open(w, key, '{');
	write_ms(w, "connect_ms", t->connect);
	write_ms(w, "first_byte_ms", t->first_byte);
	write_ms(w, "banner_ms", t->banner);
	write_ms(w, "ehlo_ms", t->ehlo);
	write_ms(w, "starttls_ms", t->starttls);
	write_ms(w, "tls_ms", t->tls);
	write_ms(w, "mail_ms", t->mail);
	write_ms(w, "total_ms", t->total);
	write_close(w, '}');
}

static void write_backends(struct writer *w, const char *key, const struct contact *c)
{
	write_open(w, key, '[');
	for (size_t i = 0; i < c->n_backends; i++) {
		write_open(w, NULL, '{');
		write_text(w, "name", c->backends[i].name);
		write_int(w, "sessions", c->backends[i].sessions);
		write_int(w, "healthy", c->backends[i].healthy);
		write_close(w, '}');
	}
	write_close(w, ']');
}

/* How the session ended, in the words of the system or of the TLS library. A handshake that failed
 * before the session went on in plaintext is not how it ended. */
static const char *error_of(const struct observation *seen)
{
	if (seen->error)
		return seen->error;
	if (seen->tls && (seen->end == END_TLS || seen->end == END_CERTIFICATE))
		return seen->tls->error;
	return NULL;
}

static int64_t days_of(const struct contact *c, int64_t started_ms)
{
	const struct tls_facts *facts = c->seen.tls;

	return facts && facts->not_after ? days_left(facts->not_after, started_ms) : 0;
}

static void make_contact(struct writer *w, const struct contact *c, uint16_t port,
			 int64_t started_ms)
{
	const struct observation *seen = &c->seen;

	write_address(w, "address", &c->addr);
	write_word(w, "family", addr_family_name(&c->addr));
	write_int(w, "port", c->addr.family ? c->addr.port : port);
	write_word(w, "class", class_name(c->class));
	write_word(w, "reason", reason_name(c->reason));
	write_word(w, "phase", phase_name(c->phase));
	write_int(w, "sessions", c->sessions);
	write_int(w, "healthy_sessions", c->healthy_sessions);
	write_backends(w, "backends", c);
	write_reply(w, "reply", &seen->reply);
	/* An empty greeting is not the same as none. */
	if (seen->banner.len || seen->phase > PHASE_BANNER)
		write_textn(w, "banner", seen->banner.data, seen->banner.len);
	else
		write_null(w, "banner");
	if (seen->extensions.len || seen->phase > PHASE_EHLO)
		write_lines(w, "extensions", &seen->extensions);
	else
		write_null(w, "extensions");
	write_tls(w, "tls", seen->tls, started_ms);
	write_timing(w, "timing", &c->timing);
	write_ms(w, "rtt_ms", c->rtt);
	write_text(w, "error", error_of(seen));
}

/* What all endpoints that lead to one contact have in common; of the target it needs no more than
 * the port (for a host without address) and the start. Where many domains have few servers this is
 * nearly all of the report. */
static void write_contact(struct writer *w, const struct contact *c, uint16_t port,
			  int64_t started_ms)
{
	struct shared_text *text = c->text;
	size_t start = w->out->len;

	if (text && text->json.len && text->days_left == days_of(c, started_ms)) {
		buf_add(w->out, text->json.data, text->json.len);
		w->comma = true;
		return;
	}
	make_contact(w, c, port, started_ms);
	if (!text)
		return;
	buf_clear(&text->json);
	buf_add(&text->json, w->out->data + start, w->out->len - start);
	text->days_left = days_of(c, started_ms);
}

/* A moment that is not there is negative. */
static void write_since(struct writer *w, int64_t unix_ms)
{
	if (unix_ms < 0)
		write_null(w, "since");
	else
		write_time(w, "since", unix_ms);
}

static void write_past_class(struct writer *w, const struct past *past, size_t i)
{
	static const struct past_class nothing = {-1, -1};
	const struct past_class *p = past->endpoints ? &past->endpoints[i] : &nothing;

	write_text(w, "previous_class",
		   p->previous < 0 ? NULL : class_name((enum class)p->previous));
	write_since(w, p->since_ms);
}

static void write_past(struct writer *w, const struct past *past)
{
	int previous = past->previous_verdict;

	write_text(w, "previous_verdict",
		   previous < 0 ? NULL : verdict_name((enum verdict)previous));
	write_bool(w, "changed", past->changed);
	write_since(w, past->since_ms);
}

static void write_endpoints(struct writer *w, const struct result *r, bool explain)
{
	write_open(w, "endpoints", '[');
	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct endpoint *e = &r->endpoints[i];
		const struct contact *c = e->contact;

		write_open(w, NULL, '{');
		write_natural(w, "preference", e->preference);
		write_text(w, "host", e->host);
		write_contact(w, c, r->port, r->started_ms);
		if (explain && c->class != CLASS_HEALTHY)
			write_text(w, "advice", advice_text(c->class, c->reason));
		if (r->past)
			write_past_class(w, r->past, i);
		write_close(w, '}');
	}
	write_close(w, ']');
}

static void write_dns(struct writer *w, const struct result *r)
{
	if (!r->has_dns) {
		write_null(w, "dns");
		return;
	}
	write_open(w, "dns", '{');
	write_word(w, "source", dns_source_name(r->source));
	write_word(w, "status", dns_status_name(r->status));
	write_bool(w, "authenticated", r->authenticated);
	write_ms(w, "elapsed_ms", r->dns_elapsed);
	write_open(w, "mx", '[');
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct mx_host *host = &r->hosts[i];

		write_open(w, NULL, '{');
		write_natural(w, "preference", host->preference);
		write_text(w, "host", host->name);
		write_word(w, "status", dns_status_name(host->status));
		write_natural(w, "ttl", host->ttl);
		write_open(w, "addresses", '[');
		for (size_t j = 0; j < host->n_addrs; j++)
			write_address(w, NULL, &host->addrs[j]);
		write_close(w, ']');
		write_close(w, '}');
	}
	write_close(w, ']');
	write_close(w, '}');
}

static void write_summary(struct writer *w, const struct summary *s)
{
	write_open(w, "summary", '{');
	write_int(w, "endpoints", s->endpoints);
	for (int i = 0; i < CLASSES; i++)
		write_int(w, class_name((enum class)i), s->count[i]);
	write_ms(w, "slowest_ms", s->slowest);
	write_close(w, '}');
}

static void write_delivery(struct writer *w, const struct delivery *d)
{
	write_open(w, "delivery", '{');
	if (d->contacted)
		write_share(w, "first_try", d->first_try);
	else
		write_null(w, "first_try");
	write_bool(w, "possible", d->possible);
	write_open(w, "senders", '{');
	for (size_t i = 0; i < d->n_senders; i++) {
		const struct sender_delivery *sender = &d->senders[i];

		write_open(w, sender->name, '{');
		if (d->contacted) {
			write_share(w, "accepted", sender->accepted);
			write_real(w, "seconds", sender->seconds, 3);
		} else {
			write_null(w, "accepted");
			write_null(w, "seconds");
		}
		write_close(w, '}');
	}
	write_close(w, '}');
	write_close(w, '}');
}

/* RFC 8461: the record's id, the policy that it announced, or why there is none. */
static void write_sts(struct writer *w, const char *key, const struct sts_finding *sts)
{
	const struct sts_policy *policy = sts->policy;

	write_open(w, key, '{');
	write_text(w, "id", sts->id);
	write_text(w, "mode", policy ? sts_mode_name(policy->mode) : NULL);
	write_natural(w, "max_age", policy ? (int64_t)policy->max_age : -1);
	if (policy) {
		write_open(w, "mx", '[');
		for (size_t i = 0; i < policy->n_mx; i++)
			write_text(w, NULL, policy->mx[i]);
		write_close(w, ']');
	} else {
		write_null(w, "mx");
	}
	write_text(w, "error", sts->error);
	write_close(w, '}');
}

void json_result(struct buf *out, const struct result *r, bool explain, const struct notice *notice)
{
	struct writer w = {.out = out};

	write_open(&w, NULL, '{');
	write_word(&w, "schema", "mxprobe/1");
	write_word(&w, "version", MXPROBE_VERSION);
	if (notice) {
		write_text(&w, "event", notice->event);
		write_text(&w, "id", notice->id);
		write_text(&w, "text", notice->text);
	}
	write_natural(&w, "index", r->index);
	write_text(&w, "target", r->target);
	write_text(&w, "domain", r->domain);
	write_time(&w, "started", r->started_ms);
	write_ms(&w, "elapsed_ms", r->elapsed);
	write_text(&w, "helo", r->helo);
	write_text(&w, "from", r->from);
	write_word(&w, "verdict", verdict_name(r->verdict));
	write_int(&w, "exit", verdict_exit(r->verdict));
	if (r->past)
		write_past(&w, r->past);
	if (r->error_code)
		write_code_and_message(&w, "error", r->error_code, r->error_message);
	else
		write_null(&w, "error");
	write_open(&w, "warnings", '[');
	for (size_t i = 0; i < r->n_warnings; i++)
		write_code_and_message(&w, NULL, r->warnings[i].code, r->warnings[i].message);
	write_close(&w, ']');
	write_dns(&w, r);
	write_summary(&w, &r->summary);
	write_delivery(&w, &r->delivery);
	if (r->has_sts)
		write_sts(&w, "mta_sts", &r->sts);
	else
		write_null(&w, "mta_sts");
	write_endpoints(&w, r, explain);
	write_close(&w, '}');
	buf_addc(out, '\n');
}

static void json_target(struct report *report, const struct result *r)
{
	json_result(&report->out, r, report->conf.explain, NULL);
}

const struct report_kind report_json = {
    .name = "json",
    .target = json_target,
};

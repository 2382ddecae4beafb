#include "report/prometheus.h"

#include "base/map.h"
#include "base/text.h"
#include "report/number.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#ifndef MXPROBE_VERSION
#define MXPROBE_VERSION "unknown"
#endif

enum metric {
	METRIC_UP,
	METRIC_VERDICT,
	METRIC_ENDPOINTS,
	METRIC_FIRST_TRY,
	METRIC_PHASE,
	METRIC_CERTIFICATE,
	METRIC_DNS,
	METRIC_LAST_RUN,
	METRIC_DURATION,
	METRIC_BUILD,
	METRICS
};

static const struct {
	const char *name, *help;
} metrics[] = {
    [METRIC_UP] = {"mxprobe_up", "Whether some endpoint of the domain accepts mail."},
    [METRIC_VERDICT] = {"mxprobe_verdict", "Verdict on the domain: 1 for the one that holds."},
    [METRIC_ENDPOINTS] = {"mxprobe_endpoints", "Endpoints of an MX host by class and reason."},
    [METRIC_FIRST_TRY] = {"mxprobe_first_try_ratio",
			  "Probability that a sender's first contact is accepted."},
    [METRIC_PHASE] = {"mxprobe_phase_duration_seconds",
		      "Duration of a session's phase, the longest of the healthy endpoints."},
    [METRIC_CERTIFICATE] = {"mxprobe_certificate_expiry_timestamp_seconds",
			    "When the first certificate of an MX host expires, Unix time."},
    [METRIC_DNS] = {"mxprobe_dns_duration_seconds", "Duration of the domain's DNS lookups."},
    [METRIC_LAST_RUN] = {"mxprobe_last_run_timestamp_seconds",
			 "When the last target was finished, Unix time."},
    [METRIC_DURATION] = {"mxprobe_run_duration_seconds",
			 "From the start of the first target to the end of the last."},
    [METRIC_BUILD] = {"mxprobe_build_info", "Version of mxprobe; always 1."},
};
static_assert(ARRAY_LEN(metrics) == METRICS, "every metric has a name");

/* The reasons of each class, for state sets that are whole: a series must not come into being only
 * when things go wrong. */
static const struct {
	enum class class;
	enum reason reason;
} outcomes[] = {
    {CLASS_HEALTHY, REASON_OK},

    {CLASS_EXHAUSTED, REASON_MEMORY},
    {CLASS_EXHAUSTED, REASON_DISK},
    {CLASS_EXHAUSTED, REASON_LOAD},
    {CLASS_EXHAUSTED, REASON_CONNECTIONS},
    {CLASS_EXHAUSTED, REASON_UNSPECIFIED},

    {CLASS_DEFERRED, REASON_THROTTLE},
    {CLASS_DEFERRED, REASON_GREYLIST},
    {CLASS_DEFERRED, REASON_POLICY},
    {CLASS_DEFERRED, REASON_MAILBOX},
    {CLASS_DEFERRED, REASON_MAINTENANCE},
    {CLASS_DEFERRED, REASON_DNS},
    {CLASS_DEFERRED, REASON_TLS},
    {CLASS_DEFERRED, REASON_INTERNAL},
    {CLASS_DEFERRED, REASON_OTHER},

    {CLASS_REJECTED, REASON_POLICY},
    {CLASS_REJECTED, REASON_AUTH},
    {CLASS_REJECTED, REASON_SYNTAX},
    {CLASS_REJECTED, REASON_NO_SERVICE},
    {CLASS_REJECTED, REASON_SIZE},
    {CLASS_REJECTED, REASON_OTHER},

    {CLASS_TIMEOUT, REASON_CONNECT},
    {CLASS_TIMEOUT, REASON_SILENT},
    {CLASS_TIMEOUT, REASON_SLOW},

    {CLASS_DOWN, REASON_REFUSED},
    {CLASS_DOWN, REASON_UNREACHABLE},
    {CLASS_DOWN, REASON_CLOSED},

    {CLASS_BROKEN, REASON_NOT_SMTP},
    {CLASS_BROKEN, REASON_BAD_REPLY},
    {CLASS_BROKEN, REASON_TLS},
    {CLASS_BROKEN, REASON_CERTIFICATE},
    {CLASS_BROKEN, REASON_NO_TLS},

    {CLASS_UNRESOLVED, REASON_NXDOMAIN},
    {CLASS_UNRESOLVED, REASON_NO_ADDRESS},
    {CLASS_UNRESOLVED, REASON_SERVFAIL},
    {CLASS_UNRESOLVED, REASON_TIMEOUT},
    {CLASS_UNRESOLVED, REASON_INVALID},

    {CLASS_SKIPPED, REASON_NO_ROUTE},
    {CLASS_SKIPPED, REASON_NOT_PUBLIC},
    {CLASS_SKIPPED, REASON_LIMIT},
    {CLASS_SKIPPED, REASON_DEADLINE},
    {CLASS_SKIPPED, REASON_INTERRUPTED},
    {CLASS_SKIPPED, REASON_LOCAL_ERROR},
};

struct state {
	struct buf samples[METRICS];
	struct map seen; /* values of the label domain */
	bool any;
	int64_t first_ms, last_ms; /* of the run */
};

/* Appends foreign text as the value of a label. */
static void add_value(struct buf *out, const char *s)
{
	struct buf safe = {0};

	text_safe(&safe, s, strlen(s)); /* no newline is left that would need an escape */
	for (uint32_t i = 0; i < safe.len; i++) {
		if (safe.data[i] == '\\' || safe.data[i] == '"')
			buf_addc(out, '\\');
		buf_addc(out, safe.data[i]);
	}
	buf_fini(&safe);
}

static char *domain_label(const struct result *r)
{
	bool bracketed = r->source == SOURCE_HOST || r->source == SOURCE_LITERAL;
	struct buf out = {0};

	if (!r->domain) {
		add_value(&out, r->target);
		return buf_steal(&out);
	}
	bracketed = bracketed && r->domain[0] != '[';
	if (bracketed)
		buf_addc(&out, '[');
	add_value(&out, r->domain);
	if (bracketed)
		buf_addc(&out, ']');
	if (r->port != 25)
		buf_printf(&out, ":%u", (unsigned)r->port);
	return buf_steal(&out);
}

/* Starts a sample: its name, and the labels so far without the closing brace. */
static struct buf *sample(struct state *s, enum metric metric, const char *labels)
{
	struct buf *out = &s->samples[metric];

	buf_addstr(out, metrics[metric].name);
	buf_addc(out, '{');
	buf_addstr(out, labels);
	return out;
}

static void add_number(struct buf *out, double value)
{
	buf_addstr(out, "} ");
	number_add(out, value, 6);
	buf_addc(out, '\n');
}

static bool same_text(const char *a, const char *b)
{
	return a == b || strcmp(a, b) == 0;
}

/* Are the two shown by the same series? */
static bool same_series(const struct endpoint *a, const struct endpoint *b, bool addresses)
{
	if (a->contact->addr.family != b->contact->addr.family || !same_text(a->host, b->host))
		return false;
	return !addresses || addr_equal(&a->contact->addr, &b->contact->addr);
}

static bool is_first(const struct result *r, size_t i, bool addresses)
{
	for (size_t k = 0; k < i; k++)
		if (same_series(&r->endpoints[k], &r->endpoints[i], addresses))
			return false;
	return true;
}

/* The timings that are phases of the dialogue, by their names. */
static usec_t phase_timing(const struct timing *t, enum phase phase)
{
	switch (phase) {
	case PHASE_CONNECT:
		return t->connect;
	case PHASE_BANNER:
		return t->banner;
	case PHASE_EHLO:
		return t->ehlo;
	case PHASE_STARTTLS:
		return t->starttls;
	case PHASE_TLS:
		return t->tls;
	case PHASE_MAIL:
		return t->mail;
	default:
		return USEC_NONE;
	}
}

/* All that endpoint i and those after it which share its series have to say. */
static void add_series(struct state *s, const struct result *r, size_t i, const char *domain,
		       bool addresses)
{
	const struct endpoint *first = &r->endpoints[i];
	const char *family = addr_family_name(&first->contact->addr);
	unsigned counts[ARRAY_LEN(outcomes)] = {0};
	usec_t slowest[PHASES];
	time_t expiry = 0;
	struct buf labels = {0};

	for (int p = 0; p < PHASES; p++)
		slowest[p] = USEC_NONE;
	for (size_t k = i; k < r->n_endpoints; k++) {
		const struct contact *c = r->endpoints[k].contact;

		if (!same_series(&r->endpoints[k], first, addresses))
			continue;
		for (size_t o = 0; o < ARRAY_LEN(outcomes); o++)
			counts[o] +=
			    outcomes[o].class == c->class && outcomes[o].reason == c->reason;
		for (int p = 0; c->class == CLASS_HEALTHY && p < PHASES; p++)
			if (phase_timing(&c->timing, (enum phase)p) > slowest[p])
				slowest[p] = phase_timing(&c->timing, (enum phase)p);
		if (c->seen.tls && c->seen.tls->not_after &&
		    (!expiry || c->seen.tls->not_after < expiry))
			expiry = c->seen.tls->not_after;
	}

	buf_printf(&labels, "%s,mx=\"", domain);
	add_value(&labels, first->host);
	buf_printf(&labels, "\",family=\"%s\"", family ? family : "none");
	if (addresses && family) {
		char address[ADDR_STRLEN];

		buf_addstr(&labels, ",address=\"");
		add_value(&labels, addr_format(&first->contact->addr, address));
		buf_printf(&labels, "\",port=\"%u\"", (unsigned)first->contact->addr.port);
	}
	for (size_t o = 0; o < ARRAY_LEN(outcomes); o++) {
		struct buf *out = sample(s, METRIC_ENDPOINTS, buf_str(&labels));

		buf_printf(out, ",class=\"%s\",reason=\"%s\"} %u\n", class_name(outcomes[o].class),
			   reason_name(outcomes[o].reason), counts[o]);
	}
	for (int p = 0; p < PHASES; p++) {
		if (slowest[p] == USEC_NONE)
			continue;
		struct buf *out = sample(s, METRIC_PHASE, buf_str(&labels));

		buf_printf(out, ",phase=\"%s\"", phase_name((enum phase)p));
		add_number(out, (double)slowest[p] / (double)USEC_PER_SEC);
	}
	if (expiry)
		add_number(sample(s, METRIC_CERTIFICATE, buf_str(&labels)), (double)expiry);
	buf_fini(&labels);
}

static void prometheus_begin(struct report *report)
{
	report->state = xcalloc(1, sizeof(struct state));
}

static void prometheus_target(struct report *report, const struct result *r)
{
	struct state *s = report->state;
	int64_t end_ms = r->started_ms + r->elapsed / USEC_PER_MS;
	struct buf labels = {0};
	char *name;

	if (r->index < 0)
		return;
	if (!s->any || r->started_ms < s->first_ms)
		s->first_ms = r->started_ms;
	if (!s->any || end_ms > s->last_ms)
		s->last_ms = end_ms;
	s->any = true;

	name = domain_label(r);
	if (map_put(&s->seen, name, strlen(name), s)) {
		free(name);
		return;
	}
	buf_printf(&labels, "domain=\"%s\"", name);
	free(name);
	name = buf_steal(&labels);

	add_number(sample(s, METRIC_UP, name),
		   r->verdict == VERDICT_HEALTHY || r->verdict == VERDICT_DEGRADED);
	for (int v = 0; v < VERDICTS; v++) {
		struct buf *out = sample(s, METRIC_VERDICT, name);

		buf_printf(out, ",verdict=\"%s\"} %d\n", verdict_name((enum verdict)v),
			   r->verdict == (enum verdict)v);
	}
	if (r->delivery.contacted)
		add_number(sample(s, METRIC_FIRST_TRY, name), r->delivery.first_try);
	if (r->has_dns && r->dns_elapsed != USEC_NONE)
		add_number(sample(s, METRIC_DNS, name),
			   (double)r->dns_elapsed / (double)USEC_PER_SEC);
	for (size_t i = 0; i < r->n_endpoints; i++)
		if (is_first(r, i, report->conf.addresses))
			add_series(s, r, i, name, report->conf.addresses);
	free(name);
}

static void prometheus_end(struct report *report)
{
	struct state *s = report->state;

	if (s->any) {
		buf_addstr(&s->samples[METRIC_LAST_RUN], metrics[METRIC_LAST_RUN].name);
		buf_addc(&s->samples[METRIC_LAST_RUN], ' ');
		number_add(&s->samples[METRIC_LAST_RUN], (double)s->last_ms / 1000, 3);
		buf_addc(&s->samples[METRIC_LAST_RUN], '\n');
		buf_addstr(&s->samples[METRIC_DURATION], metrics[METRIC_DURATION].name);
		buf_addc(&s->samples[METRIC_DURATION], ' ');
		number_add(&s->samples[METRIC_DURATION], (double)(s->last_ms - s->first_ms) / 1000,
			   3);
		buf_addc(&s->samples[METRIC_DURATION], '\n');
	}
	add_number(sample(s, METRIC_BUILD, "version=\"" MXPROBE_VERSION "\""), 1);

	for (int m = 0; m < METRICS; m++) {
		struct buf *samples = &s->samples[m];

		if (samples->len) {
			buf_printf(&report->out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[m].name,
				   metrics[m].help, metrics[m].name);
			buf_add(&report->out, samples->data, samples->len);
		}
		buf_fini(samples); /* at once: there may be much of it */
	}
	map_fini(&s->seen);
	free(s);
	report->state = NULL;
}

const struct report_kind report_prometheus = {
    .name = "prometheus",
    .begin = prometheus_begin,
    .target = prometheus_target,
    .end = prometheus_end,
};

#include "report/plugin.h"

#include "base/text.h"
#include "judge/verdict.h"
#include "report/number.h"
#include "report/words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUTPUT_MAX = 8191,     /* octets in all: what monitoring systems still take */
	LINE_TEXT_MAX = 2000,  /* octets of the first line's text, perfdata not counted */
	NAME_MAX_OCTETS = 253, /* of a target or host shown: what a domain name may have */
	WORDS_MAX = 120,       /* octets of a reply in the first line */
	DETAIL_MAX = 400,      /* and in a line of its own */
	FINDINGS_MAX = 64      /* more than either bound lets pass */
};

/* What is wrong in one place: an endpoint that is not healthy, or a target without endpoints. */
struct finding {
	uint64_t rank;  /* the higher, the worse */
	int64_t target; /* and of equal ones, in order of the input */
	char *name;     /* the target's */
	char *text, *detail;
	bool whole; /* the text is what the heading says of this target */
};

struct state {
	unsigned verdicts[VERDICTS];
	unsigned endpoints[CLASSES];
	unsigned healthy, unhealthy; /* of the targets that ranges apply to */
	bool judged;                 /* there is such a target */
	int worst;                   /* state of the others */
	double first_try;            /* sum */
	unsigned contacted;          /* of so many targets */
	usec_t slowest;
	bool has_days, incomplete;
	int64_t days;     /* least */
	char *days_where; /* of which endpoint */
	char *control;    /* what is to be said of a control target that is not well */
	char *blocked;    /* the warning on port 25, or on the resolvers */
	char *heading;    /* of the first target */
	struct finding findings[FINDINGS_MAX];
	size_t n_findings, more;
};

static const struct plugin_conf no_limits;

static const struct plugin_conf *conf_of(const struct report *r)
{
	return r->conf.plugin ? r->conf.plugin : &no_limits;
}

/* Appends foreign text, cut to `most` octets. Escapes would not do: monitoring systems interpret a
 * backslash (`\n` in results, printf %b in notifications), shells and web pages quotes and more. So
 * each character that has a meaning to any of them becomes one that has none. */
static void add_text(struct buf *out, const char *s, size_t n, size_t most)
{
	static const char *const instead[128] = {
	    ['|'] = "/",
	    ['\\'] = "/",
	    ['<'] = "(",
	    ['>'] = ")",
	    ['&'] = "+",
	    [';'] = ",",
	    ['$'] = "?",
	    ['"'] = "\xE2\x80\x99",
	    ['\''] = "\xE2\x80\x99",
	    ['`'] = "\xE2\x80\x99",
	};
	struct buf safe = {0};
	size_t start = out->len;

	while (n) {
		uint32_t cp = 0;
		size_t len = utf8_decode(s, n, &cp);
		const char *piece = s;
		size_t octets = len;

		buf_clear(&safe);
		text_safe(&safe, s, len ? len : 1);
		if (!len || safe.len != len) {
			piece = "?";
			octets = 1;
		} else if (cp < 128 && instead[cp]) {
			piece = instead[cp];
			octets = strlen(piece);
		}
		if (out->len - start + octets > most) {
			buf_addstr(out, "...");
			break;
		}
		buf_add(out, piece, octets);
		len = len ? len : 1;
		s += len;
		n -= len;
	}
	buf_fini(&safe);
}

static void add_name(struct buf *out, const char *name)
{
	add_text(out, name, strlen(name), NAME_MAX_OCTETS);
}

/* host[address] */
static void add_place(struct buf *out, const struct endpoint *e)
{
	char address[ADDR_STRLEN];

	add_name(out, e->host);
	if (!e->contact->addr.family)
		return;
	addr_format(&e->contact->addr, address);
	if (strcmp(address, e->host) != 0) {
		buf_addc(out, '[');
		add_text(out, address, strlen(address), sizeof address); /* a zone is a name, too */
		buf_addc(out, ']');
	}
}

static void add_count(struct buf *out, unsigned n, const char *one)
{
	buf_printf(out, "%u %s%s", n, one, n == 1 ? "" : "s");
}

/* "mx4.example[192.0.2.1] exhausted/memory 452 4.3.1 Out of memory"; `detail`: with the phase, and
 * a sentence where there was no reply. */
static char *endpoint_text(const struct endpoint *e, bool detail)
{
	const struct contact *c = e->contact;
	struct buf out = {0}, words = {0};
	bool replied = words_ending(&words, c);

	add_place(&out, e);
	if (detail && c->addr.family)
		buf_printf(&out, " port %u", (unsigned)c->addr.port);
	buf_printf(&out, " %s/%s", class_name(c->class), reason_name(c->reason));
	if (detail && c->addr.family)
		buf_printf(&out, " in phase %s", phase_name(c->phase));
	if (words.len && (replied || detail || c->class == CLASS_BROKEN)) {
		buf_addstr(&out, detail ? ": " : " ");
		add_text(&out, words.data, words.len, detail ? DETAIL_MAX : WORDS_MAX);
	}
	if (c->healthy_sessions && c->class != CLASS_HEALTHY)
		buf_printf(&out, " (%u of %u sessions healthy)", c->healthy_sessions, c->sessions);
	buf_fini(&words);
	return buf_steal(&out);
}

/* What DNS had to say where it led to no endpoint. */
static const char *const no_endpoints[] = {
    [DNS_OK] = "nothing is known of it",
    [DNS_NXDOMAIN] = "the domain does not exist (NXDOMAIN)",
    [DNS_NO_ADDRESS] = "the domain has neither MX nor address",
    [DNS_SERVFAIL] = "DNS gave no usable answer (SERVFAIL)",
    [DNS_TIMEOUT] = "DNS gave no answer in time",
    [DNS_INVALID] = "DNS gave an MX that no mail can go to",
    [DNS_LOCAL_ERROR] = "this machine could not ask the DNS",
};
static_assert(ARRAY_LEN(no_endpoints) == DNS_STATUSES, "every status has its words");

static void add_shares(struct buf *out, const unsigned endpoints[CLASSES], unsigned all)
{
	unsigned known = all - endpoints[CLASS_SKIPPED];

	buf_printf(out, "%u of ", endpoints[CLASS_HEALTHY]);
	add_count(out, known, "endpoint");
	buf_addstr(out, " healthy");
	if (endpoints[CLASS_SKIPPED])
		buf_printf(out, ", %u skipped", endpoints[CLASS_SKIPPED]);
}

/* "msn.com: 14 of 16 endpoints healthy" */
static char *target_text(const struct result *r)
{
	const struct summary *s = &r->summary;
	struct buf out = {0}, words = {0};

	add_name(&out, r->target);
	buf_addstr(&out, ": ");
	if (r->error_code) {
		const char *message = r->error_message ? r->error_message : r->error_code;

		add_text(&out, message, strlen(message), DETAIL_MAX);
	} else if (r->source == SOURCE_NULL_MX) {
		buf_addstr(&out, "the domain accepts no mail (null MX)");
	} else if (!r->n_endpoints) {
		buf_addstr(&out, no_endpoints[r->status]);
	} else if (s->count[CLASS_SKIPPED] == s->endpoints) {
		buf_addstr(&out, "none of ");
		add_count(&out, s->endpoints, "endpoint");
		buf_addstr(&out, " contacted: ");
		(void)words_ending(&words, r->endpoints[0].contact); /* never a reply's */
		add_text(&out, words.data, words.len, WORDS_MAX);
	} else {
		add_shares(&out, s->count, s->endpoints);
	}
	buf_fini(&words);
	return buf_steal(&out);
}

static void finding_fini(struct finding *f)
{
	free(f->name);
	free(f->text);
	free(f->detail);
}

/* Where a finding belongs among those kept, worst first; NULL: it is counted, not kept. */
static struct finding *place(struct state *s, uint64_t rank, int64_t target)
{
	size_t at = s->n_findings;

	while (at && (s->findings[at - 1].rank < rank ||
		      (s->findings[at - 1].rank == rank && s->findings[at - 1].target > target)))
		at--;
	if (s->n_findings == FINDINGS_MAX) {
		s->more++;
		if (at == FINDINGS_MAX)
			return NULL;
		finding_fini(&s->findings[--s->n_findings]);
	}
	memmove(&s->findings[at + 1], &s->findings[at],
		(s->n_findings - at) * sizeof s->findings[0]);
	s->n_findings++;
	s->findings[at] = (struct finding){.rank = rank, .target = target};
	return &s->findings[at];
}

static char *name_of(const struct result *r)
{
	struct buf name = {0};

	add_name(&name, r->target);
	return buf_steal(&name);
}

static void find(struct state *s, const struct result *r)
{
	/* OK, UNKNOWN, WARNING, CRITICAL */
	static const uint64_t severity[] = {[0] = 0, [3] = 1, [1] = 2, [2] = 3};
	uint64_t rank = severity[verdict_exit(r->verdict)] << 8;
	struct finding *f;
	bool found = false;

	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct endpoint *e = &r->endpoints[i];
		const struct contact *c = e->contact;

		if (c->class == CLASS_HEALTHY || c->class == CLASS_SKIPPED)
			continue;
		found = true;
		f = place(s, rank | (uint64_t)!c->healthy_sessions << 7 | (CLASSES - c->class),
			  r->index);
		if (f) {
			f->name = name_of(r);
			f->text = endpoint_text(e, false);
			f->detail = endpoint_text(e, true);
		}
	}
	if (found || r->verdict == VERDICT_HEALTHY)
		return;
	f = place(s, rank | 1 << 7, r->index);
	if (f) {
		f->whole = true;
		f->text = target_text(r);
		f->detail = target_text(r);
	}
}

static void look_at_endpoint(struct state *s, const struct result *r, const struct endpoint *e)
{
	const struct contact *c = e->contact;
	const struct tls_facts *tls = c->seen.tls;

	if (c->class == CLASS_SKIPPED) {
		if (c->reason == REASON_DEADLINE || c->reason == REASON_INTERRUPTED)
			s->incomplete = true;
		return;
	}
	if (c->draws) {
		for (unsigned i = 0; i < c->sessions; i++)
			if (c->draws[i].class == CLASS_HEALTHY && c->draws[i].total > s->slowest)
				s->slowest = c->draws[i].total;
	} else if (c->class == CLASS_HEALTHY && c->timing.total > s->slowest) {
		s->slowest = c->timing.total;
	}
	if (tls && tls->not_after) {
		int64_t left = (int64_t)tls->not_after * 1000 - r->started_ms, day = 86400000;
		int64_t days = left / day - (left % day < 0); /* whole ones, rounded down */

		if (!s->has_days || days < s->days) {
			struct buf where = {0};

			add_place(&where, e);
			free(s->days_where);
			s->days_where = buf_steal(&where);
			s->days = days;
			s->has_days = true;
		}
	}
}

static void look_at_control(struct state *s, const struct result *r)
{
	struct buf text = {0};

	if (r->verdict == VERDICT_HEALTHY || r->verdict == VERDICT_DEGRADED)
		return;
	buf_addstr(&text, "control target ");
	add_name(&text, r->target);
	buf_printf(&text, " is %s, the fault is likely here", verdict_name(r->verdict));
	free(s->control);
	s->control = buf_steal(&text);
}

static void plugin_begin(struct report *report)
{
	struct state *s = xcalloc(1, sizeof *s);

	s->slowest = USEC_NONE;
	report->state = s;
}

/* A warning that is about this machine. */
static bool is_of_vantage(const char *code)
{
	return strcmp(code, "port-25-blocked") == 0 || strcmp(code, "resolver-silent") == 0;
}

static void plugin_target(struct report *report, const struct result *r)
{
	const struct plugin_conf *conf = conf_of(report);
	struct state *s = report->state;

	if (r->index < 0) {
		look_at_control(s, r);
		return;
	}
	if (!s->heading)
		s->heading = target_text(r);
	s->verdicts[r->verdict]++;
	for (int c = 0; c < CLASSES; c++)
		s->endpoints[c] += r->summary.count[c];
	if ((conf->warning || conf->critical) && r->verdict != VERDICT_UNDELIVERABLE &&
	    r->verdict != VERDICT_UNKNOWN) {
		s->judged = true;
		s->healthy += r->summary.count[CLASS_HEALTHY];
		s->unhealthy += r->summary.endpoints - r->summary.count[CLASS_HEALTHY] -
				r->summary.count[CLASS_SKIPPED];
	} else {
		s->worst = exit_worst(s->worst, verdict_exit(r->verdict));
	}
	if (r->delivery.contacted) {
		s->first_try += r->delivery.first_try;
		s->contacted++;
	}
	for (size_t i = 0; i < r->n_endpoints; i++)
		look_at_endpoint(s, r, &r->endpoints[i]);
	/* Cut off before DNS had answered. */
	if (r->error_code &&
	    (strcmp(r->error_code, "deadline") == 0 || strcmp(r->error_code, "interrupted") == 0))
		s->incomplete = true;
	for (size_t i = 0; i < r->n_warnings; i++) {
		if (!s->blocked && is_of_vantage(r->warnings[i].code)) {
			struct buf text = {0};

			add_text(&text, r->warnings[i].message, strlen(r->warnings[i].message),
				 DETAIL_MAX);
			s->blocked = buf_steal(&text);
		}
	}
	find(s, r);
}

static unsigned total(const unsigned *counts, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += counts[i];
	return sum;
}

/* The state: 2 where `critical` is reached, 1 where `warning` is, else 0. */
static int limits(const struct range *warning, const struct range *critical, double value,
		  double whole)
{
	if (critical && range_alerts(critical, value, whole))
		return 2;
	return warning && range_alerts(warning, value, whole) ? 1 : 0;
}

static void add_note(struct buf *out, const char *text)
{
	if (text) {
		buf_addstr(out, "; ");
		buf_addstr(out, text);
	}
}

static void add_heading(struct buf *out, const struct state *s)
{
	/* Worst first. */
	static const enum verdict order[] = {VERDICT_FAILING, VERDICT_UNDELIVERABLE,
					     VERDICT_DEGRADED, VERDICT_UNKNOWN, VERDICT_HEALTHY};
	unsigned targets = total(s->verdicts, VERDICTS);
	const char *between = ": ";

	if (!targets) {
		buf_addstr(out, "no targets");
	} else if (targets == 1) {
		buf_addstr(out, s->heading);
	} else {
		buf_printf(out, "%u targets", targets);
		for (size_t i = 0; i < ARRAY_LEN(order); i++) {
			if (!s->verdicts[order[i]])
				continue;
			buf_printf(out, "%s%u %s", between, s->verdicts[order[i]],
				   verdict_name(order[i]));
			between = ", ";
		}
		buf_addstr(out, "; ");
		add_shares(out, s->endpoints, total(s->endpoints, CLASSES));
	}
}

static void add_limits(struct buf *out, const struct range *warning, const struct range *critical)
{
	buf_addc(out, ';');
	if (warning)
		range_format(out, warning);
	buf_addc(out, ';');
	if (critical)
		range_format(out, critical);
}

static void add_perfdata(struct buf *out, const struct state *s, const struct plugin_conf *conf)
{
	unsigned known = total(s->endpoints, CLASSES) - s->endpoints[CLASS_SKIPPED];

	for (int c = 0; c < CLASSES; c++) {
		if (c == CLASS_SKIPPED)
			continue;
		buf_printf(out, "%s%s=%u", c ? " " : "", class_name((enum class)c),
			   s->endpoints[c]);
		if (c == CLASS_HEALTHY && s->judged) {
			/* The ranges speak of the unhealthy: said of the healthy, a grapher can
			 * draw them. Healthy endpoints of targets that no range applies to
			 * are in the value, so they move the limits, too. */
			double judged = s->healthy + s->unhealthy;
			double whole = s->endpoints[CLASS_HEALTHY] + s->unhealthy;
			struct range warning, critical;

			if (conf->warning)
				warning = range_mirror(conf->warning, whole, judged);
			if (conf->critical)
				critical = range_mirror(conf->critical, whole, judged);
			add_limits(out, conf->warning ? &warning : NULL,
				   conf->critical ? &critical : NULL);
		} else {
			buf_addstr(out, ";;");
		}
		buf_printf(out, ";0;%u", known);
	}
	buf_addstr(out, " first_try=");
	if (s->contacted) {
		number_add(out, s->first_try / s->contacted, 6);
		buf_addstr(out, ";;;0;1");
	} else {
		buf_addc(out, 'U');
	}
	buf_addstr(out, " slowest=");
	if (s->slowest != USEC_NONE) {
		number_add(out, (double)s->slowest / (double)USEC_PER_SEC, 6);
		buf_addc(out, 's');
		add_limits(out, conf->warning_time, conf->critical_time);
		buf_addstr(out, ";0");
	} else {
		buf_addc(out, 'U');
	}
	if (conf->warning_days || conf->critical_days) {
		struct range warning = {.end.open = true}, critical = warning;

		buf_addstr(out, " cert_days=");
		if (s->has_days) {
			if (conf->warning_days)
				warning.start.value = *conf->warning_days;
			if (conf->critical_days)
				critical.start.value = *conf->critical_days;
			number_add(out, (double)s->days, 0);
			add_limits(out, conf->warning_days ? &warning : NULL,
				   conf->critical_days ? &critical : NULL);
		} else {
			buf_addc(out, 'U');
		}
	}
}

static void add_days(struct buf *out, const struct state *s)
{
	buf_printf(out, "; certificate of %s ", s->days_where);
	if (s->days < 0) {
		buf_addstr(out, "has expired");
	} else {
		buf_addstr(out, "is good for ");
		add_count(out, (unsigned)s->days, "day");
	}
}

/* Findings as long as they fit, then how many did not. */
static void add_findings(struct buf *out, const struct state *s, size_t most, bool detail)
{
	bool several = total(s->verdicts, VERDICTS) > 1;
	size_t left = s->n_findings + s->more;

	for (size_t i = 0; i < s->n_findings; i++) {
		const struct finding *f = &s->findings[i];
		const char *text = detail ? f->detail : f->text;
		size_t room = strlen("; : ") + strlen(text) + strlen("; +1234567890 more\n");

		if (f->whole && !several) { /* the heading has said it */
			left--;
			continue;
		}
		if (several && f->name)
			room += strlen(f->name);
		if (out->len + room > most)
			break;
		if (!detail)
			buf_addstr(out, "; ");
		if (several && f->name)
			buf_printf(out, "%s: ", f->name);
		buf_addstr(out, text);
		if (detail)
			buf_addc(out, '\n');
		left--;
	}
	if (left)
		buf_printf(out, detail ? "+%zu more\n" : "; +%zu more", left);
}

static void plugin_end(struct report *report)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	const struct plugin_conf *conf = conf_of(report);
	struct state *s = report->state;
	struct buf line = {0};
	int state = s->worst, time_state = 0, days_state = 0;

	if (s->judged)
		state = exit_worst(state, limits(conf->warning, conf->critical, s->unhealthy,
						 s->healthy + s->unhealthy));
	if (s->slowest != USEC_NONE)
		time_state = limits(conf->warning_time, conf->critical_time,
				    (double)s->slowest / (double)USEC_PER_SEC, 0);
	if (s->has_days && conf->warning_days && s->days < *conf->warning_days)
		days_state = 1;
	if (s->has_days && conf->critical_days && s->days < *conf->critical_days)
		days_state = 2;
	state = exit_worst(exit_worst(state, time_state), days_state);
	if (s->incomplete)
		state = exit_worst(state, 3);
	if (report->failed)
		state = 3; /* as is then the exit code: neither may say what the other does not */

	buf_printf(&line, "MXPROBE %s - ", words[state]);
	if (report->failed)
		buf_printf(&line, "%s; ", report->failed);
	if (s->control && s->verdicts[VERDICT_UNKNOWN])
		buf_printf(&line, "%s; ", s->control);
	add_heading(&line, s);
	if (s->incomplete)
		add_note(&line, "incomplete");
	add_note(&line, s->blocked);
	if (time_state) {
		buf_addstr(&line, "; slowest healthy session ");
		words_span(&line, s->slowest);
	}
	if (days_state)
		add_days(&line, s);
	add_findings(&line, s, LINE_TEXT_MAX, false);
	buf_addstr(&line, " | ");
	add_perfdata(&line, s, conf);
	buf_addc(&line, '\n');
	if (report->conf.verbose)
		add_findings(&line, s, OUTPUT_MAX, true);
	buf_add(&report->out, line.data, line.len);
	report->exit = state;

	buf_fini(&line);
	for (size_t i = 0; i < s->n_findings; i++)
		finding_fini(&s->findings[i]);
	free(s->heading);
	free(s->control);
	free(s->blocked);
	free(s->days_where);
	free(s);
	report->state = NULL;
}

void plugin_unknown(struct buf *out, const char *why)
{
	buf_addstr(out, "MXPROBE UNKNOWN - ");
	add_text(out, why, strlen(why), LINE_TEXT_MAX);
	buf_addc(out, '\n');
}

int plugin_exit(const struct report *report)
{
	return report->exit;
}

const struct report_kind report_plugin = {
    .name = "nagios",
    .begin = plugin_begin,
    .target = plugin_target,
    .end = plugin_end,
};

/* What the history says of one target, one line (schema mxprobe-report/1). */
#include "report/trend.h"
#include "report/writer.h"

static void write_event(struct writer *w, const char *key, const struct trend_event *e)
{
	if (e->at_ms < 0) {
		write_null(w, key);
		return;
	}
	write_open(w, key, '{');
	write_time(w, "at", e->at_ms);
	write_text(w, "class", class_name(e->class));
	write_text(w, "reason", reason_name(e->reason));
	write_close(w, '}');
}

static void write_classes(struct writer *w, const unsigned counts[CLASSES])
{
	write_open(w, "classes", '{');
	for (int i = 0; i < CLASSES; i++)
		write_int(w, class_name((enum class)i), counts[i]);
	write_close(w, '}');
}

static void write_row(struct writer *w, const struct trend_row *row, bool host)
{
	write_open(w, NULL, '{');
	write_text(w, "host", row->host);
	if (host) {
		write_int(w, "endpoints", (int64_t)row->members);
	} else {
		write_text(w, "address", row->address);
		write_int(w, "port", row->port);
	}
	write_int(w, "runs", row->runs);
	if (row->healthy_share < 0)
		write_null(w, "healthy_share");
	else
		write_share(w, "healthy_share", row->healthy_share);
	write_classes(w, row->classes);
	write_ms(w, "median_ms", row->median);
	write_ms(w, "p95_ms", row->p95);
	write_event(w, "last", &row->last);
	write_event(w, "last_unhealthy", &row->last_unhealthy);
	if (row->outage_ms < 0)
		write_null(w, "longest_outage_s");
	else
		write_real(w, "longest_outage_s", (double)row->outage_ms / 1000, 3);
	write_bool(w, "listed", row->listed);
	write_close(w, '}');
}

static void write_reply(struct writer *w, const struct trend_reply *r)
{
	write_open(w, NULL, '{');
	write_text(w, "class", class_name(r->class));
	write_text(w, "reason", reason_name(r->reason));
	if (r->code)
		write_int(w, "code", r->code);
	else
		write_null(w, "code");
	write_text(w, "enhanced", r->enhanced);
	write_text(w, "text", r->text);
	write_int(w, "count", r->count);
	write_time(w, "first", r->first_ms);
	write_time(w, "last", r->last_ms);
	write_close(w, '}');
}

void trend_json(struct buf *out, const struct trend *t)
{
	struct writer w = {.out = out};

	write_open(&w, NULL, '{');
	write_text(&w, "schema", "mxprobe-report/1");
	write_text(&w, "target", t->target);
	write_time(&w, "from", t->from_ms);
	write_time(&w, "to", t->to_ms);
	write_int(&w, "runs", t->runs);
	write_open(&w, "verdicts", '{');
	for (int i = 0; i < VERDICTS; i++)
		write_int(&w, verdict_name((enum verdict)i), t->verdicts[i]);
	write_close(&w, '}');
	write_text(&w, "verdict", t->runs ? verdict_name(t->verdict) : NULL);
	if (t->since_ms < 0)
		write_null(&w, "since");
	else
		write_time(&w, "since", t->since_ms);
	if (t->first_try_mean < 0)
		write_null(&w, "first_try_mean");
	else
		write_share(&w, "first_try_mean", t->first_try_mean);
	write_open(&w, "endpoints", '[');
	for (size_t i = 0; i < t->n_endpoints; i++)
		write_row(&w, &t->endpoints[i], false);
	write_close(&w, ']');
	write_open(&w, "hosts", '[');
	for (size_t i = 0; i < t->n_hosts; i++)
		write_row(&w, &t->hosts[i], true);
	write_close(&w, ']');
	write_open(&w, "replies", '[');
	for (size_t i = 0; i < t->n_replies; i++)
		write_reply(&w, &t->replies[i]);
	write_close(&w, ']');
	write_close(&w, '}');
	buf_addc(out, '\n');
}

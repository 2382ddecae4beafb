#include "history/entry.h"

#include "base/text.h"
#include "history/history.h"
#include "run/target.h"

#include <stdlib.h>
#include <string.h>

enum {
	OUTCOMES_MAX = (1 << 20) - 1, /* of one result: the place is the low part of their ids */
	TEXT_MAX = 2000               /* octets of a reply that are kept */
};

static void free_outcome(struct outcome *o)
{
	free(o->host);
	free(o->address);
	free(o->enhanced);
	free(o->text);
	free(o->draws);
}

void entry_fini(struct entry *e)
{
	for (size_t i = 0; i < e->n_outcomes; i++)
		free_outcome(&e->outcomes[i]);
	free(e->outcomes);
	free(e->name);
	free(e->body);
}

static char *target_name(const struct target *t)
{
	bool plain = t->port == 25;
	const char *six = t->kind == TARGET_LITERAL && t->addr.family == AF_INET6 ? "IPv6:" : "";

	if (t->kind == TARGET_DOMAIN)
		return plain ? xstrdup(t->domain) : xasprintf("%s:%u", t->domain, t->port);
	return plain ? xasprintf("[%s%s]", six, t->domain)
		     : xasprintf("[%s%s]:%u", six, t->domain, t->port);
}

char *history_name(const char *text, size_t n, uint16_t default_port)
{
	struct target t;
	char *error = target_parse(&t, text, n, default_port), *name;

	if (error) {
		free(error);
		return NULL;
	}
	name = target_name(&t);
	target_fini(&t);
	return name;
}

char *entry_text(const char *s, size_t n)
{
	struct buf safe = {0};

	text_utf8(&safe, s, n, 0);
	return buf_steal(&safe);
}

static void take_reply(struct outcome *o, const struct observation *seen)
{
	char enhanced[ENHANCED_STRLEN] = "";
	const struct reply *reply = &seen->reply;
	bool has_enhanced;
	struct buf text = {0};
	const char *line;
	size_t n;

	if (!reply->code || reply->code / 100 == 2) {
		const char *words = seen->error ? seen->error : seen->tls ? seen->tls->error : NULL;

		if (words)
			o->text = entry_text(words, strnlen(words, TEXT_MAX));
		o->enhanced = xstrdup("");
		return;
	}
	has_enhanced = reply_enhanced(reply, enhanced);
	for (unsigned i = 0; reply_line(reply, i, &line, &n) && text.len < TEXT_MAX; i++) {
		size_t skip = has_enhanced ? enhanced_length(line, n) : 0;

		if (i)
			buf_addc(&text, '\n');
		buf_add(&text, line + skip, n - skip);
	}
	o->code = reply->code;
	o->enhanced = xstrdup(enhanced);
	o->text = entry_text(text.data ? text.data : "", text.len < TEXT_MAX ? text.len : TEXT_MAX);
	buf_fini(&text);
}

static void make_outcome(struct outcome *o, const struct result *r, const struct endpoint *end)
{
	const struct contact *c = end->contact;
	char address[ADDR_STRLEN];

	*o = (struct outcome){
	    .host = entry_text(end->host ? end->host : "", end->host ? strlen(end->host) : 0),
	    .address = c->addr.family ? xstrdup(addr_format(&c->addr, address)) : NULL,
	    .port = c->addr.family ? c->addr.port : r->port,
	    .class = c->class,
	    .reason = c->reason,
	    .phase = c->phase,
	    .sessions = c->sessions,
	    .healthy = c->healthy_sessions,
	    .timing = c->timing,
	    .rtt = c->rtt,
	};
	/* Replies of the healthy hold ids of their sessions, a new one each time. */
	if (c->class != CLASS_HEALTHY)
		take_reply(o, &c->seen);
	if (c->sessions > 1 && c->draws) {
		o->draws = xreallocarray(NULL, c->sessions, sizeof *o->draws);
		memcpy(o->draws, c->draws, c->sessions * sizeof *o->draws);
	}
}

void entry_init(struct entry *e, const struct result *r, unsigned confirm)
{
	size_t n = strlen(r->target);

	*e = (struct entry){
	    .name = history_name(r->target, n, r->port ? r->port : 25),
	    .started_ms = r->started_ms,
	    .elapsed = r->elapsed,
	    .verdict = r->verdict,
	    .first_try = r->delivery.contacted ? r->delivery.first_try : -1,
	    .confirm = confirm,
	    .speaks = event_speaks(r),
	    .told = -1,
	    .outcomes = xcalloc(r->n_endpoints ? r->n_endpoints : 1, sizeof *e->outcomes),
	    .n_outcomes = r->n_endpoints,
	};
	if (!e->name) /* a bad line of the input is known by itself */
		e->name = entry_text(r->target, n);
	if (e->n_outcomes > OUTCOMES_MAX)
		e->n_outcomes = OUTCOMES_MAX;
	for (size_t i = 0; i < e->n_outcomes; i++)
		make_outcome(&e->outcomes[i], r, &r->endpoints[i]);
}

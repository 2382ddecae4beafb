#include "support/results.h"

#include "judge/sender.h"
#include "judge/verdict.h"

#include <stdlib.h>
#include <string.h>

struct result *fake_target(const char *target, enum dns_source source)
{
	struct result *r = xcalloc(1, sizeof *r);

	r->target = xstrdup(target);
	r->domain = xstrdup(target);
	r->port = 25;
	r->started_ms = 1795278717181;
	r->elapsed = 10012400;
	r->helo = "probe.example.net";
	r->from = "<>";
	r->has_dns = true;
	r->source = source;
	r->status = DNS_OK;
	r->dns_elapsed = 3100;
	r->summary.slowest = USEC_NONE;
	return r;
}

static size_t host_of(struct result *r, int preference, const char *name)
{
	struct mx_host *host;

	for (size_t i = 0; i < r->n_hosts; i++)
		if (!strcmp(r->hosts[i].name, name))
			return i;
	host = ARRAY_ADD(r->hosts, r->n_hosts);
	host->preference = preference;
	host->name = xstrdup(name);
	host->ttl = preference < 0 ? -1 : 300;
	return r->n_hosts - 1;
}

struct contact *fake_endpoint(struct result *r, int preference, const char *host,
			      const char *address)
{
	struct contact *c = xcalloc(1, sizeof *c);
	struct endpoint *e = ARRAY_ADD(r->endpoints, r->n_endpoints);

	e->preference = preference;
	e->host_index = host_of(r, preference, host);
	e->host = r->hosts[e->host_index].name;
	e->contact = c;
	observation_init(&c->seen);
	c->timing = (struct timing){USEC_NONE, USEC_NONE, USEC_NONE, USEC_NONE,
				    USEC_NONE, USEC_NONE, USEC_NONE, USEC_NONE};
	c->rtt = USEC_NONE;
	c->state = CONTACT_DONE;
	if (address && !addr_parse(&c->addr, address, r->port))
		abort();
	if (address) {
		struct mx_host *h = &r->hosts[e->host_index];
		struct addr *a = ARRAY_ADD(h->addrs, h->n_addrs);

		*a = c->addr;
		fake_sessions(c, 1, 1);
		fake_end(c, CLASS_HEALTHY, REASON_OK, PHASE_MAIL, END_REPLY, 60000);
		fake_reply(c, 250, "2.1.0 Sender OK");
	}
	return c;
}

void fake_reply(struct contact *c, int code, const char *text)
{
	struct reply *reply = &c->seen.reply;

	reply_fini(reply);
	reply->code = code;
	reply->lines = 1;
	for (const char *p = text; *p; p++)
		reply->lines += *p == '\n';
	buf_addstr(&reply->text, text);
}

void fake_end(struct contact *c, enum class class, enum reason reason, enum phase phase,
	      enum end end, usec_t took)
{
	static const usec_t usual[PHASES] = {
	    [PHASE_CONNECT] = 40000,      [PHASE_BANNER] = 50000,  [PHASE_EHLO] = 30000,
	    [PHASE_STARTTLS] = USEC_NONE, [PHASE_TLS] = USEC_NONE,
	};
	struct observation *seen = &c->seen;

	c->class = class;
	c->reason = reason;
	c->phase = phase;
	seen->phase = phase;
	seen->end = end;
	for (int i = 0; i < PHASES; i++)
		seen->took[i] = USEC_NONE;
	for (int i = PHASE_CONNECT; i < (int)phase; i++)
		seen->took[i] = usual[i];
	seen->took[phase] = took;
	seen->first_byte = phase > PHASE_BANNER ? 49000 : USEC_NONE;
	c->timing = (struct timing){
	    .connect = seen->took[PHASE_CONNECT],
	    .first_byte = seen->first_byte,
	    .banner = seen->took[PHASE_BANNER],
	    .ehlo = seen->took[PHASE_EHLO],
	    .starttls = seen->took[PHASE_STARTTLS],
	    .tls = seen->took[PHASE_TLS],
	    .mail = seen->took[PHASE_MAIL],
	    .total = observation_total(seen),
	};
	c->rtt = phase > PHASE_CONNECT ? 39700 : USEC_NONE;
	if (class != CLASS_HEALTHY)
		fake_sessions(c, c->sessions, 0);
	if (end != END_REPLY)
		reply_fini(&seen->reply);
}

void fake_error(struct contact *c, int err, const char *words)
{
	c->seen.err = err;
	free(c->seen.error);
	c->seen.error = xstrdup(words);
}

/* The sessions that went wrong went wrong as the one that is shown. */
void fake_sessions(struct contact *c, unsigned sessions, unsigned healthy)
{
	c->sessions = sessions;
	c->healthy_sessions = healthy;
	c->draws = xreallocarray(c->draws, sessions, sizeof *c->draws);
	for (unsigned i = 0; i < sessions; i++)
		c->draws[i] = i < healthy
				  ? (struct draw){CLASS_HEALTHY, PHASE_MAIL, REASON_OK, 180000}
				  : (struct draw){c->class, c->phase, c->reason, c->timing.total};
}

void fake_backend(struct contact *c, const char *name, unsigned sessions, unsigned healthy)
{
	struct backend *b = ARRAY_ADD(c->backends, c->n_backends);

	*b = (struct backend){xstrdup(name), sessions, healthy};
}

struct tls_facts *fake_tls(struct contact *c, const char *version)
{
	struct tls_facts *facts = tls_facts_new();

	facts->version = version ? xstrdup(version) : NULL;
	facts->dane = -1;
	tls_facts_free(c->seen.tls);
	c->seen.tls = facts;
	return facts;
}

void fake_warning(struct result *r, const char *code, const char *message)
{
	struct warning *w = ARRAY_ADD(r->warnings, r->n_warnings);

	w->code = code;
	w->message = xstrdup(message);
}

void fake_finish(struct result *r)
{
	summarize(r);
	deliver(r, 1U << SENDER_POSTFIX | 1U << SENDER_EXIM);
	r->verdict = verdict_of(r);
}

static void contact_free(struct contact *c)
{
	for (size_t i = 0; i < c->n_backends; i++)
		free(c->backends[i].name);
	free(c->backends);
	free(c->draws);
	observation_fini(&c->seen);
	free(c);
}

void fake_free(struct result *r)
{
	/* The endpoints made here own their contacts. */
	for (size_t i = 0; i < r->n_endpoints; i++)
		contact_free((struct contact *)(uintptr_t)r->endpoints[i].contact);
	for (size_t i = 0; i < r->n_hosts; i++) {
		free(r->hosts[i].name);
		free(r->hosts[i].addrs);
	}
	for (size_t i = 0; i < r->n_warnings; i++)
		free(r->warnings[i].message);
	free(r->warnings);
	free(r->hosts);
	free(r->endpoints);
	free((char *)(uintptr_t)r->target);
	free((char *)(uintptr_t)r->domain);
	free(r);
}

struct result *fake_msn(void)
{
	static const char *const addresses[4][4] = {
	    {"65.54.244.8", "65.54.244.136", "65.54.245.8", "65.54.166.99"},
	    {"65.54.244.40", "65.54.244.168", "65.54.245.40", "65.54.166.230"},
	    {"65.54.244.72", "65.54.244.200", "65.54.245.72", "65.54.167.5"},
	    {"65.54.244.104", "65.54.244.232", "65.54.190.179", "65.54.245.104"},
	};
	struct result *r = fake_target("msn.com", SOURCE_MX);

	for (int i = 0; i < 16; i++) {
		char *host = xasprintf("mx%d.hotmail.com", i / 4 + 1);
		struct contact *c = fake_endpoint(r, 5, host, addresses[i / 4][i % 4]);

		buf_addstr(&c->seen.banner, "bay0.hotmail.com ESMTP");
		buf_addstr(&c->seen.extensions, "SIZE 29696000\nPIPELINING");
		fake_backend(c, "bay0.hotmail.com", 1, i < 14);
		if (i == 14) {
			fake_end(c, CLASS_TIMEOUT, REASON_CONNECT, PHASE_CONNECT, END_TIMEOUT,
				 10000000);
			buf_fini(&c->seen.banner);
			buf_fini(&c->seen.extensions);
			free(c->backends[0].name);
			c->n_backends = 0;
		} else if (i == 15) {
			fake_end(c, CLASS_EXHAUSTED, REASON_MEMORY, PHASE_MAIL, END_REPLY, 292000);
			fake_reply(c, 452, "4.3.1 Out of memory");
		}
		free(host);
	}
	fake_finish(r);
	return r;
}

#include "run/sts_fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FETCH_SPAN (10 * USEC_PER_SEC) /* for HTTPS, after DNS */

enum { QUERIES = 2 }; /* at once, at most: A and AAAA */

struct sts_fetch {
	struct sts_fetch_conf conf;
	void (*done)(void *arg);
	void *arg;
	char *record, *host; /* _mta-sts.DOMAIN, mta-sts.DOMAIN */
	char id[STS_ID_MAX + 1];
	struct query *queries[QUERIES];
	size_t open; /* address questions without an answer */
	struct addr *addrs;
	size_t n_addrs;
	bool passed_over; /* an address that is not public */
	struct http_request *request;
	struct sts_policy policy;
	bool has_policy, ended;
	char *error;
};

static void cancel(struct sts_fetch *f)
{
	for (size_t i = 0; i < QUERIES; i++) {
		if (f->queries[i])
			resolver_cancel(f->queries[i]);
		f->queries[i] = NULL;
	}
	http_cancel(f->request);
	f->request = NULL;
}

void sts_fetch_free(struct sts_fetch *f)
{
	if (!f)
		return;
	cancel(f);
	sts_policy_fini(&f->policy);
	free(f->addrs);
	free(f->record);
	free(f->host);
	free(f->error);
	free(f);
}

static void end(struct sts_fetch *f, char *error)
{
	cancel(f);
	f->ended = true;
	f->error = error;
	f->done(f->arg);
}

/* RFC 8461 3.3: 200, text/plain, not too long. */
static char *read_response(struct sts_fetch *f, const struct http_response *response)
{
	static const char type[] = "text/plain";
	const size_t n = sizeof type - 1;
	const char *why;

	if (response->error)
		return xasprintf("the policy cannot be fetched: %s", response->error);
	if (response->status != 200)
		return xasprintf("the policy cannot be fetched: HTTP status %ld", response->status);
	if (!response->type || strncasecmp(response->type, type, n) != 0 ||
	    !strchr(" ;", response->type[n])) /* the end of the text is found there, too */
		return xstrdup("the policy is not text/plain");
	why = sts_policy_read(&f->policy, response->body, response->n);
	if (why)
		return xasprintf("the policy cannot be read: %s", why);
	f->has_policy = true;
	return NULL;
}

static void on_policy(void *arg, const struct http_response *response)
{
	struct sts_fetch *f = arg;

	f->request = NULL;
	end(f, read_response(f, response));
}

static void take_addresses(struct sts_fetch *f, const struct dns_message *m)
{
	for (size_t i = 0; m && i < m->n_answers; i++) {
		const struct dns_record *r = &m->answers[i];
		struct addr addr, *place;

		if (r->type != TYPE_A && r->type != TYPE_AAAA)
			continue;
		addr = r->type == TYPE_A ? addr_from_ipv4(r->data, 0) : addr_from_ipv6(r->data, 0);
		/* Whoever owns a domain could else have any machine near ours asked. */
		if (f->conf.public_only && !addr_is_public(&addr)) {
			f->passed_over = true;
			continue;
		}
		place = ARRAY_ADD(f->addrs, f->n_addrs);
		*place = addr;
	}
}

static void addresses_known(struct sts_fetch *f)
{
	const struct http_get get = {.host = f->host,
				     .port = f->conf.port,
				     .path = "/.well-known/mta-sts.txt",
				     .addrs = f->addrs,
				     .n_addrs = f->n_addrs,
				     .most = STS_POLICY_MAX,
				     .timeout = FETCH_SPAN};

	if (!f->n_addrs)
		end(f, xasprintf("the policy cannot be fetched: %s has no%s address", f->host,
				 f->passed_over ? " public" : ""));
	else
		f->request = http_get(f->conf.http, &get, on_policy, f);
}

static void on_a(void *arg, const struct dns_answer *answer)
{
	struct sts_fetch *f = arg;

	f->queries[0] = NULL;
	take_addresses(f, answer->message);
	if (--f->open == 0)
		addresses_known(f);
}

static void on_aaaa(void *arg, const struct dns_answer *answer)
{
	struct sts_fetch *f = arg;

	f->queries[1] = NULL;
	take_addresses(f, answer->message);
	if (--f->open == 0)
		addresses_known(f);
}

static void on_record(void *arg, const struct dns_answer *answer)
{
	struct sts_fetch *f = arg;
	const char *why = NULL;

	f->queries[0] = NULL;
	if (!answer->message && answer->status != DNS_INVALID) {
		end(f,
		    xstrdup("whether there is a policy cannot be found out: DNS gave no answer"));
	} else if (!answer->message || !sts_announced(answer->message, f->record, f->id, &why)) {
		end(f, why ? xstrdup(why) : NULL);
	} else {
		f->open = QUERIES;
		f->queries[0] = resolver_ask(f->conf.resolver, f->host, TYPE_A, NULL, on_a, f);
		f->queries[1] =
		    resolver_ask(f->conf.resolver, f->host, TYPE_AAAA, NULL, on_aaaa, f);
	}
}

struct sts_fetch *sts_fetch_new(const struct sts_fetch_conf *conf, const char *domain,
				void (*done)(void *arg), void *arg)
{
	struct sts_fetch *f = xcalloc(1, sizeof *f);

	*f = (struct sts_fetch){.conf = *conf, .done = done, .arg = arg};
	f->record = xasprintf("_mta-sts.%s", domain);
	f->host = xasprintf("mta-sts.%s", domain);
	f->queries[0] = resolver_ask(conf->resolver, f->record, TYPE_TXT, NULL, on_record, f);
	return f;
}

void sts_fetch_dns_timeout(struct sts_fetch *f)
{
	if (f && !f->ended && !f->request)
		end(f, xstrdup("the policy cannot be fetched: DNS gave no answer in time"));
}

const char *sts_fetch_id(const struct sts_fetch *f)
{
	return *f->id ? f->id : NULL;
}

const struct sts_policy *sts_fetch_policy(const struct sts_fetch *f)
{
	return f->has_policy ? &f->policy : NULL;
}

const char *sts_fetch_error(const struct sts_fetch *f)
{
	return f->error;
}

#include "run/run.h"

#include "dns/dane.h"
#include "judge/rules.h"
#include "judge/sender.h"
#include "judge/verdict.h"
#include "net/gate.h"
#include "net/http.h"
#include "run/endpoints.h"
#include "run/probe.h"
#include "run/sts_fetch.h"
#include "run/target.h"
#include "run/vantage.h"
#include "run/warnings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ACTIVE_LEAST = 256, /* targets under way, from their text to their result: as many as there
			       may be sessions, but so many at least */
	RESOLVING_MAX =
	    128 /* of them in the DNS: a target's time for it is not spent in our own queue */
};
#define DNS_SPAN (10 * USEC_PER_SEC) /* what one target's DNS gets in all */
#define REFRESH (100 * USEC_PER_MS)

/* One question of a target: of its plan, told apart by its index there, or of a host's TLSA plan.
 */
struct asked {
	struct job *job;
	struct asked *next;
	size_t index;
	struct query *query; /* NULL once answered */
};

/* One target under way. */
struct job {
	struct arena memory; /* of itself, and of all that it points to and does not share */
	struct run *run;
	struct job *next, **place; /* in run->jobs */
	struct job *queue;         /* in run->to_resolve or run->to_finish */
	const char *text;
	struct target target;
	char *error;
	struct mx_plan plan;
	struct asked *asked;
	struct host_policy *policies; /* one a host of the plan, once that is done */
	struct sts_fetch *sts;        /* NULL: not asked for */
	size_t open_parts;            /* addresses, TLSA plans, MTA-STS: what planning waits for */
	struct timer dns_timer;
	usec_t started, dns_started;
	bool queued, planned;
	size_t waiting;    /* contacts that are not done */
	struct probe *own; /* endpoints that are not contacted; NULL: there are none */
	size_t n_own;
	struct result result;
};

/* What TLS is to be with one MX host, and why it is not to be contacted at all. */
struct host_policy {
	struct dane_plan *dane; /* NULL: it is not asked for, or the host has no address */
	enum tls_mode tls;
	enum tls_check check; /* to be found out, whatever comes of it */
	enum end end;         /* END_NONE: contact it */
	const char *why;      /* not; a constant; NULL: `end` says it all */
};

struct run {
	struct loop *loop;
	struct run_conf conf;
	struct run_events events;
	struct resolver *resolver;
	struct contacts *contacts;
	struct gate *gate;
	struct http *http; /* NULL: no MTA-STS */
	struct arena_pool pool;
	struct job *jobs;
	struct job *to_resolve, **to_resolve_end;
	struct job *to_finish, **to_finish_end;
	struct job *control; /* under way: all others wait for it */
	struct job *held, **held_end;
	char *local_error;    /* why the DNS could not be asked for some target; NULL: none */
	char *control_failed; /* why each target that is not healthy is unknown; NULL: it is not */
	bool has_control;
	struct vantage vantage;
	struct timer turn, deadline, refresh;
	int64_t index;
	size_t active, waiting, resolving; /* targets: all, of those in to_resolve, in the DNS */
	bool was_full, closed;
	enum end stopped;
};

static void turn(void *arg);
static void on_deadline(void *arg);
static void on_refresh(void *arg);

struct run *run_new(struct loop *loop, const struct run_conf *conf, const struct run_events *events)
{
	struct run *r = xcalloc(1, sizeof *r);

	r->loop = loop;
	r->conf = *conf;
	r->conf.contacts.session = &r->conf.session;
	r->conf.session.gate = r->gate = gate_new(loop);
	r->events = *events;
	r->resolver = resolver_new(loop, &r->conf.resolver);
	r->contacts = contacts_new(loop, &r->conf.contacts);
	if (conf->mta_sts)
		r->http = http_new(loop);
	r->to_resolve_end = &r->to_resolve;
	r->to_finish_end = &r->to_finish;
	r->held_end = &r->held;
	timer_init(&r->turn, loop, turn, r);
	timer_init(&r->deadline, loop, on_deadline, r);
	timer_init(&r->refresh, loop, on_refresh, r);
	if (conf->deadline != USEC_NEVER)
		timer_at(&r->deadline, loop_now(loop) + conf->deadline);
	return r;
}

static void cancel_queries(struct job *j)
{
	for (const struct asked *asked = j->asked; asked; asked = asked->next)
		resolver_cancel(asked->query);
	j->asked = NULL;
}

static void job_free(struct job *j)
{
	struct arena memory = j->memory;

	cancel_queries(j);
	timer_fini(&j->dns_timer);
	*j->place = j->next;
	if (j->next)
		j->next->place = j->place;
	for (size_t i = 0; i < j->n_own; i++)
		probe_fini(&j->own[i]);
	for (size_t i = 0; j->policies && i < j->plan.n_hosts; i++)
		if (j->policies[i].dane)
			dane_fini(j->policies[i].dane);
	sts_fetch_free(j->sts);
	target_fini(&j->target);
	free(j->error);
	arena_fini(&memory); /* the job is in it */
}

void run_free(struct run *r)
{
	if (!r)
		return;
	while (r->jobs)
		job_free(r->jobs);
	resolver_free(r->resolver);
	contacts_free(r->contacts);
	gate_free(r->gate);
	http_free(r->http);
	arena_pool_fini(&r->pool);
	vantage_fini(&r->vantage);
	free(r->local_error);
	free(r->control_failed);
	timer_fini(&r->turn);
	timer_fini(&r->deadline);
	timer_fini(&r->refresh);
	free(r);
}

void run_leave(struct run *r)
{
	resolver_close(r->resolver);
	http_free(r->http);
	r->http = NULL;
}

static void turn_soon(struct run *r)
{
	timer_soon(&r->turn);
}

static void finish_later(struct job *j)
{
	struct run *r = j->run;

	if (j->queued)
		return;
	j->queued = true;
	j->queue = NULL;
	*r->to_finish_end = j;
	r->to_finish_end = &j->queue;
	turn_soon(r);
}

/* Endpoints */

static void on_contact_done(void *arg)
{
	struct job *j = arg;

	if (--j->waiting == 0)
		finish_later(j);
}

/* The plan outlives the result: its names and addresses are pointed to. */
static void show_hosts(struct job *j)
{
	struct result *res = &j->result;
	bool has_mx = j->plan.source == SOURCE_MX;

	res->hosts = arena_array(&j->memory, j->plan.n_hosts, sizeof *res->hosts);
	res->n_hosts = j->plan.n_hosts;
	for (size_t i = 0; i < res->n_hosts; i++) {
		const struct mx_plan_host *from = &j->plan.hosts[i];

		res->hosts[i] = (struct mx_host){
		    .preference = j->plan.source == SOURCE_HOST ? -1 : from->preference,
		    .name = from->name,
		    .status = from->status,
		    .ttl = has_mx ? from->ttl : -1,
		    .addrs = from->addrs,
		    .n_addrs = from->n_addrs,
		};
	}
}

static enum phase phase_without_contact(enum end end)
{
	return (end >= END_DNS_NXDOMAIN && end <= END_DNS_INVALID) || end == END_LOCAL_ERROR
		   ? PHASE_DNS
		   : PHASE_CONNECT;
}

static struct peer peer_of(const struct job *j, size_t host, const struct addr *addr)
{
	const struct host_policy *policy = &j->policies[host];
	struct peer peer = {.addr = *addr,
			    .host = j->result.hosts[host].name,
			    .tls = policy->tls,
			    .check = policy->check};

	if (policy->tls == TLS_DANE) {
		peer.tls_name = policy->dane->base;
		peer.tlsa = policy->dane->records;
		peer.n_tlsa = policy->dane->n_records;
		/* RFC 7672 3.2.2: the next-hop domain will do, too, where the way from it was
		 * secure. */
		peer.also =
		    j->plan.source == SOURCE_MX && j->plan.mx_secure ? j->target.domain : NULL;
	}
	return peer;
}

/* An endpoint that is not contacted; there may be `most` of them. `why` NULL: `end` says it. */
static const struct contact *own_contact(struct job *j, size_t most, const struct addr *addr,
					 enum end end, const char *why)
{
	struct probe *own;

	if (!j->own)
		j->own = arena_array(&j->memory, most, sizeof *j->own);
	own = &j->own[j->n_own++];
	if (end == END_LOCAL_ERROR) /* a question of the DNS could not be asked */
		why = strerror(resolver_local_error(j->run->resolver));
	probe_init(own, addr);
	own->contact.seen.error = why ? xstrdup(why) : NULL;
	probe_end(own, end, phase_without_contact(end));
	return &own->contact;
}

/* DNS is done: endpoints are made and wanted. */
static void plan_endpoints(struct job *j)
{
	struct result *res = &j->result;
	struct run *r = j->run;
	struct endpoint_plan *plan;
	size_t n = endpoints_of(&j->plan, r->conf.public_only, &plan);

	show_hosts(j);
	warn_of_hosts(&j->result, &j->plan);
	res->endpoints = arena_array(&j->memory, n, sizeof *res->endpoints);
	res->n_endpoints = n;
	j->planned = true;
	j->waiting = 1; /* holds the target while its endpoints are added */
	for (size_t i = 0; i < n; i++) {
		struct endpoint *e = &res->endpoints[i];
		size_t host = (size_t)(plan[i].host - j->plan.hosts);
		const struct host_policy *policy = &j->policies[host];

		e->preference = res->hosts[host].preference;
		e->host = res->hosts[host].name;
		e->host_index = host;
		if (plan[i].end != END_NONE) {
			e->contact = own_contact(j, n, &plan[i].addr, plan[i].end, NULL);
		} else if (policy->end != END_NONE) {
			e->contact = own_contact(j, n, &plan[i].addr, policy->end, policy->why);
		} else {
			struct peer peer = peer_of(j, host, &plan[i].addr);

			e->contact = contacts_want(r->contacts, &peer, on_contact_done, j);
			j->waiting += e->contact->state != CONTACT_DONE;
		}
	}
	if (r->events.planned && j->waiting > 1)
		r->events.planned(r->events.arg, res);
	on_contact_done(j);
}

/* A literal is a plan without questions. */
static void plan_literal(struct job *j)
{
	struct result *res = &j->result;
	struct endpoint *e;
	struct mx_host *h;

	h = res->hosts = arena_add(&j->memory, sizeof *res->hosts);
	res->n_hosts = 1;
	*h = (struct mx_host){.preference = -1,
			      .name = j->target.domain,
			      .status = DNS_OK,
			      .ttl = -1,
			      .addrs = &j->target.addr,
			      .n_addrs = 1};
	e = res->endpoints = arena_add(&j->memory, sizeof *res->endpoints);
	res->n_endpoints = 1;
	res->source = SOURCE_LITERAL;
	j->planned = true;
	j->waiting = 1;
	e->preference = -1;
	e->host = h->name;
	if (j->run->conf.public_only && !addr_is_public(&j->target.addr)) {
		e->contact = own_contact(j, 1, &j->target.addr, END_NOT_PUBLIC, NULL);
	} else {
		/* No name is known: none goes into SNI, and DANE has nothing to ask about. */
		enum tls_mode mode = j->run->conf.session.dialogue.tls;
		struct peer peer = {.addr = j->target.addr,
				    .tls = mode == TLS_DANE ? TLS_AUTO : mode};

		e->contact = contacts_want(j->run->contacts, &peer, on_contact_done, j);
		j->waiting += e->contact->state != CONTACT_DONE;
	}
	if (j->run->events.planned && j->waiting > 1)
		j->run->events.planned(j->run->events.arg, res);
	on_contact_done(j);
}

/* DNS */

static void apply_sts(struct job *j, size_t host);

static void resolved(struct job *j)
{
	struct result *res = &j->result;

	cancel_queries(j);
	timer_at(&j->dns_timer, USEC_NEVER);
	j->run->resolving--;
	turn_soon(j->run);
	res->dns_elapsed = loop_now(j->run->loop) - j->dns_started;
	res->source = j->plan.source;
	res->status = j->plan.status;
	res->authenticated = j->plan.authenticated;
	if (res->has_sts) {
		res->sts = (struct sts_finding){.id = sts_fetch_id(j->sts),
						.policy = sts_fetch_policy(j->sts),
						.error = sts_fetch_error(j->sts)};
		for (size_t i = 0; i < j->plan.n_hosts; i++)
			apply_sts(j, i);
	}
	plan_endpoints(j);
}

/* False: the answer is known already, and stands in *known. */
static bool ask(struct job *j, const char *qname, enum dns_type type, size_t index,
		struct dns_answer *known, void (*done)(void *arg, const struct dns_answer *))
{
	struct asked *asked = arena_add(&j->memory, sizeof *asked);

	*asked = (struct asked){.job = j, .next = j->asked, .index = index};
	asked->query = resolver_ask(j->run->resolver, qname, type, known, done, asked);
	if (!asked->query)
		return false;
	j->asked = asked;
	return true;
}

/* One of the things that planning waits for is there. */
static void part_done(struct job *j)
{
	if (--j->open_parts == 0)
		resolved(j);
}

/* MTA-STS, beside the look-up of the addresses */

static void on_sts(void *arg)
{
	part_done(arg);
}

static void begin_sts(struct job *j)
{
	struct run *r = j->run;
	const struct sts_fetch_conf conf = {.resolver = r->resolver,
					    .http = r->http,
					    .port = r->conf.https_port,
					    .public_only = r->conf.public_only};

	if (!r->http || j->target.kind != TARGET_DOMAIN)
		return;
	j->result.has_sts = true;
	j->open_parts++;
	j->sts = sts_fetch_new(&conf, j->target.domain, on_sts, j);
}

/* What the policy means for one host. DANE, where it is in force, goes before it (RFC 8461 2). */
static void apply_sts(struct job *j, size_t host)
{
	const struct sts_policy *policy = j->result.sts.policy;
	struct host_policy *hp = &j->policies[host];
	const char *name = j->plan.hosts[host].name;

	if (!policy || policy->mode == STS_NONE || hp->end != END_NONE)
		return;
	if (policy->mode == STS_ENFORCE && !sts_allows(policy, name)) {
		hp->end = END_CERTIFICATE;
		hp->why = "the MTA-STS policy does not list this host";
	} else if (hp->tls == TLS_DANE) {
		return;
	} else if (policy->mode == STS_ENFORCE) {
		hp->tls = TLS_VERIFY;
	} else {
		/* As senders do under test: delivery as ever, and a report of what would fail. */
		hp->check = hp->tls <= TLS_REQUIRE ? TLS_CHECK_WEBPKI : TLS_CHECK_NONE;
	}
}

/* TLSA, once the addresses are known (RFC 7672 2.2) */

static void settle_policy(struct host_policy *policy)
{
	static const enum end ends[DNS_STATUSES] = {
	    [DNS_OK] = END_NONE,
	    [DNS_NXDOMAIN] = END_DNS_NXDOMAIN,
	    [DNS_NO_ADDRESS] = END_DNS_NO_ADDRESS,
	    [DNS_SERVFAIL] = END_DNS_SERVFAIL,
	    [DNS_TIMEOUT] = END_DNS_TIMEOUT,
	    [DNS_INVALID] = END_DNS_INVALID,
	    [DNS_LOCAL_ERROR] = END_LOCAL_ERROR,
	};

	switch (policy->dane->outcome) {
	case DANE_USABLE:
		policy->tls = TLS_DANE;
		break;
	case DANE_UNUSABLE:
		policy->tls = TLS_REQUIRE;
		break;
	case DANE_FAILED:
		policy->end = ends[policy->dane->failure];
		break;
	default:
		policy->tls = TLS_AUTO;
		break;
	}
}

static void on_tlsa(void *arg, const struct dns_answer *answer)
{
	struct asked *asked = arg;
	struct job *j = asked->job;
	struct host_policy *policy = &j->policies[asked->index];
	const char *qname;
	enum dns_type type;

	asked->query = NULL;
	dane_answer(policy->dane, answer->status, answer->message);
	qname = dane_question(policy->dane, &type);
	if (qname) {
		(void)ask(j, qname, type, asked->index, NULL, on_tlsa); /* it will be told */
		return;
	}
	settle_policy(policy);
	part_done(j);
}

/* Addresses are known; what is still open is how TLS is to be. */
static void addresses_known(struct job *j)
{
	enum tls_mode mode = j->run->conf.session.dialogue.tls;

	j->policies = arena_array(&j->memory, j->plan.n_hosts, sizeof *j->policies);
	for (size_t i = 0; i < j->plan.n_hosts; i++) {
		const struct mx_plan_host *h = &j->plan.hosts[i];
		struct host_policy *policy = &j->policies[i];
		const char *qname;
		enum dns_type type;

		policy->tls = mode == TLS_DANE ? TLS_AUTO : mode;
		if (mode != TLS_DANE || !h->n_addrs)
			continue;
		policy->dane = arena_add(&j->memory, sizeof *policy->dane);
		dane_init(policy->dane, h->name, h->canonical, !h->insecure, j->target.port);
		qname = dane_question(policy->dane, &type);
		if (!qname)
			continue;
		j->open_parts++;
		(void)ask(j, qname, type, i, NULL, on_tlsa); /* it will be told */
	}
	part_done(j);
}

static void ask_all(struct job *j);

static void on_answer(void *arg, const struct dns_answer *answer)
{
	struct asked *asked = arg;
	struct job *j = asked->job;

	asked->query = NULL;
	mx_answer(&j->plan, asked->index, answer->status, answer->message);
	ask_all(j);
}

static void ask_all(struct job *j)
{
	struct dns_answer answer;
	size_t at;

	while (mx_next(&j->plan, &at)) {
		const struct mx_question *q = &j->plan.questions[at];

		if (!ask(j, q->qname, q->type, at, &answer, on_answer))
			mx_answer(&j->plan, at, answer.status, answer.message);
	}
	if (mx_done(&j->plan))
		addresses_known(j);
}

/* Some question of a target has not left our own queue. */
static bool in_our_queue(const struct job *j)
{
	for (const struct asked *asked = j->asked; asked; asked = asked->next)
		if (asked->query && resolver_is_waiting(asked->query))
			return true;
	return false;
}

/* What is known by now is used; what is open has failed. A policy that is being fetched has a time
 * of its own. */
static void on_dns_timeout(void *arg)
{
	struct job *j = arg;

	/* Time in our own queue is not the DNS's: the span ends when all has been asked. */
	if (in_our_queue(j)) {
		timer_at(&j->dns_timer, loop_now(j->run->loop) + USEC_PER_SEC);
		return;
	}
	j->open_parts++; /* holds the target until all is said */
	cancel_queries(j);
	if (!j->policies) {
		mx_give_up(&j->plan, DNS_TIMEOUT);
		addresses_known(j);
		cancel_queries(j);
	}
	for (size_t i = 0; i < j->plan.n_hosts; i++) {
		struct host_policy *policy = &j->policies[i];

		if (!policy->dane || policy->dane->outcome != DANE_PENDING)
			continue;
		dane_give_up(policy->dane, DNS_TIMEOUT);
		settle_policy(policy);
		part_done(j);
	}
	sts_fetch_dns_timeout(j->sts);
	part_done(j);
}

static void begin(struct job *j)
{
	struct run *r = j->run;

	r->resolving++;
	j->dns_started = loop_now(r->loop);
	timer_at(&j->dns_timer, j->dns_started + DNS_SPAN);
	mx_init(&j->plan, &j->memory, j->target.domain, j->target.port,
		j->target.kind == TARGET_HOST, r->conf.families);
	j->open_parts = 1;
	begin_sts(j);
	ask_all(j);
}

/* Targets */

static int64_t unix_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail for this clock */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static char *wrong_family(const struct target *t, unsigned families)
{
	if (t->kind != TARGET_LITERAL)
		return NULL;
	if (t->addr.family == AF_INET && !(families & MX_IPV4))
		return xasprintf("'%s' is an IPv4 address, but only IPv6 is asked for", t->domain);
	if (t->addr.family == AF_INET6 && !(families & MX_IPV6))
		return xasprintf("'%s' is an IPv6 address, but only IPv4 is asked for", t->domain);
	return NULL;
}

/* The target as given; a NUL, which would end it, shows as what it is not. */
static const char *copy_text(struct arena *memory, const char *text, size_t n)
{
	struct buf b = {0};
	char *copy;

	if (!memchr(text, '\0', n)) {
		copy = arena_add(memory, n + 1);
		memcpy(copy, text, n);
		return copy;
	}
	for (size_t i = 0; i < n; i++) {
		if (text[i])
			buf_addc(&b, text[i]);
		else
			buf_addstr(&b, "\xEF\xBF\xBD");
	}
	copy = arena_strdup(memory, buf_str(&b));
	buf_fini(&b);
	return copy;
}

static struct job *add(struct run *r, const char *text, size_t n, int64_t index)
{
	struct arena memory = {.pool = &r->pool};
	struct job *j = arena_add(&memory, sizeof *j);
	struct result *res = &j->result;

	j->memory = memory;
	j->run = r;
	j->place = &r->jobs;
	j->next = r->jobs;
	if (j->next)
		j->next->place = &j->next;
	r->jobs = j;
	r->active++;
	r->was_full |= run_is_full(r);
	timer_init(&j->dns_timer, r->loop, on_dns_timeout, j);
	j->started = loop_now(r->loop);
	j->text = copy_text(&j->memory, text, target_text_length(text, n));
	res->memory = &j->memory;
	res->index = index;
	res->target = j->text;
	res->started_ms = unix_ms();
	res->helo = r->conf.session.dialogue.helo;
	res->from = r->conf.session.dialogue.from;
	j->error = target_parse(&j->target, text, n, r->conf.port);
	if (!j->error)
		j->error = wrong_family(&j->target, r->conf.families);
	if (j->error) {
		res->error_code = "invalid-target";
		res->error_message = j->error;
		finish_later(j);
		return j;
	}
	res->domain = j->target.domain;
	res->port = j->target.port;
	res->has_dns = true;
	if (r->stopped) {
		finish_later(j);
		return j;
	}
	j->queue = NULL;
	*r->to_resolve_end = j;
	r->to_resolve_end = &j->queue;
	r->waiting++;
	r->was_full |= run_is_full(r);
	turn_soon(r);
	return j;
}

void run_add(struct run *r, const char *text, size_t n)
{
	(void)add(r, text, n, r->index++); /* it is in the run's list */
}

void run_add_control(struct run *r, const char *text, size_t n)
{
	r->has_control = true;
	r->control = add(r, text, n, -1);
}

void run_close(struct run *r)
{
	r->closed = true;
	turn_soon(r);
}

bool run_is_full(const struct run *r)
{
	/* More than the DNS will take next would only lie here. */
	return r->waiting >= RESOLVING_MAX ||
	       (r->active >= ACTIVE_LEAST && r->active >= r->conf.contacts.jobs);
}

/* Finished, but what it means is only known once the control target is. */
static void hold(struct job *j)
{
	struct run *r = j->run;

	j->queue = NULL;
	*r->held_end = j;
	r->held_end = &j->queue;
}

/* The control target is done: who waited for it follows, in the same order. */
static void release(struct run *r)
{
	r->control = NULL;
	if (!r->held)
		return;
	*r->held_end = r->to_finish;
	if (!r->to_finish)
		r->to_finish_end = r->held_end;
	r->to_finish = r->held;
	r->held = NULL;
	r->held_end = &r->held;
}

static void judge_resolver(struct job *j)
{
	struct buf troubles = {0};

	if (j->result.has_dns && j->result.status == DNS_TIMEOUT &&
	    resolver_is_silent(j->run->resolver, &troubles))
		warn_of_resolver(&j->result, buf_str(&troubles));
	buf_fini(&troubles);
}

/* It is told by all, in the same words: those of the last time. */
static void blame_ourselves(struct job *j)
{
	struct run *r = j->run;
	struct result *res = &j->result;

	if (!res->has_dns || res->status != DNS_LOCAL_ERROR || res->error_code)
		return;
	if (!r->local_error)
		r->local_error = xasprintf("this machine could not ask the DNS: %s",
					   strerror(resolver_local_error(r->resolver)));
	res->error_code = "local-error";
	res->error_message = r->local_error;
}

/* What the control target, or without one the run as a whole, says of this machine. */
static void judge_vantage(struct job *j)
{
	struct run *r = j->run;
	struct result *res = &j->result;

	if (!r->has_control) {
		warn_of_vantage(res, vantage_take(&r->vantage, res));
		return;
	}
	if (j == r->control) {
		if (res->verdict >= VERDICT_FAILING)
			r->control_failed =
			    xasprintf("the control target %s is %s, too: the fault is likely here",
				      res->target, verdict_name(res->verdict));
	} else if (r->control_failed && res->verdict != VERDICT_HEALTHY) {
		res->verdict = VERDICT_UNKNOWN;
		if (!res->error_code) {
			res->error_code = "control-failed";
			res->error_message = r->control_failed;
		}
	}
}

static void finish(struct job *j)
{
	struct run *r = j->run;
	struct result *res = &j->result;

	res->elapsed = loop_now(r->loop) - j->started;
	if (res->has_dns && !j->planned) {
		/* The run was stopped before the DNS had answered. */
		res->status = DNS_TIMEOUT;
		res->error_code = r->stopped == END_DEADLINE ? "deadline" : "interrupted";
		res->error_message = r->stopped == END_DEADLINE
					 ? "the deadline of the run passed first"
					 : "the run was interrupted first";
	}
	blame_ourselves(j);
	warn_of_refusals(res);
	warn_of_tls(res, r->conf.expiry_days);
	if (res->has_sts)
		warn_of_sts(res);
	summarize(res);
	deliver(res, r->conf.senders);
	res->verdict = verdict_of(res);
	judge_resolver(j);
	judge_vantage(j);
	r->events.finished(r->events.arg, res);
	r->active--;
	if (j == r->control)
		release(r);
	job_free(j);
}

/* Everything that must not happen inside a caller: starting look-ups, handing results on. */
static void turn(void *arg)
{
	struct run *r = arg;
	struct job *j;

	while ((j = r->to_finish) != NULL) {
		r->to_finish = j->queue;
		if (!r->to_finish)
			r->to_finish_end = &r->to_finish;
		if (r->control && j != r->control) {
			hold(j);
			continue;
		}
		finish(j);
	}
	while (!r->stopped && r->resolving < RESOLVING_MAX && (j = r->to_resolve) != NULL) {
		r->to_resolve = j->queue;
		if (!r->to_resolve)
			r->to_resolve_end = &r->to_resolve;
		r->waiting--;
		if (j->target.kind == TARGET_LITERAL)
			plan_literal(j);
		else
			begin(j);
	}
	if (r->conf.live && r->active && !timer_is_set(&r->refresh))
		timer_at(&r->refresh, loop_now(r->loop) + REFRESH);
	if (!r->active)
		timer_at(&r->refresh, USEC_NEVER);
	/* The last target is done: a deadline that is still to come must not hold up the end. */
	if (!r->active && r->closed)
		timer_at(&r->deadline, USEC_NEVER);
	if (r->was_full && !run_is_full(r)) {
		r->was_full = false;
		if (r->events.hungry)
			r->events.hungry(r->events.arg);
	}
}

static void on_refresh(void *arg)
{
	struct run *r = arg;

	contacts_refresh(r->contacts);
	if (r->active)
		timer_at(&r->refresh, loop_now(r->loop) + REFRESH);
}

static void on_deadline(void *arg)
{
	run_stop(arg, END_DEADLINE);
}

void run_stop(struct run *r, enum end why)
{
	if (r->stopped)
		return;
	r->stopped = why;
	timer_at(&r->deadline, USEC_NEVER);
	r->to_resolve = NULL;
	r->to_resolve_end = &r->to_resolve;
	r->waiting = 0;
	contacts_stop(r->contacts, why);
	for (struct job *j = r->jobs; j; j = j->next) {
		if (j->queued || j->planned)
			continue;
		cancel_queries(j);
		sts_fetch_free(j->sts);
		j->sts = NULL;
		timer_at(&j->dns_timer, USEC_NEVER);
		finish_later(j);
	}
}

enum end run_stopped(const struct run *r)
{
	return r->stopped;
}

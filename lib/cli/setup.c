#include "cli/setup.h"

#include "cli/command.h"
#include "cli/identity.h"
#include "run/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	EXPIRY_DAYS = 14,      /* a certificate that ends sooner is warned about */
	DESCRIPTORS_KEPT = 16, /* for standard streams, the loop, files, and what a library opens */
	WEBHOOK_DESCRIPTORS = 24 /* four connections, and looking up what to connect to */
};

#define RESOLV_CONF "/etc/resolv.conf"

/* The address that a session would come from must be this machine's. */
static bool check_bind(const struct options *o, const struct addr *a)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(a, &sa);
	char text[ADDR_STRLEN];
	int fd, err = 0;

	if (!a->family)
		return true;
	fd = socket(a->family, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) != 0)
		err = errno;
	if (fd >= 0)
		(void)close(fd); /* nothing was sent */
	if (err)
		command_fail(o->format, "--bind: '%s': %s", addr_format(a, text), strerror(err));
	return !err;
}

static bool check_target(const struct options *o, const char *option, const char *text)
{
	struct target t;
	char *error = target_parse(&t, text, strlen(text), o->port);

	if (error) {
		command_fail(o->format, "%s %s", option, error);
		fputs("Try 'mxprobe --help'.\n", stderr);
		free(error);
		return false;
	}
	target_fini(&t);
	return true;
}

bool setup_check(const struct options *o)
{
	if (!check_bind(o, &o->bind4) || !check_bind(o, &o->bind6))
		return false;
	for (size_t i = 0; i < o->n_targets; i++)
		if (!check_target(o, "TARGET", o->targets[i]))
			return false;
	return !o->control || check_target(o, "--control:", o->control);
}

char *setup_helo(const struct options *o)
{
	struct resolver_conf resolver;

	if (o->helo) {
		if (!identity_is_full(o->helo) && !o->quiet)
			command_complain(
			    "--helo: '%s' is neither a full host name nor an address literal: many "
			    "servers refuse that",
			    o->helo);
		return xstrdup(o->helo);
	}
	setup_resolver(&resolver, o);
	return identity_name(o->bind4.family   ? &o->bind4
			     : o->bind6.family ? &o->bind6
					       : NULL,
			     &resolver.servers[0]);
}

/* Raises the limit on descriptors as far as it goes and lowers the number of sessions to it, so
 * that no endpoint is lost to it. */
static void fit_descriptors(struct run_conf *conf, rlim_t kept)
{
	struct rlimit limit;
	rlim_t room;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t had = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = had;
	}
	room = limit.rlim_cur > kept + 8 ? limit.rlim_cur - kept : 8;
	if (conf->resolver.in_flight > room / 4)
		conf->resolver.in_flight = (unsigned)(room / 4);
	room -= conf->resolver.in_flight;
	if (conf->contacts.jobs > room)
		conf->contacts.jobs = (unsigned)room;
}

void setup_resolver(struct resolver_conf *conf, const struct options *o)
{
	struct resolvconf rc;
	int err;

	*conf = resolver_conf_default;
	if (o->n_resolvers) {
		memcpy(conf->servers, o->resolvers, sizeof conf->servers);
		conf->n_servers = o->n_resolvers;
		conf->trust_ad = o->trust_ad;
		return;
	}
	err = resolvconf_read(&rc, RESOLV_CONF);
	if (err)
		cannot_go_on(RESOLV_CONF, strerror(err));
	memcpy(conf->servers, rc.servers, sizeof conf->servers);
	conf->n_servers = rc.n_servers;
	conf->trust_ad = o->trust_ad || rc.trust_ad;
	conf->rotate = rc.rotate;
	if (rc.timeout)
		conf->timeout = (usec_t)rc.timeout * USEC_PER_SEC;
	if (rc.attempts)
		conf->tries = rc.attempts * (unsigned)rc.n_servers;
}

void setup_resolver_anew(struct resolver_conf *conf, const struct options *o)
{
	FILE *f = o->n_resolvers ? NULL : fopen(RESOLV_CONF, "re");
	struct resolver_conf now;

	if (!f)
		return;
	(void)fclose(f); /* it was only opened */
	setup_resolver(&now, o);
	memcpy(conf->servers, now.servers, sizeof conf->servers);
	conf->n_servers = now.n_servers;
	conf->trust_ad = now.trust_ad;
	conf->rotate = now.rotate;
	conf->timeout = now.timeout;
	conf->tries = now.tries;
}

void setup_run(struct run_conf *conf, const struct options *o, const char *helo,
	       const struct setup_trace *trace)
{
	*conf = (struct run_conf){
	    .session = {.dialogue = {.helo = helo,
				     .from = o->from,
				     .tls = o->tls,
				     .connect_timeout = o->connect_timeout},
			.timeout = o->timeout,
			.tls = o->tls == TLS_OFF && !o->mta_sts ? NULL : tls_context_new(),
			.bind4 = o->bind4.family ? &o->bind4 : NULL,
			.bind6 = o->bind6.family ? &o->bind6 : NULL,
			.trace = o->verbose ? trace->session : NULL,
			.trace_arg = trace->arg},
	    .contacts = {.repeat = o->repeat,
			 .interval = o->interval,
			 .jobs = o->jobs,
			 .per_address = o->per_address,
			 .rate = o->rate,
			 .by_name = o->tls >= TLS_VERIFY || o->mta_sts},
	    .families = o->families,
	    .port = o->port,
	    .public_only = o->public_only,
	    .mta_sts = o->mta_sts,
	    .https_port = 443,
	    .expiry_days = o->n_days ? o->days[0] : EXPIRY_DAYS,
	    .senders = o->senders,
	    .deadline = o->deadline,
	};
	setup_resolver(&conf->resolver, o);
	if (o->verbose > 1) {
		conf->resolver.trace = trace->dns;
		conf->resolver.trace_arg = trace->arg;
	}
	fit_descriptors(conf, DESCRIPTORS_KEPT + (o->webhook ? WEBHOOK_DESCRIPTORS : 0));
}

/* Asynchronous stub resolver on the loop: UDP with EDNS, without it after FORMERR, TCP after
 * truncation; the next server after a try without a good answer. The same question asked while it
 * is in flight, or while its answer lives, is asked once. */
#ifndef MXPROBE_RESOLVER_H
#define MXPROBE_RESOLVER_H

#include "base/addr.h"
#include "base/buf.h"
#include "dns/message.h"
#include "dns/resolvconf.h"
#include "dns/status.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct resolver;
struct query; /* one asker's wish */

struct resolver_conf {
	struct addr servers[RESOLVERS_MAX]; /* recursive ones, at least one */
	size_t n_servers;
	usec_t timeout;     /* of one try */
	unsigned tries;     /* in all, over the servers in turn */
	bool trust_ad;      /* the AD bit counts though the server is not on loopback */
	bool rotate;        /* begin each question at another server */
	unsigned in_flight; /* most questions at once: at most one descriptor each, see ports.h */
	/* For -vv; NULL: nobody listens. */
	void (*trace)(void *arg, const char *line);
	void *trace_arg;
};

/* Two seconds a try, three tries, 256 questions in flight: all that one target can have. */
extern const struct resolver_conf resolver_conf_default;

struct resolver *resolver_new(struct loop *, const struct resolver_conf *);
/* Nothing is asked any more: its sockets are closed. */
void resolver_close(struct resolver *);
void resolver_free(struct resolver *); /* open queries are forgotten without a call-back */

/* What a question came to. DNS_OK: `message` has NOERROR, with or without records. DNS_NXDOMAIN:
 * the message too. Else message is NULL. It is alive during the call-back only, or until the loop's
 * next one. */
struct dns_answer {
	enum dns_status status;
	const struct dns_message *message;
};

/* Asks; `done` comes once, from the loop, never from inside this function. qname: text, any case. A
 * name that cannot be a domain name ends as DNS_INVALID. With `known` an answer that holds still is
 * put there at once: then this is NULL, and `done` does not come. */
struct query *resolver_ask(struct resolver *, const char *qname, enum dns_type,
			   struct dns_answer *known,
			   void (*done)(void *arg, const struct dns_answer *), void *arg);
void resolver_cancel(struct query *); /* before its call-back only */

/* It stands in our own queue: no server has been asked yet, none can be blamed for the time. Before
 * its call-back only. */
bool resolver_is_waiting(const struct query *);

/* The errno of the last question that this machine could not ask (DNS_LOCAL_ERROR); 0: none. */
int resolver_local_error(const struct resolver *);

/* No server has answered anything yet, though something was asked. Then what became of the tries is
 * appended to `troubles`: "192.0.2.1 (no answer), 192.0.2.2 (Connection refused)". */
bool resolver_is_silent(const struct resolver *, struct buf *troubles);

#endif

/* One finished target, as values: what reports, history and exit code are made from. A report can
 * be made from a result that no server ever gave. Everything a result points to is alive while the
 * report runs, and no longer. */
#ifndef MXPROBE_RESULT_H
#define MXPROBE_RESULT_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/util.h"
#include "dns/status.h"
#include "dns/sts.h"
#include "judge/classify.h"
#include "smtp/observation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

const char *dns_status_name(enum dns_status); /* "ok", "no-address", ... */

const char *dns_source_name(enum dns_source); /* NULL for SOURCE_NONE */

enum verdict {
	VERDICT_HEALTHY,
	VERDICT_DEGRADED,
	VERDICT_FAILING,
	VERDICT_UNDELIVERABLE,
	VERDICT_UNKNOWN,
	VERDICTS
};
const char *verdict_name(enum verdict);
int verdict_exit(enum verdict); /* 0, 1, 2, 2, 3 */

/* A backend seen behind an address: the first word of its banner. */
struct backend {
	char *name;
	unsigned sessions, healthy;
};

/* One session, as far as a model of senders needs it. */
struct draw {
	enum class class;
	enum phase phase;
	enum reason reason;
	usec_t total;
};

/* Timings that are shown, in the order of the JSON. USEC_NONE: the phase was not entered. */
struct timing {
	usec_t connect, first_byte, banner, ehlo, starttls, tls, mail, total;
};

enum contact_state { CONTACT_WAITING, CONTACT_RUNNING, CONTACT_DONE };

/* What a report has made of a contact that several endpoints share: made once. */
struct shared_text {
	struct buf json;
	int64_t days_left; /* of its certificate, as the text says */
};

/* One (address, port, TLS name) with all of its sessions: contacted once a run, shared by every
 * endpoint that leads to it. */
struct contact {
	struct addr addr;         /* family 0: an MX host without an address */
	enum contact_state state; /* CONTACT_DONE in every finished result */
	enum phase live_phase;    /* while CONTACT_RUNNING: where its session is */
	usec_t live_since;        /* and since when, on the loop's clock, that session runs */
	enum class class;
	enum reason reason;
	enum phase phase;
	const struct rule *rule; /* that matched the observation shown */
	unsigned sessions, healthy_sessions;
	unsigned left;      /* that were not held, since the server wanted no more */
	struct draw *draws; /* `sessions` of them */
	struct backend *backends;
	size_t n_backends;
	struct observation seen; /* of the session that `class` is taken from: reply, banner, ... */
	struct timing timing;    /* medians over the sessions */
	usec_t rtt;
	struct shared_text *text; /* the report's own; NULL: one endpoint only leads here */
};

struct endpoint {
	int preference;    /* -1: null */
	const char *host;  /* MX host, or the address as text for literals */
	size_t host_index; /* into result.hosts */
	const struct contact *contact;
};

struct mx_host {
	int preference; /* -1: null */
	char *name;
	enum dns_status status;
	int64_t ttl; /* of the MX record, seconds; -1: null */
	struct addr *addrs;
	size_t n_addrs;
};

struct warning {
	const char *code; /* "mx-is-cname", ... a constant */
	char *message;
};

struct summary {
	unsigned endpoints;
	unsigned count[CLASSES];
	usec_t slowest; /* longest total of the healthy endpoints; USEC_NONE */
};

struct sender_delivery {
	const char *name; /* "postfix", "exim": a constant */
	double accepted, seconds;
};
enum { SENDERS_MAX = 2 };

struct delivery {
	bool contacted; /* false: all of this is null */
	double first_try;
	bool possible;
	struct sender_delivery senders[SENDERS_MAX]; /* only what --sender asked for */
	size_t n_senders;
};

/* What MTA-STS (RFC 8461) says of a domain. */
struct sts_finding {
	const char *id;                  /* of the record; NULL: none is published */
	const struct sts_policy *policy; /* NULL: none could be had */
	const char *error;               /* why not, or what is wrong with it; NULL: nothing */
};

/* What the history knew before this result, and what the result changes (--history). */
struct past_class {
	int previous;     /* enum class at the last time; -1: there was none */
	int64_t since_ms; /* the class holds; -1: not known */
};
struct past {
	int previous_verdict; /* enum verdict; -1: there was none */
	bool changed;
	int64_t since_ms;                   /* the verdict holds; -1: not known */
	const struct past_class *endpoints; /* as many as the result has; NULL: nothing is known */
};

struct result {
	struct arena *memory; /* of what is made for it alone: its warnings */
	int64_t index;        /* in the order of the input; -1: the control target */
	const char *target;   /* as given, at most 1,024 characters; may be any octets */
	const char *domain;   /* A-label form; NULL: the line was no target */
	uint16_t port;
	int64_t started_ms; /* Unix time, milliseconds */
	usec_t elapsed;
	const char *helo, *from; /* from with its angle brackets */
	enum verdict verdict;
	const char *error_code; /* "invalid-target", ...; NULL: none */
	const char *error_message;
	struct warning *warnings;
	size_t n_warnings;

	bool has_dns; /* false: the JSON's dns is null */
	enum dns_source source;
	enum dns_status status;
	bool authenticated;
	usec_t dns_elapsed;
	struct mx_host *hosts; /* in order of preference, then of the answer */
	size_t n_hosts;

	bool has_sts; /* it was asked for, and the target is a domain */
	struct sts_finding sts;

	struct endpoint *endpoints; /* in order of preference, host, address */
	size_t n_endpoints;
	struct summary summary;
	struct delivery delivery;

	const struct past *past; /* NULL: no history is kept */
};

#endif

/* What an observation means: exactly one class with one reason. Pure and total. */
#ifndef MXPROBE_CLASSIFY_H
#define MXPROBE_CLASSIFY_H

#include "smtp/observation.h"

enum class {
	CLASS_HEALTHY,
	CLASS_EXHAUSTED,
	CLASS_DEFERRED,
	CLASS_REJECTED,
	CLASS_TIMEOUT,
	CLASS_DOWN,
	CLASS_BROKEN,
	CLASS_UNRESOLVED,
	CLASS_SKIPPED,
	CLASSES
};

/* Reasons of all classes; several classes share a word. */
enum reason {
	REASON_OK,
	/* exhausted */
	REASON_MEMORY,
	REASON_DISK,
	REASON_LOAD,
	REASON_CONNECTIONS,
	REASON_UNSPECIFIED,
	/* deferred, rejected */
	REASON_THROTTLE,
	REASON_GREYLIST,
	REASON_POLICY,
	REASON_MAILBOX,
	REASON_MAINTENANCE,
	REASON_DNS,
	REASON_TLS, /* also broken */
	REASON_INTERNAL,
	REASON_OTHER,
	REASON_AUTH,
	REASON_SYNTAX,
	REASON_NO_SERVICE,
	REASON_SIZE,
	/* timeout */
	REASON_CONNECT,
	REASON_SILENT,
	REASON_SLOW,
	/* down */
	REASON_REFUSED,
	REASON_UNREACHABLE,
	REASON_CLOSED,
	/* broken */
	REASON_NOT_SMTP,
	REASON_BAD_REPLY,
	REASON_CERTIFICATE,
	REASON_NO_TLS,
	/* unresolved */
	REASON_NXDOMAIN,
	REASON_NO_ADDRESS,
	REASON_SERVFAIL,
	REASON_TIMEOUT,
	REASON_INVALID,
	/* skipped */
	REASON_NO_ROUTE,
	REASON_NOT_PUBLIC,
	REASON_LIMIT,
	REASON_DEADLINE,
	REASON_INTERRUPTED,
	REASON_LOCAL_ERROR,
	REASONS
};

const char *class_name(enum class);   /* "healthy", ... as in the JSON */
const char *reason_name(enum reason); /* "ok", "no-service", ... */

struct rule; /* judge/rules.h: one row of the table */

/* The first row that matches; the table's last row takes all, so never NULL. The row is the
 * explanation of its class and reason. */
const struct rule *classify(const struct observation *);

/* Has the server said that it wants no more connections from us at present: 421 in any phase (RFC
 * 5321 3.8), or a refusal for their number? */
bool wants_no_more(const struct observation *);

#endif

/* What one SMTP session saw. Facts only: judge/ says what they mean. */
#ifndef MXPROBE_OBSERVATION_H
#define MXPROBE_OBSERVATION_H

#include "base/util.h"
#include "net/tls.h"
#include "smtp/reply.h"

#include <stdbool.h>

/* How far a session came, in the order of the dialogue. */
enum phase {
	PHASE_DNS,
	PHASE_CONNECT,
	PHASE_BANNER,
	PHASE_EHLO,
	PHASE_STARTTLS,
	PHASE_TLS,
	PHASE_MAIL,
	PHASES
};

/* How it ended. */
enum end {
	END_NONE,  /* it has not */
	END_REPLY, /* by the last reply read: any 4xx or 5xx, or 2xx to MAIL FROM */

	END_TIMEOUT,     /* a limit of time passed; NOTE_PARTIAL: in the middle of a reply */
	END_REFUSED,     /* RST to the SYN */
	END_UNREACHABLE, /* ICMP said so; err */
	END_CLOSED,      /* the server closed (err 0) or reset the connection (err) before its final
			    reply */
	END_NOT_SMTP,    /* the banner is not SMTP */
	END_BAD_REPLY,   /* malformed, too long, or a code that answers nothing */
	END_TLS,         /* the handshake failed, or plaintext was injected before it */
	END_CERTIFICATE, /* the certificate does not satisfy the TLS mode */
	END_NO_TLS,      /* the mode needs TLS, the server does not offer it, or refuses with 5xx */

	END_DNS_NXDOMAIN, /* the MX host has no usable address, and why; phase is PHASE_DNS */
	END_DNS_NO_ADDRESS,
	END_DNS_SERVFAIL,
	END_DNS_TIMEOUT,
	END_DNS_INVALID,

	END_NO_ROUTE, /* not contacted; nothing is known about the server */
	END_NOT_PUBLIC,
	END_LIMIT,
	END_DEADLINE,
	END_INTERRUPTED,
	END_LOCAL_ERROR, /* a fault of this machine; err */

	ENDS
};

enum {
	NOTE_PARTIAL = 1,      /* some octets of the awaited reply had come */
	NOTE_EARLY = 2,        /* the server spoke before it was asked */
	NOTE_HELO = 4,         /* EHLO was refused, HELO was said */
	NOTE_TLS_FALLBACK = 8, /* TLS was tried and failed or was refused; on in plaintext */
	NOTE_TLS = 16,         /* the session ended inside TLS */
	NOTE_STARTTLS = 32     /* STARTTLS was offered */
};

struct observation {
	enum phase phase; /* in which it ended */
	enum end end;
	int err;             /* errno, or 0 */
	unsigned notes;      /* NOTE_... */
	usec_t took[PHASES]; /* each phase's own duration, USEC_NONE: never entered */
	usec_t first_byte;   /* the part of took[PHASE_BANNER] before the first octet; USEC_NONE */
	usec_t rtt;          /* smoothed round-trip time of the kernel; USEC_NONE */
	struct reply reply;  /* the last reply read */
	struct buf banner;   /* text of the greeting, lines joined by '\n' */
	struct buf extensions; /* EHLO keywords with parameters, one a line, of the last EHLO;
				  empty: none */
	struct tls_facts *tls; /* NULL: no handshake was tried (or it was forgotten) */
	char *error;           /* the operating system's or our words on how it ended; NULL: none */
};

void observation_init(struct observation *);
void observation_fini(struct observation *); /* leaves it initialised */
/* What `from` ended with and what was read in it, for a session that was not held because of it: no
 * times, no TLS, no error. `to` need not be initialised. */
void observation_quote(struct observation *to, const struct observation *from);
usec_t
observation_total(const struct observation *); /* the sum of all phases; USEC_NONE: none entered */

const char *phase_name(enum phase); /* as in the JSON: "dns", "connect", ... */

#endif

/* A scenario: what the lab's DNS and SMTP servers shall do. README.md describes the text format. */
#ifndef LAB_SCENARIO_H
#define LAB_SCENARIO_H

#include "base/addr.h"
#include "base/util.h"
#include "lab/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an SMTP server is asked, one script for each. */
enum lab_phase {
	LAB_BANNER,
	LAB_EHLO,
	LAB_HELO,
	LAB_STARTTLS,
	LAB_TLS,      /* begins with the first octets of the client's handshake */
	LAB_EHLO_TLS, /* EHLO inside TLS; without a script of its own it is LAB_EHLO's */
	LAB_MAIL,
	LAB_QUIT,
	LAB_OTHER, /* any other command */
	LAB_PHASES
};
const char *lab_phase_name(enum lab_phase);

enum action_kind {
	ACT_OK,      /* what a healthy server does */
	ACT_WAIT,    /* from..to */
	ACT_SEND,    /* bytes, `times` over; 0: without end */
	ACT_DRIP,    /* from now on `times` octets every `from` */
	ACT_CLOSE,   /* FIN */
	ACT_RESET,   /* RST */
	ACT_HALF,    /* FIN, but goes on reading */
	ACT_SILENCE, /* nothing more, ever */
	ACT_CUT,    /* what follows ends after `times` octets on the wire: FIN, or RST if `reset` */
	ACT_SLOW,   /* from now on the wire takes `times` octets every `from`, TLS and all */
	ACT_WIRE,   /* bytes as they are, beneath TLS */
	ACT_NOTIFY, /* close_notify */
	ACT_RENEGOTIATE /* TLS 1.2 */
};

struct action {
	enum action_kind kind;
	usec_t from, to;
	const char *bytes;
	size_t n;
	uint64_t times;
	bool reset;
};

struct script {
	struct action *actions;
	size_t n;
};

enum cert_kind {
	CERT_NONE, /* no STARTTLS */
	CERT_GOOD,
	CERT_EXPIRED,
	CERT_FUTURE,
	CERT_SELF_SIGNED,
	CERT_UNTRUSTED, /* by a CA that nobody knows */
	CERT_WRONG_NAME,
	CERT_SHA1,
	CERT_ANONYMOUS, /* no certificate at all, anonymous suites */
	CERT_KINDS
};

/* How a server meets one connection. */
struct face {
	const char *name; /* host name it says; NULL: made from its address */
	unsigned first;   /* for that many connections, then the next face's turn; 0: no limit */
	unsigned weight;  /* turns in a row */
	struct script script[LAB_PHASES];
	const char *extensions;     /* EHLO keywords, separated by ','; NULL: the usual ones */
	const char *tls_extensions; /* the same inside TLS; NULL: as outside */
	enum cert_kind cert;
	const char *cert_names; /* separated by ','; NULL: the server's name */
	int cert_days;          /* that the certificate is still good for */
	unsigned more_names;    /* so many names besides */
	unsigned more_chain;    /* so many certificates of the CA besides */
	int tls_min, tls_max;   /* OpenSSL's version numbers; 0: no limit */
	const char *ciphers;
};

enum smtp_kind { SMTP_LISTEN, SMTP_REFUSE, SMTP_BLACKHOLE };

struct smtp_host {
	enum smtp_kind kind;
	struct face base;   /* for every connection when there are no faces */
	struct face *faces; /* the ones with `first` in order, then the others in turn */
	size_t n_faces;
	bool shuffle; /* those in turn are taken at random instead */
};

/* An address, served as its host says. */
struct smtp_place {
	struct addr addr; /* without port */
	const struct smtp_host *host;
};

/* One packet that answers a question. */
struct dns_reply {
	usec_t delay;
	bool silent, close; /* nothing is sent; close: TCP is closed */
	bool tc, ad, wrong_id, wrong_question, no_question, wrong_port, wrong_address, not_response;
	bool empty;       /* no records, whatever the zone has */
	bool no_edns;     /* no OPT record although the question had one */
	int rcode;        /* -1: what the zone says */
	int cut;          /* octets; -1: whole */
	int poke_at;      /* where octets are overwritten; below 0: from the end */
	const char *poke; /* by which; NULL */
	size_t poke_len;
	int length;      /* over TCP, what is said to come; -1: what comes */
	usec_t drip;     /* over TCP, the pause between two octets */
	bool hang_up;    /* over TCP, once it is sent */
	int count[4];    /* section counts to lie about; -1: true */
	const char *raw; /* whole packet but for the id; NULL */
	size_t raw_len;
	const char *append; /* octets behind the packet; NULL */
	size_t append_len;
};

enum dns_transport { DNS_ANY, DNS_UDP, DNS_TCP };

/* How questions are answered; the first rule that fits counts, without one the zone alone. */
struct dns_rule {
	struct addr server; /* only at this resolver; family 0: at any */
	const char *name;   /* lower case, no final dot; "*": any; "*.x": anything below x */
	int type;           /* -1: any */
	enum dns_transport transport;
	int edns;       /* 1: only with EDNS, 0: only without, -1: both */
	unsigned first; /* only for so many questions; 0: no limit */
	struct dns_reply *replies;
	size_t n_replies;
};

struct dns_place {
	struct addr addr; /* without port */
	bool no_tcp, no_udp;
};

/* A TLSA record for the certificate that an address shows, made once certificate and port exist. */
struct tlsa_wish {
	const char *host;
	struct addr addr;
	int usage, selector, matching;
	bool wrong;
};

/* What a probe is to find, for tests to compare. */
struct expectation {
	const char *where;            /* an address, or a target */
	const char *class, *reason;   /* of an endpoint; NULL: it is one of a target */
	const char *phase;            /* may be NULL */
	const char *verdict, *status; /* of a target; status may be NULL */
};

struct scenario {
	struct zone *zone;
	struct dns_rule *rules;
	size_t n_rules;
	struct dns_place *resolvers; /* the first is the main one */
	size_t n_resolvers;
	struct smtp_place *places;
	size_t n_places;
	struct tlsa_wish *tlsas;
	size_t n_tlsas;
	struct expectation *expectations;
	size_t n_expectations;
	const char *args; /* options for the probe, as they stand in the file */
	void **owned;     /* everything the above points to */
	size_t n_owned;
};

/* Reads a file, or text that stands for one (its includes are relative to `name`'s folder). NULL
 * and *error "FILE:LINE: what" (caller frees) when it is no scenario. */
struct scenario *scenario_read(const char *path, char **error) MUSTCHECK;
struct scenario *scenario_parse(const char *name, const char *text, size_t n,
				char **error) MUSTCHECK;
void scenario_free(struct scenario *);

#endif

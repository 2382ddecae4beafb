/* The command line. One table feeds the parser, --help, and the tests of man page and completions.
 */
#ifndef MXPROBE_OPTIONS_H
#define MXPROBE_OPTIONS_H

#include "base/addr.h"
#include "dns/resolvconf.h"
#include "judge/event.h"
#include "report/range.h"
#include "smtp/dialogue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum mode { MODE_PROBE, MODE_CLASSIFY, MODE_REPORT, MODE_HELP, MODE_VERSION };
enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_PLUGIN, FORMAT_PROMETHEUS, FORMAT_HTML };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
	enum mode mode;
	enum format format;
	const char **targets; /* as given */
	size_t n_targets;
	const char *control; /* NULL: none */
	const char *input;   /* NULL: none; "-": standard input */
	const char *output;  /* NULL: standard output */
	unsigned families;   /* MX_IPV4, MX_IPV6 */
	uint16_t port;
	char *from;       /* with angle brackets */
	const char *helo; /* NULL: this host's */
	usec_t timeout, connect_timeout, interval, jitter;
	usec_t deadline; /* USEC_NEVER: none */
	enum tls_mode tls;
	bool mta_sts;
	int days[2]; /* certificate limits: warning, critical */
	int n_days;  /* how many of them were given */
	unsigned repeat, jobs, per_address;
	double rate; /* 0: no limit */
	unsigned senders;
	struct addr resolvers[RESOLVERS_MAX];
	size_t n_resolvers;
	bool trust_ad, public_only, explain, quiet, addresses, no_sandbox;
	unsigned verbose;
	enum color color;
	const char *history; /* NULL: none is kept */
	uint64_t job;        /* the same for the same words on the command line, else another */
	unsigned confirm;
	int64_t keep_ms;        /* 0: for ever */
	int64_t report_ms;      /* span of a report */
	usec_t watch;           /* from round to round; 0: one run */
	char *webhook;          /* URL; NULL: none */
	char *webhook_argument; /* the same where it stands in argv */
	enum event_when webhook_when;
	bool has_webhook_when;
	const char *webhook_secret; /* file; NULL: none */
	struct addr bind4, bind6;   /* family 0: the system chooses */
	struct range warning, critical, warning_time, critical_time;
	bool has_warning, has_critical, has_warning_time, has_critical_time;
};

struct option_row {
	int code; /* its letter; above 255: it has none */
	const char *name;
	const char *argument; /* NULL: takes none; in brackets: may take one */
	const char *help;     /* NULL: an alias, not shown */
	int group;
};

extern const struct option_row option_rows[];
extern const size_t n_option_rows;

char option_letter(const struct option_row *); /* '\0': it has none */

/* Reads argv. False: *error is one line that names option and value; the caller frees it. Also then
 * options->format says whether this is plugin mode. */
bool options_parse(struct options *, int argc, char **argv, char **error) MUSTCHECK;
void options_fini(struct options *);

/* Overwrites in argv what others are not to see there with ps: of a webhook's URL all but scheme,
 * host and port. */
void options_hide(struct options *);

void options_help(FILE *);
void options_usage(FILE *); /* the little that somebody needs who has given no TARGET */

#endif

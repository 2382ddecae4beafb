#include "cli/options.h"

#include "base/nearest.h"
#include "base/text.h"
#include "base/util.h"
#include "dns/mx.h"
#include "history/history.h"
#include "judge/sender.h"
#include "net/http.h"
#include "net/url.h"
#include "report/number.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS_MOST = 100000 };
#define WATCH_USUAL (30 * USEC_PER_SEC)
#define WATCH_LEAST USEC_PER_SEC
#define WATCH_MOST (86400 * USEC_PER_SEC)
#define SPAN_MOST ((int64_t)36500 * 86400)

/* What an option is called in the parser: its letter, or one of these. */
enum {
	OPT_CONNECT_TIMEOUT = 256,
	OPT_DEADLINE,
	OPT_TLS,
	OPT_MTA_STS,
	OPT_INTERVAL,
	OPT_PER_ADDRESS,
	OPT_RATE,
	OPT_JITTER,
	OPT_SENDER,
	OPT_RESOLVER,
	OPT_TRUST_AD,
	OPT_PUBLIC_ONLY,
	OPT_CONTROL,
	OPT_JSON,
	OPT_NAGIOS,
	OPT_PROMETHEUS,
	OPT_WARNING_TIME,
	OPT_CRITICAL_TIME,
	OPT_EXPLAIN,
	OPT_CLASSIFY,
	OPT_COLOR,
	OPT_HISTORY,
	OPT_REPORT,
	OPT_HTML,
	OPT_CONFIRM,
	OPT_KEEP,
	OPT_WATCH,
	OPT_NO_SANDBOX,
	OPT_WEBHOOK,
	OPT_WEBHOOK_ON,
	OPT_WEBHOOK_SECRET
};

enum group {
	GROUP_WHAT,
	GROUP_SESSION,
	GROUP_PACE,
	GROUP_DNS,
	GROUP_OUTPUT,
	GROUP_MONITOR,
	GROUP_HISTORY,
	GROUP_WEBHOOK,
	GROUP_OTHER,
	GROUPS
};

static const char *const group_names[] = {
    [GROUP_WHAT] = "What to probe",
    [GROUP_SESSION] = "The SMTP session",
    [GROUP_PACE] = "How many, how fast",
    [GROUP_DNS] = "DNS and network",
    [GROUP_OUTPUT] = "Output",
    [GROUP_MONITOR] = "Monitoring",
    [GROUP_HISTORY] = "History",
    [GROUP_WEBHOOK] = "Notification",
    [GROUP_OTHER] = "Other",
};
static_assert(ARRAY_LEN(group_names) == GROUPS, "each group has a name");

const struct option_row option_rows[] = {
    {'H', "hostname", "TARGET", "the same as a positional TARGET", GROUP_WHAT},
    {'i', "input", "FILE", "one target a line; - is standard input", GROUP_WHAT},
    {'4', "ipv4", NULL, "only IPv4 addresses", GROUP_WHAT},
    {'6', "ipv6", NULL, "only IPv6 addresses", GROUP_WHAT},
    {'p', "port", "N", "SMTP port, unless the target names one (25)", GROUP_WHAT},
    {OPT_PUBLIC_ONLY, "public-only", NULL, "do not contact private and other special addresses",
     GROUP_WHAT},
    {OPT_CONTROL, "control", "TARGET", "a target known to work: tells them from us", GROUP_WHAT},
    {OPT_CLASSIFY, "classify", NULL, "no probing: classify replies or log lines read", GROUP_WHAT},

    {'f', "from", "ADDRESS", "MAIL FROM address (the null sender <>)", GROUP_SESSION},
    {'F', "helo", "NAME", "EHLO name (this host's full name)", GROUP_SESSION},
    {'F', "fqdn", "NAME", NULL, GROUP_SESSION},
    {'t', "timeout", "SEC", "from connect to MAIL FROM's reply (30; plugin 10)", GROUP_SESSION},
    {OPT_CONNECT_TIMEOUT, "connect-timeout", "SEC", "the connect part of it (10)", GROUP_SESSION},
    {OPT_TLS, "tls", "MODE", "off, auto, require, verify, dane (auto)", GROUP_SESSION},
    {'S', "starttls", NULL, "the same as --tls require", GROUP_SESSION},
    {OPT_MTA_STS, "mta-sts", NULL, "fetch and apply the domain's MTA-STS policy", GROUP_SESSION},

    {'n', "repeat", "N", "sessions per endpoint, for load balancers (1)", GROUP_PACE},
    {OPT_INTERVAL, "interval", "SEC", "pause between two sessions to one endpoint (1)", GROUP_PACE},
    {'j', "jobs", "N", "sessions open at once (256)", GROUP_PACE},
    {OPT_PER_ADDRESS, "per-address", "N", "sessions open at once to one address (1)", GROUP_PACE},
    {OPT_RATE, "rate", "N", "new sessions a second (no limit)", GROUP_PACE},
    {OPT_DEADLINE, "deadline", "SEC", "limit for the whole run (none; 55 in plugin mode)",
     GROUP_PACE},
    {OPT_JITTER, "jitter", "SEC", "wait a random time up to SEC first (0)", GROUP_PACE},

    {OPT_RESOLVER, "resolver", "ADDR[:PORT]", "resolver to ask; repeatable (resolv.conf)",
     GROUP_DNS},
    {OPT_TRUST_AD, "trust-ad", NULL, "believe the resolver's AD bit", GROUP_DNS},
    {'b', "bind", "ADDRESS", "source address; repeatable, one per family", GROUP_DNS},

    {OPT_JSON, "json", NULL, "JSON Lines, one object a target", GROUP_OUTPUT},
    {'o', "output", "FILE", "write there, whole or not at all", GROUP_OUTPUT},
    {OPT_WATCH, "watch", "[SEC]", "probe every SEC seconds, redraw the table (30)", GROUP_OUTPUT},
    {OPT_EXPLAIN, "explain", NULL, "say what each class means and what to do", GROUP_OUTPUT},
    {OPT_SENDER, "sender", "NAME", "model postfix or exim; repeatable (both)", GROUP_OUTPUT},
    {OPT_COLOR, "color", "WHEN", "auto, always, never (auto)", GROUP_OUTPUT},
    {'v', "verbose", NULL, "the dialogue on standard error; twice: DNS too", GROUP_OUTPUT},
    {'q', "quiet", NULL, "no progress, no table", GROUP_OUTPUT},

    {OPT_NAGIOS, "nagios", NULL, "plugin mode (also when run as check_mxprobe)", GROUP_MONITOR},
    {'w', "warning", "RANGE", "WARNING on so many (or %) unhealthy endpoints", GROUP_MONITOR},
    {'c', "critical", "RANGE", "CRITICAL likewise", GROUP_MONITOR},
    {OPT_WARNING_TIME, "warning-time", "RANGE", "WARNING on the slowest healthy session, seconds",
     GROUP_MONITOR},
    {OPT_CRITICAL_TIME, "critical-time", "RANGE", "CRITICAL likewise", GROUP_MONITOR},
    {'D', "certificate", "DAYS[,DAYS]", "limits on days certificates are still good for",
     GROUP_MONITOR},
    {OPT_PROMETHEUS, "prometheus", "[addresses]", "Prometheus text exposition", GROUP_MONITOR},

    {OPT_HISTORY, "history", "FILE", "append results there, find changes against it",
     GROUP_HISTORY},
    {OPT_REPORT, "report", "[SPAN]", "no probing: what the history says (7d)", GROUP_HISTORY},
    {OPT_HTML, "html", NULL, "with --report: a page for browsers", GROUP_HISTORY},
    {OPT_CONFIRM, "confirm", "N", "runs in a row that make a change of verdict (1)", GROUP_HISTORY},
    {OPT_KEEP, "keep", "SPAN", "drop older history after the run, such as 90d", GROUP_HISTORY},

    {OPT_WEBHOOK, "webhook", "URL", "POST results there as JSON, for chats and scripts",
     GROUP_WEBHOOK},
    {OPT_WEBHOOK_ON, "webhook-on", "WHEN", "change (with --history), problem, always",
     GROUP_WEBHOOK},
    {OPT_WEBHOOK_SECRET, "webhook-secret", "FILE", "sign what is sent with this secret",
     GROUP_WEBHOOK},

    {OPT_NO_SANDBOX, "no-sandbox", NULL, "keep the rights that a probe does not need", GROUP_OTHER},
    {'h', "help", NULL, "this text", GROUP_OTHER},
    {'V', "version", NULL, "the version", GROUP_OTHER},
};
const size_t n_option_rows = ARRAY_LEN(option_rows);

/* One value on its way in. */
struct reading {
	const char *name; /* of the option, with its dashes, as the user wrote it */
	const char *value;
	char *error; /* the first one counts */
};

static PRINTF_LIKE(2, 3) void complain(struct reading *r, const char *fmt, ...)
{
	struct buf b = {0};
	char why[200];
	va_list ap;

	if (r->error)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap); /* all of ours are shorter */
	va_end(ap);
	buf_addstr(&b, r->name);
	buf_addstr(&b, ": '");
	text_safe(&b, r->value ? r->value : "", r->value ? strlen(r->value) : 0);
	buf_addstr(&b, "' ");
	buf_addstr(&b, why);
	r->error = buf_steal(&b);
}

static void read_seconds(struct reading *r, bool zero, usec_t *out)
{
	const char *end;
	double value;

	if (!number_read(r->value, &end, &value) || *end || value < 0 || (value == 0 && !zero))
		complain(r, "is no number of seconds above 0%s", zero ? ", nor 0" : "");
	else if (value > 1e9)
		complain(r, "is more than 1000000000 seconds");
	else
		*out = (usec_t)(value * (double)USEC_PER_SEC + 0.5);
	if (!r->error && !*out && !zero)
		*out = 1; /* less than the clock can tell, but not nothing */
}

static void read_watch(struct reading *r, usec_t *out)
{
	*out = WATCH_USUAL;
	if (r->value)
		read_seconds(r, false, out);
	if (*out < WATCH_LEAST)
		complain(r, "is less than a second: servers are not to be besieged");
	if (*out > WATCH_MOST)
		complain(r, "is more than a day");
}

static void read_count(struct reading *r, unsigned most, unsigned *out)
{
	unsigned long value = 0;
	const char *p;

	for (p = r->value; *p >= '0' && *p <= '9' && value <= most; p++)
		value = value * 10 + (unsigned long)(*p - '0');
	if (!*r->value || *p || !value || value > most)
		complain(r, "is no whole number from 1 to %u", most);
	else
		*out = (unsigned)value;
}

/* "90d", "36h": whole numbers of one unit. */
static void read_span(struct reading *r, const char *text, int64_t *out)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1},     {'m', 60},     {'h', 3600},
		     {'d', 86400}, {'w', 604800}, {'y', (int64_t)365 * 86400}};
	int64_t n = 0;

	for (; *text >= '0' && *text <= '9' && n < 1000000; text++)
		n = n * 10 + (*text - '0');
	for (size_t i = 0; n && i < ARRAY_LEN(units); i++) {
		int64_t seconds = n * units[i].seconds;

		if (text[0] == units[i].letter && !text[1] && seconds <= SPAN_MOST) {
			*out = seconds * 1000;
			return;
		}
	}
	complain(r, "is no span such as 12h, 7d, 4w or 1y, up to 100y");
}

static void read_rate(struct reading *r, double *out)
{
	const char *end;

	if (!number_read(r->value, &end, out) || *end || !(*out > 0) || *out > 1e9)
		complain(r, "is no number above 0");
}

static void read_range(struct reading *r, bool shares, struct range *out, bool *has)
{
	const char *why = range_parse(out, r->value, shares);

	if (why)
		complain(r, "is no range: %s", why);
	*has = !why;
}

static const char *read_day(const char *s, int *out)
{
	long n = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9' && n <= DAYS_MOST; s++)
		n = n * 10 + (*s - '0');
	*out = (int)n;
	return n <= DAYS_MOST ? s : NULL;
}

static void read_days(struct reading *r, struct options *o)
{
	const char *s = read_day(r->value, &o->days[0]);

	o->n_days = 1;
	if (s && *s == ',') {
		s = read_day(s + 1, &o->days[1]);
		o->n_days = 2;
	}
	if (!s || *s)
		complain(r, "is not DAYS or DAYS,DAYS, each from 0 to %d", DAYS_MOST);
	else if (o->n_days == 2 && o->days[1] > o->days[0])
		complain(r, "has a critical limit above its warning limit");
}

/* RFC 5321 4.1.2, as far as it keeps commands whole: printable ASCII, a local part and a domain. */
static void read_from(struct reading *r, char **out)
{
	const char *s = r->value;
	size_t n = strlen(s);

	if (n >= 2 && s[0] == '<' && s[n - 1] == '>') {
		s++;
		n -= 2;
	}
	if (n > DIALOGUE_FROM_MAX - 2) {
		complain(r, "is longer than an address may be");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (s[i] <= ' ' || s[i] >= 0x7F || s[i] == '<' || s[i] == '>') {
			complain(r, "is no mail address: %s",
				 "it has a blank, a bracket, a control or a non-ASCII character");
			return;
		}
	}
	if (n) {
		const char *at = NULL;

		for (size_t i = 0; i < n; i++)
			if (s[i] == '@')
				at = s + i;
		if (!at || at == s || at == s + n - 1) {
			complain(r, "is no mail address: %s", "it is not LOCAL@DOMAIN");
			return;
		}
	}
	free(*out);
	*out = xasprintf("<%.*s>", (int)n, s);
}

static void read_helo(struct reading *r, const char **out)
{
	const char *p;

	for (p = r->value; *p > ' ' && *p < 0x7F; p++)
		;
	if (!*r->value || *p)
		complain(r, "is no name for EHLO: %s",
			 "it is empty or has a blank, control or non-ASCII character");
	else if (strlen(r->value) > DIALOGUE_NAME_MAX)
		complain(r, "is longer than %d octets", DIALOGUE_NAME_MAX);
	else
		*out = r->value;
}

/* One of some words. What is none of them is complained of, with the one that was likely meant. */
static bool read_choice(struct reading *r, const char *const *names, size_t n, size_t *out)
{
	const char *meant = n > 1 ? nearest(r->value, strlen(r->value), names, n) : NULL;
	struct buf list = {0};

	for (size_t i = 0; i < n; i++) {
		if (strcmp(r->value, names[i]) == 0) {
			buf_fini(&list);
			*out = i;
			return true;
		}
		buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	complain(r, "is %s %s%s%s%s", n == 1 ? "not" : "none of", buf_str(&list),
		 meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "");
	buf_fini(&list);
	return false;
}

static void read_tls(struct reading *r, enum tls_mode *out)
{
	static const char *const names[] = {[TLS_OFF] = "off",
					    [TLS_AUTO] = "auto",
					    [TLS_REQUIRE] = "require",
					    [TLS_VERIFY] = "verify",
					    [TLS_DANE] = "dane"};
	size_t chosen;

	if (read_choice(r, names, ARRAY_LEN(names), &chosen))
		*out = (enum tls_mode)chosen;
}

static void read_sender(struct reading *r, unsigned *out)
{
	const char *names[SENDERS];
	size_t chosen;

	for (int i = 0; i < SENDERS; i++)
		names[i] = sender_name((enum sender)i);
	if (read_choice(r, names, SENDERS, &chosen))
		*out |= 1u << chosen;
}

static void read_color(struct reading *r, enum color *out)
{
	static const char *const names[] = {
	    [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};
	size_t chosen;

	if (read_choice(r, names, ARRAY_LEN(names), &chosen))
		*out = (enum color)chosen;
}

static void read_resolver(struct reading *r, struct options *o)
{
	struct addr a;

	if (!addr_parse_port(&a, r->value, 53))
		complain(r, "is no IP address, with :PORT or without");
	else if (o->n_resolvers == RESOLVERS_MAX)
		complain(r, "is one more than the %d that can be asked", RESOLVERS_MAX);
	else
		o->resolvers[o->n_resolvers++] = a;
}

static void read_bind(struct reading *r, struct options *o)
{
	struct addr a, *place;

	if (!addr_parse(&a, r->value, 0)) {
		complain(r, "is no IP address");
		return;
	}
	place = a.family == AF_INET ? &o->bind4 : &o->bind6;
	if (place->family)
		complain(r, "is a second source address for %s",
			 a.family == AF_INET ? "IPv4" : "IPv6");
	else
		*place = a;
}

static void add_target(struct options *o, const char *text)
{
	const char **place = ARRAY_ADD(o->targets, o->n_targets);

	*place = text;
}

static void read_once(struct reading *r, const char **out)
{
	if (*out)
		complain(r, "is one file too many: it was given before");
	else if (!*r->value)
		complain(r, "is no file name");
	else
		*out = r->value;
}

static void read_format(struct reading *r, struct options *o, enum format format)
{
	if (o->format != FORMAT_TABLE && o->format != format && !r->error)
		r->error = xasprintf("%s: another output format is chosen already", r->name);
	else
		o->format = format;
}

/* The value may be a secret: what is wrong with it is told without that. */
static void read_webhook(struct reading *r, struct options *o)
{
	const char *problem =
	    o->webhook ? "is a second one: each run has one" : url_problem(r->value);
	char *shown = url_shown(r->value);
	struct reading safe = {.name = r->name, .value = shown};

	if (problem)
		complain(&safe, "%s", problem);
	else
		o->webhook = xstrdup(r->value);
	if (!http_available() && !safe.error)
		safe.error = xstrdup("--webhook: needs libcurl, which this mxprobe was built "
				     "without or cannot load");
	free(shown);
	r->error = safe.error;
}

static void read_webhook_on(struct reading *r, struct options *o)
{
	static const char *const names[] = {
	    [EVENTS_CHANGE] = "change", [EVENTS_PROBLEM] = "problem", [EVENTS_ALWAYS] = "always"};
	size_t chosen;

	o->has_webhook_when = true;
	if (read_choice(r, names, ARRAY_LEN(names), &chosen))
		o->webhook_when = (enum event_when)chosen;
}

static void take(struct options *o, int code, struct reading *r)
{
	unsigned port;

	switch (code) {
	case 'H':
		add_target(o, r->value);
		break;
	case 'i':
		read_once(r, &o->input);
		break;
	case '4':
		o->families |= MX_IPV4;
		break;
	case '6':
		o->families |= MX_IPV6;
		break;
	case 'p':
		port = o->port;
		read_count(r, 65535, &port);
		o->port = (uint16_t)port;
		break;
	case 'f':
		read_from(r, &o->from);
		break;
	case 'F':
		read_helo(r, &o->helo);
		break;
	case 't':
		read_seconds(r, false, &o->timeout);
		break;
	case OPT_CONNECT_TIMEOUT:
		read_seconds(r, false, &o->connect_timeout);
		break;
	case OPT_DEADLINE:
		read_seconds(r, false, &o->deadline);
		break;
	case OPT_TLS:
		read_tls(r, &o->tls);
		break;
	case 'S':
		o->tls = TLS_REQUIRE;
		break;
	case OPT_MTA_STS:
		if (!http_available() && !r->error)
			r->error = xstrdup("--mta-sts: needs libcurl, which this mxprobe was built "
					   "without or cannot load");
		o->mta_sts = true;
		break;
	case 'D':
		read_days(r, o);
		break;
	case 'n':
		read_count(r, 100000, &o->repeat);
		break;
	case OPT_INTERVAL:
		read_seconds(r, true, &o->interval);
		break;
	case 'j':
		read_count(r, 1000000, &o->jobs);
		break;
	case OPT_PER_ADDRESS:
		read_count(r, 1000000, &o->per_address);
		break;
	case OPT_RATE:
		read_rate(r, &o->rate);
		break;
	case OPT_JITTER:
		read_seconds(r, true, &o->jitter);
		break;
	case OPT_SENDER:
		read_sender(r, &o->senders);
		break;
	case OPT_RESOLVER:
		read_resolver(r, o);
		break;
	case OPT_TRUST_AD:
		o->trust_ad = true;
		break;
	case 'b':
		read_bind(r, o);
		break;
	case OPT_CONTROL:
		if (o->control)
			complain(r, "is a second control target");
		o->control = r->value;
		break;
	case OPT_PUBLIC_ONLY:
		o->public_only = true;
		break;
	case OPT_JSON:
		read_format(r, o, FORMAT_JSON);
		break;
	case OPT_NAGIOS:
		read_format(r, o, FORMAT_PLUGIN);
		break;
	case OPT_PROMETHEUS:
		read_format(r, o, FORMAT_PROMETHEUS);
		if (r->value)
			(void)read_choice(r, &(const char *){"addresses"}, 1, &(size_t){0});
		o->addresses = r->value != NULL;
		break;
	case 'o':
		read_once(r, &o->output);
		break;
	case 'w':
		read_range(r, true, &o->warning, &o->has_warning);
		break;
	case 'c':
		read_range(r, true, &o->critical, &o->has_critical);
		break;
	case OPT_WARNING_TIME:
		read_range(r, false, &o->warning_time, &o->has_warning_time);
		break;
	case OPT_CRITICAL_TIME:
		read_range(r, false, &o->critical_time, &o->has_critical_time);
		break;
	case OPT_EXPLAIN:
		o->explain = true;
		break;
	case OPT_CLASSIFY:
		o->mode = MODE_CLASSIFY;
		break;
	case OPT_COLOR:
		read_color(r, &o->color);
		break;
	case OPT_HISTORY:
		if (!history_available() && !r->error)
			r->error = xstrdup("--history: needs SQLite, which this mxprobe was built "
					   "without or cannot load");
		read_once(r, &o->history);
		break;
	case OPT_REPORT:
		o->mode = MODE_REPORT;
		if (r->value)
			read_span(r, r->value, &o->report_ms);
		break;
	case OPT_HTML:
		read_format(r, o, FORMAT_HTML);
		break;
	case OPT_CONFIRM:
		read_count(r, 1000000, &o->confirm);
		break;
	case OPT_KEEP:
		read_span(r, r->value, &o->keep_ms);
		break;
	case OPT_NO_SANDBOX:
		o->no_sandbox = true;
		break;
	case OPT_WATCH:
		read_watch(r, &o->watch);
		break;
	case OPT_WEBHOOK:
		read_webhook(r, o);
		break;
	case OPT_WEBHOOK_ON:
		read_webhook_on(r, o);
		break;
	case OPT_WEBHOOK_SECRET:
		read_once(r, &o->webhook_secret);
		break;
	case 'v':
		o->verbose++;
		break;
	case 'q':
		o->quiet = true;
		break;
	default:
		break;
	}
}

char option_letter(const struct option_row *row)
{
	return row->help && row->code < 256 ? (char)row->code : '\0';
}

/* getopt's own tables, made of ours. */
static void make_tables(char *letters, struct option *names)
{
	*letters++ = ':';
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *row = &option_rows[i];
		int arg = !row->argument          ? no_argument
			  : *row->argument == '[' ? optional_argument
						  : required_argument;

		if (option_letter(row)) {
			*letters++ = option_letter(row);
			if (arg == required_argument)
				*letters++ = ':';
		}
		names[i] = (struct option){row->name, arg, NULL, row->code};
	}
	*letters = '\0';
	names[n_option_rows] = (struct option){0};
}

static void add_meant(struct buf *out, const char *word, size_t n)
{
	const char *names[ARRAY_LEN(option_rows)], *meant;
	size_t begin = 0, said = 0;

	for (size_t i = 0; i < n_option_rows; i++) {
		names[i] = option_rows[i].name;
		begin += strncmp(names[i], word, n) == 0;
	}
	if (n && begin > 1) {
		buf_addstr(out, ": not a whole name; is it ");
		for (size_t i = 0; i < n_option_rows; i++) {
			if (strncmp(names[i], word, n) != 0)
				continue;
			said++;
			buf_printf(out, "%s--%s",
				   said == 1       ? ""
				   : said == begin ? " or "
						   : ", ",
				   names[i]);
		}
		buf_addc(out, '?');
		return;
	}
	buf_addstr(out, ": no such option");
	meant = nearest(word, n, names, n_option_rows);
	if (meant)
		buf_printf(out, "; did you mean --%s?", meant);
}

/* "-j" for "-J". */
static void add_other_case(struct buf *out, int letter)
{
	int other = letter;

	if (letter > 0 && letter < 128)
		other = islower(letter) ? toupper(letter) : tolower(letter);
	buf_addstr(out, ": no such option");
	for (size_t i = 0; i < n_option_rows; i++)
		if (other != letter && option_letter(&option_rows[i]) == other)
			buf_printf(out, "; did you mean -%c?", other);
}

/* A long name behind one dash was read as letters; what is wrong with those is not what was meant.
 */
static char *one_dash(const char *word)
{
	if (word[0] != '-' || word[1] == '-')
		return NULL;
	for (size_t i = 0; i < n_option_rows; i++) {
		const char *name = option_rows[i].name;
		size_t n = strlen(name);

		if (strncmp(word + 1, name, n) == 0 && (!word[1 + n] || word[1 + n] == '='))
			return xasprintf("-%s: no such option; did you mean --%s?", name, name);
	}
	return NULL;
}

static char *bad_word(int problem, const char *word)
{
	struct buf b = {0};
	bool is_long = strncmp(word, "--", 2) == 0;
	size_t n = is_long ? strcspn(word, "=") : strlen(word);
	char *error = one_dash(word);

	if (error)
		return error;
	/* Of grouped letters the one that getopt stopped at is meant. */
	if (!is_long && optopt > 0 && optopt < 128)
		buf_printf(&b, "-%c", optopt);
	else
		text_safe(&b, word, n);
	if (problem == ':')
		buf_addstr(&b, ": a value is missing");
	else if (is_long && word[n] == '=' && optopt)
		buf_addstr(&b, ": takes no value");
	else if (is_long)
		add_meant(&b, word + 2, n - 2);
	else
		add_other_case(&b, optopt);
	return buf_steal(&b);
}

static void set_defaults(struct options *o)
{
	*o = (struct options){
	    .port = 25,
	    .from = xstrdup("<>"),
	    .timeout = 0,
	    .connect_timeout = 10 * USEC_PER_SEC,
	    .interval = USEC_PER_SEC,
	    .deadline = 0,
	    .tls = TLS_AUTO,
	    .repeat = 1,
	    .jobs = 256,
	    .per_address = 1,
	    .confirm = 1,
	    .report_ms = (int64_t)7 * 86400 * 1000,
	};
}

static bool invoked_as_plugin(const char *argv0)
{
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	const char *name = slash ? slash + 1 : argv0;

	return name && strcmp(name, "check_mxprobe") == 0;
}

/* What depends on other options. */
static void complete(struct options *o)
{
	bool plugin = o->format == FORMAT_PLUGIN;

	if (!o->timeout)
		o->timeout = (plugin ? 10 : 30) * USEC_PER_SEC;
	if (!o->deadline)
		o->deadline = plugin ? 55 * USEC_PER_SEC : USEC_NEVER;
	if (!o->families)
		o->families = MX_IPV4 | MX_IPV6;
	if (!o->senders)
		o->senders = (1u << SENDERS) - 1;
	if (!o->has_webhook_when)
		o->webhook_when = o->history ? EVENTS_CHANGE : EVENTS_PROBLEM;
}

static char *check_webhook(const struct options *o)
{
	if (!o->webhook && (o->has_webhook_when || o->webhook_secret))
		return xasprintf("--webhook-%s: it belongs to --webhook",
				 o->webhook_secret ? "secret" : "on");
	if (!o->webhook)
		return NULL;
	if (o->mode == MODE_CLASSIFY || o->mode == MODE_REPORT)
		return xasprintf("--webhook: it tells of results, and %s makes none",
				 o->mode == MODE_CLASSIFY ? "--classify" : "--report");
	if (o->webhook_when == EVENTS_CHANGE && !o->history)
		return xstrdup("--webhook-on: 'change' needs --history");
	return NULL;
}

/* Rounds go on until somebody ends them: what is asked once has none, and what is told once, or
 * read once, cannot be told or read again. */
static char *check_watch(const struct options *o)
{
	if (o->mode != MODE_PROBE)
		return xasprintf("--watch: there is nothing to probe again with %s",
				 o->mode == MODE_REPORT ? "--report" : "--classify");
	if (o->format == FORMAT_PLUGIN)
		return xstrdup("--watch: a plugin tells one state, and ends");
	if (o->format == FORMAT_PROMETHEUS && !o->output)
		return xstrdup("--watch: --prometheus needs -o FILE, which is renewed each round");
	if (o->input && strcmp(o->input, "-") == 0)
		return xstrdup("--watch: --input '-' can be read only once");
	return NULL;
}

static char *check(const struct options *o)
{
	char *error = check_webhook(o);
	bool ranges =
	    o->has_warning || o->has_critical || o->has_warning_time || o->has_critical_time;

	if (!error && o->watch)
		error = check_watch(o);
	if (error)
		return error;
	if (o->format == FORMAT_HTML && o->mode != MODE_REPORT)
		return xstrdup("--html: it belongs to --report");
	if (o->mode == MODE_CLASSIFY) {
		if (o->n_targets)
			return xasprintf("--classify: reads lines, and takes no TARGET ('%s')",
					 o->targets[0]);
		if (o->format == FORMAT_PLUGIN || o->format == FORMAT_PROMETHEUS)
			return xstrdup("--classify: its output is text or --json");
		return NULL;
	}
	if (o->mode == MODE_REPORT) {
		if (!o->history)
			return xstrdup("--report: of which --history?");
		if (o->format == FORMAT_PLUGIN || o->format == FORMAT_PROMETHEUS)
			return xstrdup("--report: its output is text, --json or --html");
		return NULL;
	}
	if (!o->n_targets && !o->input)
		return xstrdup("no TARGET: which domain?");
	if ((o->keep_ms || o->confirm > 1) && !o->history)
		return xstrdup("--keep, --confirm: they belong to --history");
	if (ranges && o->format != FORMAT_PLUGIN)
		return xstrdup("-w, -c, --warning-time, --critical-time: they belong to --nagios");
	return NULL;
}

/* FNV-1a over the words, each with the NUL at its end. */
static uint64_t job_of(int argc, char **argv)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (int i = 1; i < argc; i++)
		for (const char *p = argv[i];; p++) {
			hash = (hash ^ (unsigned char)*p) * 0x100000001b3;
			if (!*p)
				break;
		}
	return hash;
}

bool options_parse(struct options *o, int argc, char **argv, char **error)
{
	char letters[2 * 64 + 2];
	struct option names[ARRAY_LEN(option_rows) + 1];
	struct reading r = {0};
	int code, at, index = 0;
	bool help = false, version = false;

	set_defaults(o);
	o->job = job_of(argc, argv); /* getopt changes their order */
	/* Known before anything else, so that even a usage error ends as plugins do. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--nagios") == 0)
			o->format = FORMAT_PLUGIN;
	if (invoked_as_plugin(argv[0]))
		o->format = FORMAT_PLUGIN;
	make_tables(letters, names);
	opterr = 0;
	/* Not 1: that would go on inside a word that an earlier reading left half read. */
	for (optind = 0;;) {
		char short_name[3] = {'-', 0, 0};
		char *long_name = NULL;

		at = optind ? optind : 1;
		code = getopt_long(argc, argv, letters, names, &index);
		if (code == -1)
			break;
		if (code == '?' || code == ':') {
			/* getopt moves on after the last letter of a group only. */
			*error = bad_word(code, argv[optind > at ? optind - 1 : at]);
			return false;
		}
		if (code == 'h' || code == 'V') {
			help |= code == 'h';
			version |= code == 'V';
			continue;
		}
		short_name[1] = (char)code;
		for (size_t i = 0; i < n_option_rows; i++)
			if (option_rows[i].code == code && option_rows[i].help)
				long_name = xasprintf("--%s", option_rows[i].name);
		r.name = long_name ? long_name : short_name;
		r.value = optarg;
		if (code == OPT_WEBHOOK) {
			options_hide(o);
			o->webhook_argument = optarg;
		}
		take(o, code, &r);
		free(long_name);
		if (r.error) {
			*error = one_dash(argv[optind - 1]);
			if (*error)
				free(r.error);
			else
				*error = r.error;
			return false;
		}
	}
	for (int i = optind; i < argc; i++)
		add_target(o, argv[i]);
	complete(o);
	if (help || version) {
		o->mode = help ? MODE_HELP : MODE_VERSION;
		return true;
	}
	*error = check(o);
	return *error == NULL;
}

void options_fini(struct options *o)
{
	free(o->targets);
	free(o->from);
	free(o->webhook);
	*o = (struct options){0};
}

void options_hide(struct options *o)
{
	if (o->webhook_argument)
		url_hide(o->webhook_argument);
	o->webhook_argument = NULL;
}

/* One row; a name that does not fit its column has its help on the next line. */
static void print_row(FILE *f, const struct option_row *row)
{
	enum { COLUMN = 22 };
	const char *argument = row->argument ? row->argument : "";
	bool optional = *argument == '[';
	char *name = xasprintf("%s%s%s", row->name,
			       optional    ? "[="
			       : *argument ? " "
					   : "",
			       argument + optional);

	if (option_letter(row))
		fprintf(f, "  -%c, --%-*s", option_letter(row), COLUMN, name);
	else
		fprintf(f, "      --%-*s", COLUMN, name);
	if (strlen(name) >= COLUMN)
		fprintf(f, "\n%*s", COLUMN + 8, "");
	fprintf(f, "%s\n", row->help);
	free(name);
}

static const char usage[] = "Usage: mxprobe [OPTION]... TARGET...\n";

void options_usage(FILE *f)
{
	fputs(usage, f);
	fputs("\n"
	      "  mxprobe example.org              what becomes of mail to it, server by server\n"
	      "  mxprobe --explain example.org    and what each result means, and what to do\n"
	      "  mxprobe '[mx.example.org]'       one host, without MX look-up\n"
	      "  mxprobe --help                   all options; 'man mxprobe' has the rest\n",
	      f);
}

void options_help(FILE *f)
{
	fputs(usage, f);
	fputs("Probes every address of a domain's MX hosts with an SMTP handshake up to MAIL\n"
	      "FROM; no mail is ever sent. TARGET is a domain, domain:port, [host],\n"
	      "[host]:port, an address, or user@domain.\n",
	      f);
	for (int group = 0; group < GROUPS; group++) {
		fprintf(f, "\n%s:\n", group_names[group]);
		for (size_t i = 0; i < n_option_rows; i++)
			if (option_rows[i].group == group && option_rows[i].help)
				print_row(f, &option_rows[i]);
	}
	fputs("\nExit status: 0 healthy, 1 degraded, 2 failing or undeliverable, 3 unknown or\n"
	      "an error.\n",
	      f);
}

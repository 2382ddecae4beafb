/* A year of runs every five minutes against a domain with 16 endpoints, 1.7 million outcomes: how
 * big the history gets, and how long its report takes.
 *
 *   history_fill FILE [DAYS]           only makes the file; nothing may be there yet
 *   history_fill FILE DAYS MXPROBE     makes it, has MXPROBE report on it, and removes it
 */
#include "history/history.h"
#include "judge/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HOSTS = 4, ADDRESSES = 4, ENDPOINTS = HOSTS * ADDRESSES, STEP_S = 300 };

struct world {
	char hosts[HOSTS][32];
	struct contact contacts[ENDPOINTS];
	struct endpoint endpoints[ENDPOINTS];
	struct draw draws[ENDPOINTS];
	struct {
		enum class class;
		enum reason reason;
		int64_t until; /* s */
		int text;
	} trouble[ENDPOINTS];
	uint64_t random;
};

static const struct {
	enum class class;
	enum reason reason;
	enum phase phase;
	int code;
	const char *text; /* NULL: no reply */
	unsigned often;   /* in a million runs of an endpoint */
	unsigned minutes; /* it lasts at most */
} troubles[] = {
    {CLASS_EXHAUSTED, REASON_MEMORY, PHASE_MAIL, 452, "4.3.1 Out of memory", 60, 900},
    {CLASS_EXHAUSTED, REASON_CONNECTIONS, PHASE_BANNER, 421,
     "4.7.0 Too many concurrent SMTP connections; please try again later", 150, 90},
    {CLASS_DEFERRED, REASON_THROTTLE, PHASE_MAIL, 451,
     "4.7.500 Server busy. Please try again later from [192.0.2.25]", 200, 60},
    {CLASS_REJECTED, REASON_POLICY, PHASE_BANNER, 554,
     "5.7.1 <probe.example.org> access denied, see https://postmaster.example/?a=1&b=2", 3, 30},
    {CLASS_TIMEOUT, REASON_CONNECT, PHASE_CONNECT, 0, NULL, 40, 600},
    {CLASS_TIMEOUT, REASON_SILENT, PHASE_BANNER, 0, NULL, 30, 60},
    {CLASS_DOWN, REASON_REFUSED, PHASE_CONNECT, 0, NULL, 20, 240},
};

static double clock_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail for this clock */
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The same file every time (xorshift). */
static unsigned draw(struct world *w, unsigned below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (unsigned)((w->random >> 20) % below);
}

/* Usually near `usual`, now and then far above; slower in the afternoon. */
static usec_t span(struct world *w, usec_t usual, int64_t at)
{
	int64_t hour = at / 3600 % 24;
	usec_t t = usual + draw(w, (unsigned)usual / 2);

	if (hour >= 12 && hour < 18)
		t += usual / 4;
	return draw(w, 50) ? t : t * (2 + draw(w, 6));
}

static void build(struct world *w)
{
	static const char *const networks[ADDRESSES] = {"65.54.244", "65.54.245", "65.54.190",
							"2001:db8:54"};

	w->random = 88172645463325252;
	for (int i = 0; i < ENDPOINTS; i++) {
		struct contact *c = &w->contacts[i];
		int host = i / ADDRESSES, n = i % ADDRESSES;
		char text[64];

		(void)snprintf(w->hosts[host], sizeof w->hosts[host], "mx%d.hotmail.example",
			       host + 1);
		(void)snprintf(text, sizeof text, n == 3 ? "%s::%d" : "%s.%d", networks[n],
			       host * 32 + 8);
		if (!addr_parse(&c->addr, text, 25))
			abort();
		observation_init(&c->seen);
		c->sessions = 1;
		c->draws = &w->draws[i];
		w->endpoints[i] = (struct endpoint){5, w->hosts[host], (size_t)host, c};
	}
}

static void session(struct world *w, int i, int64_t at)
{
	struct contact *c = &w->contacts[i];
	usec_t far = 20000 + i % 4 * 9000;
	bool down;
	int t;

	if (w->trouble[i].until <= at) {
		w->trouble[i].until = 0;
		for (t = 0; t < (int)ARRAY_LEN(troubles); t++)
			if (draw(w, 1000000) < troubles[t].often)
				w->trouble[i].until =
				    at + 60 +
				    60 * (int64_t)draw(w, troubles[w->trouble[i].text = t].minutes);
	}
	t = w->trouble[i].text;
	/* What is short of memory is so for some of its connections only. */
	down = w->trouble[i].until && (troubles[t].class != CLASS_EXHAUSTED || draw(w, 3));
	reply_fini(&c->seen.reply);
	c->class = down ? troubles[t].class : CLASS_HEALTHY;
	c->reason = down ? troubles[t].reason : REASON_OK;
	c->phase = down ? troubles[t].phase : PHASE_MAIL;
	c->healthy_sessions = !down;
	c->rtt = far;
	c->timing = (struct timing){
	    .connect = span(w, far, at),
	    .first_byte = span(w, far, at),
	    .ehlo = span(w, far, at),
	    .starttls = span(w, far, at),
	    .tls = span(w, 2 * far, at),
	    .mail = span(w, far + 40000, at),
	};
	c->timing.banner = c->timing.first_byte + draw(w, 900);
	if (c->phase < PHASE_MAIL)
		c->timing.ehlo = c->timing.starttls = c->timing.tls = c->timing.mail = USEC_NONE;
	if (c->phase < PHASE_BANNER)
		c->timing.banner = c->timing.first_byte = USEC_NONE;
	if (c->class == CLASS_TIMEOUT && c->phase == PHASE_CONNECT)
		c->timing.connect = 10000000;
	if (c->class == CLASS_TIMEOUT && c->phase == PHASE_BANNER)
		c->timing.banner = 29900000;
	c->timing.total = c->timing.connect;
	if (c->timing.banner != USEC_NONE)
		c->timing.total += c->timing.banner;
	if (c->timing.mail != USEC_NONE)
		c->timing.total +=
		    c->timing.ehlo + c->timing.starttls + c->timing.tls + c->timing.mail;
	if (down && troubles[t].text) {
		c->seen.reply.code = troubles[t].code;
		c->seen.reply.lines = 1;
		buf_addstr(&c->seen.reply.text, troubles[t].text);
	}
	w->draws[i] = (struct draw){c->class, c->phase, c->reason, c->timing.total};
}

static void add(struct world *w, struct history *h, int64_t at)
{
	struct result r = {
	    .target = "hotmail.example",
	    .domain = "hotmail.example",
	    .port = 25,
	    .started_ms = at * 1000,
	    .elapsed = 1000000,
	    .helo = "probe.example.net",
	    .from = "<>",
	    .has_dns = true,
	    .source = SOURCE_MX,
	    .endpoints = w->endpoints,
	    .n_endpoints = ENDPOINTS,
	};
	unsigned healthy = 0;

	for (int i = 0; i < ENDPOINTS; i++) {
		session(w, i, at);
		healthy += w->contacts[i].class == CLASS_HEALTHY;
	}
	r.delivery.contacted = true;
	r.delivery.first_try = (double)healthy / ENDPOINTS;
	summarize(&r);
	r.verdict = verdict_of(&r);
	(void)history_add(h, &r, 1); /* what it changes is of no interest here */
}

static void fill(const char *path, long days)
{
	static struct world w;
	int64_t now = (int64_t)time(NULL), runs = days * 86400 / STEP_S;
	char *error = NULL;
	struct history *h;

	if (access(path, F_OK) == 0) {
		fprintf(stderr, "%s: is there already\n", path);
		exit(1);
	}
	h = history_open(path, &error);
	build(&w);
	for (int64_t i = 0; h && i < runs; i++)
		add(&w, h, now - (runs - i) * STEP_S);
	for (int i = 0; i < ENDPOINTS; i++)
		observation_fini(&w.contacts[i].seen);
	if (!h || !history_close(h, 0, &error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
}

/* The best of three, seconds; frees the command. */
static double best_of_three(char *command)
{
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		double t = clock_s();

		if (system(command) != 0) {
			fprintf(stderr, "failed: %s\n", command);
			exit(1);
		}
		t = clock_s() - t;
		best = t < best ? t : best;
	}
	free(command);
	return best;
}

static double report(const char *program, const char *path, const char *how)
{
	return best_of_three(xasprintf("'%s' --history '%s' --report=1y %s hotmail.example "
				       ">/dev/null",
				       program, path, how));
}

static double checksum(const char *path)
{
	return best_of_three(xasprintf("cksum '%s' >/dev/null", path));
}

int main(int argc, char **argv)
{
	long days = argc > 2 ? strtol(argv[2], NULL, 10) : 365;
	double t = clock_s();
	struct stat st;

	if (argc < 2 || days < 1 || days > 36500) {
		fprintf(stderr, "usage: history_fill FILE [DAYS [MXPROBE]]\n");
		return 1;
	}
	fill(argv[1], days);
	t = clock_s() - t;
	if (stat(argv[1], &st) != 0) {
		perror(argv[1]);
		return 1;
	}
	printf("%ld days, %ld runs, %ld outcomes: %.1f MiB, written in %.1f s\n", days,
	       days * 86400 / STEP_S, days * 86400 / STEP_S * ENDPOINTS,
	       (double)st.st_size / 1048576, t);
	if (argc < 4)
		return 0;
	printf("cksum, which looks at every octet, too: %.2f s\n", checksum(argv[1]));
	printf("report of all of it: text %.2f s, ", report(argv[3], argv[1], ""));
	printf("JSON %.2f s, ", report(argv[3], argv[1], "--json"));
	printf("HTML %.2f s\n", report(argv[3], argv[1], "--html"));
	(void)unlink(argv[1]); /* ours */
	return 0;
}

/* Whole programs against each other, in one run, on the same sink.
 *
 *   compare [-f] [-r ROUNDS] [-s SCALE] MXPROBE SINK FLOOR [CASE...]
 *
 * Each round runs every contestant once, one after the other, so that a machine that grows slower
 * slows all of them; the medians are shown. The client has one core, the sink another. A run counts
 * only if the sink's own counters say that it had all of the work; what others need (curl,
 * check_smtp, swaks) is left out with a word where it is missing. Each figure that has a limit gets
 * a line with it; the exit status is 1 when one is not met. SCALE divides the sizes, for a quick
 * look; with -f the floor is the only other contestant. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MAX = 99, ARGS_MAX = 64, PATH_SIZE = 300 };

/* What a contestant is given to do. */
struct work {
	unsigned long domains, hosts, addresses;
	unsigned delay_ms, dead_percent;
	bool tls;
	unsigned jobs;
	bool impatient; /* limits of five seconds */
	bool counted;   /* system calls are counted, which takes its time */
	bool reports;   /* the floor, too, writes as many octets as mxprobe did */
};

struct measure {
	bool good;
	double cpu, wall; /* seconds */
	long rss;         /* KiB */
	double calls;     /* system calls */
	unsigned long questions, connections, mail, most_open, most_tls, lines, dead;
};

enum who { MXPROBE, FLOOR, CURL, CHECK_SMTP, SWAKS, CONTESTANTS };
static const char *const names[CONTESTANTS] = {"mxprobe", "floor", "curl", "check_smtp", "swaks"};
static const char *const commands[CONTESTANTS] = {NULL, NULL, "curl",
						  "/usr/lib/nagios/plugins/check_smtp", "swaks"};

static const char *mxprobe, *sink, *floor_client;
static char dir[] = "/tmp/mxprobe-bench.XXXXXX";
static char list[PATH_SIZE], out[PATH_SIZE], cert[PATH_SIZE];
static int rounds = 5, client_core = -1, server_core = -1;
static unsigned long scale = 1;
static bool present[CONTESTANTS];
static unsigned long octets; /* of the last report of mxprobe */
static unsigned figures, missed;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void pin(int core)
{
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof set, &set); /* then it runs where it likes */
}

static void choose_cores(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		if (server_core < 0)
			server_core = i;
		else if (client_core < 0)
			client_core = i;
	}
	if (client_core < 0)
		server_core = -1; /* a single core: nothing to choose */
}

/* A certificate with its key (RSA, 2048 bits: what most servers have) for the sink. */
static void make_certificate(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *x = X509_new();
	X509_NAME *name;
	FILE *f = fopen(cert, "w");

	if (!key || !x || !f)
		die(cert);
	name = X509_get_subject_name(x);
	(void)X509_set_version(x, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), 90L * 86400);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					 (const unsigned char *)"sink.bench", -1, -1, 0);
	(void)X509_set_issuer_name(x, name);
	(void)X509_set_pubkey(x, key);
	if (!X509_sign(x, key, EVP_sha256()) || !PEM_write_X509(f, x) ||
	    !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) || fclose(f) != 0)
		die(cert);
	X509_free(x);
	EVP_PKEY_free(key);
}

struct server {
	pid_t pid;
	FILE *in, *out;
	unsigned dns, smtp;
};

static void start_sink(struct server *s, const struct work *w)
{
	char numbers[5][24], *args[16];
	int to[2], from[2], n = 0;

	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		die("pipe");
	(void)snprintf(numbers[0], sizeof numbers[0], "%lu", w->domains);
	(void)snprintf(numbers[1], sizeof numbers[1], "%lu", w->hosts);
	(void)snprintf(numbers[2], sizeof numbers[2], "%lu", w->addresses);
	(void)snprintf(numbers[3], sizeof numbers[3], "-d%u", w->delay_ms);
	(void)snprintf(numbers[4], sizeof numbers[4], "-x%u", w->dead_percent);
	args[n++] = (char *)(size_t)sink;
	args[n++] = numbers[3];
	args[n++] = numbers[4];
	if (w->tls) {
		args[n++] = (char *)(size_t) "-t";
		args[n++] = cert;
	}
	args[n++] = numbers[0];
	args[n++] = numbers[1];
	args[n++] = numbers[2];
	args[n] = NULL;
	s->pid = fork();
	if (s->pid < 0)
		die("fork");
	if (!s->pid) {
		pin(server_core);
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		execv(sink, args);
		die(sink);
	}
	close(to[0]);
	close(from[1]);
	s->in = fdopen(to[1], "w");
	s->out = fdopen(from[0], "r");
	if (!s->in || !s->out || fscanf(s->out, "dns=%u smtp=%u", &s->dns, &s->smtp) != 2) {
		fprintf(stderr, "compare: the sink does not start\n");
		exit(1);
	}
}

static void stop_sink(struct server *s, struct measure *m)
{
	char name[40];
	unsigned long number;

	(void)fclose(s->in);
	while (fscanf(s->out, "%39s %lu\n", name, &number) == 2) {
		if (!strcmp(name, "questions"))
			m->questions = number;
		else if (!strcmp(name, "connections"))
			m->connections = number;
		else if (!strcmp(name, "mail"))
			m->mail = number;
		else if (!strcmp(name, "most_open"))
			m->most_open = number;
		else if (!strcmp(name, "most_tls"))
			m->most_tls = number;
	}
	(void)fclose(s->out);
	(void)waitpid(s->pid, NULL, 0);
}

static void address(unsigned long i, char text[16])
{
	unsigned long ip = 0x7F400001 + i;

	(void)snprintf(text, 16, "%lu.%lu.%lu.%lu", ip >> 24 & 255, ip >> 16 & 255, ip >> 8 & 255,
		       ip & 255);
}

/* Targets, a line each: domains, or for those that know no MX the addresses. */
static void write_list(enum who who, const struct work *w, unsigned smtp)
{
	FILE *f = fopen(list, "w");
	char ip[16];

	if (!f)
		die(list);
	for (unsigned long i = 0; i < (who <= FLOOR ? w->domains : w->addresses); i++) {
		address(i, ip);
		if (who <= FLOOR)
			fprintf(f, "d%lu.bench\n", i);
		else if (who == CURL)
			fprintf(f, "url = \"smtp://%s:%u/probe.bench\"\n", ip, smtp);
		else
			fprintf(f, "%s\n", ip);
	}
	if (fclose(f) != 0)
		die(list);
}

static char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("memory");
	va_end(ap);
	return s;
}

/* The arguments; each is of the heap. */
static void make_args(char **args, enum who who, const struct work *w, const struct server *s)
{
	int n = 0;

	switch (who) {
	case MXPROBE:
		args[n++] = text("%s", mxprobe);
		args[n++] = text("--json");
		args[n++] = text("--input=%s", list);
		args[n++] = text("--output=%s", out);
		args[n++] = text("--resolver=127.0.0.1:%u", s->dns);
		args[n++] = text("--port=%u", s->smtp);
		args[n++] = text("--helo=probe.bench");
		args[n++] = text("--tls=%s", w->tls ? "auto" : "off");
		args[n++] = text("--jobs=%u", w->jobs);
		if (w->impatient) {
			args[n++] = text("--timeout=5");
			args[n++] = text("--connect-timeout=5");
		}
		break;
	case FLOOR:
		args[n++] = text("%s", floor_client);
		args[n++] = text("-j%u", w->jobs);
		if (w->tls)
			args[n++] = text("-t");
		if (w->impatient)
			args[n++] = text("-w5");
		if (w->reports) {
			args[n++] = text("-o%s", out);
			args[n++] = text("-b%lu", octets / w->domains);
		}
		args[n++] = text("%u", s->dns);
		args[n++] = text("%u", s->smtp);
		args[n++] = text("%lu", w->domains);
		break;
	case CURL:
		/* Without a recipient the request is all that curl says between EHLO and QUIT. */
		args[n++] = text("curl");
		args[n++] = text("-q");
		args[n++] = text("--silent");
		args[n++] = text("--parallel");
		args[n++] = text("--parallel-max");
		args[n++] = text("%u", w->jobs < 300 ? w->jobs : 300);
		args[n++] = text("--request");
		args[n++] = text("MAIL FROM:<>");
		if (w->tls) {
			args[n++] = text("--ssl-reqd");
			args[n++] = text("--insecure");
		}
		args[n++] = text("--config");
		args[n++] = text("%s", list);
		break;
	default:
		args[n++] = text("sh");
		args[n++] = text("-c");
		args[n++] =
		    who == CHECK_SMTP
			? text("xargs -P 16 -I ADDRESS %s %s -H ADDRESS -p %u -F probe.bench "
			       "-f a@probe.bench <%s",
			       commands[who], w->tls ? "-S" : "", s->smtp, list)
			: text("xargs -P 16 -I ADDRESS %s %s --server ADDRESS --port %u --helo "
			       "probe.bench --from '<>' --to a@probe.bench --quit-after MAIL <%s",
			       commands[who], w->tls ? "-tls" : "", s->smtp, list);
		break;
	}
	args[n] = NULL;
}

static unsigned long count_lines(const char *what)
{
	FILE *f = fopen(out, "r");
	unsigned long lines = 0;
	size_t cap = 0;
	char *line = NULL;

	if (!f)
		return 0;
	while (getline(&line, &cap, f) > 0) {
		const char *at = line;

		if (!what) {
			lines++;
			continue;
		}
		while ((at = strstr(at, what)) != NULL) {
			lines++;
			at++;
		}
	}
	free(line);
	(void)fclose(f);
	return lines;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* Lets a traced child run to its end; the system calls that it made. */
static double count_calls(pid_t pid, struct rusage *used)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	unsigned long stops = 0;
	int status, deliver = 0;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (WIFSTOPPED(status) && ptrace(PTRACE_SETOPTIONS, pid, NULL, options) != 0)
		die("ptrace");
	while (!WIFEXITED(status) && !WIFSIGNALED(status)) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (long)deliver) != 0 ||
		    wait4(pid, &status, 0, used) != pid)
			die("ptrace");
		deliver = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
		if (deliver == (SIGTRAP | 0x80)) {
			stops++; /* on the way in, and on the way out */
			deliver = 0;
		}
	}
	return (double)(stops / 2);
}

/* Of each hundred addresses, a last one begun included, so many are dead: see the sink. */
static unsigned long dead_of(const struct work *w)
{
	return (w->addresses + 99) / 100 * w->dead_percent;
}

static struct measure run(enum who who, const struct work *w)
{
	struct measure m = {0};
	struct server s;
	struct rusage used;
	char *args[ARGS_MAX];
	double begin;
	pid_t pid;

	start_sink(&s, w);
	write_list(who, w, s.smtp);
	make_args(args, who, w, &s);
	begin = now();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		int fd = open(who <= FLOOR ? "/dev/null" : out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		pin(client_core);
		(void)alarm(300); /* one that hangs has lost */
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		if (w->counted && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(126);
		execvp(args[0], args);
		_exit(127);
	}
	if (w->counted)
		m.calls = count_calls(pid, &used);
	else if (wait4(pid, NULL, 0, &used) != pid)
		die("wait4");
	m.wall = now() - begin;
	m.cpu = seconds(used.ru_utime) + seconds(used.ru_stime);
	m.rss = used.ru_maxrss;
	for (char **a = args; *a; a++)
		free(*a);
	stop_sink(&s, &m);
	if (who == MXPROBE) {
		struct stat st;

		octets = stat(out, &st) == 0 ? (unsigned long)st.st_size : 0;
		m.lines = count_lines(NULL);
		m.dead = count_lines("\"class\":\"timeout\"");
	}
	m.good = m.mail == w->addresses - dead_of(w) && (who != MXPROBE || m.lines == w->domains);
	return m;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, by_size);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Medians over the rounds that counted. */
struct standing {
	double cpu, wall, rss, calls;
	struct measure last;
	unsigned long questions, connections, dead; /* the most that a round had */
	struct work work;
	int good;
	bool failed; /* one did not */
};

static unsigned long larger(unsigned long a, unsigned long b)
{
	return a > b ? a : b;
}

static void compete(struct standing *st, const struct work *w, const unsigned long *sizes)
{
	double cpu[CONTESTANTS][ROUNDS_MAX], wall[CONTESTANTS][ROUNDS_MAX],
	    rss[CONTESTANTS][ROUNDS_MAX], calls[CONTESTANTS][ROUNDS_MAX];

	memset(st, 0, CONTESTANTS * sizeof *st);
	for (int round = 0; round < rounds; round++) {
		for (int who = 0; who < CONTESTANTS; who++) {
			struct measure m;

			st[who].work = *w;
			if (!sizes[who] || !present[who] || (who > FLOOR && st[who].failed))
				continue;
			/* The slow ones get less to do: it is the share a session that counts. */
			if (sizes[who] != w->addresses) {
				st[who].work.addresses = sizes[who];
				st[who].work.domains = sizes[who] / w->hosts;
			}
			m = run((enum who)who, &st[who].work);
			st[who].last = m;
			st[who].questions = larger(st[who].questions, m.questions);
			st[who].connections = larger(st[who].connections, m.connections);
			st[who].dead = larger(st[who].dead, m.dead);
			if (!m.good) {
				printf("  %s: does not count, the sink had %lu of %lu sessions\n",
				       names[who], m.mail, st[who].work.addresses);
				st[who].failed = true;
				continue;
			}
			cpu[who][st[who].good] = m.cpu;
			wall[who][st[who].good] = m.wall;
			calls[who][st[who].good] = m.calls;
			rss[who][st[who].good++] = (double)m.rss;
		}
	}
	for (int who = 0; who < CONTESTANTS; who++) {
		if (!st[who].good)
			continue;
		st[who].cpu = median(cpu[who], st[who].good);
		st[who].wall = median(wall[who], st[who].good);
		st[who].calls = median(calls[who], st[who].good);
		st[who].rss = median(rss[who], st[who].good);
	}
	fflush(stdout);
}

static double each(const struct standing *s)
{
	return s->cpu / (double)s->work.addresses * 1e6;
}

static void show(const struct standing *st)
{
	for (int who = 0; who < CONTESTANTS; who++)
		if (st[who].good)
			printf("  %-11s %6lu sessions  %8.1f us each  %7.2f x floor  %6.2f s wall  "
			       "%6.1f MiB\n",
			       names[who], st[who].work.addresses, each(&st[who]),
			       st[FLOOR].good ? each(&st[who]) / each(&st[FLOOR]) : 0, st[who].wall,
			       st[who].rss / 1024);
}

static unsigned long sized(unsigned long n)
{
	n /= scale;
	return n < 160 ? 160 : n / 16 * 16;
}

/* One figure with its limit, and what it aims at (0: at nothing more). A contestant that had no
 * round that counts has no figure, which is not good enough. */
static void hold(const char *what, double value, const char *unit, double limit, double aim,
		 bool counts)
{
	bool met = counts && value <= limit;
	char better[40] = "";

	figures++;
	missed += !met;
	if (aim > 0)
		(void)snprintf(better, sizeof better, ", aim %.4g (%s)", aim,
			       value <= aim ? "reached" : "not reached");
	if (counts)
		printf("= %s: %.2f%s, limit %.4g%s: %s\n", what, value, unit, limit, better,
		       met ? "met" : "NOT MET");
	else
		printf("= %s: no round counts: NOT MET\n", what);
	fflush(stdout);
}

/* A number that must be this one. */
static void hold_number(const char *what, unsigned long value, unsigned long must, bool counts)
{
	bool met = counts && value == must;

	figures++;
	missed += !met;
	printf("= %s: %lu, must be %lu: %s\n", what, value, must, met ? "met" : "NOT MET");
	fflush(stdout);
}

static bool both(const struct standing *st)
{
	return st[MXPROBE].good == rounds && st[FLOOR].good == rounds;
}

static void dialogue(bool tls)
{
	unsigned long n = sized(tls ? 4000 : 10000), few = sized(2000);
	struct work w = {.domains = n / 16, .hosts = 16, .addresses = n, .tls = tls, .jobs = 1000};
	struct work counted = {.domains = few / 16,
			       .hosts = 16,
			       .addresses = few,
			       .tls = tls,
			       .jobs = 1000,
			       .counted = true};
	const unsigned long sizes[CONTESTANTS] = {n, n, sized(1600), sized(320), sized(160)};
	struct standing st[CONTESTANTS], calls[CONTESTANTS];

	compete(st, &w, sizes);
	show(st);
	compete(calls, &counted, (unsigned long[CONTESTANTS]){few, few});
	if (both(calls))
		printf("  system calls a session: mxprobe %.1f, floor %.1f\n",
		       calls[MXPROBE].calls / (double)few, calls[FLOOR].calls / (double)few);
	hold(tls ? "processor time, STARTTLS" : "processor time, plain",
	     both(st) ? each(st) / each(&st[FLOOR]) : 0, " x floor", tls ? 1.10 : 1.5,
	     tls ? 1.05 : 1.3, both(st));
	hold(tls ? "system calls a session, STARTTLS" : "system calls a session, plain",
	     calls->calls / (double)few, "", tls ? 26 : 15, 0, calls->good == rounds);
}

static void bench_plain(void)
{
	dialogue(false);
}

static void bench_starttls(void)
{
	dialogue(true);
}

/* Does an endpoint cost more where there are many? Large and small in turn, in each round. */
static void bench_growth(void)
{
	unsigned long small = sized(1000), large = sized(10000);
	struct work few = {.domains = small / 16, .hosts = 16, .addresses = small, .jobs = 1000};
	struct work many = {.domains = large / 16, .hosts = 16, .addresses = large, .jobs = 1000};
	double ratio[ROUNDS_MAX];
	int good = 0;

	for (int round = 0; round < rounds; round++) {
		/* So short a run is measured several times: the clock of the processor time is
		 * coarse. */
		enum { TIMES = 5 };
		double sum = 0;
		struct measure m;
		bool all = true;

		for (int i = 0; i < TIMES; i++) {
			m = run(MXPROBE, &few);
			sum += m.cpu / TIMES;
			all &= m.good;
		}
		m = run(MXPROBE, &many);
		if (all && m.good)
			ratio[good++] =
			    m.cpu / (double)many.addresses / (sum / (double)few.addresses);
	}
	hold("processor time an endpoint, of 10,000 to that of 1,000",
	     good ? median(ratio, good) : 0, " x", 1.1, 0, good == rounds);
}

/* One domain, start-up included. */
static void bench_small(void)
{
	struct work w = {.domains = 1, .hosts = 16, .addresses = 16, .jobs = 256};
	struct standing st[CONTESTANTS];

	compete(st, &w, (unsigned long[CONTESTANTS]){16, 16, 16, 16, 16});
	show(st);
	hold("16 endpoints, start-up included", st->cpu * 1e3, " ms", 10, 0, st->good == rounds);
}

static void bench_shared(void)
{
	unsigned long n = sized(100000), addresses = n / 50;
	struct work w = {
	    .domains = n, .hosts = 2, .addresses = addresses, .jobs = 1000, .reports = true};
	struct standing st[CONTESTANTS];
	bool counts;

	compete(st, &w, (unsigned long[CONTESTANTS]){addresses, addresses});
	show(st);
	counts = both(st);
	hold_number("contacts", st->connections, addresses, counts);
	hold_number("questions", st->questions, n + 2 * addresses, counts);
	hold_number("result lines", st->last.lines, n, counts);
	hold("resident set", st->rss / 1024, " MiB", 80, 0, counts);
	hold("processor time, many domains on few addresses",
	     counts ? st[MXPROBE].cpu / st[FLOOR].cpu : 0, " x floor", 2, 1.4, counts);
}

/* What a session in flight holds: so long a greeting pause that all are open at once. Above the
 * same work 16 at a time is what they hold in plaintext; above the same number in plaintext, what
 * TLS does. */
static void bench_flight(void)
{
	unsigned long n = sized(10000), n_tls = sized(4000);
	struct work open_at_once = {
	    .domains = n / 16, .hosts = 16, .addresses = n, .delay_ms = 5000, .jobs = 10000};
	struct work few = {.domains = n / 16, .hosts = 16, .addresses = n, .jobs = 16};
	struct work plain = open_at_once, tls;
	double a_session[ROUNDS_MAX], a_handshake[ROUNDS_MAX];
	unsigned long most_open = 0, most_tls = 0;
	int good = 0;

	plain.domains = n_tls / 16;
	plain.addresses = n_tls;
	tls = plain;
	tls.tls = true;
	for (int round = 0; round < rounds; round++) {
		struct measure all = run(MXPROBE, &open_at_once), base = run(MXPROBE, &few);
		struct measure bare = run(MXPROBE, &plain), secure = run(MXPROBE, &tls);

		if (!all.good || !base.good || !bare.good || !secure.good)
			continue;
		a_session[good] = (double)(all.rss - base.rss) / (double)all.most_open;
		a_handshake[good++] = (double)(secure.rss - bare.rss) / (double)secure.most_tls;
		most_open = all.most_open;
		most_tls = secure.most_tls;
	}
	if (good)
		printf(
		    "  sessions in flight: %lu in plaintext; with TLS of %lu begun %lu at once\n",
		    most_open, n_tls, most_tls);
	hold("resident set a session in flight, plain", good ? median(a_session, good) : 0, " KiB",
	     4, 2, good == rounds);
	hold("resident set a handshake under way", good ? median(a_handshake, good) : 0, " KiB", 48,
	     0, good == rounds);
}

/* Servers that let one wait, and some that are not there. */
static void slow(bool tls)
{
	unsigned long n = sized(10000);
	struct work w = {.domains = n / 16,
			 .hosts = 16,
			 .addresses = n,
			 .delay_ms = 200,
			 .dead_percent = 1,
			 .tls = tls,
			 .jobs = 10000,
			 .impatient = true};
	struct standing st[CONTESTANTS];

	/* With TLS the floor has the handshakes all at once, and tells nothing that counts here. */
	compete(st, &w, (unsigned long[CONTESTANTS]){n, tls ? 0 : n});
	show(st);
	if (!tls)
		hold("wall time, 1 % dead, plain", both(st) ? st[MXPROBE].wall / st[FLOOR].wall : 0,
		     " x floor", 1.05, 0, both(st));
	hold_number(tls ? "called dead, STARTTLS" : "called dead, plain", st->dead, dead_of(&w),
		    st->good == rounds);
}

static void bench_slow(void)
{
	slow(false);
	slow(true);
}

static const struct {
	const char *name, *about;
	void (*run)(void);
} cases[] = {
    {"plain", "EHLO, MAIL FROM, QUIT; DNS included", bench_plain},
    {"starttls", "the same with STARTTLS", bench_starttls},
    {"small", "one domain with 16 endpoints, start-up included", bench_small},
    {"growth", "1,000 endpoints and 10,000", bench_growth},
    {"shared", "many domains on few addresses", bench_shared},
    {"flight", "memory of a session in flight", bench_flight},
    {"slow", "greeting after 200 ms, 1 % dead, limits of 5 s", bench_slow},
};

static bool wanted(const char *name, char **chosen)
{
	if (!*chosen)
		return true;
	for (; *chosen; chosen++)
		if (!strcmp(*chosen, name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	bool floor_only = false;
	int opt;

	while ((opt = getopt(argc, argv, "fr:s:")) != -1) {
		if (opt == 'f')
			floor_only = true;
		else if (opt == 'r')
			rounds = atoi(optarg);
		else if (opt == 's')
			scale = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind < 3 || rounds < 1 || rounds > ROUNDS_MAX || !scale) {
		fprintf(
		    stderr,
		    "usage: compare [-f] [-r ROUNDS] [-s SCALE] MXPROBE SINK FLOOR [CASE...]\n");
		return 2;
	}
	mxprobe = argv[optind];
	sink = argv[optind + 1];
	floor_client = argv[optind + 2];
	if (!mkdtemp(dir))
		die(dir);
	(void)snprintf(list, sizeof list, "%s/list", dir);
	(void)snprintf(out, sizeof out, "%s/out", dir);
	(void)snprintf(cert, sizeof cert, "%s/cert.pem", dir);
	make_certificate();
	choose_cores();
	for (int who = 0; who < (floor_only ? FLOOR + 1 : CONTESTANTS); who++) {
		char *command =
		    text("command -v %s >/dev/null", commands[who] ? commands[who] : "sh");

		present[who] = system(command) == 0;
		if (!present[who])
			printf("%s: left out, it is not installed\n", names[who]);
		free(command);
	}
	printf("medians of %d rounds%s\n", rounds,
	       client_core < 0 ? "; one core only: client and sink share it" : "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (!wanted(cases[i].name, argv + optind + 3))
			continue;
		printf("%s: %s\n", cases[i].name, cases[i].about);
		fflush(stdout);
		cases[i].run();
		fflush(stdout);
	}
	printf("%u of %u limits met\n", figures - missed, figures);
	(void)unlink(list);
	(void)unlink(out);
	(void)unlink(cert);
	(void)rmdir(dir);
	return missed ? 1 : 0;
}

/* lab: a scripted world of DNS and SMTP servers on loopback.
 *
 *   lab [--log FILE] [--seed N] [--port N] [--dns-port N] SCENARIO.lab -- COMMAND ARG...
 *                                                     serves while the command runs
 *   lab [...] SCENARIO.lab                            says where, serves until stdin ends
 *   lab --expect SCENARIO.lab                         what a probe is to find, for tests
 *
 * README.md describes scenarios, environment and log. */
#include "base/buf.h"
#include "lab/ca.h"
#include "lab/dns_server.h"
#include "lab/log.h"
#include "lab/ports.h"
#include "lab/scenario.h"
#include "lab/smtp_server.h"
#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { EXIT_USAGE = 3, DRAIN_STEP = 5000, DRAIN_MAX = 2000000 };

struct lab {
	struct loop *loop;
	struct scenario *scenario;
	struct log *log;
	struct ca *ca;
	struct dns_server *dns;
	struct smtp_server *smtp;
	char dir[256], ca_path[300]; /* dir "": not made */
	pid_t child;                 /* 0: none, or it has ended */
	int status;
	struct timer drain;
	usec_t drain_until;
	struct watch *input;
	unsigned seed;       /* of what is done at random */
	struct rlimit files; /* as we found it, for the child */
};

static int complain(const char *what, const char *which)
{
	(void)fprintf(stderr, "lab: %s%s%s\n", which, *which ? ": " : "", what);
	return EXIT_USAGE;
}

/* ---- the end ---- */

/* The command has ended, yet what it sent last may still be on its way. */
static void drain(void *arg)
{
	struct lab *lab = arg;
	usec_t now = loop_now(lab->loop);
	if (smtp_server_open(lab->smtp) == 0 || now >= lab->drain_until)
		loop_stop(lab->loop);
	else
		timer_at(&lab->drain, now + DRAIN_STEP);
}

static void start_drain(struct lab *lab)
{
	usec_t now = loop_now(lab->loop);
	lab->drain_until = now + DRAIN_MAX;
	timer_at(&lab->drain, now + DRAIN_STEP);
}

static void child_ended(void *arg)
{
	struct lab *lab = arg;
	int status;
	if (!lab->child || waitpid(lab->child, &status, WNOHANG) != lab->child)
		return;
	lab->child = 0;
	lab->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	start_drain(lab);
}

static void terminated(void *arg)
{
	struct lab *lab = arg;
	if (lab->child)
		(void)kill(lab->child, SIGTERM); /* its end ends us */
	else
		loop_stop(lab->loop);
}

static void interrupted(void *arg)
{
	struct lab *lab = arg;
	/* From a terminal the command got it, too, and has things to say. */
	if (!lab->child)
		loop_stop(lab->loop);
}

static void input_ready(void *arg, unsigned ready)
{
	struct lab *lab = arg;
	char bytes[256];
	if (!(ready & (READY_READ | READY_EOF)))
		return;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		start_drain(lab);
}

/* ---- the start ---- */

static bool make_dir(struct lab *lab)
{
	const char *tmp = getenv("TMPDIR");
	int n = snprintf(lab->dir, sizeof lab->dir, "%s/mxprobe-lab.XXXXXX",
			 tmp && *tmp ? tmp : "/tmp");
	if (n < 0 || (size_t)n >= sizeof lab->dir || !mkdtemp(lab->dir)) {
		lab->dir[0] = '\0';
		return false;
	}
	(void)snprintf(lab->ca_path, sizeof lab->ca_path, "%s/ca.pem", lab->dir);
	return ca_write(lab->ca, lab->ca_path);
}

/* Records that hold what is known only now: port and certificates. */
static bool add_tlsas(struct lab *lab)
{
	const struct scenario *s = lab->scenario;
	for (size_t i = 0; i < s->n_tlsas; i++) {
		const struct tlsa_wish *wish = &s->tlsas[i];
		const struct smtp_place *place = NULL;
		for (size_t j = 0; j < s->n_places && !place; j++)
			if (addr_equal(&s->places[j].addr, &wish->addr))
				place = &s->places[j];
		if (!place)
			return false;
		const struct face *face = &place->host->base;
		char *name = smtp_server_name(face, &place->addr);
		struct buf text = {0};
		buf_printf(&text, "_%u._tcp.%s 300 IN TLSA %d %d %d ", smtp_server_port(lab->smtp),
			   wish->host, wish->usage, wish->selector, wish->matching);
		ca_tlsa(lab->ca, face, name, wish, &text);
		bool good = zone_add(s->zone, buf_str(&text));
		buf_fini(&text);
		free(name);
		if (!good)
			return false;
	}
	return true;
}

/* A copy of the word with "@DNS@", "@DNSPORT@", "@PORT@" and "@CA@" filled in. */
static char *fill_in(const struct lab *lab, const char *word)
{
	struct buf out = {0};
	while (*word) {
		if (strncmp(word, "@DNS@", 5) == 0) {
			buf_printf(&out, "127.0.0.1:%u", dns_server_port(lab->dns));
			word += 5;
		} else if (strncmp(word, "@DNSPORT@", 9) == 0) {
			buf_printf(&out, "%u", dns_server_port(lab->dns));
			word += 9;
		} else if (strncmp(word, "@PORT@", 6) == 0) {
			buf_printf(&out, "%u", smtp_server_port(lab->smtp));
			word += 6;
		} else if (strncmp(word, "@CA@", 4) == 0) {
			buf_addstr(&out, lab->ca_path);
			word += 4;
		} else {
			buf_addc(&out, *word++);
		}
	}
	return buf_steal(&out);
}

static void run_child(const struct lab *lab, char **command, pid_t parent)
{
	char text[64];
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing is left behind */
	if (getppid() != parent)
		_exit(127);
#else
	(void)parent;
#endif
	(void)setrlimit(RLIMIT_NOFILE, &lab->files);
	(void)snprintf(text, sizeof text, "127.0.0.1:%u", dns_server_port(lab->dns));
	(void)setenv("LAB_DNS", text, 1);
	(void)snprintf(text, sizeof text, "%u", smtp_server_port(lab->smtp));
	(void)setenv("LAB_PORT", text, 1);
	(void)setenv("LAB_CA", lab->ca_path, 1);
	for (char **word = command; *word; word++)
		*word = fill_in(lab, *word);
	(void)execvp(command[0], command);
	(void)fprintf(stderr, "lab: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

/* False: there is no standard input to wait for the end of. */
static bool watch_input(struct lab *lab)
{
	struct stat st;
	if (fstat(STDIN_FILENO, &st) != 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return false;
	if (S_ISCHR(st.st_mode) && !isatty(STDIN_FILENO))
		return false;
	lab->input = watch_new(lab->loop, STDIN_FILENO, input_ready, lab);
	watch_want(lab->input, READY_READ);
	return true;
}

static int serve(struct lab *lab, char **command)
{
	if (command) {
		pid_t parent = getpid();
		(void)fflush(NULL);
		lab->child = fork();
		if (lab->child < 0)
			return complain(strerror(errno), "fork");
		if (lab->child == 0)
			run_child(lab, command, parent);
#ifdef __linux__
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
	} else {
		bool waits = watch_input(lab);
		(void)printf("dns=127.0.0.1:%u port=%u ca=%s\n", dns_server_port(lab->dns),
			     smtp_server_port(lab->smtp), lab->ca_path);
		if (fflush(stdout) != 0)
			return complain(strerror(errno), "standard output");
		if (!waits)
			return 0;
	}
	loop_run(lab->loop);
	return lab->status;
}

static int run(struct lab *lab, const char *log_path, char **command)
{
	(void)getrlimit(RLIMIT_NOFILE, &lab->files); /* cannot fail so */
	ports_raise_limit();
	lab->log = log_new(log_path);
	if (!lab->log)
		return complain(strerror(errno), log_path);
	lab->loop = loop_new();
	lab->ca = ca_new();
	timer_init(&lab->drain, lab->loop, drain, lab);
	if (!lab->seed)
		lab->seed = (unsigned)loop_now(lab->loop) | 1;
	log_line(lab->log, "seed %u", lab->seed);
	struct loop_signal *signals[] = {
	    loop_signal_new(lab->loop, SIGTERM, terminated, lab),
	    loop_signal_new(lab->loop, SIGHUP, terminated, lab),
	    loop_signal_new(lab->loop, SIGINT, interrupted, lab),
	    loop_signal_new(lab->loop, SIGCHLD, child_ended, lab),
	};
	int status;
	if (!make_dir(lab))
		status = complain(strerror(errno), "temporary folder");
	else if (!(lab->dns = dns_server_new(lab->loop, lab->scenario, lab->log)))
		status = complain(strerror(errno), "DNS server");
	else if (!(lab->smtp =
		       smtp_server_new(lab->loop, lab->scenario, lab->ca, lab->log, lab->seed)))
		status = complain(strerror(errno), "SMTP server");
	else if (!add_tlsas(lab))
		status = complain("no such address, or no such record", "tlsa");
	else
		status = serve(lab, command);
	log_sums(lab->log);

	watch_free(lab->input);
	smtp_server_free(lab->smtp);
	dns_server_free(lab->dns);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		loop_signal_free(signals[i]);
	timer_fini(&lab->drain);
	loop_free(lab->loop);
	ca_free(lab->ca);
	log_free(lab->log);
	if (lab->dir[0]) {
		(void)unlink(lab->ca_path); /* may never have been written */
		(void)rmdir(lab->dir);
	}
	return status;
}

static int print_expectations(const struct scenario *s)
{
	if (s->args)
		(void)printf("args %s\n", s->args);
	for (size_t i = 0; i < s->n_expectations; i++) {
		const struct expectation *e = &s->expectations[i];
		if (e->class)
			(void)printf("expect %s %s %s %s\n", e->where, e->class, e->reason,
				     e->phase ? e->phase : "-");
		else
			(void)printf("target %s %s %s\n", e->where, e->verdict,
				     e->status ? e->status : "-");
	}
	return fflush(stdout) == 0 ? 0 : EXIT_USAGE;
}

/* 0: that is no port. */
static uint16_t port_number(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);
	return *end == '\0' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

int main(int argc, char **argv)
{
	struct lab lab = {0};
	const char *log_path = NULL, *path = NULL;
	uint16_t smtp_port = 0, dns_port = 0;
	char **command = NULL, *error;
	bool expect = false;
	for (int i = 1; i < argc && !command; i++) {
		if (strcmp(argv[i], "--log") == 0 && i + 1 < argc)
			log_path = argv[++i];
		else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc &&
			 (smtp_port = port_number(argv[i + 1])) != 0)
			i++;
		else if (strcmp(argv[i], "--dns-port") == 0 && i + 1 < argc &&
			 (dns_port = port_number(argv[i + 1])) != 0)
			i++;
		else if (strcmp(argv[i], "--expect") == 0)
			expect = true;
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			lab.seed = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--") == 0 && i + 1 < argc)
			command = argv + i + 1;
		else if (!path && argv[i][0] != '-')
			path = argv[i];
		else
			return complain("unexpected", argv[i]);
	}
	if (!path)
		return complain(
		    "lab [--log FILE] [--seed N] [--port N] [--dns-port N] [--expect] SCENARIO.lab "
		    "[-- COMMAND ARG...]",
		    "usage");
	lab.scenario = scenario_read(path, &error);
	if (!lab.scenario) {
		(void)complain(error, "");
		free(error);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < lab.scenario->n_places; i++)
		lab.scenario->places[i].addr.port = smtp_port;
	for (size_t i = 0; i < lab.scenario->n_tlsas; i++)
		lab.scenario->tlsas[i].addr.port = smtp_port;
	for (size_t i = 0; i < lab.scenario->n_resolvers; i++)
		lab.scenario->resolvers[i].addr.port = dns_port;
	int status = expect ? print_expectations(lab.scenario) : run(&lab, log_path, command);
	scenario_free(lab.scenario);
	return status;
}

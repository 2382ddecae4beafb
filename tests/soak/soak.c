/* Many endpoints that misbehave at random, again and again, in one process: does anything grow?
 *
 *   soak LAB FOLDER SECONDS [SEED]
 *
 * Each round is a whole run over the domains of names.lab: DNS, sessions, classes, all of it freed.
 * After it the memory in use, the resident memory and the descriptors are held against those after
 * the first rounds, when everything that is made once has been made; and each endpoint must have
 * been classified exactly once. */
#include "base/map.h"
#include "base/util.h"
#include "net/tls.h"
#include "run/run.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	DOMAINS = 10,
	ENDPOINTS = 10000,
	JOBS = 1000,
	WARM_UP = 3,           /* rounds */
	GROWTH_MAX = 256 << 10 /* octets in use that are no growth: tables of the libraries */
};

struct lab {
	pid_t pid;
	int input; /* closing it ends the lab */
	uint16_t dns_port, port;
};

struct world {
	struct lab names, servers;
};

struct round {
	struct map seen; /* addresses */
	unsigned targets, endpoints, doubles, odd;
	unsigned classes[CLASSES];
};

struct sample {
	size_t in_use, resident; /* octets */
	unsigned descriptors;
};

static bool lab_start(struct lab *lab, const char *program, const char *folder, const char *name,
		      const char *seed)
{
	char *scenario = xasprintf("%s/%s", folder, name);
	int in[2], out[2];
	unsigned dns_port = 0, port = 0;
	char line[512];
	FILE *said;

	if (pipe(in) != 0 || pipe(out) != 0)
		return false;
	lab->pid = fork();
	if (lab->pid < 0)
		return false;
	if (lab->pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)close(in[0]);
		(void)close(in[1]);
		(void)close(out[0]);
		(void)close(out[1]);
		(void)execl(program, program, "--seed", seed, scenario, (char *)NULL);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	(void)fcntl(in[1], F_SETFD, FD_CLOEXEC); /* or the next lab would hold it open */
	free(scenario);
	lab->input = in[1];
	said = fdopen(out[0], "r");
	if (!said)
		return false;
	if (!fgets(line, sizeof line, said) ||
	    sscanf(line, "dns=127.0.0.1:%u port=%u", &dns_port, &port) != 2)
		port = 0;
	(void)fclose(said); /* only read from */
	lab->dns_port = (uint16_t)dns_port;
	lab->port = (uint16_t)port;
	return port != 0;
}

/* False: it has not ended well. */
static bool lab_end(struct lab *lab)
{
	int status = 0;

	(void)close(lab->input);
	return waitpid(lab->pid, &status, 0) == lab->pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static void on_finished(void *arg, struct result *r)
{
	struct round *round = arg;

	round->targets++;
	for (size_t i = 0; i < r->n_endpoints; i++) {
		const struct contact *c = r->endpoints[i].contact;

		round->endpoints++;
		round->doubles +=
		    map_put(&round->seen, (const char *)&c->addr, sizeof c->addr, round) != NULL;
		/* Skipped is no class that a server can earn. */
		if (c->state != CONTACT_DONE || c->class == CLASS_SKIPPED ||
		    c->class == CLASS_UNRESOLVED || c->sessions != 1)
			round->odd++;
		round->classes[c->class]++;
	}
}

static unsigned count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned n = 0;

	while (folder && readdir(folder))
		n++;
	if (folder)
		(void)closedir(folder);
	return n;
}

static struct sample take_sample(void)
{
	/* What the heap keeps for later is as much as the busiest moment took: no measure of
	 * growth. */
	(void)malloc_trim(0);
	struct sample s = {.in_use = mallinfo2().uordblks + mallinfo2().hblkhd,
			   .descriptors = count_descriptors()};
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (file) {
		if (fscanf(file, "%*u %lu", &pages) != 1)
			pages = 0;
		(void)fclose(file); /* only read from */
	}
	s.resident = pages * (size_t)sysconf(_SC_PAGESIZE);
	return s;
}

static void play(const struct world *world, struct round *round)
{
	struct loop *loop = loop_new();
	struct run_conf conf = {.session = {.dialogue = {.helo = "probe.example.org",
							 .from = "<>",
							 .tls = TLS_AUTO,
							 .connect_timeout = 5 * USEC_PER_SEC},
					    .timeout = 5 * USEC_PER_SEC,
					    .tls = tls_context_new()},
				.contacts = {.repeat = 1, .jobs = JOBS, .per_address = 1},
				.resolver = resolver_conf_default,
				.families = MX_IPV4,
				.port = world->servers.port,
				.https_port = 443,
				.senders = 3,
				.deadline = USEC_NEVER};
	struct run_events events = {.finished = on_finished, .arg = round};
	struct run *run;

	conf.resolver.n_servers = 1;
	if (!addr_parse(&conf.resolver.servers[0], "127.0.0.1", world->names.dns_port))
		abort();
	run = run_new(loop, &conf, &events);
	for (unsigned i = 0; i < DOMAINS; i++) {
		char *name = xasprintf("d%u.soak", i);

		run_add(run, name, strlen(name));
		free(name);
	}
	run_close(run);
	loop_run(loop);
	run_free(run);
	tls_context_free(conf.session.tls);
	loop_free(loop);
}

/* One round; false when it was not as it must be. */
static bool play_round(const struct world *world, unsigned n, struct sample *after)
{
	struct round round = {.targets = 0};
	struct timespec from, to;
	bool good;

	(void)clock_gettime(CLOCK_MONOTONIC, &from); /* cannot fail for this clock */
	play(world, &round);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	good = round.targets == DOMAINS && round.endpoints == ENDPOINTS && !round.doubles &&
	       !round.odd;
	map_fini(&round.seen);
	*after = take_sample();
	(void)printf("round %2u  %4.0f s  %u endpoints:", n, difftime(to.tv_sec, from.tv_sec),
		     round.endpoints);
	for (int i = 0; i < CLASSES; i++)
		if (round.classes[i])
			(void)printf(" %u %s", round.classes[i], class_name((enum class)i));
	(void)printf("\n          in use %zu KiB, resident %zu KiB, %u descriptors%s\n",
		     after->in_use / 1024, after->resident / 1024, after->descriptors,
		     good ? "" : "  WRONG");
	if (!good)
		(void)printf("          %u targets, %u doubles, %u without a class of their own\n",
			     round.targets, round.doubles, round.odd);
	(void)fflush(stdout);
	return good;
}

static bool soak(const struct world *world, long seconds)
{
	struct sample before = take_sample(), warm = {0}, now = {0};
	time_t end = time(NULL) + seconds;
	size_t peak_use = 0, peak_resident = 0;
	bool good = true, flat, back = true;
	unsigned n = 0;

	while (n <= WARM_UP || time(NULL) < end) {
		good &= play_round(world, ++n, &now);
		back &= now.descriptors == before.descriptors;
		if (n == WARM_UP)
			warm = now;
		if (n > WARM_UP) {
			peak_use = now.in_use > peak_use ? now.in_use : peak_use;
			peak_resident = now.resident > peak_resident ? now.resident : peak_resident;
		}
	}
	flat = peak_use <= warm.in_use + GROWTH_MAX && peak_resident <= warm.resident * 11 / 10;
	(void)printf("%u rounds, %u sessions\n", n, n * ENDPOINTS);
	(void)printf(
	    "in use after %d rounds %zu KiB, at most %zu KiB later; resident %zu KiB, %zu KiB: "
	    "%s\n",
	    WARM_UP, warm.in_use / 1024, peak_use / 1024, warm.resident / 1024,
	    peak_resident / 1024, flat ? "flat" : "GROWING");
	(void)printf("descriptors before %u, after each round %s\n", before.descriptors,
		     back ? "the same" : "NOT the same");
	(void)printf("every endpoint classified once a round: %s\n", good ? "yes" : "NO");
	return good && flat && back;
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	struct world world;
	char seed[16];
	bool good;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: soak LAB FOLDER SECONDS [SEED]\n");
		return 3;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* else it shows */
	}
	(void)snprintf(seed, sizeof seed, "%s", argc > 4 && *argv[4] ? argv[4] : "");
	if (!*seed)
		(void)snprintf(seed, sizeof seed, "%u", (unsigned)time(NULL));
	(void)printf("seed %s\n", seed);
	if (!lab_start(&world.names, argv[1], argv[2], "names.lab", seed) ||
	    !lab_start(&world.servers, argv[1], argv[2], "servers.lab", seed)) {
		(void)fprintf(stderr, "soak: a lab did not start\n");
		return 3;
	}
	good = soak(&world, strtol(argv[3], NULL, 10));
	if (!lab_end(&world.names) || !lab_end(&world.servers)) {
		(void)fprintf(stderr, "soak: a lab failed\n");
		return 3;
	}
	return good ? 0 : 1;
}

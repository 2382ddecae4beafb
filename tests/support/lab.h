/* End-to-end tests: a lab, the real program run against it, and what both have to say afterwards.
 *
 * Environment, set by tests/run.sh: MXPROBE and LAB are the programs, TEST_DIR a folder that is
 * removed at the end. WRAP is put before mxprobe ("valgrind -q --error-exitcode=99"). */
#ifndef SUPPORT_LAB_H
#define SUPPORT_LAB_H

#include "base/util.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- the lab ---- */

struct lab {
	pid_t pid;
	int input;    /* closing it ends the lab */
	char dns[64]; /* "127.0.0.1:PORT" */
	char dns_port[8], port[8];
	char ca[256]; /* PEM file */
	char *log_path;
	char *log; /* all of it, once the lab has been stopped */
};

/* Starts tests/lab/scenarios/NAME.lab; fails the test when that cannot be. */
struct lab *lab_start(const char *name);
/* The same with the scenario as text. */
struct lab *lab_start_text(const char *text);
/* Waits until every connection has ended, ends the lab and reads its log. */
void lab_stop(struct lab *);
void lab_free(struct lab *); /* stops it first, if need be */

/* Waits until `n` lines of the log begin so; fails the test when that takes too long. */
void lab_wait(const struct lab *, const char *prefix, unsigned n);

/* Of a stopped lab: the sum of that name (see lab/log.h), how many lines begin so, the first of
 * them behind its prefix (static until the next call; NULL: none). */
long lab_sum(const struct lab *, const char *name);
unsigned lab_lines(const struct lab *, const char *prefix);
const char *lab_line(const struct lab *, const char *prefix);

/* Of a stopped lab: fails the test unless the first session with that address was secured, and this
 * was the name that the client asked for ("-": none). */
void lab_assert_secured(const struct lab *, const char *address, const char *name);

/* Stops the lab and fails the test when the client has done what no polite one does. */
void lab_assert_polite(struct lab *);

/* ---- mxprobe ---- */

struct probe_conf {
	const char *input;      /* what stands on its standard input; NULL: nothing */
	const char *const *env; /* "NAME=VALUE", or "NAME" to unset it; ends with NULL */
	unsigned files;         /* limit of open files; 0: as it is */
	bool bare;              /* without --resolver and -p of the lab */
	const char *program;    /* in place of MXPROBE: another name of it */
	bool no_input;          /* standard input is closed */
	bool no_env;            /* nothing is in the environment but `env` */
	const char *tty;        /* that terminal is standard input and output, and controls it */
	uid_t uid;              /* run as that user and group; 0: as we are */
};

struct probe {
	pid_t pid;
	int status; /* of exit; -1: by a signal */
	int signal; /* that ended it; 0 */
	char *out, *err;
	size_t out_len, err_len;
	json_t **results; /* the lines of `out`, where it is JSON Lines: each fits its schema */
	size_t n_results;
	double seconds; /* it took */
	char *out_path, *err_path;
	usec_t began;
};

/* The trust store is the lab's CA, unless `env` says otherwise.
 * `args` ends with NULL; "@DNS@", "@DNSPORT@", "@PORT@" and "@CA@" in them are filled in. `lab` and
 * `conf` may be NULL. */
struct probe *probe_start(const struct lab *, const struct probe_conf *, const char *const *args);
void probe_wait(struct probe *); /* fails the test when it does not end in minutes */
void probe_free(struct probe *);

/* Both; PROBE(lab, "--json", "example.org") with no conf. */
struct probe *probe_run(const struct lab *, const struct probe_conf *, const char *const *args);
#define PROBE(lab, ...) probe_run((lab), NULL, (const char *const[]){__VA_ARGS__, NULL})
#define PROBE_CONF(lab, conf, ...) \
	probe_run((lab), (conf), (const char *const[]){__VA_ARGS__, NULL})

/* Somebody who may not do everything, for `uid`: 0, we ourselves, unless we are root. Skips the
 * test where MXPROBE stands in a folder of root's alone. */
uid_t lesser_user(void);

/* Fails the test, and shows what the program said, when it did not exit so. */
void probe_assert_exit(const struct probe *, int status);

/* A path in TEST_DIR that nobody else uses; caller frees. */
char *test_path(const char *suffix);
/* All of a file, terminated; caller frees. NULL: there is none. */
char *read_whole(const char *path, size_t *len);
void write_whole(const char *path, const char *text);
/* A history, with what SQLite may have left beside it; frees the path. */
void remove_history(char *path);

/* ---- results ---- */

/* The result of a target; fails the test when there is none. */
const json_t *result_of(const struct probe *, const char *target);
/* The first endpoint with that address, or NULL. */
const json_t *endpoint_of(const json_t *result, const char *address);
/* A member by path: "dns.mx.0.host"; NULL when it is not there. */
const json_t *at(const json_t *, const char *path);
/* Its text, or number as integer; fails the test when it is something else. */
const char *text_at(const json_t *, const char *path);
long number_at(const json_t *, const char *path);

/* Fails the test unless the endpoint has "class/reason" and, if not NULL, the phase. */
void assert_endpoint(const json_t *result, const char *address, const char *class_reason,
		     const char *phase);
void assert_warning(const json_t *result, const char *code, bool there);

/* Fails the test unless every field of schema mxprobe/1 is there with its type, the counts and
 * times agree with each other, and nothing is outside the contract. */
void assert_schema(const json_t *result);

/* Runs NAME.lab's targets with its options, and compares everything that it expects. */
void expect_scenario(const char *name);

#endif

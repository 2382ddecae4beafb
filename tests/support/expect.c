/* Scenarios that say themselves what a probe is to find. */
#include "support/lab.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAX = 100 };

struct expectations {
	char *text;
	char *lines[2000];
	size_t n;
	const char *args[ARGS_MAX];
	size_t n_args;
};

/* Asks the lab what the scenario expects. */
static void load(struct expectations *e, const char *name)
{
	char *path = test_path(".expect");
	char *command = xasprintf("\"$LAB\" --expect tests/lab/scenarios/%s.lab >'%s'", name, path);
	int status = system(command);
	free(command);
	e->text = read_whole(path, NULL);
	(void)remove(path);
	free(path);
	assert_int_equal(status, 0);
	assert_non_null(e->text);
	for (char *line = strtok(e->text, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(e->n < ARRAY_LEN(e->lines));
		e->lines[e->n++] = line;
	}
	if (e->n && strncmp(e->lines[0], "args ", 5) == 0)
		for (char *word = strtok(e->lines[0] + 5, " "); word; word = strtok(NULL, " ")) {
			assert_true(e->n_args < ARGS_MAX - 4);
			e->args[e->n_args++] = word;
		}
}

static bool check_target(const struct probe *probe, const char *target, const char *verdict,
			 const char *status)
{
	const json_t *result = result_of(probe, target);
	const char *found = text_at(result, "verdict");
	const json_t *dns = at(result, "dns.status");
	const char *found_status = json_is_string(dns) ? json_string_value(dns) : "-";
	if (strcmp(found, verdict) == 0 &&
	    (strcmp(status, "-") == 0 || strcmp(found_status, status) == 0))
		return true;
	print_error("%s is %s (DNS %s) instead of %s (%s)\n", target, found, found_status, verdict,
		    status);
	return false;
}

static bool check_address(const struct probe *probe, const char *address, const char *class,
			  const char *reason, const char *phase)
{
	bool good = true, any = false;
	for (size_t i = 0; i < probe->n_results; i++) {
		const json_t *endpoint = endpoint_of(probe->results[i], address);
		if (!endpoint)
			continue;
		any = true;
		const char *found[] = {text_at(endpoint, "class"), text_at(endpoint, "reason"),
				       text_at(endpoint, "phase")};
		if (strcmp(found[0], class) == 0 && strcmp(found[1], reason) == 0 &&
		    (strcmp(phase, "-") == 0 || strcmp(found[2], phase) == 0))
			continue;
		char *reply = json_dumps(at(endpoint, "reply"), JSON_COMPACT | JSON_ENCODE_ANY);
		print_error("%s is %s/%s in %s instead of %s/%s in %s; reply %.300s\n", address,
			    found[0], found[1], found[2], class, reason, phase, reply);
		free(reply);
		good = false;
	}
	if (!any)
		print_error("no endpoint %s\n", address);
	return good && any;
}

void expect_scenario(const char *name)
{
	struct expectations *e = xcalloc(1, sizeof *e);
	struct buf targets = {0};
	size_t bad = 0;
	load(e, name);
	for (size_t i = 0; i < e->n; i++) {
		char target[1100];
		if (sscanf(e->lines[i], "target %1099s", target) == 1)
			buf_printf(&targets, "%s\n", target);
	}
	e->args[e->n_args++] = "--json";
	e->args[e->n_args++] = "-i";
	e->args[e->n_args++] = "-";
	struct lab *lab = lab_start(name);
	/* The lab's CA is one to trust. */
	char *trust = xasprintf("SSL_CERT_FILE=%s", lab->ca);
	struct probe_conf conf = {.input = buf_str(&targets),
				  .env = (const char *const[]){trust, NULL}};
	struct probe *probe = probe_run(lab, &conf, e->args);
	if (probe->n_results == 0)
		fail_msg("no result: exit %d: %s%s", probe->status, probe->out, probe->err);
	for (size_t i = 0; i < e->n; i++) {
		char where[1100], a[64], b[64], c[64];
		if (sscanf(e->lines[i], "target %1099s %63s %63s", where, a, b) == 3)
			bad += !check_target(probe, where, a, b);
		else if (sscanf(e->lines[i], "expect %1099s %63s %63s %63s", where, a, b, c) == 4)
			bad += !check_address(probe, where, a, b, c);
	}
	for (size_t i = 0; i < probe->n_results; i++)
		assert_schema(probe->results[i]);
	lab_assert_polite(lab);
	if (bad)
		fail_msg("%s: %zu expectations failed", name, bad);
	probe_free(probe);
	lab_free(lab);
	free(trust);
	buf_fini(&targets);
	free(e->text);
	free(e);
}

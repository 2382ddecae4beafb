/* Looking into results. */
#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const json_t *result_of(const struct probe *probe, const char *target)
{
	for (size_t i = 0; i < probe->n_results; i++) {
		const char *text = json_string_value(json_object_get(probe->results[i], "target"));
		if (text && strcmp(text, target) == 0)
			return probe->results[i];
	}
	fail_msg("no result for %s; it said:\n%s%s", target, probe->out, probe->err);
	return NULL;
}

const json_t *endpoint_of(const json_t *result, const char *address)
{
	size_t i;
	json_t *endpoint;
	json_array_foreach(json_object_get(result, "endpoints"), i, endpoint)
	{
		const char *text = json_string_value(json_object_get(endpoint, "address"));
		if (text && strcmp(text, address) == 0)
			return endpoint;
	}
	return NULL;
}

const json_t *at(const json_t *value, const char *path)
{
	while (value && *path) {
		char key[128];
		size_t n = strcspn(path, ".");
		(void)snprintf(key, sizeof key, "%.*s", (int)n, path);
		value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
					     : json_object_get(value, key);
		path += n + (path[n] == '.');
	}
	return value;
}

const char *text_at(const json_t *value, const char *path)
{
	const json_t *found = at(value, path);
	if (!json_is_string(found))
		fail_msg("%s is no text", path);
	return json_string_value(found);
}

long number_at(const json_t *value, const char *path)
{
	const json_t *found = at(value, path);
	if (!json_is_number(found))
		fail_msg("%s is no number", path);
	return (long)json_number_value(found);
}

void assert_endpoint(const json_t *result, const char *address, const char *class_reason,
		     const char *phase)
{
	const json_t *endpoint = endpoint_of(result, address);
	if (!endpoint)
		fail_msg("no endpoint %s", address);
	char *found = xasprintf("%s/%s", text_at(endpoint, "class"), text_at(endpoint, "reason"));
	const char *found_phase = text_at(endpoint, "phase");
	if (strcmp(found, class_reason) != 0 || (phase && strcmp(found_phase, phase) != 0)) {
		char *whole = json_dumps(endpoint, JSON_COMPACT);
		print_error("%s\n", whole);
		free(whole);
		fail_msg("%s is %s in %s instead of %s in %s", address, found, found_phase,
			 class_reason, phase ? phase : "any phase");
	}
	free(found);
}

void assert_warning(const json_t *result, const char *code, bool there)
{
	size_t i;
	json_t *warning;
	bool found = false;
	json_array_foreach(json_object_get(result, "warnings"), i, warning) found |=
	    strcmp(text_at(warning, "code"), code) == 0;
	if (found != there)
		fail_msg("warning %s is %sthere", code, found ? "" : "not ");
}

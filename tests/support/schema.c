/* Schema mxprobe/1, as far as it can be said of any result. */
#include "support/lab.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One field and the types it may have: s text, n number, i integer, b boolean, o object, a array,
 * 0 null. */
struct field {
	const char *name, *types;
};

static bool has_type(const json_t *value, const char *types)
{
	for (; *types; types++) {
		if ((*types == 's' && json_is_string(value)) ||
		    (*types == 'n' && json_is_number(value)) ||
		    (*types == 'i' && json_is_integer(value)) ||
		    (*types == 'b' && json_is_boolean(value)) ||
		    (*types == 'o' && json_is_object(value)) ||
		    (*types == 'a' && json_is_array(value)) ||
		    (*types == '0' && json_is_null(value)))
			return true;
	}
	return false;
}

static void check_fields(const json_t *object, const char *what, const struct field *fields,
			 size_t n)
{
	assert_true(json_is_object(object));
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(object, fields[i].name);
		if (!value)
			fail_msg("%s: no field %s", what, fields[i].name);
		if (!has_type(value, fields[i].types)) {
			char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
			fail_msg("%s.%s is none of \"%s\": %s", what, fields[i].name,
				 fields[i].types, text);
		}
	}
}
#define CHECK_FIELDS(object, what, fields) check_fields(object, what, fields, ARRAY_LEN(fields))

static void check_word(const json_t *value, const char *const *words, const char *what)
{
	const char *text = json_string_value(value);
	for (; text && *words; words++)
		if (strcmp(text, *words) == 0)
			return;
	fail_msg("%s: \"%s\" is outside the contract", what, text ? text : "null");
}

static const char *const statuses[] = {"ok",      "nxdomain", "no-address",  "servfail",
				       "timeout", "invalid",  "local-error", NULL};

static const struct {
	const char *class, *reasons;
} classes[] = {
    {"healthy", " ok "},
    {"exhausted", " memory disk load connections unspecified "},
    {"deferred", " throttle greylist policy mailbox maintenance dns tls internal other "},
    {"rejected", " policy auth syntax no-service size other "},
    {"timeout", " connect silent slow "},
    {"down", " refused unreachable closed "},
    {"broken", " not-smtp bad-reply tls certificate no-tls "},
    {"unresolved", " nxdomain no-address servfail timeout invalid "},
    {"skipped", " no-route not-public limit deadline interrupted local-error "},
};

static void check_class(const json_t *endpoint)
{
	const char *class = text_at(endpoint, "class"), *reason = text_at(endpoint, "reason");
	char *word = xasprintf(" %s ", reason);
	bool found = false;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (strcmp(classes[i].class, class) == 0)
			found = strstr(classes[i].reasons, word) != NULL;
	free(word);
	if (!found)
		fail_msg("%s/%s is outside the contract", class, reason);
}

static void check_time(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	assert_int_equal(strlen(text), strlen(form));
	for (size_t i = 0; form[i]; i++)
		assert_true(form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i]);
}

static void check_dns(const json_t *dns)
{
	static const char *const sources[] = {"mx", "implicit", "null-mx", "host", "literal", NULL};
	static const struct field fields[] = {{"source", "s0"},
					      {"status", "s"},
					      {"authenticated", "b"},
					      {"elapsed_ms", "n"},
					      {"mx", "a"}};
	static const struct field mx_fields[] = {{"preference", "i0"},
						 {"host", "s"},
						 {"status", "s"},
						 {"ttl", "i0"},
						 {"addresses", "a"}};
	CHECK_FIELDS(dns, "dns", fields);
	check_word(json_object_get(dns, "status"), statuses, "dns.status");
	if (!json_is_null(json_object_get(dns, "source")))
		check_word(json_object_get(dns, "source"), sources, "dns.source");
	size_t i, j;
	json_t *host, *address;
	json_array_foreach(json_object_get(dns, "mx"), i, host)
	{
		CHECK_FIELDS(host, "dns.mx", mx_fields);
		check_word(json_object_get(host, "status"), statuses, "dns.mx.status");
		json_array_foreach(json_object_get(host, "addresses"), j, address)
		    assert_true(json_is_string(address));
	}
}

static void check_timing(const json_t *endpoint)
{
	static const struct field fields[] = {{"connect_ms", "n0"},  {"first_byte_ms", "n0"},
					      {"banner_ms", "n0"},   {"ehlo_ms", "n0"},
					      {"starttls_ms", "n0"}, {"tls_ms", "n0"},
					      {"mail_ms", "n0"},     {"total_ms", "n0"}};
	const json_t *timing = json_object_get(endpoint, "timing");
	CHECK_FIELDS(timing, "timing", fields);
	double sum = 0;
	bool any = false;
	for (size_t i = 0; i + 1 < ARRAY_LEN(fields); i++) {
		const json_t *value = json_object_get(timing, fields[i].name);
		if (!json_is_number(value) || strcmp(fields[i].name, "first_byte_ms") == 0)
			continue;
		assert_true(json_number_value(value) >= 0);
		sum += json_number_value(value);
		any = true;
	}
	const json_t *total = json_object_get(timing, "total_ms");
	if (json_integer_value(json_object_get(endpoint, "sessions")) == 1) {
		assert_int_equal(any, json_is_number(total));
		/* Each number is rounded by itself. */
		if (any && fabs(json_number_value(total) - sum) > 0.51)
			fail_msg("total_ms %.3f is not the sum %.3f", json_number_value(total),
				 sum);
	}
	if (json_integer_value(json_object_get(endpoint, "sessions")) == 0)
		assert_true(!any && json_is_null(total));
}

static void check_endpoint(const json_t *endpoint)
{
	static const char *const phases[] = {"dns",      "connect", "banner", "ehlo",
					     "starttls", "tls",     "mail",   NULL};
	static const struct field fields[] = {
	    {"preference", "i0"},      {"host", "s"},        {"address", "s0"},
	    {"family", "s0"},          {"port", "i"},        {"class", "s"},
	    {"reason", "s"},           {"phase", "s"},       {"sessions", "i"},
	    {"healthy_sessions", "i"}, {"backends", "a"},    {"reply", "o0"},
	    {"banner", "s0"},          {"extensions", "a0"}, {"tls", "o0"},
	    {"timing", "o"},           {"rtt_ms", "n0"},     {"error", "s0"}};
	static const struct field reply_fields[] = {
	    {"code", "i"}, {"enhanced", "s0"}, {"lines", "a"}};
	static const struct field backend_fields[] = {
	    {"name", "s"}, {"sessions", "i"}, {"healthy", "i"}};
	static const struct field tls_fields[] = {
	    {"version", "s0"}, {"cipher", "s0"}, {"verified", "b0"},  {"dane", "b0"},
	    {"subject", "s0"}, {"issuer", "s0"}, {"not_after", "s0"}, {"days_left", "i0"},
	    {"names", "a0"},   {"error", "s0"}};
	CHECK_FIELDS(endpoint, "endpoint", fields);
	check_class(endpoint);
	check_word(json_object_get(endpoint, "phase"), phases, "phase");
	check_timing(endpoint);
	const json_t *reply = json_object_get(endpoint, "reply");
	if (json_is_object(reply))
		CHECK_FIELDS(reply, "reply", reply_fields);
	const json_t *tls = json_object_get(endpoint, "tls");
	if (json_is_object(tls))
		CHECK_FIELDS(tls, "tls", tls_fields);
	size_t i;
	json_t *backend;
	json_int_t sessions = 0;
	json_array_foreach(json_object_get(endpoint, "backends"), i, backend)
	{
		CHECK_FIELDS(backend, "backend", backend_fields);
		sessions += json_integer_value(json_object_get(backend, "sessions"));
	}
	assert_true(sessions <= json_integer_value(json_object_get(endpoint, "sessions")));
	if (strcmp(text_at(endpoint, "class"), "healthy") == 0)
		assert_int_equal(number_at(endpoint, "sessions"),
				 number_at(endpoint, "healthy_sessions"));
}

static void check_sums(const json_t *result)
{
	const json_t *summary = json_object_get(result, "summary");
	size_t i;
	json_t *endpoint;
	json_int_t sum = 0;
	for (size_t c = 0; c < ARRAY_LEN(classes); c++) {
		json_int_t count = 0;
		json_array_foreach(json_object_get(result, "endpoints"), i, endpoint) count +=
		    strcmp(text_at(endpoint, "class"), classes[c].class) == 0;
		assert_int_equal(number_at(summary, classes[c].class), count);
		sum += count;
	}
	assert_int_equal(number_at(summary, "endpoints"), sum);
}

void assert_schema(const json_t *result)
{
	static const char *const verdicts[] = {"healthy",       "degraded", "failing",
					       "undeliverable", "unknown",  NULL};
	static const struct field fields[] = {
	    {"schema", "s"},   {"version", "s"}, {"index", "i0"},     {"target", "s"},
	    {"domain", "s0"},  {"started", "s"}, {"elapsed_ms", "n"}, {"helo", "s"},
	    {"from", "s"},     {"verdict", "s"}, {"exit", "i"},       {"error", "o0"},
	    {"warnings", "a"}, {"dns", "o0"},    {"summary", "o"},    {"delivery", "o"},
	    {"endpoints", "a"}};
	static const struct field error_fields[] = {{"code", "s"}, {"message", "s"}};
	static const struct field summary_fields[] = {
	    {"endpoints", "i"},  {"healthy", "i"}, {"exhausted", "i"},  {"deferred", "i"},
	    {"rejected", "i"},   {"timeout", "i"}, {"down", "i"},       {"broken", "i"},
	    {"unresolved", "i"}, {"skipped", "i"}, {"slowest_ms", "n0"}};
	static const struct field delivery_fields[] = {
	    {"first_try", "n0"}, {"possible", "b0"}, {"senders", "o0"}};
	CHECK_FIELDS(result, "result", fields);
	assert_string_equal(text_at(result, "schema"), "mxprobe/1");
	check_word(json_object_get(result, "verdict"), verdicts, "verdict");
	check_time(text_at(result, "started"));
	CHECK_FIELDS(json_object_get(result, "summary"), "summary", summary_fields);
	CHECK_FIELDS(json_object_get(result, "delivery"), "delivery", delivery_fields);
	if (json_is_object(json_object_get(result, "error")))
		CHECK_FIELDS(json_object_get(result, "error"), "error", error_fields);
	if (json_is_object(json_object_get(result, "dns")))
		check_dns(json_object_get(result, "dns"));
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(result, "warnings"), i, item)
	    CHECK_FIELDS(item, "warning", error_fields);
	json_array_foreach(json_object_get(result, "endpoints"), i, item) check_endpoint(item);
	check_sums(result);
	static const int exits[] = {0, 1, 2, 2, 3};
	for (i = 0; verdicts[i]; i++)
		if (strcmp(text_at(result, "verdict"), verdicts[i]) == 0)
			assert_int_equal(number_at(result, "exit"), exits[i]);
}

#include "support/json_schema.h"

#include "base/buf.h"
#include "base/util.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One validation. The path leads to the value being looked at; parts of it are added on the way
 * down and cut off on the way up. */
struct check {
	const json_t *root;
	struct buf path;
};

/* What a schema says against a value; NULL: nothing. */
static char *look(struct check *c, const json_t *schema, const json_t *value);

static PRINTF_LIKE(2, 3) char *complain(const struct check *c, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap); /* long ones may be cut */
	va_end(ap);
	return xasprintf("%.*s: %s", (int)c->path.len, c->path.len ? c->path.data : "", why);
}

static char *look_below(struct check *c, const char *name, const json_t *schema,
			const json_t *value)
{
	uint32_t len = c->path.len;
	char *complaint;

	buf_printf(&c->path, "%s%s", len ? "." : "", name);
	complaint = look(c, schema, value);
	c->path.len = len;
	return complaint;
}

static bool is_type(const json_t *value, const char *type)
{
	static const struct {
		const char *name;
		json_type types[2];
	} types[] = {
	    {"null", {JSON_NULL, JSON_NULL}},          {"boolean", {JSON_TRUE, JSON_FALSE}},
	    {"object", {JSON_OBJECT, JSON_OBJECT}},    {"array", {JSON_ARRAY, JSON_ARRAY}},
	    {"string", {JSON_STRING, JSON_STRING}},    {"number", {JSON_INTEGER, JSON_REAL}},
	    {"integer", {JSON_INTEGER, JSON_INTEGER}},
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, type) == 0)
			return json_typeof(value) == types[i].types[0] ||
			       json_typeof(value) == types[i].types[1];
	fail_msg("schema: no type \"%s\"", type);
	return false;
}

static char *check_type(struct check *c, const json_t *types, const json_t *value)
{
	bool good = false;
	char *text, *complaint;
	json_t *type;
	size_t i;

	if (json_is_string(types))
		good = is_type(value, json_string_value(types));
	json_array_foreach(types, i, type) good = good || is_type(value, json_string_value(type));
	if (good)
		return NULL;
	text = json_dumps(types, JSON_ENCODE_ANY);
	complaint = complain(c, "is not of type %s", text);
	free(text);
	return complaint;
}

static char *check_enum(struct check *c, const json_t *values, const json_t *value)
{
	char *text, *complaint;
	json_t *allowed;
	size_t i;

	json_array_foreach(values, i, allowed) if (json_equal(allowed, value)) return NULL;
	text = json_dumps(value, JSON_ENCODE_ANY);
	complaint = complain(c, "%s is none of those allowed", text);
	free(text);
	return complaint;
}

static char *check_const(struct check *c, const json_t *wanted, const json_t *value)
{
	char *text, *complaint;

	if (json_equal(wanted, value))
		return NULL;
	text = json_dumps(value, JSON_ENCODE_ANY);
	complaint = complain(c, "%s is not the value wanted", text);
	free(text);
	return complaint;
}

static char *check_required(struct check *c, const json_t *names, const json_t *value)
{
	json_t *name;
	size_t i;

	if (!json_is_object(value))
		return NULL;
	json_array_foreach(
	    names, i,
	    name) if (!json_object_get(value,
				       json_string_value(
					   name))) return complain(c, "has no field %s",
								   json_string_value(name));
	return NULL;
}

static char *check_properties(struct check *c, const json_t *properties, const json_t *value)
{
	const char *name;
	json_t *schema;

	if (!json_is_object(value))
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)properties, name, schema)
	{
		const json_t *field = json_object_get(value, name);
		char *complaint = field ? look_below(c, name, schema, field) : NULL;

		if (complaint)
			return complaint;
	}
	return NULL;
}

static char *check_others(struct check *c, const json_t *properties, const json_t *schema,
			  const json_t *value)
{
	const char *name;
	json_t *field;

	if (!json_is_object(value))
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)value, name, field)
	{
		char *complaint =
		    json_object_get(properties, name) ? NULL : look_below(c, name, schema, field);

		if (complaint)
			return complaint;
	}
	return NULL;
}

static char *check_names(struct check *c, const json_t *schema, const json_t *value)
{
	char *complaint = NULL;
	const char *name;
	json_t *field;

	if (!json_is_object(value))
		return NULL;
	json_object_foreach((json_t *)(uintptr_t)value, name, field)
	{
		json_t *text = json_string(name);

		complaint = look_below(c, name, schema, text);
		json_decref(text);
		if (complaint)
			break;
	}
	return complaint;
}

static char *check_items(struct check *c, const json_t *schema, const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
	{
		char name[24], *complaint;

		(void)snprintf(name, sizeof name, "%zu", i);
		complaint = look_below(c, name, schema, item);
		if (complaint)
			return complaint;
	}
	return NULL;
}

static char *check_pattern(struct check *c, const json_t *pattern, const json_t *value)
{
	regex_t re;
	bool found;

	if (!json_is_string(value))
		return NULL;
	if (regcomp(&re, json_string_value(pattern), REG_EXTENDED | REG_NOSUB) != 0)
		fail_msg("schema: no pattern \"%s\"", json_string_value(pattern));
	found = regexec(&re, json_string_value(value), 0, NULL, 0) == 0;
	regfree(&re);
	return found ? NULL
		     : complain(c, "\"%s\" does not match %s", json_string_value(value),
				json_string_value(pattern));
}

/* Characters, not octets; jansson has seen to it that it is UTF-8. */
static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

static char *check_limits(struct check *c, const char *keyword, double limit, const json_t *value)
{
	double number = json_number_value(value);

	if (strcmp(keyword, "minimum") == 0 && json_is_number(value) && number < limit)
		return complain(c, "%g is less than %g", number, limit);
	if (strcmp(keyword, "maximum") == 0 && json_is_number(value) && number > limit)
		return complain(c, "%g is more than %g", number, limit);
	if (strcmp(keyword, "minItems") == 0 && json_is_array(value) &&
	    (double)json_array_size(value) < limit)
		return complain(c, "has less than %g items", limit);
	if (strcmp(keyword, "maxLength") == 0 && json_is_string(value) &&
	    (double)characters(json_string_value(value)) > limit)
		return complain(c, "is longer than %g characters", limit);
	return NULL;
}

static char *check_all(struct check *c, const json_t *schemas, const json_t *value)
{
	json_t *schema;
	char *complaint;
	size_t i;

	json_array_foreach(schemas, i,
			   schema) if ((complaint = look(c, schema, value))) return complaint;
	return NULL;
}

/* anyOf, oneOf: how many fit, and what one of those that did not had to say. */
static char *check_some(struct check *c, const char *keyword, const json_t *schemas,
			const json_t *value)
{
	bool one = strcmp(keyword, "oneOf") == 0;
	char *last = NULL, *complaint;
	unsigned fitting = 0;
	json_t *schema;
	size_t i;

	json_array_foreach(schemas, i, schema)
	{
		complaint = look(c, schema, value);
		fitting += !complaint;
		if (complaint) {
			free(last);
			last = complaint;
		}
	}
	if (fitting == 1 || (fitting && !one)) {
		free(last);
		return NULL;
	}
	complaint = complain(c, "fits %u schemas of %s%s%s", fitting, keyword,
			     last ? ", not the last since " : "", last ? last : "");
	free(last);
	return complaint;
}

static char *check_if(struct check *c, const json_t *schema, const json_t *value)
{
	char *complaint = look(c, json_object_get(schema, "if"), value);
	const json_t *then = json_object_get(schema, complaint ? "else" : "then");

	free(complaint);
	return then ? look(c, then, value) : NULL;
}

static char *check_ref(struct check *c, const json_t *ref, const json_t *value)
{
	static const char prefix[] = "#/$defs/";
	const char *text = json_string_value(ref);
	const json_t *schema = NULL;

	if (text && strncmp(text, prefix, strlen(prefix)) == 0)
		schema = json_object_get(json_object_get(c->root, "$defs"), text + strlen(prefix));
	if (!schema)
		fail_msg("schema: no definition %s", text ? text : "");
	return look(c, schema, value);
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static char *look(struct check *c, const json_t *schema, const json_t *value)
{
	static const char *const words[] = {"$schema",     "$id",  "$defs", "title",
					    "description", "then", "else",  NULL};
	static const char *const limits[] = {"minimum", "maximum", "minItems", "maxLength", NULL};
	const char *keyword;
	json_t *says;

	if (!json_is_object(schema))
		fail_msg("schema: %.*s: no schema", (int)c->path.len, buf_str(&c->path));
	json_object_foreach((json_t *)(uintptr_t)schema, keyword, says)
	{
		char *complaint = NULL;

		if (strcmp(keyword, "type") == 0)
			complaint = check_type(c, says, value);
		else if (strcmp(keyword, "enum") == 0)
			complaint = check_enum(c, says, value);
		else if (strcmp(keyword, "const") == 0)
			complaint = check_const(c, says, value);
		else if (strcmp(keyword, "required") == 0)
			complaint = check_required(c, says, value);
		else if (strcmp(keyword, "properties") == 0)
			complaint = check_properties(c, says, value);
		else if (strcmp(keyword, "additionalProperties") == 0)
			complaint =
			    check_others(c, json_object_get(schema, "properties"), says, value);
		else if (strcmp(keyword, "propertyNames") == 0)
			complaint = check_names(c, says, value);
		else if (strcmp(keyword, "items") == 0)
			complaint = check_items(c, says, value);
		else if (strcmp(keyword, "pattern") == 0)
			complaint = check_pattern(c, says, value);
		else if (strcmp(keyword, "allOf") == 0)
			complaint = check_all(c, says, value);
		else if (strcmp(keyword, "anyOf") == 0 || strcmp(keyword, "oneOf") == 0)
			complaint = check_some(c, keyword, says, value);
		else if (strcmp(keyword, "if") == 0)
			complaint = check_if(c, schema, value);
		else if (strcmp(keyword, "$ref") == 0)
			complaint = check_ref(c, says, value);
		else if (is_one_of(keyword, limits))
			complaint = check_limits(c, keyword, json_number_value(says), value);
		else if (!is_one_of(keyword, words))
			fail_msg("schema: \"%s\" is not known here", keyword);
		if (complaint)
			return complaint;
	}
	return NULL;
}

char *schema_complaint(const json_t *schema, const json_t *value)
{
	struct check c = {.root = schema};
	char *complaint = look(&c, schema, value);

	buf_fini(&c.path);
	return complaint;
}

const json_t *schema_read(const char *name)
{
	static struct {
		char name[64];
		json_t *schema;
	} known[8];
	json_error_t error;
	char *path;
	size_t i;

	for (i = 0; i < ARRAY_LEN(known) && known[i].schema; i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].schema;
	assert_true(i < ARRAY_LEN(known) && strlen(name) < sizeof known[i].name);
	path = xasprintf("contrib/schema/%s.schema.json", name);
	known[i].schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!known[i].schema)
		fail_msg("%s: %s", path, error.text);
	free(path);
	(void)snprintf(known[i].name, sizeof known[i].name, "%s", name);
	return known[i].schema;
}

void assert_fits_schema(const json_t *document)
{
	const char *says = json_string_value(json_object_get(document, "schema"));
	char name[64], *slash, *complaint, *text;

	if (!says)
		fail_msg("a document that names no schema");
	(void)snprintf(name, sizeof name, "%s", says);
	slash = strchr(name, '/');
	if (slash)
		*slash = '-';
	complaint = schema_complaint(schema_read(name), document);
	if (!complaint)
		return;
	text = json_dumps(document, JSON_COMPACT);
	print_error("%s\n", text);
	fail_msg("outside of %s: %s", says, complaint);
}

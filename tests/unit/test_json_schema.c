/* The validator that end-to-end tests rely on must be able to say no. */
#include "support/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_DECODE_ANY, &error);

	if (!value)
		fail_msg("%s: %s", text, error.text);
	return value;
}

static void keywords(void **state)
{
	static const struct {
		const char *schema, *good[4], *bad[4];
	} cases[] = {
	    {"{\"type\":\"integer\"}", {"1", "-1"}, {"1.5", "\"1\"", "null", "true"}},
	    {"{\"type\":\"number\"}", {"1", "1.5"}, {"\"1\"", "[]"}},
	    {"{\"type\":[\"string\",\"null\"]}", {"\"\"", "null"}, {"0", "{}"}},
	    {"{\"type\":\"boolean\"}", {"true", "false"}, {"0", "null"}},
	    {"{\"enum\":[\"a\",null,1]}", {"\"a\"", "null", "1"}, {"\"b\"", "2", "false"}},
	    {"{\"const\":{\"a\":[1]}}", {"{\"a\":[1]}"}, {"{\"a\":[2]}", "1"}},
	    {"{\"required\":[\"a\",\"b\"]}", {"{\"a\":0,\"b\":null}", "1"}, {"{\"a\":0}", "{}"}},
	    {"{\"properties\":{\"a\":{\"type\":\"null\"}}}",
	     {"{}", "{\"a\":null,\"b\":1}"},
	     {"{\"a\":0}"}},
	    {"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"null\"}}",
	     {"{\"a\":1}", "{\"b\":null}"},
	     {"{\"b\":1}"}},
	    {"{\"propertyNames\":{\"enum\":[\"a\"]}}", {"{\"a\":1}", "{}"}, {"{\"b\":1}"}},
	    {"{\"items\":{\"minimum\":2}}", {"[]", "[2,3]"}, {"[2,1]"}},
	    {"{\"minItems\":1}", {"[0]", "0"}, {"[]"}},
	    {"{\"minimum\":0,\"maximum\":1}", {"0", "1", "0.5"}, {"-0.1", "2"}},
	    {"{\"maxLength\":2}", {"\"\\u00e9\\u00e9\"", "123"}, {"\"abc\""}},
	    {"{\"pattern\":\"^[0-9]{2}$\"}", {"\"12\"", "5"}, {"\"1\"", "\"123\""}},
	    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", {"1", "2"}, {"0", "3"}},
	    {"{\"anyOf\":[{\"minimum\":5},{\"type\":\"null\"}]}", {"5", "null"}, {"4"}},
	    {"{\"oneOf\":[{\"minimum\":5},{\"maximum\":6}]}", {"4", "7"}, {"5"}},
	    {"{\"if\":{\"minimum\":5},\"then\":{\"maximum\":6},\"else\":{\"maximum\":1}}",
	     {"5", "1"},
	     {"7", "2"}},
	    {"{\"$defs\":{\"x\":{\"items\":{\"$ref\":\"#/$defs/x\"},\"type\":\"array\"}},"
	     "\"$ref\":\"#/$defs/x\"}",
	     {"[]", "[[],[[]]]"},
	     {"[[],[1]]"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *schema = parse(cases[i].schema);

		for (size_t k = 0; k < 8; k++) {
			const char *text = k < 4 ? cases[i].good[k] : cases[i].bad[k - 4];
			json_t *value;
			char *complaint;

			if (!text)
				continue;
			value = parse(text);
			complaint = schema_complaint(schema, value);
			if ((k < 4) != !complaint)
				fail_msg("%s and %s: %s", cases[i].schema, text,
					 complaint ? complaint : "no complaint");
			free(complaint);
			json_decref(value);
		}
		json_decref(schema);
	}
}

static void complaint_tells_where(void **state)
{
	json_t *schema = parse("{\"properties\":{\"a\":{\"items\":{\"required\":[\"b\"]}}}}");
	json_t *value = parse("{\"a\":[{\"b\":1},{}]}");
	char *complaint = schema_complaint(schema, value);

	(void)state;
	assert_non_null(complaint);
	assert_string_equal(complaint, "a.1: has no field b");
	free(complaint);
	json_decref(schema);
	json_decref(value);
}

/* Every keyword of our own schemas is known: one that is not would end the test. */
static void own_schemas(void **state)
{
	static const char *const names[] = {"mxprobe-1", "mxprobe-classify-1", "mxprobe-report-1"};
	json_t *empty = json_object();

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *complaint = schema_complaint(schema_read(names[i]), empty);

		assert_non_null(complaint);
		free(complaint);
	}
	json_decref(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keywords),
	    cmocka_unit_test(complaint_tells_where),
	    cmocka_unit_test(own_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

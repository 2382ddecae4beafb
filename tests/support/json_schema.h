/* A validator of JSON Schema, as much of it as the schemas in contrib/schema use:
 *
 *   type enum const required properties propertyNames additionalProperties items
 *   minimum maximum minItems maxLength pattern (ERE)
 *   allOf anyOf oneOf if/then/else $ref (into $defs of the same schema)
 *
 * A keyword outside of that fails the test: nothing of a schema is silently passed over. */
#ifndef SUPPORT_JSON_SCHEMA_H
#define SUPPORT_JSON_SCHEMA_H

#include <jansson.h>

/* NULL: the value fits. Else where and why not ("endpoints.0.port: ..."); caller frees. */
char *schema_complaint(const json_t *schema, const json_t *value);

/* Reads contrib/schema/NAME.schema.json; fails the test when that cannot be. Read once, kept till
 * the end of the program. */
const json_t *schema_read(const char *name);

/* Fails the test unless the document fits the schema that its field "schema" names: "mxprobe/1" is
 * contrib/schema/mxprobe-1.schema.json. */
void assert_fits_schema(const json_t *document);

#endif

/* The object of one target, schema mxprobe/1. */
#ifndef MXPROBE_JSON_H
#define MXPROBE_JSON_H

#include "base/buf.h"
#include "judge/result.h"

#include <stdbool.h>

/* What the body of a webhook has in addition. */
struct notice {
	const char *event; /* NULL is null */
	const char *id, *text;
};

/* Appends the object and a newline. `notice` NULL: none of its fields. */
void json_result(struct buf *out, const struct result *, bool explain, const struct notice *);

#endif

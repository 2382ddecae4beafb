/* The reader of log lines: what it finds lies inside the line, and the same line gives the same
 * answer after any other. The input is lines. */
#include "fuzz.h"

#include "judge/classify.h"
#include "judge/logline.h"
#include "judge/rules.h"

#include <stdbool.h>
#include <string.h>

const char fuzz_name[] = "logline";

static void inside(const char *part, size_t part_n, const char *line, size_t n)
{
	MUST(!part || (part >= line && part_n <= n && part + part_n <= line + n && part_n > 0));
}

static const struct rule *judge(struct logline *l, const char *line, size_t n)
{
	if (!logline_read(l, line, n))
		return NULL;
	inside(l->host, l->host_length, line, n);
	inside(l->address, l->address_length, line, n);
	MUST(l->seen.end != END_NONE);
	MUST(l->seen.end != END_REPLY || (l->seen.reply.code >= 200 && l->seen.reply.code < 600));
	return classify(&l->seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *at = (const char *)data, *end = at + n;
	struct logline used;

	logline_init(&used);
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at)), *stop = lf ? lf : end;
		struct logline fresh;

		logline_init(&fresh);
		MUST(judge(&used, at, (size_t)(stop - at)) ==
		     judge(&fresh, at, (size_t)(stop - at)));
		logline_fini(&fresh);
		at = stop + 1;
	}
	logline_fini(&used);
	return 0;
}

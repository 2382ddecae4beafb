/* A range of the plugin guidelines: it is read or complained of; what is written of it is read as
 * the same; its mirror alerts when it does. The input: one octet, then the text. */
#include "fuzz.h"

#include "report/range.h"

#include <string.h>

const char fuzz_name[] = "range";

/* Few digits, so that nothing is rounded. */
static bool is_short(const struct range_end *end)
{
	double scaled = end->value * 1000;

	return scaled > -1e12 && scaled < 1e12 && scaled == (double)(int64_t)scaled;
}

static void round_trip(const struct range *r, struct range *again)
{
	struct buf first = {0}, second = {0};

	range_format(&first, r);
	MUST(!range_parse(again, buf_str(&first), true));
	range_format(&second, again);
	MUST(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	buf_fini(&first);
	buf_fini(&second);
}

static void check(const struct range *r)
{
	struct buf text = {0};
	struct range again, mirror;

	range_format(&text, r);
	MUST(text.len > 0 && text.len < 64);
	buf_fini(&text);
	if (!is_short(&r->start) || !is_short(&r->end))
		return;
	round_trip(r, &again);
	mirror = range_mirror(r, 100, 100);
	for (int value = -1; value <= 101; value++) {
		MUST(range_alerts(r, value, 100) == range_alerts(&again, value, 100));
		/* Of 100 a share is as short as a number. */
		MUST(range_alerts(r, value, 100) == range_alerts(&mirror, 100 - value, 100));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct range r;
	char *text;
	const char *why;

	if (!n)
		return 0;
	text = xstrndup((const char *)data + 1, n - 1);
	why = range_parse(&r, text, data[0] & 1);
	if (why) {
		MUST(*why);
	} else {
		MUST((data[0] & 1) || (!r.start.share && !r.end.share));
		check(&r);
	}
	free(text);
	return 0;
}

/* The reply reader: octets in any pieces give the same replies, and each keeps its limits. */
#include "fuzz.h"

#include "smtp/reply.h"

#include <stdbool.h>
#include <string.h>

const char fuzz_name[] = "reply";

/* What came out of a whole conversation, folded into one number. */
struct digest {
	uint64_t sum;
	unsigned replies;
	enum reply_fault fault;
	unsigned pending; /* octets of a reply that is not whole */
};

static void fold(struct digest *d, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t i;

	for (i = 0; i < n; i++)
		d->sum = (d->sum ^ p[i]) * UINT64_C(1099511628211);
}

static struct digest feed(const uint8_t *data, size_t n, size_t piece)
{
	struct digest d = {0};
	struct reply_reader reader;
	size_t at = 0;

	reply_init(&reader);
	while (at < n) {
		size_t used, give = n - at < piece ? n - at : piece;
		int result = reply_feed(&reader, (const char *)data + at, give, &used);
		char enhanced[ENHANCED_STRLEN];
		const char *line;
		size_t length;
		unsigned i;

		MUST(used <= give);
		at += used;
		if (result < 0) {
			MUST(reader.fault != REPLY_GOOD);
			break;
		}
		if (result == 0) {
			MUST(used == give);
			continue;
		}
		MUST(reader.reply.code >= 200 && reader.reply.code <= 599);
		MUST(reader.reply.lines >= 1 && reader.reply.lines <= REPLY_LINES_MAX);
		MUST(reader.reply.text.len <= REPLY_OCTETS_MAX);
		fold(&d, &reader.reply.code, sizeof reader.reply.code);
		for (i = 0; reply_line(&reader.reply, i, &line, &length); i++) {
			MUST(length <= REPLY_LINE_MAX);
			MUST(enhanced_length(line, length) <= length);
			fold(&d, line, length);
			fold(&d, "\n", 1);
		}
		MUST(i == reader.reply.lines);
		if (reply_enhanced(&reader.reply, enhanced))
			MUST(strlen(enhanced) >= 5);
		else
			MUST(!*enhanced);
		d.replies++;
	}
	d.fault = reader.fault;
	d.pending = reader.fault == REPLY_GOOD ? reader.octets : 0;
	reply_reader_fini(&reader);
	return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct digest whole = feed(data, n, n + 1), single = feed(data, n, 1),
		      some = feed(data, n, 1 + n % 7);

	MUST(whole.sum == single.sum && whole.sum == some.sum);
	MUST(whole.replies == single.replies && whole.replies == some.replies);
	MUST(whole.fault == single.fault && whole.fault == some.fault);
	MUST(whole.pending == single.pending && whole.pending == some.pending);
	return 0;
}

/* The rules and the dictionary: any observation has one row, and always the same. The input is the
 * end, the phase, the notes, two octets of reply code, and the text of the reply. */
#include "fuzz.h"

#include "judge/advice.h"
#include "judge/classify.h"
#include "judge/rules.h"

#include <string.h>

const char fuzz_name[] = "classify";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct observation seen;
	const struct rule *rule;
	size_t i;

	if (n < 5)
		return 0;
	observation_init(&seen);
	/* Most of the work is in replies. */
	seen.end = data[0] < 0x80 ? END_REPLY : (enum end)(data[0] % ENDS);
	seen.phase = (enum phase)(data[1] % PHASES);
	seen.notes = data[2] % 64;
	seen.reply.code = (data[3] << 8 | data[4]) % 1000;
	seen.reply.lines = 1;
	buf_add(&seen.reply.text, data + 5, n - 5);
	for (i = 5; i < n; i++)
		seen.reply.lines += data[i] == '\n';

	rule = classify(&seen);
	MUST(rule >= rules && rule < rules + n_rules);
	MUST(rule == classify(&seen));
	MUST(class_name(rule->class) && reason_name(rule->reason));
	MUST(*advice_text(rule->class, rule->reason));
	if (seen.end == END_REPLY) {
		/* The first digit decides the family. */
		int family = seen.reply.code / 100;

		MUST((rule->class == CLASS_HEALTHY) == (family == 2));
		MUST((rule->class == CLASS_REJECTED) == (family == 5));
		MUST((rule->class == CLASS_EXHAUSTED || rule->class == CLASS_DEFERRED) ==
		     (family == 4));
	}
	observation_fini(&seen);
	return 0;
}

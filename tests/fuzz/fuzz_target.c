/* A target as somebody wrote it: it is read or complained of, and what is read is fit for the DNS.
 */
#include "fuzz.h"

#include "base/text.h"
#include "dns/mx.h"
#include "run/target.h"

#include <string.h>

const char fuzz_name[] = "target";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct target t;
	char *error = target_parse(&t, (const char *)data, n, 25);
	size_t kept = target_text_length((const char *)data, n);

	MUST(kept <= n && kept <= (size_t)4 * TARGET_TEXT_MAX);
	if (error) {
		uint32_t cp;
		size_t len, left = strlen(error);

		MUST(!t.domain);
		/* It can be shown to anybody. */
		for (const char *p = error; left; p += len, left -= len) {
			len = utf8_decode(p, left, &cp);
			MUST(len && cp >= ' ' && (cp < 0x7f || cp > 0x9f));
		}
		free(error);
		return 0;
	}
	MUST(t.domain && t.port);
	if (t.kind == TARGET_LITERAL) {
		MUST(t.addr.family && t.addr.port == t.port);
	} else {
		struct target again;

		MUST(is_host_name(t.domain));
		for (const char *c = t.domain; *c; c++)
			MUST(*c < 'A' || *c > 'Z');
		/* What was read is read again as the same. */
		error = target_parse(&again, t.domain, strlen(t.domain), 25);
		MUST(!error && again.kind == TARGET_DOMAIN && !strcmp(again.domain, t.domain));
		target_fini(&again);
	}
	target_fini(&t);
	return 0;
}

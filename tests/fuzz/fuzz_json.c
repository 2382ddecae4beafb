/* JSON of any result: one line, valid by another reader's judgement, and no octet in it that a
 * terminal or a reader of lines would take for its own. The input: two octets of configuration,
 * then what made_result() reads. */
#include "fuzz.h"

#include "base/text.h"
#include "made.h"
#include "report/report.h"

#include <jansson.h>
#include <string.h>

const char fuzz_name[] = "json";

/* Neither controls nor what turns the direction of writing. */
static void check_octets(const char *s, size_t n)
{
	while (n) {
		uint32_t cp;
		size_t len = utf8_decode(s, n, &cp);

		MUST(len && cp >= 0x20 && (cp < 0x7F || cp >= 0xA0));
		MUST((cp < 0x200E || cp > 0x200F) && (cp < 0x2028 || cp > 0x202E));
		MUST((cp < 0x2066 || cp > 0x2069) && cp != 0x061C && cp != 0xFEFF);
		s += len;
		n -= len;
	}
}

static void check(const struct buf *out)
{
	json_error_t error;
	json_t *json;

	MUST(out->len > 2 && out->data[0] == '{');
	MUST(out->data[out->len - 2] == '}' && out->data[out->len - 1] == '\n');
	check_octets(out->data, out->len - 1);
	json = json_loadb(out->data, out->len - 1, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	MUST(json);
	MUST(!strcmp(json_string_value(json_object_get(json, "schema")), "mxprobe/1"));
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct octets o = {data, n};
	struct report_conf conf = {.explain = made_number(&o, 2)};
	struct result *r = made_result(&o);
	struct report first, second;

	report_begin(&first, &report_json, &conf);
	report_target(&first, r);
	report_end(&first);
	check(&first.out);
	/* What was kept of a contact that others share says the same again. */
	report_begin(&second, &report_json, &conf);
	report_target(&second, r);
	report_end(&second);
	MUST(first.out.len == second.out.len);
	MUST(memcmp(first.out.data, second.out.data, first.out.len) == 0);
	report_fini(&first);
	report_fini(&second);
	made_free(r);
	return 0;
}

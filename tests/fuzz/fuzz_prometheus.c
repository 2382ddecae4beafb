/* The text exposition, whatever servers and resolvers said: families whole and once, HELP and TYPE
 * before their samples, label values escaped, no series twice. The input: two octets of
 * configuration, then what made_result() reads. */
#include "fuzz.h"

#include "base/map.h"
#include "made.h"
#include "report/prometheus.h"

#include <string.h>

const char fuzz_name[] = "prometheus";

static size_t name_length(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz_");

	MUST(n);
	return n;
}

/* From '{' to behind '}'. */
static const char *pass_labels(const char *p)
{
	do {
		p++;
		p += name_length(p);
		MUST(p[0] == '=' && p[1] == '"');
		for (p += 2; *p != '"'; p++) {
			MUST(*p && *p != '\n');
			if (*p == '\\') {
				p++;
				MUST(*p == '\\' || *p == '"');
			}
		}
		p++;
	} while (*p == ',');
	MUST(*p == '}');
	return p + 1;
}

static void check(const char *text)
{
	struct map series = {0}, families = {0};
	const char *family = NULL;
	size_t family_n = 0;

	while (*text) {
		const char *end = strchr(text, '\n'), *p;
		size_t n;

		MUST(end);
		if (strncmp(text, "# HELP ", 7) == 0) {
			family = text + 7;
			family_n = name_length(family);
			MUST(!map_put(&families, family, family_n, &families));
			text = end + 1;
			end = strchr(text, '\n');
			MUST(end && strncmp(text, "# TYPE ", 7) == 0);
			MUST(strncmp(text + 7, family, family_n) == 0);
			MUST(strncmp(text + 7 + family_n, " gauge\n", 7) == 0);
			text = end + 1; /* and at least one sample */
			end = strchr(text, '\n');
			MUST(end);
		}
		n = name_length(text);
		MUST(family && n == family_n && memcmp(text, family, n) == 0);
		p = text + n;
		if (*p == '{')
			p = pass_labels(p);
		MUST(!map_put(&series, text, (size_t)(p - text), &series));
		MUST(*p++ == ' ');
		p += *p == '-';
		MUST(p < end && strspn(p, "0123456789.") == (size_t)(end - p));
		text = end + 1;
	}
	map_fini(&series);
	map_fini(&families);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct octets o = {data, n};
	struct report_conf conf = {.addresses = made_number(&o, 2)};
	unsigned targets = 1 + made_number(&o, 4);
	struct report report;

	report_begin(&report, &report_prometheus, &conf);
	for (; targets; targets--) {
		struct result *r = made_result(&o);

		report_target(&report, r);
		made_free(r);
	}
	report_end(&report);
	must_be_safe(report.out.data, report.out.len, 1);
	check(buf_str(&report.out));
	report_fini(&report);
	return 0;
}

/* Plugin mode, whatever servers and resolvers said: one line, its perfdata, then lines that belong
 * to it; less than 8 KiB; nothing in it that a monitoring system, a shell or a web page would take
 * for its own. The input: five octets of configuration, then what made_result() reads. */
#include "fuzz.h"

#include "base/text.h"
#include "made.h"
#include "report/plugin.h"

#include <stdio.h>
#include <string.h>

const char fuzz_name[] = "plugin";

/* The guidelines' 'label'=value[UOM];[warn];[crit];[min];[max]. */
static void check_perfdata(const char *p, const char *end)
{
	while (p < end) {
		MUST(*p++ == ' ');
		MUST(strspn(p, "abcdefghijklmnopqrstuvwxyz_") > 0);
		p += strspn(p, "abcdefghijklmnopqrstuvwxyz_");
		MUST(*p++ == '=');
		MUST(*p == 'U' || strspn(p, "-0123456789.") > 0);
		p += *p == 'U' ? 1 : strspn(p, "-0123456789.");
		p += *p == 's';
		for (int i = 0; i < 4 && *p == ';'; i++)
			p += 1 + strspn(p + 1, "@~:-0123456789.");
		MUST(*p == ' ' || *p == '\n');
	}
}

static void check(const char *text, size_t n, int state)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	const char *bar = strchr(text, '|'), *end = strchr(text, '\n');
	char start[64];

	MUST(state >= 0 && state <= 3);
	MUST(n < 8192 && strlen(text) == n && text[n - 1] == '\n');
	(void)snprintf(start, sizeof start, "MXPROBE %s - ", words[state]);
	MUST(strncmp(text, start, strlen(start)) == 0);
	must_be_safe(text, n, 1);
	MUST(!strpbrk(text, "<>&\"'`$\\"));
	MUST(bar && bar < end && !strchr(bar + 1, '|'));
	check_perfdata(bar + 1, end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const texts[] = {NULL,  "0",   "3",   "@1:2",   "50%",
					    "~:7", "10:", "0.5", "20%:80%"};
	struct octets o = {data, n};
	struct range ranges[4];
	const struct range *set[4] = {NULL};
	int days[2] = {14, 7};
	unsigned shape = made_number(&o, 256), targets = 1 + made_number(&o, 4);
	struct plugin_conf limits;
	struct report_conf conf = {.plugin = &limits, .verbose = shape & 1};
	struct report report;

	for (unsigned i = 0; i < 4; i++) {
		const char *text = texts[made_number(&o, ARRAY_LEN(texts))];

		if (text && !range_parse(&ranges[i], text, i < 2))
			set[i] = &ranges[i];
	}
	limits = (struct plugin_conf){set[0],
				      set[1],
				      set[2],
				      set[3],
				      shape & 2 ? &days[0] : NULL,
				      shape & 4 ? &days[1] : NULL};
	report_begin(&report, &report_plugin, &conf);
	for (; targets; targets--) {
		struct result *r = made_result(&o);

		report_target(&report, r);
		made_free(r);
	}
	if (shape & 8)
		report.failed = "the history could not be written";
	report_end(&report);
	check(buf_str(&report.out), report.out.len, plugin_exit(&report));
	report_fini(&report);
	return 0;
}

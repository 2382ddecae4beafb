#include "report/trend_words.h"

#include "base/text.h"
#include "report/words.h"

#include <string.h>
#include <time.h>

void trend_moment(struct buf *out, int64_t unix_ms)
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		buf_printf(out, "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
			   tm.tm_mday, tm.tm_hour, tm.tm_min);
	else
		buf_addc(out, '-');
}

/* One decimal, below ten and where it says something. */
static void add_amount(struct buf *out, int64_t ms, int64_t unit, const char *name)
{
	int64_t tenths = (ms * 10 + unit / 2) / unit;

	if (tenths < 100 && tenths % 10)
		buf_printf(out, "%d.%d %s", (int)(tenths / 10), (int)(tenths % 10), name);
	else
		buf_printf(out, "%lld %s", (long long)((tenths + 5) / 10), name);
}

void trend_duration(struct buf *out, int64_t ms)
{
	if (ms < 99500)
		add_amount(out, ms / 1000 * 1000, 1000, "s");
	else if (ms < 99 * 60000LL)
		add_amount(out, ms, 60000, "min");
	else if (ms < 72 * 3600000LL)
		add_amount(out, ms, 3600000, "h");
	else
		add_amount(out, ms, 86400000, "d");
}

void trend_reply_words(struct buf *out, const struct trend_reply *r)
{
	struct buf whole = {0};

	if (r->code)
		buf_printf(&whole, "%d", r->code);
	if (r->enhanced)
		buf_printf(&whole, " %s", r->enhanced);
	if (r->text) {
		if (whole.len)
			buf_addc(&whole, ' ');
		for (const char *p = r->text; *p; p++)
			buf_addc(&whole, *p == '\n' ? ' ' : *p);
	}
	if (whole.len)
		text_safe(out, whole.data, whole.len);
	buf_fini(&whole);
}

void trend_state(struct buf *out, const struct trend *t)
{
	const char *name;

	if (!t->runs)
		return;
	name = verdict_name(t->verdict);
	buf_addc(out, (char)(*name - 'a' + 'A'));
	buf_addstr(out, name + 1);
	if (t->since_ms >= 0) {
		buf_addstr(out, " since ");
		trend_moment(out, t->since_ms);
	}
	buf_addc(out, '.');
}

void trend_verdicts(struct buf *out, const struct trend *t)
{
	const char *separator = "";

	for (int i = 0; i < VERDICTS; i++) {
		if (!t->verdicts[i])
			continue;
		buf_addstr(out, separator);
		words_percent(out, (double)t->verdicts[i] / t->runs);
		buf_printf(out, " %s", verdict_name((enum verdict)i));
		separator = ", ";
	}
}

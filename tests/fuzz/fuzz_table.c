/* The table of any result on any screen: no line is wider than that, none is broken, no octet in it
 * steers the terminal but the colours that were asked for, and they say nothing that the words do
 * not. The input: four octets of configuration, then what made_result() reads. */
#include "fuzz.h"

#include "base/text.h"
#include "made.h"
#include "report/table.h"

#include <string.h>

const char fuzz_name[] = "table";

/* Without the colours. */
static void strip(struct buf *plain, const struct buf *colored)
{
	for (uint32_t i = 0; i < colored->len; i++) {
		if (colored->data[i] != '\033') {
			buf_addc(plain, colored->data[i]);
			continue;
		}
		MUST(++i < colored->len && colored->data[i] == '[');
		do
			MUST(++i < colored->len);
		while (colored->data[i] >= '0' && colored->data[i] <= '9');
		MUST(colored->data[i] == 'm');
	}
}

static size_t check(const struct buf *out, unsigned width)
{
	const char *at = out->data, *end = at + out->len;
	size_t lines = 0;

	MUST(out->len && end[-1] == '\n');
	must_be_safe(out->data, out->len, 1);
	for (; at < end; lines++) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (width)
			MUST(text_columns(at, (size_t)(lf - at)) <= width);
		at = lf + 1;
	}
	return lines;
}

static void finished(const struct result *r, struct report_conf conf)
{
	struct buf colored = {0}, stripped = {0}, plain = {0};

	conf.color = false;
	table_target(&plain, r, &conf, USEC_NONE);
	(void)check(&plain, conf.width);
	conf.color = true;
	table_target(&colored, r, &conf, USEC_NONE);
	strip(&stripped, &colored);
	MUST(plain.len == stripped.len && memcmp(plain.data, stripped.data, plain.len) == 0);
	buf_fini(&colored);
	buf_fini(&stripped);
	buf_fini(&plain);
}

/* While it runs, in a window of so many lines. */
static void live(const struct result *r, const struct report_conf *conf, size_t lines)
{
	struct buf out = {0};
	size_t said = table_live(&out, r, conf, 90 * USEC_PER_SEC, lines);

	MUST(said <= lines || said == 1);
	MUST(check(&out, conf->width) == said);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct octets o = {data, n};
	unsigned width = made_number(&o, 256), how = made_number(&o, 256);
	size_t lines = 1 + made_number(&o, 30), running = made_number(&o, 3);
	struct report_conf conf = {.width = width < 20 ? 0 : width, .explain = how & 1};
	struct result *r = made_result(&o);

	finished(r, conf);
	for (size_t i = 0; i < r->n_endpoints; i++) {
		struct contact *c = (struct contact *)(uintptr_t)r->endpoints[i].contact;

		c->state = (enum contact_state)((i + running) % 3);
		c->live_phase = (enum phase)((how + i) % PHASES);
		c->live_since = (usec_t)(how + i) * USEC_PER_SEC;
	}
	live(r, &conf, lines);
	made_free(r);
	return 0;
}

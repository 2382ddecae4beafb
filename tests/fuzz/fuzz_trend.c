/* A history of any runs with any words, and the reports on it: text that keeps to the screen, JSON
 * that another reader takes, HTML whose tags are all ours. The input: four octets of configuration,
 * then endpoints, runs with their outcomes, and replies. */
#include "fuzz.h"

#include "base/text.h"
#include "history/gather.h"
#include "made.h"
#include "report/trend.h"

#include <jansson.h>
#include <string.h>

const char fuzz_name[] = "trend";

enum { ENDPOINTS = 6, MINUTE = 60000 };

static const int64_t start = 1795278717181;

static struct timing made_timing(struct octets *o)
{
	usec_t t = (usec_t)(made_word(o) & 0xfffffff);

	return (struct timing){t, USEC_NONE, t / 2, t / 3, USEC_NONE, t, t / 7, t * 3};
}

static struct trend *made_trend(struct octets *o, size_t slices, int64_t span)
{
	struct gather *g = gather_new(start, start + span, slices, made_number(o, 2));
	unsigned endpoints = 1 + made_number(o, ENDPOINTS), runs = made_number(o, 64);
	int64_t at = start;
	struct trend *t;

	for (unsigned i = 0; i < endpoints; i++) {
		char *host = made_text(o), *address = made_text(o);

		gather_endpoint(g, i, host, i & 1 ? address : NULL, (uint16_t)made_number(o, 256));
		free(host);
		free(address);
	}
	for (; runs && o->n; runs--) {
		at += (int64_t)made_number(o, 256) * span / 4096;
		gather_run(g, at < start + span ? at : start + span - 1,
			   (enum verdict)made_number(o, VERDICTS),
			   (double)made_number(o, 256) / 255 - (made_number(o, 8) == 0) * 2);
		for (unsigned i = made_number(o, endpoints + 1); i; i--) {
			struct timing timing = made_timing(o);

			gather_outcome(g, i - 1, (enum class)made_number(o, CLASSES),
				       (enum reason)made_number(o, REASONS), made_number(o, 12),
				       &timing);
		}
	}
	for (size_t i = 0; gather_reply(g, i) >= 0; i++) {
		char *text = made_text(o);

		if (gather_reply(g, i) > 0)
			gather_reply_text(g, i, (int)made_number(o, 256) * 2, i & 1 ? "4.3.1" : "",
					  text);
		free(text);
	}
	t = gather_end(g);
	t->target = made_text(o);
	return t;
}

static void check_text(const struct trend *t, unsigned width)
{
	struct report_conf conf = {.width = width};
	struct buf out = {0};
	const char *at, *end;

	trend_text(&out, t, &conf);
	MUST(out.len && out.data[out.len - 1] == '\n');
	must_be_safe(out.data, out.len, 1);
	end = out.data + out.len;
	for (at = out.data; at < end;) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		MUST(!width || text_columns(at, (size_t)(lf - at)) <= width);
		at = lf + 1;
	}
	buf_fini(&out);
}

static void check_json(const struct trend *t)
{
	struct buf out = {0};
	json_error_t error;
	json_t *json;

	trend_json(&out, t);
	MUST(out.len > 2 && memchr(out.data, '\n', out.len) == out.data + out.len - 1);
	json = json_loadb(out.data, out.len - 1, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	MUST(json && json_is_object(json));
	json_decref(json);
	buf_fini(&out);
}

/* Behind a tag that begins at s: its attributes are quoted and hold nothing that could end them. */
static const char *pass_tag(const char *s)
{
	s++;
	s += *s == '/' || *s == '!';
	MUST((*s >= 'a' && *s <= 'z') || strncmp(s, "DOCTYPE ", 8) == 0);
	while (*s != '>') {
		MUST(*s && *s != '<');
		if (*s == '"') {
			s = strchr(s + 1, '"');
			MUST(s);
		}
		s++;
	}
	return s + 1;
}

static void check_html(const struct trend *t)
{
	struct buf out = {0};
	long depth = 0;

	trend_html_begin(&out, t->target);
	trend_html(&out, t);
	trend_html(&out, t);
	trend_html_end(&out);
	must_be_safe(out.data, out.len, 1);
	for (const char *s = buf_str(&out); (s = strchr(s, '<'));) {
		MUST(strncmp(s, "<script", 7) != 0);
		if (s[1] == '/')
			depth--;
		else if (strncmp(s, "<meta", 5) != 0 && s[1] != '!')
			depth++;
		MUST(depth >= 0);
		s = strncmp(s, "<style", 6) == 0 ? strstr(s, "</style>") : pass_tag(s);
		MUST(s);
	}
	MUST(depth == 0);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct octets o = {data, n};
	unsigned width = made_number(&o, 256), what = made_number(&o, 3);
	int64_t span = (int64_t)MINUTE << made_number(&o, 20);
	size_t slices;
	struct trend *t;

	width = width < 20 ? 0 : width;
	slices = what == 2 ? 1 + made_number(&o, 200) : trend_text_slices(width);
	t = made_trend(&o, slices, span);
	if (what == 0)
		check_text(t, width);
	else if (what == 1)
		check_json(t);
	else
		check_html(t);
	trend_free(t);
	return 0;
}

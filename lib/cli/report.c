#include "cli/report.h"

#include "cli/command.h"
#include "cli/confine.h"
#include "history/history.h"
#include "report/output.h"
#include "report/report.h"
#include "report/trend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_UNKNOWN = 3 };

struct job {
	const struct options *options;
	struct history *history;
	struct report_conf conf;
	struct output *output;
	struct buf out;
	int64_t from_ms, to_ms;
	unsigned done;
	bool failed;
};

static void put(struct job *j)
{
	output_write(j->output, j->out.data, j->out.len);
	buf_clear(&j->out);
}

static void complain(struct job *j, char *error)
{
	command_complain("%s", error);
	free(error);
	j->failed = true;
}

/* `text`: what to call it. */
static void report_on(struct job *j, const char *name, const char *text, size_t n)
{
	bool html = j->options->format == FORMAT_HTML;
	const struct trend_query query = {
	    .name = name,
	    .from_ms = j->from_ms,
	    .to_ms = j->to_ms,
	    .slices = html ? TREND_HTML_SLICES : trend_text_slices(j->conf.width),
	    .phases = html,
	};
	char *error = NULL;
	struct trend *t = history_trend(j->history, &query, &error);

	if (!t) {
		complain(j, error);
		return;
	}
	free(t->target);
	t->target = xstrndup(text, n);
	if (html) {
		trend_html(&j->out, t);
	} else if (j->options->format == FORMAT_JSON) {
		trend_json(&j->out, t);
	} else {
		if (j->done)
			buf_addc(&j->out, '\n');
		trend_text(&j->out, t, &j->conf);
	}
	j->done++;
	trend_free(t);
	put(j);
}

static void report_text(struct job *j, const char *text, size_t n)
{
	char *name = history_name(text, n, j->options->port);

	if (!name) {
		/* A bad line of an --input is known by itself. */
		name = xstrndup(text, n);
	}
	report_on(j, name, text, n);
	free(name);
}

/* One target a line, as --input has them for a probe. */
static void report_lines(struct job *j)
{
	const char *path = j->options->input;
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!f) {
		complain(j, xasprintf("--input: '%s': %s", path, strerror(errno)));
		return;
	}
	errno = 0;
	while ((n = getline(&line, &cap, f)) >= 0) {
		char *s = line;

		if (n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0) {
			s += 3;
			n -= 3;
		}
		while (n && strchr(" \t\r\n", s[n - 1]))
			n--;
		while (n && strchr(" \t", *s)) {
			s++;
			n--;
		}
		if (n && *s != '#')
			report_text(j, s, (size_t)n);
	}
	if (ferror(f))
		complain(j, xasprintf("--input: '%s': %s", path, strerror(errno)));
	free(line);
	if (f != stdin)
		(void)fclose(f); /* was only read */
}

static void report_all(struct job *j)
{
	char *error = NULL, **names;
	size_t n;

	names = history_targets(j->history, &n, &error);
	if (error)
		complain(j, error);
	for (size_t i = 0; i < n; i++) {
		report_on(j, names[i], names[i], strlen(names[i]));
		free(names[i]);
	}
	free(names);
}

static void report_each(struct job *j)
{
	const struct options *o = j->options;

	for (size_t i = 0; i < o->n_targets; i++)
		report_text(j, o->targets[i], strlen(o->targets[i]));
	if (o->input)
		report_lines(j);
	else if (!o->n_targets)
		report_all(j);
}

int command_report(const struct options *o)
{
	struct job j = {.options = o, .failed = false};
	struct timespec now;
	char *error = NULL;

	j.history = history_open_read(o->history, &error);
	if (!j.history) {
		complain(&j, error);
		return EXIT_UNKNOWN;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	j.to_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	j.from_ms = j.to_ms - o->report_ms;
	command_screen(o, &j.conf);
	j.output = output_open(o->output, &error);
	if (!j.output) {
		complain(&j, error);
	} else {
		confine(o, j.output, NULL, NULL);
		if (o->format == FORMAT_HTML)
			trend_html_begin(&j.out,
					 o->n_targets == 1 ? o->targets[0] : "mail servers");
		report_each(&j);
		if (o->format == FORMAT_HTML)
			trend_html_end(&j.out);
		put(&j);
		if (!output_close(j.output, true, &error))
			complain(&j, error);
	}
	if (!history_close(j.history, 0, &error)) {
		/* What went wrong was said when it did. */
		free(error);
		j.failed = true;
	}
	buf_fini(&j.out);
	return j.failed ? EXIT_UNKNOWN : 0;
}

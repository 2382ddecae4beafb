#include "cli/command.h"

#include "base/claim.h"
#include "base/text.h"
#include "cli/canvas.h"
#include "cli/classify.h"
#include "cli/confine.h"
#include "cli/keyboard.h"
#include "cli/notify.h"
#include "cli/progress.h"
#include "cli/rounds.h"
#include "cli/setup.h"
#include "cli/tally.h"
#include "history/history.h"
#include "judge/verdict.h"
#include "net/tls.h"
#include "report/output.h"
#include "report/plugin.h"
#include "report/report.h"
#include "run/input.h"
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_UNKNOWN = 3 };

/* What is not delivered when the time is up gets so much more. */
#define DELIVERY_GRACE (2 * USEC_PER_SEC)

struct command {
	const struct options *options;
	struct loop *loop;
	struct run *run;
	struct input *input;
	int input_fd;
	size_t next_target; /* of those on the command line */
	bool closed;
	struct report report;
	struct output *output;
	struct progress *progress; /* NULL: nobody watches */
	struct tally *tally;       /* of a long list; NULL: not shown */
	struct rounds *rounds;     /* --watch; NULL: one run is all */
	size_t added, finished;    /* targets of this run, the control target among them */
	struct history *history;   /* NULL: none is kept, or it could not be opened */
	struct notify *notify;     /* NULL: no webhook */
	usec_t deadline;           /* on the loop's clock; USEC_NEVER */
	struct loop_signal *signals[2];
	struct timer start; /* after --jitter */
	char *helo;
	struct run_conf conf; /* of each round */
	bool confined;
	int exit;
	int last_exit;            /* of the last complete round; -1: there was none */
	bool deaf;                /* standard error has failed */
	bool delivering;          /* the run is over, and all is told but to the webhook */
	bool interrupted, failed; /* failed: the exit code is 3 whatever the verdicts say */
	bool lost;                /* output was, at the end of it all */
};

void command_complain(const char *fmt, ...)
{
	va_list ap;

	fputs("mxprobe: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void command_fail(enum format format, const char *fmt, ...)
{
	struct buf line = {0};
	char why[1024]; /* what is cut off would not fit a line, either */
	va_list ap;
	int err;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	command_complain("%s", why);
	if (format == FORMAT_PLUGIN) {
		plugin_unknown(&line, why);
		err = output_all(STDOUT_FILENO, line.data, line.len);
		if (err)
			command_complain("standard output: %s", strerror(err));
	}
	buf_fini(&line);
}

/* So that somebody else may write to the terminal. */
static void clear_screen(struct command *c)
{
	if (c->progress)
		progress_clear(c->progress);
	if (c->rounds)
		rounds_clear(c->rounds);
	tally_clear(c->tally);
}

/* Targets in */

static void add_target(struct command *c, const char *text, size_t n)
{
	run_add(c->run, text, n);
	tally_begun(c->tally);
	c->added++;
}

/* Nothing of a round is left but to say goodbye. */
static void see_idle(struct command *c)
{
	if (c->rounds && c->closed && c->finished == c->added)
		rounds_idle(c->rounds);
}

static void close_run(struct command *c)
{
	if (!c->closed)
		run_close(c->run);
	c->closed = true;
	see_idle(c);
}

/* Hands targets on as long as the run takes them. */
static void feed(void *arg)
{
	struct command *c = arg;

	while (c->next_target < c->options->n_targets && !run_is_full(c->run)) {
		const char *text = c->options->targets[c->next_target++];

		add_target(c, text, strlen(text));
	}
	if (c->next_target < c->options->n_targets)
		return;
	if (c->input)
		input_resume(c->input);
	else
		close_run(c);
}

static void on_line(void *arg, const char *text, size_t n)
{
	struct command *c = arg;

	add_target(c, text, n);
	if (run_is_full(c->run))
		input_pause(c->input);
}

static void on_input_end(void *arg, int err)
{
	struct command *c = arg;

	if (err) {
		clear_screen(c);
		command_complain("--input: '%s': %s", c->options->input, strerror(err));
		c->report.failed = "not all of the input could be read";
		c->failed = true;
	}
	close_run(c);
}

/* Nothing new is begun; every target still gets its result. */
static void stop(struct command *c, enum end why)
{
	timer_at(&c->start, USEC_NEVER);
	run_stop(c->run, why);
	while (c->next_target < c->options->n_targets) {
		const char *text = c->options->targets[c->next_target++];

		add_target(c, text, strlen(text));
	}
	if (c->input)
		input_drain(c->input);
	close_run(c);
}

/* Ends the run, and the rounds. */
static void quit(void *arg)
{
	struct command *c = arg;

	if (c->interrupted)
		return;
	if (c->delivering) {
		notify_give_up(c->notify);
		return;
	}
	c->interrupted = true;
	if (c->rounds)
		rounds_stop(c->rounds);
	if (c->run)
		stop(c, END_INTERRUPTED);
}

static void on_signal(void *arg)
{
	struct command *c = arg;

	if (c->interrupted) {
		keyboard_restore();
		_exit(EXIT_UNKNOWN);
	}
	quit(c);
}

/* A first signal is the loop's. It may be a while before that turns again (where nobody reads our
 * output, writing waits), so the second is not left to it. */
static void (*tell_loop)(int signum);
static volatile sig_atomic_t signals_got;

static void on_any_signal(int signum)
{
	if (signals_got) {
		keyboard_restore();
		_exit(EXIT_UNKNOWN);
	}
	signals_got = 1;
	tell_loop(signum);
}

static void watch_signals(struct command *c)
{
	static const int signums[] = {SIGINT, SIGTERM};
	struct sigaction action;

	signals_got = 0;
	for (size_t i = 0; i < ARRAY_LEN(signums); i++) {
		c->signals[i] = loop_signal_new(c->loop, signums[i], on_signal, c);
		(void)sigaction(signums[i], NULL, &action); /* both signals can be handled */
		if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)
			continue; /* the loop has another way to know */
		tell_loop = action.sa_handler;
		action.sa_handler = on_any_signal;
		(void)sigaction(signums[i], &action, NULL);
	}
}

/* Results out */

static void put(struct command *c)
{
	if (c->output)
		output_write(c->output, c->report.out.data, c->report.out.len);
	buf_clear(&c->report.out);
	if (!c->output || !output_failed(c->output))
		return;
	/* Nobody reads on: there is no point in asking more servers. The file of the next round may
	 * be written again. */
	if (!c->rounds && !run_stopped(c->run))
		stop(c, END_INTERRUPTED);
	else if (c->rounds && !output_is_file(c->output))
		quit(c);
}

/* Results are shown by the rounds themselves, not by a report of each. */
static bool on_board(const struct command *c)
{
	const struct options *o = c->options;

	return c->rounds && o->format == FORMAT_TABLE && !o->output && !o->quiet;
}

static void on_planned(void *arg, const struct result *result)
{
	struct command *c = arg;

	if (c->progress)
		progress_planned(c->progress, result);
	else if (on_board(c))
		rounds_planned(c->rounds, result);
}

static void remember(struct command *c, struct result *result)
{
	static const struct past nothing = {.previous_verdict = -1, .since_ms = -1};

	if (c->history)
		result->past = history_add(c->history, result, c->options->confirm);
	else if (c->options->history)
		result->past = &nothing;
}

/* A round that was ended in the middle tells nothing, where a whole one has told all. */
static bool is_cut_short(const struct command *c)
{
	return c->rounds && c->interrupted && c->last_exit >= 0;
}

static void on_finished(void *arg, struct result *result)
{
	struct command *c = arg;

	/* A deadline stops the run by itself; what was not read yet follows. */
	if (run_stopped(c->run) && !c->closed)
		stop(c, run_stopped(c->run));
	c->finished++;
	if (is_cut_short(c)) {
		see_idle(c);
		return;
	}
	if (result->index >= 0)
		c->exit = exit_worst(c->exit, verdict_exit(result->verdict));
	remember(c, result);
	if (c->progress) {
		progress_finished(c->progress, result);
	} else if (on_board(c)) {
		rounds_finished(c->rounds, result, &c->report.out);
		put(c);
	} else if (c->options->format != FORMAT_TABLE || !c->options->quiet) {
		report_target(&c->report, result);
		put(c);
	}
	notify_result(c->notify, result);
	if (result->index >= 0 && c->tally)
		tally_done(c->tally, loop_now(c->loop), input_taken(c->input));
	see_idle(c);
}

/* Shows one line on standard error; one that nobody reads is no fault. */
static void say(struct command *c, struct buf *line)
{
	clear_screen(c);
	buf_addc(line, '\n');
	if (output_all(STDERR_FILENO, line->data, line->len) != 0)
		c->deaf = true;
	buf_fini(line);
}

static void on_trace(void *arg, const struct session_trace *t)
{
	struct command *c = arg;
	struct buf line = {0};
	char address[ADDR_STRLEN];

	if (c->deaf)
		return;
	buf_printf(&line, "%s[%s]:%u %8.3f %c ", t->host ? t->host : "",
		   addr_format(t->addr, address), t->addr->port,
		   (double)t->at / (double)USEC_PER_SEC, t->mark);
	text_safe(&line, t->text, t->n);
	say(c, &line);
}

static void on_dns_trace(void *arg, const char *text)
{
	struct command *c = arg;
	struct buf line = {0};

	if (c->deaf)
		return;
	buf_addstr(&line, "dns ");
	text_safe(&line, text, strlen(text));
	say(c, &line);
}

static void on_confined(void *arg, const char *text)
{
	struct buf line = {0};

	buf_addstr(&line, text);
	say(arg, &line);
}

static void on_webhook_trace(void *arg, const char *text)
{
	struct command *c = arg;
	struct buf line = {0};

	if (c->deaf)
		return;
	buf_addstr(&line, text);
	say(c, &line);
}

/* Files */

/* -1: it cannot be opened, which was said. */
static int open_input(const struct options *o, const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		command_fail(o->format, "--input: '%s': %s", path, strerror(errno));
	return fd;
}

static void close_input(int fd)
{
	if (fd > STDIN_FILENO)
		(void)close(fd); /* it was only read */
}

static struct output *open_output(const struct options *o)
{
	char *error = NULL;
	struct output *out = output_open(o->output, &error);

	if (!out)
		command_fail(o->format, "%s", error);
	free(error);
	return out;
}

static bool close_output(struct output *out, bool keep)
{
	char *error = NULL;
	bool good = output_close(out, keep, &error);

	if (!good)
		command_complain("%s", error);
	free(error);
	return good;
}

void command_screen(const struct options *o, struct report_conf *conf)
{
	bool terminal = !o->output && isatty(STDOUT_FILENO);
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size;

	conf->color = o->color == COLOR_ALWAYS ||
		      (o->color == COLOR_AUTO && terminal && !(no_color && *no_color) &&
		       !(term && strcmp(term, "dumb") == 0));
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		conf->width = size.ws_col;
}

/* Standard output is a terminal on which a table can be redrawn. */
static bool has_screen(const struct options *o)
{
	return !o->output && o->format == FORMAT_TABLE && !o->quiet &&
	       canvas_possible(STDOUT_FILENO);
}

static void open_report(struct command *c, struct plugin_conf *plugin)
{
	static const struct report_kind *const kinds[] = {
	    [FORMAT_TABLE] = &report_table,
	    [FORMAT_JSON] = &report_json,
	    [FORMAT_PLUGIN] = &report_plugin,
	    [FORMAT_PROMETHEUS] = &report_prometheus,
	};
	const struct options *o = c->options;
	struct report_conf conf = {.explain = o->explain,
				   .verbose = o->verbose,
				   .plugin = plugin,
				   .addresses = o->addresses};

	*plugin = (struct plugin_conf){
	    .warning = o->has_warning ? &o->warning : NULL,
	    .critical = o->has_critical ? &o->critical : NULL,
	    .warning_time = o->has_warning_time ? &o->warning_time : NULL,
	    .critical_time = o->has_critical_time ? &o->critical_time : NULL,
	    .warning_days = o->n_days > 0 ? &o->days[0] : NULL,
	    .critical_days = o->n_days > 1 ? &o->days[1] : NULL,
	};
	command_screen(o, &conf);
	report_begin(&c->report, kinds[o->format], &conf);
	if (has_screen(o) && !c->rounds && !o->verbose)
		c->progress = progress_new(c->loop, STDOUT_FILENO, &conf);
}

/* Spreads the cron jobs of many machines: a random part of the span. */
static usec_t jitter(usec_t most)
{
	uint32_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		random = (uint32_t)getpid() * 2654435761u;
	return (usec_t)((double)most * ((double)random / 4294967296.0));
}

static void start(void *arg)
{
	struct command *c = arg;

	if (c->options->control) {
		run_add_control(c->run, c->options->control, strlen(c->options->control));
		c->added++;
	}
	feed(c);
}

/* A history that cannot be kept is told of, and the probe goes on. */
static void history_failed(struct command *c, char *error)
{
	clear_screen(c);
	command_complain("%s", error);
	free(error);
	c->failed = true;
	c->report.failed = "the history could not be kept";
}

static void open_history(struct command *c)
{
	char *error = NULL;

	if (!c->options->history)
		return;
	if (c->history) {
		history_begin_run(c->history);
		return;
	}
	c->history = history_open(c->options->history, &error);
	if (!c->history)
		history_failed(c, error);
}

/* All that the run had to say is in the file; what was delivered of it is still to be noted there.
 */
static void flush_history(struct command *c)
{
	char *error = NULL;

	if (history_flush(c->history, c->options->keep_ms, &error))
		return;
	history_failed(c, error);
	/* Another round may fare better. */
	notify_history(c->notify, NULL);
	if (!history_close(c->history, 0, &error))
		free(error); /* the same that was just said */
	c->history = NULL;
}

static void close_history(struct command *c)
{
	char *error = NULL;

	if (!history_close(c->history, 0, &error))
		command_complain("%s", error);
	free(error);
	c->history = NULL;
}

/* Of a run that came to its own end there is nothing left but memory. What it knows of a hundred
 * thousand domains the system takes back faster than piece by piece, when it is the last one. */
static void end_run(struct command *c)
{
	static struct run *volatile last;

	if (c->rounds || run_stopped(c->run)) {
		run_free(c->run);
	} else {
		run_leave(c->run);
		last = c->run;
	}
	(void)last; /* who looks for lost memory finds it here */
	c->run = NULL;
}

/* What was written to the terminal, and not all shown, is lost. Standard error may lead elsewhere.
 */
static void see_shown(struct command *c, int err)
{
	if (!err)
		return;
	command_complain("cannot write standard output: %s", strerror(err));
	c->failed = c->lost = true;
}

/* One run, from its first target to the last goodbye; it begins after a pause. */
static void run_once(struct command *c, usec_t pause)
{
	const struct run_events events = {
	    .planned = on_planned, .finished = on_finished, .hungry = feed, .arg = c};
	const struct input_events lines = {.line = on_line, .ended = on_input_end, .arg = c};
	const bool plugin_mode = c->options->format == FORMAT_PLUGIN;
	struct run_conf conf = c->conf;
	struct plugin_conf plugin;

	open_report(c, &plugin);
	open_history(c);
	notify_history(c->notify, c->history);
	conf.live = c->progress != NULL || on_board(c);
	if (conf.deadline != USEC_NEVER)
		conf.deadline += pause; /* waiting is not part of the run */
	c->deadline = conf.deadline == USEC_NEVER ? USEC_NEVER : loop_now(c->loop) + conf.deadline;
	c->run = run_new(c->loop, &conf, &events);
	if (c->input_fd >= 0) {
		c->input = input_new(c->loop, c->input_fd, &lines);
		input_pause(c->input); /* the targets of the command line come first */
	}
	if (c->input && c->options->format == FORMAT_JSON && !c->options->quiet && !c->rounds &&
	    canvas_possible(STDERR_FILENO) && (c->options->output || !isatty(STDOUT_FILENO)))
		c->tally = tally_new(STDERR_FILENO, c->input_fd, loop_now(c->loop));
	timer_at(&c->start, loop_now(c->loop) + pause);
	/* From here on strangers have their say. */
	if (!c->confined)
		confine(c->options, c->output,
			c->options->verbose > 1 && !plugin_mode ? on_confined : NULL, c);
	c->confined = true;
	loop_run(c->loop);
	see_shown(c, progress_free(c->progress));
	c->progress = NULL;
	tally_free(c->tally);
	c->tally = NULL;
	flush_history(c);
	if (c->interrupted && !c->report.failed)
		c->report.failed = "interrupted";
	report_end(&c->report);
	put(c);
	if (c->options->format == FORMAT_PLUGIN && !c->failed)
		c->exit = plugin_exit(&c->report);
	report_fini(&c->report);
	if (c->rounds && notify_failed(c->notify)) {
		clear_screen(c);
		notify_say(c->notify);
	}
	input_free(c->input);
	c->input = NULL;
	end_run(c);
}

/* What a run leaves behind is of no use to the next; a list of targets is read anew. */
static void prepare_round(struct command *c)
{
	const struct options *o = c->options;

	close_input(c->input_fd);
	setup_resolver_anew(&c->conf.resolver, o);
	c->exit = 0;
	c->next_target = c->added = c->finished = 0;
	c->closed = c->failed = false;
	c->input_fd = -1;
	if (!o->input)
		return;
	clear_screen(c); /* there may be something to say */
	c->input_fd = open_input(o, o->input);
	c->failed = c->input_fd < 0;
}

static void renew_output(struct command *c)
{
	char *error = NULL;

	if (output_renew(c->output, &error))
		return;
	clear_screen(c);
	command_complain("%s", error);
	free(error);
	c->failed = true;
}

static void run_rounds(struct command *c)
{
	const struct options *o = c->options;
	bool screen = has_screen(o) && !(o->verbose && isatty(STDERR_FILENO));
	const struct rounds_conf conf = {.every = o->watch,
					 .screen = screen ? STDOUT_FILENO : -1,
					 .keyboard = screen ? STDIN_FILENO : -1,
					 .quit = quit,
					 .arg = c};
	struct report_conf report = {.explain = o->explain};
	struct history *held = NULL;
	char *error = NULL;

	/* Who closes a history as the last one removes what SQLite keeps beside it; once confined,
	 * it could not be made again. */
	if (o->history)
		held = history_open(o->history, &error);
	free(error); /* the first round says it */
	error = NULL;
	command_screen(o, &report);
	c->rounds = rounds_new(c->loop, &conf, &report);
	for (usec_t pause = jitter(o->jitter); !c->interrupted; pause = 0) {
		rounds_begin(c->rounds);
		run_once(c, pause);
		rounds_end(c->rounds, !c->interrupted);
		if (c->interrupted)
			break;
		renew_output(c);
		c->last_exit = c->failed ? EXIT_UNKNOWN : c->exit;
		rounds_wait(c->rounds);
		loop_run(c->loop);
		if (!c->interrupted)
			prepare_round(c);
	}
	see_shown(c, rounds_free(c->rounds));
	c->rounds = NULL;
	if (!history_close(held, 0, &error))
		free(error); /* nothing was written to it */
}

static void run_all(struct command *c)
{
	const bool plugin_mode = c->options->format == FORMAT_PLUGIN;
	const struct setup_trace trace = {.session = plugin_mode ? NULL : on_trace,
					  .dns = plugin_mode ? NULL : on_dns_trace,
					  .arg = c};

	c->loop = loop_new();
	timer_init(&c->start, c->loop, start, c);
	watch_signals(c);
	setup_run(&c->conf, c->options, c->helo, &trace);
	notify_begin(c->notify, c->loop,
		     c->options->verbose && !plugin_mode ? on_webhook_trace : NULL, c);
	if (c->options->watch)
		run_rounds(c);
	else
		run_once(c, jitter(c->options->jitter));
	tls_context_free(c->conf.session.tls);
	timer_fini(&c->start);
}

/* The output has left: who waits for its end need not wait for the webhook. */
static void deliver(struct command *c)
{
	usec_t now = loop_now(c->loop), until = c->deadline;
	int nowhere;

	if (!notify_idle(c->notify)) {
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (nowhere >= 0) {
			(void)dup2(nowhere, STDOUT_FILENO); /* else it stays open a while longer */
			(void)close(nowhere);               /* nothing was written to it */
		}
	}
	if (c->interrupted || until < now + DELIVERY_GRACE)
		until = now + DELIVERY_GRACE;
	c->delivering = true;
	notify_drain(c->notify, until);
}

static void end_all(struct command *c)
{
	notify_free(c->notify);
	close_history(c);
	loop_signal_free(c->signals[0]);
	loop_signal_free(c->signals[1]);
	loop_free(c->loop);
}

/* Others share a history as they like, but a job of cron that is late must not be overtaken by its
 * own next run: what is older would then be remembered as what came last. The words of the command
 * line tell whether it is the same job, unless its targets come from elsewhere. False: it is under
 * way, which was said. */
static bool claim_job(const struct options *o, struct claim *job)
{
	char *name, *why = NULL;
	enum claim_outcome outcome;

	job->fd = -1;
	if (!o->history || (o->input && strcmp(o->input, "-") == 0))
		return true;
	name = xasprintf("%s-%016llx", o->history, (unsigned long long)o->job);
	outcome = claim_take(job, name, 0600, &why);
	if (outcome == CLAIM_HELD)
		command_fail(o->format,
			     "--history: '%s': another run of this command is still going on",
			     o->history);
	/* Where no file can be made, the history itself has something to say. */
	free(why);
	free(name);
	return outcome != CLAIM_HELD;
}

/* What a run needs besides the network; false: something cannot be had, which was said. */
static bool open_files(struct command *c, struct claim *job)
{
	const struct options *o = c->options;

	if (o->input && (c->input_fd = open_input(o, o->input)) < 0)
		return false;
	if (!claim_job(o, job)) {
		close_input(c->input_fd);
		return false;
	}
	c->output = open_output(o);
	if (!c->output) {
		if (job->fd >= 0)
			(void)claim_close(job); /* nothing was done */
		close_input(c->input_fd);
		return false;
	}
	return true;
}

int command_probe(const struct options *o)
{
	struct command c = {.options = o, .input_fd = -1, .last_exit = -1};
	struct claim job;

	tls_begin(); /* whoever uses it first */
	if (!setup_check(o) || !notify_new(o, &c.notify))
		return EXIT_UNKNOWN;
	if (!open_files(&c, &job)) {
		notify_free(c.notify);
		return EXIT_UNKNOWN;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	c.helo = setup_helo(o);
	run_all(&c);
	/* A round that was cut short leaves the file of the last whole one. */
	if (!close_output(c.output, c.last_exit < 0))
		c.failed = c.lost = true;
	if (job.fd >= 0)
		(void)claim_close(&job); /* nothing was written to it */
	close_input(c.input_fd);
	deliver(&c);
	end_all(&c);
	free(c.helo);
	if (o->watch)
		return c.lost || c.last_exit < 0 ? EXIT_UNKNOWN : c.last_exit;
	return c.failed || c.interrupted ? EXIT_UNKNOWN : c.exit;
}

int command_classify(const struct options *o)
{
	int fd = open_input(o, o->input ? o->input : "-");
	struct output *out;
	char *error = NULL;
	bool good;

	if (fd < 0)
		return EXIT_UNKNOWN;
	out = open_output(o);
	if (!out) {
		close_input(fd);
		return EXIT_UNKNOWN;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	confine(o, out, NULL, NULL);
	good = classify_lines(fd, o->format == FORMAT_JSON, out, &error);
	if (!good)
		command_complain("%s", error);
	free(error);
	if (!close_output(out, true))
		good = false;
	close_input(fd);
	return good ? 0 : EXIT_UNKNOWN;
}

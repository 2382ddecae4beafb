#include "cli/rounds.h"

#include "base/text.h"
#include "cli/canvas.h"
#include "cli/keyboard.h"
#include "report/board.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME (100 * USEC_PER_MS)

enum state { STATE_RUNNING, STATE_IDLE, STATE_WAITING };

struct rounds {
	struct loop *loop;
	struct rounds_conf conf;
	struct report_conf report;
	struct board *board;
	struct canvas *canvas;     /* NULL: no screen */
	struct keyboard *keyboard; /* NULL: none */
	struct loop_signal *signals[3];
	struct timer tick, next;
	enum state state;
	unsigned round;
	bool stopped;
	usec_t began, ended, drawn, next_at;
	int64_t began_unix; /* seconds */
	struct buf live;
};

usec_t rounds_next(usec_t began, usec_t ended, usec_t every)
{
	usec_t pause = every < USEC_PER_SEC ? every : USEC_PER_SEC;

	return began + every > ended + pause ? began + every : ended + pause;
}

static void add_time(struct buf *out, int64_t unix_seconds)
{
	time_t t = (time_t)unix_seconds;
	struct tm tm = {0};

	(void)gmtime_r(&t, &tm); /* our own clock's time */
	buf_printf(out, "%02d:%02d:%02d UTC", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Whole seconds until a moment, and 0 only when it has come. */
static int seconds_until(usec_t when, usec_t now)
{
	return when > now ? (int)((when - now + USEC_PER_SEC - 1) / USEC_PER_SEC) : 0;
}

/* What is said last is cut first on a narrow screen. */
static void add_status(struct rounds *r, usec_t now, unsigned columns)
{
	struct buf line = {0};
	size_t done, all;

	if (r->state == STATE_WAITING) {
		buf_printf(&line, "Next in %d s.  Round %u at ", seconds_until(r->next_at, now),
			   r->round);
		add_time(&line, r->began_unix);
		buf_printf(&line, " took %.1f s.",
			   (double)(r->ended - r->began) / (double)USEC_PER_SEC);
	} else {
		board_count(r->board, &done, &all);
		buf_printf(&line, "Round %u at ", r->round);
		add_time(&line, r->began_unix);
		if (all)
			buf_printf(&line, ": %zu of %zu done, ", done, all);
		else
			buf_addstr(&line, ": asking DNS, ");
		buf_printf(&line, "%.1f s.", (double)(now - r->began) / (double)USEC_PER_SEC);
	}
	if (r->keyboard)
		buf_addstr(&line, "  q ends.");
	text_fit(&r->live, line.data, line.len, columns);
	buf_addc(&r->live, '\n');
	buf_fini(&line);
}

static void draw(struct rounds *r)
{
	struct canvas_size size = canvas_size(r->canvas);
	struct report_conf conf = r->report;
	usec_t now = loop_now(r->loop);

	conf.width = size.columns;
	buf_clear(&r->live);
	/* One line is for the cursor, one for the status, one between. */
	if (board_draw(&r->live, r->board, &conf, now, size.lines > 4 ? size.lines - 3 : 1))
		buf_addc(&r->live, '\n');
	add_status(r, now, size.columns);
	canvas_draw(r->canvas, NULL, &r->live);
}

/* The next drawing: soon while something runs, else when the countdown changes. */
static void set_tick(struct rounds *r)
{
	usec_t now = loop_now(r->loop), left;

	if (r->state == STATE_RUNNING) {
		timer_at(&r->tick, r->drawn + FRAME);
	} else if (r->state == STATE_WAITING && r->next_at > now) {
		left = (r->next_at - now - 1) / USEC_PER_SEC * USEC_PER_SEC;
		timer_at(&r->tick, left ? r->next_at - left : USEC_NEVER);
	}
}

static void redraw(struct rounds *r)
{
	if (!r->canvas || r->stopped)
		return;
	/* Neither the terminal of others nor one that takes nothing (Ctrl-S) is written to. */
	r->drawn = loop_now(r->loop);
	if (!keyboard_foreground(r->conf.screen) || !keyboard_resume(r->keyboard))
		canvas_forget(r->canvas);
	else if (canvas_ready(r->canvas))
		draw(r);
	if (canvas_gone(r->canvas)) {
		r->conf.quit(r->conf.arg);
		return;
	}
	set_tick(r);
}

static void on_tick(void *arg)
{
	redraw(arg);
}

static void on_next(void *arg)
{
	(void)arg; /* loop_run has nothing left to wait for */
}

static void on_key(void *arg, char key)
{
	struct rounds *r = arg;

	if (key == 'q' || key == 'Q')
		r->conf.quit(r->conf.arg);
}

static void on_resize(void *arg)
{
	redraw(arg);
}

static void on_continue(void *arg)
{
	struct rounds *r = arg;

	keyboard_forget();
	canvas_forget(r->canvas);
	redraw(r);
}

/* Ctrl-Z: the shell gets its terminal as it was, and the default action stops us here, until
 * somebody continues us. Without a shell that could, the system lets us go on. */
static void on_stop(void *arg)
{
	struct rounds *r = arg;
	struct sigaction stop = {.sa_handler = SIG_DFL}, ours;

	keyboard_restore();
	(void)sigaction(SIGTSTP, &stop, &ours);
	(void)raise(SIGTSTP);
	(void)sigaction(SIGTSTP, &ours, NULL);
	(void)keyboard_resume(r->keyboard);
}

static void watch_signals(struct rounds *r)
{
	static const struct {
		int signum;
		void (*got)(void *arg);
	} list[] = {{SIGWINCH, on_resize}, {SIGTSTP, on_stop}, {SIGCONT, on_continue}};
	struct sigaction now;

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		(void)sigaction(list[i].signum, NULL, &now); /* all of them can be handled */
		if (now.sa_handler != SIG_IGN)
			r->signals[i] = loop_signal_new(r->loop, list[i].signum, list[i].got, r);
	}
}

struct rounds *rounds_new(struct loop *loop, const struct rounds_conf *conf,
			  const struct report_conf *report)
{
	struct rounds *r = xcalloc(1, sizeof *r);

	r->loop = loop;
	r->conf = *conf;
	r->report = *report;
	r->board = board_new(conf->screen >= 0);
	timer_init(&r->tick, loop, on_tick, r);
	timer_init(&r->next, loop, on_next, r);
	if (conf->screen >= 0) {
		r->canvas = canvas_new(conf->screen);
		if (conf->keyboard >= 0)
			r->keyboard = keyboard_open(loop, conf->keyboard, on_key, r);
		watch_signals(r);
	}
	return r;
}

int rounds_free(struct rounds *r)
{
	struct report_conf conf;
	int err = 0;

	if (!r)
		return 0;
	keyboard_close(r->keyboard);
	if (r->canvas) {
		conf = r->report;
		conf.width = canvas_size(r->canvas).columns;
		buf_clear(&r->live);
		(void)board_draw(&r->live, r->board, &conf, loop_now(r->loop), SIZE_MAX);
		canvas_draw(r->canvas, &r->live, NULL);
		err = canvas_gone(r->canvas);
	}
	for (size_t i = 0; i < ARRAY_LEN(r->signals); i++)
		loop_signal_free(r->signals[i]);
	timer_fini(&r->tick);
	timer_fini(&r->next);
	canvas_free(r->canvas);
	board_free(r->board);
	buf_fini(&r->live);
	free(r);
	return err;
}

void rounds_begin(struct rounds *r)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	r->round++;
	r->began = loop_now(r->loop);
	r->began_unix = now.tv_sec;
	r->state = STATE_RUNNING;
	board_begin(r->board);
	redraw(r);
}

void rounds_planned(struct rounds *r, const struct result *result)
{
	board_planned(r->board, result);
}

void rounds_finished(struct rounds *r, const struct result *result, struct buf *out)
{
	board_finished(r->board, result);
	if (!r->canvas)
		board_line(out, r->board, result);
}

void rounds_idle(struct rounds *r)
{
	if (r->state != STATE_RUNNING)
		return;
	r->state = STATE_IDLE;
	timer_at(&r->tick, USEC_NEVER);
	redraw(r);
}

void rounds_end(struct rounds *r, bool complete)
{
	r->ended = loop_now(r->loop);
	r->state = STATE_IDLE;
	timer_at(&r->tick, USEC_NEVER);
	board_end(r->board, complete);
}

void rounds_wait(struct rounds *r)
{
	if (r->stopped)
		return;
	r->state = STATE_WAITING;
	r->next_at = rounds_next(r->began, r->ended, r->conf.every);
	timer_at(&r->next, r->next_at);
	redraw(r);
}

void rounds_stop(struct rounds *r)
{
	r->stopped = true;
	timer_at(&r->tick, USEC_NEVER);
	timer_at(&r->next, USEC_NEVER);
}

void rounds_clear(struct rounds *r)
{
	if (r->canvas && canvas_drawn(r->canvas))
		canvas_draw(r->canvas, NULL, NULL);
}

#include "cli/progress.h"

#include "base/text.h"
#include "cli/canvas.h"
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_USEC = 100000 };

struct progress {
	struct loop *loop;
	struct timer tick;
	struct canvas *canvas;
	struct report_conf conf;
	const struct result **running; /* in the order in which they were planned */
	size_t n_running, cap_running;
	struct buf done;   /* final blocks that are not on the screen yet */
	unsigned finished; /* blocks made so far */
	unsigned verdicts[VERDICTS];
	struct buf live; /* the live part being made */
	usec_t last;     /* drawing */
};

/* All running targets in at most `room` lines: whole blocks if they fit; else a heading for each
 * that has place, and the rows of the first ones in what is left. */
static void make_live(struct progress *p, const struct report_conf *conf, usec_t now, size_t room)
{
	size_t lead = p->finished ? 1 : 0, whole = lead, shown, spare;

	buf_clear(&p->live);
	if (!p->n_running)
		return;
	for (size_t i = 0; i < p->n_running && whole <= room; i++)
		whole += table_live_lines(p->running[i]) + (i ? 1 : 0);
	if (whole <= room) {
		for (size_t i = 0; i < p->n_running; i++) {
			if (i || lead)
				buf_addc(&p->live, '\n');
			(void)table_live(&p->live, p->running[i], conf, now, SIZE_MAX); /* all */
		}
		return;
	}
	shown = p->n_running <= room ? p->n_running : room - 1;
	spare = room - shown - (shown < p->n_running);
	for (size_t i = 0; i < shown; i++)
		spare -= table_live(&p->live, p->running[i], conf, now, 1 + spare) - 1;
	if (shown < p->n_running) {
		struct buf line = {0};

		buf_printf(&line, "\xE2\x80\xA6 and %zu more targets", p->n_running - shown);
		text_fit(&p->live, line.data, line.len, conf->width);
		buf_addc(&p->live, '\n');
		buf_fini(&line);
	}
}

static void draw(struct progress *p, bool with_live)
{
	struct canvas_size size = canvas_size(p->canvas);
	struct report_conf conf = p->conf;

	conf.width = size.columns;
	p->last = loop_now(p->loop);
	if (with_live)
		make_live(p, &conf, p->last, size.lines > 1 ? size.lines - 1 : 1);
	canvas_draw(p->canvas, &p->done, with_live ? &p->live : NULL);
	buf_clear(&p->done);
}

void progress_draw(struct progress *p)
{
	if (canvas_gone(p->canvas))
		return;
	if (canvas_ready(p->canvas))
		draw(p, true);
	else
		p->last = loop_now(p->loop);
	if (p->n_running || p->done.len)
		timer_at(&p->tick, p->last + FRAME_USEC);
}

static void on_tick(void *arg)
{
	progress_draw(arg);
}

/* Soon, but not more than ten times a second, however many targets end at once. */
static void draw_soon(struct progress *p)
{
	usec_t now = loop_now(p->loop), next = p->last + FRAME_USEC;

	timer_at(&p->tick, p->last == USEC_NONE || next < now ? now : next);
}

struct progress *progress_new(struct loop *loop, int fd, const struct report_conf *conf)
{
	struct progress *p = xcalloc(1, sizeof *p);

	p->loop = loop;
	p->canvas = canvas_new(fd);
	p->conf = *conf;
	p->last = USEC_NONE;
	timer_init(&p->tick, loop, on_tick, p);
	return p;
}

void progress_planned(struct progress *p, const struct result *result)
{
	if (p->n_running == p->cap_running) {
		p->cap_running = p->cap_running ? 2 * p->cap_running : 16;
		p->running = xreallocarray(p->running, p->cap_running, sizeof(void *));
	}
	p->running[p->n_running++] = result;
	draw_soon(p);
}

void progress_finished(struct progress *p, const struct result *result)
{
	struct report_conf conf = p->conf;
	size_t i = 0;

	while (i < p->n_running && p->running[i] != result)
		i++;
	if (i < p->n_running) {
		p->n_running--;
		memmove(p->running + i, p->running + i + 1, (p->n_running - i) * sizeof(void *));
	}
	if (p->finished++)
		buf_addc(&p->done, '\n');
	conf.width = canvas_size(p->canvas).columns;
	table_target(&p->done, result, &conf, USEC_NONE);
	if (result->index >= 0)
		p->verdicts[result->verdict]++;
	draw_soon(p);
}

void progress_clear(struct progress *p)
{
	if (canvas_drawn(p->canvas) || p->done.len)
		draw(p, false);
}

int progress_free(struct progress *p)
{
	int err;

	if (!p)
		return 0;
	table_summary(&p->done, p->verdicts);
	progress_clear(p);
	err = canvas_gone(p->canvas);
	timer_fini(&p->tick);
	buf_fini(&p->done);
	buf_fini(&p->live);
	canvas_free(p->canvas);
	free(p->running);
	free(p);
	return err;
}

#include "cli/progress.h"

#include "cli/canvas.h"
#include "report/output.h"
#include "support/results.h"
#include "support/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* A terminal: a thread feeds what comes out of it to a screen. An ENQ, which the program never
 * writes, tells that all before it is on the screen. */
struct terminal {
	int master, slave;
	pthread_t reader;
	pthread_mutex_t lock;
	pthread_cond_t caught_up;
	unsigned asked, answered;
	size_t bytes;
	struct screen *screen;
	struct loop *loop;
};

static void *read_terminal(void *arg)
{
	struct terminal *t = arg;
	char bytes[4096];
	ssize_t n;

	while ((n = read(t->master, bytes, sizeof bytes)) > 0) {
		pthread_mutex_lock(&t->lock);
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == '\005') {
				t->answered++;
			} else {
				screen_feed(t->screen, &bytes[i], 1);
				t->bytes++;
			}
		}
		pthread_cond_broadcast(&t->caught_up);
		pthread_mutex_unlock(&t->lock);
	}
	return NULL;
}

static void resize(struct terminal *t, unsigned lines, unsigned columns)
{
	struct winsize ws = {.ws_row = (unsigned short)lines, .ws_col = (unsigned short)columns};

	assert_int_equal(ioctl(t->master, TIOCSWINSZ, &ws), 0);
	if (t->screen)
		screen_resize(t->screen, lines, columns);
}

static int set_up(void **state)
{
	struct terminal *t = xcalloc(1, sizeof *t);

	t->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (t->master < 0 || grantpt(t->master) < 0 || unlockpt(t->master) < 0)
		return -1;
	t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY);
	if (t->slave < 0)
		return -1;
	resize(t, 24, 80);
	t->screen = screen_new(24, 80);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->caught_up, NULL);
	t->loop = loop_new();
	*state = t;
	return pthread_create(&t->reader, NULL, read_terminal, t);
}

static int tear_down(void **state)
{
	struct terminal *t = *state;

	close(t->slave);
	pthread_join(t->reader, NULL);
	close(t->master);
	loop_free(t->loop);
	screen_free(t->screen);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->caught_up);
	free(t);
	return 0;
}

/* Waits until the screen shows all that was written. */
static void catch_up(struct terminal *t)
{
	assert_int_equal(output_all(t->slave, "\005", 1), 0);
	pthread_mutex_lock(&t->lock);
	t->asked++;
	while (t->answered < t->asked)
		pthread_cond_wait(&t->caught_up, &t->lock);
	pthread_mutex_unlock(&t->lock);
	assert_false(screen_bad(t->screen));
}

/* Draws, again if the terminal had no room just then. */
static void draw(struct terminal *t, struct progress *p)
{
	size_t before = t->bytes;

	do {
		progress_draw(p);
		catch_up(t);
		sched_yield();
	} while (t->bytes == before);
}

static char *final_block(const struct result *r, unsigned width)
{
	struct report_conf conf = {.width = width};
	struct report report;
	char *text;

	report_begin(&report, &report_table, &conf);
	report_target(&report, r);
	text = buf_steal(&report.out);
	report_fini(&report);
	return text;
}

static struct contact *contact(struct result *r, size_t i)
{
	return (struct contact *)(uintptr_t)r->endpoints[i].contact;
}

static void all_waiting(struct result *r)
{
	for (size_t i = 0; i < r->n_endpoints; i++)
		contact(r, i)->state = CONTACT_WAITING;
}

/* Runs from now on: so its clock shows no second yet. */
static void start(struct terminal *t, struct result *r, size_t i)
{
	contact(r, i)->state = CONTACT_RUNNING;
	contact(r, i)->live_phase = PHASE_CONNECT;
	contact(r, i)->live_since = loop_now(t->loop) + 3600 * USEC_PER_SEC;
}

static void assert_visible(struct terminal *t, const char *wanted, bool there)
{
	char *text = screen_visible(t->screen);

	if (!strstr(text, wanted) == there)
		fail_msg("%s \"%s\" on the screen:\n%s", there ? "no" : "a", wanted, text);
	free(text);
}

static void assert_all(struct terminal *t, const char *wanted)
{
	char *text = screen_text(t->screen);

	assert_string_equal(text, wanted);
	free(text);
}

static void one_target(void **state)
{
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0};
	struct progress *p = progress_new(t->loop, t->slave, &conf);
	struct result *r = fake_msn();
	char *final = final_block(r, 80);
	unsigned line, column;

	assert_int_equal(output_all(t->slave, "$ mxprobe msn.com\r\n", 19), 0);
	all_waiting(r);
	progress_planned(p, r);
	draw(t, p);
	assert_visible(t, "msn.com   4 MX, 16 endpoints", true);
	assert_visible(t, " 0 of 16 done\n", true);
	assert_visible(t, "65.54.244.8   waiting\n", true);
	start(t, r, 0);
	draw(t, p);
	assert_visible(t, "65.54.244.8   connect 0.0 s\n", true);
	for (size_t i = 0; i < 16; i++) {
		contact(r, i)->state = CONTACT_DONE;
		draw(t, p);
	}
	assert_visible(t, " 16 of 16 done\n", true);
	screen_cursor(t->screen, &line, &column);
	assert_int_equal(line, 20);
	assert_int_equal(column, 0);

	progress_finished(p, r);
	draw(t, p);
	progress_free(p);
	catch_up(t);
	screen_cursor(t->screen, &line, &column);
	assert_int_equal(column, 0);
	{
		char *wanted = xasprintf("$ mxprobe msn.com\n%s", final);

		assert_all(t, wanted);
		free(wanted);
	}
	free(final);
	fake_free(r);
}

/* The loop draws by itself: at once, and for good at the end. */
static void drawn_by_the_loop(void **state)
{
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0};
	struct progress *p = progress_new(t->loop, t->slave, &conf);
	struct result *r = fake_msn();
	char *final = final_block(r, 80);

	progress_finished(p, r);
	loop_run(t->loop);
	catch_up(t);
	assert_all(t, final);
	progress_free(p);
	catch_up(t);
	assert_all(t, final);
	free(final);
	fake_free(r);
}

static void several_targets(void **state)
{
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0, .color = true};
	struct progress *p = progress_new(t->loop, t->slave, &conf);
	struct result *msn = fake_msn(), *null = fake_target("null.example", SOURCE_NULL_MX),
		      *tiny = fake_target("tiny.example", SOURCE_MX);
	char *finals[3], *wanted;

	fake_finish(null);
	fake_endpoint(tiny, 10, "mx.tiny.example", "192.0.2.1");
	fake_finish(tiny);
	finals[0] = final_block(msn, 80);
	finals[1] = final_block(null, 80);
	finals[2] = final_block(tiny, 80);
	all_waiting(msn);
	all_waiting(tiny);
	progress_planned(p, msn);
	progress_finished(p, null);
	draw(t, p);
	assert_visible(t, "UNDELIVERABLE\n  The domain accepts no mail", true);
	progress_planned(p, tiny);
	draw(t, p);
	assert_visible(t, "tiny.example   1 MX, 1 endpoint", true);
	contact(tiny, 0)->state = CONTACT_DONE;
	progress_finished(p, tiny);
	draw(t, p);
	for (size_t i = 0; i < 16; i++)
		contact(msn, i)->state = CONTACT_DONE;
	progress_finished(p, msn);
	progress_free(p);
	catch_up(t);
	wanted = xasprintf("%s\n%s\n%s\n3 targets: 1 healthy, 1 degraded, 1 undeliverable\n",
			   finals[1], finals[2], finals[0]);
	assert_all(t, wanted);
	free(wanted);
	for (size_t i = 0; i < 3; i++)
		free(finals[i]);
	fake_free(msn);
	fake_free(null);
	fake_free(tiny);
}

/* More rows than lines: nothing is ever drawn above the screen, and trouble is what is seen. */
static void low_screen(void **state)
{
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0};
	struct result *r = fake_msn();
	char *final = final_block(r, 80);

	for (unsigned lines = 2; lines <= 21; lines++) {
		struct progress *p = progress_new(t->loop, t->slave, &conf);

		screen_free(t->screen);
		t->screen = screen_new(lines, 80);
		resize(t, lines, 80);
		all_waiting(r);
		progress_planned(p, r);
		draw(t, p);
		start(t, r, 9);
		contact(r, 3)->state = CONTACT_DONE;
		contact(r, 14)->state = CONTACT_DONE;
		draw(t, p);
		draw(t, p);
		assert_visible(t, "msn.com", true);
		if (lines >= 6) {
			assert_visible(t, "timeout/connect", true);
			assert_visible(t, "connect 0.0 s", true);
		}
		if (lines == 10)
			assert_visible(t, "\xE2\x80\xA6 and 10 more: 9 waiting, 1 healthy\n", true);
		for (size_t i = 0; i < 16; i++)
			contact(r, i)->state = CONTACT_DONE;
		progress_finished(p, r);
		progress_free(p);
		catch_up(t);
		assert_all(t, final);
	}
	free(final);
	fake_free(r);
}

static void many_targets(void **state)
{
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0};
	struct progress *p = progress_new(t->loop, t->slave, &conf);
	struct result *r[40];

	for (size_t i = 0; i < ARRAY_LEN(r); i++) {
		r[i] = fake_msn();
		all_waiting(r[i]);
		progress_planned(p, r[i]);
	}
	draw(t, p);
	draw(t, p);
	assert_visible(t, "\xE2\x80\xA6 and 18 more targets\n", true);
	{
		char *all = screen_text(t->screen), *seen = screen_visible(t->screen);

		assert_string_equal(all, seen);
		free(all);
		free(seen);
	}
	for (size_t i = 10; i < ARRAY_LEN(r); i++)
		progress_finished(p, r[i]);
	draw(t, p);
	draw(t, p);
	assert_visible(t, "more: ", true);
	progress_free(p);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		fake_free(r[i]);
}

static void clear_and_come_back(void **state)
{
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0};
	struct progress *p = progress_new(t->loop, t->slave, &conf);
	struct result *r = fake_msn();

	all_waiting(r);
	progress_clear(p);
	progress_planned(p, r);
	draw(t, p);
	progress_clear(p);
	assert_int_equal(output_all(t->slave, "mxprobe: a word\r\n", 17), 0);
	catch_up(t);
	assert_all(t, "mxprobe: a word\n");
	draw(t, p);
	assert_visible(t, "mxprobe: a word\nmsn.com   4 MX", true);
	progress_free(p);
	catch_up(t);
	assert_all(t, "mxprobe: a word\n");
	fake_free(r);
}

/* Narrower (the terminal folds what is on it), wider, lower, higher: the next frame is whole. What
 * folding pushes out of the screen is out of reach; so it is high enough here. */
static void resized(void **state)
{
	static const struct {
		unsigned lines, columns;
	} sizes[] = {{50, 60}, {60, 100}, {50, 41}, {50, 120}, {90, 33}, {40, 200}};
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0};
	struct progress *p = progress_new(t->loop, t->slave, &conf);
	struct result *r = fake_msn();

	all_waiting(r);
	contact(r, 15)->state = CONTACT_DONE;
	progress_planned(p, r);
	draw(t, p);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char *all;
		size_t headings = 0, waiting = 0;

		resize(t, sizes[i].lines, sizes[i].columns);
		draw(t, p);
		all = screen_text(t->screen);
		for (const char *at = all; (at = strstr(at, "msn.com   ")); at++)
			headings++;
		for (const char *at = all; (at = strstr(at, " waiting\n")); at++)
			waiting++;
		if (headings != 1 || waiting != 15)
			fail_msg("%zu headings, %zu rows at %ux%u:\n%s", headings, waiting,
				 sizes[i].columns, sizes[i].lines, all);
		free(all);
		assert_visible(t, "msn.com   ", true);
	}
	progress_free(p);
	catch_up(t);
	assert_all(t, "");
	fake_free(r);
}

/* Ctrl-S: the loop is not held up, and nothing is lost. */
static void stopped_terminal(void **state)
{
	struct terminal *t = *state;
	struct report_conf conf = {.width = 0};
	struct progress *p = progress_new(t->loop, t->slave, &conf);
	struct result *r = fake_msn();
	char *final = final_block(r, 80);

	assert_int_equal(tcflow(t->slave, TCOOFF), 0);
	progress_planned(p, r);
	progress_draw(p);
	progress_finished(p, r);
	progress_draw(p);
	assert_int_equal(tcflow(t->slave, TCOON), 0);
	progress_free(p);
	catch_up(t);
	assert_all(t, final);
	free(final);
	fake_free(r);
}

static void possible(void **state)
{
	struct terminal *t = *state;
	int null = open("/dev/null", O_WRONLY);

	setenv("TERM", "xterm", 1);
	assert_true(canvas_possible(t->slave));
	assert_false(canvas_possible(null));
	setenv("TERM", "dumb", 1);
	assert_false(canvas_possible(t->slave));
	unsetenv("TERM");
	assert_false(canvas_possible(t->slave));
	close(null);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(one_target), TEST(drawn_by_the_loop), TEST(several_targets),
	    TEST(low_screen), TEST(many_targets),      TEST(clear_and_come_back),
	    TEST(resized),    TEST(stopped_terminal),  TEST(possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

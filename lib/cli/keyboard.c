#include "cli/keyboard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct keyboard {
	struct watch *watch;
	int fd;
	void (*key)(void *arg, char key);
	void *arg;
};

/* What a signal handler needs to know. */
static struct {
	struct termios before, ours;
	volatile sig_atomic_t fd; /* of the terminal + 1; 0: none */
	volatile sig_atomic_t changed;
} terminal;

/* Signals that would end the program with the terminal changed. */
static const int deadly[] = {SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};

static void set_modes(int fd, const struct termios *modes)
{
	int err = errno;

	/* A terminal that has gone takes none, and needs none. One that takes no output (Ctrl-S) is
	 * not waited for. */
	while (tcsetattr(fd, TCSANOW, modes) < 0 && errno == EINTR)
		;
	errno = err;
}

void keyboard_restore(void)
{
	sigset_t output, old;

	if (!terminal.fd || !terminal.changed)
		return;
	terminal.changed = 0;
	/* From the background this would stop us where we are. */
	(void)sigemptyset(&output);
	(void)sigaddset(&output, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &output, &old);
	set_modes((int)terminal.fd - 1, &terminal.before);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
}

void keyboard_forget(void)
{
	terminal.changed = 0;
}

static void on_death(int signum)
{
	keyboard_restore();
	(void)raise(signum); /* its handler is the system's again */
}

static void catch_deadly(bool on)
{
	struct sigaction now, ours = {.sa_handler = on_death, .sa_flags = (int)SA_RESETHAND};
	struct sigaction none = {.sa_handler = SIG_DFL};

	for (size_t i = 0; i < ARRAY_LEN(deadly); i++) {
		(void)sigaction(deadly[i], NULL, &now); /* all of them can be handled */
		if (on && now.sa_handler == SIG_DFL)
			(void)sigaction(deadly[i], &ours, NULL);
		else if (!on && now.sa_handler == on_death)
			(void)sigaction(deadly[i], &none, NULL);
	}
}

/* A terminal that is not the one that controls us has no foreground: it is ours. */
bool keyboard_foreground(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

static void on_ready(void *arg, unsigned ready)
{
	struct keyboard *k = arg;
	char keys[64];
	ssize_t n;

	(void)ready;
	if (!keyboard_foreground(k->fd)) {
		watch_want(k->watch, 0); /* these are meant for somebody else */
		return;
	}
	n = read(k->fd, keys, sizeof keys);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		watch_want(k->watch, 0); /* the terminal is gone */
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		k->key(k->arg, keys[i]);
}

bool keyboard_resume(struct keyboard *k)
{
	if (!k)
		return true;
	if (!keyboard_foreground(k->fd))
		return false;
	if (!terminal.changed) {
		terminal.changed = 1;
		set_modes(k->fd, &terminal.ours);
	}
	watch_want(k->watch, READY_READ);
	return true;
}

struct keyboard *keyboard_open(struct loop *loop, int fd, void (*key)(void *arg, char key),
			       void *arg)
{
	static bool at_exit;
	struct keyboard *k;

	if (!isatty(fd) || tcgetattr(fd, &terminal.before) < 0)
		return NULL;
	terminal.ours = terminal.before;
	terminal.ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	terminal.ours.c_cc[VMIN] = 1;
	terminal.ours.c_cc[VTIME] = 0;
	terminal.changed = 0;
	terminal.fd = fd + 1;
	if (!at_exit)
		at_exit = atexit(keyboard_restore) == 0;
	before_giving_up(keyboard_restore);
	catch_deadly(true);
	k = xcalloc(1, sizeof *k);
	k->fd = fd;
	k->key = key;
	k->arg = arg;
	k->watch = watch_new_level(loop, fd, on_ready, k);
	watch_aside(k->watch);
	(void)keyboard_resume(k); /* later, if we are in the background */
	return k;
}

void keyboard_close(struct keyboard *k)
{
	if (!k)
		return;
	keyboard_restore();
	catch_deadly(false);
	terminal.fd = 0;
	watch_free(k->watch);
	free(k);
}

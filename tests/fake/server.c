#include "fake/server.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
	struct server *server;
	struct connection *next;
	const char *const *step;
	int fd; /* -1: over */
	struct watch *watch;
	struct timer timer;
	struct buf out;
	unsigned lines; /* heard and not yet waited for */
	bool waiting, ended;
};

struct server {
	struct loop *loop;
	const char *const *const *scripts;
	size_t n_scripts;
	int fd;
	struct watch *watch;
	unsigned count;
	struct connection *connections;
	struct buf heard;
};

static void hang_up(struct connection *c)
{
	watch_free(c->watch);
	c->watch = NULL;
	if (c->fd >= 0)
		(void)close(c->fd); /* what is lost is meant to be lost */
	c->fd = -1;
	timer_fini(&c->timer);
}

static void send_out(struct connection *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		buf_consume(&c->out, (size_t)n);
	}
}

static void on_time(void *arg);

/* Goes on with the script as far as it goes. */
static void act(struct connection *c)
{
	while (c->fd >= 0 && !c->waiting && *c->step) {
		const char *step = *c->step;

		if (strncmp(step, "S:", 2) == 0) {
			buf_addstr(&c->out, step + 2);
			send_out(c);
			if (c->out.len)
				return; /* the rest when there is room */
		} else if (strcmp(step, "C:") == 0) {
			if (!c->lines)
				return;
			c->lines--;
		} else if (*step == '+') {
			c->waiting = true;
			timer_at(&c->timer, loop_now(c->server->loop) +
						(usec_t)strtoul(step + 1, NULL, 10) * USEC_PER_MS);
		} else if (strcmp(step, "ALL") == 0) {
			if (!c->ended)
				return;
		} else if (strcmp(step, "FIN") == 0) {
			(void)shutdown(c->fd, SHUT_WR); /* the peer may be gone */
		} else if (strcmp(step, "EOF") == 0) {
			hang_up(c);
		} else if (strcmp(step, "RST") == 0) {
			struct linger none = {.l_onoff = 1};

			if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) != 0)
				abort();
			hang_up(c);
		} else {
			abort(); /* no such step */
		}
		c->step++;
	}
}

static void on_time(void *arg)
{
	struct connection *c = arg;

	c->waiting = false;
	act(c);
}

static void on_ready(void *arg, unsigned ready)
{
	struct connection *c = arg;
	char chunk[4096];
	ssize_t n;

	(void)ready;
	while ((n = recv(c->fd, chunk, sizeof chunk, 0)) > 0) {
		buf_add(&c->server->heard, chunk, (size_t)n);
		for (ssize_t i = 0; i < n; i++)
			c->lines += chunk[i] == '\n';
	}
	c->ended |= n == 0 || (errno != EAGAIN && errno != EINTR);
	if (c->out.len) {
		send_out(c);
		if (c->out.len)
			return;
		c->step++; /* that was what it waited for */
	}
	act(c);
}

static void non_blocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		abort();
}

static void on_connection(void *arg, unsigned ready)
{
	struct server *s = arg;
	int fd, on = 1;

	(void)ready;
	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		struct connection *c = xcalloc(1, sizeof *c);
		size_t script = s->count < s->n_scripts ? s->count : s->n_scripts - 1;

		non_blocking(fd);
		/* Else the system holds back what comes in pieces, in a time that is not ours. */
		if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
			abort();
		s->count++;
		*c = (struct connection){
		    .server = s, .next = s->connections, .step = s->scripts[script], .fd = fd};
		s->connections = c;
		timer_init(&c->timer, s->loop, on_time, c);
		c->watch = watch_new(s->loop, fd, on_ready, c);
		act(c);
	}
}

static int listener(struct addr *a)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*a = addr_from_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
	len = addr_to_sockaddr(a, &sa);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) != 0 ||
	    !addr_from_sockaddr(a, (struct sockaddr *)&sa))
		abort();
	non_blocking(fd);
	return fd;
}

struct server *server_new(struct loop *loop, const char *const *const *scripts, size_t n)
{
	struct server *s = xcalloc(1, sizeof *s);
	struct addr a;

	s->loop = loop;
	s->scripts = scripts;
	s->n_scripts = n;
	s->fd = listener(&a);
	s->watch = watch_new(loop, s->fd, on_connection, s);
	return s;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	while (s->connections) {
		struct connection *c = s->connections;

		s->connections = c->next;
		hang_up(c);
		buf_fini(&c->out);
		free(c);
	}
	watch_free(s->watch);
	(void)close(s->fd); /* nothing was written to it */
	buf_fini(&s->heard);
	free(s);
}

struct addr server_addr(const struct server *s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	struct addr a;

	if (getsockname(s->fd, (struct sockaddr *)&sa, &len) != 0 ||
	    !addr_from_sockaddr(&a, (struct sockaddr *)&sa))
		abort();
	return a;
}

const char *server_heard(struct server *s)
{
	return buf_str(&s->heard);
}

unsigned server_connections(const struct server *s)
{
	return s->count;
}

struct addr nobody(void)
{
	struct addr a;

	(void)close(listener(&a)); /* its port was free just now */
	return a;
}

#include "dns/ports.h"

#include "base/buf.h"
#include "dns/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	WRONG_MAX = 100, /* datagrams that answer nothing, on one port: a flood must not keep us
			    busy */
	BATCH = 16,      /* datagrams read at once */
	DATAGRAM_MAX = 4096
};

struct port {
	struct ports *all;
	struct port *next, **place;
	size_t server;
	int fd;
	struct watch *watch;
	bool alone;     /* of one ticket */
	bool closing;   /* no more tickets */
	unsigned asked; /* questions so far */
	unsigned wrong;
	struct ticket *tickets;
	unsigned n_tickets;
	struct buf out; /* questions to send, one behind the other */
	size_t lengths[PORT_IN_FLIGHT];
	unsigned n_out;
};

/* Random octets are used from the end of what was last got. */
struct ports {
	struct loop *loop;
	const struct addr *servers;
	struct ports_events events;
	struct port *ports;
	struct port **shared; /* by server: the one to be joined first; NULL: none */
	uint8_t random[256];
	size_t random_left;
};

struct ports *ports_new(struct loop *loop, const struct addr *servers, size_t n,
			const struct ports_events *events)
{
	struct ports *p = xcalloc(1, sizeof *p);

	p->loop = loop;
	p->servers = servers;
	p->events = *events;
	p->shared = xcalloc(n, sizeof(struct port *));
	return p;
}

static void port_free(struct port *port)
{
	*port->place = port->next;
	if (port->next)
		port->next->place = port->place;
	watch_free(port->watch);
	(void)close(port->fd); /* a datagram socket has nothing left to lose */
	buf_fini(&port->out);
	free(port);
}

void ports_free(struct ports *p)
{
	if (!p)
		return;
	for (struct port *port = p->ports, *next; port; port = next) {
		next = port->next;
		port_free(port);
	}
	free(p->shared);
	free(p);
}

uint16_t ports_random(struct ports *p)
{
	uint16_t id;

	if (p->random_left < sizeof id) {
		ssize_t n;

		do
			n = getrandom(p->random, sizeof p->random, 0);
		while (n < 0 && errno == EINTR);
		if (n < (ssize_t)sizeof id) /* guessable ids are worse than none */
			cannot_go_on("cannot get random numbers", strerror(errno));
		p->random_left = (size_t)n;
	}
	p->random_left -= sizeof id;
	memcpy(&id, p->random + p->random_left, sizeof id);
	return id;
}

bool port_error_is_local(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM || err == EACCES ||
	       err == EPERM;
}

static int open_socket(int family)
{
#ifdef SOCK_NONBLOCK
	return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
	int fd = socket(family, SOCK_DGRAM, 0);

	if (fd >= 0 &&
	    (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)) {
		(void)close(fd); /* nothing was sent */
		return -1;
	}
	return fd;
#endif
}

/* Connected: only what comes from the server's own address gets here. */
static int open_udp(const struct addr *server)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(server, &sa);
	int fd = open_socket(server->family);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, len) != 0) {
		int err = errno;

		(void)close(fd); /* nothing was sent */
		errno = err;
		return -1;
	}
	return fd;
}

static void retire(struct port *port)
{
	port->closing = true;
	if (port->all->shared[port->server] == port)
		port->all->shared[port->server] = NULL;
}

static struct ticket *ticket_of(const struct port *port, uint16_t id)
{
	struct ticket *t = port->tickets;

	while (t && t->id != id)
		t = t->next;
	return t;
}

/* Everybody leaves, and is told; a ticket that joins anew in its call-back gets another port. */
static void desert(struct port *port, const char *why, enum port_fault fault)
{
	struct ticket *t;

	retire(port);
	while ((t = port->tickets) != NULL) {
		ports_leave(t);
		port->all->events.failed(t, why, fault);
	}
}

static void take(struct port *port, const uint8_t *wire, size_t n)
{
	struct ticket *t;
	struct dns_header h;

	if (dns_header_read(&h, wire, n) && h.response && (t = ticket_of(port, h.id)) != NULL &&
	    port->all->events.datagram(t, wire, n))
		return;
	/* Each question may have one answer that came too late. */
	if (++port->wrong > WRONG_MAX + port->asked)
		desert(port, "a flood of wrong answers", PORT_SERVER);
}

/* Reads up to BATCH datagrams; their number, or -1 and errno. */
static int receive(int fd, uint8_t wires[BATCH][DATAGRAM_MAX], size_t sizes[BATCH], unsigned most)
{
#ifdef __linux__
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	int n;

	if (most > 1) {
		memset(messages, 0, sizeof messages);
		for (unsigned i = 0; i < most; i++) {
			iov[i] = (struct iovec){wires[i], DATAGRAM_MAX};
			messages[i].msg_hdr.msg_iov = &iov[i];
			messages[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(fd, messages, most, 0, NULL);
		for (int i = 0; i < n; i++)
			sizes[i] = messages[i].msg_len;
		return n;
	}
#endif
	ssize_t got = recv(fd, wires[0], DATAGRAM_MAX, 0);

	(void)most;
	sizes[0] = got > 0 ? (size_t)got : 0;
	return got < 0 ? -1 : 1;
}

static void on_ready(void *arg, unsigned ready)
{
	struct port *port = arg;
	uint8_t wires[BATCH][DATAGRAM_MAX];
	size_t sizes[BATCH];

	if (!(ready & READY_READ))
		return;
	if (!port->n_tickets) { /* nobody was asked */
		retire(port);
		port->all->events.work(port->all->events.arg);
	}
	/* Until the socket is empty, or nobody waits at it. */
	while (port->n_tickets) {
		unsigned most = port->n_tickets < BATCH ? port->n_tickets : BATCH;
		int n = receive(port->fd, wires, sizes, most);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				desert(port, strerror(errno),
				       port_error_is_local(errno) ? PORT_LOCAL : PORT_SYSTEM);
			return;
		}
		for (int i = 0; i < n; i++)
			take(port, wires[i], sizes[i]);
	}
}

static struct port *open_port(struct ports *p, size_t server, bool alone)
{
	int fd = open_udp(&p->servers[server]);
	struct port *port;

	if (fd < 0)
		return NULL;
	port = xcalloc(1, sizeof *port);
	port->all = p;
	port->server = server;
	port->fd = fd;
	port->alone = port->closing = alone;
	port->place = &p->ports;
	port->next = p->ports;
	if (port->next)
		port->next->place = &port->next;
	p->ports = port;
	port->watch = watch_new(p->loop, fd, on_ready, port);
	watch_aside(port->watch); /* who waits has a timer */
	watch_want(port->watch, READY_READ);
	if (!alone)
		p->shared[server] = port;
	return port;
}

/* A shared port that has room; NULL: none. The questions in flight are bounded, so is the list. */
static struct port *with_room(struct ports *p, size_t server)
{
	struct port *port = p->shared[server];

	if (!port || port->n_tickets == PORT_IN_FLIGHT)
		for (port = p->ports; port; port = port->next)
			if (!port->closing && port->server == server &&
			    port->n_tickets < PORT_IN_FLIGHT)
				break;
	if (port)
		p->shared[server] = port;
	return port;
}

bool ports_join(struct ports *p, struct ticket *t, size_t server, bool alone)
{
	struct port *port = alone ? NULL : with_room(p, server);

	if (!port)
		port = open_port(p, server, alone);
	if (!port)
		return false;
	do
		t->id = ports_random(p);
	while (ticket_of(port, t->id));
	t->port = port;
	t->place = &port->tickets;
	t->next = port->tickets;
	if (t->next)
		t->next->place = &t->next;
	port->tickets = t;
	port->n_tickets++;
	if (++port->asked == PORT_QUESTIONS)
		retire(port);
	return true;
}

void ports_leave(struct ticket *t)
{
	struct port *port = t->port;

	if (!port)
		return;
	*t->place = t->next;
	if (t->next)
		t->next->place = t->place;
	*t = (struct ticket){0};
	port->n_tickets--;
	if (!port->n_tickets && port->closing)
		port->all->events.work(port->all->events.arg);
}

static void send_all(struct port *port)
{
	char *at = port->out.data;
	unsigned sent = 0;

#ifdef __linux__
	if (port->n_out > 1) {
		struct mmsghdr messages[PORT_IN_FLIGHT];
		struct iovec iov[PORT_IN_FLIGHT];
		int n;

		memset(messages, 0, sizeof messages);
		for (unsigned i = 0; i < port->n_out; i++) {
			iov[i] = (struct iovec){at, port->lengths[i]};
			messages[i].msg_hdr.msg_iov = &iov[i];
			messages[i].msg_hdr.msg_iovlen = 1;
			at += port->lengths[i];
		}
		n = sendmmsg(port->fd, messages, port->n_out, 0);
		sent = n > 0 ? (unsigned)n : 0;
		at = port->out.data;
		for (unsigned i = 0; i < sent; i++)
			at += port->lengths[i];
	}
#endif
	for (; sent < port->n_out; sent++) {
		(void)send(port->fd, at, port->lengths[sent], 0); /* else lost on the way */
		at += port->lengths[sent];
	}
	port->n_out = 0;
	buf_clear(&port->out);
}

void ports_send(struct ticket *t, const uint8_t *wire, size_t n)
{
	struct port *port = t->port;

	if (port->alone) {
		(void)send(port->fd, wire, n, 0); /* else lost on the way */
		return;
	}
	if (port->n_out == PORT_IN_FLIGHT)
		send_all(port);
	if (!port->n_out)
		port->all->events.work(port->all->events.arg);
	port->lengths[port->n_out++] = n;
	buf_add(&port->out, wire, n);
}

void ports_flush(struct ports *p)
{
	for (struct port *port = p->ports; port; port = port->next)
		if (port->n_out)
			send_all(port);
}

void ports_sweep(struct ports *p)
{
	struct port *next;

	for (struct port *port = p->ports; port; port = next) {
		next = port->next;
		/* A shared one stays: more questions are likely. */
		if (port->closing && !port->n_tickets)
			port_free(port);
	}
}

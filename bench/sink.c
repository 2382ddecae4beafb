/* A sink for load: DNS and SMTP on loopback, as fast as one core can.
 *
 *   sink [-d GREETING_DELAY_MS] [-x DEAD_PERCENT] [-t CERT.pem] DOMAINS HOSTS ADDRESSES
 *
 * Prints "dns=PORT smtp=PORT" and serves until its standard input ends; then prints what it
 * counted, a name and a number a line. Names: d<i>.bench has the MX hosts h<k>.bench, HOSTS of
 * them, chosen so that all domains together lead to ADDRESSES addresses; h<k>.bench has one
 * address. With -x so many percent of the addresses swallow the SYN; with -t STARTTLS is offered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 70000, EVENTS = 512, ADDRESS_BASE = 0x7F400001 /* 127.64.0.1 */ };

enum state { FREE, DELAYED, OPEN, HANDSHAKE, SECURE };

struct connection {
	enum state state;
	SSL *ssl;
	double greet_at;
	char in[256];
	size_t n;
};

static struct connection connections[CONNECTIONS]; /* by descriptor */
static int delayed[CONNECTIONS]; /* a ring of descriptors in the order of greet_at */
static size_t delayed_first, delayed_end;
static unsigned long domains, hosts, addresses, dead_percent;
static double delay;
static SSL_CTX *ctx;
static int ep;
static struct {
	unsigned long questions, connections, mail, quit, handshakes, open, most_open, tls,
	    most_tls;
} count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void watch(int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll_ctl");
}

/* DNS: the question is read where it stands, the answer written behind it. */

static size_t put_record(unsigned char *out, unsigned type, const void *data, size_t n)
{
	const unsigned char head[] = {0xC0, 12, 0, (unsigned char)type, 0, 1, 0, 0,
				      14,   16, 0, (unsigned char)n};

	memcpy(out, head, sizeof head);
	memcpy(out + sizeof head, data, n);
	return sizeof head + n;
}

static size_t answer(unsigned char *p, size_t n)
{
	unsigned long number = 0, answers = 0;
	size_t at = 12, end;
	unsigned type;
	char kind;

	if (n < 12 + 8)
		return 0;
	kind = (char)p[13];
	for (size_t i = 1; i < p[12]; i++)
		number = number * 10 + (p[13 + i] - '0');
	while (at < n && p[at])
		at += p[at] + 1u;
	end = at + 5;
	if (end > n)
		return 0;
	type = p[at + 2];
	p[2] = 0x81;
	p[3] = 0x80;
	memset(p + 6, 0, 6);
	if (kind == 'd' && type == 15) {
		for (unsigned long i = 0; i < hosts; i++) {
			unsigned char rdata[40] = {0, 10};
			unsigned long host = (number * hosts + i) % addresses;
			int len = snprintf((char *)rdata + 3, 20, "h%lu", host);
			size_t at_name = 2;

			rdata[at_name] = (unsigned char)len;
			at_name += 1 + (size_t)len;
			/* ".bench": where it stands in the question. */
			rdata[at_name++] = 0xC0;
			rdata[at_name++] = (unsigned char)(12 + 1 + p[12]);
			end += put_record(p + end, 15, rdata, at_name);
			answers++;
		}
	} else if (kind == 'h' && type == 1) {
		uint32_t ip = htonl((uint32_t)(ADDRESS_BASE + number));

		end += put_record(p + end, 1, &ip, 4);
		answers = 1;
	}
	p[6] = (unsigned char)(answers >> 8);
	p[7] = (unsigned char)answers;
	if (!answers) { /* a SOA of its own: that there is nothing is known */
		static const unsigned char soa[] = {0xC0, 12, 0xC0, 12, 0, 0, 0, 1, 0, 0, 1, 0,
						    0,    0,  1,    0,  0, 1, 0, 0, 0, 0, 1, 0};

		end += put_record(p + end, 6, soa, sizeof soa);
		p[9] = 1;
	}
	return end;
}

static void serve_dns(int fd)
{
	unsigned char packet[4096];
	struct sockaddr_in from;

	for (;;) {
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(fd, packet, 600, 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			return;
		count.questions++;
		n = (ssize_t)answer(packet, (size_t)n);
		if (n)
			(void)!sendto(fd, packet, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

/* SMTP */

static void drop(int fd)
{
	struct connection *c = &connections[fd];

	count.tls -= c->ssl != NULL;
	SSL_free(c->ssl);
	memset(c, 0, sizeof *c);
	close(fd);
	count.open--;
}

static bool say(int fd, const char *text)
{
	struct connection *c = &connections[fd];
	int n = (int)strlen(text);

	return c->ssl ? SSL_write(c->ssl, text, n) == n
		      : send(fd, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool command(int fd, const char *line)
{
	struct connection *c = &connections[fd];

	if (!strncmp(line, "HELO", 4))
		return say(fd, "250 sink.bench\r\n");
	if (!strncmp(line, "EHLO", 4))
		return say(fd, ctx && !c->ssl
				   ? "250-sink.bench\r\n250-SIZE 35882577\r\n250-STARTTLS\r\n"
				     "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
				   : "250-sink.bench\r\n250-SIZE 35882577\r\n250-PIPELINING\r\n"
				     "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
	if (!strncmp(line, "STARTTLS", 8)) {
		if (!say(fd, "220 2.0.0 Ready to start TLS\r\n"))
			return false;
		c->ssl = SSL_new(ctx);
		SSL_set_fd(c->ssl, fd);
		SSL_set_accept_state(c->ssl);
		SSL_set_read_ahead(c->ssl, 1);
		c->state = HANDSHAKE;
		if (++count.tls > count.most_tls)
			count.most_tls = count.tls;
		return true;
	}
	if (!strncmp(line, "MAIL FROM:", 10)) {
		count.mail++;
		return say(fd, "250 2.1.0 Ok\r\n");
	}
	if (!strncmp(line, "QUIT", 4)) {
		count.quit++;
		(void)say(fd, "221 2.0.0 Bye\r\n");
		return false;
	}
	return say(fd, "500 5.5.1 Unknown\r\n");
}

static void serve_smtp(int fd)
{
	struct connection *c = &connections[fd];

	if (c->state == FREE)
		return;
	if (c->state == HANDSHAKE) {
		int got = SSL_do_handshake(c->ssl);

		if (got != 1) {
			int why = SSL_get_error(c->ssl, got);

			if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
				drop(fd);
			return;
		}
		count.handshakes++;
		c->state = SECURE;
	}
	for (;;) {
		char *lf;
		int n = c->ssl ? SSL_read(c->ssl, c->in + c->n, (int)(sizeof c->in - c->n - 1))
			       : (int)recv(fd, c->in + c->n, sizeof c->in - c->n - 1, 0);

		if (n <= 0) {
			int why = c->ssl ? SSL_get_error(c->ssl, n) : 0;

			if (c->ssl ? why == SSL_ERROR_WANT_READ : n < 0 && errno == EAGAIN)
				return;
			drop(fd);
			return;
		}
		c->n += (size_t)n;
		c->in[c->n] = '\0';
		lf = strchr(c->in, '\n');
		if (!lf) {
			if (c->n > 200)
				drop(fd);
			return;
		}
		c->n = 0;
		if (!command(fd, c->in)) {
			drop(fd);
			return;
		}
		if (c->state != SECURE)
			return;
	}
}

static void greet(int fd)
{
	connections[fd].state = OPEN;
	if (!say(fd, "220 sink.bench ESMTP\r\n"))
		drop(fd);
}

static void accept_all(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (fd >= CONNECTIONS) {
			close(fd);
			continue;
		}
		count.connections++;
		if (++count.open > count.most_open)
			count.most_open = count.open;
		memset(&connections[fd], 0, sizeof connections[fd]);
		watch(fd, EPOLLIN | EPOLLET);
		if (delay > 0) {
			connections[fd].state = DELAYED;
			connections[fd].greet_at = now() + delay;
			delayed[delayed_end++ % CONNECTIONS] = fd;
		} else {
			greet(fd);
		}
	}
}

static int listen_on(uint32_t ip, unsigned short port, int type)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, size = 8 << 20;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	/* So that the dead can listen beside the socket that has all addresses. */
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
		die("bind");
	return fd;
}

static unsigned short port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof a;

	getsockname(fd, (struct sockaddr *)&a, &len);
	return ntohs(a.sin_port);
}

/* A listener of its own whose queue is full: further SYNs get no answer. */
static void swallow(unsigned long number, unsigned short port)
{
	uint32_t ip = (uint32_t)(ADDRESS_BASE + number);
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
	int fd = listen_on(ip, port, SOCK_STREAM);

	if (listen(fd, 0) != 0)
		die("listen");
	for (int i = 0; i < 3; i++) {
		int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		(void)!connect(c, (struct sockaddr *)&a,
			       sizeof a); /* stays open: it fills the queue */
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: sink [-d MS] [-x PERCENT] [-t CERT.pem] DOMAINS HOSTS ADDRESSES\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	struct epoll_event events[EVENTS];
	int opt, smtp, dns;
	const char *cert = NULL;

	while ((opt = getopt(argc, argv, "d:x:t:")) != -1) {
		if (opt == 'd')
			delay = strtod(optarg, NULL) / 1000;
		else if (opt == 'x')
			dead_percent = strtoul(optarg, NULL, 10);
		else if (opt == 't')
			cert = optarg;
		else
			usage();
	}
	if (argc - optind != 3)
		usage();
	domains = strtoul(argv[optind], NULL, 10);
	hosts = strtoul(argv[optind + 1], NULL, 10);
	addresses = strtoul(argv[optind + 2], NULL, 10);
	if (!domains || !hosts || !addresses || addresses > 4000000)
		usage();
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (cert) {
		ctx = SSL_CTX_new(TLS_server_method());
		if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
		    SSL_CTX_use_PrivateKey_file(ctx, cert, SSL_FILETYPE_PEM) != 1) {
			ERR_print_errors_fp(stderr);
			return 1;
		}
		SSL_CTX_set_num_tickets(ctx, 0);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	}
	ep = epoll_create1(EPOLL_CLOEXEC);
	smtp = listen_on(INADDR_ANY, 0, SOCK_STREAM);
	/* The dead first: an address of their own must be free when it is bound. */
	for (unsigned long i = 0; dead_percent && i < addresses; i += 100)
		for (unsigned long k = 0; k < dead_percent && i + k < addresses; k++)
			swallow(i + k, port_of(smtp));
	if (listen(smtp, 65535) != 0)
		die("listen");
	dns = listen_on(INADDR_LOOPBACK, 0, SOCK_DGRAM);
	watch(smtp, EPOLLIN | EPOLLET);
	watch(dns, EPOLLIN | EPOLLET);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	watch(STDIN_FILENO, EPOLLIN | EPOLLRDHUP);
	printf("dns=%u smtp=%u\n", port_of(dns), port_of(smtp));
	fflush(stdout);
	for (bool run = true; run;) {
		int wait = -1, n;

		while (delayed_first < delayed_end) {
			int fd = delayed[delayed_first % CONNECTIONS];
			double left = connections[fd].greet_at - now();

			if (connections[fd].state == DELAYED && left > 0) {
				wait = (int)(left * 1000) + 1;
				break;
			}
			if (connections[fd].state == DELAYED)
				greet(fd);
			delayed_first++;
		}
		n = epoll_wait(ep, events, EVENTS, wait);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			char octet;

			if (fd == smtp)
				accept_all(fd);
			else if (fd == dns)
				serve_dns(fd);
			else if (fd == STDIN_FILENO)
				run = read(fd, &octet, 1) != 0;
			else
				serve_smtp(fd);
		}
	}
	printf("questions %lu\nconnections %lu\nhandshakes %lu\nmail %lu\nquit %lu\nmost_open %lu\n"
	       "most_tls %lu\n",
	       count.questions, count.connections, count.handshakes, count.mail, count.quit,
	       count.most_open, count.most_tls);
	return 0;
}

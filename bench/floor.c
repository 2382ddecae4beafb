/* The floor: the same work with nothing thought about. A minimal DNS client and a minimal epoll
 * client that take every read for the awaited reply; what a prober costs above this is what it does
 * with what it sees.
 *
 *   floor [-j JOBS] [-t] [-w SEC] [-o FILE -b OCTETS] DNS_PORT SMTP_PORT DOMAINS
 *
 * -t: STARTTLS; -o: a line of so many octets for each domain, synced at the end.
 *
 * Domains are d0.bench to d<DOMAINS-1>.bench, of each host A and AAAA are asked; every address is
 * contacted once. With -w one that has not greeted after SEC is given up. Prints how many sessions
 * it had. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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

enum { CONNECTIONS = 70000, EVENTS = 512, IN_FLIGHT = 100, HOSTS_MAX = 4000000 };

struct connection {
	int step;
	unsigned turn; /* which use of the descriptor this is */
	SSL *ssl;
	double give_up;
};

struct waiting {
	int fd;
	unsigned turn;
};

static struct connection connections[CONNECTIONS];
static unsigned char *known; /* a bit for each host number: 1 asked, 2 contacted */
static uint32_t *to_contact;
static size_t n_contact, at_contact;
static unsigned long *to_ask; /* host numbers */
static size_t n_ask, at_ask, at_domain, domains;
static unsigned in_flight, open_now, jobs = 1000;
static unsigned long done;
static unsigned short smtp_port;
static struct waiting *waiting; /* for a greeting, in the order of their limits */
static size_t n_waiting, first_waiting;
static double patience;
static bool tls;
static int report = -1;
static size_t line_octets, n_block;
static char block[65536];
static SSL_CTX *ctx;
static int ep, dns;

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

static void flush_block(void)
{
	if (n_block && write(report, block, n_block) != (ssize_t)n_block)
		die("write");
	n_block = 0;
}

static void write_line(void)
{
	for (size_t left = line_octets; report >= 0 && left;) {
		size_t n = left < sizeof block - n_block ? left : sizeof block - n_block;

		memset(block + n_block, left == n ? '\n' : 'x', n);
		n_block += n;
		left -= n;
		if (n_block == sizeof block)
			flush_block();
	}
}

static void ask(char kind, unsigned long number, unsigned char type)
{
	unsigned char q[64] = {0, 1, 1, 0, 0, 1};
	int n = snprintf((char *)q + 13, 20, "%c%lu", kind, number);
	size_t at = 13 + (size_t)n;

	q[12] = (unsigned char)n;
	memcpy(q + at, "\5bench\0\0", 8);
	at += 8;
	q[at++] = type;
	q[at++] = 0;
	q[at++] = 1;
	if (send(dns, q, at, 0) < 0)
		die("send");
	in_flight++;
}

static void ask_more(void)
{
	while (in_flight < IN_FLIGHT && (at_ask < n_ask || at_domain < domains)) {
		if (at_ask < n_ask) {
			ask('h', to_ask[at_ask], 1);
			ask('h', to_ask[at_ask++], 28);
		} else {
			ask('d', at_domain++, 15);
		}
	}
}

/* Records are taken from where they must stand. */
static void answers(void)
{
	unsigned char p[4096];
	ssize_t n;

	while ((n = recv(dns, p, sizeof p, MSG_DONTWAIT)) > 0) {
		size_t at = 12 + p[12] + 1u + 7 + 4, count = (size_t)(p[6] << 8 | p[7]);

		in_flight--;
		if (p[13] == 'd')
			write_line();
		for (size_t i = 0; i < count && at + 12 < (size_t)n; i++) {
			unsigned size = p[at + 11];

			if (p[at + 3] == 15) {
				unsigned long number = strtoul((char *)p + at + 12 + 4, NULL, 10);

				if (number < HOSTS_MAX && !known[number]) {
					known[number] = 1;
					to_ask[n_ask++] = number;
				}
			} else if (p[at + 3] == 1) {
				memcpy(&to_contact[n_contact++], p + at + 12, 4);
			}
			at += 12 + size;
		}
	}
}

static void contact_more(void)
{
	while (open_now < jobs && at_contact < n_contact) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(smtp_port)};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

		if (fd < 0 || fd >= CONNECTIONS)
			die("socket");
		memcpy(&a.sin_addr, &to_contact[at_contact++], 4);
		if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0 && errno != EINPROGRESS)
			die("connect");
		connections[fd] = (struct connection){.turn = connections[fd].turn + 1};
		if (patience > 0) {
			connections[fd].give_up = now() + patience;
			waiting[n_waiting++] = (struct waiting){fd, connections[fd].turn};
		}
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) != 0)
			die("epoll_ctl");
		open_now++;
	}
}

static void say(struct connection *c, int fd, const char *text)
{
	size_t n = strlen(text);

	if (c->ssl)
		SSL_write(c->ssl, text, (int)n);
	else
		(void)!send(fd, text, n, MSG_NOSIGNAL);
}

static void step(int fd)
{
	static const char *const plain[] = {"EHLO probe.bench\r\n", "MAIL FROM:<>\r\n", "QUIT\r\n"};
	static const char *const secure[] = {
	    "EHLO probe.bench\r\n", "STARTTLS\r\n",     "",
	    "EHLO probe.bench\r\n", "MAIL FROM:<>\r\n", "QUIT\r\n"};
	struct connection *c = &connections[fd];
	char in[4096];
	int n, last = tls ? 6 : 3;

	if (c->ssl && c->step == 3) {
		n = SSL_do_handshake(c->ssl);
		if (n != 1)
			return;
		say(c, fd, secure[c->step++]);
		return;
	}
	n = c->ssl ? SSL_read(c->ssl, in, sizeof in) : (int)recv(fd, in, sizeof in, 0);
	if (n < 0 && (c->ssl ? SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ : errno == EAGAIN))
		return;
	if (n <= 0 || c->step == last) {
		done += c->step == last;
		c->turn++;
		SSL_free(c->ssl);
		close(fd);
		open_now--;
		return;
	}
	if (tls && c->step == 2) {
		c->ssl = SSL_new(ctx);
		SSL_set_fd(c->ssl, fd);
		SSL_set_connect_state(c->ssl);
		SSL_set_read_ahead(c->ssl, 1);
		c->step = 3;
		/* The answer may be there already, whose edge has then passed. */
		if (SSL_do_handshake(c->ssl) == 1)
			say(c, fd, secure[c->step++]);
		return;
	}
	say(c, fd, tls ? secure[c->step] : plain[c->step]);
	c->step++;
}

/* Gives up who has waited too long; milliseconds until the next one is due. */
static int give_up(void)
{
	while (first_waiting < n_waiting) {
		struct waiting w = waiting[first_waiting];
		struct connection *c = &connections[w.fd];

		if (c->turn == w.turn && c->step == 0) {
			double left = c->give_up - now();

			if (left > 0)
				return (int)(left * 1000) + 1;
			c->turn++;
			close(w.fd);
			open_now--;
		}
		first_waiting++;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS], e = {.events = EPOLLIN};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct rlimit limit;
	int opt;

	while ((opt = getopt(argc, argv, "j:tw:o:b:")) != -1) {
		if (opt == 'j')
			jobs = (unsigned)strtoul(optarg, NULL, 10);
		else if (opt == 't')
			tls = true;
		else if (opt == 'w')
			patience = strtod(optarg, NULL);
		else if (opt == 'b')
			line_octets = strtoul(optarg, NULL, 10);
		else if (opt == 'o')
			report = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		else
			return 2;
	}
	if (argc - optind != 3)
		return 2;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	a.sin_port = htons((unsigned short)strtoul(argv[optind], NULL, 10));
	smtp_port = (unsigned short)strtoul(argv[optind + 1], NULL, 10);
	domains = strtoul(argv[optind + 2], NULL, 10);
	known = calloc(HOSTS_MAX, 1);
	to_ask = calloc(HOSTS_MAX, sizeof *to_ask);
	to_contact = calloc(HOSTS_MAX, sizeof *to_contact);
	waiting = calloc(HOSTS_MAX, sizeof *waiting);
	if (tls) {
		ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	}
	ep = epoll_create1(EPOLL_CLOEXEC);
	dns = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!known || !to_ask || !to_contact || !waiting || ep < 0 || dns < 0 ||
	    connect(dns, (struct sockaddr *)&a, sizeof a) != 0)
		die("floor");
	e.data.fd = dns;
	epoll_ctl(ep, EPOLL_CTL_ADD, dns, &e);
	for (;;) {
		int n, wait;

		ask_more();
		contact_more();
		wait = give_up();
		if (!open_now && !in_flight && at_ask == n_ask && at_domain == domains &&
		    at_contact == n_contact)
			break;
		n = epoll_wait(ep, events, EVENTS, wait);
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == dns)
				answers();
			else
				step(events[i].data.fd);
		}
	}
	flush_block();
	if (report >= 0 && fsync(report) != 0)
		die("fsync");
	printf("%lu\n", done);
	return 0;
}

#include "lab/smtp_server.h"

#include "base/buf.h"
#include "lab/ports.h"
#include "lab/tls_server.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, OUT_MAX = 256 * 1024, PIECE = 16 * 1024 };
/* What a client may send (RFC 5321 4.5.3.1.4), and what it must put up with. */
enum { COMMAND_MAX = 512, LINE_MAX_OCTETS = 4096, LINES_MAX = 512, OCTETS_MAX = 65536 };

struct server {
	struct smtp_server *all;
	const struct smtp_place *place;
	char text[ADDR_STRLEN];
	int fd;
	struct watch *watch;
	unsigned connections, open;
};

enum mode { MODE_PLAIN, MODE_HANDSHAKE, MODE_TLS };
enum after { AFTER_NOTHING, AFTER_CLOSE, AFTER_RESET, AFTER_HALF };

struct conn {
	struct server *server;
	struct conn *next, **at;
	const struct face *face;
	char *name; /* the host name it says */
	unsigned number;
	int fd;
	struct watch *watch;
	struct timer timer;
	struct buf in, out;

	/* the script that runs */
	enum lab_phase phase;
	const struct script *script;
	size_t action;
	bool busy;    /* it has not ended */
	bool acted;   /* it has said or done something */
	bool waiting; /* for the timer */
	bool silent;  /* it will never end */
	bool half;    /* our side has been shut */
	bool peer_gone;
	enum after after; /* once everything has been sent */
	char *healthy;    /* text of ACT_OK */
	const char *bytes;
	size_t n, sent;
	uint64_t times; /* how often the bytes are still to be sent; UINT64_MAX: always */
	usec_t drip;
	size_t drip_size;

	/* TLS */
	enum mode mode;
	struct tls_server *tls;
	bool tls_started, limited, limit_resets;
	uint64_t limit; /* octets that may still be sent, when limited */
	usec_t slow;    /* pause between two pieces on the wire; 0: none */
	size_t slow_size;
	struct timer pace;
	bool pacing;     /* it is armed */
	struct buf wire; /* of a handshake that waits for its script */

	/* what the client has been told, and what it has done */
	char line[4], code[3]; /* the beginning of the line being sent, of its reply's first */
	size_t column;
	unsigned lines; /* of the reply being sent, before this one */
	size_t octets;  /* of it */
	bool mixed;     /* its lines have several codes */
	unsigned turns; /* replies that have been sent, less commands that have come */
	bool sound;     /* the reply being sent is one by RFC 5321, so far */
	bool well;      /* all were such that a client can go on from there */
	bool accepted;  /* a 2xx has been sent since */
	bool greeted, quit, scolded;
	bool lost; /* what it said last, as it may be */
};

struct smtp_server {
	struct loop *loop;
	const struct scenario *scenario;
	struct ca *ca;
	struct log *log;
	struct server *servers;
	size_t n_servers;
	struct conn *conns;
	struct conn *current; /* whose call-back runs; NULL once it has been freed */
	size_t open;
	int *fillers; /* our own connections into the black holes */
	size_t n_fillers;
	uint16_t port;
	usec_t began;
	unsigned seed;
};

static void pump(struct conn *);

/* ---- names ---- */

char *smtp_server_name(const struct face *face, const struct addr *addr)
{
	if (face->name)
		return xstrdup(face->name);
	char text[ADDR_STRLEN];
	char *name = xasprintf("mx-%s.lab.example", addr_format(addr, text));
	for (char *c = name; c < name + strlen(name) - strlen(".lab.example"); c++)
		if (!isalnum((unsigned char)*c))
			*c = '-';
	return name;
}

/* ---- what clients must not do ---- */

static void violation(struct conn *c, const char *kind, const char *bytes, size_t n)
{
	struct smtp_server *all = c->server->all;
	log_line(all->log, "violation %s %u %s %s", c->server->text, c->number, kind,
		 log_safe(bytes, n));
	log_count(all->log, 1, "violations");
	log_count(all->log, 1, "violations %s", kind);
}

/* RFC 5321 4.1.1.1: a full host name or an address literal. */
static bool good_ehlo(const char *name, size_t n)
{
	bool dot = false;
	if (n > 2 && name[0] == '[' && name[n - 1] == ']')
		return true;
	if (n == 0 || name[0] == '.' || name[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		dot |= name[i] == '.';
		if (!isalnum((unsigned char)name[i]) && !strchr("-._", name[i]))
			return false;
	}
	return dot;
}

static void check_line(struct conn *c, const char *line, size_t n)
{
	if (n == 0 || line[n - 1] != '\r')
		violation(c, "bare-lf", line, n);
	if (n + 1 > COMMAND_MAX)
		violation(c, "long-command", line, n);
	for (size_t i = 0; i + 1 < n; i++)
		if ((unsigned char)line[i] < ' ' || (unsigned char)line[i] > '~') {
			violation(c, "odd-octets", line, n);
			break;
		}
}

/* The client has closed: was that polite? */
static void check_end(struct conn *c)
{
	if (c->lost)
		return;
	/* Who leaves right after the handshake did not like the certificate. */
	bool expected = c->mode == MODE_PLAIN || (c->mode == MODE_TLS && c->greeted);
	/* What was never taken may have been a QUIT, or what has to be answered before one. */
	if (!c->quit && c->turns && c->well && expected && !c->half && !c->in.len)
		violation(c, "no-quit", "", 0);
	if (c->quit && c->mode == MODE_TLS && !tls_server_closed(c->tls))
		violation(c, "no-close-notify", "", 0);
}

/* ---- the end ---- */

static void conn_free(struct conn *c)
{
	struct server *server = c->server;
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	if (server->all->current == c)
		server->all->current = NULL;
	server->open--;
	server->all->open--;
	timer_fini(&c->timer);
	timer_fini(&c->pace);
	watch_free(c->watch);
	(void)close(c->fd);
	tls_server_free(c->tls);
	buf_fini(&c->in);
	buf_fini(&c->out);
	buf_fini(&c->wire);
	free(c->healthy);
	free(c->name);
	free(c);
}

static void conn_end(struct conn *c, const char *who)
{
	log_line(c->server->all->log, "end %s %u %s", c->server->text, c->number, who);
	if (strcmp(who, "client") == 0)
		check_end(c);
	conn_free(c);
}

/* ---- sending ---- */

/* One line has been sent whole: is it the client's turn, and can it go on from there? */
static void track_line(struct conn *c)
{
	bool code = c->column >= 3 && c->line[0] >= '2' && c->line[0] <= '5' &&
		    isdigit((unsigned char)c->line[1]) && isdigit((unsigned char)c->line[2]);
	if (c->lines++ == 0) {
		memcpy(c->code, c->line, sizeof c->code);
		c->sound = true;
		c->mixed = false;
		c->octets = 0;
	}
	c->octets += c->column + 1;
	c->mixed |= memcmp(c->code, c->line, sizeof c->code) != 0;
	c->sound &= code && c->column <= LINE_MAX_OCTETS && c->lines <= LINES_MAX &&
		    c->octets <= OCTETS_MAX;
	if (code && c->column > 3 && c->line[3] == '-')
		return;
	char first = c->line[0];
	bool fits = first == '2' && !c->mixed &&
		    (c->phase != LAB_BANNER || c->turns || memcmp(c->code, "220", 3) == 0);
	c->sound &=
	    (c->column == 3 || c->line[3] == ' ' || (c->line[3] == '\r' && c->column == 4)) &&
	    (first == '4' || first == '5' || fits);
	c->well &= c->sound;
	c->accepted |= c->sound && first == '2';
	c->turns++;
	c->lines = 0;
}

/* Remembers what the client can make of the octets. */
static void track(struct conn *c, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			track_line(c);
			c->column = 0;
			continue;
		}
		if (c->column < sizeof c->line)
			c->line[c->column] = bytes[i];
		c->column++;
	}
}

static void emit(struct conn *c, const char *bytes, size_t n)
{
	if (c->mode == MODE_TLS)
		tls_server_write(c->tls, bytes, n, &c->out);
	else
		buf_add(&c->out, bytes, n);
	if (c->mode != MODE_HANDSHAKE)
		track(c, bytes, n);
}

/* False: the connection has ended. */
static bool flush(struct conn *c)
{
	if (c->limited && c->out.len >= c->limit) {
		c->out.len = (uint32_t)c->limit;
		c->after = c->limit_resets ? AFTER_RESET : AFTER_CLOSE;
	}
	while (c->out.len && !c->half) {
		size_t most = c->slow && c->out.len > c->slow_size ? c->slow_size : c->out.len;
		if (c->pacing)
			return true;
		ssize_t n = send(c->fd, c->out.data, most, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			watch_want(c->watch, READY_READ | READY_WRITE);
			return true;
		}
		if (n < 0) {
			c->lost |= c->times > 0; /* see conn_ready */
			conn_end(c, "client");
			return false;
		}
		buf_consume(&c->out, (size_t)n);
		if (c->limited)
			c->limit -= (uint64_t)n;
		if (c->slow) {
			c->pacing = true;
			timer_at(&c->pace, loop_now(c->server->all->loop) + c->slow);
		}
	}
	watch_want(c->watch, READY_READ);
	if (c->after == AFTER_HALF) {
		(void)shutdown(c->fd, SHUT_WR); /* if it has gone, reading tells */
		c->after = AFTER_NOTHING;
		c->half = true;
	} else if (c->after != AFTER_NOTHING) {
		if (c->after == AFTER_RESET) {
			struct linger off = {.l_onoff = 1, .l_linger = 0};
			(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
		}
		conn_end(c, "server");
		return false;
	}
	return true;
}

/* ---- scripts ---- */

static char *ehlo_text(const struct conn *c)
{
	const char *list = c->face->extensions
			       ? c->face->extensions
			       : "SIZE 29696000,PIPELINING,8BITMIME,ENHANCEDSTATUSCODES";
	if (c->mode == MODE_TLS && c->face->tls_extensions)
		list = c->face->tls_extensions;
	struct buf text = {0};
	bool offer = c->face->cert != CERT_NONE && c->mode == MODE_PLAIN;
	buf_printf(&text, "250%c%s\r\n", *list || offer ? '-' : ' ', c->name);
	while (*list) {
		size_t n = strcspn(list, ",");
		const char *following = list + n + strspn(list + n, ", ");
		buf_printf(&text, "250%c%.*s\r\n", *following || offer ? '-' : ' ', (int)n, list);
		list = following;
	}
	if (offer)
		buf_addstr(&text, "250 STARTTLS\r\n");
	return buf_steal(&text);
}

static char *healthy_text(const struct conn *c)
{
	switch (c->phase) {
	case LAB_BANNER:
		return xasprintf("220 %s ESMTP ready\r\n", c->name);
	case LAB_EHLO:
	case LAB_EHLO_TLS:
		return ehlo_text(c);
	case LAB_HELO:
		return xasprintf("250 %s\r\n", c->name);
	case LAB_STARTTLS:
		return xstrdup(c->face->cert == CERT_NONE ? "502 5.5.1 Not offered\r\n"
							  : "220 2.0.0 Go ahead\r\n");
	case LAB_MAIL:
		return xstrdup("250 2.1.0 Sender OK\r\n");
	case LAB_QUIT:
		return xstrdup("221 2.0.0 Bye\r\n");
	case LAB_OTHER:
	case LAB_TLS:
	case LAB_PHASES:
		break;
	}
	return xstrdup("502 5.5.2 Command not recognized\r\n");
}

static void start_send(struct conn *c, const char *bytes, size_t n, uint64_t times)
{
	c->bytes = bytes;
	c->n = n;
	c->sent = 0;
	c->times = times ? times : UINT64_MAX;
	if (n == 0)
		c->times = 0;
}

static void feed_tls(struct conn *, const char *, size_t);

static void do_healthy(struct conn *c)
{
	if (c->phase == LAB_TLS) {
		c->tls_started = true;
		c->tls = tls_server_new(ca_context(c->server->all->ca, c->face, c->name));
		return;
	}
	free(c->healthy);
	c->healthy = healthy_text(c);
	start_send(c, c->healthy, strlen(c->healthy), 1);
}

static void wait_for(struct conn *c, usec_t from, usec_t to)
{
	struct smtp_server *all = c->server->all;
	if (to > from) {
		all->seed = all->seed * 1103515245u + 12345u;
		from += (usec_t)((all->seed >> 8) % (unsigned)(to - from));
	}
	c->waiting = true;
	timer_at(&c->timer, loop_now(all->loop) + from);
}

static void start_phase(struct conn *c, enum lab_phase phase)
{
	c->phase = phase;
	c->script = &c->face->script[phase];
	if (phase == LAB_EHLO_TLS && c->script->n == 0)
		c->script = &c->face->script[LAB_EHLO];
	c->action = 0;
	c->busy = true;
	c->acted = false;
	c->drip = 0;
	if (c->turns && phase != LAB_TLS)
		c->turns--;
	c->accepted = false;
	c->column = c->lines = 0;
}

/* One piece of what is being sent. False: wait, or the connection has ended (*gone). */
static bool send_piece(struct conn *c, bool *gone)
{
	if (c->out.len > OUT_MAX)
		return false;
	size_t n = c->n - c->sent, most = c->drip ? c->drip_size : PIECE;
	if (n > most)
		n = most;
	/* Short texts that go out many times share a piece. */
	if (c->sent == 0 && !c->drip && c->n < PIECE / 2 && c->times > 1) {
		while (c->times > 1 && c->out.len < OUT_MAX) {
			emit(c, c->bytes, c->n);
			if (c->times != UINT64_MAX)
				c->times--;
		}
	}
	emit(c, c->bytes + c->sent, n);
	c->sent += n;
	if (c->sent == c->n) {
		c->sent = 0;
		if (c->times != UINT64_MAX)
			c->times--;
	}
	if (!flush(c)) {
		*gone = true;
		return false;
	}
	if (c->drip && c->times) {
		wait_for(c, c->drip, c->drip);
		return false;
	}
	return true;
}

static bool act(struct conn *c, const struct action *action)
{
	c->acted |= action->kind != ACT_WAIT && action->kind != ACT_DRIP &&
		    action->kind != ACT_CUT && action->kind != ACT_SLOW &&
		    action->kind != ACT_RENEGOTIATE;
	switch (action->kind) {
	case ACT_OK:
		do_healthy(c);
		break;
	case ACT_WAIT:
		wait_for(c, action->from, action->to);
		break;
	case ACT_SEND:
		start_send(c, action->bytes, action->n, action->times);
		break;
	case ACT_DRIP:
		c->drip = action->from;
		c->drip_size = action->times;
		break;
	case ACT_CLOSE:
		c->after = AFTER_CLOSE;
		return flush(c);
	case ACT_RESET:
		c->after = AFTER_RESET;
		return flush(c);
	case ACT_HALF:
		c->after = AFTER_HALF;
		c->silent = true;
		return flush(c);
	case ACT_SILENCE:
		c->silent = true;
		break;
	case ACT_CUT:
		c->limited = true;
		c->limit = action->times;
		c->limit_resets = action->reset;
		break;
	case ACT_SLOW:
		c->slow = action->from;
		c->slow_size = action->times;
		break;
	case ACT_WIRE:
		for (uint64_t i = 0; i < action->times; i++)
			buf_add(&c->out, action->bytes, action->n);
		return flush(c);
	case ACT_NOTIFY:
		if (c->mode == MODE_TLS)
			tls_server_close(c->tls, &c->out);
		return flush(c);
	case ACT_RENEGOTIATE:
		if (c->mode == MODE_TLS)
			tls_server_renegotiate(c->tls, &c->out);
		return flush(c);
	}
	return true;
}

static void process_input(struct conn *);

static void end_phase(struct conn *c)
{
	c->busy = false;
	if (c->phase == LAB_STARTTLS && c->accepted &&
	    (c->face->cert != CERT_NONE || c->face->script[LAB_TLS].n)) {
		c->mode = MODE_HANDSHAKE;
		buf_clear(&c->in); /* what stood behind the command has been told of */
	}
	/* Who did not shake hands has said all there is to say. */
	c->silent |= c->phase == LAB_TLS && !c->tls_started;
	if (c->phase == LAB_TLS && c->tls_started) {
		struct buf hello = c->wire;
		buf_init(&c->wire, 0);
		feed_tls(c, hello.data, hello.len);
		buf_fini(&hello);
		return;
	}
	if (c->phase == LAB_QUIT) {
		if (c->mode == MODE_TLS)
			tls_server_close(c->tls, &c->out);
		c->after = AFTER_HALF;
		if (!flush(c))
			return;
	}
	process_input(c);
}

/* Runs the script as far as it goes. */
static void pump(struct conn *c)
{
	while (c->busy && !c->waiting && !c->silent && c->after == AFTER_NOTHING) {
		bool gone = false;
		if (c->times) {
			if (!send_piece(c, &gone))
				return;
		} else if (c->action < c->script->n) {
			if (!act(c, &c->script->actions[c->action++]))
				return;
		} else if (!c->acted) {
			/* A script that only says when, means: and then as usual. */
			c->acted = true;
			do_healthy(c);
		} else {
			end_phase(c);
			return;
		}
	}
}

static void timer_fired(void *arg)
{
	struct conn *c = arg;
	c->waiting = false;
	pump(c);
}

/* The wire takes a piece more. */
static void paced(void *arg)
{
	struct conn *c = arg;
	struct smtp_server *all = c->server->all;
	c->pacing = false;
	all->current = c;
	if (flush(c) && c->times && !c->waiting)
		pump(c);
}

/* ---- commands ---- */

static bool is_verb(const char *line, size_t n, const char *verb)
{
	size_t v = strlen(verb);
	return n >= v && strncasecmp(line, verb, v) == 0 &&
	       (n == v || line[v] == ' ' || line[v] == '\r');
}

static void take_command(struct conn *c, const char *line, size_t n)
{
	struct server *server = c->server;
	check_line(c, line, n);
	if (n && line[n - 1] == '\r')
		n--;
	log_line(server->all->log, "command %s %u %s", server->text, c->number, log_safe(line, n));
	if (is_verb(line, n, "EHLO") || is_verb(line, n, "HELO")) {
		bool ehlo = is_verb(line, n, "EHLO");
		if (n < 5 || !good_ehlo(line + 5, n - 5))
			violation(c, "bad-ehlo", line, n);
		c->greeted = true;
		start_phase(c, !ehlo ? LAB_HELO : c->mode == MODE_TLS ? LAB_EHLO_TLS : LAB_EHLO);
	} else if (is_verb(line, n, "STARTTLS")) {
		if (c->face->cert == CERT_NONE && !c->face->script[LAB_STARTTLS].n &&
		    !c->face->script[LAB_EHLO].n)
			violation(c, "starttls-not-offered", line, n);
		start_phase(c, LAB_STARTTLS);
	} else if (is_verb(line, n, "MAIL")) {
		if (!c->greeted)
			violation(c, "mail-before-ehlo", line, n);
		if (n < 12 || strncasecmp(line, "MAIL FROM:<", 11) != 0 || !memchr(line, '>', n))
			violation(c, "bad-mail", line, n);
		start_phase(c, LAB_MAIL);
	} else if (is_verb(line, n, "QUIT")) {
		c->quit = true;
		log_count(server->all->log, 1, "quits");
		start_phase(c, LAB_QUIT);
	} else {
		/* A probe has no business with recipients, data, or anything else. */
		violation(c,
			  is_verb(line, n, "RCPT") || is_verb(line, n, "DATA") ||
				  is_verb(line, n, "BDAT")
			      ? "rcpt-or-data"
			      : "odd-command",
			  line, n);
		start_phase(c, LAB_OTHER);
	}
}

/* Takes the next command, if the script of the one before has ended. */
static void process_input(struct conn *c)
{
	if (c->mode == MODE_HANDSHAKE) {
		if (!c->busy && !c->silent && !c->tls_started && c->wire.len) {
			start_phase(c, LAB_TLS);
			pump(c);
		}
		return;
	}
	if (c->busy || c->quit)
		return;
	const char *end = c->in.len ? memchr(c->in.data, '\n', c->in.len) : NULL;
	if (!end)
		return;
	size_t n = (size_t)(end - c->in.data);
	char *line = xmalloc(n);
	memcpy(line, c->in.data, n);
	buf_consume(&c->in, n + 1);
	take_command(c, line, n);
	free(line);
	/* Replies that came unasked may be answered at once. */
	if (c->in.len && !c->turns && !c->scolded) {
		violation(c, "pipelining", c->in.data, c->in.len);
		c->scolded = true;
	}
	pump(c);
}

/* ---- receiving ---- */

static void feed_tls(struct conn *c, const char *bytes, size_t n)
{
	struct smtp_server *all = c->server->all;
	bool was_ready = c->mode == MODE_TLS;
	uint32_t before = c->in.len;
	enum tls_server_state state = tls_server_feed(c->tls, bytes, n, &c->in, &c->out);
	if (!was_ready && (state == TLS_SERVER_READY || state == TLS_SERVER_CLOSED)) {
		c->mode = MODE_TLS;
		c->greeted = false; /* RFC 3207 4.2: all is forgotten */
		c->turns = 1;
		log_line(all->log, "secured %s %u %s %s %s", c->server->text, c->number,
			 tls_server_version(c->tls), tls_server_cipher(c->tls),
			 log_safe(tls_server_sni(c->tls), strlen(tls_server_sni(c->tls))));
	}
	if (was_ready && c->in.len > before && !c->turns && !c->quit && !c->scolded) {
		violation(c, "pipelining", c->in.data + before, c->in.len - before);
		c->scolded = true;
	}
	if (state == TLS_SERVER_FAILED) {
		log_line(all->log, "tls-failed %s %u %s", c->server->text, c->number,
			 tls_server_error());
		c->silent = true;
		c->after = AFTER_CLOSE;
	}
	if (!flush(c))
		return;
	process_input(c);
}

static void receive(struct conn *c, const char *bytes, size_t n)
{
	if (c->mode == MODE_HANDSHAKE && !c->tls_started) {
		buf_add(&c->wire, bytes, n);
		process_input(c);
		return;
	}
	if (c->tls) {
		feed_tls(c, bytes, n);
		return;
	}
	if (c->phase == LAB_STARTTLS && c->busy && c->accepted) {
		/* The script has more to do behind its 220, but the client may begin. */
		buf_add(&c->wire, bytes, n);
		return;
	}
	/* QUIT that comes alone is a client that has lost patience: no offence. */
	bool leaving = n == 6 && strncasecmp(bytes, "QUIT\r\n", 6) == 0;
	if (!c->turns && !c->quit && !leaving && !c->scolded) {
		violation(c, c->phase == LAB_BANNER ? "pregreet" : "pipelining", bytes, n);
		c->scolded = true;
	}
	if (c->silent) {
		c->quit |= leaving;
		c->turns = 0; /* it waits for an answer now */
		log_line(c->server->all->log, "ignored %s %u %s", c->server->text, c->number,
			 log_safe(bytes, n));
		return;
	}
	buf_add(&c->in, bytes, n);
	process_input(c);
}

static void conn_ready(void *arg, unsigned ready)
{
	struct conn *c = arg;
	char bytes[8192];
	struct smtp_server *all = c->server->all;
	all->current = c;
	if (ready & READY_WRITE) {
		if (!flush(c))
			return;
		/* What was held up by a full socket goes on. */
		if (c->times && !c->waiting)
			pump(c);
		if (!all->current)
			return;
	}
	if (!(ready & (READY_READ | READY_EOF)))
		return;
	for (;;) {
		ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			/* Who closes before all of our octets were taken resets the connection, and
			 * the QUIT that was on its way is lost. */
			c->lost |= n < 0 && c->times;
			conn_end(c, "client");
			return;
		}
		receive(c, bytes, (size_t)n);
		if (!all->current)
			return;
	}
}

/* ---- connections ---- */

static const struct face *choose_face(struct smtp_server *all, const struct smtp_host *host,
				      unsigned number)
{
	unsigned turns = 0;
	if (host->shuffle) {
		all->seed = all->seed * 1103515245u + 12345u;
		number = all->seed >> 8;
	}
	for (size_t i = 0; i < host->n_faces; i++) {
		const struct face *face = &host->faces[i];
		if (!face->first) {
			turns += face->weight;
			continue;
		}
		if (number < face->first)
			return face;
		number -= face->first;
	}
	if (turns == 0)
		return &host->base;
	number %= turns;
	for (size_t i = 0; i < host->n_faces; i++) {
		const struct face *face = &host->faces[i];
		if (face->first)
			continue;
		if (number < face->weight)
			return face;
		number -= face->weight;
	}
	return &host->base;
}

static void conn_new(struct server *server, int fd)
{
	struct smtp_server *all = server->all;
	struct conn *c = xcalloc(1, sizeof *c);
	ports_prepare(fd);
	c->server = server;
	c->fd = fd;
	c->face = choose_face(all, server->place->host, server->connections);
	c->name = smtp_server_name(c->face, &server->place->addr);
	c->well = true;
	c->number = ++server->connections;
	c->next = all->conns;
	c->at = &all->conns;
	if (c->next)
		c->next->at = &c->next;
	all->conns = c;
	server->open++;
	all->open++;
	timer_init(&c->timer, all->loop, timer_fired, c);
	timer_init(&c->pace, all->loop, paced, c);
	log_line(all->log, "connect %s %u at=%.1f open=%u", server->text, c->number,
		 (double)(loop_now(all->loop) - all->began) / 1000, server->open);
	log_count(all->log, 1, "connections %s", server->text);
	log_count(all->log, 1, "connections");
	log_peak(all->log, (long)server->open, "open-max %s", server->text);
	log_peak(all->log, (long)all->open, "open-max");
	c->watch = watch_new(all->loop, fd, conn_ready, c);
	start_phase(c, LAB_BANNER);
	pump(c);
}

static void server_ready(void *arg, unsigned ready)
{
	struct server *server = arg;
	(void)ready;
	for (;;) {
		int fd = accept(server->fd, NULL, NULL);
		if (fd >= 0) {
			conn_new(server, fd);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			/* A test that asks for more than this machine allows must not look as if
			 * the probe had failed. */
			log_count(server->all->log, 1, "violations");
			log_line(server->all->log, "violation %s 0 lab-accept %s", server->text,
				 strerror(errno));
			return;
		}
	}
}

/* ---- start and end ---- */

/* One connection to each black hole that must not come to be. */
static size_t fill(struct smtp_server *all, bool *full)
{
	size_t first = all->n_fillers, left = 0;
	size_t *which = NULL, n_which = 0;
	for (size_t i = 0; i < all->n_servers; i++) {
		const struct smtp_place *place = all->servers[i].place;
		if (place->host->kind != SMTP_BLACKHOLE || all->servers[i].fd < 0 || full[i])
			continue;
		struct sockaddr_storage name;
		struct addr to = place->addr;
		to.port = all->port;
		socklen_t len = addr_to_sockaddr(&to, &name);
		int fd = ports_socket(to.family, SOCK_STREAM);
		if (fd < 0)
			continue;
		(void)connect(fd, (struct sockaddr *)&name, len); /* poll tells */
		*ARRAY_ADD(all->fillers, all->n_fillers) = fd;
		*ARRAY_ADD(which, n_which) = i;
	}
	if (n_which) {
		(void)poll(NULL, 0, 20);
		for (size_t i = 0; i < n_which; i++) {
			struct pollfd ready = {.fd = all->fillers[first + i], .events = POLLOUT};
			full[which[i]] = poll(&ready, 1, 0) == 0;
			left += !full[which[i]];
		}
	}
	free(which);
	return left;
}

struct smtp_server *smtp_server_new(struct loop *loop, const struct scenario *scenario,
				    struct ca *ca, struct log *log, unsigned seed)
{
	struct smtp_server *all = xcalloc(1, sizeof *all);
	size_t n = scenario->n_places;
	all->loop = loop;
	all->scenario = scenario;
	all->ca = ca;
	all->log = log;
	all->began = loop_now(loop);
	all->seed = seed;
	all->servers = xcalloc(n, sizeof *all->servers);
	struct addr *addrs = xcalloc(n + 1, sizeof *addrs);
	int *fds = xcalloc(n + 1, sizeof *fds);
	bool *full = xcalloc(n + 1, sizeof *full);
	for (size_t i = 0; i < n; i++)
		addrs[i] = scenario->places[i].addr;
	if (n == 0 && addr_parse(&addrs[0], "127.0.0.1", 0)) {
		/* Nobody is served, yet LAB_PORT has to be one where nobody listens. */
		all->port = ports_bind(addrs, fds, 1, SOCK_STREAM);
		if (all->port)
			*ARRAY_ADD(all->fillers, all->n_fillers) = fds[0];
	} else {
		all->port = ports_bind(addrs, fds, n, SOCK_STREAM);
	}
	int error = errno;
	for (size_t i = 0; i < n && all->port; i++) {
		struct server *server = &all->servers[all->n_servers++];
		enum smtp_kind kind = scenario->places[i].host->kind;
		server->all = all;
		server->place = &scenario->places[i];
		server->fd = fds[i];
		(void)addr_format(&server->place->addr, server->text);
		if (server->fd < 0 || kind == SMTP_REFUSE)
			continue; /* bound but not listening: refused, and nobody else takes it */
		if (listen(server->fd, kind == SMTP_BLACKHOLE ? 0 : BACKLOG) != 0)
			continue;
		if (kind == SMTP_LISTEN)
			server->watch = watch_new(loop, server->fd, server_ready, server);
	}
	for (int round = 0; round < 32 && fill(all, full) > 0; round++)
		continue;
	free(addrs);
	free(fds);
	free(full);
	if (!all->port) {
		smtp_server_free(all);
		errno = error;
		return NULL;
	}
	return all;
}

void smtp_server_free(struct smtp_server *all)
{
	if (!all)
		return;
	while (all->conns)
		conn_free(all->conns);
	for (size_t i = 0; i < all->n_servers; i++) {
		watch_free(all->servers[i].watch);
		if (all->servers[i].fd >= 0)
			(void)close(all->servers[i].fd);
	}
	for (size_t i = 0; i < all->n_fillers; i++)
		(void)close(all->fillers[i]);
	free(all->fillers);
	free(all->servers);
	free(all);
}

uint16_t smtp_server_port(const struct smtp_server *all)
{
	return all->port;
}

size_t smtp_server_open(const struct smtp_server *all)
{
	return all->open;
}

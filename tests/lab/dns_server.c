#include "lab/dns_server.h"

#include "base/buf.h"
#include "lab/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UDP_PLAIN_MAX = 512, PACKET_MAX = 65535 };

/* One resolver's sockets. */
struct place {
	struct dns_server *server;
	struct addr addr;
	int udp, tcp;
	struct watch *udp_watch, *tcp_watch;
	struct addr udp_addr;
};

/* A connection over TCP. */
struct link {
	struct place *place;
	struct link *next, **at;
	int fd;
	struct watch *watch;
	struct buf in, out;
	unsigned pending; /* answers that wait for their time */
	bool ended;       /* the client has closed, or a rule closes */
};

/* An answer that waits for its time. */
struct late {
	struct timer timer;
	struct late *next, **at;
	struct place *place;
	struct link *link; /* NULL: UDP, or the link is gone (then drop is set) */
	bool drop, tcp, close, hang_up;
	usec_t drip;
	int from; /* UDP socket that sends it */
	bool own; /* which is this answer's own */
	struct addr to;
	struct buf packet;
};

struct dns_server {
	struct loop *loop;
	const struct scenario *scenario;
	struct log *log;
	struct place *places;
	size_t n_places;
	unsigned *used; /* how often each rule was, beside scenario->rules */
	struct link *links;
	struct late *lates;
	uint16_t port;
	usec_t began;
};

static void link_close(struct link *);

/* ---- sending ---- */

static void late_free(struct late *late)
{
	*late->at = late->next;
	if (late->next)
		late->next->at = late->at;
	timer_fini(&late->timer);
	if (late->own)
		(void)close(late->from);
	buf_fini(&late->packet);
	free(late);
}

static void link_flush(struct link *link)
{
	while (link->out.len) {
		ssize_t n = send(link->fd, link->out.data, link->out.len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			watch_want(link->watch, READY_READ | READY_WRITE);
			return;
		}
		if (n < 0) {
			link_close(link);
			return;
		}
		buf_consume(&link->out, (size_t)n);
	}
	watch_want(link->watch, READY_READ);
	if (link->ended && link->pending == 0)
		link_close(link);
}

static void late_send(void *arg)
{
	struct late *late = arg;
	struct link *link = late->link;
	if (late->drop) {
		/* its connection has gone */
	} else if (late->tcp) {
		if (!late->close) {
			size_t n = late->drip && late->packet.len ? 1 : late->packet.len;
			buf_add(&link->out, late->packet.data, n);
			buf_consume(&late->packet, n);
			if (late->packet.len) {
				timer_at(&late->timer,
					 loop_now(late->place->server->loop) + late->drip);
				link_flush(link);
				return;
			}
		}
		link->pending--;
		link->ended |= late->close || late->hang_up;
	} else {
		struct sockaddr_storage to;
		socklen_t len = addr_to_sockaddr(&late->to, &to);
		/* A client that has gone away is no business of a resolver. */
		(void)sendto(late->from, late->packet.data, late->packet.len, 0,
			     (struct sockaddr *)&to, len);
	}
	bool flush = late->tcp && !late->drop;
	late_free(late);
	if (flush)
		link_flush(link);
}

/* ---- making an answer ---- */

struct question {
	uint16_t id;
	char *name;
	const ldns_rr *rr;
	bool edns;
	size_t udp_max;
	ldns_pkt *pkt;
};

static void put16(struct buf *packet, size_t at, int value)
{
	if (packet->len >= at + 2) {
		packet->data[at] = (char)(value >> 8);
		packet->data[at + 1] = (char)value;
	}
}

static void add_wire(struct buf *packet, const ldns_pkt *pkt)
{
	uint8_t *wire = NULL;
	size_t n = 0;
	if (ldns_pkt2wire(&wire, pkt, &n) == LDNS_STATUS_OK)
		buf_add(packet, wire, n);
	LDNS_FREE(wire);
}

static void make_answer(struct dns_server *server, const struct question *q,
			const struct dns_reply *reply, bool tcp, struct buf *packet)
{
	ldns_pkt *pkt = ldns_pkt_new();
	ldns_rr_list *answer = ldns_rr_list_new();
	ldns_pkt_rcode rcode = zone_answer(server->scenario->zone, ldns_rr_owner(q->rr),
					   ldns_rr_get_type(q->rr), answer);
	bool empty = false, tc = false;
	if (reply) {
		if (reply->rcode >= 0)
			rcode = (ldns_pkt_rcode)(reply->rcode & 15);
		empty = reply->empty;
		tc = reply->tc;
	}
	ldns_pkt_set_id(pkt, reply && reply->wrong_id ? (uint16_t)(q->id + 1) : q->id);
	ldns_pkt_set_qr(pkt, !(reply && reply->not_response));
	ldns_pkt_set_rd(pkt, ldns_pkt_rd(q->pkt));
	ldns_pkt_set_ra(pkt, true);
	ldns_pkt_set_ad(pkt, reply && reply->ad);
	ldns_pkt_set_rcode(pkt, rcode);
	if (!(reply && reply->no_question)) {
		ldns_rr *rr = ldns_rr_clone(q->rr);
		if (reply && reply->wrong_question) {
			ldns_rdf_deep_free(ldns_rr_owner(rr));
			ldns_rr_set_owner(rr, ldns_dname_new_frm_str("somebody.else.example"));
		}
		ldns_pkt_push_rr(pkt, LDNS_SECTION_QUESTION, rr);
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer) && !empty; i++)
		ldns_pkt_push_rr(pkt, LDNS_SECTION_ANSWER,
				 ldns_rr_clone(ldns_rr_list_rr(answer, i)));
	if (q->edns && !(reply && reply->no_edns))
		ldns_pkt_set_edns_udp_size(pkt, 1232);
	ldns_pkt_set_tc(pkt, tc);
	add_wire(packet, pkt);

	/* What does not fit goes without records, as most resolvers do it. */
	if (!tcp && packet->len > q->udp_max) {
		ldns_rr_list_deep_free(ldns_pkt_answer(pkt));
		ldns_pkt_set_answer(pkt, ldns_rr_list_new());
		ldns_pkt_set_ancount(pkt, 0);
		ldns_pkt_set_tc(pkt, true);
		buf_clear(packet);
		add_wire(packet, pkt);
	}
	ldns_rr_list_deep_free(answer);
	ldns_pkt_free(pkt);
}

static void distort(const struct question *q, const struct dns_reply *reply, struct buf *packet)
{
	if (reply->raw) {
		buf_clear(packet);
		buf_addc(packet, (char)(q->id >> 8));
		buf_addc(packet, (char)q->id);
		buf_add(packet, reply->raw, reply->raw_len);
	}
	buf_add(packet, reply->append, reply->append_len);
	for (size_t i = 0; i < ARRAY_LEN(reply->count); i++)
		if (reply->count[i] >= 0)
			put16(packet, 4 + 2 * i, reply->count[i]);
	if (reply->poke) {
		size_t at = (size_t)(reply->poke_at < 0 ? (int)packet->len + reply->poke_at
							: reply->poke_at);
		if (at + reply->poke_len <= packet->len)
			memcpy(packet->data + at, reply->poke, reply->poke_len);
	}
	if (reply->cut >= 0 && packet->len > (uint32_t)reply->cut)
		packet->len = (uint32_t)reply->cut;
}

/* As it goes over TCP: its length before it (RFC 1035 4.2.2), or a lie. */
static void frame(struct buf *packet, int length)
{
	struct buf framed = {0};
	if (length < 0)
		length = (int)packet->len;
	buf_addc(&framed, (char)(length >> 8));
	buf_addc(&framed, (char)length);
	buf_add(&framed, packet->data, packet->len);
	buf_fini(packet);
	*packet = framed;
}

/* A socket that the client has not asked. */
static int other_socket(const struct place *place, bool other_address)
{
	struct addr addr = place->addr;
	if (other_address && addr.family == AF_INET)
		addr.ip[3] ^= 0x80;
	/* From another address the port stays the same where it is free there. */
	addr.port = other_address ? place->udp_addr.port : 0;
	int fd = -1;
	if (!ports_bind(&addr, &fd, 1, SOCK_DGRAM)) {
		addr.port = 0;
		if (!ports_bind(&addr, &fd, 1, SOCK_DGRAM))
			return -1;
	}
	return fd;
}

static void schedule(struct place *place, struct link *link, const struct addr *to,
		     const struct question *q, const struct dns_reply *reply)
{
	struct dns_server *server = place->server;
	struct late *late = xcalloc(1, sizeof *late);
	late->place = place;
	late->link = link;
	late->tcp = link != NULL;
	late->from = place->udp;
	if (to)
		late->to = *to;
	late->close = reply && reply->close;
	late->hang_up = reply && reply->hang_up;
	late->drip = reply ? reply->drip : 0;
	make_answer(server, q, reply, late->tcp, &late->packet);
	if (reply)
		distort(q, reply, &late->packet);
	if (late->tcp)
		frame(&late->packet, reply ? reply->length : -1);
	if (!link && reply && (reply->wrong_port || reply->wrong_address)) {
		int fd = other_socket(place, reply->wrong_address);
		if (fd >= 0) {
			late->from = fd;
			late->own = true;
		}
	}
	if (link)
		link->pending++;
	late->next = server->lates;
	late->at = &server->lates;
	if (late->next)
		late->next->at = &late->next;
	server->lates = late;
	timer_init(&late->timer, server->loop, late_send, late);
	timer_at(&late->timer, loop_now(server->loop) + (reply ? reply->delay : 0));
}

/* ---- questions ---- */

static bool below(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);
	return n > z && strcmp(name + n - z, zone) == 0 && name[n - z - 1] == '.';
}

static bool rule_fits(const struct dns_rule *rule, const struct place *place,
		      const struct question *q, bool tcp, unsigned used)
{
	if (rule->server.family && !addr_equal(&rule->server, &place->addr))
		return false;
	if (rule->type >= 0 && rule->type != (int)ldns_rr_get_type(q->rr))
		return false;
	if (rule->transport != DNS_ANY && (rule->transport == DNS_TCP) != tcp)
		return false;
	if (rule->edns >= 0 && rule->edns != q->edns)
		return false;
	if (rule->first && used >= rule->first)
		return false;
	if (strcmp(rule->name, "*") == 0)
		return true;
	if (strncmp(rule->name, "*.", 2) == 0)
		return below(q->name, rule->name + 2);
	return strcmp(rule->name, q->name) == 0;
}

static void answer(struct place *place, struct link *link, const struct addr *to,
		   const struct question *q)
{
	struct dns_server *server = place->server;
	const struct scenario *scenario = server->scenario;
	const struct dns_rule *rule = NULL;
	for (size_t i = 0; i < scenario->n_rules && !rule; i++)
		if (rule_fits(&scenario->rules[i], place, q, link != NULL, server->used[i])) {
			rule = &scenario->rules[i];
			server->used[i]++;
		}
	if (!rule) {
		schedule(place, link, to, q, NULL);
		return;
	}
	usec_t delay = 0;
	for (size_t i = 0; i < rule->n_replies; i++) {
		/* "then" goes on from where the packet before was sent. */
		struct dns_reply reply = rule->replies[i];
		delay += reply.delay;
		reply.delay = delay;
		if (!reply.silent || (reply.close && link))
			schedule(place, link, to, q, &reply);
	}
}

static void take_question(struct place *place, struct link *link, const struct addr *to,
			  const char *bytes, size_t n)
{
	struct dns_server *server = place->server;
	struct question q = {.udp_max = UDP_PLAIN_MAX};
	char text[ADDR_STRLEN];
	const char *where = addr_format(&place->addr, text);
	if (ldns_wire2pkt(&q.pkt, (const uint8_t *)bytes, n) != LDNS_STATUS_OK ||
	    ldns_rr_list_rr_count(ldns_pkt_question(q.pkt)) != 1 || ldns_pkt_qr(q.pkt)) {
		log_count(server->log, 1, "violations");
		log_line(server->log, "violation %s 0 bad-question %s", where, log_safe(bytes, n));
		ldns_pkt_free(q.pkt);
		return;
	}
	q.id = ldns_pkt_id(q.pkt);
	q.rr = ldns_rr_list_rr(ldns_pkt_question(q.pkt), 0);
	q.name = zone_name(ldns_rr_owner(q.rr));
	q.edns = ldns_pkt_edns(q.pkt);
	if (q.edns && ldns_pkt_edns_udp_size(q.pkt) > UDP_PLAIN_MAX)
		q.udp_max = ldns_pkt_edns_udp_size(q.pkt);
	char *type = ldns_rr_type2str(ldns_rr_get_type(q.rr));
	const char *transport = link ? "tcp" : "udp";
	log_line(server->log, "question %s %s %s %s edns=%d at=%.1f", q.name, type, transport,
		 where, q.edns, (double)(loop_now(server->loop) - server->began) / 1000);
	log_count(server->log, 1, "questions %s %s %s", q.name, type, transport);
	log_count(server->log, 1, "questions");
	if (!ldns_pkt_rd(q.pkt)) {
		log_count(server->log, 1, "violations");
		log_line(server->log, "violation %s 0 no-recursion-desired %s", where, q.name);
	}
	answer(place, link, to, &q);
	free(type);
	free(q.name);
	ldns_pkt_free(q.pkt);
}

static void udp_ready(void *arg, unsigned ready)
{
	struct place *place = arg;
	(void)ready;
	for (;;) {
		char bytes[PACKET_MAX];
		struct sockaddr_storage name;
		socklen_t len = sizeof name;
		struct addr from;
		ssize_t n =
		    recvfrom(place->udp, bytes, sizeof bytes, 0, (struct sockaddr *)&name, &len);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n >= 0 && addr_from_sockaddr(&from, (struct sockaddr *)&name))
			take_question(place, NULL, &from, bytes, (size_t)n);
	}
}

/* ---- TCP ---- */

static void link_close(struct link *link)
{
	struct dns_server *server = link->place->server;
	for (struct late *late = server->lates; late; late = late->next)
		if (late->link == link) {
			late->drop = true;
			late->link = NULL;
		}
	*link->at = link->next;
	if (link->next)
		link->next->at = link->at;
	watch_free(link->watch);
	(void)close(link->fd);
	buf_fini(&link->in);
	buf_fini(&link->out);
	free(link);
}

static void link_ready(void *arg, unsigned ready)
{
	struct link *link = arg;
	char bytes[4096];
	(void)ready;
	for (;;) {
		ssize_t n = recv(link->fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			if (n < 0 || link->pending == 0) {
				link_close(link);
				return;
			}
			link->ended = true;
			break;
		}
		buf_add(&link->in, bytes, (size_t)n);
	}
	while (link->in.len >= 2) {
		size_t n = (size_t)(uint8_t)link->in.data[0] << 8 | (uint8_t)link->in.data[1];
		if (link->in.len < 2 + n)
			break;
		take_question(link->place, link, NULL, link->in.data + 2, n);
		buf_consume(&link->in, 2 + n);
	}
	link_flush(link);
}

static void tcp_ready(void *arg, unsigned ready)
{
	struct place *place = arg;
	struct dns_server *server = place->server;
	(void)ready;
	for (;;) {
		int fd = accept(place->tcp, NULL, NULL);
		if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
			continue;
		if (fd < 0)
			return;
		ports_prepare(fd);
		struct link *link = xcalloc(1, sizeof *link);
		link->place = place;
		link->fd = fd;
		link->next = server->links;
		link->at = &server->links;
		if (link->next)
			link->next->at = &link->next;
		server->links = link;
		link->watch = watch_new(server->loop, fd, link_ready, link);
	}
}

/* ---- start and end ---- */

/* UDP and TCP sockets of all resolvers on one port. */
static bool listen_all(struct dns_server *server, const struct scenario *scenario)
{
	size_t n = scenario->n_resolvers;
	struct addr *addrs = xcalloc(n, sizeof *addrs);
	int *udp = xcalloc(n, sizeof *udp), *tcp = xcalloc(n, sizeof *tcp);
	bool good = false;
	for (int try = 0; try < 200 && !good; try++) {
		for (size_t i = 0; i < n; i++)
			addrs[i] = scenario->resolvers[i].addr; /* with its port, or 0 */
		/* Clients' own connections may hold the port on TCP: then another one. */
		uint16_t port = ports_bind(addrs, udp, n, SOCK_DGRAM);
		if (!port)
			break;
		for (size_t i = 0; i < n; i++)
			addrs[i].port = port;
		good = ports_bind(addrs, tcp, n, SOCK_STREAM) != 0;
		if (!good) {
			for (size_t i = 0; i < n; i++)
				if (udp[i] >= 0)
					(void)close(udp[i]);
			continue;
		}
		server->port = port;
	}
	for (size_t i = 0; i < n && good; i++) {
		struct place *place = &server->places[i];
		place->server = server;
		place->addr = scenario->resolvers[i].addr;
		place->udp_addr = addrs[i];
		place->udp = udp[i];
		place->tcp = tcp[i];
		/* Without a listener the bound socket refuses; a UDP port nobody reads is silent,
		 * so that one is closed. */
		if (place->udp >= 0 && scenario->resolvers[i].no_udp) {
			(void)close(place->udp);
			place->udp = -1;
		}
		if (place->udp >= 0) {
			/* Room for a burst of questions; root gets all of it. */
			int size = 8 << 20;
			(void)setsockopt(place->udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
#ifdef SO_RCVBUFFORCE
			(void)setsockopt(place->udp, SOL_SOCKET, SO_RCVBUFFORCE, &size,
					 sizeof size);
#endif
			place->udp_watch = watch_new(server->loop, place->udp, udp_ready, place);
		}
		if (place->tcp >= 0 && !scenario->resolvers[i].no_tcp &&
		    listen(place->tcp, 1024) == 0)
			place->tcp_watch = watch_new(server->loop, place->tcp, tcp_ready, place);
	}
	server->n_places = good ? n : 0;
	free(addrs);
	free(udp);
	free(tcp);
	return good;
}

struct dns_server *dns_server_new(struct loop *loop, const struct scenario *scenario,
				  struct log *log)
{
	struct dns_server *server = xcalloc(1, sizeof *server);
	server->loop = loop;
	server->scenario = scenario;
	server->log = log;
	server->began = loop_now(loop);
	server->used = xcalloc(scenario->n_rules, sizeof *server->used);
	server->places = xcalloc(scenario->n_resolvers, sizeof *server->places);
	if (!listen_all(server, scenario)) {
		int error = errno;
		dns_server_free(server);
		errno = error;
		return NULL;
	}
	return server;
}

void dns_server_free(struct dns_server *server)
{
	if (!server)
		return;
	while (server->links)
		link_close(server->links);
	while (server->lates)
		late_free(server->lates);
	for (size_t i = 0; i < server->n_places; i++) {
		struct place *place = &server->places[i];
		watch_free(place->udp_watch);
		watch_free(place->tcp_watch);
		if (place->udp >= 0)
			(void)close(place->udp);
		if (place->tcp >= 0)
			(void)close(place->tcp);
	}
	free(server->places);
	free(server->used);
	free(server);
}

uint16_t dns_server_port(const struct dns_server *server)
{
	return server->port;
}

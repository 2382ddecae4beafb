#include "support/receiver.h"

#include "base/buf.h"
#include "support/json_schema.h"
#include "support/lab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WATCHDOG_MS = 240000, NAP_MS = 5 };

/* ---- the server ---- */

static void send_text(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text)); /* or the client has gone */
}

static void wait_for_close(int fd)
{
	char rest[4096];
	while (read(fd, rest, sizeof rest) > 0)
		continue;
}

/* The whole request; false: the client went away before. */
static bool read_request(int fd, struct buf *in)
{
	char chunk[8192];
	for (;;) {
		const char *text = buf_str(in), *end = strstr(text, "\r\n\r\n");
		const char *length = strcasestr(text, "\r\nContent-Length:");
		if (end && length &&
		    in->len >= (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10))
			return true;
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n <= 0)
			return false;
		buf_add(in, chunk, (size_t)n);
	}
}

static void respond(const char *path, int fd, const char *answer)
{
	static const char body[] =
	    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 50\r\n\r\nhello";
	char text[256];
	if (strcmp(answer, "close") == 0)
		return;
	if (strcmp(answer, "gate") == 0) {
		char *gate = xasprintf("%s-open", path);
		while (access(gate, F_OK) != 0 && getppid() != 1)
			(void)poll(NULL, 0, NAP_MS);
		free(gate);
		answer = "200";
	}
	if (strcmp(answer, "hang") == 0) {
		wait_for_close(fd);
	} else if (strcmp(answer, "half") == 0) {
		send_text(fd, "HTTP/1.1 200 OK\r\nContent-Le");
	} else if (strcmp(answer, "cut") == 0) {
		send_text(fd, body);
	} else if (strcmp(answer, "stall") == 0) {
		send_text(fd, body);
		wait_for_close(fd);
	} else if (strcmp(answer, "endless") == 0) {
		static char zeros[16384];
		send_text(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		while (write(fd, zeros, sizeof zeros) > 0)
			continue;
	} else if (strcmp(answer, "nonsense") == 0) {
		send_text(fd, "220 mail.example.org ESMTP\r\n");
	} else if (strcmp(answer, "continue") == 0) {
		send_text(fd, "HTTP/1.1 100 Continue\r\n\r\n");
	} else {
		(void)snprintf(text, sizeof text,
			       "HTTP/1.1 %s Words\r\nConnection: close\r\n%s%s\r\n", answer,
			       *answer == '3' ? "Location: /elsewhere\r\n" : "",
			       strcmp(answer, "204") == 0 ? "" : "Content-Length: 0\r\n");
		send_text(fd, text);
	}
}

static void serve_one(const char *path, int fd, unsigned n, const char *answer)
{
	struct buf in = {0};
	char *done = xasprintf("%s-%u", path, n), *part = xasprintf("%s.part", done);
	if (read_request(fd, &in)) {
		FILE *f = fopen(part, "we");
		if (!f || fwrite(in.data, 1, in.len, f) != in.len || fclose(f) != 0)
			_exit(1);
		if (rename(part, done) != 0)
			_exit(1);
		respond(path, fd, answer);
	}
	(void)shutdown(fd, SHUT_WR);
	_exit(0);
}

/* Ends with the test, however that ends: then `life` is closed. */
static void serve(const char *path, int listener, int life, const char *const *answers)
{
	unsigned n = 0, last = 0;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	while (answers[last + 1])
		last++;
	for (;; n++) {
		struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = life}};
		while (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			(void)kill(0, SIGKILL);
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			_exit(1);
		if (fork() == 0) {
			(void)close(listener);
			(void)close(life);
			serve_one(path, fd, n, answers[n < last ? n : last]);
		}
		(void)close(fd);
	}
}

struct receiver *receiver_start(const char *const *answers)
{
	struct receiver *r = xcalloc(1, sizeof *r);
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	r->port = ntohs(sin.sin_port);
	r->url = xasprintf("http://127.0.0.1:%u/hook", r->port);
	r->path = test_path(".requests");
	int life[2];
	assert_int_equal(pipe2(life, O_CLOEXEC), 0);
	r->life = life[1];
	(void)fflush(NULL);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		(void)setpgid(0, 0); /* to be ended with all that it has started */
		(void)close(life[1]);
		serve(r->path, fd, life[0], answers);
	}
	(void)setpgid(r->pid, r->pid);
	(void)close(life[0]);
	(void)close(fd);
	return r;
}

void receiver_open(const struct receiver *r)
{
	char *gate = xasprintf("%s-open", r->path);
	write_whole(gate, "");
	free(gate);
}

void receiver_stop(struct receiver *r)
{
	if (!r->pid)
		return;
	(void)kill(-r->pid, SIGKILL);
	(void)waitpid(r->pid, NULL, 0);
	(void)close(r->life);
	r->pid = 0;
}

void receiver_free(struct receiver *r)
{
	receiver_stop(r);
	char *gate = xasprintf("%s-open", r->path);
	(void)unlink(gate); /* mostly not there */
	free(gate);
	for (unsigned n = 0; receiver_has(r, n); n++) {
		char *file = xasprintf("%s-%u", r->path, n);
		(void)unlink(file);
		free(file);
	}
	free(r->path);
	free(r->url);
	free(r);
}

/* ---- requests ---- */

bool receiver_has(const struct receiver *r, unsigned n)
{
	char *file = xasprintf("%s-%u", r->path, n);
	bool there = access(file, F_OK) == 0;
	free(file);
	return there;
}

unsigned receiver_count(const struct receiver *r)
{
	unsigned n = 0;
	while (receiver_has(r, n))
		n++;
	return n;
}

struct request receiver_request(const struct receiver *r, unsigned n)
{
	int left = WATCHDOG_MS;
	while (!receiver_has(r, n)) {
		if ((left -= NAP_MS) < 0)
			fail_msg("request %u has not come", n);
		(void)poll(NULL, 0, NAP_MS);
	}
	struct request q = {0};
	char *file = xasprintf("%s-%u", r->path, n);
	size_t len;
	char *text = read_whole(file, &len);
	free(file);
	assert_non_null(text);
	char *end = strstr(text, "\r\n\r\n");
	assert_non_null(end);
	q.head = xstrndup(text, (size_t)(end + 2 - text));
	q.n = len - (size_t)(end + 4 - text);
	q.body = xmalloc(q.n + 1);
	memcpy(q.body, end + 4, q.n + 1);
	free(text);
	return q;
}

void request_fini(struct request *q)
{
	free(q->head);
	free(q->body);
	*q = (struct request){0};
}

json_t *receiver_json(const struct receiver *r, unsigned n)
{
	struct request q = receiver_request(r, n);
	json_error_t error;
	json_t *json = json_loadb(q.body, q.n, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s in %s", error.text, q.body);
	assert_fits_schema(json);
	request_fini(&q);
	return json;
}

const char *request_header(const struct request *q, const char *name)
{
	static char value[1000];
	char *mark = xasprintf("\r\n%s: ", name);
	const char *at = strcasestr(q->head, mark);
	if (at) {
		at += strlen(mark);
		(void)snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
	}
	free(mark);
	return at ? value : NULL;
}

/* By another interface of the library than the program's. */
void assert_signed(const struct request *q, const char *secret, size_t n)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string("digest", (char[]){"SHA256"}, 0),
	    OSSL_PARAM_construct_end(),
	};
	unsigned char sum[32];
	char hex[7 + 65] = "sha256=";
	size_t len;
	assert_int_equal(EVP_MAC_init(ctx, (const unsigned char *)secret, n, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, (const unsigned char *)q->body, q->n), 1);
	assert_int_equal(EVP_MAC_final(ctx, sum, &len, sizeof sum), 1);
	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 7 + 2 * i, 3, "%02x", sum[i]);
	const char *header = request_header(q, "X-Mxprobe-Signature");
	assert_non_null(header);
	assert_string_equal(header, hex);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

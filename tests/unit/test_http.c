/* HTTPS against a small server of our own, which misbehaves as its paths say. */
#include "net/http.h"

#include "base/buf.h"
#include "lab/ca.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST "policy.example"
enum { BIG = 10 * 1024 * 1024 };

/* ---- the server, a process of its own ---- */

struct server {
	pid_t pid;
	uint16_t port;
};

static void send_all(SSL *ssl, const char *bytes, size_t n)
{
	(void)SSL_write(ssl, bytes, (int)n); /* whole, or the client has gone */
}

static void send_text(SSL *ssl, const char *text)
{
	send_all(ssl, text, strlen(text));
}

static void send_body(SSL *ssl, const char *head, size_t n)
{
	static const char zeros[16384];
	char length[64];

	send_text(ssl, head);
	(void)snprintf(length, sizeof length, "Content-Length: %zu\r\n\r\n", n);
	send_text(ssl, length);
	while (n) {
		size_t some = n < sizeof zeros ? n : sizeof zeros;

		if (SSL_write(ssl, zeros, (int)some) <= 0)
			return;
		n -= some;
	}
}

static bool asks(const char *request, const char *path)
{
	size_t n = strlen(path);

	return strncmp(request, "GET ", 4) == 0 && strncmp(request + 4, path, n) == 0 &&
	       request[4 + n] == ' ';
}

/* The same for a POST, whose body is checked. */
static bool posts(const char *request, const char *path)
{
	size_t n = strlen(path);

	return strncmp(request, "POST ", 5) == 0 && strncmp(request + 5, path, n) == 0 &&
	       request[5 + n] == ' ' && strstr(request, "\r\nX-Own: line\r\n") &&
	       strstr(request, "\r\n\r\nbody");
}

static void respond(SSL *ssl, const char *request)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
	char rest[256];

	if ((!strstr(request, "\r\nHost: " HOST) && !strstr(request, "\r\nHost: localhost")) ||
	    !strstr(request, "\r\nUser-Agent: mxprobe/"))
		send_text(ssl, "HTTP/1.1 400 Who is asking\r\nContent-Length: 0\r\n\r\n");
	else if (asks(request, "/good"))
		send_text(ssl, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
			       "Content-Length: 5\r\n\r\nhello");
	else if (asks(request, "/bare"))
		send_text(ssl, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
	else if (asks(request, "/chunks"))
		send_text(ssl, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			       "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
	else if (asks(request, "/moved"))
		send_text(ssl,
			  "HTTP/1.1 301 Moved\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n");
	else if (asks(request, "/1000"))
		send_body(ssl, ok, 1000);
	else if (asks(request, "/1001"))
		send_body(ssl, ok, 1001);
	else if (asks(request, "/big"))
		send_body(ssl, ok, BIG);
	else if (asks(request, "/cut"))
		send_text(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
	else if (asks(request, "/nonsense"))
		send_text(ssl, "250 2.1.0 Sender OK\r\n");
	else if (posts(request, "/good"))
		send_text(ssl, "HTTP/1.1 204 Taken\r\n\r\n");
	else if (posts(request, "/moved"))
		send_text(ssl,
			  "HTTP/1.1 307 Moved\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n");
	else if (posts(request, "/big"))
		send_body(ssl, ok, BIG);
	else if (posts(request, "/cut"))
		send_text(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello");
	else if (posts(request, "/half"))
		send_text(ssl, "HTTP/1.1 200 OK\r\nContent-Le");
	else if (posts(request, "/interim"))
		send_text(ssl, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
	else if (posts(request, "/early"))
		send_text(ssl, "HTTP/1.1 103 Early Hints\r\n\r\n");
	else if (asks(request, "/silence"))
		while (SSL_read(ssl, rest, sizeof rest) > 0)
			continue;
	else
		send_text(ssl, "HTTP/1.1 404 Not found\r\nContent-Length: 0\r\n\r\n");
}

static void serve(int listener, SSL_CTX *ctx)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		SSL *ssl = SSL_new(ctx);
		char request[4096];
		int n;

		if (fd < 0 || !ssl)
			_exit(1);
		(void)SSL_set_fd(ssl, fd);
		n = SSL_accept(ssl) == 1 ? SSL_read(ssl, request, sizeof request - 1) : 0;
		if (n > 0) {
			request[n] = '\0';
			respond(ssl, request);
			(void)SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		(void)close(fd);
	}
}

static struct ca *ca;
static char *ca_path;

static struct server start_as(enum cert_kind kind, const char *name)
{
	struct face face = {.cert = kind};
	struct sockaddr_storage sa;
	struct server server;
	struct addr any;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_true(addr_parse(&any, "127.0.0.1", 0));
	len = addr_to_sockaddr(&any, &sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	len = sizeof sa;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_true(addr_from_sockaddr(&any, (struct sockaddr *)&sa));
	server.port = any.port;
	(void)fflush(NULL);
	server.pid = fork();
	assert_true(server.pid >= 0);
	if (server.pid == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		serve(fd, ca_context(ca, &face, name));
	}
	(void)close(fd);
	return server;
}

static struct server start(enum cert_kind kind)
{
	return start_as(kind, HOST);
}

static void shut(const struct server *server)
{
	(void)kill(server->pid, SIGKILL);
	(void)waitpid(server->pid, NULL, 0);
}

/* ---- the client ---- */

/* What came of a request. */
struct outcome {
	unsigned times;
	char *error, *type, *body;
	size_t n;
	long status;
};

static void on_done(void *arg, const struct http_response *response)
{
	struct outcome *o = arg;

	o->times++;
	o->error = response->error ? xstrdup(response->error) : NULL;
	o->type = response->type ? xstrdup(response->type) : NULL;
	o->body = xstrndup(response->body, response->n);
	o->n = response->n;
	o->status = response->status;
}

static void outcome_fini(struct outcome *o)
{
	free(o->error);
	free(o->type);
	free(o->body);
	*o = (struct outcome){0};
}

static struct http_get wish(const struct server *server, const char *path, struct addr *addr)
{
	assert_true(addr_parse(addr, "127.0.0.1", 0));
	return (struct http_get){.host = HOST,
				 .port = server->port,
				 .path = path,
				 .addrs = addr,
				 .n_addrs = 1,
				 .most = 1000,
				 .timeout = 60 * USEC_PER_SEC};
}

static void get(const struct http_get *wanted, struct outcome *o)
{
	struct loop *loop = loop_new();
	struct http *http = http_new(loop);

	assert_non_null(http_get(http, wanted, on_done, o));
	assert_int_equal(o->times, 0); /* from the loop only */
	loop_run(loop);
	assert_int_equal(o->times, 1);
	http_free(http);
	loop_free(loop);
}

/* Gets a path of a server with that certificate. */
static void get_path(enum cert_kind kind, const char *path, struct outcome *o)
{
	struct server server = start(kind);
	struct addr addr;
	struct http_get wanted = wish(&server, path, &addr);

	get(&wanted, o);
	shut(&server);
}

static void need_curl(void)
{
	if (http_available())
		return;
	print_message("no libcurl here\n");
	skip();
}

/* Built without libcurl, or on a machine without it, there is no such thing as http. */
static void test_available(void **state)
{
	struct loop *loop = loop_new();
	struct http *http = http_new(loop);

	(void)state;
	assert_int_equal(http != NULL, http_available());
	http_free(http);
	loop_free(loop);
}

static void test_good(void **state)
{
	static const struct {
		const char *path, *type;
	} rows[] = {{"/good", "text/plain; charset=utf-8"}, {"/bare", NULL}, {"/chunks", NULL}};
	struct outcome o = {0};

	(void)state;
	need_curl();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		get_path(CERT_GOOD, rows[i].path, &o);
		assert_null(o.error);
		assert_int_equal(o.status, 200);
		assert_int_equal(o.n, 5);
		assert_string_equal(o.body, "hello");
		if (rows[i].type)
			assert_string_equal(o.type, rows[i].type);
		else
			assert_null(o.type);
		outcome_fini(&o);
	}
}

static void test_status(void **state)
{
	struct outcome o = {0};

	(void)state;
	need_curl();
	get_path(CERT_GOOD, "/nothing", &o);
	assert_null(o.error);
	assert_int_equal(o.status, 404);
	outcome_fini(&o);
	/* Where it leads is not followed. */
	get_path(CERT_GOOD, "/moved", &o);
	assert_null(o.error);
	assert_int_equal(o.status, 301);
	assert_int_equal(o.n, 0);
	outcome_fini(&o);
}

static void test_cap(void **state)
{
	struct outcome o = {0};

	(void)state;
	need_curl();
	get_path(CERT_GOOD, "/1000", &o);
	assert_null(o.error);
	assert_int_equal(o.n, 1000);
	outcome_fini(&o);
	get_path(CERT_GOOD, "/1001", &o);
	assert_string_equal(o.error, "the answer is too long");
	assert_true(o.n <= 1000);
	outcome_fini(&o);
	get_path(CERT_GOOD, "/big", &o);
	assert_string_equal(o.error, "the answer is too long");
	assert_true(o.n <= 1000);
	outcome_fini(&o);
}

static void test_broken_answers(void **state)
{
	static const char *const paths[] = {"/cut", "/nonsense"};
	struct outcome o = {0};

	(void)state;
	need_curl();
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		get_path(CERT_GOOD, paths[i], &o);
		assert_non_null(o.error);
		outcome_fini(&o);
	}
}

static void test_silence(void **state)
{
	struct server server;
	struct addr addr;
	struct http_get wanted;
	struct outcome o = {0};

	(void)state;
	need_curl();
	server = start(CERT_GOOD);
	wanted = wish(&server, "/silence", &addr);
	wanted.timeout = 300 * USEC_PER_MS;
	get(&wanted, &o);
	assert_non_null(o.error);
	assert_non_null(strstr(o.error, "timed out"));
	outcome_fini(&o);
	shut(&server);
}

static void test_certificates(void **state)
{
	static const struct {
		enum cert_kind kind;
		const char *words;
	} rows[] = {{CERT_EXPIRED, "expired"},
		    {CERT_FUTURE, "not yet valid"},
		    {CERT_WRONG_NAME, "name"},
		    {CERT_SELF_SIGNED, "self"},
		    {CERT_UNTRUSTED, "certificate"}};
	struct outcome o = {0};

	(void)state;
	need_curl();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		get_path(rows[i].kind, "/good", &o);
		if (!o.error || !strstr(o.error, rows[i].words))
			fail_msg("%s: %s", rows[i].words, o.error ? o.error : "no error");
		assert_int_equal(o.n, 0);
		outcome_fini(&o);
	}
	/* What is trusted is what the environment says when it is asked. */
	(void)setenv("SSL_CERT_FILE", "/nowhere", true);
	get_path(CERT_GOOD, "/good", &o);
	(void)setenv("SSL_CERT_FILE", ca_path, true);
	assert_non_null(o.error);
	outcome_fini(&o);
}

/* An address that refuses is no reason to fail while there is another. */
static void test_addresses(void **state)
{
	struct server server;
	struct addr addrs[3];
	struct http_get wanted;
	struct outcome o = {0};

	(void)state;
	need_curl();
	server = start(CERT_GOOD);
	wanted = wish(&server, "/good", addrs);
	assert_true(addr_parse(&addrs[0], "127.0.0.2", 0)); /* nobody listens there */
	assert_true(addr_parse(&addrs[1], "::1", 0));
	assert_true(addr_parse(&addrs[2], "127.0.0.1", 0));
	wanted.n_addrs = 3;
	get(&wanted, &o);
	assert_null(o.error);
	assert_string_equal(o.body, "hello");
	outcome_fini(&o);
	wanted.n_addrs = 1;
	get(&wanted, &o);
	assert_non_null(o.error);
	outcome_fini(&o);
	shut(&server);
}

/* What is set for browsers is not for us: the addresses are given. */
static void test_no_proxy(void **state)
{
	struct outcome o = {0};

	(void)state;
	need_curl();
	(void)setenv("https_proxy", "http://127.0.0.2:9", true);
	get_path(CERT_GOOD, "/good", &o);
	(void)unsetenv("https_proxy");
	assert_null(o.error);
	assert_string_equal(o.body, "hello");
	outcome_fini(&o);
}

static void test_several(void **state)
{
	enum { SEVERAL = 8 };
	struct outcome o[SEVERAL] = {0};
	struct server servers[SEVERAL];
	struct addr addr;
	struct loop *loop;
	struct http *http;

	(void)state;
	need_curl();
	loop = loop_new();
	http = http_new(loop);
	for (int i = 0; i < SEVERAL; i++) {
		struct http_get wanted;

		servers[i] = start(i % 2 ? CERT_EXPIRED : CERT_GOOD);
		wanted = wish(&servers[i], "/good", &addr);
		assert_non_null(http_get(http, &wanted, on_done, &o[i]));
	}
	loop_run(loop);
	for (int i = 0; i < SEVERAL; i++) {
		assert_int_equal(o[i].times, 1);
		assert_int_equal(o[i].error != NULL, i % 2);
		outcome_fini(&o[i]);
		shut(&servers[i]);
	}
	http_free(http);
	loop_free(loop);
}

/* After a cancel, and when all of it is freed, no call-back comes. */
static void test_cancel(void **state)
{
	struct outcome cancelled = {0}, kept = {0}, forgotten = {0};
	struct server server;
	struct addr addr;
	struct http_get wanted;
	struct http_request *request;
	struct loop *loop;
	struct http *http;

	(void)state;
	need_curl();
	server = start(CERT_GOOD);
	loop = loop_new();
	http = http_new(loop);
	wanted = wish(&server, "/good", &addr);
	request = http_get(http, &wanted, on_done, &cancelled);
	assert_non_null(http_get(http, &wanted, on_done, &kept));
	http_cancel(request);
	http_cancel(NULL);
	loop_run(loop);
	assert_int_equal(cancelled.times, 0);
	assert_int_equal(kept.times, 1);
	assert_null(kept.error);
	wanted.path = "/silence";
	assert_non_null(http_get(http, &wanted, on_done, &forgotten));
	http_free(http);
	loop_run(loop);
	assert_int_equal(forgotten.times, 0);
	loop_free(loop);
	outcome_fini(&kept);
	shut(&server);
}

static void post(enum cert_kind kind, const char *path, struct outcome *o)
{
	static const char *const headers[] = {"X-Own: line", NULL};
	struct server server = start_as(kind, "localhost");
	char *url = xasprintf("https://localhost:%u%s", server.port, path);
	const struct http_post wanted = {
	    .url = url, .headers = headers, .body = "body", .n = 4, .timeout = 60 * USEC_PER_SEC};
	struct loop *loop = loop_new();
	struct http *http = http_new(loop);

	assert_non_null(http_post(http, &wanted, on_done, o));
	assert_int_equal(o->times, 0);
	loop_run(loop);
	assert_int_equal(o->times, 1);
	http_free(http);
	loop_free(loop);
	free(url);
	shut(&server);
}

/* Answered is what has the whole head of an answer, whatever becomes of its body. */
static void test_posts(void **state)
{
	static const struct {
		const char *path;
		long status; /* 0: an error */
	} rows[] = {{"/good", 204}, {"/moved", 307}, {"/big", 200},     {"/cut", 200},
		    {"/half", 0},   {"/early", 0},   {"/interim", 200}, {"/nothing", 404}};
	struct outcome o = {0};

	(void)state;
	need_curl();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		post(CERT_GOOD, rows[i].path, &o);
		if (!o.error != (rows[i].status != 0) ||
		    (rows[i].status && o.status != rows[i].status))
			fail_msg("%s: %ld %s", rows[i].path, o.status, o.error ? o.error : "");
		assert_int_equal(o.n, 0);
		outcome_fini(&o);
	}
	/* A certificate that is not good is no reason to show anybody the body. */
	post(CERT_EXPIRED, "/good", &o);
	assert_non_null(o.error);
	assert_non_null(strstr(o.error, "expired"));
	outcome_fini(&o);
	post(CERT_WRONG_NAME, "/good", &o);
	assert_non_null(o.error);
	outcome_fini(&o);
}

static int set_up(void **state)
{
	const char *dir = getenv("TEST_DIR");

	(void)state;
	ca = ca_new();
	ca_path = xasprintf("%s/http-%ld.pem", dir && *dir ? dir : "/tmp", (long)getpid());
	if (!ca_write(ca, ca_path))
		return -1;
	(void)unsetenv("SSL_CERT_DIR");
	(void)unsetenv("https_proxy");
	(void)unsetenv("ALL_PROXY");
	return setenv("SSL_CERT_FILE", ca_path, true);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(ca_path);
	free(ca_path);
	ca_free(ca);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_available),      cmocka_unit_test(test_good),
	    cmocka_unit_test(test_status),         cmocka_unit_test(test_cap),
	    cmocka_unit_test(test_broken_answers), cmocka_unit_test(test_silence),
	    cmocka_unit_test(test_certificates),   cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_no_proxy),       cmocka_unit_test(test_several),
	    cmocka_unit_test(test_cancel),         cmocka_unit_test(test_posts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Servers that mean harm, beyond what the lab's scenarios can say: each is a function here that
 * gets the connection. Whatever they do, a run ends in its time. */
#include "support/lab.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NAPS = 40000 }; /* minutes: only what is broken takes as long */

struct hostile {
	pid_t pid;
	char target[64];
};

/* Starts a server at an address of its own; `serve` runs in a process for each connection. */
static struct hostile hostile_start(const char *address, void (*serve)(int fd))
{
	struct hostile h;
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof sa;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(inet_pton(AF_INET, address, &sa.sin_addr), 1);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
	(void)snprintf(h.target, sizeof h.target, "[%s]:%u", address, ntohs(sa.sin_port));
	h.pid = fork();
	assert_true(h.pid >= 0);
	if (h.pid == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		(void)signal(SIGCHLD, SIG_IGN);
		(void)alarm(120); /* should the test die first */
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			if (fd >= 0 && fork() == 0) {
				(void)alarm(60);
				serve(fd);
				_exit(0);
			}
			close(fd);
		}
	}
	close(listener);
	return h;
}

static void hostile_stop(struct hostile *h)
{
	(void)kill(h->pid, SIGKILL);
	(void)waitpid(h->pid, NULL, 0);
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(0); /* they have hung up */
}

static void hear(int fd)
{
	char line[4096];

	if (read(fd, line, sizeof line) <= 0)
		_exit(0);
}

/* A key and a certificate made on the spot. */
static SSL_CTX *tls_server(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	if (!ctx || !key || !cert)
		_exit(1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	SSL_CTX_use_certificate(ctx, cert);
	SSL_CTX_use_PrivateKey(ctx, key);
	return ctx;
}

static SSL *up_to_tls(int fd)
{
	SSL *ssl = SSL_new(tls_server());

	say(fd, "220 hostile.example ESMTP\r\n");
	hear(fd);
	say(fd, "250-hostile.example\r\n250 STARTTLS\r\n");
	hear(fd);
	say(fd, "220 2.0.0 go ahead\r\n");
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		_exit(0);
	return ssl;
}

static void updates_keys_for_ever(int fd)
{
	SSL *ssl = up_to_tls(fd);

	while (SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1)
		;
}

static void sends_tickets_for_ever(int fd)
{
	SSL *ssl = up_to_tls(fd);

	while (SSL_new_session_ticket(ssl) == 1 && SSL_do_handshake(ssl) == 1)
		;
}

/* Octets that never stop are read as fast as they come: without a bound, no timer would ever fire.
 */
static void tls_without_end(const char *address, void (*serve)(int fd))
{
	struct hostile h = hostile_start(address, serve);
	struct probe *probe = PROBE(NULL, "--json", "--tls", "require", "-t", "20", h.target);
	const json_t *result = probe->results[0];

	probe_assert_exit(probe, 2);
	assert_endpoint(result, address, "broken/tls", "ehlo");
	assert_non_null(strstr(text_at(result, "endpoints.0.error"), "without end"));
	probe_free(probe);
	hostile_stop(&h);
}

static void key_updates(void **state)
{
	(void)state;
	tls_without_end("127.0.71.1", updates_keys_for_ever);
}

static void tickets(void **state)
{
	(void)state;
	tls_without_end("127.0.71.2", sends_tickets_for_ever);
}

/* A refusal begins with the name of the machine or with anything else. */
static void refuses_with_a_name(int fd)
{
	say(fd, "421 4.7.0 bay7.hostile.example Error: too many connections from 192.0.2.1\r\n");
	hear(fd);
}

static void refuses_with_words(int fd)
{
	say(fd, "554 5.7.1 Go away\r\n");
	hear(fd);
}

static void machine_that_refuses(void **state)
{
	struct hostile named = hostile_start("127.0.71.3", refuses_with_a_name);
	struct hostile nameless = hostile_start("127.0.71.4", refuses_with_words);
	struct probe *probe = PROBE(NULL, "--json", named.target, nameless.target);
	const json_t *result = result_of(probe, named.target);

	(void)state;
	assert_string_equal(text_at(result, "endpoints.0.backends.0.name"), "bay7.hostile.example");
	result = result_of(probe, nameless.target);
	assert_int_equal(json_array_size(at(result, "endpoints.0.backends")), 0);
	probe_free(probe);
	hostile_stop(&named);
	hostile_stop(&nameless);
}

static char *file_of(pid_t pid, const char *name)
{
	char *path = xasprintf("/proc/%ld/%s", (long)pid, name), *text = read_whole(path, NULL);

	free(path);
	return text ? text : xstrdup("");
}

/* Is SIGTERM in that set of signals (proc(5))? */
static bool has_sigterm(pid_t pid, const char *set)
{
	char *status = file_of(pid, "status");
	const char *line = strstr(status, set);
	bool has = line && strtoull(line + strlen(set), NULL, 16) >> (SIGTERM - 1) & 1;

	free(status);
	return has;
}

/* It waits in write(), as far as the system tells. */
static bool is_writing(pid_t pid)
{
	char *where = file_of(pid, "wchan");
	bool is = strstr(where, "pipe_w") != NULL;

	free(where);
	return is;
}

static void nap(void)
{
	(void)usleep(5000); /* shorter is fine */
}

/* Sends it once the program handles it, and returns when it has got there. */
static void terminate(pid_t pid)
{
	for (int i = 0; i < NAPS && !has_sigterm(pid, "SigCgt:"); i++)
		nap();
	assert_int_equal(kill(pid, SIGTERM), 0);
	for (int i = 0; i < NAPS && has_sigterm(pid, "ShdPnd:"); i++)
		nap();
}

/* Input of which nothing but its end would be a result, and which has no end. */
static void signals_end_endless_input(void **state)
{
	struct probe *probe =
	    probe_start(NULL, NULL, (const char *const[]){"--json", "-i", "/dev/zero", NULL});

	(void)state;
	terminate(probe->pid);
	(void)kill(probe->pid, SIGTERM); /* the first may have been enough */
	probe_wait(probe);
	probe_assert_exit(probe, 3);
	probe_free(probe);
}

/* Nobody reads what it writes: it waits, and the second signal still ends it at once. */
static void second_signal_ends_a_blocked_run(void **state)
{
	static char blanks[1 << 17];
	int ends[2];
	pid_t pid;
	int status = -1;

	(void)state;
	memset(blanks, 'x', sizeof blanks);
	assert_int_equal(pipe(ends), 0);
	/* Full, so that the first octet of the report waits. */
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	while (write(ends[1], blanks, sizeof blanks) > 0)
		;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(300);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl(getenv("MXPROBE"), "mxprobe", "--json", "[127.0.71.9]:1", (char *)NULL);
		_exit(127);
	}
	/* Where the system does not tell, it gets there by itself after the first signal. */
	for (int i = 0; i < 1000 && !is_writing(pid); i++)
		nap();
	terminate(pid);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	for (int i = 0; i < NAPS && waitpid(pid, &status, WNOHANG) == 0; i++)
		nap();
	(void)kill(pid, SIGKILL);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_updates),
	    cmocka_unit_test(tickets),
	    cmocka_unit_test(machine_that_refuses),
	    cmocka_unit_test(signals_end_endless_input),
	    cmocka_unit_test(second_signal_ends_a_blocked_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

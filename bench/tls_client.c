/* A bare OpenSSL client: what a TLS session costs when nothing is looked at.
 *
 *   tls_client ADDRESS PORT NAME SESSIONS [CA.pem]
 *
 * One session after the other, with the dialogue that mxprobe has: greeting, EHLO, STARTTLS, the
 * handshake, EHLO, MAIL, QUIT, close_notify. Offers what mxprobe's mode auto offers and verifies
 * nothing; with CA.pem it is mode verify: the library's defaults, the chain, and the name. */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A reply is taken to end with the read that ends in LF: the sink writes each at once. */
static void take_reply(int fd, SSL *ssl, char first)
{
	char reply[4096];
	size_t n = 0;

	do {
		long got = ssl ? SSL_read(ssl, reply + n, (int)(sizeof reply - n))
			       : recv(fd, reply + n, sizeof reply - n, 0);

		if (got <= 0)
			die("no reply");
		n += (size_t)got;
	} while (reply[n - 1] != '\n' && n < sizeof reply);
	if (reply[0] != first)
		die("not the reply that was awaited");
}

static void say(int fd, SSL *ssl, const char *command)
{
	long n = (long)strlen(command);

	if ((ssl ? SSL_write(ssl, command, (int)n) : send(fd, command, (size_t)n, 0)) != n)
		die("cannot send");
}

static int skip_verification(X509_STORE_CTX *store, void *arg)
{
	(void)store, (void)arg;
	return 1;
}

static SSL_CTX *context(const char *ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		die("no context");
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (ca) {
		if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
			die(ca);
	} else {
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_cipher_list(ctx, "aNULL:-aNULL:ALL:!eNULL:+RC4:@STRENGTH:@SECLEVEL=0");
		SSL_CTX_set_cert_verify_callback(ctx, skip_verification, NULL);
	}
	return ctx;
}

static void session(SSL_CTX *ctx, const struct sockaddr_in *to, const char *name, int verify)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(ctx);

	if (fd < 0 || !ssl)
		die("no socket");
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0)
		die("connect");
	take_reply(fd, NULL, '2');
	say(fd, NULL, "EHLO probe.example.org\r\n");
	take_reply(fd, NULL, '2');
	say(fd, NULL, "STARTTLS\r\n");
	take_reply(fd, NULL, '2');
	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, name);
	if (verify)
		SSL_set1_host(ssl, name);
	if (SSL_connect(ssl) != 1 || (verify && SSL_get_verify_result(ssl) != X509_V_OK))
		die("handshake");
	say(fd, ssl, "EHLO probe.example.org\r\n");
	take_reply(fd, ssl, '2');
	say(fd, ssl, "MAIL FROM:<>\r\n");
	take_reply(fd, ssl, '2');
	say(fd, ssl, "QUIT\r\n");
	take_reply(fd, ssl, '2');
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	const char *ca = argc > 5 ? argv[5] : NULL;
	SSL_CTX *ctx;

	if (argc < 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: %s ADDRESS PORT NAME SESSIONS [CA.pem]\n", argv[0]);
		return 2;
	}
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	ctx = context(ca);
	for (long i = atol(argv[4]); i > 0; i--)
		session(ctx, &to, argv[3], ca != NULL);
	SSL_CTX_free(ctx);
	return 0;
}

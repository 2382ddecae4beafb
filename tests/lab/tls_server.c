#include "lab/tls_server.h"

#include <openssl/err.h>
#include <stdlib.h>

struct tls_server {
	SSL *ssl;
	BIO *in, *out; /* the SSL owns them */
};

struct tls_server *tls_server_new(SSL_CTX *context)
{
	struct tls_server *tls = xcalloc(1, sizeof *tls);
	tls->ssl = SSL_new(context);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out)
		abort();
	/* An empty buffer means "later", not the end. */
	BIO_set_mem_eof_return(tls->in, -1);
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

void tls_server_free(struct tls_server *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

static void drain(struct tls_server *tls, struct buf *out)
{
	char bytes[4096];
	for (int n; (n = BIO_read(tls->out, bytes, sizeof bytes)) > 0;)
		buf_add(out, bytes, (size_t)n);
}

enum tls_server_state tls_server_feed(struct tls_server *tls, const char *in, size_t n,
				      struct buf *plain, struct buf *out)
{
	enum tls_server_state state = TLS_SERVER_MORE;
	ERR_clear_error();
	if (n && BIO_write(tls->in, in, (int)n) != (int)n)
		abort();
	if (!SSL_is_init_finished(tls->ssl)) {
		int result = SSL_do_handshake(tls->ssl);
		if (result <= 0 && SSL_get_error(tls->ssl, result) != SSL_ERROR_WANT_READ)
			state = TLS_SERVER_FAILED;
	}
	if (state == TLS_SERVER_MORE && SSL_is_init_finished(tls->ssl)) {
		char bytes[4096];
		int result;
		state = TLS_SERVER_READY;
		while ((result = SSL_read(tls->ssl, bytes, sizeof bytes)) > 0)
			buf_add(plain, bytes, (size_t)result);
		int error = SSL_get_error(tls->ssl, result);
		if (error == SSL_ERROR_ZERO_RETURN)
			state = TLS_SERVER_CLOSED;
		else if (error != SSL_ERROR_WANT_READ)
			state = TLS_SERVER_FAILED;
	}
	drain(tls, out);
	return state;
}

void tls_server_write(struct tls_server *tls, const char *plain, size_t n, struct buf *out)
{
	if (n)
		(void)SSL_write(tls->ssl, plain, (int)n); /* into memory */
	drain(tls, out);
}

void tls_server_close(struct tls_server *tls, struct buf *out)
{
	(void)SSL_shutdown(tls->ssl); /* half of it is enough */
	drain(tls, out);
}

void tls_server_renegotiate(struct tls_server *tls, struct buf *out)
{
	if (SSL_renegotiate(tls->ssl) == 1)
		(void)SSL_do_handshake(tls->ssl); /* into memory; the client may not want to */
	drain(tls, out);
}

bool tls_server_closed(const struct tls_server *tls)
{
	return SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN;
}

const char *tls_server_version(const struct tls_server *tls)
{
	return SSL_get_version(tls->ssl);
}

const char *tls_server_cipher(const struct tls_server *tls)
{
	return SSL_get_cipher_name(tls->ssl);
}

const char *tls_server_sni(const struct tls_server *tls)
{
	const char *name = SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
	return name ? name : "-";
}

const char *tls_server_error(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_error());
	return words ? words : "the client went away";
}

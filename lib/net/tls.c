#include "net/tls.h"

#include "base/util.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

struct tls_context {
	SSL_CTX *ctx;
};

struct tls {
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
	enum tls_state state;
	char *error;
};

struct tls_facts *tls_facts_new(void)
{
	struct tls_facts *f = xcalloc(1, sizeof *f);

	f->dane = -1;
	return f;
}

void tls_facts_free(struct tls_facts *f)
{
	if (!f)
		return;
	free(f->version);
	free(f->cipher);
	free(f->subject);
	free(f->issuer);
	for (size_t i = 0; i < f->n_names; i++)
		free(f->names[i]);
	free(f->names);
	free(f->error);
	free(f);
}

struct tls_context *tls_context_new(void)
{
	struct tls_context *c = xcalloc(1, sizeof *c);

	c->ctx = SSL_CTX_new(TLS_client_method());
	if (!c->ctx)
		abort(); /* a broken library: nothing can be said about any server */
	/* What opportunistic senders offer (RFC 7435: some protection beats none): with OpenSSL's
	 * defaults old servers would fail here that no sender has trouble with. */
	(void)SSL_CTX_set_min_proto_version(c->ctx, TLS1_VERSION);
	SSL_CTX_set_security_level(c->ctx, 0);
	(void)SSL_CTX_set_cipher_list(c->ctx, "aNULL:-aNULL:ALL:!eNULL:+RC4:@STRENGTH:@SECLEVEL=0");
	(void)SSL_CTX_set_options(c->ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_NONE, NULL);
	return c;
}

void tls_context_free(struct tls_context *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

struct tls *tls_new(struct tls_context *c, const char *server_name)
{
	struct tls *t = xcalloc(1, sizeof *t);

	t->ssl = SSL_new(c->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->in || !t->out)
		abort();
	BIO_set_mem_eof_return(t->in, -1); /* an empty buffer means "later", not the end */
	BIO_set_mem_eof_return(t->out, -1);
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	if (server_name)
		(void)SSL_set_tlsext_host_name(t->ssl, server_name); /* fails only without memory */
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	free(t->error);
	free(t);
}

static void drain(struct tls *t, struct buf *out)
{
	char *bytes;
	long n = BIO_get_mem_data(t->out, &bytes);

	if (n > 0) {
		buf_add(out, bytes, (size_t)n);
		(void)BIO_reset(t->out);
	}
}

/* The library's words for what went wrong last. */
static char *last_error(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	return xstrdup(reason ? reason : "TLS handshake failed");
}

static enum tls_state fail(struct tls *t)
{
	free(t->error);
	t->error = last_error();
	ERR_clear_error();
	return t->state = TLS_FAILED;
}

enum tls_state tls_feed(struct tls *t, const char *in, size_t n, struct buf *plain, struct buf *out)
{
	char chunk[16384];
	int got;

	if (t->state == TLS_FAILED || t->state == TLS_CLOSED)
		return t->state;
	ERR_clear_error();
	if (n && BIO_write(t->in, in, (int)n) != (int)n)
		abort(); /* a memory BIO without memory */
	if (t->state == TLS_MORE) {
		got = SSL_do_handshake(t->ssl);
		drain(t, out);
		if (got != 1) {
			int why = SSL_get_error(t->ssl, got);

			return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? TLS_MORE
											 : fail(t);
		}
		t->state = TLS_READY;
	}
	while ((got = SSL_read(t->ssl, chunk, sizeof chunk)) > 0)
		buf_add(plain, chunk, (size_t)got);
	drain(t, out);
	switch (SSL_get_error(t->ssl, got)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_READY;
	case SSL_ERROR_ZERO_RETURN:
		return t->state = TLS_CLOSED;
	default:
		return fail(t);
	}
}

void tls_write(struct tls *t, const char *plain, size_t n, struct buf *out)
{
	if (t->state != TLS_READY || !n)
		return;
	ERR_clear_error();
	if (SSL_write(t->ssl, plain, (int)n) != (int)n)
		(void)fail(t); /* the next tls_feed says so */
	drain(t, out);
}

void tls_close(struct tls *t, struct buf *out)
{
	if (t->state != TLS_READY)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(t->ssl); /* one way: the peer's close_notify is not waited for */
	ERR_clear_error();
	drain(t, out);
}

static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long n;

	if (!bio)
		abort();
	(void)X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	n = BIO_get_mem_data(bio, &bytes);
	text = xstrndup(n > 0 ? bytes : "", n > 0 ? (size_t)n : 0);
	BIO_free(bio);
	return text;
}

static void add_name(struct tls_facts *f, const unsigned char *bytes, int n)
{
	enum { NAMES_MAX = 1000 }; /* a certificate is the stranger's: bounded */
	char **name;

	if (n <= 0 || f->n_names == NAMES_MAX)
		return;
	name = ARRAY_ADD(f->names, f->n_names);
	*name = xstrndup((const char *)bytes, (size_t)n);
}

static void take_names(struct tls_facts *f, X509 *cert)
{
	GENERAL_NAMES *alt = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int at;

	for (int i = 0; alt && i < sk_GENERAL_NAME_num(alt); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(alt, i);

		if (name->type == GEN_DNS)
			add_name(f, ASN1_STRING_get0_data(name->d.dNSName),
				 ASN1_STRING_length(name->d.dNSName));
	}
	GENERAL_NAMES_free(alt);
	at = X509_NAME_get_index_by_NID(X509_get_subject_name(cert), NID_commonName, -1);
	if (!f->n_names && at >= 0) {
		const ASN1_STRING *cn =
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(cert), at));
		unsigned char *utf8 = NULL;
		int n = ASN1_STRING_to_UTF8(&utf8, cn);

		add_name(f, utf8, n);
		OPENSSL_free(utf8);
	}
}

struct tls_facts *tls_get_facts(struct tls *t)
{
	struct tls_facts *f = tls_facts_new();
	X509 *cert;
	struct tm tm;

	if (t->error)
		f->error = xstrdup(t->error);
	if (t->state != TLS_READY && t->state != TLS_CLOSED)
		return f;
	f->version = xstrdup(SSL_get_version(t->ssl));
	f->cipher = xstrdup(SSL_get_cipher_name(t->ssl));
	cert = SSL_get1_peer_certificate(t->ssl);
	if (!cert)
		return f;
	f->subject = name_text(X509_get_subject_name(cert));
	f->issuer = name_text(X509_get_issuer_name(cert));
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1)
		f->not_after = timegm(&tm);
	take_names(f, cert);
	X509_free(cert);
	return f;
}

#include "net/tls.h"

#include "base/buf.h"
#include "base/util.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tls_context {
	SSL_CTX *unchecked;
	SSL_CTX *checked; /* NULL until it is needed: reading the trust store takes its time */
};

struct tls {
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
	enum tls_state state;
	enum tls_check check;
	bool chain;
	bool heard;         /* something came from the peer */
	struct buf pending; /* plaintext that waits for the end of a renegotiation */
	char *error;
};

static const char *const fault_names[] = {
    [TLS_FAULT_NONE] = NULL,         [TLS_UNTRUSTED] = "untrusted",
    [TLS_EXPIRED] = "expired",       [TLS_NOT_YET_VALID] = "not yet valid",
    [TLS_WRONG_NAME] = "wrong name", [TLS_TLSA_MISMATCH] = "TLSA mismatch",
};
static_assert(ARRAY_LEN(fault_names) == TLS_FAULTS, "each fault has a name");

const char *tls_fault_name(enum tls_fault fault)
{
	return fault_names[fault];
}

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
	for (size_t i = 0; i < f->n_chain; i++)
		free(f->chain[i]);
	free(f->chain);
	free(f->error);
	free(f);
}

static void *library_malloc(size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return xmalloc(size);
}

static void *library_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return xrealloc(p, size);
}

static void library_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

void tls_begin(void)
{
	/* It is refused once the library has allocated: then it was done before, or too late. */
	(void)CRYPTO_set_mem_functions(library_malloc, library_realloc, library_free);
}

_Noreturn void tls_broken(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());

	cannot_go_on("the TLS library does not work", why ? why : "it does not say why");
}

static SSL_CTX *context_new(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		tls_broken();
	(void)SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL); /* the outcome is a fact, not an end */
	return ctx;
}

static const char lenient_ciphers[] = "aNULL:-aNULL:ALL:!eNULL:+RC4:@STRENGTH:@SECLEVEL=0";

/* OpenSSL walks the chain even where nobody asks; here nobody does. */
static int check_nothing(X509_STORE_CTX *store, void *arg)
{
	(void)store, (void)arg;
	return 1;
}

struct tls_context *tls_context_new(void)
{
	struct tls_context *c = xcalloc(1, sizeof *c);

	tls_begin();
	c->unchecked = context_new();
	/* What opportunistic senders offer (RFC 7435: some protection beats none): with OpenSSL's
	 * defaults old servers would fail here that no sender has trouble with. */
	(void)SSL_CTX_set_min_proto_version(c->unchecked, TLS1_VERSION);
	SSL_CTX_set_security_level(c->unchecked, 0);
	(void)SSL_CTX_set_cipher_list(c->unchecked, lenient_ciphers);
	SSL_CTX_set_cert_verify_callback(c->unchecked, check_nothing, NULL);
	return c;
}

static const char *environment_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

const char *tls_trust_file(void)
{
	return environment_or(X509_get_default_cert_file_env(), X509_get_default_cert_file());
}

const char *tls_trust_folders(void)
{
	return environment_or(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
}

/* Without a store nothing is trusted. But one that is there and cannot be read is no ground to call
 * certificates untrusted. */
static void read_trust(const char *file, struct buf *text)
{
	char chunk[16384];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return;
	while (fd >= 0 && ((n = read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			buf_add(text, chunk, (size_t)n);
	if (fd < 0 || n < 0)
		cannot_go_on(file, strerror(errno));
	(void)close(fd); /* nothing was written to it */
}

/* What SSL_CTX_load_verify_file() does, which takes a file that breaks off for one that ends. */
static void load_trust(SSL_CTX *ctx)
{
	struct buf text = {0};
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	STACK_OF(X509_INFO) * found;
	BIO *bio;

	(void)SSL_CTX_set_default_verify_dir(ctx); /* looked into when it is needed */
	read_trust(tls_trust_file(), &text);
	bio = BIO_new_mem_buf(text.len ? text.data : "", (int)text.len);
	found = PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL);
	for (int i = 0; i < sk_X509_INFO_num(found); i++) {
		const X509_INFO *info = sk_X509_INFO_value(found, i);

		/* What is in it twice is taken once, which is no error of interest. */
		if (info->x509)
			(void)X509_STORE_add_cert(store, info->x509);
		if (info->crl)
			(void)X509_STORE_add_crl(store, info->crl);
	}
	sk_X509_INFO_pop_free(found, X509_INFO_free);
	BIO_free(bio);
	buf_fini(&text);
	ERR_clear_error();
}

static SSL_CTX *checked(struct tls_context *c)
{
	if (!c->checked) {
		c->checked = context_new();
		load_trust(c->checked);
		if (SSL_CTX_dane_enable(c->checked) != 1)
			tls_broken();
		/* RFC 7672 3.1.1: of DANE-EE certificates neither name nor dates matter. */
		(void)SSL_CTX_dane_set_flags(c->checked, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	}
	return c->checked;
}

void tls_context_free(struct tls_context *c)
{
	if (!c)
		return;
	SSL_CTX_free(c->unchecked);
	SSL_CTX_free(c->checked);
	free(c);
}

/* Does the record hold what it says, a certificate or a public key, and nothing behind it? */
static bool is_whole(const struct tlsa *r)
{
	const unsigned char *at = r->data;
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	bool whole;

	if (r->selector == 0) {
		cert = d2i_X509(NULL, &at, r->size);
		key = cert ? X509_get_pubkey(cert) : NULL; /* of a kind the library knows */
	} else {
		key = d2i_PUBKEY(NULL, &at, r->size);
	}
	whole = key && at == r->data + r->size;
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return whole;
}

bool tlsa_is_usable(const struct tlsa *r)
{
	static const uint16_t sizes[] = {0, 32, 64}; /* Full; SHA-256; SHA-512 */

	if ((r->usage != 2 && r->usage != 3) || r->selector > 1 || r->matching > 2)
		return false;
	return sizes[r->matching] ? r->size == sizes[r->matching] : is_whole(r);
}

static bool is_address(const char *name)
{
	ASN1_OCTET_STRING *ip = name ? a2i_IPADDRESS(name) : NULL;

	ASN1_OCTET_STRING_free(ip);
	ERR_clear_error();
	return ip != NULL;
}

static void want_name(SSL *ssl, const struct tls_want *want)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(want->server_name)) {
		(void)X509_VERIFY_PARAM_set1_ip_asc(param,
						    want->server_name); /* it was just parsed */
		return;
	}
	if (want->server_name && SSL_set1_host(ssl, want->server_name) != 1)
		tls_broken();
	if (want->also && SSL_add1_host(ssl, want->also) != 1)
		tls_broken();
}

static void want_dane(SSL *ssl, const struct tls_want *want)
{
	X509_VERIFY_PARAM_set_hostflags(SSL_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_dane_enable(ssl, want->server_name) <= 0)
		tls_broken();
	if (want->also && SSL_add1_host(ssl, want->also) != 1)
		tls_broken();
	/* One that the library cannot use after all matches nothing. */
	for (size_t i = 0; i < want->n_tlsa; i++) {
		const struct tlsa *r = &want->tlsa[i];

		(void)SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching, r->data, r->size);
	}
	ERR_clear_error();
}

struct tls *tls_new(struct tls_context *c, const struct tls_want *want)
{
	struct tls *t = xcalloc(1, sizeof *t);

	t->check = want->check;
	t->chain = want->chain;
	t->ssl = SSL_new(want->check == TLS_CHECK_NONE ? c->unchecked : checked(c));
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->in || !t->out)
		tls_broken();
	if (want->check != TLS_CHECK_NONE && want->lenient) {
		(void)SSL_set_min_proto_version(t->ssl, TLS1_VERSION);
		SSL_set_security_level(t->ssl, 0);
		(void)SSL_set_cipher_list(t->ssl, lenient_ciphers);
	}
	BIO_set_mem_eof_return(t->in, -1); /* an empty buffer means "later", not the end */
	BIO_set_mem_eof_return(t->out, -1);
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	if (want->server_name && !is_address(want->server_name))
		(void)SSL_set_tlsext_host_name(t->ssl,
					       want->server_name); /* fails only without memory */
	if (want->check == TLS_CHECK_WEBPKI)
		want_name(t->ssl, want);
	else if (want->check == TLS_CHECK_DANE)
		want_dane(t->ssl, want);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	buf_fini(&t->pending);
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

/* The library's words for what went wrong last. Those for alerts carry the version in which each
 * was new ("sslv3 alert handshake failure"), which says nothing about this server. */
static char *last_error(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	int alert = ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET;

	if (ERR_GET_LIB(code) == ERR_LIB_SSL && alert >= 0 && alert <= 255)
		return xasprintf("TLS alert: %s", SSL_alert_desc_string_long(alert));
	return xstrdup(reason ? reason : "TLS handshake failed");
}

static enum tls_state fail(struct tls *t)
{
	free(t->error);
	t->error = last_error();
	ERR_clear_error();
	return t->state = TLS_FAILED;
}

/* A server begins with a record that holds a handshake or an alert (RFC 8446 5.1). Of anything else
 * the library says "wrong version number", which sends people looking in the wrong place. */
static bool is_tls(const char *in)
{
	return in[0] == SSL3_RT_HANDSHAKE || in[0] == SSL3_RT_ALERT;
}

/* Encrypts what waits, unless the library first wants to hear from the peer: with TLS 1.2 a server
 * may ask for another handshake at any time (RFC 5246 7.4.1.1), and some do once they have seen the
 * name. */
static void write_pending(struct tls *t)
{
	int put;

	if (!t->pending.len)
		return;
	put = SSL_write(t->ssl, t->pending.data, (int)t->pending.len);
	if (put > 0)
		buf_consume(&t->pending, (size_t)put);
	else if (SSL_get_error(t->ssl, put) != SSL_ERROR_WANT_READ)
		(void)fail(t);
}

enum tls_state tls_feed(struct tls *t, const char *in, size_t n, struct buf *plain, struct buf *out)
{
	char chunk[16384];
	int got;

	if (t->state == TLS_FAILED || t->state == TLS_CLOSED)
		return t->state;
	ERR_clear_error();
	if (n && !t->heard) {
		t->heard = true;
		if (!is_tls(in)) {
			t->error = xstrdup("what the server sent is not TLS");
			return t->state = TLS_FAILED;
		}
	}
	if (n && BIO_write(t->in, in, (int)n) != (int)n)
		tls_broken();
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
		ERR_clear_error();
		write_pending(t);
		drain(t, out);
		return t->state;
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
	buf_add(&t->pending, plain, n);
	write_pending(t); /* if it fails the next tls_feed says so */
	drain(t, out);
}

void tls_close(struct tls *t, struct buf *out)
{
	/* Also to a peer that has closed first: its close_notify often comes with its last reply.
	 */
	if (t->state != TLS_READY && t->state != TLS_CLOSED)
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
		tls_broken();
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

static time_t time_of(const ASN1_TIME *when)
{
	struct tm tm;

	return ASN1_TIME_to_tm(when, &tm) == 1 ? timegm(&tm) : 0;
}

static enum tls_fault fault_of(long result)
{
	switch (result) {
	case X509_V_OK:
		return TLS_FAULT_NONE;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return TLS_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return TLS_NOT_YET_VALID;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return TLS_WRONG_NAME;
	case X509_V_ERR_DANE_NO_MATCH:
		return TLS_TLSA_MISMATCH;
	default:
		return TLS_UNTRUSTED;
	}
}

static void take_check(struct tls_facts *f, const struct tls *t, bool has_cert)
{
	long result = SSL_get_verify_result(t->ssl);

	if (t->check == TLS_CHECK_NONE)
		return;
	/* Without a certificate there was nothing to find fault with. */
	f->fault = has_cert ? fault_of(result) : TLS_UNTRUSTED;
	if (t->check == TLS_CHECK_WEBPKI)
		f->verified = f->fault == TLS_FAULT_NONE;
	else
		f->dane =
		    f->fault == TLS_FAULT_NONE && SSL_get0_dane_authority(t->ssl, NULL, NULL) >= 0;
	if (f->fault && !f->error)
		f->error = xstrdup(has_cert ? X509_verify_cert_error_string(result)
					    : "the server has no certificate");
}

static void take_chain(struct tls_facts *f, const struct tls *t)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(t->ssl);

	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);
		char *subject = name_text(X509_get_subject_name(cert));
		char *issuer = name_text(X509_get_issuer_name(cert));
		time_t end = time_of(X509_get0_notAfter(cert));
		char **line = ARRAY_ADD(f->chain, f->n_chain), date[32] = "?";
		struct tm tm;

		if (gmtime_r(&end, &tm))
			(void)strftime(date, sizeof date, "%Y-%m-%d", &tm); /* it fits */
		*line = xasprintf("certificate %d: %s, issued by %s, good until %s", i, subject,
				  issuer, date);
		free(subject);
		free(issuer);
	}
}

struct tls_facts *tls_get_facts(struct tls *t)
{
	struct tls_facts *f = tls_facts_new();
	X509 *cert;

	if (t->error)
		f->error = xstrdup(t->error);
	if (t->state != TLS_READY && t->state != TLS_CLOSED)
		return f;
	f->version = xstrdup(SSL_get_version(t->ssl));
	f->cipher = xstrdup(SSL_get_cipher_name(t->ssl));
	cert = SSL_get1_peer_certificate(t->ssl);
	take_check(f, t, cert != NULL);
	if (!cert)
		return f;
	f->subject = name_text(X509_get_subject_name(cert));
	f->issuer = name_text(X509_get_issuer_name(cert));
	f->not_after = time_of(X509_get0_notAfter(cert));
	take_names(f, cert);
	if (t->chain)
		take_chain(f, t);
	X509_free(cert);
	return f;
}

/* TLS with both ends in memory: ours, and OpenSSL's server with a certificate made here. */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
	struct tls_context *context;
	struct tls *tls;
	enum tls_state state;
	struct buf plain, out; /* of ours */
	SSL_CTX *ctx;
	SSL *server;
	BIO *in;          /* what the server reads */
	BIO *from;        /* what it writes */
	struct buf heard; /* decrypted by the server */
	bool refused;     /* it has failed */
	size_t piece;     /* octets handed to us at once */
};

static EVP_PKEY *key;
static X509 *cert;

static int make_certificate(void **state)
{
	X509_NAME *name;
	X509_EXTENSION *ext;

	(void)state;
	key = EVP_EC_gen("P-256");
	cert = X509_new();
	if (!key || !cert)
		return -1;
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	ASN1_TIME_set(X509_getm_notAfter(cert), 4102444800); /* 2100 */
	name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"mx", -1, -1,
				   0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
				  "DNS:mx.example.org,DNS:*.example.net,IP:192.0.2.1");
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return X509_sign(cert, key, EVP_sha256()) ? 0 : -1;
}

static int free_certificate(void **state)
{
	(void)state;
	X509_free(cert);
	EVP_PKEY_free(key);
	return 0;
}

static void begin(struct fixture *f, int version)
{
	const struct tls_want want = {.server_name = "mx.example.org"};

	f->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_security_level(f->ctx, 0);
	SSL_CTX_set_min_proto_version(f->ctx, version);
	SSL_CTX_set_max_proto_version(f->ctx, version);
	assert_int_equal(SSL_CTX_use_certificate(f->ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(f->ctx, key), 1);
	f->server = SSL_new(f->ctx);
	f->in = BIO_new(BIO_s_mem());
	f->from = BIO_new(BIO_s_mem());
	SSL_set_bio(f->server, f->in, f->from);
	SSL_set_accept_state(f->server);
	f->tls = tls_new(f->context, &want);
	f->state = tls_feed(f->tls, NULL, 0, &f->plain, &f->out);
	assert_int_equal(f->state, TLS_MORE);
	assert_true(f->out.len > 0); /* the ClientHello */
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof *f);

	f->context = tls_context_new();
	f->piece = SIZE_MAX;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tls_free(f->tls);
	tls_context_free(f->context);
	SSL_free(f->server);
	SSL_CTX_free(f->ctx);
	buf_fini(&f->plain);
	buf_fini(&f->out);
	buf_fini(&f->heard);
	ERR_clear_error();
	free(f);
	return 0;
}

static void feed(struct fixture *f, const char *bytes, size_t n)
{
	while (n) {
		size_t len = n < f->piece ? n : f->piece;

		f->state = tls_feed(f->tls, bytes, len, &f->plain, &f->out);
		bytes += len;
		n -= len;
	}
}

/* Octets go to and fro until nobody has any more. */
static void exchange(struct fixture *f)
{
	char chunk[4096];
	bool moved = true;

	while (moved) {
		int n;
		long bytes;
		char *data;

		moved = false;
		if (f->out.len) {
			BIO_write(f->in, f->out.data, (int)f->out.len);
			buf_clear(&f->out);
			moved = true;
		}
		while ((n = SSL_read(f->server, chunk, sizeof chunk)) > 0)
			buf_add(&f->heard, chunk, (size_t)n);
		if (SSL_get_error(f->server, n) == SSL_ERROR_SSL)
			f->refused = true;
		bytes = BIO_get_mem_data(f->from, &data);
		if (bytes > 0) {
			char *copy = xmalloc((size_t)bytes);

			memcpy(copy, data, (size_t)bytes);
			(void)BIO_reset(f->from);
			feed(f, copy, (size_t)bytes);
			free(copy);
			moved = true;
		}
	}
}

static void test_versions(void **state)
{
	static const struct {
		int version;
		const char *name;
	} rows[] = {
	    {TLS1_VERSION, "TLSv1"}, {TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fixture *f = *state;
		struct tls_facts *facts;

		begin(f, rows[i].version);
		exchange(f);
		assert_int_equal(f->state, TLS_READY);
		facts = tls_get_facts(f->tls);
		assert_string_equal(facts->version, rows[i].name);
		assert_non_null(facts->cipher);
		assert_string_equal(facts->subject, "CN=mx");
		assert_string_equal(facts->issuer, "CN=mx");
		assert_int_equal(facts->not_after, 4102444800);
		assert_int_equal(facts->n_names, 2);
		assert_string_equal(facts->names[0], "mx.example.org");
		assert_string_equal(facts->names[1], "*.example.net");
		assert_false(facts->verified);
		assert_int_equal(facts->dane, -1);
		assert_null(facts->error);
		tls_facts_free(facts);
		assert_string_equal(SSL_get_servername(f->server, TLSEXT_NAMETYPE_host_name),
				    "mx.example.org");
		tear_down(state);
		set_up(state);
	}
}

static void test_to_and_fro(void **state)
{
	struct fixture *f = *state;
	static const size_t pieces[] = {1, 7, SIZE_MAX};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		f = *state;
		begin(f, TLS1_3_VERSION);
		f->piece = pieces[i];
		tls_write(f->tls, "too early", 9, &f->out); /* before it is ready: nothing */
		exchange(f);
		assert_int_equal(f->state, TLS_READY);
		tls_write(f->tls, "EHLO me\r\n", 9, &f->out);
		tls_write(f->tls, "", 0, &f->out);
		exchange(f);
		assert_string_equal(buf_str(&f->heard), "EHLO me\r\n");
		assert_int_equal(SSL_write(f->server, "250 mx\r\n", 8), 8);
		exchange(f);
		assert_string_equal(buf_str(&f->plain), "250 mx\r\n");
		tls_close(f->tls, &f->out);
		exchange(f);
		assert_int_equal(SSL_get_shutdown(f->server) & SSL_RECEIVED_SHUTDOWN,
				 SSL_RECEIVED_SHUTDOWN);
		tear_down(state);
		set_up(state);
	}
}

static void test_closed_by_the_server(void **state)
{
	struct fixture *f = *state;

	begin(f, TLS1_2_VERSION);
	exchange(f);
	assert_int_equal(SSL_write(f->server, "421 bye\r\n", 9), 9);
	SSL_shutdown(f->server);
	exchange(f);
	assert_int_equal(f->state, TLS_CLOSED);
	assert_string_equal(buf_str(&f->plain), "421 bye\r\n"); /* what came before is there */
	tls_write(f->tls, "QUIT\r\n", 6, &f->out);
	assert_int_equal(f->out.len, 0);
	assert_int_equal(tls_feed(f->tls, "x", 1, &f->plain, &f->out), TLS_CLOSED);
}

static void failed(struct fixture *f)
{
	struct tls_facts *facts;

	assert_int_equal(f->state, TLS_FAILED);
	facts = tls_get_facts(f->tls);
	assert_non_null(facts->error);
	assert_true(*facts->error);
	assert_null(facts->version);
	assert_null(facts->subject);
	tls_facts_free(facts);
	assert_int_equal(tls_feed(f->tls, "x", 1, &f->plain, &f->out), TLS_FAILED);
	tls_close(f->tls, &f->out); /* changes nothing */
}

static void test_garbage(void **state)
{
	struct fixture *f = *state;

	begin(f, TLS1_3_VERSION);
	feed(f, "250 this is no TLS\r\n", 20);
	failed(f);
}

static void test_alert(void **state)
{
	struct fixture *f = *state;

	begin(f, TLS1_3_VERSION);
	feed(f, "\x15\x03\x03\0\2\2\x28", 7); /* handshake failure */
	failed(f);
}

static void test_server_that_wants_more_than_we_have(void **state)
{
	struct fixture *f = *state;

	begin(f, TLS1_2_VERSION);
	SSL_set_cipher_list(f->server, "ECDHE-RSA-AES128-GCM-SHA256"); /* has no such key */
	exchange(f);
	assert_true(f->refused);
	failed(f);
}

static void test_broken_record(void **state)
{
	struct fixture *f = *state;
	long n;
	char *data;

	begin(f, TLS1_3_VERSION);
	exchange(f);
	assert_int_equal(SSL_write(f->server, "250 mx\r\n", 8), 8);
	n = BIO_get_mem_data(f->from, &data);
	data[n - 1] ^= 1;
	feed(f, data, (size_t)n);
	assert_int_equal(f->state, TLS_FAILED);
	assert_int_equal(f->plain.len, 0);
}

static void test_nothing(void **state)
{
	(void)state;
	tls_free(NULL);
	tls_context_free(NULL);
	tls_facts_free(NULL);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_versions),
	    TEST(test_to_and_fro),
	    TEST(test_closed_by_the_server),
	    TEST(test_garbage),
	    TEST(test_alert),
	    TEST(test_server_that_wants_more_than_we_have),
	    TEST(test_broken_record),
	    cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, make_certificate, free_certificate);
}

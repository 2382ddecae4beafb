#include "lab/ca.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, CA_DAYS = 3650, GOOD_DAYS = 90 };

/* One server's context; kept since making keys takes time. */
struct context {
	const struct face *face;
	char *name;
	SSL_CTX *ssl;
	X509 *cert; /* NULL: anonymous */
};

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

struct ca {
	struct authority good, unknown; /* nobody is told of the second */
	struct context *contexts;
	size_t n_contexts;
	long serial;
};

/* The library fails here only when it is broken or out of memory. */
static void *need(void *made)
{
	if (!made) {
		ERR_print_errors_fp(stderr);
		abort();
	}
	return made;
}

static void must(int good)
{
	if (good <= 0) {
		ERR_print_errors_fp(stderr);
		abort();
	}
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = need(X509V3_EXT_conf_nid(NULL, &context, nid, value));
	must(X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static X509 *make_cert(struct ca *ca, EVP_PKEY *key, const char *common_name, long from_days,
		       long to_days)
{
	X509 *cert = need(X509_new());
	must(X509_set_version(cert, X509_VERSION_3));
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert), ++ca->serial));
	need(X509_gmtime_adj(X509_getm_notBefore(cert), from_days * DAY));
	/* An hour more, so that the days left are the same all through a test. */
	need(X509_gmtime_adj(X509_getm_notAfter(cert), to_days * DAY + (to_days > 0 ? 3600 : 0)));
	must(X509_set_pubkey(cert, key));
	must(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
					(const unsigned char *)common_name, -1, -1, 0));
	return cert;
}

static void make_authority(struct ca *ca, struct authority *authority, const char *name)
{
	authority->key = need(EVP_EC_gen("P-256"));
	authority->cert = make_cert(ca, authority->key, name, -1, CA_DAYS);
	X509 *cert = authority->cert;
	must(X509_set_issuer_name(cert, X509_get_subject_name(cert)));
	extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
	extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	extend(cert, cert, NID_subject_key_identifier, "hash");
	must(X509_sign(cert, authority->key, EVP_sha256()));
}

struct ca *ca_new(void)
{
	struct ca *ca = xcalloc(1, sizeof *ca);
	make_authority(ca, &ca->good, "mxprobe lab CA");
	return ca;
}

void ca_free(struct ca *ca)
{
	if (!ca)
		return;
	for (size_t i = 0; i < ca->n_contexts; i++) {
		SSL_CTX_free(ca->contexts[i].ssl);
		X509_free(ca->contexts[i].cert);
		free(ca->contexts[i].name);
	}
	free(ca->contexts);
	EVP_PKEY_free(ca->good.key);
	X509_free(ca->good.cert);
	EVP_PKEY_free(ca->unknown.key);
	X509_free(ca->unknown.cert);
	free(ca);
}

bool ca_write(const struct ca *ca, const char *path)
{
	FILE *file = fopen(path, "wxe");
	if (!file)
		return false;
	bool good = PEM_write_X509(file, ca->good.cert) == 1;
	return fclose(file) == 0 && good;
}

static void add_names(X509 *cert, X509 *issuer, const char *names, unsigned more)
{
	struct buf value = {0};
	for (const char *s = names; *s; s += strspn(s, ",")) {
		size_t n = strcspn(s, ",");
		/* IP:192.0.2.1 is already as OpenSSL wants it. */
		buf_printf(&value, "%s%s%.*s", value.len ? "," : "",
			   strncmp(s, "IP:", 3) == 0 ? "" : "DNS:", (int)n, s);
		s += n;
	}
	for (; more; more--)
		buf_printf(&value, ",DNS:name-%u.lab.example", more);
	extend(cert, issuer, NID_subject_alt_name, buf_str(&value));
	buf_fini(&value);
}

static void make_leaf(struct ca *ca, struct context *context, EVP_PKEY *key)
{
	const struct face *face = context->face;
	long from = -1, to = face->cert_days ? face->cert_days : GOOD_DAYS;
	const char *names = face->cert_names ? face->cert_names : context->name;
	struct authority *issuer = &ca->good;
	if (face->cert == CERT_EXPIRED)
		from = -GOOD_DAYS, to = -1;
	if (face->cert == CERT_FUTURE)
		from = 1;
	if (face->cert == CERT_WRONG_NAME)
		names = "somebody.else.example";
	if (face->cert == CERT_UNTRUSTED) {
		if (!ca->unknown.key)
			make_authority(ca, &ca->unknown, "nobody knows this CA");
		issuer = &ca->unknown;
	}
	char *first = xstrndup(names, strcspn(names, ","));
	X509 *cert = make_cert(ca, key, first, from, to);
	free(first);
	bool self = face->cert == CERT_SELF_SIGNED;
	X509 *by = self ? cert : issuer->cert;
	must(X509_set_issuer_name(cert, X509_get_subject_name(by)));
	extend(cert, by, NID_basic_constraints, "critical,CA:FALSE");
	extend(cert, by, NID_ext_key_usage, "serverAuth");
	extend(cert, by, NID_subject_key_identifier, "hash");
	add_names(cert, by, names, face->more_names);
	must(X509_sign(cert, self ? key : issuer->key,
		       face->cert == CERT_SHA1 ? EVP_sha1() : EVP_sha256()));
	context->cert = cert;
	must(SSL_CTX_use_certificate(context->ssl, cert));
	must(SSL_CTX_use_PrivateKey(context->ssl, key));
	/* DANE-TA (usage 2) needs the authority in the chain. */
	if (!self)
		must((int)SSL_CTX_add1_chain_cert(context->ssl, issuer->cert));
	for (unsigned i = 0; i < face->more_chain; i++)
		must((int)SSL_CTX_add1_chain_cert(context->ssl, issuer->cert));
}

static struct context *find_context(struct ca *ca, const struct face *face, const char *name)
{
	for (size_t i = 0; i < ca->n_contexts; i++)
		if (ca->contexts[i].face == face && strcmp(ca->contexts[i].name, name) == 0)
			return &ca->contexts[i];
	struct context *context = ARRAY_ADD(ca->contexts, ca->n_contexts);
	context->face = face;
	context->name = xstrdup(name);
	context->ssl = need(SSL_CTX_new(TLS_server_method()));
	/* What old servers speak, too: TLS 1.0, SHA-1. */
	SSL_CTX_set_security_level(context->ssl, 0);
	must(SSL_CTX_set_min_proto_version(context->ssl,
					   face->tls_min ? face->tls_min : TLS1_VERSION));
	must(SSL_CTX_set_max_proto_version(context->ssl, face->tls_max));
	const char *ciphers = face->ciphers;
	if (face->cert == CERT_ANONYMOUS) {
		/* TLS 1.3 has no anonymous suites. */
		must(SSL_CTX_set_max_proto_version(context->ssl, TLS1_2_VERSION));
		must(SSL_CTX_set_dh_auto(context->ssl, 1));
		ciphers = ciphers ? ciphers : "aNULL";
	}
	must(SSL_CTX_set_cipher_list(context->ssl, ciphers ? ciphers : "ALL:@SECLEVEL=0"));
	if (face->cert != CERT_ANONYMOUS) {
		EVP_PKEY *key = need(EVP_EC_gen("P-256"));
		make_leaf(ca, context, key);
		EVP_PKEY_free(key);
	}
	return context;
}

SSL_CTX *ca_context(struct ca *ca, const struct face *face, const char *name)
{
	return find_context(ca, face, name)->ssl;
}

void ca_tlsa(struct ca *ca, const struct face *face, const char *name, const struct tlsa_wish *wish,
	     struct buf *out)
{
	X509 *cert = find_context(ca, face, name)->cert;
	if (wish->usage == 0 || wish->usage == 2 || !cert)
		cert = ca->good.cert;
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	int n = wish->selector == 0 ? i2d_X509(cert, &der)
				    : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	must(n);
	const unsigned char *data = der;
	unsigned int len = (unsigned int)n;
	if (wish->matching != 0) {
		must(EVP_Digest(der, (size_t)n, digest, &len,
				wish->matching == 1 ? EVP_sha256() : EVP_sha512(), NULL));
		data = digest;
	}
	for (unsigned int i = 0; i < len; i++)
		buf_printf(out, "%02x", wish->wrong ? data[i] ^ 0xff : data[i]);
	OPENSSL_free(der);
}

#include "net/digest.h"

#include "base/util.h"
#include "net/tls.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <stdlib.h>

static void to_hex(char *out, const unsigned char *octets, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[octets[i] >> 4];
		*out++ = digits[octets[i] & 15];
	}
	*out = '\0';
}

void digest_sha256(char out[DIGEST_STRLEN], const void *bytes, size_t n)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned size;

	if (!EVP_Digest(bytes, n, sum, &size, EVP_sha256(), NULL))
		tls_broken(); /* nothing can be vouched for */
	to_hex(out, sum, size);
}

void digest_hmac(char out[DIGEST_STRLEN], const void *key, size_t n_key, const void *bytes,
		 size_t n)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned size;

	if (!HMAC(EVP_sha256(), key, (int)n_key, bytes, n, sum, &size))
		tls_broken();
	to_hex(out, sum, size);
}

void digest_random(char *out, size_t octets)
{
	unsigned char *random = xmalloc(octets);

	if (RAND_bytes(random, (int)octets) != 1)
		tls_broken();
	to_hex(out, random, octets);
	free(random);
}

void digest_forget(void *secret, size_t n)
{
	OPENSSL_cleanse(secret, n);
}

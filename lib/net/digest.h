/* SHA-256 and HMAC-SHA-256 (RFC 2104), as lower-case hexadecimal text; and numbers nobody can
 * guess. A library that cannot do that ends the program: see tls_broken. */
#ifndef MXPROBE_DIGEST_H
#define MXPROBE_DIGEST_H

#include <stddef.h>

enum { DIGEST_STRLEN = 65 };

void digest_sha256(char out[DIGEST_STRLEN], const void *bytes, size_t n);
void digest_hmac(char out[DIGEST_STRLEN], const void *key, size_t n_key, const void *bytes,
		 size_t n);

/* 2 * octets characters and a NUL. */
void digest_random(char *out, size_t octets);

/* Overwrites a secret that is not needed any more, whatever a compiler thinks of that. */
void digest_forget(void *secret, size_t n);

#endif

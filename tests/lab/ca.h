/* A small certificate authority, made anew at each start, and the TLS contexts of the servers. */
#ifndef LAB_CA_H
#define LAB_CA_H

#include "base/buf.h"
#include "base/util.h"
#include "lab/scenario.h"

#include <openssl/ssl.h>
#include <stdbool.h>

struct ca;

struct ca *ca_new(void);
void ca_free(struct ca *);

/* Writes the certificate of the authority as PEM; false and errno. */
bool ca_write(const struct ca *, const char *path) MUSTCHECK;

/* The context of a server that shows this face under this name; the CA keeps it. */
SSL_CTX *ca_context(struct ca *, const struct face *, const char *name);

/* Appends the association data of a TLSA record (RFC 6698 2.1.4) in hexadecimal for the certificate
 * that such a server shows, or for the authority's with usage 0 or 2. */
void ca_tlsa(struct ca *, const struct face *, const char *name, const struct tlsa_wish *,
	     struct buf *out);

#endif

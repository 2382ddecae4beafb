/* The server's side of TLS on memory BIOs: octets in, octets out. */
#ifndef LAB_TLS_SERVER_H
#define LAB_TLS_SERVER_H

#include "base/buf.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_server;

struct tls_server *tls_server_new(SSL_CTX *);
void tls_server_free(struct tls_server *);

enum tls_server_state { TLS_SERVER_MORE, TLS_SERVER_READY, TLS_SERVER_CLOSED, TLS_SERVER_FAILED };

/* Takes what came, appends what was decrypted to `plain` and what must be sent to `out`. */
enum tls_server_state tls_server_feed(struct tls_server *, const char *in, size_t n,
				      struct buf *plain, struct buf *out);
void tls_server_write(struct tls_server *, const char *plain, size_t n, struct buf *out);
void tls_server_close(struct tls_server *, struct buf *out);       /* close_notify */
void tls_server_renegotiate(struct tls_server *, struct buf *out); /* asks for it (TLS 1.2) */

/* The client has ended TLS properly. */
bool tls_server_closed(const struct tls_server *);
const char *tls_server_version(const struct tls_server *);
const char *tls_server_cipher(const struct tls_server *);
const char *tls_server_sni(const struct tls_server *); /* "-": none */
/* Words for the last failure, static until the next call. */
const char *tls_server_error(void);

#endif

/* HTTP on the loop, through curl's multi interface. The only room that knows libcurl; without it
 * (HAVE_CURL is not defined, or the library is not on this machine) http_new returns NULL. */
#ifndef MXPROBE_HTTP_H
#define MXPROBE_HTTP_H

#include "base/addr.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;
struct http_request;

bool http_available(void);

/* The file of libcurl's own trust store; NULL: none, or libcurl was not loaded. */
const char *http_trust_file(void);

struct http *http_new(struct loop *);
void http_aside(struct http *); /* at once after http_new: loop_run does not wait for it */
void http_free(struct http *);  /* open requests are forgotten without a call-back */

struct http_response {
	const char *error; /* words, when there was no whole response; else NULL */
	long status;
	const char *type; /* Content-Type; NULL: none */
	const char *body;
	size_t n;
};

struct http_get {
	const char *host; /* its name, checked against the certificate */
	uint16_t port;
	const char *path;         /* with its slash */
	const struct addr *addrs; /* where the host is; at least one */
	size_t n_addrs;
	size_t most;    /* octets of body; more is an error */
	usec_t timeout; /* in all */
};

/* GET over HTTPS: certificate verified against the trust store (SSL_CERT_FILE, SSL_CERT_DIR, else
 * curl's own), no redirect followed. `done` comes once, from the loop; what it is given lives
 * during the call. */
struct http_request *http_get(struct http *, const struct http_get *,
			      void (*done)(void *arg, const struct http_response *), void *arg);
struct http_post {
	const char *url;            /* http or https; may hold a login */
	const char *const *headers; /* whole lines without their ends; NULL at the end */
	const char *body; /* the caller's, until `done` comes or the request is cancelled */
	size_t n;
	usec_t timeout; /* in all: names, connection, answer */
};

/* POST over HTTP or HTTPS, to where the system's resolver says, through the proxy that the
 * environment names for all programs (https_proxy, no_proxy, ...); certificates and redirects as
 * for http_get. It is answered once the head of an answer is whole: of its body nothing is kept,
 * and one that is cut off, endless or late is no error. `done` as for http_get, without type and
 * body. */
struct http_request *http_post(struct http *, const struct http_post *,
			       void (*done)(void *arg, const struct http_response *), void *arg);
void http_cancel(struct http_request *); /* before its call-back only */

#endif

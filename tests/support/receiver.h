/* A receiver of webhooks that does as it is told: an HTTP server on loopback, in a process of its
 * own. */
#ifndef SUPPORT_RECEIVER_H
#define SUPPORT_RECEIVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct receiver {
	pid_t pid;
	int life; /* closing it ends the receiver */
	uint16_t port;
	char *url;  /* "http://127.0.0.1:PORT/hook" */
	char *path; /* requests are files beside it */
};

/* Answers its n-th request with the n-th of the words, all later ones with the last:
 *
 *   200, 404, ...  that status, without a body; 3xx leads to another path of it
 *   close          no answer
 *   hang           no answer, and the connection stays
 *   half           ends in the middle of the head of a 200
 *   cut            ends in the middle of the body of a 200
 *   stall          stops there
 *   endless        a 200 whose body does not end
 *   nonsense       no HTTP
 *   continue       nothing but 100 Continue
 *   gate           200 once receiver_open is called
 *
 * NULL ends them. */
struct receiver *receiver_start(const char *const *answers);
void receiver_open(const struct receiver *);
void receiver_stop(struct receiver *); /* nobody listens there any more */
void receiver_free(struct receiver *); /* stops it, too */

struct request {
	char *head; /* with the request line, lines ended by CR LF */
	char *body;
	size_t n; /* octets of the body */
};

/* The n-th, from 0, waited for; fails the test when it does not come in minutes. */
struct request receiver_request(const struct receiver *, unsigned n);
void request_fini(struct request *);
bool receiver_has(const struct receiver *, unsigned n); /* it has come by now */
unsigned receiver_count(const struct receiver *);

/* The body as JSON, which fits the schema of results; the caller's. */
json_t *receiver_json(const struct receiver *, unsigned n);

/* The value of a header (static until the next call), NULL: it is not there. */
const char *request_header(const struct request *, const char *name);

/* Fails the test unless the header with the signature is that of the very octets that came. */
void assert_signed(const struct request *, const char *secret, size_t n);

#endif

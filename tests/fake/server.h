/* TCP servers on loopback that do what they are told, on the loop of the test itself. */
#ifndef MXPROBE_FAKE_SERVER_H
#define MXPROBE_FAKE_SERVER_H

#include "base/addr.h"
#include "net/loop.h"

struct server;

/* Each connection is served by the next script (the last one serves all further). A script is a
 * list of steps that ends with NULL: "S:..."   says these octets         "C:"     waits for a line
 *   "+250"    waits so many ms          "EOF"    closes
 *   "RST"     resets                    "FIN"    ends its side only
 *   "ALL"     waits for the peer's end
 * Behind the last step the connection stays as it is. */
struct server *server_new(struct loop *, const char *const *const *scripts, size_t n);
void server_free(struct server *);

struct addr server_addr(const struct server *);
const char *server_heard(struct server *); /* all that clients said, over all connections */
unsigned server_connections(const struct server *);

/* An address where nobody listens. */
struct addr nobody(void);

#endif

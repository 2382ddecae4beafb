/* What is odd about a target, though it does not decide its verdict. */
#ifndef MXPROBE_WARNINGS_H
#define MXPROBE_WARNINGS_H

#include "dns/mx.h"
#include "judge/result.h"
#include "run/vantage.h"

/* Of its DNS: mx-is-address, mx-is-cname, null-mx-mixed, private-address. */
void warn_of_hosts(struct result *, const struct mx_plan *);

/* Of its sessions: tls-fallback; certificate-expiring, for certificates good for fewer days than
 * `days`. */
void warn_of_tls(struct result *, int days);

/* Of servers that wanted no more of the sessions of --repeat: no-more-sessions. */
void warn_of_refusals(struct result *);

/* Of its MTA-STS policy: mta-sts, mta-sts-testing. */
void warn_of_sts(struct result *);

/* Of the place it is all seen from: port-25-blocked, nothing-answered; nothing for an open view. */
void warn_of_vantage(struct result *, enum vantage_view);

/* resolver-silent; with what became of each resolver. */
void warn_of_resolver(struct result *, const char *troubles);

#endif

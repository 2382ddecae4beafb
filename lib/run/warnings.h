/* What is odd about a target, though it does not decide its verdict. */
#ifndef MXPROBE_WARNINGS_H
#define MXPROBE_WARNINGS_H

#include "dns/mx.h"
#include "judge/result.h"

/* Of its DNS: mx-is-address, mx-is-cname, null-mx-mixed, private-address. */
void warn_of_hosts(struct result *, const struct mx_plan *);

/* Of its sessions: tls-fallback; certificate-expiring, for certificates good for fewer days than
 * `days`. */
void warn_of_tls(struct result *, int days);

/* Of its MTA-STS policy: mta-sts, mta-sts-testing. */
void warn_of_sts(struct result *);

/* port-25-blocked: nothing at all answers, anywhere. */
void warn_of_port(struct result *);

#endif

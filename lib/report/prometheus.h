/* Prometheus text exposition (version 0.0.4), made at the end of the report, as the format wants
 * all samples of a metric in one place. Labels:
 *
 *   domain   the next-hop that was asked for: "msn.com", "[mail.example.net]", "[192.0.2.1]", with
 *            ":PORT" where the port is not 25; of a line that is no target the line itself
 *   mx       the MX host
 *   family   "inet", "inet6", "none" for a host without an address
 *   address, port   only with conf.addresses: by default no label changes while addresses do
 *
 * A target asked for twice is shown once; the control target is not shown. */
#ifndef MXPROBE_PROMETHEUS_H
#define MXPROBE_PROMETHEUS_H

#include "report/report.h"

#endif

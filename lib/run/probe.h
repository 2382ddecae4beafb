/* One address and port, its sessions, and what they come to: observations in, a contact out. Pure.
 */
#ifndef MXPROBE_PROBE_H
#define MXPROBE_PROBE_H

#include "judge/result.h"

struct probe {
	struct contact contact;    /* whole after probe_end */
	struct observation **last; /* by class: of its last session; NULL where there was none */
	unsigned count[CLASSES];
	struct timing *timings; /* one a session */
	usec_t *rtts;
};

void probe_init(struct probe *, const struct addr *);
void probe_fini(struct probe *);

/* One session is over; takes the observation's contents. */
void probe_take(struct probe *, struct observation *);

/* No more sessions come: class, reason, reply, medians. Without any session the contact is what
 * `otherwise` says (END_DEADLINE, ...), in `phase`. */
void probe_end(struct probe *, enum end otherwise, enum phase phase);

#endif

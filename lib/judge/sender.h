/* Delivery strategies of real MTAs: with what probability a sender gets its mail accepted, and how
 * long it takes. Pure: neither clock nor randomness. */
#ifndef MXPROBE_SENDER_H
#define MXPROBE_SENDER_H

#include "judge/result.h"

enum sender { SENDER_POSTFIX, SENDER_EXIM, SENDERS };
const char *sender_name(enum sender);

/* Fills `delivery` of a result from its endpoints (in order of preference, host, address), for the
 * senders in the bit set (1u << enum sender). Expectations are exact for any number of endpoints,
 * at a cost linear in it. */
void deliver(struct result *, unsigned senders);

#endif

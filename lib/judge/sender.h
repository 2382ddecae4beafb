/* Delivery strategies of real MTAs: with what probability a sender gets its mail accepted, and how
 * long it takes. Pure; no clock, no randomness but a seeded one. */
#ifndef MXPROBE_SENDER_H
#define MXPROBE_SENDER_H

#include "judge/result.h"

enum sender { SENDER_POSTFIX, SENDER_EXIM, SENDERS };
const char *sender_name(enum sender);

/* Fills `delivery` of a result from its endpoints, for the senders in the bit set
 * (1u << enum sender). Expectations are exact up to 32 endpoints at least; above that a simulation
 * with a fixed seed whose standard error is below 0.5 %. */
void deliver(struct result *, unsigned senders);

#endif

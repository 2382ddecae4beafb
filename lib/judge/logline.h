/* Lines of text in which a reply, or how an attempt ended, can be found: a bare SMTP reply, or a
 * line that Postfix, Exim, Sendmail or OpenSMTPD wrote to its log. */
#ifndef MXPROBE_LOGLINE_H
#define MXPROBE_LOGLINE_H

#include "smtp/observation.h"

#include <stdbool.h>
#include <stddef.h>

/* May be used for line after line: only logline_fini frees. */
struct logline {
	struct observation seen; /* for classify(); its phase is PHASE_MAIL where the line does not
				    tell */
	bool has_phase;          /* the line tells the phase, and it is one of ours */
	bool has_code;           /* seen.reply.code stood in the line and was not concluded */
	const char *host;        /* in the line, not terminated; NULL: not told */
	size_t host_length;
	const char *address; /* the same; an IPv4 or IPv6 address */
	size_t address_length;
};

void logline_init(struct logline *);
void logline_fini(struct logline *);

/* Reads one line of any octets, without its end. False when it holds neither a reply nor the end of
 * an attempt; the rest of *to is then undefined. A bare reply begins the line; several lines of it
 * are joined by the two characters \n. */
bool logline_read(struct logline *to, const char *line, size_t n);

#endif

/* Reader of SMTP replies (RFC 5321 4.2): octets in, one reply out. Pure. */
#ifndef MXPROBE_REPLY_H
#define MXPROBE_REPLY_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	REPLY_LINE_MAX = 4096, /* octets of one line, its end not counted */
	REPLY_LINES_MAX = 512,
	REPLY_OCTETS_MAX = 64 * 1024, /* of the whole reply, line ends counted */
	ENHANCED_STRLEN = 12          /* "5.123.123" and terminator */
};

/* One whole reply. All zero: none was read. */
struct reply {
	int code; /* of its last line; 0: no reply */
	unsigned lines;
	struct buf text; /* what follows code and separator, lines joined by '\n'; any other octet
			    but LF may stand in it */
};

void reply_fini(struct reply *);
void reply_copy(struct reply *to, const struct reply *from); /* `to` is initialised or zero */

/* Line i of the text, not terminated; false behind the last. */
bool reply_line(const struct reply *, unsigned i, const char **line, size_t *n);

/* The enhanced status code (RFC 2034, RFC 3463: class.subject.detail) that stands right after the
 * basic code in every line, the same in each; false (and out empty) when there is none. Its class
 * may contradict the basic code: judging that is not the reader's work. */
bool reply_enhanced(const struct reply *, char out[ENHANCED_STRLEN]);

/* Octets at the start of a line's text that are an enhanced code and the blanks after it. */
size_t enhanced_length(const char *line, size_t n);

enum reply_fault {
	REPLY_GOOD,
	REPLY_NO_CODE,  /* the first line does not begin as a reply does */
	REPLY_BAD_CODE, /* a later line does not, or codes differ and the last is no 4xx or 5xx */
	REPLY_TOO_LONG  /* line, lines or octets over the limit */
};

struct reply_reader {
	struct reply reply;
	enum reply_fault fault;
	unsigned octets; /* of the reply so far */
	unsigned line;   /* octets of the line so far */
	char code[3];    /* of the line being read */
	bool last;       /* the line being read is the last one */
	bool mixed;      /* codes differ between lines */
	bool cr;         /* the octet before was a CR whose meaning is open */
};

void reply_init(struct reply_reader *);
void reply_reader_fini(struct reply_reader *);

/* Takes octets up to the end of one reply and no further; *used says how many. 1: reader->reply is
 * whole (the next call begins a new one); 0: more wanted; -1: not SMTP, reader->fault says how. */
int reply_feed(struct reply_reader *, const char *bytes, size_t n, size_t *used);

#endif

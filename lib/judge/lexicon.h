/* What the words of a reply speak of. A dictionary of what mail servers write, in the languages
 * that big receivers use, turns a text into a set of meanings; the rules then ask for meanings and
 * not for strings, so that a wording nobody has seen yet still counts when its words are known. */
#ifndef MXPROBE_LEXICON_H
#define MXPROBE_LEXICON_H

#include <stddef.h>
#include <stdint.h>

enum meaning {
	/* what is short */
	MEANS_MEMORY,
	MEANS_DISK,
	MEANS_SPACE,
	MEANS_QUEUE,
	MEANS_RESOURCE,
	MEANS_FORK,  /* a process or thread that cannot be started */
	MEANS_CONN,  /* connections, sessions, processes */
	MEANS_PORTS, /* the server's own number of connections, processes, threads */
	/* how short it is */
	MEANS_HINTFULL, /* 4.3.1 anywhere but in its place */
	MEANS_SHORT,
	MEANS_FULL,
	MEANS_LONG,
	MEANS_MANY,
	MEANS_CONCURRENT,
	MEANS_LOAD, /* the system is overloaded */
	MEANS_BUSY, /* someone is busy */
	/* whom it concerns */
	MEANS_CLIENT, /* the one who asks: "your IP", an address, "this host" */
	MEANS_USER,
	MEANS_MAILBOX,
	MEANS_QUOTA,
	MEANS_UNKNOWN, /* no such user, or one that is disabled */
	/* limits */
	MEANS_RATE,
	MEANS_RECIPS,
	MEANS_ERRORS,
	MEANS_SIZE,
	/* policy */
	MEANS_GREY,
	MEANS_WAIT, /* "try again in ..." */
	MEANS_BLOCK,
	MEANS_ADMIN, /* "administrative action" */
	MEANS_CHECK, /* a check of sender or client: reverse DNS, SPF, HELO */
	MEANS_HELO,
	MEANS_DENIED, /* refused, without a reason */
	MEANS_RELAY,
	/* faults */
	MEANS_DNSFAIL,
	MEANS_LOOKUP,
	MEANS_VERIFYFAIL, /* the sender could not be verified */
	MEANS_TLS,
	MEANS_AUTH,
	MEANS_MAINT,
	MEANS_UNAVAIL,
	MEANS_CLOSING,
	MEANS_SCANNER, /* a part of the receiving system: filter, database, backend */
	MEANS_FAULT,
	MEANS_GENERIC, /* something failed, for the time being */
	MEANS_TIMEOUT,
	MEANS_LOOPS,
	MEANS_SYNTAX,
	MEANS_NOSERVICE,
	MEANINGS
};

#define SAYS(m) (UINT64_C(1) << MEANS_##m)

/* The meanings of a text of any octets. Letters are folded (case, accents, full width; UTF-8, or
 * Latin-1 where it is not UTF-8), mail addresses and all but the last two labels of host names are
 * passed over, since a server may be called full.example.com. Of a long text the beginning and the
 * end are read. Words of URLs are counted only where the text says nothing else. */
uint64_t lexicon_read(const char *text, size_t n);

/* One entry of the dictionary, which is in strict order of octets. Words are separated by one
 * blank; a star at the end takes any rest of the last word. <ip>, <host>, <addr> stand for a
 * literal address, a host name, a mail address. Of several entries that fit at one word the longest
 * counts, and the words it took are not looked up again. */
struct phrase {
	const char *words;
	uint64_t means;
};
extern const struct phrase lexicon[];
extern const size_t n_lexicon;

#endif

/* Least privilege: what the program gives up for good before strangers can send it anything.
 *
 * From sandbox_enter on, whatever they make of it, the process opens no file but those allowed,
 * starts no program, gains no privilege, and makes none of the system calls that a prober never
 * makes. Descriptors that are open stay as good as they were. What a kernel does not have is left
 * out: nothing here fails. */
#ifndef MXPROBE_SANDBOX_H
#define MXPROBE_SANDBOX_H

#include "base/util.h"

#include <stdbool.h>

/* AddressSanitizer looks for leaks at the end, from a process of its own: what it needs for that is
 * left to it. */
#if defined __SANITIZE_ADDRESS__
#define SANDBOX_SANITIZED
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED
#endif
#endif

enum {
	SANDBOX_READ = 1,  /* the file, or what is in the folder and below */
	SANDBOX_WRITE = 2, /* likewise: reads, writes, shortens what is there */
	SANDBOX_NAMES = 4  /* a folder and below: lists, makes, renames, removes regular files */
};

struct sandbox_path {
	char *path;
	unsigned may;
};

struct sandbox {
	struct sandbox_path *paths;
	size_t n;
	bool bind; /* TCP sockets may be given a source address */
	bool dns;  /* the system's own resolver is asked */
};

/* What is in force. */
struct sandbox_state {
	bool privileges; /* none is gained by starting a program */
	int landlock;    /* files: the version of Landlock; 0: none */
	bool calls;      /* the filter of system calls */
	bool pledge;     /* OpenBSD's pledge and unveil, which are all of it */
};

/* Adds a path; one that does not exist is passed over when it comes to it. */
void sandbox_allow(struct sandbox *, const char *path, unsigned may);
void sandbox_fini(struct sandbox *);

/* For the calling thread and all that it starts, so before it starts any. */
struct sandbox_state sandbox_enter(const struct sandbox *);

/* The same in words for a line of trace; the caller frees. */
char *sandbox_words(const struct sandbox_state *);

#endif

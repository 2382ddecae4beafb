/* Small things that every room needs: allocation that ends the program, spans of time. */
#ifndef MXPROBE_UTIL_H
#define MXPROBE_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define MUSTCHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Microseconds: a point of the monotonic clock, or a span. */
typedef int64_t usec_t;
#define USEC_PER_MS ((usec_t)1000)
#define USEC_PER_SEC ((usec_t)1000000)
#define USEC_NEVER INT64_MAX     /* a deadline that does not pass */
#define USEC_NONE ((usec_t)(-1)) /* a span that was not measured */

/* What this machine refuses and nothing can be done without: "mxprobe: WHAT: why" on standard
 * error, and exit 3, which is "unknown" for monitoring: nothing was found out about anybody. `why`
 * may be NULL. No file is half written by it: what was begun lies beside the true one. */
_Noreturn void cannot_go_on(const char *what, const char *why);

/* What cannot_go_on does first, once, because exit() is not called: it puts back what outlives the
 * program, such as a terminal's modes. It must not want memory, nor call this. NULL: nothing. */
void before_giving_up(void (*put_back)(void));

/* Allocation. None of these returns NULL: out of memory is one line on standard error and exit 3.
 * What they return is freed with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
void *xrealloc(void *p, size_t size); /* 0 frees, and is the one case of NULL */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Appends room for one more element to an array that grows by doubling; returns the new element,
 * zeroed. Usage: item = ARRAY_ADD(array, count); the caller keeps both, the array starts NULL, 0.
 */
#define ARRAY_ADD(array, count) \
	((array) = array_grow((array), (count), sizeof *(array)), &(array)[(count)++])
void *array_grow(void *array, size_t count, size_t size);

#endif

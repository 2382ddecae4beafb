#include "base/util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EXIT_UNKNOWN = 3 };

static void (*to_put_back)(void);

void before_giving_up(void (*put_back)(void))
{
	to_put_back = put_back;
}

/* Without stdio, which might want memory. */
_Noreturn void cannot_go_on(const char *what, const char *why)
{
	const char *const parts[] = {"mxprobe: ", what, why ? ": " : "", why ? why : "", "\n"};
	struct iovec line[ARRAY_LEN(parts)];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		line[i] = (struct iovec){(void *)(uintptr_t)parts[i], strlen(parts[i])};
	if (to_put_back)
		to_put_back();
	(void)!writev(STDERR_FILENO, line, ARRAY_LEN(line)); /* nobody is left to be told */
	_exit(EXIT_UNKNOWN);
}

static _Noreturn void out_of_memory(void)
{
	cannot_go_on("out of memory", NULL);
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	const size_t small = 1024;
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	/* calloc() of many C libraries passes by what was freed a moment ago: for what is small
	 * malloc() is much faster. Large pieces come from the system as zeros. */
	if (bytes <= small) {
		p = xmalloc(bytes);
		memset(p, 0, bytes);
		return p;
	}
	p = calloc(n, size);
	if (!p)
		out_of_memory();
	return p;
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	return xrealloc(p, bytes ? bytes : 1);
}

void *xrealloc(void *p, size_t size)
{
	if (!size) {
		free(p);
		return NULL;
	}
	p = realloc(p, size);
	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory();
	s = xmalloc((size_t)len + 1);
	va_start(ap, fmt);
	(void)vsnprintf(s, (size_t)len + 1, fmt, ap); /* the same text just fitted */
	va_end(ap);
	return s;
}

void *array_grow(void *array, size_t count, size_t size)
{
	const size_t first = size <= 64 ? 4 : 1;

	/* Full exactly when the count is 0 or, from the first size on, a power of two: no capacity
	 * needs to be kept. */
	if (!count || (count >= first && (count & (count - 1)) == 0))
		array = xreallocarray(array, count ? count * 2 : first, size);
	memset((char *)array + count * size, 0, size);
	return array;
}

#include "lab/log.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sum {
	char *name;
	long value;
};

struct log {
	FILE *file;
	struct map sums;
};

struct log *log_new(const char *path)
{
	struct log *log = xcalloc(1, sizeof *log);
	if (path) {
		log->file = fopen(path, "we");
		if (!log->file) {
			free(log);
			return NULL;
		}
	}
	return log;
}

void log_free(struct log *log)
{
	if (!log)
		return;
	size_t at = 0;
	for (struct sum *sum; (sum = map_next(&log->sums, &at));) {
		free(sum->name);
		free(sum);
	}
	map_fini(&log->sums);
	if (log->file && fclose(log->file) != 0)
		perror("lab: log");
	free(log);
}

void log_line(struct log *log, const char *fmt, ...)
{
	if (!log->file)
		return;
	va_list args;
	va_start(args, fmt);
	(void)vfprintf(log->file, fmt, args); /* fclose tells of errors */
	va_end(args);
	(void)fputc('\n', log->file);
	/* A test may look while the lab runs. */
	(void)fflush(log->file);
}

const char *log_safe(const char *bytes, size_t n)
{
	static struct buf safe;
	buf_clear(&safe);
	text_safe(&safe, bytes, n < 300 ? n : 300);
	return buf_str(&safe);
}

static struct sum *find(struct log *log, const char *fmt, va_list args)
{
	char name[512];
	int n = vsnprintf(name, sizeof name, fmt, args);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof name ? (size_t)n : sizeof name - 1;
	struct sum *sum = map_get(&log->sums, name, len);
	if (!sum) {
		sum = xcalloc(1, sizeof *sum);
		sum->name = xstrndup(name, len);
		map_put(&log->sums, name, len, sum);
	}
	return sum;
}

long log_count(struct log *log, long by, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	struct sum *sum = find(log, fmt, args);
	va_end(args);
	return sum->value += by;
}

void log_peak(struct log *log, long to, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	struct sum *sum = find(log, fmt, args);
	va_end(args);
	if (to > sum->value)
		sum->value = to;
}

void log_sums(struct log *log)
{
	size_t at = 0;
	for (struct sum *sum; (sum = map_next(&log->sums, &at));)
		log_line(log, "sum %s %ld", sum->name, sum->value);
}

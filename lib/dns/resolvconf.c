#include "dns/resolvconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DNS_PORT = 53, TIMEOUT_MAX = 30, ATTEMPTS_MAX = 5 };

static void option(struct resolvconf *rc, const char *word)
{
	unsigned long n;
	const char *colon = strchr(word, ':');

	n = colon ? strtoul(colon + 1, NULL, 10) : 0;
	if (strncmp(word, "timeout:", 8) == 0 && n > 0)
		rc->timeout = n > TIMEOUT_MAX ? TIMEOUT_MAX : (unsigned)n;
	else if (strncmp(word, "attempts:", 9) == 0 && n > 0)
		rc->attempts = n > ATTEMPTS_MAX ? ATTEMPTS_MAX : (unsigned)n;
	else if (strcmp(word, "trust-ad") == 0)
		rc->trust_ad = true;
	else if (strcmp(word, "rotate") == 0)
		rc->rotate = true;
}

static void take_line(struct resolvconf *rc, char *line)
{
	static const char blanks[] = " \t\r";
	char *state = NULL, *word = strtok_r(line, blanks, &state);
	struct addr a;

	if (!word || *word == '#' || *word == ';')
		return;
	if (strcmp(word, "nameserver") == 0) {
		word = strtok_r(NULL, blanks, &state);
		if (word && rc->n_servers < RESOLVERS_MAX && addr_parse(&a, word, DNS_PORT))
			rc->servers[rc->n_servers++] = a;
	} else if (strcmp(word, "options") == 0) {
		while ((word = strtok_r(NULL, blanks, &state)) != NULL)
			option(rc, word);
	}
}

void resolvconf_parse(struct resolvconf *rc, const char *text, size_t n)
{
	*rc = (struct resolvconf){0};
	while (n) {
		const char *lf = memchr(text, '\n', n);
		size_t len = lf ? (size_t)(lf - text) : n;
		char *line = xstrndup(text, len);

		take_line(rc, line);
		free(line);
		len += lf != NULL;
		text += len;
		n -= len;
	}
}

int resolvconf_read(struct resolvconf *rc, const char *path)
{
	enum { MOST = 64 * 1024 };
	FILE *f = fopen(path, "re");
	int err = f || errno == ENOENT || errno == ENOTDIR ? 0 : errno;
	char *text = xmalloc(MOST);
	size_t n = 0;

	if (f) {
		n = fread(text, 1, MOST, f);
		err = ferror(f) ? errno : 0;
		(void)fclose(f); /* it was only read */
	}
	resolvconf_parse(rc, text, n);
	free(text);
	if (!rc->n_servers)
		rc->servers[rc->n_servers++] =
		    addr_from_ipv4((const uint8_t[]){127, 0, 0, 1}, DNS_PORT);
	return err;
}

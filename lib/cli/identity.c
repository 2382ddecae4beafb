#include "cli/identity.h"

#include "dns/mx.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool identity_is_full(const char *name)
{
	size_t n = strlen(name);
	struct addr a;
	char text[ADDR_STRLEN];

	if (n > 2 && name[0] == '[' && name[n - 1] == ']') {
		bool v6 = strncasecmp(name + 1, "IPv6:", 5) == 0;
		const char *s = name + 1 + (v6 ? 5 : 0);
		size_t len = n - 1 - (size_t)(s - name);

		if (len >= sizeof text)
			return false;
		memcpy(text, s, len);
		text[len] = '\0';
		return addr_parse(&a, text, 0) && (a.family == AF_INET6) == v6;
	}
	return is_host_name(name) && strchr(name, '.') && name[n - 1] != '.';
}

/* The full name beside a short one in the hosts file: what `hostname -f` answers on most machines,
 * without asking a resolver that may not answer. */
static char *full_name_in_hosts(const char *host)
{
	char line[1024], *found = NULL;
	FILE *f = fopen("/etc/hosts", "re");

	while (f && !found && fgets(line, sizeof line, f)) {
		char *state = NULL, *word, *full = NULL;
		bool named = false;

		line[strcspn(line, "#\n")] = '\0';
		(void)strtok_r(line, " \t", &state); /* the address */
		while ((word = strtok_r(NULL, " \t", &state)) != NULL) {
			named |= strcasecmp(word, host) == 0;
			if (!full && identity_is_full(word))
				full = word;
		}
		if (named && full)
			found = xstrdup(full);
	}
	if (f)
		(void)fclose(f); /* it was only read */
	return found;
}

/* A datagram socket that is connected has a source address, and nothing was sent. */
static bool source_towards(const struct addr *to, struct addr *from)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(to, &sa);
	int fd = socket(to->family, SOCK_DGRAM, 0);
	bool found = false;

	if (fd < 0)
		return false;
	if (connect(fd, (struct sockaddr *)&sa, len) == 0) {
		len = sizeof sa;
		found = getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
			addr_from_sockaddr(from, (struct sockaddr *)&sa);
	}
	(void)close(fd); /* nothing was sent */
	return found;
}

static char *literal(const struct addr *a)
{
	char text[ADDR_STRLEN];

	return xasprintf(a->family == AF_INET6 ? "[IPv6:%s]" : "[%s]", addr_format(a, text));
}

char *identity_name(const struct addr *source, const struct addr *towards)
{
	char host[256] = "";
	struct addr a = {0};
	char *name;

	if (gethostname(host, sizeof host - 1) == 0 && identity_is_full(host))
		return xstrdup(host);
	name = *host ? full_name_in_hosts(host) : NULL;
	if (name)
		return name;
	if (source)
		return literal(source);
	if (!source_towards(towards, &a))
		a = addr_from_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
	a.scope = 0;
	return literal(&a);
}

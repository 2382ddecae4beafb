#include "net/url.h"

#include "base/addr.h"
#include "base/buf.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 4096, HOST_MAX = 255 };

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Where the parts are. */
struct parts {
	size_t scheme; /* octets of "https://"; 0: there is none */
	size_t login;  /* octets of "user:password@" behind it */
	size_t host;   /* octets of the host and its port behind that */
	size_t rest;   /* where path, query and fragment begin */
};

static struct parts split(const char *text)
{
	struct parts p = {.scheme = strspn(text, LETTERS DIGITS "+.-")};
	size_t end;

	p.scheme = strncmp(text + p.scheme, "://", 3) == 0 ? p.scheme + 3 : 0;
	end = p.scheme + strcspn(text + p.scheme, "/?#");
	for (size_t i = p.scheme; i < end; i++)
		if (text[i] == '@')
			p.login = i + 1 - p.scheme;
	p.host = end - p.scheme - p.login;
	p.rest = end;
	return p;
}

static bool all_of(const char *s, size_t n, const char *set)
{
	return strspn(s, set) >= n;
}

/* 1 to 65535. */
static bool is_port(const char *s, size_t n)
{
	unsigned long port = 0;

	if (n < 1 || n > 5 || !all_of(s, n, DIGITS))
		return false;
	for (size_t i = 0; i < n; i++)
		port = port * 10 + (unsigned long)(s[i] - '0');
	return port >= 1 && port <= 65535;
}

/* Host and port, and nothing that could be anything else. */
static const char *host_problem(const char *s, size_t n)
{
	size_t host = 0;

	if (n && s[0] == '[') {
		const char *end = memchr(s, ']', n);
		char text[ADDR_STRLEN];
		struct addr addr;
		size_t inside = end ? (size_t)(end - s) - 1 : 0;

		if (!end || inside >= sizeof text)
			return "has no IPv6 address in its brackets";
		memcpy(text, s + 1, inside);
		text[inside] = '\0';
		if (!addr_parse(&addr, text, 0) || addr.family != AF_INET6)
			return "has no IPv6 address in its brackets";
		host = inside + 2;
	} else {
		while (host < n && s[host] != ':')
			host++;
		if (!host)
			return "names no host";
		if (host > HOST_MAX || !all_of(s, host, LETTERS DIGITS "-._"))
			return "has no host name where one should be";
	}
	if (host < n && (s[host] != ':' || !is_port(s + host + 1, n - host - 1)))
		return "has no port from 1 to 65535 behind its host";
	return NULL;
}

const char *url_problem(const char *text)
{
	struct parts p = split(text);

	if (strlen(text) > URL_MAX)
		return "is too long for a URL";
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7F)
			return "has a blank, a control or a non-ASCII character";
	if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
		return "does not begin with https:// or http://";
	return host_problem(text + p.scheme + p.login, p.host);
}

/* What is shown is text[0..*scheme) and the *host octets at *at; all other octets are not. */
static void shown_parts(const char *text, struct parts *p)
{
	*p = split(text);
	/* A '/' in a password makes its first half look like a host. */
	if (host_problem(text + p->scheme + p->login, p->host) ||
	    (!p->scheme && strchr(text, '@'))) {
		p->login += p->host;
		p->host = 0;
	}
}

char *url_shown(const char *text)
{
	struct parts p;
	struct buf b = {0};

	shown_parts(text, &p);
	buf_add(&b, text, p.scheme);
	buf_add(&b, text + p.scheme + p.login, p.host);
	if (!p.host || (text[p.rest] && strcmp(text + p.rest, "/") != 0))
		buf_addstr(&b, p.host ? "/\xE2\x80\xA6" : "\xE2\x80\xA6");
	else
		buf_addstr(&b, text + p.rest);
	return buf_steal(&b);
}

char *url_without_login(const char *text)
{
	struct parts p = split(text);
	struct buf b = {0};

	buf_add(&b, text, p.scheme);
	buf_addstr(&b, text + p.scheme + p.login);
	return buf_steal(&b);
}

void url_hide(char *text)
{
	struct parts p;

	shown_parts(text, &p);
	memset(text + p.scheme, '*', p.login);
	if (text[p.rest])
		memset(text + p.rest + 1, '*', strlen(text + p.rest + 1));
}

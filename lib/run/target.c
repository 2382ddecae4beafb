#include "run/target.h"

#include "base/text.h"
#include "dns/mx.h"

#include <idn2.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t target_text_length(const char *text, size_t n)
{
	size_t at = 0;

	if (n <= TARGET_TEXT_MAX)
		return n; /* no character is shorter than an octet */
	for (int i = 0; i < TARGET_TEXT_MAX && at < n; i++) {
		uint32_t cp;
		size_t len = utf8_decode(text + at, n - at, &cp);

		at += len ? len : 1;
	}
	return at;
}

void target_fini(struct target *t)
{
	free(t->domain);
	*t = (struct target){0};
}

/* "'TEXT': why" with TEXT made safe and cut. */
static char *complain(const char *text, size_t n, const char *why)
{
	struct buf b = {0};

	buf_addc(&b, '\'');
	text_safe(&b, text, n < 200 ? n : 200);
	buf_addstr(&b, n < 200 ? "' " : "...' ");
	buf_addstr(&b, why);
	return buf_steal(&b);
}

/* NULL: good. Else what is wrong. */
static const char *parse_port(const char *s, size_t n, uint16_t *port)
{
	unsigned long value = 0;

	if (!n)
		return "has no port after its colon";
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return "has a port that is no number";
		value = value * 10 + (unsigned long)(s[i] - '0');
		if (value > 65535)
			return "has a port above 65535";
	}
	if (!value)
		return "has port 0";
	*port = (uint16_t)value;
	return NULL;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s & 0x80)
			return false;
	return true;
}

/* RFC 5891 5: what is looked up is the A-label form. */
static const char *to_a_labels(const char *name, char **out)
{
	uint8_t *ascii = NULL;
	int rc;

	if (is_ascii(name)) {
		*out = xstrdup(name);
		for (char *p = *out; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		return NULL;
	}
	rc = idn2_lookup_u8((const uint8_t *)name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		cannot_go_on("out of memory", NULL);
	if (rc != IDN2_OK)
		return rc == IDN2_ENCODING_ERROR || rc == IDN2_ICONV_FAIL ? "is not UTF-8"
									  : idn2_strerror(rc);
	*out = xstrdup((const char *)ascii);
	idn2_free(ascii);
	return NULL;
}

/* Why a name is none. */
static const char *fault_of(const char *name)
{
	if (!*name)
		return "has no domain";
	if (strlen(name) > DNS_NAME_MAX)
		return "is longer than the 253 octets of a domain name";
	for (const char *p = name; *p;) {
		size_t n = strcspn(p, ".");

		if (!n)
			return "has an empty label";
		if (n > 63)
			return "has a label longer than 63 octets";
		p += n + (p[n] == '.');
	}
	return "is no domain name: labels are letters, digits and inner hyphens";
}

static const char *check_name(const char *name)
{
	const char *last;

	if (!is_host_name(name))
		return fault_of(name);
	last = strrchr(name, '.');
	for (last = last ? last + 1 : name; *last; last++)
		if (!isdigit((unsigned char)*last))
			return NULL;
	return "is neither a domain name nor an IP address";
}

static const char *take_name(struct target *t, const char *s, size_t n, enum target_kind kind)
{
	char name[4 * DNS_NAME_MAX + 1];
	const char *why;

	t->kind = kind;
	if (n >= sizeof name)
		return "is too long for a domain name";
	memcpy(name, s, n);
	name[n - (n > 1 && s[n - 1] == '.')] = '\0';
	why = to_a_labels(name, &t->domain);
	return why ? why : check_name(t->domain);
}

static bool take_literal(struct target *t, const char *s, size_t n)
{
	char text[ADDR_STRLEN];

	if (n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (!addr_parse(&t->addr, text, t->port))
		return false;
	t->kind = TARGET_LITERAL;
	t->domain = xstrdup(addr_format(&t->addr, text));
	return true;
}

/* "[...]" and perhaps ":port". */
static const char *parse_bracketed(struct target *t, const char *s, size_t n)
{
	const char *end = memchr(s, ']', n), *why;
	size_t rest;

	if (!end)
		return "has a '[' without ']'";
	rest = n - (size_t)(end + 1 - s);
	if (rest) {
		if (end[1] != ':')
			return "has something other than a port after ']'";
		why = parse_port(end + 2, rest - 1, &t->port);
		if (why)
			return why;
	}
	s++;
	n = (size_t)(end - s);
	/* RFC 5321 4.1.3 */
	if (n >= 5 && strncasecmp(s, "IPv6:", 5) == 0)
		return take_literal(t, s + 5, n - 5) && t->addr.family == AF_INET6
			   ? NULL
			   : "is no IPv6 address";
	if (take_literal(t, s, n))
		return NULL;
	return take_name(t, s, n, TARGET_HOST);
}

static const char *parse(struct target *t, const char *s, size_t n)
{
	const char *at, *colon, *why;

	if (!n)
		return "is empty";
	if (memchr(s, '\0', n))
		return "has a NUL in it";
	/* Of user@domain the domain counts; a quoted local part may have an "@" of its own. */
	for (at = s + n; at > s && at[-1] != '@'; at--)
		;
	if (at > s) {
		n -= (size_t)(at - s);
		s = at;
		if (!n)
			return "has no domain after its '@'";
	}
	for (size_t i = 0; i < n; i++)
		if (isspace((unsigned char)s[i]) || iscntrl((unsigned char)s[i]))
			return "has a blank or control character in it";
	if (*s == '[')
		return parse_bracketed(t, s, n);
	if (take_literal(t, s, n))
		return NULL;
	colon = memchr(s, ':', n);
	if (colon) {
		if (memchr(colon + 1, ':', n - (size_t)(colon + 1 - s)))
			return "is no IPv6 address";
		why = parse_port(colon + 1, n - (size_t)(colon + 1 - s), &t->port);
		if (why)
			return why;
		n = (size_t)(colon - s);
		if (take_literal(t, s, n))
			return NULL;
	}
	return take_name(t, s, n, TARGET_DOMAIN);
}

char *target_parse(struct target *t, const char *text, size_t n, uint16_t default_port)
{
	const char *why;

	*t = (struct target){.port = default_port};
	why = parse(t, text, n);
	if (!why)
		return NULL;
	target_fini(t);
	return complain(text, n, why);
}

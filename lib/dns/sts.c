#include "dns/sts.h"

#include "base/buf.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MX_MOST = 1000 };

static const char *const mode_names[] = {
    [STS_NONE] = "none", [STS_TESTING] = "testing", [STS_ENFORCE] = "enforce"};
static_assert(ARRAY_LEN(mode_names) == STS_MODES, "each mode has a name");

const char *sts_mode_name(enum sts_mode mode)
{
	return mode_names[mode];
}

/* A piece of text, without blanks around it. */
struct span {
	const char *s;
	size_t n;
};

static struct span trim(const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
		n--;
	return (struct span){s, n};
}

static bool span_is(struct span a, const char *word)
{
	return a.n == strlen(word) && memcmp(a.s, word, a.n) == 0;
}

/* Splits "key SEPARATOR value"; false without a separator. */
static bool split(struct span line, char separator, struct span *key, struct span *value)
{
	const char *at = line.n ? memchr(line.s, separator, line.n) : NULL;

	if (!at)
		return false;
	*key = trim(line.s, (size_t)(at - line.s));
	*value = trim(at + 1, line.n - (size_t)(at + 1 - line.s));
	return true;
}

/* The character-strings of a TXT record as one text (RFC 7208 3.3 joins them without a blank, too).
 */
static void join_strings(struct buf *out, const struct dns_record *r)
{
	size_t at = 0;

	while (at < r->size) {
		size_t n = r->data[at++];

		if (n > r->size - at)
			n = r->size - at;
		buf_add(out, r->data + at, n);
		at += n;
	}
}

static bool is_id(struct span value)
{
	if (!value.n || value.n > STS_ID_MAX)
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (!isalnum((unsigned char)value.s[i]))
			return false;
	return true;
}

/* The fields behind the version: NAME=VALUE, with semicolons between and perhaps one at the end. */
static bool read_record(const char *s, size_t left, char id[STS_ID_MAX + 1])
{
	bool has_id = false;

	while (left) {
		const char *end = memchr(s, ';', left);
		size_t n = end ? (size_t)(end - s) : left;
		struct span field = trim(s, n), key, value;

		if (!split(field, '=', &key, &value)) {
			if (field.n || end)
				return false;
		} else if (span_is(key, "id") && !has_id) {
			has_id = is_id(value);
			if (!has_id)
				return false;
			memcpy(id, value.s, value.n);
			id[value.n] = '\0';
		}
		n += end != NULL;
		s += n;
		left -= n;
	}
	return has_id;
}

/* Behind "v=STSv1;", NULL when the text does not begin so: other TXT records at that name are no
 * concern of ours (3.1). */
static const char *after_version(const struct buf *text)
{
	static const char version[] = "v=STSv1";
	size_t n = sizeof version - 1;

	if (text->len < n || memcmp(text->data, version, n) != 0)
		return NULL;
	while (n < text->len && (text->data[n] == ' ' || text->data[n] == '\t'))
		n++;
	return n < text->len && text->data[n] == ';' ? text->data + n + 1 : NULL;
}

bool sts_announced(const struct dns_message *m, const char *qname, char id[STS_ID_MAX + 1],
		   const char **why)
{
	unsigned links = 0, found = 0;
	const char *owner;
	bool good = false;

	id[0] = '\0';
	*why = NULL;
	if (!dns_follow(m, qname, &links, &owner))
		return false;
	for (size_t i = 0; i < m->n_answers; i++) {
		struct buf text = {0};
		const char *fields;

		if (m->answers[i].type != TYPE_TXT || strcmp(m->answers[i].owner, owner) != 0)
			continue;
		join_strings(&text, &m->answers[i]);
		fields = after_version(&text);
		if (fields) {
			found++;
			good = read_record(fields, (size_t)(text.data + text.len - fields), id);
		}
		buf_fini(&text);
	}
	if (found > 1)
		*why = "there are several records that announce a policy";
	else if (found && !good)
		*why = "the record that announces the policy is malformed";
	if (*why)
		id[0] = '\0';
	return found == 1 && good;
}

static bool read_max_age(struct span value, uint32_t *out)
{
	uint64_t n = 0;

	if (!value.n || value.n > 10)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		if (!isdigit((unsigned char)value.s[i]))
			return false;
		n = n * 10 + (uint64_t)(value.s[i] - '0');
	}
	*out = n > STS_MAX_AGE_MOST ? STS_MAX_AGE_MOST : (uint32_t)n;
	return true;
}

static void add_mx(struct sts_policy *p, struct span value)
{
	char **mx;

	if (!value.n || value.n > DNS_NAME_MAX + 2 || p->n_mx == MX_MOST)
		return;
	mx = ARRAY_ADD(p->mx, p->n_mx);
	*mx = xstrndup(value.s, value.n);
	for (char *c = *mx; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

/* What has been read so far; a field given twice counts once (3.2). */
struct seen {
	bool version, mode, max_age;
};

static const char *read_field(struct sts_policy *p, struct seen *seen, struct span key,
			      struct span value)
{
	if (span_is(key, "version") && !seen->version) {
		seen->version = true;
		if (!span_is(value, "STSv1"))
			return "its version is not STSv1";
	} else if (span_is(key, "mode") && !seen->mode) {
		for (int i = 0; i < STS_MODES && !seen->mode; i++) {
			seen->mode = span_is(value, mode_names[i]);
			p->mode = (enum sts_mode)i;
		}
		if (!seen->mode)
			return "its mode is none of enforce, testing, none";
	} else if (span_is(key, "max_age") && !seen->max_age) {
		seen->max_age = true;
		if (!read_max_age(value, &p->max_age))
			return "its max_age is no number";
	} else if (span_is(key, "mx")) {
		add_mx(p, value);
	}
	return NULL;
}

static const char *read_policy(struct sts_policy *p, const char *text, size_t n)
{
	struct seen seen = {0};

	while (n) {
		const char *lf = memchr(text, '\n', n), *why;
		size_t len = lf ? (size_t)(lf - text) : n;
		struct span line = trim(text, len), key, value;

		if (line.n) {
			if (!split(line, ':', &key, &value))
				return "a line has no colon";
			why = read_field(p, &seen, key, value);
			if (why)
				return why;
		}
		len += lf != NULL;
		text += len;
		n -= len;
	}
	if (!seen.version)
		return "it has no version";
	if (!seen.mode)
		return "it has no mode";
	if (!seen.max_age)
		return "it has no max_age";
	if (!p->n_mx && p->mode != STS_NONE)
		return "it lists no mx";
	return NULL;
}

const char *sts_policy_read(struct sts_policy *p, const char *text, size_t n)
{
	const char *why;

	*p = (struct sts_policy){0};
	why = read_policy(p, text, n);
	if (why)
		sts_policy_fini(p);
	return why;
}

void sts_policy_fini(struct sts_policy *p)
{
	for (size_t i = 0; i < p->n_mx; i++)
		free(p->mx[i]);
	free(p->mx);
	*p = (struct sts_policy){0};
}

bool sts_allows(const struct sts_policy *p, const char *host)
{
	const char *dot = strchr(host, '.');

	for (size_t i = 0; i < p->n_mx; i++) {
		const char *mx = p->mx[i];

		if (strcasecmp(mx, host) == 0)
			return true;
		/* A wildcard stands for exactly one label, the leftmost (RFC 6125 6.4.3). */
		if (mx[0] == '*' && mx[1] == '.' && dot && dot != host &&
		    strcasecmp(mx + 1, dot) == 0)
			return true;
	}
	return false;
}

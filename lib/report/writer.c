#include "report/writer.h"

#include "base/text.h"
#include "report/number.h"

#include <math.h>
#include <string.h>
#include <time.h>

void value_int(struct buf *out, int64_t value)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	if (value >= 0 && value <= 9) { /* most are counts, and most of those small */
		buf_addc(out, (char)('0' + value));
		return;
	}
	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		digits[--at] = '-';
	buf_add(out, digits + at, sizeof digits - at);
}

void value_real(struct buf *out, double value, unsigned decimals)
{
	size_t start = out->len;

	if (value == 0 || value == 1) { /* as most shares are */
		buf_add(out, value == 0 ? "0.0" : "1.0", 3);
		return;
	}
	if (!isfinite(value)) {
		buf_add(out, "null", 4);
		return;
	}
	number_add(out, value, decimals);
	if (!memchr(out->data + start, '.', out->len - start))
		buf_add(out, ".0", 2);
}

void value_ms(struct buf *out, usec_t span)
{
	char part[5] = {'.'};
	unsigned rest;
	size_t n = 4;

	if (span < 0) { /* USEC_NONE; a span is never negative otherwise */
		buf_add(out, "null", 4);
		return;
	}
	value_int(out, span / 1000);
	rest = (unsigned)(span % 1000);
	part[1] = (char)('0' + rest / 100);
	part[2] = (char)('0' + rest / 10 % 10);
	part[3] = (char)('0' + rest % 10);
	while (n > 2 && part[n - 1] == '0')
		n--;
	buf_add(out, part, n);
}

/* What a terminal or a reader by lines may act upon though JSON lets it stand as it is: DEL, the C1
 * controls, line separators, marks that turn the direction of writing. */
static bool must_escape(uint32_t cp)
{
	return cp < 0x20 || cp == '"' || cp == '\\' || (cp >= 0x7F && cp < 0xA0) || cp == 0x061C ||
	       cp == 0x200E || cp == 0x200F || (cp >= 0x2028 && cp <= 0x202E) ||
	       (cp >= 0x2066 && cp <= 0x2069) || cp == 0xFEFF;
}

static void escape(struct buf *out, uint32_t cp)
{
	static const char hex[] = "0123456789abcdef";
	char s[6] = {'\\',        'u', hex[cp >> 12 & 15], hex[cp >> 8 & 15], hex[cp >> 4 & 15],
		     hex[cp & 15]};

	switch (cp) {
	case '"':
	case '\\':
		s[1] = (char)cp;
		break;
	case '\n':
		s[1] = 'n';
		break;
	case '\r':
		s[1] = 'r';
		break;
	case '\t':
		s[1] = 't';
		break;
	default:
		buf_add(out, s, sizeof s);
		return;
	}
	buf_add(out, s, 2);
}

/* Does one of eight octets not stand as it is: below 0x20, above 0x7E, one of the two marks? The
 * top bit of an octet tells. A borrow or a carry between octets may tell of one too many, never of
 * one too few. */
static bool has_special(const char *octets)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t v, quote, slash;

	memcpy(&v, octets, 8);
	quote = v ^ ones * '"';
	slash = v ^ ones * '\\';
	return ((v - ones * 0x20) | (v + ones) | v | (quote - ones) | (slash - ones)) & tops;
}

/* Octets at the start of a text that stand as they are: plain ASCII, which nearly all is. */
static size_t plain(const char *s, size_t n)
{
	size_t at = 0;

	while (n - at >= 8 && !has_special(s + at))
		at += 8;
	/* The last ones together with some before them, which are plain. */
	if (n >= 8 && n - at < 8 && !has_special(s + n - 8))
		return n;
	while (at < n && s[at] >= 0x20 && s[at] < 0x7F && s[at] != '"' && s[at] != '\\')
		at++;
	return at;
}

void value_word(struct buf *out, const char *s, size_t n)
{
	char *at;

	if (!buf_reserve(out, n + 2))
		return;
	at = out->data + out->len;
	*at++ = '"';
	if (n) /* no place is a place behind NULL */
		memcpy(at, s, n);
	at[n] = '"';
	out->len += (uint32_t)n + 2;
}

void value_text(struct buf *out, const char *s, size_t n)
{
	size_t at = plain(s, n), start = 0;

	if (at == n) {
		value_word(out, s, n);
		return;
	}
	buf_addc(out, '"');
	for (;;) {
		uint32_t cp = 0;
		size_t len;

		at += plain(s + at, n - at);
		if (at >= n)
			break;
		len = utf8_decode(s + at, n - at, &cp);
		if (len && !must_escape(cp)) {
			at += len;
			continue;
		}
		buf_add(out, s + start, at - start);
		if (len)
			escape(out, cp);
		else
			buf_addstr(out, "\xEF\xBF\xBD");
		at += len ? len : 1;
		start = at;
	}
	if (start < n) /* of an empty text there may be no octets to point at */
		buf_add(out, s + start, n - start);
	buf_addc(out, '"');
}

/* Below 1e-12 is only the noise of the sums that a share was made from. */
void value_share(struct buf *out, double p)
{
	const double least = 1e-6;

	if (p < least / 2 && p > 1e-12)
		p = least;
	else if (p > 1 - least / 2 && p < 1 - 1e-12)
		p = 1 - least;
	value_real(out, p, 6);
}

static char *put_digits(char *at, int value, int digits)
{
	for (int i = digits; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + digits;
}

void value_time(struct buf *out, int64_t unix_ms)
{
	/* Many results begin in the same second, whose text is kept. */
	static char text[] = "YYYY-MM-DDThh:mm:ss.mmmZ";
	static int64_t kept = INT64_MIN;
	int64_t part = unix_ms % 1000, second;

	if (part < 0)
		part += 1000;
	second = (unix_ms - part) / 1000;
	if (second != kept) {
		time_t seconds = (time_t)second;
		struct tm tm;
		char *at = text;

		if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
			/* No certificate lasts so long, nor can RFC 3339 say it. */
			buf_add(out, "null", 4);
			return;
		}
		kept = second;
		at = put_digits(at, tm.tm_year + 1900, 4) + 1;
		at = put_digits(at, tm.tm_mon + 1, 2) + 1;
		at = put_digits(at, tm.tm_mday, 2) + 1;
		at = put_digits(at, tm.tm_hour, 2) + 1;
		at = put_digits(at, tm.tm_min, 2) + 1;
		(void)put_digits(at, tm.tm_sec, 2);
	}
	(void)put_digits(text + sizeof "YYYY-MM-DDThh:mm:ss." - 1, (int)part, 3);
	value_word(out, text, sizeof text - 1);
}

#include "base/text.h"

size_t utf8_decode(const char *s, size_t n, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t c, least;
	size_t len;

	if (!n)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] >= 0xC2 && p[0] <= 0xDF) {
		len = 2, c = p[0] & 0x1F, least = 0x80;
	} else if ((p[0] & 0xF0) == 0xE0) {
		len = 3, c = p[0] & 0x0F, least = 0x800;
	} else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
		len = 4, c = p[0] & 0x07, least = 0x10000;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3F);
	}
	if (c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*cp = c;
	return len;
}

struct range {
	uint32_t first, last;
};

/* Marks that combine with the character before them, by block (Unicode 15): enough to keep columns
 * straight for what mail servers write. */
static const struct range combining[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
    {0x064B, 0x065F}, {0x093C, 0x093C}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF},
    {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
};

/* East Asian Wide and Fullwidth (Unicode Standard Annex 11), and emoji presentation. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x2614, 0x2615},
    {0x26A1, 0x26A1},   {0x2705, 0x2705},   {0x274C, 0x274C},   {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},
    {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
    {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF}, {0x20000, 0x2FFFD}, {0x30000, 0x3FFFD},
};

static int in_ranges(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= r[i].first && cp <= r[i].last)
			return 1;
	return 0;
}

unsigned utf8_columns(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (in_ranges(cp, combining, ARRAY_LEN(combining)))
		return 0;
	return in_ranges(cp, wide, ARRAY_LEN(wide)) ? 2 : 1;
}

/* Invisible characters that steer a terminal or a reader: controls, bidirectional overrides, zero
 * width, line separators, private use and tag characters. */
static int is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7F && cp <= 0x9F) || cp == 0xAD || cp == 0x061C ||
	       (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202E) ||
	       (cp >= 0x2060 && cp <= 0x206F) || cp == 0xFEFF || (cp >= 0xFFF9 && cp <= 0xFFFB) ||
	       (cp >= 0xE0000 && cp <= 0xE007F);
}

void text_safe(struct buf *out, const char *s, size_t n)
{
	while (n) {
		uint32_t cp = 0;
		size_t len = utf8_decode(s, n, &cp);

		if (len && !is_unsafe(cp)) {
			buf_add(out, s, len);
		} else {
			len = len ? len : 1;
			for (size_t i = 0; i < len; i++)
				buf_printf(out, "\\x%02X", (unsigned)(unsigned char)s[i]);
		}
		s += len;
		n -= len;
	}
}

void text_utf8(struct buf *out, const char *s, size_t n, int keep_nul)
{
	while (n) {
		uint32_t cp;
		size_t len = utf8_decode(s, n, &cp);

		if (len && (keep_nul || cp))
			buf_add(out, s, len);
		else
			buf_addstr(out, "\xEF\xBF\xBD");
		len = len ? len : 1;
		s += len;
		n -= len;
	}
}

size_t text_columns(const char *s, size_t n)
{
	size_t columns = 0;

	while (n) {
		uint32_t cp = 0xFFFD;
		size_t len = utf8_decode(s, n, &cp);

		columns += utf8_columns(cp);
		len = len ? len : 1;
		s += len;
		n -= len;
	}
	return columns;
}

void text_fit(struct buf *out, const char *s, size_t n, size_t columns)
{
	size_t used = 0, keep = 0, at = 0;

	if (text_columns(s, n) <= columns) {
		buf_add(out, s, n);
		return;
	}
	if (!columns)
		return;
	/* `keep` is the longest front that leaves a column for the mark. */
	while (at < n) {
		uint32_t cp = 0xFFFD;
		size_t len = utf8_decode(s + at, n - at, &cp);

		used += utf8_columns(cp);
		if (used > columns - 1)
			break;
		at += len ? len : 1;
		keep = at;
	}
	buf_add(out, s, keep);
	buf_addstr(out, "\xE2\x80\xA6");
}

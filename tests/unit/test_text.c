#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 3629 4, with its edges. */
static void test_decode(void **state)
{
	static const struct {
		const char *octets;
		size_t n, len; /* len 0: not well-formed */
		uint32_t cp;
	} rows[] = {
	    {"", 0, 0, 0},
	    {"a", 1, 1, 'a'},
	    {"\0", 1, 1, 0},
	    {"\x7f", 1, 1, 0x7f},
	    {"\x80", 1, 0, 0},
	    {"\xbf", 1, 0, 0},
	    {"\xc0\x80", 2, 0, 0},
	    {"\xc1\xbf", 2, 0, 0},
	    {"\xc2\x80", 2, 2, 0x80},
	    {"\xdf\xbf", 2, 2, 0x7ff},
	    {"\xc3", 1, 0, 0},
	    {"\xc3(", 2, 0, 0},
	    {"\xe0\x9f\xbf", 3, 0, 0},
	    {"\xe0\xa0\x80", 3, 3, 0x800},
	    {"\xed\x9f\xbf", 3, 3, 0xd7ff},
	    {"\xed\xa0\x80", 3, 0, 0},
	    {"\xed\xbf\xbf", 3, 0, 0},
	    {"\xee\x80\x80", 3, 3, 0xe000},
	    {"\xef\xbf\xbf", 3, 3, 0xffff},
	    {"\xe2\x82", 2, 0, 0},
	    {"\xe2\x82(", 3, 0, 0},
	    {"\xf0\x8f\xbf\xbf", 4, 0, 0},
	    {"\xf0\x90\x80\x80", 4, 4, 0x10000},
	    {"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
	    {"\xf4\x90\x80\x80", 4, 0, 0},
	    {"\xf5\x80\x80\x80", 4, 0, 0},
	    {"\xff", 1, 0, 0},
	    {"\xf0\x9f\x98", 3, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t cp = 0;

		assert_int_equal(utf8_decode(rows[i].octets, rows[i].n, &cp), rows[i].len);
		if (rows[i].len)
			assert_int_equal(cp, rows[i].cp);
	}
}

static void test_safe(void **state)
{
	static const struct {
		const char *in, *out;
		size_t n;
	} rows[] = {
	    {"plain text", "plain text", 10},
	    {"back\\slash", "back\\slash", 10},
	    {"a\0b", "a\\x00b", 3},
	    {"\x1b[31m", "\\x1B[31m", 5},
	    {"\r\n\t", "\\x0D\\x0A\\x09", 3},
	    {"\x7f", "\\x7F", 1},
	    {"\xc2\x9b", "\\xC2\\x9B", 2},                   /* CSI as C1 */
	    {"\xc3\xa9", "\xc3\xa9", 2},                     /* é */
	    {"\xe9t\xe9", "\\xE9t\\xE9", 3},                 /* the same in Latin-1 */
	    {"\xe2\x80\xae", "\\xE2\\x80\\xAE", 3},          /* right-to-left override */
	    {"\xe2\x80\xa8", "\\xE2\\x80\\xA8", 3},          /* line separator */
	    {"\xe2\x80\x8b", "\\xE2\\x80\\x8B", 3},          /* zero width space */
	    {"\xe2\x81\xa6", "\\xE2\\x81\\xA6", 3},          /* isolate */
	    {"\xef\xbb\xbf", "\\xEF\\xBB\\xBF", 3},          /* BOM */
	    {"\xc2\xad", "\\xC2\\xAD", 2},                   /* soft hyphen */
	    {"\xd8\x9c", "\\xD8\\x9C", 2},                   /* Arabic letter mark */
	    {"\xef\xbf\xb9", "\\xEF\\xBF\\xB9", 3},          /* annotation anchor */
	    {"\xf3\xa0\x81\x81", "\\xF3\\xA0\\x81\\x81", 4}, /* tag character */
	    {"\xf0\x9f\x93\xa7", "\xf0\x9f\x93\xa7", 4},     /* an emoji */
	    {"\xe2\x82", "\\xE2\\x82", 2},
	    {"", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		text_safe(&b, rows[i].in, rows[i].n);
		assert_string_equal(buf_str(&b), rows[i].out);
		buf_fini(&b);
	}
}

/* Whatever comes in: no control octet and nothing that is not UTF-8 comes out. */
static void test_safe_of_every_pair_of_octets(void **state)
{
	(void)state;
	for (int first = 0; first < 256; first++) {
		for (int second = 0; second < 256; second++) {
			char in[2] = {(char)first, (char)second};
			struct buf b = {0};
			uint32_t cp;
			size_t len;

			text_safe(&b, in, 2);
			for (size_t at = 0; at < b.len; at += len) {
				len = utf8_decode(b.data + at, b.len - at, &cp);
				assert_true(len > 0);
				assert_true(cp >= 0x20 && (cp < 0x7f || cp > 0x9f));
			}
			buf_fini(&b);
		}
	}
}

static void test_utf8(void **state)
{
	struct buf b = {0};

	(void)state;
	text_utf8(&b, "a\xffz\xe2\x82|\x01\0", 8, 1);
	assert_int_equal(b.len, 1 + 3 + 1 + 6 + 1 + 1 + 1);
	assert_memory_equal(b.data, "a\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd|\x01\0", 14);
	buf_clear(&b);
	text_utf8(&b, "\0x", 2, 0);
	assert_string_equal(buf_str(&b), "\xef\xbf\xbdx");
	buf_fini(&b);
}

static void test_columns(void **state)
{
	(void)state;
	assert_int_equal(utf8_columns('a'), 1);
	assert_int_equal(utf8_columns(0x301), 0);   /* combining acute */
	assert_int_equal(utf8_columns(0x4e2d), 2);  /* 中 */
	assert_int_equal(utf8_columns(0x1f4e7), 2); /* e-mail emoji */
	assert_int_equal(utf8_columns(0x2026), 1);
	assert_int_equal(utf8_columns(0xff21), 2); /* fullwidth A */
	assert_int_equal(text_columns("abc", 3), 3);
	assert_int_equal(text_columns("e\xcc\x81", 3), 1);
	assert_int_equal(text_columns("\xe4\xb8\xad\xe6\x96\x87", 6), 4);
	assert_int_equal(text_columns("\xff", 1), 1); /* shown as one mark */
}

static void test_fit(void **state)
{
	static const struct {
		const char *in;
		size_t columns;
		const char *out;
	} rows[] = {
	    {"hello", 5, "hello"},
	    {"hello", 9, "hello"},
	    {"hello", 4, "hel\xe2\x80\xa6"},
	    {"hello", 1, "\xe2\x80\xa6"},
	    {"hello", 0, ""},
	    {"", 0, ""},
	    {"", 5, ""},
	    /* a wide character that has no room is left out whole */
	    {"\xe4\xb8\xad\xe6\x96\x87", 4, "\xe4\xb8\xad\xe6\x96\x87"},
	    {"\xe4\xb8\xad\xe6\x96\x87", 3, "\xe4\xb8\xad\xe2\x80\xa6"},
	    {"\xe4\xb8\xad\xe6\x96\x87", 2, "\xe2\x80\xa6"},
	    /* marks stay with their letter */
	    {"e\xcc\x81gal", 3, "e\xcc\x81g\xe2\x80\xa6"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		text_fit(&b, rows[i].in, strlen(rows[i].in), rows[i].columns);
		assert_string_equal(buf_str(&b), rows[i].out);
		assert_true(text_columns(b.data, b.len) <= rows[i].columns);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_decode),
	    cmocka_unit_test(test_safe),
	    cmocka_unit_test(test_safe_of_every_pair_of_octets),
	    cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_columns),
	    cmocka_unit_test(test_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

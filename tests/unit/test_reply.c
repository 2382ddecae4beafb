#include "base/util.h"
#include "smtp/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Feeds n octets in pieces of at most `piece`, the first one of `first`; counts what was used. */
static int feed(struct reply_reader *r, const char *bytes, size_t n, size_t first, size_t piece,
		size_t *used)
{
	size_t at = 0, took;
	int got = 0;

	while (at < n && got == 0) {
		size_t len = at == 0 && first ? first : piece;

		len = len < n - at ? len : n - at;
		got = reply_feed(r, bytes + at, len, &took);
		assert_true(took <= len);
		if (got == 0)
			assert_int_equal(took, len);
		at += took;
	}
	*used = at;
	return got;
}

struct row {
	const char *bytes;
	int got; /* 1 whole, 0 more wanted, -1 fault */
	enum reply_fault fault;
	int code;
	unsigned lines;
	const char *text;
	size_t left; /* octets behind the reply */
};

static void check(const struct row *row, size_t first, size_t piece)
{
	struct reply_reader r;
	size_t n = strlen(row->bytes), used;

	reply_init(&r);
	assert_int_equal(feed(&r, row->bytes, n, first, piece, &used), row->got);
	assert_int_equal(r.fault, row->fault);
	if (row->got == 1) {
		assert_int_equal(used, n - row->left);
		assert_int_equal(r.reply.code, row->code);
		assert_int_equal(r.reply.lines, row->lines);
		assert_string_equal(buf_str(&r.reply.text), row->text);
		assert_int_equal(r.octets, 0);
	} else if (row->got == 0) {
		assert_int_equal(used, n);
		assert_int_equal(r.octets, n);
	}
	reply_reader_fini(&r);
}

static void test_table(void **state)
{
	static const struct row rows[] = {
	    {"220 mx ESMTP\r\n", 1, REPLY_GOOD, 220, 1, "mx ESMTP", 0},
	    {"220 mx ESMTP\n", 1, REPLY_GOOD, 220, 1, "mx ESMTP", 0},
	    {"220\r\n", 1, REPLY_GOOD, 220, 1, "", 0},
	    {"220\n", 1, REPLY_GOOD, 220, 1, "", 0},
	    {"220 \r\n", 1, REPLY_GOOD, 220, 1, "", 0},
	    {"220-\r\n220\r\n", 1, REPLY_GOOD, 220, 2, "\n", 0},
	    {"250-a\r\n250-b\r\n250 c\r\n", 1, REPLY_GOOD, 250, 3, "a\nb\nc", 0},
	    {"250-a\n250-b\r\n250 c\n", 1, REPLY_GOOD, 250, 3, "a\nb\nc", 0},
	    {"250-a\r\n250\r\n", 1, REPLY_GOOD, 250, 2, "a\n", 0},
	    {"250  two blanks\r\n", 1, REPLY_GOOD, 250, 1, " two blanks", 0},
	    {"599 x\r\n", 1, REPLY_GOOD, 599, 1, "x", 0},
	    {"299 x\r\n", 1, REPLY_GOOD, 299, 1, "x", 0},
	    {"354 x\r\n", 1, REPLY_GOOD, 354, 1, "x", 0},
	    /* a bare CR is text, wherever it stands */
	    {"250 a\rb\r\n", 1, REPLY_GOOD, 250, 1, "a\rb", 0},
	    {"250 \ra\r\n", 1, REPLY_GOOD, 250, 1, "\ra", 0},
	    {"250-\ra\r\n250 b\r\n", 1, REPLY_GOOD, 250, 2, "\ra\nb", 0},
	    {"250 a\r\r\n", 1, REPLY_GOOD, 250, 1, "a\r", 0},
	    {"250 \r\r\n", 1, REPLY_GOOD, 250, 1, "\r", 0},
	    {"250 a\r\r\rb\n", 1, REPLY_GOOD, 250, 1, "a\r\r\rb", 0},
	    /* no further than the end of one reply */
	    {"220 a\r\n250 b\r\n", 1, REPLY_GOOD, 220, 1, "a", 7},
	    {"220 a\nxyz", 1, REPLY_GOOD, 220, 1, "a", 3},
	    {"220\r\n\r\n", 1, REPLY_GOOD, 220, 1, "", 2},
	    /* more is wanted */
	    {"", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    {"2", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    {"220", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    {"220\r", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    {"220 mx", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    {"220 mx\r", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    {"220-mx\r\n", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    {"220-mx\r\n220", 0, REPLY_GOOD, 0, 0, NULL, 0},
	    /* codes that change: the last one counts if it refuses */
	    {"220-wait\r\n521 no\r\n", 1, REPLY_GOOD, 521, 2, "wait\nno", 0},
	    {"220-wait\r\n421 no\r\n", 1, REPLY_GOOD, 421, 2, "wait\nno", 0},
	    {"220-wait\r\n400 no\r\n", 1, REPLY_GOOD, 400, 2, "wait\nno", 0},
	    {"250-a\r\n550-b\r\n550 c\r\n", 1, REPLY_GOOD, 550, 3, "a\nb\nc", 0},
	    {"220-a\r\n250 b\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	    {"220-a\r\n354 b\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	    {"550-a\r\n250 b\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	    {"250-a\r\n550-b\r\n250 c\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	    /* what does not begin as a reply does */
	    {"SSH-2.0-OpenSSH_9.2\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"HTTP/1.1 400 Bad Request\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"\r\n220 mx\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {" 220 mx\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"150 x\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"600 x\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"020 x\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"22 x\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"2a0 x\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"2200 x\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"220x\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"220\tmx\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"220\rx\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"220\r\r\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"22\n", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    {"\x16\x03\x01", -1, REPLY_NO_CODE, 0, 0, NULL, 0},
	    /* a later line that does not */
	    {"220-a\r\nhello\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	    {"220-a\r\n\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	    {"220-a\r\n220x\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	    {"220-a\r\n220\rb\r\n", -1, REPLY_BAD_CODE, 0, 0, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].bytes);

		check(&rows[i], 0, SIZE_MAX);
		check(&rows[i], 0, 1);
		for (size_t cut = 1; cut < n; cut++)
			check(&rows[i], cut, SIZE_MAX);
	}
}

static void test_refused_at_the_first_wrong_octet(void **state)
{
	static const char *const rows[] = {"S", "1", "6", "\n", "2x", "22\r", "220x", "220-\nx"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reply_reader r;
		size_t used;

		reply_init(&r);
		assert_int_equal(reply_feed(&r, rows[i], strlen(rows[i]), &used), -1);
		assert_int_equal(reply_feed(&r, "220 ok\r\n", 8, &used), -1); /* and for good */
		assert_int_equal(used, 0);
		reply_reader_fini(&r);
	}
}

static void test_nul_is_text(void **state)
{
	static const char bytes[] = "250 a\0b\r\n";
	struct reply_reader r;
	size_t used;

	(void)state;
	for (size_t piece = 1; piece < sizeof bytes; piece++) {
		reply_init(&r);
		assert_int_equal(feed(&r, bytes, sizeof bytes - 1, 0, piece, &used), 1);
		assert_int_equal(r.reply.text.len, 3);
		assert_memory_equal(r.reply.text.data, "a\0b", 3);
		reply_reader_fini(&r);
	}
	reply_init(&r);
	assert_int_equal(reply_feed(&r, "22\0", 3, &used), -1);
	reply_reader_fini(&r);
}

static void test_one_after_the_other(void **state)
{
	static const char bytes[] = "220-a\r\n220 b\r\n250 c\r\n550-d\r\n550 e\r\n";
	static const struct {
		int code;
		unsigned lines;
		const char *text;
	} rows[] = {{220, 2, "a\nb"}, {250, 1, "c"}, {550, 2, "d\ne"}};

	(void)state;
	for (size_t piece = 1; piece < sizeof bytes; piece++) {
		struct reply_reader r;
		size_t at = 0, used;

		reply_init(&r);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			assert_int_equal(
			    feed(&r, bytes + at, sizeof bytes - 1 - at, 0, piece, &used), 1);
			at += used;
			assert_int_equal(r.reply.code, rows[i].code);
			assert_int_equal(r.reply.lines, rows[i].lines);
			assert_string_equal(buf_str(&r.reply.text), rows[i].text);
		}
		assert_int_equal(at, sizeof bytes - 1);
		reply_reader_fini(&r);
	}
}

/* `lines` lines of `line` octets (code and separator among them, `end` not), the last one closed if
 * `closed`. */
static char *make(unsigned lines, size_t line, const char *end, bool closed, size_t *n)
{
	struct buf b = {0};

	for (unsigned i = 0; i < lines; i++) {
		buf_addstr(&b, closed && i == lines - 1 ? "250 " : "250-");
		for (size_t k = 4; k < line; k++)
			buf_addc(&b, 'x');
		buf_addstr(&b, end);
	}
	*n = b.len;
	return buf_steal(&b);
}

static void limit(unsigned lines, size_t line, const char *end, bool closed, int got)
{
	static const size_t pieces[] = {1, 3, 4096, 4097, SIZE_MAX};
	size_t n, used;
	char *bytes = make(lines, line, end, closed, &n);

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct reply_reader r;

		reply_init(&r);
		assert_int_equal(feed(&r, bytes, n, 0, pieces[i], &used), got);
		assert_int_equal(r.fault, got < 0 ? REPLY_TOO_LONG : REPLY_GOOD);
		if (got == 1) {
			assert_int_equal(used, n);
			assert_int_equal(r.reply.lines, lines);
			assert_int_equal(r.reply.text.len, lines * (line - 4) + lines - 1);
		}
		reply_reader_fini(&r);
	}
	free(bytes);
}

static void test_limit_of_a_line(void **state)
{
	(void)state;
	limit(1, REPLY_LINE_MAX, "\r\n", true, 1);
	limit(1, REPLY_LINE_MAX, "\n", true, 1);
	limit(1, REPLY_LINE_MAX + 1, "\r\n", true, -1);
	limit(1, REPLY_LINE_MAX + 1, "\n", true, -1);
	limit(1, REPLY_LINE_MAX, "", true, 0);
	limit(1, REPLY_LINE_MAX, "\r", true, 0);
	limit(1, REPLY_LINE_MAX, "\r\r", true, -1);
	limit(1, REPLY_LINE_MAX + 1, "", true, -1);
	limit(1, 1000000, "", true, -1);
	limit(3, REPLY_LINE_MAX, "\r\n", true, 1);
}

static void test_limit_of_lines(void **state)
{
	struct reply_reader r;
	size_t n, used;
	char *bytes;

	(void)state;
	limit(REPLY_LINES_MAX, 4, "\r\n", true, 1);
	limit(REPLY_LINES_MAX, 100, "\n", true, 1);
	limit(REPLY_LINES_MAX, 4, "\r\n", false, 0);
	limit(REPLY_LINES_MAX + 1, 4, "\r\n", true, -1);
	limit(100000, 4, "\n", false, -1);
	/* The first octet of one line too many ends it. */
	bytes = make(REPLY_LINES_MAX, 4, "\n", false, &n);
	reply_init(&r);
	assert_int_equal(reply_feed(&r, bytes, n, &used), 0);
	assert_int_equal(reply_feed(&r, "2", 1, &used), -1);
	assert_int_equal(r.fault, REPLY_TOO_LONG);
	reply_reader_fini(&r);
	free(bytes);
}

static void test_limit_of_octets(void **state)
{
	(void)state;
	/* 64 lines of 1,022 octets and CR LF are 64 KiB to the octet. */
	assert_int_equal(64 * (1022 + 2), REPLY_OCTETS_MAX);
	limit(64, 1022, "\r\n", true, 1);
	limit(64, 1023, "\n", true, 1);
	limit(64, 1023, "\r\n", true, -1);
	limit(64, 1024, "\n", true, -1);
	limit(64, 1022, "\r\n", false, 0);
	limit(65, 1022, "\r\n", true, -1);
	limit(100, 1022, "\r\n", false, -1);
}

static void test_lines_of_a_reply(void **state)
{
	struct reply_reader r;
	struct reply copy = {0};
	const char *line;
	size_t n, used;

	(void)state;
	reply_init(&r);
	assert_false(reply_line(&r.reply, 0, &line, &n));
	assert_int_equal(reply_feed(&r, "250-one\r\n250-\r\n250 three\r\n", 26, &used), 1);
	assert_true(reply_line(&r.reply, 0, &line, &n));
	assert_int_equal(n, 3);
	assert_memory_equal(line, "one", 3);
	assert_true(reply_line(&r.reply, 1, &line, &n));
	assert_int_equal(n, 0);
	assert_true(reply_line(&r.reply, 2, &line, &n));
	assert_int_equal(n, 5);
	assert_memory_equal(line, "three", 5);
	assert_false(reply_line(&r.reply, 3, &line, &n));
	reply_copy(&copy, &r.reply);
	assert_int_equal(reply_feed(&r, "220\r\n", 5, &used), 1);
	assert_true(reply_line(&r.reply, 0, &line, &n));
	assert_int_equal(n, 0);
	reply_copy(&r.reply, &copy);
	reply_fini(&copy);
	assert_int_equal(r.reply.code, 250);
	assert_int_equal(r.reply.lines, 3);
	assert_string_equal(buf_str(&r.reply.text), "one\n\nthree");
	/* A reply made by hand may claim lines that its text does not have. */
	r.reply.lines = 9;
	assert_false(reply_line(&r.reply, 5, &line, &n));
	reply_reader_fini(&r);
}

static void test_enhanced(void **state)
{
	static const struct {
		const char *bytes, *code; /* "": none */
	} rows[] = {
	    {"452 4.3.1 Out of memory\r\n", "4.3.1"},
	    {"250 2.1.0 Ok\r\n", "2.1.0"},
	    {"250 2.1.0\r\n", "2.1.0"},
	    {"250 2.1.0\tOk\r\n", "2.1.0"},
	    {"451 4.7.650 x\r\n", "4.7.650"},
	    {"451 4.123.456 x\r\n", "4.123.456"},
	    {"451 5.7.1 contradicts\r\n", "5.7.1"},
	    {"550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c\r\n", "5.7.1"},
	    {"550-5.7.1 a\r\n550 5.7.1\r\n", "5.7.1"},
	    {"550-5.7.1 a\r\n550 5.7.2 b\r\n", ""},
	    {"550-5.7.1 a\r\n550 5.7.10 b\r\n", ""},
	    {"550-5.7.1 a\r\n550 b\r\n", ""},
	    {"550-a\r\n550 5.7.1 b\r\n", ""},
	    {"550 5.7 x\r\n", ""},
	    {"550 5.7.x\r\n", ""},
	    {"550 5..1 x\r\n", ""},
	    {"550 5.7.1.2 x\r\n", ""},
	    {"550 5.7.1234 x\r\n", ""},
	    {"550 5.1234.1 x\r\n", ""},
	    {"550 5.7.1: x\r\n", ""},
	    {"550 3.7.1 x\r\n", ""},
	    {"550  5.7.1 x\r\n", ""},
	    {"550 55.7.1 x\r\n", ""},
	    {"550 5\r\n", ""},
	    {"550 5.\r\n", ""},
	    {"550 5.1\r\n", ""},
	    {"550 5.1.\r\n", ""},
	    {"550\r\n", ""},
	};
	struct reply none = {0};
	char code[ENHANCED_STRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reply_reader r;
		size_t used;

		reply_init(&r);
		assert_int_equal(reply_feed(&r, rows[i].bytes, strlen(rows[i].bytes), &used), 1);
		assert_int_equal(reply_enhanced(&r.reply, code), *rows[i].code != '\0');
		assert_string_equal(code, rows[i].code);
		reply_reader_fini(&r);
	}
	assert_false(reply_enhanced(&none, code));
	assert_string_equal(code, "");
}

static void test_length_of_the_enhanced_code(void **state)
{
	(void)state;
	assert_int_equal(enhanced_length("4.3.1 Out", 9), 6);
	assert_int_equal(enhanced_length("4.3.1  \tOut", 11), 8);
	assert_int_equal(enhanced_length("4.3.1", 5), 5);
	assert_int_equal(enhanced_length("4.3.1 ", 6), 6);
	assert_int_equal(enhanced_length("Out", 3), 0);
	assert_int_equal(enhanced_length("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_refused_at_the_first_wrong_octet),
	    cmocka_unit_test(test_nul_is_text),
	    cmocka_unit_test(test_one_after_the_other),
	    cmocka_unit_test(test_limit_of_a_line),
	    cmocka_unit_test(test_limit_of_lines),
	    cmocka_unit_test(test_limit_of_octets),
	    cmocka_unit_test(test_lines_of_a_reply),
	    cmocka_unit_test(test_enhanced),
	    cmocka_unit_test(test_length_of_the_enhanced_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

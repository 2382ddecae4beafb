#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_zero_is_an_empty_buffer(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(b.len, 0);
	buf_addstr(&b, "abc");
	buf_addc(&b, 'd');
	buf_add(&b, "e\0f", 3);
	buf_printf(&b, "%d-%s", 42, "x");
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.data, "abcde\0f42-x", 11);
	buf_fini(&b);
	assert_int_equal(b.len, 0);
	assert_null(b.data);
	buf_addstr(&b, "usable again");
	assert_string_equal(buf_str(&b), "usable again");
	buf_fini(&b);
}

static void test_what_does_not_fit_is_left_out_whole(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_addstr(&b, "abc");
	buf_addstr(&b, "def");
	assert_true(b.overflow);
	assert_string_equal(buf_str(&b), "abc");
	buf_addstr(&b, "de"); /* exactly full */
	assert_string_equal(buf_str(&b), "abcde");
	buf_addc(&b, 'x');
	buf_printf(&b, "%s", "y");
	assert_int_equal(b.len, 5);
	assert_true(b.overflow);
	buf_clear(&b);
	assert_false(b.overflow);
	buf_printf(&b, "%05d", 7);
	assert_false(b.overflow);
	assert_string_equal(buf_str(&b), "00007");
	buf_clear(&b);
	buf_printf(&b, "%06d", 7);
	assert_true(b.overflow);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
	assert_int_equal(b.max, 5);
}

static void test_nothing_is_added_by_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1);
	buf_add(&b, NULL, 0);
	buf_addstr(&b, "");
	buf_printf(&b, "%s", "");
	assert_int_equal(b.len, 0);
	assert_false(b.overflow);
	buf_fini(&b);
}

static void test_grows_through_all_sizes(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 5000; i++) {
		buf_addc(&b, (char)('a' + i % 26));
		/* The terminator has its place at every length. */
		assert_int_equal(strlen(buf_str(&b)), (size_t)i + 1);
	}
	for (int i = 0; i < 5000; i++)
		assert_int_equal(b.data[i], 'a' + i % 26);
	buf_fini(&b);
}

static void test_consume_from_the_front(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_addstr(&b, "hello world");
	buf_consume(&b, 6);
	assert_string_equal(buf_str(&b), "world");
	buf_consume(&b, 0);
	buf_consume(&b, 5);
	assert_int_equal(b.len, 0);
	buf_consume(&b, 0);
	buf_addstr(&b, "more");
	assert_string_equal(buf_str(&b), "more");
	buf_fini(&b);
}

static void test_steal_leaves_an_empty_buffer(void **state)
{
	struct buf b;
	char *s;

	(void)state;
	buf_init(&b, 100);
	s = buf_steal(&b);
	assert_string_equal(s, "");
	free(s);
	buf_addstr(&b, "text");
	s = buf_steal(&b);
	assert_string_equal(s, "text");
	free(s);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 100);
	assert_null(b.data);
}

static void test_array_grows_and_is_zeroed(void **state)
{
	uint64_t *array = NULL;
	size_t n = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t *item = ARRAY_ADD(array, n);

		assert_int_equal(*item, 0);
		*item = i;
	}
	assert_int_equal(n, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(array[i], i);
	free(array);
}

static void test_strings(void **state)
{
	char *s;

	(void)state;
	s = xstrndup("abcdef", 3);
	assert_string_equal(s, "abc");
	free(s);
	s = xstrndup("ab", 10);
	assert_string_equal(s, "ab");
	free(s);
	s = xasprintf("%s/%d", "x", 5);
	assert_string_equal(s, "x/5");
	free(s);
	s = xcalloc(0, 0);
	assert_non_null(s);
	free(s);
	s = xmalloc(0);
	assert_non_null(s);
	s = xreallocarray(s, 0, 8);
	assert_non_null(s);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_zero_is_an_empty_buffer),
	    cmocka_unit_test(test_what_does_not_fit_is_left_out_whole),
	    cmocka_unit_test(test_nothing_is_added_by_nothing),
	    cmocka_unit_test(test_grows_through_all_sizes),
	    cmocka_unit_test(test_consume_from_the_front),
	    cmocka_unit_test(test_steal_leaves_an_empty_buffer),
	    cmocka_unit_test(test_array_grows_and_is_zeroed),
	    cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

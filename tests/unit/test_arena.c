/* Memory that is given back all at once. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_zeroed(const unsigned char *piece, size_t size)
{
	assert_int_equal((uintptr_t)piece % sizeof(void *), 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(piece[i], 0);
}

/* Pieces of all sizes stand beside each other, and what is written to one is in no other. */
static void fill(struct arena *a)
{
	unsigned char *pieces[400];

	for (size_t i = 0; i < 400; i++) {
		size_t size = i < 390 ? i * 7 % 400 : i * 300;

		pieces[i] = arena_add(a, size);
		check_zeroed(pieces[i], size);
		memset(pieces[i], (int)(i % 255 + 1), size);
	}
	for (size_t i = 0; i < 400; i++) {
		size_t size = i < 390 ? i * 7 % 400 : i * 300;

		for (size_t k = 0; k < size; k++)
			assert_int_equal(pieces[i][k], i % 255 + 1);
	}
}

static void test_pieces(void **state)
{
	struct arena a = {0};

	(void)state;
	fill(&a);
	arena_fini(&a);
	fill(&a); /* it may be used again */
	arena_fini(&a);
	arena_fini(&a);
}

/* What one arena has written into does not show in the next. */
static void test_pool(void **state)
{
	struct arena_pool pool = {0};
	struct arena a = {.pool = &pool}, b = {.pool = &pool};

	(void)state;
	for (int i = 0; i < 3; i++) {
		fill(&a);
		fill(&b);
		arena_fini(&a);
		fill(&b);
		arena_fini(&b);
	}
	arena_pool_fini(&pool);
}

static void test_array(void **state)
{
	struct arena a = {0};
	size_t n = 0;
	uint64_t *numbers = NULL;

	(void)state;
	while (n < 5000) {
		uint64_t *number = ARENA_ADD(&a, numbers, n);

		assert_int_equal(*number, 0);
		*number = n * n;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(numbers[i], (i + 1) * (i + 1));
	assert_string_equal(arena_strdup(&a, "text"), "text");
	assert_string_equal(arena_strdup(&a, ""), "");
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_pool),
	    cmocka_unit_test(test_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

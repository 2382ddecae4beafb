#include "base/map.h"
#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_empty(void **state)
{
	struct map m = {0};
	size_t at = 0;

	(void)state;
	assert_null(map_get(&m, "a", 1));
	assert_null(map_next(&m, &at));
	map_fini(&m);
}

static void test_put_and_get(void **state)
{
	struct map m = {0};
	int one, two;
	struct map_entry *place;

	(void)state;
	assert_null(map_put(&m, "key", 3, &one));
	assert_ptr_equal(map_get(&m, "key", 3), &one);
	assert_null(map_get(&m, "ke", 2));
	assert_null(map_get(&m, "key\0", 4));
	assert_ptr_equal(map_put(&m, "key", 3, &two), &one);
	assert_int_equal(m.count, 1);
	assert_ptr_equal(map_get(&m, "key", 3), &two);
	assert_null(map_put(&m, "", 0, &one)); /* the empty key is one */
	assert_ptr_equal(map_get(&m, "", 0), &one);
	map_place(&m, "", 0)->value = &two; /* what was there goes */
	assert_ptr_equal(map_get(&m, "", 0), &two);
	place = map_place(&m, "new", 3);
	assert_null(place->value);
	place->value = &one;
	assert_ptr_equal(map_get(&m, "new", 3), &one);
	assert_int_equal(m.count, 3);
	map_fini(&m);
	assert_int_equal(m.count, 0);
	assert_null(map_put(&m, "again", 5, &one)); /* usable after its end */
	map_fini(&m);
}

/* A key that the map does not copy. */
static void test_borrowed_keys(void **state)
{
	struct map m = {.borrows = true};
	char keys[1000][16], key[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct map_entry *e;
		int n = snprintf(key, sizeof key, "key %d", i);

		e = map_place(&m, key, (size_t)n);
		assert_null(e->value);
		e->key = memcpy(keys[i], key, sizeof key);
		e->value = keys[i];
	}
	memset(key, 'x', sizeof key);
	for (int i = 0; i < 1000; i++)
		assert_ptr_equal(map_get(&m, keys[i], strlen(keys[i])), keys[i]);
	map_fini(&m);
}

static void test_keys_are_octets_and_copied(void **state)
{
	struct map m = {0};
	char key[] = "a\0b\xff____________long_enough_for_blocks";
	int one, two;

	(void)state;
	assert_null(map_put(&m, key, sizeof key, &one));
	key[0] = 'z';
	assert_null(map_get(&m, key, sizeof key));
	assert_null(map_put(&m, key, sizeof key, &two));
	key[0] = 'a';
	assert_ptr_equal(map_get(&m, key, sizeof key), &one);
	map_fini(&m);
}

/* Thousands come in an order of no pattern; a plain array knows what must be there. */
static void test_against_an_array(void **state)
{
	enum { KEYS = 4000 };
	static int values[KEYS];
	static bool there[KEYS];
	struct map m = {0};
	uint32_t random = 1;
	size_t count = 0;

	(void)state;
	for (int step = 0; step < 6000; step++) {
		char key[32];
		int i, n;

		random = random * 1664525u + 1013904223u;
		i = (int)((random >> 8) % KEYS);
		n = snprintf(key, sizeof key, "host-%d.example", i);
		if (random >> 31) {
			assert_ptr_equal(map_put(&m, key, (size_t)n, &values[i]),
					 there[i] ? &values[i] : NULL);
			count += !there[i];
			there[i] = true;
		} else {
			assert_ptr_equal(map_get(&m, key, (size_t)n), there[i] ? &values[i] : NULL);
		}
		assert_int_equal(m.count, count);
	}
	for (int i = 0; i < KEYS; i++) {
		char key[32];
		int n = snprintf(key, sizeof key, "host-%d.example", i);

		assert_ptr_equal(map_get(&m, key, (size_t)n), there[i] ? &values[i] : NULL);
	}
	map_fini(&m);
}

static void test_walk_meets_each_once(void **state)
{
	enum { KEYS = 100 };
	struct map m = {0};
	int seen[KEYS] = {0}, *value;
	size_t at = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++)
		assert_null(map_put(&m, &i, sizeof i, &seen[i]));
	while ((value = map_next(&m, &at)) != NULL)
		++*value;
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(seen[i], 1);
	map_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_put_and_get),
	    cmocka_unit_test(test_borrowed_keys),
	    cmocka_unit_test(test_keys_are_octets_and_copied),
	    cmocka_unit_test(test_against_an_array),
	    cmocka_unit_test(test_walk_meets_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

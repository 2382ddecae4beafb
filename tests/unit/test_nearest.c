/* Which name was meant. */
#include "base/nearest.h"

#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} rows[] = {
	    {"", "", 0},
	    {"", "abc", 3},
	    {"abc", "", 3},
	    {"tls", "tls", 0},
	    {"tsl", "tls", 1},
	    {"tl", "tls", 1},
	    {"ttls", "tls", 1},
	    {"tla", "tls", 1},
	    {"hisory", "history", 1},
	    {"hsitroy", "history", 2},
	    {"kitten", "sitting", 3},
	    {"ca", "abc", 3},
	    {"colour", "color", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *a = rows[i].a, *b = rows[i].b;

		/* Either way round it is the same. */
		if (nearest_distance(a, strlen(a), b, strlen(b)) != rows[i].distance ||
		    nearest_distance(b, strlen(b), a, strlen(a)) != rows[i].distance)
			fail_msg("%s, %s: %u", a, b, nearest_distance(a, strlen(a), b, strlen(b)));
	}
}

static void test_long_words(void **state)
{
	static const char *const names[] = {"tls"};
	char word[NEAREST_MAX + 2];

	(void)state;
	memset(word, 'a', sizeof word);
	assert_int_equal(nearest_distance(word, NEAREST_MAX, "", 0), NEAREST_MAX);
	assert_int_equal(nearest_distance("", 0, word, NEAREST_MAX), NEAREST_MAX);
	assert_int_equal(nearest_distance(word, NEAREST_MAX + 1, "", 0), NEAREST_MAX + 1);
	assert_int_equal(nearest_distance(word, NEAREST_MAX + 1, word, NEAREST_MAX + 1),
			 NEAREST_MAX + 1);
	assert_null(nearest(word, sizeof word, names, 1));
}

static void test_nearest(void **state)
{
	static const char *const names[] = {"off", "auto", "require", "verify", "dane", "history"};
	static const struct {
		const char *word, *name; /* NULL: none is near */
	} rows[] = {
	    {"verfy", "verify"}, {"verified", "verify"}, {"reqiure", "require"}, {"of", "off"},
	    {"on", NULL},        {"atuo", "auto"},       {"no", NULL},           {"", NULL},
	    {"maybe", NULL},     {"hisory", "history"},  {"hist", "history"},    {"x", NULL},
	    {"dan", "dane"},     {"dane", "dane"},       {"strict", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *found =
		    nearest(rows[i].word, strlen(rows[i].word), names, ARRAY_LEN(names));

		if (!found != !rows[i].name || (found && strcmp(found, rows[i].name) != 0))
			fail_msg("%s: %s", rows[i].word, found ? found : "nothing");
	}
	/* The word ends where it is said to. */
	assert_string_equal(nearest("autorun", 4, names, ARRAY_LEN(names)), "auto");
	/* The first of those that are as near. */
	assert_string_equal(nearest("bat", 3, (const char *const[]){"cat", "bad"}, 2), "cat");
	assert_null(nearest("bat", 3, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_distance),
	    cmocka_unit_test(test_long_words),
	    cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

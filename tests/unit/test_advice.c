/* Advice: something for every pair that the rules can give, short, and fit for any output. */
#include "judge/advice.h"
#include "judge/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned sentences(const char *text)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; text[i]; i++)
		n += text[i] == '.' && (text[i + 1] == ' ' || !text[i + 1]);
	return n;
}

static void every_pair_has_advice(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < n_rules; i++) {
		const char *text = advice_text(rules[i].class, rules[i].reason);

		assert_non_null(text);
		if (strlen(text) < 20 || sentences(text) < 1 || sentences(text) > 3 ||
		    text[strlen(text) - 1] != '.')
			fail_msg("%s/%s: %u sentences: %s", class_name(rules[i].class),
				 reason_name(rules[i].reason), sentences(text), text);
		for (j = 0; text[j]; j++)
			assert_true(text[j] >= ' ' && text[j] < 0x7f);
	}
}

static void no_pair_is_without(void **state)
{
	unsigned class, reason;

	(void)state;
	for (class = 0; class < CLASSES; class ++)
		for (reason = 0; reason < REASONS; reason++)
			assert_true(*advice_text((enum class) class, (enum reason)reason));
}

/* What matters most to know of exhaustion: mail is retried and not lost. */
static void exhaustion_tells_of_the_retry(void **state)
{
	static const enum reason reasons[] = {REASON_MEMORY, REASON_DISK, REASON_LOAD,
					      REASON_CONNECTIONS, REASON_UNSPECIFIED};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(reasons); i++) {
		const char *text = advice_text(CLASS_EXHAUSTED, reasons[i]);

		assert_non_null(strstr(text, "ueue"));
		assert_non_null(strstr(text, "retr"));
		assert_non_null(strstr(text, "Postfix"));
		assert_non_null(strstr(text, "Exim"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pair_has_advice),
	    cmocka_unit_test(no_pair_is_without),
	    cmocka_unit_test(exhaustion_tells_of_the_retry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

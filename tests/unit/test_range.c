#include "report/number.h"
#include "report/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_alerts(void **state)
{
	static const struct {
		const char *text;
		double value, total;
		bool alerts;
	} rows[] = {
	    /* the guidelines' own table */
	    {"10", -0.1, 0, true},
	    {"10", 0, 0, false},
	    {"10", 10, 0, false},
	    {"10", 10.1, 0, true},
	    {"10:", 9.9, 0, true},
	    {"10:", 10, 0, false},
	    {"10:", 1e9, 0, false},
	    {"~:10", -1e9, 0, false},
	    {"~:10", 10, 0, false},
	    {"~:10", 10.001, 0, true},
	    {"10:20", 9, 0, true},
	    {"10:20", 10, 0, false},
	    {"10:20", 20, 0, false},
	    {"10:20", 21, 0, true},
	    {"@10:20", 9, 0, false},
	    {"@10:20", 10, 0, true},
	    {"@10:20", 15, 0, true},
	    {"@10:20", 20, 0, true},
	    {"@10:20", 21, 0, false},
	    /* the corners */
	    {"0", 0, 0, false},
	    {"0", 1, 0, true},
	    {"0:", 0, 0, false},
	    {"0:", -1, 0, true},
	    {"0:0", 0, 0, false},
	    {"1:1", 1, 0, false},
	    {"1:1", 2, 0, true},
	    {":5.75", 5.75, 0, false},
	    {":5.75", 5.76, 0, true},
	    {":5.75", -1, 0, true},
	    {"@10", 0, 0, true},
	    {"@10", 10, 0, true},
	    {"@10", 11, 0, false},
	    {"@10", -1, 0, false},
	    {"@10:", 9, 0, false},
	    {"@10:", 10, 0, true},
	    {"@~:10", 10, 0, true},
	    {"@~:10", 11, 0, false},
	    {"~:", 1e12, 0, false},
	    {"~:", -1e12, 0, false},
	    {"@~:", 0, 0, true},
	    {"~:0", 0, 0, false},
	    {"~:0", 0.5, 0, true},
	    {"~:-95.99", -95.99, 0, false},
	    {"~:-95.99", -95.98, 0, true},
	    {"-7:23", -7, 0, false},
	    {"-7:23", -7.5, 0, true},
	    {"-7:23", 23, 0, false},
	    {"-10:-2", -1, 0, true},
	    {"-10:-2", -2, 0, false},
	    {"@0:657.8210567", 657.8210567, 0, true},
	    {"@0:657.8210567", 657.83, 0, false},
	    {"0.1", 0.1, 0, false},
	    {"0.3", 0.3, 0, false},
	    {".5", 0.5, 0, false},
	    {".5", 0.51, 0, true},
	    {"5.", 5, 0, false},
	    {"-.5:", -0.5, 0, false},
	    {"007", 7, 0, false},
	    {"12345678901234567890:", 1, 0, true},
	    /* shares */
	    {"10%", 1, 10, false},
	    {"10%", 2, 10, true},
	    {"28%", 7, 25, false},
	    {"27.9%", 7, 25, true},
	    {"33.3%", 1, 3, true},
	    {"33.4%", 1, 3, false},
	    {"50%:", 7, 16, true},
	    {"50%:", 8, 16, false},
	    {"~:25%", 4, 16, false},
	    {"~:25%", 5, 16, true},
	    {"@25%:50%", 4, 16, true},
	    {"@25%:50%", 8, 16, true},
	    {"@25%:50%", 9, 16, false},
	    {"2:50%", 1, 16, true},
	    {"2:50%", 2, 16, false},
	    {"2:50%", 9, 16, true},
	    {"10%:3", 1, 16, true},
	    {"10%:3", 2, 16, false},
	    {"0%", 0, 16, false},
	    {"0%", 1, 16, true},
	    {"100%", 16, 16, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range r;
		const char *error = range_parse(&r, rows[i].text, true);

		if (error)
			fail_msg("%s: %s", rows[i].text, error);
		if (range_alerts(&r, rows[i].value, rows[i].total) != rows[i].alerts)
			fail_msg("%s of %g", rows[i].text, rows[i].value);
	}
}

static void test_invalid(void **state)
{
	static const char *const rows[] = {
	    "",      "@",    ":",    "@:",     "~",         "@~",   "~10",      "~10:",   "10:~",
	    "a",     "10a",  "a:10", "10:a",   "10::",      "::10", "10:20:30", "1:2:",   "2:1",
	    "@2:1",  "-1",   "5:-5", "0.5:.4", " 10",       "10 ",  "1 0",      "10: 20", "1,5",
	    "1e3",   "0x10", "inf",  "nan",    "+5",        "--5",  "-",        ".",      "-.",
	    "1.2.3", "@@1",  "1@",   "%",      "%10",       "10%%", "50%:10%",  "~%:1",   "10%:a",
	    "10\n",  "1|2",  "0:-1", "0:-1%",  "\302\2401",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct range r = {.inside = true};

		if (!range_parse(&r, rows[i], true))
			fail_msg("'%s' was taken", rows[i]);
		assert_true(r.inside); /* nothing is changed */
	}
}

static void test_no_shares(void **state)
{
	struct range r;

	(void)state;
	assert_null(range_parse(&r, "1.5:", false));
	assert_non_null(range_parse(&r, "10%", false));
	assert_non_null(range_parse(&r, "10%:", false));
	assert_non_null(range_parse(&r, "1:10%", false));
}

static void test_huge_number(void **state)
{
	char text[1000];
	struct range r;

	(void)state;
	memset(text, '9', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_non_null(range_parse(&r, text, true));
	text[1] = '.';
	assert_null(range_parse(&r, text, true));
	assert_false(range_alerts(&r, 9.99, 0));
	assert_true(range_alerts(&r, 10.01, 0));
}

static void test_format(void **state)
{
	static const struct {
		const char *text, *formatted;
	} rows[] = {
	    {"10", "10"},   {"0:10", "10"},           {":10", "10"},      {"10:", "10:"},
	    {"0:", "0:"},   {"~:10", "~:10"},         {"~:", "~:"},       {"10:20", "10:20"},
	    {"@10", "@10"}, {"@10:20", "@10:20"},     {"@~:3", "@~:3"},   {"-5:-2.50", "-5:-2.5"},
	    {"10%", "10%"}, {"5%:10%", "5%:10%"},     {"0%:10", "0%:10"}, {"0.125", "0.125"},
	    {"-0:5", "5"},  {"1000000:", "1000000:"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};
		struct range r, again;

		assert_null(range_parse(&r, rows[i].text, true));
		range_format(&out, &r);
		assert_string_equal(buf_str(&out), rows[i].formatted);
		assert_null(range_parse(&again, buf_str(&out), true));
		buf_fini(&out);
	}
}

/* What holds of the unhealthy must hold of the healthy, seen from the other end. */
static void test_mirror(void **state)
{
	static const char *const texts[] = {
	    "0",  "1",   "3",  "10%", "25%:",  "2:",   "~:4",    "2:5",   "@2:5",
	    "@4", "@3:", "~:", "50%", "1:50%", "@~:2", "@10%:3", "12.5%", "0:100%"};
	const int whole = 16;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct range r, m;

		assert_null(range_parse(&r, texts[i], true));
		m = range_mirror(&r, whole, whole);
		for (int unhealthy = 0; unhealthy <= whole; unhealthy++)
			assert_int_equal(range_alerts(&r, unhealthy, whole),
					 range_alerts(&m, whole - unhealthy, 0));
	}
}

static void test_numbers(void **state)
{
	static const struct {
		double value;
		unsigned decimals;
		const char *text;
	} rows[] = {
	    {0, 6, "0"},
	    {-0.0, 6, "0"},
	    {1, 0, "1"},
	    {0.875, 6, "0.875"},
	    {0.1 + 0.2, 6, "0.3"},
	    {1.0 / 3, 4, "0.3333"},
	    {2.0 / 3, 4, "0.6667"},
	    {0.0000004, 6, "0"},
	    {0.0000005, 6, "0.000001"},
	    {-2.5, 3, "-2.5"},
	    {-0.0001, 3, "0"},
	    {0.05, 3, "0.05"},
	    {10, 3, "10"},
	    {999.9999, 3, "1000"},
	    {1763742717.181, 3, "1763742717.181"},
	    {1e9, 6, "1000000000"},
	    {1e300, 6, "1000000000000"},
	    {-1e300, 2, "-1000000000000"},
	    {0.5, 9, "0.5"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};

		number_add(&out, rows[i].value, rows[i].decimals);
		assert_string_equal(buf_str(&out), rows[i].text);
		buf_fini(&out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alerts),    cmocka_unit_test(test_invalid),
	    cmocka_unit_test(test_no_shares), cmocka_unit_test(test_huge_number),
	    cmocka_unit_test(test_format),    cmocka_unit_test(test_mirror),
	    cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

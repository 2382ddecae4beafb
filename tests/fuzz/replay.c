/* Runs a fuzz target over its corpus, without libFuzzer: whole files, and each cut short and with
 * each octet turned, so that the corpus tests more than itself. */
#include "fuzz.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* From memory of exactly its size, so that a sanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n + !n);

	assert_non_null(exact);
	if (n)
		memcpy(exact, data, n);
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static void corpus(void **state)
{
	static uint8_t data[1 << 16];
	char path[512];
	struct dirent *entry;
	size_t files = 0;
	DIR *folder;

	(void)state;
	run(NULL, 0);
	snprintf(path, sizeof path, "tests/fuzz/corpus/%s", fuzz_name);
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		size_t n, i;
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "tests/fuzz/corpus/%s/%s", fuzz_name, entry->d_name);
		f = fopen(path, "rb");
		assert_non_null(f);
		n = fread(data, 1, sizeof data, f);
		assert_int_equal(fclose(f), 0);
		for (i = 0; i <= n; i += 1 + n / 512)
			run(data, i);
		run(data, n);
		for (i = 0; i < n; i += 1 + n / 512) {
			data[i] ^= 0x80;
			run(data, n);
			data[i] ^= 0x80;
		}
		files++;
	}
	closedir(folder);
	assert_true(files > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(corpus)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The dictionary: its order, what each entry finds, how text is folded. */
#include "judge/lexicon.h"

#include "base/buf.h"
#include "base/util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t read_of(const char *text)
{
	return lexicon_read(text, strlen(text));
}

static size_t length(const struct phrase *p)
{
	size_t n = strlen(p->words);

	return p->words[n - 1] == '*' ? n - 1 : n;
}

static void the_dictionary_is_in_order(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < n_lexicon; i++) {
		const struct phrase *p = &lexicon[i], *q = &lexicon[i + 1];
		size_t n = length(p), m, shorter;
		int order;

		assert_true(n >= 2); /* a search that has failed goes on with two octets */
		assert_non_null(p->words);
		/* One that means nothing keeps its words from others: "recipient's server". */
		assert_true(p->means >> MEANINGS == 0);
		if (i + 1 == n_lexicon)
			break;
		m = length(q);
		shorter = n < m ? n : m;
		order = memcmp(p->words, q->words, shorter);
		if (order > 0 || (!order && n >= m))
			fail_msg("\"%s\" must not stand before \"%s\"", p->words, q->words);
	}
}

/* An entry that another one, or the folding, keeps from ever being found is dead weight. */
static void every_entry_finds_itself(void **state)
{
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < n_lexicon; i++) {
		const struct phrase *p = &lexicon[i];
		const char *from = p->words;
		size_t n = 0, end = length(p), at;

		for (at = 0; at < end; at++) {
			if (!strncmp(from + at, "<ip>", 4)) {
				n += (size_t)sprintf(text + n, "192.0.2.1");
				at += 3;
			} else if (!strncmp(from + at, "<host>", 6)) {
				n += (size_t)sprintf(text + n, "a.b.c.example");
				at += 5;
			} else if (!strncmp(from + at, "<addr>", 6)) {
				n += (size_t)sprintf(text + n, "a@b.example");
				at += 5;
			} else {
				text[n++] = from[at];
			}
		}
		text[n] = 0;
		if ((read_of(text) & p->means) != p->means)
			fail_msg("\"%s\" is not found in \"%s\"", p->words, text);
	}
}

static void every_meaning_is_in_the_dictionary(void **state)
{
	uint64_t all = 0;
	size_t i;

	(void)state;
	for (i = 0; i < n_lexicon; i++)
		all |= lexicon[i].means;
	assert_true(all == (UINT64_C(1) << MEANINGS) - 1);
}

static void case_accents_and_width_do_not_matter(void **state)
{
	uint64_t memory = SAYS(MEMORY);

	(void)state;
	assert_true(read_of("MEMORY") == memory);
	assert_true(read_of("M\xc3\x89MOIRE") == memory); /* UTF-8 */
	assert_true(read_of("m\xe9moire") == memory);     /* Latin-1 */
	assert_true(read_of("\xd0\x9f\xd0\x90\xd0\x9c\xd0\xaf\xd0\xa2\xd0\xac") == memory);
	assert_true(
	    read_of("\xef\xbc\xad\xef\xbd\x85\xef\xbd\x8d\xef\xbd\x8f\xef\xbd\x92\xef\xbd\x99") ==
	    memory); /* full width */
	assert_true(read_of("\xe3\x83\xa1\xe3\x83\xa2\xe3\x83\xaa\xe4\xb8\x8d\xe8\xb6\xb3") &
		    memory);
	/* Full width behind a character without spaces around it; with something else in between.
	 */
	assert_true(
	    read_of("\xe4\xb8\x8d\xef\xbc\xad\xef\xbd\x85\xef\xbd\x8d\xef\xbd\x8f\xef\xbd\x92"
		    "\xef\xbd\x99") &
	    memory);
	assert_true(read_of("\xef\xbc\x81memory\xef\xbc\x81") == memory);
	assert_true(read_of("\xc3\x97memory\xc3\xb7") == memory); /* between signs */
	/* Io counts as ie, large or small. */
	assert_true(read_of("\xd0\xbc\xd0\xb5\xd1\x81\xd1\x82\xd0\xb5") == SAYS(SPACE));
	assert_true(read_of("\xd0\xbc\xd1\x91\xd1\x81\xd1\x82\xd1\x91") == SAYS(SPACE));
	assert_true(read_of("\xd0\x9c\xd0\x81\xd0\xa1\xd0\xa2\xd0\x81") == SAYS(SPACE));
	assert_true(read_of("OUT_OF_MEMORY") & memory);
	assert_true(read_of("(memory)") == memory);
}

static void words_are_whole(void **state)
{
	(void)state;
	assert_true(read_of("fully") == 0);
	assert_true(read_of("full") == SAYS(FULL));
	assert_true(read_of("greylisted") == SAYS(GREY));
	assert_true(read_of("inmemory") == 0);
}

/* A client chooses its own name, and a server may be called anything. */
static void names_do_not_count(void **state)
{
	(void)state;
	assert_true(read_of("<memory@spam.example.com>") == 0);
	assert_true((read_of("full.disk.mx.example.com") & (SAYS(FULL) | SAYS(DISK))) == 0);
	assert_true(read_of("from 192.0.2.1") & SAYS(CLIENT));
	assert_true(read_of("[2001:db8::1]") & SAYS(CLIENT));
	assert_true(read_of("[IPv6:2001:db8::1]") & SAYS(CLIENT));
	assert_true(read_of("from IPv6:2001:db8::1") & SAYS(CLIENT));
	assert_true(read_of("at 10:11:12") == 0);
	assert_true(read_of("blocked by zen.spamhaus.org") & SAYS(BLOCK));
	assert_true(read_of("Mailbox is full.Please wait") & SAYS(FULL)); /* no host name */
}

static void links_count_only_alone(void **state)
{
	(void)state;
	assert_true(read_of("see http://example.com/spam") & SAYS(BLOCK));
	assert_false(read_of("out of memory, see http://example.com/spam") & SAYS(BLOCK));
}

static void the_longest_entry_counts(void **state)
{
	(void)state;
	assert_false(read_of("mailbox server is too busy") & SAYS(MAILBOX));
	assert_true(read_of("mailbox busy") & SAYS(MAILBOX));
	assert_true(read_of("too many recipients") == SAYS(RECIPS));
}

static void long_texts_are_read_at_both_ends(void **state)
{
	size_t n = 100000;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', n);
	memcpy(text, "full ", 5);
	memcpy(text + n - 7, " memory", 7);
	assert_true(lexicon_read(text, n) == (SAYS(FULL) | SAYS(MEMORY)));
	memset(text, 0xe3, n); /* nothing that folding would shorten */
	(void)lexicon_read(text, n);
	memset(text, '.', n);
	assert_true(lexicon_read(text, n) == 0);
	free(text);
	assert_true(lexicon_read(NULL, 0) == 0);
}

/* What is folded may be longer than what was said: an address of one octet is a word of seven. Room
 * ends at any octet of any of them. */
static void more_words_than_room(void **state)
{
	uint64_t one = lexicon_read("@ ", 2);

	(void)state;
	for (size_t letters = 0; letters < 100; letters++) {
		struct buf text = {0};

		for (size_t i = 0; i < 610; i++)
			buf_addstr(&text, "@ ");
		for (size_t i = 0; i < letters; i++)
			buf_addc(&text, 'x');
		for (size_t i = 0; i < 10; i++)
			buf_addstr(&text, " @ \xC3\xA9 1.2.3.4");
		assert_true((lexicon_read(text.data, text.len) & one) == one);
		buf_fini(&text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_dictionary_is_in_order),
	    cmocka_unit_test(every_entry_finds_itself),
	    cmocka_unit_test(every_meaning_is_in_the_dictionary),
	    cmocka_unit_test(case_accents_and_width_do_not_matter),
	    cmocka_unit_test(words_are_whole),
	    cmocka_unit_test(names_do_not_count),
	    cmocka_unit_test(links_count_only_alone),
	    cmocka_unit_test(the_longest_entry_counts),
	    cmocka_unit_test(long_texts_are_read_at_both_ends),
	    cmocka_unit_test(more_words_than_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

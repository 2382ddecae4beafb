/* The rules: every row by its example, the corpus of real replies with its thresholds, and a report
 * of how well each source of the corpus is judged. */
#include "judge/classify.h"

#include "judge/logline.h"
#include "judge/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static const struct rule *rule_of(const char *reply, enum phase phase)
{
	struct logline line;
	const struct rule *rule;

	logline_init(&line);
	if (!logline_read(&line, reply, strlen(reply)))
		fail_msg("no reply: %s", reply);
	line.seen.phase = phase;
	rule = classify(&line.seen);
	logline_fini(&line);
	return rule;
}

static void every_row_is_hit_by_its_example(void **state)
{
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < n_rules; i++) {
		const struct rule *want = &rules[i], *got;
		unsigned p;

		for (p = 0; p < PHASES; p++) {
			enum phase phase = (enum phase)p;

			if (want->phases && !(want->phases & 1u << p))
				continue;
			if (want->example) {
				/* Any phase will do, unless the row asks for one. */
				if (!want->phases && phase != PHASE_MAIL)
					continue;
				got = rule_of(want->example, phase);
			} else {
				struct observation seen;

				observation_init(&seen);
				seen.end = want->end;
				seen.phase = phase;
				seen.notes = want->notes;
				/* The row above takes a time-out in the connect phase. */
				if (want->end == END_TIMEOUT && !want->phases && !want->notes &&
				    phase == PHASE_CONNECT)
					seen.phase = PHASE_MAIL;
				got = classify(&seen);
				observation_fini(&seen);
			}
			if (got != want) {
				printf("row %zu (%s): row %zu takes its example\n", i,
				       want->example ? want->example : "an end",
				       (size_t)(got - rules));
				wrong++;
			}
		}
	}
	assert_int_equal(wrong, 0);
}

static void every_end_has_its_class(void **state)
{
	static const struct {
		enum end end;
		enum phase phase;
		unsigned notes;
		enum class class;
		enum reason reason;
	} ends[] = {
	    {END_TIMEOUT, PHASE_CONNECT, 0, CLASS_TIMEOUT, REASON_CONNECT},
	    {END_TIMEOUT, PHASE_BANNER, 0, CLASS_TIMEOUT, REASON_SILENT},
	    {END_TIMEOUT, PHASE_MAIL, NOTE_TLS, CLASS_TIMEOUT, REASON_SILENT},
	    {END_TIMEOUT, PHASE_EHLO, NOTE_PARTIAL | NOTE_TLS, CLASS_TIMEOUT, REASON_SLOW},
	    {END_REFUSED, PHASE_CONNECT, 0, CLASS_DOWN, REASON_REFUSED},
	    {END_UNREACHABLE, PHASE_CONNECT, 0, CLASS_DOWN, REASON_UNREACHABLE},
	    {END_CLOSED, PHASE_BANNER, 0, CLASS_DOWN, REASON_CLOSED},
	    {END_CLOSED, PHASE_MAIL, NOTE_PARTIAL, CLASS_DOWN, REASON_CLOSED},
	    {END_NOT_SMTP, PHASE_BANNER, 0, CLASS_BROKEN, REASON_NOT_SMTP},
	    {END_BAD_REPLY, PHASE_EHLO, 0, CLASS_BROKEN, REASON_BAD_REPLY},
	    {END_TLS, PHASE_TLS, 0, CLASS_BROKEN, REASON_TLS},
	    {END_CERTIFICATE, PHASE_TLS, 0, CLASS_BROKEN, REASON_CERTIFICATE},
	    {END_NO_TLS, PHASE_STARTTLS, 0, CLASS_BROKEN, REASON_NO_TLS},
	    {END_DNS_NXDOMAIN, PHASE_DNS, 0, CLASS_UNRESOLVED, REASON_NXDOMAIN},
	    {END_DNS_NO_ADDRESS, PHASE_DNS, 0, CLASS_UNRESOLVED, REASON_NO_ADDRESS},
	    {END_DNS_SERVFAIL, PHASE_DNS, 0, CLASS_UNRESOLVED, REASON_SERVFAIL},
	    {END_DNS_TIMEOUT, PHASE_DNS, 0, CLASS_UNRESOLVED, REASON_TIMEOUT},
	    {END_DNS_INVALID, PHASE_DNS, 0, CLASS_UNRESOLVED, REASON_INVALID},
	    {END_NO_ROUTE, PHASE_CONNECT, 0, CLASS_SKIPPED, REASON_NO_ROUTE},
	    {END_NOT_PUBLIC, PHASE_CONNECT, 0, CLASS_SKIPPED, REASON_NOT_PUBLIC},
	    {END_LIMIT, PHASE_CONNECT, 0, CLASS_SKIPPED, REASON_LIMIT},
	    {END_DEADLINE, PHASE_CONNECT, 0, CLASS_SKIPPED, REASON_DEADLINE},
	    {END_INTERRUPTED, PHASE_MAIL, 0, CLASS_SKIPPED, REASON_INTERRUPTED},
	    {END_LOCAL_ERROR, PHASE_CONNECT, 0, CLASS_SKIPPED, REASON_LOCAL_ERROR},
	};
	bool seen[ENDS] = {false};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(ends); i++) {
		struct observation o;
		const struct rule *rule;

		observation_init(&o);
		o.end = ends[i].end;
		o.phase = ends[i].phase;
		o.notes = ends[i].notes;
		rule = classify(&o);
		assert_int_equal(rule->class, ends[i].class);
		assert_int_equal(rule->reason, ends[i].reason);
		observation_fini(&o);
		seen[ends[i].end] = true;
	}
	for (i = 0; i < ENDS; i++)
		assert_true(seen[i] || i == END_NONE || i == END_REPLY);
}

/* What real servers do that leads a simple reader astray. */
static void traps(void **state)
{
	static const struct {
		const char *reply;
		enum phase phase;
		enum class class;
		enum reason reason;
	} list[] = {
	    /* A full Sendmail answers STARTTLS so, not MAIL. */
	    {"452 4.4.5 Insufficient disk space; try again later", PHASE_STARTTLS, CLASS_EXHAUSTED,
	     REASON_DISK},
	    /* postscreen */
	    {"220-mx.example.com ESMTP\\n521 5.3.2 Service currently unavailable", PHASE_BANNER,
	     CLASS_REJECTED, REASON_NO_SERVICE},
	    {"220-mx.example.com ESMTP\\n521 5.7.1 Blocked by DNSBL", PHASE_BANNER, CLASS_REJECTED,
	     REASON_POLICY},
	    {"421 Fork failed", PHASE_BANNER, CLASS_EXHAUSTED, REASON_UNSPECIFIED},
	    {"517-Domain does not exist: example.invalid.\\n517 Invalid domain", PHASE_MAIL,
	     CLASS_REJECTED, REASON_POLICY},
	    {"417 DNS lookup failure: example.com.  Try again later.", PHASE_MAIL, CLASS_DEFERRED,
	     REASON_DNS},
	    {"421 4.3.2 Too many open connections.", PHASE_BANNER, CLASS_EXHAUSTED,
	     REASON_CONNECTIONS},
	    {"451 qq out of memory (#4.3.0)", PHASE_MAIL, CLASS_EXHAUSTED, REASON_MEMORY},
	    {"452 #4.3.1 temporary system error (12)", PHASE_MAIL, CLASS_EXHAUSTED,
	     REASON_UNSPECIFIED},
	    /* The same code, opposite meanings. */
	    {"421 4.3.2 Connection rate limit exceeded", PHASE_BANNER, CLASS_DEFERRED,
	     REASON_THROTTLE},
	    {"421 4.3.2 All server ports are busy", PHASE_BANNER, CLASS_EXHAUSTED,
	     REASON_CONNECTIONS},
	    {"452 4.3.1 Insufficient system resources", PHASE_MAIL, CLASS_EXHAUSTED,
	     REASON_UNSPECIFIED},
	    {"452 4.2.2 over quota", PHASE_MAIL, CLASS_DEFERRED, REASON_MAILBOX},
	    {"421 4.7.0 too many connections from your IP", PHASE_BANNER, CLASS_DEFERRED,
	     REASON_THROTTLE},
	    {"451 4.7.1 greylisted", PHASE_MAIL, CLASS_DEFERRED, REASON_GREYLIST},
	    /* Mimecast's greylisting, by its documentation. */
	    {"451 Internal resources are temporarily unavailable", PHASE_MAIL, CLASS_DEFERRED,
	     REASON_GREYLIST},
	    /* An enhanced code that contradicts the basic one says nothing. */
	    {"450 5.0.0 mailbox full", PHASE_MAIL, CLASS_DEFERRED, REASON_MAILBOX},
	    {"550 4.3.1 gone", PHASE_MAIL, CLASS_REJECTED, REASON_OTHER},
	    {"451 5.7.1 later", PHASE_MAIL, CLASS_DEFERRED, REASON_OTHER},
	    /* 5xx is never exhaustion, whatever it says. */
	    {"500 5.5.0 ETRN out of memory", PHASE_MAIL, CLASS_REJECTED, REASON_SYNTAX},
	    {"554 5.3.1 out of disk space", PHASE_MAIL, CLASS_REJECTED, REASON_OTHER},
	    /* What the client said about itself does not count. */
	    {"450 4.7.1 <out-of-memory@example.com>: Sender address rejected: Access denied",
	     PHASE_MAIL, CLASS_DEFERRED, REASON_POLICY},
	    {"250 2.1.0 out of memory", PHASE_MAIL, CLASS_HEALTHY, REASON_OK},
	    {"354 go ahead", PHASE_MAIL, CLASS_BROKEN, REASON_BAD_REPLY},
	    {"452", PHASE_MAIL, CLASS_DEFERRED, REASON_OTHER},
	    {"454 4.7.0 hm", PHASE_MAIL, CLASS_DEFERRED, REASON_TLS},
	    {"554", PHASE_BANNER, CLASS_REJECTED, REASON_NO_SERVICE},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(list); i++) {
		const struct rule *rule = rule_of(list[i].reply, list[i].phase);

		if (rule->class != list[i].class || rule->reason != list[i].reason)
			fail_msg("%s: %s/%s", list[i].reply, class_name(rule->class),
				 reason_name(rule->reason));
	}
}

static void names_are_there_and_differ(void **state)
{
	unsigned i, j;

	(void)state;
	for (i = 0; i < CLASSES; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(class_name((enum class)i),
						class_name((enum class)j));
	for (i = 0; i < REASONS; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(reason_name((enum reason)i),
						reason_name((enum reason)j));
}

/* Total and pure: any octets in any state have a row, and always the same one. */
static void any_octets_are_judged(void **state)
{
	uint64_t random = 88172645463325252u;
	unsigned round;

	(void)state;
	for (round = 0; round < 3000; round++) {
		struct observation o;
		const struct rule *first;
		unsigned i, n = round % 300;

		observation_init(&o);
		o.end = (enum end)(round % ENDS);
		o.phase = (enum phase)(round % PHASES);
		o.notes = round % 64;
		o.reply.code = (int)(round % 700);
		o.reply.lines = 1;
		for (i = 0; i < n; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			buf_addc(&o.reply.text, (char)random);
		}
		first = classify(&o);
		assert_true(first >= rules && first < rules + n_rules);
		assert_ptr_equal(first, classify(&o));
		observation_fini(&o);
	}
}

/* The corpus. */

struct row {
	enum phase phase;
	char *class, *reason, *confidence, *also, *source, *reply;
	const char *got_class, *got_reason;
	bool class_right, right, exact;
};

struct corpus {
	char *text;
	struct row *rows;
	size_t n;
};

static char *field(char **at)
{
	char *start = *at, *tab = strchr(start, '\t');

	if (tab) {
		*tab = 0;
		*at = tab + 1;
	} else {
		*at = start + strlen(start);
	}
	return start;
}

static enum phase phase_of(const char *stage)
{
	if (!strcmp(stage, "banner"))
		return PHASE_BANNER;
	if (!strcmp(stage, "ehlo"))
		return PHASE_EHLO;
	if (!strcmp(stage, "starttls"))
		return PHASE_STARTTLS;
	return PHASE_MAIL;
}

static void judge(struct row *row, bool stage_known)
{
	const struct rule *rule = rule_of(row->reply, stage_known ? row->phase : PHASE_MAIL);
	char pair[64];
	const char *p = row->also;

	row->got_class = class_name(rule->class);
	row->got_reason = reason_name(rule->reason);
	row->class_right = !strcmp(row->class, row->got_class);
	row->right = row->exact = row->class_right && !strcmp(row->reason, row->got_reason);
	snprintf(pair, sizeof pair, "%s/%s", row->got_class, row->got_reason);
	while (*p && !row->right) {
		size_t n = strcspn(p, ",");

		if (n == strlen(pair) && !memcmp(p, pair, n))
			row->right = row->class_right = true;
		else if (!strncmp(p, row->got_class, strlen(row->got_class)))
			row->class_right = true;
		p += n + (p[n] == ',');
	}
}

static struct corpus read_corpus(const char *path)
{
	struct corpus c = {NULL, NULL, 0};
	FILE *f = fopen(path, "r");
	size_t size = 1 << 20;
	char *line, *next;

	assert_non_null(f);
	c.text = xmalloc(size);
	c.text[fread(c.text, 1, size - 1, f)] = 0;
	assert_true(feof(f));
	assert_int_equal(fclose(f), 0);
	line = strchr(c.text, '\n') + 1; /* the names of the columns */
	for (; *line; line = next) {
		struct row *row = ARRAY_ADD(c.rows, c.n);

		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = 0;
		row->phase = phase_of(field(&line));
		row->class = field(&line);
		row->reason = field(&line);
		row->confidence = field(&line);
		row->also = field(&line);
		row->source = field(&line);
		row->reply = field(&line);
	}
	return c;
}

struct score {
	size_t n, class_right, right, exact, false_exhausted;
};

static struct score score_of(struct corpus *c, bool stage_known, const char *source)
{
	struct score s = {0};
	size_t i;

	for (i = 0; i < c->n; i++) {
		struct row *row = &c->rows[i];

		if (source && strcmp(source, row->source))
			continue;
		judge(row, stage_known);
		s.n++;
		s.class_right += row->class_right;
		s.right += row->right;
		s.exact += row->exact;
		s.false_exhausted += !strcmp(row->confidence, "high") &&
				     !strcmp(row->got_class, "exhausted") && !row->class_right;
	}
	return s;
}

static double percent(size_t part, size_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void report_score(const char *what, struct score s)
{
	printf("report: %s: %zu replies, class %.1f %%, class and reason %.1f %% (%.1f %% without "
	       "the alternatives)\n",
	       what, s.n, percent(s.class_right, s.n), percent(s.right, s.n),
	       percent(s.exact, s.n));
}

/* How the classes are taken for each other, an accepted alternative counting as the label. */
static void report_confusion(const struct corpus *c)
{
	static const char *const classes[] = {"healthy", "exhausted", "deferred", "rejected"};
	size_t i, want, got;

	printf("report:   label \\ judged");
	for (got = 0; got < ARRAY_LEN(classes); got++)
		printf(" %9s", classes[got]);
	printf("\n");
	for (want = 0; want < ARRAY_LEN(classes); want++) {
		printf("report:   %-14s", classes[want]);
		for (got = 0; got < ARRAY_LEN(classes); got++) {
			size_t n = 0;

			for (i = 0; i < c->n; i++) {
				const struct row *row = &c->rows[i];
				const char *judged = row->class_right ? row->class : row->got_class;

				n += !strcmp(row->class, classes[want]) &&
				     !strcmp(judged, classes[got]);
			}
			printf(" %9zu", n);
		}
		printf("\n");
	}
	for (i = 0; i < c->n; i++)
		if (!c->rows[i].right)
			printf("%s/%s, not %s/%s: %s\n", c->rows[i].got_class,
			       c->rows[i].got_reason, c->rows[i].class, c->rows[i].reason,
			       c->rows[i].reply);
}

/* The rules are written by hand, so leaving a source out means: what do the rules say of the rows
 * of a source, each source counting on its own? */
static void report_sources(struct corpus *c, double *worst_mean)
{
	double sum_class = 0, sum_right = 0, worst = 101;
	const char *worst_source = "";
	size_t sources = 0, whole = 0, i, j;

	for (i = 0; i < c->n; i++) {
		struct score s;

		for (j = 0; j < i && strcmp(c->rows[j].source, c->rows[i].source); j++)
			;
		if (j < i)
			continue;
		s = score_of(c, false, c->rows[i].source);
		sources++;
		sum_class += percent(s.class_right, s.n);
		sum_right += percent(s.right, s.n);
		whole += s.right == s.n;
		if (s.n >= 5 && percent(s.right, s.n) < worst) {
			worst = percent(s.right, s.n);
			worst_source = c->rows[i].source;
		}
	}
	*worst_mean = sum_class / (double)sources;
	printf("report:   by source: %zu, mean of class %.1f %%, of class and reason %.1f %%; %zu "
	       "without a miss; worst of 5 rows and more %.0f %% (%s)\n",
	       sources, *worst_mean, sum_right / (double)sources, whole, worst, worst_source);
}

/* A word of a reply: where it stands, and whose it is. */
struct word {
	const char *at;
	size_t n;
	const char *source;
};

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* The word at or behind `at`; false at the end. */
static bool next_word(const char *at, struct word *word)
{
	while (*at && !letter(*at))
		at++;
	word->at = at;
	while (letter(*at))
		at++;
	word->n = (size_t)(at - word->at);
	return word->n > 0;
}

static int compare_words(const void *one, const void *other)
{
	const struct word *a = one, *b = other;
	int order = strncasecmp(a->at, b->at, a->n < b->n ? a->n : b->n);

	return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* Rules written by hand have seen all of the corpus, so a source left out has to be made unseen:
 * every word that no other source uses is struck from its replies before they are judged. */
static void report_left_out(struct corpus *c, struct score *score)
{
	struct word *words = NULL, word;
	size_t n = 0, i, j;

	for (i = 0; i < c->n; i++)
		for (word.at = c->rows[i].reply + 3; next_word(word.at, &word); word.at += word.n) {
			word.source = c->rows[i].source;
			*ARRAY_ADD(words, n) = word;
		}
	qsort(words, n, sizeof *words, compare_words);
	*score = (struct score){0};
	for (i = 0; i < c->n; i++) {
		struct row *row = &c->rows[i];
		char *whole = row->reply, *struck = xstrdup(whole);

		for (word.at = struck + 3; next_word(word.at, &word); word.at += word.n) {
			const struct word *same =
			    bsearch(&word, words, n, sizeof *words, compare_words);
			bool elsewhere = false;

			assert_non_null(same);
			j = (size_t)(same - words);
			while (j && !compare_words(&words[j - 1], &word))
				j--;
			for (; j < n && !compare_words(&words[j], &word); j++)
				elsewhere |= strcmp(words[j].source, row->source) != 0;
			/* The \n between two lines is no word. */
			if (!elsewhere && !(word.at[-1] == '\\' && *word.at == 'n'))
				memset(struck + (word.at - struck), 'x', word.n);
		}
		row->reply = struck;
		judge(row, false);
		row->reply = whole;
		free(struck);
		score->n++;
		score->class_right += row->class_right;
		score->right += row->right;
		score->exact += row->exact;
	}
	free(words);
	report_score("  each source without the words that are its alone", *score);
}

static void free_corpus(struct corpus *c)
{
	free(c->rows);
	free(c->text);
}

static void the_corpus_is_judged_right(void **state)
{
	struct corpus c = read_corpus("tests/replies.tsv");
	struct score known, unknown, left_out;
	double by_source;

	(void)state;
	assert_true(c.n > 600);
	known = score_of(&c, true, NULL);
	unknown = score_of(&c, false, NULL);
	report_score("real servers, stage unknown", unknown);
	report_score("real servers, stage known", known);
	report_confusion(&c);
	report_sources(&c, &by_source);
	report_left_out(&c, &left_out);
	free_corpus(&c);
	assert_true(percent(known.class_right, known.n) >= 99);
	assert_true(percent(unknown.class_right, unknown.n) >= 99);
	assert_true(percent(known.right, known.n) >= 96);
	assert_true(percent(unknown.right, unknown.n) >= 96);
	assert_true(by_source >= 96);
	assert_true(percent(left_out.class_right, left_out.n) >= 96);
	assert_int_equal(known.false_exhausted, 0);
	assert_int_equal(unknown.false_exhausted, 0);
}

/* Wordings of other servers and other languages, labelled before the rules had seen them. */
static void other_wordings_are_judged_right(void **state)
{
	struct corpus c = read_corpus("tests/replies-own.tsv");
	struct score s = score_of(&c, false, NULL);

	(void)state;
	report_score("other servers, other languages", s);
	report_confusion(&c);
	free_corpus(&c);
	assert_true(percent(s.class_right, s.n) >= 99);
	assert_true(percent(s.right, s.n) >= 96);
}

/* Who is to be left alone, whatever the class. */
static void some_want_no_more(void **state)
{
	static const struct {
		const char *reply;
		bool no_more;
	} cases[] = {
	    {"421 mx.example.com closing", true},
	    {"421 4.3.0 Temporary failure", true},
	    {"450 4.3.2 Too many concurrent SMTP connections", true},
	    {"554 5.7.0 Too many connections from 192.0.2.44", true},
	    {"452 4.3.1 Out of memory", false},
	    {"451 4.7.1 Greylisting in action, please come back later", false},
	    {"452 4.5.3 Too many recipients", false},
	    {"550 5.7.1 Sorry", false},
	    {"250 2.1.0 Too many connections? No", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct logline line;

		logline_init(&line);
		assert_true(logline_read(&line, cases[i].reply, strlen(cases[i].reply)));
		if (wants_no_more(&line.seen) != cases[i].no_more)
			fail_msg("%s", cases[i].reply);
		logline_fini(&line);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_hit_by_its_example),
	    cmocka_unit_test(every_end_has_its_class),
	    cmocka_unit_test(traps),
	    cmocka_unit_test(names_are_there_and_differ),
	    cmocka_unit_test(any_octets_are_judged),
	    cmocka_unit_test(the_corpus_is_judged_right),
	    cmocka_unit_test(other_wordings_are_judged_right),
	    cmocka_unit_test(some_want_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

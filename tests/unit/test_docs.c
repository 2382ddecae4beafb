/* Man page, completions, --help and README say what the program's own tables say. */
#include "cli/options.h"
#include "judge/classify.h"
#include "judge/verdict.h"
#include "smtp/observation.h"

#include "base/buf.h"
#include "base/util.h"

#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define MAN "man/mxprobe.1"
#define FISH "completions/mxprobe.fish"

static char *read_stream(FILE *f)
{
	struct buf b = {0};
	char part[4096];
	size_t n;

	assert_non_null(f);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&b, part, n);
	return buf_steal(&b);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = read_stream(f);

	(void)fclose(f); /* it was only read */
	return text;
}

/* What stands between two marks; the text is cut there. */
static char *between(char *text, const char *from, const char *to)
{
	char *start = strstr(text, from), *end;

	if (!start)
		fail_msg("no \"%s\"", from);
	start += strlen(from);
	end = strstr(start, to);
	if (!end)
		fail_msg("no \"%s\" after \"%s\"", to, from);
	*end = '\0';
	return start;
}

/* Sets of options: names without their dashes, a letter is a name of one character. */

struct names {
	char **list;
	size_t n;
};

static void add_name(struct names *names, const char *s, size_t n)
{
	*ARRAY_ADD(names->list, names->n) = xstrndup(s, n);
}

static bool has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], name) == 0)
			return true;
	return false;
}

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){0};
}

static bool in_table(const char *name)
{
	for (size_t i = 0; i < n_option_rows; i++) {
		char letter[2] = {option_letter(&option_rows[i]), '\0'};

		if (strcmp(option_rows[i].name, name) == 0 || strcmp(letter, name) == 0)
			return true;
	}
	return false;
}

static bool part_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '-';
}

/* Options as a shell would see them: "-x" and "--name", not in the middle of a word. */
static void collect(struct names *names, const char *text, bool letters)
{
	for (const char *p = text; *p; p++) {
		size_t n;

		if (*p != '-' || (p > text && part_of_name(p[-1])))
			continue;
		for (n = 0; part_of_name(p[n]); n++)
			;
		if (n > 2 && p[1] == '-' && p[2] != '-')
			add_name(names, p + 2, n - 2);
		else if (n == 2 && letters)
			add_name(names, p + 1, 1);
		p += n - 1;
	}
}

/* The word behind each occurrence of a mark. */
static void collect_behind(struct names *names, const char *text, const char *mark)
{
	for (const char *p = text; (p = strstr(p, mark)) != NULL;) {
		size_t n;

		p += strlen(mark);
		for (n = 0; part_of_name(p[n]); n++)
			;
		add_name(names, p, n);
	}
}

/* Both ways: all that the table has, and nothing else. */
static void compare(const char *where, struct names *names)
{
	unsigned bad = 0;

	for (size_t i = 0; i < n_option_rows; i++) {
		char letter[2] = {option_letter(&option_rows[i]), '\0'};

		if (!has_name(names, option_rows[i].name)) {
			print_error("%s lacks --%s\n", where, option_rows[i].name);
			bad++;
		}
		if (*letter && !has_name(names, letter)) {
			print_error("%s lacks -%s\n", where, letter);
			bad++;
		}
	}
	for (size_t i = 0; i < names->n; i++) {
		if (!in_table(names->list[i])) {
			print_error("%s has '%s', which is no option\n", where, names->list[i]);
			bad++;
		}
	}
	free_names(names);
	if (bad)
		fail_msg("%u differences", bad);
}

/* The man page */

static void test_man_options(void **state)
{
	char *text = read_file(MAN), *from = text, *to = text;
	struct names described = {0}, named = {0};

	(void)state;
	/* "\-" is how roff writes the minus sign. */
	for (; *from; from++)
		if (*from != '\\' || from[1] != '-')
			*to++ = *from;
	*to = '\0';
	collect_behind(&named, text, "Fl -");
	for (size_t i = 0; i < named.n; i++)
		if (!in_table(named.list[i]))
			fail_msg(MAN " has --%s, which is no option", named.list[i]);
	free_names(&named);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *comma = line;

		if (strncmp(line, ".It Fl ", 7) != 0)
			continue;
		for (; (comma = strstr(comma, "Fl ")) != NULL; comma += 3) {
			const char *p = comma + 3 + (comma[3] == '-');
			size_t n;

			for (n = 0; part_of_name(p[n]); n++)
				;
			add_name(&described, p, n);
		}
	}
	compare(MAN, &described);
	free(text);
}

/* Each name is an item of its own in that section. */
static void expect_item(const char *section, const char *name)
{
	struct buf item = {0};
	const char *p;

	buf_printf(&item, "\n.It Cm %s", name);
	for (p = section; (p = strstr(p, buf_str(&item))) != NULL; p++)
		if (p[item.len] == '\n')
			break;
	buf_fini(&item);
	if (!p)
		fail_msg(MAN ": no item '%s'", name);
}

static void test_man_classes(void **state)
{
	char *text = read_file(MAN);
	const char *section = between(text, "\n.Sh CLASSES AND REASONS", "\n.Sh ");

	(void)state;
	for (int i = 0; i < CLASSES; i++)
		expect_item(section, class_name((enum class)i));
	for (int i = 0; i < REASONS; i++)
		if (i != REASON_OK) /* said with its class */
			expect_item(section, reason_name((enum reason)i));
	for (int i = 0; i < PHASES; i++)
		if (!strstr(strstr(section, ".Em phase"), phase_name((enum phase)i)))
			fail_msg(MAN ": no phase '%s'", phase_name((enum phase)i));
	free(text);
}

static void test_man_verdicts(void **state)
{
	char *text = read_file(MAN);
	const char *section = between(text, "\n.Sh VERDICTS", "\n.Sh ");

	(void)state;
	for (int i = 0; i < VERDICTS; i++)
		expect_item(section, verdict_name((enum verdict)i));
	free(text);
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		if (p > text && isspace((unsigned char)p[-1]) && isspace((unsigned char)p[n]))
			return true;
	return false;
}

static bool is_class(const char *word)
{
	for (int i = 0; i < CLASSES; i++)
		if (strcmp(word, class_name((enum class)i)) == 0)
			return true;
	return false;
}

/* All fields of the schema, but for those that only come with what is not built. */
static unsigned missing_fields(const char *section, const json_t *schema)
{
	const json_t *value;
	const char *key;
	unsigned missing = 0;
	size_t i;

	if (json_is_array(schema)) {
		json_array_foreach(schema, i, value) missing += missing_fields(section, value);
		return missing;
	}
	json_object_foreach((json_t *)schema, key, value)
	{
		const char *field;
		const json_t *about;

		missing += missing_fields(section, value);
		if (strcmp(key, "properties") != 0)
			continue;
		json_object_foreach((json_t *)value, field, about)
		{
			const char *note = json_string_value(json_object_get(about, "description"));

			if (note && strncmp(note, "In the body of a webhook", 24) == 0)
				continue;
			/* "their number in each class" */
			if (!is_class(field) && !has_word(section, field)) {
				print_error(MAN ": no JSON field '%s'\n", field);
				missing++;
			}
		}
	}
	return missing;
}

static void fields_of(const char *heading, const char *path)
{
	char *text = read_file(MAN);
	json_t *schema = json_load_file(path, 0, NULL);

	assert_non_null(schema);
	assert_int_equal(missing_fields(between(text, heading, "\n.Sh "), schema), 0);
	json_decref(schema);
	free(text);
}

static void test_man_json(void **state)
{
	(void)state;
	fields_of("\n.Sh JSON", "contrib/schema/mxprobe-1.schema.json");
	fields_of("\n.Sh CLASSIFYING LOGS", "contrib/schema/mxprobe-classify-1.schema.json");
	fields_of("\n.Sh REPORTS", "contrib/schema/mxprobe-report-1.schema.json");
}

/* What stands in all sources between `before` and the next quote; as names. */
static struct names quoted_in_sources(const char *before)
{
	struct names names = {0};
	glob_t files;

	assert_int_equal(glob("lib/*/*.c", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text = read_file(files.gl_pathv[i]);

		for (const char *p = text; (p = strstr(p, before)) != NULL;) {
			p += strlen(before);
			add_name(&names, p, strcspn(p, "\""));
		}
		free(text);
	}
	globfree(&files);
	assert_true(names.n > 0);
	return names;
}

static void test_man_warnings(void **state)
{
	struct names names = quoted_in_sources("(res, \"");
	char *text = read_file(MAN);
	const char *section = between(text, "\n.Sh WARNINGS", "\n.Sh ");
	size_t items = 0;

	(void)state;
	for (size_t i = 0; i < names.n; i++)
		expect_item(section, names.list[i]);
	for (const char *p = section; (p = strstr(p, "\n.It Cm ")) != NULL; items++) {
		char *item;

		p += strlen("\n.It Cm ");
		item = xstrndup(p, strcspn(p, "\n"));
		if (!has_name(&names, item))
			fail_msg(MAN ": '%s' is no warning", item);
		free(item);
	}
	assert_true(items > 0);
	free_names(&names);
	free(text);
}

static void test_man_environment(void **state)
{
	struct names names = quoted_in_sources("getenv(\"");
	char *text = read_file(MAN);
	const char *section = between(text, "\n.Sh ENVIRONMENT", "\n.Sh ");

	(void)state;
	for (size_t i = 0; i < names.n; i++) {
		char *item = xasprintf("Ev %s", names.list[i]);

		if (!strstr(section, item))
			fail_msg(MAN ": no variable '%s'", names.list[i]);
		free(item);
	}
	for (const char *p = section; (p = strstr(p, "Ev ")) != NULL;) {
		char *name;

		p += 3;
		name = xstrndup(p, strcspn(p, " \n"));
		if (!has_name(&names, name))
			fail_msg(MAN ": nobody asks for '%s'", name);
		free(name);
	}
	free_names(&names);
	free(text);
}

/* The page about the house names every folder and module, and no other. */
static void test_architecture(void **state)
{
	char *whole = read_file("docs/architecture.md");
	glob_t folders;

	(void)state;
	for (const char *p = whole; (p = strstr(p, "`tests/")) != NULL;) {
		char *path = xstrndup(p + 1, strcspn(p + 1, "`"));

		if (access(path, R_OK) != 0)
			fail_msg("docs/architecture.md: there is no %s", path);
		p += strlen(path) + 2;
		free(path);
	}
	assert_int_equal(glob("lib/*", 0, NULL, &folders), 0);
	assert_true(folders.gl_pathc > 0);
	for (size_t i = 0; i < folders.gl_pathc; i++) {
		char *text = xstrdup(whole), *section, *name, *heading, *pattern;
		struct names named = {0}, there = {0};
		glob_t files;

		heading = xasprintf("\n### %s\n", folders.gl_pathv[i]);
		section = between(text, heading, "\n##");
		for (const char *p = section; (p = strstr(p, "\n- `")) != NULL;) {
			p += strlen("\n- `");
			add_name(&named, p, strcspn(p, "`"));
		}
		pattern = xasprintf("%s/*.[ch]", folders.gl_pathv[i]);
		assert_int_equal(glob(pattern, 0, NULL, &files), 0);
		for (size_t k = 0; k < files.gl_pathc; k++) {
			name = strrchr(files.gl_pathv[k], '/') + 1;
			add_name(&there, name, strcspn(name, "."));
		}
		for (size_t k = 0; k < there.n; k++)
			if (!has_name(&named, there.list[k]))
				fail_msg("docs/architecture.md: nothing about %s/%s",
					 folders.gl_pathv[i], there.list[k]);
		for (size_t k = 0; k < named.n; k++)
			if (!has_name(&there, named.list[k]))
				fail_msg("docs/architecture.md: there is no %s/%s",
					 folders.gl_pathv[i], named.list[k]);
		free_names(&named);
		free_names(&there);
		globfree(&files);
		free(pattern);
		free(heading);
		free(text);
	}
	globfree(&folders);
	free(whole);
}

/* Completions */

static void test_bash_options(void **state)
{
	char *text = read_file("completions/mxprobe.bash");
	struct names names = {0};

	(void)state;
	collect(&names, between(text, "local options='", "'"), true);
	compare("mxprobe.bash", &names);
	free(text);
}

static void test_zsh_options(void **state)
{
	char *text = read_file("completions/_mxprobe");
	struct names names = {0};

	(void)state;
	collect(&names, between(text, "_arguments -s -S \\\n", "'*:target: '"), true);
	compare("_mxprobe", &names);
	free(text);
}

static void test_fish_options(void **state)
{
	char *text = read_file(FISH);
	struct names names = {0};

	(void)state;
	collect_behind(&names, text, " -l ");
	collect_behind(&names, text, " -s ");
	compare(FISH, &names);
	free(text);
}

/* What completion offers in the real shells. */
static const struct {
	const char *line, *offers; /* NULL: every long option */
} completions[] = {
    {"mxprobe --tls ", "auto dane off require verify"},
    {"mxprobe --tls=a", "auto"},
    {"mxprobe --tls=re", "require"},
    {"mxprobe --color ", "always auto never"},
    {"mxprobe --color=n", "never"},
    {"mxprobe --sender ", "exim postfix"},
    {"mxprobe -4 --sender=e", "exim"},
    {"check_mxprobe --sender p", "postfix"},
    {"mxprobe --prometheus=", "addresses"},
    {"mxprobe -i LICEN", "LICENSE"},
    {"mxprobe --input LICEN", "LICENSE"},
    {"mxprobe --input=LICEN", "LICENSE"},
    {"mxprobe -o LICEN", "LICENSE"},
    {"mxprobe --output=LICEN", "LICENSE"},
    {"mxprobe --history LICEN", "LICENSE"},
    {"mxprobe --history=LICEN", "LICENSE"},
    {"mxprobe --report=", "1y 24h 30d 7d"},
    {"mxprobe --keep ", "1y 30d 90d"},
    {"mxprobe --keep=9", "90d"},
    {"mxprobe --expl", "--explain"},
    {"check_mxprobe --crit", "--critical --critical-time"},
    {"mxprobe -q --connect-t", "--connect-timeout"},
    /* Hosts and numbers are nobody's guess, and no file. */
    {"mxprobe ", ""},
    {"mxprobe LICEN", ""},
    {"mxprobe local", ""},
    {"mxprobe example.org ", ""},
    {"mxprobe @local", ""},
    {"mxprobe root@local", ""},
    {"mxprobe --report ", ""},
    {"mxprobe -w ", ""},
    {"mxprobe -D ", ""},
    {"mxprobe -H ", ""},
    {"mxprobe --hostname local", ""},
    {"mxprobe --control ", ""},
    {"mxprobe --resolver ", ""},
    {"mxprobe -b ", ""},
    {"mxprobe -F ", ""},
    {"mxprobe --timeout ", ""},
    {"mxprobe -- LICEN", ""},
    {"mxprobe -- --ex", ""},
    {"mxprobe --", NULL},
};

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void check_offers(size_t at, struct names *names)
{
	struct buf all = {0};

	if (!completions[at].offers) {
		for (size_t i = 0; i < n_option_rows; i++) {
			struct buf name = {0};

			buf_printf(&name, "--%s", option_rows[i].name);
			if (!has_name(names, buf_str(&name)))
				fail_msg("'%s' does not offer %s", completions[at].line,
					 buf_str(&name));
			buf_fini(&name);
		}
	} else {
		if (names->n)
			qsort(names->list, names->n, sizeof *names->list, compare_words);
		for (size_t i = 0; i < names->n; i++)
			buf_printf(&all, "%s%s", i ? " " : "", names->list[i]);
		if (strcmp(buf_str(&all), completions[at].offers) != 0)
			fail_msg("'%s' offers '%s' instead of '%s'", completions[at].line,
				 buf_str(&all), completions[at].offers);
	}
	buf_fini(&all);
	free_names(names);
}

static void complete_in(const char *shell)
{
	struct buf command = {0};
	struct names names = {0};
	char *said;
	size_t at = 0;
	FILE *f;
	bool any = false;
	int status;

	buf_printf(&command, "command -v %s >/dev/null", shell);
	status = system(buf_str(&command));
	buf_fini(&command);
	if (status != 0) {
		printf("report: completion in %s not tested: no %s here\n", shell, shell);
		skip();
	}
	buf_printf(&command, "%s tests/docs/complete.%s", shell, shell);
	for (size_t i = 0; i < ARRAY_LEN(completions); i++)
		buf_printf(&command, " '%s'", completions[i].line);
	buf_addstr(&command, " </dev/null");
	f = popen(buf_str(&command), "re");
	said = read_stream(f);
	status = pclose(f);
	buf_fini(&command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("report: completion in %s not tested: no terminal for it\n", shell);
		free(said);
		skip();
	}
	assert_int_equal(status, 0);
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "== ", 3) == 0) {
			if (any)
				check_offers(at++, &names);
			any = true;
			assert_string_equal(line + 3, completions[at].line);
		} else if (!has_name(&names, line)) {
			add_name(&names, line, strlen(line));
		}
	}
	check_offers(at++, &names);
	assert_int_equal(at, ARRAY_LEN(completions));
	free(said);
}

static void test_complete_bash(void **state)
{
	(void)state;
	complete_in("bash");
}

static void test_complete_zsh(void **state)
{
	(void)state;
	complete_in("zsh");
}

static void test_complete_fish(void **state)
{
	(void)state;
	complete_in("fish");
}

/* --help */

static char *help(void)
{
	FILE *f = tmpfile();
	char *text;

	assert_non_null(f);
	options_help(f);
	rewind(f);
	text = read_stream(f);
	(void)fclose(f); /* a temporary one */
	return text;
}

static void test_help_options(void **state)
{
	char *text = help();
	struct names names = {0};

	(void)state;
	collect(&names, text, true);
	for (size_t i = 0; i < n_option_rows; i++)
		if (!option_rows[i].help) /* an alias: the man page has it */
			add_name(&names, option_rows[i].name, strlen(option_rows[i].name));
	compare("--help", &names);
	free(text);
}

static void test_help_width(void **state)
{
	char *text = help();
	int wide = 0;

	(void)state;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strlen(line) <= 80)
			continue;
		print_error("--help: %zu columns: %s\n", strlen(line), line);
		wide++;
	}
	free(text);
	assert_int_equal(wide, 0);
}

/* README, deps.sh */

static void test_readme_options(void **state)
{
	static const char *const files[] = {"README.md", "CHANGELOG.md"};
	struct names names = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *text = read_file(files[i]), *others, *end;

		/* The other tools have options of their own. */
		others = strstr(text, "\n## Beside other tools\n");
		end = others ? strstr(others + 1, "\n## ") : NULL;
		if (others && end)
			memset(others, ' ', (size_t)(end - others));
		collect(&names, text, false);
		for (size_t k = 0; k < names.n; k++)
			if (!in_table(names.list[k]))
				fail_msg("%s has --%s, which is no option", files[i],
					 names.list[k]);
		free_names(&names);
		free(text);
	}
}

static void test_readme_classes(void **state)
{
	char *text = read_file("README.md");

	(void)state;
	for (int i = 0; i < CLASSES; i++)
		if (!strstr(text, class_name((enum class)i)))
			fail_msg("README.md: no class '%s'", class_name((enum class)i));
	for (int i = 0; i < VERDICTS; i++)
		if (!strstr(text, verdict_name((enum verdict)i)))
			fail_msg("README.md: no verdict '%s'", verdict_name((enum verdict)i));
	free(text);
}

/* Every library that the Makefile asks for is one that `make deps` installs. */
static void test_deps(void **state)
{
	char *makefile = read_file("Makefile"), *script = read_file("deps.sh");
	char *packages = between(makefile, "\nPACKAGES := ", "\n");
	struct buf list = {0};

	(void)state;
	buf_printf(&list, " %s ", between(script, "for library in ", "; do"));
	for (char *p = strtok(packages, " "); p; p = strtok(NULL, " "))
		if (!has_word(buf_str(&list), p))
			fail_msg("deps.sh does not install %s", p);
	buf_fini(&list);
	free(makefile);
	free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_man_options),    cmocka_unit_test(test_man_classes),
	    cmocka_unit_test(test_man_verdicts),   cmocka_unit_test(test_man_json),
	    cmocka_unit_test(test_man_warnings),   cmocka_unit_test(test_man_environment),
	    cmocka_unit_test(test_architecture),   cmocka_unit_test(test_bash_options),
	    cmocka_unit_test(test_zsh_options),    cmocka_unit_test(test_fish_options),
	    cmocka_unit_test(test_complete_bash),  cmocka_unit_test(test_complete_zsh),
	    cmocka_unit_test(test_complete_fish),  cmocka_unit_test(test_help_options),
	    cmocka_unit_test(test_help_width),     cmocka_unit_test(test_readme_options),
	    cmocka_unit_test(test_readme_classes), cmocka_unit_test(test_deps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

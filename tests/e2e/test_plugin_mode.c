/* Plugin mode as Nagios and Icinga use it: state, line and performance data, in every surrounding
 * that they may run it in. */
#include "support/lab.h"

#include "base/buf.h"
#include "base/text.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { OK, WARNING, CRITICAL, UNKNOWN };
static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

static const char world[] =
    "rr good.example MX 10 mx.good.example\n"
    "rr mx.good.example A 127.77.0.1\n"
    "smtp 127.77.0.1\n"
    "    name mx.good.example\n"
    "    certificate good mx.good.example\n"
    "    days 30\n"
    "rr half.example MX 10 mx.good.example\n"
    "rr half.example MX 20 mx.full.example\n"
    "rr mx.full.example A 127.77.0.2\n"
    "smtp 127.77.0.2\n"
    "    mail say \"452 4.3.1 Out of memory\"\n"
    "rr full.example MX 10 mx.full.example\n"
    "rr null.example MX 0 .\n"
    "rr broken.example MX 10 mx.broken.example\n"
    "dns broken.example MX servfail\n"
    "rr down.example MX 10 mx.down.example\n"
    "rr mx.down.example A 127.77.0.5\n"
    "smtp 127.77.0.5 refuse\n"
    "rr slow.example MX 10 mx.good.example\n"
    "rr slow.example MX 20 mx.slow.example\n"
    "rr mx.slow.example A 127.77.0.4\n"
    "smtp 127.77.0.4\n"
    "    banner silence\n"
    /* Nobody answers, in networks that have nothing to do with each other; and in one alone. */
    "rr cut.example MX 10 mx.cut.example\n"
    "rr mx.cut.example A 127.80.0.1\n"
    "rr mx.cut.example A 127.81.0.1\n"
    "smtp 127.80.0.1 blackhole\n"
    "smtp 127.81.0.1 blackhole\n"
    "rr dead.example MX 10 mx.dead.example\n"
    "rr mx.dead.example A 127.80.0.1\n"
    /* Everything that means something to a monitoring system, a shell, a terminal, a page. */
    "rr rude.example MX 10 mx.rude.example\n"
    "rr mx.rude.example A 127.77.0.3\n"
    "smtp 127.77.0.3\n"
    "    banner raw \"220 mx.rude.example \\x1b]0;owned\\x07\\x1b[31m |'x'=1;2 <b>\\xff\\r\\n\"\n"
    "    mail raw \"452-4.3.1 one | two=2;;;0;1 \\x1b[2J\\x9b31m\\r\\n"
    "452 4.3.1 <script>alert(1)</script> &amp; $HOSTNAME$ `id` 'q' \\\"Q\\\" \\\\n \\x00\\x07"
    "\\xe2\\x80\\xae\\xff\\n\"\n"
    /* And 10 kB of it, in lines as long as are taken, behind many addresses. */
    "each a 1 80 rr long.example MX 10 mx%a.long.example\n"
    "each a 1 80 rr mx%a.long.example A 127.77.1.%a\n"
    "smtp 127.77.1.1-127.77.1.80\n"
    "    mail raw \"452 4.3.1 \" raw \"|<;'$\" times 700 raw \"\\r\\n\"\n"
    "rr wide.example MX 10 mx.wide.example\n"
    "rr mx.wide.example A 127.77.2.1\n"
    "smtp 127.77.2.1\n"
    "    mail raw \"452-4.3.1 \" raw \"|<;'$\" times 700 raw \"\\r\\n452-\" raw \"a|b\" times 1200 "
    "raw \"\\r\\n452-\" raw \"\\x1b|c\" times 1200 raw \"\\r\\n452 end|end=1\\r\\n\"\n";

static struct lab *lab;

static int start_lab(void **state)
{
	(void)state;
	lab = lab_start_text(world);
	return 0;
}

static int end_lab(void **state)
{
	(void)state;
	lab_free(lab);
	return 0;
}

/* What is true of every answer, whoever is asked: exit code and word are one, whole lines, no octet
 * that anything acts upon, one bar with perfdata behind it that the guidelines' grammar takes, and
 * less than 8 KiB. */
static void check_form(const struct probe *probe, int state)
{
	const char *text = probe->out, *end = strchr(text, '\n'), *p;
	char *start = xasprintf("MXPROBE %s - ", words[state]);

	probe_assert_exit(probe, state);
	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("%s is not how it begins: %s", start, text);
	free(start);
	assert_int_equal(strlen(text), probe->out_len);
	assert_true(probe->out_len < 8192);
	assert_non_null(end);
	assert_int_equal(text[probe->out_len - 1], '\n');
	for (const char *s = text; *s;) {
		struct buf safe = {0};
		uint32_t cp;
		size_t len = utf8_decode(s, strlen(s), &cp);

		assert_true(len > 0);
		text_safe(&safe, s, len);
		assert_true(safe.len == len || *s == '\n');
		buf_fini(&safe);
		assert_null(strchr("<>&\"'`$\\", *s));
		s += len;
	}
	p = strchr(text, '|');
	assert_non_null(p);
	assert_true(p < end);
	assert_null(strchr(p + 1, '|'));
	for (p++; p < end;) {
		assert_int_equal(*p++, ' ');
		assert_true(strspn(p, "abcdefghijklmnopqrstuvwxyz_") > 0);
		p += strspn(p, "abcdefghijklmnopqrstuvwxyz_");
		assert_int_equal(*p++, '=');
		if (*p == 'U') {
			p++;
			continue;
		}
		assert_true(strspn(p, "-0123456789.") > 0);
		p += strspn(p, "-0123456789.");
		p += *p == 's';
		p += strspn(p, "-0123456789.:;@~");
	}
	assert_ptr_equal(p, end);
}

/* All of these, which NULL ends, are in the output; behind '!', none of it is. */
static void check_pieces(const struct probe *probe, const char *const *pieces)
{
	for (; *pieces; pieces++) {
		bool absent = **pieces == '!';

		if (!strstr(probe->out, *pieces + absent) != absent)
			fail_msg("%s is %sin it:\n%s", *pieces + absent, absent ? "" : "not ",
				 probe->out);
	}
}

#define MOST 10

static void states(void **state)
{
	static const struct {
		const char *args[MOST];
		int state;
		const char *pieces[MOST];
	} cases[] = {
	    {{"good.example"},
	     OK,
	     {"OK - good.example: 1 of 1 endpoint healthy | healthy=1;;;0;1 exhausted=0;;;0;1 ",
	      " first_try=1;;;0;1 slowest=0"}},
	    {{"-H", "half.example"},
	     WARNING,
	     {"half.example: 1 of 2 endpoints healthy; mx.full.example[127.77.0.2] "
	      "exhausted/memory 452 4.3.1 Out of memory | ",
	      "healthy=1;;;0;2 exhausted=1;;;0;2 "}},
	    {{"-H", "full.example"},
	     CRITICAL,
	     {"full.example: 0 of 1 endpoint healthy; ", " first_try=0;;;0;1 slowest=U\n"}},
	    {{"down.example"}, CRITICAL, {"mx.down.example[127.77.0.5] down/refused | "}},
	    {{"null.example"}, CRITICAL, {"null.example: the domain accepts no mail (null MX) | "}},
	    {{"gone.example"}, CRITICAL, {"the domain does not exist (NXDOMAIN) | "}},
	    {{"broken.example"},
	     UNKNOWN,
	     {"broken.example: DNS gave no usable answer (SERVFAIL) | ",
	      " first_try=U slowest=U\n"}},
	    {{"[mx.full.example]"}, CRITICAL, {"[mx.full.example]: 0 of 1"}},
	    {{"[127.77.0.1]"}, OK, {"[127.77.0.1]: 1 of 1"}},
	    {{"slow.example", "-t", "4"},
	     WARNING,
	     {"mx.slow.example[127.77.0.4] timeout/silent | ", "timeout=1;;;0;2 "}},

	    /* Several targets: one line, the worst state, and whose trouble it is. */
	    {{"good.example", "half.example", "full.example"},
	     CRITICAL,
	     {"3 targets: 1 failing, 1 degraded, 1 healthy; 2 of 4 endpoints healthy; "
	      "full.example: mx.full.example[127.77.0.2] exhausted/memory",
	      "; half.example: mx.full.example", "healthy=2;;;0;4 ", " first_try=0.666667;;;0;1 "}},
	    {{"-H", "good.example", "-H", "broken.example"}, UNKNOWN, {"2 targets: "}},
	    {{"broken.example", "half.example"}, WARNING, {"1 degraded, 1 unknown"}},

	    /* Ranges alone make the state then, of all targets together. */
	    {{"-w", "1", "-c", "1", "half.example"}, OK, {"healthy=1;1:2;1:2;0;2 "}},
	    {{"-w", "0", "-c", "1", "half.example"}, WARNING, {"healthy=1;2:2;1:2;0;2 "}},
	    {{"-c", "0", "half.example"}, CRITICAL, {"healthy=1;;2:2;0;2 "}},
	    {{"-w", "49%", "half.example"}, WARNING, {"1 of 2 endpoints"}},
	    {{"-w", "50%", "half.example"}, OK, {"1 of 2 endpoints"}},
	    {{"-w", "@1:2", "-c", "@3:", "half.example"}, WARNING, {NULL}},
	    {{"-w", "1:", "good.example"}, WARNING, {NULL}},
	    {{"-w", "~:0", "good.example"}, OK, {NULL}},
	    {{"-w", "1", "-c", "2", "half.example", "full.example", "good.example"},
	     WARNING,
	     {"3 targets"}},
	    {{"-w", "5", "null.example"}, CRITICAL, {"null MX"}},
	    {{"-w", "5", "broken.example"}, UNKNOWN, {"SERVFAIL"}},
	    {{"-w", "5", "full.example", "null.example"}, CRITICAL, {NULL}},
	    {{"--warning-time", "0", "good.example"},
	     WARNING,
	     {"; slowest healthy session ", "s;0;;0\n"}},
	    {{"--warning-time", "100", "--critical-time", "0:0", "good.example"},
	     CRITICAL,
	     {"s;100;0;0\n"}},
	    {{"--warning-time", "100", "half.example"}, WARNING, {"!slowest healthy"}},
	    {{"--critical-time", "0", "full.example", "-w", "9"}, OK, {"slowest=U\n"}},
	    {{"-D", "20,10", "good.example"}, OK, {" cert_days=", "!certificate of"}},
	    {{"-D", "100,10", "good.example"},
	     WARNING,
	     {"; certificate of mx.good.example[127.77.0.1] is good for ", ";100:;10:"}},
	    {{"-D", "100,90", "good.example"}, CRITICAL, {" days", ";100:;90:"}},

	    /* Long output, a line an unhealthy endpoint. */
	    {{"-v", "half.example"},
	     WARNING,
	     {"\nmx.full.example[127.77.0.2] port ",
	      " exhausted/memory in phase mail: 452 4.3.1 Out of memory\n", "!good.example["}},
	    {{"-v", "good.example", "full.example", "null.example"},
	     CRITICAL,
	     {"\nfull.example: mx.full.example[127.77.0.2] port ",
	      "\nnull.example: the domain accepts no mail (null MX)\n"}},

	    {{"--control", "good.example", "half.example"},
	     WARNING,
	     {"half.example: 1 of 2 endpoints healthy", "healthy=1;;;0;2", "!control"}},
	    {{"--control", "full.example", "half.example"},
	     UNKNOWN,
	     {"UNKNOWN - control target full.example is failing, the fault is likely here; ",
	      "healthy=1;;;0;2"}},
	    {{"--control", "null.example", "down.example", "good.example"},
	     UNKNOWN,
	     {"control target null.example is undeliverable", "1 unknown, 1 healthy"}},
	    {{"--control", "broken.example", "good.example"}, OK, {"good.example: 1 of 1"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *args[MOST + 2] = {"--nagios"};
		struct probe *probe;

		memcpy(args + 1, cases[i].args, sizeof cases[i].args);
		probe = probe_run(lab, NULL, args);
		check_form(probe, cases[i].state);
		check_pieces(probe, cases[i].pieces);
		assert_string_equal(probe->err, "");
		probe_free(probe);
	}
}

/* A check that cannot be made says so where the state is read, in one line, and exits 3. */
static void cannot_be_made(void **state)
{
	static const struct {
		const char *args[MOST], *names;
	} cases[] = {
	    {{"-w", "10:5", "good.example"}, "--warning"},
	    {{"-w", "ten", "good.example"}, "ten"},
	    {{"-c", "5|x=1", "good.example"}, "--critical: "},
	    {{"--warning-time", "10%", "good.example"}, "--warning-time"},
	    {{"--critical-time", "", "good.example"}, "--critical-time"},
	    {{"-D", "7,14", "good.example"}, "--certificate"},
	    {{"--no-such-option"}, "--no-such-option"},
	    {{NULL}, "no TARGET"},
	    {{"exa..mple"}, "exa..mple"},
	    {{"--control", "[192.0.2.300]", "good.example"}, "--control"},
	    {{"-i", "/no/such/file"}, "/no/such/file"},
	    {{"-i", "/"}, "the input could be read"},
	    {{"-b", "203.0.113.99", "good.example"}, "203.0.113.99"},
	    {{"-o", "/no/such/folder/x", "good.example"}, "/no/such/folder/x"},
	    {{"--json", "good.example"}, "--json"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *args[MOST + 2] = {"--nagios"};
		struct probe *probe;
		const char *bar;

		memcpy(args + 1, cases[i].args, sizeof cases[i].args);
		probe = probe_run(lab, NULL, args);
		probe_assert_exit(probe, UNKNOWN);
		if (strncmp(probe->out, "MXPROBE UNKNOWN - ", 18) != 0 ||
		    strchr(probe->out, '\n') != probe->out + probe->out_len - 1 ||
		    !strstr(probe->out, cases[i].names))
			fail_msg("%s: not one line that says so: %s", cases[i].names, probe->out);
		bar = strchr(probe->out, '|');
		assert_true(!bar || strncmp(bar, "| healthy=", 10) == 0);
		probe_free(probe);
	}
}

/* A symbolic link to the program, by the name that turns plugin mode on. */
static char *plugin_link(void)
{
	char *folder = test_path(".d"), *link = xasprintf("%s/check_mxprobe", folder);
	char program[4096];

	assert_non_null(realpath(getenv("MXPROBE"), program));
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(symlink(program, link), 0);
	free(folder);
	return link;
}

static void by_its_other_name(void **state)
{
	char *link = plugin_link();
	const struct probe_conf conf = {.program = link}, bare = {.program = link, .bare = true};
	struct probe *probe = PROBE_CONF(lab, &conf, "-H", "half.example");
	static const char *const says[] = {"-h", "--help", "-V", "--version"};

	(void)state;
	check_form(probe, WARNING);
	probe_free(probe);
	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		probe = PROBE_CONF(NULL, &bare, says[i]);
		probe_assert_exit(probe, UNKNOWN);
		assert_true(probe->out_len > 0);
		assert_non_null(strstr(probe->out, "mxprobe"));
		probe_free(probe);
		probe = PROBE(NULL, "--nagios", says[i]);
		probe_assert_exit(probe, UNKNOWN);
		probe_free(probe);
	}
	free(link);
}

/* What daemons leave of a surrounding. */
static void surroundings(void **state)
{
	static const char *const odd[][4] = {
	    {"HOME"},
	    {"HOME=/no/such/folder", "TMPDIR=/no/such/folder"},
	    {"PATH=", "TERM=", "USER="},
	    {"LC_ALL=de_DE.UTF-8"},
	    {"LC_ALL=tr_TR.UTF-8"},
	    {"LC_ALL=zh_CN.GB18030", "LANG=xx"},
	    {"LC_ALL=%n%s|../../etc", "LC_NUMERIC=fr_FR"},
	    {"TZ=:/no/such/zone", "POSIXLY_CORRECT=1", "COLUMNS=20"},
	};
	const struct probe_conf bald = {.no_env = true, .no_input = true};
	struct probe *probe;

	(void)state;
	if (getenv("WRAP"))
		skip(); /* it would not bear them itself */
	probe = PROBE_CONF(lab, &bald, "--nagios", "-w", "0.5", "half.example");
	check_form(probe, WARNING);
	/* A decimal point, whatever the locale: here and in what follows. */
	check_pieces(probe, (const char *const[]){"healthy=1;1.5:2;",
						  " first_try=1;;;0;1 slowest=0.", NULL});
	probe_free(probe);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		const struct probe_conf conf = {.env = odd[i]};

		probe = PROBE_CONF(lab, &conf, "--nagios", "-w", "0.5", "half.example");
		check_form(probe, WARNING);
		check_pieces(probe, (const char *const[]){"healthy=1;1.5:2;", "slowest=0.", NULL});
		assert_string_equal(probe->err, "");
		probe_free(probe);
	}
}

static void as_another_user(void **state)
{
	const struct probe_conf conf = {.uid = lesser_user(), .no_env = true, .no_input = true};
	struct probe *probe;

	(void)state;
	if (!conf.uid)
		skip(); /* we are nobody already */
	probe = PROBE_CONF(lab, &conf, "--nagios", "half.example");
	check_form(probe, WARNING);
	probe_free(probe);
}

static void reader_gone(void **state)
{
	struct probe *probe = PROBE(lab, "--nagios", "-o", "/dev/full", "good.example");

	(void)state;
	if (access("/dev/full", W_OK) == 0) {
		probe_assert_exit(probe, UNKNOWN);
		assert_non_null(strstr(probe->err, "/dev/full"));
	}
	probe_free(probe);
}

static void deadline(void **state)
{
	struct probe *probe = PROBE(lab, "--nagios", "--deadline", "4", "slow.example");

	(void)state;
	check_form(probe, UNKNOWN);
	check_pieces(probe, (const char *const[]){"; incomplete | ", "healthy=1;;;0;1 ", NULL});
	probe_free(probe);
	/* What is known to be worse stays so. */
	probe = PROBE(lab, "--nagios", "--deadline", "4", "slow.example", "full.example");
	check_form(probe, CRITICAL);
	check_pieces(probe, (const char *const[]){"; incomplete", NULL});
	probe_free(probe);
}

static void interrupted(void **state)
{
	struct lab *own = lab_start_text(world);
	struct probe *probe = probe_start(
	    own, NULL, (const char *const[]){"--nagios", "full.example", "slow.example", NULL});

	(void)state;
	lab_wait(own, "connect 127.77.0.4", 1);
	lab_wait(own, "end 127.77.0.2", 1);
	assert_int_equal(kill(probe->pid, SIGTERM), 0);
	probe_wait(probe);
	check_form(probe, UNKNOWN);
	check_pieces(probe, (const char *const[]){"UNKNOWN - interrupted; 2 targets", NULL});
	probe_free(probe);
	lab_free(own);
}

static void hostile_servers(void **state)
{
	static const char *const cases[][4] = {
	    {"rude.example"},
	    {"-v", "rude.example"},
	    {"long.example"},
	    {"-v", "long.example"},
	    {"wide.example"},
	    {"-v", "wide.example"},
	    {"-v", "wide.example", "long.example", "rude.example"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *args[6] = {"--nagios"};
		struct probe *probe;

		memcpy(args + 1, cases[i], sizeof cases[i]);
		probe = probe_run(lab, NULL, args);
		check_form(probe, CRITICAL);
		if (strcmp(cases[i][0], "-v") != 0)
			assert_ptr_equal(strchr(probe->out, '\n'), probe->out + probe->out_len - 1);
		if (strstr(args[1], "long") || (args[2] && strstr(args[2], "long")))
			assert_non_null(strstr(probe->out, " more"));
		probe_free(probe);
	}
}

/* Without a control target: it is said that port 25 may be blocked here, where that is likely. */
static void port_blocked(void **state)
{
	struct probe *probe = PROBE(lab, "--nagios", "--connect-timeout", "0.3", "cut.example");

	(void)state;
	check_form(probe, CRITICAL);
	check_pieces(probe, (const char *const[]){"no address in any network answers on port ",
						  "timeout=2;;;0;2 ", NULL});
	probe_free(probe);
	probe = PROBE(lab, "--nagios", "--connect-timeout", "0.3", "dead.example");
	check_form(probe, CRITICAL);
	check_pieces(probe, (const char *const[]){"!in any network", NULL});
	probe_free(probe);
	probe = PROBE(lab, "--nagios", "--connect-timeout", "1", "down.example", "cut.example");
	check_form(probe, CRITICAL);
	check_pieces(probe, (const char *const[]){"!in any network", NULL});
	probe_free(probe);
	probe = PROBE(lab, "--json", "--connect-timeout", "0.3", "cut.example");
	assert_warning(result_of(probe, "cut.example"), "port-25-blocked", true);
	assert_warning(result_of(probe, "cut.example"), "nothing-answered", false);
	probe_free(probe);
	probe = PROBE(lab, "--json", "--connect-timeout", "0.3", "dead.example");
	assert_warning(result_of(probe, "dead.example"), "port-25-blocked", false);
	assert_warning(result_of(probe, "dead.example"), "nothing-answered", true);
	probe_free(probe);
}

/* The control target comes first, is nobody's sum, and turns what is not healthy into unknown. */
static void control_in_json(void **state)
{
	struct probe *probe =
	    PROBE(lab, "--json", "--control", "full.example", "half.example", "good.example");

	(void)state;
	probe_assert_exit(probe, UNKNOWN);
	assert_int_equal(probe->n_results, 3);
	assert_string_equal(text_at(probe->results[0], "target"), "full.example");
	assert_true(json_is_null(at(probe->results[0], "index")));
	assert_string_equal(text_at(result_of(probe, "half.example"), "verdict"), "unknown");
	assert_string_equal(text_at(result_of(probe, "good.example"), "verdict"), "healthy");
	probe_free(probe);
	probe = PROBE(lab, "--json", "--control", "good.example", "half.example");
	probe_assert_exit(probe, WARNING);
	assert_string_equal(text_at(probe->results[0], "target"), "good.example");
	probe_free(probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(states),
	    cmocka_unit_test(cannot_be_made),
	    cmocka_unit_test(by_its_other_name),
	    cmocka_unit_test(surroundings),
	    cmocka_unit_test(as_another_user),
	    cmocka_unit_test(reader_gone),
	    cmocka_unit_test(deadline),
	    cmocka_unit_test(interrupted),
	    cmocka_unit_test(hostile_servers),
	    cmocka_unit_test(port_blocked),
	    cmocka_unit_test(control_in_json),
	};

	return cmocka_run_group_tests(tests, start_lab, end_lab);
}

/* --webhook through the program: what is sent, when, and that no change gets lost. */
#include "support/lab.h"
#include "support/receiver.h"

#include "base/buf.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NAP_MS = 5, NAPS_MAX = 48000 };

static const char world[] =
    "rr good.example MX 10 mx.good.example\n"
    "rr mx.good.example A 127.0.74.1\n"
    "smtp 127.0.74.1\n"
    "rr bad.example MX 10 mx.bad.example\n"
    "rr mx.bad.example A 127.0.74.2\n"
    "smtp 127.0.74.2\n"
    "    mail say \"452 4.3.1 <!channel> @here https://evil.example/ full\"\n"
    /* healthy once, then not, then healthy again */
    "rr turns.example MX 10 mx.turns.example\n"
    "rr mx.turns.example A 127.0.74.3\n"
    "smtp 127.0.74.3\n"
    "    first 1\n"
    "    then\n"
    "    mail say \"452 4.3.1 Out of memory\"\n";

static const char *const ok[] = {"200", NULL};

static bool has(const char *option, const char *value)
{
	struct probe *probe = PROBE(NULL, option, value, "--version");
	bool there = probe->status == 0;
	probe_free(probe);
	return there;
}

static bool has_curl(void)
{
	return has("--webhook", "https://example.org/");
}

static bool has_history(void)
{
	return has("--history", "/nonexistent/history");
}

/* The world, with a receiver that answers so. */
struct scene {
	struct lab *lab;
	struct receiver *r;
	char *history; /* a path; NULL: there is none */
};

/* The test is skipped where libcurl is not built in. */
static void begin(struct scene *s, const char *const *answers)
{
	if (!has_curl())
		skip();
	*s = (struct scene){.lab = lab_start_text(world), .r = receiver_start(answers)};
}

static void begin_with_history(struct scene *s, const char *const *answers)
{
	if (!has_history())
		skip();
	begin(s, answers);
	s->history = test_path(".history");
}

static void end(struct scene *s)
{
	receiver_free(s->r);
	lab_free(s->lab);
	if (s->history)
		remove_history(s->history);
}

/* Another receiver, who has heard nothing. */
static void replace_receiver(struct scene *s, const char *const *answers)
{
	receiver_free(s->r);
	s->r = receiver_start(answers);
}

/* A receiver knows a second try by its id. */
static void assert_same(const struct receiver *r, unsigned one, unsigned other)
{
	struct request a = receiver_request(r, one), b = receiver_request(r, other);
	assert_string_equal(a.body, b.body);
	request_fini(&a);
	request_fini(&b);
}

static void wait_for_file(const char *path)
{
	for (int i = 0; access(path, F_OK) != 0; i++) {
		assert_true(i < NAPS_MAX);
		(void)poll(NULL, 0, NAP_MS);
	}
}

/* ---- what is sent ---- */

static void library(void **state)
{
	(void)state;
	if (has_curl())
		return;
	struct probe *probe = PROBE(NULL, "--webhook", "https://example.org/", "example.org");
	probe_assert_exit(probe, 3);
	assert_non_null(strstr(probe->err, "--webhook: needs libcurl"));
	probe_free(probe);
}

static void problem(void **state)
{
	(void)state;
	struct scene s;
	begin(&s, ok);
	struct probe *probe =
	    PROBE(s.lab, "--json", "--webhook", s.r->url, "good.example", "bad.example");
	probe_assert_exit(probe, 2);
	assert_int_equal(probe->err_len, 0);
	assert_int_equal(probe->n_results, 2);
	assert_null(at(probe->results[0], "event"));
	assert_int_equal(receiver_count(s.r), 1);
	struct request q = receiver_request(s.r, 0);
	assert_int_equal(strncmp(q.head, "POST /hook HTTP/1.1\r\n", 21), 0);
	assert_string_equal(request_header(&q, "Content-Type"), "application/json");
	assert_int_equal(strncmp(request_header(&q, "User-Agent"), "mxprobe/", 8), 0);
	assert_null(request_header(&q, "X-Mxprobe-Signature"));
	request_fini(&q);
	json_t *json = receiver_json(s.r, 0);
	assert_string_equal(text_at(json, "event"), "problem");
	assert_string_equal(text_at(json, "target"), "bad.example");
	assert_int_equal(strlen(text_at(json, "id")), 32);
	/* The object is that of --json, words and all; the sentence is not. */
	const json_t *said = result_of(probe, "bad.example");
	assert_true(json_equal(at(json, "endpoints"), at(said, "endpoints")));
	assert_true(json_equal(at(json, "summary"), at(said, "summary")));
	const char *text = text_at(json, "text");
	assert_non_null(strstr(text, "bad.example"));
	assert_non_null(strstr(text,
			       "is failing: its endpoint does not accept mail; mx.bad.example "
			       "at 127.0.74.2 is exhausted/"));
	assert_non_null(strstr(text, "(452 4.3.1 channel here https evil example full)"));
	json_decref(json);
	probe_free(probe);

	/* Every result, whether anything has happened or not; the control target, too. */
	replace_receiver(&s, ok);
	probe = PROBE(s.lab, "-q", "--webhook", s.r->url, "--webhook-on", "always", "--control",
		      "bad.example", "good.example", "bad.example");
	probe_assert_exit(probe, 3);
	unsigned nulls = 0, problems = 0;
	for (unsigned i = 0; i < 3; i++) {
		json = receiver_json(s.r, i);
		if (json_is_null(at(json, "event"))) {
			nulls++;
		} else {
			problems++;
			assert_true(json_is_null(at(json, "index")));
		}
		json_decref(json);
	}
	assert_int_equal(nulls, 2);
	assert_int_equal(problems, 1);
	probe_free(probe);

	/* When the control target fails, nothing else is a problem of its own. */
	replace_receiver(&s, ok);
	probe = PROBE(s.lab, "-q", "--webhook", s.r->url, "--control", "bad.example",
		      "turns.example", "bad.example", "no target");
	assert_int_equal(probe->status, 3);
	probe_free(probe);
	probe =
	    PROBE(s.lab, "-q", "--webhook", s.r->url, "--control", "bad.example", "bad.example");
	probe_assert_exit(probe, 3);
	assert_int_equal(receiver_count(s.r), 1);
	json = receiver_json(s.r, 0);
	assert_true(json_is_null(at(json, "index")));
	json_decref(json);
	probe_free(probe);
	end(&s);
}

static char *command_line(pid_t pid)
{
	char *path = xasprintf("/proc/%ld/cmdline", (long)pid);
	size_t n = 0;
	char *text = read_whole(path, &n);
	free(path);
	for (size_t i = 0; text && i < n; i++)
		if (!text[i])
			text[i] = ' ';
	return text;
}

/* Nowhere but where they belong: not in what is said, not in the list of processes, not in the
 * file. */
static void secrets(void **state)
{
	(void)state;
	if (!has_curl())
		skip();
	static const char *const hang[] = {"500", "gate", NULL};
	struct lab *lab = lab_start_text(world);
	struct receiver *r = receiver_start(hang);
	char *file = test_path(".secret"), *history = test_path(".history");
	char *url = xasprintf("http://someone:p4ssw0rd@127.0.0.1:%u/T0KEN?key=T0KEN2", r->port);
	bool keeps = has_history();
	write_whole(file, "s3cr3t w0rds\n");
	assert_int_equal(chmod(file, 0600), 0);
	const char *args[] = {"-vv",
			      "--webhook",
			      url,
			      "--webhook-secret",
			      file,
			      "--webhook-on",
			      "problem",
			      "bad.example",
			      keeps ? "--history" : NULL,
			      history,
			      NULL};
	struct probe *probe = probe_start(lab, NULL, args);
	struct request q = receiver_request(r, 1);
	char *line = command_line(probe->pid);
	if (line && !getenv("WRAP")) {
		assert_non_null(strstr(line, file));
		assert_non_null(strstr(line, "127.0.0.1"));
		assert_null(strstr(line, "T0KEN"));
		assert_null(strstr(line, "p4ssw0rd"));
		assert_null(strstr(line, "s3cr3t"));
	}
	free(line);
	assert_signed(&q, "s3cr3t w0rds", 12);
	assert_int_equal(strncmp(q.head, "POST /T0KEN?key=T0KEN2 HTTP/1.1\r\n", 33), 0);
	/* "someone:p4ssw0rd" */
	assert_string_equal(request_header(&q, "Authorization"), "Basic c29tZW9uZTpwNHNzdzByZA==");
	request_fini(&q);
	receiver_open(r);
	probe_wait(probe);
	probe_assert_exit(probe, 2);
	assert_non_null(strstr(probe->err, "try 1"));
	assert_non_null(strstr(probe->err, "answered 500"));
	assert_non_null(strstr(probe->err, "answered 200"));
	static const char *const never[] = {"T0KEN", "p4ssw0rd", "someone", "s3cr3t", "sha256="};
	size_t n = 0;
	char *bytes = read_whole(history, &n);
	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		assert_null(strstr(probe->err, never[i]));
		assert_null(strstr(probe->out, never[i]));
		if (bytes)
			assert_null(memmem(bytes, n, never[i], strlen(never[i])));
	}
	assert_int_equal(bytes != NULL, keeps);
	free(bytes);
	probe_free(probe);

	/* The same of one that cannot be delivered, and of one that is none. */
	receiver_free(r);
	probe = PROBE(lab, "-q", "--webhook", url, "bad.example");
	probe_assert_exit(probe, 2);
	assert_non_null(strstr(probe->err, "not delivered: bad.example"));
	assert_non_null(strstr(probe->err, "http://127.0.0.1:"));
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		assert_null(strstr(probe->err, never[i]));
	probe_free(probe);
	free(url);
	url = xasprintf("http://someone:p4ssw0rd@127.0.0.1:port/T0KEN");
	probe = PROBE(lab, "--webhook", url, "bad.example");
	probe_assert_exit(probe, 3);
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		assert_null(strstr(probe->err, never[i]));
	probe_free(probe);
	free(url);
	(void)unlink(file);
	free(file);
	remove_history(history);
	lab_free(lab);
}

static void secret_files(void **state)
{
	(void)state;
	if (!has_curl())
		skip();
	static const char *const url = "http://127.0.0.1:9/";
	struct lab *lab = lab_start_text(world);
	char *file = test_path(".secret");
	char big[4098];
	memset(big, 'x', sizeof big);
	big[4097] = '\0';
	const struct {
		const char *path, *content, *words;
	} rows[] = {
	    {"/nonexistent/secret", NULL, "No such file"},
	    {"/", NULL, "directory"},
	    {file, "", "is empty"},
	    {file, "\n", "is empty"},
	    {file, big, "longer than 4096 octets"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].content)
			write_whole(file, rows[i].content);
		struct probe *probe =
		    PROBE(lab, "--webhook", url, "--webhook-secret", rows[i].path, "bad.example");
		probe_assert_exit(probe, 3);
		assert_non_null(strstr(probe->err, "--webhook-secret: '"));
		if (!strstr(probe->err, rows[i].words) || !strstr(probe->err, rows[i].path))
			fail_msg("%s", probe->err);
		assert_int_equal(probe->out_len, 0);
		probe_free(probe);
	}
	/* As long as can be, and one newline is not part of it. */
	struct receiver *r = receiver_start(ok);
	big[4096] = '\n';
	write_whole(file, big);
	assert_int_equal(chmod(file, 0644), 0);
	struct probe *probe =
	    PROBE(lab, "--webhook", r->url, "--webhook-secret", file, "bad.example");
	probe_assert_exit(probe, 2);
	assert_non_null(strstr(probe->err, "can be read by every user"));
	struct request q = receiver_request(r, 0);
	big[4096] = '\0';
	assert_signed(&q, big, 4096);
	request_fini(&q);
	probe_free(probe);
	receiver_free(r);
	r = receiver_start(ok);
	write_whole(file, "two\n\n");
	probe = PROBE(lab, "-q", "--webhook", r->url, "--webhook-secret", file, "bad.example");
	assert_int_equal(probe->err_len, 0);
	q = receiver_request(r, 0);
	assert_signed(&q, "two\n", 4);
	request_fini(&q);
	probe_free(probe);
	receiver_free(r);
	(void)unlink(file);
	free(file);
	lab_stop(lab);
	/* None of the bad ones got as far as a session. */
	assert_int_equal(lab_sum(lab, "connections"), 2);
	lab_free(lab);
}

static void usage(void **state)
{
	static const char *const wrong[][6] = {
	    {"--webhook", "ftp://example.org/x", "example.org"},
	    {"--webhook", "example.org/x", "example.org"},
	    {"--webhook", "", "example.org"},
	    {"--webhook", "https://example.org/", "--webhook", "https://example.org/", "x"},
	    {"--webhook", "https://example.org/", "--webhook-on", "sometimes", "x"},
	    {"--webhook", "https://example.org/", "--webhook-on", "change", "x"},
	    {"--webhook", "https://example.org/", "--classify"},
	    {"--webhook", "https://example.org/", "--history", "x", "--report"},
	    {"--webhook-on", "problem", "example.org"},
	    {"--webhook-secret", "x", "example.org"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct probe *probe = probe_run(NULL, NULL, wrong[i]);
		probe_assert_exit(probe, 3);
		assert_non_null(strstr(probe->err, "mxprobe: --"));
		assert_non_null(strstr(probe->err, "Try 'mxprobe --help'."));
		assert_int_equal(access("x", F_OK), -1);
		probe_free(probe);
	}
}

/* ---- deliveries ---- */

/* What goes wrong is told in one line, and changes neither output nor exit status. */
static void failures(void **state)
{
	static const struct {
		const char *answers[3];
		unsigned tries;
		const char *words; /* NULL: delivered */
	} rows[] = {
	    {{"503"}, 3, "answered 503"},
	    {{"close", "200"}, 2, NULL},
	    {{"half", "204"}, 2, NULL},
	    {{"404"}, 1, "answered 404"},
	    {{"302"}, 1, "answered 302, a redirect, which is not followed"},
	    {{"endless"}, 1, NULL},
	};
	(void)state;
	if (!has_curl())
		skip();
	struct lab *lab = lab_start_text(world);
	struct receiver *receivers[ARRAY_LEN(rows)];
	struct probe *probes[ARRAY_LEN(rows)];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		receivers[i] = receiver_start(rows[i].answers);
		const char *const args[] = {"--json", "--webhook", receivers[i]->url, "bad.example",
					    NULL};
		probes[i] = probe_start(lab, NULL, args);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		probe_wait(probes[i]);
		probe_assert_exit(probes[i], 2);
		assert_int_equal(probes[i]->n_results, 1);
		const char *err = probes[i]->err, *newline = strchr(err, '\n');
		if ((*err != '\0') != (rows[i].words != NULL) ||
		    (rows[i].words && !strstr(err, rows[i].words)) || (newline && newline[1]))
			fail_msg("%s: %s", rows[i].answers[0], err);
		if (receiver_count(receivers[i]) != rows[i].tries)
			fail_msg("%s: %u tries", rows[i].answers[0], receiver_count(receivers[i]));
		for (unsigned k = 1; k < rows[i].tries; k++)
			assert_same(receivers[i], 0, k);
		probe_free(probes[i]);
		receiver_free(receivers[i]);
	}
	lab_free(lab);
}

/* The output is there, whole, while the receiver still thinks; and who reads it sees its end. */
static void output_first(void **state)
{
	static const char *const gate[] = {"gate", NULL};
	(void)state;
	struct scene s;
	begin(&s, gate);
	char *out = test_path(".json");
	const char *const args[] = {"--json", "-o",          out, "--webhook",
				    s.r->url, "bad.example", NULL};
	struct probe *probe = probe_start(s.lab, NULL, args);
	wait_for_file(out);
	size_t n;
	char *text = read_whole(out, &n);
	assert_true(n > 0 && text[n - 1] == '\n');
	free(text);
	assert_int_equal(kill(probe->pid, 0), 0);
	receiver_open(s.r);
	probe_wait(probe);
	probe_assert_exit(probe, 2);
	assert_int_equal(probe->err_len, 0);
	probe_free(probe);

	replace_receiver(&s, gate);
	char *command = xasprintf("\"$MXPROBE\" --resolver %s -p %s -F p.example.org --json "
				  "--webhook %s bad.example | { cat >%s; touch %s-open; }",
				  s.lab->dns, s.lab->port, s.r->url, out, s.r->path);
	assert_int_equal(system(command), 0);
	text = read_whole(out, &n);
	assert_true(n > 0 && text[n - 1] == '\n');
	free(text);
	free(command);
	(void)unlink(out);
	free(out);
	end(&s);
}

/* Starts contrib/webhook/receiver.py, which writes what it has to say to `out`, and waits for the
 * port that it listens on. */
static pid_t start_example(const char *secret, const char *out, unsigned *port)
{
	(void)fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (freopen(out, "w", stdout) && dup2(STDOUT_FILENO, STDERR_FILENO) >= 0)
			execlp("python3", "python3", "contrib/webhook/receiver.py", secret, "0",
			       (char *)NULL);
		_exit(1);
	}
	for (int i = 0; i < NAPS_MAX && waitpid(pid, NULL, WNOHANG) == 0; i++) {
		char *text = read_whole(out, NULL);
		bool there =
		    text && strchr(text, '\n') && sscanf(text, "listening on port %u\n", port) == 1;
		free(text);
		if (there)
			return pid;
		(void)poll(NULL, 0, NAP_MS);
	}
	fail_msg("contrib/webhook/receiver.py does not listen");
	return -1;
}

/* The receiver that the README points to: it takes what is signed, and prints the sentence once. */
static void example(void **state)
{
	(void)state;
	if (system("python3 -c 'b\"\".removesuffix' 2>/dev/null") != 0)
		skip();
	struct scene s;
	begin(&s, ok);
	char *right = test_path(".secret"), *wrong = test_path(".secret"), *out = test_path(".out");
	write_whole(right, "s3cr3t w0rds\n");
	write_whole(wrong, "other words\n");
	assert_int_equal(chmod(right, 0600) | chmod(wrong, 0600), 0);
	unsigned port;
	pid_t pid = start_example(right, out, &port);
	char *url = xasprintf("http://127.0.0.1:%u/", port);
	struct probe *probe =
	    PROBE(s.lab, "-q", "--webhook", url, "--webhook-secret", right, "bad.example");
	probe_assert_exit(probe, 2);
	assert_int_equal(probe->err_len, 0);
	probe_free(probe);
	probe = PROBE(s.lab, "-q", "--webhook", url, "--webhook-secret", wrong, "bad.example");
	assert_non_null(strstr(probe->err, "answered 403"));
	probe_free(probe);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	size_t n;
	char *text = read_whole(out, &n);
	assert_non_null(text);
	char *said = strchr(text, '\n') + 1, *newline = strchr(said, '\n');
	assert_int_equal(strncmp(said, "problem bad.example bad.example ", 32), 0);
	assert_non_null(strstr(said, " is failing: its endpoint does not accept mail"));
	assert_true(newline && !newline[1]);
	free(text);
	(void)unlink(out);
	(void)unlink(right);
	(void)unlink(wrong);
	free(out);
	free(right);
	free(wrong);
	free(url);
	end(&s);
}

/* Waiting ends with a signal, and with the deadline; the verdict stays. */
static void waiting_ends(void **state)
{
	static const char *const hang[] = {"hang", NULL};
	(void)state;
	struct scene s;
	begin(&s, hang);
	char *out = test_path(".json");
	const char *const args[] = {"--json", "-o",          out, "--webhook",
				    s.r->url, "bad.example", NULL};
	struct probe *probe = probe_start(s.lab, NULL, args);
	wait_for_file(out);
	struct request q = receiver_request(s.r, 0);
	request_fini(&q);
	assert_int_equal(kill(probe->pid, SIGINT), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 2);
	assert_non_null(strstr(probe->err, "not delivered: bad.example"));
	probe_free(probe);

	probe = PROBE(s.lab, "--nagios", "--deadline", "4", "--webhook", s.r->url, "bad.example");
	probe_assert_exit(probe, 2);
	assert_int_equal(strncmp(probe->out, "MXPROBE CRITICAL - ", 19), 0);
	assert_non_null(strstr(probe->err, "there was no time left"));
	probe_free(probe);
	(void)unlink(out);
	free(out);
	end(&s);
}

/* Many results: each is told once. */
static void many(void **state)
{
	enum { TARGETS = 150 };
	(void)state;
	if (!has_curl())
		skip();
	struct receiver *r = receiver_start(ok);
	struct buf input = {0};
	for (int i = 0; i < TARGETS; i++)
		buf_printf(&input, "[127.0.75.1]:%d\n", i + 1);
	struct probe_conf conf = {.input = buf_str(&input)};
	struct probe *probe =
	    PROBE_CONF(NULL, &conf, "-q", "-F", "p.example.org", "--webhook", r->url, "-i", "-");
	probe_assert_exit(probe, 2);
	assert_int_equal(probe->err_len, 0);
	probe_free(probe);
	buf_fini(&input);
	assert_int_equal(receiver_count(r), TARGETS);
	json_t *seen = json_object();
	for (unsigned i = 0; i < TARGETS; i++) {
		json_t *json = receiver_json(r, i);
		assert_int_equal(json_object_set(seen, text_at(json, "target"), json), 0);
		assert_int_equal(json_object_set(seen, text_at(json, "id"), json), 0);
		json_decref(json);
	}
	assert_int_equal(json_object_size(seen), 2 * TARGETS);
	json_decref(seen);
	receiver_free(r);
}

/* ---- with a history ---- */

static struct probe *run_for(const struct scene *s, const struct receiver *r)
{
	return PROBE(s->lab, "--json", "--history", s->history, "--webhook", r->url,
		     "turns.example");
}

static struct probe *run(const struct scene *s)
{
	return run_for(s, s->r);
}

/* The next run delivers what has failed once, and the one after that has nothing more to tell. */
static void assert_delivered_next(const struct scene *s)
{
	for (int i = 0; i < 2; i++) {
		struct probe *probe = run(s);
		probe_assert_exit(probe, 2);
		assert_int_equal(probe->err_len, 0);
		assert_int_equal(receiver_count(s->r), 2);
		probe_free(probe);
	}
	assert_same(s->r, 0, 1);
}

static void changes(void **state)
{
	(void)state;
	struct scene s;
	begin_with_history(&s, ok);
	for (int i = 0; i < 3; i++) {
		struct probe *probe = run(&s);
		probe_assert_exit(probe, i ? 2 : 0);
		assert_int_equal(probe->err_len, 0);
		assert_int_equal(receiver_count(s.r), i ? 1 : 0);
		probe_free(probe);
	}
	json_t *json = receiver_json(s.r, 0);
	assert_string_equal(text_at(json, "event"), "problem");
	assert_string_equal(text_at(json, "previous_verdict"), "healthy");
	assert_true(json_is_true(at(json, "changed")));
	assert_string_equal(text_at(json, "endpoints.0.previous_class"), "healthy");
	json_decref(json);
	end(&s);
}

/* What could not be delivered is the next run's, which says so. */
static void next_run(void **state)
{
	(void)state;
	static const char *const refusing[] = {"403", "200", NULL};
	struct scene s;
	begin_with_history(&s, refusing);
	probe_free(run(&s));
	struct probe *probe = run(&s);
	probe_assert_exit(probe, 2);
	assert_non_null(strstr(probe->err, "answered 403; the next run tries again\n"));
	probe_free(probe);
	/* Another destination has nothing to do with it. */
	struct receiver *other = receiver_start(ok);
	probe_free(run_for(&s, other));
	assert_int_equal(receiver_count(other), 0);
	receiver_free(other);
	assert_delivered_next(&s);
	end(&s);
}

/* Killed between probe and delivery: the next run delivers, and a receiver that has seen it after
 * all knows it by its id. */
static void killed(void **state)
{
	(void)state;
	static const char *const hanging[] = {"hang", "200", NULL};
	struct scene s;
	begin_with_history(&s, hanging);
	probe_free(run(&s));
	const char *const args[] = {"--json", "--history",     s.history, "--webhook",
				    s.r->url, "turns.example", NULL};
	struct probe *probe = probe_start(s.lab, NULL, args);
	struct request first = receiver_request(s.r, 0); /* waited for */
	request_fini(&first);
	int status;
	assert_int_equal(kill(probe->pid, SIGKILL), 0);
	assert_int_equal(waitpid(probe->pid, &status, 0), probe->pid);
	probe->pid = 0;
	assert_true(WIFSIGNALED(status));
	(void)unlink(probe->out_path);
	(void)unlink(probe->err_path);
	probe_free(probe);
	assert_delivered_next(&s);
	end(&s);
}

/* Rounds of one process: what one of them could not deliver, a later one does. */
static void rounds(void **state)
{
	(void)state;
	static const char *const refusing[] = {"403", "403", "200", NULL};
	struct scene s;
	begin_with_history(&s, refusing);
	const char *const args[] = {"--watch=1", "--history",     s.history, "--webhook",
				    s.r->url,    "turns.example", NULL};
	struct probe *probe = probe_start(s.lab, NULL, args);
	struct request last = receiver_request(s.r, 2); /* waited for */
	request_fini(&last);
	assert_int_equal(kill(probe->pid, SIGINT), 0);
	probe_wait(probe);
	probe_assert_exit(probe, 2);
	assert_non_null(strstr(probe->err, "not delivered"));
	assert_non_null(strstr(probe->err, "answered 403; the next run tries "));
	assert_int_equal(receiver_count(s.r), 3);
	assert_same(s.r, 0, 2);
	assert_same(s.r, 1, 2);
	probe_free(probe);
	/* None is left, and so there is none for the next run. */
	replace_receiver(&s, ok);
	probe_free(run(&s));
	assert_int_equal(receiver_count(s.r), 0);
	end(&s);
}

/* A history that cannot be kept keeps no problem from being told. */
static void broken_history(void **state)
{
	(void)state;
	struct scene s;
	begin_with_history(&s, ok);
	struct probe *probe = PROBE(s.lab, "-q", "--history", "/nonexistent/file", "--webhook",
				    s.r->url, "--webhook-on", "problem", "bad.example");
	probe_assert_exit(probe, 3);
	assert_int_equal(receiver_count(s.r), 1);
	probe_free(probe);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(library),        cmocka_unit_test(problem),
	    cmocka_unit_test(secrets),        cmocka_unit_test(secret_files),
	    cmocka_unit_test(usage),          cmocka_unit_test(failures),
	    cmocka_unit_test(output_first),   cmocka_unit_test(waiting_ends),
	    cmocka_unit_test(many),           cmocka_unit_test(changes),
	    cmocka_unit_test(next_run),       cmocka_unit_test(killed),
	    cmocka_unit_test(broken_history), cmocka_unit_test(rounds),
	    cmocka_unit_test(example),
	};
	static const char *const proxies[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
	for (size_t i = 0; i < ARRAY_LEN(proxies); i++)
		(void)unsetenv(proxies[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

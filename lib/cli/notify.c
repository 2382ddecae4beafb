#include "cli/notify.h"

#include "base/text.h"
#include "cli/command.h"
#include "history/letters.h"
#include "net/digest.h"
#include "net/url.h"
#include "report/json.h"
#include "report/sentence.h"
#include "run/webhook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MAX = 4096, KEY_LEN = 16, ID_LEN = 32 };

struct notify {
	const struct options *options;
	char *shown; /* of the URL */
	char key[KEY_LEN + 1];
	char *secret;
	size_t secret_len;
	struct webhook *hook;
	struct history *history; /* NULL: none */
	size_t dropped;          /* changes, too old or too many */
	void (*trace)(void *arg, const char *line);
	void *trace_arg;
	size_t failed, failed_kept; /* since the last notify_drain */
	char *failure;              /* the last one's */
};

/* ---- the secret ---- */

/* The octets of the file, one more than there may be when there are too many. -1 and errno. */
static ssize_t read_secret(const char *path, char *bytes, size_t size, bool *others)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;
	size_t n = 0;
	ssize_t got = -1;

	if (fd < 0)
		return -1;
	*others = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & S_IROTH;
	while (n < size && (got = read(fd, bytes + n, size - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		err = errno;
	(void)close(fd); /* was only read */
	errno = err;
	return err ? -1 : (ssize_t)n;
}

static bool load_secret(struct notify *n)
{
	const struct options *o = n->options;
	char bytes[SECRET_MAX + 2]; /* its newline, and one that shows that there are more */
	const char *why = NULL;
	bool others = false;
	ssize_t got = read_secret(o->webhook_secret, bytes, sizeof bytes, &others);

	if (got > 0 && bytes[got - 1] == '\n')
		got--;
	if (got < 0)
		why = strerror(errno);
	else if (got == 0)
		why = "is empty";
	else if (got > SECRET_MAX)
		why = "is no secret: it is longer than 4096 octets";
	if (why) {
		command_fail(o->format, "--webhook-secret: '%s': %s", o->webhook_secret, why);
	} else {
		n->secret_len = got > 0 ? (size_t)got : 0;
		n->secret = xmalloc(n->secret_len);
		memcpy(n->secret, bytes, n->secret_len);
		if (others && !o->quiet)
			command_complain("--webhook-secret: '%s' can be read by every user of "
					 "this machine",
					 o->webhook_secret);
	}
	digest_forget(bytes, sizeof bytes);
	return !why;
}

/* ---- outcomes ---- */

static void fail(struct notify *n, const struct post *post, const char *why)
{
	struct buf words = {0};

	text_safe(&words, post->subject, strlen(post->subject));
	buf_printf(&words, ": %s", why);
	free(n->failure);
	n->failure = buf_steal(&words);
	n->failed++;
	n->failed_kept += post->tag != 0;
}

static void on_ended(void *arg, const struct post *post, const char *failure)
{
	struct notify *n = arg;

	if (failure)
		fail(n, post, failure);
	else if (post->tag && n->history)
		history_delivered(n->history, post->tag);
}

static void on_tried(void *arg, const struct post *post, unsigned tries, const char *outcome)
{
	struct notify *n = arg;
	struct buf line = {0};

	if (!n->trace)
		return;
	buf_printf(&line, "webhook %s try %u, ", n->shown, tries);
	text_safe(&line, post->subject, strlen(post->subject));
	buf_printf(&line, ": %s", outcome);
	n->trace(n->trace_arg, buf_str(&line));
	buf_fini(&line);
}

static bool on_next(void *arg, struct post *post)
{
	struct notify *n = arg;
	struct letter letter;

	if (!n->history || !history_letter(n->history, &letter))
		return false;
	*post = (struct post){.subject = letter.target, .body = letter.body, .tag = letter.n};
	return true;
}

bool notify_failed(const struct notify *n)
{
	return n && (n->failed || n->dropped);
}

void notify_say(struct notify *n)
{
	const char *later = "";

	if (n->failed_kept && n->failed_kept == n->failed)
		later = n->failed == 1 ? "; the next run tries again"
				       : "; the next run tries all again";
	else if (n->failed_kept)
		later = "; the next run tries changes among them again";
	if (n->failed == 1)
		command_complain("webhook %s: not delivered: %s%s", n->shown, n->failure, later);
	else if (n->failed)
		command_complain("webhook %s: %zu not delivered, the last: %s%s", n->shown,
				 n->failed, n->failure, later);
	if (n->dropped)
		command_complain("webhook %s: %zu undelivered changes were dropped: older than 30 "
				 "days, or more than 10000",
				 n->shown, n->dropped);
	n->failed = n->failed_kept = n->dropped = 0;
}

/* ---- its life ---- */

bool notify_new(const struct options *o, struct notify **out)
{
	struct notify *n;
	char digest[DIGEST_STRLEN], *plain;

	*out = NULL;
	if (!o->webhook)
		return true;
	n = xcalloc(1, sizeof *n);
	n->options = o;
	n->shown = url_shown(o->webhook);
	/* A password is not in it, since somebody may have time to try many. */
	plain = url_without_login(o->webhook);
	digest_sha256(digest, plain, strlen(plain));
	memcpy(n->key, digest, KEY_LEN);
	digest_forget(plain, strlen(plain));
	free(plain);
	if (o->webhook_secret && !load_secret(n)) {
		notify_free(n);
		return false;
	}
	*out = n;
	return true;
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	webhook_free(n->hook);
	if (n->secret)
		digest_forget(n->secret, n->secret_len);
	free(n->secret);
	free(n->failure);
	free(n->shown);
	free(n);
}

void notify_begin(struct notify *n, struct loop *loop, void (*trace)(void *arg, const char *line),
		  void *arg)
{
	const struct webhook_events events = {
	    .next = on_next, .ended = on_ended, .tried = on_tried, .arg = n};
	struct webhook_conf conf = webhook_conf_default;

	if (!n)
		return;
	n->trace = trace;
	n->trace_arg = arg;
	conf.url = n->options->webhook;
	conf.secret = n->secret;
	conf.secret_len = n->secret_len;
	n->hook = webhook_new(loop, &conf, &events);
	if (!n->hook)
		cannot_go_on("libcurl does not work", NULL); /* it was there a moment ago */
}

/* ---- results ---- */

static char *body_of(const struct notify *n, const struct result *r, enum event event, int told,
		     const char *id)
{
	struct buf body = {0}, text = {0};
	struct notice notice = {.event = event_name(event), .id = id};

	sentence_of(&text, r, event, told);
	notice.text = buf_str(&text);
	json_result(&body, r, n->options->explain, &notice);
	buf_fini(&text);
	body.len--; /* the newline at its end, which would be one to sign */
	return buf_steal(&body);
}

static char *write_letter(void *arg, const struct result *r, enum event event, int told,
			  const char *id)
{
	return body_of(arg, r, event, told, id);
}

void notify_history(struct notify *n, struct history *history)
{
	bool known;

	if (!n)
		return;
	known = history && history == n->history;
	if (n->history)
		n->dropped += history_letters_dropped(n->history);
	n->history = history;
	if (!history)
		return;
	if (!known) {
		const struct letters_conf conf = {.destination = n->key,
						  .when = n->options->webhook_when,
						  .write = write_letter,
						  .arg = n};

		history_tell(history, &conf);
	} else if (webhook_idle(n->hook)) {
		history_letters_again(history);
	}
	webhook_poke(n->hook);
}

static enum event event_without_history(const struct notify *n, const struct result *r)
{
	const struct event_facts facts = {.when = n->options->webhook_when,
					  .verdict = r->verdict,
					  .speaks = event_speaks(r),
					  .confirmed = -1,
					  .told = -1};
	bool news;

	return event_of(&facts, &news);
}

void notify_result(struct notify *n, const struct result *r)
{
	struct post post = {0};
	char id[ID_LEN + 1];
	enum event event;
	bool kept = false;

	if (!n)
		return;
	event = n->history ? history_event(n->history, &kept) : event_without_history(n, r);
	if (kept)
		webhook_poke(n->hook);
	if (kept || event == EVENT_NONE)
		return;
	digest_random(id, ID_LEN / 2);
	post.body = body_of(n, r, event, -1, id);
	post.subject = history_name(r->target, strlen(r->target), r->port ? r->port : 25);
	if (!post.subject)
		post.subject = xstrdup(r->target);
	webhook_send(n->hook, &post);
}

bool notify_idle(const struct notify *n)
{
	return !n || webhook_idle(n->hook);
}

void notify_drain(struct notify *n, usec_t until)
{
	if (!n)
		return;
	webhook_drain(n->hook, until);
	if (n->history)
		n->dropped += history_letters_dropped(n->history);
	notify_say(n);
}

void notify_give_up(struct notify *n)
{
	if (n)
		webhook_give_up(n->hook, "it was interrupted");
}

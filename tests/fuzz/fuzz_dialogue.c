/* The dialogue: whatever a server says and when, it ends, in one result, within its limits, and
 * says nothing but what it may. The input: one octet of configuration, then events, each an octet
 * and what belongs to it: 0..199     so many octets of the server follow 200..219   time passes,
 * 2^(n-200) microseconds 220..229   the connection stands     230..234   the handshake is done
 * 235..239  it failed 240..244   the end   245..249 a reset   250..255   the limit of time is
 * awaited */
#include "fuzz.h"

#include "judge/rules.h"
#include "smtp/dialogue.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

const char fuzz_name[] = "dialogue";

struct play {
	struct dialogue_conf conf;
	struct dialogue d;
	struct observation seen;
	usec_t begun, now;
	bool decided; /* the reply to MAIL FROM was there: nothing changes the result */
	enum end end;
	enum phase phase;
	int code;
};

static void say(struct play *p)
{
	static const char *const commands[] = {"EHLO me.example\r\n", "HELO me.example\r\n",
					       "STARTTLS\r\n", "MAIL FROM:<>\r\n", "QUIT\r\n"};
	char command[DIALOGUE_COMMAND_MAX];

	while (dialogue_need(&p->d) == NEED_SEND) {
		size_t n = dialogue_take(&p->d, command, sizeof command), i = 0;

		while (i < 5 && (strlen(commands[i]) != n || memcmp(commands[i], command, n) != 0))
			i++;
		MUST(i < 5);
		if (p->conf.tls == TLS_OFF)
			MUST(i != 2);
		if (i == 4)
			MUST(p->seen.end != END_NONE);
		else
			MUST(p->seen.end == END_NONE);
	}
}

static void look(struct play *p)
{
	say(p);
	MUST(p->seen.phase < PHASES);
	if (p->decided) {
		MUST(p->seen.end == p->end && p->seen.phase == p->phase);
		MUST(p->seen.reply.code == p->code);
		return;
	}
	if (p->seen.end != END_NONE) {
		p->decided = true;
		p->end = p->seen.end;
		p->phase = p->seen.phase;
		p->code = p->seen.reply.code;
		MUST(observation_total(&p->seen) == p->now - p->begun);
		MUST(p->seen.took[p->seen.phase] >= 0);
	} else {
		MUST(dialogue_need(&p->d) != NEED_NOTHING);
		MUST(dialogue_deadline(&p->d) <= p->begun + 30 * USEC_PER_SEC);
	}
}

static void hear(struct play *p, const uint8_t *bytes, size_t n)
{
	while (n && dialogue_need(&p->d) != NEED_NOTHING) {
		size_t used = dialogue_feed(&p->d, (const char *)bytes, n, p->now);

		MUST(used > 0 && used <= n);
		bytes += used;
		n -= used;
		look(p);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const enum tls_mode modes[] = {TLS_OFF, TLS_AUTO, TLS_REQUIRE, TLS_VERIFY};
	struct play p = {
	    .conf = {.helo = "me.example", .from = "<>", .connect_timeout = 10 * USEC_PER_SEC}};
	size_t at = 1;

	if (!n)
		return 0;
	p.conf.tls = modes[data[0] & 3];
	p.begun = p.now = 1000 * USEC_PER_SEC;
	observation_init(&p.seen);
	dialogue_init(&p.d, &p.conf, &p.seen, p.now, p.now + 30 * USEC_PER_SEC, data[0] & 4);
	while (at < n) {
		unsigned event = data[at++];

		if (event < 200) {
			size_t len = event < n - at ? event : n - at;

			hear(&p, data + at, len);
			at += len;
		} else if (event < 220) {
			usec_t to = p.now + ((usec_t)1 << (event - 200));

			/* Whoever plays asks for the limit in time. */
			if (to < dialogue_deadline(&p.d))
				p.now = to;
		} else if (event < 230) {
			dialogue_connected(&p.d, p.now);
		} else if (event < 235) {
			struct tls_facts *facts = tls_facts_new();

			facts->verified = event & 1;
			dialogue_secured(&p.d, facts, p.now);
		} else if (event < 240) {
			if (dialogue_need(&p.d) == NEED_TLS)
				dialogue_fail(&p.d, END_TLS, 0, p.now);
		} else if (event < 250) {
			dialogue_fail(&p.d, END_CLOSED, event < 245 ? 0 : ECONNRESET, p.now);
		} else if (dialogue_deadline(&p.d) != USEC_NEVER) {
			p.now = dialogue_deadline(&p.d);
			dialogue_fail(&p.d, END_TIMEOUT, 0, p.now);
		}
		look(&p);
	}
	if (dialogue_need(&p.d) != NEED_NOTHING) {
		p.now = dialogue_deadline(&p.d);
		dialogue_fail(&p.d, END_TIMEOUT, 0, p.now);
		look(&p);
	}
	MUST(dialogue_need(&p.d) == NEED_NOTHING);
	MUST(p.decided);
	MUST(classify(&p.seen)->class < CLASSES);
	dialogue_fini(&p.d);
	observation_fini(&p.seen);
	return 0;
}

/* Lines of the logs of four mail servers, in the forms that they have had over the years, and what
 * must be read from them. */
#include "judge/logline.h"

#include "judge/classify.h"
#include "judge/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYSLOG "Jan 12 10:11:12 mail "
#define RFC5424 "<22>1 2026-11-21T10:11:12.123456+01:00 mail "
#define ISO "2026-11-21T10:11:12.123456+01:00 mail "
#define EXIM "2026-11-21 10:11:12 1wXyZ0-000000001ab-0Abc "
#define SMTP "postfix/smtp[123]: 4RH2xT4NwZz1LQKck: to=<u@example.com>, "

struct expected {
	const char *line;
	const char *judged;                 /* class/reason; NULL: nothing in it */
	int code;                           /* 0: none told */
	const char *phase, *host, *address; /* NULL: not told */
};

static bool same(const char *want, const char *got, size_t n)
{
	if (!want || !got)
		return !want && !got;
	return strlen(want) == n && !memcmp(want, got, n);
}

static void check(const struct expected *e, size_t count)
{
	struct logline line;
	size_t i;

	logline_init(&line);
	for (i = 0; i < count; i++) {
		bool found = logline_read(&line, e[i].line, strlen(e[i].line));
		const struct rule *rule;
		const char *phase;
		char judged[64];

		if (found != (e[i].judged != NULL))
			fail_msg("%s: %s", found ? "found" : "not found", e[i].line);
		if (!found)
			continue;
		rule = classify(&line.seen);
		snprintf(judged, sizeof judged, "%s/%s", class_name(rule->class),
			 reason_name(rule->reason));
		phase = line.has_phase ? phase_name(line.seen.phase) : NULL;
		if (strcmp(judged, e[i].judged) != 0)
			fail_msg("%s: %s", judged, e[i].line);
		if ((line.has_code ? line.seen.reply.code : 0) != e[i].code)
			fail_msg("code %d: %s", line.seen.reply.code, e[i].line);
		if (!same(e[i].phase, phase, phase ? strlen(phase) : 0))
			fail_msg("phase %s: %s", phase ? phase : "none", e[i].line);
		if (!same(e[i].host, line.host, line.host_length))
			fail_msg("host %.*s: %s", (int)line.host_length,
				 line.host ? line.host : "none", e[i].line);
		if (!same(e[i].address, line.address, line.address_length))
			fail_msg("address %.*s: %s", (int)line.address_length,
				 line.address ? line.address : "none", e[i].line);
	}
	logline_fini(&line);
}

static void bare_replies(void **state)
{
	static const struct expected e[] = {
	    {"452 4.3.1 Out of memory", "exhausted/memory", 452, NULL, NULL, NULL},
	    {"  452 4.3.1 Out of memory \r", "exhausted/memory", 452, NULL, NULL, NULL},
	    {"452", "deferred/other", 452, NULL, NULL, NULL},
	    {"452-4.3.1 Out of\\n452 4.3.1 memory", "exhausted/memory", 452, NULL, NULL, NULL},
	    {"220-mx ESMTP\\n521 5.3.2 no", "rejected/no-service", 521, NULL, NULL, NULL},
	    {"250-mx\\n250-SIZE 1\\n250 DSN", "healthy/ok", 250, NULL, NULL, NULL},
	    {"550 first\\nout of step", "rejected/other", 550, NULL, NULL, NULL},
	    {"354 go", "broken/bad-reply", 354, NULL, NULL, NULL},
	    {"", NULL, 0, NULL, NULL, NULL},
	    {"hello", NULL, 0, NULL, NULL, NULL},
	    {"4521 no code", NULL, 0, NULL, NULL, NULL},
	    {"652 no code", NULL, 0, NULL, NULL, NULL},
	    {"45", NULL, 0, NULL, NULL, NULL},
	    {"2026-11-21 10:11:12 nothing of note", NULL, 0, NULL, NULL, NULL},
	};

	(void)state;
	check(e, ARRAY_LEN(e));
}

/* What a Postfix wrote to its log when it delivered to a big receiver in January 2006. */
static void the_story(void **state)
{
	static const struct expected e[] = {
	    {SYSLOG
	     "postfix/smtp[20131]: connect to mx4.hotmail.com[65.54.190.179]: Operation timed "
	     "out (port 25)",
	     "timeout/connect", 0, "connect", "mx4.hotmail.com", "65.54.190.179"},
	    {SYSLOG
	     "postfix/smtp[20131]: 1A2B3C4D5E: to=<user@msn.com>, "
	     "relay=mx4.hotmail.com[65.54.245.104], delay=3, status=deferred (host "
	     "mx4.hotmail.com[65.54.245.104] said: 452 4.3.1 Out of memory (in reply to MAIL "
	     "FROM command))",
	     "exhausted/memory", 452, "mail", "mx4.hotmail.com", "65.54.245.104"},
	    {"connect to mx4.hotmail.com[65.54.190.179]: Operation timed out", "timeout/connect", 0,
	     "connect", "mx4.hotmail.com", "65.54.190.179"},
	    {"host mx4.hotmail.com[65.54.245.104] said: 452 4.3.1 Out of memory (in reply to MAIL "
	     "FROM command)",
	     "exhausted/memory", 452, "mail", "mx4.hotmail.com", "65.54.245.104"},
	};

	(void)state;
	check(e, ARRAY_LEN(e));
}

static void postfix(void **state)
{
	static const struct expected e[] = {
	    {ISO SMTP "relay=mx.example.com[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, "
		      "status=sent (250 2.0.0 Ok: queued as 12345)",
	     "healthy/ok", 250, NULL, "mx.example.com", "192.0.2.1"},
	    {RFC5424
	     "postfix/smtp 123 - - 4RH2xT4NwZ: host mx.example.com[192.0.2.1] refused to talk "
	     "to me: 421 4.3.2 All server ports are busy",
	     "exhausted/connections", 421, "banner", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP
	     "relay=mx.example.com[2001:db8::1]:25, delay=1, dsn=4.3.2, status=deferred "
	     "(host mx.example.com[2001:db8::1] refused to talk to me: 421 4.3.2 All "
	     "server ports are busy)",
	     "exhausted/connections", 421, "banner", "mx.example.com", "2001:db8::1"},
	    {SYSLOG SMTP "status=deferred (host mx.example.com[192.0.2.1] said: 452-4.3.1 "
			 "Insufficient system storage 452 4.3.1 later (in reply to end of DATA "
			 "command))",
	     "exhausted/disk", 452, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP
	     "status=deferred (host mx.example.com[192.0.2.1] said: 450 4.7.1 Greylisted "
	     "(in reply to RCPT TO command))",
	     "deferred/greylist", 450, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP
	     "status=bounced (host mx.example.com[192.0.2.1] said: 550 5.1.1 No such user "
	     "(in reply to RCPT TO command))",
	     "rejected/other", 550, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG
	     "postfix/smtp[1]: AB: host mx.example.com[192.0.2.1] said: 502 5.5.1 no (in reply "
	     "to EHLO command)",
	     "rejected/syntax", 502, "ehlo", "mx.example.com", "192.0.2.1"},
	    {SYSLOG "postfix/smtp[1]: AB: host mx.example.com[192.0.2.1] said: 454 4.7.0 TLS not "
		    "available (in reply to STARTTLS command)",
	     "deferred/tls", 454, "starttls", "mx.example.com", "192.0.2.1"},
	    {SYSLOG
	     "postfix/lmtp[1]: AB: to=<u@example.com>, relay=mx[private/lmtp], "
	     "status=deferred (host mx[private/lmtp] said: 451 4.3.0 Internal error (in reply "
	     "to MAIL FROM command))",
	     "deferred/internal", 451, "mail", "mx", NULL},
	    {SYSLOG
	     "postfix/smtp[1]: connect to mx.example.com[192.0.2.1]:25: Connection timed out",
	     "timeout/connect", 0, "connect", "mx.example.com", "192.0.2.1"},
	    {SYSLOG "postfix/smtp[1]: connect to mx.example.com[192.0.2.1]:25: Connection refused",
	     "down/refused", 0, "connect", "mx.example.com", "192.0.2.1"},
	    {SYSLOG "postfix/smtp[1]: connect to mx.example.com[2001:db8::1]:25: Network is "
		    "unreachable",
	     "down/unreachable", 0, "connect", "mx.example.com", "2001:db8::1"},
	    {SYSLOG SMTP "relay=none, delay=9, dsn=4.4.1, status=deferred (connect to "
			 "mx.example.com[192.0.2.1]:25: No route to host)",
	     "down/unreachable", 0, "connect", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "relay=none, status=deferred (delivery temporarily suspended: connect to "
			 "mx.example.com[192.0.2.1]:25: Connection timed out)",
	     "timeout/connect", 0, "connect", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "status=deferred (lost connection with mx.example.com[192.0.2.1] while "
			 "sending MAIL FROM)",
	     "down/closed", 0, "mail", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "status=deferred (lost connection with mx.example.com[192.0.2.1] while "
			 "receiving the initial server greeting)",
	     "down/closed", 0, "banner", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "status=deferred (lost connection with mx.example.com[192.0.2.1] while "
			 "sending RCPT TO)",
	     "down/closed", 0, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "status=deferred (conversation with mx.example.com[192.0.2.1] timed out "
			 "while receiving the initial server greeting)",
	     "timeout/silent", 0, "banner", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "status=deferred (conversation with mx.example.com[192.0.2.1] timed out "
			 "while performing the EHLO handshake)",
	     "timeout/silent", 0, "ehlo", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "relay=none, status=deferred (Host or domain name not found. Name service "
			 "error for name=example.com type=A: Host found but no data record of "
			 "requested type)",
	     "unresolved/no-address", 0, "dns", "example.com", NULL},
	    {SYSLOG SMTP "relay=none, status=bounced (Host or domain name not found. Name service "
			 "error for name=example.com type=MX: Malformed or unexpected name server "
			 "reply)",
	     "unresolved/invalid", 0, "dns", "example.com", NULL},
	    {SYSLOG SMTP "relay=none, status=deferred (Host or domain name not found. Name service "
			 "error for name=example.com type=MX: Host not found, try again)",
	     "unresolved/servfail", 0, "dns", "example.com", NULL},
	    {SYSLOG SMTP "relay=none, status=bounced (Host or domain name not found. Name service "
			 "error for name=example.com type=A: Host not found)",
	     "unresolved/nxdomain", 0, "dns", "example.com", NULL},
	    {SYSLOG SMTP
	     "relay=mx.example.com[192.0.2.1]:25, status=deferred (TLS is required, but "
	     "was not offered by host mx.example.com[192.0.2.1])",
	     "broken/no-tls", 0, "starttls", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP
	     "relay=mx.example.com[192.0.2.1]:25, status=deferred (Server certificate not "
	     "verified)",
	     "broken/certificate", 0, "tls", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "relay=mx.example.com[192.0.2.1]:25, status=deferred (Cannot start TLS: "
			 "handshake failure)",
	     "broken/tls", 0, "tls", "mx.example.com", "192.0.2.1"},
	    {SYSLOG SMTP "relay=local, status=sent (delivered to mailbox)", NULL, 0, NULL, NULL,
	     NULL},
	    {SYSLOG "postfix/qmgr[1]: AB: from=<u@example.com>, size=1, nrcpt=1 (queue active)",
	     NULL, 0, NULL, NULL, NULL},
	    {SYSLOG "postfix/smtpd[1]: lost connection after CONNECT from unknown[192.0.2.9]", NULL,
	     0, NULL, NULL, NULL},
	};

	(void)state;
	check(e, ARRAY_LEN(e));
}

static void exim(void **state)
{
	static const struct expected e[] = {
	    {EXIM "H=mx.example.com [192.0.2.1]: SMTP error from remote mail server after MAIL "
		  "FROM:<a@b.example> SIZE=1234: 452 4.3.1 Insufficient system storage",
	     "exhausted/disk", 452, "mail", "mx.example.com", "192.0.2.1"},
	    {EXIM "** u@example.com R=dnslookup T=remote_smtp H=mx.example.com [2001:db8::1]: SMTP "
		  "error from remote mail server after RCPT TO:<u@example.com>: 550-No such "
		  "user\\n550 here",
	     "rejected/other", 550, NULL, "mx.example.com", "2001:db8::1"},
	    {EXIM "H=mx.example.com [192.0.2.1]: SMTP error from remote mail server after MAIL "
		  "FROM:<\"a\\\"b: 250 c>\"@b.example>: 452 4.3.1 Insufficient system storage",
	     "exhausted/disk", 452, "mail", "mx.example.com", "192.0.2.1"},
	    {EXIM
	     "== u@example.com R=dnslookup T=remote_smtp defer (0): SMTP error from remote mail "
	     "server after initial connection: host mx.example.com [192.0.2.1]: 421 Too many "
	     "concurrent SMTP connections; please try again later.",
	     "exhausted/connections", 421, "banner", "mx.example.com", "192.0.2.1"},
	    {EXIM "SMTP error from remote mail server after HELO me.example: host mx.example.com "
		  "[192.0.2.1]: 421 Server too busy",
	     "exhausted/load", 421, "ehlo", "mx.example.com", "192.0.2.1"},
	    {EXIM
	     "H=mx.example.com [192.0.2.1]: SMTP error from remote mail server after pipelined "
	     "MAIL FROM:<\"a: 250 b\"@example.net>: 451 4.7.1 Greylisted",
	     "deferred/greylist", 451, "mail", "mx.example.com", "192.0.2.1"},
	    {EXIM "== u@example.com R=dnslookup T=remote_smtp defer (110): Connection timed out "
		  "H=mx.example.com [192.0.2.1] DT=30s",
	     "timeout/connect", 0, "connect", "mx.example.com", "192.0.2.1"},
	    {EXIM "H=mx.example.com [192.0.2.1] Connection refused", "down/refused", 0, "connect",
	     "mx.example.com", "192.0.2.1"},
	    {EXIM "mx.example.com [192.0.2.1] Connection refused", "down/refused", 0, "connect",
	     "mx.example.com", "192.0.2.1"},
	    {EXIM "mx.example.com [192.0.2.1]: Connection timed out", "timeout/connect", 0,
	     "connect", "mx.example.com", "192.0.2.1"},
	    {EXIM "H=mx.example.com [192.0.2.1] No route to host", "down/unreachable", 0, "connect",
	     "mx.example.com", "192.0.2.1"},
	    {EXIM "H=mx.example.com [192.0.2.1]: SMTP timeout after initial connection",
	     "timeout/silent", 0, "banner", "mx.example.com", "192.0.2.1"},
	    {EXIM "SMTP timeout while connected to mx.example.com [192.0.2.1] after MAIL FROM:<>",
	     "timeout/silent", 0, "mail", "mx.example.com", "192.0.2.1"},
	    {EXIM "Remote host mx.example.com [192.0.2.1] closed connection in response to EHLO me",
	     "down/closed", 0, "ehlo", "mx.example.com", "192.0.2.1"},
	    {EXIM
	     "H=mx.example.com [192.0.2.1]: Remote host closed connection in response to initial "
	     "connection",
	     "down/closed", 0, "banner", "mx.example.com", "192.0.2.1"},
	    {EXIM
	     "Malformed SMTP reply from mx.example.com [192.0.2.1] in response to MAIL FROM:<>: "
	     "what",
	     "broken/bad-reply", 0, "mail", "mx.example.com", "192.0.2.1"},
	    {EXIM "H=mx.example.com [192.0.2.1]: a TLS session is required, but the server did not "
		  "offer TLS support",
	     "broken/no-tls", 0, "starttls", "mx.example.com", "192.0.2.1"},
	    {EXIM "=> u@example.com R=dnslookup T=remote_smtp H=mx.example.com [192.0.2.1] "
		  "X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes C=\"250 2.0.0 Ok: queued as AB\"",
	     "healthy/ok", 250, NULL, "mx.example.com", "192.0.2.1"},
	    {EXIM "<= a@b.example H=client.example [192.0.2.7] P=esmtp S=1234", NULL, 0, NULL, NULL,
	     NULL},
	    {EXIM "Completed", NULL, 0, NULL, NULL, NULL},
	};

	(void)state;
	check(e, ARRAY_LEN(e));
}

static void sendmail(void **state)
{
	static const struct expected e[] = {
	    {SYSLOG "sendmail[77]: 4ALABCDE000077: to=<u@example.com>, delay=00:00:01, "
		    "mailer=esmtp, pri=120000, relay=mx.example.com. [192.0.2.1], dsn=4.3.1, "
		    "stat=Deferred: 452 4.3.1 Out of memory",
	     "exhausted/memory", 452, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com. [IPv6:2001:db8::1], "
		    "dsn=4.0.0, stat=Deferred: Connection timed out with mx.example.com.",
	     "timeout/connect", 0, "connect", "mx.example.com", "2001:db8::1"},
	    {SYSLOG
	     "sm-mta[77]: 4AL: to=u@example.com, dsn=4.0.0, stat=Deferred: Connection refused "
	     "by mx.example.com.",
	     "down/refused", 0, "connect", "mx.example.com", NULL},
	    {SYSLOG
	     "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com. [192.0.2.1], dsn=4.0.0, "
	     "stat=Deferred: Connection reset by mx.example.com.",
	     "down/closed", 0, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com., dsn=4.0.0, "
		    "stat=Deferred: mx.example.com.: No route to host",
	     "down/unreachable", 0, "connect", "mx.example.com", NULL},
	    {SYSLOG "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com., dsn=4.4.3, "
		    "stat=Deferred: Name server: mx.example.com.: host name lookup failure",
	     "unresolved/servfail", 0, "dns", "mx.example.com", NULL},
	    {SYSLOG
	     "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com. [192.0.2.1], dsn=4.7.1, "
	     "reply=451 4.7.1 Greylisted, stat=Deferred",
	     "deferred/greylist", 451, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG
	     "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com. [192.0.2.1], dsn=5.1.1, "
	     "stat=User unknown",
	     "rejected/other", 0, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG
	     "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com. [192.0.2.1], dsn=2.0.0, "
	     "stat=Sent (Ok: queued as AB)",
	     "healthy/ok", 0, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG
	     "sm-mta[77]: 4AL: to=u@example.com, relay=mx.example.com. [192.0.2.1], dsn=2.0.0, "
	     "stat=Sent (250 2.0.0 Ok)",
	     "healthy/ok", 250, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG "sm-mta[77]: 4AL: from=<a@b.example>, size=1, relay=client [192.0.2.7]", NULL,
	     0, NULL, NULL, NULL},
	};

	(void)state;
	check(e, ARRAY_LEN(e));
}

static void opensmtpd(void **state)
{
	static const struct expected e[] = {
	    {SYSLOG "smtpd[5]: 0123456789abcdef mta delivery evpid=1 from=<> to=<u@example.com> "
		    "rcpt=<-> source=\"192.0.2.9\" relay=\"192.0.2.1 (mx.example.com)\" delay=1s "
		    "result=\"TempFail\" stat=\"452 4.3.1 Insufficient system storage\"",
	     "exhausted/disk", 452, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG "smtpd[5]: smtp-out: TempFail for 0123: session=0123, relay=mx.example.com "
		    "(192.0.2.1), delay=1s, result=TempFail, stat=452 4.3.1 Insufficient storage",
	     "exhausted/disk", 452, NULL, "mx.example.com", "192.0.2.1"},
	    {SYSLOG "smtpd[5]: 0123 mta delivery relay=\"[2001:db8::1]\" result=\"Ok\" stat=\"250 "
		    "2.0.0 ok\"",
	     "healthy/ok", 250, NULL, NULL, "2001:db8::1"},
	    {SYSLOG "smtpd[5]: smtp-out: Error on session 0123456789abcdef: Connection timeout",
	     "timeout/connect", 0, "connect", NULL, NULL},
	    {SYSLOG "smtpd[5]: 0123 mta error reason=\"Connection timeout\" "
		    "address=smtp://192.0.2.1:25",
	     "timeout/connect", 0, "connect", NULL, "192.0.2.1"},
	    {SYSLOG "smtpd[5]: 0123 mta error reason=\"452 4.3.1 Insufficient system storage\"",
	     "exhausted/disk", 452, NULL, NULL, NULL},
	    {SYSLOG "smtpd[5]: smtp-out: Error on session 0123456789abcdef: 421 4.3.2 Too many "
		    "connections",
	     "exhausted/connections", 421, NULL, NULL, NULL},
	    {SYSLOG "smtpd[5]: 0123 mta error reason=IO Error: Connection refused", "down/refused",
	     0, "connect", NULL, NULL},
	    {SYSLOG "smtpd[5]: 0123 mta disconnected reason=quit messages=1", NULL, 0, NULL, NULL,
	     NULL},
	};

	(void)state;
	check(e, ARRAY_LEN(e));
}

/* No line, however cut or broken, leads outside of it: each is read from memory of its own size. */
static void every_cut_is_safe(void **state)
{
	static const char *const lines[] = {
	    SYSLOG
	    "postfix/smtp[1]: AB: host mx.example.com[192.0.2.1] said: 452-4.3.1 a 452 4.3.1 b "
	    "(in reply to MAIL FROM command)",
	    EXIM "H=mx.example.com [192.0.2.1]: SMTP error from remote mail server after MAIL "
		 "FROM:<>: host a [192.0.2.1]: 550-a\\n550 b",
	    EXIM "mx.example.com [192.0.2.1] Connection refused",
	    SYSLOG "sm-mta[7]: A: relay=mx.example.com. [192.0.2.1], dsn=4.3.1, reply=451 x, "
		   "stat=Deferred: 452 4.3.1 Out",
	    SYSLOG "smtpd[5]: 01 relay=\"192.0.2.1 (mx)\" result=\"TempFail\" stat=\"452 4.3.1 I\"",
	    SYSLOG "smtpd[5]: 01 mta error reason=\"Connection timeout\" address=smtp://[::1]:25",
	};
	struct logline line;
	size_t i, from, n;

	(void)state;
	logline_init(&line);
	for (i = 0; i < ARRAY_LEN(lines); i++)
		for (from = 0; from <= strlen(lines[i]); from++)
			for (n = 0; n <= strlen(lines[i]) - from; n += 1 + from % 7) {
				char *exact = malloc(n + !n);

				assert_non_null(exact);
				memcpy(exact, lines[i] + from, n);
				if (logline_read(&line, exact, n))
					(void)classify(&line.seen);
				free(exact);
			}
	logline_fini(&line);
}

static void a_reply_has_its_bounds(void **state)
{
	size_t n = 300000, i;
	char *text = malloc(n);
	struct logline line;

	(void)state;
	assert_non_null(text);
	for (i = 0; i + 6 <= n; i += 6)
		memcpy(text + i, "452-\\n", 6);
	logline_init(&line);
	assert_true(logline_read(&line, text, n));
	assert_true(line.seen.reply.lines <= REPLY_LINES_MAX);
	memset(text, 'x', n);
	memcpy(text, "452 ", 4);
	assert_true(logline_read(&line, text, n));
	assert_true(line.seen.reply.text.len <= REPLY_OCTETS_MAX);
	logline_fini(&line);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bare_replies),      cmocka_unit_test(the_story),
	    cmocka_unit_test(postfix),           cmocka_unit_test(exim),
	    cmocka_unit_test(sendmail),          cmocka_unit_test(opensmtpd),
	    cmocka_unit_test(every_cut_is_safe), cmocka_unit_test(a_reply_has_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

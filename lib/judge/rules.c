/* Order matters. In the 4xx part the specific comes before the general: whose shortage it is (one
 * mailbox, the whole system), then limits aimed at this client, then everything else. A receiver
 * is exhausted only where its own words or the enhanced code say that it lacks something whoever
 * asks. */
#include "judge/rules.h"

#define PHASE(p) (1u << PHASE_##p)
#define REPLY .end = END_REPLY
#define ANY_4XX REPLY, .from = 400, .to = 499
#define ANY_5XX REPLY, .from = 500, .to = 599
#define CODE(c) REPLY, .from = (c), .to = (c)
#define IS(c, r) .class = CLASS_##c, .reason = REASON_##r

const struct rule rules[] = {
    /* Ends without a reply. */
    {.end = END_TIMEOUT, .notes = NOTE_PARTIAL, IS(TIMEOUT, SLOW)},
    {.end = END_TIMEOUT, .phases = PHASE(CONNECT), IS(TIMEOUT, CONNECT)},
    {.end = END_TIMEOUT, IS(TIMEOUT, SILENT)},
    {.end = END_REFUSED, IS(DOWN, REFUSED)},
    {.end = END_UNREACHABLE, IS(DOWN, UNREACHABLE)},
    {.end = END_CLOSED, IS(DOWN, CLOSED)},
    {.end = END_NOT_SMTP, IS(BROKEN, NOT_SMTP)},
    {.end = END_BAD_REPLY, IS(BROKEN, BAD_REPLY)},
    {.end = END_TLS, IS(BROKEN, TLS)},
    {.end = END_CERTIFICATE, IS(BROKEN, CERTIFICATE)},
    {.end = END_NO_TLS, IS(BROKEN, NO_TLS)},
    {.end = END_DNS_NXDOMAIN, IS(UNRESOLVED, NXDOMAIN)},
    {.end = END_DNS_NO_ADDRESS, IS(UNRESOLVED, NO_ADDRESS)},
    {.end = END_DNS_SERVFAIL, IS(UNRESOLVED, SERVFAIL)},
    {.end = END_DNS_TIMEOUT, IS(UNRESOLVED, TIMEOUT)},
    {.end = END_DNS_INVALID, IS(UNRESOLVED, INVALID)},
    {.end = END_NO_ROUTE, IS(SKIPPED, NO_ROUTE)},
    {.end = END_NOT_PUBLIC, IS(SKIPPED, NOT_PUBLIC)},
    {.end = END_LIMIT, IS(SKIPPED, LIMIT)},
    {.end = END_DEADLINE, IS(SKIPPED, DEADLINE)},
    {.end = END_INTERRUPTED, IS(SKIPPED, INTERRUPTED)},
    {.end = END_LOCAL_ERROR, IS(SKIPPED, LOCAL_ERROR)},

    {REPLY, .from = 200, .to = 299, IS(HEALTHY, OK), .example = "250 2.1.0 Ok"},

    /* 4xx: what names itself beyond doubt. */
    {ANY_4XX, .all = SAYS(GREY), IS(DEFERRED, GREYLIST),
     .example = "451 4.7.1 Greylisting in action, please come back in 00:04:59"},
    {ANY_4XX, .all = SAYS(MEMORY), .none = SAYS(MAILBOX) | SAYS(QUOTA), IS(EXHAUSTED, MEMORY),
     .example = "452 4.3.1 Out of memory"},
    {ANY_4XX, .enhanced = "7.29 7.321 7.322 7.323 7.324 7.325", IS(DEFERRED, TLS),
     .example = "450 4.7.321 later"},
    {ANY_4XX, .all = SAYS(TLS) | SAYS(CLIENT), .any = SAYS(MANY) | SAYS(RATE),
     IS(DEFERRED, THROTTLE),
     .example = "421 4.7.0 mx Error: too many new TLS sessions from unknown[192.0.2.44]"},

    /* 4xx: one mailbox, not the system. A full mailbox is so whatever it is full of. */
    {ANY_4XX, .enhanced = "2.*", .all = SAYS(RATE), IS(DEFERRED, THROTTLE),
     .example = "450 4.2.1 The user you are trying to contact is receiving mail too quickly."},
    {ANY_4XX, .enhanced = "2.*", .any = SAYS(BLOCK) | SAYS(CHECK) | SAYS(HELO),
     .none = SAYS(MAILBOX) | SAYS(USER) | SAYS(QUOTA), IS(DEFERRED, POLICY),
     .example = "421 4.2.0 Service refuse. Veuillez essayer plus tard. OFR005_505"},
    {ANY_4XX, .enhanced = "2.4", IS(DEFERRED, OTHER),
     .example = "424 4.2.4 Mailing list expansion problem"},
    {ANY_4XX, .enhanced = "2.*", .any = SAYS(MAILBOX) | SAYS(USER) | SAYS(QUOTA) | SAYS(UNKNOWN),
     IS(DEFERRED, MAILBOX), .example = "450 4.2.2 Mailbox full"},
    {REPLY, .from = 430, .to = 499, .enhanced = "2.*", IS(DEFERRED, MAILBOX),
     .example = "452 4.2.2 Insufficient storage"},
    {ANY_4XX, .all = SAYS(MAILBOX),
     .any = SAYS(FULL) | SAYS(QUOTA) | SAYS(BUSY) | SAYS(LOAD) | SAYS(SHORT) | SAYS(SPACE) |
	    SAYS(DISK) | SAYS(MANY) | SAYS(UNAVAIL) | SAYS(UNKNOWN),
     .none = SAYS(RATE) | SAYS(BLOCK), IS(DEFERRED, MAILBOX),
     .example = "452 <user@example.com> mailbox is full"},
    {ANY_4XX, .all = SAYS(QUOTA),
     .none = SAYS(RATE) | SAYS(QUEUE) | SAYS(CLIENT) | SAYS(CONN) | SAYS(RECIPS),
     IS(DEFERRED, MAILBOX), .example = "452 4.1.1 <user@example.com> is over quota"},
    {ANY_4XX, .enhanced = "3.1", .any = SAYS(DISK) | SAYS(SPACE) | SAYS(QUEUE),
     .none = SAYS(FULL) | SAYS(LONG) | SAYS(LOAD) | SAYS(CLIENT), IS(EXHAUSTED, DISK),
     .example = "452 4.3.1 Queue write failed - try again later"},
    {ANY_4XX, .all = SAYS(USER), .any = SAYS(FULL) | SAYS(SPACE) | SAYS(DISK) | SAYS(BUSY),
     .none = SAYS(CLIENT) | SAYS(QUEUE), IS(DEFERRED, MAILBOX),
     .example = "450 The recipient is busy, try again later"},
    {ANY_4XX, .all = SAYS(USER), .any = SAYS(UNKNOWN) | SAYS(UNAVAIL) | SAYS(VERIFYFAIL),
     .none = SAYS(CHECK) | SAYS(BLOCK) | SAYS(DNSFAIL) | SAYS(RATE) | SAYS(MANY) | SAYS(GENERIC) |
	     SAYS(LOOKUP) | SAYS(SCANNER) | SAYS(TLS) | SAYS(LOAD),
     IS(DEFERRED, MAILBOX),
     .example = "450 4.1.1 <user@example.org>: Recipient address rejected: User unknown"},

    /* 4xx: the receiving system lacks something, whoever asks. */
    {ANY_4XX, .all = SAYS(DISK), .any = SAYS(SHORT) | SAYS(FULL) | SAYS(SPACE) | SAYS(MANY),
     IS(EXHAUSTED, DISK), .example = "452 4.4.5 Insufficient disk space; try again later"},
    {ANY_4XX, .all = SAYS(SPACE), .any = SAYS(SHORT) | SAYS(FULL), IS(EXHAUSTED, DISK),
     .example = "451 4.3.0 Not enough room to queue this"},
    {ANY_4XX, .all = SAYS(PORTS), .none = SAYS(CLIENT), IS(EXHAUSTED, CONNECTIONS),
     .example = "421 4.3.2 All server ports are busy"},
    {ANY_4XX, .all = SAYS(QUEUE),
     .any =
	 SAYS(FULL) | SAYS(LONG) | SAYS(MANY) | SAYS(QUOTA) | SAYS(LOAD) | SAYS(BUSY) | SAYS(SHORT),
     .none = SAYS(CLIENT) | SAYS(TIMEOUT), IS(EXHAUSTED, LOAD),
     .example = "451 4.3.1 mail queue full; retry later"},
    {ANY_4XX, .all = SAYS(LOAD), .none = SAYS(CLIENT), IS(EXHAUSTED, LOAD),
     .example = "421 Too much load; please try again later."},
    {ANY_4XX, .all = SAYS(LOAD) | SAYS(MANY) | SAYS(CONN), IS(DEFERRED, THROTTLE),
     .example = "421 Server overloaded, too many connections from your host"},
    {ANY_4XX, .all = SAYS(LOAD) | SAYS(RATE), IS(DEFERRED, THROTTLE),
     .example = "451 Overload: reduce the rate of your mail"},
    {ANY_4XX, .all = SAYS(BUSY), .none = SAYS(CLIENT) | SAYS(USER) | SAYS(MAILBOX),
     IS(EXHAUSTED, LOAD), .example = "450 busy - please try later"},
    {ANY_4XX, .all = SAYS(RESOURCE), .none = SAYS(CLIENT) | SAYS(BLOCK), IS(EXHAUSTED, UNSPECIFIED),
     .example = "452 4.3.1 Insufficient system resources"},
    {ANY_4XX, .all = SAYS(FORK), .none = SAYS(BLOCK), IS(EXHAUSTED, UNSPECIFIED),
     .example = "421 Fork failed"},

    /* 4xx: limits. */
    {ANY_4XX, .enhanced = "7.28 7.500 7.508 7.65*", IS(DEFERRED, THROTTLE),
     .example = "451 4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to "
		"IP reputation."},
    {ANY_4XX, .all = SAYS(LOAD), IS(EXHAUSTED, LOAD),
     .example = "421 Load average exceeded, closing your connection"},
    {CODE(454), .all = SAYS(TLS), IS(DEFERRED, TLS),
     .example = "454 4.7.0 Cannot accept TLS as maximum TLS rate exceeded for server"},
    {ANY_4XX, .all = SAYS(AUTH) | SAYS(MANY), .none = SAYS(CLIENT) | SAYS(RATE),
     IS(DEFERRED, POLICY), .example = "451 too much fail authentication"},
    {ANY_4XX, .all = SAYS(RATE), .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(TLS) | SAYS(RECIPS),
     IS(DEFERRED, THROTTLE), .example = "421 4.3.2 Connection rate limit exceeded."},
    {ANY_4XX, .all = SAYS(RATE) | SAYS(RECIPS), .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(TLS),
     IS(DEFERRED, THROTTLE), .example = "452 Too many recipients received this hour"},
    {ANY_4XX, .all = SAYS(CONN) | SAYS(CLIENT),
     .any = SAYS(MANY) | SAYS(CONCURRENT) | SAYS(PORTS) | SAYS(SHORT), .none = SAYS(TIMEOUT),
     IS(DEFERRED, THROTTLE), .example = "421 too many connections from 192.0.2.44"},
    {ANY_4XX, .all = SAYS(MANY) | SAYS(CLIENT),
     .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(TIMEOUT) | SAYS(SIZE) | SAYS(ERRORS),
     IS(DEFERRED, THROTTLE), .example = "421 You have exceeded what is allowed"},
    {ANY_4XX, .any = SAYS(PORTS) | SAYS(CONCURRENT), .all = SAYS(CLIENT), IS(DEFERRED, THROTTLE),
     .example = "421 All lines are busy for your IP"},
    {ANY_4XX, .all = SAYS(RECIPS) | SAYS(CLIENT), IS(DEFERRED, THROTTLE),
     .example = "450 4.7.1 Error: too many recipients from 192.0.2.44"},
    {ANY_4XX, .any = SAYS(ERRORS) | SAYS(RECIPS), IS(DEFERRED, OTHER),
     .example = "452 4.5.3 Error: too many recipients"},
    {ANY_4XX, .enhanced = "5.3", IS(DEFERRED, OTHER), .example = "450 4.5.3 RP:X"},
    {ANY_4XX, .all = SAYS(CONN) | SAYS(MANY), .enhanced = "7.*", .none = SAYS(SIZE) | SAYS(TIMEOUT),
     IS(DEFERRED, THROTTLE), .example = "421 4.7.0 Error: too many connections"},
    {ANY_4XX, .all = SAYS(CONN), .any = SAYS(MANY) | SAYS(CONCURRENT) | SAYS(SHORT),
     .none = SAYS(SIZE) | SAYS(TIMEOUT) | SAYS(BLOCK) | SAYS(USER), IS(EXHAUSTED, CONNECTIONS),
     .example = "421 Too many concurrent SMTP connections; please try again later."},
    {ANY_4XX, .all = SAYS(CONCURRENT), .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(USER),
     IS(EXHAUSTED, CONNECTIONS), .example = "421 No parallel deliveries, please"},
    {ANY_4XX, .all = SAYS(BUSY) | SAYS(CLIENT), .none = SAYS(BLOCK), IS(DEFERRED, THROTTLE),
     .example = "451 Busy, come again later, from [192.0.2.2]"},
    {ANY_4XX, .all = SAYS(SIZE), .none = SAYS(BLOCK) | SAYS(CHECK), IS(DEFERRED, OTHER),
     .example = "452 Message size limit for this connection reached"},

    /* 4xx: TLS. 454 is RFC 3207's "TLS not available", but also RFC 4954's failed AUTH. */
    {ANY_4XX, .all = SAYS(TLS), .none = SAYS(CHECK), IS(DEFERRED, TLS),
     .example = "451 STARTTLS is required to send mail"},
    {CODE(454), .none = SAYS(AUTH) | SAYS(BLOCK) | SAYS(RELAY), IS(DEFERRED, TLS),
     .example = "454 4.3.0 Try again later"},
    {ANY_4XX, .phases = PHASE(STARTTLS), .none = SAYS(BLOCK) | SAYS(CLIENT), IS(DEFERRED, TLS),
     .example = "450 temp problem"},

    /* 4xx: a part of the receiving system failed. A filter that is not there is no verdict of
     * it. */
    {ANY_4XX, .all = SAYS(SCANNER),
     .any = SAYS(UNAVAIL) | SAYS(FAULT) | SAYS(TIMEOUT) | SAYS(LOOKUP) | SAYS(GENERIC) |
	    SAYS(SHORT) | SAYS(VERIFYFAIL),
     .none = SAYS(DNSFAIL) | SAYS(CHECK), IS(DEFERRED, INTERNAL),
     .example = "451 4.7.1 Spam filter temporarily unavailable"},
    {ANY_4XX, .all = SAYS(AUTH), .any = SAYS(FAULT) | SAYS(GENERIC) | SAYS(UNAVAIL) | SAYS(TIMEOUT),
     .none = SAYS(BLOCK) | SAYS(CHECK), IS(DEFERRED, INTERNAL),
     .example = "454 4.7.0 Temporary authentication failure"},

    /* 4xx: names. What a lookup could not answer is dns, what it answered is policy. */
    {ANY_4XX, .all = SAYS(DNSFAIL), .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(DENIED),
     IS(DEFERRED, DNS), .example = "451 4.4.0 DNS query failed"},
    {ANY_4XX, .all = SAYS(DNSFAIL), .none = SAYS(DENIED) | SAYS(BLOCK), IS(DEFERRED, DNS),
     .example = "451 SPF check: temporary DNS failure"},
    {ANY_4XX, .enhanced = "7.24 7.25 7.26 7.27 7.23 1.7 1.8", IS(DEFERRED, POLICY),
     .example = "450 4.1.8 <news@example.com>: Domain not found"},

    {ANY_4XX, .all = SAYS(MAINT), .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(FAULT) | SAYS(TIMEOUT),
     IS(DEFERRED, MAINTENANCE), .example = "421 4.3.2 System shutting down"},

    /* 4xx: policy, unless what was to decide on it does not work. */
    {ANY_4XX, .enhanced = "3.5", .any = SAYS(FAULT) | SAYS(GENERIC), .none = SAYS(BLOCK),
     IS(DEFERRED, INTERNAL),
     .example = "451 4.3.5 <>: Sender address rejected: Server configuration problem"},
    {ANY_4XX, .any = SAYS(BLOCK) | SAYS(ADMIN) | SAYS(CHECK) | SAYS(RELAY) | SAYS(HELO),
     .none = SAYS(LOOKUP), IS(DEFERRED, POLICY),
     .example = "421 4.7.0 [TS02] Messages from 192.0.2.9 temporarily deferred due to user "
		"complaints"},
    {ANY_4XX, .all = SAYS(VERIFYFAIL), IS(DEFERRED, POLICY), .example = "451 verification failed"},
    {ANY_4XX, .all = SAYS(LOOKUP), IS(DEFERRED, INTERNAL),
     .example = "451 4.3.0 <user@example.com>: Temporary lookup failure"},
    {ANY_4XX, .all = SAYS(AUTH), .none = SAYS(TIMEOUT), IS(DEFERRED, POLICY),
     .example = "451 5.7.3 Cannot achieve Exchange Server authentication"},

    /* 452 with X.3.1: the system is full, though nothing says of what. */
    {CODE(452), .enhanced = "3.1", IS(EXHAUSTED, UNSPECIFIED), .example = "452 4.3.1 try later"},
    {CODE(452), .all = SAYS(HINTFULL), IS(EXHAUSTED, UNSPECIFIED),
     .example = "452 #4.3.1 temporary system state (12)"},

    /* 4xx: the conversation. */
    {ANY_4XX, .all = SAYS(TIMEOUT), IS(DEFERRED, OTHER),
     .example = "421 4.4.2 mx1.example.com Error: timeout exceeded"},
    {ANY_4XX, .enhanced = "4.1 4.2 4.7", .none = SAYS(SCANNER), IS(DEFERRED, OTHER),
     .example = "421 4.4.2 Bad luck"},

    /* 4xx: out of service, for a reason that is not told. */
    {ANY_4XX, .all = SAYS(UNAVAIL), .enhanced = "3.0 3.5 4.0", IS(DEFERRED, INTERNAL),
     .example = "451 4.3.0 Error: mail transport unavailable"},
    {ANY_4XX, .all = SAYS(UNAVAIL), .enhanced = "3.2", IS(DEFERRED, MAINTENANCE),
     .example = "450 4.3.2 Service currently unavailable"},
    {ANY_4XX, .all = SAYS(SCANNER), .none = SAYS(DENIED), IS(DEFERRED, INTERNAL),
     .example = "451 4.7.1 Awaiting deep scan - try again later"},
    {ANY_4XX, .all = SAYS(FAULT), IS(DEFERRED, INTERNAL),
     .example = "451 Requested action aborted: local error in processing"},
    {REPLY, .from = 400, .to = 449, .all = SAYS(UNAVAIL), IS(DEFERRED, MAINTENANCE),
     .example = "421 Service not available, closing transmission channel"},
    {CODE(451), .all = SAYS(UNAVAIL), IS(DEFERRED, MAINTENANCE),
     .example = "451 SMTP service not available"},
    {ANY_4XX, .all = SAYS(UNAVAIL), IS(DEFERRED, OTHER), .example = "450 Service unavailable"},

    /* 4xx: hardly a word. */
    {REPLY, .from = 400, .to = 449, .enhanced = "3.1", .none = SAYS(DENIED),
     IS(EXHAUSTED, UNSPECIFIED), .example = "421 4.3.1 mx1.example.com"},
    {ANY_4XX, .all = SAYS(GENERIC), .enhanced = "3.*", .none = SAYS(USER) | SAYS(MAILBOX),
     IS(DEFERRED, INTERNAL), .example = "450 4.3.0 Temporary Error"},
    {ANY_4XX, .all = SAYS(DENIED), IS(DEFERRED, POLICY),
     .example = "450 4.7.1 <c.example[192.0.2.56]>: Client host rejected: try again later"},
    {ANY_4XX, .any = SAYS(MAILBOX) | SAYS(USER), IS(DEFERRED, MAILBOX),
     .example = "450 Requested mail action not taken: mailbox"},
    {CODE(421), .all = SAYS(GENERIC), IS(DEFERRED, INTERNAL), .example = "421 Temporary failure"},
    {CODE(451), .all = SAYS(GENERIC), IS(DEFERRED, INTERNAL), .example = "451 Temporary problem"},
    {ANY_4XX, .all = SAYS(GENERIC), IS(DEFERRED, OTHER), .example = "450 Temporary error"},
    {ANY_4XX, .all = SAYS(WAIT), IS(DEFERRED, GREYLIST), .example = "450 Try again in 300"},

    /* 4xx: the enhanced code alone (RFC 3463). */
    {ANY_4XX, .enhanced = "1.2 4.3 4.4", IS(DEFERRED, DNS), .example = "451 4.4.3 later"},
    {ANY_4XX, .enhanced = "1.*", IS(DEFERRED, MAILBOX), .example = "450 4.1.1 later"},
    {ANY_4XX, .enhanced = "4.5", .none = SAYS(CLIENT), IS(EXHAUSTED, LOAD),
     .example = "452 4.4.5 later"},
    {ANY_4XX, .enhanced = "3.0 3.1 3.3 3.5", IS(DEFERRED, INTERNAL), .example = "421 4.3.0 later"},
    {ANY_4XX, .enhanced = "7.2* 7.3* 7.4* 7.5* 7.6* 7.7* 7.8* 7.9*", IS(DEFERRED, POLICY),
     .example = "451 4.7.850 later"},
    {ANY_4XX, IS(DEFERRED, OTHER), .example = "451 Later, please"},

    /* 5xx */
    {ANY_5XX, .enhanced = "3.4 2.3", IS(REJECTED, SIZE),
     .example = "552 5.3.4 Message size exceeds fixed limit"},
    {ANY_5XX, .all = SAYS(SIZE),
     .none = SAYS(QUOTA) | SAYS(MAILBOX) | SAYS(SYNTAX) | SAYS(BLOCK) | SAYS(CHECK),
     IS(REJECTED, SIZE), .example = "550 Message too big!"},
    {CODE(523), .none = SAYS(TLS) | SAYS(AUTH), IS(REJECTED, SIZE), .example = "523 the limit"},
    {ANY_5XX, .all = SAYS(ADMIN), IS(REJECTED, POLICY),
     .example = "550 Administrative prohibition"},

    {REPLY, .from = 530, .to = 538, .none = SAYS(CHECK), IS(REJECTED, AUTH),
     .example = "530 5.7.0 Must issue a STARTTLS command first"},
    {REPLY, .from = 500, .to = 504, .enhanced = "5.*", .none = SAYS(BLOCK) | SAYS(CHECK),
     IS(REJECTED, SYNTAX), .example = "503 5.5.1 Error: authentication not enabled"},
    {ANY_5XX, .any = SAYS(AUTH) | SAYS(TLS),
     .none = SAYS(CHECK) | SAYS(SYNTAX) | SAYS(RELAY) | SAYS(BLOCK), IS(REJECTED, AUTH),
     .example = "550 Authentication required"},

    {ANY_5XX, .enhanced = "4.3 4.4 4.31*", .all = SAYS(DNSFAIL),
     .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(CLIENT), IS(REJECTED, OTHER),
     .example = "550 5.4.310 DNS domain example.com does not exist"},
    {CODE(556), IS(REJECTED, NO_SERVICE), .example = "556 5.1.10 Recipient has null MX"},
    {ANY_5XX, .all = SAYS(LOOPS), IS(REJECTED, OTHER), .example = "554 5.4.0 too many hops"},
    {ANY_5XX, .enhanced = "1.1 1.2 1.4 1.6 1.10 2.* 7.13",
     .none = SAYS(RATE) | SAYS(CHECK) | SAYS(HELO), IS(REJECTED, OTHER),
     .example = "550 5.1.1 User unknown in local recipient table"},

    {ANY_5XX, .all = SAYS(NOSERVICE), .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(DNSFAIL),
     IS(REJECTED, NO_SERVICE), .example = "554 No SMTP service here"},
    {ANY_5XX, .enhanced = "3.2",
     .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(DNSFAIL) | SAYS(DENIED) | SAYS(CLIENT),
     IS(REJECTED, NO_SERVICE), .example = "521 5.3.2 Closed"},
    {CODE(521),
     .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(DNSFAIL) | SAYS(CLIENT) | SAYS(SYNTAX) |
	     SAYS(ERRORS) | SAYS(HELO) | SAYS(DENIED),
     IS(REJECTED, NO_SERVICE), .example = "521 mx.example.com"},

    /* 5xx: the form of what was said. Many servers give these codes to what they do not like, too.
     */
    {REPLY, .from = 500, .to = 504, .enhanced = "1.0 1.7 1.8", .none = SAYS(SYNTAX),
     IS(REJECTED, POLICY), .example = "501 5.1.8 Sender"},
    {REPLY, .from = 500, .to = 504, .any = SAYS(CHECK) | SAYS(BLOCK), .none = SAYS(SYNTAX),
     IS(REJECTED, POLICY), .example = "501 Denied domain name"},
    {REPLY, .from = 500, .to = 504, IS(REJECTED, SYNTAX), .example = "502 Command"},
    {CODE(555), IS(REJECTED, SYNTAX), .example = "555 Unsupported option: FOO=BAR"},
    {ANY_5XX, .all = SAYS(SYNTAX), .enhanced = "1.3 1.7 6.7", .none = SAYS(BLOCK),
     IS(REJECTED, SYNTAX), .example = "553 5.1.7 Sender address syntax error"},
    {ANY_5XX, .any = SAYS(SYNTAX) | SAYS(ERRORS), .enhanced = "5.0 5.1 5.2 5.4 6.7 6.9",
     .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(RELAY), IS(REJECTED, SYNTAX),
     .example = "554 5.5.0 Error: SMTP protocol synchronization"},
    {ANY_5XX, .any = SAYS(SYNTAX) | SAYS(ERRORS),
     .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(RELAY) | SAYS(HELO) | SAYS(DNSFAIL) | SAYS(USER) |
	     SAYS(UNKNOWN) | SAYS(RATE) | SAYS(DENIED),
     IS(REJECTED, SYNTAX), .example = "554 SMTP synchronization error"},

    {ANY_5XX, .all = SAYS(USER), .any = SAYS(UNKNOWN) | SAYS(UNAVAIL),
     .none = SAYS(BLOCK) | SAYS(CHECK) | SAYS(RELAY) | SAYS(CLIENT) | SAYS(RATE),
     IS(REJECTED, OTHER), .example = "540 5.7.1 <user@example.com>: recipient rejected: Inactive"},

    /* 5xx: policy. */
    {ANY_5XX, .enhanced = "7.* 1.7 1.8", IS(REJECTED, POLICY), .example = "550 5.7.1 Sorry"},
    {ANY_5XX,
     .any = SAYS(BLOCK) | SAYS(CHECK) | SAYS(RELAY) | SAYS(HELO) | SAYS(RATE) | SAYS(GREY) |
	    SAYS(DNSFAIL),
     IS(REJECTED, POLICY), .example = "554 Blocked - see https://support.example.com/"},
    {ANY_5XX, .any = SAYS(UNKNOWN) | SAYS(QUOTA) | SAYS(MAILBOX), IS(REJECTED, OTHER),
     .example = "552 Quota exceeded"},
    {ANY_5XX, .any = SAYS(DENIED) | SAYS(CLIENT), .none = SAYS(GENERIC) | SAYS(FAULT),
     IS(REJECTED, POLICY), .example = "541 5.4.1 Mail rejected by destination domain"},
    {ANY_5XX, .all = SAYS(UNAVAIL), IS(REJECTED, NO_SERVICE),
     .example = "554 5.0.0 Service unavailable"},
    /* RFC 5321 3.1: 554 instead of a greeting means no service here. */
    {CODE(554), .phases = PHASE(BANNER), .none = SAYS(FAULT) | SAYS(GENERIC),
     IS(REJECTED, NO_SERVICE), .example = "554 mx.example.com"},
    {ANY_5XX, IS(REJECTED, OTHER), .example = "554 Transaction not done"},

    /* Not a reply that ends a session: whoever made this observation read something else. */
    {.end = END_NONE, IS(BROKEN, BAD_REPLY), .example = "354 End data with <CR><LF>.<CR><LF>"},
};
const size_t n_rules = sizeof rules / sizeof rules[0];

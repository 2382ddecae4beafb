#include "judge/advice.h"

/* Said of a class where a reason needs no words of its own. */
static const char *const of_class[CLASSES] = {
    [CLASS_HEALTHY] = "The server accepts mail.",
    [CLASS_EXHAUSTED] = "The receiver is short of a resource, whoever asks; it is the receiver's "
			"move. Mail stays in the sender's queue and is retried (RFC 5321 4.5.4.1).",
    [CLASS_DEFERRED] = "The receiver put the mail off; it stays in the sender's queue and is "
		       "retried (RFC 5321 4.5.4.1).",
    [CLASS_REJECTED] = "The receiver said no for good (RFC 5321 4.2.1); a sender bounces the mail "
		       "at once and does not retry.",
    [CLASS_TIMEOUT] = "A limit of time passed without an answer. Senders wait longer than a probe "
		      "(RFC 5321 4.5.3.2) and then retry.",
    [CLASS_DOWN] = "There was no conversation at all. Senders try the next address, then retry "
		   "later (RFC 5321 5.1).",
    [CLASS_BROKEN] = "What was said cannot be used as SMTP. Senders treat it as a failed attempt "
		     "and retry.",
    [CLASS_UNRESOLVED] = "This MX host has no usable address, so nobody can be contacted.",
    [CLASS_SKIPPED] = "It was not contacted: this says nothing about the server.",
};

static const char *const exhausted[REASONS] = {
    [REASON_MEMORY] =
	"The receiver is out of memory and pushes back: it refuses for now (RFC 3463 X.3.1) what "
	"it "
	"could not keep, so mail is delayed, not lost; the move is the receiver's. A queue retries "
	"on "
	"its own: Postfix after 300 s, doubling to 4000 s, for 5 days; Exim every 15 min for 2 h, "
	"then from 1 h growing by half to 16 h, every 6 h to the 4th day. Leave the sender alone; "
	"look closer when most addresses answer so, or one does for hours, and tell the receiver's "
	"postmaster then.",
    [REASON_DISK] =
	"The receiver's disk or queue space is used up (RFC 5321 452, RFC 3463 X.3.1; Postfix "
	"queue_minfree, Sendmail MinFreeBlocks, Exim check_spool_space, Exchange back pressure), "
	"so it "
	"asks senders to keep the mail for now: nothing is lost. Queues retry by themselves, "
	"Postfix "
	"every 300 to 4000 s for 5 days, Exim after 15 min and slower for 4 days. Space does not "
	"come "
	"back by waiting as load does: if it lasts more than an hour, tell the receiver's "
	"postmaster.",
    [REASON_LOAD] =
	"The receiver is overloaded and sheds work until it has caught up (Sendmail RefuseLA, Exim "
	"smtp_load_reserve, Exchange back pressure; RFC 3463 X.3.2 and X.4.5): mail waits in the "
	"sender's queue and is not lost. Queues come back on their own, Postfix every 300 to 4000 "
	"s "
	"for 5 days, Exim after 15 min and slower for 4 days, Sendmail at each queue run. Do not "
	"retry harder, that feeds the load; worth a look when it holds for hours or on all "
	"addresses.",
    [REASON_CONNECTIONS] =
	"All connections or processes of the receiver are taken, by everybody together (Postfix "
	"default_process_limit, Exim smtp_accept_max, Exchange MaxInboundConnection); it clears "
	"within minutes and the mail waits in the sender's queue. Senders try the next MX address "
	"at once, then retry: Postfix after 300 s, Exim after 15 min, for days. Now and then at "
	"peak "
	"hours is normal; if it is the rule, the receiver needs more room or is under attack.",
    [REASON_UNSPECIFIED] =
	"The receiver says that it lacks a resource but not which (RFC 3463 X.3.1); this is back "
	"pressure, meant to delay mail rather than to lose it, and it is the receiver's move. "
	"Queues "
	"retry by themselves, Postfix every 300 to 4000 s for 5 days, Exim after 15 min and slower "
	"for 4 days. One such answer in a hundred is no trouble; worth a look when other addresses "
	"of "
	"the domain cannot take over.",
};

static const char *const deferred[REASONS] = {
    [REASON_THROTTLE] =
	"The limit is aimed at this client: too many connections, messages or recipients from this "
	"address (Postfix anvil(8), Gmail 4.7.28, Outlook.com 4.7.650, Yahoo TSS04); the move is "
	"the "
	"sender's. The queue retries and gets through as the rate falls. Open fewer connections "
	"and "
	"send slower to this receiver, and probe it less often.",
    [REASON_GREYLIST] =
	"Greylisting (RFC 6647): an unknown sender is put off once and accepted when it comes back "
	"after some minutes; nothing is wrong. Any real queue does so by itself. Do nothing; "
	"delays "
	"vanish once the receiver knows the sender.",
    [REASON_POLICY] =
	"The receiver distrusts this client or sender for now: reputation, blocklist, reverse DNS, "
	"SPF or DMARC (RFC 3463 X.7.1, RFC 7372); the move is the sender's. The queue retries in "
	"vain until the cause is gone. Check PTR, HELO name and SPF of this address and its "
	"blocklist entries, and read the receiver's link.",
    [REASON_MAILBOX] =
	"It concerns one recipient and not the system: mailbox full, busy or not verified yet "
	"(RFC 3463 X.2.x, RFC 5321 450). The queue retries and bounces in the end. Only the "
	"recipient can help.",
    [REASON_MAINTENANCE] =
	"The service is closed for now: shutting down, starting or under maintenance (RFC 5321 "
	"421, "
	"RFC 3463 X.3.2). Mail waits in the queue and goes through when the service is back. Wait; "
	"write to the postmaster if it lasts for hours.",
    [REASON_DNS] =
	"The receiver could not look a name up, ours or its own (RFC 3463 X.4.3). The queue "
	"retries "
	"by itself. If it concerns the sender's domain or address, check that their name servers "
	"answer from outside; else it is the receiver's resolver.",
    [REASON_TLS] =
	"TLS is not to be had or not as required for now (RFC 3207: 454). Opportunistic senders go "
	"on "
	"in plaintext, strict ones (DANE, MTA-STS) keep the mail and retry. It is the receiver's "
	"move, unless it asks for TLS and the sender does not use it.",
    [REASON_INTERNAL] =
	"Something failed inside the receiver: a filter, a database, its configuration (RFC 5321 "
	"451, "
	"RFC 3463 X.3.0). The queue retries by itself. Wait; tell the postmaster if it lasts.",
    [REASON_OTHER] =
	"The receiver puts the mail off without saying why, or for a reason of this one session. "
	"The "
	"queue retries by itself (RFC 5321 4.5.4.1). Look at the words of the reply if it stays.",
};

static const char *const rejected[REASONS] = {
    [REASON_POLICY] =
	"The receiver refuses this client or sender by policy (RFC 3463 X.7.1, RFC 7372): "
	"blocklist, "
	"reputation, reverse DNS, SPF, relaying. Senders bounce at once. The move is the sender's: "
	"follow the link in the reply, check PTR, HELO name, SPF; a probe from a home or cloud "
	"address meets this often.",
    [REASON_AUTH] =
	"The server wants a login or TLS first (RFC 4954: 530, 535; RFC 3207: 530): it is a "
	"submission service, not an MX for strangers. Senders bounce. Check that the MX record "
	"means "
	"this host and port.",
    [REASON_SYNTAX] =
	"The server does not understand or accept a command as it was sent (RFC 5321: 500 to 504, "
	"555). Senders bounce, or say HELO instead of EHLO. Check the names given with --helo and "
	"--from; if they are right, the fault is the server's.",
    [REASON_NO_SERVICE] =
	"There is no mail service here (RFC 5321 3.1: 554; RFC 7504: 521, 556). Senders bounce or "
	"go "
	"to the next MX host. The domain's owner should take this host out of the MX records.",
    [REASON_SIZE] =
	"The message is above what the server takes (RFC 1870, RFC 3463 X.3.4). Senders bounce at "
	"once. Send less.",
    [REASON_OTHER] =
	"The server refuses for good without a reason that can be told apart (RFC 5321 4.2.1). "
	"Senders bounce at once. The words of the reply are all there is.",
};

static const char *const timeout[REASONS] = {
    [REASON_CONNECT] =
	"Nothing answers at this address: host down, or a firewall that drops packets. Postfix "
	"gives "
	"up after 30 s (smtp_connect_timeout) and goes to the next address, Exim when the kernel "
	"does, and both retry later. If every server times out, port 25 is blocked at our own end; "
	"--control tells.",
    [REASON_SILENT] =
	"The server took the connection but did not speak. Senders wait 5 min for the greeting "
	"(RFC 5321 4.5.3.2), so mail may go through where a probe gives up: try a larger "
	"--timeout. A "
	"server so slow is often overloaded, or delays strangers on purpose.",
    [REASON_SLOW] =
	"The reply had begun but did not end in time. Senders have more patience, 5 min a command "
	"(RFC 5321 4.5.3.2); mail is delayed rather than lost. It is a tarpit, an overloaded "
	"server "
	"or a network that loses large packets (MTU).",
};

static const char *const down[REASONS] = {
    [REASON_REFUSED] =
	"The host is up but nothing listens on this port. Senders go to the next address and retry "
	"for days (RFC 5321 4.5.4.1). The receiver must start its service, or take the host out of "
	"the MX records.",
    [REASON_UNREACHABLE] =
	"The network says that there is no way to this address. Senders go to the next address and "
	"retry. If it is so from other networks too, it is the receiver's or its provider's move.",
    [REASON_CLOSED] =
	"The server took the connection and closed it before its answer. Senders go to the next "
	"address and retry. It may be overloaded, restarting, or refuse this client without a "
	"word; "
	"RFC 5321 3.8 asks for 421.",
};

static const char *const broken[REASONS] = {
    [REASON_NOT_SMTP] = "What answers here is not SMTP (RFC 5321 4.2 wants a three-digit code): "
			"another service or a "
			"proxy on this port. Senders retry and bounce after days. Check the port, "
			"and the MX record.",
    [REASON_BAD_REPLY] =
	"The server broke the form of replies (RFC 5321 4.2): malformed, endless, or a code that "
	"answers nothing. Senders drop the session and retry. The receiver's software is at fault.",
    [REASON_TLS] =
	"The TLS handshake failed, or plaintext came before it (RFC 3207 6). Opportunistic senders "
	"try again in plaintext; strict ones keep the mail and retry. The receiver must fix "
	"protocol "
	"versions or certificate; look at the error shown.",
    [REASON_CERTIFICATE] = "The certificate does not satisfy the chosen TLS mode (RFC 7672, RFC "
			   "8461). Senders with DANE "
			   "or MTA-STS keep the mail and retry; all others deliver anyway. The "
			   "receiver must renew the "
			   "certificate, or its TLSA records or policy.",
    [REASON_NO_TLS] =
	"TLS is required but not offered (RFC 3207). Senders that insist (RFC 8461, RFC 7672) keep "
	"the mail and retry, all others send in plaintext. The receiver must offer STARTTLS.",
};

static const char *const unresolved[REASONS] = {
    [REASON_NXDOMAIN] = "The name of the MX host does not exist. Senders pass it over, and bounce "
			"when it is the only "
			"one (RFC 5321 5.1). The domain's owner must correct the MX record.",
    [REASON_NO_ADDRESS] =
	"The name of the MX host has no address of the families asked for. Senders pass it over "
	"(RFC 5321 5.1). The domain's owner must add an A or AAAA record.",
    [REASON_SERVFAIL] =
	"The name servers of this name failed, or its DNSSEC is broken. Senders retry, nothing is "
	"lost yet (RFC 5321 5.1). Ask another resolver to see whose fault it is.",
    [REASON_TIMEOUT] = "DNS gave no answer in time. Senders retry. Check our resolver first, then "
		       "the name servers "
		       "of the domain.",
    [REASON_INVALID] =
	"The MX record does not name a host: an address in text, no host name, or a loop of CNAMEs "
	"(RFC 5321 5.1, RFC 2181 10.3). Many senders bounce at once. The domain's owner must "
	"correct "
	"it.",
};

static const char *const skipped[REASONS] = {
    [REASON_NO_ROUTE] =
	"This machine has no route for that address family; senders that have one are not "
	"hindered. "
	"Probe from a host with IPv4 and IPv6, or leave the family out with -4 or -6.",
    [REASON_NOT_PUBLIC] = "The address is private or special (RFC 6890) and --public-only forbids "
			  "to contact it. Senders elsewhere cannot reach it either.",
    [REASON_LIMIT] = "There are more hosts or addresses than are contacted for one target.",
    [REASON_DEADLINE] =
	"The time of the whole run was over before its turn came. Raise --deadline, "
	"or the number of --jobs.",
    [REASON_INTERRUPTED] = "The run was interrupted before its turn came.",
    [REASON_LOCAL_ERROR] = "A fault of this machine kept it from being contacted; see the error "
			   "shown.",
};

const char *advice_text(enum class class, enum reason reason)
{
	static const char *const *const of[CLASSES] = {
	    [CLASS_EXHAUSTED] = exhausted,
	    [CLASS_DEFERRED] = deferred,
	    [CLASS_REJECTED] = rejected,
	    [CLASS_TIMEOUT] = timeout,
	    [CLASS_DOWN] = down,
	    [CLASS_BROKEN] = broken,
	    [CLASS_UNRESOLVED] = unresolved,
	    [CLASS_SKIPPED] = skipped,
	};

	return of[class] && of[class][reason] ? of[class][reason] : of_class[class];
}

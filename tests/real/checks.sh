# Read by inside.sh: the checks. Each is a run of mxprobe and what must be true of it.
set +e
passed=0 failed=0

check() { name=$1 why=; }
wrong() { why="${why:+$why; }$*"; }
done_() {
	if [ -z "$why" ]; then
		passed=$((passed + 1))
		echo "ok $name"
	else
		failed=$((failed + 1))
		echo "FAILED $name: $why"
		[ ! -s "$work/json" ] || sed 's/^/  /' "$work/json"
		[ ! -s "$work/err" ] || sed 's/^/  /' "$work/err"
		sed -n "$((mark + 1)),\$s/^/  /p" "$log" | tail -n 20
	fi
}
log=/var/log/mail.log
lines() { wc -l <"$log"; }

# probe ARGUMENT...: runs it as a user would, JSON apart
probe() {
	mark=$(lines)
	"$work/mxprobe" --json "$@" >"$work/json" 2>"$work/err"
	status=$?
}
ends() { [ "$status" = "$1" ] || wrong "exit $status instead of $1"; }
says() {
	for text; do
		grep -qF -- "$text" "$work/json" || wrong "no $text"
	done
}
verdict() { says "\"verdict\":\"$1\""; }
# at ADDRESS TEXT...: the endpoint with that address says so
at() {
	at_address=$1
	shift
	sed 's/{"preference":/\n&/g' "$work/json" | grep -F "\"address\":$at_address," >"$work/endpoint" ||
		wrong "no endpoint $at_address"
	for text; do
		grep -qF -- "$text" "$work/endpoint" || wrong "$at_address: no $text"
	done
}
class() { echo "\"class\":\"${1%/*}\",\"reason\":\"${1#*/}\",\"phase\":\"$2\""; }
# one HOST-PART EXIT VERDICT CLASS/REASON PHASE [TEXT...]: the only endpoint, with that
one() {
	one_host=$1
	ends "$2"
	verdict "$3"
	one_class=$(class "$4" "$5")
	shift 5
	at "\"198.51.100.$one_host\"" "$one_class" "$@"
}
# Until Postfix has told the end of every session it told the start of, or 3 s.
settled() {
	for _ in $(seq 30); do
		[ "$(grep -c 'smtpd\[[0-9]*\]: connect from' "$log")" = \
			"$(grep -c 'smtpd\[[0-9]*\]: disconnect from' "$log")" ] && return
		sleep 0.1
	done
	return 1
}
logged() { # the log since the probe has it
	settled
	sed -n "$((mark + 1)),\$p" "$log" | grep -qE -- "$1" || wrong "not in the log: $1"
}

## Postfix and DNS as they should be

check healthy
probe healthy.example.test
ends 0
verdict healthy
says '"source":"mx","status":"ok"' '"helo":"probe.example.test"' '"endpoints":4,"healthy":4'
for address in 198.51.100.25 198.51.100.26 2001:db8:2::25 2001:db8:2::26; do
	at "\"$address\"" "$(class healthy/ok mail)" '"code":250,"enhanced":"2.1.0","lines":["Ok"]' \
		'"banner":"mx.example.test ESMTP Postfix' '"version":"TLSv1.3"' '"subject":"CN=mx.example.test"'
done
logged 'disconnect from probe.example.test\[192.0.2.1\] ehlo=2 starttls=1 mail=1 quit=1 commands=5'
logged 'disconnect from probe.example.test\[2001:db8:1::1\] ehlo=2 starttls=1 mail=1 quit=1 commands=5'
done_

check healthy-table
mark=$(lines)
"$work/mxprobe" healthy.example.test >"$work/json" 2>"$work/err"
status=$?
ends 0
says HEALTHY mx1.healthy.example.test 2001:db8:2::26
done_

check healthy-plaintext
probe --tls off healthy.example.test
ends 0
verdict healthy
logged 'disconnect from .*\[192.0.2.1\] ehlo=1 mail=1 quit=1 commands=3'
done_

check healthy-strict-sender
probe -f postmaster@example.test healthy.example.test
ends 0
verdict healthy
done_

check source-address
probe -b 192.0.2.9 -b 2001:db8:1::9 --tls off implicit.example.test
ends 0
verdict healthy
logged 'disconnect from .*\[192.0.2.9\] ehlo=1 mail=1 quit=1'
logged 'disconnect from .*\[2001:db8:1::9\] ehlo=1 mail=1 quit=1'
done_

check other-port
probe implicit.example.test:2525 -4
one 25 0 healthy healthy/ok mail '"port":2525'
done_

check literals
settled # sessions are counted below: those of the check before are not among them
probe '[198.51.100.25]' '[IPv6:2001:db8:2::25]' 198.51.100.25 '[mx1.healthy.example.test]' somebody@implicit.example.test
ends 0
[ "$(grep -c '"verdict":"healthy"' "$work/json")" = 5 ] || wrong "not five healthy targets"
settled
[ "$(sed -n "$((mark + 1)),\$p" "$log" | grep -c ': disconnect from')" = 2 ] || wrong "not two sessions for two addresses"
done_

check repeat
probe -n 3 --interval 0 --tls off -4 implicit.example.test
one 25 0 healthy healthy/ok mail '"sessions":3,"healthy_sessions":3'
done_

## Names

check null-mx
probe null.example.test
ends 2
verdict undeliverable
says '"source":"null-mx"' '"endpoints":[]'
done_

check nxdomain
probe nowhere.example.test
ends 2
verdict undeliverable
says '"status":"nxdomain"' '"endpoints":[]'
done_

check implicit-mx
probe implicit.example.test
ends 0
verdict healthy
says '"source":"implicit"' '"endpoints":2,"healthy":2'
done_

check neither-mx-nor-address
probe nothing.example.test
ends 2
verdict undeliverable
says '"status":"no-address"'
done_

check mx-is-cname
probe cname.example.test
ends 0
verdict healthy
says '"code":"mx-is-cname"' '"host":"alias.cname.example.test"'
done_

check domain-is-cname
probe alias.example.test
ends 0
verdict healthy
says '"endpoints":4,"healthy":4'
done_

check mx-is-address
probe address.example.test
ends 2
verdict undeliverable
says '"code":"mx-is-address"' '"class":"unresolved","reason":"invalid"'
done_

check mx-does-not-exist
probe gone.example.test
ends 2
verdict undeliverable
at null "$(class unresolved/nxdomain dns)"
done_

check one-mx-does-not-exist
probe halfgone.example.test
ends 1
verdict degraded
at null "$(class unresolved/nxdomain dns)"
at '"198.51.100.25"' "$(class healthy/ok mail)"
done_

check servfail
probe x.broken.test
ends 3
verdict unknown
says '"status":"servfail"'
done_

check mx-servfail
probe lame.example.test
ends 3
verdict unknown
at null "$(class unresolved/servfail dns)"
done_

check answer-over-tcp
probe many.example.test
ends 0
verdict healthy
says '"endpoints":60,"healthy":60' 'exchanger-number-60.many.example.test'
settled
[ "$(sed -n "$((mark + 1)),\$p" "$log" | grep -c ': disconnect from')" = 1 ] || wrong "more than one session for one address"
done_

## Routes

check refused
probe refused.example.test
ends 1
verdict degraded
at '"198.51.100.99"' "$(class down/refused connect)" '"error":"Connection refused"'
at '"2001:db8:2::99"' "$(class down/refused connect)"
at '"2001:db8:2::25"' "$(class healthy/ok mail)"
done_

check blackhole
probe --connect-timeout 2 blackhole.example.test
ends 1
verdict degraded
at '"203.0.113.1"' "$(class timeout/connect connect)"
at '"2001:db8:3::1"' "$(class timeout/connect connect)"
at '"198.51.100.25"' "$(class healthy/ok mail)"
done_

check unreachable
probe unreachable.example.test
ends 2
verdict failing
for address in 203.0.113.129 203.0.113.193 192.0.2.77 2001:db8:4::1 2001:db8:5::1; do
	at "\"$address\"" "$(class down/unreachable connect)"
done
done_

check no-route
probe noroute.example.test
ends 0
verdict healthy
at '"2001:db8:dead::1"' '"class":"skipped","reason":"no-route"'
at '"198.51.100.25"' "$(class healthy/ok mail)"
done_

check only-no-route
probe onlynoroute.example.test
ends 3
verdict unknown
at '"2001:db8:dead::1"' '"class":"skipped","reason":"no-route"'
done_

## What Postfix says when it is in trouble, or does not want

check queue-full
probe full.example.test
one 27 2 failing exhausted/disk mail '"code":452,"enhanced":"4.3.1","lines":["Insufficient system storage"]'
logged 'ehlo=2 starttls=1 mail=0/1 quit=1'
done_

check connection-count
probe -n 3 --per-address 3 --interval 0 --tls off count.example.test
ends 1
verdict degraded
at '"198.51.100.31"' "$(class deferred/throttle banner)" '"healthy_sessions":1' '"code":421,"enhanced":"4.7.0"'
done_

check connection-rate
probe -n 2 --interval 0 --tls off rate.example.test
ends 1
verdict degraded
at '"198.51.100.32"' "$(class deferred/throttle banner)" '"code":421,"enhanced":"4.7.0"'
done_

check message-rate
probe -n 2 --interval 0 --tls off mailrate.example.test
ends 1
verdict degraded
at '"198.51.100.33"' "$(class deferred/throttle mail)" '"code":450,"enhanced":"4.7.1"'
done_

check sender-rejected
probe sender.example.test
one 34 2 failing rejected/policy mail '"code":554,"enhanced":"5.7.1"'
done_

check error-limit
probe errors.example.test
one 47 2 failing rejected/policy mail '"code":554,"enhanced":"5.7.1"'
done_

check deferred
probe defer.example.test
one 35 2 failing deferred/policy mail '"code":450,"enhanced":"4.3.2"'
done_

check dnsbl
probe dnsbl.example.test
one 36 2 failing rejected/policy banner '"code":554,"enhanced":"5.7.1"' 'listed.example.test'
done_

check sender-domain-servfail
probe -f postmaster@x.broken.test domain.example.test
one 48 2 failing deferred/policy mail '"code":450,"enhanced":"4.1.8"'
done_

check maintenance
probe down.example.test
one 44 2 failing deferred/maintenance banner '"code":421,"enhanced":"4.3.2"'
done_

check dead-milter
probe milter.example.test
ends 2
verdict failing
at '"198.51.100.42"' '"class":"deferred"' '"code":451'
done_

check dead-policy-service
probe policy.example.test
one 43 2 failing deferred/internal mail '"code":451,"enhanced":"4.3.5"'
done_

check silent
probe -t 2 slow.example.test
one 45 2 failing timeout/silent banner '"reply":null'
done_

## postscreen

for _ in new known; do
	check postscreen-greet-$_
	probe --tls off greet.example.test
	one 28 0 healthy healthy/ok mail
	done_
done

check postscreen-tests-after-greet
probe deep.example.test
one 29 0 healthy healthy/ok mail
done_

check postscreen-drop
probe drop.example.test
one 30 2 failing rejected/no-service banner '"code":521,"enhanced":"5.3.2"'
done_

## TLS

for mode in auto require; do
	check starttls-$mode
	probe --tls $mode -4 implicit.example.test
	one 25 0 healthy healthy/ok mail '"version":"TLSv1.3"' '"subject":"CN=mx.example.test"'
	logged '(Anonymous|Untrusted) TLS connection established from .*192.0.2.1'
	logged 'ehlo=2 starttls=1 mail=1 quit=1'
	done_

	check encrypt-$mode
	probe --tls $mode encrypt.example.test
	one 38 0 healthy healthy/ok mail '"version":"TLSv1.3"'
	done_

	check anonymous-suites-$mode
	probe --tls $mode anonymous.example.test
	one 40 0 healthy healthy/ok mail
	done_
done

check tls10-auto
probe tls10.example.test
one 39 0 healthy healthy/ok mail '"version":"TLSv1"'
done_

check encrypt-off
probe --tls off encrypt.example.test
one 38 2 failing rejected/auth mail '"code":530,"enhanced":"5.7.0"'
done_

check no-tls-auto
probe notls.example.test
one 37 0 healthy healthy/ok mail '"tls":null'
done_

check no-tls-require
probe --tls require notls.example.test
one 37 2 failing broken/no-tls starttls
logged 'ehlo=1 quit=1'
done_

check bad-tls-auto
probe badtls.example.test
one 41 0 healthy healthy/ok mail '"tls":null'
says '"code":"tls-fallback"'
done_

check bad-tls-require
probe --tls require badtls.example.test
one 41 2 failing deferred/tls starttls '"code":454,"enhanced":"4.7.0"'
logged 'starttls=0/1 quit=1'
done_

check handshake-auto
probe handshake.example.test
one 46 0 healthy healthy/ok mail
says '"code":"tls-fallback"'
done_

check handshake-require
probe --tls require handshake.example.test
one 46 2 failing broken/tls tls
done_

## Exim, OpenSMTPD

if [ -n "$exim" ]; then
	for mode in off auto require; do
		check exim-$mode
		probe --tls $mode exim.example.test
		ends 0
		verdict healthy
		says '"endpoints":2,"healthy":2'
		done_
	done

	check exim-full
	probe eximfull.example.test
	one 61 2 failing exhausted/disk mail '"code":452'
	done_

	check exim-connection-count
	probe -n 3 --per-address 3 --interval 0 --tls off eximcount.example.test
	at '"198.51.100.62"' '"class":"deferred","reason":"throttle"' '"code":421'
	done_

	check exim-log
	cat /var/log/exim4/*log >"$work/json" 2>/dev/null
	grep -Ei 'synchroni[sz]ation|syntax error|lost|dropped|timed out|no MAIL|TLS error|unexpected' "$work/json" >"$work/err" &&
		wrong "Exim does not like the client: $(head -n 1 "$work/err")"
	[ -s "$work/json" ] || wrong "no log"
	done_
else
	echo "skipped exim: not installed"
fi
if [ -n "$opensmtpd" ]; then
	check opensmtpd
	probe opensmtpd.example.test
	one 70 0 healthy healthy/ok mail '"banner":"opensmtpd.example.test ESMTP OpenSMTPD"'
	done_

	check opensmtpd-log
	cat "$work/opensmtpd.out" >"$work/json"
	grep -q 'disconnected reason=quit' "$work/json" || wrong "no session that ended with QUIT"
	grep -E 'smtp disconnected' "$work/json" | grep -v reason=quit >"$work/err" &&
		wrong "$(head -n 1 "$work/err")"
	done_
else
	echo "skipped opensmtpd: not installed"
fi

## All sessions together

check log-tells-whole-sessions
: >"$work/json"
: >"$work/err"
settled || wrong "sessions that never ended"
mark=$(lines)
done_

check log-without-recipients
grep -E 'rcpt=|data=|bdat=|: client=' "$log" >"$work/err" && wrong "$(head -n 1 "$work/err")"
done_

check log-without-complaints
grep -E 'improper command pipelining|PREGREET|lost connection|timeout after|non-SMTP command|bare newline|HANGUP|SSL_accept error|too many errors|unknown command|COMMAND (PIPELINING|TIME|COUNT|LENGTH)' "$log" |
	grep -vE ' postfix/(ends|breaks)/' >"$work/err"
[ -s "$work/err" ] && wrong "$(head -n 1 "$work/err")"
done_

check log-sessions-end-with-quit
grep 'smtpd\[[0-9]*\]: disconnect from' "$log" |
	grep -vE ' quit=1 | postfix/(ends|breaks)/' >"$work/err"
[ -s "$work/err" ] && wrong "$(wc -l <"$work/err") without, first: $(head -n 1 "$work/err")"
done_

check nothing-left-open
for _ in $(seq 30); do
	ss -Htan state all exclude time-wait >"$work/json"
	[ -s "$work/json" ] || break
	sleep 0.1
done
[ -s "$work/json" ] && wrong "$(head -n 1 "$work/json")"
done_

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
exit

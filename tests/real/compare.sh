# Read by inside.sh: what mxprobe and four other tools do, each tried with the servers of compare.lab. The
# table that comes of it must be the one in README.md.
#
#   row WORDS           begins a row
#   cell WORDS          the next cell, in the order mxprobe, check_smtp, swaks, posttls-finger,
#                       blackbox_exporter; what follows it, up to the next, must be true
#   run COMMAND...      what it prints goes to $out, its exit status to $status
#   says, silent, ends  about that; met, unmet, sessions about what the servers saw of it
set +eu
repo=$(cd "$here/../.." && pwd)
passed=0 failed=0

if [ -z "${LAB_PORT:-}" ]; then # the lab is to be around all of this
	ip link set lo up
	hostname probe.example.test
	printf '%s\n' '127.0.0.1 localhost probe.example.test' >/etc/hosts
	rm -f /etc/resolv.conf
	echo 'nameserver 127.0.0.1' >/etc/resolv.conf
	for name in postfix postdrop; do # posttls-finger wants them to be there
		id=$((${id:-64100} + 1))
		grep -q "^$name:" /etc/group || echo "$name:x:$id:" >>/etc/group
		grep -q "^$name:" /etc/passwd || echo "$name:x:$id:$id::/nonexistent:/bin/false" >>/etc/passwd
	done
	mkdir -p /etc/postfix
	printf '%s\n' 'compatibility_level = 3.6' 'myhostname = probe.example.test' 'inet_protocols = ipv4' \
		"maillog_file = /var/log/mail.log" >/etc/postfix/main.cf
	export work here
	exec "$lab" --log "$work/lab.log" --port 25 --dns-port 53 "$here/compare.lab" -- sh "$here/compare.sh"
fi
export SSL_CERT_FILE="$LAB_CA"
check_smtp() { /usr/lib/nagios/plugins/check_smtp "$@"; }
mxprobe() { "$work/mxprobe" "$@"; }

# blackbox_exporter: one program that is asked over HTTP; what SMTP is stands in its configuration.
ehlo='{expect: "^220"}, {send: "EHLO probe.example.test\r"}'
mail="$ehlo, {expect: \"^250 \"}, {send: \"MAIL FROM:<>\\r\"}, {expect: \"^250 \"}"
tls="$ehlo, {expect: \"^250 STARTTLS\"}, {send: \"STARTTLS\\r\"}, {expect: \"^220\"}, {starttls: true}"
quit='{send: "QUIT\r"}, {expect: "^221"}'
cat >"$work/blackbox.yml" <<CONF
modules:
  mail: {prober: tcp, timeout: 5s, tcp: {preferred_ip_protocol: ip4, query_response: [$mail, $quit]}}
  rcpt: {prober: tcp, timeout: 5s, tcp: {preferred_ip_protocol: ip4, query_response: [$mail, {send: "RCPT TO:<a@good.example>\r"}, {expect: "^250 "}, $quit]}}
  auth: {prober: tcp, timeout: 5s, tcp: {preferred_ip_protocol: ip4, query_response: [$ehlo, {expect: "^250 "}, {send: "AUTH PLAIN AHVzZXIAc2VjcmV0\r"}, {expect: "^2"}, $quit]}}
  tls: {prober: tcp, timeout: 5s, tcp: {preferred_ip_protocol: ip4, query_response: [$tls, {send: "EHLO probe.example.test\r"}, {expect: "^250 "}, $quit], tls_config: {ca_file: "$LAB_CA"}}}
  dns: {prober: dns, timeout: 5s, dns: {query_name: "good.example", query_type: "MX"}}
  http: {prober: http, timeout: 5s, http: {valid_status_codes: [200]}}
  icmp: {prober: icmp, timeout: 5s}
CONF
prometheus-blackbox-exporter --config.file="$work/blackbox.yml" --web.listen-address=127.0.0.1:9115 \
	>"$work/blackbox.out" 2>&1 &
exporter=$!
blackbox() { curl -s "http://127.0.0.1:9115/probe?module=$1&target=$2"; } # MODULE TARGET
for _ in $(seq 300); do
	curl -sf -o /dev/null http://127.0.0.1:9115/-/healthy && break
	sleep 0.1
done

out=$work/said table=$work/table why='' what=''
{
	echo '| | mxprobe | check_smtp | swaks | posttls-finger | blackbox_exporter |'
	echo '| --- | --- | --- | --- | --- | --- |'
} >"$table"
judge() { # of the cell before
	[ -n "$what" ] || return
	if [ -z "$why" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $what: $why"
		sed 's/^/  /' "$out" | tail -n 20
		sed -n "$((mark + 1)),\$s/^/  /p" "$work/lab.log"
	fi
	what='' why=''
}
wrong() { why="${why:+$why; }$*"; }
row() {
	judge
	title=$1 column=0
	[ "$(tail -c 1 "$table")" = '' ] || echo >>"$table"
	printf '| %s |' "$1" >>"$table"
}
cell() {
	judge
	column=$((column + 1))
	what="$title, $(echo mxprobe check_smtp swaks posttls-finger blackbox_exporter | cut -d' ' -f$column) ($1)"
	printf ' %s |' "$1" >>"$table"
	[ $column != 5 ] || echo >>"$table"
}
run() {
	mark=$(wc -l <"$work/lab.log")
	"$@" >"$out" 2>&1 </dev/null
	status=$?
}
says() { grep -qE -- "$1" "$out" || wrong "it does not say $1"; }
silent() { ! grep -qE -- "$1" "$out" || wrong "it says $1"; }
ends() { [ "$status" = "$1" ] || wrong "exit $status instead of $1"; }
fails() { [ "$status" != 0 ] || wrong "exit 0"; }
log() { # until every session has ended, or 2 s
	for _ in $(seq 20); do
		sed -n "$((mark + 1)),\$p" "$work/lab.log" >"$work/part"
		[ "$(grep -c ^connect "$work/part")" -le "$(grep -c ^end "$work/part")" ] && break
		sleep 0.1
	done
	cat "$work/part"
}
met() { log | grep -qE -- "$1" || wrong "no server saw $1"; }
unmet() { ! log | grep -qE -- "$1" || wrong "a server saw $1"; }
sessions() { [ "$(log | grep -c '^connect ')" = "$1" ] || wrong "$(log | grep -c '^connect ') sessions instead of $1"; }

## Whom it asks

row 'Finds the MX hosts of a domain'
cell yes
run mxprobe good.example
ends 0; met '^question good.example MX'; met '^connect 127.31.0.2 '
cell no
run check_smtp -H good.example
fails; unmet ' MX '; sessions 0
cell yes
run swaks --to a@good.example --quit-after MAIL
ends 0; met '^question good.example MX'; met '^connect 127.31.0.2 '
cell yes
run posttls-finger good.example
ends 0; met '^question good.example MX'; met '^connect 127.31.0.2 '
cell no
run blackbox mail good.example:25
says '^probe_success 0'; unmet ' MX '; sessions 0

row 'Contacts'
cell 'every address of every MX host'
run mxprobe pool.example
says '127.30.0.1 .*down/refused'; met '^connect 127.30.0.2 '; met '^connect 127.30.0.3 '; met '^connect 127.30.0.4 '; sessions 3
cell "a host's first address that answers"
run check_smtp -H mx1.pool.example
ends 0; met '^connect 127.30.0.2 '; sessions 1
cell "the first MX host's first address"
run swaks --to a@pool.example --quit-after MAIL
fails; says 'mx1.pool.example:25'; says 'Connection refused'; sessions 0
run swaks --to a@dead.example --quit-after MAIL
fails; says 'Connection refused'; sessions 0
cell 'the first address that answers'
run posttls-finger dead.example
says '127.30.0.1.*Connection refused'; met '^connect 127.30.0.4 '; sessions 1
run posttls-finger pool.example
sessions 1
cell "a host's first address"
run blackbox mail mx2.pool.example:25
sessions 1
run blackbox mail mx1.pool.example:25
says '^probe_success 0'; sessions 0

row 'Many domains in one run'
cell '`-i`'
printf '%s\n' good.example pair.example >"$work/list"
run mxprobe -i "$work/list"
ends 0; met '^connect 127.31.0.2 '; met '^connect 127.31.0.6 '
cell no
run check_smtp -H mx.good.example -H mx.pair.example
sessions 1
cell no
run swaks --to a@good.example,a@pair.example --quit-after MAIL
sessions 1
cell no
run posttls-finger good.example pair.example
sessions 1
cell 'one a request'
run blackbox mail mx.good.example:25
says '^probe_success 1'; sessions 1

row 'Servers behind one address'
cell '`-n`'
run mxprobe -n 4 --interval 0 --json pair.example
sessions 4; says 'one.pair.example","sessions":2'; says 'two.pair.example","sessions":2'
cell no
run check_smtp -H mx.pair.example
sessions 1
cell no
run swaks --to a@pair.example --quit-after MAIL
sessions 1
cell '`-r`, one after the other'
run posttls-finger -r 1 -m 2 -l may pair.example
met '^connect .* 127.31.0.6|^connect 127.31.0.6'; says 'one.pair.example ESMTP'; says 'two.pair.example ESMTP'
cell no
run blackbox mail mx.pair.example:25
sessions 1

## What it finds out

row 'Notices a refusal of `MAIL FROM`'
cell yes
run mxprobe full.example
ends 2; met ' MAIL FROM:'; says 'exhausted/memory'
cell 'with `-C` and `-R`, not with `-f`'
run check_smtp -H mx.full.example -f a@example.test
ends 0; met ' MAIL FROM:'; says 'SMTP OK'
run check_smtp -H mx.full.example -C 'MAIL FROM:<>' -R 250
ends 1; met ' MAIL FROM:'; says '452 4.3.1 Out of memory'
cell yes
run swaks --to a@full.example --from '<>' --quit-after MAIL
ends 23; met ' MAIL FROM:'; says '452 4.3.1 Out of memory'
cell 'does not ask'
run posttls-finger full.example
ends 0; unmet ' MAIL FROM:'
cell 'with a script'
run blackbox mail mx.full.example:25
says '^probe_success 0'; met ' MAIL FROM:'

row 'Tells a full server from a blocked client'
cell 'class and reason'
run mxprobe refused.example
ends 2; says 'rejected/policy'
run mxprobe full.example
ends 2; says 'exhausted/memory'
cell 'shows the reply'
run check_smtp -H mx.refused.example -C 'MAIL FROM:<>' -R 250
ends 1; says '554 5.7.1 Service unavailable' # the same state as with 452
cell 'shows the reply'
run swaks --to a@refused.example --from '<>' --quit-after MAIL
ends 23; says '554 5.7.1 Service unavailable' # the same status as with 452
cell no
run posttls-finger refused.example
ends 0; silent 554
cell no
run blackbox mail mx.refused.example:25
says '^probe_success 0'; silent '554|blocked' # the same metrics as with 452

row 'Times'
cell 'each phase'
run mxprobe --json good.example
says '"connect_ms":[0-9.]+,"first_byte_ms":[0-9.]+,"banner_ms":[0-9.]+,"ehlo_ms":[0-9.]+,"starttls_ms":[0-9.]+,"tls_ms":[0-9.]+,"mail_ms":[0-9.]+'
cell 'the whole'
run check_smtp -H mx.good.example
says '\|time=[0-9.]+s'
cell 'each reply, `--show-time-lapse`'
run swaks --to a@good.example --quit-after MAIL --show-time-lapse
says 'response in [0-9.]+s'
cell no
run posttls-finger good.example
silent '[0-9]\.[0-9]+ ?s|seconds'
cell 'DNS, and the whole'
run blackbox mail mx.good.example:25
says '^probe_dns_lookup_time_seconds [0-9]'; says '^probe_duration_seconds [0-9]'; silent phase

row 'STARTTLS'
cell yes
run mxprobe --tls require good.example
ends 0; met '^secured '
cell '`-S`'
run check_smtp -S -H mx.good.example
ends 0; met '^secured '
cell '`--tls`'
run swaks --tls --to a@good.example --quit-after MAIL
ends 0; met '^secured '
cell yes
run posttls-finger -l encrypt good.example
ends 0; met '^secured '
cell 'with a script'
run blackbox tls mx.good.example:25
says '^probe_success 1'; met '^secured '

row 'Verifies the certificate'
cell '`--tls verify`'
run mxprobe --tls verify good.example
ends 0
run mxprobe --tls verify other.example
ends 2; says 'broken/certificate'
run mxprobe --tls verify self.example
ends 2; says 'broken/certificate'
cell no
run check_smtp -S -H mx.other.example
ends 0
run check_smtp -S -H mx.self.example
ends 0
cell '`--tls-verify`: the chain, not the name'
run swaks --tls --tls-verify --tls-ca-path "$LAB_CA" --to a@good.example --quit-after MAIL
ends 0
run swaks --tls --tls-verify --tls-ca-path "$LAB_CA" --to a@other.example --quit-after MAIL
ends 0
run swaks --tls --tls-verify --tls-ca-path "$LAB_CA" --to a@self.example --quit-after MAIL
ends 29; says 'certificate verify failed'
cell '`-l secure`'
run posttls-finger -F "$LAB_CA" -l secure good.example
says 'Verified TLS connection'
run posttls-finger -F "$LAB_CA" -l secure other.example
says 'verification failed.*hostname mismatch'
run posttls-finger -F "$LAB_CA" -l secure self.example
says 'verification failed.*self-signed certificate'
cell yes
run blackbox tls mx.good.example:25
says '^probe_success 1'
run blackbox tls mx.other.example:25
says '^probe_success 0'
run blackbox tls mx.self.example:25
says '^probe_success 0'

row 'Days a certificate is good for'
cell '`-D`'
run mxprobe --nagios -D 14,7 good.example
ends 0; says 'cert_days=[0-9]+'
run mxprobe --nagios -D 900 good.example
ends 1
cell '`-D`'
run check_smtp -S -D 14,7 -H mx.good.example
ends 0; says 'will expire on'
run check_smtp -S -D 900 -H mx.good.example
ends 1
cell 'keeps it, `--tls-get-peer-cert`'
run swaks --tls --tls-get-peer-cert "$work/peer.pem" --to a@good.example --quit-after MAIL
ends 0; silent 'expire|notAfter|days'
grep -q 'BEGIN CERTIFICATE' "$work/peer.pem" || wrong "no certificate kept"
cell 'prints it, `-C`'
run posttls-finger -C good.example
says 'BEGIN CERTIFICATE'; silent 'expire|notAfter|days'
cell yes
run blackbox tls mx.good.example:25
says '^probe_ssl_earliest_cert_expiry [0-9.e+]+'

row 'DANE'
cell '`--tls dane`'
run mxprobe --tls dane good.example
ends 0; met 'TLSA'
run mxprobe --tls dane forged.example
ends 2; says 'broken/certificate'
cell no
run check_smtp -S -H mx.forged.example
ends 0; unmet TLSA
cell no
run swaks --tls --tls-verify --tls-ca-path "$LAB_CA" --to a@forged.example --quit-after MAIL
ends 0; unmet TLSA
cell '`-l dane`'
run posttls-finger -o smtp_dns_support_level=dnssec -l dane good.example
says 'Verified TLS connection'; met TLSA
run posttls-finger -o smtp_dns_support_level=dnssec -l dane forged.example
says 'no matching DANE TLSA records'
cell no
run blackbox tls mx.forged.example:25
says '^probe_success 1'; unmet TLSA

row 'MTA-STS'
cell '`--mta-sts`'
run mxprobe --mta-sts good.example
met '^question _mta-sts.good.example TXT'; met '^question mta-sts.good.example A'
cell no
run check_smtp -S -H mx.good.example
unmet mta-sts
cell no
run swaks --tls --to a@good.example --quit-after MAIL
unmet mta-sts
cell no
run posttls-finger -F "$LAB_CA" -l secure good.example
unmet mta-sts
cell no
run blackbox tls mx.good.example:25
unmet mta-sts

## How it tells

row 'Plugin for Nagios and its like'
cell yes
run mxprobe --nagios full.example
ends 2; says '^MXPROBE CRITICAL - .* \| healthy=0;'
cell yes
run check_smtp -H mx.good.example
ends 0; says '^SMTP OK - .*\|time='
cell no
run swaks --to a@good.example --quit-after MAIL
silent '\|[a-z]+='
cell no
run posttls-finger good.example
silent '\|[a-z]+='
cell no
run blackbox mail mx.good.example:25
silent '\|[a-z]+='

row 'Metrics for Prometheus'
cell 'as a file'
run mxprobe --prometheus good.example
says '^mxprobe_up\{domain="good.example"\} 1'
cell no
run check_smtp --help
silent '[Pp]rometheus'
cell no
run swaks --help
silent '[Pp]rometheus'
cell no
run posttls-finger good.example
silent '^# (HELP|TYPE)'
cell yes
run blackbox mail mx.good.example:25
says '^# TYPE probe_success gauge'

row 'JSON'
cell '`--json`'
run mxprobe --json good.example
says '^\{"schema":"mxprobe/1"'
cell no
run check_smtp --help
silent '[Jj][Ss][Oo][Nn]'
cell no
run swaks --help
silent '[Jj][Ss][Oo][Nn]'
cell no
run posttls-finger -J good.example
fails; says 'invalid option'
cell no
run curl -s 'http://127.0.0.1:9115/probe?module=mail&target=mx.good.example:25&format=json'
silent '^\{'

## What it does besides

row '`RCPT`, `DATA`, a whole mail'
cell never
run mxprobe -n 2 --interval 0 good.example
unmet ' (RCPT|DATA)'
cell 'any command, `-C`'
run check_smtp -H mx.good.example -C 'MAIL FROM:<>' -R 250 -C 'RCPT TO:<a@good.example>' -R 250
ends 0; met ' RCPT TO:'
cell yes
run swaks --to a@good.example
met ' RCPT TO:'; met ' DATA'
cell no
run posttls-finger good.example
unmet ' (RCPT|DATA)'
cell 'with a script'
run blackbox rcpt mx.good.example:25
says '^probe_success 1'; met ' RCPT TO:'

row '`AUTH`'
cell no
run mxprobe good.example
unmet ' AUTH '
cell 'LOGIN'
run check_smtp -H mx.good.example -A LOGIN -U user -P secret
met ' AUTH LOGIN'
run check_smtp -H mx.good.example -A PLAIN -U user -P secret
fails; unmet ' AUTH PLAIN'
cell 'PLAIN, LOGIN and others'
run swaks --to a@good.example --auth PLAIN --auth-user user --auth-password secret
met ' AUTH PLAIN'
run swaks --to a@good.example --auth LOGIN --auth-user user --auth-password secret
met ' AUTH LOGIN'
cell no
run posttls-finger good.example
unmet ' AUTH '
cell 'with a script'
run blackbox auth mx.good.example:25
says '^probe_success 1'; met ' AUTH PLAIN'

row 'Other protocols'
cell no
run mxprobe good.example
unmet ' LHLO '
cell 'LMTP'
run check_smtp -L -H mx.good.example
met ' LHLO '
cell 'LMTP'
run swaks --protocol LMTP -p 25 --to a@good.example --quit-after MAIL
met ' LHLO '
cell 'LMTP'
run posttls-finger -S mx.good.example:25
met ' LHLO '
cell 'HTTP, DNS, ICMP, TCP'
run blackbox dns 127.0.0.1
says '^probe_success 1'; met '^question good.example MX'
run blackbox http http://127.0.0.1:9115/-/healthy
says '^probe_success 1'
run blackbox icmp 127.0.0.1
says '^probe_success 1'

judge
kill $exporter && wait $exporter 2>/dev/null

# The README has this table, and no other of its kind.
title='the table in README.md' what=$title mark=$(wc -l <"$work/lab.log")
sed -n '/^| | mxprobe | check_smtp /,/^$/p' "$repo/README.md" | sed '/^$/d' >"$work/readme"
diff "$work/readme" "$table" >"$out" || wrong "it is not what was found; it should be:"
judge
cmp -s "$work/readme" "$table" || cat "$table"

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
exit

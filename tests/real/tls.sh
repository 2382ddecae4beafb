# Read by inside.sh: TLS against real servers. Postfix with STARTTLS, its TLSA records in a zone that
# ldns-signzone signed, served by NSD and validated by Unbound; MTA-STS policies from nginx.
# posttls-finger, Postfix's own diagnostic client, is asked for its opinion of the same hosts.
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
		sed 's/^/  /' "$work/json" "$work/err" 2>/dev/null
	fi
}
probe() {
	SSL_CERT_FILE=$work/ca.pem "$work/mxprobe" --json "$@" >"$work/json" 2>"$work/err"
	status=$?
}
ends() { [ "$status" = "$1" ] || wrong "exit $status instead of $1"; }
says() {
	for text; do
		grep -qF -- "$text" "$work/json" || wrong "no $text"
	done
}
says_not() {
	for text; do
		grep -qF -- "$text" "$work/json" && wrong "$text"
	done
}
class() { says "\"class\":\"${1%/*}\",\"reason\":\"${1#*/}\",\"phase\":\"$2\""; }
die() { echo "cannot set the servers up: $*" >&2; exit 1; }

## The network: one machine, whose resolver listens on loopback and off it

hostname probe.example.test
ip link set lo up
for host in 25 26 27 28 29 53 54 80 81; do
	ip address add "198.51.100.$host/32" dev lo
done
printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >/etc/hosts
rm -f /etc/resolv.conf
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
printf '%s\n' 'hosts: files dns' 'passwd: files' 'group: files' >/etc/nsswitch.conf
id=64100
for user in postfix postdrop; do
	id=$((id + 1))
	grep -q "^$user:" /etc/group || echo "$user:x:$id:" >>/etc/group
	grep -q "^$user:" /etc/passwd ||
		echo "$user:x:$id:$(sed -n "s/^$user:[^:]*:\([0-9]*\):.*/\1/p" /etc/group):$user:/nonexistent:/bin/false" >>/etc/passwd
done
start() {
	start_name=$1
	shift
	"$@" >"$work/$start_name.out" 2>&1 &
	started=$!
}
listening() { # ADDRESS:PORT
	for _ in $(seq 100); do
		[ -n "$(ss -Hlntu "src $1")" ] && return
		kill -0 "$started" 2>/dev/null || break
		sleep 0.1
	done
	cat "$work/$start_name.out" /var/log/unbound.log /var/log/nsd.log /var/log/mail.log 2>/dev/null
	die "$start_name does not listen at $1"
}

## Certificates, by a CA of our own

mkdir "$work/ca" && cd "$work/ca" || die "no folder"
cat >conf <<'CONF'
[req]
distinguished_name = dn
[dn]
[ca]
default_ca = ours
[ours]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
CONF
: >index
echo 01 >serial
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=test CA' \
	-config conf -extensions authority -keyout ca.key -out "$work/ca.pem" 2>err || die "$(cat err)"
# certificate FILE NAMES [START END]: NAMES as in subjectAltName
certificate() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -config conf \
		-addext "subjectAltName=$2" -keyout "$1.key" -out "$1.req" 2>err &&
		openssl ca -batch -config conf -cert "$work/ca.pem" -keyfile ca.key -notext -in "$1.req" \
			-out "$1.pem" -startdate "${3:-$(date -u -d yesterday +%Y%m%d%H%M%SZ)}" \
			-enddate "${4:-$(date -u -d '+20 days' +%Y%m%d%H%M%SZ)}" 2>>err ||
		die "$(cat err)"
	cat "$1.key" "$1.pem" "$work/ca.pem" >"$1.chain"
}
certificate mx DNS:mx.signed.test,DNS:mx.ta.signed.test,DNS:mx.plain.test
certificate old DNS:old.signed.test,DNS:old.plain.test 20200101000000Z 20200201000000Z
policy_hosts=
for domain in enforced mismatch badmx oldmx testing testingbad none redirect big html missing; do
	policy_hosts=$policy_hosts${policy_hosts:+,}DNS:mta-sts.$domain.plain.test
done
certificate policies "$policy_hosts,DNS:mta-sts.silent.plain.test,DNS:mta-sts.both.signed.test"
certificate oldpolicy DNS:mta-sts.expired.plain.test 20200101000000Z 20200201000000Z
certificate otherpolicy DNS:policies.elsewhere.test
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=nobody \
	-config conf -keyout self.key -out self.pem 2>err || die "$(cat err)"
cat self.key self.pem >self.chain

## The zones: signed.test, and plain.test, which is not

# sha256 FILE: of the public key, for TLSA 3 1 1 and 2 1 1
sha256() { openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | openssl sha256 | sed 's/.* //'; }
key=$(sha256 mx.pem) old=$(sha256 old.pem) self=$(sha256 self.pem)
authority=$(openssl x509 -in "$work/ca.pem" -outform DER | openssl sha256 | sed 's/.* //')
nothing=$(printf '%064d' 0)
head='$TTL 300
@ SOA ns hostmaster 1 3600 900 86400 300
@ NS ns
ns A 198.51.100.54'
mkdir "$work/zones" && cd "$work/zones" || die "no folder"
cat >signed.test <<ZONE
\$ORIGIN signed.test.
$head
mx		A	198.51.100.25
@		MX	10 mx
_25._tcp.mx	TLSA	3 1 1 $key
; the certificate of a CA: the one below it must have the name of the MX host
ta		MX	10 mx.ta
mx.ta		A	198.51.100.25
_25._tcp.mx.ta	TLSA	2 0 1 $authority
taname		MX	10 mx.taname
mx.taname	A	198.51.100.25
_25._tcp.mx.taname	TLSA	2 0 1 $authority
; a key that is not the server's
wrong		MX	10 mx.wrong
mx.wrong	A	198.51.100.25
_25._tcp.mx.wrong	TLSA	3 1 1 $nothing
several		MX	10 mx.several
mx.several	A	198.51.100.25
_25._tcp.mx.several	TLSA	3 1 1 $nothing
_25._tcp.mx.several	TLSA	3 1 1 $key
; neither dates nor names nor issuers matter with usage 3
old		MX	10 mx.old
mx.old		A	198.51.100.26
_25._tcp.mx.old	TLSA	3 1 1 $old
self		MX	10 mx.self
mx.self		A	198.51.100.27
_25._tcp.mx.self	TLSA	3 1 1 $self
none		MX	10 mx.none
mx.none		A	198.51.100.27
unusable	MX	10 mx.unusable
mx.unusable	A	198.51.100.27
_25._tcp.mx.unusable	TLSA	1 1 1 $nothing
plaintext	MX	10 mx.plaintext
mx.plaintext	A	198.51.100.28
_25._tcp.mx.plaintext	TLSA	3 1 1 $key
alias		MX	10 mx.alias
mx.alias	CNAME	mx
; an alias out of the zone, with records of its own
out		MX	10 mx.out
mx.out		CNAME	mx.plain.test.
_25._tcp.mx.out	TLSA	3 1 1 $nothing
; DANE and MTA-STS of one opinion about names, and of two about the certificate
both		MX	10 mx.self
_mta-sts.both	TXT	"v=STSv1; id=both"
mta-sts.both	A	198.51.100.80
; its signature will be broken
bogus		MX	10 mx.bogus
mx.bogus	A	198.51.100.25
_25._tcp.mx.bogus	TLSA	3 1 1 ${nothing%0}1
ZONE
{
	printf '%s\n' '$ORIGIN plain.test.' "$head"
	printf '%s\n' '@ MX 10 mx' 'mx A 198.51.100.25' 'old A 198.51.100.26' 'self A 198.51.100.27' \
		"_25._tcp.mx TLSA 3 1 1 $nothing"
	for pair in enforced:mx mismatch:mx badmx:self oldmx:old testing:mx testingbad:self none:self \
		redirect:mx big:mx html:mx missing:mx silent:mx expired:mx elsewhere:mx unannounced:self; do
		domain=${pair%:*}
		echo "$domain MX 10 ${pair#*:}"
		[ "$domain" = unannounced ] || echo "_mta-sts.$domain TXT \"v=STSv1; id=$domain\""
		[ "$domain" = silent ] && echo "mta-sts.$domain A 198.51.100.81" ||
			echo "mta-sts.$domain A 198.51.100.80"
	done
	echo 'malformed MX 10 mx'
	echo '_mta-sts.malformed TXT "v=STSv1; id=not good"'
} >plain.test
ksk=$(ldns-keygen -k -a ECDSAP256SHA256 signed.test) || die "ldns-keygen"
ldns-signzone -f signed.test.signed signed.test "$ksk" || die "ldns-signzone"
sed -i "s/${nothing%0}1/${nothing%0}2/" signed.test.signed
mkdir -p /etc/nsd /etc/unbound
cat >/etc/nsd/nsd.conf <<CONF
server:
	ip-address: 198.51.100.54
	username: ""
	database: ""
	logfile: /var/log/nsd.log
	pidfile: /run/nsd.pid
	zonesdir: $work/zones
	server-count: 1
remote-control:
	control-enable: no
zone:
	name: signed.test
	zonefile: signed.test.signed
zone:
	name: plain.test
	zonefile: plain.test
CONF
cat >/etc/unbound/unbound.conf <<CONF
server:
	interface: 127.0.0.1
	interface: 198.51.100.53
	access-control: 0.0.0.0/0 allow
	username: ""
	chroot: ""
	directory: /etc/unbound
	pidfile: ""
	use-syslog: no
	logfile: /var/log/unbound.log
	module-config: "validator iterator"
	trust-anchor-file: $work/zones/$ksk.key
	do-not-query-localhost: no
	num-threads: 1
	local-zone: "." static
	local-zone: "test." nodefault
	local-zone: "signed.test." transparent
	local-zone: "plain.test." transparent
remote-control:
	control-enable: no
stub-zone:
	name: signed.test
	stub-addr: 198.51.100.54
stub-zone:
	name: plain.test
	stub-addr: 198.51.100.54
CONF
start nsd nsd -d -c /etc/nsd/nsd.conf
listening 198.51.100.54:53
start unbound unbound -d -c /etc/unbound/unbound.conf
listening 198.51.100.53:53

## Postfix: a good certificate, an expired one, one of nobody's, none

rm -rf /etc/postfix/main.cf /etc/postfix/master.cf
mkdir -p /etc/postfix /var/lib/postfix /var/spool/postfix
cp "$work"/ca/*.chain /etc/postfix/
sed '/^smtpd_tls_chain_files/d' "$here/main.cf" >/etc/postfix/main.cf
echo 'smtpd_tls_chain_files = /etc/postfix/mx.chain' >>/etc/postfix/main.cf
{
	echo '198.51.100.25:smtp inet n - n - - smtpd'
	echo '198.51.100.26:smtp inet n - n - - smtpd'
	echo '  -o smtpd_tls_chain_files=/etc/postfix/old.chain'
	echo '198.51.100.27:smtp inet n - n - - smtpd'
	echo '  -o smtpd_tls_chain_files=/etc/postfix/self.chain'
	echo '198.51.100.28:smtp inet n - n - - smtpd'
	echo '  -o smtpd_tls_security_level=none'
	sed -n '/^cleanup /,$p' "$here/master.cf"
} >/etc/postfix/master.cf
chown postfix /var/lib/postfix
chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
chmod 2755 /usr/sbin/postdrop /usr/sbin/postqueue
postfix check >"$work/check" 2>&1 || { cat "$work/check"; die "Postfix does not like its configuration"; }
start postfix postfix start-fg
listening 198.51.100.25:25

## nginx: a policy host for each domain

mkdir -p /var/log/nginx /var/lib/nginx "$work/www"
policy() { # DOMAIN MODE MX...
	dir=$work/www/$1/.well-known
	mkdir -p "$dir"
	{
		printf 'version: STSv1\r\nmode: %s\r\nmax_age: 86400\r\n' "$2"
		shift 2
		[ $# = 0 ] || printf 'mx: %s\r\n' "$@"
	} >"$dir/mta-sts.txt"
}
policy enforced enforce '*.plain.test'
policy mismatch enforce other.plain.test '*.mx.plain.test'
policy badmx enforce self.plain.test
policy oldmx enforce old.plain.test
policy testing testing other.plain.test
policy testingbad testing self.plain.test
policy none none
policy both enforce mx.self.signed.test
policy html enforce mx.plain.test
policy expired enforce mx.plain.test
policy elsewhere enforce mx.plain.test
mkdir -p "$work/www/big/.well-known"
{ cat "$work/www/enforced/.well-known/mta-sts.txt"; head -c 10485760 /dev/zero | tr '\0' '\n'; } \
	>"$work/www/big/.well-known/mta-sts.txt"
{
	printf '%s\n' 'daemon off;' 'user root;' 'worker_processes 1;' "pid $work/nginx.pid;" \
		'error_log stderr;' 'events { worker_connections 64; }' 'http {' \
		"access_log $work/nginx.log combined;" 'types { text/plain txt; }'
	for domain in enforced mismatch badmx oldmx testing testingbad none big missing both; do
		echo "server { listen 198.51.100.80:443 ssl;
			server_name mta-sts.$domain.plain.test mta-sts.$domain.signed.test;
			ssl_certificate $work/ca/policies.chain; ssl_certificate_key $work/ca/policies.key;
			location = /hook { return 204; }
			location = /moved { return 307 /hook; }
			root $work/www/$domain; }"
	done
	echo "server { listen 198.51.100.80:443 ssl; server_name mta-sts.html.plain.test;
		ssl_certificate $work/ca/policies.chain; ssl_certificate_key $work/ca/policies.key;
		types { text/html txt; } root $work/www/html; }"
	echo "server { listen 198.51.100.80:443 ssl; server_name mta-sts.redirect.plain.test;
		ssl_certificate $work/ca/policies.chain; ssl_certificate_key $work/ca/policies.key;
		return 301 https://mta-sts.enforced.plain.test/.well-known/mta-sts.txt; }"
	for pair in expired:oldpolicy elsewhere:otherpolicy; do
		echo "server { listen 198.51.100.80:443 ssl; server_name mta-sts.${pair%:*}.plain.test;
			ssl_certificate $work/ca/${pair#*:}.chain; ssl_certificate_key $work/ca/${pair#*:}.key;
			root $work/www/${pair%:*}; }"
	done
	echo '}'
} >"$work/nginx.conf"
start nginx nginx -c "$work/nginx.conf"
listening 198.51.100.80:443
# It shakes hands and then says nothing.
sleep 3600 | openssl s_server -quiet -accept 198.51.100.81:443 \
	-cert "$work/ca/policies.pem" -key "$work/ca/policies.key" >"$work/silence.out" 2>&1 &
started=$! start_name=silence
listening 198.51.100.81:443

## DANE

# finger TARGET: does posttls-finger verify it? "yes", "no", or "error" when it would not deliver
finger() {
	posttls-finger -c -t 10 -l dane -L summary "$1" >"$work/finger" 2>&1
	if grep -q 'Verified TLS connection established' "$work/finger"; then
		echo yes
	elif grep -q 'TLS connection established' "$work/finger"; then
		echo no
	else
		echo error
	fi
}
# agree DOMAIN VERIFIED: posttls-finger thinks so, too
agree() {
	opinion=$(finger "$1")
	[ "$opinion" = "$2" ] || wrong "posttls-finger: $opinion instead of $2: $(tail -n 3 "$work/finger" | tr '\n' ' ')"
}

for domain in signed.test ta.signed.test several.signed.test old.signed.test self.signed.test alias.signed.test; do
	check "dane-$domain"
	probe --tls dane "$domain"
	ends 0
	class healthy/ok mail
	says '"authenticated":true' '"dane":true'
	agree "$domain" yes
	done_
done

for domain in wrong.signed.test taname.signed.test; do
	check "dane-$domain"
	probe --tls dane "$domain"
	ends 2
	class broken/certificate tls
	says '"authenticated":true' '"dane":false'
	agree "$domain" no
	done_
done

check dane-alias-out-of-zone
probe --tls dane out.signed.test
ends 2
class broken/certificate tls
says '"authenticated":false' '"dane":false'
agree out.signed.test no
done_

check dane-no-records
probe --tls dane none.signed.test
ends 0
class healthy/ok mail
says '"authenticated":true' '"dane":null'
agree none.signed.test no
done_

check dane-unusable-records
probe --tls dane unusable.signed.test
ends 0
class healthy/ok mail
says '"authenticated":true' '"dane":null' '"version":"TLSv1.3"'
done_

check dane-without-starttls
probe --tls dane plaintext.signed.test
ends 2
class broken/no-tls starttls
agree plaintext.signed.test error
done_

check dane-bogus-records
probe --tls dane bogus.signed.test
ends 3
class unresolved/servfail dns
says '"address":"198.51.100.25"' '"sessions":0'
agree bogus.signed.test error
done_

# TLSA records in a zone that nobody signed are no records.
check dane-insecure-zone
probe --tls dane plain.test
ends 0
class healthy/ok mail
says '"authenticated":false' '"dane":null'
agree plain.test no
done_

# The AD bit of a resolver that is not on loopback is anybody's word, unless it is said to be good.
check ad-of-a-resolver-elsewhere
probe --tls dane --resolver 198.51.100.53 wrong.signed.test
ends 0
says '"authenticated":false' '"dane":null'
done_

check ad-of-a-resolver-elsewhere-with-trust-ad
probe --tls dane --resolver 198.51.100.53 --trust-ad wrong.signed.test
ends 2
class broken/certificate tls
says '"authenticated":true' '"dane":false'
done_

check trust-ad-in-resolv.conf
echo 'nameserver 198.51.100.53' >/etc/resolv.conf
probe --tls dane wrong.signed.test
ends 0
says '"authenticated":false'
echo 'options trust-ad' >>/etc/resolv.conf
probe --tls dane wrong.signed.test
ends 2
says '"authenticated":true' '"dane":false'
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
done_

## Certificates, without DANE

check verify
probe --tls verify signed.test
ends 0
class healthy/ok mail
says '"verified":true' '"names":["mx.signed.test","mx.ta.signed.test","mx.plain.test"]'
done_

check verify-wrong-name
probe --tls verify wrong.signed.test
ends 2
class broken/certificate tls
says 'hostname mismatch'
done_

check verify-self-signed
probe --tls verify '[self.plain.test]'
ends 2
class broken/certificate tls
says '"error":"self-signed certificate"'
done_

check verify-expired
probe --tls verify '[old.plain.test]'
ends 2
class broken/certificate tls
says '"error":"certificate has expired"' '"code":"certificate-expiring"'
done_

## MTA-STS

sts() { probe --mta-sts "$1.plain.test"; }
if ! SSL_CERT_FILE=$work/ca.pem "$work/mxprobe" --mta-sts --version >"$work/out" 2>&1; then
	echo "skipped: MTA-STS: $(head -n 1 "$work/out")"
else

check sts-enforced
sts enforced
ends 0
class healthy/ok mail
says '"mta_sts":{"id":"enforced","mode":"enforce","max_age":86400,"mx":["*.plain.test"],"error":null}' '"verified":true'
says_not '"code":"mta-sts'
done_

check sts-mismatch
sts mismatch
ends 2
class broken/certificate connect
says '"sessions":0' '"error":"the MTA-STS policy does not list this host"' '"mx":["other.plain.test","*.mx.plain.test"]'
done_

check sts-enforced-self-signed
sts badmx
ends 2
class broken/certificate tls
says '"verified":false' '"mode":"enforce"'
done_

check sts-enforced-expired
sts oldmx
ends 2
class broken/certificate tls
says '"error":"certificate has expired"'
done_

check sts-testing
sts testing
ends 0
class healthy/ok mail
says '"mode":"testing"' '"code":"mta-sts-testing","message":"the MTA-STS policy under test does not list mx.plain.test"'
done_

check sts-testing-self-signed
sts testingbad
ends 0
class healthy/ok mail
says '"code":"mta-sts-testing"' 'would fail the MTA-STS policy under test: self-signed certificate'
done_

# Where DANE is in force it goes before (RFC 8461 2): the certificate of nobody's matches its record.
check sts-and-dane
probe --tls dane --mta-sts both.signed.test
ends 0
class healthy/ok mail
says '"dane":true' '"mode":"enforce"'
probe --mta-sts both.signed.test
ends 2
class broken/certificate tls
done_

check sts-none
sts none
ends 0
class healthy/ok mail
says '"mode":"none"' '"mx":[]'
says_not '"code":"mta-sts'
done_

check sts-unannounced
sts unannounced
ends 0
class healthy/ok mail
says '"mta_sts":{"id":null,"mode":null,"max_age":null,"mx":null,"error":null}'
says_not '"code":"mta-sts'
done_

check sts-malformed
sts malformed
ends 0
says '"error":"the record that announces the policy is malformed"' '"code":"mta-sts"'
done_

# cannot DOMAIN WORDS: the policy cannot be had, which is warned about, and mail goes as ever
cannot() {
	check "sts-$1"
	sts "$1"
	ends 0
	class healthy/ok mail
	says "\"id\":\"$1\",\"mode\":null" '"code":"mta-sts","message":"MTA-STS: the policy '
	says "$2"
	done_
}
cannot expired 'certificate has expired'
cannot elsewhere "no alternative certificate subject name matches target host name"
cannot redirect 'HTTP status 301'
cannot missing 'HTTP status 404'
cannot html 'the policy is not text/plain'
cannot big 'the answer is too long'
cannot silent 'timed out'

check sts-policies-are-fetched-politely
: >"$work/err"
cut -d '"' -f 2,6 "$work/nginx.log" | sort -u >"$work/json"
[ "$(cat "$work/json")" = "GET /.well-known/mta-sts.txt HTTP/1.1\"mxprobe/$("$work/mxprobe" --version | sed 's/.* //')" ] ||
	wrong "not one kind of request"
done_

# webhook PATH: one result is sent there
webhook() {
	: >"$work/nginx.log"
	probe --webhook "https://mta-sts.enforced.plain.test/$1" --webhook-on always unannounced.plain.test
	ends 0
	class healthy/ok mail
}
check webhook
webhook hook
[ -s "$work/err" ] && wrong "it failed"
grep -q '"POST /hook HTTP/1.1" 204' "$work/nginx.log" || wrong "nothing came"
done_

check webhook-redirect
webhook moved
grep -q 'answered 307, a redirect, which is not followed' "$work/err" || wrong "nothing was said"
grep -q 'POST /hook' "$work/nginx.log" && wrong "it was followed"
done_

# Nothing is shown to a receiver that nobody can trust.
check webhook-untrusted
: >"$work/nginx.log"
SSL_CERT_FILE=$work/ca/self.pem "$work/mxprobe" --json --webhook https://mta-sts.enforced.plain.test/hook \
	--webhook-on always unannounced.plain.test >"$work/json" 2>"$work/err"
status=$?
ends 0
grep -q 'not delivered: unannounced.plain.test: SSL certificate problem' "$work/err" || wrong "nothing was said"
[ -s "$work/nginx.log" ] && wrong "something came"
done_

# A policy that nobody can trust is none.
check sts-untrusted
SSL_CERT_FILE=$work/ca/self.pem "$work/mxprobe" --json --mta-sts enforced.plain.test >"$work/json" 2>"$work/err"
status=$?
ends 0
says '"mode":null' 'SSL certificate problem'
done_

check sts-public-only
probe --mta-sts --public-only enforced.plain.test
says '"error":"the policy cannot be fetched: mta-sts.enforced.plain.test has no public address"'
done_

check sts-several-at-once
probe --mta-sts enforced.plain.test testing.plain.test mismatch.plain.test none.plain.test
ends 2
[ "$(grep -c '"verdict":"healthy"' "$work/json")" = 3 ] || wrong "not three healthy targets"
done_
fi

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
exit

# Read by inside.sh: two machines, names, certificates, and the servers.
#
#   north: the client, 192.0.2.1 and .9, 2001:db8:1::1 and ::9; here mxprobe runs
#   south: router and servers, 198.51.100.0/24 and 2001:db8:2::/64, and what leads nowhere behind it:
#     203.0.113.0/26, 2001:db8:3::/48    packets vanish
#     203.0.113.128/26, 2001:db8:4::/48  the router says: no such host
#     203.0.113.192/26, 2001:db8:5::/48  the router says: not allowed
#     203.0.113.64/26 and 192.0.2.77     nobody; 2001:db8:dead::/48 has no route at all

die() { echo "cannot set the servers up: $*" >&2; exit 1; }

unshare --net sleep 3600 &
south_pid=$!
south() { nsenter --net="/proc/$south_pid/ns/net" "$@"; }
for _ in 1 2 3 4 5 6 7 8 9 10; do # until it has left this network
	[ "$(readlink /proc/$south_pid/ns/net)" != "$(readlink /proc/self/ns/net)" ] && break
	sleep 0.1
done

hostname probe.example.test
ip link set lo up
ip link add name north type veth peer name south netns "$south_pid"
ip link set north up
ip address add 192.0.2.1/24 dev north
ip address add 192.0.2.9/24 dev north
south ip link set lo up
south ip link set south up
south ip address add 192.0.2.254/24 dev south
south sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ip route add 198.51.100.0/24 via 192.0.2.254
ip route add 203.0.113.0/24 via 192.0.2.254
south ip route add blackhole 203.0.113.0/26
south ip route add unreachable 203.0.113.128/26
south ip route add prohibit 203.0.113.192/26
for host in 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 53 54 60 61 62 70 99; do
	south ip address add "198.51.100.$host/32" dev lo
done
[ -e /proc/net/if_inet6 ] || die "no IPv6 here"
echo 0 >/proc/sys/net/ipv6/conf/north/disable_ipv6
south sh -c 'for f in lo south; do echo 0 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done'
south sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
ip address add 2001:db8:1::1/64 dev north nodad
ip address add 2001:db8:1::9/64 dev north nodad preferred_lft 0
south ip address add 2001:db8:1::fe/64 dev south nodad
ip route add 2001:db8:2::/64 via 2001:db8:1::fe
ip route add 2001:db8:3::/48 via 2001:db8:1::fe
ip route add 2001:db8:4::/47 via 2001:db8:1::fe
south ip route add blackhole 2001:db8:3::/48
south ip route add unreachable 2001:db8:4::/48
south ip route add prohibit 2001:db8:5::/48
for host in 25 26 60 99; do
	south ip address add "2001:db8:2::$host/128" dev lo nodad
done

printf '%s\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost' >/etc/hosts
rm -f /etc/resolv.conf
echo 'nameserver 198.51.100.53' >/etc/resolv.conf
printf '%s\n' 'hosts: files dns' 'passwd: files' 'group: files' >/etc/nsswitch.conf

# The users that the packages' scripts would have made.
id=64100
for name in postfix postdrop Debian-exim opensmtpd opensmtpq; do
	id=$((id + 1))
	grep -q "^$name:" /etc/group || echo "$name:x:$id:" >>/etc/group
	grep -q "^$name:" /etc/passwd ||
		echo "$name:x:$id:$(sed -n "s/^$name:[^:]*:\([0-9]*\):.*/\1/p" /etc/group):$name:/nonexistent:/bin/false" >>/etc/passwd
done

openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mx.example.test \
	-keyout "$work/key.pem" -out "$work/certificate.pem" 2>"$work/openssl" || die "$(cat "$work/openssl")"

# In the background, with what it says in a file that is shown should the server not come up.
start() {
	start_name=$1
	shift
	south "$@" >"$work/$start_name.out" 2>&1 &
	started=$!
}
listening() { # ADDRESS:PORT
	for _ in $(seq 100); do
		[ -n "$(south ss -Hlntu "src $1")" ] && return
		kill -0 "$started" 2>/dev/null || break
		sleep 0.1
	done
	cat "$work/$start_name.out" /var/log/unbound.log /var/log/nsd.log /var/log/mail.log 2>/dev/null || :
	die "$start_name does not listen at $1"
}

rm -rf /etc/nsd /etc/unbound /etc/postfix/main.cf /etc/postfix/master.cf
mkdir -p /etc/nsd /etc/unbound /etc/postfix /var/lib/nsd /var/lib/postfix /var/spool/postfix /var/log/exim4
rm -f /var/log/mail.log
cp "$here/nsd.conf" /etc/nsd/
{
	cat "$here/example.test.zone"
	# An answer that does not fit into a datagram.
	for i in $(seq 60); do
		echo "many MX $i a-rather-long-name-of-a-mail-exchanger-number-$i.many"
		echo "a-rather-long-name-of-a-mail-exchanger-number-$i.many A 198.51.100.25"
	done
} >/etc/nsd/example.test.zone
cp "$here/unbound.conf" /etc/unbound/
start nsd nsd -d -c /etc/nsd/nsd.conf
listening 198.51.100.54:53
start unbound unbound -d -c /etc/unbound/unbound.conf
listening 198.51.100.53:53

cp "$here/main.cf" "$here/master.cf" "$work/key.pem" "$work/certificate.pem" /etc/postfix/
chown postfix /var/lib/postfix
chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
chmod 2755 /usr/sbin/postdrop /usr/sbin/postqueue
postfix check >"$work/check" 2>&1 || { cat "$work/check"; die "Postfix does not like its configuration"; }
start postfix postfix start-fg
listening 198.51.100.25:25

exim=
if command -v exim4 >/dev/null; then
	exim=1
	mkdir -p /etc/exim4 /var/spool/exim4
	chown Debian-exim /var/spool/exim4 /var/log/exim4
	cp "$here/exim4.conf" "$work/certificate.pem" "$work/key.pem" /etc/exim4/
	chown Debian-exim /etc/exim4/key.pem
	start exim exim4 -bdf
	listening 198.51.100.60:25
	start exim-full exim4 -bdf -oX 198.51.100.61 -DADDRESSES=198.51.100.61 -DSPACE=1000G
	listening 198.51.100.61:25
	start exim-count exim4 -bdf -DADDRESSES=198.51.100.62 -DPER_HOST=1
	listening 198.51.100.62:25
fi
opensmtpd=
if [ -x /usr/sbin/smtpd ]; then
	opensmtpd=1
	mkdir -p /run/opensmtpd /var/lib/opensmtpd/empty
	rm -rf /var/spool/smtpd
	mkdir -m 711 /var/spool/smtpd
	cp "$here/smtpd.conf" /etc/smtpd.conf
	chmod 600 /etc/smtpd.conf
	start opensmtpd /usr/sbin/smtpd -d -f /etc/smtpd.conf
	listening 198.51.100.70:25
fi

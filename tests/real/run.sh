#!/bin/sh
# mxprobe against real servers: Postfix, Exim and OpenSMTPD, with Unbound and NSD for DNS; its TLS against
# signed zones, Postfix, and nginx with MTA-STS policies; and in real
# monitoring systems: Nagios, Icinga, node_exporter and Prometheus, with the lab's servers (MXPROBE's
# folder holds the lab, too); and beside other tools: the table in README.md.
#   run.sh [--fetch] MXPROBE      ONLY=mail, tls, monitoring or compare is one part of it
#
# Nothing of this machine is touched. The servers live in namespaces of their own (processes, network,
# mounts, host name), on an overlay over /etc, /usr and /var that is held in memory, so that port 25,
# port 53 and /etc/resolv.conf are real and all of it is gone when the last process ends, however it
# ends. Servers that are not installed are not installed here either: with --fetch, or CI=true, their
# packages are downloaded to a folder beside MXPROBE and unpacked on the overlay.
set -u

skip() { echo "skipped: $*"; exit 0; }

fetch=
[ "${CI:-}" = true ] && fetch=1
[ "${1:-}" = --fetch ] && { fetch=1; shift; }
[ $# = 1 ] || { echo "usage: $0 [--fetch] MXPROBE" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mxprobe=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
[ -x "$mxprobe" ] || { echo "$1: no program there" >&2; exit 2; }
PATH=$PATH:/usr/sbin:/sbin

[ "$(uname -s)" = Linux ] || skip "namespaces are a matter of Linux"
[ "$(id -u)" = 0 ] || skip "making namespaces and binding port 25 needs root"
for tool in unshare nsenter ip ss mount dpkg; do
	command -v $tool >/dev/null || skip "no $tool here"
done

work=$(mktemp -d /tmp/mxprobe-real.XXXXXX) || exit 2
child=
finish() {
	trap - EXIT INT TERM HUP
	# The first process of the namespace dies with unshare, and everything in it dies with that one.
	if [ -n "$child" ]; then
		kill -KILL "$child" 2>/dev/null && wait "$child" 2>/dev/null
	fi
	rmdir "$work" 2>/dev/null || rm -rf "$work"
	exit "$1"
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM HUP

# In the background and waited for, so that a signal is acted on at once.
inside() {
	unshare --mount --pid --fork --kill-child --propagation private --mount-proc "$@" &
	child=$!
	wait "$child"
	status=$?
	child=
	return $status
}

inside --net --uts sh "$here/inside.sh" can "$work" >/dev/null 2>&1 ||
	skip "namespaces or overlay file systems cannot be made here"

# Which packages are not installed, by a command of theirs.
missing() {
	for pair; do
		command -v "${pair%%:*}" >/dev/null || printf '%s ' "${pair#*:}"
	done
}

# suite MODE FOLDER LACKING WELCOME: checks of one kind, with packages that are needed but not installed,
# and some whose checks are passed over without them. True also when it was skipped.
suite() {
	mode=$1 packages=$(dirname "$mxprobe")/$2 lacking=$3 welcome=$4
	if [ -n "$lacking$welcome" ] && [ -n "$fetch" ]; then
		command -v apt-get >/dev/null || {
			echo "skipped: $mode: not installed: $lacking$welcome(and no apt-get to fetch them)"
			return
		}
		mkdir -p "$packages"
		# shellcheck disable=SC2086 # a list of names
		inside sh "$here/inside.sh" fetch "$work" "$packages" $lacking $welcome || {
			echo "skipped: $mode: these packages cannot be fetched: $lacking$welcome"
			return 0
		}
	elif [ -n "$lacking" ] && [ ! -e "$packages/complete" ]; then
		echo "skipped: $mode: not installed: $lacking(CI=true, or --fetch, unpacks them where nothing else sees them)"
		return
	fi
	inside --net --uts sh "$here/inside.sh" "$mode" "$work" "$packages" "$mxprobe"
}

result=0
[ "${ONLY:-mail}" != mail ] || suite check real-packages \
	"$(missing postfix:postfix nsd:nsd unbound:unbound openssl:openssl)" \
	"$(missing exim4:exim4-daemon-light smtpd:opensmtpd)" || result=1
[ "${ONLY:-tls}" != tls ] || suite tls tls-packages \
	"$(missing postfix:postfix nsd:nsd unbound:unbound ldns-signzone:ldnsutils nginx:nginx openssl:openssl)" "" ||
	result=1
[ "${ONLY:-monitoring}" != monitoring ] || suite monitoring monitoring-packages \
	"$(missing nagios4:nagios4-core icinga2:icinga2-bin prometheus:prometheus promtool:prometheus \
		prometheus-node-exporter:prometheus-node-exporter curl:curl jq:jq)" "" || result=1
[ "${ONLY:-compare}" != compare ] || suite compare compare-packages \
	"$(missing /usr/lib/nagios/plugins/check_smtp:monitoring-plugins-basic swaks:swaks posttls-finger:postfix \
		prometheus-blackbox-exporter:prometheus-blackbox-exporter curl:curl)$(
		perl -MNet::DNS -e 1 2>/dev/null || echo 'libnet-dns-perl ')$(
		perl -MNet::SSLeay -e 1 2>/dev/null || echo 'libnet-ssleay-perl ')" "" || result=1
finish $result

#!/bin/sh
# mxprobe against real servers: Postfix, Exim and OpenSMTPD, with Unbound and NSD for DNS.
#   run.sh [--fetch] MXPROBE
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
packages=$(dirname "$mxprobe")/real-packages
lacking=$(missing postfix:postfix nsd:nsd unbound:unbound openssl:openssl)
welcome=$(missing exim4:exim4-daemon-light smtpd:opensmtpd) # their checks are passed over without
if [ -n "$lacking$welcome" ] && [ -n "$fetch" ]; then
	command -v apt-get >/dev/null || skip "not installed: $lacking$welcome(and no apt-get to fetch them)"
	mkdir -p "$packages"
	# shellcheck disable=SC2086 # a list of names
	inside sh "$here/inside.sh" fetch "$work" "$packages" $lacking $welcome ||
		skip "these packages cannot be fetched: $lacking$welcome"
elif [ -n "$lacking" ] && [ ! -e "$packages/complete" ]; then
	skip "not installed: $lacking(CI=true, or --fetch, unpacks them where nothing else sees them)"
fi

inside --net --uts sh "$here/inside.sh" check "$work" "$packages" "$mxprobe"
finish $?

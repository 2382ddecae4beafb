#!/bin/sh
# Holds the README's promise against a fresh system: a minimal Debian with nothing but git and make, a
# clone of what is committed here, and in it each command.
#
#   tests/fresh.sh [COMMAND...]     by default: 'make deps demo' 'make deps check'
#
# Needs root and debootstrap. SUITE is the Debian release (bookworm), or several: SUITE='bookworm trixie'.
# MIRROR is where it comes from (what apt uses on this machine, else Debian's own), BASE a minimal system
# made before, of which a copy is used. Everything is made in a temporary folder and removed at the end.
set -eu

if [ "${1:-}" = --inside ]; then # in a mount namespace of our own: mounts end with it
	. tests/minimal.sh
	minimal_mount "$2"
	shift 2
	inside apt-get update -qq
	inside apt-get install -y -qq --no-install-recommends git make >/dev/null
	for command; do
		echo
		echo "==> $command"
		began=$(date +%s)
		inside sh -c "cd /root/mxprobe && $command"
		echo "<== $command: $(($(date +%s) - began)) s"
	done
	exit 0
fi

cd "$(dirname "$0")/.."
[ $# != 0 ] || set -- 'make deps demo' 'make deps check'
. tests/minimal.sh
minimal_ready

dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-fresh.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
trap 'exit 130' INT TERM
suites=$suite
for suite in $suites; do
	root=$dir/$suite
	minimal_system "$root"
	git clone -q --no-hardlinks . "$root/root/mxprobe"
	chown -R 0:0 "$root/root/mxprobe"
	minimal_run "$root" tests/fresh.sh "$@"
	echo
	echo "fresh: all done on $(. "$root/etc/os-release" && echo "$PRETTY_NAME")"
	rm -rf --one-file-system "$root"
done

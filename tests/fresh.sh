#!/bin/sh
# Holds the README's promise against a fresh system: a minimal Debian with nothing but git and make, a
# clone of what is committed here, and in it each command.
#
#   tests/fresh.sh [COMMAND...]     by default: 'make deps demo' 'make deps check'
#
# Needs root and debootstrap. SUITE is the Debian release (bookworm), MIRROR where it comes from (what
# apt uses on this machine, else Debian's own), BASE a minimal system made before, of which a copy is
# used. Everything is made in a temporary folder and removed at the end.
set -eu

if [ "${1:-}" = --inside ]; then # in a mount namespace of our own: mounts end with it
	root=$2
	shift 2
	mount --make-rprivate /
	mount --bind "$root" "$root" # a root is a mount point, as on a real system
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	inside() {
		chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CI=true \
			DEBIAN_FRONTEND=noninteractive "$@" </dev/null
	}
	inside apt-get update -qq
	inside apt-get install -y -qq --no-install-recommends git make >/dev/null
	for command; do
		echo
		echo "==> $command"
		inside sh -c "cd /root/mxprobe && $command"
	done
	exit 0
fi

cd "$(dirname "$0")/.."
[ $# != 0 ] || set -- 'make deps demo' 'make deps check'
suite=${SUITE:-bookworm}
if [ "$(id -u)" != 0 ]; then
	echo "fresh: root is needed to make a system" >&2
	exit 1
fi
if [ -z "${BASE:-}" ] && ! command -v debootstrap >/dev/null 2>&1; then
	echo "fresh: debootstrap is needed: apt-get install debootstrap" >&2
	exit 1
fi
mirror=${MIRROR:-$(
	{ sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources
	sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list; } 2>/dev/null |
		grep -v security | head -1
)}

dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-fresh.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
trap 'exit 130' INT TERM
root=$dir/root
if [ -n "${BASE:-}" ]; then
	echo "==> a copy of $BASE"
	cp -a "$BASE" "$root"
else
	echo "==> a minimal system: $suite"
	debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"} >"$dir/log" 2>&1 || {
		tail -n 20 "$dir/log" >&2
		exit 1
	}
fi
git clone -q --no-hardlinks . "$root/root/mxprobe"
chown -R 0:0 "$root/root/mxprobe"
unshare -m sh tests/fresh.sh --inside "$root" "$@"
echo
echo "fresh: all done on $(. "$root/etc/os-release" && echo "$PRETTY_NAME")"

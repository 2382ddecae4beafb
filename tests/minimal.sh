# Minimal systems to try things in. Sourced by scripts in the repository's root, as root:
#
#   minimal_ready            ends the script with a word if such a system cannot be made
#   minimal_system FOLDER    makes one: of SUITE (bookworm), from MIRROR (what apt uses on this machine, else
#                            Debian's own); or a copy of BASE, one made before
#   minimal_run FOLDER SCRIPT [ARG...]    runs `sh SCRIPT --inside FOLDER ARG...`, its mounts ending with it
#   minimal_mount FOLDER     for that script: what a root folder needs
#   inside COMMAND...        and then a command in it

suite=${SUITE:-bookworm}

minimal_ready() {
	if [ "$(id -u)" != 0 ]; then
		echo "$(basename "$0" .sh): root is needed to make a system" >&2
		exit 1
	fi
	if [ -z "${BASE:-}" ] && ! command -v debootstrap >/dev/null 2>&1; then
		echo "$(basename "$0" .sh): debootstrap is needed: apt-get install debootstrap" >&2
		exit 1
	fi
}

minimal_system() {
	if [ -n "${BASE:-}" ]; then
		echo "==> a copy of $BASE"
		cp -a "$BASE" "$1"
		return
	fi
	mirror=${MIRROR:-$(
		{ sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources
		sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list; } 2>/dev/null |
			grep -v security | head -1
	)}
	echo "==> a minimal system: $suite"
	debootstrap --variant=minbase "$suite" "$1" ${mirror:+"$mirror"} >"$1.log" 2>&1 || {
		tail -n 20 "$1.log" >&2
		return 1
	}
}

minimal_run() {
	root=$1 script=$2
	shift 2
	unshare -m sh "$script" --inside "$root" "$@"
}

minimal_mount() {
	root=$1
	mount --make-rprivate /
	mount --bind "$root" "$root" # a root is a mount point, as on a real system
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
}

inside() {
	chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CI=true \
		DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

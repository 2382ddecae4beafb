#!/bin/sh
# The first process of the namespaces that run.sh makes.
#   inside.sh can WORK                      whether an overlay and a network can be made
#   inside.sh fetch WORK PACKAGES NAME...   downloads packages, and what they need, to PACKAGES
#   inside.sh check WORK PACKAGES MXPROBE   starts the mail servers, runs the checks
#   inside.sh monitoring WORK PACKAGES MXPROBE    the same with monitoring systems
#   inside.sh compare WORK PACKAGES MXPROBE       the same with other tools
set -eu
trap 'exit 130' INT
trap 'exit 143' TERM HUP
here=$(cd "$(dirname "$0")" && pwd)
what=$1 work=$2
shift 2

mount -t tmpfs -o size=1g,mode=755 mxprobe-real "$work"
mkdir "$work/stage"

# Lays what is in $work/stage, and whatever will be written, over /etc, /usr and /var.
overlay() {
	for dir in etc usr var; do
		mkdir -p "$work/stage/$dir" "$work/scratch/$dir"
		mount -t overlay -o "lowerdir=/$dir,upperdir=$work/stage/$dir,workdir=$work/scratch/$dir" \
			"overlay-$dir" "/$dir"
	done
}

# Unpacks the packages there, runs none of their scripts.
unpack() {
	for package in "$1"/*/*.deb; do
		[ -e "$package" ] && dpkg -x "$package" "$work/stage"
	done
	for dir in bin sbin lib; do # where these are links to the ones in /usr
		[ -L "/$dir" ] && [ -d "$work/stage/$dir" ] &&
			mkdir -p "$work/stage/usr/$dir" && cp -a "$work/stage/$dir/." "$work/stage/usr/$dir/"
	done
	overlay
	mount -t tmpfs -o mode=755 run /run
}

case $what in
can)
	overlay
	ip link add name north type veth peer name south
	chown 1:1 "$work/stage" # root of a user namespace may not have other users
	;;
fetch)
	packages=$1
	shift
	overlay
	export DEBIAN_FRONTEND=noninteractive
	get() { # one at a time: the packages of two mail servers do not bear each other
		for name; do
			[ -e "$packages/$name/complete" ] && continue
			mkdir -p "$packages/$name/partial"
			apt-get install -y -qq --download-only --no-install-recommends \
				-o APT::Sandbox::User=root -o Dir::Cache::archives="$packages/$name" \
				"$name" >"$work/apt" 2>&1 || return 1
			rm -rf "$packages/$name/partial" "$packages/$name/lock"
			: >"$packages/$name/complete"
		done
	}
	get "$@" || { apt-get update -qq >"$work/apt" 2>&1 && get "$@"; } || { cat "$work/apt"; exit 1; }
	: >"$packages/complete"
	;;
check)
	mxprobe=$2
	cp "$mxprobe" "$work/mxprobe"
	unpack "$1"
	. "$here/world.sh"
	. "$here/checks.sh"
	;;
tls)
	mxprobe=$2
	cp "$mxprobe" "$work/mxprobe"
	unpack "$1"
	. "$here/tls.sh"
	;;
compare)
	cp "$2" "$work/mxprobe"
	# shellcheck disable=SC2034 # for compare.sh
	lab=$(dirname "$2")/lab
	unpack "$1"
	. "$here/compare.sh"
	;;
monitoring)
	mxprobe=$2
	# shellcheck disable=SC2034 # for monitoring.sh
	lab=$(dirname "$2")/lab
	unpack "$1"
	. "$here/monitoring.sh"
	;;
esac

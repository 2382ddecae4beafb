#!/bin/sh
# Installs what building and testing mxprobe needs and this machine lacks, through the system's own
# package manager. Says what it does; does nothing when all is there.
set -eu

have_library() { pkg-config --exists "$1" 2>/dev/null; }
have_header() {
	for cc in cc gcc clang; do
		command -v $cc >/dev/null 2>&1 || continue
		printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <%s>\n' "$1" |
			$cc -E -x c - >/dev/null 2>&1 && return 0
	done
	return 1
}

# What is missing, by our own names.
missing=
command -v cc >/dev/null 2>&1 || missing="$missing compiler"
command -v make >/dev/null 2>&1 || missing="$missing make"
command -v pkg-config >/dev/null 2>&1 || missing="$missing pkg-config"
for library in libevent_core openssl libidn2 jansson ldns libcurl sqlite3; do
	have_library $library || missing="$missing $library"
done
have_header cmocka.h || missing="$missing cmocka"

if [ -z "$missing" ]; then
	echo "deps: all there"
	exit 0
fi

manager=
for m in apt-get dnf apk pacman brew; do
	command -v $m >/dev/null 2>&1 && { manager=$m; break; }
done
if [ -z "$manager" ]; then
	echo "deps: missing:$missing" >&2
	echo "deps: no apt-get, dnf, apk, pacman or brew here: install these by hand" >&2
	exit 1
fi

package() { # our name -> the package's name there
	case $manager:$1 in
	apt-get:compiler) echo gcc libc6-dev ;;
	apt-get:libevent_core) echo libevent-dev ;;
	apt-get:openssl) echo libssl-dev ;;
	apt-get:libidn2) echo libidn2-dev ;;
	apt-get:jansson) echo libjansson-dev ;;
	apt-get:ldns) echo libldns-dev ;;
	apt-get:libcurl) echo libcurl4-openssl-dev ;;
	apt-get:sqlite3) echo libsqlite3-dev ;;
	apt-get:cmocka) echo libcmocka-dev ;;
	dnf:compiler) echo gcc ;;
	dnf:pkg-config) echo pkgconf-pkg-config ;;
	dnf:libevent_core) echo libevent-devel ;;
	dnf:cmocka) echo libcmocka-devel ;;
	dnf:libcurl) echo libcurl-devel ;;
	dnf:sqlite3) echo sqlite-devel ;;
	dnf:make) echo make ;;
	dnf:*) echo "$1-devel" ;;
	apk:compiler) echo gcc musl-dev linux-headers ;;
	apk:pkg-config) echo pkgconf ;;
	apk:make) echo make ;;
	apk:libevent_core) echo libevent-dev ;;
	apk:libcurl) echo curl-dev ;;
	apk:sqlite3) echo sqlite-dev ;;
	apk:cmocka) echo cmocka-dev ;;
	apk:*) echo "$1-dev" ;;
	pacman:compiler) echo gcc ;;
	pacman:pkg-config) echo pkgconf ;;
	pacman:libevent_core) echo libevent ;;
	pacman:libcurl) echo curl ;;
	pacman:sqlite3) echo sqlite ;;
	brew:compiler) ;; # the command line tools of the system
	brew:openssl) echo openssl@3 ;;
	brew:pkg-config) echo pkgconf ;;
	brew:libevent_core) echo libevent ;;
	brew:libcurl) echo curl ;;
	brew:sqlite3) echo sqlite ;;
	*) echo "$1" ;;
	esac
}

packages=
for name in $missing; do
	packages="$packages $(package "$name")"
done

run() { echo "deps: $*"; "$@"; }
# The same without the progress of it; what goes wrong is still said.
quietly() { echo "deps: $*"; "$@" >/dev/null; }
sudo=
if [ "$manager" != brew ] && [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "deps: needs root to install:$packages" >&2
		exit 1
	fi
	sudo=sudo
fi
# shellcheck disable=SC2086 # lists of words, and a sudo that may be none
case $manager in
apt-get)
	# A list that cannot be had may not be the one that is needed.
	quietly $sudo apt-get update -qq || echo "deps: apt-get update failed; trying with the lists that are here" >&2
	quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
	;;
dnf) run $sudo dnf install -y $packages ;;
apk) run $sudo apk add $packages ;;
pacman) run $sudo pacman -Sy --needed --noconfirm $packages ;;
brew) run brew install $packages ;;
esac

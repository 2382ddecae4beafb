#!/bin/sh
# The tarball of `make dist`: the same octets from two clones with different settings; and what it takes to
# build, to run a probe, to install and to take away again, without git and without the repository.
set -eu
cd "$(dirname "$0")/.."
if ! git rev-parse -q --verify HEAD >/dev/null 2>&1; then
	echo "skipped: no clone, no tarball"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-dist.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

passed=0 failed=0
check() { # WORDS COMMAND...
	words=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok  $words"
	else
		failed=$((failed + 1))
		echo "--- $words"
		tail -n 40 "$dir/log"
	fi
}

version=$(sed -n 's/^VERSION := //p' Makefile)
name=mxprobe-$version

# Another user's clone: other file modes, time zone, language, and settings of git.
for i in 1 2; do
	git clone -q --no-hardlinks . "$dir/clone$i"
	mkdir "$dir/home$i"
done
printf '[tar]\n\tumask = 0077\n[core]\n\tautocrlf = true\n[gc]\n\tauto = 0\n' >"$dir/home2/.gitconfig"
touch "$dir/clone2/untracked" "$dir/clone2/README.md"
check "a tarball" sh -c "umask 022 && cd '$dir/clone1' && HOME='$dir/home1' TZ=UTC make dist"
check "another one" sh -c "umask 077 && cd '$dir/clone2' && HOME='$dir/home2' TZ=Asia/Tokyo LC_ALL=C make dist"
check "they are the same" cmp "$dir/clone1/build/$name.tar.gz" "$dir/clone2/build/$name.tar.gz"

gzip -dc "$dir/clone1/build/$name.tar.gz" | tar -C "$dir" -xf -
rm -rf "$dir/clone1" "$dir/clone2"
check "all in a folder with its version" test -f "$dir/$name/Makefile"
check "nothing of the repository" sh -c "! ls -d '$dir/$name/'.git* '$dir/$name/.ci' '$dir/$name/debian' 2>/dev/null"
check "every file is readable for everybody" sh -c "! find '$dir/$name' ! -perm -444 | grep ."

# git must not find another repository above, and is not needed.
export GIT_CEILING_DIRECTORIES="$dir"
check "it builds" make -C "$dir/$name" WERROR=1
check "it probes" make -C "$dir/$name" demo
root=$dir/root
check "it is installed" make -C "$dir/$name" install DESTDIR="$root" PREFIX=/usr
check "with its version" sh -c "'$root/usr/bin/mxprobe' --version | grep -qx 'mxprobe $version'"
check "with its manual" test -f "$root/usr/share/man/man1/mxprobe.1"
check "with the plugin's name" test -L "$root/usr/lib/nagios/plugins/check_mxprobe"
check "it is taken away" make -C "$dir/$name" uninstall DESTDIR="$root" PREFIX=/usr
check "whole" sh -c "! find '$root' ! -type d | grep ."
check "without a clone there is no tarball, but a word" \
	sh -c "cd '$dir/$name' && ! make dist 2>'$dir/said' && grep -q clone '$dir/said'"

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

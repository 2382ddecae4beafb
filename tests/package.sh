#!/bin/sh
# The Debian packages from one end to the other, on minimal systems made for it: the tarball of `make dist`
# and debian/ are built there with all tests, and looked through by lintian. On another one they are
# installed, used (the plugin and the history, with the lab's servers on loopback), installed anew over
# packages of a lower version, removed and purged; then nothing of them is left.
#
#   tests/package.sh        NOCHECK=1: without the tests in the build. KEEP=FOLDER: the packages are left there
#
# Needs root and debootstrap; SUITE, MIRROR and BASE as for tests/fresh.sh.
set -eu

if [ "${1:-}" = --inside ]; then
	. tests/minimal.sh
	minimal_mount "$2"
	case $3 in
	build)
		inside apt-get update -qq
		inside apt-get install -y -qq --no-install-recommends build-essential debhelper git lintian >/dev/null
		inside sh -c 'cd /build/clone && apt-get build-dep -y -qq --no-install-recommends ./' >/dev/null
		inside sh -eu -c '
			cd /build/clone
			version=$(sed -n "s/^VERSION := //p" Makefile)
			make -s dist
			# One from before, to come from: the same but for its number. Its tests would be the same, too.
			for v in 0.0.9 $version; do
				mkdir -p /build/$v
				cd /build/$v
				tar -xzf ../clone/build/mxprobe-$version.tar.gz
				[ $v = $version ] || {
					mv mxprobe-$version mxprobe-$v
					sed -i "s/^VERSION := .*/VERSION := $v/" mxprobe-$v/Makefile
					tar -cf - mxprobe-$v | gzip -9n >mxprobe_$v.orig.tar.gz
				}
				[ $v != $version ] || cp ../clone/build/mxprobe-$version.tar.gz mxprobe_$v.orig.tar.gz
				cp -r ../clone/debian mxprobe-$v/
				cd mxprobe-$v
				sed -i "1s/(.*)/($v-1)/" debian/changelog
				options=$1
				[ $v = $version ] || options=nocheck
				echo "==> building $v${options:+ ($options)}"
				DEB_BUILD_OPTIONS=$options dpkg-buildpackage -us -uc >../log 2>&1 || {
					tail -n 60 ../log
					exit 1
				}
				[ "$options" ] || grep -E "^[0-9]+ passed, [0-9]+ failed$" ../log
			done
			echo "==> lintian"
			# What it finds, at any severity, is mended, or a reason stands in an override.
			lintian --allow-root --fail-on error,warning,info,pedantic -EI --pedantic \
				--suppress-tags upstream-metadata-file-is-missing,bad-distribution-in-changes-file \
				/build/$version/*.changes' sh "${NOCHECK:+nocheck}"
		;;
	use)
		# What is there, but for what apt, dpkg and systemd keep about packages that were there.
		everything() {
			inside sh -c 'dpkg -l | sed "s/^../  /"; find / -xdev \( -path /proc -o -path /dev -o -path /root -o -path /tmp \
				-o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/cache -o -path /var/log \) -prune -o -print |
				grep -v -e "^/etc/ld.so.cache$" -e "^/var/lib/systemd/deb-systemd-helper" | sort'
		}
		inside apt-get update -qq
		# What libcurl recommends apt itself suggests, so apt would keep it in the end; it is no matter of ours.
		inside apt-get install -y -qq ca-certificates >/dev/null 2>&1
		inside mkdir -p /var/lib/private # as systemd has it
		everything >"$root/tmp/before"
		install() {
			inside sh -c "apt-get install -y -qq -o Dpkg::Use-Pty=0 /root/$1/mxprobe_*.deb /root/$1/mxprobe-monitoring_*.deb" \
				>"$root/tmp/log" 2>&1 || { cat "$root/tmp/log"; exit 1; }
		}
		use() {
			inside sh -eu -c '
				test "$(mxprobe --version)" = "mxprobe $1"
				cd /root/clone
				sh debian/tests/installed >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
				export LAB=/root/lab
				status=0
				$LAB tests/lab/scenarios/msn.lab -- /usr/lib/nagios/plugins/check_mxprobe --resolver @DNS@ \
					-p @PORT@ -F probe.example.org -H msn.com >/tmp/out || status=$?
				test $status = 1
				grep -q "^MXPROBE WARNING - msn.com: 14 of 16 endpoints healthy" /tmp/out
				cut -d "|" -f 1 /tmp/out
				$LAB tests/lab/scenarios/msn.lab -- mxprobe -q --history /var/lib/mxprobe/history.db --resolver @DNS@ \
					-p @PORT@ -F probe.example.org msn.com || test $? = 1
				# The port, which is part of the name, may be another one in each lab.
				mxprobe --history /var/lib/mxprobe/history.db --report --json |
					awk -F "\"runs\":" -v wanted="$2" "{ n += \$2 + 0 } END { exit n != wanted }"' sh "$1" "$2"
		}
		low=$4 high=$5
		echo "==> installing $low, and using it"
		install "$low"
		# As the timer would: it keeps its state there.
		inside mkdir -p /etc/mxprobe /var/lib/private/mxprobe
		inside ln -s private/mxprobe /var/lib/mxprobe
		inside sh -c 'echo msn.com >/etc/mxprobe/targets'
		use "$low" 1
		echo "==> upgrading to $high, and using it"
		install "$high"
		use "$high" 2
		echo "==> removing"
		inside sh -c 'apt-get remove -y -qq mxprobe mxprobe-monitoring' >/dev/null
		inside sh -c '! command -v mxprobe && ! test -e /usr/lib/nagios/plugins/check_mxprobe &&
			test -s /var/lib/mxprobe/history.db && test -s /etc/mxprobe/targets'
		echo "==> purging"
		inside sh -c 'apt-get purge -y -qq mxprobe mxprobe-monitoring && apt-get autoremove -y -qq --purge' >/dev/null
		everything >"$root/tmp/after"
		diff "$root/tmp/before" "$root/tmp/after" || {
			echo "package: that is left behind" >&2
			exit 1
		}
		;;
	esac
	exit 0
fi

cd "$(dirname "$0")/.."
. tests/minimal.sh
minimal_ready
version=$(sed -n 's/^VERSION := //p' Makefile)

dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-package.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
trap 'exit 130' INT TERM
minimal_system "$dir/clean"
cp -a "$dir/clean" "$dir/build"
mkdir "$dir/build/build"
git clone -q --no-hardlinks . "$dir/build/build/clone"
chown -R 0:0 "$dir/build/build"
minimal_run "$dir/build" tests/package.sh build

# The lab is no part of the packages. It brings the libraries that they do not need.
lab='make -s build/cc/lab LDFLAGS=-Wl,--disable-new-dtags,-rpath,/root/libraries && mkdir libraries &&
	ldd build/cc/lab | sed -n "s/.* => \(.*\/lib\(ldns\|event\).*\) (.*/\1/p" | xargs -I @ cp -L @ libraries/'
unshare -m sh -c '. tests/minimal.sh; minimal_mount "$1"; inside sh -c "cd /build/clone && $2"' sh "$dir/build" "$lab" >/dev/null
cp -r "$dir/build/build/clone/libraries" "$dir/clean/root/"
for v in 0.0.9 "$version"; do
	mkdir "$dir/clean/root/$v"
	cp "$dir/build/build/$v/"*.deb "$dir/clean/root/$v/"
	rm "$dir/clean/root/$v/"*-dbgsym_*
done
cp "$dir/build/build/clone/build/cc/lab" "$dir/clean/root/lab"
git clone -q --no-hardlinks . "$dir/clean/root/clone"
minimal_run "$dir/clean" tests/package.sh use 0.0.9 "$version"
if [ -n "${KEEP:-}" ]; then
	mkdir -p "$KEEP"
	cp "$dir/build/build/$version/"mxprobe*.* "$KEEP/"
fi
echo
echo "package: built, looked through, installed, used, upgraded, removed and purged on $(. "$dir/clean/etc/os-release" && echo "$PRETTY_NAME")"

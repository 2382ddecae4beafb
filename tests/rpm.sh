#!/bin/sh
# The RPM packages: built by rpmbuild from the tarball of `make dist`, with --nodeps and systemd's
# macros named here, since only a distribution that has RPM knows them; looked through by rpmlint, unpacked
# and used.
#
#   tests/rpm.sh       CHECK=1: with the tests in the build. Needs rpmbuild, rpm2cpio and cpio; rpmlint if there
set -eu
cd "$(dirname "$0")/.."
for tool in rpmbuild rpm2cpio cpio git; do
	command -v $tool >/dev/null || { echo "skipped: no $tool here"; exit 0; }
done
version=$(sed -n 's/^VERSION := //p' Makefile)
dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-rpm.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

make -s dist >/dev/null
rpmbuild -tb --quiet --nodeps $([ -n "${CHECK:-}" ] || echo --nocheck) --define "_topdir $dir" --define '_unitdir /usr/lib/systemd/system' \
	--define '_build_id_links none' --define 'debug_package %{nil}' \
	--define 'systemd_requires Requires(post): systemd' \
	--define 'systemd_post() : post %*' --define 'systemd_preun() : preun %*' --define 'systemd_postun() : postun %*' \
	"build/mxprobe-$version.tar.gz" >"$dir/log" 2>&1 || {
	tail -n 60 "$dir/log"
	exit 1
}
if command -v rpmlint >/dev/null; then
	# What is known and meant has its reason in rpmlintrc.
	rpmlint --rpmlintrc packaging/rpm/rpmlintrc "$dir"/RPMS/*/*.rpm packaging/rpm/mxprobe.spec >"$dir/lint" 2>&1 || {
		cat "$dir/lint"
		exit 1
	}
	tail -n 1 "$dir/lint"
fi
mkdir "$dir/root"
for package in "$dir"/RPMS/*/*.rpm; do
	rpm2cpio "$package" | (cd "$dir/root" && cpio -idm --quiet)
done
[ "$("$dir/root/usr/bin/mxprobe" --version)" = "mxprobe $version" ]
status=0
said=$("$dir/root/usr/lib/nagios/plugins/check_mxprobe" --resolver 127.0.0.1:1 --helo '[192.0.2.1]' -H example.org) || status=$?
[ "$status" = 3 ]
case $said in "MXPROBE UNKNOWN - example.org: "*) ;; *) echo "$said"; exit 1 ;; esac
for file in share/man/man1/mxprobe.1* share/bash-completion/completions/mxprobe share/zsh/site-functions/_mxprobe \
	share/fish/vendor_completions.d/mxprobe.fish lib/systemd/system/mxprobe.timer \
	share/icinga2/include/plugins-contrib.d/mxprobe.conf share/mxprobe/schema/mxprobe-1.schema.json; do
	ls "$dir/root/usr/"$file >/dev/null || { echo "no $file in the packages"; exit 1; }
done
echo "rpm: built, looked through and used"

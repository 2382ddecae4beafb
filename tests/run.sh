#!/bin/sh
# Runs test programs side by side, shows what failed, ends with the sum over all cmocka tests.
#   run.sh BUILD PROGRAM...      ONLY=pattern limits, JOBS=n sets how many at once
set -eu
build=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-check.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export MXPROBE=$(pwd)/$build/mxprobe LAB=$(pwd)/$build/lab FAULT=$(pwd)/$build/tests/torture/fault.so TEST_DIR="$dir"
unset NO_COLOR COLUMNS SSL_CERT_FILE SSL_CERT_DIR || true

one='
name=$(echo "${1#*/tests/}" | tr / .) # with its folder: unit and e2e may have one of the same name
if "$1" >"$TEST_DIR/$name.log" 2>&1; then status=0; else status=$?; fi
echo $status >"$TEST_DIR/$name.status"
'
for program; do
	case $program in *"${ONLY:-}"*) printf '%s\0' "$program" ;; esac
done | xargs -0 -n 1 -P "${JOBS:-$(( $(nproc 2>/dev/null || echo 2) * 2 ))}" sh -c "$one" sh

passed=0 failed=0
for status in "$dir"/*.status; do
	[ -e "$status" ] || continue
	name=$(basename "$status" .status)
	log=$dir/$name.log
	p=$(sed -n 's/^\[ *PASSED *\] \([0-9][0-9]*\) test.*/\1/p' "$log" | tail -1)
	# Newer versions of cmocka put the group's name before the number.
	f=$(sed -n 's/^\[ *FAILED *\] \(.*: \)\{0,1\}\([0-9][0-9]*\) test(s), listed.*/\2/p' "$log" | tail -1)
	p=${p:-0} f=${f:-0}
	# A program that died, or that ran nothing, has failed whatever it printed.
	if [ "$(cat "$status")" != 0 ] && [ "$f" = 0 ]; then f=1; fi
	if [ "$p" = 0 ] && [ "$f" = 0 ]; then f=1; fi
	if [ "$f" != 0 ]; then
		echo "--- $name: exit $(cat "$status")"
		tail -n 200 "$log"
	else
		echo "ok  $name ($p)"
		sed -n 's/^report: //p' "$log"
	fi
	passed=$((passed + p)) failed=$((failed + f))
done
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]

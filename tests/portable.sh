#!/bin/sh
# Compiles the program, without output, as other systems would take it; seconds, and no warning is let pass:
#
#   posix    POSIX.1-2008 with XSI and nothing of Linux or GNU: each call that only Linux has must have a twin
#            behind its #ifdef. What POSIX.1-2024 has added is declared by posix2024.h, beside this.
#   bare     without libcurl and SQLite
#   musl     against musl's headers, where musl-gcc is installed (those of the libraries come from this system)
#
#   tests/portable.sh CC FLAGS-OF-THE-LIBRARIES
set -eu
cd "$(dirname "$0")/.."
cc=$1
libraries=${2:-}
warnings='-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla -Wpointer-arith -Wundef -Werror'
dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-portable.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

# variant NAME COMPILER FLAGS...
variant() {
	name=$1
	shift
	if printf '%s\0' mxprobe.c lib/*/*.c |
		# shellcheck disable=SC2086 # lists of flags
		xargs -0 -n 8 -P "$(nproc 2>/dev/null || echo 2)" "$@" -std=c11 -O1 -fsyntax-only $warnings \
			-DMXPROBE_VERSION='"0"' -Ilib >"$dir/log" 2>&1; then
		echo "ok  $name"
		passed=$((passed + 1))
	else
		echo "--- $name"
		cat "$dir/log"
		failed=$((failed + 1))
	fi
}

# shellcheck disable=SC2086 # lists of flags
{
	variant posix "$cc" -U__linux__ -U__linux -U__gnu_linux__ -D_XOPEN_SOURCE=700 -include tests/posix2024.h $libraries
	variant bare "$cc" -D_GNU_SOURCE $(printf '%s\n' $libraries | grep -v '^-DHAVE_')
}
if command -v musl-gcc >/dev/null; then
	after=/usr/include
	for folder in /usr/include/*-linux-*; do
		after="$after -idirafter $folder"
	done
	# shellcheck disable=SC2086
	variant musl musl-gcc -D_GNU_SOURCE -idirafter $after $libraries
else
	echo "report: musl: not compiled, no musl-gcc here"
fi
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

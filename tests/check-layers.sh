#!/bin/sh
# Fails when a file of lib/ includes upwards, when headers of one folder include each other in a
# circle, when a header does not compile alone, or when a library is used outside its room.
set -eu
cd "$(dirname "$0")/.."

floor() {
	case $1 in
	base) echo 0 ;; net) echo 1 ;; dns | smtp) echo 2 ;; judge) echo 3 ;; run) echo 4 ;;
	report | history) echo 5 ;; cli) echo 6 ;; *) echo "check-layers: no floor for $1" >&2; exit 1 ;;
	esac
}

bad=0
for file in lib/*/*.[ch]; do
	folder=$(basename "$(dirname "$file")")
	mine=$(floor "$folder")
	for header in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
		theirs=$(floor "${header%%/*}")
		if [ "$theirs" -gt "$mine" ] || { [ "$theirs" = "$mine" ] && [ "${header%%/*}" != "$folder" ]; }; then
			echo "$file includes $header: that is not below it" >&2
			bad=1
		fi
	done
done

# Circles inside a folder, among the headers: tsort says so.
circles=$(for file in lib/*/*.h; do
	sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file" | sed "s|^|${file#lib/} |"
done | tsort 2>&1 >/dev/null || true)
if [ -n "$circles" ]; then
	echo "headers in a circle:" >&2
	echo "$circles" >&2
	bad=1
fi

for folder in lib/*/; do
	folder=$(basename "$folder")
	grep -qE "^\| $(floor "$folder") \|.*\`$folder\`" docs/architecture.md || {
		echo "docs/architecture.md: $folder is not on floor $(floor "$folder")" >&2
		bad=1
	}
done

room() { # include, file that may have it
	for file in $2; do
		grep -qF "\`$file\`" docs/architecture.md || {
			echo "docs/architecture.md: <$1> is used in $file" >&2
			bad=1
		}
	done
	for file in $(grep -lE "^#include <$1" lib/*/*.[ch] || true); do
		case " $2 " in *" ${file#lib/} "*) ;; *)
			echo "$file uses <$1>: only $2 may" >&2
			bad=1
			;;
		esac
	done
}
room 'event2/' 'net/loop.c'
room 'openssl/' 'net/tls.c net/digest.c'
room 'curl/' 'net/http.c'
room 'jansson' ''
room 'ldns/' ''
room 'sqlite3' 'history/database.c'
room 'idn2' 'run/target.c'

for header in lib/*/*.h; do
	${CC:-cc} -std=c11 -D_GNU_SOURCE -Ilib -fsyntax-only -x c "$header" || bad=1
done
exit $bad

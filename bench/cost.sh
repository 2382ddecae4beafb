#!/bin/sh
# What a session, and a domain whose servers are known, cost: instructions by room, counted by callgrind,
# and system calls by strace.
#   cost.sh BUILD
#
# Each is the difference between a run and one of twice the size, without the start of the program.
set -eu
build=$1
command -v valgrind >/dev/null || { echo "skipped: no valgrind here"; exit 0; }
. "$(dirname "$0")/sink.sh"

# ours COMMAND... -- DOMAINS: mxprobe under a command that counts
ours() {
	seq 0 $((domains - 1)) | sed 's/.*/d&.bench/' >"$dir/list"
	"$@" "$build/mxprobe" --json -i "$dir/list" -o "$dir/report" --resolver "127.0.0.1:$dns" -p "$smtp" \
		-F probe.bench --tls "$tls" -j 1000 >"$dir/out" 2>"$dir/err" || { cat "$dir/err" >&2; exit 2; }
	[ "$(wc -l <"$dir/report")" -eq "$domains" ] || { echo "not every domain has its line" >&2; exit 2; }
}

# Lines "ROOM INSTRUCTIONS" of a run.
rooms() {
	ours valgrind --tool=callgrind --callgrind-out-file="$dir/callgrind"
	callgrind_annotate --auto=no --threshold=100 "$dir/callgrind" | awk '
		/^ *[0-9,]+ \(.*%\) / {
			n = $1
			gsub(",", "", n)
			what = $0
			sub(/^ *[0-9,]+ \([^)]*\) */, "", what)
			if (what ~ /^PROGRAM TOTALS/)
				next
			if (match(what, /^lib\/[a-z]+\//))
				room = substr(what, 5, RLENGTH - 5)
			else if (what ~ /malloc\.c:|:(malloc|free|calloc|realloc)( |$)/)
				room = "malloc"
			else if (what ~ /libevent/)
				room = "libevent"
			else if (what ~ /libcrypto|libssl/)
				room = "OpenSSL"
			else
				room = "libc"
			sum[room] += n
		}
		END { for (room in sum) print room, sum[room] }'
}

# System calls of a run, "NAME CALLS".
calls() {
	ours strace -f -c -o "$dir/calls"
	awk '$1 ~ /^[0-9.]+$/ && $NF != "total" { print $NF, $4 }' "$dir/calls"
}

# cost COUNTER TLS HOSTS ADDRESSES UNITS LEAST: two runs, of $1 and of twice as many; ADDRESSES are of the
# smaller one, "-" for always 100. Lines "WHAT COST", those of LEAST and more, and "all COST".
cost() {
	counter=$1 tls=$2 least=$6
	for size in 1 2; do
		domains=$((size * n))
		if [ "$tls" = off ]; then
			start_sink "$build" "$domains" "$3" "$(addresses "$4" $size)"
		else
			start_sink "$build" -t "$dir/both.pem" "$domains" "$3" "$(addresses "$4" $size)"
		fi
		$counter | sort >"$dir/cost.$size"
		stop_sink
	done
	join -a 1 -a 2 -e 0 -o 0,1.2,2.2 "$dir/cost.1" "$dir/cost.2" | awk -v units="$5" -v least="$least" '
		{ each = ($3 - $2) / units; all += each }
		each >= least { printf "  %-12s %10.*f\n", $1, least < 1 ? 2 : 0, each }
		END { printf "  %-12s %10.*f\n", "all", least < 1 ? 2 : 0, all }' | sort -k 2 -n -r
}
addresses() {
	[ "$1" = - ] && echo 100 || echo $(($1 * $2))
}

n=63
echo "a session in plaintext, instructions"
cost rooms off 16 1008 1008 100
n=2500
echo "a domain whose servers are known, instructions"
cost rooms off 2 - 2500 100
command -v strace >/dev/null || { echo "no system calls: there is no strace here"; exit 0; }
n=63
echo "a session in plaintext, system calls"
cost calls off 16 1008 1008 0.05
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=sink.bench -keyout "$dir/key.pem" \
	-out "$dir/certificate.pem" 2>"$dir/openssl"
cat "$dir/key.pem" "$dir/certificate.pem" >"$dir/both.pem"
echo "a session with STARTTLS, system calls"
cost calls auto 16 1008 1008 0.05

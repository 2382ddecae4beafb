#!/bin/sh
# What a TLS session costs, in instructions, beside a bare OpenSSL client with the same handshake.
#   tls.sh BUILD [LIMIT]     ends with 1 when mxprobe costs more than LIMIT (1.15) times as much
#
# Both run under callgrind with N and with 2N sessions to the same sink; the difference is what N
# sessions cost, without the start of either program.
set -eu
build=$1 limit=${2:-1.15} n=40
command -v valgrind >/dev/null || { echo "skipped: no valgrind here"; exit 0; }
. "$(dirname "$0")/sink.sh"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=h0.bench \
	-addext subjectAltName=DNS:h0.bench -keyout "$dir/key.pem" -out "$dir/certificate.pem" 2>"$dir/openssl"
cat "$dir/key.pem" "$dir/certificate.pem" >"$dir/both.pem"
start_sink "$build" -t "$dir/both.pem" 1 1 1

# instructions COMMAND...: how many it took
instructions() {
	SSL_CERT_FILE=$dir/certificate.pem valgrind --tool=callgrind --callgrind-out-file="$dir/callgrind" \
		"$@" >"$dir/out" 2>"$dir/err" || { cat "$dir/err" >&2; exit 2; }
	sed -n 's/^\(summary\|totals\): *\([0-9]*\).*/\2/p' "$dir/callgrind" | head -n 1
}
bare() { # SESSIONS [CA]
	instructions "$build/bench/tls_client" 127.64.0.1 "$smtp" h0.bench "$@"
}
ours() { # SESSIONS MODE
	instructions "$build/mxprobe" --json --resolver "127.0.0.1:$dns" -p "$smtp" -F probe.example.org \
		--tls "$2" -n "$1" --interval 0 '[h0.bench]'
	grep -q "\"healthy_sessions\":$1," "$dir/out" || { cat "$dir/out" >&2; exit 2; }
}

worst=0
printf '%-10s %14s %14s %7s\n' mode bare mxprobe ratio
for mode in require verify; do
	ca=
	[ $mode = require ] || ca=$dir/certificate.pem
	bare_1=$(bare $n ${ca:+"$ca"}) bare_2=$(bare $((2 * n)) ${ca:+"$ca"})
	ours_1=$(ours $n $mode) ours_2=$(ours $((2 * n)) $mode)
	echo "$mode $bare_1 $bare_2 $ours_1 $ours_2" | awk -v n=$n '{
		printf "%-10s %14.0f %14.0f %7.3f\n", $1, ($3 - $2) / n, ($5 - $4) / n, ($5 - $4) / ($3 - $2)
	}' | tee "$dir/line"
	worst=$(awk -v worst="$worst" '{ print ($4 > worst ? $4 : worst) }' "$dir/line")
done
echo "instructions a session, of $n"
awk -v worst="$worst" -v limit="$limit" 'BEGIN { exit worst > limit }' ||
	{ echo "FAILED: more than $limit times as much"; exit 1; }

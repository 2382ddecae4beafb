# Sourced: a folder that goes away, $dir, and a sink in the background.

dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-bench.XXXXXX")
sink=

stop_sink() {
	exec 3>&-
	[ -z "$sink" ] || wait "$sink" || :
	sink=
}

finish() {
	stop_sink
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

# start_sink BUILD OPTION...: then $dns and $smtp are its ports.
start_sink() {
	build=$1
	shift
	rm -f "$dir/input"
	mkfifo "$dir/input"
	: >"$dir/ports"
	"$build/bench/sink" "$@" <"$dir/input" >"$dir/ports" &
	sink=$!
	exec 3>"$dir/input"
	for _ in $(seq 100); do
		[ -s "$dir/ports" ] && break
		sleep 0.1
	done
	dns=$(sed -n 's/.*dns=\([0-9]*\).*/\1/p' "$dir/ports")
	smtp=$(sed -n 's/.*smtp=\([0-9]*\).*/\1/p' "$dir/ports")
}

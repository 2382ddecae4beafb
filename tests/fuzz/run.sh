#!/bin/sh
# Runs fuzz targets one after the other: run.sh BUILD SECONDS NAME...
# The corpus in the source tree is only read; what is new goes to BUILD/fuzz/NAME, findings to
# BUILD/fuzz. Fails when anything was found.
set -eu
build=$1 seconds=$2
shift 2
bad=0
for name; do
	mkdir -p "$build/fuzz/$name"
	dict=tests/fuzz/$name.dict
	[ -e "$dict" ] && dict=-dict=$dict || dict=
	log=$build/fuzz/$name.log
	if "$build/tests/fuzz/run_$name" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$build/fuzz/$name-" $dict "$build/fuzz/$name" "tests/fuzz/corpus/$name" \
		>"$log" 2>&1; then
		echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, nothing found"
	else
		echo "$name: FOUND"
		tail -n 40 "$log"
		bad=1
	fi
done
exit $bad

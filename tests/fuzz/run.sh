#!/bin/sh
# Runs fuzz targets one after the other: run.sh BUILD SECONDS NAME...
# The corpus in the source tree is only read; what is new goes to BUILD/fuzz/NAME, findings to
# BUILD/fuzz. Prints a row for each target, as in README.md. Fails when anything was found.
set -eu
build=$1 seconds=$2
shift 2
bad=0
echo "| target | executions | seconds | cov | ft | found |"
echo "| --- | ---: | ---: | ---: | ---: | --- |"
for name; do
	mkdir -p "$build/fuzz/$name"
	dict=tests/fuzz/$name.dict
	[ -e "$dict" ] && dict=-dict=$dict || dict=
	log=$build/fuzz/$name.log
	began=$(date +%s)
	if "$build/tests/fuzz/run_$name" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$build/fuzz/$name-" $dict "$build/fuzz/$name" "tests/fuzz/corpus/$name" \
		>"$log" 2>&1; then
		found=nothing
	else
		found="**see $log**"
		bad=1
	fi
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	cov=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
	ft=$(sed -n 's/.* ft: \([0-9]*\) .*/\1/p' "$log" | tail -1)
	echo "| $name | ${executions:--} | $(($(date +%s) - began)) | ${cov:--} | ${ft:--} | $found |"
	[ "$found" = nothing ] || tail -n 40 "$log" >&2
done
exit $bad

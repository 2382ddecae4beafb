#!/bin/sh
# coverage.sh BUILD: lines and branches of lib/ that the tests have run, by file and in all; fails when
# there are fewer than promised (CONTRIBUTING.md). BUILD was built with --coverage, and has run them.
#
# A line counts when it holds code; a branch is one way out of a condition. Those inside an assert() are
# left out, since only a bug takes the other way. What was not run is marked ##### in BUILD/gcov/.
set -eu
build=$1
least_lines=95 least_branches=85
dir=$build/gcov
rm -rf "$dir"
mkdir -p "$dir"
root=$(pwd)
ln -s "$root/lib" "$dir/lib" # where it looks for the sources
for notes in "$build"/lib/*/*.gcno; do
	(cd "$dir" && ${GCOV:-gcov} -b -p -s "$root" -o "$root/$(dirname "$notes")" "$root/$notes" >/dev/null 2>&1) ||
		{ echo "coverage: ${GCOV:-gcov} cannot read $notes" >&2; exit 2; }
done

# -p: the path is in the name, with # for /.
LC_ALL=C awk -v least_lines="$least_lines" -v least_branches="$least_branches" '
function percent(part, whole) { return whole ? 100 * part / whole : 100 }
function show(name, l, of, b, out) {
	printf "%-32s %6d %6.1f %% %7d %6.1f %%\n", name, of, percent(l, of), out, percent(b, out)
}
function whole(name) { # these promise every line: they take no part of the world but bytes and time
	return name ~ /^lib\/(judge|base)\// && name !~ /^lib\/base\/(sandbox|landlock|seccomp|pledge)\.c/ ||
	    name ~ /^lib\/(smtp\/reply|dns\/message|report\/range|report\/words)\.c/
}
BEGIN { printf "%-32s %6s %8s %7s %8s\n", "", "lines", "run", "branch", "taken" }
/^ *-: *0:Source:/ {
	sub(/^ *-: *0:Source:/, "")
	name = $0
	mine = name ~ /^lib\/[a-z]*\/[a-z_0-9]*\.c$/
	if (mine && !(name in lines)) { names[++n] = name; lines[name] = 0 }
	next
}
!mine { next }
/^branch/ {
	if (asserts) next
	branches[name]++
	if ($0 !~ /never executed/ && $0 !~ /taken 0%/) taken[name]++
	next
}
/^(function|call|unconditional|---)/ { next }
{
	split($0, field, ":")
	count = field[1]
	gsub(/ /, "", count)
	asserts = $0 ~ /[^_]assert\(/
	if (count == "-" || count == "") next
	lines[name]++
	if (count ~ /^[#=]/) missed[name] = missed[name] " " field[2] + 0
	else run[name]++
}
END {
	for (i = 1; i <= n; i++) {
		name = names[i]
		show(name, run[name], lines[name], taken[name], branches[name])
		all += lines[name]; all_run += run[name]
		out += branches[name]; all_taken += taken[name]
		if (whole(name) && missed[name]) {
			bad = bad sprintf("coverage: %s promises all lines, not run:%s\n", name, missed[name])
		}
	}
	printf "\n"
	show("lib/", all_run, all, all_taken, out)
	if (percent(all_run, all) < least_lines || percent(all_taken, out) < least_branches) {
		bad = bad sprintf("coverage: at least %d %% of the lines and %d %% of the branches are promised\n",
		    least_lines, least_branches)
	}
	printf "%s", bad
	exit bad != ""
}' "$dir"/*.gcov

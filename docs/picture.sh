#!/bin/sh
# Makes docs/mxprobe.svg, the picture in README.md, from a real run against the lab's msn.com of January
# 2006: docs/picture.sh [BUILD]      (needs a build: make demo)
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/cc}
command="mxprobe msn.com"

status=0
shown=$("$build/lab" tests/lab/scenarios/msn.lab -- "$build/mxprobe" --resolver @DNS@ -p @PORT@ \
	-F probe.example.org --color always msn.com) || status=$?
if [ "$status" != 1 ]; then
	echo "picture: exit $status instead of 1 (degraded)" >&2
	exit 1
fi

printf '\033[2m$\033[0m %s\n%s\n' "$command" "$shown" | LC_ALL=C.UTF-8 awk '
function escape(s) {
	gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s)
	return s
}
# Words that stand together, each group at its own column, so that columns hold in any font.
function put(s,    n, word) {
	while (s != "") {
		if (match(s, /^ +/)) {
			column += RLENGTH
			s = substr(s, RLENGTH + 1)
			continue
		}
		n = match(s, /  /) ? RSTART - 1 : length(s)
		word = substr(s, 1, n)
		printf "<tspan x=\"%.1f\"%s>%s</tspan>", left + column * wide, style, escape(word)
		column += n
		s = substr(s, n + 1)
	}
}
BEGIN {
	wide = 7.8; high = 18; left = 18; top = 30
	fill["1"] = " font-weight=\"bold\""; fill["2"] = " fill=\"#8b949e\""; fill["31"] = " fill=\"#ff7b72\""
	fill["32"] = " fill=\"#56d364\""; fill["33"] = " fill=\"#e3b341\""; fill["35"] = " fill=\"#d2a8ff\""
}
{ line[NR] = $0; plain = $0; gsub(/\033\[[0-9;]*m/, "", plain); if (length(plain) > most) most = length(plain) }
END {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" role=\"img\" ", \
		most * wide + 2 * left, NR * high + top + 8
	printf "font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace\" font-size=\"13\">\n"
	print "<title>mxprobe msn.com, run against the lab: 16 endpoints, one dead, one out of memory</title>"
	print "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>"
	for (i = 1; i <= NR; i++) {
		s = line[i]; column = 0; style = ""
		if (s == "") continue
		printf "<text y=\"%d\" fill=\"#e6edf3\">", top + (i - 1) * high
		while (match(s, /\033\[[0-9;]*m/)) {
			before = substr(s, 1, RSTART - 1)
			code = substr(s, RSTART + 2, RLENGTH - 3)
			s = substr(s, RSTART + RLENGTH)
			put(before)
			n = split(code, codes, ";")
			for (k = 1; k <= n; k++)
				style = codes[k] == "0" ? "" : style fill[codes[k]]
		}
		put(s)
		print "</text>"
	}
	print "</svg>"
}' >docs/mxprobe.svg
echo "picture: docs/mxprobe.svg"

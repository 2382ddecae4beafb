#!/bin/sh
# Makes the pictures in README.md, those of terminals as SVG, from real runs:
#
#   docs/mxprobe.svg    against the lab's msn.com of January 2006
#   docs/history.svg    a report on a week of it, which docs/story.c has made up
#   docs/report.png     the same as a page, where there is Chromium to look at it
#
# docs/picture.sh [BUILD]      make pictures
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/cc}
dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-pictures.XXXXXX")
trap 'rm -rf "$dir"' EXIT

block=$(printf '\001') dot=$(printf '\002') dots=$(printf '\003')

# svg TITLE <TERMINAL >PICTURE
svg() {
	# One octet for one character, for any awk.
	LC_ALL=C sed -e "s/▂/$block/g" -e "s/·/$dot/g" -e "s/…/$dots/g" | LC_ALL=C awk -v title="$1" '

function escape(s) {
	gsub(/\002/, "·", s); gsub(/\003/, "…", s); gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s)
	return s
}
# A strip: its blocks are drawn, since not every font has them, and not as wide as its letters.
function put_strip(word,    i, c, n) {
	while (word != "") {
		match(word, /^(\001+|[^\001]+)/)
		c = substr(word, 1, RLENGTH)
		n = RLENGTH
		if (c ~ /\001/) {
			shapes = shapes sprintf("<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"5\"%s/>\n", \
				left + column * wide, base - 4, n * wide, style ? style : " fill=\"#e6edf3\"")
		} else {
			printf "<tspan x=\"%.1f\"%s>%s</tspan>", left + column * wide, style, escape(c)
		}
		column += n
		word = substr(word, n + 1)
	}
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
		if (match(word, /[\001\002]/)) {
			put_strip(word)
			s = substr(s, n + 1)
			continue
		}
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
	print "<title>" title "</title>"
	print "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>"
	for (i = 1; i <= NR; i++) {
		s = line[i]; column = 0; style = ""
		if (s == "") continue
		base = top + (i - 1) * high
		printf "<text y=\"%d\" fill=\"#e6edf3\">", base
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
		printf "%s", shapes
		shapes = ""
	}
	print "</svg>"
}'
}

# terminal COMMAND OUTPUT
terminal() {
	printf '\033[2m$\033[0m %s\n%s\n' "$1" "$2"
}

status=0
shown=$("$build/lab" tests/lab/scenarios/msn.lab -- "$build/mxprobe" --resolver @DNS@ -p @PORT@ \
	-F probe.example.org --color always msn.com) || status=$?
if [ "$status" != 1 ]; then
	echo "picture: exit $status instead of 1 (degraded)" >&2
	exit 1
fi
terminal "mxprobe msn.com" "$shown" |
	svg "mxprobe msn.com, run against the lab: 16 endpoints, one dead, one out of memory" >docs/mxprobe.svg
echo "picture: docs/mxprobe.svg"

"$build/docs/story" "$dir/mx.db"
shown=$("$build/mxprobe" --history "$dir/mx.db" --report --color always msn.com)
terminal "mxprobe --history mx.db --report msn.com" "$shown" |
	svg "mxprobe --report: a strip of a week for each of 16 endpoints, one dead, one short of memory" >docs/history.svg
echo "picture: docs/history.svg"

for chromium in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
	if [ "$chromium" ] && command -v "$chromium" >/dev/null; then
		"$build/mxprobe" --history "$dir/mx.db" --report --html -o "$dir/mx.html" msn.com
		HOME=$dir "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1000,1200 \
			--screenshot="$dir/report.png" "file://$dir/mx.html" >"$dir/log" 2>&1 || {
			cat "$dir/log" >&2
			exit 1
		}
		# A few colours are all it has.
		if command -v convert >/dev/null; then
			convert "$dir/report.png" -strip +dither -colors 128 "PNG8:$dir/small.png" && mv "$dir/small.png" "$dir/report.png"
		fi
		cp "$dir/report.png" docs/report.png
		echo "picture: docs/report.png"
		exit
	fi
done
echo "picture: no Chromium here, docs/report.png stays as it is"

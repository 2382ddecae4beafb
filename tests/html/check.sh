#!/bin/sh
# Looks at the page of --report --html with Chromium: how it is laid out at many widths, by light and in the
# dark and on paper, and on a screenshot, whether the strips show what they are to show. The report is on the
# made-up week of docs/story.c.
#   check.sh BUILD      CHROMIUM=program; skipped where there is none
set -eu
build=$1
here=$(dirname "$0")
for chromium in "${CHROMIUM:-}" chromium chromium-browser google-chrome ''; do
	if [ "$chromium" ] && command -v "$chromium" >/dev/null; then break; fi
done
if [ ! "$chromium" ]; then
	echo "check-html: skipped, there is no Chromium"
	exit 0
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/mxprobe-html.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# browse SCHEME WIDTH OPTION... URL
browse() {
	colors=$1 width=$2
	shift 2
	case $colors in dark) colors=0 ;; *) colors=1 ;; esac
	HOME=$dir timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --hide-scrollbars \
		--blink-settings=preferredColorScheme=$colors --window-size="$width,1250" "$@" 2>"$dir/log" ||
		{ cat "$dir/log" >&2; return 1; }
}

# judge NAME SCHEME SCRIPT: the lines that the script writes into the page that begins with NAME's data
judge() {
	{
		echo "<!doctype html><meta charset=utf-8><body><script>const scheme = '$2';"
		cat "$dir/$1"
		cat "$here/$3"
		echo "</script>"
	} >"$dir/judge.html"
	browse "$2" 2400 --dump-dom "file://$dir/judge.html" |
		sed -n -e 's/^.*<pre>//' -e '/^end$/q' -e '/^\(ok\|FAILED\|spot\) /p' |
		sed -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&amp;/\&/g'
}

"$build/docs/story" "$dir/mx.db"
"$build/mxprobe" --history "$dir/mx.db" --report --html -o "$dir/mx.html" msn.com
printf 'const page = "%s";\n' "$(base64 "$dir/mx.html" | tr -d '\n')" >"$dir/page"
for scheme in light dark; do
	judge page $scheme layout.js >"$dir/layout"
	grep -v '^spot ' "$dir/layout" >>"$dir/lines" || true
	browse $scheme 1000 --screenshot="$dir/shot.png" "file://$dir/mx.html" >/dev/null
	{
		printf 'const picture = "%s";\n' "$(base64 "$dir/shot.png" | tr -d '\n')"
		echo 'const spots = ['
		sed -n 's/^spot .*/"&",/p' "$dir/layout"
		echo '];'
	} >"$dir/shot"
	judge shot $scheme pixels.js >>"$dir/lines"
done
grep -v '^ok ' "$dir/lines" || true
passed=$(grep -c '^ok ' "$dir/lines" || true)
failed=$(grep -c '^FAILED ' "$dir/lines" || true)
# 7 widths by light and in the dark, paper, and two of each screenshot: a script that died says less.
if [ $((passed + failed)) != 109 ]; then
	echo "FAILED $((passed + failed)) checks in place of 109"
	failed=$((failed + 1))
fi
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]

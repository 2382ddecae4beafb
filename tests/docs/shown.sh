#!/bin/sh
# Runs every command that a document shows, in the world of world.lab, and compares what it prints with
# what the document shows.
#
#   shown.sh DOCUMENT...      in the repository; MXPROBE and LAB are the programs; VERBOSE=1 names what was run,
#                           blocks with a word of WITHOUT are passed over
#
# A command stands behind "$ " in a ```console block of a Markdown file, or in a literal display of the
# manual, or it is a `make GOAL` or the like in a sentence; and goes on in the next line where its line ends with |, \ or &&. The lines up to the next
# command are what it prints; "..." stands for any lines. A command without such lines may print what it
# likes, but it must not fail. A command that is shown in a sentence is an example of another place.
#
# A picture is a terminal in which a command was given: docs/picture.sh made it, with the lab's msn.com.
#
# The commands of a block run in one shell, one after the other, in a copy of the folder world/; bin/ is
# before everything else on its PATH: it has mxprobe with the lab's resolver and port, and what cannot be
# had in a test (sudo, a Postfix queue). /etc and /var are those of the copy. A block of commands that
# are proven elsewhere, such as `make check` itself, is in the file `elsewhere`: that other script must
# have the command.
#
# Compared is what does not change from run to run: spans of time and dates are any, addresses on
# loopback are those of documentation (and the warning that they are special is left out), and blanks
# are one blank.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)

# The blocks of a document, each line behind its number in the document; an empty line ends a block.
blocks() {
	case $1 in
	*.svg)
		sed -n -e 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' -e 's/^<text [^>]*>//p' "$1" |
			sed -e 's/<tspan [^>]*>/ /g' -e 's/<[^>]*>//g' -e 's/^ *\$/$/' | awk '{ print NR ":" $0 }'
		;;
	*.[1-9])
		awk '
		function plain(s) {
			gsub(/\\e/, "\\", s); gsub(/\\-/, "-", s); gsub(/\\&/, "", s); gsub(/\\\(aq/, "\047", s)
			gsub(/\\\(ga/, "`", s); gsub(/\\\(ti/, "~", s); gsub(/\\\(ha/, "^", s)
			return s
		}
		/^\.Dl \$ / { s = $0; sub(/^\.Dl /, "", s); print NR ":" plain(s); print ""; next }
		/^\.Bd -literal/ { inside = 1; next }
		/^\.Ed/ && inside { inside = 0; print ""; next }
		inside { print NR ":" plain($0) }' "$1"
		;;
	*)
		awk '
		/^```console$/ { inside = 1; next }
		/^```/ { if (inside) print ""; inside = 0; next }
		inside { print NR ":" $0; next }
		{
			for (s = $0; match(s, /`((sudo )?make|dpkg-buildpackage|rpmbuild) [^`]*`/); s = substr(s, RSTART + RLENGTH))
				printf "%d:$ %s\n\n", NR, substr(s, RSTART + 1, RLENGTH - 2)
		}' "$1"
		;;
	esac
}

: "${MXPROBE:?}" "${LAB:?}"

# What does not change from run to run.
same() {
	sed -E -e 's/[[:blank:]]+/ /g' -e "s|$ROOT||g" -e "s/([a-z]):$LAB_PORT/\1/g" \
		-e '/^ *warning: [0-9]+ address(es are| is) private, loopback or otherwise special/d' \
		-e 's/\]:[0-9]{4,5}/]:25/g' -e 's/ port [0-9]{4,5}/ port 25/g' -e 's/"port":[0-9]+/"port":25/g' \
		-e 's/(^|[^0-9.])127\.0\.2\./\1192.0.2./g' -e 's/(^|[^0-9.])127\.51\.100\./\1198.51.100./g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9.]+)?(Z| UTC)?)?/DATE/g' \
		-e 's/(^|[^0-9.])[0-9]+(\.[0-9]+)? ?(ms|s|min|h)([^a-z]|$)/\1TIME\4/g' \
		-e 's/(^|[^0-9.])[0-9]+(\.[0-9]+)? ?(ms|s|min|h)([^a-z]|$)/\1TIME\4/g' \
		-e 's/(_ms":)[0-9.]+/\1TIME/g' -e 's/(_seconds\{[^}]*\}) [0-9.e+-]+/\1 TIME/g' \
		-e 's/^([^ ]*\[[0-9a-f.:]*\]:25) *[0-9]+\.[0-9]+ ([<>*])/\1 TIME \2/' \
		-e 's/^ //' -e 's/ $//'
}

# matches SHOWN PRINTED: "..." in SHOWN is any number of lines.
matches() {
	awk '
	NR == FNR { want[++n] = $0; next }
	{ have[++m] = $0 }
	function fits(i, j,    k) {
		for (; i <= n; i++) {
			if (want[i] == "...") {
				for (k = j; k <= m + 1; k++)
					if (fits(i + 1, k))
						return 1
				return 0
			}
			if (j > m || want[i] != have[j])
				return 0
			j++
		}
		return j > m
	}
	END { exit !fits(1, 1) }' "$1" "$2"
}

# Of a picture: empty lines are not in the file, strips are partly drawn; and the numbers of a report
# depend on the hour.
of_picture() {
	case $document in
	*/history.svg) sed -E -e 's/▂ //g' -e '/^[▂·A-Za-z ]*$/{/^[edrtxbusEDRTXBUS▂· ]*$/d;}' -e 's/[0-9]+(\.[0-9]+)?/N/g' ;;
	*.svg) sed '/^ *$/d' ;;
	*) cat ;;
	esac
}

# One block, inside the lab: shown.sh --block BLOCK DIR DOCUMENT
if [ "${1:-}" = --block ]; then
	block=$2 dir=$3 document=$4
	cp -R "$here/world" "$dir/root"
	# And what stands in a working copy after make.
	mkdir -p "$dir/root/home/build/cc"
	ln -s "$repo/tests" "$dir/root/home/tests"
	ln -s "$LAB" "$dir/root/home/build/cc/lab"
	ln -s "$MXPROBE" "$dir/root/home/mxprobe"
	mkdir -p "$dir/root/var/lib/mxprobe" "$dir/root/var/lib/prometheus/node-exporter" "$dir/root/var/tmp"
	mkdir "$dir/home"
	export PATH="$here/bin:$PATH" HOME="$dir/home" ROOT="$dir/root" SSL_CERT_FILE="$LAB_CA" LC_ALL=C.UTF-8
	case $document in
	*/history.svg) # of a made-up week at port 25
		export PORT=25
		"$(dirname "$MXPROBE")/docs/story" "$dir/root/home/mx.db"
		;;
	esac
	# The commands, and what is shown of each, in files of their own.
	awk -v dir="$dir" '
	{
		number = $0; sub(/:.*/, "", number)
		text = $0; sub(/^[0-9]*:/, "", text)
		if (more || text ~ /^\$ /) {
			if (!more) { n++; printf "%s", number >(dir "/" n ".line") }
			sub(/^\$ /, "", text)
			print text >(dir "/" n ".command")
			more = text ~ /(\||\\|&&)$/
		} else if (n) {
			print text >(dir "/" n ".shown")
		} else {
			print number >(dir "/no-command")
		}
	}' "$block"
	if [ -e "$dir/no-command" ]; then
		echo "FAILED $document:$(head -1 "$dir/no-command"): a block begins without a command"
		exit 1
	fi
	# One shell for all, so that $? and the like are those of the command before.
	n=1
	{
		echo 'cd "$ROOT/home"'
		while [ -e "$dir/$n.command" ]; do
			echo "exec >\"$dir/$n.printed\" 2>&1; (exit \${status:-0})"
			sed -E 's,(^|[ =])/(etc|var)/,\1$ROOT/\2/,g' "$dir/$n.command"
			echo "status=\$?; echo \$status >\"$dir/$n.status\""
			n=$((n + 1))
		done
	} >"$dir/commands"
	sh "$dir/commands" </dev/null >"$dir/shell" 2>&1 || :
	n=1 bad=0
	while [ -e "$dir/$n.command" ]; do
		where="$document:$(cat "$dir/$n.line")"
		status=$(cat "$dir/$n.status" 2>/dev/null || echo none)
		if [ -s "$dir/$n.shown" ]; then
			same <"$dir/$n.shown" | of_picture >"$dir/$n.want"
			same <"$dir/$n.printed" | of_picture >"$dir/$n.have"
			if ! matches "$dir/$n.want" "$dir/$n.have"; then
				bad=1
				echo "FAILED $where: it prints something else:"
				sed 's/^/  | /' "$dir/$n.printed"
				diff "$dir/$n.want" "$dir/$n.have" | sed 's/^/  /'
			fi
		else
			case $status in
			0 | 1 | 2) ;;
			*)
				bad=1
				echo "FAILED $where: exit $status"
				sed 's/^/  | /' "$dir/$n.printed" "$dir/shell"
				;;
			esac
		fi
		echo "ran $where: $(head -1 "$dir/$n.command")"
		n=$((n + 1))
	done
	exit $bad
fi

work=$(mktemp -d "${TEST_DIR:-${TMPDIR:-/tmp}}/shown.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
bad=0 count=0
exec 3>&1
without=${WITHOUT:-}
command -v jq >/dev/null || without="$without jq"
complain() {
	echo "FAILED $*" >&3
	bad=1
}
for document; do
	case $document in
	*.[1-9]) # a display in the text is a command, or the one form of an output
		awk '/^\.Dl / && !/^\.Dl \$ / && $0 != ".Dl MXPROBE STATE - text | perfdata" {
			print FNR ": a display that is no command" }' "$document" >"$work/odd"
		while read -r line; do complain "$document:$line"; done <"$work/odd"
		;;
	*.md) # nothing is shown in another way; a configuration is one that is tested where it comes from
		awk '
		FILENAME != ARGV[2] { gsub(/[ \t]+/, " "); had[$0]; next }
		/^```/ { fence = fence ? "" : $0 "."; if (fence !~ /^($|```(console|nagios|text)\.$)/) print FNR ": a block that is no console"; next }
		!fence && /^    / { print FNR ": an indented block" }
		fence == "```nagios." { gsub(/[ \t]+/, " "); if (!(($0) in had)) print FNR ": not in contrib/nagios: " $0 }
		' "$repo/contrib/nagios/commands.cfg" "$document" >"$work/odd"
		while read -r line; do complain "$document:$line"; done <"$work/odd"
		;;
	esac
	mkdir "$work/blocks"
	blocks "$document" | awk -v dir="$work/blocks" '
		BEGIN { n = 1 } $0 == "" { n++; next } { printf "%s\n", $0 >sprintf("%s/%03d", dir, n) }'
	for block in "$work/blocks"/*; do
		[ -e "$block" ] || continue
		# All commands of the block are proven elsewhere, or none is.
		elsewhere=0
		while IFS='	' read -r command file as; do
			case $command in '' | '#'*) continue ;; esac
			if grep -qxF "$(printf '%s' "$command" | sed 's/^/$ /')" <<-END; then
				$(sed 's/^[0-9]*://; s/  *#.*//' "$block")
			END
				elsewhere=$((elsewhere + 1))
				count=$((count + 1))
				grep -qF -- "${as:-$command}" "$repo/$file" ||
					complain "$document: '$command' is not in $file, which was to run it"
			fi
		done <"$here/elsewhere"
		if [ "$elsewhere" != 0 ]; then
			[ "$elsewhere" = "$(grep -c '^[0-9]*:\$ ' "$block")" ] ||
				complain "$document: a block with commands of which some are run elsewhere: $(head -1 "$block")"
			continue
		fi
		for word in $without; do
			if grep -qF -- "$word" "$block"; then
				echo "report: $document:$(sed 's/:.*//;q' "$block"): commands not run: no $word here" >&3
				continue 2
			fi
		done
		mkdir "$block.dir"
		printf '%s\0%s\0%s\0' "$block" "$block.dir" "$document"
	done >"$work/list"
	case $document in
	*.svg) world=$repo/tests/lab/scenarios/msn.lab ;;
	*) world=$here/world.lab ;;
	esac
	xargs -0 -n 3 -P 4 sh -c '
		"$LAB" "$0" -- sh tests/docs/shown.sh --block "$@" >"$2/said" 2>&1
		echo $? >"$2/result"' "$world" <"$work/list"
	for block in "$work/blocks"/*.dir; do
		[ -e "$block" ] || continue
		[ "$(cat "$block/result")" = 0 ] || bad=1
		grep -v '^ran ' "$block/said" || :
		count=$((count + $(grep -c '^ran ' "$block/said" || :)))
		[ -z "${VERBOSE:-}" ] || sed -n 's/^ran //p' "$block/said"
	done
	rm -rf "$work/blocks"
done
echo "$count commands"
exit $bad

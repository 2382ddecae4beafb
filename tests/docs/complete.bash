# complete.bash LINE...: what completing at the end of each line offers, after a line "== LINE".
source completions/mxprobe.bash
for line; do
	# As readline does it: "=" is a word of its own.
	read -ra COMP_WORDS <<<"${line//=/ = }"
	[[ $line == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	function=$(complete -p "${COMP_WORDS[0]}")
	function=${function#*-F }
	${function%% *}
	printf '== %s\n' "$line"
	printf '%s\n' "${COMPREPLY[@]}"
done

# complete.zsh LINE...: what completing at the end of each line offers, after a line "== LINE". An
# interactive zsh in a terminal of its own completes, and what it would offer is written down.
zmodload zsh/zpty || exit 77
dir=$(mktemp -d ${TMPDIR:-/tmp}/mxprobe-zsh.XXXXXX) || exit 1
trap 'rm -rf $dir' EXIT
out=$dir/out
print -r -- '
PS1= fpath=('${(q)PWD}'/completions $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
	local -a hits
	# Calls that only store what matches, -O and the like, offer nothing.
	if [[ ${@[1,(i)(-|--)]} != *-[OAD]* ]]; then
		builtin compadd -A hits "$@"
		(($#hits)) && print -lr -- $hits >>'$out'
	fi
	builtin compadd "$@"
}
offer() {
	_main_complete
	compstate[insert]= compstate[list]=
	print END >>'$out'
}
zle -C offer complete-word offer
bindkey "^I" offer
print END >'$out'
' >$dir/setup
ended() {
	local i
	for i in {1..400}; do
		grep -qs '^END$' $out && return
		sleep 0.05
	done
	print -u2 "complete.zsh: zsh does not answer"
	exit 1
}
zpty z zsh -f -i
zpty -w z "source $dir/setup"
ended
for line; do
	: >$out
	zpty -w -n z $line$'\t'
	ended
	print -r -- "== $line"
	grep -v '^END$' $out
	zpty -w -n z $'\C-u'
done
zpty -d z
exit 0

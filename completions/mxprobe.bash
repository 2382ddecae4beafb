# Completion of mxprobe for bash. Needs nothing but bash itself, and never asks the network: what stands
# for a target is left to the user.

_mxprobe()
{
	local options='
		-H --hostname -i --input -4 --ipv4 -6 --ipv6 -p --port --public-only --control --classify
		-f --from -F --helo --fqdn -t --timeout --connect-timeout --tls -S --starttls --mta-sts
		-n --repeat --interval -j --jobs --per-address --rate --deadline --jitter
		--resolver --trust-ad -b --bind
		--json -o --output --watch --explain --sender --color -v --verbose -q --quiet
		--nagios -w --warning -c --critical --warning-time --critical-time -D --certificate --prometheus
		--history --report --html --confirm --keep
		--webhook --webhook-on --webhook-secret
		--no-sandbox -h --help -V --version
	'
	local cur=${COMP_WORDS[COMP_CWORD]} option= glued= i line

	# After "--" there are only targets.
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -- ]] && return
	done

	# "--tls=auto" comes as one word or as three, as COMP_WORDBREAKS has it.
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*} cur=${cur#*=} glued=1
	elif [[ $cur == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]} cur= glued=1
	elif ((COMP_CWORD > 2)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]} glued=1
	elif ((COMP_CWORD > 1)); then
		option=${COMP_WORDS[COMP_CWORD - 1]}
	fi

	case $option in
	-i | --input | -o | --output | --history | --webhook-secret)
		compopt -o filenames 2>/dev/null
		while IFS= read -r line; do
			COMPREPLY+=("$line")
		done < <(compgen -f -- "$cur")
		return
		;;
	--tls)
		COMPREPLY=($(compgen -W 'off auto require verify dane' -- "$cur"))
		return
		;;
	--color)
		COMPREPLY=($(compgen -W 'auto always never' -- "$cur"))
		return
		;;
	--sender)
		COMPREPLY=($(compgen -W 'postfix exim' -- "$cur"))
		return
		;;
	--keep)
		COMPREPLY=($(compgen -W '30d 90d 1y' -- "$cur"))
		return
		;;
	--webhook-on)
		COMPREPLY=($(compgen -W 'change problem always' -- "$cur"))
		return
		;;
	--report)
		if [[ $glued ]]; then
			COMPREPLY=($(compgen -W '24h 7d 30d 1y' -- "$cur"))
			return
		fi
		;;
	--watch)
		if [[ $glued ]]; then
			COMPREPLY=($(compgen -W '30 60 300' -- "$cur"))
			return
		fi
		;;
	--prometheus)
		# Its value is optional, so it can only be glued on.
		if [[ $glued ]]; then
			COMPREPLY=($(compgen -W 'addresses' -- "$cur"))
			return
		fi
		;;
	-H | --hostname | --control | -p | --port | -f | --from | -F | --helo | --fqdn | -t | --timeout | \
		--connect-timeout | -n | --repeat | --interval | -j | --jobs | --per-address | --rate | \
		--deadline | --jitter | --resolver | -b | --bind | -w | --warning | -c | --critical | -D | --certificate | \
		--warning-time | --critical-time | --confirm | --webhook)
		return
		;;
	esac
	[[ $glued ]] && return

	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$cur"))
	fi
}

complete -F _mxprobe mxprobe check_mxprobe

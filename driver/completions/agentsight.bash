# bash completion of agentsight and its tools; options come from --help
_agentsight_options() {
	"$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | sort -u
}

_agentsight() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} i words
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then	# a program, and its own arguments
			if declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); fi
			return
		fi
	done
	case $prev in
	-p | --pid) words=$(ps -eo pid=) ;;
	-c | --comm) words=$(ps -eo comm= | sort -u) ;;
	--mode) words='0 1 2' ;;
	--format) words='snapshot ndjson otlp-json har folded' ;;
	--by) words='model provider agent conversation directory process hour' ;;
	-o | --output | --db | --binary-path) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	*)
		if ((COMP_CWORD == 1)); then
			words='record exec stat trace ssl plain process stdio system pipeline report top serve discover doctor help --help --version'
		elif [[ ${COMP_WORDS[1]} == report && $cur != -* ]]; then
			words=$(agentsight report --list 2>/dev/null | cut -d' ' -f1)
		elif [[ ${COMP_WORDS[1]} == @(report|serve|discover|doctor) ]]; then
			words=$(_agentsight_options agentsight "${COMP_WORDS[1]}")
		elif [[ ${COMP_WORDS[1]} == pipeline && $COMP_CWORD == 2 ]]; then
			words='record exec stat trace ssl plain process stdio system top'
		else
			words="$(_agentsight_options agentsight) --"
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _agentsight agentsight

_agentsight_tool() {
	local cur=${COMP_WORDS[COMP_CWORD]}
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_agentsight_options "$1")" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -F _agentsight_tool sslsniff tcpsniff agentsight-process stdiocap agentsight-sysmon jsonfilter httpparse ssemerge \
	llmparse authstrip sqlitesink otelsink websink

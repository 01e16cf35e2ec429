#!/bin/sh
# agentsight-pipeline - prints stages as the pipeline that a shell would run
#
# Reads a line for each stage, words with tabs between: collector, filter or sink,
# then the command; and "output", then the file, or nothing for standard output, and a
# filter before it, if there is one.
# Collectors come first, then filters in their order, then sinks, then output.
set -uf
here=$(readlink -f "$0")
tools=${AGENTSIGHT_TOOLS:-${here%/*}}
tab=$(printf '\t')
nl='
'
line='' first='' fifos='' before='' more='' heads='' sinks='' output='' end='' last=''

# What is no text a terminal should not get: printf makes it again.
# shellcheck disable=SC2016	# for the shell that it is pasted into
quote_any() {
	if [ "$("$tools/agentsight-show" "$1")" = "$1" ]; then
		printf " '%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
	else
		printf ' "$(printf %%b '\''%s'\'')"' "$(printf '%s' "$1" | od -An -v -to1 | tr -d '\n' | sed 's/ /\\0/g')"
	fi
}

quote() {
	for word; do
		case $word in
		"\$PID") printf ' "%s"' "$word" ;;
		*[!A-Za-z0-9_./:=@%,+-]*) quote_any "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
}

# The first collector begins the pipeline; the others write to FIFOs that the
# first filter reads.
collector() {
	if [ -z "$line" ]; then
		line=$command
	else
		fifos="$fifos $name.fifo" more="$more $name.fifo"
		before="$before$command > $name.fifo &$nl"
	fi
}

filter() {
	line="$line |$nl	$command${more:+ -$more}"
	more=''
}

# tee writes to the FIFOs of sinks; the last sink ends the pipeline when nothing
# else does.
sink() {
	sinks="$sinks$name$tab$command$nl"
}

while IFS= read -r input; do
	IFS=$tab
	# shellcheck disable=SC2086	# words, with tabs between
	set -- $input
	unset IFS
	kind=$1
	shift
	name=${1:-} command=$(quote "$@") command=${command# }
	case $kind in
	collector | filter | sink) $kind ;;
	output)
		end=1 output=$(quote "$name") output=${output# }
		[ $# -eq 0 ] || shift
		[ $# -eq 0 ] || last=$(quote "$@")
		;;
	esac
done

while [ -n "$sinks" ]; do
	this=${sinks%%"$nl"*} sinks=${sinks#*"$nl"}
	name=${this%%"$tab"*} command=${this#*"$tab"}
	if [ -z "$sinks" ] && [ -z "$end" ]; then
		first=$command
	else
		fifos="$fifos $name.fifo" heads="$heads $name.fifo"
		before="$before$command < $name.fifo &$nl"
	fi
done
[ -z "$fifos" ] || echo "mkfifo$fifos"
printf '%s%s' "$before" "$line"
[ -z "$heads" ] || printf ' |\n\ttee -p%s' "$heads"
[ -z "$first" ] || printf ' |\n\t%s' "$first"
[ -z "$last" ] || printf ' |\n\t%s' "${last# }"
[ -z "$output" ] || printf ' > %s' "$output"
echo
[ -z "$fifos" ] || echo wait

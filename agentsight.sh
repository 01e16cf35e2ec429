#!/bin/sh
# agentsight - what agents do on this machine, in one command
#
# Starts the stages of the pipeline, joins them with FIFOs and tee, runs a
# command or waits for one, stops, reports. It knows no event: what needs more
# than that is an option of a tool.
#
# Lists are words with a newline between; no word is split or expanded else, and
# a word of the user's that holds a newline is refused before it gets into one.
#
# This file is commands, options and what they mean; driver/run.sh is a run, and
# driver/end.sh its end.
# Descriptors: 4 says to the hand-over that we live, 5 the orders of the run log, 6
# the user's --fd, 7 the command's input, 8 who is ready, 9 the command's start.
# shellcheck disable=SC2046,SC2086,SC2317,SC3045	# such lists; functions that traps call; ulimit
set -uf
nl='
'
IFS=$nl

# Standard descriptors that are closed would be those of the next files opened.
[ -e /proc/$$/fd/0 ] || exec </dev/null
[ -e /proc/$$/fd/1 ] || exec >/dev/null
[ -e /proc/$$/fd/2 ] || exec 2>/dev/null

umask_before=$(umask)
umask 077

# The tools: in the folder of this script (installed, or built), or built below
# it (the script of the source tree).
if [ "${AGENTSIGHT_REAPER:-}" = $$ ]; then script=$0; else script=$(readlink -f "$0"); fi
here=${script%/*}
tools=${AGENTSIGHT_TOOLS:-$here}
[ -n "${AGENTSIGHT_TOOLS:-}" ] || [ -f "$tools/sslsniff" ] || tools=$here/build/bin

phase=start	# start, run, drain: what a signal means
caught='' dir='' cmd='' probes='' stages='' names='' watcher='' handover=''

# Also where no descriptor is left for a redirection.
fail() { awk -v text="agentsight: $*" 'BEGIN { print text >"/dev/stderr" }'; refused=1; exit 125; }
# Names are shown so that they cannot draw on a terminal, or add a line.
say() {
	case $* in
	*[!\ -~]*) "$tools/agentsight-show" "agentsight: $*" >&2 ;;
	*) printf 'agentsight: %s\n' "$*" >&2 ;;
	esac
}
wrong() { say "$*"; say 'agentsight --help lists commands and options'; refused=1; exit 2; }

# unknown WHAT WORD NAME...: with the nearest of the names there are.
unknown() {
	what=$1 word=$2
	shift 2
	near=$("$tools/agentsight-nearest" "$word" "$@") && wrong "unknown $what $word; did you mean $near?"
	wrong "unknown $what $word"
}
unknown_option() { unknown option "$1" $(grep -o -e '--[a-z][a-z-]*' "$tools/agentsight.usage"); }

# --- who runs what ---------------------------------------------------------------
# Collectors are root. Filters and sinks have a user id that nobody else has, the
# agent's least of all: it could stop them, or write into their input. What is done
# with files by the names that the user gave is done as the user.
# become [OPTION]... -- COMMAND...: this (sub)shell becomes COMMAND, as the invoking user,
# with more options of agentsight-spawn.
become() { exec "$tools/agentsight-spawn" ${user:+--user$nl$user$nl--group$nl${SUDO_GID:-$user}} "$@"; }

# The same without any capability, and no way to get one.
as_user() { become --bare "$@"; }

# The same as the user id of filters and sinks.
as_stage() {
	[ -n "$stage_uid" ] || as_user "$@"
	exec "$tools/agentsight-spawn" --bare --user "$stage_uid" "$@"
}

# choose_place PARENT: folders, and the user id of the stages (agentsight-place).
choose_place() {
	{ read -r stage_uid && read -r granted && read -r folder && read -r dir; } <<-END || exit 125
		$("$tools/agentsight-place" "$1" "$user" "$tools/authstrip")
	END
	if [ "$me" -ne 0 ]; then
		say 'filters and sinks run as you do: what is recorded could disturb them (not as root)'
	elif [ -z "$stage_uid" ]; then
		say "filters run as ${user:+the invoking }${user:-root}${user:+ user}: others may not enter $tools"
		say 'what is recorded could disturb them; installed tools (make install) do without this'
	fi
}

# --- the recording ----------------------------------------------------------------
# create FILE: as the user; never one that is there already.
# shellcheck disable=SC2016
create() {
	( as_user -- sh -c 'set -C; : >"$1"' agentsight "$1" ) 2>/dev/null && created=$(words $created "$1")
}

# name_file SUFFIX: a new one in this folder; its name in file.
name_file() {
	base=agentsight-$(date +%Y%m%d-%H%M%S) n=1 file=$base$1
	until create "$file" || [ ! -e "$file" ]; do
		n=$((n + 1)) file=$base-$n$1
	done
	[ -e "$file" ] || { say "cannot create $file (another place: --db FILE, -o FILE)"; exit 125; }
}

# given_file FILE: one that the user named; what it has another name for stays as it is.
# shellcheck disable=SC2016
given_file() {
	if [ ! -e "$1" ]; then
		create "$1"
	elif [ -f "$1" ] && [ "$1" = "$output" ]; then	# a database may be another program's
		( as_user -- sh -c '[ "$(stat -c %h -- "$1")" -ne 1 ] || chmod 600 -- "$1"' agentsight "$1" )
	fi
	[ -e "$1" ] || { say "cannot create $1 (another place: --db FILE, -o FILE)"; exit 125; }
}

# own_group: nobody but the user is in the group that sudo tells.
own_group() {
	IFS=: read -r _ _ _ members <<-END
		$(getent group "$SUDO_GID")
	END
	name=$(getent passwd "$user" | cut -d: -f1)
	case ${members:-$name} in "$name") ;; *) return 1 ;; esac
	[ "$(getent passwd | cut -d: -f1,4 | grep ":$SUDO_GID\$")" = "$name:$SUDO_GID" ]
}

# A new recording is written in a folder that the stages own and the user may read,
# and handed over at the end: nobody but they can change it until then.
show_folder() {
	group=$stage_uid
	[ -n "$folder" ] && [ -n "$user" ] && [ -z "$granted" ] || return 0
	if [ -n "${SUDO_GID:-}" ] && own_group; then
		group=$SUDO_GID
		chgrp "$group" "$folder" && chmod 2750 "$folder" || exit 125
	else
		say "$folder knows no access lists: the recording can be read when it is finished"
	fi
}

# protect FILE KIND: in that folder, readable by the user; its name in file.
protect() {
	file=$folder/$2/${1##*/}
	( umask 027; mkdir "$folder/$2" && : >"$file" ) || exit 125
	chown -R "$stage_uid:$group" "$folder/$2" || exit 125
	words "$file" "$1" >>"$dir/handover"
}

# When all is ready they are found under the names that they will have, not before: a file
# of that name is there still when nothing is run.
link_outputs() {
	while read -r from && read -r file; do
		( as_user -- ln -sfn -- "$from" "$file" ) && continue
		say "cannot write $file (another place: --db FILE, -o FILE)"
		return 1
	done <"$dir/handover"
}

make_outputs() {
	case $to in	# where to, when no place is given
	db) name_file .db; db=$file ;;
	lines) name_file .ndjson; output=$file ;;
	temporary) db=$dir/run.db; ( cd "$dir" && : >run.db ) ;;
	*)
		[ -z "$output" ] || given_file "$output"
		[ -z "$db" ] || given_file "$db"
		;;
	esac
	db_now=$db output_now=$output db_as=as_stage
	show_folder
	if [ "$to" = temporary ]; then
		[ -z "$folder" ] || db_now=$folder/run.db
	elif [ -n "$db" ] && [ -s "$db" ]; then
		db_as=as_user	# it goes on with what is there
		[ -z "$stage_uid" ] || say "$db is there already: until the end, what is recorded could change it"
	elif [ -n "$db" ] && [ -n "$folder" ]; then
		protect "$db" db; db_now=$file
	fi
	if [ -n "$output" ] && [ -f "$output" ] && [ -n "$folder" ]; then
		protect "$output" lines; output_now=$file
	fi
}

# --- the pipeline: which stages, with what arguments -----------------------------
# Collectors write to the first filter, which merges them line by line; the last
# filter writes to the sinks, through tee when there are several.
choose_stages() {
	collectors=$(words ${ssl:+sslsniff} ${tcp:+tcpsniff} ${process:+process} ${stdio:+stdiocap} ${system:+sysmon})
	[ -n "$collectors" ] || wrong 'nothing to collect: one of --ssl, --plain, --process, --stdio, --system'
	filters='' sinks=''
	[ -z "$ssl$tcp" ] || [ -z "$http" ] || filters=httpparse${nl}ssemerge${nl}llmparse
	[ -z "$stdio" ] || [ -n "$filters" ] || filters=llmparse
	filters=$(words $filters ${ssl_filter:+ssl-filter} ${http_filter:+http-filter})
	[ -n "$secrets" ] || filters=$(words $filters authstrip)
	filters=${filters:-merge}
	sinks=$(words ${otel:+otelsink} ${server:+websink} ${db:+sqlitesink})
	[ -z "$output" ] || sinks=$(words $sinks file)
}

words() { [ $# -eq 0 ] || printf '%s\n' "$@"; }
in_dir() { for word; do printf '%s\n' "$dir/$word"; done; }
each() { option=$1; shift; for word; do words "$option" "$word"; done; }	# OPTION WORD...

tool_of() { case $1 in *-filter | merge | file) echo jsonfilter ;; *) echo "$1" ;; esac; }

# What grows is for the page alone: a file has the messages that it comes to.
file_filter() { [ -z "$server" ] || words jsonfilter 'type!=sse.delta'; }

args_of() {
	case $1 in
	sslsniff) words $targets $to_sslsniff ;;
	tcpsniff) words $targets $to_tcpsniff ;;
	process) words $targets $to_process ;;
	stdiocap) words ${stdio_targets:-$targets} $to_stdiocap ;;
	sysmon) words $targets $to_sysmon ;;
	httpparse) words ${raw:+--raw} $to_httpparse ;;
	ssl-filter) words -v -t ssl.data $ssl_filter ;;
	http-filter) words -v -t http.request -t http.response $http_filter ;;
	merge) ;;
	file) file_filter | sed 1d ;;
	sqlitesink) words $to_sqlitesink ${folder:+$([ "$db_as" = as_user ] || echo --keep-mode)} "${db_now:-$db}" ;;
	otelsink) words $to_otelsink ;;
	ssemerge) words ${server:+--deltas} ;;	# the page shows words as they come
	websink) words --exit $to_websink ;;
	esac
}

# --- the pipeline, printed -----------------------------------------------------------
stage_words() { printf '%s\t%s\n' "$1" "$(words "$(tool_of "$2")" $(args_of "$2") | paste -s -)"; }

print_pipeline() {
	for name in $collectors; do stage_words collector "$name"; done
	for name in $filters; do stage_words filter "$name"; done
	for name in $sinks; do [ "$name" = file ] || stage_words sink "$name"; done
	[ -z "$output$fd" ] || printf 'output\t%s\n' "$(words "$output" ${output:+$(file_filter)} | paste -s -)"
}

# --- commands and options -----------------------------------------------------------------
# One option with its value in place. They are those of the original's debug
# trace, and those that all tools share.
set_option() {
	case $2 in *"$nl"*) wrong "$1: a line break cannot be in it" ;; esac
	case $1 in
	-p | --pid) pid=$2 targets=-p$nl$2 ;;
	-c | --comm) targets=$(IFS=,; each -c $2) ;;
	--session | --cgroup | --container) targets=$1$nl$2 ;;
	-d | --for) limit=$2; check_time "$@" ;;
	--ssl-uid) to_sslsniff=$(words $to_sslsniff -u "$2") ;;
	--binary-path) to_sslsniff=$(words $to_sslsniff "$@") ;;
	--mode) to_process=$(words $to_process -m "$2") ;;
	--duration) to_process=$(words $to_process -d "$2") ;;
	--ring-size)
		to_sslsniff=$(words $to_sslsniff "$@") to_tcpsniff=$(words $to_tcpsniff "$@")
		to_process=$(words $to_process "$@") to_stdiocap=$(words $to_stdiocap "$@") ;;
	--max-body) to_httpparse=$(words $to_httpparse "$@") ;;
	--stdio-uid) to_stdiocap=$(words $to_stdiocap -u "$2") ;;
	--stdio-comm) stdio_targets=-c$nl$2 ;;
	--stdio-max-bytes) to_stdiocap=$(words $to_stdiocap --max-bytes "$2") ;;
	--system-interval) to_sysmon=$(words $to_sysmon -i "$2") ;;
	--plain-ports) to_tcpsniff=$(words $to_tcpsniff --ports "$2") ;;
	--ssl-filter) check_filter "$@"; ssl_filter=$(words $ssl_filter -e "$2") ;;
	--http-filter) check_filter "$@"; http_filter=$(words $http_filter -e "$2") ;;
	--db) db=$2 to=given ;;
	-o | --output) output=$2 to=given ;;
	--fd) fd=$2 to=given; case $2 in [1-5]) ;; *) wrong '--fd takes 1 to 5' ;; esac ;;
	--rotate | --keep) to_sqlitesink=$(words $to_sqlitesink "$@") ;;
	--server-listen) to_websink=$(words $to_websink --listen "$2") ;;
	--server-port) to_websink=$(words $to_websink --port "$2") ;;
	--otel-endpoint) otel=1 to_otelsink=$(words $to_otelsink --endpoint "$2") ;;
	-i | --interval) refresh=$2; check_time "$@" ;;
	*) unknown_option "$1" ;;
	esac
}

# What is wrong is said now, not when the program has run. Times are those of timeout(1)
# and sleep(1).
check_time() {
	number=${2%[smhd]}
	case $number in
	'' | . | *[!0-9.]* | *.*.*) wrong "$1 $2: not a time (2s, 5m, 1h, 1d; plain numbers are seconds)" ;;
	esac
}
check_filter() {
	"$tools/jsonfilter" -e "$2" </dev/null >/dev/null
	[ $? -le 1 ] || wrong "$1 $2: not an expression (see jsonfilter(1))"
}

# One that is true, or false (empty).
set_flag() {
	case $1 in
	--ssl) ssl=$2 ;;
	--process) process=$2 ;;
	--stdio) stdio=$2 ;;
	--system) system=$2 ;;
	--all) ssl=$2 tcp=$2 process=$2 stdio=$2 system=$2 ;;
	--plain-any) to_tcpsniff=$(words $to_tcpsniff ${2:+--any}) ;;
	--ssl-http) http=$2 ;;
	--ssl-handshake) to_sslsniff=$(words $to_sslsniff ${2:+--handshake}) ;;
	--hold) [ -n "$2" ] || to_sslsniff=$(words $to_sslsniff --no-hold) ;;
	--ssl-raw-data | --raw) raw=$2 ;;
	--stdio-all-fds) to_stdiocap=$(words $to_stdiocap ${2:+--all-fds}) ;;
	--disable-auth-removal | --keep-credentials) secrets=$2 ;;
	--server) server=$2 ;;
	--otel) otel=$2 ;;
	--stop-on-failure) stop_on_failure=$2 ;;
	--wait) wait=$2 ;;
	--fail-on-loss) fail_on_loss=$2 ;;
	--reads) [ -n "$2" ] || to_process=$(words $to_process --no-reads) ;;
	--trace-fs | --trace-net | --trace-signals | --trace-all) to_process=$(words $to_process ${2:+"$1"}) ;;
	--otel-capture-content) to_otelsink=$(words $to_otelsink ${2:+--content}) ;;
	--once) once=$2 ;;
	--plain) if [ "$verb$2" = top1 ]; then plain=1; else tcp=$2; fi ;;	# of top: how it looks
	-q | --quiet) quiet=$2 ;;
	-v | --verbose) verbose=$2 ;;
	*) return 1 ;;
	esac
}

# Then goes on with what is behind --.
parse() {
	while [ $# -gt 0 ]; do
		case $1 in *"$nl"*) wrong 'a line break cannot be in an option' ;; esac
		[ "$1" = -- ] || given_words=$(words $given_words "$1")
		name=$1 value='' given=''
		case $name in
		--) break ;;
		--*=*) value=${name#*=} name=${name%%=*} given=1 ;;
		-[!-]?*) value=${name#-?} name=${name%"$value"} given=1 ;;
		-?*) ;;
		*) wrong "unknown word $name (a program comes behind --)" ;;
		esac
		shift
		case $name in
		-h | --help) cat "$tools/agentsight.usage"; exit ;;
		-V | --version) version; exit 0 ;;
		--no-*) set_flag "--${name#--no-}" '' || unknown_option "$name"; continue ;;
		esac
		truth=1
		[ "$value" != false ] || truth=''
		if set_flag "$name" "$truth"; then
			case $value in '' | true | false) continue ;; *) wrong "$name=$value is neither true nor false" ;; esac
		fi
		if [ -z "$given" ]; then
			[ $# -gt 0 ] || { grep -qw -e "$name" "$tools/agentsight.usage" || unknown_option "$name"; wrong "$name needs a value"; }
			value=$1
			case $value in *"$nl"*) ;; *) given_words=$(words $given_words "$value") ;; esac
			shift
		fi
		set_option "$name" "$value"
	done
	[ $# -eq 0 ] || shift
	begin "$@"
}

commands=$(words record exec stat trace ssl process stdio system top pipeline report serve discover doctor help)

# show_help [COMMAND]: what it takes, of all that there is.
show_help() {
	case ${1:-} in
	'') cat "$tools/agentsight.usage" ;;
	report | discover | doctor) exec "$tools/agentsight-$1" --help ;;
	serve) exec "$tools/websink" --help ;;
	*)
		case $nl$commands$nl in *"$nl$1$nl"*) ;; *) unknown command "$1" $commands ;; esac
		# its lines, and the options
		awk -v c="$1" '
			/^$/ { part++ }
			part == 1 && /^  [a-z]/ { mine = index(" " substr($0, 1, 26) " ", " " c " ") || index($0, " " c ",") }
			part != 1 || mine || /^$/' "$tools/agentsight.usage"
		;;
	esac
	exit
}

# What the recording needs of the limits that we run under; the program has its own.
check_limits() {
	files_soft=$(ulimit -S -n) files_hard=$(ulimit -H -n) blocks=$(ulimit -f)
	# without a redirection that is undone: with very few, no shell can do it
	if [ "$files_hard" != unlimited ] && [ "$files_hard" -lt 1024 ]; then
		if ( exec 2>/dev/null; ulimit -n 1024 ); then ulimit -n 1024; else ulimit -S -n "$files_hard"; fi
	elif [ "$files_soft" != unlimited ] && [ "$files_soft" -lt 1024 ]; then
		ulimit -S -n 1024
	fi
	files=$(ulimit -S -n)
	[ "$files" = unlimited ] || [ "$files" -ge 256 ] || fail "only $files files may be open at a time (ulimit -n): a recording needs 256"
	[ "$blocks" = unlimited ] || [ "$blocks" -ge 8192 ] ||
		fail "a file may have only $((blocks / 2)) KiB (ulimit -f): a recording needs 4096"
}

version() { "$tools/authstrip" -V | sed 's/.* /agentsight /'; }

# begin [PROGRAM [ARGUMENT]...]
begin() {
	case $verb in
	record | exec | stat)
		hush=1
		[ $# -gt 0 ] || [ "$verb$targets" != "$verb" ] || wrong 'what to run? (-- PROGRAM; or -p PID, -c NAME)'
		[ $# -eq 0 ] || [ -z "$targets" ] || wrong 'either a program, or -p, -c, --session, --cgroup, --container'
		;;
	*) [ $# -eq 0 ] || wrong "$verb runs no program" ;;
	esac
	case ${1:-} in	# found when it runs, too, only later
	'' | *"$nl"*) ;;
	*) to_sslsniff=$(words $to_sslsniff --command "$1") ;;
	esac
	case $verb in
	record) to=${to:-db} ;;
	exec) to=${to:-lines} ;;
	stat) [ "$to" = given ] || to=temporary ;;
	top) to=temporary hush=1 table=$tools/agentsight-report ;;
	*) to=given; [ -n "$output$fd$quiet" ] || fd=1 ;;
	esac
	[ -n "$print" ] || check_limits
	if [ -n "$print" ]; then
		case $to in db | temporary) db=agentsight.db ;; lines) output=agentsight.ndjson ;; esac
		[ $# -eq 0 ] || targets=-p$nl\$PID
		choose_stages
		print_pipeline | "$tools/agentsight-pipeline"
	else
		# shellcheck source=driver/run.sh
		. "$tools/agentsight.run"
		# shellcheck source=driver/end.sh
		. "$tools/agentsight.end"
		run "$@"
	fi
}

main() {
	ssl='' tcp='' process='' stdio='' system='' http=1 secrets='' raw='' ssl_filter='' http_filter=''
	pid='' targets='' stdio_targets='' limit='' to='' db='' output='' fd='' server='' otel=''
	to_sslsniff='' to_tcpsniff='' to_process='' to_stdiocap='' to_sysmon='' to_sqlitesink='' to_otelsink='' to_websink=''
	stage_uid='' granted='' folder='' created='' db_now='' output_now='' db_as=as_stage stop_on_failure='' fail_on_loss='' wait='' to_httpparse='' seen='' given_words='' status=''
	run_id='' runlog='' asked_ms='' hurried='' log_ended='' stopper='' refused='' causes='' collectors='' sinks='' awaits='' ended=''
	quiet='' verbose='' hush='' print='' attached='' held='' terminal='' user='' refresh=0.5 once='' plain='' table=''
	# as id -u; with very few files no redirection can be undone
	me=$(exec </proc/self/status; while IFS='	' read -r key _ id _; do [ "$key" != Uid: ] || echo "$id"; done)
	[ "$me" -ne 0 ] || [ "${SUDO_UID:-0}" = 0 ] || user=$SUDO_UID
	( : </dev/tty ) 2>/dev/null && terminal=1

	verb=${1:-}
	[ $# -eq 0 ] || shift
	if [ "$verb" = pipeline ]; then
		print=1 verb=${1:-trace}
		case $verb in -*) verb=trace ;; *) [ $# -eq 0 ] || shift ;; esac
	fi
	case $verb in
	record | exec | stat)
		# orphans of what is run become our children, so that we can tell who still runs
		[ -n "$print" ] || [ "${AGENTSIGHT_REAPER:-}" = $$ ] || {
			umask "$umask_before"
			AGENTSIGHT_REAPER=$$ exec "$tools/agentsight-spawn" --reaper -- /bin/sh "$script" "$verb" "$@"
		}
		unset AGENTSIGHT_REAPER
		ssl=1 tcp=1 process=1 stdio=1 system=1
		;;
	trace) ssl=1 tcp=1 process=1 ;;
	top) ssl=1 tcp=1 process=1 system=1 refresh=2 ;;
	ssl | plain | process | stdio | system) set_flag "--$verb" 1 ;;
	report | doctor | discover) exec "$tools/agentsight-$verb" "$@" ;;
	help) show_help "$@" ;;
	serve)
		[ $# -gt 0 ] || exec "$tools/agentsight-report" serve
		exec "$tools/websink" "$@"
		;;
	-h | --help) cat "$tools/agentsight.usage"; exit ;;
	-V | --version) version; exit 0 ;;
	'') wrong 'what to do?' ;;
	*) unknown command "$verb" $commands ;;
	esac
	parse "$@"
}

main "$@"

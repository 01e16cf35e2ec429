#!/bin/sh
# agentsight - what agents do on this machine, in one command
#
# Starts the stages of the pipeline, joins them with FIFOs and tee, runs a
# command or waits for one, stops, reports. It knows no event: what needs more
# than that is an option of a tool.
#
# Lists are words with a newline between; no word is split or expanded else.
# shellcheck disable=SC2046,SC2086,SC2317	# such lists; functions that traps call
set -uf
nl='
'
IFS=$nl

umask_before=$(umask)
umask 077

# The tools: in the folder of this script (installed, or built), or built below
# it (the script of the source tree).
here=$(dirname "$(readlink -f "$0")")
tools=${AGENTSIGHT_TOOLS:-$here}
[ -n "${AGENTSIGHT_TOOLS:-}" ] || [ -f "$tools/sslsniff" ] || tools=$here/build/bin

phase=start	# start, run, drain: what a signal means
caught='' dir='' cmd='' probes='' stages='' names='' watcher=''

say() { printf 'agentsight: %s\n' "$*" >&2; }
wrong() { say "$*"; say 'agentsight --help lists commands and options'; exit 2; }

# --- the user behind sudo -------------------------------------------------------
# become COMMAND...: this (sub)shell becomes COMMAND, as the invoking user.
become() {
	[ -z "$user" ] || set -- setpriv --reuid="$user" --regid="${SUDO_GID:-$user}" --init-groups -- "$@"
	exec "$@"
}

# harmless COMMAND...: the same without any capability, and no way to get one.
harmless() {
	set -- --inh-caps=-all --ambient-caps=-all --no-new-privs -- "$@"
	[ "$(id -u)" -ne 0 ] || set -- --bounding-set=-all "$@"
	[ -z "$user" ] || set -- --reuid="$user" --regid="${SUDO_GID:-$user}" --init-groups "$@"
	exec setpriv "$@"
}

# What sudo took from the user's environment (PATH it does not tell).
restore_user() {
	[ -n "$user" ] && entry=$(getent passwd "$user") || return 0
	IFS=: read -r USER _ _ _ _ HOME _ <<-END
		$entry
	END
	LOGNAME=$USER
	export USER HOME LOGNAME
	unset SUDO_UID SUDO_GID SUDO_USER SUDO_COMMAND
}

# --- the recording ----------------------------------------------------------------
# create FILE: as the user; never one that is there already.
# shellcheck disable=SC2016
create() { ( harmless sh -c 'set -C; : >"$1"' agentsight "$1" ) 2>/dev/null; }

# name_file SUFFIX: a new one in this folder; its name in file.
name_file() {
	base=agentsight-$(date +%Y%m%d-%H%M%S) n=1 file=$base$1
	until create "$file" || [ ! -e "$file" ]; do
		n=$((n + 1)) file=$base-$n$1
	done
	[ -e "$file" ] || { say "cannot create $file (another place: --db FILE, -o FILE)"; exit 125; }
}

# given_file FILE: one that the user named.
given_file() {
	if [ ! -e "$1" ]; then
		create "$1"
	elif [ -f "$1" ]; then
		( harmless chmod 600 "$1" )
	fi
	[ -e "$1" ] || { say "cannot create $1 (another place: --db FILE, -o FILE)"; exit 125; }
}

make_outputs() {
	case $to in	# where to, when no place is given
	db) name_file .db; db=$file ;;
	lines) name_file .ndjson; output=$file ;;
	temporary) db=$dir/run.db; ( cd "$dir" && : >run.db ); return ;;
	*)
		[ -z "$output" ] || given_file "$output"
		[ -z "$db" ] || given_file "$db"
		;;
	esac
}

# --- the pipeline: which stages, with what arguments -----------------------------
# Collectors write to the first filter, which merges them line by line; the last
# filter writes to the sinks, through tee when there are several.
choose_stages() {
	collectors=$(words ${ssl:+sslsniff} ${process:+process} ${stdio:+stdiocap} ${system:+sysmon})
	[ -n "$collectors" ] || wrong 'nothing to collect: one of --ssl, --process, --stdio, --system'
	filters='' sinks=''
	[ -z "$ssl" ] || [ -z "$http" ] || filters=httpparse${nl}ssemerge${nl}llmparse
	[ -z "$stdio" ] || [ -n "$filters" ] || filters=llmparse
	filters=$(words $filters ${ssl_filter:+ssl-filter} ${http_filter:+http-filter})
	[ -n "$secrets" ] || filters=$(words $filters authstrip)
	filters=${filters:-merge}
	sinks=$(words ${db:+sqlitesink} ${otel:+otelsink} ${server:+websink})
}

words() { [ $# -eq 0 ] || printf '%s\n' "$@"; }
each() { option=$1; shift; for word; do words "$option" "$word"; done; }	# OPTION WORD...

tool_of() { case $1 in *-filter | merge) echo jsonfilter ;; *) echo "$1" ;; esac; }

args_of() {
	case $1 in
	sslsniff) words $targets $to_sslsniff ;;
	process) words $targets $to_process ;;
	stdiocap) words ${stdio_targets:-$targets} $to_stdiocap ;;
	sysmon) words $targets $to_sysmon ;;
	httpparse) words ${raw:+--raw} ;;
	ssl-filter) words -v -t ssl.data $ssl_filter ;;
	http-filter) words -v -t http.request -t http.response $http_filter ;;
	merge) words -v -e type= ;;
	sqlitesink) words $to_sqlitesink "$db" ;;
	otelsink) words $to_otelsink ;;
	ssemerge) words ${server:+--raw} ;;	# the page shows words as they come
	websink) words --exit $to_websink ;;
	esac
}

# --- the pipeline, printed -----------------------------------------------------------
stage_words() { printf '%s\t%s\n' "$1" "$(words "$(tool_of "$2")" $(args_of "$2") | paste -s -)"; }

print_pipeline() {
	for name in $collectors; do stage_words collector "$name"; done
	for name in $filters; do stage_words filter "$name"; done
	for name in $sinks; do stage_words sink "$name"; done
	[ -z "$output$fd" ] || printf 'output\t%s\n' "$output"
}

# --- the pipeline, run ------------------------------------------------------------------
# Stages have sessions of their own: Ctrl-C is ours to pass on. Every stage
# opens its FIFOs in its own background job; opened here they would wait for
# each other.
started() { stages=$(words $stages "$1:$2"); }

# The collectors die with us, also when we are gone before they can ask for it.
# Another job waits for each to be ready, or to end: we may only wait for all.
start_collector() {
	name=$1 ready=/dev/null
	set -- $(args_of "$name")
	[ ! -p "$dir/ready.$name" ] || ready=$dir/ready.$name
	[ "$ready" = /dev/null ] || set -- --ready-fd 8 "$@"
	[ -z "$hush" ] || [ -n "$verbose" ] || set -- -q "$@"
	# shellcheck disable=SC2016
	(
		exec 6>&- 7<&- 9>&- >"$dir/$name" 8>"$ready"
		exec setsid setpriv --pdeathsig TERM -- sh -c '[ "$PPID" -eq "$1" ] && shift && exec "$@"' \
			agentsight $$ "$tools/$name" "$@" ${verbose:+-v}
	) </dev/null 2>"$dir/$name.err" &
	probes=$(words $probes $!)
	started "$name" $!
	[ "$ready" = /dev/null ] || (
		exec 6>&- 7<&- 9>&-
		read -r word <"$ready" || word=failed
		echo "${word:-ready}" >&8
	) 2>/dev/null &
}

# start NAME FROM TO COMMAND...: a filter or sink. TO may be - for descriptor 6.
start() {
	name=$1 from=$2 to=$3
	shift 3
	(
		exec <"$from" 7<&- 8<&- 9>&-
		if [ "$to" = - ]; then exec >&6; else exec >"$to"; fi
		exec 6>&-
		# the address of the page is wanted now, what others say at the end
		[ "$name" = websink ] || exec 2>"$dir/$name.err"
		harmless setsid "$@"
	) &
	started "$name" $!
}

# The FIFO of the Nth collector, or nothing to read when there is none.
collector() {
	n=$(words $collectors | sed -n "$1p")
	echo "${n:+$dir/}${n:-/dev/null}"
}

start_filters() {
	from=$(collector 1) second=$(collector 2) third=$(collector 3) fourth=$(collector 4)
	for filter in $filters; do
		next=$dir/$filter file=''
		if [ "$filter" = "${filters##*"$nl"}" ]; then
			case ${output:+file}${fd:+fd}$(words $sinks | wc -l) in
			file0) next=/dev/null file=$output ;;
			fd0) next=- ;;
			1) next=$dir/$sinks ;;
			*) next=$dir/tee ;;
			esac
		fi
		start "$filter" "$from" "$next" "$tools/$(tool_of "$filter")" $(args_of "$filter") \
			${file:+-o$nl$file} ${verbose:+--verbose} - /dev/fd/3 /dev/fd/4 /dev/fd/5 \
			3<"$second" 4<"$third" 5<"$fourth"
		from=$next second=/dev/null third=/dev/null fourth=/dev/null
	done
}

# tee goes on when a sink dies.
start_sinks() {
	for name in $sinks; do
		start "$name" "$dir/$name" /dev/null "$tools/$name" ${verbose:+--verbose} $(args_of "$name")
	done
	[ "$next" = "$dir/tee" ] || return 0
	set -- $(words $sinks | sed "s|^|$dir/|") /dev/null /dev/null
	start tee "$dir/tee" "$(echo "${fd:+-}" | sed 's|^$|/dev/null|')" tee -p ${output:+"$output"} \
		$(seq -f /dev/fd/%g 3 $(($#))) 3>"$1" 4>"$2" 5>"$3"
}

kill_stages() { for stage in $stages; do kill -s KILL "${stage#*:}" 2>/dev/null; done; }

# --- the command --------------------------------------------------------------------------
# It is held by a line that it reads from a FIFO, not by SIGSTOP: a line cannot
# come too early, and when we die it reads end of file and ends as well. On a
# terminal it stays where it would be without us: in our session and group, which
# Ctrl-C and Ctrl-Z reach. Elsewhere it has its own, which signals are passed on
# to; a background job is no group leader, so setsid does not fork and $! is the
# command. sh lets background jobs ignore SIGINT and SIGQUIT and read /dev/null;
# both are put right.
start_command() {
	# shellcheck disable=SC2016
	(
		exec <&7 6>&- 7<&- 8<"$dir/go" 9>&-
		umask "$umask_before"
		restore_user
		set -- env --default-signal=INT,QUIT sh -c 'read -r go <&8 || exit 125; exec 8<&-; exec "$@"' agentsight "$@"
		[ -n "$terminal" ] || set -- setsid "$@"
		become "$@"
	) &
	cmd=$!
}

# In place of a command: ends with the process that is observed, after a time,
# or when the pipeline broke. top shows its table meanwhile.
start_waiting() {
	clear=''
	[ -n "$plain" ] || ! [ -t 1 ] || clear=$(printf '\033[H\033[2J')
	# shellcheck disable=SC2016
	set -- sh -c 'pid=$1 table=$2 every=$3 clear=$4 once=$5
		shift 5
		while [ -z "$pid" ] || [ -d "/proc/$pid" ]; do
			for stage; do [ -d "/proc/$stage" ] || exit; done
			sleep "$every"
			[ -n "$table" ] || continue
			rows=$("$table" top --db "$AGENTSIGHT_DB_PATH") || exit
			printf "%s%s\n" "$clear" "$rows"
			[ -z "$once" ] || exit 0
		done' agentsight "$pid" "$table" "$refresh" "$clear" "$once" $(words $stages | cut -d: -f2)
	[ -z "$limit" ] || set -- timeout "$limit" "$@"
	AGENTSIGHT_DB_PATH=$db setsid "$@" </dev/null 2>/dev/null 6>&- 7<&- 8<&- 9>&- &
	cmd=$!
}

# wait_for PID: its status in rc, also when signals come meanwhile. A pid that
# is not known the second time was reaped in the instant of the signal.
wait_for() {
	rc=''
	while :; do
		wait "$1" 2>/dev/null; now=$?
		[ "$now" -ne 127 ] || [ -z "$rc" ] || return 0
		rc=$now signal=$caught caught=''
		case $phase$signal in
		runTERM | runHUP) insist ;;
		run | drain) return 0 ;;
		esac
	done
}

# After SIGTERM or SIGHUP the command has five seconds. After SIGINT it has all
# the time it wants: to an agent Ctrl-C is a word of the conversation.
insist() {
	tries=50
	while [ $tries -gt 0 ] && kill -0 "$cmd" 2>/dev/null; do
		sleep 0.1
		tries=$((tries - 1))
	done
	kill -s KILL -- "-$cmd" 2>/dev/null || kill -s KILL "$cmd" 2>/dev/null
}

on_signal() {
	caught=$1
	case $phase$attached${terminal:+-tty}$1 in
	run-tty*INT | run-tty*QUIT | run-tty*WINCH) ;;	# the terminal told the command as well
	run1*WINCH) ;;
	run1*) kill -s TERM -- "-$cmd" 2>/dev/null ;;
	run*) kill -s "$1" -- "-$cmd" 2>/dev/null || kill -s "$1" "$cmd" 2>/dev/null ;;
	drain*WINCH) ;;
	drain*) kill_stages ;;	# asked for twice
	esac
}

# However it ends. Before the command runs it is only a shell that waits.
clean_up() {
	trap '' HUP INT QUIT TERM
	[ "$phase" != start ] || [ -z "$cmd" ] || kill -s KILL "$cmd" 2>/dev/null
	[ -z "$watcher" ] || kill -s KILL -- "-$watcher" 2>/dev/null
	kill_stages
	[ -z "$dir" ] || rm -rf "$dir"
}

# Ends the stages, from the collectors on, and says which of them failed.
drain() {
	phase=drain failed=''
	for probe in $probes; do kill -s TERM "$probe" 2>/dev/null; done
	for stage in $stages; do
		wait_for "${stage#*:}"
		[ "$rc" -ne 0 ] || continue
		how="failed with status $rc"
		[ "$rc" -le 128 ] || how="was killed by SIG$(kill -l "$rc")"
		failed="$failed${failed:+, }${stage%%:*} $how"
	done
	stages=''
	show_errors
}

show_errors() { for name in $names; do cat "$dir/$name.err" 2>/dev/null; done >&2; }

# --- what was seen --------------------------------------------------------------------
# For when nothing is recorded: afterwards there is no process to look at.
watch_libraries() {
	setsid "$tools/agentsight-doctor" --keep "$dir/list" $targets </dev/null >/dev/null 2>&1 6>&- 7<&- 8<&- 9>&- &
	watcher=$!
}

nothing() {
	say 'NO TLS DATA WAS SEEN'
	if [ -s "$dir/list" ]; then
		say 'This is what sslsniff --list said of it:'
		sed 's/^/  /' "$dir/list" >&2
	else
		say 'It ended before its libraries could be looked at (see sslsniff --list).'
	fi
}

# Three lines: what was seen, what was lost, where it is. Lines of JSON begin
# {"type":"TYPE", so TYPE is the fourth field between quotes.
report() {
	if [ -n "$db" ]; then
		seen=$("$tools/agentsight-report" recorded --db "$db" 2>&1)
	elif [ -f "$output" ]; then
		types=$(LC_ALL=C cut -d'"' -f4 "$output" | sort | uniq -c | awk '{printf " %s %s", $1, $2}')
		seen="recorded in $output:${types:- nothing}"
		case $types in
		*' loss'*) seen="$seen${nl}INCOMPLETE: its loss events say what is missing" ;;
		*) seen="$seen${nl}nothing was lost" ;;
		esac
		case $types in
		*llm.call*) ;;
		*ssl.data* | *http.*) seen="$seen${nl}no model call was seen, although TLS was" ;;
		*) seen="$seen${nl}no TLS data" ;;
		esac
	else
		return
	fi
	case $ssl$seen in *"no TLS data"*) nothing ;; esac
	[ -n "$quiet" ] || for line in $seen; do say "$line"; done
}

# What the command says at the end.
finish() {
	case $verb in
	record | exec) report ;;
	stat) "$tools/agentsight-report" summary --db "$db" >&2 ;;
	esac
}

not_started() {
	phase=start
	kill_stages
	for stage in $stages; do wait "${stage#*:}" 2>/dev/null; done
	stages=''	# nobody creates the recording any more
	for file in "$output" "$db"; do [ -s "$file" ] || [ ! -f "$file" ] || rm -f "$file"; done
	case $caught in HUP) exit 129 ;; INT) exit 130 ;; QUIT) exit 131 ;; TERM) exit 143 ;; esac
	show_errors
	say 'a collector did not start; nothing was run'
	exit 125
}

# --- a run --------------------------------------------------------------------------------
prepare() {
	( : <&0 ) 2>/dev/null || exec </dev/null
	exec 7<&0
	case $fd in
	'') exec 6>/dev/null ;;
	*) ( : >&"$fd" ) 2>/dev/null || wrong "descriptor $fd is not open"; exec 6>&"$fd" ;;
	esac
	case $fd in 3) exec 3>&- ;; 4) exec 4>&- ;; 5) exec 5>&- ;; esac
	trap clean_up EXIT
	trap 'on_signal HUP' HUP
	trap 'on_signal INT' INT
	trap 'on_signal TERM' TERM
	trap 'on_signal QUIT' QUIT
	trap : PIPE	# whoever reads our messages may leave; children do not inherit it
	dir=$(mktemp -d "${TMPDIR:-/tmp}/agentsight.XXXXXX") || exit 125
	make_outputs
	choose_stages
	names=$(words $collectors $filters $sinks tee)
	# within a folder that is ours alone; filters open theirs by descriptor
	mkfifo -m 666 "$dir/go" "$dir/ready" "$dir/tee" $(words $collectors $filters $sinks | sed "s|^|$dir/|") \
		$(words $collectors | grep -vx sysmon | sed "s|^|$dir/ready.|") || exit 125
	exec 8<>"$dir/ready" 9<>"$dir/go"
}

start_stages() {
	for name in $collectors; do start_collector "$name"; done
	start_filters
	start_sinks
	for name in $collectors; do
		[ "$name" = sysmon ] || { read -r word <&8 && [ "$word" = ready ]; } || not_started
	done
	phase=run
	[ -z "$caught" ] || not_started
	trap 'on_signal WINCH' WINCH	# the terminal tells us alone
}

# run [PROGRAM [ARGUMENT]...]
run() {
	prepare
	if [ $# -gt 0 ]; then
		start_command "$@"
		targets=-p$nl$cmd
		start_stages
		echo go >&9
	else
		attached=1
		start_stages
		start_waiting
	fi
	[ -z "$ssl" ] || [ -z "$targets" ] || watch_libraries
	wait_for "$cmd"
	status=$rc
	[ -z "$attached" ] || status=0
	drain
	[ "$status" -eq 126 ] || [ "$status" -eq 127 ] || finish
	[ -n "$failed" ] || exit "$status"
	[ -n "$attached" ] || failed="$failed; the command's own status was $status"
	say "THE RECORDING IS NOT WHOLE: $failed"
	exit 125
}

# --- commands and options -----------------------------------------------------------------
# One option with its value in place. They are those of the original's debug
# trace, and those that all tools share.
set_option() {
	case $1 in
	-p | --pid) pid=$2 targets=-p$nl$2 ;;
	-c | --comm) targets=$(IFS=,; each -c $2) ;;
	--session) targets=--session$nl$2 ;;
	-d | --for) limit=$2 ;;
	--ssl-uid) to_sslsniff=$(words $to_sslsniff -u "$2") ;;
	--binary-path) to_sslsniff=$(words $to_sslsniff "$@") ;;
	--mode) to_process=$(words $to_process -m "$2") ;;
	--duration) to_process=$(words $to_process -d "$2") ;;
	--stdio-uid) to_stdiocap=$(words $to_stdiocap -u "$2") ;;
	--stdio-comm) stdio_targets=-c$nl$2 ;;
	--stdio-max-bytes) to_stdiocap=$(words $to_stdiocap --max-bytes "$2") ;;
	--system-interval) to_sysmon=$(words $to_sysmon -i "$2") ;;
	--ssl-filter) ssl_filter=$(words $ssl_filter -e "$2") ;;
	--http-filter) http_filter=$(words $http_filter -e "$2") ;;
	--db) db=$2 to=given ;;
	-o | --output) output=$2 to=given ;;
	--fd) fd=$2 to=given; case $2 in [1-5]) ;; *) wrong '--fd takes 1 to 5' ;; esac ;;
	--rotate | --keep) to_sqlitesink=$(words $to_sqlitesink "$@") ;;
	--server-listen) to_websink=$(words $to_websink --listen "$2") ;;
	--server-port) to_websink=$(words $to_websink --port "$2") ;;
	--otel-endpoint) otel=1 to_otelsink=$(words $to_otelsink --endpoint "$2") ;;
	-i | --interval) refresh=$2 ;;
	*) wrong "unknown option $1" ;;
	esac
}

# One that is true, or false (empty).
set_flag() {
	case $1 in
	--ssl) ssl=$2 ;;
	--process) process=$2 ;;
	--stdio) stdio=$2 ;;
	--system) system=$2 ;;
	--all) ssl=$2 process=$2 stdio=$2 system=$2 ;;
	--ssl-http) http=$2 ;;
	--ssl-handshake) to_sslsniff=$(words $to_sslsniff ${2:+--handshake}) ;;
	--ssl-raw-data | --raw) raw=$2 ;;
	--stdio-all-fds) to_stdiocap=$(words $to_stdiocap ${2:+--all-fds}) ;;
	--disable-auth-removal | --keep-credentials) secrets=$2 ;;
	--server) server=$2 ;;
	--otel) otel=$2 ;;
	--otel-capture-content) to_otelsink=$(words $to_otelsink ${2:+--content}) ;;
	--once) once=$2 ;;
	--plain) plain=$2 ;;
	-q | --quiet) quiet=$2 ;;
	-v | --verbose) verbose=$2 ;;
	*) return 1 ;;
	esac
}

# Then goes on with what is behind --.
parse() {
	while [ $# -gt 0 ]; do
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
		--no-*) set_flag "--${name#--no-}" '' || wrong "unknown option $name"; continue ;;
		esac
		truth=1
		[ "$value" != false ] || truth=''
		if set_flag "$name" "$truth"; then
			case $value in '' | true | false) continue ;; *) wrong "$name=$value is neither true nor false" ;; esac
		fi
		if [ -z "$given" ]; then
			[ $# -gt 0 ] || wrong "$name needs a value"
			value=$1
			shift
		fi
		set_option "$name" "$value"
	done
	[ $# -eq 0 ] || shift
	begin "$@"
}

version() { "$tools/authstrip" -V | sed 's/.* /agentsight /'; }

# begin [PROGRAM [ARGUMENT]...]
begin() {
	case $verb in
	record | exec | stat)
		hush=1
		[ $# -gt 0 ] || [ "$verb$targets" != "$verb" ] || wrong 'what to run? (-- PROGRAM; or -p PID, -c NAME)'
		[ $# -eq 0 ] || [ -z "$targets" ] || wrong 'either a program, or -p, -c, --session'
		;;
	*) [ $# -eq 0 ] || wrong "$verb runs no program" ;;
	esac
	[ $# -eq 0 ] || to_sslsniff=$(words $to_sslsniff --command "$1")
	case $verb in
	record) to=${to:-db} ;;
	exec) to=${to:-lines} ;;
	stat) [ "$to" = given ] || to=temporary ;;
	top) to=temporary hush=1 table=$tools/agentsight-report ;;
	*) to=given; [ -n "$output$fd$quiet" ] || fd=1 ;;
	esac
	if [ -n "$print" ]; then
		case $to in db | temporary) db=agentsight.db ;; lines) output=agentsight.ndjson ;; esac
		[ $# -eq 0 ] || targets=-p$nl\$PID
		choose_stages
		print_pipeline | "$tools/agentsight-pipeline"
	else
		run "$@"
	fi
}

main() {
	ssl='' process='' stdio='' system='' http=1 secrets='' raw='' ssl_filter='' http_filter=''
	pid='' targets='' stdio_targets='' limit='' to='' db='' output='' fd='' server='' otel=''
	to_sslsniff='' to_process='' to_stdiocap='' to_sysmon='' to_sqlitesink='' to_otelsink='' to_websink=''
	quiet='' verbose='' hush='' print='' attached='' terminal='' user='' refresh=0.5 once='' plain='' table=''
	[ "$(id -u)" -ne 0 ] || [ "${SUDO_UID:-0}" = 0 ] || user=$SUDO_UID
	( : </dev/tty ) 2>/dev/null && terminal=1

	verb=${1:-}
	[ $# -eq 0 ] || shift
	if [ "$verb" = pipeline ]; then
		print=1 verb=${1:-trace}
		case $verb in -*) verb=trace ;; *) [ $# -eq 0 ] || shift ;; esac
	fi
	case $verb in
	record | exec | stat) ssl=1 process=1 stdio=1 system=1 ;;
	trace) ssl=1 process=1 ;;
	top) ssl=1 process=1 system=1 refresh=2 ;;
	ssl | process | stdio | system) set_flag "--$verb" 1 ;;
	report | doctor | discover) exec "$tools/agentsight-$verb" "$@" ;;
	serve)
		[ $# -gt 0 ] || exec "$tools/agentsight-report" serve
		exec "$tools/websink" "$@"
		;;
	-h | --help) cat "$tools/agentsight.usage"; exit ;;
	-V | --version) version; exit 0 ;;
	'') wrong 'what to do?' ;;
	*) wrong "unknown command $verb" ;;
	esac
	parse "$@"
}

main "$@"

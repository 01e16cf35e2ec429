# run.sh - a run of agentsight.sh, which reads this: stages started, the command run
# shellcheck shell=sh
# shellcheck disable=SC2030,SC2031,SC2046,SC2086,SC2317,SC3045	# subshells, lists, functions that traps call, ulimit
# shellcheck disable=SC2154,SC2034	# variables of agentsight.sh, and those that it reads

# --- the pipeline, run ------------------------------------------------------------------
# Stages have sessions of their own: Ctrl-C is ours to pass on. Every stage
# opens its FIFOs in its own background job; opened here they would wait for
# each other.
started() {
	case $nl$collectors$nl in	# in the order of the lines: collectors first
	*"$nl$1$nl"*) kind=collector stages=$1:$2${stages:+$nl$stages} ;;
	*) kind=filter stages=${stages:+$stages$nl}$1:$2 ;;
	esac
	# what is not the only one that reads from the filters can be spared
	case $nl$sinks$nl in *"$nl$1$nl"*) [ "$next" != "$dir/tee" ] || kind=sink ;; esac
	echo "$2" >>"$dir/stages"
	echo "$2" >>"$dir/self"
	order "watch $1 $2 $kind"
}

# The collectors die with us, also when we are gone before they can ask for it.
start_collector() {
	name=$1 ready=/dev/null
	set -- $(args_of "$name")
	[ ! -p "$dir/ready.$name" ] || ready=$dir/ready.$name
	[ "$ready" = /dev/null ] || set -- --ready-fd 8 "$@"
	[ "$name" = sysmon ] || set -- --self-fd 3 "$@"
	# the shell that holds the command back is none of what is recorded
	[ "$name" = sysmon ] || [ -z "$held" ] || set -- --from-exec "$@"
	[ -z "$hush" ] || [ -n "$verbose" ] || set -- -q "$@"
	(
		exec 4>&- 5>&- 6>&- 7<&- 9>&-
		exec >"$dir/$name" 8>"$ready" 3<"$dir/self"
		exec "$tools/agentsight-spawn" --session --with $$ -- "$tools/$name" "$@" ${verbose:+-v}
	) </dev/null 2>"$dir/$name.err" &
	probes=${probes:+$probes$nl}$!
	started "$name" $!
	[ "$ready" = /dev/null ] || await "$name"
}

# await NAME: another job waits until it is ready, or has ended; we may only wait for all.
await() {
	(
		exec 4>&- 5>&- 6>&- 7<&- 9>&-
		read -r word <"$dir/ready.$1" || word=failed
		echo "${word:-ready}" >&8
	) 2>/dev/null &
	awaits=${awaits:+$awaits$nl}$!
}

# start NAME FROM TO COMMAND...: a filter or sink. TO may be - for descriptor 6.
start() {
	name=$1 from=$2 to=$3 as=as_stage
	shift 3
	case $name in sqlitesink) as=$db_as ;; file) [ "$output_now" != "$output" ] || as=as_user ;; esac
	(
		exec 4>&- 5>&- 7<&- 8<&- 9>&-
		exec <"$from"
		[ ! -p "$dir/ready.$name" ] || exec 8>"$dir/ready.$name"
		case $name in
		otelsink | websink) exec 9>"$dir/reports" ;;
		sqlitesink | file) exec 3<"$dir/back.$name" ;;
		esac
		[ -z "$folder" ] || [ "$as" = as_user ] || export TMPDIR="$folder"
		if [ "$to" = - ]; then exec >&6; else exec >"$to"; fi
		exec 6>&-
		# the address of the page is wanted now, what others say at the end
		[ "$name" = websink ] || exec 2>"$dir/$name.err"
		$as --session -- "$@"
	) &
	started "$name" $!
}

# What the run is and how it ended, as lines before and behind all others; behind them
# also to what keeps lines, when a filter is gone.
start_runlog() {
	set -- $(each --stage $collectors $filters $sinks) $(each --drain $(in_dir $collectors)) \
		$(for word in $given_words; do words "--option=$word"; done) \
		$(each --hold $(in_dir $collectors $filters $sinks tee)) \
		$(for name in $keepers; do words --back "$dir/back.$name"; done) --reports "$dir/reports" -- "$@"
	[ -z "$terminal" ] || ! [ -t 2 ] || set -- --terminal "$@"
	(
		exec 4>&- 6>"$dir/causes" 7<&- 9>&- 3>&8 8>&-
		exec <"$dir/orders" >"$dir/run"
		as_stage --session -- "$tools/agentsight-runlog" --run="$run_id" --ready-fd 3 --causes-fd 6 "$@"
	) &
	runlog=$!
	echo $! >>"$dir/self"
	exec 5>"$dir/orders"
}

start_filters() {
	from=$dir/run more=$(in_dir $collectors) to=''
	for filter in $filters; do
		next=$dir/$filter
		if [ "$filter" = "${filters##*"$nl"}" ]; then
			case $sinks${fd:+fd} in
			'') next=/dev/null ;;
			fd) next=- ;;
			*"$nl"* | *?fd) next=$dir/tee ;;
			*) next=$dir/$sinks ;;
			esac
		fi
		start "$filter" "$from" "$next" "$tools/$(tool_of "$filter")" $(args_of "$filter") \
			${verbose:+--verbose} - $more
		from=$next more=''
	done
}

# tee goes on when a sink dies. What keeps lines has a second input: what other sinks
# report of themselves, and run.end when the filters cannot pass it. So it ends last.
start_sinks() {
	for name in $sinks; do
		set -- ${verbose:+--verbose}
		[ "$name" != file ] || set -- -o "$output_now" "$@"
		case $name in
		otelsink | websink) set -- --report-fd 9 "$@" ;;
		*) set -- "$@" - /dev/fd/3 ;;
		esac
		await "$name"
		set -- --ready-fd 8 "$@"
		start "$name" "$dir/$name" /dev/null "$tools/$(tool_of "$name")" $(args_of "$name") "$@"
	done
	[ "$next" = "$dir/tee" ] || return 0
	to=/dev/null
	[ -z "$fd" ] || to=-
	start tee "$dir/tee" "$to" tee -p $(in_dir $sinks)
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
	session=--session
	[ -z "$terminal" ] || session=''
	(
		exec <&7 4>&- 5>&- 6>&- 7<&- 8<"$dir/go" 9>&-
		umask "$umask_before"
		ulimit -S -n "$files_soft"; ulimit -H -n "$files_hard"
		# what sudo took from the user's environment (PATH it does not tell)
		become ${user:+--home} --signals --go-fd 8 $session -- "$@"
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
	(
		exec </dev/null 2>/dev/null 4>&- 5>&- 6>&- 7<&- 8<&- 9>&-
		export AGENTSIGHT_DB_PATH="$db_now"
		as_stage --session -- "$@"
	) &
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
	runUSR1 | run1USR1 | run-ttyUSR1)	# --stop-on-failure
		kill -s TERM -- "-$cmd" 2>/dev/null || kill -s TERM "$cmd" 2>/dev/null
		caught=TERM
		;;
	*USR1) ;;
	run-tty*INT | run-tty*QUIT | run-tty*WINCH) ;;	# the terminal told the command as well
	run1*WINCH) ;;
	run1*) kill -s TERM -- "-$cmd" 2>/dev/null ;;
	run*) kill -s "$1" -- "-$cmd" 2>/dev/null || kill -s "$1" "$cmd" 2>/dev/null ;;
	drain*WINCH) ;;
	drain*) hurry "$1" ;;
	esac
}

# Asked to end while it ends. A key pressed twice in half a second is one wish, and
# may well be that of the command, which has just ended.
hurry() {
	now_ms=$(date +%s%3N)
	[ -n "$asked_ms" ] || asked_ms=$now_ms
	if [ $((now_ms - asked_ms)) -lt 500 ]; then
		[ ! -e "$dir/progress" ] || echo >&2
		[ "$now_ms" != "$asked_ms" ] || say 'writing what was seen; once more, and the rest of it is given up'
		return
	fi
	hurried=$1
	kill_stages
	kill -s KILL "$runlog" 2>/dev/null
}

# However it ends. Before the command runs it is only a shell that waits. The hand-over
# removes our folders: when no process can be started, it is there already.
clean_up() {
	code=$?
	trap '' HUP INT QUIT TERM USR1
	[ "$phase" != start ] || [ -z "$cmd" ] || kill -s KILL "$cmd" 2>/dev/null
	[ -z "$watcher" ] || kill -s KILL -- "-$watcher" 2>/dev/null
	if [ "$phase" = start ]; then give_up; else for probe in $probes; do kill -s TERM "$probe" 2>/dev/null; done; fi
	exec 5>&-
	for stage in $stages; do wait "${stage#*:}" 2>/dev/null; done
	if [ "$phase" = start ]; then
		for pid in $runlog $cmd $awaits; do wait "$pid"; done
		for file in $created; do ( as_user -- rm -f -- "$file" "$file-wal" "$file-shm" ); done
		[ -z "$handover" ] || echo forget >&4
	fi 2>/dev/null
	exec 4>&-
	if [ -n "$handover" ]; then
		wait "$handover" 2>/dev/null
	elif [ -n "$dir" ]; then
		rm -rf "$dir" ${folder:+"$folder"}
	fi
	# the shell itself ends with 2 when it cannot go on
	[ "$code" -ne 2 ] || [ -n "$refused$ended" ] || {
		say 'cannot go on: see the message above (no more processes: pids.max of the cgroup, or ulimit -u?)'
		exit 125
	}
}

# Nothing was run: all end, without a new process, for there may be no room for one. A
# job may have ended, and its number be another's: what is our child is ours.
give_up() {
	kill_stages
	[ -z "$runlog" ] || kill -s KILL "$runlog"
	for pid in $awaits; do
		read -r line <"/proc/$pid/stat" || continue
		case ${line##*) } in ?" $$ "*) kill -s KILL "$pid" ;; esac
	done
} 2>/dev/null

# order WORDS: to the run log.
order() { echo "$*" >&5; } 2>/dev/null

# --- a run --------------------------------------------------------------------------------
prepare() {
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
	trap 'on_signal USR1' USR1
	trap : XFSZ	# a write says what is wrong
	trap : PIPE	# whoever reads our messages may leave; children do not inherit it
	# root's own: below a TMPDIR the user may be able to put another folder in its place
	parent=${TMPDIR:-/tmp}
	[ "$me" -ne 0 ] || { parent=${RUNTIME_DIRECTORY:-/run}; [ -w "$parent" ] || parent=/tmp; }
	case $parent in *"$nl"* | *'|'*) say "the folder for temporary files has a name with a newline or |"; exit 125 ;; esac
	choose_place "$parent"
	read -r run_id </proc/sys/kernel/random/uuid
	run_id=${run_id##*-}${run_id%%-*} run_id=${run_id%????}
	make_outputs
	choose_stages
	names=$(words $collectors $filters $sinks tee)
	keepers=''
	for name in $sinks; do case $name in sqlitesink | file) keepers=$(words $keepers "$name") ;; esac; done
	# the folder is ours; the stages open what they read beside standard input by name
	mkfifo -m 600 "$dir/go" "$dir/ready" "$dir/tee" "$dir/run" "$dir/orders" "$dir/reports" "$dir/alive" \
		$(in_dir $collectors $filters $sinks) $(for name in $keepers; do in_dir "back.$name"; done) \
		$(for name in $collectors $sinks; do case $name in sysmon) ;; *) in_dir "ready.$name" ;; esac; done) || exit 125
	for name in $names; do : >"$dir/$name.err"; done
	[ -z "$stage_uid" ] || {
		chown "$stage_uid" $(in_dir $collectors $filters $sinks run tee reports) \
			$(for name in $names; do in_dir "$name.err"; done) \
			$(for name in $keepers; do in_dir "back.$name"; done) || exit 125
	}
	exec 8<>"$dir/ready" 9<>"$dir/go"
}

# Another process gives the recording to the user, and sees to the end of what was
# started, also when we are gone.
start_handover() {
	: >>"$dir/self"		# who we are: the collectors do not observe them, but everybody else
	: >>"$dir/handover"
	(
		exec 5>&- 6>&- 7<&- 8<&- 9>&-
		exec <"$dir/alive" >/dev/null
		exec "$tools/agentsight-handover" "$dir" "${folder:-$dir/none}" "$user" "${SUDO_GID:-0}"
	) &
	handover=$!
	echo $! >>"$dir/self"
	exec 4>"$dir/alive"
}

not_started() {
	phase=start
	order stopping
	kill_stages
	for stage in $stages; do wait "${stage#*:}" 2>/dev/null; done
	stages=''	# nobody creates the recording any more
	for file in $created; do ( as_user -- rm -f -- "$file" "$file-wal" "$file-shm" ); done
	case $caught in HUP) exit 129 ;; INT) exit 130 ;; QUIT) exit 131 ;; TERM) exit 143 ;; esac
	show_errors end
	say 'a collector or a sink did not start; nothing was run'
	exit 125
}

# hear NAME...: waits until as many are ready of those that were started and say so.
hear() {
	for name; do
		[ "$name" != sysmon ] || continue
		{ read -r word <&8 && [ "$word" = ready ]; } || not_started
	done
}

start_stages() {
	start_handover
	start_runlog "$@"
	start_filters
	hear log	# the first line is written
	start_sinks	# they get ready while the collectors load
	for name in $collectors; do start_collector "$name"; done
	hear $sinks $collectors
	show_errors start
	if [ -n "$caught" ] || ! link_outputs; then not_started; fi
	phase=run
	[ -n "$fd" ] || order running	# else its reader may leave at any time, and they all end
	[ -z "$stop_on_failure" ] || {
		( exec 4>&- 5>&- 6>&- 7<&- 9>&-; read -r word <&8; kill -s USR1 $$ ) &
		stopper=$!
	}
	trap 'on_signal WINCH' WINCH	# the terminal tells us alone
}

# run [PROGRAM [ARGUMENT]...]
run() {
	prepare
	if [ $# -gt 0 ]; then
		start_command "$@"
		targets=-p$nl$cmd held=1
		start_stages "$@"
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
	[ -z "$wait" ] || [ -n "$attached" ] || wait_for_rest
	drain
	finish
	ended=1
	exit "$code"
}


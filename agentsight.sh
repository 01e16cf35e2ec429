#!/bin/sh
# agentsight - record what a command says over TLS
#
# Starts the stages of the pipeline, joins them with FIFOs, runs the command
# once the collector is attached, waits, stops, reports. It knows no event:
# what needs more than that is an option of a tool.
# shellcheck disable=SC2317	# functions that traps call
set -u

umask_before=$(umask)
umask 077

# The tools: in the folder of this script (installed, or built), or built below
# it (the script of the source tree).
here=$(dirname "$(readlink -f "$0")")
tools=${AGENTSIGHT_TOOLS:-$here}
[ -n "${AGENTSIGHT_TOOLS:-}" ] || [ -x "$tools/sslsniff" ] || tools=$here/build/bin

filters='httpparse ssemerge llmparse authstrip'
phase=start	# start, run, drain: what a signal means
collectors=sslsniff
caught='' dir='' cmd='' probes='' stages='' watcher=''

usage() {
	cat <<'END'
Usage: agentsight record [OPTION]... -- COMMAND [ARGUMENT]...
Runs COMMAND and records what it says over TLS, one JSON object per line.

  -o, --output=FILE       write to FILE (./agentsight-YYYYmmdd-HHMMSS.ndjson)
      --process           also what it does: processes, files, network
      --stdio             also what passes its standard input, output and error
      --system            also what it costs: CPU, memory, I/O
      --all               all three
      --binary-path=FILE  look for a TLS library inside this program too
      --raw               record the bytes of the connections too (ssl.data)
      --keep-credentials  do not take credentials out of the recording
  -q, --quiet             no summary
  -v, --verbose           what every stage did, at the end
  -h, --help              this text
  -V, --version           the version

Exit status: COMMAND's (128+n when signal n ended it), 125 when the tracing
failed, 126 or 127 when COMMAND could not be run, 2 for a wrong option.
END
}

say() { printf 'agentsight: %s\n' "$*" >&2; }
wrong() { say "$*"; say 'agentsight --help lists the options'; exit 2; }

# --- the user behind sudo -------------------------------------------------------
# become COMMAND...: this (sub)shell becomes COMMAND, as the invoking user.
become() {
	[ -z "$user" ] || set -- setpriv --reuid="$user" --regid="${SUDO_GID:-$user}" --init-groups -- "$@"
	exec "$@"
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
create() { ( become sh -c 'set -C; : >"$1"' agentsight "$1" ); }

make_output() {
	if [ -z "$output" ]; then
		base=agentsight-$(date +%Y%m%d-%H%M%S) n=1 output=$base.ndjson
		until create "$output" 2>/dev/null || [ ! -e "$output" ]; do
			n=$((n + 1)) output=$base-$n.ndjson
		done
	elif [ ! -e "$output" ]; then
		create "$output"
	elif [ -f "$output" ]; then
		( become chmod 600 "$output" )
	fi
	[ -e "$output" ] && return
	say "cannot create $output (another place: -o FILE)"
	exit 125
}

# --- processes ----------------------------------------------------------------------
# COMMAND is held by a line that it reads from a FIFO, not by SIGSTOP: a line
# cannot come too early, and when we die it reads end of file and ends as well.
# A background job is no group leader, so setsid does not fork and $! is
# COMMAND, its session and its group. sh lets background jobs ignore SIGINT and
# SIGQUIT and read /dev/null; both are put right.
start_command() {
	# shellcheck disable=SC2016
	(
		exec <&7 7<&- 8<"$dir/go" 9>&-
		umask "$umask_before"
		restore_user
		become setsid env --default-signal=INT,QUIT sh -c \
			'read -r go <&8 || exit 125; exec 8<&-; exec "$@"' agentsight "$@"
	) &
	cmd=$!
}

# Stages have sessions of their own: Ctrl-C is ours to pass on. The collectors
# die with us. Every stage opens its FIFOs in its own background job; opened
# here they would wait for each other.
start_collector() {
	name=$1 ready=/dev/null
	[ ! -p "$dir/ready.$name" ] || ready=$dir/ready.$name
	case $name in
	sslsniff) set -- --ready-fd 8 ${binary:+--binary-path "$binary"} ;;
	sysmon) set -- ;;
	*) set -- --ready-fd 8 ;;
	esac
	(
		exec setsid setpriv --pdeathsig TERM -- "$tools/$name" -p "$cmd" "$@" ${verbose:+-v}
	) </dev/null >"$dir/$name" 2>"$dir/$name.err" 7<&- 8>"$ready" 9>&- &
	probes="$probes $!" stages="$stages $name:$!"
}

# The FIFO of a collector, or nothing to read when it does not run.
from() {
	case " $collectors " in *" $1 "*) echo "$dir/$1" ;; *) echo /dev/null ;; esac
}

# The first filter reads all collectors, and merges them line by line.
start_stages() {
	for name in $collectors; do
		start_collector "$name"
	done
	from=sslsniff process=$(from process) stdio=$(from stdiocap) system=$(from sysmon)
	for name in $filters; do
		to=$dir/$name
		case $name in
		httpparse) set -- ${raw:+--raw} - /dev/fd/3 /dev/fd/4 /dev/fd/5 ;;
		*) set -- - ;;
		esac
		[ "$name" != "${filters##* }" ] || { set -- -o "$output" "$@"; to=/dev/null; }
		( become setsid "$tools/$name" ${verbose:+-v} "$@" ) <"$dir/$from" >"$to" 2>"$dir/$name.err" \
			3<"$process" 4<"$stdio" 5<"$system" 7<&- 9>&- &
		stages="$stages $name:$!" from=$name process=/dev/null stdio=/dev/null system=/dev/null
	done
}

kill_stages() {
	for stage in $stages; do kill -s KILL "${stage#*:}" 2>/dev/null; done
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
	kill -s KILL -- "-$cmd" 2>/dev/null
}

on_signal() {
	caught=$1
	case $phase in
	run) kill -s "$1" -- "-$cmd" 2>/dev/null || kill -s "$1" "$cmd" 2>/dev/null ;;
	drain) [ "$1" = WINCH ] || kill_stages ;;	# asked for twice
	esac
}

# However it ends. Before COMMAND runs it is only a shell that waits.
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
	if [ -z "$quiet" ] || [ -n "$failed" ]; then
		cat "$dir"/*.err >&2
	fi
}

# --- what was seen --------------------------------------------------------------------
# While nothing is recorded, keeps what sslsniff knows of COMMAND, for when
# nothing is recorded at all: afterwards there is no process to look at.
watch_libraries() {
	# shellcheck disable=SC2016
	setsid sh -c 'for s in 0.1 0.2 0.5 1 2 4 8 16 30 60; do
			sleep $s
			[ ! -s "$3" ] && [ -d "/proc/$2" ] || break
			"$1/sslsniff" --list -p "$2" >"$4.new" 2>&1 && mv "$4.new" "$4"
		done' sh "$tools" "$cmd" "$output" "$dir/list" </dev/null >/dev/null 2>&1 7<&- 9>&- &
	watcher=$!
}

nothing() {
	say 'NOTHING WAS CAPTURED: no TLS data of the command was seen.'
	if [ -s "$dir/list" ]; then
		say 'This is what sslsniff --list said of it:'
		sed 's/^/  /' "$dir/list" >&2
	else
		say 'It ended before its libraries could be looked at (see sslsniff --list).'
	fi
}

# Every line begins {"type":"TYPE", so TYPE is the fourth field between quotes.
report() {
	[ -f "$output" ] || return 0
	types=$(LC_ALL=C cut -d'"' -f4 "$output" | sort | uniq -c | awk '{printf " %s %s", $1, $2}')
	case $types in *ssl.data* | *http.* | *sse.*) ;; *) nothing ;; esac
	case $types in *loss*) say 'INCOMPLETE: its loss events say what is missing' ;; esac
	[ -n "$quiet" ] || say "recorded in $output:${types:- nothing}"
}

not_started() {
	phase=start
	kill_stages
	for stage in $stages; do wait "${stage#*:}" 2>/dev/null; done
	stages=''	# nobody creates the recording any more
	[ -s "$output" ] || [ ! -f "$output" ] || rm -f "$output"
	case $caught in HUP) exit 129 ;; INT) exit 130 ;; QUIT) exit 131 ;; TERM) exit 143 ;; esac
	cat "$dir"/*.err >&2
	say 'a collector did not start; the command was not run'
	exit 125
}

# --- record -----------------------------------------------------------------------------
record() {
	( : <&0 ) 2>/dev/null || exec </dev/null
	exec 7<&0
	trap clean_up EXIT
	trap 'on_signal HUP' HUP
	trap 'on_signal INT' INT
	trap 'on_signal TERM' TERM
	trap 'on_signal QUIT' QUIT
	trap : PIPE	# whoever reads our messages may leave; children do not inherit it
	make_output
	dir=$(mktemp -d "${TMPDIR:-/tmp}/agentsight.XXXXXX") || exit 125
	for fifo in go $collectors $filters; do
		mkfifo "$dir/$fifo" || exit 125
	done
	for name in $collectors; do
		[ "$name" = sysmon ] || mkfifo "$dir/ready.$name" || exit 125
	done
	exec 9<>"$dir/go"
	start_command "$@"
	start_stages
	for fifo in "$dir"/ready.*; do
		read -r go <"$fifo" || not_started
	done
	phase=run
	[ -z "$caught" ] || not_started
	trap 'on_signal WINCH' WINCH	# the terminal tells us alone
	echo "go$go" >&9
	watch_libraries
	wait_for "$cmd"
	status=$rc
	drain
	[ "$status" -eq 126 ] || [ "$status" -eq 127 ] || report
	if [ -n "$failed" ]; then
		say "THE RECORDING IS NOT WHOLE: $failed; the command's own status was $status"
		status=125
	fi
	exit "$status"
}

main() {
	output='' raw='' keep='' quiet='' verbose='' binary='' verb='' user=''
	[ "${1:-}" != record ] || { verb=$1; shift; }
	while [ $# -gt 0 ]; do
		case $1 in
		-o | --output | --binary-path)
			[ $# -gt 1 ] || wrong "$1 needs a value"
			case $1 in --b*) binary=$2 ;; *) output=$2 ;; esac
			shift
			;;
		--output=*) output=${1#*=} ;;
		--binary-path=*) binary=${1#*=} ;;
		-o*) output=${1#-o} ;;
		--raw) raw=1 ;;
		--process) collectors="$collectors process" ;;
		--stdio) collectors="$collectors stdiocap" ;;
		--system) collectors="$collectors sysmon" ;;
		--all) collectors='sslsniff process stdiocap sysmon' ;;
		--keep-credentials) keep=1 ;;
		-q | --quiet) quiet=1 ;;
		-v | --verbose) verbose=1 ;;
		-h | --help) usage; exit 0 ;;
		-V | --version) "$tools/authstrip" -V | sed 's/.* /agentsight /'; exit 0 ;;
		--) break ;;
		-*) wrong "unknown option $1" ;;
		*) [ -n "$verb" ] && wrong "put -- before the command: -- $*"; wrong "unknown word $1" ;;
		esac
		shift
	done
	[ -n "$verb" ] || wrong 'what to do? (record)'
	[ $# -gt 1 ] || wrong 'what to run? (-- COMMAND)'
	shift
	[ "$(id -u)" -ne 0 ] || user=${SUDO_UID:-}
	[ "$user" != 0 ] || user=''
	[ -x "$tools/llmparse" ] || filters='httpparse ssemerge authstrip'
	[ -z "$keep" ] || filters=${filters% authstrip}
	record "$@"
}

main "$@"

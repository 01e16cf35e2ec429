# lib.sh - what the test scripts share: TAP, a scratch directory, servers, schema
#
#	. tests/lib.sh
#	ok "true is true" true
#	is "a sum" "$((1 + 1))" 2
#	done_testing
#
# Sourced by POSIX sh from the root of the tree. $T is a directory of the test's
# own; it goes when the script ends, together with the processes of `hold`.
# shellcheck shell=sh

LC_ALL=C.UTF-8
export LC_ALL
PYTHON=/usr/bin/python3
: "${BUILD:=build}"

[ -f tests/lib.sh ] || { echo "Bail out! run from the root of the tree"; exit 1; }
T=$(mktemp -d "${TMPDIR:-/tmp}/agentsight-test.XXXXXX") || exit 1
exec 3>&1	# TAP, also when a caller redirects
tap_n=0 tap_failed=0 tap_done='' tap_held=''

# --- ends -------------------------------------------------------------------
tap_cleanup() {
	tap_rc=$?
	trap - EXIT HUP INT TERM
	for tap_pid in $tap_held; do
		kill -CONT "$tap_pid" 2>/dev/null
		kill "$tap_pid" 2>/dev/null
	done
	wait
	rm -rf "$T"
	if [ -z "$tap_done" ]; then
		echo "# the script ended before done_testing (exit status $tap_rc)"
		[ $tap_rc -ne 0 ] || tap_rc=1
	fi
	exit $tap_rc
}
trap tap_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# hold PID...: a process of this test, ended with it.
hold() { tap_held="$tap_held $*"; }

# done_testing: the plan, and the exit status.
done_testing() {
	echo "1..$tap_n"
	tap_done=1
	[ $tap_failed -eq 0 ]
	exit
}

# skip_all REASON...: nothing here can run. AGENTSIGHT_NO_SKIP=1 makes it a failure.
skip_all() {
	tap_done=1
	if [ -n "${AGENTSIGHT_NO_SKIP:-}" ]; then
		echo "not ok 1 - cannot run: $*"
		echo "1..1"
		exit 1
	fi
	echo "1..0 # SKIP $*"
	exit 0
}

# --- results ----------------------------------------------------------------
diag() { printf '%s\n' "$*" | head -n 12 | cut -c1-300 | sed 's/^/# /' >&3; }
diag_file() { head -c 4000 "$1" | head -n 20 | cut -c1-400 | sed 's/^/# | /' >&3; }

pass() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1" >&3; }
fail() {
	tap_n=$((tap_n + 1)) tap_failed=$((tap_failed + 1))
	echo "not ok $tap_n - $1" >&3
}

# skip NAME REASON...: counted, said, not run.
skip() {
	tap_name=$1; shift
	if [ -n "${AGENTSIGHT_NO_SKIP:-}" ]; then
		fail "$tap_name"; diag "cannot run: $*"; return
	fi
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $tap_name # SKIP $*" >&3
}

# ok NAME COMMAND...: the command succeeds; what it said is shown when not.
ok() {
	tap_name=$1; shift
	"$@" >"$T/.ok" 2>&1 3>&- && tap_rc=0 || tap_rc=$?
	if [ "$tap_rc" -eq 0 ]; then pass "$tap_name"; return 0; fi
	fail "$tap_name"; diag "exit status $tap_rc: $*"; diag_file "$T/.ok"
	return 1
}

# not_ok NAME COMMAND...: the command fails by itself (1..125, no signal).
not_ok() {
	tap_name=$1; shift
	"$@" >"$T/.ok" 2>&1 3>&- && tap_rc=0 || tap_rc=$?
	if [ "$tap_rc" -gt 0 ] && [ "$tap_rc" -le 125 ]; then pass "$tap_name"; return 0; fi
	fail "$tap_name"; diag "exit status $tap_rc, wanted a failure: $*"; diag_file "$T/.ok"
	return 1
}

# exits STATUS NAME COMMAND...: output is left to the caller's redirections.
exits() {
	tap_want=$1 tap_name=$2; shift 2
	"$@" 3>&- && tap_rc=0 || tap_rc=$?
	is "$tap_name" "$tap_rc" "$tap_want"
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then pass "$1"; return 0; fi
	fail "$1"; diag "got:    $2"; diag "wanted: $3"
	return 1
}

# like NAME GOT ERE; unlike NAME GOT ERE
like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then pass "$1"; return 0; fi
	fail "$1"; diag "got:          $2"; diag "wanted match: $3"
	return 1
}
unlike() {
	if ! printf '%s\n' "$2" | grep -Eq -e "$3"; then pass "$1"; return 0; fi
	fail "$1"; diag "got:             $2"; diag "wanted no match: $3"
	return 1
}

# same NAME FILE FILE: byte for byte.
same() {
	if cmp -s "$2" "$3"; then pass "$1"; return 0; fi
	fail "$1"; diff "$2" "$3" 2>&1 | cut -c1-300 | head -n 20 | sed 's/^/# /' >&3
	return 1
}

# check_lines FILE...: every line is an event as docs/events.schema.json has it.
check_lines() {
	ok "lines are as the schema says: ${1##*/}" "$PYTHON" tests/validate.py "$@"
}

# unbooked [FILE...]: the lines without those that stages write about themselves.
unbooked() { grep -av '^{"type":"\(stage\|run\)\.' "$@"; }

# --- waiting ----------------------------------------------------------------
# until_true SECONDS COMMAND...: tries until it succeeds; 1 when it never does.
until_true() {
	tap_tries=$(($1 * 20)); shift
	while ! "$@" >/dev/null 2>&1; do
		[ $tap_tries -gt 0 ] || return 1
		tap_tries=$((tap_tries - 1))
		sleep 0.05
	done
}

# wait_for_line FILE ERE [SECONDS]
wait_for_line() { until_true "${3:-20}" grep -Eq -e "$2" "$1"; }

gone() { ! kill -0 "$1" 2>/dev/null; }

# --- what is there ----------------------------------------------------------
have() { command -v "$1" >/dev/null 2>&1; }
need() { for tap_c in "$@"; do have "$tap_c" || skip_all "no $tap_c"; done; }

# need_bpf: the script goes on only where the kernel takes our kind of program.
# The check does not use our own tools, so that a broken tool is not a skip.
need_bpf() {
	tap_why=$("$PYTHON" tests/bpf_works.py 2>&1) || skip_all "BPF does not work here: $tap_why"
}

# free_port: a TCP port of 127.0.0.1 that was free a moment ago. Better: let
# the server take port 0 and tell.
free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# --- the server ---------------------------------------------------------------
# start_server [OPTION...]: tests/server/llmserver.py on a port of its own.
# Sets PORT, URL, CA (its certificate), SERVER_LOG (one JSON line per exchange),
# SERVER_PID.
start_server() {
	tap_srv=$(mktemp -d "$T/server.XXXXXX")
	SERVER_LOG=$tap_srv/log CA=$tap_srv/cert.pem
	"$PYTHON" tests/server/llmserver.py --dir "$tap_srv" "$@" >"$tap_srv/out" 2>"$tap_srv/err" 3>&- &
	SERVER_PID=$!
	hold $SERVER_PID
	if ! wait_for_line "$tap_srv/out" '^listening [0-9]+$'; then
		diag "the server did not start"; diag_file "$tap_srv/err"
		exit 1
	fi
	PORT=$(sed -n 's/^listening //p' "$tap_srv/out")
	URL=https://127.0.0.1:$PORT
	export URL PORT CA SERVER_LOG SERVER_PID
}

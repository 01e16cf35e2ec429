#!/bin/sh
# A recording whose stage, or whose driver, ended before it was asked to: it is never
# taken for whole, by the driver's status, its words, and the recording itself.
# shellcheck disable=SC2016,SC2009,SC2317,SC2119	# $ for others; ps; functions by name
. tests/lib.sh
need agentsight jq sqlite3 setpriv setsid
need_bpf

real=$(dirname "$(command -v agentsight)")
tools=$T/tools
mkdir "$T/tmp" "$tools"
TMPDIR=$T/tmp RUNTIME_DIRECTORY=$T/tmp AGENTSIGHT_TOOLS=$tools
export TMPDIR RUNTIME_DIRECTORY AGENTSIGHT_TOOLS
for file in "$real"/*; do ln -s "$file" "$tools/"; done
chmod 711 "$T"
# ours: agentsight and its stages by their folder; the command by its file
ours() { ps -eo pid,stat,args | grep -F -e "$tools/" -e "$T/end" | grep -v -e grep -e ' Z'; }
no_ours() { ! ours >/dev/null; }
pid_of() { ps -eo pid,args | awk -v t="$tools/$1" '$2 == t { print $1; exit }'; }
gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
nothing_left() {
	ok "$1: no process is left" until_true 20 no_ours || diag "$(ours)"
	is "$1: nothing is left of its folders" "$(find "$TMPDIR" -mindepth 1 -maxdepth 1)" ''
}

# begin: a recorded program that runs until $T/end is there; its driver in driver.
begin() {
	rm -rf "$T/runs" "$T/end" "$T"/r.db* "$T/r.ndjson"
	agentsight record --db "$T/r.db" -o "$T/r.ndjson" -- \
		sh -c "touch $T/runs; while [ ! -e $T/end ]; do sleep 0.05; done; exit 4" 2>"$T/err" 3>&- &
	driver=$!
	until_true 60 test -e "$T/runs"
}
first_run() { jq -c 'select(.type == "run.begin")' "$T/r.ndjson" | head -n 1; }
last_run() { jq -c 'select(.type == "run.end")' "$T/r.ndjson" | tail -n 1; }

# --- a run that nobody disturbs -----------------------------------------------------
begin
touch "$T/end"
wait $driver && rc=0 || rc=$?
is "undisturbed: the command's status" "$rc" 4
is "undisturbed: the run begins before the lines of collectors" \
	"$(jq -r .type "$T/r.ndjson" | grep -vx stage.begin | head -n 1)" run.begin
like "undisturbed: it has the command" "$(first_run)" '^{"type":"run.begin",.*"command":\["sh","-c",'
is "undisturbed: it names the stages" \
	"$(first_run | jq -r '.stages | join(" ")')" \
	'sslsniff tcpsniff process stdiocap sysmon httpparse ssemerge llmparse authstrip sqlitesink file'
is "undisturbed: its options are in it" "$(first_run | jq -c '.options[0]')" '"--db"'
is "undisturbed: run.end has the status, and no failure" "$(last_run | jq -c '[.status, .failed]')" '[4,[]]'
is "undisturbed: run.end comes behind all that collectors wrote" \
	"$(jq -r 'select(.type | test("^(process|file|system|net|stdio|ssl)[.]")) | input_line_number' "$T/r.ndjson" | tail -n 1 | \
		awk -v e="$(jq -r 'select(.type == "run.end") | input_line_number' "$T/r.ndjson")" '{ print ($1 < e) }')" 1
check_lines "$T/r.ndjson"
nothing_left "undisturbed"

# --- a stage ends too early ----------------------------------------------------------------
for case in sslsniff:TERM process:INT tcpsniff:TERM stdiocap:KILL sysmon:TERM httpparse:TERM llmparse:KILL authstrip:TERM sqlitesink:TERM sqlitesink:KILL; do
	stage=${case%:*} signal=${case#*:}
	begin
	pid=$(pid_of "$stage")
	kill -s "$signal" "$pid"
	until_true 20 gone "$pid"
	if [ "$signal" != INT ] || gone "$pid"; then
		ok "$case: said while the program runs" until_true 20 grep -q "agentsight: $stage ended while" "$T/err" ||
			diag_file "$T/err"
	fi
	touch "$T/end"
	wait $driver && rc=0 || rc=$?
	is "$case: exit status 125" "$rc" 125
	like "$case: the driver names it, with the command's own status" "$(cat "$T/err")" \
		"NOT WHOLE: .*$stage (ended|was killed).*status was 4"
	unlike "$case: nothing says that nothing was lost" "$(cat "$T/err")" '(nothing was lost|WHOLE: n)'
	case $stage in
	sslsniff | tcpsniff | process | stdiocap | sysmon | sqlitesink)
		is "$case: the recording names it" "$(last_run | jq -r '.failed[].stage' | grep -cx "$stage")" 1
		;;
	esac
	nothing_left "$case"
done

# --- the driver ends ----------------------------------------------------------------------
begin
kill -KILL $driver
wait $driver 2>/dev/null
touch "$T/end"
nothing_left "driver:KILL"
like "driver:KILL: what was seen is kept" "$(first_run)" '"type":"run.begin"'
is "driver:KILL: and has no end" "$(last_run)" ''
is "driver:KILL: the database is whole in itself" "$(sqlite3 "$T/r.db" 'PRAGMA integrity_check')" ok

# While it starts, at any point of it.
for stage in agentsight-runlog httpparse sslsniff; do
	rm -f "$T/runs" "$T/end"
	agentsight record -q -o "$T/r2" -- touch "$T/runs" 2>/dev/null 3>&- &
	driver=$!
	started() { [ -n "$(pid_of "$stage")" ] || gone $driver; }
	until_true 60 started
	kill -KILL $driver 2>/dev/null
	wait $driver 2>/dev/null
	nothing_left "driver:KILL when $stage has just begun"
done

for signal in TERM HUP; do
	begin
	kill -s $signal $driver
	wait $driver && rc=0 || rc=$?
	touch "$T/end"
	is "driver:$signal: the status is the command's, which the signal reached" "$rc" "$([ $signal = TERM ] && echo 143 || echo 129)"
	is "driver:$signal: the recording is ended" "$(last_run | jq -c .failed)" '[]'
	nothing_left "driver:$signal"
done

# --- --stop-on-failure ----------------------------------------------------------------------
rm -f "$T/runs" "$T/end"
agentsight record --stop-on-failure -q -o "$T/r3" -- \
	sh -c "trap 'exit 9' TERM; touch $T/runs; while :; do sleep 0.05; done" 2>"$T/err" 3>&- &
driver=$!
until_true 60 test -e "$T/runs"
kill -KILL "$(pid_of process)"
wait $driver && rc=0 || rc=$?
is "--stop-on-failure: the program is ended, status 125" "$rc" 125
like "--stop-on-failure: with its own status" "$(cat "$T/err")" "status was 9"
nothing_left "--stop-on-failure"
done_testing

#!/bin/sh
# A recording whose stage, or whose driver, ended before it was asked to: it is never
# taken for whole, by the driver's status, its words, and the recording itself; and what
# was made is what is stored and what the recording itself says is missing.
# shellcheck disable=SC2016,SC2009,SC2317,SC2119	# $ for others; ps; functions by name
. tests/lib.sh
need agentsight jq sqlite3 setpriv setsid
need_bpf

real=$(dirname "$(command -v agentsight)")
chmod 711 "$T"
SIDE_BY_SIDE=8

# place NAME: a folder of its own for a case: tools that can be told from those of
# others, temporary files, the recording.
place() {
	D=$T/$1
	mkdir -p "$D/tmp" "$D/tools"
	chmod 711 "$D"
	ln -s "$real"/* "$D/tools/"
	TMPDIR=$D/tmp RUNTIME_DIRECTORY=$D/tmp AGENTSIGHT_TOOLS=$D/tools
	export TMPDIR RUNTIME_DIRECTORY AGENTSIGHT_TOOLS D
}
# ours: agentsight and its stages by their folder; the command by its file
ours() { ps -eo pid,stat,args | grep -F -e "$D/tools/" -e "$D/end" | grep -v -e grep -e ' Z'; }
no_ours() { ! ours >/dev/null; }
pid_of() { ps -eo pid,args | awk -v t="$D/tools/$1" '$2 == t { print $1; exit }'; }
stopped() { grep -q '^State:.T' "/proc/$1/status"; }
gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
# left NAME: what is still there of a case, in its file of results
left() {
	until_true 20 no_ours && ours=none || ours=$(ours)
	echo "left=$ours"
	echo "files=$(find "$D/tmp" -mindepth 1 -maxdepth 1 | tr '\n' ' ')"
}

# begin [OPTION]...: a recorded program that runs until $D/end is there; its driver in driver.
begin() {
	rm -f "$D/runs" "$D/end"
	env --default-signal=INT agentsight record --db "$D/r.db" -o "$D/r.ndjson" "$@" -- \
		sh -c "touch $D/runs; while [ ! -e $D/end ]; do sleep 0.05; done; exit 4" 2>"$D/err" 3>&- &
	driver=$!
	until_true 60 test -e "$D/runs"
}
first_run() { jq -c 'select(.type == "run.begin")' "$D/r.ndjson" | head -n 1; }
last_run() { jq -c 'select(.type == "run.end")' "$D/r.ndjson" | tail -n 1; }
sql() { sqlite3 -readonly "$D/r.db" "$1"; }

# --- cases, side by side ------------------------------------------------------------------
# fake NAME: in place of a collector, one that makes calls: as many as $D/want says, with
# a line for each in $D/made.
fake() {
	rm -f "$D/tools/$1"
	cat >"$D/tools/$1" <<-'END'
		#!/bin/sh
		case " $*" in *" --list"*) exit 0 ;; esac
		trap 'end=1' TERM
		trap '' INT PIPE
		book() { printf '{"type":"stage.%s","timestamp_ns":%s,"pid":%s,"stage":"sslsniff",%s}\n' "$1" "$(date +%s%N)" $$ "$2"; }
		book begin '"version":"0"'
		echo >&8
		n=0 want=0 end=''
		while [ -z "$end" ]; do
			read -r want <"$D/want"
			while [ "$n" -lt "$want" ]; do
				n=$((n + 1)) now=$(date +%s%N)
				( printf '{"type":"llm.call","timestamp_ns":%s,"pid":9,"tid":9,"uid":0,"comm":"a","id":"c/%s","provider":"anthropic","api":"messages","operation":"chat","stream":false,"request_model":"m","status_code":200,"duration_ms":1}\n' \
					"$now" $n ) 2>/dev/null
				echo "$now" >>"$D/made"
			done
			sleep 0.05
		done
		( book end "\"read\":$n,\"written\":$((n + 2)),\"lost\":0,\"why\":\"signal\"" ) 2>/dev/null
		exit 0
	END
	chmod +x "$D/tools/$1"
}
stored() { [ "$(sql 'SELECT count(*) FROM model_calls' 2>/dev/null)" = "$1" ]; }
want() { echo "$1" >"$D/want.new"; mv "$D/want.new" "$D/want"; }
made() { [ "$(wc -l <"$D/made")" -ge "$1" ]; }

# hit STAGE SIGNAL: what is done to it, and what comes of it, as words of a file
hit() {
	pid=$(pid_of "$1")
	kill -s "$2" "$pid"
	echo "pid=$pid"
	case $2 in
	STOP) until_true 20 stopped "$pid" ;;
	TERM | KILL) until_true 20 gone "$pid" && until_true 20 grep -q "agentsight: $1 ended too early" "$D/err" && echo 'said=1' ;;
	esac
}
finish() {
	touch "$D/end"
	wait "$driver" && rc=0 || rc=$?
	kill -s CONT "$1" 2>/dev/null
	echo "rc=$rc"
	left
}

# A filter or a sink: 20 calls are stored before, 10 are made after.
filter_case() {
	place "$1-$2"
	: >"$D/made"
	want 20
	fake sslsniff
	begin --no-all --ssl
	until_true 20 stored 20
	hit "$1" "$2"
	want 30
	case $2 in INT) until_true 20 stored 30 ;; *) until_true 20 made 30 ;; esac
	finish "$pid"
}

# A collector, as it is, alone.
collector_case() {
	place "$1-$2"
	case $1 in sslsniff) only=--ssl ;; tcpsniff) only=--plain ;; process) only=--process ;; stdiocap) only=--stdio ;; sysmon) only=--system ;; esac
	begin --no-all "$only"
	hit "$1" "$2"
	[ "$2" != INT ] || until_true 20 gone "$pid"
	finish "$pid"
}

running=0
beside() {
	mkdir -p "$T/results"
	(
		[ "$3" != STOP ] || export AGENTSIGHT_PATIENCE=4
		"$1" "$2" "$3" >"$T/results/$2-$3" 2>&1
	) &
	running=$((running + 1))
	[ $((running % SIDE_BY_SIDE)) -ne 0 ] || wait
}
signals='TERM KILL INT STOP'
filters='httpparse ssemerge llmparse authstrip sqlitesink'
collectors='sslsniff tcpsniff process stdiocap sysmon'
for signal in $signals; do
	for stage in $filters; do beside filter_case "$stage" "$signal"; done
	for stage in $collectors; do beside collector_case "$stage" "$signal"; done
done
wait

# judge STAGE SIGNAL: what every case has in common. INT is for collectors alone.
judge() {
	case="$1:$2" D=$T/$1-$2 said='' rc='' left='' files=''
	while IFS='=' read -r key value; do
		case $key in said) said=$value ;; rc) rc=$value ;; left) left=$value ;; files) files=$value ;; esac
	done <"$T/results/$1-$2"
	is "$case: no process, no folder is left" "$left $files" 'none '
	case $2 in TERM | KILL) is "$case: said while the program runs" "$said" 1 || diag_file "$D/err" ;; esac
	case $2-$filters in
	INT-*"$1"*)
		is "$case: a filter is not ended by Ctrl-C" "$rc" 4
		like "$case: whole" "$(cat "$D/err")" 'WHOLE: nothing was lost'
		return
		;;
	esac
	is "$case: exit status 125" "$rc" 125
	how='ended with status 0'
	case $2 in
	KILL) how='was killed by SIGKILL before it was asked to' ;;
	STOP) how='was stopped by a signal, and killed in the end' ;;
	*) how="$how before it was asked to" ;;
	esac
	is "$case: one verdict" "$(grep -cE 'INCOMPLETE|WHOLE' "$D/err")" 1
	like "$case: the driver names it, and no other, since when, with the command's own status" \
		"$(sed -n 's/^agentsight: INCOMPLETE: //p' "$D/err")" \
		"^$1 $how, [0-9]+[.][0-9] s before the end: [^;]* \(exit status 125; the command's own was 4\)\$"
	unlike "$case: nothing says that nothing was lost, or looks for another cause" "$(cat "$D/err")" '(nothing was lost|WHOLE: n|NO TLS)'
	[ "$case" = sqlitesink:STOP ] ||	# at its end, when the other one is written
		is "$case: the lines name it, and no other" "$(last_run | jq -r '[.failed[].stage] | join(" ")')" "$1"
	[ "$1" = sqlitesink ] ||
		is "$case: the database names it, and no other" \
			"$(sql "SELECT (failed ->> '\$[0].stage') || ',' || json_array_length(failed) FROM runs")" "$1,1"
	is "$case: the database is incomplete, for one cause" \
		"$(sql 'SELECT verdict FROM verdicts; SELECT count(*) FROM run_gaps WHERE NOT follows' | tr '\n' ' ')" 'INCOMPLETE 1 '
	check_lines "$D/r.ndjson"
}
for signal in $signals; do
	for stage in $filters; do
		judge "$stage" "$signal"
		case $signal in
		TERM | KILL)
			at=$(last_run | jq '.failed[0].at_ns')
			is "$case: calls made = stored + made after the time that the recording says" \
				"$(sql 'SELECT count(*) FROM model_calls') $(awk -v at="$at" '$1 > at { n++ } END { print n + 0 }' "$D/made")" '20 10'
			;;
		esac
	done
	for stage in $collectors; do judge "$stage" "$signal"; done
done
D=$T/sqlitesink-KILL
is "sqlitesink:KILL: the other recording has all" "$(grep -c '"type":"llm.call"' "$D/r.ndjson")" 30
like "sslsniff:KILL: the database says since when, and what is missing" "$(sqlite3 -readonly "$T/sslsniff-KILL/r.db" 'SELECT what FROM run_gaps')" \
	'^sslsniff was killed by SIGKILL .*, [0-9.]+ s before the end: what crosses TLS is missing from then on'
like "STOP: a stage that does not move is named" "$(cat "$T/authstrip-STOP/err")" 'authstrip has not moved for 4 s \(it was stopped\): it is killed'
like "STOP: and is named while the program runs" "$(cat "$T/authstrip-STOP/err")" 'authstrip was stopped by a signal: .*kill -CONT [0-9]+'
like "STOP: the database says since when" "$(sqlite3 -readonly "$T/authstrip-STOP/r.db" 'SELECT what FROM run_gaps')" \
	'^authstrip was stopped by a signal, and killed in the end, [0-9.]+ s before the end: nothing is recorded from then on'

# --- a run that nobody disturbs -----------------------------------------------------
nothing_left() {
	ok "$1: no process is left" until_true 20 no_ours || diag "$(ours)"
	is "$1: nothing is left of its folders" "$(find "$TMPDIR" -mindepth 1 -maxdepth 1)" ''
}
place undisturbed
begin
touch "$D/end"
wait $driver && rc=0 || rc=$?
is "undisturbed: the command's status" "$rc" 4
is "undisturbed: the run begins before the lines of collectors" \
	"$(jq -r .type "$D/r.ndjson" | grep -vx stage.begin | head -n 1)" run.begin
like "undisturbed: it has the command" "$(first_run)" '^{"type":"run.begin",.*"command":\["sh","-c",'
is "undisturbed: it names the stages" \
	"$(first_run | jq -r '.stages | join(" ")')" \
	'sslsniff tcpsniff process stdiocap sysmon httpparse ssemerge llmparse authstrip sqlitesink file'
is "undisturbed: its options are in it" "$(first_run | jq -c '.options[0]')" '"--db"'
is "undisturbed: run.end has the status, and no failure" "$(last_run | jq -c '[.status, .failed]')" '[4,[]]'
is "undisturbed: run.end comes behind all that collectors wrote" \
	"$(jq -r 'select(.type | test("^(process|file|system|net|stdio|ssl)[.]")) | input_line_number' "$D/r.ndjson" | tail -n 1 | \
		awk -v e="$(jq -r 'select(.type == "run.end") | input_line_number' "$D/r.ndjson")" '{ print ($1 < e) }')" 1
check_lines "$D/r.ndjson"
nothing_left "undisturbed"

# --- the driver ends ----------------------------------------------------------------------
place driver
begin
kill -KILL $driver
wait $driver 2>/dev/null
touch "$D/end"
nothing_left "driver:KILL"
like "driver:KILL: what was seen is kept" "$(first_run)" '"type":"run.begin"'
is "driver:KILL: and has no end" "$(last_run)" ''
is "driver:KILL: the database is whole in itself" "$(sqlite3 "$D/r.db" 'PRAGMA integrity_check')" ok
like "driver:KILL: and says that the recording is not" "$(sql "SELECT what FROM run_gaps")" 'agentsight was ended before it could close'

# While it starts, at any point of it.
started() { [ -n "$(pid_of "$stage")" ] || gone $driver; }
for stage in agentsight-runlog httpparse sslsniff; do
	rm -f "$D/runs" "$D/end"
	agentsight record -q -o "$D/r2" -- touch "$D/runs" 2>/dev/null 3>&- &
	driver=$!
	until_true 60 started
	kill -KILL $driver 2>/dev/null
	wait $driver 2>/dev/null
	nothing_left "driver:KILL when $stage has just begun"
done

for signal in TERM HUP; do
	begin
	kill -s $signal $driver
	wait $driver && rc=0 || rc=$?
	touch "$D/end"
	is "driver:$signal: the status is the command's, which the signal reached" "$rc" "$([ $signal = TERM ] && echo 143 || echo 129)" || diag_file "$D/err"
	is "driver:$signal: the recording is ended" "$(last_run | jq -c .failed)" '[]'
	nothing_left "driver:$signal"
done

# --- interrupted while it ends ------------------------------------------------------------
place hurry
begin
pid=$(pid_of sqlitesink)
kill -STOP "$pid"
touch "$D/end"
until_true 20 grep -q 'still writing what was seen: ' "$D/err"
kill -INT $driver
kill -INT $driver
ok "interrupted twice at once: is one wish" until_true 10 grep -q 'once more, and the rest of it is given up' "$D/err"
ok "interrupted twice at once: it goes on" [ -d "/proc/$pid" ]
again() { kill -INT $driver 2>/dev/null; gone "$pid"; }
ok "interrupted later: it ends" until_true 10 again
wait $driver && rc=0 || rc=$?
is "interrupted later: status 130" "$rc" 130
like "interrupted later: says what is missing" "$(cat "$D/err")" 'INCOMPLETE: its end was given up: sqlitesink was killed'
nothing_left "interrupted later"

# --- --stop-on-failure ----------------------------------------------------------------------
place stop
agentsight record --stop-on-failure -q -o "$D/r3" -- \
	sh -c "trap 'exit 9' TERM; touch $D/runs; while :; do sleep 0.05; done" 2>"$D/err" 3>&- &
driver=$!
until_true 60 test -e "$D/runs"
kill -KILL "$(pid_of process)"
wait $driver && rc=0 || rc=$?
is "--stop-on-failure: the program is ended, status 125" "$rc" 125
like "--stop-on-failure: with its own status" "$(cat "$D/err")" "own was 9"
nothing_left "--stop-on-failure"
done_testing

#!/bin/sh
# The driver's other commands, its outputs, and that what it prints is what it runs.
# shellcheck disable=SC2016,SC2317	# $ for others; functions by name
. tests/lib.sh
need agentsight agentsight-report sqlitesink sqlite3 setpriv
need_bpf

mkdir "$T/tmp" "$T/cwd"
TMPDIR=$T/tmp
RUNTIME_DIRECTORY=$TMPDIR
chmod 711 "$T"
export TMPDIR RUNTIME_DIRECTORY CA URL
start_server
ask=$T/ask
cat >"$ask" <<'END'
#!/bin/sh
curl -sS --cacert "$CA" -H 'content-type: application/json' -H 'x-api-key: k' -o /dev/null "$URL/v1/messages" \
	-d '{"model": "demo-1", "max_tokens": 99, "stream": true, "messages": [{"role": "user", "content": "'"$1"'"}]}'
END
chmod +x "$ask"
clean() { is "$1: no FIFO, no folder is left" "$(find "$TMPDIR" -mindepth 1)" ''; }
one() { jsonfilter -c "$3" "$2" >"$T/n"; ok "$1" [ "$(cat "$T/n")" -ge 1 ]; }
none() { is "$1" "$(jsonfilter -c "$3" "$2")" 0; }
sql() { sqlite3 -readonly "$1" "$2"; }

# --- usage ---------------------------------------------------------------------
for args in 'exec' 'stat' 'trace -- true' 'record -p 1 -- true' 'trace --no-ssl --no-plain --no-process' 'exec --fd 9 -- true' \
	'trace --ssl=maybe' 'trace --no-such' 'trace --mode' 'top x' 'record -p 1 --no-pid'; do
	IFS=' '
	# shellcheck disable=SC2086
	agentsight $args >"$T/out" 2>"$T/err" && rc=0 || rc=$?
	is "agentsight $args: exit 2" "$rc" 2
done

# --- a database, by default everything --------------------------------------------
( cd "$T/cwd" && agentsight record -- sh -c "$ask 'a prompt of mine'; : >made; echo said; sleep 0.3; exit 9" >"$T/out" 2>"$T/err" ) && rc=0 || rc=$?
is "record: the command's status" "$rc" 9
is "record: the command's output" "$(cat "$T/out")" said
db=$(find "$T/cwd" -name 'agentsight-*.db')
like "record: a database of this name" "${db##*/}" '^agentsight-[0-9]{8}-[0-9]{6}\.db$'
is "record: nothing but it" "$(find "$T/cwd" -type f ! -name made)" "$db"
is "record: mode 0600" "$(stat -c %a "$db")" 600
is "record: three lines at the end" "$(wc -l <"$T/err")" 3
like "record: what was seen" "$(cat "$T/err")" '1 model calls, .* tokens, [0-9]+ programs'
like "record: what was lost" "$(cat "$T/err")" '^agentsight: WHOLE: nothing was lost'
is "record: the prompt is in it" "$(sql "$db" "SELECT count(*) FROM texts WHERE text LIKE '%a prompt of mine%'" | grep -c '[1-9]')" 1
is "record: the program, the file, the host, the output, the samples are in it" "$(sql "$db" "
	SELECT (SELECT count(*) > 0 FROM execs WHERE filename LIKE '%/curl'),
		(SELECT count(*) > 0 FROM file_changes JOIN paths ON paths.id = path_id WHERE path LIKE '%/cwd/made'),
		(SELECT count(*) > 0 FROM connections WHERE address = '127.0.0.1'),
		(SELECT count(*) > 0 FROM stdio), (SELECT count(*) > 0 FROM samples),
		(SELECT count(*) FROM processes WHERE exit_code = 9)")" '1|1|1|1|1|1'
like "report: finds it" "$(cd "$T/cwd" && agentsight report calls --csv)" 'demo-1'
clean record

agentsight record --db "$T/both.db" -o "$T/both" -- "$ask" both 2>"$T/err" && rc=0 || rc=$?
is "--db and -o: the command's status" "$rc" 0
check_lines "$T/both"
is "--db and -o: the same calls in both" "$(sql "$T/both.db" 'SELECT count(*) FROM llm_calls')" "$(jsonfilter -c type=llm.call "$T/both")"
one "--db and -o: its end" "$T/both" 'type=process.exit & exit_code=0'
one "--db and -o: what it cost" "$T/both" 'type=system.process & rss_bytes>0'
none "--db and -o: nothing lost" "$T/both" type=loss
agentsight record --no-ssl --no-stdio --no-system -q -o "$T/some" -- sh -c 'exit 0' 2>/dev/null
none "--no-...: and no others" "$T/some" 'type^=stdio | type^=system | type^=http'
one "--no-...: but the rest" "$T/some" 'type^=process'

# --- exec -----------------------------------------------------------------------------
{ agentsight exec -q --fd 3 -- sh -c "$ask fd; [ ! -e /proc/\$\$/fd/3 ] || echo open" 3>&1 >"$T/out" 2>"$T/err" | cat >"$T/fd"; }
one "exec --fd: lines arrive at the descriptor" "$T/fd" type=llm.call
is "exec --fd: the command does not have it" "$(cat "$T/out")" ''
( cd "$T/cwd" && agentsight exec -q -- "$ask" exec 2>/dev/null )
one "exec: lines in a file of its own" "$T/cwd"/agentsight-*.ndjson type=llm.call

# --- stat -------------------------------------------------------------------------------
agentsight stat -- "$ask" stat 2>"$T/err" && rc=0 || rc=$?
is "stat: the command's status" "$rc" 0
like "stat: a summary" "$(cat "$T/err")" 'model calls +1'
clean stat

# --- what runs already --------------------------------------------------------------------
cp /bin/sh "$T/an-agent"
"$T/an-agent" -c "while :; do $ask again; sleep 0.2; done" &
agent=$!
hold $agent
agentsight trace -p $agent --http-filter 'request.method=POST' -d 3 >"$T/trace" 2>"$T/err" && rc=0 || rc=$?
is "trace -d: exit 0" "$rc" 0
one "trace -p: model calls" "$T/trace" type=llm.call
one "trace -p: processes" "$T/trace" 'type=process.exec & filename~curl'
none "trace --http-filter: what matches is dropped" "$T/trace" type=http.request
one "trace --http-filter: and no more" "$T/trace" type=http.response
check_lines "$T/trace"
clean "trace -d"

env --default-signal=INT agentsight record -c an-agent --no-stdio --db "$T/comm.db" 2>"$T/err" &
pid=$!
called() {
	[ -e "$T/comm.db" ] &&
		[ "$(sql "$T/comm.db" 'SELECT (SELECT count(*) FROM llm_calls) * (SELECT count(*) FROM execs)' 2>/dev/null)" -gt 0 ] 2>/dev/null
}
ok "record -c: calls are in the database while it runs" until_true 20 called
sleep 1	# until the driver has heard from all collectors
kill -INT $pid
wait $pid && rc=0 || rc=$?
is "record -c: Ctrl-C ends it, exit 0" "$rc" 0
like "record -c: says what it saw" "$(cat "$T/err")" '[1-9][0-9]* model calls'
clean "record -c"

agentsight ssl -p $agent --ssl-http=false -d 2 >"$T/ssl" 2>/dev/null
one "ssl --ssl-http=false: bytes" "$T/ssl" type=ssl.data
none "ssl --ssl-http=false: nothing else" "$T/ssl" 'type^=http | type^=llm | type^=process'
agentsight ssl -p $agent --ssl-raw-data --ssl-filter 'function=READ/RECV' -d 2 >"$T/ssl" 2>/dev/null
one "--ssl-raw-data: bytes" "$T/ssl" 'type=ssl.data & function=WRITE/SEND'
none "--ssl-filter: what matches is dropped" "$T/ssl" 'type=ssl.data & function=READ/RECV'
one "--ssl-filter: and does not tear holes into what is parsed" "$T/ssl" 'type=llm.call & status_code=200'
agentsight process -p $agent -d 2 >"$T/process" 2>/dev/null
one "process: processes" "$T/process" type=process.exec
agentsight stdio -p $agent -d 2 --stdio-all-fds >"$T/stdio" 2>/dev/null
one "stdio: reads and writes" "$T/stdio" type=stdio.data
agentsight system -p $agent -d 2 --system-interval 500ms >"$T/system" 2>/dev/null
one "system: samples" "$T/system" type=system.process
like "top --once: a table with the agent" "$(agentsight top -p $agent --once 2>/dev/null)" 'demo-1'

kill $agent
agentsight trace -p $agent >"$T/gone" 2>"$T/err" && rc=0 || rc=$?
is "trace -p: of a process that is gone: exit 125" "$rc" 125
like "trace -p: of a process that is gone: said" "$(cat "$T/err")" ': pid [0-9]+: no such process'

# --- what is printed is what is run ---------------------------------------------------------
"$T/an-agent" -c "while :; do $ask 'from the paste'; sleep 0.2; done" &
agent=$!
hold $agent
agentsight pipeline trace -p $agent --stdio --db p.db -o 'p q.ndjson' --ssl-filter 'len<3 & function=READ/RECV' >"$T/pasted"
sed "s/-p $agent/& -d 3s/; s/^process.*-d 3s/process --duration 3s -p $agent/" "$T/pasted" >"$T/cwd/run.sh"
( cd "$T/cwd" && sh run.sh ) 2>"$T/err" && rc=0 || rc=$?
is "pipeline: what it prints runs" "$rc" 0
one "pipeline: into the file" "$T/cwd/p q.ndjson" type=llm.call
until_true 10 test -s "$T/cwd/p.db"
ok "pipeline: and the database" [ "$(sqlite3 "$T/cwd/p.db" 'SELECT count(*) FROM llm_calls')" -ge 1 ]
like "pipeline --server -o: what grows is for the page, not for the file" \
	"$(agentsight pipeline trace -p 1 --server -o x.ndjson | tail -n 2)" "jsonfilter 'type!=sse.delta' > x.ndjson|jsonfilter type!=sse.delta > x.ndjson"
like "pipeline record -- CMD: its process has a name" "$(agentsight pipeline record -- true)" 'sslsniff -p "\$PID"'

# --- a sink dies, the others go on --------------------------------------------------------------
kill $agent
rm -f "$T/runs" "$T/end"
agentsight record -q --no-process --no-stdio --no-system --db "$T/dies.db" -o "$T/lives" -- \
	sh -c "touch $T/runs; while [ ! -e $T/end ]; do sleep 0.05; done; $ask later; exit 4" 2>"$T/err" &
pid=$!
until_true 20 test -e "$T/runs"
sink=$(ps -eo pid,args | awk '$2 ~ /sqlitesink$/ && $0 ~ /\/dies.db/ { print $1; exit }')
kill -KILL "$sink"
touch "$T/end"
wait $pid && rc=0 || rc=$?
is "a sink is killed: exit 125" "$rc" 125
like "a sink is killed: named" "$(cat "$T/err")" 'INCOMPLETE: sqlitesink was killed by SIGKILL.*own was 4'
one "a sink is killed: the other one has what came later" "$T/lives" type=llm.call
clean "a sink is killed"

# Attached to what never ends, the run ends with its pipeline.
rm -f "$T/lives"
agentsight trace -p $$ -o "$T/lives" 2>"$T/err" &
pid=$!
begun() { [ "$(grep -c '"type":"stage.begin".*"stage":"\(sslsniff\|process\)"' "$T/lives")" -eq 2 ]; }
stage() { ps -eo pid,ppid,args | awk -v p=$pid '$2 == p && $3 ~ /\/authstrip$/ { print $1 }' | grep .; }
until_true 20 stage >/dev/null
until_true 60 begun
kill -KILL "$(stage)"
wait $pid && rc=0 || rc=$?
is "a filter is killed while attached: the run ends, exit 125" "$rc" 125
like "a filter is killed while attached: named" "$(cat "$T/err")" 'INCOMPLETE: .*authstrip was killed'
clean "a filter is killed while attached"

# --- privilege --------------------------------------------------------------------------------------
# status STAGE: how it stands with the stage of the run that $pid is.
status() {
	for p in $(ps -eo pid,ppid,args | awk -v p=$pid -v s="/$1$" '$2 == p && $3 ~ s { print $1 }'); do
		awk '/^(CapEff|CapPrm|CapBnd|NoNewPrivs):/ { printf "%s ", $2 } /^Uid:/ { printf "%s ", $2 }' "/proc/$p/status"
	done
}
none='0000000000000000 0000000000000000 0000000000000000 1'
if [ "$(id -u)" -eq 0 ] && id nobody >/dev/null 2>&1; then
	chmod 755 "$T"
	for who in nobody root; do
		if ! setpriv --reuid=$who --clear-groups test -x "$(command -v httpparse)"; then
			skip "as $who" "$who may not run $(command -v httpparse)"
			continue
		fi
		uid=$(id -u $who)
		mkdir "$T/of-$who"
		chown $who "$T/of-$who"
		( cd "$T/of-$who" && SUDO_UID=$uid SUDO_GID=$(id -g $who) SUDO_USER=$who exec agentsight record --db both.db -o both.ndjson -- \
			sh -c 'touch runs; while [ ! -e end ]; do sleep 0.05; done' ) 2>"$T/err" &
		pid=$!
		until_true 20 test -e "$T/of-$who/runs"
		of=$(status httpparse | cut -d' ' -f1)
		is "as $who: filters and sinks are nobody's that has a name, and have no capability" \
			"$(status httpparse)$(status authstrip)$(status sqlitesink)" "$of $none $of $none $of $none "
		ok "as $who: an id of their own" [ "$of" -ge 61184 ]
		not_ok "as $who: which no user has" getent passwd "$of"
		like "as $who: the user can read what is recorded meanwhile" \
			"$(setpriv --reuid=$who --regid="$(id -g $who)" --clear-groups cat "$T/of-$who/both.ndjson" 2>&1)" '"type":"run.begin"'
		not_ok "as $who: nobody else of the same group can" setpriv --reuid=1 --regid="$(id -g $who)" --clear-groups \
			cat "$(readlink "$T/of-$who/both.ndjson")"
		not_ok "as $who: but not change it" setpriv --reuid=1 --regid="$(id -g $who)" --clear-groups \
			sh -c ': >>"$1"' sh "$T/of-$who/both.ndjson"
		# 40: CHECKPOINT_RESTORE, 39: BPF, 38: PERFMON, 19: SYS_PTRACE, 2: DAC_READ_SEARCH
		is "as $who: collectors have given up all but what they still need" \
			"$(for s in sslsniff tcpsniff process stdiocap; do status $s; done | grep -o '[0-9a-f]\{16\}' |
				"$PYTHON" -c 'import sys; print(any(int(c, 16) & ~(1 << 40 | 1 << 39 | 1 << 38 | 1 << 19 | 1 << 2) for c in sys.stdin))')" False
		touch "$T/of-$who/end"
		wait $pid && rc=0 || rc=$?
		is "as $who: exit 0" "$rc" 0
		like "as $who: recorded" "$(cat "$T/err")" 'nothing was lost'
		db=$T/of-$who/both.db
		one "as $who: a second output has them, too" "$T/of-$who/both.ndjson" type=process.exit
		is "as $who: the database is theirs" "$(stat -c '%U %a' "$db")" "$who 600"
		ok "as $who: with processes in it" [ "$(sql "$db" 'SELECT count(*) FROM processes')" -ge 1 ]
	done
	chmod 711 "$T"
else
	skip "privilege" "not root"
fi

# --- a terminal ---------------------------------------------------------------------------------------
/usr/bin/python3 tests/terminal.py "$T/tty" >"$T/out" 2>&1 && rc=0 || rc=$?
is "a shell on a terminal: prompt, window size, job control, Ctrl-C, Ctrl-Z, /dev/tty, its status" "$(cat "$T/out") $rc" \
	'prompt size jobs ctrl-c ctrl-z resize tty 5 0'
clean "a terminal"
done_testing

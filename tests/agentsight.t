#!/bin/sh
# agentsight record: exit status, signals, privilege, what is left behind.
# shellcheck disable=SC2016,SC2009,SC2317,SC2119,SC3045	# $ for others; ps; functions by name; ulimit -n
. tests/lib.sh
need agentsight setpriv setsid shellcheck

real=$(dirname "$(command -v agentsight)")
mkdir "$T/tmp" "$T/cwd"
TMPDIR=$T/tmp
RUNTIME_DIRECTORY=$TMPDIR	# of root; its stages enter it under an id of theirs
chmod 711 "$T"
export TMPDIR RUNTIME_DIRECTORY

# A folder of stages whose processes can be told from all others.
tools=$T/tools
mkdir "$tools"
for tool in sslsniff tcpsniff process stdiocap sysmon httpparse ssemerge llmparse authstrip jsonfilter sqlitesink agentsight-doctor \
	websink otelsink agentsight-runlog agentsight-place agentsight-spawn agentsight-nearest agentsight-show agentsight-handover agentsight-report \
	agentsight.usage agentsight.run agentsight.end; do ln -s "$real/$tool" "$tools/$tool"; done
AGENTSIGHT_TOOLS=$tools
export AGENTSIGHT_TOOLS

ours() { ps -eo pid,args | grep -F "$tools/" | grep -v grep; }
no_ours() { ! ours >/dev/null; }
nothing_left() {
	ok "$1: no process is left" until_true 10 no_ours || diag "$(ours)"
	is "$1: no FIFO, no folder is left" "$(find "$TMPDIR" -mindepth 1)" ''
}
pid_of() { ps -eo pid,args | awk -v t="$tools/$1" '$2 == t { print $1; exit }'; }
stage_runs() { [ -n "$(pid_of "$1")" ]; }

# --- the script ---------------------------------------------------------------
ok "shellcheck has nothing to say" shellcheck -x -s sh agentsight.sh driver/*.sh
for file in agentsight.sh driver/run.sh driver/end.sh; do
	ok "$file is thin" [ "$(wc -l <$file)" -le 500 ]
	is "$file: no eval" "$(grep -nw eval $file)" ''
done

# --- usage: nothing is started --------------------------------------------------
for args in '' 'record' 'record --' 'record -x -- true' 'record true' 'replay' 'record -o' '-- true'; do
	# shellcheck disable=SC2086
	agentsight $args >"$T/out" 2>"$T/err" && rc=0 || rc=$?
	is "agentsight $args: exit 2" "$rc" 2
	like "agentsight $args: says what is wrong" "$(cat "$T/err")" '^agentsight: .'
	is "agentsight $args: nothing on standard output" "$(cat "$T/out")" ''
done
like "a command that is nearly one" "$(agentsight repotr 2>&1)" "unknown command repotr; did you mean report\?"
like "an option that is nearly one" "$(agentsight record --duratoin 5 -- true 2>&1)" "unknown option --duratoin; did you mean --duration\?"
like "one that lacks its value" "$(agentsight record --sever 2>&1)" "unknown option --sever; did you mean --server\?"
like "of a tool" "$(agentsight discover --al 2>&1; sqlitesink --rotat=1 --kep 3 2>&1)" "did you mean --keep\?"
for args in '-d 10min' '-d .' '--ssl-filter (a=1' '--http-filter a&&' '--no-such'; do
	rm -f "$T/ran"
	# shellcheck disable=SC2086
	agentsight record $args -- touch "$T/ran" 2>"$T/err" && rc=0 || rc=$?
	is "$args: refused, exit 2" "$rc" 2
	ok "$args: nothing was run" test ! -e "$T/ran"
done
like "help COMMAND: that command, and its options" "$(agentsight help stat)" 'stat -- PROGRAM'
unlike "help COMMAND: no other" "$(agentsight help stat)" '(exec|record) -- PROGRAM'
like "help of a command that has its own" "$(agentsight help report)" '^usage: agentsight report'
like "--help goes to standard output" "$(agentsight --help)" '^Usage: agentsight COMMAND '
is "--version" "$(agentsight --version)" "agentsight $(cat VERSION)"

# --- a collector that cannot start ------------------------------------------------
# fake_sslsniff: a shell script in place of the collector
fake_sslsniff() { rm -f "$tools/sslsniff"; { echo '#!/bin/sh'; cat; } >"$tools/sslsniff"; chmod +x "$tools/sslsniff"; }
fake_sslsniff <<'END'
echo "sslsniff: load BPF programs: Operation not permitted" >&2
exit 1
END
agentsight record -o "$T/r" -- touch "$T/ran" 2>"$T/err" && rc=0 || rc=$?
is "the collector cannot start: exit 125" "$rc" 125
like "the collector cannot start: its reason is said" "$(cat "$T/err")" 'sslsniff: load BPF programs: Operation not'
ok "the collector cannot start: the command is not run" test ! -e "$T/ran"
ok "the collector cannot start: no empty recording" test ! -e "$T/r"
nothing_left "the collector cannot start"

agentsight record -o "$T/no/such/folder" -- touch "$T/ran" 2>"$T/err" && rc=0 || rc=$?
is "no place for the recording: exit 125" "$rc" 125
like "no place for the recording: said" "$(cat "$T/err")" 'cannot create .*/no/such/folder'
ok "no place for the recording: the command is not run" test ! -e "$T/ran"

# --- a sink that cannot start -------------------------------------------------------
# refused NAME SAID OPTION...: nothing is run, and that is said in these words.
refused() {
	what=$1 words=$2
	shift 2
	rm -f "$T/ran"
	agentsight record --no-all --ssl "$@" -- touch "$T/ran" 2>"$T/err" && rc=0 || rc=$?
	is "$what: exit 125, nothing is run" "$rc $(find "$T/ran" 2>/dev/null)" '125 '
	like "$what: said" "$(cat "$T/err")" "$words"
}
fake_sslsniff <<'END'
trap 'exit 0' TERM
case " $*" in *" --list"*) exit 0 ;; esac
echo >&8
while :; do sleep 0.05; done
END
"$PYTHON" -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(600)' >"$T/port" &
hold $!
until_true 10 test -s "$T/port"
mkdir "$T/sinks"
db=$T/sinks/new.db
refused "the port is taken" 'websink: listen on 127.0.0.1 port [0-9]+: Address already in use' --db "$db" --server --server-port "$(cat "$T/port")"
refused "an address that this machine does not have" 'websink: listen on 192.0.2.1 port ' --db "$db" --server --server-listen 192.0.2.1
sqlite3 "$T/sinks/theirs.db" 'CREATE TABLE theirs(a)'
chmod 644 "$T/sinks/theirs.db"
refused "another program's database" 'theirs.db: a database of another program' --db "$T/sinks/theirs.db"
is "it is left as it was" "$(stat -c %a "$T/sinks/theirs.db")" 644
sqlite3 "$T/sinks/later.db" 'PRAGMA application_id=1634169716; PRAGMA user_version=1000; CREATE TABLE later(a)'
refused "a later version's database" 'later.db: written by a newer version of agentsight' --db "$T/sinks/later.db"
head -c 9000 /dev/urandom >"$T/sinks/none.db"
refused "no database" 'none.db: file is not a database' --db "$T/sinks/none.db"
mkdir "$T/sinks/folder"
refused "a folder" 'sqlitesink: open .*folder: Is a directory' --db "$T/sinks/folder"
refused "a folder for lines" 'jsonfilter: open .*folder: Is a directory' -o "$T/sinks/folder"
for wrong in ENDPOINT=ftp://localhost ENDPOINT=localhost PROTOCOL=grpc CERTIFICATE=/nonexistent; do
	export "OTEL_EXPORTER_OTLP_$wrong"
	refused "OTEL_EXPORTER_OTLP_$wrong" 'otelsink: .*(not an http or https URL|gRPC is not spoken|No such file)' --db "$db" --otel
	unset "OTEL_EXPORTER_OTLP_${wrong%%=*}"
done
echo before >"$T/sinks/old"
refused "one of two outputs" 'none.db: file is not a database' --db "$T/sinks/none.db" -o "$T/sinks/old"
is "the other one is left as it was" "$(cat "$T/sinks/old")" before
is "nothing new is left" "$(find "$T/sinks" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" 'folder later.db none.db old theirs.db '
nothing_left "sinks that cannot start"

# --- held until the collector is ready ----------------------------------------------
fake_sslsniff <<END
trap 'exit 0' TERM
case "\$*" in *--list*) exit 0 ;; esac
sleep 0.7
[ -e "$T/ran" ] && echo yes >"$T/early"
echo >&8
while :; do sleep 0.05; done
END
agentsight record -q -o "$T/r" --no-process --no-stdio --no-system -- touch "$T/ran" 2>/dev/null && rc=0 || rc=$?
is "a slow collector: the command's status" "$rc" 0
ok "a slow collector: the command did not run before it was ready" test ! -e "$T/early"
ok "a slow collector: but it ran" test -e "$T/ran"
rm -f "$T/ran"

# Killed while the collector attaches: the command must never run.
agentsight record -q -o "$T/r" --no-process --no-stdio --no-system -- touch "$T/ran" 2>/dev/null &
pid=$!
until_true 10 stage_runs httpparse
kill -KILL $pid
wait $pid 2>/dev/null
ok "the driver is killed while attaching: all stages end" until_true 10 no_ours
ok "the driver is killed while attaching: the command is not run" test ! -e "$T/ran"
rm -rf "${TMPDIR:?}"/*
rm -f "$tools/sslsniff"
ln -s "$real/sslsniff" "$tools/sslsniff"

# --- the rest is real -------------------------------------------------------------------
need_bpf
start_server
record() { agentsight record -q -o "$T/r" --no-process --no-stdio --no-system -- "$@"; }

exits 0 "exit 0" record true 2>/dev/null
exits 7 "exit 7" record sh -c 'exit 7' 2>/dev/null
exits 143 "ended by SIGTERM: 143" record sh -c 'kill -TERM $$' 2>/dev/null
exits 137 "ended by SIGKILL: 137" record sh -c 'kill -KILL $$' 2>/dev/null
exits 127 "not found: 127" record no-such-command 2>"$T/err"
like "not found: said" "$(cat "$T/err")" 'no-such-command: not found'
exits 126 "not executable: 126" record /etc/passwd 2>"$T/err"
like "not executable: said" "$(cat "$T/err")" '/etc/passwd: Permission denied'
nothing_left "after ordinary ends"

# --- limits that it runs under ---------------------------------------------------------------
( ulimit -S -n 24; record sh -c 'ulimit -S -n; ulimit -H -n' ) >"$T/out" 2>"$T/err" && rc=0 || rc=$?
is "few files may be open: raised for the recording, not for the program" "$rc $(tr '\n' ' ' <"$T/out")" "0 24 $(ulimit -H -n) "
rm -f "$T/ran"
( ulimit -f 8; exec agentsight record -q -o "$T/r" -- touch "$T/ran" ) 2>"$T/err" && rc=0 || rc=$?
is "files may not be large: exit 125" "$rc" 125
like "files may not be large: said" "$(cat "$T/err")" 'a file may have only 4 KiB \(ulimit -f\)'
exits 0 "standard input is closed" record cat <&- 2>/dev/null
exits 0 "all standard descriptors are closed" record true <&- >&- 2>&-
# few processes: version 1 or 2 of cgroups
for cg in /sys/fs/cgroup/pids /sys/fs/cgroup; do
	mkdir "$cg/agentsight-test.$$" 2>/dev/null && [ -e "$cg/agentsight-test.$$/pids.max" ] && break
	rmdir "$cg/agentsight-test.$$" 2>/dev/null
done
cg=$cg/agentsight-test.$$
if [ -e "$cg/pids.max" ]; then
	for most in 8 12 16; do
		echo $most >"$cg/pids.max"
		( sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$cg" \
			agentsight record -q -o "$T/few" -- touch "$T/ran" ) 2>"$T/err" && rc=0 || rc=$?
		is "no more than $most processes: exit 125" "$rc" 125
		like "no more than $most processes: said" "$(cat "$T/err")" 'no more processes: pids.max'
		is "no more than $most processes: nothing is left" \
			"$(find "$T/few" 2>/dev/null)$(until_true 10 no_ours || ours)$(find "$TMPDIR" -mindepth 1)" ''
	done
	until_true 10 rmdir "$cg"
else
	skip "few processes" "no cgroup of one's own can be made"
fi
ok "too tight: the command is not run" test ! -e "$T/ran"

# --- what outlives the command --------------------------------------------------------------
agentsight record -o "$T/r" -- sh -c "sleep 60 & sh -c 'sleep 61 & exit' & wait \$!; echo \$(jobs -p) >$T/pids" 2>"$T/err"
like "what still runs is named" "$(cat "$T/err")" 'still running, and not recorded any more: sleep \([0-9]+\), sleep \([0-9]+\) \(--wait'
# shellcheck disable=SC2046
kill $(grep -o 'sleep ([0-9]*)' "$T/err" | grep -o '[0-9]*')
rm -f "$T/end"
agentsight record --wait -o "$T/r" -- sh -c "( while [ ! -e $T/end ]; do sleep 0.05; done; touch $T/late ) & exit 3" 2>"$T/err" &
pid=$!
ok "--wait: waits for what the command left" wait_for_line "$T/err" 'waiting for what it left running'
touch "$T/end"
wait $pid && rc=0 || rc=$?
is "--wait: the command's status" "$rc" 3
like "--wait: what came later is recorded" "$(cat "$T/r")" '"type":"process.exec".*"filename":"[^"]*/touch"'
unlike "--wait: nothing still runs" "$(cat "$T/err")" 'still running'

# --- the command does not notice ----------------------------------------------------------
printf 'one\ntwo' >"$T/in"
record cat <"$T/in" >"$T/out" 2>/dev/null
same "standard input and output are the command's" "$T/in" "$T/out"
record printf '[%s]' 'a b' '' "it's" '"$x"' '*' 'new
line' >"$T/out" 2>/dev/null
printf '[%s]' 'a b' '' "it's" '"$x"' '*' 'new
line' >"$T/want"
same "arguments arrive as they are" "$T/want" "$T/out"
umask 022
is "the umask is the command's own" "$(record sh -c umask 2>/dev/null)" "$(sh -c umask)"
is "it has a session and a group of its own" \
	"$(record sh -c 'ps -o pid=,pgid=,sid= $$' 2>/dev/null | awk '{ print ($1 == $2) && ($2 == $3) }')" 1
# one that is ignored here already, as in a job behind an "&", may be so or not
ignored() { awk '/^SigIgn/ { print "0x" $2 }' /proc/self/status; }
with=$(record awk '/^SigIgn/ { print "0x" $2 }' /proc/self/status 2>/dev/null)
ok "it ignores no signal that it would not ignore without us" test "$((${with:-1} & ~$(ignored)))" = 0
is "no descriptor of ours is open in it" \
	"$(record sh -c 'ls /proc/$$/fd' 2>/dev/null | tr '\n' ' ')" "$(sh -c 'ls /proc/$$/fd' | tr '\n' ' ')"

# --- the recording ----------------------------------------------------------------------------
export CA URL
echo old >"$T/r644"
chmod 644 "$T/r644"
agentsight record -q -o "$T/r644" -- curl -sS --cacert "$CA" -o /dev/null "$URL/echo" 2>/dev/null
is "a recording has mode 0600, also when there was another" "$(stat -c %a "$T/r644")" 600
check_lines "$T/r644"
like "what the command said is in it" "$(cat "$T/r644")" '"type":"http.request".*"path":"/echo"'

( cd "$T/cwd" && agentsight exec -- curl -sS --cacert "$CA" -o /dev/null "$URL/first" 2>"$T/err1" & \
	cd "$T/cwd" && agentsight exec -- curl -sS --cacert "$CA" -o /dev/null "$URL/second" 2>"$T/err2"; wait )
is "two at once, in one folder: two recordings" "$(find "$T/cwd" -name 'agentsight-*.ndjson' | wc -l)" 2
is "two at once: each holds its own command's alone" \
	"$(for f in "$T/cwd"/agentsight-*; do
		jq -r 'select(.type == "http.request") | .path' "$f" | tr '\n' ' '; echo; done | sort | tr -s '\n ' ' ')" \
	"/first /second "
is "default name: mode 0600" "$(stat -c %a "$T/cwd"/agentsight-* | sort -u)" 600
like "the summary names the recording and counts" "$(cat "$T/err1")" \
	'recorded [0-9.]+ s in agentsight-[0-9]{8}-[0-9]{6}(-[0-9]+)?\.ndjson: .* 1 programs'

agentsight record -q --raw --keep-credentials -o "$T/raw" -- \
	curl -sS --cacert "$CA" -H 'x-api-key: sk-ant-api03-secret' -o /dev/null "$URL/echo" 2>/dev/null
like "--raw --keep-credentials: bytes and keys are kept" "$(cat "$T/raw")" '"type":"ssl.data".*sk-ant-api03-secret'
agentsight record -q --raw -o "$T/raw" -- \
	curl -sS --cacert "$CA" -H 'x-api-key: sk-ant-api03-secret' -o /dev/null "$URL/echo" 2>/dev/null
is "without it no line has the key" "$(grep -c 'sk-ant-api03-secret' "$T/raw")" 0
like "but the lines are there" "$(cat "$T/raw")" '"type":"ssl.data"'

# --- what happens to its files meanwhile -----------------------------------------------------
mkdir "$T/goes" "$T/stays"
agentsight record --no-all --process -o "$T/stays/r" -- rm "$T/stays/r" 2>"$T/err"
like "its name is deleted: it is there again" "$(cat "$T/stays/r")" '"type":"run.end"'
agentsight record --no-all --process -o "$T/goes/r" -- rm -r "$T/goes" 2>"$T/err" && rc=0 || rc=$?
is "its folder is deleted: exit 125" "$rc" 125
like "its folder is deleted: said" "$(cat "$T/err")" 'cannot write .*/goes/r: .*; all of it stays in /'
kept=$(sed -n 's/.* look at it: agentsight report --db //p' "$T/err")
like "its folder is deleted: the recording is where the last line says" "$(cat "$kept")" '"type":"run.end"'
like "its folder is deleted: it is whole all the same" "$(cat "$T/err")" 'WHOLE: nothing was lost'
rm -r "${kept%/*/*}"
agentsight record -q --db "$T/old.db" -- true 2>/dev/null
agentsight record --db "$T/old.db" -- sh -c "rm '$T/old.db'; until [ -e '$T/told' ]; do sleep 0.05; done" 2>"$T/err" &
pid=$!
ok "a database of before is deleted: said at once, and why" wait_for_line "$T/err" 'sqlitesink ended too early .*the file was deleted while it was written'
touch "$T/told"
wait $pid && rc=0 || rc=$?
is "a database of before is deleted: exit 125" "$rc" 125
like "a database of before is deleted: INCOMPLETE" "$(cat "$T/err")" 'INCOMPLETE: sqlitesink ended with status 1 before it was asked to'

# --- the user behind sudo -------------------------------------------------------------------
if [ "$(id -u)" -eq 0 ] && id nobody >/dev/null 2>&1; then
	nobody=$(id -u nobody)
	mkdir "$T/theirs"
	chown nobody "$T/theirs"
	chmod 755 "$T"
	as_nobody() { SUDO_UID=$nobody SUDO_GID=$(id -g nobody) SUDO_USER=nobody agentsight record -q -o "$T/theirs/r" -- "$@"; }
	is "under sudo the command runs as the user" "$(as_nobody id -un 2>/dev/null)" nobody
	is "under sudo HOME and USER are the user's, and sudo's are gone" \
		"$(as_nobody sh -c 'echo "$HOME $USER $LOGNAME ${SUDO_UID-none}"' 2>/dev/null)" \
		"$(getent passwd nobody | cut -d: -f6) nobody nobody none"
	is "under sudo the recording is the user's" "$(stat -c '%U %a' "$T/theirs/r")" 'nobody 600'
	SUDO_UID=$nobody agentsight record -q -o "$T/cwd/theirs" -- true 2>/dev/null && rc=0 || rc=$?
	is "under sudo nothing is written where the user may not" "$rc" 125
	chmod 711 "$T"
else
	skip "under sudo" "not root"
fi

# --- signals ----------------------------------------------------------------------------------
# signalled NAME SIGNAL STATUS COMMAND...: to the process group, as a terminal does.
signalled() {
	name=$1 signal=$2 status=$3
	shift 3
	rm -f "$T/runs"
	env --default-signal=INT,QUIT setsid agentsight record -q -o "$T/r" --no-process --no-stdio --no-system -- "$@" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	until_true 20 test -e "$T/runs" || diag "it did not start: $(cat "$T/err")"
	kill -s "$signal" -- "-$pid"
	wait $pid && rc=0 || rc=$?
	is "$name: exit status" "$rc" "$status"
	nothing_left "$name"
}
signalled "Ctrl-C" INT 130 sh -c "touch $T/runs; exec sleep 60"
signalled "SIGTERM" TERM 143 sh -c "touch $T/runs; exec sleep 60"
signalled "SIGHUP" HUP 129 sh -c "touch $T/runs; exec sleep 60"
signalled "Ctrl-\\" QUIT 131 sh -c "ulimit -c 0; touch $T/runs; exec sleep 60"
signalled "a new window size" WINCH 6 \
	sh -c "trap 'exit 6' WINCH; touch $T/runs; while :; do sleep 0.1; done"
signalled "Ctrl-C that the command handles" INT 5 \
	sh -c "trap 'exit 5' INT; touch $T/runs; while :; do sleep 0.1; done"
signalled "Ctrl-C that the command outlives" INT 0 \
	sh -c "trap 'n=1' INT; touch $T/runs; while [ -z \"\$n\" ]; do sleep 0.1; done; \
		curl -sS --cacert $CA -o /dev/null $URL/after-ctrl-c"
like "Ctrl-C that the command outlives: it is still recorded" "$(cat "$T/r")" '"path":"/after-ctrl-c"'
signalled "SIGTERM that the command ignores" TERM 137 \
	sh -c "trap '' TERM; touch $T/runs; while :; do sleep 0.1; done"

rm -f "$T/end"
{ agentsight record -o "$T/r" -- sh -c "while [ ! -e $T/end ]; do sleep 0.05; done; exit 3" 2>&1; echo $? >"$T/rc"; } | true &
touch "$T/end"
until_true 20 test -s "$T/rc"
is "nobody reads the messages: the command's status" "$(cat "$T/rc")" 3
nothing_left "nobody reads the messages"

# --- not root ---------------------------------------------------------------------------------
if [ "$(id -u)" -eq 0 ] && setpriv --reuid=nobody --clear-groups test -x "$real/sslsniff"; then
	chmod 755 "$T" "$T/tools"
	mkdir "$T/anyone"
	chmod 1777 "$T/anyone"
	rm -f "$T/ran"
	TMPDIR=$T/anyone setpriv --reuid=nobody --clear-groups "$real/agentsight" record -o "$T/anyone/r" -- \
		touch "$T/anyone/ran" 2>"$T/err" && rc=0 || rc=$?
	is "not root: exit 125" "$rc" 125
	like "not root: says what is needed" "$(cat "$T/err")" '(sslsniff|tcpsniff|process|stdiocap): .*(root|CAP_)'
	( ulimit -n 12; TMPDIR=$T/anyone setpriv --reuid=nobody --clear-groups "$real/agentsight" record -o "$T/anyone/r" -- true ) 2>"$T/err"
	like "not root, few files may be open: said" "$(cat "$T/err")" 'only 12 files may be open at a time'
	is "not root: nothing is left, and the command is not run" "$(ls "$T/anyone")" ''
	chmod 711 "$T"
else
	skip "not root" "not root, or nobody may not run $real/sslsniff"
fi

# --- a stage dies -----------------------------------------------------------------------------
for stage in sslsniff httpparse ssemerge authstrip; do
	rm -f "$T/runs" "$T/end"
	agentsight record -q -o "$T/r" -- sh -c "touch $T/runs; while [ ! -e $T/end ]; do sleep 0.05; done; exit 4" \
		2>"$T/err" 3>&- &
	pid=$!
	until_true 20 test -e "$T/runs"
	kill -KILL "$(pid_of $stage)"
	touch "$T/end"
	wait $pid && rc=0 || rc=$?
	is "$stage is killed: exit 125" "$rc" 125
	like "$stage is killed: named, with the command's own status" "$(cat "$T/err")" \
		"INCOMPLETE: .*$stage was killed by SIGKILL.*own was 4"
	nothing_left "$stage is killed"
done
agentsight record -q -o /dev/full -- curl -sS --cacert "$CA" -o /dev/null "$URL/echo" 2>"$T/err" && rc=0 || rc=$?
is "the disk is full: exit 125" "$rc" 125
like "the disk is full: said" "$(cat "$T/err")" 'write /dev/full: No space left on device'

# --- no TLS ---------------------------------------------------------------------------
python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True)
for i in range(9): c = s.accept()[0]; c.recv(9); c.sendall(b"220 hello\r\n")' >"$T/odd" &
odd=$!
until_true 10 test -s "$T/odd"
agentsight record -q -o "$T/r" -- bash -c "exec 3<>/dev/tcp/127.0.0.1/$(cat "$T/odd"); echo hello >&3; read -r x <&3; exec 3>&-
	for i in 1 2 3 4 5 6 7; do sleep 600 & echo \$! >>$T/pids.none; done
	until [ \$(grep -ch '[0-9].sleep.' $TMPDIR/agentsight.*/list) -ge 7 ]; do sleep 0.1; done" 2>"$T/err"
while read -r pid; do kill "$pid"; done <"$T/pids.none"
kill $odd
like "no TLS: one line for all processes of a program" "$(grep -c '	sleep	' "$T/err") $(grep '	sleep	' "$T/err")" '^1   7 processes, first [0-9]+	sleep	'
like "no TLS: said loudly, also with -q" "$(cat "$T/err")" 'NO TLS DATA WAS SEEN'
like "no TLS: with the reason from --list" "$(cat "$T/err")" '(bash|sleep).*no TLS library'
agentsight record -q -o "$T/r" -- sh -c 'true; exec sleep 0' 2>"$T/err"
like "nothing sent: said" "$(cat "$T/err")" 'NOTHING WAS SENT'
agentsight record -q --no-process -o "$T/r" -- true 2>"$T/err"
like "no TLS, too short to look at, and whether it sent anything not collected: said" "$(cat "$T/err")" 'NO TLS DATA WAS SEEN'
nothing_left "no TLS"
done_testing

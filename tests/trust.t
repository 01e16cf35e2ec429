#!/bin/sh
# What an agent, or the files that it brings, can do to the recorder: nothing, or it is said.
. tests/lib.sh

E=$BUILD/tests/sandbox/escape
[ -x "$E" ] || skip_all "tests/sandbox/escape is not built"

# --- the sandbox of filters and sinks ----------------------------------------------
mkdir "$T/own" "$T/other"
echo mine >"$T/own/file"
echo secret >"$T/other/file"
export DIR="$T/own"
escape() { "$E" "$@" 2>/dev/null || echo "ended by signal $(($? - 128))"; }

for p in filter files connect serve; do
	is "$p: lives" "$(escape $p nothing)" 'done'
	is "$p: runs no program" "$(escape $p exec /bin/true)" 'ended by signal 31'
	is "$p: makes no process" "$(escape $p fork)" EPERM
	is "$p: enters no namespace" "$(escape $p namespace)" 'ended by signal 31'
	is "$p: signals nobody" "$(escape $p kill 1)" EPERM
	is "$p: traces nobody" "$(escape $p trace 1)" EPERM
	like "$p: reads no other file" "$(escape $p read "$T/other/file")" '^E(PERM|ACCES)$'
	like "$p: makes none" "$(escape $p create "$T/other/new")" '^E(PERM|ACCES)$'
	like "$p: removes none" "$(escape $p remove "$T/other/file")" '^E(PERM|ACCES)$'
	like "$p: takes no port" "$(escape $p bind 45678)" '^E(PERM|ACCES)$'
done
for p in filter files serve; do
	like "$p: connects to nobody" "$(escape $p connect 9)" '^E(PERM|ACCES)$'
	is "$p: makes no page code" "$(escape $p code)" EPERM
done
is 'connect: connects' "$(escape connect connect 9)" ECONNREFUSED
is 'serve: takes its own port' "$(PORT=45679 escape serve bind 45679)" 'done'
is 'filter: opens nothing at all' "$(escape filter read "$T/own/file")" EPERM
for p in files connect serve; do
	is "$p: reads its own" "$(escape $p read "$T/own/file")" 'done'
	is "$p: makes its own" "$(escape $p create "$T/own/new.$p")" 'done'
	is "$p: removes its own" "$(escape $p remove "$T/own/new.$p")" 'done'
done

# Every stage is in one while it reads, and nobody of its user can look into it.
status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
mkfifo "$T/in" "$T/ready"
for stage in jsonfilter httpparse ssemerge llmparse authstrip sqlitesink otelsink websink; do
	set --
	case $stage in sqlitesink) set -- "$T/own/$stage.db" ;; otelsink) set -- --file "$T/own/spans" ;;
	websink) set -- --port 0 --exit - ;; esac
	"$stage" --ready-fd 8 "$@" <"$T/in" >/dev/null 2>"$T/err" 8>"$T/ready" &
	pid=$!
	hold $pid
	exec 7>"$T/in"
	read -r _ <"$T/ready"
	is "$stage: under seccomp, no new privileges" "$(status $pid Seccomp) $(status $pid NoNewPrivs)" '2 1'
	exec 7>&-
	wait $pid
	is "$stage: ends well" "$?" 0
done

# --- files that are more than they seem -----------------------------------------------
sparse() {
	$PYTHON - "$1" "$2" <<-'END'
	import struct, sys
	size = int(sys.argv[2]) << 30
	head = b'\x7fELF\2\1\1' + bytes(9) + struct.pack('<HHIQQQIHHHHHH', 3, 62, 1, 0x1000, 64, 0, 0, 64, 56, 1, 0, 0, 0)
	load = struct.pack('<IIQQQQQQ', 1, 5, 0, 0, 0, size, size, 0x1000)
	with open(sys.argv[1], 'wb') as f:
	    f.write(head + load)
	    f.truncate(size)
	END
}
for g in 1 200; do
	sparse "$T/sparse$g" $g
	sslsniff --inspect "$T/sparse$g" >"$T/out" 2>"$T/err"
	is "a file of $g GB that is empty: no TLS" "$? $(grep -c 'no TLS library that is known' "$T/out")" '1 1'
done
# 512 MB that are there, of one segment
$PYTHON - "$T/sparse1" "$T/large" <<-'END'
	import sys
	head = open(sys.argv[1], 'rb').read(4096)
	with open(sys.argv[2], 'wb') as f:
	    f.write(head)
	    for _ in range(400):
	        f.write(bytes(range(256)) * 4096)
END
sslsniff --inspect "$T/large" >"$T/out" 2>&1
like 'a file of too much data is refused with that reason' "$(cat "$T/out")" 'more than 384 MiB of data'
rm -f "$T/large"

# a name that would clear the screen and begin a line of its own
name="$T/$(printf 'x\033[2J\nsslsniff: all is well\302\233\342\200\256')"
cp /bin/true "$name"
sslsniff --inspect "$name" >"$T/out" 2>&1
is 'what is not text in a name is shown by number' "$(grep -c 'x\\x1b\[2J\\x0asslsniff: all is well\\u009b\\u202e: ' "$T/out")" 1
is 'and begins no line' "$(grep -c '^sslsniff' "$T/out")" 0
sslsniff --inspect "$name.not" >"$T/out" 2>&1
is 'nor in a message' "$(grep -c 'x\\x1b\[2J\\x0asslsniff: all is well\\u009b\\u202e' "$T/out")" 1
jsonfilter x=1 - "$name.not" >"$T/out" 2>&1 </dev/null
is 'of a filter neither' "$(grep -c 'x\\x1b\[2J\\x0asslsniff: all is well\\u009b\\u202e' "$T/out")" 1

# --- collectors --------------------------------------------------------------------------
[ "$(id -u)" -eq 0 ] || { echo '# the rest needs root'; done_testing; }

started() {
	rm -f "$T/ready"; mkfifo "$T/ready"
	"$@" --ready-fd 8 >"$T/lines" 2>"$T/err" 8>"$T/ready" &
	pid=$!
	hold $pid
	read -r _ <"$T/ready"
}
mkfifo "$T/go.named"
for tool in process stdiocap tcpsniff sslsniff; do
	started "$tool" -p $$
	unlike "$tool: not root once it has begun" "$(status $pid Uid)" '(^|[^0-9])0([^0-9]|$)'
	is "$tool: under seccomp, no new privileges" "$(status $pid Seccomp) $(status $pid NoNewPrivs)" '2 1'
	# CAP_DAC_READ_SEARCH, SYS_PTRACE, PERFMON, BPF, CHECKPOINT_RESTORE; before Linux 6.6 SYS_ADMIN
	is "$tool: no way to other capabilities" "$((0x$(status $pid CapBnd) & ~0x1c000280004)) $(status $pid CapInh)" '0 0000000000000000'
	kill "$pid"; wait "$pid"
done

# Under the driver only those who are named are ours: not who runs a program of ours.
exec 6>"$T/pids" 5<"$T/pids"
started process -p $$ --self-fd 5
( read -r _; exec /bin/true named ) <"$T/go.named" & named=$!
echo $named >&6
jsonfilter x=1 </dev/null >/dev/null 2>&1
echo go >"$T/go.named"; wait $named
/bin/true behind
kill "$pid"; wait "$pid"
exec 5<&- 6>&-
is 'a filter that is not named is seen' "$(grep '"process.exec"' "$T/lines" | grep -c '/jsonfilter"')" 1
is 'who is named is not' "$(grep -c '"named"' "$T/lines")" 0
is 'others are' "$(grep -c '"behind"' "$T/lines")" 1

# a new program is seen although the collector is nobody
started process -p $$
/bin/true seen-later
kill "$pid"; wait "$pid"
is 'process: sees what starts later' "$(grep -c '"seen-later"' "$T/lines")" 1
done_testing

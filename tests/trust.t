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
# what sysmon has, not being root: it looks at others without Landlock, no more
is 'peers: holds nobody' "$(escape peers seize $$) $(escape peers trace $$)" 'EPERM EPERM'
is 'peers: signals nobody, runs nothing' "$(escape peers kill 1) $(escape peers exec /bin/true)" 'EPERM ended by signal 31'
is 'connect: connects' "$(escape connect connect 9)" ECONNREFUSED
is 'serve: takes its own port' "$(PORT=45679 escape serve bind 45679)" 'done'
is 'filter: opens nothing at all' "$(escape filter read "$T/own/file")" EPERM
for p in files connect serve; do
	is "$p: reads its own" "$(escape $p read "$T/own/file")" 'done'
	is "$p: makes its own" "$(escape $p create "$T/own/new.$p")" 'done'
	is "$p: removes its own" "$(escape $p remove "$T/own/new.$p")" 'done'
done

# A kernel that has no Landlock, or has it switched off: ENOSYS, EOPNOTSUPP.
for e in 38 95; do
	older() { "$BUILD/tests/sandbox/older" "$e" "$@"; }
	oldly() { older "$E" "$@" 2>/dev/null || echo "ended by signal $(($? - 128))"; }
	is "error $e of Landlock: files are not limited" "$(oldly files nothing) $(oldly files read "$T/other/file")" 'done done'
	is "error $e: all else is" "$(oldly files exec /bin/true), $(oldly files kill 1) $(oldly files connect 9) $(oldly filter read "$T/other/file")" \
		'ended by signal 31, EPERM EPERM EPERM'
	echo '{"type":"a"}' >"$T/line"
	for stage in jsonfilter sqlitesink; do
		set -- -; [ $stage = jsonfilter ] || set -- "$T/own/$stage.$e.db"
		older $stage "$@" <"$T/line" >"$T/out" 2>"$T/err"
		is "error $e: $stage works, and does not speak of it" "$? $(grep -c Landlock "$T/err")" '0 0'
		older $stage --verbose "$@" <"$T/line" 2>&1 >/dev/null | grep -o 'this kernel has no Landlock.*' >"$T/out"
		is "error $e: $stage --verbose does" "$(cat "$T/out")" 'this kernel has no Landlock: which files may be opened is not limited'
	done
done

# Every stage is in one while it reads, and nobody of its user can look into it.
status() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
mkfifo "$T/in" "$T/ready"
for stage in jsonfilter httpparse ssemerge llmparse authstrip sqlitesink otelsink websink agentsight-runlog; do
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
[ "$(id -u)" -eq 0 ] || { echo '# the rest needs root'; done_testing; exit; }

# What the run log says of a stage: in the title of a terminal that a program draws on.
sleep 100 & stage=$!
hold $stage
mkfifo "$T/named"; echo 'why it was so' >"$T/named.err"
agentsight-runlog --terminal --run x --hold "$T/named" <"$T/in" >/dev/null 2>"$T/err" & pid=$!
hold $pid
exec 7>"$T/in"
printf 'watch named %s filter\nrunning\n' $stage >&7
holds_named() { find "/proc/$pid/fd" -lname '*/named' | grep -q .; }
until_true 20 holds_named
kill $stage; wait $stage
until_true 20 grep -q 'ended too early' "$T/err"
exec 7>&-
wait $pid
is 'a stage that ended is said, why, and in the title' "$(od -An -c "$T/err" | tr -d ' \n')" \
	'033]0;agentsight:namedendedtooearly(whyitwasso):nothingisrecordedfromnowon\a'

started() {
	rm -f "$T/ready"; mkfifo "$T/ready"
	"$@" --ready-fd 8 >"$T/lines" 2>"$T/err" 8>"$T/ready" &
	pid=$!
	hold $pid
	read -r _ <"$T/ready"
}
mkfifo "$T/go.named" "$T/stay.named"
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
is_cat() { read -r comm <"/proc/$named/comm" && [ "$comm" = cat ]; }
# it lives until it was seen: who has ended already is nobody's
( read -r _; exec cat "$T/stay.named" ) <"$T/go.named" & named=$!
echo $named >&6
jsonfilter x=1 </dev/null >/dev/null 2>&1
echo go >"$T/go.named"
until_true 20 is_cat
/bin/true behind
wait_for_line "$T/lines" '"behind"'
echo >"$T/stay.named"; wait $named
kill "$pid"; wait "$pid"
exec 5<&- 6>&-
is 'a filter that is not named is seen' "$(grep '"process.exec"' "$T/lines" | grep -c '/jsonfilter"')" 1
is 'who is named is not' "$(grep '"process.exec"' "$T/lines" | grep -c stay.named)" 0
is 'others are' "$(grep -c '"behind"' "$T/lines")" 1

# a new program is seen although the collector is nobody
started process -p $$
/bin/true seen-later
kill "$pid"; wait "$pid"
is 'process: sees what starts later' "$(grep -c '"seen-later"' "$T/lines")" 1

# --- programs that have no name any more, or another one where they run ----------------------
cat >"$T/tls.c" <<'END'
#include <openssl/ssl.h>
#include <unistd.h>
int main(int n, char **v)
{
	SSL *s = SSL_new(SSL_CTX_new(TLS_client_method()));
	if (n > 9 && SSL_do_handshake(s))
		return SSL_read(s, v, 1) + SSL_write(s, v, 1) + SSL_ctrl(s, 0, 0, 0);
	puts("up");
	fflush(stdout);
	return pause();
}
END
hooked() {
	until_true 20 grep -q up "$T/up" || diag "does not run: $(cat "$T/up")"
	sslsniff --list -p "$1" | grep -c 'hooked: ssl_read'
	kill "$1"; wait "$1"
}
# its addresses are short ones
# shellcheck disable=SC2086
if ${CC:-cc} -o "$T/tls" "$T/tls.c" -no-pie -Wl,-Bstatic -lssl -lcrypto -Wl,-Bdynamic -ldl -lpthread 2>"$T/err" ||
	${CC:-cc} -o "$T/tls" "$T/tls.c" -no-pie -Wl,-Bstatic -lssl -lcrypto -Wl,-Bdynamic -ldl -lpthread -lz -lzstd 2>"$T/err"; then
	"$PYTHON" -c 'import os, sys; f = os.memfd_create("x"); os.write(f, open(sys.argv[1], "rb").read()); os.execve(f, ["x"], os.environ)' \
		"$T/tls" >"$T/up" & hold $!
	is 'TLS in a program that is only in memory is found' "$(hooked $!)" 1
	cp "$T/tls" "$T/tls.gone"
	sh -c 'exec 5<"$1"; rm "$1"; exec /proc/self/fd/5' sh "$T/tls.gone" >"$T/up" & hold $!
	is 'in one that was deleted before it ran' "$(hooked $!)" 1
	mkdir -p "$T/root/bin"
	cp "$T/tls" "$T/root/bin/tls"
	for lib in $(ldd "$T/tls" | grep -o '/[^ ]*'); do mkdir -p "$T/root${lib%/*}"; cp -L "$lib" "$T/root$lib"; done
	chroot "$T/root" /bin/tls >"$T/up" & hold $!
	is 'in a copy in another root' "$(hooked $!)" 1
else
	skip 'TLS in programs without a name' "no static libssl: $(tail -n 1 "$T/err")"
fi

# A file that was without TLS, and was changed in place, of the same size and time: what
# was kept of it does not hold.
cat >"$T/mapper" <<'END'
import mmap, os, sys
real = open(sys.argv[2], "rb").read()
size = 5 << 20
with open(sys.argv[1], "r+b" if os.path.exists(sys.argv[1]) else "wb") as f:
    f.write((real if sys.argv[3] == "tls" else real[:4096]).ljust(size, bytes(1)))
os.utime(sys.argv[1], (1700000000, 1700000000))
fd = os.open(sys.argv[1], os.O_RDONLY)
m = mmap.mmap(fd, 0, prot=mmap.PROT_READ | mmap.PROT_EXEC)
print("up", flush=True)
sys.stdin.read()
END
libssl=$(ldd "$(command -v curl)" | grep -o '/[^ ]*/libssl[^ ]*')
XDG_CACHE_HOME=$T/cache
export XDG_CACHE_HOME
mkdir -m 700 "$T/cache"
mapped() {
	rm -f "$T/up"
	"$PYTHON" "$T/mapper" "$T/libssl.so.3" "$libssl" "$1" <"$T/hang" >"$T/up" & pid=$!
	hold $pid
	exec 7>"$T/hang"
	until_true 20 grep -q up "$T/up"
	sslsniff --list -p $pid | grep -c 'libssl.so.3.*hooked: .*SSL_new'
	exec 7>&-
	wait $pid
}
# What was changed a moment ago is not kept yet.
kept() {
	sslsniff --inspect "$T/libssl.so.3" >"$T/up" 2>&1
	[ "$(find "$T/cache" -type f | wc -l)" -gt 0 ]
}
mkfifo "$T/hang"
if [ -n "$libssl" ]; then
	is 'a library without TLS' "$(mapped none)" 0
	until_true 20 kept
	like 'is kept' "$(find "$T/cache" -type f | wc -l)" '^[1-9]'
	is 'and looked at again when it was changed, whatever its time says' "$(mapped tls)" 1
	is 'and once more' "$(mapped none)" 0
else
	skip 'a library that changes' 'curl here has no libssl'
fi
unset XDG_CACHE_HOME

# --- what a recorded agent can do to its recorder --------------------------------------------
nobody=$(id -u nobody 2>/dev/null) || nobody=
[ -n "$nobody" ] && setpriv --reuid="$nobody" --clear-groups test -x "$(command -v agentsight)" 2>/dev/null || {
	skip 'the recorder against its agent' 'nobody may not run our programs'
	done_testing
	exit
}
user() { setpriv --reuid="$nobody" --regid="$(id -g nobody)" --clear-groups "$@"; }
recorder() { SUDO_UID=$nobody SUDO_GID=1 SUDO_USER=nobody HOME=$d agentsight "$@"; }
TMPDIR=$T RUNTIME_DIRECTORY=$T
export TMPDIR RUNTIME_DIRECTORY
chmod 711 "$T"
d=$T/user
mkdir "$d" "$T/root-only"
chown nobody "$d"
chmod 700 "$T/root-only"
echo of-root-alone >"$T/root-only/secret"
cat >"$d/agent" <<'END'
cd "$1"
echo "$(id -u) $(id -g) $(sed -n 's/^SigIgn:[^0-9a-f]*//p' /proc/self/status) ${SUDO_UID:-no sudo}" >who
# reports of the user's own, which whoever looks at the recording for him would run
mkdir -p .config/agentsight/reports
printf 'SELECT 1;\n.shell id >%s/pwned\nSELECT writefile("%s/pwned2", "x");\n' "$1" "$1" >.config/agentsight/reports/recorded.sql
# the places of the recording lead elsewhere
rm -f out.ndjson run.db
ln -s "$2/secret" out.ndjson
ln -s "$2/made" run.db
# whoever reads or writes for us is stopped, read, and given lines that are not true
sleep 1
for p in /proc/[0-9]*; do
	read -r comm <$p/comm || continue
	case $comm in
	sslsniff | process | stdiocap | sysmon | httpparse | llmparse | authstrip | sqlitesink | jsonfilter)
		echo "$comm" >>tried
		kill -STOP ${p#/proc/} && echo "stopped $comm" >>done
		for fd in 0 1 3; do
			echo '{"type":"process.exec","timestamp_ns":1,"pid":424242,"filename":"/forged"}' >>$p/fd/$fd && echo "wrote to $comm" >>done
		done
		head -c 1 <$p/mem && echo "read $comm" >>done
		cat $p/environ >/dev/null && echo "environ of $comm" >>done
		;;
	esac 2>/dev/null
done
END
# Programs with capabilities of their own (setcap) instead of root: the same once they run.
mkdir "$T/setcap" "$d/tmp"
chmod 755 "$T/setcap"; chown "$nobody" "$d/tmp"
for tool in process stdiocap sslsniff; do
	cp "$(command -v $tool)" "$T/setcap/$tool"
	chmod 755 "$T/setcap/$tool"
	"$PYTHON" - "$T/setcap/$tool" <<-'END'
	import os, struct, sys
	caps = 1 << 2 | 1 << 19 | 1 << 38 | 1 << 39		# linux/capability.h: those of the man pages
	if tuple(map(int, os.uname().release.split("-")[0].split(".")[:2])) < (6, 6):
	    caps |= 1 << 21
	os.setxattr(sys.argv[1], "security.capability", struct.pack("<IIIII", 0x02000001, caps & 0xffffffff, 0, caps >> 32, 0))
	END
	rm -f "$T/ready"; mkfifo "$T/ready"
	user sleep 100 & look=$!
	hold $look
	( HOME=$d TMPDIR=$d/tmp; export HOME TMPDIR; exec setpriv --reuid="$nobody" --regid=1 --clear-groups "$T/setcap/$tool" \
		-p $look --ready-fd 8 >"$T/lines" 2>"$T/err" 8>"$T/ready" ) &
	pid=$!
	hold $pid
	read -r _ <"$T/ready"
	is "$tool with capabilities of its file: as whom it is, under seccomp, no new privileges" \
		"$(status $pid Uid | cut -f1) $(status $pid Seccomp) $(status $pid NoNewPrivs)" "$nobody 2 1"
	is "$tool: no more capabilities than as root" "$((0x$(status $pid CapPrm) & ~0x1c000280004)) $(status $pid CapInh)" '0 0000000000000000'
	not_ok "$tool: its user can neither read its memory nor what it has open" user sh -c "head -c 1 /proc/$pid/mem || ls /proc/$pid/fd/"
	kill "$pid"; wait "$pid"
	is "$tool: ends well" $? 0
	kill "$look"
done

cd "$d" || exit 1
recorder record --db "$d/run.db" -o "$d/out.ndjson" -- sh "$d/agent" "$d" "$T/root-only" >"$T/out" 2>&1
is 'the agent has its own status' "$?" 0
# beyond those that are ignored around us
ignored=$(sed -n 's/^SigIgn:[^0-9a-f]*/0x/p' /proc/self/status)
read -r uid gid ignores sudo <"$d/who"
is 'it was who sudo said, and ignored no signal' "$uid $gid $((0x$ignores & ~ignored)) $sudo" "$nobody 1 0 no sudo"
like 'it tried all' "$(sort -u "$d/tried" | tr '\n' ' ')" 'authstrip httpparse jsonfilter llmparse process sqlitesink sslsniff stdiocap sysmon'
is 'it could do none of it' "$(cat "$d/done" 2>&1 | sort -u | tr '\n' ' ')" "cat: $d/done: No such file or directory "
is 'no report of its own was run' "$(ls "$d/pwned" "$d/pwned2" 2>/dev/null)" ''
is 'what only root may read is not shown' "$(grep -c of-root-alone "$T/out")" 0
is 'nor overwritten, nor is anything made there' "$(cat "$T/root-only"/*)" of-root-alone
is 'the recording is there, and a file' "$(stat -c '%F %a %u' "$d/out.ndjson")" "regular file 600 $nobody"
is 'without what was not so' "$(grep -c '"pid":424242' "$d/out.ndjson") $(sqlite3 "$d/run.db" "SELECT count(*) FROM processes WHERE pid = 424242")" '0 0'
is 'and whole' "$(grep -c 'WHOLE: nothing was lost' "$T/out")" 1

# without Landlock, on an older kernel
( export SUDO_UID="$nobody" SUDO_GID=1 SUDO_USER=nobody; older agentsight record -v --db "$d/old.db" -- true ) >"$T/out" 2>&1
is 'recorded without Landlock: whole, and said' "$? $(grep -c 'WHOLE: nothing' "$T/out") $(grep -c 'sqlitesink: this kernel has no Landlock' "$T/out")" '0 1 1'

# a name is one word, whatever is in it
nl='
'
for name in "z$nl-o$nl$T/root-only/by-name" "z,-o,$T/root-only/by-name" "-o$T/root-only/by-name"; do
	recorder record --db "$d/name.db" -d 1 -c "$name" >"$T/out" 2>&1
done
recorder exec -- "$(printf 'true\033[2J')$nl-o$nl$T/root-only/by-name" >"$T/out" 2>&1
is 'a program that is not there: its name is text' "$(grep -c '^agentsight: true.x1b.2J.x0a-o.x0a.*by-name: not found$' "$T/out")" 1
is 'no name becomes an option of a collector' "$(ls "$T/root-only")" secret

# what a filter that was taken over may leave beside the recording
mkdir "$T/run" "$T/folder" "$T/folder/lines"
echo line >"$T/folder/lines/r"
ln -s "$T/root-only/secret" "$T/folder/lines/r.1"
mkfifo "$T/folder/lines/r.2"
printf '%s\n' "$T/folder/lines/r" "$d/r" >"$T/run/handover"
echo finished | agentsight-handover "$T/run" "$T/folder" "$nobody" "$(id -g nobody)" >"$T/out" 2>&1
is 'the recording is handed over' "$(cat "$d/r")" line
is 'a link or a FIFO beside it is not' "$(find "$d" -name 'r.*')" ''
# and who waits for it where it goes
mkdir -p "$T/run" "$T/folder/lines"
printf '%s\n' "$T/folder/lines/r" "$d/r" >"$T/run/handover"
echo line >"$T/folder/lines/r"
rm -f "$d/r"
ln -s "$T/root-only/made" "$d/r"
echo finished | agentsight-handover "$T/run" "$T/folder" "$nobody" "$(id -g nobody)" >"$T/out" 2>&1
is 'a link in its place is replaced, not followed' "$(ls "$T/root-only") $(stat -c %F "$d/r")" 'secret regular file'

# a recording is not copied within a file system; where it goes may be anything by then
hand_over() {
	mkdir -p "$T/run" "$T/folder/lines"
	rm -f "$T/folder/lines/r"
	echo line >"$T/folder/lines/r"
	printf '%s\n' "$T/folder/lines/r" "$1" >"$T/run/handover"
	inode=$(stat -c %i "$T/folder/lines/r")
	echo finished | agentsight-handover "$T/run" "$T/folder" "$nobody" 1 >"$T/out" 2>&1
}
secret() { echo "$(cat "$T/root-only/secret") $(stat -c '%u %a' "$T/root-only/secret") $(ls "$T/root-only")"; }
before=$(secret)
rm "$d/r"; ln "$T/root-only/secret" "$d/r"
hand_over "$d/r"
is 'another name of a file of root is replaced, the file is as it was' "$(secret), $(cat "$d/r") $(stat -c '%u %g %a' "$d/r")" "$before, line $nobody 1 600"
is 'it is the file itself' "$(stat -c %i "$d/r")" "$inode"
ln "$T/root-only/secret" "$T/folder.link"
mkdir -p "$T/folder/lines"; mv "$T/folder.link" "$T/folder/lines/r.3"
hand_over "$d/r"
is 'another name of a file of root beside it is not handed over' "$(find "$d" -name 'r.3') $(secret)" " $before"
rm -rf "$T/folder"
rm "$d/r"; mkdir "$d/r"
hand_over "$d/r"
like 'a folder in its place: where it is now is said' "$(cat "$T/out")" "cannot write $d/r: Is a directory; all of it stays in $T/folder/lines/r$"
rmdir "$d/r"; mkdir "$d/there"; chown "$nobody" "$d/there"; ln -s "$T/root-only" "$d/lead"
hand_over "$d/lead/r"
is 'nor through a link to a folder that the user may not enter' "$(secret) $(cat "$T/folder/lines/r")" "$before line"
rm -f "$d/lead"; ln -s "$d/there" "$d/lead"
hand_over "$d/lead/r"
is 'to where he may it leads' "$(cat "$d/there/r" 2>&1)" line
# ... and change all the time
cat >"$d/swap" <<'END'
while [ -e "$1/mine" ]; do
	ln -sfn "$2/secret" "$1/r"; ln -f "$1/mine" "$1/r"; rm -rf "$1/r"; mkdir "$1/r"; rmdir "$1/r"; ln -sfn "$2" "$1/lead"; ln -sfn "$1/there" "$1/lead"
done 2>/dev/null
END
echo mine >"$d/mine"; chown "$nobody" "$d/mine"
user sh "$d/swap" "$d" "$T/root-only" & swap=$!
hold $swap
for _ in 1 2 3 4 5 6 7 8 9 10; do hand_over "$d/r"; hand_over "$d/lead/r"; done
rm "$d/mine"; wait $swap
is 'while it is swapped for others nothing of root is touched' "$(secret)" "$before"
is 'nothing is left of the attempts' "$(find "$d" "$T/root-only" -name '.agentsight-*')" ''
rm -rf "$T/run" "$T/folder" "$d/r"
# another file system
if other=$(mktemp -d /dev/shm/agentsight-test.XXXXXX 2>/dev/null) && [ "$(stat -c %d "$other")" != "$(stat -c %d "$T")" ]; then
	chown "$nobody" "$other"
	hand_over "$other/r"
	is 'to another file system it is copied' "$(cat "$other/r") $(stat -c '%u %g %a' "$other/r") $(ls -A "$other")" "line $nobody 1 600 r"
else
	skip 'to another file system it is copied' '/dev/shm is none'
fi
[ -z "$other" ] || rm -rf "$other"
cd / || exit 1
done_testing

#!/bin/sh
# What every filter does with lines that are no events, and with an output that
# fails: pass on, count, say, never die.
. tests/lib.sh

filters=''
for f in httpparse ssemerge llmparse authstrip jsonfilter; do
	if have $f; then filters="$filters $f"; else fail "$f is built"; fi
done

event='{"type":"x.y","timestamp_ns":1,"pid":1,"tid":1,"uid":0,"comm":"c","n":1.10,"big":12345678901234567890123}'
good='{"type":"x.y","timestamp_ns":1,"pid":1,"tid":1,"uid":0,"comm":"c","n":1.10,"s":"\u0000é\ud83d\ude42"}'

# bad NAME REASON FORMAT: a file with a bad line between two good ones.
: >"$T/cases"
# shellcheck disable=SC2059
bad() {
	{ printf '%s\n' "$good"; printf "$3"; printf '\n%s\n' "$good"; } >"$T/$1.in"
	echo "$1 $2" >>"$T/cases"
}
{
	bad text bad_json 'this is not JSON'
	bad empty bad_json ''
	bad array bad_json '[{"type":"x.y"}]'
	bad string bad_json '"type"'
	bad cut bad_json '{"type":"x.y","a":'
	bad two bad_json '{"type":"x.y"} {"type":"x.y"}'
	bad latin1 bad_json '{"type":"x.y","a":"caf\351"}'
	bad overlong bad_json '{"type":"x.y","a":"\300\200"}'
	bad surrogate bad_json '{"type":"x.y","a":"\\ud800"}'
	bad nul bad_json '{"type":"x.y","a":"\000"}'
	bad control bad_json '{"type":"x.y","a":"\001"}'
	bad tab bad_json '{"type":"x.y","a":"\t"}'
	bad twice bad_json '{"type":"x.y","a":1,"a":2}'
	bad twice-inside bad_json '{"type":"x.y","a":{"b":1,"b":2}}'
	bad bom bad_json '\357\273\277{"type":"x.y"}'
	bad nan bad_json '{"type":"x.y","a":NaN}'
	bad notype no_type '{"a":1}'
	bad typeless no_type '{"type":1}'
	bad null-type no_type '{"type":null}'
}
{ printf '%s\n' "$good"; printf '{"type":"x.y","a":"cut he'; } >"$T/partial.in"
echo "partial partial_line" >>"$T/cases"
{ printf '%s\n' "$good"; printf '%s' "$good"; } >"$T/partial-whole.in"
echo "partial-whole partial_line" >>"$T/cases"
{ printf '%s\n' "$good"; "$PYTHON" -c 'print("{\"type\":\"x.y\",\"a\":\"" + "[" * (65 << 20) + "\"}")'
	printf '%s\n' "$good"; } >"$T/long.in"
echo "long long_line" >>"$T/cases"
"$PYTHON" -c 'print("{\"type\":\"x.y\",\"a\":" + "[" * 5000 + "]" * 5000 + "}")' >"$T/deep.in"
echo "deep bad_json" >>"$T/cases"
printf '%s\n' "$event" >"$T/bignum.in"	# beyond int64, as jansson has it
echo "bignum bad_json" >>"$T/cases"
head -c 300000 /dev/urandom | tr '\n' 'x' >"$T/random.in"
echo >>"$T/random.in"
echo "random bad_json" >>"$T/cases"

# whole FILE: its lines, the last one with a newline
whole() { cat "$1"; [ -z "$(tail -c1 "$1" | tr -d '\n' | tr '\0' x)" ] || echo; }

for f in $filters; do
	while read -r name reason; do
		"$f" <"$T/$name.in" >"$T/out" 2>"$T/err" && rc=0 || rc=$?
		whole "$T/$name.in" >"$T/want"
		unbooked "$T/out" | grep -av '^{"type":"loss"' >"$T/lines"
		grep -a '^{"type":"loss"' "$T/out" >"$T/loss"
		if [ "$rc" -eq 0 ] && cmp -s "$T/want" "$T/lines"; then
			pass "$f: $name: exit 0, and every line as it was"
		else
			fail "$f: $name: exit 0, and every line as it was"
			diag "exit status $rc"; diag_file "$T/err"; cmp "$T/want" "$T/lines" | sed 's/^/# /'
		fi
		is "$f: $name: counted" "$(jq -r '"\(.stage) \(.reason) \(.events)"' "$T/loss")" "$f $reason 1"
		like "$f: $name: said once on standard error" "$(grep -c ' line [0-9]' "$T/err")" '^1$'
		"$f" --strict <"$T/$name.in" >/dev/null 2>"$T/err" && rc=0 || rc=$?
		is "$f: $name: --strict exits 1" "$rc" 1
	done <"$T/cases"
	cat "$T/text.in" "$T/notype.in" "$T/partial.in" >"$T/all.in"
	"$f" --fail-on-loss <"$T/all.in" >"$T/out" 2>/dev/null && rc=0 || rc=$?
	is "$f: --fail-on-loss exits 3" "$rc" 3
	grep -a '^{"type":"loss"' "$T/out" >"$T/loss"
	check_lines "$T/loss"
	"$f" -q <"$T/all.in" >/dev/null 2>"$T/err"
	is "$f: -q says nothing" "$(cat "$T/err")" ''
	"$f" --max-line 50 <"$T/text.in" >"$T/out" 2>/dev/null
	is "$f: --max-line 50 counts the two that are longer" \
		"$(sed -n 's/.*"reason":"long_line","events":\([0-9]*\).*/\1/p' "$T/out" | awk '{ n += $1 } END { print n }')" 2
	# authstrip says so only where others do
	case $f in authstrip) own= ;; *) own='stage.begin stage.end ' ;; esac
	is "$f: no input: only what it says of itself" "$("$f" </dev/null | cut -d'"' -f4 | tr '\n' ' ')" "$own"
	{ echo '{"type":"stage.begin","stage":"x"}'; cat "$T/all.in"; } >"$T/books.in"
	"$f" "$T/books.in" >"$T/out" 2>/dev/null
	is "$f: its last line counts all" "$(tail -n 1 "$T/out")" "$(printf \
		'{"type":"stage.end","timestamp_ns":1,"stage":"%s","read":%s,"written":%s,"lost":3,"why":"input_end"}' "$f" \
		"$(whole "$T/books.in" | wc -l)" "$(wc -l <"$T/out")")"

	# outputs
	"$f" <"$T/text.in" >/dev/full 2>"$T/err" && rc=0 || rc=$?
	is "$f: /dev/full: exit 1" "$rc" 1
	like "$f: /dev/full: says what and why" "$(cat "$T/err")" "^$f: write <stdout>: No space left"
	"$f" -o /dev/full <"$T/text.in" 2>"$T/err" && rc=0 || rc=$?
	is "$f: -o /dev/full: exit 1" "$rc" 1
	"$f" -o "$T/no/such" <"$T/text.in" 2>"$T/err" && rc=0 || rc=$?
	is "$f: -o in no folder: exit 1" "$rc" 1
	like "$f: /dev/full: is called a full disk" "$(cat "$T/err"; "$f" <"$T/text.in" 2>&1 >/dev/full)" 'the disk is full'
	# shellcheck disable=SC3045
	( ulimit -f 1; exec "$f" -o "$T/$f.limited" <"$T/long.in" ) 2>"$T/err" && rc=0 || rc=$?
	is "$f: a limit for the size of files: exit 1" "$rc" 1
	like "$f: a limit for the size of files: is named" "$(cat "$T/err")" 'write .*limited: .*ulimit -f'
	mkfifo "$T/$f.gone.in"
	"$f" -o "$T/$f.gone" <"$T/$f.gone.in" 2>"$T/err" 3>&- &
	pid=$!
	exec 4>"$T/$f.gone.in"
	printf '%s\n' "$good" >&4
	wait_for_line "$T/$f.gone" 'x\.y'
	rm "$T/$f.gone"
	printf '%s\n' "$good" >&4
	wait $pid && rc=0 || rc=$?
	exec 4>&-
	is "$f: its output is deleted: it ends at once, exit 1" "$rc" 1
	like "$f: its output is deleted: says so" "$(cat "$T/err")" 'gone: .*deleted while it was written'
	umask 022
	"$f" -o "$T/$f.o" <"$T/text.in" 2>/dev/null
	is "$f: -o makes a file of mode 0600" "$(stat -c %a "$T/$f.o")" 600
	# shellcheck disable=SC2094
	{ "$f" <"$T/long.in" 2>"$T/err"; echo $? >"$T/rc"; } | head -c 10 >/dev/null
	is "$f: a reader that leaves: exit 0" "$(cat "$T/rc")" 0
	unlike "$f: a reader that leaves: no complaint of a write" "$(cat "$T/err")" 'write'
	case $f in jsonfilter) set -- -e type=x.y ;; *) set -- ;; esac
	"$f" "$@" "$T/no-such-file" >/dev/null 2>"$T/err" && rc=0 || rc=$?
	is "$f: an input that is not there: exit 1" "$rc" 1
	like "$f: an input that is not there: named" "$(cat "$T/err")" "no-such-file: No such file"
	"$f" --ready-fd 5 "$@" "$T/no-such-file" >/dev/null 2>&1 5>"$T/ready"
	is "$f: an input that is not there: it is not ready" "$(wc -c <"$T/ready")" 0
	"$f" --ready-fd 5 "$@" "$T/text.in" >/dev/null 2>&1 5>"$T/ready"
	is "$f: --ready-fd: a newline" "$(wc -c <"$T/ready")" 1
	"$f" --no-such-option >/dev/null 2>"$T/err" && rc=0 || rc=$?
	is "$f: a wrong option: exit 2" "$rc" 2

	# signals: SIGINT is not for filters, SIGTERM ends them with what they have
	mkfifo "$T/$f.fifo"
	"$f" <"$T/$f.fifo" >"$T/out" 2>/dev/null 3>&- &
	pid=$!
	exec 4>"$T/$f.fifo"
	printf '%s\n' '{"type":"stage.begin","stage":"x"}' "$good" >&4
	ok "$f: a line goes through at once" wait_for_line "$T/out" 'x\.y'
	kill -INT $pid
	printf '%s\n' "$good" >&4
	ok "$f: SIGINT is ignored" until_true 10 sh -c "test \$(wc -l <$T/out) -eq 4"
	kill -TERM $pid
	wait $pid && rc=0 || rc=$?
	is "$f: SIGTERM: exit 0" "$rc" 0
	like "$f: SIGTERM: and says why it ended" "$(tail -n 1 "$T/out")" '"stage":"'$f'",.*"why":"signal"}$'
	exec 4>&-
done
done_testing

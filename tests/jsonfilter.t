#!/bin/sh
# jsonfilter.t - selecting, merging, ordering; statuses as grep's
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

ev() { printf '{"type":"%s","timestamp_ns":%s,"k":%s}\n' "$1" "$2" "$3"; }
{ ev a 1 10; ev b 2 20; ev a 3 30; } >"$T/one"
{ ev c 2 '"x"'; ev a 9 '"y"'; } >"$T/two"

out() { "$@" >"$T/out" 2>"$T/err"; echo $? >"$T/rc"; unbooked "$T/out"; }
rc() { cat "$T/rc"; }

is "a condition" "$(out jsonfilter 'k>15' "$T/one")" "$(ev b 2 20; ev a 3 30)"
is "any of several" "$(out jsonfilter 'k=10' 'k=30' "$T/one")" "$(ev a 1 10; ev a 3 30)"
is "inverted" "$(out jsonfilter -v 'k=10' 'k=30' "$T/one")" "$(ev b 2 20)"
is "inverted, by type" "$(out jsonfilter -v 'type=a' "$T/one")" "$(ev b 2 20)"
is "counted" "$(out jsonfilter -c type=a "$T/one" "$T/two")" 3
is "only lines of a type are asked" "$(out jsonfilter -t a 'k=30' "$T/one")" "$(ev b 2 20; ev a 3 30)"
is "from a file of expressions" "$(printf '# none\n\n k=10\nk=20\n' >"$T/x"; out jsonfilter -f "$T/x" "$T/one")" "$(ev a 1 10; ev b 2 20)"
is "-e, and then all operands are files" "$(cp "$T/one" "$T/k=20"; cd "$T" && jsonfilter --only -e 'k=20' 'k=20')" "$(ev b 2 20)"
out jsonfilter k=10 "$T/one" >/dev/null; is "status: matched" "$(rc)" 0
out jsonfilter k=11 "$T/one" >/dev/null; is "status: nothing matched" "$(rc)" 1
out jsonfilter "$T/one" >/dev/null; is "status: nothing asked" "$(rc)" 0
out jsonfilter 'k=' '(' "$T/one" >/dev/null; is "status: a wrong expression" "$(rc)" 2
out jsonfilter -v "$T/one" >/dev/null; is "status: nothing to invert" "$(rc)" 2
out jsonfilter k=10 misspelt "$T/one" >/dev/null; is "status: a word that is no field" "$(rc)" 1
ok "but a file that is missing" grep -q 'open misspelt: No such file' "$T/err"
printf 'k=1\nlen<\n' >"$T/x"; out jsonfilter -f "$T/x" "$T/one" >/dev/null; is "status: a wrong line of a file" "$(rc)" 2
ok "which is named" grep -q "/x line 2: a number is needed here" "$T/err"
out jsonfilter 'aä="x' "$T/one" >/dev/null
is "the place is counted in characters" "$(sed -n 3p "$T/err")" '       ^'
out jsonfilter 'k=' '(' "$T/one" >/dev/null
ok "which is shown with its place" grep -q '^   *^' "$T/err"
out jsonfilter k=10 "$T/missing.ndjson" >/dev/null; is "status: a file that is missing" "$(rc)" 1
ok "is said to be" grep -q 'missing.ndjson: No such file' "$T/err"
out jsonfilter k=10 "$T" >/dev/null; is "status: a folder" "$(rc)" 1

# bytes stay as they are
printf '{ "type" : "z", "n":1.10, "u":"\\u00e9" }\n' >"$T/odd"
jsonfilter --only n=1.1 "$T/odd" >"$T/out"
ok "lines are passed byte for byte" cmp -s "$T/odd" "$T/out"

# bad lines pass, and are counted
printf 'no json\n{"a":1}\n{"type":"a"}\npartial' >"$T/bad"
jsonfilter --only type=none "$T/bad" >"$T/out" 2>"$T/err"
is "bad lines pass" "$(grep -v '"loss"' "$T/out")" "$(printf 'no json\n{"a":1}\npartial\n')"
is "and are told as lost" "$(grep -c '"loss"' "$T/out")" 3
jsonfilter --strict type=none "$T/bad" >/dev/null 2>&1; is "strict: the first ends it" $? 1

# merging
mkfifo "$T/f1" "$T/f2"
jsonfilter --only "$T/f1" "$T/f2" >"$T/out" &
pid=$!
i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); ev a $i $i; done >"$T/many1"
sed 's/"a"/"b"/' "$T/many1" >"$T/many2"
cat "$T/many2" >"$T/f2" &
cat "$T/many1" >"$T/f1" &
wait $pid
is "FIFOs are merged, nothing is lost" "$(sort "$T/out" | md5sum)" "$(cat "$T/many1" "$T/many2" | sort | md5sum)"
is "and each keeps its order" "$(jsonfilter --only type=a "$T/out" | md5sum)" "$(md5sum <"$T/many1")"

# ordering
{ ev a 5000000 1; ev a 3000000 2; ev a 4000000 3; ev a 90000000 4; ev a 89000000 5; } >"$T/mixed"
is "--sort: by time" "$(jsonfilter --only --sort 10 "$T/mixed")" \
	"$(ev a 3000000 2; ev a 4000000 3; ev a 5000000 1; ev a 89000000 5; ev a 90000000 4)"
{ ev a 5000000 1; ev a 90000000 2; ev a 3000000 3; } >"$T/late"
is "--sort: not beyond the window" "$(jsonfilter --only --sort 10 "$T/late")" "$(ev a 5000000 1; ev a 3000000 3; ev a 90000000 2)"
jsonfilter --only --sort 60000 --sort-max 100 "$T/many1" >"$T/out" 2>"$T/err"
is "--sort-max: bounded, nothing dropped" "$(md5sum <"$T/out")" "$(md5sum <"$T/many1")"
ok "and said" grep -q 'sort-max' "$T/err"

jsonfilter --only k=10 - <"$T/one" >"$T/out"; is "- is standard input" "$(cat "$T/out")" "$(ev a 1 10)"
mkfifo "$T/f3"
jsonfilter k=10 "$T/f3" >"$T/out" 2>"$T/err" &
pid=$!
exec 5>"$T/f3"
cat "$T/one" >&5
wait_for_line "$T/out" '"k":10'
kill -USR1 $pid
ok "counts at SIGUSR1, while it runs" wait_for_line "$T/err" 'Total: 3, Filtered: 2, Passed: 1'
exec 5>&-
wait $pid
jsonfilter --verbose k=10 "$T/one" >/dev/null 2>"$T/err"
ok "counts with --verbose" grep -q 'Total: 3, Filtered: 2, Passed: 1' "$T/err"
# what stages write about themselves
b='{"type":"stage.begin","timestamp_ns":1,"stage":"x","version":"1"}'
e='{"type":"stage.end","timestamp_ns":9,"stage":"x","read":1,"written":2,"lost":0,"why":"input_end"}'
r='{"type":"run.begin","timestamp_ns":1,"run":"0123456789abcdef"}'
{ echo "$b"; echo "$r"; cat "$T/one"; echo "$e"; } >"$T/booked"
own='"stage":"jsonfilter"'
jsonfilter k=10 "$T/booked" >"$T/out"
is "run and stage lines pass whatever is asked" "$(grep -v "$own" "$T/out")" "$(echo "$b"; echo "$r"; ev a 1 10; echo "$e")"
is "stage.begin of its own comes first, with the time of the first line" "$(head -n 1 "$T/out")" \
	"{\"type\":\"stage.begin\",\"timestamp_ns\":1,$own,\"version\":\"$(cat VERSION)\"}"
is "stage.end last, with what it read, wrote and lost" "$(tail -n 1 "$T/out")" \
	"{\"type\":\"stage.end\",\"timestamp_ns\":9,$own,\"read\":6,\"written\":6,\"lost\":0,\"why\":\"input_end\"}"
jsonfilter k=11 "$T/booked" >"$T/out"; is "they are no match: status" $? 1
is "nor counted" "$(jsonfilter -c k=10 "$T/booked") $(jsonfilter -c "$T/booked")" "1 3"
is "--only leaves them out, and its own" "$(jsonfilter --only k=10 "$T/booked")" "$(ev a 1 10)"
is "also when nothing is asked" "$(jsonfilter --only "$T/booked")" "$(cat "$T/one")"
is "unless their type is" "$(jsonfilter --only type=stage.end "$T/booked")" "$e"
jsonfilter -v type=a "$T/booked" | grep -v "$own" >"$T/out"
is "and with -v" "$(cat "$T/out")" "$(echo "$b"; echo "$r"; ev b 2 20; echo "$e")"
jsonfilter "$T/booked" >"$T/a"; jsonfilter "$T/booked" >"$T/b"; same "a replay gives the same bytes" "$T/a" "$T/b"
is "no input: it says that it was there" "$(jsonfilter </dev/null | cut -d'"' -f4 | tr '\n' ' ')" "stage.begin stage.end "

jsonfilter k=10 "$T/one" >/dev/full 2>"$T/err"; is "a full disk: status 1" $? 1
ok "with a message" grep -q 'No space left' "$T/err"
done_testing

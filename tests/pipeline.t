#!/bin/sh
# Whole pipelines on real TLS traffic, held against what the server knows.
# shellcheck disable=SC2119,SC2016
. tests/lib.sh
need sslsniff httpparse ssemerge authstrip curl jq
need_bpf
start_server

# Starts a pipeline on a process; sets PIPE, its process group. It is a group
# of its own with default signals, as if from a terminal; tee -i keeps what the
# collector wrote.
pipeline() {	# NAME PID
	rm -f "$T/$1.ready"
	env --default-signal=INT,QUIT setsid sh -c '
		trap : INT
		sslsniff -p "$2" --ready-fd 5 5>"$1.ready" 2>"$1.sniff" | tee -i "$1.raw" |
		httpparse 2>"$1.parse" | ssemerge --raw 2>"$1.merge" | authstrip >"$1.out" 2>"$1.strip"
		echo $? >"$1.rc"' sh "$T/$1" "$2" 3>&- &
	PIPE=$!
	hold $PIPE
	until_true 20 test -s "$T/$1.ready" || diag "$1: $(cat "$T/$1.sniff")"
}

# --- a client of every kind ------------------------------------------------------
# The clients wait on a FIFO until the probes are there, then run one by one.
cat >"$T/clients.sh" <<'END'
read -r go <"$T/go"
set -u
get() { curl -sS --cacert "$CA" -H 'x-api-key: sk-ant-api03-abc' -o /dev/null "$@"; }
body() { printf '{"model":"%s","max_tokens":%s,"stream":%s,"messages":[{"role":"user","content":"%s"}]%s}' "$@"; }
ask() { q=$1; shift; body "$@" | get -d @- "$URL/v1/messages?$q"; }
for coding in identity gzip deflate raw-deflate br zstd; do
	ask "encoding=$coding" m-1 500 true "In $coding, please: Größe, 日本語 and 🙂?" ''
	ask "encoding=$coding&write=1" m-1 5 true "One byte at a time" ''
	ask "encoding=$coding&write=7&framing=close" m-1 500 true "Seven" ''
	ask "encoding=$coding" m-1 500 false "Unstreamed in $coding" ''
done
ask "repeat=400&encoding=gzip&write=5000" m-1 200000 true "A long answer, compressed." ''
ask "repeat=100" m-1 200000 true "A long answer, plain." ''
ask "" m-1 500 true "Call the tool lookup" ',"tools":[{"name":"lookup"}],"thinking":{"type":"enabled","budget_tokens":1024}'
ask "error=rate_limit" m-1 500 true "Too often" ''
ask "error=overloaded" m-1 500 true "Too much" ''
ask "error=stream" m-1 500 true "An error comes in the stream" ''
ask "" '' 0 true "No model" ''
ask "cut=9&delay=10" m-1 500 true "This one is cut off" '' 2>/dev/null
ask "cut=9&encoding=gzip&delay=10" m-1 500 true "This one too" '' 2>/dev/null
body m-1 500 true "Without a key" '' | curl -sS --cacert "$CA" -o /dev/null -d @- "$URL/v1/messages"

# keep-alive: one curl, one connection, all kinds of ends
get -I "$URL/echo" -o /dev/null "$URL/bytes/100"
get "$URL/status/204" -o /dev/null "$URL/bytes/1000?seed=7" -o /dev/null "$URL/status/304" \
	-o /dev/null "$URL/bytes/1?framing=chunked" -o /dev/null "$URL/nothing" -o /dev/null "$URL/bytes/0"

# bodies
get "$URL/bytes/3000000?seed=3" -o /dev/null "$URL/bytes/300000?seed=4&encoding=br"
get --data-binary "@$T/random" "$URL/echo"
get --data-binary "@$T/random" -H 'transfer-encoding: chunked' "$URL/echo?encoding=zstd"
get --data-binary "@$T/random" -H 'expect: 100-continue' "$URL/echo?write=9999"
get -H 'content-encoding: zstd' --data-binary "@$T/request.zst" "$URL/v1/messages"

# Python: blocking, keep-alive, memory BIO with eight connections at once
for how in urllib keepalive asyncio; do
	for api in anthropic openai; do
		for stream in '' --no-stream; do
			/usr/bin/python3 tests/server/client.py --how $how --api $api $stream --ca "$CA" "$URL" \
				"Prompt one" "Prompt zwei, für $how" 3 4 5 6 7 8
		done
	done
done >"$T/printed"
/usr/bin/python3 tests/server/client.py --gzip-request --ca "$CA" "$URL" "A compressed question" >>"$T/printed"
END
mkfifo "$T/go"
head -c 200000 /dev/urandom >"$T/random"
printf '{"model":"m-1","max_tokens":500,"messages":[{"role":"user","content":"zstd request"}]}' |
	"$PYTHON" tests/server/encode.py zstd >"$T/request.zst"
export T CA URL
sh "$T/clients.sh" 2>"$T/clients.err" 3>&- &
clients=$!
hold $clients
pipeline client $clients
client_pipe=$PIPE
pipeline server "$SERVER_PID"
server_pipe=$PIPE
echo go >"$T/go"
wait $clients
is "the clients ran" "$(cat "$T/clients.err")" ''
# the server writes its last line after its last byte
until_true 10 test "$(wc -l <"$T/printed")" -le "$(wc -l <"$SERVER_LOG")"
sleep 0.3
kill -s INT -- "-$client_pipe"
kill -s INT -- "-$server_pipe"
wait "$client_pipe" "$server_pipe"
for side in client server; do
	is "$side: Ctrl-C ends the pipeline with 0" "$(cat "$T/$side.rc")" 0
	like "$side: the collector lost nothing" "$(cat "$T/$side.sniff")" 'lost nothing'
	is "$side: the filters have nothing to say" "$(cat "$T/$side.parse" "$T/$side.merge" "$T/$side.strip")" ''
	check_lines "$T/$side.raw"
	check_lines "$T/$side.out"
	ok "$side: every exchange, every byte, every message, as the server's log has it" \
		"$PYTHON" tests/server/compare.py "$SERVER_LOG" "$T/$side.out" && diag "$(cat "$T/.ok")"
	is "$side: lines with a key in them" "$(grep -cE 'sk-ant-api03-|sk-not-a-real' "$T/$side.out")" 0
	is "$side: what the collector says it wrote was read" \
		"$(sed -n 's/.*written \([0-9]*\).*/\1/p' "$T/$side.sniff")" \
		"$(unbooked "$T/$side.raw" | grep -vc '^{"type":"loss"')"
done

# --- Ctrl-C in the middle -----------------------------------------------------------
# Streams are running when it comes. Whatever the collector had captured must
# come out at the end, as if the filters had read it from a file.
sh -c 'read -r go <"$T/go"; for i in 1 2 3; do
	/usr/bin/python3 tests/server/client.py --query hold=7 --ca "$CA" "$URL" "Still talking $i, on and on" & done
	wait' >/dev/null 2>&1 3>&- &
clients=$!
hold $clients
pipeline middle $clients
echo go >"$T/go"
until_true 20 sh -c 'test "$(grep -o "event: " "$T/middle.raw" | wc -l)" -ge 21'
kill -s INT -- -"$PIPE"
wait "$PIPE"
is "Ctrl-C in the middle: the pipeline ends with 0" "$(cat "$T/middle.rc")" 0
httpparse "$T/middle.raw" | ssemerge --raw | authstrip >"$T/middle.again"
same "Ctrl-C in the middle: nothing that was captured is lost" "$T/middle.again" "$T/middle.out"
check_lines "$T/middle.out"
is "Ctrl-C in the middle: the open streams are there, as incomplete" \
	"$(jq -r 'select(.type == "sse.message") | "\(.complete) \(.incomplete)"' "$T/middle.out" | sort | uniq -c | tr -s ' ')" \
	' 3 false eof'

# --- a reader that goes away -----------------------------------------------------------
timeout 20 sh -c 'sslsniff -p $$ | httpparse | ssemerge | authstrip | true' 2>"$T/err" && rc=0 || rc=$?
is "a closed output ends all stages, also when nothing comes" "$rc" 0
done_testing

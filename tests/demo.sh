#!/bin/sh
# demo.sh - what agentsight is for, on real input; run by `make demo`
#
# A TLS server on this machine speaks the Anthropic Messages API; it makes its
# answers from the prompts. Two ordinary programs ask it something under
# `agentsight record`. What is shown comes from the recordings, and is held
# against what the server says it sent.
set -eu
cd "$(dirname "$0")/.."
T=$(mktemp -d "${TMPDIR:-/tmp}/agentsight-demo.XXXXXX")
server=''
finish() {
	trap - EXIT
	[ -z "$server" ] || kill "$server"
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

/usr/bin/python3 tests/server/llmserver.py --dir "$T" --delay 20 >"$T/out" &
server=$!
until grep -q '^listening' "$T/out"; do
	kill -0 "$server" || { echo "demo: the server did not start" >&2; exit 1; }
	sleep 0.1
done
url=https://localhost:$(sed -n 's/^listening //p' "$T/out")

# show FILE: who asked what, and what came back, from a recording.
show() {
	jq -rs '
		(map(select(.type == "http.request")) | map({(.id): .}) | add) as $asked
		| .[] | select(.type == "sse.message") | $asked[.id] as $q | ($q.body | fromjson) as $ask
		| "  program   \(.comm) (pid \(.pid))",
		  "  asked     \($q.method) https://\($q.host)\($q.path)",
		  "  key       \($q.headers["x-api-key"])",
		  "  prompt    \($ask.messages[-1].content)",
		  "  answer    \(.text | gsub("\n"; "\n            "))",
		  "  model     \(.message.model)",
		  "  tokens    \(.message.usage.input_tokens) in, \(.message.usage.output_tokens) out",
		  "  stream    \(.events) events in \(.duration_ms) ms, first token after \(.first_token_ms) ms, complete: \(.complete)"
	' "$1"
	jq -r 'select(.type == "loss")
		| "  lost      \(.events) by \(.stage): \(.reason)"' "$1"
}

# check FILE N: the Nth exchange in the server's log is the one recorded.
check() {
	jq -s 'map(select(.type == "sse.message")) | map(.message)' "$1" >"$T/seen"
	jq -s ".[$2:$2 + 1] | map(.message)" "$T/log" >"$T/sent"
	if [ "$(jq -S . "$T/seen")" != "$(jq -S . "$T/sent")" ]; then
		echo "demo: the recording is not what the server sent" >&2
		diff "$T/sent" "$T/seen" >&2
		exit 1
	fi
	echo "  and this is exactly what the server says it sent."
	echo
}

prompt='Why do Unix tools that read lines go so well together?'
echo '{"model": "demo-1", "max_tokens": 1024, "stream": true, "messages":
	[{"role": "user", "content": "'"$prompt"'"}]}' >"$T/request"
echo "== agentsight record -- curl ... (streaming, gzip)"
agentsight record -o "$T/curl.ndjson" -- \
	curl -sS --compressed --cacert "$T/cert.pem" -H 'content-type: application/json' \
	-H 'x-api-key: sk-ant-api03-demo-0123456789' -d "@$T/request" -o /dev/null "$url/v1/messages"
show "$T/curl.ndjson"
check "$T/curl.ndjson" 0

echo "== agentsight record -- python3 (urllib, streaming, gzip)"
agentsight record -o "$T/python.ndjson" -- \
	/usr/bin/python3 tests/server/client.py --ca "$T/cert.pem" "$url" \
	"Grüße! What is seen where the cipher ends, and by whom?" >"$T/printed"
show "$T/python.ndjson"
check "$T/python.ndjson" 1

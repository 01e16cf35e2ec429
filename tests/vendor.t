#!/bin/sh
# docs/adding-a-vendor.md is right: the file in it is all that another API takes.
# shellcheck disable=SC2016
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

S=$T/source
mkdir "$S"
cp -r Makefile VERSION lib vendor httpparse ssemerge llmparse "$S"
sed -n '/^```c$/,/^```$/p' docs/adding-a-vendor.md | grep -v '^```' >"$S/vendor/acme.c"
ok "the filters build with the file of the page" make -s -C "$S" O="$T/build" CFLAGS=-O0 \
	"$T/build/bin/httpparse" "$T/build/bin/ssemerge" "$T/build/bin/llmparse"
is "no warning" "$(grep -c warning "$T/.ok")" 0
PATH=$T/build/bin:$PATH

"$PYTHON" - >"$T/lines" <<'END'
import json
T0 = 1795493553000000000


def exchange(n, ask, headers, answer):
    body = json.dumps(ask)
    out = "POST /v9/turns HTTP/1.1\r\nHost: api.acme.example\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    back = "HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s" % (headers, len(answer), answer)
    for i, (function, text) in enumerate((("WRITE/SEND", out), ("READ/RECV", back))):
        print(json.dumps({"type": "ssl.data", "timestamp_ns": T0 + n * 10**9 + i * 10**8, "pid": 7, "tid": 7, "uid": 1000, "comm": "x",
                          "conn": "7:%d:1" % n, "function": function, "off": 0, "len": len(text), "lib": "openssl", "data": text}))
    print(json.dumps({"type": "ssl.close", "timestamp_ns": T0 + n * 10**9 + 9 * 10**8, "pid": 7, "tid": 7, "uid": 1000, "comm": "x",
                      "conn": "7:%d:1" % n, "read_bytes": len(back), "written_bytes": len(out)}))


ask = {"engine": "acme-1", "charter": "Be brief.", "turns": [{"who": "human", "says": "Hello?"}]}
exchange(1, ask, "Content-Type: application/json", json.dumps(
    {"id": "t1", "engine": "acme-1", "reply": {"says": "Hello!"}, "why": "finished", "tokens": {"in": 7, "out": 2}}))
ask["turns"] += [{"who": "machine", "says": "Hello!"}, {"who": "human", "says": "Bye."}]
exchange(2, ask, "Content-Type: application/x-acme-turns", "".join("data: %s\n\n" % json.dumps(e) for e in (
    {"acme": "open", "id": "t2", "engine": "acme-1"}, {"acme": "piece", "says": "Good"}, {"acme": "piece", "says": "bye!"},
    {"acme": "close", "why": "too_long", "tokens": {"in": 9, "out": 3}})))
END
httpparse -q <"$T/lines" | ssemerge -q | llmparse -q >"$T/out"
check_lines "$T/out"
is "two calls, with all that the file says" "$(jq -c 'select(.type == "llm.call") | [.provider, .api, .request_model, .response_id,
	.stream, .finish_reasons[0], .usage.input_tokens, .usage.output_tokens, .output_messages[0].parts[0].content]' "$T/out")" \
'["acme","acme_turns","acme-1","t1",false,"stop",7,2,"Hello!"]
["acme","acme_turns","acme-1","t2",true,"length",9,3,"Goodbye!"]'
is "one conversation, by its own roles" "$(jq -c 'select(.type == "llm.call") | [.conversation_id, .input_messages[].role,
	.input_messages[0].parts[0].content]' "$T/out")" \
'["7:1:1/1","user","Hello?"]
["7:1:1/1","user","Bye."]'
is "the stream is one message" "$(jq -c 'select(.type == "sse.message") | [.format, .text, .complete]' "$T/out")" '["acme","Goodbye!",true]'
done_testing

#!/bin/sh
# sslsniff | httpparse | ssemerge | llmparse on real TLS traffic, held against
# what the server knows.
# shellcheck disable=SC2119
. tests/lib.sh
need llmparse

# --- the whole pipeline -----------------------------------------------------------
missing=''
for c in sslsniff httpparse ssemerge curl; do have $c || missing="$missing $c"; done
if [ -n "$missing" ] || ! why=$("$PYTHON" tests/bpf_works.py 2>&1); then
	skip "calls as the server's log has them" "${missing:+no$missing}${why:-}"
	done_testing
fi
start_server
mkfifo "$T/go"
cat >"$T/clients.sh" <<'END'
read -r go <"$T/go"
ask() { curl -sS --cacert "$CA" -H 'x-api-key: k' -o /dev/null -d "$2" "$URL$1"; }
for stream in true false; do
	ask /v1/messages '{"model":"m-1","max_tokens":500,"stream":'$stream',"messages":[{"role":"user","content":"Größe 🙂"}]}'
	ask /v1/messages '{"model":"m-2","max_tokens":3,"stream":'$stream',"messages":[{"role":"user","content":"cut short"}]}'
	ask /v1/messages '{"model":"m-3","max_tokens":500,"stream":'$stream',"tools":[{"name":"lookup"}],"messages":[{"role":"user","content":"do lookup"}],"thinking":{"type":"enabled","budget_tokens":1024}}'
	ask /v1/chat/completions '{"model":"g-1","stream":'$stream',"stream_options":{"include_usage":true},"messages":[{"role":"system","content":"S"},{"role":"user","content":"hello"}]}'
	ask /v1/chat/completions '{"model":"g-2","stream":'$stream',"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"lookup"}}],"messages":[{"role":"user","content":"do lookup"}]}'
	ask '/v1/messages?error=rate_limit' '{"model":"e-1","max_tokens":5,"stream":'$stream',"messages":[{"role":"user","content":"x"}]}'
	ask '/v1/chat/completions?error=overloaded' '{"model":"e-2","stream":'$stream',"messages":[{"role":"user","content":"x"}]}'
done
ask '/v1/messages?error=stream' '{"model":"e-3","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"in the middle"}]}'
ask '/v1/messages?cut=5' '{"model":"e-4","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"this is dropped"}]}' 2>/dev/null
curl -sS --cacert "$CA" -o /dev/null "$URL/bytes/10"
END
export T CA URL
sh "$T/clients.sh" 2>"$T/clients.err" 3>&- &
clients=$!
hold $clients
sslsniff -p $clients --ready-fd 5 5>"$T/ready" 2>"$T/sniff" >"$T/raw" 3>&- &
sniff=$!
hold $sniff
until_true 20 test -s "$T/ready" || diag "$(cat "$T/sniff")"
echo go >"$T/go"
wait $clients
sleep 0.3
kill -INT $sniff
wait $sniff
is "the clients ran" "$(cat "$T/clients.err")" ''
httpparse "$T/raw" | ssemerge | llmparse -q >"$T/out"
check_lines "$T/out" --type llm.call
ok "calls as the server's log has them" "$PYTHON" - "$SERVER_LOG" "$T/out" <<'END'
import json, sys
log = [json.loads(x) for x in open(sys.argv[1])]
calls = [e for e in map(json.loads, open(sys.argv[2])) if e["type"] == "llm.call"]
asked = [x for x in log if x["path"].startswith("/v1/")]
assert len(calls) == len(asked) == 16, (len(calls), len(asked))
KINDS = {"end_turn": "stop", "stop": "stop", "max_tokens": "length", "length": "length",
         "tool_use": "tool_call", "tool_calls": "tool_call"}
for want, got in zip(asked, sorted(calls, key=lambda c: c["timestamp_ns"])):
    body = json.loads(want["request_body"])
    model = body["model"]
    assert got["request_model"] == model, (model, got)
    assert got["agent"] == "curl" and got["server_address"] == "127.0.0.1"
    prompt = body["messages"][-1]["content"]
    assert got["input_messages"][-1]["parts"] == [{"type": "text", "content": prompt}], got
    if model in ("e-1", "e-2"):
        assert got["error_type"] == {"e-1": "rate_limit_error", "e-2": "overloaded_error"}[model], got
        assert got["status_code"] == {"e-1": 429, "e-2": 529}[model] and got["stream"] == body["stream"], got
        continue
    assert got["status_code"] == 200 and got["stream"] == bool(body.get("stream")), got
    assert got["duration_ms"] > 0 and (not got["stream"] or 0 < got["first_token_ms"] <= got["duration_ms"]), got
    if model in ("e-3", "e-4"):
        assert got["error_type"] and got["incomplete"], got
        continue
    answer = want["message"]
    assert "error_type" not in got and got["response_id"] == answer["id"], got
    chat = "choices" in answer
    stop = answer["choices"][0]["finish_reason"] if chat else answer["stop_reason"]
    assert got["finish_reasons"] == [KINDS[stop]], got
    usage = answer["usage"]
    assert got["usage"]["input_tokens"] == usage["prompt_tokens" if chat else "input_tokens"], got
    assert got["usage"]["output_tokens"] == usage["completion_tokens" if chat else "output_tokens"], got
    said = "".join(p["content"] for p in got["output_messages"][0]["parts"] if p["type"] == "text")
    text = answer["choices"][0]["message"]["content"] if chat else "".join(
        b.get("text", "") for b in answer["content"])
    assert said == text, (said, text)
    used = [(t["id"], t["function"]["name"], json.loads(t["function"]["arguments"]))
            for t in answer["choices"][0]["message"].get("tool_calls", [])] if chat else [
        (b["id"], b["name"], b["input"]) for b in answer["content"] if b["type"] == "tool_use"]
    assert [(t["id"], t["name"], t["arguments"]) for t in got.get("tool_calls", [])] == used, got
END

# --- a tool server on pipes -----------------------------------------------------------
if ! have stdiocap; then
	skip "tool calls as client and server made them" "no stdiocap"
	done_testing
fi
cat >"$T/server.py" <<'END'
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    if r["method"] == "initialize":
        out = {"result": {"protocolVersion": "2025-11-25", "serverInfo": {"name": "adder", "version": "1"}, "capabilities": {}}}
    elif r["method"] == "tools/call" and r["params"]["name"] == "add":
        out = {"result": {"content": [{"type": "text", "text": str(sum(r["params"]["arguments"]["n"]))}]}}
    else:
        out = {"error": {"code": -32602, "message": "no such tool"}}
    if "id" in r:
        print(json.dumps(dict({"jsonrpc": "2.0", "id": r["id"]}, **out)), flush=True)
END
cat >"$T/client.py" <<'END'
import json, os, subprocess, sys
open(sys.argv[1]).readline()
s = [subprocess.Popen([sys.executable, sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
def ask(s, id, method, **params):
    s.stdin.write(json.dumps(dict({"jsonrpc": "2.0", "method": method, "params": params}, **({} if id is None else {"id": id}))).encode() + b"\n")
    s.stdin.flush()
for x in s:
    ask(x, 0, "initialize", protocolVersion="2025-11-25", capabilities={})
for x in s:
    x.stdout.readline()
    ask(x, None, "notifications/initialized")
for i, x in enumerate(s):
    ask(x, 1, "tools/call", name="add", arguments={"n": [i] * 100000})
for x in reversed(s):
    x.stdout.readline()
ask(s[0], 2, "tools/call", name="nothing", arguments={})
s[0].stdout.readline()
print(os.getpid(), *(x.pid for x in s))
for x in s:
    x.stdin.close()
    x.wait()
END
"$PYTHON" "$T/client.py" "$T/go" "$T/server.py" >"$T/pids" 3>&- &
client=$!
hold $client
rm -f "$T/ready"
stdiocap -p $client --all-fds --max-bytes 0 --ready-fd 5 5>"$T/ready" 2>"$T/stdio.err" >"$T/stdio.raw" 3>&- &
cap=$!
hold $cap
until_true 20 test -s "$T/ready" || diag "$(cat "$T/stdio.err")"
echo go >"$T/go"
wait $client
sleep 0.3
kill -INT $cap
wait $cap
llmparse -q "$T/stdio.raw" >"$T/stdio.out"
check_lines "$T/stdio.out" --type mcp.call
ok "tool calls as client and server made them" "$PYTHON" - "$T/pids" "$T/stdio.out" <<'END'
import json, sys
client, a, b = map(int, open(sys.argv[1]).read().split())
calls = [e for e in map(json.loads, open(sys.argv[2])) if e["type"] == "mcp.call"]
got = sorted((c["server_pid"], c["method"], c["request_id"], c.get("tool", ""), c.get("error_type", ""),
              c["result"]["content"][0]["text"] if c.get("result", {}).get("content") else "")
             for c in calls if "notification" not in c)
want = sorted([(p, "initialize", 0, "", "", "") for p in (a, b)] +
              [(p, "tools/call", 1, "add", "", str(n * 100000)) for n, p in enumerate((a, b))] +
              [(a, "tools/call", 2, "nothing", "-32602", "")])
assert got == want, (got, want)
for c in calls:
    if "notification" not in c:
        assert c["client_pid"] == client and c["server"] == "adder" and c["duration_ms"] > 0, {
            k: v for k, v in c.items() if k != "arguments"}
assert sum("notification" in c for c in calls) == 2, len(calls)
END
done_testing

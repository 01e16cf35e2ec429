#!/usr/bin/python3
"""ssemerge: recorded streams, cut anywhere, against what the vendors' SDKs make
of them; and every way in which a stream can end, be bad, or be too large."""
import base64
import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data", "ssemerge")
T0 = 1_700_000_000_000_000_000
KEYS = ("format", "message", "text", "events", "complete", "incomplete", "error")
count = failed = 0


def ok(name, good, *why):
    global count, failed
    count += 1
    print("%sok %d - %s" % ("" if good else "not ", count, name))
    if not good:
        failed += 1
        for w in why:
            print("# " + str(w)[:2000])
    return good


def is_(name, got, want):
    return ok(name, same(got, want), "got:    %s" % dump(got), "wanted: %s" % dump(want))


def same(a, b):
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def dump(o):
    return json.dumps(o, ensure_ascii=False, separators=(",", ":"))


def piece(seq, off, data, id="c:1/1", t=T0, last=False, **more):
    o = {"type": "http.body", "timestamp_ns": t, "pid": 7, "tid": 8, "uid": 9, "comm": "node",
         "conn": id.split("/")[0], "id": id, "seq": seq, "off": off}
    if seq == 0:
        o.update(content_type="text/event-stream", method="POST", path="/v1/messages",
                 host="api.example.com", status_code=200)
    o.update(more)
    try:
        o["data"] = data.decode()
    except UnicodeDecodeError:
        o["data_b64"] = base64.b64encode(data).decode()
    if last:
        o["last"] = True
    return dump(o)


def pieces(parts, step=0, last=True, end={}, **more):
    """Lines for a body that came in these parts, step ns apart."""
    out, off, t = [], 0, more.pop("t", T0)
    for i, p in enumerate(parts):
        fin = i == len(parts) - 1
        keys = dict(more) if i == 0 else {"id": more["id"]} if "id" in more else {}
        if fin and last:
            keys.update(end, last=True)
        out.append(piece(i, off, p, t=t + i * step, **keys))
        off += len(p)
    return out


def run(lines, *args, status=0, stderr=None):
    """Runs ssemerge; returns its output lines as text."""
    text = lines if isinstance(lines, bytes) else "".join(x + "\n" for x in lines).encode()
    r = subprocess.run(["ssemerge", "-q", *args], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode != status:
        ok("exit status %d of ssemerge %s" % (status, " ".join(args)), False, r.returncode, r.stderr.decode())
    if stderr is not None:
        stderr.append(r.stderr.decode())
    return [x for x in r.stdout.decode().splitlines() if not x.startswith('{"type":"stage.')]


def messages(lines):
    return [json.loads(x) for x in lines if x.startswith('{"type":"sse.message"')]


def losses(lines):
    total = {}
    for x in lines:
        if x.startswith('{"type":"loss"'):
            o = json.loads(x)
            total[o["reason"]] = total.get(o["reason"], 0) + o["events"]
    return total


def part(o, keys=KEYS):
    return {k: o[k] for k in keys if k in o}


def events(*objects):
    return b"".join(b"event: %s\ndata: %s\n\n" % (o["type"].encode(), dump(o).encode()) for o in objects)


START = {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": [],
                                              "stop_reason": None, "usage": {"input_tokens": 1, "output_tokens": 1}}}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
STOP = {"type": "message_stop"}


def text(s):
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": s}}


def recorded(path):
    """A recorded stream whole, by the byte, and cut in two at every byte: (its
    output, its messages, those of all the cuts, how many of these, what is wanted)."""
    with open(path, encoding="utf-8") as f:
        meta = json.load(f)
    with open(path[:-4] + "body", "rb") as f:
        body = f.read()
    first, end = {"content_type": meta["content_type"], "path": meta["path"]}, meta.get("last", {})
    parts, cuts = [body], range(1, len(body))
    if meta.get("framed"):      # one message per piece: not to be cut
        parts, cuts = [base64.b64decode(x) for x in body.split()], []
    out = run(pieces(parts, end=end, **first))
    lines = pieces([body[i:i + 1] for i in range(len(body))] or [b""], end=end, id="c:2/1", **first) if cuts else []
    n = len(cuts) + (1 if lines else 0)
    for cut in cuts:
        lines += pieces([body[:cut], body[cut:]], end=end, id="c:1/%d" % (cut + 1), **first)
    return out, [part(o) for o in messages(out)], [part(o) for o in messages(run(lines))], n, meta["want"]


def golden():
    seen = []
    paths = sorted(glob.glob(os.path.join(DATA, "*.json")))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, (out, whole, cut, n, want) in zip(paths, pool.map(recorded, paths)):
            name, text = os.path.basename(path)[:-5], repr(want)
            seen += out
            is_("%s: the message" % name, whole, [want])
            ok("%s: cut at each of its bytes" % name, len(cut) == n and all(repr(o) == text or same(o, want) for o in cut),
               len(cut), n, [o for o in cut if o != want][:1])
    return seen


def from_tls():
    """All recorded streams, one after the other on one connection, through httpparse."""
    names = sorted(os.path.basename(p)[:-5] for p in glob.glob(os.path.join(DATA, "*.json")))
    lines, off, want = [], {"WRITE/SEND": 0, "READ/RECV": 0}, []

    def ssl(function, data):
        for i in range(0, len(data), 97):
            part = data[i:i + 97]
            lines.append(dump({"type": "ssl.data", "timestamp_ns": T0 + len(lines), "pid": 7, "tid": 8, "uid": 9, "comm": "x",
                               "conn": "c:1", "function": function, "off": off[function], "len": len(part),
                               "lib": "openssl", "latency_ms": 0, "data_b64": base64.b64encode(part).decode()}))
            off[function] += len(part)

    for name in names:
        with open(os.path.join(DATA, name + ".json"), encoding="utf-8") as f:
            meta = json.load(f)
        with open(os.path.join(DATA, name + ".body"), "rb") as f:
            body = f.read()
        if "last" in meta or not body or "damaged" in name:
            continue
        want.append((name, meta["want"]))
        ssl("WRITE/SEND", b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}" % meta["path"].encode())
        ssl("READ/RECV", b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" %
            meta["content_type"].encode() + b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (
                body[i:i + 61] for i in range(0, len(body), 61))) + b"0\r\n\r\n")
    r = subprocess.run(["httpparse", "-q"], input="".join(x + "\n" for x in lines).encode(), stdout=subprocess.PIPE)
    got = {o["id"]: part(o) for o in messages(run(r.stdout))}
    bad = [n for i, (n, w) in enumerate(want, 1) if not same(got.get("c:1/%d" % i), w)]
    ok("%d streams on one connection, through httpparse" % len(want), not bad and len(got) == len(want) > 60, bad)


def envelope():
    body = events(START, BLOCK, text("Hi"), text(" there"), STOP)
    cut = body.index(b"event: content_block_delta")
    lines = pieces([body[:cut], body[cut:-5], body[-5:]], step=1_500_000)
    out = run(lines)
    is_("envelope and keys", json.loads(out[0]), {
        "type": "sse.message", "timestamp_ns": T0, "pid": 7, "tid": 8, "uid": 9, "comm": "node", "conn": "c:1",
        "id": "c:1/1", "format": "anthropic", "path": "/v1/messages", "host": "api.example.com", "method": "POST",
        "status_code": 200, "message": {**START["message"], "content": [{"type": "text", "text": "Hi there"}]},
        "text": "Hi there", "events": 5, "first_token_ms": 1.5, "duration_ms": 3, "complete": True})
    ok("type comes first, then the envelope", out[0].startswith(
        '{"type":"sse.message","timestamp_ns":%d,"pid":7,"tid":8,"uid":9,"comm":"node","conn":' % T0))
    is_("the same input gives the same bytes", run(lines), out)
    is_("pieces that are passed on come before what they complete", run(lines, "--raw"), lines + out)
    late = pieces([body, b": more\n\n", b""], step=1)
    is_("written when the end marker comes, not at the last piece", run(late, "--raw"),
        [late[0], messages_raw(late), late[1], late[2]])
    return out


def messages_raw(lines):
    return run(lines)[0]


def deltas():
    chunk = lambda d, f=None: {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": d, "finish_reason": f}]}
    body = [("data: %s\n\n" % dump(e)).encode() for e in (
        chunk({"reasoning_content": "Let me "}), chunk({"reasoning_content": "think"}), chunk({"content": "sk-ant-"}), chunk({"content": "key1 an"}),
        chunk({"content": "d more"}), chunk({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "ls", "arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}), chunk({}, "tool_calls"), "[DONE]")]
    body[-1] = b"data: [DONE]\n\n"
    lines = pieces(body, step=10**6, path="/v1/chat/completions")
    out = [json.loads(x) for x in run(lines, "--deltas")]
    is_("--deltas: what grows, in whole words", [(o["kind"], o["text"]) for o in out if o["type"] == "sse.delta"],
        [("reasoning", "Let me "), ("reasoning", "think"), ("text", "sk-ant-key1 "), ("text", "and "), ("text", "more"),
         ("tool", "ls"), ("arguments", '{"a":1}')])
    is_("then the message", [o["type"] for o in out if o["type"].startswith("sse.")], ["sse.delta"] * 7 + ["sse.message"])
    is_("with the envelope of the piece that completes it", {k: v for k, v in [o for o in out if o["type"] == "sse.delta"][2].items()
                                                             if k not in ("kind", "text", "model")}, {
        "type": "sse.delta", "timestamp_ns": T0 + 3 * 10**6, "pid": 7, "tid": 8, "uid": 9, "comm": "node", "conn": "c:1", "id": "c:1/1"})
    is_("only on request", [o for o in run(lines) if '"sse.delta"' in o], [])
    wrong, n = [], 0
    for path in sorted(glob.glob(os.path.join(DATA, "*.json"))):
        with open(path, encoding="utf-8") as f:
            meta = json.load(f)
        # what has several answers, or text that is not the answer's, shows more than the message's text
        if meta.get("framed") or any(x in path for x in ("-unknown", "-audio", "-choices", "-refusal", "-candidates", "-open", "dashscope")):
            continue
        with open(path[:-4] + "body", "rb") as f:
            whole = f.read()
        got = run(pieces([whole[i:i + 97] for i in range(0, len(whole), 97)] or [b""], end=meta.get("last", {}),
                         content_type=meta["content_type"], path=meta["path"]), "--deltas")
        got = [json.loads(x) for x in got]
        text = "".join(o["text"] for o in got if o["type"] == "sse.delta" and o["kind"] == "text")
        n += 1
        if text != [o["text"] for o in got if o["type"] == "sse.message"][0]:
            wrong.append((path, text))
    ok("the words of %d recorded streams are those of their messages" % n, n > 40 and not wrong, *wrong)
    return [json.dumps(o, separators=(",", ":")) for o in out]


def passing():
    other = ['{"type":"ssl.data","data":"event: x\\ndata: {}\\n\\n"}', '{ "type" : "http.response" , "x":1.10 }', "not json",
             '{"no":"type"}', '{"type":"http.body","seq":0,"off":0,"data":"no id"}', "",
             '{"type":"x","a":1,"a":2}']
    mixed = pieces([events(START, BLOCK, text("x")), events(STOP)])
    out = run(other[:3] + mixed[:1] + other[3:] + mixed[1:])
    is_("everything else passes byte for byte", [x for x in out if '"sse.message"' not in x and '"loss"' not in x], other)
    is_("what could not be read is counted", losses(out), {"bad_json": 3, "no_type": 1, "bad_piece": 1})
    grpc = pieces([b"\0\0\0\0\5hello", b"x"], content_type="application/grpc+proto", path="/x")
    is_("bodies that are no event streams pass", run(grpc), grpc)
    partial = run(b'{"type":"x"}\n' + mixed[0].encode())
    is_("a last line without its newline passes", partial[1], mixed[0])


def ends():
    whole = events(START, BLOCK, text("Hi"))
    cut = pieces([whole], last=False)
    o = messages(run(cut))[0]
    is_("end of input: written, not complete", part(o, ("text", "complete", "incomplete")),
        {"text": "Hi", "complete": False, "incomplete": "eof"})
    o = messages(run(pieces([whole])))[0]
    is_("a body that ends well does not complete an answer that did not end", part(o, ("complete", "incomplete")),
        {"complete": False, "incomplete": "no_end"})
    o = messages(run(pieces([whole], end={"incomplete": "error"})))[0]
    is_("the last piece says why", part(o, ("complete", "incomplete")), {"complete": False, "incomplete": "error"})
    other = dump({"type": "tick", "timestamp_ns": T0 + 121 * 10**9})
    out = run(cut + [other] + [piece(1, len(whole), events(STOP), last=True, t=T0 + 122 * 10**9)])
    is_("idle: written before the event that shows it; what comes later is counted",
        ([(o["type"], o.get("incomplete")) for o in map(json.loads, out)][:2], len(messages(out)), losses(out)),
        ([("sse.message", "idle"), ("tick", None)], 1, {"late": 1}))
    is_("the id may begin again", [o["text"] for o in messages(run(cut + [other] + cut))], ["Hi", "Hi"])
    out = run(cut + [dump({"type": "tick", "timestamp_ns": T0 + 3 * 10**9})], "--idle", "2s")
    is_("--idle", json.loads(out[0])["incomplete"], "idle")
    lines = sum((pieces([whole], last=False, id="c:%d/1" % i) for i in range(4)), [])
    out = run(lines, "--max-streams", "2")
    is_("a full table: the oldest go, written", [(o["id"], o["incomplete"]) for o in messages(out)],
        [("c:0/1", "evicted"), ("c:1/1", "evicted"), ("c:2/1", "eof"), ("c:3/1", "eof")])
    is_("evictions are counted", losses(out), {"evicted": 2})
    out = run(lines + [piece(1, len(whole), events(STOP), id="c:0/1", last=True)], "--max-streams", "2")
    is_("what comes of them later too: one message per stream", (len(messages(out)), losses(out)), (4, {"evicted": 2, "late": 1}))
    body = [events(START, BLOCK)] + [events(text("x" * 9000)) for _ in range(4)]
    lines = [x for i in range(5) for x in pieces(body, last=False, id="c:%d/1" % i)]
    out = run(lines, "--max-memory", "128k")
    got = messages(out)
    is_("--max-memory: written as evicted", [o["incomplete"] for o in got], ["evicted"] * 3 + ["eof"] * 2)
    ok("and with all the text so far", all(o["text"] == "x" * 36000 for o in got))
    twice = run(cut + cut)
    is_("the same id from its beginning is another stream", [o["text"] for o in messages(twice)], ["Hi", "Hi"])


def interleaved():
    a = pieces([events(x) for x in (START, BLOCK, text("A1"), text("A2"), STOP)], id="c:1/1")
    b = pieces([events(x) for x in (START, BLOCK, text("B1"), text("B2"), STOP)], id="c:1/2")
    got = messages(run([x for pair in zip(a, b) for x in pair]))
    is_("two streams on one thread do not mix", [(o["id"], o["text"]) for o in got], [("c:1/1", "A1A2"), ("c:1/2", "B1B2")])
    seq = run(a + b)
    is_("two streams one after the other", [o["text"] for o in messages(seq)], ["A1A2", "B1B2"])


def holes():
    parts = [events(START, BLOCK, text("one ")), events(text("two "))[:30], events(text("2"))[30:] + events(text("three")),
             events(STOP)]
    lines = pieces(parts)
    out = run(lines[:1] + lines[2:])
    o = messages(out)[0]
    is_("a lost piece: no splice, marked", part(o, ("text", "complete", "incomplete")),
        {"text": "one three", "complete": False, "incomplete": "hole"})
    is_("and counted", losses(out), {"hole": 1})
    out = run([lines[0]] + [piece(1, len(parts[0]) + 500, parts[2]), piece(2, len(parts[0]) + 500 + len(parts[2]), parts[3], last=True)])
    is_("a hole by offset alone", (messages(out)[0]["incomplete"], losses(out)), ("hole", {"hole": 1}))
    o = messages(run(lines[1:]))[0]
    is_("attached late", part(o, ("format", "incomplete")), {"format": "anthropic", "incomplete": "hole"})
    out = run(lines[:2] + lines[1:])
    is_("a piece that comes twice counts once", (messages(out)[0]["text"], losses(out)),
        (messages(run(lines))[0]["text"], {"repeated": 1}))
    nd = [b'{"model":"m","message":{"content":"a"},"done":false}\n', b'{"model":"m","mess', b'age":{}}\n{"x":1}\n']
    lines = pieces(nd, content_type="application/x-ndjson", path="/x")
    o = messages(run(lines[:1] + lines[2:]))[0]
    ok("NDJSON goes on at the next line", o["incomplete"] == "hole" and o["events"] == 2, o)


def sockets():
    """OpenAI Responses over WebSocket: turns one after the other, and beside each other."""
    def ws(o, direction="READ/RECV", id="c:9/1", t=T0):
        return dump({"type": "ws.message", "timestamp_ns": t, "pid": 7, "tid": 8, "uid": 9, "comm": "codex",
                     "conn": "c:9", "id": id, "direction": direction, "opcode": "text", "data": dump(o)})

    def turn(n, *deltas, **more):
        base = {"id": "resp_%d" % n, "object": "response", "status": "in_progress", "output": []}
        item = {"id": "m", "type": "message", "role": "assistant", "content": []}
        part = {"type": "output_text", "text": "", "annotations": []}
        yield ws({"type": "response.created", "response": base, **more})
        yield ws({"type": "response.output_item.added", "output_index": 0, "item": item, **more})
        yield ws({"type": "response.content_part.added", "output_index": 0, "content_index": 0, "part": part, **more})
        for d in deltas:
            yield ws({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": d, **more})
        item = {**item, "content": [{**part, "text": "".join(deltas)}]}
        yield ws({"type": "response.completed", "response": {**base, "status": "completed", "output": [item]}, **more})

    ask = ws({"type": "response.create", "input": "x"}, "WRITE/SEND")
    one, two = list(turn(1, "Hel", "lo")), list(turn(2, "Bye"))
    out = run([ask] + one + [ask] + two)
    got = messages(out)
    is_("turns on one socket", [(o["format"], o["id"], o["message"]["id"], o["text"], o["complete"]) for o in got],
        [("openai-responses", "c:9/1", "resp_1", "Hello", True), ("openai-responses", "c:9/1", "resp_2", "Bye", True)])
    is_("the messages pass, each before what it completes", [x for x in out if '"sse.message"' not in x], [ask] + one + [ask] + two)
    ok("in order", '"sse.message"' in out[1 + len(one)] and '"sse.message"' in out[-1])
    a, b = list(turn(1, "A1", "A2", stream_id="a")), list(turn(2, "B1", "B2", stream_id="b"))
    is_("turns beside each other", [o["text"] for o in messages(run([x for p in zip(a, b) for x in p]))], ["A1A2", "B1B2"])
    cut = run(one[:-1])
    is_("a turn that is cut", part(messages(cut)[0], ("text", "complete", "incomplete")),
        {"text": "Hello", "complete": False, "incomplete": "eof"})
    out = run(one[:-1] + [ws({"type": "error", "error": {"code": "websocket_connection_limit_reached", "message": "60 minutes"}})])
    is_("an error in a turn", part(messages(out)[0], ("incomplete", "error")),
        {"incomplete": "error", "error": {"code": "websocket_connection_limit_reached", "message": "60 minutes"}})
    realtime = [ws({"type": "response.created", "response": {"object": "realtime.response"}}), ws({"type": "response.text.delta", "delta": "x"}),
                ws({"type": "error", "error": {}}), ws([1, "response."]), ws("response.")]
    is_("what is another's passes", run(realtime), realtime)


def bad_data():
    def merge(*data, **more):
        out = run(pieces(list(data), **more))
        return messages(out)[0], losses(out)

    o, lost = merge(events(START, BLOCK), b"data: {not json}\n\ndata: 17\n\n", events(text("ok"), STOP))
    is_("data that is not JSON: skipped, counted", (o["text"], o["complete"], lost), ("ok", True, {"bad_data": 2}))
    o, lost = merge(events(START, BLOCK), b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\xff\xe2\x82z"}}\n\n',
                    events(STOP))
    is_("bytes that are no UTF-8 are replaced as a browser does", (o["text"], lost), ("a\ufffd\ufffdz", {"bad_utf8": 1}))
    o, lost = merge(events(START, BLOCK), b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x","text":"y"}}\n\n',
                    events(STOP))
    is_("of two keys of one name the last counts", (o["text"], o.get("lenient"), lost), ("y", ["duplicate_key"], {}))
    o, lost = merge(events(START, BLOCK, text("a\0b")), events(STOP))
    is_("NUL in text", (o["text"], lost), ("a\0b", {}))
    o, lost = merge(events(START, BLOCK), b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ud83d!"}}\n\n',
                    events(STOP))
    is_("half a surrogate pair", (o["text"], lost), ("\ufffd!", {"bad_utf8": 1}))
    o, lost = merge(events(START, BLOCK), b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\\ud83d"}}\n\n'
                    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ude80b"}}\n\n', events(STOP))
    is_("halves of a pair in two deltas are one character", (o["text"], o.get("lenient"), lost), ("a\U0001f680b", None, {}))
    o, lost = merge(events(START, {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "n", "input": {}}}),
                    events({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json":
                            '{"id":18446744073709551615,"a\\u0000b":1,"x":1,"x":2'}},
                           {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "}"}}), events(STOP))
    is_("arguments of a tool that only JavaScript reads", (o["message"]["content"][0]["input"], o.get("lenient"), lost),
        ({"id": "18446744073709551615", "a\\u0000b": 1, "x": 2}, ["big_number", "duplicate_key", "nul_in_key"], {}))
    o, lost = merge(events(START, BLOCK), b'data: {"type":"message_delta","delta":{"n":123456789012345678901234567890,"r":1e999},"usage":{}}\n\n',
                    events(STOP))
    is_("numbers beyond 64 bits", (o["message"]["n"], o["message"]["r"] if "r" in o["message"] else None, lost),
        ("123456789012345678901234567890", "1e999", {}))
    is_("... and the message says so", o.get("lenient"), ["big_number"])
    deep = b"[" * 3000 + b"]" * 3000
    o, lost = merge(events(START, BLOCK), b"data: " + deep + b"\n\n", events(STOP))
    is_("nested too deep", (o["complete"], lost), (True, {"bad_data": 1}))
    out = run([piece(0, 0, events(START, BLOCK))] + [
        dump({"type": "http.body", "conn": "c:1", "id": "c:1/1", "seq": 1, "off": len(events(START, BLOCK)), "data_b64": "%%%", "last": True})])
    ok("data_b64 that is no base64", messages(out)[0]["events"] == 2)
    strange = b"\0\xff\xfe:\0\r\r\n:\n" * 50 + bytes(range(256))
    for ct in ("text/event-stream", "application/x-ndjson", "application/json", "application/vnd.amazon.eventstream"):
        out = run(pieces([strange, strange[::-1]], content_type=ct, path="/"))
        is_("garbage as %s: one message" % ct, len(messages(out)), 1)


def limits():
    big = [events(START, BLOCK)] + [events(text("x" * 500)) for _ in range(10)] + [
        events({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}, STOP)]
    out = run(pieces(big), "--max-message", "4k")
    o = messages(out)[0]
    ok("--max-message: what fits stays", 1000 <= len(o["text"]) <= 4096 and set(o["text"]) == {"x"}, len(o["text"]))
    is_("and the small things that come last", (o["message"]["usage"]["output_tokens"], o["message"]["stop_reason"]), (5, "end_turn"))
    is_("and it is said", (o["complete"], o["incomplete"], losses(out)), (False, "limit", {"max_message": 1}))
    out = run(pieces([events(START, BLOCK), events(text("y" * 5000)), events(text("z"), STOP)]), "--max-message", "4k")
    o = messages(out)[0]
    is_("an event over the limit is left out", (o["text"], o["incomplete"], losses(out)), ("z", "limit", {"max_message": 1}))
    line = b"data: " + b"q" * 9000
    out = run(pieces([events(START, BLOCK), line[:4000], line[4000:], b"\n\n" + events(text("z"), STOP)]), "--max-message", "4k")
    o = messages(out)[0]
    is_("also when it comes in pieces", (o["text"], o["incomplete"], losses(out)), ("z", "limit", {"max_message": 1}))
    o = messages(run(pieces([b"data: " + b"[" * (1 << 20) + b"\n\n" for _ in range(3)], path="/", content_type="text/event-stream")))[0]
    is_("3 MiB of brackets", (o["format"], o["events"]), ("generic", 3))
    many = b"".join(b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":"t"}}\n\n' % i for i in range(20000))
    o = messages(run(pieces([events(START), many, events(STOP)]), "--max-message", "256k"))[0]
    ok("20 000 blocks stay within the limit", o["incomplete"] == "limit" and 100 < len(o["message"]["content"]) < 2000,
       len(o["message"]["content"]))
    body = [events(START, BLOCK)] + [events(text("x" * 64000)) for _ in range(64)]
    lines = (x for i in range(40) for x in pieces(body, last=False, id="c:%d/1" % i))
    with tempfile.TemporaryFile() as f:
        for x in lines:
            f.write(x.encode() + b"\n")
        f.seek(0)
        r = subprocess.run(["/usr/bin/python3", "-c",
                            "import resource,subprocess,sys\n"
                            "p=subprocess.run(['ssemerge','-q','--max-memory','16M'],stdin=0,stdout=subprocess.DEVNULL)\n"
                            "print(p.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"],
                           stdin=f, stdout=subprocess.PIPE, check=True)
    status, rss = map(int, r.stdout.split())
    # sanitizers keep freed memory and shadow it: the bound is theirs, and half of what 40 x 4 MB would take
    ok("40 streams of 4 MB under --max-memory 16M (%d MB resident)" % (rss >> 10), status == 0 and rss < 400 << 10)


def statuses():
    line = "".join(x + "\n" for x in pieces([events(START, STOP)])).encode()
    with open("/dev/full", "w") as full:
        r = subprocess.run(["ssemerge"], input=line, stdout=full, stderr=subprocess.PIPE)
    ok("/dev/full: exit 1 and a message", r.returncode == 1 and b"No space left" in r.stderr, r)
    r = subprocess.run(["ssemerge", "--max-streams", "0"], stderr=subprocess.PIPE)
    is_("a wrong option: exit 2", r.returncode, 2)
    run(pieces([events(START, STOP)]), "--fail-on-loss", status=0)
    run(pieces([events(START), b"data: x\n\n" + events(STOP)]), "--fail-on-loss", status=3)
    ok("--fail-on-loss: exit 3", True)
    r = subprocess.run(["ssemerge", "--help"], stdout=subprocess.PIPE)
    ok("--help", r.returncode == 0 and b"--max-message" in r.stdout)


def schema(lines):
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as f:
        f.write("".join(x + "\n" for x in lines))
        f.flush()
        r = subprocess.run([sys.executable, os.path.join(HERE, "validate.py"), "--type", "sse.message", f.name],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    ok("lines are as the schema says", r.returncode == 0, *r.stdout.decode().splitlines()[:12])


seen = golden()
seen += envelope()
from_tls()
deltas()
passing()
ends()
interleaved()
holes()
sockets()
bad_data()
limits()
statuses()
schema(seen)
print("1..%d" % count)
sys.exit(failed != 0)

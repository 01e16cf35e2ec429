#!/usr/bin/python3
"""authstrip: a key that a model's answer holds in pieces does not leave, whatever the shape of the documents around the
pieces; and nothing else of them changes. The shapes are all that ssemerge's recorded streams have, at every path of theirs
where a string stands, and some that nobody has."""
import base64
import copy
import glob
import json
import os
import re
import struct
import sys
import zlib
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import authstrip_cases as cases
from authstrip_kit import event, run, tap

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = "sk-ant-api03-" + cases.some(64)
START = 16		# bytes that it begins with, which are no secret: they may have left
LENGTHS = range(1, 41)


# --- documents and what carries them ------------------------------------------------------------------------------------
def documents(data):
    """The JSON documents of a body, wherever they stand."""
    text, found, i = data.decode("utf-8", "surrogateescape"), [], 0
    while (i := text.find("{", i)) >= 0:
        try:
            doc, i = json.JSONDecoder().raw_decode(text, i)
        except ValueError:
            i += 1
            continue
        if "bytes" in doc and len(doc["bytes"]) > 15:
            doc = Wrapped(json.loads(base64.b64decode(doc["bytes"])))
        if doc:			# {} may be two bytes of a frame's checksum
            found.append(doc)
    return found


class Wrapped(dict):
    """A document that goes in base64, within another."""


def dump(doc):
    text = json.dumps(doc, separators=(",", ":"))
    return json.dumps({"bytes": base64.b64encode(text.encode()).decode(), "p": "abcd"}) if isinstance(doc, Wrapped) else text


def sse(docs):
    return ["data: %s\n\n" % dump(d) for d in docs]


def ndjson(docs):
    return [dump(d) + "\n" for d in docs]


def array(docs):
    """As Gemini sends them: one array, indented."""
    return ["%s%s" % (",\r\n" if i else "[", json.dumps(d, indent=2)) for i, d in enumerate(docs)] + ["]"]


def frames(docs):
    """An event stream of AWS: length, headers, checksums around each."""
    out = []
    for d in docs:
        payload = dump(d).encode()
        head = b"\x0b:event-type\x07\0\x05chunk\x0d:content-type\x07\0\x10application/json"
        start = struct.pack(">II", 16 + len(head) + len(payload), len(head))
        part = start + struct.pack(">I", zlib.crc32(start)) + head + payload
        out.append(part + struct.pack(">I", zlib.crc32(part)))
    return out


def grpc(docs):
    return [b"\0" + struct.pack(">I", len(dump(d))) + dump(d).encode() for d in docs]


# --- paths --------------------------------------------------------------------------------------------------------------
def paths(doc, at=()):
    if isinstance(doc, str):
        yield at
    for key, value in doc.items() if isinstance(doc, dict) else enumerate(doc) if isinstance(doc, list) else ():
        yield from paths(value, at + (key,))


def get(doc, at):
    for key in at:
        doc = doc[key]
    return doc


def put(doc, at, value):
    doc = copy.deepcopy(doc)
    get(doc, at[:-1])[at[-1]] = value
    return doc


def shapes():
    """(name, document, path) of all recorded streams, each path once for a vendor."""
    seen = set()
    for path in sorted(glob.glob(os.path.join(HERE, "data", "ssemerge", "*.body"))):
        for doc in documents(open(path, "rb").read()):
            for at in paths(doc):
                name = os.path.basename(path)[:-5]
                shape = name.split("-")[0], isinstance(doc, Wrapped), at
                if shape not in seen:
                    seen.add(shape)
                    yield name, doc, at


def lines(ident, parts, kind="http.body"):
    out, off = [], 0
    for i, p in enumerate(parts):
        p = p.encode() if isinstance(p, str) else p
        try:
            data = {"data": p.decode()}
        except UnicodeDecodeError:
            data = {"data_b64": base64.b64encode(p).decode()}
        more = {"seq": i, "off": off, "last": i + 1 == len(parts)} if kind == "http.body" else {"direction": "receive"}
        if kind == "http.body" and not i:	# as httpparse has it
            more["status_code"] = 200
        out.append(event(kind, timestamp_ns=10 ** 18 + i, conn=ident, id=ident, **more, **data))
        off += len(p)
    return out


def payload(line):
    e = json.loads(line)
    return e["id"], e["data"].encode() if "data" in e else base64.b64decode(e["data_b64"])


def pieces(n):
    return [KEY[i:i + n] for i in range(0, len(KEY), n)]


def leaks(text):
    return any(KEY[i:i + 8] in text for i in range(START, len(KEY) - 8)) or KEY[-6:] in text


class Streams:
    """Streams that hold the key in pieces, and what must be left of each."""

    def __init__(self):
        self.lines, self.want = [], {}

    def add(self, name, docs, at, carry, kind="http.body", cut=0):
        ident = "c%d" % len(self.want)
        self.want[ident] = name, docs, at
        parts = carry(docs)
        if cut:
            data = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
            parts = [data[i:i + cut] for i in range(0, len(data), cut)]
        self.lines += lines(ident, parts, kind)

    def check(self, name):
        got, wrong = {}, []
        for line in run(self.lines):
            ident, data = payload(line)
            got[ident] = got.get(ident, b"") + data
        for ident, (what, docs, at) in self.want.items():
            out = documents(got.get(ident, b""))
            if len(out) != len(docs):
                wrong.append((what, "documents", len(docs), len(out), got[ident][:300]))
                continue
            text = "".join(get(d, at) for d in out)
            if leaks(text) or "[REDACTED]" not in text:
                wrong.append((what, at, text[:200]))
            elif [put(d, at, "") for d in out] != [put(d, at, "") for d in docs]:
                wrong.append((what, at, "something else changed", out[:2]))
        tap.ok(not wrong and self.want, "%s: %d streams" % (name, len(self.want)), len(wrong), *wrong[:8])


def in_pieces(doc, at, n):
    return [put(doc, at, p) for p in pieces(n)]


# --- tests --------------------------------------------------------------------------------------------------------------
def test_recorded():
    all_ = list(shapes())
    for n in LENGTHS:
        s = Streams()
        for name, doc, at in all_:
            carry = frames if name.startswith("bedrock") else array if name == "gemini-array" else ndjson if name.startswith(("ollama", "ndjson")) else sse
            s.add(name, in_pieces(doc, at, n), at, carry)
        s.check("every path of the recorded streams, %d bytes a piece" % n)
    tap.ok(len({name.split("-")[0] for name, _, _ in all_}) >= 9 and len(all_) > 100, "streams of each vendor were there", len(all_))


def test_cut_lines():
    """Lines that are no documents: the body cut anywhere."""
    all_ = list(shapes())
    for cut, n in ((7, 3), (33, 5), (100, 9), (61, 20)):
        s = Streams()
        for name, doc, at in all_:
            carry = frames if name.startswith("bedrock") else array if name == "gemini-array" else ndjson if name.startswith(("ollama", "ndjson")) else sse
            if not isinstance(doc, Wrapped):
                s.add(name, in_pieces(doc, at, n), at, carry, cut=cut)
        s.check("bodies cut every %d bytes, %d bytes a piece" % (cut, n))


MADE_UP = [
    ({"x": 1, "y": {"z": [["", {"deep": "?"}]]}}, ("y", "z", 0, 1, "deep")),
    ({"choices": [{"index": 0, "delta": {"refusal": "?"}}]}, ("choices", 0, "delta", "refusal")),
    ({"output": {"text": "?", "finish_reason": "null"}, "request_id": "r"}, ("output", "text")),
    ({"Ünïcode": {"kéy \"q\"": "?"}}, ("Ünïcode", "kéy \"q\"")),
    ({"delta": {"text": "?"}, "contentBlockIndex": 3}, ("delta", "text")),
    ({"a": "?", "b": "", "c": None, "d": [1, 2.5e3, True, {}], "e": []}, ("a",)),
]


def test_made_up():
    for carry in (sse, ndjson, array, frames, grpc):
        s = Streams()
        for n in LENGTHS:
            for i, (doc, at) in enumerate(MADE_UP):
                s.add("made up %d, %d" % (i, n), in_pieces(doc, at, n), at, carry)
                s.add("made up %d in base64, %d" % (i, n), in_pieces(Wrapped(doc), at, n), at, carry) if carry is not array else None
        s.check("shapes that nobody has, by %s" % carry.__name__)
    s = Streams()
    for n in LENGTHS:
        for i, (doc, at) in enumerate(MADE_UP):
            s.add("made up %d, %d" % (i, n), in_pieces(doc, at, n), at, lambda docs: [dump(d) for d in docs], "ws.message")
    s.check("shapes that nobody has, in messages of a web socket")


def test_interleaved():
    """Two answers at once: by index, however it is called; and pieces of something else between."""
    s = Streams()
    for n in LENGTHS:
        for index in ("index", "output_index", "contentBlockIndex"):
            for before in (True, False):
                def doc(i, text):
                    return {index: i, "delta": {"text": text}} if before else {"delta": {"text": text}, index: i}
                docs = [d for p in pieces(n) for d in (doc(0, p), doc(1, "word "))]
                s.add("%s, %d" % (index, n), docs, ("delta", "text"), sse)
        docs = [d for p in pieces(n) for d in ({"choices": [{"index": 1, "delta": {"content": p}}]}, {"choices": [{"index": 0, "delta": {"content": "the "}}]})]
        s.add("choices, %d" % n, docs, ("choices", 0, "delta", "content"), sse)
        docs = [d for p in pieces(n) for d in ({"t": p}, {"ping": "x"}, {"usage": {"n": 1}})]
        docs = [dict(d, t=d.get("t", "")) for d in docs]
        s.add("other pieces between, %d" % n, docs, ("t",), ndjson)
    got, wrong = {}, []
    for line in run(s.lines):
        ident, data = payload(line)
        got[ident] = got.get(ident, b"") + data
    for ident, (what, docs, at) in s.want.items():
        out = documents(got[ident])
        text = "".join(t for d in out for t in [get(d, at)] if t not in ("word ", "the "))
        # what stands between the pieces may be taken for a part of the key
        if len(out) != len(docs) or leaks(text) or "[REDACTED]" not in text:
            wrong.append((what, text[:200]))
    tap.ok(not wrong, "answers that take turns: %d streams" % len(s.want), len(wrong), *wrong[:8])


def test_deltas():
    """Events that are pieces themselves."""
    for n in LENGTHS:
        body = [event("sse.delta", timestamp_ns=i, id="c/1", index=0, text=p) for i, p in enumerate(pieces(n))]
        text = "".join(json.loads(l)["text"] for l in run(body))
        if leaks(text) or "[REDACTED]" not in text:
            break
    tap.ok(n == LENGTHS[-1], "events that are pieces themselves", n, text)


def test_nested():
    """JSON in a string of JSON."""
    s = Streams()
    for n in LENGTHS:
        parts = pieces(n)
        docs = [{"event": "message", "data": json.dumps({"choices": [{"delta": {"content": p}}]})} for p in parts]
        s.add("%d" % n, docs, ("data",), sse)
    got, wrong = {}, []
    for line in run(s.lines):
        ident, data = payload(line)
        got[ident] = got.get(ident, b"") + data
    for ident, (what, docs, at) in s.want.items():
        text = "".join(json.loads(d["data"])["choices"][0]["delta"]["content"] for d in documents(got[ident]))
        if leaks(text) or "[REDACTED]" not in text:
            wrong.append((what, text[:200]))
    tap.ok(not wrong, "JSON in strings of JSON: %d streams" % len(s.want), len(wrong), *wrong[:8])


def b64(doc):
    return base64.b64encode(json.dumps(doc, separators=(",", ":"), ensure_ascii=False).encode()).decode()


# Documents from a piece of text: within each other, in arrays, behind what is no document, and none at all.
WITHIN = {
    "a string in two strings": lambda p, i: json.dumps({"d": json.dumps({"d": json.dumps({"t": p})})}),
    "a string in base64": lambda p, i: json.dumps({"bytes": b64({"body": json.dumps({"t": p})})}),
    "base64 in a string": lambda p, i: json.dumps({"d": json.dumps({"bytes": b64({"t": p})})}),
    "an array in base64": lambda p, i: json.dumps({"bytes": b64([{"t": p}])}),
    "a key that is no ASCII, in base64": lambda p, i: json.dumps({"bytes": b64({"ключ": p})}),
    "an array of arrays": lambda p, i: json.dumps([["delta", p]]),
    "an array": lambda p, i: json.dumps(["delta", p]),
    "a string": lambda p, i: json.dumps(p),
    "an index at another place": lambda p, i: json.dumps({"c": [{"index": 0, "t": "the "}] * (i % 2) + [{"index": 1, "t": p}]}),
}


def test_within():
    """How deep a document stands, and what a line begins with; also when the lines are cut anywhere."""
    wrong, n = [], 0
    for cut in (0, 37, 41):
        body, want = [], {}
        for length in (1, 2, 5, 8, 16, 23, 40):
            docs = {name: [f(p, i) for i, p in enumerate(pieces(length))] for name, f in WITHIN.items()}
            parts = {name: ["data: %s\n\n" % d for d in ds] for name, ds in docs.items()}
            parts.update({name + ", a line": [d + "\n" for d in ds] for name, ds in docs.items()})
            parts["a string behind a letter"] = ["0:%s\n" % json.dumps(p) for p in pieces(length)]
            parts["no JSON"] = ["event: token\ndata: %s\n\n" % p for p in pieces(length)]
            for name, ps in parts.items():
                text = "".join(ps)
                ident = "c%d" % len(want)
                want[ident] = "%s, %d bytes a piece, cut every %d" % (name, length, cut), length
                body += lines(ident, [text[i:i + cut] for i in range(0, len(text), cut)] if cut else ps)
        got = {}
        for line in run(body):
            ident, data = payload(line)
            got[ident] = got.get(ident, "") + data.decode()
        for ident, (name, length) in want.items():
            text = got[ident]
            for _ in range(2):		# what stands in base64, and in that again
                text += "".join(base64.b64decode(m + "=" * (-len(m) % 4)).decode("utf-8", "replace") for m in re.findall(r"ey[JL][A-Za-z0-9+/]+|W3[A-Za-z0-9+/]+", text))
            left = "".join(re.findall(r"[A-Za-z0-9]", re.sub(r"[A-Za-z0-9_]*REDACTED|event|token|data|delta|bytes|body|index|the", "", text))) if length < 8 else text
            n += 1
            if "[REDACTED]" not in text or any(KEY[i:i + 8] in left for i in range(START + length, len(KEY) - 8)):
                wrong.append((name, got[ident][:300]))
    tap.ok(not wrong, "documents within others, arrays, strings and what is no JSON: %d streams" % n, len(wrong), *wrong[:8])
    body = [event("ws.message", timestamp_ns=i, id="w", direction="receive", opcode="text", data=p) for i, p in enumerate(pieces(5))]
    text = "".join(json.loads(l)["data"] for l in run(body))
    tap.ok(not leaks(text) and "[REDACTED]" in text, "messages of a web socket that are no JSON", text)


def test_long():
    """What is longer than what may be undecided goes all the same."""
    key = "-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n" % "\n".join(cases.some(64, cases.ALNUM + "+/") for _ in range(20))
    jwt = cases.JWT + cases.some(700)
    for text, what in ((key, "a private key"), (jwt, "a token of 800 bytes")):
        for n in (1, 4, 30, 200):
            docs = [{"delta": {"text": text[i:i + n]}, "index": 0} for i in range(0, len(text), n)]
            out = [payload(l)[1] for l in run(lines("c", sse(docs)))]
            left = "".join(d["delta"]["text"] for d in documents(b"".join(out)))
            body = text.replace("\n", "").replace("-", "")[40:]
            left = left.replace("\n", "")
            tap.ok(not any(body[i:i + 12] in left for i in range(0, len(body) - 60)), "%s, %d bytes a piece" % (what, n), left[:300])


def test_chunks():
    """The raw bytes of a connection, whose chunks end anywhere: within a document, a credential, a line's end."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    wrong = []
    for size in (7, 16, 29, 50):
        for n, docs in [(n, sse([{"t": p} for p in pieces(n)])) for n in (1, 5, 20)] + [(0, ['{"api_key":"%s","x":"y"}' % KEY]), (0, ["see %s \n" % KEY])]:
            body = "".join(docs).encode()
            chunks = [b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size]) for i in range(0, len(body), size)] + [b"0\r\n\r\n"]
            for parts in ([head] + chunks, [head + b"".join(chunks)], [head + chunks[0], b"".join(chunks[1:])]):
                lines_, off = [], 0
                for i, p in enumerate(parts):
                    lines_.append(event("ssl.data", timestamp_ns=i, conn="c", function="READ/RECV", off=off, len=len(p), data=p.decode()))
                    off += len(p)
                text = "".join(json.loads(l)["data"] for l in run(lines_))
                left = re.sub(r"\r\n[0-9a-f]+\r\n", "", text)
                left = "".join(re.findall(r'"t": ?"(.*?)"', left)) if n else left
                if "[REDACTED]" not in text or leaks(left):
                    wrong.append((size, n, len(parts), text[:500]))
    two = [head + b"1f\r\n" + b"x" * 15 + b"\r\n", b"ghp_" + KEY[13:49].encode() + b"\r\n"]
    text = run([event("ssl.data", timestamp_ns=i, conn="c", function="READ/RECV", off=sum(map(len, two[:i])), len=len(p), data=p.decode()) for i, p in enumerate(two)])[1]
    tap.ok(not wrong and "ghp_" not in text, "chunks that end anywhere", len(wrong), text, *wrong[:4])


def test_checksums():
    """Checksums of frames that look like the beginning of a document, at each cut."""
    wrong = []
    for sum_ in (b'{"a\xff', b'\xff{"a', b'{}{"', b'\n"a\xff', b'\r[0"', b'\n[\xff"', b'{"":', b'\xff\xff{"'):
        for n in (3, 8, 17):
            parts = [f[:-4] + sum_ for f in frames([{"t": p} for p in pieces(n)])]
            text = b"".join(payload(l)[1] for l in run(lines("c", parts))).decode("latin-1")
            if "[REDACTED]" not in text or leaks("".join(re.findall(r'"t":"(.*?)"}', text))):
                wrong.append((sum_, n, text[:400]))
    tap.ok(not wrong, "checksums that look like JSON hide nothing", len(wrong), *wrong[:4])


def test_bounds():
    """More paths than are remembered: memory stays, and what is open when one is forgotten goes."""
    docs = [{"p%d" % i: "sk-ant-api03-" + cases.some(6)} for i in range(200)]
    out = run(lines("c", sse(docs)))
    tap.ok(len(out) == 200 and not any(d["p%d" % i][13:] in payload(l)[1].decode() for i, (d, l) in enumerate(zip(docs[:130], out))),
           "200 paths that are each open: what is forgotten is redacted", out[:3])
    wide = {"p%d" % i: "x" for i in range(100)}
    docs = [dict(wide, p3=p) for p in pieces(5)]
    text = "".join(d["p3"] for l in run(lines("c", sse(docs))) for d in documents(payload(l)[1]))
    tap.ok(not leaks(text), "documents of 100 paths: the first ones are followed", text)


def waited(lines_):
    return int(re.search(r"(\d+) lines waited", run(lines_, "-v", stderr=True)).group(1))


PROSE = """The token budget is 4096, the key idea: pass `max_tokens` and read the usage. Set the password in your own shell,
not here. For example: export NAME=value; then run make && echo done. See https://example.com/a?b=c for more.
{"api_version": 3, "name": "x"} def token(self): return self._token[0] if key == 'Enter' else None
- auth: the user signs in, a session is made, a cookie is set\n| key | what |\n|---|---|\n| `sk` | a socket |
The loop reads a line, looks for its type and writes it again; what does not parse goes on as it is, and is counted.
    for (size_t i = 0; i < n; i++) { if (key[i] == other[i]) continue; return key[i] < other[i] ? -1 : 1; }
Run the tests with `make test` first: all of them have to pass on a machine that is busy, too, so none may look at a clock.
git commit -m "keep tokens apart" && git push\nAuthorization is needed: "Basic" or "Bearer".\n"""


def test_waiting():
    """A stream stays one: hardly a line waits for the next."""
    for name, parts in (("words", re.findall(r"\s*\S+", PROSE * 40)), ("four letters", [(PROSE * 10)[i:i + 4] for i in range(0, len(PROSE) * 10, 4)])):
        docs = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in parts]
        body = lines("c", sse(docs))
        tap.equal(run(body), body, "prose in pieces of %s is unchanged" % name)
        n = waited(body)
        tap.ok(n * 100 < len(body), "and of %d lines less than one in 100 waits" % len(body), n)
    all_ = []
    for path in sorted(glob.glob(os.path.join(HERE, "data", "ssemerge", "*.body"))):
        name, data = os.path.basename(path), open(path, "rb").read()
        docs = documents(data)
        all_ += lines(name, frames(docs) if name.startswith("bedrock") else sse(docs)) if docs else []
    n = waited(all_)
    tap.ok(n * 100 < len(all_) and run(all_) == all_, "the recorded streams are unchanged, %d lines of which hardly one waits" % len(all_), n)


test_recorded()
test_cut_lines()
test_made_up()
test_interleaved()
test_deltas()
test_nested()
test_within()
test_long()
test_chunks()
test_checksums()
test_bounds()
test_waiting()
tap.done()

#!/usr/bin/python3
"""httpparse against node's http: what node's server was asked, and what node's client
was answered, is what httpparse makes of the bytes between them, cut as they came and
anew. SEED chooses the exchanges (any, when not set)."""
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from httpparse_kit import HERE, R, Conn, Tap, W, body, lines, run  # noqa: E402

tap = Tap()
if not shutil.which("node"):
    print("1..0 # SKIP no node")
    sys.exit(0)
SEED = int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 20)
p = subprocess.run(["node", os.path.join(HERE, "node_http.mjs"), str(SEED), "120"], stdout=subprocess.PIPE, timeout=120, check=True)
node = json.loads(p.stdout)


def decoded(headers, data):
    """What node leaves coded."""
    for name, values in headers:
        if name == "content-encoding":
            for coding in reversed(", ".join(values).split(", ")):
                if coding == "br":
                    return None     # by the length alone: no decoder here
                data = zlib.decompress(data, 47 if coding == "gzip" else 15) if data else data
    return data


def fields(pairs):
    """Headers in httpparse's way. node shows the bytes of a value as Latin-1."""
    out = {}
    for name, values in pairs:
        values = [v.strip(" \t") for v in values]
        out[name] = values[0] if len(values) == 1 else values
    return out


def latin(v):
    """What is UTF-8 on the wire, read as Latin-1."""
    return [latin(x) for x in v] if isinstance(v, list) else v.encode("utf-8").decode("latin-1") if not v.isascii() else v


def check(e, n, keys):
    want = fields(n["headers"])
    got = {k: latin(v) if latin(v) == want.get(k) else v for k, v in e["headers"].items()}
    data = decoded(n["headers"], base64.b64decode(n["body"]))
    wrong = [k for k, v in keys.items() if e.get(k) != v]
    if got != want:
        wrong.append("headers")
    if fields(n["trailers"]) != e.get("trailers", {}):
        wrong.append("trailers")
    if data is not None and body(e) != data:
        wrong.append("body")
    if data is None and not e.get("body_len") and n["body"]:
        wrong.append("body_len")
    if "incomplete" in e or "undecoded" in e or "bad_lines" in e or "pairing_uncertain" in e:
        wrong.append("marks")
    return wrong


def conns():
    for i, steps in enumerate(node["conns"]):
        c = Conn("100:%x:%d" % (i, i))
        c.steps = [(W if d == "W" else R, base64.b64decode(b)) for d, b in steps]
        yield c.close()


first = None
for name, cut in (("as they came", 0), ("byte by byte", 1), ("by 7", 7), ("by 1000", 1000)):
    r = run([line for c in conns() for line in lines(c, cut)])
    asked = {e["headers"]["x-n"]: e for e in r.of("http.request")}
    number = {e["id"]: e["headers"]["x-n"] for e in r.of("http.request")}
    answered = {number.get(e["id"]): e for e in r.of("http.response")}
    bad = [(n["n"], w) for n in node["asked"] for w in
           [check(asked[n["n"]], n, {"method": n["method"], "path": n["path"]}) if n["n"] in asked else "missing"] if w]
    bad += [(n["n"], w) for n in node["answered"] for w in
            [check(answered[n["n"]], n, {"status_code": n["status"], "status_text": n["text"]}) if n["n"] in answered else "missing"] if w]
    tap.ok(not bad and len(asked) == len(answered) == 120 and not r.loss() and not r.check(),
           "%s (SEED=%d)" % (name, SEED), bad[:3], len(asked), len(answered), r.loss(), r.check()[:2],
           [e for e in (asked.get(b[0]) for b in bad[:1])], [n for n in node["asked"] + node["answered"] if bad and n["n"] == bad[0][0]])
tap.done()

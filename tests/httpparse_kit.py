"""What the httpparse tests share: connections into ssl.data lines, and back.

A Conn is a list of steps: bytes in a direction, holes, a close. lines() makes
event lines of it, cut as asked; parse() runs httpparse on them and gives the
events it wrote, each checked against the schema.
"""
import base64
import ctypes
import json
import os
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "server")]
import encode  # noqa: E402
import validate  # noqa: E402

W, R = "WRITE/SEND", "READ/RECV"
TOOL = os.environ.get("HTTPPARSE", "httpparse")
T0 = 1795000000000000000


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, *why):
        self.n += 1
        if not good:
            self.failed += 1
        print("%sok %d - %s" % ("" if good else "not ", self.n, name))
        if not good:
            for w in why:
                print("# " + repr(w)[:1500])
        sys.stdout.flush()
        return good

    def equal(self, got, want, name):
        return self.ok(got == want, name, ("got", got), ("want", want))

    def done(self):
        print("1..%d" % self.n)
        sys.exit(1 if self.failed else 0)


class Conn:
    """steps: (direction, bytes) | (direction, "hole", n) | ("close",)"""

    def __init__(self, name="100:ab:1", tid=101, server=False):
        self.name, self.tid, self.steps = name, tid, []
        self.flip = server

    def _dir(self, d):
        return {W: R, R: W}[d] if self.flip else d

    def w(self, data):
        self.steps.append((self._dir(W), data))
        return self

    def r(self, data):
        self.steps.append((self._dir(R), data))
        return self

    def hole(self, d, n):
        self.steps.append((self._dir(d), "hole", n))
        return self

    def close(self):
        self.steps.append(("close",))
        return self

    def flipped(self):
        """The same connection as the other end sees it."""
        c = Conn(self.name, self.tid)
        c.steps = [({W: R, R: W}[s[0]],) + tuple(s[1:]) if s[0] in (W, R) else s for s in self.steps]
        return c


def data_line(conn, d, off, data, ts, tid=101, b64=False, **more):
    e = {"type": "ssl.data", "timestamp_ns": ts, "pid": 100, "tid": tid, "uid": 1000, "comm": "agent",
         "conn": conn, "function": d, "off": off, "len": more.pop("len", len(data)), "lib": "openssl",
         "latency_ms": 0.01}
    e.update(more)
    try:
        if b64:
            raise UnicodeDecodeError("x", b"", 0, 0, "")
        e["data"] = data.decode("utf-8")
    except UnicodeDecodeError:
        e["data_b64"] = base64.b64encode(data).decode()
    return json.dumps(e, separators=(",", ":"), ensure_ascii=False)


def lines(conn, cut=0, same_time=False):
    """cut: 0 as the steps are, n: pieces of n bytes, a function: of (step, bytes) -> list of bytes."""
    off, out, ts = {W: 0, R: 0}, [], T0
    for i, s in enumerate(conn.steps):
        if s[0] == "close":
            out.append(json.dumps({"type": "ssl.close", "timestamp_ns": ts, "pid": 100, "tid": conn.tid,
                                   "uid": 1000, "comm": "agent", "conn": conn.name,
                                   "read_bytes": off[R], "written_bytes": off[W]}, separators=(",", ":")))
        elif s[1] == "hole":
            off[s[0]] += s[2]
        else:
            data = s[1]
            if callable(cut):
                parts = cut(i, data)
            elif cut:
                parts = [data[k:k + cut] for k in range(0, len(data), cut)]
            else:
                parts = [data]
            for p in parts:
                out.append(data_line(conn.name, s[0], off[s[0]], p, ts, conn.tid))
                off[s[0]] += len(p)
        if not same_time:
            ts += 1000000
    return out


checker = validate.Checker(os.path.join(HERE, "..", "docs", "events.schema.json"))


def unbooked(lines):
    """The lines without those that stages write about themselves."""
    return [x for x in lines if not x.startswith((b'{"type":"stage.', b'{"type":"run.'))]


class Run:
    def __init__(self, text, args=()):
        p = subprocess.run([TOOL, *args], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out, self.err, self.rc = p.stdout, p.stderr.decode("utf-8", "replace"), p.returncode
        self.wrong = [] if p.returncode in (0, 3) else [("exit", p.returncode, self.err[-800:])]
        self.raw = unbooked(self.out.split(b"\n")[:-1])
        self.events = []
        for line in self.raw:
            try:
                e = json.loads(line)
            except (ValueError, RecursionError):
                e = None
            self.events.append(e if isinstance(e, dict) and "type" in e else {"type": None})

    def check(self):
        """What the schema has against the output."""
        bad = list(self.wrong)
        for line in self.raw:
            why = checker.check(line)
            if why:
                bad.append((why, line[:300]))
        return bad

    def of(self, *types):
        return [e for e in self.events if e["type"] in types]

    def loss(self):
        total = {}
        for e in self.of("loss"):
            n, b = total.get(e["reason"], (0, 0))
            total[e["reason"]] = (n + e["events"], b + e["bytes"])
        return total


def run(line_list, *args):
    return Run("".join(l + "\n" for l in line_list).encode("utf-8", "surrogatepass"), args)


def parse(conn, *args, cut=0):
    return run(lines(conn, cut), *args)


def body(e, key="body"):
    if key in e:
        return e[key].encode("utf-8")
    return base64.b64decode(e[key + "_b64"]) if key + "_b64" in e else b""


def normal(run_):
    """By connection, what must not depend on how the input was cut: events in
    order, pieces of streaming bodies joined, what was passed on as bytes."""
    conns = {}
    for e in run_.events:
        if e["type"] == "loss":
            continue
        e = dict(e)
        name = e.pop("conn")
        out, pieces, passed = conns.setdefault(name, ([], {}, {}))
        if "id" in e:
            assert e["id"].startswith(name + "/"), "an id of another connection"
            e["id"] = e["id"][len(name):]
        if e["type"] == "http.body":
            p = pieces.setdefault(e["id"], {"data": b"", "seq": 0, "last": False})
            assert not p["last"], "a piece behind the last"
            assert e["seq"] == p["seq"] and e["off"] == len(p["data"]), "seq or off out of step"
            p["seq"] += 1
            p["data"] += body(e, "data")
            for k, v in e.items():
                if k not in ("timestamp_ns", "seq", "off", "data", "data_b64"):
                    p[k] = v
            if e["last"]:
                out.append(("body", {k: v for k, v in p.items() if k != "seq"}))
        elif e["type"] == "ssl.data":
            passed[e["function"]] = passed.get(e["function"], b"") + body(e, "data")
        else:
            out.append(e)
    for _, pieces, _ in conns.values():
        assert all(p["last"] for p in pieces.values()), "a body without a last piece"
    return {name: (out, passed) for name, (out, _, passed) in conns.items()}


def request(body_=b"", path="/v1/messages", method="POST", host="api.example.com", extra=""):
    length = "Content-Length: %d\r\n" % len(body_) if body_ or method == "POST" else ""
    return ("%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n" % (method, path, host, length, extra)).encode() + body_


def response(body_=b"", status="200 OK", extra="", length=True):
    head = "Content-Length: %d\r\n" % len(body_) if length else ""
    return ("HTTP/1.1 %s\r\n%s%s\r\n" % (status, head, extra)).encode() + body_


def chunked(*parts, trailer=""):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts if p) + b"0\r\n" + trailer.encode() + b"\r\n"


def coded(name, data, parts=1):
    """data in a content coding, flushed parts times on the way."""
    e = encode.MAKERS[name]()
    step = max(1, len(data) // parts)
    return b"".join(e.add(data[i:i + step]) for i in range(0, len(data), step)) + e.end()


# --- HTTP/2: frames by hand, header blocks by nghttp2's own encoder ---------------------
class Nv(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p), ("namelen", ctypes.c_size_t),
                ("valuelen", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


class Hpack:
    """One direction's encoder, with its table."""

    def __init__(self, size=4096):
        self.lib = ctypes.CDLL("libnghttp2.so.14")
        self.lib.nghttp2_hd_deflate_bound.restype = ctypes.c_size_t
        self.lib.nghttp2_hd_deflate_hd.restype = ctypes.c_ssize_t
        self.p = ctypes.c_void_p()
        self.lib.nghttp2_hd_deflate_new(ctypes.byref(self.p), ctypes.c_size_t(size))

    def resize(self, size):
        self.lib.nghttp2_hd_deflate_change_table_size(self.p, ctypes.c_size_t(size))

    def block(self, fields):
        nva = (Nv * len(fields))(*[Nv(n.encode(), v.encode() if isinstance(v, str) else v, len(n),
                                      len(v.encode() if isinstance(v, str) else v), 0) for n, v in fields])
        room = self.lib.nghttp2_hd_deflate_bound(self.p, nva, ctypes.c_size_t(len(fields)))
        buf = ctypes.create_string_buffer(max(room, 1))
        n = self.lib.nghttp2_hd_deflate_hd(self.p, buf, ctypes.c_size_t(room), nva, ctypes.c_size_t(len(fields)))
        assert n >= 0
        return buf.raw[:n]


DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIO = 1, 4, 8, 32
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def padded(payload, n):
    return bytes([n]) + payload + b"\0" * n


class H2:
    """Both directions' encoders: client() and server() give the bytes of header frames."""

    def __init__(self):
        self.c, self.s = Hpack(), Hpack()

    def ask(self, stream, fields=(), path="/v1/messages", method="POST", end=False, host="api.example.com", pseudo=(), **how):
        first = [(":method", method), (":scheme", "https"), (":path", path), (":authority", host)] if not pseudo else list(pseudo)
        return self.headers(self.c, stream, first + list(fields), end, **how)

    def answer(self, stream, fields=(), status=200, end=False, **how):
        return self.headers(self.s, stream, [(":status", str(status))] + list(fields), end, **how)

    def headers(self, hpack, stream, fields, end=False, pieces=1, pad=0, prio=False, kind=HEADERS, before=b""):
        block = hpack.block(fields)
        step = len(block) // pieces + 1
        parts = [block[i:i + step] for i in range(0, len(block), step)]
        parts += [b""] * (pieces - len(parts))
        flags = (END_STREAM if end else 0) | (END_HEADERS if pieces == 1 else 0) | (PADDED if pad else 0) | (PRIO if prio else 0)
        first = before + (b"\x80\0\0\3\x10" if prio else b"") + parts[0]
        out = frame(kind, flags, stream, padded(first, pad) if pad else first)
        for i, p in enumerate(parts[1:], 2):
            out += frame(CONTINUATION, END_HEADERS if i == pieces else 0, stream, p)
        return out


def data(stream, payload, end=False, pad=0):
    return frame(DATA, (END_STREAM if end else 0) | (PADDED if pad else 0), stream, padded(payload, pad) if pad else payload)


# --- WebSocket ----------------------------------------------------------------------------
def ws(opcode, payload, fin=True, rsv=0, mask=None):
    n = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    head += bytes([bit | n]) if n < 126 else bytes([bit | 126]) + n.to_bytes(2, "big") if n < 65536 else bytes([bit | 127]) + n.to_bytes(8, "big")
    if mask:
        head += mask
        payload = bytes(c ^ mask[i & 3] for i, c in enumerate(payload))
    return head + payload


class Deflate:
    """permessage-deflate of one direction."""

    def __init__(self, takeover=True, level=6):
        self.takeover, self.level, self.z = takeover, level, None

    def __call__(self, data_):
        if self.z is None or not self.takeover:
            self.z = zlib.compressobj(self.level, zlib.DEFLATED, -15)
        out = self.z.compress(data_) + self.z.flush(zlib.Z_SYNC_FLUSH)
        assert out.endswith(b"\0\0\xff\xff")
        return out[:-4]


# --- AWS event streams, gRPC ----------------------------------------------------------------
def aws(headers, payload):
    h = b"".join(bytes([len(k)]) + k.encode() + b"\7" + len(v).to_bytes(2, "big") + v.encode() for k, v in headers)
    prelude = (16 + len(h) + len(payload)).to_bytes(4, "big") + len(h).to_bytes(4, "big")
    prelude += zlib.crc32(prelude).to_bytes(4, "big")
    whole = prelude + h + payload
    return whole + zlib.crc32(whole).to_bytes(4, "big")


def grpc(payload, flags=0):
    return bytes([flags]) + len(payload).to_bytes(4, "big") + payload

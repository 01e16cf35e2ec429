"""What the tests of sslsniff share: TAP, a running sslsniff, what it said.

    with Sniffer("-p", str(pid)) as s: ...     # attached when the block begins
    s.events, s.stderr, s.status               # after it
"""
import base64
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import validate

PYTHON = "/usr/bin/python3"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.chdir(ROOT)
T = tempfile.TemporaryDirectory(prefix="agentsight-test.")
tests = failed = 0
# What is large or many is so many times smaller: for machines that are emulated, see
# tests/kernels.
SCALE = int(os.environ.get("TEST_SCALE", 1))
checker = validate.Checker("docs/events.schema.json")


def ok(good, name, *why):
    global tests, failed
    tests += 1
    print("%s %d - %s" % ("ok" if good else "not ok", tests, name))
    if not good:
        failed += 1
        for w in why:
            for line in str(w)[:3000].splitlines()[:15]:
                print("# " + line[:300])
    sys.stdout.flush()
    return good


def equal(got, wanted, name):
    return ok(got == wanted, name, "got:    %r" % (got,), "wanted: %r" % (wanted,))


def done():
    print("1..%d" % tests)
    T.cleanup()
    sys.exit(1 if failed else 0)


def need_bpf():
    p = subprocess.run([PYTHON, "tests/bpf_works.py"], capture_output=True, text=True)
    if p.returncode == 0:
        return
    if os.environ.get("AGENTSIGHT_NO_SKIP"):
        print("not ok 1 - cannot run: BPF does not work here: " + p.stdout)
        print("1..1")
        sys.exit(1)
    print("1..0 # SKIP BPF does not work here: " + p.stdout.strip())
    sys.exit(0)


def cc(name, *args):
    """Compiles; the path of the result."""
    out = os.path.join(T.name, name)
    subprocess.run(["cc", "-O2", "-g", "-o", out, *args], check=True)
    return out


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Sniffer:
    """A running sslsniff. out: where its standard output goes, a file by default."""

    def __init__(self, *args, out=None, stop=signal.SIGINT):
        self.args, self.out, self.how = args, out, stop

    def __enter__(self):
        r, w = os.pipe()
        self.path = tempfile.mktemp(dir=T.name)
        out = self.out if self.out is not None else open(self.path, "wb")
        self.err = open(self.path + ".err", "a+")  # said() moves where it reads, not where sslsniff writes
        self.p = subprocess.Popen(["sslsniff", "--ready-fd", str(w), *self.args],
                                  stdout=out, stderr=self.err, pass_fds=[w])
        os.close(w)
        if self.out is None:
            out.close()
        ready = os.read(r, 1)
        os.close(r)
        if ready != b"\n":
            self.p.wait()
            raise SystemExit("Bail out! sslsniff did not start: " + self.said())
        return self

    def said(self):
        self.err.seek(0)
        return self.err.read()

    def hwm(self):
        """Largest resident size so far, bytes."""
        with open("/proc/%d/status" % self.p.pid) as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) * 1024

    def stop(self):
        if self.p.poll() is None:
            self.p.send_signal(self.how)
        self.status = self.p.wait(60)
        self.stderr = self.said()

    def __exit__(self, kind, *_):
        if kind:
            self.p.kill()
            self.p.wait()
            return
        if self.p.stdout is not None:	# the caller reads it
            return
        self.stop()
        self.events = load(self.path) if self.out is None else []


def load(path):
    """The events of a file; every line must be as the schema says (the long ones
    and those beyond a few hundred are only parsed, for time)."""
    events, bad = [], []
    with open(path, "rb") as f:
        for i, line in enumerate(f):
            if i < 300 and len(line) < 65536:
                why = checker.check(line[:-1])
                if why:
                    bad.append("%s: %r" % (why, line[:200]))
            e = json.loads(line)
            if not e["type"].startswith("stage."):
                events.append(e)
    if bad:
        ok(False, "lines are as the schema says", *bad[:5])
    return events


def data(e):
    return base64.b64decode(e["data_b64"]) if "data_b64" in e else e["data"].encode()


def streams(events):
    """{conn: {"READ/RECV": bytes, "WRITE/SEND": bytes}}; a hole is an error."""
    found = {}
    for e in events:
        if e["type"] != "ssl.data":
            continue
        s = found.setdefault(e["conn"], {"READ/RECV": bytearray(), "WRITE/SEND": bytearray()})
        b = s[e["function"]]
        if e["off"] != len(b) or e["len"] != len(data(e)):
            raise AssertionError("hole in %s at %d, have %d" % (e["conn"], e["off"], len(b)))
        b += data(e)
    return found


def sums(pairs):
    """A comparable form of many (read, written)."""
    return sorted((len(r), hashlib.sha256(r).hexdigest(), len(w), hashlib.sha256(w).hexdigest())
                  for r, w in pairs)


def sums_of(events, pid=None):
    mine = [e for e in events if pid is None or e.get("pid") == pid]
    return sums((s["READ/RECV"], s["WRITE/SEND"]) for s in streams(mine).values())


def books(stderr):
    """(seen, written, lost) as (events, bytes), from the summary."""
    m = re.search(r"sslsniff: seen (\d+) events \((\d+) bytes\), written (\d+) \((\d+) bytes\)"
                  r"(?:, our own (\d+) \((\d+) bytes\))?, lost (.*)$", stderr, re.M)
    if not m:
        raise AssertionError("no summary in: " + stderr)
    n = [int(x or 0) for x in m.groups()[:6]]
    lost = [(int(a), int(b or 0)) for a, b in
            re.findall(r"[a-z_]+ (\d+)(?: \((\d+) bytes\))?", m[7])] if m[7] != "nothing" else []
    return ((n[0], n[1]), (n[2] + n[4], n[3] + n[5]),
            (sum(a for a, _ in lost), sum(b for _, b in lost)))


def balanced(stderr, name):
    seen, written, lost = books(stderr)
    return equal(seen, (written[0] + lost[0], written[1] + lost[1]),
                 name + ": seen = written + lost")


# --- TLS ends ---------------------------------------------------------------------

def certificate():
    key, cert = os.path.join(T.name, "key.pem"), os.path.join(T.name, "cert.pem")
    if not os.path.exists(cert):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                        "-days", "2", "-subj", "/CN=localhost"], check=True,
                       stderr=subprocess.DEVNULL)
    return cert, key


def server_context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(*certificate())
    c.num_tickets = 0
    return c


def client_context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


class HttpServer:
    """Answers any HTTP/1.1 request with its own body, keeping connections open if it may;
    remembers per connection what it read and wrote."""

    def __init__(self):
        self.pairs, self.lock = [], threading.Lock()
        self.ctx = server_context()
        self.s = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.s.getsockname()[1]
        self.url = "https://127.0.0.1:%d/" % self.port
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            c, _ = self.s.accept()
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, raw):
        read, written = bytearray(), bytearray()
        with self.lock:
            self.pairs.append((read, written))
        try:
            with self.ctx.wrap_socket(raw, server_side=True) as c:
                while True:
                    body = self.request(c, read)
                    if body is None:
                        return
                    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                    c.sendall(answer)
                    written += answer
                    if b"connection: close" in bytes(read[:300]).lower():
                        return
        except OSError:
            pass

    @staticmethod
    def request(c, read):
        got = bytearray()
        while True:
            head = got.find(b"\r\n\r\n")
            if head >= 0:
                m = re.search(rb"content-length: (\d+)", bytes(got[:head]), re.I)
                need = head + 4 + (int(m[1]) if m else 0)
                if len(got) >= need:
                    return bytes(got[head + 4:need])
            piece = c.recv(65536)
            if not piece:
                return None
            got += piece
            read += piece


def tags(events):
    """Whose requests were seen: the first word of the path."""
    found = set()
    for e in events:
        if e["type"] == "ssl.data" and e["function"] == "WRITE/SEND":
            m = re.match(rb"GET /(\w+)", data(e))
            if m:
                found.add(m[1].decode())
    return found

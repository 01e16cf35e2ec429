#!/usr/bin/python3
"""websink over HTTP: who may ask, what is answered, live clients that are fast and
slow. What the page does in a browser is in tests/web."""
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

state = {"n": 0, "failed": 0}


def report(good, name, *why):
    state["n"] += 1
    print("%sok %d - %s" % ("" if good else "not ", state["n"], name), flush=True)
    if not good:
        state["failed"] += 1
        for w in why:
            print("# " + str(w).replace("\n", "\n# ")[:1500], flush=True)
    return good


def same(name, got, want):
    return report(got == want, name, "got:    %r" % (got,), "wanted: %r" % (want,))


class Sink:
    """websink as a process; its address is what it says on standard error."""

    def __init__(self, *args, stdin=subprocess.DEVNULL):
        self.p = subprocess.Popen(["websink", "--port", "0", *args], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.err = b""
        while True:
            line = self.p.stderr.readline()
            self.err += line
            m = re.search(rb"(http://(\[[^]]*\]|[^:/]*):(\d+)/)\?token=([0-9a-f]{64})\n", line)
            if m:
                break
            if not line:
                raise SystemExit("Bail out! websink did not start: %r" % self.err)
        self.port, self.token = int(m.group(3)), m.group(4).decode()

    def ask(self, path, method="GET", token=True, headers=(), host=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        c.putheader("Host", host or "127.0.0.1:%d" % self.port)
        if token:
            c.putheader("Authorization", "Bearer " + (self.token if token is True else token))
        for k, v in headers:
            c.putheader(k, v)
        c.endheaders()
        r = c.getresponse()
        body = r.read()
        c.close()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, body

    def json(self, path):
        return json.loads(self.ask(path)[2])

    def read_all(self, seconds=30):
        """Waits until it has read its input."""
        stop = time.monotonic() + seconds
        while not self.json("/api/v1/info")["ended"] and time.monotonic() < stop:
            time.sleep(0.02)
        return self.json("/api/v1/info")["ended"]

    def stream(self, after=0, receive=None, more=""):
        """A live client: the socket, behind the response's head."""
        s = socket.socket()
        if receive:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        s.settimeout(30)
        s.connect(("127.0.0.1", self.port))
        s.sendall(("GET /api/v1/events?after=%d%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n\r\n"
                   % (after, more, self.port, self.token)).encode())
        return s

    def end(self, sig=signal.SIGTERM):
        self.p.send_signal(sig)
        if self.p.stdin and self.p.stdin.closed:
            self.p.stdin = None
        out, err = self.p.communicate(timeout=30)
        self.err += err
        return self.p.returncode, out


class Client:
    """Reads server-sent events of a stream: chunks (RFC 9112 7.1) taken off, ids and gaps noted."""

    def __init__(self, sock):
        self.s, self.raw, self.text, self.head = sock, b"", b"", False
        self.ids, self.data, self.missed, self.ended, self.closed = [], [], 0, False, False
        self.comments = 0

    def chunks(self):
        if not self.head:
            at = self.raw.find(b"\r\n\r\n")
            if at < 0:
                return
            self.head, self.raw = True, self.raw[at + 4:]
        while True:
            at = self.raw.find(b"\r\n")
            if at < 0:
                return
            n = int(self.raw[:at], 16)
            if len(self.raw) < at + n + 4:
                return
            self.text += self.raw[at + 2:at + 2 + n]
            self.raw = self.raw[at + n + 4:]
            if n == 0:
                self.closed = True
                return

    def take(self):
        self.chunks()
        blocks = self.text.split(b"\n\n")
        self.text = blocks.pop()
        for b in blocks:
            if b.startswith(b":"):
                self.comments += 1
                continue
            f = dict(line.split(b": ", 1) for line in b.split(b"\n"))
            if f.get(b"event") == b"gap":
                self.missed += int(f[b"data"])
            elif f.get(b"event") == b"end":
                self.ended = True
            else:
                self.ids.append(int(f[b"id"]))
                self.data.append(f[b"data"])

    def read(self, until, seconds=30):
        """Reads until until(self); False when that takes too long."""
        stop = time.monotonic() + seconds
        while not until(self):
            left = stop - time.monotonic()
            if left <= 0 or self.closed or not select.select([self.s], [], [], left)[0]:
                return until(self)
            got = self.s.recv(1 << 18)
            if not got:
                self.closed = True
            self.raw += got
            self.take()
        return True


def lines_of(n, size=0, kind="file.open"):
    return [json.dumps({"type": kind, "timestamp_ns": 1795493553000000000 + i * 1000, "pid": 7, "tid": 7, "uid": 0, "comm": "t",
                        "path": "/x/%d" % i, "pad": "y" * size}, separators=(",", ":")).encode() for i in range(n)]


def with_file(lines):
    f = tempfile.NamedTemporaryFile(suffix=".ndjson", delete=False, dir=TMP)
    f.write(b"".join(line + b"\n" for line in lines))
    f.close()
    return f.name


# --- who may ask ------------------------------------------------------------------
def guard():
    s = Sink(with_file(lines_of(3)))
    here = "127.0.0.1:%d" % s.port
    status, head, body = s.ask("/?token=" + s.token, token=False)
    cookie = head.get("set-cookie", "")
    same("the address that is printed leads to the page", (status, head.get("location")), (303, "/"))
    report(re.match(r"agentsight-%d=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=/$" % s.port, cookie),
           "with a cookie that scripts and other sites do not get", cookie)
    pair = cookie.split(";")[0]
    status, head, body = s.ask("/", token=False, headers=[("Cookie", pair)])
    report(status == 200 and b"<title>agentsight</title>" in body, "the cookie opens the page", status)
    csp = head.get("content-security-policy", "")
    report("default-src 'none'" in csp and "frame-ancestors 'none'" in csp and "unsafe" not in csp and "*" not in csp,
           "whose policy allows no script but its own", csp)
    report(s.token.encode() not in body, "the page does not hold the token")
    refs = re.findall(rb"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", body)
    same("the page refers to no other place", refs, [])
    for path in ("/", "/api/v1/info", "/nothing"):
        status, head, body = s.ask(path, headers=[("Cookie", pair)])
        same("%s is not stored, not sniffed, not framed, not shared" % path,
             [head.get(k) for k in ("cache-control", "x-content-type-options", "x-frame-options", "referrer-policy",
                                    "cross-origin-resource-policy", "access-control-allow-origin")],
             ["no-store", "nosniff", "DENY", "no-referrer", "same-origin", None])
    for name, kw in (
            ("no token", {}), ("a wrong one", {"token": "0" * 64}), ("a part of it", {"token": s.token[:63]}),
            ("more than it", {"token": s.token + "0"}), ("an empty cookie", {"headers": [("Cookie", "agentsight-%d=" % s.port)]}),
            ("another port's cookie", {"headers": [("Cookie", "agentsight-1=" + s.token)]})):
        kw.setdefault("token", False)
        got = [s.ask(p, **kw)[0] for p in ("/", "/api/v1/events", "/api/v1/info", "/api/v1/event/1", "/api/v1/match?expr=type", "/x")]
        same("%s: 401 everywhere" % name, got, [401] * 6)
    same("a wrong token in the address: 401", s.ask("/?token=" + "f" * 64, token=False)[0], 401)
    for host in ("evil.example", "evil.example:%d" % s.port, "127.0.0.1:1", "127.0.0.1", "127.0.0.1.evil.example:%d" % s.port,
                 "localhost.:%d" % s.port, "[::1]:%d:1" % s.port, "", ":%d" % s.port, "127.0.0.1:%dx" % s.port, "0x7f.1:%d" % s.port):
        same("host %r is refused, with the token too" % host, s.ask("/api/v1/info", host=host)[0] if host else 421, 421)
    same("two hosts are refused", s.ask("/api/v1/info", headers=[("Host", here)])[0] in (400, 421), True)
    for host in ("localhost:%d" % s.port, "LOCALHOST:%d" % s.port, "[::1]:%d" % s.port):
        same("host %s is ours" % host, s.ask("/api/v1/info", host=host)[0], 200)
    for origin in ("http://evil.example", "https://127.0.0.1:%d" % s.port, "http://127.0.0.1:1", "null", "http://127.0.0.1:%d.evil" % s.port, ""):
        same("origin %r: 403" % origin, s.ask("/api/v1/info", headers=[("Origin", origin)])[0], 403)
    same("our own origin may ask", s.ask("/api/v1/info", headers=[("Origin", "http://" + here)])[0], 200)
    for site in ("cross-site", "same-site"):
        same("a %s request: 403" % site, s.ask("/api/v1/info", headers=[("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")])[0], 403)
        same("a %s frame: 403" % site, s.ask("/", headers=[("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")])[0], 403)
    same("a link from elsewhere may lead here", s.ask("/", headers=[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")])[0], 200)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        status, head, _ = s.ask("/api/v1/events", method=method)
        same("%s changes nothing" % method, (status, head.get("allow")), (405, "GET, HEAD"))
    same("HEAD is answered", s.ask("/", method="HEAD")[0], 200)
    same("no file is served", [s.ask(p)[0] for p in ("/etc/passwd", "/../../etc/passwd", "/api/v1/../../etc/passwd", "/%2e%2e/etc/passwd")], [404] * 4)
    same("it ended well", s.end(), (0, b""))


# --- what is answered ----------------------------------------------------------------
def answers():
    long = json.dumps({"type": "http.request", "timestamp_ns": 5, "pid": 7, "id": "a/1", "body": "é\"\\\U0001f600" * 4000, "body_len": 9,
                       "data_b64": "QUJD" * 3000}, ensure_ascii=False).encode()
    call = json.dumps({"type": "llm.call", "timestamp_ns": 6, "pid": 7, "text": "z" * 20000}).encode()
    lines = lines_of(500) + [long, call]
    path = with_file(lines)
    s = Sink(path)
    s.read_all()
    c = Client(s.stream())
    report(c.read(lambda c: c.ended), "the stream has an end when the input has one")
    same("every line is there, with its number", (c.ids, c.data), (list(range(1, 503)), lines))
    c = Client(s.stream(after=499))
    c.read(lambda c: c.ended)
    same("a client that comes back gets what it missed", c.ids, [500, 501, 502])
    c = http.client.HTTPConnection("127.0.0.1", s.port)
    c.request("GET", "/api/v1/events", headers={"Authorization": "Bearer " + s.token, "Last-Event-ID": "501"})
    report(b"id: 502\n" in c.getresponse().read(), "so says Last-Event-ID")
    c = Client(s.stream(after=99999))
    c.read(lambda c: c.ended)
    same("a number of another run begins again", len(c.ids), 502)
    same("after must be a number", [s.ask("/api/v1/events?after=" + x)[0] for x in ("x", "-1", "1e3", "99999999999999999999")], [400] * 4)
    same("plain lines are the very input", s.ask("/api/v1/events?form=ndjson")[2], open(path, "rb").read())
    same("one line, whole", s.ask("/api/v1/event/501")[2], long)
    same("lines that are not there", [s.ask("/api/v1/event/" + x)[0] for x in ("503", "0", "x", "")], [404, 400, 400, 400])
    c = Client(s.stream(after=499, more="&preview=1"))
    c.read(lambda c: c.ended)
    cut, full = json.loads(c.data[1]), json.loads(long)
    report(len(c.data[1]) < 4096 and full["body"].startswith(cut["body"]) and full["data_b64"].startswith(cut["data_b64"])
           and len(cut["data_b64"]) % 4 == 0 and cut["body_len"] == 9, "a long line is cut at whole characters and groups", c.data[1][:200])
    same("and says what was cut", sorted(cut["cut"]), ["body", "data_b64"])
    same("calls of models stay whole", c.data[2], call)
    s.read_all()
    info = s.json("/api/v1/info")
    same("what is kept", (info["first_id"], info["next_id"], info["ended"], info["source"]), (1, 503, True, path))
    same("what there is not", s.ask("/api/v1/nothing")[0], 404)
    for expr in ("path=/x/7", "path~9 & !(path$=9)", "type=llm.call", "pid=7 & body", "path=~^/x/1[0-9]$", "nothing=1", "type!=file.open"):
        want = subprocess.run(["jsonfilter", "--only", "-e", expr, path], stdout=subprocess.PIPE, check=False).stdout.splitlines()
        got = s.json("/api/v1/match?expr=" + re.sub(rb"[^A-Za-z0-9]", lambda m: b"%%%02X" % m.group()[0], expr.encode()).decode())
        same("match %s is what jsonfilter prints" % expr, [lines[i - 1] for i in got["ids"]], want)
    got = s.json("/api/v1/match?expr=type&after=490&limit=3")
    same("match goes on from where it was", (got["ids"], got["last_id"], got["more"]), ([491, 492, 493], 493, True))
    status, _, body = s.ask("/api/v1/match?expr=a%3D%3D%26")
    bad = json.loads(body)
    report(status == 400 and bad["error"] and isinstance(bad["at"], int), "a wrong expression says where", body)
    same("an expression must be there", s.ask("/api/v1/match")[0], 400)
    s.end()


# --- live ---------------------------------------------------------------------------
def live():
    s = Sink(stdin=subprocess.PIPE)
    c = Client(s.stream())
    lines = lines_of(4)
    s.p.stdin.write(lines[0] + b"\n")
    s.p.stdin.flush()
    report(c.read(lambda c: len(c.data) == 1), "a line is there at once, though no other follows")
    s.p.stdin.write(lines[1][:20])
    s.p.stdin.flush()
    report(not c.read(lambda c: len(c.data) > 1, 0.3), "half a line is not")
    s.p.stdin.write(lines[1][20:] + b"\nno json\n" + lines[2] + b"\n")
    s.p.stdin.flush()
    report(c.read(lambda c: len(c.data) == 3), "what is no event is left out")
    s.p.send_signal(signal.SIGINT)
    s.p.stdin.write(lines[3] + b"\n")
    s.p.stdin.flush()
    report(c.read(lambda c: len(c.data) == 4), "Ctrl-C leaves the last lines of the collectors their time")
    s.p.stdin.close()
    report(c.read(lambda c: c.ended) and s.p.poll() is None and s.json("/api/v1/info")["ended"], "the end of the input ends the stream, not the page")
    s.p.send_signal(signal.SIGINT)
    same("then Ctrl-C ends it", s.p.wait(30), 0)
    report(b"bad_json 1" in s.p.stderr.read(), "and it says what it left out")

    s = Sink(stdin=subprocess.PIPE)
    c = Client(s.stream())
    c.read(lambda c: c.head, 2)
    same("SIGTERM ends it with clients", s.end()[0], 0)
    c.read(lambda c: c.closed)
    same("without waiting for their next comment", c.comments, 0)
    s = Sink("--exit", stdin=subprocess.PIPE)
    c = Client(s.stream())
    c.read(lambda c: c.head)
    s.p.stdin.write(lines[0] + b"\n")
    s.p.stdin.close()
    report(c.read(lambda c: c.closed) and c.ended and len(c.data) == 1, "with --exit clients are told the end", c.raw, c.text)
    same("before it goes", s.p.wait(30), 0)
    report(subprocess.run(["websink", "--port", "0", "--exit"], input=b"", stderr=subprocess.PIPE, check=False).returncode == 0, "--exit ends it with its input")
    out = subprocess.run(["websink", "--port", "0", "--exit", "--tee"], input=b"".join(x + b"\n" for x in lines) + b"junk\n", stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False).stdout
    report(out.split(b"\n", 1)[1].startswith(b"".join(x + b"\n" for x in lines) + b"junk\n"), "--tee passes every byte", out[-200:])


def clients():
    """50 clients, one of which does not read: the others have every line, and it can go on where it was."""
    n, size = 30000, 200
    s = Sink("--max-memory", "2M", stdin=subprocess.PIPE)
    fast, lines = [Client(s.stream()) for _ in range(49)], lines_of(n, size)
    slow = Client(s.stream(receive=4096))
    for c in fast + [slow]:
        c.read(lambda c: c.head, 10)

    def feed():
        for i in range(0, n, 50):
            # the memory holds 6000 lines: those who read keep up, whatever the machine is busy with
            while i - min(len(c.ids) for c in fast) > 3000:
                time.sleep(0.002)
            s.p.stdin.write(b"".join(x + b"\n" for x in lines[i:i + 50]))
            s.p.stdin.flush()
        s.p.stdin.close()
    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    stop = time.monotonic() + 60
    while not all(c.ended for c in fast) and time.monotonic() < stop:
        for sock in select.select([c.s for c in fast if not c.ended], [], [], 1)[0]:
            c = next(c for c in fast if c.s is sock)
            c.raw += sock.recv(1 << 16)
            c.take()
    whole = list(range(1, n + 1))
    same("49 clients have every one of %d lines, beside one that does not read" % n, sum(c.ids == whole and not c.missed for c in fast), 49)
    feeder.join(5)
    report(slow.read(lambda c: c.ended), "the slow one comes to the end as well")
    same("what it has and what it is told to have missed is all there was", len(slow.ids) + slow.missed, n)
    report(slow.missed > 0 and slow.ids == sorted(set(slow.ids)) and slow.ids[-1] == n, "in order, with the newest", slow.missed)
    again = Client(s.stream(after=slow.ids[-10]))
    again.read(lambda c: c.ended)
    same("it comes back where it was", again.ids, slow.ids[-9:])
    with open("/proc/%d/status" % s.p.pid) as f:
        rss = int(re.search(r"VmHWM:\s*(\d+)", f.read()).group(1))
    if "libasan" not in open("/proc/%d/maps" % s.p.pid).read():
        report(rss < 40000, "its memory is bounded", "%d kB" % rss)
    s.end()
    report(re.search(rb"lost: .*slow_client %d" % slow.missed, s.err) and re.search(rb"max_memory \d+", s.err), "and all of it is told at the end", s.err)


def rude():
    """Requests that are none, heads without end, clients that leave."""
    s = Sink(with_file(lines_of(2000, 500)))
    s.read_all()
    for text in (b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"G" * 70000, b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n", b"GET /?" + b"%00" * 500 + b" HTTP/1.1\r\n\r\n",
                 b"POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 99999999999\r\n\r\n" % s.port):
        c = socket.create_connection(("127.0.0.1", s.port), timeout=20)
        got = b""
        try:
            c.sendall(text)
            c.shutdown(socket.SHUT_WR)
            while len(got) < 1 << 16:
                more = c.recv(4096)
                if not more:
                    break
                got += more
        except OSError:
            pass
        c.close()
        report(b" 200 " not in got[:40] and b"/x/1" not in got, "nothing for %r" % text[:40], got[:80])
    for _ in range(30):
        c = s.stream()
        c.recv(10)
        c.close()
    same("it still answers", s.json("/api/v1/info")["next_id"], 2001)
    idle = [socket.create_connection(("127.0.0.1", s.port)) for _ in range(100)]
    same("beside 100 connections that say nothing, too", s.json("/api/v1/info")["next_id"], 2001)
    for c in idle:
        c.close()
    same("and ends well", s.end()[0], 0)


def ends():
    s = Sink(with_file(lines_of(1)))
    r = subprocess.run(["websink", "--port", str(s.port), "/dev/null"], stderr=subprocess.PIPE, check=False)
    report(r.returncode == 1 and b"--port" in r.stderr, "a port that is taken: exit 1, and what to do", r.stderr)
    s.end()
    r = subprocess.run(["websink", "--listen", "no.such.host.invalid", "/dev/null"], stderr=subprocess.PIPE, check=False)
    report(r.returncode == 1 and b"no.such.host.invalid" in r.stderr, "an address that is none: exit 1", r.stderr)
    for args in (["--port", "70000"], ["--max-memory", "1k"], ["--nonsense"]):
        same("%s: exit 2" % " ".join(args), subprocess.run(["websink", *args], stderr=subprocess.DEVNULL, check=False).returncode, 2)
    r = subprocess.run(["websink", "--port", "0", os.path.join(TMP, "none.ndjson")], stderr=subprocess.PIPE, check=False)
    report(r.returncode == 1 and b"none.ndjson" in r.stderr, "a file that is not there: exit 1", r.stderr)
    s = Sink("--listen", "0.0.0.0", with_file(lines_of(1)))
    same("then any of its addresses is a name of it, and no other name", [s.ask("/api/v1/info", host="%s:%d" % (h, s.port))[0] for h in (
        "10.1.2.3", "[fe80::1]", "evil.example", "10.1.2.3.evil", "010.1.2.3", "[::1", "1")], [200, 200, 421, 421, 421, 421, 421])
    report(b"not loopback" in s.err and b"http://127.0.0.1:" in s.err, "listening for others says what that means", s.err)
    s.end()


def driver():
    out = subprocess.run(["agentsight", "pipeline", "record", "--server", "--server-port=0", "--", "true"], stdout=subprocess.PIPE, check=False).stdout
    report(b"ssemerge --deltas" in out and b"websink --exit --port 0" in out, "record --server: words come as they are captured, and the page ends with the recording", out)
    out = subprocess.run(["agentsight", "pipeline", "record", "--", "true"], stdout=subprocess.PIPE, check=False).stdout
    report(b"--deltas" not in out and b"websink" not in out and out, "record alone: not", out)


def html():
    nasty = ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028", "&lt;", "\\u003c", "<"]
    lines = [json.dumps({"type": "stdio.data", "timestamp_ns": i, "pid": 1, "data": x}, ensure_ascii=False).encode() for i, x in enumerate(nasty)]
    out = os.path.join(TMP, "run.html")
    path = with_file(lines + [b"<script>zork</script>"])
    r = subprocess.run(["websink", "--html", out, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    same("--html writes its file and serves nothing", (r.returncode, r.stdout), (0, b""))
    same("for its owner alone", stat.S_IMODE(os.stat(out).st_mode), 0o600)
    page = open(out, "rb").read()
    m = re.search(rb'<script type="application/x-ndjson" id="events"[^>]*>\n(.*?)</script>', page, re.S)
    same("every line is in it, and reads back", [json.loads(x)["data"] for x in m.group(1).splitlines()], nasty)
    report(b"zork" not in page and b"alert(1)</script" not in page, "nothing of them is markup, and what is no event is not in it")
    same("a folder that is not there: exit 1", subprocess.run(["websink", "--html", "/nonexistent/x.html", path], stderr=subprocess.DEVNULL, check=False).returncode, 1)
    same("a full disk: exit 1", subprocess.run(["websink", "--html", "/dev/full", path], stderr=subprocess.DEVNULL, check=False).returncode, 1)


# --- a database --------------------------------------------------------------------
def recorded():
    run, db = os.path.join(TMP, "run.ndjson"), os.path.join(TMP, "run.db")
    subprocess.run("python3 tests/web/run.py --events 1200 | ssemerge | llmparse | authstrip -o %s && sqlitesink %s %s" % (run, db, run), shell=True, check=True)
    return run, db


def reports_of(s, name, path):
    """Each report as agentsight report gives it on a database of the same lines."""
    def plain(v):
        """Times are written another way, and long texts are cut at another place."""
        v = re.sub(re.escape(TMP) + r"/[\w./-]*run\.db", "run.db", v) if isinstance(v, str) else v
        return re.sub(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d+Z", r"\1 \2", v)[:300] if isinstance(v, str) else v
    for r in s.json("/api/v1/info")["reports"]:
        got = s.json("/api/v1/report/%s?limit=100" % r["name"]) if r["name"] != "search" else s.json("/api/v1/search?q=partition&limit=100")
        out = subprocess.run(["agentsight-report", r["name"], "--db", path, "--json"] + (["partition"] if r["name"] == "search" else []),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        want = json.loads(out.stdout or "[]")
        have = [[plain(v) for v in row] for row in got["rows"]]
        report(out.returncode == 0 and have == [[plain(row[c]) for c in got["columns"]] for row in want],
               "%s: report %s says what agentsight report says" % (name, r["name"]), out.stderr, have[:3], want[:3])


def snapshot_of(s, name, path):
    got = s.json("/api/v1/snapshot?audit_limit=5")
    want = json.loads(subprocess.run(["agentsight-report", "export", "--db", path, "--limit", "5", "-o", "-"], stdout=subprocess.PIPE, check=True).stdout)
    for x in (got, want):
        x.pop("generated_at")
    same("%s: the snapshot is that of the original" % name, list(got), [
        "schema_version", "summary", "token_summary", "network_targets", "process_nodes", "audit_events", "resource_samples", "sessions", "tool_calls"])
    same("%s: and that of the export" % name, got, want)
    same("%s: with as many rows of the audit as asked for" % name, (len(got["audit_events"]), got["summary"]["audit_limit"]), (5, 5))


def database():
    run, db = recorded()
    before = open(db, "rb").read()
    s = Sink("--db", db)
    report(s.read_all(), "a database alone is shown")
    reports_of(s, "saved", db)
    snapshot_of(s, "saved", db)
    told = [json.loads(x) for x in s.ask("/api/v1/events?form=ndjson")[2].splitlines()]
    times = [e["timestamp_ns"] for e in told if e.get("timestamp_ns")]
    report(times == sorted(times) and all(list(e)[0] == "type" for e in told), "it is told as events, in the order of time")
    read = [json.loads(x) for x in open(run)]

    def some(events, kind, *keys):
        return sorted([[e.get(k) for k in keys] for e in events if e["type"] == kind], key=str)
    for kind, keys in (("llm.call", ("id", "request_model", "conversation_id", "usage", "finish_reasons", "tool_calls", "error_type", "duration_ms")),
                       ("process.exec", ("pid", "ppid", "argv", "cwd")), ("process.exit", ("pid", "exit_code")), ("process.fork", ("pid", "child_pid")),
                       ("file.write", ("pid", "path", "bytes")), ("file.delete", ("pid", "path")), ("net.connect", ("pid", "address", "port", "error")),
                       ("net.close", ("pid", "sent_bytes", "received_bytes")), ("net.dns", ("name", "addresses")),
                       ("http.request", ("id", "method", "host", "path")), ("http.response", ("id", "status_code")), ("mcp.call", ("tool", "arguments", "result")),
                       ("stdio.data", ("pid", "data")), ("system.process", ("pid", "cpu_percent", "rss_bytes")), ("system.host", ("load1",)), ("loss", ("stage", "reason", "events"))):
        same("%s comes back from the tables" % kind, some(told, kind, *keys), some(read, kind, *keys))
    out = [m for e in told if e["type"] == "llm.call" for m in e.get("output_messages", [])]
    same("and what was said", out, [m for e in read if e["type"] == "llm.call" for m in e.get("output_messages", [])])
    same("a report that is not there", [s.ask("/api/v1/report/" + x)[0] for x in ("nothing", "../export/snapshot", "", "a%00b", "x" * 500)], [404] * 5)
    same("a search for nothing", s.ask("/api/v1/search")[0], 400)
    same("a search with signs of FTS5 in it", [s.ask("/api/v1/search?q=" + x)[0] for x in ("%22", "a%20OR%20b", "*", "'%3B--", "NEAR(")], [200] * 5)
    same("it ended well", s.end()[0], 0)
    same("and the file is as it was", open(db, "rb").read(), before)
    os.chmod(db, 0o400)
    s = Sink("--db", db, run)
    s.read_all()
    same("a database and a file", s.json("/api/v1/info")["next_id"] - 1, len(told) + len(read))
    s.end()
    for name, text in (("junk.db", b"junk" * 100), ("none.db", None), ("empty.db", b"")):
        path = os.path.join(TMP, name)
        if text is not None:
            open(path, "wb").write(text)
        r = subprocess.run(["websink", "--port", "0", "--db", path], stderr=subprocess.PIPE, check=False)
        report(r.returncode == 1 and name.encode() in r.stderr and b"?token=" not in r.stderr, "%s: exit 1, and why" % name, r.stderr)

    page = os.path.join(TMP, "report.html")
    r = subprocess.run(["agentsight-report", "html", "--db", db, "-o", page], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    report(r.returncode == 0 and not r.stdout, "agentsight report html", r.stderr)
    m = re.search(rb'id="events"[^>]*>\n(.*?)</script>', open(page, "rb").read(), re.S)
    same("has the run inside", [json.loads(x)["type"] for x in m.group(1).splitlines()], [e["type"] for e in told])
    p = subprocess.Popen(["agentsight-report", "serve", "--db", db, "--server-port", "0"], stderr=subprocess.PIPE)
    line = p.stderr.readline()
    p.terminate()
    report(b"?token=" in line and p.wait(30) == 0, "agentsight report serve", line)
    for argv in (["agentsight-report", "serve", db], ["agentsight-report", "serve", run], ["agentsight-report", run, "serve"], ["agentsight", "serve", db], ["agentsight", "serve", run]):
        p = subprocess.Popen(argv + ["--port", "0"], stderr=subprocess.PIPE)
        line = p.stderr.readline()
        p.terminate()
        report(b"?token=" in line and p.wait(30) == 0, " ".join(argv[:-1] + [os.path.basename(argv[-1])]), line)

    # without a database, one is made when it is asked for
    os.environ["TMPDIR"] = TMP
    s = Sink(run)
    mine = lambda: [x for x in os.listdir(TMP) if x.startswith("agentsight-web.")]
    s.read_all()
    same("without --db there is an empty folder", [os.listdir(os.path.join(TMP, x)) for x in mine()], [[]])
    snapshot_of(s, "live", db)
    same("for its owner alone", [stat.S_IMODE(os.stat(os.path.join(TMP, x)).st_mode) for x in mine()], [0o700])
    reports_of(s, "live", db)
    s.end()
    same("and it is gone at the end", mine(), [])
    s = Sink(stdin=subprocess.PIPE)
    lines = open(run, "rb").read().splitlines(keepends=True)
    calls = [i for i, x in enumerate(lines) if b'"type":"llm.call"' in x]
    s.p.stdin.write(b"".join(lines[:calls[2] + 1]))
    s.p.stdin.flush()
    c = Client(s.stream())
    c.read(lambda c: len(c.ids) == calls[2] + 1)
    same("a snapshot of what has come so far", s.json("/api/v1/snapshot")["summary"]["llm_calls"], 3)
    s.p.stdin.write(b"".join(lines[calls[2] + 1:]))
    s.p.stdin.flush()
    c.read(lambda c: len(c.ids) == len(lines))
    same("and of what comes later", s.json("/api/v1/snapshot")["summary"]["llm_calls"], len(calls))
    same("it ended well, with its sqlitesink", (s.end()[0], mine()), (0, []))


def unrecorded():
    """What no collector saw is said not to be recorded: on the page, whatever it is shown from."""
    begin = {"type": "run.begin", "timestamp_ns": 10**18, "run": "00000000000000ab", "version": "0", "stages": ["sslsniff", "process"]}
    stage = {"type": "stage.begin", "timestamp_ns": 10**18 + 1, "pid": 9, "stage": "process", "version": "0", "collects": ["changes"]}
    event = {"pid": 5, "tid": 5, "uid": 0}
    sent = [dict(event, type="net.send", timestamp_ns=10**18 + n, comm="a", family="inet", transport="udp", address="192.0.2.1", port=53, fd=3, bytes=n) for n in (2, 3)]
    gone = [dict(event, type="process.exec", timestamp_ns=10**18 + 4, comm="rm", ppid=1, filename="/bin/rm", argv=["rm"], cwd="/"),
            dict(event, type="file.delete", timestamp_ns=10**18 + 5, comm="rm", path="/a", mnt_ns=4026531999),
            dict(event, type="process.exec", timestamp_ns=10**18 + 6, comm="ls", ppid=1, filename="/bin/ls", argv=["ls"], cwd="/")]
    lines = [begin, stage, *sent, *gone]
    db = os.path.join(TMP, "unrecorded.db")
    subprocess.run(["sqlitesink", db], input="".join(json.dumps(x) + "\n" for x in lines).encode(), stderr=subprocess.PIPE, check=True)
    s = Sink("--db", db)
    s.read_all()
    told = [json.loads(x) for x in s.ask("/api/v1/events?form=ndjson")[2].splitlines()]
    same("which collectors took part, and what was asked of them, comes back", [[e.get(k) for e in told for k in ("stages", "collects") if k in e]],
         [[begin["stages"], stage["collects"]]])
    same("what was sent, where it was, and by whom", [[e["type"], e.get("bytes"), e.get("mnt_ns"), e["comm"]] for e in told if e["type"] in ("net.send", "file.delete")],
         [["net.send", 5, None, "a"], ["file.delete", None, 4026531999, "rm"]])
    same("a report of what no collector saw says so", s.json("/api/v1/report/calls").get("not_recorded"), "HTTP without TLS")
    s.end()
    if not shutil.which("node"):
        return
    script = """import { Model } from %r;
        const show = (lines) => { const m = new Model(); lines.forEach((l, i) => m.add(i + 1, l));
            return [m.lacks('process'), m.lacksReads, [...m.files.keys()], [...m.hosts.values()].map((h) => h.sent), m.effects.map((e) => e.comm)]; };
        console.log(JSON.stringify(%s.map(show)));"""
    model = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "websink", "ui", "model.js")
    runs = [lines, told, [dict(begin, stages=["sslsniff"])], gone]
    out = subprocess.run(["node", "--input-type=module", "-e", script % ("file://" + os.path.realpath(model), json.dumps(runs))], stdout=subprocess.PIPE, check=False).stdout
    whole = [False, True, ["/a (mount namespace 4026531999)"], [5], ["a", "a", "rm", "rm", "ls"]]
    same("the page knows what was not recorded, live", json.loads(out)[0], whole)
    same("and from the tables", json.loads(out)[1], whole[:4] + [["a", "rm", "rm", "ls"]])
    same("what a collector that took no part would have seen; and when nothing is said of it", [x[:2] for x in json.loads(out)[2:]], [[True, True], [False, False]])


def ended(s):
    """The other side has closed it, answered or not."""
    try:
        while s.recv(4096):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def half(sink):
    s = socket.create_connection(("127.0.0.1", sink.port), timeout=60)
    s.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
    return s


def strangers():
    """64 of them at a time: who comes then takes the place of the oldest; the owner none."""
    s = Sink()
    stream = Client(s.stream())
    first = half(s)
    others = [half(s) for _ in range(100)]
    report(ended(first), "of more than 64 connections without a token the oldest is ended")
    same("who has it is served all the time", [s.ask("/api/v1/info")[0] for _ in range(3)], [200] * 3)
    report(sum(ended(x) for x in others[:37]) == 37, "so are those after it")
    # a byte is taken from each that is still open: its request goes on
    alive = 0
    for x in others[37:]:
        x.sendall(b"y\r\n\r\n")
        answer = x.recv(4096)
        alive += answer.startswith(b"HTTP/1.1 421")
        x.close()
    report(60 <= alive <= 63, "the newest are answered", alive)
    stream.s.settimeout(0.2)
    try:
        gone = stream.s.recv(65536) == b""
    except TimeoutError:
        gone = False
    report(not gone, "and a live page stays")
    s.end()


class Late:
    """A request that is not finished, beside all the other tests: in ten seconds it is ended."""

    def __init__(self):
        self.sink = Sink()
        self.sent = half(self.sink)

    def check(self):
        slow = threading.Event()

        def drip():		# a byte at a time gives no more of it
            try:
                while not slow.wait(0.1):
                    self.sent.send(b"z")
            except OSError:
                pass

        t = threading.Thread(target=drip)
        t.start()
        report(ended(self.sent), "half a request does not stay, however slowly it goes on")
        slow.set()
        t.join()
        same("and the owner is served", self.sink.ask("/api/v1/info")[0], 200)
        self.sink.end()


with tempfile.TemporaryDirectory() as TMP:
    late = Late()
    for part in (guard, answers, live, clients, strangers, rude, ends, driver, html, database, unrecorded, late.check):
        print("# " + part.__name__, flush=True)
        part()
print("1..%d" % state["n"])
sys.exit(state["failed"] != 0)

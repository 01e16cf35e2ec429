#!/usr/bin/python3
"""sslsniff.t - every byte of real clients and servers, in both directions"""
import asyncio
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
SIZES = [1, 2, 100, 16383, 16384, 16385, 65536, (1 << 20) // SCALE, (8 << 20) // SCALE]
noise = os.urandom(max(SIZES[-1], 300000))


def blocking():
    """A client and a server of our own, calls of every size, in one process."""
    server = server_context()
    listener = socket.create_server(("127.0.0.1", 0))
    ends = []

    def echo():
        raw, _ = listener.accept()
        read, written = bytearray(), bytearray()
        ends.append((read, written))
        with server.wrap_socket(raw, server_side=True) as c:
            for n in SIZES:
                got = bytearray()
                while len(got) < n:
                    got += c.recv(n - len(got))
                read += got
                c.sendall(got)
                written += got

    t = threading.Thread(target=echo)
    with Sniffer("-p", str(os.getpid()), "--ring-size", "128M") as s:
        t.start()
        read, written = bytearray(), bytearray()
        raw = socket.create_connection(listener.getsockname())
        with client_context().wrap_socket(raw, server_hostname="sni.example") as c:
            for n in SIZES:
                c.sendall(noise[:n])
                written += noise[:n]
                got = 0
                while got < n:
                    piece = c.recv(n - got)
                    read += piece
                    got += len(piece)
        t.join()
        ends.append((read, written))
    equal(sums_of(s.events), sums(ends), "python, blocking: calls of 1 B to %d KiB, both ends" % (SIZES[-1] >> 10))
    ok(max(e["len"] for e in s.events if e["type"] == "ssl.data") == 16384,
       "large calls come in pieces of 16 KiB")
    equal({e.get("sni") for e in s.events if e["type"] == "ssl.data" and e["function"] == "WRITE/SEND"},
          {"sni.example", None}, "the client's connection has its server name")
    closes = sorted((e["read_bytes"], e["written_bytes"]) for e in s.events if e["type"] == "ssl.close")
    equal(closes, [(sum(SIZES), sum(SIZES))] * 2, "both connections are closed, with their totals")
    balanced(s.stderr, "python, blocking")
    equal(books(s.stderr)[2], (0, 0), "nothing was lost")
    now = time.time_ns()
    ok(all(now - 60e9 < e["timestamp_ns"] <= now for e in s.events), "times are of this minute")
    last = s.events[-1]
    equal((last["pid"], last["uid"]), (os.getpid(), os.getuid()), "pid and uid")


def memory_bio():
    """asyncio encrypts in memory and never gives OpenSSL a socket."""
    ends = []

    async def handle(r, w):
        read, written = bytearray(), bytearray()
        ends.append((read, written))
        while got := await r.read(100000):
            read += got
            w.write(got)
            written += got
            await w.drain()
        w.close()

    async def client(port, n):
        r, w = await asyncio.open_connection("127.0.0.1", port, ssl=client_context())
        w.write(noise[:n])
        got = await r.readexactly(n)
        ends.append((bytearray(got), bytearray(noise[:n])))
        w.close()
        await w.wait_closed()

    async def main():
        srv = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server_context())
        port = srv.sockets[0].getsockname()[1]
        await asyncio.gather(*(client(port, n) for n in (10, 5000, 300000)))
        srv.close()

    with Sniffer("-p", str(os.getpid()), "--handshake") as s:
        asyncio.run(main())
    equal(sums_of(s.events), sums(ends), "python, asyncio's memory BIO: three connections at once")
    hands = [e for e in s.events if e["type"] == "ssl.handshake"]
    equal(len([e for e in hands if e["result"] == 1]), 6, "six handshakes were finished")
    first = {}
    for e in s.events:
        if e["type"] == "ssl.data":
            first.setdefault(e["conn"], (e.get("local"), e.get("peer")))
    ok(len(set(first.values())) == 6 and {(b, a) for a, b in first.values()} == set(first.values()) and (None, None) not in first.values(),
       "its handshake says what socket each has, from its first line on", first)


def clients():
    """curl against a python server: parallel, and two requests on one connection."""
    server = HttpServer()
    body = os.path.join(T.name, "body")
    with open(body, "wb") as f:
        f.write(noise[:(3 << 20) // SCALE])
    # all that passes fits, and nobody else's is there: this is about bytes, not about speed
    with Sniffer("-p", str(os.getpid()), "--ring-size", "256M") as s:
        curls = [subprocess.Popen(["curl", "-sk", "-o", os.path.join(T.name, "got%d" % i),
                                   "-H", "Expect:", "--data-binary", "@" + body, server.url])
                 for i in range(8)]
        ok(all(p.wait() == 0 for p in curls), "eight curls at once")
        two = subprocess.run(["curl", "-sk", server.url + "one", server.url + "two"],
                             capture_output=True)
        wait_for(lambda: len(server.pairs) == 9)
    equal(two.returncode, 0, "curl with two requests")
    mine = {e["pid"] for e in s.events if e.get("comm") == "curl"} & {p.pid for p in curls}
    equal(len(mine), 8, "each curl is seen under its own pid")
    equal(sums_of(s.events, os.getpid()), sums(server.pairs), "the server's side, 8 + 1 connections")
    # what a client wrote is what its server read
    curl = sums((x["WRITE/SEND"], x["READ/RECV"]) for c, x in
                streams([e for e in s.events if e.get("comm") == "curl"]).items())
    equal(curl, sums(server.pairs), "the clients' side agrees with it")
    kept = [c for c, x in streams(s.events).items() if b"GET /one" in x["WRITE/SEND"]]
    ok(len(kept) == 1 and b"GET /two" in streams(s.events)[kept[0]]["WRITE/SEND"],
       "keep-alive: both requests on one conn")
    ok(not any(e.get("pid") == s.p.pid for e in s.events), "sslsniff does not see itself")


def command_line():
    """openssl s_client and s_server, which reads through BIO_f_ssl."""
    cert, key = certificate()
    srv = subprocess.Popen(["openssl", "s_server", "-accept", "0", "-cert", cert, "-key", key, "-rev"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    line = b"."
    while line and not line.startswith(b"ACCEPT"):
        line = srv.stdout.readline()
    port = int(line.rsplit(b":", 1)[1])
    with Sniffer("-c", "openssl") as s:
        cli = subprocess.Popen(["openssl", "s_client", "-quiet", "-connect", "127.0.0.1:%d" % port],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        cli.stdin.write(b"drawer\n")
        cli.stdin.flush()
        equal(cli.stdout.readline(), b"reward\n", "s_server answers s_client")
        cli.stdin.close()
        cli.kill()
        cli.wait()
        # the answer is out before the server's call returns: let it get on
        while b"CONNECTION CLOSED" not in (srv.stdout.readline() or b"CONNECTION CLOSED"):
            pass
        srv.kill()
        srv.wait()
    equal(sums_of(s.events, cli.pid), sums([(b"reward\n", b"drawer\n")]), "openssl s_client")
    equal(sums_of(s.events, srv.pid), sums([(b"drawer\n", b"reward\n")]), "openssl s_server")
    equal({e["pid"] for e in s.events if e["type"] == "ssl.close"}, {cli.pid, srv.pid},
          "connections of killed processes are closed")


def two_at_once():
    """One that starts while another's breakpoints are in the library."""
    server = HttpServer()
    with Sniffer("-p", str(os.getpid())) as one:
        with Sniffer("-p", str(os.getpid())) as two:
            subprocess.run(["curl", "-sko", "/dev/null", server.url], check=True)
            wait_for(lambda: server.pairs and server.pairs[0][1])
            time.sleep(0.2)
    # two processes: whose return comes first may differ
    what = [sorted((e["type"], e.get("function") or "", e.get("len") or 0) for e in s.events) for s in (one, two)]
    equal(what[1], what[0], "a second sslsniff sees what the first does")


blocking()
two_at_once()
memory_bio()
clients()
command_line()
done()

#!/usr/bin/python3
"""sslsniff-edge.t - what is easy to get wrong: calls inside calls, retries, pages
that are gone, addresses used again, full disks, closed pipes, both ways to attach"""
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
odd = cc("odd", "tests/sslsniff/odd.c", "-lssl", "-lcrypto")


def calls(events, pid):
    """The multiset of what single calls transferred (pieces put together are
    not needed: no call here is larger than one)."""
    return sorted((e["function"].split("/")[0], data(e).decode("latin-1"))
                  for e in events if e["type"] == "ssl.data" and e["pid"] == pid)


def run_odd(name, what, *args):
    """Everything the program says it transferred is what was seen."""
    with Sniffer("-c", "odd", *args) as s:
        p = subprocess.Popen([odd, what], stdout=subprocess.PIPE)
        out = p.communicate()[0].decode("latin-1")
    equal(p.returncode, 0, name + ": the program ran")
    said = sorted((l.split(" ", 2)[0], l.split(" ", 2)[2]) for l in out.splitlines())
    equal(calls(s.events, p.pid), said, name)
    equal(books(s.stderr)[2], (0, 0), name + ": nothing lost")
    return s, p.pid


ways = [("uprobe_multi", ["--attach", "multi"]), ("perf uprobes", ["--attach", "perf"]),
        ("not sleeping", ["--no-sleep"])]
for way, args in ways:
    run_odd("SSL_write inside SSL_read, " + way, "nested", *args)
run_odd("failed and retried calls give nothing, the good ones once", "retry")

s, pid = run_odd("one address, five connections", "reuse")
by_conn = {}
for e in s.events:
    by_conn.setdefault(e["conn"], []).append(e)
equal(len(by_conn), 10, "five pairs are ten conns")
ok(all(es[0]["off"] == 0 and es[-1]["type"] == "ssl.close" for es in by_conn.values()),
   "each begins at 0 and is closed")
ok(len({c.split(":")[1] for c in by_conn}) < 10, "an address was really used again")

s, pid = run_odd("exec ends connections that nobody freed", "exec")
first = [e["conn"] for e in s.events if e.get("data") == "before exec"][0]
after = [e["conn"] for e in s.events if e.get("data", "").startswith("connection")]
ok(first not in after, "what follows is another conn", first, after)
equal([(e["written_bytes"], e["pid"]) for e in s.events if e["type"] == "ssl.close" and e["conn"] == first],
      [(11, pid)], "and the old one is closed")

# the buffer's pages are gone when the call returns
path = os.path.join(T.name, "pages")
with open(path, "wb") as f:
    f.write(os.urandom(300000))
with open(path, "rb") as f:
    wanted = f.read()
with Sniffer("-c", "odd") as s:
    subprocess.run([odd, "pages", path], check=True, stdout=subprocess.DEVNULL)
wrote = [x["WRITE/SEND"] for x in streams(s.events).values() if x["WRITE/SEND"]]
equal(sums((w, b"") for w in wrote), sums([(wanted, b"")]), "pages that are not resident are faulted in")
equal(books(s.stderr)[2], (0, 0), "none was lost")
with Sniffer("-c", "odd", "--no-sleep") as s:
    subprocess.run([odd, "pages", path], check=True, stdout=subprocess.DEVNULL)
balanced(s.stderr, "without sleeping")
faults = [e for e in s.events if e["type"] == "loss" and e["reason"] == "fault"]
equal(sum(e["bytes"] for e in faults), 300000, "without sleeping they are counted as faults, and told")

# cut by --max-bytes
server = HttpServer()
body = os.path.join(T.name, "body")
with open(body, "wb") as f:
    f.write(b"x" * 200000)
with Sniffer("-p", str(os.getpid()), "--max-bytes", "50000") as s:
    subprocess.run(["curl", "-sk", "-o", "/dev/null", "-H", "Expect:", "--data-binary", "@" + body, server.url],
                   check=True)
    wait_for(lambda: server.pairs and server.pairs[0][1])
    time.sleep(0.1)
mine = [e for e in s.events if e["type"] == "ssl.data" and e["pid"] == os.getpid() and e["function"] == "WRITE/SEND"]
cut = [e for e in mine if e.get("truncated")]
equal(sum(e["len"] for e in mine), len(server.pairs[0][1]), "--max-bytes: len still adds up to all bytes")
equal([(e["captured"], len(data(e)), e["off"] + e["len"]) for e in cut],
      [(50000 % 16384, 50000 % 16384, len(server.pairs[0][1]))], "--max-bytes: the last piece says what is missing")
equal(sum(e["bytes"] for e in s.events if e["type"] == "loss" and e["reason"] == "max_bytes"),
      sum(e["len"] - e["captured"] for e in s.events if e.get("truncated")), "--max-bytes: and so does the loss")
balanced(s.stderr, "--max-bytes")

# SSL_write_ex calls SSL_write_ex2 since OpenSSL 3.3
lib = cc("libmock.so", "-shared", "-fPIC", "tests/sslsniff/ex2.c")
main = cc("ex2", "-DMAIN", "tests/sslsniff/ex2.c", "-L" + T.name, "-lmock", "-Wl,-rpath," + T.name)
with Sniffer("-c", "ex2", "--binary-path", lib) as s:
    subprocess.run([main], check=True, stdout=subprocess.DEVNULL)
equal([e["data"] for e in s.events if e["type"] == "ssl.data"], ["plain", "through ex", "straight to ex2"],
      "SSL_write_ex2 and its caller SSL_write_ex: each write is seen once")

# ends
url = server.url


def sniff_to(out, *args, env=None):
    with Sniffer("-p", str(os.getpid()), *args, out=out) as s:
        for _ in range(3):
            subprocess.run(["curl", "-sko", "/dev/null", url], check=True)
        try:
            s.p.wait(10)
        except subprocess.TimeoutExpired:
            pass
    return s


with open("/dev/full", "wb") as f:
    s = sniff_to(f)
equal(s.status, 1, "/dev/full: exit 1")
ok("sslsniff: write standard output: No space left" in s.stderr, "/dev/full: said", s.stderr)

r, w = os.pipe()
with Sniffer("-p", "1", "--no-children", out=w) as s:
    os.close(w)
    os.close(r)	# no event will ever come
    ended = wait_for(lambda: s.p.poll() is not None, 10)
ok(ended and s.status == 0, "a closed output ends it quietly, without any event")
ok(len(s.stderr.splitlines()) <= 1, "and without complaint", s.stderr)

with Sniffer("-p", "1", "--no-children", stop=signal.SIGTERM) as s:	# all others descend from it
    s.p.send_signal(signal.SIGUSR1)
    ok(wait_for(lambda: "seen 0 events" in s.said()), "SIGUSR1 prints the counts")
    ok(s.p.poll() is None, "and does not end it")
equal(s.status, 0, "SIGTERM: exit 0")

# sh starts background jobs with SIGINT ignored
p = subprocess.Popen(["sh", "-c", "sslsniff -p 1 --ready-fd 9 9>%s/r >/dev/null & echo $!; wait $!; echo ended $?" % T.name],
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
pid = int(p.stdout.readline())
wait_for(lambda: os.path.exists(T.name + "/r") and os.path.getsize(T.name + "/r"))
os.kill(pid, signal.SIGINT)
equal(p.stdout.readline(), b"ended 0\n", "SIGINT ends a background job of sh")
p.wait()

out = os.path.join(T.name, "recording")
p = subprocess.run(["sslsniff", "-p", "1", "-d", "100ms", "-o", out, "-q"], capture_output=True, text=True)
equal((p.returncode, p.stdout, p.stderr), (0, "", ""), "-d ends it, -q says nothing")
equal(os.stat(out).st_mode & 0o777, 0o600, "-o: the file is private")

many = [x for i in range(16) for x in ("-p", "1", "-c", "name%d" % i, "-u", str(i), "--session", str(i))]
p = subprocess.run(["sslsniff", "-d", "10ms", *many], capture_output=True, text=True)
equal(p.returncode, 0, "sixteen selectors of every kind load")
p = subprocess.run(["sslsniff", *many, "-c", "more"], capture_output=True, text=True)
ok(p.returncode == 2 and "at most 16" in p.stderr, "seventeen are refused", p.stderr)

for args, why in ((["--attach", "magic"], "neither multi nor perf"), (["-p", "x"], "pid x"),
                  (["-u", "nosuchuser"], "no such user"), (["--cgroup", "/nowhere"], "cgroup /nowhere"),
                  (["stray"], "unexpected operand"), (["--max-bytes", "0"], "max-bytes")):
    p = subprocess.run(["sslsniff", *args], capture_output=True, text=True)
    ok(p.returncode == 2 and why in p.stderr and p.stderr.startswith("sslsniff: "),
       "usage: %s: one line, exit 2" % " ".join(args), p.returncode, p.stderr)
p = subprocess.run(["sslsniff", "--binary-path", "/bin/true"], capture_output=True, text=True)
ok(p.returncode == 1 and "/bin/true" in p.stderr, "--binary-path of something without TLS: exit 1", p.stderr)

p = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", "sslsniff"], capture_output=True, text=True, cwd="/")
if p.returncode == 127:
    ok(True, "without privilege # SKIP sslsniff is where nobody may not go")
else:
    ok(p.returncode == 1 and "Operation not permitted" in p.stderr and "CAP_BPF" in p.stderr,
       "without privilege: what failed, and what is needed", p.stderr)

p = subprocess.run(["sslsniff", "--list", "-p", str(os.getpid())], capture_output=True, text=True)
line = [l for l in p.stdout.splitlines() if "libssl" in l]
ok(p.returncode == 0 and line and "hooked:" in line[0] and "write" in line[0],
   "--list: a process with libssl, and what would be hooked", p.stdout, p.stderr)
sleeper = subprocess.Popen(["sleep", "60"])
p = subprocess.run(["sslsniff", "--list", "-p", str(sleeper.pid)], capture_output=True, text=True)
ok("%d\tsleep\t" % sleeper.pid in p.stdout and "no TLS" in p.stdout, "--list: and one without", p.stdout)
sleeper.kill()
done()

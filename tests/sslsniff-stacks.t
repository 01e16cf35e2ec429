#!/usr/bin/python3
"""sslsniff-stacks.t - every TLS library an agent may bring, byte for byte

Each client sends 300 000 random bytes to a server of ours, which sends them
back; what was captured in the client is what the server read and wrote."""
import shutil
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
SIZE = 300000
BUILD = os.environ.get("BUILD", "build")
body = os.path.join(T.name, "body")
with open(body, "wb") as f:
    f.write(os.urandom(SIZE))


def skip(name, why):
    if os.environ.get("AGENTSIGHT_NO_SKIP"):
        return ok(False, name, "cannot run: " + why)
    ok(True, "%s # SKIP %s" % (name, why))


def client(name, lib, cmd, env=None, late=None, known=None):
    """Runs a client, stopped until we are attached, as the driver does it. late: the
    program that has its TLS built in; it waits, once started, until we found it.
    known: the same, which does not wait, for we are told of it before it starts."""
    server = HttpServer()
    go = os.path.join(T.name, "go-ahead")
    if os.path.exists(go):
        os.unlink(go)
    if known:
        write("go-ahead", "")
    cmd = [a.replace("URL", server.url).replace("PORT", str(server.port)) for a in cmd]
    p = subprocess.Popen(["sh", "-c", 'kill -STOP $$; exec "$@"', "sh", *cmd], cwd=T.name,
                         env={**os.environ, "GO_AHEAD": go, **(env or {})}, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: open("/proc/%d/stat" % p.pid).read().rsplit(")", 1)[1].split()[0] == "T")
    with Sniffer("-v", "-p", str(p.pid), "--ring-size", "64M", *(["--command", known] if known else [])) as s:
        if known:
            ok(wait_for(lambda: "attached to %s:" % known in s.said(), 2), name + ": found before it runs", s.said())
        os.kill(p.pid, signal.SIGCONT)
        # Debian's own node has the TLS of libssl.so
        if late and subprocess.run(["sslsniff", "--inspect", late], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            print("# %s: nothing built in, its TLS is a library's" % name)
            write("go-ahead", "")
        elif late:
            found = wait_for(lambda: re.search(r"attached to %s[ :]" % re.escape(late), s.said()), 30)
            ok(found, name + ": found once it runs", s.said())
            m = re.search(r"attached to %s (\d+) ms after" % re.escape(late), s.said())
            print("# %s: attached %s" % (name, m[1] + " ms after it was mapped" if m else "with what ran"))
            write("go-ahead", "")
        out, err = p.communicate(timeout=60)
        wait_for(lambda: len(server.pairs) > 0)
        time.sleep(0.1)
    ok(p.returncode == 0, name + ": it ran", out[-500:], err[-500:])
    events = [e for e in s.events if e["type"] == "ssl.data"]
    equal({e["lib"] for e in events}, {lib}, name + ": the library")
    # what one end writes is what the other reads
    equal(sums((x["WRITE/SEND"], x["READ/RECV"]) for x in streams(events).values()),
          sums(server.pairs), name + ": byte for byte, both directions")
    conns = {}
    for e in events:
        conns.setdefault(e["conn"], set()).add(e["function"])
    ok(all(len(x) == 2 for x in conns.values()), name + ": one conn for both directions", conns)
    reads = [e for e in events if e["function"] == "READ/RECV"]
    # when it does its own sending, the first answer tells
    odd = [{k: e.get(k) for k in ("fd", "peer", "local", "off", "len")} for e in reads[1:]
           if e.get("peer") != "127.0.0.1:%d" % server.port or e.get("fd", -1) < 3 or
           not re.match(r"127\.0\.0\.1:\d+$", e.get("local", ""))]
    ok(reads and not odd, name + ": fd, peer and local", odd[:3], len(reads))
    ok(not any("sni" in e for e in events), name + ": an address is no server name")
    ok(not any("late" in e for e in events), name + ": seen from its beginning")
    equal(books(s.stderr)[2], (0, 0), name + ": nothing lost")
    return s, events


def libcurl(name, lib, path):
    """libcurl with another back end, by its C interface."""
    script = os.path.join(T.name, "curl.py")
    with open(script, "w") as f:
        f.write(LIBCURL)
    client("libcurl, " + name, lib, [PYTHON, script, path, "URL", body])


LIBCURL = """
import ctypes, sys
curl = ctypes.CDLL(sys.argv[1])
curl.curl_easy_init.restype = ctypes.c_void_p
h = ctypes.c_void_p(curl.curl_easy_init())
with open(sys.argv[3], "rb") as f: data = f.read()
def opt(n, v): assert curl.curl_easy_setopt(h, ctypes.c_int(n), v) == 0
opt(10002, ctypes.c_char_p(sys.argv[2].encode()))       # URL
opt(60, ctypes.c_long(len(data)))                       # POSTFIELDSIZE
opt(10015, ctypes.c_char_p(data))                       # POSTFIELDS
opt(64, ctypes.c_long(0)); opt(81, ctypes.c_long(0))    # VERIFYPEER, VERIFYHOST
rc = curl.curl_easy_perform(h)
curl.curl_easy_cleanup(h)
sys.exit(rc)
"""

URLLIB = """
import ssl, sys, urllib.request
c = ssl._create_unverified_context()
with open(sys.argv[2], "rb") as f: data = f.read()
assert urllib.request.urlopen(sys.argv[1], data, context=c).read() == data
"""

NODE = """
const [url, file] = process.argv.slice(-2);
const fs = require("fs");
const wait = setInterval(() => { if (fs.existsSync(process.env.GO_AHEAD)) { clearInterval(wait); go(); } }, 10);
const go = () => {
const data = fs.readFileSync(file);
const req = require("https").request(url, { method: "POST", rejectUnauthorized: false,
	headers: { "Content-Length": data.length } }, (res) => {
	const got = [];
	res.on("data", (b) => got.push(b));
	res.on("end", () => process.exit(Buffer.concat(got).equals(data) ? 0 : 1));
});
req.end(data);
};
"""

FETCH = """
const [url, file] = process.argv.slice(-2);
while (!await Bun.file(process.env.GO_AHEAD).exists()) await Bun.sleep(10);
const data = new Uint8Array(await Bun.file(file).arrayBuffer());
const res = await fetch(url, { method: "POST", body: data, tls: { rejectUnauthorized: false } });
process.exit(Buffer.from(await res.arrayBuffer()).equals(data) ? 0 : 1);
"""

GO = """
package main

import ("bytes"; "crypto/tls"; "io"; "net/http"; "os"; "time")

func main() {
	for {
		if _, err := os.Stat(os.Getenv("GO_AHEAD")); err == nil { break }
		time.Sleep(10 * time.Millisecond)
	}
	data, _ := os.ReadFile(os.Args[2])
	c := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for i := 0; i < 3; i++ {
		res, err := c.Post(os.Args[1], "application/octet-stream", bytes.NewReader(data))
		if err != nil { panic(err) }
		got, err := io.ReadAll(res.Body)
		if err != nil || !bytes.Equal(got, data) { panic("not what was sent") }
	}
	c.CloseIdleConnections()
}
"""


def write(name, text):
    path = os.path.join(T.name, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def find_lib(name):
    for d in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"):
        if os.path.exists(os.path.join(d, name)):
            return os.path.join(d, name)


def openssl():
    client("curl", "openssl", ["curl", "-sk", "-o", "/dev/null", "-H", "Expect:", "--data-binary",
                               "@" + body, "URL"])
    client("python3", "openssl", [PYTHON, write("url.py", URLLIB), "URL", body])
    node = shutil.which("node")
    if node:
        node = os.path.realpath(node)
        client("node", "openssl", [node, write("node.js", NODE), "URL", body], late=node)
    else:
        skip("node", "no node here")


def others():
    for name, lib, file in (("GnuTLS", "gnutls", "libcurl-gnutls.so.4"), ("NSS", "nss", "libcurl-nss.so.4")):
        path = find_lib(file)
        if path:
            libcurl(name, lib, path)
        else:
            skip("libcurl, " + name, "no " + file)
    if shutil.which("tstclnt"):
        client("tstclnt", "nss", ["tstclnt", "-h", "127.0.0.1", "-p", "PORT", "-D", "-o", "-A", write("post",
               "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello there")])
    else:
        skip("tstclnt", "no tstclnt here")
    if shutil.which("wget"):
        client("wget", "gnutls", ["wget", "-qO", "/dev/null", "--no-check-certificate", "--post-file",
                                  body, "URL"])
    else:
        skip("wget", "no wget here")


def go():
    if not shutil.which("go"):
        return skip("Go", "no go here")
    os.mkdir(os.path.join(T.name, "go"))
    main = write("go/main.go", GO)
    env = {**os.environ, "GOCACHE": os.path.abspath(os.path.join(BUILD, "go-cache")), "GO111MODULE": "off",
           "CGO_ENABLED": "0", "GOFLAGS": "", "HOME": T.name}
    for name, args in (("Go, stripped", ["-ldflags", "-s -w"]),
                       ("Go, stripped, position-independent", ["-buildmode=pie", "-ldflags", "-s -w"])):
        exe = os.path.join(T.name, "go", "prog%d" % len(args))
        p = subprocess.run(["go", "build", *args, "-o", exe, main], env=env, capture_output=True, text=True)
        if ok(p.returncode == 0, name + ": go build", p.stderr):
            client(name, "go", [exe, "URL", body], late=exe)
            client(name + ", at once", "go", [exe, "URL", body], known=exe)


def bun():
    """Bun from npm, kept in the build folder."""
    folder = os.path.join(BUILD, "npm")
    exe = os.path.join(os.path.abspath(folder), "node_modules/@oven/bun-linux-x64/bin/bun")
    if not os.path.exists(exe):
        if not shutil.which("npm"):
            return skip("bun", "no npm here")
        try:
            p = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts",
                                "--fetch-retries=0", "--prefix", folder, "@oven/bun-linux-x64@1.3.14"],
                               capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return skip("bun", "npm takes too long")
        if p.returncode or not os.path.exists(exe):
            return skip("bun", "npm has none for us: " + " ".join(p.stderr.split())[:100])
    client("bun", "boringssl", [exe, write("bun.mjs", FETCH), "URL", body],
           late=exe, env={"HOME": T.name, "BUN_RUNTIME_TRANSPILER_CACHE_PATH": "0", "DO_NOT_TRACK": "1"})


openssl()
others()
go()
bun()
done()

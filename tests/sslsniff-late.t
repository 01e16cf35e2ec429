#!/usr/bin/python3
"""sslsniff-late.t - what comes late: connections that were there, libraries that are
loaded, replaced or deleted later, containers; and the privileges that are left"""
import http.server
import shutil
import stat
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
server = HttpServer()
LIBSSL = os.path.realpath([l.split()[-1] for l in open("/proc/self/maps") if "/libssl" in l][0])

# Does what it is told: "import" loads ssl, "open" makes a connection, any other
# word is the path of a request on it.
TALKER = """
import ctypes, socket, sys
if len(sys.argv) > 2: ctypes.CDLL(None).prctl(15, sys.argv[2].encode(), 0, 0, 0)
print("ready", flush=True)
for line in sys.stdin:
    word = line.strip()
    if word == "import":
        import ssl
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = 0
    elif word == "open":
        s = c.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    else:
        s.sendall(b"GET /%s HTTP/1.1\\r\\n\\r\\n" % word.encode()); s.recv(1000)
    print("done", flush=True)
"""


class Talker:
    def __init__(self, *args, exe=PYTHON, env=None):
        self.p = subprocess.Popen([exe, "-c", TALKER, str(server.port), *args], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.p.stdout.readline()

    def tell(self, *words):
        for w in words:
            self.p.stdin.write(w.encode() + b"\n")
            self.p.stdin.flush()
            self.p.stdout.readline()

    def end(self):
        self.p.stdin.close()
        self.p.wait()


def private_libssl(name):
    folder = os.path.join(T.name, name)
    os.makedirs(folder, exist_ok=True)
    new = os.path.join(folder, "new")
    shutil.copy(LIBSSL, new)
    os.rename(new, os.path.join(folder, os.path.basename(LIBSSL)))
    return folder


def by_tag(events):
    """tag -> the events of its connection."""
    found = {}
    for e in events:
        m = e["type"] == "ssl.data" and re.match(rb"GET /(\w+)", data(e))
        if m:
            found[m[1].decode()] = [x for x in events if x.get("conn") == e["conn"]]
    return found


def established():
    t = Talker()
    t.tell("import", "open", "before")
    with Sniffer("-p", str(t.p.pid)) as s:
        t.tell("seen", "open", "fresh")
        t.end()
    got = by_tag(s.events)
    equal(sorted(got), ["fresh", "seen"], "a connection that was there: seen from now on")
    ok(all(e.get("late") for e in got["seen"]) and got["seen"][0]["off"] == 0, "each of its lines says late", got["seen"])
    ok(not any("late" in e for e in got["fresh"]), "a new one of the same process is not late", got["fresh"])


def loaded():
    """A library that is mapped while sslsniff runs, deleted at once, and then one of
    the same path that replaces it, as an update does."""
    folder = private_libssl("loaded")
    path = os.path.join(folder, os.path.basename(LIBSSL))
    talkers = [Talker(env={"LD_LIBRARY_PATH": folder}) for _ in range(2)]
    with Sniffer("-v", *(x for t in talkers for x in ("-p", str(t.p.pid)))) as s:
        for i, t in enumerate(talkers):
            t.tell("import")
            if i == 0:
                private_libssl("loaded")	# the first is (deleted) now
            ok(wait_for(lambda: s.said().count("attached to %s" % path) > i),
               "attached to a library that is loaded later: " + ("deleted", "replaced")[i], s.said())
            t.tell("open", ("deleted", "replaced")[i])
            t.end()
    got = by_tag(s.events)
    equal(sorted(got), ["deleted", "replaced"], "both were captured")
    ok(not any("late" in e for es in got.values() for e in es), "from the beginning")
    after = re.findall(r"attached to %s (?:\(deleted\) )?(\d+) ms" % re.escape(path), s.stderr)
    print("# attached %s ms after they were mapped" % ", ".join(after))


def by_exe():
    """-c: the executable's name, though the process calls itself otherwise."""
    exe = os.path.join(T.name, "agent-exe-of-a-long-name")
    shutil.copy(os.path.realpath(PYTHON), exe)
    t = Talker("otherwise", exe=exe)
    with Sniffer("-c", "agent-exe-of-a-long-name") as s:
        t.tell("import", "open", "byexe")
        new = Talker("another", exe=exe)
        new.tell("import", "open", "started")
        new.end()
        t.end()
    equal(tags(s.events), {"byexe", "started"}, "-c: by the executable's name, running or started later")
    ok({e["comm"] for e in s.events if e["type"] == "ssl.data"} == {"otherwise", "another"}, "under their own names")


def held():
    """A program that brings its own TLS, was never seen, and speaks as soon as it runs."""
    first = os.path.join(T.name, "first")	# the linker has its say about static programs
    subprocess.run(["cc", "-O2", "-static", "-o", first, "tests/sslsniff/first.c", "-lssl", "-lcrypto"],
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["strip", "-s", first], check=True)

    def run(name, *options):
        exe = os.path.join(T.name, name)
        shutil.copy(first, exe)		# another file, that no cache knows
        if name.startswith("cold"):	# and that has to come from disk: executing it takes a while
            with open(exe, "rb") as f:
                os.fsync(f.fileno())
                os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with Sniffer("-c", name, *options) as s:
            status = subprocess.run([exe, str(server.port), "call"]).returncode
        equal(status, 0, name + " did what it does")
        seen = tags(s.events)
        lost = sum(e["events"] for e in s.events if e["type"] == "loss" and e["reason"] == "attached_late")
        ok(len(seen) + lost >= 3, name + ": each call is seen, or said to be lost", seen, s.stderr)
        balanced(s.stderr, name)
        return seen, [e for e in s.events if e["type"] == "ssl.hold"]

    for kind in ("held", "cold"):
        runs = []
        while len(runs) < 30 and not any(len(seen) == 3 and hold for seen, hold in runs):
            runs.append(run("%s%d" % (kind, len(runs))))
        ok(any(len(seen) == 3 and hold and hold[0]["attached"] and hold[0]["path"] == os.path.join(T.name, "%s%d" % (kind, i))
               for i, (seen, hold) in enumerate(runs)), kind + ": stopped until it was attached, and seen from its first call on", runs)
    equal(run("free", "--no-hold")[1], [], "--no-hold: not stopped")


def held_library():
    """A program that loads a libssl which was never seen, and speaks at once."""
    own = os.path.join(T.name, "loads")
    subprocess.run(["cc", "-O2", "-o", own, "tests/sslsniff/first.c", "-lssl", "-lcrypto"], check=True)
    runs = []
    while len(runs) < 30 and not any(tagged == 3 and hold for tagged, hold in runs):
        # another file each time, that no cache knows and that takes a while
        folder = private_libssl("held-library%d" % len(runs))
        with open(os.path.join(folder, os.path.basename(LIBSSL)), "ab") as f:
            f.write(bytes(8 << 20))
        with Sniffer("-c", "loads") as s:
            subprocess.run([own, str(server.port), "call"], check=True, env={**os.environ, "LD_LIBRARY_PATH": folder})
        runs.append((len(tags(s.events)), [e for e in s.events if e["type"] == "ssl.hold" and e["attached"]]))
    ok(any(tagged == 3 and hold for tagged, hold in runs), "stopped until the library was attached", runs)


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def over():
    """Programs that are over before sslsniff has looked at them: it does not run meanwhile."""
    dial, port = cc("dial", "tests/sslsniff/dial.c"), str(server.port)
    loud = [os.path.join(T.name, "loud%d" % i) for i in range(5)]
    for f in loud:
        shutil.copy(os.path.join(T.name, "first"), f)
    time.sleep(0.1)		# a file that was changed a moment ago may not be the one that ran

    def run(name, wanted, *commands):
        """wanted: how many connections are lost, of all that are begun."""
        names = [x for f in {w for c in commands for w in c if w.startswith(T.name)} for x in ("-c", os.path.basename(f))]
        for _ in range(3):
            with Sniffer(*names, "--no-hold", "-v") as s:
                s.p.send_signal(signal.SIGSTOP)
                status = [subprocess.run(c).returncode for c in commands]
                s.p.send_signal(signal.SIGCONT)
            # by others too much was mapped meanwhile, or there was no time for it
            unknown = "the kernel dropped some" in s.stderr or "not looked at to the end" in s.stderr
            if not unknown:
                break
        equal(status, [0] * len(commands), name + ": did what they do")
        balanced(s.stderr, name)
        lost = [e for e in s.events if e["type"] == "loss"]
        n = sum(e["events"] for e in lost)
        ok(not tags(s.events) and {e["reason"] for e in lost} <= {"attached_late"} and (n >= wanted if unknown else n == wanted),
           name, n, wanted, lost, s.stderr)
        return lost

    lost = run("over before it was looked at: its connections are lost", 3, [loud[0], port, "over"])
    ok(lost and lost[-1]["comm"] == "loud0", "and said to be its", lost)
    run("each connection once: a program twice, two that others execute, one in a child, one that is deleted", 15,
        [loud[1], port, "one"], [loud[1], port, "two"], [dial, port, "20"],
        [dial, port, "2", dial, port, "1", loud[2], port, "three"],
        [dial, port, "1", "fork", loud[3], port, "four"],
        ["sh", "-c", 'cp "$1" "$2" && "$2" "$3" five; rm "$2"', "sh", loud[4], loud[4] + "new", port])
    web = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    curl = shutil.copy(shutil.which("curl"), os.path.join(T.name, "curl-copy"))
    time.sleep(0.1)
    run("what has no TLS, or is curl without it, has lost nothing", 0, [curl, "-s", "http://127.0.0.1:%d/" % web.server_port],
        [dial, port, "2", dial, port, "1"])
    web.shutdown()


def rooted():
    """A client with a root and a libssl of its own."""
    root = os.path.join(T.name, "root")
    openssl = shutil.which("openssl")
    libs = re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", openssl], capture_output=True, text=True).stdout)
    for f in [openssl, *libs]:
        os.makedirs(root + os.path.dirname(f), exist_ok=True)
        shutil.copy(f, root + f)
    p = subprocess.Popen(["unshare", "-pf", "chroot", root, openssl, "s_client", "-quiet", "-connect",
                          "127.0.0.1:%d" % server.port], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL)
    with Sniffer("-v", "-c", "openssl") as s:
        p.stdin.write(b"GET /rooted HTTP/1.1\r\n\r\n")
        p.stdin.flush()
        p.stdout.readline()
        p.stdin.close()
        p.kill()
        p.wait()
    e = [e for e in s.events if e["type"] == "ssl.data"]
    equal(tags(s.events), {"rooted"}, "another root: its own libssl")
    ok(e and e[0].get("ns_pid") == 1, "and ns_pid in its namespace", e)


def docker():
    """A stand-in for docker: only how it is asked, and what it answers, is its."""
    t = Talker(env={"LD_LIBRARY_PATH": private_libssl("contained")})
    t.tell("import")
    folder = os.path.join(T.name, "bin")
    os.mkdir(folder)
    path = os.path.join(folder, "docker")
    with open(path, "w") as f:
        f.write("#!/bin/sh\n[ \"$1 $2 $3 $4 $5\" = 'inspect --format {{.State.Pid}} -- box' ] || exit 1\necho %d\n" % t.p.pid)
    os.chmod(path, 0o755)
    old = os.environ["PATH"]
    sniff = shutil.which("sslsniff")
    os.environ["PATH"] = folder + ":" + old
    with Sniffer("-c", "nobody-has-this", "--binary-path", "docker://box", "-v") as s:
        pass
    ok("contained/" in s.stderr, "docker://NAME: what its processes have mapped", s.stderr)
    for name, env, why in (("docker://none", os.environ["PATH"], "no container of this name"),
                           ("docker:a/b", os.environ["PATH"], "not the name of a container"),
                           ("docker://box", "/nonexistent", "needs docker, podman or crictl")):
        p = subprocess.run([sniff, "--binary-path", name], capture_output=True, text=True, env={"PATH": env})
        ok(p.returncode == 1 and why in p.stderr, "%s: %s" % (name, why), p.stderr)
    os.environ["PATH"] = old
    t.end()


def capabilities(pid):
    with open("/proc/%d/status" % pid) as f:
        return {k: v for k, v in (l.rstrip("\n").split(":\t", 1) for l in f if ":\t" in l)}


SYS_PTRACE, BPF, PERFMON = 1 << 19, 1 << 39, 1 << 38
EVERY_DAY = 1 << 0 | 1 << 1 | 1 << 6 | 1 << 7 | 1 << 12 | 1 << 16 | 1 << 21	# chown ... setuid, net_admin, sys_admin


def privileges():
    with Sniffer("-p", "1") as s:
        main = capabilities(s.p.pid)
        all_threads = [capabilities(int(t)) for t in os.listdir("/proc/%d/task" % s.p.pid)]
    equal(int(main["CapEff"], 16), SYS_PTRACE | BPF, "what reads and writes keeps CAP_SYS_PTRACE and CAP_BPF")
    ok(len(all_threads) > 1 and not any(int(t[k], 16) & EVERY_DAY for t in all_threads for k in ("CapEff", "CapPrm", "CapBnd")),
       "no thread has any that lets it change something", all_threads)
    equal(main["NoNewPrivs"], "1", "and it gets no new ones")

    sniff = os.path.realpath(shutil.which("sslsniff"))
    copy = os.path.join(T.name, "sslsniff")
    shutil.copy(sniff, copy)
    os.chmod(T.name, 0o755)

    def with_caps(*caps):
        plus = ",".join("+" + c for c in caps)
        return ["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", "-all," + plus, "--ambient-caps",
                "-all," + plus, copy]

    out = os.path.join(T.name, "few")
    r, w = os.pipe()
    with open(out, "wb") as f:
        p = subprocess.Popen([*with_caps("bpf", "perfmon"), "-c", "curl", "--ready-fd", str(w)], stdout=f,
                             stderr=subprocess.PIPE, pass_fds=[w], cwd="/", text=True, env={"PATH": os.environ["PATH"]})
    os.close(w)
    ready = os.read(r, 1)
    if ready == b"\n":
        subprocess.run(["curl", "-sko", "/dev/null", server.url + "few"], check=True)
        time.sleep(0.3)
        p.send_signal(signal.SIGINT)
    err = p.communicate()[1]
    ok(ready == b"\n" and tags(load(out)) == {"few"}, "CAP_BPF and CAP_PERFMON suffice", err)
    for have, lacks in ((["perfmon"], "lacks CAP_BPF:"), (["bpf"], "lacks CAP_PERFMON:")):
        p = subprocess.run([*with_caps(*have), "-c", "curl", "-d", "100ms"], capture_output=True, text=True, cwd="/",
                           env={"PATH": os.environ["PATH"]})
        ok(p.returncode == 1 and lacks in p.stderr, "with CAP_%s alone: %s" % (have[0].upper(), lacks), p.stderr)


def inspect():
    cache = os.path.join(T.name, "cache")
    os.mkdir(cache, 0o700)
    env = {**os.environ, "XDG_CACHE_HOME": cache}

    # of our own: what root found in the library itself before is kept for all
    lib = os.path.join(T.name, "libssl.copy")
    shutil.copy(LIBSSL, lib)

    def run(*args):
        p = subprocess.run(["sslsniff", "--inspect", lib, *args], capture_output=True, text=True, env=env)
        return p.returncode, p.stdout

    def kept():
        return [os.path.join(d, f) for d, _, fs in os.walk(cache) for f in fs]

    status, text = run()
    ok(status == 0 and "openssl" in text and "evidence" not in text and " read " in text, "--inspect: text", text)
    status, line = run("--json")
    e = json.loads(line)
    ok(e["type"] == "ssl.inspect" and e["complete"] and {x["role"] for x in e["sites"]} >= {"read", "write"} and
       all(x["evidence"] for x in e["sites"]), "--json: candidates with their evidence", line)
    # a file that was changed just now is not kept
    wait_for(lambda: run() and kept())
    files = kept()
    equal([stat.S_IMODE(os.stat(f).st_mode) for f in files], [0o600], "one cache file, private")
    for name, damage in (("cut", lambda b: b[:100]), ("changed", lambda b: b[:300] + bytes([b[300] ^ 1]) + b[301:]),
                         ("of nothing", lambda b: b"\0" * len(b))):
        with open(files[0], "rb") as f:
            good = f.read()
        with open(files[0], "wb") as f:
            f.write(damage(good))
        equal(run(), (0, text), "a cache file that is %s is ignored" % name)
    p = subprocess.run(["sslsniff", "--inspect", "/bin/sh"], capture_output=True, text=True, env=env)
    ok(p.returncode == 1 and "no TLS library" in p.stdout, "--inspect: nothing found is exit 1", p.stdout)


established()
loaded()
by_exe()
held()
held_library()
over()
rooted()
docker()
privileges()
inspect()
done()

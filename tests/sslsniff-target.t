#!/usr/bin/python3
"""sslsniff-target.t - whom it observes: selectors, descendants, its own pipeline"""
import shlex
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
server = HttpServer()


def curl(tag):
    return "curl -sko /dev/null %s%s" % (server.url, tag)


def run(*shell, **kw):
    subprocess.run(["sh", "-c", "; ".join(shell)], check=True, **kw)


def seen(name, wanted, *args, before=None, go=None):
    """With these options only the requests with the wanted tags are seen."""
    with Sniffer(*args) as s:
        go()
    equal(tags(s.events), set(wanted), name)
    return s


def shell(script):
    """A shell that waits for a line on its standard input, then runs a script."""
    return subprocess.Popen(["sh", "-c", "read go; " + script], stdin=subprocess.PIPE)


def tell(p):
    p.stdin.write(b"go\n")
    p.stdin.close()
    p.wait()


def by_pid():
    one = shell(curl("exec_child") + "; (" + curl("in_subshell") + "); true")
    other = shell(curl("other") + "; true")

    def go():
        tell(one)
        tell(other)
    seen("-p: a process and what it forks later", {"exec_child", "in_subshell"},
         "-p", str(one.pid), go=go)

    one, other = shell(curl("child") + "; true"), shell("exec " + curl("itself"))
    seen("-p --no-children: not its children", {"itself"}, "-p", str(one.pid),
         "-p", str(other.pid), "--no-children", go=lambda: (tell(one), tell(other)))

    # the parent is gone before the child speaks
    one = shell("sh -c %s & exit 0" % shlex.quote("sleep 0.3; " + curl("orphan")))

    def orphan():
        tell(one)
        ok(wait_for(lambda: any(b"/orphan" in r and w for r, w in server.pairs), 60), "... which was answered")
    seen("-p: a child that outlives its parent", {"orphan"}, "-p", str(one.pid), go=orphan)

    # descendants that were there before, two levels down
    top = subprocess.Popen(["sh", "-c", "sh -c 'sh -c \"read go; %s; true\"; true'; true" %
                            curl("grandchild")], stdin=subprocess.PIPE)
    wait_for(lambda: subprocess.run(["pgrep", "-P", str(top.pid)], capture_output=True).returncode == 0)
    time.sleep(0.2)
    seen("-p: descendants that run already", {"grandchild"}, "-p", str(top.pid), go=lambda: tell(top))

    p = subprocess.run(["sslsniff", "-p", "999999999"], capture_output=True, text=True)
    ok(p.returncode == 2 and "no such process" in p.stderr, "-p: no such process is said, exit 2", p.stderr)


FORKER = """
import os, socket, ssl, sys
sys.stdin.readline()
if os.fork() == 0:
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = 0
    s = c.wrap_socket(socket.create_connection(("127.0.0.1", %d)))
    s.sendall(b"GET /forked HTTP/1.1\\r\\n\\r\\n"); s.recv(1000)
    os._exit(0)
os.wait()
"""


def forked():
    p = subprocess.Popen([PYTHON, "-c", FORKER % server.port], stdin=subprocess.PIPE)
    with Sniffer("-p", str(p.pid)) as s:
        tell(p)
    equal(tags(s.events), {"forked"}, "-p: a child that never execs")
    ok(all(e["pid"] != p.pid for e in s.events if e["type"] == "ssl.data"), "... under its own pid")


def by_name():
    link = os.path.join(T.name, "myagent")
    os.symlink("/bin/sh", link)
    before = subprocess.Popen([link, "-c", "read go; " + curl("before") + "; true"], stdin=subprocess.PIPE)
    time.sleep(0.2)

    def go():
        tell(before)
        subprocess.run([link, "-c", curl("after") + "; true"])
        run(curl("stranger"))
    seen("-c: by name, running or started later, with children", {"before", "after"},
         "-c", "myagent", go=go)

    os.symlink("/usr/bin/curl", os.path.join(T.name, "mycurl"))

    def direct():
        run(os.path.join(T.name, "mycurl") + curl("direct")[4:], curl("stranger"))
        subprocess.run([link, "-c", curl("child") + "; true"])
    seen("-c --no-children: the named alone", {"direct"}, "-c", "mycurl", "-c", "myagent",
         "--no-children", go=direct)


THREAD = """
import ctypes, socket, ssl, threading
def go():
    ctypes.CDLL(None).prctl(15, b"HTTP Client", 0, 0, 0)
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = 0
    s = c.wrap_socket(socket.create_connection(("127.0.0.1", %d)))
    s.sendall(b"GET /thread HTTP/1.1\\r\\n\\r\\n"); s.recv(1000)
t = threading.Thread(target=go); t.start(); t.join()
"""


def by_thread():
    s = seen("-c: by the name of a thread", {"thread"}, "-c", "HTTP Client",
             go=lambda: subprocess.run([PYTHON, "-c", THREAD % server.port]))
    e = s.events[0]
    equal((e["comm"], e["thread"]), ("python3", "HTTP Client"), "comm is the process's name, thread the thread's")


def by_others():
    def as_nobody(tag):
        subprocess.run(["sh", "-c", curl(tag)], user=65534, group=65534, cwd="/")

    seen("-u: by number", {"nobody"}, "-u", "65534", go=lambda: (as_nobody("nobody"), run(curl("root"))))
    seen("-u: by name", {"nobody2"}, "-u", "nobody", go=lambda: (as_nobody("nobody2"), run(curl("root"))))
    p = subprocess.Popen(["sh", "-c", "read go; " + curl("in_session") + "; true"],
                         stdin=subprocess.PIPE, start_new_session=True)
    seen("--session", {"in_session"}, "--session", str(p.pid), go=lambda: (tell(p), run(curl("out"))))
    both = shell("setpriv --reuid 65534 --clear-groups " + curl("both") + "; " + curl("only_pid") + "; true")
    seen("-p and -u: both must hold", {"both"}, "-p", str(both.pid), "-u", "65534",
         go=lambda: (tell(both), as_nobody("only_user")))


def by_cgroup():
    with open("/proc/self/mounts") as f:
        roots = [x.split()[1] for x in f if x.split()[2] == "cgroup2"]
    path = os.path.join(roots[0], "agentsight-test-%d" % os.getpid()) if roots else None
    try:
        os.makedirs(os.path.join(path, "below"))
    except (OSError, TypeError) as e:
        print("# no cgroup v2 to make one in: %s" % e)
        ok(True, "--cgroup # SKIP no cgroup v2")
        return
    try:
        p = shell("echo $$ >%s/below/cgroup.procs; %s; true" % (path, curl("in_cgroup")))
        seen("--cgroup: also below it", {"in_cgroup"}, "--cgroup", path,
             go=lambda: (tell(p), run(curl("elsewhere"))))
    finally:
        os.rmdir(os.path.join(path, "below"))
        os.rmdir(path)


WAITER = """
import ssl, socket, sys
sys.stdin.readline()
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname = False; c.verify_mode = 0
s = c.wrap_socket(socket.create_connection(("127.0.0.1", %d)))
s.sendall(b"GET /%s HTTP/1.1\\r\\n\\r\\n"); s.recv(1000)
"""


def libraries():
    """A libssl that is mapped, but in no folder of the loader; and one that was
    deleted since, as an upgrade does."""
    real = os.path.realpath([l.split()[-1] for l in open("/proc/self/maps") if "/libssl" in l][0])
    for tag in ("private", "deleted"):
        folder = os.path.join(T.name, tag)
        os.mkdir(folder)
        with open(real, "rb") as f, open(os.path.join(folder, "libssl.so.3"), "wb") as g:
            g.write(f.read())
        p = subprocess.Popen([PYTHON, "-c", WAITER % (server.port, tag)], stdin=subprocess.PIPE,
                             env={**os.environ, "LD_LIBRARY_PATH": folder})
        wait_for(lambda: folder in open("/proc/%d/maps" % p.pid).read())
        if tag == "deleted":
            os.unlink(os.path.join(folder, "libssl.so.3"))
        seen("a libssl of the process's own, " + tag, {tag}, "-p", str(p.pid), go=lambda: tell(p))


def containers():
    """In a pid namespace of its own, with a root of its own, in a cgroup named as
    container runtimes do."""
    with open("/proc/self/mounts") as f:
        roots = [x.split()[1] for x in f if x.split()[2] == "cgroup2"]
    digits = hashlib.sha256(str(os.getpid()).encode()).hexdigest()
    path = os.path.join(roots[0] if roots else "/nowhere", "docker-%s.scope" % digits)
    try:
        os.mkdir(path)
    except OSError as e:
        ok(True, "container_id and ns_pid # SKIP no cgroup v2 to make one in: %s" % e)
        return
    # it stays a while: the id is read from /proc when the first line is written
    stays = WAITER % (server.port, "contained") + "import time; time.sleep(1)\n"
    try:
        p = shell("echo $$ >%s/cgroup.procs; unshare -pf %s -c %s; true" % (path, PYTHON, shlex.quote(stays)))
        s = seen("in a container", {"contained"}, "-p", str(p.pid), go=lambda: tell(p))
        e = [e for e in s.events if e["type"] == "ssl.data"][0]
        equal((e.get("ns_pid"), e.get("container_id")), (1, digits[:12]), "ns_pid and container_id")
    finally:
        wait_for(lambda: not open(path + "/cgroup.procs").read())
        os.rmdir(path)


def own_pipeline():
    """What reads our output is not observed, through any number of pipes; a
    process of the same group that does not is."""
    out = os.path.join(T.name, "own")
    ready = os.path.join(T.name, "own.ready")
    feed = "while read l; do %s; done" % curl("downstream")
    run("sslsniff --ready-fd 9 9>%s 2>%s.err | tee %s | cat | { %s; } & " % (ready, out, out, feed) +
        "until [ -s %s ]; do sleep 0.05; done" % ready,
        curl("observed"), "sleep 1.5", "kill -INT $(pgrep -P $$ -x sslsniff)", "wait")
    events = load(out)
    # the whole system was observed: what others do on it meanwhile is not our server's
    ours = {e["conn"] for e in events if any(e.get(k, "").endswith(":%d" % server.port) for k in ("local", "peer"))}
    equal(tags([e for e in events if e.get("conn") in ours]), {"observed"}, "our own pipeline is never observed, its process group is")
    with open(out + ".err") as f:
        balanced(f.read(), "own pipeline")


by_pid()
forked()
by_name()
by_thread()
by_others()
by_cgroup()
libraries()
containers()
own_pipeline()
done()

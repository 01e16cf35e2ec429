"""What the tests against npm packages share: packages, a server, collectors, TAP."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
state = {"n": 0, "failed": 0}


def ok(name, good, *why):
    state["n"] += 1
    print("%sok %d - %s" % ("" if good else "not ", state["n"], name), flush=True)
    if not good:
        state["failed"] += 1
        for w in why:
            print("# " + (w if isinstance(w, str) else json.dumps(w, ensure_ascii=False))[:3000].replace("\n", "\n# "))
    return good


def done():
    print("1..%d" % state["n"])
    sys.exit(state["failed"] != 0)


def skip_all(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


def same(a, b):
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def modules():
    """The node_modules folder that `make test-sdk` made. Ends the test where it cannot run."""
    need("node")
    if subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests", "bpf_works.py")], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode:
        skip_all("BPF does not work here")
    return os.environ.get("SDK_MODULES") or skip_all("no SDK_MODULES: make test-sdk")


def need(*tools):
    for t in tools:
        if not shutil.which(t):
            skip_all("no " + t)


class Program:
    """A program that says a first line when it is ready, and goes on at a line on its stdin."""

    def __init__(self, *cmd, **env):
        self.p = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **env})
        self.first = self.p.stdout.readline().decode().strip()

    def go(self):
        """Its other lines, as JSON, when it has ended."""
        out = self.p.communicate(b"go\n")[0].decode()
        if self.p.returncode:
            ok("it ran", False, self.p.args, self.p.returncode)
        return [json.loads(x) for x in out.split("\n")[:-1]]

    def end(self):
        self.p.kill()
        self.p.wait()


class Collector:
    """One of ours, attached; lines() when it has ended."""

    def __init__(self, name, program, *options):
        pid = str(program.p.pid)
        cmd = [name, "-p", pid, *options]
        if name == "sslsniff":      # node has its TLS built in
            cmd += ["--binary-path", shutil.which("node")]
        r, w = os.pipe()
        self.out = tempfile.TemporaryFile()
        self.p = subprocess.Popen([*cmd, "--ready-fd", str(w)], stdout=self.out, pass_fds=(w,))
        os.close(w)
        if os.read(r, 1) != b"\n":
            raise SystemExit("%s did not start" % cmd[0])
        os.close(r)

    def lines(self):
        """What it saw."""
        self.p.terminate()
        self.p.wait()
        self.out.seek(0)
        return self.out.read()

    def through(self, *filters):
        return through(self.lines(), *filters)


def through(text, *filters):
    """The events that these filters make of lines."""
    for f in filters:
        text = subprocess.run([f, "-q"], input=text, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(x) for x in text.decode().split("\n")[:-1]]


def server(scratch, *options):
    """tests/server/llmserver.py: (program, URL, its certificate)."""
    p = Program("/usr/bin/python3", os.path.join(ROOT, "tests", "server", "llmserver.py"), "--dir", scratch, *options)
    return p, "https://localhost:" + p.first.split()[1], os.path.join(scratch, "cert.pem")


def body(e, key="body"):
    """The bytes of an event."""
    return base64.b64decode(e[key + "_b64"]) if key + "_b64" in e else e.get(key, "").encode()

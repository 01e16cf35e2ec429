"""What the tests of authstrip share: event lines, runs of the tool, a table of lines and what must become of them.

A text marks its credentials: "key «abc» end". split() gives what goes in, marked() what must come out.
"""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from httpparse_kit import Tap  # noqa: E402

TOOL = os.environ.get("AUTHSTRIP", "authstrip")
MARK = "[REDACTED]"
tap = Tap()


def event(kind="x.y", **keys):
    return json.dumps(dict({"type": kind}, **keys), separators=(",", ":"), ensure_ascii=False)


def split(text):
    """The text as it comes, and its credentials."""
    return text.replace("«", "").replace("»", ""), re.findall("«(.*?)»", text, re.S)


def marked(text):
    return re.sub("«.*?»", MARK, text, flags=re.S)


def run(lines, *options, status=0, stderr=False, loss=False):
    """The lines that come out, without losses unless asked for; or what it says."""
    data = "".join(l + "\n" for l in lines).encode("utf-8", "surrogateescape")
    p = subprocess.run([TOOL, *([] if stderr else ["-q"]), *options], input=data, capture_output=True)
    if p.returncode != status or b"Sanitizer" in p.stderr:
        tap.ok(False, "exit status %d of %s" % (status, options), p.returncode, p.stderr[-3000:])
    out = p.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]
    out = [l for l in out if not l.startswith('{"type":"stage.')]
    return p.stderr.decode() if stderr else [l for l in out if loss or not l.startswith('{"type":"loss"')]


class Batch:
    """Lines and what must become of each, in one run; and again, which must change nothing."""

    def __init__(self):
        self.rows = []

    def add(self, name, line, want):
        self.rows.append((name, line, want))

    def same(self, name, line):
        self.add(name + ": unchanged", line, line)

    def text(self, name, text):
        self.add(name, event(t=split(text)[0]), event(t=marked(text)))

    def swap(self, name, kind, make, secret):
        self.add(name, event(kind, **make(secret)), event(kind, **make(MARK)))

    def check(self):
        out = run([line for _, line, _ in self.rows])
        again = run(out)
        if not tap.ok(len(out) == len(again) == len(self.rows), "as many lines as came in", len(self.rows), len(out), len(again)):
            return
        for (name, line, want), got, twice in zip(self.rows, out, again):
            bad = got != want or twice != got
            if not bad and got[:1] == "{":
                json.loads(got)
            tap.ok(not bad, name, *[("in", line[:600]), ("got", got[:600]), ("want", want[:600]), ("again", twice[:300])] if bad else [])

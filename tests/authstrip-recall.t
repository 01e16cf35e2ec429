#!/usr/bin/python3
"""authstrip: how much it finds, by class, and how much of what is no credential it changes: as one table."""
import glob
import json
import os
import subprocess
import sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import authstrip_forms as forms
from authstrip_kit import event, run, tap

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
table = []


def strings(v):
    if isinstance(v, str):
        yield v
    for w in v.values() if isinstance(v, dict) else v if isinstance(v, list) else ():
        yield from strings(w)


def alive(secret, line):
    """Whether it, or its end, is in what came out."""
    text = "\n".join(strings(json.loads(line)))
    for part in secret.split("\n"):
        if part in text or (len(part) > 30 and part[len(part) // 2:] in text) or (len(part) >= 12 and part[-8:] in text):
            return True
    return False


def row(what, all_, missed, least, of="found"):
    share = 100 - 100 * len(missed) / all_
    table.append("%-38s %6d %8d %7.1f %%" % (what, all_, len(missed), share))
    tap.ok(share >= least, "%s: %.1f %% of %d %s" % (what, share, all_, of), missed[:20])


def test_forms():
    missed, n = [], 0
    for around in ("here it is %s thanks", "%s", "key=>%s<", "\"%s\",", "x=%s;"):
        rows = [(name, forms.fill(template)) for name, template in forms.FORMS]
        out = run([event("stdio.data", timestamp_ns=i, pid=i, direction="READ", fd=0, data=around % token + "\n") for i, (_, token) in enumerate(rows)])
        missed += ["%s in %s" % (name, around) for (name, token), o in zip(rows, out) if alive(token, o)]
        n += len(rows)
    row("forms of makers", n, missed, 98)


def test_places():
    makes = (("a terminal", lambda i, t: event("stdio.data", timestamp_ns=i, pid=i, direction="READ", fd=0, data="x\n" + t)),
             ("an argument", lambda i, t: event("process.exec", timestamp_ns=i, pid=i, argv=["x", t])),
             ("a tool's result", lambda i, t: event("llm.call", timestamp_ns=i, tool_results=[{"result": json.dumps({"stdout": t})}])))
    kinds = {}
    for name, make in makes:
        for _ in range(3):
            rows = [(kind, template) + forms.place(template) for kind, template in forms.PLACES]
            out = run([make(i, text) for i, (_, _, text, _) in enumerate(rows)])
            for (kind, template, text, found), o in zip(rows, out):
                k = kinds.setdefault(kind, [0, []])
                k[0] += 1
                if any(alive(s, o) for s in found):
                    k[1].append("%s: %s" % (name, template))
    for kind, (n, missed) in kinds.items():
        row("places: " + kind, n, missed, 85)
    no_prose = [v for k, v in kinds.items() if k != "prose"]
    row("places, prose apart", sum(n for n, _ in no_prose), [m for _, missed in no_prose for m in missed], 95)


def changed(files):
    """Lines of the files, and those of them that change."""
    texts = [(f, open(f, encoding="utf-8", errors="replace").read()) for f in files]
    out, n, diff = run([event(t=t) for _, t in texts]), 0, []
    for (f, t), o in zip(texts, out):
        got = json.loads(o)["t"]
        n += t.count("\n")
        if got != t:
            diff += ["%s: %s" % (os.path.relpath(f, ROOT), a.strip()[:90]) for a, b in zip(t.split("\n"), got.split("\n")) if a != b]
            diff += ["%s: lines are gone" % f] * abs(t.count("\n") - got.count("\n"))
    return n, diff


def test_precision():
    names = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True).stdout.split("\n")[:-1]
    if not names:
        names = [os.path.relpath(f, ROOT) for d in ("*/*.[ch]", "man/*", "docs/*", "*.md", "*/*.sh", "*/*.sql") for f in glob.glob(os.path.join(ROOT, d))]
    files = [os.path.join(ROOT, f) for f in names if not f.startswith("tests/")]
    files = [f for f in files if os.path.isfile(f)]
    n, diff = changed(files)
    row("our own source and pages, unchanged", n, diff, 100 - 100 / 5000, "lines unchanged")
    for d in diff:
        print("# changed: " + d)
    n, diff = changed([os.path.join(HERE, "authstrip_benign.txt")])
    row("texts that hold none, unchanged", n, diff, 100, "lines unchanged")


test_forms()
test_places()
test_precision()
print("# %-38s %6s %8s %9s" % ("", "all", "missed", "share"))
for line in table:
    print("# " + line)
tap.done()

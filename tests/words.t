#!/usr/bin/python3
"""Words from outside in what our programs say: to every option and operand of every
program is given one that would clear the screen, begin a line of its own, turn the
direction of text, or is no UTF-8. It is refused or not; it is nowhere repeated as it is."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
BIN = os.path.dirname(shutil.which("agentsight") or sys.exit("Bail out! no agentsight in PATH"))
TOOLS = ["sslsniff", "process", "stdiocap", "tcpsniff", "sysmon", "jsonfilter", "httpparse", "ssemerge", "llmparse", "authstrip",
         "sqlitesink", "otelsink", "websink", "agentsight-report", "agentsight-runlog", "agentsight-spawn", "agentsight-show",
         "agentsight-nearest", "agentsight-place"]
SCRIPTS = ["agentsight", "agentsight-discover", "agentsight-doctor", "agentsight-pipeline"]
# ESC, BEL, CR, newline, C1 as a character and as a byte, right-to-left, a zero width space of the other kind
EVIL = b"x\x1b[2J\x1b]0;t\x07\r\nEVIL \xc2\x9b31m \xe2\x80\xae \xe2\x81\xa6 \xef\xbb\xbf \x9b \xff\xc0\x80 \xed\xa0\x80"
COMMANDS = ["record", "top", "pipeline", "report", "discover", "doctor", "help"]
# what runs until it is told to end does so at once, and touches nothing
FIRST = {"otelsink": ["--file", "spans"], "websink": ["--exit", "--port=0"], "sysmon": ["-d", "1ms"], "agentsight-report": ["summary"]}
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\udc80-\udcff]")
# a user that no other test has, whose recorded agents would find us
user = [] if os.geteuid() else ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
if user and subprocess.run(user + ["test", "-x", os.path.join(BIN, "authstrip")]).returncode:
    user = []
work = tempfile.mkdtemp(prefix="agentsight-words.")
os.chmod(work, 0o1777)
n = bad = 0


def report(ok, name, *why):
    global n, bad
    n += 1
    bad += not ok
    print("%sok %d - %s" % ("" if ok else "not ", n, name))
    if not ok:
        for line in why[:12]:
            print("#", ascii(line)[:300])


def said(words):
    """All that a program says of them; it is ended when it would go on."""
    p = subprocess.Popen(user + words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=work,
                         start_new_session=True, env=dict(os.environ, HOME=work, TMPDIR=work, LC_ALL="C.UTF-8"))
    try:
        return p.communicate(timeout=20)[0]
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, 9)
        return p.communicate()[0]


def is_raw(out):
    text = out.decode("utf-8", "surrogateescape")
    return RAW.search(text) or re.search(r"^EVIL", text, re.M)


def options(tool):
    # what a terminal pager or an --output would take away is given as it is
    text = said([os.path.join(BIN, tool), "--help"]).decode("utf-8", "replace")
    return sorted(set(re.findall(r"--[a-z][a-z-]+(?=[= ]\[?[A-Z])", text))), sorted(set(re.findall(r"--[a-z][a-z-]+", text)))


def words_of(tool):
    with_value, every = options(tool)
    first = [os.path.join(BIN, tool)] + FIRST.get(tool, [])
    yield first + [EVIL]
    yield first + [EVIL + b".db"]
    yield first + [b"--" + EVIL]
    yield first + [b"-" + EVIL]
    yield first + ["--", EVIL]
    yield first + ["-", EVIL]
    for o in with_value:
        yield first + [o, EVIL]
        yield first + [o.encode() + b"=" + EVIL]
    for o in set(every) - set(with_value):
        yield first + [o.encode() + b"=" + EVIL]


def words_of_script(tool):
    first = os.path.join(BIN, tool)
    if tool != "agentsight":
        for o in ("", "--"):
            yield [first, o.encode() + EVIL]
        return
    with_value, every = options(tool)
    yield [first, EVIL]
    yield [first, b"--" + EVIL]
    for c in COMMANDS:
        yield [first, c, EVIL]
        yield [first, c, b"--no-" + EVIL]
    # what would be run is printed, not run
    for o in with_value:
        yield [first, "pipeline", "record", o.encode() + b"=" + EVIL.replace(b"\n", b""), "--", "true"]
    for o in "--db", "--ssl", "--ssl-filter", "--for":
        yield [first, "pipeline", "record", o.encode() + b"=" + EVIL]


def check(tool, all_words):
    found = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for words, out in [(w, pool.submit(said, w)) for w in all_words]:
            if is_raw(out.result()):
                found += [" ".join(os.fsdecode(x) for x in words[:4]), out.result().decode("utf-8", "surrogateescape")]
    report(not found, "%s shows what is no text by number (%d calls)" % (tool, len(all_words)), *found)


try:
    report(is_raw(EVIL) and is_raw(b"a\nEVIL") and not is_raw(b"x\\x1b[2J \xc3\xa4\tEVIL\n"), "the test knows what is not shown")
    for t in TOOLS:
        if shutil.which(t) or os.path.exists(os.path.join(BIN, t)):
            check(t, list(words_of(t)))
        else:
            report(False, t + " is built")
    for t in SCRIPTS:
        check(t, list(words_of_script(t)))
finally:
    shutil.rmtree(work, ignore_errors=True)
print("1..%d" % n)
sys.exit(bad != 0)

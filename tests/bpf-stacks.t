#!/usr/bin/python3
"""bpf-stacks.t - where the BPF programs have their variables, with every set of options

Programs may sleep and be preempted. What they keep in memory of the CPU is then
another task's: they must have their frames on the stack of the task, which holds 512
bytes of them. Each collector loads its programs with every set of options, for that
makes a difference (--check), and tests/stacks listens. With names of collectors as
arguments: those alone."""
import ctypes
import os
import platform
import re
import subprocess
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import T, cc, done, need_bpf, ok

need_bpf()
LISTENER = cc("stacks.so", "-shared", "-fPIC", "-w", "tests/stacks/stacks.c", "-ldl")
MOST = 512      # MAX_BPF_STACK, include/linux/filter.h
RELEASE = [int(n) for n in re.findall(r"\d+", platform.release())[:2]]
SELDOM = {"on_move", "on_signal"}	# raw everywhere, for they hardly ever meet
TOOLS = sys.argv[1:] or ["sslsniff", "process", "stdiocap", "tcpsniff"]


def heard(path):
    with open(path) as f:
        return [line.split() for line in f]


def control():
    """That the listener would notice: kernels that have private stacks give one to
    the program that it loads itself."""
    os.environ["STACKS"] = path = os.path.join(T.name, "control")
    listener = ctypes.CDLL(LISTENER, use_errno=True)
    if listener.stacks_control():
        return ok(False, "a program of the listener's loads", os.strerror(ctypes.get_errno()))
    (name, _, private, total, depths), = heard(path)
    ok((name, total, depths) == ("control", "128", "128"), "the frame of a known program", total, depths)
    if platform.machine() == "x86_64":
        wanted = "1" if RELEASE >= [6, 13] else "0"
        ok(private == wanted, "its stack is %s here" % ("private" if wanted == "1" else "the task's"), private)


def check(tool):
    """All programs of a collector; what --check says of them is what they do."""
    path = os.path.join(T.name, tool)
    p = subprocess.run([tool, "--check"], capture_output=True, text=True,
                       env={**os.environ, "LD_PRELOAD": LISTENER, "STACKS": path})
    if not ok(p.returncode == 0, tool + ": all programs load", p.stderr[-3000:]):
        return
    # what was loaded only to see what this kernel can has other names
    programs = {tuple(x) for x in heard(path) if len(x) == 5 and x[0].startswith(("on_", "target_"))}
    most = max([int(x[3]) for x in programs if x[3].isdigit()] or [0])
    print("# %s: %d programs, at most %d bytes" % (tool, len({x[0] for x in programs}), most))
    for name, _, private, total, depths in sorted(programs):
        if private != "0":
            ok(False, "%s %s: frames on the task's stack" % (tool, name), private + " are in memory of the CPU")
        if not total.isdigit() or int(total) > MOST:
            ok(False, "%s %s: at most %d bytes of frames" % (tool, name, MOST), "%s bytes (%s)" % (total, depths))
    ok(programs, tool + ": heard of its programs")
    # lib/trace.h; BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_TRACING
    raw = sorted({x[0] for x in programs if x[1] in ("17", "26")} - SELDOM)
    if RELEASE >= [7, 0]:
        ok(not raw, tool + ": no tracepoint program that the kernel leaves out", *raw)


control()
for tool in TOOLS:
    check(tool)
done()

#!/usr/bin/python3
"""httpparse: the same bytes give the same events, however they are cut."""
import concurrent.futures
import os
import sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from httpparse_cases import cases, cases2
from httpparse_kit import Conn, R, Tap, W, lines, normal, run

tap = Tap()


def variants(conn, each):
    """The connection cut into n-byte pieces, and (each) in two at each byte of each step."""
    def named(i, cut):
        c = Conn("100:ab:%d" % i, conn.tid)
        c.steps = conn.steps
        return c.name, lines(c, cut)
    cuts = [0, 1, 2, 3, 7, 16]
    for k, step in enumerate(conn.steps if each else []):
        if step[0] in (W, R) and step[1] != "hole":
            for at in range(1, len(step[1])):
                cuts.append(lambda i, data, k=k, at=at: [data[:at], data[at:]] if i == k else [data])
    return [named(i, cut) for i, cut in enumerate(cuts)]


def check(conn, each):
    """What is wrong, if anything."""
    many = variants(conn, each)
    # together in one run, so that a process is not started for each
    all_ = run([line for _, text in many for line in text])
    got = normal(all_)
    one, bytes_ = run(many[0][1]), run(many[1][1])
    want = list(normal(one).values())[0][0]
    wrong = [n for n, _ in many if got.get(n, ([], {}))[0] != want]
    if wrong:
        return [wrong[:5], got.get(wrong[0], [None])[0], want]
    # losses are the same too, and what is no message passes on when it has lines to itself
    if {k: (n * len(many), b * len(many)) for k, (n, b) in one.loss().items()} != all_.loss():
        return ["losses", one.loss(), all_.loss(), len(many)]
    passed = sum(len(p) for p in list(normal(bytes_).values())[0][1].values())
    other = sum(e["written_bytes"] + e["read_bytes"] for e in one.of("http.other") if "s" not in e.get("id", "").rsplit("/", 1)[-1])
    if passed - other != one.loss().get("not_http", (0, 0))[1] and b"PRI *" not in conn.steps[0][1]:
        return ["passed on", passed, one.loss()]
    if each and one.out != run(many[0][1]).out:
        return ["the same input gave another output"]
    return one.check() + bytes_.check()


todo = [(name, side, c) for name, conn in {**cases(), **cases2()}.items() for side, c in (("client", conn), ("server", conn.flipped()))]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for (name, side, _), wrong in zip(todo, pool.map(lambda t: check(t[2], t[1] == "client"), todo)):
        tap.ok(not wrong, "%s, seen by the %s" % (name, side), *wrong)
tap.done()

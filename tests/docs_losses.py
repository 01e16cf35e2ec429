#!/usr/bin/python3
"""Compares the reasons in docs/losses.md with those in the sources.

Prints "STAGE REASON" for each that one has and the other has not, and every
loss_add whose reason this script cannot find out. Exit 1 when there is any.
"""
import glob
import re
import sys

LITERAL = re.compile(r'"([a-z][a-z0-9_]*)"')
CALL = re.compile(r"\bloss_add\(([^;]*?)\);", re.S)

# Where the reason is a variable: file, expression, and the pattern of the
# places in that folder that give it its values.
VARIABLES = {
    ("otelsink/otelsink.c", "reason"): r"report_loss\(self, ([^,]*),",
    ("lib/stage.c", "reason"): r"\bbad_line\(r, name, ([^,]*),",
    ("lib/probe.c", "count_name(p, i)"): r"case COUNT_\w+: return ([^;]*);",
    ("httpparse/conn.c", "h->odd"): r"return head_refuse\([^;]*;",
    ("httpparse/conn.c", "why"): r"if \(why && !strcmp\(why, ([^)]*)\)\)\s*loss_add",
}
STAGES = {"lib/stage.c": "every filter", "lib/probe.c": "every eBPF collector"}


def arguments(text):
    """Split at commas outside of brackets."""
    out, depth, at = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            out.append(text[at:i].strip())
            at = i + 1
    return out + [text[at:].strip()]


def in_sources():
    found, unknown = set(), []
    with open("Makefile", encoding="utf-8") as f:
        tools = " ".join(re.findall(r"^(?:FILTERS|SINKS|PROBES) *= *(.*)$", f.read(), re.M)).split()
    files = [f for folder in ["lib"] + tools for f in sorted(glob.glob(folder + "/*.c"))
             if not f.endswith(".bpf.c") and f != "lib/loss.c"]
    text = {f: open(f, encoding="utf-8").read() for f in files}
    for f in files:
        folder = f.split("/")[0]
        stage = STAGES.get(f, folder)
        for call in CALL.findall(text[f]):
            reason = arguments(call)[1]
            if reason.startswith('"') or "?" in reason:
                found |= {(stage, r) for r in LITERAL.findall(reason)}
                continue
            pattern = VARIABLES.get((f, reason))
            values = [v for g in files if pattern and g.startswith(folder + "/")
                      for place in re.findall(pattern, text[g]) for v in LITERAL.findall(place)]
            found |= {(stage, v) for v in values}
            if not values:
                unknown.append("%s: loss_add(.., %s, ..): where does it come from?" % (f, reason))
        # the names that a collector gives to its own counts
        for names in re.findall(r"\breasons\[\] = \{([^}]*)\}", text[f]):
            found |= {(folder, r) for r in LITERAL.findall(names)}
    return found, unknown


def in_page():
    """Stage and reason of each row, whose third column says how a verdict counts it."""
    with open("docs/losses.md", encoding="utf-8") as f:
        return {m[:2]: m[2] for m in re.findall(r"^\| ([^|`]+) \| `([a-z0-9_]+)` \| ([^|]*) \|", f.read(), re.M)}


def main():
    source, wrong = in_sources()
    counts = in_page()
    page = set(counts)
    wrong += ["%s %s: in the sources, not in docs/losses.md" % r for r in sorted(source - page)]
    wrong += ["%s %s: in docs/losses.md, not in the sources" % r for r in sorted(page - source)]
    wrong += ["%s %s: counts as lost, follows or kept, not '%s'" % (r + (c,)) for r, c in sorted(counts.items())
              if c not in ("lost", "follows", "kept")]
    print("\n".join(wrong) if wrong else "%d reasons" % len(page))
    return 1 if wrong else 0


sys.exit(main())

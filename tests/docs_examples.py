#!/usr/bin/python3
"""The examples of docs/events.md: are they what the tools do?

    docs_examples.py [--update] [FILE]

A block of event lines follows a comment that names it. <!-- NAME --> is input.
<!-- NAME | TOOL | TOOL --> is exactly what that pipeline makes of block NAME;
with ": some" behind it, lines that are among what it makes. What stages write about
themselves (stage.begin, stage.end) is shown once, and left out else. Prints TAP. With
--update, what is exactly output is written anew, to be looked at in a diff.
"""
import re
import shutil
import subprocess
import sys

BLOCK = re.compile(r"<!-- (.*?) -->\n```ndjson\n(.*?)```\n", re.S)


def run(tools, text, books):
    for tool in tools:
        text = subprocess.run(tool.split(), input=text, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              encoding="utf-8", check=True).stdout
    return text if books else "".join(x for x in text.splitlines(True) if not x.startswith('{"type":"stage.'))


def main():
    args = sys.argv[1:]
    update = args[:1] == ["--update"]
    path = (args[update:] or ["docs/events.md"])[0]
    with open(path, encoding="utf-8") as f:
        page = f.read()
    inputs, n, failed = {}, 0, 0

    def each(match):
        nonlocal n, failed
        tag, text = match.groups()
        name, _, some = tag.partition(": ")
        name, *tools = name.split(" | ")
        if not tools:
            inputs[name] = text
            return match.group()
        n += 1
        missing = [t for t in tools if not shutil.which(t.split()[0])]
        if missing:
            print("ok %d - %s # SKIP %s is not built" % (n, tag, ", ".join(missing)))
            return match.group()
        got = run(tools, inputs[name], "stage.begin" in text)
        fine = set(text.splitlines()) <= set(got.splitlines()) if some else got == text
        print("%s %d - %s" % ("ok" if fine or update else "not ok", n, tag))
        if not fine and not update:
            failed += 1
            for line in got.splitlines():
                if line not in text.splitlines():
                    print("# it is: " + line[:1000])
        return match.group() if some or not update else "<!-- %s -->\n```ndjson\n%s```\n" % (tag, got)

    new = BLOCK.sub(each, page)
    if page.count("```ndjson") != len(BLOCK.findall(page)) or '"timestamp_ns":' in BLOCK.sub("", page):
        n, failed = n + 1, failed + 1
        print("not ok %d - every line is in a block, and every block has a comment that names it" % n)
    print("1..%d" % n)
    if update and new != page:
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
    return 1 if failed or not n else 0


sys.exit(main())

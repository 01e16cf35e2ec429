#!/usr/bin/python3
"""terminal.py - what a terminal shows, as a picture

    terminal.py COLUMNS FILE.svg COMMAND... -- runs each COMMAND, a shell's line, on a terminal of that width

Of the ways to set text apart it knows those that agentsight uses: bold, underlined and the eight colours.
"""
import html
import os
import pty
import re
import subprocess
import sys

COLOURS = dict(zip(range(31, 37), ("#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea")))
WIDTH, HEIGHT, EDGE = 8.43, 19, 16


def shown(command, columns):
    """What it prints on a terminal."""
    parent, child = pty.openpty()
    env = dict(os.environ, PAGER="cat", TERM="xterm-256color", COLUMNS=str(columns))
    subprocess.run(["stty", "cols", str(columns)], stdin=child, check=True)
    p = subprocess.Popen(["sh", "-c", command], stdin=child, stdout=child, stderr=child, env=env)
    os.close(child)
    out = b""
    try:
        while got := os.read(parent, 1 << 16):
            out += got
    except OSError:     # its end, Linux: EIO
        pass
    p.wait()
    return out.decode().replace("\r\n", "\n").rstrip("\n").split("\n")


def drawn(line):
    """A line with its escape sequences, as spans."""
    spans, style = [], {}
    for i, part in enumerate(re.split(r"\x1b\[([0-9;]*)m", line)):
        if i % 2 == 0:
            attributes = "".join(' %s="%s"' % item for item in style.items())
            spans += ["<tspan%s>%s</tspan>" % (attributes, html.escape(part).replace(" ", "\u00a0"))] if part else []
            continue
        for n in (int(x or 0) for x in part.split(";")):
            if n == 0:
                style = {}
            elif n == 1:
                style["font-weight"] = "bold"
            elif n == 4:
                style["text-decoration"] = "underline"
            elif n in COLOURS:
                style["fill"] = COLOURS[n]
    return "".join(spans)


def main(columns, path, *commands):
    lines = []
    for command in commands:
        lines += ["\x1b[32m$\x1b[0m \x1b[1m%s\x1b[0m" % command, *shown(command, columns), ""]
    w, h = columns * WIDTH + 2 * EDGE, len(lines) * HEIGHT + 2 * EDGE - HEIGHT
    with open(path, "w", encoding="utf-8") as f:
        f.write('<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">\n' % (w, h, w, h))
        f.write('<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n<g fill="#e6edf3" font-size="14"'
                ' font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace">\n')
        for i, line in enumerate(lines):
            text = re.sub(r"\x1b\[[0-9;]*m", "", line)
            if text:
                f.write('<text x="%d" y="%d" textLength="%.1f">%s</text>\n' % (EDGE, EDGE + 14 + i * HEIGHT, len(text) * WIDTH, drawn(line)))
        f.write("</g>\n</svg>\n")


main(int(sys.argv[1]), *sys.argv[2:])

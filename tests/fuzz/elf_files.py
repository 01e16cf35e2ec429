#!/usr/bin/python3
"""elf_files.py - mutated ELF files, each looked at by sslsniff --inspect as it is run: in its sandboxed child

usage: elf_files.py [-n FILES] [ELF]...

Deterministic. Says what crashed, hung, said nothing or took more than 512 MB, and exits 1."""
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile

MOST_KB, SECONDS = 512 << 10, 60
ODD = [0, 1, 0x7f, 0xff, 0x1000, 0x7fffffff, 0xffffffff, 1 << 32, 1 << 47, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def seeds(names):
    for name in names or ["/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/lib/x86_64-linux-gnu/libnspr4.so", "/bin/true"]:
        if os.path.exists(name):
            with open(name, "rb") as f:
                yield f.read()


def tables(data):
    """Where its headers are: program headers, sections, dynamic entries and symbols say where all else is."""
    at = [(0, 64)]
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phnum, _, shnum = struct.unpack_from("<HHH", data, 56)
    at.append((phoff, 56 * phnum))
    at.append((shoff, 64 * shnum))
    for i in range(shnum):
        kind, = struct.unpack_from("<I", data, shoff + 64 * i + 4)
        off, size = struct.unpack_from("<QQ", data, shoff + 64 * i + 24)
        if kind in (2, 3, 4, 5, 6, 7, 11, 0x6ffffff6):     # symbols, strings, relocations, hashes, dynamic, notes
            at.append((off, size))
    return [(off, min(size, len(data) - off)) for off, size in at if size and off < len(data)]


def mutate(rnd, data, at):
    new = bytearray(data)
    for _ in range(rnd.choice((1, 1, 2, 4, 16))):
        off, size = rnd.choice(at) if rnd.random() < 0.9 else (0, len(new))
        where = min(off + rnd.randrange(size), len(new) - 8)
        way = rnd.randrange(5)
        if way == 0:
            new[where] ^= 1 << rnd.randrange(8)
        elif way == 1:
            struct.pack_into("<Q", new, where & ~7, rnd.choice(ODD))
        elif way == 2:
            struct.pack_into("<I", new, where & ~3, rnd.choice(ODD) & 0xffffffff)
        elif way == 3:
            struct.pack_into("<Q", new, where & ~7, rnd.randrange(2 * len(new)))
        else:
            n = min(rnd.randrange(1, 64), len(new) - where)
            new[where:where + n] = rnd.randbytes(n)
    if rnd.random() < 0.1:
        del new[rnd.randrange(len(new)):]
    return new


def look(path):
    """What went wrong, or None; and the most memory that it, or its child, had."""
    p = subprocess.Popen(["sslsniff", "--inspect", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    signal.alarm(SECONDS)
    try:
        said = p.stdout.read()
        _, status, used = os.wait4(p.pid, 0)
    except TimeoutError:
        p.kill()
        os.wait4(p.pid, 0)
        return "hangs", 0
    finally:
        signal.alarm(0)
        p.returncode = 0
        p.stdout.close()
    status = os.waitstatus_to_exitcode(status)
    if status not in (0, 1):
        return "status %d" % status, used.ru_maxrss
    if b"ended by a signal" in said or b"is to do so" in said:
        return "its child: " + said.decode(errors="replace"), used.ru_maxrss
    if path.encode() not in said:
        return "says nothing of it: " + said.decode(errors="replace"), used.ru_maxrss
    if used.ru_maxrss > MOST_KB:
        return "takes %d MB" % (used.ru_maxrss >> 10), used.ru_maxrss
    return None, used.ru_maxrss


def give_up(sig, frame):
    raise TimeoutError


def main(args):
    files = 6000
    if args[:1] == ["-n"]:
        files, args = int(args[1]), args[2:]
    rnd, bad, most = random.Random(20260101), 0, 0
    base = [(data, tables(data)) for data in seeds(args)]
    signal.signal(signal.SIGALRM, give_up)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "file")
        for i in range(files):
            data, at = base[i % len(base)]
            new = mutate(rnd, data, at)
            with open(path, "wb") as f:
                f.write(new)
            wrong, used = look(path)
            most = max(most, used)
            if wrong:
                bad += 1
                with open("elf-%d" % i, "wb") as f:
                    f.write(new)
                print("file %d (kept as elf-%d): %s" % (i, i, wrong))
    print("%d files: %d bad, at most %d MB" % (files, bad, most >> 10))
    return bad != 0


sys.exit(main(sys.argv[1:]))

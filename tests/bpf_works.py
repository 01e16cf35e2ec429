#!/usr/bin/python3
"""Does the kernel take uprobe programs from us? Exit 0, or 1 and the reason.

Asks the kernel itself (bpf(2), perf_event_open(2)), not our tools, so that a
test is skipped for what the machine lacks and never for what we broke.
"""
import ctypes
import os
import platform
import struct
import sys

NR = {"x86_64": (321, 298), "aarch64": (280, 241)}
MAP_CREATE, PROG_LOAD = 0, 5
RINGBUF, KPROBE = 27, 2
libc = ctypes.CDLL(None, use_errno=True)


def no(why):
    print(why)
    sys.exit(1)


def call(what, nr, *args):
    fd = libc.syscall(nr, *args)
    if fd < 0:
        no("%s: %s%s" % (what, os.strerror(ctypes.get_errno()),
                         "" if os.geteuid() == 0 else " (not root)"))
    return fd


def where(function):
    """The file that holds a function of this process, and its offset there."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    with open("/proc/self/maps") as f:
        for line in f:
            span, _, offset, _, _, *path = line.split(maxsplit=5)
            lo, hi = (int(x, 16) for x in span.split("-"))
            if lo <= address < hi:
                return path[0].strip(), address - lo + int(offset, 16)
    no("getpid is nowhere")


def main():
    if platform.machine() not in NR:
        no("unknown machine " + platform.machine())
    nr_bpf, nr_perf = NR[platform.machine()]
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        no("no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)")

    attr = ctypes.create_string_buffer(struct.pack("IIII", RINGBUF, 0, 0, 4096), 128)
    os.close(call("ring buffer map", nr_bpf, MAP_CREATE, attr, 128))

    insns = ctypes.create_string_buffer(bytes.fromhex("b700000000000000" "9500000000000000"), 16)
    licence = ctypes.create_string_buffer(b"GPL")
    attr = ctypes.create_string_buffer(struct.pack(
        "=IIQQ", KPROBE, 2, ctypes.addressof(insns), ctypes.addressof(licence)), 128)
    os.close(call("load program", nr_bpf, PROG_LOAD, attr, 128))

    try:
        with open("/sys/bus/event_source/devices/uprobe/type") as f:
            kind = int(f.read())
    except OSError as e:
        no("uprobes: %s" % e)
    path, offset = where(libc.getpid)
    path = ctypes.create_string_buffer(os.fsencode(path))
    # struct perf_event_attr: type, size; config1 and config2 (path, offset) at 56
    attr = ctypes.create_string_buffer(128)
    struct.pack_into("=II", attr, 0, kind, 128)
    struct.pack_into("=QQ", attr, 56, ctypes.addressof(path), offset)
    fd = libc.syscall(nr_perf, attr, -1, 0, -1, 0)
    if fd < 0:
        no("uprobe event: %s" % os.strerror(ctypes.get_errno()))
    os.close(fd)


main()

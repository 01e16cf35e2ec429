"""An interactive shell under `agentsight exec` on a terminal of its own.

    tty.py FILE    prints a word for each thing that works as it does without us
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

child, fd = pty.fork()
if child == 0:
    os.environ.update(PS1="> ", TERM="dumb")
    os.execvp("agentsight", ["agentsight", "exec", "-q", "-o", sys.argv[1], "--", "bash", "--norc", "--noediting", "-i"])


def size(rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def expect(what, pattern, send=None, seconds=30):
    if send is not None:
        os.write(fd, send)
    seen, end = b"", time.time() + seconds
    while not re.search(pattern, seen):
        if time.time() > end or not select.select([fd], [], [], end - time.time())[0]:
            print("not", what, repr(seen), end=" ")
            return
        try:
            seen += os.read(fd, 4096)
        except OSError:     # the other end is closed
            break
    print(what, end=" ")


size(33, 77)
expect("prompt", rb"> $")
expect("size", rb"\n33 77\r\n> $", b"stty size\n")
expect("jobs", rb"\nm=\w*m\w*\r\n> $", b"echo m=$-\n")
os.write(fd, b"echo started; sleep 100\n")
expect("ctrl-c", rb"> $", (time.sleep(1), b"\x03")[1])
os.write(fd, b"sleep 100\n")
expect("ctrl-z", rb"Stopped", (time.sleep(1), b"\x1a")[1])
size(44, 88)
expect("resize", rb"44 88\r\n", b"kill %1; stty size\n")
expect("tty", rb"yes\r\n> $", b"[ -w /dev/tty ] && echo yes\n")
os.write(fd, b"exit 5\n")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), end="")

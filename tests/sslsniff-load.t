#!/usr/bin/python3
"""sslsniff-load.t - at full speed, and with readers that do not read, every byte
is written or counted as lost

SOAK=SECONDS makes the sustained part that long (make test: 30, make soak: 1800; else 4).
"""
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "tests")
from sslsniff_kit import *

need_bpf()
SECONDS = float(os.environ.get("SOAK", "4"))
tlsload = cc("tlsload", "tests/bench/tlsload.c", "-D_GNU_SOURCE", "-Ilib", "lib/line.c", "lib/event.c", "lib/jput.c",
             "-ljansson", "-lm", "-lssl", "-lcrypto", "-lpthread")
LINE = re.compile(rb'"type":"ssl.data".*?"pid":(\d+),.*?"conn":"([^"]*)","function":"(.).*?"off":(\d+),"len":(\d+),')
LOSS = re.compile(rb'"type":"loss".*?"reason":"(\w+)","events":(\d+),"bytes":(\d+)')


class Reader(threading.Thread):
    """Sums up what comes out, cheaply: by process and direction, and checks that
    offsets only ever jump forward."""

    def __init__(self, f, delay=0):
        super().__init__()
        self.f, self.delay = f, delay
        self.calls, self.bytes, self.loss, self.next = {}, {}, {}, {}
        self.back = self.holes = 0

    def run(self):
        time.sleep(self.delay)
        for line in self.f:
            m = LINE.search(line[:600])
            if m:
                pid, conn, way, off, n = int(m[1]), m[2], m[3], int(m[4]), int(m[5])
                k = pid, way
                self.calls[k] = self.calls.get(k, 0) + 1
                self.bytes[k] = self.bytes.get(k, 0) + n
                k = conn, way
                self.back += off < self.next.get(k, 0)
                self.holes += off > self.next.get(k, 0)
                self.next[k] = off + n
                continue
            m = LOSS.search(line[:600])
            if m:
                old = self.loss.get(m[1], (0, 0))
                self.loss[m[1]] = (old[0] + int(m[2]), old[1] + int(m[3]))


def load(name, args, load_args, delay=0, rss=None, status=0):
    """Runs tlsload under sslsniff; holds what came out against what tlsload
    counted itself."""
    with Sniffer("-c", "tlsload", *args, out=subprocess.PIPE) as s:
        r = Reader(s.p.stdout, delay)
        r.start()
        p = subprocess.run([tlsload, "pair", *load_args], capture_output=True, text=True, check=True)
        both = [json.loads(l) for l in p.stdout.splitlines()]
        hwm = s.hwm()
        s.stop()
        r.join()
    want = {}
    for e in both:
        want[e["pid"], b"W"] = e["write_bytes"]
        want[e["pid"], b"R"] = e["read_bytes"]
    seen, written, lost = books(s.stderr)
    told = tuple(sum(x) for x in zip(*r.loss.values())) if r.loss else (0, 0)
    print("# %s: %d events, %.0f MB; lost %d, %.0f MB; %.1f MB resident" %
          (name, seen[0], seen[1] / 1e6, lost[0], lost[1] / 1e6, hwm / 1e6))
    balanced(s.stderr, name)
    equal(sum(r.bytes.values()) + told[1], sum(want.values()), name + ": all bytes written, or told as lost")
    equal(told, lost, name + ": loss events say what the summary says")
    equal(r.back, 0, name + ": offsets never go back")
    if not lost[0]:
        equal(r.bytes, want, name + ": nothing lost, each direction of each process is whole")
    equal(s.status, status, name + ": exit status")
    if rss:
        ok(hwm < rss, name + ": resident memory is below the ring's size + 24 MB", hwm)
    return s, r, lost


load("200 B", [], ["-s", "200", "-t", str(SECONDS)], rss=(16 << 20) + 24e6)
load("8 connections, _ex forms", ["--ring-size", "64M"], ["-s", "3000", "-c", "8", "-x", "-n", "300"])
load("16 KiB", [], ["-s", "16384", "-t", "1", "-b"], rss=(16 << 20) + 24e6)
load("1 MiB written at once", ["--ring-size", "64M"],
     ["-s", "1048576", "-k", "1048576", "-r", "20", "-t", "1.5"])

# a reader that sleeps: the ring fills, that is counted, memory stays
s, r, lost = load("stopped reader", ["--ring-size", "1M"], ["-s", "16384", "-t", "3"], delay=2,
                  rss=(1 << 20) + 24e6)
ok(lost[0] > 0 and b"ring_full" in r.loss, "stopped reader: the loss is told as ring_full", r.loss)
ok(r.holes > 0, "stopped reader: the holes show in the offsets")
load("stopped reader, --fail-on-loss", ["--ring-size", "64k", "--fail-on-loss"],
     ["-s", "16384", "-n", "500"], delay=1, status=3)

# Ctrl-C hits the whole pipeline
out = os.path.join(T.name, "ctrlc")
p = subprocess.Popen(["sh", "-c", "sslsniff -c tlsload --ready-fd 9 9>%s.ready 2>%s.err | ssemerge -q 2>%s.err2 >%s" %
                      (out, out, out, out)], start_new_session=True)
ok(wait_for(lambda: os.path.exists(out + ".ready") and os.path.getsize(out + ".ready")), "pipeline is ready")
busy = subprocess.Popen([tlsload, "pair", "-s", "200", "-t", "2"], stdout=subprocess.DEVNULL)
time.sleep(1)
os.killpg(p.pid, signal.SIGINT)
p.wait(30)
with open(out + ".err") as f:
    said = f.read()
seen, written, lost = books(said)
with open(out, "rb") as f:
    lines = f.readlines()
equal(len([l for l in lines if b'"type":"loss"' not in l and b'"type":"stage.' not in l]), written[0], "Ctrl-C: every line written went through the filter")
ok(written[0] > 100 and lines[-1].endswith(b"}\n"), "Ctrl-C: and there were some, the last is whole", written)
balanced(said, "Ctrl-C")
busy.wait()
done()

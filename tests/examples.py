"""The examples of the manual and the README, as they stand there, run.

    examples.py list                 print "SOURCE<TAB>SCRIPT" in JSON, one a line
    examples.py run DIR < LIST       run them in DIR, side by side; TAP lines

An example is a .Dl line or a .Bd block below EXAMPLES or PIPELINES, or an
indented block of the README. What it names - processes, recordings, agents,
hosts - is there: see examples.t. Collectors that would never end get SIGINT
after a while, as from Ctrl-C.
"""
import glob
import http.server
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

# Not to be run here: they build, install, or run this very test.
LEFT_OUT = {"make demo", "make test", "sudo make install"}
# Nothing need come out: they look for what is not in this recording.
QUIET = ("input_tokens>100000", "cpu_percent>100", "> /dev/null", "export OTEL", "duration_ms > 10000", "authstrip | otelsink",
         "effects", "startswith(\"execute_tool\")", "tool_calls[]?", "--audit", "rm -rf", "tool_effects")
OURS = {"agentsight", "sslsniff", "process", "stdiocap", "tcpsniff", "sysmon", "jsonfilter", "httpparse", "ssemerge", "llmparse", "authstrip",
        "sqlitesink", "otelsink", "websink"}


def unroff(line):
    for old, new in (("\\(aq", "'"), ("\\(dq", '"'), ("\\-", "-"), ("\\e", "\\"), ("\\&", "")):
        line = line.replace(old, new)
    return line


def from_page(path):
    section, block = "", None
    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith(".Sh "):
            section = line[4:]
        elif section not in ("EXAMPLES", "PIPELINES"):
            continue
        elif line.startswith(".Dl "):
            yield re.sub(r"^[#$] ", "", unroff(line[4:]))
        elif line.startswith(".Bd"):
            block = []
        elif line.startswith(".Ed"):
            yield "\n".join(re.sub(r"^[#$] ", "", b) for b in block)
            block = None
        elif block is not None:
            block.append(unroff(line))


def from_readme():
    block = []
    for line in open("README.md"):
        if line.startswith("    ") and line.strip():
            block.append(line[4:].rstrip("\n"))
            continue
        # the diagram and the list of packages are no examples
        if block and re.match(r"(sudo )?(make|sslsniff|agentsight|httpparse)\b", block[0]) and not any("--->" in b for b in block):
            yield "\n".join(re.sub(r"\s+# .*", "", b) for b in block)
        block = []


def examples():
    for path in sorted(glob.glob("man/*.[1-8]")):
        for script in from_page(path):
            yield os.path.basename(path), script
    for script in from_readme():
        lines = [line for line in script.split("\n") if line not in LEFT_OUT]
        if lines:
            yield "README.md", "\n".join(lines)


def adapt(script):
    """The same, with a process that is there, and at a minute's length no more."""
    script = re.sub(r"(-p|--session) (\d{4})\b", lambda m: f"{m.group(1)} {os.environ['AGENT']}", script)
    script = re.sub(r"\bwebsink\b(?! --html)", "websink --port 0", script)
    script = script.replace("agentsight serve", "timeout 3 agentsight serve --port 0 || true")  # until Ctrl-C
    script = script.replace("https://otlp.example.com", os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
    return script.replace("/var/spool/agentsight", "spool").replace("-d 1m", "-d 5s")


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what otelsink sends."""
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def start(folder, source, script):
    n = len(os.listdir(folder))
    here = os.path.join(folder, str(n))
    subprocess.run(["cp", "-r", os.environ["TEMPLATE"], here], check=True)
    out, err = (open(os.path.join(here, name), "wb") for name in (".out", ".err"))
    child = subprocess.Popen(["sh", "-c", adapt(script)], cwd=here, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
    return child, source, script, here


def endless(script):
    return re.search(r"\b(sslsniff|process|stdiocap|tcpsniff|sysmon|websink|agentsight (trace|record -[pc]))\b", script) and not re.search(
        r"-d \d|--list|--inspect|--html|pipeline", script)


def finish(child, script, seconds):
    """Its exit status, after SIGINT when it would not end by itself."""
    try:
        return child.wait(seconds if endless(script) else 300)
    except subprocess.TimeoutExpired:
        pass
    if not endless(script):
        os.killpg(child.pid, signal.SIGKILL)
        return "it did not end"
    # our own alone: jq would die of it with what it has not written yet
    for sig in (signal.SIGINT, signal.SIGTERM):
        for pid in members(child.pid):
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass
        try:
            return child.wait(20)
        except subprocess.TimeoutExpired:
            continue
    os.killpg(child.pid, signal.SIGKILL)
    return "it did not end by SIGINT or SIGTERM"


def members(sid):
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            head, tail = open(stat).read().rsplit(") ", 1)
            comm, fields = head.split("(", 1)[1], tail.split()
        except OSError:
            continue
        if int(fields[3]) == sid and comm in OURS:
            yield int(stat.split("/")[2])


def verdict(status, script, here):
    err = open(os.path.join(here, ".err"), errors="replace").read()
    nothing_matched = status == 1 and "jsonfilter" in script and any(q in script for q in QUIET)
    if status != 0 and not nothing_matched:
        return f"exit status {status}: {err[-500:]}"
    if re.search(r"usage|unknown|not found|cannot|No such|failed|error:", err):
        return err[-500:]
    redirected = re.search(r">\s*([\w.-]+)\s*$|-o (\S+)", script)
    made = redirected and (redirected.group(1) or redirected.group(2))
    size = os.path.getsize(os.path.join(here, made if made and os.path.exists(os.path.join(here, made)) else ".out"))
    if not size and not any(q in script for q in QUIET) and not re.search(r"^(websink|sqlitesink|otelsink)|\| websink|agentsight record", script):
        return "nothing came out: " + err[-500:]
    return None


def main():
    if sys.argv[1] == "list":
        for source, script in examples():
            print(json.dumps([source, script]))
        return
    folder, seconds = sys.argv[2], 6
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:%d" % receiver.server_port
    started = [start(folder, *json.loads(line)) for line in sys.stdin]
    time.sleep(seconds)
    for child, source, script, here in started:
        wrong = verdict(finish(child, script, 1), script, here)
        print("%s - %s: %s" % ("not ok" if wrong else "ok", source, shlex.quote(script).replace("\n", " ")[:120].replace("#", "")))
        if wrong:
            print("".join("# %s\n" % line for line in wrong.split("\n")), end="")


main()

#!/usr/bin/python3
"""run.py - a run of a coding agent as collectors and httpparse would tell it, known by construction

    run.py | ssemerge --deltas | llmparse | authstrip >run.ndjson

An agent is asked to mend a test: nine calls of a model (one refused with 529 and tried again, one beside the
conversation for a title), eight tools in it, with the processes, files and hosts that these touch. What the
tests expect is in TRUTH, which --truth prints.

    --events N   that many lines in sum, by file and process events of a build
    --xss        markup in every place that somebody else's bytes can reach
"""
import argparse
import json
import sys

MS = 1000000
START = 1795493553000000000
AGENT, SHELL, HOME = 4100, 4000, "/home/ada/parser"
XSS = ['<script>window.pwned=1</script>', '"><img src=x onerror="window.pwned=1">', "'-alert(1)-'",
       '</script><script>window.pwned=1</script>', '<!--<script>', 'javascript:window.pwned=1',
       '<svg/onload=window.pwned=1>', '{{constructor.constructor("window.pwned=1")()}}', '\u202egnp.exe', '&lt;b&gt;']

TRUTH = {
    "calls": 9, "failed_calls": 1, "conversations": 2, "tools": 8, "processes": 9, "input_tokens": 0,
    "output_tokens": 0, "hosts": ["api.anthropic.com", "docs.python.org", "pypi.example"],
    "written": ["parser.py", "test_parser.py"], "deleted": ["/tmp/parser-cache/old.bin"],
}

SYSTEM = """You are a careful coding agent working in a terminal on the user's machine.

# How to work
- Read before you write. Run the tests after every change.
- Say what you are going to do in one sentence, then do it.
- Never delete what you did not make, unless you were asked to.

# Tools
Bash runs a command. Read and Edit work on files. Fetch gets a page. Search asks the index.
"""


class Run:
    def __init__(self, xss):
        self.lines, self.ms, self.call_no, self.cpu = [], 0.0, 0, 0
        self.messages, self.xss = [], xss
        self.conn = "%d:55c5953cdc50:1" % AGENT

    def put(self, _type, pid=AGENT, comm="claude", at=None, **keys):
        ms = self.ms if at is None else at
        line = {"type": _type, "timestamp_ns": START + int(ms * MS), "pid": pid, "tid": pid, "uid": 1000, "comm": comm}
        line.update(keys)
        self.lines.append((ms, len(self.lines), line))

    def wait(self, ms):
        """Time passes; the machine is sampled every two seconds."""
        end = self.ms + ms
        while self.cpu <= end:
            busy = 4 + (self.cpu // 2000 * 37) % 61 if ms < 3000 else 3 + (self.cpu // 2000 * 13) % 9
            self.put("system.process", at=self.cpu, cpu_percent=float(busy), rss_bytes=(210 + self.cpu // 400) << 20,
                     rss_peak_bytes=(210 + self.cpu // 400) << 20, vsz_bytes=1 << 32, threads=14, children=2, io_read_bytes=self.cpu * 900,
                     io_write_bytes=self.cpu * 120, alert=False)
            self.lines.append((self.cpu, len(self.lines), {
                "type": "system.host", "timestamp_ns": START + int(self.cpu * MS), "cores": 8, "load1": 1.2 + busy / 40,
                "load5": 1.4, "load15": 1.1, "mem_total_bytes": 33 << 30, "mem_available_bytes": 21 << 30}))
            self.cpu += 2000
        self.ms = end

    # --- processes and files -------------------------------------------------
    def exec(self, pid, ppid, argv, comm=None, cwd=HOME, seed=False):
        self.put("process.fork", pid=ppid, comm="claude" if ppid == AGENT else "sh", ppid=SHELL, child_pid=pid)
        self.put("process.exec", pid=pid, comm=comm or argv[0].rsplit("/", 1)[-1][:15], ppid=ppid,
                 filename="/usr/bin/" + argv[0] if "/" not in argv[0] else argv[0], argv=argv, cwd=cwd, sid=SHELL,
                 **({"seed": True} if seed else {}))

    def exit(self, pid, ppid, comm, code=0, lived=10.0):
        self.put("process.exit", pid=pid, comm=comm, ppid=ppid, exit_code=code, duration_ms=lived, rss_max_kb=11000)

    def read(self, path, pid=AGENT, comm="claude", size=2000):
        self.put("file.open", pid=pid, comm=comm, path=path, flags=524288, mode=["read"], fd=9, count=1)
        self.put("file.read", pid=pid, comm=comm, path=path, fd=9, bytes=size, count=1, last_ns=START + int(self.ms * MS))

    def write(self, path, pid=AGENT, comm="claude", size=800, created=False):
        self.put("file.open", pid=pid, comm=comm, path=path, flags=524865, mode=["write", "create", "truncate"], fd=9,
                 count=1, **({"created": True} if created else {}))
        self.put("file.write", pid=pid, comm=comm, path=path, fd=9, bytes=size, count=1, last_ns=START + int(self.ms * MS))

    def host(self, name, address, pid=AGENT, comm="claude", port=443):
        self.put("net.dns", pid=pid, comm=comm, fd=7, kind="answer", dns_id=self.call_no, name=name, qtype="A",
                 server="127.0.0.53", rcode="NOERROR", addresses=[address])
        self.put("net.connect", pid=pid, comm=comm, fd=8, family="inet", transport="tcp", address=address, port=port,
                 local="10.0.0.5:40112", result=0)

    # --- calls ------------------------------------------------------------------
    def call(self, add, answer, think=None, tools=(), stop="end_turn", model="claude-sonnet-5", ttft=640, per=14,
             usage=(0, 0, 0), aside=False, status=200, retry=0):
        """add: messages that are new. answer: text. tools: (id, name, input). usage: uncached, written, from cache."""
        self.call_no += 1
        ident = "%s/%d" % (self.conn, self.call_no)
        own = list(add) if aside else self.messages
        if not aside and not retry:
            own += add
        body = json.dumps({"model": model, "max_tokens": 8192, "stream": True, "system": [{"type": "text", "text": SYSTEM + ("\nThe tests pass now: finish.\n" if self.call_no > 8 else "")}]
                           if not aside else "Make a title of five words.", "messages": own,
                           "metadata": {"user_id": "user_ada_session_%s" % ("title" if aside else "main")}}, ensure_ascii=False)
        keys = {"conn": self.conn, "id": ident}
        path = "/v1/messages?beta=true"
        self.put("http.request", method="POST", path=path, host="api.anthropic.com", protocol="HTTP/1.1",
                 headers={"host": "api.anthropic.com", "user-agent": "claude-cli/2.1.330 (external, cli)",
                          "x-api-key": "sk-ant-api03-not-a-real-key", "content-type": "application/json",
                          "anthropic-version": "2023-06-01"}, body=body, body_len=len(body.encode()), **keys)
        began = self.ms
        head = {"method": "POST", "path": path, "host": "api.anthropic.com", "status_code": status}
        self.wait(ttft)
        if status != 200:
            text = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
            self.put("http.response", at=began + 1, status_text="Overloaded", protocol="HTTP/1.1",
                     headers={"content-type": "application/json"}, body=text, body_len=len(text), ttfb_ms=float(ttft),
                     duration_ms=float(ttft), **keys, **head)
            return
        inp, made, cached = usage
        events = [("message_start", {"message": {"id": "msg_%04d" % self.call_no, "type": "message", "role": "assistant",
                   "model": model, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {
                       "input_tokens": inp, "cache_creation_input_tokens": made, "cache_read_input_tokens": cached,
                       "output_tokens": 1}}})]
        content, index, out = [], 0, 0
        for kind, text in (("thinking", think), ("text", answer)):
            if not text:
                continue
            events.append(("content_block_start", {"index": index, "content_block": {"type": kind, kind: ""}}))
            words = text.split(" ")
            for i in range(0, len(words), 3):
                piece = " ".join(words[i:i + 3]) + (" " if i + 3 < len(words) else "")
                events.append(("content_block_delta", {"index": index, "delta": {"type": kind + "_delta", kind: piece}}))
                out += 4
            events.append(("content_block_stop", {"index": index}))
            content.append({"type": kind, kind: text})
            index += 1
        for tool_id, name, arguments in tools:
            events.append(("content_block_start", {"index": index, "content_block": {
                "type": "tool_use", "id": tool_id, "name": name, "input": {}}}))
            text = json.dumps(arguments, ensure_ascii=False)
            for i in range(0, len(text), 40):
                events.append(("content_block_delta", {"index": index, "delta": {
                    "type": "input_json_delta", "partial_json": text[i:i + 40]}}))
                out += 9
            events.append(("content_block_stop", {"index": index}))
            content.append({"type": "tool_use", "id": tool_id, "name": name, "input": arguments})
            index += 1
        events.append(("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": out}}))
        events.append(("message_stop", {}))
        off = 0
        for seq, (name, data) in enumerate(events):
            text = "event: %s\ndata: %s\n\n" % (name, json.dumps(dict({"type": name}, **data), ensure_ascii=False))
            more = dict(head, content_type="text/event-stream") if seq == 0 else {}
            self.put("http.body", seq=seq, off=off, last=seq == len(events) - 1, data=text, **keys, **more)
            off += len(text.encode())
            self.wait(per)
        self.put("http.response", at=began + 1, status_text="OK", protocol="HTTP/1.1",
                 headers={"content-type": "text/event-stream"}, body_len=off, ttfb_ms=float(ttft),
                 duration_ms=self.ms - began, streaming=True, **keys, **head)
        TRUTH["input_tokens"] += inp + made + cached
        TRUTH["output_tokens"] += out
        if not aside:
            own.append({"role": "assistant", "content": content})


def tool_result(tool_id, text, error=False):
    return {"role": "user", "content": [dict({"type": "tool_result", "tool_use_id": tool_id, "content": text},
                                             **({"is_error": True} if error else {}))]}


def user(text):
    return {"role": "user", "content": [{"type": "text", "text": text}]}


SOURCE = '''def parse(text):
    """Splits 'key = value' lines; later ones win."""
    result = {}
    for line in text.splitlines():
        key, value = line.split("=")
        result[key] = value
    return result
'''


def build(r):
    x = XSS if r.xss else [""] * len(XSS)
    r.wait(1)
    r.exec(AGENT, SHELL, ["/usr/local/bin/claude", "--model", "sonnet"], comm="claude" if not r.xss else "<b>cl\"'&</b>")
    r.read("/home/ada/.claude/settings.json")
    r.wait(300)
    r.host("api.anthropic.com", "160.79.104.10")
    r.call([user("test_parser.py fails since this morning")], "Mending the parser test", model="claude-haiku-5", aside=True,
           usage=(212, 0, 0), ttft=310)
    r.wait(900)
    long = "\n".join("line %04d: %s" % (i, "lorem ipsum dolor sit amet " * 3) for i in range(1200)) if not r.xss else x[0]
    r.call([user("The test test_parser.py fails since this morning. Please find out why and mend it. This is the log:\n" + long)],
           "", status=529, ttft=420)
    r.wait(1500)
    r.call([], "I'll run the tests first to see what fails." + x[1], think="The user wants test_parser.py mended. "
           "First reproduce the failure, then read parser.py. I should not change the test unless it is wrong.",
           tools=[("toolu_01", "Bash", {"command": "python3 -m pytest -q test_parser.py" + x[2], "description": "Run the failing test"})],
           stop="tool_use", usage=(3121, 18230, 0), retry=1)
    # Bash: pytest
    r.wait(60)
    r.exec(4201, AGENT, ["/bin/sh", "-c", "python3 -m pytest -q test_parser.py"], comm="sh")
    r.exec(4202, 4201, ["python3", "-m", "pytest", "-q", "test_parser.py"], comm="python3")
    r.wait(240)
    for name in ("test_parser.py", "parser.py", "conftest.py"):
        r.read("%s/%s" % (HOME, name), 4202, "python3")
    r.write(HOME + "/.pytest_cache/v/cache/lastfailed", 4202, "python3", 120, created=True)
    r.wait(700)
    r.exit(4202, 4201, "python3", 1, 940.0)
    r.exit(4201, AGENT, "sh", 1, 1010.0)
    r.call([tool_result("toolu_01", "F.\n=== FAILURES ===\n___ test_equals ___\n>   assert parse('a = b=c') == {'a': 'b=c'}\n"
                        "E   ValueError: too many values to unpack (expected 2)\nparser.py:5: ValueError\n1 failed, 1 passed in 0.42s",
                        True)],
           "A value with an equals sign breaks the split. Let me read both files.",
           tools=[("toolu_02", "Read", {"file_path": HOME + "/parser.py"}), ("toolu_03", "Read", {"file_path": HOME + "/test_parser.py"})],
           stop="tool_use", usage=(180, 240, 21350))
    r.wait(15)
    r.read(HOME + "/parser.py", size=len(SOURCE))
    r.wait(6)
    r.read(HOME + "/test_parser.py", size=410)
    r.wait(20)
    r.call([{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu_02", "content": SOURCE},
        {"type": "tool_result", "tool_use_id": "toolu_03", "content": "from parser import parse\n\n\ndef test_equals():\n"
         "    assert parse('a = b=c') == {'a': 'b=c'}\n" + x[3]}]}],
           "`split(\"=\")` must split once only, and strip the blanks. I'll check the documentation of `partition` and then change it.",
           think="str.partition is the right tool: it never raises and keeps the rest. Check the docs for its return value to be sure.",
           tools=[("toolu_04", "Fetch", {"url": "https://docs.python.org/3/library/stdtypes.html", "prompt": "str.partition"})],
           stop="tool_use", usage=(95, 610, 21590))
    r.wait(30)
    r.exec(4210, AGENT, ["curl", "-sL", "https://docs.python.org/3/library/stdtypes.html"], comm="curl" if not r.xss else x[6][:15])
    r.host("docs.python.org", "151.101.0.223", 4210, "curl")
    r.wait(480)
    r.put("net.close", pid=4210, comm="curl", fd=8, family="inet", transport="tcp", address="151.101.0.223", port=443,
          local="10.0.0.5:40112", sent_bytes=812, received_bytes=184220)
    r.exit(4210, AGENT, "curl", 0, 500.0)
    r.call([tool_result("toolu_04", "str.partition(sep): Split the string at the first occurrence of sep, and return a 3-tuple "
                        "containing the part before the separator, the separator itself, and the part after the separator.")],
           "Now the change.",
           tools=[("toolu_05", "Edit", {"file_path": HOME + "/parser.py", "old_string": '        key, value = line.split("=")\n        result[key] = value',
                                        "new_string": '        key, _, value = line.partition("=")\n        result[key.strip()] = value.strip()'})],
           stop="tool_use", usage=(88, 320, 22200))
    r.wait(12)
    r.read(HOME + "/parser.py")
    r.write(HOME + "/parser.py", size=len(SOURCE) + 21)
    r.wait(20)
    r.call([tool_result("toolu_05", "The file has been updated.")], "Run the tests again, and clear the stale cache.",
           tools=[("toolu_06", "Bash", {"command": "rm -rf /tmp/parser-cache && pip download -q wheel; python3 -m pytest -q", "description": "Test again"})],
           stop="tool_use", usage=(75, 210, 22520))
    r.wait(50)
    r.exec(4221, AGENT, ["/bin/sh", "-c", "rm -rf /tmp/parser-cache && pip download -q wheel; python3 -m pytest -q"], comm="sh")
    r.exec(4222, 4221, ["rm", "-rf", "/tmp/parser-cache"], comm="rm")
    r.put("file.delete", pid=4222, comm="rm", path="/tmp/parser-cache/old.bin")
    r.put("dir.delete", pid=4222, comm="rm", path="/tmp/parser-cache")
    r.exit(4222, 4221, "rm", 0, 4.0)
    r.exec(4223, 4221, ["pip", "download", "-q", "wheel"], comm="pip")
    r.host("pypi.example", "192.0.2.44", 4223, "pip")
    r.read("/home/ada/.netrc", 4223, "pip")
    r.wait(900)
    r.put("net.connect", pid=4223, comm="pip", fd=9, family="inet", transport="tcp", address="192.0.2.45", port=443,
          local="10.0.0.5:40120", result=-110, error="ETIMEDOUT")
    r.exit(4223, 4221, "pip", 1, 910.0)
    r.exec(4224, 4221, ["python3", "-m", "pytest", "-q"], comm="python3")
    r.wait(300)
    r.read(HOME + "/parser.py", 4224, "python3")
    r.read(HOME + "/test_parser.py", 4224, "python3")
    r.put("file.open", pid=4224, comm="python3", path=HOME + "/missing.cfg", flags=0, mode=["read"], error="ENOENT", count=1)
    r.wait(400)
    r.exit(4224, 4221, "python3", 0, 720.0)
    r.exit(4221, AGENT, "sh", 0, 1700.0)
    r.call([tool_result("toolu_06", "WARNING: Retrying: connection to pypi.example timed out\n..\n2 passed in 0.31s")],
           "Both pass. I'll add a case for blanks so that it stays so.",
           tools=[("toolu_07", "Edit", {"file_path": HOME + "/test_parser.py", "old_string": "", "new_string":
                   "\n\ndef test_blanks():\n    assert parse(' a=b ') == {'a': 'b'}\n"}),
                  ("toolu_08", "mcp__index__search", {"query": "parse( callers" + x[7]})],
           stop="tool_use", usage=(91, 260, 22730))
    r.wait(10)
    r.write(HOME + "/test_parser.py", size=520)
    ask = json.dumps({"jsonrpc": "2.0", "id": 4, "method": "tools/call",
                      "params": {"name": "search", "arguments": {"query": "parse( callers"}}}) + "\n"
    answer = json.dumps({"jsonrpc": "2.0", "id": 4, "result": {"content": [{"type": "text", "text": "src/load.py:12"}]}}) + "\n"
    r.exec(4150, AGENT, ["index-server", "--stdio"], comm="index-server")
    r.put("stdio.data", pid=4150, comm="index-server", direction="READ", fd=0, fd_role="stdin", fd_target="pipe:[632442]",
          off=0, len=len(ask), data=ask)
    r.wait(35)
    r.put("stdio.data", pid=4150, comm="index-server", direction="WRITE", fd=1, fd_role="stdout", fd_target="pipe:[632443]",
          off=0, len=len(answer), latency_ms=0.01, data=answer)
    r.wait(15)
    r.call([{"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "toolu_07", "content": "The file has been updated." + x[4]},
        {"type": "tool_result", "tool_use_id": "toolu_08", "content": "src/load.py:12"}]}],
           "The test failed because `parse` split at every equals sign. It now splits at the first one and strips blanks; "
           "a test for blanks is new. **Both tests pass.** The one caller, `src/load.py`, is not affected." + x[9],
           usage=(140, 410, 22990))
    r.lines.append((r.ms, len(r.lines), {"type": "loss", "timestamp_ns": START + int(r.ms * MS), "stage": "process",
                                         "reason": "ring_full", "events": 3, "bytes": 412}))
    if r.xss:
        r.write("/tmp/" + x[1].replace("/", "_"), created=True)
        r.write(HOME + "/" + x[0].replace("/", "_"), created=True)
        r.write(HOME + "/" + x[8], created=True)
        r.host(x[6].replace("/", "") + ".example", "192.0.2.66")
    r.wait(200)
    r.exit(4150, AGENT, "index-server", 0, 400.0)
    r.exit(AGENT, SHELL, "claude", 0, r.ms)


def more(r, n):
    """A build in the middle of it: compilers that read and write, until there are n lines."""
    pid, ms, unit = 5000, 9000.0, 0
    while len(r.lines) < n:
        pid, unit, ms = pid + 1, unit + 1, ms + 0.4
        r.ms = ms
        r.exec(pid, AGENT, ["cc1", "-O2", "unit%05d.c" % unit])
        for k in range(14):
            r.put("file.open", pid=pid, comm="cc1", path="/usr/include/x%02d/h%03d.h" % (unit % 40, k), flags=0, mode=["read"],
                  fd=4, count=1)
            r.put("file.read", pid=pid, comm="cc1", path="/usr/include/x%02d/h%03d.h" % (unit % 40, k), fd=4, bytes=4096,
                  count=1, last_ns=START + int(ms * MS))
        r.write("%s/build/unit%05d.o" % (HOME, unit), pid, "cc1", 9000)
        r.exit(pid, AGENT, "cc1", 0, 0.4)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--events", type=int, default=0)
    p.add_argument("--xss", action="store_true")
    p.add_argument("--truth", action="store_true")
    a = p.parse_args()
    r = Run(a.xss)
    build(r)
    more(r, a.events)
    if a.truth:
        print(json.dumps(TRUTH))
        return
    r.lines.sort(key=lambda line: line[:2])
    # a response is told when it is complete: behind its body
    late = [line for line in r.lines if line[2]["type"] == "http.response"]
    out = [line for line in r.lines if line[2]["type"] != "http.response"]
    for ms, k, line in late:
        end = ms - 1 + line["duration_ms"]
        i = next((i for i, o in enumerate(out) if o[0] > end), len(out))
        out.insert(i, (end, k, line))
    for _, _, line in out:
        sys.stdout.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


main()

#!/usr/bin/python3
"""otelsink at the end of a pipeline that watches all that this test runs, otelsink as
well: what an agent says arrives as spans over TLS, and what carries them there is not
captured, wherever the tools are installed. Not the whole machine: what others send
meanwhile may fill the ring, and then calls are lost, which is counted but not whole."""
import base64
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from otelsink_kit import *  # noqa: E402,F401,F403

why = subprocess.run([sys.executable, os.path.join(HERE, "bpf_works.py")], capture_output=True, text=True)
missing = [c for c in ("sslsniff", "httpparse", "ssemerge", "llmparse", "authstrip", "curl", "openssl", "tee") if not shutil.which(c)]
if why.returncode or missing:
    print("1..0 # SKIP " + (", ".join("no " + c for c in missing) or why.stdout.strip()))
    sys.exit(1 if os.environ.get("AGENTSIGHT_NO_SKIP") else 0)

subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", "key", "-out", "cert"], cwd=T, check=True, capture_output=True)
cert, key = os.path.join(T, "cert"), os.path.join(T, "key")
ANSWER = b'{"id":"msg_1","type":"message","role":"assistant","model":"demo-1","content":[{"type":"text","text":"hi"}],' \
         b'"stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":1}}'
MODEL = "self-%d" % os.getpid()   # others may use the machine, too
ASK = json.dumps({"model": MODEL, "max_tokens": 3, "messages": [{"role": "user", "content": "Hi"}]})
model = Receiver([{"body": ANSWER}] * 9, cert=cert, key=key)
collector = Receiver(cert=cert, key=key)
fifo, raw, ready = (os.path.join(T, x) for x in ("fifo", "raw", "ready"))
os.mkfifo(ready)
pipeline = subprocess.Popen(
    ["sh", "-c", 'sslsniff -p "$5" --ready-fd 8 8>"$1" | tee -i "$2" | httpparse | ssemerge | llmparse | authstrip |'
     ' otelsink -v --endpoint "$3" --ca-cert "$4" --batch-time 100ms --metric-time 100ms', "sh", ready, raw, collector.url, cert, str(os.getpid())],
    stderr=subprocess.PIPE, env=environment())
with open(ready) as f:
    f.readline()
for _ in range(3):
    subprocess.run(["curl", "-sS", "--cacert", cert, "-A", "claude-cli/2.1.0", "-H", "content-type: application/json", "-d", ASK,
                    model.url + "/v1/messages"], check=True, capture_output=True)
    n = len(collector.requests)
    collector.wait_for(n + 2)
    time.sleep(0.3)
sniffer = subprocess.check_output(["ps", "-o", "pid=,comm=", "--ppid", str(pipeline.pid)], text=True)
pids = {line.split()[1]: int(line.split()[0]) for line in sniffer.splitlines()}
os.kill(pids["sslsniff"], 15)
err = pipeline.communicate(timeout=60)[1].decode()
got = [s for s in spans(received(collector)) if s["name"] == "chat " + MODEL and s["resource"]["process.executable.name"] == "curl"]
same("three calls became spans, over TLS", [s["attributes"]["gen_ai.usage.input_tokens"] for s in got], [5, 5, 5])
same("of the agent that made them", sorted({s["resource"]["service.name"] for s in got}), ["claude-code"])
with open(raw, encoding="utf-8") as f:
    seen = [json.loads(line) for line in f]
data = [e for e in seen if e["type"] == "ssl.data"]
report(any(e["pid"] == os.getpid() and "/v1/traces" in e.get("data", base64.b64decode(e.get("data_b64", "")).decode("latin-1"))
           for e in data), "the receiver's own TLS was captured, so ours could have been")
same("but nothing of otelsink's was", [e for e in data if e["pid"] == pids["otelsink"] or e["comm"] == "otelsink"], [])
same("and it ends by itself", [pipeline.returncode, "lost: nothing" in err.split("otelsink: ")[1]], [0, True])
done()

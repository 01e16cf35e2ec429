#!/usr/bin/python3
"""What Ollama's own client asks without TLS, against a server that answers by script: each
call, with what the client made of it."""
import http.server
import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from sdk_kit import HERE, Collector, Program, done, modules, ok  # noqa: E402


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = "answer to " + asked["messages"][0]["content"] + " \u00e9" * 500
        pieces = [text[i:i + 7] for i in range(0, len(text), 7)] if asked.get("stream") else [text]
        last = {"done_reason": "stop", "prompt_eval_count": 3, "eval_count": len(text)}
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson" if asked.get("stream") else "application/json")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for i, piece in enumerate(pieces):
            end = i == len(pieces) - 1
            line = json.dumps({"model": "llama3", "message": {"role": "assistant", "content": piece}, "done": end, **(last if end else {})}).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.write(b"0\r\n\r\n")


def main():
    path = modules()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    node = Program("node", os.path.join(HERE, "ollama.mjs"), path, "http://127.0.0.1:%d" % server.server_port)
    sniff = Collector("tcpsniff", node)
    told = node.go()
    got = sniff.through("httpparse", "ssemerge", "llmparse")
    calls = [{"asked": e["input_messages"][0]["parts"][0]["content"], "said": "".join(x["content"] for x in e["output_messages"][0]["parts"]),
              "output": e["usage"]["output_tokens"], "stream": e["stream"]} for e in got if e["type"] == "llm.call"]
    ok("what the client got (%d calls) is what we tell" % len(told), calls == told and len(told) == 6, "theirs:", told, "ours:", calls)
    ok("nothing lost", not [e for e in got if e["type"] == "loss"], got[-3:])
    done()


main()

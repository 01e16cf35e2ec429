"""receiver.py - an OTLP/HTTP receiver that does as it is told

Each request takes the next step of the script, and 200 when there is none:

  status, headers, body   the answer
  wait                    seconds before it
  end                     "silent": the connection is closed without an answer;
                          "head": in the middle of the header; "body": of the body
"""
import gzip
import http.server
import ssl
import threading
import time


class Receiver(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, script=(), cert=None, key=None, client_ca=None, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.script = list(script)
        self.requests = []          # in the order of their arrival
        self.connections = set()
        self.lock = threading.Lock()
        self.scheme = "http"
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            if client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(client_ca)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        self.port = self.server_address[1]
        self.url = "%s://localhost:%d" % (self.scheme, self.port)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass                        # a client that goes away is what some tests are about

    def bodies(self, path):
        with self.lock:
            return [r["body"] for r in self.requests if r["path"] == path]

    def wait_for(self, count, seconds=20):
        end = time.monotonic() + seconds
        while len(self.requests) < count and time.monotonic() < end:
            time.sleep(0.02)
        return len(self.requests) >= count

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_POST(self):
        server = self.server
        raw = self.chunks() if "transfer-encoding" in self.headers else self.rfile.read(int(self.headers["content-length"]))
        body = gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw
        with server.lock:
            server.requests.append({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                                    "body": body, "sent": len(raw), "at": time.monotonic(), "clock": time.time(),
                                    "connection": self.client_address[1]})
            server.connections.add(self.client_address[1])
            step = server.script.pop(0) if server.script else {}
        time.sleep(step.get("wait", 0))
        self.answer(step)

    def chunks(self):
        out = b""
        while True:
            n = int(self.rfile.readline(), 16)
            out += self.rfile.read(n)
            self.rfile.readline()
            if not n:
                return out

    def answer(self, step):
        body = step.get("body", b"")
        head = "HTTP/1.1 %d %s\r\n" % (step.get("status", 200), "Status")
        headers = {"content-type": self.headers["content-type"], "content-length": str(len(body))}
        headers.update(step.get("headers", {}))
        if step.get("end"):
            self.close_connection = True
        if step.get("end") == "silent":
            return
        if step.get("end") == "head":
            self.wfile.write(head[:12].encode())
            return
        if step.get("end") == "body":
            headers["content-length"] = str(len(body) + 100)
        self.wfile.write((head + "".join("%s: %s\r\n" % h for h in headers.items()) + "\r\n").encode() + body)

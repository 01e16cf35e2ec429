#!/usr/bin/python3
"""A TLS server for tests and the demo that speaks two model APIs.

    llmserver.py --dir DIR [--port N] [--plain] [--delay MS] [--recorded DATA]

Listens on 127.0.0.1 (port 0: any), prints "listening PORT", serves until it is
ended. Makes its own certificate, DIR/cert.pem, and writes DIR/log: one JSON
line per exchange with what it received and sent, the truth for tests.

    POST /v1/messages             Anthropic Messages, streamed or not
    POST /v1/chat/completions     OpenAI Chat Completions, streamed or not
    POST /echo                    the body comes back, with its sha256
    GET  /bytes/N                 N bytes that a seed gives, with their sha256
    any  /status/CODE             an answer without a body

A request with a header x-recorded: NAME gets DATA/NAME.body, as DATA/NAME.json
says, a few bytes at a time; with x-events: N nothing behind the Nth event,
until the client has gone.

What a client asks for in the query, so that every form of HTTP can be had:
encoding=NAME (default: by Accept-Encoding), framing=chunked|length|close,
write=N (each TLS write has N bytes), delay=MS (between events), seed=N,
repeat=N (the prompt counts N times), cut=N (the connection is dropped after N
events), hold=N (no more after N events, until the client has gone), error=rate_limit|overloaded|stream.
"""
import argparse
import hashlib
import http.server
import json
import os
import random
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

sys.dont_write_bytecode = True
import encode  # noqa: E402
import models  # noqa: E402


def certificate(folder):
    """A key and a certificate for localhost, made once per folder."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    if not os.path.exists(cert):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
            check=True, stderr=subprocess.DEVNULL)
    return cert, key


class Dropped(Exception):
    """The connection is to be cut without a word."""


class Body:
    """One answer's body on its way out: encoding, framing, hashes."""

    def __init__(self, handler, encoding, framing, write):
        self.handler, self.framing, self.write = handler, framing, write
        self.encoder = encode.MAKERS[encoding]()
        self.sum, self.len, self.wire = hashlib.sha256(), 0, 0

    def _send(self, data):
        step = self.write or len(data) or 1
        for at in range(0, len(data), step):
            self.handler.wfile.write(data[at:at + step])

    def _frame(self, data):
        self.wire += len(data)
        if not data:
            return
        self._send(b"%x\r\n%s\r\n" % (len(data), data) if self.framing == "chunked" else data)

    def add(self, data):
        self.sum.update(data)
        self.len += len(data)
        self._frame(self.encoder.add(data))

    def end(self):
        self._frame(self.encoder.end())
        if self.framing == "chunked":
            self._send(b"0\r\n\r\n")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version, sys_version = "llmserver", ""

    # --- one exchange ---------------------------------------------------------
    def serve(self):
        self.exchange += 1
        url = urllib.parse.urlsplit(self.path)
        self.ask = dict(urllib.parse.parse_qsl(url.query))
        self.truth = {"conn": self.conn, "exchange": self.exchange, "peer": "%s:%d" % self.client_address,
                      "method": self.command, "path": self.path,
                      "request_headers": [[k.lower(), v] for k, v in self.headers.items()]}
        try:
            body = self.read_body()
            if self.server.recorded and self.headers.get("x-recorded"):
                self.send_recorded(os.path.join(self.server.recorded, os.path.basename(self.headers["x-recorded"])))
            else:
                self.route(url.path, body)
        except models.Refused as e:
            style = models.openai_error if "completions" in url.path else models.anthropic_error
            self.send_json(style(e.kind, e.message), e.status)
        except Dropped:
            self.truth["dropped"] = True
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError as e:
            self.truth["failed"] = str(e)
            self.close_connection = True
        finally:
            self.server.tell(self.truth)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = serve

    def setup(self):
        self.exchange, self.conn = 0, self.server.next_conn()
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        try:
            super().finish()
            if self.server.tls:
                self.request.unwrap()
        except (OSError, ValueError):
            pass  # the client has gone, or we cut it off

    def log_message(self, *args):
        pass

    def read_body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            wire = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                wire += self.rfile.read(size)
                if not size:
                    while self.rfile.readline().strip():
                        pass
                    break
                self.rfile.readline()
        else:
            wire = self.rfile.read(int(self.headers.get("content-length", 0)))
        coding = self.headers.get("content-encoding", "identity").lower()
        if coding in ("gzip", "deflate"):
            body = zlib.decompress(wire, 47)
        elif coding == "zstd":
            body = encode.zstd_decode(wire)
        else:
            body = wire
        self.truth.update(request_len=len(body), request_wire_len=len(wire),
                          request_sha256=hashlib.sha256(body).hexdigest())
        if len(body) <= 1 << 20:
            try:
                self.truth["request_body"] = body.decode("utf-8")
            except UnicodeDecodeError:
                pass
        return body

    def route(self, path, body):
        if path == "/v1/messages":
            self.model(body, "anthropic")
        elif path == "/v1/chat/completions":
            self.model(body, "openai")
        elif path == "/echo":
            self.send_bytes([body], self.headers.get("content-type", "application/octet-stream"))
        elif path.startswith("/bytes/"):
            self.send_bytes(seeded(int(path[7:]), int(self.ask.get("seed", 1))), "application/octet-stream")
        elif path.startswith("/status/"):
            self.send_json(None, int(path[8:]))
        else:
            self.send_json({"error": "no such thing", "path": path}, 404)

    # --- the model APIs -------------------------------------------------------
    def model(self, body, api):
        if not self.headers.get("x-api-key") and not self.headers.get("authorization"):
            raise models.Refused(401, "authentication_error", "x-api-key header is required")
        try:
            request = json.loads(body)
        except ValueError as e:
            raise models.Refused(400, "invalid_request_error", "not JSON: %s" % e)
        wanted = self.ask.get("error")
        if wanted == "rate_limit":
            raise models.Refused(429, "rate_limit_error", "too many requests for %s" % request.get("model"))
        if wanted == "overloaded":
            raise models.Refused(529, "overloaded_error", "Overloaded")
        self.repeat(request)
        ident = hashlib.sha256(b"%d/%d/" % (self.conn, self.exchange) + body).hexdigest()[:24]
        message = (models.anthropic_message if api == "anthropic" else models.openai_message)(request, ident)
        self.truth.update(api=api, message=message, stream=bool(request.get("stream")))
        if not request.get("stream"):
            self.send_json(message)
        elif api == "anthropic":
            self.send_events(models.anthropic_events(message), models.anthropic_error)
        else:
            with_usage = (request.get("stream_options") or {}).get("include_usage", False)
            self.send_events(models.openai_events(message, with_usage), models.openai_error)

    def repeat(self, request):
        n = int(self.ask.get("repeat", 1))
        if n > 1 and request.get("messages") and isinstance(request["messages"][-1].get("content"), str):
            request["messages"][-1]["content"] = " ".join([request["messages"][-1]["content"]] * n)

    # --- answers ----------------------------------------------------------------
    def begin(self, status, kind, headers=(), length=None, framing=None):
        """Status line and headers; gives the body to write to, or None."""
        encoding = self.ask.get("encoding") or encode.choose(self.headers.get("accept-encoding", ""))
        empty = self.command == "HEAD" or status in (204, 304) or status < 200
        framing = self.ask.get("framing") or framing or "chunked"
        if framing == "length" and encoding != "identity":
            framing = "chunked"
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("x-request-id", "req-%d-%d" % (self.conn, self.exchange))
        self.send_header("set-cookie", "a=1")  # a name that comes twice
        self.send_header("set-cookie", "b=2")
        if kind:
            self.send_header("content-type", kind)
        if kind and encoding != "identity":
            self.send_header("content-encoding", "deflate" if encoding == "raw-deflate" else encoding)
        if not kind:
            if status >= 200 and status not in (204, 304):
                self.send_header("content-length", "0")
        elif framing == "length":
            self.send_header("content-length", str(length))
        elif framing == "chunked":
            self.send_header("transfer-encoding", "chunked")
        else:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.truth.update(status=status, framing=framing if kind and not empty else "none",
                          encoding=encoding if kind else "identity")
        if empty or not kind:
            return None
        return Body(self, encoding, framing, int(self.ask.get("write", 0)))

    def done(self, body):
        body.end()
        self.truth.update(response_len=body.len, response_wire_len=body.wire,
                          response_sha256=body.sum.hexdigest())

    def send_json(self, value, status=200):
        if value is None:
            self.begin(status, None)
            return
        data = json.dumps(value, ensure_ascii=False).encode("utf-8")
        body = self.begin(status, "application/json", length=len(data), framing="length")
        if body:
            body.add(data)
            self.done(body)

    def send_bytes(self, parts, kind):
        data = b"".join(parts)
        body = self.begin(200, kind, [("x-sha256", hashlib.sha256(data).hexdigest())], len(data), "length")
        if body:
            body.add(data)
            self.done(body)

    def send_recorded(self, path):
        with open(path + ".json", encoding="utf-8") as f:
            kind = json.load(f)["content_type"]
        with open(path + ".body", "rb") as f:
            data = f.read()
        events = int(self.headers.get("x-events", 0))
        if events:
            data = b"".join(x + b"\n\n" for x in data.split(b"\n\n")[:events])
        body = self.begin(200, kind)
        for at in range(0, len(data), 61):
            body.add(data[at:at + 61])
        if events:
            self.connection.settimeout(20)
            if self.rfile.read(1):
                raise Dropped
        self.done(body)

    def send_events(self, events, error):
        body = self.begin(200, "text/event-stream; charset=utf-8", [("cache-control", "no-cache")])
        if not body:
            return
        delay = float(self.ask.get("delay", self.server.delay)) / 1000
        cut = int(self.ask.get("cut", -1))
        n = 0
        for name, data in events:
            if n == cut:
                self.truth["events"] = n
                raise Dropped
            if n == 4 and self.ask.get("error") == "stream":
                name, data = "error", json.dumps(error("overloaded_error", "Overloaded"))
            body.add(event_text(name, data))
            n += 1
            if n == int(self.ask.get("hold", -1)):
                self.connection.settimeout(60)
                self.rfile.read(1)
                raise Dropped
            if name == "error":
                self.truth["error"] = "overloaded_error"
                break
            if delay:
                time.sleep(delay)
        self.truth["events"] = n
        self.done(body)


def event_text(name, data):
    head = "event: %s\n" % name if name else ""
    return ("%sdata: %s\n\n" % (head, data)).encode("utf-8")


def seeded(n, seed):
    return [random.Random(seed).randbytes(n)]


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, folder, plain, delay, recorded):
        super().__init__(("127.0.0.1", port), Handler)
        self.tls, self.delay, self.recorded = None, delay, recorded
        self.lock, self.conns = threading.Lock(), 0
        self.log = open(os.path.join(folder, "log"), "a", encoding="utf-8")
        if not plain:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate(folder))
            self.tls.set_alpn_protocols(["http/1.1"])

    def next_conn(self):
        with self.lock:
            self.conns += 1
            return self.conns

    def tell(self, truth):
        with self.lock:
            self.log.write(json.dumps(truth, ensure_ascii=False) + "\n")
            self.log.flush()

    def handle_error(self, request, client_address):
        pass  # a client that gave up in the handshake


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--dir", required=True)
    ap.add_argument("--port", type=int, default=0)
    ap.add_argument("--plain", action="store_true", help="no TLS")
    ap.add_argument("--delay", type=float, default=0, help="milliseconds between events of a stream")
    ap.add_argument("--recorded", metavar="DATA", help="a folder of recorded answers")
    a = ap.parse_args()
    server = Server(a.port, a.dir, a.plain, a.delay, a.recorded)
    print("listening %d" % server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


sys.exit(main())

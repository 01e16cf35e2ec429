#!/usr/bin/python3
"""A client of llmserver.py, as an agent would be one: asks, prints the answer.

    client.py [--api anthropic|openai] [--how urllib|asyncio|keepalive]
              [--no-stream] [--gzip-request] [--query Q] --ca FILE URL PROMPT...

urllib: one connection per prompt. keepalive: all prompts on one. asyncio: all
at once, through the memory BIOs of asyncio's TLS. Takes gzip where it can.
"""
import argparse
import asyncio
import gzip
import http.client
import json
import ssl
import sys
import urllib.parse
import urllib.request
import zlib

PATHS = {"anthropic": "/v1/messages", "openai": "/v1/chat/completions"}


def request(a, prompt):
    """Path, headers, body."""
    body = {"model": "demo-1", "max_tokens": 4096, "stream": a.stream,
            "messages": [{"role": "user", "content": prompt}]}
    if a.api == "openai" and a.stream:
        body["stream_options"] = {"include_usage": True}
    data = json.dumps(body, ensure_ascii=False).encode("utf-8")
    headers = {"content-type": "application/json", "x-api-key": "sk-ant-api03-not-a-real-key",
               "authorization": "Bearer sk-not-a-real-token", "accept-encoding": "gzip"}
    if a.gzip_request:
        data = gzip.compress(data)
        headers["content-encoding"] = "gzip"
    return PATHS[a.api] + ("?" + a.query if a.query else ""), headers, data


def decoded(encoding, pieces):
    """The body of an answer, as it arrives."""
    z = zlib.decompressobj(47) if encoding in ("gzip", "deflate") else None
    for piece in pieces:
        yield z.decompress(piece) if z else piece


def text(a, pieces):
    """The answer in a body: streamed or not, of either API."""
    if not a.stream:
        message = json.loads(b"".join(pieces))
        if a.api == "openai":
            return message["choices"][0]["message"]["content"]
        return "".join(b.get("text", "") for b in message["content"])
    out, rest = "", b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if not line.startswith(b"data: ") or line == b"data: [DONE]":
                continue
            event = json.loads(line[6:])
            if event.get("type") == "content_block_delta":
                out += event["delta"].get("text", "")
            for choice in event.get("choices", []):
                out += choice["delta"].get("content") or ""
    return out


def by_urllib(a, tls):
    for prompt in a.prompt:
        path, headers, data = request(a, prompt)
        req = urllib.request.Request(a.url + path, data, headers)
        with urllib.request.urlopen(req, context=tls) as r:
            yield text(a, decoded(r.headers.get("content-encoding"), iter(lambda: r.read1(65536), b"")))


def by_keepalive(a, tls):
    u = urllib.parse.urlsplit(a.url)
    conn = http.client.HTTPSConnection(u.hostname, u.port, context=tls)
    for prompt in a.prompt:
        path, headers, data = request(a, prompt)
        conn.request("POST", path, data, headers)
        r = conn.getresponse()
        yield text(a, decoded(r.headers.get("content-encoding"), iter(lambda: r.read1(65536), b"")))
    conn.close()


async def ask(a, tls, prompt):
    u = urllib.parse.urlsplit(a.url)
    path, headers, data = request(a, prompt)
    headers.update(host=u.netloc, connection="close")
    headers["content-length"] = str(len(data))
    reader, writer = await asyncio.open_connection(u.hostname, u.port, ssl=tls)
    head = "POST %s HTTP/1.1\r\n%s\r\n" % (path, "".join("%s: %s\r\n" % h for h in headers.items()))
    writer.write(head.encode() + data)
    await reader.readline()
    answer = {}
    while (line := (await reader.readline()).strip()):
        name, _, value = line.decode().partition(":")
        answer[name.lower()] = value.strip()
    pieces = []
    if answer.get("transfer-encoding") == "chunked":
        while (size := int(await reader.readline(), 16)):
            pieces.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
    else:
        pieces.append(await reader.readexactly(int(answer["content-length"])))
    writer.close()
    return text(a, decoded(answer.get("content-encoding"), pieces))


def by_asyncio(a, tls):
    async def everyone():
        return await asyncio.gather(*(ask(a, tls, prompt) for prompt in a.prompt))
    return asyncio.run(everyone())


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--api", choices=PATHS, default="anthropic")
    ap.add_argument("--how", choices=("urllib", "keepalive", "asyncio"), default="urllib")
    ap.add_argument("--no-stream", dest="stream", action="store_false")
    ap.add_argument("--gzip-request", action="store_true")
    ap.add_argument("--query", default="")
    ap.add_argument("--ca", required=True)
    ap.add_argument("url")
    ap.add_argument("prompt", nargs="+")
    a = ap.parse_args()
    tls = ssl.create_default_context(cafile=a.ca)
    how = {"urllib": by_urllib, "keepalive": by_keepalive, "asyncio": by_asyncio}[a.how]
    for answer in how(a, tls):
        print(answer)
    return 0


sys.exit(main())

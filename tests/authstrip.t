#!/usr/bin/python3
"""authstrip: every rule finds its credential, in every place where one may be, and nothing else changes."""
import base64
import json
import os
import re
import sys
import tempfile
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import authstrip_cases as cases
import authstrip_forms as forms
import validate
from authstrip_kit import MARK, Batch, event, marked, run, split, tap

HERE = os.path.dirname(os.path.abspath(__file__))


# --- rules ------------------------------------------------------------------------------------------------------------
def test_rules():
    b = Batch()
    for rule, _, good, miss in cases.TOKENS:
        b.text("shape %s %s" % (rule, good[:12]), "see «%s», it is" % good)
        b.same("near miss of %s %s" % (rule, miss[:24]), event(t="see %s it is" % miss))
        b.same("a shape inside a word: %s" % good[:12], event(t="see0" + good)) if rule not in ("jwt-base64", "slack-hook") and not re.search("_(live|api|pat|prod|test)_", good) else None
    for rule, good, miss in cases.TEXTS + cases.WHOLE:
        b.text("text: " + good[:50], good)
        b.same("near miss: " + miss[:50], event(t=miss))
    b.text("a value in which a token begins before its own literal", "token = '«23IcywOgHQTktCPK7D1r1zLjJkRiDu9m1udhpuOnl9XKhUzybqlMJQQJ98BAACAAAAATbLuLAAASAZDOWP7X»'")
    b.check()


def test_every_shape_is_here():
    """A shape that is added to shapes.c needs a line in authstrip_cases.py or in authstrip_forms.py."""
    source = open(os.path.join(HERE, "..", "authstrip", "shapes.c")).read()
    starts = [s for name, s in re.findall(r'\{ "([\w-]+)", (?:NULL|[^,]*), "((?:[^"\\]|\\.)*)", ', source) if name != "id" for s in s.split(" ")]
    tried = [good for _, _, good, _ in cases.TOKENS] + [forms.fill(template) for _, template in forms.FORMS]
    missing = [s for s in starts if not any(re.sub("%.$", "", s) in good for good in tried)]
    tap.ok(len(starts) > 300 and len(missing) < len(starts) / 3, "the beginnings of shapes in shapes.c are tried: %d of %d" % (len(starts) - len(missing), len(starts)), missing)


def test_names():
    b = Batch()
    for kind in ("http.request", "http.response"):
        for name in cases.HEADERS:
            b.swap("%s header %s" % (kind, name), kind, lambda v, n=name: {"headers": {"a": "b", n: v}}, "a=b")
        for name in cases.HEADERS_KEPT + cases.HEADER_IDS:
            b.same("%s header %s stays" % (kind, name), event(kind, headers={name: "12 a"}))
        b.swap(kind + " trailers", kind, lambda v: {"trailers": {"x-auth-token": v}}, "t")
    for name in ("www-authenticate", "proxy-authenticate"):
        b.add("%s keeps its scheme" % name, event("http.response", headers={name: 'Digest realm="x", nonce="n"'}),
              event("http.response", headers={name: "Digest " + MARK}))
    for name in cases.PARAMS:
        for text in ("https://h.example/a?x=1&%s=«abcd1234efgh»&y=2#z", "/a?%s=«abcd1234efgh»", "grant=1&%s=«abcd1234efgh»&z=1"):
            b.text("parameter %s in %s" % (name, text), text % name)
    for name in cases.PARAMS_KEPT:
        b.same("parameter %s stays" % name, event(path="/a?x=1&%s=abcd1234efgh&y=2" % name))
    for name in cases.KEYS:
        b.swap("key " + name, "x.y", lambda v, n=name: {"body": json.dumps({"a": 1, n: v, "b": [2]})}, "abc")
    for name in cases.KEYS_RANDOM:
        b.swap("key " + name, "x.y", lambda v, n=name: {"body": json.dumps({n: v})}, cases.some(40))
        b.same("key %s of a word" % name, event(body=json.dumps({name: "open"})))
    for name in cases.KEYS_KEPT:
        b.same("key %s stays" % name, event(body=json.dumps({name: "abc", "n": {name: 12}})))
    b.check()


# --- places -------------------------------------------------------------------------------------------------------------
def test_places():
    token, b, n = "ghp_" + cases.some(36), Batch(), 0

    def place(name, kind, make, secret=token):
        b.swap(name, kind, make, secret)
    deep = lambda v, k: v if not k else json.dumps({"a": [deep(v, k - 1)]})
    for k in range(8):
        place("JSON in strings in JSON, level %d" % k, "x.y", lambda v, k=k: {"body": deep(json.dumps({"p": "q", "password": v}), k)}, "hunter2")
        place("a shape, level %d" % k, "x.y", lambda v, k=k: {"body": deep("is " + v, k)})
    place("JSON, nested", "x.y", lambda v: {"body": {"a": {"b": [[{"c": {"api_key": v, "d": 1}}]]}}}, "k")
    place("a list of values", "http.response", lambda v: {"headers": {"set-cookie": [v, "[REDACTED]"]}}, "a=1; Path=/")
    place("headers of HTTP/2", "http.request", lambda v: {"protocol": "HTTP/2", "headers": {":path": "/a?key=" + v, "authorization": "[REDACTED]"}}, "abcd12345")
    place("path", "http.request", lambda v: {"path": "/v1?api_key=%s&x=1" % v}, "abc")
    place("referer", "http.request", lambda v: {"headers": {"referer": "https://a/?token=%s&x=1" % v}}, "abc")
    place("location", "http.response", lambda v: {"headers": {"location": "https://a/cb?code=%s&x=1" % v}}, "abcd1234")
    place("a form", "http.request", lambda v: {"body": "client_secret=%s&grant_type=x" % v}, "abc")
    place("a form, at its end", "http.request", lambda v: {"body": "grant_type=x&client_secret=" + v}, "abc")
    place("argv: KEY=value", "process.exec", lambda v: {"argv": ["env", "API_KEY=" + v, "true"]}, "abc")
    place("argv: --password value", "process.exec", lambda v: {"argv": ["mysql", "--password", v, "-h", "x"]}, "abc")
    place("argv: --token=value", "process.exec", lambda v: {"argv": ["x", "--token=" + v]}, "abcdef12")
    place("argv: -H", "process.exec", lambda v: {"argv": ["curl", "-H", "Authorization: " + v, "https://x"]}, "Bearer abc")
    place("argv: -u", "process.exec", lambda v: {"argv": ["curl", "-u", "me:" + v, "https://x"]}, "abc")
    place("argv: sh -c", "process.exec", lambda v: {"argv": ["sh", "-c", "curl -H 'X-Api-Key: %s' https://x" % v]}, "abc")
    place("bash.readline", "bash.readline", lambda v: {"command": "export MY_TOKEN=" + v}, "abc1def2")
    place("stdio", "stdio.data", lambda v: {"pid": 7, "direction": "WRITE", "fd": 1, "data": "export GITHUB_TOKEN=%s\n" % v})
    place("file name", "file.open", lambda v: {"path": "/tmp/" + v})
    place("tool arguments", "llm.call", lambda v: {"output_messages": [{"parts": [{"type": "tool_call", "name": "Bash", "arguments":
          {"command": "curl -H 'Authorization: %s' https://x" % v}}]}]}, "Bearer abc")
    place("tool arguments as text", "llm.call", lambda v: {"tool_calls": [{"arguments": json.dumps({"env": "OPENAI_API_KEY=" + v})}]}, "abc")
    place("tool result", "llm.call", lambda v: {"tool_results": [{"result": "DB=postgres://u:%s@h/d" % v}]}, "pw")
    place("system instructions", "llm.call", lambda v: {"system_instructions": [{"type": "text", "content": "key: " + v}]})
    place("MCP arguments", "mcp.call", lambda v: {"arguments": {"headers": {"Authorization": v}}}, "Bearer abc")
    place("sse.message", "sse.message", lambda v: {"message": {"content": [{"type": "text", "text": "it is " + v}]}})
    place("web socket", "ws.message", lambda v: {"id": "w/1", "data": json.dumps({"type": "session.update", "token": v})}, "a1b2c3d4e5f6")
    place("escaped as \\u", "x.y", lambda v: {"t": v})
    for kind, key in (("ssl.data", "data"), ("http.request", "body"), ("stdio.data", "data"), ("http.body", "data"), ("process.exec", "comm")):
        for text in ("GET /?api_key=«a1b2»&x HTTP/1.1\r\nAuthorization: «Bearer abc»\r\nCookie: «a=b; c=d»\r\nX: \xff\r\n\r\n",
                     '{"api_key":"«abc»","n":"\xff"}', "\x00\x01\x02 «%s» \xff\xfe" % token):
            n += 1
            ids = {"conn": "c%d" % n, "id": "i%d" % n, "pid": n, "function": "READ/RECV"}
            b.add("base64: %s of %s: %r" % (key, kind, text[:12]),
                  event(kind, **ids, **{key + "_b64": base64.b64encode(split(text)[0].encode("latin1")).decode()}),
                  event(kind, **ids, **{key + "_b64": base64.b64encode(marked(text).encode("latin1")).decode()}))
            if "\x00" not in text:
                b.add("text: %s of %s: %r" % (key, kind, text[:12]), event(kind, **ids, **{key: split(text)[0]}), event(kind, **ids, **{key: marked(text)}))
    b.add("base64 in a list", event("process.exec", argv_b64=[base64.b64encode(b"--password=x\xff").decode(), "QQ=="]),
          event("process.exec", argv=["--password=[REDACTED]", "A"]))
    b.add("base64 in a list that stays base64", event("process.exec", argv_b64=[base64.b64encode(b"--password=x").decode(), "//8="]),
          event("process.exec", argv_b64=[base64.b64encode(b"--password=[REDACTED]").decode(), "//8="]))
    b.add("base64 whose other name is taken", event(data="x", data_b64=base64.b64encode(b"api_key=xyz\xff").decode()),
          event(data="x", data_b64=base64.b64encode(b"api_key=[REDACTED]").decode()))
    b.same("base64 that looks like a token", event(data_b64=base64.b64encode(b"eyJ" * 40 + b"\xff").decode()))
    b.same("what only is called base64", event(a_b64="no base64!", b_b64=["QQ==", 1], c_b64=7))
    b.check()


def test_endpoints():
    b = Batch()
    for path, host in (("/oauth/token", "x"), ("/v1/oauth/token", "console.anthropic.com"), ("/oauth/token?x=1", "auth.openai.com"), ("/o/oauth2/token", "accounts.google.com"),
                       ("/token", "oauth2.googleapis.com"), ("/login/oauth/access_token", "github.com"), ("/copilot_internal/v2/token", "api.github.com"), ("/deviceauth/usercode", "auth.openai.com")):
        for kind in ("http.request", "http.response"):
            b.add("%s of %s%s goes" % (kind, host, path), event(kind, host=host, path=path, body="opaque words"), event(kind, host=host, path=path, body=MARK))
        b.add("in base64", event("http.request", host=host, path=path, body_b64="//8="), event("http.request", host=host, path=path, body=MARK))
    b.add("a piece of one", event("http.body", id="e/1", path="/oauth/token", data="opaque"), event("http.body", id="e/1", path="/oauth/token", data=MARK))
    b.same("a path that only begins so", event("http.request", host="x", path="/oauth/token/help", body="words"))
    b.same("another path", event("http.request", host="example.com", path="/token", body="words"))
    b.check()


# --- hidden in escapes ---------------------------------------------------------------------------------------------------
def test_escapes():
    b, token = Batch(), "ghp_" + cases.some(36)
    u = lambda s: "".join("\\u%04x" % ord(c) for c in s)
    for name, line, want in (
            ("all of a shape", '{"type":"x.y","t":"is %s."}' % u(token), '{"type":"x.y","t":"is [REDACTED]."}'),
            ("some of it", '{"type":"x.y","t":"is %s."}' % token.replace("_", "\\u005f"), '{"type":"x.y","t":"is [REDACTED]."}'),
            ("a name", '{"type":"x.y","p\\u0061ssword":"abc"}', '{"type":"x.y","p\\u0061ssword":"[REDACTED]"}'),
            ("slashes", '{"type":"x.y","u":"postgres:\\/\\/me:pw@h\\/d"}', '{"type":"x.y","u":"postgres:\\/\\/me:[REDACTED]@h\\/d"}'),
            ("a quote", '{"type":"x.y","b":"{\\u0022api_key\\u0022:\\u0022abc\\u0022}"}', '{"type":"x.y","b":"{\\u0022api_key\\u0022:\\u0022[REDACTED]\\u0022}"}'),
            ("one level down", '{"type":"x.y","b":"{\\"t\\":\\"%s\\"}"}' % u(token).replace("\\", "\\\\"), '{"type":"x.y","b":"{\\"t\\":\\"[REDACTED]\\"}"}'),
            ("a value with escapes", '{"type":"x.y","password":"a\\"b\\\\c\\n\\u00e9d"}', '{"type":"x.y","password":"[REDACTED]"}'),
            ("in a piece", '{"type":"ssl.data","conn":"e","function":"R","data":"is %s."}' % u(token), '{"type":"ssl.data","conn":"e","function":"R","data":"is [REDACTED]."}')):
        b.add("escapes: " + name, line, want)
    b.same("escapes of nothing", '{"type":"x.y","t":"\\u0041\\/\\u00e9 \\ud83d\\ude42 \\u0000"}')
    b.check()


# --- what stays -------------------------------------------------------------------------------------------------------------
def test_innocent():
    b = Batch()
    for i, text in enumerate(cases.INNOCENT):
        name = text[:40]
        b.same("stays: " + name, event(t=text))
        b.same("stays in a piece: " + name, event("ssl.data", conn="i%d" % i, function="READ/RECV", off=0, len=len(text), data=text))
        b.same("stays in base64: " + name, event("http.body", id="i%d" % i, data_b64=base64.b64encode(b"\xff\n" + text.encode()).decode()))
    for line in cases.BROKEN:
        b.same("a string ends: " + line[17:50], line)
    b.same("odd spacing and numbers", '{ "type" : "x.y", "n":1.10 , "u":"\\u00e9", "e":1E5 }')
    b.check()


# --- numbers, and other values that are no strings ------------------------------------------------------------------------
def test_values():
    b = Batch()
    b.add("a number becomes a string", '{"type":"x.y","password":1234,"n":1}', '{"type":"x.y","password":"[REDACTED]","n":1}')
    b.add("in a string, with its quotes", event(body='{"password":1234,"n":1}'), event(body='{"password":"[REDACTED]","n":1}'))
    b.add("a list", event(body='{"passwords":1,"api_key":["a","b"],"n":[1]}'), event(body='{"passwords":1,"api_key":["[REDACTED]","[REDACTED]"],"n":[1]}'))
    for value in ("null", "true", "false", '""', "{}", "[]"):
        b.same("password %s stays" % value, '{"type":"x.y","password":%s,"n":1}' % value)
    b.check()


# --- options ------------------------------------------------------------------------------------------------------------------
def test_ids():
    lines = [event("http.request", headers={n: "abc 1"}) for n in cases.HEADER_IDS]
    want = [event("http.request", headers={n: MARK}) for n in cases.HEADER_IDS]
    org = event(t="in org-" + cases.some(24))
    tap.equal(run(lines), lines, "ids stay")
    tap.equal(run(lines, "--ids"), want, "--ids: headers")
    tap.equal(run([org]), [org], "an organisation stays")
    tap.equal(run([org], "--ids"), [event(t="in " + MARK)], "--ids: an organisation")


def test_hash(tmp):
    token = "ghp_" + cases.some(36)
    lines = [event(t=token), event("http.request", headers={"authorization": "Bearer " + token}), event(t="ghp_" + cases.some(36)),
             event("ssl.data", conn="c", function="R", data="X-Api-Key: %s\r\n\r\n" % token)]
    got = run(lines, "--hash")
    marks = [re.findall(r"\[REDACTED:([0-9a-f]{16})\]", l) for l in got]
    tap.ok(all(len(m) == 1 for m in marks), "--hash: a fingerprint each", got)
    tap.ok(marks[0] == marks[1] == marks[3] != marks[2], "--hash: equal credentials have equal ones, wherever they are", marks)
    tap.ok(run(lines, "--hash") != got, "--hash: another run, another key")
    key = os.path.join(tmp, "key")
    open(key, "wb").write(b"0123456789abcdef0123456789abcdef")
    one = run(lines, "--hash-key", key)
    import hashlib, hmac
    want = hmac.new(b"0123456789abcdef0123456789abcdef", token.encode(), hashlib.sha256).hexdigest()[:16]
    tap.ok(want in one[0] and one == run(lines, "--hash-key", key), "--hash-key: HMAC-SHA256 of the credential, the same in every run", one[0], want)
    tap.equal(run(one, "--hash-key", key), one, "--hash: a second run changes nothing")
    tap.equal(run(one), one, "nor does one without it")
    open(key, "wb").write(b"short")
    tap.equal(run([], "--hash-key", key, status=2), [], "--hash-key: a key that is too short is refused")


def test_user_rules(tmp):
    path = os.path.join(tmp, "rules")
    open(path, "w").write("# ours\n\ntoken acme acme_[a-z0-9]{8,}\nname corp x-corp-pin badge_no\nkeep password\n")
    lines = [event(t="see acme_abc12345 or acme_abc"), event("http.request", headers={"x-corp-pin": "1 2"}), event(body='{"badgeNo":"77"}'),
             event(body='{"password":"abc"}'), event(body='{"secret":"abc"}')]
    want = [event(t="see [REDACTED] or acme_abc"), event("http.request", headers={"x-corp-pin": MARK}), event(body='{"badgeNo":"[REDACTED]"}'),
            lines[3], event(body='{"secret":"[REDACTED]"}')]
    tap.equal(run(lines, "--rules", path), want, "--rules: token, name, keep")
    audit = [json.loads(l) for l in run(lines, "--rules", path, "--audit")]
    tap.equal({a["rule"]: a["count"] for a in audit}, {"acme": 1, "corp": 2, "key": 1}, "--audit counts them by their names")
    for text, why in (("token a x", "3 bytes"), ("token a", "pattern is missing"), ("nonsense", "begins with"), ("token a abc[x", "not closed"),
                      ("token a abc{3", "not closed"), ("token a abc{4,2}", "out of range"), ("name n", "word is missing"), ("token a abc def", "more behind")):
        open(path, "w").write("# one\n" + text + "\n")
        err = run([], "--rules", path, status=2, stderr=True)
        tap.ok(why in err and "line 2" in err, "--rules: %r is refused, with its line" % text, err)
    run([], "--rules", path + ".none", status=2)


def test_audit():
    token = "ghp_" + cases.some(36)
    lines = [event(t="%s %s" % (token, token)), event("http.request", headers={"authorization": "x"}), event(t="nothing"), "no json"]
    got = [json.loads(l) for l in run(lines, "--audit", loss=True)]
    tap.equal([(e["type"], e.get("rule"), e.get("count")) for e in got if e["type"] != "loss"],
              [("authstrip.audit", "header", 1), ("authstrip.audit", "github", 2)], "--audit: counts per rule, and no lines")
    check = validate.Checker(os.path.join(HERE, "..", "docs", "events.schema.json")).check
    tap.equal([why for why in (check(json.dumps(e).encode()) for e in got) if why], [], "--audit: as the schema says")
    err = run(lines[:3], "-v", stderr=True)
    tap.ok("authstrip: github 2\n" in err and "authstrip: header 1\n" in err, "-v: counts on standard error", err)


def test_bad_lines():
    token = "ghp_" + cases.some(36)
    tap.equal(run(["not JSON " + token, '{"no":"type","password":"abc"}', '{"type":"x.y","cut":"%s' % token]),
              ["not JSON " + MARK, '{"no":"type","password":"[REDACTED]"}', '{"type":"x.y","cut":"[REDACTED]'], "lines that are no events are searched as well")
    long_ = "A" * 300000 + " " + token + " " + "B" * 300000
    got = run([event(t=long_), event(t="x")], "--max-line", "1000")
    tap.equal(got, [event(t=long_.replace(token, MARK)), event(t="x")], "and those that are too long, piece by piece")


with tempfile.TemporaryDirectory() as tmp:
    test_rules()
    test_every_shape_is_here()
    test_names()
    test_places()
    test_endpoints()
    test_escapes()
    test_innocent()
    test_values()
    test_ids()
    test_hash(tmp)
    test_user_rules(tmp)
    test_audit()
    test_bad_lines()
tap.done()

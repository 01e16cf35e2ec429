#!/bin/sh
# A recorded run with a credential in every place: none is in any file that the
# pipeline wrote, and each is in what it writes with --keep-credentials.
# shellcheck disable=SC2016
. tests/lib.sh
need agentsight sslsniff process stdiocap authstrip sqlitesink curl
need_bpf
start_server

# What is planted. The letters are random ones: nobody's.
"$PYTHON" - "$T" <<'END'
import random, string, sys
r = random.Random(1)
word = lambda n: "".join(r.choice(string.ascii_letters + string.digits) for _ in range(n - 1)) + "7"
secrets = {
    "key": "sk-ant-api03-" + word(80), "bearer": word(40), "cookie": word(24), "query": word(20), "userinfo": word(12), "json": word(16),
    "nested": word(18), "form": word(22), "prompt": "ghp_" + word(36), "argv": word(15), "env": word(17), "stdout": word(30), "stdin": word(19),
    "file": "glpat-" + word(20), "binary": word(26), "slow": "sk-proj-" + word(60), "echoed": word(33), "pem": word(64),
}
with open(sys.argv[1] + "/secrets", "w") as f:
    f.writelines("%s=%s\n" % kv for kv in secrets.items())
END
cat >"$T/client.sh" <<'END'
. "$1/secrets"
dir=$1 out=$2
get() { curl -sS --cacert "$CA" -o /dev/null -H "x-api-key: $key" "$@"; }
say() { printf '{"model":"m","max_tokens":500,"stream":%s,"metadata":{"password":"%s","args":"{\\"client_secret\\":\\"%s\\"}"},"messages":[{"role":"user","content":"Use %s and postgres://me:%s@db/x please"}]}' \
	"$1" "$json" "$nested" "$prompt" "$userinfo"; }
for coding in identity gzip; do
	say true | get -H "Authorization: Bearer $bearer" -H "Cookie: a=1; sid=$cookie" -d @- "$URL/v1/messages?encoding=$coding&access_token=$query"
	say false | get -d @- "$URL/v1/chat/completions?encoding=$coding"
done
# written byte by byte: every credential is cut at each of its places
printf '{"model":"m","max_tokens":500,"stream":true,"messages":[{"role":"user","content":"It is %s ok"}]}' "$slow" | get -d @- "$URL/v1/messages?write=1&encoding=identity"
printf '{"refresh_token":"%s"}' "$echoed" | get -d @- "$URL/echo?write=3"
get -d "grant_type=x&client_secret=$form&scope=a" "$URL/echo"
printf 'api_key=%s\n\377\n' "$binary" | get --data-binary @- -H 'content-type: application/octet-stream' "$URL/echo"
printf -- '-----BEGIN RSA PRIVATE KEY-----\n%s\n%s\n-----END RSA PRIVATE KEY-----\n' "$pem" "$pem" | get --data-binary @- "$URL/echo"
env MY_SERVICE_PASSWORD="$env" true --password "$argv"
echo "export GITHUB_TOKEN=$stdout"
printf 'db_password=%s\n' "$stdin" | cat
echo x >"$dir/work/$file"
rm "$dir/work/$file"
END
mkdir "$T/work"

# record NAME OPTION...: into $T/NAME, the recording and a database made of it
record() {
	name=$1 dir=$T/$1; shift
	mkdir "$dir"
	TMPDIR=$dir agentsight record --all --raw -q "$@" -o "$dir/run.ndjson" -- sh "$T/client.sh" "$T" >"$T/$name.stdout" 2>"$T/$name.err" || diag_file "$T/$name.err"
	sqlitesink --events --bodies "$dir/run.db" "$dir/run.ndjson" 2>>"$T/$name.err" || diag_file "$T/$name.err"
}
record keep --keep-credentials
record strip

# Which of the secrets a folder's files hold: as they are, in base64, in escapes,
# or in pieces over the lines of a connection.
cat >"$T/find.py" <<'END'
import base64, json, os, sys
secrets = dict(l.strip().split("=", 1) for l in open(sys.argv[1]))
found = set()

def look(where, data):
    for name, s in secrets.items():
        s = s[-12:].encode()		# what a shape begins with is no secret
        if any(f in data for f in [s] + [base64.b64encode(b"x" * i + s)[4 * (i > 0):-4] for i in range(3)]):
            found.add(name)
            if name == os.environ.get("WHERE"):
                print("#", where, file=sys.stderr)

def strings(v):
    if isinstance(v, str):
        yield v
    for w in v.values() if isinstance(v, dict) else v if isinstance(v, list) else ():
        yield from strings(w)

files = [os.path.join(d, f) for d, _, fs in os.walk(sys.argv[2]) for f in fs]
for path in files:
    data = open(path, "rb").read()
    look(path, data)
    joined = {}
    for line in data.split(b"\n") if path.endswith("ndjson") else []:
        if not line:
            continue
        e = json.loads(line)
        for s in strings(e):
            look(path, s.encode())
            try:
                look(path, base64.b64decode(s, validate=True))
            except ValueError:
                pass
        if e["type"] in ("ssl.data", "http.body", "stdio.data"):
            key = (e["type"], e.get("conn") or e.get("pid"), e.get("id"), e.get("function"), e.get("fd"), e.get("direction"))
            joined[key] = joined.get(key, b"") + (e["data"].encode() if "data" in e else base64.b64decode(e.get("data_b64", "")))
    for key, text in joined.items():
        look(key, text)
print(*sorted(found))
END
all=$(sed 's/=.*//' "$T/secrets" | sort | tr '\n' ' ')
is "every credential is in the files of a run that keeps them" "$("$PYTHON" "$T/find.py" "$T/secrets" "$T/keep") " "$all"
is "and none in those of one that does not: recording, database" "$("$PYTHON" "$T/find.py" "$T/secrets" "$T/strip")" ""
is "which were searched" "$(cd "$T/strip" && ls run.ndjson run.db)" "$(printf 'run.db\nrun.ndjson')"
like "the recording has as many lines, nearly" "$(($(wc -l <"$T/strip/run.ndjson") * 100 / $(wc -l <"$T/keep/run.ndjson")))" '^(9[0-9]|10[0-9]|110)$'
check_lines "$T/strip/run.ndjson"
for word in messages Use postgres GITHUB_TOKEN refresh_token client_secret 'grant_type=x&' '--password' 'BEGIN RSA PRIVATE KEY'; do
	ok "what is beside them is there: $word" grep -qFe "$word" "$T/strip/run.ndjson"
done
# but for its own two lines, the first and the last
authstrip -q "$T/strip/run.ndjson" 2>/dev/null | sed '1d;$d' >"$T/again"
same "a second run changes nothing" "$T/again" "$T/strip/run.ndjson"
done_testing

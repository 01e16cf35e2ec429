#!/bin/sh
# Every example in every page of the manual and in the README, run as it stands.
# shellcheck disable=SC2016	# $ for others
. tests/lib.sh
need agentsight agentsight-report sslsniff process stdiocap sysmon sqlitesink otelsink websink jq sqlite3
need_bpf
start_server

# What the examples name: an agent in PATH that asks a model, once or again and
# again; example.com; sudo; recordings.
mkdir "$T/bin" "$T/runs" "$T/template"
cat >"$T/bin/claude" <<END
#!/bin/sh
ask() {
	curl -sS -H 'content-type: application/json' -H 'x-api-key: k' $URL/v1/messages -o /dev/null \\
		-d '{"model": "demo-1", "max_tokens": 99, "stream": true, "messages": [{"role": "user", "content": "say hello"}]}'
	curl -sS -o /dev/null $URL/echo -d 'no model'
}
while ask; do echo asked; [ -n "\$AGAIN" ] || exit 0; sleep 0.3; done
END
printf '#!/bin/sh\nexec "$@"\n' >"$T/bin/sudo"
printf '#!/bin/sh\nexec cat\n' >"$T/bin/flamegraph.pl"
chmod +x "$T/bin"/*
printf 'insecure\nconnect-to = "example.com:443:127.0.0.1:%s"\n' "$PORT" >"$T/.curlrc"
head -c 32 /dev/urandom >"$T/.agentsight-key"
HOME=$T CURL_HOME=$T PATH=$T/bin:$PATH TEMPLATE=$T/template TMPDIR=$T
export HOME CURL_HOME PATH TEMPLATE TMPDIR

AGAIN=1 setsid claude >/dev/null &
AGENT=$!
hold $AGENT
export AGENT
agentsight exec -q --raw -o "$TEMPLATE/run.ndjson" -- claude -p hello 2>"$T/err"
like "a recording to look at" "$(cut -d'"' -f4 "$TEMPLATE/run.ndjson" | sort -u | tr '\n' ' ')" 'llm.call.*process.exec.*ssl.data'
# as sslsniff -o wrote it
agentsight exec -q --ssl-http=false --no-plain --no-process --no-stdio --no-system --keep-credentials -o "$TEMPLATE/raw.ndjson" \
	-- claude -p hello 2>"$T/err" || diag_file "$T/err"
sqlitesink -q "$TEMPLATE/agentsight-20261124-101500.db" "$TEMPLATE/run.ndjson" 2>"$T/err" || diag_file "$T/err"
cp "$TEMPLATE/agentsight-20261124-101500.db" "$TEMPLATE/run.db"
for name in agentsight-20261124-101500.ndjson run1.ndjson ssl.fifo process.fifo; do cp "$TEMPLATE/run.ndjson" "$TEMPLATE/$name"; done
printf 'check:\n\tclaude -p hello\n' >"$TEMPLATE/Makefile"

"$PYTHON" tests/examples.py list >"$T/list"
ok "there are examples" [ "$(wc -l <"$T/list")" -gt 40 ]
"$PYTHON" tests/examples.py run "$T/runs" <"$T/list" >"$T/out" 2>&1 || diag_file "$T/out"
while IFS= read -r line; do
	case $line in
	'ok - '*) pass "${line#ok - }" ;;
	'not ok - '*) fail "${line#not ok - }" ;;
	*) diag "$line" ;;
	esac
done <"$T/out"
is "each was run" "$(grep -c '^\(not \)\{0,1\}ok - ' "$T/out")" "$(wc -l <"$T/list")"
done_testing

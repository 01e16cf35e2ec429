#!/bin/sh
# sslsniff --inspect COMMAND: what is behind scripts and launchers; discover.
# shellcheck disable=SC2016,SC2317	# $ for others; functions by name
. tests/lib.sh
need sslsniff
export XDG_CACHE_HOME="$T/cache"

bin=$T/bin modules=$T/lib/node_modules
mkdir -p "$bin" "$modules/@vendor/agent/bin" "$modules/@vendor/agent-linux-x64/vendor/bin" "$modules/plain"
# program FILE: an ELF file that can be run
program() { mkdir -p "${1%/*}"; cp "$(readlink -f /bin/true)" "$1"; chmod +x "$1"; }
script() { printf '#!%s\nexit 0\n' "$2" >"$1"; chmod +x "$1"; }
# leads COMMAND: the program that is looked at
leads() { PATH=$bin:$PATH sslsniff --inspect "$1" 2>&1 | sed -n '/what follows is/d; s/: [a-z]* *[0-9a-f]*$//p' | head -n 1; }
says() { PATH=$bin:$PATH sslsniff --inspect "$1" 2>&1; }

program "$bin/direct"
is "a program is itself" "$(leads direct)" "$bin/direct"
is "by its path, too" "$(leads "$bin/direct")" "$bin/direct"
ln -s direct "$bin/link"
is "a link leads to its target" "$(leads link)" "$bin/direct"
script "$bin/one" "$bin/direct"
is "a script leads to its interpreter" "$(leads one)" "$bin/direct"
script "$bin/two" "$bin/one"
is "a script of a script, too" "$(leads two)" "$bin/direct"
script "$bin/env" "/usr/bin/env direct"
is "so does one by env" "$(leads env)" "$bin/direct"
script "$bin/env-s" "/usr/bin/env -S A=1 direct --flag"
is "so does one by env -S, with variables and flags" "$(leads env-s)" "$bin/direct"
script "$bin/loop" "$bin/loop"
like "a script of itself ends" "$(says loop)" 'loop: a script of scripts without an end'
script "$bin/lost" /no/such/interpreter
like "a missing interpreter is named" "$(says lost)" 'its interpreter, /no/such/interpreter, is not found'
like "what is not there is said" "$(says no-such-command)" 'no-such-command: No such file'

script "$modules/@vendor/agent/bin/cli.js" "/usr/bin/env direct"
ln -s ../lib/node_modules/@vendor/agent/bin/cli.js "$bin/agent"
program "$modules/@vendor/agent-linux-x64/vendor/bin/agent"
program "$modules/@vendor/agent-linux-x64/helper"
head -c 100000 /dev/zero >>"$modules/@vendor/agent-linux-x64/vendor/bin/agent"
is "the launcher of an npm package leads to the program of its platform, the largest" "$(leads agent)" \
	"$modules/@vendor/agent-linux-x64/vendor/bin/agent"
like "and this is said" "$(says agent)" 'agent: .*/cli.js; what follows is the program of its npm package:'
mkdir -p "$modules/@vendor/agent/node_modules/@vendor"
mv "$modules/@vendor/agent-linux-x64" "$modules/@vendor/agent/node_modules/@vendor/"
is "the same when it lies within" "$(leads agent)" "$modules/@vendor/agent/node_modules/@vendor/agent-linux-x64/vendor/bin/agent"
script "$modules/plain/cli.js" "/usr/bin/env direct"
is "a package without one leads to its interpreter" "$(leads "$modules/plain/cli.js")" "$bin/direct"

# --- discover ---------------------------------------------------------------------
if have agentsight-discover && have sqlite3; then
	ln -s agent "$bin/codex"
	PATH=$bin:$PATH agentsight discover >"$T/out" 2>&1
	like "discover: an agent in PATH" "$(cat "$T/out")" '^Codex .* agentsight record -- codex .*/cli\.js'
	: >"$bin/gemini" && chmod +x "$bin/gemini"	# a download that was cut off
	script "$bin/cline" /no/such/interpreter
	program "$bin/pi"
	program "$modules/@mariozechner/pi-coding-agent/pi"
	PATH=$bin:$PATH agentsight discover >"$T/out" 2>&1
	like "discover: one that is refused" "$(cat "$T/out")" '^Gemini CLI +refused '
	like "... and why" "$(cat "$T/out")" '^Gemini CLI: its TLS cannot be read: not a regular file with something in it$'
	like "... one that cannot be followed" "$(cat "$T/out")" '^Cline: its TLS cannot be read: .*/no/such/interpreter, is not found'
	unlike "... not another program of that name" "$(cat "$T/out")" '^Pi '
	ln -sf "$modules/@mariozechner/pi-coding-agent/pi" "$bin/pi"
	is "discover --json: the same" "$(PATH=$bin:$PATH agentsight discover --json |
		jq -c '[.[] | select(.id == "gemini" or .id == "pi" or .id == "codex") | [.id, .refused]]')" \
		'[["codex",null],["gemini","not a regular file with something in it"],["pi",null]]'
	rm "$bin/gemini" "$bin/cline" "$bin/pi"
	cp "$(readlink -f /usr/bin/python3)" "$T/ollama"
	"$T/ollama" -c 'import socket, time; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(60)' >"$T/port" &
	server=$!
	until_true 10 test -s "$T/port"
	like "discover: a model server that listens: process and port" "$(agentsight discover)" \
		"Ollama +$server +127\.0\.0\.1:$(cat "$T/port") +agentsight record -p $server"
	is "discover --json: the same of servers" "$(agentsight discover --json | jq -c ".[] | select(.pid == $server) | [.kind, .name, .port]")" \
		"[\"server\",\"Ollama\",$(cat "$T/port")]"
	kill $server
	is "discover --json: the same, to be read" \
		"$(PATH=$bin:$PATH agentsight discover --json | jq -c '.[] | select(.id == "codex") | [.available, .recommended_capture]')" \
		'[true,"agentsight record -- codex"]'
	is "discover --all --json: those that are not here, too" "$(PATH=$bin:/usr/bin:/bin "$(command -v agentsight)" discover --all --json |
		jq '[.[] | select(.available | not)] | length > 5')" true
	is "discover --warm: the programs" "$(rm -rf "$T/cache"; PATH=$bin:$PATH agentsight discover --warm | grep -c '/cli\.js$')" 1
	ok "what was found in them is kept" sh -c 'test -s "$0"' "$T"/cache/agentsight/sites-*
	exits 2 "discover: a wrong option" agentsight discover --no-such 2>/dev/null
else
	skip "discover" "no agentsight-discover or no sqlite3"
fi
done_testing

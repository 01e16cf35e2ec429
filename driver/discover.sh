#!/bin/sh
# agentsight-discover - which agents are installed, which model servers listen, and how
# to record each
#
# Knows the names of their commands; what is behind a command, and which TLS is in
# it, sslsniff --inspect says. Servers are found where they listen, in /proc.
set -u

here=$(dirname "$(readlink -f "$0")")
tools=${AGENTSIGHT_TOOLS:-$here}
json='' all='' warm=''
tab=$(printf '\t')

usage() {
	cat <<'END'
Usage: agentsight discover [OPTION]...
Lists the agents that are installed and the model servers and gateways that listen on
this machine, and how to record each.

      --all        those that are not installed, too
      --warm       keep what is found, so that their first call is not waited for
      --json       as JSON
  -h, --help   -V, --version
END
}

wrong() {
	"$tools/agentsight-show" "agentsight discover: $*" >&2
	echo 'agentsight discover --help lists the options' >&2
	exit 2
}

# Command, name, and what its path has in it where other programs have that name, too.
known() {
	cat <<'END'
aider	Aider
amp	Amp
auggie	Augment
claude	Claude Code
cline	Cline
codex	Codex
copilot	GitHub Copilot CLI
crush	Crush
cursor-agent	Cursor Agent
droid	Factory Droid
gemini	Gemini CLI
goose	Goose
kimi	Kimi CLI
openclaw	OpenClaw
opencode	OpenCode
openhands	OpenHands
pi	Pi	pi-coding-agent
qwen	Qwen Code
END
}

# Why a program's TLS cannot be read, from what --inspect said; empty: it can, or loads a library.
refusal() {
	printf '%s\n' "$1" | awk '
		/^  refused/ { sub(/^  refused:? /, ""); why = why (why ? "; " : "") $0; next }
		/^  no TLS library that is known/ || /what follows is/ { next }
		/^  / { sites++ }
		/^sslsniff: / { sub(/^sslsniff: (--inspect )?/, ""); why = why (why ? "; " : "") $0 }
		END { if (!sites) print why }' | tr '\t' ' '
}

# id, name, whether it is here, its program, the TLS in it, how to record it, why it is refused
agents() {
	known | while IFS=$tab read -r command name only; do
		seen=$("$tools/sslsniff" --inspect "$command" 2>&1)
		path=$(printf '%s\n' "$seen" | sed -n '/^sslsniff: /d; s/^[^ ]*: \(.*\); what follows is .*/\1/;s/: .*//;p;q')
		case $seen in
		"sslsniff: --inspect $command: No such file or directory"*) path='' seen='' ;;
		esac
		case ${path:-$seen} in *"$only"*) ;; *) seen= ;; esac	# another program of that name
		if [ -n "$seen" ]; then
			tls=$(printf '%s\n' "$seen" | awk '/^  [a-z]/ && $1 !~ /^(refused:?|no|incomplete:)$/ && !had[$1]++ { printf "%s%s", sep, $1; sep = "," }')
			printf '%s\t%s\t1\t%s\t%s\tagentsight record -- %s\t%s\n' "$command" "$name" "$path" "$tls" "$command" \
				"$(refusal "$seen")"
		elif [ -n "$all" ]; then
			printf '%s\t%s\t0\t\t\t\t\n' "$command" "$name"
		fi
	done
}

# Command of a server or gateway, its usual port, and name.
known_servers() {
	cat <<'END'
ccr	3456	Claude Code Router
claude-code-router	3456	Claude Code Router
jan	1337	Jan
koboldcpp	5001	KoboldCpp
litellm	4000	LiteLLM
llama-server	8080	llama.cpp
llamafile	8080	llamafile
llmster	1234	LM Studio
lm-studio	1234	LM Studio
lms	1234	LM Studio
local-ai	8080	LocalAI
mlx_lm.server	8080	MLX LM
ollama	11434	Ollama
sglang	30000	SGLang
text-generation-launcher	3000	Text Generation Inference
text-generation-router	3000	Text Generation Inference
vllm	8000	vLLM
END
}

# Process, address and port of every TCP socket that listens, as far as we may look.
# shellcheck disable=SC2016
listening() {
	find /proc/[0-9]*/fd -maxdepth 1 -lname 'socket:*' -printf '%h %l\n' 2>/dev/null |
		cat /proc/net/tcp /proc/net/tcp6 - 2>/dev/null | awk '
		function number(hex,  n, i) {
			for (i = 1; i <= length(hex); i++)
				n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
			return n
		}
		function four(hex) {	# as it lies in memory
			return number(substr(hex, 7, 2)) "." number(substr(hex, 5, 2)) "." number(substr(hex, 3, 2)) "." number(substr(hex, 1, 2))
		}
		function address(hex) {
			if (length(hex) == 8)
				return four(hex)
			if (hex ~ /^0*$/)
				return "[::]"
			if (hex == "00000000000000000000000001000000")
				return "[::1]"
			return hex ~ /^0000000000000000FFFF0000/ ? four(substr(hex, 25)) : "[IPv6]"
		}
		$4 == "0A" && $2 ~ /:/ {
			split($2, a, ":")
			at["socket:[" $10 "]"] = address(a[1]) "\t" number(a[2])
		}
		$2 in at {
			split($1, p, "/")
			if (!had[p[3], at[$2]]++)
				print p[3] "\t" at[$2]
		}'
}

# The first words of its command line, and the folders in them, a line each.
words_of() {
	{ tr '\000' '\n' <"/proc/$1/cmdline"; } 2>/dev/null | head -n 4 | tr / '\n' | tr -cd '[:print:]\n'
}

# kind, name, pid, address, port, program, how to record it: by name, and by a usual port
# what has no name that is known.
servers() {
	listening | while IFS=$tab read -r pid address port; do
		words=$(words_of "$pid")
		found='' usual=''
		while IFS=$tab read -r command its name; do
			if printf '%s\n' "$words" | grep -qixF -e "$command"; then
				found=$name
				break
			fi
			[ "$its" != "$port" ] || usual=$name
		done <<-END
			$(known_servers)
		END
		case $found$usual in '') continue ;; esac
		[ -n "$found" ] || case $port in 3000 | 4000 | 8000 | 8080 | 30000) continue ;; esac	# anybody's
		program=$(readlink "/proc/$pid/exe" 2>/dev/null | tr -cd '[:print:]')
		printf '%s\t%s\t%s\t%s\t%s\tagentsight record -p %s\n' "${found:-on the port of $usual}" \
			"$pid" "$address" "$port" "$program" "$pid"
	done
}

show_json() {
	{
		agents | sed "s/^/agent$tab/; s/$/$tab$tab$tab/"
		servers | awk -F '\t' -v OFS='\t' '{ print "server", "", $1, 1, $5, "", $6, "", $2, $3, $4 }'
	} | sqlite3 -batch :memory: 'CREATE TABLE agents(kind, id, name, available, path, tls, record, refused, pid, address, port)' \
		'.mode tabs' '.import /dev/stdin agents' '.mode list' \
		"SELECT json_group_array(json(iif(kind = 'agent', json_object('kind', kind, 'id', id, 'name', name, 'command', id,
			'available', json(iif(available = '1', 'true', 'false')), 'path', nullif(path, ''),
			'tls', nullif(tls, ''), 'refused', nullif(refused, ''), 'recommended_capture', nullif(record, '')),
			json_object('kind', kind, 'name', name, 'pid', CAST(pid AS INTEGER), 'address', address,
			'port', CAST(port AS INTEGER), 'path', nullif(path, ''), 'recommended_capture', record)))) FROM agents"
}

show_servers() {
	servers >"$list"
	[ -s "$list" ] || return 0
	awk -F '\t' '
		function line(name, pid, at, record, path) { printf "%-28s %-8s %-22s %-24s %s\n", name, pid, at, record, path }
		NR == 1 { printf "\n"; line("model server, gateway", "pid", "listens on", "record it with", "program") }
		{ line($1, $2, $3 ":" $4, $6, $5) }' "$list"
}

show() {
	show_agents
	show_servers
}

show_agents() {
	agents >"$list"
	if [ ! -s "$list" ]; then
		echo 'no agent that is known by name is in your PATH; agentsight record -- PROGRAM records any program'
		return
	fi
	awk -F '\t' '
		function line(name, tls, record, path) { printf "%-20s %-20s %-32s %s\n", name, tls, record, path }
		NR == 1 { line("agent", "TLS in it", "record it with", "program") }
		{ line($2, $3 ? ($7 ? "refused" : $5 ? $5 : "of a library") : "-", $3 ? $6 : "not installed", $4) }
		$7 { why[++n] = $2 ": its TLS cannot be read: " $7 }
		END { for (i = 1; i <= n; i++) print why[i] }' "$list"
}

# Users, "" first: who calls us. Root looks for those of everybody who has a home.
users() {
	echo
	[ "$(id -u)" -ne 0 ] || [ -n "${SUDO_USER:-}" ] ||
		getent passwd | awk -F : '$6 ~ /^\/home\// && !had[$1]++ { print $1 }'
}

# What inspecting keeps, collectors find: sslsniff(8), FILES.
keep() {
	users | while read -r user; do
		[ -z "$user" ] || export SUDO_USER="$user"
		known | while IFS=$tab read -r command name _; do
			seen=$("$tools/sslsniff" --inspect "$command" 2>/dev/null </dev/null) || [ -n "$seen" ] || continue
			printf '%s\n' "$seen" | sed -n '1{s/^[^ ]*: \(.*\); what follows is .*/\1/;s/: .*//;p}'
		done
	done | sort -u
}

for arg; do
	case $arg in
	--all) all=1 ;;
	--warm) warm=1 ;;
	--json) json=1 ;;
	-h | --help) usage; exit 0 ;;
	-V | --version) "$tools/authstrip" -V | sed 's/.* /agentsight discover /'; exit 0 ;;
	*) wrong "unknown option $arg" ;;
	esac
done
if [ -n "$warm" ]; then
	[ -z "$json$all" ] || wrong '--warm goes with no other option'
	keep
elif [ -n "$json" ]; then
	show_json
else
	list=$(mktemp) || exit 1
	trap 'rm -f "$list"' EXIT
	show
fi

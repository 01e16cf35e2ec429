#!/bin/sh
# agentsight-discover - which agents are installed, and how to record each
#
# Knows the names of their commands; what is behind a command, and which TLS is in
# it, sslsniff --inspect says.
set -u

here=$(dirname "$(readlink -f "$0")")
tools=${AGENTSIGHT_TOOLS:-$here}
json='' all=''
tab=$(printf '\t')

usage() {
	cat <<'END'
Usage: agentsight discover [OPTION]...
Lists the agents that are installed, and how to record each.

      --all        those that are not installed, too
      --json       as JSON
  -h, --help   -V, --version
END
}

wrong() {
	printf 'agentsight discover: %s\n' "$*" >&2
	echo 'agentsight discover --help lists the options' >&2
	exit 2
}

# Command and name.
known() {
	cat <<'END'
aider	Aider
amp	Amp
auggie	Augment
claude	Claude Code
codex	Codex
copilot	GitHub Copilot CLI
crush	Crush
cursor-agent	Cursor Agent
gemini	Gemini CLI
goose	Goose
kimi	Kimi CLI
openclaw	OpenClaw
opencode	OpenCode
qwen	Qwen Code
END
}

# id, name, whether it is here, its program, the TLS in it, how to record it
agents() {
	known | while IFS=$tab read -r command name; do
		if seen=$("$tools/sslsniff" --inspect "$command" 2>/dev/null) || [ -n "$seen" ]; then
			path=$(printf '%s\n' "$seen" | sed -n '1{s/^[^ ]*: \(.*\); what follows is .*/\1/;s/: .*//;p}')
			tls=$(printf '%s\n' "$seen" | awk '/^  [a-z]/ && $1 != "refused" && !had[$1]++ { printf "%s%s", sep, $1; sep = "," }')
			printf '%s\t%s\t1\t%s\t%s\tagentsight record -- %s\n' "$command" "$name" "$path" "$tls" "$command"
		elif [ -n "$all" ]; then
			printf '%s\t%s\t0\t\t\t\n' "$command" "$name"
		fi
	done
}

show_json() {
	agents | sqlite3 -batch :memory: 'CREATE TABLE agents(id, name, available, path, tls, record)' \
		'.mode tabs' '.import /dev/stdin agents' '.mode list' \
		"SELECT json_group_array(json_object('id', id, 'name', name, 'command', id,
			'available', json(iif(available = '1', 'true', 'false')), 'path', nullif(path, ''),
			'tls', nullif(tls, ''), 'recommended_capture', nullif(record, ''))) FROM agents"
}

show() {
	agents >"$list"
	if [ ! -s "$list" ]; then
		echo 'no agent that is known by name is in your PATH; agentsight record -- PROGRAM records any program'
		return
	fi
	awk -F '\t' '
		function line(name, tls, record, path) { printf "%-20s %-20s %-32s %s\n", name, tls, record, path }
		NR == 1 { line("agent", "TLS in it", "record it with", "program") }
		{ line($2, $3 ? ($5 ? $5 : "of a library") : "-", $3 ? $6 : "not installed", $4) }' "$list"
}

for arg; do
	case $arg in
	--all) all=1 ;;
	--json) json=1 ;;
	-h | --help) usage; exit 0 ;;
	-V | --version) "$tools/authstrip" -V | sed 's/.* /agentsight discover /'; exit 0 ;;
	*) wrong "unknown option $arg" ;;
	esac
done
if [ -n "$json" ]; then
	show_json
else
	list=$(mktemp) || exit 1
	trap 'rm -f "$list"' EXIT
	show
fi

#!/bin/sh
# agentsight-report - asks a database that sqlitesink wrote
#
# A report is one SQL file; sqlite3(1) runs it, report.awk shows what it gave. A
# file of the user's own in $XDG_CONFIG_HOME/agentsight/reports is a report, too.
set -u
LC_ALL=C.UTF-8
export LC_ALL

self='agentsight report'
here=$(dirname "$(readlink -f "$0")")
[ -d "$here/reports" ] || here=$here/sqlitesink
shipped=$here/reports
config=${XDG_CONFIG_HOME:-${HOME:-/nonexistent}/.config}/agentsight

usage() {
	cat <<'END'
Usage: agentsight report [NAME] [OPTION]... [WORDS]
       agentsight report export [-o FILE] [--format FORMAT] [OPTION]...
       agentsight report html -o FILE | serve [--server-port=N]
Answers from a database that sqlitesink wrote. NAME is "summary" when none is given.

      --db=FILE       the database ($AGENTSIGHT_DB_PATH, else the newest
                      agentsight-*.db here)
      --json          an array of objects; --csv, --md: comma-separated, Markdown
      --limit=N       at most N rows (100; 0: all)
      --run=N         this run alone (report runs lists them)
      --by=KEY        of tokens: model, provider, agent, conversation, directory,
                      process, hour
  -o, --output=FILE   write to FILE (0600)
      --server-port=N of serve: the page of websink on this port (7395)
      --format=NAME   of export: snapshot, ndjson, otlp-json, har, folded
      --list          the reports there are
  -h, --help          this text; behind NAME, what its columns mean
  -V, --version       the version

Exit status: 0, also when there is nothing to show; 1 when something failed; 2
for wrong usage.
END
}

say() { printf '%s: %s\n' "$self" "$*" >&2; }
die() { say "$*"; exit 1; }
wrong() { say "$*"; say 'agentsight report --help lists the options'; exit 2; }

# quote TEXT: as an SQL literal.
quote() { printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/''/g")"; }

number() {
	case $2 in '' | *[!0-9]* | ??????????*) wrong "$1 takes a number, not '$2'" ;; esac
}

# --- which report ---------------------------------------------------------------
# The user's own come first.
find_report() {
	case $1 in '' | *[!A-Za-z0-9_-]* | -*) return 1 ;; esac
	for folder in "$config/reports" "$shipped"; do
		if [ -f "$folder/$1.sql" ]; then
			sql=$folder/$1.sql
			return
		fi
	done
	return 1
}

list_reports() {
	for folder in "$shipped" "$config/reports"; do
		for file in "$folder"/*.sql; do
			[ -f "$file" ] || continue
			name=${file##*/} name=${name%.sql}
			printf '%-12s %s\n' "$name" "$(sed -n '1s/^-- *//p' "$file")"
		done
	done | sort -u
	printf '%-12s %s\n' list 'The runs in all agentsight-*.db here' \
		export 'Everything as one document: snapshot, ndjson, otlp-json, har, folded' \
		html 'The page of websink with the run inside, as one file' serve 'The page of websink'
}

# The comment at the head of a report.
describe() { sed -n '/^--/!q;s/^-- \{0,1\}//p' "$sql"; }

# --- which database ---------------------------------------------------------------
newest() {
	# shellcheck disable=SC2012	# the names have no surprises but what the user put there
	found=$(ls -td agentsight-*.db 2>/dev/null | head -n 1)
	[ -n "$found" ]
}

# sqlite3 never makes a file here, nor reads the user's ~/.sqliterc.
ask() { sqlite3 -readonly -batch -bail -init /dev/null "$@"; }

check_db() {
	[ -e "$1" ] || die "open $1: no such file"
	version=$(ask "$(path_of "$1")" 'SELECT application_id, user_version FROM pragma_application_id, pragma_user_version' 2>&1) ||
		die "open $1: $version"
	case $version in
	1634169716\|1) ;;
	1634169716\|*) die "open $1: written by another version of agentsight" ;;
	*) die "open $1: not a database of agentsight" ;;
	esac
}

# A name that begins with a dash, or that sqlite3 takes for something else.
path_of() { case $1 in /*) printf '%s' "$1" ;; *) printf './%s' "$1" ;; esac; }

# --- running ------------------------------------------------------------------------
# Prices as SQL. Every field is checked: the file is data, not code.
prices() {
	awk -F, '/^[ \t]*(#|$)/ { next }
	function num(s) { gsub(/[ \t\r]/, "", s); return s == "" ? "NULL" : s }
	{
		model = $1; gsub(/[ \t]/, "", model); day = num($6)
		ok = NF == 6 && model ~ /^[A-Za-z0-9._:*?\/@-]+$/ && day ~ /^[0-9][0-9-]*$/
		for (i = 2; i <= 5; i++) ok = ok && num($i) ~ /^([0-9]+(\.[0-9]*)?|NULL)$/
		if (!ok) { printf "agentsight report: %s: line %d is not a price\n", FILENAME, FNR >"/dev/stderr"; next }
		printf "INSERT INTO prices VALUES(\047%s\047,%s,%s,%s,%s,\047%s\047);\n", tolower(model), num($2), num($3), num($4), num($5), day
	}' "$1"
}

# What comes before every report: its parameters, and the prices.
prelude() {
	local_time=localtime time='%m-%d %H:%M:%S' chars=300
	case $mode in json | csv | raw) local_time='+00:00' time='%Y-%m-%dT%H:%M:%fZ' chars=-1 ;; esac
	[ "$chars" -gt 0 ] || chars=1000000000
	echo '.timeout 10000'
	echo 'PRAGMA temp_store=MEMORY;'
	echo '.parameter init'
	cat <<-END
		INSERT INTO temp.sqlite_parameters VALUES (':limit', $limit), (':run', ${run:-NULL}), (':by', $(quote "$by")),
			(':query', $(quote "$query")), (':zone', '$local_time'), (':time', '$time'), (':chars', $chars),
			(':file', $(quote "$1")), (':prices', $(quote "$price_file"));
		CREATE TEMP TABLE prices(model, input REAL, output REAL, cache_read REAL, cache_creation REAL, as_of);
	END
	echo 'BEGIN;'
	prices "$price_file"
	echo 'COMMIT;'
	cat "$shipped/prelude/costs.sql"
}

# The report as a table of its own; then its rows as objects, or for report.awk.
script() {
	prelude "$1"
	echo 'CREATE TEMP TABLE result AS'
	cat "$sql"
	if [ "$mode" = json ]; then
		cat <<-END
			.mode list
			.once "$scratch"
			SELECT 'SELECT json_object(' || group_concat(quote(name) || ', CASE typeof("' || name || '") WHEN ''blob'' THEN ''x'''''' || hex("' ||
				name || '") || '''''''' ELSE "' || name || '" END') || ') FROM result;' FROM pragma_table_info('result');
			.read "$scratch"
		END
	else
		cat <<-'END'
			.mode list
			SELECT '"' || group_concat(name, '"' || char(9) || '"') || '"' FROM pragma_table_info('result');
			.mode tcl
			.separator "\t" "\n"
			SELECT * FROM result;
		END
	fi
}

# answer FILE: runs standard input on it. A reader that left is no failure, and other
# failures of what is not last in a pipe must not get lost: dash has no pipefail.
answer() {
	ask "$(path_of "$1")"
	case $? in 0 | 141) ;; *) : >"$scratch.failed" ;; esac
}

# ended STATUS: of the last of the pipe.
ended() {
	case $1 in 0 | 141) [ ! -e "$scratch.failed" ] ;; *) return 1 ;; esac
}

run_on() { script "$1" | answer "$1"; }
raw() { { prelude "$1"; echo '.mode list'; cat "$sql"; } | answer "$1"; }

# One object a line becomes an array. Control characters of the C1 set are legal
# in JSON, but a terminal obeys them; text put together of bytes is not always UTF-8.
json_array() {
	LC_ALL=C awk '
	BEGIN {
		printf "["
		for (i = 128; i < 160; i++) c1[sprintf("\302%c", i)] = sprintf("\\u%04x", i)
		t = "[\200-\277]"
		whole = "[\302-\337]" t "|\340[\240-\277]" t "|[\341-\354\356\357]" t t "|\355[\200-\237]" t \
			"|\360[\220-\277]" t t "|[\361-\363]" t t t "|\364[\200-\217]" t t
	}
	function valid(s,    out) {
		out = ""
		while (match(s, /[\200-\377]/)) {
			out = out substr(s, 1, RSTART - 1)
			s = substr(s, RSTART)
			if (match(s, whole) && RSTART == 1) {
				out = out substr(s, 1, RLENGTH)
				s = substr(s, RLENGTH + 1)
			} else {
				out = out "\357\277\275"
				s = substr(s, 2)
			}
		}
		return out s
	}
	{
		if (/[\177-\377]/) {
			rest = $0
			gsub(whole, "", rest)
			if (rest ~ /[\200-\377]/) $0 = valid($0)
			if (/\302[\200-\237]/) for (c in c1) gsub(c, "\\" c1[c])
			gsub(/\177/, "\\u007f")
		}
		printf "%s%s", (NR > 1 ? ",\n" : ""), $0
	}
	END { print "]" }'
}

columns() {
	[ -z "${COLUMNS:-}" ] || { echo "$COLUMNS"; return; }
	[ -n "$terminal" ] || { echo 0; return; }
	size=$(stty size 2>/dev/null </dev/tty) || size='0 80'
	echo "${size#* }"
}

show() {
	colour=''
	[ -z "$terminal" ] || [ -n "${NO_COLOR:-}" ] || [ "${TERM:-dumb}" = dumb ] || colour=1
	LC_ALL=C awk -v mode="$mode" -v width="$width" -v colour="$colour" -v title="$title" -v limit="$limit" \
		-v self="$self" -f "$here/report.awk"
}

render() {
	if [ "$mode" = json ]; then json_array; else show; fi
}

# The databases one after the other.
report() {
	terminal=''
	[ ! -t 1 ] || terminal=1
	width=$(columns)
	case $width in *[!0-9]*) width=0 ;; esac
	for file in "$@"; do
		run_on "$file"
	done | render
	ended $?
}

# cat says when its output cannot be written; sqlite3 does not.
export_to() {
	mode=raw
	case $format in
	snapshot | ndjson | har | folded) sql=$shipped/export/$format.sql; raw "$1" | cat ;;
	otlp-json)
		otelsink=$(command -v "$here/otelsink" || command -v otelsink) || die 'otelsink is not there: it writes otlp-json'
		sql=$shipped/export/ndjson.sql
		raw "$1" | "$otelsink" --file -
		;;
	*) wrong "there is no format '$format' (snapshot, ndjson, otlp-json, har, folded)" ;;
	esac
	ended $?
}

# --- options ---------------------------------------------------------------------------
name='' db='' mode=table limit=100 run='' by=model query='' output='' format=snapshot help='' port=''
while [ $# -gt 0 ]; do
	value=''
	case $1 in
	--*=*) value=${1#*=} option=${1%%=*}; shift ;;
	--db | --limit | --run | --by | --output | --format | --server-port | -o)
		option=$1
		[ $# -gt 1 ] || wrong "$1 takes a value"
		value=$2; shift 2
		;;
	*) option=$1; shift ;;
	esac
	case $option in
	--db) db=$value ;;
	--json | --csv | --md) mode=${option#--} ;;
	--limit) number --limit "$value"; limit=$value ;;
	--run) number --run "$value"; run=$value ;;
	--by) by=$value ;;
	-o | --output) output=$value ;;
	--format) format=$value ;;
	--server-port) number --server-port "$value"; port=$value ;;
	--list) list_reports; exit ;;
	-h | --help) help=1 ;;
	-V | --version) echo "agentsight-report @VERSION@"; exit ;;
	--) break ;;
	-*) wrong "unknown option $option" ;;
	*)
		if [ -z "$name" ]; then name=$option; else query=$query${query:+ }$option; fi
		;;
	esac
done
for word; do query=$query${query:+ }$word; done

[ -n "$help" ] && [ -z "$name" ] && { usage; exit; }
case $by in
model | provider | agent | conversation | directory | process | hour) ;;
*) wrong "--by takes model, provider, agent, conversation, directory, process or hour, not '$by'" ;;
esac
case ${name:=summary} in
list) find_report runs ;;
export | html | serve) [ -z "$help" ] || { usage; exit; } ;;
*) find_report "$name" || wrong "there is no report '$name' (agentsight report --list has all)" ;;
esac
[ -z "$help" ] || { describe; exit; }
[ "$limit" != 0 ] || limit=-1
[ "$name" != html ] || [ -n "$output" ] || wrong 'html takes -o FILE'
[ "$name" != search ] || [ -n "$query" ] || wrong 'search takes what to look for'
command -v sqlite3 >/dev/null || die 'sqlite3 is not installed (apt-get install sqlite3)'

price_file=$here/prices.csv
[ ! -f "$config/prices.csv" ] || price_file=$config/prices.csv

set --
if [ -z "$db" ]; then db=${AGENTSIGHT_DB_PATH:-}; fi
if [ "$name" = list ] && [ -z "$db" ]; then
	for file in agentsight-*.db; do [ ! -f "$file" ] || set -- "$@" "$file"; done
elif [ -n "$db" ]; then
	set -- "$db"
elif newest; then
	set -- "$found"
fi
[ $# -gt 0 ] || die 'no agentsight-*.db here (--db FILE)'
for file; do check_db "$file"; done

websink() {
	tool=$(command -v "$here/websink" || command -v websink) || die 'websink is not there: it makes the page'
	exec "$tool" "$@"
}
case $name in
html) websink --html "$output" --db "$1" ;;
serve) websink --db "$1" ${port:+--port "$port"} ;;
esac

umask 077
scratch=$(mktemp "${TMPDIR:-/tmp}/agentsight-report.XXXXXX") || exit 1
trap 'rm -f "$scratch" "$scratch.failed"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -n "$output" ] && [ "$output" != - ]; then
	exec >"$output" || exit 1
fi
if [ "$name" = export ]; then
	export_to "$1"
else
	title=$(sed -n '1s/^-- *//p' "$sql")
	report "$@"
fi

#!/bin/sh
# agentsight-doctor - what can be traced on this machine, and if not, why
#
# Looks at what the collectors need, has each of them load its BPF programs with every
# set of its options and attach for a moment, and lists what TLS the chosen processes
# use.
set -u

[ -n "${AGENTSIGHT_TOOLS:-}" ] || AGENTSIGHT_TOOLS=$(dirname "$(readlink -f "$0")")
tools=$AGENTSIGHT_TOOLS
bad=0 chosen=''

usage() {
	cat <<'END'
Usage: agentsight doctor [OPTION]...
Says what can be traced on this machine, and if not, why and what to do.

  -p, --pid=PID      TLS libraries of this process and its descendants alone
  -c, --comm=NAME    of processes of this name
  -h, --help   -V, --version

Exit status: 0 when everything can be traced, 1 when something cannot, 2 for
wrong usage.
END
}

wrong() {
	"$tools/agentsight-show" "agentsight doctor: $*" >&2
	echo 'agentsight doctor --help lists the options' >&2
	exit 2
}

good() { printf 'ok    %s\n' "$*"; }
note() { printf 'note  %s\n' "$*"; }
fail() { printf 'NO    %s\n' "$*"; bad=1; }

# --- the kernel ---------------------------------------------------------------
check_kernel() {
	case $(uname -m) in
	x86_64) good "Linux $(uname -r) (the collectors were run on 6.1, 6.12 and 7.3)" ;;
	*) fail "Linux $(uname -r) on $(uname -m): the collectors know x86-64 alone" ;;
	esac
	if [ -r /sys/kernel/btf/vmlinux ]; then
		good 'the kernel describes its types (BTF)'
	else
		fail '/sys/kernel/btf/vmlinux is missing: a kernel with CONFIG_DEBUG_INFO_BTF is needed'
	fi
	# PROC_PID_INIT_INO: the namespace that the kernel began with
	case $(readlink /proc/self/ns/pid 2>/dev/null) in
	'pid:[4026531836]') good 'processes of the whole machine are seen (its own PID namespace)' ;;
	*)
		note 'this is a PID namespace within another, as in a container without --pid=host: processes'
		note 'outside it are not observed, and the numbers of those within are as they are here'
		;;
	esac
	case $(cat /proc/sys/net/core/bpf_jit_enable 2>/dev/null) in
	0) fail 'BPF programs are not compiled (JIT): sysctl net.core.bpf_jit_enable=1' ;;
	'') note 'whether BPF programs are compiled (JIT) cannot be seen here: no /proc/sys/net/core/bpf_jit_enable' ;;
	*) good 'BPF programs are compiled (JIT)' ;;
	esac
	lockdown=$(sed -n 's/.*\[\(.*\)\].*/\1/p' /sys/kernel/security/lockdown 2>/dev/null)
	case $lockdown in
	confidentiality) fail 'lockdown is "confidentiality": BPF programs may not read memory (boot with lockdown=integrity)' ;;
	*) good "lockdown: ${lockdown:-none}" ;;
	esac
}

# --- privilege ------------------------------------------------------------------
has_cap() { [ $((0x$caps >> $1 & 1)) -eq 1 ]; }

check_caps() {
	caps=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
	if has_cap 21; then
		good 'CAP_SYS_ADMIN'
	elif has_cap 38 && has_cap 39; then
		good 'CAP_BPF and CAP_PERFMON'
	else
		fail 'neither CAP_SYS_ADMIN nor CAP_BPF and CAP_PERFMON: be root, or use sudo'
	fi
	has_cap 19 || note 'no CAP_SYS_PTRACE: libraries of other users'\'' processes cannot be found'
	has_cap 2 || has_cap 1 || note 'no CAP_DAC_READ_SEARCH: programs that you may not read cannot be looked into'
}

# --- the collectors ----------------------------------------------------------------
# What --check of a collector said, line by line; the kernel's features from the first
# collector alone.
say_check() {
	printf '%s\n' "$2" | while IFS= read -r line; do
		case $1:$line in
		sslsniff:Linux*MISSING*) fail "what BPF programs need: ${line#*: }" ;;
		sslsniff:Linux*) good "BPF has ${line#*: }" ;;
		*:Linux*) ;;
		"$1:$1: "*) fail "$line" ;;
		*) good "$1: $line" ;;
		esac
	done
}

# Each loads its BPF programs with every set of its options, then attaches to one
# process, and stops.
check_collector() {
	name=$1
	shift
	if [ "$name" != sysmon ]; then
		answer=$("$tools/$name" --check 2>&1)
		loads=$?
		say_check "$name" "$answer"
		[ $loads -eq 0 ] || { bad=1; return; }
	fi
	sleep 5 >/dev/null &
	target=$!
	if message=$("$tools/$name" -q -p "$target" "$@" 2>&1 >/dev/null); then
		good "$name attaches"
	else
		fail "$name: ${message#"$name: "}"
	fi
	kill "$target" 2>/dev/null
	wait "$target" 2>/dev/null
}

check_tools() {
	check_collector sslsniff -d 100ms
	check_collector tcpsniff -d 100ms
	check_collector process --duration 100ms
	check_collector stdiocap -d 100ms
	check_collector sysmon -d 100ms -i 50ms
}

# --- the processes --------------------------------------------------------------------
# Columns of --list: pid, name, file, what would be hooked or why not.
list_processes() {
	list=$("$tools/sslsniff" --list "$@" 2>&1)
	if [ $# -gt 0 ]; then
		printf '\nTLS of these processes:\n'
	else
		printf '\nProcesses with TLS (%s have none):\n' "$(printf '%s\n' "$list" | grep -c 'no TLS')"
		list=$(printf '%s\n' "$list" | grep -v 'no TLS')
	fi
	printf '%s\n' "$list" | sed 's/^/      /'
}

# For the driver: what --list says of processes while they live, ever less often, each
# time with an empty line behind it.
keep() {
	for pause in 0.1 0.2 0.5 1 2 4 8 16 30 60; do
		sleep $pause
		list=$("$tools/sslsniff" --list "$@" 2>&1) && [ -n "$list" ] || exit 0
		printf '%s\n\n' "$list"
	done
	exit 0
}

[ "${1:-}" != --keep ] || { shift; keep "$@"; }
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	-V | --version) "$tools/authstrip" -V | sed 's/.* /agentsight doctor /'; exit 0 ;;
	--pid=*) chosen=-p value=${1#*=} ;;
	--comm=*) chosen=-c value=${1#*=} ;;
	-p | --pid | -c | --comm)
		[ $# -gt 1 ] || wrong "$1 needs a value"
		case $1 in -p | --pid) chosen=-p ;; *) chosen=-c ;; esac
		value=$2
		shift
		;;
	*) wrong "unknown option $1" ;;
	esac
	shift
done
check_kernel
check_caps
check_tools
if [ -n "$chosen" ]; then list_processes "$chosen" "$value"; else list_processes; fi
exit $bad

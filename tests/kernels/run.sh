#!/bin/sh
# run.sh BUILD - the collectors on the kernels that people have; run by `make test-kernels`
#
# KERNELS: how versions begin, or "newest"; MODES, STEPS: these alone; JOBS: machines
# at a time. What is fetched and made stays in BUILD/kernels: kernels, a root,
# log/ with the console of each machine.
set -eu
build=$1
dir=$build/kernels
here=$(dirname "$0")


# Every step in one mode of each kernel, the last of modes(); in the others those
# that preemption makes a difference to. It makes none to the verifier.
all='doctor,loads,attach,demo,priv,miss,test:process,test:sslsniff,test:sslsniff-target,test:stdiocap,test:tcpsniff'
some='attach,priv,miss'

# modes VERSION: in which ways it can preempt. A kernel without the choice: "-".
modes() {
	config=$(find "$dir/k/$1/boot" "$dir/k/$1/usr/lib/modules" -maxdepth 2 -name 'config*' 2>/dev/null | head -n 1)
	grep -q '^CONFIG_PREEMPT_DYNAMIC=y' "$config" || { echo -; return; }
	grep -q 'CONFIG_PREEMPT_NONE[= ]' "$config" && echo none
	grep -q 'CONFIG_PREEMPT_LAZY[= ]' "$config" && echo lazy
	echo full
}

# plan VERSION...: one machine per line.
plan() {
	for version; do
		ways=$(modes "$version")
		for mode in $ways; do
			case " ${MODES:-$mode} " in *" $mode "*) ;; *) continue ;; esac
			steps=$some
			[ "$mode" != "$(echo "$ways" | tail -n 1)" ] || steps=$all
			echo "$version $mode ${STEPS:-$steps}"
		done
	done
}

# machine VERSION MODE STEPS: one, to lines of the table, each when its step ends:
# mawk reads ahead unless told not to.
machine() {
	interactive=''
	case $(readlink -f "$(command -v awk)") in *mawk) interactive='-W interactive' ;; esac
	# shellcheck disable=SC2086
	"$here/boot.sh" "$dir" "$@" 2>&1 | tee "$dir/log/$1.$2" |
		awk $interactive -v kernel="$1" -v mode="$2" -v steps="$3" -f "$here/table.awk" | tee -a "$dir/table"
}

if [ "${2:-}" = machine ]; then	# one of those that xargs starts
	machine "$3" "$4" "$5"
	exit
fi
mkdir -p "$dir/log"
exec 9>"$dir/lock"
flock -n 9 || { echo "run.sh: another run uses $dir" >&2; exit 1; }
: >"$dir/table"
# shellcheck disable=SC2086
versions=$("$here/fetch.sh" "$dir" ${KERNELS:-6.1 6.12 newest})
"$here/root.sh" "$dir" "$build"
# shellcheck disable=SC2086
plan $versions >"$dir/plan"
xargs -r -P "${JOBS:-1}" -L 1 "$0" "$build" machine <"$dir/plan"
failed=$(grep -c '^FAILED' "$dir/table" || :)
passed=$(grep -c '^ok' "$dir/table" || :)
echo "$passed passed, $failed failed"
# every machine has its last line, the kernel's own
[ "$failed" -eq 0 ] && [ "$(grep -c ' kernel ' "$dir/table")" -eq "$(wc -l <"$dir/plan")" ] && [ "$passed" -gt 0 ]

#!/bin/sh
# The manual: every page is clean, every tool has one, pages and options that
# are named exist, and options that exist are named.
. tests/lib.sh
need mandoc

tools="agentsight agentsight-report $(sed -n 's/^\(FILTERS\|SINKS\|PROBES\) *= *//p' Makefile)"

for page in man/*.[1-8]; do
	ok "mandoc has nothing to say about ${page#man/}" mandoc -T lint -W warning "$page"
done

# Pages of others that ours may point to.
cat >"$T/others" <<'EOT'
base64.1 bpf.2 bpftool.8 capabilities.7 cgroups.7 curl.1 grep.1 jq.1 ldconfig.8 mkfifo.1 openssl.1 ptrace.2 strace.1
perf_event_open.2 proc.5 ps.1 readelf.1 setsid.1 signal.7 sort.1 sqlite3.1 sudo.8 tee.1 uniq.1
EOT
tr ' ' '\n' <"$T/others" >"$T/known"
for page in man/*.[1-8]; do echo "${page#man/}"; done >>"$T/known"
for page in man/*.[1-8]; do
	sed -n 's/^\.Xr \([^ ]*\) \([1-8]\).*/\1.\2/p' "$page" | sort -u >"$T/refs"
	is "pages that ${page#man/} points to exist" "$(grep -vxFf "$T/known" "$T/refs" | tr '\n' ' ')" ''
done

# Long options in a page, and in a --help text. What all tools share may be
# explained in agentsight(7).
in_page() {	# .It Fl p , -pid Ar N
	sed -n 's/^\.\(It\|Op\|Fl\) .*Fl/&/p; s/^\.Fl /&/p' "$1" | grep -oE '(^| )-[a-z][a-z0-9-]+' | sed 's/^ *-/--/' | sort -u
}
in_help() { grep -oE -- '--[a-z][a-z0-9-]+' | sort -u; }
: >"$T/all"
for tool in $tools; do
	have "$tool" && "$tool" --help | in_help >>"$T/all"
done
{ in_page man/agentsight.7; printf '%s\n' --help --version --quiet --verbose --output; } >"$T/common"
for tool in $tools; do
	page=$(find man -name "$tool.[18]")
	if ! ok "$tool has a page" test -f "$page"; then continue; fi
	if ! have "$tool"; then skip "options of $tool" "$tool is not built"; continue; fi
	in_page "$page" >"$T/page"
	"$tool" --help | in_help >"$T/help"
	is "options of $tool that its page leaves out" \
		"$(grep -vxFf "$T/page" "$T/help" | grep -vxFf "$T/common" | tr '\n' ' ')" ''
	is "options in the page of $tool that no tool has" \
		"$(sort -u "$T/all" | grep -vxFf - "$T/page" | tr '\n' ' ')" ''
done
done_testing

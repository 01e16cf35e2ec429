#!/bin/sh
# make install: what it puts where, that it works from there, that uninstall
# takes all of it away; completions; the service.
# shellcheck disable=SC2016	# $ for others
. tests/lib.sh
need make
root=$T/root
make -s O="$BUILD" install-service DESTDIR="$root" PREFIX=/usr >"$T/out" 2>&1 || diag_file "$T/out"
tools="jsonfilter httpparse ssemerge llmparse authstrip sqlitesink otelsink websink sslsniff tcpsniff stdiocap agentsight-process agentsight-sysmon agentsight"
for tool in $tools; do
	link=$root/usr/bin/$tool
	target=$root$(readlink "$link")
	ok "$tool: a link to what is there" test -x "$target"
done
for tool in process sysmon; do ok "no $tool in a common folder" test ! -e "$root/usr/bin/$tool"; done
is "every page" "$(cd "$root/usr/share/man" && find . -type f | sed 's|.*/||' | sort | tr '\n' ' ')" \
	"$(cd man && find . -type f -name '*.[1-8]' | sed 's|.*/||' | sort | tr '\n' ' ')"
is "runs from there" "$("$root/usr/libexec/agentsight/agentsight" --version)" "agentsight $(cat VERSION)"
like "its report, too" "$("$root/usr/libexec/agentsight/agentsight" report --list)" '^summary '
like "its doctor, too" "$("$root/usr/libexec/agentsight/agentsight" doctor --help)" '^Usage: agentsight doctor'
if have bash; then
	PATH="$root/usr/libexec/agentsight:$PATH" bash -c '
		. "$0" && try() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); COMPREPLY=(); _agentsight; echo "${COMPREPLY[@]}"; }
		try agentsight rec; try agentsight report tok; try agentsight record --ssl-fil; try agentsight report --js' \
		"$root/usr/share/bash-completion/completions/agentsight" >"$T/out" 2>"$T/err"
	is "bash completes commands, reports, options" "$(tr '\n' ' ' <"$T/out")" 'record tokens --ssl-filter --json '
else
	skip "bash completion" "no bash"
fi
if have fish; then
	is "fish completes" "$(PATH="$root/usr/libexec/agentsight:$PATH" HOME=$T fish -c "source $root/usr/share/fish/vendor_completions.d/agentsight.fish
		complete -C 'agentsight rec'; complete -C 'agentsight record --ssl-fil'" | tr '\n' ' ')" 'record --ssl-filter '
else
	skip "fish completion" "no fish"
fi
if have zsh; then
	ok "zsh reads its completion" zsh -n "$root/usr/share/zsh/site-functions/_agentsight"
else
	skip "zsh completion" "no zsh"
fi
unit=$root/usr/lib/systemd/system/agentsight.service
like "the service runs what is installed" "$(cat "$unit")" 'ExecStart=/usr/libexec/agentsight/agentsight record '
if have systemd-analyze; then
	sed "s|/usr/libexec|$root/usr/libexec|; /^Documentation/d" "$unit" >"$T/agentsight.service"
	is "systemd has nothing to say about the service" "$(systemd-analyze verify "$T/agentsight.service" 2>&1 | grep agentsight)" ''
	ok "and finds it well confined" systemd-analyze security --offline=true --threshold=40 "$T/agentsight.service"
else
	skip "the service" "no systemd-analyze"
fi
make -s O="$BUILD" uninstall DESTDIR="$root" PREFIX=/usr
is "uninstall leaves no file" "$(find "$root" ! -type d)" ''
done_testing

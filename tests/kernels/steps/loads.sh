# loads: the kernel takes every program of every collector with every set of options,
# for what it verifies depends on them; and each attaches, in the ways there are
bad=0 n=0
T=$(mktemp -d)
# a process with TLS, so that there is something to hook
mkfifo "$T/hold"
/usr/bin/python3 -c 'import ssl, sys; sys.stdin.read()' <"$T/hold" &
tls=$!
exec 8>"$T/hold"
until grep -q libssl /proc/$tls/maps; do
	kill -0 $tls || exit 1
	sleep 0.2
done

# checks TOOL: what its --check says.
checks() {
	n=$((n + 1))
	if timeout 900 "$1" --check >"$T/out" 2>&1; then
		echo "ok $n - $1 --check: $(tail -n 1 "$T/out")"
	else
		bad=1
		echo "not ok $n - $1 --check: $(grep -v '^Linux' "$T/out" | head -n 1)"
	fi
	sed 's/^/# /' "$T/out"
}

# loads TOOL OPTION...: it says that it is ready, and ends well.
loads() {
	n=$((n + 1))
	: >"$T/ready"
	timeout 600 "$@" --duration 50ms --ready-fd 9 9>"$T/ready" >/dev/null 2>"$T/err"
	status=$?
	if [ $status -eq 0 ] && [ -s "$T/ready" ]; then
		echo "ok $n - $*"
	else
		bad=1
		echo "not ok $n - $*: exit $status: $(grep -v '^libbpf' "$T/err" | tail -n 1)"
		tail -n 20 "$T/err" | sed 's/^/# /'
	fi
}

for tool in sslsniff process stdiocap; do
	checks $tool
	loads $tool
	loads $tool -p $tls -c python3 -u 0 --session $$ --cgroup /sys/fs/cgroup
	loads $tool -c sh --no-children
done
loads sslsniff -p $tls --no-sleep --handshake
loads sslsniff -p $tls --attach perf
loads process -p $tls --trace-all --window 0 --interval 0
loads process -p $tls -m 1
loads stdiocap -p $tls --all-fds
exec 8>&-
wait $tls
rm -rf "$T"
exit $bad

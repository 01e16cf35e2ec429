# attach: every collector attaches, in the ways that there are
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

# attaches TOOL OPTION...: it says that it is ready, and ends well.
attaches() {
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

for tool in sslsniff process stdiocap tcpsniff; do
	attaches $tool
	attaches $tool -p $tls -c python3 -u 0 --session $$ --cgroup /sys/fs/cgroup
	attaches $tool -c sh --no-children
done
attaches sslsniff -p $tls --no-sleep --handshake
attaches sslsniff -p $tls --attach perf
attaches process -p $tls --trace-all --window 0 --interval 0
attaches process -p $tls -m 1
attaches stdiocap -p $tls --all-fds
exec 8>&-
wait $tls
rm -rf "$T"
exit $bad

# loads: every collector attaches with every kind of option set, for the programs
# that the kernel verifies, and their stacks, depend on the options
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
	loads $tool
	loads $tool -p $tls
	loads $tool -c python3
	loads $tool -u 0
	loads $tool --session $$
	loads $tool --cgroup /sys/fs/cgroup
	loads $tool -p $tls -p 1 -c python3 -c sh -u 0 --no-children
	loads $tool -p $tls -c python3 -u 0 --session $$ --cgroup /sys/fs/cgroup
done
loads sslsniff -p $tls --no-sleep
loads sslsniff -p $tls --handshake
loads sslsniff -p $tls --attach perf
loads sslsniff -c python3 --no-sleep --handshake --max-bytes 1k
for option in --trace-fs --trace-net --trace-signals --trace-all '--window 0' '--interval 0' \
	'-m 0' '-m 1' '-m 2' '-d 1000'; do
	# shellcheck disable=SC2086
	loads process -p $tls $option
done
loads process --trace-all
loads process -c python3 -u 0 --trace-all
loads stdiocap -p $tls --all-fds
loads stdiocap -p $tls --fd 1,2,3
loads stdiocap -c python3 --max-bytes 0
exec 8>&-
wait $tls
rm -rf "$T"
exit $bad

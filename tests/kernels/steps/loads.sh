# loads: the kernel takes every program of every collector with every set of options,
# for what it verifies depends on them
bad=0 n=0
for tool in sslsniff process stdiocap tcpsniff; do
	n=$((n + 1))
	if said=$(timeout 900 $tool --check 2>&1); then
		echo "ok $n - $tool: $(echo "$said" | tail -n 1)"
	else
		bad=1
		echo "not ok $n - $tool: $(echo "$said" | grep -v '^Linux' | head -n 1)"
	fi
	echo "$said" | sed 's/^/# /'
done
exit $bad

#!/bin/sh
# guest.sh - pid 1 of the machine that boot.sh boots: what a system has, then the steps
#
# On the console: "@@ MODE ...", then "@@ STEP name" and "@@ END name status
# seconds" around what each step says, "@@ DONE" at last. Steps and mode come on the
# kernel's command line.
export PATH=/work/build/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8 TERM=dumb BUILD=/work/build AGENTSIGHT_NO_SKIP=1
# Sizes that an emulated processor bears.
export TEST_SCALE=50

mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for dir in /dev/shm /tmp /run; do
	mount -t tmpfs tmpfs $dir
done
mount -t securityfs securityfs /sys/kernel/security
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr
ip link set lo up
hostname vm
chmod 1777 /tmp
dmesg -n 1

# argument NAME: its value on the kernel's command line.
argument() { tr ' ' '\n' </proc/cmdline | sed -n "s/^test\.$1=//p"; }

# seconds since boot
uptime_s() { cut -d. -f1 /proc/uptime; }

# The kernel says how it preempts; a mode it does not know it ignores, so ask.
mode=$(dmesg | sed -n 's/.*Dynamic Preempt: *\([a-z]*\).*/\1/p' | tail -n 1)
echo "@@ MODE ${mode:--}"

cd /work || exit 1
for step in $(argument steps | tr ',' ' '); do
	begin=$(uptime_s)
	echo "@@ STEP $step"
	setsid -w sh "tests/kernels/steps/${step%%:*}.sh" "${step#*:}" </dev/null 2>&1
	echo "@@ END $step $? $(($(uptime_s) - begin))"
done
# What a kernel says when a program of ours broke it.
dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|general protection' | sed 's/^/@@ KERNEL /'
echo '@@ DONE'
sync
/bin/busybox poweroff -f

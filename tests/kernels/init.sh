#!/bin/busybox sh
# init.sh - pid 1 of the initrd that boot.sh makes: the disk's driver, then the real root
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for m in /m/*; do
	$b insmod "$m" 2>/dev/null
done
n=0
while [ ! -b /dev/vda ] && [ $n -lt 300 ]; do
	$b sleep 0.1
	n=$((n + 1))
done
$b mount -t ext4 /dev/vda /root || {
	echo "@@ FAILED no root: $($b ls /dev /m | $b tr '\n' ' ')"
	$b poweroff -f
}
$b mount -o move /dev /root/dev
$b umount /sys
$b umount /proc
exec $b switch_root /root /work/tests/kernels/guest.sh

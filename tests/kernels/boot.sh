#!/bin/sh
# boot.sh DIR VERSION MODE STEPS - boots one kernel in qemu, the console on standard output
#
# DIR as fetch.sh and root.sh left it; MODE as in preempt=, "-" for the kernel's
# own; STEPS: names in tests/kernels/steps, with commas between. The image stays
# as it is: every boot writes into a temporary layer above it.
# No KVM is needed, and none is used: the results are to be the same everywhere.
set -eu
dir=$1 version=$2 mode=$3 steps=$4
k=$dir/k/$version
here=$(dirname "$0")
init=$(mktemp -d)
trap 'rm -rf "$init"' EXIT

# Debian's kernels have the disk's driver as a module: a first root that loads it.
make_initrd() {
	mkdir -p "$init/bin" "$init/m" "$init/proc" "$init/sys" "$init/dev" "$init/root"
	cp "$dir/busybox" "$init/bin/busybox"
	[ -d "$k/lib/modules" ] || { mkdir -p "$k/lib" && ln -s ../usr/lib/modules "$k/lib/modules"; }
	depmod -b "$k" "$version"
	n=100
	for m in virtio_pci virtio_blk crc32c_generic crc32c ext4 virtio_rng; do
		modprobe -d "$k" -S "$version" --show-depends "$m" 2>/dev/null || :
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
		name=${file##*/} n=$((n + 1))
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -qdc "$file" ;;
		*) cat "$file" ;;
		esac >"$init/m/$n-${name%%.ko*}"
	done
	cp "$here/init.sh" "$init/init"
	(cd "$init" && find bin m proc sys dev root init | cpio -o -H newc --quiet | gzip -1) >"$init/initrd"
}

# qemu 7.2's cmpxchg16b leaves wrong flags, which kernels before 6.18 stumble
# over; those from 6.19 on need the instruction to allocate without locks.
cpu() {
	case $version in
	[1-5].* | 6.[0-9].* | 6.1[0-7].*) echo max,la57=off,cx16=off ;;
	*) echo max,la57=off ;;
	esac
}

make_initrd
image=$(find "$k/boot" "$k/usr/lib/modules" -maxdepth 2 -name 'vmlinuz*' 2>/dev/null | head -n 1)
[ "$mode" = - ] && preempt='' || preempt=preempt=$mode
# thread=single: with a thread per processor, patching of running code (int3) goes wrong.
# no_timer_check: on a busy host the timer does not tick while the kernel looks whether it does
timeout "${VM_LIMIT:-5400}" qemu-system-x86_64 -accel tcg,thread=single -cpu "$(cpu)" -smp 2 -m 2500 \
	-nographic -no-reboot -nodefaults -serial stdio \
	-kernel "$image" -initrd "$init/initrd" \
	-append "console=ttyS0 quiet panic=-1 no_timer_check $preempt test.mode=$mode test.steps=$steps" \
	-drive "file=$dir/root.img,format=raw,if=virtio,snapshot=on" -device virtio-rng-pci </dev/null

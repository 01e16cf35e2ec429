#!/bin/sh
# root.sh DIR BUILD - the root of the test machines: DIR/root.img, with the programs of BUILD/bin
#
# The Debian is the one that runs here, for the programs were built against its
# libraries. It is kept in DIR/root, and made again when they need other packages.
# This is what needs root: debootstrap makes devices and changes its root.
set -eu
dir=$1 build=$2

# packages: those of the libraries that the programs are linked with, and what
# the tests run.
packages() {
	for program in "$build"/bin/*; do
		ldd "$program" 2>/dev/null || :
	done | awk '$3 ~ /^\// { print $3 }' | sort -u | while read -r library; do
		real=$(readlink -f "$library") folder=${real%/*}
		dpkg-query -S "*/${folder##*/}/${real##*/}" | sed 's/[:,].*//'
	done | sort -u
	printf '%s\n' ca-certificates curl gcc iproute2 jq kmod libc6-dev libssl-dev openssl perl procps \
		python3 python3-jsonschema sqlite3 util-linux
}

packages | sort -u >"$dir/packages.new"
if ! cmp -s "$dir/packages.new" "$dir/packages"; then
	rm -rf --one-file-system "$dir/root" "$dir/packages"
	read -r suite mirror <"$dir/apt/mirror"
	# in a mount namespace: what it mounts goes with it, however it ends
	unshare -m debootstrap --variant=minbase --include="$(paste -sd, "$dir/packages.new")" \
		"$suite" "$dir/root" "$mirror" >"$dir/log/debootstrap" 2>&1 ||
		{ tail -n 5 "$dir/log/debootstrap" >&2; exit 1; }
	rm -rf "$dir"/root/var/cache/apt/archives/*.deb "$dir"/root/usr/share/doc \
		"$dir"/root/usr/share/locale "$dir"/root/usr/share/man
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$dir/root/etc/hosts"
	mv "$dir/packages.new" "$dir/packages"
fi

# The tree as the tests see it: what they read, and what was built.
work=$dir/root/work
rm -rf "$work"
mkdir -p "$work/build/bin"
cp -a tests docs man driver sqlitesink Makefile VERSION README.md "$work/"
cp -a "$build"/bin/. "$work/build/bin/"
cp "$dir/busybox" "$dir/root/bin/busybox"
# not in bin: a collector takes what is there for its own pipeline
cc -O2 -Wall -o "$work/build/priv" tests/kernels/priv.c -lssl -lcrypto

# Without what the oldest kernels do not know, or need modules for.
rm -f "$dir/root.img"
truncate -s 1800M "$dir/root.img"
mke2fs -q -F -t ext4 -O '^metadata_csum,^orphan_file,^64bit' -d "$dir/root" "$dir/root.img"

#!/bin/sh
# fetch.sh DIR KERNEL... - Debian's kernels, unpacked in DIR/k/VERSION
#
# KERNEL is how a version begins (6.1, 6.12, 7.2.9), or "newest": of those that
# Debian has, the last one is taken. Prints one version per line.
#
# The packages come from where this machine has its own, through a
# configuration of apt in DIR: most of the suites with kernels are not among the
# machine's, whose lists and packages stay as they are.
set -eu
dir=$1
shift
# shellcheck disable=SC1091
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

die() {
	echo "fetch.sh: $*" >&2
	exit 1
}

# mirror SUITE: where the machine has it from; apt knows both formats of sources.
mirror() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk -v suite="$1" '$1 == suite && $2 == "main" { print $3; exit }'
}

# update: lists that are older than a day are fetched again.
update() {
	main=$(mirror "$codename")
	security=$(mirror "$codename-security")
	[ -n "$main" ] || die "no source of this machine has '$codename main': is this Debian?"
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/archives/partial" "$dir/debs" "$dir/k"
	echo "$codename $main" >"$dir/apt/mirror"	# for root.sh
	sign='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
	for suite in bookworm bookworm-backports trixie-backports; do
		echo "deb $sign $main $suite main"
	done >"$dir/apt/sources.list"
	[ -z "$security" ] || echo "deb $sign $security bookworm-security main" >>"$dir/apt/sources.list"
	cat >"$dir/apt/apt.conf" <<-END
		Dir::State "$dir/apt";
		Dir::State::lists "$dir/apt/lists";
		Dir::State::status "/var/lib/dpkg/status";
		Dir::Cache "$dir/apt";
		Dir::Cache::archives "$dir/apt/archives";
		Dir::Etc::sourcelist "$dir/apt/sources.list";
		Dir::Etc::sourceparts "-";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
	END
	export APT_CONFIG="$dir/apt/apt.conf"
	[ -z "$(find "$dir/apt/updated" -mmin -1440 2>/dev/null)" ] || return 0
	apt-get update -qq
	touch "$dir/apt/updated"
}

# version KERNEL: the newest that Debian has. Of the cloud flavour: the same code
# with fewer drivers, half the size.
version() {
	case $1 in
	newest) like='[0-9]+[.][0-9]+[.]' ;;
	*) like="$(echo "$1" | sed 's/[.+]/[&]/g')([.+-]|\$)" ;;
	esac
	apt-cache pkgnames linux-image- | grep -E "^linux-image-$like.*-cloud-amd64\$" |
		grep -E '^linux-image-[0-9]+[.][0-9]+[.][0-9]+' |	# no name that stands for others
		sed 's/^linux-image-//' | sort -V | tail -n 1
}

# packages_of VERSION: newer ones have the kernel and its modules in packages of their own.
packages_of() {
	if apt-cache pkgnames linux-binary- | grep -qxF "linux-binary-$1"; then
		echo "linux-binary-$1 linux-modules-$1 linux-base-$1"
	else
		echo "linux-image-$1"
	fi
}

# unpack DIR PACKAGE...: downloads them, and unpacks them there.
unpack() {
	to=$1
	shift
	(cd "$dir/debs" && apt-get download -qq "$@" >&2)
	for p; do
		dpkg -x "$dir/debs/${p}"_*.deb "$to"
		rm "$dir/debs/${p}"_*.deb
	done
}

update
[ -f "$dir/busybox" ] || {
	unpack "$dir/k/new" busybox-static
	find "$dir/k/new" -name busybox -type f -perm -100 -exec cp -p {} "$dir/busybox" \;
	rm -rf "$dir/k/new"
}
for kernel; do
	version=$(version "$kernel")
	[ -n "$version" ] || die "Debian has no kernel $kernel"
	if [ ! -d "$dir/k/$version" ]; then
		rm -rf "$dir/k/new"
		# shellcheck disable=SC2046
		unpack "$dir/k/new" $(packages_of "$version")
		[ -n "$(find "$dir/k/new" -name 'vmlinuz*' -type f)" ] || die "no kernel in $(packages_of "$version")"
		mv "$dir/k/new" "$dir/k/$version"
	fi
	echo "$version"
done

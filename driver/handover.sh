#!/bin/sh
# agentsight-handover - gives a finished recording to the user
#
# handover DIR FOLDER USER GID. The stages write in FOLDER, which is
# theirs. When the driver says "finished" on standard input, or is gone, and no stage
# writes any more, every file of FOLDER is copied to where DIR/handover says, by a
# process that is the user's and has no more rights than he has: it opens the name,
# we the content. What cannot be copied stays in FOLDER, and the user is told. After
# "forget" nothing is kept. DIR, which holds the FIFOs, is removed in the end.
set -uf
dir=$1 folder=$2 user=$3 gid=$4
self=agentsight
trap '' HUP INT QUIT TERM PIPE

say() { printf '%s: %s\n' "$self" "$*" >&2; }

as_user() {
	set -- --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs -- "$@"
	[ -z "$user" ] || set -- --reuid="$user" --regid="$gid" --init-groups "$@"
	exec setpriv "$@"
}

# copy FROM TO: complete, or not at all. The name is replaced, never followed.
# shellcheck disable=SC2016
copy() {
	( as_user sh -c 'umask 077; set -C
		new=$(dirname -- "$1")/.${1##*/}.$$
		cat >"$new" && mv -fT -- "$new" "$1" && exit
		rm -f -- "$new"; exit 1' agentsight "$2" <"$1" )
}

# All files of one folder: with --rotate there are several, and a database that was
# not closed has its journal beside it.
copy_all() {
	from=$1 to=$2 place=$(dirname -- "$2")
	set +f
	for file in "${from%/*}"/*; do
		# a stage that was taken over could have left a link to what only root may read
		if [ -h "$file" ] || [ ! -f "$file" ]; then continue; fi
		if [ "$file" = "$from" ]; then target=$to; else target=$place/${file##*/}; fi
		case $file in *-shm) rm -f -- "$file"; continue ;; esac
		if copy "$file" "$target"; then
			rm -f -- "$file"
		else
			say "cannot write $target; its content is in $file"
		fi
	done
	set -f
	rmdir "${from%/*}" 2>/dev/null
}

# What the driver had started ends by itself when it is gone: collectors die with it,
# and the rest at the end of its input. Those that it left waiting for the other end of
# a FIFO get one for a moment.
stages_end() {
	while :; do
		set +f
		for fifo in "$dir"/*; do [ ! -p "$fifo" ] || : <>"$fifo"; done
		set -f
		left=''
		while read -r pid; do [ ! -d "/proc/$pid" ] || left=1; done <"$dir/stages"
		[ -n "$left" ] || return 0
		sleep 0.2
	done
}

word=''
read -r word
case $word in
forget)	# nothing was run
	while read -r from && read -r to; do [ ! -h "$to" ] || ( as_user rm -f -- "$to" ); done <"$dir/handover"
	exec rm -rf "$folder" "$dir"
	;;
finished) ;;
*)
	: >>"$dir/stages"
	stages_end
	say 'the recorder was ended from outside: what it had seen is kept'
	;;
esac
while read -r from && read -r to; do copy_all "$from" "$to"; done <"$dir/handover"
# that of stat and top is only for the time that they run
[ -s "$dir/handover" ] || rm -rf -- "$folder"
rmdir "$folder" 2>/dev/null
exec rm -rf "$dir"

# end.sh - how a run of agentsight.sh ends: stages drained, what is missing said
# shellcheck shell=sh
# shellcheck disable=SC2046,SC2086,SC2317	# lists, and functions that traps call, as there
# shellcheck disable=SC2154,SC2034	# variables of agentsight.sh and run.sh, and those that they read

# is_cause NAME: not one that ended because another had, as far as the run log could see.
is_cause() {
	case $causes in *"$nl.$nl"*) ;; *) return 0 ;; esac
	case $causes in *"${nl}ended $1 "*) return 0 ;; esac
	return 1
}

# end_stage STAGE [EARLY]: waits for it, and notes how it failed; with EARLY it has.
end_stage() {
	wait_for "${1#*:}"
	name=${1%%:*} how="ended with status $rc"
	[ "$rc" -le 128 ] || how="was killed by SIG$(kill -l "$rc")"
	[ ! -e "$dir/stopped.$name" ] || how='was stopped by a signal, and killed in the end'
	[ ! -e "$dir/stuck.$name" ] || how='did not come to its end, and was killed'
	# whoever read our lines has left, and so every stage was right to end
	if [ -n "$fd" ] && [ "$rc" -eq 0 ]; then return; fi
	case $name$rc${2:-} in
	file1) [ -s "$dir/file.err" ] || return 0 ;;	# the same, of a file without lines
	*-filter1*)	# jsonfilter: nothing matched, about which it says nothing
		[ -s "$dir/$name.err" ] || { say "--$name let no line through"; [ -n "${2:-}" ] || return 0; }
		;;
	esac
	[ "$rc" -ne 0 ] || { [ -n "${2:-}" ] && is_cause "$name"; } || return 0
	how="$how${2:+ before it was asked to}"
	failed=$(words $failed "$name $how")
	order "failed $name $how"
}

# Ends the stages, from the collectors on. One that has ended before it was asked to
# has failed, whatever its status.
drain() {
	phase=drain failed='' early='' rest='' last='' log_ended=''
	order stopping
	[ -z "$stopper" ] || kill "$stopper" 2>/dev/null
	for stage in $stages; do
		if gone "${stage#*:}"; then early=$(words $early "$stage"); else rest=$(words $rest "$stage"); fi
	done
	[ -z "$early" ] || read_causes
	for stage in $early; do end_stage "$stage" early; done
	stages=$rest
	for probe in $probes; do kill -s TERM "$probe" 2>/dev/null; done
	watch_drain &
	drainer=$!
	for stage in $rest; do
		case $nl$collectors$nl in *"$nl${stage%%:*}$nl"*) ;; *) end_runlog ;; esac
		case $nl$keepers$nl in
		*"$nl${stage%%:*}$nl"*) last=$(words $last "$stage") ;;
		*) end_stage "$stage" ;;
		esac
	done
	end_runlog
	order close
	exec 5>&-
	for stage in $last; do end_stage "$stage"; done
	stages=''
	wait_for "$runlog"
	[ "$rc" -eq 0 ] || [ -n "$hurried" ] || failed=$(words $failed "agentsight-runlog ended with status $rc")
	kill -s KILL "$drainer" 2>/dev/null
	wait "$drainer" 2>/dev/null
	nap=''
	read -r nap 2>/dev/null <"$dir/nap"
	[ -z "$nap" ] || [ "$(readlink "/proc/$nap/cwd")" != "$dir" ] || kill -s KILL "$nap" 2>/dev/null
	[ ! -e "$dir/progress" ] || printf '\r\033[K' >&2
	[ -z "$failed" ] || read_causes
	show_errors end
}

# Who ended first, and who because of that, the run log has seen.
read_causes() {
	tries=40
	while :; do
		causes=$nl
		while read -r word; do causes=$causes$word$nl; done <"$dir/causes"
		case $causes in *"$nl.$nl"*) return ;; esac
		[ $tries -gt 0 ] && ! gone "$runlog" || return 0
		sleep 0.05
		tries=$((tries - 1))
	done
}

# gone PID: a child of ours that has ended, and was not waited for yet.
gone() {
	read -r line 2>/dev/null <"/proc/$1/stat" || return 0
	case ${line##*) } in Z* | X*) return 0 ;; esac
	return 1
}

# The collectors are gone: the last line goes behind what they wrote.
end_runlog() {
	[ -z "$log_ended" ] || return 0
	log_ended=1
	if [ -n "$attached" ]; then order end; else order "end $status"; fi
}

# Shows the stages that do not come to their end. When nothing moves any more, the
# first of them is what the others wait for, unless one was stopped.
watch_drain() {
	exec 4>&- 5>&- 6>&- 7<&- 8<&- 9>&-
	trap - EXIT USR1
	trap '' HUP INT TERM QUIT	# sent to our whole group they must not leave the driver waiting
	cd "$dir" || exit	# by which its sleep is known: see find_rest
	still=0 seen=0 cpu=0 before=''
	while :; do
		sleep 1 &
		echo $! >"$dir/nap"
		wait
		cpu_before=$cpu cpu=0 work='' late='' first='' stopped=''
		for stage in $stages "agentsight-runlog:$runlog"; do look_at "${stage#*:}"; done
		seen=$((seen + 1)) still=$((still + 1))
		# who only looks at the clock takes next to no time
		[ "$work" = "$before" ] && [ $((cpu - cpu_before)) -lt 3 ] || still=0
		before=$work
		show_progress
		if [ "$still" -lt "${AGENTSIGHT_PATIENCE:-30}" ] || [ -z "$first" ]; then continue; fi
		first=${stopped:-$first}
		say "${first%%:*} has not moved for $still s${stopped:+ (it was stopped)}: it is killed"
		if [ -n "$stopped" ]; then : >"stopped.${first%%:*}"; else : >"stuck.${first%%:*}"; fi
		kill -s KILL "${first#*:}"
		still=0
	done
}

# look_at PID: whether it is there, and stopped; what it has read and written, and its
# time, in work and cpu.
look_at() {
	read -r line 2>/dev/null <"/proc/$1/stat" || return 0
	line=${line##*) }
	case $line in Z* | X*) return 0 ;; T*) stopped=${stopped:-$stage} ;; esac
	late="$late${late:+, }${stage%%:*}" first=${first:-$stage}
	# the run log looks again and again whether it may write its end: no progress
	[ "${stage%%:*}" != agentsight-runlog ] || return 0
	IFS=' '; set -- "$1" $line; IFS=$nl
	cpu=$((cpu + ${13} + ${14})) work=$work$1
	while read -r key number; do
		case $key in rchar: | wchar:) work=$work.$number ;; esac
	done 2>/dev/null <"/proc/$1/io"
}

# On a terminal a line that changes, else one line.
show_progress() {
	late="${late%, agentsight-runlog}${stopped:+; ${stopped%%:*} is stopped}"
	if [ -z "$first" ] || [ "$seen" -lt 3 ]; then
		return
	elif [ -t 2 ]; then
		: >"$dir/progress"
		printf '\r\033[Kagentsight: still writing what was seen, for %s s: %s' "$seen" "$late" >&2
	elif [ "$seen" -eq 3 ]; then
		say "still writing what was seen: $late"
	fi
}

# show_errors start|end: what stages said; at the end what they had not said at the start.
show_errors() {
	for name in $names; do
		[ -s "$dir/$name.err" ] || continue
		before=0
		[ ! -e "$dir/$name.shown" ] || read -r before <"$dir/$name.shown"
		tail -c "+$((before + 1))" "$dir/$name.err" >"$dir/part"
		[ "$1" = end ] || echo $((before + $(wc -c <"$dir/part"))) >"$dir/$name.shown"
		cat "$dir/part"
	done >&2
}

# --- what was seen --------------------------------------------------------------------
# For when nothing is recorded: afterwards there is no process to look at. Who looks
# has no privilege: it sees what the user's processes have mapped because it is his. He
# could so change what it says, and have it say much.
watch_libraries() {
	set -- --session -- "$tools/agentsight-doctor" --keep $targets
	(
		exec </dev/null >>"$dir/list" 2>/dev/null 4>&- 5>&- 6>&- 7<&- 8<&- 9>&-
		export AGENTSIGHT_TOOLS="$tools"
		# what is root's own only root can look at
		if [ -n "$user" ] && ( as_user -- test -x "$tools/sslsniff" ); then
			ulimit -f 2048
			as_user "$@"
		fi
		exec "$tools/agentsight-spawn" "$@"
	) &
	watcher=$!
}

# The last of its lists: each ends with an empty line. What is not ASCII is left out.
last_list() { awk 'BEGIN { RS = "" } { last = $0 } END { print last }' "$dir/list" | LC_ALL=C tr -c '\n\t -~' '?'; }

# Lines of PID, NAME, FILE and what is said of it: once for all processes of one program.
same_lines() {
	awk -F '\t' '
		{ what = $2 "\t" $3; for (i = 4; i <= NF; i++) what = what "\t" $i }
		!(what in n) { order[++kinds] = what; pid[what] = $1 }
		{ n[what]++ }
		END {
			for (i = 1; i <= kinds && i <= 20; i++) {
				what = order[i]
				print "  " (n[what] > 1 ? n[what] " processes, first " : "") pid[what] "\t" what
			}
			if (kinds > 20)
				print "  and " (kinds - 20) " more"
		}'
}

nothing_sent() {
	say 'NOTHING WAS SENT: no process of it reached another program over TCP or UDP, or spoke HTTP'
}

nothing_seen() {
	say "NO TLS DATA WAS SEEN${tcp:+, NOR HTTP WITHOUT TLS}"
	if [ -s "$dir/list" ]; then
		say 'This is what sslsniff --list said of it:'
		last_list | same_lines >&2
	else
		say 'It ended before its libraries could be looked at (see sslsniff --list).'
	fi
}

# What was recorded, whole or not, and what it shows, in lines; read where only the
# stages could write.
read_recording() {
	recording=${db_now:-$output_now} reader=$db_as
	[ -n "$recording" ] || return 0
	if [ ! -e "$recording" ] && [ -z "$failed" ]; then
		say "$recording is not there any more: it was moved while it was written, and has all where it is now"
		code=125
	fi
	[ -f "$recording" ] || return 0
	[ -n "$db" ] || [ "$output_now" != "$output" ] || reader=as_user
	seen=$( $reader -- env TMPDIR="${folder:-$dir}" "$tools/agentsight-report" "$recording" recorded "$run_id" 2>&1 )
}

# The files go where the user wants them; those that cannot stay where they are.
hand_over() {
	echo finished >&4
	exec 4>&-
	wait_for "$handover"
	unplaced=$rc
}

# since NAME: how long ago it ended, or stopped, as the run log saw it.
since() {
	at=''
	for line in $causes; do
		case $line in "ended $1 "* | "stopped $1 "*) at=${line##* } ;; esac
	done
	[ -n "$at" ] || return 0
	tenths=$((($(date +%s%3N) - at) / 100))
	echo ", $((tenths / 10)).$((tenths % 10)) s before the end"
}

# verdict [LINE]: one for all: that of the recording, and what failed and it does not say. What
# wrote the recording cannot say there how it ended: then its own verdict has another cause.
verdict() {
	said=${1:-} said=${said#*: } more=''
	keeper='file'
	[ -z "$db" ] || keeper=sqlitesink
	case "$nl$failed" in *"$nl$keeper "*) said='' ;; esac
	case ${1:-WHOLE} in WHOLE*) said='' ;; esac
	for item in $failed; do
		case "$said" in *"$item"*) continue ;; esac
		name=${item%% *}
		item=$item$(since "$name")
		[ "$name" != "$keeper" ] || item="$item: what came after that is not in ${db:-$output}"
		more="$more${more:+; }$item"
	done
	own=''
	[ -n "$attached" ] || own="; the command's own was $status"
	echo "INCOMPLETE: ${hurried:+its end was given up: }$said${said:+${more:+; }}$more (exit status $code$own)"
}

# What was read, named as the user finds it.
say_recording() {
	file=${db:-$output}
	[ ! -e "$recording" ] || file=$recording	# it could not be given to the user
	[ -z "$quiet" ] || case $failed$seen in '' | *'WHOLE: nothing was lost'*) return 0 ;; esac
	for line in $seen; do
		case $line in
		WHOLE* | INCOMPLETE*) [ -z "$failed" ] || { line=$(verdict "$line"); judged=1; } ;;
		esac
		case $line in *"$recording"*) line=${line%%"$recording"*}$file${line#*"$recording"} ;; esac
		say "$line"
	done
}

# What the command says at the end.
finish() {
	judged='' seen='' recording='' code=$status
	case $verb$status in
	*126 | *127) ;;	# there was no program
	record* | exec*) read_recording ;;
	stat*) ( $db_as -- "$tools/agentsight-report" summary --db "$db_now" ) >&2 ;;
	esac
	# what did not work is no reason to look for another
	[ -n "$failed" ] || case $ssl$tcp$seen in
	*'(nothing was sent)'*) nothing_sent ;;
	*'(no TLS data)'*) [ -z "$ssl" ] || nothing_seen ;;
	esac
	hand_over
	case $fail_on_loss$seen in 1*INCOMPLETE*) code=3 ;; esac
	[ -z "$failed" ] && [ "$unplaced" -eq 0 ] || code=125
	# one that had still to do when all were asked to end
	case $seen in *' was ended before its input was'*) code=125 ;; esac
	[ -z "$hurried" ] || code=130
	say_recording
	[ -z "$failed" ] || [ -n "$judged" ] || say "$(verdict)"
	[ "$code" -eq 126 ] || [ "$code" -eq 127 ] || say_rest
}

# --- what still runs ------------------------------------------------------------------
# Orphans become our children (agentsight-spawn): those that are not ours to start.
find_rest() {
	rest='' kids=''
	ours=$(words $stages | cut -d: -f2)$nl$runlog$nl$handover$nl$watcher$nl$stopper$nl$cmd
	read -r kids <"/proc/$$/task/$$/children"
	IFS=' '; set -- $kids; IFS=$nl
	for kid; do
		case $nl$ours$nl in *"$nl$kid$nl"*) continue ;; esac
		case $(readlink "/proc/$kid/cwd") in "$dir" | "$dir (deleted)") continue ;; esac
		gone "$kid" || rest=$rest$kid$nl
	done
} 2>/dev/null

# --wait: until the last of them has gone, or somebody wants an end.
wait_for_rest() {
	phase=wait caught=''
	find_rest
	[ -z "$rest" ] || [ -n "$quiet" ] || say 'the program has ended; waiting for what it left running (Ctrl-C ends the recording)'
	while [ -n "$rest" ] && [ -z "$caught" ]; do
		sleep 0.2
		find_rest
	done
}

say_rest() {
	[ -z "$attached" ] || return 0
	find_rest
	[ -n "$rest" ] || return 0
	still=$(ps -e -o pid= -o ppid= -o comm= | awk -v roots="$rest" '
		BEGIN { split(roots, r, "\n"); for (i in r) below[r[i]] }
		{ pid[NR] = $1; ppid[NR] = $2; $1 = $2 = ""; sub(/^ +/, ""); name[NR] = $0 }
		END {
			do {
				more = 0
				for (i = 1; i <= NR; i++)
					if (!(pid[i] in below) && ppid[i] in below) { below[pid[i]]; more = 1 }
			} while (more)
			for (i = 1; i <= NR; i++)
				if (pid[i] in below && ++n <= 5)
					said = said (n > 1 ? ", " : "") name[i] " (" pid[i] ")"
			print said (n > 5 ? " and " n - 5 " more" : "")
		}')
	[ -z "$still" ] || say "still running, and not recorded any more: $still (--wait stays until they have gone)"
}

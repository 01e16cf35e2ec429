# table.awk - the console of one machine to lines of the table
#
#	awk -v kernel=V -v mode=M -v steps=A,B -f table.awk <console
#
# One line per step: ok or FAILED, kernel, mode, step, seconds, and why it failed.
# A step of which the console shows no end failed, as one that did not run.
function line(good, step, seconds, why) {
	sub(/^test:/, "", step)
	printf "%-6s  %-26s %-5s %-16s %5s s%s\n", good ? "ok" : "FAILED", kernel, mode, step,
		seconds, why == "" ? "" : "  " substr(why, 1, 300)
	fflush()
	bad += !good
}
function told(what) { return what (last == "" ? "" : ": " last) }
BEGIN { n = split(steps, want, ",") }
{ sub(/\r$/, "") }
# by the kernel's own word, not by what was asked for
/^@@ MODE / { if ($3 != mode && mode != "-") wrong_mode = "the kernel preempts as " $3; next }
/^@@ STEP / { step = $3; why = last = ""; next }
/^@@ END / {
	line($4 == 0 && wrong_mode == "", $3, $5, $4 == 0 ? wrong_mode : "exit " $4 ": " (why != "" ? why : last))
	seen[$3] = 1
	step = ""
	next
}
/^@@ KERNEL / { if (complaint == "") complaint = substr($0, 11); next }
/^@@ DONE/ { done = 1; next }
/^(not ok|NO |demo: |Bail out)/ && step != "" && why == "" { why = $0 }
/Kernel panic/ { panic = $0 }
/[^ ]/ { last = panic != "" ? panic : $0 }
END {
	for (i = 1; i <= n; i++)
		if (!(want[i] in seen))
			line(0, want[i], 0, step == want[i] ? told("did not end") : told("did not run"))
	line(done && complaint == "", "kernel", 0, complaint != "" ? complaint : done ? "" : told("the machine stopped"))
	exit bad > 0
}

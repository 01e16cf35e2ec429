#!/bin/sh
# The table of make test-kernels: nothing is ok that was not seen to end well.
# shellcheck disable=SC2119
. tests/lib.sh

# rows: the console on standard input to "result step: why".
rows() {
	awk -v kernel=7.3.4 -v mode=full -v steps=doctor,test:process -f tests/kernels/table.awk |
		sed 's/  *7\.3\.4 *full */ /; s/  *[0-9]* s\( *\)/:\1/; s/  */ /g; s/:$//'
}

good='@@ MODE full
@@ STEP doctor
ok    all
@@ END doctor 0 12
@@ STEP test:process
ok 1 - forks
@@ END test:process 0 340
@@ DONE'
is "all ended well" "$(echo "$good" | rows)" 'ok doctor
ok process
ok kernel'
is "a carriage return is none of the words" "$(echo "$good" | sed 's/$/\r/' | rows)" 'ok doctor
ok process
ok kernel'
is "a step that fails, and the first thing it says of it" \
	"$(echo "$good" | sed 's/^ok 1/not ok 1/; s/process 0/process 1/; s/^@@ END test/not ok 2 - more\n&/' | rows)" 'ok doctor
FAILED process: exit 1: not ok 1 - forks
ok kernel'
is "a machine that preempts otherwise than asked proves nothing" \
	"$(echo "$good" | sed 's/MODE full/MODE none/' | rows)" 'FAILED doctor: the kernel preempts as none
FAILED process: the kernel preempts as none
ok kernel'
is "a machine that stops" "$(echo "$good" | sed '/^@@ END test/,$d' | rows)" 'ok doctor
FAILED process: did not end: ok 1 - forks
FAILED kernel: the machine stopped: ok 1 - forks'
is "a machine that panics before the steps" \
	"$(printf 'SeaBIOS\n[ 5.1] Kernel panic - not syncing: no init\n[ 5.2] Call Trace:\n' | rows)" \
	'FAILED doctor: did not run: [ 5.1] Kernel panic - not syncing: no init
FAILED process: did not run: [ 5.1] Kernel panic - not syncing: no init
FAILED kernel: the machine stopped: [ 5.1] Kernel panic - not syncing: no init'
is "nothing on the console" "$(rows </dev/null)" 'FAILED doctor: did not run
FAILED process: did not run
FAILED kernel: the machine stopped'
is "what the kernel complains of" \
	"$(echo "$good" | sed 's/^@@ DONE/@@ KERNEL WARNING: CPU: 0 at a.c:1\n&/' | rows)" 'ok doctor
ok process
FAILED kernel: WARNING: CPU: 0 at a.c:1'
done_testing

#!/bin/sh
# units.t - the C unit tests, and each fuzz target over its corpus and mutations
# of it; both built with sanitizers
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

for src in tests/unit/*.c; do
	name=$(basename "$src" .c)
	if "$BUILD/san/tests/unit/$name" >"$T/out" 2>&1 && tail -n 1 "$T/out" | grep -q '^1\.\.[1-9]'; then
		pass "unit $name ($(grep -c '^ok' "$T/out") tests)"
	else
		fail "unit $name"
		grep -v '^ok' "$T/out" >"$T/bad"
		diag_file "$T/bad"
	fi
done

# A corpus is tests/fuzz/corpus/NAME; FUZZ_RUNS mutations of each file in it.
for src in tests/fuzz/*.c; do
	name=$(basename "$src" .c)
	[ "$name" = main ] && continue
	if "$BUILD/san/tests/fuzz/$name" -n "${FUZZ_RUNS:-200}" "tests/fuzz/corpus/$name" >"$T/out" 2>&1; then
		pass "fuzz $name: $(tail -n 1 "$T/out")"
	else
		fail "fuzz $name"
		diag_file "$T/out"
	fi
done
done_testing

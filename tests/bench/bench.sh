#!/bin/sh
# bench.sh - builds the loads and runs bench.py; what it prints are ratios of one run
set -eu
: "${BUILD:=build}" "${CC:=cc}"
dir=$BUILD/bench
mkdir -p "$dir"
jput='lib/line.c lib/event.c lib/jput.c -ljansson -lm'	# words
"$CC" -O2 -w -D_GNU_SOURCE -Ilib -o "$dir/gen" tests/bench/gen.c $jput -lnghttp2
"$CC" -O2 -w -D_GNU_SOURCE -Ilib -o "$dir/tlsload" tests/bench/tlsload.c $jput -lssl -lcrypto -lpthread
"$CC" -O2 -Wall -D_GNU_SOURCE -Ilib -o "$dir/plainload" tests/bench/plainload.c $jput
"$CC" -O2 -w -D_GNU_SOURCE -Ilib -o "$dir/insert" tests/bench/insert.c lib/line.c -lsqlite3
"$CC" -O2 -w -static -o "$dir/storm" tests/bench/storm.c
exec /usr/bin/python3 tests/bench/bench.py --dir "$dir" "$@" ${BENCH:-}

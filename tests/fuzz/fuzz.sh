#!/bin/sh
# fuzz.sh - each target under libFuzzer for FUZZ_TIME seconds (default 60); finds go to build/fuzz
set -eu
: "${O:=build}" "${CLANG:=clang}" "${FUZZ_TIME:=60}"
mkdir -p "$O/fuzz"
ver=$("$CLANG" -dumpversion | cut -d. -f1)
if ! [ -e "/usr/lib/llvm-$ver/lib/clang" ] || ! find "/usr/lib/llvm-$ver/lib/clang" -name 'libclang_rt.fuzzer-*' | grep -q .; then
	echo "fuzz: libFuzzer is missing: apt-get install libclang-rt-$ver-dev" >&2
	exit 1
fi
parts=$(find httpparse ssemerge jsonfilter authstrip llmparse vendor otelsink sqlitesink -name '*.c' 2>/dev/null | awk -F/ '$2 != $1 ".c"')
probe=$(find sslsniff \( -name 'elf.c' -o -name 'find_*.c' -o -name 'inspect.c' -o -name 'cache.c' \) 2>/dev/null)
web='websink/preview.c websink/origin.c'
libs='lib/sandbox.c lib/nearest.c lib/show.c lib/line.c lib/event.c lib/jput.c lib/flow.c lib/loss.c lib/books.c lib/opt.c lib/stage.c lib/lenient.c'
for name; do
	dir=$O/fuzz/$name
	mkdir -p "$dir/corpus"
	# shellcheck disable=SC2086
	"$CLANG" -g -O1 -w -std=gnu11 -D_GNU_SOURCE -DVERSION='"fuzz"' -I. -Ilib -I/usr/share/include/llhttp \
		-fsanitize=fuzzer,address,undefined -o "$dir/$name" "tests/fuzz/$name.c" \
		$parts $probe $web $libs /usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c \
		-ljansson -lz -lbrotlidec -lzstd -lcurl -lsqlite3 -lcrypto -lseccomp -lm -lpthread ${FUZZ_LIBS:--lnghttp2}
	seeds=
	[ -d "tests/fuzz/corpus/$name" ] && seeds=tests/fuzz/corpus/$name
	# shellcheck disable=SC2086
	"$dir/$name" -max_total_time="$FUZZ_TIME" -rss_limit_mb=2048 -timeout=10 -artifact_prefix="$dir/" "$dir/corpus" $seeds
done

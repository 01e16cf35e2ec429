#!/bin/sh
# finders.t - finders on the real libraries of this machine and on Go programs,
# held against their own symbols. tests/unit/finders.c has the rest.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

FINDERS=$BUILD/san/tests/unit/finders

# The role, address and ABI of each site that carries data, sorted.
data_sites() { sed -nE 's/^ +[a-z]+ +(read|write) +.* (call|entry|ret) +([a-z0-9-]+) +file .* va (0x[0-9a-f]+),.*/\1 \2 \3 \4/p' | sort; }

# address FILE SYMBOL: where a symbol is, as 0x123.
address() { nm "$1" 2>/dev/null | awk -v s="$2" '$3 == s && tolower($2) == "t" { sub(/^0+/, "", $1); print "0x" $1; exit }'; }

# library NAME...: the first file of that name that is there.
library() {
	for lib; do
		for at in /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib /lib; do
			[ -f "$at/$lib" ] && { echo "$at/$lib"; return; }
		done
	done
}

# --- libraries with symbols -----------------------------------------------------
ssl=$(library libssl.so.3 libssl.so.1.1)
if [ -n "$ssl" ]; then
	"$FINDERS" "$ssl" >"$T/symbols" && "$FINDERS" -s "$ssl" >"$T/strings"
	is "$ssl: one place for reading, one for writing" "$(data_sites <"$T/symbols" | cut -d' ' -f1 | tr '\n' ' ')" "read write "
	ok "and both are cheap" test "$(grep -E ' (read|write) ' "$T/symbols" | grep -c cheap)" = 2
	is "without symbols: the same places" "$(data_sites <"$T/strings")" "$(data_sites <"$T/symbols")"
	ok "SSL_free, SSL_new, SSL_ctrl, SSL_do_handshake" \
		test "$(grep -cE ' (SSL_free|SSL_new|SSL_ctrl|SSL_do_handshake) ' "$T/symbols")" = 4
else
	skip "libssl" "no libssl.so here"
fi

tls=$(library libgnutls.so.30)
if [ -n "$tls" ]; then
	"$FINDERS" "$tls" >"$T/out"
	is "$tls: writing is probed in one place" "$(grep -c ' write ' "$T/out")" 1
	ok "reading is" grep -q ' read .*gnutls_record_recv .*ssize' "$T/out"
else
	skip "GnuTLS" "no libgnutls.so.30 here"
fi

nspr=$(library libnspr4.so)
if [ -n "$nspr" ]; then
	"$FINDERS" "$nspr" >"$T/out"
	is "$nspr: PR_Read, PR_Recv, PR_Write, PR_Send" "$(data_sites <"$T/out" | wc -l)" 4
else
	skip "NSPR" "no libnspr4.so here"
fi

"$FINDERS" /bin/sh >"$T/out"
ok "/bin/sh has no TLS library" grep -q 'no TLS library' "$T/out"
"$FINDERS" -j /bin/sh >"$T/out"
ok "as JSON" jq -e '.type == "ssl.inspect" and .complete and (.sites | length) == 0' "$T/out"

# --- OpenSSL in a stripped program: whatever way it is linked -------------------------
if [ -n "$(library libssl.a)" ]; then
	for how in -no-pie -pie -static -static-pie; do	# -static has no .eh_frame_hdr
		# shellcheck disable=SC2086 # words: "ccache cc"
		${CC:-cc} -O2 -s $how -o "$T/linked" tests/sslsniff/first.c -l:libssl.a -l:libcrypto.a 2>"$T/err" || cat "$T/err"
		is "linked with $how: found" \
			"$("$FINDERS" "$T/linked" | sed -nE 's/^ +openssl +([a-z]+) .*/\1/p' | sort | tr '\n' ' ')" "handshake new read write "
	done
else
	skip "linked programs" "no libssl.a here"
fi
"$FINDERS" "$BUILD/bin/sslsniff" >"$T/out"
ok "sslsniff knows their names, and has no TLS library" grep -q 'no TLS library' "$T/out"

# --- node: OpenSSL in the executable ------------------------------------------------
node=$(command -v node) && node=$(readlink -f "$node")
if [ -n "$node" ] && nm -D "$node" 2>/dev/null | grep -q " T SSL_read$"; then
	strip -s -o "$T/node" "$node"
	"$FINDERS" "$node" >"$T/symbols" && "$FINDERS" -s "$T/node" >"$T/strings"
	ok "node: found" test "$(data_sites <"$T/symbols" | wc -l)" -ge 2
	is "node, stripped, by strings: the same places" "$(data_sites <"$T/strings")" "$(data_sites <"$T/symbols")"
	rm -f "$T/node"
else
	skip "node" "no node here that brings its own OpenSSL"
fi

# --- Go ---------------------------------------------------------------------------------
# go_same NAME FILE UNSTRIPPED: sites lie in their functions, on every return.
go_same() {
	"$FINDERS" "$2" >"$T/out"
	for method in Read Write; do
		at=$(address "$3" "crypto/tls.(*Conn).$method")
		role=$(echo "$method" | tr RW rw)
		got=$(data_sites <"$T/out" | awk -v r="$role" '$1 == r && $2 == "ret" { print $4 }' | sort)
		want=$(objdump -d --no-show-raw-insn --start-address="$at" --stop-address=$((at + 4096)) "$3" |
			awk '/^0.*>:$/ { if (seen++) exit } $2 == "ret" { sub(/:/, "", $1); print "0x" $1 }' | sort)
		is "$1: $method, every return" "$got" "$want"
		entry=$(data_sites <"$T/out" | awk -v r="$role" '$1 == r && $2 == "entry" { print $4 }')
		ok "$1: $method, behind the stack check" test $((entry - at)) -gt 0 -a $((entry - at)) -le 20
	done
}

if command -v go >/dev/null; then
	GOCACHE=$(cd "$BUILD" && pwd)/go-cache GO111MODULE=off CGO_ENABLED=0 GOFLAGS='' HOME=$T
	export GOCACHE GO111MODULE CGO_ENABLED GOFLAGS HOME
	cat >"$T/main.go" <<-'EOF'
	package main

	import ("crypto/tls"; "os")

	func main() {
		c, err := tls.Dial("tcp", os.Args[1], nil)
		if err != nil { panic(err) }
		c.Write([]byte("ping"))
		c.Read(make([]byte, 9))
		c.Close()
	}
	EOF
	if go build -o "$T/go" "$T/main.go" && go build -ldflags '-s -w' -o "$T/go-sw" "$T/main.go"; then
		go_same "Go" "$T/go" "$T/go"
		go_same "Go, -s -w" "$T/go-sw" "$T/go"
	else
		fail "go build"
	fi
	if go build -buildmode=pie -o "$T/pie" "$T/main.go"; then
		strip -s -o "$T/pie-s" "$T/pie"
		go_same "Go, position-independent, stripped" "$T/pie-s" "$T/pie"
	else
		fail "go build -buildmode=pie"
	fi
else
	skip "Go" "no go here"
fi
done_testing

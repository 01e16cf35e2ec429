#!/bin/sh
# The documents say what is so: packages, tools, keys, examples, losses, code.
# shellcheck disable=SC2016
. tests/lib.sh

# --- events -------------------------------------------------------------------
sed -n '/^```ndjson$/,/^```$/p' docs/events.md | grep -v '^```' >"$T/examples"
check_lines "$T/examples"
jq -r '.properties.type.enum[]' docs/events.schema.json | sort >"$T/types"
jq -r .type "$T/examples" | sort -u >"$T/shown"
is "docs/events.md has an example of every type" "$(comm -23 "$T/types" "$T/shown" | tr '\n' ' ')" ''
ok "the examples are what the tools do" "$PYTHON" tests/docs_examples.py
diag "$(grep -c '^ok' "$T/.ok") pipelines"
for f in httpparse ssemerge authstrip jsonfilter; do
	have $f || { fail "$f takes the examples"; continue; }
	ok "$f takes the examples" sh -c "$f <'$T/examples' >'$T/through'"
	check_lines "$T/through"
done

# The schema says no to what is wrong, so that it can say yes.
while IFS='	' read -r what edit; do
	jq -c "select(.type == \"${what%% *}\") | $edit" "$T/examples" | head -n 1 >"$T/wrong"
	[ -s "$T/wrong" ] || { fail "the schema refuses $what"; continue; }
	not_ok "the schema refuses $what" "$PYTHON" tests/validate.py "$T/wrong"
done <<'END'
ssl.data with an unknown key	.what = 1
ssl.data without conn	del(.conn)
ssl.data with a negative off	.off = -1
ssl.data with data twice	. + {data: "a", data_b64: "/w=="}
ssl.data with text in base64	del(.data) | .data_b64 = "YQ=="
ssl.data with null	.sni = null
ssl.data with its type last	. as $e | del(.type) | .type = $e.type
ssl.data truncated without captured	.truncated = true
http.request with an upper-case header	.headers.Host = "x"
http.request with a header in an array of one	.headers.host = ["x"]
http.response with a status in text	.status_code = "200"
sse.message incomplete without why	.complete = false
loss with a reason in words	.reason = "ring full"
stage.end without why	del(.why)
run.end of a run without a name	del(.run)
END

# Keys of the schema and keys in agentsight-events(5), type by type.
"$PYTHON" - >"$T/keys" 2>&1 <<'END'
import json, re
schema = json.load(open("docs/events.schema.json"))
defs = schema["$defs"]
def keys(d):
    out = set(d.get("properties", {}))
    for part in d.get("allOf", []):
        name = part.get("$ref", "").rsplit("/", 1)[-1]
        out |= keys(defs[name]) if name and name != "envelope" else set()
    return {k[:-4] if k.endswith("_b64") and k[:-4] in out else k for k in out if k not in ("type", "timestamp_ns")}
page, section = {}, None
for line in open("man/agentsight-events.5"):
    if line.startswith((".Ss ", ".Sh ")):
        section = line[4:].strip()
    if line.startswith(".It Va "):
        names = line[7:].replace("No ", "").split(" Ns ")[0]
        page.setdefault(section, set()).update(re.findall(r"[a-z0-9_]+", names))
page["http.response"] |= page["http.request"]
for t in schema["properties"]["type"]["enum"]:
    want, have = keys(defs[t]), page.get(t, set()) - {"timestamp_ns"}
    if want != have:
        print("%s: not in the page: %s; not in the schema: %s" % (t, sorted(want - have), sorted(have - want)))
END
is "agentsight-events(5) and the schema have the same keys" "$(cat "$T/keys")" ''

# --- losses ---------------------------------------------------------------------
ok "docs/losses.md has every reason in the sources, and no other" "$PYTHON" tests/docs_losses.py

# --- kernels ----------------------------------------------------------------------
for f in README.md man/agentsight.7 driver/doctor.sh; do
	grep -Eo '6\.[0-9]+.*, 6\.[0-9]+ and [0-9.]+[0-9]' "$f" | sed 's/ ([^)]*)//' >"$T/kernels.${f##*/}"
done
like "README.md names the kernels that were run" "$(cat "$T/kernels.README.md")" '^6\.1, .* and [0-9]'
same "agentsight(7) names the same" "$T/kernels.README.md" "$T/kernels.agentsight.7"
same "agentsight doctor names the same" "$T/kernels.README.md" "$T/kernels.doctor.sh"

# --- README -----------------------------------------------------------------------
make -s deps-list | tr -s ' \t' '\n' | sort >"$T/want"
sed -n '/^Debian packages;/,/^`make install/p' README.md | grep '^    ' | tr -s ' ' '\n' | grep . | sort >"$T/have"
same "the packages in README.md are those of make deps" "$T/want" "$T/have"
# shellcheck disable=SC2013
for tool in $(sed -n 's/^\(FILTERS\|SINKS\|PROBES\) *= *//p' Makefile); do
	like "README.md has $tool in its table" "$(grep "^| \`$tool\`" README.md)" .
	like "agentsight(7) has $tool" "$(grep "^\.It Xr $tool [18]" man/agentsight.7)" .
done
for page in README.md CONTRIBUTING.md NEWS.md docs/*.md; do
	missing=$(grep -oE '\]\([^)#]+\)' "$page" | tr -d '()]' | grep -v '^https*:' | while read -r link; do
		[ -e "$(dirname "$page")/$link" ] || echo "$link"; done)
	is "links of $page lead somewhere" "$missing" ''
done
is "NEWS.md begins with the version" "$(sed -n 's/^## //p' NEWS.md | head -n 1)" "$(cat VERSION)"

# --- the database -------------------------------------------------------------------
"$PYTHON" tests/docs_schema.py >"$T/schema"
sed -n '/made by tests.docs_schema/,/^<!-- end/p' docs/database.md | sed '1,2d;$d' | sed '$d' >"$T/schema.docs"
same "docs/database.md has the tables of schema.sql (tests/docs_schema.py --write)" "$T/schema" "$T/schema.docs"
sed -n '/^```sql$/,/^```$/p' docs/database.md | grep -v '^```' >"$T/queries"
cat sqlitesink/schema.sql sqlitesink/schema2.sql sqlitesink/schema3.sql | sqlite3 "$T/queries.db"
ok "and its queries run" sqlite3 -bail "$T/queries.db" ".read $T/queries"

# --- the stage in docs/adding-a-stage.md -----------------------------------------------
sed -n '/^```c$/,/^```$/p' docs/adding-a-stage.md | grep -v '^```' >"$T/lag.c"
if [ -f "$BUILD/libstage.a" ]; then
	# shellcheck disable=SC2086 # words: "ccache cc"
	ok "the stage in docs/adding-a-stage.md compiles without a warning" \
		${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -I. -Ilib -DVERSION='"0"' \
		-o "$T/lag" "$T/lag.c" "$BUILD/libstage.a" -ljansson -lseccomp
	grep '"type":"http.body"' "$T/examples" | "$T/lag" | unbooked >"$T/lag.out"
	is "and does what it says" "$(jq -c '[.seq, .lag_ms]' "$T/lag.out" | tr '\n' ' ')" \
		"$(jq -c 'select(.type == "http.body")' "$T/examples" | grep -o '"timestamp_ns":[0-9]*\|"seq":[0-9]*' | cut -d: -f2 |
			paste - - | awk 'NR == 1 { t = substr($1, 6) } { printf "[%d,%.3f] ", $2, (substr($1, 6) - t) / 1e6 }' |
			sed 's/\(\.[0-9]*[1-9]\)0*\]/\1]/g; s/\.0*\]/]/g')"
else
	skip "the stage in docs/adding-a-stage.md" "$BUILD/libstage.a is not built"
fi

# --- the sources ------------------------------------------------------------------------
is "nobody prints JSON with printf" "$(grep -nE 'printf *\(.*\{\\"' -- */*.c)" ''
is "no TODO" "$(grep -nwE 'TODO|FIXME|XXX' -- */*.[ch] agentsight.sh Makefile)" ''
if have shellcheck; then
	for script in agentsight.sh .ci/run tests/*.sh tests/*/*.sh tests/*/*/*.sh tests/*.t; do
		head -n 1 "$script" | grep -q 'python\|bash' && continue
		ok "shellcheck $script" shellcheck -x -s sh -S warning "$script"
	done
else
	skip "shellcheck of the scripts" "no shellcheck"
fi
done_testing

# The table of docs/losses.md as rows of the table reasons (schema2.sql).
function text(s) {
	gsub(/^ +| +$/, "", s)
	gsub(/'/, "''", s)
	gsub(/`/, "", s)
	return "'" s "'"
}
BEGIN { FS = "|"; print "DELETE FROM reasons;" }
/^\| [^|`]+ \| `[a-z0-9_]+` \|/ {
	stage = $2 ~ /^ every / ? "''" : text($2)
	printf "INSERT INTO reasons VALUES(%s,%s,%s,%s,%s);\n", stage, text($3), text($4), text($5), text($6)
}

# report.awk - rows of sqlite3's tcl mode, as a table, CSV or Markdown
#
# -v mode=table|csv|md -v width=COLUMNS, 0 for as wide as it is -v colour=1
# Bytes, not characters (LC_ALL=C). Captured text is other people's: what a
# terminal would obey is shown as "?", and in CSV no cell begins a formula.

BEGIN {
	for (i = 0; i < 512; i++) byte[sprintf("%03o", i)] = sprintf("%c", i % 256)
	for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
	esc["n"] = "\n"; esc["t"] = "\t"; esc["r"] = "\r"; esc["\\"] = "\\"; esc["\""] = "\""
	rows = 0
}

# A cell as sqlite3 wrote it: C escapes. What is not printable comes in octal.
function decode(s,    out, i, c) {
	out = ""
	while ((i = index(s, "\\")) > 0) {
		out = out substr(s, 1, i - 1)
		c = substr(s, i + 1, 1)
		if (c in esc) {
			out = out esc[c]
			s = substr(s, i + 2)
		} else {
			out = out byte[substr(s, i + 1, 3)]
			s = substr(s, i + 4)
		}
	}
	return out s
}

# How long the character at s[i] is when it is UTF-8 that a terminal may be given; else 0.
function char(s, i,    c, n, k, d) {
	c = code[substr(s, i, 1)]
	if (c < 194 || c > 244)
		return 0
	n = c < 224 ? 2 : c < 240 ? 3 : 4
	for (k = 1; k < n; k++) {
		d = code[substr(s, i + k, 1)]
		if (d < 128 || d > 191)
			return 0
	}
	d = code[substr(s, i + 1, 1)]
	if ((c == 194 && d < 160) || (c == 224 && d < 160) || (c == 237 && d > 159) || (c == 240 && d < 144) || (c == 244 && d > 143))
		return 0
	# marks that turn the direction of the text
	k = code[substr(s, i + 2, 1)]
	if (c == 226 && ((d == 128 && (k == 142 || k == 143 || (k >= 170 && k <= 174))) || (d == 129 && k >= 166 && k <= 169)))
		return 0
	return n
}

# Safe to show; blanks for line breaks when flat. Sets wide, how many columns it takes.
function clean(s, flat, max,    out, i, n, c, l) {
	wide = 0
	if (s !~ /[^ -~]/) {
		wide = length(s)
		if (!max || wide <= max)
			return s
		wide = max
		return substr(s, 1, max - 1) "\342\200\246"
	}
	out = ""
	l = length(s)
	for (i = 1; i <= l; i += n) {
		c = substr(s, i, 1)
		n = 1
		if (c == "\n" || c == "\t" || c == "\r")
			c = flat ? " " : c
		else if (c < " " || c == "\177")
			c = "?"
		else if (c >= "\200") {
			n = char(s, i)
			c = n ? substr(s, i, n) : "?"
			# CJK and emoji take two columns, accents that combine none; near enough
			if (n == 3 && c >= "\343\200\200" && c < "\355\237\277") wide++
			else if (n == 4 && c >= "\360\237\200\200") wide++
			else if (n == 2 && c >= "\314\200" && c < "\315\260") wide--
			n = n ? n : 1
		}
		wide++
		if (max && wide >= max && i + n <= l) {
			wide = max
			return out "\342\200\246"
		}
		out = out c
	}
	return out
}

function is_number(s) { return s ~ /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$/ }

# 12.339999999999999858 is 12.34.
function plain(s) {
	if (s ~ /^-?[0-9]+\.[0-9]+(e[-+]?[0-9]+)?$/)
		s = sprintf("%.12g", s)
	return s
}

function csv(s) {
	s = clean(plain(s), 0, 0)
	if (s ~ /^[-=+@\t\r]/ && !is_number(s))
		s = "'" s
	if (s ~ /[",\n\r]/) {
		gsub(/"/, "\"\"", s)
		s = "\"" s "\""
	}
	return s
}

function md(s) {
	s = clean(plain(s), 1, 0)
	gsub(/\\/, "\\\\", s); gsub(/\|/, "\\|", s); gsub(/</, "\\&lt;", s); gsub(/[*_`\[]/, "\\\\&", s)
	return s
}

{
	line = substr($0, 2, length($0) - 2)
	n = split(line, cell, "\"\t\"")
	head = NR == 1 || (line == first && NR > 1)
	if (NR == 1) { first = line; cols = n }
	else if (head) next		# of the next database
	for (c = 1; c <= n; c++) cell[c] = decode(cell[c])
	if (mode == "csv") {
		for (c = 1; c <= n; c++) printf "%s%s", (c > 1 ? "," : ""), csv(cell[c])
		printf "\r\n"
		if (!head) rows++
		next
	}
	if (mode == "md") {
		for (c = 1; c <= n; c++) printf "| %s ", md(cell[c])
		print "|"
		if (head) { for (c = 1; c <= n; c++) printf "| --- "; print "|" }
		else rows++
		next
	}
	if (!head) rows++
	for (c = 1; c <= n; c++) {
		v = plain(cell[c])
		table[rows, c] = v
		clean(v, 1, 0)
		if (wide > w[c]) w[c] = wide
		if (!head && wide > least[c]) least[c] = wide	# numbers are never cut, their headings are
		if (!head && v != "" && !is_number(v)) text[c] = 1
		if (!head && v != "") some[c] = 1
	}
}

# The widest column that may lose one, of texts or of headings over numbers; 0: none.
function widest(texts, floor,    c, big, to) {
	big = 0
	for (c = 1; c <= cols; c++) {
		to = least[c] > floor ? least[c] : floor
		if (text[c] == texts && w[c] > to && (!big || w[c] > w[big])) big = c
	}
	return big
}

# Makes columns narrower until all fit: headings that are wider than their numbers,
# then texts, then both as far as it goes.
function fit(    total, c) {
	total = 2 * (cols - 1)
	for (c = 1; c <= cols; c++) {
		text[c] += 0
		total += w[c]
		if (text[c]) least[c] = 0
	}
	for (; width && total > width; total--) {
		if (!(c = widest(0, 6)) && !(c = widest(1, 14)) && !(c = widest(0, 3)) && !(c = widest(1, 4)))
			return
		w[c]--
	}
}

function show_row(r,    c, v, pad) {
	line = ""
	for (c = 1; c <= cols; c++) {
		v = clean(table[r, c], 1, w[c])
		pad = sprintf("%" (w[c] - wide > 0 ? w[c] - wide : 0) "s", "")
		line = line (c > 1 ? "  " : "") (text[c] || !some[c] ? v (c < cols ? pad : "") : pad v)
	}
	return line
}

END {
	if (limit > 0 && rows >= limit && first != "\"line\"")
		printf "%s: the first %d rows; --limit 0 shows all\n", self, limit >"/dev/stderr"
	if (mode != "table" || !cols)
		exit
	if (cols == 1 && table[0, 1] == "line") {	# a report that is text
		for (r = 1; r <= rows; r++) print clean(table[r, 1], 1, 0)
		exit
	}
	if (title != "")
		print (colour ? "\033[1m" title "\033[0m" : title)
	if (!rows) {
		print "nothing"
		exit
	}
	fit()
	line = show_row(0)
	print (colour ? "\033[4m" line "\033[0m" : line)
	for (r = 1; r <= rows; r++) {
		line = show_row(r)
		sub(/ +$/, "", line)
		print line
	}
}

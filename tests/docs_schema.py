#!/usr/bin/python3
"""The diagram and the list of tables in docs/database.md, made from sqlitesink/schema.sql
schema2.sql and schema3.sql.

  docs_schema.py           prints them
  docs_schema.py --write   puts them into docs/database.md
"""
import re
import sqlite3
import sys

BEGIN, END = "<!-- made by tests/docs_schema.py from sqlitesink/schema.sql -->\n", "<!-- end -->\n"


def parts():
    text = "".join(open("sqlitesink/" + name, encoding="utf-8").read() for name in ("schema.sql", "schema2.sql", "schema3.sql"))
    db = sqlite3.connect(":memory:")
    db.executescript(text)
    about = {}
    for comment, kind, name in re.findall(r"((?:^-- .*\n)+)CREATE (?:VIRTUAL )?(TABLE|VIEW) (\w+)", text, re.M):
        about[name] = " ".join(x[3:] for x in comment.splitlines() if x)
    tables = [r[0] for r in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'search_*[a-z]*' OR name = 'search_done' ORDER BY rowid")
              if not r[0].startswith("sqlite_")]
    views = [r[0] for r in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY rowid")]
    out = ["```mermaid", "erDiagram"]
    for t in tables:
        links = {}
        for fk in db.execute("SELECT \"table\", group_concat(\"from\", ' ') FROM (SELECT * FROM pragma_foreign_key_list(?) ORDER BY id DESC) GROUP BY 1", (t,)):
            links[fk[0]] = fk[1]
        out += ['    %s ||--o{ %s : "%s"' % (to, t, columns) for to, columns in sorted(links.items())]
    out += ["```", "", "| table | what a row is | columns |", "|---|---|---|"]
    for t in tables:
        columns = ", ".join(r[1] for r in db.execute("SELECT * FROM pragma_table_info(?)", (t,)))
        out.append("| `%s` | %s | %s |" % (t, about.get(t, "").replace("|", "\\|"), columns))
    out += ["", "| view | what it tells | columns |", "|---|---|---|"]
    for v in views:
        columns = ", ".join(r[1] for r in db.execute("SELECT * FROM pragma_table_info(?)", (v,)))
        out.append("| `%s` | %s | %s |" % (v, about.get(v, "").replace("|", "\\|"), columns))
    return "\n".join(out) + "\n"


def main():
    made = parts()
    if sys.argv[1:] == ["--write"]:
        with open("docs/database.md", encoding="utf-8") as f:
            text = f.read()
        before, rest = text.split(BEGIN)
        with open("docs/database.md", "w", encoding="utf-8") as f:
            f.write(before + BEGIN + "\n" + made + "\n" + END + rest.split(END)[1])
    else:
        sys.stdout.write(made)


main()

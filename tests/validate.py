#!/usr/bin/python3
"""Checks event lines against docs/events.schema.json (JSON Schema 2020-12).

    validate.py [--schema FILE] [--limit N] [--type TYPE]... [FILE]...

Every line must be UTF-8, one JSON object without duplicate keys, of a type the
schema knows, with the keys of that type; beyond what a schema can say: type
first, the envelope in order, KEY_b64 in place of KEY only when the bytes are no
UTF-8. --type says that at least one line of that type must be there. Exit 1
and the first ten complaints otherwise; no line at all is a complaint too.
"""
import argparse
import base64
import json
import os
import sys

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
ENVELOPE = ["type", "timestamp_ns", "pid", "tid", "uid", "comm"]


class Checker:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.schema = json.load(f)
        jsonschema.Draft202012Validator.check_schema(self.schema)
        whole = jsonschema.Draft202012Validator(self.schema)
        # One validator per type, so that a line is not tried against all, and
        # without references, which jsonschema looks up again for every value.
        self.by_type = {t: whole.evolve(schema=flat(inlined(self.schema["$defs"][t], self.schema["$defs"])))
                        for t in self.schema["properties"]["type"]["enum"]}

    def check(self, line):
        """None, or what is wrong with a line (bytes, without its newline)."""
        try:
            event = json.loads(line.decode("utf-8"), object_pairs_hook=unique,
                               parse_constant=constant)
        except ValueError as e:
            return "not JSON: %s" % e
        if not isinstance(event, dict):
            return "not an object"
        kind = event.get("type")
        if not isinstance(kind, str) or kind not in self.by_type:
            return "unknown type %r" % (kind,)
        error = jsonschema.exceptions.best_match(self.by_type[kind].iter_errors(event)) \
            if not self.by_type[kind].is_valid(event) else None
        if error is not None:
            return "%s: %s: %s" % (kind, "/".join(map(str, error.absolute_path)) or ".", error.message[:300])
        return order(event) or bytes_rule(event)


def inlined(schema, defs):
    """A schema with every {"$ref": "#/$defs/NAME"} replaced by what it names."""
    if isinstance(schema, list):
        return [inlined(s, defs) for s in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return inlined(defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    return {k: inlined(v, defs) for k, v in schema.items()}


def flat(schema):
    """The properties that allOf brings together, as one list: the same, faster."""
    if "unevaluatedProperties" not in schema:
        return schema
    out = {k: v for k, v in schema.items() if k not in ("allOf", "unevaluatedProperties")}
    out["properties"], out["required"], rest = {}, list(schema.get("required", [])), []
    for part in schema.get("allOf", []):
        out["properties"].update(part.get("properties", {}))
        out["required"] += part.get("required", [])
        rest.append({k: v for k, v in part.items() if k not in ("properties", "required", "type")})
    out["properties"].update(schema["properties"])
    out.update(type="object", allOf=[r for r in rest if r], additionalProperties=False)
    return out


def unique(pairs):
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise ValueError("duplicate key")
    return seen


def constant(name):
    raise ValueError("%s is not JSON" % name)


def order(event):
    have = [k for k in event if k in ENVELOPE]
    if list(event)[0] != "type":
        return "%s: type does not come first" % event["type"]
    if have != [k for k in ENVELOPE if k in event] or list(event)[:len(have)] != have:
        return "%s: envelope out of order: %s" % (event["type"], ", ".join(have))
    return None


def bytes_rule(event):
    """KEY for text, KEY_b64 for what is no UTF-8: never both, never the wrong one."""
    for key, value in event.items():
        if not key.endswith("_b64"):
            continue
        if key[:-4] in event:
            return "%s: both %s and %s" % (event["type"], key[:-4], key)
        try:  # an array has all its elements in base64 when one is no UTF-8
            for v in value if isinstance(value, list) else [value]:
                base64.b64decode(v, validate=True).decode("utf-8")
        except UnicodeDecodeError:
            continue
        except ValueError as e:
            return "%s: %s: %s" % (event["type"], key, e)
        return "%s: %s holds UTF-8" % (event["type"], key)
    return None


def complaints(checker, name, stream, types, limit):
    n = 0
    for n, line in enumerate(stream, 1):
        if limit and n > limit:
            break
        if not line.endswith(b"\n"):
            yield "%s:%d: no newline at the end" % (name, n)
        why = checker.check(line.rstrip(b"\n"))
        if why:
            yield "%s:%d: %s\n    %s" % (name, n, why, line[:200].decode("utf-8", "replace").rstrip())
        elif types:
            types.discard(json.loads(line)["type"])
    if n == 0:
        yield "%s: no line at all" % name


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--schema", default=os.path.join(HERE, "..", "docs", "events.schema.json"))
    ap.add_argument("--limit", type=int, default=0, help="only the first N lines of each file")
    ap.add_argument("--type", action="append", default=[])
    ap.add_argument("file", nargs="*", default=["-"])
    a = ap.parse_args()
    checker, types, bad = Checker(a.schema), set(a.type), 0
    for name in a.file:
        stream = sys.stdin.buffer if name == "-" else open(name, "rb")
        for complaint in complaints(checker, name, stream, types, a.limit):
            bad += 1
            if bad <= 10:
                print(complaint)
    if bad > 10:
        print("... %d more" % (bad - 10))
    if types:
        print("no line of type " + ", ".join(sorted(types)))
    return 1 if bad or types else 0


if __name__ == "__main__":
    sys.exit(main())

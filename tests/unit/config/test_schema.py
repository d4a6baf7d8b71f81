#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/pattimpex.schema.json has the keys that the tables of PxKey in the sources have, no more and no fewer."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMA = "docs/pattimpex.schema.json"
KEYS = [
    re.compile(r'\.name = "(\w+)", \.type = PX_KEY_'),
    re.compile(r"\bKEY\((\w+), PX_KEY_"),
    re.compile(r'\bPX_CONVERT_KEY\(settings, \w+, "(\w+)"'),
    re.compile(r'\b(?:STRING|CHOICE|SECTION)\("(\w+)"'),
]


def keys_of_sources():
    found = {}
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        text = path.read_text()
        if "PX_KEY_" in text:
            for pattern in KEYS:
                for key in pattern.findall(text):
                    found.setdefault(key, path.relative_to(ROOT))
    return found


def keys_of_schema(node):
    if isinstance(node, list):
        return set().union(*map(keys_of_schema, node))
    if not isinstance(node, dict):
        return set()
    properties = node.get("properties", {})
    return set(properties) | set().union(*map(keys_of_schema, node.values()), *map(keys_of_schema, properties.values()))


def without_secret(schema):
    """{file: PATH} is a value, not a key of a section."""
    definitions = {name: part for name, part in schema["$defs"].items() if name != "secret"}
    return {**schema, "$defs": definitions}


def main():
    described = keys_of_schema(without_secret(json.loads((ROOT / SCHEMA).read_text())))
    known = keys_of_sources()
    problems = [f"{known[key]}: the key {key} is not in {SCHEMA}" for key in sorted(set(known) - described)]
    problems += [f"{SCHEMA}: {key} is no key of any section" for key in sorted(described - set(known))]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


sys.exit(main())

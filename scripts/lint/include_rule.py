# SPDX-License-Identifier: Apache-2.0
"""The include rule of ARCHITECTURE.md: which room may include which."""
import re

from sources import read, sources

# Each row may include the rows above it and its own room; rooms of one row do not include one another.
ORDER = [
    ["base"],
    ["config"],
    ["db", "format", "storage"],
    ["model"],
    ["records", "pattern", "queue"],
    ["load", "extract", "report"],
    ["task"],
    ["flow"],
    ["daemon", "web"],
    ["command"],
]
BESIDE = {("pattern", "records")}       # what a pattern's relations ask, records answers
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
LEVEL[""] = len(ORDER)                  # src/main.c stands above all rooms
GENERATED = {"px-config.h", "px-sql.h"}


def allowed(room, other):
    return room == other or LEVEL[other] < LEVEL[room] or (room, other) in BESIDE


def findings():
    found = []
    for file in sources("c", "h"):
        parts = file.split("/")
        if parts[0] != "src":
            continue
        room = parts[1] if len(parts) > 2 else ""
        if room not in LEVEL:
            found.append(f"{file}: src/{room} is no room; ORDER in scripts/lint/include_rule.py lists them")
            continue
        for number, line in enumerate(read(file).splitlines(), 1):
            match = re.match(r'#\s*include\s+"([^"]+)"', line)
            if not match or match[1] in GENERATED:
                continue
            other = match[1].split("/")[0] if "/" in match[1] else None
            if other not in LEVEL:
                found.append(f'{file}:{number}: "{match[1]}" is not written as room/file.h')
            elif not allowed(room, other):
                found.append(f"{file}:{number}: {room} may not include {other}")
            elif other != room and match[1].endswith("_private.h"):
                found.append(f"{file}:{number}: {match[1]} is for the files of {other} alone")
    return found

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/commands.md is what the program says of itself: commands_md.py PROGRAM [--check]."""
import pathlib
import re
import subprocess
import sys

DOCUMENT = pathlib.Path(__file__).resolve().parent.parent / "docs" / "commands.md"


def said(program, *arguments):
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout.rstrip()


def document(program):
    overview = said(program, "help")
    listed = overview.split("Commands:\n", 1)[1].split("\n\n", 1)[0]
    commands = re.findall(r"^  (\S+)", listed, re.M)
    parts = ["# Commands", "What `pattimpex help` says; made by `scripts/commands_md.py`.", f"```text\n{overview}\n```"]
    for command in commands:
        if command != "help":
            parts.append(f"## {command}\n\n```text\n{said(program, 'help', command)}\n```")
    return "\n\n".join(parts) + "\n"


def main(program, check):
    text = document(program)
    if check:
        if DOCUMENT.read_text() != text:
            print(f"docs/commands.md is not what the program says; run {pathlib.Path(__file__).name} {program}")
            return 1
        return 0
    DOCUMENT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--check" in sys.argv[2:]))

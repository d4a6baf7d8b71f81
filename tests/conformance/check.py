#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the conformance cases and holds the result against later.txt: check.py --binary PATH.

Every case passes, but for those that later.txt names with the reason why they come later. One of these that passes is a
failure too, so that the list stays true.
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def later():
    """name -> reason"""
    lines = [line.split(None, 1) for line in (HERE / "later.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {name: reason for name, reason in lines}


def main(arguments):
    done = subprocess.run([sys.executable, HERE / "run.py", *arguments], stdout=subprocess.PIPE, text=True, errors="replace")
    results = {m[2]: (m[1] == "ok", m[0]) for m in re.finditer(r"^(ok|not ok) ([^:\n]+).*$", done.stdout, re.M)}
    listed = later()
    problems = [f"not ok {name}: later.txt names it, but there is no such case" for name in listed if name not in results]
    for name, (passed, line) in results.items():
        if passed and name in listed:
            problems.append(f"not ok {name}: passes, although later.txt says: {listed[name]}")
        elif not passed and name not in listed:
            problems.append(line)
    if not results:
        problems.append("not ok: no case ran")
    for problem in problems:
        print(problem)
    passed = sum(1 for name, (passed, _) in results.items() if passed and name not in listed)
    print(f"{len(results)} cases, {len(listed)} of them for later versions (later.txt)")
    print(f"{passed} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

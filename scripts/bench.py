#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the measurements of bench/ one after the other: bench.py [NAME...], a NAME being any part of a file's name.

Each is a script of its own, told by PATTIMPEX which program to measure; what it prints is its result.
"""
import os
import subprocess
import sys

from build import ROOT, directory

PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
RUNNERS = {".py": [PYTHON], ".sh": ["sh"]}


def main(names):
    scripts = [p for p in sorted((ROOT / "bench").iterdir()) if p.suffix in RUNNERS and (not names or any(n in p.name for n in names))]
    if not scripts:
        sys.exit(f"bench.py: nothing in bench/ is called {' or '.join(names)}" if names else "bench.py: bench/ is empty")
    failed = 0
    for script in scripts:
        print(f"---- {script.relative_to(ROOT)}", flush=True)
        done = subprocess.run([*RUNNERS[script.suffix], str(script)], cwd=ROOT,
                              env={**os.environ, "PYTHON": PYTHON, "PATTIMPEX": str(directory("release") / "pattimpex")})
        failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

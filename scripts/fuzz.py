#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every libFuzzer target for so many seconds on its corpus: fuzz.py SECONDS.

A target is tests/fuzz/fuzz_NAME.c, its corpus tests/fuzz/corpus/NAME/. What a run finds beyond the corpus stays in build-fuzz/.
"""
import subprocess
import sys

from build import ROOT, build, directory


def main(seconds):
    if not build("fuzz", quiet=True):
        return 1
    failed = 0
    for source in sorted((ROOT / "tests" / "fuzz").glob("fuzz_*.c")):
        name = source.stem.removeprefix("fuzz_")
        found = directory("fuzz") / "found" / name
        found.mkdir(parents=True, exist_ok=True)
        programs = [p for p in directory("fuzz").rglob(source.stem) if p.is_file()]
        if not programs:
            print(f"{source.relative_to(ROOT)}: was not built; is it in a meson.build?")
            failed += 1
            continue
        print(f"---- {name}", flush=True)
        done = subprocess.run([programs[0], f"-max_total_time={seconds}", "-print_final_stats=1", found, source.parent / "corpus" / name],
                              cwd=directory("fuzz"))
        failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Objects a second of the JSON scan, its CPU time as a ratio to jansson and Python's json, and peak memory, on one list of flat objects of 10 keys.

    bench/json_scan.py [--rows 300000] [--sparse] [--turns 3]

CPU time is user and system; of several turns the best counts. --sparse: each object lacks some of the keys.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from usage import best

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bench" / "json_scan"
PYTHON_JSON = "import json, sys; d = json.load(open(sys.argv[1], 'rb')); print(len(d), sum(map(len, d)))"


def make_file(path, rows, sparse):
    """Names, numbers, dates, some accents; one text in a hundred has escapes."""
    chance = random.Random(1)
    words = "Müller Dupont Smith Garcia Rossi Novak Jansen Kowalski".split()
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n")
        for i in range(rows):
            word = chance.choice(words)
            item = {"ref#key": f"REF{i:08}", "name": f"{word} {i % 977}", "email": f"user{i}@example.com", "phone": f"+32 2 {i % 1000000:06}",
                    "street": f'{word} street "{i % 90}"' if i % 100 == 0 else f"{word} street {i % 90}", "zip": 1000 + i % 9000,
                    "city": "Liège" if i % 7 == 0 else None, "country_id|code": chance.choice(["BE", "FR", "DE"]),
                    "credit": (i % 10000) + (i % 100) / 100, "active": i % 3 == 0}
            if sparse:
                item = {key: value for key, value in item.items() if key == "ref#key" or chance.random() < 0.7}
            file.write((",\n" if i else "") + json.dumps(item, ensure_ascii=False))
        file.write("\n]\n")


def measure(file, rows, turns):
    ways = {"ours": [PROGRAM, "ours", file], "ours, through a process": [PROGRAM, "process", file], "jansson": [PROGRAM, "jansson", file],
            "Python json": [sys.executable, "-c", PYTHON_JSON, file]}
    results = {way: best(command, turns) for way, command in ways.items()}
    assert len({tuple(text.split()[:2]) for _, _, text in results.values()}) == 1, results
    ours = results["ours"][0]
    size = os.path.getsize(file)
    print(f"{rows:,} objects, {size / 1e6:.0f} MB; CPU seconds, best of {turns}")
    for way, (seconds, memory, _) in results.items():
        print(f"  {way:24} {seconds:7.3f} s  {rows / seconds:12,.0f} objects/s  {size / 1e6 / seconds:6,.0f} MB/s  {seconds / ours:6.2f} x ours"
              f"  {memory:7,.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--sparse", action="store_true")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    subprocess.run(["ninja", "-C", ROOT / "build", "bench/json_scan"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="pattimpex-bench-") as folder:
        file = os.path.join(folder, "scan.json")
        make_file(file, options.rows, options.sparse)
        measure(file, options.rows, options.turns)


if __name__ == "__main__":
    main()

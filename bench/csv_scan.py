#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rows a second of the CSV scan, and its CPU time as a ratio to `wc -l`, libcsv and Python's csv, on one file of 10 columns.

    bench/csv_scan.py [--rows 1000000] [--quoted] [--turns 3]

CPU time is user and system; of several turns the best counts. Goal: libcsv needs at least 5 times ours. --quoted: every cell in quotes.
"""
import argparse
import csv
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from usage import best, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bench" / "csv_scan"
PYTHON_CSV = "import csv, sys; print(sum(1 for row in csv.reader(open(sys.argv[1], newline='', encoding='utf-8'))))"


def make_file(path, rows, quoted):
    """Names, numbers, dates, some accents; one cell in a hundred needs quotes."""
    chance = random.Random(1)
    words = "Müller Dupont Smith Garcia Rossi Novak Jansen Kowalski".split()
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
        writer.writerow(["ref#key", "name", "email", "phone", "street", "zip", "city", "country_id|code", "credit", "since"])
        for i in range(rows):
            word = chance.choice(words)
            writer.writerow([f"REF{i:08}", f"{word} {i % 977}", f"user{i}@example.com", f"+32 2 {i % 1000000:06}",
                             f'{word} street, "{i % 90}"' if i % 100 == 0 else f"{word} street {i % 90}", 1000 + i % 9000,
                             "Liège" if i % 7 == 0 else "Namur", chance.choice(["BE", "FR", "DE"]),
                             f"{i % 10000}.{i % 100:02}", f"20{i % 26:02}-0{i % 9 + 1}-1{i % 9}"])


def measure(file, rows, turns):
    ways = {"ours": [PROGRAM, "ours", file], "ours, through a process": [PROGRAM, "process", file], "wc -l": ["wc", "-l", file],
            "memchr loop": [PROGRAM, "lines", file], "libcsv": [PROGRAM, "libcsv", file]}
    results = {way: best(command, turns) for way, command in ways.items()}
    results["Python csv"] = run([sys.executable, "-c", PYTHON_CSV, file])
    seen = {way: results[way][2].split() for way in ("ours", "ours, through a process", "libcsv")}
    assert len({tuple(counts) for counts in seen.values()}) == 1 and int(seen["ours"][0]) == rows + 1, seen
    ours = results["ours"][0]
    size = os.path.getsize(file)
    print(f"{rows:,} rows x 10 columns, {size / 1e6:.0f} MB; CPU seconds, best of {turns}")
    for way, (seconds, _, _) in results.items():
        print(f"  {way:24} {seconds:7.3f} s  {rows / seconds:14,.0f} rows/s  {size / 1e6 / seconds:7,.0f} MB/s  {seconds / ours:6.2f} x ours")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quoted", action="store_true")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    subprocess.run(["ninja", "-C", ROOT / "build", "bench/csv_scan"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="pattimpex-bench-") as folder:
        file = os.path.join(folder, "scan.csv")
        make_file(file, options.rows, options.quoted)
        measure(file, options.rows, options.turns)


if __name__ == "__main__":
    main()

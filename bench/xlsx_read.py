#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of reading a workbook of 10 columns, inline and shared strings, against a bare ISA-L inflate and checksum of the same parts,
expat, openpyxl, gnumeric, LibreOffice, SheetJS and exceljs.

    bench/xlsx_read.py [--rows 100000 1000000] [--turns 3]

CPU time is user and system; of several turns the best counts. Goals: with inline strings at most 4 times the inflate, with shared ones at most 6
times, less than 64 MiB whatever the rows. openpyxl reads the file of 100,000 rows; gnumeric and LibreOffice turn that one into CSV, SheetJS and
exceljs read it where npm is there.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import npm_peers
from usage import best, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bench" / "xlsx_read"
SMALL = 100_000 # rows; more would take the peers too long
OPENPYXL = """
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1], read_only=True)
print(sum(1 for row in book.worksheets[0].iter_rows(values_only=True)))
"""


def peers(book, folder):
    commands = {"openpyxl, read-only": [sys.executable, "-c", OPENPYXL, book]}
    if shutil.which("ssconvert"):
        commands["gnumeric, to CSV"] = ["ssconvert", book, os.path.join(folder, "out.csv")]
    if shutil.which("soffice"):
        commands["LibreOffice, to CSV"] = ["soffice", f"-env:UserInstallation=file://{folder}/home", "--headless", "--convert-to", "csv",
                                           "--outdir", folder, book]
    commands |= npm_peers.commands(npm_peers.READ, book)
    return {name: run(command) for name, command in commands.items()}


def measure(folder, rows, kind, turns):
    book = os.path.join(folder, "book.xlsx")
    run([PROGRAM, kind, book, rows])
    results = {"ISA-L inflate and CRC": best([PROGRAM, "floor", book], turns), "ours": best([PROGRAM, "ours", book], turns),
               "ours, through a process": best([PROGRAM, "process", book], turns), "expat": best([PROGRAM, "expat", book], 1)}
    if rows <= SMALL:
        results |= peers(book, folder)
    assert results["ours"][2] == results["ours, through a process"][2] and int(results["ours"][2].split()[0]) == rows + 1, results
    floor, ours = results["ISA-L inflate and CRC"][0], results["ours"][0]
    inflated = int(results["ISA-L inflate and CRC"][2].split()[2])
    print(f"{rows:,} rows x 10 columns, {kind} strings, {inflated / 1e6:.0f} MB of XML in {os.path.getsize(book) / 1e6:.1f} MB; CPU seconds, best of {turns}")
    for way, (seconds, memory, _) in results.items():
        print(f"  {way:24} {seconds:8.3f} s  {rows / seconds:12,.0f} rows/s  {seconds / floor:7.1f} x the inflate  {memory:6.0f} MiB")
    print(f"  ours is {ours / floor:.2f} x the inflate (goal: at most {4 if kind == 'inline' else 6})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    subprocess.run(["ninja", "-C", ROOT / "build", "bench/xlsx_read"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="pattimpex-bench-") as folder:
        for rows in options.rows:
            for kind in "inline", "shared":
                measure(folder, rows, kind, options.turns)


if __name__ == "__main__":
    main()

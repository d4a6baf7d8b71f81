#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of writing a workbook of 10 columns, against a bare ISA-L deflate of the same XML, libxlsxwriter, openpyxl, SheetJS and
exceljs (where npm is there).

    bench/xlsx_write.py [--rows 100000 1000000] [--turns 3]

CPU time is user and system; of several turns the best counts. Goals: at most 2 times the deflate, libxlsxwriter at least 6 times ours, less
than 64 MiB whatever the rows. openpyxl writes a tenth of the rows, as text of one kind; its time is for that tenth, times ten.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import npm_peers
from usage import best, run

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bench" / "xlsx_write"
SMALL = 100_000 # rows; more would take SheetJS too much memory
OPENPYXL = """
import sys, datetime, openpyxl
book = openpyxl.Workbook(write_only=True)
sheet = book.create_sheet("partner")
day = datetime.date(2026, 2, 15)
for i in range(int(sys.argv[2])):
    sheet.append([f"REF{i:08}", f"Dupont {i % 977}", f"user{i}@example.com", f"+32 2 {i % 1000000:06}", f"Dupont street {i % 90}", 1000 + i % 9000,
                  "Namur", "BE", i % 10000 + 0.25, day])
book.save(sys.argv[1])
"""


def extract_sheet(book, xml):
    with zipfile.ZipFile(book) as archive, archive.open("xl/worksheets/sheet1.xml") as member, open(xml, "wb") as file:
        while piece := member.read(1 << 20):
            file.write(piece)


def measure(folder, rows, turns):
    book, xml, peer = (os.path.join(folder, name) for name in ("ours.xlsx", "sheet.xml", "peer.xlsx"))
    results = {"ours": best([PROGRAM, "ours", book, rows], turns)}
    extract_sheet(book, xml)
    results["ISA-L deflate alone"] = best([PROGRAM, "floor", xml, 0], turns)
    results["libxlsxwriter, constant"] = best([PROGRAM, "libxlsxwriter", peer, rows], 1)
    tenth, memory, _ = run([sys.executable, "-c", OPENPYXL, peer, rows // 10])
    results["openpyxl, write-only"] = tenth * 10, memory, ""
    if rows <= SMALL:
        results |= {name: run(command) for name, command in npm_peers.commands(npm_peers.WRITE, peer, rows).items()}
    ours, deflate, peers = results["ours"][0], results["ISA-L deflate alone"][0], results["libxlsxwriter, constant"][0]
    print(f"{rows:,} rows x 10 columns, {os.path.getsize(xml) / 1e6:.0f} MB of XML in {os.path.getsize(book) / 1e6:.1f} MB; CPU seconds, best of {turns}")
    for way, (seconds, memory, _) in results.items():
        print(f"  {way:24} {seconds:8.3f} s  {rows / seconds:12,.0f} rows/s  {seconds / ours:7.2f} x ours  {memory:6.0f} MiB")
    print(f"  ours is {ours / deflate:.2f} x the deflate alone (goal: at most 2); libxlsxwriter is {peers / ours:.1f} x ours (goal: at least 6)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    subprocess.run(["ninja", "-C", ROOT / "build", "bench/xlsx_write"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="pattimpex-bench-") as folder:
        for rows in options.rows:
            measure(folder, rows, options.turns)


if __name__ == "__main__":
    main()

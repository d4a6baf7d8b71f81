#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Import of a CSV of 10 columns with a unique key and a country reference, as ratios of CPU time to a bare loop of prepared statements.

    bench/import.py [--rows 1000000] [--random] [--memory]

The floor (bench/import_floor.c) binds a file that has the countries' ids already and runs with the program's own page cache, journal,
durability and commit size. CPU time is that of the whole process tree, user and system. --random: the keys come in no order.
"""
import argparse
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COUNTRIES = [(i + 1, f"C{i:03}", f"Country {i}") for i in range(250)]
HEADER = "sku,name,price,quantity,weight,active,country,available,color,note"
CACHE_KIB = 16 * 1024
SCHEMA = """
CREATE TABLE country (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE product (
  id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, name TEXT NOT NULL, price NUMERIC, quantity INTEGER, weight REAL,
  active BOOLEAN NOT NULL DEFAULT TRUE, country_id INTEGER NOT NULL REFERENCES country (id), available DATE,
  color INTEGER CHECK (color >= 0), note TEXT);
"""


def keys(rows, shuffled):
    numbers = list(range(rows))
    if shuffled:
        random.Random(7).shuffle(numbers)
    return numbers


def line(number, round_, country):
    return (f"SKU-{number:08},Product number {number},{(number * 7 + round_ * 13) % 99999 / 100},{(number + round_) % 500},{number % 900 / 8},"
            f"{(number + round_) % 2},{country},2026-{number % 12 + 1:02}-{number % 28 + 1:02},{number % 12},note {(number + round_) % 1000}\r\n")


def write_file(path, numbers, round_, floor):
    with open(path, "w", newline="") as file:
        file.write((HEADER if floor else HEADER.replace("sku", "sku#key").replace("country", "country_id|code")) + "\r\n")
        for number in numbers:
            country = COUNTRIES[(number + round_) % 250]
            file.write(line(number, round_, country[0] if floor else country[1]))


# A small process between: the peak of a child begins with that of what started it, and this script holds a million keys.
BETWEEN = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def measure(command, cwd):
    """Runs it: CPU seconds of the process tree, peak memory of its largest process in MiB, its output."""
    done = subprocess.run([sys.executable, "-c", BETWEEN, *map(str, command)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: exit {done.returncode}: {done.stdout[:500]}{done.stderr[:500]}")
    cpu, memory = done.stderr.splitlines()[-1].split()
    return float(cpu), int(memory) / 1024, done.stdout


class Bench:
    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.binary = ROOT / "build" / "pattimpex"
        self.floor = ROOT / "build" / "bench" / "import_floor"
        (folder / "pattimpex.yaml").write_text(
            "database: sqlite:ours.db\nfilestore: ./filestore\ntimezone: UTC\n"
            "patterns:\n  product: {model: product, format: csv}\n")

    def database(self, name):
        for path in self.folder.glob(name + "*"):
            path.unlink()
        db = sqlite3.connect(self.folder / name)
        db.executescript(SCHEMA)
        db.executemany("INSERT INTO country VALUES (?, ?, ?)", COUNTRIES)
        db.commit()
        db.close()

    def ours(self, file):
        cpu, memory, text = measure([self.binary, "-c", "pattimpex.yaml", "import", "product", file, "--json"], self.folder)
        return cpu, memory, json.loads(text)

    def bare(self, file, verb, rows_a_commit):
        return measure([self.floor, "floor.db", file, verb, CACHE_KIB, rows_a_commit], self.folder)[0]

    def rows_a_commit(self):
        db = sqlite3.connect(self.folder / "ours.db")
        (chunks, rows), = db.execute("SELECT count(*), sum(n_rows) FROM pattimpex_chunk").fetchall()
        db.close()
        return max(1, rows // max(1, chunks))

    def run(self, rows):
        numbers = keys(rows, self.options.random)
        for round_ in (0, 1):
            write_file(self.folder / f"ours{round_}.csv", numbers, round_, False)
            write_file(self.folder / f"floor{round_}.csv", numbers, round_, True)
        self.database("ours.db")
        self.database("floor.db")
        new, memory, summary = self.ours("ours0.csv")
        assert summary["created"] == rows, summary
        commit = self.rows_a_commit()
        existing, memory2, summary = self.ours("ours1.csv")
        assert summary["updated"] == rows, summary
        unchanged, memory3, summary = self.ours("ours1.csv")
        assert summary["unchanged"] == rows, summary
        insert = self.bare("floor0.csv", "insert", commit)
        upsert = self.bare("floor1.csv", "upsert", commit)
        self.compare()
        print(f"{rows:>9,} rows, keys {'in no order' if self.options.random else 'ascending'}, {commit:,} rows a commit")
        print(f"  new        {new:7.2f} s  bare insert {insert:7.2f} s  ratio {new / insert:5.2f}  (goal 1.35)  {rows / new:12,.0f} rows/s of CPU")
        print(f"  existing   {existing:7.2f} s  bare upsert {upsert:7.2f} s  ratio {existing / upsert:5.2f}  (goal 1.35)")
        print(f"  unchanged  {unchanged:7.2f} s  existing    {existing:7.2f} s  ratio {unchanged / existing:5.2f}  (goal 0.50)")
        print(f"  peak memory of the largest process: {max(memory, memory2, memory3):.1f} MiB (goal 64)")

    def compare(self):
        """Both did the same work, or the ratios say nothing."""
        db = sqlite3.connect(self.folder / "ours.db")
        db.execute("ATTACH ? AS floor", (str(self.folder / "floor.db"),))
        (different,), = db.execute("SELECT count(*) FROM (SELECT * FROM product EXCEPT SELECT * FROM floor.product)")
        db.close()
        assert different == 0, f"{different} records differ from the floor's"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--memory", action="store_true", help="also at a tenth and a hundredth of the rows")
    options = parser.parse_args()
    subprocess.run(["ninja", "-C", ROOT / "build", "bench/import_floor"], check=True, stdout=subprocess.DEVNULL)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pattimpex-bench-"))
    try:
        for rows in ([options.rows // 100, options.rows // 10] if options.memory else []) + [options.rows]:
            Bench(folder, options).run(rows)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

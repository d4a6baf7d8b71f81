#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Import of partners with two children and three categories each, as rows a second of CPU time beside the flat import of the same partners.

    bench/nested.py [--rows 100000]

The schema is that of the conformance suite, with the indexes that `pattimpex check` asks for.
"""
import argparse
import importlib
import pathlib
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
measure = importlib.import_module("import").measure

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "tests" / "conformance" / "reference"
FLAT = "email#key,name,country_id|code"
NESTED = FLAT + "".join(f",child_ids|{i}|function#key,child_ids|{i}|name" for i in (1, 2)) + "".join(f",category_id|{i}|name" for i in (1, 2, 3))


def write_files(folder, rows):
    with open(folder / "flat.csv", "w") as flat, open(folder / "nested.csv", "w") as nested:
        flat.write(FLAT + "\n")
        nested.write(NESTED + "\n")
        for i in range(rows):
            own = f"p{i}@bench.test,Partner {i},{('FR', 'BE', 'US')[i % 3]}"
            flat.write(own + "\n")
            nested.write(f"n{own},Buyer,Kid A {i},Seller,Kid B {i},Gold,Silver,Bronze\n")


def make_database(folder):
    db = sqlite3.connect(folder / "bench.db")
    db.executescript((REFERENCE / "schema.sqlite.sql").read_text() + (REFERENCE / "data.sql").read_text())
    db.execute("CREATE INDEX partner_tags ON res_partner_res_partner_category_rel (partner_id)")
    db.close()
    configuration = (REFERENCE / "pattimpex.yaml").read_text().replace("sqlite:reference.db", "sqlite:bench.db")
    (folder / "pattimpex.yaml").write_text(configuration + "\npatterns:\n  partner: {model: res_partner, format: csv}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pattimpex-bench-"))
    try:
        write_files(folder, rows)
        make_database(folder)
        command = [ROOT / "build" / "pattimpex", "-c", "pattimpex.yaml", "import", "partner"]
        print(f"{rows:,} rows; a nested one is 3 records and 3 links")
        for what, file in (("flat, new", "flat.csv"), ("flat, unchanged", "flat.csv"), ("nested, new", "nested.csv"), ("nested, unchanged", "nested.csv")):
            cpu, memory, _ = measure([*command, file, "--json"], folder)
            print(f"  {what:<18} {cpu:6.2f} s of CPU  {rows / cpu:10,.0f} rows/s  {memory:5.1f} MiB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

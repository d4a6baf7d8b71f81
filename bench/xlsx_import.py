#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of importing a workbook, as a ratio to importing the same records as CSV; all new and all unchanged.

    bench/xlsx_import.py [--rows 200000] [--turns 3]

The records are those of bench/import.py; both files are exports of ours. Goal: at most 1.35 times the CSV.
"""
import argparse
import importlib
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
base = importlib.import_module("import")

FIELDS = "[{field: sku, key: true}, name, price, quantity, weight, active, country_id/code, available, color, note]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    options.random = False
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pattimpex-bench-"))
    try:
        bench = base.Bench(folder, options)
        program = [bench.binary, "-c", "pattimpex.yaml"]
        (folder / "pattimpex.yaml").write_text(
            "database: sqlite:ours.db\nfilestore: ./filestore\ntimezone: UTC\npatterns:\n"
            f"  csv: {{model: product, format: csv, fields: {FIELDS}}}\n  xlsx: {{model: product, format: xlsx, fields: {FIELDS}}}\n")
        base.write_file(folder / "first.csv", base.keys(options.rows, False), 0, False)
        bench.database("ours.db")
        base.measure([*program, "import", "csv", "first.csv", "--json"], folder)
        for kind in ("csv", "xlsx"):
            base.measure([*program, "export", kind, "-o", f"file.{kind}", "--no-history",
                          "--filter", "[('active', 'in', [True, False])]"], folder)
        best = {}
        for _ in range(options.turns):
            for kind in ("csv", "xlsx"):
                bench.database("ours.db")
                for what in ("new", "unchanged"):
                    cpu = base.measure([*program, "import", kind, f"file.{kind}", "--json"], folder)[0]
                    best[what, kind] = min(cpu, best.get((what, kind), cpu))
        print(f"{options.rows:,} rows x 10 columns; CPU seconds, best of {options.turns}")
        for what in ("new", "unchanged"):
            csv, xlsx = best[what, "csv"], best[what, "xlsx"]
            print(f"  {what:<10} CSV {csv:6.2f}  XLSX {xlsx:6.2f}  ratio {xlsx / csv:5.2f}  (goal 1.35)")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

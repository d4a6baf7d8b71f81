#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of a file that is spread over parallel chunks (process_multi), as a ratio to the same file loaded one row after the other.

    bench/chunks.py [--rows 1000000] [--turns 3]

The records are those of bench/import.py, all new, then all of another content; each way through an import task, with `run`: straight, spread with
one worker, spread with two at once. In the file the keys ascend. CPU time is that of all processes, user and system. SQLite has one writer at a
time, so the second worker is there to see what it costs. Goal: one worker at most 1.15 times the straight way.
"""
import argparse
import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
base = importlib.import_module("import")

WAYS = {"straight": ("straight", 1), "spread, 1 worker": ("spread", 1), "spread, 2 workers": ("spread", 2)}
CONFIG = """
database: sqlite:ours.db
filestore: ./filestore
timezone: UTC
storages:
  drop: {{type: file, directory: drop}}
patterns:
  straight: {{model: product, format: csv, fields: {fields}}}
  spread: {{model: product, format: csv, process_multi: true, fields: {fields}}}
import_tasks:
  in: {{storage: drop, path: "", pattern: {way}, after_import: delete}}
"""
FIELDS = "[{field: sku, key: true}, name, price, quantity, weight, active, country_id/code, available, color, note]"
SEVERAL = """
import subprocess, sys
running = [subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL) for _ in range(int(sys.argv[1]))]
sys.exit(max(process.wait() for process in running))
"""


class Chunks(base.Bench):
    def load(self, way, workers, round_):
        """CPU and wall seconds, MiB of the largest process."""
        (self.folder / "pattimpex.yaml").write_text(CONFIG.format(fields=FIELDS, way=way))
        (self.folder / "drop").mkdir(exist_ok=True)
        shutil.copy(self.folder / f"{round_}.csv", self.folder / "drop" / "products.csv")
        os.utime(self.folder / "drop" / "products.csv", (0, 0))      # nobody writes to it any more
        began = time.monotonic()
        cpu, memory, _ = base.measure([sys.executable, "-c", SEVERAL, workers, self.binary, "run", "--wait", "600"], self.folder)
        return cpu, time.monotonic() - began, memory

    def counted(self, sql):
        db = base.sqlite3.connect(self.folder / "ours.db")
        (row,) = db.execute(sql).fetchall()
        db.close()
        return row

    def measure(self, way, workers):
        self.database("ours.db")
        measured = {"new": self.load(way, workers, 0), "existing": self.load(way, workers, 1)}
        rows = self.options.rows
        assert self.counted("SELECT sum(n_created), sum(n_updated) FROM pattimpex_file WHERE state = 'done'") == (rows, rows)
        owners, parts = self.counted("SELECT count(DISTINCT j.owner), count(DISTINCT c.part) FROM pattimpex_chunk AS c"
                                     " LEFT JOIN pattimpex_job AS j ON j.id = c.job_id")
        assert way == "straight" or (parts > 1 and owners >= 2 * workers), f"{parts} parts by {owners} workers"
        return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pattimpex-bench-"))
    try:
        bench = Chunks(folder, options)
        numbers = base.keys(options.rows, False)
        for round_ in (0, 1):
            base.write_file(folder / f"{round_}.csv", numbers, round_, False)
        turns = [{name: bench.measure(*way) for name, way in WAYS.items()} for _ in range(options.turns)] # a busy moment meets all of them
        print(f"{options.rows:,} rows x 10 columns; CPU and wall seconds, best of {options.turns}")
        for what in ("new", "existing"):
            best = {name: tuple(min(turn[name][what][i] for turn in turns) for i in range(3)) for name in WAYS}
            for name, (cpu, wall, memory) in best.items():
                ratio = f"  ratio {cpu / best['straight'][0]:5.2f}" if name != "straight" else ""
                print(f"  {what:<9} {name:<18} {cpu:6.2f} s CPU {wall:6.2f} s wall {memory:5.1f} MiB{ratio}" + "  (goal 1.15)" * (name == "spread, 1 worker"))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

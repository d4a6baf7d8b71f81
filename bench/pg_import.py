#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Import into PostgreSQL of a CSV of 10 columns with a unique key and a country reference, beside what people would write by hand.

    bench/pg_import.py [--rows 1000000] [--turns 1] [--pgloader]

New records beside COPY into the same table with its indexes and constraints, with and without trust_references; records of other content beside an
upsert of rows from arrays (INSERT ... SELECT FROM unnest ... ON CONFLICT DO UPDATE); records that are as the file says beside those of other
content. The floors have the countries' ids already. With --pgloader (Debian's package) also that, into a table of the same columns without any
key. CPU time is the client's and the server's together, with the durability that people have, the best of all turns.
"""
import argparse
import contextlib
import csv
import importlib
import os
import pathlib
import sys
import tempfile

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cluster  # noqa: E402 (the path comes first)
import pg_export  # noqa: E402

base = importlib.import_module("import")
ROOT = pathlib.Path(__file__).resolve().parent.parent
CONFIG = """
database: URL
filestore: filestore
patterns:
  product:
    model: product
    format: csv
    trust_references: TRUST
    fields: [{field: sku, key: true}, name, price, quantity, weight, active, country_id/code, available, color, note]
"""
COLUMNS = base.HEADER.replace("country", "country_id")
TYPES = "text, text, numeric, integer, double precision, boolean, integer, date, integer, text".split(", ")
FLOOR_BATCH = 10000
PGLOADER = """
LOAD CSV FROM '{file}' INTO {url} TARGET TABLE public.plain ({columns})
  WITH skip header = 1, fields terminated by ','
  SET client_min_messages TO 'warning';
"""


def upsert(url, path):
    """The hand-written way: arrays as text parameters, a statement a batch, a commit a batch."""
    updates = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS.split(",")[1:])
    arrays = ", ".join(f"%s::{type}[]" for type in TYPES)
    sql = f"INSERT INTO product ({COLUMNS}) SELECT * FROM unnest({arrays}) ON CONFLICT (sku) DO UPDATE SET {updates}"
    with contextlib.closing(psycopg2.connect(url)) as db, open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        while batch := [row for _, row in zip(range(FLOOR_BATCH), rows)]:
            with db.cursor() as cursor:
                cursor.execute(sql, ["{" + ",".join(f'"{value}"' for value in column) + "}" for column in zip(*batch)])
            db.commit()


def vacuum(url):
    with contextlib.closing(psycopg2.connect(url)) as db:
        db.autocommit = True
        db.cursor().execute("VACUUM ANALYZE")
        db.cursor().execute("CHECKPOINT")


class Bench:
    def __init__(self, folder, given, server):
        self.folder, self.given, self.server = folder, given, server
        for round_ in range(2):
            for floor in False, True:
                base.write_file(folder / f"{'floor' if floor else 'ours'}-{round_}.csv", range(given.rows), round_, floor)

    def new(self):
        url = cluster.postgres.Databases(self.server.url).new()     # whose connection is closed again
        pg_export.make(url)
        return url

    def ours(self, url, round_, trust=False):
        config = self.folder / "pattimpex.yaml"
        config.write_text(CONFIG.replace("URL", url).replace("TRUST", str(trust).lower()))
        vacuum(url)
        return self.server.run([self.given.program, "import", "-c", config, "--quiet", "--no-history", "product", self.folder / f"ours-{round_}.csv"])[:2]

    def copy(self, url):
        vacuum(url)
        return self.server.run(["psql", "-qX", url, "-c", f"\\copy product ({COLUMNS}) FROM '{self.folder}/floor-0.csv' (FORMAT csv, HEADER)"])[:2]

    def pgloader(self, url):
        with contextlib.closing(psycopg2.connect(url)) as db, db, db.cursor() as cursor:
            cursor.execute(f"CREATE TABLE plain ({', '.join(f'{c} {t}' for c, t in zip(COLUMNS.split(','), TYPES))})")
        vacuum(url)
        script = self.folder / "pgloader.load"
        script.write_text(PGLOADER.format(file=self.folder / "floor-0.csv", url=url, columns=COLUMNS.replace(",", ", ")))
        taken = self.server.run(["pgloader", "--root-dir", self.folder / "pgloader", script])
        with contextlib.closing(psycopg2.connect(url)) as db, db.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM plain")
            assert cursor.fetchone() == (self.given.rows,), taken[2]
        return taken[:2]

    def upsert(self, url):
        vacuum(url)
        return self.server.run([sys.executable, __file__, "--upsert", url, self.folder / "floor-1.csv"])[:2]

    def run(self):
        ours, floor, trusting = self.new(), self.new(), self.new()
        taken = {"new": self.ours(ours, 0), "COPY": self.copy(floor), "existing": self.ours(ours, 1), "upsert": self.upsert(floor)}
        taken["unchanged"] = self.ours(ours, 1)
        taken["trusted"] = self.ours(trusting, 0, trust=True)
        if self.given.pgloader:
            taken["pgloader"] = self.pgloader(self.new())
        return taken


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1000000)
    options.add_argument("--program", default=os.environ.get("PATTIMPEX", str(ROOT / "build" / "pattimpex")))
    options.add_argument("--turns", type=int, default=1)
    options.add_argument("--pgloader", action="store_true")
    options.add_argument("--upsert", nargs=2, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.upsert:
        upsert(*given.upsert)
        return
    server = cluster.Measured()
    try:
        with tempfile.TemporaryDirectory() as name:
            bench = Bench(pathlib.Path(name), given, server)
            turns = [bench.run() for _ in range(given.turns)]
            taken = {what: min((turn[what] for turn in turns), key=sum) for what in turns[0]}
    finally:
        server.stop()
    print(f"{given.rows:,} rows x 10 columns, CPU seconds of client and server")
    for what, beside, goal in ("new", "COPY", 1.2), ("trusted", "COPY", 0.75), ("existing", "upsert", 1.2), ("unchanged", "existing", 0.5):
        client, of_server = taken[what]
        other = taken[beside]
        print(f"  {what:<10} {client:5.2f} + {of_server:5.2f}   {beside:<9} {other[0]:5.2f} + {other[1]:5.2f}   ratio {(client + of_server) / sum(other):.2f} (goal {goal})")
    if given.pgloader:
        client, of_server = taken["pgloader"]
        print(f"  pgloader   {client:5.2f} + {of_server:5.2f}   new rows take {(client + of_server) / sum(taken['new']):.1f} times less than that (goal 2.5)")


if __name__ == "__main__":
    main()

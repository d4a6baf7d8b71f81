#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Import into PostgreSQL of a CSV of 10 columns with a unique key and a country reference, beside what people would write by hand.

    bench/pg_import.py [--rows 1000000] [--turns 7] [--only-new] [--pgloader]

New records beside COPY into the same table with its indexes and constraints, with and without trust_references; records of other content beside an
upsert of rows from arrays (INSERT ... SELECT FROM unnest ... ON CONFLICT DO UPDATE); records that are as the file says beside those of other
content. The floors have the countries' ids already. With --pgloader (Debian's package) also that, into a table of the same columns without any
key. CPU time is the client's and the server's together, with the durability that people have. Each turn measures both sides of a ratio one after
the other, in databases of its own, each side by a server that has just been started and behind a checkpoint; the ratio is the median of those of
all turns, and how far they are apart is told.

One turn says little: where the memory of a process of PostgreSQL 15 lies decides how long each check of a foreign key in a COPY looks for what it has
to give back (ResourceOwnerForgetTupleDesc, among the 1,000 rows that COPY holds), up to 15 per cent of the whole, for either side.
"""
import argparse
import contextlib
import csv
import importlib
import os
import pathlib
import statistics
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
GOALS = (("new", "COPY", 1.2), ("trusted", "COPY", 0.75), ("existing", "upsert", 1.2), ("unchanged", "existing", 0.5))
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

    def prepare(self, url):
        self.server.renew()
        vacuum(url)

    def ours(self, url, round_, trust=False):
        config = self.folder / "pattimpex.yaml"
        config.write_text(CONFIG.replace("URL", url).replace("TRUST", str(trust).lower()))
        self.prepare(url)
        return self.server.run([self.given.program, "import", "-c", config, "--quiet", "--no-history", "product", self.folder / f"ours-{round_}.csv"])[:2]

    def copy(self, url):
        self.prepare(url)
        return self.server.run(["psql", "-qX", url, "-c", f"\\copy product ({COLUMNS}) FROM '{self.folder}/floor-0.csv' (FORMAT csv, HEADER)"])[:2]

    def pgloader(self, url):
        with contextlib.closing(psycopg2.connect(url)) as db, db, db.cursor() as cursor:
            cursor.execute(f"CREATE TABLE plain ({', '.join(f'{c} {t}' for c, t in zip(COLUMNS.split(','), TYPES))})")
        self.prepare(url)
        script = self.folder / "pgloader.load"
        script.write_text(PGLOADER.format(file=self.folder / "floor-0.csv", url=url, columns=COLUMNS.replace(",", ", ")))
        taken = self.server.run(["pgloader", "--root-dir", self.folder / "pgloader", script])
        with contextlib.closing(psycopg2.connect(url)) as db, db.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM plain")
            assert cursor.fetchone() == (self.given.rows,), taken[2]
        return taken[:2]

    def upsert(self, url):
        self.prepare(url)
        return self.server.run([sys.executable, __file__, "--upsert", url, self.folder / "floor-1.csv"])[:2]

    def turn(self, number):
        """What each took. What is compared is measured one right after the other, in turns the other way round: a machine that gets slower is on no side."""
        ours, floor, trusting = self.new(), self.new(), self.new()
        taken = {}

        def pair(*sides):
            for what, measure in sides[::-1] if number % 2 else sides:
                taken[what] = measure()

        pair(("new", lambda: self.ours(ours, 0)), ("COPY", lambda: self.copy(floor)))
        if not self.given.only_new:
            taken["trusted"] = self.ours(trusting, 0, trust=True)
            pair(("existing", lambda: self.ours(ours, 1)), ("upsert", lambda: self.upsert(floor)))
            taken["unchanged"] = self.ours(ours, 1)
        if self.given.pgloader:
            taken["pgloader"] = self.pgloader(self.new())
        return taken


def compare(turns, what, beside):
    """What the median pair took, its ratio, and how far the ratios of all pairs are apart."""
    def ratio(turn):
        return sum(turn[what]) / sum(turn[beside])
    ordered = sorted(turns, key=ratio)
    median = ordered[len(ordered) // 2]
    sides = [f"{name:<9} {median[name][0]:5.2f} + {median[name][1]:5.2f}" for name in (what, beside)]
    return f"  {sides[0]}   {sides[1]}   ratio {statistics.median(map(ratio, turns)):.2f} ({ratio(ordered[0]):.2f} to {ratio(ordered[-1]):.2f})"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1000000)
    options.add_argument("--program", default=os.environ.get("PATTIMPEX", str(ROOT / "build" / "pattimpex")))
    options.add_argument("--turns", type=int, default=7)
    options.add_argument("--only-new", action="store_true")
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
            turns = [bench.turn(number) for number in range(given.turns)]
    finally:
        server.stop()
    print(f"{given.rows:,} rows x 10 columns, CPU seconds of client + server in the median of {given.turns} pairs; load {os.getloadavg()[0]:.1f}")
    for what, beside, goal in GOALS:
        if what in turns[0]:
            print(f"{compare(turns, what, beside)} (goal {goal})")
    if given.pgloader:
        print(f"{compare(turns, 'pgloader', 'new')} (goal 2.5)")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Import of one file into PostgreSQL by an import task: by one worker straight, then spread (process_multi) over one worker, and over two at once.

    bench/pg_workers.py [--rows 1000000]

The records are those of bench/import.py, all new. Wall seconds mean something only on a quiet machine, where the server and the workers share the
cores: so CPU seconds of the workers and of the server are told, too. Goal: two workers' wall at most 0.65 of one's.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import sys
import tempfile
import time

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import chunks  # noqa: E402 (the path comes first)
import cluster  # noqa: E402
import pg_export  # noqa: E402
import pg_import  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Workers:
    def __init__(self, folder, given, server):
        self.folder, self.given, self.server = folder, given, server
        chunks.base.write_file(folder / "new.csv", range(given.rows), 0, False)

    def measure(self, way, workers):
        """Wall seconds, CPU seconds of the workers and of the server."""
        url = cluster.postgres.Databases(self.server.url).new()
        pg_export.make(url)
        pg_import.vacuum(url)
        config = chunks.CONFIG.replace("sqlite:ours.db", url).format(fields=chunks.FIELDS, way=way)
        (self.folder / "pattimpex.yaml").write_text(config)
        (self.folder / "drop").mkdir(exist_ok=True)
        shutil.copy(self.folder / "new.csv", self.folder / "drop" / "products.csv")
        os.utime(self.folder / "drop" / "products.csv", (0, 0))      # nobody writes to it any more
        began = time.monotonic()
        client, of_server, _ = self.server.run([sys.executable, "-c", chunks.SEVERAL, workers, self.given.program, "run", "-c", self.folder / "pattimpex.yaml",
                                                "--wait", "600"])
        wall = time.monotonic() - began
        with contextlib.closing(psycopg2.connect(url)) as db, db.cursor() as cursor:
            cursor.execute("SELECT sum(n_created) FROM pattimpex_file WHERE state = 'done'")
            assert cursor.fetchone() == (self.given.rows,)
        return wall, client, of_server


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1000000)
    options.add_argument("--program", default=os.environ.get("PATTIMPEX", str(ROOT / "build" / "pattimpex")))
    given = options.parse_args()
    server = cluster.Measured()
    try:
        with tempfile.TemporaryDirectory() as name:
            bench = Workers(pathlib.Path(name), given, server)
            taken = {what: bench.measure(*way) for what, way in chunks.WAYS.items()}
    finally:
        server.stop()
    print(f"{given.rows:,} new rows x 10 columns; seconds of wall, CPU of the workers + the server; load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    for what, (wall, client, of_server) in taken.items():
        print(f"  {what:<18} {wall:6.2f} wall {client:6.2f} + {of_server:5.2f}   {wall / taken['straight'][0]:.2f} of straight's wall")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The queue on PostgreSQL: jobs that do nothing a second, and how long a job waits until it begins.

    bench/pg_jobs.py [--jobs 4000] [--latency 40] [--finished 0]

A server of its own that puts every commit on the disk (fsync, synchronous_commit). The jobs are of the kind process, of an upload task that has
nothing to send; up to a hundred are claimed at a time and end in one transaction, with fence, counters and needs. With limits: channels: root:8.
Latency is from the insert, with its NOTIFY, to the claim by an idle worker, one job after the other. --finished: so many jobs that have ended are in
the table already. An old snapshot is held open where it says so.
"""
import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "flows"))
import postgres  # noqa: E402  (the path comes first)

PROGRAM = ROOT / "build" / "pattimpex"
CONFIG = """
database: {url}
filestore: database
{channels}
serve: {{workers: {workers}}}
storages:
  out: {{type: file, directory: out}}
upload_tasks:
  send: {{storage: out, path: ""}}
"""
INSERT = ("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, task, created, started, ended)"
          " SELECT 'process', 'root.process', 20, t, 0, 0, 0, %s, 'send', t, 0, %s"
          " FROM generate_series(1, %s), (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS t) AS now")
DURABLE = "\nfsync = on\nsynchronous_commit = on\nfull_page_writes = on\nautovacuum = on\n"
OPEN = "SELECT count(*) FROM pattimpex_job WHERE state IN ('pending', 'started')"


class Shop:
    def __init__(self, databases, finished, workers, channels):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="px-bench-"))
        self.url = databases.new()
        (self.folder / "out").mkdir()
        (self.folder / "pattimpex.yaml").write_text(CONFIG.format(url=self.url, workers=workers, channels=channels))
        subprocess.run([PROGRAM, "jobs"], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
        self.db = psycopg2.connect(self.url)
        self.db.autocommit = True
        self.cursor = self.db.cursor()
        if finished:
            self.cursor.execute(INSERT, ("done", 1, finished))
            self.cursor.execute("VACUUM ANALYZE pattimpex_job")

    def one(self, sql, *values):
        self.cursor.execute(sql, values)
        return self.cursor.fetchone()[0]

    def drain(self, jobs):
        self.cursor.execute(INSERT, ("pending", 0, jobs))
        server = subprocess.Popen([PROGRAM, "serve", "--no-schedules"], cwd=self.folder, stderr=subprocess.DEVNULL)
        while self.one(OPEN) == jobs:
            time.sleep(0.002)
        begun, first = time.monotonic(), self.one(OPEN)
        while self.one(OPEN):
            time.sleep(0.02)
        spent = time.monotonic() - begun
        server.send_signal(signal.SIGTERM)
        server.wait()
        return first / spent

    def latencies(self, n):
        server = subprocess.Popen([PROGRAM, "serve", "--no-schedules"], cwd=self.folder, stderr=subprocess.DEVNULL)
        while self.one("SELECT count(*) FROM pattimpex_worker") < 2:
            time.sleep(0.05)
        found = []
        for _ in range(n):
            time.sleep(0.3)
            self.cursor.execute(INSERT, ("pending", 0, 1))
            self.cursor.execute("NOTIFY pattimpex")
            while self.one(OPEN):
                time.sleep(0.01)
            found.append(self.one("SELECT started - created FROM pattimpex_job ORDER BY id DESC LIMIT 1") / 1000)
        server.send_signal(signal.SIGTERM)
        server.wait()
        return sorted(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=4000)
    parser.add_argument("--latency", type=int, default=40)
    parser.add_argument("--finished", type=int, default=0)
    arguments = parser.parse_args()
    cluster = postgres.Cluster()
    try:
        with open(cluster.data / "postgresql.conf", "a") as settings:
            settings.write(DURABLE)
        cluster.restart()
        databases = postgres.Databases(cluster.url)
        for workers, channels, snapshot in (1, "", 0), (2, "", 0), (4, "", 0), (4, "channels: root:8", 0), (2, "", 1):
            shop = Shop(databases, arguments.finished, workers, channels)
            old = psycopg2.connect(shop.url)
            if snapshot:
                old.set_session(isolation_level="REPEATABLE READ")
                old.cursor().execute("SELECT 1 FROM pattimpex_job LIMIT 1")
            rate = shop.drain(arguments.jobs)
            print(f"{workers} worker(s){', limits' if channels else ''}{', an old snapshot open' if snapshot else ''}: {rate:.0f} jobs/s", flush=True)
            old.close()
        found = Shop(databases, arguments.finished, 1, "").latencies(arguments.latency)
        print(f"latency of an idle worker: p50 {found[len(found) // 2]:.1f} ms, p99 {found[int(len(found) * 0.99)]:.1f} ms")
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The queue on SQLite: jobs that do nothing a second, and how long a job waits until it begins.

    bench/jobs.py [--jobs 2000] [--latency 60] [--finished 1000000]

The jobs are of the kind process, of an upload task that has nothing to send: a claim, a transaction that ends the job, and what is between.
Workers are those of `serve`. Latency is from the scheduler's decision to the claim, once a second. --finished: so many jobs that have ended are in
the table already.
"""
import argparse
import pathlib
import signal
import sqlite3
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "pattimpex"
CONFIG = """
database: sqlite:jobs.db
filestore: filestore
serve: {{workers: {workers}}}
storages:
  out: {{type: file, directory: out}}
upload_tasks:
  send: {{storage: out, {more}}}
"""
COLUMNS = "kind, channel, priority, eta, attempt, retries, deaths, state, task, created, started, ended"
INSERT = f"INSERT INTO pattimpex_job ({COLUMNS}) VALUES ('process', 'root.process', 20, ?, 0, 0, 0, ?, 'send', ?, 0, ?)"


def now():
    return time.time_ns() // 1000


def connect(folder):
    return sqlite3.connect(folder / "jobs.db", timeout=60, isolation_level=None)


def put(db, n, state="pending"):
    db.execute("BEGIN IMMEDIATE")
    db.executemany(INSERT, ((now(), state, now(), 0 if state == "pending" else now()) for _ in range(n)))
    db.execute("COMMIT")


def left(db):
    return db.execute("SELECT count(*) FROM pattimpex_job WHERE state IN ('pending', 'started')").fetchone()[0]


def prepare(folder, workers, finished, more='path: ""'):
    (folder / "out").mkdir()
    (folder / "pattimpex.yaml").write_text(CONFIG.format(workers=workers, more=more))
    sqlite3.connect(folder / "jobs.db").close()
    subprocess.run([PROGRAM, "jobs"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    db = connect(folder)
    if finished:
        put(db, finished, "done")
    return db


def serve(folder):
    return subprocess.Popen([PROGRAM, "serve"], cwd=folder, stderr=subprocess.DEVNULL)


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def throughput(workers, jobs, finished):
    with tempfile.TemporaryDirectory(prefix="pattimpex-bench-") as name:
        folder = pathlib.Path(name)
        db = prepare(folder, workers, finished)
        put(db, jobs)
        process = serve(folder)
        while left(db) > jobs * 9 // 10:      # starting does not count
            time.sleep(0.002)
        begun, first = left(db), time.perf_counter()
        while left(db):
            time.sleep(0.005)
        took = time.perf_counter() - first
        end(process)
        db.close()
    return begun / took


def latencies(workers, seconds):
    """From the scheduler's decision to the claim, once a second: the workers sleep in between."""
    with tempfile.TemporaryDirectory(prefix="pattimpex-bench-") as name:
        folder = pathlib.Path(name)
        db = prepare(folder, workers, 0, "schedule: every second")
        process = serve(folder)
        time.sleep(seconds)
        end(process)
        waits = sorted((started - created) / 1000 for created, started in
                       db.execute("SELECT created, started FROM pattimpex_job WHERE kind = 'process' AND state = 'done'"))
        db.close()
    return len(waits), waits[len(waits) // 2], waits[len(waits) * 99 // 100]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--latency", type=int, default=60, help="seconds")
    parser.add_argument("--finished", type=int, default=1000000)
    options = parser.parse_args()
    for workers in (1, 2, 4):
        print(f"{workers} workers: {throughput(workers, options.jobs, 0):7.0f} jobs/s", flush=True)
    print(f"1 worker, {options.finished} finished jobs in the table: {throughput(1, options.jobs, options.finished):7.0f} jobs/s", flush=True)
    n, half, most = latencies(2, options.latency)
    print(f"latency from schedule to claim, 2 idle workers, {n} jobs: p50 {half:.1f} ms, p99 {most:.1f} ms")


if __name__ == "__main__":
    main()

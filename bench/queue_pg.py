#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs a second through the queue at its own interface, on PostgreSQL: claimed and ended in batches, with fence, counters and needs.

    bench/queue_pg.py [--jobs 100000] [--rounds 3] [--channels root:8] [--finished 0]

A server of its own that puts every commit on the disk. Each process of bench/queue_pg.c ends a batch and claims the next one until nothing is left;
the jobs do nothing. CPU is that of the processes and the server together, for a job. Where npm is there, graphile-worker and pg-boss do the same on
the same server (bench/npm_queues.py).
"""
import argparse
import pathlib
import resource
import statistics
import subprocess
import time

import cluster
import npm_queues
import psycopg2

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bench" / "queue_pg"
INSERT = ("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, task, created, started, ended)"
          " SELECT 'process', 'root.process', 20, t, 0, 0, 0, %s, 'send ' || n %% 10, t, 0, %s"
          " FROM generate_series(1, %s) AS n, (SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS t) AS now")


class Processes:
    """All of them, ready to begin."""

    def __init__(self, commands):
        self.all = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands]
        for process in self.all:
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError("a process does not begin")

    def run(self):
        """Seconds, and what each said at its end."""
        begun = time.perf_counter()
        for process in self.all:
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.stdout.readline().split() for process in self.all]
        return time.perf_counter() - begun, said

    def run_until(self, is_done):
        """Seconds until something is so; they are ended."""
        begun = time.perf_counter()
        for process in self.all:
            process.stdin.write("\n")
            process.stdin.flush()
        while not is_done():
            time.sleep(0.01)
        took = time.perf_counter() - begun
        for process in self.all:
            process.kill()
            process.wait()
        return took

    def end(self):
        for process in self.all:
            process.stdin.close()
            if process.wait(60):
                raise RuntimeError("a process failed")


def new_database(server, finished, jobs):
    databases = cluster.postgres.Databases(server.url)
    url = databases.new()
    databases.db.close()
    # the tables are made by whoever opens them first
    subprocess.run([PROGRAM, url, "1"], input="\n", text=True, check=True, stdout=subprocess.DEVNULL)
    db = psycopg2.connect(url)
    db.autocommit = True
    with db.cursor() as cursor:
        if finished:
            cursor.execute(INSERT, ("done", 1, finished))
        cursor.execute(INSERT, ("pending", 0, jobs))
        cursor.execute("VACUUM ANALYZE pattimpex_job")
        cursor.execute("CHECKPOINT")
    db.close()
    return url


class Server(cluster.Measured):
    """One for all: what commits is on the disk."""

    def start(self, port=None):
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write("autovacuum = on\nmax_connections = 100\n")
        super().start(port)


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def drain(server, batch, n, options):
    """Jobs a second, and CPU microseconds of a job."""
    url = new_database(server, options.finished, options.jobs)
    before = server.cpu() + cpu_of_children()
    processes = Processes([[PROGRAM, url, str(batch), *([options.channels] if options.channels else [])] for _ in range(n)])
    took, said = processes.run()
    processes.end()
    cpu = server.cpu() + cpu_of_children() - before
    done = sum(int(of_one[0]) for of_one in said)
    if done != options.jobs:
        raise RuntimeError(f"{done} of {options.jobs} jobs have ended")
    return options.jobs / took, cpu / options.jobs * 1e6


def drain_peer(server, name, batch, n, options):
    make, script, done = npm_queues.PEERS[name]
    databases = cluster.postgres.Databases(server.url)
    url = databases.new()
    databases.db.close()
    db = psycopg2.connect(url)
    db.autocommit = True
    cursor = db.cursor()
    make(url, cursor, options.jobs)
    cursor.execute("VACUUM ANALYZE")
    cursor.execute("CHECKPOINT")
    processes = Processes([npm_queues.command(script, url, batch) for _ in range(n)])

    def is_done():
        cursor.execute(done)
        return cursor.fetchone()[0]
    took = processes.run_until(is_done)
    db.close()
    return options.jobs / took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--channels", default="root:8")
    parser.add_argument("--finished", type=int, default=0)
    parser.add_argument("--batches", type=int, nargs="*", default=[10, 100])
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4])
    options = parser.parse_args()
    server = Server()
    try:
        for batch in options.batches:
            for n in options.processes:
                rounds = [drain(server, batch, n, options) for _ in range(options.rounds)]
                rates = [rate for rate, _ in rounds]
                cpu = statistics.median(spent for _, spent in rounds)
                print(f"batches of {batch:3}, {n} process{'es' if n > 1 else '  '}: {statistics.median(rates):7.0f} jobs/s"
                      f"  (from {min(rates):.0f} to {max(rates):.0f}), {cpu:5.1f} us of CPU a job", flush=True)
        for name in npm_queues.PEERS if npm_queues.installed() else ():
            for n in options.processes:
                for batch in options.batches if name == "pg-boss" else (500,):
                    rates = [drain_peer(server, name, batch, n, options) for _ in range(options.rounds)]
                    print(f"{name}, batches of {batch:3}, {n} process{'es' if n > 1 else '  '}: {statistics.median(rates):7.0f} jobs/s", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()

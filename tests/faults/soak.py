# SPDX-License-Identifier: Apache-2.0
"""soak.py [--seconds N] [--seed N] [--program PATH]: `serve` with two import tasks and an export, a stream of files, and processes that are
killed, stopped and told to reload at random times. In the end every file was imported exactly once, the counts agree, nothing
hangs, nothing is left behind. `./dev soak` is this; tests/faults/test_soak.py its short form."""
import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
from server import Server, state, title, until     # noqa: E402  (the path comes first)

PROGRAM = str(pathlib.Path(__file__).resolve().parents[2] / "build" / "pattimpex")
TASKS = ("left", "right")
SETTLE = 180            # seconds for all that was dropped to be done with, once nobody is killed any more
LAST_CHANGE = 60        # the dropped files' age
TWO_DAYS = 2 * 86400    # a temporary name that old is no living process's any more

SCHEMA = """
CREATE TABLE partner (id integer PRIMARY KEY, name text NOT NULL, email text UNIQUE, source text);
CREATE TABLE made (email text NOT NULL);
CREATE TRIGGER made_partner AFTER INSERT ON partner BEGIN INSERT INTO made VALUES (NEW.email); END;
"""

CONFIG = """
database: sqlite:soak.db
filestore: filestore
serve: {workers: 3, stop_timeout: 10s}
storages:
  drop: {type: file, directory: drop}
patterns:
  partner: {model: partner, format: csv, chunk_size: 10, fields: [name, {field: email, key: true}, source]}
import_tasks:
  left: {storage: drop, path: left, pattern: partner, after_import: move, move_path: left/done, error_path: left/errors, schedule: every second}
  right: {storage: drop, path: right, pattern: partner, after_import: move, move_path: right/done, error_path: right/errors, schedule: every second}
export_tasks:
  all: {storage: drop, path: out, pattern: partner, file_name: all.csv, schedule: every 3 seconds}
"""

UNFINISHED = ("SELECT (SELECT count(*) FROM pattimpex_attachment WHERE direction <> 'export' AND state = 'pending')"
              " + (SELECT count(*) FROM pattimpex_job WHERE kind IN ('import', 'report', 'upload') AND state IN ('waiting', 'pending', 'started'))")


class Soak:
    def __init__(self, folder, seed, program=PROGRAM, env=None):
        self.folder = pathlib.Path(folder)
        self.random = random.Random(seed)
        self.program = program
        self.env = env or {}
        self.dropped = {}       # task/name -> rows that are good, rows that are bad
        self.done = {}          # what was done to the processes -> how often
        self.stopped = {}       # pid -> when it goes on
        self.server = None
        (self.folder / "pattimpex.yaml").write_text(CONFIG)
        for task in TASKS:
            (self.folder / "drop" / task).mkdir(parents=True)
        db = sqlite3.connect(self.folder / "soak.db")
        db.executescript(SCHEMA)
        db.close()

    def rows(self, sql):
        db = sqlite3.connect(self.folder / "soak.db", timeout=60)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    # ---- files

    def drop(self):
        task = self.random.choice(TASKS)
        number = len(self.dropped)
        name = f"{number}.csv"
        good = self.random.randint(1, 60)
        bad = self.random.choice([0, 0, 0, 1])
        lines = [f"N{i},{number}-{i}@x.test,{name}" for i in range(good)]
        if bad:
            lines.insert(self.random.randint(0, good), f",bad-{number}@x.test,{name}")
        self.drop_file(task, name, *lines)
        self.dropped[f"{task}/{name}"] = good, bad

    def drop_file(self, task, name, *lines):
        hidden = self.folder / "drop" / f"{name}.part"
        hidden.write_text("\n".join(["name,email#key,source", *lines]) + "\n")
        self.age(hidden, LAST_CHANGE)
        hidden.rename(self.folder / "drop" / task / name)

    @staticmethod
    def age(path, seconds):
        when = time.time() - seconds
        os.utime(path, (when, when))

    # ---- processes

    def serve(self):
        self.server = Server(self.program, self.folder, "serve", env=self.env)

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def child(self, name):
        pids = self.server.pids(name)
        return self.random.choice(pids) if pids else None

    def kill(self, name):
        pid = self.child(name)
        if pid:
            self.server.tell(signal.SIGKILL, pid)
            self.count(f"{name} killed")

    def pause(self):
        pid = self.child("worker")
        if pid and pid not in self.stopped:
            self.server.tell(signal.SIGSTOP, pid)
            self.stopped[pid] = time.monotonic() + self.random.uniform(0.5, 4)
            self.count("worker stopped for a while")

    def go_on(self, all_of_them=False):
        for pid, when in list(self.stopped.items()):
            if all_of_them or time.monotonic() >= when:
                if state(pid) == "T" and title(pid).startswith("pattimpex:"):
                    self.server.tell(signal.SIGCONT, pid)
                del self.stopped[pid]

    def kill_supervisor(self):
        self.server.tell(signal.SIGKILL)
        self.server.ends()
        self.server.socket.close()
        self.count("supervisor killed")
        self.serve()

    def stop_and_start(self, number):
        self.go_on(all_of_them=True)
        self.server.tell(number)
        assert self.server.ends() in (0, -signal.SIGTERM, -signal.SIGINT)
        self.server.socket.close()
        self.count(f"told to stop by {number.name}")
        self.serve()

    def harm(self):
        actions = [lambda: self.kill("worker")] * 10 + [self.pause] * 4 + [lambda: self.kill("scheduler")] * 2 + [self.kill_supervisor] * 2
        actions += [lambda: self.stop_and_start(signal.SIGTERM), lambda: self.server.tell(signal.SIGHUP)]
        self.random.choice(actions)()

    # ---- the whole

    def run(self, seconds, pause=(0.2, 2.0)):
        """A stream of files and harm for so long."""
        self.serve()
        end = time.monotonic() + seconds
        next_harm = time.monotonic() + self.random.uniform(*pause)
        next_file = 0
        while time.monotonic() < end:
            now = time.monotonic()
            if now >= next_file:
                self.drop()
                next_file = now + self.random.uniform(0.1, 0.8)
            if now >= next_harm:
                self.harm()
                next_harm = now + self.random.uniform(*pause)
            self.go_on()
            assert self.server.process.poll() is None, f"serve has ended\n{self.server.log_path.read_text()[-3000:]}"
            time.sleep(0.02)
        self.go_on(all_of_them=True)

    def retry_failed(self):
        """A job that was hit twice without getting on has failed, as it should; a person would run it again."""
        failed = [str(row[0]) for row in self.rows("SELECT id FROM pattimpex_job WHERE state = 'failed' AND kind IN ('import', 'report', 'upload')")]
        for job in failed:
            subprocess.run([self.program, "retry", "job", job], cwd=self.folder, capture_output=True, timeout=120, check=False)
            self.count("job retried by hand")
        return failed

    def settled(self):
        waiting = [path for task in TASKS for path in (self.folder / "drop" / task).glob("*.csv")]
        return not waiting and not self.retry_failed() and self.rows(UNFINISHED) == [(0,)]

    def settle(self):
        until("all files are imported", self.settled, SETTLE)
        self.server.told("READY=1")     # one that was started a moment ago does not hear signals yet: it ends by them
        self.server.tell(signal.SIGTERM)
        status = self.server.ends()
        assert status == 0, f"serve ended with {status}\n{self.server.log_path.read_text()[-3000:]}"
        self.server.socket.close()

    def workers_with_files(self):
        lines = [json.loads(line) for log in self.folder.glob("log-*") for line in log.read_bytes().split(b"\n")[:-1] if line.startswith(b"{")]
        return {line["worker"] for line in lines if line["file"]}

    def finish_leftovers(self):
        """Half-written files: nobody can tell them from ones that are being written, until they are old; then the next file that is put into the
        folder takes them away."""
        for path in self.leftovers():
            self.age(path, TWO_DAYS)
        for task in TASKS:
            self.drop_file(task, "last.csv", ",last@x.test,a row without a name")
        subprocess.run([self.program, "run"], cwd=self.folder, capture_output=True, timeout=120, check=False)

    def leftovers(self):
        return sorted((self.folder / "drop").rglob(".pattimpex-*"))

    def check(self):
        imported = {f"{task}/{name}": (created, failed, updated + unchanged, n) for task, name, created, failed, updated, unchanged, n in self.rows(
            "SELECT a.task, a.name, sum(f.n_created), sum(f.n_failed), sum(f.n_updated), sum(f.n_unchanged), count(*)"
            " FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id WHERE f.kind = 'import' GROUP BY a.id")}
        expected = {name: (good, bad, 0, 1) for name, (good, bad) in self.dropped.items()}
        assert imported == expected, {k: (imported.get(k), v) for k, v in expected.items() if imported.get(k) != v}
        fetched = self.rows("SELECT task || '/' || name FROM pattimpex_attachment WHERE direction = 'import' ORDER BY 1")
        assert [name for name, in fetched] == sorted(self.dropped), "every file is fetched once"
        total = sum(good for good, _ in self.dropped.values())
        assert self.rows("SELECT count(*), count(DISTINCT email) FROM made") == [(total, total)], "every record is made once"
        assert self.rows("SELECT count(*) FROM partner") == [(total,)]
        bad = sum(bad for _, bad in self.dropped.values())
        counted = dict(self.rows("SELECT subject || ' ' || outcome, sum(n) FROM pattimpex_counter WHERE subject IN ('fetched', 'rows')"
                                 " AND outcome <> 'exported' GROUP BY 1"))
        assert counted == {"fetched ": len(self.dropped), "rows created": total, **({"rows failed": bad} if bad else {})}, "the counters agree"
        for folder, wanted in ("done", self.dropped), ("errors", [name for name, (_, bad) in self.dropped.items() if bad]):
            there = sorted(f"{task}/{path.name}" for task in TASKS for path in (self.folder / "drop" / task / folder).glob("*.csv"))
            assert there == sorted(wanted), folder
        assert self.rows("SELECT kind, state, error FROM pattimpex_job WHERE state NOT IN ('done', 'failed', 'cancelled', 'pending')") == []
        assert len(self.workers_with_files()) > 1, "one worker did all"
        self.finish_leftovers()
        assert self.leftovers() == []
        assert sorted(self.folder.glob("soak.db-worker-*")) == []

    def told(self):
        counts = ", ".join(f"{what}: {n}" for what, n in sorted(self.done.items()))
        return f"{len(self.dropped)} files, {sum(g + b for g, b in self.dropped.values())} rows; {counts or 'nobody was harmed'}"


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options.add_argument("--program", default=PROGRAM)
    given = options.parse_args()
    folder = tempfile.mkdtemp(prefix="pattimpex-soak-")
    print(f"soak: seed {given.seed}, {given.seconds} s, in {folder}", flush=True)
    soak = Soak(folder, given.seed, given.program)
    try:
        soak.run(given.seconds)
        print(f"soak: {soak.told()}; waiting for the rest", flush=True)
        soak.settle()
        soak.check()
    except AssertionError as error:
        print(f"soak: {soak.told()}\nsoak: failed, seed {given.seed}, see {folder}: {error}")
        return 1
    finally:
        if soak.server and soak.server.process.poll() is None:
            soak.server.__exit__()
    print(f"soak: every file was imported exactly once ({soak.told()})")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())

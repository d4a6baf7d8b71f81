#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files to and from servers on the loopback, beside OpenSSH's sftp and rclone, in one run.

    bench/storage.py [--big 256] [--files 2000] [--turns 3] [--only sftp|ftp]

A large file of so many MiB up and down; so many files of 10 KB down, and at most 900 of them up. Ours is `storage put` and `storage get` (written
aside, synced, renamed), upwards also as many exports that waited to be sent (each a job), and for the many downwards an import task without a
pattern, which keeps the files safe in the filestore and their rows in the database: sftp and rclone sync nothing, but `put -f`, which is measured
too, syncs, and so does `sync` after a `get`. Elapsed seconds, best of turns, and the seconds of CPU of the client then; the cipher is everybody's
own first choice, but that of OpenSSH's sftp is ours and rclone's. In each turn all come one after the other, another one first each time, and what
the one before has left to be written is written.
"""
import argparse
import contextlib
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "flows"))
from ftp_servers import Vsftpd  # noqa: E402 (the tests' servers)
from sftp_servers import Sshd  # noqa: E402

CIPHER = "aes128-gcm@openssh.com"
MOST_UP = 900  # arguments of `storage put`
PROGRAM = ROOT / "build" / "pattimpex"
CONFIG = """
database: sqlite:shop.db
filestore: filestore
storages:
  server: {settings}
patterns:
  t: {{model: t, format: csv, fields: [name]}}
import_tasks:
  in: {{storage: server, path: many, after_import: keep, stable_for: 0}}
export_tasks:
  out: {{storage: server, path: up, pattern: t, upload_schedule: "0 6 1 1 *"}}
"""
# One export as many: what is measured is that they are sent.
COPY = """
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
INSERT INTO pattimpex_attachment (direction, state, name, task, pattern, sha256, size, storage, path, on_exists, remote_action, created, changed)
SELECT direction, state, n || '.csv', task, pattern, sha256, size, storage, path, on_exists, remote_action, created, changed
FROM pattimpex_attachment, n
"""


# Of several streams of one file vsftpd refuses some ("426"), and rclone begins again.
RCLONE_OPTIONS = ["--multi-thread-streams", "0"]


class Bench:
    def __init__(self, kind, folder, options):
        self.kind, self.folder, self.options = kind, folder, options
        (folder / "server").mkdir()
        self.served = folder / "served"
        (self.served / "many").mkdir(parents=True)
        self.server = Sshd(folder / "server") if kind == "sftp" else Vsftpd(folder / "server")
        (folder / "pattimpex.yaml").write_text(CONFIG.format(settings=self.server.settings(self.served)))
        (folder / "big").write_bytes(os.urandom(options.big * 1024 * 1024))
        for n in range(options.files):
            (self.served / "many" / f"{n:05}").write_bytes(os.urandom(10_000))
        then = time.time() - 60
        for path in (self.served / "many").iterdir():
            os.utime(path, (then, then))
        self.env = {**os.environ, "RCLONE_CONFIG": os.devnull, **{f"RCLONE_CONFIG_SERVER_{name}": str(value) for name, value in self.rclone().items()}}

    def rclone(self):
        if self.kind == "sftp":
            return {"TYPE": "sftp", "HOST": "127.0.0.1", "PORT": self.server.port, "USER": self.server.user, "KEY_FILE": self.server.folder / "user",
                    "DISABLE_HASHCHECK": "true", "SHELL_TYPE": "none"}
        obscured = subprocess.run(["rclone", "obscure", "x"], check=True, capture_output=True, text=True).stdout.strip()
        return {"TYPE": "ftp", "HOST": "127.0.0.1", "PORT": self.server.port, "USER": "anonymous", "PASS": obscured}

    def seconds(self, before, commands, input=None):
        for path in (self.folder / "back", self.served / "big", self.served / "up", self.folder / "filestore", self.folder / "shop.db"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        before()
        os.sync()
        begun, cpu = time.monotonic(), self.cpu()
        for command in commands:
            done = subprocess.run(list(map(str, command)), cwd=self.folder, env=self.env, input=input, text=True, capture_output=True)
            if done.returncode:
                sys.exit(f"{command[0]}: {done.stdout}{done.stderr}")
        return time.monotonic() - begun, self.cpu() - cpu

    @staticmethod
    def cpu():
        """Of all programs that were waited for: the servers are none of them."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def sftp(self, line, *then):
        options = ["-i", self.server.folder / "user", f"-oUserKnownHostsFile={self.server.folder}/known_hosts-{self.server.port}", "-P", self.server.port]
        return [["sftp", "-q", "-c", CIPHER, "-b", "-", *options, f"{self.server.user}@127.0.0.1"], *then], line

    def compare(self, what, ways, before=lambda: None):
        """ways: name -> commands, and what sftp is told; ours is the first."""
        names, best = list(ways), {}
        for turn in range(self.options.turns):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                took = self.seconds(before, *ways[name])
                best[name] = min(best.get(name, took), took)
        print(f"{self.kind}, {what}")
        for name in names:
            took, cpu = best[name]
            print(f"  {name:24}{took:8.2f} s  {took / best[names[0]][0]:6.2f} x ours  {cpu:8.2f} s CPU")

    def copy_here(self):
        shutil.copy(self.folder / "big", self.served / "big")

    def execute(self, statement, values=()):
        with contextlib.closing(sqlite3.connect(self.folder / "shop.db")) as db, db:
            db.execute(statement, values)

    def make_database(self):
        self.execute("CREATE TABLE t (id integer PRIMARY KEY, name text)")
        (self.folder / "back").mkdir()

    def make_exports(self):
        self.make_database()
        self.execute("INSERT INTO t (name) VALUES (?)", ["x" * 10_000])
        subprocess.run([PROGRAM, "run", "out"], check=True, cwd=self.folder, env=self.env, capture_output=True)
        self.execute(COPY, [MOST_UP - 1])

    def up(self):
        ways = {"ours": [[[PROGRAM, "storage", "put", "server", "big"]]]}
        if self.kind == "sftp":
            ways |= {f"sftp {flag}": self.sftp(f"{flag} big {self.served}/big\n") for flag in ("put", "put -f")}
        ways["rclone"] = [[["rclone", "copyto", "big", f"server:{self.served}/big"]]]
        self.compare(f"{self.options.big} MiB up", ways)

    def down(self):
        ways = {"ours": [[[PROGRAM, "storage", "get", "server", "big", "-o", "back"]]]}
        if self.kind == "sftp":
            line = f"get {self.served}/big back\n"
            ways |= {"sftp get": self.sftp(line), "sftp get, sync back": self.sftp(line, ["sync", "back"])}
        ways["rclone"] = [[["rclone", "copyto", *RCLONE_OPTIONS, f"server:{self.served}/big", "back"]]]
        self.compare(f"{self.options.big} MiB down", ways, self.copy_here)

    def many_up(self):
        files = sorted((self.served / "many").iterdir())[:MOST_UP]
        here = self.folder / "many"
        here.mkdir()
        for path in files:
            shutil.copy(path, here)
        there = f"{self.served}/up"
        ways = {"ours, each synced": [[[PROGRAM, "storage", "put", "server", *sorted(here.iterdir()), "up/"]]],
                "ours, exports": [[[PROGRAM, "attachments", "run", "--pending", "--limit", MOST_UP]]]}
        if self.kind == "sftp":
            ways |= {f"sftp {flag}": self.sftp(f"mkdir {there}\n{flag} {here}/* {there}\n") for flag in ("put", "put -f")}
        ways["rclone"] = [[["rclone", "copy", here, f"server:{there}"]]]
        self.compare(f"{len(files)} x 10 KB up", ways, self.make_exports)

    def many(self):
        ways = {"ours, each kept safe": [[[PROGRAM, "run", "in"]]]}
        if self.kind == "sftp":
            ways["sftp get"] = self.sftp(f"get {self.served}/many/* back\n")
        ways["rclone"] = [[["rclone", "copy", f"server:{self.served}/many", "back"]]]
        self.compare(f"{self.options.files} x 10 KB down", ways, self.make_database)

    def run(self):
        self.up()
        self.down()
        self.many()
        self.many_up()
        self.server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--big", type=int, default=256)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only", choices=["sftp", "ftp"])
    options = parser.parse_args()
    for kind in [options.only] if options.only else ["sftp", "ftp"]:
        with tempfile.TemporaryDirectory() as folder:
            Bench(kind, pathlib.Path(folder), options).run()


main()

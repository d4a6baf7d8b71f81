#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the tests' own, on a free port of the loopback, run by an ordinary user, gone with who started it.

    postgres.py            prints the URL of a database of its superuser, and ends the server when standard input ends

Who finds PATTIMPEX_POSTGRES in the environment uses the server that this URL names and starts none.
"""
import contextlib
import ctypes
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from ports import free_port

VARIABLE = "PATTIMPEX_POSTGRES"
PASSWORD = "open s@sam/e"      # of the user locked: the only one who is asked for it
LIMIT = 60
PR_SET_PDEATHSIG = 1
SETTINGS = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_wal_size = 4GB
shared_buffers = 64MB
max_connections = 60
max_prepared_transactions = 4
timezone = 'Asia/Kolkata'      # what comes and goes must not depend on it
datestyle = 'sql, dmy'
lc_messages = 'C'
"""
HBA = """
host all locked 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""


class Broken(Exception):
    """The server does not start; the text is what it says."""


def program(name):
    """initdb and postgres are not in PATH on Debian: they stand in the folder of their version."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda f: int(f.parent.name))
    found = next((str(f / name) for f in reversed(folders) if (f / name).exists()), None) or shutil.which(name)
    if not found:
        raise Broken(f"there is no {name}: install the package postgresql")
    return found


def as_user():
    """How to run a program as somebody whom PostgreSQL accepts: it refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise Broken("PostgreSQL refuses root, and there is no user postgres or nobody to run it as")


def end_with_parent():
    """Also when this process is killed the server ends, at once (SIGQUIT)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


class Cluster:
    """A running server. Databases are made of it one a test; their URLs hold no password."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="px-postgres-"))
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.user = as_user()
        self.process = None
        try:
            self.make()
            self.start()
        except BaseException:
            self.stop()
            raise

    def make(self):
        if self.user:
            os.chown(self.folder, self.user["user"], self.user["group"])
        self.log.touch()
        done = subprocess.run([program("initdb"), "-D", self.data, "-U", "tester", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync",
                               "--no-instructions"], cwd="/", text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **self.user)
        if done.returncode:
            raise Broken(f"initdb: {done.stdout}")
        (self.data / "pg_hba.conf").write_text(HBA)
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write(SETTINGS)

    def start(self, port=None):
        """On a free port; another process may take it meanwhile, so several are tried. On the port given: that one."""
        for _ in range(1 if port else 5):
            self.port = port or free_port()
            if self.try_port():
                return
        raise Broken(f"the server does not start: {self.log.read_text(errors='replace')}")

    def try_port(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program("postgres"), "-D", self.data, "-p", str(self.port), "-k", self.data], cwd="/", stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, preexec_fn=end_with_parent, **self.user)
        end = time.monotonic() + LIMIT
        while self.process.poll() is None and time.monotonic() < end:
            if self.is_ready():
                return True
            time.sleep(0.01)
        self.stop_process(signal.SIGQUIT)
        return False

    def is_ready(self):
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().split("\n")
            return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"
        return False

    def stop_process(self, number):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(LIMIT)

    def restart(self):
        """As after a crash: every connection is cut, nothing that was committed is lost."""
        self.stop_process(signal.SIGQUIT)
        self.start(self.port)

    def stop(self):
        self.stop_process(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres"


class Databases:
    """New empty databases of one server, by its URL."""

    counter = itertools.count()

    def __init__(self, url):
        self.url = url
        self.db = psycopg2.connect(url)
        self.db.autocommit = True

    def url_of(self, name):
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def new(self, template=None):
        """A copy of the database of the URL template; None: an empty one."""
        name = f"test_{os.getpid()}_{next(self.counter)}"
        source = urlsplit(template).path[1:] if template else "template0"
        with self.db.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self.url_of(name)

    def drop(self, url):
        with self.db.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")


@contextlib.contextmanager
def server():
    """The URL of the server that the environment names, else of one that lives as long as the context."""
    if os.environ.get(VARIABLE):
        yield os.environ[VARIABLE]
        return
    cluster = Cluster()
    try:
        yield cluster.url
    finally:
        cluster.stop()


def main():
    cluster = Cluster()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        print(cluster.url, flush=True)
        sys.stdin.buffer.read()
    finally:
        cluster.stop()


if __name__ == "__main__":
    try:
        main()
    except Broken as error:
        sys.exit(f"postgres.py: {error}")

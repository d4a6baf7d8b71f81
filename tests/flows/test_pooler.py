# SPDX-License-Identifier: Apache-2.0
"""Projects on PostgreSQL behind pgbouncer, which hands out sessions by transactions."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
from urllib.parse import urlsplit, urlunsplit

import postgres
import psycopg2
import pytest
from conftest import BAD
from ports import free_port
from server import until

CONFIG = """
serve: {workers: 2}
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors, schedule: every second}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv}
"""
SETTINGS = ("datestyle", "timezone", "intervalstyle", "lock_timeout", "default_transaction_read_only", "random_page_cost", "extra_float_digits",
            "idle_in_transaction_session_timeout")


def ask(url, sql):
    with contextlib.closing(psycopg2.connect(url)) as db, db.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


class Bouncer:
    """Two sessions of the server for all: who leaves something in one, or counts on what was in it, is found out."""

    def __init__(self, server):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="px-pooler-"))
        at = urlsplit(server)
        self.port = free_port()
        (self.folder / "users").write_text(f'"{at.username}" ""\n')
        (self.folder / "ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={at.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nauth_type = trust\n"
            f"auth_file = {self.folder}/users\npool_mode = transaction\ndefault_pool_size = 2\nunix_socket_dir =\nlogfile = {self.folder}/log\n")
        user = postgres.as_user()
        for path in (self.folder, self.folder / "ini", self.folder / "users"):
            if user:
                os.chown(path, user["user"], user["group"])
        self.process = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", self.folder / "ini"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=postgres.end_with_parent, **user)
        until("pgbouncer answers", self.answers)

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg2.connect(f"postgresql://tester@127.0.0.1:{self.port}/postgres").close()
            return True
        except psycopg2.OperationalError:
            return False

    def before(self, of_server):
        """The URL of the same database through it."""
        at = urlsplit(of_server)
        return urlunsplit(at._replace(netloc=f"{at.username}@127.0.0.1:{self.port}"))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def bouncer(databases):
    started = Bouncer(databases.url)
    yield started
    started.stop()


@pytest.fixture
def pooled(shop, url, bouncer):
    shop.base = shop.base.replace(url, bouncer.before(url))
    shop.config(CONFIG, base=shop.base)
    return shop


def settings_through(bouncer, url):
    return [ask(bouncer.before(url), f"SELECT current_setting('{name}')")[0][0] for name in SETTINGS]


def test_both_ways_go_through_a_pooler_and_leave_nothing_in_it(pooled, url, bouncer):
    before = settings_through(bouncer, url)
    pooled.drop("bad.csv", BAD)
    pooled.call("run", status=1)
    pooled.call("import", "partner", str(pooled.drop("again.csv", BAD, folder="by-hand")), "--dry-run", status=1)
    assert ask(url, "SELECT name FROM partner ORDER BY name") == [("Alice",), ("Bob",), ("Erin",)]
    assert "Erin" in (pooled.drop_folder / "out" / "all.csv").read_text()
    assert "#Error" in (pooled.drop_folder / "errors" / "bad.csv").read_text()
    assert settings_through(bouncer, url) == before
    assert ask(bouncer.before(url), "SELECT count(*) FROM pg_prepared_statements") == [(0,)]


def test_serve_works_through_a_pooler(pooled, url, serve_ready):
    serve_ready()
    pooled.drop("good.csv")
    until("the file is imported", lambda: ask(url, "SELECT 1 FROM partner WHERE name = 'Carol'"))
    until("it is put away", lambda: (pooled.drop_folder / "done" / "good.csv").exists())


def test_external_ids_need_the_server_itself(pooled):
    pooled.config("", base=pooled.base + "  ids: {model: partner, format: csv, fields: [id, name]}\n")
    done = pooled.call("export", "ids", status=None)
    assert done.returncode != 0 and "not its pooler" in done.stderr

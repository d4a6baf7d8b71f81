# SPDX-License-Identifier: Apache-2.0
"""The server is started again, cuts the connection, or leaves its place to another one, in the middle of a chunk: the chunk runs again, no row is
lost or there twice."""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import psycopg2
import pytest
from test_kill import PROGRAM

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
import postgres  # noqa: E402 (the folder above this one)

LIMIT = 60
LOCK = 4711
# A row called Wait waits in its INSERT until nobody else holds the lock.
SCHEMA = f"""
CREATE TABLE partner (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, name text NOT NULL);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN new; END $$;
CREATE TRIGGER wait BEFORE INSERT ON partner FOR EACH ROW WHEN (new.name = 'Wait') EXECUTE FUNCTION wait();
"""
CONFIG = """
database: {url}
filestore: filestore
storages: {{drop: {{type: file, directory: drop}}}}
patterns:
  partner: {{model: partner, format: csv, chunk_size: 50, fields: [{{field: email, key: true}}, name]}}
import_tasks:
  in: {{storage: drop, path: in, pattern: partner, after_import: move, move_path: done, retry: {{tries: 10, base: 1s}}}}
"""
ROWS = 400
WAITS = 230


class Load:
    def __init__(self, folder, url, whole=False):
        self.folder, self.url, self.whole = folder, url, whole
        (folder / "drop" / "in").mkdir(parents=True)
        path = folder / "drop" / "in" / "a.csv"
        path.write_text("email#key,name\n" + "".join(f"p{n}@x.test,{'Wait' if n == WAITS else f'Name {n}'}\n" for n in range(ROWS)))
        os.utime(path, (time.time() - 60,) * 2)
        (folder / "pattimpex.yaml").write_text(CONFIG.format(url=url).replace("chunk_size: 50", "on_error: abort" if whole else "chunk_size: 50"))
        self.query(SCHEMA)

    def query(self, sql):
        with psycopg2.connect(self.url) as db, db.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def start(self):
        return subprocess.Popen([PROGRAM, "run", "--wait", "30"], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def await_waiting(self, process):
        """The process of the server in which the row waits."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            assert process.poll() is None, process.stdout.read()
            found = self.query(f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK} AND NOT granted")
            if found:
                return found[0][0]
            time.sleep(0.02)
        raise AssertionError("no row came to wait")

    def check_all_there(self):
        assert self.query("SELECT count(*), count(DISTINCT email) FROM partner") == [(ROWS, ROWS)]
        assert self.query("SELECT state, n_rows, n_created, n_unchanged, n_failed FROM pattimpex_file") == [("done", ROWS, ROWS, 0, 0)]
        assert self.query("SELECT sum(n) FROM pattimpex_counter WHERE subject = 'rows' AND outcome = 'created'") == [(ROWS,)]
        assert self.query("SELECT count(*) FROM pattimpex_job WHERE state <> 'done'") == [(0,)]
        assert [p.name for p in (self.folder / "drop" / "done").iterdir()] == ["a.csv"]


class Primary(postgres.Cluster):
    """What it has committed is on the disk of its standby."""

    def make(self):
        super().make()
        with open(self.data / "pg_hba.conf", "a") as hba:
            hba.write("host replication all 127.0.0.1/32 trust\n")

    def wait_for_standby(self):
        self.set("synchronous_commit = on")
        self.set("synchronous_standby_names = '*'")
        self.tell("SELECT pg_reload_conf()")
        end = time.monotonic() + LIMIT
        while self.tell("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != 1:
            assert time.monotonic() < end, self.log.read_text(errors="replace")
            time.sleep(0.02)

    def set(self, setting):
        self.tell(f"ALTER SYSTEM SET {setting}")

    def tell(self, sql):
        db = psycopg2.connect(self.url)
        db.autocommit = True
        with db.cursor() as cursor:
            cursor.execute(sql)
            found = cursor.fetchone()[0] if cursor.description else None
        db.close()
        return found


class Standby(Primary):
    def __init__(self, primary):
        self.primary = primary
        super().__init__()

    def make(self):
        if self.user:
            os.chown(self.folder, self.user["user"], self.user["group"])
        self.log.touch()
        subprocess.run([postgres.program("pg_basebackup"), "-D", self.data, "-d", self.primary.url, "-R", "-c", "fast", "--no-sync"], cwd="/", check=True,
                       capture_output=True, **self.user)

    def is_ready(self):
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().split("\n")
            return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() in ("ready", "standby")
        return False


@pytest.fixture
def cluster():
    own = postgres.Cluster()
    yield own
    own.stop()


def interrupted(load, interrupt):
    """A run that is in the middle of a chunk, which interrupt(its process of the server) ends, goes on by itself."""
    holder = psycopg2.connect(load.url)
    holder.cursor().execute(f"SELECT pg_advisory_lock({LOCK})")
    process = load.start()
    try:
        pid = load.await_waiting(process)
        assert load.query("SELECT count(*) FROM partner")[0][0] == (0 if load.whole else WAITS // 50 * 50)
        interrupt(pid)
        holder.close()
        out = process.communicate(timeout=LIMIT)[0]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, out
    load.check_all_there()


def test_server_is_started_again_during_a_load(tmp_path, cluster):
    load = Load(tmp_path, cluster.url)
    interrupted(load, lambda pid: cluster.restart())


@pytest.mark.parametrize("whole", [False, True], ids=["chunk", "whole-file"])
def test_connection_is_cut_during_a_load(tmp_path, cluster, whole):
    load = Load(tmp_path, cluster.url, whole)
    interrupted(load, lambda pid: load.query(f"SELECT pg_terminate_backend({pid})"))



def test_another_server_takes_its_place_during_a_load(tmp_path):
    with contextlib.ExitStack() as servers:
        primary = Primary()
        servers.callback(primary.stop)
        standby = Standby(primary)
        servers.callback(standby.stop)
        primary.wait_for_standby()
        load = Load(tmp_path, f"postgresql://tester@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres?target_session_attrs=read-write")

        def fail_over(_pid):
            primary.stop_process(signal.SIGQUIT)
            assert standby.tell("SELECT pg_promote()")

        interrupted(load, fail_over)

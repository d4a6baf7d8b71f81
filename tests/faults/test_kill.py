# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every step boundary of both flows, in turn; then the program is started again and must end where an undisturbed
run ends: every file imported exactly once, no remote file lost, nothing left hanging.

The boundaries are the px_hook() calls of a build with -Dtest_hooks=true (src/base/hook.h).
"""
import collections
import contextlib
import functools
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
import postgres  # noqa: E402 (the folder above this one)

PROGRAM = os.environ.get("PATTIMPEX", str(pathlib.Path(__file__).resolve().parents[2] / "build-san" / "pattimpex"))
ATTEMPTS = 4            # runs after the kill until all is done
LAST_CHANGE = 60        # the dropped files' age in seconds
TWO_DAYS = 2 * 86400    # a temporary name that old is no living process's any more

SCHEMA = """
CREATE TABLE country (id integer PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE partner (id integer PRIMARY KEY, name text NOT NULL, email text UNIQUE, visits integer, country_id integer REFERENCES country (id));
INSERT INTO country (code) VALUES ('FR'), ('BE');
INSERT INTO partner (name, email) VALUES ('Alice', 'alice@x.test');
"""

CONFIG = """
database: sqlite:shop.db
filestore: filestore
storages:
  drop: {type: file, directory: drop}
patterns:
  partner:
    model: partner
    format: csv
    chunk_size: 2
    fields: [name, {field: email, key: true}, visits, country_id/code]
import_tasks:
  partners-in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors}
export_tasks:
  partners-out: {pattern: partner, storage: drop, path: out}
"""

OF_FOLDER = "{type: file, directory: drop}"

FILES = {
    "1.csv": "email#key,name,country_id|code\ncarol@x.test,Carol,FR\ndave@x.test,Dave,BE\nerin@x.test,Erin,FR\n",
    "2.csv": "email#key,name,country_id|code\nfrank@x.test,Frank,XX\ngrace@x.test,Grace,BE\n,,\nheidi@x.test,,BE\n",
    "3.csv": "email#key,visits\ncarol@x.test,7\n",
}


class Shop:
    def __init__(self, folder, settings=None, url=None):
        """settings: of another storage on the same folder, as one line of YAML. url: of an empty database of PostgreSQL."""
        self.folder, self.url = pathlib.Path(folder), url
        (self.folder / "drop" / "in").mkdir(parents=True)
        of_server = CONFIG.replace(OF_FOLDER, settings or "").replace("path: in,", "path: in, stable_for: 0,")
        self.configure(of_server if settings else CONFIG)
        schema = SCHEMA.replace("id integer PRIMARY KEY", "id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY") if url else SCHEMA
        for statement in filter(str.strip, schema.split(";")):
            self.rows(statement)
        for name, text in FILES.items():
            self.drop(name, text)

    def configure(self, text):
        (self.folder / "pattimpex.yaml").write_text(text.replace("sqlite:shop.db", self.url or "sqlite:shop.db"))

    def drop(self, name, text):
        path = self.folder / "drop" / "in" / name
        path.write_text(text)
        self.age(path, LAST_CHANGE)

    @staticmethod
    def age(path, seconds):
        when = time.time() - seconds
        os.utime(path, (when, when))

    def names_of_ours(self):
        return sorted((self.folder / "drop").rglob(".pattimpex-*"))

    def run(self, **environment):
        return subprocess.run([PROGRAM, "run"], cwd=self.folder, text=True, capture_output=True, timeout=120, env={**os.environ, **environment})

    def rows(self, sql):
        with contextlib.closing(psycopg2.connect(self.url) if self.url else sqlite3.connect(self.folder / "shop.db")) as db, db:
            cursor = db.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def unfinished(self):
        return self.rows("SELECT id, kind, state, error FROM pattimpex_job WHERE state IN ('pending', 'started')")

    def outcome(self):
        """All that must not depend on where a kill struck."""
        tree = {str(p.relative_to(self.folder)): p.read_text("latin-1") for p in (self.folder / "drop").rglob("*")
                if p.is_file() and not p.name.startswith(".pattimpex-tmp-")}
        return {
            "records": self.rows("SELECT name, email, visits, country_id FROM partner ORDER BY email"),
            "remote files": tree,
            "fetched": collections.Counter(self.rows("SELECT name, state, remote_action FROM pattimpex_attachment WHERE direction = 'import'")),
            "given back": collections.Counter(self.rows("SELECT name, state FROM pattimpex_attachment WHERE direction = 'error'")),
            "imported": collections.Counter(self.rows(
                "SELECT a.name, f.state, f.n_rows, f.n_created, f.n_updated, f.n_unchanged, f.n_failed, f.n_skipped"
                " FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id WHERE f.kind = 'import'")),
            "counted": self.rows(
                "SELECT subject, kind, outcome, sum(n), sum(CASE WHEN subject IN ('fetched', 'sent') THEN amount END) FROM pattimpex_counter"
                " WHERE task = 'partners-in' AND subject IN ('fetch_problem', 'fetched', 'file', 'rows', 'sent', 'storage_error')"
                " GROUP BY subject, kind, outcome ORDER BY subject, kind, outcome"),
            "jobs that are not counted once": self.rows(
                "SELECT kind, state, count(*) FROM pattimpex_job WHERE ended > 0 GROUP BY kind, state"
                " EXCEPT SELECT kind, outcome, sum(n) FROM pattimpex_counter WHERE subject = 'job' GROUP BY kind, outcome"),
            "unfinished exports": self.rows("SELECT id, state FROM pattimpex_attachment WHERE direction = 'export' AND state <> 'done'"),
            "jobs that did not end well": self.rows("SELECT kind, state, error FROM pattimpex_job WHERE state <> 'done'"),
        }


@pytest.fixture(scope="session")
def databases():
    with postgres.server() as url:
        yield postgres.Databases(url)


def undisturbed_in(shop, status=1):
    """The hooks that a run passes, in order, and its outcome. status: of its exit; the bad rows are told by it."""
    log = shop.folder / "hooks"
    done = shop.run(PATTIMPEX_HOOK_LOG=str(log))
    assert log.exists(), f"no hook was passed: a build without -Dtest_hooks=true?\n{done.stdout}\n{done.stderr}"
    assert done.returncode == status, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return log.read_text().split(), shop.outcome()


def kill_at_first_passes(metafunc, hooks, names):
    """A test for each of the hooks whose names begin so, where it is passed for the first time."""
    wanted = [(n, name) for n, name in enumerate(hooks, 1) if name.startswith(names) and name not in hooks[:n - 1]]
    metafunc.parametrize("kill_at", [n for n, _ in wanted], ids=[f"{n}-{name}" for n, name in wanted])


@functools.cache
def undisturbed():
    with tempfile.TemporaryDirectory() as folder:
        return undisturbed_in(Shop(folder))


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        hooks = undisturbed()[0]
        metafunc.parametrize("kill_at", range(1, len(hooks) + 1), ids=[f"{n}-{name}" for n, name in enumerate(hooks, 1)])


def test_undisturbed_run_is_as_expected():
    outcome = undisturbed()[1]
    assert sorted(outcome["remote files"]) == ["drop/done/1.csv", "drop/done/2.csv", "drop/done/3.csv", "drop/errors/2.csv", "drop/out/partner.csv"]
    assert [row[1] for row in outcome["records"]] == ["alice@x.test", "carol@x.test", "dave@x.test", "erin@x.test", "grace@x.test"]
    assert {(subject, outcome): n for subject, _, outcome, n, _ in outcome["counted"]} == {
        ("fetched", ""): 3, ("file", "done"): 2, ("file", "failed"): 1, ("rows", "created"): 4, ("rows", "failed"): 2, ("rows", "skipped"): 1,
        ("rows", "updated"): 1, ("sent", ""): 1}
    assert outcome["jobs that are not counted once"] == []
    assert outcome["unfinished exports"] == outcome["jobs that did not end well"] == []


def killed_and_run_again(shop, kill_at, expected):
    """The outcome is the expected one in the end, and no half-written file stays."""
    killed = shop.run(PATTIMPEX_KILL_AT=str(kill_at))
    assert killed.returncode == -signal.SIGKILL, f"was not killed\n{killed.stdout}\n{killed.stderr}"
    for _ in range(ATTEMPTS):
        again = shop.run()
        assert again.returncode in (0, 1), f"exit {again.returncode}\n{again.stdout}\n{again.stderr}"
        if not shop.unfinished():
            break
    outcome = shop.outcome()
    for what, wanted in expected.items():
        assert outcome[what] == wanted, what
    half_written = shop.names_of_ours()
    if half_written:                    # nobody can tell it from one that is being written, until it is old
        for path in half_written:
            shop.age(path, TWO_DAYS)
        shop.drop("4.csv", "email#key,name,country_id|code\nivan@x.test,Ivan,FR\njudy@x.test,Judy,XX\n")
        shop.run()
        assert shop.names_of_ours() == []


def test_kill(kill_at, tmp_path):
    killed_and_run_again(Shop(tmp_path), kill_at, undisturbed()[1])

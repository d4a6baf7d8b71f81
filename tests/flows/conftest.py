# SPDX-License-Identifier: Apache-2.0
"""A project of its own for each test: a small database, a folder of a partner, a configuration in the test's own words."""
import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import textwrap
import time

import pytest

from server import Server

# Rights of root are rights to everything: without these, a folder that is read-only is so for root too.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
PROGRAM = os.environ.get("PATTIMPEX", str(pathlib.Path(__file__).resolve().parents[2] / "build" / "pattimpex"))
needs_hooks = pytest.mark.skipif("san" not in PROGRAM, reason="needs a build with -Dtest_hooks=true")     # one that knows px_hook()
# Memory is measured without sanitizers.
MEASURED = os.environ.get("PATTIMPEX_RELEASE", PROGRAM)
REFERENCE = pathlib.Path(__file__).resolve().parents[1] / "conformance" / "reference"

SCHEMA = """
CREATE TABLE country (id integer PRIMARY KEY, code text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE partner (
    id integer PRIMARY KEY,
    name text NOT NULL,
    email text UNIQUE,
    phone text,
    country_id integer REFERENCES country (id),
    active boolean NOT NULL DEFAULT TRUE
);
INSERT INTO country (id, code, name) VALUES (1, 'FR', 'France'), (2, 'BE', 'Belgium'), (3, 'DE', 'Germany');
INSERT INTO partner (id, name, email, phone, country_id) VALUES (1, 'Alice', 'alice@x.test', '1', 1), (2, 'Bob', 'bob@x.test', '2', 2);
"""

BASE = """
database: sqlite:shop.db
filestore: filestore
timezone: Europe/Paris
storages:
  drop: {type: file, directory: drop}
patterns:
  partner:
    model: partner
    format: csv
    fields: [name, {field: email, key: true}, phone, country_id/code]
"""

GOOD = "name,email#key,phone,country_id|code\nCarol,carol@x.test,3,FR\nDave,dave@x.test,4,BE\n"
# Row 3 has an unknown country, row 4 no name.
BAD = "name,email#key,phone,country_id|code\nErin,erin@x.test,5,DE\nFrank,frank@x.test,6,XX\n,grace@x.test,7,FR\n"


class Project:
    def __init__(self, folder):
        self.folder = folder
        self.drop_folder = folder / "drop"
        (self.drop_folder / "in").mkdir(parents=True)
        with sqlite3.connect(folder / "shop.db") as db:
            db.executescript(SCHEMA)
        db.close()

    def config(self, text, name="pattimpex.yaml", base=BASE):
        """The configuration: the base (database, storage, pattern) and what the test adds."""
        (self.folder / name).write_text(base + textwrap.dedent(text))

    def drop(self, name, text=GOOD, age=60, folder="in"):
        """A file of the partner, last changed so many seconds ago."""
        path = self.drop_folder / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.age(path, age)
        return path

    def age(self, path, seconds):
        when = time.time_ns() - int(seconds * 1e9)
        os.utime(path, ns=(when, when), follow_symlinks=False)

    def call(self, *arguments, status=0, env=None, input=None, without_rights=False):
        before = WITHOUT_RIGHTS if without_rights and os.geteuid() == 0 else []
        done = subprocess.run([*before, PROGRAM, *map(str, arguments)], cwd=self.folder, text=True, capture_output=True, timeout=120, input=input,
                              env={**os.environ, **(env or {})})
        if status is not None:
            assert done.returncode == status, f"exit {done.returncode}, expected {status}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments, status=0, **options):
        return json.loads(self.call(*arguments, "--json", status=status, **options).stdout)

    def rows(self, sql, *values):
        db = sqlite3.connect(self.folder / "shop.db")
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def execute(self, sql, *values):
        """Changes the database behind the program's back."""
        with sqlite3.connect(self.folder / "shop.db", timeout=60) as db:
            db.execute(sql, values)
        db.close()

    def emails(self):
        return [email for (email,) in self.rows("SELECT email FROM partner ORDER BY id")]

    def files(self, folder=""):
        return [p for p in sorted((self.drop_folder / folder).rglob("*")) if p.is_file()]

    def tree(self, folder=""):
        """The partner's files as they are: path -> bytes. One that is renamed or removed meanwhile is left out."""
        found = {}
        for path in self.files(folder):
            with contextlib.suppress(FileNotFoundError):
                found[str(path.relative_to(self.drop_folder))] = path.read_bytes()
        return found

    def names(self, folder=""):
        return sorted(str(path.relative_to(self.drop_folder)) for path in self.files(folder))

    def dump(self):
        """The whole database as text."""
        db = sqlite3.connect(self.folder / "shop.db")
        try:
            return "\n".join(db.iterdump())
        finally:
            db.close()

    def stored(self):
        """What the filestore holds: path -> size."""
        top = self.folder / "filestore"
        return {str(p.relative_to(top)): p.stat().st_size for p in sorted(top.rglob("*")) if p.is_file()}


class Reference(Project):
    """The tables and records of the conformance cases, and patterns of the test's own."""

    def __init__(self, folder, more=""):
        self.folder = folder
        with sqlite3.connect(folder / "shop.db") as db:
            db.executescript((REFERENCE / "schema.sqlite.sql").read_text() + (REFERENCE / "data.sql").read_text())
        db.close()
        text = (REFERENCE / "pattimpex.yaml").read_text()
        (folder / "pattimpex.yaml").write_text(text.replace("database: sqlite:reference.db", "database: sqlite:shop.db") + textwrap.dedent(more))


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def serve(project):
    """Starts serve (or another command) in the project; all are ended behind the test."""
    started = []

    def start(*arguments, **options):
        started.append(Server(PROGRAM, project.folder, *(arguments or ("serve",)), **options))
        return started[-1]
    yield start
    for server in started:
        server.__exit__()


@pytest.fixture
def serve_ready(serve):
    """The same, once it is ready."""
    def start(*arguments, **options):
        server = serve(*arguments, **options)
        server.told("READY=1")
        return server
    return start

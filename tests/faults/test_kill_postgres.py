# SPDX-License-Identifier: Apache-2.0
"""test_kill.py on PostgreSQL: SIGKILL at each step of an import, the first time it is passed."""
import functools
import pathlib
import sys
import tempfile

import psycopg2
import pytest
from test_kill import SCHEMA, Shop, kill_at_first_passes, killed_and_run_again, undisturbed_in

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
import postgres  # noqa: E402 (the folder above this one)

OF_AN_IMPORT = ("import", "rows", "chunk", "remote", "claimed", "job", "report")


class OnPostgres(Shop):
    def __init__(self, folder, url):
        super().__init__(folder)
        self.url = url
        config = self.folder / "pattimpex.yaml"
        config.write_text(config.read_text().replace("sqlite:shop.db", url))
        self.rows(SCHEMA.replace("id integer PRIMARY KEY", "id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY"))

    def rows(self, sql):
        with psycopg2.connect(self.url) as db, db.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None


@functools.cache
def undisturbed():
    with tempfile.TemporaryDirectory() as folder, postgres.server() as server:
        databases = postgres.Databases(server)
        url = databases.new()
        told = undisturbed_in(OnPostgres(folder, url))
        databases.drop(url)
        return told


@pytest.fixture(scope="module")
def databases():
    with postgres.server() as url:
        yield postgres.Databases(url)


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        kill_at_first_passes(metafunc, undisturbed()[0], OF_AN_IMPORT)


def test_undisturbed_run_is_as_expected():
    hooks, outcome = undisturbed()
    assert {"chunk-filled", "chunk-committed"} <= set(hooks)
    assert [row[1] for row in outcome["records"]] == ["alice@x.test", "carol@x.test", "dave@x.test", "erin@x.test", "grace@x.test"]


def test_kill(kill_at, tmp_path, databases):
    url = databases.new()
    killed_and_run_again(OnPostgres(tmp_path, url), kill_at, undisturbed()[1])
    databases.drop(url)

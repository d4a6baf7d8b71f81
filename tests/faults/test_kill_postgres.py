# SPDX-License-Identifier: Apache-2.0
"""test_kill.py on PostgreSQL: SIGKILL at each step of an import, the first time it is passed."""
import functools
import tempfile

from test_kill import Shop, databases, kill_at_first_passes, killed_and_run_again, postgres, undisturbed_in    # databases: a fixture

OF_AN_IMPORT = ("import", "rows", "chunk", "remote", "claimed", "job", "report")


@functools.cache
def undisturbed():
    with tempfile.TemporaryDirectory() as folder, postgres.server() as server:
        databases = postgres.Databases(server)
        url = databases.new()
        told = undisturbed_in(Shop(folder, url=url))
        databases.drop(url)
        return told


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        kill_at_first_passes(metafunc, undisturbed()[0], OF_AN_IMPORT)


def test_undisturbed_run_is_as_expected():
    hooks, outcome = undisturbed()
    assert {"chunk-filled", "chunk-committed"} <= set(hooks)
    assert [row[1] for row in outcome["records"]] == ["alice@x.test", "carol@x.test", "dave@x.test", "erin@x.test", "grace@x.test"]


def test_kill(kill_at, tmp_path, databases):
    url = databases.new()
    killed_and_run_again(Shop(tmp_path, url=url), kill_at, undisturbed()[1])
    databases.drop(url)

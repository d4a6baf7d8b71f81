# SPDX-License-Identifier: Apache-2.0
"""test_kill.py on PostgreSQL: SIGKILL at each step of both flows, and of a file whose rows are spread over parts, the first time it is passed."""
import functools
import tempfile

import pytest
from test_kill import Shop, databases, killed_and_run_again, postgres, undisturbed_in    # databases: a fixture
from test_kill_parallel import parallel_shop

SHOPS = {"both-flows": Shop, "parallel": parallel_shop}
OF_PARTS = ("split", "part", "finish")


@functools.cache
def undisturbed(kind):
    with tempfile.TemporaryDirectory() as folder, postgres.server() as server:
        databases = postgres.Databases(server)
        url = databases.new()
        told = undisturbed_in(SHOPS[kind](folder, url=url))
        databases.drop(url)
        return told


def pytest_generate_tests(metafunc):
    if "kill_at" not in metafunc.fixturenames:
        return
    wanted = []
    for kind in SHOPS:
        hooks = undisturbed(kind)[0]
        wanted += [(kind, n, name) for n, name in enumerate(hooks, 1)
                   if name not in hooks[:n - 1] and (name.startswith(OF_PARTS) or kind != "parallel")]
    metafunc.parametrize("kind, kill_at", [one[:2] for one in wanted], ids=[f"{kind}-{n}-{name}" for kind, n, name in wanted])


@pytest.mark.parametrize("kind, steps", [("both-flows", {"chunk-filled", "chunk-committed"}), ("parallel", {"split-committed", "part-committed", "finish-begun"})])
def test_undisturbed_run_is_as_expected(kind, steps):
    hooks, outcome = undisturbed(kind)
    assert steps <= set(hooks)
    assert outcome["jobs that did not end well"] == []
    assert kind == "parallel" or [row[1] for row in outcome["records"]] == [
        "alice@x.test", "carol@x.test", "dave@x.test", "erin@x.test", "grace@x.test"]


def test_kill(kind, kill_at, tmp_path, databases):
    url = databases.new()
    killed_and_run_again(SHOPS[kind](tmp_path, url=url), kill_at, undisturbed(kind)[1])
    databases.drop(url)

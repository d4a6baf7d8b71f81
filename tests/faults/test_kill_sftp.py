# SPDX-License-Identifier: Apache-2.0
"""test_kill.py with the folder behind OpenSSH's server: SIGKILL at each step that has to do with a storage."""
import functools
import os
import pathlib
import sys
import tempfile

from test_kill import Shop, killed_and_run_again

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
from sftp_servers import Sshd  # noqa: E402 (the folder above this one)

OF_STORAGES = ("storage.", "fetch", "remote", "upload", "filestore.")


@functools.cache
def sshd():
    """One for all tests; it ends with this process."""
    folder = tempfile.mkdtemp(prefix="pattimpex-sshd-")
    return Sshd(folder)


def shop_in(folder):
    return Shop(folder, sshd().settings(os.path.join(folder, "drop")))


@functools.cache
def undisturbed():
    """The hooks that a run passes, in order, and its outcome."""
    with tempfile.TemporaryDirectory() as folder:
        shop = shop_in(folder)
        log = shop.folder / "hooks"
        done = shop.run(PATTIMPEX_HOOK_LOG=str(log))
        assert done.returncode == 1, done.stdout + done.stderr
        return log.read_text().split(), shop.outcome()


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        wanted = [(n, name) for n, name in enumerate(undisturbed()[0], 1) if name.startswith(OF_STORAGES)]
        metafunc.parametrize("kill_at", [n for n, _ in wanted], ids=[f"{n}-{name}" for n, name in wanted])


def test_undisturbed_run_is_as_expected():
    outcome = undisturbed()[1]
    assert sorted(outcome["remote files"]) == ["drop/done/1.csv", "drop/done/2.csv", "drop/done/3.csv", "drop/errors/2.csv", "drop/out/partner.csv"]
    assert outcome["unfinished exports"] == outcome["jobs that did not end well"] == []


def test_kill(kill_at, tmp_path):
    killed_and_run_again(shop_in(str(tmp_path)), kill_at, undisturbed()[1])

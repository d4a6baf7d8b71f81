# SPDX-License-Identifier: Apache-2.0
"""test_kill.py with the folder behind a server: SIGKILL at each step that has to do with a storage."""
import functools
import os
import pathlib
import signal
import sys
import tempfile

import pytest
from test_kill import Shop, killed_and_run_again, undisturbed_in

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
from ftp_servers import Vsftpd  # noqa: E402 (the folder above this one)
from s3_servers import SECRET, S3rver  # noqa: E402
from sftp_servers import Sshd  # noqa: E402

# The steps between which the storages differ are the storage's own; one of them is tried with all.
KILLED = {"sftp": ("storage.", "fetch", "remote", "upload", "filestore."), "ftp": ("storage.",), "s3": ("storage.",)}


@functools.cache
def server(kind):
    """One for all tests; it ends with this process."""
    if kind == "s3":
        os.environ["SECRET"] = SECRET
        return S3rver(tempfile.gettempdir())
    if kind == "ftp":
        return Vsftpd(tempfile.mkdtemp(prefix="pattimpex-vsftpd-"))
    return Sshd(tempfile.mkdtemp(prefix="pattimpex-sshd-"))


def shop_in(kind, folder, suffix=""):
    if kind == "file":
        return Shop(folder, f"{{type: file, directory: drop, tmp_suffix: '{suffix}'}}")
    return Shop(folder, server(kind).settings(os.path.join(folder, "drop"), **({"tmp_suffix": suffix} if suffix else {})))


@functools.cache
def undisturbed(kind):
    with tempfile.TemporaryDirectory() as folder:
        return undisturbed_in(shop_in(kind, folder))


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        wanted = [(kind, n, name) for kind, names in KILLED.items()
                  for n, name in enumerate(undisturbed(kind)[0], 1) if name.startswith(names)]
        metafunc.parametrize("kind, kill_at", [one[:2] for one in wanted], ids=[f"{kind}-{n}-{name}" for kind, n, name in wanted])


@pytest.mark.parametrize("kind", KILLED)
def test_undisturbed_run_is_as_expected(kind):
    outcome = undisturbed(kind)[1]
    assert sorted(outcome["remote files"]) == ["drop/done/1.csv", "drop/done/2.csv", "drop/done/3.csv", "drop/errors/2.csv", "drop/out/partner.csv"]
    assert outcome["unfinished exports"] == outcome["jobs that did not end well"] == []


def test_kill(kind, kill_at, tmp_path):
    killed_and_run_again(shop_in(kind, str(tmp_path)), kill_at, undisturbed(kind)[1])


@pytest.mark.parametrize("kind", ["file", "sftp", "ftp"])
def test_unfinished_file_has_the_suffix_that_was_agreed(kind, tmp_path):
    written = undisturbed(kind)[0].index("storage.put.written") + 1
    shop = shop_in(kind, str(tmp_path), ".part")
    assert shop.run(PATTIMPEX_KILL_AT=str(written)).returncode == -signal.SIGKILL
    (unfinished,) = shop.names_of_ours()
    assert unfinished.name.endswith(".part")
    shop.run()
    assert sorted(shop.outcome()["remote files"]) == sorted(undisturbed(kind)[1]["remote files"])

# SPDX-License-Identifier: Apache-2.0
"""SIGKILL while several uploads are sent together: what was not written is sent again, what was is left as it is, and no job ends twice."""
import functools
import os
import tempfile

import pytest
from test_kill import CONFIG, OF_FOLDER, Shop, killed_and_run_again, undisturbed_in
from test_kill_servers import server

EXPORTS = """
  same-a: {pattern: partner, storage: drop, path: out, file_name: same.csv, upload_task: send}
  same-b: {pattern: other, storage: drop, path: out, file_name: same.csv, upload_task: send}
  taken: {pattern: other, storage: drop, path: out, file_name: taken.csv, upload_task: send}
  other: {pattern: other, storage: drop, path: out, file_name: other.csv, upload_task: send}
upload_tasks:
  send: {storage: drop, path: out, on_exists: number}
"""
OTHER = """  other: {model: partner, format: csv, fields: [name]}
import_tasks:"""
N = 5
KINDS = ("file", "sftp")


class Uploads(Shop):
    def __init__(self, folder, kind):
        super().__init__(folder)
        for file in (self.folder / "drop" / "in").iterdir():
            file.unlink()
        (self.folder / "drop" / "out").mkdir()
        (self.folder / "drop" / "out" / "taken.csv").write_text("there before\n")
        config = CONFIG.replace("import_tasks:", OTHER).replace("path: out}", "path: out, upload_task: send}").replace("path: in,", "path: in, stable_for: 0,") + EXPORTS
        self.configure(config if kind == "file" else config.replace(OF_FOLDER, server(kind).settings(os.path.join(folder, "drop"))))

    def outcome(self):
        sent = "SELECT name, moved_to, state FROM pattimpex_attachment WHERE direction = 'export' ORDER BY id LIMIT %d" % N
        return {**super().outcome(), "first sent": self.rows(sent)}


@functools.cache
def undisturbed(kind):
    with tempfile.TemporaryDirectory() as folder:
        return undisturbed_in(Uploads(folder, kind), status=0)


def pytest_generate_tests(metafunc):
    """The first and a middle one of each step of an upload."""
    if "kill_at" not in metafunc.fixturenames:
        return
    wanted = []
    for kind in KINDS:
        hooks = list(enumerate(undisturbed(kind)[0], 1))
        for name in ("storage.put.written", "storage.put.renamed", "upload-put", "upload-committed"):
            passed = [n for n, hook in hooks if hook == name]
            wanted += [(kind, n, f"{kind}-{n}-{name}") for n in sorted({passed[0], passed[len(passed) // 2]})]
    metafunc.parametrize("kind, kill_at", [one[:2] for one in wanted], ids=[one[2] for one in wanted])


@pytest.mark.parametrize("kind", KINDS)
def test_undisturbed_run_sends_them_together(kind):
    hooks, outcome = undisturbed(kind)
    assert hooks.count("upload-put") == hooks.count("upload-committed") == 1 and hooks.count("storage.put.renamed") == N
    names = ("other.csv", "partner.csv", "same-1.csv", "same.csv", "taken-1.csv", "taken.csv")
    assert sorted(outcome["remote files"]) == [f"drop/out/{name}" for name in names]
    assert outcome["remote files"]["drop/out/taken.csv"] == "there before\n"
    assert [place for name, place, _ in outcome["first sent"] if name == "same.csv"] == ["out/same.csv", "out/same-1.csv"]
    assert outcome["unfinished exports"] == outcome["jobs that did not end well"] == outcome["jobs that are not counted once"] == []


def test_kill(kind, kill_at, tmp_path):
    killed_and_run_again(Uploads(str(tmp_path), kind), kill_at, undisturbed(kind)[1])

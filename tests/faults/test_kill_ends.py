# SPDX-License-Identifier: Apache-2.0
"""SIGKILL around the commit that ends several jobs and claims the next ones: whatever was not written is claimed and run again, and what was is not.
On both databases."""
import functools
import tempfile

import pytest
from test_kill import CONFIG, Shop, databases, killed_and_run_again, undisturbed_in    # databases: a fixture

# One of the upload tasks has a file to be sent, the others find nothing; nor does the import task.
MORE = """
upload_tasks:
  a: {storage: drop, path: out}
  b: {storage: drop, path: out}
  c: {storage: drop, path: out}
"""
KINDS = ("sqlite", "postgres")


class WithUploads(Shop):
    def __init__(self, folder, url=None):
        super().__init__(folder, url=url)
        for file in (self.folder / "drop" / "in").iterdir():
            file.unlink()
        self.configure(CONFIG.replace("pattern: partner, storage: drop, path: out}", "pattern: partner, storage: drop, path: out, upload_task: b}") + MORE)

    def outcome(self):
        return {**super().outcome(), "tasks": self.rows("SELECT task, last_state, last_error FROM pattimpex_task_state ORDER BY task")}


@functools.cache
def undisturbed():
    """The hooks that a run passes, in order, and its outcome; they do not depend on the database."""
    with tempfile.TemporaryDirectory() as folder:
        return undisturbed_in(WithUploads(folder), status=0)


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        hooks = undisturbed()[0]
        wanted = [(n, name) for n, name in enumerate(hooks, 1) if name.startswith("ends-") or name == "process-committed"]
        metafunc.parametrize("kill_at", [n for n, _ in wanted], ids=[f"{n}-{name}" for n, name in wanted])


def test_undisturbed_run_ends_jobs_together():
    hooks, outcome = undisturbed()
    assert hooks.count("job-claimed") == 6, "fetch, export, three times process, upload"
    assert [name for name in hooks if name.startswith(("ends-", "process-"))] == ["ends-gathered", "ends-committed"] * 2 + ["process-committed"]
    assert outcome["remote files"].keys() == {"drop/out/partner.csv"}
    assert [(task, state) for task, state, _ in outcome["tasks"]] == [(task, "done") for task in ("a", "b", "c", "partners-in", "partners-out")]
    assert outcome["jobs that are not counted once"] == outcome["jobs that did not end well"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_kill(kind, kill_at, tmp_path, databases):
    url = databases.new() if kind == "postgres" else None
    killed_and_run_again(WithUploads(tmp_path, url), kill_at, undisturbed()[1])
    if url:
        databases.drop(url)

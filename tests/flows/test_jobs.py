# SPDX-License-Identifier: Apache-2.0
"""Jobs as people meet them: what a poisoned file does, what is tried again, what filters choose."""
import pytest

from conftest import BASE, GOOD, PROGRAM

HOOKS = "san" in PROGRAM        # a build that knows px_hook()
needs_hooks = pytest.mark.skipif(not HOOKS, reason="needs a build with -Dtest_hooks=true")
TASKS = """
channels: root:2,root.pattern.import:1
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done}
"""
GONE = """
  gone: {type: file, directory: gone}
"""
BROKEN = """
import_tasks:
  lost: {storage: gone, path: in, pattern: partner, retry: {tries: 2, base: 0s, cap: 0s}}
  later: {storage: gone, path: in, pattern: partner, retry: {1: 1h}}
"""


@needs_hooks
def test_poisoned_file_fails_and_its_channel_goes_on(project):
    project.config(TASKS)
    project.drop("a-poison.csv")
    project.drop("b.csv", "name,email#key\nGina,gina@x.test\n")
    crash = {"PATTIMPEX_CRASH_AT": "rows-filled:a-poison.csv"}
    for _ in range(2):
        assert project.call("run", status=None, env=crash).returncode != 0
    project.call("run", status=1, env=crash)
    (job,) = project.json("jobs", "--state", "failed")
    assert job["error"] == "worker died (signal 11) while importing a-poison.csv, rows 2-3 (2 times)"
    assert [(f["name"], f["state"]) for f in project.json("files")] == [("b.csv", "done"), ("a-poison.csv", "failed")]
    assert "gina@x.test" in project.emails() and "carol@x.test" not in project.emails()
    project.call("retry", "job", job["id"])        # whatever it was has been mended
    assert "carol@x.test" in project.emails()


def test_task_says_how_often_it_is_tried(project):
    project.config(BROKEN, base=BASE.replace("patterns:", GONE.strip("\n") + "\npatterns:"))
    project.call("run", "lost", status=1)
    (job,) = project.json("jobs", "--task", "lost")
    assert job["state"] == "failed" and job["error"].endswith("(2 times)")
    assert project.json("jobs", job["id"])["tries"][0]["times"] == 2
    project.call("run", "later", "--wait", "0", status=3)
    (job,) = project.json("jobs", "--task", "later")
    assert job["state"] == "pending" and job["retries"] == 1

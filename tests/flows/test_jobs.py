# SPDX-License-Identifier: Apache-2.0
"""Jobs as people meet them: what a poisoned file does, what is tried again, what filters choose."""
import os
import pty
import signal
import subprocess

import pytest

from conftest import BAD, BASE, PROGRAM, needs_hooks
from server import Server, state, until
from test_serve import queue_fetch

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


@needs_hooks
def test_supervisor_tells_what_killed_a_worker(project):
    project.config("serve: {workers: 1}\n" + TASKS)
    project.drop("a.csv")
    with Server(PROGRAM, project.folder, "serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "chunk-filled:1"}) as server:
        server.told("READY=1")
        queue_fetch(project)
        for _ in range(2):
            worker = server.pid_of("worker 1")
            until("the worker stops at the hook", lambda worker=worker: state(worker) == "T")
            server.tell(signal.SIGKILL, worker)
            until("the worker is gone", lambda worker=worker: worker not in server.pids("worker 1"))
        (error,) = until("the job has failed", lambda: project.rows("SELECT error FROM pattimpex_job WHERE state = 'failed'"))[0]
    assert error == "worker died (signal 9) while importing a.csv, rows 2-3 (2 times)"


def test_task_says_how_often_it_is_tried(project):
    project.config(BROKEN, base=BASE.replace("patterns:", GONE.strip("\n") + "\npatterns:"))
    project.call("run", "lost", status=1)
    (job,) = project.json("jobs", "--task", "lost")
    assert job["state"] == "failed" and job["error"].endswith("(2 times)")
    assert project.json("jobs", job["id"])["tries"][0]["times"] == 2
    project.call("run", "later", "--wait", "0", status=3)
    (job,) = project.json("jobs", "--task", "later")
    assert job["state"] == "pending" and job["retries"] == 1


LOST = """
import_tasks:
  one: {storage: gone, path: in, pattern: partner, retry: {tries: 1}}
  two: {storage: gone, path: in, pattern: partner, retry: {tries: 1}}
  three: {storage: gone, path: in, pattern: partner, retry: {tries: 1}, channel: root.slow}
"""


@pytest.fixture
def lost(project):
    """Three jobs that have failed."""
    project.config(LOST, base=BASE.replace("patterns:", GONE.strip("\n") + "\npatterns:"))
    project.call("run", status=1)
    return project


def states(project):
    return {job["task"]: job["state"] for job in project.json("jobs", "--kind", "fetch")}


def answered(project, answer, *arguments):
    """What a person at a terminal sees who answers so."""
    main, terminal = pty.openpty()
    os.write(main, answer.encode())
    done = subprocess.run([PROGRAM, *arguments], cwd=project.folder, stdin=terminal, text=True, capture_output=True, timeout=60)
    os.close(main)
    os.close(terminal)
    return done


def test_waiting_job_says_that_what_it_waits_for_has_failed(lost):
    lost.call("run", status=None)
    failed = lost.json("jobs", "--state", "failed")[0]
    lost.execute("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, waits, created, started, ended)"
                 " VALUES ('process', 'root', 10, 0, 0, 0, 0, 'waiting', 1, 1, 0, 0)")
    ((held,),) = lost.rows("SELECT max(id) FROM pattimpex_job")
    lost.execute("INSERT INTO pattimpex_job_need (needs_id, job_id, when_ended, is_open) VALUES (?, ?, 0, 1)", failed["id"], held)
    told = f"waits for job {failed['id']}, which has failed"
    assert told in lost.call("jobs").stdout and told in lost.call("jobs", held).stdout
    assert lost.json("jobs", held)["held_by"] == failed["id"]
    assert failed["held_by"] is None


def test_filters_find_jobs(lost):
    assert len(lost.json("jobs", "--error", "DIRECTORY")) == 3
    assert lost.json("jobs", "--error", "100%") == []
    assert len(lost.json("jobs", "--since", "1h")) == 3
    assert lost.json("jobs", "--since", "2099-01-01") == []
    assert len(lost.json("jobs", "--channel", "root")) == 3
    assert lost.json("jobs", "--channel", "upload") == []
    assert "is no time" in lost.call("jobs", "--since", "soon", status=2).stderr
    assert "--channel is for jobs" in lost.call("files", "--channel", "upload", status=2).stderr


def test_filters_need_a_yes(lost):
    done = lost.call("cancel", "job", "--state", "failed", status=2)
    assert "this is about 3 jobs: add --yes" in done.stderr
    assert set(states(lost).values()) == {"failed"}
    ended = lost.json("cancel", "job", "--task", "one", "--yes")
    assert [(one["subject"], one["state"]) for one in ended] == [("job", "cancelled")]
    assert states(lost) == {"one": "cancelled", "two": "failed", "three": "failed"}
    assert "set-done: 2 jobs" in lost.call("set-done", "job", "--error", "directory", "--yes").stdout
    assert states(lost) == {"one": "cancelled", "two": "done", "three": "done"}
    assert "No jobs are found" in lost.call("retry", "job", "--state", "failed", "--yes").stdout


def test_person_at_a_terminal_is_asked(lost):
    done = answered(lost, "n\n", "set-done", "job", "--state", "failed")
    assert done.returncode == 0 and "set-done 3 jobs? [y/N]" in done.stderr
    assert set(states(lost).values()) == {"failed"}
    assert answered(lost, "y\n", "set-done", "job", "--state", "failed").returncode == 0
    assert set(states(lost).values()) == {"done"}


def test_retry_by_filter_runs_them_again(lost):
    (lost.folder / "gone" / "in").mkdir(parents=True)
    lost.call("retry", "job", "--task", "two", "--yes")
    assert states(lost) == {"one": "failed", "two": "done", "three": "failed"}


def test_numbers_and_filters_are_not_mixed(lost):
    assert "not both" in lost.call("retry", "job", "1", "--state", "failed", status=2).stderr
    assert "which job?" in lost.call("retry", "job", status=2).stderr


# ---- what is kept

LONG_AGO = 90 * 24 * 3600


def age_rows(project):
    """All rows and blobs are three months older."""
    project.execute("UPDATE pattimpex_job SET ended = ended - ? WHERE ended > 0", LONG_AGO * 10**6)
    project.execute("UPDATE pattimpex_file SET ended = ended - ? WHERE ended > 0", LONG_AGO * 10**6)
    project.execute("UPDATE pattimpex_attachment SET changed = changed - ?", LONG_AGO * 10**6)
    for path in (project.folder / "filestore").rglob("*"):
        if path.is_file():
            project.age(path, LONG_AGO)


def test_only_jobs_go_unless_files_are_not_kept(project):
    project.config(TASKS)
    project.drop("a.csv")
    project.call("run")
    assert project.json("clean")["jobs"] == 0
    age_rows(project)
    before = project.stored()
    assert project.json("clean", "--dry-run")["jobs"] == 2 and len(project.json("jobs")) == 2
    cleaned = project.json("clean")
    assert (cleaned["jobs"], cleaned["files"], cleaned["blobs"]) == (2, 0, 0)
    assert project.json("jobs") == [] and len(project.json("files")) == 1 and project.stored() == before


def test_kept_file_is_not_imported_again(project):
    project.config("keep_files: 30d\n" + TASKS.replace("after_import: move, move_path: done", "after_import: keep"))
    project.drop("a.csv")
    project.call("run")
    age_rows(project)
    cleaned = project.json("clean")
    assert (cleaned["files"], cleaned["attachments"], cleaned["stripped"], cleaned["blobs"]) == (1, 0, 1, 1)
    assert project.stored() == {}
    project.call("run")
    assert project.json("files") == []
    project.drop("b.csv", "name,email#key\nGina,gina@x.test\n")
    project.call("run")
    assert [f["name"] for f in project.json("files")] == ["b.csv"]


def test_blob_that_is_needed_or_young_stays(project):
    project.config("keep_files: 30d\n" + TASKS)
    project.drop("bad.csv", BAD)
    project.call("run", status=1)
    age_rows(project)
    stray = project.folder / "filestore" / "ab" / ("c" * 62)
    young = project.folder / "filestore" / "ab" / ("d" * 62)
    trash = project.folder / "filestore" / "tmp" / ("trash-ab" + "e" * 62)     # of a collector that was killed
    stray.parent.mkdir(exist_ok=True)
    for path in (stray, young, trash):
        path.write_bytes(b"bytes")
    project.age(stray, LONG_AGO)
    project.age(trash, LONG_AGO)
    assert project.json("clean")["blobs"] == 2
    assert not stray.exists() and not trash.exists() and young.exists()
    assert project.json("files", "--state", "failed") and len(project.stored()) >= 2

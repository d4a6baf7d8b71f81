# SPDX-License-Identifier: Apache-2.0
"""`status`: what is seen of a project from outside, while `serve` runs and while nothing does."""
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import termios

import pytest

from conftest import BAD, GOOD, PROGRAM
from server import state, until
from test_serve import QUIET, SMALL_CHUNKS, idle, needs_hooks, queue_fetch, rows_of

SCHEDULED = QUIET.replace("move_path: done", "move_path: done, schedule: every day")


def task(seen, name):
    return next(one for one in seen["tasks"] if one["task"] == name)


def test_shows_tasks_while_nothing_runs(project):
    project.config(SCHEDULED)
    project.drop("good.csv")
    project.drop("bad.csv", BAD)
    project.call("run", status=1)
    seen = project.json("status")
    one = task(seen, "in")
    assert (one["failed"], one["pending"], one["done"]) == (1, 0, 1)
    assert one["last_state"] == "done" and one["last_run"] and one["next_run"]
    assert seen["workers"] == [] and seen["workers_alive"] == 0 and not seen["scheduler_alive"] and seen["channels"] == []
    text = project.call("status").stdout
    assert "nothing runs by itself" in text and "2 of 3 rows failed" in text and "pattimpex retry file" in text


def test_tells_what_failed_and_what_to_do_until_it_is_settled(project):
    project.config(QUIET)
    project.drop("bad.csv", BAD)
    project.call("run", status=1)
    [failure] = project.json("status")["failures"]
    assert failure["subject"] == "file" and failure["file"] == "bad.csv" and failure["task"] == "in"
    number = failure["id"]
    assert f"pattimpex files {number}" in failure["next"] and f"set-done file {number}" in failure["next"]
    project.call("retry", number, status=1)                # one more try that leaves rows out: still one failure, another file
    [again] = project.json("status")["failures"]
    assert again["id"] != number
    project.call("set-done", "file", again["id"])
    seen = project.json("status")
    assert seen["failures"] == [] and task(seen, "in")["failed"] == 0


def test_a_job_that_failed_stands_there_once(project):
    project.config(QUIET)
    project.drop("bad.csv", b"email#key,nonsense\na@x.test,1\n")
    project.call("run", status=1)
    [failure] = project.json("status")["failures"]
    assert failure["subject"] == "file" and failure["state"] == "refused"
    with_job = "UPDATE pattimpex_job SET state = 'failed', error = 'broken', ended = 5 WHERE kind = 'import'"
    project.execute(with_job)
    [failure] = project.json("status")["failures"]
    assert failure["subject"] == "job" and failure["error"] == "broken" and f"retry job {failure['id']}" in failure["next"]


def test_a_job_that_is_tried_again_is_no_failure(project, serve_ready):
    project.config(QUIET)
    shutil.rmtree(project.drop_folder)
    serve_ready("serve", "--no-schedules")
    queue_fetch(project)
    until("a try that failed", lambda: project.rows("SELECT retries FROM pattimpex_job WHERE retries > 0 AND state = 'pending'"))
    seen = project.json("status")
    [failure] = seen["failures"]
    assert failure["state"] == "pending" and "tried again by itself at" in failure["next"]
    assert seen["failed"] == 0 and seen["ok"]
    assert [(channel["channel"], channel["later"]) for channel in seen["channels"]] == [("root.fetch", 1)]


@needs_hooks
def test_shows_what_a_worker_is_at(project, serve_ready):
    project.config(QUIET, base=SMALL_CHUNKS)
    project.drop("big.csv", rows_of(100))
    server = serve_ready("serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "chunk-filled:3"})
    assert {("worker 1", "idle"), ("worker 2", "idle")} <= {(worker["worker"], worker["state"]) for worker in project.json("status")["workers"]}
    queue_fetch(project)
    pid = server.paused_worker()
    seen = project.json("status")
    [busy] = [worker for worker in seen["workers"] if worker["state"] == "busy"]
    assert busy["pid"] == pid and (busy["kind"], busy["task"], busy["file"]) == ("import", "in", "big.csv")
    assert busy["doing"] == "importing big.csv, rows 22-31" and busy["since"] and busy["seconds"] >= 0
    assert (seen["workers_alive"], seen["workers_busy"]) == (2, 1)
    assert [(channel["channel"], channel["started"]) for channel in seen["channels"]] == [("root.pattern.import", 1)]
    assert task(seen, "in")["pending"] == 1
    server.tell(signal.SIGCONT, pid)
    until("it is imported", lambda: idle(project))
    assert all(worker["state"] == "idle" for worker in project.json("status")["workers"])


@needs_hooks
def test_shows_the_job_of_a_dead_worker(project):
    project.config(QUIET)
    project.drop("good.csv")
    project.call("run", status=None, env={"PATTIMPEX_CRASH_AT": "rows-filled:good.csv"})     # dies of it
    [worker] = project.json("status")["workers"]
    assert worker["state"] == "dead" and worker["kind"] == "import" and worker["file"] == "good.csv"
    assert project.json("status")["workers_alive"] == 0
    project.call("run")
    assert project.json("status")["workers"] == []


def test_check_says_that_all_is_well_or_what_is_not(project, serve_ready):
    project.config(SCHEDULED)
    said = project.call("status", "--check", status=1).stdout.splitlines()
    assert [line.split(":")[0].split(",")[0] for line in said] == ["no worker lives", "no scheduler lives"]
    server = serve_ready()
    until("the scheduler has begun", lambda: project.json("status")["scheduler_alive"])
    assert "all is well" in project.call("status", "--check").stdout
    assert project.json("status", "--check") == {"ok": True, "problems": []}
    project.drop("bad.csv", BAD)
    project.call("run", status=None)    # the workers of serve may be faster
    until("the file has failed", lambda: project.json("status")["failed"] and idle(project))
    assert project.call("status", "--check", status=1).stdout.splitlines() == ["1 file has failed"]
    assert project.json("status", "--check", status=1) == {"ok": False, "problems": ["1 file has failed"]}
    project.execute("UPDATE pattimpex_file SET ended = ended - 7200000000")
    project.call("status", "--check", "--since", "1h")
    server.tell(signal.SIGTERM)
    server.ends()
    assert "no worker lives" in project.call("status", "--check", "--since", "1h", status=1).stdout


def test_check_sees_that_only_the_scheduler_is_missing(project, serve_ready):
    project.config(SCHEDULED)
    serve_ready("serve", "--no-schedules")
    said = project.call("status", "--check", status=1).stdout
    assert "no scheduler lives" in said and "no worker" not in said


@pytest.mark.parametrize("arguments, why", [
    (["--every", "0s"], "--every 0s"), (["--every", "soon"], "--every soon"), (["--failures", "-1"], "--failures -1"),
    (["--check", "--watch"], "leave out --watch"), (["--since", "yesterday"], "--since yesterday is no time")])
def test_refuses_options_that_mean_nothing(project, arguments, why):
    project.config(QUIET)
    assert why in project.call("status", *arguments, status=2).stderr


class Terminal:
    """`status --watch` on a terminal of its own."""

    def __init__(self, project, *arguments):
        self.own, theirs = pty.openpty()
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.text = ""
        self.process = subprocess.Popen([PROGRAM, "status", "--watch", "--every", "100ms", *arguments], cwd=project.folder, stdin=theirs,
                                        stdout=theirs, stderr=theirs, start_new_session=True)

    def shows(self, wanted):
        def ask():
            if select.select([self.own], [], [], 0)[0]:
                self.text += os.read(self.own, 65536).decode()
            return wanted in self.text
        until(f"{wanted!r} on the screen", ask)

    def ends(self):
        def ask():
            if select.select([self.own], [], [], 0)[0]:
                self.text += os.read(self.own, 65536).decode()
            return self.process.poll() is not None
        until("the end", ask)
        while select.select([self.own], [], [], 0)[0]:
            self.text += os.read(self.own, 65536).decode()
        assert termios.tcgetattr(self.theirs) == self.before, "the terminal is as it was"
        assert self.text.endswith("\x1b[?1049l"), "the screen of before is back"
        os.close(self.own)
        os.close(self.theirs)
        return self.process.returncode


@pytest.mark.parametrize("end", ["q", "SIGINT", "SIGTERM"])
def test_watch_redraws_until_it_is_told_to_end(project, end):
    project.config(QUIET)
    terminal = Terminal(project)
    terminal.shows("Nothing has failed.")
    project.drop("bad.csv", BAD)
    project.call("run", status=1)
    terminal.shows("2 of 3 rows failed")
    if end == "q":
        os.write(terminal.own, b"q")
    else:
        terminal.process.send_signal(getattr(signal, end))
    assert terminal.ends() == 0


def test_watch_elsewhere_gives_a_line_of_json_each_time(project):
    project.config(QUIET)
    with subprocess.Popen([PROGRAM, "status", "--watch", "--every", "100ms", "--json"], cwd=project.folder, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL) as process:
        first = json.loads(process.stdout.readline())
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(60) == 0
    assert first["tasks"][0]["task"] == "in" and second["time"] >= first["time"]


def test_foreign_control_characters_do_not_reach_the_terminal(project):
    project.config(QUIET)
    project.drop("evil\x1b[2J.csv", BAD)
    project.drop("good.csv", GOOD)
    project.call("run", status=1)
    assert "\x1b" not in project.call("status").stdout

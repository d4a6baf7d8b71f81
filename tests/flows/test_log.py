# SPDX-License-Identifier: Apache-2.0
"""The log of `serve`: every line names the worker, and the job, task and file where they are known."""
import os
import shutil

from conftest import BAD
from server import until
from test_serve import QUIET, idle, needs_hooks, queue_fetch

KEYS = ["time", "level", "worker", "job", "task", "file", "text"]
ERRORS = QUIET.replace("move_path: done", "move_path: done, error_path: errors")


def check_lines(project, server):
    """What holds for each line; the lines of jobs by their kind."""
    kinds = {id: (kind, task) for id, kind, task in project.rows("SELECT id, kind, task FROM pattimpex_job")}
    found = {}
    for line in server.log():
        assert list(line) == KEYS and line["worker"], line
        if line["job"] is None:
            assert not any(f" {kind} " in f" {line['text']} " for kind, _ in kinds.values()), f"a line about a job that it does not name: {line}"
            continue
        kind, task = kinds[line["job"]]
        assert line["task"] == task, line
        assert line["worker"].startswith(("worker ", "notifier")) or "died by" in line["text"], line
        found.setdefault(kind, []).append(line)
    return found


def test_lines_of_failing_imports_name_what_they_are_about(project, serve_ready):
    project.config(ERRORS)
    project.drop("bad.csv", BAD)
    project.drop("refused.csv", "email#key,nonsense\na@x.test,1\n")
    os.mkfifo(project.drop_folder / "in" / "pipe.csv")
    server = serve_ready("serve", "--no-schedules")
    queue_fetch(project)
    until("all is put away", lambda: {"errors/bad.csv", "done/refused.csv"} <= set(project.names()) and idle(project))
    [attachment] = project.rows("SELECT id FROM pattimpex_attachment WHERE name = 'bad.csv' AND direction = 'import'")
    project.execute("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, task, attachment_id, created, started, ended)"
                    " VALUES ('unheard', 'root', 10, 0, 0, 0, 0, 'pending', 'in', ?, 0, 0, 0)", *attachment)
    server.logged("unheard failed", level="error", task="in", file="bad.csv")
    found = check_lines(project, server)
    assert {line["file"] for line in found["import"]} == {"bad.csv", "refused.csv"}, "from the first line on"
    assert {line["text"].split(" ")[0] for line in found["import"] if line["file"] == "bad.csv"} >= {"import", "row", "bad.csv:"}
    assert [line["file"] for line in found["fetch"] if line["level"] == "warning"] == ["pipe.csv"]
    assert {line["file"] for line in found["report"] + found["upload"]} >= {"bad.csv"} and None not in {line["file"] for line in found["upload"]}


@needs_hooks
def test_lines_about_dead_workers_name_the_job(project, serve_ready):
    project.config(QUIET)
    project.drop("poison.csv")
    server = serve_ready("serve", "--no-schedules", env={"PATTIMPEX_CRASH_AT": "rows-filled:poison.csv", "ASAN_OPTIONS": "handle_segv=0"})
    queue_fetch(project)
    server.logged("import is run again: worker died (signal 11) while importing poison.csv", level="warning", task="in", file="poison.csv")
    server.logged("import failed: worker died (signal 11)", level="error", task="in", file="poison.csv")
    deaths = until("both deaths", lambda: (lambda lines: lines if len(lines) == 2 else None)(
        [line for line in server.log() if "died by signal 11" in line["text"]]))
    for line in deaths:
        assert (line["worker"], line["task"], line["file"]) == ("supervisor", "in", "poison.csv") and line["job"], line
    check_lines(project, server)


def test_retries_name_the_task(project, serve_ready):
    project.config(QUIET)
    shutil.rmtree(project.drop_folder)
    server = serve_ready("serve", "--no-schedules")
    queue_fetch(project)
    line = server.logged("fetch is tried again later", level="warning", task="in")
    assert line["job"] and line["file"] is None

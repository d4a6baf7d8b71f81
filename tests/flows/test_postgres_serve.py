# SPDX-License-Identifier: Apache-2.0
"""`serve`, `worker` and `scheduler` on PostgreSQL, on one machine and on several: those with another PATTIMPEX_HOST are judged by their leases
alone."""
import os
import re
import signal

import psycopg2
import pytest
from conftest import BAD, BASE, needs_hooks
from server import state, title, until
from sftp_servers import Sshd
from test_serve import TASKS

QUIET = """
serve: {workers: 2, worker_lease: 1s}
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done}
"""


class Tables:
    """What is in the database, asked anew each time."""

    def __init__(self, url):
        self.db = psycopg2.connect(url)
        self.db.autocommit = True

    def rows(self, sql, *values):
        with self.db.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def emails(self):
        return [email for (email,) in self.rows("SELECT email FROM partner WHERE id > 2 ORDER BY id")]

    def queue_fetch(self):
        """What the scheduler would do."""
        self.rows("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, created, started, ended)"
                  " VALUES ('fetch', 'root.fetch', 10, 0, 0, 0, 0, 'fetch:in', 'pending', 'in', 0, 0, 0)")

    def idle(self):
        return not self.rows("SELECT 1 FROM pattimpex_job WHERE state IN ('waiting', 'pending', 'started')")


@pytest.fixture
def tables(shop, url):
    made = Tables(url)
    yield made
    made.db.close()


def rows_of(n):
    return "name,email#key\n" + "".join(f"P{i},p{i}@x.test\n" for i in range(n))


def addresses(n):
    return [f"p{i}@x.test" for i in range(n)]


def small_chunks(shop, more):
    shop.config(more, base=shop.base.replace("format: csv", "format: csv\n    chunk_size: 10"))


def test_schedules_import_and_export_by_themselves(shop, tables, serve_ready):
    shop.config(TASKS, base=shop.base)
    server = serve_ready()
    shop.drop("good.csv")
    shop.drop("bad.csv", BAD)
    until("the files are put away", lambda: {"done/good.csv", "done/bad.csv", "errors/bad.csv"} <= set(shop.names()))
    until("an export with the new records", lambda: b"carol@x.test" in shop.tree("out").get("out/all.csv", b""))
    server.logged("2 created (2 rows)", file="good.csv", task="in")
    status = shop.json("status")
    assert {(w["worker"], w["state"] in ("idle", "busy")) for w in status["workers"]} == {
        ("notifier", True), ("scheduler", True), ("worker 1", True), ("worker 2", True)}
    assert len({w["host"] for w in status["workers"]}) == 1
    server.tell(signal.SIGTERM)
    assert server.ends() == 0
    assert tables.rows("SELECT name FROM pattimpex_worker") == []
    assert 'pattimpex_rows_total{' in shop.call("metrics").stdout


def test_another_worker_goes_on_with_the_job_of_a_killed_one(shop, tables, serve_ready):
    small_chunks(shop, QUIET)
    shop.drop("rows.csv", rows_of(40))
    server = serve_ready("serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "chunk-committed:2"})
    tables.queue_fetch()
    paused = server.paused_worker()
    server.tell(signal.SIGKILL, paused)
    second = server.paused_worker(paused)     # it goes on behind what was committed
    server.tell(signal.SIGCONT, second)
    until("it is done", tables.idle)
    assert tables.emails() == addresses(40)
    assert tables.rows("SELECT attempt, deaths FROM pattimpex_job WHERE kind = 'import'") == [(2, 0)]


UPLOADS = """
serve: {workers: 1, worker_lease: 1s}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv, upload_task: send}
upload_tasks:
  send: {storage: drop, path: out}
  other: {storage: drop, path: out}
"""


def queue_uploads(tables, n):
    """Jobs to look for what is to be uploaded; one of them is of the task send."""
    tables.rows("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, state, task, created, started, ended)"
                " SELECT 'process', 'root.process', 20, 0, 0, 0, 0, 'pending', CASE WHEN n = 40 THEN 'send' ELSE 'other' END, 0, 0, 0"
                " FROM generate_series(1, %s) AS n", n)


def test_jobs_that_find_nothing_end_together(shop, tables, serve_ready):
    shop.config(UPLOADS, base=shop.base)
    shop.call("run", "out", "--json")
    assert shop.names("out") == []
    queue_uploads(tables, 80)
    server = serve_ready("serve", "--no-schedules")
    until("all is done", tables.idle)
    assert shop.names("out") == ["out/all.csv"], "what waited was sent"
    of_process = "FROM pattimpex_job WHERE kind = 'process' AND state = 'done' AND attempt = 1"
    assert tables.rows(f"SELECT count(*) {of_process}") == [(80,)]
    assert tables.rows(f"SELECT count(DISTINCT CAST(xmin AS text)) < 10 {of_process}") == [(True,)], "a few transactions have ended them"
    assert tables.rows("SELECT CAST(sum(n) AS bigint) FROM pattimpex_counter WHERE subject = 'job' AND kind = 'process' AND outcome = 'done'") == [(80,)]
    assert tables.rows("SELECT task, last_state FROM pattimpex_task_state WHERE task IN ('send', 'other') ORDER BY task") == [("other", "done"), ("send", "done")]
    told = {}
    for line in server.log():
        if line["job"] and line["text"].startswith("process"):
            told.setdefault(line["job"], []).append(line["text"])
    done = [job for job, lines in told.items() if lines[0] == "process begins, attempt 1" and lines[-1] == "process done"]
    assert len(done) == 80
    server.tell(signal.SIGTERM)
    assert server.ends() == 0


@needs_hooks
def test_worker_that_slept_past_its_lease_ends_no_job(shop, tables, serve):
    shop.config(UPLOADS, base=shop.base)
    shop.call("jobs")
    queue_uploads(tables, 20)
    slow = serve("worker", env={"PATTIMPEX_PAUSE_AT": "ends-gathered:1", "PATTIMPEX_HOST": "one"})
    until("it sleeps", lambda: state(slow.pid) == "T")
    quick = serve("worker", env={"PATTIMPEX_HOST": "two"})
    until("the other one has done its jobs", tables.idle)
    done = tables.rows("SELECT id, state, attempt, owner, ended FROM pattimpex_job ORDER BY id")
    assert {(state, attempt) for _, state, attempt, *_ in done} == {("done", 2)}
    slow.tell(signal.SIGCONT)
    slow.logged("process belongs to another worker by now")
    assert tables.rows("SELECT id, state, attempt, owner, ended FROM pattimpex_job ORDER BY id") == done
    assert tables.rows("SELECT CAST(sum(n) AS bigint) FROM pattimpex_counter WHERE subject = 'job'") == [(20,)]
    for server in (slow, quick):
        server.tell(signal.SIGTERM)
        assert server.ends() == 0


@needs_hooks
@pytest.mark.parametrize("hook", ["chunk-filled:2", "chunk-committed:2"])
def test_worker_that_slept_past_its_lease_commits_nothing_more(shop, tables, serve, hook):
    small_chunks(shop, QUIET)
    shop.drop("rows.csv", rows_of(40))
    shop.call("jobs")
    slow = serve("worker", env={"PATTIMPEX_PAUSE_AT": hook, "PATTIMPEX_HOST": "one"})
    tables.queue_fetch()
    until("it sleeps", lambda: state(slow.pid) == "T")
    quick = serve("worker", env={"PATTIMPEX_HOST": "two"})
    until("the other one has done its job", tables.idle)
    assert tables.emails() == addresses(40)
    done = tables.rows("SELECT kind, state, attempt, owner FROM pattimpex_job ORDER BY id")
    slow.tell(signal.SIGCONT)
    tables.queue_fetch()
    until("the next job is done", tables.idle)
    slow.tell(signal.SIGTERM)
    assert slow.ends() == 0
    assert [r for r in tables.rows("SELECT kind, state, attempt, owner FROM pattimpex_job ORDER BY id")][:len(done)] == done
    assert ("import", "done", 2) in [row[:3] for row in done]
    assert tables.emails() == addresses(40)
    assert tables.rows("SELECT n_created, n_rows FROM pattimpex_file") == [(40, 40)]
    assert tables.rows("SELECT sum(n) FROM pattimpex_counter WHERE subject = 'rows'") == [(40,)]
    quick.logged("worker died", level="warning")


def test_one_scheduler_leads_and_another_takes_its_place(shop, tables, serve):
    shop.config(TASKS, base=shop.base)
    shop.call("jobs")
    first = serve("scheduler", env={"PATTIMPEX_HOST": "one"})
    until("it leads", lambda: title(first.pid) == "pattimpex: scheduler idle")
    second = serve("scheduler", env={"PATTIMPEX_HOST": "two"})
    until("it stands by", lambda: title(second.pid) == "pattimpex: scheduler standing by")
    assert [host for (host,) in tables.rows("SELECT w.host FROM pattimpex_leader AS l JOIN pattimpex_worker AS w ON w.name = l.owner")] == ["one"]
    first.tell(signal.SIGTERM)
    assert first.ends() == 0
    until("the other one leads", lambda: title(second.pid) == "pattimpex: scheduler idle")
    until("it queues what is due", lambda: tables.rows("SELECT 1 FROM pattimpex_due WHERE state = 'queued'"))
    assert tables.rows("SELECT task, kind, due FROM pattimpex_due GROUP BY task, kind, due HAVING count(*) > 1") == []


def test_workers_come_back_when_the_server_has_cut_them_off(shop, tables, serve_ready):
    shop.config(TASKS, base=shop.base)
    server = serve_ready()
    before = sorted(server.children())
    tables.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
    shop.drop("good.csv")
    until("the file is imported", tables.emails)
    until("all is well", lambda: shop.call("status", "--check", status=None).returncode == 0)
    assert sorted(server.children()) == before     # nobody had to be started again
    assert tables.emails() == ["carol@x.test", "dave@x.test"]


def test_lists_tell_the_machine_of_a_worker(shop, tables, serve):
    shop.config(QUIET, base=shop.base)
    shop.call("jobs")
    serve("worker", env={"PATTIMPEX_HOST": "far"})
    (worker,) = until("it is seen", lambda: shop.json("status")["workers"])
    assert (worker["host"], worker["state"]) == ("far", "idle")
    assert "far" in shop.call("status").stdout
    assert f"@{worker['host']}" in worker["name"] and not os.path.exists(worker["name"])


@pytest.fixture
def depot(tmp_path):
    """A storage of its own for the bytes of all machines."""
    made = Sshd(tmp_path)
    (tmp_path / "kept").mkdir()
    yield "filestore: depot", f"storages:\n  depot: {made.settings(tmp_path / 'kept')}\n"
    made.stop()


@needs_hooks
@pytest.mark.parametrize("kept", ["database", "storage"])
def test_machines_need_only_the_configuration(shop, tables, serve, depot, kept):
    """One worker fetches and is lost, another one imports and is lost, a third one sends bad rows back: they share no folder but the partner's."""
    filestore, storages = depot if kept == "storage" else ("filestore: database", "storages:\n")
    base = shop.base.replace("filestore: filestore", filestore).replace("storages:\n", storages)
    shop.config(QUIET.replace("move_path: done", "move_path: done, error_path: errors"), base=base)
    shop.call("jobs")
    shop.drop("bad.csv", BAD)
    tables.queue_fetch()
    for host, hook in ("one", "fetch-committed:1"), ("two", "report-stored:1"):
        worker = serve("worker", env={"PATTIMPEX_HOST": host, "PATTIMPEX_PAUSE_AT": hook})
        until(f"it is at {hook}", lambda worker=worker: state(worker.pid) == "T")
        worker.tell(signal.SIGKILL)
    serve("worker", env={"PATTIMPEX_HOST": "three"})
    until("all is done", tables.idle)
    assert {"done/bad.csv", "errors/bad.csv"} <= set(shop.names())
    assert tables.emails() == ["erin@x.test"]
    assert not any((shop.folder / name).exists() for name in ("filestore", "database", "depot"))
    assert tables.rows("SELECT count(*), count(p.blob_id) > 0 FROM pattimpex_blob AS b LEFT JOIN pattimpex_blob_piece AS p ON p.blob_id = b.id") == [
        (2, kept == "database")]


@pytest.mark.parametrize("filestore", ["database", "drop"])
def test_one_machine_keeps_bytes_elsewhere_too(project, filestore):
    """In its database, or on the storage that it fetches from."""
    project.config("""
    import_tasks:
      in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors}
    """, base=BASE.replace("filestore: filestore", f"filestore: {filestore}").replace(
        "format: csv", "format: csv\n    chunk_size: 10\n    process_multi: 2"))
    project.drop("rows.csv", rows_of(60))
    project.drop("bad.csv", BAD)
    project.call("run", status=1)
    assert {"done/bad.csv", "done/rows.csv", "errors/bad.csv"} == {name for name in project.names() if re.match("[a-z]+/[a-z]+[.]csv", name)}
    assert len(project.names()) == (3 if filestore == "database" else 6)
    assert sorted(project.emails()[2:]) == sorted([*addresses(60), "erin@x.test"])
    assert project.rows("SELECT count(*) FROM pattimpex_blob") == [(3,)]     # no spool is left
    assert not (project.folder / "filestore").exists()

# SPDX-License-Identifier: Apache-2.0
"""`serve` and its processes: what they do by themselves, what they do when they are told, and when they are killed."""
import signal

import pytest

from conftest import BAD, BASE, GOOD, needs_hooks
from server import pending, state, title, until

TASKS = """
serve: {workers: 2}
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors, schedule: every second}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv, schedule: every second}
"""
QUIET = """
serve: {workers: 2}
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done}
"""
SMALL_CHUNKS = BASE.replace("format: csv", "format: csv\n    chunk_size: 10")


def rows_of(n, first=0):
    return "name,email#key\n" + "".join(f"P{i},p{i}@x.test\n" for i in range(first, first + n))


# A row whose chunk does not come to an end by itself.
ENDLESS_POSTGRES = """
CREATE FUNCTION endless() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(36000); RETURN NEW; END $$;
CREATE TRIGGER endless BEFORE INSERT ON partner FOR EACH ROW WHEN (NEW.email = 'p15@x.test') EXECUTE FUNCTION endless();
"""
ENDLESS = """
CREATE TRIGGER endless BEFORE INSERT ON partner WHEN NEW.email = 'p15@x.test' BEGIN
    SELECT (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n);
END;
"""


def idle(project):
    return not project.rows("SELECT id FROM pattimpex_job WHERE state IN ('pending', 'started')")


def queue_fetch(project):
    """What the scheduler would do."""
    project.execute("INSERT INTO pattimpex_job (kind, channel, priority, eta, attempt, retries, deaths, identity, state, task, created, started, ended)"
                    " VALUES ('fetch', 'root.fetch', 10, 0, 0, 0, 0, 'fetch:in', 'pending', 'in', 0, 0, 0)")


def test_schedules_import_and_export_by_themselves(project, serve):
    project.config(TASKS)
    server = serve()
    server.told("READY=1")
    project.drop("good.csv")
    project.drop("bad.csv", BAD)
    until("the files are put away", lambda: {"done/good.csv", "done/bad.csv", "errors/bad.csv"} <= set(project.names()))
    until("an export with the new records", lambda: b"carol@x.test" in project.tree("out").get("out/all.csv", b""))
    line = server.logged("2 created (2 rows)", file="good.csv")
    assert line["task"] == "in" and line["job"] and line["worker"].startswith("worker ") and line["level"] == "info"
    server.logged("no Country", level="warning", file="bad.csv", task="in")


def test_stops_when_told_and_leaves_nothing_behind(project, serve):
    project.config(QUIET)
    server = serve()
    server.told("READY=1")
    server.tell(signal.SIGTERM)
    assert server.ends() == 0
    server.told("STOPPING=1")
    assert not list(project.folder.glob("shop.db-worker-*"))


def test_titles_say_what_each_process_is(project, serve):
    project.config(QUIET)
    server = serve("serve", "--workers", "3")
    server.told("READY=1")
    titles = sorted(title(pid) for pid in server.children())
    assert titles == ["pattimpex: notifier idle", "pattimpex: scheduler idle", "pattimpex: worker 1 idle", "pattimpex: worker 2 idle", "pattimpex: worker 3 idle"]
    assert title(server.pid) == "pattimpex: supervisor"


def test_no_schedules_starts_no_task(project, serve):
    project.config(TASKS)
    project.drop("good.csv")
    server = serve("serve", "--no-schedules")
    server.told("READY=1")
    assert not server.pids("scheduler")
    project.call("run", "out")          # the queue is served all the same
    assert project.names("in") == ["in/good.csv"]
    server.tell(signal.SIGTERM)
    assert server.ends() == 0
    assert project.names("in") == ["in/good.csv"]


def test_bad_configuration_starts_nothing(project, serve):
    project.config("import_tasks:\n  in: {storage: dorp, path: in}\n")
    server = serve()
    assert server.ends() == 2
    server.logged("dorp", level="error", worker="checker")
    server.logged("nothing was started")


def test_wrong_section_serve_is_told(project, serve):
    project.config("serve: {wokers: 2}\n")
    server = serve()
    assert server.ends() == 2
    assert "did you mean workers?" in server.log_path.read_text()
    assert "did you mean workers?" in project.call("check", status=2).stderr


def test_sighup_takes_a_good_configuration(project, serve):
    project.config(QUIET)
    server = serve()
    server.told("READY=1")
    before = set(server.children())
    project.config(QUIET.replace("workers: 2", "workers: 3"))
    server.tell(signal.SIGHUP)
    assert "MONOTONIC_USEC=" in server.told("RELOADING=1")
    server.told("READY=1")
    until("three new workers", lambda: len(server.pids("worker")) == 3 and not before & set(server.children()))
    assert not [line for line in server.log() if line["level"] == "error"], "nobody died"


def test_sighup_refuses_a_bad_configuration(project, serve):
    project.config(QUIET)
    server = serve()
    server.told("READY=1")
    before = sorted(server.children())
    project.config("serve: {workers: 2}\nimport_tasks:\n  in: {storage: dorp, path: in}\n")
    server.tell(signal.SIGHUP)
    server.told("RELOADING=1")
    server.told("READY=1")
    server.logged("dorp", level="error")
    server.logged("the old one stays", level="error")
    assert sorted(server.children()) == before
    project.config("serve: [\n")
    server.tell(signal.SIGHUP)
    server.told("RELOADING=1")
    server.told("READY=1")
    assert sorted(server.children()) == before
    # a worker that is started now still has the old one
    worker = server.pid_of("worker 1")
    server.tell(signal.SIGKILL, worker)
    until("a new worker 1", lambda: server.pids("worker 1 idle") not in ([], [worker]))


def test_killed_worker_and_scheduler_are_started_again(project, serve, database):
    project.config(QUIET)
    server = serve()
    server.told("READY=1")
    for name in "worker 2", "scheduler":
        before = server.pid_of(name)
        server.tell(signal.SIGKILL, before)
        # on PostgreSQL a scheduler waits first until nobody can believe that the other one leads
        again = name if database and name == "scheduler" else f"{name} idle"
        until(f"a new {name}", lambda: server.pids(again) not in ([], [before]))
        assert server.logged(f"{name} (pid {before}) died by signal 9")["level"] == "error"


def test_workers_end_with_their_supervisor(project, serve):
    project.config(QUIET)
    server = serve()
    server.told("READY=1")
    left = server.children()
    server.tell(signal.SIGKILL)
    server.ends()
    until("no process is left", lambda: not any(title(pid).startswith("pattimpex:") for pid in left))
    again = serve()
    again.told("READY=1")
    assert not [p for p in project.folder.glob("shop.db-worker-*") if int(p.name.split("-")[2]) in left]


@needs_hooks
def test_sigterm_in_a_big_import_leaves_it_where_it_is(project, serve):
    project.config(QUIET, base=SMALL_CHUNKS)
    project.drop("big.csv", rows_of(1000))
    server = serve("serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "chunk-committed:3"})
    server.told("READY=1")
    queue_fetch(project)
    worker = server.paused_worker()
    assert title(worker).endswith("import big.csv")
    server.tell(signal.SIGTERM)
    server.logged("stopping")
    until("the worker is told", lambda: pending(worker, signal.SIGTERM))       # which comes after the line of the log
    server.tell(signal.SIGCONT, worker)
    assert server.ends() == 0
    assert project.rows("SELECT state, deaths, retries, owner FROM pattimpex_job WHERE kind = 'import'") == [("pending", 0, 0, None)]
    assert project.rows("SELECT count(*) FROM partner WHERE email LIKE 'p%'") == [(30,)]
    again = serve("serve", "--no-schedules")
    until("the rest is imported", lambda: idle(project))
    assert project.rows("SELECT state, n_rows, n_created, n_updated FROM pattimpex_file") == [("done", 1000, 1000, 0)]
    assert again.logged("1,000 created")


def endless(project):
    """The second chunk of a file does not end by itself."""
    project.script(ENDLESS, ENDLESS_POSTGRES)


def in_an_endless_chunk(project, serve, command="serve"):
    """A server with a worker that is in the second chunk of a file."""
    endless(project)
    hooks = project.folder / "hooks"
    project.drop("big.csv", rows_of(100))
    server = serve(command, env={"PATTIMPEX_HOOK_LOG": str(hooks)})
    until("it is idle", lambda: "idle" in title(server.pid) or len(server.pids("worker")) == 2)
    queue_fetch(project)
    until("the second chunk is being loaded", lambda: hooks.exists() and hooks.read_text().split().count("chunk-filled") == 2)
    return server


def check_that_nothing_is_lost_or_doubled(project, serve):
    """After a chunk was rolled back: the job is as it was, and goes on from there."""
    assert project.rows("SELECT count(*) FROM partner WHERE email LIKE 'p%'") == [(10,)]
    assert project.rows("SELECT deaths, retries FROM pattimpex_job WHERE kind = 'import'") == [(0, 0)]
    project.script("DROP TRIGGER endless", "DROP TRIGGER endless ON partner")
    again = serve("serve", "--no-schedules")
    until("the rest is imported", lambda: idle(project))
    assert project.rows("SELECT state, n_rows, n_created, n_updated, n_failed FROM pattimpex_file") == [("done", 100, 100, 0, 0)]
    assert project.rows("SELECT deaths, retries FROM pattimpex_job WHERE kind = 'import'") == [(0, 0)]
    assert project.rows("SELECT count(*) FROM partner WHERE email LIKE 'p%'") == [(100,)]
    assert not [line for line in again.log() if line["level"] in ("error", "warning")]


@needs_hooks
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_chunk_that_does_not_end_in_time_is_rolled_back(project, serve, command):
    project.config(QUIET.replace("workers: 2", "workers: 2, stop_timeout: 1s"), base=SMALL_CHUNKS)
    server = in_an_endless_chunk(project, serve, command)
    server.tell(signal.SIGTERM)
    assert server.ends() == 0
    assert project.rows("SELECT state, owner FROM pattimpex_job WHERE kind = 'import'") == [("pending", None)]
    check_that_nothing_is_lost_or_doubled(project, serve)


@needs_hooks
@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("first, second", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_second_wish_to_stop_waits_for_no_timeout(project, serve, command, first, second):
    project.config(QUIET.replace("workers: 2", "workers: 2, stop_timeout: 1h"), base=SMALL_CHUNKS)
    server = in_an_endless_chunk(project, serve, command)
    server.tell(first)
    if command == "serve":
        server.logged("stopping; what runs has 3600 s")
    else:       # heard when it is not pending any more
        until("it has heard it", lambda: not pending(server.pid, first))
    assert server.process.poll() is None
    server.tell(second)
    assert server.ends() == 0
    assert command == "worker" or server.logged("stopping at once")
    assert project.rows("SELECT state, owner FROM pattimpex_job WHERE kind = 'import'") == [("pending", None)]
    check_that_nothing_is_lost_or_doubled(project, serve)


@needs_hooks
def test_wish_to_stop_at_once_between_two_statements(project, serve):
    """Heard when the endless statement has not begun."""
    project.config(QUIET.replace("workers: 2", "workers: 2, stop_timeout: 1h"), base=SMALL_CHUNKS)
    endless(project)
    project.drop("big.csv", rows_of(100))
    server = serve("worker", env={"PATTIMPEX_PAUSE_AT": "chunk-filled:2"})
    until("it is idle", lambda: "idle" in title(server.pid))
    queue_fetch(project)
    until("it is paused", lambda: state(server.pid) == "T")
    server.tell(signal.SIGTERM)
    server.tell(signal.SIGINT)
    server.tell(signal.SIGCONT)
    assert server.ends() == 0
    assert project.rows("SELECT state, owner FROM pattimpex_job WHERE kind = 'import'") == [("pending", None)]
    check_that_nothing_is_lost_or_doubled(project, serve)


@needs_hooks
def test_worker_that_does_not_hear_is_killed_and_its_job_goes_back(project, serve):
    project.config(QUIET.replace("workers: 2", "workers: 2, stop_timeout: 1s"), base=SMALL_CHUNKS)
    project.drop("big.csv", rows_of(100))
    server = serve("serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "chunk-committed:3"})
    server.told("READY=1")
    queue_fetch(project)
    server.paused_worker()
    server.tell(signal.SIGTERM)
    assert server.ends() == 0
    again = serve("serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "import-file:1"})
    worker = again.paused_worker()
    assert project.rows("SELECT deaths, retries, error FROM pattimpex_job WHERE kind = 'import'") == [(0, 0, None)]
    again.tell(signal.SIGCONT, worker)
    until("the rest is imported", lambda: idle(project))
    assert project.rows("SELECT state, n_rows, n_created, n_updated FROM pattimpex_file") == [("done", 100, 100, 0)]
    assert not [line for line in again.log() if line["level"] in ("error", "warning")]


@needs_hooks
def test_another_worker_goes_on_with_the_job_of_a_killed_one(project, serve):
    project.config(QUIET, base=SMALL_CHUNKS)
    project.drop("big.csv", rows_of(100))
    server = serve("serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "chunk-committed:3"})
    server.told("READY=1")
    queue_fetch(project)
    worker = server.paused_worker()
    server.tell(signal.SIGKILL, worker)
    second = server.paused_worker(worker)
    assert project.rows("SELECT count(*) FROM partner WHERE email LIKE 'p%'") == [(60,)]
    server.tell(signal.SIGCONT, second)
    until("the rest is imported", lambda: idle(project))
    assert project.rows("SELECT state, n_rows, n_created, n_updated FROM pattimpex_file") == [("done", 100, 100, 0)]


@needs_hooks
def test_signal_of_a_killed_worker_is_told_whoever_looks_first(project, serve):
    """The supervisor is slow: meanwhile others look for what dead workers left."""
    project.config(QUIET, base=SMALL_CHUNKS)
    project.drop("big.csv", rows_of(100))
    server = serve("serve", "--no-schedules", env={"PATTIMPEX_PAUSE_AT": "chunk-filled:1"})
    server.told("READY=1")
    queue_fetch(project)
    first = server.paused_worker()
    server.tell(signal.SIGSTOP)
    until("the supervisor does nothing", lambda: state(server.pid) == "T")
    server.tell(signal.SIGKILL, first)
    until("the worker is dead", lambda: state(first) == "Z")
    project.call("run", "in", status=None)
    assert project.emails() == ["alice@x.test", "bob@x.test"], "its job was taken before it was known what killed it"
    server.tell(signal.SIGCONT)
    second = server.paused_worker()
    died = "worker died (signal 9) while importing big.csv, rows 2-11"
    assert project.rows("SELECT error FROM pattimpex_job WHERE kind = 'import'") == [(died,)]
    server.tell(signal.SIGKILL, second)
    until("the job has failed", lambda: project.rows("SELECT error FROM pattimpex_job WHERE kind = 'import' AND state = 'failed'"))
    assert project.rows("SELECT error FROM pattimpex_job WHERE kind = 'import'") == [(died + " (2 times)",)]


def test_stopped_worker_keeps_its_job_and_nothing_is_doubled(project, serve):
    project.config(QUIET)
    server = serve("serve", "--no-schedules")
    server.told("READY=1")
    for pid in server.pids("worker"):
        server.tell(signal.SIGSTOP, pid)
        until("it is stopped", lambda: state(pid) == "T")
    project.drop("good.csv")
    queue_fetch(project)
    for pid in server.pids("worker"):
        server.tell(signal.SIGCONT, pid)
    until("the file is imported", lambda: "carol@x.test" in project.emails() and idle(project))
    assert project.rows("SELECT state, n_rows, n_created FROM pattimpex_file") == [("done", 2, 2)]


def test_worker_with_too_much_memory_is_replaced_after_its_job(project, serve):
    project.config(QUIET.replace("workers: 2", "workers: 1, worker_memory: 1MiB"))
    project.drop("good.csv")
    server = serve("serve", "--no-schedules")
    server.told("READY=1")
    before = server.pid_of("worker 1 idle")
    queue_fetch(project)
    until("the file is imported", lambda: "carol@x.test" in project.emails() and idle(project))
    until("a new worker 1", lambda: server.pids("worker 1 idle") not in ([], [before]))
    assert len([line for line in server.log() if "is replaced (worker_memory: 1.0" in line["text"]]) >= 2, "after the fetch and the import"
    assert project.rows("SELECT sum(deaths), sum(retries) FROM pattimpex_job") == [(0, 0)]
    assert not [line for line in server.log() if line["level"] in ("error", "warning")]


def test_worker_is_not_replaced_without_need(project, serve):
    project.config(QUIET.replace("workers: 2", "workers: 1"))
    project.drop("good.csv")
    server = serve("serve", "--no-schedules")
    server.told("READY=1")
    before = server.pid_of("worker 1 idle")
    queue_fetch(project)
    until("the file is imported", lambda: "carol@x.test" in project.emails() and idle(project))
    assert server.pid_of("worker 1") == before


@needs_hooks
def test_two_servers_on_one_database_do_each_thing_once(project, serve):
    """Each worker holds at its first import until all four have one."""
    project.config(TASKS)
    servers = [serve(env={"PATTIMPEX_PAUSE_AT": "import-file:1"}) for _ in range(2)]
    for server in servers:
        server.told("READY=1")
    for i in range(5):
        project.drop(f"{i}.csv", rows_of(20, first=100 * i))
    workers = [pid for server in servers for pid in server.pids("worker")]
    until("all workers hold", lambda: [state(pid) for pid in workers] == ["T"] * 4)
    for pid in workers:
        server.tell(signal.SIGCONT, pid)
    until("all is put away", lambda: len(project.names("done")) == 5)
    until("all is imported", lambda: project.rows("SELECT count(*) FROM pattimpex_file WHERE kind = 'import' AND state = 'done'") == [(5,)])
    assert project.rows("SELECT sum(n_created), sum(n_updated) FROM pattimpex_file WHERE kind = 'import'") == [(100, 0)]
    assert not [line for server in servers for line in server.log() if line["level"] == "error"]


@pytest.mark.parametrize("command", ["worker", "scheduler"])
def test_processes_run_alone(project, serve, command):
    project.config(TASKS)
    server = serve(command)
    until("it runs", lambda: "idle" in title(server.pid))
    server.tell(signal.SIGTERM)
    assert server.ends() == 0


def test_watchdog_hears_of_life_only_while_all_is_well(project, serve):
    project.config(QUIET)
    server = serve(env={"WATCHDOG_USEC": "200000"})
    server.told("READY=1")
    server.told("WATCHDOG=1")
    worker = server.pid_of("worker 1")
    server.tell(signal.SIGSTOP, worker)
    server.told("STATUS=0 of 2 workers busy, 1 of 4 processes do not run")
    server.tell(signal.SIGCONT, worker)
    server.told("STATUS=0 of 2 workers busy")
    server.told("WATCHDOG=1")

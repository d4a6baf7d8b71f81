# SPDX-License-Identifier: Apache-2.0
"""`metrics`: the text format of Prometheus, read by its own parser; counters that agree with what happened, and stay."""
import pathlib
import re
import shutil
import signal

from prometheus_client.parser import text_string_to_metric_families

from conftest import BAD, BASE
from server import state, until
from test_serve import QUIET, idle, needs_hooks, queue_fetch

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
OUT = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv}
"""


def families(project):
    return list(text_string_to_metric_families(project.call("metrics").stdout))


def samples(project):
    """name -> {labels as a frozenset: value}"""
    found = {}
    for family in families(project):
        for sample in family.samples:
            labels = frozenset(sample.labels.items())
            assert labels not in found.setdefault(sample.name, {}), f"{sample.name} {sample.labels} stands there twice"
            found[sample.name][labels] = sample.value
    return found


def value(found, name, **labels):
    """The sum of what has these labels."""
    return sum(n for known, n in found.get(name, {}).items() if labels.items() <= dict(known).items())


def test_every_metric_has_help_and_type_from_the_start(project):
    project.config(OUT)
    text = project.call("metrics").stdout
    names = re.findall(r"^# HELP (\S+) \S.*$", text, re.M)
    assert names == re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram|summary)$", text, re.M)
    assert len(names) == len(set(names)) > 20 and all(name.startswith("pattimpex_") for name in names)
    assert text.endswith("\n") and "\n\n" not in text
    assert all(family.documentation for family in families(project))


def test_document_tells_each_metric_with_its_type_and_labels(project):
    project.config(OUT)
    project.drop("good.csv")
    project.drop("bad.csv", BAD)
    project.call("run", status=1)
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels)))
            for name, kind, labels in re.findall(r"^\| `(pattimpex_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENT.read_text(), re.M)}
    text = project.call("metrics").stdout
    there = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.M))
    assert {name: kind for name, (kind, _) in told.items()} == there
    for name in there:
        for labels in re.findall(rf"^{name}(?:_bucket|_sum|_count)?\{{(.*)\}} ", text, re.M):
            used = set(re.findall(r'(\w+)="', labels))
            assert used <= told[name][1] | {"le"}, name
            assert "_bucket" in name or used - {"le"} == told[name][1], name


def test_counters_agree_with_what_happened(project):
    project.config(OUT)
    good = project.drop("good.csv").stat().st_size
    bad = project.drop("bad.csv", BAD).stat().st_size
    project.call("run", status=1)
    found = samples(project)
    for outcome, n in ("created", 3), ("failed", 2), ("updated", 0):
        assert value(found, "pattimpex_rows_total", kind="import", task="in", outcome=outcome) == n
    assert value(found, "pattimpex_rows_total", kind="export", task="out", outcome="exported") == len(project.emails())
    assert value(found, "pattimpex_files_ended_total", kind="import", outcome="done") == 1
    assert value(found, "pattimpex_files_ended_total", kind="import", outcome="failed") == 1
    assert value(found, "pattimpex_fetched_files_total", storage="drop", task="in") == 2
    assert value(found, "pattimpex_fetched_bytes_total", storage="drop", task="in") == good + bad
    sent = sum(len(text) for folder in ("out", "errors") for text in project.tree(folder).values())
    assert value(found, "pattimpex_sent_bytes_total") == sent and value(found, "pattimpex_sent_files_total") == 2
    jobs = dict(project.rows("SELECT kind, count(*) FROM pattimpex_job WHERE state = 'done' GROUP BY kind"))
    for kind, n in jobs.items():
        assert value(found, "pattimpex_jobs_ended_total", kind=kind, outcome="done") == n
        assert value(found, "pattimpex_job_duration_seconds_count", kind=kind) == n
        assert value(found, "pattimpex_job_duration_seconds_bucket", kind=kind, le="+Inf") == n
        assert value(found, "pattimpex_job_wait_seconds_count", kind=kind) == n
        bounds = [value(found, "pattimpex_job_duration_seconds_bucket", kind=kind, le=le) for le in ("0.1", "1", "10", "60", "600", "3600")]
        assert bounds == sorted(bounds)
    assert value(found, "pattimpex_task_last_run_ok", task="in") == 1
    assert value(found, "pattimpex_files", task="in", state="failed") == 1 and value(found, "pattimpex_failures", subject="file") == 1


def test_files_by_hand_are_counted_without_a_task(project):
    project.config(OUT)
    (project.folder / "bad.csv").write_bytes(BAD.encode())
    project.call("import", "partner", "bad.csv", status=1)
    project.call("import", "partner", "bad.csv", "--dry-run", status=1)
    project.call("import", "partner", "bad.csv", "--no-history", status=1)
    project.call("export", "partner", "-o", "all.csv")
    found = samples(project)
    assert value(found, "pattimpex_rows_total", task="", kind="import") == 3
    assert value(found, "pattimpex_rows_total", task="", outcome="exported") == 3
    assert value(found, "pattimpex_files_ended_total", task="") == 2


def test_what_is_rolled_back_was_not_created(project):
    project.config(OUT, base=BASE.replace("format: csv", "format: csv\n    on_error: abort"))
    project.drop("bad.csv", BAD)
    project.call("run", "in", status=1)
    found = samples(project)
    assert value(found, "pattimpex_rows_total", outcome="created") == 0 and value(found, "pattimpex_rows_total", outcome="failed") == 2


def test_counters_outlive_what_is_cleaned(project):
    project.config("keep_jobs: 1s\nkeep_files: 1s\n" + OUT)
    project.drop("good.csv")
    project.call("run")
    before = samples(project)
    project.execute("UPDATE pattimpex_job SET ended = ended - 10000000")
    project.execute("UPDATE pattimpex_file SET ended = ended - 10000000")
    project.execute("UPDATE pattimpex_attachment SET changed = changed - 10000000")
    project.call("clean")
    assert project.rows("SELECT count(*) FROM pattimpex_job WHERE kind = 'import'") == [(0,)]
    after = samples(project)
    for name in before:
        if name.endswith("_total"):
            assert all(after[name][labels] >= n for labels, n in before[name].items()), name
    assert value(after, "pattimpex_rows_total", outcome="created") == 2


def test_retries_and_storage_errors_are_counted(project, serve_ready):
    project.config(QUIET)
    shutil.rmtree(project.drop_folder)
    serve_ready("serve", "--no-schedules")
    queue_fetch(project)
    until("a try that failed", lambda: project.rows("SELECT retries FROM pattimpex_job WHERE retries > 0 AND state = 'pending'"))
    found = samples(project)
    retries = value(found, "pattimpex_job_retries_total", kind="fetch", task="in")
    assert retries >= 1 and value(found, "pattimpex_storage_errors_total", storage="drop", task="in") == retries
    assert value(found, "pattimpex_jobs", channel="root.fetch", state="later") == 1
    assert value(found, "pattimpex_task_last_run_ok", task="in") == 0


@needs_hooks
def test_deaths_of_workers_are_counted(project):
    project.config(QUIET)
    project.drop("poison.csv")
    for _ in range(2):
        project.call("run", status=None, env={"PATTIMPEX_CRASH_AT": "rows-filled:poison.csv"})
    project.call("run", status=None)
    found = samples(project)
    assert value(found, "pattimpex_worker_deaths_total", kind="import", task="in") == 2
    assert value(found, "pattimpex_jobs_ended_total", kind="import", outcome="failed") == 1
    assert value(found, "pattimpex_files_ended_total", kind="import", task="in", outcome="failed") == 1
    assert value(found, "pattimpex_failures", subject="job") == 1


def test_workers_and_schedules_are_seen(project, serve_ready):
    project.config(QUIET.replace("move_path: done", "move_path: done, schedule: every second"))
    assert value(samples(project), "pattimpex_scheduler_up") == 0
    server = serve_ready()
    until("a time that was due", lambda: value(samples(project), "pattimpex_schedule_due_total", task="in", kind="fetch", outcome="queued"))
    found = samples(project)
    assert value(found, "pattimpex_scheduler_up") == 1
    assert value(found, "pattimpex_workers", state="idle") + value(found, "pattimpex_workers", state="busy") == 2
    server.tell(signal.SIGTERM)
    server.ends()
    until("a time that nobody decides", lambda: value(samples(project), "pattimpex_schedule_lag_seconds", task="in") > 0)


def test_a_task_that_is_queued_and_not_begun_is_late(project, serve_ready):
    project.config(QUIET.replace("workers: 2", "workers: 1").replace("move_path: done", "move_path: done, schedule: every second"))
    project.drop("good.csv")
    server = serve_ready()
    until("the file is imported", lambda: "carol@x.test" in project.emails() and idle(project))
    worker = server.pid_of("worker 1")
    server.tell(signal.SIGSTOP, worker)
    until("it is stopped", lambda: state(worker) == "T")
    until("a fetch is late", lambda: value(samples(project), "pattimpex_schedule_lag_seconds", task="in") > 0)
    server.tell(signal.SIGCONT, worker)


def test_labels_are_escaped(project):
    project.config("""
import_tasks:
  'a "quoted" \\ name': {storage: drop, path: in, pattern: partner, after_import: move, move_path: done}
""")
    project.drop("good.csv")
    project.call("run")
    assert value(samples(project), "pattimpex_rows_total", task='a "quoted" \\ name', outcome="created") == 2

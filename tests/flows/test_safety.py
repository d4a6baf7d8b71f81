# SPDX-License-Identifier: Apache-2.0
"""Dry runs touch nothing, secrets stay secret, configurations merge."""
import fcntl
import json
import os
import subprocess
import sys

import pytest

from conftest import BAD, BASE, GOOD, MEASURED, needs_hooks

BOTH = """
import_tasks:
  partners-in:
    storage: drop
    path: in
    pattern: partner
    after_import: move
    move_path: done
    error_path: errors
export_tasks:
  partners-out: {pattern: partner, storage: drop, path: out}
"""


def state(project):
    return project.tree(), project.dump(), project.stored()


def test_dry_run_of_all_tasks_leaves_everything_untouched(project):
    project.config(BOTH)
    project.drop("a.csv")
    project.drop("b.csv", BAD)
    project.call("check")
    before = state(project)
    done = project.call("run", "--dry-run", status=1)
    assert "b.csv" in done.stdout + done.stderr
    assert state(project) == before


def test_dry_run_of_an_import_tells_what_would_happen(project):
    project.config(BOTH)
    file = project.drop("b.csv", BAD)
    project.call("check")
    before = state(project)
    summary = project.json("import", "partner", file, "--dry-run", status=1)
    assert (summary["created"], summary["failed"]) == (1, 2)
    assert state(project) == before


def test_import_without_history_leaves_only_the_records(project):
    project.config(BOTH)
    project.call("check")
    before = project.rows("SELECT count(*) FROM pattimpex_attachment"), project.stored()
    project.call("import", "partner", project.drop("a.csv"), "--no-history")
    assert (project.rows("SELECT count(*) FROM pattimpex_attachment"), project.stored()) == before
    assert len(project.emails()) == 4


def test_import_by_hand_leaves_attachment_and_pattern_file(project):
    project.config(BOTH)
    project.call("import", "partner", project.drop("a.csv"))
    assert project.rows("SELECT name, state FROM pattimpex_attachment") == [("a.csv", "done")]
    assert project.rows("SELECT kind, state, n_created FROM pattimpex_file") == [("import", "done", 2)]


def test_import_from_standard_input_and_export_to_standard_output(project):
    project.config(BOTH)
    project.call("import", "partner", "-", "--no-history", input=GOOD)
    assert "carol@x.test" in project.call("export", "partner", "-o", "-").stdout


# ---------------------------------------------------------------- secrets

SECRET = "s3cr3t-w0rd"


@pytest.mark.parametrize("written, file", [("'${SHOP_SECRET}'", None), ("{file: word.txt}", "word.txt")])
def test_secret_is_never_printed(project, written, file):
    base = BASE.replace("type: file, directory: drop", f"type: file, directory: {written}")
    project.config(BOTH, base=base)
    (project.folder / SECRET).mkdir()
    if file:
        (project.folder / file).write_text(SECRET + "\n")
    for command in (["check"], ["check", "--effective"], ["tasks"], ["run"], ["tasks", "duplicate", "partners-in", "copy"]):
        done = project.call(*command, env={"SHOP_SECRET": SECRET}, status=None)
        assert SECRET not in done.stdout + done.stderr, command
    assert (project.folder / SECRET / "out" / "partner.csv").exists(), "the secret is used all the same"
    assert SECRET not in project.dump()


def test_missing_environment_variable_is_told_by_its_name(project):
    project.config(BOTH, base=BASE.replace("directory: drop", "directory: '${NOT_SET_AT_ALL}'"))
    done = project.call("check", status=2)
    assert "NOT_SET_AT_ALL" in done.stderr and "pattimpex.yaml:" in done.stderr


# ---------------------------------------------------------------- configuration

def test_later_configuration_wins_key_by_key(project):
    project.config(BOTH)
    (project.folder / "staging.yaml").write_text("storages: {drop: {directory: staging}}\n")
    (project.folder / "staging").mkdir()
    project.drop("a.csv")
    project.call("-c", "pattimpex.yaml", "-c", "staging.yaml", "run")
    assert project.names() == ["in/a.csv"], "the live folder was touched"
    assert (project.folder / "staging" / "out" / "partner.csv").exists()


def test_include(project):
    (project.folder / "tasks.yaml").write_text(BOTH)
    project.config("include: tasks.yaml\n")
    project.drop("a.csv")
    project.call("run")
    assert project.names() == ["done/a.csv", "out/partner.csv"]


def test_effective_configuration_tells_where_each_value_is_from(project):
    project.config(BOTH)
    (project.folder / "staging.yaml").write_text("storages: {drop: {directory: staging}}\n")
    shown = project.call("-c", "pattimpex.yaml", "-c", "staging.yaml", "check", "--effective").stdout
    assert any("directory: staging" in line and "staging.yaml:1" in line for line in shown.splitlines())


def test_effective_configuration_as_json(project):
    project.config(BOTH)
    (project.folder / "staging.yaml").write_text('storages: {drop: {directory: staging}}\nfilestore: ${FILES}\ndatabase: "postgresql://me:pw@host/db"\n')
    options = ("-c", "pattimpex.yaml", "-c", "staging.yaml", "check", "--effective")
    shown = project.json(*options, env={"FILES": "a secret"})
    configuration, origins = shown["configuration"], shown["origins"]
    assert (configuration["storages"]["drop"], configuration["filestore"]) == ({"type": "file", "directory": "staging"}, "***")
    assert configuration["database"] == "postgresql://me:***@host/db"
    assert configuration["patterns"]["partner"]["fields"][1] == {"field": "email", "key": True}
    assert origins["storages.drop.directory"] == {"file": "staging.yaml", "line": 1}
    assert origins["patterns.partner.fields.1.key"]["file"] == "pattimpex.yaml"
    assert "a secret" not in project.call(*options, "--json", env={"FILES": "a secret"}).stdout


@pytest.mark.parametrize("wrong, told", [
    ("after_impotr: move", "after_import"),
    ("pattern: partnr", "partner"),
    ("storage: dro", "drop"),
    ("after_import: mvoe", "move"),
    ("stable_for: soon", "stable_for"),
])
def test_mistake_is_told_with_file_line_and_what_was_meant(project, wrong, told):
    key = wrong.split(":")[0]
    lines = [line for line in BOTH.splitlines() if not line.strip().startswith(f"{key}:")]
    at = lines.index("  partners-in:") + 1
    lines.insert(at, f"    {wrong}")
    project.config("\n".join(lines) + "\n")
    line = (project.folder / "pattimpex.yaml").read_text().splitlines().index(f"    {wrong}") + 1
    done = project.call("check", status=2)
    assert f"pattimpex.yaml:{line}" in done.stderr and told in done.stderr


def test_all_mistakes_are_told_at_once(project):
    project.config(BOTH.replace("pattern: partner\n", "pattern: nobody\n").replace("error_path", "eror_path"))
    told = project.call("check", status=2).stderr
    assert "nobody" in told and "eror_path" in told


def test_unknown_command_and_option_are_usage_errors(project):
    project.config(BOTH)
    assert "import" in project.call("imprt", status=2).stderr
    project.call("import", "--no-such-option", status=2)


# Runs a command and tells its peak of memory in KiB. A process of its own: a child's peak begins with that of what started it.
PEAK = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize("on_error, rows", [("skip", 100_000), ("abort", 300_000)])
def test_many_messages_do_not_fill_the_memory(project, on_error, rows):
    project.config("", base=BASE + f"    on_error: {on_error}\n")
    file = project.drop("bad.csv", "name,email#key,country_id|code\n" + "".join(f"N,n{i}@x.test,XX\n" for i in range(rows)))
    with open(project.folder / "answer.json", "w") as answer:
        done = subprocess.run([sys.executable, "-c", PEAK, MEASURED, "import", "partner", str(file), "--json"], cwd=project.folder, stdout=answer,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert len(json.loads((project.folder / "answer.json").read_text())["messages"]) == rows
    assert int(done.stderr.splitlines()[-1]) < 64 * 1024


def test_failed_export_leaves_no_file_in_the_history(project):
    project.config("")
    project.call("export", "partner", "-o", "not/there.csv", status=3)
    assert project.json("files") == []


@needs_hooks
def test_what_a_killed_process_leaves_among_temporary_files_is_removed(project, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    project.config(BOTH, base=BASE.replace("filestore: filestore", "filestore: database"))
    project.drop("a.csv")

    def run(status=0, **more):
        return project.call("run", "partners-in", status=status, env={"TMPDIR": str(temporary), **more})
    assert run(None, PATTIMPEX_KILL_AT="1").returncode == -9
    left, = temporary.glob("pattimpex-bytes-*")
    run()
    assert left.exists()                # it may be that of a process that has just begun
    os.utime(left, (1e9, 1e9))
    held = os.open(left, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    run()
    assert left.exists()                # a process lives that passes bytes through it
    os.close(held)
    run()
    assert list(temporary.glob("pattimpex-bytes-*")) == []

# SPDX-License-Identifier: Apache-2.0
"""Held files, tasks switched on and off, names that change."""
from conftest import BAD, BASE, GOOD

MANUAL = """
import_tasks:
  partners-in:
    storage: drop
    path: in
    pattern: partner
    after_import: move
    move_path: done
    process: manual
"""


def test_manual_holds_what_was_fetched(project):
    project.config(MANUAL)
    project.drop("a.csv")
    project.drop("b.csv", "email#key,name\nzoe@x.test,Zoe\n")
    project.call("run")
    assert project.rows("SELECT name, state FROM pattimpex_attachment ORDER BY id") == [("a.csv", "pending"), ("b.csv", "pending")]
    assert len(project.emails()) == 2
    project.call("attachments", "run", "2")
    assert project.emails()[2:] == ["zoe@x.test"]
    project.call("attachments", "run", "--pending")
    assert project.emails()[2:] == ["zoe@x.test", "carol@x.test", "dave@x.test"]


def test_attachments_run_has_a_limit(project):
    project.config(MANUAL)
    for n in range(3):
        project.drop(f"{n}.csv", f"email#key,name\nn{n}@x.test,N{n}\n")
    project.call("run")
    project.call("attachments", "run", "--pending", "--limit", "2")
    assert project.emails()[2:] == ["n0@x.test", "n1@x.test"]


def test_waiting_file_can_be_cancelled(project):
    project.config(MANUAL)
    project.drop("a.csv")
    project.call("run")
    project.call("cancel", "attachment", "1")
    project.call("attachments", "run", "--pending")
    assert len(project.emails()) == 2


def test_file_added_by_hand_goes_through_the_task(project):
    project.config(MANUAL.replace("process: manual", "process: now"))
    project.call("attachments", "add", "partners-in", project.drop("hand.csv", folder="elsewhere"))
    project.call("run")
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test"]
    assert project.rows("SELECT name, task, state FROM pattimpex_attachment") == [("hand.csv", "partners-in", "done")]
    assert project.names() == ["elsewhere/hand.csv"]


def test_disabled_task_does_not_run_until_it_is_enabled(project):
    project.config(MANUAL.replace("process: manual", "process: now"))
    project.drop("a.csv")
    project.call("tasks", "disable", "partners-in")
    project.call("run")
    assert project.names() == ["in/a.csv"]
    project.call("tasks", "enable", "partners-in")
    project.call("run")
    assert project.names() == ["done/a.csv"]


def test_inactive_task_is_listed_and_never_runs_by_itself(project):
    project.config(MANUAL.replace("process: manual", "active: false"))
    project.drop("a.csv")
    project.call("run")
    assert project.names() == ["in/a.csv"]
    assert "partners-in" in project.call("tasks").stdout


def test_enabled_in_the_database_wins_over_the_file(project):
    project.config(MANUAL.replace("process: manual", "active: false"))
    project.drop("a.csv")
    project.call("tasks", "enable", "partners-in")
    project.call("run")
    assert project.names() == ["done/a.csv"]


def test_duplicate_prints_an_inactive_copy_to_paste(project):
    project.config(MANUAL.replace("process: manual", "process: now"))
    copy = project.call("tasks", "duplicate", "partners-in", "second").stdout
    assert "second" in copy and "active: false" in copy and "move_path: done" in copy
    lines = [line for line in copy.splitlines() if line and not line.startswith("#") and line.rstrip() != "import_tasks:"]
    indent = min(len(line) - len(line.lstrip()) for line in lines)
    with open(project.folder / "pattimpex.yaml", "a") as file:
        file.write("".join(f"  {line[indent:]}\n" for line in lines))
    project.call("check")
    assert "second" in project.call("tasks").stdout


KEEP = MANUAL.replace("    after_import: move\n    move_path: done\n    process: manual\n", "    after_import: keep\n    avoid_duplicates: name\n")


def test_renamed_task_keeps_its_history(project):
    project.config(KEEP)
    project.drop("a.csv")
    project.call("run")
    project.config(KEEP.replace("  partners-in:\n", "  renamed:\n    renamed_from: partners-in\n"))
    project.age(project.drop_folder / "in" / "a.csv", 30)
    project.call("run", status=None)
    assert project.rows("SELECT count(*) FROM pattimpex_attachment WHERE state = 'done'") == [(1,)], "the name was known"
    assert set(project.rows("SELECT task FROM pattimpex_attachment")) == {("renamed",)}


def test_check_warns_when_a_name_with_history_disappears(project):
    project.config(KEEP)
    project.drop("a.csv")
    project.call("run")
    project.config(KEEP.replace("  partners-in:\n", "  other:\n"))
    done = project.call("check")
    assert "partners-in" in done.stdout + done.stderr and "renamed_from" in done.stdout + done.stderr


# ---------------------------------------------------------------- tried again

def test_retry_file_imports_the_stored_bytes_again(project):
    project.config(MANUAL.replace("process: manual", "process: now"))
    project.drop("a.csv")
    project.call("run")
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test"]
    project.call("import", "partner", project.drop("x.csv", "email#key,name\ncarol@x.test,Changed\n", folder="hand"))
    project.call("retry", "file", "1")
    assert project.rows("SELECT name FROM partner WHERE email = 'carol@x.test'") == [("Carol",)]
    assert project.rows("SELECT id, previous_id, state FROM pattimpex_file WHERE pattern = 'partner' AND (id = 1 OR previous_id = 1)") == [
        (1, None, "done"), (3, 1, "done")]


def test_retry_failed_imports_only_the_rows_that_failed(project):
    project.config(MANUAL.replace("process: manual", "process: now"))
    project.drop("b.csv", BAD)
    project.call("run", status=1)
    project.call("import", "partner", project.drop("x.csv", "email#key,name\nerin@x.test,Changed\n", folder="hand"))
    fixed = BASE.replace("patterns:", "patterns:\n  country: {model: country, format: csv, fields: [{field: code, key: true}, name]}", 1)
    project.config(MANUAL.replace("process: manual", "process: now"), base=fixed)
    project.call("import", "country", project.drop("c.csv", "code#key,name\nXX,Nowhere\n", folder="hand"))
    done = project.json("retry", "file", "1", "--failed", status=1)
    assert done["created"] == 1 and done["failed"] == 1
    assert project.rows("SELECT name FROM partner WHERE email = 'erin@x.test'") == [("Changed",)], "a good row was imported again"
    assert "frank@x.test" in project.emails()


def test_process_schedule_holds_until_then(project):
    project.config(MANUAL.replace("process: manual", "process: '0 3 * * *'"))
    project.drop("a.csv", GOOD)
    project.call("run")
    assert project.rows("SELECT state FROM pattimpex_attachment") == [("pending",)]
    project.call("attachments", "run", "--pending")
    assert len(project.emails()) == 4

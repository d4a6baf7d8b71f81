# SPDX-License-Identifier: Apache-2.0
"""Import tasks: what is taken from a folder, what becomes of it."""
import os
import socket

import pytest

from conftest import BAD, BASE, GOOD

TASK = """
import_tasks:
  partners-in:
    storage: drop
    path: in
    pattern: partner
"""
MOVE = TASK + "    after_import: move\n    move_path: done\n"


def test_file_is_imported_and_moved(project):
    project.config(MOVE)
    project.drop("a.csv")
    project.call("run")
    assert project.emails() == ["alice@x.test", "bob@x.test", "carol@x.test", "dave@x.test"]
    assert project.tree() == {"done/a.csv": GOOD.encode()}


def test_files_are_imported_in_the_order_of_their_names(project):
    project.config(MOVE)
    project.drop("2.csv", "email#key,name\nalice@x.test,Second\n")
    project.drop("1.csv", "email#key,name\nalice@x.test,First\n")
    project.call("run")
    assert project.rows("SELECT name FROM partner WHERE id = 1") == [("Second",)]


@pytest.mark.parametrize("settings, left", [
    ("after_import: keep", "in/a.csv"),
    ("after_import: delete", None),
    ("after_import: move\n    move_path: done", "done/a.csv"),
    ("after_import: rename\n    new_name: '${obj.stem}-seen${obj.suffix}'", "in/a-seen.csv"),
    ("after_import: move_rename\n    move_path: done/x\n    new_name: '${obj.id}-${obj.name}'", "done/x/1-a.csv"),
])
def test_after_import(project, settings, left):
    project.config(f"{TASK}    {settings}\n    files: a.csv\n")
    project.drop("a.csv")
    project.call("run")
    assert project.names() == ([left] if left else [])
    assert len(project.emails()) == 4


def test_kept_file_is_imported_once(project):
    project.config(TASK + "    after_import: keep\n")
    project.drop("a.csv")
    project.call("run")
    before = project.rows("SELECT count(*) FROM pattimpex_attachment")
    project.call("run")
    assert project.rows("SELECT count(*) FROM pattimpex_attachment") == before == [(1,)]


def test_kept_file_dropped_again_is_imported_again(project):
    project.config(TASK + "    after_import: keep\n")
    project.drop("a.csv", age=60)
    project.call("run")
    project.drop("a.csv", "email#key,name\ncarol@x.test,Caroline\n", age=30)
    project.call("run")
    assert project.rows("SELECT name FROM partner WHERE email = 'carol@x.test'") == [("Caroline",)]


def test_moved_file_never_overwrites(project):
    project.config(MOVE)
    for text in (GOOD, BAD, GOOD):
        project.drop("a.csv", text)
        project.call("run", status=None)
    assert project.names("done") == ["done/a-1.csv", "done/a-2.csv", "done/a.csv"]
    assert project.tree("done")["done/a-1.csv"] == BAD.encode()


def test_on_exists_replace(project):
    project.config(MOVE + "    on_exists: replace\n")
    for text in (BAD, GOOD):
        project.drop("a.csv", text)
        project.call("run", status=None)
    assert project.tree() == {"done/a.csv": GOOD.encode()}


def test_on_exists_fail_leaves_the_file_and_says_so(project):
    project.config(MOVE + "    on_exists: fail\n")
    project.drop("a.csv", "an older one", folder="done")
    project.drop("a.csv")
    done = project.call("run", status=1)
    assert "a.csv" in done.stdout + done.stderr
    assert project.tree()["done/a.csv"] == b"an older one"
    assert GOOD.encode() in [v for k, v in project.tree().items() if k != "done/a.csv"], "the partner's file is lost"


def test_files_filter(project):
    project.config(MOVE + "    files: '*.csv'\n")
    project.drop("a.csv")
    project.drop("notes.txt", "not for us")
    project.drop(".hidden.csv")
    project.call("run")
    assert project.names() == ["done/a.csv", "in/.hidden.csv", "in/notes.txt"]


def test_file_still_being_written_is_left_alone(project):
    project.config(MOVE + "    stable_for: 1h\n")
    project.drop("fresh.csv", age=0)
    project.drop("old.csv", "email#key,name\nzoe@x.test,Zoe\n", age=7200)
    project.call("run")
    assert project.names() == ["done/old.csv", "in/fresh.csv"]
    assert "carol@x.test" not in project.emails()


def test_clock_of_others_is_not_believed(project):
    project.config(MOVE)
    project.drop("a.csv", age=-86400)
    project.drop("b.csv", GOOD.replace("carol", "olga").replace("dave", "pete"))
    done = project.call("run", "--wait", "0")
    assert "1 file still being written" in done.stdout and project.names() == ["done/b.csv", "in/a.csv"]
    project.call("run")
    assert project.names() == ["done/a.csv", "done/b.csv"]


def test_symlinks_and_other_kinds_of_files_are_never_followed(project, tmp_path):
    project.config(MOVE)
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    os.symlink(secret, project.drop_folder / "in" / "link.csv")
    os.mkfifo(project.drop_folder / "in" / "pipe.csv")
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(project.drop_folder / "in")        # a socket's path is short
    server.bind("socket.csv")
    os.chdir(here)
    project.drop("a.csv")
    project.call("run", status=None)
    server.close()
    assert project.tree("done") == {"done/a.csv": GOOD.encode()}
    assert secret.read_text() == GOOD and (project.drop_folder / "in" / "link.csv").is_symlink()


def test_missing_folder_is_empty(project):
    project.config(MOVE.replace("path: in", "path: not-there-yet"))
    project.call("run")


def test_task_without_pattern_only_fetches(project):
    project.config(MOVE.replace("    pattern: partner\n", ""))
    project.drop("report.pdf", b"%PDF-1.4 \x00\xff")
    project.call("run")
    assert project.names() == ["done/report.pdf"]
    assert project.rows("SELECT name, state FROM pattimpex_attachment") == [("report.pdf", "done")]
    assert len(project.emails()) == 2


# ---------------------------------------------------------------- duplicates

def test_duplicates_no_imports_what_is_dropped_again(project):
    project.config(MOVE)
    for _ in range(2):
        project.drop("a.csv")
        project.call("run")
    assert project.names() == ["done/a-1.csv", "done/a.csv"]
    assert project.rows("SELECT count(*) FROM pattimpex_attachment WHERE state = 'done'") == [(2,)]


def test_duplicates_name(project):
    project.config(MOVE + "    avoid_duplicates: name\n")
    project.drop("a.csv")
    project.call("run")
    project.drop("a.csv", "email#key,name\ncarol@x.test,Other\n")
    project.drop("b.csv", "email#key,name\ndave@x.test,Other\n")
    project.call("run", status=None)
    assert project.rows("SELECT name FROM partner WHERE id > 2 ORDER BY id") == [("Carol",), ("Other",)]


def test_duplicates_content(project):
    project.config(MOVE + "    avoid_duplicates: content\n")
    project.drop("a.csv")
    project.call("run")
    project.call("import", "partner", project.drop("x.csv", "email#key,name\ncarol@x.test,Changed\n", folder="hand"))
    project.drop("b.csv")                       # the bytes of a.csv under another name
    project.drop("a.csv", "email#key,name\ndave@x.test,Other\n")
    project.call("run", status=None)
    assert project.rows("SELECT name FROM partner WHERE id > 2 ORDER BY id") == [("Changed",), ("Other",)]


TWO = """
import_tasks:
  one: {storage: drop, path: one, pattern: partner, after_import: delete, avoid_duplicates: content, scope: SCOPE}
  two: {storage: drop, path: two, pattern: partner, after_import: delete, avoid_duplicates: content, scope: SCOPE}
"""


@pytest.mark.parametrize("scope, imported", [("task", 2), ("all", 1)])
def test_duplicates_scope(project, scope, imported):
    project.config(TWO.replace("SCOPE", scope))
    project.drop("a.csv", folder="one")
    project.drop("a.csv", folder="two")
    project.call("run", status=None)
    assert project.rows("SELECT count(*) FROM pattimpex_attachment WHERE state = 'done'") == [(imported,)]


# ---------------------------------------------------------------- bad rows go back

ERRORS = MOVE + "    error_path: errors\n"


def error_file(project):
    (name,) = project.names("errors")
    return project.tree()[name].decode()


def test_bad_rows_come_back_with_all_their_reasons(project):
    project.config(ERRORS)
    project.drop("b.csv", BAD)
    project.call("run", status=1)
    assert project.emails()[2:] == ["erin@x.test"]
    lines = error_file(project).splitlines()
    assert lines[0] == "#Error,name,email#key,phone,country_id|code"
    assert len(lines) == 3
    assert lines[1].endswith("Frank,frank@x.test,6,XX") and "XX" in lines[1].split(",Frank")[0]
    assert lines[2].endswith(",,grace@x.test,7,FR")


def test_corrected_error_file_works_when_sent_again(project):
    project.config(ERRORS)
    project.drop("b.csv", BAD)
    project.call("run", status=1)
    corrected = error_file(project).replace(",XX", ",DE").replace(",,grace", ",Grace,grace")
    project.drop("b-corrected.csv", corrected)
    project.call("run")
    assert project.emails()[2:] == ["erin@x.test", "frank@x.test", "grace@x.test"]


def test_no_error_file_when_all_is_well(project):
    project.config(ERRORS)
    project.drop("a.csv")
    project.call("run")
    assert project.names("errors") == []


def test_refused_file_changes_nothing_and_does_not_stop_the_others(project):
    project.config(ERRORS)
    project.drop("1-bad.csv", "email#key,nmae\nx@x.test,X\n")
    project.drop("2-good.csv")
    assert "1-bad.csv: refused" in project.call("run", status=1).stdout
    assert "nmae" in project.call("files", "1").stdout
    (back,) = project.names("errors")
    assert "nmae" in project.tree()[back].decode(), "the partner is told what to change"
    assert project.emails()[2:] == ["carol@x.test", "dave@x.test"]


def test_reasons_of_a_refused_file_with_a_very_long_name_come_back(project):
    project.config(ERRORS)
    name = "é" * 127 + "x"
    assert len(name.encode()) == 255
    project.drop(name, "")
    assert f"the bad rows go back as {'é' * 125}.txt" in project.call("run", status=1).stdout
    (back,) = project.names("errors")
    assert back == f"errors/{'é' * 125}.txt" and "no header" in project.tree()[back].decode()


# ---------------------------------------------------------------- one failing thing never stops another

def test_one_failing_task_never_stops_another(project):
    project.config("""
        import_tasks:
          a-broken: {storage: gone, path: in, pattern: partner, after_import: delete, retry: {tries: 1}}
          b-works: {storage: drop, path: in, pattern: partner, after_import: delete}
    """, base=BASE.replace("patterns:", "  gone: {type: file, directory: gone/away}\npatterns:", 1))
    (project.folder / "gone").write_text("a file where a directory should be")
    project.drop("a.csv")
    done = project.call("run", status=None)
    assert done.returncode in (1, 3)
    assert len(project.emails()) == 4 and project.names() == []


def test_file_that_may_not_be_put_away_does_not_stop_the_others(project):
    project.config(MOVE)
    project.drop("a.csv")
    project.drop("b.csv", GOOD.replace("carol", "olga").replace("dave", "pete"))
    folder = project.drop_folder / "in"
    folder.chmod(0o555)
    try:
        done = project.call("run", status=1, without_rights=True)
    finally:
        folder.chmod(0o755)
    assert "a.csv: was taken, but could not be put away" in done.stdout + done.stderr
    assert len(project.emails()) == 6 and project.names() == ["in/a.csv", "in/b.csv"]
    project.call("run")
    assert len(project.rows("SELECT id FROM pattimpex_file")) == 2, "nothing is imported twice"
    assert project.names() == ["done/a.csv", "done/b.csv"]


def test_only_the_named_task_runs(project):
    project.config(TWO.replace("SCOPE", "task"))
    project.drop("a.csv", folder="one")
    project.drop("b.csv", folder="two")
    project.call("run", "two")
    assert project.names() == ["one/a.csv"]


def test_unknown_task_is_told(project):
    project.config(MOVE)
    done = project.call("run", "partner-in", status=2)
    assert "partners-in" in done.stderr


def test_external_ids_without_history_need_no_table_beforehand(project):
    project.config("")
    done = project.json("import", "partner", "-", "--no-history", input="id,name,email#key\nmy.carol,Carol,carol@x.test\n")
    assert done["created"] == 1 and project.rows("SELECT module, name, res_id FROM pattimpex_external_id") == [("my", "carol", 3)]

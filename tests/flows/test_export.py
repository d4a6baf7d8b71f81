# SPDX-License-Identifier: Apache-2.0
"""Export tasks: records out to a folder."""
import datetime
import zoneinfo

import pytest

TASK = """
export_tasks:
  partners-out:
    pattern: partner
    storage: drop
    path: out
"""
ALL = "name,email#key,phone,country_id|code\r\nAlice,alice@x.test,1,FR\r\nBob,bob@x.test,2,BE\r\n"


def test_records_are_written_to_the_folder(project):
    project.config(TASK)
    project.call("run")
    assert project.tree() == {"out/partner.csv": ALL.encode()}


def test_inactive_records_are_left_out(project):
    project.config(TASK)
    project.call("import", "partner", project.drop("x.csv", "email#key,active\nbob@x.test,0\n"))
    project.call("run")
    assert b"bob" not in project.tree()["out/partner.csv"]


def test_filter(project):
    project.config(TASK + "    filter: \"[('country_id.code', '=', 'BE')]\"\n")
    project.call("run")
    assert project.tree()["out/partner.csv"].decode().splitlines()[1:] == ["Bob,bob@x.test,2,BE"]


def test_order(project):
    project.config(TASK + "    order: [-name]\n")
    project.call("run")
    assert [line.split(",")[0] for line in project.tree()["out/partner.csv"].decode().splitlines()] == ["name", "Bob", "Alice"]


def test_name_by_template(project):
    project.config(TASK + "    file_name: '${task.name}-${date:%Y%m%d}.csv'\n")
    project.call("run")
    today = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Paris"))
    names = {f"out/partners-out-{day:%Y%m%d}.csv" for day in (today, today - datetime.timedelta(minutes=5))}
    assert set(project.names()) <= names and len(project.names()) == 1


@pytest.mark.parametrize("template", ["${obj.name}", "${date.year}", "${secret}", "a/b.csv", "${task.name", ""])
def test_bad_template_is_told_by_check(project, template):
    project.config(TASK + f"    file_name: '{template}'\n")
    assert "file_name" in project.call("check", status=2).stderr or "pattimpex.yaml:" in project.call("check", status=2).stderr


def test_export_replaces_the_one_before(project):
    project.config(TASK)
    project.drop("partner.csv", "an older one", folder="out")
    project.call("run")
    assert project.tree() == {"out/partner.csv": ALL.encode()}


def test_export_can_be_numbered_instead(project):
    project.config(TASK + "    on_exists: number\n")
    project.drop("partner.csv", "an older one", folder="out")
    project.call("run")
    assert project.tree() == {"out/partner.csv": b"an older one", "out/partner-1.csv": ALL.encode()}


def test_export_leaves_no_temporary_file(project):
    project.config(TASK)
    project.call("run")
    assert [p.name for p in (project.drop_folder / "out").iterdir()] == ["partner.csv"]


def test_no_records_give_a_header_alone(project):
    project.config(TASK + "    filter: \"[('name', '=', 'Nobody')]\"\n")
    project.call("run")
    assert project.tree()["out/partner.csv"] == b"name,email#key,phone,country_id|code\r\n"


def test_skip_empty(project):
    project.config(TASK + "    filter: \"[('name', '=', 'Nobody')]\"\n    skip_empty: true\n")
    project.call("run")
    assert project.tree() == {}


def test_upload_waits_for_its_own_schedule(project):
    project.config(TASK + "    upload_schedule: '0 6 * * *'\n")
    project.call("run")
    assert project.tree() == {}
    assert project.rows("SELECT name, state FROM pattimpex_attachment") == [("partner.csv", "pending")]
    project.call("attachments", "run", "--pending")
    assert project.tree() == {"out/partner.csv": ALL.encode()}


def test_waiting_export_can_be_cancelled(project):
    project.config(TASK + "    upload_schedule: '0 6 * * *'\n")
    project.call("run")
    project.call("cancel", "attachment", "1")
    project.call("attachments", "run", "--pending")
    assert project.tree() == {}
    assert project.rows("SELECT state FROM pattimpex_attachment") == [("cancelled",)]


def test_several_exports_share_an_upload_task(project):
    project.config("""
        upload_tasks:
          evening: {storage: drop, path: out}
        export_tasks:
          french: {pattern: partner, filter: "[('country_id.code', '=', 'FR')]", file_name: fr.csv, upload_task: evening}
          belgian: {pattern: partner, filter: "[('country_id.code', '=', 'BE')]", file_name: be.csv, upload_task: evening}
    """)
    project.call("run")
    assert project.names() == ["out/be.csv", "out/fr.csv"]


def test_imported_records_are_in_the_export_of_the_same_run(project):
    project.config("""
        import_tasks:
          partners-in: {storage: drop, path: in, pattern: partner, after_import: delete}
    """ + TASK.replace("\n", "\n        "))
    project.drop("a.csv")
    project.call("run")
    assert b"carol@x.test" in project.tree()["out/partner.csv"]


def test_unreachable_storage_keeps_the_file_for_later(project):
    project.config(TASK.replace("path: out", "path: out/deep"))
    (project.drop_folder / "out").write_text("a file where a directory should be")
    project.call("run", status=None)
    assert project.rows("SELECT count(*) FROM pattimpex_attachment WHERE state <> 'done'") == [(1,)]
    (project.drop_folder / "out").unlink()
    project.call("retry", "attachment", "1", status=None)
    project.call("run", status=None)
    assert project.tree()["out/deep/partner.csv"] == ALL.encode()

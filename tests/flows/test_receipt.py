# SPDX-License-Identifier: Apache-2.0
"""What partners are told of their files: receipts."""
import hashlib
import json

from conftest import BAD, GOOD

TASK = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, receipt_path: receipts}
"""


def receipt(project, name):
    return json.loads((project.drop_folder / "receipts" / name).read_text())


def test_every_file_gets_one(project):
    project.config(TASK)
    project.drop("a.csv")
    project.drop("b.csv", BAD)
    project.drop("c.csv", "email#key,nonsense\nx@x.test,1\n")
    assert "in: the receipt goes out as a.csv.receipt.json" in project.call("run", status=1).stdout
    assert project.names("receipts") == [f"receipts/{name}.csv.receipt.json" for name in "abc"]
    good, bad, refused = (receipt(project, f"{name}.csv.receipt.json") for name in "abc")
    assert good["time"].startswith("20") and good["time"][-6:] in ("+01:00", "+02:00")
    assert {**good, "time": None} == {
        "file": "a.csv", "path": "in", "sha256": hashlib.sha256(GOOD.encode()).hexdigest(), "size": len(GOOD), "task": "in", "state": "done",
        "rows": 2, "created": 2, "updated": 0, "unchanged": 0, "failed": 0, "skipped": 0, "error": None, "time": None, "messages": []}
    assert (bad["state"], bad["rows"], bad["created"], bad["failed"]) == ("failed", 3, 1, 2)
    assert [message["row"] for message in bad["messages"]] == [3, 4] and "XX" in bad["messages"][0]["message"]
    assert refused["state"] == "refused" and refused["created"] == 0 and "nonsense" in json.dumps(refused["messages"])
    assert {row["direction"] for row in project.json("attachments")} == {"import", "receipt"}
    assert len(project.json("attachments", "--kind", "receipt")) == 3


def test_as_text(project):
    project.config(TASK.replace("receipt_path: receipts", "receipt_path: receipts, receipt_format: text"))
    project.drop("b.csv", BAD)
    project.call("run", status=1)
    text = (project.drop_folder / "receipts" / "b.csv.receipt.txt").read_text()
    assert text.startswith("b.csv: 1 created, 2 failed (3 rows)\n") and "\nstate   failed\n" in text and "\nfailed  2\n" in text
    assert hashlib.sha256(BAD.encode()).hexdigest() in text and "row 3, country_id|code: " in text


def test_other_file_of_that_name_has_its_own(project):
    project.config(TASK)
    for text in (GOOD, BAD):
        project.drop("a.csv", text)
        project.call("run", status=None)
    assert project.names("receipts") == ["receipts/a.csv.receipt-1.json", "receipts/a.csv.receipt.json"]
    assert receipt(project, "a.csv.receipt.json")["state"] == "done" and receipt(project, "a.csv.receipt-1.json")["state"] == "failed"


def test_next_try_of_a_file_replaces_its_receipt(project):
    project.config(TASK)
    project.drop("a.csv", "old", folder="receipts").rename(project.drop_folder / "receipts" / "a.csv.receipt.json")
    project.drop("a.csv", BAD)
    project.call("run", status=1)
    assert receipt(project, "a.csv.receipt-1.json")["failed"] == 2
    project.execute("INSERT INTO country (code, name) VALUES ('XX', 'Nowhere')")
    project.call("retry", "file", "1", status=1)
    project.call("run", status=None)
    assert project.names("receipts") == ["receipts/a.csv.receipt-1.json", "receipts/a.csv.receipt.json"]
    assert receipt(project, "a.csv.receipt-1.json")["failed"] == 1
    assert (project.drop_folder / "receipts" / "a.csv.receipt.json").read_text() == "old"


def test_same_content_again(project):
    project.config(TASK.replace("pattern: partner", "pattern: partner, avoid_duplicates: content"))
    project.drop("a.csv")
    project.call("run")
    project.drop("b.csv")
    for _ in range(2):
        project.call("run")
    assert project.names() == ["done/a.csv", "in/b.csv", "receipts/a.csv.receipt.json", "receipts/b.csv.receipt.json"]
    told = receipt(project, "b.csv.receipt.json")
    assert (told["file"], told["state"], told["rows"], told["error"], told["messages"]) == ("b.csv", "duplicate", 0, None, [])
    assert told["sha256"] == hashlib.sha256(GOOD.encode()).hexdigest() and told["size"] == len(GOOD)
    assert {**told["duplicate_of"], "time": None} == {"file": "a.csv", "path": "in", "time": None} and told["duplicate_of"]["time"][:2] == "20"
    assert told["duplicate_by"] == "content"
    assert project.rows("SELECT name, state FROM pattimpex_attachment WHERE direction = 'import' ORDER BY id") == [("a.csv", "done"), ("b.csv", "duplicate")]


def test_same_content_again_as_text(project):
    project.config(TASK.replace("pattern: partner", "pattern: partner, avoid_duplicates: content, receipt_format: text"))
    for name in ("a.csv", "b.csv"):
        project.drop(name)
        project.call("run")
    text = (project.drop_folder / "receipts" / "b.csv.receipt.txt").read_text()
    assert text.startswith("b.csv: the same content as in/a.csv of 20") and "\nstate   duplicate\n" in text


def test_same_name_again_is_answered_once_for_each_file(project):
    project.config(TASK.replace("pattern: partner", "pattern: partner, avoid_duplicates: name, stable_for: 0"))
    project.drop("a.csv")
    project.call("run")
    project.drop("a.csv", BAD)
    for _ in range(3):
        project.call("run")
    assert project.names() == ["done/a.csv", "in/a.csv", "receipts/a.csv.receipt-1.json", "receipts/a.csv.receipt.json"]
    told = receipt(project, "a.csv.receipt-1.json")
    assert (told["file"], told["state"], told["size"], told["sha256"]) == ("a.csv", "duplicate", len(BAD), None)
    assert (told["duplicate_by"], {**told["duplicate_of"], "time": None}) == ("name", {"file": "a.csv", "path": "in", "time": None})
    assert [row["sha256"] for row in project.json("attachments", "--state", "duplicate")] == [None]
    project.drop("a.csv", BAD + BAD)
    project.call("run")
    assert receipt(project, "a.csv.receipt-2.json")["size"] == len(BAD + BAD)
    imported = "SELECT state, count(*) FROM pattimpex_attachment WHERE direction = 'import' GROUP BY state ORDER BY state"
    assert project.rows(imported) == [("done", 1), ("duplicate", 2)]


def test_same_name_without_receipts_leaves_no_row(project):
    project.config(TASK.replace("pattern: partner", "pattern: partner, avoid_duplicates: name, stable_for: 0").replace(", receipt_path: receipts", ""))
    for text in (GOOD, BAD):
        project.drop("a.csv", text)
        project.call("run")
    assert project.rows("SELECT count(*) FROM pattimpex_attachment") == [(1,)]


def test_same_name_again_as_text(project):
    project.config(TASK.replace("pattern: partner", "pattern: partner, avoid_duplicates: name, stable_for: 0, receipt_format: text"))
    for text in (GOOD, BAD):
        project.drop("a.csv", text)
        project.call("run")
    text = (project.drop_folder / "receipts" / "a.csv.receipt-1.txt").read_text()
    assert text.startswith("a.csv: the same name as in/a.csv of 20") and "so it was not read" in text and "\nsha256  -\n" in text


def test_files_of_another_task_are_not_named(project):
    other = "  other: {storage: drop, path: theirs, pattern: partner, after_import: keep}\n"
    project.config(TASK.replace("pattern: partner", "pattern: partner, avoid_duplicates: content, scope: all") + other)
    project.drop("secret name.csv", folder="theirs")
    project.call("run", "other")
    project.drop("a.csv")
    project.call("run", "in")
    told = receipt(project, "a.csv.receipt.json")
    assert told["state"] == "duplicate" and told["duplicate_of"] is None and "secret" not in json.dumps(told)


def test_receipt_of_a_duplicate_is_tried_again(project):
    project.config(TASK.replace("pattern: partner", "pattern: partner, avoid_duplicates: content"))
    for name in ("a.csv", "b.csv"):
        project.drop(name)
        project.call("run")
    ((job,),) = project.rows("SELECT id FROM pattimpex_job WHERE kind = 'receipt' AND attachment_id IS NOT NULL")
    project.execute("UPDATE pattimpex_job SET state = 'failed' WHERE id = ?", job)
    project.call("retry", "job", job)
    project.call("run")
    assert project.rows("SELECT name, state FROM pattimpex_attachment WHERE direction = 'import' ORDER BY id") == [("a.csv", "done"), ("b.csv", "duplicate")]


def test_settings_are_checked(project):
    project.config(TASK.replace("receipt_path: receipts", "receipt_path: in"))
    assert "receipts would come back for ever" in project.call("check", status=2).stderr
    project.config(TASK.replace("receipt_path: receipts", "receipt_format: text"))
    assert "receipt_format has no effect without receipt_path" in project.call("check").stdout

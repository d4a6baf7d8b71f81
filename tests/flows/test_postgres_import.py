# SPDX-License-Identifier: Apache-2.0
"""Imports into PostgreSQL."""
import contextlib
import json

import psycopg2
import pytest
from conftest import BAD, GOOD
from server import until

PARTNERS = "SELECT p.name, p.email, p.phone, c.code FROM partner AS p LEFT JOIN country AS c ON c.id = p.country_id WHERE p.id > 2 ORDER BY p.id"
TASK = """
  import_tasks:
    partners-in: {storage: drop, path: in, files: "*.csv", pattern: partner, after_import: move, move_path: done, error_path: errors}
"""


def query(url, sql):
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def vacuum(url):
    with contextlib.closing(psycopg2.connect(url)) as db:
        db.autocommit = True
        db.cursor().execute("VACUUM ANALYZE")


def start_ids(url):
    """The records of the schema have ids that no sequence gave."""
    query(url, "ALTER TABLE partner ALTER COLUMN id RESTART WITH 10")


def test_rows_are_created_updated_and_left_alone(shop, url):
    start_ids(url)
    (shop.folder / "in.csv").write_text(GOOD + "Alice,alice@x.test,1,FR\nBobby,bob@x.test,2,BE\n")
    summary = shop.json("import", "partner", "in.csv")
    assert [summary[c] for c in ("state", "created", "updated", "unchanged", "failed")] == ["done", 2, 1, 1, 0]
    assert query(url, PARTNERS) == [("Carol", "carol@x.test", "3", "FR"), ("Dave", "dave@x.test", "4", "BE")]
    assert query(url, "SELECT name FROM partner WHERE id = 2") == [("Bobby",)]
    assert shop.json("import", "partner", "in.csv")["unchanged"] == 4
    assert [(f["state"], f["rows"]) for f in shop.json("files")] == [("done", 4), ("done", 4)]


def test_bad_rows_are_told_and_the_others_imported(shop, url):
    start_ids(url)
    query(url, "ALTER TABLE partner ADD CONSTRAINT partner_phone CHECK (phone <> '666')")
    (shop.folder / "in.csv").write_text(BAD + "Gus,gus@x.test,666,FR\nHal,hal@x.test,8,FR\n")
    summary = shop.json("import", "partner", "in.csv", "--error-file", "errors.csv", status=1)
    assert (summary["created"], summary["failed"]) == (2, 3)
    assert [(m["row"], m["column"], m["type"]) for m in summary["messages"]] == [
        (3, "country_id|code", "not_found"), (4, "name", "required"), (5, None, "check")]
    assert "\"666\" breaks the rule partner_phone (phone <> " in summary["messages"][2]["message"]
    assert query(url, PARTNERS) == [("Erin", "erin@x.test", "5", "DE"), ("Hal", "hal@x.test", "8", "FR")]
    assert len((shop.folder / "errors.csv").read_text().splitlines()) == 4


def test_dry_run_leaves_nothing(shop, url):
    start_ids(url)
    (shop.folder / "in.csv").write_text(BAD)
    summary = shop.json("import", "partner", "in.csv", "--dry-run", status=1)
    assert (summary["created"], summary["failed"]) == (1, 2)
    assert query(url, PARTNERS) == []


def test_task_fetches_imports_and_sends_bad_rows_back(shop, url):
    start_ids(url)
    shop.config(TASK, base=shop.base)
    shop.drop("a.csv")
    shop.drop("b.csv", BAD)
    assert shop.call("run", "--dry-run", status=1)
    assert query(url, PARTNERS) == [] and shop.names() == ["in/a.csv", "in/b.csv"]
    shop.call("run", status=1)
    assert [email for (_, email, _, _) in query(url, PARTNERS)] == ["carol@x.test", "dave@x.test", "erin@x.test"]
    assert [n for n in shop.names() if not n.startswith("errors/")] == ["done/a.csv", "done/b.csv"]
    assert len(shop.names("errors")) == 1
    files = shop.json("files")
    assert [(f["state"], f["failed"]) for f in files] == [("failed", 2), ("done", 0)]
    shop.call("retry", files[0]["id"], "--failed", status=None)
    shop.call("run")
    assert [(f["state"], f["failed"]) for f in shop.json("files")][0] == ("failed", 2)
    assert {j["state"] for j in shop.json("jobs")} == {"done"}


@pytest.mark.parametrize("on_error", ["skip", "abort"])
def test_tables_that_look_empty_are_not_read_for_each_row(shop, url, on_error):
    """Others may be filling them at this moment: what reads them as a whole for each row has no end then. Foreign keys look records up, too."""
    start_ids(url)
    scans = "SELECT seq_scan + COALESCE(idx_scan, 0) > 300, seq_scan FROM pg_stat_user_tables WHERE relname = '{}'"
    shop.config("", base=shop.base.replace("format: csv\n", f"format: csv\n    on_error: {on_error}\n"))
    vacuum(url)
    before = {table: query(url, scans.format(table))[0][1] for table in ("partner", "country")}
    rows = [f"P{i},p{i}@x.test,{i},FR\n" for i in range(400)]
    (shop.folder / "in.csv").write_text(GOOD.splitlines(True)[0] + "".join(rows))
    assert shop.json("import", "partner", "in.csv")["created"] == 400
    (shop.folder / "in.csv").write_text(GOOD.splitlines(True)[0] + "".join(row.replace(",FR", ",BE") for row in rows))
    assert shop.json("import", "partner", "in.csv")["updated"] == 400
    for table, n in before.items():
        until(f"the scans of {table} are counted", lambda table=table: query(url, scans.format(table))[0][0])
        assert query(url, scans.format(table))[0][1] - n < 20


def test_whole_file_or_nothing(shop, url):
    start_ids(url)
    shop.config("", base=shop.base.replace("format: csv\n", "format: csv\n    on_error: abort\n"))
    (shop.folder / "in.csv").write_text(BAD)
    assert shop.json("import", "partner", "in.csv", status=1)["failed"] == 2
    assert query(url, PARTNERS) == []


def test_view_is_refused(shop, url):
    query(url, "CREATE VIEW named AS SELECT id, name FROM partner")
    shop.config("", base=shop.base + "  named: {model: named, format: csv, fields: [.id, name]}\n")
    (shop.folder / "in.csv").write_text(".id,name\n1,Alicia\n")
    summary = json.loads(shop.call("import", "named", "in.csv", "--json", status=2).stdout)
    assert "named is a view" in summary["messages"][0]["message"]
    shop.config("""
      import_tasks:
        named-in: {storage: drop, path: in, pattern: named}
    """, base=shop.base + "  named: {model: named, format: csv, fields: [.id, name]}\n")
    assert "a view, are exported, not imported" in shop.call("check", status=2).stderr


def test_foreign_key_that_others_refer_by_is_told_in_the_databases_words(shop, url):
    query(url, "ALTER TABLE country ADD UNIQUE (code); CREATE TABLE city (id serial PRIMARY KEY, name text, land text REFERENCES country (code));"
          "INSERT INTO city (name, land) VALUES ('Paris', 'FR')")
    shop.config("", base=shop.base + "  country: {model: country, format: csv}\n  city: {model: city, format: csv}\n")
    (shop.folder / "in.csv").write_text("name#key,code\nFrance,FX\nBelgium,BX\n")
    summary = shop.json("import", "country", "in.csv", status=1)
    assert [(m["row"], m["type"]) for m in summary["messages"]] == [(2, "foreign_key")]
    assert "still referenced" in summary["messages"][0]["message"]
    assert query(url, "SELECT code FROM country ORDER BY id") == [("FR",), ("BX",), ("DE",)]
    (shop.folder / "in.csv").write_text("name#key,land\nParis,XX\nGent,BX\n")
    summary = shop.json("import", "city", "in.csv", status=1)
    assert [(m["row"], m["column"], m["message"]) for m in summary["messages"]] == [(2, "land", "Land: no Country has Code \"XX\"")]


def test_plan_takes_its_ids_from_the_sequence(shop, url):
    start_ids(url)
    (shop.folder / "in.csv").write_text(GOOD)
    shop.json("import", "partner", "in.csv", "--dry-run", "--plan", "plan.csv")
    assert "new:1" in (shop.folder / "plan.csv").read_text()
    (shop.folder / "first.csv").write_text("name,email#key\nFirst,first@x.test\n")
    shop.call("import", "partner", "first.csv")
    assert shop.json("import", "--apply", "plan.csv")["created"] == 2
    (shop.folder / "last.csv").write_text("name,email#key\nLast,last@x.test\n")
    shop.call("import", "partner", "last.csv")
    assert [name for name, *_ in query(url, PARTNERS)] == ["First", "Carol", "Dave", "Last"]


def test_plan_that_the_database_refuses_meanwhile_changes_nothing(shop, url):
    start_ids(url)
    (shop.folder / "in.csv").write_text(GOOD + "Alicia,alice@x.test,9,BE\n")
    shop.json("import", "partner", "in.csv", "--dry-run", "--plan", "plan.csv")
    query(url, "ALTER TABLE partner ADD CONSTRAINT low CHECK (phone < '3'); UPDATE partner SET phone = '0' WHERE id = 1")
    summary = shop.json("import", "--apply", "plan.csv", status=2)
    said = [m["message"] for m in summary["messages"]]
    assert sum("low" in text for text in said) == 3 and any("Telephone is 0 now, it was 1" in text for text in said)
    assert query(url, PARTNERS) == []


def test_computed_columns_are_written_and_come_back_unheeded(shop, url):
    shop.config("", base=shop.base + """
  shouted:
    model: partner
    format: csv
    fields: [{field: email, key: true}, {value: "upper(name) || ' ' || country_id", header: shout}, {field: country_id/code}]
""")
    shop.call("export", "shouted", "-o", "out.csv")
    assert (shop.folder / "out.csv").read_text().splitlines() == ["email#key,shout,country_id|code", "alice@x.test,ALICE 1,FR", "bob@x.test,BOB 2,BE"]
    assert shop.json("import", "shouted", "out.csv")["unchanged"] == 2
    shop.config("", base=shop.base + "  bad: {model: partner, format: csv, fields: [{value: '(SELECT 1)', header: one}, {value: nme, header: two}]}\n")
    said = shop.call("check", status=2).stderr
    assert "value one: it may not read other records" in said and "value two: no such column: nme (did you mean name?)" in said

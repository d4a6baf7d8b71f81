# SPDX-License-Identifier: Apache-2.0
"""{value: SQL, header: NAME}: exports write it in every format, imports skip it, and it can do nothing but work out a value."""
import datetime
import json

import openpyxl
import pytest

BASE = """
database: sqlite:shop.db
filestore: filestore
timezone: Europe/Paris
storages:
  drop: {type: file, directory: drop}
models:
  country: {fields: {partner_ids: {one2many: partner.country_id}}}
patterns:
  person:
    model: partner
    fields: [{field: email, key: true}, {value: upper(name), header: shout}]
  land:
    model: country
    format: FORMAT
    header: HEADER
    fields:
      - {field: code, key: true}
      - {value: "name || ', ' || code", header: full}
      - {value: id * 1.5, header: number}
      - {value: "id = 1", header: first, type: boolean}
      - {value: "'2024-02-29'", header: day, type: date}
      - {value: "nullif(code, 'FR')", header: foreign}
      - {field: partner_ids, pattern: person, occurrences: 2}
"""
HEADER = ["code#key", "full", "number", "first", "day", "foreign", "partner_ids|1|email#key", "partner_ids|1|shout", "partner_ids|2|email#key",
          "partner_ids|2|shout"]


def configure(project, kind="csv", header="technical", more=""):
    project.config("", base=BASE.replace("FORMAT", kind).replace("HEADER", header) + more)


def come_back(project, name):
    """The file as it was exported: every row is as it was."""
    before = project.rows("SELECT * FROM country"), project.rows("SELECT * FROM partner")
    summary = project.json("import", "land", name)
    assert (summary["unchanged"], summary["rows"], summary["messages"]) == (3, 3, [])
    assert (project.rows("SELECT * FROM country"), project.rows("SELECT * FROM partner")) == before


def test_csv(project):
    configure(project)
    project.call("export", "land", "-o", "land.csv")
    lines = (project.folder / "land.csv").read_text().splitlines()
    assert lines[:2] == [",".join(HEADER), 'FR,"France, FR",1.5,true,2024-02-29,,alice@x.test,ALICE,,']
    come_back(project, "land.csv")


def test_numbers_dates_and_booleans_of_a_workbook_are_such(project):
    configure(project, "xlsx")
    project.call("export", "land", "-o", "land.xlsx")
    rows = list(openpyxl.load_workbook(project.folder / "land.xlsx").active.values)
    assert list(rows[0]) == HEADER
    assert rows[2][:8] == ("BE", "Belgium, BE", 3, False, datetime.datetime(2024, 2, 29), "BE", "bob@x.test", "BOB")
    come_back(project, "land.xlsx")


@pytest.mark.parametrize("style", ["flat", "nested"])
def test_json(project, style):
    configure(project, f"json\n    json_style: {style}")
    project.call("export", "land", "-o", "land.json")
    first = json.loads((project.folder / "land.json").read_text())[0]
    assert (first["full"], first["number"], first["first"], first["foreign"]) == ("France, FR", 1.5, True, None)
    assert (first["partner_ids"][0]["shout"] if style == "nested" else first["partner_ids|1|shout"]) == "ALICE"
    come_back(project, "land.json")


@pytest.mark.parametrize("header", ["description_and_tech", "custom\n    headers: {full: [Complete, Full name], partner_ids|1|shout: Loud}"])
def test_header_styles(project, header):
    configure(project, "csv", header)
    project.call("export", "land", "-o", "land.csv")
    assert ("Complete" in (project.folder / "land.csv").read_text()) == header.startswith("custom")
    come_back(project, "land.csv")
    if header.startswith("custom"):
        project.execute("CREATE INDEX partner_country ON partner (country_id)")  # else check asks for it
        assert project.call("check").stdout.count("warning") == 0
        names = {row["column"]: row["name"] for row in project.json("headers", "land")}
        assert (names["full"], names["number"]) == ("Complete", "number")


def test_more_items_than_an_export_writes(project):
    configure(project)
    (project.folder / "in.csv").write_text("code#key,partner_ids|7|email#key,partner_ids|7|shout\nFR,alice@x.test,nonsense\n")
    assert project.json("import", "land", "in.csv")["unchanged"] == 1


def test_a_row_of_computed_columns_alone_is_empty(project):
    configure(project)
    (project.folder / "in.csv").write_text("code#key,full\n,something\n")
    assert project.json("import", "land", "in.csv")["skipped"] == 1


def test_a_task_imports_by_the_pattern_as_it_was_kept(project):
    configure(project, more="import_tasks:\n  in: {pattern: land, storage: drop, path: in, files: '*.csv'}\n")
    project.drop("land.csv", "code#key,name,full,number\nFR,La France,x,y\n")
    project.call("run")
    assert project.rows("SELECT name FROM country WHERE code = 'FR'") == [("La France",)]


@pytest.mark.parametrize("value, problem", [
    ("(SELECT max(id) FROM partner)", "it may not read other records: there is a SELECT or a table in it"),
    ("nmae", "no such column: nmae (did you mean name?)"),
    ("count(*)", "count() is no function that works out a value of one record"),
])
@pytest.mark.parametrize("command", [["check"], ["export", "bad", "-o", "-"], ["import", "bad", "in.csv"]])
def test_what_is_no_value_is_refused_with_its_line(project, command, value, problem):
    configure(project, more=f"\n  bad:\n    model: country\n    fields:\n    - code\n    - {{value: {json.dumps(value)}, header: x}}\n")
    (project.folder / "in.csv").write_text("code\nFR\n")
    line = (project.folder / "pattimpex.yaml").read_text().splitlines().index(f"    - {{value: {json.dumps(value)}, header: x}}") + 1
    assert f"pattimpex.yaml:{line}: pattern bad: value x: {problem}" in project.call(*command, status=2).stderr


def test_hidden_columns_are_not_read(project):
    configure(project, more="\n  bad: {model: partner, fields: [name, {value: phone, header: x}]}\n")
    project.call("check")
    path = project.folder / "pattimpex.yaml"
    path.write_text(path.read_text().replace("models:\n", "models:\n  partner: {fields: {phone: {hide: true}}}\n"))
    assert "value x: phone is no field of the model" in project.call("check", status=2).stderr


def test_a_value_that_cannot_be_worked_out_is_said(project, database):
    value, why = ("1 / (id - 1)", "division by zero") if database else ("json_extract(name, '$')", "malformed JSON")
    configure(project, more=f'\n  bad: {{model: partner, fields: [name, {{value: "{value}", header: x}}]}}\n')
    told = project.call("export", "bad", "-o", "-", status=None).stderr
    assert "pattern bad: a value of its computed columns cannot be worked out: " in told and told.rstrip().endswith(why)

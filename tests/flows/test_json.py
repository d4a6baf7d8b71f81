# SPDX-License-Identifier: Apache-2.0
"""JSON and JSON Lines on their ways in and out."""
import json

import pytest

from conftest import BASE

TASK = """
import_tasks:
  partners-in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, error_path: errors}
"""


def base(options=""):
    return BASE.replace("format: csv", "format: json" + options)


def exported(project, text):
    """The objects of an export, with `json: {lines: true}` or without."""
    return [json.loads(line) for line in text.splitlines()] if text.startswith("{") else json.loads(text)


@pytest.mark.parametrize("options", ["", "\n    json: {lines: true}", "\n    json_style: nested",
                                     "\n    json_style: nested\n    json: {lines: true}\n    header: description_and_tech"])
def test_what_is_exported_imports_unchanged(project, options):
    project.config("", base=base(options))
    project.call("export", "partner", "-o", "out.json")
    items = exported(project, (project.folder / "out.json").read_text())
    country = {"country_id": {"code": "FR"}} if "nested" in options else {"country_id|code": "FR"}
    assert items[0] == {"name": "Alice", "email#key": "alice@x.test", "phone": "1", **country}
    assert project.json("import", "partner", "out.json")["unchanged"] == 2


@pytest.mark.parametrize("options, text", [("", "[]\n"), ("\n    json: {lines: true}", "")])
def test_no_records_are_an_empty_list_that_imports(project, options, text):
    project.config("", base=base(options))
    project.call("export", "partner", "-o", "out.json", "--filter", "[('id', '=', 0)]")
    assert (project.folder / "out.json").read_text() == text
    summary = project.json("import", "partner", "out.json")
    assert (summary["state"], summary["rows"]) == ("done", 0)


def test_key_that_is_absent_leaves_the_field_alone(project):
    project.config("", base=base())
    project.drop("a.json", '{"email#key": "alice@x.test", "phone": null}\n{"email#key": "bob@x.test", "country_id": {"code": "DE"}}\n')
    summary = project.json("import", "partner", "drop/in/a.json")
    assert summary["updated"] == 2
    assert project.rows("SELECT name, phone, country_id, active FROM partner ORDER BY id") == [("Alice", None, 1, 1), ("Bob", "2", 3, 1)]


def test_new_record_takes_defaults_for_absent_keys(project):
    project.config("", base=base())
    project.drop("a.json", '[{"email#key": "n@x.test", "name": "N"}, {"email#key": "m@x.test", "name": "M", "active": false}]')
    assert project.json("import", "partner", "drop/in/a.json")["created"] == 2
    assert project.rows("SELECT email, active FROM partner WHERE id > 2 ORDER BY id") == [("n@x.test", 1), ("m@x.test", 0)]


@pytest.mark.parametrize("lines", [False, True])
def test_bad_items_come_back_with_their_reasons(project, lines):
    items = [{"email#key": "erin@x.test", "name": "Erin"}, {"email#key": "frank@x.test", "name": "Frank", "country_id": {"code": "XX"}},
             {"#Error": "of before", "email#key": "grace@x.test", "name": None, "phone": 7}]
    project.config(TASK, base=base())
    text = "\n".join(map(json.dumps, items)) if lines else json.dumps(items)
    project.drop("a.json", text)
    project.call("run", status=1)
    returned = exported(project, (project.drop_folder / "errors" / "a.json").read_text())
    assert [list(item) for item in returned] == [["#Error", "email#key", "name", "country_id|code"], ["#Error", "email#key", "name", "phone"]]
    assert "XX" in returned[0]["#Error"] and returned[1]["phone"] == 7 and returned[1]["name"] is None
    assert ((project.drop_folder / "errors" / "a.json").read_text()[0] == "{") == lines
    returned[0]["country_id|code"], returned[1]["name"] = "BE", "Grace"
    project.drop("b.json", json.dumps(returned))
    project.call("run")
    assert project.emails()[2:] == ["erin@x.test", "frank@x.test", "grace@x.test"]


@pytest.mark.parametrize("text, where", [
    ('[{"email#key": "a@x.test", "name": "A"}, {"email#key": "b@x.test", "name": "B"', "item 2"),
    ('[{"email#key": "a@x.test", "name": "A", "name": "B"}]', "item 1"),
    ('[{"email#key": "a@x.test", "name": "\\ud800"}]', "item 1"),
    ("email#key,name\na@x.test,A\n", "byte 0"),
    ("", "byte 0"),
])
def test_broken_file_is_refused_as_a_whole(project, text, where):
    project.config("", base=base())
    project.drop("a.json", text)
    summary = project.json("import", "partner", "drop/in/a.json", status=2)
    assert summary["state"] == "refused" and where in summary["messages"][0]["message"]
    assert project.emails() == ["alice@x.test", "bob@x.test"]


def test_unknown_key_is_refused_and_named(project):
    project.config("", base=base())
    project.drop("a.json", '[{"email#key": "a@x.test"}, {"nam": "A"}]')
    summary = project.json("import", "partner", "drop/in/a.json", status=2)
    assert [(m["row"], m["column"]) for m in summary["messages"]] == [(None, "nam")]


def test_chunks_end_at_any_item(project):
    project.config("", base=base("\n    chunk_size: 3"))
    items = [{"email#key": f"p{i}@x.test", "name": f"P{i}", **({"phone": str(i)} if i % 2 else {})} for i in range(20)]
    project.drop("a.json", json.dumps(items, indent=1))
    assert project.json("import", "partner", "drop/in/a.json")["created"] == 20
    assert project.rows("SELECT name, phone FROM partner WHERE id > 2 ORDER BY id") == [(f"P{i}", str(i) if i % 2 else None) for i in range(20)]


def test_large_file(project):
    """Some 10 MB, which is more than is kept between the two readings."""
    project.config("", base=base())
    with open(project.folder / "large.json", "w") as file:
        for i in range(30000):
            file.write(json.dumps({"email#key": f"p{i}@x.test", "name": "N" * 300, "phone": str(i)}) + "\n")
    summary = project.json("import", "partner", "large.json", "--no-history")
    assert summary["created"] == 30000


def test_a_relation_that_is_null_in_every_object_is_emptied(project):
    """No object says by which field, and none needs to; a value there still does."""
    project.config("", base=base())
    project.drop("a.json", '[{"email#key": "alice@x.test", "country_id": null, "phone": null}]')
    assert project.json("import", "partner", "drop/in/a.json")["updated"] == 1
    assert project.rows("SELECT phone, country_id FROM partner WHERE id = 1") == [(None, None)]
    project.drop("b.json", '[{"email#key": "alice@x.test", "country_id": "FR"}]')
    assert "country_id is a relation" in project.json("import", "partner", "drop/in/b.json", status=2)["messages"][0]["message"]


@pytest.mark.parametrize("key", ["Country", "country_id|code"])
def test_nulls_under_own_names(project, key):
    project.config("", base=base("\n    header: custom").replace("country_id/code", "{field: country_id/code, header: Country}"))
    project.drop("a.json", json.dumps([{"email#key": "bob@x.test", key: None}]))
    assert project.json("import", "partner", "drop/in/a.json")["updated"] == 1
    assert project.rows("SELECT country_id FROM partner WHERE id = 2") == [(None,)]

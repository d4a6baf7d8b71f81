# SPDX-License-Identifier: Apache-2.0
"""A dry run's plan: every change a line, and applying it is what the import would have been, or nothing."""
import csv
import json
import shutil

import openpyxl
import pytest
import yaml

from conftest import BASE
from test_round_trip import records, shop    # shop: a fixture

FORMATS = ("csv", "xlsx", "json")
# What sequences have given does not come back, so on PostgreSQL ids differ; tests/conformance/by_plan.py compares plans and imports there.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

SCHEMA = """
CREATE TABLE tag (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE team (
    id integer PRIMARY KEY, code text UNIQUE, name text, note text, logo blob, rate real, points integer,
    country_id integer REFERENCES country (id), lead_id integer REFERENCES team (id)
);
CREATE TABLE member (id integer PRIMARY KEY, team_id integer NOT NULL REFERENCES team (id) ON DELETE CASCADE, name text NOT NULL, shirt integer);
CREATE TABLE guest (id integer PRIMARY KEY, team_id integer REFERENCES team (id), name text NOT NULL);
CREATE TABLE member_tag (member_id integer NOT NULL REFERENCES member (id) ON DELETE CASCADE, tag_id integer NOT NULL REFERENCES tag (id),
    PRIMARY KEY (member_id, tag_id));
INSERT INTO tag (id, name) VALUES (1, 'Fast'), (2, 'Tall'), (3, 'Left');
INSERT INTO team (id, code, name, note, country_id) VALUES (1, 'R', 'Reds', 'old', 1), (2, 'B', 'Blues', '', NULL);
INSERT INTO member (id, team_id, name, shirt) VALUES (1, 1, 'Ann', 7), (2, 1, 'Ben', NULL), (3, 2, 'Cal', 9);
INSERT INTO guest (id, team_id, name) VALUES (1, 1, 'Gil'), (2, 1, 'Gus');
INSERT INTO member_tag VALUES (1, 1), (1, 2), (3, 3);
"""

PATTERN = """
  team: {model: team, format: csv, purge_one2many: true}
"""

HEADER = ("id,code#key,name,note,logo,rate,points,country_id|code,lead_id|code,member_ids|1|name#key,member_ids|1|shirt,"
          "member_ids|1|tag_ids|1|name,member_ids|1|tag_ids|2|name,guest_ids|1|name#key\n")
FILE = HEADER + (
    ',R,"Reds\n2nd line",=1+1,AAEC,1.5,-7,BE,,Ann,8,Fast,Left,Gus\n'    # a formula as text, a blob, children changed, one deleted, one detached
    'my.greens,G,"""Greens""",\'quoted,,0.1,,DE,R,Dee,,Tall,,Gia\n'     # new, with its children; refers to a record of the file
    ',Y,-Yellows,@y,,2.0,,,G,Eva,1,,,\n'                                # refers to what the row before made
    ',B,,,,,,,,,,,,\n'                                                  # emptied
    ',R,Reds again,,,,,,,Ann,8,Fast,,Gus\n')                            # a second time


@pytest.fixture
def team(project):
    project.config("", base=BASE + PATTERN)
    project.script(SCHEMA)
    (project.folder / "team.csv").write_text(FILE)
    return project


def read_plan(path):
    """The lines as dictionaries, without head and end."""
    if path.suffix == ".json":
        lines = json.loads(path.read_text())
    elif path.suffix == ".csv":
        with open(path, newline="") as file:
            lines = list(csv.DictReader(file))
    else:
        rows = list(openpyxl.load_workbook(path).worksheets[0].values)
        lines = [dict(zip(rows[0], row)) for row in rows[1:]]
    lines = [{key: "" if value is None else str(value) for key, value in line.items()} for line in lines]
    assert [line["action"] for line in lines[-2:]] == ["end", "end"]
    return [line for line in lines if line["action"] not in ("plan", "end")]


def changes(path):
    return [tuple(line[key] for key in ("row", "action", "model", "record", "field", "old", "new")) for line in read_plan(path) if line["action"] != "find"]


def outcome_both_ways(project, pattern, file, format, plan_status=None):
    """The database after the plan, and after the import."""
    database, before = project.folder / "shop.db", project.folder / "before.db"
    shutil.copy(database, before)
    untouched = records(project)
    planned = project.json("import", pattern, file, "--dry-run", "--plan", f"plan.{format}", status=plan_status)
    assert records(project) == untouched
    applied = project.json("import", "--apply", f"plan.{format}")
    assert applied["state"] == "done" and applied["created"] == planned["created"] and applied["updated"] == planned["updated"]
    by_plan = records(project)
    for name in project.folder.glob("shop.db*"):
        name.unlink()
    shutil.copy(before, database)
    imported = project.json("import", pattern, file, status=plan_status)
    assert [imported[word] for word in ("created", "updated", "failed")] == [planned[word] for word in ("created", "updated", "failed")]
    return by_plan, records(project)


@on_sqlite
@pytest.mark.parametrize("format", FORMATS)
def test_applying_the_plan_is_the_import(team, format):
    by_plan, by_import = outcome_both_ways(team, "team", "team.csv", format)
    assert by_plan == by_import


@on_sqlite
@pytest.mark.parametrize("more", ["update_many2many: true", "purge_one2many: delete", "on_error: abort", "chunk_size: 1"])
def test_so_it_is_with_options_of_the_pattern(team, more):
    options = more if "purge" in more else f"purge_one2many: true, {more}"
    team.config("", base=BASE + f"\n  team: {{model: team, format: csv, {options}}}\n")
    by_plan, by_import = outcome_both_ways(team, "team", "team.csv", "json")
    assert by_plan == by_import


@on_sqlite
def test_so_it_is_with_triggers(team):
    team.script("""
        CREATE TRIGGER points AFTER INSERT ON member BEGIN UPDATE team SET points = coalesce(points, 0) + 1 WHERE id = NEW.team_id; END;
        CREATE TRIGGER strict BEFORE UPDATE ON team WHEN NEW.name = 'Never' BEGIN SELECT RAISE(ROLLBACK, 'never'); END;""")
    (team.folder / "team.csv").write_text(FILE + ",R,Never,,,,,,,,,,,\n")
    by_plan, by_import = outcome_both_ways(team, "team", "team.csv", "csv", plan_status=1)
    assert by_plan == by_import


@on_sqlite
@pytest.mark.parametrize("task", ["partners-in", "products-in", "orders-in", "contacts-in"])
@pytest.mark.parametrize("format", FORMATS)
def test_so_it_is_with_the_files_of_the_example(shop, task, format):
    project = shop()
    tasks = yaml.safe_load((project.folder / "pattimpex.yaml").read_text())["import_tasks"]
    if task not in tasks:
        pytest.skip(f"the example has no task {task}")
    files = sorted((project.folder / "drop" / tasks[task].get("path", "in")).glob(tasks[task]["files"]))
    assert files
    for file in files:
        by_plan, by_import = outcome_both_ways(project, tasks[task]["pattern"], file, format, plan_status=None)
        assert by_plan == by_import


def test_every_change_is_a_line(team, database):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    assert sorted(changes(team.folder / "plan.csv"), key=lambda line: int(line[0]))[:30] == [
        ("2", "delete", "member", "2", "team_id", "1", ""),
        ("2", "delete", "member", "2", "name", "Ben", ""),
        ("2", "delete", "member", "2", "shirt", "", ""),
        ("2", "detach", "guest", "1", "team_id", "1", ""),
        ("2", "update", "team", "1", "name", "Reds", "Reds\n2nd line"),
        ("2", "update", "team", "1", "note", "old", '"=1+1"'),
        ("2", "update", "team", "1", "logo", "", "AAEC"),
        ("2", "update", "team", "1", "rate", "", "1.5"),
        ("2", "update", "team", "1", "points", "", "-7"),
        ("2", "update", "team", "1", "country_id", "1", "2"),
        ("2", "update", "member", "1", "shirt", "7", "8"),
        ("2", "unlink", "member", "1", "tag_ids", "2", ""),
        ("2", "link", "member", "1", "tag_ids", "", "3"),
        ("3", "create", "team", "new:1", "code", "", "G"),
        ("3", "create", "team", "new:1", "name", "", '"\\"Greens\\""'),
        ("3", "create", "team", "new:1", "note", "", '"\'quoted"'),
        ("3", "create", "team", "new:1", "logo", "", ""),
        ("3", "create", "team", "new:1", "rate", "", "0.1"),
        ("3", "create", "team", "new:1", "points", "", ""),
        ("3", "create", "team", "new:1", "country_id", "", "3"),
        ("3", "create", "team", "new:1", "lead_id", "", "1"),
        ("3", "create", "member", "new:1", "team_id", "", "new:1"),
        ("3", "create", "member", "new:1", "name", "", "Dee"),
        ("3", "create", "member", "new:1", "shirt", "", ""),
        ("3", "create", "guest", "new:1", "team_id", "", "new:1"),
        ("3", "create", "guest", "new:1", "name", "", "Gia"),
        ("3", "link", "member", "new:1", "tag_ids", "", "2"),
        ("3", "name", "team", "new:1", "id", "", "my.greens"),
        ("4", "create", "team", "new:2", "code", "", "Y"),
        ("4", "create", "team", "new:2", "name", "", '"-Yellows"'),
    ]
    lines = read_plan(team.folder / "plan.csv")
    assert {"name": "R", "says": "BE"}.items() <= next(line for line in lines if line["field"] == "country_id").items()
    assert {"name": "R", "record": "1"}.items() <= next(line for line in lines if line["action"] == "update").items()
    for format in ("xlsx", "json"):
        team.call("import", "team", "team.csv", "--dry-run", "--plan", f"plan.{format}")
        again = read_plan(team.folder / f"plan.{format}")
        assert len(again) == len(lines)
        # what is looked for beneath a new record names the id it had in this dry run
        assert again == lines or (database and changes(team.folder / f"plan.{format}") == changes(team.folder / "plan.csv"))


def test_null_and_empty_text_are_told_apart(team):
    team.call("import", "team", "-", "--dry-run", "--plan", "plan.csv", input="code#key,note\nB,x\n")
    assert [line[5] for line in changes(team.folder / "plan.csv")] == ['""']
    team.call("import", "--apply", "plan.csv")
    assert team.rows("SELECT note FROM team WHERE code = 'B'") == [("x",)]


MOVED = {
    "UPDATE team SET name = 'Others' WHERE id = 1": "Team 1 (R): Name is Others now, it was Reds",
    "UPDATE team SET code = 'S' WHERE id = 1": "Team 1: no record has Code R now",
    "INSERT INTO team (code) VALUES ('G')": "Team: there was no record with Code G, now ",
    "UPDATE country SET code = 'XX' WHERE code = 'BE'": "Country 2: no record has Code BE now",
    "UPDATE country SET code = 'XX' WHERE id = 3; UPDATE country SET code = 'DE' WHERE id = 2; UPDATE country SET code = 'BE' WHERE id = 3":
        "Country 3: another record has Code DE now, 2",
    "DELETE FROM member WHERE id = 2": "Member 2 (Ben): the record is gone",
    "UPDATE member SET shirt = 4 WHERE id = 2": "Member 2 (Ben): Shirt is 4 now, it was empty",
    "UPDATE guest SET team_id = 2 WHERE id = 1": "Guest 1 (Gil): Team is 2 now, it was 1",
    "DELETE FROM member_tag WHERE member_id = 1 AND tag_id = 2": "Member 1 (Ann): Tag ids: 2 is not linked any more",
    "INSERT INTO member_tag VALUES (1, 3)": "Member 1 (Ann): Tag ids: 3 is linked already",
    "INSERT INTO tag (name) VALUES ('Left')": "Tag 3: several records have Name Left now",
    "INSERT INTO pattimpex_external_id (module, name, model, res_id) VALUES ('my', 'greens', 'team', 2)":
        "Team: there was no record with external id my.greens, now 2 is there",
    "DELETE FROM guest; DELETE FROM team": "Team 1 (R): the record is gone",
    "CREATE UNIQUE INDEX one_shirt ON member (shirt); UPDATE member SET shirt = 1 WHERE id = 3": "unique constraint",
}


@pytest.mark.parametrize("sql", MOVED)
def test_a_database_that_has_moved_is_left_alone(team, sql):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    team.call("check")
    team.script(sql)
    before = records(team)
    refused = team.json("import", "--apply", "plan.csv", status=2)
    assert refused["state"] == "refused"
    messages = [message["message"] for message in refused["messages"]]
    assert any(MOVED[sql] in message or MOVED[sql] in message.lower() for message in messages), messages
    assert {message["type"] for message in refused["messages"]} == {"moved"}
    assert records(team) == before


def test_what_moved_elsewhere_does_not_matter(team):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    team.script("INSERT INTO team (id, code) VALUES (77, 'new'); INSERT INTO member (team_id, name) VALUES (77, 'Zoe')")
    assert team.json("import", "--apply", "plan.csv")["created"] == 2
    assert team.rows("SELECT t.id, t.code, m.name, l.code FROM team t LEFT JOIN member m ON m.team_id = t.id LEFT JOIN team l ON l.id = t.lead_id"
                     " WHERE t.id >= 77 ORDER BY t.id") == [(77, "new", "Zoe", None), (78, "G", "Dee", "R"), (79, "Y", "Eva", "G")]


def test_a_plan_is_applied_once(team):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    team.call("import", "--apply", "plan.csv")
    before = records(team)
    done = team.call("import", "--apply", "plan.csv", status=2)
    assert "plan.csv: refused, nothing was changed" in done.stdout and records(team) == before


def test_a_dry_run_of_a_plan_keeps_nothing(team):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    before = team.dump()
    assert "Dry run: nothing was kept" in team.call("import", "--apply", "plan.csv", "--dry-run").stdout
    assert team.dump() == before


@pytest.mark.parametrize("change, why", [
    (lambda text: text.replace("Dee", "Dot"), "is not as it was written"),
    (lambda text: "".join(text.splitlines(True)[:-1]), "does not have its last line"),
    (lambda text: "".join(text.splitlines(True)[:-3]), "does not have its last line"),
    (lambda text: "".join(line for line in text.splitlines(True) if ",Dee," not in line), "does not have all of its lines"),
    (lambda text: text + "1,2,update,team,1,,name,,x,\n", "goes on behind its end"),
    (lambda text: "a,b\n1,2\n", "is no plan"),
    (lambda text: "", "is no plan"),
])
def test_a_plan_that_was_changed_is_refused(team, change, why):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    plan = team.folder / "plan.csv"
    plan.write_text(change(plan.read_text()))
    team.call("check")
    before = team.dump()
    done = team.call("import", "--apply", "plan.csv", status=2)
    assert why in done.stderr and team.dump() == before


def test_a_plan_for_another_schema_is_refused(team):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    team.execute("ALTER TABLE team ADD COLUMN motto text")
    assert "another schema" in team.call("import", "--apply", "plan.csv", status=2).stderr


def test_rows_that_fail_are_not_in_the_plan(team):
    (team.folder / "bad.csv").write_text("code#key,country_id|code\nR,XX\nB,FR\n")
    planned = team.json("import", "team", "bad.csv", "--dry-run", "--plan", "plan.csv", status=1)
    assert planned["failed"] == 1
    assert changes(team.folder / "plan.csv") == [("3", "update", "team", "2", "country_id", "", "1")]
    assert team.json("import", "--apply", "plan.csv")["updated"] == 1


def test_a_refused_file_has_no_plan(team):
    (team.folder / "bad.csv").write_text("code#key,kolor\nR,red\n")
    team.call("import", "team", "bad.csv", "--dry-run", "--plan", "plan.csv", status=2)
    assert not (team.folder / "plan.csv").exists()


def test_nothing_is_kept_without_history_either(team):
    before = team.dump()
    team.call("import", "team", "team.csv", "--dry-run", "--no-history", "--plan", "plan.csv")
    assert team.dump() == before and len(changes(team.folder / "plan.csv")) > 30


@pytest.mark.parametrize("arguments, why", [
    (("team", "team.csv", "--plan", "plan.csv"), "add --dry-run"),
    (("team", "team.csv", "--dry-run", "--plan", "plan.txt"), "ends in .csv, .xlsx or .json"),
    (("team", "team.csv", "--apply", "plan.csv"), "takes a plan and nothing else"),
    (("team",), "name a pattern and a file"),
    (("--apply", "plan.csv"), "plan.csv: cannot open"),
])
def test_wrong_usage_is_told(team, arguments, why):
    assert why in team.call("import", *arguments, status=None).stderr


def test_a_reference_that_a_domain_chose_must_still_be_that_one(project):
    pattern = "\n  chosen: {model: partner, format: csv, fields: [{field: email, key: true}, {field: country_id/name, domain: [[code, '=', BE]]}]}\n"
    project.config("", base=BASE + pattern)
    project.script("INSERT INTO country VALUES (9, 'B2', 'Belgium')")
    (project.folder / "file.csv").write_text("email#key,country_id|name\nalice@x.test,Belgium\n")
    project.call("import", "chosen", "file.csv", "--dry-run", "--plan", "plan.csv")
    assert project.json("import", "--apply", "plan.csv", "--dry-run")["updated"] == 1
    project.execute("UPDATE country SET name = 'Elsewhere' WHERE id = 2")
    moved = project.json("import", "--apply", "plan.csv", status=2)["messages"]
    assert [message["message"] for message in moved] == ["Country 2: no record has Id 2, Name Belgium now"]


@on_sqlite
def test_purged_children_that_go_with_one_another(team):
    """The deletion of one takes the other along: no change of its own, and nothing that has moved."""
    team.script("ALTER TABLE member ADD COLUMN buddy_id integer REFERENCES member (id) ON DELETE CASCADE;"
                "INSERT INTO member (id, team_id, name, buddy_id) VALUES (11, 1, 'Eve', 1), (12, 1, 'Fay', 11), (13, 1, 'Gay', 2);")
    (team.folder / "team.csv").write_text("code#key,member_ids|1|name#key\nR,Zoe\n")
    by_plan, by_import = outcome_both_ways(team, "team", "team.csv", "csv")
    assert by_plan == by_import and team.rows("SELECT name FROM member WHERE team_id = 1") == [("Zoe",)]


def test_a_plan_that_was_applied_has_a_history(team):
    team.call("import", "team", "team.csv", "--dry-run", "--plan", "plan.csv")
    applied = team.json("import", "--apply", "plan.csv")
    refused = team.json("import", "--apply", "plan.csv", status=2)
    files = {file["id"]: file for file in team.json("files")}
    assert [files[summary["file"]]["state"] for summary in (applied, refused)] == ["done", "refused"]
    done = files[applied["file"]]
    assert [done[key] for key in ("kind", "name", "pattern", "created", "updated", "failed")] == ["import", "plan.csv", "team", 2, 3, 0]
    assert team.json("files", refused["file"])["messages"] == refused["messages"] != []
    assert files[refused["file"]]["error"].startswith(refused["messages"][0]["message"])
    attachment = team.json("attachments", applied["attachment"])
    assert (attachment["state"], attachment["size"]) == ("done", (team.folder / "plan.csv").stat().st_size)
    before = records(team)
    for summary in (applied, refused):
        assert "is a plan: apply it again by import --apply" in team.call("retry", summary["file"], status=None).stderr
    assert records(team) == before

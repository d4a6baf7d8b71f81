# SPDX-License-Identifier: Apache-2.0
"""Headers that are wrong: the file is refused as a whole, with the cell and the nearest field; and names of one's own."""
import csv
import io
import json

import openpyxl
import pytest

from conftest import BASE

HEAD = BASE.partition("patterns:")[0]
PATTERN = """
patterns:
  partner:
    model: partner
    format: FORMAT
    header: HEADER
    fields: [name, {field: email, key: true}, phone, country_id/code]
"""
FORMATS = ["csv", "xlsx", "json"]


def write(project, kind, *rows):
    path = project.folder / f"in.{kind}"
    if kind == "csv":
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        path.write_text(out.getvalue())
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        path.write_text("[" + ", ".join("{" + ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in zip(rows[0], row)) + "}" for row in rows[1:]) + "]")
    return path


WRONG = [
    ("nmae", 'partner has no field "nmae" (did you mean name?)'),
    ("Phone", 'partner has no field "Phone" (did you mean phone?)'),
    ("country_id|cod", 'country has no field "cod" (did you mean code?)'),
    ("country_id", "country_id is a relation: say by which of its fields a record is found, as in country_id|code"),
    ("phone|1", "phone is no relation: nothing can follow it"),
    ("country_id|1|code", '"1" stands where country has a field: only a one2many or many2many is followed by the number of an item '
                          "(did you mean country_id|code?)"),
    ("phone#ky", '"#ky" is no mark of a column: there is only #key'),
    ("name ", None),
    ("email#key ", None),
    ("country_id||code", "a part of the path is empty"),
]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("header, text", WRONG)
def test_a_wrong_header_refuses_the_file(project, kind, header, text):
    project.config(PATTERN.replace("FORMAT", kind).replace("HEADER", "technical"), base=HEAD)
    path = write(project, kind, ["name", "email#key", "#a", "#b", "#c", header], ["Carol", "carol@x.test", "", "", "", "x"])
    before = project.emails()
    summary = project.json("import", "partner", path, status=2)
    if text is None:  # keys of JSON have no cells
        text = "the column is there twice" + ("" if kind == "json" else ", first in A1" if header == "name " else ", first in B1")
    message, = summary["messages"]
    assert (summary["state"], message["row"], message["column"]) == ("refused", None if kind == "json" else 1, header.strip())
    assert message["message"] == (text if kind == "json" else f"F1: {text}")
    assert project.emails() == before


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_under_labels_the_header_is_row_2(project, kind):
    project.config(PATTERN.replace("FORMAT", kind).replace("HEADER", "description_and_tech"), base=HEAD)
    path = write(project, kind, ["Name", "Email", "Phone"], ["name", "email#key", "phnoe"], ["Carol", "carol@x.test", "1"])
    message, = project.json("import", "partner", path, status=2)["messages"]
    assert (message["row"], message["message"]) == (2, 'C2: partner has no field "phnoe" (did you mean phone?)')


def test_every_wrong_column_is_told(project):
    project.config(PATTERN.replace("FORMAT", "csv").replace("HEADER", "technical"), base=HEAD)
    path = write(project, "csv", ["nmae", "emial", "country_id"], ["x", "y", "z"])
    messages = project.json("import", "partner", path, status=2)["messages"]
    assert [m["message"].partition(":")[0] for m in messages] == ["A1", "B1", "C1"]


# ---- names of one's own

NAMES = """
include: names.yaml
patterns:
  card:
    model: partner
    format: FORMAT
    header: custom
    fields: [{field: email, key: true, header: Mail}, {field: name, header: Full name}, phone, {header: Remarks}, country_id/code]
"""


@pytest.fixture
def cards(project):
    def config(kind="csv", text=NAMES):
        project.config(text.replace("FORMAT", kind), base=HEAD)
        names = project.folder / "names.yaml"
        if not names.exists():
            names.write_text("")
    project.cards = config
    config()
    return project


def kept(project, *patterns):
    project.call("headers", *patterns, "--write", "names.yaml", "-q")
    return (project.folder / "names.yaml").read_text()


def exported(project, pattern="card"):
    project.call("export", pattern, "-o", "out.csv")
    return (project.folder / "out.csv").read_text().splitlines()[0]


def test_headers_shows_names_and_proposes_those_of_new_columns(cards):
    assert cards.call("headers", "card").stdout == """patterns:
  "card":
    headers:
      "email#key": "Mail"
      "name": "Full name"
      "phone": "Phone"  # new
      "country_id|code": "Country Code"  # new
"""
    assert cards.json("headers")[0] == {"pattern": "card", "column": "email#key", "name": "Mail", "state": "own"}


def test_names_outlive_changes_of_fields(cards):
    kept(cards)
    assert exported(cards) == "Mail,Full name,Phone,Remarks,Country Code"
    text = (cards.folder / "names.yaml").read_text().replace('"Phone"', '"Téléphone"').replace('"Country Code"', '["Pays", "Country Code"]')
    (cards.folder / "names.yaml").write_text(text)
    assert exported(cards) == "Mail,Full name,Téléphone,Remarks,Pays"
    # One field goes, one comes, the others change places; the key is one no more.
    cards.cards(text=NAMES.replace("phone, {header: Remarks}, country_id/code", "country_id/name").replace("{field: email, key: true, header: Mail}",
                                                                                                        "active, email"))
    assert exported(cards) == "active,Mail,Full name,country_id|name"
    text = kept(cards)
    assert '"phone": "Téléphone"  # no column of the pattern now' in text and '"country_id|code": ["Pays", "Country Code"]' in text
    assert exported(cards) == "Active,Mail,Full name,Country Name"
    cards.cards()
    assert exported(cards) == "Mail,Full name,Téléphone,Remarks,Pays"
    assert kept(cards) == kept(cards)


@pytest.mark.parametrize("kind", FORMATS)
def test_names_are_recognised_on_import(cards, kind):
    (cards.folder / "names.yaml").write_text('patterns: {card: {headers: {"phone": [Téléphone, Phone], country_id/code: [Pays, Country]}}}\n')
    cards.cards(kind)
    for phone, country in [("Téléphone", "Pays"), ("Phone", "Country"), ("phone", "country_id|code")]:
        path = write(cards, kind, ["Full name", " Mail ", phone, country, "Remarks"], ["Carol", f"{phone}@x.test", "5", "FR", "nice"])
        assert cards.json("import", "card", path)["created"] == 1
    assert cards.rows("SELECT name, email, phone, country_id FROM partner WHERE id > 2") == [
        ("Carol", "Téléphone@x.test", "5", 1), ("Carol", "Phone@x.test", "5", 1), ("Carol", "phone@x.test", "5", 1)]


def test_a_pattern_without_fields_may_have_names(cards):
    cards.cards(text='patterns:\n  card: {model: partner, header: custom, headers: {"email#key": Mail, name: Name, country_id/code: Pays}}\n')
    path = write(cards, "csv", ["Mail", "Name", "Pays"], ["bob@x.test", "Bobby", "FR"])
    assert cards.json("import", "card", path)["updated"] == 1
    message, = cards.json("import", "card", write(cards, "csv", ["Mail", "Nmae"], ["a", "b"]), status=2)["messages"]
    assert (message["column"], message["message"]) == ("Nmae", 'B1: partner has no field "Nmae" (did you mean name?)')


def test_what_is_exported_with_names_comes_back_unchanged(cards):
    kept(cards)
    for kind in FORMATS:
        cards.cards(kind)
        cards.call("export", "card", "-o", f"out.{kind}")
        assert cards.json("import", "card", f"out.{kind}")["unchanged"] == 2


def test_the_file_of_names_keeps_other_patterns_and_nothing_else_is_overwritten(cards):
    two = NAMES + "  short: {model: partner, header: custom, fields: [{field: email, key: true}, name]}\n"
    cards.cards(text=two)
    kept(cards, "short")
    text = kept(cards, "card")
    assert '"short":' in text and '"card":' in text
    assert kept(cards, "short") and '"card":' in (cards.folder / "names.yaml").read_text()
    before = (cards.folder / "pattimpex.yaml").read_text()
    done = cards.call("headers", "card", "--write", "pattimpex.yaml", status=2)
    assert "has more than patterns: NAME: headers:" in done.stderr
    assert (cards.folder / "pattimpex.yaml").read_text() == before


@pytest.mark.parametrize("headers, complaint", [
    ("{phone: Name, name: Name}", "phone and name are both called Name"),
    ("{phone: ''}", "phone: a name is expected"),
    ("{phone: '#x'}", "none begins with #"),
    ("[phone]", "a map of columns and names is expected"),
])
def test_check_tells_wrong_names(cards, headers, complaint):
    cards.cards(text=f"patterns:\n  card: {{model: partner, header: custom, headers: {headers}}}\n")
    done = cards.call("check", status=2)
    assert complaint in done.stdout + done.stderr


def test_check_warns_of_names_of_nothing(cards):
    cards.cards(text="patterns:\n  card: {model: partner, header: custom, headers: {fax: Fax}, fields: [name]}\n")
    done = cards.call("check")
    assert "headers: fax is no column of the model partner (any more): nothing is called Fax" in done.stdout + done.stderr
    assert '"fax": "Fax"  # no column of the pattern now' in cards.call("headers").stdout


# ---------------------------------------------------------------- keys that nobody marked

def hint(done):
    return json.loads(done.stdout).get("hint")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_hint_says_that_no_column_is_the_key(project, kind):
    project.config(PATTERN.replace("FORMAT", kind).replace("HEADER", "technical"), base=HEAD)
    path = write(project, kind, ["name", "email"], ["Carol", "carol@x.test"])
    words = "pattern partner has email as key, but this header does not mark it"
    assert words in hint(project.call("import", "partner", path, "--json"))
    assert f"Hint: {words}" in project.call("import", "partner", path, status=None).stdout
    for header in ("email#key", ".id"):
        path = write(project, kind, ["name", header], ["Carol", "carol@x.test" if "#" in header else ""])
        assert not hint(project.call("import", "partner", path, "--json", status=None)), header
    path = write(project, kind, ["name", "phone"], ["Carla", "1"])
    assert not hint(project.call("import", "partner", path, "--json", status=None)), "the key is not in the file at all"


def test_names_of_ones_own_are_keys_as_the_pattern_says(project):
    more = PATTERN + "    headers: {email#key: email}\n"
    project.config(more.replace("FORMAT", "csv").replace("HEADER", "custom"), base=HEAD)
    path = write(project, "csv", ["name", "email"], ["Carol", "carol@x.test"])
    project.call("import", "partner", path)
    again = json.loads(project.call("import", "partner", path, "--json").stdout)
    assert again["unchanged"] == 1 and "hint" not in again

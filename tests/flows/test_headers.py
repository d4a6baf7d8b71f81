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

# SPDX-License-Identifier: Apache-2.0
"""Files that are too large to be kept in memory between the check and the load: their rows wait in a nameless file, or are parsed twice."""
import random

import pytest

ROWS = 2600
CONFIG = """
database: sqlite:shop.db
filestore: filestore
timezone: UTC
patterns:
  xlsx: {model: page, format: xlsx, fields: [{field: number, key: true}, text]}
  csv: {model: page, format: csv, fields: [{field: number, key: true}, text]}
  json: {model: page, format: json, fields: [{field: number, key: true}, text]}
  whole: {model: page, format: xlsx, on_error: abort}
"""


@pytest.fixture
def pages(project):
    """Texts that no archive makes small, so that few rows are many bytes."""
    generator = random.Random(7)
    letters = [chr(c) for c in range(33, 127) if c not in (38, 60, 62)]
    project.script("CREATE TABLE page (id integer PRIMARY KEY, number integer NOT NULL UNIQUE, text text)")
    texts = ["".join(generator.choices(letters, k=4500)).replace("'", "") for _ in range(ROWS)]
    project.script("INSERT INTO page (number, text) VALUES " + ", ".join(f"({i}, '{text}')" for i, text in enumerate(texts)))
    project.config("", base=CONFIG)
    return project


@pytest.mark.parametrize("form", ["xlsx", "csv", "json"])
def test_every_row_comes_once(pages, form):
    pages.call("export", form, "-o", f"pages.{form}", "--no-history")
    assert (pages.folder / f"pages.{form}").stat().st_size > 8 * 1024 * 1024
    before = pages.rows("SELECT * FROM page ORDER BY number")
    assert pages.json("import", form, f"pages.{form}")["unchanged"] == ROWS
    pages.execute("DELETE FROM page")
    summary = pages.json("import", form, f"pages.{form}")
    assert (summary["rows"], summary["created"]) == (ROWS, ROWS)
    assert [row[1:] for row in pages.rows("SELECT * FROM page ORDER BY number")] == [row[1:] for row in before]


def test_no_room_for_the_rows_is_no_harm(pages):
    pages.call("export", "xlsx", "-o", "pages.xlsx", "--no-history")
    nowhere = {"TMPDIR": str(pages.folder / "nowhere")}
    assert pages.json("import", "xlsx", "pages.xlsx", env=nowhere)["unchanged"] == ROWS


def test_begun_again_when_a_row_ends_the_transaction(pages):
    pages.call("export", "xlsx", "-o", "pages.xlsx", "--no-history")
    pages.execute("DELETE FROM page")
    pages.script("CREATE TRIGGER no BEFORE INSERT ON page WHEN new.number = 2500 BEGIN SELECT RAISE(ROLLBACK, 'not that one'); END", """
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not that one'; END $$;
        CREATE TRIGGER no BEFORE INSERT ON page FOR EACH ROW WHEN (new.number = 2500) EXECUTE FUNCTION no()""")
    summary = pages.json("import", "whole", "pages.xlsx", status=1)
    assert [m["message"] for m in summary["messages"]] == ["not that one"]
    assert pages.rows("SELECT count(*) FROM page") == [(0,)]

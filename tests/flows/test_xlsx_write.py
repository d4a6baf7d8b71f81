# SPDX-License-Identifier: Apache-2.0
"""Workbooks that we write, opened by the programs that partners have."""
import csv
import datetime
import io
import os
import subprocess
import zipfile

import openpyxl
import pytest

from conftest import PROGRAM

ITEMS = """
CREATE TABLE item (
    id integer PRIMARY KEY, name text NOT NULL, price numeric(12, 2), ratio real, barcode bigint, since date, seen datetime, ok boolean,
    kind text CHECK (kind IN ('lead', 'customer')), note text, country_id integer REFERENCES country (id));
INSERT INTO item VALUES
    (1, 'Alice & <Bob>', 12.5, 0.30000000000000004, 42, '2026-02-15', '2026-02-15 10:11:12', TRUE, 'lead', ' blanks ', 1),
    (2, 'Liège 日本 😀', -0.25, 1e300, 1234567890123456, '1850-01-01', '2026-02-15 10:11:12.5', FALSE, 'customer', 'two' || char(10) || 'lines', NULL),
    (3, '=1+1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2),
    (4, '007', 0, 0, 0, '9999-12-31', '1900-03-01 00:00:00', NULL, NULL, 'bell' || char(7) || ' cr' || char(13) || ' _x0041_', NULL);
"""
PATTERNS = """
database: sqlite:shop.db
filestore: filestore
timezone: Europe/Paris
storages:
  drop: {type: file, directory: drop}
patterns:
  item:
    model: item
    format: xlsx
    fields: [.id, name, price, ratio, barcode, since, seen, ok, {field: kind, tab: true}, note, {field: country_id/code, tab: true}]
"""
HEADER = [".id", "name", "price", "ratio", "barcode", "since", "seen", "ok", "kind", "note", "country_id|code"]


@pytest.fixture
def shop(project):
    project.script(ITEMS)
    project.config("", base=PATTERNS)
    return project


def exported(shop, *arguments, name="item.xlsx", pattern="item"):
    shop.call("export", pattern, "-o", name, *arguments)
    return shop.folder / name


def opened(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    return openpyxl.load_workbook(path)


def test_cells_have_their_types(shop):
    sheet = opened(exported(shop)).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == HEADER
    assert rows[1] == [1, "Alice & <Bob>", 12.5, 0.30000000000000004, 42, datetime.datetime(2026, 2, 15), datetime.datetime(2026, 2, 15, 10, 11, 12), True,
                       "lead", " blanks ", "FR"]
    # what a spreadsheet cannot hold is text, whole
    assert rows[2] == [2, "Liège 日本 😀", -0.25, 1e300, "1234567890123456", "1850-01-01", datetime.datetime(2026, 2, 15, 10, 11, 12, 500000), False,
                       "customer", "two\nlines", None]
    assert rows[3][:2] == [3, "=1+1"] and sheet["B4"].data_type == "s"
    assert rows[4][1] == "007" and rows[4][2] == 0 and rows[4][5] == datetime.datetime(9999, 12, 31)


def test_styles_and_panes(shop):
    sheet = opened(exported(shop)).worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.b for cell in sheet[1]) and not any(cell.font.b for cell in sheet[2])
    formats = {sheet[place].number_format.replace("\\", "") for place in ("F2", "G2", "G3", "C2")}
    assert formats == {"yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm:ss.000", "General"}
    assert sheet["F2"].is_date
    widths = [sheet.column_dimensions[c].width for c in "ABG"]
    assert widths[0] < widths[1] < widths[2]


def test_text_stays_text_when_a_person_edits(shop):
    shop.call("template", "item", "-o", "t.xlsx")
    for path in (exported(shop), shop.folder / "t.xlsx"):
        sheet = opened(path).worksheets[0]
        # what is typed into a new row takes the format of its column
        assert [sheet.column_dimensions[c].number_format for c in "ABCIJK"] == ["General", "@", "General", "@", "@", "@"]
    sheet = opened(exported(shop)).worksheets[0]
    assert sheet["B2"].number_format == sheet["B5"].number_format == sheet["K2"].number_format == "@"
    assert sheet["C2"].number_format == sheet["B1"].number_format == "General"


def test_text_of_items_stays_text(shop):
    shop.config("", base=PATTERNS + """
  country: {model: country, format: xlsx, fields: [name, {field: item_ids, pattern: line, occurrences: 2}, code]}
  line: {model: item, fields: [price, name]}
models:
  country: {fields: {item_ids: {one2many: item.country_id}}}
""")
    sheet = opened(exported(shop, pattern="country")).worksheets[0]
    assert [sheet.column_dimensions[c].number_format for c in "ABCDEF"] == ["@", "General", "@", "General", "@", "@"]


def test_two_header_rows_are_frozen(shop):
    shop.config("", base=PATTERNS.replace("format: xlsx", "format: xlsx\n    header: description_and_tech"))
    book = opened(exported(shop))
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A3" and [c.value for c in sheet[2]] == HEADER and sheet["A1"].font.b and sheet["A2"].font.b
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert set(rules) == {"I3:I1006", "K3:K1006"}


def test_tabs_and_validations(shop):
    book = opened(exported(shop))
    assert book.sheetnames == ["item", "Kind", "Country Code"]
    rules = {str(rule.sqref): (rule.type, rule.formula1) for rule in book["item"].data_validations.dataValidation}
    assert rules == {"I2:I1005": ("list", "'Kind'!$A$2:$A$3"), "K2:K1005": ("list", "'Country Code'!$A$2:$A$4")}
    assert [c.value for c in book["Country Code"]["A"]] == ["Country Code", "FR", "BE", "DE"]


def test_template(shop):
    shop.call("template", "item", "-o", "t.xlsx")
    sheet = opened(shop.folder / "t.xlsx").worksheets[0]
    assert [[c.value for c in row] for row in sheet.iter_rows()] == [HEADER]
    assert {str(rule.sqref) for rule in sheet.data_validations.dataValidation} == {"I2:I1001", "K2:K1001"}


def test_long_names_of_patterns(shop):
    name = "a pattern's name of many more than 31 letters"
    shop.config("", base=PATTERNS.replace("  item:", f'  "{name}":', 1))
    assert opened(exported(shop, pattern=name)).sheetnames[0] == name[:31].strip()


def test_task(shop):
    shop.config("", base=PATTERNS + "export_tasks:\n  items-out: {pattern: item, storage: drop, path: out, filter: \"[('kind', '=', 'lead')]\"}\n")
    shop.call("run")
    assert shop.names() == ["out/item.xlsx"]
    assert [c.value for c in opened(shop.drop_folder / "out" / "item.xlsx")["item"]["B"]] == ["name", "Alice & <Bob>"]


def test_standard_output(shop):
    done = subprocess.run([PROGRAM, "export", "item", "-o", "-", "--no-history"], cwd=shop.folder, capture_output=True, timeout=120, check=True)
    assert opened(io.BytesIO(done.stdout))["item"].max_row == 5


def test_same_records_same_bytes(shop):
    assert exported(shop, name="a.xlsx").read_bytes() == exported(shop, name="b.xlsx").read_bytes()


def test_what_was_exported_imports_unchanged(shop):
    shop.execute("UPDATE item SET note = trim(note), ok = coalesce(ok, FALSE)")     # cells are stripped, an empty one is false
    before = shop.rows("SELECT * FROM item ORDER BY id")
    summary = shop.json("import", "item", exported(shop))
    assert shop.rows("SELECT * FROM item ORDER BY id") == before
    assert summary["unchanged"] == 4 and summary["failed"] == 0, summary


def test_text_too_long_for_a_cell(shop):
    shop.execute("UPDATE item SET note = ? WHERE id = 2", "x" * 32768)
    told = shop.call("export", "item", "-o", "item.xlsx", status=2).stderr
    assert "sheet item: row 3, column J (note)" in told and "32767" in told
    assert not (shop.folder / "item.xlsx").exists()


# ---- other programs

def csv_rows(text):
    return [[cell for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]


def convert(command, folder, **environment):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env={**os.environ, "LC_ALL": "C.UTF-8", **environment})
    assert done.returncode == 0, done.stdout + done.stderr


def check_texts(rows, date, datetime_, bell):
    """What all spreadsheet programs must show alike; how they show dates is theirs."""
    assert rows[0] == HEADER
    assert rows[1][:3] == ["1", "Alice & <Bob>", "12.5"] and rows[1][4:] == ["42", date, datetime_, "TRUE", "lead", " blanks ", "FR"]
    assert rows[2][1:3] == ["Liège 日本 😀", "-0.25"] and rows[2][4:6] == ["1234567890123456", "1850-01-01"]
    assert rows[2][7:] == ["FALSE", "customer", "two\nlines", ""]
    assert rows[3] == ["3", "=1+1"] + [""] * 8 + ["BE"]
    assert rows[4][1] == "007" and rows[4][9].replace("\x07", "") == bell
    assert len(rows) == 5


def test_libreoffice_reads_it(shop, tmp_path_factory):
    path = exported(shop)
    out = shop.folder / "libreoffice"
    profile = tmp_path_factory.mktemp("profile")
    # 44,34,76: comma, quote, UTF-8; the last -1: every sheet to a file of its own
    convert(["soffice", f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to",
             "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir", out, path], shop.folder, HOME=str(profile))
    assert sorted(p.name for p in out.iterdir()) == ["item-Country Code.csv", "item-Kind.csv", "item-item.csv"]
    check_texts(csv_rows((out / "item-item.csv").read_text("utf-8")), "2026-02-15", "2026-02-15 10:11:12", "bell cr\n _x0041_")
    assert csv_rows((out / "item-Country Code.csv").read_text("utf-8")) == [["Country Code"], ["FR"], ["BE"], ["DE"]]


def test_gnumeric_reads_it(shop, tmp_path_factory):
    path = exported(shop)
    convert(["ssconvert", "-S", path, "gnumeric-%n.csv"], shop.folder, HOME=str(tmp_path_factory.mktemp("home")))
    # gnumeric leaves _xHHHH_ as it is
    check_texts(csv_rows((shop.folder / "gnumeric-0.csv").read_text("utf-8")), "2026/02/15", "2026/02/15 10:11:12", "bell_x0007_ cr_x000D_ _x005F_x0041_")
    assert csv_rows((shop.folder / "gnumeric-2.csv").read_text("utf-8")) == [["Country Code"], ["FR"], ["BE"], ["DE"]]

# SPDX-License-Identifier: Apache-2.0
"""Values of every type, in every format: what is read, what is refused and in which words, and that what is written is read back."""
import csv
import datetime
import io
import json

import openpyxl
import openpyxl.utils.datetime
import pytest

ITEMS = """
CREATE TABLE item (
    id integer PRIMARY KEY, code varchar(8) NOT NULL UNIQUE, ok boolean NOT NULL DEFAULT FALSE, since date, until date, seen timestamp,
    utc timestamptz, price numeric(10, 2), n integer, kind text CHECK (kind IN ('lead', 'customer')), note text, photo blob, data json);
"""
CONFIG = """
database: sqlite:shop.db
filestore: filestore
timezone: Europe/Paris
storages:
  drop: {type: file, directory: drop}
models:
  item: {fields: {ok: {label: Fine}, kind: {selection: {lead: A Lead, customer: Customer}}}}
patterns:
  own:
    model: item
    format: FORMAT
    booleans: {true: [ja, j], false: [nein, n]}
    date_format: ["%d.%m.%Y", "%Y%m%d"]
    datetime_format: "%d.%m.%Y %H:%M"
    decimal_comma: true
    thousands: "."
    excel_serials: true
    fields: [{field: code, key: true}, ok, {field: since, date_format: "%m/%d/%Y"}, until, seen, utc, price, n]
  plain:
    model: item
    format: FORMAT
    fields: [{field: code, key: true}, ok, since, until, seen, utc, price, n, kind, note, photo, data]
"""
FORMATS = {"csv": "csv", "xlsx": "xlsx", "json": "json", "nested": "json\n    json_style: nested\n    json: {lines: true}"}


@pytest.fixture(params=sorted(FORMATS))
def shop(project, request):
    project.script(ITEMS)
    project.config("", base=CONFIG.replace("FORMAT", FORMATS[request.param]))
    project.format = request.param
    return project


def write(project, header, *rows):
    """The same table as a file of the project's format."""
    path = project.folder / ("in." + ("json" if project.format == "nested" else project.format))
    if project.format == "csv":
        out = io.StringIO()
        csv.writer(out).writerows([header, *rows])
        path.write_text(out.getvalue())
    elif project.format == "xlsx":
        book = openpyxl.Workbook()
        for row in [header, *rows]:
            book.active.append(row)
        book.save(path)
    else:
        path.write_text(json.dumps([dict(zip(header, row)) for row in rows]))
    return path


def load(project, pattern, header, *rows, status=0):
    return project.json("import", pattern, write(project, header, *rows), status=status)


def items(project, columns):
    return project.rows(f"SELECT {columns} FROM item ORDER BY id")


def messages(summary):
    return [(m["column"], m["field"], m["type"], m["message"]) for m in summary["messages"]]


OWN = ["code#key", "ok", "since", "until", "seen", "utc", "price", "n"]


def test_words_formats_and_marks_of_ones_own(shop):
    summary = load(shop, "own", OWN,
                   ["a", "ja", "12/31/2024", "31.12.2024", "31.12.2024 10:11", "05.07.2020 10:11", "1.234,5", "-1.000"],
                   ["b", "N", "1/2/2024", "20240201", "1.2.2024 0:00", "2021-10-31 02:30:00+02:00", "0,5", "12"],
                   ["c", "", "45657", "45657", "45657,5", "45657", "", ""])
    assert summary["created"] == 3, summary
    assert items(shop, "code, ok, since, until, seen, utc, price, n") == [
        ("a", 1, "2024-12-31", "2024-12-31", "2024-12-31 10:11:00", "2020-07-05 08:11:00+00:00", 1234.5, -1000),
        ("b", 0, "2024-01-02", "2024-02-01", "2024-02-01 00:00:00", "2021-10-31 00:30:00+00:00", 0.5, 12),
        ("c", 0, "2024-12-31", "2024-12-31", "2024-12-31 12:00:00", "2024-12-30 23:00:00+00:00", None, None)]


def test_what_does_not_fit_ones_own(shop):
    summary = load(shop, "own", OWN, ["a", "oui", "31/12/2024", "31-12-2024", "31.12.2024 25:00", "31.10.2021 02:30", "12.50", "1,5"], status=1)
    assert messages(summary) == [
        ("ok", "Fine", "conversion", 'Fine: "oui" is no boolean: write ja or nein'),
        ("since", "Since", "conversion", 'Since: "31/12/2024" is no day of the calendar; write it as 12/31/2024'),
        ("until", "Until", "conversion", 'Until: "31-12-2024" is no date: write it as 31.12.2024 or 20241231'),
        ("seen", "Seen", "conversion",
         'Seen: "31.12.2024 25:00" is no day of the calendar or no time of day; write it as 31.12.2024 23:59'),
        ("utc", "Utc", "conversion", 'Utc: "31.10.2021 02:30" exists twice in the time zone Europe/Paris, where the clocks are changed: '
                                     "add the offset, as in +01:00"),
        ("price", "Price", "conversion", 'Price: "12.50" is no number (the decimal mark is a comma, . may stand between thousands)'),
        ("n", "N", "conversion", 'N: "1,5" is no integer')]


def test_what_is_written_is_read_back(shop):
    shop.script("""INSERT INTO item (id, code, ok, since, until, seen, utc, price, n, kind, note, photo, data) VALUES
        (1, 'a', TRUE, '2024-12-31', '1850-01-01', '2024-12-31 10:11:00', '2021-10-31 00:30:00+00:00', 1234567.5, -1234567, 'lead', '007', x'00FF',
         '[1, "x"]'),
        (2, 'b', FALSE, NULL, NULL, '2024-12-31 10:11:12.5', '2021-10-31 01:30:00+00:00', -0.05, 0, NULL, '1e3', NULL, '{}'),
        (3, 'c', FALSE, '0001-01-01', '9999-12-31', '1899-12-31 00:00:00', '2024-07-05 08:11:12+00:00', 24.9, NULL, 'customer', '=1', NULL, NULL)""")
    for pattern in ("own", "plain"):
        path = shop.folder / f"{pattern}.out"
        shop.call("export", pattern, "-o", path)
        before = items(shop, "*")
        summary = shop.json("import", pattern, path)
        assert (summary["unchanged"], summary["failed"]) == (3, 0), summary
        assert items(shop, "*") == before


@pytest.mark.parametrize("shop", ["csv"], indirect=True)
def test_the_first_words_and_formats_are_written(shop):
    load(shop, "own", OWN, ["a", "j", "1/2/2024", "20240201", "1.2.2024 0:05", "2020-07-05 10:11:12", "1.234,5", "1.000"])
    shop.call("export", "own", "-o", "out.csv")
    assert (shop.folder / "out.csv").read_text().splitlines()[1] == 'a,ja,01/02/2024,01.02.2024,01.02.2024 00:05,2020-07-05 10:11:12,"1234,5",1000'


@pytest.mark.parametrize("shop", ["xlsx"], indirect=True)
def test_words_are_written_in_workbooks_and_dates_stay_dates(shop):
    load(shop, "own", OWN, ["a", "j", "1/2/2024", None, None, None, None, None])
    shop.call("export", "own", "-o", "out.xlsx")
    row = [cell.value for cell in openpyxl.load_workbook(shop.folder / "out.xlsx").active[2]]
    assert row[:3] == ["a", "ja", datetime.datetime(2024, 1, 2)]


PLAIN = ["code#key", "ok", "since", "seen", "price", "n", "kind", "note", "photo", "data"]


def test_every_bad_value_has_its_message(shop):
    summary = load(shop, "plain", PLAIN, ["123456789", "maybe", "2024-02-30", "2024-13-01 00:00", "1,5", "3.7", "LEAD", "x", "???", "{a}"], status=1)
    assert [(column, kind) for column, _, kind, _ in messages(summary)] == [
        ("code#key", "length"), ("ok", "conversion"), ("since", "conversion"), ("seen", "conversion"), ("price", "conversion"), ("n", "conversion"),
        ("kind", "selection"), ("photo", "conversion"), ("data", "conversion")]
    texts = dict((column, message) for column, _, _, message in messages(summary))
    assert texts["code#key"] == 'Code: "123456789" has 9 characters, at most 8 are allowed'
    assert texts["ok"] == 'Fine: "maybe" is no boolean: write TRUE or FALSE, yes or no, 1 or 0'
    assert texts["since"] == 'Since: "2024-02-30" is no day of the calendar'
    assert texts["kind"] == 'Kind: "LEAD" is none of the allowed values: lead (A Lead), customer (Customer)'
    assert texts["photo"] == 'Photo: "???" is no base64'
    assert texts["data"].startswith('Data: "{a}" is no JSON')
    assert all(f'"{value}"' in texts[column] for column, value in zip(PLAIN, ["123456789", "maybe", "2024-02-30", "2024-13-01 00:00", "1,5", "3.7"])
               if column in texts)


def test_values_as_text(shop):
    summary = load(shop, "plain", PLAIN, ["a", "=TRUE()", "2024-02-29", "2024-02-29T10:11", "1e3", " +7 ", "A Lead", "  007 ", "AP8=", "[1]"])
    assert summary["created"] == 1, summary
    assert items(shop, "ok, since, seen, price, n, kind, note, hex(photo), CAST(data AS text)") == [
        (1, "2024-02-29", "2024-02-29 10:11:00", 1000, 7, "lead", "007", "00FF", "[1]")]


@pytest.mark.parametrize("shop", ["xlsx"], indirect=True)
def test_native_cells_of_a_workbook(shop):
    day = datetime.date(2024, 2, 29)
    moment = datetime.datetime(2024, 2, 29, 10, 11, 12)
    summary = load(shop, "plain", PLAIN,
                   ["a", True, day, moment, 24.9, 7.0, "lead", 75001, "AP8=", 5],
                   [12, 0, 45351, 45351.5, 3, 1000.0, "lead", 0.1 + 0.2, None, True],
                   ["c", 1, "2024-02-29", day, 0.1 + 0.2, "8", "lead", "007", None, "null"])
    assert summary["created"] == 3, summary
    assert items(shop, "code, ok, since, seen, price, n, note, CAST(data AS text)") == [
        ("a", 1, "2024-02-29", "2024-02-29 10:11:12", 24.9, 7, "75001", "5"),
        ("12", 0, "2024-02-29", "2024-02-29 12:00:00", 3, 1000, "0.3", "true"),
        ("c", 1, "2024-02-29", "2024-02-29 00:00:00", 0.3, 8, "007", "null")]


@pytest.mark.parametrize("shop", ["xlsx"], indirect=True)
def test_native_cells_that_do_not_fit(shop):
    summary = load(shop, "plain", PLAIN,
                   [True, datetime.date(2024, 2, 29), 60, -1, True, 2.5, 5, "x", 5, datetime.date(2024, 2, 29)],
                   ["b", "=1+1", datetime.datetime(2024, 2, 29, 1), 99999999, datetime.date(2024, 2, 29), True, "lead", "#N/A", None, None], status=1)
    assert [(m["row"], m["column"]) for m in summary["messages"]] == [
        (2, "ok"), (2, "since"), (2, "seen"), (2, "price"), (2, "n"), (2, "kind"), (2, "photo"), (2, "data"),
        (3, "ok"), (3, "since"), (3, "seen"), (3, "price"), (3, "n"), (3, "note")]


@pytest.mark.parametrize("shop", ["xlsx"], indirect=True)
def test_days_of_a_workbook_that_counts_from_1904(shop):
    path = shop.folder / "mac.xlsx"
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in [["code#key", "since", "until"], ["a", 44195, datetime.date(2024, 12, 31)]]:
        book.active.append(row)
    book.save(path)
    assert shop.json("import", "plain", path)["created"] == 1
    assert items(shop, "since, until") == [("2024-12-31", "2024-12-31")]


@pytest.mark.parametrize("shop", ["json", "nested"], indirect=True)
def test_native_values_of_json(shop):
    summary = load(shop, "plain", PLAIN, ["a", True, "2024-02-29", None, 24.90, 7.0, None, 75001, None, 5], [12, 0, None, None, 1e3, 7, None, 0.1 + 0.2, None, None])
    assert summary["created"] == 2, summary
    assert items(shop, "code, ok, price, n, note, CAST(data AS text)") == [
        ("a", 1, 24.9, 7, "75001", "5"), ("12", 0, 1000, 7, "0.30000000000000004", None)]
    summary = load(shop, "plain", PLAIN, ["b", 2, 45657, 45657.5, True, False, 1, None, 5, None], status=1)
    assert [m["column"] for m in summary["messages"]] == ["since", "seen", "price", "n", "kind", "photo"]


@pytest.mark.parametrize("shop", ["csv"], indirect=True)
@pytest.mark.parametrize("line, complaint", [
    ("booleans: ja", "two words are expected"),
    ("booleans: [ja, JA]", '"ja" cannot be true and false'),
    ("booleans: ['', x]", "an empty cell is false"),
    ("date_format: DD.MM.YYYY", '"DD.MM.YYYY": the year is missing'),
    ('date_format: "%d.%m.%Y %H"', "a date has no hour"),
    ('datetime_format: ["%d.%m.%Y", "%d.%m.%Y %Q"]', "%Q is none of"),
    ("thousands: x", "a point, a comma, a blank, an apostrophe or _ is expected"),
    ("thousands: .", '"." is the decimal mark; decimal_comma: true makes that a comma'),
    ("fields: [{field: code, date_format: '%F'}]", "date_format is not for text"),
    ("fields: [{field: since, booleans: [a, b]}]", "booleans is not for date"),
])
def test_check_tells_wrong_options(shop, line, complaint):
    (shop.folder / "more.yaml").write_text("patterns:\n  wrong:\n    model: item\n    " + line + "\n")
    done = shop.call("-c", "pattimpex.yaml", "-c", "more.yaml", "check", status=2)
    assert "more.yaml:4: pattern wrong" in done.stdout + done.stderr and complaint in done.stdout + done.stderr

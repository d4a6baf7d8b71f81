# SPDX-License-Identifier: Apache-2.0
"""Workbooks with bad rows go back as they came, with the reasons inside: everything else is where it belongs."""
import io
import subprocess
import zipfile

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table

from conftest import BASE

HEADER = ["name", "email#key", "phone", "country_id|code"]
# Row 3 has an unknown country, row 5 no name and an unknown country.
ROWS = [["Erin", "erin@x.test", "5", "DE"], ["Frank", "frank@x.test", "6", "XX"], ["Grace", "grace@x.test", "7", "FR"],
        [None, "henry@x.test", "8", "YY"], ["Iris", "iris@x.test", "9", "BE"]]
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf50"
                    "0f0003860180bd4cf7420000000049454e44ae426082")


def base(options=""):
    return BASE.replace("format: csv", "format: xlsx" + options)


def workbook(rows=ROWS, header=(HEADER,), title="Data"):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in [*header, *rows]:
        sheet.append(row)
    return book, sheet


def decorate(book, sheet):
    """All that a person may put in a sheet: it must move along."""
    sheet["F2"] = "=LEN(A2)&$B$2"
    sheet["F3"] = "=SUM(C2:C6)"
    sheet["F5"] = "=Other!A1+F3"
    sheet["A1"].font = Font(bold=True, color="FF0000FF")
    sheet["B3"].fill = PatternFill("solid", fgColor="FFFFFF00")
    sheet.merge_cells("H1:I2")
    sheet.merge_cells("H5:I6")
    validation = DataValidation(type="list", formula1="$K$1:$K$3")
    validation.add("D2:D6")
    sheet.add_data_validation(validation)
    sheet.conditional_formatting.add("C2:C6", FormulaRule(formula=["$C2>A2"], fill=PatternFill("solid", bgColor="FFFF0000")))
    sheet.auto_filter.ref = "A1:D6"
    sheet.freeze_panes = "B2"
    sheet.column_dimensions["B"].width = 33
    sheet.column_dimensions["C"].width = 11
    sheet.print_title_rows = "1:1"
    sheet["A3"].comment = Comment("look here", "me")
    sheet["A4"].comment = Comment("good row", "me")
    sheet["B2"].hyperlink = "https://example.test/"
    sheet.add_image(Image(io.BytesIO(PNG)), "G2")
    sheet["M1"], sheet["N1"], sheet["M2"], sheet["N2"], sheet["M5"], sheet["N5"] = "#a", "#b", 1, 2, 3, 4
    sheet.add_table(Table(displayName="Side", ref="M1:N6"))
    other = book.create_sheet("Other")
    other["A1"] = "=SUM(Data!C2:C6)+B1"
    other["A2"] = "=Data!$A$3&\"Data!A1\""
    other["A3"] = "=C7"
    book.create_sheet("Alone")["A1"] = "=B2"
    for name, value in (("Emails", "Data!$B$2:$B$6"), ("Elsewhere", "Other!$A$1")):
        book.defined_names.append(DefinedName(name, attr_text=value))


def save(project, book, name="a.xlsx"):
    path = project.folder / name
    book.save(path)
    return path


def give_back(project, path, options="", status=1):
    """Imports by hand; the summary and the workbook that comes back."""
    project.config("", base=base(options))
    out = project.folder / "bad.xlsx"
    summary = project.json("import", "partner", path, "--error-file", out, status=status)
    return summary, out


def values(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows(max_col=5)]


def members(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def raw(path, name):
    """The member as it lies in the archive, packed, with its header."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
        data = path.read_bytes()
        start = info.header_offset
        head = 30 + int.from_bytes(data[start + 26:start + 28], "little") + int.from_bytes(data[start + 28:start + 30], "little")
        return data[start:start + head + info.compress_size]


def test_bad_rows_only(project):
    book, _ = workbook()
    summary, out = give_back(project, save(project, book))
    assert summary["failed"] == 2 and "note" not in summary
    sheet = openpyxl.load_workbook(out)["Data"]
    rows = values(sheet)
    assert [row[1:] for row in rows] == [HEADER, ROWS[1], ROWS[3]]
    assert rows[0][0] == "#Error"
    assert "XX" in rows[1][0]
    assert rows[2][0].count("\n") == 1 and "YY" in rows[2][0]
    assert sheet["A2"].font.color.rgb == "FFC00000" and sheet["A2"].alignment.wrap_text
    assert sheet.dimensions == "A1:E3"


def test_all_rows(project):
    book, _ = workbook()
    _, out = give_back(project, save(project, book), "\n    error_file: all")
    sheet = openpyxl.load_workbook(out)["Data"]
    rows = values(sheet)
    assert [row[1:] for row in rows] == [HEADER, *ROWS]
    assert [bool(row[0]) for row in rows] == [True, False, True, False, True, False]


def test_everything_else_moves_along(project):
    book, sheet = workbook()
    decorate(book, sheet)
    path = save(project, book)
    summary, out = give_back(project, path, "\n    error_file: all")
    assert "note" not in summary
    back = openpyxl.load_workbook(out)
    assert back.sheetnames == ["Data", "Other", "Alone"]
    sheet = back["Data"]
    assert [sheet[place].value for place in ("G2", "G3", "G5")] == ["=LEN(B2)&$C$2", "=SUM(D2:D6)", "=Other!A1+G3"]
    assert sheet["B1"].font.bold and sheet["B1"].font.color.rgb == "FF0000FF" and sheet["C3"].fill.fgColor.rgb == "FFFFFF00"
    assert sorted(map(str, sheet.merged_cells.ranges)) == ["I1:J2", "I5:J6"]
    validation = sheet.data_validations.dataValidation[0]
    assert (str(validation.sqref), validation.formula1) == ("E2:E6", "$L$1:$L$3")
    (rules,) = sheet.conditional_formatting
    assert str(rules.sqref) == "D2:D6" and rules.rules[0].formula == ["$D2>B2"]
    assert sheet.auto_filter.ref == "B1:E6"
    assert sheet.freeze_panes == "C2" and sheet.sheet_view.pane.xSplit == 2
    assert sheet.column_dimensions["C"].width == 33 and sheet.column_dimensions["D"].width == 11 and sheet.column_dimensions["A"].width == 60
    assert sheet.print_title_rows == "1:1"
    assert sheet["B3"].comment.text == "look here" and sheet["B4"].comment.text == "good row" and not sheet["A3"].comment
    assert sheet["C2"].hyperlink.ref == "C2" and sheet["C2"].hyperlink.target == "https://example.test/"
    anchor = sheet._images[0].anchor._from
    assert (anchor.col, anchor.row) == (7, 1)
    assert sheet.tables["Side"].ref == "N1:O6" and sheet["N1"].value == "#a"
    assert [back["Other"][f"A{i}"].value for i in (1, 2, 3)] == ["=SUM(Data!D2:D6)+B1", "=Data!$B$3&\"Data!A1\"", "=C7"]
    names = {name.name: name.attr_text for name in back.defined_names.definedName}
    assert names == {"Emails": "Data!$C$2:$C$6", "Elsewhere": "Other!$A$1"}


def test_everything_else_follows_the_rows(project):
    book, sheet = workbook()
    decorate(book, sheet)
    summary, out = give_back(project, save(project, book))
    assert "note" not in summary
    back = openpyxl.load_workbook(out)
    sheet = back["Data"]
    assert [row[1:] for row in values(sheet)] == [HEADER, ROWS[1], ROWS[3]]
    # F3, F5 are G2, G3 now.
    assert [sheet[place].value for place in ("G2", "G3")] == ["=SUM(D2:D3)", "=Other!A1+G2"]
    assert sheet["C2"].fill.fgColor.rgb == "FFFFFF00"
    # H1:I2 has row 1 left, H5:I6 row 5.
    assert sorted(map(str, sheet.merged_cells.ranges)) == ["I1:J1", "I3:J3"]
    validation = sheet.data_validations.dataValidation[0]
    assert (str(validation.sqref), validation.formula1) == ("E2:E3", "$L$1:$L$2")
    (rules,) = sheet.conditional_formatting
    assert str(rules.sqref) == "D2:D3" and rules.rules[0].formula == ["$D2>B2"]
    assert sheet.auto_filter.ref == "B1:E3" and sheet.freeze_panes == "C2"
    assert sheet["B2"].comment.text == "look here" and not sheet["B3"].comment
    assert sheet.tables["Side"].ref == "N1:O3" and sheet["N3"].value == 3
    assert back["Other"]["A1"].value == "=SUM(Data!D2:D3)+B1" and back["Other"]["A2"].value == "=Data!$B$2&\"Data!A1\""
    names = {name.name: name.attr_text for name in back.defined_names.definedName}
    assert names["Emails"] == "Data!$C$2:$C$3"


def test_unchanged_members_are_the_same_bytes(project):
    book, sheet = workbook()
    decorate(book, sheet)
    path = save(project, book)
    _, out = give_back(project, path, "\n    error_file: all")
    before, after = members(path), members(out)
    assert list(before) == list(after)
    same = {name for name in before if raw(path, name) == raw(out, name)}
    changed = {"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml", "xl/workbook.xml", "xl/styles.xml", "xl/tables/table1.xml",
               "xl/drawings/drawing1.xml"}
    notes = {name for name in before if "omment" in name}
    assert set(before) - same - notes == changed
    assert "xl/worksheets/sheet3.xml" in same and "xl/theme/theme1.xml" in same and "xl/media/image1.png" in same


def correct(path, where):
    """What the partner does: puts right what the first column says."""
    book = openpyxl.load_workbook(path)
    sheet = book["Data"]
    for place, value in where.items():
        sheet[place] = value
    book.save(path)


@pytest.mark.parametrize("options, where", [
    ("", {"E2": "BE", "B3": "Henry", "E3": "FR"}),
    ("\n    error_file: all", {"E3": "BE", "B5": "Henry", "E5": "FR"}),
])
def test_corrected_file_is_sent_again(project, options, where):
    book, sheet = workbook()
    decorate(book, sheet)
    _, out = give_back(project, save(project, book), options)
    correct(out, where)
    summary = project.json("import", "partner", out)
    assert summary["failed"] == 0
    assert project.rows("SELECT count(*) FROM partner WHERE email LIKE '%@x.test'") == [(7,)]


def test_error_column_of_before_is_written_again(project):
    book, _ = workbook()
    _, out = give_back(project, save(project, book), "\n    error_file: all")
    correct(out, {"E3": "BE"})
    once_more = project.folder / "again.xlsx"
    project.json("import", "partner", out, "--error-file", once_more, status=1)
    rows = values(openpyxl.load_workbook(once_more)["Data"])
    assert rows[0] == ["#Error", *HEADER]
    assert [bool(row[0]) for row in rows] == [True, False, False, False, True, False]


def test_error_column_of_before_stays_where_it_is(project):
    book, _ = workbook([[*row[:2], "old", *row[2:]] for row in ROWS], [[*HEADER[:2], "#Error", *HEADER[2:]]])
    _, out = give_back(project, save(project, book))
    rows = values(openpyxl.load_workbook(out)["Data"])
    assert rows[0] == ["name", "email#key", "#Error", "phone", "country_id|code"]
    assert [row[1] for row in rows[1:]] == ["frank@x.test", "henry@x.test"]
    assert "XX" in rows[1][2] and "YY" in rows[2][2]


def test_chart_puts_the_column_at_the_end(project):
    book, sheet = workbook()
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=1, max_row=6))
    sheet.add_chart(chart, "G2")
    path = save(project, book)
    summary, out = give_back(project, path)
    assert "a chart" in summary["note"] and "behind the last column" in summary["note"]
    sheet = openpyxl.load_workbook(out)["Data"]
    rows = values(sheet)
    assert [row[:4] for row in rows] == [HEADER, *ROWS]
    assert [row[4] is not None for row in rows] == [True, False, True, False, True, False]
    assert members(path)["xl/charts/chart1.xml"] == members(out)["xl/charts/chart1.xml"]
    correct(out, {"D3": "BE", "A5": "Henry", "D5": "FR"})
    assert project.json("import", "partner", out)["failed"] == 0


def test_chart_of_another_sheet_counts_too(project):
    book, sheet = workbook()
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=1, max_row=6))
    book.create_sheet("Charts").add_chart(chart, "B2")
    summary, _ = give_back(project, save(project, book))
    assert "a chart" in summary["note"]


def test_two_header_rows(project):
    labels = ["Name", "Email", "Phone", "Country"]
    book, _ = workbook(header=(labels, HEADER))
    summary, out = give_back(project, save(project, book), "\n    header: description_and_tech")
    assert summary["failed"] == 2
    rows = values(openpyxl.load_workbook(out)["Data"])
    assert rows[0] == ["Error", *labels] and rows[1] == ["#Error", *HEADER]
    assert [row[2] for row in rows[2:]] == ["frank@x.test", "henry@x.test"]


def test_cached_values_stay(project):
    """A formula that refers to a row that goes is its value from then on."""
    book, sheet = workbook()
    sheet["F3"] = "=A2"
    sheet["F5"] = "=A5&1"
    path = save(project, book)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = parts[part].replace(b"<f>A2</f><v></v>", b"<f>A2</f><v>7</v>").replace(b"<f>A5&amp;1</f><v></v>", b"<f>A5&amp;1</f><v>8</v>")
    parts[part] = parts[part].replace(b"<f>A2</f><v />", b"<f>A2</f><v>7</v>").replace(b"<f>A5&amp;1</f><v />", b"<f>A5&amp;1</f><v>8</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    _, out = give_back(project, path)
    assert [openpyxl.load_workbook(out)["Data"][place].value for place in ("G2", "G3")] == [7, "=B3&1"]
    assert [openpyxl.load_workbook(out, data_only=True)["Data"][place].value for place in ("G2", "G3")] == [7, 8]


def test_both_flows(project):
    project.config("""
        import_tasks:
          partners-in:
            storage: drop
            path: in
            pattern: partner
            after_import: move
            move_path: done
            error_path: errors
    """, base=base())
    book, sheet = workbook()
    decorate(book, sheet)
    path = save(project, book)
    project.drop("a.xlsx", path.read_bytes())
    project.call("run", status=1)
    assert project.names() == ["done/a.xlsx", "errors/a.xlsx"]
    rows = values(openpyxl.load_workbook(project.drop_folder / "errors" / "a.xlsx")["Data"])
    assert [row[2] for row in rows] == ["email#key", "frank@x.test", "henry@x.test"]


def converted(command, path):
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=120, env={"HOME": str(path.parent), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return (path.parent / "bad.csv").read_text()


@pytest.mark.parametrize("command", [
    ["soffice", "--headless", "--convert-to", "csv", "bad.xlsx"],
    ["ssconvert", "bad.xlsx", "bad.csv"],
])
def test_other_programs_read_it(project, command):
    import shutil
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    book, sheet = workbook()
    decorate(book, sheet)
    _, out = give_back(project, save(project, book))
    text = converted(command, out)
    assert text.startswith("#Error,name,email#key,phone,country_id|code")
    assert "frank@x.test" in text and "henry@x.test" in text and "erin@x.test" not in text

# SPDX-License-Identifier: Apache-2.0
"""Workbooks with bad rows go back as they came, with the reasons inside: everything else is where it belongs."""
import io
import re
import shutil
import subprocess
import xml.etree.ElementTree
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
    for name, content in members(out).items():
        if name.endswith((".xml", ".rels", ".vml")) and content != members(path).get(name):
            xml.etree.ElementTree.fromstring(content)
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


TASK = """
    import_tasks:
      partners-in:
        storage: drop
        path: in
        pattern: partner
        after_import: move
        move_path: done
        error_path: errors
"""


def test_both_flows(project):
    project.config(TASK, base=base())
    book, sheet = workbook()
    decorate(book, sheet)
    path = save(project, book)
    project.drop("a.xlsx", path.read_bytes())
    project.call("run", status=1)
    assert project.names() == ["done/a.xlsx", "errors/a.xlsx"]
    rows = values(openpyxl.load_workbook(project.drop_folder / "errors" / "a.xlsx")["Data"])
    assert [row[2] for row in rows] == ["email#key", "frank@x.test", "henry@x.test"]


@pytest.mark.parametrize("as_json", [False, True])
def test_run_says_what_could_not_be_kept(project, as_json):
    project.config(TASK, base=base())
    book, sheet = workbook()
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=1, max_row=6))
    sheet.add_chart(chart, "G2")
    project.drop("a.xlsx", save(project, book).read_bytes())
    if as_json:
        notes = {job["kind"]: job.get("note") for job in project.json("run", status=1)["jobs"]}
        assert "behind the last column" in notes["report"] and not notes["import"] and not notes["upload"]
    else:
        lines = project.call("run", status=1).stdout.splitlines()
        said = lines.index("partners-in: the bad rows go back as a.xlsx")
        assert lines[said + 1].startswith("partners-in: sheet Data: #Error stands behind the last column") and "a chart" in lines[said + 1]


def converted(command, path):
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=120, env={"HOME": str(path.parent), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return (path.parent / "bad.csv").read_text()


@pytest.mark.parametrize("command", [
    ["soffice", "--headless", "--convert-to", "csv", "bad.xlsx"],
    ["ssconvert", "bad.xlsx", "bad.csv"],
])
def test_other_programs_read_it(project, command):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    book, sheet = workbook()
    decorate(book, sheet)
    _, out = give_back(project, save(project, book))
    text = converted(command, out)
    assert text.startswith("#Error,name,email#key,phone,country_id|code")
    assert "frank@x.test" in text and "henry@x.test" in text and "erin@x.test" not in text


# ---- parts that no tool of the tests writes

def rewrite(path, changes, more=None):
    """The workbook with parts as these functions make them of their text."""
    parts = members(path)
    for name, change in changes.items():
        text = parts[name].decode()
        assert change(text) != text, name
        parts[name] = change(text).encode()
    parts.update(more or {})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
SHARED = [' t="shared" ref="F2:F6" si="0">A2&amp;F$1&amp;Other!$A2', *[' t="shared" si="0">'] * 4]


def share(text):
    """F2 to F6 hold one shared formula, told in F2 alone."""
    for row, formula in enumerate(SHARED, 2):
        text = text.replace(f'<c r="F{row}" t="n"><v>0</v></c>', f'<c r="F{row}"><f{formula}</f><v>{row}</v></c>')
    return text


@pytest.mark.parametrize("options, expected", [
    ("\n    error_file: all", {f"G{row}": f"=B{row}&G$1&Other!$A{row}" for row in range(2, 7)}),
    ("", {"G2": "=B2&G$1&Other!$A3", "G3": "=B3&G$1&Other!$A5"}),
])
def test_shared_formulas(project, options, expected):
    book, sheet = workbook()
    for row in range(2, 7):
        sheet[f"F{row}"] = 0
    book.create_sheet("Other")
    path = rewrite(save(project, book), {SHEET: share})
    _, out = give_back(project, path, options)
    back = openpyxl.load_workbook(out)["Data"]
    assert {place: back[place].value for place in expected} == expected
    cached = openpyxl.load_workbook(out, data_only=True)["Data"]
    assert [cached[place].value for place in expected] == ([3, 5] if len(expected) == 2 else [2, 3, 4, 5, 6])


def extension(uri):
    return lambda text: text.replace("</worksheet>", f'<extLst><ext uri="{uri}" xmlns:x14="urn:x"><x14:dataValidations xmlns:xm="urn:m"><x14:dataValidation>'
                                   '<x14:formula1><xm:f>Other!$A$1:$A$3</xm:f></x14:formula1><x14:formula2><xm:f>Data!B2+B2</xm:f></x14:formula2>'
                                   '<xm:sqref>D2:D6 F1</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>')


VALIDATIONS_2010 = "{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"


def test_known_extension_moves_along(project):
    book, _ = workbook()
    path = rewrite(save(project, book), {SHEET: extension(VALIDATIONS_2010)})
    summary, out = give_back(project, path, "\n    error_file: all")
    text = members(out)[SHEET].decode()
    assert "note" not in summary
    assert "<xm:f>Other!$A$1:$A$3</xm:f>" in text and "<xm:f>Data!C2+C2</xm:f>" in text and "<xm:sqref>E2:E6 G1</xm:sqref>" in text


def test_known_extension_follows_the_rows(project):
    """D2 goes: what was written for it is written for D3, which is E2 then."""
    book, _ = workbook()
    summary, out = give_back(project, rewrite(save(project, book), {SHEET: extension(VALIDATIONS_2010)}))
    text = members(out)[SHEET].decode()
    assert "note" not in summary
    assert "<xm:f>Other!$A$1:$A$3</xm:f>" in text and "<xm:f>Data!C2+C2</xm:f>" in text and "<xm:sqref>E2:E3 G1</xm:sqref>" in text


def test_extension_of_good_rows_keeps_all_rows(project):
    book, _ = workbook()
    path = rewrite(save(project, book), {SHEET: lambda text: extension(VALIDATIONS_2010)(text).replace("D2:D6 F1", "D2 D4")})
    summary, out = give_back(project, path)
    assert "all rows are there" in summary["note"]
    assert [row[2] for row in values(openpyxl.load_workbook(out)["Data"])] == ["email#key", *[row[1] for row in ROWS]]


def test_unknown_extension_puts_the_column_at_the_end(project):
    book, _ = workbook()
    path = rewrite(save(project, book), {SHEET: extension("{00000000-0000-0000-0000-000000000000}")})
    summary, out = give_back(project, path)
    assert "an extension" in summary["note"]
    assert values(openpyxl.load_workbook(out)["Data"])[0] == [*HEADER, "#Error"]


def test_order_of_calculation_goes(project):
    book, sheet = workbook()
    sheet["F2"] = "=A2"
    chain = '<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"/>'
    link = '<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain" Target="calcChain.xml"/>'
    path = rewrite(save(project, book), {
        "[Content_Types].xml": lambda text: text.replace("</Types>", chain + "</Types>"),
        "xl/_rels/workbook.xml.rels": lambda text: text.replace("</Relationships>", link + "</Relationships>"),
    }, {"xl/calcChain.xml": '<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="F2" i="1"/></calcChain>'})
    _, out = give_back(project, path)
    after = members(out)
    assert "xl/calcChain.xml" not in after
    assert b"calcChain" not in after["[Content_Types].xml"] + after["xl/_rels/workbook.xml.rels"]


def with_prefix(text):
    """As some programs write: every element with a prefix, rows and cells without a place."""
    text = re.sub(r"<(/?)(\w)", r"<\1x:\2", text).replace("<x:?", "<?").replace('xmlns="', 'xmlns:x="')
    return re.sub(r'(<x:(?:row|c)\b[^>]*?) r="\w+"', r"\1", text)


def test_prefixes_and_missing_places(project):
    book, _ = workbook([row if row[0] else ["", *row[1:]] for row in ROWS])
    path = rewrite(save(project, book), {SHEET: with_prefix})
    for options, emails in (("\n    error_file: all", [row[1] for row in ROWS]), ("", ["frank@x.test", "henry@x.test"])):
        _, out = give_back(project, path, options)
        rows = values(openpyxl.load_workbook(out)["Data"])
        assert rows[0] == ["#Error", *HEADER]
        assert [row[2] for row in rows[1:]] == emails
        assert all(row[0] for row in rows[1:] if row[2] in ("frank@x.test", "henry@x.test"))


def test_notes_are_drawn_beside_their_cells(project):
    book, sheet = workbook()
    decorate(book, sheet)
    path = save(project, book)
    (drawing,) = [name for name in members(path) if name.endswith(".vml")]
    before = members(path)[drawing].decode()
    for options, rows in (("\n    error_file: all", ["2", "3"]), ("", ["1"])):
        _, out = give_back(project, path, options)
        after = members(out)[drawing].decode()
        assert re.findall(r"Column>(\d+)<", before) == ["0", "0"] and re.findall(r"Column>(\d+)<", after) == ["1"] * len(rows)
        assert re.findall(r"Row>(\d+)<", after) == rows


def test_view_shows_the_new_column(project):
    book, sheet = workbook()
    sheet.freeze_panes = "A2"
    _, out = give_back(project, save(project, book))
    view = openpyxl.load_workbook(out)["Data"].sheet_view
    assert view.pane.topLeftCell == "A2" and view.pane.xSplit is None and view.pane.ySplit == 1


class Pipe(io.RawIOBase):
    """Written to from the beginning to the end, as by a program that streams: sizes stand behind the data of each member."""
    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def test_streamed_archive(project):
    book, sheet = workbook()
    decorate(book, sheet)
    path = save(project, book)
    parts = members(path)
    with open(path, "wb") as file, zipfile.ZipFile(Pipe(file), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with zipfile.ZipFile(path) as archive:
        assert all(info.flag_bits & 8 for info in archive.infolist())
    _, out = give_back(project, path)
    assert [row[2] for row in values(openpyxl.load_workbook(out)["Data"])] == ["email#key", "frank@x.test", "henry@x.test"]
    assert raw(path, "xl/theme/theme1.xml") == raw(out, "xl/theme/theme1.xml")


def test_exported_workbook_comes_back(project):
    """What this program writes itself: the partner spoils a row and sends it."""
    project.config("", base=base())
    path = project.folder / "out.xlsx"
    project.call("export", "partner", "-o", path)
    book = openpyxl.load_workbook(path)
    book.active["D3"] = "XX"
    book.save(path)
    _, out = give_back(project, path)
    sheet = openpyxl.load_workbook(out).active
    assert [cell.value for cell in sheet[1]][0] == "#Error" and sheet.max_row == 2 and "XX" in sheet["A2"].value
    assert sheet.freeze_panes == "A2" and sheet["B1"].font.bold


def test_form_controls_put_the_column_at_the_end(project):
    book, sheet = workbook()
    sheet["A3"].comment = Comment("x", "me")
    path = save(project, book)
    (drawing,) = [name for name in members(path) if name.endswith(".vml")]
    summary, out = give_back(project, rewrite(path, {drawing: lambda text: text.replace('ObjectType="Note"', 'ObjectType="Button"')}))
    assert "form controls" in summary["note"]
    assert members(out)[drawing] == members(path)[drawing]


def test_column_at_the_end_has_its_own_width(project):
    book, sheet = workbook()
    sheet.append(["#x"])
    path = rewrite(save(project, book), {SHEET: lambda text: extension("{0}")(text.replace(
        "<sheetData>", '<cols><col min="1" max="2" width="7" customWidth="1"/><col min="3" max="100" width="9" customWidth="1"/></cols><sheetData>'))})
    _, out = give_back(project, path)
    text = members(out)[SHEET].decode()
    assert ('<cols><col min="1" max="2" width="7" customWidth="1"/><col min="3" max="4" width="9" customWidth="1"/>'
            '<col min="5" max="5" width="60" customWidth="1"/><col min="6" max="100" width="9" customWidth="1"/></cols>') in text


@pytest.mark.parametrize("options, rows", [("", [2, 4]), ("\n    error_file: all", [1, 2, 3, 4, 5])])
def test_last_column_in_use_leaves_a_free_one(project, options, rows):
    book, sheet = workbook()
    sheet["E1"], sheet["F2"], sheet["XFD1"], sheet["XFD3"] = "#extra", "=B2", "#far", "far"
    sheet["G4"].fill = PatternFill("solid", fgColor="FFFFFF00")
    summary, out = give_back(project, save(project, book), options)
    assert "#Error stands in column G" in summary["note"] and "XFD" in summary["note"]
    sheet = openpyxl.load_workbook(out)["Data"]
    assert [cell.value for cell in sheet[1]][:8] == [*HEADER, "#extra", None, "#Error", None] and sheet["XFD1"].value == "#far"
    assert [[cell.value for cell in row][:4] for row in sheet.iter_rows(min_row=2)] == [ROWS[row - 1] for row in rows]
    assert [row for row, (cell,) in zip(rows, sheet["G2:G%d" % (len(rows) + 1)]) if cell.value] == [2, 4]
    assert sheet.cell(rows.index(2) + 2, 16384).value == "far"
    correct(out, {f"D{rows.index(2) + 2}": "BE", f"A{rows.index(4) + 2}": "Henry", f"D{rows.index(4) + 2}": "FR"})
    assert project.json("import", "partner", out)["failed"] == 0


def test_last_column_that_is_only_coloured_is_not_in_the_way(project):
    book, sheet = workbook()
    sheet["XFD3"].fill = PatternFill("solid", fgColor="FFFFFF00")
    summary, out = give_back(project, save(project, book))
    assert "note" not in summary
    assert [cell.value for cell in openpyxl.load_workbook(out)["Data"][1]][:5] == ["#Error", *HEADER]


def test_sheet_without_a_free_column_goes_back_as_values(project):
    book, _ = workbook(header=[[*HEADER, *["#more"] * 16380]])
    summary, out = give_back(project, save(project, book))
    assert "values only, without the last column" in summary["note"] and "each of its 16384 columns" in summary["note"]
    sheet = openpyxl.load_workbook(out).worksheets[0]
    assert [cell.value for cell in sheet[1]][:6] == ["#Error", *HEADER, "#more"] and "XX" in sheet["A2"].value


def test_what_cannot_be_moved_goes_back_as_values(project):
    """A part that is no XML: the reader does not need it, the shifter would."""
    book, sheet = workbook()
    sheet["A3"].comment = Comment("x", "me")
    path = save(project, book)
    (notes,) = [name for name in members(path) if "comment" in name and name.endswith(".xml")]
    summary, out = give_back(project, rewrite(path, {notes: lambda text: text[:-10]}))
    assert "values only" in summary["note"]
    rows = values(openpyxl.load_workbook(out).active)
    assert [row[2] for row in rows] == ["email#key", "frank@x.test", "henry@x.test"] and "XX" in rows[1][0]


@pytest.mark.parametrize("command", [
    ["soffice", "--headless", "--convert-to", "xlsx", "--outdir", "made", "a.xlsx"],
    ["ssconvert", "a.xlsx", "made/a.xlsx"],
])
def test_workbooks_of_other_programs(project, command):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    book, sheet = workbook()
    decorate(book, sheet)
    path = save(project, book)
    (project.folder / "made").mkdir()
    subprocess.run(command, cwd=project.folder, capture_output=True, check=True, timeout=120, env={"HOME": str(project.folder), "PATH": "/usr/bin:/bin"})
    summary, out = give_back(project, project.folder / "made" / path.name)
    assert "note" not in summary
    back = openpyxl.load_workbook(out)
    assert [row[1:] for row in values(back["Data"])] == [HEADER, ROWS[1], ROWS[3]]
    assert back["Data"]["G2"].value.replace(" ", "") == "=SUM(D2:D3)"
    assert back["Other"]["A1"].value.replace(" ", "") == "=SUM(Data!D2:D3)+B1"
    names = {name.name: name.attr_text for name in back.defined_names.definedName}
    assert names["Emails"] == "Data!$C$2:$C$3"

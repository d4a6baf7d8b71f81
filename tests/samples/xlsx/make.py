#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the workbooks of this folder again, with the programs that are installed: make.py [NAME...].

The text beside each, NAME.txt, says how it reads (kind:text, a row a line) and is written by hand: it is what the test compares with.
Programs: python3-openpyxl, libxlsxwriter-dev and gcc, libreoffice-calc (soffice), gnumeric (ssconvert), npm (exceljs, xlsx).
"""
import datetime
import pathlib
import shutil
import subprocess
import sys
import tempfile

import openpyxl

HERE = pathlib.Path(__file__).resolve().parent


def fill(sheet):
    """The table that all programs are asked for, as far as they can."""
    sheet.append(["email#key", "name", "color", "credit", "is_company", "date", "at", "time", "note"])
    sheet.append(["alice@x.test", "Müller & <Söhne>", 3, 0.1, True, datetime.date(2020, 1, 5), datetime.datetime(2020, 1, 5, 12, 30),
                  datetime.time(6, 15), "two\nlines"])
    sheet.append(["bob@x.test", " blanks ", 75001, 1 / 3, False, datetime.date(1999, 12, 31), datetime.datetime(1999, 12, 31, 23, 59, 59),
                  datetime.timedelta(hours=36), "a_x0041_b"])
    sheet["A5"] = "東京 😀"
    sheet["D5"] = 1234567.89
    sheet["E5"] = 123456789012345
    sheet["A14"] = "=1+2"
    sheet["B14"] = "=\"a\"&\"b\""
    sheet["C14"] = "=1/0"
    sheet["D14"] = "=1=1"
    sheet["J14"] = "last"


def make_openpyxl(target):
    book = openpyxl.Workbook()
    fill(book.active)
    book.create_sheet("Other").append(["other"])
    book.save(target)


def make_openpyxl_write_only(target):
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Stream")
    sheet.append(["a", "b"])
    sheet.append([1, datetime.datetime(2020, 1, 5, 1, 2, 3)])
    book.save(target)


def convert(target, program):
    """Has another program write the workbook anew, with the results of the formulas."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "in" / target.name
        source.parent.mkdir()
        make_openpyxl(source)
        program(source, target, folder)


def make_libreoffice(target):
    convert(target, lambda source, target, folder: subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{folder}/home", "--headless", "--convert-to", "xlsx", "--outdir", target.parent, source], check=True))


def make_gnumeric(target):
    convert(target, lambda source, target, folder: subprocess.run(
        ["ssconvert", "--recalc", "-T", "Gnumeric_Excel:xlsx2", source, target], check=True))


def make_libxlsxwriter(target, way="shared"):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "make"
        subprocess.run(["gcc", "-o", program, HERE / "make_libxlsxwriter.c", "-lxlsxwriter"], check=True)
        subprocess.run([program, target, way], check=True)


def make_libxlsxwriter_constant(target):
    make_libxlsxwriter(target, "constant")


def npm(target, package, script):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", package], cwd=folder, check=True)
        subprocess.run(["node", "-e", script, target], cwd=folder, check=True)


def make_exceljs(target):
    npm(target, "exceljs@4", """
const Excel = require('exceljs');
const book = new Excel.stream.xlsx.WorkbookWriter({filename: process.argv[1], useStyles: true, useSharedStrings: true});
const sheet = book.addWorksheet('Stream');
sheet.addRow(['name', 'rich', 'at', 'formula', 'flag']).commit();
sheet.addRow(['Müller & <Söhne>', {richText: [{text: 'ri'}, {font: {bold: true}, text: 'ch'}]}, new Date(Date.UTC(2020, 0, 5, 12, 30)),
              {formula: '1+2', result: 3}, true]).commit();
sheet.addRow([]).commit();
sheet.addRow(['last', null, null, {error: '#N/A'}]).commit();
book.commit();
""")


def make_sheetjs(target):
    npm(target, "xlsx@0.18.5", """
const XLSX = require('xlsx');
const book = XLSX.utils.book_new();
const rows = [['name', 'n', 'b', 'd'], ['Müller & <Söhne>', 0.1, true, new Date(Date.UTC(2020, 0, 5))], [], [' last ']];
const sheet = XLSX.utils.aoa_to_sheet(rows, {UTC: true});
XLSX.utils.book_append_sheet(book, sheet, 'Sheet');
XLSX.writeFile(book, process.argv[1], {bookSST: true, compression: true});
""")


MAKERS = {"openpyxl": (make_openpyxl, None), "openpyxl-write-only": (make_openpyxl_write_only, None), "libreoffice": (make_libreoffice, "soffice"),
          "gnumeric": (make_gnumeric, "ssconvert"), "libxlsxwriter": (make_libxlsxwriter, "gcc"),
          "libxlsxwriter-constant": (make_libxlsxwriter_constant, "gcc"), "exceljs": (make_exceljs, "npm"), "sheetjs": (make_sheetjs, "npm")}


def main(names):
    for name in names or MAKERS:
        maker, program = MAKERS[name]
        if program and not shutil.which(program):
            print(f"{name}: {program} is not installed")
            continue
        maker(HERE / f"{name}.xlsx")


if __name__ == "__main__":
    main(sys.argv[1:])

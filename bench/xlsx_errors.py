#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU seconds and memory of giving a workbook back with its errors: 100,000 rows of 10 cells, 1,000 of them bad.

    bench/xlsx_errors.py [--rows 100000] [--bad 1000] [--turns 3] [--openpyxl]

Measured is the marker process (src/format/marker.h): it reads the workbook, writes #Error, moves everything else along and packs it again.
CPU time is user and system; of several turns the best counts. The floor beside it is Python's zlib, which unpacks and packs (level 1) the
same sheet. Goal: under 2 seconds. --openpyxl: the same by openpyxl's insert_cols(), which moves no reference.
"""
import argparse
import os
import pathlib
import struct
import sys
import tempfile
import time
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "pattimpex"
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "xl/worksheets/sheet1.xml"
HEADER = ["ref#key", "name", "email", "phone", "street", "zip", "city", "country_id|code", "credit", "since"]


def sheet_xml(rows):
    """Texts inline, two numbers, a date, a formula that refers to its own row."""
    yield f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet {NS}><dimension ref="A1:J{rows + 1}"/><sheetData><row r="1" spans="1:10">'
    yield "".join(f'<c r="{"ABCDEFGHIJ"[i]}1" t="inlineStr"><is><t>{name}</t></is></c>' for i, name in enumerate(HEADER)) + "</row>"
    for r in range(2, rows + 2):
        texts = (("A", f"REF{r:08}"), ("B", f"Müller {r % 977}"), ("C", f"user{r}@example.com"), ("D", f"+32 2 {r % 1000000:06}"),
                 ("E", f"Main street {r % 90}"), ("G", "Liège"), ("H", "BE"))
        cells = "".join(f'<c r="{column}{r}" t="inlineStr"><is><t>{text}</t></is></c>' for column, text in texts)
        yield (f'<row r="{r}" spans="1:10">{cells}<c r="F{r}"><v>{1000 + r % 9000}</v></c><c r="I{r}"><f>F{r}*2</f><v>{2 * (1000 + r % 9000)}</v></c>'
               f'<c r="J{r}" s="1"><v>{44000 + r % 1000}</v></c></row>')
    yield f'</sheetData><autoFilter ref="A1:J{rows + 1}"/></worksheet>'


def make_workbook(path, rows):
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.'
        'openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        '</Relationships>',
        "xl/workbook.xml": f'<workbook {NS} xmlns:r="{RELATIONS}"><sheets><sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/worksheet" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {NS}><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        with archive.open(SHEET, "w") as member:
            for text in sheet_xml(rows):
                member.write(text.encode())


def make_texts(path, rows, bad):
    with open(path, "wb") as file:
        for i in range(bad):
            text = f"Country: no Country has code \"X{i}\"\nCredit: \"abc\" is no decimal".encode()
            file.write(struct.pack("=II", 2 + i * (rows // bad), len(text)) + text)


def run_marker(blob, texts, out, all_rows):
    """(CPU seconds, peak KiB) of one run."""
    fds = [os.open(blob, os.O_RDONLY), os.open(out, os.O_RDWR | os.O_CREAT | os.O_TRUNC), os.open(texts, os.O_RDONLY)]
    reply, answer = os.pipe()
    high = [os.dup2(fd, 20 + i) for i, fd in enumerate([*fds, answer])]
    actions = [(os.POSIX_SPAWN_DUP2, fd, number) for fd, number in zip(high, (0, 1, 3, 4))]
    pid = os.posix_spawn(PROGRAM, ["pattimpex", "marker", "format=xlsx", "header_rows=1", f"all_rows={int(all_rows)}"], {}, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    words = os.read(reply, 4096)
    for fd in {*fds, *high, reply, answer}:
        os.close(fd)
    if status:
        sys.exit(f"xlsx_errors.py: marker: {words[20:].decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def floor(blob):
    with zipfile.ZipFile(blob) as archive:
        start = time.process_time()
        zlib.compress(archive.read(SHEET), 1)
        return time.process_time() - start


def openpyxl_seconds(blob, out):
    import openpyxl
    start = time.process_time()
    book = openpyxl.load_workbook(blob)
    book.active.insert_cols(1)
    book.save(out)
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--bad", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--openpyxl", action="store_true")
    parser.add_argument("--program", type=pathlib.Path, default=PROGRAM)
    options = parser.parse_args()
    globals()["PROGRAM"] = options.program
    with tempfile.TemporaryDirectory(prefix="pattimpex-bench-") as folder:
        blob, texts, out = (os.path.join(folder, name) for name in ("book.xlsx", "texts", "out.xlsx"))
        make_workbook(blob, options.rows)
        make_texts(texts, options.rows, options.bad)
        print(f"{options.rows:,} rows x 10 cells, {options.bad:,} bad, {os.path.getsize(blob) / 1e6:.1f} MB; CPU seconds, best of {options.turns}")
        for what, all_rows in (("all rows", True), ("bad rows only", False)):
            runs = [run_marker(blob, texts, out, all_rows) for _ in range(options.turns)]
            print(f"  {what:24} {min(s for s, _ in runs):7.3f} s  peak {max(m for _, m in runs) / 1024:5.1f} MiB  {os.path.getsize(out) / 1e6:.1f} MB")
        print(f"  {'zlib, unpack and pack':24} {floor(blob):7.3f} s")
        if options.openpyxl:
            print(f"  {'openpyxl insert_cols':24} {openpyxl_seconds(blob, out):7.3f} s")


if __name__ == "__main__":
    main()

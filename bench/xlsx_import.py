#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CPU time of importing a workbook, as a ratio to importing the same records as CSV: all new, all of another content, all unchanged.

    bench/xlsx_import.py [--rows 200000] [--turns 3]

The records are those of bench/import.py. Books: our own export (inline strings); the form of Excel, where every text is a shared string, most of
them unlike any other; one where only what occurs often is shared; gnumeric's, which does that too and indents its XML (where ssconvert is
installed). Goal: at most 1.35 times the CSV, and less than 64 MiB.
"""
import argparse
import datetime
import importlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
base = importlib.import_module("import")

FIELDS = "[{field: sku, key: true}, name, price, quantity, weight, active, country_id/code, available, color, note]"


EPOCH = datetime.date(1899, 12, 30)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}relationships"><Relationship Id="r1" Type="{RELATIONS}/officeDocument"
Target="xl/workbook.xml"/></Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="product" sheetId="1" r:id="r1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}relationships">
<Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="r2" Type="{RELATIONS}/styles" Target="styles.xml"/>
<Relationship Id="r3" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>""",
    "xl/styles.xml": f"""<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>
<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>""",
}
SHARED = {"every": (0, 1, 6, 9), "repeated": (6, 9)} # the columns of shared strings


def cell(column, row, value, strings, shared):
    place = f"{'ABCDEFGHIJ'[column]}{row}"
    if row == 1 or column in shared:
        return f'<c r="{place}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
    if column in (0, 1):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    if column == 5:
        return f'<c r="{place}" t="b"><v>{value}</v></c>'
    if column == 7:
        return f'<c r="{place}" s="1"><v>{(datetime.date.fromisoformat(value) - EPOCH).days}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def write_book(path, csv, shared):
    """The rows of a CSV without quotes."""
    strings = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book, open(csv) as rows:
        for name, text in PARTS.items():
            book.writestr(name, text)
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            for number, line in enumerate(rows, 1):
                cells = "".join(cell(i, number, value, strings, shared) for i, value in enumerate(line.rstrip("\n").split(",")))
                sheet.write(f'<row r="{number}" spans="1:10">{cells}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
        with book.open("xl/sharedStrings.xml", "w") as part:
            part.write(f'<sst xmlns="{MAIN}" uniqueCount="{len(strings)}">'.encode())
            for text in strings:
                part.write(f"<si><t>{text}</t></si>".encode())
            part.write(b"</sst>")
    return len(strings)


class Books(base.Bench):
    """Two versions of the same records in each form: name -> (pattern, first file, second file)."""

    def write(self):
        (self.folder / "pattimpex.yaml").write_text(
            "database: sqlite:ours.db\nfilestore: ./filestore\ntimezone: UTC\npatterns:\n"
            f"  csv: {{model: product, format: csv, fields: {FIELDS}}}\n  xlsx: {{model: product, format: xlsx, fields: {FIELDS}}}\n")
        names = {"CSV": "csv", "inline": "inline.xlsx", "shared, every": "every.xlsx", "shared, repeated": "repeated.xlsx"}
        if shutil.which("ssconvert"):
            names["gnumeric"] = "gnumeric.xlsx"
        numbers = base.keys(self.options.rows, False)
        for round_ in "01":
            csv = self.folder / f"{round_}csv"
            base.write_file(csv, numbers, int(round_), False)
            self.database("ours.db")
            self.run("import", "csv", csv)
            self.run("export", "xlsx", "-o", f"{round_}inline.xlsx", "--no-history", "--filter", "[('active', 'in', [True, False])]")
            for which, columns in SHARED.items():
                count = write_book(self.folder / f"{round_}{which}.xlsx", csv, columns)
                print(f"{which}: {count:,} shared strings")
            if "gnumeric" in names:
                subprocess.run(["ssconvert", f"{round_}inline.xlsx", f"{round_}gnumeric.xlsx"], cwd=self.folder, check=True, capture_output=True)
        return names

    def run(self, *command):
        """CPU seconds and MiB of the largest process."""
        return base.measure([self.binary, "-c", "pattimpex.yaml", *command], self.folder)[:2]

    def import_all(self, name):
        pattern = "csv" if name == "csv" else "xlsx"
        self.database("ours.db")
        return {what: self.run("import", pattern, f"{round_}{name}") for what, round_ in (("new", 0), ("existing", 1), ("unchanged", 1))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pattimpex-bench-"))
    try:
        bench = Books(folder, options)
        names = bench.write()
        turns = [{name: bench.import_all(file) for name, file in names.items()} for _ in range(options.turns)] # a busy moment meets all of them
        print(f"{options.rows:,} rows x 10 columns; CPU seconds, best of {options.turns}")
        for what in ("new", "existing", "unchanged"):
            best = {name: min(turn[name][what] for turn in turns) for name in names}
            for name, (cpu, memory) in best.items():
                ratio = "" if name == "CSV" else f"  ratio {cpu / best['CSV'][0]:5.2f}  (goal 1.35)"
                print(f"  {what:<10} {name:<17} {cpu:6.2f} s  {memory:5.1f} MiB{ratio}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

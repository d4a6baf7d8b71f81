# SPDX-License-Identifier: Apache-2.0
"""What SheetJS and exceljs (from npm) need to read and to write a workbook; nothing where npm is not there."""
import pathlib
import shutil
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "build" / "bench" / "npm"
READ = {
    "SheetJS": "const x = require('xlsx'); const b = x.readFile(process.argv[1], {dense: true});"
               "console.log(x.utils.sheet_to_json(b.Sheets[b.SheetNames[0]], {header: 1}).length)",
    "exceljs, streaming": "const e = require('exceljs'); (async () => { let n = 0; const r = new e.stream.xlsx.WorkbookReader(process.argv[1]);"
                          "for await (const s of r) for await (const row of s) n++; console.log(n) })()",
}
WRITE = {
    "SheetJS": "const x = require('xlsx'); const rows = [];"
               "for (let i = 0; i < +process.argv[2]; i++) rows.push(Array.from({length: 10}, (_, c) => c % 2 ? i * 10 + c : 'cell ' + i + ' ' + c));"
               "const b = x.utils.book_new(); x.utils.book_append_sheet(b, x.utils.aoa_to_sheet(rows, {dense: true}), 'rows');"
               "x.writeFile(b, process.argv[1], {compression: true})",
    "exceljs, streaming": "const e = require('exceljs'); (async () => {"
                          "const b = new e.stream.xlsx.WorkbookWriter({filename: process.argv[1]}); const s = b.addWorksheet('rows');"
                          "for (let i = 0; i < +process.argv[2]; i++)"
                          "s.addRow(Array.from({length: 10}, (_, c) => c % 2 ? i * 10 + c : 'cell ' + i + ' ' + c)).commit(); await b.commit() })()",
}


def installed():
    if not shutil.which("npm") or not shutil.which("node"):
        return False
    if not (FOLDER / "node_modules" / "exceljs").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", FOLDER, "xlsx@0.18.5", "exceljs@4.4.0"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return done.returncode == 0
    return True


def commands(scripts, *arguments):
    """Name of the peer and the command that does it; they run with their working directory in FOLDER."""
    return {name: ["env", f"NODE_PATH={FOLDER / 'node_modules'}", "node", "--max-old-space-size=8192", "-e", script, *map(str, arguments)]
            for name, script in scripts.items()} if installed() else {}

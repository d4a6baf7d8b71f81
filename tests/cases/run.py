#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden text cases: run.py --binary PATH [NAME...]. UPDATE=1 writes what came out as what is expected.

A case is a folder: `cmd`, shell lines that run one after another in a fresh directory with `pattimpex` in PATH; `expected`, each line
behind "$ ", then what it printed (standard error first), then "[exit N]" where it is not 0. All other files of the folder are copied
into the directory; of NAME.sql a database NAME.db is made; `sql DATABASE STATEMENT` asks one. Times and paths that change are
normalised to texts of the same length.
"""
import argparse
import datetime
import difflib
import os
import pathlib
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NEAR = datetime.timedelta(days=10)      # times that far from now are of this run, others are data


# The command `sql DATABASE STATEMENT`, so that cases need no other program; the statement .dump gives the whole database.
SQL = """#!/usr/bin/python3
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for row in db.iterdump() if sys.argv[2] == ".dump" else db.execute(sys.argv[2]):
    print(row if isinstance(row, str) else "|".join("" if value is None else str(value) for value in row))
"""


def script(lines):
    """Each line is shown, run in the same shell, and its exit status shown."""
    parts = []
    for line in lines:
        parts.append(f"printf '%s\\n' {shlex.quote('$ ' + line)}\n{line}\nstatus=$?\n[ $status -eq 0 ] || printf '[exit %d]\\n' $status")
    return "\n".join(parts) + "\n"


def near(year, month, day):
    try:
        return abs(datetime.datetime(int(year), int(month), int(day)) - datetime.datetime.utcnow()) < NEAR
    except ValueError:
        return False


def normalised(text, folder):
    def long(match):
        return "YYYY-MM-DD" + match[4] + "hh:mm:ss" + ("+hh:mm" if match[5] else "") if near(*match.groups()[:3]) else match[0]

    def short(match):
        return "YYYYMMDD" + ("Thhmmss" if match[4] else "") if near(*match.groups()[:3]) else match[0]

    text = text.replace(str(folder), "DIR")
    text = re.sub(r"(\d{4})-(\d\d)-(\d\d)([ T])\d\d:\d\d:\d\d([+-]\d\d:\d\d)?", long, text)
    return re.sub(r"(?<!\d)(20\d\d)(\d\d)(\d\d)(T\d{6})?(?!\d)", short, text)


def prepare(case, folder):
    for path in case.iterdir():
        if path.name in ("cmd", "expected"):
            continue
        if path.suffix == ".sql":
            db = sqlite3.connect(folder / f"{path.stem}.db")
            db.executescript(path.read_text())
            db.close()
        elif path.is_dir():
            shutil.copytree(path, folder / path.name)
        else:
            shutil.copy(path, folder)


def output(case, binary):
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name).resolve()
        folder, programs = top / "work", top / "bin"
        folder.mkdir()
        programs.mkdir()
        (programs / "pattimpex").symlink_to(binary)
        (programs / "sql").write_text(SQL)
        (programs / "sql").chmod(0o755)
        prepare(case, folder)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PATTIMPEX_")}
        environment.update(PATH=f"{programs}:{environment['PATH']}", LC_ALL="C.UTF-8", TZ="UTC", HOME=str(top))
        lines = [line for line in (case / "cmd").read_text().splitlines() if line and not line.startswith("#")]
        done = subprocess.run(["sh", "-c", script(lines)], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300)
        return normalised(done.stdout.decode("utf-8", "backslashreplace").replace("\r\n", "\n"), folder)


def run(case, binary, update):
    """The difference from what is expected; "" for none."""
    actual = output(case, binary)
    expected = case / "expected"
    if update:
        expected.write_text(actual)
    wanted = expected.read_text() if expected.exists() else ""
    return "".join(difflib.unified_diff(wanted.splitlines(True), actual.splitlines(True), "expected", "actual"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path, help="the program to test")
    parser.add_argument("names", nargs="*", help="parts of names of cases; all where none is given")
    options = parser.parse_args()
    cases = sorted(path.parent for path in HERE.glob("*/cmd") if not options.names or any(name in path.parent.name for name in options.names))
    failed = 0
    for case in cases:
        try:
            difference = run(case, options.binary.resolve(), os.environ.get("UPDATE") == "1")
        except Exception as error:      # one case never stops the others
            difference = f"{type(error).__name__}: {error}\n"
        failed += bool(difference)
        print(f"{'not ok' if difference else 'ok'} {case.name}", flush=True)
        sys.stdout.write(difference)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of README.md's tour, as a reader would paste them: tour.py --binary PATH.

Of the section "Five minutes", every block of ```console: a line behind "$ " is a command, with its exit status as "# exit N"
behind it where it is not 0. The lines under a command are what it prints; "..." stands for any lines. All run in one shell folder
after another, from an empty directory, with `pattimpex` in PATH. Then what docs/*.md show is run (documents.py), and docs/commands.md
is held against the program's own help.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from documents import Document

ROOT = pathlib.Path(__file__).resolve().parents[2]


def steps(text):
    """(command, expected status, expected lines)"""
    section = re.search(r"^## Five minutes.*?(?=^## |\Z)", text, re.M | re.S)[0]
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", section, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, status = line[2:].partition("  # exit ")
                found.append((command, int(status or 0), []))
            else:
                found[-1][2].append(line)
    return found


def matches(expected, printed):
    """Whether what was printed reads as the document says; runs of blanks are one blank, "..." is any text, alone in a line any lines."""
    def words(line):
        return r"\s+".join(".*" if word == "..." else re.escape(word).replace(r"\.\.\.", ".*") for word in line.split())
    pattern = "".join(r"(?:.*\n)*" if line.strip() == "..." else r"[ \t]*" + words(line) + r"[ \t]*\n" for line in expected)
    return re.fullmatch(pattern, printed if printed.endswith("\n") or not printed else printed + "\n") is not None


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def say(self, what, problem):
        self.passed, self.failed = self.passed + (problem is None), self.failed + (problem is not None)
        print(f"{'ok' if problem is None else 'not ok'} {what}")
        if problem is not None:
            print("".join(f"    {line}\n" for line in problem.splitlines()), end="", flush=True)


def tour(folder, environment, tally):
    where = folder / "home"
    where.mkdir()
    for command, status, expected in steps((ROOT / "README.md").read_text()):
        # the shell's folder outlives the command that changes it
        done = subprocess.run(["sh", "-c", f"{command}\nstatus=$?; pwd > '{folder}/cwd'; exit $status"], cwd=where, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        where = pathlib.Path((folder / "cwd").read_text().strip())
        good = done.returncode == status and matches(expected, done.stdout)
        said = "\n".join(f"| {line}" for line in expected)
        tally.say(command, None if good else f"exit {done.returncode}, expected {status}; README.md says:\n{said}\nit printed:\n{done.stdout}")


def documents(folder, program, tally):
    for path in sorted((ROOT / "docs").glob("*.md")):
        if re.search(r"^```(yaml|csv \w)", path.read_text(), re.M):
            shop = folder / f"shop-{path.stem}"
            subprocess.run([program, "init", shop], check=True, capture_output=True)
            for what, problem in Document(path, program, shop).problems():
                tally.say(what, problem)


def help_texts(program, tally):
    done = subprocess.run([sys.executable, ROOT / "scripts" / "commands_md.py", program, "--check"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    tally.say("docs/commands.md", done.stdout if done.returncode else None)


def main(binary):
    tally, program = Tally(), str(pathlib.Path(binary).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "bin").mkdir()
        (folder / "bin" / "pattimpex").symlink_to(program)
        tour(folder, {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}, tally)
        documents(folder, program, tally)
    help_texts(program, tally)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--binary") + 1]))

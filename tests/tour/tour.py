#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of README.md's tour, as a reader would paste them: tour.py --binary PATH.

Of the section "Five minutes", every block of ```console: a line behind "$ " is a command, with its exit status as "# exit N"
behind it where it is not 0. The lines under a command are what it prints; "..." stands for any lines. All run in one shell folder
after another, from an empty directory, with `pattimpex` in PATH.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

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
    """Whether what was printed reads as the document says; runs of blanks are one blank, "..." is any number of lines."""
    pattern = "".join(r"(?:.*\n)*" if line.strip() == "..." else r"\s*" + r"\s+".join(map(re.escape, line.split())) + r"\s*\n" for line in expected)
    return re.fullmatch(pattern, printed if printed.endswith("\n") or not printed else printed + "\n") is not None


def main(binary):
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        programs = pathlib.Path(folder, "bin")
        programs.mkdir()
        (programs / "pattimpex").symlink_to(pathlib.Path(binary).resolve())
        where = pathlib.Path(folder, "home")
        where.mkdir()
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(where)}
        for command, status, expected in steps((ROOT / "README.md").read_text()):
            # the shell's folder outlives the command that changes it
            done = subprocess.run(["sh", "-c", f"{command}\nstatus=$?; pwd > '{folder}/cwd'; exit $status"], cwd=where, env=environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
            where = pathlib.Path(pathlib.Path(folder, "cwd").read_text().strip())
            good = done.returncode == status and matches(expected, done.stdout)
            passed, failed = passed + good, failed + (not good)
            print(f"{'ok' if good else 'not ok'} {command}")
            if not good:
                print(f"    exit {done.returncode}, expected {status}; README.md says:")
                print("".join(f"    | {line}\n" for line in expected), end="")
                print("    it printed:\n" + "".join(f"    | {line}\n" for line in done.stdout.splitlines()), end="")
    print(f"{passed} passed, {failed or int(passed == 0)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--binary") + 1]))

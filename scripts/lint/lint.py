#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All checks of the sources: lint.py [--all]. One line a check and its findings; the sum on the last line.

clang-tidy is slow, so it looks only at files that changed (they, or a header of ours they include) since it last passed
them; --all forgets what it knows.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import documents
import include_rule
import size
from sources import ROOT, read, sources

sys.path.insert(0, str(ROOT / "scripts"))
from build import build, directory  # noqa: E402 (the folder above this one)

# What a header needs to be found by the compiler when it stands alone.
PACKAGES = ["glib-2.0", "gio-2.0", "gio-unix-2.0", "sqlite3", "libpq", "libfyaml", "jansson"]
KNOWN_GOOD = ROOT / "build" / "lint-passed"
TIDY_NOISE = re.compile(r"^\d+ warnings? (and \d+ errors? )?generated|^Suppressed |^Use -header-filter")


def run(*command):
    done = subprocess.run(command, cwd=ROOT, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def over(files, check):
    """check(file) -> findings, two files at a time."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [finding for findings in pool.map(check, files) for finding in findings]


def clang_format(_all):
    def check(file):
        status, output = run("clang-format-14", "--dry-run", "-Werror", file)
        return [output.splitlines()[0].partition(": error:")[0] + ": not formatted (./dev format)"] if status else []
    return over(sources("c", "h"), check)


def fingerprint(file, seen):
    """A hash of the file and of every header of ours that it includes."""
    digest = hashlib.sha256(read(file).encode())
    for name in sorted(set(re.findall(r'^#include "([^"]+)"', read(file), re.M))):
        for place in (ROOT / "src" / name, (ROOT / file).parent / name):
            if place.exists() and place not in seen:
                seen.add(place)
                digest.update(fingerprint(str(place.relative_to(ROOT)), seen).encode())
    return digest.hexdigest()


def clang_tidy(everything):
    passed = set() if everything or not KNOWN_GOOD.exists() else set(KNOWN_GOOD.read_text().split())
    marks = {file: hashlib.sha256((file + read(".clang-tidy") + fingerprint(file, set())).encode()).hexdigest() for file in sources("c")}
    wanted = compiled()
    known = {file for file, mark in marks.items() if mark in passed}

    def check(file):
        status, output = run("clang-tidy-14", "--quiet", "-p", str(directory("release")), "--extra-arg=-Wno-unknown-warning-option", file)
        if status == 0:
            known.add(file)
            return []
        return [line for line in output.splitlines() if not TIDY_NOISE.match(line)]
    findings = over([f for f in marks if f not in known and f in wanted], check)
    KNOWN_GOOD.write_text("".join(f"{marks[f]}\n" for f in sorted(known)))
    return findings


def compiled():
    """The files that the build compiles; others (fuzz targets, floors of a bench) have no flags to check them with."""
    where = directory("release")
    commands = json.loads((where / "compile_commands.json").read_text())
    return {os.path.relpath(os.path.join(c["directory"], c["file"]), ROOT) for c in commands}


def headers_alone(_all):
    """Every header compiles by itself: what it uses, it includes."""
    _, flags = run("pkg-config", "--cflags", *PACKAGES)

    def check(file):
        status, output = run("gcc", "-fsyntax-only", "-std=gnu17", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-D_GNU_SOURCE",
                             "-include", "src/base/poison.h", "-Isrc", f"-I{directory('release')}", *flags.split(),
                             "-include", file, "-x", "c", "/dev/null")
        return [line for line in output.splitlines() if "error: " in line] if status else []
    return over([f for f in sources("h") if f.startswith("src/")], check)


def sh_syntax(_all):
    findings = []
    for file in ["dev", *sources("sh")]:
        status, output = run("sh", "-n", file)
        findings += output.splitlines() if status else []
    return findings


CHECKS = {
    "clang-format": clang_format,
    "clang-tidy": clang_tidy,
    "include rule": lambda _all: include_rule.findings(),
    "size": lambda _all: size.findings(),
    "headers alone": headers_alone,
    "documents": lambda _all: documents.findings(),
    "shell": sh_syntax,
}


def main(everything):
    if not (directory("release") / "compile_commands.json").exists() and not build("release", quiet=True):
        return 1
    failed = 0
    for name, check in CHECKS.items():
        findings = check(everything)
        failed += bool(findings)
        print(f"{'not ok' if findings else 'ok'} {name}", flush=True)
        for finding in findings:
            print(f"    {finding}")
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main("--all" in sys.argv[1:]))
